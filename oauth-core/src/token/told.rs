//! What a body says that says no in another dialect than OAuth's: nested objects, lists, pages.
//!
//! The field has many. Here one code and one sentence are found in any of them, for a person to read; none is ever taken
//! for tokens. What is shown is printable, and has no secret in it.

use super::Scrub;
use crate::failure::Refusal;
use crate::json::{self, Value};
use crate::registry::ErrorCode;
use crate::request::Response;
use alloc::string::{String, ToString as _};
use http::StatusCode;

/// Names of a sentence for people, the clearest first.
const SENTENCES: [&str; 11] = [
    "error_description",
    "message",
    "detail",
    "error_message",
    "errorMessage",
    "errmsg",
    "error_msg",
    "msg",
    "description",
    "faultstring",
    "title",
];
/// Names of a code, the surest first. The outermost object of a success is asked for the first six, of any other answer
/// for the first seven: what an innocent answer may have, too, counts only within an error.
const CODES: [&str; 9] =
    ["error", "error_code", "errorCode", "errcode", "errorcode", "errorType", "code", "type", "status"];
/// Where errors are nested; a success is asked for the first three.
const INSIDE: [&str; 5] = ["error", "errors", "fault", "detail", "details"];

/// A refusal with a code, wherever in the body the code is.
pub(crate) fn refusal(response: &Response, sent: &Scrub) -> Option<Refusal> {
    let value = json::value(response.body()).ok()?;
    let told = Told::of(&value, response.status());
    let code = told.code.map(String::from).or_else(|| told.number.map(|number| number.to_string()))?;
    let shown = |text: &str| Some(sent.shown(text, 400)).filter(|text| !text.is_empty());
    Some(Refusal {
        code: ErrorCode::from_text(&sent.shown(&code, 80)),
        description: told.sentence.filter(|sentence| **sentence != *code).and_then(shown),
        uri: None,
    })
}

/// What a body that is no answer says: its sentence, the words of its page, or else its beginning. Nothing of one that
/// seems to hold credentials.
pub(crate) fn excerpt(body: &[u8], sent: &Scrub) -> Option<String> {
    sentence(body, sent).or_else(|| page(body, sent)).or_else(|| show(&String::from_utf8_lossy(body), sent))
}

/// The sentence of a body; nothing else of it, for it may hold credentials under any name.
pub(super) fn sentence(body: &[u8], sent: &Scrub) -> Option<String> {
    let value = json::value(body).ok()?;
    show(Told::of(&value, StatusCode::OK).sentence?, sent)
}

/// The words of a page; `None` for what is no page.
pub(crate) fn page(body: &[u8], sent: &Scrub) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    if !text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}').starts_with('<') {
        return None;
    }
    // Before the tags are taken out, too: a secret may have a bracket in it.
    show(&words(&sent.clean(text.into_owned())), sent)
}

fn show(text: &str, sent: &Scrub) -> Option<String> {
    const CREDENTIALS: [&str; 5] =
        ["access_token", "refresh_token", "id_token", "device_code", "client_secret"];
    if CREDENTIALS.iter().any(|name| text.contains(name)) {
        return None;
    }
    Some(sent.shown(text, 160)).filter(|text| !text.is_empty())
}

/// The first of each that is found.
struct Told<'a> {
    status: StatusCode,
    code: Option<&'a str>,
    /// A code that is a number, for want of a better one.
    number: Option<u64>,
    sentence: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn of(value: &'a Value<'_>, status: StatusCode) -> Self {
        let mut told = Self { status, code: None, number: None, sentence: None };
        let (codes, inside) = if status.is_success() { (6, 3) } else { (7, 5) };
        told.read(value, CODES.get(..codes).unwrap_or_default(), INSIDE.get(..inside).unwrap_or_default());
        told
    }

    fn read(&mut self, value: &'a Value<'_>, codes: &[&str], inside: &[&str]) {
        if let Value::Array(values) = value {
            return values.iter().for_each(|value| self.read(value, codes, inside));
        }
        let Value::Object(members) = value else {
            // A text in a list: a code by its looks, or else a sentence.
            if matches!(value, Value::String(text) if !is_code(text)) {
                self.sentence(value);
            } else {
                self.code(value);
            }
            return;
        };
        let member = |name: &&str| members.iter().find(|(member, _)| member == name).map(|(_, value)| value);
        SENTENCES.iter().filter_map(member).for_each(|value| self.sentence(value));
        codes.iter().filter_map(member).for_each(|value| self.code(value));
        for value in inside.iter().filter_map(member) {
            match value {
                Value::Array(_) | Value::Object(_) => self.read(value, &CODES, &INSIDE),
                Value::String(_) => self.sentence(value),
                Value::Null | Value::Bool(_) | Value::Unsigned(_) | Value::Float(_) | Value::Number(_) => {}
            }
        }
    }

    fn sentence(&mut self, value: &'a Value<'_>) {
        if let Value::String(text) = value
            && !text.trim().is_empty()
        {
            self.sentence = self.sentence.or(Some(text));
        }
    }

    fn code(&mut self, value: &'a Value<'_>) {
        if let Value::String(text) = value
            && is_code(text)
        {
            self.code = self.code.or(Some(text));
        }
        // Zero is the number of success, and the status is known already.
        if let Value::Unsigned(number) = value
            && *number != 0
            && *number != u64::from(self.status.as_u16())
        {
            self.number = self.number.or(Some(*number));
        }
    }
}

/// A word that a program wrote, and not a sentence.
fn is_code(text: &str) -> bool {
    text.len() <= 80
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// What of a page is to be read: no tags, no scripts, no styles.
fn words(page: &str) -> String {
    let mut words = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((text, tag)) = rest.split_once('<') {
        words.push_str(text);
        words.push(' ');
        let begins = |name: &str| tag.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
        let end = match ["script", "style", "!--"].into_iter().find(|name| begins(name)) {
            Some("!--") => tag.split_once("-->"),
            Some(_) => tag.split_once("</").and_then(|(_, closing)| closing.split_once('>')),
            None => tag.split_once('>'),
        };
        rest = end.map_or("", |(_, after)| after);
    }
    words.push_str(rest);
    for (entity, character) in
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        if words.contains(entity) {
            words = words.replace(entity, character);
        }
    }
    words
}
