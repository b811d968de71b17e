//! Augmentation: every epoch trains on images that are shifted, turned, mirrored or partly covered at random.

use std::fmt;
use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_menu::Problem;
use emberlab_rng::{StreamRng, stream};
use rand::RngExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::samples::{Features, Samples};
use crate::standardize::Standardizer;

/// How training images are changed, each anew for every epoch. Validation and test images stay as they are.
///
/// Pixels that come from outside an image, and pixels that are covered, are 0 before standardisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentationConfig {
    /// The most pixels that an image is shifted by, up or down and left or right, each evenly drawn.
    pub shift: usize,
    /// The most degrees that an image is turned by around its centre, either way, evenly drawn; from 0 to 180.
    pub rotate: f64,
    /// Whether half of the images are mirrored left to right.
    pub flip: bool,
    /// The side in pixels of a square that is covered, around a pixel that is evenly drawn. DeVries and Taylor 2017,
    /// <https://arxiv.org/abs/1708.04552>.
    pub cutout: usize,
}

impl AugmentationConfig {
    /// Checks the values for samples of a shape.
    ///
    /// # Errors
    /// [`Problem`] if a value is out of range, or if the samples are no images.
    pub fn validate(&self, input_shape: &[usize]) -> Result<(), Problem> {
        let &[_, height, width] = input_shape else {
            let expected = format!("images; the samples have the shape {input_shape:?}");
            return Err(Problem::new("augmentation", "set", expected));
        };
        let degrees = "augmentation.rotate";
        let is_angle = (0.0..=180.0).contains(&self.rotate);
        Problem::unless(is_angle, degrees, self.rotate, "from 0 to 180 degrees")?;
        let side = height.min(width);
        for (key, pixels) in [("shift", self.shift), ("cutout", self.cutout)] {
            let expected = format!("fewer pixels than the side of an image, {side}");
            Problem::unless(
                pixels < side,
                format!("augmentation.{key}"),
                pixels,
                expected,
            )?;
        }
        Ok(())
    }
}

/// The images of a split as they were before standardisation, and how they are changed.
pub(crate) struct Augmentation {
    config: AugmentationConfig,
    /// `[num_images × channels × height × width]`
    pixels: Features,
    /// `[channels, height, width]`
    shape: [usize; 3],
    mean: Vec<f64>,
    std: Vec<f64>,
}

impl fmt::Debug for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Augmentation").field(&self.config).finish()
    }
}

/// The changes of one image.
struct Change {
    /// Pixels down and to the right.
    shift: [i64; 2],
    /// Radians.
    angle: f64,
    is_flipped: bool,
    /// The centre of the covered square.
    covered: [usize; 2],
}

impl Augmentation {
    /// The augmentation of `rows` of samples, which must be images that the configuration is
    /// [valid](AugmentationConfig::validate) for.
    pub(crate) fn new(
        config: AugmentationConfig,
        samples: &Samples,
        rows: &[u32],
        standardizer: &Standardizer,
    ) -> Option<Self> {
        let &[channels, height, width] = samples.input_shape.as_slice() else {
            return None;
        };
        let (mean, std) = standardizer.per_feature(channels * height * width);
        Some(Self {
            config,
            pixels: samples.features.rows(rows, channels * height * width),
            shape: [channels, height, width],
            mean,
            std,
        })
    }

    /// The standardised images of an epoch, which is counted from 0, in a training with this seed.
    ///
    /// They follow from the seed, the epoch and the image's place in the split, on every device.
    fn images(&self, seed: u64, epoch: u64) -> Vec<f32> {
        let mut rng = stream(seed, "augmentation", &[epoch]);
        match &self.pixels {
            Features::Bytes(pixels) => self.changed(pixels, &mut rng),
            Features::Floats(pixels) => self.changed(pixels, &mut rng),
            Features::Doubles(pixels) => self.changed(pixels, &mut rng),
        }
    }

    fn changed<T: Copy + Into<f64>>(&self, pixels: &[T], rng: &mut StreamRng) -> Vec<f32> {
        let size = self.mean.len();
        let mut images = Vec::with_capacity(pixels.len());
        for image in pixels.chunks_exact(size.max(1)) {
            let change = self.draw(rng);
            let changed = self.apply(image, &change);
            let statistics = self.mean.iter().zip(&self.std);
            let standardized = changed.iter().zip(statistics);
            images.extend(standardized.map(|(x, (mean, std))| ((x - mean) / std) as f32));
        }
        images
    }

