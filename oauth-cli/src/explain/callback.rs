//! `callback`: what came back from the browser, as the loopback listener and the pending login judge it.
//!
//! The login is a real one, begun with a `state` of its own. Where the case says which `state` was sent, that value is
//! written as the login's own; whatever else came stays as it came.

use super::case::{Callback, Case};
use super::client::{ISSUER, drive, now, policy, registration, seed, server_of};
use super::context::Broken;
use super::tokens;
use super::verdict::{Stop, Verdict};
use crate::exit::Exit;
use http::StatusCode;
use oauth::core::{
    AuthorizationRequest, AuthorizationResponse, Client, Delivered, Error, Failure, Flow as _, Input,
    NotOurs, Output, Pending, Purpose, Recognised, Remedy, ResponseMode, ServerMemory, Unreachable,
    UnreachableKind,
};
use oauth::loopback::request::{Parser, Request};
use oauth::loopback::verdict::{Rules, Verdict as Decision};
use url::{Url, form_urlencoded};

pub(super) fn judge(case: &Case, callback: &Callback, verdict: &mut Verdict) -> Result<(), Stop> {
    let context = &case.context;
    let implicit = match context.text("response_type")? {
        None | Some("code") => false,
        Some("token") => true,
        Some(other) => return Err(Stop::Unsupported(format!("the response type {other}"))),
    };
    let mode = match context.text("response_mode")? {
        None if callback.body.is_empty() && callback.target.contains('#') => ResponseMode::FRAGMENT,
        None if callback.method == "POST" => ResponseMode::FORM_POST,
        None => ResponseMode::QUERY,
        Some(mode) => ResponseMode::from_text(mode),
    };
    if ![ResponseMode::QUERY, ResponseMode::FRAGMENT, ResponseMode::FORM_POST].contains(&mode) {
        return Err(Stop::Unsupported(format!("the response mode {mode}")));
    }
    let redirect_uri = redirect_uri(case, callback)?;
    let client = of_the_server(case, callback, verdict)?;
    let captured = [callback.target.as_bytes(), &callback.body].concat();
    let request = AuthorizationRequest::new(redirect_uri.as_str()).with_response_mode(mode.clone());
    let request = if implicit { request.implicit() } else { request };
    let mut authorize = client.authorize(request, &ServerMemory::default(), seed(&captured))?;
    let Output::Done(Ok(ready)) = authorize.poll(now(context)?) else {
        verdict.refuse(Failure::idle(), case.kind);
        return Ok(());
    };
    let answer = Answer { case, client, pending: ready.pending, seed: captured };
    let state = context.text("state")?;
    if state.is_none() {
        verdict.note(
            "RFC 9700 section 4.7",
            "The case does not say which state was sent: the one that came was taken for it, unchecked.",
        );
    }
    let own = answer.pending.state();
    if mode == ResponseMode::FRAGMENT {
        verdict.note(
            "RFC 6749 section 4.2.2",
            "A fragment stays in the browser: no listener sees it, only a page or a person passes it on.",
        );
        let body = String::from_utf8_lossy(&callback.body);
        let fragment = callback.target.split_once('#').map_or(&*body, |(_, fragment)| fragment);
        let fragment = translated(fragment, state, own);
        return answer.judge(&AuthorizationResponse::Fragment(&fragment), None, verdict);
    }
    let target = match callback.target.split_once('?') {
        Some((before, query)) => format!("{before}?{}", translated(query, state, own)),
        None => callback.target.clone(),
    };
    if !matches!(redirect_uri.scheme(), "http" | "https") {
        // RFC 8252 section 7.1: the system hands the address to the program, and nobody listens.
        let query = target.split_once('?').map_or("", |(_, query)| query);
        return answer.judge(&AuthorizationResponse::Query(query), None, verdict);
    }
    let body = match std::str::from_utf8(&callback.body) {
        Ok(text) => translated(text, state, own).into_bytes(),
        Err(_) => callback.body.clone(),
    };
    let port = redirect_uri.port_or_known_default().unwrap_or_default();
    let rules = Rules::new(&redirect_uri, port);
    let rules = if mode == ResponseMode::FORM_POST { rules.form_post() } else { rules };
    let mut parser = Parser::new();
    parser.handle(&bytes(callback, &redirect_uri, &target, &body));
    let request = match parser.poll() {
        Some(Ok(request)) => request,
        Some(Err(refusal)) => {
            unreadable(refusal.status(), verdict);
            return Ok(());
        }
        // The end of what came, before the end of the request.
        None => {
            unreadable(StatusCode::REQUEST_TIMEOUT, verdict);
            return Ok(());
        }
    };
    answer.decide(&rules, &request, verdict)
}

