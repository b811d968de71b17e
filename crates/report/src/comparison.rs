//! The variants of a comparison beside each other, and the conclusion.

use std::collections::HashMap;
use std::path::Path;

use emberlab_metrics::Split;
use emberlab_run_format::files::comparison::{BASELINES, RESULT};
use emberlab_run_format::{
    ComparisonBaselines, ComparisonResult, ModelTask, PairedDifference, Question, RunFolder,
    TrialOutcome, VariantSummary, Verdict, read_json,
};

use crate::baselines::{compare_with_baselines, sentences};
use crate::error::ReportError;
use crate::numbers::{count, short, short_list, signed_interval};
use crate::outcome::{TargetFigure, TrialPlace, load_trial};
use crate::pairs::{differences, fewest_pairs, or_worst, seeds};
use crate::statistics::median;
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

/// The best variant: the one with the best median of the objective, where a trial that ended in NaN or infinity counts
/// as infinitely bad. `None` if no trial has finished with a finite objective.
pub fn best_variant(result: &ComparisonResult) -> Option<&str> {
    best(&result.variants, &medians(result), &result.question)
}

/// The median of the objective of each variant. A trial that ended in NaN or infinity counts as infinitely bad, so that
/// a variant is not the best for its few good trials. NaN for a variant without finished trials.
pub(crate) fn medians(result: &ComparisonResult) -> Vec<f64> {
    medians_of(&by_variant(&result.trials), &result.question)
}

fn medians_of(variants: &[(&str, Vec<&TrialOutcome>)], question: &Question) -> Vec<f64> {
    let objective = question.objective();
    let of_variant = |(_, trials): &(&str, Vec<&TrialOutcome>)| {
        let done = trials.iter().filter(|trial| trial.is_done());
        let values = done.filter_map(|trial| trial.value(&objective));
        let values: Vec<f64> = values.map(|v| or_worst(v, question.metric)).collect();
        median(&values)
    };
    variants.iter().map(of_variant).collect()
}

/// Reads every trial and compares the variants. Without validation rows, the question is about the training rows.
///
/// # Errors
/// [`ReportError`] if a file is there but cannot be read.
pub fn load(question: Question, places: &[TrialPlace]) -> Result<ComparisonResult, ReportError> {
    let question = about_rows_that_are_there(question, places);
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

/// The same question about the training split if no trial has validation rows: a training without them judges its epochs
/// by the training split, too.
fn about_rows_that_are_there(question: Question, places: &[TrialPlace]) -> Question {
    let (valid, train) = (Split::Valid.to_string(), Split::Train.to_string());
    let mut is_done = false;
    for place in places {
        // A damaged result counts as none.
        let result = RunFolder::new(&place.run).result().unwrap_or_default();
        if let Some(result) = result {
            if result.metrics.contains_key(&Split::Valid) {
                return question;
            }
            is_done = true;
        }
    }
    if !is_done || question.split != valid {
        return question;
    }
    let target = question
        .target
        .map(|(metric, split, value)| match split == valid {
            true => (metric, train.clone(), value),
            false => (metric, split, value),
        });
    Question {
        split: train,
        asked_split: Some(valid),
        target,
        ..question
    }
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
    let best = best(&variants, &medians_of(&of_variants, &question), &question);
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

/// The variant with the best of these medians; of several, the one with the fewest trials that ended in NaN or infinity,
/// or else the best median of its other trials.
fn best<'a>(
    variants: &'a [VariantSummary],
    medians: &[f64],
    question: &Question,
) -> Option<&'a str> {
    let objective = question.objective();
    let is_improvement = |a, b| question.metric.direction().is_improvement(a, b);
    let mut best: Option<(&VariantSummary, f64, f64)> = None;
    for (variant, &median) in variants.iter().zip(medians) {
        let Some(finite) = variant.figures.get(&objective).map(|spread| spread.median) else {
            continue;
        };
        let is_better = best.is_none_or(|(other, other_median, other_finite)| {
            if median != other_median {
                return is_improvement(median, other_median);
            }
            let order = other.num_not_finite.cmp(&variant.num_not_finite);
            order.is_gt() || order.is_eq() && is_improvement(finite, other_finite)
        });
        if is_better {
            best = Some((variant, median, finite));
        }
    }
    best.map(|(variant, ..)| variant.variant.as_str())
}

