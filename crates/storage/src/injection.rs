//! Faults that tests inject into the file operations of a process.
//!
//! Operations are counted from 1, in the order of the process.
//!
//! | variable | meaning |
//! |---|---|
//! | `EMBERLAB_FAULT=N:MODE` or `N-M:MODE` | the fault of operation N, or of the operations from N to M |
//! | `EMBERLAB_FAULT_LOG=FILE` | a file to which every operation is written, one per line |
//!
//! Modes: `kill_before`, `kill_inside` (half of a write is done), `kill_after` end the process with SIGKILL.
//! `power_cut` kills it after the operation and undoes what was not synced: the second half of files, and renames.
//! `no_space` (half of a write is done), `read_only` and `broken` fail with the system's error.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};

use crate::operations::Operation;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    KillBefore,
    KillInside,
    KillAfter,
    PowerCut,
    NoSpace,
    ReadOnly,
    Broken,
}

struct Plan {
    at: RangeInclusive<u64>,
    mode: Mode,
}

/// The variable that names the file of operations.
const LOG: &str = "EMBERLAB_FAULT_LOG";

static PLAN: LazyLock<Option<Plan>> = LazyLock::new(|| {
    let text = std::env::var("EMBERLAB_FAULT").ok()?;
    Some(parse(&text).unwrap_or_else(|| panic!("EMBERLAB_FAULT={text} is not a fault")))
});

fn parse(text: &str) -> Option<Plan> {
    let (numbers, mode) = text.split_once(':')?;
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let mode = match mode {
        "kill_before" => Mode::KillBefore,
        "kill_inside" => Mode::KillInside,
        "kill_after" => Mode::KillAfter,
        "power_cut" => Mode::PowerCut,
        "no_space" => Mode::NoSpace,
        "read_only" => Mode::ReadOnly,
        "broken" => Mode::Broken,
        _ => return None,
    };
    Some(Plan {
        at: first.parse().ok()?..=last.parse().ok()?,
        mode,
    })
}

/// The operations of this process so far.
#[derive(Default)]
struct Done {
    num_operations: u64,
    unsynced_files: Vec<PathBuf>,
    unsynced_renames: Vec<Renamed>,
}

/// A rename, with the content of the file that it replaced.
struct Renamed {
    from: PathBuf,
    to: PathBuf,
    replaced: Option<Vec<u8>>,
}

static DONE: Mutex<Option<Done>> = Mutex::new(None);

/// Whether operations are logged, or a fault is planned.
pub(crate) fn is_active() -> bool {
    PLAN.is_some() || std::env::var_os(LOG).is_some()
}

/// Does an operation, or its planned fault.
pub(crate) fn perform<T>(
    operation: Operation<'_>,
    act: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    let done = done.get_or_insert_default();
    done.num_operations += 1;
    log(done.num_operations, operation);
    // Without a fault ahead, nothing has to be remembered.
    let Some(plan) = PLAN.as_ref() else {
        return act();
    };
    let replaced = match operation {
        Operation::Rename(_, to) => fs::read(to).ok(),
        _ => None,
    };
    if !plan.at.contains(&done.num_operations) {
        let result = act();
        done.remember(operation, replaced, result.is_ok());
        return result;
    }
    match plan.mode {
        Mode::KillBefore => kill(),
        Mode::KillInside => {
            write_half(operation);
            kill()
        }
        Mode::KillAfter => {
            drop(act());
            kill()
        }
        Mode::PowerCut => {
            let result = act();
            done.remember(operation, replaced, result.is_ok());
            done.lose_what_is_not_synced();
            kill()
        }
        Mode::NoSpace => match operation {
            // Removing and renaming need no space.
            Operation::RemoveFile(_) | Operation::RemoveFolder(_) | Operation::Rename(..) => act(),
            _ => {
                write_half(operation);
                Err(Errno::NOSPC.into())
            }
        },
        Mode::ReadOnly => Err(Errno::ROFS.into()),
        Mode::Broken => Err(Errno::IO.into()),
    }
}

impl Done {
    fn remember(&mut self, operation: Operation<'_>, replaced: Option<Vec<u8>>, is_done: bool) {
        if !is_done {
            return;
        }
        match operation {
            Operation::Write(path, _) => self.unsynced_files.push(path.to_path_buf()),
            Operation::SyncFile(path) => self.unsynced_files.retain(|p| p != path),
            Operation::Rename(from, to) => {
                self.unsynced_files.retain(|replaced| replaced != to);
                // Files in a renamed folder stay unsynced under their new path.
                for file in &mut self.unsynced_files {
                    if let Ok(inside) = file.strip_prefix(from) {
                        *file = to.join(inside);
                    }
                }
                self.unsynced_renames.push(Renamed {
                    from: from.to_path_buf(),
                    to: to.to_path_buf(),
                    replaced,
                });
            }
            Operation::SyncFolder(path) => self
                .unsynced_renames
                .retain(|renamed| renamed.to.parent() != Some(path)),
            Operation::SyncFileSystem(_) => {
                self.unsynced_files.clear();
                self.unsynced_renames.clear();
            }
            Operation::RemoveFile(path) => self.unsynced_files.retain(|p| p != path),
            _ => {}
        }
    }

    /// Changes the disk as a power cut might.
    fn lose_what_is_not_synced(&self) {
        for file in &self.unsynced_files {
            if let Ok(content) = fs::read(file) {
                // Only tests run this: an error here is not reported.
                let _ = fs::write(file, &content[..content.len() / 2]);
            }
        }
        for Renamed { from, to, replaced } in self.unsynced_renames.iter().rev() {
            if !from.exists() {
                let _ = fs::rename(to, from);
            }
            if let Some(content) = replaced {
                let _ = fs::write(to, content);
            }
        }
    }
}

fn write_half(operation: Operation<'_>) {
    if let Operation::Write(path, content) = operation {
        append(path, &content[..content.len() / 2]);
    }
}

fn append(path: &Path, content: &[u8]) {
    if let Ok(mut file) = OpenOptions::new().append(true).create(true).open(path) {
        // Only tests run this: an error here is not reported.
        let _ = file.write_all(content);
    }
}

fn log(number: u64, operation: Operation<'_>) {
    if let Some(file) = std::env::var_os(LOG) {
        let path = operation.path().display();
        let line = format!("{number} {} {path}\n", operation.action());
        append(Path::new(&file), line.as_bytes());
    }
}

fn kill() -> ! {
    // The signal cannot be refused, and arrives before the call returns.
    let _ = kill_process(getpid(), Signal::KILL);
    unreachable!("the process was killed")
}
