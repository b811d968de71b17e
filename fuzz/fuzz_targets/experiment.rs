//! Any text as an experiment: reading it never panics, an error has a place in its text, and an experiment that is
//! written reads back as it was.

#![no_main]

use emberlab_config_source::{ConfigError, ConfigSource};
use emberlab_experiments::{Comparison, ExperimentConfig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Each zero byte is followed by an override, as of `--set`.
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\0');
    let source = ConfigSource::new("fuzz.toml", parts.next().unwrap_or_default());
    let overrides: Vec<String> = parts.map(str::to_owned).collect();
    let source = match source.with_overrides(&overrides) {
        Ok(source) => source,
        Err(error) => return check(&error),
    };
    match ExperimentConfig::from_source(&source) {
        Err(error) => check(&error),
        Ok(config) => {
            let written = config.to_toml().expect("an experiment as TOML");
            let written = ConfigSource::new("fuzz.toml", written);
            let again = ExperimentConfig::from_source(&written);
            assert_eq!(again.as_ref(), Ok(&config));
        }
    }
    if let Err(error) = Comparison::from_source(&source) {
        check(&error);
    }
});

/// Checks that an error can be shown, with the text at its place.
fn check(error: &ConfigError) {
    assert!(!error.to_string().is_empty());
    if let Some(span) = &error.span {
        assert!(error.source.text.get(span.clone()).is_some(), "{error:?}");
    }
}
