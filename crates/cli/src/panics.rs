//! Panics, of Burn or of this program, reported as one line instead of a backtrace.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

use crate::failure::Failure;

/// Message and place of the last panic. A panic hook can only write to a static.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Runs a command, and turns a panic into a failure.
///
/// # Errors
/// Those of `command`, and [`Failure::Failed`] for a panic.
pub fn caught<T>(command: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    panic::set_hook(Box::new(|info| {
        let text = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(format!("{text} ({place})"));
    }));
    panic::catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|_| {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
        let what = last.unwrap_or_else(|| "no message".to_string());
        Err(Failure::Failed(format!(
            "internal error: {what}; everything that was saved before is intact"
        )))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_panic_becomes_one_line_with_its_place() {
        let failure = caught(|| -> Result<(), Failure> { panic!("the {} broke", "device") });
        let text = failure.unwrap_err().to_string();
        assert!(text.contains("the device broke"), "{text}");
        assert!(text.contains("panics.rs"), "{text}");
        assert!(!text.contains('\n'), "{text}");
        drop(panic::take_hook());
    }
}
