//! The canvas that the plotting library draws on: it writes SVG text, in tenths of a pixel so that curves are
//! smooth.

use std::convert::Infallible;
use std::fmt::Write as _;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle, FontTransform,
};

use crate::text;

/// Canvas units per pixel: the plotting library knows whole units only.
pub(crate) const UNITS: f64 = 10.0;

/// Pixels in canvas units.
pub(crate) fn px(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

/// A length or a coordinate in canvas units, written in pixels for SVG.
pub(crate) fn number(units: i32) -> String {
    let pixels = f64::from(units) / UNITS;
    format!("{pixels}")
}

/// Writes SVG elements into a string.
pub(crate) struct Canvas<'a> {
    out: &'a mut String,
    size: (u32, u32),
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl<'a> Canvas<'a> {
    /// A canvas of `width` by `height` pixels.
    pub(crate) fn new(out: &'a mut String, (width, height): (f64, f64)) -> Self {
        let size = (px(width) as u32, px(height) as u32);
        Self { out, size }
    }

    /// Writes markup without change.
    pub(crate) fn write(&mut self, markup: &str) {
        self.out.push_str(markup);
        self.out.push('\n');
    }

    fn element(
        &mut self,
        name_and_geometry: &str,
        paint: &str,
        color: BackendColor,
        width: Option<u32>,
    ) -> Drawn {
        if color.alpha == 0.0 {
            return Ok(());
        }
        let (r, g, b) = color.rgb;
        let mut markup = format!("<{name_and_geometry} {paint}=\"#{r:02x}{g:02x}{b:02x}\"");
        if let Some(width) = width {
            let _ = write!(markup, " stroke-width=\"{}\"", number(width as i32));
        }
        if color.alpha < 1.0 {
            let _ = write!(markup, " {paint}-opacity=\"{:.2}\"", color.alpha);
        }
        markup.push_str("/>");
        self.write(&markup);
        Ok(())
    }
}

fn paint(fill: bool) -> &'static str {
    if fill { "fill" } else { "fill=\"none\" stroke" }
}

/// `x,y x,y …` in pixels.
pub(crate) fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut list = String::new();
    for (x, y) in path {
        let separator = if list.is_empty() { "" } else { " " };
        let _ = write!(list, "{separator}{},{}", number(x), number(y));
    }
    list
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        let geometry = format!(
            "rect x=\"{}\" y=\"{}\" width=\"0.1\" height=\"0.1\"",
            number(x),
            number(y)
        );
        self.element(&geometry, "fill", color, None)
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        let geometry = format!(
            "line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"",
            number(from.0),
            number(from.1),
            number(to.0),
            number(to.1)
        );
        self.element(
            &geometry,
            "stroke",
            style.color(),
            Some(style.stroke_width()),
        )
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let geometry = format!(
            "rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            number(upper_left.0),
            number(upper_left.1),
            number(bottom_right.0 - upper_left.0),
            number(bottom_right.1 - upper_left.1)
        );
        let width = (!fill).then(|| style.stroke_width());
        self.element(&geometry, paint(fill), style.color(), width)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let geometry = format!("polyline points=\"{}\"", points(path));
        self.element(
            &geometry,
            paint(false),
            style.color(),
            Some(style.stroke_width()),
        )
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let geometry = format!("polygon points=\"{}\"", points(path));
        self.element(&geometry, "fill", style.color(), None)
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let geometry = format!(
            "circle cx=\"{}\" cy=\"{}\" r=\"{}\"",
            number(center.0),
            number(center.1),
            number(radius as i32)
        );
        let width = (!fill).then(|| style.stroke_width());
        self.element(&geometry, paint(fill), style.color(), width)
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        content: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let size = style.size() / UNITS;
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        let shift = size
            * match style.anchor().v_pos {
                VPos::Top => 0.78,
                VPos::Center => 0.36,
                VPos::Bottom => -0.22,
            };
        let (r, g, b) = style.color().rgb;
        let (x, y) = (number(x), f64::from(y) / UNITS);
        let place = match style.transform() {
            FontTransform::None => format!("x=\"{x}\" y=\"{:.1}\"", y + shift),
            turned => {
                let angle = match turned {
                    FontTransform::Rotate90 => 90,
                    FontTransform::Rotate180 => 180,
                    _ => 270,
                };
                format!("y=\"{shift:.1}\" transform=\"translate({x} {y}) rotate({angle})\"")
            }
        };
        let weight = match style.style() {
            FontStyle::Bold => " font-weight=\"600\"",
            _ => "",
        };
        self.write(&format!(
            "<text {place} text-anchor=\"{anchor}\" font-size=\"{size}\"{weight} fill=\"#{r:02x}{g:02x}{b:02x}\">{}</text>",
            text::escape(content)
        ));
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        content: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let size = style.size();
        Ok((text::width(content, size) as u32, size as u32))
    }
}
