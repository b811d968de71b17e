//! What is wrong with a training, and how that is known.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was found wrong with a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagnosis {
    /// The most severe first; none of a healthy run.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence for a person, with the numbers that matter.
    pub summary: String,
    /// Where it was seen, if it has a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The numbers that speak for it.
    pub evidence: Vec<Evidence>,
    /// What usually causes it, the likeliest first.
    pub causes: Vec<String>,
    /// What to try, the best first.
    pub remedies: Vec<String>,
}

/// The kinds of findings.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The loss, a gradient or a weight became NaN or infinite.
    NonFinite,
    /// The gradient of the loss is zero wherever it exists.
    ZeroGradient,
    /// Gradients grow from the output to the first layer, or steps are larger than the weights.
    ExplodingGradients,
    /// Gradients shrink from the output to the first layer.
    VanishingGradients,
    /// Units that are zero for every sample, and learn nothing.
    DeadRelus,
    /// Units whose slope is nearly zero for nearly every sample.
    SaturatedUnits,
    /// The loss rises or jumps.
    LearningRateTooHigh,
    /// The loss still falls steadily, and slowly.
    LearningRateTooLow,
    /// The training split is learned by heart.
    OverFitting,
    /// The network cannot draw the boundary that the data have.
    CannotRepresent,
    /// A split lacks a class.
    MissingClass,
    /// Training knows of rows that it is judged on.
    Leakage,
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
            Self::OverFitting => "over-fitting",
            Self::CannotRepresent => "a network that cannot represent the task",
            Self::MissingClass => "a class is missing",
            Self::Leakage => "leakage",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The training, or its figures, are worth nothing.
    Error,
    /// The training, or its figures, are worse than they could be.
    Warning,
}

/// Where something was first seen.
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
    /// On the way to the loss, on the way back, or when weights changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The operation, such as `exp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

/// The part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From inputs to the loss.
    Forward,
    /// From the loss to the gradients.
    Backward,
    /// From gradients to new weights.
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

/// A number that speaks for a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What was measured, with its unit if it has one.
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
    fn a_finding_survives_json_whatever_its_numbers() {
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
