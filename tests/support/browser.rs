//! A headless browser that opens pages, where this machine has one.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use crate::requirements::Part;

/// A page as the browser shows it.
pub struct Page {
    /// The document after its scripts have run.
    pub dom: String,
    /// The messages of the page on the console: none, if all is well.
    pub console: Vec<String>,
}

/// Opens a page; none where there is no browser, and then the test skips.
pub fn open(path: &Path) -> Option<Page> {
    let named = std::env::var("CHROMIUM").ok();
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(String::from);
    let profile = tempfile::tempdir().unwrap();
    for browser in named.into_iter().chain(usual) {
        let found = Command::new(&browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
            .args(["--enable-logging=stderr", "--virtual-time-budget=5000"])
            .args(["--window-size=1280,2000", "--disable-extensions"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("file://{}", path.display()))
            .output();
        let Ok(output) = found else {
            continue;
        };
        assert!(output.status.success(), "{browser}: {output:?}");
        let log = String::from_utf8_lossy(&output.stderr);
        let console = log.lines().filter(|line| line.contains("CONSOLE"));
        return Some(Page {
            dom: String::from_utf8_lossy(&output.stdout).into_owned(),
            console: console.map(str::to_string).collect(),
        });
    }
    Part::Chromium.is_missing("no Chromium answers");
    None
}

/// A browser that a test controls by the DevTools protocol.
pub struct Browser {
    process: std::process::Child,
    _profile: tempfile::TempDir,
    socket: WebSocket<TcpStream>,
    session: String,
    last_id: u64,
    messages: Vec<String>,
    requests: Vec<String>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    /// Starts a browser; none where there is no browser, and then the test skips.
    pub fn start() -> Option<Self> {
        let named = std::env::var("CHROMIUM").ok();
        let usual = ["chromium", "chromium-browser", "google-chrome"].map(String::from);
        let profile = tempfile::tempdir().unwrap();
        let started = named.into_iter().chain(usual).find_map(|browser| {
            Command::new(browser)
                .args([
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-extensions",
                ])
                .args(["--disable-background-networking", "--no-first-run"])
                .args(["--remote-debugging-port=0", "about:blank"])
                .arg(format!("--user-data-dir={}", profile.path().display()))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .ok()
        });
        let Some(process) = started else {
            Part::Chromium.is_missing("no Chromium answers");
            return None;
        };
        let file = profile.path().join("DevToolsActivePort");
        let deadline = Instant::now() + Duration::from_secs(60);
        let (port, path) = loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if let Some((port, path)) = text.trim().split_once('\n') {
                break (port.to_string(), path.to_string());
            }
            assert!(Instant::now() < deadline, "Chromium opens no port");
            std::thread::sleep(Duration::from_millis(50));
        };
        let stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let (socket, _) =
            tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream).unwrap();
        Some(Self {
            process,
            _profile: profile,
            socket,
            session: String::new(),
            last_id: 0,
            messages: Vec::new(),
            requests: Vec::new(),
        })
    }

    /// Calls a method of the protocol, and notes messages and requests of the page until the answer comes.
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else {
                continue;
            };
            let message: Value = serde_json::from_str(&text).unwrap();
            let parameters = &message["params"];
            match message["method"].as_str() {
                Some("Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded") => {
                    self.messages.push(parameters.to_string());
                }
                Some("Network.requestWillBeSent") => {
                    let url = parameters["request"]["url"].as_str();
                    self.requests.extend(url.map(str::to_string));
                }
                _ => {}
            }
            if message["id"] == self.last_id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    /// Opens a page in a window of this size, in pixels.
    pub fn open(&mut self, url: &str, width: u32, height: u32) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", attach);
        self.session = session["sessionId"].as_str().unwrap().to_string();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size);
        self.call("Page.navigate", json!({ "url": url }));
    }

    /// The value of an expression in the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true });
        self.call("Runtime.evaluate", parameters)["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn wait(&mut self, expression: &str, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.evaluate(expression) != true {
            assert!(
                Instant::now() < deadline,
                "it never becomes true: {expression}"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str, code: &str) {
        // Only keys with one character write text; arrows move sliders by their number.
        let text = if key.chars().count() == 1 { key } else { "" };
        let number = match key {
            "End" => 35,
            "Home" => 36,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            _ => 0,
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": key, "code": code, "text": text, "windowsVirtualKeyCode": number,
            });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Closes the browser. Returns the messages on the console, and the addresses that were asked for.
    pub fn close(mut self) -> (Vec<String>, Vec<String>) {
        let messages = std::mem::take(&mut self.messages);
        (messages, std::mem::take(&mut self.requests))
    }
}
