//! A chart: two axes and layers between them.

use crate::axis::{Axis, Scale};
use crate::error::PictureError;
use crate::field::range;
use crate::layers::{Layer, Marker, Place, Stroke};
use crate::legend::{Legend, Sample};
use crate::picture::{Picture, Sketch, draw_title, height_of_title};
use crate::plot::{Plot, draw_key};
use crate::theme::Tone;

/// Two axes and the layers between them, which are drawn over each other in the order in which they are added.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    title: String,
    description: Option<String>,
    x: Axis,
    y: Axis,
    layers: Vec<Layer>,
    size: (f64, f64),
}

/// Opacity of an area between two curves.
pub(crate) const BAND_OPACITY: f64 = 0.22;
/// Opacity of bars, several of which may overlap.
pub(crate) const BAR_OPACITY: f64 = 0.72;

/// Width of the colour bar beside a heat map, in pixels.
const KEY_WIDTH: f64 = 64.0;

/// The smallest height of the frame below a legend, as a share of the picture's width.
const LEAST_FRAME: f64 = 0.37;
/// Its smallest height without a legend, below a title of many lines, in pixels.
const LEAST_ALONE: f64 = 60.0;

impl Chart {
    /// An empty chart, 480 × 320 pixels.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            description: None,
            x,
            y,
            layers: Vec::new(),
            size: (480.0, 320.0),
        }
    }

    /// Adds a layer on top.
    pub fn with(mut self, layer: impl Into<Layer>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// Adds several layers on top.
    pub fn with_all<L: Into<Layer>>(mut self, layers: impl IntoIterator<Item = L>) -> Self {
        self.layers.extend(layers.into_iter().map(Into::into));
        self
    }

    /// Sets the text for readers who cannot see the picture (by default a list of axes and names).
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the size in pixels (480 × 320 by default). A chart with a long title or legend is higher.
    pub fn size(mut self, width: f64, height: f64) -> Self {
        self.size = (width, height);
        self
    }

    /// The room below the frame, for the numbers and the label of the axis, in pixels.
    fn below(&self) -> f64 {
        34.0 + if self.x.label().is_empty() { 2.0 } else { 17.0 }
    }

    /// The layers with all colours, strokes and markers chosen, and their legend.
    fn settled(&self) -> (Vec<Layer>, Legend) {
        let mut legend = Legend::default();
        let mut free = 0;
        let mut take = || {
            free += 1;
            Tone::Series(free - 1)
        };
        let mut layers = self.layers.clone();
        let mut nameless_bands: Vec<usize> = Vec::new();
        for i in 0..layers.len() {
            let mut tone_of_bands = None;
            match &mut layers[i] {
                Layer::Line(line) => {
                    let tone = *line.tone.get_or_insert_with(&mut take);
                    let stroke = *line.stroke.get_or_insert(match tone {
                        Tone::Series(n) => Stroke::of_series(n),
                        _ => Stroke::Solid,
                    });
                    tone_of_bands = Some(tone);
                    legend.add(&line.name, Sample::Line(tone, stroke, line.marker));
                }
                Layer::Band(band) if band.name.is_empty() && band.tone.is_none() => {
                    nameless_bands.push(i)
                }
                Layer::Band(band) => {
                    let tone = *band.tone.get_or_insert_with(&mut take);
                    legend.add(&band.name, Sample::Area(tone, BAND_OPACITY));
                }
                Layer::Bars(bars) => {
                    let tone = *bars.tone.get_or_insert_with(&mut take);
                    legend.add(&bars.name, Sample::Area(tone, BAR_OPACITY));
                }
                Layer::Points(points) => {
                    let tone = *points.tone.get_or_insert_with(&mut take);
                    let marker = *points.marker.get_or_insert(match tone {
                        Tone::Series(n) => Marker::of_series(n),
                        _ => Marker::Circle,
                    });
                    legend.add(&points.name, Sample::Marker(tone, marker));
                }
                Layer::Rule(rule) => {
                    legend.add(&rule.name, Sample::Line(rule.tone, Stroke::Dashed, None))
                }
                Layer::HeatMap(_) | Layer::Contours(_) => {}
            }
            if let Some(tone) = tone_of_bands {
                for band in nameless_bands.drain(..) {
                    if let Layer::Band(band) = &mut layers[band] {
                        band.tone = Some(tone);
                    }
                }
            }
        }
        (layers, legend)
    }

    /// The range of the data along both axes, and the padding around them.
    fn spans(&self) -> Result<(Span, Span), PictureError> {
        if self.layers.is_empty() {
            return Err(PictureError::Empty {
                title: self.title.clone(),
                reason: "the chart has no layers",
            });
        }
        let (mut xs, mut ys) = (Vec::new(), Vec::new());
        for layer in &self.layers {
            add_coordinates(layer, &mut xs, &mut ys);
        }
        let x = range(xs.into_iter().filter(|x| self.x.admits(*x)));
        let y = range(ys.into_iter().filter(|y| self.y.admits(*y)));
        let (padding_x, padding_y) = self.padding();
        Ok(((x, padding_x), (y, padding_y)))
    }

    /// The padding before and after the data along both axes, as shares of their range: none around a map, some beside
    /// points, and none below bars that stand on the axis.
    fn padding(&self) -> ((f64, f64), (f64, f64)) {
        let is_map = |layer: &Layer| matches!(layer, Layer::HeatMap(_) | Layer::Contours(_));
        if self.layers.iter().any(is_map) {
            return ((0.0, 0.0), (0.0, 0.0));
        }
        let (mut x, mut y) = ((0.0, 0.0), (0.06, 0.06));
        for layer in &self.layers {
            match layer {
                Layer::Points(_) => x = (0.04, 0.04),
                Layer::Bars(bars) if bars.bars.iter().all(|(_, _, height)| *height >= 0.0) => {
                    y.0 = 0.0;
                }
                _ => {}
            }
        }
        (x, y)
    }
}

