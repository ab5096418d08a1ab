//! Any bytes as the answer of a device authorization endpoint (RFC 8628 section 3.2), and the first poll after it.

use crate::document::{self, Read};
use crate::watch::{NOW, one_answer, response};
use oauth_core::{Client, Flow as _, Now, Output, Policy, Registration, Seed, Server, ServerMemory};
use std::time::Duration;

const DEVICE: &str = "https://as.example/device";
const DAY: u64 = 86_400;

/// Reads one answer. The first byte chooses the status.
///
/// # Panics
/// A prompt that no person should see, or a poll that comes early.
pub fn run(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let server = Server::new("https://as.example")
        .with_token_endpoint("https://as.example/token")
        .with_device_authorization_endpoint(DEVICE);
    let client = Client::new(server, Registration::public("c1"), Policy::strict()).expect("a right setup");
    let seed = Seed::new([7; Seed::LENGTH]);
    let flow = client.authorize_device(None, &ServerMemory::default(), seed).expect("there are endpoints");
    let response = response(*choice, body);
    let success = response.status().is_success();
    let Ok(prompt) = one_answer(flow, &[DEVICE], response, &[]) else { return };

    assert!(success, "believed at a bad status");
    assert!(!prompt.user_code.is_empty() && !prompt.user_code.chars().any(char::is_control));
    for page in
        [Some(&prompt.verification_uri), prompt.verification_uri_complete.as_ref()].into_iter().flatten()
    {
        assert_eq!((page.scheme(), page.username(), page.password()), ("https", "", None), "{page}");
        assert!(page.host().is_some());
    }
    assert!(prompt.expires_at >= NOW.unix && prompt.expires_at.0 <= NOW.unix.0 + DAY);
    let mut poll = prompt.poll;
    let interval = poll.interval();
    assert!(interval >= Duration::from_secs(1));
    match poll.poll(NOW) {
        Output::Wait(until) => assert!(until > NOW.mono && until <= NOW.mono.after(interval)),
        // A code that is over from the beginning.
        Output::Done(Err(_)) => return,
        output => panic!("polled at once: {output:?}"),
    }
    let early = Now { mono: NOW.mono.after(interval - Duration::from_nanos(1)), ..NOW };
    assert!(matches!(poll.poll(early), Output::Wait(_) | Output::Done(Err(_))), "polled early");
    let Read::Document(document) = document::json_or_form(body) else { return };
    assert_eq!(document.text("user_code"), Some(&*prompt.user_code));
    let code = document.text("device_code").expect("a code was read");
    let due = Now { mono: NOW.mono.after(interval), ..NOW };
    if let Output::Send(request) = poll.poll(due) {
        assert_eq!(request.endpoint().url().as_str(), "https://as.example/token");
        let sent = document::pairs(request.body());
        assert!(sent.iter().any(|(name, value)| name == "device_code" && value.as_str() == Some(code)));
    }
}
