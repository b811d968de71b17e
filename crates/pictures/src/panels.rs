//! Several pictures side by side as one.

use crate::canvas::px;
use crate::error::PictureError;
use crate::picture::{Picture, Sketch, draw_title, height_of_title};

/// Pictures in rows, under one title.
pub struct Panels {
    title: String,
    columns: usize,
    pictures: Vec<Box<dyn Picture>>,
}

impl Panels {
    /// No pictures yet, to be laid out in rows of `columns`.
    pub fn new(title: impl Into<String>, columns: usize) -> Self {
        Self {
            title: title.into(),
            columns: columns.max(1),
            pictures: Vec::new(),
        }
    }

    /// Adds a picture.
    pub fn with(mut self, picture: impl Picture + 'static) -> Self {
        self.pictures.push(Box::new(picture));
        self
    }

    /// The size of a cell: that of the largest picture.
    fn cell(&self) -> (f64, f64) {
        self.pictures
            .iter()
            .map(|picture| picture.size())
            .fold((0.0, 0.0), |(w, h), (width, height)| {
                (width.max(w), height.max(h))
            })
    }
}

impl Picture for Panels {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        let each = self
            .pictures
            .iter()
            .map(|picture| format!("{}: {}", picture.title(), picture.description()));
        each.collect::<Vec<String>>().join(" ")
    }

    fn size(&self) -> (f64, f64) {
        let (width, height) = self.cell();
        let wide = width * self.columns.min(self.pictures.len()).max(1) as f64;
        let rows = self.pictures.len().div_ceil(self.columns) as f64;
        (wide, height_of_title(&self.title, wide) + height * rows)
    }

    fn draw(&self, sketch: &Sketch<'_, '_>) -> Result<(), PictureError> {
        if self.pictures.is_empty() {
            return Err(PictureError::Empty {
                title: self.title.clone(),
                reason: "there are no pictures",
            });
        }
        let area = draw_title(sketch.area, &self.title)?;
        let (width, height) = self.cell();
        let (all, _) = self.size();
        for (i, picture) in self.pictures.iter().enumerate() {
            let (w, h) = picture.size();
            let x = (i % self.columns) as f64 * width + (width - w) / 2.0;
            let y = (i / self.columns) as f64 * height;
            let bottom = area.dim_in_pixel().1 as i32 - px(y + h);
            let part = area.margin(px(y), bottom, px(x), px(all - x - w));
            picture.draw(&Sketch { area: &part })?;
        }
        Ok(())
    }
}
