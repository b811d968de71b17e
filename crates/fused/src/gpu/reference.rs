//! A plain training in f64, written as in a textbook, which the kernel's tests compare with.

use crate::{
    Activation, Clipping, DropoutMask, Loss, Normalization, Optimizer, Penalty, Plan, Reduction,
    State,
};

/// A row of numbers for each sample.
type Rows = Vec<Vec<f64>>;

/// A network in training, its numbers in the order of [`State`].
pub(super) struct Reference {
    plan: Plan,
    pub parameters: Vec<f64>,
    pub running: Vec<f64>,
    pub buffers: Vec<Vec<f64>>,
    step: u64,
    step_seed: u64,
}

/// The numbers of one layer that the backward pass needs.
struct Saved {
    inputs: Rows,
    /// Normalised numbers, and the factor that each was multiplied by.
    normal: Rows,
    factors: Rows,
    /// Numbers that the activation is applied to.
    z: Rows,
    /// The factors of dropout.
    kept: Rows,
}

impl Reference {
    pub fn new(plan: &Plan, state: &State<f32>) -> Self {
        let wide = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        Self {
            plan: plan.clone(),
            parameters: wide(&state.parameters),
            running: wide(&state.running),
            buffers: state.buffers.iter().map(|buffer| wide(buffer)).collect(),
            step: state.step,
            step_seed: state.step_seed,
        }
    }

    /// Places of the weight, bias, scale and shift of each layer among the parameters.
    fn places(&self) -> Vec<[usize; 4]> {
        let plan = &self.plan;
        let mut place = 0;
        let mut places = Vec::new();
        for pair in plan.sizes.windows(2) {
            let weight = place;
            place += pair[0] * pair[1];
            let bias = place;
            place += if plan.has_bias { pair[1] } else { 0 };
            places.push([weight, bias, 0, 0]);
        }
        if plan.normalization_of(0).has_scale() {
            for (layer, &size) in plan.hidden().iter().enumerate() {
                places[layer][2] = place;
                places[layer][3] = place + size;
                place += 2 * size;
            }
        }
        places
    }

    /// Places of the weights that lead to each unit of each layer.
    fn weights(&self) -> Vec<Vec<Vec<usize>>> {
        let pairs = self.plan.sizes.windows(2).zip(self.places());
        pairs
            .map(|(pair, [weight, ..])| {
                let of_unit = |j: usize| (0..pair[0]).map(|i| weight + i * pair[1] + j).collect();
                (0..pair[1]).map(of_unit).collect()
            })
            .collect()
    }

    fn forward(&mut self, inputs: Rows, is_training: bool) -> (Rows, Vec<Saved>) {
        let plan = self.plan.clone();
        let mut x = inputs;
        let mut all = Vec::new();
        let mut running = 0;
        for (layer, [weight, bias, scale, shift]) in self.places().into_iter().enumerate() {
            let d_out = plan.sizes[layer + 1];
            let linear = |row: &Vec<f64>| -> Vec<f64> {
                let output = |j: usize| {
                    let products = row.iter().enumerate();
                    let sum: f64 = products
                        .map(|(i, x)| x * self.parameters[weight + i * d_out + j])
                        .sum();
                    sum + if plan.has_bias {
                        self.parameters[bias + j]
                    } else {
                        0.0
                    }
                };
                (0..d_out).map(output).collect()
            };
            let u: Rows = x.iter().map(linear).collect();
            let is_hidden = layer + 1 < plan.num_layers();
            let (normal, factors) = match plan.normalization_of(layer) {
                Normalization::Batch { momentum, epsilon } if is_hidden => {
                    let place = running;
                    running += 2 * d_out;
                    self.of_batch(&u, place, momentum, epsilon, is_training)
                }
                Normalization::Sample {
                    num_groups,
                    epsilon,
                    ..
                } if is_hidden => of_groups(&u, num_groups, epsilon),
                _ => (u.clone(), vec![vec![1.0; d_out]; u.len()]),
            };
            let z: Rows = normal
                .iter()
                .map(|row| {
                    let scaled = row.iter().enumerate().map(|(j, n)| {
                        if is_hidden && plan.normalization_of(0).has_scale() {
                            n * self.parameters[scale + j] + self.parameters[shift + j]
                        } else {
                            *n
                        }
                    });
                    scaled.collect()
                })
                .collect();
            let activation = plan.activations[layer];
            let rate = if is_training {
                plan.dropout_of(layer)
            } else {
                0.0
            };
            let mask = DropoutMask::new(rate, self.step_seed, self.step, layer);
            let kept: Rows = (mask.factors(x.len(), d_out).chunks_exact(d_out))
                .map(<[f64]>::to_vec)
                .collect();
            let y = (0..x.len())
                .map(|row| {
                    let output = |j: usize| {
                        let y = value(activation, z[row][j]) * kept[row][j];
                        match plan.is_residual_layer(layer) {
                            true => y + x[row][j],
                            false => y,
                        }
                    };
                    (0..d_out).map(output).collect()
                })
                .collect();
            all.push(Saved {
                inputs: x,
                normal,
                factors,
                z,
                kept,
            });
            x = y;
        }
        (x, all)
    }

