//! A trial in the memory of this process, which trains as many steps as its caller asks for.

use std::path::Path;
use std::time::Duration;

use burn::tensor::Device;
use emberlab_analysis::LearningCurves;
use emberlab_datasets::Batch;
use emberlab_metrics::Metric;
use emberlab_models::Network;
use emberlab_run_format::files::{ENVIRONMENT, METRICS};
use emberlab_run_format::{Diagnosis, Environment, LayerHistory, LayerRow};
use emberlab_storage::{Checkpoint, Position};
use emberlab_training::inspection::inspect_layers;
use emberlab_training::{
    Dashboard, EpochRecord, EpochUnderWay, StepwiseTraining, StopFlag, TrainedBy, Trainer,
    TrainingError,
};

use super::metrics_file::row_after;
use super::ready::Ready;
use super::{Execution, Nobody, Prepared, Resources, Trial, quick_diagnosis};
use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::run::Run;

/// A trial that trains as many steps as its caller asks for, and leaves no files until it is [saved](Self::save).
pub struct StepwiseTrial {
    ready: Ready,
    training: StepwiseTraining,
    probe: Batch,
    /// The text of `metrics.csv` so far.
    metrics: String,
    curves: LearningCurves,
    layers: Vec<LayerRow>,
    resources: Resources,
}

impl StepwiseTrial {
    /// Loads the data of `config` and starts the training.
    ///
    /// # Errors
    /// As for [`Trial::begin`]; [`ExperimentError::Training`] for a loss that cannot train.
    pub fn begin(config: ExperimentConfig, resources: &Resources) -> Result<Self, ExperimentError> {
        let Resources {
            device, data_dirs, ..
        } = resources;
        let ready = Ready::prepare(without_records(config), device, data_dirs, None)?;
        Self::start(ready, None, resources)
    }

    /// Goes on with the weights of this trial and the settings of `config`; an epoch under way begins anew. `None` if
    /// the network, the optimiser or the seed changes, so that the training has to begin anew.
    ///
    /// # Errors
    /// As for [`begin`](Self::begin).
    pub fn changed(&mut self, config: ExperimentConfig) -> Result<Option<Self>, ExperimentError> {
        let config = without_records(config);
        let before = &self.ready.prepared;
        if !keeps_network(&before.config, &config) {
            return Ok(None);
        }
        let resources = &self.resources;
        let ready = match self.ready.with_settings(&config)? {
            Some(ready) => ready,
            None => Ready::prepare(config, &resources.device, &resources.data_dirs, None)?,
        };
        let before = &self.ready.prepared;
        if ready.prepared.samples.input_shape != before.samples.input_shape
            || ready.prepared.d_output != before.d_output
        {
            return Ok(None);
        }
        let checkpoint = self.training.checkpoint(Vec::new())?;
        match Self::start(ready, Some(&checkpoint), resources) {
            // The state of one optimiser is not a state of another one.
            Err(ExperimentError::Training(TrainingError::Storage(_))) => Ok(None),
            Err(error) => Err(error),
            Ok(changed) => Ok(Some(Self {
                metrics: self.metrics.clone(),
                curves: self.curves.clone(),
                layers: self.layers.clone(),
                ..changed
            })),
        }
    }

    fn start(
        ready: Ready,
        from: Option<&Checkpoint>,
        resources: &Resources,
    ) -> Result<Self, ExperimentError> {
        let prepared = &ready.prepared;
        let config = prepared.config.clone();
        let rows = prepared.probe_rows();
        let probe = Batch::all(&prepared.upload_rows(&rows, &ready.tensor_device)?);
        let trainer = Trainer {
            label: config.name,
            network: ready.network.clone(),
            device: ready.device.clone(),
            loss: config.loss,
            task: prepared.task.clone(),
            optimizer: config.optimizer,
            scheduler: config.scheduler,
            training: config.training,
            checkpoint: config.checkpoint,
            probe: None,
            store: None,
            identity: ready.identity.clone(),
            seed: config.seed,
            data: ready.data.clone(),
            dashboard: Dashboard::Quiet,
            least_epoch: Duration::ZERO,
            stop: StopFlag::default(),
            observer: Box::new(Nobody),
        };
        let from = from.map(|checkpoint| (checkpoint, EpochUnderWay::BeginsAnew));
        Ok(Self {
            training: StepwiseTraining::new(trainer, from)?,
            ready,
            probe,
            metrics: String::new(),
            curves: LearningCurves::default(),
            layers: Vec::new(),
            resources: resources.clone(),
        })
    }

