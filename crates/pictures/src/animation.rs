//! Pictures one after the other, as an animated PNG.

use crate::error::PictureError;
use crate::svg::{Fonts, Svg, failed};

/// Time for all pictures but the last, in milliseconds.
const ALL_FRAMES: usize = 6000;
/// The longest time that a picture is shown, but the last.
const LONGEST_FRAME: usize = 250;
/// Time that the last picture is shown before the first one follows again.
const LAST_FRAME: u16 = 2000;

/// Pictures of one size as an animated PNG on their light background, `scale` pixels for each CSS pixel. They take at
/// most six seconds, each at most a quarter of a second, and two more for the last one; then they begin again. A
/// program that does not know animated PNG shows the first one.
///
/// # Errors
/// [`PictureError::Empty`] without pictures, [`PictureError::Drawing`] if their sizes differ, and as [`Svg::png`].
pub fn animated_png(pictures: &[Svg], scale: f32) -> Result<Vec<u8>, PictureError> {
    let fonts = Fonts::of_the_system()?;
    let mut frames = Vec::new();
    for picture in pictures {
        frames.push(picture.pixels(scale, &fonts)?);
    }
    let Some(first) = frames.first() else {
        return Err(PictureError::Empty {
            title: "an animation".to_string(),
            reason: "no pictures",
        });
    };
    let size = (first.width(), first.height());
    if frames
        .iter()
        .any(|frame| (frame.width(), frame.height()) != size)
    {
        return Err(failed(&"the sizes of its frames differ"));
    }
    let last = frames.len() - 1;
    let frame_time = LONGEST_FRAME.min(ALL_FRAMES / last.max(1)) as u16;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.0, size.1);
    encoder.set_color(png::ColorType::Rgb);
    let num_frames = u32::try_from(frames.len()).map_err(|error| failed(&error))?;
    // Again and again.
    let animated = encoder.set_animated(num_frames, 0);
    animated.map_err(|error| failed(&error))?;
    let mut writer = encoder.write_header().map_err(|error| failed(&error))?;
    for (place, frame) in frames.iter().enumerate() {
        let delay = if place == last {
            LAST_FRAME
        } else {
            frame_time
        };
        let timed = writer.set_frame_delay(delay, 1000);
        timed.map_err(|error| failed(&error))?;
        // The background leaves no pixel transparent.
        let (pixels, _) = frame.data().as_chunks::<4>();
        let rgb: Vec<u8> = pixels
            .iter()
            .flat_map(|[r, g, b, _]| [*r, *g, *b])
            .collect();
        let written = writer.write_image_data(&rgb);
        written.map_err(|error| failed(&error))?;
    }
    writer.finish().map_err(|error| failed(&error))?;
    Ok(bytes)
}
