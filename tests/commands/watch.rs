//! `emberlab watch`: runs of other processes in a real browser, and that nothing in their folders changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime};

use crate::browser::{Browser, axe_core};
use crate::lab::{Lab, shipped};
use crate::served::Served;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Functions of the tests inside the page: the text of a part, the state of a run, and the colours of the boundary.
const FUNCTIONS: &str = "
    window.text = (part) => document.querySelector(part)?.textContent ?? '';
    window.rowOf = (run) => document.querySelector(`[data-run=\"${run}\"]`)?.closest('tr');
    window.stateOf = (run) => rowOf(run)?.querySelector('.state').textContent;
    window.newestEpoch = () => Number(text('.curves-table tbody td'));
    window.slider = () => document.querySelector('#inside input[type=range]');
    window.variant = (name) => {
        const rows = [...document.querySelectorAll('#variants tbody tr')];
        const cells = rows.map((row) => [...row.cells].map((cell) => cell.textContent));
        const [, finished, , , , running, failed] = cells.find(([found]) => found === name) ?? [];
        return `${finished} finished, ${running} running, ${failed} failed`;
    };
    window.boundary = () => {
        const canvas = document.querySelector('#inside .plot canvas');
        const { width, height } = canvas;
        const copy = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, width, height);
        let [blue, orange] = [0, 0];
        for (let i = 0; i < data.length; i += 4) {
            orange += data[i] > data[i + 2] + 60;
            blue += data[i + 2] > data[i] + 60;
        }
        return { blue: blue / (width * height), orange: orange / (width * height) };
    };";

/// A training. It is killed with the value.
struct Training(Child);

impl Drop for Training {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lets the page ask at once what is new, as when it is shown again. Else it asks every few seconds while nothing is
/// trained.
fn look(browser: &mut Browser) {
    browser.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
}

fn is_sideways(browser: &mut Browser) -> bool {
    let beyond = browser.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    beyond.as_f64().unwrap() > 0.0
}

/// The content of all files below a folder, and when they and the folders last changed.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let content = match path.is_dir() {
                true => {
                    folders.push(path.clone());
                    Vec::new()
                }
                false => std::fs::read(&path).unwrap(),
            };
            let changed = path.metadata().unwrap().modified().unwrap();
            found.insert(path, (changed, content));
        }
    }
    found
}

#[test]
fn a_run_of_another_process_grows_on_the_page_until_it_is_killed() {
    let lab = Lab::new();
    let served = Served::start(&lab, &["watch"]);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    browser.open(&served.url(), 1280, 900);
    browser.wait("document.querySelector('#list .note') !== null", PATIENCE);
    browser.evaluate(FUNCTIONS);
    let config = shipped("train/moons.toml");
    let mut command = lab.command(&["train", config.to_str().unwrap(), "--run", "live"]);
    command.args(["--dashboard", "quiet", "--pace", "20"]);
    command.args(["--set", "training.num_epochs=600"]);
    command.args(["--set", "inspect.every={ epochs = 5 }"]);
    let training = Training(command.stdout(Stdio::null()).spawn().unwrap());
    browser.wait("stateOf('moons/live') === 'running'", PATIENCE);
    // It is the only run, and is selected.
    browser.evaluate("document.querySelector('#curves details').open = true");
    browser.wait("newestEpoch() >= 10", PATIENCE);
    let epoch = browser.evaluate("newestEpoch()").as_f64().unwrap();
    browser.wait(&format!("newestEpoch() > {epoch}"), PATIENCE);

    // The boundary follows the newest epoch until the slider moves.
    browser.wait(
        "boundary().blue > 0.05 && boundary().orange > 0.05",
        PATIENCE,
    );
    let newest = browser.evaluate("Number(slider().max)").as_f64().unwrap();
    browser.wait(
        &format!("Number(slider().max) > {newest} && slider().value === slider().max"),
        PATIENCE,
    );
    browser.evaluate("window.before = JSON.stringify(boundary()); slider().focus()");
    browser.press("Home");
    browser.wait(
        "slider().value === '0' && JSON.stringify(boundary()) !== before",
        PATIENCE,
    );
    browser.press("ArrowRight");
    browser.wait(
        "slider().value === '1' && text('.moment').startsWith('epoch 5 of')",
        PATIENCE,
    );
    let newest = browser.evaluate("Number(slider().max)").as_f64().unwrap();
    browser.wait(&format!("Number(slider().max) > {newest}"), PATIENCE);
    assert_eq!(browser.evaluate("slider().value"), "1");

    drop(training);
    browser.wait("stateOf('moons/live') === 'interrupted'", PATIENCE);
    let (messages, requests) = browser.close();
    assert_eq!(messages, Vec::<String>::new());
    assert_eq!(served.outside(&requests), Vec::<&String>::new());
}

