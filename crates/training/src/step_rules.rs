//! The parts of a step that change gradients and weights besides the optimiser's update: penalty, clipping, noise and a
//! bound on weights.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::Problem;
use emberlab_models::StepSeeds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clipping::GradientClipping;
use crate::gradient_noise::GradientNoise;

/// A penalty on the size of all weights that is added to the loss: `l1 Σ|w| + l2 Σw² / 2`. Biases and normalisations
/// have no penalty.
///
/// Gradients include the penalty. Reported losses do not, so that trainings with different penalties can be compared.
/// With [`Sgd`](crate::optimizer::Sgd), `l2` moves weights as `weight_decay` does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Penalty {
    /// Factor of the sum of absolute weights; zero or positive.
    pub l1: f64,
    /// Factor of half the sum of squared weights; zero or positive.
    pub l2: f64,
}

impl Penalty {
    /// Checks that no factor is negative.
    ///
    /// # Errors
    /// [`Problem`] naming a factor that is.
    pub(crate) fn validate(&self) -> Result<(), Problem> {
        Problem::unless_not_negative(self.l1, "training.penalty.l1")?;
        Problem::unless_not_negative(self.l2, "training.penalty.l2")
    }

    /// The penalty in the plan of a training by fused kernels.
    pub(crate) fn fused(self) -> fused::Penalty {
        let Self { l1, l2 } = self;
        fused::Penalty { l1, l2 }
    }
}

/// The parts of a step besides the optimiser's update, in this order: penalty, clipping, noise, update, bound on
/// weights.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StepRules {
    /// See [`TrainingConfig::penalty`](crate::TrainingConfig::penalty).
    pub penalty: Option<Penalty>,
    /// See [`TrainingConfig::gradient_clipping`](crate::TrainingConfig::gradient_clipping).
    pub clipping: Option<GradientClipping>,
    /// See [`TrainingConfig::gradient_noise`](crate::TrainingConfig::gradient_noise).
    pub noise: Option<GradientNoise>,
    /// See [`TrainingConfig::max_norm`](crate::TrainingConfig::max_norm).
    pub max_norm: Option<f64>,
}

impl StepRules {
    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`Problem`] naming the key that is out of range.
    pub fn validate(&self) -> Result<(), Problem> {
        self.penalty.map_or(Ok(()), |penalty| penalty.validate())?;
        (self.clipping).map_or(Ok(()), |clipping| clipping.validate())?;
        self.noise.map_or(Ok(()), |noise| noise.validate())?;
        self.max_norm.map_or(Ok(()), |bound| {
            Problem::unless_positive(bound, "training.max_norm")
        })
    }

    /// Adds the penalty's gradient, clips, and adds noise, for each network of a stack separately. There is a seed for
    /// each network.
    pub(crate) fn adjust<M: Module>(
        &self,
        module: &M,
        gradients: GradientsParams,
        step_seeds: StepSeeds<'_>,
    ) -> GradientsParams {
        let mut gradients = gradients;
        if let Some(penalty) = self.penalty {
            let mut add = AddPenalty {
                penalty,
                gradients,
                name: Vec::new(),
            };
            module.visit(&mut add);
            gradients = add.gradients;
        }
        if let Some(clipping) = self.clipping {
            gradients = clipping.clip_stack(module, gradients, step_seeds.seeds.len());
        }
        match self.noise {
            Some(noise) => noise.add_to(module, gradients, step_seeds),
            None => gradients,
        }
    }

    /// The module, with the weights of each unit scaled down to the bound on their norm.
    pub(crate) fn bound<M: Module>(&self, module: M) -> M {
        match self.max_norm {
            Some(max_norm) => module.map(&mut Bound {
                max_norm,
                name: Vec::new(),
            }),
            None => module,
        }
    }
}

/// Whether a parameter at the end of this path is a weight.
fn is_weight(path: &[String]) -> bool {
    path.last().is_some_and(|name| name == "weight")
}

/// Adds the penalty's gradient `l1 sign(w) + l2 w` to that of each weight.
struct AddPenalty {
    penalty: Penalty,
    gradients: GradientsParams,
    name: Vec<String>,
}

impl ModuleVisitor for AddPenalty {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.name.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.name.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !is_weight(&self.name) {
            return;
        }
        let Some(mut gradient) = self.gradients.remove::<D>(param.id) else {
            return;
        };
        let weight = param.val().inner();
        if self.penalty.l1 > 0.0 {
            gradient = gradient + weight.clone().sign().mul_scalar(self.penalty.l1);
        }
        if self.penalty.l2 > 0.0 {
            gradient = gradient + weight.mul_scalar(self.penalty.l2);
        }
        self.gradients.register(param.id, gradient);
    }
}

