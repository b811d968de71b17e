//! Expands the file of a comparison into its variants and trials.

use std::collections::BTreeSet;

use emberlab_config_source::{ConfigError, ConfigSource};
use emberlab_rng::stream;
use emberlab_storage::sha256;
use rand::seq::index;
use serde::{Deserialize, Serialize};

use crate::config::ExperimentConfig;
use crate::config::{SweepConfig, SweepMode};

/// One variant of a comparison: the keys that it changes in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its name in tables, unique in its comparison.
    pub name: String,
    /// The changes, each `key=value` as for `--set`.
    pub overrides: Vec<String>,
}

/// One trial of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTrial {
    /// Its index in the plan, from 0.
    pub index: usize,
    /// The name of its variant.
    pub variant: String,
    /// Its seed.
    pub seed: u64,
    /// Its fold of a cross-validation, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// The folder of the comparison's runs, inside the artifacts folder.
    pub experiment: String,
    /// The folder of its run, inside the folder of the comparison.
    pub run: String,
    /// The configuration of its training.
    pub config: ExperimentConfig,
}

/// A comparison with all its trials, each checked as far as is possible without data.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The configuration in the file.
    pub config: ExperimentConfig,
    /// The variants, in the order of the file.
    pub variants: Vec<Variant>,
    /// The trials: every variant with every seed and every fold.
    pub trials: Vec<PlannedTrial>,
}

impl Comparison {
    /// Expands a file and checks every trial as far as is possible without data.
    ///
    /// # Errors
    /// [`ConfigError`] with the place in the file, or in the file as changed by a variant.
    pub fn from_source(source: &ConfigSource) -> Result<Self, ConfigError> {
        let config = ExperimentConfig::from_source(source)?;
        let variants = variants(&config);
        check_names(&config, &variants, source)?;
        let folders = folder_names(&variants);
        let seeds = seeds(&config, source)?;
        let folds: Vec<Option<usize>> = match config.num_folds {
            Some(n) => (0..n).map(Some).collect(),
            None => vec![None],
        };
        let mut trials = Vec::new();
        for (variant, folder) in variants.iter().zip(&folders) {
            for &seed in &seeds {
                for &fold in &folds {
                    let place = (trials.len(), seed, fold);
                    trials.push(trial(&config, source, (variant, folder), place)?);
                }
            }
        }
        Ok(Self {
            config,
            variants,
            trials,
        })
    }
}

/// Checks that no two variants have the same name.
fn check_names(
    config: &ExperimentConfig,
    variants: &[Variant],
    source: &ConfigSource,
) -> Result<(), ConfigError> {
    let mut names = BTreeSet::new();
    let Some(twice) = variants.iter().find(|variant| !names.insert(&variant.name)) else {
        return Ok(());
    };
    let key = match config.variants.is_empty() {
        true => "sweep",
        false => "variants",
    };
    let message = format!(
        "two variants have the same name, `{}`; each needs a name or a value of its own",
        twice.name
    );
    Err(ConfigError::at_key(source, key, message))
}

/// The seeds of a comparison, each of them different.
fn seeds(config: &ExperimentConfig, source: &ConfigSource) -> Result<Vec<u64>, ConfigError> {
    let seeds = match &config.seeds {
        Some(seeds) => seeds.all(),
        None => vec![config.seed],
    };
    if seeds.is_empty() || seeds.iter().collect::<BTreeSet<_>>().len() != seeds.len() {
        let message = "`seeds` must hold at least one seed, and each seed only once";
        return Err(ConfigError::at_key(source, "seeds", message));
    }
    Ok(seeds)
}

/// The trial with this index of a variant with one seed, on one fold if there are folds.
fn trial(
    config: &ExperimentConfig,
    source: &ConfigSource,
    (variant, folder): (&Variant, &str),
    (index, seed, fold): (usize, u64, Option<usize>),
) -> Result<PlannedTrial, ConfigError> {
    let mut overrides = variant.overrides.clone();
    overrides.push(format!("seed={seed}"));
    let mut run = format!("{folder}-seed{seed}");
    if let (Some(fold), Some(num_folds)) = (fold, config.num_folds) {
        overrides.push(format!("split.fold={{ index = {fold}, of = {num_folds} }}"));
        run.push_str(&format!("-fold{fold}"));
    }
    let origin = format!("variant `{}`", variant.name);
    let source = source.with_overrides_from(&origin, &overrides)?;
    Ok(PlannedTrial {
        index,
        variant: variant.name.clone(),
        seed,
        fold,
        experiment: config.name.clone(),
        run,
        config: ExperimentConfig::from_source(&source)?.without_comparison(),
    })
}

