//! One request over each engine, beside what the engine costs by itself: plain HTTP on this machine, a server in a process of
//! its own, which is not counted.
//!
//! The same bytes go out and come in on both sides, and the whole response is read. On hyper, connections are kept. libcurl
//! sends a request a second time where a kept connection turns out dead, so a token request has a connection of its own there,
//! on both sides, and a document stands for what is sent on kept ones.

use crate::measure::Bench;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use isahc::config::{Configurable as _, ExpectContinue, RedirectPolicy, VersionNegotiation};
use isahc::{AsyncReadResponseExt as _, HttpClient};
use oauth_core::{Endpoint, OptOut, Policy, Purpose, Request, SecretBytes};
use oauth_transport::{EventSink, Session, SessionSettings, Settings, Transport};
use oauth_transport_hyper::HyperTransport;
use oauth_transport_isahc::IsahcTransport;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const BODY: &[u8] =
    b"grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&redirect_uri=http%3A%2F%2F127.0.0.1%3A8080\
    &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=s6BhdRkqt3";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: 68\r\n\r\n\
    {\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\",\"token_type\":\"Bearer\",\"x\":12}";

const ONE: &str = "token request";
const MANY: &str = "token request, 64 at once";
const DOCUMENT: &str = "document";
const DOCUMENTS: &str = "document, 64 at once";
const OURS_HYPER: &str = "transport on hyper";
const HYPER: &str = "hyper-util alone";
const OURS_ISAHC: &str = "transport on isahc";
const ISAHC: &str = "isahc alone";

static BENCHES: [Bench; 10] = [
    Bench::new(ONE, OURS_HYPER, |times| ours_hyper(times, 1), &[])
        .runs(100, 600, 300)
        .beside(1.05, HYPER, 12.0),
    Bench::new(ONE, HYPER, |times| hyper(times, 1), &[]).runs(100, 600, 300),
    Bench::new(MANY, OURS_HYPER, |times| ours_hyper(times, 64), &[])
        .runs(128, 640, 640)
        .beside(1.05, HYPER, 12.0),
    Bench::new(MANY, HYPER, |times| hyper(times, 64), &[]).runs(128, 640, 640),
    Bench::new(ONE, OURS_ISAHC, |times| ours_isahc(times, 1, post), &[])
        .runs(50, 250, 100)
        .beside(1.03, ISAHC, 12.0),
    Bench::new(ONE, ISAHC, |times| isahc(times, 1, true), &[]).runs(50, 250, 100),
    Bench::new(DOCUMENT, OURS_ISAHC, |times| ours_isahc(times, 1, get), &[])
        .runs(50, 250, 100)
        .beside(1.03, ISAHC, 12.0),
    Bench::new(DOCUMENT, ISAHC, |times| isahc(times, 1, false), &[]).runs(50, 250, 100),
    Bench::new(DOCUMENTS, OURS_ISAHC, |times| ours_isahc(times, 64, get), &[])
        .runs(128, 384, 256)
        .beside(1.03, ISAHC, 12.0),
    Bench::new(DOCUMENTS, ISAHC, |times| isahc(times, 64, false), &[]).runs(128, 384, 256),
];

pub(crate) fn benches() -> impl Iterator<Item = &'static Bench> {
    BENCHES.iter()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system gives an event queue")
}

fn endpoint(port: u16) -> Arc<Endpoint> {
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    Arc::new(Endpoint::new(&format!("http://127.0.0.1:{port}/token"), &policy).expect("it is an endpoint"))
}

fn post(endpoint: &Arc<Endpoint>) -> Request {
    Request::form(Purpose::Token, Arc::clone(endpoint), SecretBytes::new(BODY))
}

fn get(endpoint: &Arc<Endpoint>) -> Request {
    Request::get(Purpose::Keys, Arc::clone(endpoint))
}

/// Does a thing so many times, so many at once.
async fn times<F: Future<Output = usize> + Send + 'static>(times: u32, at_once: usize, one: impl Fn() -> F) {
    if at_once == 1 {
        for _ in 0..times {
            black_box(one().await);
        }
        return;
    }
    let mut running = JoinSet::new();
    for _ in 0..times {
        if running.len() == at_once {
            black_box(running.join_next().await);
        }
        running.spawn(one());
    }
    black_box(running.join_all().await);
}

