//! The predictions of a network over a plane of its inputs.

mod plane;

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_datasets::{DerivedFeatures, Standardizer, network_inputs};
use emberlab_metrics::MOST_CLASSES;
use emberlab_models::Network;
use emberlab_run_format::{Axis, Boundary};
use emberlab_training::{LossConfig, Task, TrainingError, cells, host};

/// A network with everything that its predictions depend on.
#[derive(Debug, Clone, Copy)]
pub struct Classifier<'a> {
    /// The network, on a plain device.
    pub network: &'a Network,
    /// Its loss, which determines the meaning of its outputs.
    pub loss: &'a LossConfig,
    /// The task: classes or numbers.
    pub task: &'a Task,
    /// How its features are computed from the columns of the data; `None` if they are the columns.
    pub derived: Option<&'a DerivedFeatures>,
    /// How its features are scaled.
    pub standardizer: &'a Standardizer,
    /// The device of the network.
    pub device: &'a Device,
    /// The floats it computes with.
    pub dtype: DType,
}

/// Rows that are predicted at once, which bounds the memory.
const CHUNK_SIZE: usize = 1024;

impl Classifier<'_> {
    /// The raw outputs for rows of columns as they are in the data.
    ///
    /// # Shapes
    /// - rows: `[num_rows × num_columns]`, row by row
    /// - result: `[num_rows × d_output]`, row by row
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub fn outputs(&self, rows: &[f64], num_columns: usize) -> Result<Vec<f64>, TrainingError> {
        let mut outputs = Vec::new();
        for rows in rows.chunks(CHUNK_SIZE * num_columns) {
            let inputs = network_inputs(rows, num_columns, self.derived, self.standardizer);
            let num_rows = rows.len() / num_columns;
            let shape = [num_rows, inputs.len() / num_rows];
            let data = TensorData::new(inputs, shape);
            let inputs = Tensor::<2>::from_data(data, (self.device, self.dtype));
            outputs.extend(host(self.network.forward(inputs))?);
        }
        Ok(outputs)
    }
}

/// A plane through the space of the columns of the data: `origin + x · right + y · up`, columns not standardised.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// The point where both coordinates are zero, `[num_columns]`.
    pub origin: Vec<f64>,
    /// The direction of the first axis, `[num_columns]`.
    pub right: Vec<f64>,
    /// The direction of the second axis, `[num_columns]`.
    pub up: Vec<f64>,
    /// Name and range of the first axis.
    pub x: Axis,
    /// Name and range of the second axis.
    pub y: Axis,
    /// How the plane was chosen; empty if the data have two columns only.
    pub note: String,
}

impl Plane {
    /// The plane of two inputs, wide enough for `points` and a margin of an eighth on each side.
    pub fn of_two_features(names: [&str; 2], points: &[[f64; 2]]) -> Self {
        let axis = |name: &str, i: usize| range(name, points.iter().map(|point| point[i]));
        Self {
            origin: vec![0.0, 0.0],
            right: vec![1.0, 0.0],
            up: vec![0.0, 1.0],
            x: axis(names[0], 0),
            y: axis(names[1], 1),
            note: String::new(),
        }
    }

    /// `size` × `size` points of the plane, row by row from the lower left.
    ///
    /// # Shapes
    /// - result: `[size × size × num_columns]`
    pub fn grid(&self, size: usize) -> Vec<f64> {
        let at = |axis: &Axis, i: usize| {
            let share = i as f64 / (size.max(2) - 1) as f64;
            axis.from + (axis.to - axis.from) * share
        };
        let grid = (0..size).flat_map(|row| (0..size).map(move |column| (row, column)));
        grid.flat_map(|(row, column)| self.inputs(at(&self.x, column), at(&self.y, row)))
            .collect()
    }

    /// The inputs at a point of the plane, not standardised: `[num_features]`.
    pub fn inputs(&self, x: f64, y: f64) -> impl Iterator<Item = f64> + '_ {
        let steps = self.right.iter().zip(&self.up);
        let moved = self.origin.iter().zip(steps);
        moved.map(move |(origin, (right, up))| origin + x * right + y * up)
    }
}

