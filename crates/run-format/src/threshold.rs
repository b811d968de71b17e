//! `threshold.json`: the probability above which class 1 is predicted.

use emberlab_metrics::{BestThreshold, Split};
use serde::{Deserialize, Serialize};

use crate::{Mistakes, RunEvaluation, SplitEvaluation, Weights};

/// Class 1 is predicted above this probability if no threshold was chosen.
pub const DEFAULT_THRESHOLD: f64 = 0.5;

/// A threshold chosen for one network of a run, how it was chosen, and the predictions with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenThreshold {
    /// The network that it was chosen for; absent in files of the first version, where it is the last network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<ChosenFor>,
    /// The split it was chosen on: validation if there is one, else training.
    pub split: Split,
    /// The threshold, and its scores on that split.
    pub best: BestThreshold,
    /// The network's predictions with this threshold on every split that has rows; empty in files of the first
    /// version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub splits: Vec<SplitEvaluation>,
    /// The wrong predictions with this threshold, as in [`RunEvaluation::mistakes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mistakes: Option<Mistakes>,
}

/// The network that a threshold was chosen for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenFor {
    /// The network of the run: the last or the best one.
    pub weights: Weights,
    /// SHA-256 of the network's file, in hexadecimal digits.
    pub sha256: String,
}

impl ChosenThreshold {
    /// The network of the run that it was chosen for: the last or the best one.
    pub fn weights(&self) -> Weights {
        self.network.as_ref().map_or(Weights::Last, |n| n.weights)
    }

    /// Class 1 is predicted where its probability is above this value.
    pub fn threshold(&self) -> f64 {
        self.best.counts.threshold
    }

    /// Whether it was chosen for the network `weights` whose file has this SHA-256.
    pub fn is_for(&self, weights: Weights, sha256: &str) -> bool {
        match &self.network {
            Some(network) => network.sha256 == sha256,
            None => weights == Weights::Last,
        }
    }
}

/// The threshold that decides the predictions of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThresholdInUse {
    /// Class 1 is predicted where its probability is above this value.
    pub value: f64,
    /// The chosen threshold, if there is one for this network.
    pub chosen: Option<ChosenThreshold>,
    /// A sentence if the run has a threshold that is not used: it was chosen for another network, or its file is damaged.
    pub note: Option<String>,
}

impl ThresholdInUse {
    /// The threshold for the network `weights` whose file has this SHA-256: the `stored` one if it was chosen for
    /// exactly this network, else 0.5.
    pub fn of(stored: Option<ChosenThreshold>, weights: Weights, sha256: &str) -> Self {
        match stored {
            Some(chosen) if chosen.is_for(weights, sha256) => Self {
                value: chosen.threshold(),
                chosen: Some(chosen),
                note: None,
            },
            other => Self {
                value: DEFAULT_THRESHOLD,
                chosen: None,
                note: other.map(|other| not_used(&other, weights)),
            },
        }
    }
}

/// The reason why a stored threshold is not used for the network `weights`.
fn not_used(stored: &ChosenThreshold, weights: Weights) -> String {
    let earlier = match stored.weights() == weights {
        true => ", as it was before the training went on",
        false => "",
    };
    format!(
        "the stored threshold {:.4} was chosen for the {} network{earlier}; {DEFAULT_THRESHOLD} is used",
        stored.threshold(),
        stored.weights(),
    )
}

impl RunEvaluation {
    /// Replaces everything that depends on the threshold by the predictions with `chosen`.
    pub fn apply(&mut self, chosen: &ChosenThreshold) {
        for at in &chosen.splits {
            if let Some(split) = self.splits.iter_mut().find(|s| s.split == at.split) {
                *split = SplitEvaluation {
                    curves: split.curves.take(),
                    ..at.clone()
                };
            }
        }
        if chosen.mistakes.is_some() {
            self.mistakes.clone_from(&chosen.mistakes);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The file that `evaluate --threshold-by f1` of version 0.1.0 wrote.
    const FIRST_VERSION: &str = r#"{"split": "valid", "best": {"by": {"name": "f1"}, "value": 0.8,
        "at": {"threshold": 0.25, "true_positives": 2, "false_positives": 1, "false_negatives": 0,
        "true_negatives": 3}}}"#;

    fn chosen(weights: Weights, sha256: &str) -> ChosenThreshold {
        let sha256 = sha256.to_string();
        ChosenThreshold {
            network: Some(ChosenFor { weights, sha256 }),
            ..serde_json::from_str(FIRST_VERSION).unwrap()
        }
    }

    #[test]
    fn a_threshold_is_used_for_the_weights_it_was_chosen_for_and_no_others() {
        let for_best = || Some(chosen(Weights::Best, "ab"));
        let used = ThresholdInUse::of(for_best(), Weights::Best, "ab");
        assert_eq!((used.value, used.note), (0.25, None));
        let last = ThresholdInUse::of(for_best(), Weights::Last, "cd");
        assert_eq!((last.value, last.chosen), (0.5, None));
        assert_eq!(
            last.note.unwrap(),
            "the stored threshold 0.2500 was chosen for the best network; 0.5 is used"
        );
        let later = ThresholdInUse::of(for_best(), Weights::Best, "ef").note;
        assert!(later.unwrap().contains("before the training went on"));
        // The best epoch can be the last one: then both files hold the same network.
        assert_eq!(
            ThresholdInUse::of(for_best(), Weights::Last, "ab").value,
            0.25
        );
        assert_eq!(ThresholdInUse::of(None, Weights::Last, "ab").value, 0.5);
    }

    #[test]
    fn a_threshold_of_the_first_version_is_for_the_last_network() {
        let old: ChosenThreshold = serde_json::from_str(FIRST_VERSION).unwrap();
        assert_eq!(old.weights(), Weights::Last);
        assert!(old.is_for(Weights::Last, "any") && !old.is_for(Weights::Best, "any"));
    }
}
