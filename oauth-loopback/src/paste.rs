//! The way back without a listener: what a person copies out of the browser and pastes into the program.
//!
//! The browser may be on another machine, where nothing answers at the redirect URI. Its address bar then holds the
//! response all the same (RFC 6749 section 4.1.2), and some servers show the code on a page of theirs.
//!
//! ```
//! use oauth_core::{AuthorizationResponse, Recognised};
//! use oauth_loopback::paste::{self, Pasted};
//!
//! // `pending.recognise(response)`, in earnest.
//! # let recognise = |response: &AuthorizationResponse<'_>| match response {
//! #     AuthorizationResponse::Query("state=s1&code=c1") => Recognised::Ours,
//! #     _ => panic!(),
//! # };
//! match paste::read("<http://127.0.0.1:4321/callback?state=s1&code=c1>\n")? {
//!     Pasted::Response(pasted) => assert_eq!(recognise(&pasted.as_response()), Recognised::Ours),
//!     // Came without `state`: `Pending::redeem_code` relies on PKCE.
//!     Pasted::Code(_code) => {}
//!     _ => {}
//! }
//! # Ok::<(), paste::NotAnAnswer>(())
//! ```

use oauth_core::{AuthorizationCode, AuthorizationResponse};
use std::fmt;
use url::form_urlencoded;
use zeroize::Zeroizing;

/// More than any browser keeps in an address: 64 KiB.
pub const LONGEST: usize = 64 * 1024;

/// What is shorter is a word that somebody typed, and no code: a server has to make them hard to guess (RFC 6749 section 10.10).
const SHORTEST_CODE: usize = 8;

/// What a person pasted. Not yet checked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Pasted {
    /// An authorization response, whole: `Pending::recognise` says whether it belongs to the login.
    Response(PastedResponse),
    /// A code alone. No `state` came with it, so that PKCE alone ties it to the login.
    Code(AuthorizationCode),
}

/// A pasted authorization response: wiped on drop, blind `Debug`.
pub struct PastedResponse {
    parameters: Zeroizing<String>,
    of_fragment: bool,
}

impl PastedResponse {
    /// The response as the core takes it.
    #[must_use]
    pub fn as_response(&self) -> AuthorizationResponse<'_> {
        if self.of_fragment {
            AuthorizationResponse::Fragment(&self.parameters)
        } else {
            AuthorizationResponse::Query(&self.parameters)
        }
    }
}

impl fmt::Debug for PastedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PastedResponse({:?})", self.as_response())
    }
}

/// Reads what was pasted: the whole redirect URI, its query, its fragment, or the code alone.
///
/// Blanks, quotes and angle brackets around it are dropped, and so are line breaks and control characters within it: a
/// terminal breaks long lines, and puts marks around what is pasted. Of a URL neither host nor path is looked at: `state`
/// says whose it is.
///
/// # Errors
/// There is no response in it; what it is instead, as far as one can tell.
pub fn read(text: &str) -> Result<Pasted, NotAnAnswer> {
    if text.len() > LONGEST {
        return Err(NotAnAnswer::TooLong);
    }
    let has_keys = has_keys(text);
    let text = cleaned(text);
    if text.is_empty() {
        return Err(NotAnAnswer::Empty);
    }
    let (before, fragment) = text.split_once('#').unwrap_or((&text, ""));
    let (path, query) = match before.split_once('?') {
        // A query may have a question mark of its own.
        Some((path, query)) if is_address(path) || !path.contains('=') => (path, query),
        _ if is_address(before) => (before, ""),
        _ => ("", before),
    };
    let response = |parameters: &str, of_fragment| {
        let parameters = Zeroizing::new(parameters.to_owned());
        Ok(Pasted::Response(PastedResponse { parameters, of_fragment }))
    };
    match (Parameters::of(query), Parameters::of(fragment)) {
        (Parameters::Request, _) | (_, Parameters::Request) => return Err(NotAnAnswer::SignInAddress),
        (Parameters::Response, _) => return response(query, false),
        (_, Parameters::Response) => return response(fragment, true),
        (Parameters::Others, Parameters::Others) => {}
    }
    // A part of an address: a code has no `=` but at its end.
    let is_pair = text.contains('&') || text.trim_end_matches('=').contains('=');
    if is_address(path) || before.contains('?') || text.starts_with('#') || is_pair {
        return Err(NotAnAnswer::NoAnswer);
    }
    // RFC 6749 appendix A.11, without the blank. A code is spent by trying it, and the login with it: no word is taken for one.
    if has_keys || text.len() < SHORTEST_CODE || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(NotAnAnswer::NotACode);
    }
    Ok(Pasted::Code(AuthorizationCode::new(unescaped(&text).as_str())))
}

