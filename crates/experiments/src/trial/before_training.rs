//! Checks before a training: data that no network can learn from are refused, and settings that are often a mistake get
//! a warning.

use std::path::PathBuf;

use emberlab_analysis::findings_before_training;
use emberlab_datasets::{BatchSize, Samples, SplitMethod, Targets};
use emberlab_menu::Problem;
use emberlab_run_format::Finding;
use emberlab_training::loss::OutputKind;

use super::Prepared;
use crate::config::{ExperimentConfig, Target};
use crate::error::ExperimentError;

impl Prepared {
    /// Loads an experiment as [`load`](Self::load) does, and refuses it if a training of it can learn nothing.
    ///
    /// # Errors
    /// All of [`load`](Self::load); [`ExperimentError::Config`] if the training rows have only one class, if batch
    /// normalisation gets batches of one row, or if an optimiser that searches along lines would not find the same loss
    /// again.
    pub fn for_training(
        config: ExperimentConfig,
        data_dirs: &[PathBuf],
    ) -> Result<Self, ExperimentError> {
        Self::for_comparison(config, None, data_dirs)
    }

    /// The same for a trial of a comparison, whose target has to have a metric of the task.
    ///
    /// # Errors
    /// As [`for_training`](Self::for_training).
    pub fn for_comparison(
        config: ExperimentConfig,
        target: Option<Target>,
        data_dirs: &[PathBuf],
    ) -> Result<Self, ExperimentError> {
        let prepared = Self::unchecked(config, data_dirs)?;
        if let Some(target) = target {
            // Before the metrics of the training, among which it is.
            prepared.check_metric("target.metric", target.metric)?;
        }
        let prepared = prepared.checked()?;
        prepared.check_trainable()?;
        Ok(prepared)
    }

    /// Checks that a training can learn something.
    ///
    /// # Errors
    /// See [`for_training`](Self::for_training).
    pub(super) fn check_trainable(&self) -> Result<(), Problem> {
        check_classes(&self.samples)?;
        check_targets(&self.samples)?;
        self.check_training_classes()?;
        self.check_batches()?;
        self.check_normalization()?;
        self.check_line_search()
    }

    /// Checks that the training rows have more than one class.
    fn check_training_classes(&self) -> Result<(), Problem> {
        let (Some(labels), Some(names)) = (self.samples.labels(), self.samples.class_names())
        else {
            return Ok(());
        };
        let mut classes = self.splits.train.iter().map(|&row| labels[row as usize]);
        let Some(first) = classes.next() else {
            return Ok(());
        };
        if classes.any(|class| class != first) {
            return Ok(());
        }
        let splits = [&self.splits.train, &self.splits.valid, &self.splits.test];
        let mut filled = splits.iter().filter(|split| !split.is_empty());
        let can_be_stratified = self.config.split.method != SplitMethod::Stratified
            && (self.config.dataset.table()).is_none_or(|table| table.group.is_none())
            && filled.all(|split| split.len() >= names.len());
        let expected = match can_be_stratified {
            true => {
                "training rows of at least two classes, as `split.method = \"stratified\"` gives"
            }
            false => {
                "training rows of at least two classes: take more rows, or give fewer to `split.valid` and `split.test`"
            }
        };
        Err(Problem::new(
            "split",
            format!(
                "a training split of {} rows of one class, {:?}",
                self.splits.train.len(),
                names[first as usize]
            ),
            expected,
        ))
    }

    /// Checks that batch normalisation gets more than one row in a batch.
    fn check_batches(&self) -> Result<(), Problem> {
        let batch_size = self.config.training.batch_size;
        let is_one = match batch_size {
            BatchSize::Full => self.splits.train.len() == 1,
            BatchSize::Size(size) => size == 1,
        };
        Problem::unless(
            !(is_one && self.config.model.compares_rows()),
            "training.batch_size",
            batch_size,
            "at least 2 rows with batch normalisation, because the deviation of one row is 0",
        )
    }

    /// Checks that a normalisation of samples gets more than one value at a time.
    fn check_normalization(&self) -> Result<(), Problem> {
        Problem::unless(
            !self.config.model.normalizes_single_values(),
            "model.normalization",
            "of one value at a time",
            "one of at least two, because a single value always becomes 0: larger layers, fewer groups, or another normalisation",
        )
    }

