//! The forward pass: one walk through the layers of a network, whether it evaluates, trains, saves what the backward
//! pass needs, or records the outputs of every operation.

use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::layers::Layer;
use crate::{Activation, BatchStatistics, StepSeeds};

/// The statistics that batch norm standardises by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Those of the batch.
    Training,
    /// The running ones.
    Evaluation,
}

/// An operation of a network whose outputs a forward pass can record.
///
/// The number counts the operations of one kind from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation<'a> {
    /// A product with the weights, and the bias.
    Dense(usize),
    /// A convolution, and the bias.
    Convolution(usize),
    /// A normalisation.
    Normalization(usize),
    /// An activation between layers.
    Activation(usize, &'a Activation),
    /// The activation of the outputs.
    OutputActivation(&'a Activation),
}

impl Operation<'_> {
    /// The part of the network, named like its tensors: `layers.0`, `norms.0`, `activations.0`, `outputs`.
    pub fn part(&self) -> String {
        match self {
            Self::Dense(index) => format!("layers.{index}"),
            Self::Convolution(index) => format!("convolutions.{index}"),
            Self::Normalization(index) => format!("norms.{index}"),
            Self::Activation(index, _) => format!("activations.{index}"),
            Self::OutputActivation(_) => "outputs".to_owned(),
        }
    }

    /// A few words for messages, such as "the activation `relu`".
    pub fn description(&self) -> String {
        match self {
            Self::Dense(_) => "the product with the weights".to_owned(),
            Self::Convolution(_) => "the convolution".to_owned(),
            Self::Normalization(_) => "the normalisation".to_owned(),
            Self::Activation(_, activation) | Self::OutputActivation(activation) => {
                format!("the activation `{}`", activation.name())
            }
        }
    }
}

/// The recorded outputs of one operation.
#[derive(Debug, Clone)]
pub struct Stage<'a, const D: usize = 2> {
    /// The operation.
    pub operation: Operation<'a>,
    /// `[batch, num_units]`; between convolutions one row for each pixel of each image, and one column for each
    /// channel.
    pub outputs: Tensor<D>,
}

/// One walk through the layers of a network.
pub(crate) struct ForwardPass<'a, const D: usize = 2> {
    mode: Mode,
    /// The seeds of the masks of dropout; without them nothing is dropped.
    masks: Option<StepSeeds<'a>>,
    /// The statistics of each batch norm so far; none in evaluation mode.
    statistics: Vec<BatchStatistics<D>>,
    /// The saved activations of each layer so far, if there is to be a backward pass.
    saved: Option<Vec<Box<dyn SavedLayer<D> + 'a>>>,
    /// The outputs of each operation so far, if they are to be recorded.
    stages: Option<Vec<Stage<'a, D>>>,
}