/// The variants of a comparison: its named variants crossed with the combinations of its sweep.
fn variants(config: &ExperimentConfig) -> Vec<Variant> {
    let combinations = match &config.sweep {
        Some(sweep) if !sweep.axes.is_empty() => combinations(sweep),
        _ => vec![Variant {
            name: String::new(),
            overrides: Vec::new(),
        }],
    };
    let named: Vec<Variant> = config
        .variants
        .iter()
        .map(|variant| Variant {
            name: variant.name.clone(),
            overrides: variant
                .set
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect(),
        })
        .collect();
    if named.is_empty() {
        let unnamed = combinations
            .into_iter()
            .map(|variant| match variant.name.as_str() {
                "" => Variant {
                    name: config.name.clone(),
                    ..variant
                },
                _ => variant,
            });
        return unnamed.collect();
    }
    let crossed = named.iter().flat_map(|named| {
        combinations.iter().map(move |combination| Variant {
            name: match combination.name.as_str() {
                "" => named.name.clone(),
                name => format!("{}, {name}", named.name),
            },
            overrides: [&named.overrides[..], &combination.overrides].concat(),
        })
    });
    crossed.collect()
}

/// The variants of a sweep: the values of its axes, combined according to its mode.
fn combinations(sweep: &SweepConfig) -> Vec<Variant> {
    let axes: Vec<Axis> = sweep
        .axes()
        .map(|(key, values)| Axis::new(key, values))
        .collect();
    let combinations: Vec<Vec<usize>> = match sweep.mode {
        SweepMode::Zip => {
            let length = axes.first().map_or(0, |axis| axis.values.len());
            (0..length).map(|i| vec![i; axes.len()]).collect()
        }
        SweepMode::Grid => grid(&axes),
        SweepMode::Random => {
            let all = grid(&axes);
            let count = sweep.count.unwrap_or(all.len()).min(all.len());
            let mut rng = stream(0, "sweep", &[]);
            let mut chosen = index::sample(&mut rng, all.len(), count).into_vec();
            chosen.sort_unstable();
            chosen.into_iter().map(|i| all[i].clone()).collect()
        }
    };
    let variant = |indices: Vec<usize>| {
        let chosen = axes.iter().zip(&indices);
        Variant {
            name: chosen
                .clone()
                .map(|(axis, &i)| axis.labels[i].as_str())
                .collect::<Vec<_>>()
                .join(", "),
            overrides: chosen
                .map(|(axis, &i)| format!("{}={}", axis.key, axis.values[i]))
                .collect(),
        }
    };
    combinations.into_iter().map(variant).collect()
}

/// The indices of every combination of values; the last axis changes fastest.
fn grid(axes: &[Axis]) -> Vec<Vec<usize>> {
    axes.iter().fold(vec![Vec::new()], |combinations, axis| {
        let longer = |indices: Vec<usize>| {
            (0..axis.values.len()).map(move |i| [&indices[..], &[i]].concat())
        };
        combinations.into_iter().flat_map(longer).collect()
    })
}

/// A key with the values that it takes and their labels.
struct Axis {
    key: String,
    values: Vec<toml::Value>,
    labels: Vec<String>,
}

impl Axis {
    fn new(key: &str, values: &[toml::Value]) -> Self {
        let mut short: Vec<String> = values.iter().map(short_label).collect();
        let is_named = |v: &toml::Value| v.is_str() || v.get("name").is_some();
        if !values.iter().all(is_named) {
            // A number alone does not say what it is: put the key before it.
            let last = key.rsplit('.').next().unwrap_or(key).trim_matches('"');
            short = short
                .iter()
                .map(|label| format!("{last} {label}"))
                .collect();
        }
        let is_unique = short.iter().collect::<BTreeSet<_>>().len() == short.len();
        Self {
            key: key.to_string(),
            values: values.to_vec(),
            labels: match is_unique {
                true => short,
                false => values.iter().map(ToString::to_string).collect(),
            },
        }
    }
}

/// A short label of a value: the name of a table, or a list of numbers as `32-16`.
fn short_label(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(values) if values.is_empty() => "none".to_string(),
        toml::Value::Array(values) => values.iter().map(short_label).collect::<Vec<_>>().join("-"),
        toml::Value::Table(table) => match table.get("name") {
            Some(name) => short_label(name),
            None => {
                let pairs = table.iter().map(|(k, v)| format!("{k} {}", short_label(v)));
                pairs.collect::<Vec<_>>().join(" ")
            }
        },
        value => value.to_string(),
    }
}

