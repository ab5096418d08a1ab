//! `WWW-Authenticate`: what a protected resource asks for (RFC 9110 section 11.6.1).
//!
//! In scope: the grammar, and the parameters that OAuth gives a meaning: RFC 6750 section 3, RFC 9449 section 7.1,
//! RFC 9470 section 3, RFC 9728 section 5.1. Out of scope: what to do about it, which is for `next_action`.
//!
//! ```text
//! challenge  = auth-scheme [ 1*SP ( token68 / #auth-param ) ]     RFC 9110 section 11.3
//! auth-param = token BWS "=" BWS ( token / quoted-string )        RFC 9110 section 11.2
//! ```

use crate::bearer::is_token68;
use crate::policy::Policy;
use crate::registry::{Algorithm, ErrorCode};
use crate::request::{Endpoint, EndpointError};
use crate::scope::Scope;
use crate::text::is_vschar;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use http::header::{HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};

/// How many challenges one response may have, and how many parameters one challenge: each name is compared with those
/// before it.
const MAX_ITEMS: usize = 64;
/// How many bytes of challenges are read in all.
const MAX_BYTES: usize = 64 << 10;
/// RFC 9449 section 8.
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The challenges of one response, from all its `WWW-Authenticate` headers in their order.
///
/// Of a header that breaks the grammar nothing is believed: two readers of it may see two different things. The other
/// headers count, and [`invalid`](Self::invalid) tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenges {
    list: Vec<Challenge>,
    invalid: Option<InvalidChallenge>,
    dpop_nonce: Option<String>,
}

impl Challenges {
    /// Reads the headers of a response, whatever its status.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let mut read = Self { dpop_nonce: dpop_nonce(headers), ..Self::default() };
        let mut room = MAX_BYTES;
        for value in headers.get_all(WWW_AUTHENTICATE) {
            let line = match room.checked_sub(value.len()) {
                Some(less) => {
                    room = less;
                    challenges(value.as_bytes(), MAX_ITEMS - read.list.len())
                }
                None => Err(InvalidChallenge::TooLarge),
            };
            match line {
                Ok(line) => read.list.extend(line),
                Err(why) => {
                    read.invalid.get_or_insert(why);
                }
            }
        }
        read
    }

    /// The challenges, in the order of the server's preference where it has one.
    pub fn iter(&self) -> impl Iterator<Item = &Challenge> {
        self.list.iter()
    }

    /// What is wrong with the first header that could not be read.
    #[must_use]
    pub const fn invalid(&self) -> Option<&InvalidChallenge> {
        self.invalid.as_ref()
    }

    /// The nonce that DPoP proofs for this server need from now on (RFC 9449 section 8.2).
    ///
    /// It comes with any response, challenge or not. `None` as well where there are two, or one that no proof may carry.
    #[must_use]
    pub fn dpop_nonce(&self) -> Option<&str> {
        self.dpop_nonce.as_deref()
    }

    /// The challenges of another protocol that carries OAuth.
    pub(crate) fn from_list(list: Vec<Challenge>) -> Self {
        Self { list, ..Self::default() }
    }
}

/// One challenge: a scheme, and what it is told with.
///
/// `Debug` shows the names of the parameters without their values: a server may repeat in them what it was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    token68: Option<String>,
    params: Vec<(String, String)>,
}

impl Challenge {
    /// The scheme as it was written; compared without regard to case (RFC 9110 section 11.1).
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether it is of this scheme, in any case.
    #[must_use]
    pub fn is_scheme(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// What stands in the place of parameters, as `Negotiate` has it.
    #[must_use]
    pub fn token68(&self) -> Option<&str> {
        self.token68.as_deref()
    }

    /// Every parameter, known or not, as it came, without quotes and escapes.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The parameter of this name, in any case. Text from the other side: not made safe for a terminal.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The part of the server that this is about (RFC 9110 section 11.5).
    #[must_use]
    pub fn realm(&self) -> Option<&str> {
        self.param("realm")
    }

    /// Why the token that was sent is not good enough (RFC 6750 section 3.1). An empty one is as good as none.
    #[must_use]
    pub fn error(&self) -> Option<ErrorCode> {
        self.param("error").filter(|code| !code.is_empty()).map(ErrorCode::from_text)
    }

    /// The scope that the resource needs (RFC 6750 section 3); `None` as well where it is no list of scope values.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        self.param("scope").and_then(|scope| Scope::new(scope).ok())
    }

