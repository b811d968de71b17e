//! The four files of MNIST, which Fashion-MNIST shares: images and labels for training and for testing.

use std::path::{Path, PathBuf};

use super::{Download, idx};
use crate::error::DatasetError;
use crate::samples::{Samples, Targets};

const SIDE: usize = 28;

/// Images and labels, training rows first. The files may be gzipped, as they are fetched, or unpacked.
const PARTS: [[&str; 2]; 2] = [
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
    ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
];

/// Reads the four files from the first data folder that has them: features `[70000, 784]`, bytes.
///
/// # Errors
/// [`DatasetError::Missing`] if a file is in none of the folders; [`DatasetError::Io`] and
/// [`DatasetError::Idx`] if one cannot be read or is damaged.
pub(crate) fn load(
    download: &Download,
    class_names: Vec<String>,
    data_dirs: &[PathBuf],
) -> Result<Samples, DatasetError> {
    let folder = find_folder(download, data_dirs)?;
    let num_classes = class_names.len() as u32;
    let mut pixels = Vec::new();
    let mut labels = Vec::new();
    for [images_name, labels_name] in PARTS {
        let images_path = find_file(download, &folder, images_name)?;
        let labels_path = find_file(download, &folder, labels_name)?;
        let images_read = idx::read_images(&images_path, [SIDE, SIDE], &mut pixels)?;
        let labels_read = idx::read_labels(&labels_path, num_classes, &mut labels)?;
        if labels_read != images_read {
            return Err(DatasetError::Idx {
                path: labels_path,
                expected: format!("{images_read} labels, one per image of {images_name}"),
                found: labels_read.to_string(),
            });
        }
    }
    let targets = Targets::Classes {
        labels,
        names: class_names,
    };
    Ok(Samples::of_images(pixels, targets, [1, SIDE, SIDE]))
}

/// The first folder that holds any of the files. A data folder may itself be the folder of the data set.
fn find_folder(download: &Download, data_dirs: &[PathBuf]) -> Result<PathBuf, DatasetError> {
    let folders: Vec<PathBuf> = data_dirs
        .iter()
        .map(|dir| match dir.ends_with(download.folder) {
            true => dir.clone(),
            false => dir.join(download.folder),
        })
        .collect();
    let holds_any = |folder: &&PathBuf| {
        let mut parts = PARTS.as_flattened().iter();
        parts.any(|part| existing(folder, part).is_some())
    };
    let found = folders.iter().find(holds_any).cloned();
    found.ok_or(DatasetError::Missing {
        dataset: download.dataset,
        searched: folders,
    })
}

fn find_file(download: &Download, folder: &Path, part: &str) -> Result<PathBuf, DatasetError> {
    existing(folder, part).ok_or_else(|| DatasetError::Missing {
        dataset: download.dataset,
        searched: vec![gzipped(folder, part)],
    })
}

fn existing(folder: &Path, part: &str) -> Option<PathBuf> {
    let candidates = [gzipped(folder, part), folder.join(part)];
    candidates.into_iter().find(|path| path.is_file())
}

fn gzipped(folder: &Path, part: &str) -> PathBuf {
    folder.join(format!("{part}.gz"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;
    use crate::sources::{DataSource as _, FashionMnist, Mnist};

    /// Plain files of `train` and `test` black images, with labels counting up.
    fn write_files(folder: &Path, counts: [u8; 2]) {
        fs::create_dir_all(folder).unwrap();
        for (count, [images, labels]) in counts.into_iter().zip(PARTS) {
            let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28];
            bytes.resize(16 + 784 * usize::from(count), 0);
            fs::write(folder.join(images), bytes).unwrap();
            let mut bytes = vec![0, 0, 8, 1, 0, 0, 0, count];
            bytes.extend(0..count);
            fs::write(folder.join(labels), bytes).unwrap();
        }
    }

    #[test]
    fn training_rows_come_before_test_rows() {
        let data = tempfile::tempdir().unwrap();
        write_files(&data.path().join("mnist"), [3, 2]);
        let empty = tempfile::tempdir().unwrap();
        let dirs = [empty.path().to_owned(), data.path().to_owned()];
        let samples = Mnist {}.load(&dirs, 0).unwrap();
        assert_eq!(samples.labels().unwrap(), [0, 1, 2, 0, 1]);
        assert_eq!((samples.num_features(), samples.len()), (784, 5));
    }

    #[test]
    fn a_data_folder_may_be_the_folder_of_the_data_set() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("fashion-mnist");
        write_files(&folder, [1, 1]);
        let samples = FashionMnist {}
            .load(std::slice::from_ref(&folder), 0)
            .unwrap();
        assert_eq!(samples.class_names().unwrap()[9], "ankle boot");
        assert!(Mnist {}.load(&[folder], 0).is_err());
    }

    #[test]
    fn missing_data_name_the_command_that_gets_them() {
        let error = FashionMnist {}
            .load(&["a".into(), "b".into()], 0)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "fashion_mnist is not in a/fashion-mnist or b/fashion-mnist: get it with \
             `emberlab data fetch fashion_mnist`"
        );
    }

    #[test]
    fn a_single_missing_file_is_named() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("mnist");
        write_files(&folder, [1, 1]);
        fs::remove_file(folder.join("t10k-labels-idx1-ubyte")).unwrap();
        let message = Mnist {}.load(&[folder], 0).unwrap_err().to_string();
        assert!(
            message.contains("mnist/t10k-labels-idx1-ubyte.gz"),
            "{message}"
        );
    }

    #[test]
    fn counts_that_differ_are_refused() {
        let data = tempfile::tempdir().unwrap();
        let [folder, other] = ["mnist", "other"].map(|name| data.path().join(name));
        write_files(&folder, [3, 2]);
        write_files(&other, [2, 2]);
        fs::copy(
            other.join("train-labels-idx1-ubyte"),
            folder.join("train-labels-idx1-ubyte"),
        )
        .unwrap();
        let message = Mnist {}.load(&[folder], 0).unwrap_err().to_string();
        let expected = "train-labels-idx1-ubyte: expected 3 labels, one per image of \
                        train-images-idx3-ubyte, found 2";
        assert!(message.ends_with(expected), "{message}");
    }
}
