//! PNG and JPEG files as inputs of a network.

use std::io::Cursor;
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{
    DynamicImage, GrayImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Luma, Pixel, Rgb,
    RgbImage, Rgba,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::jpeg;
use crate::error::DatasetError;

/// The largest accepted width and height.
const MAX_SIDE: u32 = 16_384;

/// The colours of the images that a network takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Color {
    /// One channel: the luma of ITU-R BT.601, as in Pillow's mode `L`.
    #[default]
    Grey,
    /// Three channels: red, green and blue.
    Rgb,
}

impl Color {
    /// Number of channels.
    pub fn num_channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }

    /// The colours of images of one or three channels; `None` for other numbers.
    pub fn of_channels(num_channels: usize) -> Option<Self> {
        [Self::Grey, Self::Rgb]
            .into_iter()
            .find(|color| color.num_channels() == num_channels)
    }
}

/// An image of a file, in red, green and blue of 8 bits.
#[derive(Debug, Clone, PartialEq)]
pub struct InputImage {
    pixels: RgbImage,
}

impl InputImage {
    /// Reads a PNG or JPEG file.
    ///
    /// The image is turned upright as its EXIF data say. Transparent pixels are laid over white, and channels of 16
    /// bits are rounded to 8. Colour profiles are ignored.
    ///
    /// # Errors
    /// [`DatasetError::Io`] if the file cannot be read; [`DatasetError::Image`] if it is neither a PNG nor a JPEG file,
    /// is damaged or incomplete, or has more than 16384 pixels on a side.
    pub fn load(path: &Path) -> Result<Self, DatasetError> {
        let bytes = std::fs::read(path).map_err(DatasetError::io(path))?;
        let image = decode(&bytes).map_err(|reason| DatasetError::Image {
            path: path.to_owned(),
            reason,
        })?;
        let mut pixels = RgbImage::new(image.width(), image.height());
        for (pixel, &rgba) in pixels.pixels_mut().zip(image.into_rgba8().pixels()) {
            *pixel = over_white(rgba);
        }
        Ok(Self { pixels })
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.pixels.width() as usize
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.pixels.height() as usize
    }

    /// Whether the image is dark on light: its rim is lighter than middle grey.
    pub fn is_dark_on_light(&self) -> bool {
        let (right, bottom) = (self.pixels.width() - 1, self.pixels.height() - 1);
        let is_rim = |x, y| x == 0 || y == 0 || x == right || y == bottom;
        let rim = self.pixels.enumerate_pixels();
        let rim = rim.filter(|&(x, y, _)| is_rim(x, y));
        let (sum, count) = rim.fold((0, 0), |(sum, count), (_, _, pixel)| {
            (sum + u64::from(luma(*pixel)), count + 1)
        });
        2 * sum > 255 * count
    }

    /// The image with black and white exchanged.
    pub fn inverted(mut self) -> Self {
        imageops::invert(&mut self.pixels);
        self
    }

    /// The whole image in another size and in the colours of a network: `[channels × height × width]`, each from 0 to
    /// 255, which is white.
    ///
    /// The proportions are kept: the image is centred, and the rest gets the colour of its top left corner. Pixels are
    /// interpolated linearly, over the area that they cover where the image shrinks, as by Pillow's `BILINEAR`.
    ///
    /// # Panics
    /// If `width` or `height` is 0 or above [`u32::MAX`].
    pub fn to_input(&self, width: usize, height: usize, color: Color) -> Vec<u8> {
        match color {
            Color::Grey => {
                let mut grey = GrayImage::new(self.pixels.width(), self.pixels.height());
                for (pixel, &rgb) in grey.pixels_mut().zip(self.pixels.pixels()) {
                    *pixel = Luma([luma(rgb)]);
                }
                fitted(&grey, width, height).into_raw()
            }
            Color::Rgb => {
                let fitted = fitted(&self.pixels, width, height);
                (0..color.num_channels())
                    .flat_map(|channel| fitted.pixels().map(move |pixel| pixel.0[channel]))
                    .collect()
            }
        }
    }
}

/// Decodes a whole file, upright.
fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    let damaged = |error| format!("it is damaged: {error}");
    let format = match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) if !jpeg::is_complete(bytes) => {
            return Err("it is damaged: its end is missing".to_owned());
        }
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png)) => format,
        Ok(_) | Err(_) => return Err("it is neither a PNG nor a JPEG file".to_owned()),
    };
    let reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut decoder = reader.into_decoder().map_err(&damaged)?;
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(format!(
            "it has {width} × {height} pixels, expected at most {MAX_SIDE} on a side"
        ));
    }
    let orientation = decoder.orientation().map_err(&damaged)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(&damaged)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn over_white(Rgba([red, green, blue, opacity]): Rgba<u8>) -> Rgb<u8> {
    let opacity = u32::from(opacity);
    let mixed = |channel| (u32::from(channel) * opacity + 255 * (255 - opacity) + 127) / 255;
    Rgb([red, green, blue].map(|channel| mixed(channel) as u8))
}

