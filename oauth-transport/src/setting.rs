//! Each network setting by its name, and what an engine says to it.

use crate::settings::SettingsError;
use std::fmt;

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal [$($seed:literal)*],)+) => {
        /// A setting, or a value of one, that an engine may be unable to carry.
        ///
        /// What the HTTP session does itself, whatever the engine (redirects, cookies, headers, encodings, the transcript,
        /// limits), is not here: every engine carries it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Setting {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Setting {
            /// Every setting, in the order of the capability tables.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in words, as messages and tables spell it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What the component `OAuth` calls it: the names of properties, events and configuration settings.
            #[must_use]
            pub const fn component_names(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($seed,)*],)+ }
            }
        }
    };
}

settings! {
    /// A limit for the time until a connection stands.
    ConnectTimeout = "connect timeout" ["ConnectionTimeout"],
    /// A limit for a request as a whole.
    TotalTimeout = "total timeout" ["timeout" "AbsoluteTimeout"],
    /// A limit for the time in which no byte moves.
    InactivityTimeout = "inactivity timeout" ["timeout" "AbsoluteTimeout"],

    /// The address that connections come from.
    LocalAddress = "local address" ["local_host" "LocalHost"],
    /// The port that connections come from.
    LocalPort = "local port" ["LocalPort"],
    /// Small packets are held back until the earlier ones have arrived.
    Nagle = "delay of small packets" ["TcpNoDelay"],
    /// Probes on an idle connection.
    KeepAliveProbes = "TCP keep-alive" ["TCPKeepAlive"],
    /// How long a connection is idle before the first probe.
    KeepAliveTime = "time before the first keep-alive probe" ["KeepAliveTime"],
    /// How long it is from one probe to the next.
    KeepAliveInterval = "interval of keep-alive probes" ["KeepAliveInterval"],
    /// What becomes of unsent bytes when a connection is closed.
    Linger = "linger" ["Linger" "LingerTime"],
    /// The size of the system's receive buffer.
    ReceiveBuffer = "receive buffer" ["InBufferSize"],
    /// The size of the system's send buffer.
    SendBuffer = "send buffer" ["OutBufferSize"],
    /// IPv4 alone or IPv6 alone.
    AddressFamily = "address family" ["UseIPv6"],
    /// A bound on the bytes per second.
    TransferRate = "transfer rate" ["MaxTransferRate"],
    /// How long a line of a response's head may be.
    LineLength = "line length" ["MaxLineLength"],

    /// A firewall that opens tunnels by `CONNECT`.
    FirewallTunnel = "tunnelling firewall" ["firewall_type" "FirewallType"],
    /// A SOCKS4 firewall.
    FirewallSocks4 = "SOCKS4 firewall" ["firewall_type" "FirewallType"],
    /// A SOCKS4a firewall, which resolves names itself.
    FirewallSocks4a = "SOCKS4a firewall" ["firewall_type" "FirewallType"],
    /// A SOCKS5 firewall.
    FirewallSocks5 = "SOCKS5 firewall" ["firewall_type" "FirewallType"],
    /// Header lines for a tunnelling firewall.
    FirewallHeaders = "firewall headers" ["FirewallData"],
    /// A firewall, and a proxy that is reached through it.
    FirewallUnderProxy = "firewall under a proxy" ["firewall_host" "proxy_server"],

    /// An HTTP proxy.
    HttpProxy = "HTTP proxy" ["proxy_server" "ProxyServer" "proxy_port" "ProxyPort"],
    /// An HTTP proxy that is spoken to over TLS.
    ProxyOverTls = "proxy over TLS" ["proxy_ssl"],
    /// A SOCKS proxy, named by a URL.
    SocksProxy = "SOCKS proxy" ["proxy_server"],
    /// A tunnel even for plain `http`.
    ProxyTunnel = "tunnel for plain http" ["proxy_ssl"],
    /// The Digest scheme for a proxy (RFC 7616).
    ProxyDigest = "Digest authentication to a proxy" ["proxy_auth_scheme" "ProxyAuthScheme"],
    /// A `Proxy-Authorization` of one's own, sent as it is.
    ProxyAuthorization = "Proxy-Authorization of one's own" ["ProxyAuthorization"],
    /// NTLM to a proxy.
    ProxyNtlm = "NTLM authentication to a proxy" ["proxy_auth_scheme" "ProxyAuthScheme"],
    /// Negotiate (RFC 4559) to a proxy.
    ProxyNegotiate = "Negotiate authentication to a proxy" ["proxy_auth_scheme" "ProxyAuthScheme"],
    /// The name of the proxy's Kerberos service.
    KerberosServiceName = "Kerberos service name" ["KerberosSPN"],

    /// HTTP/1.0.
    Http10 = "HTTP/1.0" ["HTTPVersion"],
    /// HTTP/2, and HTTP/1.1 where the server has no other.
    Http2 = "HTTP/2" ["HTTPVersion"],
    /// HTTP/2 alone.
    Http2Alone = "HTTP/2 without fallback" ["AllowHTTPFallback"],
    /// Every request has a connection of its own.
    ConnectionPerRequest = "connection per request" ["KeepAlive"],
    /// Headers that HTTP/2's compression never remembers.
    UnindexedHeaders = "headers without indexing" ["HTTP2HeadersWithoutIndexing"],
    /// The body of a request goes out in chunks.
    ChunkedUpload = "chunked upload" ["UseChunkedEncoding" "ChunkSize"],

    /// Trust roots beside the platform's.
    ExtraRoots = "extra trust roots" ["SSLCACertFilePaths" "OpenSSLCAFile" "OpenSSLCADir"],
    /// Extra trust roots in place of the platform's.
    ExtraRootsAlone = "choice of extra trust roots alone" ["SSLCACertFilePaths"],
    /// A certificate that the client shows.
    ClientCertificate = "client certificate" [
        "ssl_cert_encoded" "ssl_cert_store" "ssl_cert_store_password" "ssl_cert_store_type" "ssl_cert_subject" "SSLCACerts"
    ],
    /// The key of that certificate stays in a security key, or wherever else it is asked to sign.
    ClientKeyInToken = "client key in a token" ["ssl_cert_store_type"],
    /// TLS 1.2 alone or TLS 1.3 alone.
    TlsVersions = "TLS versions" ["SSLEnabledProtocols"],
    /// The cipher suites of TLS 1.2.
    CipherSuites12 = "cipher suites of TLS 1.2" ["SSLEnabledCipherSuites" "OpenSSLCipherList"],
    /// The cipher suites of TLS 1.3.
    CipherSuites13 = "cipher suites of TLS 1.3" ["SSLEnabledCipherSuites"],
    /// The least bits of a cipher's key.
    CipherStrength = "cipher strength" ["SSLCipherStrength"],
    /// The groups of key exchanges.
    Groups = "key exchange groups" ["TLS12SupportedGroups" "TLS13SupportedGroups" "TLS13KeyShareGroups"],
    /// The signature algorithms of TLS.
    SignatureAlgorithms = "signature algorithms" ["TLS12SignatureAlgorithms" "TLS13SignatureAlgorithms"],
    /// No TLS session is taken up again.
    FreshSessions = "fresh TLS session for each connection" ["ReuseSSLSession"],
    /// Revocation lists.
    Revocation = "check of revocation lists" ["SSLCheckCRL"],
    /// A server's certificate that is out of date.
    AcceptOutOfDate = "acceptance of certificates out of date" ["SSLSecurityFlags"],
    /// A server's certificate of an unknown issuer.
    AcceptUnknownIssuer = "acceptance of unknown issuers" ["SSLSecurityFlags"],
    /// A server's certificate that is for another use.
    AcceptWrongUsage = "acceptance of certificates for another use" ["SSLSecurityFlags"],
    /// A server's certificate that nobody knows to be good still.
    AcceptUnknownRevocation = "acceptance of unknown revocation" ["SSLSecurityFlags"],
    /// A server's certificate for another name.
    AcceptWrongName = "acceptance of certificates for another name" ["SSLSecurityFlags"],
    /// One server certificate that is accepted whatever is wrong with its chain.
    Pin = "accepted server certificate" ["ssl_accept_server_cert_encoded"],
    /// The handler decides on each server certificate: it may refuse it, and accept it where that is set.
    CertificateDecisions = "decision on server certificates" [
        "on_ssl_server_authentication" "ssl_server_cert_encoded" "SSLIncludeCertChain"
    ],
    /// The headers of TLS records in the log.
    RecordLog = "log of TLS records" ["LogSSLPackets"],
    /// Events of connections and of TLS.
    ConnectionEvents = "events of connections" [
        "on_connected" "on_connection_status" "on_disconnected" "on_ssl_status" "connected"
    ],
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an engine says to a [`Setting`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth answer")]
pub enum Support {
    /// The engine carries it.
    Native,
    /// It has its effect by other means, which the text tells.
    Emulated(&'static str),
    /// It cannot be carried, for this reason; settings that ask for it are refused.
    Unsupported(&'static str),
}

impl Support {
    /// Refuses what is not supported.
    ///
    /// # Errors
    /// [`SettingsError::Unsupported`].
    pub const fn require(self, engine: &'static str, setting: Setting) -> Result<(), SettingsError> {
        match self {
            Self::Native | Self::Emulated(_) => Ok(()),
            Self::Unsupported(why) => {
                Err(SettingsError::Unsupported { engine, setting: setting.name(), why })
            }
        }
    }
}

/// An engine's name, and its answer to each setting.
pub type Column<'a> = (&'a str, &'a dyn Fn(Setting) -> Support);

/// The answers of engines side by side, as Markdown.
///
/// What is emulated or refused is a note below the table.
#[must_use]
pub fn capability_table(columns: &[Column<'_>]) -> String {
    use fmt::Write as _;
    let mut table = String::from("| setting |");
    let mut rule = String::from("| --- |");
    for (engine, _) in columns {
        let _ = write!(table, " {engine} |");
        rule.push_str(" --- |");
    }
    table.push('\n');
    table.push_str(&rule);
    table.push('\n');
    let mut notes = Vec::new();
    for setting in Setting::ALL {
        let _ = write!(table, "| {setting} |");
        for (engine, supports) in columns {
            let cell = match supports(*setting) {
                Support::Native => "yes".to_owned(),
                Support::Emulated(how) => {
                    notes.push(format!("{engine}, {setting}: {how}"));
                    format!("yes ({})", notes.len())
                }
                Support::Unsupported(why) => {
                    notes.push(format!("{engine}, {setting}: {why}"));
                    format!("no ({})", notes.len())
                }
            };
            let _ = write!(table, " {cell} |");
        }
        table.push('\n');
    }
    if !notes.is_empty() {
        table.push('\n');
    }
    for (index, note) in notes.iter().enumerate() {
        let _ = writeln!(table, "{}. {note}", index + 1);
    }
    table
}
