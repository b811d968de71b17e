//! One array of a `.npy` file.
//!
//! The format is NumPy's, versions 1 to 3: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
//! The crate `npyz` is not used: it parses the header by recursion, which a damaged file can drive into a stack
//! overflow.

use std::fmt::{Display, LowerExp};

use half::f16;

/// An array of one or two dimensions.
#[derive(Debug)]
pub(super) struct Array {
    pub(super) num_rows: usize,
    /// `None` for an array of one dimension.
    pub(super) num_columns: Option<usize>,
    kind: Kind,
    is_big_endian: bool,
    /// Whether one column stands after the other, not one row after the other.
    is_fortran_order: bool,
    /// Bytes of one element.
    size: usize,
    /// The elements, `num_rows × num_columns × size`.
    data: Vec<u8>,
}

/// The type of the elements, of which each has one or several sizes.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Boolean,
    Signed,
    Unsigned,
    Float,
    /// Bytes, filled up with zeros.
    Bytes,
    /// Unicode characters of four bytes, filled up with zeros.
    Unicode,
}

impl Array {
    /// Reads a whole `.npy` file.
    ///
    /// # Errors
    /// The defect of the file, or the type or shape that is no column of a table.
    pub(super) fn parse(mut bytes: Vec<u8>) -> Result<Self, String> {
        let header_start = match bytes.get(..8) {
            Some([0x93, b'N', b'U', b'M', b'P', b'Y', 1, _]) => 10,
            Some([0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _]) => 12,
            _ => return Err("expected NumPy's format .npy, found other bytes".to_owned()),
        };
        let header_end = bytes.get(8..header_start).map(|length| {
            let length = length.iter().rev();
            length.fold(0, |sum, &byte| (sum << 8) | usize::from(byte)) + header_start
        });
        let header = header_end.and_then(|end| bytes.get(header_start..end));
        let (Some(start), Some(header)) = (header_end, header) else {
            return Err("the file is damaged: its header is cut".to_owned());
        };
        let header = String::from_utf8_lossy(header).into_owned();
        let header = Header::parse(&header)?;
        let (kind, size, is_big_endian) = element(&header.descr)?;
        let (num_rows, num_columns) = match header.shape[..] {
            [rows] => (rows, None),
            [rows, columns] if columns > 0 => (rows, Some(columns)),
            _ => {
                return Err(format!(
                    "expected an array [rows] or [rows, columns], found the shape {:?}",
                    header.shape
                ));
            }
        };
        bytes.drain(..start);
        let expected = num_rows
            .checked_mul(num_columns.unwrap_or(1))
            .and_then(|count| count.checked_mul(size));
        if expected != Some(bytes.len()) {
            return Err(format!(
                "expected {} bytes after the header for the shape {:?}, found {}",
                expected.map_or("more than 2^64".to_owned(), |count| count.to_string()),
                header.shape,
                bytes.len()
            ));
        }
        Ok(Self {
            num_rows,
            num_columns,
            kind,
            is_big_endian,
            is_fortran_order: header.is_fortran_order,
            size,
            data: bytes,
        })
    }

    /// The text of one element; `None` if it is no Unicode text.
    pub(super) fn text(&self, row: usize, column: usize) -> Option<String> {
        let place = match self.is_fortran_order {
            true => column * self.num_rows + row,
            false => row * self.num_columns.unwrap_or(1) + column,
        };
        let bytes = &self.data[place * self.size..(place + 1) * self.size];
        let bits = |bytes: &[u8]| {
            let join = |sum: u64, &byte: &u8| (sum << 8) | u64::from(byte);
            match self.is_big_endian {
                true => bytes.iter().fold(0, join),
                false => bytes.iter().rev().fold(0, join),
            }
        };
        Some(match (self.kind, self.size) {
            (Kind::Boolean, _) => (bits(bytes) != 0).to_string(),
            (Kind::Unsigned, _) => bits(bytes).to_string(),
            (Kind::Signed, size) => {
                // The sign is the highest of the `size` bytes: it moves to the top of 64 bits and back.
                let unused = 64 - 8 * size;
                (((bits(bytes) << unused) as i64) >> unused).to_string()
            }
            (Kind::Float, 2) => {
                let value = f16::from_bits(bits(bytes) as u16).to_f32();
                shortest(value, value.into())
            }
            (Kind::Float, 4) => {
                let value = f32::from_bits(bits(bytes) as u32);
                shortest(value, value.into())
            }
            (Kind::Float, _) => {
                let value = f64::from_bits(bits(bytes));
                shortest(value, value)
            }
            (Kind::Bytes, _) => {
                let text = str::from_utf8(bytes).ok()?;
                text.trim_end_matches('\0').to_owned()
            }
            (Kind::Unicode, _) => {
                let characters = bytes.chunks(4).map(|c| char::from_u32(bits(c) as u32));
                let text: String = characters.collect::<Option<_>>()?;
                text.trim_end_matches('\0').to_owned()
            }
        })
    }
}

