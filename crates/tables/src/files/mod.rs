//! The files of tables, row by row.

mod encoding;
mod numpy;
mod source;
mod splitter;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use emberlab_menu::Problem;

pub(crate) use self::splitter::{Cells, SplitError, Splitter};

use self::encoding::windows_1252;
use self::numpy::NumpyText;
use self::source::Source;
use crate::columns::cell_format::shortened;
use crate::error::TableError;
use crate::format::{Delimiter, Detected, Format, FormatConfig, detect};

/// The largest number of columns. With more, the delimiter is wrong or the file is not text.
const MAX_COLUMNS: usize = 100_000;

/// Whether the first line of a file holds the names of the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HeaderLine {
    /// It is detected.
    #[default]
    Auto,
    /// It holds them.
    Yes,
    /// It is a row of values.
    No,
}

/// One row of cells. Blanks around unquoted cells are cut off.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The line on which the row starts, as an editor counts it, from 1; for files without lines the row, from 1.
    pub line: u64,
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Row<'a> {
    /// The row that starts on `line`, whose cells stand one after the other in `text`, each up to its end.
    pub(crate) fn new(line: u64, text: &'a str, ends: &'a [usize]) -> Self {
        Self { line, text, ends }
    }

    /// The text of a cell; empty if there is no such cell.
    pub fn cell(&self, column: usize) -> &'a str {
        let start = match column {
            0 => Some(&0),
            _ => self.ends.get(column - 1),
        };
        match (start, self.ends.get(column)) {
            (Some(&start), Some(&end)) => &self.text[start..end],
            _ => "",
        }
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Reads a file row by row. Every row has as many cells as there are columns.
pub struct RowReader {
    path: PathBuf,
    splitter: Splitter<BufReader<Box<dyn Read>>>,
    format: Format,
    columns: Vec<String>,
    /// Number of cells of each row in the file: one more than columns if a delimiter ends each row.
    row_length: usize,
    cells: Cells,
    /// The text of `cells`.
    text: String,
    /// Whether `text` holds the first row, which has not been handed out yet.
    is_first_row_read: bool,
    has_seen_utf8: bool,
    /// Whether the first line could be a row of values.
    could_be_row: bool,
    /// Whether each row below the first ends with a delimiter.
    ends_with_delimiter: bool,
    /// The keys that fit the file better than those given; empty if there are none.
    advice: String,
}

impl RowReader {
    /// Opens a file: text by its content, gzip by its first bytes, and NumPy's `.npy` and `.npz` by its name.
    ///
    /// # Errors
    /// [`TableError`] if the file cannot be read, is empty, or its header has two columns of one name.
    pub fn open(path: &Path, format: &FormatConfig) -> Result<Self, TableError> {
        if is_array(path) {
            return Self::of_arrays(path, format);
        }
        let file = File::open(path).map_err(TableError::io(path))?;
        Self::from_stream(path, Box::new(file), format)
    }

