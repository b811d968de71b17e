//! Diagnoses: each lesson shows the problem that it is about, and nothing is found in healthy configurations.

use emberlab_analysis::{Earliest, RULES};
use emberlab_config_source::ConfigSource;
use emberlab_experiments::Comparison;
use emberlab_run_format::{Diagnosis, Direction, Finding, FindingKind};

use crate::lab::{Lab, data_dir, project, shipped};

/// A lesson, the finding that it shows, and the change that repairs it.
const LESSONS: [(&str, FindingKind, &[&str]); 12] = [
    (
        "tiny_batch",
        FindingKind::TinyBatch,
        &["training.drop_last=true"],
    ),
    (
        "dead_relus",
        FindingKind::DeadRelus,
        &["model.bias_initializer=zeros"],
    ),
    (
        "hamming",
        FindingKind::ZeroGradient,
        &["loss.name=soft_hamming"],
    ),
    (
        "leakage",
        FindingKind::Leakage,
        &["standardize.statistics=train"],
    ),
    (
        "learning_rate_too_high",
        FindingKind::LearningRateTooHigh,
        &["optimizer.learning_rate=0.1"],
    ),
    (
        "learning_rate_too_low",
        FindingKind::LearningRateTooLow,
        &["optimizer.learning_rate=0.1"],
    ),
    (
        "missing_class",
        FindingKind::MissingClass,
        &["split.method=stratified"],
    ),
    (
        "over_fitting",
        FindingKind::OverFitting,
        &["training.early_stopping={ patience = 10 }"],
    ),
    (
        "saturated_sigmoids",
        FindingKind::SaturatedUnits,
        &["model.initializer=xavier_normal"],
    ),
    (
        "unscaled_features",
        FindingKind::UnscaledFeatures,
        &["standardize.method=per_feature"],
    ),
    (
        "vanishing_gradients",
        FindingKind::VanishingGradients,
        &["model.activation=relu", "model.initializer=kaiming_normal"],
    ),
    (
        "xor_perceptron",
        FindingKind::CannotRepresent,
        &["model={ name = \"mlp\", hidden = [8], activation = \"tanh\" }"],
    ),
];

/// The findings and messages of a training.
struct Left {
    /// The findings of its run.
    findings: Vec<Finding>,
    /// Its standard error.
    told: String,
}

impl Left {
    /// Whether the training warned of a kind of finding before its end.
    fn was_told(&self, kind: FindingKind) -> bool {
        self.told.contains(&format!("warning: {kind}: "))
    }
}

/// Trains a configuration, however that ends.
fn left_by(lab: &Lab, config: &str, run: &str, overrides: &[&str]) -> Left {
    let path = shipped(config);
    let mut words = vec!["train", path.to_str().unwrap(), "--run", run];
    words.extend(["--dashboard", "json"]);
    for one in overrides {
        words.extend(["--set", one]);
    }
    let outcome = lab.run(&words);
    assert!(matches!(outcome.code, Some(0..=2)), "{outcome:#?}");
    let name = path.file_stem().unwrap().to_str().unwrap();
    let file = format!("artifacts/{name}/{run}/diagnosis.json");
    let text = std::fs::read_to_string(lab.path().join(file)).unwrap();
    let diagnosis: Diagnosis = serde_json::from_str(&text).unwrap();
    Left {
        findings: diagnosis.findings,
        told: outcome.stderr,
    }
}

#[test]
fn every_lesson_shows_what_it_tells_of_and_its_remedy_mends_it() {
    let lab = Lab::new();
    for (lesson, kind, remedy) in LESSONS {
        let config = format!("lessons/{lesson}.toml");
        let ill = left_by(&lab, &config, "ill", &[]);
        let found = ill.findings.iter().find(|f| f.kind == kind);
        let found = found.unwrap_or_else(|| panic!("{lesson} shows {:#?}", ill.findings));
        let rule = RULES.iter().find(|rule| rule.kind == kind).unwrap();
        let is_told = rule.earliest == Earliest::WhileTraining;
        assert_eq!(ill.was_told(kind), is_told, "{lesson}: {}", ill.told);
        assert!(!found.evidence.is_empty() && !found.remedies.is_empty());
        let mended = left_by(&lab, &config, "mended", remedy);
        let is_mended = mended.findings.iter().all(|f| f.kind != kind);
        let findings = mended.findings;
        assert!(is_mended, "{lesson} after its remedy: {findings:#?}");
        // The command reports the same, with its numbers.
        let told = lab.succeed(&["diagnose", &format!("{lesson}/ill")]).stdout;
        assert!(told.contains(kind.title()), "{told}");
        assert!(told.contains(&found.evidence[0].name), "{told}");
        assert!(told.contains("what to try"), "{told}");
    }
}

