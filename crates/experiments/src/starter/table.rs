//! How a table is read, and which of its columns are features.

use std::collections::BTreeMap;
use std::path::Path;

use emberlab_datasets::DatasetConfig;
use emberlab_tables::{
    Categories, ColumnDescription, ColumnType, Dates, FormatConfig, Impute, ImputeCategory,
    ImputeNumber, MissingLabels, Subject, TableConfig, TableDescription, TableError, TableTask,
    UnseenCategories, Useless, describe,
};

use super::comments::Comments;
use super::training::{self, Learnt};
use super::{Starter, experiment_name, label, table_error};
use crate::error::ExperimentError;

/// A category with fewer rows than this may have none among the training rows.
const RARE: u64 = 10;

/// The largest number of features whose types are all written out.
const MOST_TYPES: usize = 100;

/// Of so many labels, more than one word that reads as missing may be a class.
const FEW_LABELS: u64 = 20;

/// Dates that span fewer days than this are days alone. Those that span more, or have times, are given as parts, so that
/// the network sees seasons and hours.
const DAYS_OF_PARTS: f64 = 60.0;

/// With more rows than this for each value, whole numbers in a column that is named like an identifier are categories.
const ROWS_PER_CODE: u64 = 20;

/// With fewer rows than this for each value, whole numbers are no codes.
const LEAST_ROWS_PER_CODE: u64 = 5;

/// A column that is left out says by its missing values alone, if at least one in so many is missing and one in so many is
/// not.
const PRESENCE_SHARE: u64 = 20;

/// A share of missing numbers above which the network also sees which of them are missing.
const MUCH_MISSING: f64 = 0.05;

/// An experiment that learns the column `label` of a table.
pub(super) fn starter(
    path: &Path,
    format: &FormatConfig,
    label: &str,
    task: Option<TableTask>,
) -> Result<Starter, ExperimentError> {
    let (description, missing) = described(path, format.clone(), label).map_err(table_error)?;
    let mut draft = Draft::new(path, label, task, &description, &missing)?;
    let (dataset, learnt) = draft.dataset(task);
    let rows = draft.num_labelled;
    let config = training::experiment(
        experiment_name(path),
        DatasetConfig::Csv(dataset),
        training::mlp(),
        &learnt,
        rows,
        &mut draft.comments,
    );
    Ok(Starter {
        config,
        notes: draft.notes,
        warnings: draft.warnings,
        comments: draft.comments,
    })
}

/// The description of the table, and the cells that read as missing: unless the user lists them, those that programs write
/// where nothing is known are among them.
fn described(
    path: &Path,
    mut format: FormatConfig,
    label: &str,
) -> Result<(TableDescription, Vec<String>), TableError> {
    let mut description = describe(path, &format, Some(label))?;
    if let Some(other) = with_decimal_comma(path, &format, label, &description)? {
        format.decimal = Some(',');
        description = other;
    }
    if format.missing == FormatConfig::default().missing {
        let columns = description.columns.iter();
        let mut words: Vec<String> = columns
            .flat_map(|column| column.missing_words_of_programs.clone())
            .collect();
        words.sort_unstable();
        words.dedup();
        if !words.is_empty() {
            format.missing.append(&mut words);
            description = describe(path, &format, Some(label))?;
        }
    }
    Ok((description, format.missing))
}

/// The description of the table with decimal commas, if it is open which decimal mark there is, and more cells are numbers
/// then: the mark is detected from the first rows alone.
fn with_decimal_comma(
    path: &Path,
    format: &FormatConfig,
    label: &str,
    description: &TableDescription,
) -> Result<Option<TableDescription>, TableError> {
    let has_commas = |column: &ColumnDescription| column.decimal_commas > 0;
    if format.decimal.is_some() || !description.columns.iter().any(has_commas) {
        return Ok(None);
    }
    let format = FormatConfig {
        decimal: Some(','),
        ..format.clone()
    };
    let other = describe(path, &format, Some(label))?;
    let num_fitting = |description: &TableDescription| {
        let numbers = description
            .columns
            .iter()
            .filter(|column| is_number(column.column_type));
        let texts: u64 = numbers
            .clone()
            .map(|column| column.rows_with_other_texts)
            .sum();
        (numbers.count(), std::cmp::Reverse(texts))
    };
    Ok((num_fitting(&other) > num_fitting(description)).then_some(other))
}

