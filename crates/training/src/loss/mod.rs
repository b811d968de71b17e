//! Losses between outputs and targets, each with PyTorch's value and gradient.
//!
//! A loss is one file and one row of the table below. The file holds the loss's parameters and implements
//! `LossFunction`: value, derivative, host kernel if there is one, and properties. Other code asks for a property and
//! never for the name of a loss. Tests then ask for PyTorch's numbers in `tests-data/kernels.json`, which
//! `tests-data/kernels.py` makes.

mod bce;
mod bce_naive;
mod bce_with_logits;
mod cross_entropy;
mod cross_entropy_naive;
mod focal;
mod hamming;
mod hinge;
mod huber;
#[cfg(test)]
mod kernel_tests;
mod kl_divergence;
mod log_cosh;
mod mae;
mod mse;
mod poisson;
mod quantile;
mod soft_hamming;
#[cfg(test)]
mod testing;

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels as kernels;
use emberlab_menu::{Menu, Problem, menu, read_with_shared_keys};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

pub use bce::Bce;
pub use bce_naive::BceNaive;
pub use bce_with_logits::BceWithLogits;
pub use cross_entropy::CrossEntropy;
pub use cross_entropy_naive::CrossEntropyNaive;
pub use focal::Focal;
pub use hamming::Hamming;
pub use hinge::Hinge;
pub use huber::Huber;
pub use kl_divergence::KlDivergence;
pub use log_cosh::LogCosh;
pub use mae::Mae;
pub use mse::Mse;
pub use poisson::Poisson;
pub use quantile::Quantile;
pub use soft_hamming::SoftHamming;

menu! {
    /// A loss: its name and its parameters.
    pub enum Loss("a loss"), written as a table, dispatched by with_loss!($) {
        "bce_with_logits" => BceWithLogits(BceWithLogits),
        "bce" => Bce(Bce),
        "bce_naive" => BceNaive(BceNaive),
        "cross_entropy" => CrossEntropy(CrossEntropy),
        "cross_entropy_naive" => CrossEntropyNaive(CrossEntropyNaive),
        "kl_divergence" => KlDivergence(KlDivergence),
        "mse" => Mse(Mse),
        "mae" => Mae(Mae),
        "huber" => Huber(Huber),
        "log_cosh" => LogCosh(LogCosh),
        "quantile" => Quantile(Quantile),
        "poisson" => Poisson(Poisson),
        "hinge" => Hinge(Hinge),
        "focal" => Focal(Focal),
        "hamming" => Hamming(Hamming),
        "soft_hamming" => SoftHamming(SoftHamming),
    }
}

/// Two tensors: outputs and targets, or losses and their gradient by the outputs.
pub(crate) type Pair = (Tensor<2>, Tensor<2>);

/// Everything that a loss consists of besides its parameters.
///
/// # Shapes
/// - outputs, targets: `[batch_size, d_output]`; targets are one-hot where [`targets`](Self::targets) says so
/// - losses: like the outputs, or `[batch_size, 1]` if each sample has one loss
/// - gradient: like the outputs
pub(crate) trait LossFunction {
    /// The losses before they are reduced.
    ///
    /// Autodiff follows them, so a host kernel may stand beside Burn's operations but not replace them.
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2>;

    /// The losses before they are reduced, and the gradient of their sum by the outputs, without autodiff.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair;

    /// The outputs that the loss is written for.
    fn outputs(&self) -> OutputKind;

    /// The targets that the loss can be computed on.
    fn targets(&self) -> TargetKind;

    /// Whether the gradient is zero wherever it exists.
    fn is_flat(&self) -> bool {
        false
    }

    /// Whether the loss is written as in a textbook, so that it overflows where its stable form does not.
    fn is_naive(&self) -> bool {
        false
    }

    /// The name of a loss that trains better and means the same, if there is one.
    fn better(&self) -> Option<&'static str> {
        None
    }

    /// See [`Loss::fused`].
    fn fused(&self) -> Option<fused::Loss> {
        None
    }

    /// Checks the ranges of the parameters; a problem's key is the parameter's name.
    fn validate(&self) -> Result<(), Problem> {
        Ok(())
    }
}

/// The outputs that a loss is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// One logit: class 1 where it is above 0.
    Logit,
    /// One logit for each class; the loss takes their softmax.
    ClassLogits,
    /// Probabilities, in [0, 1].
    Probabilities,
    /// Any numbers.
    Numbers,
}

/// The targets that a loss can be computed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// Two classes, as 0 and 1 of one output.
    TwoClasses,
    /// Two classes or more, one-hot: one output for each.
    OneHot,
    /// Classes, as 0 and 1 of one output or one-hot.
    Classes,
    /// Classes as for [`Classes`](Self::Classes), or the numbers of a regression.
    Numbers,
    /// The numbers of a regression, none of them negative. The outputs are logarithms of the predictions.
    Counts,
}

impl Loss {
    /// The outputs that the loss is written for.
    pub fn outputs(&self) -> OutputKind {
        with_loss!(self, loss => loss.outputs())
    }

    /// The targets that the loss can be computed on.
    pub fn targets(&self) -> TargetKind {
        with_loss!(self, loss => loss.targets())
    }

