//! Adam.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels::{Numbers, is_on_host, vectorized};
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, check_share, exactly};

/// Adam: each parameter's step is scaled by the means of its gradients and of their squares. `torch.optim.Adam`;
/// Kingma and Ba 2015, algorithm 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Decay of the mean of gradients.
    pub beta_1: f64,
    /// Decay of the mean of squared gradients.
    pub beta_2: f64,
    /// Added to the denominator.
    pub epsilon: f64,
    /// Factor of the L2 penalty, which is added to the gradient.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

impl Rule for Adam {
    /// The mean of the gradients, and that of their squares.
    fn num_buffers(&self) -> usize {
        2
    }

    fn direction(
        &self,
        gradient: Tensor<1>,
        buffers: Vec<Tensor<1>>,
        learning_rate: f64,
        step: u64,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        let step = step as f64;
        let step = AdamStep {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            size: learning_rate / (1.0 - self.beta_1.powf(step)),
            root: (1.0 - self.beta_2.powf(step)).sqrt(),
        };
        step.direction(gradient, buffers)
    }

    fn penalty(&self) -> f64 {
        self.weight_decay
    }

    fn validate(&self) -> Result<(), Problem> {
        check_share("beta_1", self.beta_1)?;
        check_share("beta_2", self.beta_2)?;
        Problem::unless_not_negative(self.epsilon, "epsilon")?;
        Problem::unless_not_negative(self.weight_decay, "weight_decay")
    }

    fn fused(&self) -> Option<fused::Optimizer> {
        Some(fused::Optimizer::Adam {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            weight_decay: self.penalty(),
            decoupled_decay: self.decoupled_decay(),
        })
    }
}

/// The numbers of one step of Adam: the direction is `lr m̂ / (√v̂ + ε)`.
struct AdamStep {
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    /// `lr / (1 − β₁ᵗ)`
    size: f64,
    /// `√(1 − β₂ᵗ)`
    root: f64,
}

impl AdamStep {
    /// The difference to subtract, and the new means of the gradients and of their squares.
    fn direction(
        &self,
        gradient: Tensor<1>,
        buffers: Vec<Tensor<1>>,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        let [mean, square] = exactly(buffers);
        if [&gradient, &mean, &square].into_iter().all(is_on_host) {
            return self.fused(gradient, mean, square);
        }
        let mean = mean.mul_scalar(self.beta_1) + gradient.clone().mul_scalar(1.0 - self.beta_1);
        let new_square = (gradient.clone() * gradient).mul_scalar(1.0 - self.beta_2);
        let square = square.mul_scalar(self.beta_2) + new_square;
        let root = square.clone().sqrt().div_scalar(self.root);
        let direction = mean.clone().mul_scalar(self.size) / root.add_scalar(self.epsilon);
        (direction, vec![mean, square])
    }

    /// The host kernel of [`direction`](Self::direction): one loop over the host's memory.
    fn fused(
        &self,
        gradient: Tensor<1>,
        mean: Tensor<1>,
        square: Tensor<1>,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        let [beta_1, rest_1] = [self.beta_1 as f32, (1.0 - self.beta_1) as f32];
        let [beta_2, rest_2] = [self.beta_2 as f32, (1.0 - self.beta_2) as f32];
        let [size, root, epsilon] = [self.size, self.root, self.epsilon].map(|x| x as f32);
        let [mut gradient, mut mean, mut square] = [gradient, mean, square].map(Numbers::take);
        let (gradients, means) = (gradient.as_mut_slice(), mean.as_mut_slice());
        let squares = square.as_mut_slice();
        vectorized(
            #[inline(always)]
            move || {
                let buffers = means.iter_mut().zip(squares.iter_mut());
                for (gradient, (mean, square)) in gradients.iter_mut().zip(buffers) {
                    *mean = *mean * beta_1 + *gradient * rest_1;
                    *square = *square * beta_2 + *gradient * *gradient * rest_2;
                    *gradient = *mean * size / (square.sqrt() / root + epsilon);
                }
            },
        );
        let buffers = vec![mean.into_tensor(), square.into_tensor()];
        (gradient.into_tensor(), buffers)
    }
}
