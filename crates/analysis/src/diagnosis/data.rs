//! Rules over the data of a training: what its splits lack or share, and what a line cannot divide.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use emberlab_datasets::{
    Features, Samples, Splits, Standardize, StandardizeConfig, Standardizer, StatisticsFrom,
};
use emberlab_run_format::{Finding, FindingKind, Severity};

use super::finding::{evidence, finding, percent, sentences};

/// Share of held-out rows that may be among the training rows: real data repeat themselves a little.
const TWINS: f64 = 0.05;
/// Fewer twins than this say nothing.
const FEW_TWINS: usize = 3;

/// What the splits of a data set say is wrong.
pub fn data_findings(
    samples: &Samples,
    splits: &Splits,
    standardize: &StandardizeConfig,
) -> Vec<Finding> {
    let mut findings = missing_classes(samples, splits);
    findings.extend(leaking_statistics(samples, splits, standardize));
    findings.extend(leaking_rows(samples, splits));
    findings
}

fn missing_classes(samples: &Samples, splits: &Splits) -> Vec<Finding> {
    let missing = splits.missing_classes(samples);
    let finding = |missing: &emberlab_datasets::MissingClasses| {
        let names = missing.classes.join(", ");
        let (severity, summary) = if missing.split == "train" {
            let summary = format!("the network never sees {names}: the train split has none of it");
            (Severity::Error, summary)
        } else {
            let summary = format!(
                "the {} split has no sample of {names}: its figures say nothing about that",
                missing.split
            );
            (Severity::Warning, summary)
        };
        let mut found = finding(FindingKind::MissingClass, severity, summary);
        let rows = match missing.split {
            "train" => &splits.train,
            "valid" => &splits.valid,
            _ => &splits.test,
        };
        let (labels, names) = (samples.labels(), samples.class_names());
        for (class, name) in names.unwrap_or_default().iter().enumerate() {
            let is_class =
                |&&row: &&u32| labels.is_some_and(|labels| labels[row as usize] as usize == class);
            let count = rows.iter().filter(is_class).count();
            let name = format!("{} rows of {name}", missing.split);
            found.evidence.push(evidence(name, count as f64));
        }
        found.causes = sentences(&[
            "rows sorted by class, cut in order",
            "a split too small for the number of classes",
        ]);
        found.remedies = sentences(&["`split.method = \"stratified\"`", "a larger split"]);
        found
    };
    missing.iter().map(finding).collect()
}

fn leaking_statistics(
    samples: &Samples,
    splits: &Splits,
    config: &StandardizeConfig,
) -> Option<Finding> {
    let is_held_out = !splits.valid.is_empty() || !splits.test.is_empty();
    let leaks = config.statistics == StatisticsFrom::All && config.method != Standardize::None;
    if !(leaks && is_held_out) {
        return None;
    }
    let honest = StandardizeConfig {
        statistics: StatisticsFrom::Train,
        ..*config
    };
    let [all, train] = [config, &honest].map(|c| Standardizer::fit(c, samples, &splits.train));
    let shifts = all.mean.iter().zip(&train.mean).zip(&train.std);
    let shift = shifts.map(|((a, t), std)| ((a - t) / std).abs());
    let mut found = finding(
        FindingKind::Leakage,
        Severity::Warning,
        "`standardize.statistics` is \"all\": rows that judge the network have shaped its inputs"
            .to_string(),
    );
    found.evidence = vec![evidence(
        "largest shift of a feature's mean by those rows, in deviations",
        shift.fold(0.0, f64::max),
    )];
    found.causes = sentences(&["mean and deviation taken before the data were split"]);
    found.remedies = sentences(&["`standardize.statistics = \"train\"`"]);
    Some(found)
}

fn leaking_rows(samples: &Samples, splits: &Splits) -> Vec<Finding> {
    if splits.valid.is_empty() && splits.test.is_empty() {
        return Vec::new();
    }
    let seen: HashSet<u64> = splits.train.iter().map(|&row| hash(samples, row)).collect();
    let mut findings = Vec::new();
    for (split, rows) in [("valid", &splits.valid), ("test", &splits.test)] {
        let twins = rows
            .iter()
            .filter(|&&row| seen.contains(&hash(samples, row)));
        let num_twins = twins.count();
        let share = num_twins as f64 / rows.len().max(1) as f64;
        if num_twins < FEW_TWINS || share < TWINS {
            continue;
        }
        let mut found = finding(
            FindingKind::Leakage,
            Severity::Warning,
            format!(
                "{num_twins} of {} {split} rows ({}) are also among the training rows: what is learned by heart is counted as understood",
                rows.len(),
                percent(share)
            ),
        );
        found.evidence = vec![
            evidence(
                format!("{split} rows with a twin in train"),
                num_twins as f64,
            ),
            evidence(format!("{split} rows"), rows.len() as f64),
        ];
        found.causes = sentences(&[
            "rows copied or augmented before the data were split",
            "a table that lists the same measurement more than once",
        ]);
        found.remedies = sentences(&["remove the copies from the table, then split"]);
        findings.push(found);
    }
    findings
}

