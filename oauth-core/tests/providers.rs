//! Every profile of `providers`, played from its fixture in `tests/providers`: what is sent, byte by byte, and what is
//! read of the provider's own success and its own errors.
//!
//! `PROVIDERS=write cargo test -p oauth-core --features providers --test providers` writes what is sent and read anew,
//! fails, and leaves the difference to be judged.
#![cfg(feature = "providers")]
#![allow(missing_docs, reason = "a test has no public API")]

use oauth_core::{
    AuthorizationRequest, AuthorizationResponse, Client, ClientCredentials, ClientSecret, Error, Failure,
    Flow, Input, Mono, Now, OptOut, Output, Policy, Provider, ProviderError, Recognised, Refresh,
    RefreshToken, Registration, Request, Resource, Scope, Seed, ServerMemory, Tokens, Unix,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const NOW: Now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/providers")
}

fn seed() -> Seed {
    Seed::new([7; Seed::LENGTH])
}

fn response(answer: &Value) -> Input {
    let status = answer["status"].as_u64().unwrap_or(200);
    let body = match &answer["body"] {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    let response = http::Response::builder().status(u16::try_from(status).unwrap());
    Input::Response(response.body(body.into_bytes()).unwrap().into())
}

fn sent(request: &Request) -> Value {
    let headers: Map<String, Value> = request
        .headers()
        .filter(|(name, _)| *name != "accept")
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
        .collect();
    json!({
        "method": request.method().as_str(),
        "url": request.endpoint().url().as_str(),
        "headers": headers,
        "body": std::str::from_utf8(request.body()).unwrap(),
    })
}

fn read(tokens: &Tokens) -> Value {
    let mut read =
        json!({ "access_token": tokens.access_token.expose(), "token_type": tokens.token_type.as_str() });
    if let Some(expires_at) = tokens.expires_at {
        read["expires_in"] = (expires_at.0 - NOW.unix.0).into();
    }
    if let Some(refresh_token) = &tokens.refresh_token {
        read["refresh_token"] = refresh_token.expose().into();
    }
    if let Some(scope) = &tokens.scope {
        read["scope"] = scope.as_str().into();
    }
    for (name, value) in &tokens.extra {
        read["extra"][name] = serde_json::from_str(&value.to_string()).unwrap();
    }
    read
}

fn refused(failure: &Failure) -> Value {
    match &*failure.error {
        Error::Server(refusal) => {
            json!({ "code": refusal.code.as_str(), "description": refusal.description, "remedy": failure.remedy().to_string() })
        }
        // What no rule can tell from a page that is broken.
        error => {
            json!({ "error": error.to_string(), "excerpt": failure.excerpt, "remedy": failure.remedy().to_string() })
        }
    }
}

/// A login, a refresh, or what the client does by itself, as the fixture has it.
struct Stage<'a> {
    client: Client,
    fixture: &'a Value,
}

impl Stage<'_> {
    fn login(&self) -> (String, Request, impl FnOnce(Input) -> Result<Tokens, Failure>) {
        let memory = ServerMemory::default();
        let mut request = AuthorizationRequest::new("https://app.example/cb");
        if let Some(scope) = self.fixture["scope"].as_str() {
            request = request.with_scope(Scope::new(scope).unwrap());
        }
        let Output::Done(Ok(ready)) = self.client.authorize(request, &memory, seed()).unwrap().poll(NOW)
        else {
            panic!("no URL");
        };
        let open = ready.open.as_str().to_owned();
        let answer = self.fixture["callback"].as_str().unwrap_or("code=ac1");
        let answer = format!("{answer}&state={}", ready.pending.state());
        let answer = AuthorizationResponse::Query(&answer);
        assert_eq!(ready.pending.recognise(&answer), Recognised::Ours);
        let mut flow = ready.pending.redeem(&answer, &self.client, &memory, seed());
        let request = match flow.poll(NOW) {
            Output::Send(request) => request,
            output => panic!("{output:?}"),
        };
        (open, request, move |input| {
            flow.handle(input, NOW);
            match flow.poll(NOW) {
                Output::Done(result) => result.map(|granted| granted.tokens),
                output => panic!("{output:?}"),
            }
        })
    }

    fn alone(&self, token: &str) -> (Request, impl FnOnce(Input) -> Result<Tokens, Failure>) {
        let mut flow: Box<dyn Flow<Outcome = Tokens>> = match token {
            "" => Box::new(
                self.client.exchange(ClientCredentials::new(), &ServerMemory::default(), seed()).unwrap(),
            ),
            token => {
                let refresh = Refresh::new(RefreshToken::new(token));
                Box::new(self.client.exchange(refresh, &ServerMemory::default(), seed()).unwrap())
            }
        };
        let Output::Send(request) = flow.poll(NOW) else { panic!("nothing is sent") };
        (request, move |input| {
            flow.handle(input, NOW);
            match flow.poll(NOW) {
                Output::Done(result) => result,
                output => panic!("{output:?}"),
            }
        })
    }
}