/// The names of the variants as parts of folder names, each of them different.
///
/// Most names differ in letters and digits, and their words are joined by `-`. Names that are equal then, such as
/// `shift 2` and `shift -2`, have their minus signs written out. Names that are still equal, such as `a b.csv` and
/// `a-b.csv`, end in the first digits of their SHA-256, which does not depend on the order of the variants.
fn folder_names(variants: &[Variant]) -> Vec<String> {
    let mut folders: Vec<String> = variants.iter().map(|v| folder_name(&v.name)).collect();
    for distinct in [
        |name: &str| folder_name(&with_minus_signs(name)),
        |name: &str| {
            let readable = folder_name(&with_minus_signs(name));
            format!("{readable}-{}", &sha256(name.as_bytes())[..8])
        },
    ] {
        let is_shared: Vec<bool> = folders
            .iter()
            .map(|folder| folders.iter().filter(|other| *other == folder).count() > 1)
            .collect();
        for (place, variant) in variants.iter().enumerate() {
            if is_shared[place] {
                folders[place] = distinct(&variant.name);
            }
        }
    }
    folders
}

/// A name with the word `minus` for the sign of each negative number.
fn with_minus_signs(name: &str) -> String {
    let mut text = String::new();
    let mut before = ' ';
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        let is_sign = c == '-' && !before.is_alphanumeric() && before != '.';
        match rest.peek() {
            Some(next) if is_sign && next.is_ascii_digit() => text.push_str("minus "),
            _ => text.push(c),
        }
        before = c;
    }
    text
}

