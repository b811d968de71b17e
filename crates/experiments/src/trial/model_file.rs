//! Converts between `model.json` and the types of data and training.

use emberlab_datasets::{Standardizer, Targets};
use emberlab_run_format::{ModelFile, ModelTask, Scaling};
use emberlab_tables::Encoder;
use emberlab_training::Task;

use crate::trial::Prepared;

/// The model file of an experiment's network.
pub(crate) fn model_file(prepared: &Prepared) -> ModelFile {
    let (class_names, target_names) = match &prepared.samples.targets {
        Targets::Classes { names, .. } => (names.clone(), Vec::new()),
        Targets::Values { names, .. } => (Vec::new(), names.clone()),
    };
    ModelFile {
        input_shape: prepared.samples.input_shape.clone(),
        feature_names: prepared.samples.feature_names.clone(),
        d_output: prepared.d_output,
        task: match prepared.task {
            Task::Binary { on_logits } => ModelTask::Binary { on_logits },
            Task::Multiclass { num_classes } => ModelTask::Multiclass { num_classes },
            Task::Regression { on_logs: true, .. } => ModelTask::Counts,
            Task::Regression { on_logs: false, .. } => ModelTask::Regression,
        },
        class_names,
        standardizer: scaling(&prepared.standardizer),
        encoder: prepared.encoder.clone(),
        derived_features: prepared.derived.clone(),
        target_names,
        target_standardizer: match &prepared.task {
            Task::Regression { standardizer, .. } => Some(scaling(standardizer)),
            Task::Binary { .. } | Task::Multiclass { .. } => None,
        },
    }
}

/// The task of a model file.
pub(crate) fn task(model: &ModelFile) -> Task {
    match model.task {
        ModelTask::Binary { on_logits } => Task::Binary { on_logits },
        ModelTask::Multiclass { num_classes } => Task::Multiclass { num_classes },
        ModelTask::Regression | ModelTask::Counts => Task::Regression {
            on_logs: model.task == ModelTask::Counts,
            standardizer: match &model.target_standardizer {
                Some(scaling) => of_scaling(scaling),
                None => Standardizer::identity(),
            },
        },
    }
}

/// The standardiser of a model file.
pub(crate) fn standardizer(model: &ModelFile) -> Standardizer {
    of_scaling(&model.standardizer)
}

/// The encoder of a model file: that of its table, or one for columns of plain numbers.
pub(crate) fn encoder(model: &ModelFile) -> Encoder {
    match &model.encoder {
        Some(encoder) => encoder.clone(),
        None => {
            let num_features = model.input_shape.iter().product();
            match &model.derived_features {
                Some(derived) => Encoder::of_numbers(derived.columns(), derived.columns().len()),
                None => Encoder::of_numbers(&model.feature_names, num_features),
            }
        }
    }
}

fn scaling(standardizer: &Standardizer) -> Scaling {
    Scaling {
        mean: standardizer.mean.clone(),
        std: standardizer.std.clone(),
    }
}

fn of_scaling(scaling: &Scaling) -> Standardizer {
    Standardizer {
        mean: scaling.mean.clone(),
        std: scaling.std.clone(),
    }
}
