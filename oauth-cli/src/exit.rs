//! Exit codes: stable, and one for each thing that a script may want to tell apart.

use oauth::Error;
use oauth::core::{Error as Cause, Remedy};
use oauth::loopback::ReceiveError;
use std::fmt;
use std::process::ExitCode;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Other = 1,
    Usage = 2,
    Configuration = 3,
    LoginNeeded = 4,
    Refused = 5,
    TimedOut = 6,
    Local = 7,
    Network = 8,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Other => "other",
            Self::Usage => "usage",
            Self::Configuration => "configuration",
            Self::LoginNeeded => "login needed",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Local => "listener or browser",
            Self::Network => "network or server answer",
            Self::Interrupted => "interrupted",
        };
        write!(f, "{} ({name})", *self as u8)
    }
}

/// Why there is nothing on standard output: what happened, what to do, and the exit code.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) exit: Exit,
    pub(crate) what: String,
    pub(crate) next: String,
}

impl Problem {
    pub(crate) fn new(exit: Exit, what: impl fmt::Display, next: impl fmt::Display) -> Self {
        Self { exit, what: what.to_string(), next: next.to_string() }
    }

    pub(crate) fn usage(what: impl fmt::Display, next: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, what, next)
    }

    pub(crate) fn configuration(what: impl fmt::Display, next: impl fmt::Display) -> Self {
        Self::new(Exit::Configuration, what, next)
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(
            Exit::Interrupted,
            "interrupted; the port is free again and nothing was kept",
            "run it again",
        )
    }

    /// The end was asked for while a refresh token was on its way, and the answer came all the same.
    pub(crate) fn interrupted_and_answered() -> Self {
        Self::new(
            Exit::Interrupted,
            "interrupted while the refresh token was on its way; the answer was waited for",
            "run it again",
        )
    }

    /// The same, and no answer came.
    pub(crate) fn interrupted_on_the_wire() -> Self {
        Self::new(
            Exit::Interrupted,
            "interrupted while the refresh token was on its way; no answer came, so the server may have replaced it by one that is lost",
            "run it again, and sign in again if the server refuses it",
        )
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let exit = match &error {
            Error::Config(_)
            | Error::Issuer(_)
            | Error::Settings(_)
            | Error::Store(_)
            | Error::Certificate(_) => Exit::Configuration,
            Error::Failure(failure) => cause(&failure.error),
            Error::NotBearer(_) => Exit::Network,
            // Nobody is there to sign in.
            Error::NothingPasted | Error::Pasted(_) => Exit::LoginNeeded,
            Error::Bind(_) => Exit::Local,
            Error::Receive(error) if error.is_timeout() => Exit::TimedOut,
            Error::Receive(ReceiveError::Cancelled) => Exit::Interrupted,
            Error::Receive(_) => Exit::Local,
            _ => Exit::Other,
        };
        Self::new(exit, &error, next(&error))
    }
}

fn cause(cause: &Cause) -> Exit {
    match cause {
        Cause::Server(_) => Exit::Refused,
        Cause::Unavailable(_) | Cause::Malformed(_) | Cause::Rejected(_) | Cause::Unreachable(_) => {
            Exit::Network
        }
        Cause::Key(_) => Exit::Configuration,
        Cause::Expired => Exit::TimedOut,
        _ => Exit::Other,
    }
}

/// One line that a person can act on.
fn next(error: &Error) -> String {
    use oauth::core::{EndpointError, ErrorCode, Rejected, UnreachableKind};
    if let Error::Issuer(EndpointError::PlainHttpOnLoopback) = error {
        return "add --allow-http-loopback if this server is yours".to_owned();
    }
    if let Error::Issuer(_) = error {
        return "give the issuer as the server's operator spells it, beginning with https://".to_owned();
    }
    if matches!(error, Error::Receive(error) if error.is_timeout()) {
        return "open the printed address in a browser on this machine, give more time with --timeout, or sign in on another device with --device".to_owned();
    }
    let Error::Failure(failure) = error else { return error.remedy().to_string() };
    match &*failure.error {
        Cause::Server(refusal) if refusal.code == ErrorCode::ACCESS_DENIED => {
            "sign in again and agree, or ask whoever runs the server why it refuses you".to_owned()
        }
        Cause::Server(refusal) if refusal.code == ErrorCode::INVALID_CLIENT => {
            "check --client-id, the client's secret and --auth-method".to_owned()
        }
        Cause::Server(refusal) if refusal.code == ErrorCode::INVALID_SCOPE => "check --scope".to_owned(),
        // RFC 9207: what came by the browser, which has no status, is no advice on whom to trust.
        Cause::Rejected(Rejected::Issuer { .. }) if failure.status.is_none() => {
            "sign in again; if another server answers once more, do not go on, since this is what an attempt to take a code \
             looks like: ask whoever runs yours. No code was sent anywhere"
                .to_owned()
        }
        Cause::Rejected(Rejected::Issuer { received, .. }) => {
            format!("if you trust that server, use its own spelling of the issuer: {received}")
        }
        Cause::Unreachable(unreachable) if unreachable.kind == UnreachableKind::Tls => {
            "if the server's certificate comes from an authority of your own, name it with --ca-cert"
                .to_owned()
        }
        Cause::Unreachable(unreachable)
            if matches!(unreachable.kind, UnreachableKind::Name | UnreachableKind::Connect) =>
        {
            "check the address, the network, and whether a proxy is needed (--proxy-from-env)".to_owned()
        }
        _ => match failure.remedy() {
            Remedy::FixSetup => "check the addresses, --client-id and the other settings".to_owned(),
            remedy => remedy.to_string(),
        },
    }
}
