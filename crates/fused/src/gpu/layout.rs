//! Where everything of one replica lies inside its cube: weights, gradients, and the records of its rows.
//!
//! All sizes and places are counted in vectors of four numbers. A row's record holds its inputs, and for each hidden
//! layer its values and the gradient by them; its length is odd, so that units that read the same place of neighbouring
//! records read different banks of shared memory. Weight `(i, j)` of a layer lies in vector
//! `((i mod 4) ⌈d_in / 4⌉ + ⌊i / 4⌋) stride + ⌊j / 4⌋`, component `j mod 4`: the forward pass reads four rows of a
//! weight, the backward pass its columns, neither with conflicts.

use super::activation::Curve;
use super::bits::Bits;
use super::error::GpuError;
use crate::dropout::threshold;
use crate::{Clipping, Loss, Normalization, Optimizer, Plan, Reduction};

/// Bytes of a vector of four numbers.
pub(super) const BYTES: usize = 16;

/// The fewest rows that a tile in shared memory should have.
const FEWEST_ROWS: usize = 8;

/// Rows of a tile whose records lie in global memory.
const GLOBAL_ROWS: usize = 64;

/// The most vectors that a unit loads ahead of their use.
const MOST_AHEAD: usize = 8;

/// The fewest rows of a slice whose gradients are added up apart.
const ROWS_OF_SLICE: usize = 16;

/// Units that add up the losses of an evaluation.
pub(super) const SUMMING_UNITS: usize = 32;

/// Everything that a kernel is compiled for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Layout {
    /// Units of a cube.
    pub units: usize,
    /// Rows of a step.
    pub batch_size: usize,
    /// Rows that are trained together.
    pub tile: usize,
    /// Length of a row's record.
    pub record: usize,
    /// Length of a sample: inputs, targets and the weight of its loss.
    pub sample: usize,
    /// Whether samples have a weight.
    pub has_sample_weights: bool,
    /// The linear layers with what follows them.
    pub layers: Vec<Layer>,
    /// The parameters in pieces of equal shape.
    pub pieces: Vec<Piece>,
    /// Length of the trained parameters.
    pub parameters: usize,
    /// Length of the parameters and the running statistics.
    pub weights: usize,
    /// Number of the optimiser's buffers.
    pub num_buffers: usize,
    /// Length of the part of the state that lasts: parameters, running statistics and buffers.
    pub saved: usize,
    /// Number of slices of a tile's rows whose gradients are added up apart.
    pub slices: usize,
    /// Whether the unit that adds up a gradient updates the weights at once, so that no gradient is stored.
    pub is_direct: bool,
    /// Place of the gradients.
    pub gradients: usize,
    /// Length of the state: parameters, running statistics, buffers, gradients and the statistics of batches.
    pub state: usize,
    /// Whether the state lies in shared memory.
    pub is_state_shared: bool,
    /// Whether the records of rows lie in shared memory.
    pub are_records_shared: bool,
    /// Units whose partial sums are added up.
    pub partial_sums: usize,
    /// The normalisation of hidden layers.
    pub normalization: Standardization,
    /// The loss.
    pub error: Error,
    /// Whether the losses of a batch are divided by their number.
    pub is_mean: bool,
    /// The optimiser.
    pub rule: Rule,
    /// Factor of the L2 penalty.
    pub weight_decay: Bits,
    /// Factors of the penalty for the size of weights.
    pub penalty: Option<[Bits; 2]>,
    /// The bound on gradients.
    pub bound: Option<Bound>,
    /// The bound on the weights that lead to one unit.
    pub max_norm: Option<Bits>,
    /// How outputs are counted.
    pub measure: Measure,
}

