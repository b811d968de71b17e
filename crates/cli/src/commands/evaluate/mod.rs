//! `emberlab evaluate`: the scores of a trained network on a split, with pictures.

mod animation;
mod pictures;

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emberlab_experiments::{Axes, LoadedRun, Prepared, Run};
use emberlab_metrics::{
    BinaryCurves, ClassReport, ClassificationReport, ConfusedPairs, ConfusionMatrix, ThresholdBy,
};
use emberlab_report::predictions::target_table;
use emberlab_run_format::files::RESULT;
use emberlab_run_format::{
    ChosenThreshold, Mistakes, RunFolder, RunResult, SplitEvaluation, Weights,
};
use emberlab_training::{Split, Task};
use serde::Serialize;

use crate::arguments::{Running, Shared, WeightsChoice};
use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::progress::number;
use crate::run_explanations::{Explain, Explanations};
use crate::terminal::without_controls;
use crate::{data_dirs, output_files, tables};
use animation::boundary_animation;
use pictures::{NamedPicture, Subject};

/// The largest number of classes, or of pairs of classes, in a table of the terminal.
const MOST_ROWS: usize = 20;
/// Number of wrong predictions in the table; the picture shows more.
const FEW_MISTAKES: usize = 5;

/// Evaluate the network of a finished run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run: its path, the beginning of its name, or `latest`.
    #[arg(default_value = "latest")]
    run: String,
    /// The split to predict; by default test, or valid or train if there is no test split.
    #[arg(long, value_enum)]
    split: Option<SplitChoice>,
    /// The network to use.
    #[arg(long, value_enum, default_value = "last")]
    weights: WeightsChoice,
    /// For two classes: choose the probability above which the positive class, which is the second, is predicted, on
    /// the validation split, and store it for this network: `evaluate`, `predict` and `report` then use it. One of
    /// `f1`, `youden`, or `cost=FP:FN` with the costs of a false positive and a false negative.
    #[arg(long, value_name = "CRITERION")]
    threshold_by: Option<ThresholdBy>,
    /// Draw pictures as SVG into this folder; without a name, into `pictures` in the folder of the run. Decision
    /// boundaries over the epochs are drawn by training again.
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pictures: Option<Option<PathBuf>>,
    /// Write every picture as PNG too.
    #[arg(long, requires = "pictures")]
    png: bool,
    /// Write an animated PNG of the decision boundary over the training into this file; without a name, into
    /// `pictures/learning.png` in the folder of the run. For networks with two inputs.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    animate: Option<Option<PathBuf>>,
    /// The two columns of the decision boundary, by name or by number from 1. Without them, data with more than two
    /// columns are drawn over their first two principal components.
    #[arg(long, value_name = "X,Y", value_delimiter = ',')]
    axes: Vec<String>,
    #[command(flatten)]
    explain: Explain,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// The place of your own table or folder, if it has moved since the training; the data must be the same.
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Device and threads.
    #[command(flatten)]
    running: Running,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum SplitChoice {
    /// The training split.
    Train,
    /// The validation split.
    Valid,
    /// The test split.
    Test,
}

/// The evaluation of a run's network on a split, as `--json` prints it.
#[derive(Serialize)]
struct Evaluation {
    run: String,
    weights: Weights,
    class_names: Vec<String>,
    #[serde(flatten)]
    evaluation: SplitEvaluation,
    mistakes: Option<Mistakes>,
    /// For two classes: class 1 is predicted above this probability.
    threshold_in_use: Option<f64>,
    /// The chosen threshold that is in use, if it is not the usual 0.5.
    threshold: Option<ChosenThreshold>,
    /// The reason why a stored threshold is not in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_note: Option<String>,
    #[serde(flatten)]
    explanations: Explanations,
}

