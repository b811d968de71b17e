//! Small images of numbers: grey values, weights, probabilities.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};

use crate::error::PictureError;
use crate::field::{Field, range};
use crate::theme::Tone;

/// A small image with transparency, row by row from the top.
///
/// Transparent pixels show the background of the page, so that one image suits light and dark pages.
#[derive(Debug, Clone, PartialEq)]
pub struct Bitmap {
    width: usize,
    height: usize,
    rgba: Vec<u8>,
}

/// The largest opacity of a coloured background, so that lines drawn over it stay readable.
const COVER: f64 = 0.62;

/// A grey that darkens white and lightens black.
const MIDDLE_GREY: [u8; 3] = [0x80, 0x88, 0x90];

impl Bitmap {
    fn of(
        width: usize,
        height: usize,
        values: &[f64],
        color: impl Fn(f64) -> [u8; 4],
    ) -> Result<Self, PictureError> {
        if width == 0 || height == 0 || values.len() != width * height {
            return Err(PictureError::Grid {
                width,
                height,
                found: values.len(),
            });
        }
        let rgba = values.iter().flat_map(|value| color(*value)).collect();
        Ok(Self {
            width,
            height,
            rgba,
        })
    }

    /// An image of grey values, from `dark` (black) to `light` (white), such as a handwritten digit.
    ///
    /// # Errors
    /// [`PictureError::Grid`] unless there are `width · height` values.
    pub fn grey(
        width: usize,
        height: usize,
        values: &[f64],
        (dark, light): (f64, f64),
    ) -> Result<Self, PictureError> {
        Self::of(width, height, values, |value| {
            let level = byte((value - dark) / (light - dark));
            [level, level, level, 255]
        })
    }

    /// A photograph: `[3 × height × width]` bytes of red, then of green, then of blue.
    ///
    /// # Errors
    /// [`PictureError::Grid`] unless there are `3 · width · height` values.
    pub fn rgb(width: usize, height: usize, values: &[u8]) -> Result<Self, PictureError> {
        let size = width * height;
        if size == 0 || values.len() != 3 * size {
            return Err(PictureError::Grid {
                width,
                height,
                found: values.len(),
            });
        }
        let (red, rest) = values.split_at(size);
        let (green, blue) = rest.split_at(size);
        let pixels = red.iter().zip(green).zip(blue);
        Ok(Self {
            width,
            height,
            rgba: pixels.flat_map(|((&r, &g), &b)| [r, g, b, 255]).collect(),
        })
    }

    /// An image of signed numbers, such as weights or gradients: negative values are blue, positive ones
    /// vermillion, zero is transparent. Colours reach full strength at magnitude `limit` (by default the largest
    /// magnitude).
    ///
    /// # Errors
    /// [`PictureError::Grid`] unless there are `width · height` values.
    pub fn signed(
        width: usize,
        height: usize,
        values: &[f64],
        limit: Option<f64>,
    ) -> Result<Self, PictureError> {
        let largest = || range(values.iter().map(|value| value.abs())).map_or(1.0, |(_, max)| max);
        let limit = limit.unwrap_or_else(largest).max(f64::MIN_POSITIVE);
        Self::of(width, height, values, |value| {
            tinted(Tone::Series(usize::from(value > 0.0)), value.abs() / limit)
        })
    }

    /// A field in shades of grey, so that coloured lines over it are easy to see.
    ///
    /// The lower limit is transparent and the upper one is darkest; without `limits` these are the smallest and
    /// the largest value.
    pub fn shades(field: &Field, limits: Option<(f64, f64)>) -> Self {
        let (min, max) = limits.or_else(|| field.range()).unwrap_or((0.0, 1.0));
        let span = if max > min { max - min } else { 1.0 };
        Self::of_field(field, |value| {
            let [r, g, b] = MIDDLE_GREY;
            [r, g, b, byte(COVER * (value - min) / span)]
        })
    }

    /// A field of probabilities of class 1: blue at 0, transparent at 0.5, vermillion at 1.
    pub fn probabilities(field: &Field) -> Self {
        Self::of_field(field, |p| {
            tinted(
                Tone::Series(usize::from(p > 0.5)),
                COVER * (2.0 * p - 1.0).abs(),
            )
        })
    }

