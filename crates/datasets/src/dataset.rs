//! A data set as loaded, before its rows are divided and encoded as numbers.

use emberlab_tables::{Encoder, Label, LoadedTable, Table, TableConfig, Values};
use sha2::{Digest, Sha256};

use crate::error::DatasetError;
use crate::samples::{Features, Samples, Targets, hash_rows};

/// A data set as loaded. Its targets are known; the features of a table become numbers when the training rows are
/// known, because missing values and categories are fitted on these rows only.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The targets, one per row.
    pub targets: Targets,
    /// The group of each row; rows of one group stay in one split.
    pub groups: Option<Vec<u32>>,
    /// Sentences about what was found or left out while reading.
    pub notes: Vec<String>,
    inputs: Inputs,
}

/// The inputs of a data set.
#[derive(Debug, Clone)]
enum Inputs {
    /// Numbers: everything of the samples but their targets.
    Numbers(Samples),
    /// A table of the user's own, with the weight of each row.
    Table {
        config: Box<TableConfig>,
        table: Table,
        weights: Option<Vec<f64>>,
    },
}

impl From<Samples> for Dataset {
    fn from(mut samples: Samples) -> Self {
        let targets = std::mem::replace(&mut samples.targets, Targets::numbers([]));
        Self {
            targets,
            groups: None,
            notes: Vec::new(),
            inputs: Inputs::Numbers(samples),
        }
    }
}

