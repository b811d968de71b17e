//! Sentences about what to look out for in a table.

use std::collections::BTreeMap;

use serde::Serialize;

use super::collect::Collected;
use super::stand_ins::stand_ins;
use super::summary::{MAX_CLASSES, Summary, shortened};
use super::{ColumnDescription, Useless};
use crate::columns::ColumnType;
use crate::columns::cell::{boolean, is_like_thousands};
use crate::columns::cell_format::toml_key;
use crate::columns::guess::{RowOrder, is_identifier_name};
use crate::format::{Format, FormatConfig};

/// The largest number of columns or values that a sentence names.
const MAX_NAMED: usize = 8;

/// The largest number of columns that a key lists.
const MAX_DROPPED: usize = 30;

/// The smallest number of rows for which equal columns mean anything.
pub(super) const LEAST_ROWS: u64 = 10;

/// Words that people write where a value is missing, in lower case.
const MISSING_WORDS: [&str; 41] = [
    "unknown",
    "unk",
    "unbekannt",
    "not known",
    "n/a",
    "n/k",
    "na",
    "n.a.",
    "n.a",
    "k.a.",
    "k. a.",
    "nan",
    "nat",
    "none",
    "null",
    "(null)",
    "[null]",
    "<null>",
    "nil",
    "missing",
    "-",
    "--",
    "---",
    "\u{2013}",
    "\u{2014}",
    ".",
    "..",
    "...",
    "\u{2026}",
    "?",
    "??",
    "not available",
    "not applicable",
    "not specified",
    "unspecified",
    "no data",
    "undefined",
    "blank",
    "(blank)",
    "(missing)",
    "empty",
];

/// Texts that programs write where a value is missing: databases, pandas, Excel and C. People hardly ever mean a value by
/// them.
pub(super) const WORDS_OF_PROGRAMS: [&str; 27] = [
    "NULL",
    "Null",
    "(null)",
    "[null]",
    "<null>",
    "<NULL>",
    "\\N",
    "NaT",
    "<NA>",
    "-nan",
    "-NaN",
    "-nan(ind)",
    "n/a",
    "N/a",
    "1.#QNAN",
    "-1.#QNAN",
    "1.#IND",
    "-1.#IND",
    "#N/A",
    "#NA",
    "#N/A N/A",
    "#VALUE!",
    "#NUM!",
    "#REF!",
    "#DIV/0!",
    "#NAME?",
    "#NULL!",
];

/// A sentence about what to look out for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The subject of the sentence.
    pub subject: Subject,
    /// The sentence, with the key to set.
    pub message: String,
}

impl Warning {
    fn new(subject: Subject, message: impl Into<String>) -> Self {
        Self {
            subject,
            message: message.into(),
        }
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// The subject of a [`Warning`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Lines above the table that are left out.
    Title,
    /// The encoding of the text.
    Encoding,
    /// Whether the first line is a header.
    Header,
    /// The rows as a whole.
    Rows,
    /// The values of the label.
    Label,
    /// Classes of one row, if the label is a class.
    RareClasses,
    /// Rows that belong together, or come one after the other in time.
    DependentRows,
    /// Rows without a label.
    MissingLabels,
    /// A column from which the label can be read off.
    Leak,
    /// Columns that say nothing, such as row numbers.
    UselessColumns,
    /// Columns that are equal to each other.
    EqualColumns,
    /// Texts in a column of numbers or dates.
    TextsAmongNumbers,
    /// Dates that can be read in two ways.
    AmbiguousDates,
    /// Cells that may mean something other than their text.
    Cells,
}

/// A column as the sentences see it.
struct Column<'a> {
    description: &'a ColumnDescription,
    summary: &'a Summary,
    is_label: bool,
}

impl Column<'_> {
    fn name(&self) -> &str {
        &self.description.name
    }

    fn values(&self) -> u64 {
        self.summary.counts.values()
    }

    fn other_texts(&self) -> Vec<&str> {
        let texts = self.description.other_texts.iter();
        texts.map(String::as_str).collect()
    }

    /// Whether the column has at least two different values.
    fn varies(&self) -> bool {
        self.description.distinct > 1
    }
}

