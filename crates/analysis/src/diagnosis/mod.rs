//! Rules that find problems of a training: one for each kind of finding, over everything that was observed.
//!
//! [`RULES`] is the table of all kinds. A new kind is a variant of [`FindingKind`], a file in `findings/` with
//! its rule, its wording and its remedies, and one row in the table.

#[cfg(test)]
mod examples;
mod findings;
mod learning_curves;
mod observed_data;
mod ongoing;
mod wording;

use std::borrow::Cow;
use std::fmt;

use emberlab_metrics::{Split, SplitMetrics};
use emberlab_run_format::{Baselines, Finding, FindingKind, LayerHistory, LayerRow, Severity};
use emberlab_training::inspection::{ActivationInspection, SignalInspection, StepInspection};
use emberlab_training::{OptimizerConfig, StepRules};

pub use findings::locate_non_finite;
pub use learning_curves::LearningCurves;
pub use observed_data::ObservedData;
pub use ongoing::OngoingDiagnosis;

/// All that is known about a training. Rules that need more than was observed find nothing.
#[derive(Debug, Clone, Copy)]
pub struct Observations<'a> {
    /// Losses and accuracies of all epochs so far.
    pub curves: &'a LearningCurves,
    /// The samples and how they are split.
    pub data: Option<ObservedData<'a>>,
    /// The first optimiser step.
    pub first_step: Option<&'a StepInspection>,
    /// The network before training.
    pub start: Option<&'a SignalInspection>,
    /// The network as it is now.
    pub now: Option<&'a SignalInspection>,
    /// The layers while the network learned.
    pub layers: Option<&'a LayerHistory>,
    /// The optimiser, and the parts of a step besides it.
    pub steps: Option<(&'a OptimizerConfig, StepRules)>,
    /// Whether the network computes a linear function of its inputs, up to the output activation.
    pub is_linear: bool,
    /// The simple predictors on the same rows, and the scores of the trained network beside them.
    pub baselines: Option<ObservedBaselines<'a>>,
}

/// The scores of simple predictors and of the trained network on the same rows.
#[derive(Debug, Clone, Copy)]
pub struct ObservedBaselines<'a> {
    /// The simple predictors.
    pub baselines: &'a Baselines,
    /// The split on which they are compared.
    pub split: Split,
    /// The metrics of the network on that split.
    pub network: &'a SplitMetrics,
    /// The number of rows of that split.
    pub num_rows: usize,
    /// Whether the data are a table of the user's own.
    pub is_own_table: bool,
}

impl<'a> Observations<'a> {
    /// Observations of nothing but the curves.
    pub fn of_curves(curves: &'a LearningCurves) -> Self {
        Self {
            curves,
            data: None,
            first_step: None,
            start: None,
            now: None,
            layers: None,
            steps: None,
            is_linear: false,
            baselines: None,
        }
    }

