//! IDX files, the format of MNIST.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::error::DatasetError;

/// Magic number of unsigned bytes in three dimensions.
const IMAGES: u32 = 0x0803;
/// Magic number of unsigned bytes in one dimension.
const LABELS: u32 = 0x0801;

/// Appends the images of a file to `pixels`, and returns their number.
///
/// # Errors
/// [`DatasetError::Idx`] unless the file holds exactly the images of `height · width` pixels that its header
/// announces.
pub(crate) fn read_images(
    path: &Path,
    [height, width]: [usize; 2],
    pixels: &mut Vec<u8>,
) -> Result<usize, DatasetError> {
    let mut file = Idx::open(path)?;
    file.expect_magic(IMAGES, "images (3 dimensions of bytes)")?;
    let count = file.number()?;
    let shape = [file.number()?, file.number()?];
    if shape != [height, width] {
        let found = format!("{}x{}", shape[0], shape[1]);
        return Err(file.wrong(format!("images of {height}x{width} pixels"), found));
    }
    file.rest(count * height * width, pixels)?;
    Ok(count)
}

/// Appends the labels of a file, all below `num_classes`, to `labels`, and returns their number.
///
/// # Errors
/// [`DatasetError::Idx`] unless the file holds exactly the labels that its header announces.
pub(crate) fn read_labels(
    path: &Path,
    num_classes: u32,
    labels: &mut Vec<u32>,
) -> Result<usize, DatasetError> {
    let mut file = Idx::open(path)?;
    file.expect_magic(LABELS, "labels (1 dimension of bytes)")?;
    let count = file.number()?;
    let mut bytes = Vec::new();
    file.rest(count, &mut bytes)?;
    for (row, &byte) in bytes.iter().enumerate() {
        let label = u32::from(byte);
        if label >= num_classes {
            let expected = format!("labels from 0 to {}", num_classes - 1);
            return Err(file.wrong(expected, format!("{label} in row {row}")));
        }
        labels.push(label);
    }
    Ok(count)
}

struct Idx<'a> {
    path: &'a Path,
    bytes: Box<dyn Read>,
}

impl<'a> Idx<'a> {
    /// Opens a file; it is unzipped if its name ends in `.gz`.
    fn open(path: &'a Path) -> Result<Self, DatasetError> {
        let file = BufReader::new(File::open(path).map_err(DatasetError::io(path))?);
        let bytes: Box<dyn Read> = if path.extension().is_some_and(|ending| ending == "gz") {
            Box::new(MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        Ok(Self { path, bytes })
    }

    fn wrong(&self, expected: impl Into<String>, found: impl Into<String>) -> DatasetError {
        DatasetError::Idx {
            path: self.path.to_owned(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    fn expect_magic(&mut self, magic: u32, kind: &str) -> Result<(), DatasetError> {
        let found = self.word()?;
        if found == magic {
            return Ok(());
        }
        let expected = format!("an IDX file of {kind}, magic number {magic:#010x}");
        Err(self.wrong(expected, format!("{found:#010x}")))
    }

    /// A size from the header.
    fn number(&mut self) -> Result<usize, DatasetError> {
        Ok(self.word()? as usize)
    }

    fn word(&mut self) -> Result<u32, DatasetError> {
        let mut word = [0; 4];
        let read = self.bytes.read_exact(&mut word);
        read.map_err(|error| self.unreadable(error, "a whole IDX header"))?;
        Ok(u32::from_be_bytes(word))
    }

    /// Appends the content after the header, which must be exactly `len` bytes.
    fn rest(&mut self, len: usize, into: &mut Vec<u8>) -> Result<(), DatasetError> {
        let expected = format!("{len} bytes after the header");
        let before = into.len();
        // Reading one more byte shows whether the file is too long.
        let read = (&mut self.bytes).take(len as u64 + 1).read_to_end(into);
        read.map_err(|error| self.unreadable(error, &expected))?;
        match into.len() - before {
            found if found == len => Ok(()),
            found if found > len => Err(self.wrong(expected, "more")),
            found => Err(self.wrong(expected, format!("{found}: the file is truncated"))),
        }
    }

    fn unreadable(&self, error: io::Error, expected: &str) -> DatasetError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                self.wrong(expected, "the end of the file: it is truncated")
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                self.wrong("valid gzip data", error.to_string())
            }
            _ => DatasetError::io(self.path)(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// The error message for a file of these bytes, without the folder.
    fn refusal(name: &str, bytes: &[u8], images: bool) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let result = if images {
            read_images(&path, [2, 1], &mut Vec::new())
        } else {
            read_labels(&path, 10, &mut Vec::new())
        };
        let message = result.unwrap_err().to_string();
        message.replace(&format!("{}/", folder.path().display()), "")
    }

    /// Two images of 2×1 pixels.
    const TWO_IMAGES: &[u8] = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x01abcd";
    const THREE_LABELS: &[u8] = b"\0\0\x08\x01\0\0\0\x03\x00\x05\x09";

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::default());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    #[test]
    fn plain_and_gzipped_files_hold_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("images");
        fs::write(&plain, TWO_IMAGES).unwrap();
        let gz = folder.path().join("images.gz");
        fs::write(&gz, gzipped(TWO_IMAGES)).unwrap();
        for path in [plain, gz] {
            let mut pixels = Vec::new();
            assert_eq!(read_images(&path, [2, 1], &mut pixels).unwrap(), 2);
            assert_eq!(pixels, b"abcd");
        }
        let labels_file = folder.path().join("labels");
        fs::write(&labels_file, THREE_LABELS).unwrap();
        let mut labels = Vec::new();
        assert_eq!(read_labels(&labels_file, 10, &mut labels).unwrap(), 3);
        assert_eq!(labels, [0, 5, 9]);
    }

    #[test]
    fn a_wrong_magic_number_is_named() {
        assert_eq!(
            refusal("labels", TWO_IMAGES, false),
            "labels: expected an IDX file of labels (1 dimension of bytes), magic number 0x00000801, \
             found 0x00000803"
        );
    }

    #[test]
    fn truncated_files_are_refused() {
        assert_eq!(
            refusal("images", &TWO_IMAGES[..18], true),
            "images: expected 4 bytes after the header, found 2: the file is truncated"
        );
        assert_eq!(
            refusal("images", &TWO_IMAGES[..6], true),
            "images: expected a whole IDX header, found the end of the file: it is truncated"
        );
        let gz = gzipped(TWO_IMAGES);
        assert!(refusal("images.gz", &gz[..gz.len() - 4], true).contains("truncated"));
    }

    #[test]
    fn damaged_gzip_is_refused() {
        assert!(
            refusal("images.gz", b"not gzip at all", true).contains("expected valid gzip data")
        );
    }

    #[test]
    fn more_data_than_announced_is_refused() {
        let mut bytes = TWO_IMAGES.to_vec();
        bytes.push(0);
        assert_eq!(
            refusal("images", &bytes, true),
            "images: expected 4 bytes after the header, found more"
        );
    }

    #[test]
    fn images_of_another_size_are_refused() {
        let mut bytes = TWO_IMAGES.to_vec();
        bytes[15] = 2;
        assert_eq!(
            refusal("images", &bytes, true),
            "images: expected images of 2x1 pixels, found 2x2"
        );
    }

    #[test]
    fn labels_over_nine_are_refused() {
        let mut bytes = THREE_LABELS.to_vec();
        bytes[9] = 10;
        assert_eq!(
            refusal("labels", &bytes, false),
            "labels: expected labels from 0 to 9, found 10 in row 1"
        );
    }
}