impl<'a, const D: usize> ForwardPass<'a, D> {
    /// A pass that saves and records nothing.
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            masks: None,
            statistics: Vec::new(),
            saved: None,
            stages: None,
        }
    }

    /// A pass in training mode.
    pub(crate) fn training(masks: Option<StepSeeds<'a>>) -> Self {
        Self {
            masks,
            ..Self::new(Mode::Training)
        }
    }

    /// A pass in training mode that saves what the backward pass needs.
    pub(crate) fn saving(masks: Option<StepSeeds<'a>>) -> Self {
        Self {
            saved: Some(Vec::new()),
            ..Self::training(masks)
        }
    }

    /// A pass that records the outputs of every operation.
    pub(crate) fn recording(mode: Mode) -> Self {
        Self {
            stages: Some(Vec::new()),
            ..Self::new(mode)
        }
    }

    /// A pass in training mode that does both.
    pub(crate) fn saving_and_recording() -> Self {
        Self {
            stages: Some(Vec::new()),
            ..Self::saving(None)
        }
    }

    /// Whether the outputs of every operation are recorded.
    pub(crate) fn is_recording(&self) -> bool {
        self.stages.is_some()
    }

    /// The outputs of a layer, which are not recorded.
    pub(crate) fn apply(&mut self, layer: impl Layer<D> + 'a, x: Tensor<D>) -> Tensor<D> {
        match (&mut self.saved, self.mode) {
            (Some(saved), _) => {
                let (y, activations) = layer.forward_saving(x, &mut self.statistics);
                saved.push(Box::new(Saved { layer, activations }));
                y
            }
            (None, Mode::Training) => layer.forward_train(x, &mut self.statistics),
            (None, Mode::Evaluation) => layer.forward(x),
        }
    }

    /// The outputs of a hidden layer, counted from 0, of which a share of `rate` is dropped in training.
    pub(crate) fn drop_units(&mut self, rate: f64, layer: usize, x: Tensor<D>) -> Tensor<D> {
        match &self.masks {
            Some(masks) if rate > 0.0 => {
                let dropout = masks.layer(rate, layer, &x);
                self.apply(dropout, x)
            }
            _ => x,
        }
    }

    /// The outputs of a layer, recorded as those of `operation`.
    pub(crate) fn apply_as(
        &mut self,
        operation: Operation<'a>,
        layer: impl Layer<D> + 'a,
        x: Tensor<D>,
    ) -> Tensor<D> {
        let y = self.apply(layer, x);
        if let Some(stages) = &mut self.stages {
            let outputs = y.clone();
            stages.push(Stage { operation, outputs });
        }
        y
    }

    /// The statistics of each batch norm, in order; none in evaluation mode.
    pub(crate) fn into_statistics(self) -> Vec<BatchStatistics<D>> {
        self.statistics
    }

    /// The statistics of each batch norm, in order, and the saved activations.
    pub(crate) fn into_saved(self) -> (Vec<BatchStatistics<D>>, SavedPass<'a, D>) {
        let layers = self.saved.unwrap_or_default();
        (self.statistics, SavedPass { layers })
    }

    /// The outputs of every operation, in order, and the saved activations.
    pub(crate) fn into_stages_and_saved(self) -> (Vec<Stage<'a, D>>, SavedPass<'a, D>) {
        let layers = self.saved.unwrap_or_default();
        (self.stages.unwrap_or_default(), SavedPass { layers })
    }

    /// The outputs of every operation, in order.
    pub(crate) fn into_stages(self) -> Vec<Stage<'a, D>> {
        self.stages.unwrap_or_default()
    }
}

/// The saved activations of a forward pass, ready for its backward pass.
pub struct SavedPass<'a, const D: usize = 2> {
    layers: Vec<Box<dyn SavedLayer<D> + 'a>>,
}

impl<const D: usize> SavedPass<'_, D> {
    /// The gradients of all parameters: every layer, the last one first, turns the loss's gradient by its outputs
    /// into the one by its inputs.
    ///
    /// # Shapes
    /// - `delta`: the loss's gradient by the network's outputs, `[batch, d_output]`, or
    ///   `[num_replicas, batch, d_output]`
    ///
    /// # Source
    /// Rumelhart, Hinton and Williams 1986, <https://doi.org/10.1038/323533a0>; equals autodiff's gradients.
    pub fn backward(self, mut delta: Tensor<D>) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        let mut layers = self.layers.into_iter();
        let first = layers.next();
        for layer in layers.rev() {
            delta = layer.backward(delta, &mut gradients);
        }
        if let Some(first) = first {
            first.parameter_gradients(delta, &mut gradients);
        }
        gradients
    }
}

/// A layer with its saved activations.
struct Saved<L, S> {
    layer: L,
    activations: S,
}

/// A layer of any type with its saved activations.
trait SavedLayer<const D: usize> {
    /// See [`Layer::backward`].
    fn backward(self: Box<Self>, delta: Tensor<D>, gradients: &mut GradientsParams) -> Tensor<D>;

    /// See [`Layer::parameter_gradients`].
    fn parameter_gradients(self: Box<Self>, delta: Tensor<D>, gradients: &mut GradientsParams);
}

impl<const D: usize, L: Layer<D>> SavedLayer<D> for Saved<L, L::Saved> {
    fn backward(self: Box<Self>, delta: Tensor<D>, gradients: &mut GradientsParams) -> Tensor<D> {
        self.layer.backward(self.activations, delta, gradients)
    }

    fn parameter_gradients(self: Box<Self>, delta: Tensor<D>, gradients: &mut GradientsParams) {
        self.layer
            .parameter_gradients(self.activations, delta, gradients);
    }
}
