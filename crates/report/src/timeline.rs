//! The inside of a network over time: charts of its layers, and pictures that one slider moves through the epochs.

use emberlab_pictures::{Axis, Tone};
use emberlab_run_format::{
    FeatureMaps, Frame, FramesHeader, Histogram, LayerHistory, LayerRow, Maps,
};
use serde::Serialize;

use crate::curves::Curve;
use crate::document::{Block, Column, Figure, Table};
use crate::line_chart::{ChartLine, LineChart};
use crate::{ReportError, number};

/// The most moments that the slider has.
const MOST_MOMENTS: usize = 200;
/// The most characters of pictures in a page; with more, some moments have those of an earlier one.
const MOST_CHARACTERS: usize = 2_000_000;

/// Charts over the epochs with a cursor, and pictures of the moment at the cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// The charts.
    pub figures: Vec<Figure>,
    /// The layers, from the inputs to the outputs.
    pub layers: Vec<TimelineLayer>,
    /// The names of the classes that colours stand for; empty for a regression.
    pub class_names: Vec<String>,
    /// Whether there are pictures of predictions over two inputs.
    pub has_boundary: bool,
    /// A sentence about the pictures of first-layer weights; `None` if there are none.
    pub weights: Option<String>,
    /// The caption of the image that feature maps are of, such as `the image, class 7`; none if there is no image.
    pub sample: Option<String>,
    /// Everything that the pictures are drawn from, as JSON.
    pub data: String,
}

/// The panels of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineLayer {
    /// Its name, such as `layers.0`.
    pub name: String,
    /// Its name, its number of units and its activation function.
    pub title: String,
    /// Whether there is a map of every unit.
    pub has_maps: bool,
    /// The channels and the size of its feature maps, in words; `None` if it has none.
    pub features: Option<String>,
    /// Whether there is a view of its activations.
    pub has_view: bool,
}

/// The data of the page's script.
#[derive(Serialize)]
struct Data<'a> {
    epochs: Vec<f64>,
    steps: Vec<u64>,
    layers: Vec<LayerData>,
    header: Option<&'a FramesHeader>,
    frames: Vec<&'a Frame>,
    /// The colours of classes: light ones of the style sheet, which replaces them in dark pages.
    colours: Vec<String>,
}

#[derive(Serialize)]
struct LayerData {
    name: String,
    activations: Vec<Bins>,
    weights: Vec<Bins>,
    gradients: Vec<Bins>,
}

/// A histogram: low edge, high edge, counts.
#[derive(Serialize)]
struct Bins(Short, Short, Vec<u64>);

/// A number with four significant digits; `null` if it is not finite.
struct Short(f64);

impl Serialize for Short {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let short = format!("{:.3e}", self.0).parse().unwrap_or(self.0);
        serializer.serialize_f64(short)
    }
}

/// The blocks of the section; none if the network was not inspected.
///
/// # Errors
/// [`ReportError::Picture`] if a chart cannot be drawn, [`ReportError::Format`] if the data have no JSON form.
pub(crate) fn timeline_blocks(
    history: &LayerHistory,
    frames: Option<&(FramesHeader, Vec<Frame>)>,
    curves: &[Curve],
) -> Result<Vec<Block>, ReportError> {
    let names = history.layers();
    let Some(first) = names.first() else {
        return Ok(Vec::new());
    };
    let rows: Vec<Vec<&LayerRow>> = names
        .iter()
        .map(|name| history.of_layer(name).collect())
        .collect();
    let num_records = history.of_layer(first).count();
    let shown = evenly_with_last(num_records, MOST_MOMENTS);
    let (header, frames) = match frames {
        Some((header, frames)) => (Some(header), fitting(frames)),
        None => (None, Vec::new()),
    };
    let data = Data {
        epochs: shown.iter().map(|&i| rows[0][i].epoch).collect(),
        steps: shown.iter().map(|&i| rows[0][i].step).collect(),
        layers: rows.iter().map(|rows| layer_data(rows, &shown)).collect(),
        header,
        frames: frames.clone(),
        colours: (0..Tone::SERIES)
            .map(|i| {
                let [r, g, b] = Tone::Series(i).rgb();
                format!("#{r:02x}{g:02x}{b:02x}")
            })
            .collect(),
    };
    let data = crate::to_json_line(&data)?;
    let last = frames.last();
    let layers = rows.iter().zip(&names).map(|(rows, name)| {
        let of_layer = last.and_then(|frame| frame.layers.iter().find(|one| one.layer == *name));
        let (units, activation) = (rows[0].units, &rows[0].activation);
        TimelineLayer {
            name: (*name).to_string(),
            title: format!("{name}: {units} × {activation}"),
            has_maps: of_layer.is_some_and(|layer| layer.maps.is_some()),
            features: of_layer
                .and_then(|layer| layer.features.as_ref())
                .map(|features| features_title(units, features)),
            has_view: of_layer.is_some_and(|layer| layer.view.is_some()),
        }
    });
    let timeline = Timeline {
        figures: charts(&names, &rows, curves)?,
        layers: layers.collect(),
        class_names: header.map_or(Vec::new(), |header| header.class_names.clone()),
        has_boundary: last.is_some_and(|frame| frame.boundary.is_some()),
        weights: header
            .filter(|_| last.is_some_and(|frame| frame.weights.is_some()))
            .and_then(|header| weights_title(header, first)),
        sample: header.and_then(sample_title),
        data,
    };
    let said = "A fixed set of rows, at most 256 of the validation split, shows what each layer does with them. The \
                slider moves all pictures through the epochs.";
    Ok(vec![
        Block::Text(said.to_string()),
        Block::Timeline(Box::new(timeline)),
        Block::Table(last_record(&rows)),
    ])
}