    /// The curves, unless one of their losses is NaN or infinite: that finding then explains the others.
    fn finite_curves(&self) -> Option<&'a LearningCurves> {
        let is_finite = self.curves.first_non_finite().is_none();
        is_finite.then_some(self.curves)
    }

    /// The first step, unless its loss or a gradient is NaN or infinite: that finding then explains the others.
    fn finite_first_step(&self) -> Option<&'a StepInspection> {
        let is_finite = |step: &&StepInspection| {
            step.loss.is_finite() && step.layers.iter().all(|l| l.gradient.is_finite())
        };
        self.first_step.filter(is_finite)
    }

    /// The size of the gradient of each layer before training, by its name. Empty if the loss or one of the gradients
    /// is NaN or infinite: that finding then explains the others.
    fn gradients_at_start(&self) -> Vec<(&'a str, f64)> {
        if self.first_step.is_some() {
            let layers = self.finite_first_step().into_iter().flat_map(|s| &s.layers);
            return layers.map(|l| (l.layer.as_str(), l.gradient)).collect();
        }
        let rows = self.rows_at_start();
        let gradients: Vec<_> = rows
            .map(|row| (row.layer.as_str(), row.gradient_rms()))
            .collect();
        match gradients.iter().all(|(_, gradient)| gradient.is_finite()) {
            true => gradients,
            false => Vec::new(),
        }
    }

    /// The activations between layers before training.
    fn activations_at_start(&self) -> Cow<'a, [ActivationInspection]> {
        match self.start {
            Some(start) => Cow::Borrowed(&start.activations),
            None => between_layers(self.rows_at_start()),
        }
    }

    /// The activations between layers as they are now.
    fn activations_now(&self) -> Cow<'a, [ActivationInspection]> {
        match self.now {
            Some(now) => Cow::Borrowed(&now.activations),
            None => between_layers(self.layers.into_iter().flat_map(LayerHistory::last)),
        }
    }

    /// The record of the layers before the first step.
    fn rows_at_start(&self) -> impl Iterator<Item = &'a LayerRow> {
        let rows = self.layers.into_iter().flat_map(LayerHistory::rows);
        rows.take_while(|row| row.step == 0)
    }

    /// Whether a step of the optimiser searches along lines, so that it is as large as the loss allows.
    fn searches(&self) -> bool {
        self.steps
            .is_some_and(|(optimizer, _)| optimizer.rule.searches())
    }

    /// The layer whose weights shrank the most, to less than half of what they were before training, and the share that
    /// is left.
    fn shrunken_layer(&self) -> Option<(&'a str, f64)> {
        let layers = self.layers?;
        let shares = layers.layers().into_iter().filter_map(|layer| {
            let mut rows = layers.of_layer(layer);
            let first = rows.next()?.weight_norm;
            Some((layer, rows.last()?.weight_norm / first))
        });
        let smallest = shares.min_by(|a, b| a.1.total_cmp(&b.1));
        smallest.filter(|(_, share)| *share < 0.5)
    }

    /// The keys that keep weights small, each with its remedy.
    fn keys_of_small_weights(&self) -> Vec<(&'static str, &'static str)> {
        let Some((optimizer, rules)) = self.steps else {
            return Vec::new();
        };
        let keys = [
            (rules.penalty.is_some(), "training.penalty", "a smaller"),
            (rules.max_norm.is_some(), "training.max_norm", "a larger"),
            (
                optimizer.rule.decays_weights(),
                "optimizer.weight_decay",
                "a smaller",
            ),
        ];
        let set = keys.into_iter().filter(|(is_set, ..)| *is_set);
        set.map(|(_, key, remedy)| (key, remedy)).collect()
    }

    /// The finding that features or targets are not scaled, which is an error if the loss was NaN or infinite.
    fn as_unscaled_data(&self, found: Option<Finding>) -> Vec<Finding> {
        let severity = match self.curves.first_non_finite() {
            Some(_) => Severity::Error,
            None => Severity::Warning,
        };
        found
            .into_iter()
            .map(|found| Finding { severity, ..found })
            .collect()
    }
}

/// The activations of one record of the layers, but for the outputs of the network.
fn between_layers<'a>(
    record: impl Iterator<Item = &'a LayerRow>,
) -> Cow<'static, [ActivationInspection]> {
    let activation = |row: &LayerRow| ActivationInspection {
        layer: row.layer.clone(),
        activation: row.activation.clone(),
        num_units: row.units,
        num_dead: (row.dead * row.units as f64).round() as usize,
        saturated: row.saturated,
        are_equal: false,
    };
    let mut activations: Vec<ActivationInspection> = record.map(activation).collect();
    activations.pop();
    Cow::Owned(activations)
}

/// The earliest moment at which a finding is reported. The end of a training judges all of it once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earliest {
    /// Before the first step.
    BeforeTraining,
    /// After any epoch.
    WhileTraining,
    /// When the training has ended.
    AtTheEnd,
}

impl fmt::Display for Earliest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::BeforeTraining => "before training",
            Self::WhileTraining => "while training",
            Self::AtTheEnd => "at the end",
        })
    }
}

/// How one kind of finding is detected.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The kind.
    pub kind: FindingKind,
    /// The moment at which it is reported.
    pub earliest: Earliest,
    /// The condition in words, for the documentation.
    pub condition: &'static str,
    /// Whether several findings of this kind are one problem. They are then reported as the first of them, with
    /// the evidence of all.
    is_one_problem: bool,
    /// Finds it.
    detect: fn(&Observations<'_>) -> Vec<Finding>,
}

