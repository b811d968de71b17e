//! Whether a terminal can draw: it is one, and it understands more than plain lines; and texts that leave it as it is.

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

/// The text with a sign in place of each control character but line ends: names in data may hold commands for a terminal.
pub fn without_controls(text: &str) -> String {
    let is_command = |c: char| c.is_control() && c != '\n';
    let shown = text.chars().map(|c| if is_command(c) { '�' } else { c });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_data_cannot_command_the_terminal() {
        assert_eq!(without_controls("a\x1b[31mb\nc"), "a�[31mb\nc");
    }

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
