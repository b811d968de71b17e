//! Samples on a device.

use std::fmt;
use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::augmentation::{Augmentation, AugmentationConfig, inputs_of_epoch};
use crate::device_inputs::DeviceInputs;
use crate::error::DatasetError;
use crate::samples::{Samples, Targets};
use crate::standardize::Standardizer;

/// How targets are encoded as numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Encoding {
    /// Two classes as 0 and 1: `[num_samples, 1]`.
    Binary,
    /// 1 in the column of the class, 0 elsewhere: `[num_samples, num_classes]`.
    OneHot {
        /// Number of columns.
        num_classes: usize,
    },
    /// Numbers, standardised: `[num_samples, num_targets]`.
    Values {
        /// Mean and standard deviation of each target.
        standardizer: Standardizer,
    },
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary => write!(f, "0 and 1"),
            Self::OneHot { num_classes } => write!(f, "one of {num_classes} classes"),
            Self::Values { .. } => write!(f, "numbers"),
        }
    }
}

/// One split on a device, ready for training.
///
/// # Shapes
/// - inputs: `[num_samples, num_features]`, standardised
/// - targets: `[num_samples, d_target]`, see [`Encoding`]
/// - weights: `[num_samples, 1]`, if samples have weights
#[derive(Debug, Clone)]
pub struct DeviceDataset {
    /// The standardised features.
    pub inputs: DeviceInputs,
    /// The encoded targets.
    pub targets: Tensor<2>,
    /// The weight of each sample in the loss.
    pub weights: Option<Tensor<2>>,
    /// How the images of each replica change from epoch to epoch; empty if they do not.
    augmentations: Vec<Arc<Augmentation>>,
}

impl DeviceDataset {
    /// Samples whose tensors are on a device already.
    pub fn new(inputs: Tensor<2>, targets: Tensor<2>, weights: Option<Tensor<2>>) -> Self {
        Self {
            inputs: DeviceInputs::Numbers(inputs),
            targets,
            weights,
            augmentations: Vec::new(),
        }
    }

    /// The same data set, which was [uploaded](Self::upload) from these `rows` of `samples`, with images that change
    /// from epoch to epoch. The configuration must be [valid](AugmentationConfig::validate) for the samples.
    #[must_use]
    pub fn augmented(
        mut self,
        config: AugmentationConfig,
        samples: &Samples,
        rows: &[u32],
        standardizer: &Standardizer,
    ) -> Self {
        let augmentation = Augmentation::new(config, samples, rows, standardizer);
        self.augmentations = augmentation.into_iter().map(Arc::new).collect();
        self
    }

    /// Whether the images change from epoch to epoch.
    pub fn is_augmented(&self) -> bool {
        !self.augmentations.is_empty()
    }

    /// The samples as they are trained on in an epoch, which is counted from 0, with a seed for each replica.
    #[must_use]
    pub fn of_epoch(&self, seeds: &[u64], epoch: u64) -> Self {
        let mut samples = self.clone();
        if self.is_augmented() {
            let options = (&self.inputs.device(), self.inputs.dtype());
            let images = inputs_of_epoch(&self.augmentations, seeds, epoch, options);
            samples.inputs = DeviceInputs::Numbers(images);
            samples.augmentations.clear();
        }
        samples
    }

