//! What the handler of the events gets to hear.
//!
//! libcurl tells nothing of its connections: that one was made is seen by our end of it, once there is a response or a
//! failure.

use crate::way::Way;
use http::response::Parts;
use oauth_core::{Endpoint, Unreachable, UnreachableKind};
use oauth_transport::{ConnectionStatus, Direction, EventSink, Outcome};
use std::net::SocketAddr;

/// The events of one request.
pub(crate) struct Telling<'a> {
    events: &'a EventSink,
    through_another: bool,
    over_tls: bool,
}

impl<'a> Telling<'a> {
    pub(crate) fn new(events: &'a EventSink, endpoint: &Endpoint, way: Way<'_>) -> Self {
        Self {
            events,
            through_another: !matches!(way, Way::Straight),
            over_tls: endpoint.url().scheme() == "https",
        }
    }

    /// Something was heard on a connection with this end here: a new one, unless the last had the same end.
    pub(crate) fn connected(&self, last: Option<Link>, address: Option<SocketAddr>) -> Link {
        if let Some(last) = last.filter(|last| last.address.is_some() && last.address == address) {
            return last;
        }
        self.events.tell(|handler| {
            if self.through_another {
                handler.on_connection_status(ConnectionStatus::FirewallConnected, &Outcome::Ok);
            }
            if self.over_tls {
                handler.on_ssl_status("the TLS handshake is over");
                handler.on_connection_status(ConnectionStatus::TlsComplete, &Outcome::Ok);
            }
            if let Some(address) = address {
                handler.on_local_address(address);
            }
            handler.on_connection_status(ConnectionStatus::HostConnected, &Outcome::Ok);
            handler.on_connected(&Outcome::Ok);
        });
        Link {
            address,
            events: self.events.clone(),
            through_another: self.through_another,
            over_tls: self.over_tls,
            ended: false,
        }
    }

    /// No connection came about.
    pub(crate) fn not_connected(&self, error: &Unreachable) {
        let outcome = Outcome::Failed(error);
        let broken = match error.kind {
            UnreachableKind::Tls => Some(ConnectionStatus::TlsBroken),
            UnreachableKind::Proxy => Some(ConnectionStatus::FirewallDisconnected),
            _ => None,
        };
        self.events.tell(|handler| {
            if let Some(broken) = broken {
                handler.on_connection_status(broken, &outcome);
            }
            handler.on_connected(&outcome);
        });
    }

    /// The whole of the request's body went out; an empty one does not move.
    pub(crate) fn sent(&self, bytes: u64) {
        if bytes > 0 {
            self.events.sent(bytes);
        }
    }

    pub(crate) fn head(&self, head: &Parts) {
        self.events.head(head.version, head.status, &head.headers);
    }

    /// A part of the response's body came, the last of so many bytes.
    pub(crate) fn received(&self, part: &[u8], bytes: usize, total: Option<u64>) {
        if bytes == part.len() {
            self.events.tell(|handler| handler.on_start_transfer(Direction::Received));
        }
        self.events.received(part, bytes as u64, total);
    }

    pub(crate) fn end_of_body(&self) {
        self.events.tell(|handler| handler.on_end_transfer(Direction::Received));
    }
}

/// A connection that stands, as far as is known. To drop it says that it is gone.
pub(crate) struct Link {
    address: Option<SocketAddr>,
    events: EventSink,
    through_another: bool,
    over_tls: bool,
    ended: bool,
}

impl Link {
    /// It ended for a reason.
    pub(crate) fn broken(mut self, error: &Unreachable) {
        self.end(&Outcome::Failed(error));
    }

    fn end(&mut self, outcome: &Outcome<'_>) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.events.tell(|handler| {
            handler.on_connection_status(ConnectionStatus::HostDisconnected, outcome);
            if self.over_tls && matches!(outcome, Outcome::Failed(_)) {
                handler.on_connection_status(ConnectionStatus::TlsBroken, outcome);
            }
            if self.through_another {
                handler.on_connection_status(ConnectionStatus::FirewallDisconnected, outcome);
            }
            handler.on_disconnected(outcome);
        });
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.end(&Outcome::Ok);
    }
}