/// What a terminal puts around a paste, where it was told to (bracketed paste).
const MARKS: [&str; 2] = ["\x1b[200~", "\x1b[201~"];

/// Whether there are keys in it that are no letters: an arrow, say.
fn has_keys(text: &str) -> bool {
    text.match_indices('\x1b').any(|(at, _)| !MARKS.iter().any(|mark| text[at..].starts_with(mark)))
}

/// Without what terminals, mail programs and people put around an address, and into it.
fn cleaned(text: &str) -> Zeroizing<String> {
    // Room for all of it, so that no part is left behind in a smaller buffer.
    let mut clean = Zeroizing::new(String::with_capacity(text.len()));
    for part in text.split(MARKS[0]).flat_map(|part| part.split(MARKS[1])) {
        for line in part.lines() {
            clean.extend(line.trim().chars().filter(|c| !c.is_control()));
        }
    }
    let around =
        |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | '`' | '“' | '”' | '‘' | '’');
    Zeroizing::new(clean.trim_matches(around).to_owned())
}

fn is_address(text: &str) -> bool {
    text.contains("://") || text.starts_with('/')
}

/// What a query or a fragment holds, by the names in it.
enum Parameters {
    /// What a client sends a browser to the server with.
    Request,
    /// What a server sends it back with.
    Response,
    /// Neither.
    Others,
}

impl Parameters {
    fn of(text: &str) -> Self {
        let mut found = Self::Others;
        for (name, _) in form_urlencoded::parse(text.as_bytes()) {
            match &*name {
                // RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 9126 section 4, RFC 9101 section 5.
                "response_type" | "code_challenge" | "request_uri" | "request" => return Self::Request,
                // A `state` alone answers nothing: it may be the end of an address.
                "code" | "error" | "access_token" | "id_token" | "response" => found = Self::Response,
                _ => {}
            }
        }
        found
    }
}

/// The code as the server issued it, where it was copied out of an address bar. A `+` is left as it is: in a code that is
/// shown on a page it means itself.
fn unescaped(code: &str) -> Zeroizing<String> {
    let mut parts = code.split('%');
    let mut plain = Zeroizing::new(Vec::with_capacity(code.len()));
    plain.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let Some((byte, rest)) = part.split_at_checked(2).and_then(|(digits, rest)| {
            let hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            let byte = u8::from_str_radix(digits, 16).ok().filter(|byte| hex && byte.is_ascii_graphic())?;
            Some((byte, rest))
        }) else {
            return Zeroizing::new(code.to_owned());
        };
        plain.push(byte);
        plain.extend_from_slice(rest.as_bytes());
    }
    // Every byte is ASCII.
    Zeroizing::new(plain.iter().copied().map(char::from).collect())
}

/// Why what was pasted is no authorization response. Its `Display` holds nothing of what was pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAnAnswer {
    /// Nothing was pasted.
    Empty,
    /// The address that begins the login, and not the one that ends it.
    SignInAddress,
    /// An address or a query with neither a code nor an error in it.
    NoAnswer,
    /// Neither an address nor a code: a code has eight characters at least, no blanks, and no letters beyond ASCII.
    NotACode,
    /// Over 64 KiB.
    TooLong,
}

impl fmt::Display for NotAnAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "nothing was pasted: copy the whole address that the browser ended at",
            Self::SignInAddress => {
                "that is the address to sign in at: open it, sign in, and paste the address that the browser ends at"
            }
            Self::NoAnswer => "that address has no answer in it: sign in to the end, and copy all of the last address",
            Self::NotACode => "that is neither an address nor a code: copy the whole address that the browser ended at",
            Self::TooLong => "that is too long for an address: copy the address that the browser ended at, and no more",
        })
    }
}

impl std::error::Error for NotAnAnswer {}

#[cfg(test)]
mod tests {
    use super::{LONGEST, NotAnAnswer, Pasted, read};
    use oauth_core::AuthorizationResponse;

