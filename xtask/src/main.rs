//! The chores of this project. `cargo xtask` lists them; nothing has to be installed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const HELP: &str = "\
cargo xtask quick        format check, lints, and the unit tests of the crates that differ from main
cargo xtask ci           everything that a change has to pass, as .ci/run does
cargo xtask test NAME    the tests whose names contain NAME, in all crates
cargo xtask bless        writes golden files anew; look at the difference before you commit it
cargo xtask readme       writes the README's tables anew from the menus
";

/// The features that every build of this project uses, so that no dependency is compiled twice.
const FEATURES: &str = "wgpu,fault-injection";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["quick"] => quick(),
        ["ci"] => run(Command::new("bash").arg(".ci/run")),
        ["test", name, rest @ ..] => tests(name, rest, false),
        ["bless"] => tests("golden", &[], true),
        ["readme"] => tests("the_readme", &[], true),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Checks the format, lints everything, and tests the crates that differ from main.
fn quick() -> Result<(), String> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo()
        .args(["clippy", "--release", "--workspace", "--all-targets"])
        .args(["--features", "fault-injection", "--", "-D", "warnings"]))?;
    let packages = changed_packages()?;
    if packages.is_empty() {
        println!("no crate differs from main");
        return Ok(());
    }
    // With the command among them, the crates are compiled with the features that all other builds use.
    let mut test = cargo();
    test.args(["test", "--release", "--lib", "--package", "emberlab"]);
    for package in packages {
        test.args(["--package", &package]);
    }
    let features: Vec<String> = FEATURES
        .split(',')
        .map(|f| format!("emberlab/{f}"))
        .collect();
    run(test.args(["--features", &features.join(",")]))
}

/// The library crates with files that differ from main, committed or not.
fn changed_packages() -> Result<BTreeSet<String>, String> {
    let committed = output(Command::new("git").args(["diff", "--name-only", "main"]))?;
    let new = output(Command::new("git").args(["ls-files", "--others", "--exclude-standard"]))?;
    let folders = committed.lines().chain(new.lines()).filter_map(|path| {
        let (folder, _) = path.strip_prefix("crates/")?.split_once('/')?;
        let has_library = root()
            .join("crates")
            .join(folder)
            .join("src/lib.rs")
            .exists();
        has_library.then(|| format!("emberlab-{folder}"))
    });
    Ok(folders.collect())
}

/// Runs the tests of all crates whose names contain `name`; `bless` lets them write what they compare with.
///
/// Fails if no test has such a name.
fn tests(name: &str, rest: &[&str], bless: bool) -> Result<(), String> {
    let mut test = cargo();
    test.args(["test", "--release", "--workspace", "--features", FEATURES]);
    test.args(["--", name]).args(rest);
    if bless {
        test.env("EMBERLAB_BLESS", "1");
    }
    let shown = shown(&test);
    println!("+ {shown}");
    let failed = |error: std::io::Error| format!("`{shown}` cannot be run: {error}");
    let mut child = test
        .current_dir(root())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut num_tests = 0;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(failed)?;
            num_tests += num_announced(&line);
            println!("{line}");
        }
    }
    let status = child.wait().map_err(failed)?;
    match (status.success(), num_tests) {
        (false, _) => Err(format!("`{shown}` failed: {status}")),
        (true, 0) => Err(format!("no test has a name that contains `{name}`")),
        (true, _) => Ok(()),
    }
}

/// The number of tests in a line such as `running 3 tests`; 0 in any other line.
fn num_announced(line: &str) -> usize {
    let number = line.strip_prefix("running ").and_then(|rest| {
        let (number, _) = rest.split_once(' ')?;
        number.parse().ok()
    });
    number.unwrap_or(0)
}

/// The Cargo that runs this.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command in the project's folder.
fn run(command: &mut Command) -> Result<(), String> {
    let shown = shown(command);
    println!("+ {shown}");
    let status = command.current_dir(root()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed: {status}")),
        Err(error) => Err(format!("`{shown}` cannot be run: {error}")),
    }
}

/// The standard output of a command that runs in the project's folder.
fn output(command: &mut Command) -> Result<String, String> {
    let shown = shown(command);
    let output = command.current_dir(root()).output();
    let output = output.map_err(|error| format!("`{shown}` cannot be run: {error}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{shown}` failed: {stderr}"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_stem().unwrap_or_default().to_string_lossy();
    let arguments = command.get_args().map(|a| a.to_string_lossy().into_owned());
    std::iter::once(program.into_owned())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The project's folder.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

#[cfg(test)]
mod tests {
    #[test]
    fn announced_tests_are_counted() {
        assert_eq!(super::num_announced("running 3 tests"), 3);
        assert_eq!(super::num_announced("running 1 test"), 1);
        assert_eq!(super::num_announced("test result: ok. 3 passed"), 0);
    }
}
