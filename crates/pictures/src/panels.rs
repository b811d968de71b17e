//! Several pictures side by side, as one picture.

use crate::canvas::px;
use crate::error::PictureError;
use crate::picture::{Picture, Sketch, draw_title, height_of_title};

/// Several pictures in rows, under one title.
pub struct Panels {
    title: String,
    columns: usize,
    pictures: Vec<Box<dyn Picture>>,
}

impl Panels {
    /// An empty picture; the pictures that are added stand in rows of `columns`.
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

    /// The width of a column: the width of the widest picture.
    fn column(&self) -> f64 {
        let widths = self.pictures.iter().map(|picture| picture.size().0);
        widths.fold(0.0, f64::max)
    }

    /// The top of each row, and the bottom of the last row. A row is as high as its highest picture.
    fn tops(&self) -> Vec<f64> {
        let mut tops = vec![0.0];
        for row in self.pictures.chunks(self.columns) {
            let heights = row.iter().map(|picture| picture.size().1);
            tops.push(tops[tops.len() - 1] + heights.fold(0.0, f64::max));
        }
        tops
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
        let wide = self.column() * self.columns.min(self.pictures.len()).max(1) as f64;
        let rows = self.tops().into_iter().fold(0.0, f64::max);
        (wide, height_of_title(&self.title, wide) + rows)
    }

    fn draw(&self, sketch: &Sketch<'_, '_>) -> Result<(), PictureError> {
        if self.pictures.is_empty() {
            return Err(PictureError::Empty {
                title: self.title.clone(),
                reason: "there are no pictures",
            });
        }
        let area = draw_title(sketch.area, &self.title)?;
        let (width, tops) = (self.column(), self.tops());
        let (all, _) = self.size();
        for (i, picture) in self.pictures.iter().enumerate() {
            let (w, h) = picture.size();
            let x = (i % self.columns) as f64 * width + (width - w) / 2.0;
            let y = tops[i / self.columns];
            let bottom = area.dim_in_pixel().1 as i32 - px(y + h);
            let part = area.margin(px(y), bottom, px(x), px(all - x - w));
            picture.draw(&Sketch { area: &part })?;
        }
        Ok(())
    }
}
