//! The plan of a training: everything that its replicas share.
//!
//! A plan is plain data, so that each executor reads the same one: the [host](crate::host) now and a GPU's kernel.

use crate::foreground::Foreground;

/// A network, its loss and its optimiser. The replicas of a training share one plan and differ in their numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The number of inputs, the sizes of the hidden layers, and the number of outputs; at least two, none zero.
    pub sizes: Vec<usize>,
    /// Whether linear layers add a bias.
    pub has_bias: bool,
    /// The activation of each layer, that of the output layer last.
    pub activations: Vec<Activation>,
    /// The normalisation of each hidden layer, before its activation; empty if none has any.
    pub normalizations: Vec<Normalization>,
    /// The share of units that each step drops behind each hidden layer's activation, in `[0, 1)`; empty if none are.
    pub dropout: Vec<f64>,
    /// Whether each hidden layer adds its inputs to its outputs; empty if none does. Such a layer follows another one of
    /// the same size.
    pub residual: Vec<bool>,
    /// The loss.
    pub loss: Loss,
    /// How the losses of a batch become one number.
    pub reduction: Reduction,
    /// The optimiser.
    pub optimizer: Optimizer,
    /// What the loss adds for the size of weights, if it does.
    pub penalty: Option<Penalty>,
    /// The bound on gradients, if there is one.
    pub clipping: Option<Clipping>,
    /// What is added to gradients, after they are bounded.
    pub noise: Option<GradientNoise>,
    /// The largest 2-norm of the weights that lead to one unit, if there is one. Each step ends with it.
    pub max_norm: Option<f64>,
    /// The average of the parameters that is evaluated, if there is one. It is the last buffer of a state.
    pub average: Option<Average>,
}

/// An activation function, applied to each number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// `x`
    Linear,
    /// `1 / (1 + exp(−x))`
    Sigmoid,
    /// `tanh(x)`
    Tanh,
    /// `max(x, 0)`
    Relu,
    /// `x` above zero, else `alpha x`.
    LeakyRelu {
        /// Slope at and below zero.
        alpha: f64,
    },
    /// `x` above zero, else `alpha (exp(x) − 1)`.
    Elu {
        /// Minus the value far below zero.
        alpha: f64,
    },
    /// ELU scaled so that activations keep mean 0 and variance 1.
    Selu,
    /// `x sigmoid(x)`
    Swish,
    /// `x Φ(x)` with the normal distribution function `Φ`.
    Gelu,
    /// `ln(1 + exp(x))`
    Softplus,
    /// `x tanh(softplus(x))`
    Mish,
}

/// Minus the value of [`Activation::Selu`] far below zero, before it is scaled; Klambauer et al. 2017,
/// <https://arxiv.org/abs/1706.02515>, equation 14.
pub(crate) const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

/// The slope of [`Activation::Selu`] above zero; from the same equation.
pub(crate) const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

/// A normalisation of the numbers before an activation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Normalization {
    /// None.
    None,
    /// Each feature over the batch, then scaled and shifted; over the running statistics in an evaluation.
    Batch {
        /// The share of a batch's statistics in the running ones.
        momentum: f64,
        /// Added to the variance.
        epsilon: f64,
    },
    /// Each sample over groups of neighbouring features. One group is layer normalisation.
    Sample {
        /// Number of groups, a divisor of every hidden layer's size.
        num_groups: usize,
        /// Added to the variance.
        epsilon: f64,
        /// Whether the result is scaled and shifted per feature.
        has_scale: bool,
    },
}

impl Normalization {
    /// Whether it has a scale and a shift.
    pub(crate) fn has_scale(self) -> bool {
        match self {
            Self::None => false,
            Self::Batch { .. } => true,
            Self::Sample { has_scale, .. } => has_scale,
        }
    }

    /// Whether it compares the rows of a batch, and has running statistics for that.
    pub(crate) fn compares_rows(self) -> bool {
        matches!(self, Self::Batch { .. })
    }
}

