//! What went over the wire: kept as it was, shown without secrets unless somebody insists.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use oauth_core::{JsonValue, Purpose, Request, Response, SecretBytes};
use percent_encoding::percent_decode_str;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Whose values are shown to everybody: what frames a message, and what a person needs to see what went wrong. The value of
/// any other header may be a credential.
const SHOWN_HEADERS: [&str; 32] = [
    "accept",
    "accept-encoding",
    "age",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "expires",
    "host",
    "if-modified-since",
    "keep-alive",
    "last-modified",
    "pragma",
    "proxy-authenticate",
    "referrer-policy",
    "retry-after",
    "server",
    "strict-transport-security",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
];

/// The same for parameters of forms and members of JSON objects.
const SHOWN_MEMBERS: [&str; 28] = [
    "acr_values",
    "active",
    "audience",
    "client_id",
    "code_challenge_method",
    "error",
    "error_description",
    "error_uri",
    "expires_at",
    "expires_in",
    "ext_expires_in",
    "grant_type",
    "interval",
    "issued_token_type",
    "issuer",
    "max_age",
    "prompt",
    "redirect_uri",
    "requested_token_type",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "subject_token_type",
    "token_type",
    "token_type_hint",
    "verification_uri",
    "verification_url",
];

const REDACTED: &str = "[redacted]";

/// The hops of one call, in their order. `Display` and `Debug` show no secret.
#[derive(Clone, Default)]
pub struct Transcript(Vec<Hop>);

impl Transcript {
    /// The hops, in their order.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.0
    }

    /// Everything, secrets with the rest. Whoever calls this keeps it out of logs and terminals.
    #[must_use]
    pub fn exposed(&self) -> SecretBytes {
        SecretBytes::new(self.0.iter().map(|hop| hop.shown(true)).collect::<String>())
    }

    pub(super) fn push(&mut self, hop: Hop) {
        self.0.push(hop);
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Hop> {
        self.0.last_mut()
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|hop| f.write_str(&hop.shown(false)))
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transcript[{} hops]", self.0.len())
    }
}

/// One request, and its response where one came.
#[derive(Clone)]
pub struct Hop {
    purpose: Purpose,
    method: http::Method,
    /// Path and query, which may hold a secret.
    target: Zeroizing<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Zeroizing<Vec<u8>>>,
    /// What of the request must not be shown where the response repeats it.
    secrets: Secrets,
    answer: Option<Answer>,
}

#[derive(Clone)]
struct Answer {
    version: Version,
    status: StatusCode,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
}

impl Hop {
    pub(super) fn sent(request: &Request, added: &HeaderMap, secrets: Secrets, with_body: bool) -> Self {
        let url = request.endpoint().url();
        let mut headers: Vec<_> =
            request.headers().map(|(name, value)| (name.clone(), value.clone())).collect();
        for (name, value) in added {
            if headers.iter().all(|(known, _)| known != name) {
                headers.push((name.clone(), value.clone()));
            }
        }
        Self {
            purpose: request.purpose(),
            method: request.method().clone(),
            target: Zeroizing::new(url[url::Position::BeforePath..].to_owned()),
            headers,
            body: with_body.then(|| Zeroizing::new(request.body().to_vec())),
            secrets,
            answer: None,
        }
    }

    pub(super) fn answered(&mut self, response: &Response) {
        self.answer = Some(Answer {
            version: response.version(),
            status: response.status(),
            headers: response.headers().clone(),
            body: Zeroizing::new(response.body().to_vec()),
        });
    }

    /// The headers as they were sent, with those that the engine added, as far as it says which.
    #[must_use]
    pub fn sent_headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The head as it was sent, secrets with the rest.
    #[must_use]
    pub fn exposed_request_head(&self) -> SecretBytes {
        SecretBytes::new(self.request_head(true))
    }

    /// The body as it was sent, where whole requests are recorded.
    #[must_use]
    pub fn exposed_request_body(&self) -> Option<&[u8]> {
        self.body.as_ref().map(|body| body.as_slice())
    }

    /// The first line of the response; its words are those that the status has by custom, whatever the server wrote.
    #[must_use]
    pub fn status_line(&self) -> Option<String> {
        self.answer.as_ref().map(Answer::status_line)
    }

    /// The version of HTTP that was spoken.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.answer.as_ref().map(|answer| answer.version)
    }

    /// The headers that came.
    #[must_use]
    pub fn received_headers(&self) -> Option<&HeaderMap> {
        self.answer.as_ref().map(|answer| &answer.headers)
    }

    /// The body that came, decoded. It may hold tokens.
    #[must_use]
    pub fn exposed_response_body(&self) -> Option<&[u8]> {
        self.answer.as_ref().map(|answer| answer.body.as_slice())
    }

    pub(super) fn request_head(&self, exposed: bool) -> String {
        let target = match self.target.split_once('?') {
            Some((path, _)) if !exposed => format!("{path}?{REDACTED}"),
            _ => self.target.as_str().to_owned(),
        };
        let mut head = format!("{} {target} HTTP\r\n", self.method);
        for (name, value) in &self.headers {
            self.line(&mut head, name, value, exposed);
        }
        head
    }

    pub(super) fn response_head(&self, exposed: bool) -> String {
        let Some(answer) = &self.answer else { return String::new() };
        let mut head = format!("{}\r\n", answer.status_line());
        for (name, value) in &answer.headers {
            self.line(&mut head, name, value, exposed);
        }
        head
    }

    pub(super) fn response_body(&self, exposed: bool) -> String {
        let Some(answer) = &self.answer else { return String::new() };
        self.scrubbed(body(&answer.body, self.purpose, exposed), exposed)
    }

    fn line(&self, head: &mut String, name: &HeaderName, value: &HeaderValue, exposed: bool) {
        let text = if exposed {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        } else {
            self.scrubbed(redacted_header(name, value), exposed)
        };
        // Writing to a String cannot fail.
        let _ = write!(head, "{name}: {text}\r\n");
    }

    fn scrubbed(&self, text: String, exposed: bool) -> String {
        if exposed {
            return text;
        }
        self.secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), REDACTED))
    }

    fn shown(&self, exposed: bool) -> String {
        let mut shown = self.request_head(exposed);
        shown.push_str("\r\n");
        if let Some(bytes) = self.body.as_ref().filter(|bytes| !bytes.is_empty()) {
            shown.push_str(&body(bytes, self.purpose, exposed));
            shown.push_str("\r\n\r\n");
        }
        if self.answer.is_some() {
            shown.push_str(&self.response_head(exposed));
            shown.push_str("\r\n");
            let text = self.response_body(exposed);
            if !text.is_empty() {
                shown.push_str(&text);
                shown.push_str("\r\n\r\n");
            }
        }
        shown
    }
}

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.request_head(false))
    }
}

