//! The output of a training without a dashboard: a line, or a JSON object, for each epoch.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use emberlab_analysis::OngoingDiagnosis;
use emberlab_metrics::SplitMetrics;
pub use emberlab_report::{count, number};
use emberlab_run_format::{Finding, FindingKind};
use emberlab_training::inspection::LayerRecord;
use emberlab_training::{EpochRecord, Observer, TrainingError};
use serde_json::json;

use crate::failure::Failure;

/// Prints nothing until the end, when the warnings of failed saves follow.
#[derive(Default)]
pub struct Silent {
    save_warnings: SaveWarnings,
}

impl Observer for Silent {
    fn epoch_ended(&mut self, _: &EpochRecord) -> Result<(), TrainingError> {
        Ok(())
    }

    fn save_failed(&mut self, error: &TrainingError) {
        self.save_warnings.add(error);
    }

    fn waits_for_room(&mut self) {
        tell_of_waiting();
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        for (_, warning) in &self.save_warnings.0 {
            say!("warning: {warning}");
        }
    }
}

/// Passes findings to a dashboard, which has the terminal, and prints nothing itself until the end.
pub struct Behind {
    silent: Silent,
    diagnosis: OngoingDiagnosis,
}

impl Behind {
    /// Continues with a diagnosis that knows the earlier epochs.
    pub fn after(diagnosis: OngoingDiagnosis) -> Self {
        Self {
            silent: Silent::default(),
            diagnosis,
        }
    }
}

impl Observer for Behind {
    fn begins_with(&mut self, problems: &[FindingKind]) {
        self.diagnosis.begins_with(problems);
    }

    fn inspected(&mut self, record: &LayerRecord) -> Result<(), TrainingError> {
        self.diagnosis.inspected(&record.rows);
        Ok(())
    }

    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError> {
        self.diagnosis.epoch_ended(record);
        Ok(())
    }

    fn findings(&self) -> Vec<String> {
        let findings = self.diagnosis.reported().iter();
        findings.map(in_short).collect()
    }

    fn save_failed(&mut self, error: &TrainingError) {
        self.silent.save_failed(error);
    }

    fn waits_for_room(&mut self) {
        self.silent.save_warnings.add_waiting();
    }
}

/// Warnings of failed saves, one of each kind: a training that goes on may fail at each checkpoint.
#[derive(Default)]
struct SaveWarnings(Vec<(Option<ErrorKind>, String)>);

impl SaveWarnings {
    /// Adds a warning; returns it if it is the first of its kind.
    fn add(&mut self, error: &TrainingError) -> Option<&String> {
        let kind = match error {
            TrainingError::Storage(error) => error.kind(),
            _ => None,
        };
        let warning = format!("{error}; the training continues without it");
        let is_alike = |(known, text): &(Option<ErrorKind>, String)| {
            *known == kind && (kind.is_some() || *text == warning)
        };
        if self.0.iter().any(is_alike) {
            return None;
        }
        self.0.push((kind, warning));
        self.0.last().map(|(_, warning)| warning)
    }

    /// Adds that the training waited for room on the disk.
    fn add_waiting(&mut self) {
        let warning = "the training was done, and waited for room on the disk to save it";
        self.0.push((None, warning.to_string()));
    }

    /// Prints a warning, unless it was printed before.
    fn tell(&mut self, error: &TrainingError) {
        if let Some(warning) = self.add(error) {
            say!("warning: {warning}");
        }
    }
}

/// The beginning of the line that says that a training waits for room on the disk.
pub const WAITS_FOR_ROOM: &str = "the training is done, and waits for room on the disk to save it";

/// Says that a training which is done waits for room on the disk.
fn tell_of_waiting() {
    say!("{WAITS_FOR_ROOM}; Ctrl-C gives up what is not saved");
}

/// Prints a warning for each of these findings.
fn warn(findings: &[Finding]) {
    for finding in findings {
        say!("warning: {}: {}", finding.kind, finding.summary);
    }
}

/// A finding in a few words: its kind, and the layer that has it.
fn in_short(finding: &Finding) -> String {
    let layer = finding
        .place
        .as_ref()
        .and_then(|place| place.layer.as_ref());
    match layer {
        Some(layer) => format!("{} in {layer}", finding.kind),
        None => finding.kind.to_string(),
    }
}

/// Prints one line per epoch, for people.
pub struct Lines {
    began: Instant,
    first: Option<usize>,
    save_warnings: SaveWarnings,
    diagnosis: OngoingDiagnosis,
}

