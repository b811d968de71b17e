//! The importance of each column for a network, and the partial dependence on the most important ones.

use burn::tensor::Device;
use emberlab_analysis::Classifier;
use emberlab_analysis::importance::{
    Rows, frequent_grid, numeric_grid, partial_dependence, permuted_scores,
};
use emberlab_metrics::Direction;
use emberlab_models::Network;
use emberlab_rng::stream;
use emberlab_run_format::{
    ColumnImportance, DependentOutput, Importance, PartialDependence, Points,
};
use emberlab_training::{Task, labels};
use rand::seq::index;

use super::evaluate::not_scored;
use super::scores::Guesses;
use crate::error::ExperimentError;
use crate::trial::{Prepared, evenly};

/// Permutations of each column.
const NUM_PERMUTATIONS: usize = 10;
/// The most columns that are permuted.
const MAX_COLUMNS: usize = 200;
/// The most rows that are permuted.
const MAX_ROWS: usize = 2000;
/// Fewer rows say too little to be shown, unless the split has no more.
const MIN_ROWS: usize = 100;
/// The number of multiplications of a quick importance: some tenths of a second.
const QUICK_WORK: usize = 500_000_000;

/// Columns whose partial dependence is computed.
const NUM_DEPENDENCES: usize = 3;
/// The most points of a partial dependence.
const NUM_POINTS: usize = 20;
/// The most rows behind each point of a partial dependence.
const DEPENDENCE_ROWS: usize = 500;
/// The most classes or targets of a partial dependence.
const MAX_OUTPUTS: usize = 6;

/// How long the importance may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportanceLimit {
    /// Some tenths of a second: fewer rows are permuted, or nothing is computed.
    Quick,
    /// At most 200 columns and 2000 rows.
    Full,
}

/// A column of the data: its name, and the numbers that it was encoded as.
struct Column {
    name: String,
    features: Vec<usize>,
}

/// A network with the rows that it predicts.
struct Subject<'a> {
    prepared: &'a Prepared,
    classifier: Classifier<'a>,
    rows: Vec<u32>,
    inputs: Vec<f64>,
}

impl Prepared {
    /// The importance of every column for a network, on the evaluation split. `None` if the features have no names,
    /// such as those of images; if the network outputs NaN; if it would take longer than `limit` allows; or as soon as
    /// `is_stopping` holds.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the device fails.
    pub fn importance(
        &self,
        network: &Network,
        device: &Device,
        limit: ImportanceLimit,
        is_stopping: impl Fn() -> bool,
    ) -> Result<Option<Importance>, ExperimentError> {
        let columns = self.columns_in_use();
        let split = self.evaluation_split();
        let split_rows = self.rows(split);
        let num_columns = columns.len();
        let shown: Vec<usize> = evenly(num_columns, MAX_COLUMNS).collect();
        let num_rows = match limit {
            ImportanceLimit::Full => MAX_ROWS,
            ImportanceLimit::Quick => {
                let of_row = NUM_PERMUTATIONS * shown.len() * network.num_parameters();
                MAX_ROWS.min(QUICK_WORK / of_row.max(1))
            }
        };
        let num_rows = num_rows.min(split_rows.len());
        if columns.is_empty() || num_rows < MIN_ROWS.min(split_rows.len()) || num_rows == 0 {
            return Ok(None);
        }
        let mut rng = stream(self.config.seed, "importance rows", &[]);
        let mut places = index::sample(&mut rng, split_rows.len(), num_rows).into_vec();
        places.sort_unstable();
        let rows: Vec<u32> = places.into_iter().map(|place| split_rows[place]).collect();
        let subject = Subject {
            prepared: self,
            classifier: self.classifier(network, device),
            inputs: self.rows_of_columns(&rows),
            rows,
        };
        let outputs = subject.outputs(&subject.inputs)?;
        if outputs.iter().any(|output| output.is_nan()) {
            return Ok(None);
        }
        let score = subject.score_of(outputs)?;
        if !score.is_finite() {
            return Ok(None);
        }
        let mut importances = Vec::new();
        for &place in &shown {
            if is_stopping() {
                return Ok(None);
            }
            importances.push((place, subject.importance(&columns[place], place, score)?));
        }
        importances.sort_by(|(_, a), (_, b)| b.mean().total_cmp(&a.mean()));
        let mut dependence = Vec::new();
        for (place, _) in importances.iter().take(NUM_DEPENDENCES) {
            if is_stopping() {
                return Ok(None);
            }
            dependence.extend(subject.dependence(&columns[*place])?);
        }
        Ok(Some(Importance {
            split,
            metric: self.comparable_metric(),
            score,
            num_rows,
            num_split_rows: split_rows.len(),
            columns: importances.into_iter().map(|(_, column)| column).collect(),
            num_columns,
            dependence,
        }))
    }

