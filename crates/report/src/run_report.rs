//! The report of one run.

use std::path::{Path, PathBuf};

use emberlab_metrics::{Metric, Split, SplitMetrics};
use emberlab_pictures::Rule;
use emberlab_run_format::files::CONFIG;
use emberlab_run_format::{
    Baselines, BestEpoch, DEFAULT_THRESHOLD, Diagnosis, Ending, Environment, Frame, FramesHeader,
    Importance, LayerHistory, RunEvaluation, RunFolder, RunResult, Severity, ThresholdInUse,
    Weights, csv_text,
};
use serde::Serialize;

use crate::baselines::{baseline_sentences, baseline_table, judged_by};
use crate::curves::Curve;
use crate::document::{Block, Cell, Column, Document, Notice, Section, Table, Weight};
use crate::findings::{capital, run_notices};
use crate::importance::run_blocks;
use crate::line_chart::{ChartLine, LineChart, epoch_axes};
use crate::numbers::{count, duration};
use crate::predictions::{prediction_blocks, threshold_blocks};
use crate::shell::command_line;
use crate::timeline::timeline_blocks;
use crate::{ReportError, number};

/// The report of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// `experiment/run`.
    pub run: String,
    /// Its folder.
    #[serde(skip)]
    folder: PathBuf,
    /// The command that repeats the run.
    pub command: String,
    /// The result, if the training has ended.
    pub result: Option<RunResult>,
    /// The error that ended the training, if one did.
    pub failure: Option<String>,
    /// Epochs done.
    pub num_epochs: usize,
    /// The curve of every metric over the epochs.
    pub curves: Vec<Curve>,
    /// The evaluation of the last network.
    pub evaluation: Option<RunEvaluation>,
    /// The threshold behind `result` and `evaluation`, or the reason why the stored one is not used; `None` if no
    /// threshold was chosen.
    pub threshold: Option<ThresholdInUse>,
    /// Simple predictors on the same rows, if they were computed.
    pub baselines: Option<Baselines>,
    /// The importance of the columns, if it was computed.
    pub importance: Option<Importance>,
    /// The records of the layers; empty if the network was not inspected.
    #[serde(skip)]
    pub layers: LayerHistory,
    /// The pictures of the network while it learned.
    #[serde(skip)]
    pub frames: Option<(FramesHeader, Vec<Frame>)>,
    /// The findings, if the run was diagnosed.
    pub diagnosis: Option<Diagnosis>,
    /// The program and the machine that the run was trained with.
    pub environment: Option<Environment>,
    /// The configuration, as TOML.
    pub config: String,
    /// A sentence for each file of a finished run that is not the one that the training wrote, and for each damaged file,
    /// without which the report does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed_files: Vec<String>,
}

impl RunReport {
    /// Reads the files of the run in `folder`.
    ///
    /// # Errors
    /// [`ReportError`] if it holds no run, or its configuration or the course of its training cannot be read.
    pub fn load(folder: &Path) -> Result<Self, ReportError> {
        let files = RunFolder::new(folder);
        let config = files.config()?.ok_or_else(|| ReportError::NoRun {
            folder: folder.to_path_buf(),
        })?;
        let history = files.history()?;
        let columns = history.metrics().chain(["learning_rate"]);
        let curves = columns.filter_map(|column| Curve::of(&[&history], column));
        let mut damage = Vec::new();
        let mut result = files.unless_damaged(files.result(), &mut damage);
        let mut evaluation = files.unless_damaged(files.evaluation(), &mut damage);
        let mut threshold = None;
        if let (Some(result), Some(evaluation)) = (&mut result, &mut evaluation) {
            let used = files.unless_damaged(files.threshold(Weights::Last), &mut damage);
            threshold = used.map(|used| apply(used, result, evaluation));
        }
        let failure = files.unless_damaged(files.failure(), &mut damage);
        let baselines = files.unless_damaged(files.baselines(), &mut damage);
        let importance = files.unless_damaged(files.importance(), &mut damage);
        let diagnosis = files.unless_damaged(files.diagnosis(), &mut damage);
        let environment = files.unless_damaged(files.environment(), &mut damage);
        let mut changed_files = files.changed_files().unwrap_or_default();
        changed_files.extend(damage);
        Ok(Self {
            run: files.id(),
            folder: folder.to_path_buf(),
            command: command_line(&["train", &files.path().join(CONFIG).display().to_string()]),
            result,
            failure: failure.map(|failure| failure.message),
            num_epochs: history.len(),
            curves: curves.collect(),
            evaluation,
            threshold,
            baselines,
            importance,
            layers: files.layers()?,
            frames: files.frames()?,
            diagnosis,
            environment,
            config,
            changed_files,
        })
    }