/// A column that is a feature.
#[derive(Clone, Copy)]
struct Feature<'a> {
    column: &'a ColumnDescription,
    /// Its type as a feature, which may be another one than that of its cells.
    column_type: ColumnType,
}

impl<'a> Feature<'a> {
    /// A column of `rows` rows as a feature: whole numbers may be dates, or codes of at most `limit` categories.
    fn new(column: &'a ColumnDescription, rows: u64, limit: u64) -> Self {
        let values = rows - column.missing;
        let per_value = values / column.distinct.max(1);
        let are_codes = column.distinct <= limit
            && (column.are_padded_codes && per_value >= LEAST_ROWS_PER_CODE
                || column.may_be_group && per_value >= ROWS_PER_CODE);
        let column_type = match column.column_type {
            ColumnType::Integer if column.days.is_some() => ColumnType::Date,
            ColumnType::Integer if are_codes => ColumnType::Category,
            column_type => column_type,
        };
        Self {
            column,
            column_type,
        }
    }

    fn is_category(&self) -> bool {
        self.column_type == ColumnType::Category
    }

    /// Whether texts among its numbers or dates read as missing.
    fn has_other_texts(&self) -> bool {
        let reads_texts = is_number(self.column_type) || self.column_type == ColumnType::Date;
        reads_texts && !self.column.other_texts.is_empty()
    }

    /// The number of rows in which it is missing, or a text among numbers or dates.
    fn num_missing(&self) -> u64 {
        match self.column_type {
            // It says where a value is missing, and is never missing itself.
            ColumnType::Presence => 0,
            ColumnType::Category => self.column.missing,
            _ => self.column.missing + self.column.rows_with_other_texts,
        }
    }
}

fn is_number(column_type: ColumnType) -> bool {
    matches!(column_type, ColumnType::Number | ColumnType::Integer)
}

/// The choices for a table, while they are made.
struct Draft<'a> {
    path: &'a Path,
    description: &'a TableDescription,
    label: &'a ColumnDescription,
    task: TableTask,
    /// Cells that read as missing.
    missing: &'a [String],
    /// The number of rows that have a label.
    num_labelled: u64,
    comments: Comments,
    notes: Vec<String>,
    warnings: Vec<String>,
}

impl<'a> Draft<'a> {
    fn new(
        path: &'a Path,
        name: &str,
        task: Option<TableTask>,
        description: &'a TableDescription,
        missing: &'a [String],
    ) -> Result<Self, ExperimentError> {
        let unusable = |message: String| {
            let path = path.to_owned();
            table_error(TableError::Unusable { path, message })
        };
        let mut columns = description.columns.iter();
        let Some(label) = columns.find(|column| column.name == name) else {
            return Err(unusable(format!("there is no column {name:?}")));
        };
        // A user who lists the cells that read as missing has answered this question.
        if missing.starts_with(&FormatConfig::default().missing)
            && let Some(message) = label_of_missing_words(label, description.rows)
        {
            return Err(unusable(message));
        }
        let task = task.unwrap_or_else(|| label::infer_task(label, description));
        match (description.rows, label.distinct) {
            (0, _) => return Err(unusable("there are no rows".to_owned())),
            (_, 0) => return Err(unusable(format!("no row has a label {name:?}"))),
            (_, 1) => {
                let value = label.examples.first().map_or("", String::as_str);
                return Err(unusable(format!(
                    "the label {name:?} is {value:?} in all rows, so there is nothing to learn"
                )));
            }
            _ => {}
        }
        // A choice that the configuration states or settles needs no warning. A user who names a column by its place
        // knows that there is no header.
        let is_open = |subject: Subject| match subject {
            Subject::MissingLabels | Subject::UselessColumns | Subject::TextsAmongNumbers => false,
            Subject::Header => description.format.header,
            Subject::RareClasses => task == TableTask::Classification,
            _ => true,
        };
        let warnings = description.warnings.iter();
        let warnings = warnings.filter(|warning| is_open(warning.subject));
        Ok(Self {
            path,
            description,
            label,
            task,
            missing,
            num_labelled: description.rows - label.missing,
            comments: Comments::new(format!(
                "Learns {name:?} from the other columns of {}, {} rows.\n\
                 Written by `emberlab new` from what the table holds. Every line can be changed.",
                path.display(),
                description.rows,
            )),
            notes: Vec::new(),
            warnings: warnings.map(|warning| warning.message.clone()).collect(),
        })
    }

