//! The folders that are searched for data sets.

use std::path::PathBuf;

use crate::arguments::Shared;

/// The default folder for downloaded data sets.
pub fn cache() -> Option<PathBuf> {
    let project = directories::ProjectDirs::from("", "", "emberlab")?;
    Some(project.cache_dir().join("data"))
}

/// The folders to search; the one of `--data-dir` comes first.
pub fn all(shared: &Shared) -> Vec<PathBuf> {
    shared.data_dir.iter().cloned().chain(cache()).collect()
}