/// A linear layer, its normalisation and its activation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Layer {
    pub d_in: usize,
    pub d_out: usize,
    /// ⌈d_in / 4⌉
    pub in_vectors: usize,
    /// ⌈d_out / 4⌉
    pub out_vectors: usize,
    /// Distance from one row of the weight to the next of the same remainder.
    pub stride: usize,
    /// Place of the weight.
    pub weight: usize,
    /// Place of the bias.
    pub bias: usize,
    pub has_bias: bool,
    /// Places of the normalisation's scale and shift, if there are any.
    pub scale: usize,
    pub shift: usize,
    /// Places of the running mean and variance, and of a batch's mean and inverse deviation.
    pub running_mean: usize,
    pub running_variance: usize,
    pub batch_mean: usize,
    pub batch_factor: usize,
    /// Places in a record: inputs, values, gradient, numbers before the activation, means of the groups.
    pub inputs: usize,
    pub values: usize,
    pub delta: usize,
    pub normal: usize,
    pub groups: usize,
    /// Rows that one unit computes in the forward and the backward pass.
    pub forward_rows: usize,
    pub backward_rows: usize,
    pub curve: Curve,
    pub is_output: bool,
    /// Its place among the layers.
    pub index: usize,
    pub dropout: Option<Dropout>,
    /// Whether it adds its inputs to its outputs, and the place in a record of the gradient by its outputs then.
    pub is_residual: bool,
    pub skip: usize,
}

/// The dropout of a layer as a kernel is compiled for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Dropout {
    /// Random numbers below this drop their unit.
    pub threshold: u32,
    /// The factor of the other units.
    pub factor: Bits,
}

/// A weight, whose gradient is added up in tiles of 4 × 4, or a vector of parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Piece {
    /// Number of the first tile.
    pub first: usize,
    /// Number of tiles.
    pub count: usize,
    /// Tiles side by side.
    pub columns: usize,
    /// Places in a record of what is multiplied: inputs and gradient of the layer.
    pub inputs: usize,
    pub delta: usize,
    /// Place of the first vector, and distances to the next row of tiles and to the next row in a tile.
    pub place: usize,
    pub row: usize,
    pub step: usize,
    /// Rows and columns that exist; rows is 1 for a vector, and 0 for what is not trained.
    pub d_in: usize,
    pub d_out: usize,
    pub is_vector: bool,
    /// Whether the gradient comes from the records of rows, not from the pass through a normalisation.
    pub has_records: bool,
}

/// A [`Normalization`] as a kernel is compiled for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Standardization {
    None,
    Batch {
        momentum: Bits,
        epsilon: Bits,
    },
    Sample {
        num_groups: usize,
        epsilon: Bits,
        has_scale: bool,
    },
}

/// A [`Loss`] as a kernel is compiled for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Error {
    BceWithLogits,
    CrossEntropy,
    KlDivergence,
    Mse,
    Mae,
    Huber { delta: Bits },
    Hinge,
    Focal { gamma: Bits, alpha: Bits },
    WeightedBceWithLogits { more: Bits },
    LogCosh,
    Quantile { tilt: Bits },
    Poisson,
}

impl Error {
    /// Whether a row has one loss, that of the softmax of its outputs.
    pub(super) fn is_of_softmax(self) -> bool {
        matches!(self, Self::CrossEntropy | Self::KlDivergence)
    }
}

/// An [`Optimizer`] as a kernel is compiled for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Rule {
    Sgd {
        momentum: Bits,
        nesterov: bool,
    },
    Adam {
        decays: Decays,
        is_decoupled: bool,
    },
    NAdam {
        decays: Decays,
    },
    AdaGrad {
        epsilon: Bits,
    },
    RmsProp {
        alpha: Bits,
        rest: Bits,
        epsilon: Bits,
        momentum: Bits,
    },
}

/// The decays of Adam's and NAdam's means, what each leaves for the gradient, and the number added to the denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Decays {
    pub beta_1: Bits,
    pub rest_1: Bits,
    pub beta_2: Bits,
    pub rest_2: Bits,
    pub epsilon: Bits,
}

