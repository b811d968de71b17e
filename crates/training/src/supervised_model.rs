//! A network with its loss: its gradients, its training step, its evaluation.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::train::TrainOutput;
use emberlab_datasets::Batch;
use emberlab_models::{BatchStatistics, Network, Stage, StepSeeds};

use crate::loss::LossConfig;
use crate::metric_accumulator::host;
use crate::optimizer::Optimizer;
use crate::step_rules::StepRules;

/// A network and the loss it is trained on.
#[derive(Module, Debug)]
pub struct SupervisedModel {
    /// The network.
    pub network: Network,
    #[module(skip)]
    loss: LossConfig,
}

impl SupervisedModel {
    /// Joins a network to its loss.
    pub fn new(network: Network, loss: LossConfig) -> Self {
        Self { network, loss }
    }

    /// The loss it is trained on.
    pub fn loss(&self) -> &LossConfig {
        &self.loss
    }

    /// The same model on a plain device, where its steps use the explicit backward pass. That takes a half to a fifth
    /// of the time of autodiff.
    pub fn for_training(self) -> Self {
        self.valid()
    }

    /// Gradients in training mode: on an autodiff device by autodiff, on a plain one by the explicit backward pass.
    ///
    /// Without masks of dropout, nothing is dropped.
    pub fn gradients(
        &self,
        batch: &Batch,
        step_seeds: Option<StepSeeds<'_>>,
    ) -> TrainOutput<StepOutput> {
        match self.network.is_autodiff() {
            true => self.automatic_gradients(batch, step_seeds),
            false => self.explicit_gradients(batch, step_seeds),
        }
    }

    /// Gradients by the explicit backward pass; the model is on a plain device.
    pub fn explicit_gradients(
        &self,
        batch: &Batch,
        step_seeds: Option<StepSeeds<'_>>,
    ) -> TrainOutput<StepOutput> {
        let targets = batch.targets.clone();
        let (outputs, statistics, saved) = self
            .network
            .forward_saving(batch.inputs.clone(), step_seeds);
        let weights = batch.weights.as_ref();
        let (loss, delta) =
            (self.loss).forward_backward_stacked(outputs.clone(), targets.clone(), weights, 1);
        TrainOutput {
            grads: saved.backward(delta),
            item: StepOutput {
                statistics,
                ..StepOutput::new(loss, outputs, targets)
            },
        }
    }

