//! Proxies, firewalls, redirects, and what went over the wire.

use crate::component::OAuth;
use crate::component::error::ComponentError;
use crate::component::values::{ProxyScheme, ProxySsl, Secret};
use oauth_core::{Password, SecretBytes};
use oauth_transport::FirewallKind;
use oauth_transport::session::{ExtraHeaders, Hop, Redirects};
use std::net::IpAddr;
use std::path::PathBuf;

texts! {
    /// Where the firewall is: a name or an address.
    firewall_host set_firewall_host = network.firewall.host;
    /// The user name for the firewall; SOCKS4's user id.
    firewall_user set_firewall_user = network.firewall.user;
    /// The proxy that requests go through: a name, an address or a URL; `*` for the environment's; empty for none.
    proxy_server set_proxy_server = network.proxy.server;
    /// The user name for the proxy; empty shows it none.
    proxy_user set_proxy_user = network.proxy.user;
}

secrets! {
    /// The password for the firewall; SOCKS4 has none.
    firewall_password set_firewall_password: Password = network.firewall.password;
    /// The password for the proxy.
    proxy_password set_proxy_password: Password = network.proxy.password;
}

copied! {
    /// Whether the firewall is taken from the environment (`ALL_PROXY`), where that names a SOCKS server.
    firewall_auto_detect set_firewall_auto_detect: bool = network.firewall.auto_detect;
    /// What the firewall speaks; `None` for no firewall. Every connection is made through it, those to a proxy among them.
    firewall_type set_firewall_type: Option<FirewallKind> = network.firewall.kind;
    /// The firewall's port; `None` is the usual one of its type: 80 for a tunnel, 1080 for SOCKS.
    firewall_port set_firewall_port: Option<u16> = network.firewall.port;
    /// Which redirects are followed: none, by default. No credential leaves its origin, and no token request is redirected.
    follow_redirects set_follow_redirects: Redirects = network.session.redirects;
    /// The address of this machine that connections come from; `None` leaves it to the system.
    local_host set_local_host: Option<IpAddr> = network.tcp.local_address;
    /// Whether the proxy is taken from the environment (`HTTPS_PROXY`, `NO_PROXY`) where no `proxy_server` is set.
    proxy_auto_detect set_proxy_auto_detect: bool = network.proxy.auto_detect;
    /// Whether secrets are shown in the log of events: credentials, codes, tokens. **Dangerous**: whoever reads it can use them.
    dangerously_log_secrets set_dangerously_log_secrets: bool = network.session.dangerously_log_secrets;
    /// Whether TLS is spoken to the proxy, and whether it opens tunnels.
    proxy_ssl set_proxy_ssl: ProxySsl = network.proxy.ssl;
}

impl OAuth {
    /// Header lines that go with every request, each as `Name: value`, with line ends between. Several of one name all go.
    #[must_use]
    pub fn other_headers(&self) -> String {
        self.values().network.other_headers.clone()
    }

    /// Sets the [other headers](Self::other_headers).
    ///
    /// # Errors
    /// A line is no header, or one that is set elsewhere.
    pub fn set_other_headers(&self, lines: &str) -> Result<(), ComponentError> {
        let _fit = ExtraHeaders::from_lines(lines)
            .map_err(|error| ComponentError::refused("other_headers", error))?;
        self.change(|values| lines.clone_into(&mut values.network.other_headers));
        Ok(())
    }

    /// The proxy's port, where `proxy_server` does not say it: 80, by default.
    #[must_use]
    pub fn proxy_port(&self) -> u16 {
        self.values().network.proxy.port
    }

    /// Sets the [port](Self::proxy_port).
    ///
    /// # Errors
    /// It is 0, which is no port that anybody can be reached at.
    pub fn set_proxy_port(&self, port: u16) -> Result<(), ComponentError> {
        if port == 0 {
            return Err(ComponentError::value("proxy_port", "a whole number from 1 to 65535"));
        }
        self.change(|values| values.network.proxy.port = port);
        Ok(())
    }

    /// How the proxy is shown who we are: by Basic, by default.
    #[must_use]
    pub fn proxy_auth_scheme(&self) -> ProxyScheme {
        self.values().network.proxy.scheme
    }

    /// Sets the [scheme](Self::proxy_auth_scheme). Another one empties the user name, the password and the authorization.
    pub fn set_proxy_auth_scheme(&self, scheme: ProxyScheme) {
        self.change(|values| values.network.proxy.set_scheme(scheme));
    }

    /// A file for the bodies of responses; with `Append` they are added to it. A token response holds tokens.
    pub fn set_local_file(&self, path: Option<PathBuf>) {
        self.change(|values| values.network.local_file = path);
    }

    /// The body of the last response. A token response holds tokens.
    #[must_use]
    pub fn transferred_data(&self) -> SecretBytes {
        let values = self.values();
        let last = values.results.transcript.hops().last();
        SecretBytes::new(last.and_then(Hop::exposed_response_body).unwrap_or_default())
    }

    /// The head of the last response without its first line, as it can be told: names in lower case.
    #[must_use]
    pub fn transferred_headers(&self) -> Secret {
        let read = self.config("TransferredHeaders");
        Secret::new(read.as_ref().map_or("", |value| value.as_str()))
    }
}
