//! Expands the file of a comparison into its variants and trials.

use std::collections::{BTreeSet, HashMap};

use emberlab_config_source::{ConfigError, ConfigSource, key_set_twice};
use emberlab_menu::Problem;
use emberlab_metrics::Metric;
use emberlab_rng::stream;
use emberlab_storage::sha256;
use rand::seq::index;
use serde::{Deserialize, Serialize};

use crate::config::ExperimentConfig;
use crate::config::{Seeds, SweepConfig, SweepMode};

/// The largest number of trials of a comparison.
const MAX_TRIALS: u64 = 10_000;

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

/// A comparison with all its trials, each checked as far as that is possible without data.
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
    /// The epochs whose figures are to be shown and that no trial has, as of a comparison with fewer epochs than it was
    /// written for.
    pub fn missing_epochs(&self) -> Vec<usize> {
        let num_epochs = self
            .trials
            .iter()
            .map(|trial| trial.config.training.num_epochs);
        let most = num_epochs.max().unwrap_or(0);
        let epochs = self.config.at_epochs.iter().copied();
        epochs.filter(|&epoch| epoch > most).collect()
    }

    /// Expands a file and checks every trial as far as that is possible without data.
    ///
    /// # Errors
    /// [`ConfigError`] with the place in the file, or in the file as changed by a variant.
    pub fn from_source(source: &ConfigSource) -> Result<Self, ConfigError> {
        let config = ExperimentConfig::from_source(source)?;
        check_num_trials(&config, source)?;
        check_overrides(&config, source)?;
        check_keys(&config, source)?;
        let variants = variants(&config);
        check_names(&config, &variants, source)?;
        let folders = folder_names(&variants);
        let seeds = seeds(&config, source)?;
        let folds: Vec<Option<usize>> = match config.num_folds {
            Some(n) => (0..n).map(Some).collect(),
            None => vec![None],
        };
        // Each variant reads the text again, which takes long with thousands of values.
        let base = source.without(&["seeds", "sweep", "variants"])?;
        let mut trials: Vec<PlannedTrial> = Vec::new();
        for (variant, folder) in variants.iter().zip(&folders) {
            let first = first_config(&config, &base, variant, seeds[0], folds[0])?;
            for &seed in &seeds {
                for &fold in &folds {
                    trials.push(PlannedTrial {
                        index: trials.len(),
                        variant: variant.name.clone(),
                        seed,
                        fold,
                        experiment: config.name.clone(),
                        run: run_name(folder, seed, fold),
                        config: with_seed_and_fold(&first, seed, fold),
                    });
                }
            }
        }
        Ok(Self {
            config,
            variants,
            trials,
        })
    }

    /// Checks that the losses of all variants can be compared, if the loss is the objective. For comparisons that begin:
    /// one whose trials are there has to be reported on as it is.
    ///
    /// # Errors
    /// [`ConfigError`] with two variants whose losses do not measure the same.
    pub fn check_losses(&self, source: &ConfigSource) -> Result<(), ConfigError> {
        let Some(first) = self.trials.first() else {
            return Ok(());
        };
        (self.trials.iter()).try_for_each(|other| check_losses(first, other, source))
    }
}

/// Checks that no override sets a key that every trial gets from the comparison: it would change nothing.
fn check_overrides(config: &ExperimentConfig, source: &ConfigSource) -> Result<(), ConfigError> {
    let swept = config.sweep.iter().flat_map(|sweep| sweep.axes.keys());
    let of_first = (config.variants.iter().take(1)).flat_map(|variant| variant.set.keys());
    let of_all = of_first.filter(|key| {
        let mut variants = config.variants.iter();
        variants.all(|variant| variant.set.contains_key(key.as_str()))
    });
    let of_variants = swept.chain(of_all).map(String::as_str);
    let of_seeds = config.seeds.iter().map(|_| "seed");
    for key in of_variants.chain(of_seeds) {
        if let Some(value) = source.overridden(key) {
            let sets = if key == "seed" {
                "`seeds`"
            } else {
                "each variant"
            };
            let expected = format!("no override, because {sets} sets this key for every trial");
            let problem = Problem::new(key.to_owned(), value, expected);
            return Err(ConfigError::from_problem(source, &problem));
        }
    }
    Ok(())
}