impl Answer {
    fn status_line(&self) -> String {
        let reason = self.status.canonical_reason().unwrap_or_default();
        format!("{:?} {} {reason}", self.version, self.status.as_u16()).trim_end().to_owned()
    }
}

/// A head for people: its first line, and its headers without the values that may be secret.
#[must_use]
pub fn redacted_head(first_line: &str, headers: &HeaderMap) -> String {
    let mut head = first_line.to_owned();
    for (name, value) in headers {
        // Writing to a String cannot fail.
        let _ = write!(head, "\r\n{name}: {}", redacted_header(name, value));
    }
    head
}

/// The value of a header, or what of it is no secret.
#[must_use]
pub fn redacted_header(name: &HeaderName, value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    if SHOWN_HEADERS.contains(&name.as_str()) && !value.is_sensitive() {
        return text.into_owned();
    }
    match (name.as_str(), text.split_once(' ')) {
        (name, Some((scheme, _))) if name.ends_with("authorization") => format!("{scheme} {REDACTED}"),
        ("location", _) => {
            // A code travels in the query of one.
            let end = text.find(['?', '#']).unwrap_or(text.len());
            let rest = if end < text.len() { REDACTED } else { "" };
            format!("{}{rest}", &text[..end])
        }
        _ => REDACTED.to_owned(),
    }
}

/// A body for people: forms and JSON with the values that are no secrets, anything else by its size.
pub(super) fn body(bytes: &[u8], purpose: Purpose, exposed: bool) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    // Metadata and keys are public.
    if exposed || matches!(purpose, Purpose::Discovery | Purpose::Keys) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    if let Ok(JsonValue::Object(members)) = JsonValue::read(bytes) {
        let shown: Vec<_> = members
            .iter()
            .map(|(name, value)| match value {
                JsonValue::Object(_) => format!("{}:{{…}}", JsonValue::text(name.as_ref())),
                _ if is_shown(name) => format!("{}:{value}", JsonValue::text(name.as_ref())),
                _ => format!("{}:\"{REDACTED}\"", JsonValue::text(name.as_ref())),
            })
            .collect();
        return format!("{{{}}}", shown.join(","));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if is_form(text) => {
            let shown: Vec<_> = text
                .split('&')
                .map(|pair| match pair.split_once('=') {
                    Some((name, _)) if is_shown(name) => pair.to_owned(),
                    Some((name, _)) => format!("{name}={REDACTED}"),
                    None => REDACTED.to_owned(),
                })
                .collect();
            shown.join("&")
        }
        _ => format!("[{} bytes]", bytes.len()),
    }
}

fn is_shown(name: &str) -> bool {
    SHOWN_MEMBERS.contains(&name)
}

/// Whether every part is a parameter with a plain name. A token that ends in `=` is not, and must not pass for a name.
fn is_form(text: &str) -> bool {
    let is_name = |name: &str| {
        (1..=40).contains(&name.len())
            && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9') || b"_-.[]".contains(&byte))
    };
    let is_pair = |pair: &str| {
        pair.split_once('=')
            .is_some_and(|(name, value)| is_name(name) && (is_shown(name) || !value.is_empty()))
    };
    text.split('&').all(is_pair) && text.bytes().all(|byte| matches!(byte, 0x21..=0x7E))
}

/// What of a request must not be shown where a response repeats it.
pub(super) type Secrets = Arc<[Zeroizing<String>]>;

/// The values of a form that are not shown, and those of headers that carry credentials, in the spellings that a response
/// could repeat.
pub(super) fn secrets(request: &Request) -> Secrets {
    // A short value is found in any text.
    const SHORTEST: usize = 4;
    let mut secrets = Vec::new();
    let mut add = |text: &str| {
        if text.len() >= SHORTEST {
            secrets.push(Zeroizing::new(text.to_owned()));
        }
    };
    for (_, value) in request.headers().filter(|(_, value)| value.is_sensitive()) {
        let text = String::from_utf8_lossy(value.as_bytes());
        add(&text);
        if let Some((_, credential)) = text.split_once(' ') {
            add(credential);
        }
    }
    let form = std::str::from_utf8(request.body()).unwrap_or_default();
    for (name, value) in form.split('&').filter_map(|pair| pair.split_once('=')) {
        if is_shown(name) {
            continue;
        }
        add(value);
        let decoded =
            Zeroizing::new(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned());
        if decoded.as_str() != value {
            add(&decoded);
        }
    }
    // The longest first: one may begin with another.
    secrets.sort_by_key(|secret: &Zeroizing<String>| std::cmp::Reverse(secret.len()));
    secrets.into()
}
