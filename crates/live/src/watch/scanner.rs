//! All runs, and what has changed since a page asked last.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use emberlab_storage::is_leftover;
use serde::Serialize;

use super::comparison::{ComparisonFiles, Variants};
use super::kept::CLOCK_TICK;
use super::lines::Stamp;
use super::run::{Row, WatchedRun, seconds};

/// How old the answer to a page may be: several pages do not read the same files several times.
const PAUSE: Duration = Duration::from_millis(400);
/// The number of runs that are worth a thread of their own.
const RUNS_OF_THREAD: usize = 64;

/// Reads run folders as they grow, and remembers what it has read. It writes nothing.
pub(super) struct Scanner {
    artifacts: PathBuf,
    /// Folders of experiments and of runs, if only those are shown.
    experiments: BTreeSet<PathBuf>,
    named: BTreeSet<PathBuf>,
    /// The folders inside each folder, as long as it does not change.
    listed: HashMap<PathBuf, (Stamp, Vec<PathBuf>)>,
    runs: BTreeMap<String, WatchedRun>,
    /// The files of comparisons, by the folders of their experiments.
    comparisons: HashMap<PathBuf, ComparisonFiles>,
    /// The versions with which runs have vanished.
    gone: BTreeMap<String, u64>,
    version: u64,
    scanned: Option<Instant>,
}

/// The runs that have changed.
#[derive(Debug, Serialize)]
pub(super) struct Changes {
    /// To be sent with the next question.
    pub version: u64,
    /// Whether these are all runs.
    pub is_whole: bool,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// The runs that are new or have changed.
    pub runs: Vec<Row>,
    /// The runs that are no longer there.
    pub gone: Vec<String>,
}

impl Scanner {
    /// A scanner of all runs in `artifacts`, until it is told to show only some.
    pub(super) fn new(artifacts: PathBuf) -> Self {
        Self {
            artifacts,
            experiments: BTreeSet::new(),
            named: BTreeSet::new(),
            listed: HashMap::new(),
            runs: BTreeMap::new(),
            comparisons: HashMap::new(),
            gone: BTreeMap::new(),
            version: 0,
            scanned: None,
        }
    }

    /// Shows the runs of this experiment, and of others only if they are named too.
    pub(super) fn add_experiment(&mut self, folder: PathBuf) {
        self.experiments.insert(folder);
    }

    /// Shows this run, and others only if they are named too.
    pub(super) fn add_run(&mut self, folder: &Path) {
        // A path such as `.` has no name of its own.
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
        self.named.insert(folder);
    }

    /// Looks at all runs, and returns those that have changed since version `since`; all if that is 0 or unknown.
    pub(super) fn changes(&mut self, since: u64) -> Changes {
        if self.scanned.is_none_or(|then| then.elapsed() >= PAUSE) {
            self.scan();
        }
        let is_whole = since == 0 || since > self.version;
        let since = if is_whole { 0 } else { since };
        let changed = self.runs.values().filter(|run| run.version > since);
        let gone = self.gone.iter().filter(|(_, version)| **version > since);
        Changes {
            version: self.version,
            is_whole,
            now: seconds(SystemTime::now()),
            runs: changed.map(|run| run.row.clone()).collect(),
            gone: match is_whole {
                true => Vec::new(),
                false => gone.map(|(run, _)| run.clone()).collect(),
            },
        }
    }

    /// A run that is shown. Its name is looked up, and is never a path.
    pub(super) fn run(&self, id: &str) -> Option<&WatchedRun> {
        self.runs.get(id)
    }

    /// The variants of an experiment whose runs are shown.
    pub(super) fn variants(&mut self, name: &str) -> Option<Variants> {
        let mut ours = self.runs.values().filter(|run| {
            let experiment = run.row.run.split_once('/').map(|(name, _)| name);
            experiment == Some(name)
        });
        let first = ours.next()?;
        let folder = first.path().parent()?.to_path_buf();
        let rows = std::iter::once(first).chain(ours).map(|run| &run.row);
        let files = self.comparisons.entry(folder.clone()).or_default();
        Some(files.variants(&folder, &rows.collect::<Vec<_>>()))
    }

