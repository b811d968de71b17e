//! Tests of networks of every kind. One file, since they share their networks and their tables of cases.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_rng::stream;
use serde_json::json;

use super::*;
use crate::activation::{Elu, Tanh};
use crate::golden::{assert_near, golden, wave, wave_tensor};
use crate::normalization::BatchNormConfig;
use crate::{ModelError, Normalization, OneOrMany};

const BATCH_NORM: Normalization = Normalization::Batch(BatchNormConfig {
    momentum: 0.1,
    epsilon: 1e-5,
});

fn config(toml: &str) -> ModelConfig {
    toml::from_str(toml).expect("a model's table")
}

fn init(config: &ModelConfig, shape: &[usize], d_output: usize, seed: u64) -> Network {
    config
        .init(
            shape,
            d_output,
            &mut stream(seed, "init", &[]),
            &Device::flex(),
            DType::F32,
        )
        .expect("a network")
}

fn value_error(result: Result<impl std::fmt::Debug, ModelError>) -> (String, String) {
    match result {
        Err(ModelError::Value(problem)) => (problem.key, problem.value),
        other => panic!("{other:?}"),
    }
}

fn mlp() -> ModelConfig {
    ModelConfig::Mlp(MlpConfig {
        hidden: vec![6, 4],
        activation: OneOrMany::Many(vec![Tanh {}.into(), Elu { alpha: 1.0 }.into()]),
        normalization: OneOrMany::One(BATCH_NORM),
        ..MlpConfig::default()
    })
}

fn convnet() -> ModelConfig {
    ModelConfig::Convnet(ConvNetConfig {
        channels: vec![3, 4],
        d_hidden: 5,
        normalization: BATCH_NORM,
        ..ConvNetConfig::default()
    })
}

/// The names of an alternation of layers and batch norms, in PyTorch's order.
fn pytorch_order(groups: &[(&str, Option<&str>)]) -> Vec<String> {
    let mut names = Vec::new();
    for (layer, norm) in groups {
        names.extend(["weight", "bias"].map(|name| format!("{layer}.{name}")));
        if let Some(norm) = norm {
            names.extend(["gamma", "beta"].map(|name| format!("{norm}.{name}")));
        }
    }
    names
}

/// The network with parameters as `network` in `tests-data/layers.py` sets them.
fn fill(network: Network, order: &[String]) -> Network {
    let tensors = network
        .named_tensors()
        .into_iter()
        .map(|(name, data)| {
            let shape = data.shape().clone();
            let Some(index) = order.iter().position(|known| *known == name) else {
                return (name, data);
            };
            let values = wave(index as f64, shape.num_elements());
            let halves: Vec<_> = values.iter().map(|value| 0.5 * value).collect();
            (name, TensorData::new(halves, shape))
        })
        .collect();
    network.load_named_tensors(tensors).expect("same shapes")
}

fn first_weight_gradient(network: &Network, inputs: Tensor<2>) -> Vec<f64> {
    let (outputs, _) = network.forward_train(inputs, None);
    let gradients = outputs.powi_scalar(2).sum().backward();
    let numbers = |data: TensorData| data.iter::<f64>().collect();
    match network {
        Network::Mlp(mlp) => numbers(
            mlp.layers[0]
                .weight
                .grad(&gradients)
                .expect("tracked")
                .into_data(),
        ),
        Network::ConvNet(net) => numbers(
            net.convolutions[0]
                .weight
                .grad(&gradients)
                .expect("tracked")
                .into_data(),
        ),
    }
}

