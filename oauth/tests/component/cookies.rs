//! Cookies: those of servers, and those that are added.

use crate::wire::*;
use oauth::OAuth;

fn setting_cookies() -> Server {
    Server::answering(response(
        "200 OK",
        "set-cookie: sid=planted-sid; Path=/token; Max-Age=86400\r\nset-cookie: last=1\r\n",
        &token_body(),
    ))
}

/// Everything about the cookie at an index.
fn cookie(oauth: &OAuth, index: usize) -> (String, String, String, String, bool) {
    (
        oauth.cookie_name(index).unwrap(),
        oauth.cookie_value(index).unwrap().as_str().to_owned(),
        oauth.cookie_domain(index).unwrap(),
        oauth.cookie_path(index).unwrap(),
        oauth.cookie_secure(index).unwrap(),
    )
}

#[test]
fn row_cookie_count() {
    for engine in ENGINES {
        let server = setting_cookies();
        let oauth = client_with(&server.url("/token"), engine, &[]);
        oauth.add_cookie("own", "planted-own");
        assert_eq!(oauth.cookie_count(), 1);
        for _ in 0..2 {
            oauth.get_authorization().unwrap();
            assert_eq!(oauth.cookie_count(), 3, "those of servers, and the added one once");
        }
        assert_eq!(server.seen()[0].all("cookie"), ["own=planted-own"]);
        assert_eq!(server.seen()[1].all("cookie"), ["sid=planted-sid; last=1; own=planted-own"]);
        // Servers' go together, and the added ones one by one.
        let error = oauth.set_cookie_count(1).unwrap_err().to_string();
        assert!(error.starts_with("this is no value of cookie_count: it takes 0, or 2 at least"), "{error}");
        for count in [103, usize::MAX] {
            let error = oauth.set_cookie_count(count).unwrap_err().to_string();
            assert!(error.ends_with("it takes 0, or a whole number from 2 to 102"), "{error}");
            assert_eq!(oauth.cookie_count(), 3, "what is refused changes nothing");
        }
        oauth.set_cookie_count(102).unwrap();
        assert_eq!(oauth.cookie_count(), 102);
        oauth.set_cookie_count(2).unwrap();
        oauth.get_authorization().unwrap();
        assert_eq!(server.last().all("cookie"), ["sid=planted-sid; last=1"]);
        oauth.set_cookie_count(0).unwrap();
        oauth.get_authorization().unwrap();
        assert!(server.last().all("cookie").is_empty());
    }
}

#[test]
fn row_cookie_name() {
    let server = setting_cookies();
    let oauth = client(&server.url("/token"));
    oauth.add_cookie("own", "v");
    oauth.set_cookie_name(0, "other").unwrap();
    oauth.get_authorization().unwrap();
    assert_eq!(server.last().all("cookie"), ["other=v"]);
    let names: Vec<_> = (0..3).map(|index| oauth.cookie_name(index).unwrap()).collect();
    assert_eq!(names[2], "other");
    assert!(names.contains(&"sid".to_owned()) && names.contains(&"last".to_owned()), "{names:?}");
    let error = oauth.set_cookie_name(0, "x").unwrap_err().to_string();
    assert!(error.starts_with("cookie_name cannot be set: a server set this cookie"), "{error}");
    let error = oauth.cookie_name(3).unwrap_err().to_string();
    assert_eq!(error, "cookie_name has nothing at index 3; the last is at 2");
    // What no header can carry is refused before anything is sent.
    oauth.set_cookie_count(4).unwrap();
    let sent = server.seen().len();
    refused(&oauth, "cookie_name", "lower cookie_count");
    oauth.set_cookie_name(3, "fine").unwrap();
    oauth.set_cookie_value(3, "not; fine").unwrap();
    refused(&oauth, "cookie_value", "encode it");
    oauth.set_cookie_value(3, "fine").unwrap();
    assert_eq!(server.seen().len(), sent);
    oauth.get_authorization().unwrap();
    assert!(server.last().all("cookie")[0].ends_with("fine=fine"));
}

