//! All keys that an experiment can have, from its schema.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ExperimentConfig;

/// Every key with its tables, such as `training.num_epochs`, of every choice of every menu.
pub(super) fn all_keys() -> Vec<String> {
    let schema = schemars::schema_for!(ExperimentConfig).to_value();
    let mut keys = BTreeSet::new();
    add_keys(&schema, &schema, "", &mut Vec::new(), &mut keys);
    keys.into_iter().collect()
}

/// Adds the keys of a part of the `schema` that describes what stands at `place`. `inside` are the definitions that the
/// part belongs to: one that contains itself is read once.
fn add_keys<'a>(
    schema: &'a Value,
    part: &'a Value,
    place: &str,
    inside: &mut Vec<&'a str>,
    keys: &mut BTreeSet<String>,
) {
    let reference = part["$ref"].as_str().and_then(|r| r.strip_prefix('#'));
    if let Some(pointer) = reference.filter(|pointer| !inside.contains(pointer))
        && let Some(definition) = schema.pointer(pointer)
    {
        inside.push(pointer);
        add_keys(schema, definition, place, inside, keys);
        inside.pop();
    }
    for form in ["oneOf", "anyOf", "allOf"] {
        for part in part[form].as_array().into_iter().flatten() {
            add_keys(schema, part, place, inside, keys);
        }
    }
    for (key, part) in part["properties"].as_object().into_iter().flatten() {
        let key = format!("{place}{key}");
        add_keys(schema, part, &format!("{key}."), inside, keys);
        keys.insert(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_sections_choices_and_tables_in_them_are_listed() {
        let keys = all_keys();
        for key in [
            "seed",
            "dataset.noise",
            "loss.name",
            "model.dropout",
            "model.activation.alpha",
            "training.num_epochs",
            "training.average.ema",
            "checkpoint.every.epochs",
        ] {
            assert!(keys.iter().any(|known| known == key), "{key}: {keys:?}");
        }
    }
}