#[test]
fn every_lesson_says_its_commands_and_what_to_expect() {
    let folder = shipped("lessons");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|path| path.is_file());
    let mut count = 0;
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        for part in [
            format!("cargo run --release -- train configs/lessons/{name}.toml"),
            format!("cargo run --release -- diagnose {name}"),
            "# Expect:".to_string(),
            "# Takes:".to_string(),
        ] {
            assert!(text.contains(&part), "{name} does not say {part}");
        }
        count += 1;
    }
    assert_eq!(
        count,
        LESSONS.len() + 1,
        "the explosion has a test of its own"
    );
}

#[test]
fn nothing_is_found_in_the_healthy_configurations() {
    let has_mnist = data_dir().is_some();
    let lab = Lab::new();
    std::os::unix::fs::symlink(project().join("configs"), lab.path().join("configs")).unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(shipped("train")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let is_large = text.contains("mnist\"");
        if is_large && !has_mnist {
            continue;
        }
        // The small ones train to their end, the others as far as a test has time for.
        let few: &[&str] = match name {
            _ if is_large => &[
                "training.num_epochs=2",
                "split.train=1000",
                "split.valid=200",
                "split.test=200",
            ],
            "moons" | "spirals" => &["training.num_epochs=100"],
            "digits_convnet" => &["training.num_epochs=3"],
            _ => &[],
        };
        let healthy = left_by(&lab, &format!("train/{name}.toml"), "healthy", few);
        let findings = &healthy.findings;
        // Their headers say so.
        let expected = match name {
            "iris" => vec![FindingKind::MissingClass],
            "winequality" => vec![
                FindingKind::Leakage,
                FindingKind::Leakage,
                FindingKind::WorseThanBaseline,
            ],
            _ => Vec::new(),
        };
        let kinds: Vec<FindingKind> = findings.iter().map(|f| f.kind).collect();
        assert_eq!(kinds, expected, "{name}: {findings:#?}");
        for rule in RULES.iter().filter(|rule| !expected.contains(&rule.kind)) {
            assert!(!healthy.was_told(rule.kind), "{name}: {}", healthy.told);
        }
        count += 1;
    }
    assert!(count >= 11, "only {count} configurations");
}

/// Findings that the data or the settings alone show, and over-fitting.
const OF_USERS_DATA: [FindingKind; 8] = [
    FindingKind::UnscaledFeatures,
    FindingKind::UnscaledTargets,
    FindingKind::TinyBatch,
    FindingKind::SimilarClasses,
    FindingKind::MissingLabels,
    FindingKind::NumericClasses,
    FindingKind::RowNumbers,
    FindingKind::OverFitting,
];

#[test]
fn the_first_variant_of_each_comparison_has_no_finding_of_users_data() {
    let lab = Lab::new();
    let mut count = 0;
    for entry in std::fs::read_dir(shipped("compare")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_string();
        let source = ConfigSource::load(&file).unwrap();
        let comparison = Comparison::from_source(&source).unwrap();
        let config = comparison.trials[0].config.clone().without_comparison();
        let config = lab.write(&format!("{name}.toml"), config.to_toml().unwrap());
        let mut words = vec!["train", config.to_str().unwrap(), "--run", "first"];
        words.extend(["--dashboard", "quiet"]);
        if name.contains("mnist") {
            if data_dir().is_none() {
                continue;
            }
            words.extend(["--set", "training.num_epochs=2"]);
            words.extend(["--set", "split.train=1000", "--set", "split.valid=200"]);
        }
        lab.succeed(&words);
        let told = lab.succeed(&["diagnose", "latest", "--json"]).stdout;
        let diagnosis: Diagnosis = serde_json::from_str(&told).unwrap();
        for found in diagnosis.findings {
            assert!(!OF_USERS_DATA.contains(&found.kind), "{name}: {found:#?}");
        }
        count += 1;
    }
    assert!(count >= 13, "only {count} comparisons");
}

