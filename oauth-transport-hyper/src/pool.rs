//! Connections between two requests.

use crate::connect::Connection;
use http::uri::{Authority, Scheme, Uri};
use oauth_core::KeyId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long an idle connection is kept: servers hang up after five seconds at the earliest (Node, Apache).
pub(crate) const KEEP: Duration = Duration::from_secs(4);

/// Idle connections, by the server they lead to. Belongs to one transport, so that nothing is shared between trusts.
pub(crate) struct Pool {
    idle: Mutex<Vec<Idle>>,
    keep: Duration,
}

struct Idle {
    origin: Origin,
    connection: Connection,
    since: Instant,
}

/// Which server, over TLS or not, and as whom. The way there, a proxy or none, follows from it.
#[derive(PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Option<Scheme>,
    authority: Option<Authority>,
    /// The certificate that the connection shows because a request named it.
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

impl Pool {
    pub(crate) const fn new(keep: Duration) -> Self {
        Self { idle: Mutex::new(Vec::new()), keep }
    }

    /// The connection to this server that was used last.
    pub(crate) fn take(&self, origin: &Origin) -> Option<Connection> {
        let mut idle = self.live();
        let index = idle.iter().rposition(|idle| idle.origin == *origin)?;
        Some(idle.remove(index).connection)
    }

    /// Keeps a connection whose response was read to its end.
    pub(crate) fn put(self: &Arc<Self>, origin: Origin, connection: Connection) {
        let mut idle = self.live();
        idle.push(Idle { origin, connection, since: Instant::now() });
        if idle.len() > 1 {
            // Someone is waiting already to close what grows old.
            return;
        }
        drop(idle);
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

    /// The idle connections, without those that are closed or too old.
    fn live(&self) -> MutexGuard<'_, Vec<Idle>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| idle.since.elapsed() < self.keep && !idle.connection.sender.is_closed());
        idle
    }
}
