//! The bound sockets: claimed at once, and kept until the login is over.

use crate::address::{Address, Host};
use crate::callback::Cancel;
use crate::ended;
use crate::signal::Signal;
use crate::web_server::Lease;
use crate::wire::Protocol;
use socket2::{Domain, Socket, Type};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use url::Url;

/// How often a port that is free for IPv4 may turn out to be taken for IPv6.
const TRIES: usize = 16;

/// How many connections the system keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// The sockets of a callback, bound and listening.
///
/// From here on a browser may connect, so this comes before the browser is opened; its requests wait until a driver
/// [receives](crate::thread::receive) them. Dropping it frees the port.
pub struct Listener {
    pub(crate) sockets: Vec<TcpListener>,
    pub(crate) redirect_uri: Url,
    registered: String,
    pub(crate) port: u16,
    pub(crate) protocol: Protocol,
    pub(crate) signal: Arc<Signal>,
    pub(crate) lease: Option<Lease>,
}

impl Listener {
    /// Binds now, and keeps what it bound.
    ///
    /// # Errors
    /// No port of the list is free, or the system refuses for another reason.
    pub fn bind(address: &Address) -> Result<Self, BindError> {
        Self::bind_with(address, &mut listen, cfg!(windows))
    }

    /// Takes sockets that listen already, such as those that a supervisor hands over.
    ///
    /// The redirect URI is that of the address, with the port of the sockets; the ports of the address count for nothing.
    /// Where it is one of `localhost`, what is missing of 127.0.0.1 and \[::1\] is bound beside them.
    ///
    /// # Errors
    /// There is none, one does not listen, they have several ports, one can be reached from elsewhere though the address is not
    /// [exposed](Address::exposed_to_the_network), the address wants a certificate and has none, or another program is at
    /// what is missing.
    pub fn from_sockets(mut sockets: Vec<TcpListener>, address: &Address) -> Result<Self, BindError> {
        let (mut ports, mut ips) = (Vec::new(), Vec::new());
        for socket in &sockets {
            let unknown = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
            let refused = |address| move |source| BindError::Refused { address, source };
            let bound = socket.local_addr().map_err(refused(unknown))?;
            socket.set_nonblocking(true).map_err(refused(bound))?;
            if !listens(socket).map_err(refused(bound))? {
                return Err(BindError::NotListening { address: bound });
            }
            if address.exposed.is_none() && !bound.ip().to_canonical().is_loopback() {
                return Err(BindError::NotLoopback { address: bound });
            }
            ports.push(bound.port());
            ips.push(bound.ip());
        }
        let port = match ports.as_slice() {
            [port, others @ ..] if others.iter().all(|other| other == port) => *port,
            _ => return Err(BindError::NotOnePort { ports }),
        };
        if address.host == Host::Localhost {
            sockets.extend(missing(&ips, port)?);
        }
        Self::new(address, sockets, port)
    }

    /// Takes the sockets that systemd has for this process, or whoever else hands sockets over as it does.
    ///
    /// They are taken out of the environment: ask once, and before threads run that read it.
    ///
    /// # Errors
    /// There is none, there are more than 64, or as with [`from_sockets`](Self::from_sockets).
    #[cfg(feature = "systemd")]
    pub fn from_systemd(address: &Address) -> Result<Self, BindError> {
        // Whoever says more than anybody hands over would have each of them looked for.
        let said = std::env::var("LISTEN_FDS").ok().and_then(|said| said.parse().ok());
        if let Some(count) = said.filter(|count| *count > MOST_SOCKETS) {
            return Err(BindError::TooManySockets { count });
        }
        let mut handed_over = listenfd::ListenFd::from_env();
        let sockets =
            (0..handed_over.len()).filter_map(|at| handed_over.take_tcp_listener(at).ok().flatten());
        Self::from_sockets(sockets.collect(), address)
    }

    fn new(address: &Address, sockets: Vec<TcpListener>, port: u16) -> Result<Self, BindError> {
        let (redirect_uri, registered) = (address.redirect_uri(port), address.registered(port));
        let protocol = protocol(address)?;
        Ok(Self { sockets, redirect_uri, registered, port, protocol, signal: Arc::default(), lease: None })
    }

    /// The same sockets for one login more, which ends apart from the others.
    pub(crate) fn again(&self) -> io::Result<Self> {
        let sockets = self.sockets.iter().map(TcpListener::try_clone).collect::<io::Result<_>>()?;
        Ok(Self {
            sockets,
            redirect_uri: self.redirect_uri.clone(),
            registered: self.registered.clone(),
            port: self.port,
            protocol: self.protocol.clone(),
            signal: Arc::default(),
            lease: None,
        })
    }

