use super::*;
use crate::next_action::{Attempts, NextAction};
use alloc::format;
use http::StatusCode;

const TOKEN: &str = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";

fn token() -> AccessToken {
    AccessToken::new(TOKEN)
}

#[test]
fn rfc7628_4_1_the_response_of_the_example() {
    let response =
        SaslResponse::oauthbearer(Some("user@example.com"), Some(("server.example.com", 143)), &token())
            .unwrap();
    assert_eq!(
        response.expose(),
        format!(
            "n,a=user@example.com,\u{1}host=server.example.com\u{1}port=143\u{1}auth=Bearer {TOKEN}\u{1}\u{1}"
        )
    );
    assert_eq!(
        response.expose_base64(),
        "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52\
         YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    );
    assert_eq!(response.mechanism().as_str(), "OAUTHBEARER");
}

#[test]
fn rfc5801_4_the_user_is_escaped_and_may_be_left_out() {
    let text = |user| {
        let response = SaslResponse::oauthbearer(user, None, &token()).unwrap();
        response.expose().replace(&format!("\u{1}auth=Bearer {TOKEN}\u{1}\u{1}"), "|")
    };
    assert_eq!(text(None), "n,,|");
    assert_eq!(text(Some("a,b=c=2C")), "n,a=a=2Cb=3Dc=3D2C,|");
    assert_eq!(text(Some("Jörg")), "n,a=Jörg,|");
}

#[test]
fn the_response_of_googles_documentation() {
    let token = AccessToken::new("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
    let response = SaslResponse::xoauth2("someuser@example.com", &token).unwrap();
    assert_eq!(
        response.expose_base64(),
        "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0\
         Q2cBAQ=="
    );
    assert_eq!(STANDARD.decode(response.expose_base64()).unwrap(), response.expose().as_bytes());
    assert_eq!(response.mechanism(), SaslMechanism::Xoauth2);
}

/// Threat T6: no user, host or token ends its own part, nor the line.
#[test]
fn t6_a_part_that_would_leave_its_place_is_refused() {
    for wrong in ["", "a\r\nb", "a\nb", "a\u{1}auth=Bearer x", "a\0", "\t", "a\u{7f}", "a\u{85}"] {
        assert_eq!(SaslResponse::xoauth2(wrong, &token()).err(), Some(SaslError::User), "{wrong:?}");
        let response = SaslResponse::oauthbearer(Some(wrong), None, &token());
        assert_eq!(response.err(), Some(SaslError::User), "{wrong:?}");
        let response = SaslResponse::oauthbearer(None, Some((wrong, 1)), &token());
        assert_eq!(response.err(), Some(SaslError::Host), "{wrong:?}");
    }
    for host in ["a b", "ä.example"] {
        assert_eq!(SaslResponse::oauthbearer(None, Some((host, 1)), &token()).err(), Some(SaslError::Host));
    }
    for wrong in ["", "a b", "a\u{1}", "a\r\n", "ä"] {
        let refused = Some(SaslError::Token(InvalidBearerToken));
        assert_eq!(SaslResponse::xoauth2("u", &AccessToken::new(wrong)).err(), refused, "{wrong:?}");
        assert_eq!(SaslResponse::oauthbearer(None, None, &AccessToken::new(wrong)).err(), refused);
    }
}

#[test]
fn rfc7628_3_2_3_the_dummy_responses() {
    for mechanism in [SaslMechanism::Oauthbearer, SaslMechanism::Xoauth2] {
        let decoded = STANDARD.decode(mechanism.dummy_response_base64()).unwrap();
        assert_eq!(decoded, mechanism.dummy_response().as_bytes());
    }
    assert_eq!(SaslMechanism::Oauthbearer.dummy_response(), "\u{1}");
    assert_eq!(SaslMechanism::Xoauth2.dummy_response(), "");
}

fn read(answer: &str) -> Result<SaslFailure, Malformed> {
    SaslFailure::read(answer.as_bytes(), &Policy::strict())
}

#[test]
fn rfc7628_4_3_the_error_of_the_example_plain_and_as_base64() {
    let base64 = "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJod\
                  HRwczovL2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0=";
    let url = "https://example.com/.well-known/openid-configuration";
    let plain =
        format!(r#" {{"status":"invalid_token","scope":"example_scope","openid-configuration":"{url}"}} "#);
    for answer in [base64, &plain, &format!("{base64}\r\n"), base64.trim_end_matches('=')] {
        let failure = read(answer).unwrap();
        assert_eq!(failure.status, ErrorCode::INVALID_TOKEN);
        assert_eq!(failure.scope, Some(Scope::new("example_scope").unwrap()));
        assert_eq!(failure.openid_configuration.unwrap().unwrap().url().as_str(), url);
    }
}

#[test]
fn what_servers_send_is_read() {
    let google = read(
        "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIG1hYyIsInNjb3BlIjoiaHR0cHM6Ly9tYWlsLmdvb2dsZS5jb20vIn0K",
    )
    .unwrap();
    assert_eq!((google.status.as_str(), google.scope.unwrap().as_str()), ("401", "https://mail.google.com/"));
    assert_eq!(read(r#"{"status":400}"#).unwrap().status.as_str(), "400");
    let odd = read(r#"{"status":"a\u0007b","scope":["x"],"openid-configuration":""}"#).unwrap();
    assert_eq!((odd.status.as_str(), odd.scope, odd.openid_configuration), ("ab", None, None));
    // Threat T13: what the server advertises is not asked blindly, and does not hide the error.
    let plain = read(r#"{"status":"invalid_token","openid-configuration":"http://a.example"}"#).unwrap();
    assert_eq!(plain.openid_configuration, Some(Err(EndpointError::NotHttps)));
}

#[test]
fn what_is_no_error_answer_is_refused() {
    for (answer, why) in [
        ("", Malformed::NotJson),
        ("AUTHENTICATE failed.", Malformed::NotJson),
        ("W10=", Malformed::NotAnObject),
        ("{\"status\":\"a\"", Malformed::NotJson),
        ("{}", Malformed::Missing("status")),
        (r#"{"status":null}"#, Malformed::Missing("status")),
        (r#"{"status":""}"#, Malformed::Invalid("status")),
        (r#"{"status":["a"]}"#, Malformed::Invalid("status")),
        (r#"{"status":"a","status":"b"}"#, Malformed::Duplicate("status".into())),
    ] {
        assert_eq!(read(answer), Err(why), "{answer}");
    }
    assert_eq!(read(&format!(r#"{{"status":"{}"}}"#, "a".repeat(70_000))), Err(Malformed::TooLarge));
}

#[test]
fn an_error_answer_yields_the_next_action() {
    let first = |answer: &str| {
        let mut attempts = Attempts::new();
        attempts.present(TokenType::BEARER, &token(), Some(Scope::new("old").unwrap()));
        let challenges = read(answer).unwrap().challenges();
        attempts.next_action(StatusCode::UNAUTHORIZED, &challenges, &Policy::strict()).unwrap()
    };
    for status in ["invalid_token", "400", "401"] {
        assert_eq!(first(&format!(r#"{{"status":"{status}"}}"#)), NextAction::Refresh);
    }
    for status in ["insufficient_scope", "403"] {
        let more = NextAction::MoreScope(Scope::new("old mail").unwrap());
        assert_eq!(first(&format!(r#"{{"status":"{status}","scope":"mail"}}"#)), more);
    }
    assert!(matches!(first(r#"{"status":"invalid_request"}"#), NextAction::GiveUp(_)));
}

#[test]
fn no_secret_is_shown() {
    let response = SaslResponse::xoauth2("u", &token()).unwrap();
    assert_eq!(format!("{response:?}"), "SaslResponse(XOAUTH2 [redacted])");
    let failure = read(r#"{"status":"invalid_token","scope":"mail"}"#).unwrap();
    assert_eq!(
        format!("{failure}"),
        "the mail server refused the access token: invalid_token; it needs the scope mail"
    );
}
