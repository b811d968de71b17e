//! Writes the files that the user names, and pictures.

use std::io::Write;
use std::path::{Path, PathBuf};

use emberlab_experiments::ExperimentError;
use emberlab_pictures::Svg;
use emberlab_storage::write_named;

use crate::failure::Failure;

/// Whether a path that the user gave stands for the standard output.
pub fn is_stdout(path: &Path) -> bool {
    path == Path::new("-") || path == Path::new("/dev/stdout")
}

/// Writes a file, and creates the folders above it; `-` is the standard output.
///
/// # Errors
/// [`Failure::Usage`] if it is a folder; another [`Failure`] if it or a folder cannot be written.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if is_stdout(path) {
        return Ok(std::io::stdout().write_all(content)?);
    }
    prepare(path)?;
    Ok(write_named(path, content).map_err(ExperimentError::from)?)
}

/// Checks that [`write()`] can write this file later, as far as that can be known, and creates the folders above it.
///
/// # Errors
/// As for [`write()`].
pub fn prepare(path: &Path) -> Result<(), Failure> {
    if is_stdout(path) {
        return Ok(());
    }
    if path.is_dir() {
        let message = format!("{} is a folder; give the name of a file", path.display());
        return Err(Failure::Usage(message));
    }
    match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder)
            .map_err(|error| Failure::Failed(format!("cannot make {}: {error}", folder.display()))),
        None => Ok(()),
    }
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
