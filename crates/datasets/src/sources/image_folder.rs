//! `image_folder`: a folder of your own with one folder of images per class.

use std::fs;
use std::path::{Path, PathBuf};

use emberlab_menu::{Example, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::files::{Color, InputImage};
use crate::samples::{Samples, Targets};

/// The largest width and height of the images that a network takes.
const MAX_SIDE: usize = 1024;

/// Files and folders that operating systems add. They are ignored, as are names that begin with a dot.
const ADDED_BY_SYSTEMS: [&str; 3] = ["Thumbs.db", "desktop.ini", "__MACOSX"];

/// A folder of your own with one folder of PNG or JPEG images per class.
///
/// The classes are the names of the folders in alphabetic order. The samples are sorted by class, then by the name of
/// the file. Images of any size are resized to `width` and `height`: the proportions are kept, and the rest gets the
/// colour of the image's top left corner. Hidden files and those that operating systems add are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageFolder {
    /// The folder that holds the folders of the classes; a relative path starts in the current folder.
    pub path: PathBuf,
    /// Width of the inputs in pixels, 1 to 1024.
    pub width: usize,
    /// Height of the inputs in pixels, 1 to 1024.
    pub height: usize,
    /// One grey channel, or red, green and blue (default "grey").
    #[serde(default)]
    pub color: Color,
}

impl Example for ImageFolder {
    fn example() -> Self {
        Self {
            path: "images".into(),
            width: 32,
            height: 32,
            color: Color::default(),
        }
    }
}

impl DataSource for ImageFolder {
    fn origin(&self) -> Origin {
        Origin::OwnFile
    }

    fn white(&self) -> Option<u8> {
        Some(u8::MAX)
    }

    fn own_path(&mut self) -> Option<&mut PathBuf> {
        Some(&mut self.path)
    }

