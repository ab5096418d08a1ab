//! The settings of the protocol: what each does, as the server or the browser sees it.

use super::profiles::KEYS;
use super::witness::{
    CODES, TOKENS, Witness, client_credentials, come_back, query, read, set, site, with_person,
};
use base64::Engine as _;
use oauth::Error;
use oauth::OAuth;
use oauth::component::{ClientProfile, ComponentError, ConfigSetting};
use oauth::core::ConfigError;
use oauth::loopback::ReceiveError;
use std::time::{Duration, Instant};

#[test]
fn row_access_token_exp() {
    for (told, seconds) in [(r#","expires_in":90"#, ["90", "89"]), ("", ["0", "0"])] {
        let witness =
            Witness::start(move |_| (200, format!(r#"{{"access_token":"a","token_type":"Bearer"{told}}}"#)));
        let oauth = client_credentials(&witness);
        assert_eq!(read(&oauth, "AccessTokenExp"), "0");
        oauth.get_authorization().unwrap();
        // A second may have begun meanwhile.
        assert!(seconds.contains(&&*read(&oauth, "AccessTokenExp")), "{told}");
    }
    assert!(matches!(OAuth::new().config("AccessTokenExp=1"), Err(ComponentError::ReadOnly { .. })));
}

#[test]
fn row_authorization_token_type() {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    assert_eq!(oauth.get_authorization().unwrap().header_value(), "Bearer at-1");
    assert_eq!(read(&oauth, "AuthorizationTokenType"), "Bearer", "the server wrote it small");
    let witness =
        Witness::start(|_| (200, r#"{"access_token":"a","token_type":"mac","refresh_token":"r"}"#.into()));
    let oauth = client_credentials(&witness);
    let refused = oauth.get_authorization().unwrap_err();
    assert!(refused.to_string().contains("its token type is mac"), "{refused}");
    assert_eq!(oauth.refresh_token().expose(), "r", "it may be the only live one");
}

#[test]
fn row_authorization_url() {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    let refused = oauth.config("AuthorizationURL=https://as.example/?state=s").unwrap_err();
    assert!(matches!(&refused, ComponentError::Refused { name: "AuthorizationURL", .. }), "{refused}");

    let made = oauth.get_authorization_url().unwrap();
    assert_eq!(read(&oauth, "AuthorizationURL"), made);
    for wrong in [made.replace("state=", "estate="), format!("{made}&state=another")] {
        let refused = oauth.config(&format!("AuthorizationURL={wrong}")).unwrap_err();
        assert!(
            matches!(&refused, ComponentError::OAuth(Error::Config(ConfigError::StateNotCarried))),
            "{refused}"
        );
    }
    let own = format!("{made}&prompt=login");
    set(&oauth, &[&format!("AuthorizationURL={own}")]);
    let (result, ()) = with_person(&oauth, |url, _| {
        assert_eq!(url, own, "the browser is sent there");
        assert!(come_back(url).contains("You are signed in"));
    });
    result.unwrap();
    // It was of that login alone.
    oauth.set_refresh_token("");
    let (result, ()) = with_person(&oauth, |url, _| {
        assert!(!url.contains("prompt"), "{url}");
        come_back(url);
    });
    result.unwrap();

    // It has to lead back to where this waits.
    let elsewhere = oauth.get_authorization_url().unwrap();
    set(&oauth, &[&format!("AuthorizationURL={elsewhere}")]);
    oauth.set_refresh_token("");
    oauth.stop_web_server();
    let other = oauth.get_authorization().unwrap_err();
    assert!(matches!(&other, ComponentError::Refused { name: "AuthorizationURL", .. }), "{other}");
}

#[test]
fn row_browser_response_timeout() {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    oauth.set_client_profile(ClientProfile::Mobile);
    set(&oauth, &["BrowserResponseTimeout=1"]);
    let begun = Instant::now();
    let late = oauth.get_authorization().unwrap_err();
    assert!(matches!(&late, ComponentError::OAuth(Error::Receive(ReceiveError::TimedOut))), "{late}");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert!(witness.heard().is_empty());
}

#[test]
fn row_code_challenge_method() {
    let witness = Witness::of_tokens();
    let oauth = site(&witness);
    assert_eq!(read(&oauth, "CodeChallengeMethod"), "2");
    for (method, name) in [("S256", Some("S256")), ("1", Some("plain")), ("none", None)] {
        set(&oauth, &[&format!("CodeChallengeMethod={method}")]);
        oauth.set_refresh_token("");
        let url = oauth.get_authorization_url().unwrap();
        let asked = query(&url);
        assert_eq!(asked.get("code_challenge_method").map(String::as_str), name);
        if method == "none" {
            // Nothing but its state could say that the code is of this login.
            oauth.set_authorization_code("ac-1");
            let refused = oauth.get_authorization().unwrap_err();
            assert!(
                matches!(&refused, ComponentError::Refused { name: "authorization_code", .. }),
                "{refused}"
            );
            oauth.set_authorization_response(format!("?code=ac-1&state={}", asked["state"]));
        } else {
            oauth.set_authorization_code("ac-1");
        }
        oauth.get_authorization().unwrap();
        let sent = witness.heard().pop().unwrap().form();
        let verifier = sent.get("code_verifier");
        match name {
            Some("plain") => assert_eq!(verifier, asked.get("code_challenge")),
            Some(_) => assert_ne!(verifier, asked.get("code_challenge")),
            None => assert_eq!((verifier, asked.get("code_challenge")), (None, None)),
        }
        assert_eq!(verifier.is_some(), name.is_some());
    }
    let danger = ConfigSetting::named("CodeChallengeMethod").unwrap().danger();
    assert!(danger.is_some(), "the table says what it risks");
}

#[test]
fn row_code_challenge_method_of_an_application() {
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    set(&oauth, &["CodeChallengeMethod=0"]);
    let events = oauth.observe();
    let (result, ()) = with_person(&oauth, |url, _| {
        assert!(!url.contains("code_challenge"), "{url}");
        come_back(url);
    });
    result.unwrap();
    assert!(!witness.only().body.contains("code_verifier"));
    let told =
        events.try_iter().any(|event| format!("{event:?}").contains("warning: whoever reads the code"));
    assert!(told, "the rule that it waives is told");
}

/// A device at a server whose person agrees after so many polls.
fn device(refusals: usize) -> (Witness, OAuth) {
    let polls = std::sync::atomic::AtomicUsize::new(0);
    let witness = Witness::start(move |heard| {
        if heard.line.starts_with("POST /authorize") {
            (200, CODES.to_owned())
        } else if polls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < refusals {
            (400, r#"{"error":"authorization_pending"}"#.to_owned())
        } else {
            (200, TOKENS.to_owned())
        }
    });
    let oauth = witness.component();
    oauth.set_client_profile(ClientProfile::Device);
    (witness, oauth)
}

#[test]
fn row_device_user_code() {
    let (witness, oauth) = device(0);
    assert_eq!(read(&oauth, "DeviceUserCode"), "");
    assert_eq!(oauth.get_authorization_url().unwrap(), "https://as.example/device");
    assert_eq!(read(&oauth, "DeviceUserCode"), "WDJB-MJHT");
    oauth.get_authorization().unwrap();
    assert_eq!(witness.heard()[1].form()["device_code"], "dc-1");
}

#[test]
fn row_polling_interval() {
    let (witness, oauth) = device(1);
    oauth.get_authorization_url().unwrap();
    set(&oauth, &["PollingInterval=2"]);
    let begun = Instant::now();
    oauth.get_authorization().unwrap();
    // The first is not before the interval that the server named, and the second not before ours.
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(witness.heard().len(), 3);
}

#[test]
fn row_form_var_count() {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    set(&oauth, &["FormVarCount=2", "FormVarName[0]=one", "FormVarName[1]=two"]);
    set(&oauth, &["FormVarCount=1"]);
    assert!(matches!(oauth.config("FormVarName[1]"), Err(ComponentError::Index { count: 1, .. })));
    oauth.get_authorization().unwrap();
    let form = witness.only().form();
    assert!(form.contains_key("one") && !form.contains_key("two"), "{form:?}");
}

#[test]
fn row_form_var_name() {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    set(&oauth, &["FormVarCount=1"]);
    for refused in ["", "grant_type", "client_secret", "code", "scope", "code_verifier"] {
        set(&oauth, &[&format!("FormVarName[0]={refused}")]);
        let error = oauth.get_authorization().unwrap_err();
        assert!(matches!(&error, ComponentError::Refused { name: "FormVarName", .. }), "{refused}: {error}");
    }
    assert!(witness.heard().is_empty(), "nothing was sent");
    set(&oauth, &["FormVarName[0]=audience"]);
    oauth.get_authorization().unwrap();
    assert_eq!(witness.only().form()["audience"], "");
}

#[test]
fn row_form_var_value() {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    set(&oauth, &["FormVarCount=1", "FormVarName[0]=audience", "FormVarValue[0]=a b&grant_type=d"]);
    oauth.get_authorization().unwrap();
    let form = witness.only().form();
    assert_eq!((&*form["audience"], &*form["grant_type"]), ("a b&grant_type=d", "client_credentials"));
    assert!(
        !format!("{:?}", oauth.config("FormVarValue[0]").unwrap()).contains("a b"),
        "it may be a password"
    );
}

#[test]
fn row_include_empty_redirect_uri() {
    let witness = Witness::of_tokens();
    let oauth = site(&witness);
    oauth.set_return_url("");
    for (value, sent) in [("false", None), ("true", Some(""))] {
        set(&oauth, &[&format!("IncludeEmptyRedirectURI={value}")]);
        oauth.set_refresh_token("");
        let url = oauth.get_authorization_url().unwrap();
        assert_eq!(query(&url).get("redirect_uri").map(String::as_str), sent);
        oauth.set_authorization_code("ac-1");
        oauth.get_authorization().unwrap();
        let form = witness.heard().pop().unwrap().form();
        assert_eq!(form.get("redirect_uri").map(String::as_str), sent);
    }
}

/// A service with a key that the witness does not look at.
fn service(witness: &Witness) -> OAuth {
    let oauth = witness.component();
    oauth.set_client_profile(ClientProfile::Jwt);
    set(&oauth, &["JWTCertStoreType=6", &format!("JWTCertStore={KEYS}/rsa-2048.pkcs8.pem")]);
    oauth
}

/// The claims that a service sends with these settings.
fn claims_with(lines: &[&str]) -> serde_json::Value {
    let witness = Witness::of_tokens();
    let oauth = service(&witness);
    set(&oauth, lines);
    oauth.get_authorization().unwrap();
    witness.only().claims()
}

#[test]
fn row_jwt_audience() {
    assert!(
        claims_with(&[])["aud"].as_str().unwrap().ends_with("/token"),
        "the token endpoint, where nothing is set"
    );
    assert_eq!(claims_with(&["JWTAudience=https://as.example"])["aud"], "https://as.example");
}

#[test]
fn row_jwt_issuer() {
    assert_eq!(claims_with(&[])["iss"], "client", "the client, where nothing is set");
    assert_eq!(claims_with(&["JWTIssuer=me@project.example"])["iss"], "me@project.example");
    let witness = Witness::of_tokens();
    let oauth = service(&witness);
    oauth.set_client_id("");
    let lacking = oauth.get_authorization().unwrap_err();
    assert!(lacking.to_string().contains("JWTIssuer"), "{lacking}");
    set(&oauth, &["JWTIssuer=me"]);
    oauth.get_authorization().unwrap();
    assert!(!witness.only().form().contains_key("client_id"), "the assertion says who asks");
}

#[test]
fn row_jwt_subject() {
    assert_eq!(claims_with(&[]).get("sub"), None);
    assert_eq!(claims_with(&["JWTSubject=ada@example.com"])["sub"], "ada@example.com");
}

#[test]
fn row_jwt_validity_time() {
    let witness = Witness::of_tokens();
    let oauth = service(&witness);
    assert_eq!(read(&oauth, "JWTValidityTime"), "3600");
    let events = oauth.observe();
    for (asked, lives) in [("60", 60), ("3600", 3600), ("5400", 3600)] {
        set(&oauth, &[&format!("JWTValidityTime={asked}")]);
        let warned = |event| format!("{event:?}").contains("JWTValidityTime");
        oauth.get_authorization().unwrap();
        let claims = witness.heard().pop().unwrap().claims();
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), lives);
        assert_eq!(events.try_iter().any(warned), asked == "5400", "{asked}");
    }
}

#[test]
fn row_jwt_signature_algorithm() {
    let witness = Witness::of_tokens();
    let oauth = service(&witness);
    for algorithm in ["RS256", "RS384", "RS512", "PS256"] {
        set(&oauth, &[&format!("JWTSignatureAlgorithm={algorithm}")]);
        oauth.get_authorization().unwrap();
        assert_eq!(witness.heard().pop().unwrap().jose_header()["alg"], algorithm);
    }
    let before = witness.heard().len();
    for wrong in ["ES256", "EdDSA"] {
        set(&oauth, &[&format!("JWTSignatureAlgorithm={wrong}")]);
        let refused = oauth.get_authorization().unwrap_err();
        assert!(
            matches!(&refused, ComponentError::Refused { name: "JWTSignatureAlgorithm", .. }),
            "{refused}"
        );
    }
    assert_eq!(witness.heard().len(), before, "nothing was sent");
    for no_signature in ["none", "HS256", "RS1"] {
        let refused = oauth.config(&format!("JWTSignatureAlgorithm={no_signature}"));
        assert!(
            matches!(refused, Err(ComponentError::Value { name: "JWTSignatureAlgorithm", .. })),
            "{no_signature}"
        );
    }
}

/// A program that puts back what it read means no change.
#[test]
fn the_default_algorithm_is_the_keys_own_and_may_be_set_back() {
    for (key, algorithm) in [("rsa-2048", "RS256"), ("p256", "ES256")] {
        let witness = Witness::of_tokens();
        let oauth = service(&witness);
        set(&oauth, &[&format!("JWTCertStore={KEYS}/{key}.pkcs8.pem")]);
        let read = read(&oauth, "JWTSignatureAlgorithm");
        set(&oauth, &[&format!("JWTSignatureAlgorithm={read}")]);
        oauth.get_authorization().unwrap();
        assert_eq!(witness.only().jose_header()["alg"], algorithm);
    }
}

#[test]
fn a_number_of_more_digits_than_a_machine_has_is_signed_and_shown_as_it_is() {
    const NUMBERS: [&str; 4] = ["117425123456789012345", "1.10", "-117425123456789012", "[1.0,{\"a\":1e3}]"];
    let witness = Witness::start(|_| {
        let [a, b, c, d] = NUMBERS;
        (200, format!(r#"{{"access_token":"at-1","token_type":"bearer","a":{a},"b":{b},"c":{c},"d":{d}}}"#))
    });
    let oauth = service(&witness);
    for (name, number) in ["n-a", "n-b", "n-c", "n-d"].into_iter().zip(NUMBERS) {
        oauth.add_param(name, number);
    }
    oauth.get_authorization().unwrap();
    let assertion = &witness.only().form()["assertion"];
    let claims =
        base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap()).unwrap();
    let claims = String::from_utf8(claims).unwrap();
    for (name, number) in ["n-a", "n-b", "n-c", "n-d"].into_iter().zip(NUMBERS) {
        assert!(claims.contains(&format!("\"{name}\":{number}")), "{name}: {claims}");
    }
    let shown: Vec<_> = (2..6).map(|index| oauth.param_value(index).unwrap().as_str().to_owned()).collect();
    assert_eq!(shown, NUMBERS);
}

#[test]
fn row_jwt_json_key() {
    let witness = Witness::of_tokens();
    let oauth = service(&witness);
    oauth.set_client_id("");
    let file = serde_json::json!({
        "type": "service_account",
        "client_email": "jobs@project.example",
        "private_key_id": "0123abcd",
        "private_key": std::fs::read_to_string(format!("{KEYS}/p256.pkcs8.pem")).unwrap(),
        "token_uri": "https://as.example/token",
    });
    set(&oauth, &[&format!("JWTJSONKey={file}")]);
    oauth.get_authorization().unwrap();
    let heard = witness.only();
    assert_eq!(
        (&heard.jose_header()["kid"], &heard.jose_header()["alg"]),
        (&"0123abcd".into(), &"ES256".into())
    );
    assert_eq!(heard.claims()["iss"], "jobs@project.example");
    assert_eq!(heard.claims()["aud"], "https://as.example/token");
    let setting = ConfigSetting::named("JWTJSONKey").unwrap();
    assert!(
        setting.is_secret() && !format!("{:?}", oauth.config("JWTJSONKey").unwrap()).contains("0123abcd")
    );
}

#[test]
fn row_jwt_cert_store() {
    let chain = std::fs::read_to_string(format!("{KEYS}/p256.sec1.pem")).unwrap();
    let witness = Witness::of_tokens();
    let oauth = service(&witness);
    for (kind, store, algorithm) in [(6, format!("{KEYS}/rsa-2048.pkcs8.pem"), "RS256"), (7, chain, "ES256")]
    {
        set(&oauth, &[&format!("JWTCertStoreType={kind}"), &format!("JWTCertStore={store}")]);
        oauth.get_authorization().unwrap();
        assert_eq!(witness.heard().pop().unwrap().jose_header()["alg"], algorithm);
    }
    set(&oauth, &["JWTCertStoreType=6", "JWTCertStore=/no/such/file"]);
    assert!(matches!(oauth.get_authorization(), Err(ComponentError::OAuth(Error::Store(_)))));
}

#[test]
fn row_jwt_cert_store_type() {
    let witness = Witness::of_tokens();
    let oauth = service(&witness);
    for (kind, file, good) in [
        ("2", "rsa-2048.pfx", true),
        ("4", "rsa-2048.jks", true),
        ("PPK file", "rsa-2048.encrypted.v3.ppk", true),
        ("4", "rsa-2048.jwk.json", false),
        ("8", "rsa-2048.public.pem", false),
    ] {
        set(
            &oauth,
            &[
                &format!("JWTCertStoreType={kind}"),
                &format!("JWTCertStore={KEYS}/{file}"),
                "JWTCertStorePassword=throw-away",
            ],
        );
        let result = oauth.get_authorization();
        assert_eq!(result.is_ok(), good, "{file}: {result:?}");
    }
}

#[test]
fn row_jwt_cert_store_password() {
    let witness = Witness::of_tokens();
    let oauth = service(&witness);
    set(
        &oauth,
        &["JWTCertStoreType=2", &format!("JWTCertStore={KEYS}/rsa-2048.pfx"), "JWTCertStorePassword=guessed"],
    );
    let refused = oauth.get_authorization().unwrap_err();
    assert!(matches!(&refused, ComponentError::OAuth(Error::Store(_))), "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("guessed"));
    set(&oauth, &["JWTCertStorePassword=throw-away"]);
    oauth.get_authorization().unwrap();
}

#[test]
fn row_jwt_cert_subject() {
    // A chain, whose key is the leaf's.
    let chain = std::fs::read_to_string(format!("{KEYS}/p256.chain.pem")).unwrap();
    let witness = Witness::of_tokens();
    let oauth = service(&witness);
    set(&oauth, &["JWTCertStoreType=7", &format!("JWTCertStore={chain}")]);
    for (subject, good) in
        [("service.example.com", true), ("*", true), ("", true), ("CN=Test Root", false), ("nobody", false)]
    {
        set(&oauth, &[&format!("JWTCertSubject={subject}")]);
        let result = oauth.get_authorization();
        assert_eq!(result.is_ok(), good, "{subject}: {result:?}");
        if !good {
            assert!(matches!(result, Err(ComponentError::OAuth(Error::Store(_)))), "{subject}");
        }
    }
}

#[test]
fn claims_are_added_as_json_or_as_text_and_none_of_the_client_s_own() {
    let witness = Witness::of_tokens();
    let oauth = service(&witness);
    oauth.add_param("target_audience", "https://app.example");
    oauth.add_param("roles", r#"["a","b"]"#);
    oauth.get_authorization().unwrap();
    let claims = witness.only().claims();
    assert_eq!(claims["target_audience"], "https://app.example");
    assert_eq!(claims["roles"], serde_json::json!(["a", "b"]));
    oauth.add_param("iss", "somebody else");
    let refused = oauth.get_authorization().unwrap_err();
    assert!(matches!(&refused, ComponentError::OAuth(Error::Config(ConfigError::Claim { .. }))), "{refused}");
}

/// What the page tells to copy, with our server in the place of theirs, and a key that is there.
#[test]
fn the_samples_of_the_migration_page_end_in_an_authorization() -> Result<(), ComponentError> {
    let witness = Witness::of_tokens();
    let here = |oauth: &OAuth| {
        oauth.set_dangerously_plain_http_on_loopback(true);
        oauth.set_server_auth_url(format!("{}/authorize", witness.url));
        oauth.set_server_token_url(format!("{}/token", witness.url));
    };
    let oauth = OAuth::new();
    include!("../component_pages/desktop.rs");
    here(&oauth);
    let (authorization, _) = with_person(&oauth, |url, _| come_back(url));
    assert_eq!(authorization?.header_value(), "Bearer at-1");

    let oauth = OAuth::new();
    include!("../component_pages/service.rs");
    here(&oauth);
    set(&oauth, &["JWTCertStoreType=6", &format!("JWTCertStore={KEYS}/rsa-2048.pkcs8.pem")]);
    assert_eq!(oauth.get_authorization()?.header_value(), "Bearer at-1");
    assert_eq!(witness.heard().pop().unwrap().claims()["iss"], "service@project.iam.gserviceaccount.com");
    Ok(())
}

#[test]
fn openid_is_not_asked_for_where_nobody_checks_what_comes_of_it() {
    let witness = Witness::of_tokens();
    let oauth = site(&witness);
    oauth.set_authorization_scope("openid read");
    let refused = oauth.get_authorization_url().unwrap_err();
    assert!(matches!(&refused, ComponentError::Refused { name: "authorization_scope", .. }), "{refused}");
    oauth.set_dangerously_unread_id_tokens(true);
    let events = oauth.observe();
    oauth.get_authorization_url().unwrap();
    let told =
        events.try_iter().any(|event| format!("{event:?}").contains("warning: ID tokens are handed on"));
    assert!(told);
}

#[test]
fn a_compatible_component_differs_in_five_rows_and_in_nothing_that_is_dangerous() {
    let (ours, original) = (OAuth::new(), OAuth::compatible());
    let differing: Vec<_> = ConfigSetting::all()
        .filter(|setting| !setting.is_indexed() && !setting.is_action())
        .filter(|setting| read(&ours, setting.name()) != read(&original, setting.name()))
        .map(|setting| (setting.name(), read(&original, setting.name())))
        .collect();
    let mut expected = [
        ("BrowserResponseTimeout", "0"),
        ("IncludeEmptyRedirectURI", "true"),
        ("UseIDNs", "false"),
        ("UseIPv6", "0"),
        ("WebServerHost", "localhost"),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    expected.sort();
    let mut sorted = differing.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    for (name, _) in differing {
        assert_eq!(ConfigSetting::named(name).unwrap().danger(), None, "{name}");
    }
}
