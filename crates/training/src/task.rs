//! The task that a network learns, which follows from data and loss.

use emberlab_datasets::{Encoding, Standardizer, Targets};
use emberlab_metrics::{Metric, sigmoid, softmax};

use crate::error::TrainingError;
use crate::loss::{Loss, LossConfig, OutputKind, TargetKind};

/// How outputs become predictions.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// One output; class 1 when it is above 0 (logits) or above 0.5 (anything else).
    Binary {
        /// Whether the loss takes logits.
        on_logits: bool,
    },
    /// One output for each class; the class of the largest is predicted.
    Multiclass {
        /// Number of classes in the data.
        num_classes: usize,
    },
    /// Numbers.
    Regression {
        /// Mean and standard deviation of each target: the network learns standardised targets.
        standardizer: Standardizer,
        /// Whether the outputs are logarithms of the predictions.
        on_logs: bool,
    },
}

impl Task {
    /// The task that follows from `targets` and `loss`, and the number of outputs of the network.
    ///
    /// `standardizer` is that of the targets, for numbers: see [`Standardizer::fit_targets`]. `d_output` is the number
    /// of outputs in the configuration, if it is written there.
    ///
    /// # Errors
    /// [`TrainingError::Mismatch`] if the loss cannot be computed on these targets, or if there are more
    /// classes than outputs.
    pub fn infer(
        targets: &Targets,
        standardizer: Option<Standardizer>,
        loss: &LossConfig,
        d_output: Option<usize>,
    ) -> Result<(Self, usize), TrainingError> {
        match targets {
            Targets::Classes { names, .. } => Self::of_classes(names.len(), loss, d_output),
            Targets::Values { values, names } => {
                if loss.function.targets() == TargetKind::Counts {
                    let are_raw = standardizer.as_ref().is_none_or(Standardizer::is_identity);
                    check_counts(values, names, are_raw, loss)?;
                }
                let identity = || Standardizer {
                    mean: vec![0.0; names.len()],
                    std: vec![1.0; names.len()],
                };
                Self::of_numbers(standardizer.unwrap_or_else(identity), loss, d_output)
            }
        }
    }

    fn of_numbers(
        standardizer: Standardizer,
        loss: &LossConfig,
        d_output: Option<usize>,
    ) -> Result<(Self, usize), TrainingError> {
        let kind = loss.function.targets();
        let on_logs = kind == TargetKind::Counts;
        if !on_logs && kind != TargetKind::Numbers {
            return mismatch(
                "loss.name",
                format!(
                    "`{}` compares classes, but the targets are numbers; use {}",
                    loss.name(),
                    Loss::names_with(|loss| loss.targets() == TargetKind::Numbers)
                ),
            );
        }
        let num_targets = standardizer.mean.len();
        match d_output {
            Some(d) if d != num_targets => mismatch(
                "model.d_output",
                format!(
                    "the data has {num_targets} targets per sample, but the network {d} outputs"
                ),
            ),
            _ => {
                let task = Self::Regression {
                    standardizer,
                    on_logs,
                };
                Ok((task, num_targets))
            }
        }
    }