    /// The report in a sentence or two, with the names of the findings. Files that were changed come first.
    pub fn summary(&self) -> String {
        let changed = self.changed_files.iter();
        let warnings: String = changed.map(|file| format!("Warning: {file}. ")).collect();
        warnings + &self.findings_summary()
    }

    /// How the training ended, with the names of the findings.
    fn findings_summary(&self) -> String {
        let findings = self.diagnosis.iter().flat_map(|d| &d.findings);
        let mut names: Vec<&str> = findings.map(|finding| finding.kind.title()).collect();
        names.dedup();
        match names.as_slice() {
            [] => self.outcome(),
            names => format!("{} Found: {}.", self.outcome(), names.join("; ")),
        }
    }

    /// How the training ended, with its main metrics.
    fn outcome(&self) -> String {
        let epochs = count(self.num_epochs, "epoch");
        let Some(result) = &self.result else {
            return match &self.failure {
                Some(why) => format!("The training failed after {epochs}: {why}."),
                None => format!("The training has not finished; {epochs} evaluated so far."),
            };
        };
        let figures = self.main_figures(result);
        let ended = match result.ending {
            Ending::Completed => format!("after {epochs}"),
            Ending::StoppedEarly => format!("when it stopped early, after {epochs}"),
            Ending::Interrupted => format!("when it was interrupted, after {epochs}"),
        };
        let time = duration(result.seconds);
        if let Some(split) = self.broken_split(result) {
            return format!("The {split} loss is NaN or infinite {ended} ({time} of training).");
        }
        let mut said = format!("The network has {figures} {ended} ({time} of training).");
        if let Some(best) = &result.best
            && best.epoch != self.num_epochs
        {
            said.push_str(&format!(
                " Its best {} {} was {} in epoch {}.",
                best.split,
                best.metric,
                number(best.value),
                best.epoch
            ));
        }
        said
    }

    /// The first split whose loss is NaN or infinite at the end.
    fn broken_split(&self, result: &RunResult) -> Option<Split> {
        [Split::Train, Split::Valid, Split::Test]
            .into_iter()
            .find(|split| {
                let loss = result.metrics.get(split).and_then(|m| m.get(Metric::Loss));
                loss.is_some_and(|loss| !loss.is_finite())
            })
    }

    /// The accuracy or R², and the loss, on the test split, else validation, else training.
    fn main_figures(&self, result: &RunResult) -> String {
        let order = [Split::Test, Split::Valid, Split::Train];
        let found = order.iter().find_map(|s| Some((s, result.metrics.get(s)?)));
        let Some((split, metrics)) = found else {
            return "no figures".to_string();
        };
        let said = [Metric::Accuracy, Metric::R2, Metric::Loss]
            .into_iter()
            .filter_map(|metric| {
                let value = metrics.get(metric)?;
                Some(format!("a {split} {metric} of {}", number(value)))
            });
        said.collect::<Vec<_>>().join(" and ")
    }