/// A name as part of a folder name: words joined by `-`.
fn folder_name(name: &str) -> String {
    let plain = name.chars().map(|c| {
        if c.is_alphanumeric() || "_.".contains(c) {
            c
        } else {
            '-'
        }
    });
    let plain: String = plain.collect();
    let words = plain.split('-').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BASE: &str = r#"
        seeds = 2
        dataset = { name = "moons" }
        model = { name = "mlp", hidden = [4], activation = "relu" }
        loss = { name = "bce_with_logits" }
        optimizer = { name = "adam", learning_rate = 0.01 }
        training = { num_epochs = 3 }
    "#;

    fn expand(more: &str) -> Result<Comparison, ConfigError> {
        Comparison::from_source(&ConfigSource::new("moons.toml", format!("{BASE}{more}")))
    }

    fn names(more: &str) -> Vec<String> {
        let comparison = expand(more).unwrap();
        comparison.variants.into_iter().map(|v| v.name).collect()
    }

    #[test]
    fn a_grid_has_every_combination_with_every_seed() {
        let sweep = r#"
            [sweep]
            "model.activation" = ["relu", { name = "leaky_relu", alpha = 0.2 }]
            "model.hidden" = [[8, 8], []]
        "#;
        let comparison = expand(sweep).unwrap();
        let expected = [
            "relu, hidden 8-8",
            "relu, hidden none",
            "leaky_relu, hidden 8-8",
            "leaky_relu, hidden none",
        ];
        assert_eq!(names(sweep), expected);
        let runs: Vec<&str> = comparison.trials.iter().map(|t| t.run.as_str()).collect();
        assert_eq!(
            runs[..3],
            [
                "relu-hidden-8-8-seed0",
                "relu-hidden-8-8-seed1",
                "relu-hidden-none-seed0"
            ]
        );
        assert_eq!(comparison.trials.len(), 8);
        let last = &comparison.trials[7];
        assert_eq!((last.index, last.seed, last.config.seed), (7, 1, 1));
        assert!(last.config.sweep.is_none() && last.config.seeds.is_none());
    }

    #[test]
    fn a_zip_pairs_values_and_random_draws_from_the_grid() {
        let axes = "\"optimizer.learning_rate\" = [0.1, 0.2]\n\"training.batch_size\" = [8, 16]";
        assert_eq!(
            names(&format!("[sweep]\nmode = \"zip\"\n{axes}")),
            [
                "learning_rate 0.1, batch_size 8",
                "learning_rate 0.2, batch_size 16"
            ]
        );
        let random = names(&format!("[sweep]\nmode = \"random\"\ncount = 3\n{axes}"));
        let grid = names(&format!("[sweep]\n{axes}"));
        assert_eq!(random.len(), 3);
        assert!(random.iter().all(|name| grid.contains(name)), "{random:?}");
    }

    #[test]
    fn named_variants_set_several_keys_and_cross_with_axes() {
        let both = r#"
            [sweep]
            "model.activation" = ["relu", "tanh"]
            [[variants]]
            name = "slow"
            set = { "optimizer.learning_rate" = 0.001, "training.num_epochs" = 9 }
            [[variants]]
            name = "fast"
        "#;
        assert_eq!(
            names(both),
            ["slow, relu", "slow, tanh", "fast, relu", "fast, tanh"]
        );
        let slow = expand(both).unwrap().trials.remove(0).config;
        assert_eq!(
            (slow.optimizer.learning_rate, slow.training.num_epochs),
            (0.001, 9)
        );
    }

    #[test]
    fn folds_multiply_the_trials() {
        let comparison = expand("[split]\nmethod = \"stratified\"\n").unwrap();
        assert_eq!(comparison.trials.len(), 2);
        let text = BASE.replace("seeds = 2", "seeds = [4, 7]\nnum_folds = 3");
        let source = ConfigSource::new("moons.toml", text);
        let comparison = Comparison::from_source(&source).unwrap();
        assert_eq!(comparison.trials.len(), 6);
        let last = &comparison.trials[5];
        assert_eq!(
            (last.seed, last.fold, last.run.as_str()),
            (7, Some(2), "moons-seed7-fold2")
        );
        assert_eq!(last.config.split.fold.unwrap().index, 2);
    }

    #[test]
    fn an_error_in_a_sweep_names_its_key() {
        let error = |more: &str| expand(more).unwrap_err().to_string();
        assert!(error("[sweep]\n\"model.activation\" = [\"geluu\"]").contains("gelu"));
        assert!(error("[sweep]\n\"model.activation\" = []").contains("at least one value"));
        assert!(error("[sweep]\n\"seed\" = 3").contains("a list of at least one value"));
        assert!(
            error("[sweep]\nmode = \"random\"\n\"seed\" = [3]")
                .contains("`sweep.count` is missing")
        );
        let unequal = "[sweep]\nmode = \"zip\"\n\"a.b\" = [1]\n\"c.d\" = [1, 2]";
        assert!(error(unequal).contains("the same number of values"));
        let same = "[[variants]]\nname = \"a b\"\n[[variants]]\nname = \"a b\"";
        assert!(error(same).contains("the same name, `a b`"));
        let twice = "[sweep]\n\"optimizer.learning_rate\" = [0.1, 0.1]";
        assert!(error(twice).contains("the same name, `0.1`"));
    }

    /// The folders of the runs with seed 0.
    fn folders(more: &str) -> Vec<String> {
        let trials = expand(more).unwrap().trials.into_iter();
        let first = trials.filter(|trial| trial.seed == 0);
        first.map(|trial| trial.run).collect()
    }

    #[test]
    fn values_that_differ_only_in_a_sign_have_two_folders() {
        let names = ["shift -2.0", "shift 2.0", "shift 3-4"].map(|name| Variant {
            name: name.to_string(),
            overrides: Vec::new(),
        });
        assert_eq!(
            folder_names(&names),
            ["shift-minus-2.0", "shift-2.0", "shift-3-4"]
        );
        let constants = r#"
            [sweep]
            "model.initializer" = [{ name = "constant", value = 0.5 }, { name = "constant", value = -0.5 }]
        "#;
        assert_eq!(
            folders(constants),
            [
                "name-constant-value-0.5-seed0",
                "name-constant-value-minus-0.5-seed0"
            ]
        );
    }

    #[test]
    fn paths_that_differ_only_in_a_blank_have_two_folders_in_any_order() {
        let paths = |first: &str, second: &str| {
            let base = BASE.replace(
                "dataset = { name = \"moons\" }",
                "dataset = { name = \"csv\", path = \"x.csv\", label = \"y\" }",
            );
            let text = format!("{base}[sweep]\n\"dataset.path\" = [\"{first}\", \"{second}\"]\n");
            let comparison = Comparison::from_source(&ConfigSource::new("p.toml", text)).unwrap();
            let mut runs: Vec<String> = comparison.trials.into_iter().map(|t| t.run).collect();
            runs.sort();
            runs.dedup();
            runs
        };
        let found = paths("a b.csv", "a-b.csv");
        assert_eq!(found.len(), 4);
        assert!(
            found.iter().all(|run| run.starts_with("a-b.csv-")),
            "{found:?}"
        );
        assert_eq!(found, paths("a-b.csv", "a b.csv"));
    }

    #[test]
    fn a_name_that_needs_no_more_keeps_its_folder() {
        let named = "[[variants]]\nname = \"a, b\"\n[[variants]]\nname = \"a b\"\n[[variants]]\nname = \"lr -1\"";
        let found = folders(named);
        assert_eq!(found[2], "lr-1-seed0");
        assert_ne!(found[0], found[1]);
    }
}
