//! A comparison as a job array of a real Slurm, with this machine as its only node.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{Lab, project, shipped};

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
fn slurm_runs_a_comparison_as_a_job_array() {
    let lab = Lab::new();
    let slurm = match Slurm::start(lab.path().join("slurm")) {
        Ok(slurm) => slurm,
        Err(why) => {
            eprintln!("slurm_runs_a_comparison_as_a_job_array skips: {why}");
            return;
        }
    };
    let config = shipped("compare/optimizers_moons.toml");
    let compare = |more: &[&str]| {
        let config = config.to_str().unwrap();
        let few = ["--set", "seeds=2", "--set", "training.num_epochs=5"];
        lab.succeed(&[&["compare", config], &few[..], more].concat())
    };
    let script = compare(&["--launcher", "slurm"]).stdout;
    lab.write("job.sh", script);
    let submitted = Command::new("sbatch")
        .args(["--wait", "job.sh"])
        .current_dir(lab.path())
        .env("SLURM_CONF", slurm.config())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&submitted.stderr);
    assert!(
        submitted.status.success(),
        "{said}\n{}",
        outputs(lab.path())
    );
    let artifacts = lab.path().join("artifacts/optimizers_moons");
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

/// What the jobs printed, for a failure.
fn outputs(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let outputs = entries.filter(|e| e.file_name().to_string_lossy().starts_with("slurm-"));
    let texts = outputs.map(|e| std::fs::read_to_string(e.path()).unwrap_or_default());
    texts.collect::<Vec<_>>().join("\n")
}
