//! Findings of a training that goes on.

use emberlab_metrics::Metric;
use emberlab_run_format::{Finding, FindingKind, LayerHistory, LayerRow};
use emberlab_training::EpochRecord;

use super::{Earliest, LearningCurves, Observations, RULES, is_explained};

/// Looks for findings in the curves and the layers of a training while they grow, and reports each kind once.
#[derive(Debug, Default)]
pub struct OngoingDiagnosis {
    curves: LearningCurves,
    layers: LayerHistory,
    /// The findings before the training.
    before: Vec<FindingKind>,
    reported: Vec<Finding>,
    /// The number of epochs at which the curves are read again.
    next_epoch: usize,
    /// The number of rows of layers at which they are read again.
    next_row: usize,
}

impl OngoingDiagnosis {
    /// Continues after these epochs and records of layers.
    pub fn after(curves: LearningCurves, layers: LayerHistory) -> Self {
        Self {
            curves,
            layers,
            ..Self::default()
        }
    }

    /// Takes into account problems that were found before the first step.
    pub fn begins_with(&mut self, problems: &[FindingKind]) {
        self.before = problems.to_vec();
    }

    /// All that was found so far.
    pub fn reported(&self) -> &[Finding] {
        &self.reported
    }

    /// Adds a record of the layers, which the end of the next epoch takes into account.
    pub fn inspected(&mut self, record: &[LayerRow]) {
        if let Some(first) = record.first() {
            let before = first.step.checked_sub(1);
            match before {
                Some(before) => self.layers.truncate(before),
                None => self.layers = LayerHistory::default(),
            }
        }
        self.layers.push(record);
    }

    /// Adds an epoch; returns the new findings.
    pub fn epoch_ended(&mut self, record: &EpochRecord) -> &[Finding] {
        self.curves.num_epochs = record.num_epochs;
        // A resumed run repeats what came after its checkpoint.
        self.curves.truncate(record.epoch - 1);
        self.layers.truncate(record.step);
        self.curves.push(&record.train, record.valid.as_ref());
        let known = self.reported.len();
        // If epochs are missing in between, the curves are not judged before the end.
        if self.curves.train_loss.len() == record.epoch && self.is_due(record) {
            self.look();
        }
        &self.reported[known..]
    }

    /// Whether there is enough new to look at. Each look reads everything that is known, so it waits until there is a
    /// tenth more. A loss that is NaN or infinite does not wait.
    fn is_due(&mut self, record: &EpochRecord) -> bool {
        let is_number = record.train.get(Metric::Loss).is_none_or(f64::is_finite);
        let (epochs, rows) = (record.epoch, self.layers.rows().len());
        let is_last = epochs == record.num_epochs;
        if is_number && !is_last && epochs < self.next_epoch && rows < self.next_row {
            return false;
        }
        self.next_epoch = epochs + epochs / 10 + 1;
        self.next_row = rows + rows / 10 + 1;
        true
    }

    fn look(&mut self) {
        let observed = Observations {
            layers: Some(&self.layers),
            ..Observations::of_curves(&self.curves)
        };
        let rules = RULES
            .iter()
            .filter(|rule| rule.earliest == Earliest::WhileTraining);
        let mut found: Vec<Finding> = rules.flat_map(|rule| rule.apply(&observed)).collect();
        let reported = self.reported.iter().map(|finding| finding.kind);
        let reported: Vec<FindingKind> = reported.collect();
        let of_found = found.iter().map(|finding| finding.kind);
        let known = self.before.iter().chain(&reported).copied();
        let known: Vec<FindingKind> = known.chain(of_found).collect();
        found.retain(|finding| {
            !reported.contains(&finding.kind) && !is_explained(finding.kind, &known)
        });
        self.reported.extend(found);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use emberlab_metrics::SplitMetrics;

    use super::*;
    use crate::diagnosis::examples::history;

    /// Ends these epochs, of ten, with a loss that falls.
    fn train(diagnosis: &mut OngoingDiagnosis, epochs: std::ops::Range<usize>) -> Vec<String> {
        let mut found = Vec::new();
        for epoch in epochs {
            let train = SplitMetrics::from_iter([(Metric::Loss, 0.9_f64.powi(epoch as i32))]);
            let new = diagnosis.epoch_ended(&EpochRecord {
                epoch: epoch + 1,
                num_epochs: 10,
                step: epoch as u64 + 1,
                learning_rate: 0.1,
                train,
                valid: None,
                is_best: false,
                elapsed: Duration::ZERO,
            });
            found.extend(new.iter().map(|finding| {
                let layer = finding
                    .place
                    .as_ref()
                    .and_then(|place| place.layer.as_ref());
                format!("{} in {}", finding.kind, layer.expect("a layer"))
            }));
        }
        found
    }

    fn inspect(diagnosis: &mut OngoingDiagnosis, layers: &LayerHistory) {
        for record in layers.rows().chunk_by(|a, b| a.step == b.step) {
            diagnosis.inspected(record);
        }
    }

    #[test]
    fn gradients_that_vanish_at_the_start_are_found_after_the_first_epoch() {
        let layers = history(&[&[1e-6], &[1e-3], &[1.0]], |row, norm| {
            row.gradient_norm = norm
        });
        let mut diagnosis = OngoingDiagnosis::default();
        inspect(&mut diagnosis, &layers);
        assert_eq!(
            train(&mut diagnosis, 0..1),
            ["vanishing gradients in layers.0"]
        );
        assert_eq!(train(&mut diagnosis, 1..10), [""; 0], "once");
    }

    #[test]
    fn dead_units_are_found_in_the_epoch_in_which_they_are_seen() {
        let layers = history(&[&[0.0, 0.9], &[0.0, 0.0], &[0.0, 0.0]], |row, dead| {
            (row.units, row.dead) = (10, dead);
        });
        let mut diagnosis = OngoingDiagnosis::default();
        diagnosis.inspected(&layers.rows()[..3]);
        assert_eq!(train(&mut diagnosis, 0..4), [""; 0]);
        diagnosis.inspected(&layers.rows()[3..]);
        assert_eq!(train(&mut diagnosis, 4..5), ["dead ReLUs in layers.0"]);
    }

    #[test]
    fn a_resumed_training_does_not_know_what_came_after_its_checkpoint() {
        let dying = history(&[&[0.0, 0.0, 0.0, 0.9], &[0.0; 4]], |row, dead| {
            (row.units, row.dead) = (10, dead);
        });
        let mut diagnosis = OngoingDiagnosis::after(LearningCurves::default(), dying);
        assert_eq!(train(&mut diagnosis, 0..10), [""; 0]);
    }

    #[test]
    fn a_resumed_training_records_the_steps_after_its_checkpoint_again() {
        let dying = history(&[&[0.0, 0.9], &[0.0, 0.0]], |row, dead| {
            (row.units, row.dead) = (10, dead);
        });
        let healthy = history(&[&[0.0, 0.0], &[0.0, 0.0]], |row, dead| {
            (row.units, row.dead) = (10, dead);
        });
        let mut diagnosis = OngoingDiagnosis::after(LearningCurves::default(), dying);
        diagnosis.inspected(&healthy.rows()[2..]);
        assert_eq!(train(&mut diagnosis, 0..10), [""; 0]);
    }
}
