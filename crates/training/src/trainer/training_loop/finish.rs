//! The end of trainings: a last checkpoint, predictions on every split, the results.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use emberlab_metrics::Split;
use emberlab_models::Network;
use emberlab_run_format::Ending;

use super::super::interrupt::StopFlag;
use super::super::replica::Replica;
use super::super::result::TrainingResult;
use super::super::split_data::SplitData;
use super::{TrainingLoop, tolerate};
use crate::engine::Shared;
use crate::error::TrainingError;
use crate::parallel::map_on_threads;
use crate::predict::{Predicted, predict_unless};
use crate::supervised_model::SupervisedModel;

/// A training that has ended.
struct Ended {
    /// Its index among the trainings in the loop.
    index: usize,
    ending: Ending,
    network: Network,
    data: SplitData,
}

impl TrainingLoop {
    /// Ends all trainings that are left; returns the results of all, in the order of the start.
    pub(in crate::trainer) fn finish(
        &mut self,
        ending: ControlFlow<()>,
    ) -> Result<Vec<TrainingResult>, TrainingError> {
        if ending.is_continue() {
            self.save()?;
            let all: Vec<usize> = (0..self.replicas.len()).collect();
            self.wait_for_room(&all)?;
        }
        let early = self.out_of_patience();
        let ending = |index| match ending {
            ControlFlow::Break(()) => Ending::Interrupted,
            ControlFlow::Continue(()) if early.contains(&index) => Ending::StoppedEarly,
            ControlFlow::Continue(()) => Ending::Completed,
        };
        let left = 0..self.replicas.len();
        let left = left.map(|index| (index, ending(index))).collect();
        let left = self.finish_these(left)?;
        let mut results = std::mem::take(&mut self.results);
        results.extend(left);
        results.sort_by_key(|(place, _)| *place);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    /// Tries again to save trainings that are done, by their indices, while there is no room on the disk and nobody asks
    /// to stop. Only with `checkpoint.on_error = "continue"` a training gets here without having been saved.
    pub(super) fn wait_for_room(&mut self, done: &[usize]) -> Result<(), TrainingError> {
        const BETWEEN_TRIES: Duration = Duration::from_secs(1);
        const LOOK: Duration = Duration::from_millis(50);
        let waits = |replica: &Replica| replica.lacks_room && replica.has_to_save();
        let mut is_told = false;
        while let Some(&waiting) = done.iter().find(|&&index| waits(&self.replicas[index]))
            && !self.stop.is_requested()
        {
            if !std::mem::replace(&mut is_told, true) {
                self.replicas[waiting].observer.waits_for_room();
            }
            let tried = Instant::now();
            while tried.elapsed() < BETWEEN_TRIES && !self.stop.is_requested() {
                std::thread::sleep(LOOK);
            }
            self.count_time();
            self.save_these(done.iter().copied())?;
        }
        Ok(())
    }

    /// Records the layers of trainings that stopped early, unless the last step was recorded anyway. These records lack
    /// the size of the last update, because the weights before that step were not kept.
    fn record_last(&mut self, endings: &[(usize, Ending)]) -> Result<(), TrainingError> {
        let step = self.step();
        if self.spacing.is_none_or(|spacing| spacing.is_due(step)) {
            return Ok(());
        }
        let mut snapshots = Vec::new();
        for (index, _) in endings
            .iter()
            .filter(|(_, end)| *end == Ending::StoppedEarly)
        {
            snapshots.extend(self.snapshot(*index, None)?);
        }
        self.recorder.begin(snapshots);
        self.finish_records()
    }

    /// Ends some trainings, by their indices; returns their results with their places. If asked to stop during its
    /// predictions, a training counts as interrupted.
    pub(super) fn finish_these(
        &mut self,
        endings: Vec<(usize, Ending)>,
    ) -> Result<Vec<(usize, TrainingResult)>, TrainingError> {
        self.record_last(&endings)?;
        let mut all_written = Ok(());
        for &(index, _) in &endings {
            let replica = &mut self.replicas[index];
            let written = replica.observer.flush();
            all_written = all_written.and(tolerate(&self.checkpoint, replica, written));
        }
        all_written?;
        self.count_time();
        let is_over = |(_, ending): &&(usize, Ending)| *ending != Ending::Interrupted;
        let over = endings.iter().filter(is_over);
        self.save_these(over.map(|(index, _)| *index))?;
        let mut ended = Vec::new();
        for (index, ending) in endings {
            ended.push(Ended {
                index,
                ending,
                network: self.engine.evaluated_network(index)?,
                data: self.engine.data(index),
            });
        }
        let predictions = match ended.first() {
            Some(first) => {
                let device = first.data.train.inputs.device();
                let predictions = |one: &Ended| one.predictions(&self.shared, &self.stop);
                map_on_threads(&ended, &device, predictions)
            }
            None => Vec::new(),
        };
        let mut results = Vec::new();
        for (ended, predicted) in ended.into_iter().zip(predictions) {
            let predicted = predicted?;
            let best = self.engine.best(ended.index)?;
            let replica = &self.replicas[ended.index];
            let result = TrainingResult {
                ending: match predicted {
                    Some(_) => ended.ending,
                    None => Ending::Interrupted,
                },
                network: ended.network,
                best: replica.progress.early_stopping.best.zip(best),
                epoch: replica.progress.position.epoch,
                step: replica.progress.step,
                elapsed: replica.elapsed(self.spent),
                predicted: predicted.unwrap_or_default(),
                is_saved: replica.saved == Some(replica.progress.position),
            };
            results.push((replica.place, result));
        }
        Ok(results)
    }
}

/// The predictions of a training on its splits.
type Predictions = Vec<(Split, Predicted)>;

impl Ended {
    /// The predictions of the network on each split; none if the training is interrupted.
    fn predictions(
        &self,
        shared: &Shared,
        stop: &StopFlag,
    ) -> Result<Option<Predictions>, TrainingError> {
        if self.ending == Ending::Interrupted {
            return Ok(None);
        }
        let plain = SupervisedModel::new(self.network.clone(), shared.loss.clone());
        let SplitData { train, valid, test } = &self.data;
        let splits = [
            (Split::Train, Some(train)),
            (Split::Valid, valid.as_ref()),
            (Split::Test, test.as_ref()),
        ];
        let mut predicted = Vec::new();
        for (split, data) in splits {
            let Some(data) = data else { continue };
            let is_stopping = || stop.is_requested();
            let (task, asked) = (&shared.task, &shared.asked);
            match predict_unless(is_stopping, &plain, data, task, asked)? {
                Some(found) => predicted.push((split, found)),
                None => return Ok(None),
            }
        }
        Ok(Some(predicted))
    }
}