impl Decays {
    fn new(beta_1: f64, beta_2: f64, epsilon: f64) -> Self {
        Self {
            beta_1: beta_1.into(),
            rest_1: (1.0 - beta_1).into(),
            beta_2: beta_2.into(),
            rest_2: (1.0 - beta_2).into(),
            epsilon: epsilon.into(),
        }
    }
}

/// A [`Clipping`] as a kernel is compiled for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Bound {
    Value(Bits),
    Norm(Bits),
}

/// How the kernel measures outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Measure {
    /// Losses alone.
    Losses,
    /// The outputs themselves.
    Outputs,
    /// Confusion counts of one output: class 1 above the threshold.
    Threshold(Bits),
    /// Confusion counts of one output for each class.
    Classes,
}

impl Measure {
    /// Number of counts for each split and epoch.
    pub(super) fn cells(self, d_output: usize) -> usize {
        match self {
            Self::Losses | Self::Outputs => 0,
            Self::Threshold(_) => 4,
            Self::Classes => d_output * d_output,
        }
    }
}

/// The memory and the units that a cube may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CubeLimits {
    /// Bytes of shared memory.
    pub shared_memory: usize,
    /// Most units.
    pub units: usize,
}

impl Layout {
    /// The layout for batches of up to `batch_size` rows.
    ///
    /// # Errors
    /// [`GpuError::NotCovered`] for a loss that has no kernel, for noise of gradients, for averaged weights, and for
    /// normalisations that differ from layer to layer.
    pub(super) fn new(
        plan: &Plan,
        batch_size: usize,
        has_sample_weights: bool,
        measure: Measure,
        limits: CubeLimits,
    ) -> Result<Self, GpuError> {
        if plan.noise.is_some() {
            return Err(GpuError::NotCovered("noise of gradients"));
        }
        if plan.average.is_some() {
            return Err(GpuError::NotCovered("averaged weights"));
        }
        let Some(normalization) = plan.shared_normalization() else {
            return Err(GpuError::NotCovered(
                "normalisations that differ from layer to layer",
            ));
        };
        let mut layout = Self {
            units: 0,
            batch_size: batch_size.max(1),
            tile: 0,
            record: 0,
            sample: 0,
            has_sample_weights,
            layers: Vec::new(),
            pieces: Vec::new(),
            parameters: 0,
            weights: 0,
            num_buffers: plan.optimizer.num_buffers(),
            saved: 0,
            slices: 1,
            is_direct: false,
            gradients: 0,
            state: 0,
            is_state_shared: false,
            are_records_shared: false,
            partial_sums: SUMMING_UNITS,
            normalization: standardization(normalization),
            error: error(plan.loss)?,
            is_mean: plan.reduction == Reduction::Mean,
            rule: rule(plan.optimizer),
            weight_decay: plan.optimizer.weight_decay().into(),
            penalty: (plan.penalty).map(|penalty| [penalty.l1, penalty.l2].map(Bits::from)),
            max_norm: plan.max_norm.map(Bits::from),
            bound: plan.clipping.map(|clipping| match clipping {
                Clipping::Value(value) => Bound::Value(value.into()),
                Clipping::Norm(norm) => Bound::Norm(norm.into()),
            }),
            measure,
        };
        layout.place_parameters(plan);
        layout.place_records(plan);
        layout.list_pieces(plan);
        layout.choose_memory(limits);
        layout.choose_rows_of_units();
        Ok(layout)
    }

