//! Losses of a batch and their gradients by the outputs.
//!
//! The outputs of a layer lie row by row. Here they are turned round first, so that loops run over samples however few
//! outputs there are.

use std::f64::consts::LN_2;

use pulp::Arch;

use super::buffer::Buffer;
use super::elementwise::Loop;
use super::normalization::sum;
use super::product::PADDING;
use super::rows::Rows;
use crate::plan::{Data, Loss, Reduction};
use crate::real::{Real, positive_part};

/// Buffers for the losses of a batch. Samples are padded; their numbers lie output by output.
#[derive(Debug, Default)]
pub(super) struct LossWork<T> {
    /// Outputs, which become gradients: `[d_output × padded]`.
    outputs: Buffer<T>,
    /// `[d_output × padded]`
    targets: Buffer<T>,
    /// The weight of each sample, divided by the number of losses for a mean; zero in the padding.
    factors: Buffer<T>,
    losses: Buffer<T>,
    maxima: Buffer<T>,
    sums: Buffer<T>,
    d_output: usize,
    num_rows: usize,
    padded: usize,
}

impl<T: Real> LossWork<T> {
    /// Makes room for so many samples.
    pub(super) fn begin(&mut self, num_rows: usize, d_output: usize) {
        let padded = num_rows.next_multiple_of(PADDING);
        (self.num_rows, self.d_output, self.padded) = (num_rows, d_output, padded);
        for buffer in [&mut self.outputs, &mut self.targets] {
            buffer.grow(padded * d_output);
        }
        for buffer in [
            &mut self.factors,
            &mut self.losses,
            &mut self.maxima,
            &mut self.sums,
        ] {
            buffer.grow(padded);
        }
    }

    /// Copies the targets of the samples, and `share` times their weights.
    pub(super) fn set_samples(&mut self, data: Data<'_, T>, rows: &Rows<'_>, share: T) {
        let width = self.d_output;
        let columns = self.targets.chunks_exact_mut(self.padded).take(width);
        for (j, column) in columns.enumerate() {
            match rows {
                Rows::Range(range) => {
                    let targets = &data.targets[range.start * width..range.end * width];
                    for (target, row) in column.iter_mut().zip(targets.chunks_exact(width)) {
                        *target = row[j];
                    }
                }
                Rows::List(rows) => {
                    for (target, &row) in column.iter_mut().zip(*rows) {
                        *target = data.targets[row as usize * width + j];
                    }
                }
            }
        }
        let factors = &mut self.factors[..self.num_rows];
        match data.weights {
            None => factors.fill(share),
            Some(weights) => rows.for_each(|index, row| factors[index] = share * weights[row]),
        }
    }