/// An axis wide enough for `values` and a margin of an eighth on each side.
pub(crate) fn range(name: &str, values: impl Iterator<Item = f64>) -> Axis {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
    let margin = if high > low { (high - low) / 8.0 } else { 1.0 };
    Axis {
        name: name.to_string(),
        from: low - margin,
        to: high + margin,
    }
}

/// The predictions of a classifier on `size` × `size` points of a plane, together with samples to show; none if a
/// prediction is NaN, or for more than [`MOST_CLASSES`] classes.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails or the task is a regression.
pub fn boundary(
    classifier: &Classifier<'_>,
    plane: &Plane,
    size: usize,
    points: Vec<[f64; 2]>,
    classes: Vec<u32>,
) -> Result<Option<Boundary>, TrainingError> {
    let num_classes = classifier.task.num_classes();
    if num_classes.is_some_and(|n| n > MOST_CLASSES) {
        return Ok(None);
    }
    let outputs = classifier.outputs(&plane.grid(size), plane.origin.len())?;
    let d_output = outputs.len() / (size * size);
    let Some(cells) = cells(classifier.task, classifier.loss, &outputs, d_output)? else {
        return Ok(None);
    };
    Ok(Some(Boundary {
        x: plane.x.clone(),
        y: plane.y.clone(),
        columns: size,
        rows: size,
        cells,
        points,
        classes,
        note: plane.note.clone(),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use emberlab_run_format::Cells;

    use super::*;
    use emberlab_models::{ModelConfig, PerceptronConfig};
    use emberlab_rng::stream;
    use emberlab_training::loss::BceWithLogits;

    /// A perceptron whose logit is `x1 − 2 x2`.
    fn perceptron(device: &Device) -> Network {
        let config = ModelConfig::Perceptron(PerceptronConfig::default());
        let mut rng = stream(0, "init", &[]);
        let network = config.init(&[2], 1, &mut rng, device, DType::F32).unwrap();
        let weight = TensorData::new(vec![1.0f32, -2.0], [2, 1]);
        let bias = TensorData::new(vec![0.0f32], [1]);
        let tensors = vec![
            ("layers.0.weight".to_string(), weight),
            ("layers.0.bias".to_string(), bias),
        ];
        network.load_named_tensors(tensors).unwrap()
    }

    #[test]
    fn the_grid_holds_the_networks_probabilities_from_the_lower_left() {
        let device = Device::flex();
        let standardizer = Standardizer {
            mean: vec![1.0, 0.0],
            std: vec![2.0, 1.0],
        };
        let classifier = Classifier {
            network: &perceptron(&device),
            loss: &LossConfig::mean(BceWithLogits::default()),
            task: &Task::Binary { on_logits: true },
            derived: None,
            standardizer: &standardizer,
            device: &device,
            dtype: DType::F32,
        };
        let plane = Plane::of_two_features(["a", "b"], &[[-1.0, 0.0], [3.0, 4.0]]);
        assert_eq!((plane.x.from, plane.x.to), (-1.5, 3.5));
        let found = boundary(&classifier, &plane, 11, Vec::new(), Vec::new());
        let found = found.unwrap().unwrap();
        let Cells::Binary { probabilities } = &found.cells else {
            panic!("two classes")
        };
        let shares: Vec<f64> = probabilities.shares().collect();
        for (row, column) in [(0, 0), (0, 10), (10, 0), (3, 7)] {
            let (x1, x2) = (-1.5 + 0.5 * column as f64, -0.5 + 0.5 * row as f64);
            let logit = (x1 - 1.0) / 2.0 - 2.0 * x2;
            let expected = 1.0 / (1.0 + (-logit).exp());
            let share = shares[row * 11 + column];
            assert!((share - expected).abs() < 2.5e-3, "{share} for {expected}");
        }
    }
}