/// The one that the client sent, or the one that the request came to.
fn redirect_uri(case: &Case, callback: &Callback) -> Result<Url, Broken> {
    let wrong = |error| Broken(format!("context.redirect_uri: {error}"));
    if let Some(uri) = case.context.text("redirect_uri")? {
        return Url::parse(uri).map_err(wrong);
    }
    let path = callback.target.split(['?', '#']).next().unwrap_or_default();
    if let Ok(url) = Url::parse(path) {
        return Ok(url);
    }
    let host = callback.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = host.map_or("127.0.0.1", |(_, host)| host);
    let path = if path.starts_with('/') { path } else { "/callback" };
    Url::parse(&format!("http://{host}{path}"))
        .or_else(|_| Url::parse("http://127.0.0.1/callback"))
        .map_err(wrong)
}

/// A client of the server that was asked, or else of the one that says it answers; of one that sends `iss` where the case
/// says so.
fn of_the_server(case: &Case, callback: &Callback, verdict: &mut Verdict) -> Result<Client, Stop> {
    let issuer = match (case.context.text("issuer")?, iss(callback)) {
        (Some(issuer), _) => issuer.to_owned(),
        (None, None) => ISSUER.to_owned(),
        (None, Some(iss)) => {
            verdict.note(
                "RFC 9207 section 2.4",
                "The case does not say which issuer was asked: the iss that came was taken for it, unchecked.",
            );
            iss
        }
    };
    let policy = policy(case, verdict)?;
    let server = server_of(&issuer, &case.context, Purpose::Token, verdict)?;
    let server = if case.context.flag("iss_supported")? { server.with_iss_in_responses() } else { server };
    Ok(Client::new(server, registration(&case.context)?, policy)?)
}

/// Who says that it answers: a guess at who was asked, which the login then judges.
fn iss(callback: &Callback) -> Option<String> {
    let query = callback.target.split_once(['?', '#']).map_or("", |(_, query)| query);
    let mut pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(&callback.body));
    pairs.find(|(name, value)| name == "iss" && !value.is_empty()).map(|(_, iss)| iss.into_owned())
}

/// The form with one value of `state` written as another, piece by piece; the rest stays to the letter. Where the case
/// does not say which was sent, the first that came.
fn translated(form: &str, sent: Option<&str>, own: &str) -> String {
    let mut sent = sent.map(str::to_owned);
    let mut is_sent = |value: &str| *sent.get_or_insert_with(|| value.to_owned()) == value;
    let pieces = form.split('&').map(|piece| match form_urlencoded::parse(piece.as_bytes()).next() {
        Some((name, value)) if name == "state" && !value.is_empty() && is_sent(&value) => {
            let name = piece.split_once('=').map_or(piece, |(name, _)| name);
            format!("{name}={own}")
        }
        _ => piece.to_owned(),
    });
    pieces.collect::<Vec<_>>().join("&")
}

/// The request as a browser sends it.
fn bytes(callback: &Callback, redirect_uri: &Url, target: &str, body: &[u8]) -> Vec<u8> {
    let (before, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let path = match Url::parse(before) {
        // Of an address, the browser sends what follows the host.
        Ok(address) if callback.address => address.path().to_owned(),
        _ if before.is_empty() => redirect_uri.path().to_owned(),
        _ => before.to_owned(),
    };
    let mut bytes = format!("{} {path}{query} HTTP/1.1\r\n", callback.method).into_bytes();
    let named = |wanted: &str| callback.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let mut header =
        |name: &str, value: &str| bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    if !named("host") {
        header("Host", redirect_uri.authority());
    }
    if callback.method == "POST" && !named("content-type") {
        header("Content-Type", "application/x-www-form-urlencoded");
    }
    let (came, goes) = (callback.body.len().to_string(), body.len().to_string());
    if (callback.method == "POST" || !body.is_empty()) && !named("content-length") {
        header("Content-Length", &goes);
    }
    for (name, value) in &callback.headers {
        // Another state may be shorter or longer than the one that came.
        let translated = name.eq_ignore_ascii_case("content-length") && *value == came;
        header(name, if translated { &goes } else { value });
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// What the listener answers before anybody looks at what the request says.
fn unreadable(status: StatusCode, verdict: &mut Verdict) {
    verdict.field("flow_continues", true);
    verdict.field("status", status.as_u16());
    let rule = ("RFC 9112 section 3", "The listener refuses the request, and waits on for the right one.");
    let (class, message) = match status {
        StatusCode::URI_TOO_LONG
        | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
        | StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "the request is larger than a listener reads"),
        _ => ("parse", "the request is not one that a browser sends"),
    };
    stray(class, rule, message, verdict);
}

/// Why the listener answers a request by itself, as its status tells.
fn not_the_answer(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => {
            ("RFC 8252 section 7.3", "the request is for another path than that of the redirect URI")
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            ("RFC 6749 section 3.1.2", "the request has a method that brings no answer")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("OAuth 2.0 Form Post Response Mode section 2", "what was posted is no form")
        }
        StatusCode::BAD_REQUEST => ("RFC 9112 section 3.2", "the request names no host, or two"),
        _ => (
            "RFC 6749 section 4.1.2",
            "the request is not the person's way back: a look ahead, an icon, a question about methods",
        ),
    }
}

/// A request that is not the answer, and changes nothing.
fn stray(class: &'static str, rule: (&'static str, &str), message: impl Into<String>, verdict: &mut Verdict) {
    verdict.refuse_as(class, rule, message, Remedy::SignInAgain, Exit::Network);
    if let Some(refused) = &mut verdict.refused {
        refused.next = "nothing: the listener waits on; sign in in the browser".to_owned();
    }
}

