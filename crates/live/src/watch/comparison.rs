//! The variants of a comparison as their trials finish.

use std::collections::HashMap;
use std::path::Path;

use emberlab_report::statistics::median;
use emberlab_run_format::files::comparison::{PLAN, RESULT};
use serde::{Deserialize, Serialize};

use super::kept::{Kept, json};
use super::run::{Row, State};

/// The runs of a comparison by their variants, with the conclusion when there is one.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Variants {
    /// The figure that is compared, such as `valid_loss`.
    pub figure: Option<String>,
    /// In the order of the configuration; none if the runs are not those of a comparison.
    pub variants: Vec<Variant>,
    /// The sentences of the newest comparison that has ended; none while it goes on.
    pub conclusion: Vec<String>,
}

/// The trials of a variant. They differ in their seeds and folds.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Variant {
    pub name: String,
    /// Trials planned.
    pub num_trials: usize,
    pub num_running: usize,
    pub num_finished: usize,
    pub num_failed: usize,
    /// The median of the figure over the finished trials whose figure is finite, and the range.
    pub median: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// The files that say which trials a comparison has. They are read again only when they have changed.
#[derive(Debug, Default)]
pub(super) struct ComparisonFiles {
    plan: Kept<Vec<Place>>,
    result: Kept<Answer>,
}

/// The parts of a trial that the page needs, in `plan.jsonl` and `comparison.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Place {
    variant: String,
    /// The name of its run's folder.
    run: String,
}

/// The parts of `comparison.json` that the page needs.
#[derive(Debug, Deserialize)]
struct Answer {
    conclusion: Vec<String>,
    trials: Vec<Place>,
}

impl ComparisonFiles {
    /// Reads the files in the folder of an experiment, and sorts its runs by their variants.
    pub(super) fn variants(&mut self, folder: &Path, rows: &[&Row]) -> Variants {
        self.plan.refresh(&folder.join(PLAN), places);
        self.result.refresh(&folder.join(RESULT), json);
        // A comparison that goes on with more trials writes its plan anew, and its result at the end.
        let plan = self.plan.value().filter(|_| !self.is_answered());
        let answer = self.result.value();
        let is_running = rows.iter().any(|row| row.state.is_live());
        let conclusion = answer.filter(|_| plan.is_none() && !is_running);
        let trials = plan.or(answer.map(|answer| &answer.trials));
        Variants {
            figure: rows.iter().find_map(|row| row.figure.clone()),
            variants: trials.map_or(Vec::new(), |trials| by_variant(trials, rows)),
            conclusion: conclusion.map_or(Vec::new(), |answer| answer.conclusion.clone()),
        }
    }

    /// Whether there is a result, and it is no older than the plan.
    fn is_answered(&self) -> bool {
        let modified = |stamp: Option<super::lines::Stamp>| stamp.map(|stamp| stamp.modified);
        self.result.value().is_some()
            && modified(self.result.stamp()) >= modified(self.plan.stamp())
    }
}

/// The trials in the lines of a plan.
fn places(content: &[u8]) -> Result<Vec<Place>, String> {
    let lines = content.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.is_empty()).map(json).collect()
}

/// The runs of each variant, in the order in which variants first appear among the trials.
fn by_variant(trials: &[Place], rows: &[&Row]) -> Vec<Variant> {
    let names = rows.iter().filter_map(|row| row.run.split_once('/'));
    let by_run: HashMap<&str, &Row> = names
        .map(|(_, name)| name)
        .zip(rows.iter().copied())
        .collect();
    let mut variants: Vec<(&str, Vec<&Place>)> = Vec::new();
    let mut number_of: HashMap<&str, usize> = HashMap::new();
    for trial in trials {
        let number = *number_of.entry(&trial.variant).or_insert(variants.len());
        if number == variants.len() {
            variants.push((&trial.variant, Vec::new()));
        }
        variants[number].1.push(trial);
    }
    let variants = variants.into_iter().map(|(name, trials)| {
        let rows = trials
            .iter()
            .filter_map(|trial| by_run.get(trial.run.as_str()).copied());
        Variant::of(name, trials.len(), &rows.collect::<Vec<_>>())
    });
    variants.collect()
}

