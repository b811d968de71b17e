//! Rules over the curves of a training: plain numbers in, findings out.

use emberlab_metrics::{Metric, SplitMetrics};
use emberlab_run_format::{Finding, FindingKind, Place, Severity};

use super::finding::{evidence, finding, percent};

/// What was measured after each epoch, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LearningCurves {
    /// Of the training split.
    pub train_loss: Vec<f64>,
    /// Of the validation split; empty without one.
    pub valid_loss: Vec<f64>,
    /// Share of right predictions on the training split; empty for a regression.
    pub train_accuracy: Vec<f64>,
    /// The same on the validation split.
    pub valid_accuracy: Vec<f64>,
    /// Epochs planned.
    pub num_epochs: usize,
}

/// Epochs before a curve says anything.
const ENOUGH_EPOCHS: usize = 10;
/// A loss this much above the lowest so far is a jump.
const JUMP: f64 = 4.0;
/// Share of the lowest validation loss that it may rise by.
const OVER_FIT: f64 = 0.5;

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

    /// Keeps the first `num_epochs` epochs.
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

    /// Whether the training loss has settled: over the last tenth of the epochs it moved by less than a
    /// fiftieth of itself.
    pub fn has_settled(&self) -> bool {
        let len = self.train_loss.len();
        if len < ENOUGH_EPOCHS {
            return false;
        }
        let (then, now) = (
            self.train_loss[len - 1 - len / 10],
            self.train_loss[len - 1],
        );
        (then - now).abs() <= 0.02 * now
    }

    /// What the curves say is wrong, the most severe first.
    pub fn findings(&self) -> Vec<Finding> {
        if let Some(finding) = self.non_finite() {
            return vec![finding];
        }
        let rules = [self.too_high(), self.too_low(), self.over_fitting()];
        rules.into_iter().flatten().collect()
    }

    /// What can be said while the training still runs: whatever waiting would not mend.
    pub fn live_findings(&self) -> Vec<Finding> {
        let mut findings = self.findings();
        findings.retain(|f| f.kind != FindingKind::LearningRateTooLow);
        findings
    }

    /// The first epoch whose loss is NaN or infinite, counted from 1.
    pub fn first_non_finite(&self) -> Option<usize> {
        let first = |losses: &[f64]| losses.iter().position(|l| !l.is_finite());
        let found = [first(&self.train_loss), first(&self.valid_loss)];
        found.into_iter().flatten().min().map(|i| i + 1)
    }

    fn non_finite(&self) -> Option<Finding> {
        let epoch = self.first_non_finite()?;
        let of = |losses: &[f64]| losses.get(epoch - 1).copied();
        let mut found = finding(
            FindingKind::NonFinite,
            Severity::Error,
            format!(
                "the loss is no longer a number from epoch {epoch} on; nothing is learned after that"
            ),
        );
        found.place = Some(Place {
            epoch: Some(epoch),
            step: None,
            layer: None,
            direction: None,
            operation: None,
        });
        let losses = [
            ("train loss", of(&self.train_loss)),
            ("valid loss", of(&self.valid_loss)),
        ];
        for (name, loss) in losses {
            found
                .evidence
                .extend(loss.map(|loss| evidence(format!("{name} in epoch {epoch}"), loss)));
        }
        if epoch > 1 {
            let before = self.train_loss[epoch - 2];
            found.evidence.push(evidence(
                format!("train loss in epoch {}", epoch - 1),
                before,
            ));
        }
        found.causes = vec![
            "an exponential or a logarithm that overflows, as in a naive softmax or cross-entropy"
                .to_string(),
            "steps so large that weights grow without bound".to_string(),
        ];
        found.remedies = vec![
            "`emberlab diagnose` replays the training and names the first step, layer and operation".to_string(),
            "a loss that takes logits: `bce_with_logits` or `cross_entropy`".to_string(),
            "a smaller `optimizer.learning_rate`, or `training.gradient_clipping = { norm = 1.0 }`".to_string(),
        ];
        Some(found)
    }

    /// A loss that rises far above where it began or has been, and stays or comes back there.
    fn too_high(&self) -> Option<Finding> {
        let losses = &self.train_loss;
        if losses.len() < 2 {
            return None;
        }
        let mut lowest = losses[0];
        let (mut num_jumps, mut largest) = (0, (0, 1.0));
        for (i, &loss) in losses.iter().enumerate().skip(1) {
            // Losses near zero jump by factors that mean nothing: the scale is where the training began.
            let floor = lowest.max(losses[0] / 20.0);
            if loss > JUMP * floor && loss > losses[0] / 2.0 {
                num_jumps += 1;
                if loss / floor > largest.1 {
                    largest = (i + 1, loss / floor);
                }
            }
            lowest = lowest.min(loss);
        }
        let last = losses[losses.len() - 1];
        let ends_above = last > 1.5 * losses[0];
        let is_jumpy = num_jumps * 50 >= losses.len() && num_jumps >= 2;
        if !(ends_above || is_jumpy) {
            return None;
        }
        let summary = if ends_above {
            format!(
                "the loss is at {last:.4}, above the {:.4} of the first epoch: steps overshoot",
                losses[0]
            )
        } else {
            format!(
                "the loss jumps: {num_jumps} of {} epochs lie {JUMP} times above the lowest before, the worst {:.0} times in epoch {}",
                losses.len(),
                largest.1,
                largest.0
            )
        };
        let mut found = finding(FindingKind::LearningRateTooHigh, Severity::Warning, summary);
        found.evidence = vec![
            evidence("train loss in epoch 1", losses[0]),
            evidence("lowest train loss", lowest.min(last)),
            evidence(format!("train loss in epoch {}", losses.len()), last),
            evidence(
                format!("epochs {JUMP} times above the lowest before"),
                num_jumps as f64,
            ),
        ];
        found.causes = vec![
            "a learning rate above what the curvature of the loss allows".to_string(),
            "a loss that is summed over the batch, which multiplies the gradient by its size"
                .to_string(),
        ];
        found.remedies = vec![
            "a third or a tenth of `optimizer.learning_rate`; `emberlab find-lr` tries many"
                .to_string(),
            "`training.gradient_clipping = { norm = 1.0 }`, or a schedule that warms up"
                .to_string(),
        ];
        Some(found)
    }

    /// A loss that falls steadily and is still near where it began.
    fn too_low(&self) -> Option<Finding> {
        let losses = &self.train_loss;
        if losses.len() < ENOUGH_EPOCHS || losses.len() < self.num_epochs {
            return None;
        }
        let (first, last) = (losses[0], losses[losses.len() - 1]);
        let middle = losses[losses.len() / 2];
        let falls = losses.windows(2).filter(|pair| pair[1] < pair[0]).count();
        let is_steady = falls * 10 >= (losses.len() - 1) * 9;
        // A straight line: the second half brings nearly what the first did, and neither brings much.
        let is_straight = middle - last >= 0.6 * (first - middle);
        let is_little = first - last < 0.4 * first && first - last > 0.0;
        if !(is_steady && is_straight && is_little) {
            return None;
        }
        let share = (first - last) / first;
        let mut found = finding(
            FindingKind::LearningRateTooLow,
            Severity::Warning,
            format!(
                "in {} epochs the loss fell steadily, by only {} in all, and it is still falling as fast",
                losses.len(),
                percent(share)
            ),
        );
        found.evidence = vec![
            evidence("train loss in epoch 1", first),
            evidence(
                format!("train loss in epoch {}", losses.len() / 2 + 1),
                middle,
            ),
            evidence(format!("train loss in epoch {}", losses.len()), last),
            evidence(
                "share of epochs in which it fell",
                falls as f64 / (losses.len() - 1) as f64,
            ),
        ];
        found.causes = vec![
            "steps far smaller than the loss would allow".to_string(),
            "too few epochs for this learning rate".to_string(),
        ];
        found.remedies = vec![
            "ten times `optimizer.learning_rate`; `emberlab find-lr` tries many".to_string(),
            "another optimiser, such as `adam`, or momentum".to_string(),
            "more epochs: `emberlab resume RUN --set training.num_epochs=N`".to_string(),
        ];
        Some(found)
    }

    /// A validation loss that has turned and risen while the training loss went on falling.
    fn over_fitting(&self) -> Option<Finding> {
        let (train, valid) = (&self.train_loss, &self.valid_loss);
        if valid.len() < ENOUGH_EPOCHS || valid.len() != train.len() {
            return None;
        }
        let lowest = (0..valid.len()).min_by(|&a, &b| valid[a].total_cmp(&valid[b]))?;
        let last = valid.len() - 1;
        // Single epochs are noisy: the end is the mean of the last tenth.
        let tail = valid.len() / 10 + 1;
        let mean = |losses: &[f64]| losses[losses.len() - tail..].iter().sum::<f64>() / tail as f64;
        let (train_end, valid_end) = (mean(train), mean(valid));
        let rises = valid_end > (1.0 + OVER_FIT) * valid[lowest];
        let falls = train_end < 0.8 * train[lowest];
        let gaps = valid_end > 3.0 * train_end && valid_end - train_end > 0.1 * valid[0];
        if !(rises && falls && gaps && last >= lowest + ENOUGH_EPOCHS) {
            return None;
        }
        let mut found = finding(
            FindingKind::OverFitting,
            Severity::Warning,
            format!(
                "the validation loss was lowest in epoch {} ({:.4}) and has risen to {valid_end:.4}, while the training loss fell on to {train_end:.4}",
                lowest + 1,
                valid[lowest]
            ),
        );
        found.evidence = vec![
            evidence(format!("valid loss in epoch {}", lowest + 1), valid[lowest]),
            evidence(format!("train loss in epoch {}", lowest + 1), train[lowest]),
            evidence(
                format!("valid loss, mean of the last {tail} epochs"),
                valid_end,
            ),
            evidence(
                format!("train loss, mean of the last {tail} epochs"),
                train_end,
            ),
        ];
        let end = |values: &[f64]| values.last().copied();
        let accuracies = [
            ("train", end(&self.train_accuracy)),
            ("valid", end(&self.valid_accuracy)),
        ];
        for (split, accuracy) in accuracies {
            found
                .evidence
                .extend(accuracy.map(|a| evidence(format!("{split} accuracy at the end"), a)));
        }
        found.causes = vec![
            "more weights than the training rows can pin down".to_string(),
            "labels that are partly noise, learned by heart".to_string(),
        ];
        found.remedies = vec![
            "the network of the best epoch: `emberlab evaluate RUN --weights best`".to_string(),
            "`training.early_stopping = { patience = 10 }`".to_string(),
            "more training rows, fewer units, or `optimizer.weight_decay`".to_string(),
        ];
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(train_loss: Vec<f64>, valid_loss: Vec<f64>) -> LearningCurves {
        LearningCurves {
            num_epochs: train_loss.len(),
            train_loss,
            valid_loss,
            ..LearningCurves::default()
        }
    }

    fn kinds(curves: &LearningCurves) -> Vec<FindingKind> {
        curves.findings().iter().map(|f| f.kind).collect()
    }

    fn decaying(rate: f64) -> Vec<f64> {
        (0..100)
            .map(|i| 0.7 * (-rate * f64::from(i)).exp() + 0.01)
            .collect()
    }

    #[test]
    fn a_loss_that_falls_and_settles_is_healthy() {
        for rate in [0.03, 0.1, 0.5] {
            assert_eq!(kinds(&curves(decaying(rate), decaying(rate * 0.9))), []);
        }
        // Noise around a low plateau is no sign of anything.
        let noisy: Vec<f64> = (0..100)
            .map(|i| 0.01 + 0.69 * (-0.2 * f64::from(i)).exp() + 0.008 * f64::from(i * 7 % 5))
            .collect();
        assert_eq!(kinds(&curves(noisy, Vec::new())), []);
        assert_eq!(kinds(&LearningCurves::default()), []);
    }

    #[test]
    fn a_plateau_is_not_a_low_learning_rate() {
        let flat = vec![0.69; 50];
        assert_eq!(kinds(&curves(flat, Vec::new())), []);
    }

    #[test]
    fn the_first_epoch_without_a_number_is_named_and_ends_the_matter() {
        let mut losses = decaying(0.1);
        losses[41..].fill(f64::NAN);
        let findings = curves(losses, Vec::new()).findings();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].kind, FindingKind::NonFinite);
        let place = findings[0].place.as_ref();
        assert_eq!(place.and_then(|p| p.epoch), Some(42));
    }

    #[test]
    fn a_loss_that_ends_above_its_start_or_jumps_is_a_high_rate() {
        let rising: Vec<f64> = (0..20).map(|i| 0.7 + 0.2 * f64::from(i)).collect();
        assert_eq!(
            kinds(&curves(rising, Vec::new())),
            [FindingKind::LearningRateTooHigh]
        );
        let jumping: Vec<f64> = (0..60)
            .map(|i| if i % 9 == 8 { 2.0 } else { 0.3 })
            .collect();
        assert_eq!(
            kinds(&curves(jumping, Vec::new())),
            [FindingKind::LearningRateTooHigh]
        );
    }

    #[test]
    fn a_straight_slow_fall_is_a_low_rate() {
        let slow: Vec<f64> = (0..50).map(|i| 0.7 - 0.001 * f64::from(i)).collect();
        assert_eq!(
            kinds(&curves(slow.clone(), Vec::new())),
            [FindingKind::LearningRateTooLow]
        );
        let under_way = LearningCurves {
            num_epochs: 500,
            ..curves(slow, Vec::new())
        };
        assert_eq!(kinds(&under_way), [], "more epochs are to come");
    }

    #[test]
    fn a_validation_loss_that_turns_while_training_goes_on_is_over_fitting() {
        let valid: Vec<f64> = (0..100)
            .map(|i| 0.4 + 0.3 * (-0.3 * f64::from(i)).exp() + 0.008 * f64::from(i))
            .collect();
        let findings = curves(decaying(0.1), valid.clone()).findings();
        assert_eq!(findings[0].kind, FindingKind::OverFitting);
        // Both losses rise together: another matter.
        assert!(!kinds(&curves(valid.clone(), valid)).contains(&FindingKind::OverFitting));
    }
}
