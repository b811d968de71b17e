//! Losses and their gradients against the predicted probability, for both classes.

use burn::tensor::Tensor;
use emberlab_pictures::{Axis, Chart, Line, Panels, Picture};
use emberlab_training::LossConfig;
use emberlab_training::loss::{Bce, Focal, Hinge, Huber, Mae, Mse, OutputKind};

use super::{GalleryError, Section, curve};

/// Section A4: the losses of two classes.
fn losses() -> [LossConfig; 6] {
    [
        LossConfig::sum(Bce {}),
        LossConfig::sum(Mse {}),
        LossConfig::sum(Mae {}),
        LossConfig::sum(Huber { delta: 0.5 }),
        LossConfig::sum(Hinge {}),
        LossConfig::sum(Focal {
            gamma: 2.0,
            alpha: 0.5,
        }),
    ]
}

/// A loss and its gradient at each prediction.
struct AgainstPrediction {
    predictions: Vec<f64>,
    values: Vec<f64>,
    slopes: Vec<f64>,
}

/// Values and gradients of a loss for predictions 0.01, 0.02, … 0.99 of a sample of class `target`.
fn against_prediction(loss: &LossConfig, target: f64) -> Result<AgainstPrediction, GalleryError> {
    let predictions: Vec<f64> = (1..=99).map(|i| f64::from(i) / 100.0).collect();
    let (values, slopes) = curve(&predictions, |p| {
        let targets = p.zeros_like().add_scalar(target);
        let outputs = match loss.function.outputs() == OutputKind::Logit {
            // The logit whose sigmoid the prediction is.
            true => p.clone().log() - p.neg().add_scalar(1.0).log(),
            false => p,
        };
        let rows: Vec<Tensor<2>> = outputs
            .chunk(predictions.len(), 0)
            .into_iter()
            .zip(targets.chunk(predictions.len(), 0))
            .map(|(output, target)| loss.forward(output, target).reshape([1, 1]))
            .collect();
        Tensor::cat(rows, 0)
    })?;
    Ok(AgainstPrediction {
        predictions,
        values,
        slopes,
    })
}

pub(super) fn section() -> Result<Section, GalleryError> {
    let mut panels = Panels::new("Losses and their gradients against the prediction", 2);
    for (of_slopes, label, range) in [
        (false, "loss", (0.0, 5.0)),
        (true, "gradient", (-12.0, 12.0)),
    ] {
        for target in [0.0, 1.0] {
            let mut chart = Chart::new(
                format!("{label}, class {target}"),
                Axis::new("predicted probability of class 1").range(0.0, 1.0),
                Axis::new(label).range(range.0, range.1),
            )
            .size(460.0, 340.0);
            for loss in losses() {
                let found = against_prediction(&loss, target)?;
                let ys = if of_slopes {
                    found.slopes
                } else {
                    found.values
                };
                chart = chart.with(Line::new(
                    loss.name(),
                    found.predictions.into_iter().zip(ys),
                ));
            }
            panels = panels.with(chart);
        }
    }
    Ok(Section {
        title: "Losses",
        text: "What a prediction costs and how hard the loss pulls on it. Cross-entropy pulls the harder the more \
               wrong a prediction is; the squared error at most with 2, the absolute one always with 1. Huber turns \
               from one to the other at 0.5. Focal (γ = 2, α = 0.5) lets go of what is nearly right. Hinge and focal \
               take the logit of the prediction: hinge asks for a logit of 1 on the right side, which is a \
               probability of 0.73, and then for nothing more."
            .to_string(),
        pictures: vec![("losses".to_string(), panels.render()?)],
    })
}

#[cfg(test)]
mod tests {
    use emberlab_training::loss::Loss;

    use super::*;

    #[test]
    fn curves_equal_the_textbook_at_every_prediction() {
        for target in [0.0, 1.0] {
            for loss in losses() {
                let found = against_prediction(&loss, target).expect("a curve");
                for ((p, value), slope) in
                    found.predictions.iter().zip(found.values).zip(found.slopes)
                {
                    let side = 2.0 * target - 1.0;
                    let right = if target == 1.0 { *p } else { 1.0 - p };
                    let missing = 1.0 - side * (p / (1.0 - p)).ln();
                    let expected = match &loss.function {
                        Loss::Bce(_) => (-right.ln(), -side / right),
                        Loss::Mse(_) => ((p - target).powi(2), 2.0 * (p - target)),
                        Loss::Mae(_) => ((p - target).abs(), -side),
                        Loss::Huber(_) if (p - target).abs() <= 0.5 => {
                            ((p - target).powi(2) / 2.0, p - target)
                        }
                        Loss::Huber(_) => (0.5 * ((p - target).abs() - 0.25), -side * 0.5),
                        Loss::Hinge(_) if missing > 0.0 => (missing, -side / (p * (1.0 - p))),
                        Loss::Hinge(_) => (0.0, 0.0),
                        Loss::Focal(_) => {
                            let wrong = 1.0 - right;
                            let slope = wrong * (2.0 * right.ln() - wrong / right);
                            (-0.5 * wrong * wrong * right.ln(), 0.5 * side * slope)
                        }
                        other => panic!("no formula for {}", other.name()),
                    };
                    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
                    let name = loss.name();
                    assert!(
                        close(value, expected.0),
                        "{name}({p}, {target}): {value}, {expected:?}"
                    );
                    assert!(
                        close(slope, expected.1),
                        "{name}′({p}, {target}): {slope}, {expected:?}"
                    );
                }
            }
        }
    }
}
