//! A fault at every byte of a request and of its response.
//!
//! A sample of the bytes is tried always, and each of them where the environment variable `OAUTH_SWEEP` is `all`.

use super::Engine;
use super::connections::all;
use super::faulty::{Fault, Faulty, Plan, Side, Wire};
use super::server::Server;
use super::subject::{SHORT, assert_presentable, endpoint, figures, get, post, promptly, transport};
use super::tls::{Authority, Valid};
use crate::{Settings, Transport};
use oauth_core::{Delivered, Purpose, Request, Response, SecretBytes, Unreachable, UnreachableKind};
use rustls::ServerConfig;
use rustls::server::ServerSessionMemoryCache;
use std::io::Write as _;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const TOKEN: &str = "{\"access_token\":\"swept\"}";
/// Nothing but a stall takes anywhere near so long.
const LIMIT: Duration = Duration::from_secs(5);
/// Enough for as many handshakes as are under way at once.
const SHORT_FOR_TLS: Duration = Duration::from_secs(1);
/// By how much a limit may be missed.
const LATE: Duration = Duration::from_secs(1);
/// How many requests are under way at once where all they do is wait: handshakes are work.
const AT_ONCE: usize = 32;
const AT_ONCE_OVER_TLS: usize = 16;
/// Signatures differ in their length, and a request may come in one record or in two.
const JITTER: usize = 32;

/// Reset, closed, stalled or slow at any byte: no part of a response is taken for the whole, nothing is waited for longer
/// than it may take, what may have arrived is told, no second copy is sent, and the next request goes through.
pub fn t5_faults_at_any_byte_are_told<E: Engine>() {
    Sweep::new::<E>("plain", None, Settings::new()).run::<E>(&[Framing::Length], 1, 13);
}

/// The same for a response in chunks.
pub fn t5_faults_at_any_byte_of_chunks_are_told<E: Engine>() {
    Sweep::new::<E>("plain, in chunks", None, Settings::new()).run::<E>(&[Framing::Chunks], 1, 13);
}

/// The same for the bytes of TLS, its handshake among them.
pub fn t5_faults_at_any_byte_of_tls_are_told<E: Engine>() {
    let authority = Authority::new();
    let settings = Settings::new().with_extra_root_der(authority.der());
    let sweep = Sweep::new::<E>("TLS", Some(authority.server("127.0.0.1", Valid::Now)), settings);
    let framings = [Framing::Length, Framing::Chunks];
    sweep.run::<E>(if is_whole() { &framings } else { &framings[..1] }, 7, 7 * 26);
}

fn is_whole() -> bool {
    std::env::var_os("OAUTH_SWEEP").is_some_and(|value| value == "all")
}

/// The same where the transport is in the middle of writing: more than the buffers of any socket hold.
pub fn faults_in_the_middle_of_a_long_request_are_told<E: Engine>() {
    const LONG: usize = 16 << 20;
    for (fault, kind) in [
        (Fault::Reset, UnreachableKind::Broken),
        (Fault::Fin, UnreachableKind::Broken),
        (Fault::Stall, UnreachableKind::Timeout),
    ] {
        let plan = Plan { side: Side::Request, offset: 1 << 20, fault };
        let target = Target::new(None, Framing::Length, Some(plan));
        let transport = transport::<E>(Settings::new().with_total_timeout(2 * SHORT));
        let request = Request::form(
            Purpose::Token,
            endpoint(&target.url("/token")),
            SecretBytes::new(vec![b'x'; LONG]),
        );
        promptly(|| {
            E::block_on(async {
                let result = transport.send(request).await;
                assert!(target.wire.is_struck(), "{fault:?}");
                let error = result.expect_err("it never arrives as a whole");
                assert_eq!((error.kind, error.delivered), (kind, Delivered::Unknown), "{fault:?}: {error:?}");
                assert_presentable(&error);
                target.wire.release.set();
                target.goes_on(&*transport).await;
            });
        });
    }
}