    fn place_parameters(&mut self, plan: &Plan) {
        let mut place = 0;
        let mut take = |length: usize| {
            place += length;
            place - length
        };
        let last = plan.num_layers() - 1;
        for (index, pair) in plan.sizes.windows(2).enumerate() {
            let (in_vectors, out_vectors) = (pair[0].div_ceil(4), pair[1].div_ceil(4));
            // Only the backward pass reads rows of a weight, and it ends before the first layer.
            let stride = if index == 0 {
                out_vectors
            } else {
                out_vectors | 1
            };
            self.layers.push(Layer {
                d_in: pair[0],
                d_out: pair[1],
                in_vectors,
                out_vectors,
                stride,
                weight: take(4 * in_vectors * stride),
                // The sum of losses lies beside the gradient of the last bias.
                bias: take(if index == last {
                    (pair[1] + 1).div_ceil(4)
                } else {
                    out_vectors
                }),
                has_bias: plan.has_bias,
                scale: 0,
                shift: 0,
                running_mean: 0,
                running_variance: 0,
                batch_mean: 0,
                batch_factor: 0,
                inputs: 0,
                values: 0,
                delta: 0,
                normal: 0,
                groups: 0,
                forward_rows: 1,
                backward_rows: 1,
                curve: plan.activations[index].into(),
                is_output: index == last,
                index,
                dropout: match plan.dropout_of(index) {
                    0.0 => None,
                    rate => Some(Dropout {
                        threshold: threshold(rate),
                        factor: (1.0 / (1.0 - rate)).into(),
                    }),
                },
                is_residual: plan.is_residual_layer(index),
                skip: 0,
            });
        }
        let (hidden, _) = self.layers.split_at_mut(last);
        if plan.normalization_of(0).has_scale() {
            for layer in hidden.iter_mut() {
                layer.scale = take(layer.out_vectors);
                layer.shift = take(layer.out_vectors);
            }
        }
        self.parameters = take(0);
        if let Standardization::Batch { .. } = self.normalization {
            for layer in hidden.iter_mut() {
                layer.running_mean = take(layer.out_vectors);
                layer.running_variance = take(layer.out_vectors);
            }
        }
        self.weights = take(0);
        take(self.num_buffers * self.parameters);
        self.saved = take(0);
        if let Standardization::Batch { .. } = self.normalization {
            for layer in hidden.iter_mut() {
                layer.batch_mean = take(layer.out_vectors);
                layer.batch_factor = take(layer.out_vectors);
            }
        }
        self.gradients = take(0);
    }

    fn place_records(&mut self, plan: &Plan) {
        let mut place = 0;
        let mut take = |length: usize| {
            place += length;
            place - length
        };
        let mut inputs = take(plan.d_input().div_ceil(4));
        for layer in &mut self.layers {
            layer.inputs = inputs;
            if layer.is_output {
                // Outputs first, then the gradient by them with the row's loss behind it.
                layer.delta = take((layer.d_out + 1).div_ceil(4));
                layer.values = layer.delta;
                if layer.curve != Curve::Linear {
                    layer.normal = take(layer.out_vectors);
                }
            } else {
                layer.values = take(layer.out_vectors);
                layer.delta = take(layer.out_vectors);
                if layer.is_residual {
                    layer.skip = take(layer.out_vectors);
                }
                if self.normalization != Standardization::None {
                    layer.normal = take(layer.out_vectors);
                }
                if let Standardization::Sample { num_groups, .. } = self.normalization {
                    layer.groups = take(num_groups);
                }
            }
            inputs = layer.values;
        }
        self.record = take(0) | 1;
        self.sample = plan.d_input().div_ceil(4)
            + plan.d_output().div_ceil(4)
            + usize::from(self.has_sample_weights);
    }

