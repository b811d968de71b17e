//! The text of a file: unpacked, without its byte order mark, and refused if it is not text.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::encoding::Utf16Reader;
use crate::error::TableError;

/// Size of the first part of a text, from which the format is detected, in bytes.
const SAMPLE_SIZE: u64 = 1 << 20;

/// The text of a file.
pub(crate) struct Source {
    /// The first part of the text.
    pub(crate) sample: Vec<u8>,
    /// The text after the sample.
    pub(crate) rest: Box<dyn Read>,
    /// Whether nothing follows the sample.
    pub(crate) is_complete: bool,
    /// The encoding of the text. A file that is named UTF-8 here may turn out to be Windows-1252 later.
    pub(crate) encoding: &'static str,
}

impl Source {
    /// Reads the first part of a stream; `path` is its name in errors.
    ///
    /// # Errors
    /// [`TableError`] if it cannot be read, is empty, or is not text.
    pub(crate) fn open(path: &Path, stream: Box<dyn Read>) -> Result<Self, TableError> {
        let (start, stream) = peek(path, stream, 2)?;
        let stream: Box<dyn Read> = match start.as_slice() {
            [0x1f, 0x8b] => Box::new(Unpacked(MultiGzDecoder::new(BufReader::new(stream)))),
            _ => stream,
        };
        let (start, stream) = peek(path, stream, 4096)?;
        refuse_other_files(path, &start)?;
        let (mark, utf16, encoding) = match start.as_slice() {
            [0xef, 0xbb, 0xbf, ..] => (3, None, "UTF-8 with byte order mark"),
            [0xff, 0xfe, ..] => (2, Some(false), "UTF-16 LE"),
            [0xfe, 0xff, ..] => (2, Some(true), "UTF-16 BE"),
            [1..=255, 0, 1..=255, 0, ..] => (0, Some(false), "UTF-16 LE"),
            [0, 1..=255, 0, 1..=255, ..] => (0, Some(true), "UTF-16 BE"),
            _ => (0, None, "UTF-8"),
        };
        let (_, stream) = take(path, stream, mark)?;
        let stream: Box<dyn Read> = match utf16 {
            Some(is_big_endian) => Box::new(Utf16Reader::new(stream, is_big_endian)),
            None => stream,
        };
        let (sample, rest) = take(path, stream, SAMPLE_SIZE)?;
        Ok(Self {
            is_complete: (sample.len() as u64) < SAMPLE_SIZE,
            sample,
            rest,
            encoding,
        })
    }
}

/// An unpacked gzip stream, whose errors say in plain words that the file is not a whole one.
struct Unpacked<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        self.0.read(bytes).map_err(|error| match error.kind() {
            InvalidData | InvalidInput | UnexpectedEof | Other => io::Error::new(
                InvalidData,
                "this gzip file is damaged or cut off, or something else follows its end",
            ),
            _ => error,
        })
    }
}

/// The first bytes of a stream, and what follows them.
fn take(
    path: &Path,
    stream: Box<dyn Read>,
    count: u64,
) -> Result<(Vec<u8>, Box<dyn Read>), TableError> {
    let mut start = Vec::new();
    let mut limited = stream.take(count);
    limited
        .read_to_end(&mut start)
        .map_err(TableError::io(path))?;
    Ok((start, limited.into_inner()))
}

/// The first bytes of a stream, and the whole stream.
fn peek(
    path: &Path,
    stream: Box<dyn Read>,
    count: u64,
) -> Result<(Vec<u8>, Box<dyn Read>), TableError> {
    let (start, rest) = take(path, stream, count)?;
    let stream = Box::new(Cursor::new(start.clone()).chain(rest));
    Ok((start, stream))
}