#[test]
fn networks_equal_pytorch() {
    let mlp_order = pytorch_order(&[
        ("layers.0", Some("norms.0")),
        ("layers.1", Some("norms.1")),
        ("layers.2", None),
    ]);
    let convnet_order = pytorch_order(&[
        ("convolutions.0", Some("norms.0")),
        ("convolutions.1", Some("norms.1")),
        ("layers.0", None),
        ("layers.1", None),
    ]);
    for (name, config, shape, batch, order) in [
        ("mlp", mlp(), vec![5], 7, mlp_order),
        ("convnet", convnet(), vec![2, 9, 5], 3, convnet_order),
    ] {
        let expected = golden(name);
        for (dtype, tolerance) in [(DType::F64, 1e-10), (DType::F32, 1e-4)] {
            let device = Device::flex().autodiff();
            let rng = &mut stream(0, "init", &[]);
            let network = config
                .init(&shape, 3, rng, &device, dtype)
                .expect("a network");
            let network = fill(network, &order);
            let inputs = wave_tensor(0.0, [batch, shape.iter().product()], &device, dtype);
            let (outputs, statistics) = network.forward_train(inputs.clone(), None);
            assert_eq!(outputs.dtype(), dtype);
            assert_near("outputs", outputs, &expected["outputs"], tolerance);
            let gradient = first_weight_gradient(&network, inputs.clone());
            for (got, expected) in gradient.iter().zip(&expected["gradient"]) {
                assert!((got - expected).abs() <= tolerance * expected.abs().max(1.0));
            }
            let network = network.with_running_statistics(statistics).valid();
            let evaluated = network.forward(inputs.inner());
            assert_near("evaluated", evaluated, &expected["evaluated"], tolerance);
        }
    }
}

#[test]
fn same_seed_gives_same_weights() {
    for (config, shape) in [(mlp(), vec![5]), (convnet(), vec![1, 8, 8])] {
        let weights = |seed| init(&config, &shape, 3, seed).named_tensors();
        assert_eq!(weights(1), weights(1));
        assert_ne!(weights(1), weights(2));
    }
}

#[test]
fn f32_starts_from_the_rounded_numbers_of_f64() {
    let weights = |dtype| {
        mlp()
            .init(&[5], 3, &mut stream(1, "init", &[]), &Device::flex(), dtype)
            .expect("a network")
            .named_tensors()
    };
    for ((name, single), (_, double)) in weights(DType::F32).into_iter().zip(weights(DType::F64)) {
        assert_eq!(single.dtype(), DType::F32);
        assert_eq!(double.dtype(), DType::F64);
        assert_eq!(single, double.convert::<f32>(), "{name}");
    }
}

#[test]
fn tensors_are_named_by_their_place() {
    let names = |network: Network| -> Vec<String> {
        network
            .named_tensors()
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    };
    assert_eq!(
        names(init(&mlp(), &[5], 3, 0)),
        [
            "layers.0.weight",
            "layers.0.bias",
            "layers.1.weight",
            "layers.1.bias",
            "layers.2.weight",
            "layers.2.bias",
            "norms.0.gamma",
            "norms.0.beta",
            "norms.0.running_mean",
            "norms.0.running_var",
            "norms.1.gamma",
            "norms.1.beta",
            "norms.1.running_mean",
            "norms.1.running_var",
        ]
    );
    assert_eq!(
        names(init(&convnet(), &[1, 8, 8], 3, 0))[..2],
        ["convolutions.0.weight", "convolutions.0.bias"]
    );
}

#[test]
fn parameters_are_counted_without_running_statistics() {
    // 5·6+6 + 6·4+4 + 4·3+3 weights and biases, 2·6 + 2·4 scales and shifts
    assert_eq!(init(&mlp(), &[5], 3, 0).num_parameters(), 79 + 20);
    // python: sum(p.numel() for p in torch.nn.Linear(64, 1).parameters())
    assert_eq!(
        init(&config("name = 'perceptron'"), &[1, 8, 8], 1, 0).num_parameters(),
        65
    );
}

#[test]
fn convnets_of_the_default_config_fit_digits_and_mnist() {
    // 16·1·9+16 + 32·16·9+32 + flat·128+128 + 128·10+10, flat = 32·2·2 and 32·7·7
    for (side, num_parameters) in [(8, 22_602), (28, 206_922)] {
        let network = init(&config("name = 'convnet'"), &[1, side, side], 10, 0);
        assert_eq!(network.num_parameters(), num_parameters);
        let inputs = Tensor::zeros([2, side * side], &Device::flex());
        assert_eq!(network.forward(inputs).dims(), [2, 10]);
    }
}

