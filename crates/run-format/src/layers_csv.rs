//! `layers.csv`: one row per layer and record of a network that was inspected while it learned.
//!
//! A record is made of a fixed probe batch. Times are not in the file, so that a resumed run ends with the same file
//! as one that was never interrupted.

use thiserror::Error;

use crate::exact_number::Exact;

/// The quantiles of activations in a row.
pub const QUANTILES: [f64; 5] = [0.01, 0.25, 0.5, 0.75, 0.99];

/// The number of bins of every histogram.
pub const NUM_BINS: usize = 30;

/// The columns, in order.
const COLUMNS: [&str; 27] = [
    "epoch",
    "step",
    "layer",
    "activation",
    "units",
    "activation_mean",
    "activation_std",
    "activation_q01",
    "activation_q25",
    "activation_q50",
    "activation_q75",
    "activation_q99",
    "dead",
    "saturated",
    "weight_norm",
    "gradient_norm",
    "update_norm",
    "update_ratio",
    "activation_low",
    "activation_high",
    "activation_bins",
    "weight_low",
    "weight_high",
    "weight_bins",
    "gradient_low",
    "gradient_high",
    "gradient_bins",
];

/// The number of values in each of [`NUM_BINS`] bins of equal width between two edges. NaN and infinities are in no
/// bin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// The lower edge of the first bin: the smallest finite value; NaN if no value is finite.
    pub low: f64,
    /// The upper edge of the last bin: the largest finite value; NaN if no value is finite.
    pub high: f64,
    /// The number of values in each bin; all in the first if the edges are equal.
    pub counts: Vec<u64>,
}

impl Histogram {
    fn cells(&self) -> String {
        let counts: Vec<String> = self.counts.iter().map(u64::to_string).collect();
        format!(
            ",{},{},{}",
            Exact(self.low),
            Exact(self.high),
            counts.join(" ")
        )
    }
}

/// One layer in one record.
///
/// Activations are the outputs of the layer after its activation function. Norms are Euclidean, over the weights of the
/// layer without biases.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerRow {
    /// Epochs done, as a fraction: 0 before the first step, 1.5 in the middle of the second epoch.
    pub epoch: f64,
    /// Optimiser steps done.
    pub step: u64,
    /// The name of the layer, such as `layers.0` or `convolutions.1`.
    pub layer: String,
    /// The name of its activation function, such as `relu`.
    pub activation: String,
    /// Its units, or channels of a convolution.
    pub units: usize,
    /// Mean of the activations.
    pub activation_mean: f64,
    /// Standard deviation of the activations, divided by their number.
    pub activation_std: f64,
    /// The [`QUANTILES`] of the activations, interpolated linearly.
    pub activation_quantiles: [f64; 5],
    /// Share of units that are zero for every row, of a function whose units can die; else 0.
    pub dead: f64,
    /// Share of activations of a sigmoid or tanh where the slope is below a twenty-fifth of its largest; else 0.
    pub saturated: f64,
    /// Norm of the weights.
    pub weight_norm: f64,
    /// Norm of the loss's gradient by the weights, on the probe batch.
    pub gradient_norm: f64,
    /// Norm of the change of the weights in the last step before the record; NaN before the first step.
    pub update_norm: f64,
    /// Activations in bins.
    pub activations: Histogram,
    /// Weights in bins.
    pub weights: Histogram,
    /// Gradients of the weights in bins.
    pub gradients: Histogram,
}

impl LayerRow {
    /// The first line of the file.
    pub fn header() -> String {
        COLUMNS.join(",") + "\n"
    }

    /// Norm of the last step's change over the norm of the weights; NaN before the first step.
    pub fn update_ratio(&self) -> f64 {
        self.update_norm / self.weight_norm
    }

    /// Root mean square of the gradient of the weights.
    pub fn gradient_rms(&self) -> f64 {
        let count: u64 = self.weights.counts.iter().sum();
        self.gradient_norm / (count as f64).sqrt()
    }

