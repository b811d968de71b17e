//! Logistic regression: linear functions of the features, one for each class, turned into probabilities.

use faer::Mat;

use crate::baseline::Method;
use crate::error::BaselineError;
use crate::linear_regression::centred;
use crate::predictions::Predictions;
use crate::training::Training;

/// The name in the table, for errors.
const NAME: &str = "logistic_regression";
/// The limit on rows × features × classes: a few seconds on one core.
const MAX_WORK: usize = 20_000_000;
/// The limit on steps of Newton's method; ten or so are usual.
const MAX_STEPS: usize = 100;
/// The limit on steps of conjugate gradients within a step of Newton's method.
const MAX_INNER_STEPS: usize = 500;
/// The squared Newton decrement at which a step is the last one. Coefficients are within 1e-6 of the optimum before
/// that step and, as Newton's method squares small errors, far closer after it.
const TOLERANCE: f64 = 1e-12;

/// Predicts with the probabilities of a logistic regression, like scikit-learn's `LogisticRegression`.
///
/// The coefficients minimise the sum of the cross entropies of all training rows plus half the sum of their squares
/// (L2 with C = 1). The intercepts are free. Two classes have one linear function, three or more have one each
/// (multinomial). Only classes with training rows count: the others get the probability 0, and a single class gets 1.
///
/// The solver is Newton's method with conjugate gradients. It is the lab's own because linfa-logistic 0.8.1 ends
/// without an error far from the optimum if a feature is not centred: where the numbers from 100 000 to 100 059 decide
/// between two classes, it gets 31 of these 60 rows right.
///
/// Source: Nocedal and Wright, Numerical Optimization, 2nd edition, algorithm 7.1 (line search Newton-CG).
pub(crate) struct LogisticRegression;

impl Method for LogisticRegression {
    fn max_train_rows(&self, training: &Training, _num_rows: usize) -> usize {
        MAX_WORK
            / training
                .num_features
                .saturating_mul(training.targets.num_outputs())
                .max(1)
    }

    fn fit_predict(
        &self,
        training: &Training,
        rows: &[f64],
        _seed: u64,
    ) -> Result<Predictions, BaselineError> {
        let (labels, num_classes) = training.targets.classes(NAME)?;
        let mut present = labels.to_vec();
        present.sort_unstable();
        present.dedup();
        let mut outputs = vec![0.0; rows.len() / training.num_features * num_classes];
        if let [only] = present[..] {
            outputs
                .chunks_exact_mut(num_classes)
                .for_each(|output| output[only as usize] = 1.0);
            return Ok(Predictions::from_outputs(training, outputs));
        }

        let fit = LogisticFit::new(training.features, training.num_features, labels, &present)?;
        let rows = rows.chunks_exact(training.num_features);
        for (row, output) in rows.zip(outputs.chunks_exact_mut(num_classes)) {
            for (class, probability) in present.iter().zip(fit.probabilities(row)) {
                output[*class as usize] = probability;
            }
        }
        Ok(Predictions::from_outputs(training, outputs))
    }
}

/// A fitted logistic regression over `num_present` classes.
///
/// The first class of two has the logit 0 and the other one a linear function. Three or more have a function each.
pub(crate) struct LogisticFit {
    /// Coefficients of each linear function, and in the last row its value at `feature_means`:
    /// `[num_features + 1 × num_functions]`.
    pub(crate) coefficients: Mat<f64>,
    feature_means: Vec<f64>,
}

impl LogisticFit {
    /// Fits the classes `present`, which are sorted and at least two, to `labels`.
    pub(crate) fn new(
        features: &[f64],
        num_features: usize,
        labels: &[u32],
        present: &[u32],
    ) -> Result<LogisticFit, BaselineError> {
        let num_functions = if present.len() == 2 { 1 } else { present.len() };
        // Centring changes nothing but the intercepts, since they are free, and the solver then needs fewer steps.
        let (centred, feature_means) = centred(features, num_features);
        let inputs = Mat::from_fn(labels.len(), num_features + 1, |i, j| {
            if j < num_features {
                centred[(i, j)]
            } else {
                1.0
            }
        });
        let skipped = present.len() - num_functions;
        let targets = Mat::from_fn(labels.len(), num_functions, |i, function| {
            f64::from(u8::from(labels[i] == present[function + skipped]))
        });
        let coefficients = Objective {
            inputs: &inputs,
            targets: &targets,
        }
        .minimum()?;
        Ok(LogisticFit {
            coefficients,
            feature_means,
        })
    }