fn conclusion(
    question: &Question,
    variants: &[VariantSummary],
    best: Option<&str>,
    differences: &[PairedDifference],
) -> Vec<String> {
    let mut said = Vec::new();
    if question.asked_split.is_some() {
        said.push(
            "There are no validation rows, so that the variants are compared by the training split."
                .to_string(),
        );
    }
    said.extend(bad_trials(question, variants));
    match best {
        Some(best) => said.extend(ranking(question, best, differences)),
        None => said.push("No finished trial has a finite objective yet.".to_string()),
    }
    said
}

/// The most sentences of one kind.
const MOST_SAID: usize = 10;

/// The first sentences, and one with the number of the others.
fn first_said(mut said: Vec<String>, others: impl Fn(&str) -> String) -> Vec<String> {
    let num_more = said.len().saturating_sub(MOST_SAID);
    if num_more > 0 {
        said.truncate(MOST_SAID);
        said.push(others(&count(num_more, "more variant")));
    }
    said
}

/// Sentences about trials that are missing, failed, or ended in NaN or infinity.
fn bad_trials(question: &Question, variants: &[VariantSummary]) -> Vec<String> {
    let mut said = Vec::new();
    let num_missing = |v: &VariantSummary| v.num_trials - v.num_done - v.num_failed;
    let missing: Vec<&VariantSummary> = variants.iter().filter(|v| num_missing(v) > 0).collect();
    if !missing.is_empty() {
        let trials = count(missing.iter().map(|v| num_missing(v)).sum(), "trial");
        let names: Vec<&str> = missing.iter().map(|v| v.variant.as_str()).collect();
        let whose = match names.len() == variants.len() {
            true => String::new(),
            false => format!(" of {}", short_list(&names)),
        };
        said.push(format!("Without a result yet: {trials}{whose}."));
    }
    let objective = question.objective();
    let what = objective.replace('_', " ");
    let (mut failed, mut not_finite, mut absent) = (Vec::new(), Vec::new(), Vec::new());
    for variant in variants {
        let (name, done) = (&variant.variant, variant.num_done);
        if variant.num_failed > 0 {
            let (num_failed, all) = (variant.num_failed, variant.num_trials);
            failed.push(format!("{name}: {num_failed} of {all} trials failed."));
        }
        if variant.num_not_finite > 0 {
            let bad = variant.num_not_finite;
            not_finite.push(format!(
                "{name}: {bad} of {done} trials ended in NaN or infinity."
            ));
        }
        let num_finite = variant.figures.get(&objective).map_or(0, |spread| spread.n);
        let num_absent = done - num_finite - variant.num_not_finite;
        if num_absent > 0 {
            absent.push(format!(
                "{name}: {num_absent} of {done} trials have no {what}."
            ));
        }
    }
    let all = [failed, not_finite, absent].into_iter();
    let others = |more: &str| format!("{more} had such trials too.");
    said.extend(all.flat_map(|said| first_said(said, others)));
    said
}

