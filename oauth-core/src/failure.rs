//! How a flow ends when it does not end well: whose fault, what to do, and nothing lost.

use crate::claims::ClaimsError;
use crate::register::RegistrationAccess;
use crate::registry::{ErrorCode, TokenTypeIdentifier};
use crate::secret::RefreshToken;
use alloc::boxed::Box;
use alloc::string::String;
use core::error::Error as StdError;
use core::fmt;
use core::time::Duration;
use http::StatusCode;

mod key;
pub use key::{KeyFailed, KeyWhy};

/// Why a flow ended without its outcome. Every failure is final.
///
/// `Display` is one line: what happened and why, made safe for a terminal, without any secret. [`remedy`](Self::remedy)
/// says what to do.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// What went wrong, sorted by who is at fault. Boxed, so that a `Result` stays small on its happy path.
    pub error: Box<Error>,
    /// The refresh token of a response that had to be refused for another reason. The server may have rotated it, so
    /// it may be the only live one: store it before anything else.
    pub rescued: Option<RefreshToken>,
    /// What manages a client's registration, of a response that had to be refused for another reason. It may be the only
    /// way to the registration (RFC 7592 section 3): store it, beside the one that was used, before anything else.
    pub rescued_registration: Option<Box<RegistrationAccess>>,
    /// The status of the response that ended the flow.
    pub status: Option<StatusCode>,
    /// What a refused error body says, or how it begins: printable characters only, what the client sent taken out.
    pub excerpt: Option<String>,
}

impl Failure {
    /// The failure of a driver that met [`Output::Idle`](crate::Output::Idle) where it owed nothing.
    #[must_use]
    pub fn idle() -> Self {
        Self::misuse(Misuse::NothingOwed)
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        self.error.remedy()
    }

    pub(crate) fn misuse(misuse: Misuse) -> Self {
        Error::Misuse(misuse).into()
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    pub(crate) fn with_rescued(mut self, rescued: Option<RefreshToken>) -> Self {
        self.rescued = rescued;
        self
    }

    pub(crate) fn with_rescued_registration(mut self, rescued: Option<RegistrationAccess>) -> Self {
        self.rescued_registration = rescued.map(Box::new);
        self
    }

    pub(crate) fn with_excerpt(mut self, excerpt: Option<String>) -> Self {
        self.excerpt = excerpt;
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error: Box::new(error),
            rescued: None,
            rescued_registration: None,
            status: None,
            excerpt: None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        if let (Some(status), Error::Malformed(_)) = (self.status, &*self.error) {
            write!(f, " (status {})", status.as_u16())?;
        }
        if let Some(excerpt) = &self.excerpt {
            write!(f, "; it says: {excerpt}")?;
        }
        Ok(())
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

/// What went wrong, sorted by who is at fault.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server, or the person in front of it, said no.
    Server(Refusal),
    /// The server is in trouble (5xx) or busy (429). Never a verdict about a credential.
    Unavailable(Unavailable),
    /// The response is not a message of its kind: the server's fault.
    Malformed(Malformed),
    /// The response is well formed, and must not be trusted: the server's fault, or an attack.
    Rejected(Rejected),
    /// No response came.
    Unreachable(Unreachable),
    /// The key holder did not do its task.
    Key(KeyFailed),
    /// The time for the person to act is over.
    Expired,
    /// The caller's fault.
    Misuse(Misuse),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Server(refusal) => refusal.remedy(),
            Self::Unavailable(unavailable) => Remedy::TryAgain { after: unavailable.retry_after },
            // A page where an endpoint was expected is more often a wrong URL than a broken server.
            Self::Malformed(Malformed::Status | Malformed::Redirect) => Remedy::FixSetup,
            Self::Malformed(_) => Remedy::ReportServer,
            Self::Rejected(rejected) => rejected.remedy(),
            Self::Unreachable(unreachable) => unreachable.remedy(),
            Self::Key(failed) => match failed.why {
                KeyWhy::Busy => Remedy::TryAgain { after: None },
                KeyWhy::NoKey | KeyWhy::Unsupported | KeyWhy::Denied => Remedy::FixSetup,
                KeyWhy::UnknownKid | KeyWhy::Bad => Remedy::ReportServer,
            },
            Self::Expired => Remedy::SignInAgain,
            Self::Misuse(_) => Remedy::FixSetup,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(refusal) => write!(f, "{refusal}"),
            Self::Unavailable(unavailable) => write!(f, "{unavailable}"),
            Self::Malformed(malformed) => write!(f, "the response cannot be read: {malformed}"),
            Self::Rejected(rejected) => write!(f, "the response must not be trusted: {rejected}"),
            Self::Unreachable(unreachable) => write!(f, "{unreachable}"),
            Self::Key(failed) => write!(f, "{failed}"),
            Self::Expired => f.write_str("the time to sign in is over"),
            Self::Misuse(misuse) => write!(f, "the flow was driven wrongly: {misuse}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Unreachable(unreachable) => unreachable.source(),
            Self::Key(failed) => failed.source(),
            Self::Server(_)
            | Self::Unavailable(_)
            | Self::Malformed(_)
            | Self::Rejected(_)
            | Self::Expired
            | Self::Misuse(_) => None,
        }
    }
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// The same again may work, after this long where the server said so.
    TryAgain {
        /// What the server asked for, else the caller's own pace.
        after: Option<Duration>,
    },
    /// A person has to sign in.
    SignInAgain,
    /// The setup of this client is wrong: a URL, a client id, a secret, a scope, a key.
    FixSetup,
    /// The server breaks the protocol; nothing on this side helps.
    ReportServer,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TryAgain { after: None } => f.write_str("try again later"),
            Self::TryAgain { after: Some(after) } => write!(f, "try again after {} s", after.as_secs()),
            Self::SignInAgain => f.write_str("sign in again"),
            Self::FixSetup => f.write_str("check this client's setup"),
            Self::ReportServer => f.write_str("report it to whoever runs the server"),
        }
    }
}

