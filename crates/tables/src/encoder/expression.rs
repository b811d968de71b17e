//! The formula of a derived feature, such as `x1*x2`, `x1^2` or `sin(x1)`.

use serde::{Deserialize, Serialize};

type Function = fn(f64) -> f64;

/// The functions of one number.
const FUNCTIONS: [(&str, Function); 8] = [
    ("sin", f64::sin),
    ("cos", f64::cos),
    ("tanh", f64::tanh),
    ("abs", f64::abs),
    ("sqrt", f64::sqrt),
    ("log", f64::ln),
    ("log10", f64::log10),
    ("exp", f64::exp),
];

/// The deepest nesting of parentheses, functions, signs and powers.
const MAX_DEPTH: usize = 64;

/// A formula over columns, kept as steps on a stack so that it is computed without recursion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Expression {
    text: String,
    columns: Vec<String>,
    steps: Vec<Step>,
}

/// One step of a formula: it takes its operands from the stack and puts its result there.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Number(f64),
    /// The value of a column, as an index into the columns of the formula.
    Column(usize),
    Negate,
    /// One of [`FUNCTIONS`].
    Call(usize),
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Expression {
    /// Reads a formula: numbers, columns, `+ - * / ^`, parentheses and the functions sin, cos, tanh, abs, sqrt, log
    /// (natural), log10 and exp. A name with other characters than letters, digits, `_` and `.` stands in backticks or
    /// quotes.
    ///
    /// # Errors
    /// A phrase with what was expected, and where.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::parse_with(text, &[])
    }

    /// [`parse`](Self::parse), where a name among `known` needs no quotes whatever its characters are.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub(crate) fn parse_with(text: &str, known: &[String]) -> Result<Self, String> {
        let mut parser = Parser {
            text,
            rest: text,
            known,
            depth: 0,
            columns: Vec::new(),
            steps: Vec::new(),
        };
        parser.sum()?;
        if !parser.rest.is_empty() {
            return Err(parser.expected("one of `+ - * / ^`"));
        }
        if parser.columns.is_empty() {
            return Err("a formula with at least one column, such as \"x1*x2\"".to_owned());
        }
        Ok(Self {
            text: text.to_owned(),
            columns: parser.columns,
            steps: parser.steps,
        })
    }

    /// The formula that is a column.
    pub(crate) fn of_column(name: &str) -> Self {
        Self {
            text: name.to_owned(),
            columns: vec![name.to_owned()],
            steps: vec![Step::Column(0)],
        }
    }

    /// The formula as written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The names of its columns, each once.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The value of the formula, where `value` gives that of each of [`columns`](Self::columns).
    ///
    /// `stack` is memory that is used again for each row.
    pub(crate) fn evaluate(&self, value: impl Fn(usize) -> f64, stack: &mut Vec<f64>) -> f64 {
        stack.clear();
        for step in &self.steps {
            // The parser puts the operands before each operation, so the stack is never empty here.
            let mut pop = || stack.pop().unwrap_or(f64::NAN);
            let result = match *step {
                Step::Number(number) => number,
                Step::Column(column) => value(column),
                Step::Negate => -pop(),
                Step::Call(function) => FUNCTIONS[function].1(pop()),
                Step::Add | Step::Subtract | Step::Multiply | Step::Divide | Step::Power => {
                    let (right, left) = (pop(), pop());
                    match step {
                        Step::Add => left + right,
                        Step::Subtract => left - right,
                        Step::Multiply => left * right,
                        Step::Divide => left / right,
                        _ => left.powf(right),
                    }
                }
            };
            stack.push(result);
        }
        stack.pop().unwrap_or(f64::NAN)
    }
}

impl TryFrom<String> for Expression {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|expected| format!("formula {text:?}: expected {expected}"))
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.text
    }
}

/// Whether a name without quotes may hold a character.
fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

/// Reads a formula by recursive descent.
struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    /// Names of columns that need no quotes.
    known: &'a [String],
    depth: usize,
    columns: Vec<String>,
    steps: Vec<Step>,
}

impl<'a> Parser<'a> {
    /// Terms with `+` or `-` between them.
    fn sum(&mut self) -> Result<(), String> {
        self.product()?;
        loop {
            let step = match () {
                () if self.take('+') => Step::Add,
                () if self.take('-') => Step::Subtract,
                () => return Ok(()),
            };
            self.product()?;
            self.steps.push(step);
        }
    }

