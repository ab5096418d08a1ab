//! The demo: it takes the flags that it has, names no other, and tells what it promises to tell.
#![cfg(unix)]
#![allow(missing_docs, reason = "a test")]

mod support;

use oauth_testserver::Browser;
use support::{Waiting, fails, is_bearer_line, oauth, run, stderr};

#[test]
fn twice_verbose_tells_what_goes_over_the_wire_without_secrets() {
    for arguments in [&["demo", "--yes", "-vv"][..], &["demo", "--yes", "-vv", "--fault", "duplicate"]] {
        let output = run(arguments);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(told.contains("   > POST ") && told.contains("   < "), "{told}");
        for name in ["demo-at-", "demo-rt-", "demo-code-"] {
            assert!(!told.contains(name), "{name} in {told}");
        }
    }
    assert!(!stderr(&run(&["demo", "--yes", "-v"])).contains("   > POST "));
}

#[test]
fn hints_name_the_flags_that_there_are() {
    let output = run(&["demo", "--no-browser", "--timeout", "1s"]);
    fails(&output, 6, "in time");
    for flag in ["--prompt", "--redirect-host"] {
        assert!(!stderr(&output).contains(flag), "{flag} in {}", stderr(&output));
    }
    let output = run(&["authorize", "--demo", "--no-browser", "--timeout", "1s"]);
    assert!(stderr(&output).contains("--prompt select_account"), "{}", stderr(&output));
    // A server that has nothing for other devices.
    let server =
        ["--authorization-endpoint", "https://as.example/a", "--token-endpoint", "https://as.example/t"];
    let output =
        run(&[&["authorize", "--client-id", "x", "--no-browser", "--timeout", "1s"], &server[..]].concat());
    fails(&output, 6, "in time");
    assert!(!stderr(&output).contains("--device"), "{}", stderr(&output));
}

#[test]
fn what_is_asked_for_is_asked_for() {
    let flags = ["--scope", "profile", "--prompt", "consent", "--login-hint", "ada"];
    let waiting = Waiting::start(&[&["authorize", "--demo", "--no-browser"], &flags[..]].concat());
    let url = waiting.url();
    for wanted in ["&scope=profile&", "prompt=consent", "login_hint=ada"] {
        assert!(format!("{url}&").contains(wanted), "{wanted} in {url}");
    }
    Browser::new().sign_in("ada", &url).unwrap();
    let (code, stdout, told) = waiting.end();
    assert!(code == Some(0) && is_bearer_line(&stdout), "{told}");
}

#[test]
fn the_way_back_may_be_https() {
    let waiting = Waiting::start(&["authorize", "--demo", "--no-browser", "--callback-tls", "self-signed"]);
    let landing = Browser::new().without_visiting_redirect_uri().sign_in("ada", &waiting.url()).unwrap();
    assert!(
        landing.url.starts_with("https://127.0.0.1:") && landing.url.contains("code="),
        "{}",
        landing.url
    );
    support::signal("INT", waiting.id());
    assert_eq!(waiting.end().0, Some(130));
}

#[test]
fn without_a_home_a_profile_is_missed_by_a_whole_sentence() {
    let output =
        oauth(&["authorize", "work"]).env_remove("HOME").env_remove("XDG_CONFIG_HOME").output().unwrap();
    fails(&output, 3, "oauth: there is no home folder");
}
