//! What a message can be, and where the specifications say so.

use clap::ValueEnum;
use clap::builder::PossibleValue;

/// The kind of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    TokenResponse,
    TokenError,
    RefreshResponse,
    TokenExchange,
    DeviceAuthorization,
    DevicePoll,
    Metadata,
    Introspection,
    Revocation,
    Registration,
    WwwAuthenticate,
    Callback,
    BrowserUrl,
    Jwks,
    IdToken,
    KeyFile,
    Par,
    Dpop,
}

impl Kind {
    const ALL: [Self; 18] = [
        Self::TokenResponse,
        Self::TokenError,
        Self::RefreshResponse,
        Self::TokenExchange,
        Self::DeviceAuthorization,
        Self::DevicePoll,
        Self::Metadata,
        Self::Introspection,
        Self::Revocation,
        Self::Registration,
        Self::WwwAuthenticate,
        Self::Callback,
        Self::BrowserUrl,
        Self::Jwks,
        Self::IdToken,
        Self::KeyFile,
        Self::Par,
        Self::Dpop,
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::TokenResponse => "token_response",
            Self::TokenError => "token_error",
            Self::RefreshResponse => "refresh_response",
            Self::TokenExchange => "token_exchange",
            Self::DeviceAuthorization => "device_authorization",
            Self::DevicePoll => "device_poll",
            Self::Metadata => "metadata",
            Self::Introspection => "introspection",
            Self::Revocation => "revocation",
            Self::Registration => "registration",
            Self::WwwAuthenticate => "www_authenticate",
            Self::Callback => "callback",
            Self::BrowserUrl => "browser_url",
            Self::Jwks => "jwks",
            Self::IdToken => "id_token",
            Self::KeyFile => "key_file",
            Self::Par => "par",
            Self::Dpop => "dpop",
        }
    }

    /// Where it is said what such a message is.
    pub(super) const fn section(self) -> &'static str {
        match self {
            Self::TokenResponse | Self::RefreshResponse | Self::DevicePoll => "RFC 6749 section 5.1",
            Self::TokenError => "RFC 6749 section 5.2",
            Self::TokenExchange => "RFC 8693 section 2.2.1",
            Self::DeviceAuthorization => "RFC 8628 section 3.2",
            Self::Metadata => "RFC 8414 section 3.2",
            Self::Introspection => "RFC 7662 section 2.2",
            Self::Revocation => "RFC 7009 section 2.2",
            Self::Registration => "RFC 7591 section 3.2.1",
            Self::WwwAuthenticate => "RFC 9110 section 11.6.1",
            Self::Callback => "RFC 6749 section 4.1.2",
            Self::BrowserUrl => "RFC 8252 section 6",
            Self::Jwks => "RFC 7517 section 5",
            Self::IdToken => "OpenID Connect Core section 3.1.3.7",
            Self::KeyFile => "RFC 7523 section 3",
            Self::Par => "RFC 9126 section 2.2",
            Self::Dpop => "RFC 9449 section 8",
        }
    }

    /// Where it is said how such a message says no.
    pub(super) const fn refusal_section(self) -> &'static str {
        match self {
            Self::TokenExchange => "RFC 8693 section 2.2.2",
            Self::DevicePoll => "RFC 8628 section 3.5",
            Self::Introspection => "RFC 7662 section 2.3",
            Self::Revocation => "RFC 7009 section 2.2.1",
            Self::Registration => "RFC 7591 section 3.2.2",
            Self::Callback => "RFC 6749 section 4.1.2.1",
            Self::WwwAuthenticate => "RFC 6750 section 3.1",
            _ => "RFC 6749 section 5.2",
        }
    }

    /// Whether it answers a token request.
    pub(super) const fn is_of_token_endpoint(self) -> bool {
        matches!(
            self,
            Self::TokenResponse
                | Self::TokenError
                | Self::RefreshResponse
                | Self::TokenExchange
                | Self::DevicePoll
        )
    }

    /// Whether this build has no reader for it yet. It says so, and does not guess.
    pub(super) const fn is_unsupported(self) -> bool {
        matches!(self, Self::BrowserUrl | Self::Par | Self::Dpop)
    }
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}
