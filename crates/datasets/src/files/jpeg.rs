//! Whether a JPEG file is complete. Decoders fill the missing part of a cut file with grey and report no error.

/// The marker that ends an image.
const END_OF_IMAGE: u8 = 0xd9;
/// The marker in front of the compressed pixels.
const START_OF_SCAN: u8 = 0xda;
/// Markers within the compressed pixels: a byte 0xff of the data, and restarts.
const STUFFED: u8 = 0x00;
const RESTARTS: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;

/// Whether the marker at the end of the first image is in its place. Other data may follow it.
pub(crate) fn is_complete(bytes: &[u8]) -> bool {
    // The file begins with a marker that has no content.
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut is_in_scan = false;
    loop {
        // Bytes of the compressed pixels lie before the next marker.
        let Some(start) = rest.iter().position(|&byte| byte == 0xff) else {
            return false;
        };
        rest = &rest[start + 1..];
        match rest {
            [END_OF_IMAGE, ..] => return true,
            // Markers can begin with several 0xff.
            [0xff, ..] => {}
            [STUFFED, after @ ..] if is_in_scan => rest = after,
            [marker, after @ ..] if is_in_scan && RESTARTS.contains(marker) => rest = after,
            [marker, after @ ..] => {
                is_in_scan = *marker == START_OF_SCAN;
                // The length counts its own two bytes.
                let Some(&[high, low]) = after.first_chunk() else {
                    return false;
                };
                let length = usize::from(u16::from_be_bytes([high, low]));
                let Some(after) = after.get(length..) else {
                    return false;
                };
                rest = after;
            }
            [] => return false,
        }
    }
}
