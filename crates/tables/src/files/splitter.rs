//! Splits text into rows of cells, and counts lines as an editor does.

use std::io::{self, BufRead};

use crate::format::Delimiter;

/// The largest size of one row in bytes. A quote that is never closed would otherwise take the rest of the file.
const LONGEST_ROW: usize = 16 << 20;

/// The cells of one row as bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cells {
    /// The cells without what separates them.
    pub(crate) text: Vec<u8>,
    /// The end of each cell in `text`.
    pub(crate) ends: Vec<usize>,
    /// Whether each cell was in quotes.
    pub(crate) quoted: Vec<bool>,
    /// The line on which the row starts, from 1.
    pub(crate) line: u64,
}

impl Cells {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.quoted.clear();
    }

    fn push(&mut self, is_quoted: bool) {
        self.ends.push(self.text.len());
        self.quoted.push(is_quoted);
    }

    /// Ends an unquoted cell, without the blanks at its end.
    fn push_trimmed(&mut self, is_blank: impl Fn(u8) -> bool) {
        let start = self.ends.last().copied().unwrap_or(0);
        while self.text.len() > start && self.text.last().is_some_and(|&byte| is_blank(byte)) {
            self.text.pop();
        }
        self.push(false);
    }
}

/// The reason why text cannot be split into rows.
#[derive(Debug)]
pub(crate) enum SplitError {
    /// The text could not be read.
    Io(io::Error),
    /// A quoted cell goes on after its closing quote.
    AfterQuote { line: u64 },
    /// A quote is not closed.
    OpenQuote { line: u64 },
    /// A row is longer than [`LONGEST_ROW`].
    LongRow { line: u64 },
    /// There is a NUL byte, which no text has.
    Nul { line: u64 },
}

/// The place in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first character of a cell.
    Start,
    /// In a cell without quotes.
    Unquoted,
    /// In quotes, which opened on this line.
    Quoted(u64),
    /// After a quote in a quoted cell: the closing one, or the first of two that stand for one.
    Quote(u64),
    /// After a closing quote and a blank.
    Closed,
}

/// Splits text into rows of cells.
pub(crate) struct Splitter<R> {
    input: R,
    machine: Machine,
}

impl<R: BufRead> Splitter<R> {
    /// Splits `input`, whose first line has the number `line`.
    pub(crate) fn new(input: R, delimiter: Delimiter, quote: u8, line: u64) -> Self {
        Self {
            input,
            machine: Machine::new(delimiter, quote, line),
        }
    }

    /// Counts the lines from now on as if the header that was read were not among them.
    pub(crate) fn count_header_out(&mut self) {
        self.machine.line -= 1;
    }

    /// Reads the next row that is not blank; false at the end.
    ///
    /// # Errors
    /// [`SplitError`] with the line.
    pub(crate) fn read(&mut self, row: &mut Cells) -> Result<bool, SplitError> {
        row.clear();
        row.line = self.machine.line;
        loop {
            let buffer = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other.map_err(SplitError::Io)?,
            };
            if buffer.is_empty() {
                return self.machine.end(row);
            }
            let (num_used, is_row) = self.machine.feed(buffer, row)?;
            self.input.consume(num_used);
            if is_row {
                return Ok(true);
            }
            if row.text.len() > LONGEST_ROW {
                return Err(SplitError::LongRow { line: row.line });
            }
        }
    }
}

/// Splits bytes that come in pieces.
struct Machine {
    /// The byte between cells; `None` for any number of blanks and tabs.
    delimiter: Option<u8>,
    quote: u8,
    /// For each byte whether it can end a cell without quotes.
    ends_unquoted: [bool; 256],
    /// For each byte whether a quoted cell must be looked at there.
    ends_quoted: [bool; 256],
    state: State,
    line: u64,
    /// Whether the last byte was a carriage return, so that a line feed belongs to it.
    after_carriage_return: bool,
}

impl Machine {
    fn new(delimiter: Delimiter, quote: u8, line: u64) -> Self {
        let (delimiter, delimiters) = match delimiter {
            Delimiter::Char(c) => (Some(c as u8), [c as u8; 2]),
            Delimiter::Whitespace => (None, [b' ', b'\t']),
        };
        let among = |bytes: &[u8]| std::array::from_fn(|byte| bytes.contains(&(byte as u8)));
        Self {
            delimiter,
            quote,
            ends_unquoted: among(&[b'\r', b'\n', 0, delimiters[0], delimiters[1]]),
            ends_quoted: among(&[b'\r', b'\n', 0, quote]),
            state: State::Start,
            line,
            after_carriage_return: false,
        }
    }