fn play(name: &str, fixture: &Value) -> Value {
    let provider = Provider::known(name).unwrap();
    let variables: Vec<_> = fixture["variables"].as_object().into_iter().flatten().collect();
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let server = provider.server(&variables).unwrap();
    // What is in an ID token is no business of a profile.
    let mut policy = Policy::strict().waive(OptOut::UnreadIdTokens);
    if fixture["waived"] == "credentials-in-query" {
        policy = policy.waive(OptOut::CredentialsInQuery);
    }
    let registration = match fixture["secret"].as_str() {
        Some("") => Registration::public("c1"),
        secret => Registration::with_secret("c1", ClientSecret::new(secret.unwrap_or("s1"))),
    };
    let stage = Stage { client: Client::new(server, registration, policy).unwrap(), fixture };
    let mut played = fixture.clone();
    let by_itself = fixture["grant"] == "client_credentials";
    if by_itself {
        let (request, answer) = stage.alone("");
        played["token_request"] = sent(&request);
        played["read"] = read(&answer(response(&fixture["success"])).unwrap());
    } else {
        let (open, request, answer) = stage.login();
        played["authorize"] = open.into();
        played["token_request"] = sent(&request);
        let tokens =
            answer(response(&fixture["success"])).unwrap_or_else(|failure| panic!("{name}: {failure}"));
        played["read"] = read(&tokens);
        if let Some(token) = &tokens.refresh_token {
            played["refresh_request"] = sent(&stage.alone(token.expose()).0);
        }
    }
    for error in played["errors"].as_array_mut().unwrap() {
        let input = response(error);
        let failure = if by_itself { stage.alone("").1(input) } else { stage.login().2(input) };
        error["read"] = refused(&failure.expect_err(name));
    }
    played
}

