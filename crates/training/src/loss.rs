//! Losses between outputs and targets, each with PyTorch's value and gradient.

mod passes;

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{TrainingError, check};

/// How the losses of a batch become one number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// The mean: over samples for cross-entropy, over all elements for the others (as PyTorch).
    #[default]
    Mean,
    /// The sum.
    Sum,
}

/// A loss as written in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum LossConfig {
    /// Binary cross-entropy on logits: finite for every finite logit. `torch.nn.BCEWithLogitsLoss`.
    BceWithLogits {
        /// Mean over all elements, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
    /// Binary cross-entropy on probabilities, logarithms bounded at −100. `torch.nn.BCELoss`.
    Bce {
        /// Mean over all elements, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
    /// Binary cross-entropy on probabilities as courses write it, probabilities bounded to
    /// `[1e-12, 1 − 1e-12]`. In float32 the upper bound is 1: a saturated output gives NaN. To see why the
    /// others are written as they are; never to train with.
    BceNaive {
        /// Mean over all elements, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
    /// Softmax with cross-entropy, on whatever the network puts out. `torch.nn.CrossEntropyLoss`.
    CrossEntropy {
        /// Mean over the samples, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
    /// Softmax with cross-entropy as courses write it: `exp` without the maximum subtracted, which overflows
    /// from 89 on in float32. To see why the other is written as it is; never to train with.
    CrossEntropyNaive {
        /// Mean over the samples, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
    /// Squared error. `torch.nn.MSELoss`.
    Mse {
        /// Mean over all elements, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
    /// Absolute error. `torch.nn.L1Loss`.
    Mae {
        /// Mean over all elements, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
    /// Squared near zero, absolute beyond `delta`. `torch.nn.HuberLoss`.
    Huber {
        /// Where the loss turns from squared to absolute, in units of the target; positive.
        #[serde(default = "one")]
        delta: f64,
        /// Mean over all elements, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
    /// `max(0, 1 − s z)` with `s = 2 y − 1`: nothing to pay from a margin of 1 on, for two classes and an
    /// output `z` that is no probability. Cortes and Vapnik 1995.
    Hinge {
        /// Mean over all elements, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
    /// Binary cross-entropy on logits, weighted by `α_t (1 − p_t)^γ` so that what is right already counts
    /// little. Lin et al. 2017, eq. 5; `torchvision.ops.sigmoid_focal_loss`.
    Focal {
        /// How much less: 0 leaves the cross-entropy; zero or positive.
        #[serde(default = "two")]
        gamma: f64,
        /// Weight of class 1; that of class 0 is the rest to 1.
        #[serde(default = "quarter")]
        alpha: f64,
        /// Mean over all elements, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
    /// The Hamming distance of targets and outputs after a threshold of 0.5: the share that is wrong. It has no
    /// gradient to train with, which a training says before its first step.
    Hamming {
        /// Mean over all elements, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
    /// The Hamming distance without the threshold: `|p − y|` of probabilities, which trains.
    SoftHamming {
        /// Mean over all elements, or sum.
        #[serde(default)]
        reduction: Reduction,
    },
}

fn one() -> f64 {
    1.0
}

fn two() -> f64 {
    2.0
}

fn quarter() -> f64 {
    0.25
}

impl LossConfig {
    /// The name as written in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BceWithLogits { .. } => "bce_with_logits",
            Self::Bce { .. } => "bce",
            Self::BceNaive { .. } => "bce_naive",
            Self::CrossEntropy { .. } => "cross_entropy",
            Self::CrossEntropyNaive { .. } => "cross_entropy_naive",
            Self::Mse { .. } => "mse",
            Self::Mae { .. } => "mae",
            Self::Huber { .. } => "huber",
            Self::Hinge { .. } => "hinge",
            Self::Focal { .. } => "focal",
            Self::Hamming { .. } => "hamming",
            Self::SoftHamming { .. } => "soft_hamming",
        }
    }

    /// Mean or sum.
    pub fn reduction(&self) -> Reduction {
        match self {
            Self::BceWithLogits { reduction }
            | Self::Bce { reduction }
            | Self::BceNaive { reduction }
            | Self::CrossEntropy { reduction }
            | Self::CrossEntropyNaive { reduction }
            | Self::Mse { reduction }
            | Self::Mae { reduction }
            | Self::Huber { reduction, .. }
            | Self::Hinge { reduction }
            | Self::Focal { reduction, .. }
            | Self::Hamming { reduction }
            | Self::SoftHamming { reduction } => *reduction,
        }
    }

    /// Whether the loss takes the outputs of a network of two classes as logits, class 1 above 0.
    pub fn is_on_logits(&self) -> bool {
        matches!(
            self,
            Self::BceWithLogits { .. } | Self::Hinge { .. } | Self::Focal { .. }
        )
    }

    /// Whether the gradient is zero wherever it exists, so that no step would change a weight.
    pub fn is_flat(&self) -> bool {
        matches!(self, Self::Hamming { .. })
    }

    /// Whether the loss takes the softmax of the outputs.
    pub fn is_cross_entropy(&self) -> bool {
        matches!(
            self,
            Self::CrossEntropy { .. } | Self::CrossEntropyNaive { .. }
        )
    }

    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`TrainingError::Value`] if Huber's `delta`, or focal's `gamma` or `alpha`, is out of range.
    pub fn validate(&self) -> Result<(), TrainingError> {
        match self {
            Self::Huber { delta, .. } => {
                check("loss.delta", *delta, *delta > 0.0, "a positive number")
            }
            Self::Focal { gamma, alpha, .. } => {
                let is_share = (0.0..=1.0).contains(alpha);
                check("loss.gamma", *gamma, *gamma >= 0.0, "zero or positive")?;
                check("loss.alpha", *alpha, is_share, "from 0 to 1")
            }
            _ => Ok(()),
        }
    }

    /// The loss of one batch.
    ///
    /// # Shapes
    /// - outputs, targets: `[batch_size, d_output]`; targets of a cross-entropy are one-hot
    /// - result: `[1]`
    pub fn forward(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        self.forward_stacked(outputs, targets, 1)
    }

    /// The losses of the batches of many networks, which lie end to end.
    ///
    /// # Shapes
    /// - outputs, targets: `[num_replicas × batch_size, d_output]`
    /// - result: `[num_replicas]`
    pub fn forward_stacked(
        &self,
        outputs: Tensor<2>,
        targets: Tensor<2>,
        num_replicas: usize,
    ) -> Tensor<1> {
        reduce(
            self.losses(outputs, targets),
            self.reduction(),
            num_replicas,
        )
    }

    /// The losses before they are reduced: `[batch_size, 1]` for a cross-entropy, else like the outputs.
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        passes::forward(self, outputs, targets)
            .unwrap_or_else(|(outputs, targets)| self.losses_by_operations(outputs, targets))
    }

    fn losses_by_operations(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        match self {
            Self::BceWithLogits { .. } => bce_with_logits(outputs, targets),
            Self::Bce { .. } => bce(outputs, targets),
            Self::BceNaive { .. } => bce_naive(outputs, targets),
            Self::CrossEntropy { .. } => cross_entropy(outputs, targets),
            Self::CrossEntropyNaive { .. } => cross_entropy_naive(outputs, targets),
            Self::Mse { .. } => {
                let difference = outputs - targets;
                difference.clone() * difference
            }
            Self::Mae { .. } | Self::SoftHamming { .. } => (outputs - targets).abs(),
            Self::Hamming { .. } => hamming(outputs, targets),
            Self::Huber { delta, .. } => huber(outputs - targets, *delta),
            Self::Hinge { .. } => relu(missing_margin(outputs, targets)),
            Self::Focal { gamma, alpha, .. } => {
                let kept = Focal::of(outputs, targets, *gamma, *alpha);
                kept.weight * kept.cross_entropy
            }
        }
    }
}

impl LossConfig {
    /// The loss of one batch with its gradient by the outputs, without autodiff.
    ///
    /// # Shapes
    /// - as in [`forward`](Self::forward); the gradient like the outputs
    ///
    /// # Source
    /// The derivatives written out; equal to what autodiff finds for [`forward`](Self::forward).
    pub fn forward_backward(
        &self,
        outputs: Tensor<2>,
        targets: Tensor<2>,
    ) -> (Tensor<1>, Tensor<2>) {
        self.forward_backward_stacked(outputs, targets, 1)
    }

    /// The losses of the batches of many networks, each with its gradient by its network's outputs.
    ///
    /// # Shapes
    /// - as in [`forward_stacked`](Self::forward_stacked); the gradient like the outputs
    pub fn forward_backward_stacked(
        &self,
        outputs: Tensor<2>,
        targets: Tensor<2>,
        num_replicas: usize,
    ) -> (Tensor<1>, Tensor<2>) {
        let (losses, delta) = passes::forward_backward(self, outputs, targets)
            .unwrap_or_else(|(outputs, targets)| self.backward_by_operations(outputs, targets));
        let delta = match self.reduction() {
            Reduction::Mean => {
                let count = losses.shape().num_elements() / num_replicas;
                delta.mul_scalar(1.0 / count as f64)
            }
            Reduction::Sum => delta,
        };
        (reduce(losses, self.reduction(), num_replicas), delta)
    }

    /// The losses before they are reduced, and the gradient of their sum by the outputs.
    fn backward_by_operations(
        &self,
        outputs: Tensor<2>,
        targets: Tensor<2>,
    ) -> (Tensor<2>, Tensor<2>) {
        match self {
            Self::BceWithLogits { .. } => {
                let negative = outputs.clone().lower_elem(0.0);
                let decay = outputs.clone().abs().neg().exp(); // exp(−|z|)
                let positive = decay.clone().add_scalar(1.0).recip(); // σ(|z|)
                let sigmoid = positive.clone().mask_where(negative, decay * positive);
                let delta = sigmoid - targets.clone();
                (bce_with_logits(outputs, targets), delta)
            }
            Self::Bce { .. } => {
                let opposite = outputs.clone().neg().add_scalar(1.0);
                let yes = targets.clone() * bounded_log_slope(outputs.clone());
                let no = targets.clone().neg().add_scalar(1.0) * bounded_log_slope(opposite);
                (bce(outputs, targets), no - yes)
            }
            Self::BceNaive { .. } => {
                let [low, high] = NAIVE_BOUNDS;
                let outside = outputs
                    .clone()
                    .lower_elem(low)
                    .bool_or(outputs.clone().greater_elem(high));
                let bounded = outputs.clone().clamp(low, high);
                let opposite = bounded.clone().neg().add_scalar(1.0);
                let yes = targets.clone() / bounded;
                let no = targets.clone().neg().add_scalar(1.0) / opposite;
                let delta = (no - yes).mask_fill(outside, 0.0);
                (bce_naive(outputs, targets), delta)
            }
            Self::CrossEntropy { .. } => {
                let maximum = outputs.clone().max_dim(1);
                let shifted = outputs - maximum;
                let exponentials = shifted.clone().exp();
                let sum = exponentials.clone().sum_dim(1);
                let delta = exponentials / sum.clone() - targets.clone();
                (sum.log() - (shifted * targets).sum_dim(1), delta)
            }
            Self::CrossEntropyNaive { .. } => {
                let exponentials = outputs.clone().exp();
                let sum = exponentials.clone().sum_dim(1);
                let softmax = exponentials.clone() / sum.clone();
                let slope = (targets.clone() / softmax).neg() / sum.clone();
                let of_sum = (slope.clone() * exponentials.clone()).sum_dim(1) / sum;
                let delta = (slope - of_sum) * exponentials;
                (cross_entropy_naive(outputs, targets), delta)
            }
            Self::Mse { .. } => {
                let difference = outputs - targets;
                let delta = difference.clone().mul_scalar(2.0);
                (difference.clone() * difference, delta)
            }
            Self::Hamming { .. } => (hamming(outputs.clone(), targets), outputs.zeros_like()),
            Self::Mae { .. } | Self::SoftHamming { .. } => {
                let difference = outputs - targets;
                (difference.clone().abs(), difference.sign())
            }
            Self::Hinge { .. } => {
                let missing = missing_margin(outputs, targets.clone());
                let enough = missing.clone().lower_equal_elem(0.0);
                let slope = side(targets).neg().mask_fill(enough, 0.0);
                (relu(missing), slope)
            }
            Self::Focal { gamma, alpha, .. } => {
                let sides = side(targets.clone());
                let kept = Focal::of(outputs, targets, *gamma, *alpha);
                let right = kept.wrong.clone().neg().add_scalar(1.0);
                let slope = right * kept.cross_entropy.clone().mul_scalar(*gamma) + kept.wrong;
                let delta = (kept.weight.clone() * slope * sides).neg();
                (kept.weight * kept.cross_entropy, delta)
            }
            Self::Huber { delta, .. } => {
                let difference = outputs - targets;
                let slope = difference.clone().clamp(-*delta, *delta);
                (huber(difference, *delta), slope)
            }
        }
    }
}

/// −1 for class 0, 1 for class 1.
fn side(targets: Tensor<2>) -> Tensor<2> {
    targets.mul_scalar(2.0).sub_scalar(1.0)
}

/// `1 − s z`: what is missing to a margin of 1, negative beyond it.
fn missing_margin(outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    (side(targets) * outputs).neg().add_scalar(1.0)
}

/// What the focal loss is made of.
struct Focal {
    /// `−ln p_t`
    cross_entropy: Tensor<2>,
    /// `1 − p_t`
    wrong: Tensor<2>,
    /// `α_t (1 − p_t)^γ`
    weight: Tensor<2>,
}

impl Focal {
    fn of(logits: Tensor<2>, targets: Tensor<2>, gamma: f64, alpha: f64) -> Self {
        let by_class = targets
            .clone()
            .mul_scalar(2.0 * alpha - 1.0)
            .add_scalar(1.0 - alpha);
        let cross_entropy = bce_with_logits(logits.clone(), targets.clone());
        // ln (1 − p_t) = ln p_t − s z
        let log_wrong = (cross_entropy.clone() + side(targets) * logits).neg();
        Self {
            wrong: log_wrong.clone().exp(),
            weight: by_class * log_wrong.mul_scalar(gamma).exp(),
            cross_entropy,
        }
    }
}

/// What the naive loss bounds probabilities to.
const NAIVE_BOUNDS: [f64; 2] = [1e-12, 1.0 - 1e-12];

/// One number for each replica.
fn reduce(losses: Tensor<2>, reduction: Reduction, num_replicas: usize) -> Tensor<1> {
    if num_replicas == 1 {
        return match reduction {
            Reduction::Mean => losses.mean(),
            Reduction::Sum => losses.sum(),
        };
    }
    let count = losses.shape().num_elements() / num_replicas;
    let losses = losses.reshape([num_replicas, count]);
    let reduced = match reduction {
        Reduction::Mean => losses.mean_dim(1),
        Reduction::Sum => losses.sum_dim(1),
    };
    reduced.squeeze_dim(1)
}

/// `max(z, 0) − z y + ln(1 + exp(−|z|))`, with `max(z, 0) = (z + |z|) / 2` so that autodiff's
/// subgradient of `|z|` at zero gives the true derivative `1/2 − y` there (zero weights start there).
fn bce_with_logits(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    let magnitude = logits.clone().abs();
    let positive_part = (logits.clone() + magnitude.clone()).mul_scalar(0.5);
    positive_part - logits * targets + magnitude.neg().exp().log1p()
}

/// `−(y ln p + (1 − y) ln(1 − p))`. The true derivative of a logarithm at zero does not exist in
/// floating point; there the gradient is zero, where PyTorch's is 1e12 times the (zero) slope of the
/// sigmoid before it.
fn bce(probabilities: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    let opposite = probabilities.clone().neg().add_scalar(1.0);
    let yes = targets.clone() * bounded_log(probabilities);
    let no = targets.neg().add_scalar(1.0) * bounded_log(opposite);
    (yes + no).neg()
}

/// `−(y ln p + (1 − y) ln(1 − p))` with `p` bounded to `[1e-12, 1 − 1e-12]`.
fn bce_naive(probabilities: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    let [low, high] = NAIVE_BOUNDS;
    let bounded = probabilities.clamp(low, high);
    let yes = targets.clone() * bounded.clone().log();
    let no = targets.neg().add_scalar(1.0) * bounded.neg().add_scalar(1.0).log();
    (yes + no).neg()
}

/// `|[x > ½] − y|`. Autodiff needs a path to the outputs: a slope of zero, added.
fn hamming(outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    let flat = outputs.clone().mul_scalar(0.0);
    let labels = outputs.detach().greater_elem(0.5).float();
    (labels.cast(flat.dtype()) - targets).abs() + flat
}

/// `−ln(exp(z_target) / Σ exp(z))` of each sample, `[batch_size, 1]`, as it stands.
fn cross_entropy_naive(outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    let exponentials = outputs.exp();
    let softmax = exponentials.clone() / exponentials.sum_dim(1);
    (softmax.log() * targets).sum_dim(1).neg()
}

/// `max(ln x, −100)`, PyTorch's bound, without the `0 · ∞` that a clamped logarithm of zero has in
/// its gradient.
fn bounded_log(x: Tensor<2>) -> Tensor<2> {
    let zero = x.clone().lower_equal_elem(0.0);
    x.mask_fill(zero.clone(), 1.0)
        .log()
        .mask_fill(zero, -100.0)
        .clamp_min(-100.0)
}

/// The gradient of [`bounded_log`]: `1 / x`, and zero where the bound holds.
fn bounded_log_slope(x: Tensor<2>) -> Tensor<2> {
    let bounded = x.clone().lower_elem((-100.0_f64).exp());
    x.recip().mask_fill(bounded, 0.0)
}

/// With `|d| = q + r`, `q = min(|d|, δ)`: `q²/2 + δ r`, whose gradient is `clamp(d, −δ, δ)` everywhere.
fn huber(difference: Tensor<2>, delta: f64) -> Tensor<2> {
    let distance = difference.abs();
    let near = distance.clone().clamp_max(delta);
    let far = distance - near.clone();
    (near.clone() * near).mul_scalar(0.5) + far.mul_scalar(delta)
}

/// `ln Σ exp(z) − z_target` of each sample, `[batch_size, 1]`, the row's maximum subtracted first.
fn cross_entropy(outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    let maximum = outputs.clone().detach().max_dim(1);
    let shifted = outputs - maximum;
    let log_sum = shifted.clone().exp().sum_dim(1).log();
    log_sum - (shifted * targets).sum_dim(1)
}

#[cfg(test)]
impl LossConfig {
    /// Whether forward pass alone, and forward and backward pass, of tensors like these each run as a fused kernel.
    pub(crate) fn enters_fused_kernels(&self, outputs: &Tensor<2>, targets: &Tensor<2>) -> bool {
        passes::forward(self, outputs.clone(), targets.clone()).is_ok()
            && passes::forward_backward(self, outputs.clone(), targets.clone()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{DType, Device, TensorData};

    /// Value and gradient of `loss` on flex in float64.
    fn evaluate(loss: &LossConfig, outputs: &[[f64; 2]], targets: &[[f64; 2]]) -> (f64, Vec<f64>) {
        let device = Device::flex().autodiff();
        let from = |rows: &[[f64; 2]]| {
            let flat: Vec<f64> = rows.iter().flatten().copied().collect();
            TensorData::new(flat, [rows.len(), 2])
        };
        let outputs = Tensor::<2>::from_data(from(outputs), (&device, DType::F64)).require_grad();
        let targets = Tensor::<2>::from_data(from(targets), (&device, DType::F64));
        let value = loss.forward(outputs.clone(), targets);
        let gradients = value.backward();
        let gradient = outputs.grad(&gradients).expect("a gradient");
        let host = |data: TensorData| data.try_to_vec::<f64>().expect("f64");
        (host(value.into_data())[0], host(gradient.into_data()))
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-12, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn bce_with_logits_has_pytorchs_gradient_at_zero_and_stays_finite() {
        // torch.nn.BCEWithLogitsLoss(reduction="sum") at z = 0: ln 2 each, gradient σ(0) − y.
        let loss = LossConfig::BceWithLogits {
            reduction: Reduction::Sum,
        };
        let (value, gradient) = evaluate(&loss, &[[0.0, 0.0]], &[[0.0, 1.0]]);
        close(&[value], &[2.0 * std::f64::consts::LN_2]);
        close(&gradient, &[0.5, -0.5]);
        // A perfectly wrong and a perfectly right prediction: 800 and exp(−800) = 0.
        let (value, gradient) = evaluate(&loss, &[[800.0, -800.0]], &[[0.0, 0.0]]);
        close(&[value], &[800.0]);
        close(&gradient, &[1.0, 0.0]);
    }

    #[test]
    fn bce_of_saturated_probabilities_is_bounded_at_one_hundred() {
        // torch.nn.BCELoss(reduction="sum")(tensor([[0., 1.]]), tensor([[1., 1.]])) = 100.
        let loss = LossConfig::Bce {
            reduction: Reduction::Sum,
        };
        let (value, gradient) = evaluate(&loss, &[[0.0, 1.0]], &[[1.0, 1.0]]);
        close(&[value], &[100.0]);
        assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
        // Inside: −ln 0.25 − ln(1 − 0.2), gradients −1/p and 1/(1 − p).
        let (value, gradient) = evaluate(&loss, &[[0.25, 0.2]], &[[1.0, 0.0]]);
        close(&[value], &[4f64.ln() - 0.8f64.ln()]);
        close(&gradient, &[-4.0, 1.25]);
    }

    #[test]
    fn cross_entropy_gradient_is_softmax_minus_target() {
        let loss = LossConfig::CrossEntropy {
            reduction: Reduction::Mean,
        };
        let (value, gradient) = evaluate(
            &loss,
            &[[1.0, 3.0], [1000.0, 0.0]],
            &[[1.0, 0.0], [1.0, 0.0]],
        );
        let p = 1.0 / (1.0 + 2f64.exp());
        close(&[value], &[-p.ln() / 2.0]);
        close(&gradient, &[(p - 1.0) / 2.0, (1.0 - p) / 2.0, 0.0, 0.0]);
    }

    #[test]
    fn the_naive_losses_agree_where_nothing_overflows_and_break_where_it_does() {
        let sum = Reduction::Sum;
        let pairs = [
            (
                LossConfig::Bce { reduction: sum },
                LossConfig::BceNaive { reduction: sum },
            ),
            (
                LossConfig::CrossEntropy { reduction: sum },
                LossConfig::CrossEntropyNaive { reduction: sum },
            ),
        ];
        for (stable, naive) in pairs {
            let inputs = ([[0.25, 0.2], [0.9, 0.4]], [[1.0, 0.0], [0.0, 1.0]]);
            let (expected, gradient) = evaluate(&stable, &inputs.0, &inputs.1);
            let (value, found) = evaluate(&naive, &inputs.0, &inputs.1);
            close(&[value], &[expected]);
            close(&found, &gradient);
        }
        let naive = LossConfig::CrossEntropyNaive { reduction: sum };
        let (value, _) = evaluate(&naive, &[[800.0, 0.0]], &[[1.0, 0.0]]);
        assert!(value.is_nan(), "{value}");
        // 1 − 1e-12 is 1 in float32, so that 0 · ln 0 is NaN.
        let device = Device::flex();
        let of = |x: f32| Tensor::<2>::from_data([[x]], (&device, DType::F32));
        let loss = LossConfig::BceNaive { reduction: sum }.forward(of(1.0), of(1.0));
        assert!(loss.into_scalar::<f32>().is_nan());
    }

    #[test]
    fn the_hamming_distance_is_flat_and_its_soft_relative_is_not() {
        let (outputs, targets) = ([[0.9, 0.2], [0.4, 0.6]], [[1.0, 1.0], [0.0, 0.0]]);
        let reduction = Reduction::Mean;
        // sklearn.metrics.hamming_loss(targets, outputs > 0.5) = 0.5
        let hamming = LossConfig::Hamming { reduction };
        let (value, gradient) = evaluate(&hamming, &outputs, &targets);
        assert_eq!((value, gradient), (0.5, vec![0.0; 4]));
        let soft = LossConfig::SoftHamming { reduction };
        let (value, gradient) = evaluate(&soft, &outputs, &targets);
        close(&[value], &[(0.1 + 0.8 + 0.4 + 0.6) / 4.0]);
        close(&gradient, &[-0.25, -0.25, 0.25, 0.25]);
    }

    #[test]
    fn regression_losses_equal_their_definitions() {
        let outputs = [[3.0, 0.5], [-2.0, 1.0]];
        let targets = [[1.0, 1.0], [1.0, 1.0]]; // differences 2, −0.5, −3, 0
        let mean = Reduction::Mean;
        let (value, gradient) = evaluate(&LossConfig::Mse { reduction: mean }, &outputs, &targets);
        close(&[value], &[(4.0 + 0.25 + 9.0) / 4.0]);
        close(&gradient, &[1.0, -0.25, -1.5, 0.0]);
        let (value, gradient) = evaluate(&LossConfig::Mae { reduction: mean }, &outputs, &targets);
        close(&[value], &[5.5 / 4.0]);
        close(&gradient, &[0.25, -0.25, -0.25, 0.0]);
        let huber = LossConfig::Huber {
            delta: 1.0,
            reduction: mean,
        };
        let (value, gradient) = evaluate(&huber, &outputs, &targets);
        close(&[value], &[(1.5 + 0.125 + 2.5) / 4.0]);
        close(&gradient, &[0.25, -0.125, -0.25, 0.0]);
    }

    #[test]
    fn hinge_asks_for_a_margin_of_one() {
        let hinge = LossConfig::Hinge {
            reduction: Reduction::Sum,
        };
        // 1 − z for class 1, 1 + z for class 0; nothing, and no gradient, from the margin on.
        let (value, gradient) = evaluate(
            &hinge,
            &[[0.25, 0.5], [1.0, -3.0]],
            &[[1.0, 0.0], [1.0, 0.0]],
        );
        close(&[value], &[0.75 + 1.5]);
        close(&gradient, &[-1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn focal_equals_its_formula_and_without_focus_half_the_cross_entropy() {
        let focal = |gamma, alpha| LossConfig::Focal {
            gamma,
            alpha,
            reduction: Reduction::Sum,
        };
        let (outputs, targets) = ([[0.8, -1.2]], [[1.0, 1.0]]);
        // Lin et al. 2017, eq. 5: −α_t (1 − p_t)^γ ln p_t
        let expected = |z: f64| {
            let p = 1.0 / (1.0 + (-z).exp());
            -0.25 * (1.0 - p).powi(2) * p.ln()
        };
        let (value, _) = evaluate(&focal(2.0, 0.25), &outputs, &targets);
        close(&[value], &[expected(0.8) + expected(-1.2)]);
        let cross_entropy = LossConfig::BceWithLogits {
            reduction: Reduction::Sum,
        };
        let (half, half_gradient) = evaluate(&focal(0.0, 0.5), &outputs, &targets);
        let (whole, gradient) = evaluate(&cross_entropy, &outputs, &targets);
        close(&[2.0 * half], &[whole]);
        let doubled: Vec<f64> = half_gradient.iter().map(|g| 2.0 * g).collect();
        close(&doubled, &gradient);
        // What is hopelessly wrong or perfectly right stays finite.
        let (value, gradient) = evaluate(&focal(2.0, 0.25), &[[800.0, -800.0]], &[[0.0, 0.0]]);
        close(&[value], &[0.75 * 800.0]);
        close(&gradient, &[0.75, 0.0]);
    }
}
