//! `emberlab data`: lists, shows and fetches data sets, and describes tables.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emberlab_config_source::{ConfigSource, parse};
use emberlab_datasets::{
    DatasetConfig, DatasetError, Download, FetchProgress, Origin, Samples, Summary, Targets, fetch,
};
use emberlab_experiments::guess_label;
use emberlab_menu::Menu as _;
use emberlab_tables::describe;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;

use crate::arguments::Shared;
use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::progress::number;
use crate::table_format::TableFormat;
use crate::{data_dirs, table_description, tables};

/// List, show and download data sets, or describe a table.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the data sets, and where each comes from.
    List,
    /// Show a data set: its shape, classes, ranges and a few samples.
    Show {
        /// Name of a data set, or a TOML file that describes one.
        name: String,
        /// Override a key of the data set, such as `noise=0.3`; may be repeated.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        overrides: Vec<String>,
    },
    /// Describe a table: its format, what each column is taken for, and what to look out for.
    Describe {
        /// The table.
        file: PathBuf,
        /// The column to learn: its classes are counted, and columns that give it away are found.
        #[arg(long, value_name = "COLUMN")]
        label: Option<String>,
        /// Print the whole description as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        format: TableFormat,
    },
    /// Download a data set into the data folder.
    Fetch {
        /// A data set that `emberlab data list` offers to fetch, such as `mnist`.
        name: String,
        /// Address of a folder to download from instead; may be repeated.
        #[arg(long, value_name = "URL")]
        mirror: Vec<String>,
    },
}

/// Runs `emberlab data`.
///
/// # Errors
/// [`Failure`] if a data set is unknown, missing or broken.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    match &args.action {
        Action::List => list(shared)?,
        Action::Show { name, overrides } => show(name, overrides, shared)?,
        Action::Describe {
            file,
            label,
            json,
            format,
        } => describe_table(file, label.as_deref(), *json, format, shared)?,
        Action::Fetch { name, mirror } => download(name, mirror, shared)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The part of an experiment that is read here: its seed and its data set.
#[derive(Debug, Deserialize)]
struct OnlyDataset {
    #[serde(default)]
    seed: u64,
    dataset: DatasetConfig,
}

fn list(shared: &Shared) -> Result<(), Failure> {
    let mut table = tables::table(["data set", "what it is", "where it is"], 3);
    for (config, summary) in DatasetConfig::examples()
        .iter()
        .zip(DatasetConfig::summaries())
    {
        let place = match config.origin() {
            Origin::Generated => "generated".to_string(),
            Origin::Embedded => "in the program".to_string(),
            Origin::Configuration => "in the configuration".to_string(),
            Origin::OwnFile => "your own files".to_string(),
            Origin::Fetched(Download {
                dataset, folder, ..
            }) => {
                let mut folders = data_dirs::all(shared).into_iter();
                let found = folders.find(|dir| dir.join(folder).is_dir());
                match found {
                    Some(dir) => dir.join(folder).display().to_string(),
                    None => format!("emberlab data fetch {dataset}"),
                }
            }
        };
        table.add_row([config.name(), &summary, &place]);
    }
    writeln!(std::io::stdout(), "{table}")?;
    Ok(())
}

fn show(name: &str, overrides: &[String], shared: &Shared) -> Result<(), Failure> {
    let source = if DatasetConfig::NAMES.contains(&name) {
        ConfigSource::new(
            format!("data set {name}"),
            format!("[dataset]\nname = \"{name}\"\n"),
        )
    } else if PathBuf::from(name).is_file() {
        ConfigSource::load(name)?
    } else {
        return Err(Failure::Usage(format!(
            "there is no data set or file `{name}`; there are {}",
            DatasetConfig::NAMES.join(", ")
        )));
    };
    let inside: Vec<String> = overrides.iter().map(|o| format!("dataset.{o}")).collect();
    let OnlyDataset { seed, dataset } = parse(&source.with_overrides(&inside)?)?;
    let loaded = dataset.load(&data_dirs::all(shared), seed)?;
    let checksum = loaded.checksum();
    let samples = loaded.encode_all()?;
    write!(
        std::io::stdout(),
        "{}",
        render(&dataset, &checksum, &samples, &samples.summary())
    )?;
    Ok(())
}