    /// Trains at most `num_steps`, and at most to the end of the epoch under way. Returns whether there is more to
    /// train, and the epoch that has ended, if one has.
    ///
    /// # Errors
    /// [`ExperimentError::Training`]. After an error the trial cannot go on: begin anew.
    pub fn advance(
        &mut self,
        num_steps: u64,
    ) -> Result<(bool, Option<EpochRecord>), ExperimentError> {
        let goes_on = self.training.advance(num_steps)?;
        let ended = self.training.ended_epochs().pop();
        if let Some(record) = &ended {
            self.note(record)?;
        }
        Ok((goes_on, ended))
    }

    /// Adds an epoch to the metrics and the curves.
    fn note(&mut self, record: &EpochRecord) -> Result<(), ExperimentError> {
        let row = row_after(&self.metrics, record);
        let row = row.map_err(|e| TrainingError::Read(e.to_string()))?;
        self.metrics.push_str(&row);
        let curves = &mut self.curves;
        let add = |curve: &mut Vec<f64>, value: Option<f64>| curve.extend(value);
        add(&mut curves.train_loss, record.train.get(Metric::Loss));
        add(
            &mut curves.train_accuracy,
            record.train.get(Metric::Accuracy),
        );
        if let Some(valid) = &record.valid {
            add(&mut curves.valid_loss, valid.get(Metric::Loss));
            add(&mut curves.valid_accuracy, valid.get(Metric::Accuracy));
        }
        Ok(())
    }

    /// The number of steps that take about `time`; at least one.
    pub fn steps_within(&self, time: Duration) -> u64 {
        self.training.steps_within(time)
    }

    /// Epochs done, and steps done in the epoch under way.
    pub fn position(&self) -> Position {
        self.training.position()
    }

    /// Steps done in all epochs.
    pub fn step(&self) -> u64 {
        self.training.step()
    }