    /// Checks that an optimiser that searches along lines finds the same loss whenever it evaluates it.
    fn check_line_search(&self) -> Result<(), Problem> {
        let ExperimentConfig {
            optimizer,
            model,
            training,
            ..
        } = &self.config;
        if !optimizer.rule.searches() {
            return Ok(());
        }
        let name = optimizer.rule.name();
        let is_full = match training.batch_size {
            BatchSize::Full => true,
            BatchSize::Size(size) => size >= self.splits.train.len(),
        };
        let because =
            format!("because `{name}` compares losses of the same rows; or another optimiser");
        let full = format!("\"full\", {because}");
        Problem::unless(is_full, "training.batch_size", training.batch_size, full)?;
        for (key, is_there) in [
            ("model.dropout", model.drops_units()),
            ("training.gradient_noise", training.gradient_noise.is_some()),
            (
                "training.gradient_clipping",
                training.gradient_clipping.is_some(),
            ),
            ("training.penalty", training.penalty.is_some()),
            ("training.max_norm", training.max_norm.is_some()),
            ("training.augmentation", training.augmentation.is_some()),
        ] {
            let none =
                format!("nothing, because `{name}` follows the loss alone; or another optimiser");
            Problem::unless(!is_there, key, "given", none)?;
        }
        Ok(())
    }

    /// The findings about the data before a training. Every row is read, which takes a while for many rows.
    pub(super) fn findings(&self) -> Vec<Finding> {
        findings_before_training(self.observed_data())
    }

    /// Sentences about settings and data that are allowed but often a mistake.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings_about(&self.findings())
    }

    /// The [`warnings`](Self::warnings), for findings that are already known.
    pub(super) fn warnings_about(&self, findings: &[Finding]) -> Vec<String> {
        let mut warnings: Vec<String> = findings
            .iter()
            .map(|found| match found.remedies.first() {
                Some(remedy) => format!("{}; try {remedy}", found.summary),
                None => found.summary.clone(),
            })
            .collect();
        if self.splits.valid.is_empty() && self.config.training.early_stopping.is_some() {
            warnings.push(
                "there is no validation split: early stopping uses the training split".to_string(),
            );
        }
        warnings.extend(self.warning_about_outputs());
        warnings.extend(self.notes.iter().cloned());
        warnings
    }

    /// A sentence about outputs that the loss is not written for.
    fn warning_about_outputs(&self) -> Option<String> {
        let activation = self.config.model.output_activation();
        let (loss, name) = (self.config.loss.name(), activation.name());
        let is_probability = ["sigmoid", "softmax"].contains(&name);
        match self.config.loss.function.outputs() {
            OutputKind::Probabilities if !is_probability => Some(format!(
                "`{loss}` compares probabilities, but nothing keeps the outputs between 0 and 1; try \
                 `model.output_activation = \"sigmoid\"`, or a loss of logits such as `bce_with_logits`"
            )),
            OutputKind::Logit | OutputKind::ClassLogits if !activation.is_identity() => {
                Some(format!(
                    "`{loss}` makes probabilities of the outputs itself, but they go through `{name}` before; try \
                     `model.output_activation = \"linear\"`"
                ))
            }
            _ => None,
        }
    }
}

/// Checks that samples with classes have more than one.
pub(super) fn check_classes(samples: &Samples) -> Result<(), Problem> {
    let Some([name]) = samples.class_names() else {
        return Ok(());
    };
    Err(Problem::new(
        "dataset",
        format!("{} rows of one class, {name:?}", samples.len()),
        "at least two classes, because there is nothing else to learn",
    ))
}