    fn list_pieces(&mut self, plan: &Plan) {
        let mut pieces = Vec::new();
        let mut first = 0;
        let mut push = |count, piece: Piece| {
            pieces.push(Piece {
                first,
                count,
                ..piece
            });
            first += count;
        };
        let vector = |place, columns, d_out| Piece {
            first: 0,
            count: 0,
            columns,
            inputs: 0,
            delta: 0,
            place,
            row: 0,
            step: 0,
            d_in: 1,
            d_out,
            is_vector: true,
            has_records: false,
        };
        for layer in &self.layers {
            push(
                layer.in_vectors * layer.out_vectors,
                Piece {
                    first: 0,
                    count: 0,
                    columns: layer.out_vectors,
                    inputs: layer.inputs,
                    delta: layer.delta,
                    place: layer.weight,
                    row: layer.stride,
                    step: layer.in_vectors * layer.stride,
                    d_in: layer.d_in,
                    d_out: layer.d_out,
                    is_vector: false,
                    has_records: true,
                },
            );
        }
        for layer in self
            .layers
            .iter()
            .filter(|layer| layer.has_bias || layer.is_output)
        {
            let columns = match layer.is_output {
                true => (layer.d_out + 1).div_ceil(4),
                false => layer.out_vectors,
            };
            let piece = Piece {
                delta: layer.delta,
                d_in: usize::from(layer.has_bias),
                has_records: true,
                ..vector(layer.bias, columns, layer.d_out)
            };
            push(columns, piece);
        }
        if plan.normalization_of(0).has_scale() {
            let last = self.layers.len() - 1;
            for layer in &self.layers[..last] {
                for place in [layer.scale, layer.shift] {
                    push(
                        layer.out_vectors,
                        vector(place, layer.out_vectors, layer.d_out),
                    );
                }
            }
        }
        self.pieces = pieces;
    }

    /// Number of 4 × 4 tiles and vectors whose gradient comes from the records of rows.
    pub(super) fn num_record_items(&self) -> usize {
        let of_records = self.pieces.iter().filter(|piece| piece.has_records);
        of_records.map(|piece| piece.count).sum()
    }

    /// Number of 4 × 4 tiles of weights, which come before all vectors.
    pub(super) fn num_tiles(&self) -> usize {
        let tiles = self.pieces.iter().filter(|piece| !piece.is_vector);
        tiles.map(|piece| piece.count).sum()
    }

    /// Number of rows of four parameters: four for each tile, one for each vector.
    pub(super) fn num_parameter_rows(&self) -> usize {
        let items: usize = self.pieces.iter().map(|piece| piece.count).sum();
        items + 3 * self.num_tiles()
    }

    /// Whether each unit adds up at most one gradient of a tile of rows.
    pub(super) fn is_one_item_each(&self) -> bool {
        self.num_record_items() * self.slices <= self.units
    }

    /// Whether the unit that computes the outputs of a row computes its loss, too.
    pub(super) fn is_loss_fused(&self) -> bool {
        let output = &self.layers[self.layers.len() - 1];
        output.out_vectors == 1 && output.forward_rows == 1
    }

    /// Vectors of a tile's inputs that each unit loads ahead; 0 if there are too many for its registers.
    pub(super) fn inputs_ahead(&self) -> usize {
        let vectors = (self.tile * self.layers[0].in_vectors).div_ceil(self.units);
        if vectors <= MOST_AHEAD { vectors } else { 0 }
    }

    /// Vectors of a row's targets and its weight.
    pub(super) fn target_vectors(&self) -> usize {
        self.sample - self.layers[0].in_vectors
    }

    /// Rows whose targets each unit loads ahead; 0 if there are too many for its registers.
    pub(super) fn targets_ahead(&self) -> usize {
        let rows = self.tile.div_ceil(self.units);
        let is_few = rows * self.target_vectors() <= MOST_AHEAD / 2;
        if is_few && self.inputs_ahead() > 0 {
            rows
        } else {
            0
        }
    }

    /// Place of the sum of a batch's losses among the gradients; it is the last component.
    pub(super) fn loss_sum(&self) -> usize {
        let output = &self.layers[self.layers.len() - 1];
        output.bias + (output.d_out + 1).div_ceil(4) - 1
    }

