//! `emberlab evaluate`: what a trained network is worth on a split.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

use emberlab_experiments::{LoadedRun, Run, Weights};
use emberlab_explanations::SplitEvaluation;
use emberlab_metrics::{ClassificationReport, ConfusionMatrix};
use emberlab_training::Split;
use serde::Serialize;

use crate::arguments::{Evaluate, Shared, SplitChoice, WeightsChoice};
use crate::commands::train::set_threads;
use crate::failure::Failure;
use crate::progress::number;
use crate::{data_dirs, tables};

/// What is told of a run's network on a split.
#[derive(Serialize)]
struct Told {
    run: String,
    weights: Weights,
    class_names: Vec<String>,
    #[serde(flatten)]
    evaluation: SplitEvaluation,
}

/// Evaluates a run.
///
/// # Errors
/// [`Failure`] if the run cannot be evaluated or the output cannot be written.
pub fn run(command: &Evaluate, shared: &Shared) -> Result<ExitCode, Failure> {
    set_threads(&command.running)?;
    let run = Run::find(&shared.artifacts, &command.run)?;
    let weights = match command.weights {
        WeightsChoice::Last => Weights::Last,
        WeightsChoice::Best => Weights::Best,
    };
    let device = &command.running.device;
    let loaded = LoadedRun::load(&run, weights, device, &data_dirs::all(shared))?;
    let split = match command.split {
        Some(SplitChoice::Train) => Split::Train,
        Some(SplitChoice::Valid) => Split::Valid,
        Some(SplitChoice::Test) => Split::Test,
        None => loaded.prepared.judge(),
    };
    let told = Told {
        run: run.id(),
        weights,
        class_names: loaded.prepared.class_names(),
        evaluation: loaded.prepared.evaluate(split, &loaded.predict(split)?)?,
    };
    let text = if command.json {
        serde_json::to_string_pretty(&told).map_err(|e| Failure::Failed(e.to_string()))?
    } else {
        render(&told)
    };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

fn render(told: &Told) -> String {
    let evaluation = &told.evaluation;
    let mut text = format!(
        "{}: {} network on {} {} samples\n",
        told.run,
        match told.weights {
            Weights::Last => "last",
            Weights::Best => "best",
        },
        evaluation.num_samples,
        evaluation.split
    );
    let metrics = evaluation.metrics.iter();
    let figures: Vec<String> = metrics
        .map(|(metric, value)| format!("{metric} {}", number(value)))
        .collect();
    text.push_str(&figures.join("  "));
    if let Some(report) = &evaluation.classification_report {
        let _ = write!(text, "\n\n{}", report_table(report));
    }
    if let Some(matrix) = &evaluation.confusion_matrix {
        let _ = write!(
            text,
            "\n\nconfusion matrix: rows are targets, columns predictions\n{}",
            matrix_table(matrix, &told.class_names)
        );
    }
    if let Some(regression) = &evaluation.regression {
        let mut table = tables::table(["error", "value"], 1);
        for (name, value) in [
            ("mean absolute error", regression.mae),
            ("mean squared error", regression.mse),
            ("root mean squared error", regression.rmse),
            ("R²", regression.r2),
            ("largest absolute error", regression.max_error),
        ] {
            table.add_row([name.to_string(), number(value)]);
        }
        let _ = write!(text, "\n\n{table}");
    }
    text
}

/// The rows of scikit-learn's `classification_report`.
fn report_table(report: &ClassificationReport) -> comfy_table::Table {
    let mut table = tables::table(["class", "precision", "recall", "f1", "support"], 1);
    for row in report.rows() {
        let cell = |value: Option<f64>| value.map_or_else(String::new, number);
        table.add_row([
            row.label.clone(),
            cell(row.precision),
            cell(row.recall),
            number(row.f1),
            row.support.to_string(),
        ]);
    }
    table
}

fn matrix_table(matrix: &ConfusionMatrix, class_names: &[String]) -> comfy_table::Table {
    let header = std::iter::once("").chain(class_names.iter().map(String::as_str));
    let mut table = tables::table(header, 1);
    for (name, counts) in class_names.iter().zip(&matrix.counts) {
        let cells = counts.iter().map(u64::to_string);
        table.add_row(std::iter::once(name.clone()).chain(cells));
    }
    table
}
