//! Losses and their gradients against the predicted probability, for both classes.

use burn::tensor::Tensor;
use emberlab_menu::Menu as _;
use emberlab_pictures::{Axis, Chart, Line, Panels, Picture};
use emberlab_training::LossConfig;
use emberlab_training::loss::{Loss, OutputKind, TargetKind};

use super::{GalleryError, Section, curve};

/// The two classes, as targets.
const CLASSES: [f64; 2] = [0.0, 1.0];

/// A loss and its gradient by the prediction.
#[derive(Clone)]
struct Curve {
    values: Vec<f64>,
    slopes: Vec<f64>,
}

/// The predictions at which losses are drawn: 0.01, 0.02, … 0.99.
fn predictions() -> Vec<f64> {
    (1..=99).map(|i| f64::from(i) / 100.0).collect()
}

impl Curve {
    /// The loss of a sample of class `target` at each prediction.
    fn of(loss: &Loss, target: f64) -> Result<Self, GalleryError> {
        let (kind, is_of_counts) = (loss.outputs(), loss.targets() == TargetKind::Counts);
        let loss = LossConfig::sum(loss.clone());
        let inputs = predictions();
        let (values, slopes) = curve(&inputs, |p| {
            let targets = p.zeros_like().add_scalar(target);
            // The logit whose sigmoid is the prediction.
            let logit = |p: Tensor<2>| p.clone().log() - p.neg().add_scalar(1.0).log();
            let (outputs, targets) = match kind {
                OutputKind::Numbers if is_of_counts => (p.log(), targets),
                OutputKind::Probabilities | OutputKind::Numbers => (p, targets),
                OutputKind::Logit => (logit(p), targets),
                OutputKind::ClassLogits => {
                    let first = targets.clone().neg().add_scalar(1.0);
                    let logits = vec![p.zeros_like(), logit(p)];
                    (Tensor::cat(logits, 1), Tensor::cat(vec![first, targets], 1))
                }
            };
            let rows: Vec<Tensor<2>> = outputs
                .chunk(inputs.len(), 0)
                .into_iter()
                .zip(targets.chunk(inputs.len(), 0))
                .map(|(output, target)| loss.forward(output, target).reshape([1, 1]))
                .collect();
            Tensor::cat(rows, 0)
        })?;
        Ok(Self { values, slopes })
    }

    fn is_close(&self, other: &Self) -> bool {
        let is_close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-6 * b.abs().max(1.0);
        let mut values = self.values.iter().zip(&other.values);
        let mut slopes = self.slopes.iter().zip(&other.slopes);
        values.all(is_close) && slopes.all(is_close)
    }
}

/// Losses whose curves are equal.
struct EqualLosses {
    names: Vec<&'static str>,
    /// For each class.
    curves: [Curve; 2],
}

impl EqualLosses {
    /// Their names in a legend, which has room for two at most.
    fn label(&self) -> String {
        match self.names.as_slice() {
            [first, rest @ ..] if rest.len() > 1 => format!("{first} and {} more", rest.len()),
            names => names.join(", "),
        }
    }
}

/// All losses of the menu with their default parameters, those with equal curves together.
fn all() -> Result<Vec<EqualLosses>, GalleryError> {
    let mut all: Vec<EqualLosses> = Vec::new();
    for loss in Loss::examples() {
        let curves = [Curve::of(&loss, CLASSES[0])?, Curve::of(&loss, CLASSES[1])?];
        let is_equal = |other: &&mut EqualLosses| {
            let mut pairs = curves.iter().zip(&other.curves);
            pairs.all(|(a, b)| a.is_close(b))
        };
        match all.iter_mut().find(is_equal) {
            Some(equal) => equal.names.push(loss.name()),
            None => all.push(EqualLosses {
                names: vec![loss.name()],
                curves,
            }),
        }
    }
    Ok(all)
}

