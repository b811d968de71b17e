//! The inside of a chart: the axes, drawn by the plotting library, and the layers, clipped to the frame.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::CoordTranslate;
use plotters::coord::cartesian::Cartesian2d;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, ShapeStyle};

use crate::axis::{Axis, Scale, readable};
use crate::bitmap::Bitmap;
use crate::canvas::{Canvas, number, px};
use crate::chart::{BAND_OPACITY, BAR_OPACITY};
use crate::contours::contour;
use crate::error::PictureError;
use crate::field::Field;
use crate::layers::{
    Band, Bars, Contours, HeatMap, Layer, Line, Marker, Place, Points, Rule, Stroke,
};
use crate::picture::{Area, LABEL, NUMBER, text_style};
use crate::shapes;
use crate::simplify::simplify;
use crate::text::{self, escape};
use crate::theme::Tone;

/// The largest distance of a simplified curve from its points, in tenths of a pixel.
const TOLERANCE: f64 = 1.5;

/// A frame with axes.
pub(crate) struct Plot<'a> {
    context: ChartContext<'a, Canvas<'a>, Cartesian2d<Scale, Scale>>,
    area: Area<'a>,
    x: Scale,
    y: Scale,
    labels: (String, String),
}

/// Left, top, right and bottom on the canvas.
type Frame = (i32, i32, i32, i32);

impl<'a> Plot<'a> {
    /// Draws the axes into `area`, with these margins in pixels on the left, below and on the right of the frame.
    pub(crate) fn new(
        area: &Area<'a>,
        x: Scale,
        y: Scale,
        (left, bottom, right): (f64, f64, f64),
        axes: (&Axis, &Axis),
    ) -> Result<Self, PictureError> {
        let mut context = ChartBuilder::on(area)
            .margin_top(px(4.0))
            .margin_right(px(8.0 + right))
            .margin_bottom(px(4.0))
            .y_label_area_size(px(left))
            .x_label_area_size(px(bottom))
            .build_cartesian_2d(x.clone(), y.clone())?;
        let (width, height) = area.dim_in_pixel();
        let fitting = |axis: &Axis, room: f64| {
            text::shortened(axis.label(), f64::from(px(LABEL)), room.max(0.0))
        };
        let (x_label, y_label) = (
            fitting(axes.0, f64::from(width) - f64::from(px(left + right + 8.0))),
            fitting(axes.1, f64::from(height) - f64::from(px(8.0))),
        );
        let line = |tone: Tone, width: f64| ShapeStyle {
            color: tone.color().to_rgba(),
            filled: false,
            stroke_width: px(width) as u32,
        };
        context
            .configure_mesh()
            .axis_style(line(Tone::Muted, 1.0))
            .bold_line_style(line(Tone::Grid, 1.0))
            .light_line_style(plotters::style::TRANSPARENT)
            .set_all_tick_mark_size(px(3.5))
            .label_style(text_style(NUMBER, Tone::Muted))
            .axis_desc_style(text_style(LABEL, Tone::Ink))
            .x_desc(x_label)
            .y_desc(y_label)
            .draw()?;
        let labels = (axes.0.label().to_string(), axes.1.label().to_string());
        Ok(Self {
            context,
            area: area.clone(),
            x,
            y,
            labels,
        })
    }

    /// The place of the frame.
    pub(crate) fn frame(&self) -> Frame {
        let (x, y) = self.context.plotting_area().get_pixel_range();
        (x.start, y.start, x.end, y.end)
    }

    fn at(&self, (x, y): (f64, f64)) -> (i32, i32) {
        self.context
            .plotting_area()
            .as_coord_spec()
            .translate(&(x, y))
    }

    fn admits(&self, (x, y): (f64, f64)) -> bool {
        let fits =
            |scale: &Scale, value: f64| value.is_finite() && (!scale.logarithmic || value > 0.0);
        fits(&self.x, x) && fits(&self.y, y)
    }

