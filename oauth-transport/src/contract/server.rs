//! Scripted servers: a thread per connection, raw bytes, TLS where wanted.

use super::tls::Handshake;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// No script waits longer than this for a byte, so that a broken transport fails its case and does not hang it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that runs a script on each connection. Stops accepting when it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    stopped: AtomicBool,
    connections: AtomicUsize,
    drained: AtomicUsize,
    begun: AtomicUsize,
    received: Mutex<Vec<Received>>,
    handshakes: Mutex<Vec<Result<Handshake, String>>>,
    notes: Mutex<Vec<Vec<u8>>>,
    peers: Mutex<Vec<SocketAddr>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// The request line.
    pub(super) line: String,
    /// Names in lower case, and values, in their order.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The sizes of the chunks that the body came in, the last one apart.
    pub(super) chunks: Vec<usize>,
}

impl Received {
    /// All values of a header.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }
}

impl Server {
    /// A server on a free port of 127.0.0.1.
    pub(super) fn new(script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::at(Ipv4Addr::LOCALHOST.into(), script)
    }

    /// The same on another address of this machine.
    pub(super) fn at(
        address: IpAddr,
        script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start(address, None, script)
    }

    /// The same behind TLS.
    pub(super) fn tls(
        config: Arc<ServerConfig>,
        script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start(Ipv4Addr::LOCALHOST.into(), Some(config), script)
    }

    /// A server that gives every request the same answer.
    pub(super) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |connection| {
            while connection.request()?.is_some() {
                connection.write_all(&answer)?;
            }
            Ok(())
        })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) const fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it accepted.
    pub(super) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many requests began to come.
    pub(super) fn begun(&self) -> usize {
        self.state.begun.load(Ordering::SeqCst)
    }

    /// How many bytes came while scripts waited for connections to be closed.
    pub(super) fn drained(&self) -> usize {
        self.state.drained.load(Ordering::SeqCst)
    }

    /// The requests it read so far.
    pub(super) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its TLS handshakes so far: what it saw, or what it says of those that failed.
    pub(super) fn handshakes(&self) -> Vec<Result<Handshake, String>> {
        self.state.handshakes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The one handshake, which went well.
    pub(super) fn handshake(&self) -> Handshake {
        let mut handshakes = self.handshakes();
        assert_eq!(handshakes.len(), 1, "one connection: {handshakes:?}");
        handshakes.remove(0).expect("the handshake goes well")
    }

    /// What its script noted.
    pub(super) fn notes(&self) -> Vec<Vec<u8>> {
        self.state.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where its connections came from.
    pub(super) fn peers(&self) -> Vec<SocketAddr> {
        self.state.peers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The one request it read.
    pub(super) fn only(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "one request is sent once: {received:?}");
        received.remove(0)
    }

    fn start(
        address: IpAddr,
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(State::default());
        let script = Arc::new(script);
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { return };
                if let Ok(peer) = stream.peer_addr() {
                    shared.peers.lock().unwrap_or_else(PoisonError::into_inner).push(peer);
                }
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let (script, tls, state) = (Arc::clone(&script), tls.clone(), Arc::clone(&shared));
                thread::spawn(move || {
                    // What a transport does to a connection is for its case to judge, by what it received.
                    let _ = Connection::new(stream, number, state)
                        .and_then(|connection| match tls {
                            Some(config) => connection.into_tls(config),
                            None => Ok(connection),
                        })
                        .and_then(|mut connection| script(&mut connection));
                });
            }
        });
        Self { address, state }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then sees the flag.
        let _ = TcpStream::connect(self.address);
    }
}

/// What moves the bytes of a connection.
pub(super) trait Duplex: Read + Write + Send {}

impl<T: Read + Write + Send> Duplex for T {}

/// One accepted connection.
pub(super) struct Connection {
    stream: Stream,
    number: usize,
    state: Arc<State>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, Self>>),
    /// With something between.
    Through(Box<dyn Duplex>),
    /// A handshake has it, or had.
    Taken,
}

