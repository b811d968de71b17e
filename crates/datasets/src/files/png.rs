//! Decodes PNG files of any colour type and depth to red, green, blue and opacity.

use std::io::Cursor;

use png::{ColorType, Decoder, DecodingError, Transformations};

/// A decoded image.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Row by row from the top.
    pub(crate) rgba: Vec<[u8; 4]>,
}

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The largest accepted width and height.
const MAX_SIDE: u32 = 8192;

/// Decodes a whole file.
///
/// # Errors
/// The defect of the file.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    if !bytes.starts_with(SIGNATURE) {
        return Err("it is not a PNG file".to_string());
    }
    let damaged = |error: DecodingError| format!("it is damaged: {error}");
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::normalize_to_color8() | Transformations::ALPHA);
    let (width, height) = decoder.read_header_info().map_err(damaged)?.size();
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(format!("{width} × {height} pixels are too many"));
    }
    let mut reader = decoder.read_info().map_err(damaged)?;
    let size = reader.output_buffer_size().unwrap_or_default();
    let mut numbers = vec![0; size];
    let frame = reader.next_frame(&mut numbers).map_err(damaged)?;
    // The transformations add opacity to every image.
    let rgba = match frame.color_type {
        ColorType::GrayscaleAlpha => {
            let (pixels, _) = numbers.as_chunks();
            pixels.iter().map(|&[y, a]| [y, y, y, a]).collect()
        }
        _ => numbers.as_chunks().0.to_vec(),
    };
    Ok(Decoded {
        width: width as usize,
        height: height as usize,
        rgba,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use png::{BitDepth, Encoder};

    use super::*;

    fn file(width: u32, height: u32, depth: BitDepth, color: ColorType, rows: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, width, height);
        encoder.set_depth(depth);
        encoder.set_color(color);
        if color == ColorType::Indexed {
            encoder.set_palette(&[9, 8, 7, 255, 0, 0]);
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(rows).unwrap();
        writer.finish().unwrap();
        file
    }

    #[test]
    fn colours_depths_and_palettes_are_read() {
        let of = |file: Vec<u8>| decode(&file).unwrap().rgba;
        let bits = [0b1010_0000, 0b1000_0000];
        let bits = of(file(9, 1, BitDepth::One, ColorType::Grayscale, &bits));
        assert_eq!((bits[0][0], bits[1][0], bits[8][0]), (255, 0, 255));
        assert_eq!(
            of(file(
                1,
                1,
                BitDepth::Sixteen,
                ColorType::Rgb,
                &[1, 99, 2, 99, 3, 99]
            )),
            [[1, 2, 3, 255]]
        );
        assert_eq!(
            of(file(1, 1, BitDepth::Eight, ColorType::Rgba, &[1, 2, 3, 4])),
            [[1, 2, 3, 4]]
        );
        assert_eq!(
            of(file(2, 1, BitDepth::Four, ColorType::Indexed, &[0x10])),
            [[255, 0, 0, 255], [9, 8, 7, 255]]
        );
    }

    #[test]
    fn damaged_files_are_refused_without_a_panic() {
        let pixels = [10, 30, 10, 30, 10, 30, 10, 30, 10, 30];
        let whole = file(2, 5, BitDepth::Eight, ColorType::Grayscale, &pixels);
        assert_eq!(decode(&whole).unwrap().rgba[9], [30, 30, 30, 255]);
        assert!(decode(b"GIF89a").unwrap_err().contains("not a PNG"));
        // The content after the pixels does not matter.
        let pixels_end = whole.len() - 16;
        for end in 0..pixels_end {
            assert!(decode(&whole[..end]).is_err(), "{end} bytes");
        }
        for i in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[i] ^= 0x55;
            let _ = decode(&damaged);
        }
        let wide = file(9000, 1, BitDepth::Eight, ColorType::Grayscale, &[0; 9000]);
        assert_eq!(decode(&wide).unwrap_err(), "9000 × 1 pixels are too many");
    }
}
