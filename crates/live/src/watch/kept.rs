//! Files that are read again only when they have changed.

use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::lines::{Stamp, read};

/// A file modified this recently may change again without a new modification time.
pub(super) const CLOCK_TICK: Duration = Duration::from_secs(2);

/// A file that is read again only when its stamp has changed.
#[derive(Debug)]
pub(super) struct Kept<T> {
    stamp: Option<Stamp>,
    content: Option<Result<T, String>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        let (stamp, content) = (None, None);
        Self { stamp, content }
    }
}

impl<T> Kept<T> {
    /// Reads the file, if it has changed; none if there is none.
    pub(super) fn refresh(&mut self, path: &Path, parse: impl FnOnce(&[u8]) -> Result<T, String>) {
        let stamp = Stamp::of_file(path);
        if stamp == self.stamp && stamp.is_some_and(|stamp| !is_fresh(stamp)) {
            return;
        }
        self.stamp = stamp;
        self.content = stamp.map(|_| {
            let content = read(path).map_err(|error| error.to_string());
            let parsed = content.and_then(|content| parse(&content));
            parsed.map_err(|error| format!("{}: {error}", path.display()))
        });
    }

    /// Its content, if it could be read.
    pub(super) fn value(&self) -> Option<&T> {
        self.content.as_ref()?.as_ref().ok()
    }

    /// The size and the modification time with which it was read.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// The reason why it could not be read.
    pub(super) fn fault(&self) -> Option<&String> {
        self.content.as_ref()?.as_ref().err()
    }
}

/// Whether something was modified so recently that it may change again without a new modification time.
pub(super) fn is_fresh(stamp: Stamp) -> bool {
    let age = stamp.modified.elapsed();
    age.is_ok_and(|age| age < CLOCK_TICK)
}

/// The value of a text of JSON.
pub(super) fn json<T: DeserializeOwned>(content: &[u8]) -> Result<T, String> {
    serde_json::from_slice(content).map_err(|error| error.to_string())
}