    fn of_classes(
        num_classes: usize,
        loss: &LossConfig,
        d_output: Option<usize>,
    ) -> Result<(Self, usize), TrainingError> {
        let name = loss.name();
        let on_logits = loss.function.outputs() == OutputKind::Logit;
        let of_classes = |loss: &Loss| loss.targets() == TargetKind::OneHot && !loss.is_naive();
        let multiclass = |d_output: usize| {
            if d_output < num_classes {
                return mismatch(
                    "model.d_output",
                    format!(
                        "the data has {num_classes} classes, but the network only {d_output} outputs"
                    ),
                );
            }
            Ok((Self::Multiclass { num_classes }, d_output))
        };
        match loss.function.targets() {
            TargetKind::TwoClasses if num_classes != 2 => mismatch(
                "loss.name",
                format!(
                    "`{name}` tells 2 classes apart, but the data has {num_classes}; use {}",
                    Loss::names_with(of_classes)
                ),
            ),
            TargetKind::Counts => mismatch(
                "loss.name",
                format!(
                    "`{name}` learns counts, but the targets are classes; use {}",
                    Loss::names_with(of_classes)
                ),
            ),
            TargetKind::TwoClasses => match d_output {
                None | Some(1) => Ok((Self::Binary { on_logits }, 1)),
                Some(d) => mismatch(
                    "model.d_output",
                    format!("`{name}` takes 1 output, but the network has {d}"),
                ),
            },
            TargetKind::OneHot => multiclass(d_output.unwrap_or(num_classes)),
            TargetKind::Classes | TargetKind::Numbers => match d_output {
                None | Some(1) if num_classes == 2 => Ok((Self::Binary { on_logits }, 1)),
                _ => multiclass(d_output.unwrap_or(num_classes)),
            },
        }
    }

    /// The layout of targets for a network of `d_output` outputs.
    pub fn encoding(&self, d_output: usize) -> Encoding {
        match self {
            Self::Binary { .. } => Encoding::Binary,
            Self::Multiclass { .. } => Encoding::OneHot {
                num_classes: d_output,
            },
            Self::Regression { standardizer, .. } => Encoding::Values {
                standardizer: standardizer.clone(),
            },
        }
    }

    /// The metrics that a split can have under this task.
    pub fn metrics(&self) -> Vec<Metric> {
        match self {
            Self::Regression { .. } => Metric::of_numbers().collect(),
            Self::Binary { .. } | Self::Multiclass { .. } => Metric::of_classes().collect(),
        }
    }

    /// The probabilities of classes, in [0, 1]; NaN where the outputs are.
    ///
    /// With one output for two classes it is the probability of class 1: the sigmoid of a logit, or the output
    /// itself, bounded to [0, 1]. With one output for each class it is the softmax if the loss takes it; the outputs
    /// of other losses aim at 0 and 1, so they are bounded to [0, 1] and divided by their sum.
    ///
    /// # Shapes
    /// - outputs: `[num_samples × d_output]`, row by row
    /// - result: the same; `d_output` is 1 for two classes with one output
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the rows are not whole, or there are no classes.
    pub fn probabilities(
        &self,
        loss: &LossConfig,
        outputs: &[f64],
        d_output: usize,
    ) -> Result<Vec<f64>, TrainingError> {
        // `clamp` keeps NaN.
        let bounded = |outputs: &[f64]| outputs.iter().map(|x| x.clamp(0.0, 1.0)).collect();
        match self {
            Self::Binary { on_logits: true } => Ok(sigmoid(outputs)),
            Self::Binary { on_logits: false } => Ok(bounded(outputs)),
            Self::Multiclass { .. } if loss.function.outputs() == OutputKind::ClassLogits => {
                softmax(outputs, d_output).map_err(|e| TrainingError::Read(e.to_string()))
            }
            Self::Multiclass { .. } => {
                let mut shares: Vec<f64> = bounded(outputs);
                for row in shares.chunks_mut(d_output) {
                    let sum: f64 = row.iter().sum();
                    let even = 1.0 / d_output as f64;
                    let share = |x: f64| if sum == 0.0 { even } else { x / sum };
                    row.iter_mut().for_each(|x| *x = share(*x));
                }
                Ok(shares)
            }
            Self::Regression { .. } => Err(TrainingError::Read(
                "a regression has no classes".to_string(),
            )),
        }
    }

    /// Number of classes, if the task has classes.
    pub fn num_classes(&self) -> Option<usize> {
        match self {
            Self::Binary { .. } => Some(2),
            Self::Multiclass { num_classes } => Some(*num_classes),
            Self::Regression { .. } => None,
        }
    }