/// A row's features as one number; two rows that differ have the same with probability 2⁻⁶⁴.
fn hash(samples: &Samples, row: u32) -> u64 {
    let width = samples.num_features();
    let range = row as usize * width..(row as usize + 1) * width;
    let mut hasher = DefaultHasher::new();
    match &samples.features {
        Features::Bytes(pixels) => pixels[range].hash(&mut hasher),
        Features::Floats(values) => {
            values[range]
                .iter()
                .for_each(|x| x.to_bits().hash(&mut hasher));
        }
    }
    hasher.finish()
}

/// Rows that the reference of [`cannot_represent`] looks at.
const REFERENCE_ROWS: usize = 500;
/// Neighbours that vote.
const NEIGHBOURS: usize = 5;

/// Whether a network without a bend is held back by that: `accuracy` on the training rows, converged.
///
/// The reference is a vote of the five nearest neighbours over at most 500 training rows, each left out of
/// its own vote; where there are too few rows to vote, whether rows that are alike have one class.
pub fn cannot_represent(
    samples: &Samples,
    train: &[u32],
    standardizer: &Standardizer,
    accuracy: f64,
) -> Option<Finding> {
    let labels = samples.labels()?;
    let kept = train.len().min(REFERENCE_ROWS);
    let rows: Vec<u32> = (0..kept).map(|k| train[k * train.len() / kept]).collect();
    let standardized = |&row: &u32| -> Vec<f64> {
        let raw = samples.row(row as usize).into_iter().enumerate();
        raw.map(|(j, x)| f64::from(standardizer.value(f64::from(x), j)))
            .collect()
    };
    let points: Vec<Vec<f64>> = rows.iter().map(standardized).collect();
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
            "the network is linear and has settled at {} right, where {by} gets {}: its boundary is a straight line, and these classes need a bend",
            percent(accuracy),
            percent(reference)
        ),
    );
    found.evidence = vec![
        evidence("train accuracy of the network", accuracy),
        evidence(format!("train accuracy by {by}"), reference),
    ];
    found.causes = sentences(&[
        "no hidden layer, or only linear activations: every such network is a single linear one",
    ]);
    found.remedies = sentences(&[
        "a hidden layer: `model.name = \"mlp\"`, `model.hidden = [8]`",
        "an activation that bends: `model.activation = \"relu\"`",
    ]);
    Some(found)
}

/// Share of points whose nearest neighbours, without themselves, vote for their class.
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

/// Share of points that a table of the commonest class of each input has right.
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
    use emberlab_datasets::Targets;

    fn samples(rows: &[[f32; 2]], labels: &[u32]) -> Samples {
        Samples {
            features: Features::Floats(rows.iter().flatten().copied().collect()),
            targets: Targets::Classes {
                labels: labels.to_vec(),
                names: vec!["no".to_string(), "yes".to_string()],
            },
            input_shape: vec![2],
            feature_names: vec!["a".to_string(), "b".to_string()],
        }
    }

    #[test]
    fn rows_that_are_in_train_and_in_valid_are_counted() {
        let rows: Vec<[f32; 2]> = (0..40).map(|i| [(i % 30) as f32, 1.0]).collect();
        let labels: Vec<u32> = (0..40).map(|i| i % 2).collect();
        let splits = Splits {
            train: (0..30).collect(),
            valid: (30..40).collect(),
            test: Vec::new(),
        };
        let config = StandardizeConfig::default();
        let findings = data_findings(&samples(&rows, &labels), &splits, &config);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].kind, FindingKind::Leakage);
        assert_eq!(findings[0].evidence[0].value, 10.0);
        let apart: Vec<[f32; 2]> = (0..40).map(|i| [i as f32, 1.0]).collect();
        assert_eq!(
            data_findings(&samples(&apart, &labels), &splits, &config),
            []
        );
    }

    #[test]
    fn xor_needs_a_bend_and_and_does_not() {
        let rows = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
        let identity = Standardizer::identity();
        let of = |labels: &[u32], accuracy| {
            let samples = samples(&rows, labels);
            cannot_represent(&samples, &[0, 1, 2, 3], &identity, accuracy).map(|f| f.kind)
        };
        assert_eq!(of(&[0, 1, 1, 0], 0.5), Some(FindingKind::CannotRepresent));
        assert_eq!(of(&[0, 0, 0, 1], 1.0), None);
    }

    #[test]
    fn noise_that_no_network_could_learn_is_not_held_against_a_line() {
        // Two bands of points, a fifth of them with the other label at random.
        let rows: Vec<[f32; 2]> = (0..200)
            .map(|i| [(i * 7 % 200) as f32, (i % 2) as f32])
            .collect();
        let labels: Vec<u32> = (0..200)
            .map(|i| (i % 2) ^ u32::from(i * 31 % 5 == 0))
            .collect();
        let train: Vec<u32> = (0..200).collect();
        let samples = samples(&rows, &labels);
        assert_eq!(
            cannot_represent(&samples, &train, &Standardizer::identity(), 0.8),
            None
        );
    }
}