    /// The redirect URI, with the port that was bound.
    #[must_use]
    pub const fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// The same to send to the authorization server: as it was given, letter by letter, since servers compare it so
    /// (RFC 6749 section 3.1.2.3).
    #[must_use]
    pub fn registered_redirect_uri(&self) -> &str {
        &self.registered
    }

    /// The port that was bound.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A handle that ends the wait from elsewhere, such as a Ctrl-C handler, and frees the port.
    #[must_use]
    pub fn cancel_handle(&self) -> Cancel {
        Cancel::new(Arc::clone(&self.signal))
    }

    fn bind_with(address: &Address, bind: &mut Bind<'_>, windows: bool) -> Result<Self, BindError> {
        protocol(address)?;
        let (mut busy, mut reserved) = (Vec::new(), false);
        let mut refused = None;
        for &port in &address.ports {
            match claim(address, port, bind) {
                Ok((sockets, port)) => return Self::new(address, sockets, port),
                Err((_, error)) if error.kind() == io::ErrorKind::AddrInUse => busy.push(port),
                // A range that Windows keeps for itself looks like a missing right.
                Err((_, error)) if windows && error.kind() == io::ErrorKind::PermissionDenied => {
                    reserved = true;
                    busy.push(port);
                }
                Err((address, source)) => {
                    refused.get_or_insert(BindError::Refused { address, source });
                }
            }
        }
        let busy =
            if reserved { BindError::Reserved { ports: busy } } else { BindError::Busy { ports: busy } };
        Err(refused.unwrap_or(busy))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("redirect_uri", &self.redirect_uri.as_str()).finish_non_exhaustive()
    }
}

fn protocol(address: &Address) -> Result<Protocol, BindError> {
    #[cfg(feature = "tls")]
    if let Some(certificate) = &address.certificate {
        return Ok(Protocol::Https(Arc::clone(&certificate.config)));
    }
    if address.https { Err(BindError::NoCertificate) } else { Ok(Protocol::Http) }
}

/// Where more are announced, they are not looked for.
#[cfg(feature = "systemd")]
const MOST_SOCKETS: usize = 64;

/// Why no socket could be bound.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// All these ports are taken, on IPv4 or IPv6: by other programs, or by another login of this one.
    Busy {
        /// The ports, in the order in which they were tried; 0 stands for any free one.
        ports: Vec<u16>,
    },
    /// Windows keeps some of these ports for itself, and the others are taken.
    Reserved {
        /// The ports, in the order in which they were tried.
        ports: Vec<u16>,
    },
    /// The redirect URI is one of https, and no certificate was given.
    NoCertificate,
    /// A socket that was handed in can be reached from other machines.
    NotLoopback {
        /// Where it listens.
        address: SocketAddr,
    },
    /// A socket that was handed in does not listen: it is a connection, or was bound and nothing more.
    NotListening {
        /// Where it is bound.
        address: SocketAddr,
    },
    /// More sockets are announced in `LISTEN_FDS` than any supervisor hands over.
    TooManySockets {
        /// How many.
        count: usize,
    },
    /// No socket was handed in, or sockets with several ports, where a redirect URI has one.
    NotOnePort {
        /// The ports, in the order of the sockets.
        ports: Vec<u16>,
    },
    /// The system refuses the address: no such interface, or no right to a port under 1024.
    Refused {
        /// What was to be bound.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { ports } => {
                let plural = if ports.len() == 1 { "port" } else { "ports" };
                let list = list(ports);
                write!(f, "cannot listen for the sign-in: {plural} {list} in use; ")?;
                f.write_str("end the program or the sign-in that waits there, or choose another port (0 takes any free one)")
            }
            Self::Reserved { ports } => {
                write!(f, "cannot listen for the sign-in: ports {} are taken or reserved by Windows; ", list(ports))?;
                f.write_str("see `netsh int ipv4 show excludedportrange protocol=tcp`, and choose another port under 49152")
            }
            Self::NoCertificate => f.write_str(
                "cannot listen for the sign-in: the redirect URI begins with https://, and there is no certificate; \
                 give one, or have one made",
            ),
            Self::NotLoopback { address } => {
                write!(f, "cannot listen for the sign-in on {address}, which other machines reach: ")?;
                f.write_str("hand over a socket on 127.0.0.1 or [::1], or say that it is exposed to the network")
            }
            Self::NotListening { address } => {
                write!(f, "cannot listen for the sign-in: the socket on {address} that was handed over does not listen; ")?;
                f.write_str("have the supervisor hand over the one that listens (Accept=no)")
            }
            Self::TooManySockets { count } => {
                write!(f, "cannot listen for the sign-in: LISTEN_FDS says {count} sockets; have the supervisor pass one")
            }
            Self::NotOnePort { ports } if ports.is_empty() => f.write_str(
                "cannot listen for the sign-in: no listening socket was handed over; have the supervisor pass one",
            ),
            Self::NotOnePort { ports } => {
                write!(f, "cannot listen for the sign-in: the sockets have the ports {}; hand over one port", list(ports))
            }
            Self::Refused { address, source } => {
                write!(
                    f,
                    "cannot listen for the sign-in on {address}: {source}; choose another address or port"
                )
            }
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused { source, .. } => Some(source),
            _ => None,
        }
    }
}

