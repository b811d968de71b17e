//! Networks as fused kernels take them: the shape for their plan, and the plain numbers.

use burn::module::Param;
use burn::tensor::{Element, Tensor, TensorData, TensorReadError};
use emberlab_fused as fused;

use super::{Mlp, Network};
use crate::Norm;

/// The part of a plan for fused kernels that a network decides.
#[derive(Debug, Clone, PartialEq)]
pub struct FusedShape {
    /// The number of inputs, the sizes of the hidden layers, and the number of outputs.
    pub sizes: Vec<usize>,
    /// Whether linear layers add a bias.
    pub has_bias: bool,
    /// The activation of each layer, that of the output layer last.
    pub activations: Vec<fused::Activation>,
    /// See [`fused::Plan::normalizations`].
    pub normalizations: Vec<fused::Normalization>,
    /// See [`fused::Plan::dropout`].
    pub dropout: Vec<f64>,
    /// See [`fused::Plan::residual`].
    pub residual: Vec<bool>,
}

/// There are no fused kernels for a part of a training.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are no fused kernels for {part}")]
pub struct NotFused {
    /// The part, such as "the loss `hamming`".
    pub part: String,
}

/// The numbers of a network in the order of [`fused::State`].
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkNumbers<T> {
    /// See [`fused::State::parameters`].
    pub parameters: Vec<T>,
    /// See [`fused::State::running`].
    pub running: Vec<T>,
}

impl Network {
    /// The shape of the network for fused kernels.
    ///
    /// # Errors
    /// [`NotFused`] if there are none for the network.
    pub fn fused(&self) -> Result<FusedShape, NotFused> {
        match self {
            Self::Mlp(network) => network.fused(),
            Self::ConvNet(_) => Err(NotFused {
                part: "convolutional networks".to_owned(),
            }),
        }
    }

    /// The numbers of a multilayer perceptron; of any other network there are none.
    ///
    /// # Errors
    /// [`TensorReadError`] if the numbers are not of this type, or if the device fails.
    pub fn numbers<T: Element>(&self) -> Result<NetworkNumbers<T>, TensorReadError> {
        let mut numbers = NetworkNumbers {
            parameters: Vec::new(),
            running: Vec::new(),
        };
        let Self::Mlp(network) = self else {
            return Ok(numbers);
        };
        for layer in &network.layers {
            read(&layer.weight, &mut numbers.parameters)?;
            if let Some(bias) = &layer.bias {
                read(bias, &mut numbers.parameters)?;
            }
        }
        for norm in network.norms.iter().flatten() {
            let vectors = norm.parameters();
            if let Some((scale, shift)) = &vectors.scale_and_shift {
                read(scale, &mut numbers.parameters)?;
                read(shift, &mut numbers.parameters)?;
            }
            if let Some((mean, variance)) = &vectors.running_statistics {
                read(mean, &mut numbers.running)?;
                read(variance, &mut numbers.running)?;
            }
        }
        Ok(numbers)
    }

    /// The network with other numbers. There must be as many as [`numbers`](Self::numbers) reads.
    pub fn with_numbers<T: Element>(self, parameters: &[T], running: &[T]) -> Self {
        let Self::Mlp(mut network) = self else {
            return self;
        };
        let (mut parameters, mut running) = (parameters, running);
        for layer in &mut network.layers {
            layer.weight = written(&layer.weight, &mut parameters);
            layer.bias = layer.bias.as_ref().map(|b| written(b, &mut parameters));
        }
        let mut with_numbers = |norm: Norm| {
            let mut vectors = norm.parameters();
            if let Some((scale, shift)) = &mut vectors.scale_and_shift {
                *scale = written(scale, &mut parameters);
                *shift = written(shift, &mut parameters);
            }
            if let Some((mean, variance)) = &mut vectors.running_statistics {
                *mean = written(mean, &mut running);
                *variance = written(variance, &mut running);
            }
            norm.config().layer(vectors).unwrap_or(norm)
        };
        let norms = network.norms.into_iter();
        network.norms = norms.map(|norm| norm.map(&mut with_numbers)).collect();
        Self::Mlp(network)
    }
}

impl Mlp {
    fn fused(&self) -> Result<FusedShape, NotFused> {
        let activations = self.activations.iter().chain([&self.output_activation]);
        let activations = activations.map(|activation| {
            activation.fused().ok_or_else(|| NotFused {
                part: format!("the activation `{}`", activation.name()),
            })
        });
        let sizes = self.layers.iter().map(|layer| layer.weight.dims());
        let d_input = sizes.clone().next().map(|[d_input, _]| d_input);
        Ok(FusedShape {
            sizes: d_input
                .into_iter()
                .chain(sizes.map(|[_, d_output]| d_output))
                .collect(),
            has_bias: self.layers.iter().any(|layer| layer.bias.is_some()),
            activations: activations.collect::<Result<_, _>>()?,
            normalizations: self.norms.iter().map(fused_norm).collect(),
            dropout: self.dropout.clone(),
            residual: self.residual.clone(),
        })
    }
}