/// The brightness by ITU-R BT.601, in the fixed-point numbers of Pillow.
fn luma(Rgb(rgb): Rgb<u8>) -> u8 {
    let [red, green, blue] = rgb.map(u32::from);
    ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16) as u8
}

/// The whole image, as large as fits, in the middle of an image of another size.
fn fitted<P: Pixel<Subpixel = u8> + 'static>(
    image: &ImageBuffer<P, Vec<u8>>,
    width: usize,
    height: usize,
) -> ImageBuffer<P, Vec<u8>> {
    let [new_width, new_height] = [width, height].map(|side| side as u32);
    let [old_width, old_height] = [image.width(), image.height()].map(f64::from);
    let scale = (f64::from(new_width) / old_width).min(f64::from(new_height) / old_height);
    let [inner_width, inner_height] =
        [old_width, old_height].map(|side| (side * scale).round().max(1.0) as u32);
    let inner = imageops::resize(image, inner_width, inner_height, FilterType::Triangle);
    let mut whole = ImageBuffer::from_pixel(new_width, new_height, *image.get_pixel(0, 0));
    let left = (new_width - inner_width) / 2;
    let top = (new_height - inner_height) / 2;
    imageops::replace(&mut whole, &inner, left.into(), top.into());
    whole
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use image::codecs::jpeg::JpegEncoder;
    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, ImageEncoder};

    use super::*;

    fn png(width: u32, height: u32, color: ExtendedColorType, bytes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let encoder = PngEncoder::new(&mut file);
        encoder.write_image(bytes, width, height, color).unwrap();
        file
    }

    fn jpeg(width: u32, height: u32, color: ExtendedColorType, bytes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut file, 100);
        encoder.write_image(bytes, width, height, color).unwrap();
        file
    }

    fn load(file: &[u8]) -> Result<InputImage, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        std::fs::write(&path, file).unwrap();
        let prefix = format!("{}: ", path.display());
        InputImage::load(&path).map_err(|e| e.to_string().replace(&prefix, ""))
    }

    fn grey(width: u32, pixels: &[u8]) -> InputImage {
        let height = pixels.len() as u32 / width;
        load(&png(width, height, ExtendedColorType::L8, pixels)).unwrap()
    }

    /// 7 × 5 pixels: red grows to the right, green downwards, blue with both.
    fn gradient() -> InputImage {
        let pixels: Vec<u8> = (0..35)
            .map(|i| (i % 7, i / 7))
            .flat_map(|(x, y)| [x * 36, y * 60, x * y * 10])
            .collect();
        load(&png(7, 5, ExtendedColorType::Rgb8, &pixels)).unwrap()
    }

    fn assert_near(found: &[u8], expected: &[u8], tolerance: u8) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!(a.abs_diff(*b) <= tolerance, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn grey_is_the_luma_of_pillow() {
        // a = np.array([[[x * 36, y * 60, x * y * 10] for x in range(7)] for y in range(5)], dtype=np.uint8)
        // np.array(Image.fromarray(a).convert("L"))[2]
        let input = gradient().to_input(7, 5, Color::Grey);
        assert_eq!(input[14..21], [70, 83, 97, 110, 123, 136, 149]);
    }

    #[test]
    fn smaller_images_equal_pillows() {
        // r = Image.fromarray(a).resize((4, 3), Image.BILINEAR); np.moveaxis(np.array(r), 2, 0).ravel()
        let expected = [
            19, 75, 141, 197, 19, 75, 141, 197, 19, 75, 141, 197, //
            26, 26, 26, 26, 120, 120, 120, 120, 214, 214, 214, 214, //
            2, 9, 17, 24, 10, 42, 78, 110, 19, 74, 140, 195,
        ];
        assert_near(&gradient().to_input(4, 3, Color::Rgb), &expected, 1);
        // Image.fromarray(a).convert("L").resize((4, 3), Image.BILINEAR)
        let expected = [21, 39, 59, 77, 77, 98, 122, 142, 134, 157, 184, 207];
        assert_near(&gradient().to_input(4, 3, Color::Grey), &expected, 1);
    }

    #[test]
    fn larger_images_equal_pillows() {
        // np.array(Image.fromarray(a).resize((14, 10), Image.BILINEAR))[3, :, 0]
        let expected = [0, 9, 27, 45, 63, 81, 99, 117, 135, 153, 171, 189, 207, 216];
        let input = gradient().to_input(14, 10, Color::Rgb);
        assert_near(&input[3 * 14..4 * 14], &expected, 1);
    }

    #[test]
    fn an_image_of_the_right_size_is_not_changed() {
        let pixels: Vec<u8> = (0..64).map(|i| i * 4).collect();
        assert_eq!(grey(8, &pixels).to_input(8, 8, Color::Grey), pixels);
    }

    #[test]
    fn a_wide_image_is_centred_on_its_background() {
        let wide = grey(4, &[50, 255, 255, 0, 50, 255, 255, 0]);
        assert_eq!(
            wide.to_input(4, 4, Color::Grey),
            [
                50, 50, 50, 50, 50, 255, 255, 0, 50, 255, 255, 0, 50, 50, 50, 50
            ]
        );
        // A line keeps at least one pixel.
        assert_eq!(grey(100, &[7; 100]).to_input(3, 3, Color::Rgb), [7; 27]);
    }

    #[test]
    fn dark_on_light_is_recognised_by_the_rim() {
        let ink = grey(3, &[255, 255, 255, 255, 0, 255, 255, 255, 255]);
        assert!(ink.is_dark_on_light());
        assert!(!ink.inverted().is_dark_on_light());
    }

    #[test]
    fn transparent_pixels_are_white_and_16_bits_are_rounded_to_8() {
        let rgb = |file: Vec<u8>| load(&file).unwrap().to_input(1, 1, Color::Rgb);
        let rgba = |pixel: [u8; 4]| rgb(png(1, 1, ExtendedColorType::Rgba8, &pixel));
        assert_eq!(rgba([1, 2, 3, 255]), [1, 2, 3]);
        assert_eq!(rgba([1, 2, 3, 0]), [255, 255, 255]);
        // white, blue = (Image.new("RGBA", (1, 1), color) for color in ("white", (0, 100, 200, 51)))
        // np.array(Image.alpha_composite(white, blue))
        assert_near(&rgba([0, 100, 200, 51]), &[204, 224, 244], 0);
        // PNG has the highest byte first, the encoder takes the order of the machine: round(numbers / 257).
        let wide: Vec<u8> = [0x01ff_u16, 0x8000, 0xffff]
            .iter()
            .flat_map(|x| x.to_ne_bytes())
            .collect();
        assert_eq!(
            rgb(png(1, 1, ExtendedColorType::Rgb16, &wide)),
            [2, 128, 255]
        );
    }

    #[test]
    fn a_jpeg_file_is_read_upright() {
        // Dark above, light below.
        let pixels: Vec<u8> = (0..256).map(|i| if i < 128 { 20 } else { 220 }).collect();
        let file = jpeg(16, 16, ExtendedColorType::L8, &pixels);
        let input = load(&file).unwrap().to_input(16, 16, Color::Grey);
        assert_near(&input, &pixels, 2);
        // EXIF after the first marker: one entry, the orientation 6, "turn by 90° clockwise": dark is to the right.
        let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let turned = [&file[..2], exif, &file[2..]].concat();
        let input = load(&turned).unwrap().to_input(16, 16, Color::Grey);
        let expected: Vec<u8> = (0..256)
            .map(|i| if i % 16 < 8 { 220 } else { 20 })
            .collect();
        assert_near(&input, &expected, 2);
    }

    #[test]
    fn colours_of_jpeg_files_are_read() {
        let red = [200, 30, 40].repeat(64);
        let file = jpeg(8, 8, ExtendedColorType::Rgb8, &red);
        let input = load(&file).unwrap().to_input(1, 1, Color::Rgb);
        assert_near(&input, &[200, 30, 40], 3);
    }

    #[test]
    fn cut_files_are_refused() {
        let noise: Vec<u8> = (0..400_u32).map(|i| (i * i * 7 % 251) as u8).collect();
        for (file, needed) in [
            // After the pixels of a PNG file only the empty chunk of the end follows: 12 bytes.
            (png(20, 20, ExtendedColorType::L8, &noise), 16),
            (jpeg(20, 20, ExtendedColorType::L8, &noise), 1),
        ] {
            assert!(load(&file).is_ok());
            for end in 0..=file.len() - needed {
                assert!(load(&file[..end]).is_err(), "{end} of {} bytes", file.len());
            }
        }
    }

    #[test]
    fn damaged_files_do_not_panic() {
        let noise: Vec<u8> = (0..192_u32).map(|i| (i * i * 7 % 251) as u8).collect();
        for file in [
            png(8, 8, ExtendedColorType::Rgb8, &noise),
            jpeg(8, 8, ExtendedColorType::Rgb8, &noise),
        ] {
            for i in 0..file.len() {
                for flip in [0x01, 0x55, 0xff] {
                    let mut damaged = file.clone();
                    damaged[i] ^= flip;
                    let _ = decode(&damaged);
                }
            }
        }
    }

    #[test]
    fn other_files_and_huge_images_are_refused() {
        for other in [&b"GIF89a"[..], b"hello", b""] {
            assert_eq!(
                load(other).unwrap_err(),
                "it is neither a PNG nor a JPEG file"
            );
        }
        let wide = png(20_000, 1, ExtendedColorType::L8, &[0; 20_000]);
        assert_eq!(
            load(&wide).unwrap_err(),
            "it has 20000 × 1 pixels, expected at most 16384 on a side"
        );
    }
}
