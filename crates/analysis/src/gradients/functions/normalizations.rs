//! Every normalisation of the menu.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor};
use emberlab_menu::Menu as _;
use emberlab_models::{Norm, Normalization};
use emberlab_training::device;

use super::{BATCH, WIDTH, output_weights, waves, weighted};
use crate::gradients::closed_forms;
use crate::gradients::{ClosedForm, TensorFunction};

pub(super) fn all() -> Vec<TensorFunction> {
    Normalization::examples()
        .into_iter()
        .filter_map(function)
        .collect()
}

/// A normalisation in training mode, by its inputs and its trained parameters; none for no normalisation.
fn function(normalization: Normalization) -> Option<TensorFunction> {
    let device = device::host().autodiff();
    let layer = normalization.layer_on(WIDTH, &device, DType::F64)?;
    let parameters = parameters(&layer);
    let trained = parameters.iter().filter(|parameter| parameter.is_trained);
    let mut inputs = vec![(
        "x".to_string(),
        vec![BATCH, WIDTH],
        waves(BATCH * WIDTH, 0.0),
    )];
    for (i, parameter) in trained.enumerate() {
        let values = waves(parameter.size, 1.0 + i as f64);
        inputs.push((parameter.name.clone(), vec![parameter.size], values));
    }
    let num_inputs = inputs.len();
    let closed_form =
        closed_forms::of_normalization(&normalization).map(|gradients| -> ClosedForm {
            Box::new(move |x| {
                let gamma = x.get(1).cloned().unwrap_or_else(|| vec![1.0; WIDTH]);
                let mut by_inputs = gradients(&x[0], &gamma, &output_weights(BATCH * WIDTH));
                by_inputs.truncate(num_inputs);
                by_inputs
            })
        });
    Some(TensorFunction {
        name: format!("normalisation {}", normalization.name()),
        inputs,
        function: Box::new(move |x| {
            let inputs = x[0].clone().reshape([BATCH, WIDTH]);
            let layer = normalization.layer_on(WIDTH, &inputs.device(), inputs.dtype());
            weighted(match layer {
                Some(layer) => {
                    let layer = with_trained(layer, &parameters, &x[1..]);
                    layer.forward_train(inputs, &mut Vec::new())
                }
                None => inputs,
            })
        }),
        closed_form,
    })
}

/// A tensor of a layer.
struct LayerParameter {
    name: String,
    size: usize,
    /// Running statistics are not trained.
    is_trained: bool,
}

/// The tensors of a layer on an autodiff device, in the order in which modules are visited.
fn parameters(layer: &Norm) -> Vec<LayerParameter> {
    #[derive(Default)]
    struct Reader {
        name: String,
        found: Vec<LayerParameter>,
    }
    impl ModuleVisitor for Reader {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.name = name.to_string();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let tensor = param.val();
            self.found.push(LayerParameter {
                name: self.name.clone(),
                size: tensor.shape().num_elements(),
                is_trained: tensor.is_require_grad(),
            });
        }
    }
    let mut reader = Reader::default();
    layer.visit(&mut reader);
    reader.found
}

/// The layer with other values of its trained parameters, which autodiff follows.
fn with_trained(layer: Norm, parameters: &[LayerParameter], values: &[Tensor<1>]) -> Norm {
    struct Writer<'a, P: Iterator<Item = &'a LayerParameter>, V: Iterator<Item = &'a Tensor<1>>> {
        parameters: P,
        values: V,
    }
    impl<'a, P, V> ModuleMapper for Writer<'a, P, V>
    where
        P: Iterator<Item = &'a LayerParameter>,
        V: Iterator<Item = &'a Tensor<1>>,
    {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let is_trained = self.parameters.next().is_some_and(|p| p.is_trained);
            match is_trained.then(|| self.values.next()).flatten() {
                Some(value) => param.map(|old| value.clone().reshape(old.shape())),
                None => param,
            }
        }
    }
    layer.map(&mut Writer {
        parameters: parameters.iter(),
        values: values.iter(),
    })
}
