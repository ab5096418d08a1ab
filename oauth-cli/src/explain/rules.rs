//! From what the core says to a class that programs can tell apart, and to the rule that was applied: one table.
//!
//! | class | what it means |
//! |---|---|
//! | `oauth` | the server refused; `code` says how |
//! | `parse` | not a message of its kind |
//! | `rejected` | well formed, and must not be trusted |
//! | `http` | neither: a status, a redirect, a server in trouble |
//! | `too_large` | more bytes, members or depth than are read |
//! | `expired` | the time to sign in is over |
//! | `unreachable` | no answer came |
//! | `unsupported_token_type` | a token that this client cannot present |
//! | `issuer_mismatch` | of another issuer than the one that was asked |
//! | `cancelled` | whoever waited gave up |
//! | `unfinished` | the captured answers end, and the login goes on |
//! | `key` | the holder of a key did not do its task |
//! | `setup` | the client would not have got so far: its setup is wrong, nothing is sent |
//! | `unsupported` | this build cannot judge such a message |
//! | `usage` | the line is no case |
//! | `internal` | a defect of this command |

use super::kind::Kind;
use oauth::core::{Error, ErrorCode, Malformed, Rejected, Remedy, UnreachableKind};

/// What an error is to a program, and to a person.
pub(super) struct Judged {
    pub(super) class: &'static str,
    pub(super) rule: &'static str,
    /// What the rule says, as far as it matters here.
    pub(super) says: &'static str,
    /// The member or the parameter that it is about.
    pub(super) member: Option<String>,
}

impl Judged {
    const fn new(class: &'static str, rule: &'static str, says: &'static str) -> Self {
        Self { class, rule, says, member: None }
    }

    fn about(mut self, member: &str) -> Self {
        self.member = Some(member.to_owned());
        self
    }
}

pub(super) fn judge(error: &Error, kind: Kind) -> Judged {
    match error {
        Error::Server(refusal) => {
            let (rule, says) = code(&refusal.code, kind);
            Judged::new("oauth", rule, says).about("error")
        }
        Error::Unavailable(unavailable) if unavailable.status.as_u16() == 429 => Judged::new(
            "http",
            "RFC 6585 section 4",
            "Status 429 asks for fewer requests and is no verdict about a credential.",
        ),
        Error::Unavailable(_) => Judged::new(
            "http",
            "RFC 9110 section 15.6",
            "A status of 500 and above says that the server failed, and is no verdict about a credential.",
        ),
        Error::Malformed(malformed) => judge_malformed(malformed, kind),
        Error::Rejected(rejected) => judge_rejected(rejected, kind),
        Error::Unreachable(unreachable) => match unreachable.kind {
            UnreachableKind::TooLarge => Judged::new(
                "too_large",
                LIMIT,
                "A body of 1 MiB, 100 header lines and 64 KiB of them are read at most.",
            ),
            UnreachableKind::NotHttp => Judged::new(
                "parse",
                "RFC 9112 section 2",
                "A response is a status line, headers that HTTP can carry, and a body.",
            ),
            UnreachableKind::Cancelled => {
                Judged::new("cancelled", LIMIT, "Whoever waits may give up at any time.")
            }
            _ => Judged::new(
                "unreachable",
                "RFC 9110 section 9.2.2",
                "No answer says nothing about whether the request was carried out.",
            ),
        },
        Error::Key(_) => Judged::new("key", "RFC 7523 section 3", "The assertion has to be signed."),
        Error::Expired => Judged::new(
            "expired",
            "RFC 8628 section 3.5",
            "The code is over: expires_in has passed by one of the clocks, or the server says so.",
        ),
        // The driver here does no wrong.
        Error::Misuse(_) => {
            Judged::new("internal", LIMIT, "This should not happen: report it as a defect of this command.")
        }
        // What is added to the core later is told by its own text.
        _ => Judged::new("internal", LIMIT, "This should not happen: report it as a defect of this command."),
    }
}

/// The rule where no specification has one.
pub(super) const LIMIT: &str = "a limit of this client";

