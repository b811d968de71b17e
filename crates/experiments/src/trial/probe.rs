//! The rows on which a network is inspected while it learns, and the content of its pictures.

use burn::tensor::{Device, Tensor, TensorData};
use emberlab_analysis::Plane;
use emberlab_datasets::Batch;
use emberlab_metrics::MOST_CLASSES;
use emberlab_models::Network;
use emberlab_run_format::{Bytes, FramesHeader, Inputs, Region, SampleImage};
use emberlab_training::inspection::{NumberPictures, Probe, Spacing, first_weights};

use super::Prepared;
use super::diagnose::evenly;
use crate::error::ExperimentError;

/// The most rows of a probe.
const MOST_ROWS: usize = 256;
/// Samples drawn over a map.
const MOST_POINTS: usize = 150;
/// Points in a row of a map: the largest of these for which the maps of all units and frames have room.
const SIDES: [usize; 6] = [32, 24, 20, 16, 12, 8];
/// The largest number of points of all maps of a run.
const MOST_CELLS: usize = 800_000;

/// The most rows and columns of the image that feature maps are of.
const MOST_IMAGE_SIDE: usize = 64;

/// The probe of a training, and what all its frames share.
pub(super) struct Probed {
    pub(super) probe: Probe,
    pub(super) spacing: Spacing,
    pub(super) header: FramesHeader,
}

impl Prepared {
    /// The rows on which the network is inspected: at most 256, evenly spread over the validation split, or over the
    /// training split if there is no other.
    pub(super) fn probe_rows(&self) -> Vec<u32> {
        let all = match self.splits.valid.is_empty() {
            true => &self.splits.train,
            false => &self.splits.valid,
        };
        evenly(all.len(), MOST_ROWS).map(|i| all[i]).collect()
    }

    /// The probe of the training, on [`probe_rows`](Self::probe_rows). `None` if the layers are not recorded.
    ///
    /// # Errors
    /// [`ExperimentError::Dataset`] if the targets cannot be encoded for the task.
    pub(super) fn probe(
        &self,
        network: &Network,
        device: &Device,
    ) -> Result<Option<Probed>, ExperimentError> {
        let (training, samples) = (&self.config.training, &self.samples);
        let num_batches = training.batches().num_batches(self.splits.train.len());
        let Some(config) = self.config.inspect.clone() else {
            return Ok(None);
        };
        let Some(spacing) = config.spacing(num_batches, training.num_epochs) else {
            return Ok(None);
        };
        let rows = self.probe_rows();
        let data = self.upload_rows(&rows, device)?;
        let class_of = |row: u32| samples.labels().map(|labels| labels[row as usize]);
        let region = match self.columns.num_features() {
            2 => Some(self.region(network.num_units(), &spacing)),
            _ => None,
        };
        let image: Option<[usize; 3]> = samples.input_shape.as_slice().try_into().ok();
        let first_weights = image.and_then(|image| first_weights(network, image, 1));
        let probe = Probe {
            config,
            batch: Batch::all(&data),
            grid: region.as_ref().map(|region| self.grid(region.side, device)),
            image,
        };
        let header = FramesHeader {
            classes: rows.iter().filter_map(|&row| class_of(row)).collect(),
            class_names: match self.d_output <= MOST_CLASSES {
                true => self.class_names(),
                false => Vec::new(),
            },
            region,
            image: first_weights.map(|weights| weights.size),
            sample: image
                .filter(|_| self.config.model.takes_images())
                .and_then(|image| self.sample(rows[0], image)),
        };
        Ok(Some(Probed {
            probe,
            spacing,
            header,
        }))
    }

    /// The region of the two columns: that of the decision boundary.
    fn region(&self, num_units: usize, spacing: &Spacing) -> Region {
        let samples = &self.samples;
        let plane = self.plane_of_two_columns();
        let shown: Vec<usize> = evenly(samples.len(), MOST_POINTS).collect();
        let labels = samples.labels();
        let num_units = match self.d_output <= MOST_CLASSES {
            true => num_units,
            false => num_units.saturating_sub(self.d_output), // they have no maps
        };
        let num_maps = num_units.saturating_mul(Probe::num_frames(spacing) as usize);
        let fits = |side: &usize| num_maps.saturating_mul(side * side) <= MOST_CELLS;
        let smallest = SIDES[SIDES.len() - 1];
        Region {
            x: plane.x,
            y: plane.y,
            side: SIDES.into_iter().find(fits).unwrap_or(smallest),
            points: shown.iter().map(|&i| self.point(i)).collect(),
            classes: labels.map_or(Vec::new(), |labels| {
                shown.iter().map(|&i| labels[i]).collect()
            }),
        }
    }

    /// The image of a row.
    ///
    /// # Shapes
    /// - image: `[channels, height, width]`
    fn sample(&self, row: u32, [channels, height, width]: [usize; 3]) -> Option<SampleImage> {
        let Inputs::Pixels(pixels) = self.inputs(row) else {
            return None;
        };
        let shares: Vec<f64> = pixels.shares().collect();
        let whole = NumberPictures {
            size: [height, width],
            pictures: shares.chunks(height * width).map(<[f64]>::to_vec).collect(),
        };
        let NumberPictures { size, pictures } = whole.shrunk(MOST_IMAGE_SIDE);
        Some(SampleImage {
            shape: [channels, size[0], size[1]],
            pixels: Bytes::from_shares(pictures.concat()),
        })
    }

    /// `side` × `side` points of the region, as the network takes them.
    fn grid(&self, side: usize, device: &Device) -> Tensor<2> {
        let inputs = self.inputs_of(&self.plane_of_two_columns().grid(side));
        let shape = [side * side, self.samples.num_features()];
        let data = TensorData::new(inputs, shape);
        let dtype = self.config.training.precision.dtype();
        Tensor::from_data(data, (device, dtype))
    }

    /// The plane of two columns, wide enough for all samples.
    pub(super) fn plane_of_two_columns(&self) -> Plane {
        let samples = &self.columns;
        let all: Vec<[f64; 2]> = (0..samples.len()).map(|i| self.point(i)).collect();
        let name = |i: usize| samples.feature_names.get(i).map_or("", String::as_str);
        Plane::of_two_features([name(0), name(1)], &all)
    }

    /// The two columns of a row.
    pub(super) fn point(&self, row: usize) -> [f64; 2] {
        let row = self.columns.row(row);
        [row[0], row[1]]
    }
}
