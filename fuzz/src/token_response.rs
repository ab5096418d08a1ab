//! Any bytes, at any status, as the answer to a refresh.

use crate::document::{self, Read};
use crate::watch::Watch;
use arbitrary::Arbitrary;
use oauth_core::{
    Client, Error, Flow as _, Input, Malformed, Mono, Now, Output, Policy, Refresh, RefreshToken,
    Registration, Seed, Server, ServerMemory, Unix,
};

/// What a token endpoint may answer.
#[derive(Arbitrary, Debug)]
pub struct Answer<'a> {
    status: u16,
    headers: [Option<&'a [u8]>; 2],
    body: &'a [u8],
}

const NOW: Now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };
/// What is sent, and must never be said.
const SENT: &str = "the-refresh-token-that-was-sent";

/// Runs one refresh.
///
/// # Panics
/// The answer was believed where it may not be, or a refresh token was lost.
pub fn run(answer: &Answer<'_>) {
    let Some(response) = response(answer) else { return };
    let server = Server::new("https://as.example").with_token_endpoint("https://as.example/token");
    let client = Client::new(server, Registration::public("c1"), Policy::strict()).expect("a right setup");
    let grant = Refresh::new(RefreshToken::new(SENT));
    let seed = Seed::new([7; Seed::LENGTH]);
    let mut flow = client.exchange(grant, &ServerMemory::default(), seed).expect("there is a token endpoint");
    let mut watch = Watch::new(1, &["https://as.example/token"]);
    watch.output(&flow.poll(NOW), NOW);
    let status = response.status().as_u16();
    let input = Input::Response(response.into());
    watch.input(&input);
    flow.handle(input, NOW);
    let output = flow.poll(NOW);
    watch.output(&output, NOW);
    let Output::Done(result) = output else { panic!("one answer is all that a refresh needs: {output:?}") };
    watch.output(&flow.poll(NOW), NOW);

    let document = match document::json_or_form(answer.body) {
        Read::Document(document) => Some(document),
        Read::Neither => None,
        Read::CannotTell => return,
    };
    let text = |name: &str| document.as_ref().and_then(|members| members.text(name));
    let is_vschar = |text: &&str| !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x20..=0x7E));
    let new = text("refresh_token").filter(is_vschar);
    match result {
        Ok(tokens) => {
            assert!((200..300).contains(&status), "believed at status {status}");
            assert_eq!(text("access_token").filter(is_vschar), Some(tokens.access_token.expose()));
            assert!(text("token_type").is_some_and(|name| name.eq_ignore_ascii_case("Bearer")));
            assert!(text("error").is_none_or(str::is_empty), "an error that was not heard");
            let kept = tokens.refresh_token.expect("a refresh leaves a refresh token");
            assert_eq!(kept.expose(), new.unwrap_or(SENT));
            assert!(tokens.expires_at.is_none_or(|at| at >= NOW.unix && at.0 < NOW.unix.0 + 400 * 86_400));
        }
        Err(failure) => {
            let shown = format!("{failure} {failure:?}");
            assert!(!shown.contains(SENT), "{shown}");
            let outage = matches!(*failure.error, Error::Unavailable(_));
            assert_eq!(outage, status == 429 || (500..600).contains(&status), "{failure}");
            let rescued = failure.rescued.as_ref().map(RefreshToken::expose);
            // Of two, the first is the one that is kept.
            match new.filter(|_| !outage) {
                Some(new) => assert_eq!(rescued, Some(new), "a refresh token was lost: {failure}"),
                None => assert!(!outage || rescued.is_none()),
            }
            // What this reader takes for a success is one, unless there is a reason that has a name.
            let success = (200..300).contains(&status)
                && text("access_token").filter(is_vschar).is_some()
                && text("token_type").is_some_and(|name| name.eq_ignore_ascii_case("Bearer"));
            let named = matches!(
                *failure.error,
                Error::Server(_)
                    | Error::Malformed(Malformed::Duplicate(_) | Malformed::TooLarge | Malformed::Invalid(_))
            );
            assert!(!success || named, "{failure}");
        }
    }
}

fn response(answer: &Answer<'_>) -> Option<http::Response<Vec<u8>>> {
    // Whole statuses, and among them those that mean something.
    let status = match answer.status % 8 {
        0..=2 => 200,
        3 => 400,
        _ => 100 + answer.status % 500,
    };
    let mut response = http::Response::builder().status(status);
    for (name, value) in ["retry-after", "date"].into_iter().zip(answer.headers) {
        if let Some(value) = value {
            response = response.header(name, value);
        }
    }
    response.body(answer.body.to_vec()).ok()
}
