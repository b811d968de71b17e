//! The six networks of the tables in `README.md`, on each CPU device.

use std::fmt;

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_datasets::DeviceDataset;
use emberlab_models::{ModelConfig, Network};
use emberlab_rng::stream;
use emberlab_training::{LossConfig, OptimizerConfig, SupervisedModel, TrainingConfig, device};
use serde_json::{Value, json};

/// As in the binary: small tensors are allocated all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One thread for tensor operations, this one, as in the binary.
pub fn use_one_thread() {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build_global()
        .expect("the first pool");
}

/// A network of the table in `README.md`, on a device.
#[derive(Clone, Copy)]
pub struct Case {
    device: &'static str,
    pub dims: &'static [usize],
    normalization: &'static str,
    batch_size: usize,
    optimizer: &'static str,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<_> = self.dims.iter().map(usize::to_string).collect();
        write!(f, "{} {}", self.device, dims.join("-"))
    }
}

/// The six networks on each CPU device of this build.
pub fn cases() -> impl Iterator<Item = Case> {
    let networks: [(&[usize], _, _, _); 6] = [
        (&[784, 100, 100, 100, 10], "batch", 32, "sgd"),
        (&[784, 20, 20, 10], "none", 32, "sgd"),
        (&[784, 256, 128, 10], "none", 256, "adam"),
        (&[64, 32, 2], "none", 70, "sgd"),
        (&[2, 16, 16, 2], "none", 700, "adam"),
        (&[4, 10, 3], "none", 8, "sgd"),
    ];
    let devices = ["flex", "ndarray"];
    let compiled = devices
        .into_iter()
        .filter(|name| device::open(name).is_ok());
    compiled.flat_map(move |device| {
        networks.map(|(dims, normalization, batch_size, optimizer)| Case {
            device,
            dims,
            normalization,
            batch_size,
            optimizer,
        })
    })
}

impl Case {
    fn device(&self) -> Device {
        device::open(self.device).expect("only devices that open are listed")
    }

    pub fn network(&self) -> Network {
        let [d_input, hidden @ .., d_output] = self.dims else {
            unreachable!("a network has inputs and outputs")
        };
        let model = json!({
            "name": "mlp", "hidden": hidden, "normalization": self.normalization,
        });
        from_json::<ModelConfig>(model)
            .init(
                &[*d_input],
                *d_output,
                &mut stream(0, "init", &[]),
                &self.device().autodiff(),
                DType::F32,
            )
            .expect("a network")
    }

    pub fn optimizer(&self) -> OptimizerConfig {
        from_json(json!({ "name": self.optimizer, "learning_rate": 0.01 }))
    }

    /// Enough for that many batches.
    pub fn data(&self, num_batches: usize) -> DeviceDataset {
        let rows = num_batches * self.batch_size;
        let (width, classes) = (self.dims[0], self.dims[self.dims.len() - 1]);
        let inputs: Vec<f32> = (0..rows * width).map(|k| (1.7 * k as f32).sin()).collect();
        let mut targets = vec![0_f32; rows * classes];
        for row in 0..rows {
            targets[row * classes + row * 7 % classes] = 1.0;
        }
        let device = self.device();
        DeviceDataset::new(
            Tensor::from_data(TensorData::new(inputs, [rows, width]), &device),
            Tensor::from_data(TensorData::new(targets, [rows, classes]), &device),
            None,
        )
    }

    /// The network and its loss, as they are trained.
    pub fn supervised(&self) -> SupervisedModel {
        SupervisedModel::new(self.network(), loss()).for_training()
    }

    pub fn training(&self, num_epochs: usize) -> TrainingConfig {
        from_json(json!({ "num_epochs": num_epochs, "batch_size": self.batch_size }))
    }
}

pub fn loss() -> LossConfig {
    from_json(json!({ "name": "cross_entropy" }))
}

pub fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a configuration")
}
