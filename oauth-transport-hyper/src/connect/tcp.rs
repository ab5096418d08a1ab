//! TCP: a name's addresses, and a socket to the first that answers.

use super::Address;
use super::io::Socket;
use crate::failure;
use oauth_core::Unreachable;
use oauth_transport::{Addresses, Linger, Setting, Settings, SettingsError, Tcp};
use socket2::{Domain, TcpKeepalive, Type};
use std::future::{pending, poll_fn};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpSocket, lookup_host};
use tokio::time::sleep;

/// How long an address is tried alone (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Opens sockets as the settings have them.
pub(crate) struct Dialler {
    tcp: Tcp,
}

impl Dialler {
    /// Tries the settings on a socket that goes nowhere, so that what the system refuses is known now.
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let dialler = Self { tcp: settings.tcp().clone() };
        let tcp = &dialler.tcp;
        if let Some(address) = tcp.local_address
            && !fits(tcp.addresses, address)
        {
            return Err(SettingsError::Value {
                setting: Setting::LocalAddress,
                value: address.to_string(),
                expected: "an address of the family that the address family setting allows".to_owned(),
            });
        }
        if *tcp != Tcp::default() {
            let domain = if tcp.addresses == Addresses::V6 { Domain::IPV6 } else { Domain::IPV4 };
            let socket = socket2::Socket::new(domain, Type::STREAM, None)
                .map_err(|error| SettingsError::Engine { cause: error.into() })?;
            dialler.prepare(&socket).map_err(|(setting, value, error)| SettingsError::Value {
                setting,
                value,
                expected: format!("only what this system allows ({error})"),
            })?;
        }
        Ok(dialler)
    }

    /// Connects to the first of the addresses that answers.
    pub(crate) async fn open(&self, to: &Address<'_>) -> Result<Arc<Socket>, Unreachable> {
        let addresses = interleaved(self.resolve(to).await?, |address| self.reaches(address.ip()));
        if addresses.is_empty() {
            return Err(failure::no_such_address(to));
        }
        // With a port of our own there can be one attempt at a time.
        let stagger = self.tcp.local_port.is_none().then_some(STAGGER);
        let stream = race(&addresses, stagger, |address| self.dial(address)).await;
        let stream = stream.map_err(|error| failure::tcp(to, error))?;
        Ok(Arc::new(Socket::new(stream, self.tcp.linger)))
    }

    /// An address of the name, for those who take no names.
    pub(crate) async fn address(
        &self,
        of: &Address<'_>,
        takes: impl Fn(IpAddr) -> bool,
    ) -> Result<IpAddr, Unreachable> {
        let mut addresses = self.resolve(of).await?.into_iter().map(|address| address.ip());
        addresses
            .find(|address| fits(self.tcp.addresses, *address) && takes(*address))
            .ok_or_else(|| failure::no_such_address(of))
    }

    async fn resolve(&self, name: &Address<'_>) -> Result<Vec<SocketAddr>, Unreachable> {
        if let Ok(address) = name.host.parse() {
            return Ok(vec![SocketAddr::new(address, name.port)]);
        }
        let found = lookup_host((name.host, name.port)).await.map_err(|error| failure::name(name, error))?;
        Ok(found.collect())
    }

    fn reaches(&self, address: IpAddr) -> bool {
        fits(self.tcp.addresses, address)
            && self.tcp.local_address.is_none_or(|local| local.is_ipv4() == address.is_ipv4())
    }

    async fn dial(&self, address: SocketAddr) -> io::Result<tokio::net::TcpStream> {
        let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        self.prepare(&socket).map_err(|(setting, value, error)| {
            io::Error::new(error.kind(), format!("the {setting} cannot be {value}: {error}"))
        })?;
        self.bind(&socket, address)?;
        TcpSocket::from_std_stream(socket.into()).connect(address).await
    }

    /// Sets the options; where one cannot be set, says which, and to what.
    fn prepare(&self, socket: &socket2::Socket) -> Result<(), (Setting, String, io::Error)> {
        let tcp = &self.tcp;
        if !tcp.nagle {
            socket.set_tcp_nodelay(true).map_err(|error| (Setting::Nagle, "off".to_owned(), error))?;
        }
        if let Some(probes) = tcp.keep_alive {
            let refused = |setting, value: String| move |error| (setting, value, error);
            socket.set_keepalive(true).map_err(refused(Setting::KeepAliveProbes, "on".to_owned()))?;
            if let Some(time) = probes.time {
                socket
                    .set_tcp_keepalive(&TcpKeepalive::new().with_time(whole_seconds(time)))
                    .map_err(refused(Setting::KeepAliveTime, format!("{time:?}")))?;
            }
            if let Some(interval) = probes.interval {
                socket
                    .set_tcp_keepalive(&TcpKeepalive::new().with_interval(whole_seconds(interval)))
                    .map_err(refused(Setting::KeepAliveInterval, format!("{interval:?}")))?;
            }
        }
        let linger = match tcp.linger {
            Linger::Reset => Some(Duration::ZERO),
            Linger::Wait(limit) => Some(whole_seconds(limit)),
            _ => None,
        };
        if linger.is_some() {
            socket
                .set_linger(linger)
                .map_err(|error| (Setting::Linger, format!("{:?}", tcp.linger), error))?;
        }
        for (setting, size) in
            [(Setting::ReceiveBuffer, tcp.receive_buffer), (Setting::SendBuffer, tcp.send_buffer)]
        {
            let Some(size) = size else { continue };
            // The system takes no larger number.
            let bytes = size.get().min(i32::MAX as usize);
            let set = if setting == Setting::ReceiveBuffer {
                socket.set_recv_buffer_size(bytes)
            } else {
                socket.set_send_buffer_size(bytes)
            };
            set.map_err(|error| (setting, format!("{size} bytes"), error))?;
        }
        Ok(())
    }

    fn bind(&self, socket: &socket2::Socket, to: SocketAddr) -> io::Result<()> {
        let Tcp { local_address, local_port, .. } = &self.tcp;
        if local_address.is_none() && local_port.is_none() {
            return Ok(());
        }
        let any: IpAddr =
            if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let from = SocketAddr::new(local_address.unwrap_or(any), local_port.map_or(0, |port| port.get()));
        // The last connection from this port is not quite forgotten by the system for a minute. Elsewhere than on Unix the
        // option has two sockets share a port.
        #[cfg(unix)]
        if local_port.is_some() {
            socket.set_reuse_address(true)?;
        }
        socket.bind(&from.into()).map_err(|error| {
            io::Error::new(error.kind(), format!("no connection can come from {from}: {error}"))
        })
    }
}

