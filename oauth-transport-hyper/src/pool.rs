//! Connections between two requests, and those that several share.

use crate::connect::{Connection, Tasks};
use http::uri::{Authority, Scheme, Uri};
use oauth_core::KeyId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Turns, OwnedMutexGuard};
use tokio::time::{Instant, sleep};

/// How long an idle connection is kept: servers hang up after five seconds at the earliest (Node, Apache).
pub(crate) const KEEP: Duration = Duration::from_secs(4);
/// From so many servers on, those that nobody waits for are forgotten.
const MANY: usize = 64;

/// Open connections, by the server they lead to. Belongs to one transport, so that nothing is shared between trusts.
pub(crate) struct Pool {
    kept: Mutex<Vec<Kept>>,
    turns: Mutex<Vec<(Origin, Arc<Turn>)>>,
    keep: Duration,
}

struct Kept {
    origin: Origin,
    connection: Connection,
    since: Instant,
    /// Who uses it now, where it takes several requests at once.
    load: Option<Arc<Load>>,
}

/// Which server, over TLS or not, and who we are to it: a connection that showed one certificate never carries a request for
/// another. The way there, a firewall, a proxy or none, follows from it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Option<Scheme>,
    authority: Option<Authority>,
    certificate: Option<KeyId>,
}

impl Origin {
    pub(crate) fn of(target: &Uri, certificate: Option<&KeyId>) -> Self {
        Self {
            scheme: target.scheme().cloned(),
            authority: target.authority().cloned(),
            certificate: certificate.cloned(),
        }
    }
}

/// One server's turn to be connected to, where its connections take several requests at once: the first makes the
/// connection, and those who wait find it.
#[derive(Default)]
struct Turn {
    one: Arc<Turns<()>>,
    /// It chose HTTP/1.1, so there is nothing to wait for.
    alone: AtomicBool,
}

/// The requests on a connection that takes several at once.
struct Load {
    state: Mutex<State>,
    tasks: Tasks,
}

struct State {
    requests: usize,
    /// When the last one ended.
    idle_since: Instant,
    /// A request was given up on it: it serves those who have it, and nobody else, so that it closes.
    retired: bool,
}

/// A request's hold on a connection that takes several at once. Dropped before its time, the connection is retired.
pub(crate) struct Lease {
    load: Arc<Load>,
    whole: bool,
}

impl Lease {
    fn new(load: &Arc<Load>) -> Self {
        load.state().requests += 1;
        Self { load: Arc::clone(load), whole: false }
    }

    /// The response was read to its end.
    pub(crate) fn end(mut self) {
        self.whole = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.load.state();
        state.requests -= 1;
        state.idle_since = Instant::now();
        state.retired |= !self.whole;
        if state.retired && state.requests == 0 {
            // Whoever still shares it has its response.
            self.load.tasks.abort();
        }
    }
}

impl Load {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection, and the hold on it where others may use it, too.
pub(crate) struct Taken {
    pub(crate) connection: Connection,
    pub(crate) lease: Option<Lease>,
}

impl Pool {
    pub(crate) const fn new(keep: Duration) -> Self {
        Self { kept: Mutex::new(Vec::new()), turns: Mutex::new(Vec::new()), keep }
    }

    /// The connection to this server that was used last, or that others use, too.
    pub(crate) fn take(&self, origin: &Origin) -> Option<Taken> {
        let mut kept = self.live();
        let index = kept.iter().rposition(|kept| kept.origin == *origin)?;
        let found = kept.get(index)?;
        match (&found.load, found.connection.share()) {
            (Some(load), Some(connection)) => Some(Taken { connection, lease: Some(Lease::new(load)) }),
            _ => Some(Taken { connection: kept.remove(index).connection, lease: None }),
        }
    }

    /// Has others use a new connection, too, where it takes several requests at once.
    pub(crate) fn share(self: &Arc<Self>, origin: &Origin, connection: Connection) -> Taken {
        let Some(shared) = connection.share() else { return Taken { connection, lease: None } };
        let load = Arc::new(Load {
            state: Mutex::new(State { requests: 0, idle_since: Instant::now(), retired: false }),
            tasks: connection.tasks(),
        });
        let lease = Some(Lease::new(&load));
        self.keep(Kept {
            origin: origin.clone(),
            connection: shared,
            since: Instant::now(),
            load: Some(load),
        });
        Taken { connection, lease }
    }

    /// Keeps a connection whose response was read to its end.
    pub(crate) fn put(self: &Arc<Self>, origin: Origin, taken: Taken) {
        match taken.lease {
            Some(lease) => lease.end(),
            None => {
                self.keep(Kept { origin, connection: taken.connection, since: Instant::now(), load: None })
            }
        }
    }

    /// Waits for the turn to connect to a server whose connections may take several requests at once. `None` where it is
    /// known that they do not.
    pub(crate) async fn turn(&self, origin: &Origin) -> Option<OwnedMutexGuard<()>> {
        let turn = self.turn_of(origin);
        if turn.alone.load(Ordering::Relaxed) {
            return None;
        }
        Some(Arc::clone(&turn.one).lock_owned().await)
    }

    /// Remembers that a server's connections take one request at a time.
    pub(crate) fn takes_one(&self, origin: &Origin) {
        self.turn_of(origin).alone.store(true, Ordering::Relaxed);
    }

    fn turn_of(&self, origin: &Origin) -> Arc<Turn> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, turn)) = turns.iter().find(|(known, _)| known == origin) {
            return Arc::clone(turn);
        }
        if turns.len() >= MANY {
            turns.retain(|(_, turn)| Arc::strong_count(&turn.one) > 1);
        }
        let turn = Arc::new(Turn::default());
        turns.push((origin.clone(), Arc::clone(&turn)));
        turn
    }

    fn keep(self: &Arc<Self>, new: Kept) {
        let mut kept = self.live();
        kept.push(new);
        if kept.len() > 1 {
            // Someone is waiting already to close what grows old.
            return;
        }
        drop(kept);
        let pool = Arc::downgrade(self);
        let keep = self.keep;
        tokio::spawn(async move {
            loop {
                sleep(keep).await;
                match pool.upgrade() {
                    Some(pool) if !pool.live().is_empty() => {}
                    _ => return,
                }
            }
        });
    }

    /// The connections, without those that are closed, too old or retired.
    fn live(&self) -> MutexGuard<'_, Vec<Kept>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| !kept.is_over(self.keep));
        kept
    }
}

impl Kept {
    fn is_over(&self, keep: Duration) -> bool {
        let is_old = match &self.load {
            None => self.since.elapsed() >= keep,
            Some(load) => {
                let state = load.state();
                state.retired || (state.requests == 0 && state.idle_since.elapsed() >= keep)
            }
        };
        is_old || self.connection.is_closed()
    }
}