    /// The data set, and what is learnt.
    fn dataset(&mut self, task: Option<TableTask>) -> (TableConfig, Learnt) {
        let mut config = TableConfig::new(self.path, self.label.name.clone());
        self.read(&mut config);
        let learnt = self.learn(&mut config, task);
        let features = self.choose_features(&mut config);
        self.write_types(&mut config, &features);
        self.divide_dates(&mut config, &features);
        self.read_texts_as_missing(&mut config, &features);
        self.replace_missing(&mut config, &features);
        self.accept_rare_categories(&mut config, &features);
        (config, learnt)
    }

    /// The format of the file as it was found.
    fn read(&mut self, config: &mut TableConfig) {
        let format = &self.description.format;
        config.header = Some(format.header);
        config.delimiter = format.delimiter;
        config.quote = format.quote;
        config.decimal = format.decimal;
        config.missing = self.missing.to_vec();
        let columns = "The first line is a row, not the names of the columns.";
        if !format.header {
            self.comments.beside(&["dataset", "header"], columns);
        }
    }

    /// The task, the classes, and rows without a label.
    fn learn(&mut self, config: &mut TableConfig, task: Option<TableTask>) -> Learnt {
        let label = self.label;
        let name = &label.name;
        config.task = self.task;
        let task_key = ["dataset", "task"];
        if label.missing > 0 {
            config.missing_labels = MissingLabels::Drop;
            let rows = count(label.missing, "row has", "rows have");
            let key = ["dataset", "missing_labels"];
            self.comments.beside(&key, format!("{rows} no label"));
            let words = label.missing_words.iter();
            let words: Vec<String> = words.map(|word| format!("{:?}", word.name)).collect();
            let words = match words.as_slice() {
                [] => String::new(),
                words => format!(" ({} reads as missing)", words.join(", ")),
            };
            let are = if label.missing == 1 { "is" } else { "are" };
            self.notes
                .push(format!("{rows} no label{words}, and {are} left out"));
        }
        if config.task == TableTask::Regression {
            let range = range(label);
            self.notes.push(format!(
                "{name:?} holds {} different numbers{range}: regression",
                label.distinct
            ));
            let remark = format!("{} different numbers{range}", label.distinct);
            self.comments.beside(&task_key, remark);
            if !label.other_texts.is_empty() {
                config.missing_labels = MissingLabels::Drop;
            }
            return Learnt::Numbers;
        }
        let classes = &self.description.classes;
        let mut shown: Vec<String> = classes
            .iter()
            .take(10)
            .map(|class| format!("{:?} ({})", displayed(&class.name), class.rows))
            .collect();
        if classes.len() > shown.len() {
            shown.push("…".to_owned());
        }
        let list = match shown.is_empty() {
            true => String::new(),
            false => format!(": {}", shown.join(", ")),
        };
        let found = format!("{} classes{list}", label.distinct);
        self.comments.beside(&task_key, &found);
        self.notes.push(format!("{name:?} holds {found}"));
        if label.min.is_some() && label.distinct > 2 && task.is_none() {
            self.notes.push(
                "the classes are numbers; if they are amounts or grades, `--task regression` learns them as such"
                    .to_string(),
            );
        }
        if label::is_amount(label, self.description) {
            let _ = config.types.insert(name.clone(), ColumnType::Category);
        }
        let mut rows: Vec<u64> = classes.iter().map(|class| class.rows).collect();
        if let Some((positive, reason)) = label::positive(classes) {
            config.positive = Some(positive.name.clone());
            let key = ["dataset", "positive"];
            let remark = format!("the class whose probability is predicted; {reason}");
            self.comments.beside(&key, remark);
            self.notes.push(format!(
                "the positive class is {:?}: {reason}",
                displayed(&positive.name)
            ));
            if positive.name == classes[0].name {
                rows.reverse();
            }
        }
        Learnt::Classes {
            count: label.distinct,
            rows,
        }
    }