/// How a response says where it ends.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Length,
    Chunks,
}

impl Framing {
    fn answer(self) -> Vec<u8> {
        let (framing, body) = match self {
            Self::Length => ("content-length: 24", TOKEN.to_owned()),
            Self::Chunks => {
                let (first, second) = TOKEN.split_at(9);
                (
                    "transfer-encoding: chunked",
                    format!("9\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", second.len()),
                )
            }
        };
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{framing}\r\n\r\n{body}").into_bytes()
    }
}

/// A server whose first connection has a fault, and whose others have none.
struct Target {
    server: Server,
    tls: bool,
    wire: Arc<Wire>,
    plan: Option<Plan>,
}

impl Target {
    fn new(tls: Option<&Arc<ServerConfig>>, framing: Framing, plan: Option<Plan>) -> Self {
        let wire = Arc::new(Wire::default());
        // Each remembers sessions of its own, so that every first handshake is a whole one.
        let config = tls.map(|config| {
            let mut config = ServerConfig::clone(config);
            config.session_storage = ServerSessionMemoryCache::new(4);
            Arc::new(config)
        });
        let (answer, watched) = (framing.answer(), Arc::clone(&wire));
        let server = Server::new(move |connection| {
            let is_first = connection.number() == 0;
            if is_first {
                connection.put_between(|socket| Faulty::new(socket, plan, Arc::clone(&watched)))?;
            }
            if let Some(config) = &config {
                connection.start_tls(Arc::clone(config))?;
            }
            while let Some(request) = connection.request()? {
                if request.line.starts_with("GET") {
                    // Hundreds of servers are not to be kept in mind.
                    write!(
                        connection,
                        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 24\r\n\r\n{TOKEN}"
                    )?;
                    return connection.close();
                }
                connection.write_all(&answer)?;
                connection.flush()?;
                if is_first {
                    watched.disarm();
                }
            }
            Ok(())
        });
        Self { server, tls: tls.is_some(), wire, plan }
    }

    fn url(&self, path: &str) -> String {
        if self.tls { self.server.https(path) } else { self.server.http(path) }
    }

    /// The next request goes through. Says how many were sent: a busy machine may let the time of one run out.
    async fn goes_on(&self, transport: &dyn Transport) -> usize {
        for number in 1..=3 {
            match transport.send(get(&self.url("/next"))).await {
                Ok(response) => {
                    assert_eq!(response.body(), TOKEN.as_bytes());
                    return number;
                }
                Err(error) => assert_eq!(error.kind, UnreachableKind::Timeout, "{:?}: {error:?}", self.plan),
            }
        }
        panic!("after {:?} nothing goes through", self.plan)
    }
}

/// What happened so far.
struct Sweep {
    name: &'static str,
    tls: Option<Arc<ServerConfig>>,
    settings: Settings,
    /// How long a stall may last.
    stall: Duration,
    patient: Box<dyn Transport>,
    hasty: Box<dyn Transport>,
    offsets: usize,
    faults: usize,
    accepted: usize,
    refused: usize,
    timed_out: usize,
    longest: Duration,
}

impl Sweep {
    fn new<E: Engine>(name: &'static str, tls: Option<Arc<ServerConfig>>, settings: Settings) -> Self {
        let stall = if tls.is_some() { SHORT_FOR_TLS } else { SHORT };
        Self {
            name,
            tls,
            stall,
            patient: transport::<E>(settings.clone().with_total_timeout(LIMIT)),
            hasty: transport::<E>(settings.clone().with_total_timeout(stall)),
            settings,
            offsets: 0,
            faults: 0,
            accepted: 0,
            refused: 0,
            timed_out: 0,
            longest: Duration::ZERO,
        }
    }