/// What is there once the login has begun.
struct Answer<'a> {
    case: &'a Case,
    client: Client,
    pending: Pending,
    seed: Vec<u8>,
}

impl Answer<'_> {
    /// Whether the request is an authorization response at all.
    fn decide(self, rules: &Rules, request: &Request, verdict: &mut Verdict) -> Result<(), Stop> {
        let (answer, note) = match rules.verdict(request) {
            Decision::Response(response) => return self.judge(&response, Some(StatusCode::OK), verdict),
            // Whoever's it is: it changes nothing.
            Decision::OtherMode(_, answer) => (answer, None),
            Decision::Answer(answer, note) => (answer, note),
            _ => return Err(Stop::Unsupported("what the listener makes of this request".into())),
        };
        verdict.field("flow_continues", true);
        verdict.field("status", answer.status().as_u16());
        let (class, rule, message) = match (answer.status(), note) {
            (_, Some(note)) => ("rejected", "RFC 8252 section 8.3", note.to_string()),
            (status, None) => {
                let (rule, message) = not_the_answer(status);
                ("parse", rule, message.to_owned())
            }
        };
        let rule = (rule, "The listener answers this by itself, and waits on for the right one.");
        stray(class, rule, message, verdict);
        Ok(())
    }

    /// Whether the response is ours, and whether its code may be redeemed.
    fn judge(
        self,
        response: &AuthorizationResponse<'_>,
        status: Option<StatusCode>,
        verdict: &mut Verdict,
    ) -> Result<(), Stop> {
        let now = now(&self.case.context)?;
        let recognised = self.pending.recognise(response);
        let ours = recognised == Recognised::Ours;
        verdict.field("flow_continues", !ours);
        verdict.maybe(
            "status",
            status.map(|status| if ours { status } else { StatusCode::BAD_REQUEST }.as_u16()),
        );
        let flow = self.pending.redeem(response, &self.client, &ServerMemory::default(), seed(&self.seed));
        let mut code = None;
        let result = drive(flow, now, |request| {
            let mut sent = form_urlencoded::parse(request.body());
            code = sent.find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
            // What the token endpoint says is another message.
            Input::Unreachable(Unreachable::new(UnreachableKind::Cancelled, Delivered::No))
        });
        match (code, result) {
            (Some(code), _) => verdict.field("code", code),
            (None, Err(failure)) => {
                let state = matches!(&*failure.error, Error::Rejected(oauth::core::Rejected::State));
                verdict.refuse(failure, self.case.kind);
                if let (true, Recognised::NotOurs(why)) = (state, recognised) {
                    not_ours(why, verdict);
                }
            }
            // The answer itself has the token (RFC 6749 section 4.2.2).
            (None, Ok(granted)) => tokens::granted(&granted.tokens, now, verdict),
        }
        Ok(())
    }
}

fn not_ours(why: NotOurs, verdict: &mut Verdict) {
    let rule = if why == NotOurs::Ambiguous { "RFC 6749 section 3.1" } else { "RFC 6749 section 10.12" };
    verdict.note(
        rule,
        format!("Not of this login: {why}. The listener answers 400 and waits on for the right one."),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_that_was_sent_is_written_as_the_logins_own_and_nothing_else_is() {
        let translated = |form| translated(form, Some("a b"), "own");
        assert_eq!(translated("code=x?y&state=a+b"), "code=x?y&state=own");
        assert_eq!(translated("state=a%20b&%73tate=a b&code=%ff"), "state=own&%73tate=own&code=%ff");
        for kept in ["", "state=", "state", "state=ab", "State=a+b", "code=a+b", "&&x", "state=a+b%00"] {
            assert_eq!(translated(kept), kept);
        }
    }

    #[test]
    fn without_one_that_was_sent_the_first_that_came_is_taken() {
        assert_eq!(translated("state=a&state=b&state=a", None, "own"), "state=own&state=b&state=own");
    }
}
