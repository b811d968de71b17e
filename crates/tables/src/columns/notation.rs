//! Numbers in another notation than the plain one, such as `12.5%`, `$3`, `~5`, `(1.2)`, `1'234`, `1.2 ± 0.1` or `12:30`.

use super::cell::number;

/// The longest cell that can be a number, in bytes.
const LONGEST_NUMBER: usize = 48;

/// The longest text before or after a number that can belong to it, in characters.
const LONGEST_AFFIX: usize = 8;

/// The largest number of different texts before or after the numbers of a column.
const MOST_AFFIXES: usize = 5;

/// What a number has that a plain one does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notation {
    /// Text before the number, such as `$`.
    Prefix(String),
    /// Text after it, such as `%` or `kg`.
    Suffix(String),
    /// Text on both sides, such as `="` and `"`.
    Affixes(String, String),
    /// Different texts before or after the numbers of a column.
    Mixed(Vec<String>),
    /// A minus sign behind the number.
    MinusBehind,
    /// `D` before the exponent, as Fortran writes it.
    FortranExponent,
    /// A power of ten, such as `×10^3`.
    PowerOfTen,
    /// A number and its deviation.
    Deviation,
    /// Parentheses around it, as accountants write numbers below zero.
    Parentheses,
    /// A mark between thousands.
    Thousands(char),
    /// Hours or minutes, and a colon.
    Time,
    /// Digits of another script, such as the wide ones of Japanese keyboards.
    OtherDigits,
}

impl Notation {
    /// The notation of a cell that is no plain number; `None` if it is no number in another notation either.
    pub(crate) fn of(cell: &str) -> Option<Self> {
        let cell = cell.trim();
        if cell.len() > LONGEST_NUMBER {
            return None;
        }
        if cell.contains(|c| ascii_digit(c).is_some()) {
            return is_plain(&with_ascii_digits(cell)).then_some(Self::OtherDigits);
        }
        if !cell.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if let Some(inner) = cell.strip_prefix('(').and_then(|s| s.strip_suffix(')')) {
            let is_number = is_plain(inner) || Self::of(inner).is_some();
            return is_number.then_some(Self::Parentheses);
        }
        if is_time(cell) {
            return Some(Self::Time);
        }
        let is_sign = |c: char| matches!(c, '+' | '-' | '\u{2212}');
        let unsigned = cell.trim_start_matches(is_sign);
        let start = unsigned.find(|c: char| c.is_ascii_digit() || is_sign(c))?;
        let (prefix, rest) = unsigned.split_at(start);
        let end = rest.rfind(|c: char| c.is_ascii_digit())? + 1;
        let (core, suffix) = rest.split_at(end);
        let (prefix, suffix) = (prefix.trim(), suffix.trim());
        let mark = thousands_mark(core);
        if mark.is_none() && !is_plain(core) {
            return Self::of_unusual(core).filter(|_| prefix.is_empty() && suffix.is_empty());
        }
        match (prefix, suffix, mark) {
            ("", "", Some(mark)) => Some(Self::Thousands(mark)),
            ("", "-" | "\u{2212}", _) => Some(Self::MinusBehind),
            (prefix, "", _) if is_prefix(prefix) => Some(Self::Prefix(prefix.to_owned())),
            ("", suffix, _) if is_suffix(suffix) => Some(Self::Suffix(suffix.to_owned())),
            (prefix, suffix, _) if is_prefix(prefix) && is_suffix(suffix) => {
                Some(Self::Affixes(prefix.to_owned(), suffix.to_owned()))
            }
            _ => None,
        }
    }

    /// The notation of a text between digits that is no plain number.
    fn of_unusual(core: &str) -> Option<Self> {
        if let Some((number, deviation)) = core.split_once('±').or_else(|| core.split_once("+/-"))
        {
            let are_numbers = is_plain(number) && is_plain(deviation);
            return are_numbers.then_some(Self::Deviation);
        }
        let mut marks = ["x10^", "×10^", "*10^"].iter();
        if let Some((number, power)) = marks.find_map(|mark| core.split_once(mark)) {
            let are_numbers = is_plain(number.trim()) && is_plain(power);
            return are_numbers.then_some(Self::PowerOfTen);
        }
        let is_fortran = is_plain(&core.replacen(['D', 'd'], "E", 1));
        is_fortran.then_some(Self::FortranExponent)
    }

