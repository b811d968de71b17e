//! Losses and accuracies over the epochs of a training.

use emberlab_metrics::{Metric, SplitMetrics};

/// The measurements of every epoch, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LearningCurves {
    /// Loss on the training split.
    pub train_loss: Vec<f64>,
    /// Loss on the validation split; empty without one.
    pub valid_loss: Vec<f64>,
    /// Accuracy on the training split, in [0, 1]; empty for a regression.
    pub train_accuracy: Vec<f64>,
    /// Accuracy on the validation split, in [0, 1]; empty without one or for a regression.
    pub valid_accuracy: Vec<f64>,
    /// Epochs planned.
    pub num_epochs: usize,
}

/// Epochs that a curve needs before its shape is judged.
pub(super) const ENOUGH_EPOCHS: usize = 10;

impl LearningCurves {
    /// Adds an epoch.
    pub fn push(&mut self, train: &SplitMetrics, valid: Option<&SplitMetrics>) {
        self.train_loss.extend(train.get(Metric::Loss));
        self.train_accuracy.extend(train.get(Metric::Accuracy));
        self.valid_loss
            .extend(valid.and_then(|v| v.get(Metric::Loss)));
        self.valid_accuracy
            .extend(valid.and_then(|v| v.get(Metric::Accuracy)));
    }

    /// Removes all but the first `num_epochs` epochs.
    pub fn truncate(&mut self, num_epochs: usize) {
        for curve in [
            &mut self.train_loss,
            &mut self.valid_loss,
            &mut self.train_accuracy,
            &mut self.valid_accuracy,
        ] {
            curve.truncate(num_epochs);
        }
    }

    /// Whether the training loss has settled: over the last tenth of the epochs it changed by less than 2 %, and fell by
    /// less than a quarter of what it fell in a tenth on average, or by less than 0.3 %: the noise of a loss that never
    /// fell.
    pub fn has_settled(&self) -> bool {
        let len = self.train_loss.len();
        if len < ENOUGH_EPOCHS {
            return false;
        }
        let (then, now) = (
            self.train_loss[len - 1 - len / 10],
            self.train_loss[len - 1],
        );
        let fall = (self.train_loss[0] - now).max(0.0);
        let mean_fall = fall * (len / 10) as f64 / (len - 1) as f64;
        (then - now).abs() <= 0.02 * now && then - now <= (0.25 * mean_fall).max(0.003 * now)
    }

    /// The share of epochs in which the training loss fell, if there are enough epochs; NaN does not fall.
    pub(super) fn share_of_falls(&self) -> Option<f64> {
        let losses = &self.train_loss;
        let falls = losses.windows(2).filter(|pair| pair[1] < pair[0]).count();
        (losses.len() >= ENOUGH_EPOCHS).then(|| falls as f64 / (losses.len() - 1) as f64)
    }

    /// Whether the training loss fell in nine of ten epochs.
    pub(super) fn falls_steadily(&self) -> bool {
        self.share_of_falls().is_some_and(|share| share >= 0.9)
    }

    /// The first epoch whose loss is NaN or infinite, counted from 1.
    pub fn first_non_finite(&self) -> Option<usize> {
        let first = |losses: &[f64]| losses.iter().position(|l| !l.is_finite());
        let found = [first(&self.train_loss), first(&self.valid_loss)];
        found.into_iter().flatten().min().map(|i| i + 1)
    }
}

#[cfg(test)]
pub(super) mod examples {
    use super::*;
    use crate::diagnosis::{Observations, findings};
    use emberlab_run_format::FindingKind;

    pub fn curves(train_loss: Vec<f64>, valid_loss: Vec<f64>) -> LearningCurves {
        LearningCurves {
            num_epochs: train_loss.len(),
            train_loss,
            valid_loss,
            ..LearningCurves::default()
        }
    }

    /// The kinds of findings from the curves alone.
    pub fn kinds(curves: &LearningCurves) -> Vec<FindingKind> {
        let found = findings(&Observations::of_curves(curves));
        found.iter().map(|f| f.kind).collect()
    }

    /// A hundred epochs of a loss that falls exponentially to 0.01.
    pub fn decaying(rate: f64) -> Vec<f64> {
        (0..100)
            .map(|i| 0.7 * (-rate * f64::from(i)).exp() + 0.01)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::examples::{curves, decaying, kinds};
    use super::*;

    #[test]
    fn a_loss_that_still_falls_as_fast_as_before_has_not_settled() {
        let has_settled = |losses: Vec<f64>| curves(losses, Vec::new()).has_settled();
        let straight = |i: i32| 0.68 - 0.007 * f64::from(i);
        assert!(!has_settled((0..10).map(straight).collect()));
        assert!(has_settled(decaying(0.1)));
        assert!(has_settled(vec![0.69; 10]));
        assert!(!has_settled(vec![0.69; 9]), "too few epochs");
        // A network that never learned: 0.70, and then ln 2 with noise.
        let noise = |i: i32| match i {
            0 => 0.7,
            i => 0.693 + 0.0005 * f64::from(i * 7 % 5 - 2),
        };
        for len in 20..30 {
            assert!(has_settled((0..len).map(noise).collect()), "{len}");
        }
    }

    #[test]
    fn a_loss_that_falls_and_settles_is_healthy() {
        for rate in [0.03, 0.1, 0.5] {
            assert_eq!(kinds(&curves(decaying(rate), decaying(rate * 0.9))), []);
        }
        // Noise around a low plateau means nothing.
        let noisy: Vec<f64> = (0..100)
            .map(|i| 0.01 + 0.69 * (-0.2 * f64::from(i)).exp() + 0.008 * f64::from(i * 7 % 5))
            .collect();
        assert_eq!(kinds(&curves(noisy, Vec::new())), []);
        assert_eq!(kinds(&LearningCurves::default()), []);
    }
}
