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
/// [`Failure`] if they cannot be written, or if this build makes no PNG.
pub fn write_picture(path: &Path, svg: &Svg, as_png: bool) -> Result<Vec<PathBuf>, Failure> {
    let vector = path.with_extension("svg");
    write(&vector, svg.standalone().as_bytes())?;
    if !as_png {
        return Ok(vec![vector]);
    }
    let pixels = path.with_extension("png");
    write(&pixels, &png(svg)?)?;
    Ok(vec![vector, pixels])
}

#[cfg(feature = "png")]
fn png(svg: &Svg) -> Result<Vec<u8>, Failure> {
    // Two pixels for each CSS pixel: sharp on today's screens.
    Ok(svg.png(2.0)?)
}

#[cfg(not(feature = "png"))]
fn png(_: &Svg) -> Result<Vec<u8>, Failure> {
    Err(Failure::Usage(
        "this build makes no PNG: build with `--features png`".to_string(),
    ))
}