    /// The row itself. NaN is written as `NaN`, infinities as `inf` and `-inf`. The counts of a histogram stand in one
    /// cell, with blanks between them. No cell needs quotes.
    pub fn line(&self) -> String {
        let mut line = format!(
            "{},{},{},{},{}",
            self.epoch, self.step, self.layer, self.activation, self.units
        );
        let moments = [self.activation_mean, self.activation_std];
        let sizes = [
            self.dead,
            self.saturated,
            self.weight_norm,
            self.gradient_norm,
            self.update_norm,
            self.update_ratio(),
        ];
        for value in moments
            .iter()
            .chain(&self.activation_quantiles)
            .chain(&sizes)
        {
            line.push_str(&format!(",{}", Exact(*value)));
        }
        for histogram in [&self.activations, &self.weights, &self.gradients] {
            line.push_str(&histogram.cells());
        }
        line.push('\n');
        line
    }

    fn parse(record: &csv::StringRecord) -> Option<Self> {
        if record.len() != COLUMNS.len() {
            return None;
        }
        let number = |i: usize| record[i].parse::<f64>().ok();
        let histogram = |first: usize| {
            let counts: Result<Vec<u64>, _> =
                record[first + 2].split(' ').map(str::parse).collect();
            Some(Histogram {
                low: number(first)?,
                high: number(first + 1)?,
                counts: counts.ok().filter(|counts| counts.len() == NUM_BINS)?,
            })
        };
        Some(Self {
            epoch: number(0)?,
            step: record[1].parse().ok()?,
            layer: record[2].to_string(),
            activation: record[3].to_string(),
            units: record[4].parse().ok()?,
            activation_mean: number(5)?,
            activation_std: number(6)?,
            activation_quantiles: [number(7)?, number(8)?, number(9)?, number(10)?, number(11)?],
            dead: number(12)?,
            saturated: number(13)?,
            weight_norm: number(14)?,
            gradient_norm: number(15)?,
            update_norm: number(16)?,
            activations: histogram(18)?,
            weights: histogram(21)?,
            gradients: histogram(24)?,
        })
    }
}

/// A line of `layers.csv` that is not a row under the header, or not the row of the layer that has its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("line {line} is not a row of a layer, or not of the layer that has its turn")]
pub struct LayerRowError {
    /// The line, counted from 1.
    pub line: u64,
}

/// The rows of a `layers.csv`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerHistory {
    rows: Vec<LayerRow>,
}

impl LayerHistory {
    /// The history that consists of these rows: record by record, each from the first layer to the last.
    pub fn of(rows: Vec<LayerRow>) -> Self {
        Self { rows }
    }

    /// Reads the text of a `layers.csv`. A last record without all its rows does not count: it is still being written,
    /// or was when the process was killed.
    ///
    /// # Errors
    /// [`LayerRowError`] with the first line that is not a row, or that does not go on with the record of the row before.
    pub fn parse(text: &str) -> Result<Self, LayerRowError> {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut reader = csv::Reader::from_reader(whole.as_bytes());
        let at = |position: Option<&csv::Position>| LayerRowError {
            line: position.map_or(1, csv::Position::line),
        };
        let mut rows: Vec<LayerRow> = Vec::new();
        // The number of rows of a record, once the second one begins.
        let mut num_layers = None;
        for record in reader.records() {
            let record = record.map_err(|e| at(e.position()))?;
            let row = LayerRow::parse(&record).ok_or_else(|| at(record.position()))?;
            if rows.first().is_some_and(|first| first.layer == row.layer) {
                num_layers.get_or_insert(rows.len());
            }
            let place = num_layers.map_or(rows.len(), |n| rows.len() % n);
            let begins = place == 0;
            let fits = match num_layers {
                Some(_) => rows[place].layer == row.layer,
                None => rows.iter().all(|other| other.layer != row.layer),
            };
            if !fits || !begins && rows.last().is_some_and(|last| last.step != row.step) {
                return Err(at(record.position()));
            }
            rows.push(row);
        }
        let num_whole = num_layers.map_or(rows.len(), |n| rows.len() - rows.len() % n);
        rows.truncate(num_whole);
        Ok(Self { rows })
    }

    /// All rows, in the order of the file: record by record, each from the first layer to the last.
    pub fn rows(&self) -> &[LayerRow] {
        &self.rows
    }

