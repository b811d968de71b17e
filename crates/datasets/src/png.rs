//! Decodes PNG, all but interlaced ones (W3C, Portable Network Graphics, third edition).
//!
//! A crate for it would turn on features of the decompressor that Burn shares, and compile Burn twice.

use std::io::Read;

use flate2::read::ZlibDecoder;

/// A decoded picture.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Row by row from the top.
    pub(crate) rgba: Vec<[u8; 4]>,
}

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Larger pictures are refused: nobody draws a digit on more.
const MAX_SIDE: usize = 8192;

/// What the header says.
struct Header {
    width: usize,
    height: usize,
    bit_depth: usize,
    color: Color,
}

#[derive(Clone, Copy, PartialEq)]
enum Color {
    Grey,
    Rgb,
    Palette,
    GreyAlpha,
    Rgba,
}

impl Color {
    fn num_channels(self) -> usize {
        match self {
            Self::Grey | Self::Palette => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// Decodes a whole file; what is wrong with it otherwise.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let mut rest = bytes
        .strip_prefix(SIGNATURE)
        .ok_or("it is not a PNG file")?;
    let mut header = None;
    let (mut palette, mut transparent, mut compressed) = (&[][..], &[][..], Vec::new());
    while let Some((kind, content, after)) = next_chunk(rest) {
        match kind {
            b"IHDR" => header = Some(read_header(content)?),
            b"PLTE" => palette = content,
            b"tRNS" => transparent = content,
            b"IDAT" => compressed.extend_from_slice(content),
            b"IEND" => break,
            _ => {}
        }
        rest = after;
    }
    let header = header.ok_or("it has no header")?;
    let row_bits = header.width * header.color.num_channels() * header.bit_depth;
    let row_bytes = row_bits.div_ceil(8);
    let pixel_bytes = (header.color.num_channels() * header.bit_depth).div_ceil(8);
    let size = (row_bytes + 1) * header.height;
    let mut raw = Vec::new();
    let inflated = ZlibDecoder::new(compressed.as_slice())
        .take(size as u64)
        .read_to_end(&mut raw);
    if inflated.is_err() || raw.len() < size {
        return Err("its pixels are cut short or damaged".to_string());
    }
    let mut rgba = Vec::with_capacity(header.width * header.height);
    let mut above = vec![0; row_bytes];
    for line in raw.chunks_exact(row_bytes + 1) {
        let mut row = line[1..].to_vec();
        unfilter(line[0], &mut row, &above, pixel_bytes)?;
        for column in 0..header.width {
            rgba.push(pixel(&header, &row, column, palette, transparent)?);
        }
        above = row;
    }
    Ok(Decoded {
        width: header.width,
        height: header.height,
        rgba,
    })
}

/// The type and content of the next chunk, and what follows it; none at the end, or where it is cut off.
fn next_chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let (content, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let (_checksum, rest) = rest.split_at_checked(4)?;
    Some((kind, content, rest))
}

fn read_header(content: &[u8]) -> Result<Header, String> {
    let broken = || "its header is broken".to_string();
    let content: &[u8; 13] = content.try_into().map_err(|_| broken())?;
    let side = |at: usize| {
        let bytes = [
            content[at],
            content[at + 1],
            content[at + 2],
            content[at + 3],
        ];
        u32::from_be_bytes(bytes) as usize
    };
    let (width, height) = (side(0), side(4));
    if width == 0 || height == 0 {
        return Err(broken());
    }
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(format!("{width} × {height} pixels are too many"));
    }
    if content[12] != 0 {
        return Err("it is interlaced; save it without".to_string());
    }
    let (color, depths): (Color, &[u8]) = match content[9] {
        0 => (Color::Grey, &[1, 2, 4, 8, 16]),
        2 => (Color::Rgb, &[8, 16]),
        3 => (Color::Palette, &[1, 2, 4, 8]),
        4 => (Color::GreyAlpha, &[8, 16]),
        6 => (Color::Rgba, &[8, 16]),
        _ => return Err(broken()),
    };
    if !depths.contains(&content[8]) {
        return Err(broken());
    }
    Ok(Header {
        width,
        height,
        bit_depth: usize::from(content[8]),
        color,
    })
}

/// Undoes the filter of a row (section 9 of the standard).
fn unfilter(filter: u8, row: &mut [u8], above: &[u8], pixel_bytes: usize) -> Result<(), String> {
    for i in 0..row.len() {
        let before = i.checked_sub(pixel_bytes);
        let a = before.map_or(0, |j| row[j]);
        let b = above[i];
        let c = before.map_or(0, |j| above[j]);
        let predicted = match filter {
            0 => 0,
            1 => a,
            2 => b,
            3 => u8::midpoint(a, b),
            4 => paeth(a, b, c),
            _ => return Err("its pixels are filtered in no known way".to_string()),
        };
        row[i] = row[i].wrapping_add(predicted);
    }
    Ok(())
}

/// The neighbour nearest to `a + b − c`.
fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let estimate = i16::from(a) + i16::from(b) - i16::from(c);
    let distance = |x: u8| (estimate - i16::from(x)).abs();
    if distance(a) <= distance(b) && distance(a) <= distance(c) {
        a
    } else if distance(b) <= distance(c) {
        b
    } else {
        c
    }
}