impl Connection {
    fn new(stream: TcpStream, number: usize, state: Arc<State>) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: Stream::Plain(stream), number, state })
    }

    /// Keeps bytes for the case to look at.
    pub(super) fn note(&self, bytes: &[u8]) {
        self.state.notes.lock().unwrap_or_else(PoisonError::into_inner).push(bytes.to_vec());
    }

    /// Reads so many bytes, and notes them.
    pub(super) fn noted(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes)?;
        self.note(&bytes);
        Ok(bytes)
    }

    /// What was chosen by ALPN.
    pub(super) fn protocol(&self) -> Option<&[u8]> {
        match &self.stream {
            Stream::Plain(_) | Stream::Through(_) | Stream::Taken => None,
            Stream::Tls(stream) => stream.conn.alpn_protocol(),
        }
    }

    /// The socket, where nothing is between.
    pub(super) fn socket(&self) -> io::Result<&TcpStream> {
        match &self.stream {
            Stream::Plain(stream) => Ok(stream),
            _ => Err(io::Error::other("there is something between")),
        }
    }

    /// Puts something between the socket and the script.
    pub(super) fn put_between<T: Duplex + 'static>(
        &mut self,
        between: impl FnOnce(TcpStream) -> T,
    ) -> io::Result<()> {
        match mem::replace(&mut self.stream, Stream::Taken) {
            Stream::Plain(stream) => self.stream = Stream::Through(Box::new(between(stream))),
            _ => return Err(io::Error::other("there is something between")),
        }
        Ok(())
    }

    /// Which connection of its server this is, from zero.
    pub(super) const fn number(&self) -> usize {
        self.number
    }

    /// Speaks TLS from here on.
    pub(super) fn into_tls(self, config: Arc<ServerConfig>) -> io::Result<Self> {
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, self.stream);
        let mut handshake = Ok(());
        while handshake.is_ok() && stream.conn.is_handshaking() {
            handshake = stream.conn.complete_io(&mut stream.sock).map(drop);
        }
        let note = handshake.as_ref().map(|()| Handshake::of(&stream.conn)).map_err(ToString::to_string);
        self.state.handshakes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        if let Err(error) = handshake {
            // rustls writes once; the alert may stand behind something else.
            while stream.conn.wants_write()
                && stream.conn.write_tls(&mut stream.sock).is_ok_and(|written| written > 0)
            {}
            // A socket that is closed with bytes unread is reset, and the alert may be lost with it.
            let mut plain = Self { stream: stream.sock, number: self.number, state: self.state };
            if let Stream::Plain(stream) = &plain.stream {
                let _ = stream.shutdown(Shutdown::Write);
            }
            plain.wait_until_closed();
            return Err(error);
        }
        Ok(Self { stream: Stream::Tls(Box::new(stream)), number: self.number, state: self.state })
    }

    /// The same in place, for a script that was a proxy first; inside TLS, where there is some already.
    pub(super) fn start_tls(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        let stream = mem::replace(&mut self.stream, Stream::Taken);
        *self = Self { stream, number: self.number, state: Arc::clone(&self.state) }.into_tls(config)?;
        Ok(())
    }

    /// Reads a request; `None` when the transport closed instead.
    pub(super) fn request(&mut self) -> io::Result<Option<Received>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if self.stream.read(&mut byte)? == 0 {
                return if head.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            if head.is_empty() {
                self.state.begun.fetch_add(1, Ordering::SeqCst);
            }
            head.push(byte[0]);
        }
        let text = String::from_utf8(head).map_err(io::Error::other)?;
        let mut lines = text.trim_end().split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let headers: Vec<(String, String)> = lines
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap_or((line, ""));
                (name.to_ascii_lowercase(), value.to_owned())
            })
            .collect();
        let mut received = Received { line, headers, body: Vec::new(), chunks: Vec::new() };
        if received.all("transfer-encoding") == ["chunked"] {
            self.chunks(&mut received)?;
        } else {
            let length =
                received.all("content-length").first().and_then(|length| length.parse().ok()).unwrap_or(0);
            received.body.resize(length, 0);
            self.stream.read_exact(&mut received.body)?;
        }
        self.state.received.lock().unwrap_or_else(PoisonError::into_inner).push(received.clone());
        Ok(Some(received))
    }

    /// RFC 9112 section 7.1, without extensions and trailers.
    fn chunks(&mut self, received: &mut Received) -> io::Result<()> {
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                let mut byte = [0];
                self.stream.read_exact(&mut byte)?;
                line.push(byte[0]);
            }
            let size = String::from_utf8_lossy(&line);
            let size = usize::from_str_radix(size.trim_end(), 16).map_err(io::Error::other)?;
            let mut chunk = vec![0; size + 2];
            self.stream.read_exact(&mut chunk)?;
            if size == 0 {
                return Ok(());
            }
            received.chunks.push(size);
            received.body.extend_from_slice(&chunk[..size]);
        }
    }

    /// Hangs up, both ways.
    pub(super) fn shut_down(&self) {
        if let Stream::Plain(stream) = &self.stream {
            // A connection that is gone already is as good.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Hangs up as one should: over TLS with a close_notify.
    pub(super) fn close(&mut self) -> io::Result<()> {
        if let Stream::Tls(stream) = &mut self.stream {
            stream.conn.send_close_notify();
            stream.flush()?;
        }
        Ok(())
    }

    /// Waits until the transport closes; says whether it did, in time.
    pub(super) fn wait_until_closed(&mut self) -> bool {
        let mut rest = [0; 1024];
        loop {
            match self.stream.read(&mut rest) {
                Ok(0) => return true,
                Ok(bytes) => drop(self.state.drained.fetch_add(bytes, Ordering::SeqCst)),
                Err(error) => {
                    return !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
                }
            }
        }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
            Self::Through(stream) => stream.read(buffer),
            Self::Taken => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
            Self::Through(stream) => stream.write(bytes),
            Self::Taken => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
            Self::Through(stream) => stream.flush(),
            Self::Taken => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}
