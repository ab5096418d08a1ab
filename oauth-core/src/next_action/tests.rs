use super::*;
use crate::request::Endpoint;
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec;
use http::header::{HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};

const TOKEN: &str = "s3cr3t-token";
const URL: &str = "https://resource.example/.well-known/oauth-protected-resource";

fn challenges(lines: &[&str]) -> Challenges {
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = match line.strip_prefix("nonce:") {
            Some(nonce) => (HeaderName::from_static("dpop-nonce"), nonce),
            None => (WWW_AUTHENTICATE, *line),
        };
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    Challenges::read(&headers)
}

fn presented(token_type: &str, granted: Option<&str>) -> Attempts {
    let mut attempts = Attempts::new();
    let granted = granted.map(|granted| Scope::new(granted).unwrap());
    attempts.present(TokenType::from_text(token_type), &AccessToken::new(TOKEN), granted);
    attempts
}

fn ask(attempts: &mut Attempts, status: u16, lines: &[&str]) -> Option<NextAction> {
    attempts.next_action(StatusCode::from_u16(status).unwrap(), &challenges(lines), &Policy::strict())
}

/// What is advised about the same answer, again and again, until nothing is left.
fn all(attempts: &mut Attempts, status: u16, lines: &[&str]) -> Vec<NextAction> {
    let mut all = Vec::new();
    loop {
        let action = ask(attempts, status, lines).unwrap_or_else(|| panic!("{lines:?}"));
        let over = matches!(action, NextAction::GiveUp(_));
        all.push(action);
        if over {
            return all;
        }
    }
}

fn scope(text: &str) -> Scope {
    Scope::new(text).unwrap()
}

fn metadata(scope: Option<Scope>) -> NextAction {
    NextAction::ResourceMetadata { url: Endpoint::new(URL, &Policy::strict()).unwrap(), scope }
}

const EXHAUSTED: NextAction = NextAction::GiveUp(GiveUp::Exhausted);
const SIGN_IN: NextAction = NextAction::SignIn { scope: None };