/// Sentences about what to look out for, the most important ones first.
pub(super) fn warnings(
    descriptions: &[ColumnDescription],
    collected: &Collected,
    label: Option<usize>,
    config: &FormatConfig,
    format: &Format,
) -> Vec<Warning> {
    let columns: Vec<Column> = descriptions
        .iter()
        .zip(&collected.summaries)
        .enumerate()
        .map(|(place, (description, summary))| Column {
            description,
            summary,
            is_label: label == Some(place),
        })
        .collect();
    let mut warnings = Vec::new();
    if collected.rows == 0 {
        warnings.push(Warning::new(
            Subject::Rows,
            "The table has a header but no rows.",
        ));
        return warnings;
    }
    if !format.title.is_empty() {
        let message = format!("Left out above the table: {:?}.", format.title);
        warnings.push(Warning::new(Subject::Title, message));
    }
    let values = columns.iter().flat_map(|column| {
        let values = column.summary.values.iter();
        values.map(|value| value.text.as_str())
    });
    let texts = columns.iter().map(Column::name).chain(values);
    let encoding = format.assumed_encoding(texts);
    warnings.extend(encoding.map(|message| {
        let message = format!("T{}.", &message[1..]);
        Warning::new(Subject::Encoding, message)
    }));
    let header = header(&columns, config, format);
    warnings.extend(header.map(|message| Warning::new(Subject::Header, message)));
    if let Some(label) = label {
        about_label(&columns[label], &mut warnings);
        leaks(&columns, columns[label].name(), &mut warnings);
    }
    let features = || columns.iter().filter(|column| !column.is_label);
    let mut group = |are: &dyn Fn(&Column) -> bool, sentence: &dyn Fn(&str, &str) -> String| {
        let names: Vec<&str> = features()
            .filter(|column| are(column))
            .map(Column::name)
            .collect();
        if !names.is_empty() {
            let drop = match names.len() {
                0..=MAX_DROPPED => format!("`drop = {names:?}`"),
                _ => "`drop`, which also takes patterns such as `\"a*\"`".to_owned(),
            };
            let message = sentence(&list(&names, " and "), &drop);
            warnings.push(Warning::new(Subject::UselessColumns, message));
        }
    };
    let is = |useless: Useless| move |column: &Column| column.description.useless == Some(useless);
    group(&is(Useless::RowNumbers), &|names, drop| {
        format!(
            "{names}: the numbers count up by one from row to row, as row numbers do. If they say nothing else, leave them out with {drop}."
        )
    });
    let is_unique = |column: &Column| is(Useless::Identifier)(column) || is(Useless::Text)(column);
    group(&is_unique, &|names, drop| {
        format!(
            "{names}: almost every row has a value of its own, as identifiers and free text do. Leave such columns out with {drop}."
        )
    });
    group(&is(Useless::NoValue), &|names, drop| {
        format!("{names}: all values are missing. Leave such columns out with {drop}.")
    });
    group(&is(Useless::OneValue), &|names, drop| {
        format!("{names}: all values are the same. Leave such columns out with {drop}.")
    });
    features().for_each(|column| dependent_rows(column, &mut warnings));
    if collected.duplicates > 0 {
        warnings.push(Warning::new(Subject::Rows, format!(
            "{} of {} rows equal an earlier row. Copies of a training row among the test rows make scores too good.",
            collected.duplicates, collected.rows
        )));
    }
    for column in &columns {
        about_cells(column, &mut warnings);
    }
    if collected.rows >= LEAST_ROWS {
        equal_columns(&columns, &mut warnings);
    }
    warnings
}

/// The choice that was made about the first line, if that is open to doubt.
fn header(columns: &[Column], config: &FormatConfig, format: &Format) -> Option<String> {
    if config.header.is_some() {
        return None;
    }
    if format.has_row_names {
        return Some(format!(
            "The first line has one cell less than the rows, so the first cell of each row is taken for the name of the row, \
             as R writes it, and called {:?}.",
            columns.first().map_or("", Column::name)
        ));
    }
    let is_number = |column: &Column| column.name().parse::<f64>().is_ok();
    if !format.header {
        return Some(
            "The first line reads like the rows below it, so it is taken for a row, and the columns are named by their \
             places. Set `header = true` if it holds the names."
                .to_owned(),
        );
    }
    columns.iter().any(is_number).then(|| {
        let names: Vec<&str> = columns.iter().map(Column::name).collect();
        let names = list(&names, " and ");
        format!("The first line is taken for the header, although it holds numbers: {names}. Set `header = false` if it is a row.")
    })
}

