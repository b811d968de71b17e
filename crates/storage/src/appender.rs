//! A text file that grows line by line.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::StorageError;
use crate::operations::{Operation, perform, replace};

/// Appends to a file with known content.
///
/// Rows are not synced to the disk one by one: a power cut may lose the last ones. Checkpoints hold a copy.
#[derive(Debug)]
pub struct Appender {
    path: PathBuf,
    file: File,
    /// The content that the file should have.
    text: String,
    /// The number of bytes of `text` that are certainly in the file.
    written: usize,
}

impl Appender {
    /// Makes a file that holds `text` and nothing else.
    ///
    /// # Errors
    /// [`StorageError::Io`]; the file is then unchanged.
    pub fn restore(path: &Path, text: String) -> Result<Self, StorageError> {
        let mut options = OpenOptions::new();
        options.append(true);
        let file = if text.is_empty() && !path.exists() {
            // A file that a power cut may remove needs no waiting for the disk.
            perform(Operation::CreateFile(path), || {
                options.create(true).open(path)
            })?
        } else {
            replace(path, text.as_bytes())?;
            options.open(path).map_err(StorageError::io("open", path))?
        };
        Ok(Self {
            path: path.to_path_buf(),
            file,
            written: text.len(),
            text,
        })
    }

    /// The content that the file should have.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds `text` at the end, after any text that could not be written before.
    ///
    /// # Errors
    /// [`StorageError::Io`]; the text is then written together with the next.
    pub fn append(&mut self, text: &str) -> Result<(), StorageError> {
        self.text.push_str(text);
        let missing = &self.text.as_bytes()[self.written..];
        let file = &mut self.file;
        let operation = Operation::Write(&self.path, missing);
        let result = perform(operation, || file.write_all(missing));
        match result {
            Ok(()) => self.written = self.text.len(),
            Err(_) => {
                // A part may have been written: truncate the file to the bytes that are certain.
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
    fn a_restored_file_holds_the_given_text_and_the_appended_rows() {
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
