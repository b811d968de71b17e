//! Baselines beside the best variant of a comparison, and beside the network of one run.

use std::collections::BTreeMap;

use emberlab_metrics::{Direction, Metric, Split, SplitMetrics};
use emberlab_run_format::{
    BaselineComparison, Baselines, ComparisonBaselines, Outcome, PairedDifference, Question,
    RunResult, TrialOutcome, VariantSummary, Verdict,
};

use crate::document::{Cell, Column, Table};
use crate::number;
use crate::numbers::{short, signed_interval};
use crate::pairs::{differences, fewest_pairs, seeds};
use crate::statistics::difference;
use crate::summary::summarize;

/// The baselines on the data of the variant `best`; `None` if there are none for its finished trials, or if
/// none of them has the figure and none failed.
pub(crate) fn compare_with_baselines(
    question: &Question,
    trials: &[TrialOutcome],
    best: &str,
    all: &ComparisonBaselines,
) -> Option<BaselineComparison> {
    let ours = trials.iter().filter(|t| t.variant == best && t.is_done());
    let found: Vec<(&TrialOutcome, &Baselines)> = ours
        .filter_map(|trial| Some((trial, all.of_run(&trial.run)?)))
        .collect();
    let metric = found.first()?.1.metric;
    let figure = format!("{}_{metric}", question.split);
    let mut names: Vec<&str> = Vec::new();
    for (_, baselines) in &found {
        for scores in &baselines.results {
            if !names.contains(&scores.title.as_str()) {
                names.push(&scores.title);
            }
        }
    }
    let outcomes = found
        .iter()
        .flat_map(|(trial, baselines)| outcomes(trial, baselines));
    let outcomes: Vec<TrialOutcome> = outcomes.collect();
    let summaries = names.iter().map(|name| {
        let of_name: Vec<&TrialOutcome> = outcomes.iter().filter(|o| o.variant == *name).collect();
        summarize(name, &of_name, &figure)
    });
    let summaries: Vec<VariantSummary> = summaries.collect();
    let says_something = |b: &VariantSummary| b.num_failed > 0 || b.figures.contains_key(&figure);
    if !summaries.iter().any(says_something) {
        return None;
    }
    let difference = best_summary(&summaries, &figure, metric).and_then(|baseline| {
        let networks = trials.iter().filter(|trial| trial.variant == best);
        let of_both: Vec<TrialOutcome> = networks.chain(&outcomes).cloned().collect();
        let found = differences(&of_both, best, &[&baseline.variant], &figure, metric);
        found.into_iter().next()
    });
    Some(BaselineComparison {
        variant: best.to_string(),
        difference,
        notes: notes(found.iter().map(|(_, baselines)| *baselines)),
        figure,
        baselines: summaries,
    })
}

/// The baselines on the data of a trial, each as if it were the trial of a variant.
fn outcomes<'a>(
    trial: &'a TrialOutcome,
    baselines: &'a Baselines,
) -> impl Iterator<Item = TrialOutcome> + 'a {
    baselines.results.iter().map(|scores| {
        let named = |(split, metrics): (&Split, &SplitMetrics)| -> Vec<(String, f64)> {
            let metrics = metrics.iter();
            metrics
                .map(|(metric, value)| (format!("{split}_{metric}"), value))
                .collect()
        };
        TrialOutcome {
            variant: scores.title.clone(),
            seed: trial.seed,
            fold: trial.fold,
            run: String::new(),
            outcome: match scores.error {
                None => Outcome::Completed,
                Some(_) => Outcome::Failed,
            },
            epochs: 0,
            steps: 0,
            seconds: 0.0,
            epochs_to_target: None,
            figures: scores.metrics.iter().flat_map(named).collect(),
        }
    })
}

/// The summary with the best median; of several, the first.
fn best_summary<'a>(
    summaries: &'a [VariantSummary],
    figure: &str,
    metric: Metric,
) -> Option<&'a VariantSummary> {
    let mut best: Option<(&VariantSummary, f64)> = None;
    for summary in summaries {
        let Some(spread) = summary.figures.get(figure) else {
            continue;
        };
        let is_better = |other| metric.direction().is_improvement(spread.median, other);
        if best.is_none_or(|(_, other)| is_better(other)) {
            best = Some((summary, spread.median));
        }
    }
    best.map(|(summary, _)| summary)
}