pub(super) fn section() -> Result<Section, GalleryError> {
    let all = all()?;
    let shared = all.iter().filter(|losses| losses.names.len() > 1);
    let shared: Vec<_> = shared.map(|losses| losses.names.join(", ")).collect();
    let mut panels = Panels::new("Losses and their gradients against the prediction", 2);
    for (of_slopes, label, range) in [
        (false, "loss", (0.0, 5.0)),
        (true, "gradient", (-12.0, 12.0)),
    ] {
        for (class, target) in CLASSES.into_iter().enumerate() {
            let mut chart = Chart::new(
                format!("{label}, class {target}"),
                Axis::new("predicted probability of class 1").range(0.0, 1.0),
                Axis::new(label).range(range.0, range.1),
            )
            .size(460.0, 340.0);
            for losses in &all {
                let curve = &losses.curves[class];
                let ys = if of_slopes {
                    &curve.slopes
                } else {
                    &curve.values
                };
                chart = chart.with(Line::new(
                    losses.label(),
                    predictions().into_iter().zip(ys.iter().copied()),
                ));
            }
            panels = panels.with(chart);
        }
    }
    Ok(Section {
        title: "Losses",
        text: format!(
            "The loss of one prediction, and its gradient. Losses with equal curves share a line: {}. The gradient of \
             the cross-entropy grows the more wrong a prediction is; that of the squared error is at most 2, and \
             that of the absolute error is always 1. The Huber loss is half the squared error up to a difference of \
             1, and linear beyond; log-cosh is a little less, and smooth. The quantile loss of the median is half the \
             absolute error. The focal loss gives little weight to predictions that are nearly right. Losses \
             that take logits are drawn at the logit of the prediction: the hinge loss is zero from a logit of 1 \
             on the right side, which is a probability of 0.73. The Poisson loss is drawn at the logarithm of the \
             prediction. The Hamming loss has no gradient anywhere.",
            shared.join("; ")
        ),
        pictures: vec![("losses".to_string(), panels.render()?)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Value and gradient of a loss at prediction `p`, `right` being the probability of the true class and `side`
    /// 1 for class 1 and −1 for class 0.
    type Textbook = fn(p: f64, target: f64, right: f64, side: f64) -> (f64, f64);

    const CROSS_ENTROPY: Textbook = |_, _, right, side| (-right.ln(), -side / right);

    const TEXTBOOK: [(&str, Textbook); 13] = [
        ("bce_with_logits", CROSS_ENTROPY),
        ("bce", CROSS_ENTROPY),
        ("cross_entropy", CROSS_ENTROPY),
        ("kl_divergence", CROSS_ENTROPY),
        ("mse", |p, y, _, _| ((p - y).powi(2), 2.0 * (p - y))),
        ("mae", |p, y, _, side| ((p - y).abs(), -side)),
        ("soft_hamming", |p, y, _, side| ((p - y).abs(), -side)),
        ("huber", |p, y, _, _| ((p - y).powi(2) / 2.0, p - y)),
        ("log_cosh", |p, y, _, _| {
            ((p - y).cosh().ln(), (p - y).tanh())
        }),
        ("quantile", |p, y, _, side| {
            ((p - y).abs() / 2.0, -side / 2.0)
        }),
        ("poisson", |p, y, _, _| (p - y * p.ln(), 1.0 - y / p)),
        ("hinge", |p, _, _, side| {
            let missing = 1.0 - side * (p / (1.0 - p)).ln();
            match missing > 0.0 {
                true => (missing, -side / (p * (1.0 - p))),
                false => (0.0, 0.0),
            }
        }),
        ("focal", |_, y, right, side| {
            let (wrong, weight) = (1.0 - right, if y == 1.0 { 0.25 } else { 0.75 });
            let slope = wrong * (2.0 * right.ln() - wrong / right);
            (-weight * wrong * wrong * right.ln(), weight * side * slope)
        }),
    ];

    #[test]
    fn curves_equal_the_textbook_at_every_prediction() {
        let losses = Loss::examples();
        for (name, textbook) in TEXTBOOK {
            let loss = losses.iter().find(|loss| loss.name() == name);
            for target in CLASSES {
                let curve = Curve::of(loss.expect("a loss"), target).expect("a curve");
                let drawn = curve.values.iter().zip(&curve.slopes);
                for (p, (value, slope)) in predictions().into_iter().zip(drawn) {
                    let side = 2.0 * target - 1.0;
                    let right = if target == 1.0 { p } else { 1.0 - p };
                    let expected = textbook(p, target, right, side);
                    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
                    assert!(
                        close(*value, expected.0) && close(*slope, expected.1),
                        "{name} at {p} for class {target}: {value}, {slope}, {expected:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn losses_with_equal_curves_share_a_line() {
        let all = all().expect("curves");
        let with = |name: &str| {
            let found = all.iter().find(|losses| losses.names.contains(&name));
            found.expect("a line").names.clone()
        };
        assert_eq!(with("mae"), ["mae", "soft_hamming"]);
        assert!(with("bce").contains(&"cross_entropy"));
        assert_eq!(with("mse"), ["mse"]);
    }
}
