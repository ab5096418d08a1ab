//! What happens at the listener while it waits, for whoever sits at the terminal.

use crate::response_mode::ResponseMode;
use oauth_core::NotOurs;
use std::fmt;

/// Something that a person may want to know while the wait goes on.
///
/// Its `Display` is one line without anything secret and without control characters. Each kind is said once per wait.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A request came to the callback that does not belong to this login: an old tab, or an attack.
    NotOurs(NotOurs),
    /// A request came for another host's name: DNS rebinding, or a proxy that has to be named.
    OtherHost(String),
    /// Some web page, rather than the person, asked for the callback.
    NotANavigation,
    /// The answer of this login came in this way, which the authorization request did not ask for.
    OtherMode(ResponseMode),
    /// A browser spoke https to a listener that speaks http: it upgraded the address by itself, for HSTS or in a mode
    /// that knows nothing but https.
    HttpsUpgrade,
    /// A request came in plain http to a listener that speaks https.
    PlainHttp,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs(why) => write!(f, "a request to the callback was refused, since {why}; still waiting"),
            Self::OtherHost(host) => {
                write!(f, "a request for the host \"{host}\" was refused, which is not this listener's; ")?;
                f.write_str("still waiting")
            }
            Self::NotANavigation => f.write_str(
                "a request to the callback was refused, since a web page made it and not a person; still waiting",
            ),
            Self::OtherMode(mode) => {
                let (came, asked) = match mode {
                    ResponseMode::Query => ("in the query", "query"),
                    ResponseMode::FormPost => ("as a form that was posted", "form_post"),
                    ResponseMode::Fragment => ("in the fragment", "fragment"),
                };
                write!(f, "the answer came {came}, which was not asked for, and was refused; still waiting. ")?;
                write!(f, "The server heeds no other response_mode: sign in again with response_mode {asked}")
            }
            Self::HttpsUpgrade => f.write_str(
                "a browser asked for https, and this listener speaks http; still waiting. Where the browser upgrades \
                 the address, use 127.0.0.1 as the host of the redirect URI, or a callback with https",
            ),
            Self::PlainHttp => f.write_str(
                "a request in plain http was refused, since this listener speaks https; still waiting. The redirect \
                 URI begins with https://",
            ),
        }
    }
}

pub(crate) type OnNote = Box<dyn FnMut(&Note) + Send>;
