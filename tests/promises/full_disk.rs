//! Disks that are full, read-only or gone: real ones where the system lets a test make them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::lab::{FIGURES, Lab, Outcome, assert_same_files, outcome, shipped, wait_until};
use crate::requirements::Part;

/// A file system of its own, of a given size.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts one at `folder`, where the system lets us.
    fn mount(folder: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&folder).unwrap();
        let options = format!("size={size}");
        let kind = ["-t", "tmpfs", "-o", &options, "tmpfs"];
        let mount = Command::new("mount").args(kind).arg(&folder).output();
        let is_mounted = mount.is_ok_and(|output| output.status.success());
        is_mounted.then_some(Self { folder })
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let mount = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.folder)
            .status();
        assert!(mount.is_ok_and(|status| status.success()));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmount = Command::new("umount").arg("-l").arg(&self.folder).status();
        assert!(unmount.is_ok_and(|status| status.success()));
    }
}

/// The digits with a network of 700 kB, saved after every epoch.
fn train(lab: &Lab, name: &str, more: &[&str]) -> Outcome {
    let config = shipped("train/digits.toml");
    let sets = [
        "training.num_epochs=4",
        "checkpoint.every.epochs=1",
        "model.hidden=[512,256]",
    ];
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    let words = [
        "train",
        config.to_str().unwrap(),
        "--run",
        name,
        "--dashboard",
        "quiet",
    ];
    lab.run(&[&words[..], &sets[..], more].concat())
}

#[test]
fn a_full_disk_and_a_read_only_one_stop_the_training_and_lose_nothing() {
    let lab = Lab::new();
    // A network is 0.7 MB, a checkpoint with optimiser and best network 2.7 MB.
    let Some(disk) = Disk::mount(lab.path().join("artifacts"), "6m") else {
        Part::Tmpfs.is_missing("this system does not let a test mount a tmpfs");
        return;
    };
    let full = train(&lab, "run", &[]);
    assert_eq!(full.code, Some(1), "{full:#?}");
    assert!(
        full.stderr.contains("No space left on device"),
        "{}",
        full.stderr
    );
    assert!(
        full.stderr.contains("emberlab resume digits/run"),
        "{}",
        full.stderr
    );
    let runs = lab.succeed(&["runs"]).stdout;
    assert!(
        runs.contains("failed") && runs.contains("No space left"),
        "{runs}"
    );
    lab.succeed(&["runs", "check"]);
    let resume = ["resume", "run", "--dashboard", "quiet"];
    let again = lab.run(&resume);
    assert_eq!(again.code, Some(1), "{again:#?}");

    disk.remount("size=50m,ro");
    let refused = lab.run(&resume);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(
        refused.stderr.contains("Read-only file system"),
        "{}",
        refused.stderr
    );

    disk.remount("rw");
    lab.succeed(&resume);
    lab.succeed(&["runs", "check"]);
    let elsewhere = Lab::new();
    assert_eq!(train(&elsewhere, "run", &[]).code, Some(0));
    let run = |lab: &Lab| lab.path().join("artifacts/digits/run");
    assert_same_files(&run(&lab), &run(&elsewhere), &FIGURES);
}

#[test]
fn a_training_whose_folder_vanishes_says_so_and_brings_nothing_back() {
    let lab = Lab::new();
    let config = shipped("train/moons.toml");
    let words = [
        "train",
        config.to_str().unwrap(),
        "--run",
        "gone",
        "--dashboard",
        "quiet",
    ];
    let sets = [
        "--set",
        "training.num_epochs=1000000",
        "--set",
        "checkpoint.every.seconds=0.1",
    ];
    let mut command = lab.command(&[&words[..], &sets[..]].concat());
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    let run = lab.path().join("artifacts/moons/gone");
    wait_until(30, "something is saved", || {
        run.join("checkpoints").exists()
    });
    // A save under way may put something back while the folder is being emptied.
    wait_until(30, "the folder is gone", || {
        !run.exists() || std::fs::remove_dir_all(&run).is_ok()
    });
    let ended = outcome(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(
        ended.stderr.contains("No such file or directory"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("moons/gone"), "{}", ended.stderr);
    let advice = "is not there any more: if it was renamed";
    assert!(ended.stderr.contains(advice), "{}", ended.stderr);
    assert!(!run.exists(), "the folder is back");
}
