//! The server's life: setting it up, its threads, and which endpoint answers what.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::clock::{Clock, http_date};
use crate::faults::{Endpoint, Fault, Faults, Repeat};
use crate::http::{self, Request, Response, Unread};
use crate::keys::SigningKey;
use crate::public_key::PublicKey;
use crate::state::{Counters, Received, State};
use crate::{Builder, authorize, device, discovery, pages, token, userinfo};

const CONNECTION_LIMIT: usize = 64;
const PATIENCE: Duration = Duration::from_secs(5);
const HUGE_BODY: usize = 50_000_000;

/// A running authorization server; dropping it closes every connection and waits for its threads.
pub struct TestServer {
    server: Arc<Server>,
    accepting: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Starts with the clients `demo`, `demo-basic` and `demo-post`, two people, and the system's time.
    ///
    /// # Errors
    ///
    /// If no port of 127.0.0.1 can be bound or no thread started.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Begins to set up a server that is not the usual one.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn run(builder: Builder) -> io::Result<Self> {
        let jwt_issuers = builder
            .jwt_issuers
            .iter()
            .map(|(issuer, jwk)| Ok((issuer.clone(), PublicKey::from_jwk(jwk)?)))
            .collect::<Result<_, &str>>()
            .map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let authority = listener.local_addr()?.to_string();
        let secrets =
            builder.clients.iter().filter_map(|client| client.secret().map(str::to_owned)).collect();
        let server = Arc::new(Server {
            issuer: format!("http://{authority}"),
            authority,
            clock: builder.clock.clone(),
            key: SigningKey::generate(),
            state: Mutex::new(State::new(secrets)),
            faults: Mutex::new(builder.faults),
            connections: Mutex::default(),
            stopped: Condvar::new(),
            settings: builder.settings,
            clients: builder.clients,
            jwt_issuers,
            people: builder.people,
        });
        let shared = Arc::clone(&server);
        let accepting =
            thread::Builder::new().name("testserver".to_owned()).spawn(move || accept(&shared, &listener))?;
        Ok(Self { server, accepting: Some(accepting) })
    }

    /// `http://127.0.0.1:PORT`, under which the metadata is found.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.server.issuer
    }

    /// The clock that codes and tokens expire by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.server.clock
    }

    /// The requests so far, the latest 10 000 of them, in the order of their arrival.
    #[must_use]
    pub fn log(&self) -> Vec<Received> {
        self.server.state().log.iter().cloned().collect()
    }

    /// How many requests have arrived at an endpoint.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.server.state().arrived.get(&endpoint).copied().unwrap_or_default()
    }

    /// What was given out so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.server.state().counters
    }

    /// Every secret the server ever made or was set up with, dead ones as well: client secrets, codes, device codes,
    /// access, refresh and ID tokens.
    ///
    /// For tests that search logs and output for them.
    #[must_use]
    pub fn issued_secrets(&self) -> Vec<String> {
        self.server.state().secrets.clone()
    }

    /// Makes an endpoint misbehave the next time; several wait for their turn.
    ///
    /// # Panics
    ///
    /// If the fault cannot happen at that endpoint, since a test that waits for it would prove nothing.
    #[track_caller]
    pub fn fault_once(&self, endpoint: Endpoint, fault: Fault) {
        lock(&self.server.faults).add(endpoint, fault, Repeat::Once);
    }

    /// Makes an endpoint misbehave until [`clear_faults`](Self::clear_faults).
    ///
    /// # Panics
    ///
    /// If the fault cannot happen at that endpoint, since a test that waits for it would prove nothing.
    #[track_caller]
    pub fn fault_always(&self, endpoint: Endpoint, fault: Fault) {
        lock(&self.server.faults).add(endpoint, fault, Repeat::Always);
    }

    /// Forgets all faults that are still to happen.
    pub fn clear_faults(&self) {
        lock(&self.server.faults).clear();
    }

    /// Closes every connection and waits for the threads, as dropping does.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let Some(accepting) = self.accepting.take() else { return };
        {
            let mut connections = lock(&self.server.connections);
            connections.stopping = true;
            for stream in connections.open.values() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        self.server.stopped.notify_all();
        // the accepting thread looks up when somebody connects
        if TcpStream::connect(&self.server.authority).is_ok() {
            let _ = accepting.join();
        }
    }
}

impl fmt::Debug for TestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestServer").field("issuer", &self.issuer()).finish_non_exhaustive()
    }
}

/// What the threads share.
pub(crate) struct Server {
    pub(crate) issuer: String,
    authority: String,
    pub(crate) settings: crate::builder::Settings,
    pub(crate) clients: Vec<crate::Client>,
    pub(crate) jwt_issuers: HashMap<String, PublicKey>,
    pub(crate) people: Vec<crate::Person>,
    pub(crate) clock: Clock,
    pub(crate) key: SigningKey,
    state: Mutex<State>,
    pub(crate) faults: Mutex<Faults>,
    connections: Mutex<Connections>,
    stopped: Condvar,
}

#[derive(Default)]
struct Connections {
    stopping: bool,
    next: u64,
    open: HashMap<u64, TcpStream>,
}

