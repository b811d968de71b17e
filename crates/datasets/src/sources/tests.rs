#![allow(clippy::unwrap_used)]

use emberlab_menu::Menu as _;

use super::*;

#[test]
fn every_data_set_is_valid_by_default_and_survives_being_stored() {
    for config in DatasetConfig::examples() {
        config.validate().unwrap();
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(config, serde_json::from_str(&written).unwrap());
    }
}

#[test]
fn every_data_set_says_what_it_is() {
    for (name, summary) in DatasetConfig::NAMES.iter().zip(DatasetConfig::summaries()) {
        assert!(summary.len() > 20, "{name}: {summary}");
    }
}

#[test]
fn every_fetched_data_set_is_fetched_by_its_name() {
    for config in DatasetConfig::examples() {
        if let Origin::Fetched(download) = config.origin() {
            assert_eq!(download.dataset, config.name());
        }
    }
}

/// The data sets that need no file, drawn from seed 0.
fn without_files() -> impl Iterator<Item = (DatasetConfig, Samples)> {
    let configs = DatasetConfig::examples().into_iter();
    let configs =
        configs.filter(|config| !matches!(config.origin(), Origin::Fetched(_) | Origin::OwnFile));
    configs.map(|config| {
        let samples = config.load(&[], 0).unwrap().encode_all().unwrap();
        (config, samples)
    })
}

#[test]
fn samples_fit_their_shape_and_only_images_have_white_pixels() {
    for (config, samples) in without_files() {
        assert!(!samples.is_empty());
        assert_eq!(samples.row(samples.len() - 1).len(), samples.num_features());
        let is_image = samples.input_shape.len() == 3;
        assert_eq!(config.white().is_some(), is_image, "{}", config.name());
        if !is_image {
            assert_eq!(samples.feature_names.len(), samples.num_features());
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_samples_in_every_version() {
    // Taken from version 0.1.0: another checksum here changes every run that users have on disk.
    let pinned = [
        ("moons", "dee1b11f976b4a30"),
        ("circles", "bcfe132a0bb606b5"),
        ("spirals", "ab14ea3abbfed9b1"),
        ("blobs", "23682e8a4a1f092a"),
        ("xor", "2796006f92d92e0e"),
        ("gates", "9f14c5f9f829fe17"),
        ("classification", "9f4ff9cc22f9ab1d"),
        ("regression", "e74d0e783dbdbf4a"),
        ("iris", "ae6135c0b7f8281b"),
        ("penguins", "e6e36690dae9a24d"),
        ("diabetes", "a3cca16c6688529c"),
        ("winequality", "b0a45323bc509ef2"),
        ("digits", "70109ac66a240cd3"),
    ];
    for (config, samples) in without_files() {
        if let Some((name, start)) = pinned.iter().find(|(name, _)| *name == config.name()) {
            assert!(
                Dataset::from(samples).checksum().starts_with(start),
                "{name}"
            );
        }
    }
}

#[test]
fn unknown_keys_and_names_are_refused() {
    let parse = |text: &str| serde_json::from_str::<DatasetConfig>(text);
    for (text, expected) in [
        (r#"{"name": "moons", "nois": 0.1}"#, "unknown field `nois`"),
        (
            r#"{"name": "mnist", "noise": 0.1}"#,
            "unknown field `noise`",
        ),
        (r#"{"name": "moon"}"#, "unknown variant `moon`"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_schema_has_one_closed_object_per_name() {
    let schema = serde_json::to_value(schemars::schema_for!(DatasetConfig)).unwrap();
    let variants = schema["oneOf"].as_array().unwrap();
    let names: Vec<_> = variants
        .iter()
        .map(|v| v["properties"]["name"]["const"].as_str().unwrap())
        .collect();
    assert_eq!(names, DatasetConfig::NAMES);
    assert!(variants.iter().all(|v| v["additionalProperties"] == false));
}

#[test]
fn a_shift_is_a_number_a_list_or_the_word_random() {
    let parse =
        |shift: &str| serde_json::from_str::<Classification>(&format!(r#"{{"shift": {shift}}}"#));
    for shift in ["2", "0.5", "[1, 2.5]", r#""random""#] {
        parse(shift).unwrap();
    }
    let error = parse(r#""some""#).unwrap_err().to_string();
    let expected = r#"a number, a list of one number per feature, or "random""#;
    assert!(error.starts_with(expected), "{error}");
}
