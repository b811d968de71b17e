//! Parallel coordinates: an upright axis for each setting, and a line across them for each variant.

use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::canvas::{number, points, px};
use crate::error::PictureError;
use crate::picture::{
    Area, LABEL, NUMBER, Picture, Sketch, draw_title, height_of_title, text_style,
};
use crate::shapes;
use crate::text;
use crate::theme::Tone;

/// Upright axes beside each other, and lines that cross all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelCoordinates {
    title: String,
    description: String,
    axes: Vec<ParallelAxis>,
    lines: Vec<ParallelLine>,
    width: f64,
}

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelAxis {
    /// Its label.
    pub label: String,
    /// Names along the axis, each with its height from 0 (bottom) to 1 (top).
    pub ticks: Vec<(f64, String)>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelLine {
    /// The text that is shown under the mouse.
    pub name: String,
    /// Its height on each axis, from 0 to 1.
    pub heights: Vec<f64>,
    /// How strong its colour is, from 0 (faint) to 1.
    pub strength: f64,
}

/// Height of the axes, and room below them for their labels, in pixels.
const HEIGHT: f64 = 230.0;
const BELOW: f64 = 44.0;
const ABOVE: f64 = 12.0;
/// The most room for a name beside an axis, in pixels.
const MOST_ROOM: f64 = 128.0;

impl ParallelCoordinates {
    /// Lines across axes; 480 pixels wide. `description` is the text for readers who cannot see the picture.
    pub fn new(
        title: impl Into<String>,
        description: impl Into<String>,
        axes: impl IntoIterator<Item = ParallelAxis>,
        lines: impl IntoIterator<Item = ParallelLine>,
    ) -> Self {
        Self {
            title: title.into(),
            description: description.into(),
            axes: axes.into_iter().collect(),
            lines: lines.into_iter().collect(),
            width: 480.0,
        }
    }

    /// Sets the width in pixels.
    pub fn width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }

    /// The place of an axis, in pixels from the left.
    fn x(&self, axis: usize) -> f64 {
        let left = margin(self.axes.first());
        let right = self.width - margin(self.axes.last());
        let steps = self.axes.len().saturating_sub(1).max(1);
        left + (right - left) * axis as f64 / steps as f64
    }

    /// A text that is cut so that it fits between two axes.
    fn fitting(&self, text: &str, size: f64) -> String {
        let room = (self.x(1) - self.x(0)).min(MOST_ROOM) - 6.0;
        text::shortened(text, size, room)
    }
}

/// The room beside an outer axis, for its longest name.
fn margin(axis: Option<&ParallelAxis>) -> f64 {
    let names = axis.into_iter().flat_map(|axis| &axis.ticks);
    let widest = names.map(|(_, name)| text::width(name, NUMBER));
    (widest.fold(0.0, f64::max) + 10.0).clamp(64.0, MOST_ROOM)
}

impl Picture for ParallelCoordinates {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        self.description.clone()
    }

    fn size(&self) -> (f64, f64) {
        let above = height_of_title(&self.title, self.width);
        (self.width, (above + ABOVE + HEIGHT + BELOW).ceil())
    }

    fn draw(&self, sketch: &Sketch<'_, '_>) -> Result<(), PictureError> {
        if self.axes.len() < 2 || self.lines.is_empty() {
            return Err(PictureError::Empty {
                title: self.title.clone(),
                reason: "there are no lines across two axes",
            });
        }
        let area = draw_title(sketch.area, &self.title)?;
        let y = |height: f64| ABOVE + (1.0 - height) * HEIGHT;
        // The strongest lines are drawn last.
        let mut lines: Vec<&ParallelLine> = self.lines.iter().collect();
        lines.sort_by(|a, b| a.strength.total_cmp(&b.strength));
        for line in lines {
            let heights = line.heights.iter().enumerate();
            let places: Vec<_> = heights.map(|(i, &h)| (self.x(i), y(h))).collect();
            shapes::put(&area, polyline(&area, &places, line))?;
        }
        for (i, axis) in self.axes.iter().enumerate() {
            let x = self.x(i);
            let (base_x, base_y) = area.get_base_pixel();
            let ends = [y(0.0), y(1.0)].map(|y| (base_x + px(x), base_y + px(y)));
            let rule = shapes::line(&ends, Tone::Muted, crate::layers::Stroke::Solid, 1.2);
            shapes::put(&area, rule)?;
            for (height, name) in &axis.ticks {
                let (side, distance) = match i + 1 == self.axes.len() {
                    true => (HPos::Left, 6.0),
                    false => (HPos::Right, -6.0),
                };
                let name = self.fitting(name, NUMBER);
                let width = text::width(&name, NUMBER);
                let left = if distance < 0.0 {
                    x + distance - width
                } else {
                    x + distance
                };
                shapes::put(&area, halo(&area, (left, y(*height)), width))?;
                let style = text_style(NUMBER, Tone::Ink).pos(Pos::new(side, VPos::Center));
                area.draw_text(&name, &style, (px(x + distance), px(y(*height))))?;
            }
            let style = text_style(LABEL, Tone::Ink).pos(Pos::new(HPos::Center, VPos::Top));
            let label = self.fitting(&axis.label, LABEL);
            area.draw_text(&label, &style, (px(x), px(ABOVE + HEIGHT + 14.0)))?;
        }
        Ok(())
    }
}

