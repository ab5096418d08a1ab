//! Those who connect us to others: firewalls, and SOCKS proxies, which are the same under another name.

use super::showing::Showing;
use super::socks::{self, Handshake, Step, Target};
use super::tcp::Dialler;
use super::tunnel::{self, Connect};
use super::{Address, Stream};
use crate::failure;
use oauth_core::Unreachable;
use oauth_transport::{
    EventSink, Firewall, FirewallKind, LogLevel, LogType, Proxy, ProxyAuthentication, SettingsError,
};
use std::net::IpAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What a step on the way is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Firewall,
    Proxy,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Firewall => "firewall",
            Self::Proxy => "proxy",
        }
    }

    pub(crate) const fn request(self) -> LogType {
        match self {
            Self::Firewall => LogType::FirewallRequest,
            Self::Proxy => LogType::ProxyRequest,
        }
    }

    pub(crate) const fn response(self) -> LogType {
        match self {
            Self::Firewall => LogType::FirewallResponse,
            Self::Proxy => LogType::ProxyResponse,
        }
    }
}

/// One that connects us to others.
pub(crate) struct Gate {
    firewall: Firewall,
    role: Role,
    /// Whether it is told who we are.
    known: bool,
}

/// Where a gate is to connect to: an address where it takes, or gets, no names.
pub(crate) struct Goal {
    address: Option<IpAddr>,
}

impl Gate {
    pub(crate) fn firewall(firewall: Firewall) -> Result<Self, SettingsError> {
        Self { firewall, role: Role::Firewall, known: true }.checked()
    }

    /// `None` where the proxy speaks HTTP.
    pub(crate) fn proxy(
        proxy: &Proxy,
        authentication: &ProxyAuthentication,
    ) -> Result<Option<Self>, SettingsError> {
        let Some(firewall) = Firewall::of_proxy(proxy) else { return Ok(None) };
        let known = match authentication {
            ProxyAuthentication::Never => false,
            ProxyAuthentication::Basic => true,
            _ => {
                return Err(SettingsError::Proxy {
                    from: "proxy",
                    why: "a SOCKS proxy takes a user name and a password, and no other authentication",
                });
            }
        };
        Self { firewall, role: Role::Proxy, known }.checked().map(Some)
    }

    /// Refuses what the protocol cannot say.
    fn checked(self) -> Result<Self, SettingsError> {
        let Some((user, password)) = self.credentials() else { return Ok(self) };
        let checked = match self.firewall.kind() {
            FirewallKind::Socks4 | FirewallKind::Socks4a => socks::user_id(user).map(drop),
            FirewallKind::Socks5 => socks::user_and_password(user, password).map(drop),
            _ => Ok(()),
        };
        match checked {
            Ok(()) => Ok(self),
            Err(why) => Err(SettingsError::Proxy { from: self.role.name(), why }),
        }
    }

    pub(crate) fn address(&self) -> Address<'_> {
        Address { host: self.firewall.host(), port: self.firewall.port().get() }
    }

    pub(crate) const fn role(&self) -> Role {
        self.role
    }

    fn credentials(&self) -> Option<(&str, &str)> {
        self.firewall.credentials().filter(|_| self.known)
    }

    /// What it will be told, looked up before it is connected to.
    pub(crate) async fn goal(&self, to: &Address<'_>, dialler: &Dialler) -> Result<Goal, Unreachable> {
        let kind = self.firewall.kind();
        let takes_v6 = matches!(kind, FirewallKind::Socks5 | FirewallKind::Tunnel);
        let address = match to.host.parse::<IpAddr>() {
            Ok(address) => Some(address),
            Err(_) if self.firewall.resolves_names() => None,
            Err(_) => Some(dialler.address(to, |address| takes_v6 || address.is_ipv4()).await?),
        };
        Ok(Goal { address })
    }

    /// Has it connect us.
    pub(crate) async fn pass(
        &self,
        mut stream: Stream,
        to: &Address<'_>,
        goal: &Goal,
        events: &EventSink,
    ) -> Result<Stream, Unreachable> {
        let target = goal.address.map_or(Target::Name(to.host), Target::Address);
        let handshake = match self.firewall.kind() {
            FirewallKind::Tunnel => return self.tunnel(stream, to, goal, events).await,
            FirewallKind::Socks4 | FirewallKind::Socks4a => {
                let user = self.credentials().map_or("", |(user, _)| user);
                Handshake::version4(user, target, to.port)
            }
            FirewallKind::Socks5 => Handshake::version5(self.credentials(), target, to.port),
            kind => return Err(failure::gate(self, format!("{kind:?} is not known here"))),
        };
        events.log(LogLevel::Verbose, self.role.request(), || {
            let who = if self.credentials().is_some() { ", as [redacted]" } else { "" };
            let to = goal.address.map_or_else(|| to.to_string(), |host| host.to_string());
            format!("{:?} to {to}{who}", self.firewall.kind())
        });
        let outcome = match handshake {
            Ok(mut handshake) => converse(&mut stream, &mut handshake).await,
            Err(refused) => Err(refused.to_string()),
        };
        events.log(LogLevel::Verbose, self.role.response(), || match &outcome {
            Ok(()) => "connected".to_owned(),
            Err(why) => format!("not connected: {why}"),
        });
        outcome.map_err(|why| failure::gate(self, why))?;
        Ok(stream)
    }

    async fn tunnel(
        &self,
        stream: Stream,
        to: &Address<'_>,
        goal: &Goal,
        events: &EventSink,
    ) -> Result<Stream, Unreachable> {
        let literal = goal.address.map(|address| address.to_string());
        let to = Address { host: literal.as_deref().unwrap_or(to.host), port: to.port };
        let connect = Connect {
            role: self.role,
            to: &to,
            headers: self.firewall.headers().map(|(name, value)| (name.clone(), value.clone())).collect(),
            events,
        };
        let mut showing = Showing::Fixed(self.firewall.authorization().filter(|_| self.known));
        match tunnel::open(stream, &connect, &mut showing).await? {
            Some(stream) => Ok(stream),
            // Only what Digest is answered with is asked for again.
            None => Err(failure::gate(self, "it opened no tunnel")),
        }
    }
}

async fn converse(stream: &mut Stream, handshake: &mut Handshake) -> Result<(), String> {
    let lost = |error: std::io::Error| format!("it ended the connection: {error}");
    let mut received = [0; 512];
    loop {
        match handshake.poll() {
            Step::Send(bytes) => {
                stream.write_all(&bytes).await.map_err(lost)?;
                stream.flush().await.map_err(lost)?;
            }
            Step::Receive(count) => {
                let into = received.get_mut(..count).ok_or("its reply is too long")?;
                stream.read_exact(into).await.map_err(lost)?;
                handshake.handle(into).map_err(|refused| refused.to_string())?;
            }
            Step::Done => return Ok(()),
        }
    }
}