    /// Whether the gradient is zero wherever it exists, so that no step would change a weight.
    pub fn is_flat(&self) -> bool {
        with_loss!(self, loss => loss.is_flat())
    }

    /// Whether the loss is written as in a textbook, so that it overflows where its stable form does not.
    pub fn is_naive(&self) -> bool {
        with_loss!(self, loss => loss.is_naive())
    }

    /// The name of a loss that trains better and means the same, if there is one.
    pub fn better(&self) -> Option<&'static str> {
        with_loss!(self, loss => loss.better())
    }

    /// The loss in the plan of a training by fused kernels; none if they cannot compute it.
    pub fn fused(&self) -> Option<fused::Loss> {
        with_loss!(self, loss => loss.fused())
    }

    /// The names of all losses with a property, as a sentence lists them: "`mse`, `mae` or `huber`".
    pub(crate) fn names_with(has_property: impl Fn(&Self) -> bool) -> String {
        let losses = Self::examples().into_iter().filter(has_property);
        let names: Vec<_> = losses.map(|loss| format!("`{}`", loss.name())).collect();
        match names.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            names => names.concat(),
        }
    }
}

/// Each row multiplied by the weight of its sample.
fn weighted(rows: Tensor<2>, weights: Option<&Tensor<2>>) -> Tensor<2> {
    match weights {
        Some(weights) => rows * weights.clone(),
        None => rows,
    }
}

/// How the losses of a batch become one number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// The mean, over samples for a cross-entropy and over all elements for the others (as PyTorch).
    #[default]
    Mean,
    /// The sum.
    Sum,
}

impl Reduction {
    /// The reduction in the plan of a training by fused kernels.
    pub(crate) fn fused(self) -> fused::Reduction {
        match self {
            Self::Mean => fused::Reduction::Mean,
            Self::Sum => fused::Reduction::Sum,
        }
    }
}

/// A loss as written in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct LossConfig {
    /// The loss and its parameters.
    #[serde(flatten)]
    pub function: Loss,
    /// Mean or sum of the losses of a batch.
    #[serde(default)]
    pub reduction: Reduction,
}

impl<'de> Deserialize<'de> for LossConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Table {
            #[serde(flatten)]
            function: Loss,
            #[serde(default)]
            reduction: Reduction,
        }
        let Table {
            function,
            reduction,
        } = read_with_shared_keys(deserializer, &["reduction"])?;
        Ok(Self {
            function,
            reduction,
        })
    }
}

impl LossConfig {
    /// The mean of a loss.
    pub fn mean(function: impl Into<Loss>) -> Self {
        Self {
            function: function.into(),
            reduction: Reduction::Mean,
        }
    }

    /// The sum of a loss.
    pub fn sum(function: impl Into<Loss>) -> Self {
        Self {
            function: function.into(),
            reduction: Reduction::Sum,
        }
    }

    /// The name as written in the configuration.
    pub fn name(&self) -> &'static str {
        self.function.name()
    }

    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`Problem`] if a parameter of the loss is out of range.
    pub fn validate(&self) -> Result<(), Problem> {
        with_loss!(&self.function, loss => loss.validate())
            .map_err(|problem| problem.within("loss"))
    }

    /// The loss of one batch.
    ///
    /// # Shapes
    /// - outputs, targets: `[batch_size, d_output]`; targets of a cross-entropy are one-hot
    /// - result: `[1]`
    pub fn forward(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        self.forward_stacked(outputs, targets, None, 1)
    }

    /// The losses of the batches of many networks, which lie end to end. The losses of each sample are multiplied by
    /// its weight, if there are weights.
    ///
    /// # Shapes
    /// - outputs, targets: `[num_replicas × batch_size, d_output]`
    /// - weights: `[num_replicas × batch_size, 1]`
    /// - result: `[num_replicas]`
    pub fn forward_stacked(
        &self,
        outputs: Tensor<2>,
        targets: Tensor<2>,
        weights: Option<&Tensor<2>>,
        num_replicas: usize,
    ) -> Tensor<1> {
        if let Some((loss, _)) = self.on_gpu(&outputs, &targets, weights, num_replicas, false) {
            return loss;
        }
        let losses = with_loss!(&self.function, loss => loss.losses(outputs, targets));
        self.reduce(weighted(losses, weights), num_replicas)
    }

    /// The losses of the batches of many networks, each with its gradient by its network's outputs, without autodiff.
    ///
    /// # Shapes
    /// - as in [`forward_stacked`](Self::forward_stacked); the gradient like the outputs
    ///
    /// # Source
    /// The derivatives written out; equal to those that autodiff finds for [`forward_stacked`](Self::forward_stacked).
    pub fn forward_backward_stacked(
        &self,
        outputs: Tensor<2>,
        targets: Tensor<2>,
        weights: Option<&Tensor<2>>,
        num_replicas: usize,
    ) -> (Tensor<1>, Tensor<2>) {
        if let Some((loss, Some(gradient))) =
            self.on_gpu(&outputs, &targets, weights, num_replicas, true)
        {
            return (loss, gradient);
        }
        let (losses, gradient) = with_loss!(&self.function, loss => {
            loss.losses_and_gradient(outputs, targets)
        });
        let (losses, gradient) = (weighted(losses, weights), weighted(gradient, weights));
        let gradient = match self.reduction {
            Reduction::Mean => {
                let count = losses.shape().num_elements() / num_replicas;
                gradient.mul_scalar(1.0 / count as f64)
            }
            Reduction::Sum => gradient,
        };
        (self.reduce(losses, num_replicas), gradient)
    }

    /// The loss of one network's batch by a kernel of a GPU, if the batch is on one, and its gradient if that is asked for.
    fn on_gpu(
        &self,
        outputs: &Tensor<2>,
        targets: &Tensor<2>,
        weights: Option<&Tensor<2>>,
        num_replicas: usize,
        has_gradient: bool,
    ) -> Option<(Tensor<1>, Option<Tensor<2>>)> {
        if num_replicas > 1 {
            return None;
        }
        let loss = (self.function.fused()?, self.reduction.fused());
        kernels::batch_loss(loss, outputs, targets, weights, has_gradient)
    }

    /// One number for each replica.
    fn reduce(&self, losses: Tensor<2>, num_replicas: usize) -> Tensor<1> {
        if num_replicas == 1 {
            return match self.reduction {
                Reduction::Mean => losses.mean(),
                Reduction::Sum => losses.sum(),
            };
        }
        let count = losses.shape().num_elements() / num_replicas;
        let losses = losses.reshape([num_replicas, count]);
        let reduced = match self.reduction {
            Reduction::Mean => losses.mean_dim(1),
            Reduction::Sum => losses.sum_dim(1),
        };
        reduced.squeeze_dim(1)
    }
}