    fn choose_memory(&mut self, limits: CubeLimits) {
        let batch_size = self.batch_size;
        let batch_rows = batch_size.next_multiple_of(4);
        let needs_whole_batch = matches!(self.normalization, Standardization::Batch { .. });
        let is_norm_bound = matches!(self.bound, Some(Bound::Norm(_)));
        let widest = self.layers.iter().map(|layer| layer.out_vectors).max();
        let units = |tile: usize| {
            let work = (tile * widest.unwrap_or(1) / 4).max(self.num_record_items() / 2);
            let units = work.clamp(32, 256).next_power_of_two();
            units.min(limits.units.max(1))
        };
        let enough = if needs_whole_batch {
            batch_rows
        } else {
            batch_rows.min(FEWEST_ROWS)
        };
        let before_gradients = self.gradients;
        // The layout of a tile: units, slices, whether gradients are stored, length of the state.
        let with_tile = |tile: usize| {
            let units = units(tile);
            let slices =
                (units / self.num_record_items().max(1)).clamp(1, (tile / ROWS_OF_SLICE).max(1));
            let is_direct = slices == 1
                && tile >= batch_size
                && !is_norm_bound
                && self.normalization == Standardization::None;
            let gradients = if is_direct {
                0
            } else {
                slices * self.parameters
            };
            (units, slices, is_direct, before_gradients + gradients)
        };
        let available = |units: usize| {
            let sums = if is_norm_bound {
                units.max(SUMMING_UNITS)
            } else {
                SUMMING_UNITS
            };
            (limits.shared_memory / BYTES).saturating_sub(sums.div_ceil(4) + 1)
        };
        // The largest tile first: the whole batch, then the batch in equal parts.
        let tiles = (1..=batch_rows.div_ceil(4))
            .map(|parts| batch_rows.div_ceil(parts).next_multiple_of(4));
        let tiles: Vec<usize> = tiles.filter(|&tile| tile >= enough).collect();
        let fits = |is_state_shared: bool, are_records_shared: bool, tile: usize| {
            let (units, _, _, state) = with_tile(tile);
            let state = if is_state_shared { state } else { 0 };
            let records = if are_records_shared {
                tile * self.record
            } else {
                0
            };
            state + records <= available(units)
        };
        let global_tile = match needs_whole_batch {
            true => batch_rows,
            false => batch_rows.min(GLOBAL_ROWS),
        };
        let fitting = |is_state_shared| {
            tiles
                .iter()
                .copied()
                .find(|&tile| fits(is_state_shared, true, tile))
        };
        let (is_state_shared, are_records_shared, tile) = if let Some(tile) = fitting(true) {
            (true, true, tile)
        } else if needs_whole_batch && fits(true, false, global_tile) {
            (true, false, global_tile)
        } else if let Some(tile) = fitting(false) {
            (false, true, tile)
        } else {
            (false, false, global_tile)
        };
        let (units, slices, is_direct, state) = with_tile(tile);
        if is_norm_bound {
            self.partial_sums = units.max(SUMMING_UNITS);
        }
        self.is_state_shared = is_state_shared;
        self.are_records_shared = are_records_shared;
        self.tile = tile;
        self.units = units;
        self.slices = slices;
        self.is_direct = is_direct;
        self.state = state;
    }

    /// One unit computes as many rows as make the pass shortest: it loads weights once for all of them.
    fn choose_rows_of_units(&mut self) {
        let (tile, units) = (self.tile, self.units);
        let best = |vectors: usize| {
            let duration = |rows: &usize| {
                let passes = (tile / rows * vectors).div_ceil(units);
                passes * (4 + rows)
            };
            [1, 2, 4].into_iter().min_by_key(duration).unwrap_or(1)
        };
        for layer in &mut self.layers {
            // The unit of a single vector of outputs computes the loss of its row at once.
            layer.forward_rows = match layer.is_output && layer.out_vectors == 1 {
                true => 1,
                false => best(layer.out_vectors),
            };
            layer.backward_rows = best(layer.in_vectors);
        }
    }

