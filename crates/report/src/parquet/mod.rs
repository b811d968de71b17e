//! A writer of Parquet files: flat, uncompressed, with one row group and one page per column.
//!
//! The crate `parquet` is not used, because it turns on features of crates that Burn shares with it. Burn's hash maps
//! would then use another key in each process, and the same seed might no longer give the same bits.
//!
//! # Source
//! <https://github.com/apache/parquet-format>: `README.md` and `src/main/thrift/parquet.thrift`; the encodings
//! are PLAIN and, for which values are there, RLE.

mod thrift;

use thrift::{Compact, Kind};

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) values: Values,
}

/// The values of a column, one per row; `None` where a value is missing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    /// BYTE_ARRAY with the logical type STRING.
    Texts(Vec<Option<String>>),
    /// INT64.
    Integers(Vec<Option<i64>>),
    /// DOUBLE; NaN is a value.
    Reals(Vec<Option<f64>>),
}

const MAGIC: &[u8; 4] = b"PAR1";

// Constants of parquet.thrift.
const OPTIONAL: i64 = 1;
const DATA_PAGE: i64 = 0;
const PLAIN: i64 = 0;
const RLE: i64 = 3;
const UNCOMPRESSED: i64 = 0;
const UTF8: i64 = 0;

impl Values {
    /// The number of the physical type.
    fn physical_type(&self) -> i64 {
        match self {
            Self::Integers(_) => 2,
            Self::Reals(_) => 5,
            Self::Texts(_) => 6,
        }
    }

    fn is_present(&self) -> Vec<bool> {
        match self {
            Self::Texts(values) => values.iter().map(Option::is_some).collect(),
            Self::Integers(values) => values.iter().map(Option::is_some).collect(),
            Self::Reals(values) => values.iter().map(Option::is_some).collect(),
        }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Texts(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Reals(values) => values.len(),
        }
    }

    /// The value of a row as text; empty if the value is missing.
    pub(crate) fn text(&self, row: usize) -> String {
        let text = match self {
            Self::Texts(values) => values[row].clone(),
            Self::Integers(values) => values[row].map(|value| value.to_string()),
            Self::Reals(values) => values[row].map(|value| value.to_string()),
        };
        text.unwrap_or_default()
    }

    /// The values in the encoding PLAIN, without the missing ones.
    fn plain(&self) -> Vec<u8> {
        match self {
            Self::Integers(values) => values
                .iter()
                .flatten()
                .flat_map(|v| v.to_le_bytes())
                .collect(),
            Self::Reals(values) => values
                .iter()
                .flatten()
                .flat_map(|v| v.to_le_bytes())
                .collect(),
            Self::Texts(values) => {
                let mut bytes = Vec::new();
                for text in values.iter().flatten() {
                    bytes.extend((text.len() as u32).to_le_bytes());
                    bytes.extend(text.as_bytes());
                }
                bytes
            }
        }
    }
}

/// The definition levels: 1 for each value and 0 for each missing one, encoded as runs after their length in bytes.
fn definition_levels(is_present: &[bool]) -> Vec<u8> {
    let mut runs = Vec::new();
    for run in is_present.chunk_by(|a, b| a == b) {
        thrift::varint(&mut runs, (run.len() as u64) << 1);
        runs.push(u8::from(run[0]));
    }
    let mut levels = (runs.len() as u32).to_le_bytes().to_vec();
    levels.append(&mut runs);
    levels
}

/// The only page of a column, with its header.
fn page(column: &Column) -> Vec<u8> {
    let is_present = column.values.is_present();
    let mut body = definition_levels(&is_present);
    body.extend(column.values.plain());
    let size = body.len() as i64;
    let mut header = Compact::default();
    header.integer(1, Kind::I32, DATA_PAGE);
    header.integer(2, Kind::I32, size);
    header.integer(3, Kind::I32, size);
    header.structure(5, |data| {
        data.integer(1, Kind::I32, is_present.len() as i64);
        data.integer(2, Kind::I32, PLAIN);
        data.integer(3, Kind::I32, RLE);
        data.integer(4, Kind::I32, RLE);
    });
    let mut page = header.finish();
    page.append(&mut body);
    page
}

/// The table as the bytes of a file. All columns have as many rows as the first.
pub(crate) fn to_bytes(columns: &[Column]) -> Vec<u8> {
    let num_rows = columns.first().map_or(0, |column| column.values.len()) as i64;
    let mut file = MAGIC.to_vec();
    let mut places = Vec::new();
    for column in columns {
        let mut page = page(column);
        places.push((file.len() as i64, page.len() as i64));
        file.append(&mut page);
    }
    let mut footer = Compact::default();
    footer.integer(1, Kind::I32, 1);
    footer.structures(2, columns.len() + 1, |i, element| match i.checked_sub(1) {
        None => {
            element.text(4, "trials");
            element.integer(5, Kind::I32, columns.len() as i64);
        }
        Some(i) => write_schema(element, &columns[i]),
    });
    footer.integer(3, Kind::I64, num_rows);
    footer.structures(4, 1, |_, group| {
        group.structures(1, columns.len(), |i, chunk| {
            let (offset, size) = places[i];
            chunk.integer(2, Kind::I64, offset);
            chunk.structure(3, |data| {
                data.integer(1, Kind::I32, columns[i].values.physical_type());
                data.integers(2, &[PLAIN, RLE]);
                data.texts(3, &[&columns[i].name]);
                data.integer(4, Kind::I32, UNCOMPRESSED);
                data.integer(5, Kind::I64, num_rows);
                data.integer(6, Kind::I64, size);
                data.integer(7, Kind::I64, size);
                data.integer(9, Kind::I64, offset);
            });
        });
        group.integer(2, Kind::I64, places.iter().map(|(_, size)| size).sum());
        group.integer(3, Kind::I64, num_rows);
    });
    footer.text(6, "emberlab");
    let footer = footer.finish();
    file.extend(&footer);
    file.extend((footer.len() as u32).to_le_bytes());
    file.extend(MAGIC);
    file
}

fn write_schema(element: &mut Compact, column: &Column) {
    element.integer(1, Kind::I32, column.values.physical_type());
    element.integer(3, Kind::I32, OPTIONAL);
    element.text(4, &column.name);
    if let Values::Texts(_) = column.values {
        element.integer(6, Kind::I32, UTF8);
        // Member 1 of the union LogicalType is STRING, a structure without fields.
        element.structure(10, |logical| logical.structure(1, |_| {}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_levels_are_runs() {
        assert_eq!(definition_levels(&[true; 3]), [2, 0, 0, 0, 6, 1]);
        assert_eq!(
            definition_levels(&[false, true, true]),
            [4, 0, 0, 0, 2, 0, 4, 1]
        );
        // 100 << 1 needs two bytes as a varint.
        assert_eq!(definition_levels(&[true; 100]), [3, 0, 0, 0, 0xc8, 1, 1]);
    }
}
