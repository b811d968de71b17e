//! A finished picture as SVG or PNG.

use std::fmt;

use resvg::tiny_skia::Pixmap;
use resvg::{tiny_skia, usvg};

use crate::error::PictureError;
use crate::text::escape;
use crate::theme::{Tone, style_sheet};

/// A finished picture, which a browser can show as a file of its own or inside a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Svg {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) body: String,
}

impl Svg {
    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The text for readers who cannot see the picture.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Width and height in CSS pixels.
    pub fn size(&self) -> (f64, f64) {
        (self.width, self.height)
    }

    /// The text of an SVG file, with style sheet and background, in light or dark like the reader's system.
    pub fn standalone(&self) -> String {
        let style = format!(
            "<style>\n:root{{color-scheme:light dark}}\n{}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
            style_sheet(),
            Tone::Paper.hex()
        );
        self.with(" xmlns=\"http://www.w3.org/2000/svg\"", &style)
    }

    /// An element for an HTML page that holds the [`style_sheet`]: transparent, in the colours of the page.
    pub fn inline(&self) -> String {
        self.with("", "")
    }

    /// The picture as a PNG file on its light background, `scale` pixels for each CSS pixel.
    ///
    /// Text is drawn in DejaVu Sans if the system has it, else in the first font of the system.
    ///
    /// # Errors
    /// [`PictureError::NoFont`] if the system has no font at all; [`PictureError::Drawing`] if the picture is too
    /// large.
    pub fn png(&self, scale: f32) -> Result<Vec<u8>, PictureError> {
        let pixels = self.pixels(scale, &Fonts::of_the_system()?)?;
        pixels.encode_png().map_err(|error| failed(&error))
    }

    /// The pixels of the picture on its light background, `scale` for each CSS pixel.
    pub(crate) fn pixels(&self, scale: f32, fonts: &Fonts) -> Result<Pixmap, PictureError> {
        let tree = usvg::Tree::from_str(&self.plain(), &fonts.0).map_err(|error| failed(&error))?;
        let [width, height] =
            [self.width, self.height].map(|length| (length as f32 * scale).ceil() as u32);
        let mut pixels = Pixmap::new(width, height).ok_or_else(|| failed(&"it is too large"))?;
        let transform = tiny_skia::Transform::from_scale(scale, scale);
        resvg::render(&tree, transform, &mut pixels.as_mut());
        Ok(pixels)
    }

    /// The text of an SVG file in light colours, without a style sheet.
    fn plain(&self) -> String {
        let paper = Tone::Paper.hex();
        let background = format!("<rect width=\"100%\" height=\"100%\" fill=\"{paper}\"/>\n");
        self.with(" xmlns=\"http://www.w3.org/2000/svg\"", &background)
    }

    fn with(&self, attributes: &str, before: &str) -> String {
        let Self { width, height, .. } = self;
        format!(
            "<svg{attributes} class=\"picture\" role=\"img\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\">\n<title>{}</title>\n<desc>{}</desc>\n{before}{}</svg>\n",
            escape(&self.title),
            escape(&self.description),
            self.body
        )
    }
}

/// The fonts to draw text with.
pub(crate) struct Fonts(usvg::Options<'static>);

impl Fonts {
    /// The fonts of the system: DejaVu Sans if it has that, else its first one.
    pub(crate) fn of_the_system() -> Result<Self, PictureError> {
        let mut options = usvg::Options::default();
        let fonts = options.fontdb_mut();
        fonts.load_system_fonts();
        let dejavu = "DejaVu Sans";
        let name_of =
            |face: &usvg::fontdb::FaceInfo| face.families.first().map(|(name, _)| name.clone());
        let names: Vec<String> = fonts.faces().filter_map(name_of).collect();
        let Some(first) = names.iter().find(|name| *name == dejavu).or(names.first()) else {
            return Err(PictureError::NoFont);
        };
        fonts.set_sans_serif_family(first);
        Ok(Self(options))
    }
}

pub(crate) fn failed(error: &dyn fmt::Display) -> PictureError {
    PictureError::Drawing(error.to_string())
}

/// As [`Svg::standalone`].
impl fmt::Display for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.standalone())
    }
}
