//! The checkpoints of one run.
//!
//! A checkpoint is written into a folder with a temporary name, with a manifest of the sizes and SHA-256 sums of
//! its files. Every file is synced, the folder is renamed, and its parent folder is synced. So a checkpoint is
//! either complete or absent. To find the newest valid one, its files are verified: the name is not enough.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::checkpoint::CONFIG;
use crate::manifest::{self, Manifest, Written};
use crate::operations::{create_folder, is_leftover, remove_tree, rename};
use crate::{Batch, Checkpoint, Digested, Identity, Position, StorageError, sha256};

/// The checkpoints of one run.
#[derive(Debug, Clone)]
pub struct CheckpointStore {
    folder: PathBuf,
    keep_last: usize,
}

/// The result of a search for the newest checkpoint.
#[derive(Debug)]
pub struct Found {
    /// The newest valid checkpoint, if there is one.
    pub checkpoint: Option<Checkpoint>,
    /// The damage found in the newer ones.
    pub damaged: Vec<StorageError>,
}

/// The beginning of the names of damaged checkpoints that were renamed.
const ASIDE: &str = "damaged-";

impl CheckpointStore {
    /// The checkpoints in `folder`. The newest `keep_last` of them are kept.
    pub fn new(folder: impl Into<PathBuf>, keep_last: usize) -> Self {
        Self {
            folder: folder.into(),
            keep_last: keep_last.max(1),
        }
    }

    /// Writes the checkpoint of a training and removes the oldest ones, so that `keep_last` remain.
    ///
    /// # Errors
    /// [`StorageError::Io`] naming the file; earlier checkpoints then remain.
    pub fn save(
        &self,
        identity: &Identity,
        position: Position,
        files: &[(&str, &[u8])],
    ) -> Result<PathBuf, StorageError> {
        let mut batch = Batch::default();
        let path = self.write(identity, position, files, &mut batch)?;
        batch.commit()?;
        self.remove_old()?;
        Ok(path)
    }

    /// Writes the checkpoint of a training, which appears with the `batch`.
    ///
    /// # Errors
    /// [`StorageError::Io`] naming the file.
    pub fn write(
        &self,
        identity: &Identity,
        position: Position,
        files: &[(&str, &[u8])],
        batch: &mut Batch,
    ) -> Result<PathBuf, StorageError> {
        let path = self.folder.join(position.to_string());
        create_folder(&self.folder)?;
        for leftover in leftovers(&self.folder)? {
            remove_tree(&leftover)?;
        }
        let config = identity.config.as_bytes();
        let mut all = vec![(CONFIG, config)];
        all.extend_from_slice(files);
        let manifest = Manifest {
            written: Written::by_this_version(),
            position,
            config_sha256: sha256(config),
            data_sha256: identity.data_sha256.clone(),
            files: all.iter().map(|(n, c)| Digested::new(n, c)).collect(),
        };
        let manifest = serde_json::to_vec_pretty(&manifest)
            .map_err(|e| StorageError::io("write", &path)(e.into()))?;
        let sum = manifest::sum_line(&manifest);
        all.push((manifest::FILE, &manifest));
        all.push((manifest::SUM_FILE, sum.as_bytes()));
        batch.publish_folder(&path, &all)?;
        Ok(path)
    }

