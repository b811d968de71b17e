//! Where data sets are looked for.

use std::path::PathBuf;

use crate::arguments::Shared;

/// The folder that fetched data sets go to when none is named.
pub fn cache() -> Option<PathBuf> {
    let project = directories::ProjectDirs::from("", "", "emberlab")?;
    Some(project.cache_dir().join("data"))
}

/// The folders to look in, the named one first.
pub fn all(shared: &Shared) -> Vec<PathBuf> {
    shared.data_dir.iter().cloned().chain(cache()).collect()
}
