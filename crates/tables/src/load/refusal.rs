//! The message about columns that cannot be features as they are.

use crate::columns::ColumnType;
use crate::columns::cell_format::toml_key;
use crate::columns::column_reader::Refused;

/// The largest number of columns that the message describes.
const MOST_COLUMNS: usize = 5;

/// The message about all refused columns, with the keys to set; `None` if there are none.
pub(super) fn message(refused: &[Refused], limit: usize) -> Option<String> {
    let first = refused.first()?;
    let mut described: Vec<String> = refused.iter().take(MOST_COLUMNS).map(describe).collect();
    if refused.len() > MOST_COLUMNS {
        described.push(format!("{} more", refused.len() - MOST_COLUMNS));
    }
    let names: Vec<&str> = refused.iter().map(|column| column.name.as_str()).collect();
    let (verb, them) = match names.len() {
        1 => ("is", "it"),
        _ => ("are", "them"),
    };
    let first_key = toml_key(&first.name);
    let raised = match first.distinct {
        Some(distinct) if distinct <= limit => String::new(),
        Some(distinct) => format!(" and `categories.limit = {distinct}`"),
        None => " and a larger `categories.limit`".to_owned(),
    };
    Some(format!(
        "{} {verb} neither numbers nor at most {limit} categories: leave {them} out with `drop = {names:?}`, or keep {them} as \
         categories with `types = {{ {first_key} = \"category\" }}`{raised}",
        described.join(", "),
    ))
}

fn describe(column: &Refused) -> String {
    let Refused {
        name,
        column_type,
        distinct,
        example,
    } = column;
    let texts = match column_type {
        ColumnType::Category => "categories",
        _ => "texts",
    };
    match distinct {
        Some(distinct) => format!("{name:?} ({distinct} different {texts} such as {example:?})"),
        None => format!("{name:?} (thousands of different {texts} such as {example:?})"),
    }
}
