//! Estimates of the width of text, line breaks, and escapes.

/// The estimated width of `text` in pixels at font size `size`: the average of sans-serif fonts.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 't' | 'f' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '('
            | ')' => 0.34,
            ' ' | 'r' | '-' | '/' => 0.40,
            'm' | 'W' | '%' | '@' | '…' => 0.99,
            'w' | 'M' => 0.86,
            // Chinese, Japanese and Korean letters.
            '\u{2e80}'.. => 1.0,
            '0'..='9' => 0.64,
            'A'..='Z' | '−' | '=' | '+' | '<' | '>' => 0.68,
            _ => 0.59,
        })
        .sum();
    em * size
}

/// How much wider text in bold is.
pub(crate) const BOLD: f64 = 1.14;

/// Breaks `text` into lines no wider than `limit`: between words, and inside a word that is wider by itself.
pub(crate) fn wrap(text: &str, size: f64, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in text
        .split_whitespace()
        .flat_map(|word| parts(word, size, limit))
    {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(&part, size) + 0.4 * size <= limit => {
                line.push(' ');
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines
}

/// A word in parts no wider than `limit`, each as long as possible.
fn parts(word: &str, size: f64, limit: f64) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut used = f64::INFINITY;
    for letter in word.chars() {
        let needed = width(letter.encode_utf8(&mut [0; 4]), size);
        match parts.last_mut() {
            Some(part) if used + needed <= limit => {
                part.push(letter);
                used += needed;
            }
            _ => {
                parts.push(letter.to_string());
                used = needed;
            }
        }
    }
    parts
}

/// `text`, or its beginning with "…" if it is wider than `limit`.
pub(crate) fn shortened(text: &str, size: f64, limit: f64) -> String {
    if width(text, size) <= limit {
        return text.to_string();
    }
    let room = limit - width("…", size);
    let beginning = parts(text, size, room).into_iter().next();
    beginning.unwrap_or_default().trim_end().to_string() + "…"
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
        // A word without an end is broken, too.
        let name = "name_".repeat(20);
        let lines = wrap(&format!("of {name} x"), 10.0, 120.0);
        assert!(
            lines.iter().all(|line| width(line, 10.0) <= 120.0),
            "{lines:?}"
        );
        assert_eq!(lines.concat().replace(' ', ""), format!("of{name}x"));
    }

    #[test]
    fn a_text_is_shortened_only_where_it_is_too_wide() {
        assert_eq!(shortened("short", 10.0, 120.0), "short");
        let cut = shortened(&"a".repeat(300), 10.0, 120.0);
        assert!(cut.ends_with("a…") && width(&cut, 10.0) <= 120.0, "{cut}");
        assert!(width(&cut, 10.0) > 108.0, "{cut}");
    }
}
