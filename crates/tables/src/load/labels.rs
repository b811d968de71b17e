//! The labels of a table: classes or numbers.

use std::collections::BTreeMap;

use emberlab_menu::{Problem, nearest_name};

use super::Label;
use crate::columns::ColumnType;
use crate::columns::cell::{self, DateOrder, Decimal};
use crate::columns::cell_format::{CellFormat, is_word, toml_key};
use crate::columns::interner::{Interner, sorted};
use crate::columns::notation::{Notated, Notation};
use crate::config::{MissingLabels, TableConfig, TableTask};
use crate::description::mixed_booleans;
use crate::error::TableError;
use crate::files::Row;

/// The most lines that a message names.
const MOST_LINES: usize = 5;

/// Up to this number of different numbers are always accepted as classes.
const FEW_NUMBERS: usize = 20;

/// More different numbers than this are never classes, however many rows there are.
const MANY_NUMBERS: usize = 1000;

/// The number of rows that each class needs at least, if many classes are numbers.
const ROWS_PER_NUMBER: usize = 10;

/// More different texts than this need two rows each to be classes.
const MANY_TEXTS: usize = 100;

/// Up to this number of different dates or numbers in another notation are always accepted as classes.
const FEW_AMOUNTS: usize = 10;

/// Units and currencies, in lower case. Of `mg/dl` and `km/h` the parts are here.
const UNITS: [&str; 92] = [
    "m", "km", "dm", "cm", "mm", "µm", "nm", "mi", "mile", "miles", "ft", "foot", "feet", "in",
    "inch", "inches", "yd", "g", "kg", "mg", "µg", "t", "lb", "lbs", "oz", "s", "sec", "secs",
    "ms", "min", "mins", "h", "hr", "hrs", "hour", "hours", "day", "days", "week", "weeks",
    "month", "months", "yr", "yrs", "year", "years", "l", "ml", "cl", "dl", "gal", "c", "f", "k",
    "pa", "hpa", "kpa", "bar", "psi", "mmhg", "hz", "khz", "mhz", "ghz", "v", "mv", "ma", "w",
    "kw", "mw", "kwh", "j", "kj", "cal", "kcal", "mol", "mmol", "kb", "mb", "gb", "tb", "kph",
    "kmh", "mph", "ha", "pct", "usd", "eur", "gbp", "chf", "jpy", "rs",
];

/// Collects the labels of the rows.
pub(super) struct LabelReader {
    /// The places of the label columns.
    places: Vec<usize>,
    names: Vec<String>,
    labels: Labels,
    num_missing: usize,
    /// The first lines whose label is missing.
    missing_lines: Vec<u64>,
    /// The words among the missing labels, and how often each stands there.
    missing_words: BTreeMap<String, usize>,
    /// Whether a label is no number.
    has_words: bool,
}

enum Labels {
    Classes { texts: Interner, codes: Vec<u32> },
    Values(Vec<f64>),
}

impl LabelReader {
    pub(super) fn new(config: &TableConfig, columns: &[String], places: &[usize]) -> Self {
        Self {
            places: places.to_vec(),
            names: places.iter().map(|&place| columns[place].clone()).collect(),
            labels: match config.task {
                TableTask::Classification => Labels::Classes {
                    texts: Interner::default(),
                    codes: Vec::new(),
                },
                TableTask::Regression => Labels::Values(Vec::new()),
            },
            num_missing: 0,
            missing_lines: Vec::new(),
            missing_words: BTreeMap::new(),
            has_words: false,
        }
    }

