//! What becomes of connections, told to whoever listens.

use super::io::Link;
use oauth_transport::{ConnectionStatus, EventSink, Outcome};
use std::error::Error;

/// The life of one connection, from when it stands to when it is gone. Without a listener there is none.
pub(crate) struct Told {
    events: EventSink,
    link: Link,
    through_another: bool,
    over_tls: bool,
    ended: bool,
}

impl Told {
    /// Says that a connection stands.
    pub(crate) fn connected(
        events: &EventSink,
        link: &Link,
        through_another: bool,
        over_tls: bool,
    ) -> Option<Self> {
        if !events.is_active() {
            return None;
        }
        let address = link.local_address();
        events.tell(|handler| {
            if let Some(address) = address {
                handler.on_local_address(address);
            }
            handler.on_connection_status(ConnectionStatus::HostConnected, &Outcome::Ok);
            handler.on_connected(&Outcome::Ok);
        });
        Some(Self { events: events.clone(), link: link.clone(), through_another, over_tls, ended: false })
    }

    /// Says that it is gone, and why.
    pub(crate) fn ended(mut self, error: Option<&(dyn Error + 'static)>) {
        self.end(error);
    }

    fn end(&mut self, error: Option<&(dyn Error + 'static)>) {
        if self.ended {
            return;
        }
        self.ended = true;
        // What the system said comes first; hyper tells that to whoever waits for a response, and to nobody else.
        let link = self.link.clone();
        let error = link.broken().map(|error| error as &(dyn Error + 'static)).or(error);
        let outcome = error.map_or(Outcome::Ok, Outcome::Failed);
        self.events.tell(|handler| {
            handler.on_connection_status(ConnectionStatus::HostDisconnected, &outcome);
            if self.over_tls && error.is_some() {
                handler.on_connection_status(ConnectionStatus::TlsBroken, &outcome);
            }
            if self.through_another {
                handler.on_connection_status(ConnectionStatus::FirewallDisconnected, &outcome);
            }
            handler.on_disconnected(&outcome);
        });
    }
}

impl Drop for Told {
    /// Whoever carried it was dropped: the connection is gone, and nobody asked why.
    fn drop(&mut self) {
        self.end(None);
    }
}