/// Prints the description of a table, and the command that writes an experiment for it.
fn describe_table(
    file: &Path,
    label: Option<&str>,
    json: bool,
    format: &TableFormat,
    shared: &Shared,
) -> Result<(), Failure> {
    let description = describe(file, &format.config(), label);
    let description = description.map_err(DatasetError::from)?;
    let mut out = std::io::stdout();
    if json {
        let text = serde_json::to_string_pretty(&description);
        writeln!(
            out,
            "{}",
            text.map_err(|error| Failure::Failed(error.to_string()))?
        )?;
        return Ok(());
    }
    let name = file.display().to_string();
    write!(
        out,
        "{}",
        table_description::render(&name, &description, label)
    )?;
    let columns = description.columns.into_iter();
    let says_something = columns.filter(|column| column.useless.is_none());
    let columns: Vec<String> = says_something.map(|column| column.name).collect();
    if let Some(label) = label.or(guess_label(&columns).map(String::as_str)) {
        let new = CommandLine::new(["new"])
            .with([file])
            .with(["--label", label]);
        writeln!(out, "\nnext:  {}", new.shared(shared))?;
    }
    Ok(())
}

/// The largest number of classes or features that are listed.
const MAX_LISTED: usize = 20;
/// The number of samples that are printed.
const NUM_SHOWN: usize = 5;

fn render(dataset: &DatasetConfig, checksum: &str, samples: &Samples, summary: &Summary) -> String {
    let mut text = String::new();
    let shape = match summary.input_shape.as_slice() {
        [1, height, width] => format!("{height}×{width} pixels, 1 channel"),
        [channels, height, width] => format!("{height}×{width} pixels, {channels} channels"),
        _ => format!("{} features", samples.num_features()),
    };
    let kind = match (summary.classes.len(), summary.targets.len()) {
        (0, 1) => "a number to predict".to_string(),
        (0, n) => format!("{n} numbers to predict"),
        (n, _) => format!("{n} classes"),
    };
    let (name, rows) = (dataset.name(), summary.rows);
    let _ = writeln!(text, "{name}: {rows} samples of {shape}, {kind}");
    let _ = writeln!(text, "SHA-256 {checksum}\n");
    if !summary.classes.is_empty() {
        let mut table = tables::table(["class", "samples"], 1);
        for class in summary.classes.iter().take(MAX_LISTED) {
            table.add_row([class.name.clone(), class.count.to_string()]);
        }
        let _ = writeln!(text, "{table}\n");
    }
    let mut table = tables::table(["values", "min", "max", "mean", "std"], 1);
    let features = summary.features.iter().take(MAX_LISTED);
    for feature in features.chain(&summary.targets) {
        table.add_row([
            feature.name.clone(),
            number(feature.min),
            number(feature.max),
            number(feature.mean),
            number(feature.std),
        ]);
    }
    let _ = writeln!(text, "{table}\n");
    let shown = NUM_SHOWN.min(samples.len());
    match (summary.input_shape.as_slice(), dataset.white()) {
        (&[_, height, width], Some(white)) => {
            text.push_str(&images(samples, shown, [height, width], white));
        }
        _ => {
            for row in 0..shown {
                let values: Vec<String> = samples
                    .row(row)
                    .iter()
                    .take(MAX_LISTED)
                    .map(|x| format!("{x:>9.4}"))
                    .collect();
                let _ = writeln!(text, "{} → {}", values.join(" "), target(samples, row));
            }
        }
    }
    text
}

