//! The operations that a network consists of: output shapes, parameters, multiply-adds.

use burn::module::Module as _;
use serde::Serialize;

use super::{ConvNet, Mlp, Network};
use crate::layers::MaxPool;
use crate::{Activation, Dense};

/// One operation of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationSummary {
    /// The part of the network, named like its tensors: `layers.0`, `norms.0`, `activations.0`, `pools.0`, `outputs`.
    pub part: String,
    /// The kind of operation, such as `dense`, `batch` or `relu`.
    pub kind: String,
    /// The shape of the output for one sample: `[d_output]` or `[channels, height, width]`.
    pub output_shape: Vec<usize>,
    /// Numbers that are trained.
    pub num_parameters: usize,
    /// Running statistics, which are not trained.
    pub num_running: usize,
    /// Multiplications with an addition for one sample: every parameter counts once for each place of the output at
    /// which it is used. For convolutions and dense layers, torchinfo counts the same.
    pub multiply_adds: usize,
}

impl OperationSummary {
    /// Numbers in the output for one sample.
    pub fn num_outputs(&self) -> usize {
        self.output_shape.iter().product()
    }
}

impl Network {
    /// The operations of the network in order. Activations that change nothing are left out.
    pub fn summary(&self) -> Vec<OperationSummary> {
        let mut summary = Summary::default();
        match self {
            Self::Mlp(network) => summary.add_mlp(network),
            Self::ConvNet(network) => summary.add_convnet(network),
        }
        summary.operations
    }
}

#[derive(Default)]
struct Summary {
    operations: Vec<OperationSummary>,
}

impl Summary {
    /// Adds an operation whose parameters are used at `places` of the output.
    fn add(
        &mut self,
        part: String,
        kind: &str,
        shape: &[usize],
        num_parameters: usize,
        places: usize,
    ) {
        self.operations.push(OperationSummary {
            part,
            kind: kind.to_string(),
            output_shape: shape.to_vec(),
            num_parameters,
            num_running: 0,
            multiply_adds: num_parameters * places,
        });
    }

    /// Adds a normalisation, of whose numbers `num_running` are not trained.
    fn add_norm(&mut self, index: usize, kind: &str, shape: &[usize], all: usize, running: usize) {
        let places = shape.iter().skip(1).product();
        self.add(format!("norms.{index}"), kind, shape, all - running, places);
        if let Some(last) = self.operations.last_mut() {
            last.num_running = running;
        }
    }

    fn add_activation(&mut self, part: String, activation: &Activation, shape: &[usize]) {
        if !activation.is_identity() {
            self.add(part, activation.name(), shape, 0, 0);
        }
    }

    fn add_mlp(&mut self, network: &Mlp) {
        for (i, layer) in network.layers.iter().enumerate() {
            let shape = self.add_dense(i, layer);
            if let Some(Some(norm)) = network.norms.get(i) {
                self.add_norm(
                    i,
                    norm.config().name(),
                    &shape,
                    norm.num_params(),
                    norm.num_running(),
                );
            }
            match network.activations.get(i) {
                Some(activation) => {
                    self.add_activation(format!("activations.{i}"), activation, &shape);
                }
                None => self.add_activation("outputs".into(), &network.output_activation, &shape),
            }
        }
    }

    fn add_convnet(&mut self, network: &ConvNet) {
        let [_, mut height, mut width] = network.image;
        for (i, layer) in network.convolutions.iter().enumerate() {
            let channels = layer.weight.dims()[0];
            let shape = [channels, height, width];
            let part = format!("convolutions.{i}");
            self.add(
                part,
                "convolution",
                &shape,
                layer.num_params(),
                height * width,
            );
            if let Some(norm) = network.norms.get(i) {
                self.add_norm(i, "batch", &shape, norm.num_params(), norm.num_running());
            }
            self.add_activation(format!("activations.{i}"), &network.activation, &shape);
            if MaxPool::fits(height, width) {
                (height, width) = MaxPool::halved(height, width);
                self.add(
                    format!("pools.{i}"),
                    "max_pool",
                    &[channels, height, width],
                    0,
                    0,
                );
            }
        }
        let num_convolutions = network.convolutions.len();
        let last = network.layers.len() - 1;
        for (i, layer) in network.layers.iter().enumerate() {
            let shape = self.add_dense(i, layer);
            match i == last {
                false => {
                    let part = format!("activations.{}", num_convolutions + i);
                    self.add_activation(part, &network.activation, &shape);
                }
                true => self.add_activation("outputs".into(), &network.output_activation, &shape),
            }
        }
    }

    /// Adds a dense layer and returns the shape of its output.
    fn add_dense(&mut self, index: usize, layer: &Dense) -> [usize; 1] {
        let shape = [layer.weight.dims()[1]];
        self.add(
            format!("layers.{index}"),
            "dense",
            &shape,
            layer.num_params(),
            1,
        );
        shape
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};
    use emberlab_rng::stream;
    use serde_json::{Value, json};

