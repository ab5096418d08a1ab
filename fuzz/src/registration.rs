//! Any bytes as the answer to a registration, and to its reading, changing and deleting (RFC 7591, 7592).

use crate::document::{self, Read};
use crate::watch::{one_answer, response};
use oauth_core::{
    AccessToken, ClientInformation, ClientMetadata, Deregister, Failure, Policy, Register,
    RegistrationAccess, RegistrationAccessToken, Server,
};

const REGISTER: &[&str] = &["https://as.example/register"];
const MANAGE: &[&str] = &["https://as.example/register/c1"];
const TOKEN: &str = "the-registration-access-token-that-was-sent";
const INITIAL: &str = "the-initial-access-token-that-was-sent";

/// Reads one answer. The first byte chooses the status and the request.
///
/// # Panics
/// Another client was taken for this one, or the access to a registration was lost.
pub fn run(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let policy = Policy::strict();
    let access = || RegistrationAccess {
        registration_client_uri: MANAGE[0].into(),
        registration_access_token: RegistrationAccessToken::new(TOKEN),
    };
    let metadata = || ClientMetadata::new().with_client_name("App");
    let response = response(*choice, body);
    let success = response.status().is_success();
    let (existing, result) = match choice / 16 % 4 {
        0 => {
            let server = Server::new("https://as.example").with_registration_endpoint(REGISTER[0]);
            let flow = Register::new(&server, metadata(), Some(AccessToken::new(INITIAL)), &policy);
            (false, one_answer(flow.expect("an endpoint"), REGISTER, response, &[INITIAL]))
        }
        1 => {
            let flow = Register::read("c1", access(), &policy).expect("it may be asked");
            (true, one_answer(flow, MANAGE, response, &[TOKEN]))
        }
        2 => {
            let flow = Register::update("c1", metadata(), access(), &policy).expect("it may be asked");
            (true, one_answer(flow, MANAGE, response, &[TOKEN]))
        }
        _ => {
            let flow = Deregister::new(access(), &policy).expect("it may be asked");
            assert_eq!(one_answer(flow, MANAGE, response, &[TOKEN]).is_ok(), success);
            return;
        }
    };
    if let Ok(client) = &result {
        assert!(success, "believed at a bad status");
        assert!(!existing || client.client_id == "c1", "another client");
    }
    let Read::Document(document) = document::json(body) else { return };
    if let Ok(client) = &result {
        assert_eq!(document.text("client_id"), Some(&*client.client_id));
    }
    // What opens the registration from now on comes out, whatever else is wrong with the answer.
    let is_token = |token: &&str| {
        let token = token.trim_end_matches('=');
        !token.is_empty()
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
    };
    let token = document.text("registration_access_token").filter(is_token);
    let uri = document.text("registration_client_uri").filter(|uri| !uri.is_empty());
    if let Some(token) = token
        && (uri.is_some() || existing)
        && (existing, token) != (true, TOKEN)
    {
        let kept = access_of(&result).expect("the access was lost");
        assert_eq!(kept.registration_access_token.expose(), token);
        assert_eq!(kept.registration_client_uri, uri.unwrap_or(MANAGE[0]));
    }
}

fn access_of(result: &Result<ClientInformation, Failure>) -> Option<&RegistrationAccess> {
    match result {
        Ok(client) => client.access.as_ref(),
        Err(failure) => failure.rescued_registration.as_deref(),
    }
}