    /// Draws layers over each other; parts outside the frame are cut off.
    pub(crate) fn draw(&self, layers: &[Layer]) -> Result<(), PictureError> {
        shapes::put(&self.area, self.start_of_group())?;
        for layer in layers {
            let markup = match layer {
                Layer::Line(line) => self.line(line),
                Layer::Band(band) => self.band(band),
                Layer::Points(points) => self.points(points),
                Layer::Bars(bars) => self.bars(bars),
                Layer::HeatMap(map) => self.heat_map(map)?,
                Layer::Contours(contours) => self.contours(contours),
                Layer::Rule(rule) => self.rule(rule),
            };
            if !markup.is_empty() {
                shapes::put(&self.area, markup)?;
            }
        }
        shapes::put(&self.area, "</svg>".to_string())
    }

    /// The start of the group that cuts off what is outside the frame.
    ///
    /// The attributes `data-x` and `data-y` of the group hold the first and the last value of each axis along the
    /// width and height of the group, so that a page can show the values under the mouse.
    fn start_of_group(&self) -> String {
        let (left, top, right, bottom) = self.frame();
        let [x, y, width, height] = [left, top, right - left, bottom - top].map(number);
        let kind = |scale: &Scale| if scale.logarithmic { "log" } else { "linear" };
        format!(
            "<svg class=\"plot\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" viewBox=\"{x} {y} {width} {height}\" \
             data-x=\"{} {}\" data-x-scale=\"{}\" data-x-label=\"{}\" data-y=\"{} {}\" data-y-scale=\"{}\" data-y-label=\"{}\">",
            self.x.min,
            self.x.max,
            kind(&self.x),
            escape(&self.labels.0),
            self.y.min,
            self.y.max,
            kind(&self.y),
            escape(&self.labels.1),
        )
    }

    fn band(&self, band: &Band) -> String {
        let edges: Vec<_> = band
            .edges
            .iter()
            .filter(|(x, a, b)| self.admits((*x, *a)) && self.admits((*x, *b)))
            .collect();
        let there: Vec<_> = edges
            .iter()
            .map(|(x, _, upper)| self.at((*x, *upper)))
            .collect();
        let back: Vec<_> = edges
            .iter()
            .rev()
            .map(|(x, lower, _)| self.at((*x, *lower)))
            .collect();
        let path = [simplify(&there, TOLERANCE), simplify(&back, TOLERANCE)].concat();
        shapes::area(&path, band.tone.unwrap_or(Tone::Muted), BAND_OPACITY)
    }

    fn contours(&self, contours: &Contours) -> String {
        contours
            .levels
            .iter()
            .flat_map(|level| contour(&contours.field, *level))
            .map(|path| {
                let path: Vec<_> = path.into_iter().map(|point| self.at(point)).collect();
                shapes::line(
                    &simplify(&path, TOLERANCE),
                    contours.tone,
                    Stroke::Solid,
                    contours.width,
                )
            })
            .collect()
    }

    fn rule(&self, rule: &Rule) -> String {
        let path = match rule.place {
            Place::Upright(x) => [self.at((x, self.y.min)), self.at((x, self.y.max))],
            Place::Level(y) => [self.at((self.x.min, y)), self.at((self.x.max, y))],
            Place::Between(from, to) => [self.at(from), self.at(to)],
        };
        shapes::line(&path, rule.tone, Stroke::Dashed, 1.5)
    }

    fn line(&self, line: &Line) -> String {
        let (tone, stroke) = (
            line.tone.unwrap_or(Tone::Ink),
            line.stroke.unwrap_or(Stroke::Solid),
        );
        let mut markup = String::new();
        if !line.name.is_empty() {
            markup += &format!("<g data-name=\"{}\">", escape(&line.name));
        }
        for stretch in line.points.split(|point| !self.admits(*point)) {
            let path: Vec<_> = stretch.iter().map(|point| self.at(*point)).collect();
            match path.as_slice() {
                [] => {}
                // A value between two missing ones makes no line: it needs a point to be seen.
                [only] if line.marker.is_none() => {
                    markup += &shapes::markers(&[(*only, None)], Marker::Circle, tone, line.width);
                }
                path => {
                    markup += &shapes::line(&simplify(path, TOLERANCE), tone, stroke, line.width)
                }
            }
        }
        if let Some(marker) = line.marker {
            markup += &self.marked(&line.name, &line.points, marker, tone, line.width * 1.6);
        }
        if !line.name.is_empty() {
            markup += "</g>";
        }
        markup
    }