/// Checks that no part of a comparison loses what another sets. Variants come before the sweep, whose axes follow each
/// other, and folds come last. Variants are beside each other, so that several may set a key.
fn check_keys(config: &ExperimentConfig, source: &ConfigSource) -> Result<(), ConfigError> {
    type Part<'a> = (&'a str, Vec<&'a toml::Value>, String);
    let of_variants = config.variants.iter().enumerate().flat_map(|(i, variant)| {
        let set = variant.set.iter();
        set.map(move |(key, value)| -> Part<'_> {
            (key, vec![value], format!("variants[{i}].set.\"{key}\""))
        })
    });
    let axes = config.sweep.iter().flat_map(SweepConfig::axes);
    let swept: Vec<Part<'_>> = axes
        .map(|(key, values)| {
            let written = format!("sweep.\"{key}\"");
            (key.as_str(), values.iter().collect(), written)
        })
        .collect();
    let num_variants = config
        .variants
        .iter()
        .map(|variant| variant.set.len())
        .sum();
    let in_order: Vec<Part<'_>> = of_variants.chain(swept.iter().cloned()).collect();
    for (place, (key, values, written)) in in_order.iter().enumerate() {
        let next: usize = (place + 1).saturating_sub(num_variants);
        for (later, _, later_written) in &swept[next..] {
            if let Some(both) = key_set_twice(key, values, later) {
                return Err(set_twice(source, written, later_written, both));
            }
        }
    }
    if config.num_folds.is_some() {
        let of_file = (config.split.fold).map(|_| ("split.fold", "split.fold"));
        let parts = in_order
            .iter()
            .map(|(key, _, written)| (*key, written.as_str()));
        for (key, written) in parts.chain(of_file) {
            if let Some(both) = key_set_twice(key, &[], "split.fold") {
                return Err(set_twice(source, written, "num_folds", both));
            }
        }
    }
    Ok(())
}

fn set_twice(source: &ConfigSource, one: &str, other: &str, both: &str) -> ConfigError {
    let message = format!(
        "`{one}` and `{other}` both set `{both}`, so that the values of one would be lost: remove it from one of them"
    );
    ConfigError::at_key(source, one, message)
}

/// Checks that the losses of two variants can be compared, if the loss is the objective.
fn check_losses(
    first: &PlannedTrial,
    other: &PlannedTrial,
    source: &ConfigSource,
) -> Result<(), ConfigError> {
    let (name, other_name) = (&first.variant, &other.variant);
    let (config, other) = (&first.config, &other.config);
    if config.training.objective.metric != Metric::Loss {
        return Ok(());
    }
    let differ = [
        // Losses are reported as means over samples, however a step reduces them.
        ("loss", config.loss.function != other.loss.function),
        (
            "standardize.targets",
            config.standardize.targets != other.standardize.targets,
        ),
        (
            "training.class_weights",
            config.training.class_weights != other.training.class_weights,
        ),
    ];
    let Some((key, _)) = differ.into_iter().find(|(_, differ)| *differ) else {
        return Ok(());
    };
    let message = format!(
        "`{name}` and `{other_name}` differ in `{key}`, so that their losses do not measure the same: name a metric to \
         compare them by, such as `training.objective.metric = \"accuracy\"` for classes or `\"mae\"` for numbers"
    );
    Err(ConfigError::at_key(
        source,
        "training.objective.metric",
        message,
    ))
}

