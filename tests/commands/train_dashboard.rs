//! The dashboard in a real pseudo-terminal, read from its screen.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::lab::{Lab, shipped};

const ROWS: u16 = 50;
const COLUMNS: u16 = 140;

/// A command in a pseudo-terminal, which `script` of util-linux opens, and what its screen shows.
struct Terminal {
    lab: Lab,
    script: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl Terminal {
    /// Starts a training that would take minutes, in a shell that says whether the terminal is sane after.
    fn train(config: &str) -> Self {
        let config = shipped(config);
        let words = format!(
            "train '{}' --run shown --set training.num_epochs=1000000",
            config.display()
        );
        Self::start(Lab::new(), &words, "xterm-256color")
    }

    /// Starts a command in a terminal that calls itself `term`.
    fn start(lab: Lab, words: &str, term: &str) -> Self {
        let line = format!(
            "trap : INT; stty rows {ROWS} cols {COLUMNS}; \
             '{}' {words}; \
             echo \"ended with $?\"; stty -a | tr ';' '\\n' | tr ' ' '\\n' | grep icanon; echo over",
            env!("CARGO_BIN_EXE_emberlab")
        );
        let mut script = Command::new("script")
            .args([
                "--quiet",
                "--flush",
                "--return",
                "--command",
                &line,
                "/dev/null",
            ])
            .current_dir(lab.path())
            .env("TERM", term)
            .env("SHELL", "/bin/sh")
            .env_remove("EMBERLAB_ARTIFACTS_DIR")
            .env_remove("EMBERLAB_DEVICE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`script` of util-linux opens a pseudo-terminal");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let mut reader = script.stdout.take().unwrap();
        let seen = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                seen.lock().unwrap().process(&bytes[..n]);
            }
        });
        Self {
            lab,
            keys: script.stdin.take().unwrap(),
            script,
            screen,
        }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn is_alternate(&self) -> bool {
        self.screen.lock().unwrap().screen().alternate_screen()
    }

    /// Waits until the screen shows all of these.
    #[track_caller]
    fn wait_for(&self, wanted: &[&str]) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let text = self.text();
            if wanted.iter().all(|w| text.contains(w)) {
                return text;
            }
            assert!(Instant::now() < deadline, "{wanted:?} never came:\n{text}");
            sleep(Duration::from_millis(30));
        }
    }

    /// Waits until the screen has been the same for a second, and returns it.
    #[track_caller]
    fn wait_until_still(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut text = self.text();
        let mut since = Instant::now();
        while since.elapsed() < Duration::from_secs(1) {
            assert!(Instant::now() < deadline, "never still:\n{text}");
            sleep(Duration::from_millis(30));
            let now = self.text();
            if now != text {
                (text, since) = (now, Instant::now());
            }
        }
        text
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The process of the training.
    fn training(&self) -> rustix::process::Pid {
        let folder = self.lab.path().canonicalize().unwrap();
        let is_ours = |pid: &i32| {
            let process = std::path::PathBuf::from(format!("/proc/{pid}"));
            let exe = std::fs::read_link(process.join("exe")).unwrap_or_default();
            let here = std::fs::read_link(process.join("cwd")).unwrap_or_default();
            exe.ends_with("emberlab") && here == folder
        };
        let pids = std::fs::read_dir("/proc").unwrap().flatten();
        let pid = pids
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .find(is_ours)
            .unwrap();
        rustix::process::Pid::from_raw(pid).unwrap()
    }

    /// The dashboard is up and has drawn names and values.
    #[track_caller]
    fn wait_for_dashboard(&self) {
        let names = [
            "Loss",
            "Accuracy",
            "Learning rate",
            "Train",
            "Valid",
            "Controls",
        ];
        let text = self.wait_for(&names);
        assert!(self.is_alternate(), "{text}");
        // The learning rate of the configuration, and a figure of four digits beside each metric.
        self.wait_for(&["0.0100"]);
    }

    /// The command has ended with this code, its terminal is as before, and the run can go on.
    #[track_caller]
    fn assert_ended(mut self, code: i32) {
        let ended = format!("ended with {code}");
        let text = self.wait_for(&[&ended, "icanon", "over"]);
        assert!(!text.contains("-icanon"), "the terminal stays raw:\n{text}");
        assert!(!self.is_alternate(), "the alternate screen stays:\n{text}");
        drop(self.keys);
        self.script.wait().unwrap();
        let checkpoints = self.lab.path().join("artifacts/moons/shown/checkpoints");
        let saved = std::fs::read_dir(checkpoints).unwrap().count();
        assert!(saved >= 1, "nothing to go on from");
        let rows = || {
            let metrics = self.lab.path().join("artifacts/moons/shown/metrics.csv");
            std::fs::read_to_string(metrics).unwrap().lines().count()
        };
        let before = rows();
        let words = ["resume", "shown", "--dashboard", "plain"];
        let mut resumed = self.lab.command(&words);
        let mut child = resumed.stdout(std::process::Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while rows() <= before {
            assert!(Instant::now() < deadline, "the run does not go on");
            sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn the_dashboard_draws_metrics_and_q_stops_it() {
    let mut terminal = Terminal::train("train/moons.toml");
    terminal.wait_for_dashboard();
    terminal.press("q");
    terminal.wait_for(&["Stop the training"]);
    terminal.press("s");
    terminal.assert_ended(130);
}

#[test]
fn ctrl_c_stops_the_dashboard() {
    let mut terminal = Terminal::train("train/moons.toml");
    terminal.wait_for_dashboard();
    terminal.press("\x03");
    terminal.assert_ended(130);
}

#[test]
fn sigterm_stops_the_dashboard() {
    let terminal = Terminal::train("train/moons.toml");
    terminal.wait_for_dashboard();
    rustix::process::kill_process(terminal.training(), rustix::process::Signal::TERM).unwrap();
    terminal.assert_ended(130);
}

#[test]
fn the_dashboards_kill_panics_but_loses_nothing() {
    let mut terminal = Terminal::train("train/moons.toml");
    terminal.wait_for_dashboard();
    terminal.press("q");
    terminal.wait_for(&["Stop the training immediately"]);
    terminal.press("k");
    terminal.assert_ended(130);
}

#[test]
fn the_dashboard_says_what_is_wrong_while_it_trains() {
    assert_found(
        "lessons/learning_rate_too_high.toml",
        "learning rate too high",
    );
}

#[test]
fn the_dashboard_names_the_layer_of_what_it_found() {
    assert_found(
        "lessons/vanishing_gradients.toml",
        "vanishing gradients in layers.0",
    );
}

/// The dashboard of a training shows what was found, and stops.
fn assert_found(config: &str, found: &str) {
    let mut terminal = Terminal::train(config);
    let text = terminal.wait_for(&["Found", found]);
    assert!(terminal.is_alternate(), "{text}");
    terminal.press("q");
    terminal.wait_for(&["Stop the training"]);
    terminal.press("s");
    terminal.wait_for(&["ended with 130"]);
    drop(terminal.keys);
    terminal.script.wait().unwrap();
}

/// A training of a few epochs whose dashboard stays.
fn short_training(more: &str) -> Terminal {
    let config = shipped("train/moons.toml");
    let words = format!(
        "train '{}' --run shown --set training.num_epochs=20 {more}",
        config.display()
    );
    Terminal::start(Lab::new(), &words, "xterm-256color")
}

/// The command has ended well, its terminal is as before, and the shell got no key.
#[track_caller]
fn assert_closed(mut terminal: Terminal) {
    let ended = ["ended with 0", "icanon", "over"];
    let text = terminal.wait_for(&ended);
    assert!(!text.contains("-icanon"), "the terminal stays raw:\n{text}");
    assert!(!terminal.is_alternate(), "{text}");
    let next = "one page:      emberlab report moons/shown\nended with 0\n";
    assert!(text.contains(next), "{text}");
    drop(terminal.keys);
    terminal.script.wait().unwrap();
}

#[test]
fn the_dashboard_of_a_short_training_stays_until_a_key_is_pressed() {
    let mut terminal = short_training("");
    terminal.wait_for(&["any key closes", "20/20"]);
    let text = terminal.wait_until_still();
    assert!(terminal.is_alternate(), "{text}");
    // Everything is saved while it stays.
    let result = terminal
        .lab
        .path()
        .join("artifacts/moons/shown/result.json");
    assert!(result.is_file());
    // An arrow key chooses what is plotted and closes nothing.
    terminal.press("\x1b[C");
    let deadline = Instant::now() + Duration::from_secs(60);
    while terminal.text() == text {
        assert!(Instant::now() < deadline, "the plot stays:\n{text}");
        sleep(Duration::from_millis(30));
    }
    assert!(terminal.is_alternate());
    // burn-train's dashboard looks for keys ten times a second. The one that it reads first opens its own question,
    // and then the next key closes.
    terminal.press("q");
    sleep(Duration::from_secs(1));
    if terminal.text().contains("Stop the training") {
        terminal.press("s");
    }
    assert_closed(terminal);
}

#[test]
fn ctrl_c_closes_a_dashboard_that_stays() {
    let mut terminal = short_training("--stay --pace 100");
    terminal.wait_for(&["any key closes"]);
    terminal.press("\x03");
    assert_closed(terminal);
}

#[test]
fn a_dashboard_that_is_not_to_stay_closes_by_itself() {
    assert_closed(short_training("--stay=never"));
}

#[test]
fn a_terminal_that_cannot_draw_says_so_where_the_dashboard_is_asked_for() {
    let config = shipped("train/iris.toml");
    let words = format!("train '{}' --dashboard tui", config.display());
    let terminal = Terminal::start(Lab::new(), &words, "dumb");
    let text = terminal.wait_for(&["this one cannot, by `TERM=dumb`", "ended with 2", "over"]);
    assert!(!terminal.is_alternate(), "{text}");
    drop(terminal.keys);
    let mut script = terminal.script;
    script.wait().unwrap();
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let config = shipped("train/iris.toml");
    let words = format!("train '{}' --set training.num_epochs=2", config.display());
    let terminal = Terminal::start(Lab::new(), &words, "dumb");
    let text = terminal.wait_for(&["epoch 2/2", "ended with 0", "over"]);
    assert!(!text.contains("Controls"), "{text}");
    assert!(!terminal.is_alternate(), "{text}");
    drop(terminal.keys);
    let mut script = terminal.script;
    script.wait().unwrap();
}

#[test]
fn the_dashboard_of_a_resumed_run_counts_its_epochs_from_where_it_stopped() {
    let lab = Lab::new();
    let config = shipped("train/moons.toml");
    let words = [
        "train",
        config.to_str().unwrap(),
        "--run",
        "shown",
        "--dashboard",
        "quiet",
    ];
    let stopped = ["--set", "training.num_epochs=1000000", "--stop-at", "4400"];
    assert_eq!(lab.run(&[&words[..], &stopped].concat()).code, Some(130));
    let mut terminal = Terminal::start(lab, "resume shown", "xterm-256color");
    terminal.wait_for_dashboard();
    // An epoch has 44 steps, so a hundred are done.
    terminal.wait_for(&["/1000000"]);
    terminal.press("\x03");
    terminal.assert_ended(130);
}
