//! The settings of TLS.

use super::{Access, ConfigSetting};

pub(super) const ROWS: &[ConfigSetting] = &[ConfigSetting {
    name: "ReuseSSLSession",
    about: "Whether a TLS session is taken up again on the next connection to the same server.",
    danger: None,
    access: Access::Flag(
        |values| values.network.tls.resume_sessions,
        |values, on| {
            values.network.tls.resume_sessions = on;
            Ok(())
        },
    ),
}];