    /// The most probable of several classes at each node, in the colour of that class; higher probabilities have
    /// stronger colours. `probabilities[class]` is the field of one class.
    ///
    /// # Errors
    /// [`PictureError::Grid`] if the fields differ in size, or there is none.
    pub fn classes(probabilities: &[Field]) -> Result<Self, PictureError> {
        let Some(first) = probabilities.first() else {
            return Err(PictureError::Grid {
                width: 0,
                height: 0,
                found: 0,
            });
        };
        if let Some(other) = probabilities
            .iter()
            .find(|f| (f.width, f.height) != (first.width, first.height))
        {
            let (width, height) = (first.width, first.height);
            return Err(PictureError::Grid {
                width,
                height,
                found: other.values.len(),
            });
        }
        let chance = 1.0 / probabilities.len() as f64;
        let indices = Field {
            values: (0..first.values.len()).map(|i| i as f64).collect(),
            ..first.clone()
        };
        Ok(Self::of_field(&indices, |node| {
            let likeliest = probabilities
                .iter()
                .map(|field| field.values[node as usize])
                .enumerate()
                .max_by(|a, b| a.1.total_cmp(&b.1));
            likeliest.map_or([0; 4], |(class, p)| {
                tinted(
                    Tone::Series(class),
                    COVER * ((p - chance) / (1.0 - chance)).clamp(0.15, 1.0),
                )
            })
        }))
    }

    /// Colours the nodes of a field. The rows of a field go upwards, those of an image downwards.
    fn of_field(field: &Field, color: impl Fn(f64) -> [u8; 4]) -> Self {
        let rgba = field
            .values
            .chunks(field.width)
            .rev()
            .flatten()
            .flat_map(|value| color(*value))
            .collect();
        Self {
            width: field.width,
            height: field.height,
            rgba,
        }
    }

    /// Width over height.
    pub(crate) fn aspect(&self) -> f64 {
        self.width as f64 / self.height as f64
    }

    /// A `data:` address that holds the image as PNG.
    pub(crate) fn data_url(&self) -> String {
        // Writing into memory does not fail.
        let file = encoded(self).unwrap_or_default();
        format!("data:image/png;base64,{}", STANDARD.encode(file))
    }
}

/// The image as a PNG file.
fn encoded(bitmap: &Bitmap) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, bitmap.width as u32, bitmap.height as u32);
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bitmap.rgba)?;
    writer.finish()?;
    Ok(file)
}

/// A tone with the opacity `strength`, from 0 to 1.
fn tinted(tone: Tone, strength: f64) -> [u8; 4] {
    let [r, g, b] = tone.rgb();
    [r, g, b, byte(strength)]
}

fn byte(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_drawn_with_its_smallest_y_at_the_bottom() {
        let field = Field::of((0.0, 1.0), (0.0, 1.0), 2, 2, |_, y| y);
        let bitmap = Bitmap::probabilities(&field);
        let [r, g, b] = Tone::Series(1).rgb();
        assert_eq!(
            bitmap.rgba[..4],
            [r, g, b, byte(COVER)],
            "class 1 is at the top"
        );
        let [r, g, b] = Tone::Series(0).rgb();
        assert_eq!(bitmap.rgba[8..12], [r, g, b, byte(COVER)]);
    }

    #[test]
    fn probability_one_half_and_nan_are_transparent() {
        let field =
            Field::new((0.0, 1.0), (0.0, 1.0), 2, 2, vec![0.5, f64::NAN, 0.0, 1.0]).expect("four");
        let bitmap = Bitmap::probabilities(&field);
        assert_eq!((bitmap.rgba[11], bitmap.rgba[15]), (0, 0));
    }

    #[test]
    fn a_photograph_has_its_channels_one_after_the_other() {
        let bitmap = Bitmap::rgb(2, 1, &[1, 2, 3, 4, 5, 6]).expect("two pixels");
        assert_eq!(bitmap.rgba, [1, 3, 5, 255, 2, 4, 6, 255]);
        let error = Bitmap::rgb(2, 1, &[1, 2, 3, 4, 5]).expect_err("one is missing");
        assert_eq!(error.to_string(), "5 values for a grid of 2 × 1");
    }

    #[test]
    fn the_png_file_holds_every_pixel() {
        let field = Field::of((0.0, 1.0), (0.0, 1.0), 7, 5, |x, y| x * y);
        let bitmap = Bitmap::probabilities(&field);
        let file = encoded(&bitmap).expect("into memory");
        let decoder = png::Decoder::new(std::io::Cursor::new(file));
        let mut reader = decoder.read_info().expect("a header");
        let mut pixels = vec![0; 7 * 5 * 4];
        let frame = reader.next_frame(&mut pixels).expect("pixels");
        assert_eq!((frame.width, frame.height), (7, 5));
        assert_eq!(pixels, bitmap.rgba);
    }

    #[test]
    fn values_that_do_not_fill_the_image_are_refused() {
        let error = Bitmap::grey(8, 8, &[0.0; 63], (0.0, 16.0)).expect_err("one is missing");
        assert_eq!(error.to_string(), "63 values for a grid of 8 × 8");
    }
}
