//! Categories as numbers: one-hot or ordinal, as scikit-learn's `OneHotEncoder` and `OrdinalEncoder` do.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::impute::{self, ReplacedBy};
use crate::columns::cell::{self, Decimal, category_value};
use crate::config::{CategoryEncoding, TableConfig};

/// The categories of a column among the training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FittedCategories {
    /// In the order of their features or numbers.
    names: Vec<String>,
    encoding: CategoryEncoding,
    missing: MissingCategory,
    /// The decimal mark of the training file; `None` if the encoder was stored before it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decimal: Option<char>,
}

/// How a missing category is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MissingCategory {
    /// As an error.
    Error,
    /// As one of the other categories, given by its place.
    As(usize),
    /// As an additional category, after the others.
    Own,
    /// As an unseen category: missing values have a category of their own, but no training row is missing.
    Unseen,
}

/// The place of a category in the encoding.
pub(super) enum Place {
    /// It is encoded as this category.
    Known(usize),
    /// The training rows do not have it.
    Unseen,
    /// It is missing, and nothing replaces it.
    Missing,
}

impl FittedCategories {
    /// Fits the encoding on the categories of the training rows. `None` if all of them are missing.
    pub(super) fn fit(
        config: &TableConfig,
        training: impl Iterator<Item = Option<u32>>,
        names: &[String],
    ) -> Option<Self> {
        let mut counts = vec![0_usize; names.len()];
        let mut num_missing = 0_usize;
        for code in training {
            match code.and_then(|code| counts.get_mut(code as usize)) {
                Some(count) => *count += 1,
                None => num_missing += 1,
            }
        }
        let mut known: Vec<(&String, usize)> = names.iter().zip(counts).collect();
        known.retain(|(_, count)| *count > 0);
        known.sort_by_key(|(name, _)| *name);
        if known.is_empty() {
            return None;
        }
        let encoding = config.categories.encoding;
        let numbers: Option<Vec<f64>> = (known.iter())
            .map(|(name, _)| cell::number(name, config.decimal))
            .collect();
        if let (CategoryEncoding::Ordinal, Some(numbers)) = (encoding, numbers) {
            let mut numbered: Vec<_> = numbers.into_iter().zip(known).collect();
            numbered.sort_by(|a, b| a.0.total_cmp(&b.0));
            known = numbered.into_iter().map(|(_, name)| name).collect();
        }
        let (names, counts): (Vec<String>, Vec<usize>) = known
            .into_iter()
            .map(|(name, count)| (name.clone(), count))
            .unzip();
        let missing = match impute::category(&config.impute, &names, &counts) {
            ReplacedBy::Nothing => MissingCategory::Error,
            ReplacedBy::Category(place) => MissingCategory::As(place),
            ReplacedBy::Own if num_missing > 0 => MissingCategory::Own,
            ReplacedBy::Own => MissingCategory::Unseen,
        };
        Some(Self {
            names,
            encoding,
            missing,
            decimal: Some(config.decimal),
        })
    }

    /// Whether missing values have a one-hot column of their own, so that no other column has to say it.
    pub(super) fn shows_missing(&self) -> bool {
        self.encoding == CategoryEncoding::OneHot && self.missing == MissingCategory::Own
    }

    /// The names of the features.
    pub(super) fn features(&self, column: &str) -> Vec<String> {
        match self.encoding {
            CategoryEncoding::Ordinal => vec![column.to_owned()],
            CategoryEncoding::OneHot => {
                let known = self.names.iter().map(|name| format!("{column}={name}"));
                let own = self.shows_missing().then(|| format!("{column} is missing"));
                known.chain(own).collect()
            }
        }
    }

    /// Whether the features are 0 and 1.
    pub(super) fn is_one_hot(&self) -> bool {
        self.encoding == CategoryEncoding::OneHot
    }

    /// The categories of the training rows.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of each of `names`, and at the end that of a missing category. If the categories are numbers, other
    /// spellings of them have their places too. `decimal` is the decimal mark of `names`.
    pub(super) fn places(&self, names: &[String], decimal: char) -> Vec<Place> {
        let known: HashMap<&str, usize> = self.names.iter().map(String::as_str).zip(0..).collect();
        let values = self.values(self.decimal.unwrap_or(decimal));
        let place = |name: &String| {
            let place = known.get(name.as_str()).copied();
            let of_value = || values.get(&category_value(name, decimal)?).copied();
            place.or_else(of_value).map_or(Place::Unseen, Place::Known)
        };
        let missing = match self.missing {
            MissingCategory::Error => Place::Missing,
            MissingCategory::As(place) => Place::Known(place),
            MissingCategory::Own => Place::Known(self.names.len()),
            MissingCategory::Unseen => Place::Unseen,
        };
        names.iter().map(place).chain([missing]).collect()
    }

    /// The places of the categories by their values, if all are numbers with the decimal mark `decimal`.
    fn values(&self, decimal: char) -> HashMap<Decimal, usize> {
        let mut values = HashMap::new();
        let is_number = |name: &String| cell::number(name, decimal).is_some();
        if self.names.iter().all(is_number) {
            for (name, place) in self.names.iter().zip(0..) {
                if let Some(value) = category_value(name, decimal) {
                    values.entry(value).or_insert(place);
                }
            }
        }
        values
    }

    /// Whether a text is one of the categories of the training rows.
    pub(super) fn holds(&self, text: &str, decimal: char) -> bool {
        let places = self.places(&[text.to_owned()], decimal);
        matches!(places.first(), Some(Place::Known(_)))
    }

    /// Writes the features of one row, which are 0 before.
    pub(super) fn encode(&self, place: &Place, features: &mut [f64]) {
        match (self.encoding, place) {
            (CategoryEncoding::OneHot, Place::Known(place)) => {
                if let Some(feature) = features.get_mut(*place) {
                    *feature = 1.0;
                }
            }
            (CategoryEncoding::OneHot, Place::Unseen | Place::Missing) => {}
            (CategoryEncoding::Ordinal, place) => {
                let number = match place {
                    Place::Known(place) => *place as f64,
                    Place::Unseen | Place::Missing => -1.0,
                };
                features.iter_mut().for_each(|feature| *feature = number);
            }
        }
    }
}