/// Scales the weights that lead to each unit so that their 2-norm is at most this. PyTorch's `renorm`, its 1e-7
/// included.
struct Bound {
    max_norm: f64,
    name: Vec<String>,
}

impl ModuleMapper for Bound {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.name.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.name.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !is_weight(&self.name) {
            return param;
        }
        let max_norm = self.max_norm;
        param.map(move |weight| {
            let squares = weight.clone() * weight.clone();
            let squares = match D {
                // A convolution: [channels_out, channels_in, side, side].
                4 => squares.sum_dim(1).sum_dim(2).sum_dim(3),
                // A linear layer: [d_input, d_output], or [num_replicas, d_input, d_output].
                _ => squares.sum_dim(D - 2),
            };
            let norms = squares.sqrt();
            let is_within = norms.clone().lower_equal_elem(max_norm);
            let factors = norms.add_scalar(1e-7).recip().mul_scalar(max_norm);
            weight * factors.mask_fill(is_within, 1.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, TensorData};
    use emberlab_models::{ModelConfig, Network};
    use serde_json::json;

    use super::*;

    fn network(model: serde_json::Value, input: &[usize]) -> Network {
        let model: ModelConfig = serde_json::from_value(model).expect("a model");
        let mut rng = emberlab_rng::stream(0, "init", &[]);
        let network = model.init(input, 3, &mut rng, &Device::flex(), DType::F64);
        network.expect("a network")
    }

    #[test]
    fn the_largest_norm_holds_for_the_weights_of_each_unit_and_channel() {
        let rules = StepRules {
            max_norm: Some(0.5),
            ..StepRules::default()
        };
        let mlp = json!({ "name": "mlp", "hidden": [6], "bias_initializer": { "name": "normal" } });
        let convnet = json!({ "name": "convnet", "channels": [4], "d_hidden": 5 });
        for (model, input) in [(mlp, vec![7]), (convnet, vec![1, 4, 4])] {
            let before = network(model, &input);
            let after = rules.bound(before.clone());
            let mut num_scaled = 0;
            for ((name, before), (_, after)) in
                (before.named_tensors().into_iter()).zip(after.named_tensors())
            {
                let numbers = |data: &TensorData| data.iter::<f64>().collect::<Vec<_>>();
                let (old, new) = (numbers(&before), numbers(&after));
                if !name.ends_with(".weight") {
                    assert_eq!(old, new, "{name}");
                    continue;
                }
                let shape = before.shape().to_vec();
                let unit = |i: usize| match shape.len() {
                    4 => i / (shape[1] * shape[2] * shape[3]),
                    _ => i % shape[1],
                };
                let num_units = if shape.len() == 4 { shape[0] } else { shape[1] };
                for one in 0..num_units {
                    let places: Vec<usize> = (0..old.len()).filter(|&i| unit(i) == one).collect();
                    let norm = places.iter().map(|&i| old[i] * old[i]).sum::<f64>().sqrt();
                    let factor = if norm > 0.5 { 0.5 / (norm + 1e-7) } else { 1.0 };
                    num_scaled += usize::from(norm > 0.5);
                    assert!(
                        places
                            .iter()
                            .all(|&i| (new[i] - old[i] * factor).abs() < 1e-12)
                    );
                }
            }
            assert!(num_scaled > 5, "only {num_scaled} norms were too large");
        }
    }

    #[test]
    fn values_out_of_range_are_named() {
        let penalty = |l1, l2| StepRules {
            penalty: Some(Penalty { l1, l2 }),
            ..StepRules::default()
        };
        let max_norm = |bound| StepRules {
            max_norm: Some(bound),
            ..StepRules::default()
        };
        let noise = |std, decay| StepRules {
            noise: Some(GradientNoise { std, decay }),
            ..StepRules::default()
        };
        for (rules, key) in [
            (noise(0.0, 0.55), "training.gradient_noise.std"),
            (noise(0.1, -1.0), "training.gradient_noise.decay"),
            (penalty(-0.1, 0.0), "training.penalty.l1"),
            (penalty(0.0, f64::NAN), "training.penalty.l2"),
            (max_norm(0.0), "training.max_norm"),
        ] {
            assert_eq!(rules.validate().expect_err("out of range").key, key);
        }
        assert!(penalty(0.0, 0.1).validate().is_ok() && max_norm(3.0).validate().is_ok());
    }
}
