//! The roles of the columns of a file: labels, weight, group and features.

use std::collections::HashSet;

use emberlab_menu::nearest_name;

use crate::columns::pattern::{self, Patterns};
use crate::config::TableConfig;
use crate::error::TableError;
use crate::files::RowReader;
use crate::format::Delimiter;

/// The places of columns in a file, from 0.
pub(super) struct Roles {
    pub(super) labels: Vec<usize>,
    pub(super) weight: Option<usize>,
    pub(super) group: Option<usize>,
    pub(super) features: Vec<usize>,
}

impl Roles {
    /// Finds the columns of `config` in a file.
    ///
    /// # Errors
    /// [`TableError::Column`] if a name or pattern fits no column; [`TableError::Unusable`] if no feature is left;
    /// [`TableError::Value`] if a feature has the type of an identifier or of a text.
    pub(super) fn find(config: &TableConfig, file: &RowReader) -> Result<Self, TableError> {
        let names = file.columns();
        let find = |name: &String| {
            let place = names.iter().position(|column| column == name);
            place.ok_or_else(|| no_column(config, name, file))
        };
        let labels = config
            .label
            .names()
            .iter()
            .map(find)
            .collect::<Result<Vec<_>, _>>()?;
        let weight = config.weight.as_ref().map(find).transpose()?;
        let group = config.group.as_ref().map(find).transpose()?;
        let named = config.types.keys().chain(config.missing_in.keys());
        for name in named {
            let _ = find(name)?;
        }
        let all: HashSet<&str> = names.iter().map(String::as_str).collect();
        for pattern in config.columns.iter().flatten().chain(&config.drop) {
            let fits = |name: &String| pattern::matches(pattern, name);
            if !all.contains(pattern.as_str()) && !names.iter().any(fits) {
                return Err(no_column(config, pattern, file));
            }
        }
        let chosen = config.columns.as_ref();
        let chosen = chosen.map(|columns| Patterns::new(columns, &all));
        let dropped = Patterns::new(&config.drop, &all);
        let is_feature = |&place: &usize| {
            let name = &names[place];
            let is_chosen = chosen.as_ref().is_none_or(|columns| columns.fit(name));
            let has_role = labels.contains(&place) || weight == Some(place) || group == Some(place);
            is_chosen && !has_role && !dropped.fit(name)
        };
        let features: Vec<usize> = (0..names.len()).filter(is_feature).collect();
        if features.is_empty() {
            return Err(TableError::Unusable {
                path: config.path.clone(),
                message: "no column is left as a feature beside the label; the features are all columns, or those in \
                          `columns`, without those in `drop`"
                    .to_owned(),
            });
        }
        for &place in &features {
            config.validate_type(&names[place])?;
        }
        Ok(Self {
            labels,
            weight,
            group,
            features,
        })
    }
}

/// The error of a column that is not in the file.
fn no_column(config: &TableConfig, name: &str, file: &RowReader) -> TableError {
    TableError::Column {
        path: config.path.clone(),
        column: name.to_owned(),
        suggestion: suggestion(name, file),
        columns: shortened_list(file.columns()),
    }
}

/// Names for a message, shortened if there are many.
pub(crate) fn shortened_list(names: &[String]) -> Vec<String> {
    const MOST: usize = 20;
    let mut list: Vec<String> = names.iter().take(MOST).cloned().collect();
    if names.len() > MOST {
        list.push(format!("and {} more", names.len() - MOST));
    }
    list
}

/// A hint about delimiter, header or name.
fn suggestion(name: &str, file: &RowReader) -> String {
    let (names, format) = (file.columns(), file.format());
    if let [only] = names {
        if !file.advice().is_empty() {
            return file.advice().to_owned();
        }
        let delimiters = [
            (';', ";"),
            ('\t', "tab"),
            ('|', "|"),
            (',', ","),
            (' ', "whitespace"),
        ];
        let is_used = |mark: char| format.delimiter == Delimiter::Char(mark);
        let found = delimiters
            .iter()
            .find(|(mark, _)| !is_used(*mark) && only.contains(*mark));
        if let Some((_, delimiter)) = found {
            return format!(
                ", as the whole line is one column; set `delimiter = \"{delimiter}\"` if that is the character \
                 between columns"
            );
        }
    }
    if let Some(near) = nearest_name(name, names.iter().map(String::as_str)) {
        return format!(", did you mean {near:?}?");
    }
    match format.header {
        true => file.advice().to_owned(),
        false => {
            ", as the first line is taken for a row; set `header = true` if it holds the names"
                .to_owned()
        }
    }
}
