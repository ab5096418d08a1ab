//! A server that says what it is told to, and remembers what it saw; and the other side of a browser.

use oauth::component::{ClientProfile, ComponentError, GrantType};
use oauth::transport::{BrowserLaunch, EventHandler};
use oauth::{Authorization, OAuth};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

/// What a token endpoint says that has nothing against anybody.
pub(crate) const TOKENS: &str = r#"{"access_token":"at-1","token_type":"bearer","expires_in":3600,"refresh_token":"rt-1","scope":"read"}"#;

/// What a device gets to show.
pub(crate) const CODES: &str = r#"{"device_code":"dc-1","user_code":"WDJB-MJHT","verification_uri":"https://as.example/device",
    "expires_in":600,"interval":1}"#;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Heard {
    /// What the form says; nothing comes twice.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        pairs(self.body.as_bytes())
    }

    /// A claim of the assertion in the form.
    pub(crate) fn claims(&self) -> serde_json::Value {
        part(&self.form()["assertion"], 1)
    }

    pub(crate) fn jose_header(&self) -> serde_json::Value {
        part(&self.form()["assertion"], 0)
    }
}

fn part(jwt: &str, number: usize) -> serde_json::Value {
    use base64::Engine as _;
    let part = jwt.split('.').nth(number).expect("a JWT has three parts");
    serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The pairs of a query or a form.
pub(crate) fn pairs(encoded: &[u8]) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(encoded) {
        assert!(pairs.insert(name.clone().into_owned(), value.into_owned()).is_none(), "{name} comes twice");
    }
    pairs
}

/// The query of an address.
pub(crate) fn query(url: &str) -> BTreeMap<String, String> {
    pairs(url.split_once('?').map_or("", |(_, query)| query).as_bytes())
}

pub(crate) struct Witness {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    stopped: Arc<AtomicBool>,
    address: std::net::SocketAddr,
}

impl Witness {
    /// Answers every request with tokens.
    pub(crate) fn of_tokens() -> Self {
        Self::start(|_| (200, TOKENS.to_owned()))
    }

    /// Answers with a status and JSON.
    pub(crate) fn start(answer: impl Fn(&Heard) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let (all, stop) = (Arc::clone(&heard), Arc::clone(&stopped));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Acquire) {
                    break;
                }
                let Some((mut stream, request)) = stream.ok().and_then(receive) else { continue };
                let (status, body) = answer(&request);
                all.lock().unwrap().push(request);
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                let _sent = stream.write_all((head + &body).as_bytes());
            }
        });
        Self { url: format!("http://{address}"), heard, stopped, address }
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// The one request that came.
    pub(crate) fn only(&self) -> Heard {
        let heard = self.heard();
        assert_eq!(heard.len(), 1, "{heard:#?}");
        heard.into_iter().next().unwrap()
    }

    /// A component that knows it.
    pub(crate) fn component(&self) -> OAuth {
        let oauth = OAuth::new();
        oauth.set_dangerously_plain_http_on_loopback(true);
        oauth.set_server_auth_url(format!("{}/authorize", self.url));
        oauth.set_server_token_url(format!("{}/token", self.url));
        oauth.set_client_id("client");
        oauth
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        let _woken = TcpStream::connect(self.address);
    }
}

fn receive(mut stream: TcpStream) -> Option<(TcpStream, Heard)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
                })
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let body = String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).ok()?;
                let line = head.lines().next()?.to_owned();
                return Some((stream, Heard { line, head, body }));
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

/// A request to the embedded web server, as a browser sends it; the whole response.
pub(crate) fn visit(method: &str, url: &str, headers: &str, body: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let authority = format!("{}:{}", url.host_str().unwrap(), url.port_or_known_default().unwrap());
    let mut stream = TcpStream::connect(&authority).unwrap();
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let length = if method == "GET" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{length}{headers}\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

/// Whether a port of the embedded web server can be bound again, once whoever was there is answered.
pub(crate) fn is_free(port: u16) -> bool {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while TcpListener::bind(("127.0.0.1", port)).is_err() {
        if std::time::Instant::now() > end {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    true
}

/// A handler that opens no browser, and tells who does: the address, and the command that would have been run.
pub(crate) struct Opens(pub(crate) Sender<(String, String)>);

impl EventHandler for Opens {
    fn on_launch_browser(&mut self, launch: &mut BrowserLaunch) {
        let _told = self.0.send((launch.url.to_string(), launch.command.clone()));
        launch.command.clear();
    }
}

/// A call that needs a person, and what the person does with the address and the command.
pub(crate) fn with_person<T>(
    oauth: &OAuth,
    act: impl FnOnce(&str, &str) -> T,
) -> (Result<Authorization, ComponentError>, T) {
    let (sender, opened) = channel();
    oauth.set_event_handler(Opens(sender));
    std::thread::scope(|scope| {
        let running = scope.spawn(|| oauth.get_authorization());
        let opened = loop {
            match opened.recv_timeout(std::time::Duration::from_millis(20)) {
                Ok(opened) => break opened,
                Err(_) => assert!(!running.is_finished(), "nobody was asked: {:?}", running.join()),
            }
        };
        let done = act(&opened.0, &opened.1);
        (running.join().unwrap(), done)
    })
}

/// What a setting is.
pub(crate) fn read(oauth: &OAuth, name: &str) -> String {
    oauth.config(name).unwrap_or_else(|error| panic!("{name}: {error}")).as_str().to_owned()
}

pub(crate) fn set(oauth: &OAuth, lines: &[&str]) {
    for line in lines {
        oauth.config(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

pub(crate) fn client_credentials(witness: &Witness) -> OAuth {
    let oauth = witness.component();
    oauth.set_client_secret("secret");
    oauth.set_grant_type(GrantType::ClientCredentials);
    oauth
}

/// A web site; nobody listens.
pub(crate) fn site(witness: &Witness) -> OAuth {
    let oauth = witness.component();
    oauth.set_client_profile(ClientProfile::WebServer);
    oauth.set_return_url("https://site.example/cb");
    oauth
}

/// A person who agrees at once, at a server that takes any code.
pub(crate) fn come_back(url: &str) -> String {
    let asked = query(url);
    visit("GET", &format!("{}?code=ac-1&state={}", asked["redirect_uri"], asked["state"]), "", "")
}