/// A loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// Binary cross-entropy of a logit.
    BceWithLogits,
    /// Binary cross-entropy of a logit, with a weight for class 1.
    WeightedBceWithLogits {
        /// The weight of class 1; class 0 has the weight 1.
        positive_weight: f64,
    },
    /// Binary cross-entropy of a probability, its logarithms at least −100.
    Bce,
    /// Binary cross-entropy of a probability, which is bounded first.
    BceNaive,
    /// Cross-entropy of the softmax.
    CrossEntropy,
    /// Cross-entropy of the softmax, with targets that are smoothed first.
    SmoothedCrossEntropy {
        /// The share of each target that is spread evenly over all classes.
        label_smoothing: f64,
    },
    /// Cross-entropy of the softmax, as it stands in a textbook.
    CrossEntropyNaive,
    /// Kullback-Leibler divergence of the softmax from the targets: the cross-entropy less the entropy of the targets.
    KlDivergence {
        /// The share of each target that is spread evenly over all classes first.
        label_smoothing: f64,
    },
    /// Squared error.
    Mse,
    /// Absolute error.
    Mae,
    /// Squared error near zero, absolute error beyond `delta`.
    Huber {
        /// Where the absolute error begins.
        delta: f64,
    },
    /// `ln cosh(x − y)`
    LogCosh,
    /// Absolute error, with a weight for outputs that are too small and another for those too large.
    Quantile {
        /// The weight of outputs that are too small; the others have the rest to 1.
        quantile: f64,
    },
    /// `exp(x) − y x`
    Poisson,
    /// `max(0, 1 − s z)` with the sign `s` of the class.
    Hinge,
    /// Binary cross-entropy of a logit, less for samples that are classified well.
    Focal {
        /// The exponent of the factor for samples that are classified well.
        gamma: f64,
        /// The weight of class 1; class 0 has the rest to 1.
        alpha: f64,
    },
}

impl Loss {
    /// Whether each sample has one loss, whatever the number of outputs.
    pub fn is_per_sample(self) -> bool {
        matches!(
            self,
            Self::CrossEntropy
                | Self::SmoothedCrossEntropy { .. }
                | Self::CrossEntropyNaive
                | Self::KlDivergence { .. }
        )
    }

    /// The share of each target that is spread evenly over all classes before the loss is computed.
    #[cfg(feature = "gpu")]
    pub(crate) fn label_smoothing(self) -> f64 {
        match self {
            Self::SmoothedCrossEntropy { label_smoothing }
            | Self::KlDivergence { label_smoothing } => label_smoothing,
            _ => 0.0,
        }
    }
}

/// How the losses of a batch become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// The mean, over samples for a cross-entropy and over all elements for the others.
    Mean,
    /// The sum.
    Sum,
}

/// The update rule of an optimiser and its hyperparameters. The learning rate comes with each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent. It has a buffer, the velocity, if there is momentum.
    Sgd {
        /// Share of the last update that is added to the next one.
        momentum: f64,
        /// Whether to look ahead along the momentum.
        nesterov: bool,
        /// Factor of the L2 penalty.
        weight_decay: f64,
    },
    /// Adam. Its buffers are the means of the gradients and of their squares.
    Adam {
        /// Decay of the mean of gradients.
        beta_1: f64,
        /// Decay of the mean of squared gradients.
        beta_2: f64,
        /// Added to the denominator.
        epsilon: f64,
        /// Factor of the L2 penalty.
        weight_decay: f64,
        /// Share of each parameter that is removed per unit of learning rate, as in AdamW.
        decoupled_decay: f64,
    },
    /// Adam with Nesterov momentum. Its buffers are those of Adam.
    NAdam {
        /// Decay of the mean of gradients.
        beta_1: f64,
        /// Decay of the mean of squared gradients.
        beta_2: f64,
        /// Added to the denominator.
        epsilon: f64,
        /// How soon the momentum grows from half of `beta_1` to all of it.
        momentum_decay: f64,
        /// Factor of the L2 penalty.
        weight_decay: f64,
    },
    /// AdaGrad. Its buffer is the sum of squared gradients.
    AdaGrad {
        /// Added to the denominator.
        epsilon: f64,
        /// Factor of the L2 penalty.
        weight_decay: f64,
    },
    /// RMSprop. Its buffers are the mean of squared gradients, and the velocity if there is momentum.
    RmsProp {
        /// Decay of the mean of squared gradients.
        alpha: f64,
        /// Added to the denominator.
        epsilon: f64,
        /// Share of the last update that is added to the next one.
        momentum: f64,
        /// Factor of the L2 penalty.
        weight_decay: f64,
    },
}