    /// Adds the label of a row; `false` if it is missing.
    ///
    /// # Errors
    /// [`TableError::Cell`] if the label of a regression is not a number.
    pub(super) fn push(&mut self, row: &Row<'_>, cells: &CellFormat) -> Result<bool, TableError> {
        let labels = self.places.iter().zip(&self.names);
        let mut texts = labels.map(|(&place, name)| (name, row.cell(place)));
        if let Some((_, text)) = texts.find(|(name, text)| cells.is_missing(name, text)) {
            self.num_missing += 1;
            if is_word(text) {
                *self.missing_words.entry(text.to_owned()).or_default() += 1;
            }
            if self.missing_lines.len() < MOST_LINES {
                self.missing_lines.push(row.line);
            }
            return Ok(false);
        }
        match &mut self.labels {
            Labels::Classes { texts, codes } => {
                if let Some(&place) = self.places.first() {
                    let text = row.cell(place);
                    self.has_words = self.has_words || cells.number(text).is_none();
                    codes.push(texts.code(text));
                }
            }
            Labels::Values(values) => {
                for (&place, name) in self.places.iter().zip(&self.names) {
                    let text = row.cell(place);
                    let Some(number) = cells.number(text) else {
                        let expected = cells.instead_of_number(name, text);
                        return Err(cells.error(row.line, name, text, expected));
                    };
                    values.push(number);
                }
            }
        }
        Ok(true)
    }

    /// The labels of all rows, of which there are `num_rows`.
    ///
    /// # Errors
    /// [`TableError`] if there are no rows, labels are missing, or they are not what the task expects.
    pub(super) fn finish(
        self,
        config: &TableConfig,
        cells: &CellFormat,
        num_rows: usize,
        notes: &mut Vec<String>,
    ) -> Result<Label, TableError> {
        if self.num_missing > 0 {
            let message = self.missing_message();
            match config.missing_labels {
                MissingLabels::Error => {
                    let words = self.missing_words_message(config);
                    return Err(config.unusable(format!(
                        "{message}: fill it in, or leave such rows out with `missing_labels = \"drop\"`{words}"
                    )));
                }
                MissingLabels::Drop => {
                    let words = self.missing_words_message(config);
                    notes.push(format!("{message} left out{words}"));
                }
            }
        }
        if num_rows == 0 {
            return Err(config.unusable(match self.num_missing {
                0 => "there are no rows".to_owned(),
                _ => "no row has a label".to_owned(),
            }));
        }
        match self.labels {
            Labels::Values(values) => Ok(Label::Values {
                values,
                names: self.names,
            }),
            Labels::Classes { texts, codes } => {
                let column = self.names.first().map(String::as_str).unwrap_or_default();
                classes(config, cells, column, texts, codes, notes)
            }
        }
    }

    /// The words that read as missing, and the key that makes them labels; empty if there are none, or labels are numbers.
    fn missing_words_message(&self, config: &TableConfig) -> String {
        let words = self.missing_words.iter();
        let words: Vec<String> = words
            .filter(|(word, _)| config.missing.contains(word))
            .map(|(word, count)| format!("{word:?} ({count})"))
            .collect();
        if words.is_empty() || !self.has_words {
            return String::new();
        }
        let is_other = |text: &&String| !self.missing_words.contains_key(*text);
        let others: Vec<&String> = config.missing.iter().filter(is_other).collect();
        let words = words.join(" and ");
        format!("; to keep {words} as labels, set `missing = {others:?}`")
    }

    fn missing_message(&self) -> String {
        let mut lines: Vec<String> = self.missing_lines.iter().map(u64::to_string).collect();
        let more = self.num_missing - lines.len();
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        let rows = if self.num_missing == 1 { "row" } else { "rows" };
        let line = if self.num_missing == 1 {
            "line"
        } else {
            "lines"
        };
        let names: Vec<String> = self.names.iter().map(|name| format!("{name:?}")).collect();
        format!(
            "{} {rows} without a label in column {} ({line} {})",
            self.num_missing,
            names.join(" or "),
            lines.join(", ")
        )
    }
}

