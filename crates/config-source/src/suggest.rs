//! Hints with the valid names of a value.

use emberlab_menu::nearest_name;

/// A hint with the nearest valid name, or with all of them.
pub(crate) fn suggestion(wrong: &str, valid: &[&str]) -> String {
    match nearest_name(wrong, valid.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => valid_names(valid),
    }
}

/// A hint with all valid names.
pub(crate) fn valid_names(names: &[&str]) -> String {
    format!("valid names: `{}`", names.join("`, `"))
}
