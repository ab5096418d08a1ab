//! The driver for plain threads: blocks the one that calls it.

use crate::callback::Callback;
use crate::engine::{Engine, Net};
use crate::listener::Listener;
use crate::options::{ReceiveError, ReceiveOptions};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Token};
use oauth_core::{AuthorizationResponse, Recognised};
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

/// Waits for the authorization response that `judge` calls ours, and answers everybody else; blocks meanwhile.
///
/// `judge` is asked for each response that comes, until one is ours; `Pending::recognise` is meant for it. A
/// [cancel handle](Listener::cancel_handle) ends the wait from another thread. What is left to do after the callback
/// runs on a thread of its own.
///
/// # Errors
/// Time ran out, it was cancelled, or the system gives no sockets or no thread.
pub fn receive(
    listener: Listener,
    mut judge: impl FnMut(&AuthorizationResponse<'_>) -> Recognised + Send,
    options: ReceiveOptions,
) -> Result<Callback, ReceiveError> {
    let net = Mio::new().map_err(ReceiveError::Io)?;
    let mut engine = Engine::new(net, listener, options)?;
    let response = block_on(&mut engine, |engine, cx| engine.poll_callback(cx, &mut judge))
        .map_err(ReceiveError::Io)??;
    let reply = engine.reply();
    std::thread::Builder::new()
        .name("oauth-loopback".to_owned())
        // Without events nobody can be served any more: dropping the engine then closes everything.
        .spawn(move || drop(block_on(&mut engine, Engine::poll_end)))
        .map_err(ReceiveError::Io)?;
    Ok(Callback { response, reply })
}

/// Polls after every event, whatever it was: each socket is tried until it would block.
fn block_on<T>(
    engine: &mut Engine<Mio>,
    mut poll: impl FnMut(&mut Engine<Mio>, &mut Context<'_>) -> Poll<T>,
) -> io::Result<T> {
    let waker = engine.net().waker.clone();
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = poll(engine, &mut cx) {
            return Ok(value);
        }
        engine.net().park()?;
    }
}

const SOCKET: Token = Token(0);
const WAKER: Token = Token(1);

struct Mio {
    poll: mio::Poll,
    events: Events,
    waker: Waker,
    until: Option<Instant>,
}

impl Mio {
    fn new() -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let waker = Waker::from(Arc::new(Alarm(mio::Waker::new(poll.registry(), WAKER)?)));
        Ok(Self { poll, events: Events::with_capacity(128), waker, until: None })
    }

    fn park(&mut self) -> io::Result<()> {
        let timeout = self.until.take().map(|until| until.saturating_duration_since(Instant::now()));
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }
}

impl Net for Mio {
    type Listener = TcpListener;
    type Stream = TcpStream;

    fn listen(&mut self, socket: std::net::TcpListener) -> io::Result<TcpListener> {
        let mut listener = TcpListener::from_std(socket);
        self.poll.registry().register(&mut listener, SOCKET, Interest::READABLE)?;
        Ok(listener)
    }

    fn poll_accept(
        &mut self,
        listener: &mut TcpListener,
        _: &mut Context<'_>,
    ) -> Poll<io::Result<TcpStream>> {
        unless_blocked(listener.accept()).map_ok(|(stream, _)| stream).map(|accepted| {
            let mut stream = accepted?;
            self.poll.registry().register(&mut stream, SOCKET, Interest::READABLE | Interest::WRITABLE)?;
            Ok(stream)
        })
    }

    fn poll_read(stream: &mut TcpStream, _: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        unless_blocked(stream.read(bytes))
    }

    fn poll_write(stream: &mut TcpStream, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        unless_blocked(stream.write(bytes))
    }

    fn half_close(stream: &mut TcpStream, _: &mut Context<'_>) {
        // An error means that the peer is gone.
        let _ = stream.shutdown(Shutdown::Write);
    }

    fn share(listener: &Self::Listener) -> io::Result<std::net::TcpListener> {
        socket2::SockRef::from(listener).try_clone().map(Into::into)
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn poll_until(&mut self, instant: Instant, _: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= instant {
            return Poll::Ready(());
        }
        self.until = Some(instant);
        Poll::Pending
    }
}

/// A wake-up from another thread ends the [`park`](Mio::park).
struct Alarm(mio::Waker);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        // It fails only when the system is out of everything; the next deadline then does it.
        let _ = self.0.wake();
    }
}

fn unless_blocked<T>(result: io::Result<T>) -> Poll<io::Result<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        result => Poll::Ready(result),
    }
}
