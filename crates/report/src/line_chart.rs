//! Line charts that carry their values, which a page shows under the mouse and as a table.

use emberlab_pictures::{Axis, Band, Chart, Line, Marker, Picture, Rule, Tone};

use crate::curves::Curve;
use crate::document::{Figure, SeriesValues, Values};
use crate::{ReportError, number};

/// A chart of lines over a common `x`, with their values.
pub(crate) struct LineChart {
    pub(crate) title: String,
    /// The name of `x`.
    pub(crate) x_name: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) caption: String,
    pub(crate) lines: Vec<ChartLine>,
    /// Rules: straight lines to compare with.
    pub(crate) behind: Vec<Vec<(f64, f64)>>,
    pub(crate) rules: Vec<Rule>,
    /// Width and height in CSS pixels.
    pub(crate) size: (f64, f64),
}

/// A line, and the band around it.
#[derive(Clone)]
pub(crate) struct ChartLine {
    pub(crate) name: String,
    /// The index of the series, which decides colour and stroke.
    pub(crate) series: usize,
    pub(crate) points: Vec<(f64, f64)>,
    /// Whether each point is marked, for lines of a few points.
    pub(crate) is_marked: bool,
    /// The lower and upper end of the band at each point; empty without a band.
    pub(crate) band: Vec<(f64, f64)>,
}

impl ChartLine {
    /// A line without a band.
    pub(crate) fn new(name: &str, series: usize, points: Vec<(f64, f64)>) -> Self {
        Self {
            name: name.to_string(),
            series,
            points,
            is_marked: false,
            band: Vec::new(),
        }
    }

    /// A learning curve: the median over the runs, and optionally their range as a band.
    pub(crate) fn of_curve(name: &str, series: usize, curve: &Curve, has_band: bool) -> Self {
        let epochs = curve.epochs.iter().map(|epoch| *epoch as f64);
        let ranges = curve.low.iter().copied().zip(curve.high.iter().copied());
        Self {
            band: if has_band {
                ranges.collect()
            } else {
                Vec::new()
            },
            ..Self::new(
                name,
                series,
                epochs.zip(curve.median.iter().copied()).collect(),
            )
        }
    }
}

/// The axes for learning curves of a metric. The values get a logarithmic axis where that shows them better.
pub(crate) fn epoch_axes(metric: &str, curves: &[&Curve]) -> (Axis, Axis) {
    let y = Axis::new(metric);
    let y = match Curve::is_logarithmic(curves.iter().copied()) {
        true => y.logarithmic(),
        false => y,
    };
    (Axis::new("epoch").whole(), y)
}

impl LineChart {
    /// An empty chart over `x_name`, of a size that fits beside another.
    pub(crate) fn new(x_name: &str) -> Self {
        Self {
            title: String::new(),
            x_name: x_name.to_string(),
            x: Axis::new(x_name),
            y: Axis::new(""),
            caption: String::new(),
            lines: Vec::new(),
            behind: Vec::new(),
            rules: Vec::new(),
            size: (480.0, 340.0),
        }
    }

    /// Draws the chart.
    ///
    /// # Errors
    /// [`ReportError::Picture`].
    pub(crate) fn draw(self) -> Result<Figure, ReportError> {
        let (values, description) = (self.values(), self.description());
        let is_alone = self.lines.len() == 1;
        let mut points = self.lines.iter().flat_map(|line| &line.points);
        let caption = match points.any(|(_, y)| y.is_finite()) {
            true => self.caption,
            false => "No value is finite.".to_string(),
        };
        let mut chart = Chart::new(self.title, self.x, self.y)
            .size(self.size.0, self.size.1)
            .describe(description);
        for points in self.behind {
            chart = chart.with(Line::new("", points).tone(Tone::Grid).width(1.2));
        }
        chart = chart.with_all(self.rules);
        for line in self.lines.iter().filter(|line| !line.band.is_empty()) {
            let edges = line.points.iter().zip(&line.band);
            let edges = edges.map(|((x, _), (low, high))| (*x, *low, *high));
            chart = chart.with(Band::new("", edges).tone(Tone::Series(line.series)));
        }
        for line in self.lines {
            let name = if is_alone { String::new() } else { line.name };
            let drawn = Line::new(name, line.points).tone(Tone::Series(line.series));
            chart = chart.with(match line.is_marked {
                true => drawn.marker(Marker::of_series(line.series)),
                false => drawn,
            });
        }
        Ok(Figure {
            picture: chart.render()?,
            caption,
            values: Some(values),
        })
    }

