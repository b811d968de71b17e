//! Options that say how the file of a table is read, for files whose format is detected wrongly.

use emberlab_tables::{Delimiter, FormatConfig};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as ValueError;

/// How the file of a table is read.
#[derive(Debug, clap::Args)]
pub struct TableFormat {
    /// Character between the columns, `tab`, or `whitespace` for any number of blanks; detected by default.
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<Delimiter>,
    /// Whether the first line holds the names of the columns; detected by default.
    #[arg(long, value_enum, value_name = "WHETHER")]
    header: Option<Header>,
    /// Decimal mark of numbers, `.` or `,`; detected by default.
    #[arg(long, value_name = "MARK", value_parser = decimal)]
    decimal: Option<char>,
    /// Cells that read as missing, with commas between them: `--missing=,NA` for empty cells and `NA`, `--missing=` for
    /// empty cells alone. By default also words such as `NA`, `None` and `null`.
    #[arg(
        long,
        value_name = "CELLS",
        require_equals = true,
        value_delimiter = ','
    )]
    missing: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Header {
    /// It holds the names.
    Yes,
    /// It is a row.
    No,
}

impl TableFormat {
    /// The option in the form that the reader of tables takes.
    pub fn config(&self) -> FormatConfig {
        FormatConfig {
            delimiter: self.delimiter,
            decimal: self.decimal,
            header: self.header.map(|header| header == Header::Yes),
            missing: (self.missing.clone()).unwrap_or_else(|| FormatConfig::default().missing),
            ..FormatConfig::default()
        }
    }
}

fn delimiter(text: &str) -> Result<Delimiter, String> {
    let read = Delimiter::deserialize(text.into_deserializer());
    let delimiter = read.map_err(|error: ValueError| error.to_string())?;
    match delimiter {
        Delimiter::Char(c) if c.is_ascii_alphanumeric() || "\"\r\n\0".contains(c) => {
            Err("a letter, a digit, a quote or a line end cannot stand between columns".to_owned())
        }
        delimiter => Ok(delimiter),
    }
}

fn decimal(text: &str) -> Result<char, String> {
    match text {
        "." => Ok('.'),
        "," => Ok(','),
        _ => Err("expected `.` or `,`".to_owned()),
    }
}
