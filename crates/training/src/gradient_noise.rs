//! Noise that is added to gradients.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor, TensorData};
use emberlab_fused as fused;
use emberlab_fused::{Real, StepNoise};
use emberlab_menu::Problem;
use emberlab_models::StepSeeds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Normally distributed numbers that each step adds to the gradients, after they are clipped. They help deep networks,
/// and networks with unsuitable initial weights.
///
/// Their variance is `std² / (1 + t)^decay` after `t` steps. They follow from the seed, the step and the parameter
/// alone: a resumed training adds what it would have added, and every engine adds the same numbers.
///
/// # Source
/// Neelakantan et al. 2015, <https://arxiv.org/abs/1511.06807>, who try `std² = 0.01, 0.3 or 1`, and `decay = 0.55`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GradientNoise {
    /// Standard deviation of the noise in the first step, positive.
    pub std: f64,
    /// How fast the noise decreases; zero or positive.
    #[serde(default = "default_decay")]
    pub decay: f64,
}

fn default_decay() -> f64 {
    0.55
}

impl GradientNoise {
    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`Problem`] naming one that is out of range.
    pub(crate) fn validate(&self) -> Result<(), Problem> {
        Problem::unless_positive(self.std, "training.gradient_noise.std")?;
        Problem::unless_not_negative(self.decay, "training.gradient_noise.decay")
    }

    /// The noise in the plan of a training by fused kernels.
    pub(crate) fn fused(self) -> fused::GradientNoise {
        let Self { std, decay } = self;
        fused::GradientNoise { std, decay }
    }

    /// The gradients of a stack of networks with noise, each network's from its own seed.
    pub(crate) fn add_to<M: Module>(
        self,
        module: &M,
        gradients: GradientsParams,
        StepSeeds { seeds, step }: StepSeeds<'_>,
    ) -> GradientsParams {
        let mut lengths = Lengths {
            gradients: &gradients,
            of: BTreeMap::new(),
        };
        module.visit(&mut lengths);
        // The parameters of a network lie end to end in the order of their ids.
        let mut end = 0;
        let places = lengths.of.into_iter().map(|(id, length)| {
            let start = end;
            end += length / seeds.len();
            (id, start)
        });
        let of_step = |&seed| StepNoise::new(self.fused(), seed, step);
        let mut add = AddNoise {
            places: places.collect(),
            noises: seeds.iter().map(of_step).collect(),
            gradients,
        };
        module.visit(&mut add);
        add.gradients
    }
}

/// The number of elements of each gradient, by the id of its parameter.
struct Lengths<'a> {
    gradients: &'a GradientsParams,
    of: BTreeMap<u64, usize>,
}

impl ModuleVisitor for Lengths<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let length = gradient.shape().num_elements();
            self.of.insert(param.id.val(), length);
        }
    }
}

/// Adds the noise of each network of a stack.
struct AddNoise {
    /// The place at which the numbers of each parameter begin in those of one network, by its id.
    places: BTreeMap<u64, usize>,
    noises: Vec<StepNoise>,
    gradients: GradientsParams,
}

impl AddNoise {
    /// The noise of a parameter, `length` numbers for each network.
    fn numbers<T: Real>(&self, start: usize, length: usize) -> Vec<T> {
        let mut numbers = vec![T::ZERO; length * self.noises.len()];
        for (numbers, noise) in numbers.chunks_exact_mut(length).zip(&self.noises) {
            noise.add_to(numbers, start);
        }
        numbers
    }
}

impl ModuleVisitor for AddNoise {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return;
        };
        let start = self.places.get(&param.id.val()).copied().unwrap_or(0);
        let (shape, dtype) = (gradient.shape(), gradient.dtype());
        let length = shape.num_elements() / self.noises.len();
        // In the network's precision, so that both engines round alike.
        let data = match dtype {
            DType::F64 => TensorData::new(self.numbers::<f64>(start, length), shape),
            _ => TensorData::new(self.numbers::<f32>(start, length), shape),
        };
        let noise = Tensor::from_data(data, (&gradient.device(), dtype));
        self.gradients.register(param.id, gradient + noise);
    }
}
