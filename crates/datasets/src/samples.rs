//! Samples on the host: features and targets, row by row.

use emberlab_menu::Problem;
use emberlab_tables::DerivedFeatures;
use sha2::{Digest, Sha256};

/// Samples on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// The inputs, `[num_samples, num_features]`, row by row.
    pub features: Features,
    /// The targets, one per row.
    pub targets: Targets,
    /// Shape of one sample: `[num_features]` or `[channels, height, width]`.
    pub input_shape: Vec<usize>,
    /// The name of each feature; empty for images.
    pub feature_names: Vec<String>,
    /// Whether each feature is 0 or 1 by construction, such as a one-hot column, and is therefore never standardised;
    /// empty if none is.
    pub indicators: Vec<bool>,
    /// The weight of each sample in the loss, not negative; `None` if all weigh the same.
    pub weights: Option<Vec<f64>>,
}

/// The inputs of all samples, row by row.
#[derive(Debug, Clone, PartialEq)]
pub enum Features {
    /// Pixels as bytes, which need a quarter of the memory.
    Bytes(Vec<u8>),
    /// Numbers that are drawn or stored as 32-bit floats.
    Floats(Vec<f32>),
    /// Numbers read from text.
    Doubles(Vec<f64>),
}

/// The targets of all samples: classes or numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// One class per sample.
    Classes {
        /// The class of each sample, as an index into `names`.
        labels: Vec<u32>,
        /// Names of the classes.
        names: Vec<String>,
    },
    /// One number per sample, or several.
    Values {
        /// The numbers, `[num_samples × names.len()]` row by row.
        values: Vec<f64>,
        /// The name of each number.
        names: Vec<String>,
    },
}

impl Targets {
    /// One number per sample, named `target`.
    pub fn numbers(values: impl IntoIterator<Item = f64>) -> Self {
        Self::Values {
            values: values.into_iter().collect(),
            names: vec!["target".to_owned()],
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values { values, names } => values.len() / names.len().max(1),
        }
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of classes; `None` for regression.
    pub fn num_classes(&self) -> Option<usize> {
        self.class_names().map(<[String]>::len)
    }

    /// Names of the classes; `None` for regression.
    pub fn class_names(&self) -> Option<&[String]> {
        match self {
            Self::Classes { names, .. } => Some(names),
            Self::Values { .. } => None,
        }
    }

    /// Class of each sample; `None` for regression.
    pub fn labels(&self) -> Option<&[u32]> {
        match self {
            Self::Classes { labels, .. } => Some(labels),
            Self::Values { .. } => None,
        }
    }

    /// Adds the kind (`classes` or `values`) and the little-endian bytes of the targets to a checksum.
    pub(crate) fn hash(&self, hash: &mut Sha256) {
        match self {
            Self::Classes { labels, .. } => {
                hash.update(b"classes");
                hash_words(hash, labels.iter().map(|x| x.to_le_bytes()));
            }
            Self::Values { values, .. } => {
                hash_numbers(hash, values.iter().copied(), [b"values", b"wide values"]);
            }
        }
    }
}

impl Features {
    /// Some rows, each with `width` numbers.
    pub(crate) fn rows(&self, rows: &[u32], width: usize) -> Self {
        fn of<T: Copy>(all: &[T], rows: &[u32], width: usize) -> Vec<T> {
            let rows = rows.iter().map(|&row| row as usize * width);
            rows.flat_map(|start| all[start..start + width].iter().copied())
                .collect()
        }
        match self {
            Self::Bytes(all) => Self::Bytes(of(all, rows, width)),
            Self::Floats(all) => Self::Floats(of(all, rows, width)),
            Self::Doubles(all) => Self::Doubles(of(all, rows, width)),
        }
    }

    /// Adds the kind (`bytes`, `floats` or `doubles`) and the little-endian bytes of the features to a checksum.
    pub(crate) fn hash(&self, hash: &mut Sha256) {
        match self {
            Self::Bytes(pixels) => {
                hash.update(b"bytes");
                hash.update(pixels);
            }
            Self::Floats(values) => {
                hash.update(b"floats");
                hash_words(hash, values.iter().map(|x| x.to_le_bytes()));
            }
            Self::Doubles(values) => hash_rows(hash, values.iter().copied()),
        }
    }
}

impl Samples {
    /// Samples of named features, `[num_samples × feature_names.len()]` row by row.
    pub fn of_features(features: Features, targets: Targets, feature_names: Vec<String>) -> Self {
        Self {
            features,
            targets,
            input_shape: vec![feature_names.len()],
            feature_names,
            indicators: Vec::new(),
            weights: None,
        }
    }

    /// Images, `[num_samples × channels × height × width]` pixel by pixel.
    pub fn of_images(pixels: Vec<u8>, targets: Targets, input_shape: [usize; 3]) -> Self {
        Self {
            features: Features::Bytes(pixels),
            targets,
            input_shape: input_shape.to_vec(),
            feature_names: Vec::new(),
            indicators: Vec::new(),
            weights: None,
        }
    }