#[test]
fn pools_stop_where_the_image_is_one_pixel() {
    let deep = config("name = 'convnet'\nchannels = [2, 2, 2]");
    let network = init(&deep, &[1, 3, 3], 4, 0);
    let inputs = Tensor::zeros([5, 9], &Device::flex());
    assert_eq!(network.forward(inputs).dims(), [5, 4]);
}

#[test]
fn training_and_evaluation_mode_differ_only_by_batch_norm() {
    let device = Device::flex();
    let inputs: Tensor<2> = wave_tensor(0.0, [4, 5], &device, DType::F32);
    for normalization in Normalization::NAMES {
        let network = init(
            &config(&format!(
                "name = 'mlp'\nhidden = [6]\nnormalization = '{normalization}'"
            )),
            &[5],
            2,
            0,
        );
        let (trained, statistics) = network.forward_train(inputs.clone(), None);
        let same = trained.into_data() == network.forward(inputs.clone()).into_data();
        assert_eq!(same, *normalization != "batch", "{normalization}");
        assert_eq!(
            statistics.len(),
            usize::from(*normalization == "batch"),
            "{normalization}"
        );
    }
}

#[test]
fn only_trained_tensors_require_gradients_and_modes_restore_them() {
    struct Tracked(Vec<bool>);
    impl ModuleVisitor for Tracked {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.is_require_grad());
        }
    }
    fn tracked(network: &Network) -> Vec<bool> {
        let mut tracked = Tracked(Vec::new());
        network.visit(&mut tracked);
        tracked.0
    }
    // Six weights and biases; then scale, shift, and two running statistics, twice.
    let mut expected = vec![true; 6];
    expected.extend([true, true, false, false, true, true, false, false]);
    let plain = init(&mlp(), &[5], 3, 0);
    assert_eq!(tracked(&plain), [false; 14]);
    assert_eq!(tracked(&plain.train()), expected);
    let network = mlp()
        .init(
            &[5],
            3,
            &mut stream(0, "init", &[]),
            &Device::flex().autodiff(),
            DType::F32,
        )
        .expect("a network");
    assert_eq!(tracked(&network), expected);
    assert_eq!(tracked(&network.valid()), [false; 14]);
    let tensors = network.named_tensors();
    let network = network.load_named_tensors(tensors).expect("its own");
    assert_eq!(tracked(&network), expected);
    let (_, statistics) =
        network.forward_train(Tensor::ones([4, 5], &Device::flex().autodiff()), None);
    assert_eq!(
        tracked(&network.with_running_statistics(statistics)),
        expected
    );
}

#[test]
fn parameter_ids_run_from_zero() {
    let ids: Vec<u64> = burn::module::list_param_ids(&init(&mlp(), &[5], 3, 0))
        .into_iter()
        .map(|id| id.val())
        .collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..14).collect::<Vec<_>>());
}

#[test]
fn biases_start_at_zero_unless_pytorch_or_the_config_says_otherwise() {
    let bias = |toml: &str| {
        init(&config(toml), &[4], 50, 0)
            .named_tensors()
            .pop()
            .expect("a bias")
            .1
            .iter::<f64>()
            .fold(0_f64, |max, x| max.max(x.abs()))
    };
    assert_eq!(bias("name = 'perceptron'"), 0.0);
    // U(±1 / sqrt(4))
    let largest = bias("name = 'perceptron'\ninitializer = 'pytorch_default'");
    assert!((0.4..=0.5).contains(&largest), "{largest}");
    assert_eq!(
        bias(
            "name = 'perceptron'\nbias_initializer = { name = 'constant', value = 3 }\n\
             initializer = 'pytorch_default'"
        ),
        3.0
    );
    let without = init(&config("name = 'perceptron'\nbias = false"), &[4], 50, 0);
    assert_eq!(without.num_parameters(), 200);
}

