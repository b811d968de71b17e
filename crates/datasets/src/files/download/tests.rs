#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::thread;

use emberlab_menu::Menu as _;

use super::*;
use crate::sources::{DatasetConfig, Origin};

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

static THINGS: Download = Download {
    dataset: "things",
    folder: "things",
    files: &FILES,
    mirrors: &[],
};

/// A mirror on this machine that answers every request with `respond(path)`.
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
    let mut log = Vec::new();
    let result = fetch(&THINGS, into, mirrors, &mut |progress| {
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
fn files_of_a_good_mirror_are_complete() {
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
fn after_a_bad_mirror_the_next_one_is_tried_once() {
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
        "interrupted after 3 bytes",
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
fn a_damaged_file_stays_until_there_is_a_good_copy() {
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
fn mirrors_replace_the_usual_ones() {
    let into = tempfile::tempdir().unwrap();
    let mirrors = [mirror(|_| response("503 Busy", 0, ""))];
    for download in downloads() {
        let error = fetch(download, into.path(), &mirrors, &mut |_| {}).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(&mirrors[0]), "{message}");
        assert!(!message.contains(download.mirrors[0]), "{message}");
    }
}

fn downloads() -> impl Iterator<Item = &'static Download> {
    let configs = DatasetConfig::examples().into_iter();
    configs.filter_map(|config| match config.origin() {
        Origin::Fetched(download) => Some(download),
        Origin::Generated | Origin::Embedded | Origin::Configuration | Origin::OwnFile => None,
    })
}
