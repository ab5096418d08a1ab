//! Cookies.

use super::*;

fn keeping() -> SessionSettings {
    let mut settings = SessionSettings::new();
    settings.keep_cookies = true;
    settings.redirects = Redirects::Always;
    settings
}

fn setting(lines: &[&str]) -> Answer {
    (200, lines.iter().map(|line| ("set-cookie", (*line).to_owned())).collect(), b"{}".to_vec())
}

/// What goes to a second address after a first one set these cookies.
fn sent_back(first: &str, lines: &[&str], second: &str) -> Option<String> {
    let session = session(keeping(), [setting(lines), ok("{}")]);
    send(&session, get(first)).unwrap();
    send(&session, get(second)).unwrap();
    session.transport().sent()[1].header("cookie").map(str::to_owned)
}

#[test]
fn cookies_go_back_to_those_they_are_for() {
    let home = "https://login.as.example/a/b";
    for (line, second, goes) in [
        ("k=v", home, true),
        ("k=v", "https://login.as.example/a/other", true),
        ("k=v", "https://login.as.example/", false),
        ("k=v; Path=/", "https://login.as.example/", true),
        ("k=v; Path=/", "https://as.example/", false),
        ("k=v; Path=/; Domain=as.example", "https://as.example/", true),
        ("k=v; Path=/; Domain=as.example", "https://other.as.example/", true),
        ("k=v; Path=/; Domain=other.example", home, false),
        ("k=v; Path=/; Domain=example", home, false),
        ("k=v; Path=/; Max-Age=0", home, false),
        ("k=v; Path=/; Expires=Sun, 06 Nov 1994 08:49:37 GMT", home, false),
        ("k=v; Path=/; Secure", home, true),
        ("__Host-k=v; Path=/; Secure", home, true),
        ("__Host-k=v; Path=/", home, false),
        ("__Host-k=v; Path=/; Secure; Domain=as.example", home, false),
        ("__Secure-k=v", home, false),
        ("=v", home, false),
    ] {
        let name = line.split('=').next().unwrap();
        let expected = goes.then(|| format!("{name}=v"));
        assert_eq!(sent_back(home, &[line], second), expected, "{line} {second}");
    }
}

#[test]
fn a_public_suffix_gets_no_cookie() {
    for (host, domain) in [("a.co.uk", "co.uk"), ("me.github.io", "github.io"), ("as.com", "com")] {
        let url = format!("https://{host}/");
        assert_eq!(sent_back(&url, &[&format!("k=v; Domain={domain}; Path=/")], &url), None, "{domain}");
    }
}

#[test]
fn nothing_secure_travels_without_tls() {
    let (plain, tls) = ("http://127.0.0.1:1/", "https://127.0.0.1:1/");
    assert_eq!(sent_back(tls, &["k=v; Secure"], plain), None);
    assert_eq!(sent_back(plain, &["k=v; Secure"], plain), None);
    assert_eq!(sent_back(plain, &["k=v"], plain), Some("k=v".to_owned()));
}

#[test]
fn without_the_setting_none_is_kept() {
    let session = session(SessionSettings::new(), [setting(&["k=v"]), ok("{}")]);
    send(&session, get("https://as.example/")).unwrap();
    send(&session, get("https://as.example/")).unwrap();
    assert!(session.transport().sent().iter().all(|sent| sent.header("cookie").is_none()));
    assert!(session.memory().cookies().is_empty());
}

#[test]
fn added_cookies_go_to_their_origin_alone() {
    let home = Url::parse("https://as.example/x").unwrap();
    let session = session(
        keeping(),
        [
            setting(&["kept=1"]),
            (302, vec![("location", "https://other.example/".to_owned())], vec![]),
            ok("{}"),
        ],
    );
    assert!(session.memory().add_cookie(&home, "mine", "planted"));
    assert!(session.memory().add_cookie(&home, "mine", "planted2"));
    for (name, value) in [("", "v"), ("a b", "v"), ("a", "v;w"), ("a", "v\r\nx: y"), ("a;b", "v"), ("a", "é")]
    {
        assert!(!session.memory().add_cookie(&home, name, value), "{name:?} {value:?}");
    }
    send(&session, get("https://as.example/")).unwrap();
    // A document, so that the redirect to another server is followed. Cookies are of the hop.
    send(&session, get("https://as.example/")).unwrap();
    let sent: Vec<_> =
        session.transport().sent().iter().map(|sent| sent.header("cookie").map(str::to_owned)).collect();
    assert_eq!(sent.len(), 2, "a request with a cookie does not leave its origin");
    assert_eq!(sent[0].as_deref(), Some("mine=planted2"));
    assert_eq!(sent[1].as_deref(), Some("kept=1; mine=planted2"));
    let all = session.memory().cookies();
    assert_eq!(all.len(), 2);
    assert!(!format!("{all:?}").contains("planted"));
    let received = session.memory().received_cookies();
    assert_eq!(received.iter().map(|cookie| cookie.name.as_str()).collect::<Vec<_>>(), ["kept"]);
    session.memory().forget_added_cookies();
    assert_eq!(session.memory().cookies().len(), 1);
    session.memory().clear_cookies();
    assert!(session.memory().cookies().is_empty());
}

#[test]
fn cookies_tell_what_they_are_for_and_when_they_end() {
    let lines = ["ends=1; Max-Age=86400", "stays=1", "old=1; Path=/; Expires=Fri, 31 Dec 2077 23:59:59 GMT"];
    let session = session(keeping(), [setting(&lines)]);
    send(&session, get("https://as.example/a/b")).unwrap();
    let mut cookies = session.memory().received_cookies();
    cookies.sort_by(|one, other| one.name.cmp(&other.name));
    let paths: Vec<_> = cookies.iter().map(|cookie| cookie.path.as_str()).collect();
    assert_eq!(paths, ["/a", "/", "/a"], "RFC 6265 section 5.1.4");
    assert!(cookies[0].expires.ends_with(" GMT"), "{:?}", cookies[0].expires);
    assert_eq!(cookies[1].expires, "Fri, 31 Dec 2077 23:59:59 GMT");
    assert_eq!(cookies[2].expires, "");
}

#[test]
fn a_flood_of_cookies_is_bounded() {
    let many: Vec<String> = (0..1000).map(|index| format!("k{index}=v")).collect();
    let lines: Vec<&str> = many.iter().map(String::as_str).collect();
    let session = session(keeping(), [setting(&lines), setting(&["k7=new", "other=v", "k8=; Max-Age=0"])]);
    send(&session, get("https://as.example/")).unwrap();
    assert_eq!(session.memory().cookies().len(), 300);
    send(&session, get("https://as.example/")).unwrap();
    let cookies = session.memory().cookies();
    let value = |name| cookies.iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value.as_str());
    assert_eq!((value("k7"), value("k8"), value("other")), (Some("new"), None, None));
}

#[test]
fn a_cookie_is_as_long_as_it_may_be() {
    for (length, is_kept) in [(4000, true), (5000, false)] {
        let session = session(keeping(), [setting(&[&format!("big={}", "v".repeat(length))])]);
        send(&session, get("https://as.example/")).unwrap();
        assert_eq!(session.memory().cookies().len(), usize::from(is_kept), "{length}");
    }
}
