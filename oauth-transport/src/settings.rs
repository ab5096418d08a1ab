//! What a transport can be told, and why it may say no.

use crate::proxies::Proxies;
use http::HeaderValue;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The settings every transport takes. The same value means the same on each engine.
///
/// Nothing that is set here is silently ignored: a transport that cannot carry a setting fails to be made.
#[derive(Clone)]
pub struct Settings {
    connect_timeout: Duration,
    total_timeout: Duration,
    extra_roots: Vec<Vec<u8>>,
    platform_roots: bool,
    proxies: Proxies,
    user_agent: HeaderValue,
}

impl Settings {
    /// The defaults: 10 s to connect, 30 s in all, the platform's trust roots and no others, no proxy.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(30),
            extra_roots: Vec::new(),
            platform_roots: true,
            proxies: Proxies::none(),
            user_agent: HeaderValue::from_static(concat!("oauth/", env!("CARGO_PKG_VERSION"))),
        }
    }

    /// Limits the time until a connection stands: the name, TCP, the proxy and TLS together.
    #[must_use]
    pub const fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Limits a request from its start to the last byte of its response, however steadily bytes come.
    #[must_use]
    pub const fn with_total_timeout(mut self, limit: Duration) -> Self {
        self.total_timeout = limit;
        self
    }

    /// Trusts the certificates in a PEM file as roots, beside the platform's. What else the file holds is passed over.
    ///
    /// # Errors
    /// The text holds no certificate, or a broken one. Whether each can be a root is seen when a transport is made.
    pub fn with_extra_roots_pem(mut self, pem: &[u8]) -> Result<Self, SettingsError> {
        let before = self.extra_roots.len();
        for root in CertificateDer::pem_slice_iter(pem) {
            let root = root.map_err(|_| SettingsError::ExtraRoot { index: self.extra_roots.len() })?;
            self.extra_roots.push(root.to_vec());
        }
        if self.extra_roots.len() == before {
            return Err(SettingsError::NoCertificate);
        }
        Ok(self)
    }

    /// Trusts a DER certificate as a root, beside the platform's.
    #[must_use]
    pub fn with_extra_root_der(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.extra_roots.push(der.into());
        self
    }

    /// Trusts the extra roots alone.
    #[must_use]
    pub const fn without_platform_roots(mut self) -> Self {
        self.platform_roots = false;
        self
    }

    /// Sends requests through proxies.
    #[must_use]
    pub fn with_proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Names the program in the `User-Agent` header; a request that brings one keeps its own.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: HeaderValue) -> Self {
        self.user_agent = user_agent;
        self
    }

    /// How long a connection may take to stand.
    #[must_use]
    pub const fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// How long a request may take in all.
    #[must_use]
    pub const fn total_timeout(&self) -> Duration {
        self.total_timeout
    }

    /// The extra roots, as DER.
    pub fn extra_roots(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.extra_roots.iter().map(Vec::as_slice)
    }

    /// Whether the platform's roots are trusted.
    #[must_use]
    pub const fn platform_roots(&self) -> bool {
        self.platform_roots
    }

    /// Which proxy a request goes through.
    #[must_use]
    pub const fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// The `User-Agent` of requests that bring none.
    #[must_use]
    pub const fn user_agent(&self) -> &HeaderValue {
        &self.user_agent
    }

    /// Refuses what no transport can carry. Each transport calls it first when it is made.
    ///
    /// # Errors
    /// A limit of zero, or no roots at all.
    pub const fn check(&self) -> Result<(), SettingsError> {
        if self.connect_timeout.is_zero() {
            return Err(SettingsError::ZeroTimeout { setting: "connect timeout" });
        }
        if self.total_timeout.is_zero() {
            return Err(SettingsError::ZeroTimeout { setting: "total timeout" });
        }
        if !self.platform_roots && self.extra_roots.is_empty() {
            return Err(SettingsError::NoRoots);
        }
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("connect_timeout", &self.connect_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("extra_roots", &format_args!("[{} certificates]", self.extra_roots.len()))
            .field("platform_roots", &self.platform_roots)
            .field("proxies", &self.proxies)
            .field("user_agent", &self.user_agent)
            .finish()
    }
}

/// Why a transport could not be made. Nothing was sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum SettingsError {
    /// This engine cannot carry the setting; another may.
    Unsupported {
        /// The engine's name.
        engine: &'static str,
        /// The setting, in words.
        setting: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// A limit is zero, so that every request would fail.
    ZeroTimeout {
        /// The setting, in words.
        setting: &'static str,
    },
    /// The PEM text holds no certificate.
    NoCertificate,
    /// An extra root is not a certificate that can be a root.
    ExtraRoot {
        /// Its place among the extra roots, from zero.
        index: usize,
    },
    /// Neither the platform's roots nor extra ones are to be trusted.
    NoRoots,
    /// The platform's roots cannot be read.
    PlatformRoots {
        /// What the engine says.
        cause: Box<dyn Error + Send + Sync>,
    },
    /// A proxy's address makes no sense.
    Proxy {
        /// Where it was read: the variable's name, or `proxy`.
        from: &'static str,
        /// Why not. Holds none of the value, which may carry a password.
        why: &'static str,
    },
    /// The engine could not be set up.
    Engine {
        /// What the engine says.
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported { engine, setting, why } => {
                write!(f, "the transport {engine} cannot carry the {setting}: {why}; take it out or use another transport")
            }
            Self::ZeroTimeout { setting } => {
                write!(f, "the {setting} is zero, so every request would fail; set a longer one")
            }
            Self::NoCertificate => f.write_str(
                "no certificate was found; an extra trust root is a PEM file that begins with -----BEGIN CERTIFICATE-----",
            ),
            Self::ExtraRoot { index } => {
                write!(f, "extra trust root {} is not a readable certificate; replace it", index + 1)
            }
            Self::NoRoots => {
                f.write_str("no trust roots, so every server would be refused; add a root or trust the platform's")
            }
            Self::PlatformRoots { cause } => {
                write!(f, "the platform's trust roots cannot be read: {cause}; install its CA certificates or add a root")
            }
            Self::Proxy { from, why } => {
                write!(f, "the proxy of {from} cannot be used: {why}; write it as http://host:port")
            }
            Self::Engine { cause } => write!(f, "the HTTP engine cannot be set up: {cause}"),
        }
    }
}

impl Error for SettingsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::PlatformRoots { cause } | Self::Engine { cause } => Some(&**cause),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
