//! The dashboard after a training: it stays open until a key is pressed, or closes at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;

use super::{LoopStrategy, Stay, terminal};
use crate::trainer::interrupt::StopFlag;

/// Time between two looks for a key. burn-train's dashboard, which reads keys ten times a second, is rarely faster.
const LOOK: Duration = Duration::from_millis(1);

/// How to close a dashboard that stays open. Except on Unix, its own keys close it.
const HOW_TO_CLOSE: &str = if cfg!(unix) {
    "any key closes"
} else {
    "q closes"
};

/// The dashboard of trainings that have ended. It is on the terminal until it is dropped.
pub struct OpenDashboard {
    /// None if there is no dashboard.
    pub(super) tui: Option<OpenTui>,
    /// Observers print warnings when they are dropped. They are dropped after the dashboard has left the terminal.
    pub(super) _training: Arc<LoopStrategy>,
}

/// burn-train's terminal dashboard, which draws and reads keys on a thread of its own.
pub(super) struct OpenTui {
    pub(super) renderer: Box<dyn MetricsRenderer>,
    pub(super) interrupter: Interrupter,
    pub(super) label: String,
    pub(super) num_epochs: usize,
    pub(super) opened: Instant,
    pub(super) stay: Stay,
}

impl OpenDashboard {
    /// Keeps the dashboard open until a key is pressed or a stop is requested, if it is to stay, then closes it. The
    /// arrow keys and the mouse still choose what it plots.
    pub fn stay(mut self, stop: &StopFlag) {
        let Some(mut tui) = self.tui.take() else {
            return;
        };
        survive(|| {
            if tui.stay.lasts(tui.opened.elapsed()) && !stop.is_requested() {
                tui.wait(stop);
            }
            drop(tui);
        });
    }
}

impl Drop for OpenDashboard {
    fn drop(&mut self) {
        let tui = self.tui.take();
        survive(|| drop(tui));
    }
}

impl OpenTui {
    fn wait(&mut self, stop: &StopFlag) {
        // The end of a long label is cut off.
        let label = format!("done, {HOW_TO_CLOSE}: {}", self.label);
        let (epochs, renderer) = (self.num_epochs, &mut self.renderer);
        renderer.start(epochs, epochs, None, Some(&label));
        terminal::forget_keys();
        while !stop.is_requested() && !self.interrupter.should_stop() && terminal::is_raw() {
            if terminal::is_plain_key_waiting() {
                terminal::forget_keys();
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Calls `f`. Every call of a dashboard that was closed by its key `k` panics: nothing is left to do then, because the
/// training has ended.
fn survive(f: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(f));
}
