//! Remarks about the keys of an experiment.

use std::collections::BTreeMap;

/// Remarks, each about a key, an element of a list, or the whole experiment.
#[derive(Debug, Clone, Default)]
pub(super) struct Comments {
    head: String,
    above: BTreeMap<Vec<String>, String>,
    beside: BTreeMap<Vec<String>, String>,
}

impl Comments {
    /// Remarks that begin with the text for the top of the file, whose lines stay as they are.
    pub(super) fn new(head: String) -> Self {
        Self {
            head,
            ..Self::default()
        }
    }

    /// Adds a paragraph above a key or a table.
    pub(super) fn above(&mut self, path: &[&str], text: impl Into<String>) {
        self.above.insert(owned(path), text.into());
    }

    /// Adds a remark behind a key. For an element of a list, the last part of the path is its index, from 0.
    pub(super) fn beside(&mut self, path: &[&str], text: impl Into<String>) {
        self.beside.insert(owned(path), text.into());
    }

    pub(super) fn head(&self) -> &str {
        &self.head
    }

    pub(super) fn find_above(&self, path: &[String]) -> Option<&str> {
        self.above.get(path).map(String::as_str)
    }

    pub(super) fn find_beside(&self, path: &[String]) -> Option<&str> {
        self.beside.get(path).map(String::as_str)
    }

    /// Whether there is a remark about the key, or about a key inside it.
    pub(super) fn is_about(&self, path: &[String]) -> bool {
        let begins = |map: &BTreeMap<Vec<String>, String>| {
            let mut from = map.range(path.to_vec()..);
            from.next().is_some_and(|(key, _)| key.starts_with(path))
        };
        begins(&self.above) || begins(&self.beside)
    }
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|&part| part.to_owned()).collect()
}
