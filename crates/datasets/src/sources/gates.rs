//! Truth tables of two inputs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Labelled;
use crate::samples::{Samples, names};

/// The four rows of a truth table, in counting order: 00, 01, 10, 11.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GatesConfig {
    /// Which gate (default "or").
    pub gate: Gate,
}

impl Default for GatesConfig {
    fn default() -> Self {
        Self { gate: Gate::Or }
    }
}

/// A logic gate of two inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// True if any input is.
    Or,
    /// True if both inputs are.
    And,
    /// True unless both inputs are.
    Nand,
    /// True if just one input is: no line separates its classes.
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

impl GatesConfig {
    /// The truth table: features `[4, 2]`, inputs 0 or 1, class 1 where the gate's output is true.
    pub fn generate(&self) -> Samples {
        let mut table = Labelled::default();
        for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
            let inputs = [a, b].map(f64::from);
            table.push(inputs, usize::from(self.gate.output(a, b)));
        }
        table.into_samples(names(&["false", "true"]))
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
            let table = GatesConfig { gate }.generate();
            assert_eq!(table.labels().unwrap(), labels);
            assert_eq!(table.row(2), [1.0, 0.0]);
        }
    }
}
