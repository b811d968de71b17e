//! The description of a table, as text for the terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::Table;
use emberlab_tables::{ColumnDescription, ColumnType, TableDescription};

use crate::progress::{count, number};
use crate::tables;

/// The width of a terminal whose width is not known, in characters.
const DEFAULT_WIDTH: usize = 80;

/// The width of the names of columns, in characters. A longer name takes two lines.
const NAME_WIDTH: usize = 18;

/// The largest number of columns that are listed.
const MOST_COLUMNS: usize = 250;

/// The longest name of a class that is printed, in characters.
const LONGEST_CLASS: usize = 80;
/// The largest number of classes, and of remarks of one kind, that are listed.
const MOST_LISTED: usize = 20;

/// The largest number of columns that a remark names.
const MOST_NAMED: usize = 8;

/// The columns of the table, its format, and what to look out for. `name` is that of the file.
pub fn render(name: &str, description: &TableDescription, label: Option<&str>) -> String {
    let width = tables::table([""], 1)
        .width()
        .map_or(DEFAULT_WIDTH, usize::from);
    let width = width.max(DEFAULT_WIDTH);
    let mut text = String::new();
    let format = &description.format;
    let _ = writeln!(
        text,
        "{name}: {} of {}",
        count_of(description.rows, "row"),
        count_of(description.columns.len() as u64, "column"),
    );
    let is_text = ![".npy", ".npz"].iter().any(|end| name.ends_with(end));
    if is_text {
        let _ = writeln!(
            text,
            "delimiter = {:?}, header = {}, decimal = {:?}; {}, line ends {}",
            format.delimiter.to_string(),
            format.header,
            format.decimal.to_string(),
            format.encoding,
            format.line_ends,
        );
    }
    text.push('\n');
    let columns = &description.columns;
    let listed = &columns[..columns.len().min(MOST_COLUMNS)];
    let _ = writeln!(text, "{}", table(listed, width));
    if listed.len() < columns.len() {
        let more = columns.len() - listed.len();
        let _ = writeln!(
            text,
            "and {}; `--json` lists all",
            count(more, "more column")
        );
    }
    if let Some(label) = label {
        let _ = writeln!(
            text,
            "\n{}",
            wrapped(&classes(label, description), width, "")
        );
    }
    let warnings = description.warnings.iter().map(ToString::to_string);
    let warnings: Vec<String> = warnings.collect();
    push_list(&mut text, "look at", &warnings, width);
    push_list(&mut text, "assumed", &notes(columns), width);
    text
}

/// The remarks about columns, each with the columns that it is about.
fn notes(columns: &[ColumnDescription]) -> Vec<String> {
    let mut columns_of: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for column in columns {
        for note in &column.notes {
            let names = columns_of.entry(note).or_default();
            names.push(format!("{:?}", column.name));
        }
    }
    let sentences = columns_of.into_iter().map(|(note, names)| {
        let more = match names.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let listed = &names[..names.len().min(MOST_NAMED)];
        format!("{}{more}: {note}.", listed.join(", "))
    });
    sentences.collect()
}