fn about_label(label: &Column, warnings: &mut Vec<Warning>) {
    let name = label.name();
    let missing = label.description.missing;
    if missing > 0 {
        let rows = if missing == 1 {
            "1 row has"
        } else {
            &format!("{missing} rows have")
        };
        warnings.push(Warning::new(
            Subject::MissingLabels,
            format!("{rows} no label {name:?}. Set `missing_labels = \"drop\"` to leave them out."),
        ));
    }
    if !label.varies() {
        warnings.push(Warning::new(
            Subject::Label,
            format!("The label {name:?} is the same in all rows, so there is nothing to learn."),
        ));
        return;
    }
    let is_class = label.description.distinct <= MAX_CLASSES as u64;
    let rare = label.summary.values.iter().filter(|value| value.count == 1);
    let rare: Vec<&str> = rare.map(|value| value.text.as_str()).collect();
    // Fractions other than a half are amounts.
    let is_amount = label.summary.values.iter().any(|value| {
        value
            .number
            .is_some_and(|number| (2.0 * number).fract() != 0.0)
    });
    if is_class
        && !is_amount
        && !rare.is_empty()
        && label.values() >= 5 * label.description.distinct
    {
        let rare = list(&rare, " and ");
        warnings.push(Warning::new(Subject::RareClasses, format!("Values of the label {name:?} with only one row cannot be both learnt and tested: {rare}.")));
    }
}

/// Columns from which the label can be read off.
fn leaks(columns: &[Column], label: &str, warnings: &mut Vec<Warning>) {
    // Of a column that may be the group of its rows another sentence says so.
    for column in columns
        .iter()
        .filter(|column| !column.description.may_be_group)
    {
        let Some(reason) = &column.description.gives_label_away else {
            continue;
        };
        let column = column.name();
        warnings.push(Warning::new(Subject::Leak, format!(
            "{column:?} gives the label {label:?} away: {reason}. Leave it out with `drop = [{column:?}]`, unless it is known \
             before the label is."
        )));
    }
}

/// Rows of one patient or the like, and rows in the order of time.
fn dependent_rows(column: &Column, warnings: &mut Vec<Warning>) {
    let (name, description) = (column.name(), column.description);
    let (values, distinct) = (column.values(), description.distinct);
    if description.may_be_group {
        let leak = match &description.gives_label_away {
            Some(reason) => format!(" It gives the label away: {reason}."),
            None => String::new(),
        };
        warnings.push(Warning::new(Subject::DependentRows, format!(
            "{name:?}: {distinct} different values in {values} rows.{leak} If rows of one value belong together, as those of \
             one patient do, keep them in one split with `group = {name:?}` and `split.method = \"random\"`."
        )));
    }
    if values < LEAST_ROWS {
        return;
    }
    let (order, order_is) = match (order_of_dates(column), order_of_numbers(column)) {
        (Some(RowOrder::Rising), _) => {
            (RowOrder::Rising, "the rows are in the order of their dates")
        }
        (Some(RowOrder::Falling), _) => (RowOrder::Falling, "the newest rows come first"),
        (None, Some(RowOrder::Rising)) => (
            RowOrder::Rising,
            "if these numbers are times since 1970, the rows are in their order",
        ),
        (None, Some(RowOrder::Falling)) => (
            RowOrder::Falling,
            "if these numbers are times since 1970, the newest rows come first",
        ),
        (None, None) => return,
    };
    let sort = match order {
        RowOrder::Rising => "",
        RowOrder::Falling => "sort the rows by date, the oldest first, and ",
    };
    let message = format!(
        "{name:?}: {order_is}. If the network is to predict rows of later dates, {sort}test it on the last ones with \
         `split.method = \"sequential\"`."
    );
    warnings.push(Warning::new(Subject::DependentRows, message));
}

