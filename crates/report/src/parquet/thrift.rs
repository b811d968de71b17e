//! Structures in Thrift's compact protocol, which Parquet uses for its metadata.
//!
//! # Source
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>

/// The types of fields.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    I32 = 5,
    I64 = 6,
    Binary = 8,
    List = 9,
    Structure = 12,
}

/// A structure that is being written, field by field in ascending order.
#[derive(Default)]
pub(super) struct Compact {
    bytes: Vec<u8>,
    last_field: u8,
}

/// Writes an integer with seven bits per byte, the lowest first. The highest bit says that more bytes follow.
pub(super) fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Maps small positive and negative numbers to small unsigned ones.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

impl Compact {
    /// The bytes of the structure.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }

    /// The header of a field, with the difference of its number from that of the last field. It is at most 15 in
    /// Parquet.
    fn field(&mut self, field: u8, kind: Kind) {
        self.bytes.push((field - self.last_field) << 4 | kind as u8);
        self.last_field = field;
    }

    fn list(&mut self, field: u8, kind: Kind, len: usize) {
        self.field(field, Kind::List);
        if len < 15 {
            self.bytes.push((len as u8) << 4 | kind as u8);
        } else {
            self.bytes.push(0xf0 | kind as u8);
            varint(&mut self.bytes, len as u64);
        }
    }

    fn write_text(&mut self, text: &str) {
        varint(&mut self.bytes, text.len() as u64);
        self.bytes.extend(text.as_bytes());
    }

    fn write_structure(&mut self, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        fill(&mut inner);
        self.bytes.append(&mut inner.finish());
    }

    /// An integer of kind `I32` or `I64`, or the number of an enumeration.
    pub(super) fn integer(&mut self, field: u8, kind: Kind, value: i64) {
        self.field(field, kind);
        varint(&mut self.bytes, zigzag(value));
    }

    /// A list of 32-bit integers.
    pub(super) fn integers(&mut self, field: u8, values: &[i64]) {
        self.list(field, Kind::I32, values.len());
        for value in values {
            varint(&mut self.bytes, zigzag(*value));
        }
    }

    /// A text.
    pub(super) fn text(&mut self, field: u8, text: &str) {
        self.field(field, Kind::Binary);
        self.write_text(text);
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, field: u8, texts: &[&str]) {
        self.list(field, Kind::Binary, texts.len());
        for text in texts {
            self.write_text(text);
        }
    }

    /// A nested structure.
    pub(super) fn structure(&mut self, field: u8, fill: impl FnOnce(&mut Self)) {
        self.field(field, Kind::Structure);
        self.write_structure(fill);
    }

    /// A list of structures; `fill` gets the index of each.
    pub(super) fn structures(&mut self, field: u8, len: usize, fill: impl Fn(usize, &mut Self)) {
        self.list(field, Kind::Structure, len);
        for i in 0..len {
            self.write_structure(|inner| fill(i, inner));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_specification_says() {
        let mut structure = Compact::default();
        structure.integer(1, Kind::I32, -1);
        structure.text(4, "ab");
        structure.integers(5, &[0, 150]);
        structure.structure(6, |inner| inner.integer(2, Kind::I64, 64));
        // zigzag(-1) = 1; zigzag(150) = 300 = 0b10_0101100, so 0xac 0x02; zigzag(64) = 128, so 0x80 0x01.
        let expected = [
            0x15, 0x01, 0x38, 0x02, b'a', b'b', 0x19, 0x25, 0x00, 0xac, 0x02, 0x1c, 0x26, 0x80,
            0x01, 0x00, 0x00,
        ];
        assert_eq!(structure.finish(), expected);
    }

    #[test]
    fn long_lists_have_a_separate_length() {
        let mut structure = Compact::default();
        structure.structures(1, 20, |_, _| {});
        assert_eq!(structure.finish()[..3], [0x19, 0xfc, 20]);
    }
}