/// Evaluates a run.
///
/// # Errors
/// [`Failure`] if the run cannot be evaluated or the output cannot be written.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    if let Some(Some(file)) = &args.animate
        && output_files::is_stdout(file)
    {
        return Err(Failure::Usage(
            "the standard output has the evaluation: give `--animate` the name of a file"
                .to_string(),
        ));
    }
    args.running.set_threads()?;
    let run = Run::find(&shared.artifacts, &args.run)?.with_data(args.data.clone());
    let weights = Weights::from(args.weights);
    let device = &args.running.device;
    let mut loaded = LoadedRun::load(&run, weights, device, &data_dirs::all(shared))?;
    let axes = axes(&args.axes, &loaded.prepared)?;
    if let Some(by) = args.threshold_by {
        loaded.choose_threshold(&run, by)?;
    }
    let prepared = &loaded.prepared;
    let split = match args.split {
        Some(SplitChoice::Train) => Split::Train,
        Some(SplitChoice::Valid) => Split::Valid,
        Some(SplitChoice::Test) => Split::Test,
        None => prepared.evaluation_split(),
    };
    let predicted = loaded.predict(split)?;
    let threshold = &loaded.threshold;
    if let Some(note) = &threshold.note {
        say!("note: {note}");
    }
    let is_binary = matches!(prepared.task, Task::Binary { .. });
    let found = Evaluation {
        run: run.id(),
        weights,
        class_names: prepared.class_names(),
        evaluation: prepared.evaluate(split, &predicted, threshold.value)?,
        mistakes: prepared.mistakes(split, &predicted, threshold.value)?,
        threshold_in_use: is_binary.then_some(threshold.value),
        // Without its predictions on every split: the output already has those on this split.
        threshold: threshold.chosen.clone().map(|chosen| ChosenThreshold {
            splits: Vec::new(),
            mistakes: None,
            ..chosen
        }),
        threshold_note: threshold.note.clone(),
        explanations: Explanations::of(args.explain, &run, &loaded, weights)?,
    };
    let text = if args.json {
        serde_json::to_string_pretty(&found).map_err(|e| Failure::Failed(e.to_string()))?
    } else {
        let diagnose = CommandLine::about("diagnose", &run, shared).running(&args.running);
        let network = &found.evaluation.metrics;
        without_controls(&(render(&found, &diagnose) + &found.explanations.text(split, network)))
    };
    writeln!(std::io::stdout(), "{text}")?;
    if let Some(folder) = &args.pictures {
        let result: RunResult = run.read_json(RESULT)?;
        let best = result.best.as_ref().map(|best| best.epoch);
        let subject = Subject {
            loaded: &loaded,
            epochs: match weights {
                Weights::Last => result.epochs,
                Weights::Best => best.unwrap_or(result.epochs),
            },
            evaluation: &found.evaluation,
            mistakes: found.mistakes.as_ref(),
            threshold: threshold.value,
            axes,
        };
        let folder = folder
            .clone()
            .unwrap_or_else(|| run.path().join("pictures"));
        let files = save(&folder, &subject.pictures()?, args.png)?;
        match files.is_empty() {
            true => say!("no pictures: {}", subject.without_pictures()),
            false => say!("pictures in {}: {}", folder.display(), files.join(", ")),
        }
    }
    if let Some(file) = &args.animate {
        let folder = RunFolder::new(run.path());
        let animation = boundary_animation(&folder, &run.id(), &found.class_names)?;
        let file = file.clone();
        let file = file.unwrap_or_else(|| run.path().join("pictures/learning.png"));
        output_files::write(&file, &animation)?;
        say!("animation in {}", file.display());
    }
    found.explanations.saved()?;
    Ok(ExitCode::SUCCESS)
}

/// The columns of `--axes`, given by name or by number from 1.
fn axes(names: &[String], prepared: &Prepared) -> Result<Axes, Failure> {
    let known = &prepared.columns.feature_names;
    let place = |name: &String| {
        let by_name = known.iter().position(|feature| feature == name);
        let by_number = || name.parse().ok().and_then(|n: usize| n.checked_sub(1));
        let is_there = |i: &usize| *i < prepared.columns.num_features();
        by_name.or_else(by_number).filter(is_there).ok_or_else(|| {
            let count = prepared.columns.num_features();
            let features = match known.as_slice() {
                [] => format!("1 to {count}"),
                known => known.join(", "),
            };
            Failure::Usage(format!(
                "there is no feature `{name}`; the features are {features}"
            ))
        })
    };
    match names {
        [] => Ok(Axes::Auto),
        [x, y] => match [place(x)?, place(y)?] {
            [same, other] if same == other => Err(Failure::Usage(format!(
                "`--axes {x},{y}` is one feature; name two"
            ))),
            two => Ok(Axes::Features(two)),
        },
        _ => Err(Failure::Usage(
            "`--axes` takes two features, such as `--axes 1,2`".to_string(),
        )),
    }
}

