//! The end of a comparison: baselines on the data of the best variant, and the importance of the columns for its
//! networks.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use emberlab_experiments::{
    BaselineLimit, Comparison, ExperimentError, ImportanceLimit, LoadedRun, PlannedTrial, Prepared,
};
use emberlab_report::comparison::{add_baselines, best_variant};
use emberlab_run_format::files::{IMPORTANCE, comparison::BASELINES};
use emberlab_run_format::{Baselines, ComparisonBaselines, ComparisonResult, DataBaselines};
use emberlab_run_format::{FormatError, Importance, Weights, read_json};
use emberlab_storage::replace;

use crate::arguments::Shared;
use crate::data_dirs;
use crate::failure::Failure;

/// The most networks of the best variant whose importance is computed.
const NUM_NETWORKS: usize = 10;

/// The baselines that a comparison computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum BaselinesChoice {
    /// Those that take seconds: training rows × features up to a million.
    Auto,
    /// All of them, for data of any size.
    All,
    /// None.
    None,
}

/// A comparison whose trials have ended.
pub struct Explaining<'a> {
    /// The comparison.
    pub comparison: &'a Comparison,
    /// The folders.
    pub shared: &'a Shared,
    /// The device that predicts.
    pub device: &'a str,
    /// The number of baselines that are computed at the same time.
    pub num_threads: usize,
}

/// The trials that share their data.
struct Group<'a> {
    key: String,
    first: &'a PlannedTrial,
    runs: Vec<String>,
}

impl Explaining<'_> {
    /// Adds the baselines on the data of the best variant to `result`. Those that are not in `baselines.json` yet are
    /// computed, once for each distinct data, and saved there. Data that cannot be loaded are no error: a note says so.
    ///
    /// # Errors
    /// [`Failure`] if `baselines.json` cannot be written.
    pub fn add_baselines(
        &self,
        result: &mut ComparisonResult,
        choice: BaselinesChoice,
    ) -> Result<(), Failure> {
        let Some(best) = best_variant(result).filter(|_| choice != BaselinesChoice::None) else {
            return Ok(());
        };
        let path = (self.shared.artifacts)
            .join(&self.comparison.config.name)
            .join(BASELINES);
        // Damaged baselines are computed again.
        let saved: Option<ComparisonBaselines> = read_json(&path).unwrap_or_default();
        let mut all = saved.clone().unwrap_or_default();
        let groups = self.groups(result, best)?;
        for group in &groups {
            all.data
                .iter_mut()
                .for_each(|data| data.runs.retain(|run| !group.runs.contains(run)));
        }
        let is_missing = |group: &&Group| !all.data.iter().any(|data| data.key == group.key);
        let missing: Vec<&Group> = groups.iter().filter(is_missing).collect();
        let (computed, note) = self.compute(&missing, choice);
        if let Some(note) = note {
            say!("note: {note}");
        }
        all.data.extend(computed);
        for group in groups {
            if let Some(data) = all.data.iter_mut().find(|data| data.key == group.key) {
                data.runs.extend(group.runs);
            }
        }
        all.data.retain(|data| !data.runs.is_empty());
        if all != saved.unwrap_or_default() {
            let json = serde_json::to_string(&all).map_err(|e| FormatError::malformed(&path, e))?;
            replace(&path, json.as_bytes()).map_err(ExperimentError::from)?;
        }
        add_baselines(result, &all);
        Ok(())
    }

    /// The finished trials of a variant, in groups that share their data.
    fn groups(&self, result: &ComparisonResult, variant: &str) -> Result<Vec<Group<'_>>, Failure> {
        let mut groups: Vec<Group> = Vec::new();
        for (trial, outcome) in self.comparison.trials.iter().zip(&result.trials) {
            if trial.variant != variant || !outcome.is_done() {
                continue;
            }
            let key = trial.config.baseline_key();
            let key = key.map_err(|e| Failure::Failed(e.to_string()))?;
            match groups.iter_mut().find(|group| group.key == key) {
                Some(group) => group.runs.push(trial.run.clone()),
                None => groups.push(Group {
                    key,
                    first: trial,
                    runs: vec![trial.run.clone()],
                }),
            }
        }
        Ok(groups)
    }

    /// The baselines of each group, in the order of the groups, and a note if some are left out.
    fn compute(
        &self,
        groups: &[&Group<'_>],
        choice: BaselinesChoice,
    ) -> (Vec<DataBaselines>, Option<String>) {
        let data_dirs = data_dirs::all(self.shared);
        let queue: Mutex<VecDeque<usize>> = Mutex::new((0..groups.len()).collect());
        let done: Mutex<Vec<(usize, Result<Baselines, String>)>> = Mutex::default();
        std::thread::scope(|scope| {
            for _ in 0..self.num_threads.min(groups.len()) {
                scope.spawn(|| {
                    loop {
                        let next = queue
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .pop_front();
                        let Some(place) = next else {
                            break;
                        };
                        let config = groups[place].first.config.clone();
                        let found = Prepared::load(config, &data_dirs)
                            .map_err(|error| error.to_string())
                            .and_then(|prepared| baselines(&prepared, choice));
                        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                        done.push((place, found));
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(place, _)| *place);
        let mut note = None;
        let mut computed = Vec::new();
        for (place, found) in done {
            match found {
                Ok(baselines) => computed.push(DataBaselines {
                    key: groups[place].key.clone(),
                    runs: Vec::new(),
                    baselines,
                }),
                Err(why) => note = Some(format!("without baselines: {why}")),
            }
        }
        (computed, note)
    }

    /// Writes `importance.json` into the runs of the best variant, at most ten, if that takes a fraction of a second
    /// for each. A run whose data cannot be loaded is left out: the note about its baselines has said so.
    ///
    /// # Errors
    /// [`Failure`] if a file cannot be written, or the device fails.
    pub fn write_importance(&self, result: &ComparisonResult) -> Result<(), Failure> {
        let best = best_variant(result);
        let trials = self.comparison.trials.iter().zip(&result.trials);
        let ours = trials
            .filter(|(trial, outcome)| Some(trial.variant.as_str()) == best && outcome.is_done());
        for (trial, _) in ours.take(NUM_NETWORKS) {
            let Some(run) = trial.run(&self.shared.artifacts)? else {
                continue;
            };
            if run.read_json::<Importance>(IMPORTANCE).is_ok() {
                continue;
            }
            let data_dirs = data_dirs::all(self.shared);
            let Ok(loaded) = LoadedRun::load(&run, Weights::Last, self.device, &data_dirs) else {
                return Ok(());
            };
            match loaded.importance(ImportanceLimit::Quick)? {
                Some(importance) => run.write_json(IMPORTANCE, &importance)?,
                // The other networks have the same data and the same size.
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

/// The baselines of some data, unless they take too long.
fn baselines(prepared: &Prepared, choice: BaselinesChoice) -> Result<Baselines, String> {
    match prepared.baselines_exceed(BaselineLimit::Seconds) {
        Some(why) if choice == BaselinesChoice::Auto => {
            Err(format!("{why}; `--baselines all` computes them"))
        }
        _ => Ok(prepared.baselines()),
    }
}