    /// Takes bytes until the end of a row or of `bytes`: how many were taken, and whether the row is complete.
    fn feed(&mut self, bytes: &[u8], row: &mut Cells) -> Result<(usize, bool), SplitError> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if std::mem::take(&mut self.after_carriage_return) && byte == b'\n' {
                if matches!(self.state, State::Quoted(_)) {
                    row.text.push(byte);
                }
                at += 1;
                continue;
            }
            match self.state {
                State::Unquoted => {
                    let rest = &bytes[at..];
                    let is_end = |&byte: &u8| self.ends_unquoted[usize::from(byte)];
                    let length = rest.iter().position(is_end).unwrap_or(rest.len());
                    row.text.extend_from_slice(&rest[..length]);
                    at += length;
                    let Some(&end) = rest.get(length) else { break };
                    if end == 0 {
                        return Err(SplitError::Nul { line: self.line });
                    }
                    row.push_trimmed(|byte| self.is_blank(byte));
                    self.state = State::Start;
                    at += 1;
                    if self.ends_line(end) {
                        return Ok((at, true));
                    }
                }
                State::Quoted(opened) => {
                    let rest = &bytes[at..];
                    let is_end = |&byte: &u8| self.ends_quoted[usize::from(byte)];
                    let length = rest.iter().position(is_end).unwrap_or(rest.len());
                    row.text.extend_from_slice(&rest[..length]);
                    at += length;
                    let Some(&end) = rest.get(length) else { break };
                    at += 1;
                    if end == self.quote {
                        self.state = State::Quote(opened);
                    } else if end == 0 {
                        return Err(SplitError::Nul { line: self.line });
                    } else {
                        row.text.push(end);
                        self.ends_line(end);
                    }
                }
                State::Quote(opened) if byte == self.quote => {
                    row.text.push(byte);
                    self.state = State::Quoted(opened);
                    at += 1;
                }
                State::Quote(_) | State::Closed => {
                    at += 1;
                    if self.ends_line(byte) {
                        row.push(true);
                        self.state = State::Start;
                        return Ok((at, true));
                    } else if self.is_delimiter(byte) {
                        row.push(true);
                        self.state = State::Start;
                    } else if self.is_blank(byte) {
                        self.state = State::Closed;
                    } else {
                        return Err(SplitError::AfterQuote { line: self.line });
                    }
                }
                State::Start if self.delimiter == Some(byte) => {
                    row.push(false);
                    at += 1;
                }
                State::Start if self.is_blank(byte) => at += 1,
                State::Start if byte == self.quote => {
                    self.state = State::Quoted(self.line);
                    at += 1;
                }
                State::Start => {
                    if !self.ends_line(byte) {
                        self.state = State::Unquoted;
                        continue;
                    }
                    at += 1;
                    if !row.ends.is_empty() {
                        self.push_after_delimiter(row);
                        return Ok((at, true));
                    }
                    row.line = self.line;
                }
            }
        }
        Ok((at, false))
    }

    /// Ends the input: whether there is a last row without a line end.
    fn end(&mut self, row: &mut Cells) -> Result<bool, SplitError> {
        match std::mem::replace(&mut self.state, State::Start) {
            State::Start if row.ends.is_empty() => return Ok(false),
            State::Start => self.push_after_delimiter(row),
            State::Unquoted => row.push_trimmed(|byte| self.is_blank(byte)),
            State::Quoted(line) => return Err(SplitError::OpenQuote { line }),
            State::Quote(_) | State::Closed => row.push(true),
        }
        Ok(true)
    }

    /// Adds the empty cell after the last delimiter of a line; blanks at the end of a line do not delimit.
    fn push_after_delimiter(&self, row: &mut Cells) {
        if self.delimiter.is_some() {
            row.push(false);
        }
    }

    fn is_delimiter(&self, byte: u8) -> bool {
        self.delimiter
            .map_or(byte == b' ' || byte == b'\t', |delimiter| byte == delimiter)
    }

    /// Whether a byte is a blank around a cell.
    fn is_blank(&self, byte: u8) -> bool {
        (byte == b' ' || byte == b'\t') && self.delimiter != Some(byte)
    }

    /// Whether a byte ends a line, which is counted.
    fn ends_line(&mut self, byte: u8) -> bool {
        let is_end = byte == b'\n' || byte == b'\r';
        if is_end {
            self.line += 1;
            self.after_carriage_return = byte == b'\r';
        }
        is_end
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The rows of a text as (line, cells), read in pieces of `piece` bytes.
    fn rows(
        text: &str,
        delimiter: Delimiter,
        piece: usize,
    ) -> Result<Vec<(u64, Vec<String>)>, SplitError> {
        let input = io::BufReader::with_capacity(piece, text.as_bytes());
        let mut splitter = Splitter::new(input, delimiter, b'"', 1);
        let mut row = Cells::default();
        let mut rows = Vec::new();
        while splitter.read(&mut row)? {
            let starts = std::iter::once(&0).chain(&row.ends);
            let cells = starts
                .zip(&row.ends)
                .map(|(&start, &end)| &row.text[start..end]);
            let cells = cells.map(|cell| String::from_utf8(cell.to_vec()).unwrap());
            rows.push((row.line, cells.collect()));
        }
        Ok(rows)
    }

    fn assert_rows(text: &str, delimiter: Delimiter, expected: &[(u64, &[&str])]) {
        for piece in [1, 2, 3, 1000] {
            let rows = rows(text, delimiter, piece).unwrap();
            let rows: Vec<(u64, Vec<&str>)> = rows
                .iter()
                .map(|(line, cells)| (*line, cells.iter().map(String::as_str).collect()))
                .collect();
            let expected: Vec<(u64, Vec<&str>)> = expected
                .iter()
                .map(|&(line, cells)| (line, cells.to_vec()))
                .collect();
            assert_eq!(rows, expected, "in pieces of {piece} bytes: {text:?}");
        }
    }

    const COMMA: Delimiter = Delimiter::Char(',');

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        let expected: &[(u64, &[&str])] = &[(1, &["a", "b"]), (4, &["1", "2"]), (5, &["3", "4"])];
        for end in ["\n", "\r\n", "\r"] {
            assert_rows(&["a,b", "", "  ", "1,2", "3,4"].join(end), COMMA, expected);
        }
    }

    #[test]
    fn lines_inside_quotes_are_counted() {
        let text = "a,b\r\n\"1\r\n1\",\"x\ny\rz\"\r\n3,4\r\n";
        assert_rows(
            text,
            COMMA,
            &[
                (1, &["a", "b"]),
                (2, &["1\r\n1", "x\ny\rz"]),
                (6, &["3", "4"]),
            ],
        );
    }

    #[test]
    fn blanks_around_cells_are_cut_off_but_not_inside_quotes() {
        assert_rows(
            " 39, State-gov ,\t77 516 , \" a \"\"b\"\" \" ,5\" disk\n",
            COMMA,
            &[(1, &["39", "State-gov", "77 516", " a \"b\" ", "5\" disk"])],
        );
    }

    #[test]
    fn a_line_of_delimiters_is_a_row_of_empty_cells() {
        assert_rows(
            ",,\n\n\"\"\n,",
            COMMA,
            &[(1, &["", "", ""]), (3, &[""]), (4, &["", ""])],
        );
        assert_rows("\t\t\n", Delimiter::Char('\t'), &[(1, &["", "", ""])]);
    }

    #[test]
    fn whitespace_of_any_length_is_one_delimiter() {
        assert_rows(
            "  mpg cyl\tname  \n\n18.0   8 \t \"ford \"\"x\"\" torino\" \r\n1 2 3",
            Delimiter::Whitespace,
            &[
                (1, &["mpg", "cyl", "name"]),
                (3, &["18.0", "8", "ford \"x\" torino"]),
                (4, &["1", "2", "3"]),
            ],
        );
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        let error = |text: &str| rows(text, COMMA, 7).unwrap_err();
        assert!(matches!(
            error("a,b\n\"1\"2,3\n"),
            SplitError::AfterQuote { line: 2 }
        ));
        assert!(matches!(
            error("a,b\n1,2\n3,\"4\n5\n"),
            SplitError::OpenQuote { line: 3 }
        ));
        assert!(matches!(error("a,b\n1,\0\n"), SplitError::Nul { line: 2 }));
        let endless = format!("a,b\n1,\"{}", "x".repeat(LONGEST_ROW + 10));
        assert!(matches!(error(&endless), SplitError::LongRow { line: 2 }));
    }
}
