//! The settings of the protocol and of the embedded web server.

use super::{Access, ConfigSetting};
use crate::component::values::Secret;

pub(super) const ROWS: &[ConfigSetting] = &[ConfigSetting {
    name: "AuthorizationTokenType",
    about: "How the access token is presented, as the server says.",
    danger: None,
    access: Access::Result {
        how: "the token response tells it",
        get: |values| Secret::new(values.results.token_type.as_str()),
        secret: false,
    },
}];
