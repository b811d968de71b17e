//! Points with their classes.

use emberlab_rng::StreamRng;

use crate::random;
use crate::samples::{Features, Samples, Targets, numbered_features};

/// Points with their classes, while a generator works on them.
#[derive(Debug, Default)]
pub(crate) struct LabelledPoints {
    /// `[num_samples, num_features]`.
    pub(crate) points: Vec<f64>,
    /// The class of each point.
    pub(crate) labels: Vec<u32>,
}

impl LabelledPoints {
    /// Adds a point of class `label`.
    pub(crate) fn push(&mut self, point: impl IntoIterator<Item = f64>, label: usize) {
        self.points.extend(point);
        self.labels.push(label as u32);
    }

    fn num_features(&self) -> usize {
        self.points.len() / self.labels.len()
    }

    /// Puts the rows in random order.
    pub(crate) fn shuffle(&mut self, rng: &mut StreamRng) {
        let width = self.num_features();
        let order = random::permutation(self.labels.len(), rng);
        let rows = order.iter().map(|&row| row as usize);
        self.labels = rows.clone().map(|row| self.labels[row]).collect();
        self.points = rows
            .flat_map(|row| &self.points[row * width..(row + 1) * width])
            .copied()
            .collect();
    }

    /// Adds normal noise of standard deviation `std` to every coordinate.
    pub(crate) fn add_noise(&mut self, std: f64, rng: &mut StreamRng) {
        for coordinate in &mut self.points {
            *coordinate += std * random::normal(rng);
        }
    }

    /// The samples, with features named `x1`, `x2`, ….
    pub(crate) fn into_samples(self, class_names: Vec<String>) -> Samples {
        let num_features = self.num_features();
        Samples::of_features(
            Features::Floats(self.points.iter().map(|&x| x as f32).collect()),
            Targets::Classes {
                labels: self.labels,
                names: class_names,
            },
            numbered_features(num_features),
        )
    }
}
