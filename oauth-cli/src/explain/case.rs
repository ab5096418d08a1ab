//! One case: a line of JSON, or a file with a message of a kind that is named beside it.

use super::context::{Broken, Context};
use super::http::{self, Captured};
use super::kind::Kind;
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use oauth::core::UnreachableKind;
use serde_json::{Map, Value};

/// What is judged, and by whose knowledge.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: Option<String>,
    pub(super) kind: Kind,
    pub(super) message: Message,
    pub(super) context: Context,
    /// What has to be said about how it was read: the rule, and the text.
    pub(super) notes: Vec<(&'static str, String)>,
}

/// The captured message.
#[derive(Debug)]
pub(super) enum Message {
    Response(Captured),
    Callback(Callback),
    Responses(Vec<Step>),
    /// A signed message, as it came in an answer.
    Token(String),
    /// A request as bytes, which this build does not read.
    RawRequest,
    /// Of a kind that this build does not read.
    Unread,
}

/// A request as it came to the redirect URI.
#[derive(Debug)]
pub(super) struct Callback {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether it is an address alone, as a person copies it: no method and no header was said.
    pub(super) address: bool,
}

/// What happens to a login on another device while it waits for the person.
#[derive(Debug)]
pub(super) enum Step {
    Answer(Captured),
    /// The wall clock jumps by so many seconds.
    WallClock(i64),
    /// The machine sleeps so long: its monotonic clock stands still.
    Suspend(u64),
    Cancel,
}

/// The rule that a note is about where it is about none of a specification.
pub(super) const CASE: &str = "the case";

/// More values than any case has. The memory that a line can take is bounded by it.
const MAX_VALUES: usize = 4096;

impl Case {
    /// A line of a file of cases. Its name is handed over even where it is no case.
    pub(super) fn from_line(line: Vec<u8>) -> Result<Self, (Option<String>, Broken)> {
        if values(&line) > MAX_VALUES {
            return Err((None, Broken(format!("more than {MAX_VALUES} values in one line"))));
        }
        let value: Value =
            serde_json::from_slice(&line).map_err(|error| (None, Broken(format!("not JSON: {error}"))))?;
        // What it holds is held once from here on.
        drop(line);
        let Value::Object(mut members) = value else {
            return Err((None, Broken("not a JSON object".into())));
        };
        let name = match members.remove("name") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name),
            Some(other) => Some(other.to_string()),
        };
        Self::from_members(members, name.clone()).map_err(|broken| (name, broken))
    }

    fn from_members(mut members: Map<String, Value>, name: Option<String>) -> Result<Self, Broken> {
        let Some(Value::String(kind)) = members.remove("kind") else {
            return Err(Broken("kind is missing, or is no text".into()));
        };
        let kind = Kind::from_name(&kind)
            .ok_or_else(|| Broken(format!("{kind} is no kind that this command knows")))?;
        let context = match members.remove("context") {
            None | Some(Value::Null) => Context::default(),
            Some(Value::Object(context)) => Context::new(context)?,
            Some(_) => return Err(Broken("context is not an object".into())),
        };
        let message = match kind {
            _ if kind.is_unsupported() => {
                members.clear();
                Message::Unread
            }
            Kind::IdToken => match members.remove("jwt") {
                Some(Value::String(token)) => Message::Token(token),
                _ => return Err(Broken("jwt is missing, or is no text".into())),
            },
            Kind::Callback if members.remove("raw_request_b64").is_some() => Message::RawRequest,
            Kind::Callback => Message::Callback(callback(&mut members)?),
            Kind::DevicePoll if members.contains_key("responses") => {
                Message::Responses(steps(members.remove("responses"))?)
            }
            Kind::DevicePoll => Message::Responses(vec![Step::Answer(response(kind, &mut members)?)]),
            _ => Message::Response(response(kind, &mut members)?),
        };
        let unknown = members.into_iter().filter(|(_, value)| !value.is_null());
        let notes = unknown
            .map(|(member, _)| {
                (CASE, format!("{member} means nothing for the kind {}: it was not used.", kind.name()))
            })
            .collect();
        Ok(Self { name, kind, message, context, notes })
    }

    /// A file, or standard input, with a message of this kind.
    pub(super) fn from_text(kind: Kind, text: &[u8], context: &[(String, String)]) -> Result<Self, Broken> {
        let mut old = Map::new();
        let mut members = Map::new();
        for (name, value) in context {
            let (members, name) = match name.strip_prefix("old.") {
                Some(name) => (&mut old, name),
                None => (&mut members, name.as_str()),
            };
            if members.insert(name.into(), Value::String(value.clone())).is_some() {
                return Err(Broken(format!("context.{name} was given twice")));
            }
        }
        if !old.is_empty() {
            members.insert("old".into(), Value::Object(old));
        }
        let mut said = None;
        let message = match kind {
            _ if kind.is_unsupported() => Message::Unread,
            Kind::Callback if [&b"GET "[..], b"POST "].iter().any(|method| text.starts_with(method)) => {
                Message::RawRequest
            }
            Kind::Callback => Message::Callback(address(text)),
            Kind::IdToken => Message::Token(String::from_utf8_lossy(text.trim_ascii()).into_owned()),
            // Bytes as they are: a key has blank lines in it, and is no answer of anyone.
            Kind::KeyFile => Message::Response(captured(200, &[], text.to_vec())),
            _ => {
                let prefixed;
                let read = http::read(match kind {
                    // A header is what matters: it may stand alone.
                    Kind::WwwAuthenticate if !text.starts_with(b"HTTP/") => {
                        prefixed = bare_challenge(text);
                        &prefixed
                    }
                    _ => text,
                });
                said = read.said;
                match kind {
                    Kind::DevicePoll => Message::Responses(vec![Step::Answer(read.captured)]),
                    _ => Message::Response(read.captured),
                }
            }
        };
        let notes = said.map(|said| (CASE, said.to_owned())).into_iter().collect();
        Ok(Self { name: None, kind, message, context: Context::new(members)?, notes })
    }
}

