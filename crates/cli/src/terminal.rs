//! Whether a terminal can draw: it is one, and it understands more than plain lines.

use std::ffi::OsStr;
use std::io::IsTerminal;

/// Whether a stream is a terminal that can move its cursor.
pub fn can_draw(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && understands_more_than_lines(std::env::var_os("TERM").as_deref())
}

/// By the variable `TERM`, which names the kind of the terminal. Windows has no such variable.
fn understands_more_than_lines(term: Option<&OsStr>) -> bool {
    match term {
        Some(name) => !name.is_empty() && name != "dumb",
        None => cfg!(windows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dumb_or_unknown_terminal_gets_plain_lines() {
        let can = |term: &str| understands_more_than_lines(Some(OsStr::new(term)));
        assert_eq!(
            [can("dumb"), can(""), can("xterm-256color")],
            [false, false, true]
        );
        assert_eq!(understands_more_than_lines(None), cfg!(windows));
    }
}