    fn of_batch(
        &mut self,
        u: &Rows,
        place: usize,
        momentum: f64,
        epsilon: f64,
        is_training: bool,
    ) -> (Rows, Rows) {
        let (n, size) = (u.len() as f64, u[0].len());
        let mut normal = vec![vec![0.0; size]; u.len()];
        let mut factors = normal.clone();
        for j in 0..size {
            let mut mean = u.iter().map(|row| row[j]).sum::<f64>() / n;
            let squares: f64 = u.iter().map(|row| (row[j] - mean).powi(2)).sum();
            let mut variance = squares / n;
            let (old_mean, old_variance) =
                (self.running[place + j], self.running[place + size + j]);
            if is_training {
                let unbiased = squares / (n - 1.0).max(1.0);
                self.running[place + j] = (1.0 - momentum) * old_mean + momentum * mean;
                self.running[place + size + j] =
                    (1.0 - momentum) * old_variance + momentum * unbiased;
            } else {
                (mean, variance) = (old_mean, old_variance);
            }
            let factor = 1.0 / (variance + epsilon).sqrt();
            for (row, u) in u.iter().enumerate() {
                normal[row][j] = (u[j] - mean) * factor;
                factors[row][j] = factor;
            }
        }
        (normal, factors)
    }

    /// The loss in evaluation mode, and the outputs.
    pub fn evaluate(
        &mut self,
        inputs: &Rows,
        targets: &Rows,
        weights: Option<&[f64]>,
    ) -> (f64, Rows) {
        let (y, _) = self.forward(inputs.clone(), false);
        let (loss, _) = self.loss(&y, targets, weights);
        (loss, y)
    }