    /// The outputs of a network in the units of the data: the standardisation of a regression is undone, and logarithms
    /// become numbers. All other outputs stay as they are.
    ///
    /// # Shapes
    /// - outputs, result: `[num_samples × d_output]`, row by row
    pub fn in_units_of_the_data(&self, mut outputs: Vec<f64>) -> Vec<f64> {
        if let Self::Regression { on_logs: true, .. } = self {
            outputs.iter_mut().for_each(|x| *x = x.exp());
        }
        self.targets_in_units_of_the_data(outputs)
    }

    /// The targets as a network learns them, in the units of the data: the standardisation of a regression is undone.
    ///
    /// # Shapes
    /// - targets, result: `[num_samples × d_output]`, row by row
    pub(crate) fn targets_in_units_of_the_data(&self, mut targets: Vec<f64>) -> Vec<f64> {
        if let Self::Regression { standardizer, .. } = self
            && !standardizer.is_identity()
        {
            for row in targets.chunks_mut(standardizer.mean.len()) {
                for (target, value) in row.iter_mut().enumerate() {
                    *value = standardizer.raw(*value, target);
                }
            }
        }
        targets
    }
}

/// Fails unless targets are counts as they are in the data, `[num_samples × num_targets]`.
fn check_counts(
    values: &[f64],
    names: &[String],
    are_raw: bool,
    loss: &LossConfig,
) -> Result<(), TrainingError> {
    let name = loss.name();
    if !are_raw {
        let message = format!("`{name}` learns counts, which must not be standardised");
        return mismatch("standardize.targets", message);
    }
    match values.iter().position(|value| *value < 0.0) {
        None => Ok(()),
        Some(place) => {
            let (sample, target) = (place / names.len() + 1, &names[place % names.len()]);
            let value = values[place];
            mismatch(
                "loss.name",
                format!(
                    "`{name}` learns counts, which are never negative, but `{target}` of sample {sample} is {value}"
                ),
            )
        }
    }
}