/// The rules of all kinds of findings, in the order in which findings of equal severity are reported.
pub const RULES: [Rule; 24] = [
    findings::unscaled_features::RULE,
    findings::unscaled_targets::RULE,
    findings::extreme_values::RULE,
    findings::tiny_batch::RULE,
    findings::non_finite::RULE,
    findings::learning_rate_too_high::RULE,
    findings::learning_rate_too_low::RULE,
    findings::update_size::RULE,
    findings::over_fitting::RULE,
    findings::missing_class::RULE,
    findings::similar_classes::RULE,
    findings::missing_labels::RULE,
    findings::numeric_classes::RULE,
    findings::row_numbers::RULE,
    findings::leakage::RULE,
    findings::exploding_gradients::RULE,
    findings::saturated_units::RULE,
    findings::zero_gradient::RULE,
    findings::vanishing_gradients::RULE,
    findings::dead_relus::RULE,
    findings::equal_units::RULE,
    findings::cannot_represent::RULE,
    findings::worse_than_baseline::RULE,
    findings::perfect_baseline::RULE,
];

/// Findings that another one explains, as `(finding, explanation)`: beside its explanation a finding is not reported.
const EXPLAINED: [(FindingKind, FindingKind); 24] = [
    (
        FindingKind::LearningRateTooHigh,
        FindingKind::UnscaledFeatures,
    ),
    (
        FindingKind::LearningRateTooHigh,
        FindingKind::UnscaledTargets,
    ),
    (FindingKind::LearningRateTooHigh, FindingKind::TinyBatch),
    (FindingKind::OverFitting, FindingKind::TinyBatch),
    (FindingKind::ZeroGradient, FindingKind::TinyBatch),
    (FindingKind::ExplodingGradients, FindingKind::TinyBatch),
    (FindingKind::MissingClass, FindingKind::NumericClasses),
    (FindingKind::UpdateSize, FindingKind::NonFinite),
    (FindingKind::UpdateSize, FindingKind::ZeroGradient),
    (FindingKind::UpdateSize, FindingKind::UnscaledFeatures),
    (FindingKind::UpdateSize, FindingKind::VanishingGradients),
    (FindingKind::UpdateSize, FindingKind::CannotRepresent),
    // The loss itself says more than the size of the steps, and a dead layer has no steps.
    (FindingKind::UpdateSize, FindingKind::LearningRateTooHigh),
    (FindingKind::UpdateSize, FindingKind::LearningRateTooLow),
    (FindingKind::UpdateSize, FindingKind::DeadRelus),
    (
        FindingKind::LearningRateTooLow,
        FindingKind::LearningRateTooHigh,
    ),
    // Layers that pass nothing on learn slowly at any rate, and smaller steps are their remedy.
    (
        FindingKind::LearningRateTooLow,
        FindingKind::VanishingGradients,
    ),
    (
        FindingKind::LearningRateTooLow,
        FindingKind::ExplodingGradients,
    ),
    (FindingKind::LearningRateTooLow, FindingKind::DeadRelus),
    // A network that still learns has not shown what it can represent.
    (
        FindingKind::CannotRepresent,
        FindingKind::LearningRateTooLow,
    ),
    (FindingKind::UpdateSize, FindingKind::EqualUnits),
    // Sums far out on the curve all give 1, whatever the weights are.
    (FindingKind::EqualUnits, FindingKind::SaturatedUnits),
    (FindingKind::EqualUnits, FindingKind::UnscaledFeatures),
    (FindingKind::PerfectBaseline, FindingKind::Leakage),
];

/// Findings that weights which are kept too small can cause.
const OF_SMALL_WEIGHTS: [FindingKind; 4] = [
    FindingKind::VanishingGradients,
    FindingKind::DeadRelus,
    FindingKind::UpdateSize,
    FindingKind::LearningRateTooLow,
];

/// Findings that say why a network is worse than a simple predictor, and what to do about it.
const WHY_WORSE: [FindingKind; 16] = [
    FindingKind::NonFinite,
    FindingKind::ZeroGradient,
    FindingKind::ExplodingGradients,
    FindingKind::VanishingGradients,
    FindingKind::DeadRelus,
    FindingKind::SaturatedUnits,
    FindingKind::LearningRateTooHigh,
    FindingKind::LearningRateTooLow,
    FindingKind::UpdateSize,
    FindingKind::OverFitting,
    FindingKind::CannotRepresent,
    FindingKind::UnscaledFeatures,
    FindingKind::UnscaledTargets,
    FindingKind::ExtremeValues,
    FindingKind::EqualUnits,
    FindingKind::TinyBatch,
];

