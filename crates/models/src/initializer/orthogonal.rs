//! Random orthogonal matrices.

use emberlab_menu::Problem;
use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distribution, Fans, random};

/// A (semi-)orthogonal matrix.
///
/// # Source
/// Saxe et al. 2013, <https://arxiv.org/abs/1312.6120>; `torch.nn.init.orthogonal_`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Orthogonal {
    /// Positive factor.
    pub gain: f64,
}

impl Default for Orthogonal {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Distribution for Orthogonal {
    fn validate(&self, key: &str) -> Result<(), Problem> {
        Problem::unless_positive(self.gain, format!("{key}.gain"))
    }

    fn can_draw_vectors(&self) -> bool {
        false
    }

    fn draw(&self, shape: &[usize], _: Fans, rng: &mut StreamRng) -> Vec<f64> {
        let length: usize = shape.iter().product();
        let rows = shape.first().copied().unwrap_or(1);
        let mut matrix = orthogonal(rows, length / rows.max(1), rng);
        matrix.iter_mut().for_each(|value| *value *= self.gain);
        matrix
    }
}

/// A random matrix `[rows, columns]` in row-major order whose shorter side's vectors are orthonormal.
///
/// It applies Gram-Schmidt to normal vectors: the diagonal of R is then positive, and the result is uniform among
/// such matrices. It does so twice, because a single pass loses orthogonality to rounding.
fn orthogonal(rows: usize, columns: usize, rng: &mut StreamRng) -> Vec<f64> {
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut vector = random::normal(length, 0.0, 1.0, rng);
        for _ in 0..2 {
            for other in &basis {
                let overlap = dot(&vector, other);
                for (value, unit) in vector.iter_mut().zip(other) {
                    *value -= overlap * unit;
                }
            }
        }
        let norm = dot(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|value| *value /= norm);
        basis.push(vector);
    }
    if rows <= columns {
        return basis.concat();
    }
    (0..rows * columns)
        .map(|i| basis[i % columns][i / columns])
        .collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
