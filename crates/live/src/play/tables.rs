//! Tables that a browser sends: kept in the artifacts folder, where runs find them again.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use emberlab_experiments::guess_label;
use emberlab_storage::{replace, sha256};
use emberlab_tables::{FormatConfig, RowReader};
use serde::Serialize;

/// The folder of tables in the artifacts folder.
const FOLDER: &str = "playground-tables";

/// The tables that were sent to this server.
pub(super) struct Tables {
    folder: PathBuf,
    paths: Mutex<Vec<PathBuf>>,
}

/// A table as it was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct SentTable {
    /// Its number.
    table: usize,
    /// Its columns.
    columns: Vec<String>,
    /// The column that is probably the label.
    guess: Option<String>,
}

impl Tables {
    /// The tables of an artifacts folder; none were sent yet.
    pub(super) fn new(artifacts: &Path) -> Self {
        Self {
            folder: artifacts.join(FOLDER),
            paths: Mutex::default(),
        }
    }

    /// Keeps a table. Its folder is named after its content, so that the same table is kept once.
    ///
    /// # Errors
    /// A sentence, if the content is no table or cannot be written.
    pub(super) fn keep(&self, name: &str, content: &[u8]) -> Result<SentTable, String> {
        let folder = self.folder.join(&sha256(content)[..16]);
        let path = folder.join(plain(name));
        if !path.is_file() {
            std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
            replace(&path, content).map_err(|e| e.to_string())?;
        }
        let path = path.canonicalize().map_err(|e| e.to_string())?;
        let rows = RowReader::open(&path, &FormatConfig::default()).map_err(|e| e.to_string())?;
        let columns = rows.columns().to_vec();
        let guess = guess_label(&columns).cloned();
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        paths.push(path);
        Ok(SentTable {
            table: paths.len() - 1,
            columns,
            guess,
        })
    }

    /// The file of a table.
    pub(super) fn path(&self, table: usize) -> Option<PathBuf> {
        let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        paths.get(table).cloned()
    }
}

/// A name without folders, and without characters that have a meaning in a shell or a file system.
fn plain(name: &str) -> String {
    let kept = |c: char| match c.is_alphanumeric() || "-_.".contains(c) {
        true => c,
        false => '_',
    };
    let name: String = name.chars().map(kept).take(80).collect();
    match name.trim_start_matches('.') {
        "" => "table.csv".to_string(),
        name => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_table_stays_inside_its_folder_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables::new(&folder.path().join("not/there/yet"));
        let content = b"x,y,label\n1,2,a\n3,4,b\n";
        for name in ["../../../etc/passwd", "/abs.csv", "..", "", "a b;rm.csv"] {
            let sent = tables.keep(name, content).unwrap();
            assert_eq!(sent.columns, ["x", "y", "label"]);
            assert_eq!(sent.guess.as_deref(), Some("label"));
            let path = tables.path(sent.table).unwrap();
            let root = folder.path().canonicalize().unwrap();
            assert!(
                path.starts_with(root.join("not/there/yet").join(FOLDER)),
                "{}",
                path.display()
            );
        }
    }
}