fn is_explained(kind: FindingKind, found: &[FindingKind]) -> bool {
    let explains = |explanation| {
        EXPLAINED.contains(&(kind, explanation))
            || kind == FindingKind::WorseThanBaseline && WHY_WORSE.contains(&explanation)
    };
    found.iter().copied().any(explains)
}

impl Rule {
    fn apply(&self, observed: &Observations<'_>) -> Vec<Finding> {
        let mut found = (self.detect)(observed);
        if self.is_one_problem && found.len() > 1 {
            let others = found.split_off(1);
            found[0]
                .evidence
                .extend(others.into_iter().flat_map(|other| other.evidence));
        }
        found
    }
}

/// Everything that is wrong with a training, the most severe first.
pub fn findings(observed: &Observations<'_>) -> Vec<Finding> {
    reported(observed, |_| true)
}

/// Everything that is wrong with the data and the batches of a training before its first step, the most severe first.
pub fn findings_before_training(data: ObservedData<'_>) -> Vec<Finding> {
    let curves = LearningCurves::default();
    let observed = Observations {
        data: Some(data),
        ..Observations::of_curves(&curves)
    };
    reported(&observed, |rule| rule.earliest == Earliest::BeforeTraining)
}

/// The findings of the chosen rules that no other finding explains, the most severe first.
fn reported(observed: &Observations<'_>, is_chosen: fn(&&Rule) -> bool) -> Vec<Finding> {
    let rules = RULES.iter().filter(is_chosen);
    let mut found: Vec<Finding> = rules.flat_map(|rule| rule.apply(observed)).collect();
    let kinds: Vec<FindingKind> = found.iter().map(|finding| finding.kind).collect();
    found.retain(|finding| !is_explained(finding.kind, &kinds));
    if let Some((layer, share)) = observed.shrunken_layer() {
        let of_small = |finding: &&mut Finding| OF_SMALL_WEIGHTS.contains(&finding.kind);
        for finding in found.iter_mut().filter(of_small) {
            // The last key is put in first, so that the order stays.
            for (key, remedy) in observed.keys_of_small_weights().into_iter().rev() {
                let cause = format!(
                    "`{key}` keeps the weights small: those of {layer} are {} of what they were",
                    wording::percent(share)
                );
                finding.causes.insert(0, cause);
                finding.remedies.insert(0, format!("{remedy} `{key}`"));
            }
        }
    }
    found.sort_by_key(|finding| finding.severity);
    found
}

#[cfg(test)]
mod tests {
    use emberlab_training::inspection::LayerStep;

    use super::*;

    #[test]
    fn every_kind_of_finding_has_one_rule() {
        for kind in FindingKind::ALL {
            let rules = RULES.iter().filter(|rule| rule.kind == *kind).count();
            assert_eq!(rules, 1, "{kind}");
        }
        assert_eq!(RULES.len(), FindingKind::ALL.len());
    }

    #[test]
    fn the_documentation_lists_every_rule() {
        let text = include_str!("../../../../docs/diagnosis.md");
        let rows: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with('|'))
            .skip(2)
            .collect();
        let expected: Vec<String> = RULES
            .iter()
            .map(|rule| format!("| {} | {} | {} |", rule.kind, rule.condition, rule.earliest))
            .collect();
        assert_eq!(
            rows,
            expected,
            "docs/diagnosis.md should say:\n{}",
            expected.join("\n")
        );
    }

    #[test]
    fn the_most_severe_finding_comes_first() {
        let curves = LearningCurves {
            train_loss: vec![1.0, 2.0, 3.0],
            num_epochs: 3,
            ..LearningCurves::default()
        };
        let step = StepInspection {
            loss: 0.4,
            has_flat_loss: true,
            has_gradient: false,
            layers: vec![LayerStep {
                layer: "layers.0".to_string(),
                weight: 0.5,
                gradient: 0.0,
                change: 0.0,
            }],
        };
        let observed = Observations {
            first_step: Some(&step),
            ..Observations::of_curves(&curves)
        };
        let kinds: Vec<FindingKind> = findings(&observed).iter().map(|f| f.kind).collect();
        assert_eq!(
            kinds,
            [FindingKind::ZeroGradient, FindingKind::LearningRateTooHigh]
        );
    }
}