/// The order of the rows in time, if the column holds dates and they are in order.
fn order_of_dates(column: &Column) -> Option<RowOrder> {
    let counts = &column.summary.counts;
    match column.description.column_type {
        ColumnType::Date => counts.days().direction(),
        ColumnType::Integer => counts.days_of_digits()?.direction(),
        _ => None,
    }
}

/// The order of the rows in time, if the column holds numbers that may be times since 1970 and they are in order.
fn order_of_numbers(column: &Column) -> Option<RowOrder> {
    /// The years 2000 to 2099 in seconds since 1970.
    const SECONDS: std::ops::Range<f64> = 946_684_800.0..4_102_444_800.0;
    let (summary, description) = (column.summary, column.description);
    let counts = &summary.counts;
    let is_time_in = |unit: f64| {
        SECONDS.contains(&(summary.min / unit)) && SECONDS.contains(&(summary.max / unit))
    };
    let is_number = matches!(
        description.column_type,
        ColumnType::Integer | ColumnType::Identifier
    );
    let counts_rows = description.useless == Some(Useless::RowNumbers);
    let may_be_time = is_number
        && !counts_rows
        && !is_identifier_name(column.name())
        && counts.integers == counts.values()
        && counts.days_of_digits().is_none()
        && [1.0, 1e3, 1e6, 1e9].into_iter().any(is_time_in);
    may_be_time.then(|| summary.course.direction()).flatten()
}

/// The key that makes cells of a column read as missing.
fn missing_in(name: &str, texts: &[&str]) -> String {
    format!("`missing_in = {{ {} = {texts:?} }}`", toml_key(name))
}

/// Cells that do not fit their column.
fn about_cells(column: &Column, warnings: &mut Vec<Warning>) {
    let (name, counts) = (column.name(), &column.summary.counts);
    let num_words = counts.values() - counts.numbers;
    let words: Vec<String> = column
        .summary
        .words
        .iter()
        .map(|(word, line)| format!("{:?} (line {line})", shortened(word)))
        .collect();
    let words = list_as_is(&words, " and ");
    let is_numeric = matches!(
        column.description.column_type,
        ColumnType::Number | ColumnType::Integer
    );
    let missing_words = missing_words(column.summary);
    if counts.decimal_commas > 0 && 2 * counts.decimal_commas >= num_words {
        let is_thousands = column
            .summary
            .words
            .iter()
            .all(|(word, _)| is_like_thousands(word));
        let remedy = match is_thousands {
            true => {
                "Write them without commas if these stand between thousands; set `decimal = \",\"` if they are decimal commas."
            }
            false => "Set `decimal = \",\"`.",
        };
        warnings.push(Warning::new(
            Subject::Cells,
            format!(
                "{name:?}: {} numbers are written with commas, such as {words}. {remedy}",
                counts.decimal_commas
            ),
        ));
    } else if !missing_words.is_empty() {
        let is_among_others = !column.description.other_texts.is_empty();
        warnings.push(Warning::new(
            match is_among_others {
                true => Subject::TextsAmongNumbers,
                false => Subject::Cells,
            },
            format!(
                "{name:?}: {} may mean that the value is missing. If so, set {}.",
                list(&missing_words, " and "),
                missing_in(name, &missing_words)
            ),
        ));
    } else if is_numeric && num_words > 0 {
        let cells = if num_words == 1 {
            "1 cell is not"
        } else {
            &format!("{num_words} are not")
        };
        warnings.push(Warning::new(Subject::TextsAmongNumbers, format!(
            "{name:?}: {} cells are numbers, {cells}: {words}. Correct them, let them read as missing with {}, or set \
             `types.{name:?} = \"category\"`.",
            counts.numbers,
            missing_in(name, &column.other_texts()),
        )));
    } else if !column.description.other_texts.is_empty() {
        let texts = column.other_texts();
        let (dates, others) = (counts.dates(), list(&texts, " and "));
        warnings.push(Warning::new(Subject::TextsAmongNumbers, format!(
            "{name:?}: {dates} cells are dates, others are not: {others}. Correct them, or let them read as missing with {}.",
            missing_in(name, &texts),
        )));
    }
    if column.description.useless == Some(Useless::OtherNotation)
        && let Some(notation) = counts.notation()
    {
        warnings.push(Warning::new(
            Subject::Cells,
            format!(
                "{name:?}: numbers such as {:?} are not read as numbers, because they {}. Until then, leave the column out \
                 with `drop = [{name:?}]`.",
                counts.notated.example,
                notation.advice()
            ),
        ));
    }
    if column.description.useless == Some(Useless::UnreadDates) {
        let example = column
            .description
            .examples
            .first()
            .map_or("", String::as_str);
        warnings.push(Warning::new(
            Subject::Cells,
            format!(
                "{name:?}: dates such as {example:?} are not read as dates. Write them as 2024-03-05 or 2024-03-05 14:30. Until \
                 then, leave the column out with `drop = [{name:?}]`."
            ),
        ));
    }
    for stand_in in stand_ins(column.description.column_type, column.summary) {
        let [least, most] = &stand_in.others;
        warnings.push(Warning::new(Subject::Cells, format!(
            "{name:?}: {} cells are {}, far from all others ({least} to {most}). If that means that the value is missing, \
             set {}.",
            stand_in.count,
            stand_in.text,
            missing_in(name, &[&stand_in.text])
        )));
    }
    if column.description.column_type == ColumnType::Date && counts.has_ambiguous_dates() {
        let example = column
            .description
            .examples
            .first()
            .map_or("", String::as_str);
        warnings.push(Warning::new(Subject::AmbiguousDates, format!(
            "{name:?}: dates such as {example:?} can be read with the day or the month first. Write them as \
             year-month-day."
        )));
    }
    let is_category = column.description.column_type == ColumnType::Category || column.is_label;
    if is_category {
        let similar = similar_spellings(column);
        warnings.extend(similar.map(|message| Warning::new(Subject::Cells, message)));
        let values = column.summary.values.iter();
        if let Some(spellings) = mixed_booleans(values.map(|value| value.text.as_str())) {
            warnings.push(Warning::new(
                Subject::Cells,
                format!("{name:?}: {spellings}"),
            ));
        }
    }
}

