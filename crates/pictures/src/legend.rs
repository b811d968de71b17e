//! The legend of a chart: the name of each colour, stroke and shape.

use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::canvas::px;
use crate::error::PictureError;
use crate::layers::{Marker, Stroke};
use crate::picture::{Area, LABEL, text_style};
use crate::shapes;
use crate::svg::Svg;
use crate::text;
use crate::theme::Tone;

/// The sample before a name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sample {
    Line(Tone, Stroke, Option<Marker>),
    Area(Tone, f64),
    Marker(Tone, Marker),
}

const SAMPLE_WIDTH: f64 = 30.0;
const GAP: f64 = 5.0;
const BETWEEN: f64 = 14.0;
const ROW: f64 = 19.0;

/// The sample of series 0, 1, 2, … as a picture of its own, for a table beside a chart.
pub fn sample(series: usize) -> Svg {
    let tone = Tone::Series(series);
    let (height, middle) = (12.0, px(6.0));
    let ends = [(0, middle), (px(SAMPLE_WIDTH), middle)];
    Svg {
        title: String::new(),
        description: String::new(),
        width: SAMPLE_WIDTH,
        height,
        body: shapes::line(&ends, tone, Stroke::of_series(series), 2.5),
    }
}

/// Names with their samples.
#[derive(Debug, Default)]
pub(crate) struct Legend {
    entries: Vec<(String, Sample)>,
}

impl Legend {
    /// Adds an entry, unless the name is empty or present already.
    pub(crate) fn add(&mut self, name: &str, sample: Sample) {
        if !name.is_empty() && self.entries.iter().all(|(known, _)| known != name) {
            self.entries.push((name.to_string(), sample));
        }
    }

    /// The entries and their widths, in as few rows of at most `width` pixels as possible. The rows have about the
    /// same length.
    fn rows(&self, width: f64) -> Vec<(Vec<&(String, Sample)>, f64)> {
        const STEP: f64 = 8.0;
        let mut rows = self.wrapped(width, width);
        let mut narrower = width - STEP;
        while rows.len() > 1 && narrower > 0.0 {
            let next = self.wrapped(narrower, width);
            if next.len() > rows.len() {
                break;
            }
            rows = next;
            narrower -= STEP;
        }
        rows
    }

    /// The entries in rows of at most `width` pixels, each row filled before the next; names are shortened to rows of
    /// `widest` pixels.
    fn wrapped(&self, width: f64, widest: f64) -> Vec<(Vec<&(String, Sample)>, f64)> {
        let mut rows: Vec<(Vec<&(String, Sample)>, f64)> = Vec::new();
        for entry in &self.entries {
            let name = shown_name(&entry.0, widest);
            let needed = SAMPLE_WIDTH + GAP + text::width(&name, LABEL);
            match rows.last_mut() {
                Some((row, used)) if *used + BETWEEN + needed <= width => {
                    row.push(entry);
                    *used += BETWEEN + needed;
                }
                _ => rows.push((vec![entry], needed)),
            }
        }
        rows
    }

    /// The height of the legend in a picture of this width, both in pixels.
    pub(crate) fn height(&self, width: f64) -> f64 {
        match self.rows(width).len() {
            0 => 0.0,
            rows => rows as f64 * ROW + 4.0,
        }
    }

    /// Draws the legend at the top of `area`, which is `width` pixels wide.
    pub(crate) fn draw(&self, area: &Area<'_>, width: f64) -> Result<(), PictureError> {
        let style = text_style(LABEL, Tone::Ink).pos(Pos::new(HPos::Left, VPos::Center));
        let (base_x, base_y) = area.get_base_pixel();
        for (n, (row, used)) in self.rows(width).into_iter().enumerate() {
            let mut x = (width - used) / 2.0;
            let y = n as f64 * ROW + ROW / 2.0;
            for (name, sample) in row {
                let at = |dx: f64, dy: f64| (base_x + px(x + dx), base_y + px(y + dy));
                let markup = match *sample {
                    Sample::Line(tone, stroke, marker) => {
                        let ends = [at(0.0, 0.0), at(SAMPLE_WIDTH, 0.0)];
                        let middle = [(at(SAMPLE_WIDTH / 2.0, 0.0), None)];
                        let marker =
                            marker.map(|marker| shapes::markers(&middle, marker, tone, 3.5));
                        shapes::line(&ends, tone, stroke, 2.0) + &marker.unwrap_or_default()
                    }
                    Sample::Area(tone, opacity) => {
                        let right = SAMPLE_WIDTH;
                        let corners =
                            [at(8.0, -6.0), at(right, -6.0), at(right, 6.0), at(8.0, 6.0)];
                        shapes::area(&corners, tone, opacity)
                    }
                    Sample::Marker(tone, marker) => {
                        shapes::markers(&[(at(SAMPLE_WIDTH - 8.0, 0.0), None)], marker, tone, 4.0)
                    }
                };
                shapes::put(area, markup)?;
                let name = shown_name(name, width);
                area.draw_text(&name, &style, (px(x + SAMPLE_WIDTH + GAP), px(y)))?;
                x += SAMPLE_WIDTH + GAP + text::width(&name, LABEL) + BETWEEN;
            }
        }
        Ok(())
    }
}

/// A name, shortened to what fits into a row of this width.
fn shown_name(name: &str, width: f64) -> String {
    text::shortened(name, LABEL, width - SAMPLE_WIDTH - GAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_wider_than_the_picture() {
        let mut legend = Legend::default();
        legend.add(&"long_".repeat(40), Sample::Area(Tone::Series(0), 1.0));
        legend.add("short", Sample::Area(Tone::Series(1), 1.0));
        let rows = legend.rows(300.0);
        assert!(rows.iter().all(|(_, used)| *used <= 300.0), "{rows:?}");
    }

    #[test]
    fn rows_are_about_equally_long() {
        let mut legend = Legend::default();
        for class in 0..10 {
            legend.add(&class.to_string(), Sample::Area(Tone::Series(class), 1.0));
        }
        let lengths = |width| -> Vec<usize> {
            let rows = legend.rows(width);
            rows.iter().map(|(row, _)| row.len()).collect()
        };
        assert_eq!(lengths(1000.0), [10]);
        // Nine would fit into the first row, and leave one for the second.
        assert_eq!(lengths(540.0), [5, 5]);
    }
}