impl Dataset {
    /// The data set of a table.
    pub(crate) fn of_table(config: &TableConfig, loaded: LoadedTable) -> Self {
        Self {
            targets: match loaded.label {
                Label::Classes { labels, names } => Targets::Classes { labels, names },
                Label::Values { values, names } => Targets::Values { values, names },
            },
            groups: loaded.groups,
            notes: loaded.notes,
            inputs: Inputs::Table {
                config: Box::new(config.clone()),
                table: loaded.features,
                weights: loaded.weights,
            },
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The line of each row of a table as an editor counts it, from 1; for files without lines the row, from 1. `None` if
    /// the data set is not a table.
    pub fn lines(&self) -> Option<&[u64]> {
        match &self.inputs {
            Inputs::Numbers(_) => None,
            Inputs::Table { table, .. } => Some(&table.lines),
        }
    }

    /// The samples as numbers, and how the columns of a table became numbers; `None` if the data set is not a table.
    ///
    /// The encoder is fitted on `train_rows`. Weights are divided by their mean in these rows, so that the size of a
    /// step does not depend on the unit of the weights.
    ///
    /// # Errors
    /// [`DatasetError::Table`] with line and key if a value is missing and nothing replaces it, or a category of
    /// another row is not among the training rows; [`DatasetError::Value`] if all weights of the training rows are 0.
    pub fn encode(self, train_rows: &[u32]) -> Result<(Samples, Option<Encoder>), DatasetError> {
        let (config, table, weights) = match self.inputs {
            Inputs::Numbers(samples) => {
                let targets = self.targets;
                return Ok((Samples { targets, ..samples }, None));
            }
            Inputs::Table {
                config,
                table,
                weights,
            } => (config, table, weights),
        };
        let only_zeros = || {
            emberlab_menu::Problem::new(
                "weight",
                "only zeros in the training rows",
                "a column with a positive weight in a training row",
            )
        };
        let encoder = Encoder::fit(&config, &table, train_rows)?;
        let features = Features::Doubles(encoder.encode(&config, &table)?);
        let encoded = encoder.features();
        let names = encoded.iter().map(|feature| feature.name.clone());
        let mut samples = Samples::of_features(features, self.targets, names.collect());
        samples.indicators = encoded.iter().map(|feature| feature.is_indicator).collect();
        samples.weights = match weights {
            Some(weights) => Some(with_mean_one(weights, train_rows).ok_or_else(only_zeros)?),
            None => None,
        };
        Ok((samples, Some(encoder)))
    }

    /// The samples as numbers, with the encoder fitted on all rows.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_all(self) -> Result<Samples, DatasetError> {
        let rows: Vec<u32> = (0..self.len() as u32).collect();
        Ok(self.encode(&rows)?.0)
    }

    /// SHA-256 of features and targets in hexadecimal: the kind (`bytes`, `floats`, `classes`, …) and the little-endian
    /// bytes of each. Numbers that fit 32-bit floats are hashed as such, and a table of numbers as the samples it
    /// becomes.
    pub fn checksum(&self) -> String {
        let mut hash = Sha256::new();
        match &self.inputs {
            Inputs::Numbers(samples) => samples.features.hash(&mut hash),
            Inputs::Table { table, .. } => match numbers(table) {
                Some(columns) => {
                    let row = |i: usize| columns.iter().map(move |values| values[i]);
                    hash_rows(&mut hash, (0..table.len()).flat_map(row));
                }
                None => hash_columns(&mut hash, table),
            },
        }
        self.targets.hash(&mut hash);
        if let Inputs::Table {
            weights: Some(weights),
            ..
        } = &self.inputs
        {
            hash.update(b"weights");
            hash_doubles(&mut hash, weights);
        }
        if let Some(groups) = &self.groups {
            hash.update(b"groups");
            groups
                .iter()
                .for_each(|group| hash.update(group.to_le_bytes()));
        }
        hex::encode(hash.finalize())
    }

    /// The data set with the checksum `expected`: this one, or the one that version 0.1.0 read from the same table,
    /// where numbers were rounded to 32 bits.
    ///
    /// # Errors
    /// The checksum of this data set if the data are others.
    pub fn with_checksum(self, expected: &str) -> Result<Self, String> {
        let found = self.checksum();
        if found == expected {
            return Ok(self);
        }
        let rounded = self.rounded().filter(|data| data.checksum() == expected);
        rounded.ok_or(found)
    }

    /// The data set with its numbers rounded to 32 bits; `None` if it is not a table.
    fn rounded(mut self) -> Option<Self> {
        let round = |values: &mut Vec<f64>| {
            for value in values {
                *value = f64::from(*value as f32);
            }
        };
        let Inputs::Table { table, .. } = &mut self.inputs else {
            return None;
        };
        for column in &mut table.columns {
            if let Values::Numbers(values) = &mut column.values {
                round(values);
            }
        }
        if let Targets::Values { values, .. } = &mut self.targets {
            round(values);
        }
        Some(self)
    }
}

/// The columns of a table of numbers; `None` if it has other columns or misses values.
fn numbers(table: &Table) -> Option<Vec<&[f64]>> {
    let columns = table.columns.iter().map(|column| match &column.values {
        Values::Numbers(values) if !values.iter().any(|x| x.is_nan()) => Some(values.as_slice()),
        Values::Numbers(_) | Values::Categories { .. } => None,
    });
    columns.collect()
}

/// Hashes each column: its name, its kind and its values.
fn hash_columns(hash: &mut Sha256, table: &Table) {
    for column in &table.columns {
        hash.update(b"column");
        hash_text(hash, &column.name);
        match &column.values {
            Values::Numbers(values) => {
                hash.update(b"numbers");
                hash_doubles(hash, values);
            }
            Values::Categories { codes, names } => {
                hash.update(b"categories");
                names.iter().for_each(|name| hash_text(hash, name));
                for code in codes {
                    // No table has as many categories.
                    hash.update(code.unwrap_or(u32::MAX).to_le_bytes());
                }
            }
        }
    }
}

fn hash_text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

fn hash_doubles(hash: &mut Sha256, values: &[f64]) {
    for value in values {
        hash.update(value.to_le_bytes());
    }
}

/// Divides weights by their mean in the training rows; none if they are all 0 there.
pub(crate) fn with_mean_one(weights: Vec<f64>, train_rows: &[u32]) -> Option<Vec<f64>> {
    let sum: f64 = train_rows.iter().map(|&row| weights[row as usize]).sum();
    if sum <= 0.0 {
        return None;
    }
    let mean = sum / train_rows.len() as f64;
    Some(weights.into_iter().map(|weight| weight / mean).collect())
}
