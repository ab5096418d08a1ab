//! Requests that are given up: wherever they are, nothing is left of them.

use super::Engine;
use super::connections::{Sending, Signal};
use super::server::{Connection, Server};
use super::subject::{assert_presentable, endpoint, figures, get, post, promptly, transport};
use super::tls::{Authority, Valid};
use crate::session::{Session, SessionSettings};
use crate::{EventSink, Proxies, Settings, Transport};
use oauth_core::{Purpose, Request, Response, SecretBytes, Unreachable, UnreachableKind};
use rustls::ServerConfig;
use socket2::{Domain, Socket, Type};
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const TUNNEL: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
/// A server sees so soon that nobody is there any more.
const CLOSED: Duration = Duration::from_secs(1);
/// An interrupt ends a call so soon. On a busy machine one of a few tries has to.
const INTERRUPTED: Duration = Duration::from_millis(100);
const TRIES: usize = 3;

/// After so many polls, whatever the transport is at then: its connections are closed, nothing comes twice or late, and the
/// next request goes through. Without a poll there is no connection at all.
pub fn giving_up_after_any_poll_leaves_nothing<E: Engine>() {
    let authority = Authority::new();
    let tls = authority.server("127.0.0.1", Valid::Now);
    let transport = transport::<E>(Settings::new().with_extra_root_der(authority.der()));
    for (name, tls) in [("plain", None), ("TLS", Some(tls))] {
        let mut polls = 0;
        let mut slowest = Duration::ZERO;
        loop {
            let watched = Watched::new(tls.clone(), Duration::ZERO);
            let over = E::block_on(async {
                let mut sending = transport.send(post(&watched.url("/token")));
                let over = polled(&mut sending, polls).await;
                drop(sending);
                if let Some(result) = over {
                    result.expect("the server answers");
                    return true;
                }
                if polls == 0 {
                    pause(Duration::from_millis(50)).await;
                    assert_eq!(watched.server.connections(), 0, "nobody asked for it");
                }
                slowest = slowest.max(watched.nothing_is_left().await);
                watched.goes_on(&*transport).await;
                false
            });
            if over {
                break;
            }
            polls += 1;
            assert!(polls < 1000, "it goes on for ever");
        }
        figures(&format!("given up after any of {polls} polls, {name}: closed after {slowest:?} at most"));
        assert!(polls > 0);
    }
}

/// After so long, whatever the transport is at then.
pub fn giving_up_at_any_time_leaves_nothing<E: Engine>() {
    let authority = Authority::new();
    let tls = authority.server("127.0.0.1", Valid::Now);
    let transport = transport::<E>(Settings::new().with_extra_root_der(authority.der()));
    for (name, tls, longest) in [("plain", None, 8), ("TLS", Some(tls), 80)] {
        let (mut given_up, mut answered) = (0, 0);
        let mut slowest = Duration::ZERO;
        for after in (0..24).map(|number| Duration::from_micros(longest * number * number * 1000 / 576)) {
            let watched = Watched::new(tls.clone(), Duration::from_millis(4));
            E::block_on(async {
                let mut sending = transport.send(post(&watched.url("/token")));
                let mut pause = Box::pin(pause(after));
                let over = poll_fn(|context| match sending.as_mut().poll(context) {
                    Poll::Ready(result) => Poll::Ready(Some(result)),
                    Poll::Pending => pause.as_mut().poll(context).map(|()| None),
                })
                .await;
                drop(sending);
                if let Some(result) = over {
                    answered += 1;
                    result.expect("the server answers");
                } else {
                    given_up += 1;
                    slowest = slowest.max(watched.nothing_is_left().await);
                }
                watched.goes_on(&*transport).await;
            });
        }
        figures(&format!(
            "given up at {given_up} times, {name}, and {answered} were answered first: closed after {slowest:?} at most"
        ));
        assert!(given_up > 0);
    }
}