/// Checks that there are not too many trials, before they are listed.
fn check_num_trials(config: &ExperimentConfig, source: &ConfigSource) -> Result<(), ConfigError> {
    let sweep = config.sweep.as_ref();
    let factors = [
        ("seeds", config.seeds.as_ref().map_or(1, Seeds::len)),
        ("num_folds", config.num_folds.map_or(1, |n| n as u64)),
        ("sweep", sweep.map_or(1, SweepConfig::num_combinations)),
        ("variants", config.variants.len().max(1) as u64),
    ];
    let num_trials = factors
        .iter()
        .fold(1, |n: u64, (_, m)| n.saturating_mul(*m));
    let largest = factors.iter().max_by_key(|(_, factor)| factor);
    match largest {
        Some((key, factor)) if num_trials > MAX_TRIALS => {
            let message = format!(
                "`{key}` is a factor of {factor} in a comparison of {num_trials} trials; at most {MAX_TRIALS} are possible"
            );
            Err(ConfigError::at_key(source, key, message))
        }
        _ => Ok(()),
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

/// The configuration of the first trial of a variant, read from the file with the variant's changes. The other trials
/// of the variant differ only in seed and fold, and their configurations are not read again: reading takes long for ten
/// thousand trials.
fn first_config(
    config: &ExperimentConfig,
    source: &ConfigSource,
    variant: &Variant,
    seed: u64,
    fold: Option<usize>,
) -> Result<ExperimentConfig, ConfigError> {
    let mut overrides = variant.overrides.clone();
    overrides.push(format!("seed={seed}"));
    if let (Some(fold), Some(num_folds)) = (fold, config.num_folds) {
        overrides.push(format!("split.fold={{ index = {fold}, of = {num_folds} }}"));
    }
    let origin = format!("variant `{}`", variant.name);
    let source = source.with_overrides_from(&origin, &overrides)?;
    Ok(ExperimentConfig::from_source(&source)?.without_comparison())
}

fn with_seed_and_fold(
    first: &ExperimentConfig,
    seed: u64,
    fold: Option<usize>,
) -> ExperimentConfig {
    let mut config = first.clone();
    config.seed = seed;
    if let (Some(index), Some(own)) = (fold, &mut config.split.fold) {
        own.index = index;
    }
    config
}

/// The name of the run of a trial.
fn run_name(folder: &str, seed: u64, fold: Option<usize>) -> String {
    match fold {
        Some(fold) => format!("{folder}-seed{seed}-fold{fold}"),
        None => format!("{folder}-seed{seed}"),
    }
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
        SweepMode::Grid => {
            let all = 0..grid_size(&axes);
            all.map(|number| combination(&axes, number)).collect()
        }
        SweepMode::Random => {
            let all = grid_size(&axes);
            let count = sweep.count.unwrap_or(all).min(all);
            let mut rng = stream(0, "sweep", &[]);
            let mut chosen = index::sample(&mut rng, all, count).into_vec();
            chosen.sort_unstable();
            let chosen = chosen.into_iter();
            chosen.map(|number| combination(&axes, number)).collect()
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

/// The number of combinations of values; the largest `usize` if there are more.
fn grid_size(axes: &[Axis]) -> usize {
    let lengths = axes.iter().map(|axis| axis.values.len());
    lengths.fold(1, usize::saturating_mul)
}

/// The indices of one combination of values, by its number; the last axis changes fastest.
fn combination(axes: &[Axis], mut number: usize) -> Vec<usize> {
    let mut indices = vec![0; axes.len()];
    for (index, axis) in indices.iter_mut().zip(axes).rev() {
        *index = number % axis.values.len();
        number /= axis.values.len();
    }
    indices
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
                false => values.iter().map(long_label).collect(),
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
        toml::Value::Float(number) => {
            let digits = value.to_string();
            match digits.len() > LONGEST_NUMBER {
                true => format!("{number:e}"),
                false => digits,
            }
        }
        value => value.to_string(),
    }
}

/// The characters of the longest number that is not written with a power of ten.
const LONGEST_NUMBER: usize = 12;

/// A label of a value with all its parts: the name of a table with its parameters.
fn long_label(value: &toml::Value) -> String {
    match value {
        toml::Value::Table(table) => {
            let name = table.get("name").map(short_label);
            let others = table.iter().filter(|(key, _)| *key != "name");
            let others = others.map(|(key, value)| format!("{key} {}", long_label(value)));
            name.into_iter().chain(others).collect::<Vec<_>>().join(" ")
        }
        value => short_label(value),
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
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for folder in &folders {
            *counts.entry(folder).or_default() += 1;
        }
        let is_shared: Vec<bool> = folders
            .iter()
            .map(|folder| counts[folder.as_str()] > 1)
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
    let joined = words.collect::<Vec<_>>().join("-");
    // A run whose name begins with a point would be hidden, and with a hyphen it would look like an option.
    let readable = joined.trim_start_matches(['.', '-']);
    match readable.len() {
        0..=LONGEST_FOLDER => readable.to_string(),
        _ => {
            let end = readable.floor_char_boundary(LONGEST_FOLDER);
            format!("{}-{}", &readable[..end], &sha256(name.as_bytes())[..8])
        }
    }
}

/// Bytes of the longest name of a variant in the name of a folder, which may have 255 bytes with everything else.
const LONGEST_FOLDER: usize = 200;

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
    fn parts_that_set_the_same_key_are_refused_with_both_places() {
        let error = |first: &str, more: &str| {
            let text = BASE.replace("seeds = 2", &format!("seeds = 2\n{first}")) + more;
            let source = ConfigSource::new("moons.toml", text);
            Comparison::from_source(&source).unwrap_err().to_string()
        };
        let rates = "[sweep]\n\"optimizer.learning_rate\" = [0.01, 0.02]\n";
        let variant = |key: &str, value: &str| {
            format!(
                "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = {{ \"{key}\" = {value} }}\n"
            )
        };
        let sgd = "{ name = \"sgd\", learning_rate = 0.5 }";
        for (first, more, said) in [
            (
                "",
                [rates, &variant("optimizer.learning_rate", "0.1")].concat(),
                "`variants[1].set.\"optimizer.learning_rate\"` and `sweep.\"optimizer.learning_rate\"` both set \
                 `optimizer.learning_rate`",
            ),
            (
                "",
                [rates, &variant("optimizer", sgd)].concat(),
                "`variants[1].set.\"optimizer\"` and `sweep.\"optimizer.learning_rate\"` both set",
            ),
            (
                "",
                format!("{rates}\"optimizer\" = [{sgd}]\n"),
                "both set `optimizer.learning_rate`",
            ),
            (
                "num_folds = 3",
                "[sweep]\n\"split.fold\" = [{ index = 0, of = 3 }, { index = 1, of = 3 }]"
                    .to_string(),
                "`sweep.\"split.fold\"` and `num_folds` both set `split.fold`",
            ),
            (
                "num_folds = 3",
                variant("split.fold.index", "1"),
                "`variants[1].set.\"split.fold.index\"` and `num_folds` both set `split.fold.index`",
            ),
            (
                "num_folds = 3",
                "[split]\nfold = { index = 1, of = 3 }".to_string(),
                "`split.fold` and `num_folds` both set `split.fold`",
            ),
        ] {
            let found = error(first, &more);
            assert!(found.contains(said), "no {said} in\n{found}");
        }
        // A later key adds to an earlier table that lacks it.
        expand(
            "[sweep]\n\"optimizer\" = [{ name = \"sgd\" }]\n\"optimizer.learning_rate\" = [0.1]",
        )
        .unwrap();
        // Variants are beside each other, and each changes what the file says.
        expand(&variant("optimizer.learning_rate", "0.1")).unwrap();
        expand("[split]\nfold = { index = 1, of = 3 }").unwrap();
    }

    #[test]
    fn losses_that_measure_different_things_need_another_objective() {
        let checked = |text: String| {
            let source = ConfigSource::new("moons.toml", text);
            Comparison::from_source(&source)
                .unwrap()
                .check_losses(&source)
        };
        let error = |more: &str| checked(format!("{BASE}{more}")).unwrap_err().to_string();
        let losses = "[sweep]\n\"loss.name\" = [\"bce_with_logits\", \"hinge\"]\n";
        let said = "`bce_with_logits` and `hinge` differ in `loss`, so that their losses do not measure the same";
        assert!(error(losses).contains(said), "{}", error(losses));
        let targets = error("[sweep]\n\"standardize.targets\" = [true, false]");
        assert!(
            targets.contains("differ in `standardize.targets`"),
            "{targets}"
        );
        let weights = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\n\
                       set = { \"training.class_weights\" = \"balanced\" }";
        let weights = error(weights);
        assert!(
            weights.contains("differ in `training.class_weights`"),
            "{weights}"
        );
        let text = BASE.replace(
            "num_epochs = 3",
            "num_epochs = 3, objective = { metric = \"accuracy\" }",
        );
        checked(text + losses).unwrap();
        checked(format!(
            "{BASE}[sweep]\n\"loss.reduction\" = [\"mean\", \"sum\"]\n"
        ))
        .unwrap();
    }

    #[test]
    fn every_trial_has_the_configuration_that_its_seed_and_fold_give_by_themselves() {
        let text = BASE.replace("seeds = 2", "seeds = [4, 7]\nnum_folds = 3")
            + "[sweep]\n\"optimizer.learning_rate\" = [0.1, 0.2]";
        let source = ConfigSource::new("moons.toml", text);
        let comparison = Comparison::from_source(&source).unwrap();
        assert_eq!(comparison.trials.len(), 12);
        for trial in &comparison.trials {
            let mut variants = comparison.variants.iter();
            let variant = variants.find(|v| v.name == trial.variant).unwrap();
            let (config, seed, fold) = (&comparison.config, trial.seed, trial.fold);
            let alone = first_config(config, &source, variant, seed, fold).unwrap();
            assert_eq!(trial.config, alone, "{}", trial.run);
        }
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
    fn names_of_variants_are_short_and_tell_tables_of_one_name_apart() {
        let named = |values: &str| names(&format!("[sweep]\n\"model.activation\" = [{values}]"));
        assert_eq!(
            named(r#""relu", "leaky_relu", { name = "leaky_relu", alpha = 0.2 }"#),
            ["relu", "leaky_relu", "leaky_relu alpha 0.2"]
        );
        let rates = "[sweep]\n\"optimizer.learning_rate\" = [1e30, 1e-300, 0.001]";
        assert_eq!(
            names(rates),
            [
                "learning_rate 1e30",
                "learning_rate 1e-300",
                "learning_rate 0.001"
            ]
        );
        let error = |more: &str| expand(more).unwrap_err().to_string();
        let equal = error("[sweep]\n\"dataset.noise\" = [1, 1.0]");
        assert!(equal.contains("each value only once"), "{equal}");
        let nameless = error("[[variants]]\nname = \"\"");
        assert!(
            nameless.contains("`variants[0].name` is \"\""),
            "{nameless}"
        );
    }

    #[test]
    fn an_error_in_a_sweep_names_its_key() {
        let error = |more: &str| expand(more).unwrap_err().to_string();
        assert!(error("[sweep]\n\"model.activation\" = [\"geluu\"]").contains("gelu"));
        assert!(error("[sweep]\n\"model.activation\" = []").contains("at least one value"));
        assert!(error("[sweep]\n\"dataset.noise\" = 3").contains("a list of at least one value"));
        assert!(
            error("[sweep]\nmode = \"random\"\n\"dataset.noise\" = [3]")
                .contains("`sweep.count` is missing")
        );
        let unequal = "[sweep]\nmode = \"zip\"\n\"a.b\" = [1]\n\"c.d\" = [1, 2]";
        assert!(error(unequal).contains("the same number of values"));
        let same = "[[variants]]\nname = \"a b\"\n[[variants]]\nname = \"a b\"";
        assert!(error(same).contains("the same name, `a b`"));
        let twice = "[sweep]\n\"optimizer.learning_rate\" = [0.1, 0.1]";
        assert!(error(twice).contains("the same name, `0.1`"));
    }

    #[test]
    fn folds_target_and_epochs_that_cannot_be_are_refused_at_their_keys() {
        let error = |first: &str, more: &str| {
            let text = BASE.replace("seeds = 2", &format!("seeds = 2\n{first}")) + more;
            let source = ConfigSource::new("moons.toml", text);
            Comparison::from_source(&source).unwrap_err().to_string()
        };
        let target = |more: &str| error("", &format!("[target]\nmetric = \"accuracy\"\n{more}"));
        for (found, said) in [
            (
                error("num_folds = 0", ""),
                "`num_folds` is 0, expected at least 2",
            ),
            (
                error("num_folds = 1", ""),
                "`num_folds` is 1, expected at least 2",
            ),
            (
                error("at_epochs = [3, 0]", ""),
                "`at_epochs` is [3, 0], expected epochs from 1 on",
            ),
            (
                target("value = 0.9\nsplit = \"test\""),
                "`target.split` is test, expected `train` or `valid`: the test split must decide nothing",
            ),
            (
                target("value = inf"),
                "`target.value` is inf, expected a finite number",
            ),
        ] {
            assert!(found.contains(said), "no {said} in\n{found}");
        }
    }

    #[test]
    fn figures_are_shown_at_every_epoch_that_some_variant_reaches() {
        let text = BASE.replace("seeds = 2", "at_epochs = [3, 9, 10]")
            + "[sweep]\n\"training.num_epochs\" = [3, 9]";
        let comparison = Comparison::from_source(&ConfigSource::new("moons.toml", text));
        assert_eq!(comparison.unwrap().missing_epochs(), [10]);
    }

    #[test]
    fn a_variant_whose_name_begins_with_a_point_has_a_folder_that_can_be_seen() {
        let named = |name: &str| Variant {
            name: name.to_string(),
            overrides: Vec::new(),
        };
        let folders = folder_names(&[".a", "..-b", "c."].map(named));
        assert_eq!(folders, ["a", "b", "c."]);
        let alike = folder_names(&[".a", "a"].map(named));
        assert!(
            alike[0].starts_with("a-") && alike[1].starts_with("a-"),
            "{alike:?}"
        );
        assert_ne!(alike[0], alike[1]);
    }

    #[test]
    fn too_many_trials_are_refused_before_they_are_listed() {
        let error = |seeds: &str, more: &str| {
            let text = BASE.replace("seeds = 2", seeds) + more;
            let source = ConfigSource::new("moons.toml", text);
            Comparison::from_source(&source).unwrap_err().to_string()
        };
        let seeds = error("seeds = 9000000000000000000", "");
        assert!(
            seeds.contains("`seeds` is a factor of 9000000000000000000"),
            "{seeds}"
        );
        let folds = error("seeds = 2\nnum_folds = 1000000", "");
        assert!(
            folds.contains("`num_folds` is a factor of 1000000 in a comparison of 2000000 trials"),
            "{folds}"
        );
        let rates: Vec<String> = (1..=200).map(|i| format!("0.{i:03}")).collect();
        let rates = rates.join(", ");
        let sweep = format!(
            "[sweep]\n\"optimizer.learning_rate\" = [{rates}]\n\"dataset.noise\" = [{rates}]\n"
        );
        let sweep = error("seeds = 2", &sweep);
        assert!(
            sweep.contains("`sweep` is a factor of 40000 in a comparison of 80000 trials"),
            "{sweep}"
        );
    }

    #[test]
    fn a_random_sweep_draws_from_a_grid_that_is_too_large_to_list() {
        let values: Vec<String> = (1..=500).map(|i| i.to_string()).collect();
        let values = values.join(", ");
        let keys = [
            "training.num_epochs",
            "training.batch_size",
            "dataset.num_samples",
            "dataset.noise",
        ];
        let axes = keys.map(|key| format!("\"{key}\" = [{values}]\n"));
        let sweep = format!("[sweep]\nmode = \"random\"\ncount = 3\n{}", axes.concat());
        let comparison = expand(&sweep).unwrap();
        assert_eq!(comparison.trials.len(), 2 * 3);
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
            ["constant-value-0.5-seed0", "constant-value-minus-0.5-seed0"]
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
