//! A training of very many steps, in the memory and on the thread that it began with.

use std::process::Child;

use emberlab_training::device;

use crate::lab::{Lab, wait_until};
use crate::requirements::Part;

/// 4-10-3 on iris: batches, metrics, both splits measured and a row for every epoch.
const CONFIG: &str = r#"
name = "long"
dataset = { name = "iris" }
split = { method = "stratified", train = 120, valid = 30 }
model = { name = "mlp", hidden = [10] }
loss = { name = "cross_entropy" }
optimizer = { name = "sgd", learning_rate = 0.001, momentum = 0.9 }
training = { num_epochs = 1_000_000 }
"#;

/// Most memory that the later steps may add. The rows of `metrics.csv`, which every checkpoint holds, are 1.5 MiB of
/// it, and the allocator's pages differ by as much.
const MAX_GROWTH_KIB: usize = 5 * 1024;

/// A training by one engine.
struct Case {
    engine: &'static str,
    batch_size: usize,
    /// Numbers of steps: after the first, the memory of a training no longer grows; the second is many more.
    steps: [usize; 2],
    /// One checkpoint is written in this many steps.
    checkpoint: usize,
}

/// Fused kernels take a tenth of the time for a step, so they take ten times as many.
const CASES: [Case; 2] = [
    Case {
        engine: "burn",
        batch_size: 8,
        steps: [10_000, 100_000],
        checkpoint: 9_000,
    },
    Case {
        engine: "fused",
        batch_size: 1,
        steps: [400_000, 1_300_000],
        checkpoint: 90_000,
    },
];

/// The status of a running process in `/proc`.
struct Status {
    resident_kib: usize,
    /// The number of times that its main thread waited for something.
    waits: usize,
}

fn status(process: &Child) -> Status {
    let number = |key: &str| -> usize {
        let path = format!("/proc/{}/status", process.id());
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let waits = number("voluntary_ctxt_switches:");
    // The lowest of some readings: a checkpoint under way holds its files in memory.
    let readings = (0..20).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(5));
        number("VmRSS:")
    });
    Status {
        resident_kib: readings.min().unwrap(),
        waits,
    }
}

/// A training after few and after many steps, killed then.
fn early_and_late(device: &str, case: &Case) -> [Status; 2] {
    let lab = Lab::new();
    lab.write("long.toml", CONFIG);
    let settings = [
        format!("training.engine=\"{}\"", case.engine),
        format!("training.batch_size={}", case.batch_size),
        format!("checkpoint.every={{ steps = {} }}", case.checkpoint),
    ];
    let mut words = vec!["train", "long.toml", "--run", "run", "--device", device];
    words.extend(["--dashboard", "quiet"]);
    words.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    let steps_per_epoch = 120 / case.batch_size;
    let mut training = lab.command(&words).spawn().unwrap();
    let rows = lab.path().join("artifacts/long/run/metrics.csv");
    let statuses = case.steps.map(|steps| {
        wait_until(120, &format!("{steps} steps on {device} are done"), || {
            assert!(training.try_wait().unwrap().is_none(), "{device} ended");
            let written = std::fs::read(&rows).unwrap_or_default();
            let lines = written.iter().filter(|byte| **byte == b'\n').count();
            lines.saturating_sub(1) * steps_per_epoch >= steps
        });
        status(&training)
    });
    training.kill().unwrap();
    training.wait().unwrap();
    statuses
}

#[test]
fn many_steps_take_no_more_memory_and_no_other_thread_on_each_cpu_device_by_each_engine() {
    if !cfg!(target_os = "linux") {
        Part::Procfs.is_missing("memory and waits are read from /proc, which only Linux has");
        return;
    }
    for device in device::compiled() {
        if !["flex", "ndarray"].contains(&device) {
            continue;
        }
        for case in &CASES {
            let [early, late] = early_and_late(device, case);
            let num_steps = case.steps[1] - case.steps[0];
            let what = format!("{device}, {}, {num_steps} steps", case.engine);
            let growth = late.resident_kib.saturating_sub(early.resident_kib);
            assert!(
                growth <= MAX_GROWTH_KIB,
                "{what}: grew by {growth} KiB to {} KiB",
                late.resident_kib
            );
            // Handing work to another thread is a wait, several a step. Checkpoints, rows and whatever else waits
            // is far less than one a step, on a machine of any speed.
            let waits = late.waits - early.waits;
            assert!(waits <= num_steps / 2, "{what}: waited {waits} times");
        }
    }
}
