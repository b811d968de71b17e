//! The data of a training, as the rules read them.

use emberlab_datasets::{Batching, Samples, Splits, StandardizeConfig, Standardizer, Targets};

/// The data of a training.
#[derive(Debug, Clone, Copy)]
pub struct ObservedData<'a> {
    /// All samples.
    pub samples: &'a Samples,
    /// The rows of each split.
    pub splits: &'a Splits,
    /// How the inputs are to be standardised.
    pub standardize: &'a StandardizeConfig,
    /// The means and deviations that standardise them.
    pub standardizer: &'a Standardizer,
    /// How the training rows are divided into batches.
    pub batches: Batching,
    /// Whether the splits were drawn so that each has its share of every class.
    pub is_stratified: bool,
    /// Whether the network normalises over the rows of a batch.
    pub compares_rows: bool,
}

impl ObservedData<'_> {
    /// Whether the samples are rows of a table, and not images.
    pub(super) fn is_table(&self) -> bool {
        self.samples.input_shape.len() == 1
    }

    /// The features of a row, `[num_features]`, as they were read.
    pub(super) fn row(&self, row: u32) -> Vec<f64> {
        self.samples.row(row as usize)
    }

    /// The features of a row, `[num_features]`, as the network takes them.
    pub(super) fn standardized_row(&self, row: u32) -> Vec<f64> {
        let raw = self.row(row).into_iter().enumerate();
        raw.map(|(feature, x)| f64::from(self.standardizer.value(x, feature)))
            .collect()
    }

    /// The name of a feature.
    pub(super) fn feature_name(&self, feature: usize) -> String {
        match self.samples.feature_names.get(feature) {
            Some(name) => name.clone(),
            None => format!("feature {}", feature + 1),
        }
    }

    /// The numbers to predict: the name of each target, and its value in every row; empty for classes.
    pub(super) fn target_columns(&self) -> Vec<(&str, Vec<f64>)> {
        let Targets::Values { values, names } = &self.samples.targets else {
            return Vec::new();
        };
        let named = names.iter().enumerate();
        named
            .map(|(target, name)| {
                let column = values.iter().skip(target).step_by(names.len());
                (name.as_str(), column.copied().collect())
            })
            .collect()
    }

    /// The name of each class and the number of its rows; empty for a regression.
    pub(super) fn class_counts(&self) -> Vec<(&str, usize)> {
        let rows: Vec<u32> = (0..self.samples.len() as u32).collect();
        self.class_counts_of(&rows)
    }

    /// The name of each class and the number of its rows among these; empty for a regression.
    pub(super) fn class_counts_of(&self, rows: &[u32]) -> Vec<(&str, usize)> {
        let names = self.samples.class_names().unwrap_or_default().iter();
        let mut counts: Vec<(&str, usize)> = names.map(|name| (name.as_str(), 0)).collect();
        if let Some(labels) = self.samples.labels() {
            for &row in rows {
                counts[labels[row as usize] as usize].1 += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
pub(super) mod examples {
    use super::*;
    use crate::diagnosis::{LearningCurves, Observations, findings};
    use emberlab_datasets::{BatchSize, Features};
    use emberlab_run_format::{Finding, FindingKind};
    use rand::RngExt as _;

    /// A table with its columns, the first three quarters of whose rows are training rows, the others validation rows.
    #[derive(Clone)]
    pub struct Table {
        pub samples: Samples,
        pub splits: Splits,
        pub standardize: StandardizeConfig,
        pub batches: Batching,
        pub is_stratified: bool,
        pub compares_rows: bool,
    }

    impl Table {
        pub fn new(columns: &[(&str, Vec<f32>)], targets: Targets) -> Self {
            let num_rows = targets.len();
            let rows = (0..num_rows).flat_map(|row| columns.iter().map(move |(_, c)| c[row]));
            let num_train = (3 * num_rows / 4) as u32;
            Self {
                samples: Samples::of_features(
                    Features::Floats(rows.collect()),
                    targets,
                    columns.iter().map(|(name, _)| name.to_string()).collect(),
                ),
                splits: Splits {
                    train: (0..num_train).collect(),
                    valid: (num_train..num_rows as u32).collect(),
                    test: Vec::new(),
                },
                standardize: StandardizeConfig::default(),
                batches: Batching {
                    batch_size: BatchSize::Size(32),
                    drop_last: false,
                    shuffle: true,
                },
                is_stratified: false,
                compares_rows: false,
            }
        }

        /// The findings from the data alone.
        pub fn findings(&self) -> Vec<Finding> {
            self.findings_with(&LearningCurves::default())
        }

        pub fn findings_with(&self, curves: &LearningCurves) -> Vec<Finding> {
            let standardizer =
                Standardizer::fit(&self.standardize, &self.samples, &self.splits.train);
            let data = ObservedData {
                samples: &self.samples,
                splits: &self.splits,
                standardize: &self.standardize,
                standardizer: &standardizer,
                batches: self.batches,
                is_stratified: self.is_stratified,
                compares_rows: self.compares_rows,
            };
            findings(&Observations {
                data: Some(data),
                ..Observations::of_curves(curves)
            })
        }

        pub fn kinds(&self) -> Vec<FindingKind> {
            self.findings().iter().map(|f| f.kind).collect()
        }
    }

    /// Numbers in [0, 1) without a pattern, different for each `seed`.
    pub fn noise(num_rows: usize, seed: u32) -> Vec<f32> {
        let mut rng = emberlab_rng::stream(u64::from(seed), "noise", &[]);
        (0..num_rows).map(|_| rng.random()).collect()
    }

    /// The classes of the rows, by their names.
    pub fn classes(names: &[&str]) -> Targets {
        let mut different: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        different.sort();
        different.dedup();
        let label = |name: &&str| different.iter().position(|d| d == name).unwrap_or(0) as u32;
        Targets::Classes {
            labels: names.iter().map(label).collect(),
            names: different,
        }
    }

    /// Two classes in turn.
    pub fn alternating(num_rows: usize) -> Targets {
        let names: Vec<&str> = (0..num_rows).map(|i| ["no", "yes"][i % 2]).collect();
        classes(&names)
    }
}
