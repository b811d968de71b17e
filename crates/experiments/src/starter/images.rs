//! An experiment for a folder with a folder of images for each class.

use std::fs;
use std::path::{Path, PathBuf};

use emberlab_datasets::sources::ImageFolder;
use emberlab_datasets::{Color, DatasetConfig, DatasetError, InputImage, Samples, Standardize};
use emberlab_models::{ConvNetConfig, ModelConfig};

use super::comments::Comments;
use super::training::{self, Learnt};
use super::{Starter, experiment_name};
use crate::error::ExperimentError;

/// The longest side of the images that a network takes at first, in pixels.
const LARGEST_SIDE: usize = 64;

/// The number of images of each class that are looked at for size and colour.
const IMAGES_LOOKED_AT: usize = 5;

/// An experiment that learns the classes of a folder of images.
pub(super) fn starter(path: &Path) -> Result<Starter, ExperimentError> {
    // Images of one pixel are enough to count them, and to find files that cannot be read.
    let counted = folder(path, [1, 1], Color::Grey)
        .load(&[], 0)?
        .encode_all()?;
    let classes = classes(&counted);
    let looked_at = look_at(path)?;
    let color = match looked_at.iter().any(has_color) {
        true => Color::Rgb,
        false => Color::Grey,
    };
    let [width, height] = input_size(&looked_at);
    let rows = counted.len() as u64;
    let mut comments = Comments::new(format!(
        "Learns the classes of the {rows} images in {}.\n\
         Written by `emberlab new` from what the folder holds. Every line can be changed.",
        path.display()
    ));
    let found: Vec<String> = classes
        .iter()
        .map(|(name, rows)| format!("{name:?} ({rows})"))
        .collect();
    let found = format!("{} classes: {}", classes.len(), found.join(", "));
    comments.beside(&["dataset", "path"], &found);
    comments.beside(
        &["dataset", "width"],
        "images of any size are resized to this one",
    );
    comments.beside(&["dataset", "color"], "\"grey\" or \"rgb\"");
    let learnt = Learnt::Classes {
        count: classes.len() as u64,
        rows: classes.iter().map(|(_, rows)| *rows).collect(),
    };
    let mut config = training::experiment(
        experiment_name(path),
        folder(path, [width, height], color),
        convnet(),
        &learnt,
        rows,
        &mut comments,
    );
    config.standardize.method = Standardize::Global;
    let remark = "All pixels together get mean 0 and standard deviation 1, from the training rows.";
    comments.above(&["standardize"], remark);
    let colors = match color {
        Color::Grey => "grey",
        Color::Rgb => "in colour",
    };
    Ok(Starter {
        config,
        notes: vec![
            found,
            format!("inputs of {width} × {height} pixels, {colors}"),
        ],
        warnings: Vec::new(),
        comments,
    })
}

fn folder(path: &Path, [width, height]: [usize; 2], color: Color) -> DatasetConfig {
    DatasetConfig::ImageFolder(ImageFolder {
        path: path.to_owned(),
        width,
        height,
        color,
    })
}

fn convnet() -> ModelConfig {
    ConvNetConfig {
        channels: vec![16, 32],
        d_hidden: 64,
        ..ConvNetConfig::default()
    }
    .into()
}

/// The classes, with the number of images of each.
fn classes(samples: &Samples) -> Vec<(String, u64)> {
    let summary = samples.summary();
    let classes = summary.classes.into_iter();
    classes
        .map(|class| (class.name, class.count as u64))
        .collect()
}

/// The first images of each class.
fn look_at(path: &Path) -> Result<Vec<InputImage>, DatasetError> {
    let mut images = Vec::new();
    for class in entries(path)?.into_iter().filter(|entry| entry.is_dir()) {
        let files = entries(&class)?.into_iter();
        let read = files.filter_map(|file| InputImage::load(&file).ok());
        images.extend(read.take(IMAGES_LOOKED_AT));
    }
    Ok(images)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let io = |source| DatasetError::Io {
        path: folder.to_owned(),
        source,
    };
    let entries = fs::read_dir(folder).map_err(io)?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Whether red, green and blue differ anywhere.
fn has_color(image: &InputImage) -> bool {
    let (width, height) = (image.width(), image.height());
    let pixels = image.to_input(width, height, Color::Rgb);
    let (red, others) = pixels.split_at(width * height);
    let (green, blue) = others.split_at(width * height);
    red != green || green != blue
}

/// Width and height of the inputs: those of the largest image, with the longest side shortened to [`LARGEST_SIDE`].
fn input_size(images: &[InputImage]) -> [usize; 2] {
    let width = images
        .iter()
        .map(InputImage::width)
        .max()
        .unwrap_or(LARGEST_SIDE);
    let height = images
        .iter()
        .map(InputImage::height)
        .max()
        .unwrap_or(LARGEST_SIDE);
    let longest = width.max(height);
    match longest > LARGEST_SIDE {
        true => [width, height].map(|side| (side * LARGEST_SIDE / longest).max(1)),
        false => [width, height],
    }
}