/// The shortest text that reads back as the same number, with an exponent if the number is very large or very small.
fn shortest(number: impl Display + LowerExp, value: f64) -> String {
    match value.abs() {
        magnitude if magnitude.is_infinite() || magnitude.is_nan() => number.to_string(),
        0.0 | 1e-5..1e16 => number.to_string(),
        _ => format!("{number:e}"),
    }
}

/// The type of the elements that NumPy writes as `descr`: its kind, the bytes of one element, and whether the first
/// byte is the highest.
fn element(descr: &str) -> Result<(Kind, usize, bool), String> {
    let (is_big_endian, name) = match descr.strip_prefix('>') {
        Some(name) => (true, name),
        None => (false, descr.trim_start_matches(['<', '|', '='])),
    };
    let size = name.get(1..).and_then(|size| size.parse().ok());
    let (kind, size) = match (name.chars().next(), size) {
        (Some('b'), Some(1)) => (Kind::Boolean, 1),
        (Some('i'), Some(size @ (1 | 2 | 4 | 8))) => (Kind::Signed, size),
        (Some('u'), Some(size @ (1 | 2 | 4 | 8))) => (Kind::Unsigned, size),
        (Some('f'), Some(size @ (2 | 4 | 8))) => (Kind::Float, size),
        (Some('S'), Some(size @ 1..=0xffff)) => (Kind::Bytes, size),
        (Some('U'), Some(length @ 1..=0xffff)) => (Kind::Unicode, 4 * length),
        _ => return Err(not_a_column(&format!("NumPy's type {descr:?}"))),
    };
    Ok((kind, size, is_big_endian))
}

/// The header of a file: a dictionary in Python's notation.
#[derive(Debug)]
struct Header {
    descr: String,
    is_fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Result<Self, String> {
        // A list of the fields of a structure; NumPy writes the keys in this order.
        if text.starts_with("{'descr': [") {
            return Err(not_a_column("a structure of fields"));
        }
        Self::of(Rest(text)).ok_or_else(|| {
            let start: String = text.chars().take(100).collect();
            format!("the file is damaged: its header reads {start:?}")
        })
    }

    fn of(mut rest: Rest) -> Option<Self> {
        let (mut descr, mut is_fortran_order, mut shape) = (None, None, None);
        rest.take("{")?;
        while rest.take("}").is_none() {
            let key = rest.quoted()?;
            rest.take(":")?;
            match key {
                "descr" => descr = Some(rest.quoted()?.to_owned()),
                "fortran_order" => is_fortran_order = Some(rest.boolean()?),
                "shape" => shape = Some(rest.tuple()?),
                _ => return None,
            }
            let _ = rest.take(",");
        }
        Some(Self {
            descr: descr?,
            is_fortran_order: is_fortran_order?,
            shape: shape?,
        })
    }
}

fn not_a_column(found: &str) -> String {
    format!("expected numbers of at most 64 bits, booleans or texts, found {found}")
}

/// The part of a header that is not read yet. Spaces between its parts have no meaning.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn advance(&mut self, num_bytes: usize) -> &'a str {
        let (taken, rest) = self.0.split_at(num_bytes);
        self.0 = rest.trim_start();
        taken
    }

    fn take(&mut self, word: &str) -> Option<()> {
        self.0.starts_with(word).then(|| {
            self.advance(word.len());
        })
    }

    fn quoted(&mut self) -> Option<&'a str> {
        self.take("'")?;
        let text = self.advance(self.0.find('\'')?);
        self.take("'")?;
        Some(text)
    }

    fn boolean(&mut self) -> Option<bool> {
        match self.take("True") {
            Some(()) => Some(true),
            None => self.take("False").map(|()| false),
        }
    }

    /// Whole numbers in brackets; Python 2 wrote an `L` behind them.
    fn tuple(&mut self) -> Option<Vec<usize>> {
        self.take("(")?;
        let mut numbers = Vec::new();
        while self.take(")").is_none() {
            let digits = self.0.find(|c: char| !c.is_ascii_digit())?;
            numbers.push(self.advance(digits).parse().ok()?);
            let _ = self.take("L");
            let _ = self.take(",");
        }
        Some(numbers)
    }
}
