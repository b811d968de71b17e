//! Reads the files of a run that other parts need: configuration, learning curves and checkpoints.

use emberlab_analysis::{LearningCurves, OngoingDiagnosis};
use emberlab_config_source::ConfigSource;
use emberlab_run_format::files::{
    CONFIG, ENVIRONMENT, FAILURE, LAYERS, METRICS, RESULT, THRESHOLD,
};
use emberlab_run_format::{
    ChosenThreshold, Environment, Failure, History, LayerHistory, RunResult, ThresholdInUse,
    Weights,
};
use emberlab_storage::{Checkpoint, CheckpointStore};
use emberlab_training::Split;

use super::Run;
use crate::config::ExperimentConfig;
use crate::error::ExperimentError;

impl Run {
    /// The text of its configuration; if the file is lost or damaged, that of the newest checkpoint.
    ///
    /// # Errors
    /// [`ExperimentError::Malformed`] if neither can be read.
    pub fn source(&self) -> Result<ConfigSource, ExperimentError> {
        self.written_source().or_else(|error| {
            // Not the store with the run's configuration, which is looked for.
            let checkpoints = CheckpointStore::new(self.checkpoints(), usize::MAX);
            match checkpoints.newest()?.checkpoint {
                Some(checkpoint) => Ok(self.source_of(&checkpoint)),
                None => Err(error),
            }
        })
    }

