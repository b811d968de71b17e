//! Shapes that the plotting library lacks: dashed lines, markers, images, and groups that clip.

use std::convert::Infallible;
use std::fmt::Write as _;

use plotters::element::{Drawable, PointCollection};
use plotters_backend::{BackendCoord, DrawingErrorKind};

use crate::canvas::{Canvas, number, points};
use crate::error::PictureError;
use crate::layers::{Marker, Stroke};
use crate::picture::Area;
use crate::text::escape;
use crate::theme::Tone;

/// SVG markup that is written to the canvas as it is.
pub(crate) struct Markup(pub(crate) String);

impl<'a> PointCollection<'a, BackendCoord> for &'a Markup {
    type Point = BackendCoord;
    type IntoIter = [BackendCoord; 0];

    fn point_iter(self) -> Self::IntoIter {
        []
    }
}

impl Drawable<Canvas<'_>> for Markup {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        _: I,
        canvas: &mut Canvas<'_>,
        _: (u32, u32),
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        canvas.write(&self.0);
        Ok(())
    }
}

/// Puts markup onto the canvas. Its coordinates are in units of the whole canvas.
pub(crate) fn put(area: &Area<'_>, markup: String) -> Result<(), PictureError> {
    Ok(area.draw(&Markup(markup))?)
}

/// A line through points of the canvas.
pub(crate) fn line(path: &[BackendCoord], tone: Tone, stroke: Stroke, width: f64) -> String {
    let dashes = match stroke {
        Stroke::Solid => String::new(),
        Stroke::Dashed => format!(" stroke-dasharray=\"{} {}\"", 3.5 * width, 2.0 * width),
        Stroke::Dotted => format!(" stroke-dasharray=\"{} {}\"", 1.3 * width, 1.2 * width),
        Stroke::DashDotted => {
            format!(
                " stroke-dasharray=\"{} {} {width} {}\"",
                4.0 * width,
                1.6 * width,
                1.6 * width
            )
        }
    };
    format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"{dashes}/>",
        points(path.iter().copied()),
        tone.hex()
    )
}

/// An area between points of the canvas.
pub(crate) fn area(path: &[BackendCoord], tone: Tone, opacity: f64) -> String {
    format!(
        "<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{opacity}\"/>",
        points(path.iter().copied()),
        tone.hex()
    )
}

/// Markers of one shape at many places: `(x, y)` in canvas units, and the text that is shown under the mouse.
pub(crate) fn markers(
    places: &[(BackendCoord, Option<String>)],
    shape: Marker,
    tone: Tone,
    radius: f64,
) -> String {
    let color = tone.hex();
    // A thin rim in the colour of the background separates points that overlap.
    let rim = Tone::Paper.hex();
    let mut markup = match shape {
        Marker::Cross => format!(
            "<g fill=\"none\" stroke=\"{color}\" stroke-width=\"{}\">",
            radius * 0.6
        ),
        _ => format!("<g fill=\"{color}\" stroke=\"{rim}\" stroke-width=\"0.8\">"),
    };
    for (place, title) in places {
        let element = marker(shape, *place, radius);
        match title {
            Some(title) => {
                let name = element.split(' ').next().unwrap_or("path").to_string();
                let _ = write!(
                    markup,
                    "<{element}><title>{}</title></{name}>",
                    escape(title)
                );
            }
            None => {
                let _ = write!(markup, "<{element}/>");
            }
        }
    }
    markup.push_str("</g>");
    markup
}

/// The name and the attributes of the element that draws one marker.
fn marker(shape: Marker, (x, y): BackendCoord, r: f64) -> String {
    let (x, y) = (number(x), number(y));
    match shape {
        Marker::Circle => format!("circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\""),
        Marker::Square => {
            let side = 1.8 * r;
            format!(
                "path d=\"M{x},{y}m{0},{0}h{side:.2}v{side:.2}h-{side:.2}z\"",
                trim(-0.9 * r)
            )
        }
        Marker::Triangle => format!(
            "path d=\"M{x},{y}m0,{}l{},{}h{}z\"",
            trim(-1.2 * r),
            trim(1.1 * r),
            trim(2.0 * r),
            trim(-2.2 * r)
        ),
        Marker::Diamond => {
            let (wide, high) = (1.1 * r, 1.3 * r);
            format!(
                "path d=\"M{x},{y}m0,{up}l{right},{down}l{left},{down}l{left},{up}z\"",
                up = trim(-high),
                down = trim(high),
                left = trim(-wide),
                right = trim(wide)
            )
        }
        Marker::Cross => {
            let arm = trim(2.0 * r);
            let back = trim(-2.0 * r);
            format!("path d=\"M{x},{y}m-{r},-{r}l{arm},{arm}m{back},0l{arm},{back}\"")
        }
        Marker::Star => format!("path d=\"M{x},{y}{}\"", star(r)),
    }
}

/// A five-pointed star, as a path relative to its centre.
fn star(radius: f64) -> String {
    let corner = |i: usize| {
        let angle = std::f64::consts::PI * (i as f64 / 5.0 - 0.5);
        let reach = radius * if i.is_multiple_of(2) { 1.8 } else { 0.75 };
        (reach * angle.cos(), reach * angle.sin())
    };
    let mut path = String::new();
    let mut here = (0.0, 0.0);
    for i in 0..10 {
        let next = corner(i);
        let command = if i == 0 { 'm' } else { 'l' };
        let _ = write!(
            path,
            "{command}{},{}",
            trim(next.0 - here.0),
            trim(next.1 - here.1)
        );
        here = next;
    }
    path + "z"
}

fn trim(value: f64) -> String {
    format!("{}", (value * 100.0).round() / 100.0)
}

/// An image from one corner to the opposite one; its pixels may be smoothed.
pub(crate) fn image(
    url: &str,
    (x, y): BackendCoord,
    (right, bottom): BackendCoord,
    smooth: bool,
) -> String {
    let rendering = if smooth {
        ""
    } else {
        " image-rendering=\"pixelated\""
    };
    format!(
        "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\"{rendering} href=\"{url}\"/>",
        number(x),
        number(y),
        number(right - x),
        number(bottom - y)
    )
}

/// A thin frame around an image.
pub(crate) fn outline((x, y): BackendCoord, (right, bottom): BackendCoord) -> String {
    format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"{}\"/>",
        number(x),
        number(y),
        number(right - x),
        number(bottom - y),
        Tone::Grid.hex()
    )
}
