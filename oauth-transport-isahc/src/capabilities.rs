//! What this engine says to each setting.

use oauth_transport::{Setting, Support};

pub(crate) const fn supports(setting: Setting) -> Support {
    use Support::{Emulated, Native, Unsupported};
    match setting {
        Setting::ConnectTimeout
        | Setting::TotalTimeout
        | Setting::LocalAddress
        | Setting::KeepAliveInterval
        | Setting::AddressFamily
        | Setting::FirewallSocks4
        | Setting::FirewallSocks4a
        | Setting::FirewallSocks5
        | Setting::HttpProxy
        | Setting::SocksProxy
        | Setting::ProxyDigest
        | Setting::Http10
        | Setting::Http2
        | Setting::ConnectionPerRequest
        | Setting::ExtraRoots
        | Setting::ClientCertificate
        | Setting::TlsVersions
        | Setting::CipherSuites12
        | Setting::AcceptWrongName => Native,

        Setting::InactivityTimeout => Emulated(
            "a head counts once the whole of it is there, and for that of a request without a body the connect timeout is \
             added, since libcurl does not tell when its connection stands",
        ),
        Setting::KeepAliveProbes => Emulated(
            "the first probe comes after 60 seconds, as libcurl has it, and the next ones too where no interval is set",
        ),
        Setting::TransferRate => Emulated(
            "libcurl holds bodies back, a second's worth at a time, and what it lets through early waits; heads go at \
                 full speed",
        ),
        Setting::LineLength => Emulated(
            "lines are measured once the whole head is there, the first without what the server calls its status",
        ),
        Setting::ChunkedUpload => {
            Emulated("libcurl cuts a chunk short that does not fit into its buffer of 64 KiB")
        }
        Setting::CipherStrength => Emulated(
            "beyond 128 bits it speaks TLS 1.2 alone, since it cannot choose among the cipher suites of TLS 1.3",
        ),
        Setting::FreshSessions => Emulated("each request has an engine, and so a connection, of its own"),
        Setting::ConnectionEvents => Emulated(
            "those of connections and TLS are told once a response or a failure shows that they have happened",
        ),

        Setting::LocalPort => Unsupported("isahc does not pass it on to libcurl; the transport hyper can"),
        Setting::Nagle => Unsupported(
            "isahc can turn the delay off, which libcurl does anyway, but not on; the transport hyper can",
        ),
        Setting::KeepAliveTime => {
            Unsupported("isahc leaves it at libcurl's 60 seconds; the transport hyper can set it")
        }
        Setting::Linger => Unsupported("isahc gives no access to sockets; the transport hyper can set it"),
        Setting::ReceiveBuffer | Setting::SendBuffer => {
            Unsupported("isahc gives no access to sockets; the transport hyper can set it")
        }
        Setting::FirewallTunnel | Setting::ProxyTunnel => {
            Unsupported("with isahc, libcurl opens tunnels for https alone; the transport hyper can for both")
        }
        Setting::FirewallHeaders | Setting::ProxyAuthorization => Unsupported(
            "inside a tunnel, isahc would send it to the server as well; the transport hyper can keep it apart",
        ),
        Setting::FirewallUnderProxy => {
            Unsupported("isahc goes through one or the other; the transport hyper can go through both")
        }
        Setting::ProxyOverTls => Unsupported(
            "isahc turns the check of the proxy's certificate off where it should turn it on; the transport hyper can",
        ),
        Setting::ProxyNtlm => {
            Unsupported("libcurl is built without it; the transport hyper can, with its feature `ntlm`")
        }
        Setting::ProxyNegotiate | Setting::KerberosServiceName => Unsupported(
            "libcurl is built without Kerberos; the transport hyper can, with its feature `negotiate`",
        ),
        Setting::Http2Alone => Unsupported(
            "libcurl would speak HTTP/2 to a server that did not choose it, and send it the request; the transport \
             hyper can tell before",
        ),
        Setting::UnindexedHeaders => {
            Unsupported("libcurl chooses itself which headers its HTTP/2 remembers; the transport hyper can")
        }
        Setting::ExtraRootsAlone => Unsupported(
            "libcurl's binding adds the platform's directory of roots to every trust store; the transport hyper can \
             leave them out",
        ),
        Setting::ClientKeyInToken => Unsupported(
            "isahc has libcurl sign by a key that it is given itself; the transport hyper can ask for signatures",
        ),
        Setting::CipherSuites13 => {
            Unsupported("isahc does not pass them on to libcurl; the transport hyper can")
        }
        Setting::Groups | Setting::SignatureAlgorithms => {
            Unsupported("isahc does not pass them on to libcurl; the transport hyper can")
        }
        Setting::Revocation | Setting::AcceptUnknownRevocation => {
            Unsupported("isahc gives libcurl no revocation lists; the transport hyper can check them")
        }
        Setting::AcceptOutOfDate | Setting::AcceptUnknownIssuer | Setting::AcceptWrongUsage => Unsupported(
            "isahc checks a certificate for everything but its name, or for nothing; the transport hyper can tell flaws \
             apart",
        ),
        Setting::Pin => Unsupported("isahc does not show certificates to anybody; the transport hyper can"),
        Setting::CertificateDecisions => {
            Unsupported("isahc does not show certificates to anybody; the transport hyper can")
        }
        Setting::RecordLog => Unsupported("isahc does not show the bytes of TLS; the transport hyper can"),
        _ => Unsupported("it does not know it; the transport hyper may"),
    }
}
