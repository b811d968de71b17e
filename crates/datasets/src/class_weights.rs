//! Weights of classes in the loss, for data in which one class is rare.

use std::fmt;

use emberlab_menu::Problem;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::dataset::with_mean_one;
use crate::{Samples, Targets};

/// How much each class counts in the loss.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassWeights {
    /// `"balanced"`: each class has the same total weight, however many samples they have.
    Balanced,
    /// One weight for each class, in the order of the classes; not negative.
    Each(Vec<f64>),
}

impl ClassWeights {
    /// Multiplies the weight of each sample by that of its class, and divides all by their mean in the training rows.
    ///
    /// With `"balanced"` a class of `n_c` among `n` training rows has the weight `n / (C n_c)`, where `C` is the number
    /// of classes in these rows: scikit-learn's `compute_class_weight("balanced")`. A class without a training row has
    /// the weight 1.
    ///
    /// # Errors
    /// [`Problem`] if the targets are numbers, or if there are not as many weights as classes.
    pub fn apply(&self, samples: &mut Samples, train_rows: &[u32]) -> Result<(), Problem> {
        let problem = |expected: String| Problem::new("class_weights", self, expected);
        let Targets::Classes { labels, names } = &samples.targets else {
            return Err(problem("none, because the targets are numbers".to_owned()));
        };
        let of_classes = match self {
            Self::Each(weights) if weights.len() == names.len() => weights.clone(),
            Self::Each(_) => {
                let classes = names.join("`, `");
                let count = names.len();
                return Err(problem(format!(
                    "`balanced` or {count} weights, for the classes `{classes}`"
                )));
            }
            Self::Balanced => balanced(train_rows.iter().map(|&row| labels[row as usize]), names),
        };
        let weights = labels.iter().enumerate().map(|(row, &label)| {
            let own = samples.weights.as_ref().map_or(1.0, |weights| weights[row]);
            own * of_classes[label as usize]
        });
        let nothing = || problem("a positive weight for a class of the training rows".to_owned());
        let weights = with_mean_one(weights.collect(), train_rows).ok_or_else(nothing)?;
        samples.weights = Some(weights);
        Ok(())
    }

    /// Checks the ranges of the weights.
    ///
    /// # Errors
    /// [`Problem`] if one is negative or not finite.
    pub fn validate(&self) -> Result<(), Problem> {
        let Self::Each(weights) = self else {
            return Ok(());
        };
        let is_weight = |weight: &f64| weight.is_finite() && *weight >= 0.0;
        let wrong = weights.iter().find(|weight| !is_weight(weight));
        match wrong {
            Some(weight) => Err(Problem::new("class_weights", weight, "zero or positive")),
            None => Ok(()),
        }
    }
}

/// The balanced weight of each class; 1 for one that has no label.
fn balanced(labels: impl Iterator<Item = u32>, names: &[String]) -> Vec<f64> {
    let mut counts = vec![0usize; names.len()];
    for label in labels {
        counts[label as usize] += 1;
    }
    let num_rows: usize = counts.iter().sum();
    let num_classes = counts.iter().filter(|&&count| count > 0).count();
    let weight = |&count: &usize| match count {
        0 => 1.0,
        _ => num_rows as f64 / (num_classes * count) as f64,
    };
    counts.iter().map(weight).collect()
}

impl fmt::Display for ClassWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Balanced => f.write_str("balanced"),
            Self::Each(weights) => write!(f, "{weights:?}"),
        }
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Balanced => serializer.serialize_str("balanced"),
            Self::Each(weights) => weights.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ClassWeightsVisitor)
    }
}

struct ClassWeightsVisitor;

impl<'de> Visitor<'de> for ClassWeightsVisitor {
    type Value = ClassWeights;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("\"balanced\" or a list with a weight for each class")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<ClassWeights, E> {
        match word {
            "balanced" => Ok(ClassWeights::Balanced),
            _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ClassWeights, A::Error> {
        let mut weights = Vec::new();
        while let Some(weight) = list.next_element::<f64>()? {
            weights.push(weight);
        }
        Ok(ClassWeights::Each(weights))
    }
}

impl JsonSchema for ClassWeights {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ClassWeights".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How much each class counts in the loss.",
            "anyOf": [
                { "const": "balanced" },
                { "type": "array", "items": { "type": "number", "minimum": 0 } },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Features;

    fn samples(labels: &[u32], weights: Option<Vec<f64>>) -> Samples {
        let targets = Targets::Classes {
            labels: labels.to_vec(),
            names: ["a", "b", "c"].map(str::to_owned).to_vec(),
        };
        let features = Features::Doubles(vec![0.0; labels.len()]);
        Samples {
            weights,
            ..Samples::of_features(features, targets, vec!["x".to_owned()])
        }
    }

    fn applied(class_weights: &ClassWeights, mut samples: Samples, train: &[u32]) -> Vec<f64> {
        class_weights.apply(&mut samples, train).expect("classes");
        samples.weights.expect("weights")
    }

    #[track_caller]
    fn assert_near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-15, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn balanced_weights_are_those_of_scikit_learn() {
        // sklearn.utils.class_weight.compute_sample_weight("balanced", [0, 0, 0, 1, 2, 2])
        let (third, two, one) = (2.0 / 3.0, 2.0, 1.0);
        let found = applied(
            &ClassWeights::Balanced,
            samples(&[0, 0, 0, 1, 2, 2], None),
            &[0, 1, 2, 3, 4, 5],
        );
        assert_near(&found, &[third, third, third, two, one, one]);
    }

    #[test]
    fn balanced_weights_follow_from_the_training_rows_alone() {
        let found = applied(
            &ClassWeights::Balanced,
            samples(&[0, 0, 0, 1, 1, 2], None),
            &[0, 1, 2, 3],
        );
        // Class 0 has three of four training rows, class 1 one, class 2 none.
        assert_near(&found, &[2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 2.0, 2.0, 1.0]);
    }

    #[test]
    fn listed_weights_multiply_those_of_the_samples_and_have_mean_one_in_training() {
        let found = applied(
            &ClassWeights::Each(vec![1.0, 3.0, 0.0]),
            samples(&[0, 1, 2, 0], Some(vec![1.0, 2.0, 1.0, 1.0])),
            &[0, 1],
        );
        assert_near(&found, &[1.0 / 3.5, 6.0 / 3.5, 0.0, 1.0 / 3.5]);
    }

    #[test]
    fn weights_that_fit_no_classes_are_refused() {
        let refused = |weights: ClassWeights, mut samples: Samples| {
            let problem = weights.apply(&mut samples, &[0]).expect_err("refused");
            problem.to_string()
        };
        let two = ClassWeights::Each(vec![1.0, 2.0]);
        let found = refused(two.clone(), samples(&[0, 1, 2], None));
        assert!(
            found.contains("3 weights, for the classes `a`, `b`, `c`"),
            "{found}"
        );
        let numbers = Samples {
            targets: Targets::numbers([1.0]),
            ..samples(&[0], None)
        };
        let found = refused(two, numbers);
        assert!(found.contains("the targets are numbers"), "{found}");
        let zeros = ClassWeights::Each(vec![0.0, 1.0, 1.0]);
        let found = refused(zeros, samples(&[0], None));
        assert!(found.contains("a positive weight"), "{found}");
        assert!(ClassWeights::Each(vec![-1.0]).validate().is_err());
    }
}