#[test]
fn rfc6750_3_1_an_invalid_token_is_refreshed_then_a_person_signs_in_then_it_is_over() {
    for lines in [
        &[r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#][..],
        &["Basic realm=x, bearer error=invalid_token"],
        &["Basic realm=x", "Bearer realm=y, error=invalid_token"],
        // Not what the RFC says, and what resources do: no error, no challenge, one that cannot be read.
        &["Bearer"],
        &["Bearer realm=a"],
        &[],
        &[r#"OAuth "Facebook Platform" "invalid_token" "Malformed access token""#],
        &["Basic realm=x", "Bearer error=\"invalid_token"],
    ] {
        let mut attempts = presented("Bearer", None);
        assert_eq!(all(&mut attempts, 401, lines), [NextAction::Refresh, SIGN_IN, EXHAUSTED], "{lines:?}");
    }
    assert_eq!(
        ask(&mut presented("bearer", None), 403, &["BEARER error=invalid_token"]),
        Some(NextAction::Refresh)
    );
}

#[test]
fn an_answer_that_is_not_about_the_token_yields_nothing() {
    let error = "Bearer error=invalid_token";
    for (status, lines) in [
        (200, &[error][..]),
        (302, &[error]),
        (404, &[error]),
        (407, &[error]),
        // Threat R4: a server in trouble is no verdict about a credential.
        (500, &[error]),
        (503, &[error]),
        (429, &[error]),
        (400, &[]),
        (403, &[]),
        (403, &["Bearer realm=a"]),
        (403, &["Basic realm=a"]),
        (403, &["Bearer error=\""]),
    ] {
        assert_eq!(ask(&mut presented("Bearer", None), status, lines), None, "{status} {lines:?}");
    }
    assert_eq!(ask(&mut Attempts::new(), 403, &[]), None);
}

#[test]
fn rfc6750_3_without_a_token_a_person_signs_in_for_the_scope_that_is_named() {
    for (lines, needed) in [
        (&["Bearer"][..], None),
        (&["Bearer realm=a, scope=\"read write\""], Some("read write")),
        (&["DPoP algs=ES256, scope=read"], Some("read")),
        // Whatever is wrong with no token.
        (&["Bearer error=invalid_request, scope=read"], Some("read")),
        (&["Bearer error=invalid_token, scope=read"], Some("read")),
        (&["DPoP error=use_dpop_nonce, scope=read", "nonce:n"], Some("read")),
        (&[], None),
    ] {
        let expected = [NextAction::SignIn { scope: needed.map(scope) }, EXHAUSTED];
        assert_eq!(all(&mut Attempts::new(), 401, lines), expected, "{lines:?}");
    }
    let action = ask(&mut Attempts::new(), 403, &["Bearer error=insufficient_scope, scope=read"]);
    assert_eq!(action, Some(NextAction::SignIn { scope: Some(scope("read")) }));
}

#[test]
fn rfc6750_3_1_more_scope_is_asked_for_together_with_what_there_is() {
    let line = r#"Bearer error="insufficient_scope", scope="write read""#;
    for (granted, expected) in [(Some("read admin"), "read admin write"), (None, "write read")] {
        let mut attempts = presented("Bearer", granted);
        assert_eq!(ask(&mut attempts, 403, &[line]), Some(NextAction::MoreScope(scope(expected))));
    }
    // Some resources say 401.
    assert!(matches!(ask(&mut presented("Bearer", None), 401, &[line]), Some(NextAction::MoreScope(_))));
    let mut attempts = presented("Bearer", Some("read write"));
    let gave_up = NextAction::GiveUp(GiveUp::ScopeGranted(scope("write read")));
    assert_eq!(ask(&mut attempts, 403, &[line]), Some(gave_up));
    for line in ["Bearer error=insufficient_scope", "Bearer error=insufficient_scope, scope=\"\\\"\""] {
        let gave_up = NextAction::GiveUp(GiveUp::NoScope);
        assert_eq!(ask(&mut presented("Bearer", None), 403, &[line]), Some(gave_up), "{line}");
    }
}

#[test]
fn a_resource_that_names_one_scope_after_the_other_is_followed_twice() {
    let mut attempts = presented("Bearer", Some("a"));
    for (needed, expected) in [("b", "a b"), ("c", "a b c")] {
        let line = format!("Bearer error=insufficient_scope, scope={needed}");
        let Some(NextAction::MoreScope(more)) = ask(&mut attempts, 403, &[&line]) else { panic!("{needed}") };
        assert_eq!(more, scope(expected));
        attempts.present(TokenType::BEARER, &AccessToken::new("next"), Some(more));
    }
    assert_eq!(ask(&mut attempts, 403, &["Bearer error=insufficient_scope, scope=d"]), Some(EXHAUSTED));
}

/// Threat J13: one retry and one more, never a bearer token in the place of a bound one.
#[test]
fn j13_rfc9449_9_a_nonce_is_answered_twice_at_most_and_never_with_another_scheme() {
    let line = r#"dpop error="use_dpop_nonce", error_description="Resource server requires nonce""#;
    let mut attempts = presented("DPoP", None);
    for nonce in ["n1", "n2"] {
        let action =
            ask(&mut attempts, 401, &[line, &format!("nonce:{nonce}"), "Bearer error=invalid_token"]);
        assert_eq!(action, Some(NextAction::Nonce(nonce.into())));
    }
    assert_eq!(ask(&mut attempts, 401, &[line, "nonce:n3"]), Some(EXHAUSTED));
    for lines in [&[line][..], &[line, "nonce:a", "nonce:b"], &[line, "nonce:a b"]] {
        let gave_up = NextAction::GiveUp(GiveUp::NoNonce);
        assert_eq!(ask(&mut presented("DPoP", None), 401, lines), Some(gave_up), "{lines:?}");
    }
    let gave_up = NextAction::GiveUp(GiveUp::Schemes("Bearer".into()));
    assert_eq!(ask(&mut presented("DPoP", None), 401, &["Bearer error=invalid_token"]), Some(gave_up));
    let gave_up = NextAction::GiveUp(GiveUp::Schemes("DPoP, Basic".into()));
    assert_eq!(ask(&mut presented("Bearer", None), 401, &["DPoP error=invalid_token, Basic"]), Some(gave_up));
    // A bearer token has no proof that could carry a nonce.
    let action = ask(&mut presented("Bearer", None), 401, &["Bearer error=use_dpop_nonce", "nonce:n"]);
    assert!(matches!(action, Some(NextAction::GiveUp(GiveUp::Refused(_)))), "{action:?}");
    // RFC 9449 section 7.2: the challenge of the bound token is the one that counts.
    let both = "Bearer error=invalid_token, DPoP algs=ES256, error=use_dpop_nonce";
    assert_eq!(
        ask(&mut presented("DPoP", None), 401, &[both, "nonce:n"]),
        Some(NextAction::Nonce("n".into()))
    );
}

#[test]
fn rfc9470_3_a_stronger_or_fresher_login_is_asked_for_once() {
    let line = r#"Bearer error="insufficient_user_authentication",
        error_description="A different authentication level is required", acr_values="myACR", max_age="5", scope=s"#;
    let line = line.replace('\n', "");
    let expected = NextAction::StepUp {
        acr_values: Some("myACR".into()),
        max_age: Some(Duration::from_secs(5)),
        scope: Some(scope("s")),
    };
    assert_eq!(all(&mut presented("Bearer", None), 401, &[&line]), [expected, EXHAUSTED]);
    let plain = NextAction::StepUp { acr_values: None, max_age: None, scope: None };
    let line = "Bearer error=insufficient_user_authentication, max_age=soon";
    assert_eq!(ask(&mut presented("Bearer", None), 401, &[line]), Some(plain));
}

#[test]
fn a_claims_challenge_is_decoded_and_must_be_an_object() {
    let json = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
    let base64 = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjA0MTA2NjUxIn19fQ==";
    let line = format!(r#"Bearer realm="", error="insufficient_claims", claims="{base64}""#);
    assert_eq!(
        all(&mut presented("Bearer", None), 401, &[&line]),
        [NextAction::Claims(json.into()), EXHAUSTED]
    );
    for claims in ["", "claims=e30x", "claims=\"W10=\"", "claims=\"{\"", "claims=eyJhIjoxLCJhIjoyfQ"] {
        let line = format!("Bearer error=insufficient_claims, {claims}");
        let gave_up = NextAction::GiveUp(GiveUp::Claims);
        assert_eq!(ask(&mut presented("Bearer", None), 401, &[&line]), Some(gave_up), "{claims}");
    }
}

#[test]
fn rfc9728_5_1_the_metadata_of_the_resource_comes_before_a_person() {
    let line = format!("Bearer resource_metadata=\"{URL}\", scope=read");
    let read = Some(scope("read"));
    let sign_in = NextAction::SignIn { scope: read.clone() };
    let expected = vec![metadata(read.clone()), sign_in.clone(), EXHAUSTED];
    assert_eq!(all(&mut Attempts::new(), 401, &[&line]), expected);
    // A token is refreshed first; the authorization server may have changed.
    let line = format!("{line}, error=invalid_token");
    let expected = vec![NextAction::Refresh, metadata(read), sign_in, EXHAUSTED];
    assert_eq!(all(&mut presented("Bearer", None), 401, &[&line]), expected);
    // The scope that is not in the challenge may be in the metadata.
    let line = format!("Bearer resource_metadata=\"{URL}\", error=insufficient_scope");
    assert_eq!(all(&mut presented("Bearer", None), 403, &[&line]), [metadata(None), EXHAUSTED]);
}

/// Threat T13: a URL that the resource chose is not asked blindly.
#[test]
fn t13_metadata_at_a_forbidden_url_ends_the_attempts() {
    let line = "Bearer resource_metadata=\"http://resource.example/\"";
    let gave_up = NextAction::GiveUp(GiveUp::ResourceMetadata(EndpointError::NotHttps));
    assert_eq!(ask(&mut Attempts::new(), 401, &[line]), Some(gave_up.clone()));
    assert_eq!(all(&mut presented("Bearer", None), 401, &[line]), [NextAction::Refresh, gave_up]);
}

#[test]
fn of_several_challenges_the_first_that_can_be_met_is_taken() {
    let line = "Bearer realm=a, error=insufficient_scope, Bearer realm=b, error=insufficient_scope, scope=s";
    assert_eq!(ask(&mut presented("Bearer", None), 403, &[line]), Some(NextAction::MoreScope(scope("s"))));
    // One that names an error is about the token that was sent; the others are other ways in.
    let line = "Bearer realm=a, Bearer error=insufficient_scope, scope=s";
    assert_eq!(ask(&mut presented("Bearer", None), 401, &[line]), Some(NextAction::MoreScope(scope("s"))));
}

#[test]
fn a_refusal_is_given_back_without_the_token_and_without_control_characters() {
    let line = format!(
        "Bearer error=invalid_request, error_description=\"bad\u{9b}  token {TOKEN}\", error_uri=\"u\""
    );
    let headers =
        HeaderMap::from_iter([(WWW_AUTHENTICATE, HeaderValue::from_bytes(line.as_bytes()).unwrap())]);
    let read = Challenges::read(&headers);
    let mut attempts = presented("Bearer", None);
    let action = attempts.next_action(StatusCode::BAD_REQUEST, &read, &Policy::strict());
    let Some(NextAction::GiveUp(why)) = &action else { panic!("{action:?}") };
    assert_eq!(
        why.to_string(),
        "the resource does not take the token: the server refused: invalid_request (bad token [redacted]), see u; \
         check this client's setup"
    );
    assert!(!format!("{action:?} {attempts:?} {read:?}").contains(TOKEN));
    let echo = ask(&mut attempts, 401, &[&format!("Basic, X{TOKEN}")]);
    assert_eq!(echo, Some(NextAction::GiveUp(GiveUp::Schemes("Basic, X[redacted]".into()))));
}

#[test]
fn every_reason_to_give_up_says_what_and_what_to_do() {
    for (why, text) in [
        (GiveUp::Schemes("Basic".into()), "it takes Basic only; check this client's setup"),
        (GiveUp::ScopeGranted(scope("a")), "it needs the scope a, which the token has; report it"),
        (GiveUp::NoScope, "it needs more scope and does not say which; report it"),
        (GiveUp::NoNonce, "it needs a DPoP nonce and sends none; report it"),
        (GiveUp::Claims, "it needs more claims, and they cannot be read; report it"),
        (GiveUp::Exhausted, "what it asks for was done before, and did not help; report it"),
        (GiveUp::ResourceMetadata(EndpointError::Fragment), "may not be used: it has a fragment; report it"),
    ] {
        assert!(why.to_string().contains(text), "{why}");
        let source = core::error::Error::source(&why);
        assert_eq!(source.is_some(), matches!(why, GiveUp::ResourceMetadata(_)));
    }
}