    /// Opens a file. Where `format` leaves it open whether there is a header, the columns that are `named` decide, unless
    /// that would make a header a row.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn open_named(
        path: &Path,
        format: &FormatConfig,
        named: &[String],
    ) -> Result<(Self, FormatConfig), TableError> {
        let rows = Self::open(path, format)?;
        let has_named = |rows: &Self| named.iter().all(|name| rows.columns.contains(name));
        let has_header = rows.format.header;
        if is_array(path) {
            let header = Some(has_header);
            return Ok((
                rows,
                FormatConfig {
                    header,
                    ..format.clone()
                },
            ));
        }
        let is_open = format.header.is_none() && can_be_read_again(path);
        if is_open && !has_named(&rows) && (!has_header || rows.could_be_row) {
            let other_format = FormatConfig {
                header: Some(!has_header),
                ..format.clone()
            };
            let other = Self::open(path, &other_format);
            if let Some(other) = other.ok().filter(has_named) {
                return Ok((other, other_format));
            }
        }
        Ok((rows, format.clone()))
    }

    /// Reads arrays as the text of a table. Rows are counted from 1, without the header.
    fn of_arrays(path: &Path, format: &FormatConfig) -> Result<Self, TableError> {
        let text = NumpyText::open(path)?;
        let format = FormatConfig {
            delimiter: Some(Delimiter::Char(',')),
            quote: Some('"'),
            decimal: Some('.'),
            header: Some(text.has_names()),
            ..format.clone()
        };
        let mut reader = Self::from_stream(path, Box::new(text), &format)?;
        if format.header == Some(true) {
            reader.splitter.count_header_out();
        }
        Ok(reader)
    }

    /// Reads text from a stream; `name` stands for the path in errors.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_stream(
        name: &Path,
        stream: Box<dyn Read>,
        format: &FormatConfig,
    ) -> Result<Self, TableError> {
        check(format)?;
        let source = Source::open(name, stream)?;
        let Detected {
            mut format,
            advice,
            first_line,
            could_be_row,
            ends_with_delimiter,
        } = detect(name, &source.sample, source.is_complete, format)?;
        if source.encoding != "UTF-8" {
            format.encoding = source.encoding;
        }
        let sample = source.sample[first_line.start..].to_vec();
        let text: Box<dyn Read> = Box::new(Cursor::new(sample).chain(source.rest));
        let text = BufReader::with_capacity(1 << 18, text);
        let mut reader = Self {
            path: name.to_owned(),
            splitter: Splitter::new(
                text,
                format.delimiter,
                format.quote as u8,
                first_line.number,
            ),
            format,
            columns: Vec::new(),
            row_length: 0,
            cells: Cells::default(),
            text: String::new(),
            is_first_row_read: false,
            has_seen_utf8: false,
            could_be_row,
            ends_with_delimiter,
            advice,
        };
        if !reader.read_cells()? {
            return Err(TableError::Unusable {
                path: reader.path,
                message: "the file has no rows".to_owned(),
            });
        }
        reader.name_columns()?;
        Ok(reader)
    }

    /// Takes the first line for the header, although the format says otherwise, if it has one cell less than each row.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn accept_header_without_first_name(&mut self) -> Result<(), TableError> {
        if self.format.has_row_names && !self.format.header {
            self.format.header = true;
            self.name_columns()?;
        }
        Ok(())
    }

    /// The keys that fit the file better than those given, as the end of a message; empty if there are none.
    pub(crate) fn advice(&self) -> &str {
        &self.advice
    }

    /// Leaves out of errors the keys that would fit the file better, for those who cannot set them.
    pub(crate) fn forget_advice(&mut self) {
        self.advice.clear();
    }

    /// Names the columns by the first row, which has been read, or counts them.
    fn name_columns(&mut self) -> Result<(), TableError> {
        if self.format.has_row_names && self.format.header {
            self.cells.ends.insert(0, 0);
        }
        let num_columns = self.cells.ends.len();
        if num_columns > MAX_COLUMNS {
            let expected = format!("at most {MAX_COLUMNS} columns");
            return Err(self.shape(self.cells.line, &expected, &count_cells(num_columns)));
        }
        let first = self.row(num_columns);
        let line = first.line;
        let mut names: Vec<String> = (0..first.len())
            .map(|column| first.cell(column).to_owned())
            .collect();
        let ends_with_name = names.last().is_some_and(|name| !name.is_empty());
        self.row_length = names.len();
        if self.ends_with_delimiter && ends_with_name {
            self.row_length += 1;
        } else if self.ends_with_delimiter {
            names.pop();
        }
        if !self.format.header {
            names.iter_mut().for_each(String::clear);
        }
        name_nameless(&mut names);
        self.is_first_row_read = !self.format.header;
        self.columns = names;
        let mut places: Vec<usize> = (0..self.columns.len()).collect();
        places.sort_by_key(|&place| &self.columns[place]);
        let twice = places
            .windows(2)
            .find(|pair| self.columns[pair[0]] == self.columns[pair[1]]);
        match twice {
            Some(pair) => Err(self.shape(
                line,
                match self.could_be_row {
                    true => {
                        "a name of its own for each column (set `header = false` if this is a row)"
                    }
                    false => "one line with a name of its own for each column",
                },
                &format!(
                    "{:?} as the name of columns {} and {}",
                    self.columns[pair[0]],
                    pair[0] + 1,
                    pair[1] + 1
                ),
            )),
            None => Ok(()),
        }
    }

    /// The names of the columns: those of the header, or `column_1`, `column_2`, …
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The format that was detected. The encoding may change from UTF-8 to Windows-1252 while rows are read.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// [`TableError`] if the row has another number of cells than the others, or is not text.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, TableError> {
        let is_first = std::mem::take(&mut self.is_first_row_read);
        if !is_first && !self.read_cells()? {
            return Ok(None);
        }
        // The sign that ends texts of DOS.
        if self.text == "\u{1a}" {
            let line = self.cells.line;
            return match self.read_cells()? {
                true => Err(self.shape(line, "the end of the file behind Ctrl-Z", "more rows")),
                false => Ok(None),
            };
        }
        let length = self.cells.ends.len();
        let is_first_of_all = is_first && length == self.columns.len();
        if length != self.row_length && !is_first_of_all {
            let rows = if self.format.header {
                "header"
            } else {
                "first row"
            };
            let expected = format!("{} as in the {rows}", count_cells(self.row_length));
            let found = match length {
                1 => format!(
                    "1 cell, {:?}; delete the line if it is no row",
                    shortened(&self.text)
                ),
                _ => count_cells(length),
            };
            return Err(self.shape(self.cells.line, &expected, &found));
        }
        if let Some(found) = self.no_row(length) {
            let expected = "a row of values; delete the line";
            return Err(self.shape(self.cells.line, expected, found));
        }
        if length > self.columns.len() {
            let last = self.row(length).cell(length - 1);
            if !last.is_empty() {
                let found = format!("{last:?}");
                return Err(self.shape(
                    self.cells.line,
                    "nothing after the last delimiter, as in the other rows",
                    &found,
                ));
            }
        }
        Ok(Some(self.row(self.columns.len())))
    }

    /// What the line that was read last is, if it is no row of values: the header again, or the dashes below a header.
    fn no_row(&self, length: usize) -> Option<&'static str> {
        if !self.format.header || self.columns.len() < 2 {
            return None;
        }
        let row = self.row(length);
        let is_name = |(name, place): (&String, usize)| row.cell(place) == name;
        if self.columns.iter().zip(0..).all(is_name) {
            return Some("the names of the columns again");
        }
        let is_rule = |cell: &str| {
            cell.trim_matches(':').len() > 2 && cell.bytes().all(|byte| b"-=:".contains(&byte))
        };
        let mut cells = (0..length)
            .map(|place| row.cell(place))
            .filter(|cell| !cell.is_empty());
        let has_cells = cells.clone().nth(1).is_some();
        (has_cells && cells.all(is_rule)).then_some("a line of dashes")
    }

    /// The first `length` cells of the row that was read last.
    fn row(&self, length: usize) -> Row<'_> {
        Row::new(self.cells.line, &self.text, &self.cells.ends[..length])
    }

    /// Reads the next row into `cells` and `text`; false at the end.
    fn read_cells(&mut self) -> Result<bool, TableError> {
        self.cells.text = std::mem::take(&mut self.text).into_bytes();
        let is_row = self
            .splitter
            .read(&mut self.cells)
            .map_err(|error| self.split_error(error))?;
        let bytes = std::mem::take(&mut self.cells.text);
        self.text = match self.format.encoding {
            "Windows-1252" => self.decode_windows_1252(&bytes)?,
            _ => match String::from_utf8(bytes) {
                Ok(text) => {
                    self.has_seen_utf8 |= !text.is_ascii();
                    text
                }
                Err(_) if self.has_seen_utf8 || self.format.encoding != "UTF-8" => {
                    return Err(self.shape(
                        self.cells.line,
                        "UTF-8 as in the lines before",
                        "other bytes",
                    ));
                }
                Err(error) => {
                    self.format.encoding = "Windows-1252";
                    self.decode_windows_1252(error.as_bytes())?
                }
            },
        };
        Ok(is_row)
    }

    /// The characters of `bytes`; moves the ends of the cells accordingly.
    ///
    /// # Errors
    /// [`TableError::Shape`] for a byte without a character, which texts in other encodings have.
    fn decode_windows_1252(&mut self, bytes: &[u8]) -> Result<String, TableError> {
        if let Some(byte) = bytes.iter().find(|&&byte| windows_1252(byte).is_none()) {
            let expected = "text in UTF-8, or in Windows-1252; save the file as UTF-8";
            let found = format!("the byte 0x{byte:02x} of another encoding");
            return Err(self.shape(self.cells.line, expected, &found));
        }
        let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
        let mut start = 0;
        for end in &mut self.cells.ends {
            text.extend(
                bytes[start..*end]
                    .iter()
                    .filter_map(|&byte| windows_1252(byte)),
            );
            start = std::mem::replace(end, text.len());
        }
        Ok(text)
    }

    fn split_error(&self, error: SplitError) -> TableError {
        let quote = self.format.quote;
        match error {
            SplitError::Io(source) => TableError::io(&self.path)(source),
            SplitError::AfterQuote { line } => self.shape(
                line,
                &format!("a delimiter after the closing quote {quote} (a quote inside quotes is written twice)"),
                "more text",
            ),
            SplitError::OpenQuote { line } => {
                self.shape(line, &format!("a closing quote {quote}"), "the end of the file")
            }
            SplitError::LongRow { line } => self.shape(
                line,
                &format!("the end of the row (is a quote {quote} not closed?)"),
                "more than 16 MiB",
            ),
            SplitError::Nul { line } => self.shape(line, "text", "a NUL byte, which no text file has; save the file as UTF-8 if it is in UTF-16 or UTF-32"),
        }
    }

    fn shape(&self, line: u64, expected: &str, found: &str) -> TableError {
        TableError::Shape {
            path: self.path.clone(),
            line,
            expected: expected.to_owned(),
            found: format!("{found}{}", self.advice),
        }
    }
}