    fn scan(&mut self) {
        let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
        for path in self.paths() {
            if let Some(id) = id(&path) {
                found.insert(id, path);
            }
        }
        let next = self.version + 1;
        let mut gone: Vec<String> = Vec::new();
        self.runs.retain(|id, run| {
            let stays = found.get(id).is_some_and(|path| path == run.path());
            if !stays && run.version > 0 {
                gone.push(id.clone());
            }
            stays
        });
        if !gone.is_empty() {
            let folders: BTreeSet<&Path> =
                found.values().filter_map(|path| path.parent()).collect();
            self.comparisons
                .retain(|folder, _| folders.contains(folder.as_path()));
        }
        for (id, path) in found {
            let new = || WatchedRun::new(id.clone(), path);
            self.runs.entry(id.clone()).or_insert_with(new);
        }
        let mut all: Vec<&mut WatchedRun> = self.runs.values_mut().collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let new = all.iter().filter(|run| run.version == 0).count();
        let threads = threads.min(new / RUNS_OF_THREAD).max(1);
        let share = all.len().div_ceil(threads).max(1);
        let refresh = |run: &mut WatchedRun| {
            let before = (run.version > 0).then(|| run.row.clone());
            let is_there = run.refresh();
            if is_there && before.as_ref() != Some(&run.row) {
                run.version = next;
            }
            (!is_there).then(|| run.row.run.clone())
        };
        let missing: Vec<String> = match threads {
            1 => all.into_iter().filter_map(refresh).collect(),
            _ => std::thread::scope(|scope| {
                let refresh = &refresh;
                let parts = all.chunks_mut(share).map(|part| {
                    scope.spawn(move || -> Vec<String> {
                        part.iter_mut().filter_map(|run| refresh(run)).collect()
                    })
                });
                let parts: Vec<_> = parts.collect();
                let missing = parts.into_iter().filter_map(|part| part.join().ok());
                missing.flatten().collect()
            }),
        };
        for id in missing {
            if self.runs.remove(&id).is_some_and(|run| run.version > 0) {
                gone.push(id);
            }
        }
        let has_changed = self.runs.values().any(|run| run.version == next) || !gone.is_empty();
        for id in gone {
            self.gone.insert(id, next);
        }
        self.gone.retain(|id, _| !self.runs.contains_key(id));
        if has_changed {
            self.version = next;
        }
        self.scanned = Some(Instant::now());
    }

    /// The folders that may be runs.
    fn paths(&mut self) -> Vec<PathBuf> {
        let is_all = self.experiments.is_empty() && self.named.is_empty();
        let experiments: Vec<PathBuf> = match is_all {
            true => self.folders(&self.artifacts.clone()),
            false => self.experiments.iter().cloned().collect(),
        };
        let mut found: Vec<PathBuf> = self.named.iter().cloned().collect();
        for experiment in experiments {
            found.extend(self.folders(&experiment));
        }
        found
    }

    /// The folders inside a folder; none if it cannot be read.
    fn folders(&mut self, path: &Path) -> Vec<PathBuf> {
        let Some(stamp) = Stamp::of_folder(path) else {
            self.listed.remove(path);
            return Vec::new();
        };
        if let Some((known, folders)) = self.listed.get(path)
            && *known == stamp
        {
            return folders.clone();
        }
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let folders = entries.filter_map(|entry| {
            let kind = entry.file_type().ok()?;
            let path = entry.path();
            // Folders may be on another disk, with links to them.
            let is_folder = kind.is_dir() || (kind.is_symlink() && path.is_dir());
            (is_folder && !is_leftover(&path)).then_some(path)
        });
        let folders: Vec<PathBuf> = folders.collect();
        let age = stamp.modified.elapsed().unwrap_or_default();
        if age > CLOCK_TICK {
            let listed = (stamp, folders.clone());
            self.listed.insert(path.to_path_buf(), listed);
        }
        folders
    }
}

