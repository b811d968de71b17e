//! A training of very many steps, in the memory and on the thread that it began with.

use std::process::Child;

use emberlab_training::device;

use crate::lab::{Lab, wait_until};
use crate::requirements::Part;

/// 4-10-3 on iris, 15 steps an epoch: batches, metrics, both splits measured and a row for every epoch.
const CONFIG: &str = r#"
name = "long"
dataset = { name = "iris" }
split = { method = "stratified", train = 120, valid = 30 }
model = { name = "mlp", hidden = [10] }
loss = { name = "cross_entropy" }
optimizer = { name = "sgd", learning_rate = 0.001, momentum = 0.9 }
training = { num_epochs = 1_000_000, batch_size = 8 }
checkpoint = { every = { steps = 9_000 } }
"#;

const STEPS_PER_EPOCH: usize = 15;

/// What may be added in 90 000 steps: 64 bytes a step would be 5.5 MiB. The rows of `metrics.csv`, which
/// every checkpoint holds, are 1.2 MiB of it; from one moment to another it differs by 2 MiB.
const MAX_GROWTH_KIB: usize = 5 * 1024;

/// What Linux says of a running process.
struct Status {
    resident_kib: usize,
    /// How often its main thread waited for something.
    waits: usize,
}

fn status(process: &Child) -> Status {
    let text = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let number = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    Status {
        resident_kib: number("VmRSS:"),
        waits: number("voluntary_ctxt_switches:"),
    }
}

/// A training after 10 000 and after 100 000 steps, killed then.
fn early_and_late(device: &str) -> [Status; 2] {
    let lab = Lab::new();
    lab.write("long.toml", CONFIG);
    let words = ["train", "long.toml", "--run", "run", "--device", device];
    let mut training = lab
        .command(&[&words[..], &["--dashboard", "quiet"]].concat())
        .spawn()
        .unwrap();
    let rows = lab.path().join("artifacts/long/run/metrics.csv");
    let statuses = [10_000, 100_000].map(|steps| {
        wait_until(120, &format!("{steps} steps on {device} are done"), || {
            assert!(training.try_wait().unwrap().is_none(), "{device} ended");
            let written = std::fs::read(&rows).unwrap_or_default();
            let lines = written.iter().filter(|byte| **byte == b'\n').count();
            lines.saturating_sub(1) * STEPS_PER_EPOCH >= steps
        });
        status(&training)
    });
    training.kill().unwrap();
    training.wait().unwrap();
    statuses
}

#[test]
fn a_hundred_thousand_steps_take_no_more_memory_and_no_other_thread_on_each_cpu_device() {
    if !cfg!(target_os = "linux") {
        Part::Procfs.is_missing("memory and waits are read from /proc, which only Linux has");
        return;
    }
    for device in device::compiled() {
        if !["flex", "ndarray"].contains(&device) {
            continue;
        }
        let [early, late] = early_and_late(device);
        let growth = late.resident_kib.saturating_sub(early.resident_kib);
        assert!(
            growth <= MAX_GROWTH_KIB,
            "{device} grew by {growth} KiB to {} KiB in 90 000 steps",
            late.resident_kib
        );
        // Handing work to another thread is a wait, several a step. Checkpoints, rows and whatever else waits
        // is far less than one a step, on a machine of any speed.
        let waits = late.waits - early.waits;
        assert!(
            waits <= 45_000,
            "{device} waited {waits} times in 90 000 steps"
        );
    }
}
