//! The settings of HTTP.

use super::{Access, ConfigSetting};

pub(super) const ROWS: &[ConfigSetting] = &[ConfigSetting {
    name: "KeepAlive",
    about: "Whether a connection serves further requests.",
    danger: None,
    access: Access::Flag(
        |values| values.network.http.reuse_connections,
        |values, on| {
            values.network.http.reuse_connections = on;
            Ok(())
        },
    ),
}];
