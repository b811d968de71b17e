//! `emberlab data`.

use std::io::{Read, Write};
use std::net::TcpListener;

use emberlab_datasets::DatasetConfig;

use crate::lab::{Lab, data_dir};

#[test]
fn data_list_names_every_data_set() {
    let lab = Lab::new();
    let list = lab.succeed(&["data", "list"]).stdout;
    for name in DatasetConfig::NAMES {
        assert!(list.contains(name), "no {name} in\n{list}");
    }
}

#[test]
fn data_show_draws_digits() {
    let lab = Lab::new();
    let shown = lab.succeed(&["data", "show", "digits"]).stdout;
    for word in ["1797", "8×8", "10 classes"] {
        assert!(shown.contains(word), "no {word} in\n{shown}");
    }
    assert!(
        shown.contains('█') || shown.contains('▀'),
        "no pictures in\n{shown}"
    );
}

#[test]
fn data_show_counts_the_points_of_a_configuration() {
    let lab = Lab::new();
    let points = "points=[[0.5, 1, 3], [2, 1, 0], [1, 1, 3]]";
    let shown = lab.succeed(&["data", "show", "points", "--set", points]);
    for word in [
        "3 samples of 2 features",
        "2 classes",
        "0.5000    1.0000 → 3",
    ] {
        assert!(
            shown.stdout.contains(word),
            "no {word} in\n{}",
            shown.stdout
        );
    }
}

#[test]
fn data_show_counts_classes_and_ranges() {
    let lab = Lab::new();
    let shown = lab.succeed(&["data", "show", "iris"]).stdout;
    for word in ["150", "3 classes", "50"] {
        assert!(shown.contains(word), "no {word} in\n{shown}");
    }
}

#[test]
fn a_missing_data_set_is_one_sentence_with_the_command_that_gets_it() {
    let lab = Lab::new();
    let mut command = lab.command(&["data", "show", "mnist"]);
    command
        .env_remove("EMBERLAB_DATA_DIR")
        .env("XDG_CACHE_HOME", lab.path());
    let outcome = crate::lab::outcome(command.output().unwrap());
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    assert!(
        outcome.stderr.contains("emberlab data fetch mnist"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_fetch_whose_bytes_are_wrong_leaves_nothing() {
    let lab = Lab::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
        }
    });
    let folder = lab.path().join("data");
    let words = [
        "data",
        "fetch",
        "mnist",
        "--mirror",
        &address,
        "--data-dir",
        folder.to_str().unwrap(),
    ];
    let outcome = lab.run(&words);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(
        outcome.stderr.to_lowercase().contains("sha-256"),
        "{}",
        outcome.stderr
    );
    let left: Vec<_> = walk(&folder);
    assert!(left.is_empty(), "{left:?}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn fetching_what_is_already_there_downloads_nothing() {
    let Some(folder) = data_dir() else {
        return;
    };
    let lab = Lab::new();
    // A mirror that nobody listens on: a download would fail.
    let words = [
        "data",
        "fetch",
        "mnist",
        "--mirror",
        "http://127.0.0.1:9/",
        "--data-dir",
    ];
    let outcome = lab.succeed(&[&words[..], &[folder.to_str().unwrap()]].concat());
    assert!(outcome.stdout.contains("already"), "{}", outcome.stdout);
}

/// A table with a missing value, a constant column and one that gives the label away.
const READINGS: &str = "id,age,sick,state,site\n1,40,no,well,A\n2,51,yes,bad,A\n3,,no,well,A\n4,39,yes,bad,A\n\
                        5,62,no,well,A\n6,45,yes,bad,A\n7,50,no,well,A\n8,33,yes,bad,A\n9,28,no,well,A\n10,71,yes,bad,A\n";

#[test]
fn data_describe_shows_columns_format_and_warnings_within_80_columns() {
    let lab = Lab::new();
    lab.write("my readings.csv", READINGS);
    let shown = lab
        .succeed(&["data", "describe", "my readings.csv", "--label", "sick"])
        .stdout;
    for expected in [
        "my readings.csv: 10 rows of 5 columns",
        "delimiter = \",\", header = true, decimal = \".\"; UTF-8, line ends LF",
        "28 to 71, mean 46.556",
        "label \"sick\": 2 different values, no (5), yes (5)",
        "\"state\" gives the label \"sick\" away",
        "next:  emberlab new 'my readings.csv' --label sick",
    ] {
        assert!(shown.contains(expected), "no {expected:?} in\n{shown}");
    }
    let longest = shown.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(80), "{shown}");
}

#[test]
fn data_describe_of_a_wide_table_with_long_names_stays_within_80_columns() {
    let lab = Lab::new();
    let names: Vec<String> = (0..200)
        .map(|column| format!("the measurement with the number {column} \u{1b}[31m"))
        .collect();
    let row = vec!["1234567.891"; 200].join(",");
    lab.write("wide.csv", format!("{}\n{row}\n{row}\n", names.join(",")));
    let shown = lab.succeed(&["data", "describe", "wide.csv"]).stdout;
    let table = shown.split("look at:").next().unwrap();
    assert!(
        table.lines().all(|line| line.chars().count() <= 80),
        "{shown}"
    );
    assert!(
        !shown.contains('\u{1b}'),
        "names of columns control the terminal"
    );
}

#[test]
fn data_describe_as_json_holds_the_whole_description() {
    let lab = Lab::new();
    lab.write("t.csv", "a;b\n1,5;x\n2,5;y\n");
    let json = lab.succeed(&["data", "describe", "t.csv", "--json"]).stdout;
    let description: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(description["rows"], 2);
    assert_eq!(description["format"]["delimiter"], ";");
    assert_eq!(description["format"]["decimal"], ",");
    assert_eq!(description["columns"][0]["mean"], 2.0);
    let told = [
        "data",
        "describe",
        "t.csv",
        "--json",
        "--delimiter",
        ";",
        "--header",
        "no",
        "--decimal",
        ".",
    ];
    let json = lab.succeed(&told).stdout;
    let description: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(description["rows"], 3);
    assert_eq!(description["columns"][0]["name"], "column_1");
}
