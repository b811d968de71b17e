//! A report as one HTML page that loads nothing from the network or from other files.

use emberlab_pictures::{Tone, style_sheet};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::document::{
    Block, Cell, Column, Document, Figure, Mark, Notice, Section, Table, Values, Weight, stretches,
};
use crate::timeline::{Timeline, TimelineLayer};

/// Rows of the table with the values of a picture.
const NUM_VALUE_ROWS: usize = 11;

/// The page. JavaScript is needed only for the values shown under the mouse or with the arrow keys.
pub fn render(document: &Document) -> String {
    let sections: Vec<&Section> = document
        .sections
        .iter()
        .filter(|section| !section.blocks.is_empty())
        .collect();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(concat!("emberlab ", env!("CARGO_PKG_VERSION")));
                // Without an icon here, browsers would request one over the network.
                link rel="icon" href="data:,";
                title { (document.title) " – emberlab" }
                style { (PreEscaped(style_sheet())) (PreEscaped(include_str!("html/page.css"))) (PreEscaped(include_str!("html/timeline.css"))) }
            }
            body {
                a.skip href="#report" { "Skip to the report" }
                header {
                    p.kind { "Emberlab " (document.kind) }
                    h1 { (heading(&document.title)) }
                    p.summary { (prose(&document.summary)) }
                }
                nav aria-label="Sections" {
                    ul {
                        @for section in &sections {
                            li { a href=(format!("#{}", id(section.title))) { (section.title) } }
                        }
                    }
                }
                main #report {
                    @for section in &sections { (render_section(section)) }
                }
                footer {
                    p { (document.command_title()) }
                    pre.command tabindex="0" { code { (document.command) } }
                }
                script { (PreEscaped(include_str!("html/page.js"))) }
            }
        }
    };
    page.into_string()
}

/// A title that may be broken into lines after a slash or an underscore, as in names of runs.
fn heading(title: &str) -> Markup {
    let parts: Vec<&str> = title.split_inclusive(['/', '_']).collect();
    html! {
        @for (i, part) in parts.iter().enumerate() {
            @if i > 0 { wbr; }
            (part)
        }
    }
}

fn render_section(section: &Section) -> Markup {
    let id = id(section.title);
    html! {
        section aria-labelledby=(id) {
            h2 #(id) { (section.title) }
            @for (number, block) in section.blocks.iter().enumerate() {
                (render_block(block, &format!("{id}-{}", number + 1)))
            }
        }
    }
}

