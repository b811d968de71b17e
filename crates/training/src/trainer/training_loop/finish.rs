//! The end of trainings: a last checkpoint, predictions on every split, the results.

use std::ops::ControlFlow;

use emberlab_metrics::Split;
use emberlab_run_format::Ending;

use super::super::result::TrainingResult;
use super::super::split_data::SplitData;
use super::TrainingLoop;
use crate::error::TrainingError;
use crate::predict::predict_unless;
use crate::supervised_model::SupervisedModel;

impl TrainingLoop {
    /// Ends all trainings that are left; returns the results of all, in the order of the start.
    pub(in crate::trainer) fn finish(
        &mut self,
        ending: ControlFlow<()>,
    ) -> Result<Vec<TrainingResult>, TrainingError> {
        if ending.is_continue() {
            self.save()?;
        }
        let early = self.out_of_patience();
        let mut results = std::mem::take(&mut self.results);
        for index in 0..self.replicas.len() {
            let ending = match ending {
                ControlFlow::Break(()) => Ending::Interrupted,
                ControlFlow::Continue(()) if early.contains(&index) => Ending::StoppedEarly,
                ControlFlow::Continue(()) => Ending::Completed,
            };
            let result = self.finish_one(index, ending)?;
            results.push((self.replicas[index].place, result));
        }
        results.sort_by_key(|(place, _)| *place);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    /// Records the layers at an end that came early, unless they were recorded after the last step. Nobody knew that it was
    /// the last one, so the change that it made is not in the record.
    fn record_last(&mut self, index: usize) -> Result<(), TrainingError> {
        let step = self.step();
        if self.spacing.is_none_or(|spacing| spacing.is_due(step)) {
            return Ok(());
        }
        let snapshot = self.snapshot(index, None)?;
        self.recorder.begin(snapshot.into_iter().collect());
        self.finish_records()
    }

    /// Ends one training. If asked to stop during the predictions, it counts as interrupted.
    pub(super) fn finish_one(
        &mut self,
        index: usize,
        mut ending: Ending,
    ) -> Result<TrainingResult, TrainingError> {
        if ending == Ending::StoppedEarly {
            self.record_last(index)?;
        }
        let network = self.engine.evaluated_network(index)?;
        let plain = SupervisedModel::new(network.clone(), self.shared.loss.clone());
        let mut predicted = Vec::new();
        if ending != Ending::Interrupted {
            self.count_time();
            self.save_these(index..index + 1)?;
            let SplitData { train, valid, test } = self.engine.data(index);
            let splits = [
                (Split::Train, Some(train)),
                (Split::Valid, valid),
                (Split::Test, test),
            ];
            for (split, data) in splits {
                let Some(data) = data else { continue };
                let is_stopping = || self.stop.is_requested();
                let (task, asked) = (&self.shared.task, &self.shared.asked);
                let found = predict_unless(is_stopping, &plain, &data, task, asked)?;
                let Some(found) = found else {
                    ending = Ending::Interrupted;
                    predicted.clear();
                    break;
                };
                predicted.push((split, found));
            }
        }
        let best = self.engine.best(index)?;
        let replica = &self.replicas[index];
        Ok(TrainingResult {
            ending,
            network,
            best: replica.progress.early_stopping.best.zip(best),
            epoch: replica.progress.position.epoch,
            step: replica.progress.step,
            elapsed: replica.elapsed(self.spent),
            predicted,
            is_saved: replica.saved == Some(replica.progress.position),
        })
    }
}