    use super::*;
    use crate::ModelConfig;

    fn network(config: &Value, input_shape: &[usize], d_output: usize) -> Network {
        let config: ModelConfig = serde_json::from_value(config.clone()).expect("a network");
        let mut rng = stream(1, "init", &[]);
        let network = config.init(input_shape, d_output, &mut rng, &Device::flex(), DType::F32);
        network.expect("a network")
    }

    /// Part, kind, shape, parameters and multiply-adds of each operation.
    type Row<'a> = (&'a str, &'a str, &'a [usize], usize, usize);

    #[track_caller]
    fn assert_summary(network: &Network, expected: &[Row<'_>]) {
        let summary = network.summary();
        let found: Vec<Row<'_>> = summary
            .iter()
            .map(|one| {
                let (part, kind) = (one.part.as_str(), one.kind.as_str());
                let shape = one.output_shape.as_slice();
                (part, kind, shape, one.num_parameters, one.multiply_adds)
            })
            .collect();
        assert_eq!(found, expected);
        let all: usize = summary.iter().map(|one| one.num_parameters).sum();
        assert_eq!(all, network.num_parameters());
        let running: usize = summary.iter().map(|one| one.num_running).sum();
        assert_eq!(all + running, network.num_params());
    }

    #[test]
    fn an_mlp_is_counted_by_hand() {
        let config = json!({
            "name": "mlp", "hidden": [100, 50], "activation": "elu", "normalization": "batch", "bias": false,
        });
        let network = network(&config, &[784], 10);
        assert_summary(
            &network,
            &[
                ("layers.0", "dense", &[100], 784 * 100, 784 * 100),
                // Scale and shift; running mean and variance are not trained.
                ("norms.0", "batch", &[100], 2 * 100, 2 * 100),
                ("activations.0", "elu", &[100], 0, 0),
                ("layers.1", "dense", &[50], 100 * 50, 100 * 50),
                ("norms.1", "batch", &[50], 2 * 50, 2 * 50),
                ("activations.1", "elu", &[50], 0, 0),
                ("layers.2", "dense", &[10], 50 * 10, 50 * 10),
            ],
        );
        let running = network
            .summary()
            .iter()
            .map(|one| one.num_running)
            .sum::<usize>();
        assert_eq!(running, 2 * 100 + 2 * 50);
    }

    #[test]
    fn other_normalisations_have_a_scale_and_a_shift_or_nothing() {
        for (normalization, num_parameters) in [
            (json!("layer"), 2 * 8),
            (json!({ "name": "group", "num_groups": 2 }), 2 * 8),
            (json!("instance"), 0),
        ] {
            let config = json!({ "name": "mlp", "hidden": [8], "normalization": normalization });
            let summary = network(&config, &[4], 3).summary();
            assert_eq!(summary[1].part, "norms.0");
            assert_eq!(summary[1].num_parameters, num_parameters, "{normalization}");
        }
    }

    #[test]
    fn a_perceptron_with_an_output_activation_is_counted_by_hand() {
        let config = json!({ "name": "perceptron", "output_activation": "sigmoid" });
        assert_summary(
            &network(&config, &[20], 3),
            &[
                ("layers.0", "dense", &[3], 20 * 3 + 3, 20 * 3 + 3),
                ("outputs", "sigmoid", &[3], 0, 0),
            ],
        );
    }

    #[test]
    fn a_convnet_on_odd_images_is_counted_by_hand() {
        let config = json!({
            "name": "convnet", "channels": [4, 6], "d_hidden": 10, "normalization": "batch",
        });
        assert_summary(
            &network(&config, &[3, 7, 5], 2),
            &[
                // 3 × 3 kernels over 3 channels and a bias, at 7 × 5 pixels.
                (
                    "convolutions.0",
                    "convolution",
                    &[4, 7, 5],
                    4 * 27 + 4,
                    (4 * 27 + 4) * 35,
                ),
                ("norms.0", "batch", &[4, 7, 5], 2 * 4, 2 * 4 * 35),
                ("activations.0", "relu", &[4, 7, 5], 0, 0),
                ("pools.0", "max_pool", &[4, 3, 2], 0, 0),
                (
                    "convolutions.1",
                    "convolution",
                    &[6, 3, 2],
                    6 * 36 + 6,
                    (6 * 36 + 6) * 6,
                ),
                ("norms.1", "batch", &[6, 3, 2], 2 * 6, 2 * 6 * 6),
                ("activations.1", "relu", &[6, 3, 2], 0, 0),
                ("pools.1", "max_pool", &[6, 1, 1], 0, 0),
                ("layers.0", "dense", &[10], 6 * 10 + 10, 6 * 10 + 10),
                ("activations.2", "relu", &[10], 0, 0),
                ("layers.1", "dense", &[2], 10 * 2 + 2, 10 * 2 + 2),
            ],
        );
    }
}