    /// The report's content, which HTML and Markdown are rendered from.
    ///
    /// # Errors
    /// [`ReportError::Picture`] if a picture cannot be drawn.
    pub fn document(&self) -> Result<Document, ReportError> {
        let section = |title, blocks| Section { title, blocks };
        let (predictions, thresholds) = match &self.evaluation {
            Some(evaluation) => (
                prediction_blocks(evaluation, self.threshold.as_ref())?,
                threshold_blocks(evaluation, self.threshold.as_ref())?,
            ),
            None => (Vec::new(), Vec::new()),
        };
        // Outputs of NaN do not depend on any column.
        let is_broken = (self.result.as_ref()).is_some_and(|r| self.broken_split(r).is_some());
        let importance = match &self.importance {
            Some(importance) if !is_broken => run_blocks(importance)?,
            _ => Vec::new(),
        };
        Ok(Document {
            title: self.run.clone(),
            kind: "run",
            summary: self.summary(),
            command: match self.is_unfinished() {
                true => self.resume_command(),
                false => self.command.clone(),
            },
            is_unfinished: self.is_unfinished(),
            sections: vec![
                section("Result", self.result_blocks()),
                section(
                    "Findings",
                    finding_blocks(self.diagnosis.as_ref().map(run_notices)),
                ),
                section("Learning curves", self.curve_blocks()?),
                section(
                    "Inside the network, over time",
                    timeline_blocks(&self.layers, self.frames.as_ref(), &self.curves)?,
                ),
                section("Baselines", self.baseline_blocks()),
                section("Predictions", predictions),
                section("Important columns", importance),
                section("Thresholds", thresholds),
                section("Configuration", self.config_blocks()),
                section("Environment", environment_blocks(self.environment.as_ref())),
            ],
        })
    }

    /// Whether the training was stopped before its end, and did not fail.
    fn is_unfinished(&self) -> bool {
        let ending = self.result.as_ref().map(|result| result.ending);
        self.failure.is_none() && matches!(ending, None | Some(Ending::Interrupted))
    }

    fn resume_command(&self) -> String {
        command_line(&["resume", &self.folder.display().to_string()])
    }

    fn config_blocks(&self) -> Vec<Block> {
        let changed = self.environment.iter().flat_map(|e| &e.changed);
        let changed: Vec<String> = changed.map(|change| format!("{change}.")).collect();
        let mut blocks = vec![config_block(CONFIG, &self.config)];
        if !changed.is_empty() {
            let said = "Keys were changed during the training. A training of this configuration from the start uses their \
                        last values throughout, and ends with other weights:";
            blocks.splice(0..0, [Block::Text(said.to_string()), Block::List(changed)]);
        }
        blocks
    }

    /// The network beside simple predictors, on the split that a network is evaluated on.
    fn baseline_blocks(&self) -> Vec<Block> {
        let (Some(baselines), Some(result)) = (&self.baselines, &self.result) else {
            return Vec::new();
        };
        let Some((split, metrics)) = judged_by(result) else {
            return Vec::new();
        };
        let said = Block::List(baseline_sentences(baselines, split, metrics));
        let table = baseline_table(baselines, split, metrics).map(Block::Table);
        [said].into_iter().chain(table).collect()
    }

