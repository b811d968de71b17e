//! Trainings with several seeds in the background: how sure a result is, and whether one of two experiments is better.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use emberlab_experiments::{ExperimentConfig, ExperimentError, Resources, StepwiseTrial};
use emberlab_metrics::{Direction, Metric};
use emberlab_report::number;
use emberlab_report::statistics::{bootstrap_median, difference, median, wilcoxon};
use emberlab_training::{EpochRecord, Split};

use super::board::{Board, Topic};
use super::experiment::Experiment;
use super::threads;
use crate::message::{Envelope, SeedsState, ServerMessage};

/// The most seeds.
const MOST_SEEDS: usize = 100;
/// A difference with a larger p-value may be chance.
const SIGNIFICANCE: f64 = 0.05;

/// Trainings in the background. They stop when it is dropped.
pub(super) struct SeedsJob {
    is_stopped: Arc<AtomicBool>,
}

impl Drop for SeedsJob {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }
}

impl SeedsJob {
    /// Starts to train each experiment with the seeds 0, 1, 2, ….
    ///
    /// # Errors
    /// A sentence if there are no or too many trainings, or if no thread can be started.
    pub(super) fn start(
        experiments: Vec<Experiment>,
        count: usize,
        resources: Resources,
        board: Arc<Board>,
    ) -> Result<Self, String> {
        if !(1..=2).contains(&experiments.len()) || !(2..=MOST_SEEDS).contains(&count) {
            return Err(format!(
                "One or two experiments can be trained, with 2 to {MOST_SEEDS} seeds."
            ));
        }
        let is_stopped = Arc::new(AtomicBool::new(false));
        let flag = is_stopped.clone();
        let num_threads = resources.num_threads;
        let job = move || {
            let configs: Vec<ExperimentConfig> =
                experiments.iter().map(|one| one.config().clone()).collect();
            Trainings::new(&configs, count, board).run(&configs, &resources, &flag);
        };
        threads::spawn("seeds", num_threads, job)
            .map_err(|e| format!("Cannot start a thread: {e}"))?;
        Ok(Self { is_stopped })
    }
}

/// The trainings, and what the pages show of them.
struct Trainings {
    board: Arc<Board>,
    metric: Metric,
    count: usize,
    state: SeedsState,
}

impl Trainings {
    fn new(configs: &[ExperimentConfig], count: usize, board: Arc<Board>) -> Self {
        let metric = configs[0].training.objective.metric;
        Self {
            board,
            metric,
            count,
            state: SeedsState {
                done: 0,
                total: count * configs.len(),
                metric: format!("{} {metric}", Split::Valid),
                values: vec![Vec::new(); configs.len()],
                answer: Vec::new(),
                error: String::new(),
            },
        }
    }

    fn run(mut self, configs: &[ExperimentConfig], resources: &Resources, is_stopped: &AtomicBool) {
        self.publish();
        for seed in 0..self.count as u64 {
            for (index, config) in configs.iter().enumerate() {
                let config = ExperimentConfig {
                    seed,
                    ..config.clone()
                };
                match last_epoch(config, resources, is_stopped) {
                    Ok(Some(record)) => self.add(index, &record),
                    Ok(None) => {
                        self.state.error = "Stopped.".to_string();
                        return self.publish();
                    }
                    Err(error) => {
                        self.state.error = error.to_string();
                        return self.publish();
                    }
                }
                self.publish();
            }
        }
        self.state.answer = self.answer();
        self.publish();
    }

    fn add(&mut self, index: usize, record: &EpochRecord) {
        let (split, metrics) = match &record.valid {
            Some(valid) => (Split::Valid, valid),
            None => (Split::Train, &record.train),
        };
        self.state.metric = format!("{split} {}", self.metric);
        let value = metrics.get(self.metric).filter(|value| value.is_finite());
        self.state.values[index].push(value);
        self.state.done += 1;
    }

    /// The answer in plain sentences.
    fn answer(&self) -> Vec<String> {
        let metric = &self.state.metric;
        let mut sentences = Vec::new();
        for (index, values) in self.state.values.iter().enumerate() {
            let finite: Vec<f64> = values.iter().flatten().copied().collect();
            let name = match (self.state.values.len(), index) {
                (1, _) => "This setting",
                (_, 0) => "The present setting",
                _ => "The pinned setting",
            };
            let Some((low, high)) = bootstrap_median(&finite) else {
                sentences.push(format!("{name} has no finite {metric}."));
                continue;
            };
            let lost = values.len() - finite.len();
            sentences.push(format!(
                "{name}: median {metric} {} over {} seeds, 95 % interval {} to {}{}.",
                number(median(&finite)),
                finite.len(),
                number(low),
                number(high),
                match lost {
                    0 => String::new(),
                    lost => format!("; {lost} seeds ended with NaN"),
                }
            ));
        }
        if let [present, pinned] = self.state.values.as_slice() {
            sentences.push(self.comparison(present, pinned));
        }
        sentences
    }

    /// Whether one of the settings is better, by pairs of the same seed.
    fn comparison(&self, present: &[Option<f64>], pinned: &[Option<f64>]) -> String {
        let pairs = present.iter().zip(pinned);
        let differences = pairs.filter_map(|(a, b)| Some(difference((*a)?, (*b)?)));
        let differences: Vec<f64> = differences.collect();
        let Some((low, high)) = bootstrap_median(&differences) else {
            return "There are too few pairs of seeds to compare the two.".to_string();
        };
        let p = wilcoxon(&differences);
        let middle = median(&differences);
        let interval = format!(
            "{} [{}, {}], p = {p:.4}, {} pairs of the same seed",
            number(middle),
            number(low),
            number(high),
            differences.len()
        );
        if p >= SIGNIFICANCE {
            return format!("The two settings cannot be told apart: {interval}.");
        }
        let is_better = (middle > 0.0) == (self.metric.direction() == Direction::Higher);
        let better = if is_better { "present" } else { "pinned" };
        format!("The {better} setting is better. Present minus pinned: {interval}.")
    }

    fn publish(&self) {
        let message = ServerMessage::Seeds(self.state.clone());
        if let Ok(bytes) = Envelope::default().seal(&message) {
            self.board.publish(Topic::Seeds, bytes);
        }
    }
}

/// The last epoch of a training; none if it was stopped.
fn last_epoch(
    config: ExperimentConfig,
    resources: &Resources,
    is_stopped: &AtomicBool,
) -> Result<Option<EpochRecord>, ExperimentError> {
    let mut trial = StepwiseTrial::begin(config, resources)?;
    let mut last = None;
    loop {
        if is_stopped.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let steps = trial.steps_within(std::time::Duration::from_millis(20));
        let (goes_on, ended) = trial.advance(steps)?;
        last = ended.or(last);
        if !goes_on {
            return Ok(last);
        }
    }
}
