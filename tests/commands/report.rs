//! Reports of runs and comparisons, opened in a browser.

use std::path::Path;

use serde_json::Value;

use crate::browser;
use crate::lab::{Lab, data_dir, shipped};

/// A comparison of two activations with two seeds.
fn comparison() -> Lab {
    let lab = Lab::new();
    let config = shipped("compare/activations_moons.toml");
    lab.succeed(&[
        "compare",
        config.to_str().unwrap(),
        "--set",
        "sweep={ \"model.activation\" = [\"relu\", \"linear\"] }",
        "--set",
        "seeds=2",
        "--set",
        "training.num_epochs=60",
        "--set",
        "at_epochs=[]",
    ]);
    lab
}

/// Reads a report, and checks what every page keeps.
fn page(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    // Nothing comes from anywhere else.
    for outside in [
        "src=\"http",
        "href=\"http",
        "url(http",
        "@import",
        "src=\"/",
        "src=\".",
    ] {
        assert!(!text.contains(outside), "{outside}");
    }
    let ids: Vec<&str> = text
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len(), "{ids:?}");
    // Headings go down one by one: h1, then h2, and h3 only below an h2.
    let levels: Vec<&str> = text.split("<h").skip(1).map(|rest| &rest[..1]).collect();
    let headings: Vec<u32> = levels
        .iter()
        .filter_map(|level| level.parse().ok())
        .collect();
    assert_eq!(headings.iter().filter(|level| **level == 1).count(), 1);
    assert!(
        headings.windows(2).all(|pair| pair[1] <= pair[0] + 1),
        "{headings:?}"
    );
    for landmark in ["<header>", "<nav ", "<main ", "<footer>", "lang=\"en\""] {
        assert!(text.contains(landmark), "{landmark}");
    }
    assert_eq!(
        text.matches("<th ").count(),
        text.matches("<th scope=").count()
    );
    text
}

/// The page with a script that moves the mouse over its first chart, and presses keys on its second.
fn with_mouse(lab: &Lab, page: &str) -> std::path::PathBuf {
    let script = "<script>addEventListener('load', () => {
        const chart = document.querySelector('.chart');
        const box = chart.querySelector('svg').getBoundingClientRect();
        const at = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true };
        chart.querySelector('svg').dispatchEvent(new PointerEvent('pointermove', at));
        const second = document.querySelectorAll('.chart')[1];
        for (const key of ['End', 'ArrowLeft'])
            second.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    });</script></body>";
    lab.write("moved.html", page.replace("</body>", script))
}

#[test]
fn the_report_of_a_run_opens_in_a_browser_and_shows_values_under_the_mouse() {
    let lab = Lab::new();
    let run = lab.train("train/moons.toml", "one", &["training.num_epochs=8"]);
    let said = lab.succeed(&["report", "one"]);
    assert_eq!(said.stdout, "report in artifacts/moons/one/report.html\n");
    let text = page(&run.folder.join("report.html"));
    for part in [
        "<h1>moons/<wbr>one</h1>",
        "Learning curves",
        "Accuracy over the epochs",
        "Decision boundary",
        "targets in rows, predictions in columns",
        "ROC of class ",
        "emberlab train artifacts/moons/one/config.toml",
        "name = &quot;moons&quot;",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let Some(page) = browser::open(&with_mouse(&lab, &text)) else {
        return;
    };
    assert_eq!(page.console, Vec::<String>::new());
    let curves = page.dom.matches("<polyline").count();
    assert!(curves >= 4, "{curves} curves");
    let values: Vec<&str> = page
        .dom
        .split("<b>epoch ")
        .skip(1)
        .map(|rest| &rest[..1])
        .collect();
    assert_eq!(values.len(), 2, "{values:?}");
    assert_eq!(values[1], "7", "one before the last epoch, by the keys");
}

/// A page with a script that moves the slider to the first moment and back to the last, and counts the pictures that
/// differ; and that says how wide the page is in a window of 390 pixels.
fn with_slider(lab: &Lab, page: &str) -> std::path::PathBuf {
    let narrow = page.replace('&', "&amp;").replace('"', "&quot;");
    let frame =
        format!("<iframe id=\"narrow\" width=\"390\" height=\"900\" srcdoc=\"{narrow}\"></iframe>");
    let script = "<script>addEventListener('load', () => {
        const root = document.querySelector('.timeline');
        const slider = root.querySelector('input');
        const pictures = () => Array.from(root.querySelectorAll('canvas'), (one) => one.toDataURL());
        const cursors = () => Array.from(root.querySelectorAll('.cursor'), (one) => one.getAttribute('x1'));
        const at = (value) => {
            slider.value = value;
            slider.dispatchEvent(new Event('input'));
            return [root.dataset.epoch, pictures(), cursors()];
        };
        const [last, late, end] = at(slider.max);
        const [first, early, start] = at(0);
        const differ = (a, b) => a.filter((one, i) => one !== b[i]).length + ' of ' + a.length;
        document.body.dataset.epochs = first + ' ' + last;
        document.body.dataset.pictures = differ(early, late);
        document.body.dataset.cursors = differ(start, end);
        slider.focus();
        document.body.dataset.focus = document.activeElement === slider;
        const inner = document.querySelector('#narrow').contentDocument.documentElement;
        document.body.dataset.narrow = inner.scrollWidth <= inner.clientWidth;
    });</script></body>";
    lab.write("slid.html", page.replace("</body>", &(frame + script)))
}