#[test]
fn trials_appear_as_they_finish_and_watching_changes_no_file() {
    let lab = Lab::new();
    let config = shipped("compare/activations_moons.toml");
    let mut words = vec!["compare", config.to_str().unwrap()];
    words.extend(["--set", "sweep.\"model.activation\"=[\"relu\",\"tanh\"]"]);
    words.extend(["--set", "seeds=1", "--set", "at_epochs=[]"]);
    words.extend(["--set", "training.num_epochs=30"]);
    lab.succeed(&[words.as_slice(), &["--launcher", "slurm"]].concat());
    let plan = "artifacts/activations_moons/plan.jsonl";
    let train = |index: &str| {
        let words = ["trial", "--plan", plan, "--index", index];
        lab.succeed(&[words.as_slice(), &["--dashboard", "quiet"]].concat());
    };
    let served = Served::start(&lab, &["watch"]);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    browser.open(&served.url(), 390, 844);
    browser.wait("document.querySelector('#list .note') !== null", PATIENCE);
    browser.evaluate(FUNCTIONS);
    train("0");
    look(&mut browser);
    let done = "1 of 1 finished, 0 running, 0 failed";
    browser.wait(&format!("variant('relu') === '{done}'"), PATIENCE);
    let planned = browser.evaluate("variant('tanh')");
    assert_eq!(planned, "0 of 1 finished, 0 running, 0 failed");
    train("1");
    look(&mut browser);
    browser.wait(&format!("variant('tanh') === '{done}'"), PATIENCE);
    lab.succeed(&[words.as_slice(), &["--collect"]].concat());
    look(&mut browser);
    browser.wait("document.querySelector('#variants p') !== null", PATIENCE);
    assert!(!is_sideways(&mut browser), "the page scrolls sideways");

    // Runs whose inside was recorded, and all that the page asks about them.
    lab.train("train/moons.toml", "whole", &["training.num_epochs=10"]);
    lab.train(
        "train/digits_convnet.toml",
        "seen",
        &["training.num_epochs=2"],
    );
    let before = everything(lab.path());
    look(&mut browser);
    browser.wait("rowOf('moons/whole') != null", PATIENCE);
    browser.evaluate("rowOf('moons/whole').querySelector('input').click()");
    browser.wait(
        "document.querySelectorAll('.tiles canvas').length > 3 && boundary().blue > 0.05",
        PATIENCE,
    );
    assert!(!is_sideways(&mut browser), "the page scrolls sideways");
    let axe = axe_core();
    if let Some(axe) = &axe {
        assert_eq!(browser.violations(axe), Vec::<String>::new());
    }

    // A convolutional network: the image, two times 16 feature maps of it, and 16 kernels, which the slider moves.
    browser.evaluate("rowOf('digits_convnet/seen').querySelector('input').click()");
    browser.wait(
        "text('.sample').startsWith('The image, class ') && document.querySelectorAll('.tiles canvas').length === 48",
        PATIENCE,
    );
    browser.evaluate(
        "window.pictures = () => [...document.querySelectorAll('.sample canvas, .tiles canvas')].map((one) => one.toDataURL());
         window.before = pictures(); slider().focus()",
    );
    browser.press("Home");
    browser.wait(
        "slider().value === '0' && pictures().filter((one, n) => one !== before[n]).length >= 40 && pictures()[0] === before[0]",
        PATIENCE,
    );
    assert!(!is_sideways(&mut browser), "the page scrolls sideways");
    if let Some(axe) = &axe {
        assert_eq!(browser.violations(axe), Vec::<String>::new());
    }
    let (messages, requests) = browser.close();
    assert_eq!(messages, Vec::<String>::new());
    assert_eq!(served.outside(&requests), Vec::<&String>::new());
    assert!(everything(lab.path()) == before, "a file has changed");
}

#[test]
fn other_hosts_and_sites_learn_nothing_of_the_runs() {
    let lab = Lab::new();
    let served = Served::start(&lab, &["watch"]);
    let (host, cookie) = (served.host.as_str(), served.cookie());
    let own = format!("http://{host}");
    let code = |headers: &[(&str, &str)]| {
        let answer = served.answer("GET /runs?since=0", headers, "");
        answer.split(' ').nth(1).unwrap().to_string()
    };
    assert_eq!(code(&[("Host", host), ("Cookie", &cookie)]), "200");
    let with_origin = |origin| {
        [
            ("Host", host),
            ("Cookie", cookie.as_str()),
            ("Origin", origin),
        ]
    };
    assert_eq!(code(&with_origin(&own)), "200");
    assert_eq!(code(&with_origin("http://evil.example")), "403");
    assert_eq!(code(&with_origin("null")), "403");
    assert_eq!(
        code(&[("Host", "evil.example"), ("Cookie", &cookie)]),
        "403"
    );
    assert_eq!(code(&[("Host", host)]), "403");
}
