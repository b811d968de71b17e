//! The variants of a comparison beside each other, and the conclusion.

use std::collections::HashMap;
use std::path::Path;

use emberlab_metrics::{Direction, Metric};
use emberlab_run_format::files::comparison::{BASELINES, RESULT};
use emberlab_run_format::{
    ComparisonBaselines, ComparisonResult, ModelTask, PairedDifference, Question, RunFolder,
    TrialOutcome, VariantSummary, Verdict, read_json,
};

use crate::baselines::{compare_with_baselines, sentences};
use crate::error::ReportError;
use crate::numbers::{count, list, short, signed_interval};
use crate::outcome::{TargetFigure, TrialPlace, load_trial};
use crate::pairs::{differences, fewest_pairs};
use crate::summary::summarize;

/// Reads the trials that `comparison.json` in `folder` names, and compares the variants again. If the baselines are
/// damaged, the comparison goes without them, and a sentence says so.
///
/// # Errors
/// [`ReportError::NoComparison`] if there is none, or another if a file cannot be read.
pub fn reload(folder: &Path) -> Result<(ComparisonResult, Option<String>), ReportError> {
    let file: Option<ComparisonResult> =
        read_json(&folder.join(RESULT)).map_err(ReportError::DamagedComparison)?;
    let file = file.ok_or_else(|| ReportError::NoComparison {
        folder: folder.to_path_buf(),
    })?;
    let place = |trial: TrialOutcome| TrialPlace {
        variant: trial.variant,
        seed: trial.seed,
        fold: trial.fold,
        run: folder.join(trial.run),
    };
    let places: Vec<TrialPlace> = file.trials.into_iter().map(place).collect();
    let mut result = load(file.question, &places)?;
    // Without baselines in the file they were switched off, whatever an earlier comparison has left in the folder.
    if file.baselines.is_none() {
        return Ok((result, None));
    }
    let damaged = match read_json(&folder.join(BASELINES)) {
        Ok(found) => {
            if let Some(found) = found {
                add_baselines(&mut result, &found);
            }
            None
        }
        Err(error) => Some(format!(
            "{error}; `emberlab compare CONFIG --collect` writes it again"
        )),
    };
    Ok((result, damaged))
}

/// Compares the best variant with the baselines on its data, if there are some, and adds the answer to the conclusion.
pub fn add_baselines(result: &mut ComparisonResult, found: &ComparisonBaselines) {
    let Some(best) = best_variant(result) else {
        return;
    };
    result.baselines = compare_with_baselines(&result.question, &result.trials, best, found);
    let said = result.baselines.iter().flat_map(sentences);
    result.conclusion.extend(said);
}

/// The variant with the best median of the objective; `None` if no trial has finished with a finite one.
pub fn best_variant(result: &ComparisonResult) -> Option<&str> {
    let question = &result.question;
    best(&result.variants, &question.objective(), question.metric)
}

/// Reads every trial and compares the variants.
///
/// # Errors
/// [`ReportError`] if a file is there but cannot be read.
pub fn load(question: Question, places: &[TrialPlace]) -> Result<ComparisonResult, ReportError> {
    let target = question
        .target
        .as_ref()
        .map(|(metric, split, value)| TargetFigure {
            column: format!("{split}_{metric}"),
            metric: *metric,
            value: *value,
        });
    let load = |place| load_trial(place, &question.at_epochs, target.as_ref());
    let trials: Vec<TrialOutcome> = places.iter().map(load).collect::<Result<_, _>>()?;
    Ok(ComparisonResult {
        positive_class: positive_class(places)?,
        ..compare(question, trials)
    })
}

/// Of two classes, the one that thresholds are about, if it is the same in all trials.
fn positive_class(places: &[TrialPlace]) -> Result<Option<String>, ReportError> {
    let mut found: Option<String> = None;
    for place in places {
        let Some(model) = RunFolder::new(&place.run).model()? else {
            continue;
        };
        let ModelTask::Binary { .. } = model.task else {
            return Ok(None);
        };
        let positive = model.class_names.into_iter().nth(1);
        if found.is_some() && found != positive {
            return Ok(None);
        }
        found = positive;
    }
    Ok(found)
}

