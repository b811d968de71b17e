//! Features that are not scaled: features far from 1, or of very different sizes.

use emberlab_datasets::Standardize;
use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, sentences, significant};
use crate::diagnosis::{Earliest, Observations, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::UnscaledFeatures,
    earliest: Earliest::BeforeTraining,
    condition: "as the network takes it, the largest feature has a root mean square above 30 or below 0.01; or in a table it is a thousand times as large as the smallest feature",
    is_one_problem: true,
    detect,
};

/// A largest feature above this size is too large.
const LARGE: f64 = 30.0;
/// A largest feature below this size is too small.
const SMALL: f64 = 0.01;
/// Features whose sizes differ by this factor have different scales.
const RATIO: f64 = 1000.0;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let found = observed.data.and_then(|data| unscaled(&data));
    observed.as_unscaled_data(found)
}

fn unscaled(data: &ObservedData<'_>) -> Option<Finding> {
    let is_scaled = match data.standardize.method {
        Standardize::PerFeature | Standardize::Robust | Standardize::MinMax => true,
        // All pixels have the same scale.
        Standardize::Global | Standardize::Centered => !data.is_table(),
        Standardize::None => false,
    };
    if is_scaled || data.splits.train.is_empty() {
        return None;
    }
    let sizes = sizes(data);
    // Only a constant 0 has no size.
    let features = sizes.iter().enumerate().filter(|(_, size)| **size > 0.0);
    let (smallest, small) = features.clone().min_by(|a, b| a.1.total_cmp(b.1))?;
    let (largest, large) = features.max_by(|a, b| a.1.total_cmp(b.1))?;
    let named = |feature| format!("`{}`", data.feature_name(feature));
    let summary = if *large > LARGE || *large < SMALL {
        format!(
            "the network takes {} with a root mean square of {}: networks learn well from features of about 1",
            named(largest),
            significant(*large)
        )
    } else if data.is_table() && large / small >= RATIO {
        format!(
            "the root mean square of {} is {} times that of {}: the network hardly sees the smaller features",
            named(largest),
            significant(large / small),
            named(smallest)
        )
    } else {
        return None;
    };
    let mut found = finding(FindingKind::UnscaledFeatures, Severity::Warning, summary);
    for (feature, size) in [(largest, large), (smallest, small)] {
        let name = format!("root mean square of {}", named(feature));
        found.evidence.push(evidence(name, *size));
    }
    found.causes = sentences(&["features in the units in which they were measured"]);
    found.remedies = sentences(&["`standardize.method = \"per_feature\"`"]);
    Some(found)
}

/// The root mean square of each feature over the training rows.
fn sizes(data: &ObservedData<'_>) -> Vec<f64> {
    let train = &data.splits.train;
    let mut sizes = vec![0.0; data.samples.num_features()];
    for &row in train {
        for (sum, x) in sizes.iter_mut().zip(data.standardized_row(row)) {
            *sum += x * x;
        }
    }
    for size in &mut sizes {
        *size = (*size / train.len() as f64).sqrt();
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::LearningCurves;
    use crate::diagnosis::observed_data::examples::{Table, alternating, noise};

    fn table(factors: [f32; 2]) -> Table {
        let column = |factor: f32, seed| noise(40, seed).iter().map(|x| factor * x).collect();
        Table::new(
            &[("a", column(factors[0], 1)), ("b", column(factors[1], 2))],
            alternating(40),
        )
    }

    #[test]
    fn features_far_from_1_or_of_very_different_sizes_are_found_until_they_are_standardised() {
        for factors in [[8e7, 8e7], [1e-6, 1e-4], [0.01, 40.0]] {
            let mut table = table(factors);
            assert_eq!(
                table.kinds(),
                [FindingKind::UnscaledFeatures],
                "{factors:?}"
            );
            table.standardize.method = Standardize::PerFeature;
            assert_eq!(table.kinds(), [], "{factors:?}");
        }
        for factors in [[1.0, 1.0], [0.1, 40.0], [0.0, 1.0]] {
            assert_eq!(table(factors).kinds(), [], "{factors:?}");
        }
        // One deviation for all features leaves their ratio as it is.
        let mut global = table([0.01, 40.0]);
        global.standardize.method = Standardize::Centered;
        assert_eq!(global.kinds(), [FindingKind::UnscaledFeatures]);
    }

    #[test]
    fn features_that_are_not_scaled_explain_a_loss_that_rises_or_is_nan() {
        let curves = |train_loss: Vec<f64>| LearningCurves {
            num_epochs: train_loss.len(),
            train_loss,
            ..LearningCurves::default()
        };
        let rising = table([8e7, 1.0]).findings_with(&curves(vec![1e5, 2e5, 3e5]));
        assert_eq!(rising.len(), 1, "{rising:#?}");
        let nan = table([8e7, 1.0]).findings_with(&curves(vec![1e5, f64::NAN]));
        let kinds: Vec<FindingKind> = nan.iter().map(|f| f.kind).collect();
        assert_eq!(
            kinds,
            [FindingKind::UnscaledFeatures, FindingKind::NonFinite]
        );
    }
}
