//! Records of layers change no bit of a training, and are the same by either engine.

use std::sync::{Arc, Mutex};

use emberlab_datasets::Batch;
use emberlab_run_format::LayerRow;
use serde_json::json;

use super::testing::{ENGINES, Settings, weights};
use crate::inspection::{InspectConfig, InspectEvery, LayerRecord, Probe};
use crate::{EpochRecord, Observer, Trainer, TrainingError, TrainingResult};

/// Keeps the records of a training.
#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<LayerRecord>>>);

impl Observer for Records {
    fn epoch_ended(&mut self, _: &EpochRecord) -> Result<(), TrainingError> {
        Ok(())
    }

    fn inspected(&mut self, record: &LayerRecord) -> Result<(), TrainingError> {
        self.0.lock().expect("no panic").push(record.clone());
        Ok(())
    }
}

impl Records {
    fn rows(&self) -> Vec<LayerRow> {
        let records = self.0.lock().expect("no panic");
        records.iter().flat_map(|one| one.rows.clone()).collect()
    }

    /// The steps of the records, and whether they have pictures.
    fn steps(&self) -> Vec<(u64, bool)> {
        let records = self.0.lock().expect("no panic");
        let step = |one: &LayerRecord| (one.rows[0].step, one.frame.is_some());
        records.iter().map(step).collect()
    }
}

/// Trainings of some seeds at once, with records.
fn recorded(
    settings: &Settings,
    every: InspectEvery,
    seeds: &[u64],
) -> (Vec<TrainingResult>, Vec<Records>) {
    let mut all = Vec::new();
    let trainers = seeds.iter().map(|&seed| {
        let trainer = settings.trainer(seed, 0.1);
        let valid = trainer.data.valid.clone().expect("rows");
        let own = Records::default();
        all.push(own.clone());
        let probe = Probe {
            config: InspectConfig { every },
            batch: Batch::all(&valid),
            grid: None,
            image: None,
        };
        let trainer = Trainer {
            probe: Some(probe),
            observer: Box::new(own),
            ..trainer
        };
        (trainer, None)
    });
    let trainers: Vec<_> = trainers.collect();
    let (results, _) = Trainer::run_all(trainers).expect("trainings");
    (results, all)
}

/// Batch norm, momentum and a short last batch: 4 steps per epoch, 12 in all.
fn settings() -> Settings {
    Settings {
        model: json!({ "name": "mlp", "hidden": [6, 4], "normalization": "batch" }),
        optimizer: json!({ "name": "sgd", "learning_rate": 0.1, "momentum": 0.9 }),
        ..Settings::default()
    }
}

#[test]
fn records_of_layers_change_no_bit_of_a_training_by_either_engine_alone_or_in_a_stack() {
    for engine in ENGINES {
        let settings = settings().by(engine);
        for seeds in [&[1][..], &[1, 2, 5]] {
            let trials: Vec<(u64, f64)> = seeds.iter().map(|&seed| (seed, 0.1)).collect();
            let plain = settings.together(&trials);
            for every in [
                InspectEvery::Steps(1),
                InspectEvery::Steps(5),
                InspectEvery::Epochs(2),
            ] {
                let (results, _) = recorded(&settings, every, seeds);
                for (with, without) in results.iter().zip(&plain) {
                    let found = weights(&with.network);
                    assert_eq!(found, weights(&without.network), "{engine}, {every:?}");
                }
            }
        }
    }
}

#[test]
fn records_are_made_before_the_first_step_at_each_distance_and_after_the_last_step() {
    for engine in ENGINES {
        let settings = settings().by(engine);
        let (_, records) = recorded(&settings, InspectEvery::Steps(5), &[1, 2]);
        let steps = [(0, true), (5, true), (10, true), (12, true)];
        assert!(records.iter().all(|one| one.steps() == steps), "{engine}");
        let (_, records) = recorded(&settings, InspectEvery::Epochs(2), &[1]);
        assert_eq!(records[0].steps(), [(0, true), (8, true), (12, true)]);
        let rows = records[0].rows();
        let epochs: Vec<f64> = rows.iter().step_by(3).map(|row| row.epoch).collect();
        assert_eq!(epochs, [0.0, 2.0, 3.0]);
        let layers: Vec<&str> = rows[..3].iter().map(|row| row.layer.as_str()).collect();
        assert_eq!(layers, ["layers.0", "layers.1", "layers.2"]);
        assert!(rows[..3].iter().all(|row| row.update_norm.is_nan()));
        assert!(rows[3..].iter().all(|row| row.update_norm > 0.0));
    }
}

#[test]
fn an_end_that_comes_early_is_recorded_too() {
    let settings = Settings {
        training: json!({
            "num_epochs": 30, "batch_size": 4,
            "early_stopping": { "patience": 3, "min_delta": 10.0 },
        }),
        ..settings()
    };
    let (results, records) = recorded(&settings, InspectEvery::Epochs(10), &[1]);
    assert_eq!(results[0].epoch, 4);
    assert_eq!(records[0].steps(), [(0, true), (16, true)]);
}

#[test]
fn both_engines_record_the_same_up_to_rounding() {
    let by = |engine| {
        let (_, records) = recorded(&settings().by(engine), InspectEvery::Steps(5), &[1]);
        records[0].rows()
    };
    let (operations, fused) = (by("burn"), by("auto"));
    assert_eq!(operations.len(), fused.len());
    for (a, b) in operations.iter().zip(&fused) {
        let numbers = |row: &LayerRow| {
            [
                row.activation_mean,
                row.activation_std,
                row.weight_norm,
                row.gradient_norm,
                row.update_norm,
            ]
        };
        for (a, b) in numbers(a).into_iter().zip(numbers(b)) {
            assert!(
                (a - b).abs() < 1e-11 || a.is_nan() && b.is_nan(),
                "{a}, {b}"
            );
        }
    }
}
