//! A summary of samples: shape, classes, ranges and moments.

use serde::Serialize;

use crate::samples::{Features, Samples, Targets};

/// The shape of samples and the statistics of their features, which are not standardised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Number of samples.
    pub rows: usize,
    /// Shape of one sample.
    pub input_shape: Vec<usize>,
    /// The number of samples of each class, in the order of the classes; empty for regression.
    pub classes: Vec<ClassCount>,
    /// The statistics of each feature; for images one entry for all pixels together.
    pub features: Vec<FeatureSummary>,
    /// The statistics of each target of a regression.
    pub targets: Vec<FeatureSummary>,
}

/// The number of samples of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// Name of the class.
    pub name: String,
    /// Number of samples.
    pub count: usize,
}

/// Range, mean and standard deviation of one feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureSummary {
    /// Name of the feature.
    pub name: String,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Population standard deviation.
    pub std: f64,
}

impl FeatureSummary {
    fn of(name: &str, values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count().max(1) as f64;
        let mean = values.clone().sum::<f64>() / count;
        let squares: f64 = values.clone().map(|x| (x - mean).powi(2)).sum();
        Self {
            name: name.to_owned(),
            min: values.clone().fold(f64::INFINITY, f64::min),
            max: values.fold(f64::NEG_INFINITY, f64::max),
            mean,
            std: (squares / count).sqrt(),
        }
    }
}

impl Samples {
    /// The summary of these samples.
    pub fn summary(&self) -> Summary {
        let (classes, targets) = match &self.targets {
            Targets::Classes { labels, names } => (count_classes(labels, names), Vec::new()),
            Targets::Values { values, names } => (Vec::new(), columns(values, names)),
        };
        Summary {
            rows: self.len(),
            input_shape: self.input_shape.clone(),
            classes,
            features: match &self.features {
                Features::Bytes(pixels) => self.summarize(pixels),
                Features::Floats(values) => self.summarize(values),
                Features::Doubles(values) => self.summarize(values),
            },
            targets,
        }
    }

    fn summarize<T: Copy + Into<f64>>(&self, values: &[T]) -> Vec<FeatureSummary> {
        if self.feature_names.is_empty() {
            return vec![FeatureSummary::of(
                "pixels",
                values.iter().map(|&x| x.into()),
            )];
        }
        columns(values, &self.feature_names)
    }
}

/// The statistics of each of the named columns of `values`, which are stored row by row.
fn columns<T: Copy + Into<f64>>(values: &[T], names: &[String]) -> Vec<FeatureSummary> {
    let named = names.iter().enumerate();
    named
        .map(|(j, name)| {
            let column = values.iter().skip(j).step_by(names.len());
            FeatureSummary::of(name, column.map(|&x| x.into()))
        })
        .collect()
}

fn count_classes(labels: &[u32], names: &[String]) -> Vec<ClassCount> {
    let mut counts = vec![0; names.len()];
    for &label in labels {
        counts[label as usize] += 1;
    }
    let named = names.iter().zip(counts);
    named
        .map(|(name, count)| ClassCount {
            name: name.clone(),
            count,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn features_are_measured_column_by_column() {
        let iris = crate::sources::Iris::samples().summary();
        assert_eq!(iris.rows, 150);
        assert!(iris.classes.iter().all(|class| class.count == 50));
        // p = np.loadtxt(<linfa-datasets' iris.csv.gz>, delimiter=",", skiprows=1)[:, 3];
        // p.min(), p.max(), p.mean(), p.std()
        let petal = &iris.features[3];
        assert_eq!(petal.name, "petal width");
        assert!((petal.min - 0.1).abs() < 1e-6 && (petal.max - 2.5).abs() < 1e-6);
        assert!(
            (petal.mean - 1.1986666667).abs() < 1e-6 && (petal.std - 0.7606126186).abs() < 1e-6
        );
    }
}
