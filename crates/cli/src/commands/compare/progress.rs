//! The progress of a comparison, on a terminal or in a pipe.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Deserialize;

use super::jobs::{JobEnd, Watcher};
use crate::progress::clock;
use crate::terminal;

/// One process of a comparison, with one trial or several.
pub struct ShownJob {
    /// Its name.
    pub name: String,
    /// Number of trials in it.
    pub num_trials: usize,
}

/// A bar for the comparison and a line for each running job; without a terminal, plain lines.
pub struct TrialProgress {
    jobs: Vec<ShownJob>,
    num_to_train: usize,
    screen: Option<Screen>,
    state: Mutex<State>,
    began: Instant,
}

struct Screen {
    lines: MultiProgress,
    whole: ProgressBar,
}

#[derive(Default)]
struct State {
    num_ended: usize,
    running: HashMap<usize, Running>,
}

struct Running {
    began: Instant,
    bar: Option<ProgressBar>,
}

/// The part of the JSON object of an epoch that is shown.
#[derive(Deserialize)]
struct EpochLine {
    epoch: u64,
    num_epochs: u64,
}

impl TrialProgress {
    /// Starts the display. `is_quiet` chooses plain lines on a terminal too.
    pub fn new(jobs: Vec<ShownJob>, is_quiet: bool) -> Self {
        let num_to_train = jobs.iter().map(|job| job.num_trials).sum();
        let is_terminal = terminal::can_draw(&std::io::stderr()) && !is_quiet;
        let screen = is_terminal.then(|| {
            let lines = MultiProgress::new();
            let whole = lines.add(ProgressBar::new(num_to_train as u64));
            whole.set_style(style(
                "{bar:30} {pos}/{len} trials, {elapsed} elapsed, {eta} left",
            ));
            Screen { lines, whole }
        });
        Self {
            jobs,
            num_to_train,
            screen,
            state: Mutex::default(),
            began: Instant::now(),
        }
    }

    /// Clears the bars.
    pub fn finish(&self) {
        if let Some(screen) = &self.screen {
            screen.whole.finish_and_clear();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn style(template: &str) -> ProgressStyle {
    // A malformed template only changes the looks of the bar.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The line of a reason with the error, or its last one: the whole reason follows when all trials have ended.
fn in_one_line(why: &str) -> &str {
    let is_error = |line: &&str| line.trim().starts_with("error:") || line.trim().starts_with('×');
    let error = why.lines().find(is_error);
    error.or(why.lines().last()).unwrap_or_default().trim()
}

impl Watcher for TrialProgress {
    fn began(&self, job: usize) {
        let bar = self.screen.as_ref().map(|screen| {
            let bar = screen
                .lines
                .insert_before(&screen.whole, ProgressBar::new(1));
            bar.set_style(style("  {msg:40!} {bar:20} epoch {pos}/{len}"));
            bar.set_message(self.jobs[job].name.clone());
            bar
        });
        let began = Instant::now();
        self.lock().running.insert(job, Running { began, bar });
    }

    fn printed(&self, job: usize, line: &str) {
        let Some(bar) = self.lock().running.get(&job).and_then(|r| r.bar.clone()) else {
            return;
        };
        let Ok(line) = serde_json::from_str::<EpochLine>(line) else {
            return;
        };
        bar.set_length(line.num_epochs);
        bar.set_position(line.epoch);
    }

    fn waits(&self, job: usize, line: &str) {
        let run = &self.jobs[job].name;
        match &self.screen {
            Some(screen) => screen.lines.suspend(|| say!("{run}: {line}")),
            None => say!("{run}: {line}"),
        }
    }

    fn ended(&self, job: usize, end: &JobEnd, is_last: bool) {
        let mut state = self.lock();
        let running = state.running.remove(&job);
        let took = running.as_ref().map(|r| r.began.elapsed());
        if let Some(bar) = running.and_then(|r| r.bar) {
            bar.finish_and_clear();
        }
        if is_last {
            state.num_ended += self.jobs[job].num_trials;
        }
        let how = match (end, is_last) {
            (JobEnd::Done, _) => "done",
            (JobEnd::Interrupted, _) => "interrupted",
            (JobEnd::Failed(_), true) => "failed",
            (JobEnd::Failed(_), false) => "failed, trying again",
        };
        let run = &self.jobs[job].name;
        match &self.screen {
            Some(screen) => {
                screen.whole.set_position(state.num_ended as u64);
                if let JobEnd::Failed(why) = end {
                    screen.lines.suspend(|| say!("{run} {how}: {why}"));
                }
            }
            None => {
                let why = match end {
                    JobEnd::Failed(why) => format!(": {}", in_one_line(why)),
                    _ => String::new(),
                };
                say!(
                    "[{}/{}] {run} {how} in {:.1} s, {} elapsed{why}",
                    state.num_ended,
                    self.num_to_train,
                    took.unwrap_or_default().as_secs_f64(),
                    clock(self.began.elapsed()),
                );
            }
        }
    }
}