    /// Draws the changes of one image. Every image takes the same number of random numbers.
    fn draw(&self, rng: &mut StreamRng) -> Change {
        let [_, height, width] = self.shape;
        let most = self.config.shift as i64;
        let shift = [(); 2].map(|()| rng.random_range(-most..=most));
        let turn: f64 = rng.random_range(-1.0..=1.0);
        Change {
            shift,
            angle: (turn * self.config.rotate).to_radians(),
            is_flipped: rng.random_bool(0.5) && self.config.flip,
            covered: [rng.random_range(0..height), rng.random_range(0..width)],
        }
    }

    /// The changed image: mirrored, then turned and shifted, then partly covered.
    fn apply<T: Copy + Into<f64>>(&self, image: &[T], change: &Change) -> Vec<f64> {
        let [_, height, width] = self.shape;
        let (sin, cos) = change.angle.sin_cos();
        let centre = [height, width].map(|side| (side as f64 - 1.0) / 2.0);
        let mut changed = Vec::with_capacity(image.len());
        for channel in image.chunks_exact(height * width) {
            let pixel = |row: i64, column: i64| -> f64 {
                let is_inside =
                    (0..height as i64).contains(&row) && (0..width as i64).contains(&column);
                match (is_inside, change.is_flipped) {
                    (false, _) => 0.0,
                    (true, false) => channel[row as usize * width + column as usize].into(),
                    (true, true) => {
                        channel[(row as usize + 1) * width - 1 - column as usize].into()
                    }
                }
            };
            for row in 0..height as i64 {
                for column in 0..width as i64 {
                    // Where the pixel was before the shift.
                    let [row, column] = [row - change.shift[0], column - change.shift[1]];
                    changed.push(match change.angle == 0.0 {
                        true => pixel(row, column),
                        false => {
                            let [y, x] = [row as f64 - centre[0], column as f64 - centre[1]];
                            let before = [cos * y + sin * x, cos * x - sin * y];
                            between(pixel, [before[0] + centre[0], before[1] + centre[1]])
                        }
                    });
                }
            }
        }
        self.cover(&mut changed, change.covered);
        changed
    }

    /// Covers a square around a pixel, as much of it as lies inside.
    fn cover(&self, image: &mut [f64], [row, column]: [usize; 2]) {
        let [_, height, width] = self.shape;
        let side = self.config.cutout;
        let range = |centre: usize, most: usize| {
            let start = centre.saturating_sub(side / 2);
            start..(centre + side.div_ceil(2)).min(most)
        };
        for channel in image.chunks_exact_mut(height * width) {
            for row in range(row, height) {
                channel[row * width..][range(column, width)].fill(0.0);
            }
        }
    }
}

/// The value between four pixels, linear in both directions.
fn between(pixel: impl Fn(i64, i64) -> f64, [row, column]: [f64; 2]) -> f64 {
    let (top, left) = (row.floor(), column.floor());
    let (down, right) = (row - top, column - left);
    let (top, left) = (top as i64, left as i64);
    let above = pixel(top, left) * (1.0 - right) + pixel(top, left + 1) * right;
    let below = pixel(top + 1, left) * (1.0 - right) + pixel(top + 1, left + 1) * right;
    above * (1.0 - down) + below * down
}