    /// The number of steps of an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        let prepared = self.prepared();
        let batches = prepared.config.training.batches();
        batches.num_batches(prepared.splits.train.len())
    }

    /// Whether early stopping has ended the training.
    pub fn has_stopped_early(&self) -> bool {
        self.training.has_stopped_early()
    }

    /// The experiment with its data.
    pub fn prepared(&self) -> &Prepared {
        &self.ready.prepared
    }

    /// The engine that trains the network.
    pub fn trained_by(&self) -> &TrainedBy {
        &self.ready.trained_by
    }

    /// The device of tensors, such as those of [`network`](Self::network).
    pub fn tensor_device(&self) -> &Device {
        &self.ready.tensor_device
    }

    /// Sentences about settings and data that are allowed but often a mistake.
    pub fn warnings(&self) -> Vec<String> {
        let Ready {
            prepared, findings, ..
        } = &self.ready;
        prepared.warnings_about(findings)
    }

    /// The network as it is evaluated.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the device fails.
    pub fn network(&mut self) -> Result<Network, ExperimentError> {
        Ok(self.training.network()?)
    }

    /// The network as it learns.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the device fails.
    pub fn learning_network(&mut self) -> Result<Network, ExperimentError> {
        Ok(self.training.learning_network()?)
    }

    /// Inspects the layers on at most 256 rows, always the same. `before` is the network before the last step, if it is
    /// known. The rows are kept for the [diagnosis](Self::diagnosis), thinned out when they are many.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the device fails.
    pub fn inspect(&mut self, before: Option<&Network>) -> Result<Vec<LayerRow>, ExperimentError> {
        let network = self.training.learning_network()?;
        let step = self.step();
        let epoch = step as f64 / self.steps_per_epoch().max(1) as f64;
        let loss = &self.prepared().config.loss;
        let (rows, _) = inspect_layers(&network, before, loss, &self.probe, (epoch, step))?;
        self.layers.extend(rows.iter().cloned());
        if self.layers.len() > 200 * rows.len() {
            // Every second record of all layers is dropped.
            let layers = std::mem::take(&mut self.layers);
            let records = layers.chunks(rows.len().max(1)).step_by(2);
            self.layers = records.flatten().cloned().collect();
        }
        Ok(rows)
    }

    /// The findings about the training so far.
    ///
    /// # Errors
    /// [`ExperimentError`] if the device fails.
    pub fn diagnosis(&mut self) -> Result<Diagnosis, ExperimentError> {
        let network = self.training.network()?;
        let curves = LearningCurves {
            num_epochs: self.prepared().config.training.num_epochs,
            ..self.curves.clone()
        };
        let layers = LayerHistory::of(self.layers.clone());
        let (prepared, device) = (&self.ready.prepared, &self.ready.tensor_device);
        quick_diagnosis(prepared, device, Some(&network), &curves, &layers, None)
    }

    /// The experiment that trains from its start to the present weights. It has as many epochs as are done, unless an
    /// epoch is under way or the learning rates depend on the number of epochs.
    pub fn config_of_now(&self) -> ExperimentConfig {
        let mut config = self.prepared().config.clone();
        let Position {
            epoch,
            step_in_epoch,
        } = self.position();
        let depends = config.scheduler.depends_on_num_epochs();
        if epoch > 0 && step_in_epoch == 0 && !depends {
            config.training.num_epochs = epoch;
        }
        config
    }

    /// Saves the training as a run of its experiment in the folder `artifacts`. If all its epochs are done the run is
    /// finished, else it can be resumed. `changed` are the keys that were changed on the way, for
    /// [`Environment::changed`].
    ///
    /// # Errors
    /// As for [`Trial::begin`] and [`Trial::train`].
    pub fn save(
        &mut self,
        artifacts: &Path,
        name: Option<&str>,
        changed: Vec<String>,
    ) -> Result<Run, ExperimentError> {
        let config = self.config_of_now();
        let execution = Execution::quiet(self.resources.clone(), StopFlag::default());
        let (mut trial, _) = Trial::begin(config, artifacts, name, execution)?;
        let run = trial.run.clone();
        if !changed.is_empty() {
            let environment: Environment = run.read_json(ENVIRONMENT)?;
            run.write_json(
                ENVIRONMENT,
                &Environment {
                    changed,
                    ..environment
                },
            )?;
        }
        let metrics = self.metrics.clone().into_bytes();
        let mut checkpoint = self.training.checkpoint(vec![(METRICS, metrics)])?;
        checkpoint.identity = trial.ready.identity.clone();
        if checkpoint.position.epoch == trial.config().training.num_epochs {
            trial.checkpoint = Some(checkpoint);
            trial.train()?;
            return Ok(run);
        }
        if self.step() > 0 {
            let files: Vec<(&str, &[u8])> = checkpoint.files().collect();
            let store = trial.ready.store(&run);
            store.save(&checkpoint.identity, checkpoint.position, &files)?;
            run.write(METRICS, self.metrics.as_bytes())?;
        }
        Ok(run)
    }
}

/// Whether a training can go on with its weights and the state of its optimiser when its settings change.
fn keeps_network(before: &ExperimentConfig, after: &ExperimentConfig) -> bool {
    before.model == after.model
        && before.seed == after.seed
        && before.dataset.name() == after.dataset.name()
        && before.features == after.features
        && before.optimizer.rule.name() == after.optimizer.rule.name()
        && before.training.precision == after.training.precision
        && before.training.average == after.training.average
}

/// The experiment of one training that does not record its layers.
fn without_records(config: ExperimentConfig) -> ExperimentConfig {
    ExperimentConfig {
        inspect: None,
        ..config.without_comparison()
    }
}