impl Optimizer {
    /// Factor of the L2 penalty.
    #[cfg(feature = "gpu")]
    pub(crate) fn weight_decay(self) -> f64 {
        match self {
            Self::Sgd { weight_decay, .. }
            | Self::Adam { weight_decay, .. }
            | Self::NAdam { weight_decay, .. }
            | Self::AdaGrad { weight_decay, .. }
            | Self::RmsProp { weight_decay, .. } => weight_decay,
        }
    }

    /// Number of buffers, each as long as all parameters together.
    pub fn num_buffers(self) -> usize {
        match self {
            Self::Sgd { momentum, .. } => usize::from(momentum > 0.0),
            Self::Adam { .. } | Self::NAdam { .. } => 2,
            Self::AdaGrad { .. } => 1,
            Self::RmsProp { momentum, .. } => 1 + usize::from(momentum > 0.0),
        }
    }
}

/// What the loss adds for the size of all weights: `l1 Σ|w| + l2 Σw² / 2`. Biases, scales and shifts are free.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty {
    /// Factor of the sum of absolute weights.
    pub l1: f64,
    /// Factor of half the sum of squared weights.
    pub l2: f64,
}

/// Normally distributed numbers that each step adds to the gradients, of mean 0 and less and less deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientNoise {
    /// The standard deviation in the first step.
    pub std: f64,
    /// The variance falls as `1 / (1 + t)^decay` with the number of steps `t`.
    pub decay: f64,
}

/// An average of the parameters over steps. It follows from the number of the step alone, so it has no state but itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Average {
    /// `decay · average + (1 − decay) · parameters` after each step; the parameters themselves after the first.
    Exponential {
        /// The share of the average that is kept.
        decay: f64,
    },
    /// The mean of the parameters at the ends of epochs.
    Epochs {
        /// Epochs that do not count, at the start.
        skipped: u64,
        /// Steps of an epoch.
        steps_per_epoch: u64,
    },
}

impl Average {
    /// The weight of the parameters after so many steps in the average, which the rest of it keeps; none if they do not
    /// count.
    pub fn weight(self, step: u64) -> Option<f64> {
        match self {
            Self::Exponential { decay } => Some(if step == 1 { 1.0 } else { 1.0 - decay }),
            Self::Epochs {
                skipped,
                steps_per_epoch,
            } => {
                let epoch = step / steps_per_epoch.max(1);
                let counts = step.is_multiple_of(steps_per_epoch.max(1)) && epoch > skipped;
                counts.then(|| 1.0 / (epoch - skipped) as f64)
            }
        }
    }

    /// Whether there is an average after so many steps.
    pub fn has_begun(self, step: u64) -> bool {
        match self {
            Self::Exponential { .. } => step > 0,
            Self::Epochs {
                skipped,
                steps_per_epoch,
            } => step / steps_per_epoch.max(1) > skipped,
        }
    }
}

/// A bound on the gradients of one network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clipping {
    /// Every element into `[−value, value]`.
    Value(f64),
    /// All gradients scaled together so that their joint 2-norm is at most this.
    Norm(f64),
}

