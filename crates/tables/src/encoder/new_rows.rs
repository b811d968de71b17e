//! Rows to predict: which of their cells are the features, by name or by place.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use emberlab_menu::nearest_name;

use super::categories::Place;
use super::dates::written_day;
use super::{Encoder, FittedColumn, FittedValues};
use crate::columns::cell_format::{CellFormat, shortened};
use crate::columns::column_reader::{ColumnReader, Finished};
use crate::columns::{ColumnType, DateOrder, cell};
use crate::config::TableConfig;
use crate::error::TableError;
use crate::files::{HeaderLine, RowReader, can_be_read_again, generated_name, name_nameless};
use crate::format::{Delimiter, FormatConfig};
use crate::load::roles::shortened_list;
use crate::table::{Column, Table, Values};

/// Rows to predict.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRows {
    /// The features, `[num_rows × num_features]` row by row, not standardised.
    pub features: Vec<f64>,
    /// The line of each row.
    pub lines: Vec<u64>,
    /// Sentences about values that are unlike those of the training rows.
    pub notes: Vec<String>,
}

impl Encoder {
    /// Reads rows to predict. With a header the columns are found by name, in any order, and others are ignored.
    /// Without one a row has the cells of the feature columns, in their order; where the training file has no header
    /// either, a row may also have the cells of all its columns.
    ///
    /// With [`HeaderLine::Auto`] the first line is a header if it names all feature columns, and a row if its cells could be
    /// values. Where the names could be values too, a first line of exactly the names is neither, and one of the names in
    /// another order is a row if each of its cells lies within the training values of its column.
    ///
    /// A file whose columns cannot be found with the delimiter, quote and decimal mark of the training file is read with
    /// those that are detected in it.
    ///
    /// # Errors
    /// [`TableError`] as [`encode`](Self::encode), if a cell is not of the type of its column, if columns are missing,
    /// if there are no rows, or if it is not clear whether the first line is a header.
    pub fn read(
        &self,
        config: &TableConfig,
        path: &Path,
        header: HeaderLine,
    ) -> Result<NewRows, TableError> {
        if can_be_read_again(path) {
            let open = |format: &FormatConfig| RowReader::open(path, format);
            return self.read_any_format(config, path, header, &open);
        }
        let file = File::open(path).map_err(TableError::io(path))?;
        self.read_stream(config, path, Box::new(file), header)
    }