impl Lines {
    /// Starts the clock, and continues with a diagnosis that knows the earlier epochs.
    pub fn after(diagnosis: OngoingDiagnosis) -> Self {
        Self {
            began: Instant::now(),
            first: None,
            save_warnings: SaveWarnings::default(),
            diagnosis,
        }
    }

    /// The time for the remaining epochs, at the pace since the start of the program.
    fn remaining(&mut self, record: &EpochRecord) -> Duration {
        let before = *self.first.get_or_insert(record.epoch - 1);
        let pace = self.began.elapsed().as_secs_f64() / (record.epoch - before) as f64;
        Duration::from_secs_f64(pace * (record.num_epochs - record.epoch) as f64)
    }
}

impl Observer for Lines {
    fn begins_with(&mut self, problems: &[FindingKind]) {
        self.diagnosis.begins_with(problems);
    }

    fn inspected(&mut self, record: &LayerRecord) -> Result<(), TrainingError> {
        self.diagnosis.inspected(&record.rows);
        Ok(())
    }

    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError> {
        let remaining = self.remaining(record);
        let width = record.num_epochs.to_string().len();
        let mut line = format!(
            "epoch {:>width$}/{}  train {}",
            record.epoch,
            record.num_epochs,
            headline_metrics(&record.train)
        );
        if let Some(valid) = &record.valid {
            line.push_str(&format!("  valid {}", headline_metrics(valid)));
        }
        line.push_str(&format!(
            "  lr {}  {} elapsed, {} left{}",
            number(record.learning_rate),
            clock(record.elapsed),
            clock(remaining),
            if record.is_best { "  best" } else { "" }
        ));
        print_line(&line);
        warn(self.diagnosis.epoch_ended(record));
        Ok(())
    }

    fn save_failed(&mut self, error: &TrainingError) {
        self.save_warnings.tell(error);
    }

    fn waits_for_room(&mut self) {
        tell_of_waiting();
    }
}

/// Prints one JSON object per epoch, for programs.
pub struct JsonLines {
    save_warnings: SaveWarnings,
    diagnosis: OngoingDiagnosis,
}

impl JsonLines {
    /// Continues with a diagnosis that knows the earlier epochs.
    pub fn after(diagnosis: OngoingDiagnosis) -> Self {
        Self {
            save_warnings: SaveWarnings::default(),
            diagnosis,
        }
    }
}

impl Observer for JsonLines {
    fn begins_with(&mut self, problems: &[FindingKind]) {
        self.diagnosis.begins_with(problems);
    }

    fn inspected(&mut self, record: &LayerRecord) -> Result<(), TrainingError> {
        self.diagnosis.inspected(&record.rows);
        Ok(())
    }

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
        warn(self.diagnosis.epoch_ended(record));
        Ok(())
    }

    fn save_failed(&mut self, error: &TrainingError) {
        self.save_warnings.tell(error);
    }

    fn waits_for_room(&mut self) {
        tell_of_waiting();
    }
}

/// Prints a line of a training. If it cannot be printed, the training goes on, because its results go to disk; the first
/// time, a warning says so, unless the reader has closed its pipe.
pub fn print_line(line: &str) {
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    if let Err(error) = writeln!(std::io::stdout(), "{line}")
        && let failure @ Failure::Failed(_) = Failure::from(error)
        && !IS_TOLD.swap(true, Ordering::Relaxed)
    {
        say!("warning: {failure}; the training goes on");
    }
}

/// The headline metrics, such as `loss 0.25 accuracy 0.93`.
fn headline_metrics(metrics: &SplitMetrics) -> String {
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

    #[test]
    fn one_kind_of_failed_saves_is_one_warning() {
        let failed = |kind: ErrorKind, name: &str| {
            let error = emberlab_storage::StorageError::io("create", std::path::Path::new(name));
            TrainingError::from(error(kind.into()))
        };
        let mut warnings = SaveWarnings::default();
        assert!(
            warnings
                .add(&failed(ErrorKind::StorageFull, "epoch-1"))
                .is_some()
        );
        assert!(
            warnings
                .add(&failed(ErrorKind::StorageFull, "epoch-2"))
                .is_none()
        );
        assert!(
            warnings
                .add(&failed(ErrorKind::NotFound, "epoch-3"))
                .is_some()
        );
    }
}
