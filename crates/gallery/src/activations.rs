//! Activations, their gradients, and the inputs at which they saturate.

use emberlab_menu::Menu as _;
use emberlab_models::Activation;
use emberlab_pictures::{Axis, Band, Chart, Line, Panels, Picture, Tone};

use super::{GalleryError, Section, curve};

/// An activation is called saturated where its slope is below this.
const SATURATED: f64 = 0.05;

const FROM: f64 = -6.0;
const TO: f64 = 6.0;
const LOWEST: f64 = -2.0;
const HIGHEST: f64 = 4.0;

struct Curve {
    name: &'static str,
    values: Vec<(f64, f64)>,
    slopes: Vec<(f64, f64)>,
}

impl Curve {
    fn of(activation: &Activation) -> Result<Self, GalleryError> {
        let inputs: Vec<f64> = (0..=480)
            .map(|i| FROM + (TO - FROM) * f64::from(i) / 480.0)
            .collect();
        let (values, slopes) = curve(&inputs, |x| activation.forward(x))?;
        let over_inputs = |ys: Vec<f64>| inputs.iter().copied().zip(ys).collect();
        Ok(Self {
            name: activation.name(),
            values: over_inputs(values),
            slopes: over_inputs(slopes),
        })
    }

    /// Stretches of inputs whose slope is nearly zero, from and to.
    fn saturated(&self) -> Vec<(f64, f64)> {
        let flat = |(_, slope): &(f64, f64)| slope.abs() < SATURATED;
        // A single point, such as the minimum of swish, is not a zone.
        let stretches = self.slopes.chunk_by(|a, b| flat(a) == flat(b));
        stretches
            .filter(|stretch| flat(&stretch[0]) && stretch.len() > 40)
            .map(|stretch| (stretch[0].0, stretch[stretch.len() - 1].0))
            .collect()
    }

    fn picture(&self) -> Chart {
        let zones = self.saturated();
        let mut chart = Chart::new(
            self.name,
            Axis::new("x").range(FROM, TO),
            Axis::new("f(x), f′(x)").range(LOWEST, HIGHEST),
        )
        .size(400.0, 300.0);
        for (from, to) in &zones {
            let zone = Band::new(
                "saturated: |f′| < 0.05",
                [(*from, LOWEST, HIGHEST), (*to, LOWEST, HIGHEST)],
            );
            chart = chart.with(zone.tone(Tone::Muted));
        }
        let described: Vec<String> = zones
            .iter()
            .map(|(from, to)| format!("from {from:.1} to {to:.1}"))
            .collect();
        let saturation = match described.as_slice() {
            [] => "It does not saturate here".to_string(),
            zones => format!("It saturates {}", zones.join(" and ")),
        };
        chart
            .with(Line::new("value", self.values.clone()))
            .with(Line::new("gradient", self.slopes.clone()))
            .describe(format!(
                "{} and its gradient from −6 to 6. {saturation}.",
                self.name
            ))
    }
}

pub(super) fn section() -> Result<Section, GalleryError> {
    let curves = Activation::examples()
        .iter()
        .filter(|activation| activation.is_elementwise())
        .map(Curve::of)
        .collect::<Result<Vec<Curve>, GalleryError>>()?;
    let all =
        |title: &str, label: &str, range: (f64, f64), points: fn(&Curve) -> &Vec<(f64, f64)>| {
            let axes = (
                Axis::new("x").range(-4.0, 4.0),
                Axis::new(label).range(range.0, range.1),
            );
            let chart = Chart::new(title, axes.0, axes.1).size(480.0, 440.0);
            let line = |curve: &Curve| Line::new(curve.name, points(curve).iter().copied());
            chart.with_all(curves.iter().map(line))
        };
    let panels = Panels::new("Activations and their gradients", 2)
        .with(all("values", "f(x)", (-2.0, 4.0), |curve| &curve.values))
        .with(all("gradients", "f′(x)", (-0.3, 1.9), |curve| {
            &curve.slopes
        }));
    let mut pictures = vec![("activations/all".to_string(), panels.render()?)];
    for curve in &curves {
        pictures.push((
            format!("activations/{}", curve.name),
            curve.picture().render()?,
        ));
    }
    Ok(Section {
        title: "Activations",
        text: "The output of a unit against its input, and the gradient that the backward pass multiplies by. The \
               shaded parts are saturated: the gradient there is below 0.05, and the layers before hardly learn."
            .to_string(),
        pictures,
    })
}

#[cfg(test)]
mod tests {
    use emberlab_models::activation::{Linear, Relu, Sigmoid};

    use super::*;

    #[test]
    fn an_activation_is_saturated_where_its_gradient_is_small() {
        let zones = |activation: Activation| Curve::of(&activation).expect("a curve").saturated();
        // σ′ = 0.05 at x = ±2.887
        let sigmoid = zones(Sigmoid {}.into());
        assert_eq!(sigmoid.len(), 2);
        assert!((sigmoid[0].1 + 2.887).abs() < 0.03, "{sigmoid:?}");
        assert!((sigmoid[1].0 - 2.887).abs() < 0.03, "{sigmoid:?}");
        let relu = zones(Relu {}.into());
        assert_eq!(relu.len(), 1);
        assert!(relu[0].0 == -6.0 && relu[0].1.abs() < 0.03, "{relu:?}");
        assert!(zones(Linear {}.into()).is_empty());
    }
}
