//! Writes the `layers.csv` and `frames.jsonl` of a run, while its network learns.

use emberlab_run_format::LayerRow;
use emberlab_run_format::files::{FRAMES, LAYERS};
use emberlab_storage::{Appender, Checkpoint};
use emberlab_training::TrainingError;
use emberlab_training::inspection::{LayerRecord, Spacing};
use serde::Deserialize;

use super::probe::Probed;
use crate::error::ExperimentError;
use crate::run::Run;

/// Appends to a run's `layers.csv` and `frames.jsonl`.
pub(super) struct LayersFiles {
    layers: Appender,
    frames: Appender,
    /// The first line of `frames.jsonl`.
    header: String,
}

impl LayersFiles {
    /// The files with the records that a checkpoint holds; later ones will be made again. Records that the training
    /// would not make as it is configured now are left out, such as one at the old end of a longer training.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a file cannot be written, [`ExperimentError::Malformed`] if the checkpoint holds
    /// other text.
    pub(super) fn restore(
        run: &Run,
        checkpoint: Option<&Checkpoint>,
        probed: &Probed,
    ) -> Result<Self, ExperimentError> {
        let text = |name: &str| {
            let bytes = checkpoint.and_then(|checkpoint| checkpoint.optional(name));
            let text = String::from_utf8(bytes.map(<[u8]>::to_vec).unwrap_or_default());
            text.map_err(|e| run.malformed(name, e))
        };
        let header = probed.header.line().map_err(|e| run.malformed(FRAMES, e))?;
        let layers = due_rows(&text(LAYERS)?, &probed.spacing);
        let frames = due_frames(&text(FRAMES)?, &probed.spacing);
        let path = |name: &str| run.path().join(name);
        Ok(Self {
            layers: Appender::restore(&path(LAYERS), layers)?,
            frames: Appender::restore(&path(FRAMES), frames)?,
            header,
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`TrainingError::Storage`] if a file cannot be written.
    pub(super) fn inspected(&mut self, record: &LayerRecord) -> Result<(), TrainingError> {
        let mut text = String::new();
        if self.layers.text().is_empty() {
            text.push_str(&LayerRow::header());
        }
        record
            .rows
            .iter()
            .for_each(|row| text.push_str(&row.line()));
        let written = self.layers.append(&text);
        if let Some(frame) = &record.frame {
            let mut text = String::new();
            if self.frames.text().is_empty() {
                text.push_str(&self.header);
            }
            let line = frame.line();
            text.push_str(&line.map_err(|e| TrainingError::Read(e.to_string()))?);
            self.frames.append(&text)?;
        }
        Ok(written?)
    }

    /// Writes the records that still wait to be written.
    ///
    /// # Errors
    /// [`TrainingError::Storage`] if a file cannot be written.
    pub(super) fn flush(&mut self) -> Result<(), TrainingError> {
        let layers = self.layers.flush();
        self.frames.flush()?;
        Ok(layers?)
    }

    /// The content of the files, for a checkpoint.
    pub(super) fn attachments(&self) -> Vec<(&'static str, Vec<u8>)> {
        vec![
            (LAYERS, self.layers.text().into()),
            (FRAMES, self.frames.text().into()),
        ]
    }
}

/// The header and the rows whose steps have a record.
fn due_rows(text: &str, spacing: &Spacing) -> String {
    let is_due = |line: &&str| {
        let step = line.split(',').nth(1).and_then(|step| step.parse().ok());
        // The header has no step.
        step.is_none_or(|step| spacing.is_due(step))
    };
    text.split_inclusive('\n').filter(is_due).collect()
}

/// The header and the frames whose steps have a record.
fn due_frames(text: &str, spacing: &Spacing) -> String {
    #[derive(Deserialize)]
    struct Step {
        step: Option<u64>,
    }
    let is_due = |line: &&str| {
        let read = serde_json::from_str::<Step>(line);
        read.is_ok_and(|line| line.step.is_none_or(|step| spacing.is_due(step)))
    };
    text.split_inclusive('\n').filter(is_due).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use emberlab_training::inspection::{InspectConfig, InspectEvery};

    use super::*;

    #[test]
    fn records_that_the_training_would_not_make_are_left_out() {
        let every = InspectEvery::Epochs(2);
        let spacing = InspectConfig { every }.spacing(4, 10).unwrap();
        let rows = "epoch,step,layer\n0,0,a\n2,8,a\n2.5,10,a\n";
        assert_eq!(due_rows(rows, &spacing), "epoch,step,layer\n0,0,a\n2,8,a\n");
        let frames = "{\"classes\":[]}\n{\"step\":8}\n{\"step\":10}\n";
        assert_eq!(
            due_frames(frames, &spacing),
            "{\"classes\":[]}\n{\"step\":8}\n"
        );
    }
}
