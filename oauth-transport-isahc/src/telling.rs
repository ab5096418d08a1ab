//! What the handler of the events gets to hear.
//!
//! libcurl tells nothing of its connections: that one was made is seen by our end of it, once there is a response.

use crate::way::Way;
use http::response::Parts;
use oauth_core::{Endpoint, Unreachable};
use oauth_transport::{ConnectionStatus, Direction, EventSink, Outcome};
use std::net::SocketAddr;

/// The events of one request.
pub(crate) struct Telling<'a> {
    events: &'a EventSink,
    secure: bool,
    straight: bool,
}

impl<'a> Telling<'a> {
    pub(crate) fn new(events: &'a EventSink, endpoint: &Endpoint, way: Way<'_>) -> Self {
        Self { events, secure: endpoint.url().scheme() == "https", straight: way.is_straight() }
    }

    /// A response came on a connection: a new one, unless it has the same end here as the last.
    pub(crate) fn connection(&self, last: Option<SocketAddr>, now: Option<SocketAddr>) {
        if last.is_some() && last == now {
            return;
        }
        if last.is_some() {
            self.disconnected();
        }
        self.events.tell(|handler| {
            if !self.straight {
                handler.on_connection_status(ConnectionStatus::FirewallConnected, &Outcome::Ok);
            }
            if self.secure {
                handler.on_ssl_status("the TLS handshake is over");
                handler.on_connection_status(ConnectionStatus::TlsComplete, &Outcome::Ok);
            }
            handler.on_connection_status(ConnectionStatus::HostConnected, &Outcome::Ok);
            handler.on_connected(&Outcome::Ok);
        });
    }

    /// No connection came about.
    pub(crate) fn not_connected(&self, error: &Unreachable) {
        self.events.tell(|handler| handler.on_connected(&Outcome::Failed(error)));
    }

    /// The connection is gone, since nobody needs it any longer.
    pub(crate) fn disconnected(&self) {
        self.events.tell(|handler| {
            handler.on_connection_status(ConnectionStatus::HostDisconnected, &Outcome::Ok);
            handler.on_disconnected(&Outcome::Ok);
        });
    }

    /// The whole of the request's body went out.
    pub(crate) fn sent(&self, bytes: u64) {
        if bytes > 0 {
            self.events.sent(bytes);
        }
    }

    pub(crate) fn head(&self, head: &Parts) {
        self.events.head(head.version, head.status, &head.headers);
        self.events.tell(|handler| handler.on_start_transfer(Direction::Received));
    }

    pub(crate) fn received(&self, part: &[u8], bytes: u64, total: Option<u64>) {
        self.events.received(part, bytes, total);
    }

    pub(crate) fn end_of_body(&self) {
        self.events.tell(|handler| handler.on_end_transfer(Direction::Received));
    }

    /// The request fails.
    pub(crate) fn failed(events: &EventSink, error: &Unreachable) {
        events.tell(|handler| handler.on_error(error));
    }
}