fn table(columns: &[ColumnDescription], width: usize) -> Table {
    let mut table = tables::table(["column", "type", "missing", "distinct", "values"], 2);
    for column in columns {
        let about = if column.distinct_is_estimate { "~" } else { "" };
        table.add_row([
            in_two_lines(&column.name),
            column.column_type.name().to_owned(),
            match column.missing {
                0 => String::new(),
                missing => missing.to_string(),
            },
            format!("{about}{}", column.distinct),
            values(column),
        ]);
    }
    // Each column has a blank on both sides, and one more before the next.
    let others: usize = table.column_max_content_widths()[..4]
        .iter()
        .map(|&width| usize::from(width) + 3)
        .sum();
    let left = width.saturating_sub(others + 2);
    for (row, column) in table.row_iter_mut().zip(columns) {
        let mut cells: Vec<comfy_table::Cell> = row.cell_iter().take(4).cloned().collect();
        cells.push(comfy_table::Cell::new(cut(&values(column), left)));
        *row = cells.into();
    }
    if let Some(values) = table.column_mut(4) {
        values.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    table
}

/// Range and mean of numbers, and the first different values.
fn values(column: &ColumnDescription) -> String {
    let examples: Vec<String> = column.examples.iter().map(|text| printable(text)).collect();
    let examples = examples.join(", ");
    let is_number = matches!(column.column_type, ColumnType::Number | ColumnType::Integer);
    match (column.min, column.max, column.mean) {
        (Some(min), Some(max), Some(mean)) if is_number => {
            format!(
                "{} to {}, mean {}: {examples}",
                short(min),
                short(max),
                short(mean)
            )
        }
        _ => examples,
    }
}

/// A number with five digits, or all digits of a whole part below 10^9.
fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e9).contains(&size) {
        let digits_before = size.log10().floor().max(0.0) as usize + 1;
        let text = format!("{value:.*}", 5_usize.saturating_sub(digits_before));
        return match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        };
    }
    number(value)
}

/// The content of the label.
fn classes(label: &str, description: &TableDescription) -> String {
    let classes = &description.classes;
    let column = description
        .columns
        .iter()
        .find(|column| column.name == label);
    if classes.is_empty() {
        let distinct = column.map_or(0, |column| column.distinct);
        return format!("label {label:?}: {distinct} different values");
    }
    let mut listed: Vec<String> = classes
        .iter()
        .take(MOST_LISTED)
        .map(|class| format!("{} ({})", cut(&class.name, LONGEST_CLASS), class.rows))
        .collect();
    if classes.len() > listed.len() {
        listed.push(format!("and {} more", classes.len() - listed.len()));
    }
    let values = count_of(classes.len() as u64, "different value");
    format!("label {label:?}: {values}, {}", listed.join(", "))
}

fn push_list(text: &mut String, title: &str, sentences: &[String], width: usize) {
    if sentences.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}:");
    for sentence in sentences.iter().take(MOST_LISTED) {
        let _ = writeln!(text, "- {}", wrapped(sentence, width - 2, "  "));
    }
    if sentences.len() > MOST_LISTED {
        let more = sentences.len() - MOST_LISTED;
        let _ = writeln!(text, "- and {more} more; `--json` lists all");
    }
}

/// The sentence in lines of `width` characters; those after the first begin with `indent`.
fn wrapped(sentence: &str, width: usize, indent: &str) -> String {
    let mut text = String::new();
    let mut length = 0;
    for word in printable(sentence).split(' ') {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length > width {
            text.push('\n');
            text.push_str(indent);
            length = 0;
        } else if length > 0 {
            text.push(' ');
            length += 1;
        }
        text.push_str(word);
        length += word_length;
    }
    text
}

/// A text without characters that move the cursor or colour the terminal.
fn printable(text: &str) -> String {
    let is_safe = |c: char| if c.is_control() { '�' } else { c };
    text.chars().map(is_safe).collect()
}

/// The text, shortened to `length` characters.
fn cut(text: &str, length: usize) -> String {
    let text = printable(text);
    match text.chars().count() > length {
        true => text
            .chars()
            .take(length.saturating_sub(1))
            .chain(['…'])
            .collect(),
        false => text,
    }
}

/// A name in lines of [`NAME_WIDTH`] characters, two at most. Of a longer name its start and its end are shown, since
/// names often differ only there.
fn in_two_lines(name: &str) -> String {
    let name: Vec<char> = printable(name).chars().collect();
    let line = |characters: &[char]| characters.iter().collect::<String>();
    if name.len() <= NAME_WIDTH {
        return line(&name);
    }
    let (start, rest) = name.split_at(NAME_WIDTH);
    match rest.len() <= NAME_WIDTH {
        true => format!("{}\n{}", line(start), line(rest)),
        false => {
            let end = &rest[rest.len() - NAME_WIDTH + 1..];
            format!("{}\n…{}", line(start), line(end))
        }
    }
}

fn count_of(number: u64, noun: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), noun)
}
