//! Charts, maps and grids of images as SVG, in one style that is readable in light and dark, and without colour.
//!
//! Every picture implements [`Picture`] and is rendered to an [`Svg`]: a [`Chart`] of layers, a [`Matrix`] of numbers,
//! [`RankedBars`], [`ParallelCoordinates`], an [`ImageGrid`], or [`Panels`] of any of them side by side. This crate
//! knows plain numbers only, no tensors.

mod animation;
mod axis;
mod bitmap;
mod canvas;
mod chart;
mod contours;
mod error;
mod field;
mod image_grid;
mod layers;
mod legend;
mod matrix;
mod panels;
mod parallel_coordinates;
mod picture;
mod plot;
mod ranked_bars;
mod shapes;
mod simplify;
mod svg;
mod text;
mod theme;

pub use animation::animated_png;
pub use axis::Axis;
pub use bitmap::Bitmap;
pub use chart::Chart;
pub use error::PictureError;
pub use field::Field;
pub use image_grid::{Image, ImageGrid};
pub use layers::{Band, Bars, Contours, HeatMap, Layer, Line, Marker, Points, Rule, Stroke};
pub use legend::sample;
pub use matrix::Matrix;
pub use panels::Panels;
pub use parallel_coordinates::{ParallelAxis, ParallelCoordinates, ParallelLine};
pub use picture::Picture;
pub use ranked_bars::{RankedBar, RankedBars};
pub use svg::Svg;
pub use theme::{Tone, style_sheet};
