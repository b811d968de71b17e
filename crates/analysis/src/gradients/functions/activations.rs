//! Every activation of the menu.

use emberlab_menu::Menu as _;
use emberlab_models::Activation;

use super::{output_weights, weighted};
use crate::gradients::closed_forms;
use crate::gradients::{ClosedForm, TensorFunction};

pub(super) fn all() -> Vec<TensorFunction> {
    Activation::examples().into_iter().map(function).collect()
}

fn function(activation: Activation) -> TensorFunction {
    // From −4 to 4, zero among them.
    let inputs: Vec<f64> = (-8..=8).map(|i| f64::from(i) / 2.0).collect();
    let count = inputs.len();
    let closed_form = closed_forms::of_activation(&activation);
    TensorFunction {
        name: format!("activation {}", activation.name()),
        inputs: vec![("x".to_string(), vec![1, count], inputs)],
        function: Box::new(move |x| weighted(activation.forward(x[0].clone().reshape([1, count])))),
        closed_form: closed_form.map(|gradient| -> ClosedForm {
            Box::new(move |x| vec![gradient(&x[0], &output_weights(count))])
        }),
    }
}
