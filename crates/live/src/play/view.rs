//! The plane of the data that is drawn: its axes, the rows on it, and its points as inputs of the network.

use std::sync::OnceLock;

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_analysis::Plane;
use emberlab_datasets::{Samples, Targets};
use emberlab_experiments::{Prepared, StepwiseTrial, evenly};
use emberlab_models::Mode;
use emberlab_models::Network;
use emberlab_run_format::Packed;
use emberlab_training::inspection::layer_outputs;
use emberlab_training::{LossConfig, Split, Task, TrainingError, host};

use crate::message::{Axis, Envelope, LayerShape, Scene, ServerMessage, UnitMaps};

/// The most rows that are drawn.
const MOST_POINTS: usize = 2000;
/// The most rows that principal components are computed from.
const MOST_ROWS_OF_COMPONENTS: usize = 500;
/// The most inputs that have maps.
const MOST_INPUT_MAPS: usize = 64;
/// Points in a row of the prediction.
pub(super) const FIELD_SIDE: usize = 100;
/// Points in a row of the map of a unit.
pub(super) const MAP_SIDE: usize = 40;

/// The plane of the data, and how its points become inputs.
pub(super) struct View {
    pub(super) scene: u64,
    pub(super) plane: Plane,
    prepared: Prepared,
    device: Device,
    /// The points of the prediction and of the maps, which every picture needs.
    grids: [OnceLock<Tensor<2>>; 2],
}

impl View {
    /// The plane of two columns, all others at their mean; of the two principal components if there are more than two
    /// columns and none are given.
    pub(super) fn new(scene: u64, trial: &StepwiseTrial, columns: Option<[usize; 2]>) -> Self {
        let prepared = trial.prepared().clone();
        let samples = &prepared.columns;
        let num_columns = samples.num_features();
        let rows: Vec<Vec<f64>> = evenly(samples.len(), MOST_POINTS)
            .map(|i| samples.row(i))
            .collect();
        let chosen = columns.filter(|chosen| chosen.iter().all(|column| *column < num_columns));
        let chosen = chosen.or((num_columns == 2).then_some([0, 1]));
        let plane = match chosen {
            Some(chosen) => Plane::of_chosen_features(&rows, &samples.feature_names, chosen),
            None if num_columns < 2 => plane_of_one_column(&rows, samples),
            None => {
                let few = evenly(rows.len(), MOST_ROWS_OF_COMPONENTS);
                let few: Vec<Vec<f64>> = few.map(|i| rows[i].clone()).collect();
                Plane::of_principal_components(&few)
            }
        };
        Self {
            scene,
            plane,
            device: trial.tensor_device().clone(),
            prepared,
            grids: Default::default(),
        }
    }

    pub(super) fn task(&self) -> &Task {
        &self.prepared.task
    }

    pub(super) fn loss(&self) -> &LossConfig {
        &self.prepared.config.loss
    }

    pub(super) fn num_outputs(&self) -> usize {
        self.prepared.d_output
    }

    pub(super) fn class_names(&self) -> Vec<String> {
        self.prepared.class_names()
    }

    fn dtype(&self) -> DType {
        self.prepared.config.training.precision.dtype()
    }

    /// The inputs of the network for rows of the data: `[num_rows, num_inputs]`.
    pub(super) fn inputs(&self, rows: &[f64]) -> Tensor<2> {
        let values = self.prepared.inputs_of(rows);
        let num_rows = rows.len() / self.plane.origin.len().max(1);
        let shape = [num_rows, self.prepared.samples.num_features()];
        Tensor::from_data(TensorData::new(values, shape), (&self.device, self.dtype()))
    }

    /// An input of the network as it is in the data.
    pub(super) fn raw(&self, standardized: f64, input: usize) -> f64 {
        self.prepared.standardizer.raw(standardized, input)
    }

    /// The inputs of the network for `side` × `side` points, the lowest row first.
    pub(super) fn grid(&self, side: usize) -> Tensor<2> {
        let points = || self.inputs(&self.plane.grid(side));
        let [field, maps] = &self.grids;
        match side {
            FIELD_SIDE => field.get_or_init(points).clone(),
            MAP_SIDE => maps.get_or_init(points).clone(),
            _ => points(),
        }
    }

    /// The names of the network's inputs.
    pub(super) fn input_names(&self) -> Vec<String> {
        names(&self.prepared.samples)
    }

