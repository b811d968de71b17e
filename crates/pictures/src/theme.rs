//! The colours of all pictures, for light and dark pages.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// A colour by its use. The SVG holds the light colour; the style sheet replaces it on dark pages.
///
/// The first colours of series are those of Okabe and Ito, <https://jfly.uni-koeln.de/color/>, which colour-blind
/// people can tell apart; the strongest come first. Their yellow is hard to see on white: instead of it there are
/// sand, violet and brown, which differ from the others as much as those from each other, so that ten classes have
/// ten colours. On dark pages the colours are lighter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Text and outlines.
    Ink,
    /// Numbers of the axes, and other things in the background.
    Muted,
    /// Grid lines.
    Grid,
    /// The background.
    Paper,
    /// The colour of series 0, 1, 2, …. After [`Tone::SERIES`] colours the first is used again.
    Series(usize),
}

/// Light and dark of every colour: ink, muted, grid, paper, then the series.
const COLOURS: [(u32, u32); 14] = [
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
    (0x30_30_30, 0xc9_c9_c9), // black, or white on dark pages
    (0xbb_bb_99, 0xf3_f0_d0), // sand
    (0x77_11_dd, 0x8f_5b_ff), // violet
    (0x77_55_33, 0x96_68_3c), // brown
];

const FIRST_SERIES: usize = 4;

impl Tone {
    /// Number of colours of series.
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

    /// Red, green and blue of the light theme, from 0 to 255, as the SVG holds them.
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

/// The style sheet of all pictures, which a page with inline pictures needs once.
///
/// Colours follow the CSS property `color-scheme`: with `:root { color-scheme: dark }` a page shows dark pictures,
/// and with `light dark` it follows the reader's system. Viewers that do not know `light-dark()` show the light
/// colours.
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

    /// The linear light of a colour, from 0 to 1.
    fn light(hex: u32) -> [f64; 3] {
        let [_, r, g, b] = hex.to_be_bytes();
        [r, g, b].map(|byte| match f64::from(byte) / 255.0 {
            c if c <= 0.04045 => c / 12.92,
            c => ((c + 0.055) / 1.055).powf(2.4),
        })
    }

    fn product(matrix: [[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
    }

    /// A colour in the perceptual space OKLab, <https://bottosson.github.io/posts/oklab/>.
    fn perceived(light: [f64; 3]) -> [f64; 3] {
        let cones = product(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ],
            light,
        );
        product(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ],
            cones.map(f64::cbrt),
        )
    }

    // Dichromacy is modelled as in Machado et al. 2009, severity 1, <https://doi.org/10.1109/TVCG.2009.113>. The
    // bound is the smallest distance between Okabe and Ito's colours: 0.050 in the light theme, 0.045 in the dark
    // one.
    #[test]
    fn colour_blind_people_can_tell_the_colours_of_ten_classes_apart() {
        const EYES: [[[f64; 3]; 3]; 4] = [
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
            [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ],
            [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ],
        ];
        assert_eq!(Tone::SERIES, 10);
        let series = &COLOURS[FIRST_SERIES..];
        let themes: [Vec<u32>; 2] = [
            series.iter().map(|c| c.0).collect(),
            series.iter().map(|c| c.1).collect(),
        ];
        for (eye, theme) in EYES
            .iter()
            .flat_map(|eye| themes.iter().map(move |t| (eye, t)))
        {
            let seen = |hex: &u32| {
                perceived(product(*eye, light(*hex)).map(|share| share.clamp(0.0, 1.0)))
            };
            for (i, a) in theme.iter().enumerate() {
                for b in &theme[..i] {
                    let pairs = seen(a).into_iter().zip(seen(b));
                    let apart = pairs.map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
                    assert!(apart > 0.044, "{a:06x} and {b:06x}: {apart:.3}");
                }
            }
        }
    }
}