    /// How it was read, in words.
    fn seen(text: &str) -> String {
        match read(text) {
            Ok(Pasted::Response(pasted)) => match pasted.as_response() {
                AuthorizationResponse::Query(query) => format!("query {query}"),
                AuthorizationResponse::Fragment(fragment) => format!("fragment {fragment}"),
                other => panic!("{other:?}"),
            },
            Ok(Pasted::Code(code)) => format!("code {}", code.expose()),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn an_address_a_query_a_fragment_and_a_code_are_read() {
        for (text, wanted) in [
            ("http://127.0.0.1:1/callback?code=c&state=s", "query code=c&state=s"),
            ("/callback?code=c&state=s", "query code=c&state=s"),
            ("?code=c&state=s", "query code=c&state=s"),
            ("code=c&state=s", "query code=c&state=s"),
            ("code=c?d&state=s", "query code=c?d&state=s"),
            ("com.example.app:/cb?code=c", "query code=c"),
            (
                "https://app.example/cb?lang=de&error=access_denied&state=s",
                "query lang=de&error=access_denied&state=s",
            ),
            ("http://127.0.0.1:1/callback#code=c&state=s", "fragment code=c&state=s"),
            ("http://127.0.0.1:1/callback?lang=de#access_token=t&state=s", "fragment access_token=t&state=s"),
            ("#code=c&state=s", "fragment code=c&state=s"),
            // What Facebook puts behind it.
            ("http://127.0.0.1:1/callback?code=c&state=s#_=_", "query code=c&state=s"),
            ("c0dec0de", "code c0dec0de"),
            ("4/0AX4XfWh-_=", "code 4/0AX4XfWh-_="),
            ("4%2F0AX4Xf%3d", "code 4/0AX4Xf="),
            ("aa+b/c==", "code aa+b/c=="),
            ("50505050%", "code 50505050%"),
            ("abcdefgh%0a", "code abcdefgh%0a"),
        ] {
            assert_eq!(seen(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_terminals_and_people_put_around_it_is_dropped() {
        for text in [
            "  http://h/cb?code=c&state=s\r\n",
            "<http://h/cb?code=c&state=s>",
            "\"http://h/cb?code=c&state=s\"",
            "`http://h/cb?code=c&state=s`",
            "“http://h/cb?code=c&state=s”",
            " '<http://h/cb?code=c&state=s>' ",
            "\x1b[200~http://h/cb?code=c&state=s\x1b[201~",
            "http://h/cb?co\n    de=c&st\r\nate=s",
            "http://h/cb?code=c&\u{0}state\u{7}=s",
            "http://h/cb?code=\u{85}c&state=s",
        ] {
            assert_eq!(seen(text), "query code=c&state=s", "{text:?}");
        }
        assert_eq!(seen("  c0de\nc0de\t"), "code c0dec0de");
        assert_eq!(seen("\x1b[200~c0dec0de\x1b[201~"), "code c0dec0de");
    }

    #[test]
    fn what_is_no_answer_is_named() {
        for (text, wanted) in [
            ("", NotAnAnswer::Empty),
            (" \n\x1b[200~\x1b[201~ ", NotAnAnswer::Empty),
            ("<>", NotAnAnswer::Empty),
            (
                "https://as.example/authorize?response_type=code&client_id=a&state=s",
                NotAnAnswer::SignInAddress,
            ),
            ("https://as.example/authorize?client_id=a&request_uri=urn:x", NotAnAnswer::SignInAddress),
            ("http://127.0.0.1:1/callback", NotAnAnswer::NoAnswer),
            ("http://127.0.0.1:1/callback?", NotAnAnswer::NoAnswer),
            ("http://127.0.0.1:1/callback?a=b#c", NotAnAnswer::NoAnswer),
            ("?", NotAnAnswer::NoAnswer),
            ("#", NotAnAnswer::NoAnswer),
            // The end of an address whose beginning came before.
            ("x7Jq4&state=s", NotAnAnswer::NoAnswer),
            ("ion_state=0123456789", NotAnAnswer::NoAnswer),
            ("s%3A%2F%2Fas.example&session=x", NotAnAnswer::NoAnswer),
            ("two words", NotAnAnswer::NotACode),
            // What somebody typed who thought that this is a shell, or wanted to leave.
            ("y", NotAnAnswer::NotACode),
            ("ls", NotAnAnswer::NotACode),
            ("exit", NotAnAnswer::NotACode),
            (":q", NotAnAnswer::NotACode),
            ("\x1b[A", NotAnAnswer::NotACode),
            ("\x1b[A\x1b[A\x1b[A\x1b[B\x1b[B", NotAnAnswer::NotACode),
            ("cödé", NotAnAnswer::NotACode),
        ] {
            assert_eq!(read(text).unwrap_err(), wanted, "{text:?}");
        }
        let long = "x".repeat(LONGEST);
        assert!(read(&long).is_ok());
        assert_eq!(read(&(long + "x")).unwrap_err(), NotAnAnswer::TooLong);
    }

    #[test]
    fn d5_neither_debug_nor_errors_show_what_was_pasted() {
        for text in
            ["http://h/cb?code=s3cret&state=s3cret", "s3cretcode", "https://h/s3cret", "s3cret s3cret"]
        {
            let shown = match read(text) {
                Ok(pasted) => format!("{pasted:?}"),
                Err(error) => format!("{error:?} {error}"),
            };
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }
}
