//! The terminal under the dashboard: Ctrl-C raises its signal, and the shell gets the terminal back as it was.

/// Gives the terminal back, as the dashboard would on closing.
///
/// For a process that must end at once; harmless where no dashboard is open.
pub fn restore() {
    use crossterm::cursor::Show;
    use crossterm::event::DisableMouseCapture;
    use crossterm::terminal::{LeaveAlternateScreen, disable_raw_mode, is_raw_mode_enabled};

    if is_raw_mode_enabled().unwrap_or(false) {
        // Nothing is left to do where the terminal itself refuses.
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
            // Without it only the dashboard's own keys stop the training, as before.
            let _ = tcsetattr(&terminal, OptionalActions::Now, &modes);
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Elsewhere the dashboard's own keys stop the training.
#[cfg(not(unix))]
pub(crate) fn let_signals_through() {}
