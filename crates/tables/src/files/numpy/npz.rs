//! A `.npz` file: a ZIP archive with one `.npy` file for each array.

use std::fmt::Display;
use std::io::Read;

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive};

/// Whether these are the bytes of a ZIP archive, which may be empty.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// The key of each array and the bytes of its `.npy` file, in the order of the archive.
///
/// # Errors
/// The defect of the archive.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let damaged = |error: &dyn Display| format!("the archive is damaged: {error}");
    let archive = ZipArchive::from_slice(bytes).map_err(|e| damaged(&e))?;
    let mut headers = archive.entries();
    let mut entries = Vec::new();
    while let Some(header) = headers.next_entry().map_err(|e| damaged(&e))? {
        let path = header.file_path();
        let name = String::from_utf8_lossy(path.as_ref()).into_owned();
        let Some(key) = name.strip_suffix(".npy") else {
            return Err(format!(
                "expected arrays with names in .npy, found {name:?}"
            ));
        };
        let entry = archive
            .get_entry(header.wayfinder())
            .map_err(|e| damaged(&e))?;
        let mut array = Vec::new();
        let result = match header.compression_method() {
            CompressionMethod::STORE => {
                entry.verifying_reader(entry.data()).read_to_end(&mut array)
            }
            CompressionMethod::DEFLATE => entry
                .verifying_reader(DeflateDecoder::new(entry.data()))
                .read_to_end(&mut array),
            other => {
                return Err(format!(
                    "array {key:?}: expected no compression or deflate, found {other:?}"
                ));
            }
        };
        result.map_err(|e| format!("array {key:?}: {}", damaged(&e)))?;
        entries.push((key.to_owned(), array));
    }
    Ok(entries)
}
