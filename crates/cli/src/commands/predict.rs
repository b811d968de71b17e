//! `emberlab predict`: predictions of a trained network for tables and images.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emberlab_datasets::InputImage;
use emberlab_experiments::{Prediction, Predictor, Run};
use emberlab_run_format::ModelTask;
use emberlab_tables::HeaderLine;
use serde_json::{Map, Value, json};

use crate::arguments::{Running, Shared, WeightsChoice};
use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::progress::count;
use crate::terminal::without_controls;

/// Predict rows of a table, or images, with the network of a finished run.
///
/// Inputs are in the same units as the training data: they are standardised as in the training. The threshold that
/// `evaluate --threshold-by` stored for this network is used, if there is one.
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
    /// Whether the first line of a table holds the names of the columns.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHETHER")]
    header: Header,
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
enum Header {
    /// It holds them if the names of the features are in it.
    Auto,
    /// It holds them.
    Yes,
    /// It is a row of values.
    No,
}

impl From<Header> for HeaderLine {
    fn from(header: Header) -> Self {
        match header {
            Header::Auto => Self::Auto,
            Header::Yes => Self::Yes,
            Header::No => Self::No,
        }
    }
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
/// The extensions of image files that are not read.
const OTHER_IMAGES: [&str; 7] = ["gif", "bmp", "tif", "tiff", "webp", "avif", "heic"];

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
        let is_one_of = |extensions: &[&str]| {
            path.extension()
                .is_some_and(|found| extensions.iter().any(|one| found.eq_ignore_ascii_case(one)))
        };
        if is_one_of(&OTHER_IMAGES) {
            return Err(Failure::Usage(format!(
                "{} is neither a PNG nor a JPEG image: save it as one of these",
                path.display()
            )));
        }
        if is_one_of(&IMAGES) {
            inputs.add_image(path, &predictor, args.invert)?;
        } else {
            inputs.add_table(path, args.header.into(), &predictor)?;
        }
    }
    if let ModelTask::Binary { .. } = predictor.model.task {
        let [_, positive] = class_names(&predictor);
        let threshold = &predictor.threshold;
        if let Some(note) = &threshold.note {
            say!("note: {note}");
        }
        say!(
            "{} is predicted above the probability {:.4}",
            without_controls(positive),
            threshold.value
        );
    }
    let predictions = predictor.predict(&inputs.rows)?;
    check_finite(&predictions, &inputs.names, &run, shared)?;
    match args.format {
        Format::Csv => write_csv(&predictor, &inputs.names, &predictions),
        Format::Json => write_json(&predictor, &inputs.names, &predictions),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Checks that the network has a prediction for each input.
///
/// # Errors
/// [`Failure::Check`] with the first input whose outputs are NaN or infinite.
fn check_finite(
    predictions: &[Prediction],
    names: &[String],
    run: &Run,
    shared: &Shared,
) -> Result<(), Failure> {
    let is_finite = |prediction: &Prediction| match prediction {
        Prediction::Values { values } => values.iter().all(|value| value.is_finite()),
        Prediction::Class {
            class,
            probabilities,
        } => class.is_some() && probabilities.iter().all(|p| p.is_finite()),
    };
    let without = predictions.iter().filter(|one| !is_finite(one)).count();
    let first = predictions.iter().position(|one| !is_finite(one));
    let Some(first) = first.and_then(|first| names.get(first)) else {
        return Ok(());
    };
    let diagnose = CommandLine::about("diagnose", run, shared);
    Err(Failure::Check(format!(
        "the outputs of the network are NaN or infinite for {without} of {}, first for {first}\n\
         to find the cause:  {diagnose}",
        count(predictions.len(), "input")
    )))
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
    rows: Vec<f64>,
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
        say!("{}: {}", path.display(), steps.join(", "));
        // Rounded, since the pixels of the training data are whole numbers.
        let pixel = |byte: u8| f64::from((f32::from(byte) / 255.0 * input.white).round());
        let bytes = image.to_input(width, height, input.color);
        self.rows.extend(bytes.into_iter().map(pixel));
        self.names.push(path.display().to_string());
        Ok(())
    }

    fn add_table(
        &mut self,
        path: &Path,
        header: HeaderLine,
        predictor: &Predictor,
    ) -> Result<(), Failure> {
        let name = match path == Path::new("-") {
            true => "input".to_string(),
            false => path.display().to_string(),
        };
        let rows = predictor.read_table(path, header)?;
        for note in &rows.notes {
            say!("note: {name}: {}", without_controls(note));
        }
        self.rows.extend(rows.features);
        let lines = rows.lines.iter();
        self.names
            .extend(lines.map(|line| format!("{name}:{line}")));
        Ok(())
    }
}

/// The headings of predicted numbers.
fn value_names(predictor: &Predictor) -> Vec<String> {
    match predictor.model.target_names.as_slice() {
        [] | [_] => vec!["prediction".to_string()],
        names => names
            .iter()
            .map(|name| format!("prediction of {name}"))
            .collect(),
    }
}

fn write_csv(
    predictor: &Predictor,
    names: &[String],
    predictions: &[Prediction],
) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(std::io::stdout());
    let mut header = vec!["input".to_string()];
    match predictor.model.task {
        ModelTask::Regression | ModelTask::Counts => header.extend(value_names(predictor)),
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
            Prediction::Values { values } => row.extend(values.iter().copied().map(written)),
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

/// A predicted number, with an exponent if it would have many zeros.
fn written(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

fn write_json(
    predictor: &Predictor,
    names: &[String],
    predictions: &[Prediction],
) -> Result<(), Failure> {
    let object = |(name, prediction): (&String, &Prediction)| match prediction {
        Prediction::Values { values } => match values.as_slice() {
            [value] => json!({ "input": name, "prediction": value }),
            values => {
                let targets = predictor.model.target_names.iter().cloned();
                let named: Map<String, Value> =
                    targets.zip(values.iter().map(|v| json!(v))).collect();
                json!({ "input": name, "prediction": named })
            }
        },
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
