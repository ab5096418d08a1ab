//! The settings of connections and sockets.

use super::{Access, ConfigSetting};
use std::time::Duration;

pub(super) const ROWS: &[ConfigSetting] = &[
    ConfigSetting {
        name: "AbsoluteTimeout",
        about: "Whether the timeout is one for a request as a whole, rather than for the time in which no byte moves.",
        danger: None,
        access: Access::Flag(
            |values| values.network.absolute_timeout,
            |values, on| {
                values.network.absolute_timeout = on;
                Ok(())
            },
        ),
    },
    ConfigSetting {
        name: "ConnectionTimeout",
        about: "How long a connection may take to stand; 0 is as long as the timeout.",
        danger: None,
        access: Access::Number {
            unit: "seconds",
            range: (0, 86_400),
            get: |values| values.network.connection_timeout.map_or(0, |time| time.as_secs() as i64),
            set: |values, seconds| {
                values.network.connection_timeout =
                    (seconds > 0).then(|| Duration::from_secs(seconds.unsigned_abs()));
                Ok(())
            },
        },
    },
];
