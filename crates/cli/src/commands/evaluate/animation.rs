//! The decision boundary while a network learns, as an animated PNG for slides.

use emberlab_pictures::{Picture, Svg, animated_png};
use emberlab_report::predictions::boundary_chart;
use emberlab_run_format::{Boundary, DEFAULT_THRESHOLD, Frame, RunFolder};

use crate::failure::Failure;

/// Pixels for each CSS pixel.
const SCALE: f32 = 1.5;

/// An animated PNG of the decision boundary at the recorded moments of a training, with the epoch in it. Of two
/// classes, the second is predicted above a probability of one half. `run` is the name of the run, for errors.
///
/// # Errors
/// [`Failure::Usage`] if no boundary was recorded; [`Failure`] if the recorded frames cannot be read or drawn.
pub fn boundary_animation(
    folder: &RunFolder,
    run: &str,
    class_names: &[String],
) -> Result<Vec<u8>, Failure> {
    let Some((header, frames)) = folder.frames()? else {
        return Err(Failure::Usage(format!(
            "{run} has no recorded frames to animate: `train` records some unless `inspect.every` is \"never\", and `compare` does so only if its file has `[inspect]`"
        )));
    };
    let of_boundary = |frame: Frame| -> Option<(f64, Boundary)> {
        let region = header.region.clone()?;
        let boundary = Boundary {
            x: region.x,
            y: region.y,
            columns: region.side,
            rows: region.side,
            cells: frame.boundary?,
            points: region.points,
            classes: region.classes,
            note: String::new(),
        };
        Some((frame.epoch, boundary))
    };
    let boundaries: Vec<(f64, Boundary)> = frames.into_iter().filter_map(of_boundary).collect();
    if boundaries.is_empty() {
        return Err(Failure::Usage(format!(
            "`--animate` draws the decision boundary of a network with two inputs, and {run} has recorded none"
        )));
    }
    let mut pictures: Vec<Svg> = Vec::new();
    for (epoch, boundary) in &boundaries {
        let title = title(*epoch);
        let size = (560.0, 460.0);
        let chart = boundary_chart(&title, boundary, class_names, DEFAULT_THRESHOLD, size)?;
        pictures.push(chart.render()?);
    }
    Ok(animated_png(&pictures, SCALE)?)
}

/// The title of the picture after this number of epochs.
fn title(epoch: f64) -> String {
    match epoch {
        0.0 => "before training".to_string(),
        whole if whole.fract() == 0.0 => format!("after epoch {whole}"),
        part => format!("after {part:.2} epochs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_says_how_many_epochs_are_done() {
        let titles = [0.0, 67.0, 0.125].map(title);
        assert_eq!(
            titles,
            ["before training", "after epoch 67", "after 0.12 epochs"]
        );
    }
}