/// The channels of a convolution with `channels` channels that are shown, and the size of their pictures, in words.
fn features_title(channels: usize, features: &FeatureMaps) -> String {
    let shown = features.maps.scales.len();
    let channels = match shown == channels {
        true => format!("{channels} channels"),
        false => format!("the first {shown} of {channels} channels"),
    };
    let [height, width] = features.pixels;
    let means = match features.size == features.pixels {
        true => String::new(),
        false => {
            let [height, width] = features.size;
            format!(", averaged to {height} × {width}")
        }
    };
    format!("{channels}, {height} × {width} pixels{means}")
}

/// A sentence about the pictures of the first weights; `None` if the header does not know their size.
fn weights_title(header: &FramesHeader, first: &str) -> Option<String> {
    let [height, width] = header.image?;
    if !first.starts_with("convolutions.") {
        return Some(
            "A picture for each of the first units, with the weight of every pixel".to_string(),
        );
    }
    let over = match &header.sample {
        Some(sample) if sample.shape[0] == 3 => "the red channel of the image",
        _ => "the image",
    };
    Some(format!(
        "A picture for each of the first channels, in the order of their feature maps: the {height} × {width} weights of the \
         kernel that moves over {over}"
    ))
}

/// The caption of the image that feature maps are of, with its class if there are classes.
fn sample_title(header: &FramesHeader) -> Option<String> {
    header.sample.as_ref()?;
    let class = header.classes.first().map(|&class| {
        let name = header.class_names.get(class as usize).cloned();
        name.unwrap_or_else(|| class.to_string())
    });
    Some(class.map_or_else(
        || "the image".to_string(),
        |class| format!("the image, class {class}"),
    ))
}

fn layer_data(rows: &[&LayerRow], shown: &[usize]) -> LayerData {
    let of = |histogram: fn(&LayerRow) -> &Histogram| {
        let bins = shown.iter().map(|&i| {
            let Histogram { low, high, counts } = histogram(rows[i]);
            Bins(Short(*low), Short(*high), counts.clone())
        });
        bins.collect()
    };
    LayerData {
        name: rows[0].layer.clone(),
        activations: of(|row| &row.activations),
        weights: of(|row| &row.weights),
        gradients: of(|row| &row.gradients),
    }
}

/// The frames that fit into a page: all, or every second one, or every fourth, and so on; the last one is among them.
fn fitting(frames: &[Frame]) -> Vec<&Frame> {
    let mut chosen: Vec<&Frame> = frames.iter().collect();
    let length_of = |maps: &Maps| maps.values.0.len() + 4 * maps.scales.len();
    let length = |frame: &&Frame| {
        let layers = frame.layers.iter();
        let layers = layers.map(|layer| {
            let features = layer
                .features
                .as_ref()
                .map_or(0, |one| length_of(&one.maps));
            let view = layer.view.as_ref().map_or(0, |_| 700);
            layer.maps.as_ref().map_or(0, length_of) + features + view
        });
        let weights = frame.weights.as_ref().map_or(0, length_of);
        (layers.sum::<usize>() + weights) * 4 / 3 + 5000
    };
    while chosen.len() > 2 && chosen.iter().map(length).sum::<usize>() > MOST_CHARACTERS {
        let last = chosen.len() - 1;
        let half = chosen.into_iter().enumerate();
        let half = half.filter(|(i, _)| (last - i).is_multiple_of(2));
        chosen = half.map(|(_, frame)| frame).collect();
    }
    chosen
}

