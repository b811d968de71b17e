//! The colours of all pictures, in light and in dark.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// A colour by what it is for. SVG carries the light colour; the style sheet turns it dark.
///
/// The colours of series are those of Okabe and Ito, <https://jfly.uni-koeln.de/color/>, which stay apart for
/// colour-blind eyes; the strongest come first. In the dark they are lightened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Text and outlines.
    Ink,
    /// Numbers of the axes, and what should stay in the background.
    Muted,
    /// Grid lines.
    Grid,
    /// The background.
    Paper,
    /// The colour of series 0, 1, 2, …; there are [`Tone::SERIES`], and then the first again.
    Series(usize),
}

/// Light and dark of every colour: ink, muted, grid, paper, then the series.
const COLOURS: [(u32, u32); 12] = [
    (0x1f_23_28, 0xe8_ea_ed),
    (0x59_63_6e, 0x9d_a5_ae),
    (0xe3_e6_ea, 0x33_38_3f),
    (0xff_ff_fe, 0x16_18_1c),
    (0x00_72_b2, 0x4f_a8_e0), // blue
    (0xd5_5e_00, 0xf0_80_3c), // vermillion
    (0x00_9e_73, 0x2b_c4_97), // bluish green
    (0xcc_79_a7, 0xdd_97_bd), // reddish purple
    (0xe6_9f_00, 0xf2_b7_33), // orange
    (0x56_b4_e9, 0x9a_d8_ff), // sky blue
    (0x30_30_30, 0xc9_c9_c9), // black, which in the dark is white
    (0xb5_a9_0a, 0xf0_e4_42), // yellow, darkened on white
];

const FIRST_SERIES: usize = 4;

impl Tone {
    /// How many colours series have.
    pub const SERIES: usize = COLOURS.len() - FIRST_SERIES;

    fn index(self) -> usize {
        match self {
            Self::Ink => 0,
            Self::Muted => 1,
            Self::Grid => 2,
            Self::Paper => 3,
            Self::Series(n) => FIRST_SERIES + n % Self::SERIES,
        }
    }

    /// Red, green and blue, 0 to 255, as written into the SVG: those of the light theme.
    pub fn rgb(self) -> [u8; 3] {
        let [_, r, g, b] = COLOURS[self.index()].0.to_be_bytes();
        [r, g, b]
    }

    pub(crate) fn color(self) -> RGBColor {
        let [r, g, b] = self.rgb();
        RGBColor(r, g, b)
    }

    pub(crate) fn hex(self) -> String {
        format!("#{:06x}", COLOURS[self.index()].0)
    }
}

/// The style sheet of all pictures, for a page that holds them inline: once is enough.
///
/// Colours follow the CSS property `color-scheme`, so a page's own switch between light and dark is
/// `:root { color-scheme: dark }`, and `light dark` follows the reader's system. Viewers that do not know
/// `light-dark()` show the light colours.
pub fn style_sheet() -> String {
    let mut css = String::from(".picture{max-width:100%;height:auto}\n");
    for (light, dark) in COLOURS {
        for property in ["fill", "stroke"] {
            let _ = writeln!(
                css,
                ".picture [{property}=\"#{light:06x}\"]{{{property}:light-dark(#{light:06x},#{dark:06x})}}"
            );
        }
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_roles_share_a_light_colour_so_the_style_sheet_can_tell_them_apart() {
        for (i, a) in COLOURS.iter().enumerate() {
            assert!(COLOURS[..i].iter().all(|b| b.0 != a.0), "{:06x}", a.0);
        }
    }
}