/// An OAuth error response (RFC 6749 sections 4.1.2.1 and 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The registered code.
    pub code: ErrorCode,
    /// What the server adds for the developer: printable characters only, what the client sent taken out.
    pub description: Option<String>,
    /// Where the server explains the error. Text, not to be opened without a check.
    pub uri: Option<String>,
}

impl Refusal {
    fn remedy(&self) -> Remedy {
        let codes = [
            (ErrorCode::INVALID_GRANT, Remedy::SignInAgain),
            (ErrorCode::ACCESS_DENIED, Remedy::SignInAgain),
            (ErrorCode::EXPIRED_TOKEN, Remedy::SignInAgain),
            (ErrorCode::LOGIN_REQUIRED, Remedy::SignInAgain),
            (ErrorCode::CONSENT_REQUIRED, Remedy::SignInAgain),
            (ErrorCode::INTERACTION_REQUIRED, Remedy::SignInAgain),
            (ErrorCode::ACCOUNT_SELECTION_REQUIRED, Remedy::SignInAgain),
            (ErrorCode::SERVER_ERROR, Remedy::TryAgain { after: None }),
            (ErrorCode::TEMPORARILY_UNAVAILABLE, Remedy::TryAgain { after: None }),
            (ErrorCode::SLOW_DOWN, Remedy::TryAgain { after: None }),
            // Where nobody polls: a poll takes it for "not yet".
            (ErrorCode::AUTHORIZATION_PENDING, Remedy::ReportServer),
        ];
        codes.into_iter().find(|(code, _)| *code == self.code).map_or(Remedy::FixSetup, |(_, remedy)| remedy)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server refused: {}", self.code)?;
        if let Some(description) = &self.description {
            write!(f, " ({description})")?;
        }
        if let Some(uri) = &self.uri {
            write!(f, ", see {uri}")?;
        }
        Ok(())
    }
}

/// A server in trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unavailable {
    /// The status: 429 or 5xx.
    pub status: StatusCode,
    /// What `Retry-After` asks for (RFC 9110 section 10.2.3), at most a day.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.as_u16();
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => write!(f, "the server gets too many requests (status {status})"),
            _ => write!(f, "the server is in trouble (status {status})"),
        }
    }
}