    /// Gradients of a network on a plain device, and the outputs of its operations in that forward pass.
    pub(crate) fn inspect<'a>(
        network: &'a Network,
        loss: &LossConfig,
        batch: &Batch,
    ) -> (GradientsParams, Vec<Stage<'a>>) {
        let (stages, saved) = network.stages_saving(batch.inputs.clone());
        let Some(last) = stages.last() else {
            return (GradientsParams::new(), stages);
        };
        let (outputs, targets) = (last.outputs.clone(), batch.targets.clone());
        let (_, delta) = loss.forward_backward_stacked(outputs, targets, batch.weights.as_ref(), 1);
        (saved.backward(delta), stages)
    }

    /// Gradients by Burn's autodiff; the model is on an autodiff device, the batch on a plain one.
    pub fn automatic_gradients(
        &self,
        batch: &Batch,
        step_seeds: Option<StepSeeds<'_>>,
    ) -> TrainOutput<StepOutput> {
        let targets = batch.targets.clone();
        let (outputs, statistics) = self
            .network
            .forward_train(batch.inputs.clone().autodiff(), step_seeds);
        let weights = batch.weights.clone().map(Tensor::autodiff);
        let loss = (self.loss).forward_stacked(
            outputs.clone(),
            targets.clone().autodiff(),
            weights.as_ref(),
            1,
        );
        TrainOutput {
            grads: GradientsParams::from_grads(loss.backward(), &self.network),
            item: StepOutput {
                statistics,
                ..StepOutput::new(loss.inner(), outputs.inner(), targets)
            },
        }
    }

    /// One step of training: gradients, update and the rules of a step, running statistics. Returns the model after the
    /// step, and the output of the model before it. An optimiser that searches along lines applies no rules, and the
    /// running statistics follow the batch statistics of the model before the step.
    pub fn after_step(
        &self,
        batch: Batch,
        step_seeds: StepSeeds<'_>,
        rules: &StepRules,
        optimizer: &mut Optimizer,
        learning_rate: f64,
    ) -> (Self, StepOutput) {
        let mut output = self.gradients(&batch, Some(step_seeds));
        let statistics = std::mem::take(&mut output.item.statistics);
        let mut after = match optimizer.line_search() {
            Some(rule) => {
                let evaluated = |output: TrainOutput<StepOutput>| {
                    let losses = host(Tensor::cat(output.item.losses, 0));
                    // A device that fails is reported when the results of the step are read.
                    let loss = losses.map_or(f64::NAN, |losses| losses.iter().sum());
                    (loss, output.grads)
                };
                let begun = evaluated(TrainOutput {
                    grads: output.grads,
                    item: output.item.clone(),
                });
                optimizer.search(&rule, self.clone(), begun, learning_rate, |model| {
                    evaluated(model.gradients(&batch, Some(step_seeds)))
                })
            }
            None => {
                let gradients = rules.adjust(self, output.grads, step_seeds);
                rules.bound(optimizer.step(self.clone(), gradients, learning_rate))
            }
        };
        optimizer.add_to_average(&after);
        after.network = after.network.with_running_statistics(statistics);
        (after, output.item)
    }

    /// Losses and outputs in evaluation mode.
    pub fn evaluate(&self, batch: Batch) -> StepOutput {
        let Batch {
            inputs,
            targets,
            weights,
        } = batch;
        let outputs = self.network.forward(inputs);
        let loss =
            (self.loss).forward_stacked(outputs.clone(), targets.clone(), weights.as_ref(), 1);
        StepOutput::new(loss, outputs, targets)
    }
}

/// The losses, outputs and targets of batches, still on the device.
#[derive(Debug, Clone, Default)]
pub struct StepOutput {
    /// One loss per batch, `[1]`; with replicas one for each of them, `[num_replicas]`.
    pub losses: Vec<Tensor<1>>,
    /// `[batch_size, d_output]` per batch.
    pub outputs: Vec<Tensor<2>>,
    /// `[batch_size, d_output]` per batch.
    pub targets: Vec<Tensor<2>>,
    /// The statistics of each batch norm, in training mode.
    pub statistics: Vec<BatchStatistics>,
}

impl StepOutput {
    /// The output of one batch.
    pub(crate) fn new(losses: Tensor<1>, outputs: Tensor<2>, targets: Tensor<2>) -> Self {
        Self {
            losses: vec![losses],
            outputs: vec![outputs],
            targets: vec![targets],
            ..Self::default()
        }
    }

    /// Adds the losses, outputs and targets of later batches.
    pub fn extend(&mut self, later: StepOutput) {
        self.losses.extend(later.losses);
        self.outputs.extend(later.outputs);
        self.targets.extend(later.targets);
    }
}

#[cfg(test)]
mod tests {
    use burn::module::{ModuleVisitor, Param};
    use burn::tensor::{DType, Device, TensorData};
    use emberlab_menu::Menu as _;
    use emberlab_models::{Activation, ModelConfig, Normalization};
    use emberlab_rng::stream;
    use serde_json::{Value, json};

    use super::*;
    use crate::loss::{Loss, OutputKind};

    fn supervised(model: Value, loss: &Value, dtype: DType) -> SupervisedModel {
        supervised_model_for(model, loss, &[5], dtype)
    }

    fn supervised_model_for(
        model: Value,
        loss: &Value,
        input: &[usize],
        dtype: DType,
    ) -> SupervisedModel {
        let model: ModelConfig = serde_json::from_value(model).expect("a model");
        let loss = serde_json::from_value(loss.clone()).expect("a loss");
        let device = Device::flex().autodiff();
        let network = model
            .init(input, 3, &mut stream(0, "init", &[]), &device, dtype)
            .expect("a network");
        SupervisedModel::new(network, loss)
    }

