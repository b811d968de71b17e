//! The baselines and the importance of one run: computed, written into its folder, and shown in the terminal.

use std::fmt::Write as _;

use emberlab_experiments::{ExperimentError, ImportanceLimit, LoadedRun, Run};
use emberlab_metrics::{Split, SplitMetrics};
use emberlab_report::baselines::{baseline_sentences, baseline_table, judged_by};
use emberlab_run_format::files::{BASELINES, IMPORTANCE};
use emberlab_run_format::{Baselines, Importance, RunFolder, RunResult, Weights};
use serde::Serialize;

use crate::failure::Failure;
use crate::progress::number;
use crate::tables;

/// Columns in the table of the most important ones.
const SHOWN: usize = 10;

/// The results that `emberlab evaluate` computes besides the scores.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Explain {
    /// Compute simple predictors, such as logistic regression, on the same rows, and save them in the run. A training
    /// does so by itself for small data.
    #[arg(long)]
    baselines: bool,
    /// Compute how much the last network depends on each column, and save it in the run. A training does so by itself
    /// where it is quick.
    #[arg(long)]
    importance: bool,
}

/// The baselines and the importance in a run's folder.
#[derive(Debug, Serialize)]
pub struct Explanations {
    #[serde(skip_serializing_if = "Option::is_none")]
    baselines: Option<Baselines>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importance: Option<Importance>,
    /// The reason why a computed result could not be saved.
    #[serde(skip)]
    unsaved: Option<ExperimentError>,
}

impl Explanations {
    /// Computes and saves what `explain` asks for, and reads the rest from the folder of the run. Whether it could be
    /// [saved](Self::saved) is asked after it is shown.
    ///
    /// # Errors
    /// [`Failure`] if the importance of another network than the last is asked for, or the device fails.
    pub fn of(
        explain: Explain,
        run: &Run,
        loaded: &LoadedRun,
        weights: Weights,
    ) -> Result<Self, Failure> {
        if explain.importance && weights != Weights::Last {
            return Err(Failure::Usage(
                "`--importance` is about the last network; leave out `--weights best`".to_string(),
            ));
        }
        let mut unsaved = None;
        let mut save = |saved: Result<(), ExperimentError>| {
            unsaved = unsaved.take().or(saved.err());
        };
        let mut computed: (Option<Baselines>, Option<Importance>) = (None, None);
        if explain.baselines {
            let baselines = loaded.prepared.baselines();
            save(run.write_json(BASELINES, &baselines));
            computed.0 = Some(baselines);
        }
        if explain.importance {
            computed.1 = loaded.importance(ImportanceLimit::Full)?;
            match &computed.1 {
                Some(importance) => save(run.write_json(IMPORTANCE, importance)),
                None => say!(
                    "note: without importance, because the features have no names or the network outputs NaN"
                ),
            }
        }
        let folder = RunFolder::new(run.path());
        let mut damage = Vec::new();
        let found = Self {
            baselines: match computed.0 {
                None => folder.unless_damaged(folder.baselines(), &mut damage),
                baselines => baselines,
            },
            importance: match (computed.1, weights) {
                (None, Weights::Last) => folder.unless_damaged(folder.importance(), &mut damage),
                (importance, _) => importance,
            },
            unsaved,
        };
        for damaged in damage {
            say!("warning: {damaged}");
        }
        Ok(found)
    }

    /// Whether all that was computed is saved.
    ///
    /// # Errors
    /// [`ExperimentError`] if a file could not be written.
    pub fn saved(self) -> Result<(), ExperimentError> {
        self.unsaved.map_or(Ok(()), Err)
    }

    /// The tables and sentences for the terminal; empty if there is nothing to say about this split.
    pub fn text(&self, split: Split, network: &SplitMetrics) -> String {
        let mut text = String::new();
        if let Some(baselines) = &self.baselines
            && let Some(table) = baseline_table(baselines, split, network)
        {
            let caption = table.caption.clone();
            let _ = write!(text, "\n\n{caption}\n{}", tables::in_terminal(table));
            for sentence in baseline_sentences(baselines, split, network) {
                let _ = write!(text, "\n{sentence}");
            }
        }
        if let Some(importance) = self.importance.as_ref().filter(|i| i.split == split) {
            let _ = write!(text, "\n\n{}", importance_table(importance));
        }
        text
    }
}

/// The most important columns with the drop of the metric.
fn importance_table(importance: &Importance) -> String {
    let mut table = tables::table(["column", "mean", "smallest", "largest"], 1);
    for column in importance.columns.iter().take(SHOWN) {
        let drops = column.drops.iter().copied();
        table.add_row([
            column.column.clone(),
            number(column.mean()),
            number(drops.clone().fold(f64::INFINITY, f64::min)),
            number(drops.fold(f64::NEG_INFINITY, f64::max)),
        ]);
    }
    let more = importance.num_columns.saturating_sub(SHOWN);
    let more = match more {
        0 => String::new(),
        more => format!(" (and {more} more columns)"),
    };
    format!(
        "how much worse the {} {} is when a column is permuted among {} rows{more}\n{table}",
        importance.split, importance.metric, importance.num_rows
    )
}

/// The sentence that compares the network of a run with the best baseline, if baselines were computed.
pub fn answer(run: &Run, result: &RunResult) -> Option<String> {
    // Baselines that cannot be read are not worth an error after a training.
    let baselines = RunFolder::new(run.path()).baselines().ok()??;
    let (split, metrics) = judged_by(result)?;
    baseline_sentences(&baselines, split, metrics)
        .into_iter()
        .next()
}