    fn points(&self, points: &Points) -> String {
        let (tone, marker) = (
            points.tone.unwrap_or(Tone::Ink),
            points.marker.unwrap_or(Marker::Circle),
        );
        self.marked(&points.name, &points.points, marker, tone, points.radius)
    }

    /// Draws markers. Up to a few dozen show their values under the mouse; more would make the file large.
    fn marked(
        &self,
        name: &str,
        points: &[(f64, f64)],
        marker: Marker,
        tone: Tone,
        radius: f64,
    ) -> String {
        let speaking = points.len() <= 60;
        let places: Vec<_> = points
            .iter()
            .filter(|point| self.admits(**point))
            .map(|point| {
                let title = speaking.then(|| {
                    let text = format!("{}, {}", significant(point.0), significant(point.1));
                    if name.is_empty() {
                        text
                    } else {
                        format!("{name}: {text}")
                    }
                });
                (self.at(*point), title)
            })
            .collect();
        shapes::markers(&places, marker, tone, radius)
    }

    fn bars(&self, bars: &Bars) -> String {
        let tone = bars.tone.unwrap_or(Tone::Ink);
        let ground = if self.y.logarithmic { self.y.min } else { 0.0 };
        let mut markup = format!("<g fill=\"{}\" fill-opacity=\"{BAR_OPACITY}\">", tone.hex());
        for (from, to, height) in &bars.bars {
            if !self.admits((*from, *height)) {
                continue;
            }
            let ((left, a), (right, b)) = (self.at((*from, *height)), self.at((*to, ground)));
            markup += &format!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}</title></rect>",
                number(left),
                number(a.min(b)),
                number(right - left),
                number((b - a).abs()),
                significant(*height)
            );
        }
        markup + "</g>"
    }

    fn heat_map(&self, map: &HeatMap) -> Result<String, PictureError> {
        // The centre of each pixel is at its node.
        let half = (map.spacing.0 / 2.0, map.spacing.1 / 2.0);
        let corner = self.at((map.x.0 - half.0, map.y.1 + half.1));
        let opposite = self.at((map.x.1 + half.0, map.y.0 - half.1));
        Ok(shapes::image(
            &map.bitmap.data_url(),
            corner,
            opposite,
            true,
        ))
    }
}

/// A number with five significant digits.
pub(crate) fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}").replace('-', "−");
    }
    let magnitude = value.abs().log10().floor();
    if (-4.0..6.0).contains(&magnitude) {
        let decimals = (4.0 - magnitude).max(0.0) as usize;
        let text = format!("{value:.decimals$}");
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        text.replace('-', "−")
    } else {
        format!("{value:.3e}").replace('-', "−")
    }
}

/// Draws a bar of colours beside the frame, with the values at its ends and in its middle.
pub(crate) fn draw_key(
    area: &Area<'_>,
    (_, top, right, bottom): Frame,
    label: &str,
    (min, max): (f64, f64),
) -> Result<(), PictureError> {
    let (left, width) = (right + px(12.0), px(10.0));
    let ramp = Field::of((0.0, 1.0), (min, max), 2, 64, |_, value| value);
    let url = Bitmap::shades(&ramp, Some((min, max))).data_url();
    shapes::put(
        area,
        shapes::image(&url, (left, top), (left + width, bottom), true),
    )?;
    let (base_x, base_y) = area.get_base_pixel();
    let style = text_style(NUMBER, Tone::Muted);
    let step = (max - min) / 20.0;
    for (y, value, v_pos) in [
        (top, max, VPos::Top),
        ((top + bottom) / 2, f64::midpoint(min, max), VPos::Center),
        (bottom, min, VPos::Bottom),
    ] {
        let style = style.clone().pos(Pos::new(HPos::Left, v_pos));
        area.draw_text(
            &readable(value, step),
            &style,
            (left + width + px(4.0) - base_x, y - base_y),
        )?;
    }
    let style = text_style(NUMBER, Tone::Ink).pos(Pos::new(HPos::Left, VPos::Bottom));
    Ok(area.draw_text(label, &style, (left - base_x, top - px(3.0) - base_y))?)
}
