//! Servers that answer without end: what is read of it, and what it costs.

use super::Engine;
use super::server::{Connection, Server};
use super::subject::{PROMPT, SHORT, again, assert_fails, figures, get, post, transport};
use crate::session::{Coding, Session, SessionSettings};
use crate::{EventSink, Settings, Transport as _};
use flate2::Compression;
use flate2::write::GzEncoder;
use oauth_core::{Delivered, UnreachableKind};
use socket2::SockRef;
use std::collections::BTreeMap;
use std::fs;
use std::hint;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;
const SEND_BUFFER: usize = 16 << 10;
/// A server that would send this much is not stopped in time.
const FAR_TOO_MUCH: usize = 50 * MIB;
/// A body of the limit, and what the sockets on both sides hold of the rest.
const BODY_AT_MOST: usize = 2 * MIB;
/// The same for a head.
const HEAD_AT_MOST: usize = MIB / 2;
/// By how much a process may grow over a response that is refused.
const GROWTH_AT_MOST: usize = 8 * MIB;
const CHILD: &str = "OAUTH_TRANSPORT_CONTRACT_FLOODS";

/// Each is refused, soon, and with little read, and the process stays small. Runs itself again in a process of its own, whose
/// memory nobody else uses.
pub fn t4_floods_are_refused_in_little_memory<E: Engine>() {
    if let Ok(url) = std::env::var(CHILD) {
        Memory::is_seen_to_grow();
        for flood in Flood::ALL {
            flood.is_refused::<E>(&url);
        }
        return;
    }
    let taken: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let counts = Arc::clone(&taken);
    let server = Server::new(move |connection| {
        while let Some(request) = connection.request()? {
            let path = request.line.split(' ').nth(1).unwrap_or_default();
            let path = path.split('?').next().unwrap_or_default().trim_start_matches('/');
            let Some(flood) = Flood::ALL.into_iter().find(|flood| format!("{flood:?}") == path) else {
                connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")?;
                continue;
            };
            // Small, so that what is counted is what was read, and little else.
            SockRef::from(connection.socket()?).set_send_buffer_size(SEND_BUFFER)?;
            let mut sender = Sender { connection, taken: 0 };
            // It goes on until it is hung up on.
            let _ = flood.send(&mut sender);
            counts.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), sender.taken);
            return Ok(());
        }
        Ok(())
    });
    let mut child = again("t4_floods_are_refused_in_little_memory");
    let output = child.env(CHILD, server.http("/")).output().expect("a test can run its program");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let shown: Vec<_> = said.lines().filter_map(|line| line.find("flood ").map(|at| &line[at..])).collect();
    let taken = || taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let begun = Instant::now();
    while taken().len() < Flood::ALL.len() && begun.elapsed() < PROMPT {
        // The process is gone, and the server has yet to notice.
        thread::sleep(Duration::from_millis(10));
    }
    for flood in Flood::ALL {
        let name = format!("{flood:?}");
        let taken = taken().get(&name).copied();
        let taken = taken.unwrap_or_else(|| panic!("{name}: the process did not get here: {said}"));
        let line = shown.iter().find(|line| line.starts_with(&format!("flood {name}:")));
        let line = line.unwrap_or_else(|| panic!("{name} is not told: {said}"));
        figures(&format!("{line}; {} KiB taken", taken >> 10));
        let (_, most) = flood.end();
        assert!(most.is_none_or(|most| taken < most), "{name}: {taken} bytes were taken off the server");
    }
}

/// An answer that is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flood {
    /// A length that is said.
    Announced,
    /// A body that ends with the connection, which does not end.
    Endless,
    Chunks,
    /// One chunk, whose size is the largest there is.
    Chunk,
    /// A small body that is large once it is decoded.
    Bomb,
    /// The same, twice over.
    BombInBomb,
    HeaderLines,
    HeaderLine,
    StatusLine,
    /// Lines after the last chunk.
    Trailers,
    /// A size of a chunk that is followed by extensions without end.
    Extensions,
    /// 1xx responses.
    Interim,
}

impl Flood {
    const ALL: [Self; 12] = [
        Self::Announced,
        Self::Endless,
        Self::Chunks,
        Self::Chunk,
        Self::Bomb,
        Self::BombInBomb,
        Self::HeaderLines,
        Self::HeaderLine,
        Self::StatusLine,
        Self::Trailers,
        Self::Extensions,
        Self::Interim,
    ];

    /// How it may be refused, and how much of it may be read. Where that is not bounded, nothing of it is kept, and its time
    /// may be what ends it.
    const fn end(self) -> (&'static [UnreachableKind], Option<usize>) {
        use UnreachableKind::{Broken, NotHttp, Timeout, TooLarge};
        match self {
            Self::Announced | Self::Endless | Self::Chunks | Self::Chunk | Self::Bomb | Self::BombInBomb => {
                (&[TooLarge], Some(BODY_AT_MOST))
            }
            Self::HeaderLines | Self::HeaderLine | Self::StatusLine => (&[TooLarge], Some(HEAD_AT_MOST)),
            Self::Trailers => (&[TooLarge, NotHttp], Some(HEAD_AT_MOST)),
            Self::Extensions => (&[TooLarge, NotHttp, Timeout], None),
            Self::Interim => (&[TooLarge, NotHttp, Broken, Timeout], None),
        }
    }

