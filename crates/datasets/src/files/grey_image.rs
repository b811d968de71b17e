//! Images from PNG files as inputs of a network.

use std::path::Path;

use super::png;
use crate::error::DatasetError;

/// A grey image: `[height × width]` pixels row by row from the top, from 0 (black) to 1 (white).
#[derive(Debug, Clone, PartialEq)]
pub struct GreyImage {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Brightness of each pixel, in [0, 1].
    pub pixels: Vec<f32>,
}

impl GreyImage {
    /// Reads a PNG file. Colours are converted to their luma (ITU-R BT.601); transparent pixels are white.
    ///
    /// # Errors
    /// [`DatasetError::Io`] if the file cannot be read; [`DatasetError::Image`] if it is not a PNG file, is damaged,
    /// or has more than 8192 pixels on a side.
    pub fn load(path: &Path) -> Result<Self, DatasetError> {
        let bytes = std::fs::read(path).map_err(|source| DatasetError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        let decoded = png::decode(&bytes).map_err(|reason| DatasetError::Image {
            path: path.to_path_buf(),
            reason,
        })?;
        Ok(Self {
            width: decoded.width,
            height: decoded.height,
            pixels: decoded.rgba.iter().map(brightness).collect(),
        })
    }

    /// Whether the image is dark on light: its rim is lighter than middle grey.
    pub fn is_dark_on_light(&self) -> bool {
        let (width, height) = (self.width, self.height);
        let is_rim = |i: usize| {
            let (row, column) = (i / width, i % width);
            row == 0 || column == 0 || row + 1 == height || column + 1 == width
        };
        let rim = self.pixels.iter().enumerate().filter(|(i, _)| is_rim(*i));
        let (sum, count) = rim.fold((0.0, 0.0), |(sum, count), (_, p)| {
            (sum + p, count + 1.0_f32)
        });
        sum > 0.5 * count
    }

    /// The image with black and white exchanged.
    pub fn inverted(mut self) -> Self {
        self.pixels.iter_mut().for_each(|p| *p = 1.0 - *p);
        self
    }

    /// The whole image in another size. Each new pixel is the mean of the area that it covers. The proportions are
    /// kept: the image is centred, and the rest gets the colour of its top left corner.
    pub fn resized(&self, width: usize, height: usize) -> Self {
        let scale = (self.width as f64 / width as f64).max(self.height as f64 / height as f64);
        // The top left corner of the new image in coordinates of the old one; all outside the old one is background.
        let left = (self.width as f64 - scale * width as f64) / 2.0;
        let top = (self.height as f64 - scale * height as f64) / 2.0;
        let background = self.pixels.first().copied().unwrap_or(0.0);
        let mut pixels = Vec::with_capacity(width * height);
        for row in 0..height {
            let down = cover(top + scale * row as f64, scale);
            for column in 0..width {
                let across = cover(left + scale * column as f64, scale);
                let mut sum = 0.0;
                for &(y, share_y) in &down {
                    for &(x, share_x) in &across {
                        let inside = (0..self.height as i64).contains(&y)
                            && (0..self.width as i64).contains(&x);
                        let pixel = match inside {
                            true => self.pixels[y as usize * self.width + x as usize],
                            false => background,
                        };
                        sum += f64::from(pixel) * share_x * share_y;
                    }
                }
                pixels.push((sum / (scale * scale)) as f32);
            }
        }
        Self {
            width,
            height,
            pixels,
        }
    }
}

/// The unit cells that overlap `[from, from + length)`, each with the length of the overlap.
fn cover(from: f64, length: f64) -> Vec<(i64, f64)> {
    let to = from + length;
    let first = from.floor() as i64;
    let last = to.ceil() as i64;
    let shared = |cell: i64| (cell as f64 + 1.0).min(to) - (cell as f64).max(from);
    let cells = (first..last).map(|cell| (cell, shared(cell)));
    cells.filter(|(_, share)| *share > 0.0).collect()
}

fn brightness(rgba: &[u8; 4]) -> f32 {
    let [r, g, b, alpha] = rgba.map(|byte| f32::from(byte) / 255.0);
    (0.299 * r + 0.587 * g + 0.114 * b) * alpha + 1.0 - alpha
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn image(width: usize, pixels: &[f32]) -> GreyImage {
        GreyImage {
            width,
            height: pixels.len() / width,
            pixels: pixels.to_vec(),
        }
    }

    #[test]
    fn the_pixels_of_a_smaller_image_are_means() {
        let four = image(
            4,
            &[
                0.0, 1.0, 0.5, 0.5, 1.0, 0.0, 0.5, 0.5, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0,
            ],
        );
        assert_eq!(four.resized(2, 2).pixels, [0.5, 0.5, 0.0, 1.0]);
        assert_eq!(four.resized(4, 4), four);
        // Three pixels on two: each covers one and a half.
        let three = image(3, &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        let two = three.resized(2, 2).pixels;
        assert!(
            (two[0] - 2.0 / 3.0).abs() < 1e-6 && two[1] == 0.0,
            "{two:?}"
        );
    }

    #[test]
    fn a_wide_image_is_centred_on_its_background() {
        let wide = image(4, &[0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
        assert_eq!(
            wide.resized(4, 4).pixels,
            [
                0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
            ]
        );
    }

    #[test]
    fn dark_on_light_is_recognised_by_the_rim() {
        let ink = image(3, &[1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert!(ink.is_dark_on_light());
        assert!(!ink.inverted().is_dark_on_light());
    }
}