fn judge_malformed(malformed: &Malformed, kind: Kind) -> Judged {
    match malformed {
        Malformed::NotJson => Judged::new("parse", kind.section(), not_json(kind)),
        Malformed::NotAnObject => Judged::new("parse", kind.section(), "The members stand in a JSON object."),
        Malformed::TooLarge => Judged::new(
            "too_large",
            "RFC 8259 section 9",
            "A reader may set limits: here 32 levels, 256 members in an object and 16384 values.",
        ),
        Malformed::Missing(member) => {
            Judged::new("parse", missing(member, kind), "The member is required.").about(member)
        }
        Malformed::Duplicate(member) if kind == Kind::Callback => Judged::new(
            "parse",
            "RFC 6749 section 3.1",
            "No parameter may come twice: two readers would see two answers.",
        )
        .about(member),
        Malformed::Duplicate(member) if kind.is_of_token_endpoint() => Judged::new(
            "parse",
            "RFC 6749 section 3.2",
            "No parameter of a response may come twice: two readers would see two answers.",
        )
        .about(member),
        Malformed::Duplicate(member) => {
            Judged::new("parse", "RFC 8259 section 4", "Of two members of one name, two readers may see two.")
                .about(member)
        }
        Malformed::Invalid(member) => {
            let (rule, says) = invalid(member, kind);
            Judged::new("parse", rule, says).about(member)
        }
        Malformed::Status => {
            Judged::new("http", kind.section(), "Success is status 200; an error has a code in its body.")
        }
        Malformed::Redirect => Judged::new(
            "http",
            "RFC 9700 section 4.12",
            "A redirected request would hand its credentials to a stranger.",
        ),
        _ => Judged::new("parse", kind.section(), "Not a message of this kind."),
    }
}

const fn not_json(kind: Kind) -> &'static str {
    if kind.is_of_token_endpoint() || matches!(kind, Kind::DeviceAuthorization) {
        "The answer is JSON, whole, and nothing behind it (a form is read as well)."
    } else {
        "The answer is JSON, whole, and nothing behind it."
    }
}

fn missing(member: &str, kind: Kind) -> &'static str {
    match (kind, member) {
        (Kind::Metadata, "issuer") => "RFC 8414 section 2",
        (Kind::Metadata, "resource") => "RFC 9728 section 2",
        (Kind::TokenError, _) => "RFC 6749 section 5.1",
        (Kind::TokenExchange, "access_token" | "token_type") => "RFC 8693 section 2.2.1",
        _ => kind.section(),
    }
}

fn invalid(member: &str, kind: Kind) -> (&'static str, &'static str) {
    match (kind, member) {
        (_, "access_token") => (
            "RFC 6749 appendix A.12",
            "An access token is visible ASCII and spaces: a line break would split the header that carries it.",
        ),
        (_, "refresh_token") => ("RFC 6749 appendix A.17", "A refresh token is visible ASCII and spaces."),
        (_, "token_type") => ("RFC 6749 appendix A.13", "A token type is a name or a URI."),
        (Kind::Callback, "code") => {
            ("RFC 6749 appendix A.11", "A code is visible ASCII and spaces, form-encoded.")
        }
        (Kind::Callback, "iss") => ("RFC 9207 section 2", "iss is a URL, form-encoded."),
        (_, "error") => ("RFC 6749 appendix A.7", "An error is a code in ASCII."),
        (_, "user_code") => ("RFC 8628 section 6.1", "A person has to be able to read it and to type it."),
        (Kind::Introspection, "active") => {
            ("RFC 7662 section 2.2", "active is true or false; whatever else must not be taken for true.")
        }
        (Kind::Introspection, "exp" | "iat" | "nbf") => (
            "RFC 7519 section 2",
            "A moment is a number of seconds; what limits a token must not be overlooked.",
        ),
        (Kind::Registration, "registration_access_token") => (
            "RFC 6750 section 2.1",
            "It is presented as a bearer token, which has letters, digits and -._~+/ alone.",
        ),
        (Kind::Registration, "client_id") => ("RFC 6749 appendix A.1", "A client id is visible ASCII."),
        (Kind::Registration, "client_secret") => {
            ("RFC 6749 appendix A.2", "A client secret is visible ASCII.")
        }
        (Kind::Metadata, _) => ("RFC 8414 section 2", "An endpoint is a URL in a text."),
        _ => (kind.section(), "The member has another type or other characters."),
    }
}

