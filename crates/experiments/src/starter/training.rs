//! Splits, network, loss and optimiser for the size of the data.

use emberlab_datasets::{
    Amount, BatchSize, DatasetConfig, SplitConfig, SplitMethod, Standardize, StandardizeConfig,
};
use emberlab_models::{MlpConfig, ModelConfig};
use emberlab_training::loss::{BceWithLogits, CrossEntropy, Mse};
use emberlab_training::optimizer::AdamW;
use emberlab_training::{
    CheckpointConfig, EarlyStopping, EngineConfig, LossConfig, Objective, OptimizerConfig,
    Precision, SchedulerConfig, TrainMetrics, TrainingConfig, UpdateRule,
};

use super::comments::Comments;
use crate::config::ExperimentConfig;

/// From this number of rows on, there is a test split.
const ROWS_FOR_TEST: u64 = 50;

/// From this number of rows on, 15 % are enough for validation and for testing.
const ROWS_FOR_SMALL_SHARES: u64 = 200;

/// The numbers of rows from which on batches are larger, and their sizes. Fewer rows are one batch.
const BATCH_SIZES: [(u64, usize); 5] = [
    (50, 16),
    (500, 32),
    (5_000, 64),
    (20_000, 128),
    (200_000, 1024),
];

/// Below this number of rows weights decay strongly. Of 0.01, 0.3 and 1, 0.3 gave the best median test scores on seven
/// public tables of up to 2000 rows; on one of 20,000 rows it was worse than 0.01.
const ROWS_WITHOUT_STRONG_DECAY: u64 = 3_000;

/// The weight decay for tables of few rows.
const STRONG_DECAY: f64 = 0.3;

/// The target of the training.
pub(super) enum Learnt {
    /// Classes.
    Classes {
        /// How many there are.
        count: u64,
        /// The number of rows of each in the order of the classes; empty if there are too many to count.
        rows: Vec<u64>,
    },
    /// Numbers.
    Numbers,
}

impl Learnt {
    /// The number of rows of the rarest class.
    fn rarest(&self) -> Option<u64> {
        match self {
            Self::Classes { rows, .. } => rows.iter().copied().min(),
            Self::Numbers => None,
        }
    }
}

/// The whole experiment around a data set of `rows` rows.
pub(super) fn experiment(
    name: String,
    dataset: DatasetConfig,
    model: ModelConfig,
    learnt: &Learnt,
    rows: u64,
    comments: &mut Comments,
) -> ExperimentConfig {
    comments.above(&["seed"], "Everything random follows from the seed: the splits, the first weights, the order of the rows.");
    let split = split(learnt, rows, comments);
    let is_regression = matches!(learnt, Learnt::Numbers);
    comments.above(
        &["standardize"],
        match is_regression {
            false => "Each feature gets mean 0 and standard deviation 1, from the training rows.",
            true => {
                "Each feature and the label get mean 0 and standard deviation 1, from the training rows. Metrics \
                 and predictions are in the units of the data all the same."
            }
        },
    );
    comments.above(
        &["model"],
        "A small network. Compare others with `emberlab compare` and a table `[sweep]`.",
    );
    ExperimentConfig {
        name,
        seed: 0,
        features: None,
        dataset,
        split,
        standardize: StandardizeConfig {
            method: Standardize::PerFeature,
            targets: is_regression,
            ..StandardizeConfig::default()
        },
        model,
        loss: loss(learnt, comments),
        optimizer: OptimizerConfig {
            rule: rule(rows, comments),
            learning_rate: 0.003,
        },
        scheduler: SchedulerConfig::default(),
        training: training(rows, comments),
        checkpoint: CheckpointConfig::default(),
        inspect: None,
        seeds: None,
        num_folds: None,
        sweep: None,
        variants: Vec::new(),
        target: None,
        at_epochs: Vec::new(),
    }
}

/// The update rule, whose weight decay keeps a network from learning few rows by heart.
fn rule(rows: u64, comments: &mut Comments) -> UpdateRule {
    if rows >= ROWS_WITHOUT_STRONG_DECAY {
        return AdamW::default().into();
    }
    let remark = "strong, because there are few rows; 0.01 is the usual value";
    comments.beside(&["optimizer", "weight_decay"], remark);
    AdamW {
        weight_decay: STRONG_DECAY,
        ..AdamW::default()
    }
    .into()
}

/// The network for a table.
pub(super) fn mlp() -> ModelConfig {
    MlpConfig {
        hidden: vec![32],
        ..MlpConfig::default()
    }
    .into()
}

