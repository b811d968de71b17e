//! The real files of MNIST and Fashion-MNIST.

use emberlab_datasets::{DatasetConfig, Download, Origin};
use emberlab_menu::Menu as _;
use emberlab_storage::sha256;

use crate::lab::data_dir;

/// The data sets that are downloaded.
fn downloads() -> impl Iterator<Item = &'static Download> {
    let configs = DatasetConfig::examples().into_iter();
    configs.filter_map(|config| match config.origin() {
        Origin::Fetched(download) => Some(download),
        Origin::Generated | Origin::Embedded | Origin::Configuration | Origin::OwnFile => None,
    })
}

#[test]
fn the_real_files_have_the_checksums_of_the_table() {
    let Some(folder) = data_dir() else { return };
    let mut num_files = 0;
    for download in downloads() {
        for (file, expected) in download.files {
            let path = folder.join(download.folder).join(file);
            let content = std::fs::read(&path).unwrap();
            assert_eq!(sha256(&content), *expected, "{}", path.display());
            num_files += 1;
        }
    }
    assert_eq!(num_files, 8);
}

#[test]
fn the_real_files_hold_seventy_thousand_rows() {
    let Some(folder) = data_dir() else { return };
    for (name, first_labels, mean) in [
        // gzip.open(...).read()[8:13] and np.frombuffer(..., np.uint8, offset=16) of both image files
        ("mnist", [5, 0, 4, 1, 9], 33.385964741253645),
        ("fashion_mnist", [9, 0, 0, 3, 0], 72.96981142492712),
    ] {
        let config = serde_json::json!({ "name": name });
        let config: DatasetConfig = serde_json::from_value(config).unwrap();
        let samples = config
            .load(std::slice::from_ref(&folder), 0)
            .unwrap()
            .encode_all()
            .unwrap();
        assert_eq!(samples.len(), 70_000);
        assert_eq!(samples.labels().unwrap()[..5], first_labels);
        let summary = samples.summary();
        let found = summary.features[0].mean;
        assert!((found - mean).abs() < 1e-9, "{name}: {found}");
        let num_rows: usize = summary.classes.iter().map(|class| class.count).sum();
        assert_eq!(num_rows, 70_000);
    }
}
