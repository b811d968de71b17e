//! The masks of dropout: which units a step drops.
//!
//! A mask follows from the seed, the step, the layer, the row of the batch and the unit alone, by 32-bit integers that
//! every device computes alike. So no mask is stored, a resumed training drops what an uninterrupted one drops, and all
//! devices and engines drop the same units.

/// Multipliers of the mixing function with the least bias that has two of them: Wellons 2018 and TheIronBorn 2022,
/// <https://github.com/skeeto/hash-prospector>.
pub(crate) const MULTIPLIERS: [u32; 2] = [0x21f0_aaad, 0xd35a_2d97];

/// Added to a key to make the next one: 2³² over the golden ratio.
pub(crate) const GOLDEN: u32 = 0x9e37_79b9;

/// The units of one layer that one step drops.
///
/// # Source
/// Srivastava et al. 2014, <https://jmlr.org/papers/v15/srivastava14a.html>; scaled in training as in PyTorch's `Dropout`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutMask {
    keys: [u32; 2],
    threshold: u32,
    factor: f64,
}

impl DropoutMask {
    /// The mask of a layer's units in a step.
    ///
    /// - `rate`: the share of units that are dropped, in `[0, 1)`
    /// - `seed`: that of the network's masks
    /// - `step`: the number of steps done before
    /// - `layer`: the hidden layer, counted from 0
    pub fn new(rate: f64, seed: u64, step: u64, layer: usize) -> Self {
        Self {
            keys: keys(seed_words(seed), step as u32, layer as u32),
            threshold: threshold(rate),
            factor: 1.0 / (1.0 - rate),
        }
    }

    /// The factor of each unit that is kept.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// Whether a unit is dropped. `place` is `row · num_units + unit` for the row of the batch.
    #[inline(always)]
    pub fn drops(&self, place: u32) -> bool {
        let [first, second] = self.keys;
        mix(place.wrapping_add(first), second) < self.threshold
    }

    /// The factors of some rows of a batch: zero for dropped units, [`factor`](Self::factor) for the others.
    ///
    /// # Shapes
    /// - result: `[num_rows × num_units]`
    pub fn factors(&self, num_rows: usize, num_units: usize) -> Vec<f64> {
        let places = 0..(num_rows * num_units) as u32;
        let factor = |place| if self.drops(place) { 0.0 } else { self.factor };
        places.map(factor).collect()
    }
}

/// The lower and the upper half of a seed.
pub(crate) fn seed_words(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// Numbers below this one are dropped, of all 2³².
pub(crate) fn threshold(rate: f64) -> u32 {
    (rate * 2f64.powi(32)).round().min(f64::from(u32::MAX)) as u32
}

/// The keys of a layer's mask in a step.
pub(crate) fn keys([low, high]: [u32; 2], step: u32, layer: u32) -> [u32; 2] {
    let of_layer = mix(layer.wrapping_add(low), high);
    let first = mix(step.wrapping_add(of_layer), low);
    [first, mix(first.wrapping_add(GOLDEN), high)]
}

/// A number that seems random for each `x`, with a key that goes in half-way.
#[inline(always)]
pub(crate) fn mix(x: u32, key: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(MULTIPLIERS[0]);
    let x = ((x ^ (x >> 15)) ^ key).wrapping_mul(MULTIPLIERS[1]);
    x ^ (x >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of dropped units in a mask, and in where two masks agree.
    fn shares(one: DropoutMask, other: DropoutMask) -> (f64, f64) {
        let count = 1 << 16;
        let dropped = (0..count).filter(|&place| one.drops(place)).count();
        let equal = (0..count).filter(|&place| one.drops(place) == other.drops(place));
        (
            dropped as f64 / f64::from(count),
            equal.count() as f64 / f64::from(count),
        )
    }

    #[test]
    fn a_mask_drops_the_rate_and_is_independent_of_other_seeds_steps_and_layers() {
        for rate in [0.1, 0.5, 0.8] {
            let mask = DropoutMask::new(rate, 1, 2, 3);
            let others = [
                DropoutMask::new(rate, 2, 2, 3),
                DropoutMask::new(rate, 1 << 32, 2, 3),
                DropoutMask::new(rate, 1, 3, 3),
                DropoutMask::new(rate, 1, 2, 2),
                DropoutMask::new(rate, 1, 3, 2),
            ];
            for other in others {
                let (dropped, equal) = shares(mask, other);
                // Five standard deviations of 65,536 draws are at most 0.01.
                assert!((dropped - rate).abs() < 0.01, "{rate}: {dropped}");
                let expected = rate * rate + (1.0 - rate) * (1.0 - rate);
                assert!((equal - expected).abs() < 0.01, "{rate}: {equal}");
            }
        }
    }

    #[test]
    fn neighbouring_units_rows_and_steps_are_dropped_independently() {
        let num_units = 64;
        let mask = |step| DropoutMask::new(0.5, 7, step, 0);
        let agree = |pairs: &mut dyn Iterator<Item = (bool, bool)>| {
            let pairs: Vec<(bool, bool)> = pairs.collect();
            pairs.iter().filter(|(a, b)| a == b).count() as f64 / pairs.len() as f64
        };
        let units = &mut (0..1 << 16).map(|x| (mask(0).drops(x), mask(0).drops(x + 1)));
        assert!((agree(units) - 0.5).abs() < 0.01);
        let rows = &mut (0..1 << 16).map(|x| (mask(0).drops(x), mask(0).drops(x + num_units)));
        assert!((agree(rows) - 0.5).abs() < 0.01);
        let steps = &mut (0..1 << 16).map(|step| (mask(step).drops(5), mask(step + 1).drops(5)));
        assert!((agree(steps) - 0.5).abs() < 0.01);
    }

    #[test]
    fn a_rate_of_zero_drops_nothing_and_factors_keep_the_mean() {
        let none = DropoutMask::new(0.0, 1, 2, 3);
        assert!(none.factors(10, 10).iter().all(|&factor| factor == 1.0));
        let some = DropoutMask::new(0.25, 1, 2, 3).factors(100, 100);
        let mean = some.iter().sum::<f64>() / some.len() as f64;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
    }
}
