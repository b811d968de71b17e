//! A decision tree that predicts while it grows.

use std::ops::Range;

use emberlab_rng::StreamRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::bins::BinnedFeature;
use crate::training::{Targets, Training};

/// The number of samples from which counting sorts them faster than comparing.
const COUNTING_SORT_FROM: usize = 64;

/// How a tree is grown.
pub(crate) struct TreeGrower<'a> {
    /// The training rows.
    pub(crate) training: &'a Training<'a>,
    /// The features of the training rows in bins.
    pub(crate) binned: &'a [BinnedFeature],
    /// The number of times that each training row counts.
    pub(crate) weights: Vec<f64>,
    /// The number of features that are tried at each node, drawn at random.
    pub(crate) num_tried: usize,
    /// Scratch space: the samples of a node in the order of their bins, each `bin << 32 | sample`.
    pub(crate) sorted: Vec<u64>,
}

/// A part of the tree that is yet to be grown.
struct Node {
    /// Its training rows, as a range of the list of them all.
    samples: Range<usize>,
    /// The rows to predict that reach it, as a range of the list of them all.
    rows: Range<usize>,
    /// The seed of its random numbers. A node has its own, so that the nodes that no row reaches can be left out.
    seed: u64,
}

/// A cut of a node in two.
struct Cut {
    feature: usize,
    /// The last bin of the left part.
    last_left: u8,
    threshold: f64,
    score: f64,
}

impl TreeGrower<'_> {
    /// Grows a tree until its leaves are pure, and adds the mean target of each row's leaf to `outputs`,
    /// `[num_rows × num_outputs]`.
    ///
    /// Each cut is the one that leaves the least squared error of the targets in both parts together. For classes this
    /// is the Gini impurity. Parts of the tree that no row reaches are not grown.
    pub(crate) fn add_predictions(&mut self, rows: &[f64], seed: u64, outputs: &mut [f64]) {
        let num_outputs = self.training.targets.num_outputs();
        let num_features = self.training.num_features;
        let mut samples: Vec<u32> = (0..self.weights.len() as u32)
            .filter(|i| self.weights[*i as usize] > 0.0)
            .collect();
        let mut row_indices: Vec<u32> = (0..(rows.len() / num_features) as u32).collect();
        let mut waiting = vec![Node {
            samples: 0..samples.len(),
            rows: 0..row_indices.len(),
            seed,
        }];
        while let Some(node) = waiting.pop() {
            if node.rows.is_empty() {
                continue;
            }
            let (samples_here, rows_here) = (
                &mut samples[node.samples.clone()],
                &mut row_indices[node.rows.clone()],
            );
            let mut rng = StreamRng::seed_from_u64(node.seed);
            let Some(cut) = self.best_cut(samples_here, &mut rng) else {
                let (mean, _) = self.mean(samples_here);
                for row in rows_here {
                    let output = &mut outputs[*row as usize * num_outputs..][..num_outputs];
                    output
                        .iter_mut()
                        .zip(&mean)
                        .for_each(|(output, mean)| *output += mean);
                }
                continue;
            };
            let codes = &self.binned[cut.feature].codes;
            let middle_sample = node.samples.start
                + partition(samples_here, |sample| {
                    codes[sample as usize] <= cut.last_left
                });
            let middle_row = node.rows.start
                + partition(rows_here, |row| {
                    rows[row as usize * num_features + cut.feature] <= cut.threshold
                });
            waiting.push(Node {
                samples: node.samples.start..middle_sample,
                rows: node.rows.start..middle_row,
                seed: rng.next_u64(),
            });
            waiting.push(Node {
                samples: middle_sample..node.samples.end,
                rows: middle_row..node.rows.end,
                seed: rng.next_u64(),
            });
        }
    }

    /// The weighted mean target of the samples, and their weight.
    fn mean(&self, samples: &[u32]) -> (Vec<f64>, f64) {
        let mut mean = vec![0.0; self.training.targets.num_outputs()];
        let mut weight = 0.0;
        for sample in samples {
            let sample = *sample as usize;
            self.training
                .targets
                .add_to(&mut mean, sample, self.weights[sample]);
            weight += self.weights[sample];
        }
        mean.iter_mut().for_each(|sum| *sum /= weight);
        (mean, weight)
    }

    /// The best cut among those of some features in random order; `None` for a leaf, where all targets or all features
    /// are the same.
    ///
    /// At least `num_tried` features are looked at, and more until one can be cut, as in scikit-learn.
    fn best_cut(&mut self, samples: &[u32], rng: &mut StreamRng) -> Option<Cut> {
        if samples
            .iter()
            .all(|sample| self.have_equal_targets(*sample, samples[0]))
        {
            return None;
        }
        let (mean, weight) = self.mean(samples);
        let mut left = Part::new(self.training.targets, &mean);
        // Two samples can be cut in one way only, whatever the feature.
        let num_tried = if samples.len() == 2 {
            1
        } else {
            self.num_tried
        };
        let mut order: Vec<usize> = (0..self.binned.len()).collect();
        let mut best: Option<Cut> = None;
        for tried in 0..order.len() {
            if tried >= num_tried && best.is_some() {
                break;
            }
            order.swap(tried, rng.random_range(tried..self.binned.len()));
            let least = best.as_ref().map_or(f64::NEG_INFINITY, |cut| cut.score);
            best = self
                .best_cut_of(order[tried], samples, &mut left, weight, least)
                .or(best);
        }
        best
    }

    /// The best cut of a feature with a score above `least`; `left` is the left part's scratch space.
    ///
    /// The score is the weighted squared distance of the parts' means from the mean of all samples, up to a factor. The
    /// larger it is, the less squared error is left.
    fn best_cut_of(
        &mut self,
        feature: usize,
        samples: &[u32],
        left: &mut Part,
        weight: f64,
        least: f64,
    ) -> Option<Cut> {
        let binned = &self.binned[feature];
        sort_by_bin(&mut self.sorted, &binned.codes, samples);
        let bin = |item: &u64| (item >> 32) as u8;
        if self.sorted.first().map(bin) == self.sorted.last().map(bin) {
            return None;
        }
        let mut best = None;
        let mut least = least;
        left.clear();
        for pair in self.sorted.windows(2) {
            let sample = pair[0] as u32 as usize;
            left.add(sample, self.weights[sample]);
            if bin(&pair[0]) == bin(&pair[1]) {
                continue;
            }
            // Deviations from the mean sum to 0, so those of the right part are the negative of those of the left.
            let score = left.squares() / (left.weight * (weight - left.weight));
            if score > least {
                least = score;
                best = Some((bin(&pair[0]), bin(&pair[1])));
            }
        }
        best.map(|(last_left, first_right)| Cut {
            feature,
            last_left,
            threshold: binned.threshold(last_left, first_right),
            score: least,
        })
    }

    fn have_equal_targets(&self, a: u32, b: u32) -> bool {
        let (a, b) = (a as usize, b as usize);
        match self.training.targets {
            Targets::Classes { labels, .. } => labels[a] == labels[b],
            Targets::Values {
                values,
                num_targets,
            } => {
                values[a * num_targets..][..num_targets] == values[b * num_targets..][..num_targets]
            }
        }
    }
}