#[test]
fn the_slider_moves_every_picture_of_the_inside_of_a_network_through_the_epochs() {
    let lab = Lab::new();
    // Two inputs have maps and a boundary; images have first-layer weights, and convolutions feature maps and the image
    // that they are of, which stays the same; all have histograms and views.
    for (config, moved, pictures) in [
        ("train/moons.toml", 15, 15),
        ("train/digits.toml", 12, 12),
        ("train/digits_convnet.toml", 16, 17),
    ] {
        let run = lab.train(config, "seen", &["training.num_epochs=8"]);
        let id = run.folder.to_str().unwrap();
        lab.succeed(&["report", id]);
        let text = page(&run.folder.join("report.html"));
        assert!(text.contains("Inside the network, over time"));
        assert!(text.len() < 3_000_000, "{} bytes", text.len());
        let Some(page) = browser::open(&with_slider(&lab, &text)) else {
            return;
        };
        assert_eq!(page.console, Vec::<String>::new());
        for said in [
            "data-epochs=\"0 8\"".to_string(),
            format!("data-pictures=\"{moved} of {pictures}\""),
            "data-focus=\"true\"".to_string(),
            "data-narrow=\"true\"".to_string(),
        ] {
            let found = page
                .dom
                .split(" data-")
                .find(|part| part.starts_with(&said[5..16]));
            assert!(
                page.dom.contains(&said),
                "{config}: not {said}, but {found:?}"
            );
        }
        let cursors = page.dom.split("data-cursors=\"").nth(1).unwrap();
        let (moved, rest) = cursors.split_once(" of ").unwrap();
        assert_eq!(
            Some(moved),
            rest.split('"').next(),
            "every chart has a cursor"
        );
    }
}

#[test]
fn the_page_of_a_convnet_on_mnist_has_all_its_feature_maps_in_less_than_three_megabytes() {
    if data_dir().is_none() {
        return;
    }
    let lab = Lab::new();
    // A frame after each step: as many as there can be.
    let short = [
        "split={ method = \"sequential\", train = 1920, valid = 256, test = 64 }",
        "training.num_epochs=2",
        "inspect.every={ steps = 1 }",
    ];
    let run = lab.train("train/mnist_convnet.toml", "seen", &short);
    let frames = run.text("frames.jsonl");
    assert_eq!(frames.lines().count(), 1 + 61);
    lab.succeed(&["report", "seen"]);
    let text = page(&run.folder.join("report.html"));
    assert!(text.len() < 3_000_000, "{} bytes", text.len());
    for part in [
        "the image, class ",
        "convolutions.0: 16 channels, 28 × 28 pixels",
        "convolutions.1: the first 16 of 32 channels, 14 × 14 pixels",
        "the 3 × 3 weights of the kernel that moves over the image.",
    ] {
        assert!(text.contains(part), "{part}");
    }
    // No frame is left out of the page.
    assert_eq!(text.matches("\"features\":{\"pixels\":[28,28]").count(), 61);
}