#[test]
fn impossible_networks_are_refused_with_their_key() {
    for (toml, key, value) in [
        ("name = 'mlp'\nhidden = [3, 0]", "hidden[1]", "0"),
        (
            "name = 'mlp'\nhidden = [3, 4]\nactivation = ['relu']",
            "activation",
            "a list of 1",
        ),
        (
            "name = 'mlp'\nhidden = [3]\nactivation = [{ name = 'elu', alpha = inf }]",
            "activation[0].alpha",
            "inf",
        ),
        (
            "name = 'mlp'\nhidden = [3]\nnormalization = 'group'",
            "normalization.num_groups",
            "2",
        ),
        (
            "name = 'mlp'\ninitializer = { name = 'normal', std = -1.0 }",
            "initializer.std",
            "-1",
        ),
        (
            "name = 'mlp'\nbias_initializer = 'orthogonal'",
            "bias_initializer",
            "`orthogonal`",
        ),
        ("name = 'perceptron'\nd_output = 0", "d_output", "0"),
        ("name = 'convnet'\nkernel_size = 4", "kernel_size", "4"),
        ("name = 'convnet'\nchannels = [0]", "channels[0]", "0"),
        (
            "name = 'convnet'\nnormalization = 'layer'",
            "normalization",
            "`layer`",
        ),
    ] {
        let (got_key, got_value) = value_error(config(toml).validate().map_err(ModelError::from));
        assert_eq!(
            (got_key.as_str(), got_value.as_str()),
            (key, value),
            "{toml}"
        );
    }
}

#[test]
fn layers_too_large_to_hold_are_refused() {
    let huge = config("name = 'mlp'\nhidden = [1000000000, 1000000000]");
    let rng = &mut stream(0, "init", &[]);
    let (key, _) = value_error(huge.init(&[1], 1, rng, &Device::flex(), DType::F32));
    assert_eq!(key, "hidden");
}

#[test]
fn samples_of_the_wrong_shape_are_refused() {
    for (toml, shape) in [
        ("name = 'convnet'", vec![64]),
        ("name = 'mlp'", vec![]),
        ("name = 'mlp'", vec![3, 0]),
        ("name = 'mlp'", vec![usize::MAX, 2]),
    ] {
        let rng = &mut stream(0, "init", &[]);
        let result = config(toml).init(&shape, 1, rng, &Device::flex(), DType::F32);
        assert!(
            matches!(result, Err(ModelError::InputShape { .. })),
            "{toml} {shape:?}: {result:?}"
        );
    }
}

#[test]
fn the_config_may_insist_on_its_number_of_outputs() {
    let config = config("name = 'mlp'\nd_output = 7");
    assert_eq!(config.d_output(), Some(7));
    let network = init(&config, &[4], 2, 0);
    let outputs = network.forward(Tensor::zeros([3, 4], &Device::flex()));
    assert_eq!(outputs.dims(), [3, 7]);
}

#[test]
fn only_tensors_of_the_right_names_and_shapes_are_loaded() {
    let network = init(&mlp(), &[5], 3, 0);
    let tensors = network.named_tensors();
    let mut missing = tensors.clone();
    missing.pop();
    assert_eq!(
        network.clone().load_named_tensors(missing).err(),
        Some(ModelError::MissingTensor {
            name: "norms.1.running_var".into()
        })
    );
    let mut more = tensors.clone();
    more.push(("layers.9.weight".into(), TensorData::from([1.0])));
    assert_eq!(
        network.clone().load_named_tensors(more).err(),
        Some(ModelError::UnknownTensor {
            name: "layers.9.weight".into()
        })
    );
    let mut other = tensors.clone();
    other[1].1 = TensorData::from([1.0, 2.0]);
    assert_eq!(
        network.clone().load_named_tensors(other).err(),
        Some(ModelError::TensorShape {
            name: "layers.0.bias".into(),
            shape: vec![2],
            expected: vec![6]
        })
    );
    let loaded = init(&mlp(), &[5], 3, 1).load_named_tensors(tensors.clone());
    assert_eq!(loaded.map(|network| network.named_tensors()), Ok(tensors));
}

