//! Why the component could not do what it was told.

use crate::Error;
use oauth_core::RefreshToken;
use oauth_transport::Cause;
use std::fmt;

/// Why the component could not do what it was told: one line, with the way out.
#[derive(Debug)]
#[non_exhaustive]
pub enum ComponentError {
    /// No configuration setting has this name.
    UnknownSetting {
        /// The name, as far as it can be shown.
        name: String,
        /// The name that it is most like.
        nearest: Option<&'static str>,
    },
    /// A value is not of the form that the setting takes. The value itself is not shown: it may be a secret.
    Value {
        /// The property's or the setting's name.
        name: &'static str,
        /// What it takes.
        expected: String,
    },
    /// There is nothing at this index.
    Index {
        /// The property's or the setting's name.
        name: &'static str,
        /// The index that was asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// The setting is a list, and no index follows its name; or what follows is none.
    NoIndex {
        /// The setting's name.
        name: &'static str,
    },
    /// The setting is one value, and an index follows its name.
    NotAList {
        /// The setting's name.
        name: &'static str,
    },
    /// The setting can be read, and not set.
    ReadOnly {
        /// The property's or the setting's name.
        name: &'static str,
        /// How it comes by its value.
        how: &'static str,
    },
    /// The setting is an action, and has no value to read.
    Action {
        /// The setting's name.
        name: &'static str,
    },
    /// What was set asks for something that cannot be had, and is refused rather than ignored.
    Refused {
        /// The property's or the setting's name.
        name: &'static str,
        /// Why it cannot be had, and what to do.
        why: String,
    },
    /// The setup lacks something, or contradicts itself; nothing was sent.
    Setup(String),
    /// A call is under way; the component does one at a time.
    Busy,
    /// The call was ended by `interrupt`.
    Interrupted,
    /// The embedded web server runs already.
    AlreadyListening,
    /// Nothing is known of this service of Office 365, and the service that knew was ended by Microsoft.
    DiscoveryRetired {
        /// `Office365ServiceCapability`.
        capability: String,
        /// `Office365ServiceAPIVersion`.
        api_version: String,
    },
    /// There is no authorization.
    OAuth(Error),
}

impl ComponentError {
    /// A value of the wrong form.
    pub(crate) fn value(name: &'static str, expected: impl Into<String>) -> Self {
        Self::Value { name, expected: expected.into() }
    }

    /// A refresh token that came although there is no authorization: it may be the only live one.
    pub(crate) fn rescued(&self) -> Option<&RefreshToken> {
        match self {
            Self::OAuth(error) => error.rescued(),
            _ => None,
        }
    }

    pub(crate) fn refused(name: &'static str, why: impl fmt::Display) -> Self {
        // A path or another value may be in it: one line in any case.
        Self::Refused { name, why: Cause::new(why.to_string()).to_string() }
    }
}

impl fmt::Display for ComponentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSetting { name, nearest } => {
                write!(f, "there is no setting {name:?}; ")?;
                match nearest {
                    Some(nearest) => write!(f, "did you mean {nearest}?"),
                    None => f.write_str(
                        "the page oauth::component::reference has them all, as has `oauth config list`",
                    ),
                }
            }
            Self::Value { name, expected } => write!(f, "this is no value of {name}: it takes {expected}"),
            Self::Index { name, index, count: 0 } => {
                write!(f, "{name} has nothing at index {index}, and nothing at all; set the count first")
            }
            Self::Index { name, index, count } => {
                write!(f, "{name} has nothing at index {index}; the last is at {}", count.saturating_sub(1))
            }
            Self::NoIndex { name } => {
                write!(f, "{name} is a list: a whole number in brackets follows its name, as in {name}[0]")
            }
            Self::NotAList { name } => write!(f, "{name} is one value: leave out the index"),
            Self::ReadOnly { name, how } => write!(f, "{name} cannot be set: {how}"),
            Self::Action { name } => write!(f, "{name} is an action and has no value: set it to run it"),
            Self::Refused { name, why } => write!(f, "{name} is refused: {why}"),
            Self::Setup(why) => f.write_str(why),
            Self::Busy => f.write_str("another call is under way: wait for its end, or interrupt it"),
            Self::Interrupted => {
                f.write_str("the call was interrupted; nothing is left of it, start it again")
            }
            Self::AlreadyListening => {
                f.write_str("the embedded web server runs already: stop it before it is started again")
            }
            Self::DiscoveryRetired { capability, api_version } => write!(
                f,
                "Microsoft ended the discovery service of Office 365, and where {capability:?} is in version {api_version:?} is not \
                 known here; use Mail, Calendar, Contacts, MyFiles or RootSite in v1.0 or beta, or set_office365_discovery_url"
            ),
            Self::OAuth(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for ComponentError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::OAuth(error) => Some(error),
            _ => None,
        }
    }
}

impl<E: Into<Error>> From<E> for ComponentError {
    fn from(error: E) -> Self {
        Self::OAuth(error.into())
    }
}
