//! The embedded web server: started by hand, or by the call that needs it.

use super::error::ComponentError;
use super::network;
use super::values::{Secret, StoreValues, WebServerValues};
use super::{OAuth, lock};
use crate::callback_certificate;
use oauth_jwt::StoreKind;
use oauth_loopback::{Address, Certificate, Host, Listener, WebServer};
use url::Url;

/// One that runs, and what it was asked to be.
pub(super) struct Started {
    server: WebServer,
    as_asked: AsAsked,
    /// For a login that was begun: a browser that is back before the call that waits for it finds nobody who turns it away.
    reserved: Option<Listener>,
}

/// Of what is set, what a web server that runs cannot take up any more.
#[derive(PartialEq)]
struct AsAsked {
    host: String,
    port: u16,
    /// The kind, the contents, the password and the subject; without TLS they do not matter.
    certificate: Option<(StoreKind, Secret, Secret, String)>,
}

impl AsAsked {
    fn of(asked: &WebServerValues) -> Self {
        let StoreValues { kind, store, password, subject } = asked.certificate.clone();
        let certificate = asked.ssl.then_some((kind, store, password, subject));
        Self { host: asked.host.clone(), port: asked.port, certificate }
    }
}

impl OAuth {
    /// Starts the embedded web server, so that its port and [`return_url`](Self::return_url) are known before the person is sent
    /// away. `get_authorization` starts it where it does not run.
    ///
    /// # Errors
    /// It runs already, its port is taken, or what is set for it does not fit.
    pub fn start_web_server(&self) -> Result<(), ComponentError> {
        if lock(&self.web_server).is_some() {
            return Err(ComponentError::AlreadyListening);
        }
        let resets = self.values().resets;
        self.start_unless_started(resets)
    }

    /// Stops the embedded web server, where it runs, and frees its port.
    pub fn stop_web_server(&self) {
        let server = lock(&self.web_server).take();
        drop(server);
    }

    /// Starts it where it does not run, unless everything was reset since the call began. One that runs as what was set before
    /// has it gives way: nobody waits there between two calls.
    pub(super) fn start_unless_started(&self, resets: u64) -> Result<(), ComponentError> {
        let (asked, return_url) = {
            let values = self.values();
            (values.web_server.clone(), values.oauth.return_url.clone())
        };
        let mut slot = lock(&self.web_server);
        if self.values().resets != resets {
            return Err(ComponentError::Interrupted);
        }
        let mut as_asked = AsAsked::of(&asked);
        if let Some(running) = &*slot
            && running.server.port() == as_asked.port
        {
            // The free one that it found was read, and set.
            as_asked.port = running.as_asked.port;
        }
        if slot.as_ref().is_none_or(|running| running.as_asked != as_asked) {
            *slot = None;
            let server = WebServer::start(&address(&asked, &return_url)?).map_err(crate::Error::from)?;
            *slot = Some(Started { server, as_asked, reserved: None });
        }
        Ok(())
    }

    /// The listener of one login.
    pub(super) fn listener(&self, resets: u64) -> Result<Listener, ComponentError> {
        self.start_unless_started(resets)?;
        let mut slot = lock(&self.web_server);
        let Some(Started { server, reserved, .. }) = &mut *slot else {
            return Err(ComponentError::Interrupted);
        };
        let return_url = self.values().oauth.return_url.clone();
        if !return_url.is_empty() && !is_at(server.redirect_uri(), &return_url) {
            return Err(ComponentError::refused(
                "return_url",
                format_args!(
                    "the embedded web server runs at {}, which is another; stop it, or empty return_url",
                    server.redirect_uri()
                ),
            ));
        }
        reserved.take().map_or_else(|| listener_of(server), Ok)
    }

    /// Whoever comes to the web server, where it runs, is for the login that was begun, and waits for the call that finishes it.
    pub(super) fn reserve_web_server(&self) -> Result<(), ComponentError> {
        if let Some(Started { server, reserved, .. }) = &mut *lock(&self.web_server) {
            *reserved = Some(listener_of(server)?);
        }
        Ok(())
    }

    /// Nobody is expected there any more.
    pub(super) fn release_web_server(&self) {
        let reserved = lock(&self.web_server).as_mut().and_then(|started| started.reserved.take());
        drop(reserved);
    }

    /// The address that it runs at, where that is the one that was asked for.
    pub(super) fn listening_at(&self, return_url: &str) -> Option<String> {
        let server = lock(&self.web_server);
        let Started { server, .. } = server.as_ref()?;
        let is_there = return_url.is_empty() || is_at(server.redirect_uri(), return_url);
        is_there.then(|| server.registered_redirect_uri().to_owned())
    }

    pub(super) fn listening_on(&self) -> Option<u16> {
        lock(&self.web_server).as_ref().map(|running| running.server.port())
    }
}

fn listener_of(server: &WebServer) -> Result<Listener, ComponentError> {
    server.listener().map_err(|error| crate::Error::from(oauth_loopback::ReceiveError::Io(error)).into())
}

/// Whether the embedded web server can be at this address: not at one of another machine, nor of a scheme of the program's own.
pub(super) fn listens_at(return_url: &str) -> bool {
    return_url.is_empty() || Address::from_redirect_uri(return_url).is_ok()
}

/// Whether it is the same address; one without a port leaves that to the system.
fn is_at(redirect_uri: &Url, return_url: &str) -> bool {
    Url::parse(return_url).is_ok_and(|mut url| {
        let port = url.port().or_else(|| redirect_uri.port());
        url.set_port(port).is_ok() && url == *redirect_uri
    })
}

/// Where it binds: where `return_url` says, or else the host and the port.
fn address(asked: &WebServerValues, return_url: &str) -> Result<Address, ComponentError> {
    let address = if return_url.is_empty() {
        let host = match asked.host.as_str() {
            "localhost" => Host::Localhost,
            "::1" => Host::V6,
            _ => Host::V4,
        };
        let address = Address::new().host(host).port(asked.port);
        address.path("/").map_err(|error| ComponentError::refused("WebServerHost", error))?
    } else {
        let url = Url::parse(return_url).map_err(|error| ComponentError::refused("return_url", error))?;
        let address = Address::from_redirect_uri(return_url)
            .map_err(|error| ComponentError::refused("return_url", error))?;
        if url.port().is_none() && asked.port != 0 { address.port(asked.port) } else { address }
    };
    if !asked.ssl {
        return Ok(address);
    }
    let certificate = if asked.certificate.store.expose().is_empty() {
        Certificate::throw_away().map_err(crate::Error::from)?
    } else {
        callback_certificate(network::entry(&asked.certificate)?)?
    };
    Ok(address.https(certificate))
}