    fn result_blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        if let Some(why) = &self.failure {
            let findings = self.diagnosis.iter().flat_map(|d| &d.findings);
            // A finding of severity error is a problem of the experiment itself: resuming would fail again.
            let is_in_vain = findings.into_iter().any(|f| f.severity == Severity::Error);
            let resume = format!("`{}` once the cause is fixed", self.resume_command());
            blocks.push(Block::Notices(vec![Notice {
                weight: Weight::Error,
                title: "The training failed".to_string(),
                text: capital(why),
                evidence: Vec::new(),
                details: match is_in_vain {
                    true => Vec::new(),
                    false => vec![("To resume", vec![resume])],
                },
            }]));
        }
        let Some(result) = &self.result else {
            return blocks;
        };
        if let Some(threshold) = &self.threshold {
            let names = self.evaluation.as_ref().map(|e| &e.class_names);
            let positive = names.and_then(|names| names.get(1));
            blocks.push(Block::Text(threshold_sentence(threshold, positive)));
        }
        blocks.push(Block::Table(metrics_table(result)));
        blocks.push(Block::Facts(vec![
            ("epochs".to_string(), result.epochs.to_string()),
            ("steps".to_string(), result.steps.to_string()),
            ("parameters".to_string(), result.num_parameters.to_string()),
            ("training time".to_string(), duration(result.seconds)),
        ]));
        blocks
    }

    fn curve_blocks(&self) -> Result<Vec<Block>, ReportError> {
        let curve = |column: String| self.curves.iter().find(|curve| curve.column == column);
        let mut figures = Vec::new();
        for metric in Metric::ALL
            .into_iter()
            .filter(|metric| metric.is_headline())
        {
            let splits = ["train", "valid"].into_iter().enumerate();
            let found = splits.filter_map(|(i, s)| Some((s, i, curve(format!("{s}_{metric}"))?)));
            let found: Vec<(&str, usize, &Curve)> = found.collect();
            if found.is_empty() {
                continue;
            }
            let curves: Vec<&Curve> = found.iter().map(|(_, _, curve)| *curve).collect();
            let (x, y) = epoch_axes(metric.name(), &curves);
            let best = self.result.as_ref().and_then(|result| result.best.as_ref());
            let best = best.filter(|best| best.metric == metric);
            let rule = |best: &BestEpoch| {
                let name = format!("best {} {metric}", best.split);
                Rule::upright(name, best.epoch as f64)
            };
            let lines = found.iter();
            let chart = LineChart {
                title: capital(&format!("{metric} over the epochs")),
                x,
                y,
                lines: lines
                    .map(|(s, i, c)| ChartLine::of_curve(s, *i, c, false))
                    .collect(),
                rules: best.map(rule).into_iter().collect(),
                ..LineChart::new("epoch")
            };
            figures.push(chart.draw()?);
        }
        if let Some(rates) = curve("learning_rate".to_string())
            && rates.median.iter().any(|rate| *rate != rates.median[0])
        {
            let (x, y) = epoch_axes("learning rate", &[rates]);
            let chart = LineChart {
                title: "Learning rate over the epochs".to_string(),
                x,
                y,
                lines: vec![ChartLine::of_curve("learning rate", 0, rates, false)],
                ..LineChart::new("epoch")
            };
            figures.push(chart.draw()?);
        }
        Ok(match figures.is_empty() {
            true => Vec::new(),
            false => vec![Block::Figures(figures)],
        })
    }

    /// The report as JSON; NaN and infinities are `null`.
    ///
    /// # Errors
    /// [`ReportError::Format`] if it has no JSON form.
    pub fn to_json(&self) -> Result<String, ReportError> {
        crate::to_json(self, &self.run)
    }

    /// The metrics of every split as CSV, with the columns split, metric and value.
    ///
    /// # Errors
    /// [`ReportError::Csv`].
    pub fn to_csv(&self) -> Result<String, ReportError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["split", "metric", "value"])?;
        for (split, metrics) in self.result.iter().flat_map(|result| &result.metrics) {
            for (metric, value) in metrics.iter() {
                writer.write_record([&split.to_string(), metric.name(), &value.to_string()])?;
            }
        }
        Ok(csv_text(writer)?)
    }
}

/// Replaces the metrics and predictions of the last network in `result` and `evaluation` by those with the threshold
/// that was chosen for it, which are taken out of the threshold.
fn apply(
    mut used: ThresholdInUse,
    result: &mut RunResult,
    evaluation: &mut RunEvaluation,
) -> ThresholdInUse {
    let Some(chosen) = &mut used.chosen else {
        return used;
    };
    if chosen.splits.is_empty() {
        return ThresholdInUse {
            value: DEFAULT_THRESHOLD,
            note: Some(format!(
                "the stored threshold {:.4} was chosen by an earlier version, which kept no predictions with it; \
                 {DEFAULT_THRESHOLD} is used on this page",
                used.value
            )),
            chosen: None,
        };
    }
    evaluation.apply(chosen);
    for split in std::mem::take(&mut chosen.splits) {
        result.metrics.insert(split.split, split.metrics);
    }
    chosen.mistakes = None;
    used
}

/// A sentence about the threshold of the metrics and predictions of the last network; `positive` is the name of class
/// 1.
fn threshold_sentence(threshold: &ThresholdInUse, positive: Option<&String>) -> String {
    let positive = positive.map_or("class 1", String::as_str);
    match (&threshold.chosen, &threshold.note) {
        (Some(chosen), _) => format!(
            "{positive} is predicted above the probability {:.4}, the best by {} on the {} split. The metrics and \
             predictions of the last network on this page use this threshold; the learning curves use 0.5.",
            threshold.value, chosen.best.by, chosen.split
        ),
        (None, Some(note)) => capital(&format!("{note}.")),
        (None, None) => format!(
            "{positive} is predicted above the probability {:.4}.",
            threshold.value
        ),
    }
}

