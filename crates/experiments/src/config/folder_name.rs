//! Names that become folders: those of experiments and of runs.

use emberlab_run_format::files::BESIDE_RUNS;

use crate::error::ExperimentError;

/// The name that stands for the newest run.
pub(crate) const LATEST: &str = "latest";

/// The bytes of the longest name of a run: a file system allows 255, and a folder that is being made has a longer name.
const LONGEST: usize = 230;

/// The characters that a name of a folder consists of.
pub(crate) const RULE: &str =
    "letters, digits, `-`, `_`, `=` and `.`, with no `.` at the start, because it names a folder";

/// Whether a name keeps to the [`RULE`].
pub(crate) fn is_folder_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-_=.".contains(c);
    name.chars().all(is_plain) && !name.starts_with('.')
}

/// A name that keeps to the [`RULE`], made of that of a file: other characters become `_`.
pub(crate) fn folder_name_of(stem: &str) -> String {
    let plain = |c: char| match is_folder_name(&format!("_{c}")) {
        true => c,
        false => '_',
    };
    let name: String = stem.trim_start_matches('.').chars().map(plain).collect();
    match name.is_empty() {
        true => "experiment".to_string(),
        false => name,
    }
}

/// Checks the name of a run: it keeps to the [`RULE`], and has no other meaning in the folder of an experiment.
///
/// # Errors
/// [`ExperimentError::RunName`].
pub(crate) fn check_run_name(name: &str) -> Result<(), ExperimentError> {
    let reason = if name.is_empty() || !is_folder_name(name) {
        format!("expected {RULE}")
    } else if name.len() > LONGEST {
        format!("expected at most {LONGEST} bytes, because a folder cannot have a longer name")
    } else if name == LATEST {
        format!("`{LATEST}` always means the newest run; choose another name")
    } else if BESIDE_RUNS.contains(&name) {
        "a comparison writes a file of this name beside its runs; choose another name".to_string()
    } else {
        return Ok(());
    };
    Err(ExperimentError::RunName {
        name: name.to_string(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_with_any_name_gives_its_experiment_a_name() {
        for (stem, name) in [
            ("moons", "moons"),
            ("my exp (2)", "my_exp__2_"),
            ("[a]", "_a_"),
            (".hidden", "hidden"),
            ("étude=1.5", "étude=1.5"),
            ("...", "experiment"),
        ] {
            assert_eq!(folder_name_of(stem), name);
            assert!(is_folder_name(name));
        }
    }

    #[test]
    fn a_name_that_leaves_the_folder_or_means_something_else_is_refused() {
        for name in [
            "r",
            "2026-01-01",
            "tanh_2.5",
            "étude",
            "latest2",
            "a.b",
            "seed=0",
        ] {
            check_run_name(name).unwrap();
        }
        let long = "x".repeat(LONGEST + 1);
        check_run_name(&long[1..]).unwrap();
        let refused = [
            long.as_str(),
            "",
            ".",
            "..",
            ".hidden",
            "../../x",
            "a/b",
            "/tmp/x",
            "a\\b",
            "a b",
            "a\n",
        ];
        for name in refused
            .into_iter()
            .chain(["latest", "comparison.json", "report.html"])
        {
            let message = check_run_name(name).unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("the name `{name}` for a run: ")),
                "{message}"
            );
        }
    }
}
