use super::{Engine, MAX_CONNECTIONS, Net, PAUSE, SAFE};
use crate::address::Address;
use crate::listener::Listener;
use crate::options::ReceiveOptions;
use oauth_core::{AuthorizationResponse, NotOurs, Recognised};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A network of scripts, on virtual time.
#[derive(Clone)]
struct Script(Arc<Mutex<World>>);

struct World {
    now: Instant,
    newcomers: VecDeque<io::Result<Peer>>,
    accepts: usize,
    dropped: Vec<usize>,
}

/// Sends its bytes and then says nothing more.
struct Peer {
    number: usize,
    sends: Vec<u8>,
    world: Arc<Mutex<World>>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.world.lock().unwrap().dropped.push(self.number);
    }
}

impl Net for Script {
    type Listener = ();
    type Stream = Peer;

    fn listen(&mut self, _: std::net::TcpListener) -> io::Result<()> {
        Ok(())
    }

    fn poll_accept(&mut self, _: &mut (), _: &mut Context<'_>) -> Poll<io::Result<Peer>> {
        let mut world = self.0.lock().unwrap();
        world.accepts += 1;
        world.newcomers.pop_front().map_or(Poll::Pending, Poll::Ready)
    }

    fn poll_read(peer: &mut Peer, _: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        if peer.sends.is_empty() {
            return Poll::Pending;
        }
        let count = peer.sends.len().min(bytes.len());
        bytes[..count].copy_from_slice(&peer.sends[..count]);
        peer.sends.drain(..count);
        Poll::Ready(Ok(count))
    }

