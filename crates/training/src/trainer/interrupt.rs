//! The request to stop a training, shared by signal handlers and the training loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A flag that asks a training to finish its step, save and return.
#[derive(Clone, Debug)]
pub struct StopFlag {
    is_requested: Arc<AtomicBool>,
    at_step: Arc<AtomicU64>,
}

impl Default for StopFlag {
    fn default() -> Self {
        Self {
            is_requested: Arc::default(),
            at_step: Arc::new(AtomicU64::new(u64::MAX)),
        }
    }
}

impl StopFlag {
    /// Asks to stop after the step under way.
    pub fn request(&self) {
        self.is_requested.store(true, Ordering::Relaxed);
    }

    /// Asks to stop after step `step`, counted from the start of the training.
    pub fn request_at(&self, step: u64) {
        self.at_step.store(step, Ordering::Relaxed);
    }

    /// Whether somebody has asked to stop after the step under way.
    pub fn is_requested(&self) -> bool {
        self.is_requested.load(Ordering::Relaxed)
    }

    /// Whether a training that has done `step` steps should stop.
    pub fn is_due(&self, step: u64) -> bool {
        self.is_requested() || step >= self.at_step.load(Ordering::Relaxed)
    }

    /// Steps from `step` to the one after which somebody has asked to stop.
    pub(crate) fn steps_left(&self, step: u64) -> u64 {
        self.at_step.load(Ordering::Relaxed).saturating_sub(step)
    }

    /// The flag itself, for a signal handler to set.
    pub fn shared(&self) -> Arc<AtomicBool> {
        self.is_requested.clone()
    }
}
