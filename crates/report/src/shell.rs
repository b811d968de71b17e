//! Commands as they are typed into a shell.

use std::borrow::Cow;

/// Words for a shell, with quotes where they are needed.
pub fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    // shlex quotes `=` too, but it has a meaning only in the first word of a command.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    // Only a NUL can be refused, and no argument of a process holds one.
    let quoter = shlex::Quoter::new().allow_nul(true);
    let quote = |word: &'a str| match !word.is_empty() && word.chars().all(is_plain) {
        true => Cow::Borrowed(word),
        false => quoter.quote(word).unwrap_or(Cow::Borrowed(word)),
    };
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// A command of the program.
pub(crate) fn command_line(words: &[&str]) -> String {
    quoted(["emberlab"].into_iter().chain(words.iter().copied()))
}