/// At each step of a request, with a server that goes on as if nothing had happened: it sees within a second that nobody is
/// there, and where the request had not begun, none of it comes.
pub fn giving_up_at_any_step_sends_nothing_more<E: Engine>() {
    let authority = Authority::new();
    for step in Step::ALL {
        let hung = Hung::new(step, &authority);
        let transport = transport::<E>(hung.settings(&authority));
        let took = promptly(|| {
            E::block_on(async {
                let mut sending = transport.send(hung.request());
                until(&mut sending, hung.arrived.wait()).await;
                until(&mut sending, pause(Duration::from_millis(20))).await;
                drop(sending);
                let begun = Instant::now();
                hung.gone.set();
                hung.closed.wait().await;
                begun.elapsed()
            })
        });
        figures(&format!("given up at the step {step:?}: closed after {took:?}"));
        assert!(took < CLOSED, "{step:?}: the connection stayed open for {took:?}");
        let lines: Vec<_> = hung.server.received().into_iter().map(|request| request.line).collect();
        let (posts, connects): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.starts_with("POST"));
        let begun = hung.server.begun() - connects.len();
        assert_eq!((begun, posts.len()), step.came(), "{step:?}: {lines:?}");
        assert_eq!(hung.server.connections(), 1, "{step:?}");
        let server = Server::answering(OK);
        let next = E::block_on(transport.send(get(&server.http("/"))));
        next.expect("the next request goes through");
    }
}

/// A server that does not even accept: nothing is left that would connect later.
pub fn giving_up_while_connecting_leaves_nothing<E: Engine>() {
    let Some(full) = Full::new() else { return };
    let transport = transport::<E>(Settings::new());
    E::block_on(async {
        let mut sending = transport.send(post(&full.url()));
        until(&mut sending, pause(Duration::from_millis(100))).await;
        drop(sending);
        pause(Duration::from_millis(100)).await;
        full.make_room();
        // A system that still tries asks again after a second.
        pause(Duration::from_millis(1500)).await;
        assert_eq!(full.make_room(), 0, "it connected all the same");
        transport.send(get(&Server::answering(OK).http("/"))).await.expect("the next request goes through");
    });
}

/// [`Session::interrupt`] ends calls that hang, from another thread, at once; those that begin later are not touched.
pub fn interrupt_ends_a_call_at_once<E: Engine>() {
    let authority = Authority::new();
    // A long request is wiped, which takes a build without optimisations longer than that.
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Request) {
        soon_enough(&format!("{step:?}"), || {
            let hung = Hung::new(step, &authority);
            let took = interrupted::<E>(hung.settings(&authority), hung.request(), hung.arrived.clone());
            hung.gone.set();
            promptly(|| hung.closed.wait_on_this_thread());
            took
        });
    }
    let Some(full) = Full::new() else { return };
    soon_enough("Connect", || {
        let now = Signal::default();
        now.set();
        interrupted::<E>(Settings::new(), post(&full.url()), now)
    });
}

/// How long a call takes to end once it is interrupted, and its executor with it.
fn interrupted<E: Engine>(settings: Settings, request: Request, hangs: Signal) -> Duration {
    let session = Session::new(transport::<E>(settings), SessionSettings::new(), EventSink::none());
    let interrupt = session.interrupt().clone();
    let raising = thread::spawn(move || {
        hangs.wait_on_this_thread();
        // What was sent has yet to be read.
        thread::sleep(Duration::from_millis(50));
        let raised = Instant::now();
        interrupt.raise();
        raised
    });
    let result = promptly(|| E::block_on(session.send(request)));
    let ended = Instant::now();
    let error = result.expect_err("nobody answers");
    assert_eq!(error.kind, UnreachableKind::Cancelled, "{error:?}");
    assert_presentable(&error);
    let raised = raising.join().expect("raising is all it does");
    let server = Server::answering(OK);
    E::block_on(session.send(get(&server.http("/")))).expect("the next request goes through");
    ended.saturating_duration_since(raised)
}

/// A few tries, of which one has to be quick enough.
fn soon_enough(name: &str, mut interrupted: impl FnMut() -> Duration) {
    let mut times = Vec::new();
    while times.len() < TRIES && times.last().is_none_or(|time| *time > INTERRUPTED) {
        times.push(interrupted());
    }
    figures(&format!("interrupted at the step {name}: ended after {times:?}"));
    assert!(times.iter().any(|time| *time <= INTERRUPTED), "{name}: {times:?}");
}

