//! Whole lines of a file that grows, from a place on.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

/// The size of a file and the time of its last change: while both stay, so does its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Bytes of a file; 0 for a folder.
    pub length: u64,
    /// The last change.
    pub modified: SystemTime,
}

impl Stamp {
    /// The stamp of a file. A link has none: it may lead out of the artifacts folder.
    pub(super) fn of_file(path: &Path) -> Option<Self> {
        let found = fs::symlink_metadata(path).ok()?;
        let modified = found.modified().ok().filter(|_| found.is_file())?;
        let length = found.len();
        Some(Self { length, modified })
    }

    /// The stamp of a folder, which changes when a file appears in it, vanishes or is replaced.
    pub(super) fn of_folder(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        let modified = found.modified().ok().filter(|_| found.is_dir())?;
        let length = 0;
        Some(Self { length, modified })
    }
}

/// A file that is not a link, opened to be read.
pub(super) fn open(path: &Path) -> io::Result<File> {
    match Stamp::of_file(path) {
        Some(_) => File::open(path),
        None => Err(io::ErrorKind::NotFound.into()),
    }
}

/// The whole content of a file that is not a link.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.read_to_end(&mut content)?;
    Ok(content)
}

/// The whole lines from byte `from` on, at most about `most` bytes of them. A last line without its end waits.
pub(super) fn whole_lines(file: &mut File, from: u64, most: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut found = Vec::new();
    let mut limit = most;
    loop {
        let count = (&*file).take(limit).read_to_end(&mut found)?;
        let end = found.iter().rposition(|byte| *byte == b'\n');
        match end {
            Some(end) => {
                found.truncate(end + 1);
                return Ok(found);
            }
            // One line is longer than that.
            None if count as u64 == limit => limit = limit.saturating_mul(2),
            None => return Ok(Vec::new()),
        }
    }
}

/// The first line and, if there is another one, the last whole line of a file, without reading what lies between.
pub(super) fn first_and_last(file: &mut File) -> io::Result<Vec<u8>> {
    const END: u64 = 4096;
    let length = file.metadata()?.len();
    if length <= 2 * END {
        return whole_lines(file, 0, 2 * END);
    }
    let mut first = vec![0; END as usize];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut first)?;
    let last = whole_lines(file, length - END, END)?;
    let body = last.strip_suffix(b"\n").unwrap_or(&last);
    match (
        first.iter().position(|byte| *byte == b'\n'),
        body.iter().rposition(|byte| *byte == b'\n'),
    ) {
        (Some(end), Some(start)) => {
            first.truncate(end + 1);
            first.extend(&last[start + 1..]);
            Ok(first)
        }
        // Lines are very long.
        _ => whole_lines(file, 0, length),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn file(content: &str) -> (tempfile::TempDir, File) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, content).unwrap();
        let file = open(&path).unwrap();
        (folder, file)
    }

    #[test]
    fn a_half_written_line_waits_and_a_long_one_is_read_whole() {
        let (_folder, mut file) = file("one\ntwo two two two\nthr");
        assert_eq!(
            whole_lines(&mut file, 0, 100).unwrap(),
            b"one\ntwo two two two\n"
        );
        assert_eq!(whole_lines(&mut file, 4, 3).unwrap(), b"two two two two\n");
        assert_eq!(whole_lines(&mut file, 20, 100).unwrap(), b"");
        assert_eq!(whole_lines(&mut file, 900, 100).unwrap(), b"");
    }

    #[test]
    fn the_ends_of_a_long_file_are_read_alone() {
        let rows: String = (0..5000).map(|i| format!("{i},0.5\n")).collect();
        let (_folder, mut file) = file(&format!("epoch,loss\n{rows}5000,0."));
        assert_eq!(
            first_and_last(&mut file).unwrap(),
            b"epoch,loss\n4999,0.5\n"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("metrics.csv");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(open(&link).is_err());
        assert!(read(&link).is_err());
    }
}
