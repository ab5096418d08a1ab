//! The properties of the protocol: what each does, as the server sees it.

use super::witness::{TOKENS, Witness, client_credentials, come_back, query, read, site, with_person};
use oauth::OAuth;
use oauth::component::{ClientProfile, ComponentError, GrantType};

#[test]
fn row_access_token() {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    oauth.set_access_token("one of before");
    assert_eq!(oauth.access_token().expose(), "one of before");
    oauth.get_authorization().unwrap();
    assert_eq!(oauth.access_token().expose(), "at-1", "alone, without Bearer");
    assert!(!format!("{:?}", oauth.access_token()).contains("at-1"));
}

#[test]
fn row_authorization_code() {
    let witness = Witness::of_tokens();
    let oauth = site(&witness);
    oauth.get_authorization_url().unwrap();
    oauth.set_authorization_code("ac-1");
    oauth.set_refresh_token("rt-0");
    oauth.get_authorization().unwrap();
    assert_eq!(witness.only().form()["code"], "ac-1", "it goes before the refresh token");
    oauth.get_authorization().unwrap();
    assert_eq!(witness.heard()[1].form()["grant_type"], "refresh_token", "and once");

    // What the embedded web server got is shown, and spent.
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    with_person(&oauth, |url, _| come_back(url)).0.unwrap();
    assert_eq!(oauth.authorization_code().expose(), "ac-1");
    oauth.get_authorization().unwrap();
    assert_eq!(witness.heard()[1].form()["grant_type"], "refresh_token");
    oauth.set_authorization_code("");
    assert_eq!(oauth.authorization_code().expose(), "");
    oauth.set_refresh_token("");
    with_person(&oauth, |url, _| come_back(url)).0.unwrap();
    oauth.reset();
    assert_eq!(oauth.authorization_code().expose(), "");
}

#[test]
fn row_authorization_scope() {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    oauth.set_authorization_scope("read write");
    oauth.get_authorization().unwrap();
    assert_eq!(witness.only().form()["scope"], "read write");
    assert_eq!(oauth.authorization_scope(), "read", "what was granted");
    oauth.set_refresh_token("");
    oauth.set_authorization_scope("two  blanks \"");
    assert!(matches!(
        oauth.get_authorization(),
        Err(ComponentError::Refused { name: "authorization_scope", .. })
    ));
}

#[test]
fn row_client_id() {
    let witness = Witness::of_tokens();
    let oauth = site(&witness);
    oauth.set_client_id("");
    assert!(oauth.get_authorization_url().is_err());
    oauth.set_client_id("my program");
    assert_eq!(query(&oauth.get_authorization_url().unwrap())["client_id"], "my program");
    oauth.set_authorization_code("ac-1");
    oauth.get_authorization().unwrap();
    assert_eq!(witness.only().form()["client_id"], "my program", "a public client says who it is");
}

#[test]
fn row_client_secret() {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    oauth.get_authorization().unwrap();
    let header = witness.only();
    // `client:secret`, in Base64.
    assert!(header.head.contains("Basic Y2xpZW50OnNlY3JldA=="), "{}", header.head);
    assert!(!header.form().contains_key("client_secret"), "never by both");
    oauth.set_credentials_in_body(true);
    oauth.set_refresh_token("");
    oauth.get_authorization().unwrap();
    let body = witness.heard()[1].clone();
    assert_eq!((&*body.form()["client_id"], &*body.form()["client_secret"]), ("client", "secret"));
    assert!(!body.head.to_ascii_lowercase().contains("authorization:"));
}