/// `experiment/run`.
fn id(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    let experiment = path.parent()?.file_name()?.to_string_lossy();
    Some(format!("{experiment}/{name}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::watch::run::State;
    use emberlab_storage::RunLock;

    const CONFIG: &str =
        "[training]\nnum_epochs = 9\n[training.objective]\nmetric = \"loss\"\nsplit = \"valid\"\n";
    const ROWS: &str = "epoch,step,learning_rate,train_loss,valid_loss\n1,2,0.1,0.5,0.4\n";

    fn write(artifacts: &Path, run: &str, file: &str, content: &str) {
        let folder = artifacts.join(run);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), content).unwrap();
    }

    fn run(artifacts: &Path, name: &str) {
        write(artifacts, name, "config.toml", CONFIG);
        write(artifacts, name, "metrics.csv", ROWS);
    }

    /// The changes, without waiting for the next scan.
    fn changes(scanner: &mut Scanner, since: u64) -> Changes {
        scanner.scanned = None;
        scanner.changes(since)
    }

    #[test]
    fn a_page_gets_what_has_changed_since_it_asked() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path();
        run(artifacts, "moons/a");
        run(artifacts, "moons/b");
        let mut scanner = Scanner::new(artifacts.to_path_buf());
        let all = changes(&mut scanner, 0);
        assert_eq!((all.runs.len(), all.is_whole), (2, true));
        let same = changes(&mut scanner, all.version);
        assert_eq!(
            (same.version, same.runs.len(), same.is_whole),
            (all.version, 0, false)
        );
        write(
            artifacts,
            "moons/b",
            "metrics.csv",
            &format!("{ROWS}2,4,0.1,0.3,0.2\n3,6"),
        );
        let grown = changes(&mut scanner, same.version);
        let row = &grown.runs[0];
        assert_eq!(
            (grown.runs.len(), row.run.as_str(), row.epochs),
            (1, "moons/b", 2)
        );
        assert_eq!(row.best.as_ref().unwrap().value, 0.2);
        run(artifacts, "iris/c");
        fs::remove_dir_all(artifacts.join("moons/a")).unwrap();
        let moved = changes(&mut scanner, grown.version);
        assert_eq!(
            (moved.runs[0].run.as_str(), moved.gone),
            ("iris/c", vec!["moons/a".to_string()])
        );
        assert!(changes(&mut scanner, 999).is_whole);
    }

    #[test]
    fn the_state_follows_from_the_lock_and_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path();
        for name in ["e/lock", "e/grows", "e/failed", "e/broken", "e/no-config"] {
            run(artifacts, name);
        }
        write(
            artifacts,
            "e/failed",
            "failure.json",
            r#"{"message": "the disk is full"}"#,
        );
        write(
            artifacts,
            "e/broken",
            "metrics.csv",
            "epoch,train_loss\n1,x\n",
        );
        write(artifacts, "e/no-config", "config.toml", "[training");
        write(artifacts, "e/old", "config.toml", CONFIG);
        let old = artifacts.join("e/old/metrics.csv");
        fs::write(&old, ROWS).unwrap();
        let hour = SystemTime::now() - Duration::from_secs(3600);
        fs::File::options()
            .write(true)
            .open(&old)
            .unwrap()
            .set_modified(hour)
            .unwrap();
        let lock = RunLock::acquire(&artifacts.join("e/lock")).unwrap();
        let mut scanner = Scanner::new(artifacts.to_path_buf());
        let states = |found: Changes| -> Vec<(String, State)> {
            let rows = found.runs.into_iter();
            rows.map(|row| (row.run[2..].to_string(), row.state))
                .collect()
        };
        let expected = [
            ("broken", State::Damaged),
            ("failed", State::Failed),
            ("grows", State::Growing),
            ("lock", State::Running),
            ("no-config", State::Damaged),
            ("old", State::Interrupted),
        ];
        let expected = expected.map(|(name, state)| (name.to_string(), state));
        assert_eq!(states(changes(&mut scanner, 0)), expected);
        drop(lock);
        let version = scanner.version;
        let after = states(changes(&mut scanner, version));
        assert_eq!(after, [("lock".to_string(), State::Interrupted)]);
    }

    #[test]
    fn a_repaired_file_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path();
        run(artifacts, "e/a");
        write(artifacts, "e/a", "result.json", "{");
        let mut scanner = Scanner::new(artifacts.to_path_buf());
        let row = changes(&mut scanner, 0).runs.remove(0);
        assert!(row.reason.unwrap().contains("result.json"));
        let result = r#"{"ending": "completed", "epochs": 9, "steps": 9, "num_parameters": 1, "seconds": 1.0,
            "metrics": {"valid": {"loss": 0.25}}, "best": null}"#;
        write(artifacts, "e/a", "result.json", result);
        let row = changes(&mut scanner, 0).runs.remove(0);
        assert_eq!(
            (row.state, row.epochs, row.objective),
            (State::Finished, 9, Some(0.25))
        );
    }

    #[test]
    fn only_the_runs_that_were_named_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path();
        for name in ["a/one", "b/two", "b/three"] {
            run(artifacts, name);
        }
        let mut scanner = Scanner::new(artifacts.to_path_buf());
        scanner.add_experiment(artifacts.join("a"));
        scanner.add_run(&artifacts.join("b/two"));
        let found = changes(&mut scanner, 0);
        let names: Vec<&str> = found.runs.iter().map(|row| row.run.as_str()).collect();
        assert_eq!(names, ["a/one", "b/two"]);
        for other in [
            "b/three",
            "a/../b/three",
            "../a/one",
            "/etc/passwd",
            "a/one/",
            "",
            "a/one/config.toml",
        ] {
            assert!(scanner.run(other).is_none(), "{other}");
        }
    }

    #[test]
    fn looking_changes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path();
        run(artifacts, "e/a");
        let state = || {
            let entries = fs::read_dir(artifacts.join("e/a")).unwrap();
            let mut found: Vec<_> = entries
                .map(|entry| {
                    let entry = entry.unwrap();
                    let metadata = entry.metadata().unwrap();
                    (
                        entry.file_name(),
                        metadata.len(),
                        metadata.modified().unwrap(),
                    )
                })
                .collect();
            found.sort();
            found
        };
        let before = state();
        let mut scanner = Scanner::new(artifacts.to_path_buf());
        changes(&mut scanner, 0);
        changes(&mut scanner, 1);
        assert_eq!(state(), before);
    }
}