    /// The text of its configuration beside its newest checkpoint. If the file is lost or damaged, or is not the one that
    /// the training ended with, it is that of the checkpoint, and the fault of the file comes with it.
    ///
    /// # Errors
    /// As for [`source`](Self::source).
    pub(crate) fn source_beside(
        &self,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(ConfigSource, Option<ExperimentError>), ExperimentError> {
        let written = self.written_source().and_then(|written| {
            let is_cut = checkpoint.is_some_and(|checkpoint| {
                let whole = &checkpoint.identity.config;
                written.text.len() < whole.len() && whole.starts_with(&written.text)
            });
            if is_cut {
                return Err(self.malformed(CONFIG, "its end is missing"));
            }
            match checkpoint.and_then(|checkpoint| self.config_disagreement(checkpoint)) {
                Some(reason) => {
                    let reason = format!("it is damaged or was changed: {reason}");
                    Err(self.malformed(CONFIG, reason))
                }
                None => Ok(written),
            }
        });
        match (written, checkpoint) {
            (Ok(written), _) => Ok((written, None)),
            (Err(fault), Some(checkpoint)) => Ok((self.source_of(checkpoint), Some(fault))),
            (Err(fault), None) => Err(fault),
        }
    }

    /// What is wrong with the configuration's file of a finished run, if the checkpoint has the one that the training
    /// ended with.
    fn config_disagreement(&self, checkpoint: &Checkpoint) -> Option<String> {
        let result = self.read_json::<RunResult>(RESULT).ok()?;
        let mut files = result.files.iter();
        let digest = files.find(|file| file.name == CONFIG)?;
        match digest.disagreement(checkpoint.identity.config.as_bytes()) {
            None => digest.disagreement(&self.read(CONFIG).ok()?),
            Some(_) => None,
        }
    }

    /// The configuration in its file, which is one that a run writes.
    fn written_source(&self) -> Result<ConfigSource, ExperimentError> {
        let path = self.config_path();
        let source = ConfigSource::load(&path).map_err(|e| self.malformed(CONFIG, e.source))?;
        match ExperimentConfig::from_source(&source) {
            Ok(_) => Ok(source),
            Err(error) => Err(self.malformed(CONFIG, error)),
        }
    }

    /// The configuration in a checkpoint, under the name of the run's file.
    fn source_of(&self, checkpoint: &Checkpoint) -> ConfigSource {
        let name = self.config_path().display().to_string();
        ConfigSource::new(name, checkpoint.identity.config.clone())
    }

    /// SHA-256 of the data that it was trained on; if `environment.json` is lost or damaged, from the newest checkpoint.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] or [`ExperimentError::Malformed`] if neither can be read.
    pub(crate) fn data_sha256(&self) -> Result<String, ExperimentError> {
        let environment = self.read_json::<Environment>(ENVIRONMENT);
        environment
            .map(|environment| environment.data_sha256)
            .or_else(|error| {
                let checkpoint = self.newest_checkpoint()?;
                checkpoint.map_or(Err(error), |checkpoint| Ok(checkpoint.identity.data_sha256))
            })
    }

    /// The configuration that the run was trained with. If its data have [moved](Self::with_data), it has their new
    /// path.
    ///
    /// # Errors
    /// [`ExperimentError::ReadConfig`] or [`ExperimentError::Malformed`] if it cannot be read;
    /// [`ExperimentError::NoOwnData`] if the data have moved, but the run has no data of the user's own.
    pub fn config(&self) -> Result<ExperimentConfig, ExperimentError> {
        let config = ExperimentConfig::from_source(&self.source()?);
        let mut config = config.map_err(|e| self.malformed(CONFIG, e))?;
        if let Some(data) = &self.data {
            let path = config.dataset.own_path();
            let path = path.ok_or_else(|| ExperimentError::NoOwnData { run: self.id() })?;
            path.clone_from(data);
        }
        Ok(config)
    }

    /// Checks that the training has finished, so that there is a trained network.
    ///
    /// # Errors
    /// [`ExperimentError::RunFailed`] if it failed, [`ExperimentError::NotFinished`] if it has not ended.
    pub(crate) fn check_finished(&self) -> Result<(), ExperimentError> {
        if self.is_done() {
            return Ok(());
        }
        let run = self.id();
        Err(match self.read_json::<Failure>(FAILURE) {
            Ok(Failure { message, .. }) => ExperimentError::RunFailed { run, message },
            Err(_) => ExperimentError::NotFinished { run },
        })
    }

    /// The threshold stored in the run, for whichever of its networks it was chosen; `None` if there is none, or its file
    /// is damaged.
    pub(crate) fn stored_threshold(&self) -> Option<ChosenThreshold> {
        self.read_json(THRESHOLD).ok()
    }

    /// The threshold for the network `weights` whose file has this SHA-256. If its file is damaged, a note says so.
    pub(crate) fn threshold_in_use(&self, weights: Weights, sha256: &str) -> ThresholdInUse {
        let mut threshold = ThresholdInUse::of(self.stored_threshold(), weights, sha256);
        if self.path().join(THRESHOLD).exists()
            && let Err(damaged) = self.read_json::<ChosenThreshold>(THRESHOLD)
        {
            threshold.note = Some(format!("{damaged}; {} is used", threshold.value));
        }
        threshold
    }

    /// The file of one of the two networks of a finished run.
    ///
    /// # Errors
    /// [`ExperimentError::NoBest`] if no epoch was the best; [`ExperimentError::Malformed`] if the file is not the one that
    /// the training wrote; those of [`check_finished`](Self::check_finished).
    pub(crate) fn network(&self, weights: Weights) -> Result<Vec<u8>, ExperimentError> {
        self.check_finished()?;
        let result: RunResult = self.read_json(RESULT)?;
        if weights == Weights::Best && result.best.is_none() {
            let objective = self.config()?.training.objective;
            let is_there = result.metrics.contains_key(&objective.split);
            return Err(ExperimentError::NoBest {
                run: self.id(),
                split: if is_there {
                    objective.split
                } else {
                    Split::Train
                },
                metric: objective.metric,
            });
        }
        self.check_unchanged(&[weights.file()])?;
        self.read(weights.file())
    }

    /// The learning curves of all epochs so far.
    ///
    /// # Errors
    /// [`ExperimentError::Malformed`] if the metrics or the configuration cannot be read.
    pub fn learning_curves(&self) -> Result<LearningCurves, ExperimentError> {
        let text = std::fs::read_to_string(self.metrics_path()).unwrap_or_default();
        self.curves(&text, self.config()?.training.num_epochs)
    }

    /// The learning curves in the text of `metrics.csv`, of a training of `num_epochs`.
    ///
    /// # Errors
    /// [`ExperimentError::Malformed`] if it is no such text.
    pub(crate) fn curves(
        &self,
        metrics: &str,
        num_epochs: usize,
    ) -> Result<LearningCurves, ExperimentError> {
        let history = History::parse(metrics).map_err(|e| self.malformed(METRICS, e))?;
        let column = |name: &str| history.column(name).into_iter().flatten().collect();
        Ok(LearningCurves {
            train_loss: column("train_loss"),
            valid_loss: column("valid_loss"),
            train_accuracy: column("train_accuracy"),
            valid_accuracy: column("valid_accuracy"),
            num_epochs,
        })
    }

    /// The diagnosis of its training as it goes on. Layers that cannot be read are left out: a resumed training
    /// restores their file from its checkpoint.
    ///
    /// # Errors
    /// [`ExperimentError::Malformed`] if the metrics or the configuration cannot be read.
    pub fn ongoing_diagnosis(&self) -> Result<OngoingDiagnosis, ExperimentError> {
        let layers = self.layers().unwrap_or_default();
        Ok(OngoingDiagnosis::after(self.learning_curves()?, layers))
    }

    /// The learning rate of the last step of each epoch.
    ///
    /// # Errors
    /// [`ExperimentError::Malformed`] if `metrics.csv` is damaged.
    pub(crate) fn learning_rates(&self) -> Result<Vec<f64>, ExperimentError> {
        let text = std::fs::read_to_string(self.metrics_path()).unwrap_or_default();
        let history = History::parse(&text).map_err(|e| self.malformed(METRICS, e))?;
        Ok(history
            .column("learning_rate")
            .into_iter()
            .flatten()
            .collect())
    }

    /// The records of its layers so far; empty if they are not recorded.
    ///
    /// # Errors
    /// [`ExperimentError::Malformed`] if they cannot be read.
    pub(crate) fn layers(&self) -> Result<LayerHistory, ExperimentError> {
        let text = std::fs::read_to_string(self.path().join(LAYERS)).unwrap_or_default();
        LayerHistory::parse(&text).map_err(|e| self.malformed(LAYERS, e))
    }

    /// The newest valid checkpoint, if there is one.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a folder cannot be read.
    pub(crate) fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, ExperimentError> {
        Ok(self.checkpoint_store().newest()?.checkpoint)
    }

    /// Whether there is a valid checkpoint to continue from.
    pub fn has_checkpoint(&self) -> bool {
        self.newest_checkpoint().is_ok_and(|found| found.is_some())
    }

    /// Its checkpoints. If the configuration cannot be read, all of them are kept.
    pub(super) fn checkpoint_store(&self) -> CheckpointStore {
        let config = self.config();
        let keep_last = config.map_or(usize::MAX, |config| config.checkpoint.keep_last);
        CheckpointStore::new(self.checkpoints(), keep_last)
    }
}
