//! What a network predicts over a plane of its inputs.

use serde::{Deserialize, Serialize};

use crate::Bytes;

/// A grid of predictions over a plane through the space of inputs, with samples near it.
///
/// Inputs are as the data have them, not standardised.
///
/// # Shapes
/// - grid: `rows` × `columns` points, row by row from the lower left; the first and the last point of a row or
///   column lie on the ends of its axis
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundary {
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// Points of the grid in a row.
    pub columns: usize,
    /// Rows of the grid.
    pub rows: usize,
    /// What is predicted there.
    pub cells: Cells,
    /// Where samples lie, `[x, y]` each.
    pub points: Vec<[f32; 2]>,
    /// The class of each of them.
    pub classes: Vec<u32>,
    /// How the plane was chosen; empty where the inputs have just its two dimensions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// One direction of a plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// The feature, or what else the axis is.
    pub name: String,
    /// Where it begins, in units of the feature.
    pub from: f32,
    /// Where it ends.
    pub to: f32,
}

/// What is predicted at the points of a grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Cells {
    /// Two classes.
    Binary {
        /// Of class 1, in 255ths.
        probabilities: Bytes,
    },
    /// Any number of classes up to 256.
    Multiclass {
        /// The class predicted.
        classes: Bytes,
        /// Of that class, in 255ths.
        probabilities: Bytes,
    },
}

impl Cells {
    /// The predicted class of each point of the grid; above `threshold` it is class 1 of two.
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
    fn a_boundary_survives_being_stored_in_little_text() {
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
