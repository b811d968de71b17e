//! `emberlab predict`: predictions of a trained network for tables and images.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use csv::{ReaderBuilder, StringRecord, Trim};
use emberlab_datasets::InputImage;
use emberlab_experiments::{Prediction, Predictor, Run};
use emberlab_run_format::ModelTask;
use serde_json::{Map, Value, json};

use crate::arguments::{Running, Shared, WeightsChoice};
use crate::failure::Failure;

/// Predict rows of a table, or images, with the network of a finished run.
///
/// Inputs are in the same units as the training data: they are standardised as in the training. The threshold that
/// `evaluate --threshold-by` stored is used, if there is one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run: its path, the beginning of its name, or `latest`.
    run: String,
    /// CSV files (`-` for standard input), or PNG and JPEG files for a network that takes images.
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Whether to invert images, so that black becomes white.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    invert: Invert,
    /// The format of the predictions.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// The network to use.
    #[arg(long, value_enum, default_value = "last")]
    weights: WeightsChoice,
    /// Device and threads.
    #[command(flatten)]
    running: Running,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Invert {
    /// Images with a light border are inverted if the network was trained on a built-in data set of images: its digits
    /// or clothes are light on dark.
    Auto,
    /// Every image is inverted.
    Yes,
    /// No image is inverted.
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table with one row per input.
    Csv,
    /// A list with one object per input.
    Json,
}

/// The extensions of image files.
const IMAGES: [&str; 3] = ["png", "jpg", "jpeg"];

/// Predicts.
///
/// # Errors
/// [`Failure`] if the run has no network, an input cannot be read, or the output cannot be written.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    args.running.set_threads()?;
    let run = Run::find(&shared.artifacts, &args.run)?;
    let predictor = Predictor::load(&run, args.weights.into(), &args.running.device)?;
    let mut inputs = Inputs::default();
    for path in &args.inputs {
        let is_image = path.extension().is_some_and(|extension| {
            IMAGES
                .iter()
                .any(|image| extension.eq_ignore_ascii_case(image))
        });
        if is_image {
            inputs.add_image(path, &predictor, args.invert)?;
        } else {
            inputs.add_table(path, &predictor)?;
        }
    }
    if let ModelTask::Binary { .. } = predictor.model.task {
        let [_, positive] = class_names(&predictor);
        eprintln!(
            "{positive} is predicted above the probability {:.4}",
            predictor.threshold
        );
    }
    let predictions = predictor.predict(&inputs.rows)?;
    match args.format {
        Format::Csv => write_csv(&predictor, &inputs.names, &predictions),
        Format::Json => write_json(&predictor, &inputs.names, &predictions),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The names of two classes.
fn class_names(predictor: &Predictor) -> [&str; 2] {
    let name = |i: usize, or| {
        predictor
            .model
            .class_names
            .get(i)
            .map_or(or, String::as_str)
    };
    [name(0, "class 0"), name(1, "class 1")]
}

/// Inputs in their own units, each with a name.
#[derive(Default)]
struct Inputs {
    names: Vec<String>,
    rows: Vec<f32>,
}

impl Inputs {
    fn add_image(
        &mut self,
        path: &Path,
        predictor: &Predictor,
        invert: Invert,
    ) -> Result<(), Failure> {
        let input = predictor.image_input()?;
        let (width, height) = (input.width, input.height);
        let image = InputImage::load(path)?;
        let mut steps = vec![format!("{} × {} pixels", image.width(), image.height())];
        if (image.width(), image.height()) != (width, height) {
            steps.push(format!("scaled to {width} × {height} pixels"));
        }
        let inverts = match invert {
            Invert::Auto => input.is_light_on_dark && image.is_dark_on_light(),
            Invert::Yes => true,
            Invert::No => false,
        };
        let image = if inverts {
            steps.push(
                match input.is_light_on_dark {
                    true => {
                        "inverted: the network was trained on light shapes on a dark background"
                    }
                    false => "inverted",
                }
                .to_string(),
            );
            image.inverted()
        } else {
            image
        };
        eprintln!("{}: {}", path.display(), steps.join(", "));
        // Rounded, since the pixels of the training data are whole numbers.
        let pixel = |byte: u8| (f32::from(byte) / 255.0 * input.white).round();
        let bytes = image.to_input(width, height, input.color);
        self.rows.extend(bytes.into_iter().map(pixel));
        self.names.push(path.display().to_string());
        Ok(())
    }

    fn add_table(&mut self, path: &Path, predictor: &Predictor) -> Result<(), Failure> {
        let is_stdin = path == Path::new("-");
        let name = if is_stdin {
            "input".to_string()
        } else {
            path.display().to_string()
        };
        let unreadable = |e: &dyn std::fmt::Display| Failure::Usage(format!("{name}: {e}"));
        let mut bytes = Vec::new();
        if is_stdin {
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|e| unreadable(&e))?;
        } else {
            bytes = std::fs::read(path).map_err(|e| unreadable(&e))?;
        }
        let mut reader = ReaderBuilder::new()
            .delimiter(predictor.config.dataset.delimiter())
            .trim(Trim::All)
            .has_headers(false)
            .from_reader(bytes.as_slice());
        let mut columns: Option<Vec<usize>> = None;
        for record in reader.records() {
            let record = record.map_err(|e| unreadable(&e))?;
            let line = record.position().map_or(0, csv::Position::line);
            let chosen = match &columns {
                Some(columns) => columns,
                None => {
                    let (found, is_header) = layout(&record, predictor)
                        .map_err(|e| Failure::Usage(format!("{name}, line {line}: {e}")))?;
                    let found = columns.insert(found);
                    if is_header {
                        continue;
                    }
                    found
                }
            };
            for &column in chosen {
                let cell = record.get(column).unwrap_or_default();
                let number: Option<f32> = cell.parse().ok().filter(|x: &f32| x.is_finite());
                let number = number.ok_or_else(|| {
                    let column = column + 1;
                    Failure::Usage(format!(
                        "{name}, line {line}, column {column}: `{cell}` is not a number"
                    ))
                })?;
                self.rows.push(number);
            }
            self.names.push(format!("{name}:{line}"));
        }
        Ok(())
    }
}