    /// The probabilities of the present classes for one row.
    fn probabilities(&self, row: &[f64]) -> Vec<f64> {
        let intercept = row.len();
        let mut logits = Mat::from_fn(1, self.coefficients.ncols(), |_, function| {
            let terms = row.iter().zip(&self.feature_means).enumerate();
            let terms =
                terms.map(|(j, (value, mean))| (value - mean) * self.coefficients[(j, function)]);
            terms.sum::<f64>() + self.coefficients[(intercept, function)]
        });
        to_probabilities(&mut logits);
        let probabilities = (0..logits.ncols()).map(|function| logits[(0, function)]);
        if logits.ncols() == 1 {
            vec![1.0 - logits[(0, 0)], logits[(0, 0)]]
        } else {
            probabilities.collect()
        }
    }
}

/// Replaces each row of logits by probabilities, and returns the sum of the logarithms of their normalisers. A single
/// logit stands beside one that is 0.
fn to_probabilities(logits: &mut Mat<f64>) -> f64 {
    // A column of the matrix is a class and lies in one piece, so every pass goes down the columns.
    let (num_rows, num_functions) = (logits.nrows(), logits.ncols());
    let reference = num_functions == 1;
    let start = if reference { 0.0 } else { f64::NEG_INFINITY };
    let mut largest = vec![start; num_rows];
    for k in 0..num_functions {
        for (i, largest) in largest.iter_mut().enumerate() {
            *largest = largest.max(logits[(i, k)]);
        }
    }
    let of_reference = |largest: &f64| if reference { (-largest).exp() } else { 0.0 };
    let mut sums: Vec<f64> = largest.iter().map(of_reference).collect();
    for k in 0..num_functions {
        for (i, sum) in sums.iter_mut().enumerate() {
            logits[(i, k)] = (logits[(i, k)] - largest[i]).exp();
            *sum += logits[(i, k)];
        }
    }
    for k in 0..num_functions {
        for (i, sum) in sums.iter().enumerate() {
            logits[(i, k)] /= sum;
        }
    }
    let rows = largest.iter().zip(&sums);
    rows.map(|(largest, sum)| largest + sum.ln()).sum()
}

/// The loss to minimise: the sum of cross entropies plus half the squares of all coefficients but the intercepts.
struct Objective<'a> {
    /// Features and a column of ones, `[num_rows × num_features + 1]`.
    inputs: &'a Mat<f64>,
    /// 1 for the class of a row, `[num_rows × num_functions]`.
    targets: &'a Mat<f64>,
}

/// The loss at some coefficients.
struct Evaluation {
    loss: f64,
    /// The error that the loss may have by rounding: it is a difference of sums of logits.
    rounding: f64,
    /// `[num_rows × num_functions]`.
    probabilities: Mat<f64>,
}