#[test]
fn configs_read_back_as_written_and_unknown_keys_are_refused() {
    for config in [mlp(), convnet(), config("name = 'perceptron'")] {
        let written = toml::to_string(&config).expect("writes");
        assert_eq!(toml::from_str(&written), Ok(config));
    }
    let error = toml::from_str::<ModelConfig>("name = 'perceptron'\nhidden = [2]")
        .expect_err("a perceptron has no hidden layers");
    assert!(
        error.message().starts_with("unknown field `hidden`"),
        "{error}"
    );
    let error = toml::from_str::<ModelConfig>("name = 'mlp'\nactivation = ['relu', 'gelo']")
        .expect_err("no such activation");
    assert!(
        error.message().starts_with("unknown variant `gelo`"),
        "{error}"
    );
}

#[test]
fn defaults_of_files_and_of_code_agree() {
    assert_eq!(
        config("name = 'mlp'"),
        ModelConfig::Mlp(MlpConfig::default())
    );
    assert_eq!(
        config("name = 'perceptron'"),
        ModelConfig::Perceptron(PerceptronConfig::default())
    );
    assert_eq!(
        config("name = 'convnet'"),
        ModelConfig::Convnet(ConvNetConfig::default())
    );
}

#[test]
fn the_last_stage_holds_the_outputs() {
    let configs = [
        "name = 'mlp'\nhidden = [5, 4]\nactivation = ['tanh', 'relu']\nnormalization = 'batch'\n\
         output_activation = 'sigmoid'",
        "name = 'convnet'\nchannels = [3, 2]\nd_hidden = 6\nnormalization = 'batch'",
    ];
    let parts = [
        "layers.0 norms.0 activations.0 layers.1 norms.1 activations.1 layers.2 outputs",
        "convolutions.0 norms.0 activations.0 convolutions.1 norms.1 activations.1 layers.0 activations.2 layers.1 \
         outputs",
    ];
    let device = Device::flex();
    for (toml, parts) in configs.into_iter().zip(parts) {
        let rng = &mut stream(1, "init", &[]);
        let network = config(toml).init(&[1, 4, 4], 3, rng, &device, DType::F64);
        let network = network.expect("a network");
        let inputs = wave_tensor(0.0, [5, 16], &device, DType::F64);
        let (trained, _) = network.forward_train(inputs.clone(), None);
        let evaluated = network.forward(inputs.clone());
        for (mode, expected) in [(Mode::Training, trained), (Mode::Evaluation, evaluated)] {
            let stages = network.stages(inputs.clone(), mode);
            let found: Vec<String> = stages.iter().map(|stage| stage.operation.part()).collect();
            assert_eq!(found.join(" "), parts);
            let last = stages.last().expect("stages").outputs.clone();
            assert_eq!(last.into_data(), expected.into_data(), "{mode:?}");
        }
    }
}

#[test]
fn each_hidden_layer_may_have_a_normalization_of_its_own() {
    let read = |normalization: serde_json::Value| -> ModelConfig {
        let model = json!({ "name": "mlp", "hidden": [6, 4, 4], "normalization": normalization });
        serde_json::from_value(model).expect("a network")
    };
    let mixed = read(json!(["none", { "name": "batch", "momentum": 0.5 }, "layer"]));
    mixed.validate().expect("three layers");
    let mut rng = stream(0, "init", &[]);
    let network = mixed.init(&[5], 3, &mut rng, &Device::flex(), DType::F64);
    let tensors = network.expect("a network").named_tensors().into_iter();
    let names: Vec<String> = tensors
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("norms"))
        .collect();
    let expected = [
        "norms.1.gamma",
        "norms.1.beta",
        "norms.1.running_mean",
        "norms.1.running_var",
        "norms.2.gamma",
        "norms.2.beta",
    ];
    assert_eq!(names, expected);
    for (normalization, key) in [
        (json!(["batch", "none"]), "normalization"),
        (
            json!(["batch", "none", { "name": "group", "num_groups": 3 }]),
            "normalization[2].num_groups",
        ),
    ] {
        let problem = read(normalization).validate().expect_err("impossible");
        assert!(problem.key.ends_with(key), "{problem}");
    }
}