/// −1 for class 0, 1 for class 1.
fn sign_of_class(targets: Tensor<2>) -> Tensor<2> {
    targets.mul_scalar(2.0).sub_scalar(1.0)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, TensorData};

    use super::testing::evaluate;
    use super::*;

    const OUTPUTS: [[f64; 2]; 3] = [[0.9, 0.2], [0.4, 0.6], [0.3, 0.7]];
    const TARGETS: [[f64; 2]; 3] = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]];

    fn tensor(rows: [[f64; 2]; 3], dtype: DType) -> Tensor<2> {
        let flat: Vec<f64> = rows.iter().flatten().copied().collect();
        Tensor::from_data(TensorData::new(flat, [3, 2]), (&Device::flex(), dtype))
    }

    #[test]
    fn the_derivative_of_every_loss_equals_that_of_autodiff() {
        for function in Loss::examples() {
            for loss in [
                LossConfig::mean(function.clone()),
                LossConfig::sum(function),
            ] {
                let (value, gradient) = evaluate(&loss, &OUTPUTS, &TARGETS);
                // In float64 by tensor operations, in float32 through the host kernel if there is one.
                for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-6)] {
                    let (outputs, targets) = (tensor(OUTPUTS, dtype), tensor(TARGETS, dtype));
                    let (own_value, own_gradient) =
                        loss.forward_backward_stacked(outputs, targets, None, 1);
                    let own_gradient = own_gradient.into_data();
                    let found: Vec<f64> = own_value
                        .into_data()
                        .iter::<f64>()
                        .chain(own_gradient.iter::<f64>())
                        .collect();
                    let expected = std::iter::once(&value).chain(&gradient);
                    for (a, b) in found.iter().zip(expected) {
                        let is_near = (a - b).abs() <= tolerance * b.abs().max(1.0);
                        assert!(is_near, "{loss:?} in {dtype:?}: {a} is not {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_better_loss_of_a_loss_exists_and_is_itself_neither_naive_nor_flat() {
        for loss in Loss::examples() {
            let Some(name) = loss.better() else {
                assert!(!loss.is_naive() && !loss.is_flat(), "{}", loss.name());
                continue;
            };
            let better = Loss::examples()
                .into_iter()
                .find(|loss| loss.name() == name);
            let better = better.unwrap_or_else(|| panic!("no loss is called {name}"));
            assert!(!better.is_naive() && !better.is_flat(), "{name}");
        }
    }

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        let listed = |names: &[&str]| Loss::names_with(|loss| names.contains(&loss.name()));
        assert_eq!(listed(&["mse"]), "`mse`");
        assert_eq!(listed(&["mae", "huber", "mse"]), "`mse`, `mae` or `huber`");
    }

    #[test]
    fn the_reduction_is_written_beside_every_loss() {
        let read = |text: &str| serde_json::from_str::<LossConfig>(text).map_err(|e| e.to_string());
        for function in Loss::examples() {
            let name = function.name();
            let sum = read(&format!(r#"{{ "name": "{name}", "reduction": "sum" }}"#));
            assert_eq!(sum, Ok(LossConfig::sum(function)));
        }
        let misspelt = read(r#"{ "name": "huber", "reducton": "sum" }"#).expect_err("unknown key");
        let expected = "unknown field `reducton`, expected `delta` or `reduction`";
        assert!(misspelt.starts_with(expected), "{misspelt}");
    }
}