/// Sentences about which variants are the best, and how much worse the others are. Each variant is judged by the seeds
/// that it and the best have.
fn ranking(question: &Question, best: &str, differences: &[PairedDifference]) -> Vec<String> {
    let Some(most) = differences.iter().max_by_key(|d| d.num_pairs) else {
        return Vec::new();
    };
    let needed = fewest_pairs(differences.len());
    let what = question.objective().replace('_', " ");
    if most.num_pairs < needed {
        let seeds = seeds(most.num_pairs, most.num_folds);
        return vec![format!(
            "{best} has the best median {what}, but with {seeds} no difference can be shown: \
             {} variants need at least {needed} seeds.",
            differences.len() + 1
        )];
    }
    let (compared, unfinished): (Vec<&PairedDifference>, Vec<_>) =
        differences.iter().partition(|d| d.num_pairs >= needed);
    let of = |verdict: Verdict| {
        let mut found: Vec<&PairedDifference> = compared
            .iter()
            .copied()
            .filter(|d| d.verdict == verdict)
            .collect();
        found.sort_by(|a, b| a.median.abs().total_cmp(&b.median.abs()));
        found
    };
    let (mut better, worse) = (of(Verdict::Better), of(Verdict::Worse));
    better.reverse();
    let tied = compared
        .iter()
        .filter(|d| d.verdict == Verdict::NotToldApart);
    let tied: Vec<&PairedDifference> = tied.copied().collect();
    let mut said = Vec::new();
    if !better.is_empty() {
        said.push(format!("{best} has the best median {what}."));
    }
    if let Some(fewest) = tied.iter().min_by_key(|d| d.num_pairs) {
        let names = [best]
            .into_iter()
            .chain(tied.iter().map(|d| d.variant.as_str()));
        said.push(format!(
            "{} cannot be told apart by {what} with {}.",
            short_list(&names.collect::<Vec<_>>()),
            seeds(fewest.num_pairs, fewest.num_folds)
        ));
    } else if better.is_empty() {
        let of_those = if unfinished.is_empty() {
            ""
        } else {
            " of those with enough seeds"
        };
        said.push(format!("{best} is the best{of_those} by {what}."));
    }
    for of_verdict in [better, worse] {
        let sentences = of_verdict.into_iter().map(|d| how_different(d, best));
        let others = |more: &str| match more.starts_with("1 ") {
            true => format!("{more} differs by more; `comparison.json` has all differences."),
            false => format!("{more} differ by more; `comparison.json` has all differences."),
        };
        said.extend(first_said(sentences.collect(), others));
    }
    if !unfinished.is_empty() {
        let names: Vec<&str> = unfinished.iter().map(|d| d.variant.as_str()).collect();
        said.push(format!(
            "Nothing can be shown yet about {}: at least {needed} finished seeds are needed.",
            short_list(&names)
        ));
    }
    said
}