/// The values of a column that may mean that a value is missing.
fn missing_words(summary: &Summary) -> Vec<&str> {
    let values = summary.values.iter().map(|value| value.text.as_str());
    let words = summary.words.iter().map(|(word, _)| word.as_str());
    // Beside a plus sign, a minus sign is a value.
    let has_plus = summary.values.iter().any(|value| value.text == "+");
    let may_be_missing = |word: &&str| {
        let is_word = MISSING_WORDS.contains(&word.to_lowercase().as_str());
        is_word && !(has_plus && *word == "-") || WORDS_OF_PROGRAMS.contains(word)
    };
    let mut found: Vec<&str> = values.chain(words).filter(may_be_missing).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A sentence about values that are true and false in several spellings; `None` if there is one spelling, or there are other
/// values.
pub(crate) fn mixed_booleans<'a>(values: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut spellings: Vec<&str> = Vec::new();
    let mut has_word = false;
    for value in values {
        let is_number = matches!(value.parse(), Ok(0.0_f64 | 1.0));
        has_word |= !is_number;
        if !is_number && boolean(value).is_none() {
            return None;
        }
        if !spellings
            .iter()
            .any(|known| known.eq_ignore_ascii_case(value))
        {
            spellings.push(value);
        }
    }
    (has_word && spellings.len() > 2).then(|| {
        let spellings = list(&spellings, " and ");
        format!("{spellings} are true and false in several spellings, and each spelling is a value of its own. Write them in one.")
    })
}

/// Categories that differ only in case, blanks, underscores, a point at the end, characters without width, or in whether
/// accents are characters of their own.
fn similar_spellings(column: &Column) -> Option<String> {
    let mut spellings: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for value in &column.summary.values {
        let similar = spellings.entry(without_details(&value.text)).or_default();
        similar.push(&value.text);
    }
    let several = spellings.values().filter(|similar| similar.len() > 1);
    let similar: Vec<String> = several.map(|similar| list(similar, " and ")).collect();
    (!similar.is_empty()).then(|| {
        let similar = list_as_is(&similar, "; ");
        format!("{:?}: some categories are spelled almost alike: {similar}. They are different categories.", column.name())
    })
}

