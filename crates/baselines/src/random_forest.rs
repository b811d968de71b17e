//! A random forest: the mean prediction of many decision trees.

use std::num::NonZero;
use std::thread;

use emberlab_rng::stream;
use rand::{Rng, RngExt};

use crate::baseline::Method;
use crate::bins::BinnedFeature;
use crate::error::BaselineError;
use crate::predictions::Predictions;
use crate::training::{Targets, Training};
use crate::tree::TreeGrower;

/// The number of trees, as in scikit-learn.
const NUM_TREES: usize = 100;
/// The number of groups of trees whose predictions are added up. It is fixed so that the result does not depend on the
/// number of threads.
const NUM_GROUPS: usize = 10;
/// The limit on rows × features tried × the logarithm of the rows, to base 2: about ten seconds on one core.
const MAX_WORK: f64 = 5_000_000.0;

/// Predicts the mean of 100 decision trees, like scikit-learn's `RandomForestClassifier` and `RandomForestRegressor`.
///
/// Each tree learns from as many training rows as there are, drawn with repetition, and grows until its leaves are
/// pure. A cut is the best of those of √num_features random features for classes, and of all features for numbers. The
/// probability of a class is its mean share of the leaves. Trees cut between bins, see [`BinnedFeature`]. Several
/// targets have one forest.
///
/// The trees are the lab's own, because those of the libraries take minutes for 20 000 rows of 100 features: one tree
/// of linfa-trees 0.8.1 takes 9.5 s (and cannot predict numbers), ten trees of smartcore 0.7.0 take 13 s.
///
/// Source: L. Breiman, Random Forests, Machine Learning 45 (2001).
pub(crate) struct RandomForest;

impl Method for RandomForest {
    fn max_train_rows(&self, training: &Training, _num_rows: usize) -> usize {
        let depth = (training.num_rows() as f64).log2().max(1.0);
        (MAX_WORK / depth / num_tried(training) as f64) as usize
    }

    fn fit_predict(
        &self,
        training: &Training,
        rows: &[f64],
        seed: u64,
    ) -> Result<Predictions, BaselineError> {
        let binned: Vec<BinnedFeature> = (0..training.num_features)
            .map(|column| BinnedFeature::new(training, column))
            .collect();
        let num_outputs = rows.len() / training.num_features * training.targets.num_outputs();
        let predict_group = |group: usize| {
            let mut outputs = vec![0.0; num_outputs];
            for tree in (group..NUM_TREES).step_by(NUM_GROUPS) {
                add_tree(training, &binned, rows, seed, tree as u64, &mut outputs);
            }
            outputs
        };

        let num_threads = thread::available_parallelism()
            .map_or(1, NonZero::get)
            .min(NUM_GROUPS);
        let mut groups: Vec<(usize, Vec<f64>)> = Vec::with_capacity(NUM_GROUPS);
        thread::scope(|scope| {
            let predict_group = &predict_group;
            let threads: Vec<_> = (0..num_threads)
                .map(|first| {
                    let groups = (first..NUM_GROUPS).step_by(num_threads);
                    scope.spawn(move || {
                        groups
                            .map(|group| (group, predict_group(group)))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            for thread in threads {
                match thread.join() {
                    Ok(done) => groups.extend(done),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
        groups.sort_unstable_by_key(|(group, _)| *group);
        let mut outputs = vec![0.0; num_outputs];
        for (_, group) in groups {
            outputs
                .iter_mut()
                .zip(group)
                .for_each(|(output, sum)| *output += sum);
        }
        outputs
            .iter_mut()
            .for_each(|output| *output /= NUM_TREES as f64);
        Ok(Predictions::from_outputs(training, outputs))
    }
}

/// The number of features that are tried at each node.
fn num_tried(training: &Training) -> usize {
    match training.targets {
        Targets::Classes { .. } => training.num_features.isqrt().max(1),
        Targets::Values { .. } => training.num_features,
    }
}

/// Grows a tree of the forest and adds its predictions to `outputs`.
fn add_tree(
    training: &Training,
    binned: &[BinnedFeature],
    rows: &[f64],
    seed: u64,
    tree: u64,
    outputs: &mut [f64],
) {
    let mut rng = stream(seed, "baseline random forest", &[tree]);
    let num_train = training.num_rows();
    let mut weights = vec![0.0; num_train];
    for _ in 0..num_train {
        weights[rng.random_range(0..num_train)] += 1.0;
    }
    let mut grower = TreeGrower {
        training,
        binned,
        weights,
        num_tried: num_tried(training),
        sorted: Vec::with_capacity(num_train),
    };
    grower.add_predictions(rows, rng.next_u64(), outputs);
}