#[test]
fn row_client_profile() {
    let numbers: Vec<_> = ClientProfile::ALL.iter().map(|profile| profile.number()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    assert_eq!(OAuth::new().client_profile(), ClientProfile::Application);
    assert!(matches!(ClientProfile::try_from(6), Err(ComponentError::Value { name: "client_profile", .. })));
    // The same call means something else with each.
    let witness = Witness::of_tokens();
    let oauth = witness.component();
    for profile in [ClientProfile::Application, ClientProfile::Mobile] {
        oauth.set_client_profile(profile);
        with_person(&oauth, |url, _| come_back(url)).0.unwrap();
        assert_eq!(witness.heard().pop().unwrap().form()["grant_type"], "authorization_code");
        oauth.set_refresh_token("");
    }
    let sent = witness.heard().len();
    for (profile, why) in [
        (ClientProfile::WebServer, "waits for nobody"),
        (ClientProfile::Browser, "waits for nobody"),
        (ClientProfile::Device, "no login of a device is waited for"),
        (ClientProfile::Jwt, "key"),
    ] {
        oauth.set_client_profile(profile);
        let error = oauth.get_authorization().unwrap_err().to_string();
        assert!(error.contains(why), "{profile:?}: {error}");
    }
    oauth.set_client_profile(ClientProfile::Browser);
    oauth.set_client_secret("secret");
    assert!(matches!(oauth.get_authorization(), Err(ComponentError::Refused { name: "client_secret", .. })));
    assert_eq!(witness.heard().len(), sent);
}

#[test]
fn row_grant_type() {
    let numbers: Vec<_> = GrantType::ALL.iter().map(|grant| grant.number()).collect();
    assert_eq!(numbers, [0, 1, 2, 3]);
    assert_eq!(OAuth::new().grant_type(), GrantType::AuthorizationCode);
    assert!(matches!(GrantType::try_from(-1), Err(ComponentError::Value { name: "grant_type", .. })));
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    oauth.add_form_var("username", "ada");
    oauth.add_form_var("password", "opens a door");
    for (grant, sent) in
        [(GrantType::ClientCredentials, "client_credentials"), (GrantType::Password, "password")]
    {
        oauth.set_grant_type(grant);
        oauth.get_authorization().unwrap();
        assert_eq!(witness.heard().pop().unwrap().form()["grant_type"], sent);
        oauth.set_refresh_token("");
    }
    for (grant, asked) in [(GrantType::AuthorizationCode, "code"), (GrantType::Implicit, "token")] {
        oauth.set_grant_type(grant);
        let (_, url) = with_person(&oauth, |url, _| {
            oauth.interrupt();
            url.to_owned()
        });
        assert_eq!(query(&url)["response_type"], asked);
    }
}

#[test]
fn row_param_count() {
    let witness = Witness::of_tokens();
    let oauth = site(&witness);
    oauth.add_param("login_hint", "ada");
    oauth.add_param("prompt", "login");
    oauth.set_param_count(1).unwrap();
    assert_eq!(oauth.param_count(), 1);
    for count in [101, usize::MAX] {
        let error = oauth.set_param_count(count).unwrap_err().to_string();
        assert_eq!(error, "this is no value of param_count: it takes a whole number from 0 to 100");
        assert_eq!(oauth.param_count(), 1, "what is refused changes nothing");
    }
    let asked = query(&oauth.get_authorization_url().unwrap());
    assert!(asked.contains_key("login_hint") && !asked.contains_key("prompt"), "{asked:?}");
    oauth.set_authorization_code("ac-1");
    oauth.get_authorization().unwrap();
    assert!(!witness.only().form().contains_key("login_hint"), "it was of the address alone");
    assert_eq!(oauth.param_count(), 5, "those of the response");
    // More can be added one by one, and the last of them taken away.
    oauth.set_param_count(100).unwrap();
    oauth.add_param("a", "");
    oauth.add_param("b", "");
    oauth.set_param_count(101).unwrap();
    assert_eq!((oauth.param_count(), oauth.param_name(100).unwrap()), (101, "a".to_owned()));
}

#[test]
fn row_param_name() {
    let oauth = site(&Witness::of_tokens());
    assert!(matches!(oauth.set_param_name(0, "x"), Err(ComponentError::Index { count: 0, .. })));
    oauth.set_param_count(1).unwrap();
    for own in ["state", "code_challenge", "redirect_uri", ""] {
        oauth.set_param_name(0, own).unwrap();
        assert!(oauth.get_authorization_url().is_err(), "{own:?} is not the program's to set");
    }
    oauth.set_param_name(0, "login_hint").unwrap();
    assert_eq!(query(&oauth.get_authorization_url().unwrap())["login_hint"], "");
}

#[test]
fn row_param_value() {
    let witness = Witness::start(|_| {
        (200, r#"{"access_token":"at-9","token_type":"Bearer","tenant":"t-1","flags":[1]}"#.to_owned())
    });
    let oauth = site(&witness);
    oauth.add_param("login_hint", "");
    oauth.set_param_value(0, "ada@example.com&state=x").unwrap();
    assert_eq!(query(&oauth.get_authorization_url().unwrap())["login_hint"], "ada@example.com&state=x");
    oauth.set_authorization_code("ac-1");
    oauth.get_authorization().unwrap();
    let names: Vec<_> = (0..oauth.param_count()).map(|index| oauth.param_name(index).unwrap()).collect();
    assert_eq!(names, ["access_token", "token_type", "tenant", "flags"]);
    assert_eq!(oauth.param_value(2).unwrap().as_str(), "t-1");
    assert_eq!(oauth.param_value(3).unwrap().as_str(), "[1]");
    let of_response = oauth.param_value(0).unwrap();
    assert_eq!(format!("{of_response:?}"), "ConfigValue([redacted])", "it may be a token");
    // What is set for the next request is shown from then on.
    oauth.set_param_value(0, "grace").unwrap();
    assert_eq!((oauth.param_count(), oauth.param_value(0).unwrap().as_str()), (1, "grace"));
}

#[test]
fn row_refresh_token() {
    let witness = Witness::start(|heard| match &*heard.form()["refresh_token"] {
        "rt-0" => (200, TOKENS.to_owned()),
        "rt-1" => (200, r#"{"access_token":"at-2","token_type":"Bearer"}"#.to_owned()),
        "down" => (503, "{}".to_owned()),
        _ => (400, r#"{"error":"invalid_grant"}"#.to_owned()),
    });
    let oauth = site(&witness);
    for (before, token, after) in [("rt-0", Some("at-1"), "rt-1"), ("rt-1", Some("at-2"), "rt-1")] {
        oauth.set_refresh_token(before);
        assert_eq!(oauth.get_authorization().ok().as_ref().map(oauth::Authorization::token), token);
        assert_eq!(
            oauth.refresh_token().expose(),
            after,
            "RFC 6749 section 6: the old one stays where no other comes"
        );
    }
    oauth.set_refresh_token("down");
    assert!(oauth.get_authorization().is_err());
    assert_eq!(oauth.refresh_token().expose(), "down", "a server in trouble says nothing about it");
    oauth.set_refresh_token("spent");
    assert!(oauth.get_authorization().is_err());
    assert_eq!(oauth.refresh_token().expose(), "");
}

#[test]
fn row_server_auth_url() {
    let witness = Witness::of_tokens();
    let oauth = site(&witness);
    oauth.set_server_auth_url("https://as.example/authorize?tenant=t-1");
    let url = oauth.get_authorization_url().unwrap();
    assert!(
        url.starts_with("https://as.example/authorize?tenant=t-1&"),
        "RFC 6749 section 3.1: its query is kept"
    );
    assert_eq!(read(&oauth, "AuthorizationURL"), url);
    for wrong in ["http://as.example/", "https://as.example/#f", "no address", ""] {
        oauth.set_server_auth_url(wrong);
        assert!(oauth.get_authorization_url().is_err(), "{wrong}");
    }
}

#[test]
fn row_server_token_url() {
    let witness = Witness::of_tokens();
    let oauth = client_credentials(&witness);
    oauth.set_server_token_url(format!("{}/other/token?tenant=t-1", witness.url));
    oauth.get_authorization().unwrap();
    assert_eq!(witness.only().line, "POST /other/token?tenant=t-1 HTTP/1.1");
    oauth.set_refresh_token("");
    for wrong in ["http://as.example/", "https://as.example/#f", "no address", ""] {
        oauth.set_server_token_url(wrong);
        assert!(oauth.get_authorization().is_err(), "{wrong}");
    }
}