/// Writes pictures into a folder; returns the names of their files.
fn save(folder: &Path, pictures: &[NamedPicture], as_png: bool) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for (name, picture) in pictures {
        let files = output_files::write_picture(&folder.join(name), picture, as_png)?;
        let file_names = files.iter().filter_map(|file| file.file_name());
        names.extend(file_names.map(|name| name.to_string_lossy().into_owned()));
    }
    Ok(names)
}

fn render(found: &Evaluation, diagnose: &CommandLine) -> String {
    let evaluation = &found.evaluation;
    let mut text = format!(
        "{}: {} network on {} {} samples\n",
        found.run, found.weights, evaluation.num_samples, evaluation.split
    );
    let metrics = evaluation.metrics.iter();
    let figures: Vec<String> = metrics
        .map(|(metric, value)| format!("{metric} {}", number(value)))
        .collect();
    text.push_str(&figures.join("  "));
    if evaluation.classification_report.is_some() {
        text.push_str("\nprecision, recall and f1 are means over the classes");
    }
    if evaluation.has_no_predictions() {
        let _ = write!(
            text,
            "\n\nthe outputs of the network are NaN: no sample has a prediction\nto find the cause:  {diagnose}"
        );
        return text;
    }
    if let Some(threshold) = found.threshold_in_use {
        let _ = write!(text, "\n\n{}", in_use(threshold, found));
    }
    if let Some(report) = &evaluation.classification_report {
        let _ = write!(text, "\n\n{}", report_table(report));
    }
    let matrix = evaluation.confusion_matrix.as_ref();
    let pairs = evaluation.confused_pairs.clone();
    let pairs = pairs.or_else(|| Some(matrix?.most_confused(MOST_ROWS)));
    if let Some(pairs) = pairs.filter(|_| found.class_names.len() > MOST_ROWS) {
        let _ = write!(text, "\n\n{}", pair_table(&pairs, &found.class_names));
    } else if let Some(matrix) = matrix {
        let _ = write!(
            text,
            "\n\nconfusion matrix: rows are targets, columns predictions\n{}",
            matrix_table(matrix, &found.class_names)
        );
    }
    if let Some(curves) = &evaluation.curves {
        let _ = write!(text, "\n\n{}", thresholds(curves, found));
    }
    if let Some(mistakes) = found.mistakes.as_ref().filter(|m| !m.samples.is_empty()) {
        let _ = write!(text, "\n\n{}", mistake_table(mistakes, &found.class_names));
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
    if !evaluation.targets.is_empty() {
        let table = tables::in_terminal(target_table(evaluation));
        let _ = write!(text, "\n\n{table}");
    }
    text
}

/// Scores of the positive class at some thresholds, and the scores that need no threshold.
fn thresholds(curves: &BinaryCurves, found: &Evaluation) -> String {
    let positive = positive(found);
    let mut table = tables::table(["threshold", "accuracy", "precision", "recall", "f1"], 1);
    for counts in curves.thresholds.iter().skip(10).step_by(10).take(9) {
        table.add_row([
            format!("{:.1}", counts.threshold),
            number(counts.accuracy()),
            number(counts.precision()),
            number(counts.recall()),
            number(counts.f1()),
        ]);
    }
    format!(
        "class {positive} above a threshold: area under ROC {}, average precision {}, Brier score {}, calibration \
         error {}\n{table}",
        number(curves.roc.auc),
        number(curves.precision_recall.average_precision),
        number(curves.calibration.brier_score),
        number(curves.calibration.expected_calibration_error),
    )
}

/// The name of the positive class.
fn positive(found: &Evaluation) -> &str {
    found.class_names.get(1).map_or("1", String::as_str)
}

/// The threshold that decides all predictions shown, and where it comes from.
fn in_use(threshold: f64, found: &Evaluation) -> String {
    let origin = match (&found.threshold, &found.threshold_note) {
        (Some(chosen), _) => format!(
            "the best by {} on {} ({})",
            chosen.best.by,
            chosen.split,
            number(chosen.best.value)
        ),
        (None, Some(_)) => "because the stored one is not used".to_string(),
        (None, None) => "`--threshold-by f1`, `youden` or `cost=FP:FN` chooses another".to_string(),
    };
    format!(
        "threshold in use: {threshold:.4}, {origin}; {} is predicted above it",
        positive(found)
    )
}

/// The most confident wrong predictions.
fn mistake_table(mistakes: &Mistakes, class_names: &[String]) -> String {
    let name = |class: Option<u32>| {
        let name = class.and_then(|class| class_names.get(class as usize));
        name.cloned().unwrap_or_default()
    };
    let place = mistakes.place_name();
    let mut table = tables::table([place, "target", "prediction", "probability"], 0);
    for mistake in mistakes.samples.iter().take(FEW_MISTAKES) {
        table.add_row([
            mistake.place().to_string(),
            name(Some(mistake.target)),
            name(mistake.prediction),
            number(mistake.confidence),
        ]);
    }
    format!(
        "the most confident of {} wrong predictions\n{table}",
        mistakes.num_mistakes
    )
}

/// The rows of scikit-learn's `classification_report`; of many classes, the most frequent.
fn report_table(report: &ClassificationReport) -> String {
    let num_classes = report.classes.len() + report.num_left_out;
    let mut shown = report.clone();
    if num_classes > MOST_ROWS {
        let support = |class: &ClassReport| std::cmp::Reverse(class.scores.support);
        shown.classes.sort_by_key(support);
        shown.classes.truncate(MOST_ROWS);
    }
    let mut table = tables::table(["class", "precision", "recall", "f1", "support"], 1);
    for row in shown.rows() {
        let cell = |value: Option<f64>| value.map_or_else(String::new, number);
        table.add_row([
            row.label.clone(),
            cell(row.precision),
            cell(row.recall),
            number(row.f1),
            row.support.to_string(),
        ]);
    }
    match num_classes > MOST_ROWS {
        true => format!("the {MOST_ROWS} most frequent of {num_classes} classes\n{table}"),
        false => table.to_string(),
    }
}

/// The pairs of classes that are confused most.
fn pair_table(pairs: &ConfusedPairs, class_names: &[String]) -> String {
    let name = |class: u32| class_names.get(class as usize).cloned().unwrap_or_default();
    let mut table = tables::table(["target", "prediction", "samples"], 2);
    for pair in pairs.pairs.iter().take(MOST_ROWS) {
        table.add_row([
            name(pair.target),
            name(pair.prediction),
            pair.num_samples.to_string(),
        ]);
    }
    let num_pairs = pairs.pairs.len() + pairs.num_left_out;
    match num_pairs > MOST_ROWS {
        true => format!("the {MOST_ROWS} most confused of {num_pairs} pairs of classes\n{table}"),
        false => format!("classes that are confused\n{table}"),
    }
}

fn matrix_table(matrix: &ConfusionMatrix, class_names: &[String]) -> comfy_table::Table {
    // Samples without a prediction, if any, are counted in a column of their own.
    let has_none = matrix.num_unpredicted() > 0;
    let names = class_names.iter().map(String::as_str);
    let header = std::iter::once("")
        .chain(names)
        .chain(has_none.then_some("none"));
    let mut table = tables::table(header, 1);
    let rows = matrix.rows();
    let rows = rows.iter().zip(matrix.unpredicted());
    for (name, (counts, none)) in class_names.iter().zip(rows) {
        let counts = counts.iter().chain(has_none.then_some(none));
        let cells = counts.map(u64::to_string);
        table.add_row(std::iter::once(name.clone()).chain(cells));
    }
    table
}
