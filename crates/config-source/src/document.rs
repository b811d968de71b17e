//! A TOML document with the place of every key and value.

use crate::key_path::{KeyPath, Step};
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Error};

/// A value with its place in the text. The place of a `[table]` is its header.
pub(crate) type Node<'i> = Spanned<DeValue<'i>>;

/// The tree of a TOML document. Changed copies of it show what a change would lead to.
#[derive(Debug, Clone)]
pub(crate) struct Document<'i> {
    root: Node<'i>,
}

impl<'i> Document<'i> {
    /// Parses TOML; the error has a message and a span.
    pub(crate) fn parse(text: &'i str) -> Result<Self, Error> {
        let table = DeTable::parse(text)?;
        let root = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
        Ok(Self { root })
    }

    pub(crate) fn into_root(self) -> Node<'i> {
        self.root
    }

    /// The value at a path.
    pub(crate) fn get(&self, path: &KeyPath) -> Option<&DeValue<'i>> {
        self.node(path).map(Spanned::get_ref)
    }

    /// The keys of the table at a path; empty if there is no table.
    pub(crate) fn keys(&self, path: &KeyPath) -> Vec<&str> {
        match self.get(path) {
            Some(DeValue::Table(table)) => table.keys().map(|key| key.get_ref().as_ref()).collect(),
            _ => Vec::new(),
        }
    }

    /// The place of the value at a path; `None` for the root, which is the whole text.
    pub(crate) fn value_span(&self, path: &KeyPath) -> Option<Range<usize>> {
        path.parent()?;
        self.node(path).map(Spanned::span)
    }

    /// The place of the key that a path ends in.
    pub(crate) fn key_span(&self, path: &KeyPath) -> Option<Range<usize>> {
        match self.get(&path.parent()?)? {
            DeValue::Table(table) => Some(table.get_key_value(path.last_key()?)?.0.span()),
            _ => None,
        }
    }

    /// The paths of the value at `start` and all values inside it, in the order of the file, parents first.
    pub(crate) fn paths_from(&self, start: &KeyPath) -> Vec<KeyPath> {
        let steps: Vec<Step> = match self.get(start) {
            Some(DeValue::Table(table)) => table
                .keys()
                .map(|key| Step::Key(key.get_ref().to_string()))
                .collect(),
            Some(DeValue::Array(array)) => (0..array.len()).map(Step::Index).collect(),
            _ => Vec::new(),
        };
        let below = steps.into_iter().map(|step| start.child(step));
        let mut paths = vec![start.clone()];
        paths.extend(below.flat_map(|path| self.paths_from(&path)));
        paths
    }

    /// A copy of the document without the value at a path.
    pub(crate) fn without(&self, path: &KeyPath) -> Self {
        let mut changed = self.clone();
        let parent = path.parent().and_then(|parent| changed.node_mut(&parent));
        match (parent.map(Spanned::get_mut), path.steps().last()) {
            (Some(DeValue::Table(table)), Some(Step::Key(key))) => {
                table.remove(key.as_str());
            }
            (Some(DeValue::Array(array)), Some(Step::Index(index))) => {
                let elements = std::mem::replace(array, DeArray::new())
                    .into_iter()
                    .enumerate();
                let others = elements.filter(|(i, _)| i != index);
                *array = others.map(|(_, element)| element).collect();
            }
            _ => {}
        }
        changed
    }

    /// A copy of the document with `key = "value"` set in the table at a path.
    pub(crate) fn with_string(&self, table: &KeyPath, key: &str, value: &str) -> Self {
        let mut changed = self.clone();
        if let Some(DeValue::Table(table)) = changed.node_mut(table).map(Spanned::get_mut) {
            let value = DeValue::String(Cow::Owned(value.to_owned()));
            let key = Cow::Owned(key.to_owned());
            table.insert(Spanned::new(0..0, key), Spanned::new(0..0, value));
        }
        changed
    }

    fn node(&self, path: &KeyPath) -> Option<&Node<'i>> {
        let mut node = &self.root;
        for step in path.steps() {
            node = match (node.get_ref(), step) {
                (DeValue::Table(table), Step::Key(key)) => table.get(key.as_str())?,
                (DeValue::Array(array), Step::Index(index)) => array.get(*index)?,
                _ => return None,
            };
        }
        Some(node)
    }

    fn node_mut(&mut self, path: &KeyPath) -> Option<&mut Node<'i>> {
        let mut node = &mut self.root;
        for step in path.steps() {
            node = match (node.get_mut(), step) {
                (DeValue::Table(table), Step::Key(key)) => table.get_mut(key.as_str())?,
                (DeValue::Array(array), Step::Index(index)) => array.get_mut(*index)?,
                _ => return None,
            };
        }
        Some(node)
    }
}
