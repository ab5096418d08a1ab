//! Why there is no authorization.

use core::fmt;
use oauth_core::{
    ClientInformation, ConfigError, EndpointError, Failure, PendingError, RefreshToken, Remedy, Tokens,
};
use std::io;

/// Why there is no authorization: one line to show, and a [`remedy`](Self::remedy).
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The setup is wrong; nothing was sent.
    Config(ConfigError),
    /// The issuer is not a URL that may be asked; nothing was sent.
    Issuer(EndpointError),
    /// A network setting that the engine cannot carry; nothing was sent.
    #[cfg(any(feature = "hyper", feature = "isahc"))]
    Settings(oauth_transport::SettingsError),
    /// A certificate store cannot be read, or lacks what was asked of it; nothing was sent.
    #[cfg(feature = "stores")]
    Store(oauth_jwt::StoreError),
    /// The conversation with the server failed.
    Failure(Failure),
    /// Tokens came, and no `Authorization: Bearer` can be made of them: another type, or characters that no header takes.
    NotBearer(Box<Tokens>),
    /// The client was registered, and cannot be spoken for yet: it authenticates by a key or a certificate, or the setup
    /// is wrong. What the server told, it tells only once.
    Registered(Box<ClientInformation>, Option<ConfigError>),
    /// The access token has ended, and nothing is there that obtains another.
    NoRefreshToken,
    /// A stored login cannot be picked up.
    Pending(PendingError),
    /// The callback's port could not be bound.
    #[cfg(feature = "loopback")]
    Bind(oauth_loopback::BindError),
    /// The listener's certificate cannot be used; nothing was sent.
    #[cfg(feature = "loopback-tls")]
    Certificate(oauth_loopback::CertificateError),
    /// The browser did not come back.
    #[cfg(feature = "loopback")]
    Receive(oauth_loopback::ReceiveError),
    /// The browser command that an event handler set is none.
    #[cfg(all(feature = "loopback", any(feature = "hyper", feature = "isahc")))]
    BrowserCommand(oauth_loopback::browser::CommandLineError),
    /// What the person was to paste came to its end before the answer.
    #[cfg(feature = "loopback")]
    NothingPasted,
    /// The address must not be given to a browser.
    #[cfg(feature = "loopback")]
    Browser(oauth_loopback::browser::RefusedUrl),
    /// The operating system gave no randomness.
    Randomness(io::Error),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Failure(failure) => failure.remedy(),
            Self::NotBearer(_) => Remedy::ReportServer,
            Self::Pending(_) | Self::NoRefreshToken => Remedy::SignInAgain,
            #[cfg(feature = "loopback")]
            Self::Receive(_) | Self::NothingPasted => Remedy::SignInAgain,
            Self::Randomness(_) => Remedy::TryAgain { after: None },
            Self::Config(_) | Self::Issuer(_) | Self::Registered(..) => Remedy::FixSetup,
            #[cfg(any(feature = "hyper", feature = "isahc"))]
            Self::Settings(_) => Remedy::FixSetup,
            #[cfg(feature = "stores")]
            Self::Store(_) => Remedy::FixSetup,
            #[cfg(feature = "loopback")]
            Self::Bind(_) => Remedy::FixSetup,
            #[cfg(feature = "loopback-tls")]
            Self::Certificate(_) => Remedy::FixSetup,
            #[cfg(all(feature = "loopback", any(feature = "hyper", feature = "isahc")))]
            Self::BrowserCommand(_) => Remedy::FixSetup,
            #[cfg(feature = "loopback")]
            Self::Browser(_) => Remedy::ReportServer,
        }
    }
}

