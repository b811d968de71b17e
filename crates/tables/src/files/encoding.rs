//! Encodings other than UTF-8.

use std::io::{self, Read};

/// Bytes of UTF-16 read as UTF-8.
pub(crate) struct Utf16Reader<R> {
    input: R,
    is_big_endian: bool,
    /// Bytes of a character whose end is not read yet.
    undecoded: Vec<u8>,
    decoded: io::Cursor<Vec<u8>>,
}

impl<R: Read> Utf16Reader<R> {
    /// Reads `input`, which starts after the byte order mark.
    pub(crate) fn new(input: R, is_big_endian: bool) -> Self {
        Self {
            input,
            is_big_endian,
            undecoded: Vec::new(),
            decoded: io::Cursor::default(),
        }
    }

    /// Decodes some more bytes; false at the end.
    fn decode_more(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 8192];
        let num_read = loop {
            match self.input.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.undecoded.extend_from_slice(&chunk[..num_read]);
        let mut units: Vec<u16> = self
            .undecoded
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&pair| match self.is_big_endian {
                true => u16::from_be_bytes(pair),
                false => u16::from_le_bytes(pair),
            })
            .collect();
        let is_at_end = num_read == 0;
        if !is_at_end
            && units
                .last()
                .is_some_and(|unit| (0xd800..0xdc00).contains(unit))
        {
            units.pop();
        }
        self.undecoded.drain(..2 * units.len());
        if is_at_end && !self.undecoded.is_empty() {
            return Err(invalid_utf16());
        }
        let text: Result<String, _> = char::decode_utf16(units).collect();
        self.decoded = io::Cursor::new(text.map_err(|_| invalid_utf16())?.into_bytes());
        Ok(!is_at_end)
    }
}

fn invalid_utf16() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the text is not valid UTF-16")
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let num_read = self.decoded.read(buffer)?;
            if num_read > 0 || buffer.is_empty() || !self.decode_more()? {
                return Ok(num_read);
            }
        }
    }
}

/// The characters of Windows-1252 from 0x80 to 0x9f; all others are those of Latin-1. Five bytes have no character; here
/// control characters stand in their places, as in the WHATWG's encoding standard
/// (<https://encoding.spec.whatwg.org>).
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The character of a byte in Windows-1252; `None` for the five bytes that have none.
pub(crate) fn windows_1252(byte: u8) -> Option<char> {
    match byte {
        0x80..0xa0 => Some(WINDOWS_1252[usize::from(byte - 0x80)]).filter(|c| !c.is_control()),
        other => Some(char::from(other)),
    }
}