    /// The names of the layers, from the inputs to the outputs.
    pub fn layers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in &self.rows {
            if names.contains(&row.layer.as_str()) {
                break;
            }
            names.push(&row.layer);
        }
        names
    }

    /// The rows of the newest record.
    pub fn last(&self) -> &[LayerRow] {
        let newest = self.rows.last().map(|row| row.step);
        let is_older = |row: &LayerRow| Some(row.step) != newest;
        let begin = self.rows.iter().rposition(is_older).map_or(0, |i| i + 1);
        &self.rows[begin..]
    }

    /// Adds the rows of a record.
    pub fn push(&mut self, record: &[LayerRow]) {
        self.rows.extend_from_slice(record);
    }

    /// Removes what was recorded after `step`: a resumed training records it again.
    pub fn truncate(&mut self, step: u64) {
        let is_kept = |row: &LayerRow| row.step <= step;
        let kept = self.rows.iter().rposition(is_kept).map_or(0, |i| i + 1);
        self.rows.truncate(kept);
    }

    /// The rows of a layer, one for each record.
    pub fn of_layer(&self, layer: &str) -> impl Iterator<Item = &LayerRow> {
        self.rows.iter().filter(move |row| row.layer == layer)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(step: u64, layer: &str) -> LayerRow {
        let histogram = Histogram {
            low: -0.1,
            high: 0.30000000000000004,
            counts: (0..NUM_BINS as u64).collect(),
        };
        LayerRow {
            epoch: step as f64 / 4.0,
            step,
            layer: layer.to_string(),
            activation: "relu".to_string(),
            units: 8,
            activation_mean: 0.1 + 0.2,
            update_norm: 0.5,
            weight_norm: 2.0,
            activations: histogram.clone(),
            weights: histogram.clone(),
            gradients: histogram,
            ..LayerRow::default()
        }
    }

    #[test]
    fn rows_read_back_exactly_and_a_half_written_last_one_is_ignored() {
        let rows = [
            (0, "layers.0"),
            (0, "layers.1"),
            (2, "layers.0"),
            (2, "layers.1"),
        ];
        let rows = rows.map(|(step, layer)| row(step, layer));
        let lines: String = rows.iter().map(LayerRow::line).collect();
        let text = LayerRow::header() + &lines + "1,4,layers.0";
        let history = LayerHistory::parse(&text).unwrap();
        assert_eq!(history.rows(), rows);
        assert_eq!(history.layers(), ["layers.0", "layers.1"]);
        let steps: Vec<u64> = history.of_layer("layers.0").map(|row| row.step).collect();
        assert_eq!(steps, [0, 2]);
        assert_eq!(history.last(), &rows[2..]);
        let mut resumed = history.clone();
        resumed.truncate(1);
        assert_eq!(resumed.last(), &rows[..2]);
        resumed.push(&rows[2..]);
        assert_eq!(resumed, history);
        assert_eq!(history.rows()[0].update_ratio(), 0.25);
    }

    #[test]
    fn a_last_record_without_all_its_rows_is_left_out_and_a_ragged_one_before_it_is_refused() {
        let names = ["layers.0", "layers.1", "layers.2"];
        let lines: Vec<String> = [0, 2, 4]
            .into_iter()
            .flat_map(|step| names.map(|name| row(step, name).line()))
            .collect();
        let parse = |lines: &[String]| LayerHistory::parse(&(LayerRow::header() + &lines.concat()));
        for num_lines in 3..=9 {
            let history = parse(&lines[..num_lines]).unwrap();
            assert_eq!(history.rows().len(), num_lines / 3 * 3);
            assert_eq!(history.layers(), names);
        }
        for missing in 1..8 {
            let mut ragged = lines.clone();
            ragged.remove(missing);
            assert!(parse(&ragged).is_err(), "without row {missing}");
        }
        // Each of two records is half there.
        let halves = [&lines[..1], &lines[4..]].concat();
        assert_eq!(parse(&halves), Err(LayerRowError { line: 3 }));
    }

    #[test]
    fn a_line_that_is_no_row_is_named() {
        let text = LayerRow::header()
            + &row(0, "layers.0").line()
            + &row(0, "x").line().replace("relu,8", "relu,x");
        assert_eq!(LayerHistory::parse(&text), Err(LayerRowError { line: 3 }));
    }
}
