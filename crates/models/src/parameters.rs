//! Makes the parameters of a network, with ids that count from 0.

use burn::module::{Param, ParamId};
use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_rng::StreamRng;

use crate::initializer::{Fans, Initializer};

/// Makes the parameters of one network. Their order decides their ids and their random numbers.
pub(crate) struct Parameters<'a> {
    rng: &'a mut StreamRng,
    device: &'a Device,
    dtype: DType,
    next_id: u64,
}

impl<'a> Parameters<'a> {
    pub fn new(rng: &'a mut StreamRng, device: &'a Device, dtype: DType) -> Self {
        Self {
            rng,
            device,
            dtype,
            next_id: 0,
        }
    }

    /// A trained tensor. Its numbers are drawn on the host in f64, so that all devices start alike.
    pub fn draw<const D: usize>(
        &mut self,
        initializer: &Initializer,
        shape: [usize; D],
        fans: Fans,
    ) -> Param<Tensor<D>> {
        let values = initializer.draw(&shape, fans.fan_in, fans.fan_out, self.rng);
        self.put(values, shape).set_require_grad(true)
    }

    /// A trained vector whose numbers all are `value`.
    pub fn constant(&mut self, value: f64, length: usize) -> Param<Tensor<1>> {
        self.put(vec![value; length], [length])
            .set_require_grad(true)
    }

    /// A vector whose numbers all are `value`, and which has no gradient.
    pub fn state(&mut self, value: f64, length: usize) -> Param<Tensor<1>> {
        self.put(vec![value; length], [length])
            .set_require_grad(false)
    }

    fn put<const D: usize>(&mut self, values: Vec<f64>, shape: [usize; D]) -> Param<Tensor<D>> {
        let id = ParamId::from(self.next_id);
        self.next_id += 1;
        let data = TensorData::new(values, shape);
        Param::initialized(id, Tensor::from_data(data, (self.device, self.dtype)))
    }
}