    /// A description of the numbers and what to do, such as `end with "%": write them without it`.
    pub(crate) fn advice(&self) -> String {
        match self {
            Self::Prefix(text) => format!("begin with {text:?}: write them without it"),
            Self::Suffix(text) => format!("end with {text:?}: write them without it"),
            Self::Affixes(before, after) => {
                format!("stand between {before:?} and {after:?}: write them without these")
            }
            Self::Mixed(affixes) => {
                let affixes: Vec<String> =
                    affixes.iter().map(|affix| format!("{affix:?}")).collect();
                format!(
                    "have different texts before or behind them, {}: write them in one unit, without it",
                    affixes.join(", ")
                )
            }
            Self::MinusBehind => "have the minus sign behind them: write it before them".to_owned(),
            Self::FortranExponent => "have a D before the exponent: write an E".to_owned(),
            Self::PowerOfTen => "are written with a power of ten: write it as 1.5e3".to_owned(),
            Self::Deviation => {
                "stand with their deviation in one cell: write the deviation into a column of its own".to_owned()
            }
            Self::Parentheses => {
                "stand in parentheses: write them with a minus sign if they are below zero"
                    .to_owned()
            }
            Self::Thousands(mark) => match mark.is_whitespace() {
                true => "have blanks between thousands: write them without these".to_owned(),
                false => format!("have `{mark}` between thousands: write them without it"),
            },
            Self::OtherDigits => {
                "have digits of another script: write them with 0 to 9".to_owned()
            }
            Self::Time => "are hours or minutes with a colon: write them as one number".to_owned(),
        }
    }
}

/// The digit from 0 to 9 that a digit of another script is: Arabic, Persian, Devanagari or wide.
fn ascii_digit(c: char) -> Option<char> {
    let zeros = ['\u{660}', '\u{6f0}', '\u{966}', '\u{ff10}'];
    zeros.iter().find_map(|&zero| {
        let digit = u32::from(c).checked_sub(u32::from(zero))?;
        char::from_digit(digit, 10)
    })
}

/// A text with plain digits, marks and signs in place of those of other scripts.
fn with_ascii_digits(text: &str) -> String {
    let plain = |c: char| match c {
        '\u{ff0e}' | '\u{66b}' => '.',
        '\u{ff0c}' => ',',
        '\u{ff0d}' => '-',
        '\u{ff0b}' => '+',
        other => ascii_digit(other).unwrap_or(other),
    };
    text.chars().map(plain).collect()
}

/// Whether a text is a number with either decimal mark.
fn is_plain(text: &str) -> bool {
    number(text, '.').is_some() || number(text, ',').is_some()
}

fn is_currency(text: &str) -> bool {
    const CODES: [&str; 6] = ["USD", "EUR", "GBP", "CHF", "JPY", "Rs"];
    let is_symbol = |c: char| "$€£¥₹₩₽¢".contains(c);
    !text.is_empty() && text.chars().all(is_symbol) || CODES.contains(&text)
}

/// Whether a text before a number belongs to it: a currency, or marks without letters such as `~`. Letters make a code,
/// such as `A12`.
fn is_prefix(text: &str) -> bool {
    let are_marks = text.chars().all(|c| !c.is_alphanumeric());
    is_currency(text) || !text.is_empty() && are_marks && text.chars().count() <= LONGEST_AFFIX
}

/// Whether a text after a number belongs to it, such as a unit or a remark.
fn is_suffix(text: &str) -> bool {
    let is_part = |c: char| c.is_alphabetic() || "%‰°²³µ/$€£¥₹₩₽¢\"'′″*().!?+^~ ".contains(c);
    !text.is_empty() && text.chars().count() <= LONGEST_AFFIX && text.chars().all(is_part)
}

/// The mark between groups of three digits, if there is one: a blank, an apostrophe, a point or a comma.
fn thousands_mark(text: &str) -> Option<char> {
    let is_mark = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’' | '.' | ',');
    let mark = text.chars().find(|&c| is_mark(c))?;
    let mut groups = text.split(mark).peekable();
    let first = groups.next()?;
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = first.trim_start_matches(['+', '-', '\u{2212}']);
    if !(1..=3).contains(&first.len()) || !is_digits(first) {
        return None;
    }
    let (mut count, mut has_fraction) = (0, false);
    while let Some(group) = groups.next() {
        let is_last = groups.peek().is_none();
        let (whole, fraction) = match group.split_once(['.', ',']) {
            Some((whole, fraction)) if is_last => (whole, Some(fraction)),
            _ => (group, None),
        };
        has_fraction |= fraction.is_some();
        if whole.len() != 3 || !is_digits(whole) || fraction.is_some_and(|text| !is_digits(text)) {
            return None;
        }
        count += 1;
    }
    // `1.234` alone is a number with a fraction, and `1,234` one with a decimal comma.
    let is_open = matches!(mark, '.' | ',') && count == 1 && !has_fraction;
    (count > 0 && !is_open).then_some(mark)
}

/// Whether a text is hours and minutes, or minutes and seconds, such as `12:30` or `1:02:03.5`.
fn is_time(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut count = 0;
    let are_sixtieths = parts.all(|part| {
        count += 1;
        let whole = part.split_once('.').map_or(part, |(whole, _)| whole);
        whole.len() == 2 && is_digits(whole) && whole < "60" && is_plain(part)
    });
    is_digits(first) && first.len() <= 3 && are_sixtieths && (1..=2).contains(&count)
}

