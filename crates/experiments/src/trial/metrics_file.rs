//! Writes the `metrics.csv` of a run, one row after each epoch.

use std::path::{Path, PathBuf};

use emberlab_run_format::EpochRow;
use emberlab_run_format::files::METRICS;
use emberlab_storage::{Appender, StorageError};
use emberlab_training::{EpochRecord, Observer, TrainingError};

/// Appends to a run's `metrics.csv`.
pub struct MetricsFile {
    path: PathBuf,
    appender: Appender,
}

impl MetricsFile {
    /// The file at `path` with the rows that a checkpoint holds; later epochs will be trained again.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn restore(path: &Path, rows: String) -> Result<Self, StorageError> {
        Ok(Self {
            path: path.to_path_buf(),
            appender: Appender::restore(path, rows)?,
        })
    }
}

impl Observer for MetricsFile {
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError> {
        let failed = |error: csv::Error| StorageError::io("write", &self.path)(error.into());
        let text = row_after(self.appender.text(), record).map_err(failed)?;
        Ok(self.appender.append(&text)?)
    }

    fn flush(&mut self) -> Result<(), TrainingError> {
        Ok(self.appender.flush()?)
    }

    fn attachments(&self) -> Vec<(&'static str, Vec<u8>)> {
        vec![(METRICS, self.appender.text().into())]
    }
}

/// The row of an epoch, after the header if there is no text before.
///
/// # Errors
/// [`csv::Error`] of the writer.
pub(super) fn row_after(before: &str, record: &EpochRecord) -> Result<String, csv::Error> {
    let row = EpochRow {
        epoch: record.epoch,
        step: record.step,
        learning_rate: record.learning_rate,
        train: &record.train,
        valid: record.valid.as_ref(),
    };
    let mut text = String::new();
    if before.is_empty() {
        text.push_str(&row.header()?);
    }
    text.push_str(&row.line());
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use emberlab_metrics::Metric;
    use std::fs;
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
        MetricsFile::restore(&path, String::new())
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
    fn restoring_drops_later_and_half_written_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let mut file = MetricsFile::restore(&path, String::new()).unwrap();
        for epoch in 1..=2 {
            file.epoch_ended(&record(epoch, 1.0)).unwrap();
        }
        let (_, kept) = file.attachments().remove(0);
        file.epoch_ended(&record(3, 1.0)).unwrap();
        file.flush().unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}4,20")).unwrap();
        let mut again = MetricsFile::restore(&path, String::from_utf8(kept).unwrap()).unwrap();
        again.epoch_ended(&record(3, 1.0)).unwrap();
        again.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    }
}
