//! The plan of a comparison: its trials as JSON lines, from which any machine can train one by its index.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use emberlab_config_source::ConfigSource;
use emberlab_run_format::files::CONFIG;
use emberlab_storage::{Batch, StorageError};

use crate::config::{PlannedTrial, check_run_name};
use crate::error::ExperimentError;
use crate::run::{Run, Verdict, changes, is_beside_training};
use crate::trial::begin::NewTrial;
use crate::trial::continuation::with_defaults;
use crate::trial::ready::Ready;
use crate::trial::{Execution, Resources, Resume, Trial};

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
    /// As for [`load`](Self::load).
    pub fn load_all(path: &Path) -> Result<Vec<Self>, ExperimentError> {
        let num_trials = ConfigSource::load(path)?.text.lines().count();
        Self::load(path, &Vec::from_iter(0..num_trials))
    }

    /// Reads the trials of a plan with these indices. Other lines are not parsed, because each of many jobs reads the
    /// plan.
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

    /// Its run, if it has begun.
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
        // The text that most runs have needs no reading.
        if std::fs::read(run.config_path()).is_ok_and(|text| text == planned.as_bytes()) {
            return Ok(Some(run));
        }
        let checkpoint = run.newest_checkpoint()?;
        let written = run.source_beside(checkpoint.as_ref())?.0.text;
        let mut changes =
            changes(&with_defaults(written), &planned, 0).map_err(|e| run.malformed(CONFIG, e))?;
        // When checkpoints are saved and layers are recorded does not change the result.
        changes.retain(|change| !is_beside_training(&change.key));
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

    /// Begins trials, or resumes those that have begun; `None` for each that is done. The runs of those that begin
    /// appear together. Trials with the same data share them.
    ///
    /// # Errors
    /// Those of [`Trial::begin`] and [`Trial::resume`].
    pub fn open_all(
        planned: &[Self],
        artifacts: &Path,
        mut execution: impl FnMut() -> Execution,
    ) -> Result<Vec<Option<Trial>>, ExperimentError> {
        let mut batch = Batch::default();
        let mut opened: Vec<Opened> = Vec::new();
        // The last trial of each seed and fold: trials with the same data have the same of both.
        let mut last: HashMap<(u64, Option<usize>), usize> = HashMap::new();
        for trial in planned {
            let other = last.get(&(trial.seed, trial.fold)).map(|&at| &opened[at]);
            let other = other.and_then(Opened::ready);
            let next = trial.open(artifacts, execution(), other, &mut batch)?;
            if next.ready().is_some() {
                last.insert((trial.seed, trial.fold), opened.len());
            }
            opened.push(next);
        }
        batch.commit()?;
        let trials = opened.into_iter().map(|opened| match opened {
            Opened::New(new) => new.lock().map(Some),
            Opened::Resumed(trial) => Ok(Some(*trial)),
            Opened::Done => Ok(None),
        });
        trials.collect()
    }

    /// Opens the trial. It shares the data of the `other` trial, if they are the same.
    fn open(
        &self,
        artifacts: &Path,
        execution: Execution,
        other: Option<&Ready>,
        batch: &mut Batch,
    ) -> Result<Opened, ExperimentError> {
        Ok(match self.run(artifacts)? {
            Some(run) if run.has_result() => Opened::Done,
            Some(run) => match Trial::resume(run, &[], false, execution)? {
                Resume::Continues(trial, _) => Opened::Resumed(trial),
                Resume::NothingToDo(_) => Opened::Done,
            },
            None => {
                check_run_name(&self.run)?;
                let shared = other.map(|other| other.share(&self.config));
                let ready = match shared.transpose()?.flatten() {
                    Some(ready) => ready,
                    None => {
                        let Resources {
                            device, data_dirs, ..
                        } = &execution.resources;
                        Ready::prepare(self.config.clone(), device, data_dirs, None)?
                    }
                };
                let name = Some(self.run.as_str());
                let new = NewTrial::write(ready, artifacts, name, execution, batch)?;
                Opened::New(Box::new(new))
            }
        })
    }

    /// Groups of trials, by their indices, that can be trained in one batched model: the network allows it, and they
    /// differ only in seed and learning rate. `size` gives the largest group for a trial.
    pub fn stacks(
        trials: &[Self],
        indices: &[usize],
        size: impl Fn(&Self) -> usize,
    ) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        // The group of each kind that is not full yet.
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