    /// The sum of the losses, each multiplied by the factor of its sample, for outputs that lie row by row. The
    /// gradients by the outputs, multiplied likewise, can then be taken.
    pub(super) fn forward(&mut self, arch: Arch, loss: Loss, outputs: &[T], stride: usize) -> T {
        let (padded, num_rows) = (self.padded, self.num_rows);
        let columns = self.outputs.chunks_exact_mut(padded).take(self.d_output);
        for (j, column) in columns.enumerate() {
            for (output, row) in column.iter_mut().zip(outputs.chunks_exact(stride)) {
                *output = row[j];
            }
        }
        self.losses[..padded].fill(T::ZERO);
        match loss {
            Loss::CrossEntropy => self.cross_entropy(arch),
            Loss::SmoothedCrossEntropy { label_smoothing } => {
                self.smooth_targets(label_smoothing);
                self.cross_entropy(arch);
            }
            Loss::KlDivergence { label_smoothing } => {
                self.smooth_targets(label_smoothing);
                self.subtract_entropies(arch);
                self.cross_entropy(arch);
            }
            Loss::CrossEntropyNaive => self.cross_entropy_naive(),
            Loss::BceWithLogits => self.each(
                arch,
                #[inline(always)]
                |z, y| {
                    let decay = (-z.abs()).exp();
                    let above = T::ONE / (T::ONE + decay); // σ(|z|)
                    let sigmoid = if z < T::ZERO { decay * above } else { above };
                    (positive_part(z) - z * y + decay.ln_1p(), sigmoid - y)
                },
            ),
            Loss::WeightedBceWithLogits { positive_weight } => {
                let extra = T::from_f64(positive_weight - 1.0);
                self.each(
                    arch,
                    #[inline(always)]
                    |z, y| {
                        let decay = (-z.abs()).exp();
                        let above = T::ONE / (T::ONE + decay); // σ(|z|)
                        let sigmoid = if z < T::ZERO { decay * above } else { above };
                        let (log, extra) = (decay.ln_1p(), extra * y);
                        let loss = positive_part(z) - z * y + log;
                        let of_class_1 = positive_part(-z) + log;
                        let slope = sigmoid - y + extra * (sigmoid - T::ONE);
                        (loss + extra * of_class_1, slope)
                    },
                );
            }
            Loss::Bce => self.each(
                arch,
                #[inline(always)]
                |p, y| {
                    let (opposite, no) = (T::ONE - p, T::ONE - y);
                    let loss = -(y * bounded_log(p) + no * bounded_log(opposite));
                    let slope = no * slope_of_bounded_log(opposite) - y * slope_of_bounded_log(p);
                    (loss, slope)
                },
            ),
            Loss::BceNaive => {
                let [low, high] = [1e-12, 1.0 - 1e-12].map(T::from_f64);
                self.each(
                    arch,
                    #[inline(always)]
                    |p, y| {
                        let bounded = if p < low { low } else { p };
                        let bounded = if bounded > high { high } else { bounded };
                        let (opposite, no) = (T::ONE - bounded, T::ONE - y);
                        let loss = -(y * exact_log(bounded) + no * exact_log(opposite));
                        let slope = no / opposite - y / bounded;
                        let is_bounded = p < low || p > high;
                        (loss, if is_bounded { T::ZERO } else { slope })
                    },
                );
            }
            Loss::Mse => self.each(
                arch,
                #[inline(always)]
                |x, y| {
                    let difference = x - y;
                    (difference * difference, difference + difference)
                },
            ),
            Loss::Mae => self.each(
                arch,
                #[inline(always)]
                |x, y| {
                    let difference = x - y;
                    (difference.abs(), sign(difference))
                },
            ),
            Loss::Huber { delta } => {
                let (delta, half) = (T::from_f64(delta), T::from_f64(0.5));
                self.each(
                    arch,
                    #[inline(always)]
                    |x, y| {
                        let difference = x - y;
                        let distance = difference.abs();
                        let near = if distance > delta { delta } else { distance };
                        let loss = half * near * near + delta * (distance - near);
                        let slope = if difference > delta {
                            delta
                        } else {
                            difference
                        };
                        (loss, if slope < -delta { -delta } else { slope })
                    },
                );
            }
            Loss::LogCosh => {
                let (two, ln_2) = (T::from_f64(2.0), T::from_f64(LN_2));
                self.each(
                    arch,
                    #[inline(always)]
                    |x, y| {
                        let difference = x - y;
                        let distance = difference.abs();
                        let rest = (-(two * distance)).exp().ln_1p();
                        (distance + (rest - ln_2), difference.tanh())
                    },
                );
            }
            Loss::Quantile { quantile } => {
                let [half, tilt] = [0.5, quantile - 0.5].map(T::from_f64);
                self.each(
                    arch,
                    #[inline(always)]
                    |x, y| {
                        let missing = y - x;
                        let (distance, sign) = (missing.abs(), sign(missing));
                        (half * distance + tilt * missing, -(half * sign) - tilt)
                    },
                );
            }
            Loss::Poisson => self.each(
                arch,
                #[inline(always)]
                |x, y| {
                    let rate = x.exp();
                    (rate - y * x, rate - y)
                },
            ),
            Loss::Hinge => self.each(
                arch,
                #[inline(always)]
                |z, y| {
                    let sign = y + y - T::ONE;
                    let missing = T::ONE - sign * z;
                    let slope = if missing <= T::ZERO { T::ZERO } else { -sign };
                    (positive_part(missing), slope)
                },
            ),
            Loss::Focal { gamma, alpha } => {
                let [gamma, of_one, of_zero] = [gamma, alpha, 1.0 - alpha].map(T::from_f64);
                self.each(
                    arch,
                    #[inline(always)]
                    |z, y| {
                        let cross_entropy = positive_part(z) - z * y + (-z.abs()).exp().ln_1p();
                        let sign = y + y - T::ONE;
                        // ln (1 − p) = ln p − s z, with the probability p of the right class.
                        let log_wrong = -(cross_entropy + sign * z);
                        let wrong = log_wrong.exp();
                        let weight =
                            (y * of_one + (T::ONE - y) * of_zero) * (gamma * log_wrong).exp();
                        let slope = (T::ONE - wrong) * (gamma * cross_entropy) + wrong;
                        (weight * cross_entropy, -(weight * slope * sign))
                    },
                );
            }
        }
        let (losses, factors) = (&mut self.losses[..padded], &self.factors[..padded]);
        for (row, (loss, factor)) in losses.iter_mut().zip(factors).enumerate() {
            *loss = if row < num_rows {
                *loss * *factor
            } else {
                T::ZERO
            };
        }
        sum(losses, |loss| loss)
    }