/// Whether addresses of this family are tried.
fn fits(addresses: Addresses, address: IpAddr) -> bool {
    match addresses {
        Addresses::V4 => address.is_ipv4(),
        Addresses::V6 => address.is_ipv6(),
        _ => true,
    }
}

/// Whole seconds are what most systems count; none at all would mean something else.
const fn whole_seconds(time: Duration) -> Duration {
    // More is no number of seconds to the system.
    const MOST: u64 = i32::MAX as u64;
    let seconds = time.as_secs();
    let up = time.subsec_nanos() > 0 || seconds == 0;
    Duration::from_secs(if seconds >= MOST { MOST } else { seconds + up as u64 })
}

/// The addresses in turns of IPv6 and IPv4, beginning with the system's first (RFC 8305 section 4).
fn interleaved(addresses: Vec<SocketAddr>, reached: impl Fn(&SocketAddr) -> bool) -> Vec<SocketAddr> {
    let reached: Vec<_> = addresses.into_iter().filter(reached).collect();
    let Some(first) = reached.first() else { return reached };
    let (one, other): (Vec<SocketAddr>, Vec<SocketAddr>) =
        reached.iter().partition(|address| address.is_ipv4() == first.is_ipv4());
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut mixed = Vec::with_capacity(reached.len());
    loop {
        let before = mixed.len();
        mixed.extend(one.next());
        mixed.extend(other.next());
        if mixed.len() == before {
            return mixed;
        }
    }
}