/// A pale ground for a text of this width that lines pass behind.
fn halo(area: &Area<'_>, (left, middle): (f64, f64), width: f64) -> String {
    let (base_x, base_y) = area.get_base_pixel();
    format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" fill-opacity=\"0.8\"/>",
        number(base_x + px(left - 2.0)),
        number(base_y + px(middle - 8.0)),
        number(px(width + 4.0)),
        number(px(16.0)),
        Tone::Paper.hex(),
    )
}

/// A line through places of `area`, with its name under the mouse.
fn polyline(area: &Area<'_>, places: &[(f64, f64)], line: &ParallelLine) -> String {
    let (base_x, base_y) = area.get_base_pixel();
    let places = places
        .iter()
        .map(|(x, y)| (base_x + px(*x), base_y + px(*y)));
    let strength = line.strength.clamp(0.0, 1.0);
    format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-opacity=\"{:.2}\" stroke-width=\"{}\" \
         stroke-linejoin=\"round\"><title>{}</title></polyline>",
        points(places),
        Tone::Series(0).hex(),
        0.12 + 0.78 * strength,
        number(px(1.2 + 1.4 * strength)),
        text::escape(&line.name),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(label: &str) -> ParallelAxis {
        ParallelAxis {
            label: label.to_owned(),
            ticks: vec![(0.0, "low".to_owned()), (1.0, "high".to_owned())],
        }
    }

    fn line(name: &str, strength: f64) -> ParallelLine {
        ParallelLine {
            name: name.to_owned(),
            heights: vec![0.0, 1.0],
            strength,
        }
    }

    #[test]
    fn each_variant_is_a_line_with_its_name_and_the_best_is_drawn_last() {
        let lines = [line("the <best>", 1.0), line("the worst", 0.0)];
        let picture = ParallelCoordinates::new("t", "d", [axis("a"), axis("b")], lines);
        let svg = picture.render().expect("a picture").inline();
        let place = |name: &str| svg.find(name).expect("the name of the line");
        assert!(place("the worst") < place("the &lt;best&gt;"));
        assert_eq!(svg.matches("high").count(), 2);
    }

    #[test]
    fn long_names_at_the_outer_axes_have_room() {
        let long = ParallelAxis {
            label: "activation".to_owned(),
            ticks: vec![(0.0, "leaky_relu_0.2".to_owned())],
        };
        let lines = [line("x", 0.5)];
        let picture = ParallelCoordinates::new("t", "d", [long.clone(), axis("b"), long], lines);
        let width = text::width("leaky_relu_0.2", NUMBER);
        assert!(width > 64.0 && picture.x(0) > width + 6.0, "{width}");
        assert!(picture.width - picture.x(2) > width + 6.0);
        let svg = picture.render().expect("a picture").inline();
        assert_eq!(svg.matches("leaky_relu_0.2").count(), 2, "{svg}");
    }

    #[test]
    fn a_single_axis_is_no_picture() {
        let picture = ParallelCoordinates::new("t", "d", [axis("a")], [line("x", 0.5)]);
        assert!(picture.render().is_err());
    }
}
