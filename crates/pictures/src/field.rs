//! Values at the nodes of a regular grid over a plane.

use crate::error::PictureError;

/// Values at the nodes of a regular grid: `width` × `height` nodes from `x.0` to `x.1` and `y.0` to `y.1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<f64>,
}

impl Field {
    /// A field of known values, row by row; the first row is at `y.0`, the smallest `y`.
    ///
    /// # Errors
    /// [`PictureError::Grid`] unless there are `width · height` values, with both at least 2.
    pub fn new(
        x: (f64, f64),
        y: (f64, f64),
        width: usize,
        height: usize,
        values: Vec<f64>,
    ) -> Result<Self, PictureError> {
        if width < 2 || height < 2 || values.len() != width * height {
            return Err(PictureError::Grid {
                width,
                height,
                found: values.len(),
            });
        }
        Ok(Self {
            x,
            y,
            width,
            height,
            values,
        })
    }

    /// The field of a function of `(x, y)`, with at least two nodes in each direction.
    pub fn of(
        x: (f64, f64),
        y: (f64, f64),
        width: usize,
        height: usize,
        function: impl Fn(f64, f64) -> f64,
    ) -> Self {
        let (width, height) = (width.max(2), height.max(2));
        let values = Self::nodes(x, y, width, height)
            .into_iter()
            .map(|[x, y]| function(x, y))
            .collect();
        Self {
            x,
            y,
            width,
            height,
            values,
        }
    }

    /// The coordinates of the nodes in the order of the values, such as inputs for a network.
    pub fn nodes(x: (f64, f64), y: (f64, f64), width: usize, height: usize) -> Vec<[f64; 2]> {
        let at = |(from, to): (f64, f64), i: usize, count: usize| {
            from + (to - from) * i as f64 / (count.max(2) - 1) as f64
        };
        (0..height)
            .flat_map(|row| {
                (0..width).map(move |column| [at(x, column, width), at(y, row, height)])
            })
            .collect()
    }

    /// The values, row by row from the smallest `y`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The field with `change` applied to every value.
    pub fn map(mut self, change: impl Fn(f64) -> f64) -> Self {
        for value in &mut self.values {
            *value = change(*value);
        }
        self
    }

    /// The smallest and the largest finite value, if there is any.
    pub fn range(&self) -> Option<(f64, f64)> {
        range(self.values.iter().copied())
    }

    /// The distance between neighbouring nodes.
    pub(crate) fn spacing(&self) -> (f64, f64) {
        (
            (self.x.1 - self.x.0) / (self.width - 1) as f64,
            (self.y.1 - self.y.0) / (self.height - 1) as f64,
        )
    }
}

/// The smallest and the largest finite number.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold(None, |range, value| {
            let (min, max) = range.unwrap_or((value, value));
            Some((value.min(min), value.max(max)))
        })
}