impl Opened {
    /// The prepared parts of a trial that begins.
    fn ready(&self) -> Option<&Ready> {
        match self {
            Self::New(new) => Some(&new.ready),
            Self::Resumed(_) | Self::Done => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use emberlab_training::StopFlag;

    use super::*;
    use crate::config::Comparison;
    use crate::trial::Prepared;

    fn execution() -> Execution {
        let resources = Resources {
            device: "flex".to_string(),
            num_threads: 1,
            data_dirs: Vec::new(),
        };
        Execution::quiet(resources, StopFlag::default())
    }

    /// Two learning rates, each with two seeds.
    fn trials() -> Vec<PlannedTrial> {
        let text = r#"
            seeds = 2
            dataset = { name = "moons", num_samples = 100 }
            model = { name = "mlp", hidden = [4], activation = "relu" }
            loss = { name = "bce_with_logits" }
            optimizer = { name = "adam", learning_rate = 0.01 }
            training = { num_epochs = 1 }
            [sweep]
            "optimizer.learning_rate" = [0.01, 0.1]
        "#;
        let source = ConfigSource::new("moons.toml", text);
        Comparison::from_source(&source).unwrap().trials
    }

    #[test]
    fn trials_with_the_same_seed_share_their_data_and_equal_those_alone() {
        let (planned, folder) = (trials(), tempfile::tempdir().unwrap());
        let opened = PlannedTrial::open_all(&planned, folder.path(), execution).unwrap();
        let opened: Vec<Trial> = opened.into_iter().map(Option::unwrap).collect();
        let shares = |a: usize, b: usize| {
            let [a, b] = [a, b].map(|i| &opened[i].prepared().samples);
            Arc::ptr_eq(a, b)
        };
        assert!(shares(0, 2) && shares(1, 3) && !shares(0, 1));
        for (trial, planned) in opened.iter().zip(&planned) {
            assert_eq!(trial.config(), &planned.config);
            let alone = Prepared::load(planned.config.clone(), &[]).unwrap();
            let prepared = trial.prepared();
            assert_eq!(prepared.data_sha256, alone.data_sha256);
            assert_eq!(prepared.splits.train, alone.splits.train);
            assert_eq!(prepared.baselines(), alone.baselines());
            let written = trial.run.config().unwrap();
            assert_eq!(written, planned.config);
        }
    }

    #[test]
    fn trials_that_differ_only_in_seed_and_learning_rate_are_stacked_in_order() {
        let mut planned = trials();
        let stacks = |planned: &[PlannedTrial], size: usize| {
            PlannedTrial::stacks(planned, &[0, 1, 2, 3], |_| size)
        };
        assert_eq!(stacks(&planned, 1), [[0], [1], [2], [3]]);
        assert_eq!(stacks(&planned, 3), [vec![0, 1, 2], vec![3]]);
        planned[1].config.training.num_epochs = 2;
        assert_eq!(stacks(&planned, 3), [vec![0, 2, 3], vec![1]]);
    }

    #[test]
    fn a_trial_that_a_plan_does_not_have_is_named_and_other_lines_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.jsonl");
        let lines = PlannedTrial::to_lines(&trials()).unwrap();
        std::fs::write(&path, format!("{lines}no trial\n")).unwrap();
        let loaded = PlannedTrial::load(&path, &[3, 1]).unwrap();
        let indices: Vec<usize> = loaded.iter().map(|trial| trial.index).collect();
        assert_eq!(indices, [3, 1]);
        let message = |index| PlannedTrial::load(&path, &[index]).unwrap_err().to_string();
        assert!(message(4).contains("line 5"), "{}", message(4));
        assert!(
            message(5).contains("there is no trial 5 in"),
            "{}",
            message(5)
        );
    }
}
