//! `metrics.csv`: one row per epoch, written as it goes, floats that read back exactly.
//!
//! There is no time in it, so that a resumed run ends with the same file as one that was never stopped.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use emberlab_metrics::SplitMetrics;
use emberlab_training::{EpochRecord, Observer, TrainingError};

use crate::error::{ExperimentError, io_error};

/// Appends to a run's `metrics.csv`.
pub struct MetricsFile {
    path: PathBuf,
    file: File,
    is_empty: bool,
}

impl MetricsFile {
    /// Opens the file, keeping the rows of the first `epochs` epochs: later ones will be trained again.
    ///
    /// # Errors
    /// [`ExperimentError::Io`].
    pub fn open(path: &Path, epochs: usize) -> Result<Self, ExperimentError> {
        let kept = match fs::read_to_string(path) {
            Ok(text) => keep(&text, epochs),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(io_error("read", path)(error)),
        };
        let partial = path.with_extension("partial");
        fs::write(&partial, &kept).map_err(io_error("write", &partial))?;
        fs::rename(&partial, path).map_err(io_error("rename", &partial))?;
        let file = OpenOptions::new().append(true).open(path);
        Ok(Self {
            path: path.to_path_buf(),
            file: file.map_err(io_error("open", path))?,
            is_empty: kept.is_empty(),
        })
    }
}

/// The header and the whole rows of the first `epochs` epochs.
fn keep(text: &str, epochs: usize) -> String {
    let belongs = |line: &&str| {
        let first = line.split(',').next().unwrap_or_default();
        line.ends_with('\n')
            && (first == "epoch" || first.parse().is_ok_and(|e: usize| e <= epochs))
    };
    text.split_inclusive('\n').filter(belongs).collect()
}

impl Observer for MetricsFile {
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError> {
        let mut text = String::new();
        if self.is_empty {
            text.push_str("epoch,step,learning_rate");
            for (split, metrics) in splits(record) {
                for name in metrics.names() {
                    text.push_str(&format!(",{split}_{name}"));
                }
            }
            text.push('\n');
        }
        text.push_str(&format!(
            "{},{},{}",
            record.epoch, record.step, record.learning_rate
        ));
        for (_, metrics) in splits(record) {
            for (_, value) in metrics.iter() {
                text.push_str(&format!(",{value}"));
            }
        }
        text.push('\n');
        self.is_empty = false;
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|source| TrainingError::Write {
            path: self.path.clone(),
            source,
        })
    }
}

fn splits(record: &EpochRecord) -> impl Iterator<Item = (&'static str, &SplitMetrics)> {
    let valid = record.valid.as_ref().map(|metrics| ("valid", metrics));
    [("train", &record.train)].into_iter().chain(valid)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use emberlab_metrics::Metric;
    use std::time::Duration;

    fn record(epoch: usize, loss: f64) -> EpochRecord {
        EpochRecord {
            epoch,
            num_epochs: 3,
            step: 10 * epoch as u64,
            learning_rate: 0.1,
            train: [(Metric::Loss, loss)].into_iter().collect(),
            valid: Some([(Metric::Loss, f64::NAN)].into_iter().collect()),
            is_best: false,
            elapsed: Duration::ZERO,
        }
    }

    #[test]
    fn rows_read_back_exactly_and_nan_is_spelled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let loss = 0.1 + 0.2;
        MetricsFile::open(&path, 0)
            .unwrap()
            .epoch_ended(&record(1, loss))
            .unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "epoch,step,learning_rate,train_loss,valid_loss\n1,10,0.1,0.30000000000000004,NaN\n"
        );
    }

    #[test]
    fn reopening_drops_later_and_half_written_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let mut file = MetricsFile::open(&path, 0).unwrap();
        for epoch in 1..=3 {
            file.epoch_ended(&record(epoch, 1.0)).unwrap();
        }
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}2,20")).unwrap();
        let mut again = MetricsFile::open(&path, 2).unwrap();
        again.epoch_ended(&record(3, 1.0)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    }
}
