//! What a TCP connection is told.

use crate::setting::Setting;
use std::net::IpAddr;
use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::time::Duration;

/// The settings of TCP connections.
///
/// The defaults are the system's, but that small packets go out at once, as every HTTP engine has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tcp {
    /// The address that connections come from: one of this machine's. `None` leaves the choice to the system.
    pub local_address: Option<IpAddr>,
    /// The port that connections come from. `None` takes any; with a fixed one there can be one connection at a time.
    pub local_port: Option<NonZeroU16>,
    /// Whether small packets wait until the earlier ones have arrived (RFC 896). Off by default.
    pub nagle: bool,
    /// Probes on idle connections. `None` sends none.
    pub keep_alive: Option<KeepAlive>,
    /// What becomes of unsent bytes when a connection is closed.
    pub linger: Linger,
    /// How many bytes the system keeps that were received and not read. It may take another number.
    pub receive_buffer: Option<NonZeroUsize>,
    /// How many bytes the system keeps that are to be sent. It may take another number.
    pub send_buffer: Option<NonZeroUsize>,
    /// Which of a name's addresses are tried.
    pub addresses: Addresses,
    /// How fast bytes may move, each way, on each connection. `None` does not limit it.
    pub rate: Option<BytesPerSecond>,
}

/// Probes on an idle TCP connection, which keep firewalls from forgetting it (RFC 9293 section 3.8.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepAlive {
    /// How long a connection is idle before the first. `None` is the system's; whole seconds count on most systems.
    pub time: Option<Duration>,
    /// How long it is to the next. `None` is the system's; whole seconds count on most systems.
    pub interval: Option<Duration>,
}

/// What becomes of bytes that were not sent when a connection is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Linger {
    /// The system sends them, and nobody waits for it.
    #[default]
    Background,
    /// They are dropped: the connection is reset.
    Reset,
    /// Closing waits for them, so long at most; whole seconds count.
    Wait(Duration),
}

/// Which of a name's addresses are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Addresses {
    /// IPv6 and IPv4, whichever answers first (RFC 8305).
    #[default]
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

/// A speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BytesPerSecond(NonZeroU64);

impl BytesPerSecond {
    /// So many bytes in each second.
    #[must_use]
    pub const fn new(bytes: NonZeroU64) -> Self {
        Self(bytes)
    }

    /// How many bytes.
    #[must_use]
    pub const fn bytes(self) -> NonZeroU64 {
        self.0
    }
}

impl Default for Tcp {
    fn default() -> Self {
        Self::new()
    }
}

impl Tcp {
    pub(super) const fn new() -> Self {
        Self {
            local_address: None,
            local_port: None,
            nagle: false,
            keep_alive: None,
            linger: Linger::Background,
            receive_buffer: None,
            send_buffer: None,
            addresses: Addresses::Any,
            rate: None,
        }
    }

    pub(super) fn used(&self, used: &mut Vec<Setting>) {
        let Self {
            local_address,
            local_port,
            nagle,
            keep_alive,
            linger,
            receive_buffer,
            send_buffer,
            addresses,
            rate,
        } = self;
        let keep_alive_time = keep_alive.and_then(|probes| probes.time);
        let keep_alive_interval = keep_alive.and_then(|probes| probes.interval);
        used.extend(
            [
                (local_address.is_some(), Setting::LocalAddress),
                (local_port.is_some(), Setting::LocalPort),
                (*nagle, Setting::Nagle),
                (keep_alive.is_some(), Setting::KeepAliveProbes),
                (keep_alive_time.is_some(), Setting::KeepAliveTime),
                (keep_alive_interval.is_some(), Setting::KeepAliveInterval),
                (*linger != Linger::Background, Setting::Linger),
                (receive_buffer.is_some(), Setting::ReceiveBuffer),
                (send_buffer.is_some(), Setting::SendBuffer),
                (*addresses != Addresses::Any, Setting::AddressFamily),
                (rate.is_some(), Setting::TransferRate),
            ]
            .into_iter()
            .filter_map(|(used, setting)| used.then_some(setting)),
        );
    }
}
