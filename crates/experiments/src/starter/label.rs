//! The column to learn: its task, and the positive one of two classes.

use emberlab_tables::{ClassCount, ColumnDescription, ColumnType, TableDescription, TableTask};

/// More different numbers than this are taken for amounts, not for classes.
const MOST_CLASSES: u64 = 20;

/// More different numbers than this are taken for amounts, if not all of them are whole.
const MOST_FRACTIONS: u64 = 10;

/// Names that people give to the column to learn, in lower case.
const NAMES: [&str; 9] = [
    "label",
    "target",
    "class",
    "y",
    "outcome",
    "survived",
    "diagnosis",
    "species",
    "quality",
];

/// Classes that are the positive one of two, in lower case.
const POSITIVE: [&str; 8] = [
    "yes",
    "true",
    "positive",
    "pos",
    "+",
    "malignant",
    "ill",
    "sick",
];

/// Classes that are the negative one of two, in lower case.
const NEGATIVE: [&str; 11] = [
    "0", "-1", "no", "false", "negative", "neg", "-", "none", "normal", "benign", "healthy",
];

/// Letters that are a positive and a negative class, beside each other alone, in lower case.
const LETTERS: [[&str; 2]; 2] = [["y", "n"], ["t", "f"]];

/// The column that is most likely the one to learn: one that is named like a label, else the last.
pub fn guess_label(columns: &[String]) -> Option<&String> {
    let is_named = |name: &&String| NAMES.contains(&name.trim().to_lowercase().as_str());
    columns.iter().rev().find(is_named).or(columns.last())
}

/// The task that fits the values of the label.
pub(super) fn infer_task(label: &ColumnDescription, table: &TableDescription) -> TableTask {
    match is_amount(label, table) {
        true => TableTask::Regression,
        false => TableTask::Classification,
    }
}

/// Whether the values of the label are taken for amounts: many different numbers, several in a table with hardly more
/// rows than these, or numbers with other fractions than a half.
pub(super) fn is_amount(label: &ColumnDescription, table: &TableDescription) -> bool {
    let is_whole = label.column_type != ColumnType::Number;
    let is_number = label.min.is_some();
    let most = if is_whole {
        MOST_CLASSES
    } else {
        MOST_FRACTIONS
    };
    let are_few_rows = 2 * label.distinct > table.rows - label.missing;
    let decimal_mark = table.format.decimal;
    let is_on_half_step = |class: &ClassCount| {
        let number = class.name.replace(decimal_mark, ".").parse::<f64>();
        number.is_ok_and(|number| (2.0 * number).fract() == 0.0)
    };
    let has_fractions = !is_whole && !table.classes.iter().all(is_on_half_step);
    is_number && (label.distinct > most || label.distinct > 2 && (are_few_rows || has_fractions))
}

/// The positive one of two classes, and why; `None` if there are not two.
pub(super) fn positive(classes: &[ClassCount]) -> Option<(&ClassCount, &'static str)> {
    let [first, second] = classes else {
        return None;
    };
    let names = [first, second].map(|class| class.name.to_lowercase());
    let letters = LETTERS.iter().find(|pair| {
        let is_one = |name: &String| pair.contains(&name.as_str());
        names.iter().all(is_one)
    });
    let is = |list: &[&str], place: usize, name: &String| {
        list.contains(&name.as_str()) || letters.is_some_and(|pair| pair[place] == name)
    };
    let named = [0, 1].map(|class| is(&POSITIVE, 0, &names[class]));
    let unnamed = [0, 1].map(|class| is(&NEGATIVE, 1, &names[class]));
    let by_name = "its name says so";
    Some(match (named, unnamed) {
        _ if both_numbers(first, second) => (second, "it is the larger number"),
        ([true, false], _) | ([false, false], [false, true]) => (first, by_name),
        ([false, true], _) | ([false, false], [true, false]) => (second, by_name),
        _ if negates(&second.name, &first.name) => (first, "the other class is its negation"),
        _ if negates(&first.name, &second.name) => (second, "the other class is its negation"),
        _ if first.rows < second.rows => (first, "it is the rarer class"),
        _ if second.rows < first.rows => (second, "it is the rarer class"),
        _ => (second, "it is the last in alphabetic order"),
    })
}

/// Whether a class is another with "not", "no" or "non" before it.
fn negates(class: &str, other: &str) -> bool {
    let (class, other) = (class.to_lowercase(), other.to_lowercase());
    ["not", "non", "no"].iter().any(|word| {
        class.strip_prefix(word).is_some_and(|rest| {
            rest.trim_start_matches([' ', '-', '_']) == other && !other.is_empty()
        })
    })
}

fn both_numbers(first: &ClassCount, second: &ClassCount) -> bool {
    [first, second]
        .iter()
        .all(|class| class.name.parse::<f64>().is_ok())
}