/// Why a response is not a message of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// Not JSON, where JSON was due: an HTML page, say, or a body that was cut short.
    NotJson,
    /// JSON, and not an object.
    NotAnObject,
    /// Nested too deeply, or too many members.
    TooLarge,
    /// A member that must be there is not.
    Missing(&'static str),
    /// A member, or a parameter, comes twice.
    Duplicate(String),
    /// A member has a value that it may not have.
    Invalid(&'static str),
    /// A status that says nothing about the request, with a body that does not either.
    Status,
    /// The server redirects a request that may not be redirected.
    Redirect,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("it is not JSON, or was cut short"),
            Self::NotAnObject => f.write_str("it is JSON, and not an object"),
            Self::TooLarge => f.write_str("it is nested too deeply or has too many members"),
            Self::Missing(member) => write!(f, "{member} is missing"),
            Self::Duplicate(member) => write!(f, "{member} comes twice"),
            Self::Invalid(member) => write!(f, "{member} has a value that it may not have"),
            Self::Status => f.write_str("neither its status nor its body is an answer of this endpoint"),
            Self::Redirect => f.write_str("it redirects a request that may not be redirected"),
        }
    }
}

/// Why a well-formed response must not be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// The metadata, or the authorization response, is of another issuer (RFC 8414 section 3.3, RFC 9207 section 2.4).
    Issuer {
        /// Who was asked.
        expected: String,
        /// Who answered, printable characters only, what cannot be printed escaped.
        received: String,
    },
    /// The server says that it sends `iss`, and did not (RFC 9207 section 2.4).
    NoIssuer,
    /// `state` is missing or of another login (RFC 9700 section 4.7).
    State,
    /// A code and an error in one response.
    CodeAndError,
    /// An answer of a kind that was not asked for.
    NotAsked(&'static str),
    /// A token type that this client cannot present (RFC 6749 section 7.1).
    TokenType(String),
    /// More scope than the refreshed token had (RFC 6749 section 6).
    ScopeGrew,
    /// The metadata is of another protected resource (RFC 9728 section 3.3).
    Resource {
        /// Which was asked about.
        expected: String,
        /// Which it is about, printable characters only, what cannot be printed escaped.
        received: String,
    },
    /// The answer is about another client: a token that another program obtained, say.
    Client,
    /// A token exchange that does not say what it issued (RFC 8693 section 2.2.1).
    NoIssuedTokenType,
    /// A token of another type than the one that was asked for (RFC 8693 section 2.2.1).
    IssuedTokenType {
        /// What was asked for.
        requested: TokenTypeIdentifier,
    },
    /// An endpoint that no credential may be sent to.
    Endpoint {
        /// The member of the metadata.
        member: &'static str,
        /// What is wrong with it.
        why: crate::request::EndpointError,
    },
    /// A message that is signed as it must be, and claims what it may not.
    Claims(ClaimsError),
    /// A message that is not encrypted, and has to be (OpenID Connect Core section 3.1.3.7, rule 1).
    NotEncrypted,
    /// A check of a grant that the user of this crate defined.
    Check(&'static str),
}

impl Rejected {
    const fn remedy(&self) -> Remedy {
        match self {
            Self::State => Remedy::SignInAgain,
            // A wrong issuer is more often a slip in the setup (a slash, a tenant) than an attack.
            Self::Issuer { .. } | Self::Resource { .. } | Self::Client => Remedy::FixSetup,
            Self::NoIssuer
            | Self::CodeAndError
            | Self::NotAsked(_)
            | Self::TokenType(_)
            | Self::ScopeGrew
            | Self::NoIssuedTokenType
            | Self::IssuedTokenType { .. }
            | Self::Endpoint { .. }
            | Self::Claims(_)
            | Self::NotEncrypted
            | Self::Check(_) => Remedy::ReportServer,
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer { expected, received } => {
                write!(f, "its issuer is \"{received}\", expected exactly \"{expected}\"")
            }
            Self::NoIssuer => f.write_str("iss is missing, and this server says that it sends it"),
            Self::State => f.write_str("its state is missing or not that of this login"),
            Self::CodeAndError => f.write_str("it has both a code and an error"),
            Self::NotAsked(what) => write!(f, "it has {what}, which was not asked for"),
            Self::TokenType(token_type) => {
                write!(f, "its token type is {token_type}, which this client cannot use")
            }
            Self::ScopeGrew => f.write_str("its scope is larger than that of the token it renews"),
            Self::Resource { expected, received } => {
                write!(f, "its resource is \"{received}\", expected exactly \"{expected}\"")
            }
            Self::Client => f.write_str("it is about another client"),
            Self::NoIssuedTokenType => {
                f.write_str("issued_token_type is missing, so nobody knows what was issued")
            }
            Self::IssuedTokenType { requested } => {
                write!(f, "its issued_token_type is not the {requested} that was asked for")
            }
            Self::Endpoint { member, why } => write!(f, "its {member} may not be used: {why}"),
            Self::Claims(why) => write!(f, "{why}"),
            Self::NotEncrypted => f.write_str("it is not encrypted, and this client registered a key for it"),
            Self::Check(why) => f.write_str(why),
        }
    }
}

/// No response came.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unreachable {
    /// What happened.
    pub kind: UnreachableKind,
    /// Whether the server may have acted on the request. Decides whether sending it again is safe.
    pub delivered: Delivered,
    /// What the transport knows.
    pub cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Unreachable {
    /// An answer without a cause.
    #[must_use]
    pub const fn new(kind: UnreachableKind, delivered: Delivered) -> Self {
        Self { kind, delivered, cause: None }
    }

    /// Adds what the transport knows. Its text is shown to people: it must hold no secret.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    const fn remedy(&self) -> Remedy {
        match self.kind {
            UnreachableKind::Timeout
            | UnreachableKind::Name
            | UnreachableKind::Connect
            | UnreachableKind::Broken
            | UnreachableKind::Cancelled => Remedy::TryAgain { after: None },
            UnreachableKind::Tls
            | UnreachableKind::Proxy
            | UnreachableKind::Unsupported
            | UnreachableKind::Other => Remedy::FixSetup,
            UnreachableKind::TooLarge | UnreachableKind::NotHttp => Remedy::ReportServer,
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl StdError for Unreachable {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

/// Why no response came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnreachableKind {
    /// Time ran out.
    Timeout,
    /// The host's name could not be resolved.
    Name,
    /// No connection: refused, no route, or reset before the request was sent.
    Connect,
    /// The connection ended before the response was whole.
    Broken,
    /// TLS failed: a certificate that is not trusted, another host's name, no common version.
    Tls,
    /// The proxy refused or failed.
    Proxy,
    /// The response is larger than [`Request::max_body`](crate::Request::max_body) or has too large a head.
    TooLarge,
    /// What came is not HTTP.
    NotHttp,
    /// The transport lacks what the request needs; nothing was sent.
    Unsupported,
    /// The caller gave up.
    Cancelled,
    /// Anything else.
    Other,
}

impl fmt::Display for UnreachableKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "no response in time",
            Self::Name => "the server's name cannot be resolved",
            Self::Connect => "no connection to the server",
            Self::Broken => "the connection ended before the response was whole",
            Self::Tls => "no secure connection to the server",
            Self::Proxy => "the proxy failed",
            Self::TooLarge => "the response is too large",
            Self::NotHttp => "the server does not speak HTTP",
            Self::Unsupported => "the transport cannot do what the request needs",
            Self::Cancelled => "the request was cancelled",
            Self::Other => "the request failed",
        })
    }
}

/// Whether the server may have acted on a request that got no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no third case: what is not known to be safe is unknown"
)]
pub enum Delivered {
    /// Certainly not: no byte of it was sent.
    No,
    /// It may have.
    Unknown,
}

/// How a flow was driven wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misuse {
    /// An answer came that no output had asked for, or of another kind.
    NotAsked,
    /// The driver waits for a flow that is over.
    NothingOwed,
    /// A pending login was redeemed with another client, or at another server.
    OtherClient,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAsked => "an answer came that was not asked for",
            Self::NothingOwed => "the flow is over, or its last output was not answered",
            Self::OtherClient => "the login was begun by another client or at another server",
        })
    }
}