/// At most `most` of the indices below `count`, evenly spread, with the first and the last.
pub fn evenly_with_last(count: usize, most: usize) -> Vec<usize> {
    let last = count.saturating_sub(1);
    let num_steps = last.min(most - 1);
    let mut indices: Vec<usize> = (0..num_steps).map(|i| i * last / num_steps).collect();
    indices.extend((count > 0).then_some(last));
    indices
}

/// A number of a row.
type Value = fn(&LayerRow) -> f64;

/// The charts over the epochs, each with a line per layer; the loss first.
fn charts(
    names: &[&str],
    rows: &[Vec<&LayerRow>],
    curves: &[Curve],
) -> Result<Vec<Figure>, ReportError> {
    let mut figures = Vec::new();
    let losses = ["train_loss", "valid_loss"].into_iter().enumerate();
    let losses: Vec<ChartLine> = losses
        .filter_map(|(i, column)| {
            let curve = curves.iter().find(|curve| curve.column == column)?;
            let name = column.strip_suffix("_loss")?;
            Some(ChartLine::of_curve(name, i, curve, false))
        })
        .collect();
    if !losses.is_empty() {
        figures.push(chart("Loss", "loss", losses)?);
    }
    let of_layers = |value: Value| -> Vec<ChartLine> {
        let lines = names.iter().zip(rows).enumerate();
        lines
            .map(|(i, (name, rows))| {
                let points = rows.iter().map(|row| (row.epoch, value(row)));
                ChartLine::new(name, i, points.collect())
            })
            .collect()
    };
    let gradients = of_layers(|row| row.gradient_norm);
    figures.push(chart("Gradient norm of each layer", "norm", gradients)?);
    let updates = of_layers(LayerRow::update_ratio);
    figures.push(chart(
        "Update of a step over the weights",
        "ratio of norms",
        updates,
    )?);
    let weights = of_layers(|row| row.weight_norm);
    figures.push(chart("Weight norm of each layer", "norm", weights)?);
    let shares: [(&str, Value); 2] = [
        ("Share of units that are dead", |row| row.dead),
        ("Share of activations that are saturated", |row| {
            row.saturated
        }),
    ];
    for (title, value) in shares {
        let is_somewhere = rows.iter().flatten().any(|row| value(row) > 0.0);
        if is_somewhere {
            figures.push(chart(title, "share", of_layers(value))?);
        }
    }
    Ok(figures)
}

/// A small chart over the epochs, with a logarithmic axis where the values span more than 1½ decades.
fn chart(title: &str, y: &str, lines: Vec<ChartLine>) -> Result<Figure, ReportError> {
    let values = lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y);
    let (low, high) = values
        .filter(|y| y.is_finite() && *y != 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(low, high), y| {
            (low.min(y), high.max(y))
        });
    let axis = match low > 0.0 && high / low > 30.0 && y != "share" {
        true => Axis::new(y).logarithmic(),
        false => Axis::new(y),
    };
    LineChart {
        title: title.to_string(),
        x: Axis::new("epoch"),
        y: axis,
        lines,
        size: (400.0, 260.0),
        ..LineChart::new("epoch")
    }
    .draw()
}