    /// How the person has to sign in, the preferred way first: the `acr_values` of the next authorization request
    /// (RFC 9470 section 3). `None` as well where a request could not carry it.
    #[must_use]
    pub fn acr_values(&self) -> Option<&str> {
        self.param("acr_values").filter(|values| is_vschar(values))
    }

    /// How long ago the person may have signed in (RFC 9470 section 3); `None` as well where it is no number.
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        // RFC 9470 section 3: a non-negative integer, in seconds.
        let text = self.param("max_age")?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
    }

    /// The algorithms that a DPoP proof may be signed with (RFC 9449 section 7.1).
    pub fn algs(&self) -> impl Iterator<Item = Algorithm> {
        let names = self.param("algs").unwrap_or_default().split(' ');
        names.filter(|name| !name.is_empty()).map(Algorithm::from_text)
    }

    /// Where the resource describes itself (RFC 9728 section 5.1).
    ///
    /// The `resource` of what is fetched there must be the URL that was asked for (RFC 9728 section 3.3).
    ///
    /// # Errors
    /// The URL may not be asked: it is not `https`, say. The resource is at fault, or an attack (RFC 9728 section 7.7).
    #[must_use]
    pub fn resource_metadata(&self, policy: &Policy) -> Option<Result<Endpoint, EndpointError>> {
        self.param("resource_metadata").map(|url| Endpoint::new(url, policy))
    }

    /// The challenge as a header says it: what is read from there is the same challenge.
    #[must_use]
    pub fn header_value(&self) -> HeaderValue {
        let mut text = self.scheme.clone();
        if let Some(token68) = &self.token68 {
            text.push(' ');
            text.push_str(token68);
        }
        for (at, (name, value)) in self.params().enumerate() {
            text.push_str(if at == 0 { " " } else { ", " });
            text.push_str(name);
            // RFC 6750 section 3 and RFC 9728 section 5.1: quoted, whatever the value.
            text.push_str("=\"");
            for c in value.chars() {
                if matches!(c, '"' | '\\') {
                    text.push('\\');
                }
                text.push(c);
            }
            text.push('"');
        }
        // Nothing that the grammar lets in is kept out of a header.
        HeaderValue::from_bytes(text.as_bytes()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// A challenge that has parameters.
    pub(crate) fn new(scheme: &str, params: Vec<(String, String)>) -> Self {
        Self { scheme: scheme.into(), token68: None, params }
    }

    fn add(&mut self, name: &str, value: String) -> Result<(), InvalidChallenge> {
        // RFC 9110 section 11.2: each parameter name occurs once, compared without regard to case.
        if self.param(name).is_some() {
            // A long name is no name of a parameter, and half of it might be half of a secret.
            let shown = if name.len() > 40 { "a parameter" } else { name };
            return Err(InvalidChallenge::Duplicate(shown.into()));
        }
        if self.params.len() == MAX_ITEMS {
            return Err(InvalidChallenge::TooLarge);
        }
        self.params.push((name.into(), value));
        Ok(())
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.params().map(|(name, _)| name).collect();
        f.debug_struct("Challenge")
            .field("scheme", &self.scheme)
            .field("token68", &self.token68.is_some())
            .field("params", &names)
            .finish()
    }
}

/// Why a `WWW-Authenticate` header cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidChallenge {
    /// A character that the grammar does not have there.
    Syntax {
        /// How many bytes stand before it.
        at: usize,
    },
    /// A quoted value that does not end.
    Unterminated,
    /// A parameter comes twice (RFC 9110 section 11.2).
    Duplicate(String),
    /// More challenges, parameters or bytes than are read.
    TooLarge,
}

impl fmt::Display for InvalidChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the resource's WWW-Authenticate header cannot be read: ")?;
        match self {
            Self::Syntax { at } => write!(f, "it breaks the grammar at byte {at}"),
            Self::Unterminated => f.write_str("a quoted value does not end"),
            Self::Duplicate(name) => write!(f, "{name} comes twice"),
            Self::TooLarge => f.write_str("it is too long or has too many parts"),
        }?;
        f.write_str("; report it to whoever runs the resource")
    }
}

impl core::error::Error for InvalidChallenge {}

