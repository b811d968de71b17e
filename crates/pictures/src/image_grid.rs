//! Many small images with their captions: digits, weights, feature maps.

use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::bitmap::Bitmap;
use crate::canvas::px;
use crate::error::PictureError;
use crate::picture::{NUMBER, Picture, Sketch, draw_title, height_of_title, text_style};
use crate::shapes;
use crate::text;
use crate::theme::Tone;

/// A small image and its caption.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    bitmap: Bitmap,
    caption: Vec<String>,
}

impl Image {
    /// An image without caption.
    pub fn new(bitmap: Bitmap) -> Self {
        Self {
            bitmap,
            caption: Vec::new(),
        }
    }

    /// Adds a line to the caption.
    pub fn caption(mut self, line: impl Into<String>) -> Self {
        let line = text::shortened(&line.into(), NUMBER, WIDEST);
        self.caption.push(line);
        self
    }
}

/// Small images in rows, such as digits or feature maps.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageGrid {
    title: String,
    description: Option<String>,
    images: Vec<Image>,
    columns: usize,
    image_width: f64,
}

const GAP: f64 = 10.0;
const LINE: f64 = 15.0;
/// The widest line of a caption, in pixels.
const WIDEST: f64 = 180.0;

impl ImageGrid {
    /// A grid with `columns` images per row, each 64 pixels wide.
    pub fn new(title: impl Into<String>, columns: usize, images: Vec<Image>) -> Self {
        Self {
            title: title.into(),
            description: None,
            images,
            columns: columns.max(1),
            image_width: 64.0,
        }
    }

    /// Sets the width of each image in pixels (64 by default).
    pub fn image_width(mut self, width: f64) -> Self {
        self.image_width = width;
        self
    }

    /// Sets the text for readers who cannot see the picture (by default the captions).
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Width and height of a cell with its caption.
    fn cell(&self) -> (f64, f64) {
        let captions = self.images.iter().flat_map(|image| &image.caption);
        let widest = captions
            .map(|line| text::width(line, NUMBER))
            .fold(0.0, f64::max);
        let tallest = self
            .images
            .iter()
            .map(|image| self.image_width / image.bitmap.aspect())
            .fold(0.0, f64::max);
        let lines = self
            .images
            .iter()
            .map(|image| image.caption.len())
            .max()
            .unwrap_or(0);
        (
            self.image_width.max(widest) + GAP,
            tallest + lines as f64 * LINE + GAP,
        )
    }

    fn used_columns(&self) -> usize {
        self.columns.min(self.images.len()).max(1)
    }
}

impl Picture for ImageGrid {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        self.description.clone().unwrap_or_else(|| {
            let captions: Vec<String> = self
                .images
                .iter()
                .filter(|image| !image.caption.is_empty())
                .map(|image| image.caption.join(", "))
                .collect();
            format!("{} images. {}", self.images.len(), captions.join("; "))
        })
    }

    fn size(&self) -> (f64, f64) {
        let (width, height) = self.cell();
        let wide = (width * self.used_columns() as f64 + GAP).max(160.0);
        let rows = self.images.len().div_ceil(self.columns);
        (
            wide.ceil(),
            (height_of_title(&self.title, wide) + height * rows as f64 + GAP).ceil(),
        )
    }

    fn draw(&self, sketch: &Sketch<'_, '_>) -> Result<(), PictureError> {
        if self.images.is_empty() {
            return Err(PictureError::Empty {
                title: self.title.clone(),
                reason: "there are no images",
            });
        }
        let area = draw_title(sketch.area, &self.title)?;
        let (base_x, base_y) = area.get_base_pixel();
        let (width, height) = self.cell();
        let (all, _) = self.size();
        let margin = (all - width * self.used_columns() as f64) / 2.0;
        let style = text_style(NUMBER, Tone::Ink).pos(Pos::new(HPos::Center, VPos::Top));
        for (i, image) in self.images.iter().enumerate() {
            let middle = margin + ((i % self.columns) as f64 + 0.5) * width;
            let top = GAP / 2.0 + (i / self.columns) as f64 * height;
            let tall = self.image_width / image.bitmap.aspect();
            let corner = (
                base_x + px(middle - self.image_width / 2.0),
                base_y + px(top),
            );
            let opposite = (
                base_x + px(middle + self.image_width / 2.0),
                base_y + px(top + tall),
            );
            shapes::put(
                &area,
                shapes::image(&image.bitmap.data_url(), corner, opposite, false),
            )?;
            shapes::put(&area, shapes::outline(corner, opposite))?;
            for (n, line) in image.caption.iter().enumerate() {
                let y = top + tall + 3.0 + n as f64 * LINE;
                area.draw_text(line, &style, (px(middle), px(y)))?;
            }
        }
        Ok(())
    }
}
