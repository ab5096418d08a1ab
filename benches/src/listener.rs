//! What a browser waits for its page, where five hundred connections are open that say nothing and the exchange is done; what
//! the listener takes for them.

use crate::device::resident_memory;
use crate::measure::child_says;
use oauth_core::{AuthorizationResponse, Recognised};
use oauth_loopback::{Address, Listener, ReceiveOptions, thread as driver};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const IDLE: usize = 500;
/// As many as the listener keeps, and one to ask by.
const KEPT: usize = 63;
const LOGINS: usize = 60;

/// On a machine that does nothing else: what competes for the processors makes it longer.
const MEDIAN: Duration = Duration::from_millis(1);
const MOST: Duration = Duration::from_millis(5);
const THREADS: usize = 2;
const BYTES: u64 = 4096;

/// A listener that waits, and the one thread that waits there.
struct Login {
    port: u16,
    ended: mpsc::Receiver<()>,
}

impl Login {
    fn begin() -> Self {
        let listener = Listener::bind(&Address::new()).expect("a port is free");
        let port = listener.port();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || {
            let options = ReceiveOptions::new().grace(Duration::ZERO);
            let callback = driver::receive(listener, ours, options).expect("it comes");
            callback.reply.success().wait();
            end.send(()).expect("the bench waits for it");
        });
        Self { port, ended }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("it listens")
    }

    /// Asks for a page, and how long that took.
    fn ask(&self, target: &str) -> Duration {
        let port = self.port;
        let begun = Instant::now();
        let mut stream = self.connect();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").expect("it listens");
        let mut page = String::new();
        stream.read_to_string(&mut page).expect("it answers");
        assert!(page.starts_with("HTTP/1.1 20"), "{page}");
        begun.elapsed()
    }

    /// So many say nothing; when this returns they are served, and no newcomers any more.
    fn crowd(&self, count: usize) -> Vec<TcpStream> {
        let idle = (0..count).map(|_| self.connect()).collect();
        self.ask("/favicon.ico");
        thread::sleep(Duration::from_millis(25));
        idle
    }

    fn end(self) {
        self.ended.recv().expect("it ends");
    }
}

fn ours(_: &AuthorizationResponse<'_>) -> Recognised {
    Recognised::Ours
}

/// Prints the figures, and says whether they are within bounds.
pub(crate) fn measure() -> bool {
    let before = threads();
    let mut most_threads = 0;
    let mut took: Vec<_> = (0..LOGINS)
        .map(|_| {
            let login = Login::begin();
            let _idle = login.crowd(IDLE);
            let took = login.ask("/callback?code=c&state=s");
            most_threads = most_threads.max(threads() - before);
            login.end();
            took
        })
        .collect();
    took.sort();
    let (median, most) = (took[took.len() / 2], took[took.len() - 1]);
    let bytes = child_says("--idle-connection");
    println!(
        "callback to page, {IDLE} idle connections: {median:?} (median), {most:?} (most); {most_threads} threads; \
         {} bytes for an idle connection",
        bytes.unwrap_or_default()
    );
    median <= MEDIAN && most <= MOST && most_threads <= THREADS && bytes.is_some_and(|bytes| bytes <= BYTES)
}

/// What a connection that says nothing adds to this process.
pub(crate) fn bytes_of_an_idle_connection() -> u64 {
    let login = Login::begin();
    drop(login.crowd(1));
    let before = resident_memory();
    let idle = login.crowd(KEPT);
    let after = resident_memory();
    drop(idle);
    login.ask("/callback?code=c&state=s");
    login.end();
    after.saturating_sub(before) / KEPT as u64
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").expect("Linux says it").count()
}