/// The findings as notices; a sentence if there are none; empty if there was no diagnosis.
pub(crate) fn finding_blocks(notices: Option<Vec<Notice>>) -> Vec<Block> {
    match notices {
        None => Vec::new(),
        Some(notices) if notices.is_empty() => {
            vec![Block::Text("No problems were found.".to_string())]
        }
        Some(notices) => vec![Block::Notices(notices)],
    }
}

/// The table of metrics, one row per split.
fn metrics_table(result: &RunResult) -> Table {
    let names = result.metrics.values().next().map(SplitMetrics::names);
    let columns = names.into_iter().flatten().map(Column::numbers);
    let row = |(split, metrics): (&Split, &SplitMetrics)| {
        let cells = metrics.iter().map(|(_, value)| Cell::from(number(value)));
        [Cell::from(split.to_string())]
            .into_iter()
            .chain(cells)
            .collect()
    };
    let has_classes = result
        .metrics
        .values()
        .any(|m| m.get(Metric::Precision).is_some());
    let means = match has_classes {
        true => "; precision, recall and f1 are means over the classes",
        false => "",
    };
    Table {
        caption: format!("The last network on every split{means}"),
        columns: [Column::words("split")]
            .into_iter()
            .chain(columns)
            .collect(),
        rows: result.metrics.iter().map(row).collect(),
    }
}

pub(crate) fn config_block(caption: &str, text: &str) -> Block {
    Block::Code {
        caption: caption.to_string(),
        text: text.to_string(),
    }
}

/// The program and the machine, as a list of names and values.
pub(crate) fn environment_blocks(environment: Option<&Environment>) -> Vec<Block> {
    let Some(e) = environment else {
        return Vec::new();
    };
    let facts = [
        ("started", moment(&e.started)),
        ("emberlab", e.emberlab.clone()),
        ("Burn", e.burn.clone()),
        ("device", e.device.clone()),
        (
            "processor",
            format!("{}, {}", e.processor, count(e.cores, "core")),
        ),
        ("threads", e.num_threads.to_string()),
        ("trained by", engine(e)),
        ("platform", e.platform.clone()),
        ("data, SHA-256", e.data_sha256.clone()),
    ];
    let owned = facts
        .into_iter()
        .map(|(name, value)| (name.to_string(), value));
    vec![Block::Facts(owned.collect())]
}

/// The engine, and the reason for it if there is one.
fn engine(environment: &Environment) -> String {
    match &environment.engine_because {
        Some(because) => format!("{}, because {because}", environment.engine),
        None => environment.engine.clone(),
    }
}

