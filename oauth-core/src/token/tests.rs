use super::*;
use crate::grants::Refresh;
use crate::time::Mono;
use alloc::format;
use alloc::string::ToString as _;

const NOW: Now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };

fn answer(status: u16, body: &str) -> Answer {
    let response = http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap();
    let grant = Refresh::new(RefreshToken::new("sent-secret"));
    read(&response.into(), NOW, &grant, None, || {
        let mut form = form::Form::with_capacity(64);
        grant.form(&mut form);
        Scrub::new(form, Vec::new())
    })
}

fn tokens(body: &str) -> Tokens {
    match answer(200, body) {
        Answer::Tokens(tokens) => tokens,
        Answer::Refused(failure) | Answer::Failed(failure) => panic!("{failure}"),
        Answer::NotYet(code, _) => panic!("{code}"),
    }
}

fn failure(status: u16, body: &str) -> Failure {
    match answer(status, body) {
        Answer::Tokens(_) | Answer::NotYet(..) => panic!("accepted: {body}"),
        Answer::Refused(failure) | Answer::Failed(failure) => failure,
    }
}

#[test]
fn rfc6749_5_1_a_success_is_read() {
    let read = tokens(
        r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"bearer","expires_in":3600,
            "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","scope":"a b","example_parameter":"example_value"}"#,
    );
    assert_eq!(read.access_token.expose(), "2YotnFZFEjr1zCsicMWpAA");
    assert_eq!(read.token_type, TokenType::BEARER);
    assert_eq!(read.expires_at, Some(Unix(1_700_003_600)));
    assert_eq!(read.refresh_token.unwrap().expose(), "tGzv3JOkF0XG5Qx2TlKWIA");
    assert_eq!(read.scope.unwrap().as_str(), "a b");
}

#[test]
fn expires_in_is_only_advice() {
    for (text, expected) in [
        ("3600", Some(3600)),
        ("\"3600\"", Some(3600)),
        ("3599.9", Some(3599)),
        ("null", None),
        ("\"soon\"", None),
        ("-5", None),
        ("[1]", None),
        ("99999999999999999999999", Some(366 * 86_400)),
        ("0", Some(0)),
    ] {
        let read = tokens(&format!(r#"{{"access_token":"a","token_type":"Bearer","expires_in":{text}}}"#));
        assert_eq!(read.expires_at, expected.map(|life| Unix(NOW.unix.0 + life)), "{text}");
    }
}

#[test]
fn scope_comes_as_text_or_as_a_list() {
    for (text, expected) in
        [("\"a b\"", Some("a b")), ("[\"a\",\"b\"]", Some("a b")), ("[]", None), ("null", None), ("7", None)]
    {
        let read = tokens(&format!(r#"{{"access_token":"a","token_type":"Bearer","scope":{text}}}"#));
        assert_eq!(read.scope.as_ref().map(Scope::as_str), expected, "{text}");
    }
}

#[test]
fn rfc6749_appendix_a_an_access_token_is_visible_ascii() {
    for text in [r#""a\r\nX: y""#, r#""a\u0000""#, r#""""#, r#""ä""#, "7", "[]"] {
        let failure =
            failure(200, &format!(r#"{{"access_token":{text},"token_type":"Bearer","refresh_token":"r2"}}"#));
        assert!(matches!(*failure.error, Error::Malformed(Malformed::Invalid("access_token"))), "{text}");
        assert_eq!(failure.rescued.unwrap().expose(), "r2");
    }
    let missing = failure(200, r#"{"token_type":"Bearer"}"#);
    assert!(matches!(*missing.error, Error::Malformed(Malformed::Missing("access_token"))));
}

#[test]
fn rfc6749_7_1_an_unknown_token_type_is_not_used_and_costs_no_refresh_token() {
    let failure = failure(200, r#"{"access_token":"a","token_type":"mac","refresh_token":"r2"}"#);
    assert!(
        matches!(&*failure.error, Error::Rejected(Rejected::TokenType(token_type)) if token_type == "mac")
    );
    assert_eq!(failure.rescued.unwrap().expose(), "r2");
}

#[test]
fn a_refresh_token_survives_a_duplicate_member_and_bytes_after_the_value() {
    for body in [
        r#"{"access_token":"a","refresh_token":"r2","token_type":"Bearer","scope":"a","scope":"b"}"#,
        r#"{"access_token":"a","refresh_token":"r2","token_type":"Bearer"} trailing"#,
        r#"{"access_token":"a","refresh_token":"r2","token_type":"Bear"#,
    ] {
        let failure = failure(200, body);
        assert!(matches!(*failure.error, Error::Malformed(_)), "{body}");
        assert_eq!(failure.rescued.expect(body).expose(), "r2");
    }
}

#[test]
fn an_error_counts_at_any_status_but_5xx() {
    for status in [200, 400, 401, 403, 404, 418] {
        let failure =
            failure(status, r#"{"error":"invalid_grant","access_token":"a","token_type":"Bearer"}"#);
        assert!(
            matches!(&*failure.error, Error::Server(refusal) if refusal.code == ErrorCode::INVALID_GRANT)
        );
    }
    for status in [429, 500, 502, 503] {
        let failure = failure(status, r#"{"error":"invalid_grant"}"#);
        assert!(matches!(*failure.error, Error::Unavailable(_)), "{status}");
    }
}

#[test]
fn what_was_sent_never_comes_back_in_a_message() {
    let refused =
        failure(400, r#"{"error":"invalid_grant","error_description":"token sent-secret\u001b[2J is\nold"}"#);
    assert_eq!(refused.to_string(), "the server refused: invalid_grant (token [redacted][2J is old)");
    let page = failure(404, "<html>no sent-secret here\u{1b}</html>");
    assert_eq!(page.excerpt.as_deref(), Some("no [redacted] here"));
    assert!(!format!("{refused:?}{page:?}").contains("sent-secret"));
}

#[test]
fn neither_html_nor_a_redirect_is_an_answer() {
    assert!(matches!(*failure(200, "<html>").error, Error::Malformed(Malformed::NotJson)));
    assert!(matches!(*failure(302, "").error, Error::Malformed(Malformed::Redirect)));
    assert!(matches!(*failure(404, "").error, Error::Malformed(Malformed::Status)));
    assert!(matches!(
        *failure(200, r#"{"error":{"about":7}}"#).error,
        Error::Malformed(Malformed::Invalid("error"))
    ));
}

#[test]
fn a_secret_within_a_secret_and_one_with_two_spaces_are_taken_out() {
    let mut secrets = Scrub::nothing();
    for secret in ["secret", "my-secret-is-long", "two  spaces"] {
        secrets.add(Some(secret));
    }
    let text = "my-secret-is-long, secret, two  spaces";
    assert_eq!(secrets.shown(text, 400), "[redacted], [redacted], [redacted]");
}