#[test]
fn row_cookie_value() {
    let server = setting_cookies();
    let oauth = client(&server.url("/token"));
    oauth.add_cookie("own", "v");
    oauth.set_cookie_value(0, "planted-other").unwrap();
    oauth.get_authorization().unwrap();
    assert_eq!(server.last().all("cookie"), ["own=planted-other"]);
    let value = oauth.cookie_value(2).unwrap();
    assert!(value.is_secret() && value.as_str() == "planted-other");
    assert!(!format!("{value:?}").contains("planted"), "{value:?}");
    oauth.set_cookie_value(1, "x").unwrap_err();
}

#[test]
fn row_cookie_domain() {
    let server = setting_cookies();
    let oauth = client(&server.url("/token"));
    oauth.get_authorization().unwrap();
    // Neither is for a domain: both are for their server alone.
    let mut both = [cookie(&oauth, 0), cookie(&oauth, 1)];
    both.sort();
    let texts = |cookie: &(String, String, String, String, bool)| format!("{cookie:?}");
    assert_eq!(texts(&both[0]), r#"("last", "1", "", "/", false)"#);
    assert_eq!(texts(&both[1]), r#"("sid", "planted-sid", "", "/token", false)"#);
    oauth.cookie_domain(2).unwrap_err();
}

#[test]
fn row_cookie_path() {
    let server = setting_cookies();
    let oauth = client(&server.url("/token"));
    oauth.get_authorization().unwrap();
    let at = (0..2).find(|index| oauth.cookie_name(*index).unwrap() == "sid").unwrap();
    assert_eq!(oauth.cookie_path(at).unwrap(), "/token");
    oauth.cookie_path(2).unwrap_err();
    // It does not go elsewhere.
    oauth.set_server_token_url(server.url("/other"));
    oauth.get_authorization().unwrap();
    assert_eq!(server.last().all("cookie"), ["last=1"]);
}

#[test]
fn row_cookie_expiration() {
    let server = setting_cookies();
    let oauth = client(&server.url("/token"));
    oauth.get_authorization().unwrap();
    for index in 0..2 {
        let ends = oauth.cookie_expiration(index).unwrap();
        if oauth.cookie_name(index).unwrap() == "last" {
            assert_eq!(ends, "", "it lasts as long as the session");
        } else {
            assert!(ends.ends_with(" GMT"), "{ends}");
        }
    }
    oauth.cookie_expiration(2).unwrap_err();
}

#[test]
fn row_cookie_secure() {
    // Not even to this machine: a cookie for TLS alone cannot be set without it.
    let plain = Server::answering(response("200 OK", "set-cookie: s=1; Secure\r\n", &token_body()));
    let oauth = client(&plain.url("/token"));
    oauth.get_authorization().unwrap();
    assert_eq!(oauth.cookie_count(), 0);
    let authority = crate::authority::Authority::new();
    let answer = response("200 OK", "set-cookie: s=1; Secure; Path=/\r\n", &token_body());
    let server = Server::tls(authority.server(), always(answer));
    let oauth = client(&server.https("/token"));
    set(&oauth, &[&authority.trusted()]);
    oauth.get_authorization().unwrap();
    assert!(oauth.cookie_secure(0).unwrap());
    oauth.add_cookie("own", "v");
    assert!(!oauth.cookie_secure(1).unwrap());
}

#[test]
fn cookies_outlive_engines_and_end_with_reset() {
    let server = setting_cookies();
    let oauth = client(&server.url("/token"));
    oauth.get_authorization().unwrap();
    set(&oauth, &["UserAgent=x"]);
    oauth.get_authorization().unwrap();
    assert_eq!(server.last().all("cookie"), ["sid=planted-sid; last=1"]);
    oauth.reset();
    assert_eq!(oauth.cookie_count(), 0);
}