/// The images of an epoch for the replicas that train together, one seed and one augmentation for each.
pub(crate) fn inputs_of_epoch(
    augmentations: &[Arc<Augmentation>],
    seeds: &[u64],
    epoch: u64,
    (device, dtype): (&Device, DType),
) -> Tensor<2> {
    let each = augmentations.iter().zip(seeds);
    let images: Vec<f32> = each
        .flat_map(|(augmentation, &seed)| augmentation.images(seed, epoch))
        .collect();
    let width = augmentations.first().map_or(1, |one| one.mean.len());
    let shape = [images.len() / width.max(1), width];
    Tensor::from_data(TensorData::new(images, shape), (device, dtype))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::samples::Targets;

    const ROWS: usize = 5;

    /// Images `[1, 5, 4]` of the numbers 1 to 20; each further image continues with the next 20.
    fn samples(num_images: usize) -> Samples {
        let pixels = (0..num_images * 20).map(|k| 1.0 + k as f32).collect();
        Samples {
            features: Features::Floats(pixels),
            targets: Targets::numbers((0..num_images).map(|k| k as f64)),
            input_shape: vec![1, ROWS, 4],
            feature_names: Vec::new(),
            indicators: Vec::new(),
            weights: None,
        }
    }

    fn augmentation(config: AugmentationConfig, num_images: usize) -> Augmentation {
        let rows: Vec<u32> = (0..num_images as u32).collect();
        let identity = Standardizer::identity();
        Augmentation::new(config, &samples(num_images), &rows, &identity).unwrap()
    }

    fn applied(config: AugmentationConfig, change: Change) -> Vec<f64> {
        let image: Vec<f64> = (1..=20).map(f64::from).collect();
        augmentation(config, 1).apply(&image, &change)
    }

    const NOTHING: Change = Change {
        shift: [0, 0],
        angle: 0.0,
        is_flipped: false,
        covered: [0, 0],
    };

    #[test]
    fn an_image_is_shifted_mirrored_and_covered() {
        let config = AugmentationConfig::default();
        let shifted = applied(
            config,
            Change {
                shift: [1, -2],
                ..NOTHING
            },
        );
        assert_eq!(shifted[..8], [0.0, 0.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0]);
        let flipped = applied(
            config,
            Change {
                is_flipped: true,
                ..NOTHING
            },
        );
        assert_eq!(flipped[..8], [4.0, 3.0, 2.0, 1.0, 8.0, 7.0, 6.0, 5.0]);
        let config = AugmentationConfig {
            cutout: 3,
            ..config
        };
        let covered = applied(
            config,
            Change {
                covered: [1, 3],
                ..NOTHING
            },
        );
        assert_eq!(covered[..8], [1.0, 2.0, 0.0, 0.0, 5.0, 6.0, 0.0, 0.0]);
        assert_eq!(
            covered[8..16],
            [9.0, 10.0, 0.0, 0.0, 13.0, 14.0, 15.0, 16.0]
        );
    }

    #[test]
    fn an_image_is_turned_around_its_centre() {
        // A half turn reverses the order of the pixels.
        let config = AugmentationConfig::default();
        let angle = std::f64::consts::PI;
        let turned = applied(config, Change { angle, ..NOTHING });
        for (found, expected) in turned.iter().zip((1..=20).rev()) {
            assert!((found - f64::from(expected)).abs() < 1e-9, "{turned:?}");
        }
        let mut square = augmentation(config, 1);
        square.shape = [1, 3, 3];
        let image = [0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0];
        let angle = std::f64::consts::FRAC_PI_2;
        let turned = square.apply(&image, &Change { angle, ..NOTHING });
        let place = turned.iter().position(|&x| (x - 9.0).abs() < 1e-9);
        assert_eq!(
            place,
            Some(1),
            "a quarter turn moves the right pixel to the top: {turned:?}"
        );
    }

    #[test]
    fn images_follow_from_seed_epoch_and_place_and_are_different_each_time() {
        let config = AugmentationConfig {
            shift: 2,
            rotate: 20.0,
            flip: true,
            cutout: 2,
        };
        let few = augmentation(config, 3).images(7, 2);
        let many = augmentation(config, 5).images(7, 2);
        assert_eq!(few, many[..60]);
        assert_ne!(few, augmentation(config, 3).images(8, 2));
        assert_ne!(few, augmentation(config, 3).images(7, 3));
    }

    #[test]
    fn each_range_is_used_whole_and_not_exceeded() {
        let config = AugmentationConfig {
            shift: 2,
            rotate: 30.0,
            flip: true,
            cutout: 0,
        };
        let augmentation = augmentation(config, 1);
        let mut rng = stream(0, "augmentation", &[0]);
        let changes: Vec<Change> = (0..2000).map(|_| augmentation.draw(&mut rng)).collect();
        for axis in 0..2 {
            for pixels in -2..=2 {
                let count = changes
                    .iter()
                    .filter(|one| one.shift[axis] == pixels)
                    .count();
                // A fifth of 2000, and five standard deviations of 18.
                assert!((310..=490).contains(&count), "{pixels}: {count}");
            }
        }
        let angles = changes.iter().map(|one| one.angle.to_degrees());
        let (least, most) = angles.fold((0.0_f64, 0.0_f64), |(a, b), x| (a.min(x), b.max(x)));
        assert!((-30.0..-29.0).contains(&least) && (29.0..=30.0).contains(&most));
        let flipped = changes.iter().filter(|one| one.is_flipped).count();
        assert!((880..=1120).contains(&flipped), "{flipped}");
    }

    #[test]
    fn values_that_no_image_can_have_are_named() {
        let config = AugmentationConfig::default();
        let wrong = |config: AugmentationConfig, shape: &[usize]| {
            config.validate(shape).unwrap_err().to_string()
        };
        assert!(wrong(config, &[4]).contains("expected images"));
        let shift = AugmentationConfig { shift: 5, ..config };
        assert!(wrong(shift, &[1, 5, 8]).contains("`augmentation.shift` is 5"));
        let rotate = AugmentationConfig {
            rotate: 200.0,
            ..config
        };
        assert!(wrong(rotate, &[1, 5, 8]).contains("`augmentation.rotate` is 200"));
        assert!(config.validate(&[3, 5, 8]).is_ok());
    }
}