    /// A sentence with the first finite value and the last value of each line.
    fn description(&self) -> String {
        let said = self.lines.iter().map(|line| {
            let mut values = line.points.iter().map(|(_, y)| *y);
            let mut finite = values.clone().filter(|y| y.is_finite());
            match (finite.next(), values.next_back()) {
                (Some(first), Some(last)) => {
                    format!(
                        "{} goes from {} to {}",
                        line.name,
                        number(first),
                        number(last)
                    )
                }
                _ => format!("{} has no finite value", line.name),
            }
        });
        format!("{}.", said.collect::<Vec<_>>().join("; "))
    }

    /// The values at every `x` of the line that reaches farthest; of the other lines, those at the same or the next
    /// `x`.
    fn values(&self) -> Values {
        let end = |line: &&ChartLine| line.points.last().map_or(f64::NEG_INFINITY, |(x, _)| *x);
        let farthest = self.lines.iter().max_by(|a, b| end(a).total_cmp(&end(b)));
        let x: Vec<f64> =
            farthest.map_or(Vec::new(), |line| line.points.iter().map(|p| p.0).collect());
        let series = self.lines.iter().map(|line| {
            let place = |x: &f64| line.points.iter().position(|point| point.0 >= *x);
            let places: Vec<Option<usize>> = x.iter().map(place).collect();
            let at = |value: &dyn Fn(usize) -> f64| -> Vec<f64> {
                places
                    .iter()
                    .map(|place| place.map_or(f64::NAN, value))
                    .collect()
            };
            let end = |end: fn(&(f64, f64)) -> f64| match line.band.is_empty() {
                true => Vec::new(),
                false => at(&|i| end(&line.band[i])),
            };
            SeriesValues {
                name: line.name.clone(),
                y: at(&|i| line.points[i].1),
                low: end(|(low, _)| *low),
                high: end(|(_, high)| *high),
            }
        });
        Values {
            series: series.collect(),
            x_name: self.x_name.clone(),
            x,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn chart(lines: Vec<ChartLine>) -> Figure {
        let chart = LineChart {
            title: "loss".to_string(),
            lines,
            ..LineChart::new("epoch")
        };
        chart.draw().unwrap()
    }

    #[test]
    fn values_are_given_at_every_x_of_the_longest_line() {
        let band = vec![(0.5, 1.5), (1.5, 2.5)];
        let short = ChartLine {
            band,
            ..ChartLine::new("short", 0, vec![(1.0, 1.0), (2.0, 2.0)])
        };
        let long = ChartLine::new("long", 1, vec![(1.0, 5.0), (2.0, 6.0), (3.0, f64::NAN)]);
        let values = chart(vec![short, long]).values.unwrap();
        assert_eq!(values.x, [1.0, 2.0, 3.0]);
        let texts: Vec<String> = (0..3).map(|i| values.series[0].text(i)).collect();
        let expected = ["1.0000 [0.5000, 1.5000]", "2.0000 [1.5000, 2.5000]", "NaN"];
        assert_eq!(texts, expected);
        assert_eq!(values.series[1].text(2), "NaN");
    }

    #[test]
    fn a_picture_without_a_finite_value_says_so() {
        let nan = chart(vec![ChartLine::new("a", 0, vec![(1.0, f64::NAN)])]);
        assert_eq!(nan.caption, "No value is finite.");
        assert_eq!(nan.picture.description(), "a has no finite value.");
        let later = chart(vec![ChartLine::new(
            "a",
            0,
            vec![(0.0, f64::NAN), (1.0, 0.5)],
        )]);
        assert_eq!(later.picture.description(), "a goes from 0.5000 to 0.5000.");
        let one = chart(vec![ChartLine::new("a", 0, vec![(1.0, 0.5)])]);
        assert_eq!(one.caption, "");
        assert_eq!(one.picture.description(), "a goes from 0.5000 to 0.5000.");
    }
}