impl Error {
    /// A refresh token that came although there is no authorization: it may be the only live one.
    #[must_use]
    pub fn rescued(&self) -> Option<&RefreshToken> {
        match self {
            Self::Failure(failure) => failure.rescued.as_ref(),
            Self::NotBearer(tokens) => tokens.refresh_token.as_ref(),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => write!(f, "{error}"),
            Self::Issuer(error) => write!(f, "the issuer may not be used: {error}"),
            #[cfg(any(feature = "hyper", feature = "isahc"))]
            Self::Settings(error) => write!(f, "{error}"),
            #[cfg(feature = "stores")]
            Self::Store(error) => write!(f, "{error}"),
            Self::Failure(failure) => write!(f, "{failure}"),
            Self::NotBearer(_) => {
                f.write_str("the server sent a token that cannot be presented as a bearer token")
            }
            Self::Registered(client, why) => {
                write!(f, "the server registered the client {:?}, and ", client.client_id)?;
                match why {
                    Some(why) => write!(f, "{why}"),
                    None => {
                        let method = client.metadata.token_endpoint_auth_method();
                        write!(f, "its way to authenticate ({method}) has to be set up by hand")
                    }
                }
            }
            Self::NoRefreshToken => f.write_str("the access token has ended, and there is no refresh token"),
            Self::Pending(error) => write!(f, "{error}"),
            #[cfg(feature = "loopback")]
            Self::Bind(error) => write!(f, "{error}"),
            #[cfg(feature = "loopback")]
            Self::Receive(error) => write!(f, "{error}"),
            #[cfg(feature = "loopback-tls")]
            Self::Certificate(error) => write!(f, "{error}"),
            #[cfg(all(feature = "loopback", any(feature = "hyper", feature = "isahc")))]
            Self::BrowserCommand(error) => write!(f, "{error}"),
            #[cfg(feature = "loopback")]
            Self::NothingPasted => f.write_str(
                "the input ended before the answer was pasted: sign in again, and paste the address that the browser ends at",
            ),
            #[cfg(feature = "loopback")]
            Self::Browser(error) => write!(f, "{error}"),
            Self::Randomness(error) => write!(f, "the operating system gave no randomness: {error}"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(match self {
            Self::Config(error) => error,
            Self::Issuer(error) => error,
            #[cfg(any(feature = "hyper", feature = "isahc"))]
            Self::Settings(error) => error,
            #[cfg(feature = "stores")]
            Self::Store(error) => error,
            Self::Failure(failure) => failure,
            Self::Registered(_, Some(error)) => error,
            Self::NotBearer(_) | Self::Registered(_, None) | Self::NoRefreshToken => return None,
            #[cfg(feature = "loopback")]
            Self::NothingPasted => return None,
            #[cfg(feature = "loopback-tls")]
            Self::Certificate(error) => error,
            #[cfg(all(feature = "loopback", any(feature = "hyper", feature = "isahc")))]
            Self::BrowserCommand(error) => error,
            Self::Pending(error) => error,
            #[cfg(feature = "loopback")]
            Self::Bind(error) => error,
            #[cfg(feature = "loopback")]
            Self::Receive(error) => error,
            #[cfg(feature = "loopback")]
            Self::Browser(error) => error,
            Self::Randomness(error) => error,
        })
    }
}

macro_rules! from {
    ($($(#[$feature:meta])* $source:ty => $variant:ident,)+) => {$(
        $(#[$feature])*
        impl From<$source> for Error {
            fn from(error: $source) -> Self {
                Self::$variant(error)
            }
        }
    )+};
}

from! {
    ConfigError => Config,
    EndpointError => Issuer,
    Failure => Failure,
    PendingError => Pending,
    #[cfg(any(feature = "hyper", feature = "isahc"))]
    oauth_transport::SettingsError => Settings,
    #[cfg(feature = "stores")]
    oauth_jwt::StoreError => Store,
    #[cfg(feature = "loopback")]
    oauth_loopback::BindError => Bind,
    #[cfg(feature = "loopback")]
    oauth_loopback::ReceiveError => Receive,
    #[cfg(feature = "loopback-tls")]
    oauth_loopback::CertificateError => Certificate,
    #[cfg(feature = "loopback")]
    oauth_loopback::browser::RefusedUrl => Browser,
    #[cfg(all(feature = "loopback", any(feature = "hyper", feature = "isahc")))]
    oauth_loopback::browser::CommandLineError => BrowserCommand,
}
