//! A text file that grows line by line.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::StorageError;
use crate::operations::{Operation, perform, replace};

/// Appends to a file whose beginning is known.
///
/// Rows are not synced one by one: whoever needs them after a power cut keeps a copy, as checkpoints do.
#[derive(Debug)]
pub struct Appender {
    path: PathBuf,
    file: File,
    /// What was asked to be in the file.
    text: String,
    /// Bytes of `text` that are in the file for certain.
    written: usize,
}

impl Appender {
    /// A file that holds `text` and nothing else.
    ///
    /// # Errors
    /// [`StorageError::Io`]; then the file is what it was.
    pub fn restore(path: &Path, text: String) -> Result<Self, StorageError> {
        replace(path, text.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path);
        Ok(Self {
            path: path.to_path_buf(),
            file: file.map_err(StorageError::io("open", path))?,
            written: text.len(),
            text,
        })
    }

    /// All that the file should hold.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds `text` at the end, after what an earlier failure kept out.
    ///
    /// # Errors
    /// [`StorageError::Io`]; the text is remembered and written with the next.
    pub fn append(&mut self, text: &str) -> Result<(), StorageError> {
        self.text.push_str(text);
        let missing = &self.text.as_bytes()[self.written..];
        let file = &mut self.file;
        let operation = Operation::Write(&self.path, missing);
        let result = perform(operation, || file.write_all(missing));
        match result {
            Ok(()) => self.written = self.text.len(),
            Err(_) => {
                // A part of it may have gone in: cut the file back to what is certain.
                let _ = self.file.set_len(self.written as u64);
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_holds_what_it_is_restored_to_and_what_follows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        std::fs::write(&path, "head\n1\n2\n3 is half writ").unwrap();
        let mut rows = Appender::restore(&path, "head\n1\n".to_string()).unwrap();
        rows.append("2\n").unwrap();
        rows.append("3\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "head\n1\n2\n3\n");
        assert_eq!(rows.text(), "head\n1\n2\n3\n");
    }
}