    /// Writes the gradients by the outputs row by row. The padding of the rows becomes zero.
    pub(super) fn gradients(&self, delta: &mut [T], stride: usize) {
        delta.fill(T::ZERO);
        let columns = self.outputs.chunks_exact(self.padded).take(self.d_output);
        for (j, column) in columns.enumerate() {
            let slopes = column.iter().zip(&*self.factors);
            for (row, (slope, factor)) in delta.chunks_exact_mut(stride).zip(slopes) {
                row[j] = *slope * *factor;
            }
        }
    }

    /// A loss of each output: `f` gives it with its slope.
    fn each(&mut self, arch: Arch, f: impl Fn(T, T) -> (T, T)) {
        let padded = self.padded;
        let length = padded * self.d_output;
        let outputs = self.outputs[..length].chunks_exact_mut(padded);
        let losses = &mut self.losses[..padded];
        for (outputs, targets) in outputs.zip(self.targets[..length].chunks_exact(padded)) {
            arch.dispatch(Loop(
                #[inline(always)]
                || {
                    for ((output, target), sum) in outputs.iter_mut().zip(targets).zip(&mut *losses)
                    {
                        let (loss, slope) = f(*output, *target);
                        *output = slope;
                        *sum += loss;
                    }
                },
            ));
        }
    }

    /// Replaces each target `y` by `(1 − ε) y + ε / K` for `K` classes.
    fn smooth_targets(&mut self, label_smoothing: f64) {
        if label_smoothing == 0.0 {
            return;
        }
        let keep = T::from_f64(1.0 - label_smoothing);
        let even = T::from_f64(label_smoothing / self.d_output as f64);
        for y in &mut self.targets[..self.padded * self.d_output] {
            *y = keep * *y + even;
        }
    }

    /// Adds `Σ y ln y` to the loss of each sample, in which 0 ln 0 is 0.
    fn subtract_entropies(&mut self, arch: Arch) {
        let padded = self.padded;
        let losses = &mut self.losses[..padded];
        for targets in self.targets[..padded * self.d_output].chunks_exact(padded) {
            arch.dispatch(Loop(
                #[inline(always)]
                || {
                    for (loss, y) in losses.iter_mut().zip(targets) {
                        let is_zero = *y == T::ZERO;
                        *loss += *y * if is_zero { T::ONE } else { *y }.ln();
                    }
                },
            ));
        }
    }