impl Server {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn fault_in_answer(&self, endpoint: Endpoint) -> Option<Fault> {
        lock(&self.faults).take_in_answer(endpoint)
    }

    /// Waits by the system's time, or until the server stops.
    fn wait(&self, duration: Duration) {
        let connections = lock(&self.connections);
        let _ = self.stopped.wait_timeout_while(connections, duration, |connections| !connections.stopping);
    }

    fn record(&self, request: &Request, endpoint: Endpoint) {
        let forms = [request.query(), request.form()];
        let names = forms.iter().flatten().flat_map(|form| form.names().map(str::to_owned));
        self.state().record(Received {
            endpoint,
            method: request.method.clone(),
            path: request.path.clone(),
            parameters: names.collect(),
        });
    }

    fn answer(&self, request: &Request, endpoint: Endpoint) -> Response {
        match endpoint {
            Endpoint::Metadata => discovery::metadata(self, request),
            Endpoint::Jwks => discovery::jwks(self, request),
            Endpoint::Authorize => authorize::authorize(self, request),
            Endpoint::Login => authorize::login(self, request),
            Endpoint::Consent => authorize::consent(self, request),
            Endpoint::Token => token::token(self, request),
            Endpoint::DeviceAuthorization => device::device_authorization(self, request),
            Endpoint::Device => device::page(self, request),
            Endpoint::Userinfo => userinfo::userinfo(self, request),
            Endpoint::Unknown => {
                pages::message(404, "Nothing here", "This demo server has no page at this address.")
            }
        }
    }

    fn serve(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.set_write_timeout(Some(2 * PATIENCE))?;
        let request = match http::read(stream, &self.authority, PATIENCE) {
            Ok(request) => request,
            Err(Unread::Gone) => return Ok(()),
            Err(Unread::Refused(response)) => {
                self.write(stream, &response, true)?;
                http::close_gently(stream);
                return Ok(());
            }
        };
        let endpoint = Endpoint::at(&request.path);
        self.record(&request, endpoint);
        let fault = lock(&self.faults).take_before(endpoint);
        if let Some(response) = fault.as_ref().and_then(Fault::response) {
            return self.write(stream, &response, request.method != "HEAD");
        }
        match fault {
            Some(Fault::CloseBeforeResponse) => return Ok(()),
            Some(Fault::HugeBody) => return self.write_huge(stream),
            Some(Fault::Slow(duration)) => self.wait(duration),
            _ => {}
        }
        let response = self.answer(&request, endpoint);
        match fault {
            Some(Fault::LostResponse) => Ok(()),
            Some(Fault::Truncated) => {
                let whole = response.head(&http_date(self.clock.now()), Some(response.body.len()));
                stream.write_all(&[whole.as_bytes(), &response.body[..response.body.len() / 2]].concat())
            }
            _ => self.write(stream, &response, request.method != "HEAD"),
        }
    }

    fn write(&self, stream: &mut TcpStream, response: &Response, with_body: bool) -> io::Result<()> {
        let head = response.head(&http_date(self.clock.now()), Some(response.body.len()));
        let body: &[u8] = if with_body { &response.body } else { &[] };
        stream.write_all(&[head.as_bytes(), body].concat())
    }

    fn write_huge(&self, stream: &mut TcpStream) -> io::Result<()> {
        let head = Response::json(200, String::new()).head(&http_date(self.clock.now()), None);
        stream.write_all(head.as_bytes())?;
        stream.write_all(br#"{"filler":""#)?;
        let chunk = [b'a'; 64 * 1024];
        let mut left = HUGE_BODY - br#"{"filler":""}"#.len();
        while left > 0 {
            let length = left.min(chunk.len());
            stream.write_all(&chunk[..length])?;
            left -= length;
        }
        stream.write_all(br#""}"#)
    }
}

fn accept(server: &Arc<Server>, listener: &TcpListener) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for stream in listener.incoming() {
        threads.retain(|thread| !thread.is_finished());
        let mut connections = lock(&server.connections);
        if connections.stopping {
            break;
        }
        // an accept that failed is the peer's affair, or a shortage that passes as connections end
        let Ok(mut stream) = stream else { continue };
        let Ok(handle) = stream.try_clone() else { continue };
        if connections.open.len() >= CONNECTION_LIMIT {
            drop(connections);
            let _ = server.write(&mut stream, &Response::text(503, "Too many connections.\n"), true);
            continue;
        }
        let id = connections.next;
        connections.next += 1;
        connections.open.insert(id, handle);
        drop(connections);
        let shared = Arc::clone(server);
        let spawned = thread::Builder::new().name("testserver".to_owned()).spawn(move || {
            // a peer that went away is no concern of the server's
            let _ = shared.serve(&mut stream);
            lock(&shared.connections).open.remove(&id);
        });
        match spawned {
            Ok(thread) => threads.push(thread),
            Err(_) => drop(lock(&server.connections).open.remove(&id)),
        }
    }
    for thread in threads {
        let _ = thread.join();
    }
}

/// A thread that panicked has not left anything half done that matters to the next.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