fn pixel(
    header: &Header,
    row: &[u8],
    column: usize,
    palette: &[u8],
    transparent: &[u8],
) -> Result<[u8; 4], String> {
    let num_channels = header.color.num_channels();
    // A sample as it is stored; of 16 bits the higher eight.
    let sample = |channel: usize| {
        let index = column * num_channels + channel;
        match header.bit_depth {
            8 => row[index],
            16 => row[2 * index],
            depth => {
                let bit = index * depth;
                let shift = 8 - depth - bit % 8;
                (row[bit / 8] >> shift) & ((1 << depth) - 1)
            }
        }
    };
    let grey = || match header.bit_depth {
        8 | 16 => sample(0),
        depth => sample(0) * (255 / ((1u8 << depth) - 1)),
    };
    Ok(match header.color {
        Color::Grey => [grey(), grey(), grey(), 255],
        Color::GreyAlpha => [grey(), grey(), grey(), sample(1)],
        Color::Rgb => [sample(0), sample(1), sample(2), 255],
        Color::Rgba => [sample(0), sample(1), sample(2), sample(3)],
        Color::Palette => {
            let index = usize::from(sample(0));
            let color = palette.get(3 * index..3 * index + 3);
            let color = color.ok_or("a pixel has a colour that its palette lacks")?;
            let alpha = transparent.get(index).copied().unwrap_or(255);
            [color[0], color[1], color[2], alpha]
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use std::io::Write;

    fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_be_bytes();
        // Checksums are not looked at: the compressed pixels have their own.
        [&length[..], kind, content, &[0; 4]].concat()
    }

    fn file(width: u32, height: u32, depth: u8, color: u8, rows: &[u8]) -> Vec<u8> {
        let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
        header.extend([depth, color, 0, 0, 0]);
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(rows).unwrap();
        let pixels = encoder.finish().unwrap();
        let palette = chunk(b"PLTE", &[9, 8, 7, 255, 0, 0]);
        let chunks = [chunk(b"IHDR", &header), palette, chunk(b"IDAT", &pixels)];
        [SIGNATURE, &chunks.concat(), &chunk(b"IEND", &[])].concat()
    }

    #[test]
    fn every_filter_gives_the_row_back() {
        // Five rows of 2 grey pixels, 10 and 30, filtered by 0 none, 1 sub, 2 up, 3 average, 4 paeth.
        let rows = [0, 10, 30, 1, 10, 20, 2, 0, 0, 3, 5, 10, 4, 0, 0];
        let decoded = decode(&file(2, 5, 8, 0, &rows)).unwrap();
        let greys: Vec<u8> = decoded.rgba.iter().map(|p| p[0]).collect();
        assert_eq!(greys, [10, 30].repeat(5));
    }

    #[test]
    fn colours_depths_and_palettes_are_read() {
        let of = |file: Vec<u8>| decode(&file).unwrap().rgba;
        let bits = of(file(9, 1, 1, 0, &[0, 0b1010_0000, 0b1000_0000]));
        assert_eq!((bits[0][0], bits[1][0], bits[8][0]), (255, 0, 255));
        assert_eq!(
            of(file(1, 1, 16, 2, &[0, 1, 99, 2, 99, 3, 99])),
            [[1, 2, 3, 255]]
        );
        assert_eq!(of(file(1, 1, 8, 6, &[0, 1, 2, 3, 4])), [[1, 2, 3, 4]]);
        let indexed = of(file(2, 1, 4, 3, &[0, 0x10]));
        assert_eq!(indexed, [[255, 0, 0, 255], [9, 8, 7, 255]]);
    }

    #[test]
    fn what_is_no_picture_is_refused_and_never_panics() {
        let whole = file(
            2,
            5,
            8,
            0,
            &[0, 10, 30, 1, 10, 20, 2, 0, 0, 3, 5, 10, 4, 0, 0],
        );
        assert!(decode(b"GIF89a").unwrap_err().contains("not a PNG"));
        for end in 0..whole.len() - 24 {
            assert!(decode(&whole[..end]).is_err(), "{end} bytes");
        }
        for i in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[i] ^= 0x55;
            let _ = decode(&damaged);
        }
        let colour = file(1, 1, 4, 3, &[0, 0xf0]);
        assert!(decode(&colour).unwrap_err().contains("palette"));
    }
}