    /// Tries each byte that is that many after the last one: the former number for the whole, the latter for a sample.
    fn run<E: Engine>(mut self, framings: &[Framing], whole: usize, sample: usize) {
        let begun = Instant::now();
        let step = if is_whole() { whole } else { sample };
        let mut planned = 0;
        let mut harmless = 0;
        for framing in framings.iter().copied() {
            let whole = Target::new(self.tls.as_ref(), framing, None);
            // A transport that knows nothing yet of any TLS session says the least.
            let transport = transport::<E>(self.settings.clone());
            let response = E::block_on(transport.send(post(&whole.url("/token"))));
            assert_eq!(response.expect("the server answers").body(), TOKEN.as_bytes());
            let whole = whole.wire;
            while !whole.is_disarmed() {
                thread::sleep(Duration::from_millis(1));
            }
            let plans = self.plans(&whole, step);
            planned += plans.len();
            harmless += plans.iter().filter(|plan| plan.fault.is_harmless()).count();
            E::block_on(self.play(framing, &plans, &whole));
        }
        figures(&format!(
            "sweep of {} on {}: {} offsets, {} faults, {} accepted, {} refused, {} of them in time; the longest took {:?}, \
             all of it {:?}",
            self.name,
            self.hasty.name(),
            self.offsets,
            self.faults,
            self.accepted,
            self.refused,
            self.timed_out,
            self.longest,
            begun.elapsed(),
        ));
        assert_eq!((self.faults, self.accepted + self.refused), (planned, planned));
        // A fault after the last byte is none, and so is one that a shorter handshake leaves no place for.
        let none = framings.len() * 2 * 3 * if self.tls.is_some() { 2 + JITTER / step } else { 1 };
        assert!((harmless..=harmless + none).contains(&self.accepted), "{} are accepted", self.accepted);
    }

    /// A fault of each kind before each byte, and after the last one.
    fn plans(&mut self, whole: &Wire, step: usize) -> Vec<Plan> {
        let mut plans = Vec::new();
        for (side, length) in [(Side::Request, whole.read()), (Side::Response, whole.written())] {
            assert!(length > 90, "{side:?} has {length} bytes");
            let mut offsets: Vec<_> = (0..length).step_by(step).chain([1, length - 1, length]).collect();
            offsets.sort_unstable();
            offsets.dedup();
            self.offsets += offsets.len();
            for offset in offsets {
                for fault in [Fault::Reset, Fault::Fin, Fault::Stall, Fault::OneByte] {
                    plans.push(Plan { side, offset, fault });
                }
            }
            plans.push(Plan { side, offset: 0, fault: Fault::EachByte });
        }
        plans
    }

    async fn play(&mut self, framing: Framing, plans: &[Plan], whole: &Wire) {
        let (stalls, others): (Vec<_>, Vec<_>) =
            plans.iter().copied().partition(|plan| plan.fault == Fault::Stall);
        for plan in others {
            let target = Target::new(self.tls.as_ref(), framing, Some(plan));
            let begun = Instant::now();
            let result = self.patient.send(post(&target.url("/token"))).await;
            let took = begun.elapsed();
            assert!(took < LIMIT + LATE, "{plan:?}: it took {took:?}");
            let delivered = self.judge(plan, &target, whole, result, took);
            let gets = target.goes_on(&*self.patient).await;
            no_copy(&target, delivered, gets);
        }
        let mut stalls = stalls;
        for _ in 0..3 {
            let mut missed = Vec::new();
            for plans in stalls.chunks(if self.tls.is_some() { AT_ONCE_OVER_TLS } else { AT_ONCE }) {
                missed.extend(self.stall(framing, plans, whole).await);
            }
            // On a busy machine time may run out on the way there.
            stalls = missed;
        }
        assert!(stalls.is_empty(), "time runs out before these come: {stalls:?}");
    }

