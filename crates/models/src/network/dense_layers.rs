//! A sequence of fully connected layers: all of a multilayer perceptron, and the end of a convolutional network.

use burn::tensor::Tensor;

use super::forward_pass::{ForwardPass, Operation};
use crate::Activation;
use crate::layers::{Layer, residual};

/// Hidden layers, linear → normalisation → activation → dropout each, and an output layer, linear → activation.
///
/// `L` are linear layers and `N` normalisations, of one network or of many replicas.
pub(crate) struct DenseLayers<'a, L, N> {
    /// The hidden layers and the output layer.
    pub(crate) layers: &'a [L],
    /// One for each hidden layer that has one; none at all if none has.
    pub(crate) norms: &'a [Option<N>],
    /// One for each hidden layer.
    pub(crate) activations: &'a [Activation],
    pub(crate) output_activation: &'a Activation,
    /// The share of units that a step drops behind each hidden layer; none at all if nothing is dropped.
    pub(crate) dropout: &'a [f64],
    /// Whether each hidden layer adds its inputs to its outputs; none at all if none does.
    pub(crate) residual: &'a [bool],
    /// The number of activations of the network before these layers.
    pub(crate) first_activation: usize,
}

impl<'a, L, N> DenseLayers<'a, L, N> {
    /// The forward pass.
    ///
    /// # Shapes
    /// - `x`: `[batch, d_input]`, or `[num_replicas, batch, d_input]`
    /// - result: `[batch, d_output]`, or `[num_replicas, batch, d_output]`
    pub(crate) fn forward<const D: usize>(
        &self,
        mut x: Tensor<D>,
        pass: &mut ForwardPass<'a, D>,
    ) -> Tensor<D>
    where
        L: Layer<D>,
        N: Layer<D>,
    {
        for (i, layer) in self.layers.iter().enumerate() {
            let Some(activation) = self.activations.get(i) else {
                x = pass.apply_as(Operation::Dense(i), layer, x); // [batch, d_output]
                break;
            };
            let mut end_of_connection = None;
            if self.residual.get(i) == Some(&true) {
                let (begin, end) = residual();
                x = pass.apply(begin, x);
                end_of_connection = Some(end);
            }
            x = pass.apply_as(Operation::Dense(i), layer, x); // [batch, d_hidden]
            if let Some(Some(norm)) = self.norms.get(i) {
                x = pass.apply_as(Operation::Normalization(i), norm, x);
            }
            let operation = Operation::Activation(self.first_activation + i, activation);
            x = pass.apply_as(operation, activation, x);
            x = pass.drop_units(self.dropout.get(i).copied().unwrap_or(0.0), i, x);
            if let Some(end) = end_of_connection {
                x = pass.apply(end, x);
            }
        }
        let activation = self.output_activation;
        pass.apply_as(Operation::OutputActivation(activation), activation, x)
    }
}
