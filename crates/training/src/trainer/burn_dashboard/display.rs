//! Events for burn-train's dashboard, a few times a second.

use std::time::{Duration, Instant};

use burn::data::dataloader::Progress;
use burn::train::{
    EventProcessorTraining, Interrupter, LearnerEvent, SupervisedTrainingEventProcessor,
    TrainingItem,
};

use super::metrics::Shown;
use super::placeholders::DashboardItem;
use crate::supervised_model::SupervisedModel;

/// Time between two updates of the dashboard, once it has been open for some seconds.
const TICK: Duration = Duration::from_millis(150);

/// Time between two updates at the beginning, so that curves of a short training have enough points.
const FIRST_TICK: Duration = Duration::from_millis(10);

/// Sends events to the dashboard, and decides how often.
pub(crate) struct Display<'a> {
    /// Where events go; none for a display that shows nothing.
    processor: Option<&'a mut SupervisedTrainingEventProcessor<SupervisedModel>>,
    interrupter: Interrupter,
    is_shown: bool,
    /// Whether the end of every epoch is shown.
    shows_every_epoch: bool,
    began: Instant,
    sent: Option<Instant>,
    epoch_began: Instant,
    found: Vec<String>,
}

impl<'a> Display<'a> {
    pub(crate) fn new(
        processor: &'a mut SupervisedTrainingEventProcessor<SupervisedModel>,
        interrupter: Interrupter,
        is_shown: bool,
        shows_every_epoch: bool,
    ) -> Self {
        Self {
            processor: Some(processor),
            is_shown,
            shows_every_epoch,
            interrupter,
            ..Self::silent()
        }
    }

    /// A display that shows nothing.
    pub(crate) fn silent() -> Self {
        Self {
            processor: None,
            interrupter: Interrupter::new(),
            is_shown: false,
            shows_every_epoch: false,
            began: Instant::now(),
            sent: None,
            epoch_began: Instant::now(),
            found: Vec::new(),
        }
    }

    /// Whether the person at the dashboard asked to stop.
    pub(crate) fn wants_stop(&self) -> bool {
        self.interrupter.should_stop()
    }

    /// An epoch begins.
    pub(crate) fn begin_epoch(&mut self) {
        self.epoch_began = Instant::now();
    }

    /// Whether to show the progress within an epoch. Only long epochs show it; the others appear when they end.
    pub(crate) fn is_due_within_epoch(&self, now: Instant) -> bool {
        self.is_due(now) && now - self.epoch_began >= TICK
    }

    /// Whether to show the end of an epoch: its progress was shown, or an update is due.
    pub(crate) fn is_due_at_end(&self, now: Instant) -> bool {
        let was_under_way = self.sent.is_some_and(|sent| sent > self.epoch_began);
        self.is_due(now) || self.is_shown && (was_under_way || self.shows_every_epoch)
    }

    fn is_due(&self, now: Instant) -> bool {
        let tick = ((now - self.began) / 16).clamp(FIRST_TICK, TICK);
        self.is_shown && self.sent.is_none_or(|sent| now - sent >= tick)
    }

    /// An epoch is under way: `done` of `total` training samples seen.
    pub(crate) fn progress(&mut self, epoch: usize, done: usize, total: usize, shown: Shown) {
        self.sent = Some(Instant::now());
        // The dashboard numbers epochs by the last end that it was told of, and most ends are not sent to it.
        self.train(LearnerEvent::EndEpoch(epoch - 1));
        self.train(LearnerEvent::StartSplit {
            epoch_number: epoch,
            total_items: total,
        });
        let item = DashboardItem {
            shown,
            found: self.found.clone(),
        };
        self.train(LearnerEvent::ProcessedItem(after(item, done, total)));
    }

    /// An epoch has ended, with these metrics, and with these problems found so far.
    pub(crate) fn epoch(
        &mut self,
        epoch: usize,
        num_train: usize,
        train: Shown,
        valid: Option<(usize, Shown)>,
        found: Vec<String>,
    ) {
        self.found = found;
        self.progress(epoch, num_train, num_train, train);
        self.train(LearnerEvent::EndSplit(epoch));
        if let Some((num_valid, shown)) = valid {
            self.valid(LearnerEvent::StartSplit {
                epoch_number: epoch,
                total_items: num_valid,
            });
            let item = DashboardItem {
                shown,
                ..DashboardItem::default()
            };
            self.valid(LearnerEvent::ProcessedItem(after(
                item, num_valid, num_valid,
            )));
            self.valid(LearnerEvent::EndSplit(epoch));
        }
        self.train(LearnerEvent::EndEpoch(epoch));
    }

    fn train(&mut self, event: LearnerEvent<DashboardItem>) {
        if let Some(processor) = &mut self.processor {
            let result = processor.process_train(event);
            self.interrupter.fail_on_error(result);
        }
    }

    fn valid(&mut self, event: LearnerEvent<DashboardItem>) {
        if let Some(processor) = &mut self.processor {
            let result = processor.process_valid(event);
            self.interrupter.fail_on_error(result);
        }
    }
}

/// What is shown after `done` of `total` samples.
fn after(item: DashboardItem, done: usize, total: usize) -> TrainingItem<DashboardItem> {
    let progress = Progress::new(done, total, Some("samples".to_string()));
    TrainingItem::new(item, progress, None, None)
}