    /// Plays all of these at once. Gives back those that did not get as far as their fault.
    async fn stall(&mut self, framing: Framing, plans: &[Plan], whole: &Wire) -> Vec<Plan> {
        let mut missed = Vec::new();
        let target = |plan: &Plan| Target::new(self.tls.as_ref(), framing, Some(*plan));
        let targets: Vec<_> = plans.iter().map(target).collect();
        let sent = targets.iter().map(|target| self.hasty.send(post(&target.url("/token")))).collect();
        let begun = Instant::now();
        let results = all(sent).await;
        let took = begun.elapsed();
        assert!(took < self.stall + LATE, "{plans:?}: they took {took:?}");
        for ((plan, target), result) in plans.iter().zip(&targets).zip(results) {
            if !target.wire.is_struck()
                && result.as_ref().is_err_and(|error| error.kind == UnreachableKind::Timeout)
            {
                missed.push(*plan);
                continue;
            }
            let delivered = self.judge(*plan, target, whole, result, took);
            target.wire.release.set();
            let gets = target.goes_on(&*self.hasty).await;
            no_copy(target, delivered, gets);
        }
        missed
    }

    /// Whether the right thing came of it.
    fn judge(
        &mut self,
        plan: Plan,
        target: &Target,
        whole: &Wire,
        result: Result<Response, Unreachable>,
        took: Duration,
    ) -> Delivered {
        let struck = target.wire.is_struck();
        let length = if plan.side == Side::Request { whole.read() } else { whole.written() };
        let jitter = if target.tls { JITTER } else { 0 };
        assert!(struck || plan.offset + jitter >= length, "{plan:?}: nothing happened: {result:?}");
        self.faults += 1;
        self.longest = self.longest.max(took);
        let error = match result {
            Ok(response) => {
                assert!(!struck || plan.fault.is_harmless(), "{plan:?}: a part is taken for the whole");
                assert_eq!(
                    (response.status().as_u16(), response.body()),
                    (200, TOKEN.as_bytes()),
                    "{plan:?}"
                );
                assert_eq!(response.headers()["content-type"], "application/json", "{plan:?}");
                self.accepted += 1;
                return Delivered::Unknown;
            }
            Err(error) => error,
        };
        assert!(struck && !plan.fault.is_harmless(), "{plan:?}: all of it came: {error:?}");
        self.refused += 1;
        assert_presentable(&error);
        let came =
            if target.tls { target.server.begun() } else { target.wire.read() + target.wire.drained() };
        if came > 0 {
            assert_eq!(error.delivered, Delivered::Unknown, "{plan:?}: {came} came: {error:?}");
        }
        // As long as the server has not said all of its part, there is no TLS to send anything through.
        let cannot_come = target.tls && target.wire.written() + JITTER < whole.flight();
        if cannot_come {
            assert_eq!(error.delivered, Delivered::No, "{plan:?}: {error:?}");
        }
        use UnreachableKind::{Broken, Connect, Timeout, Tls};
        let kinds = match plan.fault {
            Fault::Stall => &[Timeout][..],
            _ if cannot_come => &[Connect, Tls],
            // Who has not begun yet may see that nobody is there.
            _ if came == 0 && target.tls => &[Connect, Broken, Tls],
            _ if came == 0 => &[Connect, Broken],
            _ => &[Broken],
        };
        assert!(kinds.contains(&error.kind), "{plan:?}: one of {kinds:?}: {error:?}");
        self.timed_out += usize::from(error.kind == Timeout);
        error.delivered
    }
}

/// A request that is spent by being sent is sent once, and not at all where it is said so.
fn no_copy(target: &Target, delivered: Delivered, gets: usize) {
    let posts = target.server.received().iter().filter(|request| request.line.starts_with("POST")).count();
    let posts = posts.max(target.server.begun().saturating_sub(gets));
    assert!(posts <= 1, "{:?}: {posts} copies", target.plan);
    if delivered == Delivered::No {
        let came = if target.tls { posts } else { posts + target.wire.drained() };
        assert_eq!(came, 0, "{:?}: something came after all", target.plan);
    }
}
