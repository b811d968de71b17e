//! Errors while a picture is drawn.

/// The reason why a picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// There is nothing to draw.
    #[error("`{title}` has nothing to draw: {reason}")]
    Empty {
        /// Title of the picture.
        title: String,
        /// The missing part.
        reason: &'static str,
    },
    /// A grid does not have `width · height` values.
    #[error("{found} values for a grid of {width} × {height}")]
    Grid {
        /// Number of columns.
        width: usize,
        /// Number of rows.
        height: usize,
        /// Number of values.
        found: usize,
    },
    /// An axis has no length, or is logarithmic and reaches zero.
    #[error("the axis `{label}` cannot go from {min} to {max}")]
    Range {
        /// Label of the axis.
        label: String,
        /// Its beginning.
        min: f64,
        /// Its end.
        max: f64,
    },
    /// There is no font to draw text with.
    #[error("no font was found on this system; PNG needs one, SVG does not")]
    NoFont,
    /// The plotting library failed.
    #[error("the picture cannot be drawn: {0}")]
    Drawing(String),
}
