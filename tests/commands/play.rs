//! `emberlab play`: the playground, by its messages and in a real browser.

use std::collections::HashMap;
use std::net::TcpStream;
use std::ops::Deref;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use crate::lab::{Lab, shipped};
use crate::served::Served;

/// How long anything may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A playground that is served. It ends with the value.
pub(super) struct Playground {
    served: Served,
}

impl Deref for Playground {
    type Target = Served;

    fn deref(&self) -> &Served {
        &self.served
    }
}

impl Playground {
    pub(super) fn start(lab: &Lab, words: &[&str]) -> Self {
        let served = Served::start(lab, &[&["play"], words].concat());
        Self { served }
    }

    /// The connection of a page whose requests come from `origin`.
    fn connect(&self, origin: &str) -> Result<Page, tungstenite::Error> {
        let mut request = format!("ws://{}/live", self.host).into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("Cookie", self.cookie().parse().unwrap());
        headers.insert("Origin", origin.parse().unwrap());
        let stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Page { socket }),
            Err(tungstenite::HandshakeError::Failure(error)) => Err(error),
            Err(other) => panic!("{other}"),
        }
    }

    pub(super) fn page(&self) -> Page {
        self.connect(&format!("http://{}", self.host)).unwrap()
    }
}

/// A page by its messages alone.
pub(super) struct Page {
    socket: WebSocket<TcpStream>,
}

impl Page {
    pub(super) fn send(&mut self, message: Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
    }

    fn set(&mut self, changes: &[(&str, Value)]) {
        let changes = changes.iter();
        let changes: Vec<Value> = changes
            .map(|(key, value)| json!({ "key": key, "value": value }))
            .collect();
        self.send(json!({ "type": "set", "changes": changes }));
    }

    /// The next message.
    pub(super) fn receive(&mut self) -> Value {
        loop {
            if let Message::Binary(bytes) = self.socket.read().unwrap() {
                assert_eq!(bytes[0], 1, "the version of the messages");
                let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
                return serde_json::from_slice(&bytes[8..8 + length]).unwrap();
            }
        }
    }

    /// The next message of a type that is as wanted.
    pub(super) fn wait(&mut self, kind: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = self.receive();
            if message["type"] == kind && is_wanted(&message) {
                return message;
            }
            assert!(Instant::now() < deadline, "no {kind} came as wanted");
        }
    }
}

#[test]
fn a_setting_copied_from_the_playground_trains_to_the_same_bits() {
    let lab = Lab::new();
    let config = shipped("train/moons.toml");
    let playground = Playground::start(&lab, &[config.to_str().unwrap()]);
    let mut page = playground.page();
    page.set(&[
        ("model.hidden", json!([5, 4])),
        ("optimizer.learning_rate", json!(0.07)),
        ("model.dropout", json!(0.1)),
    ]);
    page.send(json!({ "type": "pace", "epochs_per_second": null }));
    page.send(json!({ "type": "run" }));
    page.wait("status", |status| status["epoch"].as_u64() >= Some(3));
    page.send(json!({ "type": "pause" }));
    // An epoch may be under way: it is trained to its end.
    page.send(json!({ "type": "epoch" }));
    let mut epochs: Vec<Value> = Vec::new();
    let mut toml = String::new();
    loop {
        let message = page.receive();
        match message["type"].as_str() {
            Some("epochs") => {
                if message["is_whole"] == true {
                    epochs.clear();
                }
                epochs.extend(message["rows"].as_array().unwrap().iter().cloned());
            }
            Some("setting") => toml = message["toml"].as_str().unwrap().to_string(),
            Some("problem") => panic!("{message}"),
            _ => {}
        }
        let done = epochs
            .last()
            .map(|row| format!("num_epochs = {}\n", row["epoch"]));
        if done.is_some_and(|line| toml.contains(&line)) {
            break;
        }
    }
    let last = epochs.last().unwrap();
    let of = metrics_after_training(&lab, &toml);
    assert_eq!(of["epoch"], last["epoch"].as_f64().unwrap());
    assert_eq!(of["train_loss"], last["train"]["loss"].as_f64().unwrap());
    assert_eq!(of["valid_loss"], last["valid"]["loss"].as_f64().unwrap());
}

