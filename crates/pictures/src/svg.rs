//! A finished picture.

use std::fmt;

use crate::text::escape;
use crate::theme::{Tone, style_sheet};

/// A finished picture: text that a browser shows, alone or inside a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Svg {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) body: String,
}

impl Svg {
    /// Its title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it shows, for those who cannot see it.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Width and height in CSS pixels, before a page scales it.
    pub fn size(&self) -> (f64, f64) {
        (self.width, self.height)
    }

    /// A file of its own: with its style sheet and its background, in light or dark as the reader's system is.
    pub fn standalone(&self) -> String {
        let style = format!(
            "<style>\n:root{{color-scheme:light dark}}\n{}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
            style_sheet(),
            Tone::Paper.hex()
        );
        self.with(" xmlns=\"http://www.w3.org/2000/svg\"", &style)
    }

    /// An element of an HTML page that holds [`style_sheet`] once; transparent, in the page's colours.
    pub fn inline(&self) -> String {
        self.with("", "")
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

/// As [`Svg::standalone`].
impl fmt::Display for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.standalone())
    }
}
