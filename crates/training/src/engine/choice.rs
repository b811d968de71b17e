//! The choice of the engine.

use std::fmt;

use burn::tensor::{DType, Device};
use emberlab_fused::Plan;
use emberlab_kernels::is_processor;
use emberlab_menu::Problem;
use emberlab_models::{Network, NotFused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clipping::GradientClipping;
use crate::config::TrainingConfig;
use crate::gradient_noise::GradientNoise;
use crate::loss::LossConfig;
use crate::optimizer::UpdateRule;
use crate::step_rules::{Penalty, StepRules};

/// The engine that a training asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EngineConfig {
    /// Fused kernels where there are some for every part of the training, else Burn operations.
    #[default]
    Auto,
    /// Fused kernels, which run many steps of a small network in one call.
    Fused,
    /// Burn operations, which compute every network on every device.
    Burn,
}

impl EngineConfig {
    /// Whether this is the default.
    pub(crate) fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

impl fmt::Display for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Fused => "fused kernels",
            Self::Burn => "Burn operations",
        })
    }
}

/// The engine of a training, and the reason if it is not the fused one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrainedBy {
    /// Fused kernels.
    FusedKernels,
    /// Burn operations.
    BurnOperations {
        /// The reason, as it follows the word "because".
        because: String,
        /// Whether Burn times several kernels for each operation and takes the fastest, so that the last digits of
        /// numbers may differ from one machine to another.
        is_autotuned: bool,
    },
}

impl TrainedBy {
    /// The engine that trains this network on `device` with these numbers of samples, those to train on and those to
    /// validate on. The network's numbers may lie on any device.
    ///
    /// # Errors
    /// [`Problem`] if the configuration asks for fused kernels and there are none.
    pub fn choose(
        network: &Network,
        loss: &LossConfig,
        rule: &UpdateRule,
        training: &TrainingConfig,
        num_samples: [usize; 2],
        device: &Device,
    ) -> Result<Self, Problem> {
        match choose(network, loss, rule, training, num_samples, device) {
            Ok(_) => Ok(Self::FusedKernels),
            Err(reason) => {
                reason.unless_demanded(training)?;
                Ok(Self::BurnOperations {
                    because: reason.to_string(),
                    is_autotuned: cfg!(feature = "autotune") && !is_processor(device),
                })
            }
        }
    }

    /// The device on which network and data have to lie for a training by `device`.
    ///
    /// Fused kernels on a GPU copy everything there once. Tensors then lie in the host's memory, because predictions
    /// and diagnosis of a small network take less time there than starting them on a GPU.
    pub fn tensor_device(&self, device: &Device) -> Device {
        match self {
            Self::FusedKernels if !is_processor(device) => crate::device::host(),
            _ => device.clone(),
        }
    }

    /// The name of the engine.
    pub fn name(&self) -> &'static str {
        match self {
            Self::FusedKernels => "fused kernels",
            Self::BurnOperations {
                is_autotuned: true, ..
            } => "autotuned Burn operations",
            Self::BurnOperations { .. } => "Burn operations",
        }
    }

    /// The reason, if it is not the fused engine.
    pub fn because(&self) -> Option<&str> {
        match self {
            Self::FusedKernels => None,
            Self::BurnOperations { because, .. } => Some(because),
        }
    }
}

impl fmt::Display for TrainedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FusedKernels => f.write_str(self.name()),
            Self::BurnOperations { because, .. } => write!(f, "{}, because {because}", self.name()),
        }
    }
}

/// The reason why fused kernels do not train a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoPlan {
    #[error("`training.engine` is `burn`")]
    BurnWanted,
    #[error(transparent)]
    NotFused(#[from] NotFused),
}

impl NoPlan {
    /// Fails if the configuration asks for fused kernels.
    pub(crate) fn unless_demanded(&self, training: &TrainingConfig) -> Result<(), Problem> {
        let is_demanded = training.engine == EngineConfig::Fused;
        let expected = format!("`auto` or `burn`, because {self}");
        Problem::unless(!is_demanded, "training.engine", "fused", expected)
    }
}

/// The memory that fused kernels work in.
pub(crate) enum Place {
    /// The host's memory, for devices that are the processor.
    Host,
    /// The memory of a GPU.
    #[cfg(feature = "gpu")]
    Gpu(emberlab_fused::gpu::Gpu),
}

