//! A laboratory of its own for each test: a temporary folder and the real command.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::requirements::Part;

/// A temporary folder in which the command runs.
pub struct Lab {
    folder: tempfile::TempDir,
}

/// The output of a command and its exit code.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Lab {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The command with these words, run in this lab. Of the environment it keeps where the data are.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emberlab"));
        command
            .args(words)
            .current_dir(self.path())
            .env_remove("EMBERLAB_ARTIFACTS_DIR")
            .env_remove("EMBERLAB_DEVICE")
            .env("NO_COLOR", "1");
        command
    }

    pub fn run(&self, words: &[&str]) -> Outcome {
        outcome(self.command(words).output().unwrap())
    }

    /// Runs a command that must succeed.
    pub fn succeed(&self, words: &[&str]) -> Outcome {
        let outcome = self.run(words);
        assert_eq!(outcome.code, Some(0), "{words:?}: {outcome:#?}");
        outcome
    }

    /// Continues a run until `step` steps are done, from the newest checkpoint.
    pub fn resume_to(&self, run: &str, step: usize) -> Outcome {
        let step = step.to_string();
        let stop = ["--dashboard", "quiet", "--stop-at", &step];
        self.run(&[&["resume", run], &stop[..]].concat())
    }

    /// Writes a file of this lab.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Trains a shipped configuration quietly as the run `name`, with overrides.
    pub fn train(&self, config: &str, name: &str, overrides: &[&str]) -> Trained {
        self.train_on("flex", config, name, overrides)
    }

    /// The same on a named device.
    pub fn train_on(&self, device: &str, config: &str, name: &str, overrides: &[&str]) -> Trained {
        let path = shipped(config);
        let mut words = vec!["train", path.to_str().unwrap(), "--run", name];
        words.extend(["--dashboard", "quiet", "--device", device]);
        for one in overrides {
            words.extend(["--set", one]);
        }
        self.succeed(&words);
        let experiment = Path::new(config).file_stem().unwrap();
        Trained {
            folder: self.path().join("artifacts").join(experiment).join(name),
        }
    }
}

pub fn outcome(output: Output) -> Outcome {
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The run folder of a finished training.
pub struct Trained {
    pub folder: PathBuf,
}

impl Trained {
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// A metric of the last network, as `result.json` has it.
    pub fn metric(&self, split: &str, name: &str) -> f64 {
        let result = self.json("result.json");
        result["metrics"][split][name].as_f64().unwrap()
    }

    /// A column of `metrics.csv`.
    pub fn column(&self, name: &str) -> Vec<f64> {
        let text = self.text("metrics.csv");
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap().split(',').collect();
        let at = header.iter().position(|h| *h == name).unwrap();
        lines
            .map(|line| line.split(',').nth(at).unwrap().parse().unwrap())
            .collect()
    }
}

/// A configuration of the project.
pub fn shipped(name: &str) -> PathBuf {
    project().join("configs").join(name)
}

/// The project's folder.
pub fn project() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    crates.parent().unwrap().to_path_buf()
}

/// The folder of the large data sets; none where nobody named it, and then the test skips.
pub fn data_dir() -> Option<PathBuf> {
    let folder = std::env::var_os("EMBERLAB_DATA_DIR").map(PathBuf::from);
    if folder.is_none() {
        Part::Mnist.is_missing("EMBERLAB_DATA_DIR is not set");
    }
    folder
}

/// Whether this build and machine have the wgpu device; if not, the test skips.
pub fn has_wgpu() -> bool {
    let has = devices().iter().any(|device| device == "wgpu");
    if !has {
        Part::Wgpu.is_missing("no wgpu device in this build or machine");
    }
    has
}

/// The devices of this build that this machine can run.
pub fn devices() -> Vec<String> {
    let lab = Lab::new();
    let listed = lab.succeed(&["devices", "--json"]);
    let list: Value = serde_json::from_str(&listed.stdout).unwrap();
    let usable = |d: &&Value| {
        d["is_compiled"] == true
            && d["name"] != "remote"
            && !d["hardware"].to_string().contains("cannot be used")
    };
    let names = list.as_array().unwrap().iter().filter(usable);
    names
        .map(|d| d["name"].as_str().unwrap().to_string())
        .collect()
}

/// Asserts that `value` lies in `range`, and says which value it was.
#[track_caller]
pub fn assert_in(what: &str, value: f64, range: std::ops::RangeInclusive<f64>) {
    assert!(
        range.contains(&value),
        "{what} is {value}, not in {range:?}"
    );
}

/// The median of some numbers.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

/// Waits until a condition holds, for at most that many seconds.
#[track_caller]
pub fn wait_until(seconds: u64, what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came that {what}");
        sleep(Duration::from_millis(5));
    }
}

/// Sends a signal to a child.
pub fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Asserts that files of two runs are equal, byte for byte.
#[track_caller]
pub fn assert_same_files(one: &Path, other: &Path, files: &[&str]) {
    for file in files {
        let read = |run: &Path| std::fs::read(run.join(file)).unwrap();
        assert!(read(one) == read(other), "{file} differs");
    }
}

/// The files of a run that hold its metrics and weights: interruptions must not change them.
pub const FIGURES: [&str; 3] = ["metrics.csv", "model/network.bpk", "model/best.bpk"];

/// Kills a command that works in `folder` again and again, each time after some more changes to its files, until
/// it ends by itself; returns how often. The first three kills follow the first change that they see, which comes
/// long before the end however fast the machine is.
pub fn kill_until_done(folder: &Path, mut command: impl FnMut() -> Command) -> usize {
    let mut num_kills = 0;
    loop {
        let mut before = snapshot(folder);
        let mut child = command().spawn().unwrap();
        let num_changes = 1 + num_kills / 3 * 4;
        let mut seen = 0;
        while seen < num_changes && child.try_wait().unwrap().is_none() {
            let now = snapshot(folder);
            seen += usize::from(now != before);
            before = now;
            sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        let ended = child.wait_with_output().unwrap();
        match ended.status.code() {
            Some(0) => return num_kills,
            Some(code) => panic!("{code}: {}", String::from_utf8_lossy(&ended.stderr)),
            None => num_kills += 1,
        }
        assert!(num_kills < 300, "the command makes no progress");
        // The trials end with the process that started them.
        wait_until_alone(folder);
    }
}

/// The files below a folder with their sizes. Files that vanish meanwhile are left out.
fn snapshot(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => found.push((entry.path(), metadata.len())),
                Err(_) => {}
            }
        }
    }
    found.sort();
    found
}

/// Waits until no process works in a folder.
pub fn wait_until_alone(folder: &Path) {
    let folder = folder.canonicalize().unwrap();
    let is_here = |pid: PathBuf| std::fs::read_link(pid.join("cwd")).is_ok_and(|cwd| cwd == folder);
    let anybody = || {
        let pids = std::fs::read_dir("/proc").unwrap().flatten();
        pids.map(|entry| entry.path()).any(is_here)
    };
    wait_until(30, "no trial outlives its comparison", || !anybody());
}