fn judge_rejected(rejected: &Rejected, kind: Kind) -> Judged {
    match rejected {
        Rejected::Issuer { .. } if kind == Kind::Callback => Judged::new(
            "issuer_mismatch",
            "RFC 9207 section 2.4",
            "iss must be the issuer that was asked, to the letter: else a code goes to another server.",
        )
        .about("iss"),
        Rejected::Issuer { .. } => Judged::new(
            "issuer_mismatch",
            "RFC 8414 section 3.3",
            "issuer must be the one that was asked, to the letter: a slash or a tenant counts.",
        )
        .about("issuer"),
        Rejected::NoIssuer => {
            Judged::new("rejected", "RFC 9207 section 2.4", "A server that says it sends iss has to send it.")
        }
        Rejected::State => Judged::new(
            "rejected",
            "RFC 9700 section 4.7",
            "state ties the answer to the browser that asked.",
        )
        .about("state"),
        Rejected::CodeAndError => {
            Judged::new("rejected", "RFC 6749 section 4.1.2.1", "An answer has a code or an error.")
                .about("error")
        }
        Rejected::NotAsked(_) => Judged::new(
            "rejected",
            "RFC 9700 section 4.6",
            "An answer of a kind that was not asked for is not used.",
        ),
        Rejected::TokenType(_) => Judged::new(
            "unsupported_token_type",
            "RFC 6749 section 7.1",
            "A client must not use a token of a type that it does not understand.",
        )
        .about("token_type"),
        Rejected::ScopeGrew => Judged::new(
            "rejected",
            "RFC 6749 section 6",
            "A refresh may narrow the scope, and must not widen it.",
        )
        .about("scope"),
        Rejected::Resource { .. } => Judged::new(
            "rejected",
            "RFC 9728 section 3.3",
            "resource must be the one that was asked about, character by character.",
        )
        .about("resource"),
        Rejected::Client => {
            Judged::new("rejected", "RFC 6819 section 4.4.2.6", "An answer about another client is not used.")
        }
        Rejected::NoIssuedTokenType | Rejected::IssuedTokenType { .. } => Judged::new(
            "rejected",
            "RFC 8693 section 2.2.1",
            "issued_token_type is required, and of the type that was asked for.",
        )
        .about("issued_token_type"),
        Rejected::Endpoint { member, .. } => Judged::new(
            "rejected",
            endpoint(member),
            "A URL that credentials or people go to is https, with a host and no userinfo.",
        )
        .about(member),
        Rejected::Check(_) => Judged::new("rejected", kind.section(), "A check of the grant does not hold."),
        _ => Judged::new("rejected", kind.section(), "Well formed, and must not be trusted."),
    }
}

/// Where it is said that the URL is https.
fn endpoint(member: &str) -> &'static str {
    match member {
        "authorization_endpoint" => "RFC 6749 section 3.1",
        "token_endpoint" => "RFC 6749 section 3.2",
        "device_authorization_endpoint" => "RFC 8628 section 3.1",
        "verification_uri" | "verification_uri_complete" => "RFC 8628 section 3.2",
        "revocation_endpoint" => "RFC 7009 section 2",
        "introspection_endpoint" => "RFC 7662 section 2",
        "registration_endpoint" => "RFC 7591 section 3",
        "userinfo_endpoint" => "OpenID Connect Core section 5.3",
        "authorization_servers" => "RFC 9728 section 2",
        _ => "RFC 8414 section 2",
    }
}

/// What is said of a code that no specification has.
pub(super) const OWN_CODE: &str = "The code is the server's own: whoever runs it knows what it means.";