/// The plan of a training for fused kernels and the memory that they work in, or the reason why there are none.
/// `num_samples` are those to train on and those to validate on.
pub(crate) fn choose(
    network: &Network,
    loss: &LossConfig,
    rule: &UpdateRule,
    training: &TrainingConfig,
    num_samples: [usize; 2],
    device: &Device,
) -> Result<(Plan, Place), NoPlan> {
    if training.engine == EngineConfig::Burn {
        return Err(NoPlan::BurnWanted);
    }
    let [num_train, num_valid] = num_samples;
    let batches = training.batches();
    let steps_per_epoch = batches.num_batches(num_train);
    let plan = Plan {
        average: training
            .average
            .map(|average| average.fused(steps_per_epoch)),
        ..fused_plan(network, loss, rule, &training.step_rules())?
    };
    let batch_size = batches.rows_per_batch(num_train);
    let place = place(
        &plan,
        network.dtype(),
        num_train + num_valid,
        batch_size,
        device,
    )?;
    #[cfg(feature = "gpu")]
    if training.augmentation.is_some() && matches!(place, Place::Gpu(_)) {
        return Err(no_kernels_for("augmented images on a GPU").into());
    }
    Ok((plan, place))
}

/// The memory in which fused kernels work on a plan, with so many samples and batches of so many rows.
///
/// # Errors
/// [`NotFused`] if there are none for the plan on this device.
#[cfg_attr(not(feature = "gpu"), allow(unused_variables))] // only a GPU can lack a part, or end a step too early
pub(crate) fn place(
    plan: &Plan,
    dtype: DType,
    num_samples: usize,
    batch_size: usize,
    device: &Device,
) -> Result<Place, NotFused> {
    if !matches!(dtype, DType::F32 | DType::F64) {
        return Err(no_kernels_for(&format!("{dtype:?}")));
    }
    if is_processor(device) {
        return Ok(Place::Host);
    }
    #[cfg(feature = "gpu")]
    if let Some(gpu) = super::fused::gpu_for(device, plan, dtype, num_samples, batch_size)? {
        return Ok(Place::Gpu(gpu));
    }
    Err(no_kernels_for("this device"))
}

/// The plan for fused kernels.
///
/// # Errors
/// [`NotFused`] if there are none for some part of the training.
pub(crate) fn fused_plan(
    network: &Network,
    loss: &LossConfig,
    rule: &UpdateRule,
    rules: &StepRules,
) -> Result<Plan, NotFused> {
    let shape = network.fused()?;
    let no_loss = || no_kernels_for(&format!("the loss `{}`", loss.name()));
    let no_rule = || no_kernels_for(&format!("the optimiser `{}`", rule.name()));
    Ok(Plan {
        sizes: shape.sizes,
        has_bias: shape.has_bias,
        activations: shape.activations,
        normalizations: shape.normalizations,
        loss: loss.function.fused().ok_or_else(no_loss)?,
        reduction: loss.reduction.fused(),
        optimizer: rule.fused().ok_or_else(no_rule)?,
        dropout: shape.dropout,
        residual: shape.residual,
        penalty: rules.penalty.map(Penalty::fused),
        clipping: rules.clipping.map(GradientClipping::fused),
        noise: rules.noise.map(GradientNoise::fused),
        max_norm: rules.max_norm,
        average: None,
    })
}

/// The error of a part without fused kernels.
pub(crate) fn no_kernels_for(part: &str) -> NotFused {
    NotFused {
        part: part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::testing::Settings;

    #[test]
    fn an_optimiser_without_fused_kernels_is_named() {
        let settings = Settings {
            optimizer: json!({ "name": "lion", "learning_rate": 0.1 }),
            ..Settings::default()
        };
        let trainer = settings.trainer(1, 0.1);
        let (loss, rule) = (&trainer.loss, &trainer.optimizer.rule);
        let (training, device) = (&trainer.training, &trainer.device);
        let found = TrainedBy::choose(&trainer.network, loss, rule, training, [14, 7], device);
        assert_eq!(
            found.expect("Burn operations").because(),
            Some("there are no fused kernels for the optimiser `lion`")
        );
    }
}
