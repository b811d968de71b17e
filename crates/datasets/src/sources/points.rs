//! `points`: points of the plane that are written in the configuration.

use std::collections::BTreeSet;
use std::path::PathBuf;

use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::samples::{Features, Samples, Targets, numbered_features};

/// The largest number of points. More points belong into a table.
const MAX_POINTS: usize = 20_000;

/// The largest class.
const MAX_CLASS: f64 = 999.0;

/// Points of the plane, written in the configuration.
///
/// The samples are in the order of the points. The classes are those that points have, in numeric order, each named by
/// its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Points {
    /// x1, x2 and the target of each point, `[[0.1, -0.4, 0], [0.9, 0.3, 1]]`: at most 20,000 (default: the corners of
    /// a square, opposite ones of one class).
    #[schemars(with = "Vec<[f64; 3]>")]
    pub points: Vec<Vec<f64>>,
    /// Whether the targets are classes or numbers (default "classification").
    pub task: PointsTask,
}

impl Default for Points {
    fn default() -> Self {
        Self {
            points: vec![
                vec![-1.0, -1.0, 0.0],
                vec![-1.0, 1.0, 1.0],
                vec![1.0, -1.0, 1.0],
                vec![1.0, 1.0, 0.0],
            ],
            task: PointsTask::Classification,
        }
    }
}

/// Whether the targets of points are classes or numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PointsTask {
    /// Classes: whole numbers from 0 to 999.
    Classification,
    /// Any finite numbers.
    Regression,
}

impl DataSource for Points {
    fn origin(&self) -> Origin {
        Origin::Configuration
    }

    fn validate(&self) -> Result<(), Problem> {
        Problem::unless(
            (1..=MAX_POINTS).contains(&self.points.len()),
            "points",
            format!("a list of {}", self.points.len()),
            format!("1 to {MAX_POINTS} points; a table, `name = \"csv\"`, holds more"),
        )?;
        for (i, point) in self.points.iter().enumerate() {
            let [_, _, target] = point[..] else {
                let value = format!("{point:?}");
                let expected = "three numbers: x1, x2 and the target";
                return Err(Problem::new(format!("points[{i}]"), value, expected));
            };
            for (place, number) in point.iter().enumerate() {
                Problem::unless_finite(*number, format!("points[{i}][{place}]"))?;
            }
            let is_class = target.fract() == 0.0 && (0.0..=MAX_CLASS).contains(&target);
            Problem::unless(
                is_class || self.task == PointsTask::Regression,
                format!("points[{i}][2]"),
                target,
                format!("a class, 0 to {MAX_CLASS}, or any number with `task = \"regression\"`"),
            )?;
        }
        Ok(())
    }

    /// The points: features `[num_points, 2]`.
    fn load(&self, _: &[PathBuf], _: u64) -> Result<Samples, DatasetError> {
        let targets = self.points.iter().map(|point| point[2]);
        let targets = match self.task {
            PointsTask::Regression => Targets::numbers(targets),
            PointsTask::Classification => {
                let classes = targets.map(|target| target as u32);
                let present: BTreeSet<u32> = classes.clone().collect();
                let present: Vec<u32> = present.into_iter().collect();
                let label = |class| present.partition_point(|&other| other < class) as u32;
                Targets::Classes {
                    labels: classes.map(label).collect(),
                    names: present.iter().map(u32::to_string).collect(),
                }
            }
        };
        let features = self.points.iter().flat_map(|point| &point[..2]);
        let features = Features::Doubles(features.copied().collect());
        Ok(Samples::of_features(
            features,
            targets,
            numbered_features(2),
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn points(points: &str) -> Points {
        serde_json::from_str(&format!(r#"{{"points": {points}}}"#)).unwrap()
    }

    #[test]
    fn samples_are_the_points_in_their_order_and_classes_are_named_by_their_numbers() {
        let config = points("[[0.1, -0.4, 7], [0.9, 0.3, 1], [2, 3, 7.0]]");
        let samples = config.load(&[], 0).unwrap();
        assert_eq!(samples.row(0), [0.1, -0.4]);
        assert_eq!(samples.row(2), [2.0, 3.0]);
        assert_eq!(samples.feature_names, ["x1", "x2"]);
        assert_eq!(samples.labels().unwrap(), [1, 0, 1]);
        assert_eq!(samples.class_names().unwrap(), ["1", "7"]);
    }

    #[test]
    fn targets_of_a_regression_are_any_numbers() {
        let config = Points {
            task: PointsTask::Regression,
            ..points("[[0, 0, -0.5], [1, 2, 3]]")
        };
        config.validate().unwrap();
        let samples = config.load(&[], 0).unwrap();
        assert_eq!(samples.targets, Targets::numbers([-0.5, 3.0]));
    }

    #[test]
    fn a_bad_point_is_named_with_its_place() {
        for (text, expected) in [
            (
                "[]",
                "`points` is a list of 0, expected 1 to 20000 points; a table, `name = \"csv\"`, holds more",
            ),
            (
                "[[0, 0, 1], [1, 2]]",
                "`points[1]` is [1.0, 2.0], expected three numbers: x1, x2 and the target",
            ),
            (
                "[[0, 0, 0.5]]",
                "`points[0][2]` is 0.5, expected a class, 0 to 999, or any number with `task = \"regression\"`",
            ),
        ] {
            let problem = points(text).validate().unwrap_err();
            assert_eq!(problem.to_string(), expected);
        }
        let infinite = Points {
            points: vec![vec![0.0, f64::INFINITY, 1.0]],
            ..Points::default()
        };
        assert_eq!(
            infinite.validate().unwrap_err().to_string(),
            "`points[0][1]` is inf, expected a finite number"
        );
        let many = Points {
            points: vec![vec![0.0, 0.0, 1.0]; MAX_POINTS + 1],
            ..Points::default()
        };
        assert_eq!(many.validate().unwrap_err().key, "points");
    }
}
