//! What can go wrong while a picture is drawn.

/// A picture that cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// There is nothing to draw.
    #[error("`{title}` has nothing to draw: {reason}")]
    Empty {
        /// The picture.
        title: String,
        /// What is missing.
        reason: &'static str,
    },
    /// A grid whose number of values is not its width times its height.
    #[error("{found} values for a grid of {width} × {height}")]
    Grid {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// Values given.
        found: usize,
    },
    /// An axis without length, or a logarithmic one that reaches zero.
    #[error("the axis `{label}` cannot go from {min} to {max}")]
    Range {
        /// The axis.
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
