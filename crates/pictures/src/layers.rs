//! The layers of a chart: lines, bands, points, bars, heat maps, contours and rules.

use crate::bitmap::Bitmap;
use crate::field::Field;
use crate::theme::Tone;

/// The dashes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// ———
    Solid,
    /// – – –
    Dashed,
    /// · · ·
    Dotted,
    /// – · –
    DashDotted,
}

/// The shape of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// ●
    Circle,
    /// ▲
    Triangle,
    /// ■
    Square,
    /// ◆
    Diamond,
    /// ×
    Cross,
    /// ★ for a goal, such as a minimum.
    Star,
}

impl Marker {
    /// The shape of series 0, 1, 2, …
    pub fn of_series(n: usize) -> Self {
        [
            Self::Circle,
            Self::Triangle,
            Self::Square,
            Self::Diamond,
            Self::Cross,
        ][n % 5]
    }
}

impl Stroke {
    /// The stroke of series 0, 1, 2, …. Neighbours differ in colour and stroke, and series of the same colour
    /// differ in stroke.
    pub fn of_series(n: usize) -> Self {
        // After the last colour the first is used again, with other strokes.
        [Self::Solid, Self::Dashed, Self::DashDotted, Self::Dotted][(n + n / Tone::SERIES) % 4]
    }
}

/// One layer of a chart.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// A curve or a path.
    Line(Line),
    /// An area between two curves.
    Band(Band),
    /// Points.
    Points(Points),
    /// Bars beside each other.
    Bars(Bars),
    /// A plane in colours.
    HeatMap(HeatMap),
    /// Lines of equal value.
    Contours(Contours),
    /// A straight line across.
    Rule(Rule),
}

/// A curve or a path through points; a point that is not finite leaves a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) tone: Option<Tone>,
    pub(crate) stroke: Option<Stroke>,
    pub(crate) width: f64,
    pub(crate) marker: Option<Marker>,
}

impl Line {
    /// A line with its name in the legend. An empty name gets no entry in the legend.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points: points.into_iter().collect(),
            tone: None,
            stroke: None,
            width: 2.0,
            marker: None,
        }
    }

    /// Sets the colour (by default the next unused one).
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = Some(tone);
        self
    }

    /// Sets the stroke (by default the one that belongs to the colour).
    pub fn stroke(mut self, stroke: Stroke) -> Self {
        self.stroke = Some(stroke);
        self
    }

    /// Sets the width in pixels (2 by default).
    pub fn width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }

    /// Puts a marker at every point, which shows its values under the mouse.
    pub fn marker(mut self, marker: Marker) -> Self {
        self.marker = Some(marker);
        self
    }
}

/// The area between two curves, such as the range over several seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    pub(crate) name: String,
    /// `(x, lower, upper)`
    pub(crate) edges: Vec<(f64, f64, f64)>,
    pub(crate) tone: Option<Tone>,
}

impl Band {
    /// A band through `(x, lower, upper)`. With an empty name it gets the colour of the line after it, and no
    /// entry in the legend.
    pub fn new(name: impl Into<String>, edges: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        Self {
            name: name.into(),
            edges: edges.into_iter().collect(),
            tone: None,
        }
    }

    /// Sets the colour.
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = Some(tone);
        self
    }
}

/// Points with one colour and shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) tone: Option<Tone>,
    pub(crate) marker: Option<Marker>,
    pub(crate) radius: f64,
}

impl Points {
    /// Points with their name in the legend. An empty name gets no entry in the legend.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points: points.into_iter().collect(),
            tone: None,
            marker: None,
            radius: 3.0,
        }
    }

    /// Sets the colour (by default the next unused one).
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = Some(tone);
        self
    }

    /// Sets the shape (by default the one that belongs to the colour).
    pub fn marker(mut self, marker: Marker) -> Self {
        self.marker = Some(marker);
        self
    }

    /// Sets the radius in pixels (3 by default).
    pub fn radius(mut self, radius: f64) -> Self {
        self.radius = radius;
        self
    }
}

/// Bars from zero, or from the bottom of a logarithmic axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    pub(crate) name: String,
    /// `(from, to, height)`
    pub(crate) bars: Vec<(f64, f64, f64)>,
    pub(crate) tone: Option<Tone>,
}

impl Bars {
    /// Bars `(from, to, height)` beside each other, such as those of a histogram.
    pub fn new(name: impl Into<String>, bars: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        Self {
            name: name.into(),
            bars: bars.into_iter().collect(),
            tone: None,
        }
    }

    /// A histogram of `values`, with `count` equally wide bins over their range.
    pub fn histogram(name: impl Into<String>, values: &[f64], count: usize) -> Self {
        let (min, max) = crate::field::range(values.iter().copied()).unwrap_or((0.0, 1.0));
        let width = if max > min {
            (max - min) / count.max(1) as f64
        } else {
            1.0
        };
        let mut bins = vec![0usize; count.max(1)];
        let last = bins.len() - 1;
        for value in values.iter().filter(|value| value.is_finite()) {
            bins[(((value - min) / width) as usize).min(last)] += 1;
        }
        let bars = bins.into_iter().enumerate().map(|(i, n)| {
            let from = min + i as f64 * width;
            (from, from + width, n as f64)
        });
        Self::new(name, bars)
    }

