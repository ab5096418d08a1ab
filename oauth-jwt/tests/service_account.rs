//! Key files: what is taken from them, and what no file may do.
#![allow(missing_docs, reason = "a test")]

mod support;

use oauth_core::{Algorithm, KeyId};
use oauth_jwt::{KeyError, ServiceAccount, ServiceAccountError};
use serde_json::{Value, json};
use support::file;

fn right() -> Value {
    json!({
        "type": "service_account",
        "project_id": "project",
        "private_key_id": "0123abcd",
        "private_key": file("rsa-2048.pkcs8.pem"),
        "client_email": "account@project.iam.gserviceaccount.example",
        "client_id": "1",
        "token_uri": "https://oauth2.example/token",
    })
}

fn with(name: &str, value: Value) -> Result<ServiceAccount, ServiceAccountError> {
    let mut file = right();
    file[name] = value;
    ServiceAccount::from_json(file.to_string())
}

#[test]
fn the_file_says_who_signs_by_which_key_and_for_whom() {
    let account = ServiceAccount::from_json(right().to_string()).unwrap();
    assert_eq!(account.client_email(), "account@project.iam.gserviceaccount.example");
    assert_eq!(account.private_key_id(), Some("0123abcd"));
    assert_eq!(account.token_uri(), "https://oauth2.example/token");
    assert_eq!(account.project_id(), Some("project"));
    let grant = format!("{:?}", account.grant(KeyId::new("k")));
    for said in ["account@project", "0123abcd", "https://oauth2.example/token", "RS256"] {
        assert!(grant.contains(said), "{grant}");
    }
    assert_eq!(account.into_key().algorithm(), Algorithm::RS256);
    let elliptic = with("private_key", file("p256.sec1.pem").into()).unwrap();
    assert_eq!(elliptic.into_key().algorithm(), Algorithm::ES256);
    // Older files do not say where.
    assert_eq!(with("token_uri", Value::Null).unwrap().token_uri(), "https://oauth2.googleapis.com/token");
}

#[test]
fn j15_a_file_of_another_kind_is_refused_by_its_kind_and_nothing_in_it_is_run() {
    let marker = tempfile::tempdir().unwrap().path().join("ran");
    let command = json!({"executable": {"command": format!("touch {}", marker.display())}});
    for kind in [
        "external_account",
        "external_account_authorized_user",
        "authorized_user",
        "impersonated_service_account",
        "gdch_service_account",
        "other\u{1b}[31m",
    ] {
        let mut file = right();
        file["type"] = kind.into();
        file["credential_source"] = command.clone();
        let error = ServiceAccount::from_json(file.to_string()).unwrap_err();
        assert!(matches!(&error, ServiceAccountError::Kind(found) if found == kind), "{error}");
        let text = error.to_string();
        assert!(text.contains("and not service_account") && !text.contains('\u{1b}'), "{text}");
    }
    assert!(!marker.exists());
}

#[test]
fn j15_what_the_key_signs_goes_over_https_alone() {
    for uri in [
        "http://oauth2.example/token",
        "ftp://a",
        "oauth2.example",
        "javascript:alert(1)",
        "https://u@oauth2.example/token",
    ] {
        let error = with("token_uri", uri.into()).unwrap_err();
        assert!(matches!(error, ServiceAccountError::TokenUri(_)), "{uri}: {error}");
    }
}

#[test]
fn what_is_missing_or_no_text_is_named_and_no_key_is_shown() {
    for name in ["type", "client_email", "private_key"] {
        for value in [Value::Null, json!(1), json!("")] {
            let error = with(name, value).unwrap_err();
            let named = matches!(error, ServiceAccountError::Member(found) if found == name)
                || matches!(error, ServiceAccountError::Key(KeyError::NotPem));
            assert!(named, "{name}: {error}");
        }
    }
    assert!(matches!(ServiceAccount::from_json("{"), Err(ServiceAccountError::Json(_))));
    let key = file("rsa-2048.pkcs8.pem");
    let body = key.lines().nth(3).unwrap();
    let cut = with("private_key", key[..key.len() / 2].into()).unwrap_err();
    let shown = format!("{cut} {cut:?} {:?}", ServiceAccount::from_json(right().to_string()).unwrap());
    assert!(!shown.contains(body), "{shown}");
}
