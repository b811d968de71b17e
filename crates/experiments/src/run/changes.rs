//! Changes of a configuration between a checkpoint and the training that continues from it.

use std::collections::BTreeMap;

/// Whether a change is possible during a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The change is allowed.
    Allowed,
    /// The change is allowed with `--force`, because it changes when the training ends.
    NeedsForce,
    /// The change is refused, because part of the training would be with the old value and part with the new one.
    Refused,
}

/// A key whose value differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The dotted key, such as `optimizer.learning_rate`.
    pub key: String,
    /// The value that the checkpoint was trained with, as TOML; `None` if the key was absent.
    pub old: Option<String>,
    /// The new value, as TOML; `None` if the key is absent.
    pub new: Option<String>,
    /// Whether it is possible.
    pub verdict: Verdict,
}

impl Change {
    /// Whether it asks for fewer epochs than before.
    pub(crate) fn is_fewer_epochs(&self) -> bool {
        let number = |value: &Option<String>| value.as_ref()?.parse::<u64>().ok();
        let numbers = number(&self.old).zip(number(&self.new));
        self.key == "training.num_epochs" && numbers.is_some_and(|(old, new)| new < old)
    }

    /// The changes as text, one line for each: key, old value, new value.
    pub fn list(changes: &[Change]) -> String {
        let width = changes.iter().map(|c| c.key.len()).max().unwrap_or(0);
        let shown =
            |value: &Option<String>| value.clone().unwrap_or_else(|| "(absent)".to_string());
        let lines = changes.iter().map(|c| {
            let (old, new) = (shown(&c.old), shown(&c.new));
            format!("  {:width$}  {old} -> {new}", c.key)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The differences between two configurations with all defaults written out, when `epochs_begun` epochs of the training
/// have begun.
///
/// # Errors
/// [`toml::de::Error`] if one of them is not TOML.
pub(crate) fn changes(
    old: &str,
    new: &str,
    epochs_begun: usize,
) -> Result<Vec<Change>, toml::de::Error> {
    let (old, new) = (flat(old)?, flat(new)?);
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differs = keys
        .into_iter()
        .filter(|key| old.get(*key) != new.get(*key));
    Ok(differs
        .map(|key| {
            let (old, new) = (old.get(key), new.get(key));
            Change {
                key: key.clone(),
                old: old.map(ToString::to_string),
                new: new.map(ToString::to_string),
                verdict: verdict(key, old, new, epochs_begun),
            }
        })
        .collect())
}

fn verdict(
    key: &str,
    old: Option<&toml::Value>,
    new: Option<&toml::Value>,
    epochs_begun: usize,
) -> Verdict {
    let number = |value: Option<&toml::Value>| value.and_then(toml::Value::as_integer);
    match key {
        // The data must have the same checksum, wherever they are.
        "name" | "dataset.path" => Verdict::Allowed,
        // Another engine differs as another device does, in the last digits, and the resumed run says so.
        "training.engine" => Verdict::Allowed,
        "training.num_epochs" => match (number(old), number(new)) {
            (Some(old), Some(new)) if new > old => Verdict::Allowed,
            (_, Some(new)) if usize::try_from(new).is_ok_and(|new| new >= epochs_begun) => {
                Verdict::NeedsForce
            }
            _ => Verdict::Refused,
        },
        _ if is_beside_training(key) => Verdict::Allowed,
        _ if key.starts_with("training.early_stopping") => Verdict::NeedsForce,
        _ => Verdict::Refused,
    }
}

/// Whether a key only decides what is written down, and changes nothing about the training.
pub(crate) fn is_beside_training(key: &str) -> bool {
    ["checkpoint.", "inspect."]
        .iter()
        .any(|table| key.starts_with(table))
}

/// Every value of a TOML document by its dotted key.
fn flat(text: &str) -> Result<BTreeMap<String, toml::Value>, toml::de::Error> {
    fn walk(prefix: &str, table: toml::Table, flat: &mut BTreeMap<String, toml::Value>) {
        for (key, value) in table {
            let key = match prefix {
                "" => key,
                prefix => format!("{prefix}.{key}"),
            };
            match value {
                toml::Value::Table(inner) => walk(&key, inner, flat),
                value => {
                    flat.insert(key, value);
                }
            }
        }
    }
    let mut all = BTreeMap::new();
    walk("", toml::from_str(text)?, &mut all);
    Ok(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OLD: &str = "seed = 1\n[training]\nnum_epochs = 10\n[optimizer]\nlearning_rate = 0.1\n";

    fn verdicts(new: &str) -> Vec<(String, Verdict)> {
        let found = changes(OLD, new, 4).unwrap();
        found.into_iter().map(|c| (c.key, c.verdict)).collect()
    }

    #[test]
    fn more_epochs_are_allowed_fewer_need_force_and_another_learning_rate_is_refused() {
        assert_eq!(verdicts(OLD), []);
        let epochs = |n: usize| OLD.replace("num_epochs = 10", &format!("num_epochs = {n}"));
        let key = || "training.num_epochs".to_string();
        assert_eq!(verdicts(&epochs(20)), [(key(), Verdict::Allowed)]);
        assert_eq!(verdicts(&epochs(4)), [(key(), Verdict::NeedsForce)]);
        assert_eq!(verdicts(&epochs(3)), [(key(), Verdict::Refused)]);
        let faster = OLD.replace("0.1", "0.2");
        let rate = ("optimizer.learning_rate".to_string(), Verdict::Refused);
        assert_eq!(verdicts(&faster), [rate]);
        let patient = format!("{OLD}[training.early_stopping]\npatience = 3\n");
        let patience = (
            "training.early_stopping.patience".to_string(),
            Verdict::NeedsForce,
        );
        assert_eq!(verdicts(&patient), [patience]);
    }

    #[test]
    fn when_layers_are_recorded_may_change() {
        let more = format!("{OLD}[inspect.every]\nepochs = 3\n");
        let key = "inspect.every.epochs".to_string();
        assert_eq!(verdicts(&more), [(key, Verdict::Allowed)]);
    }

    #[test]
    fn the_list_shows_both_values() {
        let found = changes(OLD, &OLD.replace("seed = 1", "seed = 2"), 0).unwrap();
        assert_eq!(Change::list(&found), "  seed  1 -> 2");
        let found = changes(OLD, &OLD.replace("seed = 1\n", ""), 0).unwrap();
        assert_eq!(Change::list(&found), "  seed  1 -> (absent)");
    }
}
