//! A matrix of numbers: cells with larger numbers have stronger colours.

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, TextStyle};

use crate::axis::readable;
use crate::canvas::{number, px};
use crate::error::PictureError;
use crate::field::range;
use crate::picture::{
    Area, LABEL, NUMBER, Picture, Sketch, draw_title, height_of_title, text_style,
};
use crate::shapes;
use crate::text;
use crate::theme::Tone;

/// A matrix of numbers, such as a confusion matrix or the results of a sweep over two settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    title: String,
    description: Option<String>,
    rows: (String, Vec<String>),
    columns: (String, Vec<String>),
    values: Vec<Vec<f64>>,
    texts: Option<Vec<Vec<String>>>,
    shades: Option<Vec<Vec<f64>>>,
}

/// The widest name of a column and of a row, in pixels.
const COLUMN_NAME: f64 = 100.0;
const ROW_NAME: f64 = 180.0;

/// The strongest shade. Text over it stays readable in light and dark.
const STRONGEST: f64 = 0.6;

impl Matrix {
    /// A matrix of `values[row][column]`, with the label and the names of its rows and columns.
    pub fn new(
        title: impl Into<String>,
        rows: (impl Into<String>, Vec<String>),
        columns: (impl Into<String>, Vec<String>),
        values: Vec<Vec<f64>>,
    ) -> Self {
        Self {
            title: title.into(),
            description: None,
            rows: (rows.0.into(), rows.1),
            columns: (columns.0.into(), columns.1),
            values,
            texts: None,
            shades: None,
        }
    }

    /// A confusion matrix of `counts[true class][predicted class]`, shaded by the share of each cell in its row.
    pub fn confusion(title: impl Into<String>, classes: &[String], counts: &[Vec<u64>]) -> Self {
        let values: Vec<Vec<f64>> = counts
            .iter()
            .map(|row| row.iter().map(|count| *count as f64).collect())
            .collect();
        let texts = counts
            .iter()
            .map(|row| row.iter().map(u64::to_string).collect())
            .collect();
        let shades = values
            .iter()
            .map(|row| {
                let total: f64 = row.iter().sum();
                row.iter()
                    .map(|count| if total > 0.0 { count / total } else { 0.0 })
                    .collect()
            })
            .collect();
        let matrix = Self::new(
            title,
            ("true class", classes.to_vec()),
            ("predicted class", classes.to_vec()),
            values,
        );
        Self {
            texts: Some(texts),
            shades: Some(shades),
            ..matrix
        }
    }

    /// Sets the texts of the cells, `texts[row][column]` (by default the values).
    pub fn texts(mut self, texts: Vec<Vec<String>>) -> Self {
        self.texts = Some(texts);
        self
    }

    /// Sets the strength of the colours, `shades[row][column]` from 0 to 1 (by default the place of the value
    /// between the smallest and the largest).
    pub fn shades(mut self, shades: Vec<Vec<f64>>) -> Self {
        self.shades = Some(shades);
        self
    }

