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

/// The script of axe-core, which looks for barriers to people who do not see a page. `None` where it is missing, and
/// then the test skips.
pub fn axe_core() -> Option<String> {
    let python = std::env::var("EMBERLAB_PYTHON").unwrap_or("python3".to_string());
    let print = "import axe_playwright_python, pathlib; print(pathlib.Path(axe_playwright_python.__path__[0]) / 'axe.min.js')";
    let found = Command::new(&python).args(["-c", print]).output();
    let path = found
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let script = path.and_then(|path| std::fs::read_to_string(path.trim()).ok());
    if script.is_none() {
        Part::AxeCore.is_missing(&format!(
            "`{python}` has no axe-playwright-python; EMBERLAB_PYTHON can name another"
        ));
    }
    script
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

    /// The value of an expression in the page, or what its promise brings.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", parameters);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn wait(&mut self, expression: &str, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.evaluate(expression) != true {
            if Instant::now() > deadline {
                let page = self.evaluate("document.body.innerText");
                let page = page.as_str().unwrap_or_default();
                panic!("it never becomes true: {expression}\n{page}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Presses a key, such as `a`, `Tab` or `Home`.
    pub fn press(&mut self, key: &str) {
        let (text, code) = match key {
            "Tab" => ("", 9),
            "Enter" => ("\r", 13),
            "End" => ("", 35),
            "Home" => ("", 36),
            "ArrowRight" => ("", 39),
            other => (other, 0),
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({ "type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// The middle of the first part of the page for which `is_it`, a function in JavaScript, is true, scrolled into
    /// view.
    pub fn middle(&mut self, selector: &str, is_it: &str) -> [f64; 2] {
        let place = self.evaluate(&format!(
            "(() => {{ const part = [...document.querySelectorAll({selector:?})].find({is_it}); if (!part) return null; \
             part.scrollIntoView({{ block: 'center', behavior: 'instant' }}); const box = part.getBoundingClientRect(); \
             return [box.left + box.width / 2, box.top + box.height / 2]; }})()"
        ));
        let at = |i: usize| place[i].as_f64();
        let (Some(x), Some(y)) = (at(0), at(1)) else {
            panic!("the page has no {selector} for which {is_it}");
        };
        [x, y]
    }

    /// Clicks on the button with this label or text.
    pub fn click(&mut self, label: &str) {
        let is_it = format!(
            "button => (button.getAttribute('aria-label') ?? button.textContent) === {label:?} && button.checkVisibility()"
        );
        let place = self.middle("button, summary", &is_it);
        self.drag(&[place]);
    }

    /// Drags the mouse over these places, in pixels of the window.
    pub fn drag(&mut self, places: &[[f64; 2]]) {
        let (first, last) = (places[0], places[places.len() - 1]);
        self.mouse("mouseMoved", first, 0);
        self.mouse("mousePressed", first, 1);
        for place in &places[1..] {
            self.mouse("mouseMoved", *place, 1);
        }
        self.mouse("mouseReleased", last, 0);
    }

    fn mouse(&mut self, kind: &str, [x, y]: [f64; 2], buttons: u8) {
        let is_up = kind == "mouseMoved" && buttons == 0;
        let button = if is_up { "none" } else { "left" };
        let event = json!({ "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1 });
        self.call("Input.dispatchMouseEvent", event);
    }

    /// Draws a finger over these places, in pixels of the window.
    pub fn swipe(&mut self, places: &[[f64; 2]]) {
        let touch = |kind: &str, points: &[[f64; 2]]| {
            let points: Vec<Value> = points
                .iter()
                .map(|[x, y]| json!({ "x": x, "y": y }))
                .collect();
            json!({ "type": kind, "touchPoints": points })
        };
        for (i, place) in places.iter().enumerate() {
            let kind = if i == 0 { "touchStart" } else { "touchMove" };
            self.call("Input.dispatchTouchEvent", touch(kind, &[*place]));
        }
        self.call("Input.dispatchTouchEvent", touch("touchEnd", &[]));
    }

    /// Drops a file on the page.
    pub fn drop_file(&mut self, path: &Path) {
        let data = json!({ "items": [], "files": [path], "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({ "type": kind, "x": 300, "y": 300, "data": data });
            self.call("Input.dispatchDragEvent", event);
        }
    }

    /// The rules of axe-core that the page breaks.
    pub fn violations(&mut self, axe_core: &str) -> Vec<String> {
        self.evaluate(&format!("{axe_core}; true"));
        let found =
            self.evaluate("axe.run().then(({ violations }) => violations.map(({ id }) => id))");
        let found = found.as_array().unwrap().iter();
        found.map(|id| id.as_str().unwrap().to_string()).collect()
    }

    /// Closes the browser. Returns the messages on the console, and the addresses that were asked for.
    pub fn close(mut self) -> (Vec<String>, Vec<String>) {
        let messages = std::mem::take(&mut self.messages);
        (messages, std::mem::take(&mut self.requests))
    }
}