impl Plan {
    /// A multilayer perceptron with biases and a linear output layer, trained on the mean of a loss, and nothing else.
    ///
    /// # Panics
    /// If there are fewer than two sizes.
    pub fn new(sizes: &[usize], activation: Activation, loss: Loss, optimizer: Optimizer) -> Self {
        let mut activations = vec![activation; sizes.len() - 1];
        activations[sizes.len() - 2] = Activation::Linear;
        Self {
            sizes: sizes.to_vec(),
            has_bias: true,
            activations,
            normalizations: Vec::new(),
            dropout: Vec::new(),
            residual: Vec::new(),
            loss,
            reduction: Reduction::Mean,
            optimizer,
            penalty: None,
            clipping: None,
            noise: None,
            max_norm: None,
            average: None,
        }
    }

    /// Number of linear layers.
    pub fn num_layers(&self) -> usize {
        self.sizes.len().saturating_sub(1)
    }

    /// Number of inputs.
    pub fn d_input(&self) -> usize {
        self.sizes.first().copied().unwrap_or(0)
    }

    /// Number of outputs.
    pub fn d_output(&self) -> usize {
        self.sizes.last().copied().unwrap_or(0)
    }

    /// The sizes of the hidden layers.
    pub fn hidden(&self) -> &[usize] {
        match self.sizes.as_slice() {
            [_, hidden @ .., _] => hidden,
            _ => &[],
        }
    }

    /// The share of units that a step drops behind a layer.
    pub fn dropout_of(&self, layer: usize) -> f64 {
        self.dropout.get(layer).copied().unwrap_or(0.0)
    }

    /// Whether a layer adds its inputs to its outputs.
    pub fn is_residual_layer(&self, layer: usize) -> bool {
        self.residual.get(layer).copied().unwrap_or(false)
    }

    /// The normalisation of a layer. The output layer has none.
    pub fn normalization_of(&self, layer: usize) -> Normalization {
        let one = self.normalizations.get(layer).copied();
        one.unwrap_or(Normalization::None)
    }

    /// The normalisation of all hidden layers, if they share one.
    #[cfg(feature = "gpu")]
    pub(crate) fn shared_normalization(&self) -> Option<Normalization> {
        let first = self.normalization_of(0);
        let mut hidden = 0..self.hidden().len();
        hidden
            .all(|layer| self.normalization_of(layer) == first)
            .then_some(first)
    }

    /// Number and size of each hidden layer whose normalisation has a property.
    fn hidden_with(
        &self,
        has_property: impl Fn(Normalization) -> bool,
    ) -> impl Iterator<Item = (usize, usize)> {
        let hidden = self.hidden().iter().copied().enumerate();
        hidden.filter(move |(layer, _)| has_property(self.normalization_of(*layer)))
    }

    /// The lengths of the parameters in the order of [`State::parameters`]: weight and bias of each layer, then scale
    /// and shift of each hidden layer.
    pub fn parameter_lengths(&self) -> Vec<usize> {
        let mut lengths = Vec::new();
        for pair in self.sizes.windows(2) {
            lengths.push(pair[0] * pair[1]);
            if self.has_bias {
                lengths.push(pair[1]);
            }
        }
        let scaled = self.hidden_with(Normalization::has_scale);
        lengths.extend(scaled.flat_map(|(_, size)| [size, size]));
        lengths
    }

    /// Number of trained numbers.
    pub fn num_parameters(&self) -> usize {
        self.parameter_lengths().iter().sum()
    }

    /// Number of buffers of a state: those of the optimiser, and the average of the parameters if there is one.
    pub fn num_buffers(&self) -> usize {
        self.optimizer.num_buffers() + usize::from(self.average.is_some())
    }

    /// Number of running statistics: mean and variance of each hidden layer, for batch normalisation.
    pub fn num_running(&self) -> usize {
        let sizes = self.hidden_with(Normalization::compares_rows);
        2 * sizes.map(|(_, size)| size).sum::<usize>()
    }