/// The last record of every layer.
fn last_record(rows: &[Vec<&LayerRow>]) -> Table {
    let columns = [
        "units",
        "activation",
        "dead",
        "saturated",
        "weight norm",
        "gradient norm",
        "update / weights",
    ];
    let cells = rows.iter().filter_map(|rows| rows.last()).map(|row| {
        vec![
            row.layer.as_str().into(),
            row.units.to_string().into(),
            format!(
                "{} ± {}",
                number(row.activation_mean),
                number(row.activation_std)
            )
            .into(),
            number(row.dead).into(),
            number(row.saturated).into(),
            number(row.weight_norm).into(),
            number(row.gradient_norm).into(),
            number(row.update_ratio()).into(),
        ]
    });
    Table {
        caption: "The layers at the end: mean and deviation of activations, shares of units, norms"
            .to_string(),
        columns: [Column::words("layer")]
            .into_iter()
            .chain(columns.map(Column::numbers))
            .collect(),
        rows: cells.collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use emberlab_run_format::{Bytes, LayerFrame, NUM_BINS, Packed, SampleImage};

    use super::*;

    fn history(num_records: u64) -> LayerHistory {
        let histogram = Histogram {
            low: 0.0,
            high: 1.0,
            counts: vec![1; NUM_BINS],
        };
        let row = |step: u64, layer: &str| LayerRow {
            epoch: step as f64,
            step,
            layer: layer.to_string(),
            activation: "relu".to_string(),
            units: 3,
            activations: histogram.clone(),
            weights: histogram.clone(),
            gradients: histogram.clone(),
            ..LayerRow::default()
        };
        let rows = (0..num_records).flat_map(|step| [row(step, "layers.0"), row(step, "layers.1")]);
        let rows: String = rows.map(|row| row.line()).collect();
        LayerHistory::parse(&(LayerRow::header() + &rows)).unwrap()
    }

    #[test]
    fn a_network_that_was_not_inspected_has_no_section() {
        let blocks = timeline_blocks(&LayerHistory::default(), None, &[]).unwrap();
        assert_eq!(blocks, []);
    }

    #[test]
    fn moments_are_thinned_but_keep_both_ends() {
        let blocks = timeline_blocks(&history(1000), None, &[]).unwrap();
        let Block::Timeline(timeline) = &blocks[1] else {
            panic!("no timeline");
        };
        let data: serde_json::Value = serde_json::from_str(&timeline.data).unwrap();
        let epochs = data["epochs"].as_array().unwrap();
        assert_eq!((epochs.len(), &epochs[0]), (200, &serde_json::json!(0.0)));
        assert_eq!(epochs[199], 999.0);
        assert_eq!(timeline.layers[1].title, "layers.1: 3 × relu");
    }

    /// A frame with pictures of one layer.
    fn frame(step: u64, layer: LayerFrame) -> Frame {
        Frame {
            epoch: step as f64,
            step,
            layers: vec![layer],
            boundary: None,
            weights: None,
        }
    }

    /// Feature maps of `channels` channels.
    fn features(channels: usize, pixels: [usize; 2], size: [usize; 2]) -> FeatureMaps {
        let maps = Maps {
            scales: vec![1.0; channels],
            values: Packed(vec![128; channels * size[0] * size[1]]),
        };
        FeatureMaps { pixels, size, maps }
    }

    #[test]
    fn pictures_are_thinned_until_they_fit_and_keep_the_last() {
        let with_maps = LayerFrame {
            layer: "layers.0".to_string(),
            maps: Some(features(1, [0, 0], [500, 600]).maps),
            features: None,
            view: None,
        };
        let with_features = LayerFrame {
            maps: None,
            features: Some(features(100, [60, 50], [60, 50])),
            ..with_maps.clone()
        };
        for layer in [with_maps, with_features] {
            let frames: Vec<Frame> = (0..10).map(|step| frame(step, layer.clone())).collect();
            let steps: Vec<u64> = fitting(&frames).iter().map(|frame| frame.step).collect();
            assert_eq!(steps, [1, 5, 9]);
        }
    }

    /// The timeline of the layers of [`history`], of which the first has feature maps.
    fn with_features(header: FramesHeader, features: FeatureMaps) -> Timeline {
        let layer = LayerFrame {
            layer: "layers.0".to_string(),
            maps: None,
            features: Some(features),
            view: None,
        };
        let frames = (header, vec![frame(0, layer)]);
        let blocks = timeline_blocks(&history(2), Some(&frames), &[]).unwrap();
        let [_, Block::Timeline(timeline), _] = blocks.as_slice() else {
            panic!("no timeline");
        };
        (**timeline).clone()
    }

    #[test]
    fn feature_maps_say_which_channels_they_show_of_which_image() {
        let header = FramesHeader {
            classes: vec![1, 0],
            class_names: vec!["cat".to_string(), "dog".to_string()],
            region: None,
            image: None,
            sample: Some(SampleImage {
                shape: [1, 1, 2],
                pixels: Bytes(vec![0, 255]),
            }),
        };
        let title = |channels, pixels, size| {
            let timeline = with_features(header.clone(), features(channels, pixels, size));
            assert_eq!(timeline.sample.as_deref(), Some("the image, class dog"));
            assert_eq!(timeline.layers[1].features, None);
            let data: serde_json::Value = serde_json::from_str(&timeline.data).unwrap();
            assert_eq!(data["header"]["sample"]["pixels"], "00ff");
            let drawn = &data["frames"][0]["layers"][0]["features"]["maps"]["scales"];
            assert_eq!(drawn.as_array().unwrap().len(), channels);
            timeline.layers[0].features.clone().unwrap()
        };
        // The layer of the history has three channels.
        assert_eq!(title(3, [8, 8], [8, 8]), "3 channels, 8 × 8 pixels");
        assert_eq!(
            title(2, [40, 30], [20, 15]),
            "the first 2 of 3 channels, 40 × 30 pixels, averaged to 20 × 15"
        );
    }

    #[test]
    fn frames_that_an_earlier_version_began_are_shown_without_the_image() {
        let header = FramesHeader {
            classes: vec![1],
            class_names: Vec::new(),
            region: None,
            image: None,
            sample: None,
        };
        let timeline = with_features(header, features(3, [2, 2], [2, 2]));
        assert_eq!((timeline.sample, timeline.weights), (None, None));
        assert!(timeline.layers[0].features.is_some());
    }
}