/// The metrics after the last epoch of `emberlab train`, by their names in `metrics.csv`.
pub(super) fn metrics_after_training(lab: &Lab, toml: &str) -> HashMap<String, f64> {
    let copied = lab.write("copied.toml", toml);
    let words = ["--run", "copied", "--dashboard", "quiet"];
    lab.succeed(&[&["train", copied.to_str().unwrap()], &words[..]].concat());
    let table: toml::Table = toml.parse().unwrap();
    // An experiment without a name has that of its file.
    let name = table.get("name").and_then(|name| name.as_str());
    let run = format!("artifacts/{}/copied/metrics.csv", name.unwrap_or("copied"));
    let metrics = std::fs::read_to_string(lab.path().join(run)).unwrap();
    let names = metrics.lines().next().unwrap().split(',');
    let row = metrics.lines().last().unwrap().split(',');
    let pairs = names.zip(row);
    pairs
        .filter_map(|(name, value)| Some((name.to_string(), value.parse().ok()?)))
        .collect()
}

#[test]
fn a_change_during_the_training_is_an_event_and_the_training_goes_on() {
    let lab = Lab::new();
    let playground = Playground::start(&lab, &[]);
    let mut page = playground.page();
    page.send(json!({ "type": "run" }));
    let before = page.wait("status", |status| status["epoch"].as_u64() >= Some(2));
    page.set(&[
        ("optimizer.learning_rate", json!(0.001)),
        ("training.batch_size", json!(50)),
    ]);
    let events = page.wait("events", |events| {
        !events["events"].as_array().unwrap().is_empty()
    });
    let texts = events["events"].to_string();
    assert!(
        texts.contains("optimizer.learning_rate: 0.01 → 0.001"),
        "{texts}"
    );
    assert!(texts.contains("training.batch_size"), "{texts}");
    let after = page.wait("status", |status| {
        status["epoch"].as_u64() > before["epoch"].as_u64().map(|epoch| epoch + 2)
    });
    assert_eq!(after["is_altered"], true);
    page.send(json!({ "type": "pause" }));
    let setting = page.wait("setting", |setting| {
        setting["toml"]
            .as_str()
            .unwrap()
            .starts_with("# Keys were changed")
    });
    assert_eq!(setting["values"]["optimizer"]["learning_rate"], 0.001);
    page.send(json!({ "type": "save", "name": "altered" }));
    page.wait("saved", |_| true);
    let report = lab.succeed(&["report", "altered", "--format", "markdown"]);
    let report = report.stdout;
    assert!(
        report.contains("Keys were changed during the training"),
        "{report}"
    );
    assert!(report.contains("0.01 → 0.001"), "{report}");
}

#[test]
fn a_convolutional_network_trains_on_one_thread() {
    let lab = Lab::new();
    let config = shipped("train/digits_convnet.toml");
    let words = [config.to_str().unwrap(), "--threads", "1"];
    let playground = Playground::start(&lab, &words);
    let mut page = playground.page();
    page.send(json!({ "type": "step", "count": 2 }));
    page.wait("status", |status| status["step"] == 2);
    // Drawn by another thread.
    page.wait("frame", |frame| frame["step"] == 2);
}

#[test]
fn a_wrong_change_is_refused_with_its_key_and_nothing_changes() {
    let lab = Lab::new();
    let playground = Playground::start(&lab, &[]);
    let mut page = playground.page();
    page.set(&[("model.activation", json!("rellu"))]);
    let problem = page.wait("problem", |_| true);
    assert!(
        problem["message"].as_str().unwrap().contains("relu"),
        "{problem}"
    );
    page.set(&[("model.hidden", json!([100_000]))]);
    let problem = page.wait("problem", |_| true);
    assert_eq!(problem["key"], "model.hidden");
    page.send(json!({ "type": "step", "count": 1 }));
    page.wait("status", |status| status["step"] == 1);
}

