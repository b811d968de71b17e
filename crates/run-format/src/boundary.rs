//! The predictions of a network over a plane of its inputs.

use serde::{Deserialize, Serialize};

use crate::Bytes;

/// A grid of predictions over a plane through the space of inputs, with samples near it.
///
/// Inputs are in the units of the data, not standardised.
///
/// # Shapes
/// - grid: `rows` × `columns` points, row by row from the lower left; the first and the last point of a row or
///   column lie on the ends of its axis
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundary {
    /// The horizontal axis, to the right.
    pub x: Axis,
    /// The vertical axis, upwards.
    pub y: Axis,
    /// Number of points in a row of the grid.
    pub columns: usize,
    /// Number of rows of the grid.
    pub rows: usize,
    /// The predictions at the points of the grid.
    pub cells: Cells,
    /// The positions of samples, `[x, y]` each.
    pub points: Vec<[f64; 2]>,
    /// The class of each sample.
    pub classes: Vec<u32>,
    /// How the plane was chosen; empty if the inputs have two features only.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// One axis of a plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// The feature's name, or that of a direction through several features.
    pub name: String,
    /// The lower end, in units of the feature.
    pub from: f64,
    /// The upper end, in units of the feature.
    pub to: f64,
}

/// The predictions at the points of a grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Cells {
    /// Two classes.
    Binary {
        /// The probability of class 1, in steps of 1/255.
        probabilities: Bytes,
    },
    /// Up to 256 classes.
    Multiclass {
        /// The predicted class.
        classes: Bytes,
        /// The probability of that class, in steps of 1/255.
        probabilities: Bytes,
    },
}

impl Cells {
    /// The predicted class at each point of the grid. Of two classes, class 1 is predicted where its probability is
    /// above `threshold`.
    pub fn classes(&self, threshold: f64) -> Vec<u32> {
        match self {
            Self::Binary { probabilities } => {
                let class = |p: f64| u32::from(p > threshold);
                probabilities.shares().map(class).collect()
            }
            Self::Multiclass { classes, .. } => classes.0.iter().copied().map(u32::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_boundary_reads_back_from_short_text() {
        let axis = |name: &str| Axis {
            name: name.to_string(),
            from: -1.5,
            to: 2.5,
        };
        let boundary = Boundary {
            x: axis("x1"),
            y: axis("x2"),
            columns: 60,
            rows: 60,
            cells: Cells::Binary {
                probabilities: Bytes(vec![128; 3600]),
            },
            points: vec![[0.125, -0.5]],
            classes: vec![1],
            note: String::new(),
        };
        let json = serde_json::to_string(&boundary).unwrap();
        assert!(json.len() < 7500, "{}", json.len());
        assert_eq!(boundary, serde_json::from_str(&json).unwrap());
    }

    #[test]
    fn the_threshold_decides_between_two_classes() {
        let cells = Cells::Binary {
            probabilities: Bytes(vec![50, 100, 200]),
        };
        assert_eq!(cells.classes(0.5), [0, 0, 1]);
        assert_eq!(cells.classes(0.3), [0, 1, 1]);
    }
}