    /// The columns that are features; the others are dropped, with the reason.
    fn choose_features(&mut self, config: &mut TableConfig) -> Vec<Feature<'a>> {
        let limit = config.categories.limit as u64;
        let rows = self.description.rows;
        let mut features = Vec::new();
        let (mut dropped, mut reduced) = (Vec::new(), Vec::new());
        for column in &self.description.columns {
            if column.name == self.label.name {
                continue;
            }
            match reason_to_drop(column, limit) {
                Some(reason) if is_present_now_and_then(column, rows) => {
                    reduced.push(format!("{:?} ({reason})", column.name));
                    features.push(Feature {
                        column,
                        column_type: ColumnType::Presence,
                    });
                }
                Some(reason) => {
                    let place = config.drop.len().to_string();
                    self.comments.beside(&["dataset", "drop", &place], &reason);
                    config.drop.push(column.name.clone());
                    dropped.push(format!("{:?} ({reason})", column.name));
                }
                None => features.push(Feature::new(column, rows, limit)),
            }
        }
        if !dropped.is_empty() {
            self.notes
                .push(format!("left out: {}", shortened(&dropped, 10)));
        }
        if !reduced.is_empty() {
            self.notes.push(format!(
                "the network sees only whether there is a value: {}",
                shortened(&reduced, 10)
            ));
        }
        self.notes.push(format!(
            "{} of {} rows {} the label",
            count(features.len() as u64, "column", "columns"),
            self.num_labelled,
            if features.len() == 1 {
                "predicts"
            } else {
                "predict"
            }
        ));
        features
    }

    /// The types of the features as they were found, with a remark about the content of each.
    fn write_types(&mut self, config: &mut TableConfig, features: &[Feature<'_>]) {
        let are_few = features.len() <= MOST_TYPES;
        let limit = config.categories.limit as u64;
        let rows = self.description.rows;
        self.comments.above(
            &["dataset", "types"],
            match are_few {
                true => "The types of the features as they were found. Correct what is wrong."
                    .to_owned(),
                false => format!(
                    "The types of the features as they were found, but for {} columns of numbers.",
                    (features.iter())
                        .filter(|feature| is_number(feature.column_type))
                        .count()
                ),
            },
        );
        for feature in features {
            let Feature {
                column,
                column_type,
            } = *feature;
            let key = ["dataset", "types", &column.name];
            if are_few || !is_number(column_type) {
                let _ = config.types.insert(column.name.clone(), column_type);
                self.comments.beside(&key, content(feature, rows, limit));
            }
            if let Some(remark) = careful(column) {
                self.comments.above(&key, format!("CAREFUL: {remark}"));
                let _ = config.types.insert(column.name.clone(), column_type);
            }
            if column.useless == Some(Useless::RowNumbers) {
                self.warnings.extend(careful(column));
            }
        }
    }

    /// Dates as parts where they have times or seasons.
    fn divide_dates(&mut self, config: &mut TableConfig, features: &[Feature<'_>]) {
        let describe = |feature: &Feature<'_>| {
            let name = &feature.column.name;
            let [first, last] = feature.column.days?;
            if feature.column_type != ColumnType::Date {
                return None;
            }
            if feature.column.has_times {
                return Some(format!("{name:?} has times"));
            }
            let days = last.floor() - first.floor();
            (days >= DAYS_OF_PARTS).then(|| format!("{name:?} spans {days} days"))
        };
        let reasons: Vec<String> = features.iter().filter_map(describe).collect();
        if reasons.is_empty() {
            return;
        }
        config.dates = Dates::Parts;
        let reasons = shortened(&reasons, 5);
        let remark = format!("year, month, day, weekday and, with times, the hour: {reasons}");
        self.comments.beside(&["dataset", "dates"], remark);
        self.notes.push(format!(
            "dates become year, month, day, weekday and, with times, the hour: {reasons}"
        ));
    }

    /// The texts among numbers or dates, which read as missing: everywhere, or only there if they are values of another
    /// column.
    fn read_texts_as_missing(&mut self, config: &mut TableConfig, features: &[Feature<'_>]) {
        let is_learnt_as_number = config.task == TableTask::Regression;
        let features = features.iter().filter(|feature| feature.has_other_texts());
        let columns = features.map(|feature| feature.column);
        let columns = columns.chain(is_learnt_as_number.then_some(self.label));
        let mut with_texts = Vec::new();
        for column in columns.filter(|column| !column.other_texts.is_empty()) {
            let quoted = column.other_texts.iter().map(|text| format!("{text:?}"));
            let quoted: Vec<String> = quoted.collect();
            with_texts.push(format!("{} in {:?}", shortened(&quoted, 5), column.name));
            for text in &column.other_texts {
                let missing = match column.texts_of_other_columns.contains(text) {
                    true => config.missing_in.entry(column.name.clone()).or_default(),
                    false => &mut config.missing,
                };
                if !missing.contains(text) {
                    missing.push(text.clone());
                }
            }
        }
        if with_texts.is_empty() {
            return;
        }
        let texts = shortened(&with_texts, 5);
        let remark = format!("Texts among numbers or dates read as missing: {texts}.");
        self.warnings.push(remark.clone());
        self.comments.above(&["dataset", "missing"], remark);
        if !config.missing_in.is_empty() {
            self.comments.above(
                &["dataset", "missing_in"],
                "Texts that read as missing in one column, and are values of another.",
            );
        }
    }

    /// The values that replace missing ones.
    fn replace_missing(&mut self, config: &mut TableConfig, features: &[Feature<'_>]) {
        let missing = features.iter().copied();
        let missing = missing.filter(|feature| feature.num_missing() > 0);
        let (categories, numbers): (Vec<Feature<'_>>, Vec<Feature<'_>>) =
            missing.partition(|feature| feature.is_category());
        let list = |features: &[Feature<'_>]| {
            let each = features
                .iter()
                .map(|feature| format!("{:?} ({})", feature.column.name, feature.num_missing()));
            shortened(&each.collect::<Vec<_>>(), 10)
        };
        let mut impute = Impute::default();
        if !numbers.is_empty() {
            impute.number = ImputeNumber::Median;
            let columns = list(&numbers);
            self.comments.beside(
                &["dataset", "impute", "number"],
                format!("missing in {columns}"),
            );
            self.notes
                .push(format!("missing numbers become the median: {columns}"));
        }
        let rows = self.description.rows as f64;
        let says_much = |feature: &Feature<'_>| {
            feature.column.distinct == 1 || feature.num_missing() as f64 > MUCH_MISSING * rows
        };
        let much_missing: Vec<Feature<'_>> = numbers.iter().copied().filter(says_much).collect();
        if !much_missing.is_empty() {
            impute.indicators = true;
            let columns = list(&much_missing);
            self.comments.beside(
                &["dataset", "impute", "indicators"],
                format!("that a value is missing may say something: {columns}"),
            );
            self.notes.push(format!(
                "a second feature says where a number is missing, as in {columns}"
            ));
        }
        if !categories.is_empty() {
            impute.category = ImputeCategory::Own;
            let columns = list(&categories);
            self.comments.beside(
                &["dataset", "impute", "category"],
                format!("missing in {columns}"),
            );
            self.notes.push(format!(
                "missing categories become a category of their own: {columns}{}",
                words_read_as_missing(&categories)
            ));
        }
        if impute != Impute::default() {
            self.comments.above(
                &["dataset", "impute"],
                "What replaces missing values; computed from the training rows.",
            );
        }
        config.impute = impute;
    }

    /// Categories that may have no training row.
    fn accept_rare_categories(&mut self, config: &mut TableConfig, features: &[Feature<'_>]) {
        // Missing values are a category too.
        let is_rare = |feature: &&Feature<'_>| {
            let column = feature.column;
            feature.is_category()
                && (column.rarest.is_none_or(|rows| rows < RARE)
                    || (1..RARE).contains(&column.missing))
        };
        let features = features.iter().filter(is_rare);
        let columns: Vec<String> = features
            .map(|feature| format!("{:?}", feature.column.name))
            .collect();
        if !columns.is_empty() {
            config.categories = Categories {
                unseen: UnseenCategories::Ignore,
                ..Categories::default()
            };
            self.comments.beside(
                &["dataset", "categories", "unseen"],
                format!("rare categories in {}", shortened(&columns, 10)),
            );
        }
    }
}

/// The question whether words such as `None` are classes, if many labels are such words or they leave only one class.
fn label_of_missing_words(label: &ColumnDescription, rows: u64) -> Option<String> {
    let usual = FormatConfig::default().missing;
    let words = label.missing_words.iter();
    let words = words.filter(|word| usual.contains(&word.name));
    let num_words: u64 = words.clone().map(|word| word.rows).sum();
    let are_many = num_words * FEW_LABELS > rows;
    let are_numbers = label.min.is_some();
    if num_words == 0 || are_numbers || !are_many && label.distinct > 1 {
        return None;
    }
    let shown: Vec<String> = (words.clone())
        .map(|word| format!("{:?} ({})", word.name, word.rows))
        .collect();
    let names: Vec<&str> = words.map(|word| word.name.as_str()).collect();
    Some(format!(
        "of {rows} labels {:?}, {num_words} read as missing: {}. If they are classes, let `emberlab new` write the \
         experiment with `--missing=`, and only empty cells are missing. If such rows are to be left out, say \
         `--missing=,{}`",
        label.name,
        shown.join(", "),
        names.join(","),
    ))
}

/// The reason to leave a column out of the features.
fn reason_to_drop(column: &ColumnDescription, limit: u64) -> Option<String> {
    let too_many = column.column_type == ColumnType::Category && column.distinct > limit;
    Some(match column.useless {
        // A column that is not named like row numbers may hold times or measured values.
        Some(Useless::RowNumbers) if column.column_type != ColumnType::Identifier => return None,
        Some(Useless::RowNumbers) => "row numbers".to_owned(),
        Some(Useless::Identifier) => "nearly every row has its own, as identifiers do".to_owned(),
        Some(Useless::Text) => "free text".to_owned(),
        Some(Useless::OtherNotation) => "numbers in a notation that is not read".to_owned(),
        Some(Useless::UnreadDates) => "dates in a notation that is not read".to_owned(),
        Some(Useless::NoValue) => "no value at all".to_owned(),
        Some(Useless::OneValue) => "the same in all rows".to_owned(),
        None if column.has_ambiguous_dates => {
            "dates with day or month first, which cannot be told".to_owned()
        }
        None if too_many => format!(
            "{} different categories; `categories.limit = {0}` would keep them",
            column.distinct
        ),
        None => return None,
    })
}

/// Whether a column has values in some of its `rows` rows and misses them in others, so that this may say something.
fn is_present_now_and_then(column: &ColumnDescription, rows: u64) -> bool {
    let is_share = |count: u64| PRESENCE_SHARE * count >= rows;
    is_share(column.missing) && is_share(rows - column.missing)
}

/// A remark about a feature that may have to be left out.
fn careful(column: &ColumnDescription) -> Option<String> {
    let name = &column.name;
    if let Some(reason) = &column.gives_label_away {
        let advice = match column.may_be_group {
            true => format!(
                "If rows of one value belong together, set `group = {name:?}` here and `method = \"random\"` in [split]. \
                 Otherwise add it to `drop`, unless it is known before the label is."
            ),
            false => "Add it to `drop`, unless it is known before the label is.".to_owned(),
        };
        return Some(format!("{name:?} gives the label away: {reason}. {advice}"));
    }
    (column.useless == Some(Useless::RowNumbers)).then(|| {
        format!("{name:?} counts up by one from row to row. Add it to `drop` if it only numbers the rows.")
    })
}

/// The words among categories that read as missing, and the option that keeps them; empty if there are none.
fn words_read_as_missing(categories: &[Feature<'_>]) -> String {
    let mut rows_of: BTreeMap<&str, u64> = BTreeMap::new();
    let words = categories
        .iter()
        .flat_map(|feature| &feature.column.missing_words);
    for word in words {
        *rows_of.entry(&word.name).or_default() += word.rows;
    }
    let words = rows_of.iter();
    let words: Vec<String> = words
        .map(|(word, rows)| format!("{word:?} ({rows})"))
        .collect();
    match words.len() {
        0 => String::new(),
        1 => format!("; {} reads as missing, `--missing=` keeps it", words[0]),
        _ => format!(
            "; {} read as missing, `--missing=` keeps them",
            shortened(&words, 5)
        ),
    }
}

/// The content of a column of `rows` rows, as a remark. A column has at most `limit` categories.
fn content(feature: &Feature<'_>, rows: u64, limit: u64) -> String {
    let Feature {
        column,
        column_type,
    } = feature;
    let values = match column_type {
        ColumnType::Presence => {
            let reason = reason_to_drop(column, limit).unwrap_or_default();
            return format!(
                "whether there is a value; {} of {rows} are missing; {reason}",
                column.missing
            );
        }
        ColumnType::Number | ColumnType::Integer => {
            format!("{} different{}", column.distinct, range(column))
        }
        _ => {
            let mut examples: Vec<String> = column
                .examples
                .iter()
                .take(4)
                .map(|text| format!("{text:?}"))
                .collect();
            if column.distinct > examples.len() as u64 {
                examples.push("…".to_owned());
            }
            format!("{} different: {}", column.distinct, examples.join(", "))
        }
    };
    let missing = match column.missing {
        0 => String::new(),
        missing => format!("; {missing} missing"),
    };
    let is_integer = column.column_type == ColumnType::Integer;
    let num_values = rows - column.missing;
    let repeats = num_values >= LEAST_ROWS_PER_CODE * column.distinct;
    let codes = match column_type {
        ColumnType::Category if is_integer && column.are_padded_codes => {
            "; digits of one length with zeros before them, as codes are written".to_owned()
        }
        ColumnType::Category if is_integer => {
            "; named like an identifier; \"integer\" if these are amounts".to_owned()
        }
        ColumnType::Integer if (3..=limit).contains(&column.distinct) && repeats => {
            "; \"category\" if these are codes".to_owned()
        }
        ColumnType::Integer if column.are_padded_codes && repeats => format!(
            "; \"category\" with `categories.limit = {}` if these are codes",
            column.distinct
        ),
        ColumnType::Integer if 10 * column.distinct >= 9 * num_values => {
            "; add it to `drop` if it is an identifier".to_owned()
        }
        _ => String::new(),
    };
    format!("{values}{missing}{codes}")
}

/// The range of a column of numbers, as `, 1 to 8`.
fn range(column: &ColumnDescription) -> String {
    match (column.min, column.max) {
        (Some(min), Some(max)) => format!(", {} to {}", plain(min), plain(max)),
        _ => String::new(),
    }
}

/// A number, with an exponent if it would have many zeros.
fn plain(number: f64) -> String {
    let text = format!("{number:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A text as it is shown: without its end if it is long.
fn displayed(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The first few of some texts.
fn shortened(texts: &[String], most: usize) -> String {
    match texts.len() {
        len if len > most => format!("{} and {} more", texts[..most].join(", "), len - most),
        _ => texts.join(", "),
    }
}
