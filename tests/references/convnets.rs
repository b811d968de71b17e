//! Convolutional networks give the same numbers on a GPU as on a processor, which computes them by other kernels.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_models::{ModelConfig, Network};
use emberlab_training::device;

use crate::lab::has_wgpu;

/// Numbers by their names.
type Named = BTreeMap<String, Vec<f64>>;

/// A network to be computed on both devices.
struct Case {
    /// Channels, kernels, normalisation, bias and activation of the convnet, in TOML.
    config: &'static str,
    /// `[channels, height, width]`
    image: [usize; 3],
    batch: usize,
}

const CASES: [Case; 8] = [
    Case {
        config: "channels = [3, 4]",
        image: [1, 8, 8],
        batch: 6,
    },
    // Odd sizes, a last row and column that a pool leaves out, an activation that pools come after.
    Case {
        config: "channels = [4, 2]\nkernel_size = 5\nbias = false\nnormalization = 'batch'\nactivation = 'gelu'",
        image: [3, 9, 7],
        batch: 5,
    },
    Case {
        config: "channels = [5]\nkernel_size = 1\nnormalization = 'batch'\nactivation = 'tanh'",
        image: [2, 5, 6],
        batch: 3,
    },
    // Images too small for the first pool, and for the second.
    Case {
        config: "channels = [2, 3]\nkernel_size = 5",
        image: [2, 1, 5],
        batch: 4,
    },
    Case {
        config: "channels = [2, 2, 2]\nbias = false",
        image: [2, 3, 3],
        batch: 2,
    },
    // The number of pixels is so large that sums over them are computed in two steps.
    Case {
        config: "channels = [3, 4]\nnormalization = 'batch'",
        image: [1, 28, 28],
        batch: 4,
    },
    // A weight so large that its gradient is computed from three groups of two images.
    Case {
        config: "channels = [128]",
        image: [64, 2, 2],
        batch: 6,
    },
    Case {
        config: "channels = [4, 8]\nnormalization = 'batch'",
        image: [4, 6, 4],
        batch: 1,
    },
];

impl Case {
    fn network(&self, device: &Device) -> Network {
        let text = format!("name = 'convnet'\nd_hidden = 5\n{}", self.config);
        let config: ModelConfig = toml::from_str(&text).unwrap();
        let rng = &mut emberlab_rng::stream(1, "init", &[]);
        config
            .init(&self.image, 3, rng, device, DType::F32)
            .unwrap()
    }

    /// The same images on every device.
    fn images(&self, device: &Device) -> Tensor<2> {
        waves([self.batch, self.image.iter().product()], device)
    }
}

/// Numbers from −1 to 1 without a pattern that images or kernels share.
fn waves<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count = shape.iter().product::<usize>();
    let numbers = (0..count).map(|i| (1.7 * i as f64 + 0.003 * (i * i) as f64).sin());
    let data = TensorData::new(numbers.collect::<Vec<_>>(), shape);
    Tensor::from_data(data, (device, DType::F32))
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// The gradients of all parameters in order.
fn named_gradients(network: &Network, gradients: &GradientsParams) -> Named {
    struct Visitor<'a>(&'a GradientsParams, Named);
    impl ModuleVisitor for Visitor<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                let name = format!("gradient of parameter {}", param.id.val());
                self.1.insert(name, numbers(gradient));
            }
        }
    }
    let mut visitor = Visitor(gradients, Named::new());
    network.visit(&mut visitor);
    visitor.1
}

/// Outputs in both modes, statistics of batches, and gradients by the backward pass.
fn forward_and_backward(case: &Case, device: &Device) -> Named {
    let network = case.network(device);
    let evaluated = network.forward(case.images(device));
    let (outputs, statistics, saved) = network.forward_saving(case.images(device), None);
    let gradients = saved.backward(waves(outputs.dims(), device));
    let mut found = named_gradients(&network, &gradients);
    found.insert("evaluated".to_owned(), numbers(evaluated));
    found.insert("outputs".to_owned(), numbers(outputs));
    for (i, batch) in statistics.into_iter().enumerate() {
        found.insert(format!("mean {i}"), numbers(batch.mean));
        found.insert(format!("variance {i}"), numbers(batch.variance));
    }
    found
}

/// Outputs in training mode and gradients by Burn's autodiff.
fn by_autodiff(case: &Case, device: &Device) -> Named {
    let device = device.clone().autodiff();
    let network = case.network(&device);
    let (outputs, _) = network.forward_train(case.images(&device), None);
    let sum = (outputs.clone() * waves(outputs.dims(), &device)).sum();
    let gradients = GradientsParams::from_grads(sum.backward(), &network);
    let mut found = named_gradients(&network, &gradients);
    found.insert("outputs".to_owned(), numbers(outputs));
    found
}

/// Fails unless all numbers that `expected` names differ by at most 1e-4 of the largest of that name, or by 1e-5 where
/// all are small: the gradient of a bias before a batch norm is zero up to rounding.
fn assert_near(found: &Named, expected: &Named, case: &Case) {
    let Case { config, image, .. } = case;
    for (name, expected) in expected {
        let found = &found[name];
        assert_eq!(found.len(), expected.len(), "{name}");
        let largest = expected.iter().fold(0.1_f64, |most, x| most.max(x.abs()));
        for (a, b) in found.iter().zip(expected) {
            assert!(
                (a - b).abs() <= 1e-4 * largest,
                "{name} of {config:?}, {image:?}: {found:?}, expected {expected:?}"
            );
        }
    }
}

#[test]
fn convnets_on_wgpu_give_the_outputs_and_gradients_of_flex() {
    if !has_wgpu() {
        return;
    }
    let [wgpu, flex] = ["wgpu", "flex"].map(|name| device::open(name).unwrap());
    for case in &CASES {
        let expected = forward_and_backward(case, &flex);
        assert!(expected.len() >= 6, "{:?}", expected.keys());
        assert_near(&forward_and_backward(case, &wgpu), &expected, case);
    }
}

#[test]
fn the_backward_pass_of_convnets_on_wgpu_agrees_with_autodiff() {
    if !has_wgpu() {
        return;
    }
    let wgpu = device::open("wgpu").unwrap();
    for case in &CASES {
        let found = forward_and_backward(case, &wgpu);
        assert_near(&found, &by_autodiff(case, &wgpu), case);
    }
}

#[test]
fn an_image_with_nan_has_nan_outputs_on_every_device_and_no_other_image_has() {
    let case = Case {
        config: "channels = [2]\nkernel_size = 1",
        image: [1, 2, 2],
        batch: 5,
    };
    for name in crate::lab::devices() {
        let device = device::open(&name).unwrap();
        // Each of the first four images has NaN at another corner of the square that a max-pool takes.
        let pixels = numbers(case.images(&device));
        let pixels = pixels.iter().enumerate().map(|(i, pixel)| match i {
            0 | 5 | 10 | 15 => f64::NAN,
            _ => *pixel,
        });
        let pixels = TensorData::new(pixels.collect::<Vec<_>>(), [5, 4]);
        let images = Tensor::from_data(pixels, (&device, DType::F32));
        let network = case.network(&device);
        let (trained, _, _) = network.forward_saving(images.clone(), None);
        for outputs in [network.forward(images), trained] {
            let are_nan: Vec<bool> = numbers(outputs).iter().map(|x| x.is_nan()).collect();
            let expected = [[true; 12].as_slice(), &[false; 3]].concat();
            assert_eq!(are_nan, expected, "{name}");
        }
    }
}