    /// The same samples with features that are computed from these.
    ///
    /// # Errors
    /// [`Problem`] about `features` that has no finite value in a row.
    ///
    /// # Panics
    /// If the samples are images, or have not the columns of `derived`.
    pub fn derive(&self, derived: &DerivedFeatures) -> Result<Self, Problem> {
        assert_eq!(self.feature_names, derived.columns());
        let width = derived.num_features();
        let mut features = Vec::with_capacity(self.len() * width);
        for i in 0..self.len() {
            features.extend(derived.compute(&self.row(i)));
        }
        let names: Vec<String> = derived.names().map(str::to_owned).collect();
        if let Some(place) = features.iter().position(|value: &f64| !value.is_finite()) {
            let (row, feature) = (place / width, place % width);
            let expected = format!(
                "a finite number in each row, and not {} in row {row}",
                features[place]
            );
            let value = format!("{:?}", names[feature]);
            return Err(Problem::new(
                format!("features[{feature}]"),
                value,
                expected,
            ));
        }
        let is_indicator = |column: usize| self.indicators.get(column) == Some(&true);
        let of_columns = derived.as_columns();
        Ok(Self {
            features: Features::Doubles(features),
            targets: self.targets.clone(),
            input_shape: vec![width],
            feature_names: names,
            indicators: of_columns
                .map(|column| column.is_some_and(is_indicator))
                .collect(),
            weights: self.weights.clone(),
        })
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Number of features of one sample: the product of `input_shape`.
    pub fn num_features(&self) -> usize {
        self.input_shape.iter().product()
    }

    /// Number of classes; `None` for regression.
    pub fn num_classes(&self) -> Option<usize> {
        self.targets.num_classes()
    }

    /// Names of the classes; `None` for regression.
    pub fn class_names(&self) -> Option<&[String]> {
        self.targets.class_names()
    }

    /// Class of each sample; `None` for regression.
    pub fn labels(&self) -> Option<&[u32]> {
        self.targets.labels()
    }

    /// The features of sample `i`, not standardised: `[num_features]`.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len).
    pub fn row(&self, i: usize) -> Vec<f64> {
        let range = i * self.num_features()..(i + 1) * self.num_features();
        match &self.features {
            Features::Bytes(pixels) => pixels[range].iter().copied().map(f64::from).collect(),
            Features::Floats(values) => values[range].iter().copied().map(f64::from).collect(),
            Features::Doubles(values) => values[range].to_vec(),
        }
    }
}

/// Adds features that were read as 64-bit floats, row by row, to a checksum.
pub(crate) fn hash_rows(hash: &mut Sha256, values: impl Iterator<Item = f64> + Clone) {
    hash_numbers(hash, values, [b"floats", b"doubles"]);
}

/// Hashes numbers as 32-bit floats under the first kind if that loses nothing, else as 64-bit floats under the second.
fn hash_numbers(
    hash: &mut Sha256,
    values: impl Iterator<Item = f64> + Clone,
    [floats, doubles]: [&[u8]; 2],
) {
    let is_exact = |x: f64| f64::from(x as f32).to_bits() == x.to_bits();
    if values.clone().all(is_exact) {
        hash.update(floats);
        hash_words(hash, values.map(|x| (x as f32).to_le_bytes()));
    } else {
        hash.update(doubles);
        for x in values {
            hash.update(x.to_le_bytes());
        }
    }
}

fn hash_words(hash: &mut Sha256, words: impl Iterator<Item = [u8; 4]>) {
    for word in words {
        hash.update(word);
    }
}

/// Owned names from literals.
pub(crate) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The names `x1`, `x2`, …
pub(crate) fn numbered_features(count: usize) -> Vec<String> {
    (1..=count).map(|i| format!("x{i}")).collect()
}

/// The names `0`, `1`, …
pub(crate) fn numbered_classes(count: usize) -> Vec<String> {
    (0..count).map(|i| i.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;

    fn checksum(samples: Samples) -> String {
        Dataset::from(samples).checksum()
    }

    fn pixels() -> Samples {
        let targets = Targets::Classes {
            labels: vec![0, 1],
            names: numbered_classes(2),
        };
        Samples::of_images(vec![1, 2, 3, 4, 5, 6, 7, 8], targets, [1, 2, 2])
    }

    #[test]
    fn rows_are_the_features_in_order() {
        let samples = pixels();
        assert_eq!((samples.len(), samples.num_features()), (2, 4));
        assert_eq!(samples.row(1), [5.0, 6.0, 7.0, 8.0]);
        assert_eq!(samples.num_classes(), Some(2));
    }

    #[test]
    fn the_checksum_depends_on_features_and_targets() {
        let base = checksum(pixels());
        // hashlib.sha256(b"bytes" + bytes(range(1, 9)) + b"classes" + struct.pack("<2I", 0, 1)).hexdigest()
        assert_eq!(
            base,
            "80b7cdff891ad9ea97fd8eceeba7be90423a13a54b251bd5d36cfd6f88077d17"
        );
        let mut other = pixels();
        other.features = Features::Bytes(vec![1, 2, 3, 4, 5, 6, 7, 9]);
        assert_ne!(base, checksum(other));
        let mut other = pixels();
        other.targets = Targets::numbers([0.0, 1.0]);
        assert_ne!(base, checksum(other));
    }

    #[test]
    fn the_checksum_of_numbers_depends_on_their_last_bit_but_not_on_their_width() {
        let of = |features| {
            let targets = Targets::numbers([1.0, 2.0]);
            checksum(Samples::of_features(
                features,
                targets,
                numbered_features(1),
            ))
        };
        let floats = of(Features::Floats(vec![0.5, 1.5]));
        assert_eq!(floats, of(Features::Doubles(vec![0.5, 1.5])));
        let next = 1.5 + f64::EPSILON;
        assert_ne!(floats, of(Features::Doubles(vec![0.5, next])));
    }
}