    fn send(self, to: &mut Sender<'_>) -> io::Result<()> {
        const SPACES: &[u8] = &[b' '; 16 << 10];
        const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        match self {
            Self::Announced => {
                to.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {FAR_TOO_MUCH}\r\n\r\n").as_bytes())?;
                to.flood_with(SPACES)
            }
            Self::Endless => {
                to.send(b"HTTP/1.1 200 OK\r\n\r\n")?;
                to.flood_with(SPACES)
            }
            Self::Chunks => {
                to.send(CHUNKED)?;
                to.flood_with(&[b"4000\r\n", SPACES, b"\r\n"].concat())
            }
            Self::Chunk => {
                to.send(CHUNKED)?;
                to.send(b"7fffffffffffffff\r\n")?;
                to.flood_with(SPACES)
            }
            Self::Bomb | Self::BombInBomb => {
                let twice = self == Self::BombInBomb;
                let bomb = if twice { gzip(&bomb()) } else { bomb() };
                let coding = if twice { "gzip, gzip" } else { "gzip" };
                let length = bomb.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {length}\r\n\r\n"
                );
                to.send(head.as_bytes())?;
                to.send(&bomb)
            }
            Self::HeaderLines => {
                to.send(b"HTTP/1.1 200 OK\r\n")?;
                for number in 0..100_000 {
                    to.send(format!("x-line: {number}\r\n").as_bytes())?;
                }
                to.send(b"content-length: 2\r\n\r\n{}")
            }
            Self::HeaderLine => {
                to.send(b"HTTP/1.1 200 OK\r\nx-line:")?;
                to.flood_with(&[b'x'; 16 << 10])
            }
            Self::StatusLine => {
                to.send(b"HTTP/1.1 200 ")?;
                to.flood_with(&[b'x'; 16 << 10])
            }
            Self::Trailers => {
                to.send(CHUNKED)?;
                to.send(b"2\r\n{}\r\n0\r\n")?;
                to.flood_with("x-trailer: x\r\n".repeat(1000).as_bytes())
            }
            Self::Extensions => {
                to.send(CHUNKED)?;
                to.send(b"2;x=")?;
                loop {
                    to.send(&[b'x'; 16 << 10])?;
                }
            }
            Self::Interim => loop {
                to.send("HTTP/1.1 100 Continue\r\n\r\n".repeat(1000).as_bytes())?;
            },
        }
    }

    fn is_refused<E: Engine>(self, url: &str) {
        let (kinds, most) = self.end();
        let limit = if most.is_some() { PROMPT } else { SHORT };
        let settings = Settings::new().with_total_timeout(limit);
        let mut decoding = SessionSettings::new();
        decoding.accept_encodings = vec![Coding::Gzip];
        let session = Session::new(transport::<E>(settings), decoding, EventSink::none());
        let (result, took, growth) = E::block_on(async {
            // What is loaded once is loaded now.
            session.send(get(url)).await.expect("the server answers");
            let before = Memory::now();
            let begun = Instant::now();
            let result = session.send(post(&format!("{url}{self:?}"))).await;
            (result, begun.elapsed(), Memory::growth(before))
        });
        assert!(took < limit + Duration::from_secs(1), "{self:?}: it took {took:?}");
        assert!(growth.is_none_or(|growth| growth < GROWTH_AT_MOST), "{self:?}: {growth:?} bytes of memory");
        let error = assert_fails(result, kinds, Delivered::Unknown);
        let growth = growth.map_or_else(|| "?".to_owned(), |growth| (growth >> 10).to_string());
        figures(&format!("flood {self:?}: {:?} after {took:?}, {growth} KiB more memory", error.kind));
    }
}

/// A connection whose bytes are counted when the system takes them.
struct Sender<'a> {
    connection: &'a mut Connection,
    taken: usize,
}

impl Sender<'_> {
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = self.connection.write(bytes)?;
            self.taken += count;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    fn flood_with(&mut self, bytes: &[u8]) -> io::Result<()> {
        while self.taken < FAR_TOO_MUCH {
            self.send(bytes)?;
        }
        Ok(())
    }
}

/// 50 MiB of zeros in 50 kB.
fn bomb() -> Vec<u8> {
    // Members one after the other are one file (RFC 1952 section 2.2).
    gzip(&vec![0; MIB]).repeat(50)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory can be written to")
}

/// What this process uses, in bytes.
#[derive(Clone, Copy)]
struct Memory {
    resident: usize,
    /// The most it used since this was last asked for.
    peak: usize,
}

impl Memory {
    /// `None` where the system does not tell.
    fn now() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let of = |name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<usize>().ok().map(|kib| kib << 10)
        };
        let memory = Self { resident: of("VmRSS:")?, peak: of("VmHWM:")? };
        // The peak is counted from here on (proc_pid_clear_refs(5)).
        fs::write("/proc/self/clear_refs", "5").ok()?;
        Some(memory)
    }

    /// How far above that it went since.
    fn growth(before: Option<Self>) -> Option<usize> {
        Some(Self::now()?.peak.saturating_sub(before?.resident))
    }

    /// What is measured here can fail.
    fn is_seen_to_grow() {
        let before = Self::now();
        assert_eq!(before.is_some(), cfg!(target_os = "linux"));
        let memory = hint::black_box(vec![1_u8; 2 * GROWTH_AT_MOST]);
        drop(memory);
        assert!(Self::growth(before).is_none_or(|growth| growth > GROWTH_AT_MOST));
    }
}
