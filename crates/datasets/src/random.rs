//! Random numbers for data. The algorithms are fixed here, so that the numbers never change.

use emberlab_rng::StreamRng;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// A uniform whole number in `0..bound`, by multiplication; the bias is below `bound / 2^64`.
pub(crate) fn below(bound: u64, rng: &mut StreamRng) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(bound)) >> 64) as u64
}

/// A uniform number in `[0, 1)`, with all 53 bits of an f64.
pub(crate) fn uniform(rng: &mut StreamRng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A standard normal number.
pub(crate) fn normal(rng: &mut StreamRng) -> f64 {
    StandardNormal.sample(rng)
}

/// Puts items in random order (Fisher–Yates): every order is equally likely.
pub(crate) fn shuffle<T>(items: &mut [T], rng: &mut StreamRng) {
    for last in (1..items.len()).rev() {
        let other = below(last as u64 + 1, rng) as usize;
        items.swap(last, other);
    }
}

/// The numbers `0..len` in random order.
pub(crate) fn permutation(len: usize, rng: &mut StreamRng) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    shuffle(&mut order, rng);
    order
}

#[cfg(test)]
mod tests {
    use emberlab_rng::stream;

    use super::*;

    #[test]
    fn permutations_hold_every_number_once() {
        let mut order = permutation(100, &mut stream(0, "test", &[]));
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn every_order_is_equally_likely() {
        let rng = &mut stream(0, "test", &[]);
        let mut counts = std::collections::HashMap::new();
        for _ in 0..6000 {
            *counts.entry(permutation(3, rng)).or_insert(0) += 1;
        }
        // Binomial(6000, 1/6): mean 1000, standard deviation 28.9; five of them either way.
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|n| (855..=1145).contains(n)),
            "{counts:?}"
        );
    }

    #[test]
    fn numbers_have_the_moments_of_their_distributions() {
        let rng = &mut stream(0, "test", &[]);
        let n = 100_000;
        let moments = |draws: Vec<f64>| {
            let mean = draws.iter().sum::<f64>() / n as f64;
            let var = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
            (mean, var)
        };
        let (mean, var) = moments((0..n).map(|_| uniform(rng)).collect());
        assert!((mean - 0.5).abs() < 0.005 && (var - 1.0 / 12.0).abs() < 0.002);
        let (mean, var) = moments((0..n).map(|_| normal(rng)).collect());
        assert!(mean.abs() < 0.016 && (var - 1.0).abs() < 0.025);
    }
}