fn compare(question: Question, trials: Vec<TrialOutcome>) -> ComparisonResult {
    let objective = question.objective();
    let of_variants = by_variant(&trials);
    let summary = |(name, ours): &(&str, Vec<&TrialOutcome>)| summarize(name, ours, &objective);
    let variants: Vec<VariantSummary> = of_variants.iter().map(summary).collect();
    let best = best(&variants, &objective, question.metric);
    let differences = match best {
        Some(best) => {
            let names = of_variants.iter().map(|(name, _)| *name);
            let others: Vec<&str> = names.filter(|name| *name != best).collect();
            differences(&trials, best, &others, &objective, question.metric)
        }
        None => Vec::new(),
    };
    let conclusion = conclusion(&question, &variants, best, &differences);
    ComparisonResult {
        question,
        variants,
        differences,
        baselines: None,
        conclusion,
        positive_class: None,
        trials,
    }
}

/// The trials of each variant, in the order in which the variants first occur.
fn by_variant(trials: &[TrialOutcome]) -> Vec<(&str, Vec<&TrialOutcome>)> {
    let mut variants: Vec<(&str, Vec<&TrialOutcome>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for trial in trials {
        let place = *places.entry(&trial.variant).or_insert(variants.len());
        if place == variants.len() {
            variants.push((&trial.variant, Vec::new()));
        }
        variants[place].1.push(trial);
    }
    variants
}

/// The variant with the fewest trials that ended in NaN or infinity; of several, the one whose objective has the best
/// median.
fn best<'a>(variants: &'a [VariantSummary], objective: &str, metric: Metric) -> Option<&'a str> {
    let mut best: Option<(&VariantSummary, f64)> = None;
    for variant in variants {
        let Some(spread) = variant.figures.get(objective) else {
            continue;
        };
        let is_better = match best {
            None => true,
            Some((other, value)) => {
                let order = other.num_not_finite.cmp(&variant.num_not_finite);
                order.is_gt()
                    || order.is_eq() && metric.direction().is_improvement(spread.median, value)
            }
        };
        if is_better {
            best = Some((variant, spread.median));
        }
    }
    best.map(|(variant, _)| variant.variant.as_str())
}

fn conclusion(
    question: &Question,
    variants: &[VariantSummary],
    best: Option<&str>,
    differences: &[PairedDifference],
) -> Vec<String> {
    let mut said = bad_trials(variants);
    match best {
        Some(best) => said.extend(ranking(question, best, differences)),
        None => said.push("No finished trial has a finite objective yet.".to_string()),
    }
    said
}

/// Sentences about trials that are missing, failed, or ended in NaN or infinity.
fn bad_trials(variants: &[VariantSummary]) -> Vec<String> {
    let mut said = Vec::new();
    let num_missing: usize = variants
        .iter()
        .map(|v| v.num_trials - v.num_done - v.num_failed)
        .sum();
    if num_missing > 0 {
        let trials = count(num_missing, "trial");
        said.push(format!("Without a result yet: {trials}."));
    }
    for variant in variants {
        if variant.num_failed > 0 {
            let (failed, all) = (variant.num_failed, variant.num_trials);
            said.push(format!(
                "{}: {failed} of {all} trials failed.",
                variant.variant
            ));
        }
        if variant.num_not_finite > 0 {
            let (bad, done) = (variant.num_not_finite, variant.num_done);
            said.push(format!(
                "{}: {bad} of {done} trials ended in NaN or infinity.",
                variant.variant
            ));
        }
    }
    said
}

/// Sentences about which variants are the best, and how much worse the others are.
fn ranking(question: &Question, best: &str, differences: &[PairedDifference]) -> Vec<String> {
    if differences.is_empty() {
        return Vec::new();
    }
    let num_pairs = differences.iter().map(|d| d.num_pairs).min().unwrap_or(0);
    let needed = fewest_pairs(differences.len());
    let what = question.objective().replace('_', " ");
    let seeds = if num_pairs == 1 { "seed" } else { "seeds" };
    if num_pairs < needed {
        return vec![format!(
            "{best} has the best median {what}, but with {num_pairs} {seeds} no difference can be shown: \
             {} variants need at least {needed} seeds.",
            differences.len() + 1
        )];
    }
    let is_tied = |d: &&PairedDifference| d.verdict == Verdict::NotToldApart;
    let tied: Vec<&str> = differences
        .iter()
        .filter(is_tied)
        .map(|d| d.variant.as_str())
        .collect();
    let first = if tied.is_empty() {
        format!("{best} is the best by {what}.")
    } else {
        let all: Vec<&str> = [best].into_iter().chain(tied).collect();
        format!(
            "{} cannot be told apart by {what} with {num_pairs} {seeds}.",
            list(&all)
        )
    };
    let mut worse: Vec<&PairedDifference> = differences
        .iter()
        .filter(|d| d.verdict == Verdict::Worse)
        .collect();
    worse.sort_by(|a, b| a.median.abs().total_cmp(&b.median.abs()));
    let direction = question.metric.direction();
    let worse = worse
        .into_iter()
        .map(|d| how_much_worse(d, best, direction));
    [first].into_iter().chain(worse).collect()
}