    /// Factors with `*` or `/` between them.
    fn product(&mut self) -> Result<(), String> {
        self.signed()?;
        loop {
            let step = match () {
                () if self.take('*') => Step::Multiply,
                () if self.take('/') => Step::Divide,
                () => return Ok(()),
            };
            self.signed()?;
            self.steps.push(step);
        }
    }

    /// A power with or without a sign: `-x^2` is `-(x^2)`.
    fn signed(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("a formula nested at most {MAX_DEPTH} deep"));
        }
        if self.take('-') {
            self.signed()?;
            self.steps.push(Step::Negate);
        } else {
            self.operand()?;
            if self.take('^') {
                self.signed()?;
                self.steps.push(Step::Power);
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// A number, a column, a function, or a sum in parentheses.
    fn operand(&mut self) -> Result<(), String> {
        self.rest = self.rest.trim_start();
        if let Some(name) = self.known_name() {
            self.rest = &self.rest[name.len()..];
            self.push_column(name);
            return Ok(());
        }
        if self.take('(') {
            return self.rest_of_parentheses();
        }
        for quote in ['`', '"', '\''] {
            if self.take(quote) {
                let Some((name, rest)) = self.rest.split_once(quote) else {
                    return Err(self.expected(&format!("a name that ends with {quote}")));
                };
                self.rest = rest;
                self.push_column(name);
                return Ok(());
            }
        }
        if self
            .rest
            .starts_with(|c: char| c.is_ascii_digit() || c == '.')
        {
            return self.number();
        }
        let end = self
            .rest
            .find(|c| !is_of_name(c))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(self.expected("a column, a number or a function"));
        }
        let is_call = rest.trim_start().starts_with('(');
        if is_call {
            let Some(function) = FUNCTIONS.iter().position(|(known, _)| *known == name) else {
                let known: Vec<&str> = FUNCTIONS.iter().map(|(known, _)| *known).collect();
                return Err(self.expected(&format!("one of the functions {}", known.join(", "))));
            };
            self.rest = rest;
            self.take('(');
            self.rest_of_parentheses()?;
            self.steps.push(Step::Call(function));
        } else {
            self.rest = rest;
            self.push_column(name);
        }
        Ok(())
    }

    /// The longest known name that comes next. Numbers and calls of functions are none, whatever columns are called.
    fn known_name(&self) -> Option<&'a str> {
        let comes_next = |name: &&str| {
            let Some(after) = self.rest.strip_prefix(*name) else {
                return false;
            };
            let goes_on = name.ends_with(is_of_name) && after.starts_with(is_of_name);
            let is_call = FUNCTIONS.iter().any(|(function, _)| function == name)
                && after.trim_start().starts_with('(');
            let is_number = name.parse::<f64>().is_ok();
            !(name.is_empty() || goes_on || is_call || is_number)
        };
        let known = self.known.iter().map(String::as_str);
        known.filter(comes_next).max_by_key(|name| name.len())
    }

    fn rest_of_parentheses(&mut self) -> Result<(), String> {
        self.sum()?;
        match self.take(')') {
            true => Ok(()),
            false => Err(self.expected("`)`")),
        }
    }

    /// Digits, a decimal point and an exponent.
    fn number(&mut self) -> Result<(), String> {
        let is_digit = |c: char| c.is_ascii_digit() || c == '.';
        let mut end = self.rest.find(|c| !is_digit(c)).unwrap_or(self.rest.len());
        if let Some(exponent) = self.rest[end..].strip_prefix(['e', 'E']) {
            let sign = usize::from(exponent.starts_with(['+', '-']));
            let digits = &exponent[sign..];
            let length = digits
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(digits.len());
            if length > 0 {
                end += 1 + sign + length;
            }
        }
        let (number, rest) = self.rest.split_at(end);
        let number = number
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite());
        let Some(number) = number else {
            return Err(self.expected("a finite number"));
        };
        self.rest = rest;
        self.steps.push(Step::Number(number));
        Ok(())
    }

    fn push_column(&mut self, name: &str) {
        let known = self.columns.iter().position(|known| known == name);
        let column = known.unwrap_or_else(|| {
            self.columns.push(name.to_owned());
            self.columns.len() - 1
        });
        self.steps.push(Step::Column(column));
    }

    /// Takes `expected`, after any blanks, if it comes next.
    fn take(&mut self, expected: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// `phrase`, and the place where it was expected.
    fn expected(&self, phrase: &str) -> String {
        let before = self.text.strip_suffix(self.rest).unwrap_or(self.text);
        match self.rest.chars().next() {
            Some(found) => format!("{phrase} instead of `{found}` after {before:?}"),
            None => format!("{phrase} at the end"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The value of a formula with x = 3, y = 2 and `Länge cm` = 0.5.
    fn value(text: &str) -> f64 {
        let expression = Expression::parse(text).unwrap();
        let of = |name: &str| match name {
            "x" => 3.0,
            "y" => 2.0,
            "Länge cm" => 0.5,
            other => panic!("{other}"),
        };
        expression.evaluate(|column| of(&expression.columns()[column]), &mut Vec::new())
    }

    /// The expected values are Python's, with `^` as `**` and `log` as `math.log`.
    #[test]
    fn formulas_have_the_values_of_python() {
        for (text, expected) in [
            ("x*y", 6.0),
            ("x^2", 9.0),
            ("-x^2", -9.0),
            ("2^-y", 0.25),
            ("2^x^y", 512.0),
            ("x - y - 1", 0.0),
            ("x / y / 2", 0.75),
            ("x + y * 2", 7.0),
            ("(x + y) * 2", 10.0),
            ("x*-y", -6.0),
            ("--x", 3.0),
            ("1.5e1 + x", 18.0),
            (".5*x", 1.5),
            ("x*`Länge cm`", 1.5),
            ("x*\"Länge cm\" + 'y'", 3.5),
            ("sin(x)", 0.141_120_008_059_867_2),
            ("cos(x)", -0.989_992_496_600_445_5),
            ("tanh( x )", 0.995_054_753_686_730_5),
            ("abs(-x)", 3.0),
            ("sqrt(x)", 1.732_050_807_568_877_2),
            ("log(x)", 1.098_612_288_668_109_8),
            ("log10(x)", 0.477_121_254_719_662_44),
            ("exp(x)", 20.085_536_923_187_668),
        ] {
            let found = value(text);
            assert!(
                (found - expected).abs() <= 1e-15 * expected.abs(),
                "{text}: {found}"
            );
        }
    }

    #[test]
    fn a_name_of_a_function_can_be_a_column() {
        let expression = Expression::parse("sin*sin(sin)").unwrap();
        assert_eq!(expression.columns(), ["sin"]);
    }

    #[test]
    fn a_formula_that_cannot_be_read_says_what_was_expected() {
        for (text, expected) in [
            ("", "a column, a number or a function at the end"),
            ("x*", "a column, a number or a function at the end"),
            (
                "x+*y",
                "a column, a number or a function instead of `*` after \"x+\"",
            ),
            ("x y", "one of `+ - * / ^` instead of `y` after \"x \""),
            ("(x", "`)` at the end"),
            ("x)", "one of `+ - * / ^` instead of `)` after \"x\""),
            ("`x", "a name that ends with ` instead of `x` after \"`\""),
            ("1e999*x", "a finite number instead of `1` after \"\""),
            ("1.2.3*x", "a finite number instead of `1` after \"\""),
            (
                "2*3",
                "a formula with at least one column, such as \"x1*x2\"",
            ),
        ] {
            assert_eq!(Expression::parse(text).unwrap_err(), expected, "{text}");
        }
        let message = Expression::parse("foo(x)").unwrap_err();
        assert!(
            message.starts_with("one of the functions sin, cos"),
            "{message}"
        );
    }

    #[test]
    fn deep_nesting_is_refused_and_long_sums_are_not() {
        for deep in [
            "(".repeat(100_000),
            "-".repeat(100_000),
            "x^".repeat(100_000),
        ] {
            let message = Expression::parse(&deep).unwrap_err();
            assert_eq!(message, "a formula nested at most 64 deep");
        }
        let sum = vec!["x"; 10_000].join("+");
        assert_eq!(value(&sum), 30_000.0);
    }
}