fn mismatch<T>(key: &str, message: String) -> Result<T, TrainingError> {
    Err(TrainingError::Mismatch {
        key: key.to_string(),
        message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{Bce, BceWithLogits, CrossEntropy, Mse, Poisson};

    fn classes(n: usize) -> Targets {
        Targets::Classes {
            labels: vec![0; 4],
            names: (0..n).map(|c| c.to_string()).collect(),
        }
    }

    #[test]
    fn loss_and_targets_decide_the_width_of_the_output() {
        let infer =
            |targets: &Targets, loss| Task::infer(targets, None, &loss, None).expect("a task");
        let bce = LossConfig::mean(BceWithLogits::default());
        assert_eq!(
            infer(&classes(2), bce),
            (Task::Binary { on_logits: true }, 1)
        );
        let mse = LossConfig::mean(Mse {});
        assert_eq!(
            infer(&classes(2), mse.clone()),
            (Task::Binary { on_logits: false }, 1)
        );
        let ten = (Task::Multiclass { num_classes: 10 }, 10);
        assert_eq!(infer(&classes(10), mse.clone()), ten);
        assert_eq!(
            infer(&classes(10), LossConfig::mean(CrossEntropy::default())),
            ten
        );
        let of_numbers = |on_logs| Task::Regression {
            standardizer: Standardizer::identity(),
            on_logs,
        };
        let numbers = Targets::numbers([0.5]);
        assert_eq!(infer(&numbers, mse), (of_numbers(false), 1));
        let poisson = LossConfig::mean(Poisson {});
        assert_eq!(infer(&numbers, poisson), (of_numbers(true), 1));
    }

    #[test]
    fn probabilities_follow_from_the_loss() {
        let of = |task: Task, loss: LossConfig, outputs: &[f64], d_output| {
            let found = task.probabilities(&loss, outputs, d_output);
            found.expect("probabilities")
        };
        let binary = |on_logits| Task::Binary { on_logits };
        let bce = LossConfig::mean(BceWithLogits::default());
        assert_eq!(of(binary(true), bce, &[0.0], 1), [0.5]);
        let mse = LossConfig::mean(Mse {});
        let bounded = of(binary(false), mse.clone(), &[-0.5, 0.25, 1.5], 1);
        assert_eq!(bounded, [0.0, 0.25, 1.0]);
        let multiclass = Task::Multiclass { num_classes: 2 };
        let cross_entropy = LossConfig::mean(CrossEntropy::default());
        assert_eq!(
            of(multiclass.clone(), cross_entropy, &[3.0, 3.0], 2),
            [0.5, 0.5]
        );
        let rows = [0.25, 1.0, -1.0, -2.0];
        assert_eq!(of(multiclass, mse, &rows, 2), [0.2, 0.8, 0.5, 0.5]);
    }

    #[test]
    fn standardised_targets_come_back_in_the_units_of_the_data() {
        let standardizer = Standardizer {
            mean: vec![100.0, -1.0],
            std: vec![10.0, 0.5],
        };
        let task = Task::Regression {
            standardizer,
            on_logs: false,
        };
        let raw = task.in_units_of_the_data(vec![0.0, 0.0, 1.5, -2.0]);
        assert_eq!(raw, [100.0, -1.0, 115.0, -2.0]);
    }

    #[test]
    fn predictions_of_counts_are_exponentials_of_the_outputs_and_targets_stay() {
        let task = Task::Regression {
            standardizer: Standardizer::identity(),
            on_logs: true,
        };
        let predicted = task.in_units_of_the_data(vec![0.0, -1.0]);
        assert_eq!(predicted, [1.0, (-1f64).exp()]);
        let targets = task.targets_in_units_of_the_data(vec![0.0, 7.0]);
        assert_eq!(targets, [0.0, 7.0]);
    }

    #[test]
    fn targets_that_are_no_counts_are_refused_by_a_loss_for_counts() {
        let refuse = |targets: &Targets, standardizer| {
            let poisson = LossConfig::mean(Poisson {});
            match Task::infer(targets, standardizer, &poisson, None) {
                Err(TrainingError::Mismatch { key, message }) => (key, message),
                other => panic!("{other:?}"),
            }
        };
        let refused = |key: &str, message: &str| (key.to_string(), message.to_string());
        let visits = Targets::Values {
            values: vec![3.0, 0.0, 1.0, -2.0],
            names: vec!["visits".to_string(), "sales".to_string()],
        };
        assert_eq!(
            refuse(&visits, None),
            refused(
                "loss.name",
                "`poisson` learns counts, which are never negative, but `sales` of sample 2 is -2"
            )
        );
        let standardizer = Standardizer {
            mean: vec![2.0],
            std: vec![1.0],
        };
        assert_eq!(
            refuse(&Targets::numbers([1.0]), Some(standardizer)),
            refused(
                "standardize.targets",
                "`poisson` learns counts, which must not be standardised"
            )
        );
        assert_eq!(
            refuse(&classes(2), None),
            refused(
                "loss.name",
                "`poisson` learns counts, but the targets are classes; use `cross_entropy` or `kl_divergence`"
            )
        );
    }

    #[test]
    fn a_loss_or_width_that_does_not_fit_is_refused_with_the_numbers() {
        let refuse = |targets: &Targets, loss, d_output| {
            Task::infer(targets, None, &loss, d_output)
                .expect_err("no task")
                .to_string()
        };
        let cross_entropy = LossConfig::mean(CrossEntropy::default());
        assert_eq!(
            refuse(&classes(10), cross_entropy.clone(), Some(9)),
            "the data has 10 classes, but the network only 9 outputs"
        );
        assert!(refuse(&classes(3), LossConfig::mean(Bce {}), None).contains("has 3"));
        assert!(refuse(&Targets::numbers([]), cross_entropy, None).contains("are numbers"));
    }
}