/// How many values a line has, about: what stands between two that is not within a text.
fn values(line: &[u8]) -> usize {
    let (mut count, mut text, mut escaped) = (0, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = text,
            b'"' => text = !text,
            b',' | b'[' | b'{' if !text => count += 1,
            _ => {}
        }
    }
    count
}

/// A response; of the status that is most likely where it does not say.
fn response(kind: Kind, members: &mut Map<String, Value>) -> Result<Captured, Broken> {
    let status = match members.remove("http_status") {
        None | Some(Value::Null) if kind == Kind::WwwAuthenticate => 401,
        None | Some(Value::Null) => 200,
        Some(status) => status_code(&status).ok_or_else(|| Broken("http_status is no status".into()))?,
    };
    let headers = headers(members.remove("headers"), "headers")?;
    Ok(captured(status, &headers, body(members)?))
}

fn captured(status: u16, headers: &[(String, String)], body: Vec<u8>) -> Captured {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    Captured::new(status, &headers, body)
}

fn status_code(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|status| u16::try_from(status).ok())
}

/// A list of pairs, or an object.
fn headers(value: Option<Value>, member: &str) -> Result<Vec<(String, String)>, Broken> {
    let wrong = || Broken(format!("{member} is not a list of [name, value]"));
    let text = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(wrong()),
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(pairs)) => {
            let pair = |pair| match pair {
                Value::Array(pair) => <[Value; 2]>::try_from(pair).map_err(|_| wrong()),
                _ => Err(wrong()),
            };
            pairs
                .into_iter()
                .map(|value| pair(value).and_then(|[name, value]| Ok((text(name)?, text(value)?))))
                .collect()
        }
        Some(Value::Object(members)) => {
            members.into_iter().map(|(name, value)| Ok((name, text(value)?))).collect()
        }
        Some(_) => Err(wrong()),
    }
}

fn body(members: &mut Map<String, Value>) -> Result<Vec<u8>, Broken> {
    match (members.remove("body").map(bytes), members.remove("body_b64")) {
        (body, None | Some(Value::Null)) => Ok(body.unwrap_or_default()),
        (None, Some(Value::String(text))) => {
            let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
            let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
            engine.decode(text).map_err(|error| Broken(format!("body_b64: {error}")))
        }
        (None, Some(_)) => Err(Broken("body_b64 is no text".into())),
        (Some(_), Some(_)) => Err(Broken("body and body_b64: one of the two".into())),
    }
}

