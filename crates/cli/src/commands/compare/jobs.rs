//! Trials as processes, several at a time.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use emberlab_training::StopFlag;

use crate::progress::WAITS_FOR_ROOM;
use crate::signals::INTERRUPTED;

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// It ended with exit code 0.
    Done,
    /// It was asked to stop.
    Interrupted,
    /// It failed: its exit code or signal, and the last lines of its stderr.
    Failed(String),
}

/// Receives the progress of jobs, from several threads.
pub trait Watcher: Sync {
    /// A job has begun.
    fn began(&self, job: usize);
    /// A job has printed a line.
    fn printed(&self, job: usize, line: &str);
    /// A job has said that it waits for room on the disk.
    fn waits(&self, job: usize, line: &str);
    /// A job has ended; `is_last` unless it is tried again.
    fn ended(&self, job: usize, end: &JobEnd, is_last: bool);
}

/// Time between two checks for a request to stop.
const TICK: Duration = Duration::from_millis(20);

/// Lines of stderr that are shown of a job that failed.
const LAST_LINES: usize = 5;

/// Runs the processes of jobs 0 to `num_jobs`, `num_side_by_side` at a time, in order; a job that fails is
/// repeated up to `retries` times.
///
/// After a request to stop, no further job starts, and the running jobs receive SIGTERM. Jobs that never started are
/// not in the result.
pub fn run_all(
    num_jobs: usize,
    num_side_by_side: usize,
    retries: usize,
    command: impl Fn(usize) -> Command + Sync,
    stop: &StopFlag,
    watcher: &impl Watcher,
) -> Vec<(usize, JobEnd)> {
    let queue: Mutex<VecDeque<usize>> = Mutex::new((0..num_jobs).collect());
    let ends: Mutex<Vec<(usize, JobEnd)>> = Mutex::default();
    let running = Running::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..num_side_by_side.min(num_jobs))
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let next = lock(&queue).pop_front();
                        let Some(job) = next.filter(|_| !stop.is_requested()) else {
                            break;
                        };
                        let mut tries_left = retries;
                        let end = loop {
                            watcher.began(job);
                            let print = |line: &str| watcher.printed(job, line);
                            let tell = |line: &str| watcher.waits(job, line);
                            let end = run(command(job), &running, print, tell);
                            let again = matches!(end, JobEnd::Failed(_))
                                && tries_left > 0
                                && !stop.is_requested();
                            watcher.ended(job, &end, !again);
                            if !again {
                                break end;
                            }
                            tries_left -= 1;
                        };
                        lock(&ends).push((job, end));
                    }
                })
            })
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            if stop.is_requested() {
                ask_all_to_end(&running);
            }
            std::thread::sleep(TICK);
        }
    });
    ends.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The processes that run, each with whether it was asked to end.
type Running = Mutex<BTreeMap<u32, bool>>;

/// Asks every process that runs to end, but none twice: a second signal would end it before it has saved.
fn ask_all_to_end(running: &Running) {
    for (&process, was_asked) in lock(running).iter_mut() {
        if !*was_asked {
            *was_asked = true;
            ask_to_end(process);
        }
    }
}

/// Runs one process to its end. `print` gets each line of its output, and `tell` each line that says that it waits for
/// room on the disk.
fn run(
    mut command: Command,
    running: &Running,
    mut print: impl FnMut(&str),
    tell: impl Fn(&str) + Send,
) -> JobEnd {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // A process group of its own: Ctrl-C then reaches only this process, which asks each job once.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return JobEnd::Failed(format!("cannot be started: {error}")),
    };
    let process = child.id();
    lock(running).insert(process, false);
    let (status, was_asked, text) = std::thread::scope(|scope| {
        let stderr = child.stderr.take();
        let stderr = stderr.map(|pipe| scope.spawn(move || messages(pipe, tell)));
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                print(&line);
            }
        }
        let status = child.wait();
        let was_asked = lock(running).remove(&process).unwrap_or(false);
        let text = stderr.and_then(|reader| reader.join().ok());
        (status, was_asked, text.unwrap_or_default())
    });
    let how = match status {
        Ok(status) => match status.code() {
            Some(0) => return JobEnd::Done,
            Some(code) if code == i32::from(INTERRUPTED) => return JobEnd::Interrupted,
            Some(code) => format!("exit code {code}"),
            // It was asked before it could handle the signal.
            None if was_asked => return JobEnd::Interrupted,
            None => killed(status),
        },
        Err(error) => error.to_string(),
    };
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    JobEnd::Failed(format!("{how}\n{last}").trim_end().to_string())
}

/// Reads the messages of a process to their end; `tell` gets those that say that it waits for room on the disk.
fn messages(pipe: impl Read, tell: impl Fn(&str)) -> String {
    let mut pipe = BufReader::new(pipe);
    let (mut text, mut line) = (String::new(), Vec::new());
    // A message without this text is still useful, so an error is ignored.
    while pipe
        .read_until(b'\n', &mut line)
        .is_ok_and(|length| length > 0)
    {
        let read = String::from_utf8_lossy(&line);
        if read.starts_with(WAITS_FOR_ROOM) {
            tell(read.trim_end());
        }
        text.push_str(&read);
        line.clear();
    }
    text
}

/// The reason why a process without an exit code ended.
#[cfg(unix)]
fn killed(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => format!("killed by signal {signal}"),
        None => "no exit code".to_string(),
    }
}

/// The reason why a process without an exit code ended.
#[cfg(not(unix))]
fn killed(_: ExitStatus) -> String {
    "no exit code".to_string()
}

#[cfg(unix)]
fn ask_to_end(process: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        // An error means that the process has just ended.
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// On other systems jobs finish by themselves.
#[cfg(not(unix))]
fn ask_to_end(_: u32) {}

/// Ends this process when `parent`, which started it, ends.
///
/// # Errors
/// A message if the parent has ended already.
#[cfg(target_os = "linux")]
pub fn end_with(parent: i32) -> Result<(), String> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::TERM)).map_err(|error| error.to_string())?;
    match getppid() {
        Some(pid) if pid.as_raw_nonzero().get() == parent => Ok(()),
        _ => Err(format!(
            "process {parent}, which started this one, has ended already"
        )),
    }
}

/// On other systems a trial whose parent is killed finishes by itself.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn end_with(_: i32) -> Result<(), String> {
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Requests a stop when a job prints.
    struct StopsOnOutput<'a>(&'a StopFlag);

    impl Watcher for StopsOnOutput<'_> {
        fn began(&self, _: usize) {}
        fn printed(&self, _: usize, _: &str) {
            self.0.request();
        }
        fn waits(&self, _: usize, _: &str) {}
        fn ended(&self, _: usize, _: &JobEnd, _: bool) {}
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_job_that_starts_just_after_the_request_to_stop_is_asked_too() {
        let stop = StopFlag::default();
        let began = Instant::now();
        let command = |_| {
            stop.request();
            // Long enough for the request to be seen before the process runs.
            std::thread::sleep(5 * TICK);
            shell("exec sleep 60")
        };
        let ends = run_all(1, 1, 0, command, &stop, &StopsOnOutput(&stop));
        assert_eq!(ends, [(0, JobEnd::Interrupted)]);
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_job_is_asked_to_stop_only_once() {
        let stop = StopFlag::default();
        let script = "n=0; trap 'n=$((n+1))' TERM; echo ready; \
                      for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.05; done; exit $n";
        let ends = run_all(1, 1, 0, |_| shell(script), &stop, &StopsOnOutput(&stop));
        assert_eq!(ends, [(0, JobEnd::Failed("exit code 1".to_string()))]);
    }
}
