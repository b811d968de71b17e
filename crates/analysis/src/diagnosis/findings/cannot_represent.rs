//! A network that cannot represent the task: a linear network where the classes need a curved boundary.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, percent, sentences};
use crate::diagnosis::{Earliest, Observations, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::CannotRepresent,
    earliest: Earliest::AtTheEnd,
    condition: "the network is linear, its loss has settled, and it is wrong four times as often as a vote of five nearest neighbours",
    is_one_problem: true,
    detect,
};

/// Training rows that the reference classifier looks at, at most.
const REFERENCE_ROWS: usize = 500;
/// Neighbours that vote.
const NEIGHBOURS: usize = 5;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let (Some(data), Some(&accuracy)) = (observed.data, observed.curves.train_accuracy.last())
    else {
        return Vec::new();
    };
    if !(observed.is_linear && observed.curves.has_settled()) {
        return Vec::new();
    }
    worse_than_neighbours(&data, accuracy).into_iter().collect()
}

/// Compares `accuracy`, that of the network on the training rows, with a classifier that is not linear.
///
/// That classifier is a vote of the five nearest neighbours over at most 500 training rows, each left out of its
/// own vote; where there are too few rows to vote, a table of the commonest class of equal rows.
fn worse_than_neighbours(data: &ObservedData<'_>, accuracy: f64) -> Option<Finding> {
    let (samples, train) = (data.samples, &data.splits.train);
    let labels = samples.labels()?;
    let num_rows = train.len().min(REFERENCE_ROWS);
    let rows: Vec<u32> = (0..num_rows)
        .map(|k| train[k * train.len() / num_rows])
        .collect();
    let points: Vec<Vec<f64>> = rows.iter().map(|&row| data.standardized_row(row)).collect();
    let classes: Vec<u32> = rows.iter().map(|&row| labels[row as usize]).collect();
    let num_classes = samples.num_classes().unwrap_or(0);
    let (reference, by) = if rows.len() >= 10 * num_classes {
        (
            neighbours_accuracy(&points, &classes),
            "a vote of the five nearest other rows",
        )
    } else {
        (table_accuracy(&points, &classes), "a table of the rows")
    };
    let is_behind = 1.0 - accuracy > 4.0 * (1.0 - reference) && reference - accuracy >= 0.08;
    if !is_behind {
        return None;
    }
    let mut found = finding(
        FindingKind::CannotRepresent,
        Severity::Error,
        format!(
            "the network is linear and its accuracy has settled at {}, where {by} reaches {}: its boundary is a straight line, and these classes need a curve",
            percent(accuracy),
            percent(reference)
        ),
    );
    found.evidence = vec![
        evidence("train accuracy of the network", accuracy),
        evidence(format!("train accuracy by {by}"), reference),
    ];
    found.causes = sentences(&[
        "no hidden layer, or only linear activations: such a network is a single linear function",
    ]);
    found.remedies = sentences(&[
        "a hidden layer: `model.name = \"mlp\"`, `model.hidden = [8]`",
        "an activation that is not linear: `model.activation = \"relu\"`",
    ]);
    Some(found)
}

/// Share of points whose nearest neighbours, the point itself left out, vote for its class.
fn neighbours_accuracy(points: &[Vec<f64>], classes: &[u32]) -> f64 {
    let distance =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum() };
    let is_right = |&i: &usize| {
        let others = (0..points.len()).filter(|&j| j != i);
        let mut near: Vec<(f64, u32)> = others
            .map(|j| (distance(&points[i], &points[j]), classes[j]))
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(NEIGHBOURS);
        let votes = |class: u32| near.iter().filter(|(_, c)| *c == class).count();
        let most = near
            .iter()
            .map(|(_, class)| votes(*class))
            .max()
            .unwrap_or(0);
        votes(classes[i]) == most
    };
    let right = (0..points.len()).filter(is_right).count();
    right as f64 / points.len().max(1) as f64
}

/// Share of points whose class is the commonest among the points equal to it.
fn table_accuracy(points: &[Vec<f64>], classes: &[u32]) -> f64 {
    let is_right = |&i: &usize| {
        let alike = (0..points.len()).filter(|&j| points[j] == points[i]);
        let alike: Vec<u32> = alike.map(|j| classes[j]).collect();
        let votes = |class: u32| alike.iter().filter(|c| **c == class).count();
        let most = alike.iter().map(|&class| votes(class)).max().unwrap_or(0);
        votes(classes[i]) == most
    };
    let right = (0..points.len()).filter(is_right).count();
    right as f64 / points.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberlab_datasets::{
        BatchSize, Batching, Features, Samples, Splits, StandardizeConfig, Standardizer, Targets,
    };

    fn kind(rows: &[[f32; 2]], labels: &[u32], accuracy: f64) -> Option<FindingKind> {
        let samples = Samples::of_features(
            Features::Floats(rows.iter().flatten().copied().collect()),
            Targets::Classes {
                labels: labels.to_vec(),
                names: vec!["no".to_string(), "yes".to_string()],
            },
            vec!["a".to_string(), "b".to_string()],
        );
        let splits = Splits {
            train: (0..rows.len() as u32).collect(),
            valid: Vec::new(),
            test: Vec::new(),
        };
        let data = ObservedData {
            samples: &samples,
            splits: &splits,
            standardize: &StandardizeConfig::default(),
            standardizer: &Standardizer::identity(),
            batches: Batching {
                batch_size: BatchSize::Size(32),
                drop_last: false,
                shuffle: true,
            },
            is_stratified: false,
            compares_rows: false,
        };
        worse_than_neighbours(&data, accuracy).map(|f| f.kind)
    }

    #[test]
    fn xor_needs_a_curve_and_and_does_not() {
        let rows = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
        let found = kind(&rows, &[0, 1, 1, 0], 0.5);
        assert_eq!(found, Some(FindingKind::CannotRepresent));
        assert_eq!(kind(&rows, &[0, 0, 0, 1], 1.0), None);
    }

    #[test]
    fn noise_that_no_network_could_learn_is_not_blamed_on_a_linear_one() {
        // Two bands of points, a fifth of them with the other label at random.
        let rows: Vec<[f32; 2]> = (0..200)
            .map(|i| [(i * 7 % 200) as f32, (i % 2) as f32])
            .collect();
        let labels: Vec<u32> = (0..200)
            .map(|i| (i % 2) ^ u32::from(i * 31 % 5 == 0))
            .collect();
        assert_eq!(kind(&rows, &labels, 0.8), None);
    }
}