fn dpop_nonce(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(DPOP_NONCE).iter();
    let nonce = values.next()?.to_str().ok()?.trim();
    // RFC 9449 section 8.1: nonce = 1*NQCHAR, and one header of it.
    let valid = !nonce.is_empty()
        && nonce.len() <= MAX_BYTES
        && nonce.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E));
    (valid && values.next().is_none()).then(|| nonce.into())
}

/// Reads one header value: at most `most` challenges.
fn challenges(value: &[u8], most: usize) -> Result<Vec<Challenge>, InvalidChallenge> {
    let mut list: Vec<Challenge> = Vec::new();
    let mut reader = Reader { value, at: 0 };
    loop {
        // RFC 9110 section 5.6.1.2: empty elements of a list are passed over.
        reader.skip(|byte| is_space(byte) || byte == b',');
        if reader.peek().is_none() {
            return Ok(list);
        }
        let begin = reader.at;
        let name = reader.token()?;
        let spaced = reader.skip(is_space);
        if reader.peek() == Some(b'=') {
            let value = reader.value()?;
            // What a comma sets apart from its scheme belongs to it all the same, unless that has a token68.
            let open = list.last_mut().filter(|challenge| challenge.token68.is_none());
            open.ok_or(InvalidChallenge::Syntax { at: begin })?.add(name, value)?;
        } else {
            if list.len() == most {
                return Err(InvalidChallenge::TooLarge);
            }
            let mut challenge = Challenge::new(name, Vec::new());
            if spaced && !reader.is_at_end_of_element() {
                match reader.token68() {
                    Some(token68) => challenge.token68 = Some(token68.into()),
                    None => {
                        let name = reader.token()?;
                        reader.skip(is_space);
                        challenge.add(name, reader.value()?)?;
                    }
                }
            }
            list.push(challenge);
        }
        reader.skip(is_space);
        if !reader.is_at_end_of_element() {
            return Err(reader.here());
        }
    }
}

/// A header value, read from its beginning to its end once; only a `token68` is looked at a second time.
struct Reader<'a> {
    value: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }

    const fn here(&self) -> InvalidChallenge {
        InvalidChallenge::Syntax { at: self.at }
    }

    fn is_at_end_of_element(&self) -> bool {
        self.peek().is_none_or(|byte| byte == b',')
    }

    /// Passes over these, and says whether there was any.
    fn skip(&mut self, these: impl Fn(u8) -> bool) -> bool {
        let begin = self.at;
        while self.peek().is_some_and(&these) {
            self.at += 1;
        }
        self.at > begin
    }

    fn taken_since(&self, begin: usize) -> &'a [u8] {
        self.value.get(begin..self.at).unwrap_or_default()
    }

    fn token(&mut self) -> Result<&'a str, InvalidChallenge> {
        let begin = self.at;
        if !self.skip(is_tchar) {
            return Err(self.here());
        }
        core::str::from_utf8(self.taken_since(begin)).map_err(|_| self.here())
    }

    /// The whole rest of the element, where it is a `token68`. `realm=` is one; `realm=x` and `realm="x"` are not.
    fn token68(&mut self) -> Option<&'a str> {
        let begin = self.at;
        if self.skip(is_token68) {
            self.skip(|byte| byte == b'=');
            let token68 = self.taken_since(begin);
            self.skip(is_space);
            if self.is_at_end_of_element() {
                return core::str::from_utf8(token68).ok();
            }
        }
        self.at = begin;
        None
    }

    /// What comes after the name of a parameter: the sign, space that should not be there, and the value.
    fn value(&mut self) -> Result<String, InvalidChallenge> {
        if self.peek() != Some(b'=') {
            return Err(self.here());
        }
        self.at += 1;
        self.skip(is_space);
        if self.peek() != Some(b'"') {
            return self.token().map(String::from);
        }
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let mut byte = self.peek().ok_or(InvalidChallenge::Unterminated)?;
            if byte == b'"' {
                self.at += 1;
                // RFC 9110 section 5.5: what is beyond ASCII is opaque. Most of it is UTF-8.
                return Ok(String::from_utf8(text)
                    .unwrap_or_else(|bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned()));
            }
            if byte == b'\\' {
                self.at += 1;
                byte = self.peek().ok_or(InvalidChallenge::Unterminated)?;
            }
            if byte != b'\t' && byte.is_ascii_control() {
                return Err(self.here());
            }
            text.push(byte);
            self.at += 1;
        }
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// RFC 9110 section 5.6.2: a character of a `token`.
const fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests;