/// A sentence about a variant that is better or worse than the best one.
fn how_different(difference: &PairedDifference, best: &str) -> String {
    let median = difference.median;
    let is_better = difference.verdict == Verdict::Better;
    let direction = if median < 0.0 { "lower" } else { "higher" };
    let than = match is_better {
        true => format!("is better than {best} seed by seed"),
        false => format!("is worse than {best}"),
    };
    let amount = match (median.is_finite(), difference.interval) {
        (false, _) if is_better => {
            format!("ends with a finite value where {best} becomes NaN or infinite")
        }
        (false, _) => "ends in NaN or infinity".to_string(),
        (true, Some(interval)) => {
            let by = short(median.abs());
            let interval = signed_interval(median.signum(), interval);
            format!("{than}: {by} {direction} {interval}")
        }
        (true, None) => than,
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
    use emberlab_metrics::Metric;
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
            asked_split: None,
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
            num_folds: None,
            median,
            interval: Some(interval),
            p_value: 0.03125,
            verdict: Verdict::Worse,
        };
        let lower = difference(-0.02, (-0.05, 0.01));
        assert_eq!(
            how_different(&lower, "relu"),
            "tanh is worse than relu: 0.0200 lower [-0.0100, 0.0500], p = 0.0312."
        );
        let higher = difference(0.02, (-0.01, 0.05));
        assert_eq!(
            how_different(&higher, "relu"),
            "tanh is worse than relu: 0.0200 higher [-0.0100, 0.0500], p = 0.0312."
        );
    }

    #[test]
    fn a_few_trials_that_end_in_nan_do_not_turn_the_answer_round() {
        let low: Vec<f64> = (0..24).map(|i| 0.5 + 0.001 * f64::from(i)).collect();
        let mut high: Vec<f64> = low.iter().map(|x| x + 0.4).collect();
        (high[3], high[7]) = (f64::NAN, f64::NAN);
        let report = report(&[("slow", &low), ("fast", &high)]);
        assert_eq!(best_variant(&report), Some("fast"));
        assert_eq!(report.conclusion.len(), 3);
        assert_eq!(
            report.conclusion[..2],
            [
                "fast: 2 of 24 trials ended in NaN or infinity.",
                "fast is the best by valid accuracy."
            ]
        );
        let said = "slow is worse than fast: 0.400 lower [0.400, 0.400], p = ";
        assert!(report.conclusion[2].starts_with(said), "{report:?}");
    }

    #[test]
    fn a_variant_that_is_better_seed_by_seed_is_not_called_worse() {
        // The medians are 0.6 and 0.59, but in eleven of twelve pairs `b` is better.
        let a = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2];
        let b = [
            0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.63, 0.85, 0.95, 1.05, 1.15, 1.25,
        ];
        let report = report(&[("a", &a), ("b", &b)]);
        let said = report.conclusion.join("\n");
        assert_eq!(report.differences[0].best, "a", "{said}");
        assert_eq!(report.differences[0].verdict, Verdict::Better);
        assert!(
            said.starts_with("a has the best median valid accuracy.\nb is better than a seed by seed: 0.0500 higher"),
            "{said}"
        );
    }

    #[test]
    fn a_variant_without_results_does_not_hide_the_answer_about_the_others() {
        let good: Vec<f64> = (0..9).map(|i| 0.9 + 0.001 * f64::from(i)).collect();
        let bad: Vec<f64> = good.iter().map(|x| x - 0.2).collect();
        let mut of_missing = report(&[("a", &good), ("b", &bad), ("c", &good)]);
        for trial in &mut of_missing.trials {
            if trial.variant == "c" {
                trial.outcome = Outcome::Missing;
            }
        }
        let report = compare(of_missing.question, of_missing.trials);
        assert_eq!(
            report.conclusion,
            [
                "Without a result yet: 9 trials of c.",
                "a is the best of those with enough seeds by valid accuracy.",
                "b is worse than a: 0.200 lower [0.200, 0.200], p = 0.0078.",
                "Nothing can be shown yet about c: at least 7 finished seeds are needed."
            ]
        );
    }

    #[test]
    fn a_figure_that_is_absent_is_not_called_nan() {
        let mut found = report(&[("a", &[0.9, 0.8]), ("b", &[0.1, 0.2])]);
        for trial in &mut found.trials {
            if trial.variant == "b" {
                trial.figures.clear();
            }
        }
        let report = compare(found.question, found.trials);
        assert_eq!(
            report.conclusion[0],
            "b: 2 of 2 trials have no valid accuracy."
        );
        assert_eq!(report.variants[1].num_not_finite, 0);
    }

    #[test]
    fn without_validation_rows_the_training_split_decides_and_the_answer_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let place = |variant: &str, loss: f64| {
            let run = folder.path().join(variant);
            std::fs::create_dir(&run).unwrap();
            let result = format!(
                r#"{{"ending": "completed", "epochs": 1, "steps": 2, "num_parameters": 9, "seconds": 1.5,
                "metrics": {{"train": {{"loss": {loss}}}}}, "best": null}}"#
            );
            std::fs::write(run.join("result.json"), result).unwrap();
            std::fs::write(
                run.join("metrics.csv"),
                format!("epoch,step,learning_rate,train_loss\n1,2,0.1,{loss}\n"),
            )
            .unwrap();
            TrialPlace {
                variant: variant.to_string(),
                seed: 0,
                fold: None,
                run,
            }
        };
        let places = [place("a", 0.5), place("b", 0.25)];
        let question = Question {
            experiment: "moons".to_string(),
            metric: Metric::Loss,
            split: "valid".to_string(),
            asked_split: None,
            at_epochs: Vec::new(),
            target: Some((Metric::Loss, "valid".to_string(), 0.3)),
        };
        let report = load(question, &places).unwrap();
        assert_eq!(best_variant(&report), Some("b"));
        assert_eq!(report.question.objective(), "train_loss");
        let said = "There are no validation rows, so that the variants are compared by the training split.";
        assert_eq!(report.conclusion[0], said);
        assert_eq!(report.trials[1].epochs_to_target, Some(1));
        // Reading the saved comparison again says the same.
        assert_eq!(load(report.question.clone(), &places).unwrap(), report);
    }

    #[test]
    fn hundreds_of_worse_variants_are_counted() {
        let best: Vec<f64> = (0..15).map(|i| 0.9 + 0.001 * f64::from(i)).collect();
        let worse: Vec<f64> = best.iter().map(|x| x - 0.2).collect();
        let names: Vec<String> = (0..40).map(|i| format!("w{i}")).collect();
        let mut all: Vec<(&str, &[f64])> = vec![("best", &best)];
        all.extend(names.iter().map(|name| (name.as_str(), &worse[..])));
        let said = report(&all).conclusion;
        assert_eq!(said.len(), 1 + MOST_SAID + 1);
        let last = "30 more variants differ by more; `comparison.json` has all differences.";
        assert_eq!(said.last().unwrap(), last);
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
