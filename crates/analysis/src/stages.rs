//! A network's forward pass, operation by operation.

use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use emberlab_models::{Activation, ConvNet, Mlp, Network};

/// What one operation of a forward pass put out.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The part of the network, named like its tensors: `layers.0`, `norms.0`, `activations.0`, `outputs`.
    pub layer: String,
    /// What it did.
    pub operation: Operation,
    /// `[rows, units]`; of a convolution a row for each place of each image, a unit for each channel.
    pub values: Tensor<2>,
}

/// What a stage does.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// A product with the weights, and the bias.
    Dense,
    /// A convolution, and the bias.
    Convolution,
    /// A normalisation.
    Normalization,
    /// An activation between layers.
    Activation(Activation),
    /// The activation of the outputs.
    OutputActivation(Activation),
}

impl Operation {
    /// What a person calls it.
    pub fn name(&self) -> String {
        match self {
            Self::Dense => "the product with the weights".to_string(),
            Self::Convolution => "the convolution".to_string(),
            Self::Normalization => "the normalisation".to_string(),
            Self::Activation(activation) | Self::OutputActivation(activation) => {
                format!("the activation `{}`", activation.name())
            }
        }
    }
}

/// What batch normalisation takes for the statistics of its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Those of the batch.
    Training,
    /// The running ones.
    Evaluation,
}

/// Every stage of a forward pass.
///
/// # Shapes
/// - inputs: `[batch, d_input]`
pub fn stages(network: &Network, inputs: Tensor<2>, mode: Mode) -> Vec<Stage> {
    match network {
        Network::Mlp(mlp) => mlp_stages(mlp, inputs, mode),
        Network::ConvNet(convnet) => convnet_stages(convnet, inputs, mode),
    }
}

fn mlp_stages(mlp: &Mlp, inputs: Tensor<2>, mode: Mode) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut x = inputs;
    let mut see = |layer: String, operation: Operation, values: &Tensor<2>| {
        stages.push(Stage {
            layer,
            operation,
            values: values.clone(),
        });
    };
    for (i, layer) in mlp.layers.iter().enumerate() {
        x = layer.forward(x);
        see(format!("layers.{i}"), Operation::Dense, &x);
        let Some(activation) = mlp.activations.get(i) else {
            break;
        };
        if let Some(norm) = mlp.norms.get(i) {
            x = match mode {
                Mode::Training => norm.forward_train(x, &mut Vec::new()),
                Mode::Evaluation => norm.forward(x),
            };
            see(format!("norms.{i}"), Operation::Normalization, &x);
        }
        x = activation.forward(x);
        let operation = Operation::Activation(activation.clone());
        see(format!("activations.{i}"), operation, &x);
    }
    if !mlp.output_activation.is_identity() {
        x = mlp.output_activation.forward(x);
        let operation = Operation::OutputActivation(mlp.output_activation.clone());
        see("outputs".to_string(), operation, &x);
    }
    stages
}

fn convnet_stages(convnet: &ConvNet, inputs: Tensor<2>, mode: Mode) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut see = |layer: String, operation: Operation, values: Tensor<2>| {
        stages.push(Stage {
            layer,
            operation,
            values,
        });
    };
    let [batch, _] = inputs.dims();
    let [channels, height, width] = convnet.image;
    let mut x = inputs.reshape([batch, channels, height, width]);
    let hidden = || Operation::Activation(convnet.activation.clone());
    for (i, convolution) in convnet.convolutions.iter().enumerate() {
        x = convolution.forward(x);
        let layer = format!("convolutions.{i}");
        see(layer, Operation::Convolution, by_channel(x.clone()));
        if let Some(norm) = convnet.norms.get(i) {
            x = match mode {
                Mode::Training => norm.forward_train(x).0,
                Mode::Evaluation => norm.forward(x),
            };
            let layer = format!("norms.{i}");
            see(layer, Operation::Normalization, by_channel(x.clone()));
        }
        x = convnet.activation.forward(x);
        see(format!("activations.{i}"), hidden(), by_channel(x.clone()));
        let [_, _, height, width] = x.dims();
        if height >= 2 && width >= 2 {
            x = max_pool2d(x, MaxPoolOptions::new([2, 2]));
        }
    }
    let mut x = x.flatten::<2>(1, 3);
    for (i, layer) in convnet.layers.iter().enumerate() {
        if i > 0 {
            x = convnet.activation.forward(x);
            let activation = convnet.convolutions.len() + i - 1;
            see(format!("activations.{activation}"), hidden(), x.clone());
        }
        x = layer.forward(x);
        see(format!("layers.{i}"), Operation::Dense, x.clone());
    }
    if !convnet.output_activation.is_identity() {
        x = convnet.output_activation.forward(x);
        let operation = Operation::OutputActivation(convnet.output_activation.clone());
        see("outputs".to_string(), operation, x);
    }
    stages
}

/// `[batch, channels, height, width]` as `[batch · height · width, channels]`.
fn by_channel(x: Tensor<4>) -> Tensor<2> {
    let [batch, channels, height, width] = x.dims();
    let last = x.permute([0, 2, 3, 1]);
    last.reshape([batch * height * width, channels])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use burn::tensor::{DType, Device};
    use emberlab_models::ModelConfig;
    use emberlab_rng::stream;

    #[test]
    fn the_last_stage_is_what_the_network_puts_out() {
        let device = Device::flex();
        let configs = [
            r#"
            name = "mlp"
            hidden = [5, 4]
            activation = ["tanh", "relu"]
            normalization = "batch"
            output_activation = "sigmoid""#,
            r#"
            name = "convnet"
            channels = [3, 2]
            d_hidden = 6
            normalization = "batch""#,
        ];
        for text in configs {
            let config: ModelConfig = toml::from_str(text).unwrap();
            let mut rng = stream(1, "init", &[]);
            let network = config.init(&[1, 4, 4], 3, &mut rng, &device, DType::F64);
            let network = network.unwrap();
            let numbers: Vec<f64> = (0..80).map(|i| f64::from(i * 37 % 80) / 40.0).collect();
            let data = burn::tensor::TensorData::new(numbers, [5, 16]);
            let inputs = Tensor::<2>::from_data(data, (&device, DType::F64));
            let last_of = |mode| stages(&network, inputs.clone(), mode).pop().unwrap().values;
            let same = |a: Tensor<2>, b: Tensor<2>| a.equal(b).all().into_scalar::<bool>();
            let (training, _) = network.forward_train(inputs.clone());
            assert!(same(last_of(Mode::Training), training));
            let evaluation = network.forward(inputs.clone());
            assert!(same(last_of(Mode::Evaluation), evaluation));
            let stages = stages(&network, inputs, Mode::Training);
            let names: Vec<&str> = stages.iter().map(|s| s.layer.as_str()).collect();
            match network {
                Network::Mlp(_) => assert_eq!(
                    names,
                    [
                        "layers.0",
                        "norms.0",
                        "activations.0",
                        "layers.1",
                        "norms.1",
                        "activations.1",
                        "layers.2",
                        "outputs"
                    ]
                ),
                Network::ConvNet(_) => assert_eq!(names.len(), 9),
            }
        }
    }
}
