//! The way back without a listener: what a person pastes, judged like what a listener receives.

use core::fmt;
use core::task::{Context, Poll};
use oauth_core::{AuthorizationCode, NotOurs, Pending, Recognised, SecretBytes};
use oauth_loopback::paste::{self, NotAnAnswer, Pasted, PastedResponse};

/// Where pasted texts come from; `None` once no more will.
pub(super) type Source = Box<dyn FnMut(&mut Context<'_>) -> Poll<Option<String>> + Send>;

/// What is said about something that was pasted: one line, and nothing of what was pasted in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasteNote {
    /// It is no authorization response: refused, still waiting.
    NotAnAnswer(NotAnAnswer),
    /// It is the answer to another login, or an attack: refused, still waiting.
    NotOurs(NotOurs),
    /// A code alone, in a login whose answer would have none: refused, still waiting.
    NoCodeChallenge,
    /// A code alone, which is taken: `state` could not be checked, and PKCE is relied on.
    StateUnchecked,
}

impl fmt::Display for PasteNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnAnswer(why) => write!(f, "{why}"),
            Self::NotOurs(why) => write!(
                f,
                "what was pasted was refused, since {why}: paste the address that the browser ended at this time"
            ),
            Self::NoCodeChallenge => f.write_str(
                "a code alone was refused, since this login has no PKCE: paste the whole address that the browser ended at",
            ),
            Self::StateUnchecked => f.write_str(
                "a code came without its state, which could therefore not be checked; PKCE alone ties it to this login",
            ),
        }
    }
}

/// What ends the wait.
pub(super) enum Answer {
    Response(PastedResponse),
    Code(AuthorizationCode),
}

/// What the login makes of a pasted text.
pub(super) fn judge(text: String, pending: &Pending) -> Result<Answer, PasteNote> {
    // Wiped afterwards, whatever it was.
    let text = SecretBytes::new(text);
    let text = core::str::from_utf8(text.expose()).unwrap_or_default();
    match paste::read(text).map_err(PasteNote::NotAnAnswer)? {
        Pasted::Response(response) => match pending.recognise(&response.as_response()) {
            Recognised::Ours => Ok(Answer::Response(response)),
            Recognised::NotOurs(why) => Err(PasteNote::NotOurs(why)),
            _ => Err(PasteNote::NotAnAnswer(NotAnAnswer::NoAnswer)),
        },
        Pasted::Code(code) if pending.has_code_challenge() => Ok(Answer::Code(code)),
        _ => Err(PasteNote::NoCodeChallenge),
    }
}