fn split(learnt: &Learnt, rows: u64, comments: &mut Comments) -> SplitConfig {
    let [train, valid, test] = match rows {
        ROWS_FOR_SMALL_SHARES.. => [0.7, 0.15, 0.15],
        ROWS_FOR_TEST.. => [0.6, 0.2, 0.2],
        _ => [0.7, 0.3, 0.0],
    };
    let amount = |share: f64| match share {
        0.0 => Amount::Rows(0),
        _ => Amount::Fraction(share),
    };
    // Rounded as splits are, which are filled from the last one on.
    let up = |share: f64| (rows as f64 * share - 1e-9).ceil() as u64;
    let [test_rows, held_out] = [up(test), up(valid + test)];
    let sizes = [rows - held_out.min(rows), held_out - test_rows, test_rows];
    let can_be_stratified = match learnt {
        Learnt::Classes { count, .. } => {
            let mut sizes = sizes.iter().filter(|&&size| size > 0);
            sizes.all(|size| size >= count)
        }
        Learnt::Numbers => false,
    };
    let is_rare = learnt.rarest().is_some_and(|rows| rows < 3);
    let purpose = match test {
        0.0 => {
            "Validation decides when the training stops. There are too few rows for a test split."
        }
        _ => {
            "Validation decides when the training stops; the test split decides nothing, so its score is what new \
             rows can expect."
        }
    };
    comments.above(
        &["split"],
        match can_be_stratified {
            true if is_rare => format!(
                "{purpose} Each split has the same shares of the classes, as far as the few rows of the rarest class allow."
            ),
            true => format!("{purpose} Each split has the same shares of the classes."),
            false => purpose.to_owned(),
        },
    );
    SplitConfig {
        method: match can_be_stratified {
            true => SplitMethod::Stratified,
            false => SplitMethod::Random,
        },
        train: Some(amount(train)),
        valid: amount(valid),
        test: amount(test),
        fold: None,
    }
}

fn loss(learnt: &Learnt, comments: &mut Comments) -> LossConfig {
    let Learnt::Classes { count, rows } = learnt else {
        return LossConfig::mean(Mse {});
    };
    let largest = rows.iter().copied().max().unwrap_or(0);
    let rarest = learnt.rarest().unwrap_or(0);
    let is_imbalanced = largest > 4 * rarest;
    match count {
        2 => {
            if is_imbalanced {
                let total: u64 = rows.iter().sum();
                comments.above(&["loss"], format!(
                    "The rarer class has {:.1} % of the rows, so look at recall and F1 beside accuracy, and let \
                     `emberlab evaluate --threshold-by f1` choose the threshold. `class_weights = \"balanced\"` in \
                     [training] makes both classes count the same.",
                    100.0 * rarest as f64 / total.max(1) as f64,
                ));
            }
            LossConfig::mean(BceWithLogits::default())
        }
        _ => {
            if is_imbalanced {
                comments.above(&["loss"], format!(
                    "The largest class has {largest} rows, the smallest {rarest}: look at recall and F1 beside \
                     accuracy. `class_weights = \"balanced\"` in [training] makes all classes count the same."
                ));
            }
            LossConfig::mean(CrossEntropy::default())
        }
    }
}

fn training(rows: u64, comments: &mut Comments) -> TrainingConfig {
    let fitting = BATCH_SIZES.iter().rev().find(|(from, _)| rows >= *from);
    let batch_size = match fitting {
        Some(&(_, size)) => BatchSize::Size(size),
        None => BatchSize::Full,
    };
    comments.beside(&["training", "batch_size"], "rows for each step");
    comments.above(
        &["training", "early_stopping"],
        "Stop when the validation loss has not improved for this many epochs. The network of the best epoch is kept too: \
         `--weights best`.",
    );
    TrainingConfig {
        num_epochs: 300,
        batch_size,
        drop_last: false,
        shuffle: true,
        precision: Precision::F32,
        gradient_clipping: None,
        gradient_noise: None,
        penalty: None,
        max_norm: None,
        average: None,
        early_stopping: Some(EarlyStopping {
            patience: 20,
            min_delta: 0.0,
        }),
        objective: Objective::default(),
        train_metrics: TrainMetrics::default(),
        thresholds: Vec::new(),
        metrics: Vec::new(),
        class_weights: None,
        augmentation: None,
        engine: EngineConfig::default(),
    }
}