/// A table with the columns `a` and `b` without a pattern, and columns that are written by `more`: its header and the
/// cells of a row.
fn table(num_rows: usize, header: &str, more: impl Fn(usize) -> String) -> String {
    let mut text = format!("a,b,{header}\n");
    for i in 0..num_rows {
        let (a, b) = (i * i * 31 % 97, i * i * 17 % 89);
        text += &format!("{},{},{}\n", a as f64 / 50.0, b as f64 / 50.0, more(i));
    }
    text
}

/// A configuration for such a table.
fn config_of(label: &str, loss: &str, more: &str) -> String {
    format!(
        r#"
[dataset]
name = "csv"
path = "table.csv"
label = "{label}"
{more}

[split]
train = 0.7
valid = 0.3

[model]
name = "mlp"
hidden = [8]

[loss]
name = "{loss}"

[optimizer]
name = "adam"
learning_rate = 0.01

[training]
num_epochs = 20
batch_size = 16
"#
    )
}

/// Trains on a table. Returns the messages before and while training, and the findings.
fn trained_on(table: &str, config: &str) -> (String, Vec<Finding>) {
    let lab = Lab::new();
    lab.write("table.csv", table);
    let file = lab.write("own.toml", config);
    let words = ["train", file.to_str().unwrap(), "--dashboard", "plain"];
    let said = lab.succeed(&words).stderr;
    let told = lab.succeed(&["diagnose", "--json"]).stdout;
    let diagnosis: Diagnosis = serde_json::from_str(&told).unwrap();
    (said, diagnosis.findings)
}

#[test]
fn a_row_number_is_warned_of_and_found_with_the_column_to_drop() {
    let sorted = table(100, "id,class", |i| {
        format!("{i},{}", if i < 50 { "x" } else { "y" })
    });
    let (said, findings) = trained_on(&sorted, &config_of("class", "cross_entropy", ""));
    assert!(
        said.contains("warning: the column \"id\" counts the rows"),
        "{said}"
    );
    assert!(said.contains("try `dataset.drop = [\"id\"]`"), "{said}");
    assert_eq!(findings[0].kind, FindingKind::RowNumbers);
}

#[test]
fn targets_far_from_1_are_the_finding_and_not_the_learning_rate() {
    let large = table(100, "price", |i| format!("{}", (i * i) as f64 * 1e4));
    let config = config_of("price", "mse", "task = \"regression\"");
    let config = config.replace("\"adam\"", "\"sgd\"");
    let (said, findings) = trained_on(&large, &config);
    assert!(said.contains("try `standardize.targets = true`"), "{said}");
    assert!(!said.contains("learning rate too high"), "{said}");
    let has = |kind| findings.iter().any(|found| found.kind == kind);
    assert!(has(FindingKind::UnscaledTargets), "{findings:#?}");
    assert!(!has(FindingKind::LearningRateTooHigh), "{findings:#?}");
    let is_rate = |f: &Finding| f.kind == FindingKind::LearningRateTooHigh;
    assert!(!findings.iter().any(is_rate), "{findings:#?}");
}

#[test]
fn names_of_classes_that_are_similar_or_read_as_missing_are_warned_of() {
    let words = ["no", "No", "yes", "unknown"];
    let labels = table(200, "class", |i| words[i % 4].to_string());
    let (said, findings) = trained_on(&labels, &config_of("class", "cross_entropy", ""));
    assert!(said.contains("\"No\" and \"no\""), "{said}");
    assert!(
        said.contains("\"unknown\" looks like a word for a missing label"),
        "{said}"
    );
    for kind in [FindingKind::SimilarClasses, FindingKind::MissingLabels] {
        assert!(
            findings.iter().any(|f| f.kind == kind),
            "{kind}: {findings:#?}"
        );
    }
}

