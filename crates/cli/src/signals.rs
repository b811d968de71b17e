//! Ctrl-C and SIGTERM: the first stops a training after its step and saves, the second ends the program at once.

use std::process;

use emberlab_training::{StopFlag, terminal};

use crate::failure::Failure;

/// Printed after the first signal.
#[cfg(unix)]
const STOPPING: &str =
    "stopping after this step, then saving; press Ctrl-C again to stop at once without saving";

/// What fails if the system does not allow signals to be handled.
const NOT_HANDLED: &str = "cannot handle signals";

/// The exit code of an interrupted command.
pub const INTERRUPTED: u8 = 130;

/// A flag that stops a training when the process is asked to end. With `announce`, a message on stderr says so; a
/// dashboard that fills the screen must not be disturbed by it.
///
/// # Errors
/// [`Failure::Failed`] if the system does not allow signals to be handled.
#[cfg(unix)]
pub fn stop_on_request(announce: bool) -> Result<StopFlag, Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    let stop = StopFlag::default();
    let asked = stop.clone();
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(Failure::of(NOT_HANDLED))?;
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for _ in signals.forever() {
                if asked.is_requested() {
                    terminal::restore();
                    process::exit(i32::from(INTERRUPTED));
                }
                asked.request();
                if announce {
                    say!("{STOPPING}");
                }
            }
        })
        .map_err(Failure::of(NOT_HANDLED))?;
    Ok(stop)
}

/// A flag that stops a training when the process is asked to end. With `announce`, a message on stderr says so; a
/// dashboard that fills the screen must not be disturbed by it.
///
/// # Errors
/// [`Failure::Failed`] if the system does not allow signals to be handled.
#[cfg(not(unix))]
pub fn stop_on_request(announce: bool) -> Result<StopFlag, Failure> {
    // The handler here can only set flags, so nothing is announced.
    let _ = announce;
    let stop = StopFlag::default();
    signal_hook::flag::register_conditional_shutdown(
        signal_hook::consts::SIGINT,
        i32::from(INTERRUPTED),
        stop.shared(),
    )
    .and_then(|_| signal_hook::flag::register(signal_hook::consts::SIGINT, stop.shared()))
    .map_err(Failure::of(NOT_HANDLED))?;
    Ok(stop)
}