/// Checks that each target of a regression has more than one value.
fn check_targets(samples: &Samples) -> Result<(), Problem> {
    let Targets::Values { values, names } = &samples.targets else {
        return Ok(());
    };
    for (target, name) in names.iter().enumerate() {
        let mut of_rows = values.iter().skip(target).step_by(names.len());
        let Some(first) = of_rows.next() else {
            return Ok(());
        };
        Problem::unless(
            samples.len() == 1 || of_rows.any(|value| value != first),
            "dataset",
            format!("{} rows whose {name:?} is {first:?}", samples.len()),
            "a target with at least two values, because there is nothing else to learn",
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use emberlab_config_source::ConfigSource;

    use super::*;

    fn refusal(model: &str, training: &str) -> Option<String> {
        let text = format!(
            r#"
            dataset = {{ name = "moons", num_samples = 40 }}
            split = {{ train = 0.5, valid = 0.5 }}
            model = {{ name = "mlp", hidden = [4], {model} }}
            loss = {{ name = "bce_with_logits" }}
            optimizer = {{ name = "lbfgs", learning_rate = 1.0 }}
            training = {{ num_epochs = 1, {training} }}
            "#
        );
        let source = ConfigSource::new("moons.toml", text);
        let config = ExperimentConfig::from_source(&source).unwrap();
        let prepared = Prepared::for_training(config, &[]);
        prepared.err().map(|error| error.to_string())
    }

    /// The refusal of a table whose `label` is learnt, with these keys of its split.
    fn refusal_of_table(table: &str, label: &str, split: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, table).unwrap();
        let loss = match label.contains("task") {
            true => "mse",
            false => "bce_with_logits",
        };
        let text = format!(
            r#"
            dataset = {{ name = "csv", path = {path:?}, label = {label} }}
            split = {{ {split} }}
            model = {{ name = "mlp", hidden = [4] }}
            loss = {{ name = "{loss}" }}
            optimizer = {{ name = "sgd", learning_rate = 0.1 }}
            training = {{ num_epochs = 1, batch_size = "full" }}
            "#
        );
        let source = ConfigSource::new("t.toml", text);
        let config = ExperimentConfig::from_source(&source).unwrap();
        let prepared = Prepared::for_training(config, &[]);
        prepared.err().map(|error| error.to_string())
    }

    #[test]
    fn a_target_of_one_value_is_refused_like_a_label_of_one_class() {
        let table = "x,y,z\n1,5,1\n2,5,2\n3,5,3\n4,5,4\n";
        let label = "[\"z\", \"y\"], task = \"regression\"";
        let found = refusal_of_table(table, label, "valid = 1").unwrap();
        let expected = "4 rows whose \"y\" is 5.0, expected a target with at least two values";
        assert!(found.contains(expected), "{found}");
        let label = "\"z\", task = \"regression\"";
        assert_eq!(refusal_of_table(table, label, "valid = 1"), None);
    }

    #[test]
    fn stratified_splits_are_advised_only_where_they_train() {
        let table = "x,y\n1,a\n2,b\n";
        let found = refusal_of_table(table, "\"y\"", "valid = 1").unwrap();
        assert!(found.contains("take more rows"), "{found}");
        let many = format!("x,y\n{}1,b\n", "1,a\n".repeat(9));
        let split = "method = \"sequential\", valid = 2";
        let found = refusal_of_table(&many, "\"y\"", split).unwrap();
        assert!(
            found.contains("as `split.method = \"stratified\"` gives"),
            "{found}"
        );
        assert_eq!(
            refusal_of_table(&many, "\"y\"", "method = \"stratified\", valid = 2"),
            None
        );
    }

    #[test]
    fn lbfgs_takes_whole_data_and_a_loss_that_stays_the_same() {
        assert_eq!(refusal("", "batch_size = \"full\""), None);
        assert_eq!(refusal("", "batch_size = 20"), None);
        let expected = "`training.batch_size` is 19, expected \"full\", because `lbfgs` compares losses of the same rows";
        let found = refusal("", "batch_size = 19").unwrap();
        assert!(found.contains(expected), "{found}");
        for (model, training, key) in [
            ("dropout = 0.2", "", "model.dropout"),
            (
                "",
                "gradient_noise = { std = 0.1 }",
                "training.gradient_noise",
            ),
            (
                "",
                "gradient_clipping = { norm = 1.0 }",
                "training.gradient_clipping",
            ),
            ("", "penalty = { l2 = 0.1 }", "training.penalty"),
            ("", "max_norm = 1.0", "training.max_norm"),
        ] {
            let found = refusal(model, &format!("batch_size = \"full\", {training}")).unwrap();
            let expected = format!("`{key}` is given, expected nothing, because `lbfgs`");
            assert!(found.contains(&expected), "{found}");
        }
    }
}
