//! `diagnosis.json`: problems of a training, with the evidence for each.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The problems of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagnosis {
    /// One for each problem, the most severe first; empty for a healthy run.
    pub findings: Vec<Finding>,
}

/// One problem of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The kind of problem.
    pub kind: FindingKind,
    /// How severe it is.
    pub severity: Severity,
    /// One sentence about it, with the most important numbers.
    pub summary: String,
    /// The epoch, step or layer where it was first seen, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The measured numbers that show it.
    pub evidence: Vec<Evidence>,
    /// Usual causes, the likeliest first.
    pub causes: Vec<String>,
    /// Remedies to try, the best first.
    pub remedies: Vec<String>,
}

/// The kind of a finding.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The loss, a gradient or a weight became NaN or infinite.
    NonFinite,
    /// The gradient of the loss is zero wherever it exists.
    ZeroGradient,
    /// Gradients grow from the output to the first layer, or a step is larger than the weights it changes.
    ExplodingGradients,
    /// Gradients shrink from the output to the first layer.
    VanishingGradients,
    /// Units are zero for every sample, so that they learn nothing.
    DeadRelus,
    /// Units have a slope of nearly zero for nearly every sample.
    SaturatedUnits,
    /// The loss rises or jumps.
    LearningRateTooHigh,
    /// The loss still falls steadily and slowly when the training ends.
    LearningRateTooLow,
    /// Steps change the weights by an unusual share of their size.
    UpdateSize,
    /// The network learns the training split by heart and becomes worse on other data.
    OverFitting,
    /// The network cannot represent the boundary between the classes.
    CannotRepresent,
    /// A split lacks a class.
    MissingClass,
    /// Rows of the validation or test split influence the training.
    Leakage,
    /// A feature numbers the rows.
    RowNumbers,
    /// Features are large, or of very different sizes, and are not standardised.
    UnscaledFeatures,
    /// The targets of a regression are far from 1 and are not standardised.
    UnscaledTargets,
    /// A few values of a feature or a target are so large that the others become nearly equal.
    ExtremeValues,
    /// All units of a layer compute the same.
    EqualUnits,
    /// A simple predictor is clearly better than the network.
    WorseThanBaseline,
    /// A simple predictor makes no errors.
    PerfectBaseline,
    /// Two classes have nearly the same name.
    SimilarClasses,
    /// The name of a class means that the class is not known.
    MissingLabels,
    /// The classes are numbers, and most have few rows.
    NumericClasses,
    /// Batch normalisation gets a batch of too few rows.
    TinyBatch,
}

impl FindingKind {
    /// All kinds.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Its name in sentences.
    pub fn title(self) -> &'static str {
        match self {
            Self::NonFinite => "NaN or infinity",
            Self::ZeroGradient => "a loss that cannot train",
            Self::ExplodingGradients => "exploding gradients",
            Self::VanishingGradients => "vanishing gradients",
            Self::DeadRelus => "dead ReLUs",
            Self::SaturatedUnits => "saturated units",
            Self::LearningRateTooHigh => "learning rate too high",
            Self::LearningRateTooLow => "learning rate too low",
            Self::UpdateSize => "steps of an unusual size",
            Self::OverFitting => "over-fitting",
            Self::CannotRepresent => "a network that cannot represent the task",
            Self::MissingClass => "a class is missing",
            Self::Leakage => "leakage",
            Self::RowNumbers => "row numbers as a feature",
            Self::UnscaledFeatures => "features that are not scaled",
            Self::UnscaledTargets => "targets that are not scaled",
            Self::ExtremeValues => "extreme values",
            Self::EqualUnits => "units that are equal",
            Self::WorseThanBaseline => "worse than a simple predictor",
            Self::PerfectBaseline => "a simple predictor without errors",
            Self::SimilarClasses => "classes with similar names",
            Self::MissingLabels => "a class that reads as missing",
            Self::NumericClasses => "numbers as classes",
            Self::TinyBatch => "a batch too small for batch normalisation",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

/// How severe a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The training or its metrics are useless.
    Error,
    /// The training or its metrics are worse than they could be.
    Warning,
}

/// The place where a problem was first seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Epoch, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<usize>,
    /// Optimiser step of the whole training, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// The part of the network, such as `layers.1`, `activations.0` or `loss`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The part of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The operation, such as `exp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

/// A part of a training step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The forward pass, from the inputs to the loss.
    Forward,
    /// The backward pass, from the loss to the gradients.
    Backward,
    /// The update, from the gradients to new weights.
    Update,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::Update => "update",
        })
    }
}

/// A measured number that shows a problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The name of the measured quantity, with its unit if it has one.
    pub name: String,
    /// Its value; NaN and infinities are allowed.
    #[serde(with = "emberlab_metrics::json_number")]
    pub value: f64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_finding_with_infinities_and_nan_reads_back() {
        let evidence = [3.0, 0.5, f64::INFINITY, f64::NEG_INFINITY].map(|value| Evidence {
            name: "largest output".to_string(),
            value,
        });
        let finding = Finding {
            kind: FindingKind::NonFinite,
            severity: Severity::Error,
            summary: "the loss is NaN".to_string(),
            place: Some(Place {
                epoch: Some(1),
                step: Some(3),
                layer: Some("loss".to_string()),
                direction: Some(Direction::Forward),
                operation: Some("exp".to_string()),
            }),
            evidence: evidence.to_vec(),
            causes: Vec::new(),
            remedies: Vec::new(),
        };
        let json = serde_json::to_string(&finding).unwrap();
        assert_eq!(finding, serde_json::from_str(&json).unwrap());
        let nan: Evidence = serde_json::from_str(r#"{"name": "loss", "value": "NaN"}"#).unwrap();
        assert!(nan.value.is_nan());
        let whole: Evidence = serde_json::from_str(r#"{"name": "rows", "value": 3}"#).unwrap();
        assert_eq!(whole.value, 3.0);
    }
}
