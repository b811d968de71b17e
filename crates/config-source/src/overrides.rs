//! Changes from the command line: `--set key=value`, put into the text of a configuration.

use crate::document::Document;
use crate::key_path::{KeyPath, Step, find_unquoted};
use crate::source::Part;
use crate::{ConfigError, ConfigSource};
use std::ops::Range;
use toml_edit::{DocumentMut, InlineTable, Item, Key, Table, TableLike, Value};

/// The option of the command line that gives an override.
const SET: &str = "--set";

impl ConfigSource {
    /// The text with each `a.b.c=value` of the command line put in, in order. Comments and layout stay as they are.
    ///
    /// The value is read as TOML. If it is not TOML it is a string, so `model.activation=gelu` needs no quotes.
    /// Keys may be quoted. Tables that do not exist are created. Later errors about a value that was put in point at
    /// its override, not at the file.
    ///
    /// # Errors
    /// If this text is not TOML; if an override does not have this form; or if one of its keys names a value
    /// where a table is needed. In the last two cases the error's source is the override itself.
    pub fn with_overrides(&self, overrides: &[String]) -> Result<Self, ConfigError> {
        self.with_overrides_from(SET, overrides)
    }

    /// As [`with_overrides`](Self::with_overrides), with overrides that do not come from the command line. Errors about
    /// them name `origin` instead of a file, such as `variant relu`.
    ///
    /// # Errors
    /// Those of [`with_overrides`](Self::with_overrides).
    pub fn with_overrides_from(
        &self,
        origin: &str,
        overrides: &[String],
    ) -> Result<Self, ConfigError> {
        let mut document = self.document()?;
        let mut all = self.overrides.clone();
        for text in overrides {
            let assignment = Assignment::parse(origin, text)?;
            all.push(assignment.written());
            assignment.apply(document.as_table_mut())?;
        }
        Ok(Self {
            text: document.to_string(),
            overrides: all,
            ..self.clone()
        })
    }

    /// The text without some keys, given with their tables. A type that does not have these keys can then read it.
    /// Errors still have their place in the file.
    ///
    /// # Errors
    /// If this text is not TOML.
    pub fn without(&self, keys: &[&str]) -> Result<Self, ConfigError> {
        let mut document = self.document()?;
        for key in keys {
            let mut tables: Vec<&str> = key.split('.').collect();
            let last = tables.pop().unwrap_or_default();
            let table = tables.into_iter().try_fold(
                document.as_table_mut() as &mut dyn TableLike,
                |table, name| table.get_mut(name)?.as_table_like_mut(),
            );
            if let Some(table) = table {
                table.remove(last);
            }
        }
        Ok(Self {
            text: document.to_string(),
            ..self.clone()
        })
    }

    fn document(&self) -> Result<DocumentMut, ConfigError> {
        let document = self.text.parse();
        document.map_err(|error: toml_edit::TomlError| ConfigError {
            span: error.span(),
            ..ConfigError::new(self, error.message())
        })
    }
}

/// An override that was put into a configuration, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Override {
    /// Its text and where it comes from.
    origin: String,
    text: String,
    /// The value that it sets.
    pub(crate) path: KeyPath,
    /// The byte position of its `=`.
    equals: usize,
}

impl Override {
    /// The value, as it was written.
    pub(crate) fn value(&self) -> &str {
        self.text[self.equals + 1..].trim()
    }

    /// The override as a source, and the place of a value that it sets.
    pub(crate) fn place(&self, path: &KeyPath, part: Part) -> (ConfigSource, Option<Range<usize>>) {
        // A string without quotes is not TOML. It is one value.
        let document = Document::parse(&self.text).ok();
        let exact = document.and_then(|document| part.span(&document, path));
        let span = exact.unwrap_or_else(|| match part {
            Part::Key if self.path.starts_with(path) => {
                0..self.text[..self.equals].trim_end().len()
            }
            Part::Key | Part::Value => {
                let value = &self.text[self.equals + 1..];
                self.text.len() - value.trim_start().len()..self.text.trim_end().len()
            }
        });
        (ConfigSource::new(&self.origin, &self.text), Some(span))
    }
}

/// One `key=value`: a key and its new value.
struct Assignment<'a> {
    origin: &'a str,
    text: &'a str,
    equals: usize,
    parents: Vec<Key>,
    last: Key,
    value: Value,
}

