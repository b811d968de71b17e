//! Finds the key or value that made serde fail, and says what is wrong with it.

use std::marker::PhantomData;

use emberlab_menu::nearest_name;
use serde::de::DeserializeOwned;
use toml::de::DeValue;

use super::{Failure, attempt};
use crate::document::Document;
use crate::fault::{Fault, as_found, expected_in_words, found_in_words};
use crate::key_path::{KeyPath, Step};
use crate::source::Part;
use crate::suggest::{key_elsewhere, quoted_list, suggestion, valid_names, with_quotes};
use crate::{ConfigError, ConfigSource};

/// A value put in place of another, to see what serde says about it. No valid name looks like this.
const PROBE: &str = "<probe>";

/// A failure to read `T`, with the document that it happened in.
pub(super) struct Blame<'a, T> {
    source: &'a ConfigSource,
    document: &'a Document<'a>,
    failure: &'a Failure,
    /// Gives all keys that a configuration can have.
    keys: fn() -> Vec<String>,
    target: PhantomData<T>,
}

impl<'a, T: DeserializeOwned> Blame<'a, T> {
    pub(super) fn new(
        source: &'a ConfigSource,
        document: &'a Document<'a>,
        failure: &'a Failure,
        keys: fn() -> Vec<String>,
    ) -> Self {
        Self {
            source,
            document,
            failure,
            keys,
            target: PhantomData,
        }
    }

    /// The error with its place and a suggestion.
    pub(super) fn explain(&self) -> ConfigError {
        match Fault::of(&self.failure.message) {
            Fault::UnknownField { field, valid } => self.unknown_field(field, &valid),
            Fault::UnknownVariant { variant, valid } => self.unknown_variant(variant, &valid),
            Fault::WrongValue { found, expected } => self.wrong_value(found, expected),
            Fault::MissingField { field } => self.missing_field(field),
            Fault::Other { message } => self.other(message),
        }
    }

    fn unknown_field(&self, field: &str, valid: &[&str]) -> ConfigError {
        // Depending on the type, the path ends in the key or in its table.
        let start = match self.failure.path.last_key() {
            Some(key) if key == field => self.failure.path.parent().unwrap_or_default(),
            _ => self.failure.path.clone(),
        };
        let path = self.offender(&start, |path, _| path.last_key() == Some(field));
        let table = path.parent().unwrap_or_default();
        let message = format!("unknown key `{field}` {}", place(&table));
        let help = match key_elsewhere(&table.to_string(), field, valid, &(self.keys)()) {
            Some(keys) => format!("did you mean {keys}?"),
            None if valid.is_empty() => "no other key can be set here".to_owned(),
            None => suggestion(field, valid),
        };
        self.error(&path, message)
            .placed(self.source.place(&path, Part::Key))
            .with_help(help)
    }

    fn unknown_variant(&self, variant: &str, valid: &[&str]) -> ConfigError {
        let path = self.offender(&self.failure.path, |_, value| {
            value.as_str() == Some(variant)
        });
        let help = with_quotes(variant).unwrap_or_else(|| suggestion(variant, valid));
        self.error(&path, format!("unknown name `{variant}` for `{path}`"))
            .with_help(help)
    }

    fn wrong_value(&self, found: &str, expected: &str) -> ConfigError {
        if expected == "newtype variant" {
            let path = &self.failure.path;
            let name = self.document.get(path).and_then(|value| value.as_str());
            let name = name.unwrap_or("name");
            return self
                .error(path, format!("`{path}` needs a value for `{name}`"))
                .with_help(format!("write `{path}.{name} = VALUE`"));
        }
        let path = self.offender(&self.failure.path, |_, value| as_found(value) == found);
        let expected = expected_in_words(expected);
        let found = match self.document.get(&path) {
            // serde reads a date as a table.
            Some(DeValue::Datetime(_)) => "a date".into(),
            _ => found_in_words(found),
        };
        let error = self.error(&path, format!("`{path}` must be {expected}, not {found}"));
        let text = self.document.get(&path).and_then(|value| value.as_str());
        match text.and_then(|text| self.meant(&path, text, &expected)) {
            Some(help) => error.with_help(help),
            None => error,
        }
    }

    /// A hint about a text where another kind of value is expected.
    fn meant(&self, path: &KeyPath, text: &str, expected: &str) -> Option<String> {
        let name = path.child(Step::Key("name".to_owned())).to_string();
        if expected == "a table" && (self.keys)().contains(&name) {
            return Some(match self.source.overridden(&path.to_string()) {
                Some(_) => format!("write `{name}={text}`"),
                None => format!("write `{name} = {text:?}`"),
            });
        }
        let value = match expected {
            "a number" => text
                .parse()
                .ok()
                .filter(|x: &f64| x.is_finite())
                .map(|x| format!("{x:?}")),
            "true or false" => text
                .to_lowercase()
                .parse()
                .ok()
                .map(|is: bool| is.to_string()),
            "an array" if !text.starts_with('[') => quoted_list(text),
            _ if expected.starts_with("an integer") => text
                .parse()
                .ok()
                .filter(|&whole: &i64| whole >= 0 || expected == "an integer")
                .map(|whole| whole.to_string()),
            _ => return with_quotes(text),
        };
        value.map(|value| format!("write `{value}`"))
    }

