//! `gates`: the truth tables of two inputs.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::generation::LabelledPoints;
use crate::samples::{Samples, names};

/// The truth table of a logic gate: or, and, nand or xor.
///
/// Its four rows stand in counting order: 00, 01, 10, 11. Class 1 means that the gate's output is true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Gates {
    /// The gate (default "or").
    pub gate: Gate,
}

impl Default for Gates {
    fn default() -> Self {
        Self { gate: Gate::Or }
    }
}

/// A logic gate of two inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// True if at least one input is true.
    Or,
    /// True if both inputs are true.
    And,
    /// False if both inputs are true.
    Nand,
    /// True if exactly one input is true: no line separates the classes.
    Xor,
}

impl Gate {
    /// The gate's output.
    pub fn output(self, a: bool, b: bool) -> bool {
        match self {
            Self::Or => a || b,
            Self::And => a && b,
            Self::Nand => !(a && b),
            Self::Xor => a != b,
        }
    }
}

impl DataSource for Gates {
    fn origin(&self) -> Origin {
        Origin::Generated
    }

    /// The truth table: features `[4, 2]`, 0 or 1 each.
    fn load(&self, _: &[PathBuf], _: u64) -> Result<Samples, DatasetError> {
        let mut table = LabelledPoints::default();
        for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
            let inputs = [a, b].map(f64::from);
            table.push(inputs, usize::from(self.gate.output(a, b)));
        }
        Ok(table.into_samples(names(&["false", "true"])))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn labels_are_the_truth_tables() {
        for (gate, labels) in [
            (Gate::Or, [0, 1, 1, 1]),
            (Gate::And, [0, 0, 0, 1]),
            (Gate::Nand, [1, 1, 1, 0]),
            (Gate::Xor, [0, 1, 1, 0]),
        ] {
            let table = Gates { gate }.load(&[], 0).unwrap();
            assert_eq!(table.labels().unwrap(), labels);
            assert_eq!(table.row(2), [1.0, 0.0]);
        }
    }
}