fn ours_hyper(count: u32, at_once: usize) {
    let server = Server::start();
    let transport = HyperTransport::new(Settings::new()).expect("it can be made");
    let session = Arc::new(Session::new(transport, SessionSettings::new(), EventSink::none()));
    ours(count, at_once, &server, session, post);
}

fn ours_isahc(count: u32, at_once: usize, request: fn(&Arc<Endpoint>) -> Request) {
    let server = Server::start();
    let transport = IsahcTransport::new(Settings::new()).expect("it can be made");
    let session = Arc::new(Session::new(transport, SessionSettings::new(), EventSink::none()));
    ours(count, at_once, &server, session, request);
}

fn ours<T: Transport + 'static>(
    count: u32,
    at_once: usize,
    server: &Server,
    session: Arc<Session<T>>,
    request: fn(&Arc<Endpoint>) -> Request,
) {
    let endpoint = endpoint(server.port);
    runtime().block_on(times(count, at_once, move || {
        let (session, endpoint) = (Arc::clone(&session), Arc::clone(&endpoint));
        async move {
            let response = session.send(request(&endpoint)).await.expect("the server answers");
            response.body().len()
        }
    }));
}

fn hyper(count: u32, at_once: usize) {
    let server = Server::start();
    runtime().block_on(async {
        let client: Client<_, Full<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let uri: http::Uri = format!("http://127.0.0.1:{}/token", server.port).parse().expect("it is a URI");
        times(count, at_once, move || {
            let request = http::Request::post(uri.clone())
                .header("content-type", "application/x-www-form-urlencoded")
                .header("accept", "application/json")
                .header("user-agent", "oauth/0.1.0")
                .body(Full::new(bytes::Bytes::from_static(BODY)))
                .expect("it is a request");
            let client = client.clone();
            async move {
                let response = client.request(request).await.expect("the server answers");
                response.into_body().collect().await.expect("the body is whole").to_bytes().len()
            }
        })
        .await;
    });
}

fn isahc(count: u32, at_once: usize, posts: bool) {
    let server = Server::start();
    let mut builder = HttpClient::builder()
        .version_negotiation(VersionNegotiation::http11())
        .redirect_policy(RedirectPolicy::None)
        .automatic_decompression(false)
        .expect_continue(ExpectContinue::disabled())
        .proxy(None);
    if posts {
        builder = builder.connection_cache_size(0);
    }
    let client = builder.build().expect("it can be made");
    let uri = format!("http://127.0.0.1:{}/token", server.port);
    runtime().block_on(times(count, at_once, move || {
        let builder = http::Request::builder()
            .uri(&*uri)
            .header("accept", "application/json")
            .header("user-agent", "oauth/0.1.0");
        let request = if posts {
            builder
                .method("POST")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(isahc::AsyncBody::from(BODY))
        } else {
            builder.body(isahc::AsyncBody::empty())
        };
        let (client, request) = (client.clone(), request.expect("it is a request"));
        async move {
            let mut response = client.send_async(request).await.expect("the server answers");
            response.bytes().await.expect("the body is whole").len()
        }
    }));
}

/// The server, in a process of its own; it ends with its standard input.
struct Server {
    port: u16,
    child: Child,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().expect("a program knows where it is"))
            .arg("--serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be run");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the server says where it is");
        Self { port: line.trim().parse().expect("a port"), child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}

/// Answers every request on every connection, until standard input ends.
pub(crate) fn serve() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    println!("{}", listener.local_addr().expect("it is bound").port());
    std::io::stdout().flush().expect("somebody reads");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    let _ended = std::io::stdin().read(&mut [0]);
}

fn answer(mut stream: TcpStream) {
    let _quick = stream.set_nodelay(true);
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..length]);
        while let Some(end) = whole(&seen) {
            seen.drain(..end);
            if stream.write_all(ANSWER).is_err() {
                return;
            }
        }
    }
}

/// Where the first request ends, if it is whole.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text.split_once("content-length: ").and_then(|(_, rest)| rest.split("\r\n").next());
    let end = head + length.map_or(0, |length| length.parse().unwrap_or(0));
    (bytes.len() >= end).then_some(end)
}
