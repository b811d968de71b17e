//! Writes pictures to files.

use std::path::{Path, PathBuf};

use emberlab_experiments::ExperimentError;
use emberlab_pictures::Svg;
use emberlab_storage::replace;

use crate::failure::Failure;

/// Writes a file, and creates the folders above it.
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

/// Writes a picture as `NAME.svg`, and with `as_png` also as `NAME.png`; returns the files.
///
/// # Errors
/// [`Failure`] if they cannot be written, or if there is no font for the PNG.
pub fn write_picture(path: &Path, svg: &Svg, as_png: bool) -> Result<Vec<PathBuf>, Failure> {
    let vector = path.with_extension("svg");
    write(&vector, svg.standalone().as_bytes())?;
    if !as_png {
        return Ok(vec![vector]);
    }
    let pixels = path.with_extension("png");
    // Two pixels for each CSS pixel, which is sharp on high-resolution screens.
    write(&pixels, &svg.png(2.0)?)?;
    Ok(vec![vector, pixels])
}
