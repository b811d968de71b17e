//! `emberlab evaluate`: what a trained network is worth on a split.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

use emberlab_experiments::{Details, Evaluation, Run, Weights, evaluate};
use emberlab_metrics::{ClassificationReport, ConfusionMatrix};
use emberlab_training::Split;

use crate::arguments::{Evaluate, Shared, SplitChoice, WeightsChoice};
use crate::commands::train::set_threads;
use crate::failure::Failure;
use crate::progress::number;
use crate::{data_dirs, tables};

/// Evaluates a run.
///
/// # Errors
/// [`Failure`] if the run cannot be evaluated or the output cannot be written.
pub fn run(command: &Evaluate, shared: &Shared) -> Result<ExitCode, Failure> {
    set_threads(&command.running)?;
    let run = Run::find(&shared.artifacts, &command.run)?;
    let split = command.split.map(|choice| match choice {
        SplitChoice::Train => Split::Train,
        SplitChoice::Valid => Split::Valid,
        SplitChoice::Test => Split::Test,
    });
    let weights = match command.weights {
        WeightsChoice::Last => Weights::Last,
        WeightsChoice::Best => Weights::Best,
    };
    let device = &command.running.device;
    let evaluation = evaluate(&run, split, weights, device, &data_dirs::all(shared))?;
    let text = if command.json {
        serde_json::to_string_pretty(&evaluation).map_err(|e| Failure::Failed(e.to_string()))?
    } else {
        render(&evaluation)
    };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

fn render(evaluation: &Evaluation) -> String {
    let mut text = format!(
        "{}: {} network on {} {} samples\n",
        evaluation.run,
        match evaluation.weights {
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
    match &evaluation.details {
        Details::Classes {
            class_names,
            classification_report,
            confusion_matrix,
        } => {
            let _ = write!(
                text,
                "\n\n{}\n\nconfusion matrix: rows are targets, columns predictions\n{}",
                report_table(classification_report),
                matrix_table(confusion_matrix, class_names)
            );
        }
        Details::Values { regression } => {
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