    /// The reduced loss and its gradient by the outputs.
    fn loss(&self, y: &Rows, targets: &Rows, weights: Option<&[f64]>) -> (f64, Rows) {
        let per_row = if self.plan.loss.is_per_sample() {
            1
        } else {
            self.plan.d_output()
        };
        let divisor = match self.plan.reduction {
            Reduction::Mean => (y.len() * per_row) as f64,
            Reduction::Sum => 1.0,
        };
        let mut total = 0.0;
        let mut gradients = Vec::new();
        for (row, (y, t)) in y.iter().zip(targets).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            let (loss, gradient) = row_loss(self.plan.loss, y, t);
            total += weight * loss / divisor;
            gradients.push(gradient.iter().map(|g| weight * g / divisor).collect());
        }
        (total, gradients)
    }

    /// One step. Gives the loss and the outputs before the update.
    pub fn step(
        &mut self,
        inputs: &Rows,
        targets: &Rows,
        weights: Option<&[f64]>,
        rate: f64,
    ) -> (f64, Rows) {
        let plan = self.plan.clone();
        let (y, saved) = self.forward(inputs.clone(), true);
        let (loss, mut delta) = self.loss(&y, targets, weights);
        let mut gradients = vec![0.0; self.parameters.len()];
        let places = self.places();
        for (layer, saved) in saved.iter().enumerate().rev() {
            let [weight, bias, scale, shift] = places[layer];
            let (d_in, d_out) = (plan.sizes[layer], plan.sizes[layer + 1]);
            let of_outputs = delta.clone();
            for (row, delta) in delta.iter_mut().enumerate() {
                for (j, delta) in delta.iter_mut().enumerate() {
                    *delta *= slope(plan.activations[layer], saved.z[row][j]) * saved.kept[row][j];
                }
            }
            if plan.normalization_of(layer) != Normalization::None {
                if plan.normalization_of(0).has_scale() {
                    for (delta, normal) in delta.iter_mut().zip(&saved.normal) {
                        for j in 0..d_out {
                            gradients[shift + j] += delta[j];
                            gradients[scale + j] += delta[j] * normal[j];
                            delta[j] *= self.parameters[scale + j];
                        }
                    }
                }
                delta = through_normalization(plan.normalization_of(layer), &delta, saved);
            }
            let mut below = match plan.is_residual_layer(layer) {
                true => of_outputs,
                false => vec![vec![0.0; d_in]; delta.len()],
            };
            for (row, delta) in delta.iter().enumerate() {
                for j in 0..d_out {
                    if plan.has_bias {
                        gradients[bias + j] += delta[j];
                    }
                    for i in 0..d_in {
                        gradients[weight + i * d_out + j] += saved.inputs[row][i] * delta[j];
                        below[row][i] += delta[j] * self.parameters[weight + i * d_out + j];
                    }
                }
            }
            delta = below;
        }
        self.update(gradients, rate);
        (loss, y)
    }

    fn update(&mut self, mut gradients: Vec<f64>, rate: f64) {
        self.step += 1;
        let weights = self.weights();
        if let Some(Penalty { l1, l2 }) = self.plan.penalty {
            for k in weights.iter().flatten().flatten().copied() {
                let weight = self.parameters[k];
                gradients[k] += l1 * weight.signum() + l2 * weight;
            }
        }
        match self.plan.clipping {
            Some(Clipping::Value(bound)) => {
                gradients
                    .iter_mut()
                    .for_each(|g| *g = g.clamp(-bound, bound));
            }
            Some(Clipping::Norm(bound)) => {
                let norm = gradients.iter().map(|g| g * g).sum::<f64>().sqrt();
                let factor = (bound / (norm + 1e-6)).min(1.0);
                gradients.iter_mut().for_each(|g| *g *= factor);
            }
            None => {}
        }
        for (k, gradient) in gradients.into_iter().enumerate() {
            let p = self.parameters[k];
            let moved = match self.plan.optimizer {
                Optimizer::Sgd {
                    momentum,
                    nesterov,
                    weight_decay,
                } => {
                    let g = gradient + weight_decay * p;
                    let mut direction = g;
                    if momentum > 0.0 {
                        let velocity = momentum * self.buffers[0][k] + g;
                        self.buffers[0][k] = velocity;
                        direction = if nesterov {
                            g + momentum * velocity
                        } else {
                            velocity
                        };
                    }
                    p - rate * direction
                }
                Optimizer::Adam {
                    beta_1,
                    beta_2,
                    epsilon,
                    weight_decay,
                    decoupled_decay,
                } => {
                    let g = gradient + weight_decay * p;
                    let mean = beta_1 * self.buffers[0][k] + (1.0 - beta_1) * g;
                    let square = beta_2 * self.buffers[1][k] + (1.0 - beta_2) * g * g;
                    self.buffers[0][k] = mean;
                    self.buffers[1][k] = square;
                    let step = self.step as f64;
                    let mean = mean / (1.0 - beta_1.powf(step));
                    let square = square / (1.0 - beta_2.powf(step));
                    p * (1.0 - rate * decoupled_decay) - rate * mean / (square.sqrt() + epsilon)
                }
                Optimizer::RmsProp {
                    alpha,
                    epsilon,
                    momentum,
                    weight_decay,
                } => {
                    let g = gradient + weight_decay * p;
                    let square = alpha * self.buffers[0][k] + (1.0 - alpha) * g * g;
                    self.buffers[0][k] = square;
                    let mut direction = g / (square.sqrt() + epsilon);
                    if momentum > 0.0 {
                        direction += momentum * self.buffers[1][k];
                        self.buffers[1][k] = direction;
                    }
                    p - rate * direction
                }
                Optimizer::NAdam {
                    beta_1,
                    beta_2,
                    epsilon,
                    momentum_decay,
                    weight_decay,
                } => {
                    let g = gradient + weight_decay * p;
                    let mean = beta_1 * self.buffers[0][k] + (1.0 - beta_1) * g;
                    let square = beta_2 * self.buffers[1][k] + (1.0 - beta_2) * g * g;
                    self.buffers[0][k] = mean;
                    self.buffers[1][k] = square;
                    let momentum = |step: u64| {
                        beta_1 * (1.0 - 0.5 * 0.96_f64.powf(step as f64 * momentum_decay))
                    };
                    let product: f64 = (1..=self.step).map(momentum).product();
                    let next = momentum(self.step + 1);
                    let ahead = next * mean / (1.0 - product * next)
                        + (1.0 - momentum(self.step)) * g / (1.0 - product);
                    let square = square / (1.0 - beta_2.powf(self.step as f64));
                    p - rate * ahead / (square.sqrt() + epsilon)
                }
                Optimizer::AdaGrad {
                    epsilon,
                    weight_decay,
                } => {
                    let g = gradient + weight_decay * p;
                    self.buffers[0][k] += g * g;
                    p - rate * g / (self.buffers[0][k].sqrt() + epsilon)
                }
            };
            self.parameters[k] = moved;
        }
        let Some(bound) = self.plan.max_norm else {
            return;
        };
        for unit in weights.iter().flatten() {
            let norm = unit
                .iter()
                .map(|&k| self.parameters[k].powi(2))
                .sum::<f64>()
                .sqrt();
            if norm > bound {
                unit.iter()
                    .for_each(|&k| self.parameters[k] *= bound / (norm + 1e-7));
            }
        }
    }
}

