//! Hints with the valid names of a value.

use emberlab_menu::nearest_name;

/// A hint with the nearest valid name, or with all of them.
pub(crate) fn suggestion(wrong: &str, valid: &[&str]) -> String {
    match nearest_name(wrong, valid.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => valid_names(valid),
    }
}

/// Keys that a suggestion names, at most.
const MOST_KEYS: usize = 3;

/// The keys that may be meant by `field` in the table `table`, with their own tables. `None` if the key can stand in
/// that table beside other names, or nothing is like it anywhere else.
///
/// A key of that name in another section comes first, then keys whose names contain its words, then similar ones. Keys
/// deeper than in a section are named only beside one in a section: there are many, and they belong to single choices.
pub(crate) fn key_elsewhere(
    table: &str,
    field: &str,
    valid: &[&str],
    keys: &[String],
) -> Option<String> {
    let path_of = |key: &str| match table {
        "" => key.to_owned(),
        table => format!("{table}.{key}"),
    };
    let own = path_of(field);
    if keys.contains(&own) {
        return None;
    }
    let name = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let near_root = keys.iter().filter(|key| key.matches('.').count() <= 1);
    let named = |is_meant: &dyn Fn(&str) -> bool| -> Vec<String> {
        let found = near_root.clone().filter(|key| is_meant(&name(key)));
        found.cloned().collect()
    };
    let mut meant = named(&|other| other == field);
    let has_it = |key: &&String| name(key) == field && !meant.contains(key);
    let deeper: Vec<String> = keys.iter().filter(has_it).cloned().collect();
    if !meant.is_empty() {
        meant.extend(deeper);
    } else {
        let words: Vec<&str> = field.split('_').collect();
        meant = named(&|other| {
            words
                .iter()
                .all(|word| other.split('_').any(|w| w == *word))
        });
        let similar = nearest_name(field, valid.iter().copied());
        match similar.map(path_of) {
            // The nearest name of the table alone.
            Some(_) if meant.is_empty() => return None,
            Some(similar) if !meant.contains(&similar) => meant.insert(0, similar),
            _ => (),
        }
        // A key of a section is meant more often than one outside of all.
        meant.sort_by_key(|key| !key.contains('.'));
    }
    if meant.is_empty() {
        let names: Vec<String> = near_root.clone().map(|key| name(key)).collect();
        let nearest = nearest_name(field, names.iter().map(String::as_str))?;
        meant = named(&|other| other == nearest);
    }
    meant.truncate(MOST_KEYS);
    let meant: Vec<String> = meant.iter().map(|key| format!("`{key}`")).collect();
    Some(meant.join(" or "))
}

/// A hint about a list or table whose texts lack quotes, so that the whole was read as a text.
pub(crate) fn with_quotes(text: &str) -> Option<String> {
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    match inner.map(quoted_list) {
        Some(Some(list)) => Some(format!("texts in a list need quotes: `{list}`")),
        None if !text.starts_with('{') => None,
        _ => Some("texts in a list or a table need quotes".to_owned()),
    }
}

/// The list of some words and numbers with commas between them, or of one; `None` if they are anything else.
pub(crate) fn quoted_list(inner: &str) -> Option<String> {
    let quoted = |word: &str| {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        match word.parse::<f64>() {
            Ok(_) => Some(word.to_owned()),
            Err(_) if !word.is_empty() && word.chars().all(is_word) => Some(format!("{word:?}")),
            Err(_) => None,
        }
    };
    let words: Option<Vec<String>> = inner.split(',').map(|word| quoted(word.trim())).collect();
    Some(format!("[{}]", words?.join(", ")))
}

/// A hint with all valid names.
pub(crate) fn valid_names(names: &[&str]) -> String {
    format!("valid names: `{}`", names.join("`, `"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 11] = [
        "at_epochs",
        "checkpoint.every.epochs",
        "loss.gamma",
        "model.dropout",
        "optimizer.learning_rate",
        "scheduler.gamma",
        "scheduler.patience",
        "training.early_stopping.patience",
        "training.drop_last",
        "training.max_norm",
        "training.num_epochs",
    ];

    fn elsewhere(table: &str, field: &str, valid: &[&str]) -> Option<String> {
        key_elsewhere(table, field, valid, &KEYS.map(str::to_owned))
    }

    #[test]
    fn a_key_in_the_wrong_section_is_named_with_the_right_one() {
        let found =
            |table, field, valid: &[&str]| elsewhere(table, field, valid).unwrap_or_default();
        assert_eq!(
            found("", "num_epochs", &["at_epochs"]),
            "`training.num_epochs`"
        );
        assert_eq!(
            found("", "epochs", &["at_epochs"]),
            "`training.num_epochs` or `at_epochs`"
        );
        assert_eq!(
            found("training", "dropout", &["drop_last"]),
            "`model.dropout`"
        );
        assert_eq!(
            found("", "patience", &[]),
            "`scheduler.patience` or `training.early_stopping.patience`"
        );
        assert_eq!(found("", "learningrate", &[]), "`optimizer.learning_rate`");
    }

    #[test]
    fn what_is_nearest_in_its_own_table_or_belongs_to_another_choice_is_left_there() {
        assert_eq!(elsewhere("training", "drop_lst", &["drop_last"]), None);
        assert_eq!(elsewhere("loss", "gamma", &["positive_weight"]), None);
        assert_eq!(elsewhere("", "xyz", &["seed"]), None);
    }

    #[test]
    fn a_list_without_quotes_is_shown_with_them() {
        let found = with_quotes("[relu, tanh]").unwrap_or_default();
        assert!(found.ends_with(r#"`["relu", "tanh"]`"#), "{found}");
        assert_eq!(with_quotes("relu"), None);
        assert!(with_quotes("{name=relu}").is_some());
    }
}
