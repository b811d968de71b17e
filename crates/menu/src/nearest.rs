//! The valid name that was probably meant by a mistyped one.

/// Normalised Damerau–Levenshtein similarity from which on a name counts as mistyped, from 0 to 1.
const MISTYPED: f64 = 0.6;

/// Jaro–Winkler similarity from which on a name counts as cut short, from 0 to 1. It favours names with the same
/// beginning.
const CUT_SHORT: f64 = 0.9;

/// The valid name nearest to `name`, if one is near enough to be worth a suggestion.
///
/// Upper case, `_`, `-` and spaces are ignored: `LeakyReLU` equals `leaky_relu`.
pub fn nearest_name<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = letters(name);
    valid
        .into_iter()
        .map(|candidate| (similarity(&name, &letters(candidate)), candidate))
        .filter(|(similarity, _)| *similarity > 0.0)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The letters that names are compared by.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

/// The similarity of two names: 1 for equal names, 0 for names too different to suggest one for the other.
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
    fn a_mistyped_name_suggests_the_valid_one() {
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
    fn a_different_word_suggests_nothing() {
        for wrong in ["swish", "softmax", "x", ""] {
            assert_eq!(nearest_name(wrong, ACTIVATIONS), None, "{wrong}");
        }
    }
}
