//! Planes through inputs of more than two dimensions: two features, or the two principal components.

use super::{Plane, range};

/// Steps of the power iteration; on real data it converges in far fewer.
const ITERATIONS: usize = 100;

impl Plane {
    /// The plane of two of the features, all others at their mean, wide enough for all rows.
    ///
    /// # Shapes
    /// - rows: `[num_rows]` of `[num_features]`, at least one
    pub fn of_chosen_features(rows: &[Vec<f64>], names: &[String], chosen: [usize; 2]) -> Self {
        let mut origin = mean(rows);
        let axis = |i: usize| {
            let mut axis = vec![0.0; origin.len()];
            axis[i] = 1.0;
            axis
        };
        let (right, up) = (axis(chosen[0]), axis(chosen[1]));
        for i in chosen {
            origin[i] = 0.0;
        }
        let name = |i: usize| names.get(i).map_or("", String::as_str);
        let along = |i: usize| range(name(i), rows.iter().map(|row| row[i]));
        let note = if origin.len() > 2 {
            format!(
                "A cut through {} dimensions: all features but these two are at their mean.",
                origin.len()
            )
        } else {
            String::new()
        };
        Self {
            x: along(chosen[0]),
            y: along(chosen[1]),
            origin,
            right,
            up,
            note,
        }
    }

    /// The plane through the mean of the rows, along the two directions in which they vary the most.
    ///
    /// # Shapes
    /// - rows: `[num_rows]` of `[num_features]`, at least one row and two features
    ///
    /// # Source
    /// Equals scikit-learn's `PCA(n_components=2)`, each direction with its largest entry positive.
    pub fn of_principal_components(rows: &[Vec<f64>]) -> Self {
        let origin = mean(rows);
        let deviation = |row: &Vec<f64>| -> Vec<f64> {
            let pairs = row.iter().zip(&origin);
            pairs.map(|(x, m)| x - m).collect()
        };
        let centred: Vec<Vec<f64>> = rows.iter().map(deviation).collect();
        let first = component(&centred, None);
        let second = component(&centred, Some(&first));
        let total: f64 = centred.iter().flatten().map(|x| x * x).sum();
        let share = |direction: &[f64]| {
            let along = centred.iter().map(|row| dot(row, direction).powi(2));
            100.0 * along.sum::<f64>() / total.max(f64::MIN_POSITIVE)
        };
        let axis = |nth: &str, direction: &[f64]| {
            let name = format!(
                "{nth} principal component ({:.0} % of the variance)",
                share(direction)
            );
            range(&name, centred.iter().map(|row| dot(row, direction)))
        };
        Self {
            x: axis("first", &first),
            y: axis("second", &second),
            right: first.clone(),
            up: second.clone(),
            note: format!(
                "A cut through {} dimensions: the plane through the mean in which the inputs vary the most. Samples do not lie on it; each is drawn at the nearest point.",
                origin.len()
            ),
            origin,
        }
    }

    /// The coordinates of the point of the plane that is nearest to a row.
    pub fn nearest(&self, row: &[f64]) -> [f64; 2] {
        let along = |axis: &[f64]| {
            let moved = row.iter().zip(&self.origin).zip(axis);
            moved.map(|((x, origin), a)| (x - origin) * a).sum::<f64>()
        };
        [along(&self.right), along(&self.up)]
    }
}

fn mean(rows: &[Vec<f64>]) -> Vec<f64> {
    let width = rows.first().map_or(0, Vec::len);
    let count = rows.len().max(1) as f64;
    let of = |i: usize| rows.iter().map(|row| row[i]).sum::<f64>() / count;
    (0..width).map(of).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The direction of the largest variance, at right angles to another, by power iteration.
fn component(rows: &[Vec<f64>], other: Option<&[f64]>) -> Vec<f64> {
    let width = rows.first().map_or(0, Vec::len);
    let orthonormal = |mut direction: Vec<f64>| {
        if let Some(other) = other {
            let along = dot(&direction, other);
            direction
                .iter_mut()
                .zip(other)
                .for_each(|(x, o)| *x -= along * o);
        }
        let length = dot(&direction, &direction).sqrt();
        if length > 0.0 {
            direction.iter_mut().for_each(|x| *x /= length);
        }
        direction
    };
    // All entries differ, so that the start is very unlikely to be orthogonal to a component.
    let start = (0..width)
        .map(|i| 1.0 + (i as f64 * 0.618).fract())
        .collect();
    let mut direction = orthonormal(start);
    for _ in 0..ITERATIONS {
        let mut next = vec![0.0; width];
        for row in rows {
            let along = dot(row, &direction);
            next.iter_mut().zip(row).for_each(|(x, r)| *x += along * r);
        }
        if dot(&next, &next) == 0.0 {
            break;
        }
        direction = orthonormal(next);
    }
    let largest = direction
        .iter()
        .copied()
        .fold(0.0, |l: f64, x| if x.abs() > l.abs() { x } else { l });
    if largest < 0.0 {
        direction.iter_mut().for_each(|x| *x = -*x);
    }
    direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principal_components_equal_scikit_learn() {
        // X = np.array([[1, 2, 0.5], [2, 3.9, 0.4], [3, 6.2, 0.6], [4, 7.8, 0.1], [5, 10.1, 0.9]])
        // p = PCA(2).fit(X); p.mean_, p.components_ (second row's sign turned), p.explained_variance_ratio_
        let rows = [
            [1.0, 2.0, 0.5],
            [2.0, 3.9, 0.4],
            [3.0, 6.2, 0.6],
            [4.0, 7.8, 0.1],
            [5.0, 10.1, 0.9],
        ];
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
        let plane = Plane::of_principal_components(&rows);
        let near = |found: &[f64], expected: [f64; 3]| {
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 1e-4, "{found:?} is not {expected:?}");
            }
        };
        near(&plane.origin, [3.0, 6.0, 0.5]);
        near(&plane.right, [0.444564, 0.895400, 0.024954]);
        near(&plane.up, [-0.195116, 0.069610, 0.978307]);
        assert!(plane.x.name.contains("99 %"), "{}", plane.x.name);
        let [x, _] = plane.nearest(&rows[2]);
        assert!(x.abs() < 0.25, "{x}");
    }

    #[test]
    fn chosen_features_leave_the_others_at_their_mean() {
        let rows = vec![vec![0.0, 1.0, 4.0], vec![2.0, 3.0, 8.0]];
        let names = ["a", "b", "c"].map(String::from);
        let plane = Plane::of_chosen_features(&rows, &names, [2, 0]);
        assert_eq!(plane.origin, [0.0, 2.0, 0.0]);
        assert_eq!(
            (plane.right, plane.up),
            (vec![0.0, 0.0, 1.0], vec![1.0, 0.0, 0.0])
        );
        assert_eq!(
            (plane.x.name.as_str(), plane.x.from, plane.x.to),
            ("c", 3.5, 8.5)
        );
        assert!(plane.note.contains("at their mean"));
    }
}
