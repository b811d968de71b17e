//! A comparison as a job array of a real Slurm, with this machine as its only node.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{Lab, outcome, project, shipped, wait_until};
use crate::requirements::Part;

/// A running Slurm, below one folder.
struct Slurm {
    folder: PathBuf,
}

impl Slurm {
    /// Starts it where it is installed and this user may.
    fn start(folder: PathBuf) -> Result<Self, String> {
        for program in ["slurmctld", "slurmd", "munged", "sbatch"] {
            let found = Command::new("sh")
                .args(["-c", &format!("command -v {program}")])
                .output();
            if !found.is_ok_and(|output| output.status.success()) {
                return Err(format!("there is no {program}"));
            }
        }
        if !rustix::process::geteuid().is_root() {
            return Err("it takes root to start Slurm".to_string());
        }
        let slurm = Self { folder };
        let script = project().join("tests/slurm/start.sh");
        let started = Command::new(script).arg(&slurm.folder).output();
        match started {
            Ok(output) if output.status.success() => Ok(slurm),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn config(&self) -> PathBuf {
        self.folder.join("slurm.conf")
    }

    /// Runs one of its programs in a lab, which must succeed. Returns what it prints.
    fn run(&self, lab: &Lab, program: &str, words: &[&str]) -> String {
        let mut command = Command::new(program);
        let command = command.args(words).current_dir(lab.path());
        let output = outcome(command.env("SLURM_CONF", self.config()).output().unwrap());
        let jobs = outputs(lab.path());
        assert_eq!(
            output.code,
            Some(0),
            "{program} {words:?}: {output:#?}\n{jobs}"
        );
        output.stdout.trim().to_string()
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let pids = std::fs::read_to_string(self.folder.join("pids")).unwrap_or_default();
        for pid in pids.lines().rev().filter_map(|line| line.parse().ok()) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                // One that is gone already needs no killing.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

#[test]
fn slurm_runs_a_comparison_as_a_job_array_even_after_its_jobs_were_killed() {
    let lab = Lab::new();
    let slurm = match Slurm::start(lab.path().join("slurm")) {
        Ok(slurm) => slurm,
        Err(why) => {
            Part::Slurm.is_missing(&why);
            return;
        }
    };
    let config = shipped("compare/optimizers_moons.toml");
    let compare = |more: &[&str]| {
        let sets = [
            "seeds=2",
            "training.num_epochs=500",
            "checkpoint.every.steps=100",
        ];
        let sets = sets.iter().flat_map(|set| ["--set", set]);
        let words = ["compare", config.to_str().unwrap()]
            .into_iter()
            .chain(sets);
        lab.succeed(&words.chain(more.iter().copied()).collect::<Vec<_>>())
    };
    let run = |program: &str, words: &[&str]| slurm.run(&lab, program, words);
    lab.write("job.sh", compare(&["--launcher", "slurm"]).stdout);
    let artifacts = lab.path().join("artifacts/optimizers_moons");

    // Killed while the first trials are on their way, with whatever they were writing.
    let job = run("sbatch", &["--parsable", "job.sh"]);
    wait_until(60, "a trial has begun", || is_under_way(&artifacts));
    run("scancel", &["--signal=KILL", "--full", &job]);
    run("scancel", &[&job]);
    wait_until(60, "the jobs are gone", || {
        run("squeue", &["--noheader"]).is_empty()
    });
    let done = count(&artifacts, "result.json");
    let plan = std::fs::read_to_string(artifacts.join("plan.jsonl")).unwrap();
    assert!(
        done < plan.lines().count(),
        "all trials were done before they were killed"
    );

    run("sbatch", &["--wait", "job.sh"]);
    compare(&["--collect"]);
    let read = || std::fs::read_to_string(artifacts.join("comparison.json")).unwrap();
    let on_slurm: serde_json::Value = serde_json::from_str(&read()).unwrap();
    for variant in on_slurm["variants"].as_array().unwrap() {
        assert_eq!(variant["num_done"], 2, "{variant}");
    }
    // The same figures as without Slurm.
    std::fs::remove_dir_all(&artifacts).unwrap();
    compare(&[]);
    let here: serde_json::Value = serde_json::from_str(&read()).unwrap();
    let figures = |report: &serde_json::Value| -> Vec<serde_json::Value> {
        let trials = report["trials"].as_array().unwrap();
        trials
            .iter()
            .map(|trial| trial["figures"].clone())
            .collect()
    };
    assert_eq!(figures(&on_slurm), figures(&here));
}

#[test]
fn slurm_warns_a_trial_before_its_time_is_over_and_the_trial_saves() {
    let lab = Lab::new();
    let slurm = match Slurm::start(lab.path().join("slurm")) {
        Ok(slurm) => slurm,
        Err(why) => {
            Part::Slurm.is_missing(&why);
            return;
        }
    };
    let config = shipped("compare/optimizers_moons.toml");
    let script = lab.succeed(&[
        "compare",
        config.to_str().unwrap(),
        "--launcher",
        "slurm",
        "--set",
        "seeds=1",
        "--set",
        "training.num_epochs=1000000",
        // Only a trial that is asked to stop saves.
        "--set",
        "checkpoint.every.epochs=1000000",
    ]);
    lab.write("job.sh", script.stdout);
    let artifacts = lab.path().join("artifacts/optimizers_moons");
    let run = |program: &str, words: &[&str]| slurm.run(&lab, program, words);
    let is_over = |job: &str| run("squeue", &["--noheader", "--jobs", job]).is_empty();

    // By a signal to the batch script, as the warning is one.
    let job = run("sbatch", &["--parsable", "--array=0", "job.sh"]);
    wait_until(60, "a trial has trained", || {
        count(&artifacts, "metrics.csv") == 1
    });
    run("scancel", &["--signal=TERM", "--batch", &job]);
    wait_until(60, "the job is gone", || is_over(&job));
    assert!(is_under_way(&artifacts), "{}", outputs(lab.path()));
    let state = state_of(&lab);
    assert_eq!(state["state"], "interrupted", "{state}");

    // By the warning itself, which comes within the minute that the job may take. Without it, the job would time out.
    let job = run("sbatch", &["--parsable", "--array=0", "--time=1", "job.sh"]);
    wait_until(150, "the job is gone", || is_over(&job));
    let ended = run("scontrol", &["show", "job", &job]);
    assert!(ended.contains("JobState=FAILED"), "{ended}");
    assert!(ended.contains("ExitCode=130:0"), "{ended}");
    let later = state_of(&lab);
    let epochs = |state: &serde_json::Value| state["epochs"].as_u64().unwrap();
    assert!(epochs(&later) > epochs(&state), "{later}");

    let name = later["run"].as_str().unwrap();
    let last = format!("training.num_epochs={}", epochs(&later) + 2);
    let words = [
        "resume",
        name,
        "--dashboard",
        "quiet",
        "--force",
        "--set",
        &last,
    ];
    lab.succeed(&words);
    assert_eq!(count(&artifacts, "result.json"), 1);
}

/// The only run of the lab in the list of runs.
fn state_of(lab: &Lab) -> serde_json::Value {
    let listed = lab.succeed(&["runs", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    listed[0].clone()
}

/// Whether some run has a checkpoint and no result.
fn is_under_way(artifacts: &Path) -> bool {
    let runs = std::fs::read_dir(artifacts).into_iter().flatten().flatten();
    runs.map(|entry| entry.path()).any(|run| {
        let has_checkpoint = std::fs::read_dir(run.join("checkpoints"))
            .is_ok_and(|mut checkpoints| checkpoints.next().is_some());
        has_checkpoint && !run.join("result.json").exists()
    })
}

/// The number of runs that have this file.
fn count(artifacts: &Path, file: &str) -> usize {
    let runs = std::fs::read_dir(artifacts).unwrap().flatten();
    runs.filter(|run| run.path().join(file).exists()).count()
}

/// The output of the jobs, to be shown after a failure.
fn outputs(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let outputs = entries.filter(|e| e.file_name().to_string_lossy().starts_with("slurm-"));
    let texts = outputs.map(|e| std::fs::read_to_string(e.path()).unwrap_or_default());
    texts.collect::<Vec<_>>().join("\n")
}
