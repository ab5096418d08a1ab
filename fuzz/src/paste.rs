//! Any bytes as what a person pastes.

use oauth_core::AuthorizationResponse;
use oauth_loopback::paste::{self, LONGEST, NotAnAnswer, Pasted};

/// Reads a pasted text, and reads it again with more around it.
///
/// # Panics
/// Something came out that was not in the text, that is no response or no code, or that depends on what is put around it;
/// or an error or a `Debug` shows what was pasted.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let read = paste::read(&text);
    match &read {
        Ok(Pasted::Response(pasted)) => {
            let (AuthorizationResponse::Query(parameters) | AuthorizationResponse::Fragment(parameters)) =
                pasted.as_response()
            else {
                panic!("neither a query nor a fragment");
            };
            assert!(!parameters.chars().any(char::is_control), "{parameters:?}");
            assert!(squeezed(&text).contains(&squeezed(parameters)), "{parameters:?}");
        }
        Ok(Pasted::Code(code)) => {
            assert!(!code.expose().is_empty() && code.expose().bytes().all(|byte| byte.is_ascii_graphic()));
        }
        Ok(_) => panic!("another kind"),
        Err(NotAnAnswer::TooLong) => assert!(text.len() > LONGEST),
        Err(_) => {}
    }
    if text.len() < LONGEST / 2 {
        for wrapped in
            [format!("\n <{text}>\r\n"), format!("\x1b[200~{text}\x1b[201~\n"), format!("\u{7}{text}\u{0}")]
        {
            assert_eq!(parts(&paste::read(&wrapped)), parts(&read), "{wrapped:?}");
        }
    }
    // The same for every secret.
    let debug = format!("{read:?}");
    let blind = match parts(&read).1.as_str() {
        "query" => debug == "Ok(Response(PastedResponse(Query([redacted]))))",
        "fragment" => debug == "Ok(Response(PastedResponse(Fragment([redacted]))))",
        "code" => debug == "Ok(Code(AuthorizationCode([redacted])))",
        error => debug == format!("Err({error})"),
    };
    assert!(blind, "{debug}");
}

/// Without what may be dropped anywhere.
fn squeezed(text: &str) -> String {
    // What is left of one mark makes no other one.
    let parts = text.split("\x1b[200~").flat_map(|part| part.split("\x1b[201~"));
    parts.flat_map(str::chars).filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

/// What was read, and as what.
fn parts(read: &Result<Pasted, NotAnAnswer>) -> (String, String) {
    match read {
        Ok(Pasted::Response(pasted)) => match pasted.as_response() {
            AuthorizationResponse::Query(text) => (text.to_owned(), "query".to_owned()),
            AuthorizationResponse::Fragment(text) => (text.to_owned(), "fragment".to_owned()),
            _ => panic!("neither a query nor a fragment"),
        },
        Ok(Pasted::Code(code)) => (code.expose().to_owned(), "code".to_owned()),
        Ok(_) => panic!("another kind"),
        Err(error) => (String::new(), format!("{error:?}")),
    }
}