    /// Reads rows to predict from a stream, which is kept in memory; `name` stands for the path in errors.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_stream(
        &self,
        config: &TableConfig,
        name: &Path,
        mut stream: Box<dyn Read>,
        header: HeaderLine,
    ) -> Result<NewRows, TableError> {
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        read.map_err(TableError::io(name))?;
        let bytes: Arc<[u8]> = bytes.into();
        let open = |format: &FormatConfig| {
            RowReader::from_stream(name, Box::new(Cursor::new(Arc::clone(&bytes))), format)
        };
        self.read_any_format(config, name, header, &open)
    }

    /// Reads rows from what `open` opens: in the format of the training file if the names of the columns, or else the
    /// number of cells, can be found with it, or else in the format that is detected. Without names, neither a
    /// colon nor the decimal mark of the training file becomes a delimiter: `12:30` may be a time, and `1,5` a number.
    fn read_any_format(
        &self,
        config: &TableConfig,
        path: &Path,
        header: HeaderLine,
        open: &Open<'_>,
    ) -> Result<NewRows, TableError> {
        let of_training = || {
            let rows = open(&format(config, header))?;
            self.read_rows(config, path, rows, header)
        };
        let meanings = match header {
            HeaderLine::Auto => &[true, false][..],
            HeaderLine::Yes => &[true],
            HeaderLine::No => &[false],
        };
        let mut num_cells = [0, 0];
        for &has_header in meanings {
            let detected = FormatConfig {
                header: Some(has_header),
                missing: config.missing.clone(),
                ..FormatConfig::default()
            };
            let trained = FormatConfig {
                header: Some(has_header),
                ..config.format()
            };
            if let Ok(rows) = open(&trained) {
                if self.has_columns(&rows) {
                    return of_training();
                }
                num_cells[0] = num_cells[0].max(rows.columns().len());
            }
            if let Ok(rows) = open(&detected) {
                let unclear = [config.decimal, ':'].map(Delimiter::Char);
                let is_clear = !unclear.contains(&rows.format().delimiter);
                if is_clear {
                    num_cells[1] = num_cells[1].max(rows.columns().len());
                }
                if self.has_columns(&rows) && (has_header || is_clear) {
                    return self.read_detected(config, path, rows, header);
                }
            }
        }
        // Neither fits: the format that splits the first line says best what is wrong.
        if num_cells[0] > 1 || num_cells[1] < 2 {
            return of_training();
        }
        let detected = FormatConfig {
            missing: config.missing.clone(),
            header: Some(header == HeaderLine::Yes),
            ..FormatConfig::default()
        };
        self.read_detected(config, path, open(&detected)?, header)
    }

    /// Reads rows in the format that was detected.
    fn read_detected(
        &self,
        config: &TableConfig,
        path: &Path,
        rows: RowReader,
        header: HeaderLine,
    ) -> Result<NewRows, TableError> {
        let config = TableConfig {
            delimiter: rows.format().delimiter,
            quote: rows.format().quote,
            decimal: rows.format().decimal,
            ..config.clone()
        };
        let header = match rows.format().header {
            true => HeaderLine::Yes,
            false => header,
        };
        self.read_rows(&config, path, rows, header)
    }

    /// Whether rows have the columns of the features: under a header by name, and otherwise by the number of cells.
    fn has_columns(&self, rows: &RowReader) -> bool {
        if rows.format().header {
            let mut columns = self.columns.iter();
            return columns.all(|column| rows.columns().contains(&column.name));
        }
        let num_cells = rows.columns().len();
        let is_whole_row = num_cells == self.num_file_columns && self.generated_places().is_some();
        num_cells == self.columns.len() || is_whole_row
    }

    /// The places of the columns in the training file, if it has no header.
    fn generated_places(&self) -> Option<Vec<usize>> {
        let place_of = |column: &FittedColumn| {
            let number: usize = column.name.strip_prefix("column_")?.parse().ok()?;
            let place = number.checked_sub(1)?;
            let is_there = place < self.num_file_columns;
            (is_there && column.name == generated_name(place)).then_some(place)
        };
        self.columns.iter().map(place_of).collect()
    }

    fn read_rows(
        &self,
        config: &TableConfig,
        path: &Path,
        mut rows: RowReader,
        header: HeaderLine,
    ) -> Result<NewRows, TableError> {
        let new_file = NewFile {
            encoder: self,
            path,
            cells: CellFormat::of_new_rows(config, path),
        };
        rows.forget_advice();
        if header == HeaderLine::Auto {
            rows.accept_header_without_first_name()?;
        }
        let mut first_row = None;
        let places = if rows.format().header {
            new_file.places_under_header(1, rows.columns())?
        } else {
            let Some(row) = rows.next_row()? else {
                return Err(new_file.no_rows());
            };
            let line = row.line;
            let first: Vec<String> = (0..row.len())
                .map(|place| row.cell(place).to_owned())
                .collect();
            if header == HeaderLine::Auto && new_file.is_header(line, &first)? {
                new_file.places_under_header(line, &header_names(&first))?
            } else {
                let places = new_file.places_by_position(line, first.len())?;
                first_row = Some((line, first));
                places
            }
        };
        let mut readers: Vec<ColumnReader> = (self.columns.iter().zip(places))
            .map(|(column, place)| column.reader(place))
            .collect();
        let mut lines = Vec::new();
        if let Some((line, first)) = first_row {
            lines.push(line);
            for reader in &mut readers {
                let text = first.get(reader.place).map_or("", String::as_str);
                reader.push(text, line, &new_file.cells)?;
            }
        }
        while let Some(row) = rows.next_row()? {
            lines.push(row.line);
            for reader in &mut readers {
                reader.push(row.cell(reader.place), row.line, &new_file.cells)?;
            }
        }
        if lines.is_empty() {
            return Err(new_file.no_rows());
        }
        let mut columns = Vec::with_capacity(readers.len());
        for reader in readers {
            // A column of a given type is refused only for its number of categories, which has no limit here.
            if let Finished::Column(column) = reader.finish(&new_file.cells)? {
                columns.push(column);
            }
        }
        let table = Table {
            columns,
            num_file_columns: rows.columns().len(),
            lines,
        };
        let columns = self.columns.iter().zip(&table.columns);
        let notes = columns
            .filter_map(|(fitted, column)| fitted.note_about(column, config.decimal, &table.lines));
        Ok(NewRows {
            features: self.encode_file(config, path, &table, AGAIN)?,
            notes: notes.collect(),
            lines: table.lines,
        })
    }
}

