//! Classes with similar names: one class that is written in several ways.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, listed, sentences};
use crate::diagnosis::{Earliest, Observations, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::SimilarClasses,
    earliest: Earliest::BeforeTraining,
    condition: "two classes are the same number, or their names differ only by case, accents, blanks, quotes or a full stop at the end",
    is_one_problem: true,
    detect,
};

/// Groups of similar names that a sentence lists.
const MOST_LISTED: usize = 3;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let Some(data) = observed.data else {
        return Vec::new();
    };
    let groups = groups(data.class_counts());
    if groups.is_empty() {
        return Vec::new();
    }
    let described: Vec<String> = groups
        .iter()
        .map(|group| {
            let names: Vec<String> = group.iter().map(|(name, _)| format!("{name:?}")).collect();
            names.join(" and ")
        })
        .collect();
    let mut found = finding(
        FindingKind::SimilarClasses,
        Severity::Warning,
        format!(
            "these classes may be the same, and the network learns to tell them apart: {}",
            listed(&described, MOST_LISTED)
        ),
    );
    let listed = groups.iter().take(MOST_LISTED).flatten();
    found.evidence = listed
        .map(|(name, count)| evidence(format!("rows of {name:?}"), *count as f64))
        .collect();
    found.causes = sentences(&["a table that several people or programs wrote"]);
    found.remedies = sentences(&["writing them in the same way in the table"]);
    vec![found]
}

/// The classes whose names are similar, in groups of two or more.
fn groups(classes: Vec<(&str, usize)>) -> Vec<Vec<(&str, usize)>> {
    let mut by_plain_name: Vec<(String, (&str, usize))> = classes
        .into_iter()
        .map(|class| (plain(class.0), class))
        .collect();
    by_plain_name.sort_by(|a, b| a.0.cmp(&b.0));
    let alike = by_plain_name.chunk_by(|a, b| a.0 == b.0);
    let groups = alike.filter(|group| group.len() > 1);
    groups
        .map(|group| group.iter().map(|(_, class)| *class).collect())
        .collect()
}

/// A name without the differences that people make in writing.
fn plain(name: &str) -> String {
    let is_blank = |c: char| c.is_whitespace() || matches!(c, '_' | '\u{200b}' | '\u{feff}');
    let is_quote = |c: char| matches!(c, '"' | '\'' | '“' | '”' | '‘' | '’' | '«' | '»');
    let name = name.trim_matches(|c: char| is_blank(c) || is_quote(c));
    // Numbers with more digits are not told apart by f64.
    let num_digits = name.bytes().filter(u8::is_ascii_digit).count();
    if num_digits <= 15
        && let Ok(number) = name.parse::<f64>()
    {
        // Adding 0 makes -0 and 0 the same.
        return (number + 0.0).to_string();
    }
    let name = name.trim_end_matches(|c: char| c == '.' || is_blank(c));
    let mut plain = String::new();
    for character in name
        .chars()
        .filter(|c| !is_blank(*c))
        .flat_map(char::to_lowercase)
    {
        match without_accent(character) {
            Some(letters) => plain.push_str(letters),
            None => plain.push(character),
        }
    }
    plain
}

/// The letters for a lower-case letter with an accent.
fn without_accent(character: char) -> Option<&'static str> {
    Some(match character {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        // Accents that stand for themselves after their letter.
        '\u{300}'..='\u{36f}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups_of(names: &[&'static str]) -> Vec<Vec<&'static str>> {
        let classes = names.iter().map(|name| (*name, 1)).collect();
        let names = |group: Vec<(&'static str, usize)>| group.into_iter().map(|(n, _)| n).collect();
        groups(classes).into_iter().map(names).collect()
    }

    #[test]
    fn names_that_people_write_differently_are_similar() {
        for pair in [
            ["no", "No"],
            ["yes", "yes."],
            ["not cancer", "Not  Cancer "],
            ["not_cancer", "not cancer"],
            ["café", "cafe"],
            ["caf\u{e9}", "cafe\u{301}"],
            ["Straße", "STRASSE"],
            ["'1'", "1"],
            ["1", "1.0"],
            ["0", "-0"],
            ["<=50K", "<=50K."],
            ["a\u{a0}b", "a b"],
        ] {
            assert_eq!(groups_of(&pair).len(), 1, "{pair:?}");
        }
    }

    #[test]
    fn names_that_differ_by_more_are_not_similar() {
        let names = [
            "<=50K",
            ">50K",
            "+",
            "-",
            "-1",
            "1",
            "1-2",
            "12",
            "A+",
            "A-",
            "A",
            "no",
            "not",
            "9007199254740992",
            "9007199254740993",
        ];
        assert_eq!(groups_of(&names), Vec::<Vec<&str>>::new());
    }

    #[test]
    fn three_ways_to_write_a_class_are_one_group() {
        assert_eq!(groups_of(&["NO", "No", "no", "yes"]), [["NO", "No", "no"]]);
    }
}