fn of_groups(u: &Rows, num_groups: usize, epsilon: f64) -> (Rows, Rows) {
    let size = u[0].len() / num_groups;
    let mut normal = u.clone();
    let mut factors = u.clone();
    for row in 0..u.len() {
        for group in 0..num_groups {
            let range = group * size..(group + 1) * size;
            let numbers = &u[row][range.clone()];
            let mean = numbers.iter().sum::<f64>() / size as f64;
            let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / size as f64;
            let factor = 1.0 / (variance + epsilon).sqrt();
            for j in range {
                normal[row][j] = (u[row][j] - mean) * factor;
                factors[row][j] = factor;
            }
        }
    }
    (normal, factors)
}

/// `factor (δ − mean(δ) − n mean(δ n))`, the means over what was normalised together.
fn through_normalization(normalization: Normalization, delta: &Rows, saved: &Saved) -> Rows {
    let (rows, size) = (delta.len(), delta[0].len());
    let mut result = delta.clone();
    // Each set of places that was normalised together.
    let sets: Vec<Vec<(usize, usize)>> = match normalization {
        Normalization::Batch { .. } => (0..size)
            .map(|j| (0..rows).map(|row| (row, j)).collect())
            .collect(),
        Normalization::Sample { num_groups, .. } => {
            let width = size / num_groups;
            (0..rows * num_groups)
                .map(|k| {
                    let (row, group) = (k / num_groups, k % num_groups);
                    (group * width..(group + 1) * width)
                        .map(|j| (row, j))
                        .collect()
                })
                .collect()
        }
        Normalization::None => Vec::new(),
    };
    for set in sets {
        let n = set.len() as f64;
        let mean = set.iter().map(|&(r, j)| delta[r][j]).sum::<f64>() / n;
        let along = set
            .iter()
            .map(|&(r, j)| delta[r][j] * saved.normal[r][j])
            .sum::<f64>()
            / n;
        for (r, j) in set {
            let centred = delta[r][j] - mean - saved.normal[r][j] * along;
            result[r][j] = saved.factors[r][j] * centred;
        }
    }
    result
}