    /// Checks that the lengths of a plan and of a state fit together.
    ///
    /// # Errors
    /// [`PlanError`] naming what does not fit.
    pub fn check<T>(&self, state: &State<T>) -> Result<(), PlanError> {
        let expect = |what, expected: usize, found: usize| match expected == found {
            true => Ok(()),
            false => Err(PlanError {
                what,
                expected,
                found,
            }),
        };
        expect("layers", self.num_layers().max(1), self.num_layers())?;
        expect("activations", self.num_layers(), self.activations.len())?;
        for &size in &self.sizes {
            expect("numbers of a layer", size.max(1), size)?;
        }
        if !self.dropout.is_empty() {
            expect("rates of dropout", self.hidden().len(), self.dropout.len())?;
        }
        if !self.residual.is_empty() {
            expect("residual layers", self.hidden().len(), self.residual.len())?;
        }
        for layer in (0..self.num_layers()).filter(|&layer| self.is_residual_layer(layer)) {
            expect("layers before a residual one", layer.max(1), layer)?;
            expect(
                "outputs of a residual layer",
                self.sizes[layer],
                self.sizes[layer + 1],
            )?;
        }
        if !self.normalizations.is_empty() {
            let found = self.normalizations.len();
            expect("normalisations", self.hidden().len(), found)?;
        }
        for (layer, &size) in self.hidden().iter().enumerate() {
            if let Normalization::Sample { num_groups, .. } = self.normalization_of(layer) {
                let is_divisor = num_groups > 0 && size.is_multiple_of(num_groups);
                expect(
                    "groups of a layer",
                    if is_divisor { num_groups } else { 1 },
                    num_groups,
                )?;
            }
        }
        let num_parameters = self.num_parameters();
        expect("parameters", num_parameters, state.parameters.len())?;
        expect(
            "running statistics",
            self.num_running(),
            state.running.len(),
        )?;
        let num_buffers = self.num_buffers();
        expect("buffers", num_buffers, state.buffers.len())?;
        let mut buffers = state.buffers.iter();
        buffers.try_for_each(|buffer| expect("numbers of a buffer", num_parameters, buffer.len()))
    }
}

/// A state that does not fit its plan, or a plan that does not fit itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} {what}, found {found}")]
pub struct PlanError {
    what: &'static str,
    expected: usize,
    found: usize,
}

/// The numbers of one network and its optimiser.
#[derive(Debug, Clone, PartialEq)]
pub struct State<T> {
    /// Weight `[d_input × d_output]` and bias `[d_output]` of each layer, row by row, then scale and shift of each
    /// hidden layer's normalisation.
    pub parameters: Vec<T>,
    /// Running mean and running variance of each hidden layer, for batch normalisation.
    pub running: Vec<T>,
    /// The buffers of the optimiser and the average of the parameters, each laid out like the parameters; zero before the
    /// first step.
    pub buffers: Vec<Vec<T>>,
    /// Steps done so far; Adam's bias corrections, the masks of dropout and the noise of gradients depend on it.
    pub step: u64,
    /// The seed of the masks of dropout and of the noise of gradients.
    pub step_seed: u64,
}

/// The samples of one split, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a, T> {
    /// `[num_samples × d_input]`
    pub inputs: &'a [T],
    /// `[num_samples × d_output]`; one-hot for a cross-entropy.
    pub targets: &'a [T],
    /// The weight of each sample's loss, `[num_samples]`, if there are weights.
    pub weights: Option<&'a [T]>,
    /// The foreground of the inputs, if they are mostly background.
    pub foreground: Option<&'a Foreground<T>>,
}

/// The results of steps or of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Results<T> {
    /// Samples in each batch.
    pub sizes: Vec<usize>,
    /// The loss of each batch, reduced.
    pub losses: Vec<T>,
    /// The raw outputs of all batches, `[num_samples × d_output]` row by row, in the order of their rows; of a step
    /// those before its update.
    pub outputs: Vec<T>,
}

impl<T> Default for Results<T> {
    fn default() -> Self {
        Self {
            sizes: Vec::new(),
            losses: Vec::new(),
            outputs: Vec::new(),
        }
    }
}