/// The first bytes of files that are taken for tables by mistake, and advice.
const OTHER_FILES: [(&[u8], &str); 24] = [
    (
        b"PK\x03\x04",
        "a zip archive; unpack it first, or pack its table with gzip",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Excel file; save it as CSV"),
    (b"%PDF", "a PDF; save its table as CSV"),
    (
        b"PAR1",
        "a Parquet file; convert it with pandas: `read_parquet(…).to_csv(…, index=False)`",
    ),
    (
        b"ARROW1",
        "a Feather file; convert it with pandas: `read_feather(…).to_csv(…, index=False)`",
    ),
    (
        b"FEA1",
        "a Feather file; convert it with pandas: `read_feather(…).to_csv(…, index=False)`",
    ),
    (
        b"ORC",
        "an ORC file; convert it with pandas: `read_orc(…).to_csv(…, index=False)`",
    ),
    (
        b"\x80\x04\x95",
        "a pickle of Python; convert it with pandas: `read_pickle(…).to_csv(…, index=False)`",
    ),
    (
        b"\x80\x05\x95",
        "a pickle of Python; convert it with pandas: `read_pickle(…).to_csv(…, index=False)`",
    ),
    (
        b"$FL2",
        "an SPSS file; convert it with pandas: `read_spss(…).to_csv(…, index=False)`",
    ),
    (
        b"<stata_dta>",
        "a Stata file; convert it with pandas: `read_stata(…).to_csv(…, index=False)`",
    ),
    (b"<?xml", "XML; save its table as CSV"),
    (b"\xff\xfe\0\0", "text in UTF-32; save it as UTF-8"),
    (b"\0\0\xfe\xff", "text in UTF-32; save it as UTF-8"),
    (b"\x93NUMPY", "a NumPy array; its name must end with `.npy`"),
    (b"\x89HDF", "an HDF5 file; save its table as CSV"),
    (
        b"SQLite format 3",
        "an SQLite database; save its table as CSV",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "a zstd archive; unpack it first, or pack it with gzip",
    ),
    (
        b"BZh91AY&SY",
        "a bzip2 archive; unpack it first, or pack it with gzip",
    ),
    (
        b"\xfd7zXZ\0",
        "an xz archive; unpack it first, or pack it with gzip",
    ),
    (
        b"7z\xbc\xaf\x27\x1c",
        "a 7z archive; unpack it first, or pack it with gzip",
    ),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (
        b"version https://git-lfs",
        "a placeholder of Git LFS; fetch the file with `git lfs pull`",
    ),
];

/// Refuses a file that is not text, by its first bytes.
fn refuse_other_files(path: &Path, start: &[u8]) -> Result<(), TableError> {
    let unusable = |message: &str| TableError::Unusable {
        path: path.to_owned(),
        message: message.to_owned(),
    };
    let has = |text: &[u8]| start.windows(text.len()).any(|window| window == text);
    if start.is_empty() {
        return Err(unusable("the file is empty"));
    }
    if start.starts_with(b"PK\x03\x04") {
        if has(b"[Content_Types].xml") || has(b"xl/") {
            return Err(unusable("this looks like an Excel file; save it as CSV"));
        }
        if has(b"opendocument.spreadsheet") {
            return Err(unusable(
                "this looks like an OpenDocument spreadsheet; save it as CSV",
            ));
        }
    }
    if let Some((_, kind)) = OTHER_FILES
        .iter()
        .find(|(magic, _)| start.starts_with(magic))
    {
        return Err(unusable(&format!("this looks like {kind}")));
    }
    let text = start.trim_ascii_start();
    let begins = |tag: &[u8]| {
        text.get(..tag.len())
            .is_some_and(|tag_here| tag_here.eq_ignore_ascii_case(tag))
    };
    if begins(b"<table") {
        return Err(unusable("this looks like a table in HTML; save it as CSV"));
    }
    if begins(b"<!doctype html") || begins(b"<html") {
        return Err(unusable(
            "this looks like a web page; download the file that it links to",
        ));
    }
    if begins(b"{\"") || begins(b"[{") {
        return Err(unusable("this looks like JSON; save it as CSV"));
    }
    Ok(())
}
