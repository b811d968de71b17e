//! Downloads that are checked, and appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::Agent;

use crate::error::DatasetError;
use crate::samples::hexadecimal;

/// A data set that users fetch once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetchable {
    /// Handwritten digits: 11 MB.
    Mnist,
    /// Pieces of clothing: 31 MB.
    FashionMnist,
}

impl Fetchable {
    /// All data sets that can be fetched.
    pub const ALL: [Self; 2] = [Self::Mnist, Self::FashionMnist];

    /// The data set's name, as in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion_mnist",
        }
    }

    /// The folder of its files, inside a data folder.
    pub fn folder(self) -> &'static str {
        self.source().folder
    }

    /// Its files, their checksums, and where they are.
    pub fn source(self) -> Source<'static> {
        match self {
            Self::Mnist => Source {
                folder: "mnist",
                files: &MNIST_FILES,
                mirrors: vec![
                    "https://ossci-datasets.s3.amazonaws.com/mnist/",
                    "https://storage.googleapis.com/cvdf-datasets/mnist/",
                ],
            },
            Self::FashionMnist => Source {
                folder: "fashion-mnist",
                files: &FASHION_MNIST_FILES,
                mirrors: vec!["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
            },
        }
    }
}

const MNIST_FILES: [(&str, &str); 4] = [
    (
        "train-images-idx3-ubyte.gz",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    (
        "train-labels-idx1-ubyte.gz",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
];

const FASHION_MNIST_FILES: [(&str, &str); 4] = [
    (
        "train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    (
        "train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
];

/// Files, and the addresses that have them.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// Folder of the files, inside a data folder.
    pub folder: &'a str,
    /// Each file's name, and its SHA-256 in lower-case hexadecimal.
    pub files: &'a [(&'a str, &'a str)],
    /// Addresses of folders that hold all files, tried in order.
    pub mirrors: Vec<&'a str>,
}

/// What a download is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchProgress<'a> {
    /// A file is already there, with the right checksum.
    Kept {
        /// The file's name.
        file: &'a str,
    },
    /// A piece of a file has come.
    Receiving {
        /// The file's name.
        file: &'a str,
        /// Where it comes from.
        address: &'a str,
        /// Bytes so far.
        received: u64,
        /// Bytes in all, if the mirror says so.
        total: Option<u64>,
    },
    /// A mirror gave no good copy; the next one is tried.
    Failed {
        /// The file's name.
        file: &'a str,
        /// Where it should have come from.
        address: &'a str,
        /// Why it did not.
        why: &'a str,
    },
    /// A file is in its place, whole and checked.
    Done {
        /// The file's name.
        file: &'a str,
    },
}

/// No file of ours is near this size: a mirror that sends more is wrong.
const MAX_BYTES: u64 = 1 << 30;

/// Brings a data set's files into its folder under `into`, and returns their paths.
///
/// Files that are there with the right checksum stay. `mirrors` replaces the usual addresses.
///
/// # Errors
/// As [`fetch_source`].
pub fn fetch(
    which: Fetchable,
    into: &Path,
    mirrors: Option<&[String]>,
    progress: &mut dyn FnMut(&FetchProgress),
) -> Result<Vec<PathBuf>, DatasetError> {
    let mut source = which.source();
    if let Some(mirrors) = mirrors {
        source.mirrors = mirrors.iter().map(String::as_str).collect();
    }
    fetch_source(&source, into, progress)
}

/// Brings the files of a source into its folder under `into`, and returns their paths.
///
/// Each file is written beside its place, checked, and renamed, so that a file in its place is whole. A
/// mirror that is dead, slow, short or wrong gives way to the next.
///
/// # Errors
/// [`DatasetError::Fetch`] lists all failures if no mirror gave a good copy; [`DatasetError::Io`] if the
/// folder cannot be written.
pub fn fetch_source(
    source: &Source,
    into: &Path,
    progress: &mut dyn FnMut(&FetchProgress),
) -> Result<Vec<PathBuf>, DatasetError> {
    let folder = into.join(source.folder);
    fs::create_dir_all(&folder).map_err(DatasetError::io(&folder))?;
    let mut mirrors = source.mirrors.clone();
    let agent: Agent = Agent::config_builder()
        .timeout_resolve(Some(Duration::from_secs(15)))
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_per_read(Some(Duration::from_secs(30)))
        // The files are gzipped already and wanted as they are.
        .accept_encoding("identity")
        .build()
        .into();

    let mut paths = Vec::new();
    for &(file, sha256) in source.files {
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
            // The next file begins with the mirror that works.
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
            0 => return Ok(hexadecimal(&hash.finalize())),
            len => hash.update(&buffer[..len]),
        }
    }
}