/// The distribution function of the normal distribution, from the series of erf or the continued fraction of erfc:
/// Abramowitz and Stegun 1964, 7.1.5 and 7.1.14.
fn normal_distribution(x: f64) -> f64 {
    let z = x.abs() / 2f64.sqrt();
    let above = if z < 2.0 {
        let (mut sum, mut term) = (0.0, z);
        for n in 0..60 {
            sum += term / f64::from(2 * n + 1);
            term *= -z * z / f64::from(n + 1);
        }
        0.5 - sum / std::f64::consts::PI.sqrt()
    } else {
        let fraction = (1..=80).rev().fold(z, |f, k| z + f64::from(k) / 2.0 / f);
        (-z * z).exp() / (2.0 * std::f64::consts::PI.sqrt() * fraction)
    };
    if x > 0.0 { 1.0 - above } else { above }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `ln(1 + exp(x))`
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

const SELU: (f64, f64) = (1.673_263_242_354_377_2, 1.050_700_987_355_480_5);

pub(super) fn value(activation: Activation, x: f64) -> f64 {
    let elu = |alpha: f64| if x > 0.0 { x } else { alpha * (x.exp() - 1.0) };
    match activation {
        Activation::Linear => x,
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu { alpha } => {
            if x > 0.0 {
                x
            } else {
                alpha * x
            }
        }
        Activation::Elu { alpha } => elu(alpha),
        Activation::Selu => SELU.1 * elu(SELU.0),
        Activation::Swish => x * sigmoid(x),
        Activation::Gelu => x * normal_distribution(x),
        Activation::Softplus => softplus(x),
        Activation::Mish => x * softplus(x).tanh(),
    }
}

pub(super) fn slope(activation: Activation, x: f64) -> f64 {
    let elu = |alpha: f64| if x > 0.0 { 1.0 } else { alpha * x.exp() };
    match activation {
        Activation::Linear => 1.0,
        Activation::Sigmoid => sigmoid(x) * (1.0 - sigmoid(x)),
        Activation::Tanh => 1.0 - x.tanh().powi(2),
        Activation::Relu => f64::from(u8::from(x > 0.0)),
        Activation::LeakyRelu { alpha } => {
            if x > 0.0 {
                1.0
            } else {
                alpha
            }
        }
        Activation::Elu { alpha } => elu(alpha),
        Activation::Selu => SELU.1 * elu(SELU.0),
        Activation::Swish => sigmoid(x) + x * sigmoid(x) * (1.0 - sigmoid(x)),
        Activation::Gelu => {
            let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            normal_distribution(x) + x * density
        }
        Activation::Softplus => sigmoid(x),
        Activation::Mish => {
            let t = softplus(x).tanh();
            t + x * sigmoid(x) * (1.0 - t * t)
        }
    }
}

/// The losses of a row, added up, and their gradient.
fn row_loss(loss: Loss, y: &[f64], t: &[f64]) -> (f64, Vec<f64>) {
    if let Loss::SmoothedCrossEntropy { label_smoothing } = loss {
        // Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7.
        let even = label_smoothing / t.len() as f64;
        let smoothed: Vec<f64> = t
            .iter()
            .map(|t| (1.0 - label_smoothing) * t + even)
            .collect();
        return row_loss(Loss::CrossEntropy, y, &smoothed);
    }
    if let Loss::KlDivergence { label_smoothing } = loss {
        // Kullback and Leibler 1951: the cross-entropy less the entropy of the targets.
        let even = label_smoothing / t.len() as f64;
        let smoothed = t.iter().map(|t| (1.0 - label_smoothing) * t + even);
        let negative_entropy = smoothed
            .filter(|t| *t > 0.0)
            .map(|t| t * t.ln())
            .sum::<f64>();
        let cross_entropy = Loss::SmoothedCrossEntropy { label_smoothing };
        let (value, gradient) = row_loss(cross_entropy, y, t);
        return (value + negative_entropy, gradient);
    }
    if loss == Loss::CrossEntropy {
        let largest = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = y.iter().map(|y| (y - largest).exp()).sum();
        let along: f64 = y.iter().zip(t).map(|(y, t)| (y - largest) * t).sum();
        let gradient = y.iter().zip(t).map(|(y, t)| (y - largest).exp() / sum - t);
        return (sum.ln() - along, gradient.collect());
    }
    let of_element = |(&y, &t): (&f64, &f64)| -> (f64, f64) {
        let difference: f64 = y - t;
        let sign = 2.0 * t - 1.0;
        match loss {
            Loss::BceWithLogits => (softplus(y) - y * t, sigmoid(y) - t),
            Loss::Mse => (difference * difference, 2.0 * difference),
            Loss::Mae => (difference.abs(), difference.signum()),
            Loss::Huber { delta } if difference.abs() <= delta => {
                (difference * difference / 2.0, difference)
            }
            Loss::Huber { delta } => (
                delta * (difference.abs() - delta / 2.0),
                delta * difference.signum(),
            ),
            Loss::Hinge if sign * y < 1.0 => (1.0 - sign * y, -sign),
            Loss::Hinge => (0.0, 0.0),
            Loss::Focal { gamma, alpha } => {
                // Lin et al. 2017, equation 5, with the probability of the right class.
                let right = sigmoid(sign * y);
                let weight = if t > 0.5 { alpha } else { 1.0 - alpha };
                let focus = (1.0 - right).powf(gamma);
                let value = -weight * focus * right.ln();
                let slope = gamma * focus * right * right.ln() - focus * (1.0 - right);
                (value, weight * slope * sign)
            }
            Loss::WeightedBceWithLogits { positive_weight } => {
                let weight = if t > 0.5 { positive_weight } else { 1.0 };
                (weight * (softplus(y) - y * t), weight * (sigmoid(y) - t))
            }
            Loss::LogCosh => (difference.cosh().ln(), difference.tanh()),
            Loss::Quantile { quantile } if t > y => (quantile * (t - y), -quantile),
            Loss::Quantile { quantile } => ((1.0 - quantile) * difference, 1.0 - quantile),
            Loss::Poisson => (y.exp() - t * y, y.exp() - t),
            Loss::CrossEntropy
            | Loss::SmoothedCrossEntropy { .. }
            | Loss::CrossEntropyNaive
            | Loss::KlDivergence { .. }
            | Loss::Bce
            | Loss::BceNaive => {
                panic!("not an element's loss that the kernel covers")
            }
        }
    };
    let (losses, gradient): (Vec<f64>, Vec<f64>) = y.iter().zip(t).map(of_element).unzip();
    (losses.iter().sum(), gradient)
}
