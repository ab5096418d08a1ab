//! What the client is strict about, and each exception by its name.

use alloc::vec::Vec;
use core::fmt;

/// How strict the client is: RFC 9700 and RFC 8252 unless an [`OptOut`] is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    opt_outs: Vec<OptOut>,
}

impl Policy {
    /// Nothing waived. The same as `default()`.
    #[must_use]
    pub const fn strict() -> Self {
        Self { opt_outs: Vec::new() }
    }

    /// Waives one rule. Whoever runs the client should see [`opt_outs`](Self::opt_outs) somewhere.
    #[must_use]
    pub fn waive(mut self, opt_out: OptOut) -> Self {
        if !self.allows(opt_out) {
            self.opt_outs.push(opt_out);
        }
        self
    }

    /// The waived rules, to be shown to whoever runs the client.
    #[must_use]
    pub fn opt_outs(&self) -> &[OptOut] {
        &self.opt_outs
    }

    /// Whether this rule is waived.
    #[must_use]
    pub fn allows(&self, opt_out: OptOut) -> bool {
        self.opt_outs.contains(&opt_out)
    }
}

/// A rule that can be waived, named as the confession it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OptOut {
    /// Endpoints may be plain `http` on 127.0.0.0/8, \[::1\] and `localhost`: for servers under test on this machine.
    PlainHttpOnLoopback,
    /// The client id and the secret go into HTTP Basic as they are, not form-encoded first (RFC 6749 section 2.3.1): for
    /// servers that do not decode them. With a `:` in the id, the two can be mistaken for others.
    UnencodedBasic,
    /// An access token may travel in a URL, which browsers, proxies and servers keep in their logs and nobody wipes
    /// (RFC 6750 section 5.3): for the token info endpoint of Google and those like it.
    TokenInQuery,
    /// A program may ask people for their passwords ([`ResourceOwnerPassword`](crate::ResourceOwnerPassword)): for
    /// servers that offer nothing else. RFC 9700 section 2.4 forbids it.
    PasswordGrant,
    /// Access tokens may come back through the browser, in an address
    /// ([`AuthorizationRequest::implicit`](crate::AuthorizationRequest::implicit)): for servers that offer nothing else.
    /// RFC 9700 section 2.1.2 advises against it.
    ImplicitGrant,
    /// A code may be bound to this client by a challenge that is the verifier itself
    /// ([`CodeChallenge::Plain`](crate::CodeChallenge::Plain)), which whoever reads the address can use: for servers that
    /// know no other. RFC 7636 section 7.2.
    PlainCodeChallenge,
    /// A code may be bound to no client at all ([`CodeChallenge::None`](crate::CodeChallenge::None)), so that whoever reads
    /// it can redeem it: for servers that turn requests with a challenge away. RFC 9700 section 2.1.1 wants one.
    NoCodeChallenge,
    /// `redirect_uri` may be sent without a value, which RFC 6749 section 3.1 takes for none
    /// ([`AuthorizationRequest::with_empty_redirect_uri`](crate::AuthorizationRequest::with_empty_redirect_uri)): for servers
    /// that want to see its name.
    EmptyRedirectUri,
    /// Codes, secrets and refresh tokens may travel in URLs, which servers and proxies keep in their logs: for providers
    /// that take token requests in no other way ([`Provider`](crate::Provider)).
    CredentialsInQuery,
    /// ID tokens are believed because of the connection that they came over, and nobody looks at their signature (OpenID
    /// Connect Core section 3.1.3.7, rule 6, allows it): for programs without a key holder. Their claims are checked.
    UnverifiedIdTokens,
    /// ID tokens are handed on as they came, and nothing of them is checked: for programs that check them by themselves.
    UnreadIdTokens,
}

impl fmt::Display for OptOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PlainHttpOnLoopback => "plain http to a server on this machine is allowed",
            Self::UnencodedBasic => "client credentials go into HTTP Basic without the encoding of RFC 6749",
            Self::TokenInQuery => "access tokens travel in URLs, which logs keep",
            Self::PasswordGrant => "this program may take people's passwords, which RFC 9700 forbids",
            Self::CredentialsInQuery => "codes, secrets and refresh tokens travel in URLs, which logs keep",
            Self::UnverifiedIdTokens => "ID tokens are believed, and nobody looks at their signature",
            Self::UnreadIdTokens => "ID tokens are handed on, and nothing of them is checked",
            Self::ImplicitGrant => "access tokens come back through the browser, where others can take them",
            Self::PlainCodeChallenge => "whoever reads the address of a login can redeem its code",
            Self::NoCodeChallenge => "whoever reads the code of a login can redeem it",
            Self::EmptyRedirectUri => {
                "redirect_uri is sent without a value, and the server chooses where answers go"
            }
        })
    }
}
