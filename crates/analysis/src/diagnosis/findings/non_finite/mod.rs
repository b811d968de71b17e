//! NaN or infinity: a loss that is not finite.

mod locate;
mod loss;

pub use locate::locate_non_finite;

use emberlab_run_format::{Finding, FindingKind, Place, Severity};

use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::diagnosis::{Earliest, Observations, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::NonFinite,
    earliest: Earliest::WhileTraining,
    condition: "a loss in `metrics.csv` is not finite. `diagnose` then repeats the training from its seed, bit for bit, up to the first such step, and names the layer, the direction and the operation",
    is_one_problem: true,
    detect,
};

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let curves = observed.curves;
    let Some(epoch) = curves.first_non_finite() else {
        return Vec::new();
    };
    let mut found = finding(
        FindingKind::NonFinite,
        Severity::Error,
        format!(
            "the loss is NaN or infinite from epoch {epoch} on; the network learns nothing after that"
        ),
    );
    found.place = Some(Place {
        epoch: Some(epoch),
        step: None,
        layer: None,
        direction: None,
        operation: None,
    });
    for (name, losses) in [
        ("train loss", &curves.train_loss),
        ("valid loss", &curves.valid_loss),
    ] {
        let loss = losses.get(epoch - 1);
        found
            .evidence
            .extend(loss.map(|&loss| evidence(format!("{name} in epoch {epoch}"), loss)));
    }
    if epoch > 1 {
        found.evidence.push(evidence(
            format!("train loss in epoch {}", epoch - 1),
            curves.train_loss[epoch - 2],
        ));
    }
    found.causes = sentences(&[
        "an exponential or a logarithm that overflows, as in a naive softmax or cross-entropy",
        "steps so large that weights grow without bound",
    ]);
    found.remedies = sentences(&[
        "`emberlab diagnose` repeats the training and names the first step, layer and operation",
        "a loss that takes logits: `bce_with_logits` or `cross_entropy`",
        "a smaller `optimizer.learning_rate`, or `training.gradient_clipping = { norm = 1.0 }`",
    ]);
    vec![found]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::findings;
    use crate::diagnosis::learning_curves::examples::{curves, decaying};

    #[test]
    fn the_first_epoch_with_nan_is_named_and_no_other_curve_is_judged() {
        let mut losses = decaying(0.1);
        losses[41..].fill(f64::NAN);
        let curves = curves(losses, Vec::new());
        let found = findings(&Observations::of_curves(&curves));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, FindingKind::NonFinite);
        let place = found[0].place.as_ref();
        assert_eq!(place.and_then(|p| p.epoch), Some(42));
    }
}
