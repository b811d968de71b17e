//! The settings in which the variants of a comparison differ, from the configurations of their runs.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// The settings in which variants differ.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Settings {
    /// Each setting that varies by itself.
    pub(crate) keys: Vec<Setting>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting {
    /// Its dotted key.
    pub(crate) key: String,
    /// Its different values: numbers ascending, others in the order of the variants.
    pub(crate) values: Vec<String>,
    /// The index of each variant's value.
    pub(crate) of_variants: Vec<usize>,
}

/// The text of a setting that a variant does not have.
const MISSING: &str = "–";

/// Keys that differ between trials of one variant.
const OF_TRIALS: [&str; 2] = ["name", "seed"];

impl Settings {
    /// The settings of variants, each with the configuration of one of its runs.
    ///
    /// A setting that follows from another, such as the momentum that only one of two optimisers has, does not vary by
    /// itself and is left out.
    pub(crate) fn of(configs: &[Table]) -> Self {
        let flat: Vec<BTreeMap<String, Value>> = configs.iter().map(flatten).collect();
        let mut names: Vec<&String> = flat.iter().flat_map(BTreeMap::keys).collect();
        names.sort_unstable();
        names.dedup();
        let mut settings: Vec<Setting> = Vec::new();
        for key in names
            .into_iter()
            .filter(|key| !OF_TRIALS.contains(&key.as_str()))
        {
            let values: Vec<Option<&Value>> = flat.iter().map(|config| config.get(key)).collect();
            if values.iter().any(|value| *value != values[0]) {
                settings.push(setting(key, &values));
            }
        }
        // A setting that follows from another one is left out; of two that follow from each other, the second. A
        // setting that every variant has comes first.
        settings.sort_by_key(|setting| setting.values.iter().any(|value| value == MISSING));
        let keys = settings.iter().enumerate().filter(|(i, one)| {
            !settings.iter().enumerate().any(|(j, other)| {
                *i != j && follows(one, other) && (j < *i || !follows(other, one))
            })
        });
        let mut keys: Vec<Setting> = keys.map(|(_, setting)| setting.clone()).collect();
        keys.sort_by(|a, b| a.key.cmp(&b.key));
        Self { keys }
    }
}

/// Whether the value of `one` is the same wherever that of `other` is.
fn follows(one: &Setting, other: &Setting) -> bool {
    let mut found: BTreeMap<usize, usize> = BTreeMap::new();
    let pairs = other.of_variants.iter().zip(&one.of_variants);
    pairs
        .into_iter()
        .all(|(&of, &value)| *found.entry(of).or_insert(value) == value)
}

fn setting(key: &str, of_variants: &[Option<&Value>]) -> Setting {
    let mut values: Vec<Option<&Value>> = Vec::new();
    for value in of_variants {
        if !values.contains(value) {
            values.push(*value);
        }
    }
    let as_number = |value: &Option<&Value>| match value {
        Some(Value::Integer(number)) => Some(*number as f64),
        Some(Value::Float(number)) => Some(*number),
        _ => None,
    };
    if values.iter().all(|value| as_number(value).is_some()) {
        values.sort_by(|a, b| {
            let [a, b] = [a, b].map(|value| as_number(value).unwrap_or(f64::NAN));
            a.total_cmp(&b)
        });
    }
    let place = |value: &Option<&Value>| values.iter().position(|one| one == value);
    Setting {
        key: key.to_owned(),
        of_variants: of_variants.iter().filter_map(place).collect(),
        values: values
            .iter()
            .map(|value| value.map_or(MISSING.to_owned(), text))
            .collect(),
    }
}

/// The values of a configuration by their dotted keys. A table inside a section is one value if it has a name.
fn flatten(config: &Table) -> BTreeMap<String, Value> {
    fn add(prefix: &str, table: &Table, flat: &mut BTreeMap<String, Value>) {
        for (key, value) in table {
            let path = match prefix {
                "" => key.clone(),
                _ => format!("{prefix}.{key}"),
            };
            match value {
                Value::Table(inner) if prefix.is_empty() || !inner.contains_key("name") => {
                    add(&path, inner, flat);
                }
                value => {
                    flat.insert(path, value.clone());
                }
            }
        }
    }
    let mut flat = BTreeMap::new();
    add("", config, &mut flat);
    flat
}

/// A value as people write it: `relu`, `[16, 16]`, `leaky_relu, alpha 0.2`.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Table(table) => {
            let name = table.get("name").map(text).into_iter();
            let others = table.iter().filter(|(key, _)| *key != "name");
            let others = others.map(|(key, value)| format!("{key} {}", text(value)));
            name.chain(others).collect::<Vec<_>>().join(", ")
        }
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(text).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Float(number) => {
            let digits = value.to_string();
            match digits.len() > LONGEST_NUMBER {
                true => format!("{number:e}"),
                false => digits,
            }
        }
        value => value.to_string(),
    }
}

/// The characters of the longest number that is not written with a power of ten, as in the names of variants.
const LONGEST_NUMBER: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(configs: &[&str]) -> Vec<(String, Vec<String>, Vec<usize>)> {
        let configs: Vec<Table> = configs
            .iter()
            .map(|text| text.parse().expect("TOML"))
            .collect();
        let keys = Settings::of(&configs).keys.into_iter();
        keys.map(|one| (one.key, one.values, one.of_variants))
            .collect()
    }

    #[test]
    fn numbers_are_ascending_and_names_in_the_order_of_the_variants() {
        let found = settings(&[
            "seed = 0\n[model]\nactivation = 'tanh'\n[optimizer]\nlearning_rate = 0.1",
            "seed = 0\n[model]\nactivation = 'relu'\n[optimizer]\nlearning_rate = 0.1",
            "seed = 1\n[model]\nactivation = 'tanh'\n[optimizer]\nlearning_rate = 0.02",
        ]);
        let texts = |texts: &[&str]| {
            texts
                .iter()
                .map(|&text| text.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            found,
            [
                (
                    "model.activation".to_owned(),
                    texts(&["tanh", "relu"]),
                    vec![0, 1, 0]
                ),
                (
                    "optimizer.learning_rate".to_owned(),
                    texts(&["0.02", "0.1"]),
                    vec![1, 1, 0]
                ),
            ]
        );
    }

    #[test]
    fn a_setting_that_follows_from_another_is_left_out() {
        let found = settings(&[
            "[model]\nhidden = [4]\n[optimizer]\nname = 'sgd'\nmomentum = 0.9",
            "[model]\nhidden = [4]\n[optimizer]\nname = 'adam'\nbeta_1 = 0.9",
            "[model]\nhidden = [8]\n[optimizer]\nname = 'adam'\nbeta_1 = 0.9",
        ]);
        let keys: Vec<&str> = found.iter().map(|(key, ..)| key.as_str()).collect();
        assert_eq!(keys, ["model.hidden", "optimizer.name"]);
        assert_eq!(found[0].1, ["[4]", "[8]"]);
    }

    #[test]
    fn a_table_with_a_name_is_one_value() {
        let found = settings(&[
            "[model]\nactivation = 'relu'",
            "[model]\nactivation = { name = 'leaky_relu', alpha = 0.2 }",
        ]);
        assert_eq!(found[0].1, ["relu", "leaky_relu, alpha 0.2"]);
        let rates = settings(&["[a]\nb = 1e30", "[a]\nb = 0.1"]);
        assert_eq!(rates[0].1, ["0.1", "1e30"]);
    }
}