fn render_block(block: &Block, id: &str) -> Markup {
    match block {
        Block::Text(text) => html! { p { (prose(text)) } },
        Block::List(sentences) => html! {
            ul.sentences { @for sentence in sentences { li { (prose(sentence)) } } }
        },
        Block::Notices(notices) => html! { @for notice in notices { (render_notice(notice)) } },
        Block::Table(table) => render_table(table, id),
        Block::Tables(tables) => html! {
            div.tables {
                @for (number, table) in tables.iter().enumerate() {
                    (render_table(table, &format!("{id}-{}", number + 1)))
                }
            }
        },
        Block::Figures(figures) => html! {
            div.figures style=(format!("--width:{}px", widest(figures))) {
                @for (number, figure) in figures.iter().enumerate() {
                    (render_figure(figure, &format!("{id}-{}", number + 1)))
                }
            }
        },
        Block::Timeline(timeline) => render_timeline(timeline, id),
        Block::Facts(facts) => html! {
            dl { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
        },
        Block::Code { caption, text } => html! {
            details {
                summary { (caption) }
                pre tabindex="0" role="region" aria-label=(caption) { code { (text) } }
            }
        },
    }
}

fn render_notice(notice: &Notice) -> Markup {
    let (class, word) = match notice.weight {
        Weight::Note => ("notice note", "Note"),
        Weight::Warning => ("notice warning", "Warning"),
        Weight::Error => ("notice error", "Error"),
    };
    html! {
        article class=(class) {
            h3 { span.weight { (word) } " " (notice.title) }
            p { (prose(&notice.text)) }
            @if !notice.evidence.is_empty() {
                table.evidence {
                    tbody {
                        @for (name, value) in &notice.evidence {
                            tr { th scope="row" { (name) } td.number { (value) } }
                        }
                    }
                }
            }
            @if !notice.details.is_empty() {
                div.details {
                    @for (name, said) in &notice.details {
                        div {
                            h4 { (name) }
                            ul { @for one in said { li { (prose(one)) } } }
                        }
                    }
                }
            }
        }
    }
}

/// Text in which stretches between backticks are code.
fn prose(text: &str) -> Markup {
    html! {
        @for (part, is_code) in stretches(text) {
            @if is_code { code { (part) } } @else { (part) }
        }
    }
}

/// A table that scrolls sideways where the page is too narrow for it.
fn render_table(table: &Table, id: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(id) {
            table {
                caption #(id) { span { (table.caption) } }
                thead {
                    tr { @for column in &table.columns {
                        th scope="col" class=[column.is_number.then_some("number")] { (column.name) }
                    } }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (cell, column) in row.iter().zip(&table.columns) {
                                (render_cell(cell, column, std::ptr::eq(cell, &row[0])))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn render_cell(cell: &Cell, column: &Column, is_first: bool) -> Markup {
    let class = column.is_number.then_some("number");
    let shade = match cell.mark {
        Mark::Shade(share) => Some(format!("--shade:{:.0}%", 70.0 * share.clamp(0.0, 1.0))),
        _ => None,
    };
    let content = html! {
        @match cell.mark {
            Mark::Series(n) => { (sample(n)) " " (cell.text) }
            Mark::Interval { low, middle, high } => { (interval(low, middle, high)) (cell.text) }
            Mark::None | Mark::Shade(_) => { (cell.text) }
        }
    };
    html! {
        @if is_first {
            th scope="row" class=[class] { (content) }
        } @else {
            td class=[class] style=[shade] { (content) }
        }
    }
}

/// The line that a series has in the pictures.
fn sample(series: usize) -> Markup {
    let line = emberlab_pictures::sample(series);
    html! { span.sample aria-hidden="true" { (PreEscaped(line.inline())) } }
}

/// A dot on its interval. Screen readers skip it, since the text beside it says the same.
fn interval(low: f64, middle: f64, high: f64) -> Markup {
    const WIDTH: f64 = 100.0;
    let at = |share: f64| format!("{:.1}", 6.0 + share.clamp(0.0, 1.0) * (WIDTH - 12.0));
    let ink = series_colour(0);
    html! {
        svg.picture.interval aria-hidden="true" width=(WIDTH) height="16" viewBox=(format!("0 0 {WIDTH} 16")) {
            line x1=(at(low)) x2=(at(high)) y1="8" y2="8" stroke=(ink) stroke-width="4" stroke-opacity="0.4" stroke-linecap="round" {}
            circle cx=(at(middle)) cy="8" r="4.5" fill=(ink) {}
        }
    }
}

/// The slider, the charts with its cursor, and empty canvases, which the script draws.
fn render_timeline(timeline: &Timeline, id: &str) -> Markup {
    let canvas = |kind: &str, layer: Option<&TimelineLayer>, label: String| {
        let name = layer.map(|layer| layer.name.as_str());
        html! { canvas data-kind=(kind) data-layer=[name] role="img" aria-label=(label) {} }
    };
    let with_maps: Vec<&TimelineLayer> = timeline.layers.iter().filter(|l| l.has_maps).collect();
    let with_views: Vec<&TimelineLayer> = timeline.layers.iter().filter(|l| l.has_view).collect();
    let with_features = timeline.layers.iter();
    let with_features: Vec<(&TimelineLayer, &String)> = with_features
        .filter_map(|layer| Some((layer, layer.features.as_ref()?)))
        .collect();
    html! {
        noscript { p { "The pictures of single moments need JavaScript; the charts do not." } }
        div.timeline #(id) {
            div.player {
                button type="button" aria-label="Play" { "▶" }
                input type="range" min="0" value="0" step="1" aria-label="Epoch";
                output {}
            }
            div.figures.small style=(format!("--width:{}px", widest(&timeline.figures))) {
                @for (number, figure) in timeline.figures.iter().enumerate() {
                    (render_figure(figure, &format!("{id}-chart-{}", number + 1)))
                }
            }
            @if !with_features.is_empty() {
                h3 { "What each channel of the convolutions sees in one image" }
                p.hint { "The outputs of each channel, after the activation function, for the first row of the set. Orange is positive and blue negative, each channel on its own scale; a channel without colour is zero everywhere." }
                div.maps {
                    @if let Some(caption) = &timeline.sample {
                        figure.sample {
                            (canvas("sample", None, format!("{caption}, that the feature maps are of")))
                            figcaption { (caption) }
                        }
                    }
                    div.layers {
                        @for (layer, shown) in &with_features {
                            figure {
                                (canvas("features", Some(layer), format!("Feature maps of {}: {shown}", layer.name)))
                                figcaption { (layer.name) ": " (shown) }
                            }
                        }
                    }
                }
            }
            @if let Some(weights) = &timeline.weights {
                h3 { "Weights of the first layer" }
                p.hint { (weights) ". Orange is positive and blue negative, each picture on its own scale." }
                (canvas("weights", None, "The weights of the first layer".to_string()))
            }
            @if !timeline.class_names.is_empty() && (timeline.has_boundary || !with_views.is_empty()) {
                p.classes {
                    @for (class, name) in timeline.class_names.iter().enumerate().take(Tone::SERIES) {
                        span { svg.picture width="12" height="12" aria-hidden="true" {
                            circle cx="6" cy="6" r="5" fill=(series_colour(class)) {}
                        } (name) }
                    }
                }
            }
            @if timeline.has_boundary || !with_maps.is_empty() {
                h3 { "What each unit sees in the plane of the two inputs" }
                p.hint { "Orange is positive and blue negative, each unit on its own scale; a unit without colour is zero everywhere." }
                div.maps {
                    @if timeline.has_boundary {
                        figure.whole {
                            (canvas("boundary", None, "The predictions over the two inputs".to_string()))
                            figcaption { "predictions" }
                        }
                    }
                    div.layers {
                        @for layer in &with_maps {
                            figure {
                                (canvas("maps", Some(layer), format!("The outputs of every unit of {}", layer.title)))
                                figcaption { (layer.title) }
                            }
                        }
                    }
                }
            }
            @if !with_views.is_empty() {
                h3 { "The rows as each hidden layer sees them" }
                p.hint { "Activations along their two directions of largest variance. Classes that the layer tells apart lie apart." }
                div.views {
                    @for layer in &with_views {
                        figure {
                            (canvas("view", Some(layer), format!("The rows as {} sees them", layer.title)))
                            figcaption { (layer.title) span.explained {} }
                        }
                    }
                }
            }
            h3 { "Activations, weights and gradients" }
            div.histograms {
                @for layer in &timeline.layers {
                    p.layer { (layer.title) }
                    @for kind in ["activations", "weights", "gradients"] {
                        figure {
                            (canvas(kind, Some(layer), format!("{kind} of {}", layer.title)))
                            figcaption { (kind) span.range {} }
                        }
                    }
                }
            }
            script type="application/json" { (PreEscaped(&timeline.data)) }
        }
        script { (PreEscaped(include_str!("html/timeline.js"))) }
    }
}

/// The colour of a series, as the style sheet knows it.
fn series_colour(series: usize) -> String {
    let [r, g, b] = Tone::Series(series).rgb();
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// 90 % of the width of the widest picture, in CSS pixels, so that two fit beside each other.
fn widest(figures: &[Figure]) -> f64 {
    let widths = figures.iter().map(|figure| figure.picture.size().0);
    (0.9 * widths.fold(0.0, f64::max)).round()
}

fn render_figure(figure: &Figure, id: &str) -> Markup {
    let picture = html! { (PreEscaped(figure.picture.inline())) };
    html! {
        figure {
            @match &figure.values {
                None => { (picture) }
                Some(values) => {
                    div.chart #(id) tabindex="0" role="group" aria-label=(format!("{}, values with the arrow keys", figure.picture.title())) {
                        (picture)
                        div.readout role="status" hidden {}
                        script type="application/json" { (PreEscaped(json(values))) }
                    }
                }
            }
            @if !figure.caption.is_empty() { figcaption { (figure.caption) } }
            @if let Some(values) = &figure.values {
                details.values {
                    summary { "Values as a table" }
                    (render_table(&value_table(values, figure.picture.title()), &format!("{id}-values")))
                }
            }
        }
    }
}

/// A table of some of the values, evenly spaced, including the first and the last.
fn value_table(values: &Values, title: &str) -> Table {
    let last = values.x.len().saturating_sub(1);
    let num_steps = last.min(NUM_VALUE_ROWS - 1);
    let mut places: Vec<usize> = (0..num_steps).map(|i| i * last / num_steps).collect();
    places.extend((!values.x.is_empty()).then_some(last));
    let names = values
        .series
        .iter()
        .map(|series| Column::numbers(&series.name));
    let row = |i: usize| {
        let x = Cell::from(format!("{}", values.x[i]));
        let cells = values
            .series
            .iter()
            .map(|series| Cell::from(series.text(i)));
        [x].into_iter().chain(cells).collect()
    };
    Table {
        caption: title.to_string(),
        columns: [Column::numbers(&values.x_name)]
            .into_iter()
            .chain(names)
            .collect(),
        rows: places.into_iter().map(row).collect(),
    }
}

/// The values as JSON with four significant digits, safe inside a script element.
fn json(values: &Values) -> String {
    let short = |value: &f64| match value.is_finite() {
        true => format!("{value:.3e}").parse().unwrap_or(*value),
        false => f64::NAN,
    };
    let mut values = values.clone();
    for series in &mut values.series {
        for column in [&mut series.y, &mut series.low, &mut series.high] {
            *column = column.iter().map(short).collect();
        }
    }
    // `</script>` would end the element; in JSON, `<` occurs in strings only.
    let text = serde_json::to_string(&values).unwrap_or_default();
    text.replace('<', "\\u003c")
}

/// A heading as the fragment of an address.
fn id(title: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    title.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::SeriesValues;

    fn document(blocks: Vec<Block>) -> Document {
        Document {
            title: "<b>moons</b>".to_string(),
            kind: "run",
            summary: "1 < 2 & 3".to_string(),
            command: "emberlab train 'a b.toml'".to_string(),
            is_unfinished: false,
            sections: vec![
                Section {
                    title: "Empty part",
                    blocks: Vec::new(),
                },
                Section {
                    title: "Full part",
                    blocks,
                },
            ],
        }
    }

    #[test]
    fn names_from_files_are_escaped() {
        let table = Table {
            caption: "<script>".to_string(),
            columns: vec![Column::words("\"name\""), Column::numbers("n")],
            rows: vec![vec!["</table>".into(), "1".into()]],
        };
        let page = render(&document(vec![
            Block::Table(table),
            Block::Text("<p>".to_string()),
        ]));
        for raw in [
            "<b>moons",
            "1 < 2 &",
            "<script>:",
            "</table></th>",
            "<p><p>",
        ] {
            assert!(!page.contains(raw), "{raw}");
        }
        assert!(page.contains("&lt;b&gt;moons&lt;/b&gt;") && page.contains("1 &lt; 2 &amp; 3"));
        // Values are in a script element, which `</script>` must not end.
        let values = Values {
            x_name: "epoch".to_string(),
            x: vec![1.0],
            series: vec![SeriesValues {
                name: "</script>".to_string(),
                y: vec![f64::NAN],
                low: Vec::new(),
                high: Vec::new(),
            }],
        };
        let expected =
            r#"{"x_name":"epoch","x":[1.0],"series":[{"name":"\u003c/script>","y":[null]}]}"#;
        assert_eq!(json(&values), expected);
    }

    #[test]
    fn sections_without_content_are_neither_shown_nor_linked() {
        let page = render(&document(vec![Block::Text("here".to_string())]));
        assert!(page.contains("href=\"#full-part\"") && page.contains("id=\"full-part\""));
        assert!(!page.contains("Empty part"));
    }

    #[test]
    fn the_table_of_values_has_the_first_and_the_last() {
        let x: Vec<f64> = (1..=100).map(f64::from).collect();
        let series = SeriesValues {
            name: "relu".to_string(),
            y: x.clone(),
            low: x.clone(),
            high: x.clone(),
        };
        let values = Values {
            x_name: "epoch".to_string(),
            x,
            series: vec![series],
        };
        let table = value_table(&values, "loss");
        assert_eq!(table.rows.len(), NUM_VALUE_ROWS);
        assert_eq!(table.rows[0][0].text, "1");
        assert_eq!(table.rows[10][0].text, "100");
        assert_eq!(table.rows[10][1].text, "100.0000 [100.0000, 100.0000]");
    }
}
