//! Samples on the host: features and targets, row by row.

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
}

/// The inputs of all samples, row by row.
#[derive(Debug, Clone, PartialEq)]
pub enum Features {
    /// Pixels as bytes, which need a quarter of the memory.
    Bytes(Vec<u8>),
    /// Any other numbers.
    Floats(Vec<f32>),
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
    /// One number per sample.
    Values(Vec<f32>),
}

impl Targets {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Samples {
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
        self.class_names().map(<[String]>::len)
    }

    /// Names of the classes; `None` for regression.
    pub fn class_names(&self) -> Option<&[String]> {
        match &self.targets {
            Targets::Classes { names, .. } => Some(names),
            Targets::Values(_) => None,
        }
    }

    /// Class of each sample; `None` for regression.
    pub fn labels(&self) -> Option<&[u32]> {
        match &self.targets {
            Targets::Classes { labels, .. } => Some(labels),
            Targets::Values(_) => None,
        }
    }

    /// The features of sample `i`, not standardised: `[num_features]`.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len).
    pub fn row(&self, i: usize) -> Vec<f32> {
        let range = i * self.num_features()..(i + 1) * self.num_features();
        match &self.features {
            Features::Bytes(pixels) => pixels[range].iter().copied().map(f32::from).collect(),
            Features::Floats(values) => values[range].to_vec(),
        }
    }

    /// SHA-256 of features and targets in hexadecimal: the kind (`bytes`, `floats`, `classes` or `values`) and the
    /// little-endian bytes of each.
    pub fn checksum(&self) -> String {
        let mut hash = Sha256::new();
        match &self.features {
            Features::Bytes(pixels) => {
                hash.update(b"bytes");
                hash.update(pixels);
            }
            Features::Floats(values) => {
                hash.update(b"floats");
                hash_words(&mut hash, values.iter().map(|x| x.to_le_bytes()));
            }
        }
        match &self.targets {
            Targets::Classes { labels, .. } => {
                hash.update(b"classes");
                hash_words(&mut hash, labels.iter().map(|x| x.to_le_bytes()));
            }
            Targets::Values(values) => {
                hash.update(b"values");
                hash_words(&mut hash, values.iter().map(|x| x.to_le_bytes()));
            }
        }
        hex::encode(hash.finalize())
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

    fn pixels() -> Samples {
        Samples {
            features: Features::Bytes(vec![1, 2, 3, 4, 5, 6, 7, 8]),
            targets: Targets::Classes {
                labels: vec![0, 1],
                names: numbered_classes(2),
            },
            input_shape: vec![1, 2, 2],
            feature_names: Vec::new(),
        }
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
        let base = pixels();
        // hashlib.sha256(b"bytes" + bytes(range(1, 9)) + b"classes" + struct.pack("<2I", 0, 1)).hexdigest()
        assert_eq!(
            base.checksum(),
            "80b7cdff891ad9ea97fd8eceeba7be90423a13a54b251bd5d36cfd6f88077d17"
        );
        let mut other = pixels();
        other.features = Features::Bytes(vec![1, 2, 3, 4, 5, 6, 7, 9]);
        assert_ne!(base.checksum(), other.checksum());
        let mut other = pixels();
        other.targets = Targets::Values(vec![0.0, 1.0]);
        assert_ne!(base.checksum(), other.checksum());
    }
}
