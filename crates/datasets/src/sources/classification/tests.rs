#![allow(clippy::unwrap_used)]

use super::*;

fn two_informative() -> Classification {
    Classification {
        num_features: 2,
        num_redundant: 0,
        flip_y: 0.0,
        ..Classification::default()
    }
}

/// Mean over `runs` data sets of: mean, standard deviation and mean square of all features, mean label.
fn averages(config: &Classification, runs: u64) -> [f64; 4] {
    let mut sums = [0.0; 4];
    for seed in 0..runs {
        let samples = config.load(&[], seed).unwrap();
        let xs: Vec<f64> = (0..samples.len()).flat_map(|i| samples.row(i)).collect();
        let mean = xs.iter().sum::<f64>() / xs.len() as f64;
        let square = xs.iter().map(|x| x * x).sum::<f64>() / xs.len() as f64;
        let labels = samples.labels().unwrap();
        let label = f64::from(labels.iter().sum::<u32>()) / labels.len() as f64;
        let found = [mean, (square - mean * mean).sqrt(), square, label];
        for (sum, x) in sums.iter_mut().zip(found) {
            *sum += x / runs as f64;
        }
    }
    sums
}

fn assert_near(found: [f64; 4], expected: [f64; 4], tolerance: [f64; 4]) {
    let near = (0..4).all(|i| (found[i] - expected[i]).abs() < tolerance[i]);
    assert!(near, "{found:?} is not {expected:?} within {tolerance:?}");
}

// Expected averages: sklearn.datasets.make_classification over 400 random states; the tolerances are
// five standard errors of our mean (200 runs) and of theirs together.
#[test]
fn moments_equal_scikit_learn_for_two_features() {
    let config = Classification {
        flip_y: 0.1,
        class_sep: 0.9,
        ..two_informative()
    };
    assert_near(
        averages(&config, 200),
        [0.0, 1.2111, 1.4714, 0.5],
        [0.008, 0.028, 0.067, 0.0032],
    );
}

#[test]
fn moments_equal_scikit_learn_for_the_defaults() {
    let config = Classification {
        num_samples: 500,
        ..Classification::default()
    };
    assert_near(
        averages(&config, 200),
        [0.0, 1.0382, 1.0788, 0.5],
        [0.004, 0.0125, 0.026, 0.0014],
    );
}

#[test]
fn moments_equal_scikit_learn_off_the_corners_with_weights() {
    let config = Classification {
        num_samples: 500,
        num_features: 6,
        num_informative: 3,
        num_repeated: 1,
        num_classes: 3,
        num_clusters_per_class: 1,
        weights: Some(vec![0.6, 0.3]),
        flip_y: 0.0,
        class_sep: 2.0,
        hypercube: false,
        ..Classification::default()
    };
    assert_near(
        averages(&config, 200),
        [0.0, 1.1620, 1.4351, 0.5],
        [0.09, 0.09, 0.23, 1e-9],
    );
}

#[test]
fn random_shift_and_scale_have_the_moments_of_scikit_learn() {
    let config = Classification {
        num_samples: 500,
        num_features: 6,
        num_informative: 3,
        num_repeated: 1,
        num_classes: 3,
        weights: Some(vec![0.6, 0.3]),
        class_sep: 2.0,
        hypercube: false,
        shift: PerFeature::Random(RandomPerFeature::Random),
        scale: PerFeature::Random(RandomPerFeature::Random),
        ..Classification::default()
    };
    assert_near(
        averages(&config, 200),
        [-1.0, 89.72, 9418.0, 0.505],
        [13.0, 9.5, 1950.0, 0.0024],
    );
}

#[test]
fn all_corners_come_in_counting_order_so_that_one_feature_separates_two_classes() {
    let config = Classification {
        num_samples: 400,
        class_sep: 1000.0,
        shuffle: false,
        ..two_informative()
    };
    let samples = config.load(&[], 3).unwrap();
    // make_classification(400, 2, n_informative=2, n_redundant=0, flip_y=0, class_sep=1000,
    // shuffle=False): the corners (-,-), (-,+), (+,-), (+,+) with the classes 0, 1, 0, 1.
    for (k, corner) in [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]
        .iter()
        .enumerate()
    {
        for i in [k * 100, k * 100 + 99] {
            let signs: Vec<f64> = samples.row(i).iter().map(|x| x.signum()).collect();
            assert_eq!(signs, corner);
            assert_eq!(samples.labels().unwrap()[i], k as u32 % 2);
        }
    }
}

#[test]
fn corners_are_different_also_beyond_thirty_dimensions() {
    let rng = &mut stream(0, "test", &[]);
    for (count, dimensions) in [(4, 2), (127, 7), (128, 7), (5, 4), (100, 40)] {
        let corners = corners(count, dimensions, rng);
        assert!(corners.iter().all(|corner| corner.len() == dimensions));
        assert_eq!(corners.iter().collect::<HashSet<_>>().len(), count);
    }
}

#[test]
fn weights_give_the_class_counts_of_scikit_learn() {
    let config = Classification {
        num_samples: 1001,
        num_features: 4,
        num_informative: 3,
        num_redundant: 0,
        num_classes: 3,
        weights: Some(vec![0.5, 0.3]),
        flip_y: 0.0,
        ..Classification::default()
    };
    let samples = config.load(&[], 0).unwrap();
    let counts: Vec<_> = samples.summary().classes.iter().map(|c| c.count).collect();
    // np.bincount(make_classification(1001, 4, n_informative=3, n_redundant=0, n_classes=3,
    //                                 weights=[.5, .3], flip_y=0)[1])
    assert_eq!(counts, [501, 300, 200]);
}

#[test]
fn repeated_features_equal_others_and_redundant_ones_are_combinations() {
    let config = Classification {
        num_samples: 20,
        num_features: 5,
        num_redundant: 1,
        num_repeated: 1,
        shuffle: false,
        ..Classification::default()
    };
    let samples = config.load(&[], 0).unwrap();
    assert_eq!(
        samples.feature_names,
        [
            "informative 1",
            "informative 2",
            "redundant 1",
            "repeated 1",
            "random 1"
        ]
    );
    let rows: Vec<_> = (0..20).map(|i| samples.row(i)).collect();
    assert!((0..3).any(|j| rows.iter().all(|row| row[3] == row[j])));
    // Three rows of (informative, informative, redundant) have no volume.
    let [a, b, c] = [0, 7, 13].map(|i: usize| [rows[i][0], rows[i][1], rows[i][2]].map(f64::from));
    let volume = a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0])
        + a[2] * (b[0] * c[1] - b[1] * c[0]);
    assert!(volume.abs() < 1e-5, "{volume}");
}

#[test]
fn impossible_counts_name_the_key() {
    let few_corners = Classification {
        num_classes: 3,
        ..Classification::default()
    };
    let few_corners = few_corners.validate().unwrap_err();
    assert_eq!(
        few_corners.to_string(),
        "`num_clusters_per_class` is 2, expected at least 1, and num_classes * num_clusters_per_class \
         at most 2^num_informative = 4 (num_classes = 3)"
    );
    let too_wide = Classification {
        num_features: 3,
        ..Classification::default()
    };
    assert_eq!(too_wide.validate().unwrap_err().key, "num_redundant");
    let heavy = Classification {
        weights: Some(vec![0.9, 0.3]),
        ..Classification::default()
    };
    assert_eq!(heavy.validate().unwrap_err().key, "weights");
    let short = Classification {
        shift: PerFeature::Each(vec![1.0]),
        ..Classification::default()
    };
    assert_eq!(short.validate().unwrap_err().key, "shift");
}
