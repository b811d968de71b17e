//! Any keys and any bytes as a table: reading it never panics. What is read has every row of the file that has a label,
//! its features are finite, and `predict` reads the same features from the file.

#![no_main]

mod folder;

use emberlab_tables::{Encoder, HeaderLine, Label, RowReader, TableConfig, describe};
use folder::FOLDER;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // The keys of the configuration end with a zero byte, which the table follows.
    let mut parts = data.splitn(2, |&byte| byte == 0);
    let keys = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let path = FOLDER.path().join("table.csv");
    std::fs::write(&path, parts.next().unwrap_or_default()).expect("a file");
    let Ok(mut config) = toml::from_str::<TableConfig>(&format!("path = ''\n{keys}")) else {
        return;
    };
    config.path.clone_from(&path);
    let label = config.label.names().first().map(String::as_str);
    drop(describe(&path, &config.format(), label));
    let Ok(loaded) = config.load() else {
        return;
    };
    let lines = &loaded.features.lines;
    assert!(lines.windows(2).all(|pair| pair[0] < pair[1]));
    let num_labels = match &loaded.label {
        Label::Classes { labels, .. } => labels.len(),
        Label::Values { values, names } => values.len() / names.len(),
    };
    assert_eq!(num_labels, lines.len());
    let all: Vec<u32> = (0..).take(lines.len()).collect();
    // New categories and parts of the file are met by an encoder that saw half of the rows.
    if let Ok(encoder) = Encoder::fit(&config, &loaded.features, &all[..all.len().div_ceil(2)]) {
        drop(encoder.encode(&config, &loaded.features));
        drop(encoder.read(&config, &path, HeaderLine::Auto));
    }
    let Ok(encoder) = Encoder::fit(&config, &loaded.features, &all) else {
        return;
    };
    let Ok(features) = encoder.encode(&config, &loaded.features) else {
        return;
    };
    assert_eq!(features.len(), lines.len() * encoder.features().len());
    assert!(features.iter().all(|value| value.is_finite()));
    let stored = serde_json::to_string(&encoder).expect("an encoder as JSON");
    let stored: Encoder = serde_json::from_str(&stored).expect("an encoder from JSON");
    assert_eq!(stored, encoder);
    // Without a header, or without the rows that have no label, the file is not the same to `predict`.
    if config.header != Some(true) || num_rows(&config) != Some(lines.len()) {
        return;
    }
    let again = stored.read(&config, &path, HeaderLine::Yes);
    let again = again.expect("the rows again");
    assert_eq!(again.features, features);
    assert_eq!(&again.lines, lines);
});

/// The number of rows of the file.
fn num_rows(config: &TableConfig) -> Option<usize> {
    let mut rows = RowReader::open(&config.path, &config.format()).ok()?;
    let mut count = 0;
    while rows.next_row().ok()?.is_some() {
        count += 1;
    }
    Some(count)
}