/// Where an error code is defined, and what it says.
fn code(code: &ErrorCode, kind: Kind) -> (&'static str, &'static str) {
    let at = |section| if kind == Kind::Callback { "RFC 6749 section 4.1.2.1" } else { section };
    match code.as_str() {
        "invalid_request" => (
            at("RFC 6749 section 5.2"),
            "The request lacks a parameter, has one twice, or has one that the server does not take.",
        ),
        "invalid_client" => (
            "RFC 6749 section 5.2",
            "The server does not know this client, or not by this secret or this method.",
        ),
        "invalid_grant" => (
            "RFC 6749 section 5.2",
            "The code or the refresh token is wrong, over, used, or of another client or redirect URI.",
        ),
        "unauthorized_client" => {
            (at("RFC 6749 section 5.2"), "This client may not use this grant: its registration says so.")
        }
        "unsupported_grant_type" => ("RFC 6749 section 5.2", "The server does not know this grant."),
        "invalid_scope" => {
            (at("RFC 6749 section 5.2"), "The scope is unknown, malformed, or more than may be granted.")
        }
        "access_denied" => ("RFC 6749 section 4.1.2.1", "The person, or the server in their place, said no."),
        "unsupported_response_type" => {
            ("RFC 6749 section 4.1.2.1", "The server gives no codes to this client.")
        }
        "server_error" => ("RFC 6749 section 4.1.2.1", "The server failed."),
        "temporarily_unavailable" => ("RFC 6749 section 4.1.2.1", "The server is busy or being repaired."),
        "invalid_token" => ("RFC 6750 section 3.1", "The token is over, revoked, malformed or unknown."),
        "insufficient_scope" => ("RFC 6750 section 3.1", "The token is good, and not for this."),
        "authorization_pending" => {
            ("RFC 8628 section 3.5", "The person has not signed in yet: ask again after the interval.")
        }
        "slow_down" => ("RFC 8628 section 3.5", "Ask again, five seconds later each time from now on."),
        "expired_token" => ("RFC 8628 section 3.5", "The time to sign in is over."),
        "invalid_target" => (
            "RFC 8707 section 2",
            "The server does not know the resource or the audience, or issues no tokens for it.",
        ),
        "unsupported_token_type" => (
            "RFC 7009 section 2.2.1",
            "The server cannot revoke tokens of this kind: they end by themselves.",
        ),
        "invalid_redirect_uri" => {
            ("RFC 7591 section 3.2.2", "A redirect URI is not one that the server takes.")
        }
        "invalid_client_metadata" => {
            ("RFC 7591 section 3.2.2", "A member of the client's metadata is not one that the server takes.")
        }
        "invalid_software_statement" | "unapproved_software_statement" => {
            ("RFC 7591 section 3.2.2", "The server does not take the software statement.")
        }
        "interaction_required" | "login_required" | "account_selection_required" | "consent_required" => (
            "OpenID Connect Core section 3.1.2.6",
            "Without a person in front of the browser it does not work.",
        ),
        "insufficient_user_authentication" => {
            ("RFC 9470 section 3", "The person has to sign in again, in a stronger way or more recently.")
        }
        "use_dpop_nonce" => ("RFC 9449 section 8", "The server wants a DPoP proof with its nonce."),
        _ => (kind.refusal_section(), OWN_CODE),
    }
}

/// Whose fault it is, in words.
pub(super) fn fault(class: &str, remedy: Remedy) -> &'static str {
    match (class, remedy) {
        ("issuer_mismatch", _) => {
            "the issuer in this client's setup mostly, a slash or a tenant; else the server, or an attack"
        }
        ("cancelled", _) => "nobody",
        ("unfinished", _) => "nobody: the login is still going on",
        ("internal", _) => "this command",
        ("unsupported", _) => "nobody: nothing was judged",
        ("usage", _) => "whoever wrote the case",
        ("expired", _) => "nobody: the person did not sign in in time",
        ("unreachable", Remedy::TryAgain { .. }) => "the network, or the server for now",
        ("parse" | "too_large", Remedy::SignInAgain) => {
            "whoever sent the request: a browser ahead of the person, a page, another program"
        }
        ("rejected", Remedy::SignInAgain) => "an old tab, a server that changes state, or an attack",
        ("http", Remedy::FixSetup) => "the address in this client's setup mostly; else the server",
        (_, Remedy::TryAgain { .. }) => "the server, for now",
        (_, Remedy::SignInAgain) => "nobody: what was granted is over, or was not granted",
        (_, Remedy::ReportServer) => "the server",
        _ => "this client's setup",
    }
}