impl<'a> Assignment<'a> {
    fn parse(origin: &'a str, text: &'a str) -> Result<Self, ConfigError> {
        let Some(equals) = find_unquoted(text, '=') else {
            let message = format!("the override `{text}` has no `=`");
            return Err(error_at(origin, text, 0..text.len(), message)
                .with_help("write `key=value`, such as `model.activation=gelu`"));
        };
        let (key, value) = (text[..equals].trim(), text[equals + 1..].trim());
        let keys = Key::parse(key).ok();
        let Some((last, parents)) = keys.as_deref().and_then(<[Key]>::split_last) else {
            let message = format!("the override `{text}` has no valid key before `=`");
            return Err(error_at(origin, text, 0..equals, message)
                .with_help("write `key=value`, with a key such as `model.activation`"));
        };
        if value.is_empty() {
            let message = format!("the override `{text}` has no value");
            return Err(error_at(origin, text, equals..text.len(), message)
                .with_help(format!("write `{key}=\"\"` for an empty string")));
        }
        let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
        let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_whole && value.parse::<i64>().is_err() {
            let message = format!(
                "the override `{text}` has a whole number beyond {}, which TOML cannot hold",
                i64::MAX
            );
            return Err(error_at(origin, text, equals + 1..text.len(), message)
                .with_help(format!(
                    "give a smaller number; only a text may have as many digits, in quotes: `{key}=\"{value}\"`"
                )));
        }
        let is_beyond = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && value.parse().is_ok_and(f64::is_infinite);
        if is_beyond {
            let message = format!("the override `{text}` has a number beyond {:e}", f64::MAX);
            return Err(error_at(origin, text, equals + 1..text.len(), message)
                .with_help(format!("write `{key}=inf` for an infinite number")));
        }
        Ok(Self {
            origin,
            text,
            equals,
            parents: parents.to_vec(),
            last: last.clone(),
            value: value.parse().unwrap_or_else(|_| Value::from(value)),
        })
    }

    /// The override as it was written.
    fn written(&self) -> Override {
        let keys = self.parents.iter().chain([&self.last]);
        Override {
            origin: self.origin.to_owned(),
            text: self.text.to_owned(),
            path: keys.map(|key| Step::Key(key.get().to_owned())).collect(),
            equals: self.equals,
        }
    }

    fn apply(self, root: &mut Table) -> Result<(), ConfigError> {
        let mut table: &mut dyn TableLike = root;
        let mut inline = false;
        for (depth, key) in self.parents.iter().enumerate() {
            let item = table.entry(key.get()).or_insert_with(|| {
                if inline {
                    Item::Value(InlineTable::new().into())
                } else {
                    // Implicit: `[a.b]` needs no `[a]` before it.
                    let mut created = Table::new();
                    created.set_implicit(true);
                    Item::Table(created)
                }
            });
            inline |= item.is_inline_table();
            let found = item.type_name();
            let Some(next) = item.as_table_like_mut() else {
                let parents: Vec<_> = self.parents[..=depth].iter().map(Key::to_string).collect();
                let message = format!(
                    "`{}` is a value ({found}), not a table, so `{}` cannot be set",
                    parents.join("."),
                    self.text[..self.equals].trim()
                );
                return Err(error_at(
                    self.origin,
                    self.text,
                    0..self.text.len(),
                    message,
                ));
            };
            table = next;
        }
        match table.get_mut(self.last.get()) {
            Some(Item::Value(old)) => {
                let layout = old.decor().clone();
                *old = self.value;
                *old.decor_mut() = layout;
            }
            _ => {
                table.insert(self.last.get(), Item::Value(self.value));
            }
        }
        Ok(())
    }
}

