//! Bodies that are made to cost time, memory or stack: each of 1 MiB, which is all that a transport hands over.
#![allow(missing_docs, reason = "a test has no public API")]

use oauth_core::{
    AccessToken, Client, ClientMetadata, Flow as _, Input, Mono, Now, Output, Policy, Refresh, RefreshToken,
    Register, Registration, Seed, Server, ServerMemory, Unix,
};
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;
const NOW: Now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };

/// One refresh that is answered by these bytes.
fn refresh(client: &Client, status: u16, body: &str) -> String {
    let grant = Refresh::new(RefreshToken::new("the-refresh-token"));
    let mut flow = client.exchange(grant, &ServerMemory::default(), Seed::new([7; Seed::LENGTH])).unwrap();
    let Output::Send(_) = flow.poll(NOW) else { panic!("nothing was sent") };
    let response = http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap();
    flow.handle(Input::Response(response.into()), NOW);
    match flow.poll(NOW) {
        Output::Done(Ok(tokens)) => tokens.access_token.expose().to_owned(),
        Output::Done(Err(failure)) => failure.to_string(),
        output => panic!("{output:?}"),
    }
}

/// One registration that is answered by these bytes.
fn register(status: u16, body: &str) -> String {
    let server = Server::new("https://as.example").with_registration_endpoint("https://as.example/register");
    let token = AccessToken::new("the-refresh-token");
    let mut flow = Register::new(&server, ClientMetadata::new(), Some(token), &Policy::strict()).unwrap();
    let Output::Send(_) = flow.poll(NOW) else { panic!("nothing was sent") };
    let response = http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap();
    flow.handle(Input::Response(response.into()), NOW);
    match flow.poll(NOW) {
        Output::Done(Ok(client)) => client.client_id,
        Output::Done(Err(failure)) => failure.to_string(),
        output => panic!("{output:?}"),
    }
}

fn filled(begin: &str, piece: impl Fn(usize) -> String, end: &str) -> String {
    let mut body = String::from(begin);
    for number in 0.. {
        let piece = piece(number);
        if body.len() + piece.len() + end.len() > MIB {
            break;
        }
        body.push_str(&piece);
    }
    body + end
}

fn same(piece: &'static str) -> impl Fn(usize) -> String {
    move |_| piece.into()
}

fn bodies() -> Vec<String> {
    let token = r#","access_token":"at","token_type":"Bearer"}"#;
    let names: Vec<_> = (0..255).map(|number| format!("\"m{number}\":0,")).collect();
    let parameters: Vec<_> = (0..255).map(|number| format!("m{number}=&")).collect();
    vec![
        filled("", same("["), ""),
        filled(r#"{"error":"#, same("["), ""),
        filled(r#"{"error":"#, same(r#"{"error":"#), ""),
        filled(r#"{"errors":["#, same(r#"{"code":"#), ""),
        // Many members, few of them and then one of them again and again, many of one object within another.
        filled("{", |number| format!("\"m{number}\":0,"), "\"z\":0}"),
        filled(&format!("{{{}", names.concat()), same("\"m254\":0,"), "\"z\":0}"),
        filled(r#"{"errors":["#, |_| format!("{{{}\"z\":0}},", names.concat()), "0]}"),
        filled(&parameters.concat(), same("m254=&"), ""),
        filled("a=&", |number| format!("a{number}=&"), ""),
        // Numbers that have to be read twice.
        filled("{\"a\":1e400", same("9"), token),
        filled("{\"a\":[1e400", same(",1e400"), &format!("]{token}")),
        filled("{\"a\":[1e400", same(",1e4000x"), "]}"),
        filled("{\"a\":", same("9"), "}"),
        filled("{\"a\":\"1e400", same("\\\""), "\",\"b\":1e400}"),
        // Pages.
        filled("", same("<"), ""),
        filled("", same("<script>"), ""),
        filled("", same("<!--"), ""),
        filled("", same("<p>&amp;"), ""),
        filled("<p>", same("the-refresh-token "), ""),
        filled("<p>", same("\u{200b}"), ""),
        filled("", same("%"), ""),
        filled("error=", same("%20"), ""),
        filled("scope=", same(","), "&access_token=at&token_type=bearer"),
        filled("access_token=at&token_type=bearer&scope=", same("a%2C"), ""),
        // Sentences.
        filled(r#"{"error":""#, same("\\u0061"), r#""}"#),
        filled(r#"{"message":""#, same("the-refresh-token"), r#""}"#),
        filled(r#"{"errors":["#, same("\"a b\","), "0]}"),
    ]
}

/// The readers are linear: what is quadratic takes minutes here. On 512 kB of stack, which no nesting overflows.
#[test]
fn a_hostile_body_of_a_mebibyte_is_read_in_no_time() {
    let server = Server::new("https://as.example").with_token_endpoint("https://as.example/token");
    let client = Client::new(server, Registration::public("c1"), Policy::strict()).unwrap();
    let reading = move || {
        for body in bodies() {
            for status in [200, 400] {
                for read in
                    [&|body: &str| refresh(&client, status, body), &|body: &str| register(status, body)]
                        as [&dyn Fn(&str) -> String; 2]
                {
                    let begun = Instant::now();
                    let shown = read(&body);
                    let taken = begun.elapsed();
                    let begin: String = body.chars().take(40).collect();
                    assert!(taken < Duration::from_secs(5), "{status} {begin}…: {taken:?}");
                    assert!(shown.len() < 2000 && !shown.contains("the-refresh-token"), "{shown}");
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(reading).unwrap().join().unwrap();
}