    /// The columns of the data that the features are derived from.
    fn columns_in_use(&self) -> Vec<Column> {
        let mut columns = self.encoded_columns();
        if let Some(derived) = &self.derived {
            columns.retain(|column| column.features.iter().any(|place| derived.uses(*place)));
        }
        columns
    }

    /// The columns of the data. The features that come from one column of a table, such as those of a one-hot encoding,
    /// belong together.
    fn encoded_columns(&self) -> Vec<Column> {
        let Some(encoder) = &self.encoder else {
            let names = self.columns.feature_names.iter().enumerate();
            return names
                .map(|(feature, name)| Column {
                    name: name.clone(),
                    features: vec![feature],
                })
                .collect();
        };
        let mut columns: Vec<Column> = encoder
            .column_names()
            .map(|name| Column {
                name: name.to_string(),
                features: Vec::new(),
            })
            .collect();
        for (place, feature) in encoder.features().into_iter().enumerate() {
            match feature.column {
                Some(column) => columns[column].features.push(place),
                // A feature of several columns stands for itself: no single column could be permuted without it.
                None => columns.push(Column {
                    name: feature.name,
                    features: vec![place],
                }),
            }
        }
        columns.retain(|column| !column.features.is_empty());
        columns
    }
}

impl Subject<'_> {
    fn as_rows(&self) -> Rows<'_> {
        Rows {
            values: &self.inputs,
            num_features: self.prepared.columns.num_features(),
        }
    }

    /// The outputs of the network for inputs that are not standardised.
    fn outputs(&self, inputs: &[f64]) -> Result<Vec<f64>, ExperimentError> {
        let num_columns = self.prepared.columns.num_features();
        Ok(self.classifier.outputs(inputs, num_columns)?)
    }

    /// The metric of the network's predictions for the rows with these inputs.
    fn score(&self, inputs: &[f64]) -> Result<f64, ExperimentError> {
        self.score_of(self.outputs(inputs)?)
    }

    /// The metric of these outputs of the network, as predictions for the rows.
    fn score_of(&self, outputs: Vec<f64>) -> Result<f64, ExperimentError> {
        let prepared = self.prepared;
        let guesses = match &prepared.task {
            Task::Binary { .. } => Guesses::Probabilities(prepared.task.probabilities(
                &prepared.config.loss,
                &outputs,
                prepared.d_output,
            )?),
            Task::Multiclass { .. } => Guesses::Classes {
                classes: labels(&prepared.task, &outputs, prepared.d_output)?,
                probabilities: prepared.task.probabilities(
                    &prepared.config.loss,
                    &outputs,
                    prepared.d_output,
                )?,
                outputs,
            },
            Task::Regression { .. } => Guesses::Values(prepared.task.in_units_of_the_data(outputs)),
        };
        let metric = prepared.comparable_metric();
        let metrics = prepared.score(&self.rows, &guesses, &[metric]);
        let metrics = metrics.map_err(not_scored)?;
        Ok(metrics.get(metric).unwrap_or(f64::NAN))
    }

    fn importance(
        &self,
        column: &Column,
        place: usize,
        score: f64,
    ) -> Result<ColumnImportance, ExperimentError> {
        let mut rng = stream(self.prepared.config.seed, "importance", &[place as u64]);
        let (rows, features) = (self.as_rows(), &column.features);
        let scores = permuted_scores(rows, features, NUM_PERMUTATIONS, &mut rng, |inputs| {
            self.score(inputs)
        })?;
        let drop = |permuted: f64| match self.prepared.comparable_metric().direction() {
            Direction::Higher => score - permuted,
            Direction::Lower => permuted - score,
        };
        Ok(ColumnImportance {
            column: column.name.clone(),
            drops: scores.into_iter().map(drop).collect(),
        })
    }

    /// The partial dependence on a column. A date that reaches the network as its parts has one for each part.
    fn dependence(&self, column: &Column) -> Result<Vec<PartialDependence>, ExperimentError> {
        let samples = &self.prepared.columns;
        let name = |feature: usize| samples.feature_names[feature].as_str();
        let is_indicator = |feature: &usize| samples.indicators.get(*feature) == Some(&true);
        let indicator = format!("{} is missing", column.name);
        let (missing, values): (Vec<usize>, Vec<usize>) =
            (column.features.iter().copied()).partition(|feature| name(*feature) == indicator);
        if values.len() > 1 && values.iter().all(is_indicator) {
            return Ok(vec![
                self.dependence_on_categories(column, missing.first())?,
            ]);
        }
        let begins = format!("{} ", column.name);
        let are_parts = values.len() > 1 && values.iter().all(|v| name(*v).starts_with(&begins));
        let curves: Vec<(&str, Vec<usize>)> = match are_parts {
            true => (values.iter().map(|&part| (name(part), vec![part]))).collect(),
            false => vec![(column.name.as_str(), values)],
        };
        let at_missing = match missing.first() {
            Some(indicator) => self.means_at_missing(column, *indicator)?,
            None => None,
        };
        let curves = curves.into_iter().map(|(name, values)| {
            let features = [&values[..], &missing].concat();
            let found = self.dependence_on_numbers(name, &features, missing.first())?;
            Ok::<_, ExperimentError>(found.map(|found| PartialDependence {
                missing: at_missing.clone(),
                ..found
            }))
        });
        curves.filter_map(Result::transpose).collect()
    }

    /// The partial dependence on the categories of a column, the most frequent first.
    fn dependence_on_categories(
        &self,
        column: &Column,
        missing: Option<&usize>,
    ) -> Result<PartialDependence, ExperimentError> {
        let names = &self.prepared.columns.feature_names;
        let grid = frequent_grid(self.as_rows(), &column.features, NUM_POINTS);
        let place = |feature: &usize| column.features.iter().position(|one| one == feature);
        let missing = missing.and_then(place);
        let name = |block: &Vec<f64>| {
            if missing.is_some_and(|place| block[place] != 0.0) {
                return "missing".to_string();
            }
            let set = block.iter().position(|value| *value != 0.0);
            let feature = set.map(|i| names[column.features[i]].as_str());
            let prefix = format!("{}=", column.name);
            let name = feature.map(|name| name.strip_prefix(&prefix).unwrap_or(name));
            name.unwrap_or("another").to_string()
        };
        let points = Points::Names(grid.iter().map(name).collect());
        self.dependence_at(&column.name, &column.features, (grid, points))
    }

    /// The partial dependence on the first of some features, ascending by its values. Rows whose value is missing have no
    /// place among them; `None` if the value of every row is missing.
    fn dependence_on_numbers(
        &self,
        name: &str,
        features: &[usize],
        missing: Option<&usize>,
    ) -> Result<Option<PartialDependence>, ExperimentError> {
        let width = self.prepared.columns.num_features();
        let is_missing = |row: &&[f64]| missing.is_some_and(|feature| row[*feature] != 0.0);
        let present = self.inputs.chunks_exact(width);
        let present: Vec<f64> = present
            .filter(|row| !is_missing(row))
            .flatten()
            .copied()
            .collect();
        if present.is_empty() {
            return Ok(None);
        }
        let rows = Rows {
            values: &present,
            num_features: width,
        };
        let grid = numeric_grid(rows, features, NUM_POINTS);
        let numbers = grid.iter().map(|block| block[0]).collect();
        let points = Points::Numbers(numbers);
        Ok(Some(self.dependence_at(name, features, (grid, points))?))
    }

    /// The mean predictions with every feature of a column as in a row whose value is missing; `None` if no value is.
    fn means_at_missing(
        &self,
        column: &Column,
        indicator: usize,
    ) -> Result<Option<Vec<f64>>, ExperimentError> {
        let width = self.prepared.columns.num_features();
        let mut rows = self.inputs.chunks_exact(width);
        let Some(row) = rows.find(|row| row[indicator] != 0.0) else {
            return Ok(None);
        };
        let features = &column.features;
        let block = features.iter().map(|feature| row[*feature]).collect();
        let points = Points::Names(vec!["missing".to_string()]);
        let found = self.dependence_at(&column.name, features, (vec![block], points))?;
        let means = found.outputs.into_iter().flat_map(|output| output.means);
        Ok(Some(means.collect()))
    }

    /// The mean predictions at the points of a grid.
    fn dependence_at(
        &self,
        name: &str,
        features: &[usize],
        (grid, points): (Vec<Vec<f64>>, Points),
    ) -> Result<PartialDependence, ExperimentError> {
        let width = self.prepared.columns.num_features();
        let used: Vec<usize> = evenly(self.rows.len(), DEPENDENCE_ROWS).collect();
        let inputs: Vec<f64> = (used.iter())
            .flat_map(|row| &self.inputs[row * width..][..width])
            .copied()
            .collect();
        let rows = Rows {
            values: &inputs,
            num_features: width,
        };
        let means = partial_dependence(rows, features, &grid, |inputs| self.predictions(inputs))?;
        let outputs = self.outputs_shown().into_iter().map(|(output, name)| {
            let means = means.iter().map(|mean| mean[output]).collect();
            DependentOutput { name, means }
        });
        Ok(PartialDependence {
            column: name.to_string(),
            points,
            num_rows: used.len(),
            outputs: outputs.collect(),
            missing: None,
        })
    }

    /// The probabilities of the classes, or the numbers in the units of the data.
    fn predictions(&self, inputs: &[f64]) -> Result<Vec<f64>, ExperimentError> {
        let prepared = self.prepared;
        let outputs = self.outputs(inputs)?;
        Ok(match &prepared.task {
            Task::Regression { .. } => prepared.task.in_units_of_the_data(outputs),
            task => task.probabilities(&prepared.config.loss, &outputs, prepared.d_output)?,
        })
    }

    /// The places and names of the outputs whose partial dependence is shown: class 1 of two, the most frequent classes
    /// of several, or the first targets.
    fn outputs_shown(&self) -> Vec<(usize, String)> {
        let prepared = self.prepared;
        let names = match &prepared.samples.targets {
            emberlab_datasets::Targets::Classes { names, .. }
            | emberlab_datasets::Targets::Values { names, .. } => names,
        };
        if let Task::Binary { .. } = prepared.task {
            return vec![(0, names.get(1).cloned().unwrap_or_default())];
        }
        let mut places: Vec<usize> = (0..names.len()).collect();
        if let Some(labels) = prepared.samples.labels()
            && names.len() > MAX_OUTPUTS
        {
            let mut counts = vec![0_usize; names.len()];
            self.rows
                .iter()
                .for_each(|&row| counts[labels[row as usize] as usize] += 1);
            places.sort_by_key(|&class| std::cmp::Reverse(counts[class]));
            places.truncate(MAX_OUTPUTS);
            places.sort_unstable();
        }
        places.truncate(MAX_OUTPUTS);
        places
            .into_iter()
            .map(|place| (place, names[place].clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use emberlab_config_source::ConfigSource;

    use super::*;
    use crate::config::ExperimentConfig;

    #[test]
    fn missing_values_and_parts_of_dates_have_points_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        // Every third age is missing. Two years, each with days in four months.
        let row = |i: usize| {
            let age = if i.is_multiple_of(3) {
                String::new()
            } else {
                i.to_string()
            };
            let (year, month) = (2011 + i % 2, 1 + i % 4);
            format!("{age},{year}-0{month}-17,{}\n", i % 5 / 2)
        };
        let rows: String = (0..120).map(row).collect();
        std::fs::write(&path, format!("age,when,y\n{rows}")).unwrap();
        let text = format!(
            r#"
            [dataset]
            name = "csv"
            path = {path:?}
            label = "y"
            task = "regression"
            dates = "parts"
            impute = {{ number = "median", indicators = true }}
            [split]
            train = 0.5
            valid = 0.5
            [model]
            name = "mlp"
            hidden = [4]
            [loss]
            name = "mse"
            [optimizer]
            name = "adam"
            learning_rate = 0.01
            [training]
            num_epochs = 1
            "#
        );
        let config = ExperimentConfig::from_source(&ConfigSource::new("table.toml", text));
        let prepared = Prepared::load(config.unwrap(), &[]).unwrap();
        let device = Device::flex();
        let network = prepared.init_network(&device).unwrap();
        let found = prepared.importance(&network, &device, ImportanceLimit::Full, || false);
        let dependence = found.unwrap().unwrap().dependence;
        let of = |name: &str| dependence.iter().find(|one| one.column == name).unwrap();
        let numbers = |name: &str| match &of(name).points {
            Points::Numbers(numbers) => numbers.clone(),
            Points::Names(names) => panic!("{names:?}"),
        };
        assert_eq!(dependence.len(), 1 + 4);
        // The median that takes the place of missing ages is no age of its own.
        assert!(
            numbers("age")
                .iter()
                .all(|age| age % 3.0 != 0.0 && age.fract() == 0.0)
        );
        assert_eq!(of("age").missing.as_ref().unwrap().len(), 1);
        assert_eq!(numbers("when year"), [2011.0, 2012.0]);
        assert_eq!(numbers("when month"), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(numbers("when day"), [17.0]);
        assert_eq!(of("when year").missing, None);
    }
}
