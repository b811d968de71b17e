//! The trials of a comparison as one table, in CSV and Parquet.

use std::collections::BTreeSet;
use std::io;

use emberlab_run_format::{Outcome, TrialOutcome};

use crate::parquet::{self, Column, Values};

/// A table with one row per trial: variant, seed, fold, run, outcome, epochs, steps, seconds, epochs to the target,
/// then every figure. `docs/trials.md` describes the columns.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialTable {
    columns: Vec<Column>,
}

impl TrialTable {
    /// The table of some trials, in their order.
    pub fn new(trials: &[TrialOutcome]) -> Self {
        let texts = |name: &str, value: &dyn Fn(&TrialOutcome) -> String| Column {
            name: name.to_string(),
            values: Values::Texts(trials.iter().map(|t| Some(value(t))).collect()),
        };
        let integers = |name: &str, value: &dyn Fn(&TrialOutcome) -> Option<u64>| Column {
            name: name.to_string(),
            values: Values::Integers(
                trials
                    .iter()
                    .map(|t| value(t).and_then(|v| i64::try_from(v).ok()))
                    .collect(),
            ),
        };
        let reals = |name: &str, value: &dyn Fn(&TrialOutcome) -> Option<f64>| Column {
            name: name.to_string(),
            values: Values::Reals(trials.iter().map(value).collect()),
        };
        let mut columns = vec![
            texts("variant", &|t| t.variant.clone()),
            integers("seed", &|t| Some(t.seed)),
            integers("fold", &|t| t.fold.map(|fold| fold as u64)),
            texts("run", &|t| t.run.clone()),
            texts("outcome", &|t| outcome(t.outcome).to_string()),
            integers("epochs", &|t| Some(t.epochs as u64)),
            integers("steps", &|t| Some(t.steps)),
            reals("seconds", &|t| Some(t.seconds)),
            integers("epochs_to_target", &|t| {
                t.epochs_to_target.map(|n| n as u64)
            }),
        ];
        let names: BTreeSet<&String> = trials.iter().flat_map(|t| t.figures.keys()).collect();
        columns.extend(
            names
                .into_iter()
                .map(|name| reals(name, &|t| t.figures.get(name).copied())),
        );
        Self { columns }
    }

    /// The table as CSV. Floats read back exactly. NaN is written as `NaN`, a missing value as an empty cell.
    ///
    /// # Errors
    /// [`io::Error`] of the writer.
    pub fn write_csv(&self, out: impl io::Write) -> Result<(), io::Error> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(self.columns.iter().map(|column| &column.name))?;
        let num_rows = self.columns.first().map_or(0, |column| column.values.len());
        for row in 0..num_rows {
            writer.write_record(self.columns.iter().map(|column| column.values.text(row)))?;
        }
        writer.flush()
    }

    /// The table as the bytes of a Parquet file, with optional columns of STRING, INT64 and DOUBLE.
    pub fn to_parquet(&self) -> Vec<u8> {
        parquet::to_bytes(&self.columns)
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "completed",
        Outcome::StoppedEarly => "stopped_early",
        Outcome::Failed => "failed",
        Outcome::Missing => "missing",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table() -> TrialTable {
        let trial = |seed: u64, figures: &[(&str, f64)]| TrialOutcome {
            variant: format!("alpha {seed}, ü"),
            seed,
            fold: (seed > 0).then_some(2),
            run: format!("alpha-{seed}"),
            outcome: if seed > 0 {
                Outcome::Failed
            } else {
                Outcome::StoppedEarly
            },
            epochs: 3,
            steps: 6,
            seconds: 1.5,
            epochs_to_target: None,
            figures: figures
                .iter()
                .map(|(k, v)| ((*k).to_string(), *v))
                .collect(),
        };
        TrialTable::new(&[
            trial(0, &[("train_loss", f64::NAN), ("valid_f1>0.1", 0.75)]),
            trial(1, &[("train_loss", 0.1)]),
        ])
    }

    #[test]
    fn csv_writes_nan_and_leaves_missing_cells_empty() {
        let mut out = Vec::new();
        table().write_csv(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "variant,seed,fold,run,outcome,epochs,steps,seconds,epochs_to_target,train_loss,valid_f1>0.1\n\
             \"alpha 0, ü\",0,,alpha-0,stopped_early,3,6,1.5,,NaN,0.75\n\
             \"alpha 1, ü\",1,2,alpha-1,failed,3,6,1.5,,0.1,\n"
        );
    }

    #[test]
    fn parquet_is_the_golden_file_that_pyarrow_reads() {
        // >>> t = pyarrow.parquet.read_table("trials.parquet"); t.to_pydict()
        // {'variant': ['alpha 0, ü', 'alpha 1, ü'], 'seed': [0, 1], 'fold': [None, 2],
        //  'run': ['alpha-0', 'alpha-1'], 'outcome': ['stopped_early', 'failed'], 'epochs': [3, 3],
        //  'steps': [6, 6], 'seconds': [1.5, 1.5], 'epochs_to_target': [None, None],
        //  'train_loss': [nan, 0.1], 'valid_f1>0.1': [0.75, None]}
        // Version 26.0.1; the crate parquet 60.1 reads the same rows.
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/golden/trials.parquet");
        let current = table().to_parquet();
        if std::env::var_os("EMBERLAB_BLESS").is_some() {
            std::fs::write(path, &current).expect("the golden file can be written");
        }
        let golden = std::fs::read(path).expect("the golden file can be read");
        assert!(
            current == golden,
            "the golden file differs: `cargo xtask bless`"
        );
    }
}
