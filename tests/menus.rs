//! The lists of menus in the README and in `docs/menus.md`, which `cargo xtask readme` writes anew.

use emberlab_datasets::DatasetConfig;
use emberlab_menu::Menu;
use emberlab_metrics::Metric;
use emberlab_models::{Activation, Initializer, ModelConfig, Normalization};
use emberlab_training::device::DEVICES;
use emberlab_training::scheduler::Schedule;
use emberlab_training::{Loss, UpdateRule};

use crate::lab::project;

/// One menu: its key in a configuration, its title, and name and summary of each entry.
struct Listed {
    key: &'static str,
    title: &'static str,
    entries: Vec<(&'static str, String)>,
}

fn listed<M: Menu>(key: &'static str, title: &'static str) -> Listed {
    let names = M::NAMES.iter().copied();
    Listed {
        key,
        title,
        entries: names.zip(M::summaries()).collect(),
    }
}

fn described(metric: Metric) -> (&'static str, String) {
    let sentence = metric.description().trim_end_matches('.');
    (metric.name(), sentence.to_owned())
}

fn menus() -> [Listed; 10] {
    [
        listed::<DatasetConfig>("dataset", "Data sets"),
        listed::<ModelConfig>("model", "Networks"),
        listed::<Activation>("model.activation", "Activations"),
        listed::<Normalization>("model.normalization", "Normalisations"),
        listed::<Initializer>("model.initializer", "Initialisers"),
        listed::<Loss>("loss", "Losses"),
        listed::<UpdateRule>("optimizer", "Optimisers"),
        listed::<Schedule>("scheduler", "Schedules"),
        Listed {
            key: "training.objective.metric",
            title: "Metrics",
            entries: Metric::ALL.map(described).into(),
        },
        Listed {
            key: "--device",
            title: "Devices",
            entries: DEVICES
                .iter()
                .map(|device| (device.name, device.help.to_owned()))
                .collect(),
        },
    ]
}

/// Compares `found` with the part of a file between two markers, or writes it there if asked to bless.
#[track_caller]
fn assert_current(file: &str, begin: &str, end: &str, expected: &str) {
    let path = project().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text
        .split_once(begin)
        .unwrap_or_else(|| panic!("{file} has no {begin}"));
    let (_, after) = rest
        .split_once(end)
        .unwrap_or_else(|| panic!("{file} has no {end}"));
    let current = format!("{before}{begin}\n{expected}{end}{after}");
    if std::env::var_os("EMBERLAB_BLESS").is_some() {
        std::fs::write(&path, current).unwrap();
    } else {
        assert!(
            text == current,
            "{file} is out of date: run `cargo xtask readme`"
        );
    }
}

const BEGIN: &str = "<!-- written by `cargo xtask readme` -->";
const END: &str = "<!-- end -->";

#[test]
fn the_readme_lists_every_entry_of_every_menu() {
    let mut table = String::from("| | |\n|---|---|\n");
    for menu in menus() {
        let names: Vec<_> = menu.entries.iter().map(|(name, _)| *name).collect();
        let title = menu.title.to_lowercase();
        table += &format!("| {title} | {} |\n", names.join(", "));
    }
    assert_current("README.md", BEGIN, END, &table);
}

#[test]
fn the_readme_links_a_page_that_describes_every_entry() {
    let mut page = String::new();
    for menu in menus() {
        page += &format!(
            "\n## {}\n\n`{}`\n\n| name | |\n|---|---|\n",
            menu.title, menu.key
        );
        for (name, summary) in menu.entries {
            assert!(!summary.is_empty(), "`{name}` has no documentation");
            page += &format!("| `{name}` | {} |\n", summary.replace('|', "\\|"));
        }
    }
    page.push('\n');
    assert_current("docs/menus.md", BEGIN, END, &page);
}