    fn validate(&self) -> Result<(), Problem> {
        let path = self.path.as_os_str();
        Problem::unless(!path.is_empty(), "path", r#""""#, "the path of a folder")?;
        for (key, side) in [("width", self.width), ("height", self.height)] {
            let expected = format!("a number of pixels from 1 to {MAX_SIDE}");
            Problem::unless((1..=MAX_SIDE).contains(&side), key, side, expected)?;
        }
        Ok(())
    }

    /// Reads the images: features `[num_images, channels × height × width]`, bytes; `input_shape`
    /// `[channels, height, width]`.
    fn load(&self, _: &[PathBuf], _: u64) -> Result<Samples, DatasetError> {
        let mut pixels = Vec::new();
        let mut labels = Vec::new();
        let mut names = Vec::new();
        for folder in sorted_entries(&self.path)? {
            if !folder.is_dir() {
                return Err(unexpected(
                    &folder,
                    "expected a folder with the images of one class, found a file; move it elsewhere",
                ));
            }
            let files = sorted_entries(&folder)?;
            if files.is_empty() {
                return Err(unexpected(
                    &folder,
                    "expected the images of a class, found an empty folder; delete it, or add images",
                ));
            }
            for file in files {
                if file.is_dir() {
                    return Err(unexpected(
                        &file,
                        "expected an image, found a folder; `path` is the folder that holds one folder of images per class",
                    ));
                }
                let image = InputImage::load(&file)?;
                pixels.extend(image.to_input(self.width, self.height, self.color));
                labels.push(names.len() as u32);
            }
            names.push(file_name(&folder));
        }
        if names.len() < 2 {
            return Err(unexpected(
                &self.path,
                &format!(
                    "expected a folder of images for each of two or more classes, found {}",
                    names.len()
                ),
            ));
        }
        let shape = [self.color.num_channels(), self.height, self.width];
        let targets = Targets::Classes { labels, names };
        Ok(Samples::of_images(pixels, targets, shape))
    }
}

/// The files and folders in a folder, sorted by their names, without those that are hidden.
fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let entries = fs::read_dir(folder).map_err(DatasetError::io(folder))?;
    let entries: Result<Vec<PathBuf>, _> = entries.map(|e| Ok(e?.path())).collect();
    let mut entries = entries.map_err(DatasetError::io(folder))?;
    entries.retain(|path| {
        let name = file_name(path);
        !name.starts_with('.') && !ADDED_BY_SYSTEMS.contains(&name.as_str())
    });
    entries.sort();
    Ok(entries)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn unexpected(path: &Path, reason: &str) -> DatasetError {
    DatasetError::Image {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use image::{GrayImage, Luma, Rgb, RgbImage};
    use tempfile::TempDir;

    use super::*;

    /// Two classes of images in two formats and sizes, with files that systems add.
    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for class in ["dog", "cat", ".git"] {
            fs::create_dir(path(class)).unwrap();
        }
        let red = RgbImage::from_pixel(20, 10, Rgb([200, 0, 0]));
        red.save(path("dog/b.png")).unwrap();
        let grey = GrayImage::from_pixel(4, 4, Luma([7]));
        grey.save(path("dog/a.PNG")).unwrap();
        let light = GrayImage::from_pixel(8, 16, Luma([90]));
        light.save(path("cat/z.jpeg")).unwrap();
        for added in [".DS_Store", "dog/Thumbs.db", "cat/._z.jpeg"] {
            fs::write(path(added), "added").unwrap();
        }
        folder
    }

    fn load(folder: &Path, color: Color) -> Result<Samples, String> {
        let config = ImageFolder {
            path: folder.to_owned(),
            width: 3,
            height: 2,
            color,
        };
        let prefix = format!("{}/", folder.display());
        config
            .load(&[], 0)
            .map_err(|error| error.to_string().replace(&prefix, ""))
    }

    #[test]
    fn classes_and_files_are_in_the_order_of_their_names() {
        let folder = folder();
        let samples = load(folder.path(), Color::Grey).unwrap();
        assert_eq!(samples.class_names().unwrap(), ["cat", "dog"]);
        assert_eq!(samples.labels().unwrap(), [0, 1, 1]);
        assert_eq!(samples.input_shape, [1, 2, 3]);
        assert_eq!(samples.row(0), [90.0; 6]);
        assert_eq!(samples.row(1), [7.0; 6]);
        // round(0.299 * 200)
        assert_eq!(samples.row(2), [60.0; 6]);
    }

    #[test]
    fn colours_are_three_channels_one_after_the_other() {
        let folder = folder();
        let samples = load(folder.path(), Color::Rgb).unwrap();
        assert_eq!(samples.input_shape, [3, 2, 3]);
        let red = [[200.0; 6], [0.0; 6], [0.0; 6]].concat();
        assert_eq!(samples.row(2), red);
        assert_eq!(samples.row(1), [7.0; 18]);
    }

    #[test]
    fn what_is_no_image_of_a_class_is_refused_by_name() {
        for (name, content, expected) in [
            (
                "notes.txt",
                Some("notes"),
                "notes.txt: expected a folder with the images of one class, found a file; move it elsewhere",
            ),
            (
                "dog/notes.txt",
                Some("notes"),
                "dog/notes.txt: it is neither a PNG nor a JPEG file",
            ),
            (
                "dog/cut.png",
                Some("\u{89}PNG\r\n"),
                "dog/cut.png: it is neither a PNG nor a JPEG file",
            ),
            (
                "bird",
                None,
                "bird: expected the images of a class, found an empty folder; delete it, or add images",
            ),
            (
                "dog/puppies",
                None,
                "dog/puppies: expected an image, found a folder; `path` is the folder that holds one folder of images per class",
            ),
        ] {
            let folder = folder();
            let path = folder.path().join(name);
            match content {
                Some(text) => fs::write(path, text).unwrap(),
                None => fs::create_dir(path).unwrap(),
            }
            assert_eq!(load(folder.path(), Color::Grey).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_damaged_image_is_refused_by_name() {
        let folder = folder();
        let path = folder.path().join("dog/b.png");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let message = load(folder.path(), Color::Grey).unwrap_err();
        assert!(
            message.starts_with("dog/b.png: it is damaged: "),
            "{message}"
        );
    }

    #[test]
    fn one_class_and_a_missing_folder_are_refused() {
        let folder = folder();
        fs::remove_dir_all(folder.path().join("cat")).unwrap();
        let message = load(folder.path(), Color::Grey).unwrap_err();
        let expected = "expected a folder of images for each of two or more classes, found 1";
        assert!(message.ends_with(expected), "{message}");
        let message = load(&folder.path().join("none"), Color::Grey).unwrap_err();
        assert!(message.contains("none: "), "{message}");
    }

    #[test]
    fn sizes_outside_the_range_are_refused() {
        for (width, height, expected) in [
            (
                0,
                8,
                "`width` is 0, expected a number of pixels from 1 to 1024",
            ),
            (
                8,
                2000,
                "`height` is 2000, expected a number of pixels from 1 to 1024",
            ),
        ] {
            let config = ImageFolder {
                width,
                height,
                ..ImageFolder::example()
            };
            assert_eq!(config.validate().unwrap_err().to_string(), expected);
        }
    }
}