#[test]
fn every_provider_is_asked_and_understood_as_its_fixture_says() {
    let write = std::env::var_os("PROVIDERS").is_some_and(|mode| mode == "write");
    let mut wrong = Vec::new();
    for name in Provider::names() {
        let file = folder().join(format!("{name}.json"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{name} has no fixture"));
        let fixture: Value = serde_json::from_str(&text).unwrap();
        // Each kind is there: a success and an error, in the provider's own words.
        assert!(fixture["success"]["body"].is_object() || fixture["success"]["body"].is_string(), "{name}");
        assert!(!fixture["errors"].as_array().unwrap().is_empty(), "{name}");
        let played = play(name, &fixture);
        if played != fixture {
            wrong.push(format!("{name}: expected {fixture:#}\nplayed {played:#}"));
            if write {
                std::fs::write(&file, format!("{played:#}\n")).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        std::fs::read_dir(folder()).unwrap().count(),
        Provider::names().count(),
        "a fixture without a profile"
    );
}

#[test]
fn there_are_thirty_and_each_says_where_it_is_documented() {
    let names: Vec<_> = Provider::names().collect();
    assert!(names.len() >= 30 && names.is_sorted(), "{names:?}");
    for name in names {
        let provider = Provider::known(name).unwrap_or_else(|| panic!("{name} cannot be read"));
        assert_eq!(provider.name(), name);
        assert!(provider.documentation().all(|url| url.starts_with("https://")), "{name}");
    }
    assert!(Provider::known("nobody").is_none());
}

#[test]
fn no_knob_is_there_that_no_profile_uses() {
    let used: BTreeSet<_> = Provider::names()
        .flat_map(|name| Provider::known(name).unwrap().knobs().map(|knob| knob.name).collect::<Vec<_>>())
        .collect();
    let all: BTreeSet<_> = Provider::KNOBS.into_iter().map(|(name, _)| name).collect();
    assert_eq!(all.difference(&used).collect::<Vec<_>>(), Vec::<&&str>::new());
}

fn with(member: &str) -> Result<Provider, ProviderError> {
    let head =
        r#"{"name":"x","documentation":["https://x.example"],"token_endpoint":"https://x.example/token""#;
    Provider::from_json(format!("{head},{member}}}").as_bytes())
}

#[test]
fn what_weakens_security_is_told() {
    for (member, weakens) in [
        (r#""token_request":"query""#, true),
        (r#""token_request":"json""#, false),
        (r#""token_type_missing":true"#, true),
        (r#""bearer_types":["bot"]"#, true),
        (r#""expiry_zero_is_never":true"#, true),
        (r#""scope_separator":",""#, false),
        (r#""authentication":"bearer_secret""#, false),
    ] {
        let knobs: Vec<_> = with(member).unwrap().knobs().collect();
        assert_eq!(knobs.len(), 1, "{member}");
        assert_eq!(knobs[0].weakens.is_some(), weakens, "{member}");
    }
    // A secret in a URL takes a waiver, too.
    let server = with(r#""token_request":"query""#).unwrap().server(&[]).unwrap();
    let refused = Client::new(server, Registration::public("c1"), Policy::strict()).unwrap_err();
    assert!(refused.to_string().contains("travel in URLs"), "{refused}");
}

#[test]
fn a_profile_that_is_wrong_says_which_member_and_what_it_has_to_be() {
    for (member, says) in [
        (r#""tokn_endpoint":"https://x""#, "\"tokn_endpoint\" is not a member"),
        (r#""authorization_endpoint":"http://x.example/a""#, "authorization_endpoint has to be an https URL"),
        (
            r#""authorization_endpoint":"{scheme}://x.example/a""#,
            "authorization_endpoint has to be an https URL",
        ),
        (r#""authorization_endpoint":"https://u:p@x.example/a""#, "without user name"),
        (r#""parameters":{"client_id":"a&b"}"#, "parameters.client_id has to be a name"),
        (r#""parameters":["client_id"]"#, "parameters has to be an object"),
        (r#""scope_separator":"a""#, "scope_separator has to be one of"),
        (r#""unescaped_scope":1"#, "unescaped_scope has to be true or false"),
        (r#""authentication":"both""#, "authentication has to be client_secret_basic"),
        (r#""token_request":"xml""#, "token_request has to be form, json or query"),
        (r#""headers":{"x":"a\r\nb: c"}"#, "headers.x has to be a text without control characters"),
        (r#""headers":{"x y":"a"}"#, "headers.x y has to be a name and a value"),
        (r#""answer":{"acces_token":"a"}"#, "answer.acces_token has to be a member of a token answer"),
        (r#""answer":{"access_token":"a..b"}"#, "answer.access_token has to be a name, or names with dots"),
        (r#""expiry":"days""#, "expiry has to be seconds, milliseconds or epoch"),
        (r#""callback":{"state":"x"}"#, "callback.state has to be a parameter of an authorization response"),
        (r#""keep":[]"#, "keep has to be a list"),
        (r#""refused_unless":{"a":1,"b":2}"#, "refused_unless has to be an object with one member"),
        (r#""name":"y""#, "name comes twice"),
    ] {
        let error = with(member).unwrap_err().to_string();
        assert!(error.contains(says), "{member}: {error}");
        assert!(!error.chars().any(char::is_control), "{error:?}");
    }
    for (profile, says) in [
        ("", "cannot be read: it is not JSON"),
        ("[]", "not an object"),
        (r#"{"documentation":["https://x.example"],"token_endpoint":"https://x.example"}"#, "lacks name"),
        (r#"{"name":"x","token_endpoint":"https://x.example"}"#, "lacks documentation"),
        (r#"{"name":"x","documentation":["https://x.example"]}"#, "lacks token_endpoint"),
    ] {
        let error = Provider::from_json(profile.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(says), "{profile}: {error}");
    }
}

#[test]
fn what_is_filled_in_stays_in_its_place() {
    let provider =
        with(r#""authorization_endpoint":"https://{shop}.x.example/{path}/a","token":{"id":"{id}"}"#)
            .unwrap();
    assert_eq!(provider.variables(), ["shop", "path", "id"]);
    let server = provider.server(&[("shop", "blue"), ("path", "v1.2"), ("id", "a & b")]).unwrap();
    assert_eq!(server.authorization_endpoint(), Some("https://blue.x.example/v1.2/a"));
    for bad in ["evil.example/", "a@b", "a:1", "..", "a?b", "a#b", "", "ä", "a b", "%2f"] {
        let error = provider.server(&[("shop", bad), ("path", "v1"), ("id", "x")]).unwrap_err();
        assert!(matches!(&error, ProviderError::Variable { name, .. } if name == "shop"), "{bad}: {error}");
    }
    assert!(provider.server(&[("shop", "a"), ("path", "b")]).is_err(), "one is missing");
    assert!(
        provider.server(&[("shop", "a"), ("path", "b"), ("id", "c"), ("ide", "d")]).is_err(),
        "one is unknown"
    );
    assert!(provider.server(&[("shop", "a"), ("path", "b"), ("id", "c\r\n")]).is_err());
}

/// RFC 8707 section 2: what comes more than once is a list in JSON.
#[test]
fn an_odd_request_loses_nothing() {
    let server = with(r#""token_request":"json","headers":{"x-v":"1"},"refused_unless":{"ok":true}"#)
        .unwrap()
        .server(&[])
        .unwrap();
    let client = Client::new(server, Registration::public("c1"), Policy::strict()).unwrap();
    let resource = |uri| Resource::new(uri).unwrap();
    let grant =
        ClientCredentials::new().with_resource(resource("https://a")).with_resource(resource("https://b"));
    let mut flow = client.exchange(grant, &ServerMemory::default(), seed()).unwrap();
    let Output::Send(request) = flow.poll(NOW) else { panic!("nothing is sent") };
    assert_eq!(
        std::str::from_utf8(request.body()).unwrap(),
        r#"{"grant_type":"client_credentials","resource":["https://a","https://b"],"client_id":"c1"}"#
    );
    assert!(request.one_shot() && request.headers().any(|(name, _)| *name == "x-v"));
    // What looks like a success and says that it is none.
    let body = json!({"ok": false, "access_token": "at", "token_type": "bearer", "refresh_token": "rt"});
    flow.handle(response(&json!({"body": body})), NOW);
    let Output::Done(Err(failure)) = flow.poll(NOW) else { panic!("a refusal was taken for tokens") };
    assert_eq!(refused(&failure)["code"], "ok false");
    assert_eq!(failure.rescued.unwrap().expose(), "rt");
}
