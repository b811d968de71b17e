//! The trait of all pictures: a title, a size, and how the picture is drawn.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, TextStyle};
use plotters_backend::BackendColor;

use crate::canvas::{Canvas, px};
use crate::error::PictureError;
use crate::svg::Svg;
use crate::text;
use crate::theme::Tone;

/// A part of the canvas of the plotting library.
pub(crate) type Area<'a> = DrawingArea<Canvas<'a>, Shift>;

/// Sizes of text in pixels: titles, labels of axes and legends, numbers.
pub(crate) const TITLE: f64 = 15.0;
pub(crate) const LABEL: f64 = 13.0;
pub(crate) const NUMBER: f64 = 12.0;

/// A picture that can be drawn.
pub trait Picture {
    /// The title.
    fn title(&self) -> &str;

    /// The text for readers who cannot see the picture.
    fn description(&self) -> String;

    /// Width and height in CSS pixels.
    fn size(&self) -> (f64, f64);

    /// Draws the picture onto a part of the canvas.
    #[doc(hidden)]
    fn draw(&self, sketch: &Sketch<'_, '_>) -> Result<(), PictureError>;

    /// Renders the picture as SVG.
    ///
    /// # Errors
    /// [`PictureError`] if there is nothing to draw or the numbers do not fit together.
    fn render(&self) -> Result<Svg, PictureError> {
        let (width, height) = self.size();
        let mut body = String::new();
        {
            let area = Canvas::new(&mut body, (width, height)).into_drawing_area();
            self.draw(&Sketch { area: &area })?;
        }
        Ok(Svg {
            title: self.title().to_string(),
            description: self.description(),
            width,
            height,
            body,
        })
    }
}

/// The part of the canvas that a picture is drawn on.
#[doc(hidden)]
pub struct Sketch<'s, 'a> {
    pub(crate) area: &'s Area<'a>,
}

impl From<DrawingAreaErrorKind<std::convert::Infallible>> for PictureError {
    fn from(error: DrawingAreaErrorKind<std::convert::Infallible>) -> Self {
        Self::Drawing(error.to_string())
    }
}

/// The style of text of this size in pixels, and this colour.
pub(crate) fn text_style(size: f64, tone: Tone) -> TextStyle<'static> {
    let (r, g, b) = tone.color().rgb();
    TextStyle {
        font: FontDesc::new(
            FontFamily::SansSerif,
            f64::from(px(size)),
            FontStyle::Normal,
        ),
        color: BackendColor {
            alpha: 1.0,
            rgb: (r, g, b),
        },
        pos: Pos::default(),
    }
}

/// Draws the title at the top of `area`, in as many lines as it needs, and returns the area below it.
pub(crate) fn draw_title<'a>(area: &Area<'a>, title: &str) -> Result<Area<'a>, PictureError> {
    let (width, _) = area.dim_in_pixel();
    let style = text_style(TITLE, Tone::Ink);
    let style = TextStyle {
        font: style.font.style(FontStyle::Bold),
        ..style
    }
    .pos(Pos::new(HPos::Center, VPos::Top));
    let lines = title_lines(title, f64::from(width));
    for (n, line) in lines.iter().enumerate() {
        area.draw_text(
            line,
            &style,
            (width as i32 / 2, px(6.0 + n as f64 * TITLE * 1.25)),
        )?;
    }
    Ok(area.split_vertically(px(title_height(&lines))).1)
}

fn title_lines(title: &str, width_in_units: f64) -> Vec<String> {
    text::wrap(
        title,
        f64::from(px(TITLE)) * text::BOLD,
        width_in_units - f64::from(px(8.0)),
    )
}

fn title_height(lines: &[String]) -> f64 {
    if lines.is_empty() {
        4.0
    } else {
        10.0 + lines.len() as f64 * TITLE * 1.25
    }
}

/// The height in pixels of a title in a picture of this width in pixels.
pub(crate) fn height_of_title(title: &str, width: f64) -> f64 {
    title_height(&title_lines(title, f64::from(px(width))))
}