/// `2026-11-23T07:02:31.159839901Z` becomes `2026-11-23 07:02:31 UTC`; other texts stay as they are.
fn moment(text: &str) -> String {
    match text.split_once('T') {
        Some((day, time)) if text.ends_with('Z') => {
            let whole = time.split(['.', 'Z']).next().unwrap_or_default();
            format!("{day} {whole} UTC")
        }
        _ => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use emberlab_run_format::files::{DIAGNOSIS, IMPORTANCE};

    use super::*;
    use std::fs;

    const METRICS: &str = "epoch,step,learning_rate,train_loss,train_accuracy,valid_loss,valid_accuracy\n\
                           1,4,0.1,0.5,0.8,0.6,0.7\n2,8,0.1,0.4,0.9,0.7,0.75\n";
    const RESULT: &str = r#"{"ending": "completed", "epochs": 2, "steps": 8, "num_parameters": 9,
        "seconds": 1.5, "metrics": {"train": {"loss": 0.4, "accuracy": 0.9},
        "valid": {"loss": 0.7, "accuracy": 0.75}},
        "best": {"epoch": 1, "metric": "loss", "split": "valid", "value": 0.6}}"#;

    fn report(files: &[(&str, &str)]) -> RunReport {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("moons").join("one");
        fs::create_dir_all(&run).unwrap();
        for (name, text) in files {
            let path = run.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        RunReport::load(&run).unwrap()
    }

    #[test]
    fn the_summary_of_a_finished_run_has_its_metrics_and_best_epoch() {
        let report = report(&[
            ("config.toml", "seed = 0"),
            ("metrics.csv", METRICS),
            ("result.json", RESULT),
        ]);
        assert_eq!(
            report.summary(),
            "The network has a valid accuracy of 0.7500 and a valid loss of 0.7000 after 2 epochs (1.50 s of \
             training). Its best valid loss was 0.6000 in epoch 1."
        );
        let document = report.document().unwrap();
        let shown = document
            .sections
            .iter()
            .filter(|section| !section.blocks.is_empty());
        let titles: Vec<&str> = shown.map(|section| section.title).collect();
        assert_eq!(titles, ["Result", "Learning curves", "Configuration"]);
        let csv = "split,metric,value\ntrain,loss,0.4\ntrain,accuracy,0.9\n\
                   valid,loss,0.7\nvalid,accuracy,0.75\n";
        assert_eq!(report.to_csv().unwrap(), csv);
    }

    #[test]
    fn a_regression_that_diverged_has_a_report_however_its_nan_is_spelled() {
        let result = RESULT.replace("\"loss\": 0.4", "\"loss\": null");
        let metrics = METRICS.replace("0.4,", "NaN,");
        for nan in ["null", "\"NaN\""] {
            let evaluation = r#"{"class_names": [], "splits": [{"split": "train", "num_samples": 3,
                "metrics": {"loss": N, "r2": N},
                "regression": {"mae": N, "mse": N, "rmse": N, "r2": N, "max_error": N}}]}"#;
            let diagnosis = r#"{"findings": [{"kind": "non_finite", "severity": "error",
                "summary": "a", "evidence": [{"name": "train loss", "value": N}], "causes": [],
                "remedies": []}]}"#;
            let spelled = |text: &str| text.replace(": N", &format!(": {nan}"));
            let report = report(&[
                ("config.toml", "seed = 0"),
                ("metrics.csv", &metrics),
                ("result.json", &result),
                ("evaluation.json", &spelled(evaluation)),
                ("diagnosis.json", &spelled(diagnosis)),
            ]);
            let summary = report.summary();
            assert!(summary.contains("loss is NaN or infinite"), "{summary}");
            let page = crate::markdown::render(&report.document().unwrap());
            assert!(page.contains("train loss: NaN"), "{page}");
        }
    }

    /// An evaluation of three samples, and a threshold that was chosen for the network whose file holds `last`.
    const EVALUATION: &str = r#"{"class_names": ["no", "yes"], "splits": [{"split": "valid", "num_samples": 3,
        "metrics": {"loss": 0.7, "accuracy": 0.75}, "confusion_matrix": {"counts": [[2, 0], [1, 0]],
        "unpredicted": [0, 0]}}]}"#;
    const THRESHOLD: &str = r#"{"network": {"weights": "last", "sha256": "SHA"}, "split": "valid",
        "best": {"by": {"name": "f1"}, "value": 0.8, "at": {"threshold": 0.25, "true_positives": 1,
        "false_positives": 1, "false_negatives": 0, "true_negatives": 1}},
        "splits": [{"split": "valid", "num_samples": 3, "metrics": {"loss": 0.7, "accuracy": 0.625},
        "confusion_matrix": {"counts": [[1, 1], [0, 1]], "unpredicted": [0, 0]}}]}"#;

    /// `printf last | sha256sum`
    const SHA256: &str = "3547cb112ac4489af2310c0626cdba6f3097a2ad5a3b42ddd3b59c76c7a079a3";

    fn report_with_threshold(threshold: &str, network: &str) -> RunReport {
        report(&[
            ("config.toml", "seed = 0"),
            ("metrics.csv", METRICS),
            ("result.json", RESULT),
            ("evaluation.json", EVALUATION),
            ("model/network.bpk", network),
            ("model/threshold.json", threshold),
        ])
    }

    #[test]
    fn a_chosen_threshold_decides_every_figure_of_its_network_and_no_other() {
        let chosen = THRESHOLD.replace("SHA", SHA256);
        let with = report_with_threshold(&chosen, "last");
        let page = crate::markdown::render(&with.document().unwrap());
        assert!(
            page.contains("yes is predicted above the probability 0.2500"),
            "{page}"
        );
        assert!(
            with.summary().contains("valid accuracy of 0.6250"),
            "{}",
            with.summary()
        );
        let matrix = |report: &RunReport| {
            let evaluation = report.evaluation.as_ref().unwrap();
            evaluation.splits[0]
                .confusion_matrix
                .clone()
                .unwrap()
                .rows()
        };
        assert_eq!(matrix(&with), [[1, 1], [0, 1]]);
        // The training went on, so the file holds another network.
        let without = report_with_threshold(&chosen, "later");
        let page = crate::markdown::render(&without.document().unwrap());
        assert!(
            page.contains("before the training went on; 0.5 is used"),
            "{page}"
        );
        assert_eq!(matrix(&without), [[2, 0], [1, 0]]);
        assert!(without.summary().contains("valid accuracy of 0.7500"));
        // The first version kept no predictions with its threshold.
        let (start, end) = chosen.split_once("\"network\"").unwrap();
        let end = end.split_once("\"split\"").unwrap().1;
        let first = format!("{start}\"split\"{end}");
        let first = format!("{}}}", first.split_once(",\n        \"splits\"").unwrap().0);
        let old = report_with_threshold(&first, "last");
        let page = crate::markdown::render(&old.document().unwrap());
        assert!(page.contains("chosen by an earlier version"), "{page}");
        assert_eq!(matrix(&old), [[2, 0], [1, 0]]);
    }

    #[test]
    fn a_failed_or_unfinished_run_has_a_report() {
        let failure = r#"{"message": "the loss is NaN"}"#;
        let config = ("config.toml", "seed = 0");
        let failed = report(&[config, ("metrics.csv", METRICS), ("failure.json", failure)]);
        let said = "The training failed after 2 epochs: the loss is NaN.";
        assert_eq!(failed.summary(), said);
        assert!(matches!(
            failed.document().unwrap().sections[0].blocks[0],
            Block::Notices(_)
        ));
        let begun = report(&[config]);
        let said = "The training has not finished; 0 epochs evaluated so far.";
        assert_eq!(begun.summary(), said);
        assert!(begun.document().is_ok());
    }

    #[test]
    fn the_summary_begins_with_nan_and_names_the_findings() {
        let result = RESULT.replace("\"loss\": 0.4", "\"loss\": null");
        let finding = r#"{"findings": [{"kind": "non_finite", "severity": "error", "summary": "a",
            "place": null, "evidence": [], "causes": [], "remedies": []}]}"#;
        let report = report(&[
            ("config.toml", "seed = 0"),
            ("metrics.csv", METRICS),
            ("result.json", &result),
            ("diagnosis.json", finding),
        ]);
        assert_eq!(
            report.summary(),
            "The train loss is NaN or infinite after 2 epochs (1.50 s of training). Found: NaN or infinity."
        );
    }

    #[test]
    fn dates_are_shortened_to_seconds() {
        assert_eq!(
            moment("2026-11-23T07:02:31.159839901Z"),
            "2026-11-23 07:02:31 UTC"
        );
        assert_eq!(moment("2026-11-23T07:02:31Z"), "2026-11-23 07:02:31 UTC");
        assert_eq!(moment("yesterday"), "yesterday");
    }

    #[test]
    fn a_damaged_file_is_left_out_and_named_with_the_command_that_writes_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moons/one");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(DIAGNOSIS), "").unwrap();
        fs::create_dir(path.join(IMPORTANCE)).unwrap();
        let run = RunFolder::new(&path);
        let mut damage = Vec::new();
        assert_eq!(run.unless_damaged(run.diagnosis(), &mut damage), None);
        assert_eq!(run.unless_damaged(run.importance(), &mut damage), None);
        assert_eq!(run.unless_damaged(run.baselines(), &mut damage), None);
        let [diagnosis, importance] = damage.as_slice() else {
            panic!("{damage:?}");
        };
        assert!(
            diagnosis.ends_with("; `emberlab diagnose moons/one` writes it again"),
            "{diagnosis}"
        );
        assert!(
            importance.ends_with("; `emberlab evaluate moons/one --importance` writes it again"),
            "{importance}"
        );
    }
}