/// How far a server, or a proxy, goes before it hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// TLS has begun.
    Handshake,
    /// A proxy was asked for a tunnel.
    Tunnel,
    /// TLS has begun in it.
    TunnelHandshake,
    /// A part of a long request was sent.
    Request,
    /// All of it was.
    Silence,
    /// A part of the head has come back.
    Head,
    /// A part of the body has.
    Body,
}

impl Step {
    const ALL: [Self; 7] = [
        Self::Handshake,
        Self::Tunnel,
        Self::TunnelHandshake,
        Self::Request,
        Self::Silence,
        Self::Head,
        Self::Body,
    ];

    fn reach(self, connection: &mut Connection) -> io::Result<()> {
        match self {
            Self::Handshake => connection.socket()?.peek(&mut [0]).map(drop),
            Self::Tunnel => connection.request().map(drop),
            Self::TunnelHandshake => {
                connection.request()?;
                connection.write_all(TUNNEL)?;
                connection.socket()?.peek(&mut [0]).map(drop)
            }
            Self::Request => {
                connection.socket()?.peek(&mut [0])?;
                // The buffers of the system fill up.
                thread::sleep(Duration::from_millis(200));
                Ok(())
            }
            Self::Silence => connection.request().map(drop),
            Self::Head => {
                connection.request()?;
                connection.write_all(&OK[..20])
            }
            Self::Body => {
                connection.request()?;
                connection.write_all(&OK[..OK.len() - 1])
            }
        }
    }

    fn go_on(self, connection: &mut Connection, tls: Arc<ServerConfig>) -> io::Result<()> {
        match self {
            Self::Handshake | Self::TunnelHandshake => connection.start_tls(tls)?,
            Self::Tunnel => {
                connection.write_all(TUNNEL)?;
                connection.start_tls(tls)?;
            }
            Self::Request => {}
            Self::Silence => connection.write_all(OK)?,
            Self::Head => connection.write_all(&OK[20..])?,
            Self::Body => connection.write_all(&OK[OK.len() - 1..])?,
        }
        while connection.request()?.is_some() {
            connection.write_all(OK)?;
        }
        Ok(())
    }

    const fn is_proxied(self) -> bool {
        matches!(self, Self::Tunnel | Self::TunnelHandshake)
    }

    /// How many requests may have begun to come, and how many may have come as a whole.
    const fn came(self) -> (usize, usize) {
        match self {
            Self::Handshake | Self::Tunnel | Self::TunnelHandshake => (0, 0),
            Self::Request => (1, 0),
            Self::Silence | Self::Head | Self::Body => (1, 1),
        }
    }
}

/// A server that hangs.
struct Hung {
    server: Server,
    step: Step,
    /// It hangs.
    arrived: Signal,
    /// It goes on.
    gone: Signal,
    /// The connection is closed.
    closed: Signal,
}

impl Hung {
    fn new(step: Step, authority: &Authority) -> Self {
        let name = if step.is_proxied() { "as.example" } else { "127.0.0.1" };
        let tls = authority.server(name, Valid::Now);
        let (arrived, gone, closed) = (Signal::default(), Signal::default(), Signal::default());
        let (tell_arrived, wait, tell_closed) = (arrived.clone(), gone.clone(), closed.clone());
        let server = Server::new(move |connection| {
            step.reach(connection)?;
            tell_arrived.set();
            wait.wait_on_this_thread();
            let end = step.go_on(connection, Arc::clone(&tls));
            tell_closed.set();
            end
        });
        Self { server, step, arrived, gone, closed }
    }

    fn settings(&self, authority: &Authority) -> Settings {
        let settings = Settings::new().with_extra_root_der(authority.der());
        if !self.step.is_proxied() {
            return settings;
        }
        let proxy = format!("http://127.0.0.1:{}", self.server.port());
        let proxies = Proxies::from_variables(|name| match name {
            "all_proxy" => Some(proxy.clone()),
            "no_proxy" => Some("127.0.0.0/8".to_owned()),
            _ => None,
        });
        settings.with_proxies(proxies.expect("the proxy makes sense"))
    }

