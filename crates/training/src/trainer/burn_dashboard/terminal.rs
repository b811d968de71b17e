//! The terminal under the dashboard: its keys, Ctrl-C, which raises its signal, and the way back to the shell.

/// Whether the dashboard has the terminal.
pub(crate) fn is_raw() -> bool {
    crossterm::terminal::is_raw_mode_enabled().unwrap_or(false)
}

/// Whether a key with a letter, Enter, Escape or another one of a single byte has been pressed and not read yet. Arrow
/// keys, the mouse and the terminal's answers send several bytes.
#[cfg(unix)]
pub(crate) fn is_plain_key_waiting() -> bool {
    matches!(rustix::io::ioctl_fionread(std::io::stdin()), Ok(1))
}

/// Elsewhere the dashboard's own keys close it.
#[cfg(not(unix))]
pub(crate) fn is_plain_key_waiting() -> bool {
    false
}

/// Drops the keys that nobody has read, so that the shell does not get them.
#[cfg(unix)]
pub(crate) fn forget_keys() {
    // At worst the shell gets a key.
    let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// Elsewhere the dashboard reads all keys.
#[cfg(not(unix))]
pub(crate) fn forget_keys() {}

/// Gives the terminal back, as the dashboard would on closing.
///
/// For a process that must end at once; harmless where no dashboard is open.
pub fn restore() {
    use crossterm::cursor::Show;
    use crossterm::event::DisableMouseCapture;
    use crossterm::terminal::{LeaveAlternateScreen, disable_raw_mode};

    if is_raw() {
        // If the terminal itself refuses, nothing is left to do.
        let _ = disable_raw_mode();
        let screen = crossterm::execute!(
            std::io::stdout(),
            DisableMouseCapture,
            LeaveAlternateScreen,
            Show
        );
        drop(screen);
    }
}

/// Waits until the dashboard has put the terminal into raw mode, then lets Ctrl-C raise its signal again.
///
/// burn-train opens the terminal on a thread of its own and reads keys itself, but ignores Ctrl-C.
#[cfg(unix)]
pub(crate) fn let_signals_through() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    use std::time::{Duration, Instant};

    let terminal = std::io::stdin();
    let deadline = Instant::now() + Duration::from_secs(2);
    while Instant::now() < deadline {
        if let Ok(mut modes) = tcgetattr(&terminal)
            && !modes.local_modes.contains(LocalModes::ICANON)
        {
            modes.local_modes.insert(LocalModes::ISIG);
            // Without it, only the dashboard's own keys stop the training.
            let _ = tcsetattr(&terminal, OptionalActions::Now, &modes);
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Elsewhere the dashboard's own keys stop the training.
#[cfg(not(unix))]
pub(crate) fn let_signals_through() {}
