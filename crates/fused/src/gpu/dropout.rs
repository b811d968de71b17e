//! The masks of dropout inside the kernel: the same as those of [`DropoutMask`](crate::DropoutMask).

use cubecl::prelude::*;

use super::layout::{Dropout, Layer};
use super::math::Four;
use crate::dropout::{GOLDEN, MULTIPLIERS};

/// What the masks of a tile of rows follow from.
#[derive(CubeType, Clone, Copy)]
pub(super) struct MaskSource {
    /// The lower and the upper half of the replica's seed.
    pub low: u32,
    pub high: u32,
    /// The number of steps done before.
    pub step: u32,
    /// The row of the batch that is the tile's first.
    pub first_row: u32,
}

/// The keys of a layer's mask.
#[derive(CubeType, Clone, Copy)]
pub(super) struct MaskKeys {
    first: u32,
    second: u32,
}

/// The keys of a layer's mask.
#[cube]
pub(super) fn mask_keys(source: &MaskSource, #[comptime] layer: Layer) -> MaskKeys {
    let of_layer = mix(comptime!(layer.index as u32) + source.low, source.high);
    let first = mix(source.step + of_layer, source.low);
    let second = mix(first + comptime!(GOLDEN), source.high);
    MaskKeys { first, second }
}

/// The factors of four neighbouring units of a row of the tile.
#[cube]
pub(super) fn factors(
    source: &MaskSource,
    keys: &MaskKeys,
    row: usize,
    vector: usize,
    #[comptime] dropout: Dropout,
    #[comptime] layer: Layer,
) -> Four {
    let row = source.first_row + row as u32;
    let first = row * comptime!(layer.d_out as u32) + vector as u32 * 4 + keys.first;
    let mut factors = Four::new(0.0);
    #[unroll]
    for component in 0..4usize {
        let number = mix(first + comptime!(component as u32), keys.second);
        let is_dropped = number < comptime!(dropout.threshold);
        factors.insert(
            component,
            select(is_dropped, 0.0, comptime!(dropout.factor.value())),
        );
    }
    factors
}

#[cube]
fn mix(x: u32, key: u32) -> u32 {
    let x = (x ^ (x >> 16)) * comptime!(MULTIPLIERS[0]);
    let x = ((x ^ (x >> 15)) ^ key) * comptime!(MULTIPLIERS[1]);
    x ^ (x >> 15)
}