/// Numbers the classes: in numeric order if all are numbers, else in alphabetic order, the positive one last.
fn classes(
    config: &TableConfig,
    cells: &CellFormat,
    column: &str,
    texts: Interner,
    mut codes: Vec<u32>,
    notes: &mut Vec<String>,
) -> Result<Label, TableError> {
    let (spellings, alphabetic) = sorted(texts.into_texts());
    let numbers: Option<Vec<f64>> = spellings.iter().map(|text| cells.number(text)).collect();
    let (mut names, class_of_spelling) = match &numbers {
        Some(numbers) => merged_by_value(&spellings, numbers),
        None => {
            let count = u32::try_from(spellings.len()).unwrap_or(u32::MAX);
            (spellings, (0..count).collect())
        }
    };
    let is_insisted = config.types.get(column) == Some(&ColumnType::Category);
    if !is_insisted {
        check_number_of_classes(
            config,
            cells,
            column,
            &names,
            numbers.as_deref(),
            codes.len(),
        )?;
    }
    if let Some(spellings) = mixed_booleans(names.iter().map(String::as_str)) {
        notes.push(format!("the label {column:?}: {spellings}"));
    }
    for code in &mut codes {
        *code = class_of_spelling[alphabetic[*code as usize] as usize];
    }
    if let Some(positive) = &config.positive {
        make_last(cells, positive, &mut names, &mut codes)?;
    }
    Ok(Label::Classes {
        labels: codes,
        names,
    })
}

/// Merges spellings of equal numbers, such as 1 and 1.0: the names of the classes in numeric order, each the shortest
/// spelling, and the class of each spelling. Numbers are compared as they are written, because f64 cannot tell all whole
/// numbers beyond 2⁵³ apart.
fn merged_by_value(spellings: &[String], numbers: &[f64]) -> (Vec<String>, Vec<u32>) {
    let decimals: Vec<Decimal> = spellings.iter().map(|text| Decimal::of(text)).collect();
    let mut order: Vec<usize> = (0..spellings.len()).collect();
    order.sort_by(|&a, &b| {
        let values = (numbers[a] + 0.0).total_cmp(&(numbers[b] + 0.0));
        let decimals = decimals[a].cmp(&decimals[b]);
        let lengths = spellings[a].len().cmp(&spellings[b].len());
        let texts = spellings[a].cmp(&spellings[b]);
        values.then(decimals).then(lengths).then(texts)
    });
    let mut names: Vec<String> = Vec::new();
    let mut last = None;
    let mut classes = vec![0; spellings.len()];
    for place in order {
        if last != Some(&decimals[place]) {
            last = Some(&decimals[place]);
            names.push(spellings[place].clone());
        }
        classes[place] = u32::try_from(names.len() - 1).unwrap_or(u32::MAX);
    }
    (names, classes)
}