/// The columns of the features in a table that begins with the line `first`, and whether that line is a header.
fn layout(first: &StringRecord, predictor: &Predictor) -> Result<(Vec<usize>, bool), String> {
    let names = &predictor.model.feature_names;
    let num_features: usize = predictor.model.input_shape.iter().product();
    let place = |name: &String| first.iter().position(|cell| cell == name);
    let by_name: Option<Vec<usize>> = names.iter().map(place).collect();
    if let Some(columns) = by_name.filter(|columns| !columns.is_empty()) {
        return Ok((columns, true));
    }
    let is_header = first.iter().any(|cell| cell.parse::<f32>().is_err());
    let is_complete = first.len() == num_features;
    // A header with other names means other features. Pixels have no names, so any header will do.
    if is_complete && (!is_header || names.is_empty()) {
        return Ok(((0..num_features).collect(), is_header));
    }
    Err(if names.is_empty() {
        format!("expected {num_features} columns, found {}", first.len())
    } else {
        format!(
            "expected a header with the columns {}, or {num_features} numbers in that order",
            names.join(", ")
        )
    })
}

fn write_csv(
    predictor: &Predictor,
    names: &[String],
    predictions: &[Prediction],
) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(std::io::stdout());
    let mut header = vec!["input".to_string()];
    match predictor.model.task {
        ModelTask::Regression => header.push("prediction".to_string()),
        ModelTask::Binary { .. } | ModelTask::Multiclass { .. } => {
            header.push("class".to_string());
            let classes = predictor.model.class_names.iter();
            header.extend(classes.map(|class| format!("probability of {class}")));
        }
    }
    let closed = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(error) => Failure::from(error),
        _ => Failure::Failed("the predictions could not be written".to_string()),
    };
    writer.write_record(&header).map_err(closed)?;
    for (name, prediction) in names.iter().zip(predictions) {
        let mut row = vec![name.clone()];
        match prediction {
            Prediction::Value { value } => row.push(value.to_string()),
            Prediction::Class {
                class,
                probabilities,
            } => {
                row.push(class.clone().unwrap_or_default());
                row.extend(probabilities.iter().map(|p| format!("{p:.6}")));
            }
        }
        writer.write_record(&row).map_err(closed)?;
    }
    Ok(writer.flush()?)
}

fn write_json(
    predictor: &Predictor,
    names: &[String],
    predictions: &[Prediction],
) -> Result<(), Failure> {
    let object = |(name, prediction): (&String, &Prediction)| match prediction {
        Prediction::Value { value } => json!({ "input": name, "prediction": value }),
        Prediction::Class {
            class,
            probabilities,
        } => {
            let classes = predictor.model.class_names.iter();
            let shares = classes.zip(probabilities);
            let shares: Map<String, Value> =
                shares.map(|(class, p)| (class.clone(), json!(p))).collect();
            json!({ "input": name, "class": class, "probabilities": shares })
        }
    };
    let list: Vec<Value> = names.iter().zip(predictions).map(object).collect();
    writeln!(std::io::stdout(), "{:#}", Value::from(list))?;
    Ok(())
}
