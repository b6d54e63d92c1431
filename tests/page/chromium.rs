//! Chromium without a window, spoken to over two pipes (its remote protocol, one JSON message before each
//! NUL). Knows no report.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// How long an answer is waited for: a browser that starts beside a compiler takes its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// Nothing that a browser does on its own.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--remote-debugging-pipe",
];

/// Which colours a page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// In CSS pixels.
    pub(crate) width: u32,
    pub(crate) theme: Theme,
}

/// What a page did when it was looked at.
pub(crate) struct Seen {
    pub(crate) look: Look,
    /// Whatever stands in the console, and exceptions.
    pub(crate) errors: Vec<String>,
    pub(crate) dialogs: Vec<String>,
    /// The addresses of all requests, the page's own first.
    pub(crate) requests: Vec<String>,
    /// How wide it stood, in CSS pixels.
    pub(crate) wide: u64,
    wire: Rc<RefCell<Wire>>,
    session: String,
}

impl Seen {
    /// The value of an expression on the page as it stands.
    pub(crate) fn say(&self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true });
        let answer = self.wire.borrow_mut().ask("Runtime.evaluate", Some(&self.session), &asked);
        assert!(answer["exceptionDetails"].is_null(), "{answer}");
        answer["result"].get("value").cloned().unwrap_or_else(|| "undefined".into())
    }
}

/// A running browser.
pub(crate) struct Browser {
    child: Child,
    wire: Rc<RefCell<Wire>>,
    session: String,
}

impl Browser {
    /// Starts one whose profile lies in a new directory.
    pub(crate) fn start(work: &Path) -> Self {
        let [asked, told] = ["asked", "told"].map(|name| work.join(name));
        for pipe in [&asked, &told] {
            assert!(Command::new("mkfifo").arg(pipe).status().expect("`mkfifo` is there").success());
        }
        let profile = work.join("profile");
        // Descriptors 3 and 4 are those that the flag speaks of.
        let child = Command::new("sh")
            .args(["-c", "in=$1 out=$2; shift 2; exec chromium \"$@\" 3<\"$in\" 4>\"$out\"", "sh"])
            .args([&asked, &told])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .env("HOME", work)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("`sh` is there");
        let mut wire = Wire::open(&asked, &told);
        let target = wire.ask("Target.createTarget", None, &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session =
            wire.ask("Target.attachToTarget", None, &attach)["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            wire.ask(&format!("{domain}.enable"), Some(&session), &json!({}));
        }
        Self { child, wire: Rc::new(RefCell::new(wire)), session }
    }

    /// Loads a page and tells all that it did until it stood.
    pub(crate) fn look(&mut self, page: &Path, look: Look) -> Seen {
        let url = format!("file://{}", page.display());
        let session = Some(self.session.as_str());
        let mut wire = self.wire.borrow_mut();
        let metrics =
            json!({ "width": look.width, "height": 900, "deviceScaleFactor": 1, "mobile": look.width < 600 });
        wire.ask("Emulation.setDeviceMetricsOverride", session, &metrics);
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": look.theme.word() }] });
        wire.ask("Emulation.setEmulatedMedia", session, &scheme);
        wire.events.clear();
        wire.tell("Page.navigate", session, &json!({ "url": url }));
        let (mut errors, mut dialogs, mut requests) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let event = wire.event();
            let told = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Page.loadEventFired" => break,
                "Page.javascriptDialogOpening" => {
                    dialogs.push(told["message"].as_str().unwrap_or_default().to_owned());
                    wire.tell("Page.handleJavaScriptDialog", session, &json!({ "accept": false }));
                }
                "Network.requestWillBeSent" => {
                    requests.push(told["request"]["url"].as_str().unwrap_or_default().to_owned());
                }
                "Runtime.consoleAPICalled" => errors.push(told["args"].to_string()),
                "Runtime.exceptionThrown" => errors.push(told["exceptionDetails"].to_string()),
                "Log.entryAdded" => errors.push(told["entry"]["text"].to_string()),
                _ => {}
            }
        }
        drop(wire);
        let (wire, session) = (Rc::clone(&self.wire), self.session.clone());
        let mut seen = Seen { look, errors, dialogs, requests, wide: 0, wire, session };
        seen.wide = seen.say("document.documentElement.scrollWidth").as_u64().unwrap();
        seen
    }

    /// The page that was looked at last as PNG, a piece for every so many pixels of its height.
    pub(crate) fn pictures(&mut self, seen: &Seen) -> Vec<Vec<u8>> {
        const HEIGHT: u64 = 1500;
        let height = seen.say("document.documentElement.scrollHeight").as_u64().unwrap();
        let pieces = (0..height.div_ceil(HEIGHT)).map(|piece| {
            let clip =
                json!({ "x": 0, "y": piece * HEIGHT, "width": seen.wide, "height": HEIGHT.min(height - piece * HEIGHT), "scale": 1 });
            let asked = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
            let picture = self.wire.borrow_mut().ask("Page.captureScreenshot", Some(&self.session), &asked);
            unbase64(picture["data"].as_str().unwrap())
        });
        pieces.collect()
    }

    /// Ends it and waits until it has.
    pub(crate) fn end(mut self) {
        self.wire.borrow_mut().tell("Browser.close", None, &json!({}));
        assert!(self.child.wait().is_ok());
    }
}

/// The pipes.
struct Wire {
    out: File,
    messages: Receiver<Value>,
    events: Vec<Value>,
    last: u64,
}

impl Wire {
    fn open(asked: &Path, told: &Path) -> Self {
        let out = File::options().write(true).open(asked).expect("the browser starts: run scripts/setup");
        let told = BufReader::new(File::open(told).expect("the browser starts"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in told.split(0) {
                let Ok(message) = message else { return };
                let message = serde_json::from_slice(&message).expect("the browser speaks JSON");
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self { out, messages, events: Vec::new(), last: 0 }
    }

    fn tell(&mut self, method: &str, session: Option<&str>, params: &Value) -> u64 {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.out.write_all(&bytes).expect("the browser listens");
        self.last
    }

    fn ask(&mut self, method: &str, session: Option<&str>, params: &Value) -> Value {
        let id = self.tell(method, session, params);
        loop {
            let message = self.message();
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            if message["method"].is_string() {
                self.events.push(message);
            }
        }
    }

    fn event(&mut self) -> Value {
        if !self.events.is_empty() {
            return self.events.remove(0);
        }
        loop {
            let message = self.message();
            if message["method"].is_string() {
                return message;
            }
        }
    }

    fn message(&mut self) -> Value {
        self.messages
            .recv_timeout(PATIENCE)
            .expect("the browser answers: is `chromium` there? run scripts/setup")
    }
}

/// RFC 4648 §4, without checks: the browser wrote it.
fn unbase64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = group.iter().fold(0_u32, |bits, &byte| bits << 6 | u32::from(digit(byte)));
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}