/// `x` and `y` in turn.
fn in_turn(i: usize) -> &'static str {
    ["x", "y"][i % 2]
}

#[test]
fn one_cell_far_from_the_others_is_warned_of_until_the_column_is_scaled_by_its_middle_half() {
    let far = table(100, "c,class", |i| {
        let cell = if i == 5 { 1e9 } else { (i * 7 % 11) as f64 };
        format!("{cell},{}", in_turn(i))
    });
    let with = |method: &str| {
        let standardize = format!("[standardize]\nmethod = \"{method}\"");
        let config = config_of("class", "cross_entropy", &standardize);
        // The cell is in the training split.
        let config = config.replace("[split]", "[split]\nmethod = \"sequential\"");
        trained_on(&far, &config)
    };
    let has = |findings: &[Finding]| {
        let mut kinds = findings.iter().map(|found| found.kind);
        kinds.any(|kind| kind == FindingKind::ExtremeValues)
    };
    let (said, findings) = with("per_feature");
    assert!(
        said.contains("`c` has values far from the others"),
        "{said}"
    );
    assert!(has(&findings), "{findings:#?}");
    let (said, findings) = with("robust");
    assert!(!said.contains("far from the others"), "{said}");
    assert!(!has(&findings), "{findings:#?}");
}

#[test]
fn units_that_begin_with_the_same_weights_are_found_and_random_weights_mend_them() {
    let labels = table(100, "class", |i| in_turn(i).to_string());
    let with = |initializer: &str| {
        let keys = format!("hidden = [8]\nactivation = \"tanh\"\ninitializer = {initializer}");
        let config = config_of("class", "cross_entropy", "");
        trained_on(&labels, &config.replace("hidden = [8]", &keys)).1
    };
    let has = |findings: &[Finding]| {
        let mut kinds = findings.iter().map(|found| found.kind);
        kinds.any(|kind| kind == FindingKind::EqualUnits)
    };
    let equal = with("{ name = \"constant\", value = 0.5 }");
    assert!(has(&equal), "{equal:#?}");
    let random = with("\"xavier_normal\"");
    assert!(!has(&random), "{random:#?}");
}

#[test]
fn a_column_that_copies_the_label_is_found_by_a_simple_predictor_without_errors() {
    let copied = table(400, "copy,class", |i| format!("{},{}", i % 2, in_turn(i)));
    let (_, findings) = trained_on(&copied, &config_of("class", "cross_entropy", ""));
    let found = findings
        .iter()
        .find(|found| found.kind == FindingKind::PerfectBaseline);
    let found = found.unwrap_or_else(|| panic!("{findings:#?}"));
    assert!(found.remedies[1].contains("`dataset.drop`"), "{found:#?}");
}

#[test]
fn a_network_that_hardly_learned_is_worse_than_its_neighbours() {
    // Four quarters of a square, of which those that lie opposite are one class.
    let quarters = table(600, "c,d,class", |i| {
        let place = |factor: f64| (i as f64 * factor).fract();
        let (c, d) = (place(0.754_877_67), place(0.569_840_29));
        let class = in_turn(usize::from((c > 0.5) != (d > 0.5)));
        format!("{c},{d},{class}")
    });
    let config = config_of("class", "cross_entropy", "drop = [\"a\", \"b\"]")
        .replace("hidden = [8]", "hidden = [8]\nactivation = \"tanh\"")
        .replace("learning_rate = 0.01", "learning_rate = 0.001")
        .replace("num_epochs = 20", "num_epochs = 1");
    let (_, findings) = trained_on(&quarters, &config);
    let kinds: Vec<FindingKind> = findings.iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [FindingKind::WorseThanBaseline], "{findings:#?}");
}