fn how_much_worse(difference: &PairedDifference, best: &str, direction: Direction) -> String {
    let direction = match direction {
        Direction::Higher => "lower",
        Direction::Lower => "higher",
    };
    let amount = match (difference.median.is_finite(), difference.interval) {
        (false, _) => "ends in NaN or infinity".to_string(),
        (true, Some(interval)) => {
            let by = short(difference.median.abs());
            let interval = signed_interval(difference.median.signum(), interval);
            format!("is worse than {best}: {by} {direction} {interval}")
        }
        (true, None) => format!("is worse than {best}"),
    };
    format!(
        "{} {amount}, p = {}.",
        difference.variant,
        short(difference.p_value)
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use emberlab_run_format::Outcome;

    fn report(variants: &[(&str, &[f64])]) -> ComparisonResult {
        let trials = variants.iter().flat_map(|(variant, values)| {
            values.iter().enumerate().map(|(seed, value)| TrialOutcome {
                variant: (*variant).to_string(),
                seed: seed as u64,
                fold: None,
                run: String::new(),
                outcome: Outcome::Completed,
                epochs: 1,
                steps: 1,
                seconds: 1.0,
                epochs_to_target: None,
                figures: [("valid_accuracy".to_string(), *value)].into(),
            })
        });
        let question = Question {
            experiment: "moons".to_string(),
            metric: Metric::Accuracy,
            split: "valid".to_string(),
            at_epochs: Vec::new(),
            target: None,
        };
        compare(question, trials.collect())
    }

    #[test]
    fn the_conclusion_names_ties_and_the_size_of_differences() {
        let relu: Vec<f64> = (0..10).map(|i| 0.95 + 0.001 * f64::from(i)).collect();
        let tanh: Vec<f64> = (0..10)
            .map(|i| 0.9545 + 0.001 * f64::from(i * 3 % 10 - 5))
            .collect();
        let linear: Vec<f64> = relu.iter().map(|x| x - 0.12).collect();
        let report = report(&[("relu", &relu), ("tanh", &tanh), ("linear", &linear)]);
        assert_eq!(
            report.conclusion,
            [
                "relu and tanh cannot be told apart by valid accuracy with 10 seeds.",
                "linear is worse than relu: 0.120 lower [0.120, 0.120], p = 0.0039.",
            ]
        );
    }

    #[test]
    fn an_interval_around_zero_keeps_its_sign() {
        let difference = |median, interval| PairedDifference {
            variant: "tanh".to_string(),
            best: "relu".to_string(),
            num_pairs: 10,
            median,
            interval: Some(interval),
            p_value: 0.03125,
            verdict: Verdict::Worse,
        };
        let lower = difference(-0.02, (-0.05, 0.01));
        assert_eq!(
            how_much_worse(&lower, "relu", Direction::Higher),
            "tanh is worse than relu: 0.0200 lower [-0.0100, 0.0500], p = 0.0312."
        );
        let higher = difference(0.02, (-0.01, 0.05));
        assert_eq!(
            how_much_worse(&higher, "relu", Direction::Lower),
            "tanh is worse than relu: 0.0200 higher [-0.0100, 0.0500], p = 0.0312."
        );
    }

    #[test]
    fn the_conclusion_says_when_there_are_too_few_seeds() {
        let report = report(&[("a", &[0.9, 0.8]), ("b", &[0.1, 0.2])]);
        assert_eq!(
            report.conclusion,
            [
                "a has the best median valid accuracy, but with 2 seeds no difference can be shown: \
                 2 variants need at least 6 seeds."
            ]
        );
    }

    #[test]
    fn a_variant_that_fails_often_is_not_the_best_for_its_few_good_trials() {
        let report = report(&[
            ("wild", &[0.99, f64::NAN, f64::NAN]),
            ("calm", &[0.9, 0.9, 0.9]),
        ]);
        assert!(report.differences.iter().all(|d| d.best == "calm"));
        let said = "wild: 2 of 3 trials ended in NaN or infinity.";
        assert_eq!(report.conclusion[0], said);
        assert!(
            crate::to_json(&report, "moons")
                .unwrap()
                .contains("\"num_not_finite\": 2")
        );
    }
}
