//! Downloads of data sets: each file is checked, and appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::Agent;

use crate::error::DatasetError;

/// The files of a data set that users fetch once, and the addresses that have them.
#[derive(Debug, PartialEq, Eq)]
pub struct Download {
    /// The data set's name, as in a configuration.
    pub dataset: &'static str,
    /// Folder of the files, inside a data folder.
    pub folder: &'static str,
    /// Each file's name, and its SHA-256 in lower-case hexadecimal.
    pub files: &'static [(&'static str, &'static str)],
    /// Addresses of folders that hold all files, tried in order.
    pub mirrors: &'static [&'static str],
}

/// One event of a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchProgress<'a> {
    /// The file is there already, with the right checksum.
    Kept {
        /// The file's name.
        file: &'a str,
    },
    /// A part of the file has arrived.
    Receiving {
        /// The file's name.
        file: &'a str,
        /// The address.
        address: &'a str,
        /// Number of bytes so far.
        received: u64,
        /// Number of bytes of the whole file, if the mirror tells it.
        total: Option<u64>,
    },
    /// A mirror did not send a good copy; the next one is tried.
    Failed {
        /// The file's name.
        file: &'a str,
        /// The address.
        address: &'a str,
        /// The reason.
        why: &'a str,
    },
    /// The file is complete and checked.
    Done {
        /// The file's name.
        file: &'a str,
    },
}

/// The largest file that is accepted. All files of the lab are far smaller: a mirror that sends a larger one is wrong.
const MAX_BYTES: u64 = 1 << 30;

/// Brings the files of a data set into its folder under `into`, and returns their paths.
///
/// Files that are there with the right checksum stay. Each other file is written beside its place, checked,
/// and renamed, so that a file in its place is whole. If a mirror is dead, slow, or sends wrong bytes, the
/// next one is tried. `mirrors` replaces the usual addresses, unless it is empty.
///
/// # Errors
/// [`DatasetError::Fetch`] lists all failures if no mirror gave a good copy; [`DatasetError::Io`] if the
/// folder cannot be written.
pub fn fetch(
    download: &Download,
    into: &Path,
    mirrors: &[String],
    progress: &mut dyn FnMut(&FetchProgress),
) -> Result<Vec<PathBuf>, DatasetError> {
    let folder = into.join(download.folder);
    fs::create_dir_all(&folder).map_err(DatasetError::io(&folder))?;
    let mut mirrors: Vec<&str> = match mirrors {
        [] => download.mirrors.to_vec(),
        others => others.iter().map(String::as_str).collect(),
    };
    let agent: Agent = Agent::config_builder()
        .timeout_resolve(Some(Duration::from_secs(15)))
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_per_read(Some(Duration::from_secs(30)))
        // The files are gzipped already: no further compression.
        .accept_encoding("identity")
        .build()
        .into();

    let mut paths = Vec::new();
    for &(file, sha256) in download.files {
        let path = folder.join(file);
        if path.is_file() && sha256_of(&path)? == sha256 {
            progress(&FetchProgress::Kept { file });
        } else {
            let wanted = Wanted {
                file,
                sha256,
                path: &path,
                folder: &folder,
            };
            let good = wanted.get(&mirrors, &agent, progress)?;
            // The next file is fetched from this mirror first.
            mirrors.rotate_left(good);
            progress(&FetchProgress::Done { file });
        }
        paths.push(path);
    }
    Ok(paths)
}

fn sha256_of(path: &Path) -> Result<String, DatasetError> {
    let io = || DatasetError::io(path);
    let mut file = File::open(path).map_err(io())?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(io())? {
            0 => return Ok(hex::encode(hash.finalize())),
            len => hash.update(&buffer[..len]),
        }
    }
}

/// A file to download.
struct Wanted<'a> {
    file: &'a str,
    sha256: &'a str,
    path: &'a Path,
    folder: &'a Path,
}

/// The reason why an attempt failed.
enum Failure {
    /// The mirror failed: the next one is tried.
    Mirror(String),
    /// The disk failed: no other mirror would help.
    Disk(DatasetError),
}

impl Wanted<'_> {
    /// Tries the mirrors in order, and returns the index of the one that sent the file.
    fn get(
        &self,
        mirrors: &[&str],
        agent: &Agent,
        progress: &mut dyn FnMut(&FetchProgress),
    ) -> Result<usize, DatasetError> {
        let mut failures = Vec::new();
        for (i, mirror) in mirrors.iter().enumerate() {
            let address = format!("{}/{}", mirror.trim_end_matches('/'), self.file);
            match self.download(&address, agent, progress) {
                Ok(()) => return Ok(i),
                Err(Failure::Disk(error)) => return Err(error),
                Err(Failure::Mirror(why)) => {
                    progress(&FetchProgress::Failed {
                        file: self.file,
                        address: &address,
                        why: &why,
                    });
                    failures.push((address, why));
                }
            }
        }
        Err(DatasetError::Fetch {
            file: self.file.to_owned(),
            failures,
        })
    }

    fn download(
        &self,
        address: &str,
        agent: &Agent,
        progress: &mut dyn FnMut(&FetchProgress),
    ) -> Result<(), Failure> {
        let broken = |error: &dyn ToString| Failure::Mirror(error.to_string());
        let on_disk = |error| Failure::Disk(DatasetError::io(self.folder)(error));
        let mut response = agent.get(address).call().map_err(|e| broken(&e))?;
        let total = response.body().content_length();
        let body = response.body_mut().with_config();
        let mut body = body.limit(MAX_BYTES).reader();

        let mut part = self.temporary().map_err(on_disk)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        let mut received = 0;
        loop {
            let len = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let why = format!("interrupted after {received} bytes: {error}");
                    return Err(Failure::Mirror(why));
                }
            };
            hash.update(&buffer[..len]);
            part.write_all(&buffer[..len]).map_err(on_disk)?;
            received += len as u64;
            progress(&FetchProgress::Receiving {
                file: self.file,
                address,
                received,
                total,
            });
        }
        let found = hex::encode(hash.finalize());
        if found != self.sha256 {
            return Err(Failure::Mirror(format!(
                "wrong checksum: expected SHA-256 {}, found {found} ({received} bytes)",
                self.sha256
            )));
        }
        part.as_file().sync_all().map_err(on_disk)?;
        part.persist(self.path)
            .map_err(|error| on_disk(error.error))?;
        sync_folder(self.folder).map_err(on_disk)
    }

    /// A temporary file in the same folder, which is removed when dropped.
    fn temporary(&self) -> io::Result<tempfile::NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        let prefix = format!(".{}.", self.file);
        builder.prefix(&prefix).suffix(".part");
        // Other users may read the data, unlike most temporary files.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        builder.tempfile_in(self.folder)
    }
}

/// Makes a rename durable. Only Unix can open a folder.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