#[test]
fn a_run_without_records_has_no_section_about_its_inside() {
    let lab = Lab::new();
    let never = ["training.num_epochs=3", "inspect.every=\"never\""];
    let run = lab.train("train/moons.toml", "unseen", &never);
    assert!(!run.folder.join("layers.csv").exists());
    lab.succeed(&["report", "unseen"]);
    let text = page(&run.folder.join("report.html"));
    assert!(!text.contains("Inside the network"));
}

#[test]
fn the_report_of_a_comparison_opens_in_a_browser_with_every_variant() {
    let lab = comparison();
    lab.succeed(&["report", "activations_moons", "--out", "page.html"]);
    let text = page(&lab.path().join("page.html"));
    for part in [
        "2 variants with 2 seeds: 4 of 4 trials are done.",
        "relu, seed ",
        "linear, seed ",
        "Train loss over the epochs",
        "Confusion matrices",
        "area under ROC",
        "emberlab compare artifacts/activations_moons/comparison.toml",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let Some(page) = browser::open(&with_mouse(&lab, &text)) else {
        return;
    };
    assert_eq!(page.console, Vec::<String>::new());
    assert!(page.dom.contains("data-name=\"relu\""), "no curve of relu");
    assert!(page.dom.contains("<b>epoch "), "no values under the mouse");
    // The curves are kept thin, the pictures small: eleven variants stay far below two megabytes.
    assert!(text.len() < 400_000, "{} bytes", text.len());
}

#[test]
fn other_formats_say_the_same_figures() {
    let lab = comparison();
    let report = |format| {
        let said = lab.succeed(&["report", "activations_moons", "--format", format]);
        said.stdout
    };
    let json: Value = serde_json::from_str(&report("json")).unwrap();
    let median = json["variants"][0]["figures"]["train_loss"]["median"]
        .as_f64()
        .unwrap();
    let row = format!("relu,train_loss,2,{median},");
    let csv = report("csv");
    assert!(
        csv.lines().any(|line| line.starts_with(&row)),
        "{row} is not in\n{csv}"
    );
    assert_eq!(json["curves"][1]["variant"], "linear");
    assert_eq!(json["curves"][1]["curves"][0]["epochs"][59], 60);
    let markdown = report("markdown");
    assert!(markdown.contains("| relu | 2 |"), "{markdown}");
    assert!(
        markdown.contains("Train loss over the epochs: relu goes from"),
        "{markdown}"
    );
    // The newest run belongs to the comparison, so that is the latest.
    assert_eq!(
        lab.succeed(&["report", "--format", "markdown"]).stdout,
        markdown
    );
    let one = lab
        .succeed(&["report", "relu-seed1", "--format", "csv"])
        .stdout;
    assert!(one.starts_with("split,metric,value\ntrain,loss,"), "{one}");
}

#[test]
fn the_folder_of_a_comparison_repeats_it() {
    let lab = comparison();
    let folder = lab.path().join("artifacts/activations_moons");
    let again = lab.succeed(&[
        "compare",
        "artifacts/activations_moons/comparison.toml",
        "--dry-run",
    ]);
    assert!(
        again.stdout.contains("2 variants, 4 trials, 0 to train"),
        "{}",
        again.stdout
    );
    let table = std::fs::read(folder.join("trials.parquet")).unwrap();
    assert!(table.starts_with(b"PAR1") && table.ends_with(b"PAR1"));
    let names = ["epochs_to_target", "train_loss", "linear-seed1"];
    for name in names.map(str::as_bytes) {
        assert!(
            table.windows(name.len()).any(|part| part == name),
            "{name:?}"
        );
    }
}

#[test]
fn what_cannot_be_reported_is_named() {
    let lab = Lab::new();
    let nothing = lab.run(&["report", "nothing"]);
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
    assert!(nothing.stderr.contains("nothing"), "{nothing:?}");
    lab.write("artifacts/begun/plan.jsonl", "");
    let begun = lab.run(&["report", "begun"]);
    assert_eq!(begun.code, Some(2), "{begun:?}");
    assert!(begun.stderr.contains("--collect"), "{begun:?}");
    let run = lab.train("train/iris.toml", "cut", &["training.num_epochs=2"]);
    std::fs::write(run.folder.join("result.json"), "{").unwrap();
    let broken = lab.succeed(&["report", "cut"]);
    assert!(broken.stderr.contains("result.json"), "{broken:?}");
    assert!(broken.stderr.contains("emberlab resume"), "{broken:?}");
}

#[test]
fn a_run_that_is_nan_from_the_first_step_has_every_report_and_no_best_network() {
    let lab = Lab::new();
    let config = r#"
dataset = { name = "moons", num_samples = 60 }
split = { train = 40, valid = 20 }
model = { name = "mlp", hidden = [8] }
loss = { name = "bce_with_logits" }
optimizer = { name = "sgd", learning_rate = 1e38 }
training = { num_epochs = 3, batch_size = 10, thresholds = [0.5] }
"#;
    lab.write("nan.toml", config);
    lab.succeed(&["train", "nan.toml", "--run", "nan", "--dashboard", "quiet"]);
    let page = lab
        .succeed(&["report", "nan", "--format", "markdown"])
        .stdout;
    assert!(
        page.contains("loss is NaN or infinite") && page.contains("| NaN |"),
        "{page}"
    );
    let csv = lab.succeed(&["report", "nan", "--format", "csv"]).stdout;
    assert!(csv.contains("valid,loss,NaN"), "{csv}");
    let json = lab.succeed(&["report", "nan", "--format", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(
        json["result"]["metrics"]["valid"]["loss"].is_null(),
        "{json}"
    );
    lab.succeed(&["report", "nan"]);
    lab.succeed(&["runs", "check"]);
    lab.write("rows.csv", "x1,x2\n0.5,0.3\n");
    let best = ["--weights", "best"];
    lab.succeed(&["evaluate", "nan"]);
    let nothing = lab.run(&["predict", "nan", "rows.csv"]);
    assert_eq!(nothing.code, Some(1), "{nothing:#?}");
    assert!(
        nothing.stderr.contains("are NaN or infinite"),
        "{nothing:#?}"
    );
    for words in [&["evaluate", "nan"][..], &["predict", "nan", "rows.csv"]] {
        let refused = lab.run(&[words, &best].concat());
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        let said = "no epoch of nan/nan had a finite valid loss, so there is no best network";
        assert!(refused.stderr.contains(said), "{refused:#?}");
    }
    let refused = lab.run(&["evaluate", "nan", "--threshold-by", "f1"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
}

#[test]
#[cfg(unix)]
fn a_report_goes_to_the_terminal_or_where_a_link_leads() {
    let lab = Lab::new();
    lab.train("train/moons.toml", "a", &["training.num_epochs=2"]);
    let printed = lab.succeed(&["report", "a", "--format", "csv", "--out", "-"]);
    assert_eq!(
        printed.stdout,
        lab.succeed(&["report", "a", "--format", "csv"]).stdout
    );
    assert!(!lab.path().join("-").exists());
    let target = lab.write("pages/old.csv", "old");
    let link = lab.path().join("link.csv");
    std::os::unix::fs::symlink("pages/old.csv", &link).unwrap();
    lab.succeed(&["report", "a", "--format", "csv", "--out", "link.csv"]);
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_to_string(target).unwrap(), printed.stdout);
    let refused = lab.run(&["report", "a", "--out", "pages"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(refused.stderr.contains("pages is a folder"), "{refused:#?}");
}