fn list(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

type Bind<'a> = dyn FnMut(SocketAddr) -> io::Result<TcpListener> + 'a;

/// As [`TcpListener::bind`], with more room for those who knock at once: a full queue costs a browser a second.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(socket2::Protocol::TCP))?;
    // On Windows this would let another program take the port over.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Binds one port on every address that the host stands for.
fn claim(
    address: &Address,
    port: u16,
    bind: &mut Bind<'_>,
) -> Result<(Vec<TcpListener>, u16), (SocketAddr, io::Error)> {
    let first = address.exposed.unwrap_or(match address.host {
        Host::V4 | Host::Localhost => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Host::V6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
    });
    // Who is called localhost or [::1] and listens on every address of IPv4 alone would leave [::1] to whoever takes it.
    let both = match address.exposed {
        None => address.host == Host::Localhost,
        Some(exposed) => exposed == IpAddr::V4(Ipv4Addr::UNSPECIFIED) && address.host != Host::V4,
    };
    let mut tries = if port == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
        let (socket, bound) = open(SocketAddr::new(first, port), bind)?;
        if !both {
            return Ok((vec![socket], bound));
        }
        match open(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), bound), bind) {
            Ok((second, _)) => return Ok((vec![socket, second], bound)),
            Err((_, error)) if no_ipv6(&error) => return Ok((vec![socket], bound)),
            // Another program has that port: a browser that prefers IPv6 would hand it the code.
            Err((_, error)) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            Err(failed) => return Err(failed),
        }
    }
}

/// Whether connections come out of it. Elsewhere the system is not asked, and each is believed to.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn listens(socket: &TcpListener) -> io::Result<bool> {
    socket2::SockRef::from(socket).is_listener()
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const fn listens(_: &TcpListener) -> io::Result<bool> {
    Ok(true)
}

/// The sockets of `localhost` beside these: a browser that takes the other family would hand the code to whoever is there.
fn missing(ips: &[IpAddr], port: u16) -> Result<Vec<TcpListener>, BindError> {
    let mut sockets = Vec::new();
    for loopback in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        let is_there =
            |ip: &IpAddr| *ip == loopback || ip.is_unspecified() && (ip.is_ipv6() || loopback.is_ipv4());
        if ips.iter().any(is_there) {
            continue;
        }
        match open(SocketAddr::new(loopback, port), &mut listen) {
            Ok((socket, _)) => sockets.push(socket),
            Err((_, error)) if no_ipv6(&error) => {}
            Err((_, error)) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(BindError::Busy { ports: vec![port] });
            }
            Err((address, source)) => return Err(BindError::Refused { address, source }),
        }
    }
    Ok(sockets)
}

fn open(address: SocketAddr, bind: &mut Bind<'_>) -> Result<(TcpListener, u16), (SocketAddr, io::Error)> {
    let opened = ended::take(address).map_or_else(|| bind(address), Ok).and_then(|socket| {
        socket.set_nonblocking(true)?;
        let port = socket.local_addr()?.port();
        Ok((socket, port))
    });
    opened.map_err(|error| (address, error))
}

/// Whether this machine has no IPv6 at all.
fn no_ipv6(error: &io::Error) -> bool {
    // "Address family not supported", which std has no kind for.
    const NO_SUCH_FAMILY: i32 = if cfg!(windows) {
        10047
    } else if cfg!(target_os = "linux") || cfg!(target_os = "android") {
        97
    } else {
        47
    };
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(NO_SUCH_FAMILY)
}

#[cfg(test)]
mod tests;