/// A text in lower case without characters that are easily overlooked, and with accents as characters of their own.
fn without_details(text: &str) -> String {
    let has_width = |c: &char| {
        !matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'
        )
    };
    let text = text.to_lowercase();
    let text: String = (text.chars().filter(has_width))
        .flat_map(decomposed)
        .collect();
    let words: Vec<&str> = text
        .trim_end_matches('.')
        .split([' ', '_', '\u{a0}'])
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// A small letter with a frequent accent as the letter and its accent; any other character as it is.
fn decomposed(c: char) -> impl Iterator<Item = char> {
    /// Accents as characters of their own, letters, and the letters with the accent.
    const ACCENTS: [(char, &str, &str); 9] = [
        ('\u{300}', "aeinou", "àèìǹòù"),
        ('\u{301}', "aceilnorsuyz", "áćéíĺńóŕśúýź"),
        ('\u{302}', "aceghijosuwy", "âĉêĝĥîĵôŝûŵŷ"),
        ('\u{303}', "ainou", "ãĩñõũ"),
        ('\u{308}', "aeiouy", "äëïöüÿ"),
        ('\u{30a}', "au", "åů"),
        ('\u{30c}', "cdenrstz", "čďěňřšťž"),
        ('\u{327}', "cklnrst", "çķļņŗşţ"),
        ('\u{328}', "aeiu", "ąęįų"),
    ];
    let found = ACCENTS.iter().find_map(|(accent, letters, composed)| {
        let mut pairs = letters.chars().zip(composed.chars());
        let (letter, _) = pairs.find(|(_, composed)| *composed == c)?;
        Some((letter, Some(*accent)))
    });
    let (letter, accent) = found.unwrap_or((c, None));
    std::iter::once(letter).chain(accent)
}

/// Columns that are equal, or whose values determine each other.
fn equal_columns(columns: &[Column], warnings: &mut Vec<Warning>) {
    let mut equal: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for column in columns.iter().filter(|column| column.varies()) {
        equal
            .entry(column.summary.cells_hash)
            .or_default()
            .push(column.name());
    }
    let mut renamed: BTreeMap<u64, Vec<&Column>> = BTreeMap::new();
    for column in columns {
        let repeats = 2 * column.description.distinct <= column.values();
        if column.varies() && repeats && column.summary.distinct.is_exact() {
            renamed
                .entry(column.summary.codes_hash)
                .or_default()
                .push(column);
        }
    }
    for names in equal.values().filter(|names| names.len() > 1) {
        warnings.push(Warning::new(
            Subject::EqualColumns,
            format!(
                "{} are equal in every row. One of them is enough.",
                list(names, " and ")
            ),
        ));
    }
    for group in renamed.values() {
        let are_equal = group
            .iter()
            .all(|column| column.summary.cells_hash == group[0].summary.cells_hash);
        let has_label = group.iter().any(|column| column.is_label);
        if group.len() > 1 && !are_equal && !has_label {
            let names: Vec<&str> = group.iter().map(|column| column.name()).collect();
            warnings.push(Warning::new(
                Subject::EqualColumns,
                format!(
                    "{} determine each other one to one. One of them is enough.",
                    list(&names, " and ")
                ),
            ));
        }
    }
}

/// Names in quotes; only the first few of many.
fn list(names: &[&str], last: &str) -> String {
    let quoted = names.iter().map(|name| format!("{:?}", shortened(name)));
    let quoted: Vec<String> = quoted.collect();
    list_as_is(&quoted, last)
}

/// Texts as `a, b and c`; only the first few of many.
fn list_as_is(texts: &[String], last: &str) -> String {
    match texts {
        [] => String::new(),
        [one] => one.clone(),
        _ if texts.len() > MAX_NAMED => {
            format!(
                "{} and {} more",
                texts[..MAX_NAMED].join(", "),
                texts.len() - MAX_NAMED
            )
        }
        [start @ .., end] => format!("{}{last}{end}", start.join(", ")),
    }
}