/// Opens rows in a format.
type Open<'a> = dyn Fn(&FormatConfig) -> Result<RowReader, TableError> + 'a;

/// The end of the advice to set a key, where the network is already trained.
const AGAIN: &str = " in the experiment, and train again";

/// The largest number of categories that a note names.
const MOST_UNSEEN: usize = 20;

/// The format of a file of new rows. The meaning of the first line is decided here, from the columns of the training
/// file.
fn format(config: &TableConfig, header: HeaderLine) -> FormatConfig {
    FormatConfig {
        header: Some(header == HeaderLine::Yes),
        ..config.format()
    }
}

/// The names in a header: a column without a name has that of its place.
fn header_names(cells: &[String]) -> Vec<String> {
    let mut names = cells.to_vec();
    name_nameless(&mut names);
    names
}

/// A file of new rows, for the columns of an encoder.
struct NewFile<'a> {
    encoder: &'a Encoder,
    path: &'a Path,
    cells: CellFormat,
}

impl NewFile<'_> {
    /// Whether the first line of a file holds the names of the columns.
    ///
    /// # Errors
    /// [`TableError`] if it could be both, or is neither.
    fn is_header(&self, line: u64, first: &[String]) -> Result<bool, TableError> {
        let columns = &self.encoder.columns;
        let could_be_values = columns
            .iter()
            .all(|column| column.could_hold(&column.name, &self.cells));
        if could_be_values {
            return self.is_header_of_values(line, first);
        }
        let found = header_names(first);
        let found_names: HashSet<&String> = found.iter().collect();
        let is_found = |column: &&FittedColumn| found_names.contains(&column.name);
        let num_found = columns.iter().filter(is_found).count();
        if num_found == columns.len() {
            return Ok(true);
        }
        if num_found == 0 {
            let places = self.places_by_position(line, first.len())?;
            let texts = places
                .iter()
                .map(|&place| first.get(place).map_or("", String::as_str));
            if self.is_row(texts) {
                return Ok(false);
            }
        }
        self.places_under_header(line, &found).map(|_| true)
    }

    /// Whether the first line of a file holds the names of the columns, where these could also be values.
    ///
    /// # Errors
    /// [`TableError`] if it could be both.
    fn is_header_of_values(&self, line: u64, first: &[String]) -> Result<bool, TableError> {
        let columns = &self.encoder.columns;
        if !columns.iter().all(|column| first.contains(&column.name)) {
            return Ok(false);
        }
        let Ok(places) = self.places_by_position(line, first.len()) else {
            return Ok(true);
        };
        let is_each = |has: &dyn Fn(&FittedColumn, &str) -> bool| {
            let mut cells = columns.iter().zip(&places);
            cells.all(|(column, &place)| has(column, first.get(place).map_or("", String::as_str)))
        };
        if !is_each(&|column, text| column.could_hold(text, &self.cells)) {
            return Ok(true);
        }
        let is_same = first.iter().eq(columns.iter().map(|column| &column.name));
        if !is_same && is_each(&|column, text| column.has_seen(text, &self.cells)) {
            return Ok(false);
        }
        Err(self.shape(
            line,
            "`--header yes` or `--header no`, as the names of the columns could also be values",
            match is_same {
                true => "a first line that equals these names",
                false => "a first line that has all these names",
            },
        ))
    }

    /// The place of each column under a header. If the training file had no header, the names in this one mean nothing.
    fn places_under_header(&self, line: u64, found: &[String]) -> Result<Vec<usize>, TableError> {
        match (self.places_by_name(found), self.encoder.generated_places()) {
            (Err(_), Some(_)) => self.places_by_position(line, found.len()),
            (places, _) => places,
        }
    }

    /// Whether cells could be values of the columns: all fit, or only categories are new and there is a number.
    fn is_row<'a>(&self, texts: impl Iterator<Item = &'a str>) -> bool {
        let (mut all_known, mut has_number) = (true, false);
        for (column, text) in self.encoder.columns.iter().zip(texts) {
            let fits = column.could_hold(text, &self.cells);
            if !column.is_categories() {
                if !fits {
                    return false;
                }
                // Any text shows that there is a value.
                has_number |= column.column_type != ColumnType::Presence
                    && !self.cells.is_missing(&column.name, text);
            }
            all_known &= fits;
        }
        all_known || has_number
    }

    /// The place of each column in a file with these names.
    fn places_by_name(&self, found: &[String]) -> Result<Vec<usize>, TableError> {
        let columns = &self.encoder.columns;
        let mut places_of_names: HashMap<&str, (usize, usize)> = HashMap::new();
        for (place, name) in found.iter().enumerate() {
            places_of_names.entry(name).or_insert((place, 0)).1 += 1;
        }
        let mut places = Vec::with_capacity(columns.len());
        let mut missing = Vec::new();
        for FittedColumn { name, .. } in columns {
            match places_of_names.get(name.as_str()) {
                Some(&(place, 1)) => places.push(place),
                Some(_) => {
                    let expected = "a name of its own for each column";
                    return Err(self.shape(1, expected, &format!("{name:?} twice")));
                }
                None => missing.push(name.clone()),
            }
        }
        let [first, others @ ..] = missing.as_slice() else {
            return Ok(places);
        };
        let others = match others.is_empty() {
            true => String::new(),
            false => {
                let others: Vec<String> = others.iter().map(|name| format!("{name:?}")).collect();
                format!(", nor {}", shortened_list(&others).join(", "))
            }
        };
        let near = match nearest_name(first, found.iter().map(String::as_str)) {
            Some(near) => format!("; did you mean {near:?}?"),
            None => " (`--header no` if that is a row)".to_owned(),
        };
        Err(TableError::Column {
            path: self.path.to_owned(),
            column: first.clone(),
            suggestion: format!("{others}, in the first line{near}"),
            columns: shortened_list(found),
        })
    }

    /// The place of each column in a file without names, whose rows have `num_cells` cells.
    fn places_by_position(&self, line: u64, num_cells: usize) -> Result<Vec<usize>, TableError> {
        let columns = &self.encoder.columns;
        if num_cells == columns.len() {
            return Ok((0..num_cells).collect());
        }
        let all = self.encoder.num_file_columns;
        let places = self.encoder.generated_places();
        let mut expected = match columns.len() {
            1 => "1 cell".to_owned(),
            count => format!("{count} cells"),
        };
        match places {
            Some(places) if num_cells == all => return Ok(places),
            Some(_) => expected.push_str(&format!(" or all {all} of the training file")),
            None => expected.push_str(", or a header with these names"),
        }
        let features: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let expected = format!("{expected}: {}", shortened_list(&features).join(", "));
        Err(self.shape(line, &expected, &num_cells.to_string()))
    }

    fn shape(&self, line: u64, expected: &str, found: &str) -> TableError {
        TableError::Shape {
            path: self.path.to_owned(),
            line,
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    fn no_rows(&self) -> TableError {
        TableError::Unusable {
            path: self.path.to_owned(),
            message: "there are no rows to predict".to_owned(),
        }
    }
}

impl FittedColumn {
    /// A reader of new cells. The type is that of the training rows; whole numbers there do not forbid others.
    fn reader(&self, place: usize) -> ColumnReader {
        let column_type = match self.values {
            FittedValues::Numbers { .. } if self.column_type == ColumnType::Integer => {
                ColumnType::Number
            }
            _ => self.column_type,
        };
        ColumnReader::of_type(&self.name, place, column_type, self.date_order, usize::MAX)
    }

    /// A sentence about values that the training rows do not have, or that lie far outside their range.
    fn note_about(&self, column: &Column, decimal: char, lines: &[u64]) -> Option<String> {
        let name = &self.name;
        match (&self.values, &column.values) {
            (FittedValues::Categories(categories), Values::Categories { codes, names }) => {
                let places = categories.places(names, decimal);
                let mut counts = vec![0_usize; names.len()];
                for &code in codes.iter().flatten() {
                    counts[code as usize] += 1;
                }
                let num_missing = match places.last() {
                    Some(Place::Unseen) => codes.iter().filter(|code| code.is_none()).count(),
                    _ => 0,
                };
                let missing = (num_missing > 0).then(|| {
                    let (cells, have) = match num_missing {
                        1 => ("cell", "has"),
                        _ => ("cells", "have"),
                    };
                    format!(
                        "{num_missing} {cells} of {name:?} {have} no value, which each training row has, taken for none of the \
                         categories"
                    )
                });
                let of_names = names.iter().zip(&places).zip(counts);
                let unseen = of_names.filter(|((_, place), _)| matches!(place, Place::Unseen));
                let unseen: Vec<(&String, usize)> =
                    unseen.map(|((name, _), count)| (name, count)).collect();
                if unseen.is_empty() {
                    return missing;
                }
                let num_cells: usize = unseen.iter().map(|(_, count)| count).sum();
                let described = |(text, count): &(&String, usize)| {
                    let names = categories.names().iter().map(String::as_str);
                    let near = nearest_name(text, names);
                    let near = near.map_or(String::new(), |near| format!("; is it {near:?}?"));
                    format!("{:?} ({count}{near})", shortened(text))
                };
                let mut texts: Vec<String> =
                    unseen.iter().take(MOST_UNSEEN).map(described).collect();
                if unseen.len() > MOST_UNSEEN {
                    texts.push(format!("and {} more", unseen.len() - MOST_UNSEEN));
                }
                let (cells, hold) = match num_cells {
                    1 => ("cell", "holds a category"),
                    _ => ("cells", "hold categories"),
                };
                let unseen = format!(
                    "{num_cells} {cells} of {name:?} {hold} that the training rows do not have, taken for none of these: {}",
                    texts.join(", ")
                );
                Some(match missing {
                    Some(missing) => format!("{missing}; {unseen}"),
                    None => unseen,
                })
            }
            (
                FittedValues::Numbers { .. } | FittedValues::Dates { .. },
                Values::Numbers(numbers),
            ) => {
                let [least, most] = self.range?;
                let width = most - least;
                let is_far = |number: f64| number < least - width || number > most + width;
                let mut far = numbers
                    .iter()
                    .zip(lines)
                    .filter(|(number, _)| is_far(**number));
                let (number, line) = far.next()?;
                let (cells, lie) = match far.count() {
                    0 => ("1 cell".to_owned(), "lies"),
                    more => (format!("{} cells", more + 1), "lie"),
                };
                let written = |number: f64| match self.column_type {
                    ColumnType::Date => written_day(number),
                    _ => format!("{number:?}"),
                };
                Some(format!(
                    "{cells} of {name:?} {lie} far outside the training rows ({} to {}), such as {} in line {line}",
                    written(least),
                    written(most),
                    written(*number),
                ))
            }
            _ => None,
        }
    }

    fn is_categories(&self) -> bool {
        matches!(self.values, FittedValues::Categories(_))
    }

    /// Whether a cell could hold a value of the column: for categories, one of those of the training rows.
    fn could_hold(&self, text: &str, cells: &CellFormat) -> bool {
        if cells.is_missing(&self.name, text) {
            return true;
        }
        match (&self.values, self.column_type) {
            (FittedValues::Categories(categories), _) => categories.holds(text, cells.decimal),
            (_, ColumnType::Boolean) => {
                cell::boolean(text).is_some() || matches!(cells.number(text), Some(0.0 | 1.0))
            }
            (_, ColumnType::Presence) => true,
            (FittedValues::Dates { .. }, _) => {
                let is_date = |order| cell::date_or_digits(text, order).is_some();
                match self.date_order {
                    Some(order) => is_date(order),
                    None => is_date(DateOrder::DayFirst) || is_date(DateOrder::MonthFirst),
                }
            }
            (FittedValues::Numbers { .. }, _) => cells.number(text).is_some(),
        }
    }

    /// Whether a cell could hold a value like those of the training rows: for numbers, one within their range.
    fn has_seen(&self, text: &str, cells: &CellFormat) -> bool {
        let is_within = |number: f64| {
            let range = self.range;
            range.is_some_and(|[least, most]| (least..=most).contains(&number))
        };
        self.could_hold(text, cells)
            && match self.column_type {
                ColumnType::Number | ColumnType::Integer => {
                    cells.number(text).is_some_and(is_within)
                }
                _ => true,
            }
    }
}
