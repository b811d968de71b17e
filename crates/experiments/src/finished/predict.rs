//! Predicts new inputs with the network of a finished run.

use std::path::Path;

use burn::tensor::Device;
use emberlab_analysis::Classifier;
use emberlab_datasets::{Color, DatasetError, Standardizer, network_inputs};
use emberlab_metrics::NO_PREDICTION;
use emberlab_models::Network;
use emberlab_rng::stream;
use emberlab_run_format::files::{CONFIG, MODEL};
use emberlab_run_format::{ModelFile, ThresholdInUse, Weights};
use emberlab_storage::sha256;
use emberlab_tables::{Encoder, HeaderLine, NewRows, TableConfig, TableError};
use emberlab_training::{Task, TrainingError, device, labels, load_network};
use serde::Serialize;

use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::run::Run;
use crate::trial::{encoder, standardizer, task};

/// A trained network with everything that predictions need. The training data are not needed.
pub struct Predictor {
    /// The experiment.
    pub config: ExperimentConfig,
    /// The meaning of its inputs and outputs.
    pub model: ModelFile,
    /// For two classes: the threshold of the predictions.
    pub threshold: ThresholdInUse,
    /// How the columns of a table become its inputs.
    encoder: Encoder,
    task: Task,
    standardizer: Standardizer,
    network: Network,
    device: Device,
}

/// The prediction for one input.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Prediction {
    /// A class.
    Class {
        /// The name of the class; `None` if the network outputs NaN.
        class: Option<String>,
        /// The probability of each class, in the order of the labels.
        probabilities: Vec<f64>,
    },
    /// Numbers, in the units of the targets.
    Values {
        /// One number for each target.
        values: Vec<f64>,
    },
}

/// The images that a network takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageInput {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// One channel or three.
    pub color: Color,
    /// The value of a white pixel in the data.
    pub white: f32,
    /// Whether the network was trained on light shapes on a dark background.
    pub is_light_on_dark: bool,
}

impl Predictor {
    /// Loads a finished run.
    ///
    /// # Errors
    /// [`ExperimentError`] if the run has not finished, or a file of it cannot be read or was changed.
    pub fn load(run: &Run, weights: Weights, device_name: &str) -> Result<Self, ExperimentError> {
        let bytes = run.network(weights)?;
        run.check_unchanged(&[CONFIG, MODEL])?;
        let config = run.config()?;
        let model: ModelFile = run.read_json(MODEL)?;
        let device = device::open(device_name).map_err(TrainingError::from)?;
        // Every weight is replaced below, so the seed does not matter.
        let network = config.model.init(
            &model.input_shape,
            model.d_output,
            &mut stream(0, "init", &[]),
            &device,
            config.training.precision.dtype(),
        )?;
        let network = load_network(network, &bytes);
        let network = network.map_err(|e| run.malformed(weights.file(), e))?;
        Ok(Self {
            network: burn::module::Module::valid(&network),
            threshold: run.threshold_in_use(weights, &sha256(&bytes)),
            task: task(&model),
            standardizer: standardizer(&model),
            encoder: encoder(&model),
            config,
            model,
            device,
        })
    }

    /// The inputs in a table: a file, or the standard input if `path` is `-`. It is read as the training data were, and
    /// columns are found by their names; see [`Encoder::read`].
    ///
    /// # Errors
    /// [`ExperimentError::Dataset`] with the line if a column is missing or a cell cannot be used, also if it is too large a
    /// number for the network.
    pub fn read_table(&self, path: &Path, header: HeaderLine) -> Result<NewRows, ExperimentError> {
        let default = || TableConfig::new(path, "");
        let config = self.config.dataset.table().cloned();
        let config = config.unwrap_or_else(default);
        let rows = match path == Path::new("-") {
            true => {
                let (name, stream) = (Path::new("standard input"), Box::new(std::io::stdin()));
                self.encoder.read_stream(&config, name, stream, header)
            }
            false => self.encoder.read(&config, path, header),
        };
        let rows = rows.map_err(DatasetError::from)?;
        self.check_sizes(path, &rows).map_err(DatasetError::from)?;
        Ok(rows)
    }

    /// Checks that all inputs are finite 32-bit numbers, as the network takes them.
    fn check_sizes(&self, path: &Path, rows: &NewRows) -> Result<(), TableError> {
        let derived = self.model.derived_features.as_ref();
        let num_columns = self.num_columns();
        let inputs = network_inputs(&rows.features, num_columns, derived, &self.standardizer);
        let Some(place) = inputs.iter().position(|input| !input.is_finite()) else {
            return Ok(());
        };
        let width = inputs.len() / rows.lines.len();
        let (row, feature) = (place / width, place % width);
        let of_row = &rows.features[row * num_columns..][..num_columns];
        let (column, value) = match derived {
            Some(derived) => (
                derived.names().nth(feature).unwrap_or_default().to_owned(),
                derived.compute(of_row)[feature],
            ),
            None => (
                self.encoder.features().swap_remove(feature).name,
                of_row[feature],
            ),
        };
        Err(TableError::Cell {
            path: path.to_owned(),
            line: rows.lines[row],
            column,
            value: format!("{value:?}"),
            expected: match value.is_finite() {
                true => "a number nearer to those of the training, as 32-bit floats end at 3.4e38",
                false => "a finite number",
            }
            .to_owned(),
        })
    }

    /// The number of columns of a row to predict.
    fn num_columns(&self) -> usize {
        match &self.model.derived_features {
            Some(derived) => derived.columns().len(),
            None => self.model.input_shape.iter().product(),
        }
    }

    /// Predicts rows of columns as they are in the data, `[num_rows × num_columns]`.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the device fails.
    pub fn predict(&self, inputs: &[f64]) -> Result<Vec<Prediction>, ExperimentError> {
        let num_columns = self.num_columns();
        let classifier = Classifier {
            network: &self.network,
            loss: &self.config.loss,
            task: &self.task,
            derived: self.model.derived_features.as_ref(),
            standardizer: &self.standardizer,
            device: &self.device,
            dtype: self.config.training.precision.dtype(),
        };
        let outputs = classifier.outputs(inputs, num_columns)?;
        let task = &self.task;
        let d_output = self.model.d_output;
        if let Task::Regression { .. } = task {
            let values = task.in_units_of_the_data(outputs);
            let of_row = |row: &[f64]| Prediction::Values {
                values: row.to_vec(),
            };
            return Ok(values.chunks(d_output).map(of_row).collect());
        }
        let probabilities = task.probabilities(&self.config.loss, &outputs, d_output)?;
        let classes = match task {
            Task::Binary { .. } => {
                emberlab_metrics::thresholded(&probabilities, self.threshold.value)
            }
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

    /// The images that the network takes.
    ///
    /// # Errors
    /// [`ExperimentError::NotImages`] if it takes no images.
    pub fn image_input(&self) -> Result<ImageInput, ExperimentError> {
        let shape = self.model.input_shape.as_slice();
        let input = || {
            let &[num_channels, height, width] = shape else {
                return None;
            };
            let dataset = &self.config.dataset;
            Some(ImageInput {
                width,
                height,
                color: Color::of_channels(num_channels)?,
                white: f32::from(dataset.white()?),
                is_light_on_dark: dataset.is_light_on_dark(),
            })
        };
        input().ok_or_else(|| ExperimentError::NotImages {
            num_features: shape.iter().product(),
        })
    }
}
