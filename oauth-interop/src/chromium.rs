//! Chromium, driven by its own driver (W3C WebDriver): a person's browser, with pages, history and a console.

use crate::daemon::{self, Daemon, Launch, StartError};
use base64::Engine as _;
use serde_json::{Value, json};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;

const PROGRAM: &str = "chromium";
const DRIVER: &str = "chromedriver";

/// Nobody looks at it, it asks nobody, and it keeps nothing.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-sync",
];

/// No page of a test takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an element may take to appear.
const ELEMENT: Duration = Duration::from_secs(10);

/// How WebDriver names an element in JSON.
const ELEMENT_ID: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser without a window, with a profile of its own.
///
/// It takes every certificate: those of a test are nobody's. Whatever it is told waits until the page is there.
///
/// # Panics
/// Each method panics where the browser says no, or nothing: a test cannot go on without its browser.
#[derive(Debug)]
pub struct Chromium {
    _daemon: Daemon,
    port: u16,
    session: String,
    version: String,
}

/// A tab of the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab(String);

impl Chromium {
    /// Starts the driver, and the browser with one tab.
    ///
    /// # Errors
    /// One of them is not installed, or does not start.
    pub fn start() -> Result<Self, StartError> {
        daemon::start(Self::attempt)
    }

    fn attempt() -> Result<Self, StartError> {
        let binary = daemon::find(PROGRAM, PROGRAM)?;
        let folder = daemon::folder()?;
        let [port] = daemon::free_ports()?;
        let home = folder.path().as_os_str().to_owned();
        let launch = Launch {
            program: DRIVER,
            package: "chromium-driver",
            arguments: vec![format!("--port={port}").into()],
            // Profiles, caches and settings.
            environment: vec![("HOME", home.clone()), ("TMPDIR", home)],
        };
        let daemon = Daemon::start(folder, launch, &[port])?;
        let capabilities = json!({
            "acceptInsecureCerts": true,
            "timeouts": { "implicit": ELEMENT.as_millis(), "pageLoad": PATIENCE.as_millis() },
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": FLAGS, "binary": binary.to_string_lossy() },
        });
        let session = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let session = exchange(port, "POST", "/session", &session)
            .map_err(|why| StartError::Failed { program: PROGRAM, output: why.to_string() })?;
        let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let version = format!("Chromium {}", said(&session["capabilities"]["browserVersion"]));
        Ok(Self { _daemon: daemon, port, session: said(&session["sessionId"]), version })
    }

    /// Its name and version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Goes to an address, as a person does who types it in.
    #[track_caller]
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// One page back in the tab's history.
    #[track_caller]
    pub fn back(&self) {
        self.post("/back", &json!({}));
    }

    /// Loads the page again.
    #[track_caller]
    pub fn reload(&self) {
        self.post("/refresh", &json!({}));
    }

    /// Clicks on the first element that a CSS selector finds.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        self.post(&format!("/element/{}/click", self.element(selector)), &json!({}));
    }

    /// Types into the first element that a CSS selector finds.
    #[track_caller]
    pub fn type_into(&self, selector: &str, text: &str) {
        self.post(&format!("/element/{}/value", self.element(selector)), &json!({ "text": text }));
    }

    /// What the address bar holds, fragment and all.
    #[must_use]
    #[track_caller]
    pub fn url(&self) -> String {
        text(&self.command("GET", "/url", &Value::Null))
    }

    /// The title of the page.
    #[must_use]
    #[track_caller]
    pub fn title(&self) -> String {
        text(&self.command("GET", "/title", &Value::Null))
    }

    /// The text that the page shows.
    #[must_use]
    #[track_caller]
    pub fn text(&self) -> String {
        self.run("return document.body.innerText")
    }

    /// What a function body returns that runs in the page, as text. The page's own policy does not bind it.
    #[must_use]
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        text(&self.post("/execute/sync", &json!({ "script": script, "args": [] })))
    }

    /// The tab that all of this is about.
    #[must_use]
    #[track_caller]
    pub fn tab(&self) -> Tab {
        Tab(text(&self.command("GET", "/window", &Value::Null)))
    }

    /// Opens another tab, and goes there.
    #[track_caller]
    pub fn open_tab(&self) -> Tab {
        let tab = Tab(text(&self.post("/window/new", &json!({ "type": "tab" }))["handle"]));
        self.switch_to(&tab);
        tab
    }

    /// Goes to a tab.
    #[track_caller]
    pub fn switch_to(&self, tab: &Tab) {
        self.post("/window", &json!({ "handle": tab.0 }));
    }

    /// Shows pages as on a screen of so many pixels, by day or by night, and still.
    #[track_caller]
    pub fn show_as(&self, width: u32, height: u32, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let media = [("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")];
        let features = media.map(|(name, value)| json!({ "name": name, "value": value }));
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
        let screen =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.devtools("Emulation.setDeviceMetricsOverride", &screen);
    }

    /// Runs no scripts of pages any more, as a careful person's browser.
    #[track_caller]
    pub fn forbid_scripts(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    /// What the page looks like, as a PNG.
    #[track_caller]
    pub fn screenshot(&self, file: &Path) {
        let picture = text(&self.command("GET", "/screenshot", &Value::Null));
        let picture =
            base64::engine::general_purpose::STANDARD.decode(picture).expect("WebDriver sends base64");
        fs::write(file, picture).unwrap_or_else(|why| panic!("cannot write {}: {why}", file.display()));
    }

    /// What was written to the tab's console since this was last asked: what the page's policy forbade is there as well.
    #[must_use]
    #[track_caller]
    pub fn console(&self) -> Vec<String> {
        let lines = self.post("/se/log", &json!({ "type": "browser" }));
        lines.as_array().into_iter().flatten().map(|line| text(&line["message"])).collect()
    }

    #[track_caller]
    fn devtools(&self, command: &str, params: &Value) {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": params }));
    }

    #[track_caller]
    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        text(&found[ELEMENT_ID])
    }

    #[track_caller]
    fn post(&self, command: &str, body: &Value) -> Value {
        self.command("POST", command, body)
    }

    #[track_caller]
    fn command(&self, method: &str, command: &str, body: &Value) -> Value {
        exchange(self.port, method, &format!("/session/{}{command}", self.session), body)
            .unwrap_or_else(|why| panic!("{}: {method} {command}: {why}", self.version))
    }
}

/// The text of a value; another value as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Sends a command, and takes the `value` of what comes back.
fn exchange(port: u16, method: &str, path: &str, body: &Value) -> io::Result<Value> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE * 2))?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    // The driver keeps the connection, whatever it is asked: the body ends where its length says.
    let mut response = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if response.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    response.read_exact(&mut body)?;
    let value = serde_json::from_slice::<Value>(&body)?["value"].take();
    match &value["error"] {
        Value::String(error) => Err(io::Error::other(format!("{error}: {}", text(&value["message"])))),
        _ => Ok(value),
    }
}