/// An error at a place in the text of an override.
fn error_at(origin: &str, text: &str, span: Range<usize>, message: String) -> ConfigError {
    ConfigError {
        span: Some(span),
        ..ConfigError::new(&ConfigSource::new(origin, text), message)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str = r#"# Two moons.
seed = 1 # the first

[model]
activation = "relu" # a comment
hidden = [16, 16]
norm = { name = "batch" }

[[layers]]
units = 3
"#;

    fn source() -> ConfigSource {
        ConfigSource::new("moons.toml", TEXT)
    }

    fn set(text: &str) -> Result<String, ConfigError> {
        let source = source().with_overrides(&[text.to_owned()])?;
        Ok(source.text)
    }

    #[test]
    fn a_number_that_is_too_large_is_no_string() {
        let message = set("seed=1e400").unwrap_err().to_string();
        assert!(message.contains("has a number beyond 1.79"), "{message}");
        assert!(set("seed=inf").unwrap().contains("seed = inf"));
    }

    #[test]
    fn errors_have_their_place_in_the_file_after_keys_were_left_out() {
        #[derive(Debug, serde::Deserialize)]
        struct Moons {
            model: Model,
        }
        #[derive(Debug, serde::Deserialize)]
        struct Model {
            hidden: Vec<String>,
        }
        let source = source().without(&["seed", "layers", "nothing"]).unwrap();
        assert!(source.text.starts_with("\n[model]") || !source.text.contains("seed"));
        let error = crate::parse::<Moons>(&source).map(|moons| moons.model.hidden);
        let span = error.unwrap_err().span.unwrap();
        assert_eq!(&TEXT[span], "16");
    }

    #[test]
    fn only_the_value_is_replaced() {
        let expected = TEXT.replace("\"relu\" # a", "\"gelu\" # a");
        assert_eq!(set("model.activation=gelu").unwrap(), expected);
        assert_eq!(set("model.activation = \"gelu\"").unwrap(), expected);
        assert_eq!(set("\"model\".'activation'=gelu").unwrap(), expected);
    }

    #[test]
    fn a_value_is_toml_or_else_a_string() {
        let value = |text: &str| {
            let text = set(&format!("seed={text}")).unwrap();
            text.parse::<DocumentMut>().unwrap()["seed"]
                .as_value()
                .unwrap()
                .clone()
        };
        assert_eq!(value("3").as_integer(), Some(3));
        assert_eq!(value("1e-3").as_float(), Some(1e-3));
        assert_eq!(value("true").as_bool(), Some(true));
        assert_eq!(value("[1, 2]").as_array().map(|a| a.len()), Some(2));
        assert!(value("{ name = 'elu', alpha = 0.5 }").is_inline_table());
        assert_eq!(value("\"3\"").as_str(), Some("3"));
        assert_eq!(value("\"\"").as_str(), Some(""));
        assert_eq!(value("1.2.3").as_str(), Some("1.2.3"));
        assert_eq!(value("a=b").as_str(), Some("a=b"));
        assert_eq!(value("a\nseed = 2").as_str(), Some("a\nseed = 2"));
    }

    #[test]
    fn new_keys_and_tables_are_created() {
        let text = set("model.dropout=0.5").unwrap();
        assert!(
            text.contains("norm = { name = \"batch\" }\ndropout = 0.5\n"),
            "{text}"
        );
        let text = set("optimizer.schedule.decay=0.8").unwrap();
        assert!(
            text.contains("[optimizer.schedule]\ndecay = 0.8\n"),
            "{text}"
        );
        assert!(!text.contains("[optimizer]"), "{text}");
        let text = set("model.norm.eps=1e-3").unwrap();
        let document: DocumentMut = text.parse().unwrap();
        assert_eq!(document["model"]["norm"]["name"].as_str(), Some("batch"));
        assert_eq!(document["model"]["norm"]["eps"].as_float(), Some(1e-3));
        let text = set("model.norm.a.b=1").unwrap();
        assert_eq!(
            text.parse::<DocumentMut>().unwrap()["model"]["norm"]["a"]["b"].as_integer(),
            Some(1)
        );
    }

    #[test]
    fn a_value_replaces_a_table() {
        let text = set("model=mlp").unwrap();
        let document: DocumentMut = text.parse().unwrap();
        assert_eq!(document["model"].as_str(), Some("mlp"));
        assert_eq!(document["layers"][0]["units"].as_integer(), Some(3));
    }

    #[test]
    fn later_overrides_win() {
        let overrides = ["seed=2".to_owned(), "seed=3".to_owned()];
        let text = source().with_overrides(&overrides).unwrap().text;
        assert!(text.contains("seed = 3 # the first"), "{text}");
    }

    #[test]
    fn a_whole_number_that_toml_cannot_hold_is_no_text() {
        let source = ConfigSource::new("a.toml", "seed = 1");
        let set = |text: &str| source.with_overrides(&[text.to_owned()]);
        let error = set("seed=18446744073709551615").map(drop).unwrap_err();
        let expected = "has a whole number beyond 9223372036854775807";
        assert!(error.to_string().contains(expected), "{error}");
        assert!(set("seed=9223372036854775807").is_ok());
        assert!(set("name=\"18446744073709551615\"").is_ok());
        assert!(set("name=007").is_ok());
    }

    #[test]
    fn no_overrides_change_nothing() {
        assert_eq!(source().with_overrides(&[]).unwrap(), source());
    }

    #[test]
    fn a_malformed_override_is_shown() {
        for (text, message, span) in [
            ("seed", "the override `seed` has no `=`", 0..4),
            ("seed=", "the override `seed=` has no value", 4..5),
            ("=3", "the override `=3` has no valid key before `=`", 0..0),
            (
                "a..b=1",
                "the override `a..b=1` has no valid key before `=`",
                0..4,
            ),
            (
                "a b=1",
                "the override `a b=1` has no valid key before `=`",
                0..3,
            ),
        ] {
            let error = set(text).unwrap_err();
            assert_eq!(error.message, message);
            assert_eq!(error.span, Some(span));
            assert_eq!(error.source.text, text);
            assert_eq!(error.source.name, "--set");
            assert!(error.help.is_some());
        }
    }

    #[test]
    fn an_override_inside_a_value_is_refused() {
        let error = set("model.activation.slope=0.1").unwrap_err();
        assert_eq!(
            error.message,
            "`model.activation` is a value (string), not a table, so `model.activation.slope` \
             cannot be set"
        );
        let error = set("layers.units=4").unwrap_err();
        assert!(error.message.starts_with("`layers` is a value"), "{error}");
    }

    #[test]
    fn broken_toml_is_refused_with_its_place() {
        let broken = ConfigSource::new("broken.toml", "a = 1\nb =\n");
        let error = broken.with_overrides(&["a=2".to_owned()]).unwrap_err();
        assert_eq!(error.line_column().map(|(line, _)| line), Some(2));
    }
}