    /// Puts `rows` of the samples, in this order, on a device without autodiff.
    ///
    /// Features are standardised in f64 and rounded once to f32, so that training starts from the same bits on every
    /// device and with every `dtype`. The numbers are copied only once, to the device.
    ///
    /// # Errors
    /// [`DatasetError::Rows`] if there are no rows, or one that does not exist;
    /// [`DatasetError::Standardizer`] if the statistics are of another number of features;
    /// [`DatasetError::Encoding`] if the targets do not fit the encoding.
    pub fn upload(
        samples: &Samples,
        rows: &[u32],
        standardizer: &Standardizer,
        encoding: &Encoding,
        device: &Device,
        dtype: DType,
    ) -> Result<Self, DatasetError> {
        let bad_row = match rows {
            [] => Some("no rows".to_owned()),
            rows => rows
                .iter()
                .find(|&&row| row as usize >= samples.len())
                .map(|row| format!("row {row}")),
        };
        if let Some(rows) = bad_row {
            return Err(DatasetError::Rows {
                rows,
                available: samples.len(),
            });
        }
        let width = samples.num_features();
        let (mean, std) = standardizer.per_feature(width);
        if mean.len() != width || std.len() != width {
            return Err(DatasetError::Standardizer {
                expected: width,
                found: mean.len(),
            });
        }
        let targets = encode(&samples.targets, rows, encoding)?;
        let d_target = targets.len() / rows.len();
        let statistics = (mean.as_slice(), std.as_slice());
        let inputs = DeviceInputs::upload(&samples.features, rows, statistics, (device, dtype));
        let targets = TensorData::new(targets, [rows.len(), d_target]);
        Ok(Self {
            inputs,
            targets: Tensor::from_data(targets, (device, dtype)),
            weights: samples.weights.as_ref().map(|weights| {
                let chosen = rows.iter().map(|&row| weights[row as usize] as f32);
                let data = TensorData::new(chosen.collect::<Vec<f32>>(), [rows.len(), 1]);
                Tensor::from_data(data, (device, dtype))
            }),
            augmentations: Vec::new(),
        })
    }

    /// The samples of several data sets, one after the other.
    ///
    /// # Shapes
    /// - parts: at least one, all with the same number of samples
    /// - result: `[num_parts × num_samples, …]`
    pub fn stacked(parts: &[Self]) -> Self {
        if let [alone] = parts {
            return alone.clone();
        }
        let inputs = parts.iter().map(|part| part.inputs.all()).collect();
        let targets = parts.iter().map(|part| part.targets.clone()).collect();
        let weights = parts.iter().map(|part| part.weights.clone());
        Self {
            inputs: DeviceInputs::Numbers(Tensor::cat(inputs, 0)),
            targets: Tensor::cat(targets, 0),
            weights: (weights.collect::<Option<Vec<_>>>()).map(|parts| Tensor::cat(parts, 0)),
            augmentations: (parts.iter().flat_map(|part| &part.augmentations).cloned()).collect(),
        }
    }

