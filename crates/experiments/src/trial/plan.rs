//! The trials of a comparison as a file of JSON lines, which any machine can take its own from.

use std::path::{Path, PathBuf};

use emberlab_run_format::files::CONFIG;
use emberlab_storage::StorageError;

use crate::config::PlannedTrial;
use crate::error::ExperimentError;
use crate::run::{Run, Verdict, changes};
use crate::trial::{Execution, Trial};

impl PlannedTrial {
    /// The trials as JSON lines, in order.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a number has no JSON form.
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

    /// Every trial of a plan.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`], or [`ExperimentError::Malformed`] naming the line.
    pub fn load(path: &Path) -> Result<Vec<Self>, ExperimentError> {
        let text = std::fs::read_to_string(path).map_err(StorageError::io("read", path))?;
        let lines = text.lines().enumerate();
        let trials = lines.map(|(number, line)| {
            serde_json::from_str(line).map_err(|e| ExperimentError::Malformed {
                path: path.to_path_buf(),
                reason: format!("line {}: {e}", number + 1),
            })
        });
        trials.collect()
    }

    /// Its run, if it has been begun.
    ///
    /// # Errors
    /// [`ExperimentError::ConfigChanged`] if the folder holds a run of another configuration: results of
    /// two must not be mixed.
    pub fn run(&self, artifacts: &Path) -> Result<Option<Run>, ExperimentError> {
        let Some(run) = Run::at(&self.folder(artifacts)) else {
            return Ok(None);
        };
        let planned = self
            .config
            .to_toml()
            .map_err(|e| run.malformed(CONFIG, e))?;
        let mut changes =
            changes(&run.source()?.text, &planned, 0).map_err(|e| run.malformed(CONFIG, e))?;
        // When it is saved changes nothing of what comes out.
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

    /// The trial, begun or reopened where it was left; none if it is done.
    ///
    /// # Errors
    /// [`ExperimentError`].
    pub fn open(
        &self,
        artifacts: &Path,
        execution: Execution,
    ) -> Result<Option<Trial>, ExperimentError> {
        match self.run(artifacts)? {
            Some(run) if run.is_done() => Ok(None),
            Some(run) => Ok(Some(Trial::reopen(run, &[], false, execution)?.0)),
            None => {
                let config = self.config.clone();
                let begun = Trial::begin(config, artifacts, Some(&self.run), execution);
                Ok(Some(begun?.0))
            }
        }
    }

    /// Trials by their indices, in groups that can train as one program: their networks are multilayer
    /// perceptrons, and they differ in seed and learning rate alone. A group holds at most as many as `size`
    /// says of a trial.
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

    /// Where a report finds it.
    pub fn folder(&self, artifacts: &Path) -> PathBuf {
        artifacts.join(&self.experiment).join(&self.run)
    }
}
