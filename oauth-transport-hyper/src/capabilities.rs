//! What this engine says to each setting.

use oauth_transport::{Setting, Support};

pub(crate) const fn supports(setting: Setting) -> Support {
    match setting {
        Setting::ConnectTimeout
        | Setting::TotalTimeout
        | Setting::ExtraRoots
        | Setting::ExtraRootsAlone
        | Setting::ClientCertificate
        | Setting::TlsVersions
        | Setting::CipherSuites12
        | Setting::CipherSuites13
        | Setting::CipherStrength
        | Setting::Groups
        | Setting::SignatureAlgorithms
        | Setting::FreshSessions
        | Setting::HttpProxy
        | Setting::ProxyOverTls => Support::Native,
        Setting::SocksProxy => Support::Unsupported("it speaks to HTTP proxies alone"),
        _ => Support::Unsupported("it does not carry it yet"),
    }
}
