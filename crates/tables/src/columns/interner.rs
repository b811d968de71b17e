//! Different texts, each kept once under a number.

use std::collections::HashMap;

/// Gives each different text a number, in order of appearance from 0.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    codes: HashMap<Box<str>, u32>,
}

impl Interner {
    /// The number of a text.
    pub(crate) fn code(&mut self, text: &str) -> u32 {
        if let Some(&code) = self.codes.get(text) {
            return code;
        }
        // A file with four billion different texts does not fit into memory.
        let code = u32::try_from(self.codes.len()).unwrap_or(u32::MAX - 1);
        self.codes.insert(text.into(), code);
        code
    }

    /// The number of different texts.
    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    /// The texts, in no order.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.codes.keys().map(|text| &**text)
    }

    /// The texts, each in the place of its number.
    pub(crate) fn into_texts(self) -> Vec<String> {
        let mut texts = vec![String::new(); self.codes.len()];
        for (text, code) in self.codes {
            texts[code as usize] = text.into();
        }
        texts
    }
}

/// The texts in alphabetic order, and for each old place the new one.
pub(crate) fn sorted(texts: Vec<String>) -> (Vec<String>, Vec<u32>) {
    let mut numbered: Vec<(String, u32)> = texts.into_iter().zip(0..).collect();
    numbered.sort_unstable();
    let mut new_places = vec![0; numbered.len()];
    for ((_, old), new) in numbered.iter().zip(0..) {
        new_places[*old as usize] = new;
    }
    let texts = numbered.into_iter().map(|(text, _)| text).collect();
    (texts, new_places)
}