    fn request(&self) -> Request {
        match self.step {
            Step::Handshake => post(&self.server.https("/token")),
            Step::Tunnel | Step::TunnelHandshake => post("https://as.example/token"),
            Step::Request => {
                let body = SecretBytes::new(vec![b'x'; 16 << 20]);
                Request::form(Purpose::Token, endpoint(&self.server.http("/token")), body)
            }
            Step::Silence | Step::Head | Step::Body => post(&self.server.http("/token")),
        }
    }
}

/// A server that knows how many of its connections are open.
struct Watched {
    server: Server,
    ended: Arc<AtomicUsize>,
    tls: bool,
}

impl Watched {
    fn new(tls: Option<Arc<ServerConfig>>, answers_after: Duration) -> Self {
        let ended = Arc::new(AtomicUsize::new(0));
        let (count, is_tls) = (Arc::clone(&ended), tls.is_some());
        let server = Server::new(move |connection| {
            let end = (|| {
                if let Some(tls) = &tls {
                    connection.start_tls(Arc::clone(tls))?;
                }
                while connection.request()?.is_some() {
                    thread::sleep(answers_after);
                    connection.write_all(OK)?;
                }
                Ok(())
            })();
            count.fetch_add(1, Ordering::SeqCst);
            end
        });
        Self { server, ended, tls: is_tls }
    }

    fn url(&self, path: &str) -> String {
        if self.tls { self.server.https(path) } else { self.server.http(path) }
    }

    /// Waits until its connections are closed, and a little longer, for what must not come. Says how long the former took.
    async fn nothing_is_left(&self) -> Duration {
        const CALM: Duration = Duration::from_millis(30);
        let begun = Instant::now();
        let mut took = Duration::ZERO;
        // One that stood already may be accepted later.
        while begun.elapsed() < took + CALM {
            pause(Duration::from_millis(1)).await;
            if self.ended.load(Ordering::SeqCst) < self.server.connections() {
                took = begun.elapsed();
                assert!(took < CLOSED, "a connection stays open");
            }
        }
        assert!(self.server.connections() <= 1 && self.server.begun() <= 1, "a second copy came");
        took
    }

    async fn goes_on(&self, transport: &dyn Transport) {
        let next = transport.send(get(&self.url("/next"))).await;
        next.expect("the next request goes through");
        let lines = self.server.received().into_iter().map(|request| request.line);
        assert!(lines.filter(|line| line.starts_with("POST")).count() <= 1, "a second copy came");
    }
}

/// A server whose queue is full: to whoever wants to connect, the system does not answer.
struct Full {
    listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Full {
    /// `None` where the system has other ways.
    fn new() -> Option<Self> {
        let full = Self::filled();
        assert!(full.is_some() || !cfg!(target_os = "linux"), "the queue never fills");
        full
    }

    fn filled() -> Option<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).ok()?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).ok()?;
        socket.listen(1).ok()?;
        let listener = TcpListener::from(socket);
        listener.set_nonblocking(true).ok()?;
        let address = listener.local_addr().ok()?;
        let mut waiting = Vec::new();
        while waiting.len() < 64 {
            match TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
                Ok(stream) => waiting.push(stream),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Some(Self { listener, _waiting: waiting });
                }
                Err(_) => return None,
            }
        }
        None
    }

    fn url(&self) -> String {
        format!("http://{}/token", self.listener.local_addr().expect("a bound socket has an address"))
    }

    /// Accepts whoever waits, and says how many did.
    fn make_room(&self) -> usize {
        std::iter::from_fn(|| self.listener.accept().ok()).count()
    }
}

/// Polls so many times, each time when it was woken. `Some` where that was enough.
async fn polled(sending: &mut Sending<'_>, polls: usize) -> Option<Result<Response, Unreachable>> {
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match sending.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Polls until the other is over.
async fn until(sending: &mut Sending<'_>, other: impl Future<Output = ()>) {
    let mut other = std::pin::pin!(other);
    poll_fn(|context| {
        let early = sending.as_mut().poll(context);
        assert!(early.is_pending(), "nobody answers: {early:?}");
        other.as_mut().poll(context)
    })
    .await;
}

/// Sleeps on a thread of its own: no runtime's clock is at hand here.
pub(super) async fn pause(time: Duration) {
    let over = Signal::default();
    let tell = over.clone();
    thread::spawn(move || {
        thread::sleep(time);
        tell.set();
    });
    over.wait().await;
}