/// The sum of the deviations of some targets from the mean of a node, `Σ w·(y − mean)`.
struct Part<'a> {
    targets: Targets<'a>,
    mean: &'a [f64],
    /// The weight of the samples.
    weight: f64,
    /// For values: the sum of the deviations. For classes: the weight of each class.
    sums: Vec<f64>,
    /// For classes, `Σ count²`, `Σ count·mean` and `Σ mean²`, so that a sample costs the same for any number of
    /// classes.
    count_squares: f64,
    counts_times_mean: f64,
    mean_squares: f64,
}

impl<'a> Part<'a> {
    fn new(targets: Targets<'a>, mean: &'a [f64]) -> Part<'a> {
        Part {
            targets,
            mean,
            weight: 0.0,
            sums: vec![0.0; mean.len()],
            count_squares: 0.0,
            counts_times_mean: 0.0,
            mean_squares: mean.iter().map(|mean| mean * mean).sum(),
        }
    }

    fn clear(&mut self) {
        self.weight = 0.0;
        self.sums.fill(0.0);
        self.count_squares = 0.0;
        self.counts_times_mean = 0.0;
    }

    fn add(&mut self, sample: usize, weight: f64) {
        self.weight += weight;
        match self.targets {
            Targets::Classes { labels, .. } => {
                let class = labels[sample] as usize;
                self.count_squares += (2.0 * self.sums[class] + weight) * weight;
                self.counts_times_mean += weight * self.mean[class];
                self.sums[class] += weight;
            }
            Targets::Values {
                values,
                num_targets,
            } => {
                let values = &values[sample * num_targets..][..num_targets];
                for ((sum, value), mean) in self.sums.iter_mut().zip(values).zip(self.mean) {
                    *sum += weight * (value - mean);
                }
            }
        }
    }

    /// The squared length of the sum of the deviations.
    fn squares(&self) -> f64 {
        match self.targets {
            Targets::Classes { .. } => {
                self.count_squares - 2.0 * self.weight * self.counts_times_mean
                    + self.weight * self.weight * self.mean_squares
            }
            Targets::Values { .. } => self.sums.iter().map(|sum| sum * sum).sum(),
        }
    }
}

/// Fills `sorted` with the samples in the order of their bins, each as `bin << 32 | sample`.
fn sort_by_bin(sorted: &mut Vec<u64>, codes: &[u8], samples: &[u32]) {
    let item = |sample: u32| u64::from(codes[sample as usize]) << 32 | u64::from(sample);
    sorted.clear();
    if samples.len() < COUNTING_SORT_FROM {
        sorted.extend(samples.iter().map(|sample| item(*sample)));
        sorted.sort_unstable();
        return;
    }
    let mut places = [0_u32; 256];
    for sample in samples {
        places[codes[*sample as usize] as usize] += 1;
    }
    let mut next = 0;
    for place in &mut places {
        (*place, next) = (next, next + *place);
    }
    sorted.resize(samples.len(), 0);
    for sample in samples {
        let place = &mut places[codes[*sample as usize] as usize];
        sorted[*place as usize] = item(*sample);
        *place += 1;
    }
}

/// Moves the items for which `is_left` holds to the front, and returns how many they are.
fn partition(items: &mut [u32], is_left: impl Fn(u32) -> bool) -> usize {
    let mut num_left = 0;
    for i in 0..items.len() {
        if is_left(items[i]) {
            items.swap(i, num_left);
            num_left += 1;
        }
    }
    num_left
}
