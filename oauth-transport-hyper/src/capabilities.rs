//! What this engine says to each setting.

use oauth_transport::{Setting, Support};

pub(crate) const fn supports(setting: Setting) -> Support {
    match setting {
        Setting::ConnectTimeout
        | Setting::TotalTimeout
        | Setting::InactivityTimeout
        | Setting::LocalAddress
        | Setting::LocalPort
        | Setting::Nagle
        | Setting::KeepAliveProbes
        | Setting::KeepAliveTime
        | Setting::KeepAliveInterval
        | Setting::Linger
        | Setting::ReceiveBuffer
        | Setting::SendBuffer
        | Setting::AddressFamily
        | Setting::TransferRate
        | Setting::FirewallTunnel
        | Setting::FirewallSocks4
        | Setting::FirewallSocks4a
        | Setting::FirewallSocks5
        | Setting::FirewallHeaders
        | Setting::FirewallUnderProxy
        | Setting::HttpProxy
        | Setting::ProxyOverTls
        | Setting::SocksProxy
        | Setting::ProxyTunnel
        | Setting::ProxyDigest
        | Setting::ProxyAuthorization
        | Setting::Http10
        | Setting::ConnectionPerRequest
        | Setting::ChunkedUpload
        | Setting::ExtraRoots
        | Setting::ExtraRootsAlone
        | Setting::ClientCertificate
        | Setting::ClientKeyInToken
        | Setting::TlsVersions
        | Setting::CipherSuites12
        | Setting::CipherSuites13
        | Setting::CipherStrength
        | Setting::Groups
        | Setting::FreshSessions
        | Setting::Revocation
        | Setting::AcceptOutOfDate
        | Setting::AcceptUnknownIssuer
        | Setting::AcceptWrongUsage
        | Setting::AcceptUnknownRevocation
        | Setting::AcceptWrongName
        | Setting::Pin
        | Setting::CertificateDecisions
        | Setting::RecordLog
        | Setting::ConnectionEvents => Support::Native,
        #[cfg(feature = "http2")]
        Setting::Http2 | Setting::Http2Alone | Setting::UnindexedHeaders => Support::Native,
        #[cfg(not(feature = "http2"))]
        Setting::Http2 | Setting::Http2Alone | Setting::UnindexedHeaders => {
            Support::Unsupported("it is not built with the feature `http2`")
        }
        Setting::SignatureAlgorithms => Support::Emulated(
            "rustls advertises one list for both versions; a server that signs by an algorithm of the other version is refused",
        ),
        Setting::LineLength => Support::Emulated(
            "a head is read as a whole, within its limit of 64 KiB, before its lines are measured",
        ),
        #[cfg(feature = "ntlm")]
        Setting::ProxyNtlm => Support::Native,
        #[cfg(not(feature = "ntlm"))]
        Setting::ProxyNtlm => Support::Unsupported("it is not built with the feature `ntlm`"),
        #[cfg(all(feature = "negotiate", unix))]
        Setting::ProxyNegotiate | Setting::KerberosServiceName => Support::Native,
        #[cfg(all(feature = "negotiate", not(unix)))]
        Setting::ProxyNegotiate | Setting::KerberosServiceName => {
            Support::Unsupported("it speaks Negotiate on Unix alone")
        }
        #[cfg(not(feature = "negotiate"))]
        Setting::ProxyNegotiate | Setting::KerberosServiceName => {
            Support::Unsupported("it is not built with the feature `negotiate`")
        }
        _ => Support::Unsupported("it does not know it"),
    }
}
