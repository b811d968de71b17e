//! Commands for the user's next line in the shell: complete, and quoted where a shell needs it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;

use emberlab_experiments::{ExperimentError, Run};
use emberlab_report::quoted;
use emberlab_training::device;

use crate::arguments::{DEFAULT_ARTIFACTS, Running, Shared};
use crate::failure::Failure;

/// A command of this program, word by word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<String>,
}

impl CommandLine {
    /// A command with its first arguments, such as `["resume", "moons/one"]`.
    pub fn new<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> Self {
        Self {
            words: vec!["emberlab".to_string()],
        }
        .with(words)
    }

    /// The command about a run: `emberlab COMMAND EXPERIMENT/RUN`, with the folders in which it is found, or with its
    /// path if it is elsewhere.
    pub fn about(command: &str, run: &Run, shared: &Shared) -> Self {
        let id = run.id();
        let words = match is_in_artifacts(&id, shared) {
            true => [OsStr::new(command), OsStr::new(&id)],
            false => [OsStr::new(command), run.path().as_os_str()],
        };
        Self::new(words).shared(shared)
    }

    /// With more words.
    pub fn with<W: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter();
        let words = words.map(|word| word.as_ref().to_string_lossy().into_owned());
        self.words.extend(words);
        self
    }

    /// With `--set` for each override.
    pub fn overrides(self, overrides: &[String]) -> Self {
        let set = |command: Self, text: &String| command.with(["--set", text]);
        overrides.iter().fold(self, set)
    }

    /// With the folders for runs and data, unless they are the default or come from the environment.
    pub fn shared(self, shared: &Shared) -> Self {
        let Shared {
            artifacts,
            data_dir,
        } = shared;
        let data_dir = data_dir.as_ref().map(OsString::from);
        self.option(
            "--artifacts",
            Some(artifacts.into()),
            Some(DEFAULT_ARTIFACTS.into()),
            "EMBERLAB_ARTIFACTS_DIR",
        )
        .option("--data-dir", data_dir, None, "EMBERLAB_DATA_DIR")
    }

    /// With device and threads, unless they are the default or come from the environment.
    pub fn running(self, running: &Running) -> Self {
        let threads = match running.threads {
            None | Some(1) => Vec::new(),
            Some(n) => vec!["--threads".to_string(), n.to_string()],
        };
        self.option(
            "--device",
            Some((&running.device).into()),
            Some(device::DEFAULT.into()),
            "EMBERLAB_DEVICE",
        )
        .with(threads)
    }

    /// With an option, unless its value is the default or that of an environment variable.
    fn option(
        self,
        name: &str,
        value: Option<OsString>,
        default: Option<OsString>,
        variable: &str,
    ) -> Self {
        let is_said = env::var_os(variable).filter(|v| !v.is_empty()).or(default) == value;
        match value.filter(|_| !is_said) {
            Some(value) => self.with([OsStr::new(name), &value]),
            None => self,
        }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(self.words.iter().map(String::as_str)))
    }
}

/// Whether a run is found by its id, `experiment/run`.
fn is_in_artifacts(id: &str, shared: &Shared) -> bool {
    shared.artifacts.join(id).is_dir()
}

/// The command that helps after a failure, with a word about it.
pub fn next_step(failure: &Failure, shared: &Shared) -> Option<String> {
    let Failure::Experiment(error) = failure else {
        return None;
    };
    let (run, purpose, command) = match error {
        ExperimentError::NotFinished { run } => (run, "to continue it", "resume"),
        ExperimentError::RunFailed { run, .. } => (run, "to find the cause", "diagnose"),
        _ => return None,
    };
    let command = CommandLine::new([command, run]).shared(shared);
    is_in_artifacts(run, shared).then(|| format!("{purpose}:  {command}"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn shared(artifacts: &str, data_dir: Option<&str>) -> Shared {
        Shared {
            artifacts: artifacts.into(),
            data_dir: data_dir.map(PathBuf::from),
        }
    }

    #[test]
    fn a_command_repeats_what_is_not_the_default() {
        let plain = CommandLine::new(["resume", "moons/one"]).shared(&shared("artifacts", None));
        assert_eq!(plain.to_string(), "emberlab resume moons/one");
        let running = Running {
            device: "wgpu".to_string(),
            threads: Some(2),
        };
        let full = CommandLine::new(["train", "moons.toml"])
            .overrides(&["model.hidden=[8, 4]".to_string(), "name=it's".to_string()])
            .shared(&shared("my runs", Some("data")))
            .running(&running);
        let words = [
            "emberlab",
            "train",
            "moons.toml",
            "--set",
            "model.hidden=[8, 4]",
            "--set",
            "name=it's",
            "--artifacts",
            "my runs",
            "--data-dir",
            "data",
            "--device",
            "wgpu",
            "--threads",
            "2",
        ];
        assert_eq!(full.words, words);
        // A shell reads the same words back.
        assert_eq!(shlex::split(&full.to_string()), Some(full.words));
    }

    #[test]
    fn words_with_blanks_quotes_and_dollars_stay_one_word() {
        for word in [
            "a b.toml", "it's", "a\"b", "$HOME", "*", "", "é", "a;b", "!x",
        ] {
            let text = quoted(["emberlab", word]);
            let expected = ["emberlab", word].map(String::from).to_vec();
            assert_eq!(shlex::split(&text), Some(expected), "{text}");
        }
        let plain = ["--set", "a.b=1e-3", "configs/a-b.toml"];
        assert_eq!(quoted(plain), plain.join(" "));
    }

    #[test]
    fn a_run_that_has_not_finished_is_followed_by_the_command_that_continues_it() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("moons/one")).expect("a folder of a run");
        let artifacts = folder.path().to_str().expect("a path in UTF-8");
        let run = "moons/one".to_string();
        let failure = Failure::from(ExperimentError::NotFinished { run });
        let said = format!("to continue it:  emberlab resume moons/one --artifacts {artifacts}");
        assert_eq!(next_step(&failure, &shared(artifacts, None)), Some(said));
        assert_eq!(next_step(&failure, &shared("elsewhere", None)), None);
        assert_eq!(next_step(&Failure::ClosedPipe, &shared("a", None)), None);
    }
}
