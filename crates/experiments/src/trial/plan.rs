//! The plan of a comparison: its trials as JSON lines, from which any machine can train one by its index.

use std::path::{Path, PathBuf};

use emberlab_config_source::ConfigSource;
use emberlab_run_format::files::CONFIG;
use emberlab_storage::StorageError;

use crate::config::PlannedTrial;
use crate::error::ExperimentError;
use crate::run::{Run, Verdict, changes};
use crate::trial::continuation::with_defaults;
use crate::trial::{Execution, Resume, Trial};

impl PlannedTrial {
    /// The trials as JSON, one per line, in order.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a number cannot be written as JSON.
    pub fn to_lines(trials: &[Self]) -> Result<String, ExperimentError> {
        let mut text = String::new();
        for trial in trials {
            let line = serde_json::to_string(trial);
            text.push_str(
                &line.map_err(|e| StorageError::io("write", Path::new("the plan"))(e.into()))?,
            );
            text.push('\n');
        }
        Ok(text)
    }

    /// Reads all trials of a plan.
    ///
    /// # Errors
    /// [`ExperimentError::ReadConfig`] if the file cannot be read, [`ExperimentError::Plan`] with the line that is wrong.
    pub fn load(path: &Path) -> Result<Vec<Self>, ExperimentError> {
        let text = ConfigSource::load(path)?.text;
        let lines = text.lines().enumerate();
        let trials = lines.map(|(number, line)| {
            serde_json::from_str(line).map_err(|e| ExperimentError::Plan {
                path: path.to_path_buf(),
                line: number + 1,
                reason: e.to_string(),
            })
        });
        trials.collect()
    }

    /// Its run, if there is one.
    ///
    /// # Errors
    /// [`ExperimentError::ConfigChanged`] if the folder holds a run of another configuration, because results of two
    /// configurations must not be mixed.
    pub fn run(&self, artifacts: &Path) -> Result<Option<Run>, ExperimentError> {
        let Some(run) = Run::at(&self.folder(artifacts)) else {
            return Ok(None);
        };
        let planned = self
            .config
            .to_toml()
            .map_err(|e| run.malformed(CONFIG, e))?;
        let mut changes = changes(&with_defaults(run.source()?.text), &planned, 0)
            .map_err(|e| run.malformed(CONFIG, e))?;
        // When checkpoints are saved does not change the result.
        changes.retain(|change| !change.key.starts_with("checkpoint."));
        if changes.is_empty() {
            return Ok(Some(run));
        }
        for change in &mut changes {
            change.verdict = Verdict::Refused;
        }
        Err(ExperimentError::ConfigChanged {
            run: run.id(),
            changes,
        })
    }

    /// Begins the trial, or resumes it if it has begun; `None` if it is done.
    ///
    /// # Errors
    /// Those of [`Trial::begin`] and [`Trial::resume`].
    pub fn open(
        &self,
        artifacts: &Path,
        execution: Execution,
    ) -> Result<Option<Trial>, ExperimentError> {
        match self.run(artifacts)? {
            Some(run) if run.is_done() => Ok(None),
            Some(run) => Ok(match Trial::resume(run, &[], false, execution)? {
                Resume::Continues(trial, _) => Some(*trial),
                Resume::NothingToDo(_) => None,
            }),
            None => {
                let config = self.config.clone();
                let begun = Trial::begin(config, artifacts, Some(&self.run), execution);
                Ok(Some(begun?.0))
            }
        }
    }

    /// Groups of trials, by their indices, that can be trained in one batched model: the network allows it, and they
    /// differ only in seed and learning rate. `size` is the largest group for a trial.
    pub fn stacks(
        trials: &[Self],
        indices: &[usize],
        size: impl Fn(&Self) -> usize,
    ) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for &index in indices {
            let own = &trials[index].config;
            let can_join = |group: &&mut Vec<usize>| {
                group.len() < size(&trials[group[0]])
                    && own.can_be_batched_with(&trials[group[0]].config)
            };
            match groups.iter_mut().rev().find(can_join) {
                Some(group) => group.push(index),
                None => groups.push(vec![index]),
            }
        }
        groups
    }

    /// The folder of its run.
    pub fn folder(&self, artifacts: &Path) -> PathBuf {
        artifacts.join(&self.experiment).join(&self.run)
    }
}
