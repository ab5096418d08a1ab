//! What this engine says to each setting.

use oauth_transport::{Setting, Support};

pub(crate) const fn supports(setting: Setting) -> Support {
    match setting {
        Setting::ConnectTimeout
        | Setting::TotalTimeout
        | Setting::ExtraRoots
        | Setting::HttpProxy
        | Setting::SocksProxy => Support::Native,
        Setting::ExtraRootsAlone => Support::Unsupported(
            "libcurl's binding adds the platform's directory of roots to every trust store",
        ),
        Setting::ProxyOverTls => Support::Unsupported("its certificate could not be checked"),
        _ => Support::Unsupported("it does not carry it yet"),
    }
}