#[test]
fn training_rows_of_one_class_are_refused_by_every_command_that_trains() {
    let lab = Lab::new();
    let refuses = |config: &str, sentence: &str| {
        let file = lab.write("own.toml", config);
        let file = file.to_str().unwrap();
        for command in ["train", "compare", "find-lr"] {
            let outcome = lab.run(&[command, file]);
            assert_eq!(outcome.code, Some(2), "{command}: {outcome:#?}");
            assert!(outcome.stderr.contains(sentence), "{command}: {outcome:#?}");
        }
    };
    lab.write("table.csv", table(60, "class", |_| "ok".to_string()));
    for loss in ["cross_entropy", "bce_with_logits"] {
        refuses(
            &config_of("class", loss, ""),
            "60 rows of one class, \"ok\"",
        );
    }
    let sorted = table(100, "class", |i| if i < 80 { "x" } else { "y" }.to_string());
    lab.write("table.csv", sorted);
    let sequential = config_of("class", "bce_with_logits", "");
    let sequential = sequential.replace("[split]", "[split]\nmethod = \"sequential\"");
    refuses(&sequential, "`split.method = \"stratified\"`");
    assert!(!lab.path().join("artifacts/own").exists());
}

#[test]
fn batch_normalization_of_batches_of_one_row_is_refused() {
    let lab = Lab::new();
    let config = shipped("lessons/tiny_batch.toml");
    let config = config.to_str().unwrap();
    let outcome = lab.run(&["train", config, "--set", "training.batch_size=1"]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    let sentence = "`training.batch_size` is 1, expected at least 2 rows with batch normalisation";
    assert!(outcome.stderr.contains(sentence), "{outcome:#?}");
    // Layer normalisation needs no other rows.
    let layer = [
        "--set",
        "training.batch_size=1",
        "--set",
        "model.normalization=layer",
    ];
    let few = ["--set", "training.num_epochs=1", "--dashboard", "quiet"];
    lab.succeed(&[&["train", config][..], &layer, &few].concat());
}

// E2: with standard normal weights and a naive softmax some rows are NaN before the first step.
#[test]
fn the_explosion_is_traced_to_its_step_layer_and_operation() {
    if data_dir().is_none() {
        return;
    }
    let lab = Lab::new();
    let few = ["split.train=2000", "split.valid=200"];
    let quick = left_by(&lab, "lessons/explosion.toml", "ill", &few).findings;
    assert_eq!(quick[0].kind, FindingKind::NonFinite);
    let told = lab.succeed(&["diagnose", "explosion", "--json"]).stdout;
    let diagnosis: Diagnosis = serde_json::from_str(&told).unwrap();
    let found = &diagnosis.findings[0];
    assert_eq!(found.kind, FindingKind::NonFinite);
    let place = found.place.as_ref().unwrap();
    assert_eq!((place.epoch, place.step), (Some(1), Some(1)));
    assert_eq!(place.layer.as_deref(), Some("loss"));
    assert_eq!(place.direction, Some(Direction::Forward));
    assert!(place.operation.as_deref().unwrap().contains("exp"));
    let number = |name: &str| {
        let evidence = found.evidence.iter().find(|e| e.name.contains(name));
        evidence
            .unwrap_or_else(|| panic!("no {name} in {found:#?}"))
            .value
    };
    // ln(3.4028235e38), the largest exponent of 32-bit floats.
    assert!((number("exp is finite") - 88.7228).abs() < 1e-3);
    assert!(number("largest output") > 88.8);
    assert!(number("before the first step") > 0.0);
    let exploding = |f: &Finding| f.kind == FindingKind::ExplodingGradients;
    assert!(diagnosis.findings.iter().any(exploding));
    // The findings stay for the report.
    let file = lab.path().join("artifacts/explosion/ill/diagnosis.json");
    let left: Diagnosis = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(left.findings[0].place, diagnosis.findings[0].place);
    // There is nothing to evaluate, and nothing is made up.
    let told = lab.succeed(&["evaluate", "explosion", "--pictures"]);
    assert!(
        told.stdout.contains("no sample has a prediction"),
        "{told:#?}"
    );
    assert!(!told.stderr.contains("mistakes.svg"), "{told:#?}");
    // With He's weights even the naive softmax holds.
    let he = [
        "model.initializer=kaiming_normal",
        "optimizer.learning_rate=0.001",
    ];
    let mended = left_by(
        &lab,
        "lessons/explosion.toml",
        "mended",
        &[&few[..], &he].concat(),
    );
    let findings = mended.findings;
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn a_loss_that_overflows_later_is_traced_to_the_step_that_broke_the_weights() {
    let lab = Lab::new();
    // Squared errors of a linear network at a rate far above 2 / curvature: the weights grow by a factor each step,
    // until they overflow.
    let config = r#"
name = "runaway"
dataset = { name = "regression" }
split = { train = 0.8, valid = 0.2 }
model = { name = "perceptron" }
loss = { name = "mse" }
optimizer = { name = "sgd", learning_rate = 100.0 }
training = { num_epochs = 60, batch_size = "full" }
"#;
    let file = lab.write("runaway.toml", config);
    let train = [
        "train",
        file.to_str().unwrap(),
        "--run",
        "a",
        "--dashboard",
        "plain",
    ];
    let outcome = lab.succeed(&train);
    assert!(
        outcome.stderr.contains("warning: NaN or infinity"),
        "{outcome:#?}"
    );
    let told = lab.succeed(&["diagnose", "runaway", "--json"]).stdout;
    let diagnosis: Diagnosis = serde_json::from_str(&told).unwrap();
    let found = &diagnosis.findings[0];
    assert_eq!(found.kind, FindingKind::NonFinite);
    let step = found.place.as_ref().unwrap().step.unwrap();
    // Full batches: a step is an epoch, and metrics.csv shows the first one without a number.
    let csv = std::fs::read_to_string(lab.path().join("artifacts/runaway/a/metrics.csv")).unwrap();
    let is_number = |line: &&str| {
        line.split(',')
            .nth(3)
            .unwrap()
            .parse::<f64>()
            .unwrap()
            .is_finite()
    };
    let finite = csv.lines().skip(1).take_while(is_number).count();
    assert!(
        step as usize == finite || step as usize == finite + 1,
        "{step} after {finite} epochs: {found:#?}"
    );
    assert!(step > 1, "{found:#?}");
}

// The lowest validation loss lies before the stop, and still counts after resuming.
#[test]
fn a_training_that_goes_on_is_warned_of_with_what_it_had_done_before() {
    let lab = Lab::new();
    let config = shipped("lessons/over_fitting.toml");
    let config = config.to_str().unwrap();
    let words = ["train", config, "--run", "a", "--dashboard", "plain"];
    let stopped = lab.run(&[&words[..], &["--stop-at", "20"]].concat());
    assert_eq!(stopped.code, Some(130), "{stopped:#?}");
    let warning = "warning: over-fitting: the validation loss was lowest in epoch 7 ";
    assert!(!stopped.stderr.contains(warning), "{}", stopped.stderr);
    let resumed = lab.succeed(&["resume", "a", "--dashboard", "plain"]);
    assert!(resumed.stderr.contains(warning), "{}", resumed.stderr);
}

#[test]
fn the_page_of_a_lesson_begins_with_what_was_found() {
    let lab = Lab::new();
    left_by(&lab, "lessons/over_fitting.toml", "a", &[]);
    left_by(&lab, "lessons/hamming.toml", "b", &[]);
    let page = lab.succeed(&["report", "a", "--format", "markdown"]).stdout;
    assert!(page.contains(" Found: over-fitting."), "{page}");
    let page = lab.succeed(&["report", "b", "--format", "markdown"]).stdout;
    assert!(page.contains(" Found: a loss that cannot train."), "{page}");
    // Nothing can go on or be evaluated there.
    assert!(!page.contains("emberlab resume"), "{page}");
    let refused = lab.run(&["evaluate", "b"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(refused.stderr.contains("cannot train"), "{refused:#?}");
}

#[test]
fn a_run_that_was_stopped_can_be_diagnosed_and_a_run_in_training_is_left_alone() {
    let lab = Lab::new();
    let config = shipped("lessons/learning_rate_too_high.toml");
    let words = [
        "train",
        config.to_str().unwrap(),
        "--run",
        "a",
        "--dashboard",
        "quiet",
    ];
    let stopped = lab.run(&[&words[..], &["--stop-at", "100"]].concat());
    assert_eq!(stopped.code, Some(130), "{stopped:#?}");
    let told = lab.succeed(&["diagnose"]).stdout;
    assert!(told.contains("learning rate too high"), "{told}");
    lab.succeed(&["runs", "check"]);
    lab.succeed(&["resume", "a", "--dashboard", "quiet"]);
}
