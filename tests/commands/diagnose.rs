//! Diagnoses: each lesson shows what it tells of, and nothing is found in the healthy configurations.

use emberlab_run_format::{Diagnosis, Direction, Finding, FindingKind};

use crate::lab::{Lab, data_dir, project, shipped};

/// A lesson, what it shows, and what mends it.
const LESSONS: [(&str, FindingKind, &[&str]); 10] = [
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

/// Trains a configuration, however that ends, and returns what the run then says of itself.
fn left_by(lab: &Lab, config: &str, run: &str, overrides: &[&str]) -> Vec<Finding> {
    let path = shipped(config);
    let mut words = vec!["train", path.to_str().unwrap(), "--run", run];
    words.extend(["--dashboard", "quiet"]);
    for one in overrides {
        words.extend(["--set", one]);
    }
    let outcome = lab.run(&words);
    assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:#?}");
    let name = path.file_stem().unwrap().to_str().unwrap();
    let file = format!("artifacts/{name}/{run}/diagnosis.json");
    let text = std::fs::read_to_string(lab.path().join(file)).unwrap();
    let diagnosis: Diagnosis = serde_json::from_str(&text).unwrap();
    diagnosis.findings
}

#[test]
fn every_lesson_shows_what_it_tells_of_and_its_remedy_mends_it() {
    let lab = Lab::new();
    for (lesson, kind, remedy) in LESSONS {
        let config = format!("lessons/{lesson}.toml");
        let findings = left_by(&lab, &config, "ill", &[]);
        let found = findings.iter().find(|f| f.kind == kind);
        let found = found.unwrap_or_else(|| panic!("{lesson} shows {findings:#?}"));
        assert!(!found.evidence.is_empty() && !found.remedies.is_empty());
        let mended = left_by(&lab, &config, "mended", remedy);
        let is_mended = mended.iter().all(|f| f.kind != kind);
        assert!(is_mended, "{lesson} after its remedy: {mended:#?}");
        // The command tells the same, with its numbers.
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
        .map(|e| e.unwrap().path());
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
        let findings = left_by(&lab, &format!("train/{name}.toml"), "healthy", few);
        if name == "iris" {
            // Its header says so.
            let kinds: Vec<FindingKind> = findings.iter().map(|f| f.kind).collect();
            assert_eq!(kinds, [FindingKind::MissingClass]);
        } else {
            assert!(findings.is_empty(), "{name}: {findings:#?}");
        }
        count += 1;
    }
    assert!(count >= 11, "only {count} configurations");
}

// E2: with standard normal weights and a naive softmax some rows are no number before the first step.
#[test]
fn the_explosion_is_traced_to_its_step_layer_and_operation() {
    if data_dir().is_none() {
        return;
    }
    let lab = Lab::new();
    let few = ["split.train=2000", "split.valid=200"];
    let quick = left_by(&lab, "lessons/explosion.toml", "ill", &few);
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
    // What was found is left for the report.
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
    assert!(mended.is_empty(), "{mended:#?}");
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
    // Full batches: a step is an epoch, and metrics.csv says which is the first without a number.
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

// The lowest validation loss lies before the stop: what was seen then still counts.
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
    // Nothing can go on there, and nothing be evaluated.
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