    /// The maps of the inputs.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(super) fn input_maps(&self, envelope: &mut Envelope) -> Result<UnitMaps, TrainingError> {
        let inputs = self.grid(MAP_SIDE);
        let units = inputs.dims()[1];
        let values = host(inputs)?;
        Ok(unit_maps(
            "inputs",
            &values,
            units,
            MAP_SIDE,
            MOST_INPUT_MAPS,
            envelope,
        ))
    }

    /// The message about the data and the network.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(super) fn message(
        &self,
        trial: &StepwiseTrial,
        network: &Network,
        columns: Option<[usize; 2]>,
    ) -> Result<(ServerMessage, Envelope), TrainingError> {
        let (prepared, plane) = (&self.prepared, &self.plane);
        let samples = &prepared.columns;
        let shown: Vec<usize> = evenly(samples.len(), MOST_POINTS).collect();
        let mut splits = vec![0_u8; samples.len()];
        for (number, split) in [Split::Train, Split::Valid, Split::Test]
            .into_iter()
            .enumerate()
        {
            for &row in prepared.rows(split) {
                splits[row as usize] = number as u8;
            }
        }
        let target = |row: usize| match (samples.labels(), &samples.targets) {
            (Some(labels), _) => labels[row] as f32,
            (None, Targets::Values { values, names }) => values
                .get(row * names.len())
                .map_or(f32::NAN, |value| *value as f32),
            (None, Targets::Classes { .. }) => f32::NAN,
        };
        let mut envelope = Envelope::default();
        let points = shown.iter().flat_map(|&i| match plane.origin.len() {
            // The second coordinate is the target.
            1 => [samples.row(i)[0], f64::from(target(i))],
            _ => plane.nearest(&samples.row(i)),
        });
        let points = envelope.floats(points.map(|x| x as f32));
        let values: Vec<f32> = shown.iter().map(|&i| target(i)).collect();
        let targets = match samples.labels() {
            Some(_) => None,
            None => Some(range((0..samples.len()).map(|i| f64::from(target(i))))),
        };
        let values = envelope.floats(values);
        let splits: Vec<u8> = shown.iter().map(|&i| splits[i]).collect();
        let splits = envelope.bytes(&splits);
        let axis = |axis: &emberlab_run_format::Axis| Axis {
            name: axis.name.clone(),
            from: axis.from,
            to: axis.to,
        };
        let scene = Scene {
            scene: self.scene,
            dataset: prepared.config.dataset.name().to_string(),
            columns: names(&prepared.columns),
            inputs: self.input_names(),
            classes: prepared.class_names(),
            targets,
            num_rows: [Split::Train, Split::Valid, Split::Test].map(|s| prepared.rows(s).len()),
            x: axis(&plane.x),
            y: axis(&plane.y),
            note: plane.note.clone(),
            plane_columns: columns.or((plane.origin.len() == 2).then_some([0, 1])),
            points,
            values,
            splits,
            layers: self.layers(network),
            num_parameters: network.num_parameters(),
            trained_by: trial.trained_by().to_string(),
            steps_per_epoch: trial.steps_per_epoch(),
            notes: trial.warnings(),
        };
        Ok((ServerMessage::Scene(Box::new(scene)), envelope))
    }

    /// The layers with weights.
    fn layers(&self, network: &Network) -> Vec<LayerShape> {
        let row = self.inputs(&self.plane.origin);
        let outputs = layer_outputs(network.stages(row, Mode::Evaluation));
        let model = serde_json::to_value(&self.prepared.config.model).unwrap_or_default();
        let normalization = |layer: usize| {
            let one = match &model["normalization"] {
                serde_json::Value::Array(many) => {
                    many.get(layer).unwrap_or(&serde_json::Value::Null)
                }
                one => one,
            };
            let name = one.as_str().or_else(|| one["name"].as_str());
            name.unwrap_or("none").to_string()
        };
        let dropout = |layer: usize| match &model["dropout"] {
            serde_json::Value::Array(rates) => rates.get(layer).and_then(|r| r.as_f64()),
            rate => rate.as_f64(),
        };
        let last = outputs.len().saturating_sub(1);
        let mut inputs = self.prepared.samples.num_features();
        let mut shapes = Vec::new();
        for (i, (layer, activation, outputs)) in outputs.into_iter().enumerate() {
            let units = outputs.dims()[1];
            let is_hidden = i < last;
            shapes.push(LayerShape {
                layer,
                inputs,
                units,
                activation: activation.name().to_string(),
                normalization: match is_hidden {
                    true => normalization(i),
                    false => "none".to_string(),
                },
                dropout: dropout(i).filter(|_| is_hidden).unwrap_or(0.0),
            });
            inputs = units;
        }
        shapes
    }
}

/// Maps of the first `most` columns of a table with `units` columns.
pub(super) fn unit_maps(
    layer: &str,
    values: &[f64],
    units: usize,
    side: usize,
    most: usize,
    envelope: &mut Envelope,
) -> UnitMaps {
    let shown = units.min(most);
    let mut scales = vec![0.0_f64; shown];
    for row in values.chunks(units) {
        for (scale, value) in scales.iter_mut().zip(row) {
            *scale = scale.max(value.abs()); // ignores NaN
        }
    }
    let mut bytes = Vec::with_capacity(shown * side * side);
    for (unit, scale) in scales.iter().enumerate() {
        let column = values.iter().skip(unit).step_by(units);
        bytes.extend(Packed::from_values(column.copied(), *scale).0);
    }
    UnitMaps {
        layer: layer.to_string(),
        units: shown,
        side,
        scales,
        values: envelope.bytes(&bytes),
    }
}

/// The plane of one column and the target: every row of its points has the same inputs.
fn plane_of_one_column(rows: &[Vec<f64>], samples: &Samples) -> Plane {
    let plane = Plane::of_chosen_features(rows, &samples.feature_names, [0, 0]);
    let y = match &samples.targets {
        Targets::Values { values, names } => {
            let [low, high] = range(values.iter().copied());
            let margin = if high > low { (high - low) / 8.0 } else { 1.0 };
            Axis {
                name: names.first().cloned().unwrap_or_default(),
                from: low - margin,
                to: high + margin,
            }
        }
        Targets::Classes { .. } => Axis {
            name: String::new(),
            from: -1.0,
            to: 1.0,
        },
    };
    Plane {
        up: vec![0.0],
        y: emberlab_run_format::Axis {
            name: y.name,
            from: y.from,
            to: y.to,
        },
        ..plane
    }
}

/// The names of the features of samples; those of pixels are numbers.
fn names(samples: &Samples) -> Vec<String> {
    match samples.feature_names.is_empty() {
        true => (1..=samples.num_features())
            .map(|i| format!("pixel {i}"))
            .collect(),
        false => samples.feature_names.clone(),
    }
}

fn range(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let widest = [f64::INFINITY, f64::NEG_INFINITY];
    let [low, high] = values.fold(widest, |[low, high], v| [low.min(v), high.max(v)]);
    if low <= high { [low, high] } else { [0.0, 0.0] }
}
