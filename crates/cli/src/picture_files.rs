//! Pictures as files.

use std::path::{Path, PathBuf};

use emberlab_experiments::ExperimentError;
use emberlab_pictures::Svg;
use emberlab_storage::replace;

use crate::failure::Failure;

/// Writes a file and the folders above it.
///
/// # Errors
/// [`Failure`] if they cannot be written.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::Failed(format!("cannot make {}: {error}", folder.display()))
        })?;
    }
    Ok(replace(path, content).map_err(ExperimentError::from)?)
}

/// Writes a picture as `NAME.svg`, and as `NAME.png` where that is asked for; returns the files.
///
/// # Errors
/// [`Failure`] if they cannot be written, or if no font is there for the PNG.
pub fn write_picture(path: &Path, svg: &Svg, as_png: bool) -> Result<Vec<PathBuf>, Failure> {
    let vector = path.with_extension("svg");
    write(&vector, svg.standalone().as_bytes())?;
    if !as_png {
        return Ok(vec![vector]);
    }
    let pixels = path.with_extension("png");
    // Two pixels for each CSS pixel: sharp on today's screens.
    write(&pixels, &svg.png(2.0)?)?;
    Ok(vec![vector, pixels])
}
