//! A headless browser that opens pages, where this machine has one.

use std::path::Path;
use std::process::Command;

use crate::requirements::Part;

/// A page as the browser shows it.
pub struct Page {
    /// The document after its scripts have run.
    pub dom: String,
    /// What the page said on the console: nothing, if all is well.
    pub console: Vec<String>,
}

/// Opens a page; none where there is no browser, and then the test skips.
pub fn open(path: &Path) -> Option<Page> {
    let named = std::env::var("CHROMIUM").ok();
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(String::from);
    let profile = tempfile::tempdir().unwrap();
    for browser in named.into_iter().chain(usual) {
        let found = Command::new(&browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
            .args(["--enable-logging=stderr", "--virtual-time-budget=5000"])
            .args(["--window-size=1280,2000", "--disable-extensions"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("file://{}", path.display()))
            .output();
        let Ok(output) = found else {
            continue;
        };
        assert!(output.status.success(), "{browser}: {output:?}");
        let log = String::from_utf8_lossy(&output.stderr);
        let console = log.lines().filter(|line| line.contains("CONSOLE"));
        return Some(Page {
            dom: String::from_utf8_lossy(&output.stdout).into_owned(),
            console: console.map(str::to_string).collect(),
        });
    }
    Part::Chromium.is_missing("no Chromium answers");
    None
}