impl Objective<'_> {
    /// The coefficients of smallest loss, by Newton's method from zero.
    fn minimum(&self) -> Result<Mat<f64>, BaselineError> {
        let mut coefficients = Mat::zeros(self.inputs.ncols(), self.targets.ncols());
        let mut now = self.evaluate(&coefficients);
        for _ in 0..MAX_STEPS {
            let gradient = self.gradient(&coefficients, &now.probabilities);
            let step = self.newton_step(&gradient, &now.probabilities);
            let decrement = -dot(&gradient, &step);
            let mut length = 1.0;
            loop {
                let next_coefficients = &coefficients + faer::Scale(length) * &step;
                let next = self.evaluate(&next_coefficients);
                // Near the optimum, the loss falls by less than its last digits show: such a step is taken whole.
                if next.loss <= now.loss - 1e-4 * length * decrement + next.rounding {
                    (coefficients, now) = (next_coefficients, next);
                    break;
                }
                length /= 2.0;
                if length < 1e-10 {
                    return Err(BaselineError::NotConverged {
                        baseline: NAME,
                        iterations: MAX_STEPS,
                    });
                }
            }
            if decrement <= TOLERANCE {
                return Ok(coefficients);
            }
        }
        Err(BaselineError::NotConverged {
            baseline: NAME,
            iterations: MAX_STEPS,
        })
    }

    fn evaluate(&self, coefficients: &Mat<f64>) -> Evaluation {
        let mut logits = self.inputs * coefficients;
        let rounding = 1e-14 * (logits.norm_l1() + logits.nrows() as f64);
        let of_targets = dot(&logits, self.targets);
        let log_normalizers = to_probabilities(&mut logits);
        let weights = coefficients.subrows(0, coefficients.nrows() - 1);
        let loss = log_normalizers - of_targets + 0.5 * weights.squared_norm_l2();
        Evaluation {
            loss,
            rounding,
            probabilities: logits,
        }
    }

    fn gradient(&self, coefficients: &Mat<f64>, probabilities: &Mat<f64>) -> Mat<f64> {
        let mut gradient = self.inputs.transpose() * (probabilities - self.targets);
        self.add_penalty(&mut gradient, coefficients);
        gradient
    }

    /// Adds the derivative of the penalty at `coefficients`.
    fn add_penalty(&self, gradient: &mut Mat<f64>, coefficients: &Mat<f64>) {
        for k in 0..gradient.ncols() {
            for j in 0..gradient.nrows() - 1 {
                gradient[(j, k)] += coefficients[(j, k)];
            }
        }
    }

    /// The second derivative of the loss times `direction`.
    fn hessian_times(&self, direction: &Mat<f64>, probabilities: &Mat<f64>) -> Mat<f64> {
        let mut changes = self.inputs * direction;
        let mut means = vec![0.0; changes.nrows()];
        for k in 0..changes.ncols() {
            for (i, mean) in means.iter_mut().enumerate() {
                *mean += probabilities[(i, k)] * changes[(i, k)];
            }
        }
        for k in 0..changes.ncols() {
            for (i, mean) in means.iter().enumerate() {
                changes[(i, k)] = probabilities[(i, k)] * (changes[(i, k)] - mean);
            }
        }
        let mut product = self.inputs.transpose() * changes;
        self.add_penalty(&mut product, direction);
        product
    }

    /// The inverse diagonal of the second derivative, which conjugate gradients are preconditioned with.
    fn inverse_diagonal(&self, probabilities: &Mat<f64>) -> Mat<f64> {
        let squares = Mat::from_fn(self.inputs.nrows(), self.inputs.ncols(), |i, j| {
            self.inputs[(i, j)].powi(2)
        });
        let variances = Mat::from_fn(probabilities.nrows(), probabilities.ncols(), |i, k| {
            probabilities[(i, k)] * (1.0 - probabilities[(i, k)])
        });
        let curvatures = squares.transpose() * variances;
        let intercept = self.inputs.ncols() - 1;
        Mat::from_fn(curvatures.nrows(), curvatures.ncols(), |j, k| {
            let penalty = if j == intercept {
                f64::MIN_POSITIVE
            } else {
                1.0
            };
            1.0 / (curvatures[(j, k)] + penalty)
        })
    }

    /// The step to the minimum of the loss's second-order approximation, by conjugate gradients.
    fn newton_step(&self, gradient: &Mat<f64>, probabilities: &Mat<f64>) -> Mat<f64> {
        let inverse_diagonal = self.inverse_diagonal(probabilities);
        let precondition = |residual: &Mat<f64>| {
            Mat::from_fn(residual.nrows(), residual.ncols(), |j, k| {
                inverse_diagonal[(j, k)] * residual[(j, k)]
            })
        };
        let mut step = Mat::zeros(gradient.nrows(), gradient.ncols());
        let mut residual = -gradient;
        let mut preconditioned = precondition(&residual);
        let mut direction = preconditioned.clone();
        let mut size = dot(&residual, &preconditioned);
        // The share of the residual that may be left falls with the gradient, so that the steps converge ever faster.
        let enough = size * size.sqrt().clamp(1e-12, 0.01);
        for _ in 0..MAX_INNER_STEPS {
            if size <= enough {
                break;
            }
            let product = self.hessian_times(&direction, probabilities);
            let curvature = dot(&direction, &product);
            if curvature <= 0.0 {
                break;
            }
            let length = faer::Scale(size / curvature);
            step += length * &direction;
            residual -= length * &product;
            preconditioned = precondition(&residual);
            let next_size = dot(&residual, &preconditioned);
            direction = &preconditioned + faer::Scale(next_size / size) * &direction;
            size = next_size;
        }
        step
    }
}

/// The sum of the products of all elements.
fn dot(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    (0..a.ncols())
        .map(|k| (0..a.nrows()).map(|j| a[(j, k)] * b[(j, k)]).sum::<f64>())
        .sum()
}
