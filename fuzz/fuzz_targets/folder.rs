//! The folder whose files a target reads.

use std::path::PathBuf;
use std::sync::LazyLock;

/// A folder that lives as long as the process, in memory where the system has such a place.
pub static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    folder.expect("a temporary folder")
});