/// Adds the coordinates that have to lie within the axes.
fn add_coordinates(layer: &Layer, xs: &mut Vec<f64>, ys: &mut Vec<f64>) {
    let add = |(x, y): (f64, f64)| {
        xs.push(x);
        ys.push(y);
    };
    match layer {
        Layer::Line(line) => line.points.iter().copied().for_each(add),
        Layer::Points(points) => points.points.iter().copied().for_each(add),
        Layer::Band(band) => band.edges.iter().for_each(|(x, lower, upper)| {
            xs.push(*x);
            ys.extend([*lower, *upper]);
        }),
        Layer::Bars(bars) => bars.bars.iter().for_each(|(from, to, height)| {
            xs.extend([*from, *to]);
            ys.extend([*height, 0.0]);
        }),
        Layer::Rule(rule) => match rule.place {
            Place::Upright(x) => xs.push(x),
            Place::Level(y) => ys.push(y),
            Place::Between(from, to) => [from, to].into_iter().for_each(add),
        },
        Layer::HeatMap(map) => {
            xs.extend([map.x.0, map.x.1]);
            ys.extend([map.y.0, map.y.1]);
        }
        Layer::Contours(contours) => {
            xs.extend([contours.field.x.0, contours.field.x.1]);
            ys.extend([contours.field.y.0, contours.field.y.1]);
        }
    }
}

/// The smallest and the largest value, and the padding around them.
type Span = (Option<(f64, f64)>, (f64, f64));

/// Margins around the plot, in pixels.
struct Room {
    left: f64,
    bottom: f64,
    width: f64,
    height: f64,
}

impl Picture for Chart {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        if let Some(description) = &self.description {
            return description.clone();
        }
        let names: Vec<&str> = self
            .layers
            .iter()
            .map(|layer| match layer {
                Layer::Line(line) => line.name.as_str(),
                Layer::Band(band) => &band.name,
                Layer::Points(points) => &points.name,
                Layer::Bars(bars) => &bars.name,
                Layer::Rule(rule) => &rule.name,
                Layer::HeatMap(_) | Layer::Contours(_) => "",
            })
            .filter(|name| !name.is_empty())
            .collect();
        let shown = if names.is_empty() {
            String::new()
        } else {
            format!(": {}", names.join(", "))
        };
        let axes = match (self.y.label(), self.x.label()) {
            ("", "") => "A chart".to_string(),
            ("", x) => format!("A chart over {x}"),
            (y, "") => format!("A chart of {y}"),
            (y, x) => format!("{y} over {x}"),
        };
        format!("{axes}{shown}.")
    }

    fn size(&self) -> (f64, f64) {
        let (width, height) = self.size;
        let legend = self.settled().1.height(width - 16.0);
        let least = match legend > 0.0 {
            true => LEAST_FRAME * width,
            false => LEAST_ALONE,
        };
        let needed = height_of_title(&self.title, width) + legend + self.below() + least;
        // A picture of pixels has whole ones.
        (width, height.max(needed.ceil()))
    }

    fn draw(&self, sketch: &Sketch<'_, '_>) -> Result<(), PictureError> {
        let (width, height) = Picture::size(self);
        let (layers, legend) = self.settled();
        let key = layers.iter().find_map(|layer| match layer {
            Layer::HeatMap(map) => map.key.clone(),
            _ => None,
        });
        let key_width = if key.is_some() { KEY_WIDTH } else { 0.0 };
        let above = height_of_title(&self.title, width) + legend.height(width - 16.0);
        let label = |axis: &Axis| if axis.label().is_empty() { 2.0 } else { 17.0 };
        let mut room = Room {
            left: 0.0,
            bottom: self.below() - 10.0,
            width: width - key_width - 70.0,
            height: 0.0,
        };
        room.height = height - above - room.bottom - 10.0;
        if room.width < 40.0 || room.height < 40.0 {
            return Err(PictureError::Empty {
                title: self.title.clone(),
                reason: "no room is left between title, legend and axes",
            });
        }

        let (x, y) = self.spans()?;
        let x: Scale = self.x.scale(x.0, x.1, (room.width / 58.0) as usize)?;
        let y: Scale = self.y.scale(y.0, y.1, (room.height / 34.0) as usize)?;
        let widest = |scale: &Scale| {
            scale
                .labels()
                .iter()
                .map(|text| crate::text::width(text, crate::picture::NUMBER))
                .fold(0.0, f64::max)
        };
        room.left = 12.0 + widest(&y) + label(&self.y);

        let below = draw_title(sketch.area, &self.title)?;
        let below = below.margin(0, 0, crate::canvas::px(8.0), crate::canvas::px(8.0));
        legend.draw(&below, width - 16.0)?;
        let body = below
            .split_vertically(crate::canvas::px(legend.height(width - 16.0)))
            .1;
        let plot = Plot::new(
            &body,
            x,
            y,
            (room.left, room.bottom, key_width),
            (&self.x, &self.y),
        )?;
        plot.draw(&layers)?;
        if let Some((label, min, max)) = key {
            draw_key(sketch.area, plot.frame(), &label, (min, max))?;
        }
        Ok(())
    }
}