#[test]
fn a_playground_becomes_a_run_that_can_be_evaluated_and_resumed() {
    let lab = Lab::new();
    let playground = Playground::start(&lab, &["--set", "training.num_epochs=4"]);
    let mut page = playground.page();
    page.send(json!({ "type": "step", "count": 3 }));
    page.wait("status", |status| status["step"] == 3);
    page.send(json!({ "type": "save", "name": "half" }));
    page.wait("saved", |saved| {
        saved["run"].as_str().unwrap().ends_with("/half")
    });
    page.send(json!({ "type": "pace", "epochs_per_second": null }));
    page.send(json!({ "type": "run" }));
    page.wait("status", |status| status["ending"] == "completed");
    page.send(json!({ "type": "save", "name": "whole" }));
    page.wait("saved", |saved| {
        saved["run"].as_str().unwrap().ends_with("/whole")
    });
    drop(playground);
    lab.succeed(&["resume", "half", "--dashboard", "quiet"]);
    let evaluated = |run: &str| lab.succeed(&["evaluate", run, "--json"]).stdout;
    let loss = |run: &str| {
        let value: Value = serde_json::from_str(&evaluated(run)).unwrap();
        value["metrics"].to_string()
    };
    assert_eq!(loss("half"), loss("whole"));
}

#[test]
fn other_sites_and_other_people_are_refused() {
    let lab = Lab::new();
    let playground = Playground::start(&lab, &[]);
    let (host, cookie) = (playground.host.as_str(), playground.cookie());
    let origin = format!("http://{host}");
    let get = |headers: &[(&str, &str)]| playground.answer("GET /schema.json", headers, "");
    let is = |answer: String, code: &str| {
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{answer}");
    };
    is(get(&[("Host", host), ("Cookie", &cookie)]), "200");
    is(get(&[("Host", host)]), "403");
    is(get(&[("Host", "evil.example"), ("Cookie", &cookie)]), "403");
    is(get(&[("Host", host), ("Cookie", "emberlab-1=0")]), "403");
    for path in [
        "/../Cargo.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/play/../../x",
    ] {
        let answer = playground.answer(
            &format!("GET {path}"),
            &[("Host", host), ("Cookie", &cookie)],
            "",
        );
        is(answer, "404");
    }
    let post = |origin: &str| {
        let headers = [
            ("Host", host),
            ("Cookie", cookie.as_str()),
            ("Origin", origin),
            ("X-Name", "t.csv"),
        ];
        playground.answer("POST /tables", &headers, "a,b,label\n1,2,x\n2,1,y\n")
    };
    is(post("http://evil.example"), "403");
    is(post(&origin), "200");
    assert!(playground.connect("http://evil.example").is_err());
    assert!(playground.connect(&origin).is_ok());
}

#[test]
fn a_page_that_sends_garbage_harms_nobody() {
    let lab = Lab::new();
    let playground = Playground::start(&lab, &[]);
    let mut witness = playground.page();
    let mut page = playground.page();
    let mut text =
        json!({ "type": "set", "changes": [{ "key": "a.b", "value": [1, {"c": null}] }] })
            .to_string();
    // Every message is the one before with a few characters changed, by a fixed sequence.
    let mut state = 12345_u64;
    for _ in 0..300 {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let place = (state >> 33) as usize % (text.len() + 1);
        let place = (0..=place)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap();
        let piece =
            ["{", "\"", "1e999", "[[[[", "\\u0000", "null", "ü", ","][(state >> 60) as usize % 8];
        text.insert_str(place, piece);
        if text.len() > 2000 {
            text.truncate(
                (0..=1000)
                    .rev()
                    .find(|at| text.is_char_boundary(*at))
                    .unwrap(),
            );
        }
        if page.socket.send(Message::text(text.clone())).is_err() {
            page = playground.page();
        }
    }
    for key in [
        "",
        ".",
        "model..x",
        "model.hidden.0",
        "\"",
        "a = 1\nb",
        "dataset",
    ] {
        page.set(&[(key, json!({ "x": [] }))]);
    }
    page.socket.send(Message::binary(vec![0_u8; 4096])).unwrap();
    drop(page);
    witness.send(json!({ "type": "step", "count": 2 }));
    witness.wait("status", |status| status["step"] == 2);
}