/// Sentences that compare the best variant with the best baseline, and say what limits the baselines.
pub(crate) fn sentences(comparison: &BaselineComparison) -> Vec<String> {
    let answer = comparison.difference.as_ref().map(|difference| {
        let what = comparison.figure.replace('_', " ");
        answer(difference, &comparison.variant, &what)
    });
    answer.into_iter().chain(comparison.notes.clone()).collect()
}

/// The sentence that compares a variant with the best baseline by the figure `what`.
fn answer(difference: &PairedDifference, variant: &str, what: &str) -> String {
    let baseline = &difference.variant;
    let by = |sign: f64| {
        let median = short(sign * difference.median);
        match difference.interval {
            Some(interval) => format!("{median} {}", signed_interval(sign, interval)),
            None => median,
        }
    };
    let needed = fewest_pairs(1);
    match difference.verdict {
        _ if !difference.median.is_finite() => {
            format!(
                "{variant} ends in NaN or infinity where {baseline}, the best baseline, does not."
            )
        }
        Verdict::Worse => format!(
            "{variant} is better than {baseline}, the best baseline, by {} in {what}, p = {}.",
            by(difference.median.signum()),
            short(difference.p_value)
        ),
        Verdict::Better => format!(
            "{variant} is worse than {baseline}, the best baseline, by {} in {what}, p = {}: the simple model \
             predicts better here.",
            by(difference.median.signum()),
            short(difference.p_value)
        ),
        Verdict::NotToldApart if difference.num_pairs < needed => format!(
            "{variant} differs from {baseline}, the best baseline, by {} in {what}, but with {} no difference can be \
             shown: at least {needed} seeds are needed.",
            by(-1.0),
            seeds(difference.num_pairs, difference.num_folds)
        ),
        Verdict::NotToldApart => format!(
            "{variant} and {baseline}, the best baseline, cannot be told apart by {what} (difference {}).",
            by(-1.0)
        ),
    }
}

/// Sentences about baselines that learnt from a part of the rows, or could not be fitted; each said once.
fn notes<'a>(all: impl Iterator<Item = &'a Baselines>) -> Vec<String> {
    let mut said: BTreeMap<(usize, &str), String> = BTreeMap::new();
    for baselines in all {
        for (place, scores) in baselines.results.iter().enumerate() {
            let title = scores.title.as_str();
            if let Some(error) = &scores.error {
                said.entry((place, title))
                    .or_insert_with(|| format!("{title} could not be fitted: {error}."));
            } else if scores.num_train_used < baselines.num_train {
                said.entry((place, title)).or_insert_with(|| {
                    format!(
                        "{title} learnt from {} of {} training rows, because all of them would take too long.",
                        scores.num_train_used, baselines.num_train
                    )
                });
            }
        }
    }
    said.into_values().collect()
}

/// The split that the network of a run is judged by, and its metrics: test if it has rows, else validation, else
/// training.
pub fn judged_by(result: &RunResult) -> Option<(Split, &SplitMetrics)> {
    let order = [Split::Test, Split::Valid, Split::Train].into_iter();
    let mut found = order.filter_map(|split| Some((split, result.metrics.get(&split)?)));
    found.next()
}

/// A row for the network of a run and one for each baseline, on one split. `None` if the baselines were not scored on
/// this split.
pub fn baseline_table(
    baselines: &Baselines,
    split: Split,
    network: &SplitMetrics,
) -> Option<Table> {
    let scored: Vec<_> = (baselines.results.iter())
        .filter_map(|scores| Some((scores.title.as_str(), scores.metrics.get(&split)?)))
        .collect();
    let metrics: Vec<Metric> = scored.first()?.1.iter().map(|(metric, _)| metric).collect();
    let row = |(name, scores): (&str, &SplitMetrics)| -> Vec<Cell> {
        let value = |metric: &Metric| scores.get(*metric).map(number).unwrap_or_default();
        let values = metrics.iter().map(|metric| Cell::from(value(metric)));
        [Cell::from(name)].into_iter().chain(values).collect()
    };
    Some(Table {
        caption: format!("The network and simple predictors on the {split} split"),
        columns: [Column::words("predictor")]
            .into_iter()
            .chain(metrics.iter().map(|metric| Column::numbers(metric.name())))
            .collect(),
        rows: [("the network", network)]
            .into_iter()
            .chain(scored.iter().copied())
            .map(row)
            .collect(),
    })
}

