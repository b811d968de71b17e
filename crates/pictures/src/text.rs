//! Estimates of the width of text, line breaks, and escapes.

/// The estimated width of `text` in pixels at font size `size`: the average of sans-serif fonts.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 't' | 'f' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '('
            | ')' => 0.34,
            ' ' | 'r' | '-' | '/' => 0.40,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.92,
            'A'..='Z' | '−' | '=' | '+' | '<' | '>' => 0.68,
            _ => 0.59,
        })
        .sum();
    em * size
}

/// Breaks `text` between words into lines no wider than `limit`.
pub(crate) fn wrap(text: &str, size: f64, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(word, size) + 0.4 * size <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// Escapes text for use between tags or in an attribute.
pub(crate) fn escape(text: &str) -> String {
    text.chars()
        // Control characters are not allowed in XML.
        .filter(|c| !c.is_control() || *c == '\n')
        .fold(String::with_capacity(text.len()), |mut out, c| {
            match c {
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '&' => out.push_str("&amp;"),
                '"' => out.push_str("&quot;"),
                other => out.push(other),
            }
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_titles_break_between_words() {
        let lines = wrap("Loss of every activation over epochs", 10.0, 120.0);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), "Loss of every activation over epochs");
        assert!(
            lines.iter().all(|line| width(line, 10.0) <= 120.0),
            "{lines:?}"
        );
    }
}
