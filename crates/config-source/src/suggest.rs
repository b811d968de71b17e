//! The valid name that a wrong one was probably meant to be.

/// Least share of letters in place (Damerau–Levenshtein) at which a name counts as mistyped.
const MISTYPED: f64 = 0.6;

/// Least Jaro–Winkler similarity, which favours a common beginning, at which a name counts as cut short.
const CUT_SHORT: f64 = 0.9;

/// The valid name nearest to `name`, if any is near enough to be worth a suggestion.
///
/// Case, `_` and `-` do not count: `LeakyReLU` is as near to `leaky_relu` as can be.
pub(crate) fn nearest_name<'a>(
    name: &str,
    valid: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name = letters(name);
    valid
        .into_iter()
        .map(|candidate| (similarity(&name, &letters(candidate)), candidate))
        .filter(|(similarity, _)| *similarity > 0.0)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

fn letters(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    kept.flat_map(char::to_lowercase).collect()
}

/// 1 for equal names, 0 for names too far apart.
fn similarity(a: &str, b: &str) -> f64 {
    let mistyped = strsim::normalized_damerau_levenshtein(a, b);
    let cut_short = strsim::jaro_winkler(a, b);
    if mistyped >= MISTYPED || cut_short >= CUT_SHORT {
        mistyped.max(cut_short)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIVATIONS: [&str; 6] = ["linear", "relu", "leaky_relu", "gelu", "softplus", "tanh"];

    #[test]
    fn a_slip_of_the_hand_finds_its_name() {
        for (wrong, right) in [
            ("geluu", "gelu"),
            ("rleu", "relu"),
            ("LeakyReLU", "leaky_relu"),
            ("leaky-relu", "leaky_relu"),
            ("soft_plus", "softplus"),
            ("leaky", "leaky_relu"),
        ] {
            assert_eq!(nearest_name(wrong, ACTIVATIONS), Some(right), "{wrong}");
        }
        assert_eq!(
            nearest_name("batch", ["epochs", "batch_size"]),
            Some("batch_size")
        );
    }

    #[test]
    fn another_word_finds_none() {
        for wrong in ["swish", "softmax", "x", ""] {
            assert_eq!(nearest_name(wrong, ACTIVATIONS), None, "{wrong}");
        }
    }
}