fn target(samples: &Samples, row: usize) -> String {
    match &samples.targets {
        Targets::Classes { labels, names } => names[labels[row] as usize].clone(),
        Targets::Values { values, names } => {
            let numbers = values[row * names.len()..(row + 1) * names.len()].iter();
            numbers.map(|&x| number(x)).collect::<Vec<_>>().join(" ")
        }
    }
}

/// The first `count` images side by side, with their classes below. For large images, only some rows and columns are
/// shown; colours are shown as their mean.
fn images(samples: &Samples, count: usize, [height, width]: [usize; 2], white: u8) -> String {
    const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
    const LARGEST: usize = 32;
    let step = height.max(width).div_ceil(LARGEST);
    let rows: Vec<Vec<f64>> = (0..count).map(|row| samples.row(row)).collect();
    let shade = |value: f64| {
        let level = value / f64::from(white) * (SHADES.len() - 1) as f64;
        SHADES[(level.round().max(0.0) as usize).min(SHADES.len() - 1)]
    };
    let mut text = String::new();
    for line in (0..height).step_by(step) {
        let one = |pixels: &Vec<f64>| -> String {
            let pixel = |column: usize| {
                let channels = pixels.iter().skip(line * width + column);
                let channels = channels.step_by(height * width);
                channels.clone().sum::<f64>() / channels.len() as f64
            };
            // Two characters of a terminal are about as wide as a line is high.
            let columns = (0..width).step_by(step);
            columns
                .flat_map(|column| [shade(pixel(column)); 2])
                .collect()
        };
        let joined = rows.iter().map(one).collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "{}", joined.trim_end());
    }
    let w = 2 * width.div_ceil(step);
    let labels = (0..count).map(|row| format!("{:<w$}", target(samples, row)));
    let _ = writeln!(text, "{}", labels.collect::<Vec<_>>().join("  ").trim_end());
    text
}

/// The download of a data set that is fetched.
fn download_of(config: DatasetConfig) -> Option<&'static Download> {
    match config.origin() {
        Origin::Fetched(download) => Some(download),
        Origin::Generated | Origin::Embedded | Origin::Configuration | Origin::OwnFile => None,
    }
}

fn download(name: &str, mirrors: &[String], shared: &Shared) -> Result<(), Failure> {
    let downloads: Vec<_> = DatasetConfig::examples()
        .into_iter()
        .filter_map(download_of)
        .collect();
    let download = downloads.iter().find(|download| download.dataset == name);
    let download = download.ok_or_else(|| {
        let names: Vec<_> = downloads.iter().map(|known| known.dataset).collect();
        Failure::Usage(format!(
            "`{name}` is not a data set to fetch; these are: {}",
            names.join(", ")
        ))
    })?;
    let into = shared
        .data_dir
        .clone()
        .or_else(data_dirs::cache)
        .ok_or_else(|| {
            Failure::Usage("there is no cache folder here; name one with `--data-dir`".to_string())
        })?;
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(
        "{msg:32} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
    ) {
        bar.set_style(style);
    }
    let mut told = Vec::new();
    let fetched = fetch(download, &into, mirrors, &mut |event| match event {
        FetchProgress::Kept { file } => told.push(format!("{file} is already there")),
        FetchProgress::Receiving {
            file,
            received,
            total,
            ..
        } => {
            bar.set_message((*file).to_string());
            bar.set_length(total.unwrap_or(*received));
            bar.set_position(*received);
        }
        FetchProgress::Failed { file, address, why } => {
            bar.suspend(|| say!("warning: {file} from {address}: {why}"));
        }
        FetchProgress::Done { file } => told.push(format!("{file} is fetched and checked")),
    });
    bar.finish_and_clear();
    let files = fetched.map_err(|error: DatasetError| Failure::from(error))?;
    let mut out = std::io::stdout();
    for line in told {
        writeln!(out, "{line}")?;
    }
    if let Some(folder) = files.first().and_then(|file| file.parent()) {
        writeln!(out, "{name} is in {}", folder.display())?;
    }
    Ok(())
}