    fn poll_write(_: &mut Peer, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn half_close(_: &mut Peer, _: &mut Context<'_>) {}

    fn share((): &()) -> io::Result<std::net::TcpListener> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn now(&self) -> Instant {
        self.0.lock().unwrap().now
    }

    fn poll_until(&mut self, instant: Instant, _: &mut Context<'_>) -> Poll<()> {
        if self.now() >= instant { Poll::Ready(()) } else { Poll::Pending }
    }
}

struct Rig {
    world: Arc<Mutex<World>>,
    engine: Engine<Script>,
    port: u16,
    /// How often the judge was asked.
    judged: usize,
}

impl Rig {
    fn new() -> Self {
        let now = Instant::now();
        let world = World { now, newcomers: VecDeque::new(), accepts: 0, dropped: Vec::new() };
        let world = Arc::new(Mutex::new(world));
        let listener = Listener::bind(&Address::new()).unwrap();
        let port = listener.port();
        let engine = Engine::new(Script(Arc::clone(&world)), listener, ReceiveOptions::new()).unwrap();
        Self { world, engine, port, judged: 0 }
    }

    fn peer(&self, number: usize, sends: &str) {
        let peer = Peer { number, sends: sends.as_bytes().to_vec(), world: Arc::clone(&self.world) };
        self.world.lock().unwrap().newcomers.push_back(Ok(peer));
    }

    fn callback(&self, number: usize) {
        self.peer(number, &format!("GET /callback?s HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port));
    }

    fn fails(&self, kind: io::ErrorKind) {
        self.world.lock().unwrap().newcomers.push_back(Err(kind.into()));
    }

    fn pass(&self, time: Duration) {
        self.world.lock().unwrap().now += time;
    }

    /// Whether the callback has come.
    fn poll(&mut self) -> bool {
        let judged = &mut self.judged;
        let mut judge = |response: &AuthorizationResponse<'_>| {
            *judged += 1;
            match response {
                AuthorizationResponse::Query("s") => Recognised::Ours,
                _ => Recognised::NotOurs(NotOurs::NoState),
            }
        };
        match self.engine.poll_callback(&mut Context::from_waker(Waker::noop()), &mut judge) {
            Poll::Ready(result) => result.is_ok(),
            Poll::Pending => false,
        }
    }

    fn dropped(&self) -> Vec<usize> {
        std::mem::take(&mut self.world.lock().unwrap().dropped)
    }
}

#[test]
fn lb_03_the_one_that_was_silent_for_longest_makes_room() {
    let mut rig = Rig::new();
    for number in 0..MAX_CONNECTIONS {
        rig.peer(number, "");
        assert!(!rig.poll());
        rig.pass(Duration::from_millis(1));
    }
    rig.pass(SAFE);
    assert!(rig.dropped().is_empty(), "nobody is evicted for nobody");
    rig.peer(100, "");
    rig.peer(101, "");
    assert!(!rig.poll());
    assert_eq!(rig.dropped(), [0, 1]);
    assert_eq!(rig.engine.connections.len(), MAX_CONNECTIONS);
}

#[test]
fn lb_03_a_flood_does_not_push_out_who_just_came() {
    let mut rig = Rig::new();
    for number in 0..200 {
        rig.peer(number, "");
    }
    assert!(!rig.poll());
    assert_eq!(rig.engine.connections.len(), MAX_CONNECTIONS);
    assert!(rig.dropped().is_empty(), "each has its chance to speak");
    rig.pass(SAFE);
    assert!(!rig.poll());
    assert_eq!(rig.dropped().len(), MAX_CONNECTIONS, "and then makes room");
    rig.callback(200);
    rig.pass(SAFE);
    assert!(!rig.poll(), "it is the last in the queue");
    rig.pass(SAFE);
    assert!(rig.poll());
}

#[test]
fn lb_03_the_callback_is_not_evicted_while_it_waits() {
    let mut rig = Rig::new();
    rig.callback(0);
    assert!(rig.poll());
    rig.pass(SAFE);
    for number in 1..=MAX_CONNECTIONS {
        rig.peer(number, "");
    }
    assert!(rig.engine.poll_end(&mut Context::from_waker(Waker::noop())).is_pending());
    rig.pass(SAFE);
    assert!(rig.engine.poll_end(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(rig.dropped(), [1], "the oldest of the others");
}

#[test]
fn lb_12_of_two_that_come_at_once_one_is_taken() {
    let mut rig = Rig::new();
    rig.callback(0);
    rig.callback(1);
    assert!(rig.poll());
    assert_eq!(rig.judged, 1);
    let held = rig.engine.connections.iter().filter(|connection| connection.conversation.is_held()).count();
    assert_eq!(held, 1, "the other has its page already");
}

#[test]
fn lb_04_an_aborted_accept_is_nothing() {
    let mut rig = Rig::new();
    rig.fails(io::ErrorKind::ConnectionAborted);
    rig.fails(io::ErrorKind::ConnectionReset);
    rig.callback(0);
    assert!(rig.poll());
}

#[test]
fn lb_04_a_system_without_sockets_is_not_asked_all_the_time() {
    let mut rig = Rig::new();
    rig.peer(0, "");
    assert!(!rig.poll());
    rig.pass(SAFE);
    rig.fails(io::ErrorKind::OutOfMemory);
    rig.callback(1);
    assert!(!rig.poll());
    assert_eq!(rig.dropped(), [0], "an idle one is given back");
    let accepts = rig.world.lock().unwrap().accepts;
    assert!(!rig.poll());
    assert_eq!(rig.world.lock().unwrap().accepts, accepts);
    rig.pass(PAUSE);
    assert!(rig.poll());
}

#[test]
fn lb_17_once_cancelled_nobody_is_accepted_who_came_for_the_next_login() {
    let mut rig = Rig::new();
    let cx = &mut Context::from_waker(Waker::noop());
    let now = rig.world.lock().unwrap().now;
    rig.peer(0, "");
    rig.peer(1, "");
    assert!(rig.engine.accept(&mut (), now, cx).is_some());
    rig.engine.signal.cancel();
    assert!(rig.engine.accept(&mut (), now, cx).is_none(), "in the middle of a turn");
    assert_eq!(rig.world.lock().unwrap().newcomers.len(), 1, "it waits for the other");
}
