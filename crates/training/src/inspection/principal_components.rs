//! The first two principal components of activations.

/// Steps of the Lanczos iteration. The two largest eigenvalues of a covariance are found to many digits in far fewer.
const MOST_STEPS: usize = 30;

/// The two eigenvectors of a symmetric matrix with the largest eigenvalues, `[size]` each, and these eigenvalues. The
/// entry of largest size of each vector is positive. Where there is no second direction, its vector is zero.
///
/// A full decomposition of a wide layer would take as long as many training steps, and only two vectors are needed.
///
/// # Shapes
/// - matrix: `[size × size]`, row by row
///
/// # Source
/// Lanczos 1950, <https://doi.org/10.6028/jres.045.026>, with full reorthogonalisation.
pub(super) fn leading_eigenvectors(matrix: &[f64], size: usize) -> [(f64, Vec<f64>); 2] {
    let none = || (0.0, vec![0.0; size]);
    let trace: f64 = (0..size).map(|i| matrix[i * size + i]).sum();
    if size == 0 || trace.is_nan() || trace <= 0.0 || trace.is_infinite() {
        return [none(), none()];
    }
    let num_steps = size.min(MOST_STEPS);
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(num_steps);
    let (mut diagonal, mut beside): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    // Any start that is orthogonal to no eigenvector will do. This one is the same on every machine.
    let mut next: Vec<f64> = (0..size)
        .map(|i| 1.0 + 0.5 * (1.7 * i as f64).sin())
        .collect();
    let mut length = norm(&next);
    while basis.len() < num_steps {
        next.iter_mut().for_each(|x| *x /= length);
        let mut image: Vec<f64> = (matrix.chunks_exact(size).map(|row| dot(row, &next))).collect();
        diagonal.push(dot(&image, &next));
        basis.push(next);
        // Twice is enough: Kahan, in Parlett 1998, The Symmetric Eigenvalue Problem, section 6.9.
        for _ in 0..2 {
            for vector in &basis {
                let along = dot(&image, vector);
                image
                    .iter_mut()
                    .zip(vector)
                    .for_each(|(x, v)| *x -= along * v);
            }
        }
        length = norm(&image);
        beside.push(length);
        next = image;
        if length <= 1e-13 * trace {
            break; // There are no more directions.
        }
    }
    let count = basis.len();
    let vectors = tridiagonal(&mut diagonal, &mut beside);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| diagonal[b].total_cmp(&diagonal[a]));
    let vector = |place: usize| {
        let Some(&column) = order.get(place) else {
            return none();
        };
        let mut sum = vec![0.0; size];
        for (i, vector) in basis.iter().enumerate() {
            let share = vectors[i * count + column];
            sum.iter_mut()
                .zip(vector)
                .for_each(|(x, v)| *x += share * v);
        }
        (diagonal[column], with_sign(sum))
    };
    [vector(0), vector(1)]
}

/// The eigenvalues of a symmetric tridiagonal matrix, which replace its `diagonal`, and the eigenvectors in columns.
/// `beside` are the numbers beside the diagonal; the last one does not count.
///
/// # Source
/// QL with implicit shifts: Bowdler et al. 1968, <https://doi.org/10.1007/BF02165404>, `tql2`.
fn tridiagonal(diagonal: &mut [f64], beside: &mut [f64]) -> Vec<f64> {
    let size = diagonal.len();
    let mut vectors = vec![0.0; size * size];
    (0..size).for_each(|i| vectors[i * size + i] = 1.0);
    for l in 0..size {
        // Two or three rounds are usual. NaN never becomes small, so the number of rounds is limited.
        for _round in 0..50 {
            let is_small = |&m: &usize| {
                let around = diagonal[m].abs() + diagonal[m + 1].abs();
                beside[m].abs() <= f64::EPSILON * around
            };
            let m = (l..size - 1).find(is_small).unwrap_or(size - 1);
            if m == l {
                break;
            }
            let mut g = (diagonal[l + 1] - diagonal[l]) / (2.0 * beside[l]);
            let r = g.hypot(1.0);
            g = diagonal[m] - diagonal[l] + beside[l] / (g + r.copysign(g));
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            for i in (l..m).rev() {
                let (f, b) = (s * beside[i], c * beside[i]);
                let r = f.hypot(g);
                beside[i + 1] = r;
                if r == 0.0 {
                    diagonal[i + 1] -= p;
                    beside[m] = 0.0;
                    break;
                }
                (s, c) = (f / r, g / r);
                g = diagonal[i + 1] - p;
                let t = (diagonal[i] - g) * s + 2.0 * c * b;
                p = s * t;
                diagonal[i + 1] = g + p;
                g = c * t - b;
                for row in vectors.chunks_exact_mut(size) {
                    let (x, y) = (row[i], row[i + 1]);
                    row[i + 1] = s * x + c * y;
                    row[i] = c * x - s * y;
                }
                if i == l {
                    diagonal[l] -= p;
                    beside[l] = g;
                    beside[m] = 0.0;
                }
            }
        }
    }
    vectors
}

