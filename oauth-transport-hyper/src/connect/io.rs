//! The bytes of one TCP connection: how fast they move, when they last did, and how the socket is closed.

use crate::failure;
use oauth_transport::{BytesPerSecond, Linger};
use socket2::SockRef;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// A socket that is shared by whoever moves its bytes and whoever looks at it.
pub(crate) struct Socket {
    /// Taken out when it is closed.
    stream: Option<TcpStream>,
    linger: Linger,
}

impl Socket {
    pub(crate) const fn new(stream: TcpStream, linger: Linger) -> Self {
        Self { stream: Some(stream), linger }
    }

    fn stream(&self) -> io::Result<&TcpStream> {
        self.stream.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Looks at what has come: how many bytes, or none yet. Of a connection that has ended it says zero.
    fn peek(&self) -> Option<usize> {
        let stream = self.stream().ok()?;
        match SockRef::from(stream).peek(&mut [MaybeUninit::uninit()]) {
            Ok(count) => Some(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(_) => Some(0),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if matches!(self.linger, Linger::Wait(_))
            && let Some(stream) = self.stream.take()
            && let Ok(stream) = stream.into_std()
        {
            // The system makes whoever closes it wait, and a thread of the runtime has no time for that. Without a thread,
            // it is closed here.
            let _ = thread::Builder::new().name("oauth-linger".to_owned()).spawn(move || drop(stream));
        }
    }
}

/// A way to look at a connection from outside, which does not keep it open.
#[derive(Clone)]
pub(crate) struct Link {
    socket: Weak<Socket>,
    activity: Option<Arc<Activity>>,
    broken: Arc<OnceLock<io::Error>>,
}

impl Link {
    /// Whether an idle socket is open and has nothing to read, as it should be in HTTP/1.
    ///
    /// Asks the system: hyper does not learn that a server hung up before the runtime has come to polling the socket, and a
    /// request that is written until then is lost.
    pub(crate) fn is_silent(&self) -> bool {
        self.socket.upgrade().is_some_and(|socket| socket.peek().is_none())
    }

    /// Whether the socket is open. In HTTP/2 a server may speak at any time.
    #[cfg(feature = "http2")]
    pub(crate) fn is_open(&self) -> bool {
        self.socket.upgrade().is_some_and(|socket| socket.peek() != Some(0))
    }

    /// Its end on this machine.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        self.socket.upgrade()?.stream().ok()?.local_addr().ok()
    }

    /// Remembers an error of TLS.
    pub(crate) fn note(&self, error: &io::Error) {
        if let Some(tls) = failure::rustls_error(error) {
            let _ = self.broken.set(io::Error::new(error.kind(), tls.clone()));
        }
    }

    /// What the system, or TLS, said when the connection broke.
    pub(crate) fn broken(&self) -> Option<&io::Error> {
        self.broken.get()
    }

    /// Ends when no byte has moved for so long, counted from now at the earliest. Without a limit it never ends.
    pub(crate) async fn quiet(&self, limit: Option<Duration>) {
        let (Some(limit), Some(activity)) = (limit, &self.activity) else {
            return std::future::pending().await;
        };
        activity.note(Instant::now());
        loop {
            // A limit that no clock reaches is none.
            let Some(end) = activity.last().checked_add(limit) else { return std::future::pending().await };
            if end <= Instant::now() {
                return;
            }
            sleep_until(end).await;
        }
    }
}

/// When a byte last moved.
struct Activity {
    since: Instant,
    /// Microseconds.
    last: AtomicU64,
}

impl Activity {
    fn note(&self, when: Instant) {
        let passed = when.saturating_duration_since(self.since).as_micros();
        self.last.fetch_max(u64::try_from(passed).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.since + Duration::from_micros(self.last.load(Ordering::Relaxed))
    }
}

/// How much may move at once after a pause.
const BURST: Duration = Duration::from_millis(100);

/// A bound on the bytes per second, one way.
struct Bucket {
    rate: BytesPerSecond,
    /// When what has moved so far is paid for.
    paid: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Bucket {
    fn new(rate: BytesPerSecond) -> Self {
        Self { rate, paid: Instant::now(), sleep: None }
    }

    /// How many bytes may move now, at least one; waits until it is one.
    fn room(&mut self, context: &mut Context<'_>) -> Poll<usize> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                ready!(sleep.as_mut().poll(context));
                self.sleep = None;
            }
            let now = Instant::now();
            let free = (now + BURST).saturating_duration_since(self.paid.max(now));
            // What is too many for the type is too many for any buffer.
            let room = (free.as_secs_f64() * self.rate.bytes().get() as f64) as usize;
            if room > 0 || self.paid <= now {
                return Poll::Ready(room.max(1));
            }
            self.sleep = Some(Box::pin(sleep(self.paid - now)));
        }
    }

    fn spend(&mut self, bytes: usize) {
        let time = Duration::from_secs_f64(bytes as f64 / self.rate.bytes().get() as f64);
        self.paid = self.paid.max(Instant::now()) + time;
    }
}

/// The stream of a socket, watched and slowed down as the settings have it.
pub(crate) struct Metered {
    socket: Arc<Socket>,
    activity: Option<Arc<Activity>>,
    broken: Arc<OnceLock<io::Error>>,
    reading: Option<Bucket>,
    writing: Option<Bucket>,
    /// How often something was there to be read since whoever reads it last gave way to others.
    reads: u8,
}

/// After so many reads whoever reads gives way, so that a server that sends faster than it is read keeps no timer from
/// being looked at.
const READS_AT_ONCE: u8 = 4;

impl Metered {
    pub(crate) fn new(socket: Arc<Socket>, rate: Option<BytesPerSecond>, watched: bool) -> Self {
        let activity = watched.then(|| Arc::new(Activity { since: Instant::now(), last: AtomicU64::new(0) }));
        Self {
            socket,
            activity,
            broken: Arc::default(),
            reading: rate.map(Bucket::new),
            writing: rate.map(Bucket::new),
            reads: 0,
        }
    }

    pub(crate) fn link(&self) -> Link {
        Link {
            socket: Arc::downgrade(&self.socket),
            activity: self.activity.clone(),
            broken: Arc::clone(&self.broken),
        }
    }

    /// Remembers an error that the system reports, and hands it on.
    fn broke<T>(&self, error: io::Error) -> Poll<io::Result<T>> {
        let copy = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
        let _ = self.broken.set(copy);
        Poll::Ready(Err(error))
    }

    fn moved(activity: Option<&Activity>, bucket: Option<&mut Bucket>, bytes: usize) {
        if let Some(bucket) = bucket {
            bucket.spend(bytes);
        }
        if let Some(activity) = activity {
            activity.note(Instant::now());
        }
    }

    /// How many of these bytes may move now. A wait of our own making is no silence.
    fn room(
        bucket: Option<&mut Bucket>,
        activity: Option<&Activity>,
        context: &mut Context<'_>,
        wanted: usize,
    ) -> Poll<usize> {
        let Some(bucket) = bucket else { return Poll::Ready(wanted) };
        let room = bucket.room(context);
        if room.is_pending()
            && let Some(activity) = activity
        {
            activity.note(bucket.paid);
        }
        room.map(|room| room.min(wanted))
    }

    fn write_by(
        &mut self,
        context: &mut Context<'_>,
        wanted: usize,
        write: impl Fn(&TcpStream, usize) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let activity = self.activity.as_deref();
        let room = ready!(Self::room(self.writing.as_mut(), activity, context, wanted));
        let stream = self.socket.stream()?;
        loop {
            ready!(stream.poll_write_ready(context))?;
            match write(stream, room) {
                Ok(bytes) => {
                    Self::moved(activity, self.writing.as_mut(), bytes);
                    return Poll::Ready(Ok(bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return self.broke(error),
            }
        }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.reads == READS_AT_ONCE {
            this.reads = 0;
            // Wakes us once the runtime has looked at its timers, which being woken at once does not.
            return pin!(yield_now()).poll(context).map(Ok);
        }
        let activity = this.activity.as_deref();
        let room = ready!(Self::room(this.reading.as_mut(), activity, context, buffer.remaining()));
        let stream = this.socket.stream()?;
        loop {
            if stream.poll_read_ready(context)?.is_pending() {
                this.reads = 0;
                return Poll::Pending;
            }
            // Where nothing limits it, the buffer need not be filled with zeros first.
            let read = if room == buffer.remaining() {
                stream.try_read_buf(buffer)
            } else {
                stream.try_read(buffer.initialize_unfilled_to(room)).inspect(|bytes| buffer.advance(*bytes))
            };
            match read {
                Ok(bytes) => {
                    this.reads += 1;
                    Self::moved(activity, this.reading.as_mut(), bytes);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return this.broke(error),
            }
        }
    }
}

impl AsyncWrite for Metered {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().write_by(context, bytes.len(), |stream, room| {
            stream.try_write(bytes.get(..room).unwrap_or(bytes))
        })
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wanted = parts.iter().map(|part| part.len()).sum();
        self.get_mut().write_by(context, wanted, |stream, room| {
            if room == wanted {
                return stream.try_write_vectored(parts);
            }
            let first = parts.iter().find(|part| !part.is_empty()).map_or(&[][..], |part| part);
            stream.try_write(first.get(..room).unwrap_or(first))
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // An end that is said in order is what a reset is instead of.
        if self.socket.linger == Linger::Reset {
            return Poll::Ready(Ok(()));
        }
        match SockRef::from(self.socket.stream()?).shutdown(Shutdown::Write) {
            // The other side was faster.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            done => Poll::Ready(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::num::NonZeroU64;
    use std::task::Waker;

    fn bucket(rate: u64) -> Bucket {
        Bucket::new(BytesPerSecond::new(NonZeroU64::new(rate).unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_over_time_whatever_it_is() {
        for (rate, bytes) in [(1, 5), (7, 70), (1000, 10_000), (1_000_000_000, 10_000_000_000)] {
            let mut bucket = bucket(rate);
            let (start, mut moved) = (Instant::now(), 0);
            while moved < bytes {
                let room = poll_fn(|context| bucket.room(context)).await;
                let now = room.min(bytes - moved);
                bucket.spend(now);
                moved += now;
            }
            let (took, fair) = (start.elapsed().as_secs_f64(), bytes as f64 / rate as f64);
            // What may go ahead at once is a byte, or what goes in a tenth of a second.
            let ahead = f64::max(0.1, 1.0 / rate as f64) + 0.01;
            assert!((fair - ahead..fair + 0.1).contains(&took), "{bytes} at {rate}: {took} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_of_our_own_making_is_no_silence() {
        let start = Instant::now();
        let activity = Activity { since: start, last: AtomicU64::new(0) };
        let mut bucket = bucket(10);
        bucket.spend(50);
        let mut context = Context::from_waker(Waker::noop());
        assert!(Metered::room(Some(&mut bucket), Some(&activity), &mut context, 1).is_pending());
        assert_eq!(activity.last(), start + Duration::from_secs(5));
    }
}