/// Refuses labels that look like a quantity, or like names of rows.
fn check_number_of_classes(
    config: &TableConfig,
    cells: &CellFormat,
    column: &str,
    names: &[String],
    numbers: Option<&[f64]>,
    num_rows: usize,
) -> Result<(), TableError> {
    let count = names.len();
    let key = toml_key(column);
    let insist = format!("`types = {{ {key} = \"category\" }}`");
    if let Some(numbers) = numbers {
        let is_whole = numbers.iter().all(|number| number.fract() == 0.0);
        let is_sparse = num_rows / count.max(1) < ROWS_PER_NUMBER;
        if count > MANY_NUMBERS || count > FEW_NUMBERS && (!is_whole || is_sparse) {
            return Err(config.unusable(format!(
                "the label {column:?} holds {count} different numbers: did you mean `task = \"regression\"`? \
                 {insist} makes each number a class"
            )));
        }
        return Ok(());
    }
    let is_number = |name: &&String| cells.number(name).is_some();
    let num_numbers = names.iter().filter(is_number).count();
    let with_other_mark = names
        .iter()
        .filter(|name| cells.has_other_decimal_mark(name))
        .count();
    if with_other_mark > 0 && with_other_mark + num_numbers == count && count > FEW_NUMBERS {
        let mark = cells.other_decimal_mark();
        return Err(config.unusable(format!(
            "the label {column:?} holds {count} different numbers with {mark:?}: if it is their decimal mark, set \
             `decimal = \"{mark}\"` and `task = \"regression\"`; {insist} makes each text a class"
        )));
    }
    if num_numbers > FEW_NUMBERS && 20 * num_numbers >= 19 * count {
        let words = names
            .iter()
            .filter(|name| cell::number(name, cells.decimal).is_none());
        let words: Vec<&String> = words.take(MOST_LINES).collect();
        return Err(config.unusable(format!(
            "the label {column:?} holds {num_numbers} different numbers, and also {words:?}: did you mean \
             `task = \"regression\"`, with these texts in `missing`? {insist} makes each text a class"
        )));
    }
    if count > FEW_AMOUNTS {
        let mut notated = Notated::default();
        names.iter().for_each(|name| notated.add(name));
        if let Some(notation) = notated
            .of_column(num_numbers as u64, count as u64)
            .filter(are_amounts)
        {
            return Err(config.unusable(format!(
                "the label {column:?} holds {count} different numbers such as {:?}, which {}, and set \
                 `task = \"regression\"`; {insist} makes each text a class",
                notated.example,
                notation.advice()
            )));
        }
        let is_date = |name: &&String| {
            let orders = [DateOrder::DayFirst, DateOrder::MonthFirst];
            orders
                .iter()
                .any(|&order| cell::date(name, order).is_some())
        };
        let num_dates = names.iter().filter(is_date).count();
        if 20 * num_dates >= 19 * count {
            let example = names.iter().find(is_date).map_or("", String::as_str);
            return Err(config.unusable(format!(
                "the label {column:?} holds {count} different dates such as {example:?}: write them as numbers, such as \
                 days, and set `task = \"regression\"`; {insist} makes each date a class"
            )));
        }
    }
    if count > MANY_TEXTS && num_rows < 2 * count {
        return Err(config.unusable(format!(
            "the label {column:?} holds {count} different texts in {num_rows} rows, too few rows for each to be a class; \
             {insist} makes each text a class all the same"
        )));
    }
    Ok(())
}

/// Whether numbers in a notation are amounts. Numbers with different texts are, if these are units, currencies or marks
/// such as `%`; others are names of classes, such as `1st` and `2nd`. So are single letters alone, as in `1g` and `1h`.
fn are_amounts(notation: &Notation) -> bool {
    let Notation::Mixed(affixes) = notation else {
        return true;
    };
    let is_unit = |word: &str| word.is_empty() || UNITS.contains(&word.to_lowercase().as_str());
    let are_units = |affix: &String| affix.split(|c: char| !c.is_alphabetic()).all(is_unit);
    let is_letter =
        |affix: &String| affix.chars().count() == 1 && affix.chars().all(char::is_alphabetic);
    affixes.iter().all(are_units) && !affixes.iter().all(is_letter)
}

/// Makes the class `positive` the last of two.
fn make_last(
    cells: &CellFormat,
    positive: &str,
    names: &mut [String],
    labels: &mut [u32],
) -> Result<(), TableError> {
    let problem = |expected: String| Problem::new("positive", format!("{positive:?}"), expected);
    let decimal = |text: &str| cells.number(text).map(|_| Decimal::of(text));
    let is_positive = |name: &String| {
        let value = decimal(name);
        name == positive || value.is_some() && value == decimal(positive)
    };
    let Some(place) = names.iter().position(is_positive) else {
        let near = nearest_name(positive, names.iter().map(String::as_str));
        let hint = near.map_or(String::new(), |near| format!("; did you mean {near:?}?"));
        let list = super::roles::shortened_list(names).join(", ");
        return Err(problem(format!("one of the classes {list}{hint}")).into());
    };
    if names.len() != 2 {
        let expected = format!("no value, as there are {} classes, not two", names.len());
        return Err(problem(expected).into());
    }
    if place == 0 {
        names.swap(0, 1);
        for label in labels {
            *label = 1 - *label;
        }
    }
    Ok(())
}