/// The vector or its negative, so that its entry of largest size is positive.
pub(super) fn with_sign(mut vector: Vec<f64>) -> Vec<f64> {
    let largest =
        vector.iter().copied().fold(
            0.0_f64,
            |largest, x| {
                if x.abs() > largest.abs() { x } else { largest }
            },
        );
    if largest < 0.0 {
        vector.iter_mut().for_each(|x| *x = -*x);
    }
    vector
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums, which the compiler computes side by side.
    let mut sums = [0.0; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = (a4.remainder().iter().zip(b4.remainder()))
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a4.zip(b4) {
        for k in 0..4 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum::<f64>() + rest
}

fn norm(values: &[f64]) -> f64 {
    dot(values, values).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eigenvectors_of_a_small_matrix_are_those_by_hand() {
        // Eigenvalues 4 and 2 with (1, 1) / √2 and (1, -1) / √2.
        let [(first, a), (second, b)] = leading_eigenvectors(&[3.0, 1.0, 1.0, 3.0], 2);
        let half = 0.5_f64.sqrt();
        assert!((first - 4.0).abs() < 1e-12 && (second - 2.0).abs() < 1e-12);
        assert!((a[0] - half).abs() < 1e-12 && (a[1] - half).abs() < 1e-12);
        assert!((b[0].abs() - half).abs() < 1e-12 && (b[0] + b[1]).abs() < 1e-12);
    }

    #[test]
    fn the_two_largest_of_many_are_eigenvectors() {
        // A covariance of 150 numbers with slowly falling eigenvalues.
        let size = 150;
        let mut matrix = vec![0.0; size * size];
        for k in 0..size {
            let wave = |i: usize| (0.37 * (k * size + i) as f64 + (i * i) as f64).sin();
            let weight = 0.8_f64.powi(k as i32);
            for i in 0..size {
                for j in 0..size {
                    matrix[i * size + j] += weight * wave(i) * wave(j);
                }
            }
        }
        let found = leading_eigenvectors(&matrix, size);
        assert!(found[0].0 > found[1].0);
        for (value, vector) in &found {
            assert!((norm(vector) - 1.0).abs() < 1e-10);
            let rows = matrix.chunks(size).map(|row| dot(row, vector));
            let error = rows.zip(vector).map(|(x, v)| (x - value * v).abs());
            assert!(error.fold(0.0, f64::max) < 1e-8 * value);
            let largest = vector
                .iter()
                .copied()
                .fold(0.0_f64, |a, x| if x.abs() > a.abs() { x } else { a });
            assert!(largest > 0.0);
        }
        assert!(dot(&found[0].1, &found[1].1).abs() < 1e-10);
    }

    #[test]
    fn where_nothing_varies_there_is_no_direction() {
        let [(a, first), (b, second)] = leading_eigenvectors(&[0.0; 9], 3);
        assert_eq!(
            (a, b, first, second),
            (0.0, 0.0, vec![0.0; 3], vec![0.0; 3])
        );
        let [_, (b, second)] = leading_eigenvectors(&[4.0, 0.0, 0.0, 0.0], 2);
        assert!(b.abs() < 1e-12 && second.iter().all(|x| x.is_finite()));
        let [(a, _), _] = leading_eigenvectors(&[f64::NAN; 4], 2);
        assert_eq!(a, 0.0);
    }
}
