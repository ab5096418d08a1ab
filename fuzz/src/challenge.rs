//! Any bytes as the challenges of a protected resource, and as the answer of a mail server.

use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use oauth_core::{
    AccessToken, Attempts, Challenge, Challenges, GiveUp, NextAction, Policy, SaslFailure, Scope, TokenType,
};
use std::time::{Duration, Instant};

/// What is presented, and must never be said.
const SENT: &str = "the-access-token-that-was-sent";
const STATUSES: [u16; 8] = [401, 401, 401, 401, 403, 403, 400, 503];
/// Each action once, a nonce and more scope twice, and the end.
const MOST_ACTIONS: usize = 10;

/// Reads one answer. The first byte chooses the status and what is presented; each line after it is a header, a nonce
/// where it begins with `nonce:`.
///
/// # Panics
/// A reading does not survive being written, an action is not allowed, or there is no end of them.
pub fn run(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else { return };
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let headers = headers(&lines);
    let challenges = Challenges::read(&headers);
    is_sound(&challenges);
    survives_being_written(&challenges);
    lines_and_one_line_are_the_same(&headers, &challenges);

    let status = StatusCode::from_u16(STATUSES[usize::from(choice % 8)]).expect("a status");
    let presented = [None, Some("Bearer"), Some("DPoP"), Some("bearer")][usize::from(choice / 8 % 4)];
    ends(presented, status, &challenges);
    if let Ok(failure) = SaslFailure::read(text, &Policy::strict()) {
        let shown = failure.to_string();
        assert!(!shown.chars().any(char::is_control) && shown.len() < 70_000, "{shown:?}");
        is_sound(&failure.challenges());
        ends(Some("Bearer"), StatusCode::UNAUTHORIZED, &failure.challenges());
    }
    if choice / 32 == 7 && !text.is_empty() {
        is_linear(text);
    }
}

fn headers(lines: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = match line.strip_prefix(b"nonce:") {
            Some(nonce) => (HeaderName::from_static("dpop-nonce"), nonce),
            None => (WWW_AUTHENTICATE, *line),
        };
        // What no header can hold does not come this far.
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    headers
}

fn is_sound(challenges: &Challenges) {
    assert!(challenges.iter().count() <= 64);
    for challenge in challenges.iter() {
        let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_tchar);
        assert!(is_token(challenge.scheme()));
        let mut names: Vec<_> = challenge.params().map(|(name, _)| name.to_ascii_lowercase()).collect();
        assert!(names.len() <= 64 && (names.is_empty() || challenge.token68().is_none()));
        assert!(names.iter().all(|name| is_token(name)));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), challenge.params().count(), "a parameter comes twice");
        assert!(
            challenge.params().all(|(_, value)| !value.contains(|c: char| c.is_ascii_control() && c != '\t'))
        );
        let _typed = (challenge.realm(), challenge.scope(), challenge.max_age(), challenge.algs().count());
    }
    if let Some(why) = challenges.invalid() {
        assert!(!why.to_string().chars().any(char::is_control));
    }
}

fn survives_being_written(challenges: &Challenges) {
    let list: Vec<&Challenge> = challenges.iter().collect();
    let values: Vec<HeaderValue> = list.iter().map(|challenge| challenge.header_value()).collect();
    // Quotes make it longer than it was: beyond what is read, perhaps.
    if values.iter().map(HeaderValue::len).sum::<usize>() > 60_000 {
        return;
    }
    let one_line = values.iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b", "[..]);
    let one_line = HeaderValue::from_bytes(&one_line).expect("what was in a header goes into one");
    let apart = values.into_iter().map(|value| (WWW_AUTHENTICATE, value)).collect();
    for headers in [apart, HeaderMap::from_iter([(WWW_AUTHENTICATE, one_line)])] {
        let again = Challenges::read(&headers);
        assert_eq!(again.invalid(), None, "{headers:?}");
        assert_eq!(again.iter().collect::<Vec<_>>(), list, "{headers:?}");
    }
}

/// RFC 9110 section 5.3: a proxy may make one line of several.
fn lines_and_one_line_are_the_same(headers: &HeaderMap, challenges: &Challenges) {
    let lines: Vec<_> = headers.get_all(WWW_AUTHENTICATE).iter().map(HeaderValue::as_bytes).collect();
    let one_line = lines.join(&b","[..]);
    if challenges.invalid().is_none() && one_line.len() < 60_000 {
        let one_line = HeaderValue::from_bytes(&one_line).expect("made of header values");
        let joined = Challenges::read(&HeaderMap::from_iter([(WWW_AUTHENTICATE, one_line)]));
        assert_eq!(joined.invalid(), None);
        assert!(joined.iter().eq(challenges.iter()));
    }
}

/// The resource gives the same answer for ever.
fn ends(presented: Option<&str>, status: StatusCode, challenges: &Challenges) {
    let policy = Policy::strict();
    let granted = Scope::new("a b").expect("a scope");
    let mut attempts = Attempts::new();
    if let Some(token_type) = presented {
        attempts.present(TokenType::other(token_type), &AccessToken::new(SENT), Some(granted.clone()));
    }
    for _ in 0..MOST_ACTIONS {
        let Some(action) = attempts.next_action(status, challenges, &policy) else {
            assert!(status != StatusCode::UNAUTHORIZED, "a 401 is about the token");
            return;
        };
        assert!(!status.is_server_error(), "{action:?}");
        match action {
            NextAction::GiveUp(why) => {
                let shown = format!("{why} {why:?}");
                assert!(
                    !shown.chars().any(char::is_control) && (presented.is_none() || !shown.contains(SENT)),
                    "{shown:?}"
                );
                assert!(!matches!(why, GiveUp::NoNonce) || challenges.dpop_nonce().is_none());
                return;
            }
            NextAction::Refresh => assert!(presented.is_some()),
            NextAction::Nonce(nonce) => {
                assert_eq!(presented, Some("DPoP"));
                assert!(
                    !nonce.is_empty() && nonce.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
                );
            }
            NextAction::MoreScope(scope) => assert!(scope.covers(&granted) && !granted.covers(&scope)),
            NextAction::ResourceMetadata { url, .. } => {
                assert_eq!(url.url().scheme(), "https");
                assert!(url.url().username().is_empty() && url.url().fragment().is_none());
            }
            NextAction::Claims(json) => {
                let read: serde_json::Value = serde_json::from_str(&json).expect("claims are JSON");
                assert!(read.is_object());
            }
            NextAction::StepUp { acr_values, .. } => {
                assert!(
                    acr_values.is_none_or(|values| values.bytes().all(|byte| matches!(byte, 0x20..=0x7E)))
                );
            }
            _ => {}
        }
    }
    panic!("there is no end of actions");
}

/// The same over and over, as long as a header may be and longer.
fn is_linear(text: &[u8]) {
    let long: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\n').cycle().take(60_000).collect();
    let headers = headers(&[&long, &long]);
    let begun = Instant::now();
    let challenges = Challenges::read(&headers);
    assert!(begun.elapsed() < Duration::from_secs(1), "slow");
    is_sound(&challenges);
}
