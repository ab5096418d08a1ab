//! The listener at work: accepts, serves every connection at once, keeps the deadlines. Drivers lend it sockets.

use crate::callback::{Cancel, Received};
use crate::conversation::{Conversation, Limits, Next};
use crate::desk::{Decision, Desk, Judge};
use crate::ended;
use crate::listener::Listener;
use crate::options::{ReceiveError, ReceiveOptions};
use crate::page::Page;
use crate::promise::Promise;
use crate::reply::{Ending, Reply};
use crate::signal::Signal;
use crate::verdict::Rules;
use crate::web_server::Lease;
use crate::wire::Protocol;
use http::StatusCode;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How many connections are kept. With the one that is accepted before another makes room for it there are 64.
const MAX_CONNECTIONS: usize = 63;

/// How long a newcomer is safe from eviction: a browser that has something to say says it at once.
const SAFE: Duration = Duration::from_millis(10);

/// How long nothing is accepted after the system refused to.
const PAUSE: Duration = Duration::from_millis(50);

/// How often one connection is read before the others have their turn.
const READS: usize = 16;

/// Sockets and a clock that never block. A `Pending` wakes the context once it is worth another try.
pub(crate) trait Net: Send + 'static {
    type Listener: Send + 'static;
    type Stream: Send + 'static;

    fn listen(&mut self, socket: std::net::TcpListener) -> io::Result<Self::Listener>;
    fn poll_accept(
        &mut self,
        listener: &mut Self::Listener,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Self::Stream>>;
    fn poll_read(
        stream: &mut Self::Stream,
        cx: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>>;
    fn poll_write(stream: &mut Self::Stream, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;
    /// Closes the side that writes; everything written has been handed to the system before.
    fn half_close(stream: &mut Self::Stream, cx: &mut Context<'_>);
    /// The same socket once more, for the next login.
    fn share(listener: &Self::Listener) -> io::Result<std::net::TcpListener>;
    fn now(&self) -> Instant;
    /// Ready once the instant has come; a later call replaces the instant.
    fn poll_until(&mut self, instant: Instant, cx: &mut Context<'_>) -> Poll<()>;
}

/// One login's listener, from the first connection to the freed port. Dropping it closes everything.
pub(crate) struct Engine<N: Net> {
    net: N,
    listeners: Vec<N::Listener>,
    connections: Vec<Connection<N>>,
    desk: Desk,
    limits: Limits,
    grace: Duration,
    /// When the person has had time enough; then, when the grace is over.
    until: Option<Instant>,
    /// How long the page that handed a fragment over has to come back.
    return_until: Option<Instant>,
    accept_after: Option<Instant>,
    protocol: Protocol,
    signal: Arc<Signal>,
    /// Where the port is kept for the next login.
    lease: Option<Lease>,
    /// During the grace the port is the next login's, if it wants it.
    offer: Option<ended::Offer>,
    delivered: Promise<()>,
    scratch: Zeroizing<Vec<u8>>,
}

struct Connection<N: Net> {
    stream: N::Stream,
    conversation: Conversation,
    /// Whether it brought the response.
    is_callback: bool,
}

impl<N: Net> Engine<N> {
    pub(crate) fn new(
        mut net: N,
        listener: Listener,
        mut options: ReceiveOptions,
    ) -> Result<Self, ReceiveError> {
        let Listener { sockets, redirect_uri, port, protocol, signal, lease, .. } = listener;
        let desk = Desk::new(Rules::new(&redirect_uri, port), &mut options).map_err(ReceiveError::Io)?;
        let listeners = sockets.into_iter().map(|socket| net.listen(socket)).collect::<io::Result<_>>();
        let listeners = listeners.map_err(ReceiveError::Io)?;
        let until = net.now().checked_add(options.timeout);
        Ok(Self {
            net,
            listeners,
            connections: Vec::new(),
            desk,
            limits: Limits { head: options.head, hold: options.hold, drain: options.drain },
            grace: options.grace,
            until,
            return_until: None,
            accept_after: None,
            protocol,
            signal,
            lease,
            offer: None,
            delivered: Promise::new(),
            scratch: Zeroizing::new(vec![0; 8 * 1024]),
        })
    }

    pub(crate) const fn net(&mut self) -> &mut N {
        &mut self.net
    }

    pub(crate) fn reply(&self) -> Reply {
        let return_at_most = if self.desk.expects_return() { self.limits.head } else { Duration::ZERO };
        let at_most = return_at_most.saturating_add(self.limits.head).saturating_add(self.limits.drain);
        Reply::new(Arc::clone(&self.signal), self.delivered.clone(), at_most)
    }

    /// Serves until the response comes.
    pub(crate) fn poll_callback(
        &mut self,
        cx: &mut Context<'_>,
        judge: &mut Judge<'_>,
    ) -> Poll<Result<Received, ReceiveError>> {
        self.signal.listen(cx.waker());
        loop {
            if self.signal.is_cancelled() {
                return Poll::Ready(Err(ReceiveError::Cancelled));
            }
            let now = self.net.now();
            self.serve(now, cx, Some(judge));
            if let Some(received) = self.desk.take_received() {
                self.until = None;
                if self.desk.expects_return() {
                    self.return_until = now.checked_add(self.limits.head);
                }
                return Poll::Ready(Ok(received));
            }
            if self.until.is_some_and(|until| now >= until) {
                return Poll::Ready(Err(if self.desk.saw_https() {
                    ReceiveError::TimedOutAfterHttps
                } else {
                    ReceiveError::TimedOut
                }));
            }
            if self.poll_deadline(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Serves on until the browser has its page and the grace is over.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.signal.listen(cx.waker());
        loop {
            if self.signal.is_cancelled() {
                self.close();
                return Poll::Ready(());
            }
            let now = self.net.now();
            self.serve(now, cx, None);
            if let Some(ending) = self.signal.ending()
                && self.answer_callback(ending, now)
            {
                continue;
            }
            if !self.desk.expects_return() || self.return_until.is_some_and(|until| now >= until) {
                self.return_until = None;
            }
            let is_awaited = self.connections.iter().any(|connection| connection.is_callback);
            if self.until.is_none() && !is_awaited && self.return_until.is_none() {
                self.until = now.checked_add(self.grace);
                if !self.grace.is_zero() {
                    self.offer_port();
                    self.delivered.keep(());
                }
            }
            if self.until.is_some_and(|until| now >= until) {
                self.close();
                return Poll::Ready(());
            }
            if self.poll_deadline(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Whether there was a browser that waited for it.
    fn answer_callback(&mut self, ending: Ending, now: Instant) -> bool {
        let held = self.connections.iter_mut().find(|connection| connection.conversation.is_held());
        let Some(held) = held else { return false };
        held.conversation.answer(self.desk.ending(ending), now);
        true
    }

    fn serve(&mut self, now: Instant, cx: &mut Context<'_>, mut judge: Option<&mut Judge<'_>>) {
        // Those who are here first: what they have sent meanwhile saves them from eviction.
        for mut connection in std::mem::take(&mut self.connections) {
            if self.converse(&mut connection, now, cx, judge.as_deref_mut()).is_pending() {
                self.connections.push(connection);
            }
        }
        if self.accept_after.is_some_and(|after| now < after) {
            return;
        }
        self.accept_after = None;
        for mut listener in std::mem::take(&mut self.listeners) {
            while let Some(mut newcomer) = self.accept(&mut listener, now, cx) {
                if self.converse(&mut newcomer, now, cx, judge.as_deref_mut()).is_pending() {
                    self.connections.push(newcomer);
                }
            }
            self.listeners.push(listener);
        }
    }

    fn accept(
        &mut self,
        listener: &mut N::Listener,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Option<Connection<N>> {
        if self.accept_after.is_some() {
            return None;
        }
        // The oldest idle one makes room, but only for somebody who is there.
        let victim = if self.connections.len() < MAX_CONNECTIONS {
            None
        } else {
            let victim = self.victim(now);
            if victim.is_none() {
                self.accept_after = now.checked_add(SAFE);
                return None;
            }
            victim
        };
        loop {
            // Once it was cancelled, whoever comes has come for the next login on this port.
            match self.signal.unless_cancelled(|| self.net.poll_accept(listener, cx))? {
                Poll::Ready(Ok(stream)) => {
                    if let Some(victim) = victim {
                        self.connections.remove(victim);
                    }
                    let conversation = Conversation::new(&self.protocol, self.limits, now);
                    return Some(Connection { stream, conversation, is_callback: false });
                }
                Poll::Ready(Err(error)) if is_the_peers(&error) => {}
                Poll::Ready(Err(_)) => {
                    // No more sockets, most likely: give one back, and do not spin.
                    if let Some(victim) = self.victim(now) {
                        self.connections.remove(victim);
                    }
                    self.accept_after = now.checked_add(PAUSE);
                    return None;
                }
                Poll::Pending => return None,
            }
        }
    }

    /// The connection that has been silent for longest, if there is one that had its chance.
    fn victim(&self, now: Instant) -> Option<usize> {
        let old = self.connections.iter().enumerate().filter(|(_, connection)| {
            !connection.is_callback && now.saturating_duration_since(connection.conversation.since()) >= SAFE
        });
        old.min_by_key(|(_, connection)| connection.conversation.heard()).map(|(index, _)| index)
    }

    /// Brings one connection as far as it goes; ready when it is over.
    fn converse(
        &mut self,
        connection: &mut Connection<N>,
        now: Instant,
        cx: &mut Context<'_>,
        mut judge: Option<&mut Judge<'_>>,
    ) -> Poll<()> {
        let Connection { stream, conversation, is_callback } = connection;
        let mut reads = 0;
        loop {
            match conversation.poll(now) {
                Next::Read if reads == READS => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Next::Read => match N::poll_read(stream, cx, &mut self.scratch) {
                    Poll::Ready(Ok(count)) => {
                        reads += 1;
                        conversation.handle(self.scratch.get(..count).unwrap_or_default(), now);
                    }
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                    // A reset is the end of this connection, and of nothing else.
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                },
                Next::Decide(request) => match self.desk.decide(request, judge.as_deref_mut()) {
                    Decision::Answer(bytes) => conversation.answer(bytes, now),
                    Decision::Hold => {
                        *is_callback = true;
                        conversation.hold(now);
                    }
                    Decision::Close => return Poll::Ready(()),
                },
                Next::Hold => return Poll::Pending,
                Next::HeldTooLong => {
                    conversation.answer(self.desk.page(StatusCode::OK, Page::Neutral), now);
                }
                Next::Write(bytes) => match N::poll_write(stream, cx, bytes) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(()),
                    Poll::Ready(Ok(count)) => conversation.handle_written(count),
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                },
                Next::HalfClose => {
                    N::half_close(stream, cx);
                    conversation.handle_half_closed(now);
                }
                Next::Close => return Poll::Ready(()),
            }
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let connections = self.connections.iter().filter_map(|connection| connection.conversation.deadline());
        match connections.chain(self.until).chain(self.return_until).chain(self.accept_after).min() {
            Some(deadline) => self.net.poll_until(deadline, cx),
            None => Poll::Pending,
        }
    }

    /// Lets the next login of this program have the port before the grace is over.
    fn offer_port(&mut self) {
        // One that is kept is handed on by whoever keeps it.
        if self.lease.is_none() {
            // Without sockets to spare it is free when the grace is over.
            let sockets = self.listeners.iter().filter_map(|listener| N::share(listener).ok()).collect();
            self.offer = Some(ended::offer(sockets, Cancel::new(Arc::clone(&self.signal))));
        }
    }

    fn close(&mut self) {
        self.connections.clear();
        self.listeners.clear();
        self.offer = None;
        self.lease = None;
        // Last, so that whoever waits for it finds the port free.
        self.delivered.keep(());
    }
}

impl<N: Net> Drop for Engine<N> {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether an accept failed for what the peer did, which says nothing about the listener.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests;
