//! Horizontal bars with a name each, one below the other, optionally with an interval on each.

use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::axis::Axis;
use crate::canvas::{number, px};
use crate::error::PictureError;
use crate::layers::Stroke;
use crate::picture::{
    Area, LABEL, NUMBER, Picture, Sketch, draw_title, height_of_title, text_style,
};
use crate::plot::significant;
use crate::shapes;
use crate::text;
use crate::theme::Tone;

/// Horizontal bars from zero, with the name of each on its left.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedBars {
    title: String,
    /// The label of the axis.
    label: String,
    description: Option<String>,
    bars: Vec<RankedBar>,
    width: f64,
}

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedBar {
    /// Its name.
    pub name: String,
    /// Its end.
    pub value: f64,
    /// An interval around its end, drawn as a line.
    pub interval: Option<(f64, f64)>,
}

/// Height of a bar with the room around it, and of the bar alone, in pixels.
const ROW: f64 = 24.0;
const BAR: f64 = 14.0;
/// Room below the bars for the numbers and the label of the axis, in pixels.
const BELOW: f64 = 42.0;
/// The widest name, as a share of the picture.
const NAMES: f64 = 0.42;

impl RankedBars {
    /// Bars in the order from top to bottom, along an axis with this label; 480 pixels wide.
    pub fn new(
        title: impl Into<String>,
        label: impl Into<String>,
        bars: impl IntoIterator<Item = RankedBar>,
    ) -> Self {
        Self {
            title: title.into(),
            label: label.into(),
            description: None,
            bars: bars.into_iter().collect(),
            width: 480.0,
        }
    }

    /// Sets the text for readers who cannot see the picture (by default the names and values).
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the width in pixels. The height follows from the number of bars.
    pub fn width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }

    /// The names, cut where they are too long.
    fn names(&self) -> Vec<String> {
        let limit = NAMES * self.width;
        let short = |bar: &RankedBar| text::shortened(&bar.name, NUMBER, limit);
        self.bars.iter().map(short).collect()
    }

    /// The finite ends of bars and intervals, and zero.
    fn range(&self) -> (f64, f64) {
        let ends = self.bars.iter().flat_map(|bar| {
            let (low, high) = bar.interval.unwrap_or((bar.value, bar.value));
            [bar.value, low, high]
        });
        ends.filter(|end| end.is_finite())
            .fold((0.0, 0.0), |(low, high): (f64, f64), end| {
                (low.min(end), high.max(end))
            })
    }
}

