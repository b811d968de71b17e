//! A text file that grows line by line.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::StorageError;
use crate::operations::{Operation, are_counted, perform, replace};

/// The shortest time between two writes. Text that comes sooner waits and is written together.
const BETWEEN_WRITES: Duration = Duration::from_millis(100);

/// When a test counts file operations, one in this many texts is written, because the count must not depend on time.
const COUNTED: usize = 2;

/// Appends to a file with known content.
///
/// Text that comes within a tenth of a second of the last write waits for the next text, or for [`flush`](Self::flush).
/// Nothing is synced to the disk: a kill or a power cut may lose the last lines. Checkpoints hold a copy. The file is
/// closed between two writes, because a stack appends to thousands of files at once.
#[derive(Debug)]
pub struct Appender {
    path: PathBuf,
    /// The content that the file should have.
    text: String,
    /// The number of bytes of `text` that are certainly in the file.
    written: usize,
    written_at: Option<Instant>,
    /// The number of texts since the last write.
    num_waiting: usize,
    has_failed: bool,
}

impl Appender {
    /// Makes a file that holds `text` and nothing else.
    ///
    /// # Errors
    /// [`StorageError::Io`]; the file is then unchanged.
    pub fn restore(path: &Path, text: String) -> Result<Self, StorageError> {
        if text.is_empty() && !path.exists() {
            // A file that a power cut may remove needs no waiting for the disk.
            let create = || OpenOptions::new().append(true).create(true).open(path);
            perform(Operation::CreateFile(path), create)?;
        } else {
            replace(path, text.as_bytes())?;
        }
        Ok(Self {
            path: path.to_path_buf(),
            written: text.len(),
            text,
            written_at: None,
            num_waiting: 0,
            has_failed: false,
        })
    }

    /// The content that the file should have.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds `text` at the end, at once or with text that follows.
    ///
    /// # Errors
    /// As for [`flush`](Self::flush).
    pub fn append(&mut self, text: &str) -> Result<(), StorageError> {
        self.text.push_str(text);
        self.num_waiting += 1;
        let is_long_ago = |at: Instant| at.elapsed() >= BETWEEN_WRITES;
        let is_due = match are_counted() {
            true => self.num_waiting == COUNTED,
            false => self.written_at.is_none_or(is_long_ago),
        };
        match is_due {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Writes all text that is not in the file yet.
    ///
    /// # Errors
    /// [`StorageError::Io`]; the text is then written together with the next.
    pub fn flush(&mut self) -> Result<(), StorageError> {
        let missing = &self.text.as_bytes()[self.written..];
        if missing.is_empty() {
            return Ok(());
        }
        let file = OpenOptions::new().append(true).open(&self.path);
        let mut file = file.map_err(StorageError::io("open", &self.path))?;
        let operation = Operation::Write(&self.path, missing);
        let result = perform(operation, || file.write_all(missing));
        match result {
            Ok(()) => self.written = self.text.len(),
            Err(_) => {
                // A part may have been written: truncate the file to the bytes that are certain.
                let _ = file.set_len(self.written as u64);
            }
        }
        self.written_at = Some(Instant::now());
        self.num_waiting = 0;
        self.has_failed = result.is_err();
        result
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        // Only a training that failed still has unwritten text here. After a failed flush the file stays as it is.
        if !self.has_failed {
            let _ = self.flush();
        }
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
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "head\n1\n2\n");
        rows.append("3\n").unwrap();
        assert_eq!(rows.text(), "head\n1\n2\n3\n");
        rows.flush().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "head\n1\n2\n3\n");
    }

    #[test]
    fn what_a_failed_training_has_not_written_is_written_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let mut rows = Appender::restore(&path, String::new()).unwrap();
        for row in ["1\n", "2\n", "3\n"] {
            rows.append(row).unwrap();
        }
        drop(rows);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
    }
}
