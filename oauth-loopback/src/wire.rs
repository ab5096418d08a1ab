//! What lies between the socket and HTTP: nothing, or TLS. Without I/O, so that every driver has it.

#[cfg(feature = "tls")]
use crate::request::Refusal;
#[cfg(feature = "tls")]
use rustls::{ServerConfig, ServerConnection};
use std::borrow::Cow;
#[cfg(feature = "tls")]
use std::io::{Read as _, Write as _};
#[cfg(feature = "tls")]
use std::sync::Arc;
use zeroize::Zeroize as _;

/// What a listener speaks.
#[derive(Clone)]
pub(crate) enum Protocol {
    Http,
    #[cfg(feature = "tls")]
    Https(Arc<ServerConfig>),
}

/// One connection's side of it.
pub(crate) enum Wire {
    Plain,
    /// Nothing has come yet, and nothing is kept for it.
    #[cfg(feature = "tls")]
    Silent(Arc<ServerConfig>),
    #[cfg(feature = "tls")]
    Tls(Box<ServerConnection>),
}

/// Why what came is nothing that HTTP could be in.
pub(crate) enum Trouble {
    /// It is something else from the first byte on; an answer goes out as it is.
    #[cfg(feature = "tls")]
    Refused(Refusal),
    /// The TLS connection is over; this is the alert that says so.
    #[cfg(feature = "tls")]
    Broken(Vec<u8>),
}

/// The first byte of a TLS connection: a record of the handshake (RFC 8446 section 5.1).
pub(crate) const HANDSHAKE: u8 = 0x16;

#[cfg_attr(
    not(feature = "tls"),
    expect(clippy::needless_pass_by_ref_mut, reason = "TLS changes with everything that it says and hears")
)]
impl Wire {
    pub(crate) fn new(protocol: &Protocol) -> Self {
        match protocol {
            Protocol::Http => Self::Plain,
            #[cfg(feature = "tls")]
            Protocol::Https(config) => Self::Silent(Arc::clone(config)),
        }
    }

    /// What came, as HTTP.
    pub(crate) fn open<'a>(&mut self, bytes: &'a [u8]) -> Result<Opened<'a>, Trouble> {
        #[cfg(feature = "tls")]
        if let Self::Silent(config) = self {
            if bytes.first() != Some(&HANDSHAKE) {
                *self = Self::Plain;
                return Err(Trouble::Refused(Refusal::NotTls));
            }
            let connection = ServerConnection::new(Arc::clone(config));
            let mut connection = connection.map_err(|_| Trouble::Broken(Vec::new()))?;
            // What is written is bounded by the pages.
            connection.set_buffer_limit(None);
            *self = Self::Tls(Box::new(connection));
        }
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(connection) => decrypt(connection, bytes).map(|opened| Opened(Cow::Owned(opened))),
            _ => Ok(Opened(Cow::Borrowed(bytes))),
        }
    }

    /// What TLS itself has to say, which goes out before anything else is read.
    pub(crate) fn take_pending(&mut self) -> Vec<u8> {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(connection) => pending(connection),
            _ => Vec::new(),
        }
    }

    /// Whether an answer can be sent at all.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Plain => true,
            #[cfg(feature = "tls")]
            Self::Silent(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(connection) => !connection.is_handshaking(),
        }
    }

    /// The last that is sent, as it goes over the socket.
    pub(crate) fn seal(&mut self, answer: Vec<u8>) -> Vec<u8> {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(connection) => {
                // It goes into memory, which takes it all.
                let _ = connection.writer().write_all(&answer);
                connection.send_close_notify();
                pending(connection)
            }
            _ => answer,
        }
    }
}

#[cfg(feature = "tls")]
fn decrypt(connection: &mut ServerConnection, mut bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
    let mut opened = Vec::new();
    while !bytes.is_empty() {
        let taken = connection.read_tls(&mut bytes);
        let broken = taken.is_err() || connection.process_new_packets().is_err();
        // All there is: the next read would block, or says that the peer has closed.
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = connection.reader().read(&mut piece) {
            opened.extend_from_slice(&piece[..count]);
        }
        piece.zeroize();
        if broken {
            opened.zeroize();
            return Err(Trouble::Broken(pending(connection)));
        }
    }
    Ok(opened)
}

#[cfg(feature = "tls")]
fn pending(connection: &mut ServerConnection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while connection.wants_write() {
        // Memory takes it all.
        if connection.write_tls(&mut bytes).is_err() {
            break;
        }
    }
    bytes
}

/// Bytes of HTTP, wiped where they are a copy.
pub(crate) struct Opened<'a>(Cow<'a, [u8]>);

impl Opened<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(bytes) = &mut self.0 {
            bytes.zeroize();
        }
    }
}
