//! Every loss of the menu.

use burn::tensor::{Tensor, TensorData};
use emberlab_menu::Menu as _;
use emberlab_training::LossConfig;
use emberlab_training::loss::{Loss, OutputKind, TargetKind};

use super::{BATCH, waves};
use crate::gradients::closed_forms;
use crate::gradients::{ClosedForm, TensorFunction};

/// Outputs of a network, or classes.
const OUTPUTS: usize = 3;

pub(super) fn all() -> Vec<TensorFunction> {
    Loss::examples().into_iter().map(function).collect()
}

/// The mean of a loss over a batch, by the outputs of the network.
fn function(loss: Loss) -> TensorFunction {
    let targets = targets(loss.targets());
    let closed_form = closed_forms::of_loss(&loss).map(|gradient| -> ClosedForm {
        let targets = targets.clone();
        Box::new(move |x| vec![gradient(&x[0], &targets, OUTPUTS)])
    });
    let outputs = outputs(loss.outputs());
    let loss = LossConfig::mean(loss);
    TensorFunction {
        name: format!("loss {}", loss.name()),
        inputs: vec![("outputs".to_string(), vec![BATCH, OUTPUTS], outputs)],
        function: Box::new(move |x| {
            let data = TensorData::new(targets.clone(), [BATCH, OUTPUTS]);
            let targets = Tensor::from_data(data, (&x[0].device(), x[0].dtype()));
            loss.forward(x[0].clone().reshape([BATCH, OUTPUTS]), targets)
        }),
        closed_form,
    }
}

fn outputs(kind: OutputKind) -> Vec<f64> {
    let numbers = waves(BATCH * OUTPUTS, 0.0);
    match kind {
        OutputKind::Logit | OutputKind::ClassLogits | OutputKind::Numbers => numbers,
        OutputKind::Probabilities => {
            let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
            numbers.into_iter().map(sigmoid).collect()
        }
    }
}

/// The numbers of a regression, or counts, where the loss takes them, otherwise one-hot rows.
fn targets(kind: TargetKind) -> Vec<f64> {
    match kind {
        TargetKind::Numbers => waves(BATCH * OUTPUTS, 2.0),
        TargetKind::Counts => (0..BATCH * OUTPUTS).map(|i| (i % 5) as f64).collect(),
        TargetKind::TwoClasses | TargetKind::OneHot | TargetKind::Classes => (0..BATCH * OUTPUTS)
            .map(|i| f64::from(u8::from(i % OUTPUTS == i / OUTPUTS % OUTPUTS)))
            .collect(),
    }
}