impl Picture for RankedBars {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        self.description.clone().unwrap_or_else(|| {
            let said = self.bars.iter().map(|bar| {
                let interval = bar.interval.map_or(String::new(), |(low, high)| {
                    format!(" [{}, {}]", significant(low), significant(high))
                });
                format!("{}: {}{interval}", bar.name, significant(bar.value))
            });
            format!("{}. {}.", self.label, said.collect::<Vec<_>>().join("; "))
        })
    }

    fn size(&self) -> (f64, f64) {
        let above = height_of_title(&self.title, self.width);
        (
            self.width,
            (above + ROW * self.bars.len() as f64 + BELOW).ceil(),
        )
    }

    fn draw(&self, sketch: &Sketch<'_, '_>) -> Result<(), PictureError> {
        if self.bars.is_empty() {
            return Err(PictureError::Empty {
                title: self.title.clone(),
                reason: "there are no bars",
            });
        }
        let area = draw_title(sketch.area, &self.title)?;
        let names = self.names();
        let widest = names
            .iter()
            .map(|name| text::width(name, NUMBER))
            .fold(0.0, f64::max);
        let (left, right) = (widest + 16.0, self.width - 22.0);
        let scale = Axis::new(&self.label).scale(
            Some(self.range()),
            (0.03, 0.03),
            ((right - left) / 70.0) as usize,
        )?;
        let at = |value: f64| left + scale.share(value) * (right - left);
        let bottom = ROW * self.bars.len() as f64;

        for (tick, text) in scale.ticks().iter().zip(scale.labels()) {
            let x = at(*tick);
            rule(&area, (x, 0.0), (x, bottom), Tone::Grid, 1.0)?;
            let style = text_style(NUMBER, Tone::Muted).pos(Pos::new(HPos::Center, VPos::Top));
            area.draw_text(&text, &style, (px(x), px(bottom + 5.0)))?;
        }
        let style = text_style(LABEL, Tone::Ink).pos(Pos::new(HPos::Center, VPos::Top));
        // A label that is wider than the axis begins further left.
        let label = text::shortened(&self.label, LABEL, self.width - 16.0);
        let most = self.width - 8.0 - text::width(&label, LABEL) / 2.0;
        let middle = ((left + right) / 2.0).min(most);
        area.draw_text(&label, &style, (px(middle), px(bottom + 22.0)))?;
        for (place, (bar, name)) in self.bars.iter().zip(&names).enumerate() {
            let y = (place as f64 + 0.5) * ROW;
            let style = text_style(NUMBER, Tone::Ink).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw_text(name, &style, (px(left - 8.0), px(y)))?;
            if bar.value.is_finite() {
                let (from, to) = (at(bar.value.min(0.0)), at(bar.value.max(0.0)));
                shapes::put(
                    &area,
                    rectangle(&area, (from, y - BAR / 2.0), (to - from, BAR)),
                )?;
            }
            if let Some((low, high)) = bar.interval
                && low.is_finite()
                && high.is_finite()
            {
                rule(&area, (at(low), y), (at(high), y), Tone::Ink, 1.6)?;
                for end in [low, high] {
                    rule(
                        &area,
                        (at(end), y - 4.0),
                        (at(end), y + 4.0),
                        Tone::Ink,
                        1.6,
                    )?;
                }
            }
        }
        rule(&area, (at(0.0), 0.0), (at(0.0), bottom), Tone::Muted, 1.2)
    }
}

/// A straight line between two places of `area`, in pixels.
fn rule(
    area: &Area<'_>,
    from: (f64, f64),
    to: (f64, f64),
    tone: Tone,
    width: f64,
) -> Result<(), PictureError> {
    let (base_x, base_y) = area.get_base_pixel();
    let ends = [from, to].map(|(x, y)| (base_x + px(x), base_y + px(y)));
    shapes::put(area, shapes::line(&ends, tone, Stroke::Solid, width))
}

/// A bar whose top left corner is at `(x, y)` of `area`.
fn rectangle(area: &Area<'_>, (x, y): (f64, f64), (width, height): (f64, f64)) -> String {
    let (base_x, base_y) = area.get_base_pixel();
    format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>",
        number(base_x + px(x)),
        number(base_y + px(y)),
        number(px(width.max(0.5))),
        number(px(height)),
        Tone::Series(0).hex(),
        crate::chart::BAR_OPACITY,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, value: f64, interval: Option<(f64, f64)>) -> RankedBar {
        RankedBar {
            name: name.to_string(),
            value,
            interval,
        }
    }

    #[test]
    fn every_bar_is_drawn_and_described_with_its_interval() {
        let bars = [
            bar("age", 0.25, Some((0.125, 0.5))),
            bar("sex", -0.5, None),
            bar("broken", f64::NAN, None),
        ];
        let picture = RankedBars::new("Importance", "drop of the accuracy", bars);
        let svg = picture.render().expect("a picture").inline();
        assert_eq!(svg.matches("<rect").count(), 2);
        for name in ["age", "sex", "broken"] {
            assert!(svg.contains(name), "{svg}");
        }
        assert_eq!(
            picture.description(),
            "drop of the accuracy. age: 0.25 [0.125, 0.5]; sex: −0.5; broken: NaN."
        );
    }

    #[test]
    fn a_long_name_is_cut_and_no_bars_are_an_error() {
        let long = "a".repeat(300);
        let names = RankedBars::new("t", "x", [bar(&long, 1.0, None)]).names();
        assert!(
            names[0].ends_with('…') && names[0].chars().count() < 40,
            "{names:?}"
        );
        assert!(RankedBars::new("t", "x", []).render().is_err());
    }
}
