//! The project's own documents: their statements about crates, tests and menus are true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::lab::{Lab, project};

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(project().join(path)).unwrap()
}

/// All Rust files below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name() != Some("target".as_ref()) {
            files.extend(rust_files(&path));
        } else if path.extension() == Some("rs".as_ref()) {
            files.push(path);
        }
    }
    files
}

/// The texts between backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn the_environment_of_a_run_names_the_version_of_burn_that_is_locked() {
    let lock = read("Cargo.lock");
    let (_, after) = lock.split_once("name = \"burn\"\nversion = \"").unwrap();
    let locked = after.split('"').next().unwrap();
    let lab = Lab::new();
    let run = lab.train("train/moons.toml", "burn", &["training.num_epochs=1"]);
    assert_eq!(run.json("environment.json")["burn"], locked);
}

#[test]
fn every_test_that_docs_promises_names_exists() {
    let mut tests = BTreeSet::new();
    for folder in ["tests", "crates"] {
        for file in rust_files(&project().join(folder)) {
            let text = std::fs::read_to_string(file).unwrap();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            for pair in lines.windows(2).filter(|pair| pair[0] == "#[test]") {
                let name = pair[1].strip_prefix("fn ").and_then(|f| f.split_once('('));
                tests.extend(name.map(|(name, _)| name.to_owned()));
            }
        }
    }
    let promises = read("docs/promises.md");
    let rows = promises
        .lines()
        .filter(|line| line.starts_with("| ") && *line != "| promise | tests |");
    let mut num_named = 0;
    for row in rows {
        let column = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let named: Vec<&str> = quoted(column).collect();
        assert!(!named.is_empty(), "no test holds this: {row}");
        for name in named {
            assert!(tests.contains(name), "there is no test `{name}`");
            num_named += 1;
        }
    }
    assert!(num_named > 30, "only {num_named} tests are named");
}

/// The project's own documents.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [
        "",
        "docs",
        "docs/decisions",
        "docs/lessons",
        "benches",
        "tests/golden",
        "fuzz",
    ] {
        for entry in std::fs::read_dir(project().join(folder)).unwrap().flatten() {
            let path = entry.path();
            if path.extension() == Some("md".as_ref()) {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn every_file_that_a_document_names_exists() {
    let roots = [
        "crates/", "tests/", "configs/", "docs/", "benches/", "xtask/", "fuzz/",
    ];
    let is_path = |text: &&str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        roots.iter().any(|root| text.starts_with(root)) && text.chars().all(is_plain)
    };
    let mut num_paths = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for path in quoted(&text).filter(is_path) {
            let exists = project().join(path).exists();
            assert!(exists, "{} names `{path}`", document.display());
            num_paths += 1;
        }
        for rest in text.split("](").skip(1) {
            let (link, _) = rest.split_once(')').unwrap();
            let (link, _) = link.split_once('#').unwrap_or((link, ""));
            if link.is_empty() || link.starts_with("http") {
                continue;
            }
            let exists = document.with_file_name(link).exists();
            assert!(exists, "{} links to `{link}`", document.display());
            num_paths += 1;
        }
    }
    assert!(num_paths > 50, "only {num_paths} paths were found");
}

#[test]
fn every_configuration_that_a_lesson_runs_exists() {
    let mut num_commands = 0;
    for document in documents() {
        let is_lesson = document.parent() == Some(&project().join("docs/lessons"));
        if !is_lesson {
            continue;
        }
        let text = std::fs::read_to_string(&document).unwrap();
        for word in text.split_whitespace() {
            if word.starts_with("configs/") && word.ends_with(".toml") {
                let exists = project().join(word).exists();
                assert!(exists, "{} runs `{word}`", document.display());
                num_commands += 1;
            }
        }
    }
    assert!(num_commands >= 7, "only {num_commands} were found");
}

/// A row of the table of crates in `ARCHITECTURE.md`.
struct Crate {
    name: String,
    uses: BTreeSet<String>,
    is_without_burn: bool,
}

/// The table of crates, in its order.
fn documented_crates() -> Vec<Crate> {
    let text = read("ARCHITECTURE.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let [name, purpose, uses] = cells[..] else {
            panic!("a crate has a name, a purpose and what it uses: {row}");
        };
        Crate {
            name: quoted(name).next().unwrap().to_owned(),
            uses: quoted(uses).map(str::to_owned).collect(),
            is_without_burn: purpose.contains("no Burn"),
        }
    })
    .collect()
}

/// The crates of the workspace with all that they depend on, as Cargo knows them; tests aside.
fn real_crates() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(project())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let short = |package: &str| match package {
        "emberlab" => "cli".to_owned(),
        other => other.trim_start_matches("emberlab-").to_owned(),
    };
    let packages = metadata["packages"].as_array().unwrap().iter();
    let crates = packages.filter(|p| p["name"].as_str().unwrap().starts_with("emberlab"));
    crates
        .map(|package| {
            let all = package["dependencies"].as_array().unwrap().iter();
            let built_with = all.filter(|d| d["kind"].is_null());
            let names = built_with.map(|d| short(d["name"].as_str().unwrap()));
            (short(package["name"].as_str().unwrap()), names.collect())
        })
        .collect()
}

#[test]
fn the_crates_depend_on_each_other_as_architecture_says() {
    let real = real_crates();
    let documented = documented_crates();
    let names: BTreeSet<&str> = documented.iter().map(|c| c.name.as_str()).collect();
    let known: BTreeSet<&str> = real.keys().map(String::as_str).collect();
    assert_eq!(names, known, "ARCHITECTURE.md lists other crates");
    let mut above = BTreeSet::new();
    for documented in &documented {
        let name = &documented.name;
        let uses: BTreeSet<String> = real[name]
            .iter()
            .filter(|dependency| real.contains_key(*dependency))
            .cloned()
            .collect();
        assert_eq!(documented.uses, uses, "what `{name}` uses");
        for used in &uses {
            assert!(
                above.contains(used),
                "`{name}` uses `{used}`, which stands below it"
            );
        }
        above.insert(name.clone());
    }
}

#[test]
fn crates_without_burn_never_see_it() {
    let real = real_crates();
    /// Whether a crate depends on Burn, by itself or through another crate of the lab.
    fn sees_burn(name: &str, real: &BTreeMap<String, BTreeSet<String>>) -> bool {
        name.starts_with("burn")
            || (real.get(name).into_iter().flatten()).any(|used| sees_burn(used, real))
    }
    let without = documented_crates()
        .into_iter()
        .filter(|c| c.is_without_burn);
    let without: Vec<Crate> = without.collect();
    assert!(
        without.len() >= 5,
        "only {} crates do without Burn",
        without.len()
    );
    for one in without {
        assert!(
            !sees_burn(&one.name, &real),
            "`{}` depends on Burn",
            one.name
        );
    }
}

#[test]
fn cargo_run_means_the_command_although_there_are_two_programs() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(project())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let named: Vec<&str> = packages
        .filter_map(|package| package["default_run"].as_str())
        .collect();
    // Cargo runs the only program that a package of the workspace names.
    assert_eq!(named, ["emberlab"]);
}
