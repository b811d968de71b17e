//! The features of samples on a device.

use std::ops::Range;

use burn::tensor::{DType, Device, Element, Int, Tensor, TensorData};
use emberlab_kernels::ByteRows;

use crate::samples::Features;

/// The standardised features of samples on a device, `[num_samples, num_features]`.
///
/// A GPU keeps bytes as they are, and standardises the rows of a batch when they are gathered. The numbers are the same.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // in a program without kernels for GPUs, no bytes exist
pub enum DeviceInputs {
    /// As numbers.
    Numbers(Tensor<2>),
    /// As bytes, with the number of each.
    Bytes(ByteRows),
}

impl DeviceInputs {
    /// The chosen rows of the features, standardised by the mean and the deviation of each, on a device.
    ///
    /// They are standardised on the host in f64 and rounded once to f32.
    pub(crate) fn upload(
        features: &Features,
        rows: &[u32],
        statistics: (&[f64], &[f64]),
        (device, dtype): (&Device, DType),
    ) -> Self {
        if let (Features::Bytes(raw), DType::F32) = (features, dtype)
            && emberlab_kernels::is_gpu(device)
            && let Some(bytes) = bytes_on_gpu(raw, rows, statistics, device)
        {
            return Self::Bytes(bytes);
        }
        let numbers = match (features, dtype) {
            (Features::Bytes(raw), DType::F64) => standardized::<_, f64>(raw, rows, statistics),
            (Features::Bytes(raw), _) => standardized::<_, f32>(raw, rows, statistics),
            (Features::Floats(raw), DType::F64) => standardized::<_, f64>(raw, rows, statistics),
            (Features::Floats(raw), _) => standardized::<_, f32>(raw, rows, statistics),
            (Features::Doubles(raw), DType::F64) => standardized::<_, f64>(raw, rows, statistics),
            (Features::Doubles(raw), _) => standardized::<_, f32>(raw, rows, statistics),
        };
        Self::Numbers(Tensor::from_data(numbers, (device, dtype)))
    }

    /// The number of samples and the number of features.
    pub fn dims(&self) -> [usize; 2] {
        match self {
            Self::Numbers(numbers) => numbers.dims(),
            Self::Bytes(bytes) => bytes.dims(),
        }
    }

    /// The device.
    pub fn device(&self) -> Device {
        match self {
            Self::Numbers(numbers) => numbers.device(),
            Self::Bytes(bytes) => bytes.device(),
        }
    }

    /// The type of the numbers.
    pub fn dtype(&self) -> DType {
        match self {
            Self::Numbers(numbers) => numbers.dtype(),
            Self::Bytes(_) => DType::F32,
        }
    }

    /// The features of all samples.
    pub fn all(&self) -> Tensor<2> {
        let [num_samples, _] = self.dims();
        self.range(0..num_samples)
    }

    /// The features of neighbouring samples.
    pub fn range(&self, samples: Range<usize>) -> Tensor<2> {
        match self {
            Self::Numbers(numbers) if samples == (0..numbers.dims()[0]) => numbers.clone(),
            Self::Numbers(numbers) => numbers.clone().slice_dim(0, samples),
            Self::Bytes(bytes) => {
                let samples = samples.start as u32..samples.end as u32;
                bytes.gather(&samples.collect::<Vec<_>>())
            }
        }
    }

    /// The features of these samples, in this order; `indices` holds the same numbers on the device.
    pub(crate) fn gather(&self, samples: &[u32], indices: &Tensor<1, Int>) -> Tensor<2> {
        match self {
            Self::Numbers(numbers) => numbers.clone().select(0, indices.clone()),
            Self::Bytes(bytes) => bytes.gather(samples),
        }
    }
}

/// The chosen rows of bytes on a GPU, with the standardised number of each byte of each feature.
fn bytes_on_gpu(
    raw: &[u8],
    rows: &[u32],
    (mean, std): (&[f64], &[f64]),
    device: &Device,
) -> Option<ByteRows> {
    let width = mean.len();
    let chosen = rows.iter().flat_map(|&row| {
        let start = row as usize * width;
        &raw[start..start + width]
    });
    let chosen: Vec<u8> = chosen.copied().collect();
    let of_feature = |(mean, std): (&f64, &f64)| {
        let (mean, std) = (*mean, *std);
        (0..=u8::MAX).map(move |byte| ((f64::from(byte) - mean) / std) as f32)
    };
    let table: Vec<f32> = mean.iter().zip(std).flat_map(of_feature).collect();
    ByteRows::upload(&chosen, &table, width, device)
}

/// The chosen rows, standardised, in the number type of the device: `[rows, width]`.
fn standardized<T, E>(raw: &[T], rows: &[u32], (mean, std): (&[f64], &[f64])) -> TensorData
where
    T: Copy + Into<f64>,
    E: Element + From<f32>,
{
    let width = mean.len();
    let mut numbers = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        let start = row as usize * width;
        let features = raw[start..start + width].iter().zip(mean).zip(std);
        numbers.extend(features.map(|((&x, mean), std)| E::from(((x.into() - mean) / std) as f32)));
    }
    TensorData::new(numbers, [rows.len(), width])
}
