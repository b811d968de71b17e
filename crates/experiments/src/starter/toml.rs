//! An experiment as TOML with remarks.

use std::fmt::Write as _;

use ::toml::ser::Error;
use ::toml::{Table, Value};

use super::comments::Comments;
use crate::config::ExperimentConfig;

/// The width of paragraphs and lists, in characters.
const WIDTH: usize = 100;

/// The largest number of keys of a table that is written on one line.
const MAX_INLINE: usize = 2;

/// Writes an experiment. It reads back as `config`: a key is left out only if the file reads the same without it.
///
/// # Errors
/// [`Error`] if a value cannot be written as TOML.
pub(super) fn write(config: &ExperimentConfig, comments: &Comments) -> Result<String, Error> {
    let mut table = Table::try_from(config)?;
    for path in paths(&table) {
        if !comments.is_about(&path) {
            let mut shorter = table.clone();
            remove(&mut shorter, &path);
            if shorter.clone().try_into().ok().as_ref() == Some(config) {
                table = shorter;
            }
        }
    }
    let mut text = String::new();
    for line in comments.head().lines() {
        let _ = writeln!(text, "{}", format!("# {line}").trim_end());
    }
    text.push('\n');
    write_table(&mut text, &table, &mut Vec::new(), comments)?;
    Ok(text)
}

/// The paths of all keys, each table before its keys.
fn paths(table: &Table) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (key, value) in table {
        paths.push(vec![key.clone()]);
        if let Value::Table(inner) = value {
            let inside = |path: Vec<String>| [vec![key.clone()], path].concat();
            paths.extend(self::paths(inner).into_iter().map(inside));
        }
    }
    paths
}

/// Removes a key, if it is there.
fn remove(table: &mut Table, path: &[String]) {
    match path {
        [key] => drop(table.remove(key)),
        [key, rest @ ..] => {
            if let Some(Value::Table(inner)) = table.get_mut(key) {
                remove(inner, rest);
            }
        }
        [] => {}
    }
}

fn write_table(
    text: &mut String,
    table: &Table,
    path: &mut Vec<String>,
    comments: &Comments,
) -> Result<(), Error> {
    let mut sections = Vec::new();
    for (key, value) in table {
        path.push(key.clone());
        match value {
            Value::Table(inner) if is_section(inner, path, comments) => {
                sections.push((key, inner));
            }
            _ => {
                push_paragraph(text, comments.find_above(path));
                let _ = write!(text, "{} = ", written_key(key)?);
                push_value(text, value, path, comments);
                push_beside(text, comments.find_beside(path));
            }
        }
        path.pop();
    }
    for (key, inner) in sections {
        path.push(key.clone());
        text.push('\n');
        push_paragraph(text, comments.find_above(path));
        let keys: Vec<String> = path
            .iter()
            .map(|key| written_key(key))
            .collect::<Result<_, _>>()?;
        let _ = writeln!(text, "[{}]", keys.join("."));
        write_table(text, inner, path, comments)?;
        path.pop();
    }
    Ok(())
}

/// Whether a table has a header of its own.
fn is_section(table: &Table, path: &[String], comments: &Comments) -> bool {
    path.len() == 1 || table.len() > MAX_INLINE || comments.is_about(path)
}

/// A list with remarks, or one that is too long for a line, has a line for each element.
fn push_value(text: &mut String, value: &Value, path: &mut Vec<String>, comments: &Comments) {
    let line = value.to_string();
    match value {
        Value::Array(items)
            if line.len() > WIDTH || comments.is_about(path) && !items.is_empty() =>
        {
            text.push_str("[\n");
            for (place, item) in items.iter().enumerate() {
                path.push(place.to_string());
                let _ = write!(text, "    {item},");
                push_beside(text, comments.find_beside(path));
                path.pop();
            }
            text.push(']');
        }
        _ => text.push_str(&line),
    }
}

fn push_beside(text: &mut String, comment: Option<&str>) {
    if let Some(comment) = comment {
        let _ = write!(text, " # {}", on_one_line(comment));
    }
    text.push('\n');
}

fn push_paragraph(text: &mut String, comment: Option<&str>) {
    let mut line = "#".to_owned();
    let Some(comment) = comment else { return };
    for word in on_one_line(comment).split(' ') {
        if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = "#".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}

/// Text that stays inside one comment, whatever characters the names of columns have.
fn on_one_line(text: &str) -> String {
    let is_safe = |c: char| if c.is_control() { '�' } else { c };
    text.chars().map(is_safe).collect()
}

/// A key, quoted if necessary.
fn written_key(key: &str) -> Result<String, Error> {
    let table = Table::from_iter([(key.to_owned(), Value::Boolean(true))]);
    let line = ::toml::to_string(&table)?;
    Ok(line.trim_end().trim_end_matches(" = true").to_owned())
}