/// A text as it is; whatever else, as JSON spells it.
fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

fn callback(members: &mut Map<String, Value>) -> Result<Callback, Broken> {
    let Some(Value::Object(mut request)) = members.remove("request") else {
        return Err(Broken("request is missing, or is no object".into()));
    };
    let Some(Value::String(target)) = request.remove("target") else {
        return Err(Broken("request.target is missing, or is no text".into()));
    };
    let method = match request.remove("method") {
        None | Some(Value::Null) => "GET".to_owned(),
        Some(Value::String(method)) => method,
        Some(_) => return Err(Broken("request.method is no text".into())),
    };
    let headers = headers(request.remove("headers"), "request.headers")?;
    let body = body(&mut request)?;
    // What is left of it is told with the other members that have no use.
    members.extend(request.into_iter().map(|(name, value)| (format!("request.{name}"), value)));
    Ok(Callback { method, target, headers, body, address: false })
}

/// The address that the browser was sent to, as a person copies it; or its query alone.
fn address(text: &[u8]) -> Callback {
    let text = String::from_utf8_lossy(text.trim_ascii()).into_owned();
    let whole = text.contains(['?', '#']) || text.contains("://");
    let target = if whole { text } else { format!("?{text}") };
    Callback { method: "GET".into(), target, headers: Vec::new(), body: Vec::new(), address: true }
}

/// The value of the header, or the header, as a whole response.
fn bare_challenge(text: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"WWW-Authenticate:";
    let text = text.trim_ascii();
    let named = text.get(..NAME.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(NAME));
    let name = if named { &b""[..] } else { b"WWW-Authenticate: " };
    [b"HTTP/1.1 401 Unauthorized\r\n", name, text, b"\r\n\r\n"].concat()
}

fn steps(value: Option<Value>) -> Result<Vec<Step>, Broken> {
    let Some(Value::Array(steps)) = value else { return Err(Broken("responses is not a list".into())) };
    steps.into_iter().map(step).collect()
}

fn step(value: Value) -> Result<Step, Broken> {
    let wrong = || {
        Broken(
            "an element of responses is neither [status, {headers}, body] nor a fault that has a name".into(),
        )
    };
    match value {
        Value::String(fault) => named(&fault).ok_or_else(wrong),
        Value::Array(parts) => {
            let mut parts = parts.into_iter();
            let status = parts.next().as_ref().and_then(status_code).ok_or_else(wrong)?;
            let headers = headers(parts.next(), "the second part of a response")?;
            let body = parts.next().map(bytes).unwrap_or_default();
            if parts.next().is_some() {
                Err(wrong())
            } else {
                Ok(Step::Answer(captured(status, &headers, body)))
            }
        }
        _ => Err(wrong()),
    }
}

fn named(fault: &str) -> Option<Step> {
    if let Some(jump) = fault.strip_prefix("wall_clock") {
        return jump.starts_with(['+', '-']).then(|| jump.parse().ok()).flatten().map(Step::WallClock);
    }
    if let Some(seconds) = fault.strip_prefix("suspend_") {
        return seconds.parse().ok().map(Step::Suspend);
    }
    match fault {
        "connect_timeout" => Some(Step::Answer(Captured::fault(UnreachableKind::Timeout))),
        "reset" => Some(Step::Answer(Captured::fault(UnreachableKind::Broken))),
        "cancel" => Some(Step::Cancel),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_before_anything_is_made_of_them() {
        assert_eq!(values(br#"{"a":[1,2,"[,{\"["],"b":{}}"#), 6);
        let line = format!("{{\"context\":[{}0]}}", "[],".repeat(MAX_VALUES));
        assert!(Case::from_line(line.into_bytes()).unwrap_err().1.0.contains("more than"));
    }

    #[test]
    fn faults_go_by_their_names() {
        assert!(matches!(named("wall_clock+60"), Some(Step::WallClock(60))));
        assert!(matches!(named("wall_clock-60"), Some(Step::WallClock(-60))));
        assert!(matches!(named("suspend_600"), Some(Step::Suspend(600))));
        for unknown in ["wall_clock60", "wall_clock+", "suspend_-1", "suspend_", "lightning", ""] {
            assert!(named(unknown).is_none(), "{unknown}");
        }
    }
}