    /// `ln Σ exp(z) − z_target` of each sample, the largest output subtracted first; gradient: the softmax less the
    /// targets.
    fn cross_entropy(&mut self, arch: Arch) {
        let padded = self.padded;
        let length = padded * self.d_output;
        let outputs = &mut self.outputs[..length];
        let targets = &self.targets[..length];
        let (losses, maxima) = (&mut self.losses[..padded], &mut self.maxima[..padded]);
        let sums = &mut self.sums[..padded];
        arch.dispatch(Loop(
            #[inline(always)]
            || {
                maxima.copy_from_slice(&outputs[..padded]);
                for outputs in outputs.chunks_exact(padded).skip(1) {
                    for (maximum, z) in maxima.iter_mut().zip(outputs) {
                        *maximum = if *maximum < *z { *z } else { *maximum };
                    }
                }
                sums.fill(T::ZERO);
                let columns = outputs.chunks_exact_mut(padded);
                for (outputs, targets) in columns.zip(targets.chunks_exact(padded)) {
                    let samples = losses.iter_mut().zip(&mut *sums).zip(&*maxima);
                    for ((z, y), ((loss, sum), maximum)) in
                        outputs.iter_mut().zip(targets).zip(samples)
                    {
                        let shifted = *z - *maximum;
                        *loss += -(shifted * *y);
                        *z = shifted.exp();
                        *sum += *z;
                    }
                }
                for (loss, sum) in losses.iter_mut().zip(&*sums) {
                    *loss += sum.ln();
                }
                let columns = outputs.chunks_exact_mut(padded);
                for (outputs, targets) in columns.zip(targets.chunks_exact(padded)) {
                    for ((z, y), sum) in outputs.iter_mut().zip(targets).zip(&*sums) {
                        *z = *z / *sum - *y;
                    }
                }
            },
        ));
    }

    /// `−ln(exp(z_target) / Σ exp(z))` as it stands; gradient: through the logarithm, the quotient and `exp`, one
    /// after the other.
    fn cross_entropy_naive(&mut self) {
        let padded = self.padded;
        let length = padded * self.d_output;
        for row in 0..self.num_rows {
            let places = || (row..length).step_by(padded);
            let outputs = &mut self.outputs;
            let mut total = T::ZERO;
            for place in places() {
                outputs[place] = outputs[place].exp();
                total += outputs[place];
            }
            let mut loss = T::ZERO;
            let mut of_sum = T::ZERO;
            for place in places() {
                let softmax = outputs[place] / total;
                let target = self.targets[place];
                loss += exact_log(softmax) * target;
                of_sum += -(target / softmax) / total * outputs[place];
            }
            let of_sum = of_sum / total;
            for place in places() {
                let softmax = outputs[place] / total;
                let slope = -(self.targets[place] / softmax) / total;
                outputs[place] = (slope - of_sum) * outputs[place];
            }
            self.losses[row] = -loss;
        }
    }
}

/// The sign of a number; zero for zero and NaN for NaN.
#[inline(always)]
fn sign<T: Real>(x: T) -> T {
    let sign = if x > T::ZERO { T::ONE } else { x };
    if x < T::ZERO { -T::ONE } else { sign }
}

/// The factor of a sample's loss and gradient without its weight.
pub(super) fn share(loss: Loss, reduction: Reduction, batch_size: usize, d_output: usize) -> f64 {
    let per_sample = if loss.is_per_sample() { 1 } else { d_output };
    match reduction {
        Reduction::Mean => 1.0 / (batch_size * per_sample) as f64,
        Reduction::Sum => 1.0,
    }
}

/// The platform's logarithm, also of numbers too small to be normal.
fn exact_log<T: Real>(x: T) -> T {
    T::from_f64(x.to_f64().ln())
}

/// The logarithm, at least −100.
fn bounded_log<T: Real>(x: T) -> T {
    let bound = T::from_f64(-100.0);
    let logarithm = if x <= T::ZERO { bound } else { exact_log(x) };
    if logarithm < bound { bound } else { logarithm }
}

/// The slope of [`bounded_log`].
fn slope_of_bounded_log<T: Real>(x: T) -> T {
    let is_bounded = x < T::from_f64((-100.0_f64).exp());
    if is_bounded { T::ZERO } else { T::ONE / x }
}