/// Tries one address after another, each as soon as the one before has failed or had its time alone; the first connection
/// counts, the other attempts are dropped (RFC 8305 section 5).
async fn race<T, F: Future<Output = io::Result<T>>>(
    addresses: &[SocketAddr],
    stagger: Option<Duration>,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<T> {
    let mut waiting = addresses.iter();
    let mut running: Vec<Pin<Box<F>>> = Vec::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        running.extend(waiting.next().map(|address| Box::pin(connect(*address))));
        let more = waiting.len() > 0;
        let mut turn = pin!(async {
            match stagger {
                Some(stagger) if more => sleep(stagger).await,
                _ => pending().await,
            }
        });
        let outcome = poll_fn(|context| {
            let mut failed = false;
            let mut at = 0;
            while let Some(attempt) = running.get_mut(at) {
                match attempt.as_mut().poll(context) {
                    Poll::Ready(Ok(stream)) => return Poll::Ready(Some(Ok(stream))),
                    Poll::Ready(Err(error)) => {
                        failed = true;
                        last = error;
                        drop(running.remove(at));
                    }
                    Poll::Pending => at += 1,
                }
            }
            if failed && more {
                return Poll::Ready(None);
            }
            if running.is_empty() {
                return Poll::Ready(Some(Err(())));
            }
            turn.as_mut().poll(context).map(|()| None)
        })
        .await;
        match outcome {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(())) => return Err(last),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oauth_transport::KeepAlive;
    use std::sync::Mutex;
    use tokio::time::Instant;

    fn addresses(text: &str) -> Vec<SocketAddr> {
        text.split(' ').map(|one| format!("{one}:1").parse().unwrap()).collect()
    }

    #[test]
    fn addresses_take_turns_by_family() {
        for (given, mixed) in [
            ("[::1] [::2] 127.0.0.1 127.0.0.2", "[::1] 127.0.0.1 [::2] 127.0.0.2"),
            ("127.0.0.1 [::1] [::2] [::3]", "127.0.0.1 [::1] [::2] [::3]"),
            ("127.0.0.1 127.0.0.2 127.0.0.3 [::1]", "127.0.0.1 [::1] 127.0.0.2 127.0.0.3"),
        ] {
            assert_eq!(interleaved(addresses(given), |_| true), addresses(mixed));
        }
        let v4 = interleaved(addresses("[::1] 127.0.0.1 [::2]"), SocketAddr::is_ipv4);
        assert_eq!(v4, addresses("127.0.0.1"));
        assert!(interleaved(addresses("[::1]"), SocketAddr::is_ipv4).is_empty());
    }

    /// What a scripted address does, and after how long.
    type Script = fn(IpAddr) -> (u64, io::Result<IpAddr>);

    async fn played(
        given: &str,
        stagger: Option<Duration>,
        script: Script,
    ) -> (io::Result<IpAddr>, Vec<u128>) {
        let begun = Mutex::new(Vec::new());
        let start = Instant::now();
        let outcome = race(&addresses(given), stagger, |address| {
            begun.lock().unwrap().push(start.elapsed().as_millis());
            async move {
                let (after, outcome) = script(address.ip());
                sleep(Duration::from_millis(after)).await;
                outcome
            }
        })
        .await;
        (outcome, begun.into_inner().unwrap())
    }

    /// RFC 8305 section 5.
    #[tokio::test(start_paused = true)]
    async fn a_slow_address_is_overtaken() {
        let script: Script = |address| (if address.is_ipv6() { 10_000 } else { 30 }, Ok(address));
        let (outcome, begun) = played("[::1] 127.0.0.1", Some(STAGGER), script).await;
        assert!(outcome.unwrap().is_ipv4());
        assert_eq!(begun, [0, 250]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_refuses_costs_no_wait_and_the_last_error_is_told() {
        let script: Script = |address| {
            let kind = if address.is_ipv6() {
                io::ErrorKind::NetworkUnreachable
            } else {
                io::ErrorKind::ConnectionRefused
            };
            (1, Err(kind.into()))
        };
        let (outcome, begun) = played("[::1] 127.0.0.1", Some(STAGGER), script).await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(begun, [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn with_a_port_of_ones_own_there_is_one_attempt_at_a_time() {
        let script: Script = |address| match address {
            IpAddr::V6(_) => (600, Err(io::ErrorKind::ConnectionRefused.into())),
            IpAddr::V4(_) => (5, Ok(address)),
        };
        let (outcome, begun) = played("[::1] 127.0.0.1", None, script).await;
        assert!(outcome.unwrap().is_ipv4());
        assert_eq!(begun, [0, 600]);
    }

    #[test]
    fn times_are_rounded_up_to_whole_seconds() {
        for (given, whole) in [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2)] {
            assert_eq!(whole_seconds(Duration::from_millis(given)), Duration::from_secs(whole));
        }
    }

    #[test]
    fn what_the_system_refuses_is_refused_when_the_transport_is_made() {
        let mut tcp = Tcp::default();
        let mut probes = KeepAlive::default();
        probes.time = Some(Duration::from_secs(10_000_000));
        tcp.keep_alive = Some(probes);
        let error = Dialler::new(&Settings::new().with_tcp(tcp)).err().unwrap().to_string();
        assert!(error.starts_with("the time before the first keep-alive probe cannot be"), "{error}");

        let mut tcp = Tcp::default();
        tcp.local_address = Some([127, 0, 0, 1].into());
        tcp.addresses = Addresses::V6;
        let error = Dialler::new(&Settings::new().with_tcp(tcp)).err().unwrap().to_string();
        assert!(error.starts_with("the local address cannot be \"127.0.0.1\""), "{error}");
    }
}
