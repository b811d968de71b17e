//! A trained network put to use: rows and images in, classes and probabilities out.

use std::path::Path;

use burn::tensor::Device;
use emberlab_analysis::Classifier;
use emberlab_datasets::Standardizer;
use emberlab_metrics::NO_PREDICTION;
use emberlab_models::Network;
use emberlab_rng::stream;
use emberlab_run_format::files::{MODEL, THRESHOLD};
use emberlab_run_format::{ChosenThreshold, ModelFile};
use emberlab_training::{Task, TrainingError, device, labels, load_network};
use serde::Serialize;

use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::finished::Weights;
use crate::run::Run;
use crate::trial::{load_config, standardizer, task};

/// A trained network with all that it needs to predict; its training data are not among that.
pub struct Predictor {
    /// The experiment.
    pub config: ExperimentConfig,
    /// What the inputs and outputs mean.
    pub model: ModelFile,
    /// Two classes: a probability above it is class 1.
    pub threshold: f64,
    task: Task,
    standardizer: Standardizer,
    network: Network,
    device: Device,
}

/// What is predicted for one input.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Prediction {
    /// A class.
    Class {
        /// Its name; none where the network puts out no numbers.
        class: Option<String>,
        /// Of every class, in the order of their labels.
        probabilities: Vec<f64>,
    },
    /// A number, in the units of the targets.
    Value {
        /// The number.
        value: f64,
    },
}

impl Predictor {
    /// Loads a finished run.
    ///
    /// # Errors
    /// [`ExperimentError`] if the run has no model yet or a file of it cannot be read.
    pub fn load(run: &Run, weights: Weights, device_name: &str) -> Result<Self, ExperimentError> {
        run.check_finished()?;
        let file = weights.file();
        let bytes = run.read(file)?;
        let config = load_config(run)?;
        let model: ModelFile = run.read_json(MODEL)?;
        let device = device::open(device_name).map_err(TrainingError::from)?;
        // Every weight is replaced: the seed does not matter.
        let network = config.model.init(
            &model.input_shape,
            model.d_output,
            &mut stream(0, "init", &[]),
            &device,
            config.training.precision.dtype(),
        )?;
        let network = load_network(network, &bytes).map_err(|e| run.malformed(file, e))?;
        Ok(Self {
            network: burn::module::Module::valid(&network),
            threshold: stored_threshold(run)?.map_or(0.5, |t| t.threshold()),
            task: task(&model),
            standardizer: standardizer(&model),
            config,
            model,
            device,
        })
    }

    /// Predicts rows of raw inputs, `[num_rows × num_features]`.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the device fails.
    pub fn predict(&self, inputs: &[f32]) -> Result<Vec<Prediction>, ExperimentError> {
        let num_features = self.model.input_shape.iter().product();
        let classifier = Classifier {
            network: &self.network,
            loss: &self.config.loss,
            task: &self.task,
            standardizer: &self.standardizer,
            device: &self.device,
            dtype: self.config.training.precision.dtype(),
        };
        let outputs = classifier.outputs(inputs, num_features)?;
        let task = &self.task;
        if let Task::Regression = task {
            let value = |value| Prediction::Value { value };
            return Ok(outputs.into_iter().map(value).collect());
        }
        let d_output = self.model.d_output;
        let probabilities = task.probabilities(&self.config.loss, &outputs, d_output)?;
        let classes = match task {
            Task::Binary { .. } => emberlab_metrics::thresholded(&probabilities, self.threshold),
            _ => labels(task, &outputs, d_output)?,
        };
        let predictions = classes.iter().zip(probabilities.chunks(d_output));
        Ok(predictions
            .map(|(&class, row)| Prediction::Class {
                class: (class != NO_PREDICTION).then(|| self.class_name(class)),
                probabilities: match (task, row) {
                    (Task::Binary { .. }, [p]) => vec![1.0 - p, *p],
                    // A network may have more outputs than there are classes.
                    _ => row[..self.model.class_names.len().min(row.len())].to_vec(),
                },
            })
            .collect())
    }

    fn class_name(&self, class: u32) -> String {
        let name = self.model.class_names.get(class as usize);
        name.cloned().unwrap_or_else(|| class.to_string())
    }

    /// Width and height of the images that the network takes, and the value of a white pixel in its data.
    ///
    /// # Errors
    /// [`ExperimentError::NotImages`] if it takes no images.
    pub fn image_size(&self) -> Result<(usize, usize, f32), ExperimentError> {
        let white = self.config.dataset.white();
        match (self.model.input_shape.as_slice(), white) {
            (&[1, height, width], Some(white)) => Ok((width, height, f32::from(white))),
            _ => Err(ExperimentError::NotImages {
                num_features: self.model.input_shape.iter().product(),
            }),
        }
    }
}

/// The threshold that was chosen for a run, if one was.
///
/// # Errors
/// [`ExperimentError::Malformed`] if its file is none.
pub fn stored_threshold(run: &Run) -> Result<Option<ChosenThreshold>, ExperimentError> {
    match Path::new(run.path()).join(THRESHOLD).is_file() {
        true => run.read_json(THRESHOLD).map(Some),
        false => Ok(None),
    }
}
