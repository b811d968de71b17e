//! The plan of a comparison: its trials as JSON lines, from which any machine can train one by its index.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use emberlab_config_source::ConfigSource;
use emberlab_run_format::files::CONFIG;
use emberlab_storage::{Batch, StorageError};

use crate::config::PlannedTrial;
use crate::error::ExperimentError;
use crate::run::{Run, Verdict, changes};
use crate::trial::begin::NewTrial;
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

    /// Reads the trials of a plan with these indices. Other lines are not looked at, as each of many jobs reads the plan.
    ///
    /// # Errors
    /// [`ExperimentError::ReadConfig`] if the file cannot be read, [`ExperimentError::NotInPlan`] for an index that it
    /// does not have, [`ExperimentError::Plan`] with the line that is wrong.
    pub fn load(path: &Path, indices: &[usize]) -> Result<Vec<Self>, ExperimentError> {
        let text = ConfigSource::load(path)?.text;
        let lines: Vec<&str> = text.lines().collect();
        let trial = |&index: &usize| {
            let line = lines.get(index).ok_or_else(|| ExperimentError::NotInPlan {
                path: path.to_path_buf(),
                index,
                num_trials: lines.len(),
            })?;
            serde_json::from_str(line).map_err(|e| ExperimentError::Plan {
                path: path.to_path_buf(),
                line: index + 1,
                reason: e.to_string(),
            })
        };
        indices.iter().map(trial).collect()
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
        let written = run.source()?.text;
        if written == planned {
            return Ok(Some(run));
        }
        let mut changes =
            changes(&with_defaults(written), &planned, 0).map_err(|e| run.malformed(CONFIG, e))?;
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

    /// Begins trials, or resumes those that have begun; `None` for each that is done. The runs of those that begin appear
    /// together.
    ///
    /// # Errors
    /// Those of [`Trial::begin`] and [`Trial::resume`].
    pub fn open_all(
        planned: &[Self],
        artifacts: &Path,
        mut execution: impl FnMut() -> Execution,
    ) -> Result<Vec<Option<Trial>>, ExperimentError> {
        let mut batch = Batch::default();
        let open = |trial: &Self| trial.open(artifacts, execution(), &mut batch);
        let opened = planned.iter().map(open);
        let opened: Vec<Opened> = opened.collect::<Result<_, _>>()?;
        batch.commit()?;
        let trials = opened.into_iter().map(|opened| match opened {
            Opened::New(new) => new.lock().map(Some),
            Opened::Resumed(trial) => Ok(Some(*trial)),
            Opened::Done => Ok(None),
        });
        trials.collect()
    }

    fn open(
        &self,
        artifacts: &Path,
        execution: Execution,
        batch: &mut Batch,
    ) -> Result<Opened, ExperimentError> {
        Ok(match self.run(artifacts)? {
            Some(run) if run.is_done() => Opened::Done,
            Some(run) => match Trial::resume(run, &[], false, execution)? {
                Resume::Continues(trial, _) => Opened::Resumed(trial),
                Resume::NothingToDo(_) => Opened::Done,
            },
            None => {
                let (config, name) = (self.config.clone(), Some(self.run.as_str()));
                let new = NewTrial::write(config, artifacts, name, execution, batch)?;
                Opened::New(Box::new(new))
            }
        })
    }

    /// Groups of trials, by their indices, that can be trained in one batched model: the network allows it, and they
    /// differ only in seed and learning rate. `size` is the largest group for a trial.
    pub fn stacks(
        trials: &[Self],
        indices: &[usize],
        size: impl Fn(&Self) -> usize,
    ) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        // The group of each kind that is not full.
        let mut open: HashMap<String, usize> = HashMap::new();
        for &index in indices {
            let trial = &trials[index];
            let kind = trial.config.batch_key();
            let group = kind.as_ref().and_then(|kind| open.get(kind)).copied();
            let place = group.unwrap_or(groups.len());
            match group {
                Some(place) => groups[place].push(index),
                None => groups.push(vec![index]),
            }
            if let Some(kind) = kind {
                match groups[place].len() < size(&trials[groups[place][0]]) {
                    true => open.insert(kind, place),
                    false => open.remove(&kind),
                };
            }
        }
        groups
    }

    /// The folder of its run.
    pub fn folder(&self, artifacts: &Path) -> PathBuf {
        artifacts.join(&self.experiment).join(&self.run)
    }
}

/// A trial of a plan that is about to be trained.
enum Opened {
    /// It begins.
    New(Box<NewTrial>),
    /// It goes on.
    Resumed(Box<Trial>),
    /// It has ended.
    Done,
}