    /// Removes the oldest checkpoints, so that `keep_last` remain.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn remove_old(&self) -> Result<(), StorageError> {
        self.surplus()?.iter().try_for_each(|old| remove_tree(old))
    }

    /// The newest valid checkpoint, and the damage found in newer ones.
    ///
    /// # Errors
    /// [`StorageError::Io`] if the folder cannot be read; [`StorageError::Format`] if a newer one has the format of
    /// another version of the lab: an older one is not used in its place.
    pub fn newest(&self) -> Result<Found, StorageError> {
        let mut damaged = Vec::new();
        for (_, path) in checkpoints(&self.folder)? {
            match Checkpoint::read(&path) {
                Ok(checkpoint) => {
                    return Ok(Found {
                        checkpoint: Some(checkpoint),
                        damaged,
                    });
                }
                Err(error @ StorageError::Format { .. }) => return Err(error),
                Err(error) => damaged.push(error),
            }
        }
        Ok(Found {
            checkpoint: None,
            damaged,
        })
    }

    /// Renames damaged checkpoints, so that the training can write new ones at their positions. The damaged ones
    /// are kept for inspection.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn set_aside(&self, damaged: &[StorageError]) -> Result<(), StorageError> {
        for error in damaged {
            if let StorageError::Damaged { path, .. } = error {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let mut aside = self.folder.join(format!("{ASIDE}{name}"));
                let mut number = 2;
                while aside.exists() {
                    aside = self.folder.join(format!("{ASIDE}{name}-{number}"));
                    number += 1;
                }
                rename(path, &aside)?;
            }
        }
        Ok(())
    }

    /// Whether there is no checkpoint, not even a damaged one.
    ///
    /// # Errors
    /// [`StorageError::Io`] if the folder cannot be read.
    pub fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(checkpoints(&self.folder)?.is_empty())
    }

    /// Reads every checkpoint, the newest first.
    ///
    /// # Errors
    /// [`StorageError::Io`] if the folder cannot be read; a missing folder has no checkpoints.
    pub fn read_all(&self) -> Result<Vec<Result<Checkpoint, StorageError>>, StorageError> {
        let listed = checkpoints(&self.folder)?;
        Ok(listed.iter().map(|(_, p)| Checkpoint::read(p)).collect())
    }

    /// The folders of the checkpoints older than the newest `keep_last`.
    ///
    /// # Errors
    /// [`StorageError::Io`] if the folder cannot be read.
    pub fn surplus(&self) -> Result<Vec<PathBuf>, StorageError> {
        let listed = checkpoints(&self.folder)?.into_iter();
        Ok(listed.skip(self.keep_last).map(|(_, path)| path).collect())
    }

    /// Files and folders that are no longer used: leftovers of killed processes, and renamed damaged checkpoints.
    ///
    /// # Errors
    /// [`StorageError::Io`] if the folder cannot be read.
    pub fn debris(&self) -> Result<Vec<PathBuf>, StorageError> {
        entries(&self.folder, |path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            is_leftover(path) || name.starts_with(ASIDE)
        })
    }
}

/// The leftovers in a folder of processes that ended while they wrote or removed files. A missing folder has none.
///
/// # Errors
/// [`StorageError::Io`] if the folder cannot be read.
pub fn leftovers(folder: &Path) -> Result<Vec<PathBuf>, StorageError> {
    entries(folder, is_leftover)
}

/// Every checkpoint folder, valid or not, the newest first.
fn checkpoints(folder: &Path) -> Result<Vec<(Position, PathBuf)>, StorageError> {
    let named = |path: PathBuf| {
        let position = Position::from_name(path.file_name()?.to_str()?)?;
        Some((position, path))
    };
    let mut found: Vec<_> = entries(folder, |_| true)?
        .into_iter()
        .filter_map(named)
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    Ok(found)
}

