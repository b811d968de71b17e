//! Small images of numbers: grey values, weights, probabilities.

use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::error::PictureError;
use crate::field::{Field, range};
use crate::theme::Tone;

/// A small image, row after row from the top, with transparency: what is transparent shows the background, so
/// that one image suits light and dark.
#[derive(Debug, Clone, PartialEq)]
pub struct Bitmap {
    width: usize,
    height: usize,
    rgba: Vec<u8>,
}

/// How much colour covers the background at most, so that what is drawn on it stays readable.
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

    /// Grey values from `dark` (black) to `light` (white), as drawings of digits have them.
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

    /// Negative values blue, positive ones vermillion, zero transparent, `limit` (by default the largest
    /// magnitude) at full strength: weights, gradients, feature maps.
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

    /// A field in shades of grey, its smallest value transparent and its largest the strongest, or over
    /// `limits`: what is drawn on it in colour stays easy to see.
    pub fn shades(field: &Field, limits: Option<(f64, f64)>) -> Self {
        let (min, max) = limits.or_else(|| field.range()).unwrap_or((0.0, 1.0));
        let span = if max > min { max - min } else { 1.0 };
        Self::of_field(field, |value| {
            let [r, g, b] = MIDDLE_GREY;
            [r, g, b, byte(COVER * (value - min) / span)]
        })
    }

    /// Probabilities of class 1: blue where it is 0, transparent at 0.5, vermillion at 1.
    pub fn probabilities(field: &Field) -> Self {
        Self::of_field(field, |p| {
            tinted(
                Tone::Series(usize::from(p > 0.5)),
                COVER * (2.0 * p - 1.0).abs(),
            )
        })
    }

    /// The likeliest of several classes at each node, in its colour, the stronger the likelier:
    /// `probabilities[class]` is the field of one class.
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

    /// Rows of a field go upwards, those of an image downwards.
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
        format!("data:image/png;base64,{}", STANDARD.encode(png(self)))
    }
}

/// The image as a PNG file: <https://www.w3.org/TR/png/>.
///
/// The `png` crate would ask for features of its dependencies that Burn shares, and have all of Burn compiled
/// once more.
fn png(bitmap: &Bitmap) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], content: &[u8]| {
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(content);
        file.extend((content.len() as u32).to_be_bytes());
        file.extend(kind);
        file.extend(content);
        file.extend(sum.sum().to_be_bytes());
    };
    let mut header = Vec::new();
    header.extend((bitmap.width as u32).to_be_bytes());
    header.extend((bitmap.height as u32).to_be_bytes());
    // Eight bits, red, green, blue and opacity, compressed, not interlaced.
    header.extend([8, 6, 0, 0, 0]);
    chunk(b"IHDR", &header);
    // Each row says how it is predicted: from the row above, which suits smooth fields.
    let stride = bitmap.width * 4;
    let mut rows = Vec::with_capacity((stride + 1) * bitmap.height);
    let mut above = vec![0; stride];
    for row in bitmap.rgba.chunks(stride) {
        rows.push(2);
        rows.extend(
            row.iter()
                .zip(&above)
                .map(|(byte, above)| byte.wrapping_sub(*above)),
        );
        above.copy_from_slice(row);
    }
    let mut compressor = ZlibEncoder::new(Vec::new(), Compression::best());
    let compressed = compressor
        .write_all(&rows)
        .and_then(|()| compressor.finish());
    // Writing into memory does not fail.
    chunk(b"IDAT", &compressed.unwrap_or_default());
    chunk(b"IEND", &[]);
    file
}

/// A tone that covers the background by `strength`, 0 to 1.
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
    fn an_even_chance_is_transparent_and_nan_too() {
        let field =
            Field::new((0.0, 1.0), (0.0, 1.0), 2, 2, vec![0.5, f64::NAN, 0.0, 1.0]).expect("four");
        let bitmap = Bitmap::probabilities(&field);
        assert_eq!((bitmap.rgba[11], bitmap.rgba[15]), (0, 0));
    }

    #[test]
    fn the_png_of_one_pixel_is_what_the_standard_says() {
        let dot = Bitmap::grey(1, 1, &[1.0], (0.0, 1.0)).expect("one pixel");
        let file = png(&dot);
        assert_eq!(file[..8], *b"\x89PNG\r\n\x1a\n");
        // python: zlib.crc32(b"IHDR" + struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0)), and of b"IEND"
        assert_eq!(file[29..33], 0x1f15_c489_u32.to_be_bytes());
        assert_eq!(file[file.len() - 4..], 0xae42_6082_u32.to_be_bytes());
        let mut row = Vec::new();
        let compressed = &file[41..file.len() - 16];
        flate2::write::ZlibDecoder::new(&mut row)
            .write_all(compressed)
            .expect("zlib");
        assert_eq!(row, [2, 255, 255, 255, 255]);
    }

    #[test]
    fn values_that_do_not_fill_the_image_are_refused() {
        let error = Bitmap::grey(8, 8, &[0.0; 63], (0.0, 16.0)).expect_err("one is missing");
        assert_eq!(error.to_string(), "63 values for a grid of 8 × 8");
    }
}