    /// One bar at 0, 1, 2, …, for an axis with names.
    pub fn at_names(name: impl Into<String>, heights: impl IntoIterator<Item = f64>) -> Self {
        let bar = |(i, height)| (i as f64 - 0.36, i as f64 + 0.36, height);
        Self::new(name, heights.into_iter().enumerate().map(bar))
    }

    /// Sets the colour (by default the next unused one).
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = Some(tone);
        self
    }
}

/// A plane in colours, with a legend or a colour bar.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
    pub(crate) spacing: (f64, f64),
    pub(crate) bitmap: Bitmap,
    pub(crate) key: Option<(String, f64, f64)>,
}

impl HeatMap {
    /// A map of the probability of class 1: blue where class 0 is likely, vermillion where class 1 is.
    pub fn probabilities(field: &Field) -> Self {
        Self::of(field, Bitmap::probabilities(field))
    }

    /// A map of the most probable of several classes; `probabilities[class]` is the field of one class.
    ///
    /// # Errors
    /// [`crate::PictureError::Grid`] if the fields differ in size, or there is none.
    pub fn classes(probabilities: &[Field]) -> Result<Self, crate::PictureError> {
        let bitmap = Bitmap::classes(probabilities)?;
        Ok(Self::of(&probabilities[0], bitmap))
    }

    /// A map of values in shades of grey, with a bar of shades and their values beside the plot.
    pub fn values(field: &Field, label: impl Into<String>) -> Self {
        let (min, max) = field.range().unwrap_or((0.0, 1.0));
        let key = Some((label.into(), min, max));
        Self {
            key,
            ..Self::of(field, Bitmap::shades(field, None))
        }
    }

    /// A map that shows a bitmap.
    pub fn of(field: &Field, bitmap: Bitmap) -> Self {
        Self {
            x: field.x,
            y: field.y,
            spacing: field.spacing(),
            bitmap,
            key: None,
        }
    }
}

/// Lines of equal value on a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Contours {
    pub(crate) field: Field,
    pub(crate) levels: Vec<f64>,
    pub(crate) tone: Tone,
    pub(crate) width: f64,
}

impl Contours {
    /// Contours of a field at these values.
    pub fn at(field: &Field, levels: impl IntoIterator<Item = f64>) -> Self {
        Self {
            field: field.clone(),
            levels: levels.into_iter().collect(),
            tone: Tone::Ink,
            width: 1.0,
        }
    }

    /// About `count` contours, with an equal share of the plane between each two, so that flat valleys show too.
    pub fn even(field: &Field, count: usize) -> Self {
        let mut sorted: Vec<f64> = field
            .values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        sorted.sort_by(f64::total_cmp);
        let mut levels: Vec<f64> = (1..=count)
            .filter_map(|i| sorted.get(i * sorted.len() / (count + 1)).copied())
            .collect();
        levels.dedup();
        Self::at(field, levels)
    }

    /// Sets the colour (by default that of text).
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// Sets the width in pixels (1 by default).
    pub fn width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }
}

/// A straight line across the plot, such as a threshold or the diagonal of a ROC curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) tone: Tone,
}

/// The place of a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place {
    /// Vertical, at this `x`.
    Upright(f64),
    /// Horizontal, at this `y`.
    Level(f64),
    /// From one point to another.
    Between((f64, f64), (f64, f64)),
}

impl Rule {
    fn new(name: impl Into<String>, place: Place) -> Self {
        Self {
            name: name.into(),
            place,
            tone: Tone::Muted,
        }
    }

    /// A rule from the bottom to the top at `x`.
    pub fn upright(name: impl Into<String>, x: f64) -> Self {
        Self::new(name, Place::Upright(x))
    }

    /// A rule from left to right at `y`.
    pub fn level(name: impl Into<String>, y: f64) -> Self {
        Self::new(name, Place::Level(y))
    }

    /// A rule from one point to another.
    pub fn between(name: impl Into<String>, from: (f64, f64), to: (f64, f64)) -> Self {
        Self::new(name, Place::Between(from, to))
    }

    /// Sets the colour (by default a muted one).
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

impl From<Line> for Layer {
    fn from(layer: Line) -> Self {
        Self::Line(layer)
    }
}

impl From<Band> for Layer {
    fn from(layer: Band) -> Self {
        Self::Band(layer)
    }
}

impl From<Points> for Layer {
    fn from(layer: Points) -> Self {
        Self::Points(layer)
    }
}

impl From<Bars> for Layer {
    fn from(layer: Bars) -> Self {
        Self::Bars(layer)
    }
}

impl From<HeatMap> for Layer {
    fn from(layer: HeatMap) -> Self {
        Self::HeatMap(layer)
    }
}

impl From<Contours> for Layer {
    fn from(layer: Contours) -> Self {
        Self::Contours(layer)
    }
}

impl From<Rule> for Layer {
    fn from(layer: Rule) -> Self {
        Self::Rule(layer)
    }
}
