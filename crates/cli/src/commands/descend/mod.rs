//! `emberlab descend`: optimisers on a function of two numbers, or the loss around a trained network.

mod around_network;
mod choices;
mod pictures;
mod surface;

use std::path::PathBuf;
use std::process::ExitCode;

use emberlab_analysis::{Pair, Surface};
use emberlab_pictures::Svg;

use self::choices::{Descender, Schedule};
use crate::arguments::{Running, Shared};
use crate::failure::Failure;
use crate::output_files::{write, write_picture};

/// Show how optimisers descend a surface, or the loss around a trained network.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The function to minimise.
    #[arg(long, value_name = "NAME", default_value = "cosine-bowl", value_parser = choices::surface_parser())]
    surface: &'static Surface,
    /// Optimiser to use; may be repeated; all of them by default.
    #[arg(long, value_name = "NAME", value_parser = choices::descender_parser())]
    optimizer: Vec<&'static Descender>,
    /// Learning rate; may be repeated; by default one that suits the surface and the optimiser.
    #[arg(long, value_name = "RATE")]
    learning_rate: Vec<f64>,
    /// Schedule of the learning rate; may be repeated.
    #[arg(long, value_name = "NAME", default_value = "constant", value_parser = choices::schedule_parser())]
    schedule: Vec<&'static Schedule>,
    /// Factor of every step, for the schedules that have one, such as `exponential`.
    #[arg(long, default_value_t = 0.9, value_name = "FACTOR")]
    decay: f64,
    /// Number of steps; by default as many as suit the surface.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: Option<u32>,
    /// Point to start from, such as `1,-2`.
    #[arg(long, value_name = "X,Y", value_parser = point, allow_hyphen_values = true)]
    start: Option<Pair>,
    /// Show the loss around the trained network of this run instead.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["optimizer", "learning_rate", "start"])]
    run: Option<String>,
    /// With `--run`: number of points along each of the two directions.
    #[arg(long, default_value_t = 31, value_name = "N", requires = "run", value_parser = clap::value_parser!(u16).range(3..=301))]
    nodes: u16,
    /// With `--run`: distance to go in each direction, in lengths of the weights.
    #[arg(long, default_value_t = 1.0, value_name = "LENGTH", requires = "run")]
    reach: f64,
    /// With `--run`: seed of the two random directions.
    #[arg(long, default_value_t = 0, value_name = "SEED", requires = "run")]
    seed: u64,
    /// Folder to write pictures and CSV files to.
    #[arg(long, default_value = "descent", value_name = "DIR")]
    out: PathBuf,
    /// Write every picture as PNG too.
    #[arg(long)]
    png: bool,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Device and threads.
    #[command(flatten)]
    running: Running,
}

/// Two numbers with a comma between them.
fn point(text: &str) -> Result<Pair, String> {
    let number = |text: &str| text.trim().parse().ok().filter(|x: &f64| x.is_finite());
    let numbers = text
        .split_once(',')
        .and_then(|(x, y)| Some([number(x)?, number(y)?]));
    numbers
        .ok_or_else(|| "expected two numbers with a comma between them, such as 1,-2".to_string())
}

/// Descends a surface, or measures the loss around a trained network.
///
/// # Errors
/// [`Failure`] if a setting is out of its range, a run cannot be loaded, or pictures cannot be written.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    args.running.set_threads()?;
    match &args.run {
        Some(name) => around_network::run(args, name, shared),
        None => surface::run(args),
    }
}

/// Writes pictures and numbers into the output folder; returns the files.
fn save(
    args: &Args,
    pictures: &[(&str, Svg)],
    (csv_name, csv): (&str, String),
) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for (name, svg) in pictures {
        files.extend(write_picture(&args.out.join(name), svg, args.png)?);
    }
    let csv_path = args.out.join(csv_name);
    write(&csv_path, csv.as_bytes())?;
    files.push(csv_path);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_two_numbers() {
        assert_eq!(point("1,-2.5"), Ok([1.0, -2.5]));
        for wrong in ["1", "1 2", "1,2,3", "a,1", "nan,1", ""] {
            assert!(point(wrong).is_err(), "{wrong:?}");
        }
    }
}
