//! The dashboard in a real pseudo-terminal, read from its screen.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::lab::{Lab, shipped};

const ROWS: u16 = 40;
const COLUMNS: u16 = 140;

/// A command in a terminal, and what its screen shows.
struct Terminal {
    lab: Lab,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl Terminal {
    /// Starts a training that would take minutes, in a shell that says whether the terminal is sane after.
    fn train() -> Self {
        let lab = Lab::new();
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new("sh");
        let config = shipped("train/moons.toml");
        let line = format!(
            "'{}' train '{}' --run shown --set training.num_epochs=1000000; \
             echo \"ended with $?\"; stty -a | tr ';' '\\n' | grep -o -- '-*icanon' ; echo over",
            env!("CARGO_BIN_EXE_emberlab"),
            config.display()
        );
        command.args(["-c", &line]);
        command.cwd(lab.path());
        command.env("TERM", "xterm-256color");
        command.env_remove("EMBERLAB_ARTIFACTS_DIR");
        command.env_remove("EMBERLAB_DEVICE");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let seen = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                seen.lock().unwrap().process(&bytes[..n]);
            }
        });
        Self {
            keys: pair.master.take_writer().unwrap(),
            master: pair.master,
            lab,
            child,
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

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The process of the training, the shell's child.
    fn training(&self) -> rustix::process::Pid {
        let shell = self.child.process_id().unwrap();
        let children = format!("/proc/{shell}/task/{shell}/children");
        let pid = std::fs::read_to_string(children).unwrap();
        let pid = pid.split_whitespace().next().unwrap().parse().unwrap();
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
        self.child.wait().unwrap();
        drop(self.master);
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
    let mut terminal = Terminal::train();
    terminal.wait_for_dashboard();
    terminal.press("q");
    terminal.wait_for(&["Stop the training"]);
    terminal.press("s");
    terminal.assert_ended(130);
}

#[test]
fn ctrl_c_stops_the_dashboard() {
    let mut terminal = Terminal::train();
    terminal.wait_for_dashboard();
    terminal.press("\x03");
    terminal.assert_ended(130);
}

#[test]
fn sigterm_stops_the_dashboard() {
    let terminal = Terminal::train();
    terminal.wait_for_dashboard();
    rustix::process::kill_process(terminal.training(), rustix::process::Signal::TERM).unwrap();
    terminal.assert_ended(130);
}

#[test]
fn the_dashboards_kill_panics_but_loses_nothing() {
    let mut terminal = Terminal::train();
    terminal.wait_for_dashboard();
    terminal.press("q");
    terminal.wait_for(&["Stop the training immediately"]);
    terminal.press("k");
    terminal.assert_ended(130);
}
