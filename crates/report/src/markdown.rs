//! A report as Markdown: text and tables, and a description of each picture.

use std::fmt::Write as _;

use crate::document::{Block, Document, Table, Weight, stretches};

/// The report in CommonMark with tables.
pub fn render(document: &Document) -> String {
    let mut text = format!(
        "# {}\n\n{}\n",
        escape(&document.title),
        escape(&document.summary)
    );
    for section in document.sections.iter().filter(|s| !s.blocks.is_empty()) {
        let _ = write!(text, "\n## {}\n", section.title);
        for block in &section.blocks {
            text.push('\n');
            write_block(&mut text, block);
        }
    }
    let _ = write!(
        text,
        "\n{}\n\n```sh\n{}\n```\n",
        document.command_title(),
        document.command
    );
    text
}

fn write_block(text: &mut String, block: &Block) {
    match block {
        Block::Text(words) => {
            let _ = writeln!(text, "{}", prose(words));
        }
        Block::List(sentences) => {
            for sentence in sentences {
                let _ = writeln!(text, "- {}", prose(sentence));
            }
        }
        Block::Notices(notices) => {
            for notice in notices {
                let word = match notice.weight {
                    Weight::Note => "Note",
                    Weight::Warning => "Warning",
                    Weight::Error => "Error",
                };
                let (title, said) = (escape(&notice.title), prose(&notice.text));
                let _ = writeln!(text, "- **{word}: {title}.** {said}");
                for (name, value) in &notice.evidence {
                    let _ = writeln!(text, "  - {}: {}", escape(name), escape(value));
                }
                for (name, said) in &notice.details {
                    let _ = writeln!(text, "  - {name}: {}", prose(&said.join("; ")));
                }
            }
        }
        Block::Table(table) => write_table(text, table),
        Block::Tables(tables) => {
            for (number, table) in tables.iter().enumerate() {
                text.push_str(if number > 0 { "\n" } else { "" });
                write_table(text, table);
            }
        }
        Block::Figures(figures) => {
            for figure in figures {
                let (title, shown) = (figure.picture.title(), figure.picture.description());
                let _ = writeln!(text, "- {}: {}", escape(title), escape(shown));
            }
        }
        Block::Timeline(timeline) => {
            write_block(text, &Block::Figures(timeline.figures.clone()));
        }
        Block::Facts(facts) => {
            for (name, value) in facts {
                let _ = writeln!(text, "- {}: {}", escape(name), escape(value));
            }
        }
        Block::Code {
            caption,
            text: code,
        } => {
            let _ = write!(
                text,
                "{}:\n\n```toml\n{}\n```\n",
                escape(caption),
                code.trim_end()
            );
        }
    }
}

fn write_table(text: &mut String, table: &Table) {
    let _ = write!(text, "{}\n\n", escape(&table.caption));
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    text.push_str(&line(
        table.columns.iter().map(|c| escape(&c.name)).collect(),
    ));
    let dashes = table
        .columns
        .iter()
        .map(|c| if c.is_number { "---:" } else { "---" });
    text.push_str(&line(dashes.map(str::to_string).collect()));
    for row in &table.rows {
        text.push_str(&line(row.iter().map(|cell| escape(&cell.text)).collect()));
    }
}

/// Text with everything escaped but code.
fn prose(text: &str) -> String {
    let part = |(part, is_code)| {
        if is_code {
            format!("`{part}`")
        } else {
            escape(part)
        }
    };
    stretches(text).map(part).collect()
}

/// Text on one line, with everything escaped that Markdown would interpret.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '\\' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '|' | '#' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Column, Section};

    #[test]
    fn tables_and_sentences_are_commonmark_with_escaped_names() {
        let table = Table {
            caption: "Medians".to_string(),
            columns: vec![Column::words("variant"), Column::numbers("n")],
            rows: vec![vec!["leaky_relu | a".into(), "10".into()]],
        };
        let document = Document {
            title: "moons".to_string(),
            kind: "comparison",
            summary: "Two are tied.".to_string(),
            command: "emberlab compare moons.toml".to_string(),
            is_unfinished: false,
            sections: vec![Section {
                title: "Answer",
                blocks: vec![
                    Block::List(vec!["a*b of `x_y`".to_string()]),
                    Block::Table(table),
                ],
            }],
        };
        assert_eq!(
            render(&document),
            "# moons\n\nTwo are tied.\n\n## Answer\n\n- a\\*b of `x_y`\n\nMedians\n\n| variant | n |\n| --- | ---: |\n\
             | leaky\\_relu \\| a | 10 |\n\nTo repeat it:\n\n```sh\nemberlab compare moons.toml\n```\n"
        );
    }
}
