//! Servers of raw bytes, and a client that asks them: what the rows of the network are seen by.

use oauth::component::{ClientProfile, ComponentError, GrantType};
use oauth::core::{Failure, UnreachableKind};
use oauth::{Authorization, Error, OAuth};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// No script waits longer for a byte.
const PATIENCE: Duration = Duration::from_secs(20);

pub const CLIENT_SECRET: &str = "planted-client-secret";
pub const ACCESS_TOKEN: &str = "planted-access-token";

/// A token response of HTTP/1.1.
pub fn token() -> Vec<u8> {
    response("200 OK", "", &token_body())
}

pub fn token_body() -> Vec<u8> {
    format!(r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"Bearer","expires_in":3600}}"#).into_bytes()
}

/// A response with these header lines, each with its line end, and this body.
pub fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub peer: SocketAddr,
    /// Its first line and its headers, with their line ends.
    pub head: String,
    pub body: Vec<u8>,
    /// The sizes of the chunks that the body came in, the last one apart.
    pub chunks: Vec<usize>,
}

impl Seen {
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// The values of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let pairs = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        pairs.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
}

/// A server that runs a script on each connection, one after the other. It is gone when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    stopped: AtomicBool,
    connections: Mutex<usize>,
    seen: Mutex<Vec<Seen>>,
}

/// What moves bytes.
pub trait Duplex: Read + Write + Send {}
impl<T: Read + Write + Send> Duplex for T {}

pub struct Connection {
    pub stream: Box<dyn Duplex>,
    pub peer: SocketAddr,
    state: Arc<State>,
}

impl Server {
    pub fn new(script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::at(Ipv4Addr::LOCALHOST.into(), script)
    }

    /// The same on another address of this machine.
    pub fn at(
        address: IpAddr,
        script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start(address, None, script)
    }

    /// The same behind TLS.
    pub fn tls(
        config: Arc<ServerConfig>,
        script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start(Ipv4Addr::LOCALHOST.into(), Some(config), script)
    }

    /// One that gives every request the same answer.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::new(always(answer))
    }

    fn start(
        address: IpAddr,
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let (shared, script) = (Arc::clone(&state), Arc::new(script));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                *shared.connections.lock().unwrap() += 1;
                let (script, tls, state) = (Arc::clone(&script), tls.clone(), Arc::clone(&shared));
                // What a client does to a connection is for its test to judge.
                thread::spawn(move || drop(serve(stream, tls, state, &*script)));
            }
        });
        Self { address, state }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn https(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    pub fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// The last request.
    pub fn last(&self) -> Seen {
        self.seen().pop().expect("a request came")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// A script that gives every request the same answer.
pub fn always(
    answer: impl Into<Vec<u8>>,
) -> impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static {
    let answer = answer.into();
    move |connection| {
        while connection.request()?.is_some() {
            connection.stream.write_all(&answer)?;
            connection.stream.flush()?;
        }
        Ok(())
    }
}

fn serve(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    state: Arc<State>,
    script: &dyn Fn(&mut Connection) -> io::Result<()>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let peer = stream.peer_addr()?;
    let stream: Box<dyn Duplex> = match tls {
        None => Box::new(stream),
        Some(config) => {
            Box::new(StreamOwned::new(ServerConnection::new(config).map_err(io::Error::other)?, stream))
        }
    };
    script(&mut Connection { stream, peer, state })
}

impl Connection {
    pub fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    pub fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn until(&mut self, end: &[u8]) -> io::Result<String> {
        let mut text = Vec::new();
        while !text.ends_with(end) {
            text.push(self.byte()?);
        }
        String::from_utf8(text).map_err(io::Error::other)
    }

    /// Reads a request; `None` when the client closed instead.
    pub fn request(&mut self) -> io::Result<Option<Seen>> {
        let Ok(head) = self.until(b"\r\n\r\n") else { return Ok(None) };
        let mut seen = Seen { peer: self.peer, head, body: Vec::new(), chunks: Vec::new() };
        if seen.all("transfer-encoding") == ["chunked"] {
            loop {
                let size = self.until(b"\r\n")?;
                let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
                let chunk = self.bytes(size + 2)?;
                if size == 0 {
                    break;
                }
                seen.chunks.push(size);
                seen.body.extend(&chunk[..size]);
            }
        } else {
            let length =
                seen.all("content-length").first().and_then(|length| length.parse().ok()).unwrap_or(0);
            seen.body = self.bytes(length)?;
        }
        self.state.seen.lock().unwrap().push(seen.clone());
        Ok(Some(seen))
    }
}

/// Each engine that this test was built with, by the value of `UsePlatformHTTPClient`.
pub const ENGINES: &[&str] = if cfg!(feature = "isahc") { &["false", "true"] } else { &["false"] };

/// A service with a secret whose token endpoint this is.
pub fn client(token_url: &str) -> OAuth {
    let oauth = OAuth::new();
    oauth.set_dangerously_plain_http_on_loopback(true);
    oauth.set_client_profile(ClientProfile::Application);
    oauth.set_grant_type(GrantType::ClientCredentials);
    oauth.set_client_id("client");
    oauth.set_client_secret(CLIENT_SECRET);
    oauth.set_server_token_url(token_url);
    oauth
}

/// The same on an engine and with settings.
pub fn client_with(token_url: &str, engine: &str, lines: &[&str]) -> OAuth {
    let oauth = client(token_url);
    set(&oauth, &[&format!("UsePlatformHTTPClient={engine}")]);
    set(&oauth, lines);
    oauth
}

#[track_caller]
pub fn set(oauth: &OAuth, lines: &[&str]) {
    for line in lines {
        oauth.config(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

/// What a setting is.
#[track_caller]
pub fn read(oauth: &OAuth, name: &str) -> String {
    oauth.config(name).unwrap_or_else(|error| panic!("{name}: {error}")).as_str().to_owned()
}

/// A token, with these settings on this engine.
pub fn get(token_url: &str, engine: &str, lines: &[&str]) -> Result<Authorization, ComponentError> {
    client_with(token_url, engine, lines).get_authorization()
}

/// Why there was no response.
#[track_caller]
pub fn unreachable(result: Result<Authorization, ComponentError>) -> UnreachableKind {
    match result {
        Err(ComponentError::OAuth(Error::Failure(Failure { error, .. }))) => match *error {
            oauth::core::Error::Unreachable(why) => why.kind,
            other => panic!("there was a response: {other}"),
        },
        other => panic!("it is no matter of a response: {other:?}"),
    }
}

/// A call fails before anything is sent, and its error names the setting in one line.
#[track_caller]
pub fn refused(oauth: &OAuth, name: &str, why: &str) {
    let error = oauth.get_authorization().expect_err("it is refused").to_string();
    assert!(error.starts_with(&format!("{name} is refused: ")), "{name}: {error}");
    assert!(error.contains(why) && !error.contains('\n'), "{error}");
}

/// isahc refuses these settings by this name, and sends nothing.
#[track_caller]
pub fn refused_by_isahc(lines: &[&str], name: &str) {
    if !ENGINES.contains(&"true") {
        return;
    }
    let server = Server::answering(token());
    let oauth = client_with(&server.url("/token"), "true", lines);
    refused(&oauth, name, "the transport isahc cannot carry");
    assert_eq!(server.connections(), 0, "{lines:?}");
}