/// One file that is not yet in its place.
struct Wanted<'a> {
    file: &'a str,
    sha256: &'a str,
    path: &'a Path,
    folder: &'a Path,
}

/// Why one attempt failed.
enum Failure {
    /// The next mirror may do better.
    Mirror(String),
    /// No mirror will.
    Disk(DatasetError),
}

impl Wanted<'_> {
    /// Tries the mirrors in order, and returns the position of the one that had the file.
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
                    let why = format!("broken off after {received} bytes: {error}");
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
        let found = hexadecimal(&hash.finalize());
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

    /// A file beside the place of the whole one, gone when dropped.
    fn temporary(&self) -> io::Result<tempfile::NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        let prefix = format!(".{}.", self.file);
        builder.prefix(&prefix).suffix(".part");
        // Others may read data, unlike most temporary files.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        builder.tempfile_in(self.folder)
    }
}

/// Makes a rename last; only Unix can open a folder.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const FILES: [(&str, &str); 2] = [
        // hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()
        (
            "one.gz",
            "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed",
        ),
        (
            "two.gz",
            "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3",
        ),
    ];

    /// A mirror on this machine that answers every request with what `respond` makes of the path.
    fn mirror(respond: impl Fn(&str) -> Vec<u8> + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/data", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let request = lines.next().unwrap().unwrap();
                while !lines.next().unwrap().unwrap().is_empty() {}
                let path = request.split(' ').nth(1).unwrap();
                stream.write_all(&respond(path)).unwrap();
            }
        });
        address
    }

    fn response(status: &str, length: usize, body: &str) -> Vec<u8> {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .into_bytes()
    }

    fn content(path: &str) -> &str {
        let name = path.strip_prefix("/data/").unwrap();
        name.strip_suffix(".gz").unwrap()
    }

    fn good() -> String {
        mirror(|path| response("200 OK", content(path).len(), content(path)))
    }

    /// A port that nothing listens on any more.
    fn dead() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/data", listener.local_addr().unwrap())
    }

    fn truncated() -> String {
        mirror(|path| response("200 OK", 100, content(path)))
    }

    fn wrong() -> String {
        mirror(|_| response("200 OK", 5, "other"))
    }

    fn absent() -> String {
        mirror(|_| response("404 Not Found", 0, ""))
    }

    fn get(mirrors: &[String], into: &Path) -> (Result<Vec<PathBuf>, DatasetError>, Vec<String>) {
        let source = Source {
            folder: "things",
            files: &FILES,
            mirrors: mirrors.iter().map(String::as_str).collect(),
        };
        let mut log = Vec::new();
        let result = fetch_source(&source, into, &mut |progress| {
            log.push(match progress {
                FetchProgress::Kept { file } => format!("kept {file}"),
                FetchProgress::Receiving {
                    file,
                    received,
                    total,
                    ..
                } => format!("{file} {received}/{total:?}"),
                FetchProgress::Failed { file, .. } => format!("failed {file}"),
                FetchProgress::Done { file } => format!("done {file}"),
            });
        });
        (result, log)
    }

    fn files_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn files_of_a_good_mirror_are_in_their_places() {
        let into = tempfile::tempdir().unwrap();
        let (paths, log) = get(&[good()], into.path());
        let paths = paths.unwrap();
        assert_eq!(paths[1], into.path().join("things/two.gz"));
        assert_eq!(fs::read_to_string(&paths[0]).unwrap(), "one");
        assert_eq!(
            log,
            [
                "one.gz 3/Some(3)",
                "done one.gz",
                "two.gz 3/Some(3)",
                "done two.gz"
            ]
        );
        assert_eq!(files_in(&into.path().join("things")), ["one.gz", "two.gz"]);
    }

    #[test]
    fn a_dead_or_absent_mirror_gives_way_once_to_the_next() {
        for bad in [dead(), absent(), truncated(), wrong()] {
            let into = tempfile::tempdir().unwrap();
            let (paths, log) = get(&[bad, good()], into.path());
            assert_eq!(paths.unwrap().len(), 2);
            assert_eq!(
                log.iter().filter(|line| line.starts_with("failed")).count(),
                1
            );
            assert_eq!(files_in(&into.path().join("things")), ["one.gz", "two.gz"]);
        }
    }

    #[test]
    fn bad_mirrors_leave_nothing_and_are_all_listed() {
        let into = tempfile::tempdir().unwrap();
        let mirrors = [dead(), absent(), truncated(), wrong()];
        let (result, _) = get(&mirrors, into.path());
        let message = result.unwrap_err().to_string();
        assert!(
            message.starts_with("one.gz could not be fetched from any mirror:\n"),
            "{message}"
        );
        for (mirror, why) in mirrors.iter().zip([
            "",
            "404",
            "broken off after 3 bytes",
            "wrong checksum: expected SHA-256 7692c3ad",
        ]) {
            let line = message.lines().find(|line| line.contains(mirror)).unwrap();
            assert!(
                line.contains(&format!("{mirror}/one.gz: ")) && line.contains(why),
                "{line}"
            );
        }
        assert!(files_in(&into.path().join("things")).is_empty());
    }

    #[test]
    fn good_files_are_kept_and_damaged_ones_replaced() {
        let into = tempfile::tempdir().unwrap();
        let folder = into.path().join("things");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("one.gz"), "one").unwrap();
        fs::write(folder.join("two.gz"), "tw").unwrap();
        let (paths, log) = get(&[good()], into.path());
        assert_eq!(log[0], "kept one.gz");
        assert_eq!(fs::read_to_string(&paths.unwrap()[1]).unwrap(), "two");
    }

    #[test]
    fn a_damaged_file_stays_until_a_good_copy_has_come() {
        let into = tempfile::tempdir().unwrap();
        let folder = into.path().join("things");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("one.gz"), "on").unwrap();
        assert!(get(&[wrong()], into.path()).0.is_err());
        assert_eq!(fs::read_to_string(folder.join("one.gz")).unwrap(), "on");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let into = tempfile::NamedTempFile::new().unwrap();
        let (result, _) = get(&[good()], into.path());
        assert!(matches!(result, Err(DatasetError::Io { .. })));
    }

    #[test]
    fn mirrors_can_be_replaced() {
        let into = tempfile::tempdir().unwrap();
        let mirrors = [mirror(|_| response("503 Busy", 0, ""))];
        let error = fetch(Fetchable::Mnist, into.path(), Some(&mirrors), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains(&mirrors[0]), "{error}");
    }

    #[test]
    fn the_real_files_have_the_checksums_of_the_table() {
        let Some(dir) = std::env::var_os("EMBERLAB_DATA_DIR") else {
            println!("skipped: EMBERLAB_DATA_DIR is not set");
            return;
        };
        for which in Fetchable::ALL {
            for (file, sha256) in which.source().files {
                let path = Path::new(&dir).join(which.folder()).join(file);
                assert_eq!(sha256_of(&path).unwrap(), *sha256, "{}", path.display());
            }
        }
    }
}
