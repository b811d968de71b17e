//! Lines on the standard error.

/// Prints a line on the standard error, as `eprintln!` does. If it cannot be printed, nothing happens: no training ends
/// because nobody reads its messages.
macro_rules! say {
    ($($text:tt)*) => {{
        let line = format!("{}\n", format_args!($($text)*));
        let _ = std::io::Write::write_all(&mut std::io::stderr().lock(), line.as_bytes());
    }};
}