impl Variant {
    fn of(name: &str, num_trials: usize, rows: &[&Row]) -> Self {
        let count = |is: fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
        let finished = rows.iter().filter(|row| row.state == State::Finished);
        let values: Vec<f64> = finished
            .filter_map(|row| row.objective.filter(|value| value.is_finite()))
            .collect();
        let middle = (!values.is_empty()).then(|| median(&values));
        Self {
            name: name.to_string(),
            num_trials,
            num_running: count(|row| row.state.is_live()),
            num_finished: count(|row| row.state == State::Finished),
            num_failed: count(|row| matches!(row.state, State::Failed | State::Damaged)),
            median: middle,
            low: values.iter().copied().reduce(f64::min),
            high: values.iter().copied().reduce(f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;
    use std::time::{Duration, SystemTime};

    fn row(run: &str, state: State, objective: f64) -> Row {
        Row {
            run: format!("names/{run}"),
            state,
            objective: Some(objective),
            ..Row::new(String::new())
        }
    }

    fn names_and_counts(found: &Variants) -> Vec<(&str, usize, usize, usize, Option<f64>)> {
        let variants = found.variants.iter();
        variants
            .map(|v| {
                (
                    v.name.as_str(),
                    v.num_trials,
                    v.num_running,
                    v.num_finished,
                    v.median,
                )
            })
            .collect()
    }

    #[test]
    fn variants_are_those_of_the_plan_whatever_their_runs_are_called() {
        let folder = tempfile::tempdir().unwrap();
        let place = |variant: &str, run: &str| {
            format!(
                "{{\"index\": 0, \"variant\": \"{variant}\", \"run\": \"{run}\", \"config\": {{}}}}\n"
            )
        };
        let plan = [
            place("b-seed1", "x"),
            place("a", "b-seed1"),
            place("b-seed1", "z"),
        ]
        .concat();
        fs::write(folder.path().join(PLAN), plan).unwrap();
        let rows = [
            row("x", State::Finished, 0.5),
            row("b-seed1", State::Running, 0.7),
            row("alone", State::Finished, 0.1),
        ];
        let rows: Vec<&Row> = rows.iter().collect();
        let found = ComparisonFiles::default().variants(folder.path(), &rows);
        assert_eq!(
            names_and_counts(&found),
            [("b-seed1", 2, 0, 1, Some(0.5)), ("a", 1, 1, 0, None)]
        );
    }

    #[test]
    fn a_conclusion_is_shown_until_the_comparison_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str, age: u64| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            let file = fs::File::options().write(true).open(&path).unwrap();
            let then = SystemTime::now() - Duration::from_secs(age);
            file.set_modified(then).unwrap();
        };
        let plan = "{\"variant\": \"a\", \"run\": \"x\"}\n";
        let more = format!("{plan}{{\"variant\": \"b\", \"run\": \"y\"}}\n");
        let result = r#"{"conclusion": ["a is alone."], "trials": [{"variant": "a", "run": "x"}]}"#;
        write(PLAN, plan, 30);
        write(RESULT, result, 20);
        let done = row("x", State::Finished, 0.5);
        let mut files = ComparisonFiles::default();
        let found = files.variants(folder.path(), &[&done]);
        assert_eq!(found.conclusion, ["a is alone."]);
        assert_eq!(found.variants.len(), 1);
        write(PLAN, &more, 10);
        let found = files.variants(folder.path(), &[&done]);
        assert_eq!(found.conclusion, Vec::<String>::new());
        assert_eq!(found.variants.len(), 2);
    }

    #[test]
    fn runs_without_a_comparison_have_no_variants() {
        let folder = tempfile::tempdir().unwrap();
        let alone = row("relu-seed0", State::Finished, 0.5);
        let found = ComparisonFiles::default().variants(folder.path(), &[&alone]);
        assert_eq!(found.variants, Vec::new());
    }
}
