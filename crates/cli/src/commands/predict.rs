//! `emberlab predict`: a trained network put to use on tables and images.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use csv::{ReaderBuilder, StringRecord, Trim};
use emberlab_datasets::GreyImage;
use emberlab_experiments::{Prediction, Predictor, Run, Weights};
use emberlab_run_format::ModelTask;
use serde_json::{Map, Value, json};

use crate::arguments::{InvertChoice, Predict, PredictionFormat, Shared, WeightsChoice};
use crate::commands::train::set_threads;
use crate::failure::Failure;

/// Predicts.
///
/// # Errors
/// [`Failure`] if the run has no network, an input cannot be read, or the output cannot be written.
pub fn run(command: &Predict, shared: &Shared) -> Result<ExitCode, Failure> {
    set_threads(&command.running)?;
    let run = Run::find(&shared.artifacts, &command.run)?;
    let weights = match command.weights {
        WeightsChoice::Last => Weights::Last,
        WeightsChoice::Best => Weights::Best,
    };
    let predictor = Predictor::load(&run, weights, &command.running.device)?;
    let mut inputs = Inputs::default();
    for path in &command.inputs {
        let is_png = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("png"));
        if is_png {
            inputs.add_image(path, &predictor, command.invert)?;
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
    match command.format {
        PredictionFormat::Csv => write_csv(&predictor, &inputs.names, &predictions),
        PredictionFormat::Json => write_json(&predictor, &inputs.names, &predictions),
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

/// Raw inputs, with what each is called.
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
        invert: InvertChoice,
    ) -> Result<(), Failure> {
        let (width, height, white) = predictor.image_size()?;
        let image = GreyImage::load(path)?;
        let mut steps = vec![format!("{} × {} pixels", image.width, image.height)];
        let inverts = match invert {
            InvertChoice::Auto => image.is_dark_on_light(),
            InvertChoice::Yes => true,
            InvertChoice::No => false,
        };
        let (old_width, old_height) = (image.width, image.height);
        let image = if inverts {
            steps.push("inverted, since the network was trained on light on dark".to_string());
            image.inverted()
        } else {
            image
        };
        if (old_width, old_height) != (width, height) {
            steps.push(format!(
                "scaled to {width} × {height} by the means of areas"
            ));
        }
        eprintln!("{}: {}", path.display(), steps.join(", "));
        let pixels = image.resized(width, height).pixels;
        // Bytes have whole values.
        self.rows.extend(pixels.iter().map(|p| (p * white).round()));
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

/// The columns of the features in a table whose first line this is, and whether that is a header.
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
    // A header with other names means other features; that of pixels has no names to agree with.
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
        _ => {
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
