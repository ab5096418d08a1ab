//! The settings of connections and sockets.

use super::{Access, ConfigSetting, milliseconds, names_a_user, seconds};
use crate::component::error::ComponentError;
use crate::component::values::Secret;
use oauth_transport::{Addresses, BytesPerSecond, FirewallKind};
use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};

/// The largest buffer that a system would think about.
const MOST_BYTES: i64 = 1 << 30;

/// A row of a number of bytes that 0 leaves to others.
macro_rules! size {
    ($name:literal, $about:literal, $($path:ident).+) => {
        ConfigSetting::new($name, $about, Access::Number {
            unit: "bytes",
            range: (0, MOST_BYTES),
            get: |values| {
                values.$($path).+.map_or(0, |size: NonZeroUsize| i64::try_from(size.get()).unwrap_or(i64::MAX))
            },
            set: |values, count| {
                values.$($path).+ = usize::try_from(count).ok().and_then(NonZeroUsize::new);
                Ok(())
            },
        })
    };
}

pub(super) const ROWS: &[ConfigSetting] = &[
    time!(
        "ConnectionTimeout",
        seconds,
        "How long a connection may take to stand; 0 is as long as the timeout, and without one as long as the system tries.",
        network.connection_timeout
    ),
    flag!(
        "FirewallAutoDetect",
        "Whether the firewall is taken from the environment (ALL_PROXY), where that names a SOCKS server.",
        network.firewall.auto_detect
    ),
    text!("FirewallHost", "a name or an address", "Where the firewall is.", network.firewall.host)
        .without_password(names_a_user, "take them out, and set FirewallUser and FirewallPassword"),
    secret!("FirewallPassword", "The password for the firewall; SOCKS4 has none.", network.firewall.password),
    ConfigSetting::new(
        "FirewallPort",
        "The firewall's port; 0 is the usual one of its type: 80 for a tunnel, 1080 for SOCKS.",
        Access::Number {
            unit: "",
            range: (0, 65_535),
            get: |values| {
                let firewall = &values.network.firewall;
                let usual = firewall.kind.map_or(0, |kind| kind.default_port().get());
                i64::from(firewall.port.unwrap_or(usual))
            },
            set: |values, port| {
                values.network.firewall.port = u16::try_from(port).ok().filter(|port| *port != 0);
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "FirewallType",
        "What the firewall speaks; every connection is made through it, those to a proxy among them.",
        Access::Choice {
            of: &[(0, "none"), (1, "tunnel"), (2, "SOCKS4"), (3, "SOCKS5"), (10, "SOCKS4A")],
            get: |values| match values.network.firewall.kind {
                Some(FirewallKind::Tunnel) => 1,
                Some(FirewallKind::Socks4) => 2,
                Some(FirewallKind::Socks5) => 3,
                Some(FirewallKind::Socks4a) => 10,
                _ => 0,
            },
            set: |values, number| {
                values.network.firewall.kind = match number {
                    1 => Some(FirewallKind::Tunnel),
                    2 => Some(FirewallKind::Socks4),
                    3 => Some(FirewallKind::Socks5),
                    10 => Some(FirewallKind::Socks4a),
                    _ => None,
                };
                Ok(())
            },
        },
    ),
    text!(
        "FirewallUser",
        "a text",
        "The user name for the firewall; SOCKS4's user id.",
        network.firewall.user
    ),
    time!(
        "KeepAliveInterval",
        milliseconds,
        "How long it is from one keep-alive probe to the next; 0 is the system's. With TCPKeepAlive.",
        network.keep_alive_interval
    ),
    time!(
        "KeepAliveTime",
        milliseconds,
        "How long a connection is idle before the first keep-alive probe; 0 is the system's. With TCPKeepAlive.",
        network.keep_alive_time
    ),
    flag!(
        "Linger",
        "Whether what was not sent yet is sent when a connection is closed, rather than dropped.",
        network.linger
    ),
    ConfigSetting::new(
        "LingerTime",
        "How long closing a connection waits for what was not sent yet; 0 leaves it to the system.",
        Access::Number {
            unit: "seconds",
            range: (0, 65_535),
            get: |values| seconds::count(values.network.linger_time),
            set: |values, count| {
                values.network.linger_time = seconds::time(count);
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "LocalHost",
        "The address of this machine that connections come from; empty leaves it to the system.",
        Access::Text {
            form: "an address of this machine, or nothing",
            get: |values| {
                values.network.tcp.local_address.map_or_else(String::new, |address| address.to_string())
            },
            set: |values, text| {
                let address = match text.trim() {
                    "" => None,
                    text => Some(text.parse().map_err(|_| {
                        ComponentError::value("LocalHost", "an address such as 192.0.2.7, or nothing")
                    })?),
                };
                values.network.tcp.local_address = address;
                Ok(())
            },
        },
    ),
    ConfigSetting::new(
        "LocalPort",
        "The port that connections come from; 0 takes any, and then that of the last one is read. With a fixed one there can be one connection at a time.",
        Access::Number {
            unit: "",
            range: (0, 65_535),
            get: |values| match values.network.tcp.local_port {
                Some(port) => port.get().into(),
                None => values.results.local_port.unwrap_or(0).into(),
            },
            set: |values, port| {
                values.network.tcp.local_port = u16::try_from(port).ok().and_then(NonZeroU16::new);
                Ok(())
            },
        },
    ),
    size!(
        "MaxLineLength",
        "The longest line that the head of a response may have; 0 leaves it at the limit for the whole head.",
        network.http.max_line
    ),
    ConfigSetting::new(
        "MaxTransferRate",
        "How fast bytes may move, each way, on each connection; 0 does not limit it.",
        Access::Number {
            unit: "bytes per second",
            range: (0, i64::MAX),
            get: |values| {
                let rate = values.network.tcp.rate.map_or(0, |rate| rate.bytes().get());
                i64::try_from(rate).unwrap_or(i64::MAX)
            },
            set: |values, count| {
                values.network.tcp.rate = NonZeroU64::new(count.unsigned_abs()).map(BytesPerSecond::new);
                Ok(())
            },
        },
    ),
    text!(
        "ProxyExceptionsList",
        "hosts and addresses with ; between them",
        "The servers that are reached without the proxy.",
        network.proxy.exceptions
    ),
    flag!("TCPKeepAlive", "Whether idle connections are probed.", network.tcp_keep_alive),
    ConfigSetting::new(
        "TcpNoDelay",
        "Whether small packets go out at once, rather than wait until the earlier ones have arrived.",
        Access::Flag(
            |values| !values.network.tcp.nagle,
            |values, on| {
                values.network.tcp.nagle = !on;
                Ok(())
            },
        ),
    ),
    choice!("UseIPv6", "Which of a server's addresses are tried.", network.tcp.addresses, {
        0 "IPv4 alone" => Addresses::V4,
        1 "both" => Addresses::Any,
        2 "IPv6 alone" => Addresses::V6,
    }),
    flag!(
        "AbsoluteTimeout",
        "Whether the timeout is one for a request as a whole, rather than for the time in which no byte moves.",
        network.absolute_timeout
    ),
    secret!(
        "FirewallData",
        "Header lines for a tunnelling firewall, each as Name: value. They go to the firewall alone.",
        network.firewall.data
    ),
    size!(
        "InBufferSize",
        "How many bytes the system keeps that were received and not read; 0 is its own choice.",
        network.tcp.receive_buffer
    ),
    size!(
        "OutBufferSize",
        "How many bytes the system keeps that are to be sent; 0 is its own choice.",
        network.tcp.send_buffer
    ),
];