    /// Sets the text for readers who cannot see the picture.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    fn text(&self, row: usize, column: usize) -> String {
        let written = self
            .texts
            .as_ref()
            .and_then(|texts| texts.get(row)?.get(column).cloned());
        written.unwrap_or_else(|| {
            let value = self.values[row][column];
            if value.is_finite() {
                crate::plot::significant(value)
            } else {
                readable(value, 1.0)
            }
        })
    }

    /// Checks that there are cells, and one for each row and column.
    fn check_cells(&self) -> Result<(), PictureError> {
        let columns = self.columns.1.len();
        if columns == 0 || self.values.is_empty() {
            return Err(PictureError::Empty {
                title: self.title.clone(),
                reason: "the matrix has no cells",
            });
        }
        if self.values.len() != self.rows.1.len()
            || self.values.iter().any(|row| row.len() != columns)
        {
            let found = self.values.iter().map(Vec::len).sum();
            return Err(PictureError::Grid {
                width: columns,
                height: self.rows.1.len(),
                found,
            });
        }
        Ok(())
    }

    /// The opacity of the colour of a cell with this value, if all values are from `min` to `max`.
    fn opacity(&self, (row, column): (usize, usize), value: f64, (min, max): (f64, f64)) -> f64 {
        let given = self
            .shades
            .as_ref()
            .and_then(|shades| shades.get(row)?.get(column).copied());
        let share = given.unwrap_or(if max > min {
            (value - min) / (max - min)
        } else {
            0.0
        });
        if share.is_finite() {
            STRONGEST * share.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Width and height of a cell, and the width of the names of rows, in pixels.
    fn cells(&self) -> (f64, f64, f64) {
        let widest = |texts: &mut dyn Iterator<Item = String>, size: f64| {
            texts
                .map(|text| text::width(&text, size))
                .fold(0.0, f64::max)
        };
        let all = (0..self.values.len())
            .flat_map(|row| (0..self.values[row].len()).map(move |column| (row, column)));
        let inside = widest(&mut all.map(|(row, column)| self.text(row, column)), NUMBER);
        let (columns, rows) = (self.columns.1.iter(), self.rows.1.iter());
        let names = widest(&mut columns.map(|name| column_name(name)), NUMBER);
        let rows = widest(&mut rows.map(|name| row_name(name)), NUMBER);
        (inside.max(names).max(22.0) + 12.0, 30.0, rows)
    }
}

impl Picture for Matrix {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        self.description.clone().unwrap_or_else(|| {
            let rows = (0..self.values.len()).map(|row| {
                let cells: Vec<String> = (0..self.values[row].len())
                    .map(|column| self.text(row, column))
                    .collect();
                let name = self.rows.1.get(row).map_or("", String::as_str);
                format!("{name}: {}", cells.join(", "))
            });
            let rows: Vec<String> = rows.collect();
            format!(
                "Rows: {}; columns: {} ({}). {}",
                self.rows.0,
                self.columns.0,
                self.columns.1.join(", "),
                rows.join("; ")
            )
        })
    }

    fn size(&self) -> (f64, f64) {
        let (width, height, rows) = self.cells();
        let wide = (44.0 + rows + width * self.columns.1.len() as f64 + 12.0).max(200.0);
        let high = height_of_title(&self.title, wide) + 48.0 + height * self.values.len() as f64;
        (wide.ceil(), high.ceil())
    }

    fn draw(&self, sketch: &Sketch<'_, '_>) -> Result<(), PictureError> {
        self.check_cells()?;
        let columns = self.columns.1.len();
        let (width, height, names) = self.cells();
        let (all, _) = self.size();
        let area = draw_title(sketch.area, &self.title)?;
        // The cells are centred if the title is wider.
        let used = 32.0 + names + width * columns as f64;
        let left = 32.0 + names + ((all - used - 12.0) / 2.0).max(0.0);
        let (min, max) = range(self.values.iter().flatten().copied()).unwrap_or((0.0, 1.0));

        let label = |h, v| text_style(LABEL, Tone::Ink).pos(Pos::new(h, v));
        let name = |h| text_style(NUMBER, Tone::Muted).pos(Pos::new(h, VPos::Center));
        let middle = left + width * columns as f64 / 2.0;
        let bottom = height * self.values.len() as f64;
        area.draw_text(
            &self.columns.0,
            &label(HPos::Center, VPos::Center),
            (px(middle), px(bottom + 34.0)),
        )?;
        let turned: TextStyle<'_> =
            label(HPos::Center, VPos::Center).transform(FontTransform::Rotate270);
        area.draw_text(
            &self.rows.0,
            &turned,
            (px(left - names - 20.0), px(bottom / 2.0)),
        )?;
        for (column, text) in self.columns.1.iter().enumerate() {
            let x = left + (column as f64 + 0.5) * width;
            let text = column_name(text);
            area.draw_text(&text, &name(HPos::Center), (px(x), px(bottom + 13.0)))?;
        }
        for (row, values) in self.values.iter().enumerate() {
            let y = row as f64 * height;
            area.draw_text(
                &row_name(&self.rows.1[row]),
                &name(HPos::Right),
                (px(left - 7.0), px(y + height / 2.0)),
            )?;
            for (column, value) in values.iter().enumerate() {
                let x = left + column as f64 * width;
                let opacity = self.opacity((row, column), *value, (min, max));
                shapes::put(&area, cell(&area, (x, y), (width, height), opacity))?;
                let style = text_style(NUMBER, Tone::Ink).pos(Pos::new(HPos::Center, VPos::Center));
                let place = (px(x + width / 2.0), px(y + height / 2.0));
                area.draw_text(&self.text(row, column), &style, place)?;
            }
        }
        Ok(())
    }
}

fn column_name(name: &str) -> String {
    text::shortened(name, NUMBER, COLUMN_NAME)
}

fn row_name(name: &str) -> String {
    text::shortened(name, NUMBER, ROW_NAME)
}

/// The coloured rectangle of a cell, whose top left corner is at `(x, y)` of `area`.
fn cell(area: &Area<'_>, (x, y): (f64, f64), (width, height): (f64, f64), opacity: f64) -> String {
    let (base_x, base_y) = area.get_base_pixel();
    format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" fill-opacity=\"{opacity:.3}\" stroke=\"{}\"/>",
        number(base_x + px(x)),
        number(base_y + px(y)),
        number(px(width)),
        number(px(height)),
        Tone::Series(0).hex(),
        Tone::Grid.hex()
    )
}