    /// Whether barriers must order global memory, too.
    pub(super) fn needs_storage_barriers(&self) -> bool {
        !self.is_state_shared || !self.are_records_shared
    }

    /// Bytes of shared memory that the kernel uses.
    #[cfg(test)]
    pub(super) fn shared_memory(&self) -> usize {
        let state = if self.is_state_shared { self.state } else { 0 };
        let records = if self.are_records_shared {
            self.tile * self.record
        } else {
            0
        };
        (state + records) * BYTES + self.partial_sums * 4 + 8
    }
}

fn standardization(normalization: Normalization) -> Standardization {
    match normalization {
        Normalization::None => Standardization::None,
        Normalization::Batch { momentum, epsilon } => Standardization::Batch {
            momentum: momentum.into(),
            epsilon: epsilon.into(),
        },
        Normalization::Sample {
            num_groups,
            epsilon,
            has_scale,
        } => Standardization::Sample {
            num_groups,
            epsilon: epsilon.into(),
            has_scale,
        },
    }
}

/// A loss as a kernel is compiled for it.
///
/// # Errors
/// [`GpuError::NotCovered`] for a loss that has no kernel.
pub(super) fn error(loss: Loss) -> Result<Error, GpuError> {
    Ok(match loss {
        Loss::BceWithLogits => Error::BceWithLogits,
        Loss::CrossEntropy => Error::CrossEntropy,
        Loss::Mse => Error::Mse,
        Loss::Mae => Error::Mae,
        Loss::Huber { delta } => Error::Huber {
            delta: delta.into(),
        },
        Loss::Hinge => Error::Hinge,
        Loss::Focal { gamma, alpha } => Error::Focal {
            gamma: gamma.into(),
            alpha: alpha.into(),
        },
        Loss::Bce => {
            return Err(GpuError::NotCovered(
                "binary cross-entropy of probabilities",
            ));
        }
        Loss::BceNaive => {
            return Err(GpuError::NotCovered("naive binary cross-entropy"));
        }
        Loss::CrossEntropyNaive => return Err(GpuError::NotCovered("naive cross-entropy")),
        Loss::WeightedBceWithLogits { positive_weight } => Error::WeightedBceWithLogits {
            more: (positive_weight - 1.0).into(),
        },
        // The samples' targets are smoothed.
        Loss::SmoothedCrossEntropy { .. } => Error::CrossEntropy,
        Loss::KlDivergence { .. } => Error::KlDivergence,
        Loss::LogCosh => Error::LogCosh,
        Loss::Quantile { quantile } => Error::Quantile {
            tilt: (quantile - 0.5).into(),
        },
        Loss::Poisson => Error::Poisson,
    })
}

/// An optimiser as a kernel is compiled for it.
pub(super) fn rule(optimizer: Optimizer) -> Rule {
    match optimizer {
        Optimizer::Sgd {
            momentum, nesterov, ..
        } => Rule::Sgd {
            momentum: momentum.into(),
            nesterov,
        },
        Optimizer::Adam {
            beta_1,
            beta_2,
            epsilon,
            decoupled_decay,
            ..
        } => Rule::Adam {
            decays: Decays::new(beta_1, beta_2, epsilon),
            is_decoupled: decoupled_decay > 0.0,
        },
        Optimizer::NAdam {
            beta_1,
            beta_2,
            epsilon,
            ..
        } => Rule::NAdam {
            decays: Decays::new(beta_1, beta_2, epsilon),
        },
        Optimizer::AdaGrad { epsilon, .. } => Rule::AdaGrad {
            epsilon: epsilon.into(),
        },
        Optimizer::RmsProp {
            alpha,
            epsilon,
            momentum,
            ..
        } => Rule::RmsProp {
            alpha: alpha.into(),
            rest: (1.0 - alpha).into(),
            epsilon: epsilon.into(),
            momentum: momentum.into(),
        },
    }
}