/// The normalisation of a layer for fused kernels.
fn fused_norm(norm: &Option<Norm>) -> fused::Normalization {
    norm.as_ref()
        .map_or(fused::Normalization::None, Norm::fused)
}

/// Adds the numbers of a parameter, row by row.
fn read<T: Element, const D: usize>(
    param: &Param<Tensor<D>>,
    numbers: &mut Vec<T>,
) -> Result<(), TensorReadError> {
    let data = param.val().inner().try_into_data()?;
    numbers.extend(data.try_into_vec::<T>()?);
    Ok(())
}

/// The parameter with the first of these numbers, which are then taken off.
fn written<T: Element, const D: usize>(
    param: &Param<Tensor<D>>,
    numbers: &mut &[T],
) -> Param<Tensor<D>> {
    param.clone().map(|old| {
        let shape = old.shape();
        let (own, rest) = numbers.split_at(shape.num_elements().min(numbers.len()));
        *numbers = rest;
        let data = TensorData::new(own.to_vec(), shape);
        let new = Tensor::from_data(data, (&old.device(), old.dtype()));
        new.set_require_grad(old.is_require_grad())
    })
}

#[cfg(test)]
mod tests {
    use burn::module::{Module as _, ModuleVisitor};
    use burn::tensor::{DType, Device};
    use emberlab_rng::stream;
    use serde_json::{Value, json};

    use super::*;
    use crate::{ModelConfig, Normalization};

    /// Every normalisation in both hidden layers, and some in one of them or different ones.
    fn normalizations() -> Vec<Value> {
        let names = Normalization::NAMES.iter().map(|name| json!(name));
        let lists = [
            ["none", "batch"],
            ["batch", "none"],
            ["layer", "batch"],
            ["group", "instance"],
        ];
        names.chain(lists.map(|list| json!(list))).collect()
    }

    fn network(normalization: &Value, bias: bool) -> Network {
        let model = json!({
            "name": "mlp", "hidden": [4, 6], "normalization": normalization, "bias": bias,
            "bias_initializer": { "name": "normal" },
        });
        let model: ModelConfig = serde_json::from_value(model).expect("a model");
        let mut rng = stream(0, "init", &[]);
        model
            .init(&[3], 2, &mut rng, &Device::flex(), DType::F64)
            .expect("a network")
    }

    fn all(network: &Network) -> Vec<f64> {
        let tensors = network.named_tensors().into_iter();
        tensors
            .flat_map(|(_, data)| data.iter::<f64>().collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn numbers_go_to_and_fro_unchanged_for_every_normalization() {
        for normalization in normalizations() {
            for bias in [true, false] {
                let original = network(&normalization, bias);
                let numbers = original.numbers::<f64>().expect("numbers");
                assert_eq!(numbers.parameters.len(), original.num_parameters());
                let zeros = vec![0.0; numbers.parameters.len()];
                let other =
                    (original.clone()).with_numbers(&zeros, &vec![0.0; numbers.running.len()]);
                assert!(all(&other).iter().all(|&x| x == 0.0), "{normalization}");
                let back = other.with_numbers(&numbers.parameters, &numbers.running);
                assert_eq!(all(&back), all(&original), "{normalization}");
            }
        }
    }

    /// The ids of trained parameters and where each lies among the numbers.
    #[derive(Default)]
    struct Ids(Vec<(u64, Vec<f64>)>);

    impl ModuleVisitor for Ids {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.val().is_require_grad() {
                let data = param.val().inner().into_data();
                self.0.push((param.id.val(), data.iter::<f64>().collect()));
            }
        }
    }

    #[test]
    fn parameters_are_in_the_order_of_their_ids_as_in_the_buffers_of_an_optimizer() {
        for normalization in normalizations() {
            let network = network(&normalization, true);
            let mut ids = Ids::default();
            network.clone().train().visit(&mut ids);
            ids.0.sort_by_key(|(id, _)| *id);
            let by_id: Vec<f64> = ids.0.into_iter().flat_map(|(_, x)| x).collect();
            let numbers = network.numbers::<f64>().expect("numbers");
            assert_eq!(numbers.parameters, by_id, "{normalization}");
        }
    }
}
