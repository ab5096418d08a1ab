//! What goes wrong on the way through the browser, as `oauth demo --fault` shows it: the words and the exit codes are stable.
#![allow(missing_docs, reason = "a test")]

mod support;

use oauth_testserver::{Browser, Landing};
use support::{Waiting, fails, is_bearer_line, run, stderr, stdout};

/// Each fault as it ends: the exit code, and what is said on the way.
macro_rules! faults {
    ($($test:ident: $fault:literal ends with $code:literal and says $what:literal;)+) => {
        mod with_a_pretend_person { $(
            #[test]
            fn $test() {
                super::pretended(&["demo", "--yes", "--fault", $fault], $code, $what);
            }
        )+ }
        mod with_a_person { $(
            #[test]
            fn $test() {
                super::played($fault, $code, $what);
            }
        )+ }
    };
}

faults! {
    a_refusal: "denied" ends with 5 and says "access_denied";
    a1_the_state_of_another_login: "wrong-state" ends with 0 and says "its state is that of another login";
    a4_the_issuer_of_another_server: "wrong-iss" ends with 8 and says "its issuer is \"https://other.example\"";
    lb_12_a14_the_same_answer_twice: "duplicate" ends with 0 and says "answered with 410, and was not used a second time";
    lb_13_a_prefetch: "prefetch" ends with 0 and says "answered with 204, and used nothing up";
    lb_10_an_icon: "favicon" ends with 0 and says "a request for an icon was answered with 204";
    lb_20_a_slow_server: "slow" ends with 0 and says "the token opens the door";
    an_old_code: "expired" ends with 5 and says "invalid_grant (The code has expired.)";
    lb_06_https_on_a_plain_port: "https-upgrade" ends with 0 and says "a TLS handshake on the plain port was turned away";
}

fn ended(code: Option<i32>, wanted: i32, stdout: &str, told: &str, what: &str) {
    assert_eq!(code, Some(wanted), "{told}");
    assert_eq!(is_bearer_line(stdout), wanted == 0, "{stdout} {told}");
    assert!(told.contains(what), "expected {what:?} in: {told}");
    assert!(!told.contains("panicked") && !told.contains("did not come about"), "{told}");
    // RFC 9700 section 4.2: a code is a secret, whatever goes wrong with it.
    assert!(!told.contains("demo-code-") && !told.contains("demo-at-"), "{told}");
}

fn pretended(arguments: &[&str], code: i32, what: &str) {
    let output = run(arguments);
    ended(output.status.code(), code, stdout(&output), stderr(&output), what);
}

/// The test plays the person, who opens the printed address.
fn played(fault: &str, code: i32, what: &str) {
    let waiting = Waiting::start(&["demo", "--no-browser", "--fault", fault]);
    let url = waiting.url();
    if ["prefetch", "favicon", "https-upgrade"].contains(&fault) {
        // The browser did it before the person was done.
        let _done = waiting.line(|line| line.contains(what));
    }
    let sign_in = || -> Landing { Browser::new().sign_in("ada", &url).unwrap() };
    let mut landing = sign_in();
    if fault == "wrong-state" {
        assert_eq!(landing.status, Some(400), "{}", landing.body);
        let _noted = waiting.line(|line| line.contains(what));
        landing = sign_in();
    }
    let promised = landing.body.contains("You are signed in");
    assert_eq!(promised, code == 0 && fault != "slow", "the page tells the truth: {}", landing.body);
    let (ended_with, stdout, told) = waiting.end();
    let seen_already = ["prefetch", "favicon", "https-upgrade", "wrong-state"].contains(&fault);
    ended(ended_with, code, &stdout, &told, if seen_already { "" } else { what });
}

#[test]
fn on_another_device_a_refusal_and_an_old_code_have_codes_of_their_own() {
    pretended(&["demo", "--yes", "--device", "--fault", "denied"], 5, "access_denied");
    pretended(&["demo", "--yes", "--device", "--fault", "expired"], 6, "the time to sign in is over");
    fails(
        &run(&["demo", "--yes", "--device", "--fault", "favicon"]),
        2,
        "in the browser that comes back here",
    );
    assert_eq!(run(&["demo", "--fault", "nonsense"]).status.code(), Some(2));
}