    /// A table lacks a key: the table for which the error goes away once it has the key.
    fn missing_field(&self, field: &str) -> ConfigError {
        let lacks_field = |path: &KeyPath| {
            let is_table = matches!(self.document.get(path), Some(DeValue::Table(_)));
            is_table && !self.document.keys(path).contains(&field)
        };
        let given = |path: &KeyPath| attempt::<T>(&self.document.with_string(path, field, PROBE));
        let solves_it = |path: &KeyPath| match given(path) {
            Ok(_) => true,
            Err(failure) => match Fault::of(&failure.message) {
                Fault::UnknownField { field: refused, .. } => refused != field,
                _ => failure.message != self.failure.message,
            },
        };
        let tables = self.document.paths_from(&self.failure.path);
        let path = tables
            .into_iter()
            .filter(lacks_field)
            .find(solves_it)
            .unwrap_or_else(|| self.failure.path.clone());

        let table = match path.parent() {
            Some(_) => in_brackets(&path),
            None => "the file".to_owned(),
        };
        let error = self.error(&path, format!("{table} needs `{field}`"));
        let keys = self.document.keys(&path);
        if let Some(similar) = nearest_name(field, keys) {
            return error.with_help(format!(
                "did you mean `{field}` where you wrote `{similar}`?"
            ));
        }
        // serde lists the valid names only when it meets an unknown one.
        let refused = given(&path).err().map(|failure| failure.message);
        match refused.as_deref().map(Fault::of) {
            Some(Fault::UnknownVariant { variant, valid }) if variant == PROBE => {
                error.with_help(valid_names(&valid))
            }
            _ => error,
        }
    }

    fn other(&self, message: &str) -> ConfigError {
        // The tag of a table is never the wrong value: without it, serde cannot read the table at all.
        let is_tag = |path: &KeyPath| {
            let (Some(table), Some(key)) = (path.parent(), path.last_key()) else {
                return false;
            };
            let probed = attempt::<T>(&self.document.with_string(&table, key, PROBE)).err();
            probed.is_some_and(|failure| {
                matches!(Fault::of(&failure.message), Fault::UnknownVariant { variant, .. } if variant == PROBE)
            })
        };
        let path = self.offender(&self.failure.path, |path, _| !is_tag(path));
        let message = match message {
            "wanted string or table" => "must be a name or a table",
            _ if message.starts_with("data did not match any variant of untagged enum") => {
                "does not have any of the accepted forms"
            }
            _ if message.starts_with("wanted exactly 1 element") => {
                "only one key can be set here: they exclude each other"
            }
            _ => message,
        };
        let error = match path.parent() {
            Some(_) => self.error(&path, format!("`{path}`: {message}")),
            None => self.error(&path, message.to_owned()),
        };
        match (self.source.overridden(&path.to_string()), path.parent()) {
            (Some(value), Some(table)) if message.ends_with(EXCLUDE) => {
                let key = path.last_key().unwrap_or_default();
                error.with_help(format!(
                    "to replace the other key, set their table: `{table}={{ {key} = {value} }}`"
                ))
            }
            _ => error,
        }
    }

    /// The suspect, at `start` or below it, whose removal makes the error go away.
    ///
    /// serde stops at the first error, so removing something that comes later changes nothing, but removing
    /// something that comes earlier may cause another error. If several suspects qualify, it is the last one.
    fn offender(
        &self,
        start: &KeyPath,
        suspect: impl Fn(&KeyPath, &DeValue<'_>) -> bool,
    ) -> KeyPath {
        let paths = self.document.paths_from(start).into_iter();
        let suspects: Vec<KeyPath> = paths
            .filter(|path| {
                self.document
                    .get(path)
                    .is_some_and(|value| suspect(path, value))
            })
            .collect();
        let is_gone = |path: &&KeyPath| match attempt::<T>(&self.document.without(path)) {
            Ok(_) => true,
            Err(failure) => failure.message != self.failure.message,
        };
        suspects
            .iter()
            .rfind(is_gone)
            .or(suspects.first())
            .unwrap_or(start)
            .clone()
    }

    /// An error about the value at a path.
    fn error(&self, path: &KeyPath, message: String) -> ConfigError {
        let key = path.parent().map(|_| path.to_string());
        let error = ConfigError {
            key,
            ..ConfigError::new(self.source, message)
        };
        error.placed(self.source.place(path, Part::Value))
    }
}

/// The end of the message about keys of which only one can be set.
pub(super) const EXCLUDE: &str = "they exclude each other";

/// The place of a key in words, such as "in `[model]`".
fn place(table: &KeyPath) -> String {
    match table.parent() {
        Some(_) => format!("in {}", in_brackets(table)),
        None => "at the top level".to_owned(),
    }
}

/// A table as in its header, such as `[model]`; its path if it is an element of an array.
fn in_brackets(table: &KeyPath) -> String {
    let is_element = |step: &Step| matches!(step, Step::Index(_));
    if table.steps().iter().any(is_element) {
        format!("`{table}`")
    } else {
        format!("`[{table}]`")
    }
}