    /// Seven samples of five waves, with one-hot targets.
    fn batch(dtype: DType) -> Batch {
        let device = Device::flex();
        let inputs: Vec<f64> = (0..35).map(|k| 1.5 * (1.3 * k as f64).sin()).collect();
        let targets: Vec<f64> = (0..21)
            .map(|k| f64::from(u8::from(k % 3 == k / 3 % 3)))
            .collect();
        let tensor =
            |data, shape| Tensor::from_data(TensorData::new(data, shape), (&device, dtype));
        Batch {
            inputs: tensor(inputs, [7, 5]),
            targets: tensor(targets, [7, 3]),
            weights: None,
        }
    }

    fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
        tensor.to_data().iter::<f64>().collect()
    }

    /// Two sets of gradients side by side, parameter by parameter.
    struct Pairs<'a> {
        explicit: &'a GradientsParams,
        automatic: &'a GradientsParams,
        found: Vec<(Vec<f64>, Vec<f64>)>,
    }

    impl ModuleVisitor for Pairs<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let explicit = self.explicit.get::<D>(param.id);
            let automatic = self.automatic.get::<D>(param.id);
            assert_eq!(explicit.is_some(), automatic.is_some(), "{}", param.id);
            if let (Some(explicit), Some(automatic)) = (explicit, automatic) {
                self.found.push((numbers(&explicit), numbers(&automatic)));
            }
        }
    }

    /// Explicit and automatic gradients of every parameter, the loss, and batch norm's statistics.
    fn explicit_and_automatic(
        supervised: &SupervisedModel,
        batch: &Batch,
    ) -> Vec<(Vec<f64>, Vec<f64>)> {
        let plain = supervised.clone().for_training();
        assert!(!plain.network.is_autodiff());
        // Only networks with dropout use them.
        let step_seeds = Some(StepSeeds {
            seeds: &[5],
            step: 3,
        });
        let explicit = plain.explicit_gradients(batch, step_seeds);
        let automatic = supervised.automatic_gradients(batch, step_seeds);
        let mut pairs = Pairs {
            explicit: &explicit.grads,
            automatic: &automatic.grads,
            found: Vec::new(),
        };
        supervised.visit(&mut pairs);
        let mut found = pairs.found;
        assert!(!found.is_empty() && found.len() == explicit.grads.len());
        let (explicit, automatic) = (explicit.item, automatic.item);
        found.push((numbers(&explicit.losses[0]), numbers(&automatic.losses[0])));
        assert_eq!(explicit.statistics.len(), automatic.statistics.len());
        for (a, b) in explicit.statistics.iter().zip(&automatic.statistics) {
            found.push((numbers(&a.mean), numbers(&b.mean)));
            found.push((numbers(&a.variance), numbers(&b.variance)));
        }
        found
    }

    /// Asserts that explicit and automatic gradients agree to `tolerance`, relative to the largest number.
    fn assert_agree(what: &str, supervised: &SupervisedModel, batch: &Batch, tolerance: f64) {
        let pairs = explicit_and_automatic(supervised, batch);
        let largest = pairs
            .iter()
            .flat_map(|(_, automatic)| automatic)
            .fold(0.0_f64, |largest, x| largest.max(x.abs()));
        assert!(largest > 0.0, "{what}: all numbers are zero");
        for (explicit, automatic) in pairs {
            assert_eq!(explicit.len(), automatic.len(), "{what}");
            for (a, b) in explicit.iter().zip(&automatic) {
                // Written so that NaN fails.
                let is_near = (a - b).abs() <= tolerance * largest;
                assert!(is_near, "{what}: {a} is not {b}, of at most {largest}");
            }
        }
    }

    #[test]
    fn explicit_and_automatic_gradients_agree_for_every_activation_normalization_and_loss() {
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 2e-5)] {
            let batch = batch(dtype);
            for activation in Activation::NAMES {
                for normalization in Normalization::NAMES {
                    for loss in Loss::examples() {
                        for reduction in ["mean", "sum"] {
                            let output = match loss.outputs() {
                                OutputKind::Probabilities => "sigmoid",
                                OutputKind::Logit
                                | OutputKind::ClassLogits
                                | OutputKind::Numbers => "linear",
                            };
                            let model = json!({
                                "name": "mlp", "hidden": [6, 4], "activation": activation,
                                "normalization": normalization, "output_activation": output,
                            });
                            let loss = json!({ "name": loss.name(), "reduction": reduction });
                            let supervised = supervised(model, &loss, dtype);
                            let what = format!("{activation}, {normalization}, {loss}, {dtype:?}");
                            assert_agree(&what, &supervised, &batch, tolerance);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn weights_of_samples_multiply_their_losses_and_gradients() {
        let weights = [0.0, 2.0, 1.0, 0.5, 1.5, 1.0, 1.0];
        for loss in Loss::examples().into_iter().filter(|loss| !loss.is_flat()) {
            let mut batch = batch(DType::F64);
            let loss = json!({ "name": loss.name() });
            let model = json!({ "name": "mlp", "hidden": [6], "output_activation": "sigmoid" });
            let supervised = supervised(model, &loss, DType::F64);
            let plain = supervised.clone().for_training();
            let single = |row: usize| {
                let one = batch.cut(|all| all.clone().slice_dim(0, row..row + 1));
                numbers(&plain.explicit_gradients(&one, None).item.losses[0])[0]
            };
            let each = weights.iter().enumerate().map(|(row, w)| w * single(row));
            let expected = each.sum::<f64>() / 7.0;
            let data = TensorData::new(weights.to_vec(), [7, 1]);
            batch.weights = Some(Tensor::from_data(data, (&Device::flex(), DType::F64)));
            let found = numbers(&plain.explicit_gradients(&batch, None).item.losses[0])[0];
            assert!(
                (found - expected).abs() < 1e-12,
                "{loss}: {found} is not {expected}"
            );
            assert_agree(&loss.to_string(), &supervised, &batch, 1e-12);
        }
    }

    #[test]
    fn explicit_and_automatic_gradients_agree_for_every_output_activation_and_parameter() {
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 2e-5)] {
            let batch = batch(dtype);
            let loss = json!({ "name": "mse" });
            for output in Activation::NAMES {
                for bias in [true, false] {
                    let model = json!({
                        "name": "perceptron", "output_activation": output, "bias": bias,
                    });
                    let supervised = supervised(model, &loss, dtype);
                    assert_agree(output, &supervised, &batch, tolerance);
                }
            }
            for activation in [
                json!({ "name": "elu", "alpha": 0.3 }),
                json!({ "name": "elu", "alpha": -0.3 }),
                json!({ "name": "leaky_relu", "alpha": 0.2 }),
                json!({ "name": "leaky_relu", "alpha": -0.2 }),
            ] {
                let model = json!({ "name": "mlp", "hidden": [6], "activation": activation });
                let supervised = supervised(model, &loss, dtype);
                assert_agree(&activation.to_string(), &supervised, &batch, tolerance);
            }
        }
    }

    #[test]
    fn explicit_and_automatic_gradients_agree_for_layers_of_every_small_size() {
        // Narrow layers have products of their own.
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 2e-5)] {
            for size in 1..=4 {
                let model =
                    json!({ "name": "mlp", "hidden": [size, 6, size], "activation": "tanh" });
                let supervised = supervised(model, &json!({ "name": "mse" }), dtype);
                assert_agree(
                    &format!("{size} outputs"),
                    &supervised,
                    &batch(dtype),
                    tolerance,
                );
            }
        }
    }

    #[test]
    fn explicit_and_automatic_gradients_agree_with_dropout_and_residual_connections() {
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 2e-5)] {
            for normalization in Normalization::NAMES {
                for activation in ["tanh", "relu"] {
                    let model = json!({
                        "name": "mlp", "hidden": [6, 6, 6, 4], "activation": activation,
                        "normalization": normalization, "residual": true,
                        "dropout": [0.3, 0.0, 0.2, 0.5],
                    });
                    let supervised = supervised(model, &json!({ "name": "mse" }), dtype);
                    let what = format!("{normalization}, {activation}, {dtype:?}");
                    assert_agree(&what, &supervised, &batch(dtype), tolerance);
                }
            }
        }
    }

    #[test]
    fn dropped_units_change_from_step_to_step_and_none_is_dropped_in_an_evaluation() {
        let batch = batch(DType::F64);
        let of_dropout = |dropout: f64| {
            let model = json!({ "name": "mlp", "hidden": [6, 6], "dropout": dropout });
            supervised(model, &json!({ "name": "mse" }), DType::F64).for_training()
        };
        let (with, without) = (of_dropout(0.5), of_dropout(0.0));
        let loss = |model: &SupervisedModel, step| {
            let step_seeds = Some(StepSeeds { seeds: &[5], step });
            numbers(&model.gradients(&batch, step_seeds).item.losses[0])[0]
        };
        assert_eq!(loss(&with, 3), loss(&with, 3));
        assert_ne!(loss(&with, 3), loss(&with, 4));
        assert_ne!(loss(&with, 3), loss(&without, 3));
        assert_eq!(loss(&without, 3), loss(&without, 4));
        let evaluated = |model: &SupervisedModel| numbers(&model.evaluate(batch.clone()).losses[0]);
        assert_eq!(evaluated(&with), evaluated(&without));
    }

    #[test]
    fn explicit_and_automatic_gradients_agree_for_convolutional_networks() {
        let device = Device::flex();
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 2e-5)] {
            // Odd and even sides, one and two channels, pools before and after the activation.
            for image in [[1, 8, 8], [2, 5, 7], [1, 3, 2]] {
                let d_input: usize = image.iter().product();
                let numbers = |n: usize, f: f64| (0..n).map(|k| (f * k as f64).sin()).collect();
                let tensor = |data: Vec<f64>, shape: [usize; 2]| {
                    Tensor::from_data(TensorData::new(data, shape), (&device, dtype))
                };
                let batch = Batch {
                    inputs: tensor(numbers(3 * d_input, 1.3), [3, d_input]),
                    targets: tensor(numbers(9, 0.7), [3, 3]),
                    weights: None,
                };
                for activation in ["relu", "gelu", "elu"] {
                    for normalization in ["none", "batch"] {
                        for (kernel_size, bias) in [(3, true), (5, false), (1, true)] {
                            let model = json!({
                                "name": "convnet", "channels": [3, 4], "d_hidden": 5,
                                "kernel_size": kernel_size, "activation": activation,
                                "normalization": normalization, "bias": bias,
                                "dropout": if bias { 0.3 } else { 0.0 },
                            });
                            let loss = json!({ "name": "mse" });
                            let supervised = supervised_model_for(model, &loss, &image, dtype);
                            let what =
                                format!("{image:?}, {activation}, {normalization}, {dtype:?}");
                            assert_agree(&what, &supervised, &batch, tolerance);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn explicit_and_automatic_gradients_agree_at_zero() {
        // Zero weights: every hidden number is 0, where piecewise functions have their corners.
        let batch = batch(DType::F64);
        for activation in Activation::NAMES {
            let model = json!({
                "name": "mlp", "hidden": [3], "activation": activation, "output_activation": activation,
                "initializer": { "name": "constant", "value": 0.0 },
            });
            for name in ["bce_with_logits", "cross_entropy", "mse", "huber"] {
                let supervised = supervised(model.clone(), &json!({ "name": name }), DType::F64);
                assert_agree(&format!("{activation}, {name}"), &supervised, &batch, 1e-14);
            }
        }
    }
}