/// Sentences that compare the network of a run with the best baseline, and say what limits the baselines.
pub fn baseline_sentences(
    baselines: &Baselines,
    split: Split,
    network: &SplitMetrics,
) -> Vec<String> {
    let metric = baselines.metric;
    let mut said = Vec::new();
    if let (Some((best, value)), Some(own)) = (baselines.best(split), network.get(metric)) {
        let title = &best.title;
        let (own_text, value_text) = (number(own), number(value));
        let gain = match metric.direction() {
            Direction::Higher => difference(own, value),
            Direction::Lower => difference(value, own),
        };
        let compared = format!("{split} {metric} {own_text} against {value_text}");
        said.push(match gain {
            gain if gain > 0.0 => format!(
                "The network is better than {title}, the best baseline, by {}: {compared}.",
                short(gain)
            ),
            gain if gain < 0.0 => format!(
                "The network is worse than {title}, the best baseline, by {}: {compared}. The simple model predicts \
                 better here.",
                short(-gain)
            ),
            0.0 => format!(
                "The network is no better than {title}, the best baseline: both have a {split} {metric} of {own_text}."
            ),
            _ => format!("The network has no {split} {metric}; {title}, the best baseline, has {value_text}."),
        });
        said.push(
            "This is one seed; `emberlab compare` shows with several whether a difference is more than chance."
                .to_string(),
        );
    }
    said.extend(notes([baselines].into_iter()));
    said
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use emberlab_run_format::{BaselineScores, DataBaselines};

    const SEEDS: usize = 10;

    fn scores(title: &str, accuracy: f64) -> BaselineScores {
        let metrics: SplitMetrics = [(Metric::Accuracy, accuracy)].into_iter().collect();
        BaselineScores {
            name: title.replace(' ', "_"),
            title: title.to_string(),
            num_train_used: 70,
            metrics: [(Split::Valid, metrics)].into(),
            error: None,
        }
    }

    /// A comparison of one variant with accuracies from 0.8 on, whose logistic regression is better by `lead(seed)`.
    fn compared(lead: impl Fn(usize) -> f64, seeds: usize) -> BaselineComparison {
        let accuracy = |seed: usize| 0.8 + 0.01 * seed as f64;
        let trial = |seed: usize| TrialOutcome {
            variant: "relu".to_string(),
            seed: seed as u64,
            fold: None,
            run: format!("relu-seed{seed}"),
            outcome: Outcome::Completed,
            epochs: 1,
            steps: 1,
            seconds: 1.0,
            epochs_to_target: None,
            figures: [
                ("valid_accuracy".to_string(), accuracy(seed)),
                ("valid_loss".to_string(), 0.5),
            ]
            .into(),
        };
        let trials: Vec<TrialOutcome> = (0..seeds).map(trial).collect();
        let data = |seed: usize| DataBaselines {
            key: seed.to_string(),
            runs: vec![format!("relu-seed{seed}")],
            baselines: Baselines {
                metric: Metric::Accuracy,
                num_train: 100,
                results: vec![
                    scores("majority class", 0.5),
                    scores("logistic regression", accuracy(seed) + lead(seed)),
                ],
            },
        };
        let all = ComparisonBaselines {
            data: (0..seeds).map(data).collect(),
        };
        let question = Question {
            experiment: "moons".to_string(),
            // Baselines have no loss, so they are compared by the accuracy.
            metric: Metric::Loss,
            split: "valid".to_string(),
            asked_split: None,
            at_epochs: Vec::new(),
            target: None,
        };
        compare_with_baselines(&question, &trials, "relu", &all).unwrap()
    }

    #[test]
    fn a_network_that_beats_every_baseline_is_better_by_the_paired_difference() {
        let found = compared(|seed| -0.03 - 0.001 * seed as f64, SEEDS);
        assert_eq!(found.figure, "valid_accuracy");
        assert_eq!(found.baselines.len(), 2);
        assert_eq!(found.baselines[1].figures["valid_accuracy"].n, SEEDS);
        let difference = found.difference.as_ref().unwrap();
        assert_eq!(
            (difference.num_pairs, difference.verdict),
            (10, Verdict::Worse)
        );
        // The median of 0.030, 0.031, …, 0.039, and ten differences of one sign: p = 2 / 2^10.
        let said = sentences(&found);
        assert!(
            said[0].starts_with(
                "relu is better than logistic regression, the best baseline, by 0.0345 [0.03"
            ),
            "{said:?}"
        );
        assert!(
            said[0].ends_with("in valid accuracy, p = 0.0020."),
            "{said:?}"
        );
        assert_eq!(
            said[1],
            "majority class learnt from 70 of 100 training rows, because all of them would take too long."
        );
    }

    #[test]
    fn a_linear_model_that_wins_is_said_to_win() {
        let said = sentences(&compared(|_| 0.05, SEEDS));
        assert_eq!(
            said[0],
            "relu is worse than logistic regression, the best baseline, by 0.0500 [0.0500, 0.0500] in valid accuracy, \
             p = 0.0020: the simple model predicts better here."
        );
    }

    #[test]
    fn a_tie_cannot_be_told_apart_and_few_seeds_show_nothing() {
        let tied = sentences(&compared(
            |seed| if seed % 2 == 0 { 0.01 } else { -0.01 },
            SEEDS,
        ));
        assert!(
            tied[0].starts_with(
                "relu and logistic regression, the best baseline, cannot be told apart by valid accuracy (difference "
            ),
            "{tied:?}"
        );
        let few = sentences(&compared(|_| -0.02, 2));
        assert_eq!(
            few[0],
            "relu differs from logistic regression, the best baseline, by 0.0200 [0.0200, 0.0200] in valid accuracy, \
             but with 2 seeds no difference can be shown: at least 6 seeds are needed."
        );
    }

    #[test]
    fn one_run_is_compared_by_the_difference_of_its_scores() {
        let mut failed = scores("random forest", 0.0);
        failed.metrics.clear();
        failed.error = Some("the training features have a NaN".to_string());
        let baselines = Baselines {
            metric: Metric::Accuracy,
            num_train: 70,
            results: vec![scores("logistic regression", 0.75), failed],
        };
        let network = |accuracy| {
            let metrics = [(Metric::Loss, 0.5), (Metric::Accuracy, accuracy)];
            metrics.into_iter().collect::<SplitMetrics>()
        };
        let said = |accuracy| baseline_sentences(&baselines, Split::Valid, &network(accuracy));
        assert_eq!(
            said(0.875)[0],
            "The network is better than logistic regression, the best baseline, by 0.125: valid accuracy 0.8750 \
             against 0.7500."
        );
        assert!(said(0.5)[0].contains("is worse than logistic regression"));
        assert!(said(0.75)[0].contains("is no better than logistic regression"));
        assert_eq!(
            said(0.5)[2],
            "random forest could not be fitted: the training features have a NaN."
        );
        let table = baseline_table(&baselines, Split::Valid, &network(0.875)).unwrap();
        let texts: Vec<&str> = table
            .rows
            .iter()
            .flatten()
            .map(|c| c.text.as_str())
            .collect();
        assert_eq!(
            texts,
            ["the network", "0.8750", "logistic regression", "0.7500"]
        );
        // 0.1 + 0.2 is 0.3 up to rounding.
        let mut near = baselines.clone();
        near.results[0] = scores("logistic regression", 0.1 + 0.2);
        let said = baseline_sentences(&near, Split::Valid, &network(0.3));
        assert!(
            said[0].contains("is no better than logistic regression"),
            "{said:?}"
        );
        assert!(baseline_table(&baselines, Split::Test, &network(0.5)).is_none());
    }
}