/// The entries of a folder that are `wanted`, in the order of their names; a missing folder has none.
fn entries(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, StorageError> {
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StorageError::io("read", folder)(error)),
    };
    let mut found = Vec::new();
    for entry in listed {
        let path = entry.map_err(StorageError::io("read", folder))?.path();
        if wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn store_keeping(keep_last: usize) -> (tempfile::TempDir, CheckpointStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = CheckpointStore::new(folder.path().join("checkpoints"), keep_last);
        (folder, store)
    }

    fn identity() -> Identity {
        Identity {
            config: "seed = 1\n".to_string(),
            data_sha256: sha256(b"data"),
        }
    }

    fn at(epoch: usize, step_in_epoch: usize) -> Position {
        Position {
            epoch,
            step_in_epoch,
        }
    }

    fn newest(store: &CheckpointStore) -> Checkpoint {
        store.newest().unwrap().checkpoint.unwrap()
    }

    #[test]
    fn the_newest_checkpoint_is_read_and_old_ones_are_removed() {
        let (_folder, store) = store_keeping(2);
        for epoch in [1, 2, 10] {
            let content = epoch.to_string();
            let files: [(&str, &[u8]); 1] = [("a", content.as_bytes())];
            store.save(&identity(), at(epoch, 3), &files).unwrap();
        }
        let all = store.read_all().unwrap();
        let kept: Vec<Position> = all.into_iter().map(|c| c.unwrap().position).collect();
        assert_eq!(kept, [at(10, 3), at(2, 3)]);
        let newest = newest(&store);
        assert_eq!(newest.file("a").unwrap(), b"10");
        assert_eq!(newest.position, at(10, 3));
        assert_eq!(newest.identity, identity());
        assert!(newest.file("b").is_err());
        assert!(store.debris().unwrap().is_empty());
    }

    #[test]
    fn a_damaged_checkpoint_is_renamed_and_the_one_before_it_is_used() {
        let (_folder, store) = store_keeping(1);
        store.save(&identity(), at(1, 0), &[("a", b"one")]).unwrap();
        let keep_two = CheckpointStore {
            keep_last: 2,
            ..store.clone()
        };
        let second = keep_two
            .save(&identity(), at(1, 5), &[("a", b"two")])
            .unwrap();
        fs::write(second.join("a"), b"twx").unwrap();
        let found = store.newest().unwrap();
        assert_eq!(found.checkpoint.unwrap().position, at(1, 0));
        let message = found.damaged[0].to_string();
        assert!(message.contains("SHA-256"), "{message}");
        store.set_aside(&found.damaged).unwrap();
        // With the damaged one still in its place, `keep_last = 1` would remove this new one.
        store
            .save(&identity(), at(1, 3), &[("a", b"three")])
            .unwrap();
        assert_eq!(newest(&store).position, at(1, 3));
        let aside = store.folder.join(format!("damaged-{}", at(1, 5)));
        assert_eq!(fs::read(aside.join("a")).unwrap(), b"twx");
        assert_eq!(store.debris().unwrap(), [aside]);
    }

    #[test]
    fn a_half_written_checkpoint_is_ignored_and_removed_by_the_next() {
        let (_folder, store) = store_keeping(2);
        store.save(&identity(), at(1, 0), &[("a", b"one")]).unwrap();
        let partial = store.folder.join(format!(".partial-{}", at(2, 0)));
        fs::create_dir(&partial).unwrap();
        fs::write(partial.join("a"), b"half").unwrap();
        assert_eq!(newest(&store).position, at(1, 0));
        store
            .save(&identity(), at(3, 0), &[("a", b"three")])
            .unwrap();
        assert_eq!(newest(&store).position, at(3, 0));
        assert!(!partial.exists());
    }

    #[test]
    fn an_empty_store_holds_nothing() {
        let (_folder, store) = store_keeping(2);
        let found = store.newest().unwrap();
        assert!(found.checkpoint.is_none() && found.damaged.is_empty());
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_is_detected_and_named() {
        let (_folder, store) = store_keeping(2);
        store
            .save(&identity(), at(1, 0), &[("a", b"older")])
            .unwrap();
        let long = vec![7; 3000];
        let path = store
            .save(&identity(), at(2, 0), &[("a", &long), ("b", b"short")])
            .unwrap();
        let mut num_damages = 0;
        for entry in fs::read_dir(&path).unwrap() {
            let file = entry.unwrap().path();
            let whole = fs::read(&file).unwrap();
            let flipped = (0..whole.len()).flat_map(|i| (0..8).map(move |bit| (i, bit)));
            // Every bit of a small file, and one bit in each hundred bytes of a long one.
            let step = if whole.len() > 2000 { 801 } else { 1 };
            let flips = flipped.step_by(step).map(|(i, bit)| {
                let mut bytes = whole.clone();
                bytes[i] ^= 1 << bit;
                bytes
            });
            let cuts = (0..whole.len()).step_by(if step == 1 { 7 } else { 1024 });
            for bytes in flips.chain(cuts.map(|n| whole[..n].to_vec())) {
                fs::write(&file, bytes).unwrap();
                let found = store.newest().unwrap();
                assert_eq!(found.checkpoint.unwrap().position, at(1, 0), "{file:?}");
                let message = found.damaged[0].to_string();
                assert!(message.contains("epoch-000002"), "{message}");
                num_damages += 1;
            }
            fs::write(&file, &whole).unwrap();
        }
        assert!(num_damages > 1000, "{num_damages}");
        assert_eq!(newest(&store).position, at(2, 0));
    }

    #[test]
    fn a_checkpoint_of_another_format_is_refused_and_not_skipped() {
        let (_folder, store) = store_keeping(2);
        store.save(&identity(), at(1, 0), &[("a", b"one")]).unwrap();
        let path = store.save(&identity(), at(2, 0), &[("a", b"two")]).unwrap();
        let file = path.join(manifest::FILE);
        let text = fs::read_to_string(&file).unwrap();
        let newer = text.replace("\"format\": 1", "\"format\": 2");
        fs::write(&file, &newer).unwrap();
        fs::write(
            path.join(manifest::SUM_FILE),
            manifest::sum_line(newer.as_bytes()),
        )
        .unwrap();
        let message = store.newest().unwrap_err().to_string();
        assert!(
            message.contains("in format 2, written by emberlab"),
            "{message}"
        );
    }
}