    /// The samples of one of the `num_parts` data sets that were [stacked](Self::stacked).
    pub fn part(&self, index: usize, num_parts: usize) -> Self {
        if num_parts == 1 {
            return self.clone();
        }
        let num_samples = self.len() / num_parts;
        let start = index * num_samples;
        let samples = start..start + num_samples;
        let cut = |all: &Tensor<2>| all.clone().slice_dim(0, samples.clone());
        Self {
            inputs: DeviceInputs::Numbers(self.inputs.range(samples.clone())),
            targets: cut(&self.targets),
            weights: self.weights.as_ref().map(cut),
            augmentations: self.augmentations.get(index).cloned().into_iter().collect(),
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.inputs.dims()[0]
    }

    /// Whether there are no samples, which [`upload`](Self::upload) does not allow.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of features of one sample.
    pub fn num_features(&self) -> usize {
        self.inputs.dims()[1]
    }
}

fn encode(targets: &Targets, rows: &[u32], encoding: &Encoding) -> Result<Vec<f32>, DatasetError> {
    let mismatch = |found: String| {
        let encoding = encoding.to_string();
        Err(DatasetError::Encoding { encoding, found })
    };
    let chosen = rows.iter().map(|&row| row as usize);
    match (targets, encoding) {
        (Targets::Values { values, names }, Encoding::Values { standardizer }) => {
            let width = names.len();
            let of = |row| {
                let targets = values[row * width..(row + 1) * width].iter().enumerate();
                targets.map(|(j, &y)| standardizer.value(y, j))
            };
            Ok(chosen.flat_map(of).collect())
        }
        (Targets::Values { .. }, _) => mismatch("numbers, not classes".to_owned()),
        (Targets::Classes { .. }, Encoding::Values { .. }) => {
            mismatch("classes, not numbers".to_owned())
        }
        (Targets::Classes { names, .. }, Encoding::Binary) if names.len() != 2 => {
            mismatch(format!("{} classes", names.len()))
        }
        (Targets::Classes { labels, .. }, Encoding::Binary) => {
            Ok(chosen.map(|row| labels[row] as f32).collect())
        }
        (Targets::Classes { names, .. }, Encoding::OneHot { num_classes })
            if names.len() > *num_classes =>
        {
            mismatch(format!("{} classes", names.len()))
        }
        (Targets::Classes { labels, .. }, Encoding::OneHot { num_classes }) => {
            let mut columns = vec![0.0; rows.len() * *num_classes];
            for (row, columns) in chosen.zip(columns.chunks_mut(*num_classes)) {
                columns[labels[row] as usize] = 1.0;
            }
            Ok(columns)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::sources::{DataSource as _, Digits, DigitsTask, Iris, Regression};
    use crate::standardize::{Standardize, StandardizeConfig, StatisticsFrom};

    fn upload(
        samples: &Samples,
        rows: &[u32],
        encoding: Encoding,
    ) -> Result<DeviceDataset, DatasetError> {
        DeviceDataset::upload(
            samples,
            rows,
            &Standardizer::identity(),
            &encoding,
            &Device::flex(),
            DType::F32,
        )
    }

    fn floats(tensor: &Tensor<2>) -> Vec<f32> {
        let data = tensor.clone().into_data_dtype(DType::F32);
        data.as_slice::<f32>().unwrap().to_vec()
    }

    #[test]
    fn inputs_are_the_standardised_rows_in_the_requested_order() {
        let digits = Digits::default().load(&[], 0).unwrap();
        let config = StandardizeConfig {
            method: Standardize::PerFeature,
            statistics: StatisticsFrom::Train,
            targets: false,
        };
        let standardizer = Standardizer::fit(&config, &digits, &(0..900).collect::<Vec<_>>());
        let rows = [1000, 3, 500];
        let encoding = Encoding::OneHot { num_classes: 10 };
        for dtype in [DType::F32, DType::F64] {
            let device_dataset = DeviceDataset::upload(
                &digits,
                &rows,
                &standardizer,
                &encoding,
                &Device::flex(),
                dtype,
            )
            .unwrap();
            assert_eq!(
                (device_dataset.len(), device_dataset.inputs.dtype()),
                (3, dtype)
            );
            let expected: Vec<f32> = rows
                .iter()
                .flat_map(|&row| digits.row(row as usize).into_iter().enumerate())
                .map(|(j, raw)| standardizer.value(raw, j))
                .collect();
            assert_eq!(floats(&device_dataset.inputs.all()), expected);
        }
    }

    #[test]
    fn f64_inputs_hold_the_same_numbers_as_f32() {
        let iris = Iris::samples();
        let wide = DeviceDataset::upload(
            &iris,
            &[7],
            &Standardizer {
                mean: vec![1.0],
                std: vec![3.0],
            },
            &Encoding::OneHot { num_classes: 3 },
            &Device::flex(),
            DType::F64,
        )
        .unwrap();
        let wide = wide.inputs.all().into_data();
        for &x in wide.as_slice::<f64>().unwrap() {
            assert_eq!(x, f64::from(x as f32));
        }
    }

    #[test]
    fn targets_have_the_requested_encoding() {
        let iris = Iris::samples();
        let one_hot = upload(&iris, &[149, 0, 50], Encoding::OneHot { num_classes: 4 }).unwrap();
        assert_eq!(
            floats(&one_hot.targets),
            [0., 0., 1., 0., 1., 0., 0., 0., 0., 1., 0., 0.]
        );
        assert_eq!(one_hot.targets.dims(), [3, 4]);

        let task = DigitsTask::BelowFive;
        let digits = Digits { task }.load(&[], 0).unwrap();
        let binary = upload(&digits, &[4, 5], Encoding::Binary).unwrap();
        assert_eq!(floats(&binary.targets), [1.0, 0.0]);

        let curve = Regression::default().load(&[], 0).unwrap();
        let standardizer = Standardizer {
            mean: vec![0.5],
            std: vec![2.0],
        };
        let values = upload(&curve, &[9], Encoding::Values { standardizer }).unwrap();
        let Targets::Values { values: all, .. } = &curve.targets else {
            panic!("regression has numbers")
        };
        assert_eq!(floats(&values.targets), [((all[9] - 0.5) / 2.0) as f32]);
    }

    #[test]
    fn encodings_that_do_not_fit_are_refused() {
        let iris = Iris::samples();
        let curve = Regression::default().load(&[], 0).unwrap();
        for (samples, encoding, expected) in [
            (
                &iris,
                Encoding::Binary,
                "targets cannot be encoded as 0 and 1: found 3 classes",
            ),
            (
                &iris,
                Encoding::OneHot { num_classes: 2 },
                "targets cannot be encoded as one of 2 classes: found 3 classes",
            ),
            (
                &iris,
                Encoding::Values {
                    standardizer: Standardizer::identity(),
                },
                "targets cannot be encoded as numbers: found classes, not numbers",
            ),
            (
                &curve,
                Encoding::Binary,
                "targets cannot be encoded as 0 and 1: found numbers, not classes",
            ),
        ] {
            assert_eq!(
                upload(samples, &[0], encoding).unwrap_err().to_string(),
                expected
            );
        }
    }

    #[test]
    fn rows_and_statistics_of_other_samples_are_refused() {
        let iris = Iris::samples();
        let encoding = Encoding::OneHot { num_classes: 3 };
        for rows in [&[][..], &[0, 150]] {
            assert!(matches!(
                upload(&iris, rows, encoding.clone()),
                Err(DatasetError::Rows { .. })
            ));
        }
        let other = Standardizer {
            mean: vec![0.0; 3],
            std: vec![1.0; 3],
        };
        let result =
            DeviceDataset::upload(&iris, &[0], &other, &encoding, &Device::flex(), DType::F32);
        assert!(matches!(
            result,
            Err(DatasetError::Standardizer {
                expected: 4,
                found: 3
            })
        ));
    }

    #[test]
    fn augmented_data_sets_that_are_stacked_have_the_images_of_each_alone() {
        let digits = Digits::default().load(&[], 0).unwrap();
        let identity = Standardizer::identity();
        let encoding = Encoding::OneHot { num_classes: 10 };
        let config = AugmentationConfig {
            shift: 1,
            rotate: 10.0,
            ..AugmentationConfig::default()
        };
        let upload = |rows: &[u32]| {
            let plain = upload(&digits, rows, encoding.clone()).unwrap();
            plain.augmented(config, &digits, rows, &identity)
        };
        let numbers =
            |data: &DeviceDataset| data.inputs.all().to_data().try_to_vec::<f32>().unwrap();
        let alone = [upload(&[3, 4, 5]), upload(&[8, 9, 10])];
        let stacked = DeviceDataset::stacked(&alone);
        let seeds = [7, 1];
        let together = numbers(&stacked.of_epoch(&seeds, 2));
        let each = alone.iter().zip(seeds);
        let expected = each.flat_map(|(one, seed)| numbers(&one.of_epoch(&[seed], 2)));
        assert_eq!(together, expected.collect::<Vec<_>>());
        assert_ne!(together, numbers(&stacked), "nothing was changed");
        let second = stacked.part(1, 2);
        assert_eq!(
            numbers(&second.of_epoch(&[1], 2)),
            numbers(&alone[1].of_epoch(&[1], 2))
        );
    }
}
