//! Numbers with many zeros, in scientific notation.

use toml_edit::{DocumentMut, Item, Value};

/// The text of a configuration in which numbers with many zeros stand in scientific notation, such as `1e-300`. Their
/// values keep every bit. A text that is not TOML stays as it is.
pub fn with_short_numbers(text: String) -> String {
    // Most texts have no such number, and need no reading.
    if !text.contains(&"0".repeat(10)) {
        return text;
    }
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return text;
    };
    shorten(document.as_item_mut());
    document.to_string()
}

fn shorten(item: &mut Item) {
    match item {
        Item::Value(value) => shorten_value(value),
        Item::Table(table) => table.iter_mut().for_each(|(_, item)| shorten(item)),
        Item::ArrayOfTables(tables) => {
            let items = tables.iter_mut().flat_map(|table| table.iter_mut());
            items.for_each(|(_, item)| shorten(item));
        }
        Item::None => (),
    }
}

fn shorten_value(value: &mut Value) {
    match value {
        Value::Float(float) => {
            let number = *float.value();
            let is_long = number != 0.0 && !(1e-10..1e20).contains(&number.abs());
            let short = format!("{number:e}").parse::<Value>();
            if let (true, true, Ok(mut short)) = (is_long, number.is_finite(), short) {
                *short.decor_mut() = float.decor().clone();
                *value = short;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(shorten_value),
        Value::InlineTable(table) => table.iter_mut().for_each(|(_, value)| shorten_value(value)),
        _ => (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_with_many_zeros_are_written_anew() {
        let zeros = "0".repeat(299);
        let text = format!(
            "name = \"0.{zeros}1\"\nepsilon = 0.00000001\n\n[optimizer]\nlearning_rate = 0.{zeros}1 # small\n\
             rates = [1{zeros}0.0, 0.5]\n"
        );
        let expected = format!(
            "name = \"0.{zeros}1\"\nepsilon = 0.00000001\n\n[optimizer]\nlearning_rate = 1e-300 # small\n\
             rates = [1e300, 0.5]\n"
        );
        assert_eq!(with_short_numbers(text), expected);
        let plain = "a = 1.0\n".to_owned();
        assert_eq!(with_short_numbers(plain.clone()), plain);
    }
}
