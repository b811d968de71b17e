//! What a training tells without a dashboard: a line, or a JSON object, per epoch.

use std::io::Write;
use std::time::{Duration, Instant};

use emberlab_analysis::{LearningCurves, findings_while_training};
use emberlab_metrics::{Metric, SplitMetrics};
pub use emberlab_report::{count, number};
use emberlab_run_format::{Finding, FindingKind};
use emberlab_training::{EpochRecord, Observer, TrainingError};
use serde_json::json;

/// Says nothing until the end: the terminal is somebody else's.
#[derive(Default)]
pub struct Silent {
    complaints: Complaints,
}

impl Observer for Silent {
    fn epoch_ended(&mut self, _: &EpochRecord) -> Result<(), TrainingError> {
        Ok(())
    }

    fn save_failed(&mut self, error: &TrainingError) {
        self.complaints.add(error);
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        for complaint in &self.complaints.0 {
            eprintln!("warning: {complaint}");
        }
    }
}

/// Feeds a dashboard with what is wrong, and says nothing else until the end.
pub struct Behind {
    silent: Silent,
    watch: Watch,
}

impl Behind {
    /// Watches the epochs after these.
    pub fn after(before: LearningCurves) -> Self {
        Self {
            silent: Silent::default(),
            watch: Watch::after(before),
        }
    }
}

impl Observer for Behind {
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError> {
        self.watch.look(record);
        Ok(())
    }

    fn findings(&self) -> Vec<String> {
        self.watch.told.iter().map(FindingKind::to_string).collect()
    }

    fn save_failed(&mut self, error: &TrainingError) {
        self.silent.save_failed(error);
    }
}

/// What could not be saved while the training went on, each said once.
#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    /// Takes in an error; returns the complaint if it is a new one.
    fn add(&mut self, error: &TrainingError) -> Option<&String> {
        let complaint = format!("{error}; the training goes on without");
        if self.0.contains(&complaint) {
            return None;
        }
        self.0.push(complaint);
        self.0.last()
    }

    /// Says an error at once, unless it was said before.
    fn tell(&mut self, error: &TrainingError) {
        if let Some(complaint) = self.add(error) {
            eprintln!("warning: {complaint}");
        }
    }
}

/// Looks at the curves while they grow, and finds each thing that is wrong once.
#[derive(Default)]
struct Watch {
    curves: LearningCurves,
    told: Vec<FindingKind>,
    next_look: usize,
}

impl Watch {
    /// Looks at epochs after these.
    fn after(before: LearningCurves) -> Self {
        Self {
            curves: before,
            ..Self::default()
        }
    }

    /// Takes in an epoch; warns on the terminal of what has become visible with it.
    fn warn(&mut self, record: &EpochRecord) {
        for finding in self.look(record) {
            eprintln!("warning: {}: {}", finding.kind, finding.summary);
        }
    }

    /// Takes in an epoch; what has become visible with it.
    fn look(&mut self, record: &EpochRecord) -> Vec<Finding> {
        self.curves.num_epochs = record.num_epochs;
        // What a run that goes on had done after its checkpoint is done again.
        self.curves.truncate(record.epoch - 1);
        self.curves.push(&record.train, record.valid.as_ref());
        let epochs = self.curves.train_loss.len();
        // With epochs missing in between, nothing can be said before the end.
        if epochs != record.epoch {
            return Vec::new();
        }
        let loss = record.train.get(Metric::Loss);
        let is_number = loss.is_none_or(f64::is_finite);
        // Each look reads all the curves: with a tenth more epochs there is something new to see.
        if epochs < self.next_look && is_number {
            return Vec::new();
        }
        self.next_look = epochs + epochs / 10 + 1;
        let mut new = findings_while_training(&self.curves);
        new.retain(|finding| !self.told.contains(&finding.kind));
        self.told.extend(new.iter().map(|finding| finding.kind));
        new
    }
}

/// One line per epoch for people.
pub struct Lines {
    began: Instant,
    first: Option<usize>,
    complaints: Complaints,
    watch: Watch,
}

impl Lines {
    /// Begins to count the time that is left, after these epochs.
    pub fn after(before: LearningCurves) -> Self {
        Self {
            began: Instant::now(),
            first: None,
            complaints: Complaints::default(),
            watch: Watch::after(before),
        }
    }

    /// Time for the epochs that are left, at the pace of this session.
    fn remaining(&mut self, record: &EpochRecord) -> Duration {
        let before = *self.first.get_or_insert(record.epoch - 1);
        let pace = self.began.elapsed().as_secs_f64() / (record.epoch - before) as f64;
        Duration::from_secs_f64(pace * (record.num_epochs - record.epoch) as f64)
    }
}

impl Observer for Lines {
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError> {
        let remaining = self.remaining(record);
        let width = record.num_epochs.to_string().len();
        let mut line = format!(
            "epoch {:>width$}/{}  train {}",
            record.epoch,
            record.num_epochs,
            figures(&record.train)
        );
        if let Some(valid) = &record.valid {
            line.push_str(&format!("  valid {}", figures(valid)));
        }
        line.push_str(&format!(
            "  lr {}  {} elapsed, {} left{}",
            number(record.learning_rate),
            clock(record.elapsed),
            clock(remaining),
            if record.is_best { "  best" } else { "" }
        ));
        print_line(&line);
        self.watch.warn(record);
        Ok(())
    }

    fn save_failed(&mut self, error: &TrainingError) {
        self.complaints.tell(error);
    }
}

/// One JSON object per epoch for programs.
pub struct JsonLines {
    complaints: Complaints,
    watch: Watch,
}

impl JsonLines {
    /// Objects of epochs after these.
    pub fn after(before: LearningCurves) -> Self {
        Self {
            complaints: Complaints::default(),
            watch: Watch::after(before),
        }
    }
}

impl Observer for JsonLines {
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError> {
        let line = json!({
            "epoch": record.epoch,
            "num_epochs": record.num_epochs,
            "step": record.step,
            "learning_rate": record.learning_rate,
            "train": record.train,
            "valid": record.valid,
            "is_best": record.is_best,
            "elapsed_seconds": record.elapsed.as_secs_f64(),
        });
        print_line(&line.to_string());
        self.watch.warn(record);
        Ok(())
    }

    fn save_failed(&mut self, error: &TrainingError) {
        self.complaints.tell(error);
    }
}

/// A closed pipe must not stop a training whose results go to disk.
fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The headline metrics, such as `loss 0.25 accuracy 0.93`.
fn figures(metrics: &SplitMetrics) -> String {
    let headlines = metrics.iter().filter(|(metric, _)| metric.is_headline());
    let texts = headlines.map(|(metric, value)| format!("{metric} {}", number(value)));
    texts.collect::<Vec<_>>().join(" ")
}

/// `1:02:03`, `2:03` or `0:03`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
        assert_eq!(clock(Duration::from_millis(3999)), "0:03");
    }
}
