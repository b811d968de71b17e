//! Converts between `model.json` and the types of data and training.

use emberlab_datasets::{Standardizer, Targets};
use emberlab_run_format::{ModelFile, ModelTask, Scaling};
use emberlab_training::Task;

use crate::trial::Prepared;

/// The model file of an experiment's network.
pub(crate) fn model_file(prepared: &Prepared) -> ModelFile {
    let class_names = match &prepared.samples.targets {
        Targets::Classes { names, .. } => names.clone(),
        Targets::Values(_) => Vec::new(),
    };
    ModelFile {
        input_shape: prepared.samples.input_shape.clone(),
        feature_names: prepared.samples.feature_names.clone(),
        d_output: prepared.d_output,
        task: match prepared.task {
            Task::Binary { on_logits } => ModelTask::Binary { on_logits },
            Task::Multiclass { num_classes } => ModelTask::Multiclass { num_classes },
            Task::Regression => ModelTask::Regression,
        },
        class_names,
        standardizer: Scaling {
            mean: prepared.standardizer.mean.clone(),
            std: prepared.standardizer.std.clone(),
        },
    }
}

/// The task of a model file.
pub(crate) fn task(model: &ModelFile) -> Task {
    match model.task {
        ModelTask::Binary { on_logits } => Task::Binary { on_logits },
        ModelTask::Multiclass { num_classes } => Task::Multiclass { num_classes },
        ModelTask::Regression => Task::Regression,
    }
}

/// The standardizer of a model file.
pub(crate) fn standardizer(model: &ModelFile) -> Standardizer {
    Standardizer {
        mean: model.standardizer.mean.clone(),
        std: model.standardizer.std.clone(),
    }
}
