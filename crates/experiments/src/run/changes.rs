//! What may change between a checkpoint and the training that goes on from it.

use std::collections::BTreeMap;

/// What a change means for a training that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It does no harm.
    Allowed,
    /// It changes when the training ends, which somebody must want.
    Forced,
    /// The training would be neither the old nor the new one.
    Refused,
}

/// A key whose value differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The dotted key, such as `optimizer.learning_rate`.
    pub key: String,
    /// The value the checkpoint was trained with, as TOML; none if the key was absent.
    pub then: Option<String>,
    /// The value now.
    pub now: Option<String>,
    /// What it means.
    pub verdict: Verdict,
}

impl Change {
    /// A line for each change: key, old value, new value.
    pub fn list(changes: &[Change]) -> String {
        let width = changes.iter().map(|c| c.key.len()).max().unwrap_or(0);
        let shown =
            |value: &Option<String>| value.clone().unwrap_or_else(|| "(absent)".to_string());
        let lines = changes.iter().map(|c| {
            let (then, now) = (shown(&c.then), shown(&c.now));
            format!("  {:width$}  {then} -> {now}", c.key)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// What differs between two configurations, both resolved, the second for a training of which
/// `epochs_done` epochs are done.
///
/// # Errors
/// [`toml::de::Error`] if one of them is not TOML.
pub(crate) fn changes(
    then: &str,
    now: &str,
    epochs_done: usize,
) -> Result<Vec<Change>, toml::de::Error> {
    let (then, now) = (flat(then)?, flat(now)?);
    let keys: std::collections::BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let differs = keys
        .into_iter()
        .filter(|key| then.get(*key) != now.get(*key));
    Ok(differs
        .map(|key| {
            let (then, now) = (then.get(key), now.get(key));
            Change {
                key: key.clone(),
                then: then.map(ToString::to_string),
                now: now.map(ToString::to_string),
                verdict: verdict(key, then, now, epochs_done),
            }
        })
        .collect())
}

fn verdict(
    key: &str,
    then: Option<&toml::Value>,
    now: Option<&toml::Value>,
    epochs_done: usize,
) -> Verdict {
    let number = |value: Option<&toml::Value>| value.and_then(toml::Value::as_integer);
    match key {
        "name" => Verdict::Allowed,
        "training.num_epochs" => match (number(then), number(now)) {
            (Some(then), Some(now)) if now > then => Verdict::Allowed,
            (_, Some(now)) if usize::try_from(now).is_ok_and(|now| now >= epochs_done) => {
                Verdict::Forced
            }
            _ => Verdict::Refused,
        },
        _ if key.starts_with("checkpoint.") => Verdict::Allowed,
        _ if key.starts_with("training.early_stopping") => Verdict::Forced,
        _ => Verdict::Refused,
    }
}

/// Every value of a document under its dotted key.
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

    const THEN: &str = "seed = 1\n[training]\nnum_epochs = 10\n[optimizer]\nlearning_rate = 0.1\n";

    fn verdicts(now: &str) -> Vec<(String, Verdict)> {
        let found = changes(THEN, now, 4).unwrap();
        found.into_iter().map(|c| (c.key, c.verdict)).collect()
    }

    #[test]
    fn more_epochs_are_allowed_fewer_forced_and_other_trainings_refused() {
        assert_eq!(verdicts(THEN), []);
        let epochs = |n: usize| THEN.replace("num_epochs = 10", &format!("num_epochs = {n}"));
        let key = || "training.num_epochs".to_string();
        assert_eq!(verdicts(&epochs(20)), [(key(), Verdict::Allowed)]);
        assert_eq!(verdicts(&epochs(4)), [(key(), Verdict::Forced)]);
        assert_eq!(verdicts(&epochs(3)), [(key(), Verdict::Refused)]);
        let faster = THEN.replace("0.1", "0.2");
        let rate = ("optimizer.learning_rate".to_string(), Verdict::Refused);
        assert_eq!(verdicts(&faster), [rate]);
        let patient = format!("{THEN}[training.early_stopping]\npatience = 3\n");
        let patience = (
            "training.early_stopping.patience".to_string(),
            Verdict::Forced,
        );
        assert_eq!(verdicts(&patient), [patience]);
    }

    #[test]
    fn the_list_shows_both_values() {
        let found = changes(THEN, &THEN.replace("seed = 1", "seed = 2"), 0).unwrap();
        assert_eq!(Change::list(&found), "  seed  1 -> 2");
        let found = changes(THEN, &THEN.replace("seed = 1\n", ""), 0).unwrap();
        assert_eq!(Change::list(&found), "  seed  1 -> (absent)");
    }
}