/// The cells of a column that are numbers in another notation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notated {
    count: u64,
    first: Option<Notation>,
    /// The first cell with this notation.
    pub(crate) example: String,
    /// The different texts before or after the numbers; at most one more than [`MOST_AFFIXES`].
    affixes: Vec<String>,
}

impl Notated {
    /// Counts a cell that is no plain number.
    pub(crate) fn add(&mut self, cell: &str) {
        let Some(notation) = Notation::of(cell) else {
            return;
        };
        self.count += 1;
        let affix = |notation: &Notation| match notation {
            Notation::Prefix(text) | Notation::Suffix(text) => Some(text.clone()),
            Notation::Affixes(before, after) => Some(format!("{before}…{after}")),
            _ => None,
        };
        if let Some(affix) = affix(&notation)
            && self.affixes.len() <= MOST_AFFIXES
            && !self.affixes.contains(&affix)
        {
            self.affixes.push(affix);
        }
        // An affix says more than a mark or parentheses.
        let says_more = |first: &Notation| affix(first).is_none() && affix(&notation).is_some();
        if self.first.as_ref().is_none_or(says_more) {
            self.first = Some(notation);
            cell.clone_into(&mut self.example);
        }
    }

    /// The notation of a column of which nine of ten values are numbers, plain or in this notation. `None` if there are
    /// many different texts before or after them, as in codes.
    pub(crate) fn of_column(&self, numbers: u64, values: u64) -> Option<Notation> {
        let are_numbers = 10 * (self.count + numbers) >= 9 * values;
        match self.affixes.len() {
            _ if !are_numbers => None,
            0 | 1 => self.first.clone(),
            2..=MOST_AFFIXES => Some(Notation::Mixed(self.affixes.clone())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_another_notation_are_recognised() {
        let suffix = |text: &str| Some(Notation::Suffix(text.to_owned()));
        let prefix = |text: &str| Some(Notation::Prefix(text.to_owned()));
        for (cell, expected) in [
            ("12.5%", suffix("%")),
            ("-3 %", suffix("%")),
            ("12 kg", suffix("kg")),
            ("128,82 €", suffix("€")),
            ("$1,288.50", prefix("$")),
            ("-$5", prefix("$")),
            ("(1.2)", Some(Notation::Parentheses)),
            ("($1.2)", Some(Notation::Parentheses)),
            ("1'234", Some(Notation::Thousands('\''))),
            ("1 234 567,5", Some(Notation::Thousands(' '))),
            ("1.234,5", Some(Notation::Thousands('.'))),
            ("-1.288.184", Some(Notation::Thousands('.'))),
            ("12:30", Some(Notation::Time)),
            ("~80.8", prefix("~")),
            ("#91.5", prefix("#")),
            ("<25.1", prefix("<")),
            ("'14.2", prefix("'")),
            ("67.1*", suffix("*")),
            ("71.2 (est.)", suffix("(est.)")),
            (
                "=\"90.7\"",
                Some(Notation::Affixes("=\"".to_owned(), "\"".to_owned())),
            ),
            ("47.0-", Some(Notation::MinusBehind)),
            ("31.4D+02", Some(Notation::FortranExponent)),
            ("97.2x10^2", Some(Notation::PowerOfTen)),
            ("16.0 ×10^-3", Some(Notation::PowerOfTen)),
            ("97.1 ± 0.1", Some(Notation::Deviation)),
            ("1:02:03.5", Some(Notation::Time)),
            ("－２．０４１", Some(Notation::OtherDigits)),
            ("٣٫٥", Some(Notation::OtherDigits)),
        ] {
            assert_eq!(Notation::of(cell), expected, "{cell}");
        }
        for cell in [
            "",
            "red",
            "A12",
            "ID-0012",
            "1.2.3",
            "10.0.0.1",
            "1/2",
            "12:75",
            "3 red apples",
            "-",
            "2024-03-05",
            "1 23 456",
            "B-12 kg",
            "２号室",
        ] {
            assert_eq!(Notation::of(cell), None, "{cell}");
        }
    }

    #[test]
    fn a_column_has_one_notation_or_a_few_units() {
        let column = |cells: &[&str]| {
            let mut notated = Notated::default();
            cells.iter().for_each(|cell| notated.add(cell));
            let found = notated.of_column(0, cells.len() as u64);
            found.map(|notation| notation.advice())
        };
        assert_eq!(
            column(&["1.5%", "2 %"]).as_deref(),
            Some("end with \"%\": write them without it")
        );
        assert_eq!(
            column(&["1 kg", "2 lb"]).as_deref(),
            Some(
                "have different texts before or behind them, \"kg\", \"lb\": write them in one unit, without it"
            )
        );
        assert_eq!(column(&["1a", "2b", "3c", "4d", "5e", "6f"]), None);
        assert_eq!(column(&["1 kg", "red"]), None);
    }
}