/// Gives each column without a name that of its place: `column_1`, `column_2`, … If another column has that name, a
/// number follows, as in `column_2_2`.
pub(crate) fn name_nameless(names: &mut [String]) {
    let taken: HashSet<String> = names.iter().cloned().collect();
    for (place, name) in names.iter_mut().enumerate() {
        if name.is_empty() {
            *name = generated_name(place);
            let mut number = 1;
            while taken.contains(name) {
                number += 1;
                *name = format!("{}_{number}", generated_name(place));
            }
        }
    }
}

/// The name of a column that has none in the file, from its place.
pub(crate) fn generated_name(place: usize) -> String {
    format!("column_{}", place + 1)
}

/// Whether a file holds arrays of NumPy, by its name.
fn is_array(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("npy" | "npz"))
}

/// Whether a file has the same content when it is read again, unlike a pipe.
pub(crate) fn can_be_read_again(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}

fn count_cells(count: usize) -> String {
    match count {
        1 => "1 cell".to_owned(),
        _ => format!("{count} cells"),
    }
}

/// Checks the keys that were given.
fn check(format: &FormatConfig) -> Result<(), Problem> {
    let is_mark = |c: char| c.is_ascii() && !matches!(c, '\0' | '\r' | '\n');
    if let Some(Delimiter::Char(delimiter)) = format.delimiter {
        let expected = "one ASCII character, \"tab\" or \"whitespace\"";
        Problem::unless(is_mark(delimiter), "delimiter", delimiter, expected)?;
        if format.quote == Some(delimiter) {
            return Err(Problem::new(
                "quote",
                delimiter,
                "another character than the delimiter",
            ));
        }
    }
    if let Some(quote) = format.quote {
        let is_quote = is_mark(quote) && quote != ' ' && quote != '\t';
        Problem::unless(
            is_quote,
            "quote",
            quote,
            "one ASCII character that is not a blank",
        )?;
    }
    match format.decimal {
        Some(decimal) => Problem::unless(
            matches!(decimal, '.' | ','),
            "decimal",
            decimal,
            "\".\" or \",\"",
        ),
        None => Ok(()),
    }
}
