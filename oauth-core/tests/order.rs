//! Any inputs in any order, into every flow.
//!
//! The driver here is wild: it answers what was not asked, twice, with anything; it polls too often; both clocks jump.
//! Whatever it does, a flow never panics, is `Done` at most once and `Idle` for ever after, asks for nothing while an
//! answer is owed, takes a bounded number of steps, sends to the configured endpoints alone, and loses no refresh token.
#![allow(missing_docs, reason = "a test has no public API")]

use oauth_core::{
    AccessToken, Algorithm, AuthorizationRequest, AuthorizationResponse, Client, ClientCredentials,
    ClientInformation, ClientMetadata, ClientSecret, Delivered, Deregister, Discover, DiscoverResource,
    Error, Failure, Flow, Granted, IdTokenRules, Input, IntrospectionRequest, JwtBearer, KeyFailed, KeyId,
    KeyTask, KeyWhy, Misuse, Mono, Now, Opened, OptOut, Output, Password, Policy, Purpose, Recognised,
    Refresh, RefreshToken, Register, Registration, RegistrationAccess, RegistrationAccessToken, Request,
    Resource, ResourceOwnerPassword, Response, Saml2Bearer, Scope, SecretBytes, Seed, Server, ServerMemory,
    TokenExchange, TokenType, TokenTypeIdentifier, Tokens, Unix, Unreachable, UnreachableKind,
};
use std::time::Duration;

const SEQUENCES: u64 = 20_000;
const STEPS: u32 = 40;

/// xorshift64*: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }
}

/// A response before it is handed over: what it means can still be seen.
struct Made {
    status: u16,
    retry_after: Option<u64>,
    body: String,
    mutated: bool,
}

impl Made {
    fn response(&self) -> Response {
        let mut response = http::Response::builder().status(self.status);
        if let Some(seconds) = self.retry_after {
            response = response.header("retry-after", seconds);
        }
        response.body(self.body.clone().into_bytes()).unwrap().into()
    }
}

const TOKEN_BODIES: [&str; 23] = [
    r#"{"refresh_token":"new","access_token":"at","token_type":"Bearer","expires_in":60}"#,
    r#"{"access_token":"at","token_type":"bearer","scope":"a b c"}"#,
    r#"{"refresh_token":"new","access_token":"at","token_type":"mac"}"#,
    r#"{"refresh_token":"new","access_token":"a\nt","token_type":"Bearer"}"#,
    r#"{"refresh_token":"new","access_token":"at","token_type":"Bearer","scope":"a","scope":"b"}"#,
    r#"{"refresh_token":"new","error":"invalid_scope"}"#,
    r#"{"error":"authorization_pending"}"#,
    r#"{"error":"slow_down"}"#,
    r#"{"error":"slow_down","interval":40}"#,
    r#"{"error":"expired_token"}"#,
    r#"{"error":"access_denied","error_description":"no"}"#,
    r#"{"error":{"code":7}}"#,
    "<html>",
    "",
    "[]",
    r#"{"device_code":"dc","user_code":"AB","verification_uri":"https://as.example/d","expires_in":120,"interval":7}"#,
    r#"{"refresh_token":"new","access_token":"at","token_type":"N_A","issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}"#,
    r#"{"refresh_token":"new","access_token":"at","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:jwt"}"#,
    r#"{"refresh_token":"new","access_token":"at","token_type":"Bearer","expires_in":1e400}"#,
    "access_token=at&token_type=bearer&scope=b,a&expires=60",
    "error=invalid_grant&error_description=no",
    r#"{"refresh_token":"new","error":{"code":"invalid_grant","message":"no"}}"#,
    r#"{"errors":[{"errorType":"invalid_grant"}]}"#,
];

const METADATA: [&str; 5] = [
    r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a","token_endpoint":"https://as.example/t"}"#,
    r#"{"issuer":"https://evil.example","token_endpoint":"https://evil.example/t"}"#,
    r#"{"issuer":"https://as.example","token_endpoint":"http://as.example/t"}"#,
    "<html>",
    r#"{"issuer":"#,
];

const STATUSES: [u16; 14] = [200, 200, 200, 200, 400, 400, 400, 401, 404, 302, 429, 500, 503, 204];

fn made(dice: &mut Dice, bodies: &[&str]) -> Made {
    let mut body = String::from(*dice.pick(bodies));
    let mutated = dice.roll(8) == 0 && !body.is_empty();
    if mutated {
        let at = usize::try_from(dice.roll(body.len() as u64)).unwrap();
        match dice.roll(3) {
            0 => body.truncate(at),
            1 => drop(body.remove(at)),
            _ => body.insert(at, *dice.pick(&['"', '{', ',', '\\', '7', '\u{202e}'])),
        }
    }
    let retry_after = (dice.roll(4) == 0).then(|| *dice.pick(&[0, 1, 30, 90, 1_000_000]));
    Made { status: *dice.pick(&STATUSES), retry_after, body, mutated }
}

fn other_input(dice: &mut Dice) -> Input {
    match dice.roll(3) {
        0 => Input::Signature(b"signature".to_vec()),
        1 => Input::KeyFailed(KeyFailed::new(*dice.pick(&[KeyWhy::NoKey, KeyWhy::Busy]))),
        _ => Input::Unreachable(unreachable(dice)),
    }
}

/// What a key holder says that has opened an ID token.
fn opened(dice: &mut Dice) -> Input {
    let algorithm = dice.pick(&[Algorithm::RS256, Algorithm::RS256, Algorithm::HS256]).clone();
    let claims = *dice.pick(&[ID_TOKEN, ID_TOKEN, "{}", r#"{"sub":7}"#]);
    Input::Opened(Opened::new(algorithm, SecretBytes::new(claims)))
}

const ID_TOKEN: &str =
    r#"{"iss":"https://as.example","sub":"alice","aud":"c1","iat":1699990000,"exp":1700100000}"#;

const ID_TOKEN_BODIES: [&str; 6] = [
    r#"{"refresh_token":"new","access_token":"at","token_type":"Bearer","id_token":"e30.e30.AA"}"#,
    r#"{"refresh_token":"new","access_token":"at","token_type":"Bearer","id_token":"e30.e30.AA","expires_in":60}"#,
    r#"{"refresh_token":"new","access_token":"at","token_type":"Bearer","id_token":""}"#,
    r#"{"keys":[]}"#,
    r#"{"keys":[{}]}"#,
    r#"{"error":"invalid_grant"}"#,
];

fn unreachable(dice: &mut Dice) -> Unreachable {
    let kinds = [
        UnreachableKind::Timeout,
        UnreachableKind::Connect,
        UnreachableKind::Broken,
        UnreachableKind::Name,
        UnreachableKind::Tls,
        UnreachableKind::TooLarge,
        UnreachableKind::Cancelled,
    ];
    Unreachable::new(*dice.pick(&kinds), *dice.pick(&[Delivered::No, Delivered::Unknown]))
}

/// Both clocks, as a machine that sleeps, and whose wall clock is set, has them. `mono` never goes back.
struct Clocks(Now);

impl Clocks {
    fn new() -> Self {
        Self(Now { mono: Mono::from_duration(Duration::from_secs(1000)), unix: Unix(1_700_000_000) })
    }

    fn pass(&mut self, time: Duration) {
        self.0 = Now { mono: self.0.mono.after(time), unix: self.0.unix.after(time) };
    }

    fn jump(&mut self, dice: &mut Dice) {
        match dice.roll(12) {
            0 => self.0.unix = self.0.unix.after(Duration::from_secs(dice.roll(100))),
            1 => self.0.unix = Unix(self.0.unix.0 - dice.roll(1000)),
            2 => self.pass(Duration::from_secs(dice.roll(100))),
            3 => self.pass(Duration::from_millis(dice.roll(10_000))),
            _ => {}
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Owed {
    Nothing,
    Response,
    Signature,
    Opened,
}

/// What holds for every flow, whatever is done to it.
struct Watch {
    owed: Owed,
    over: bool,
    /// An input came that was not asked for: the next output is a failure.
    misused: bool,
    sends: u32,
    keys: u32,
    /// What the last request was for.
    purpose: Purpose,
}

impl Watch {
    const fn new() -> Self {
        Self { owed: Owed::Nothing, over: false, misused: false, sends: 0, keys: 0, purpose: Purpose::Token }
    }

    /// Checks an output against everything that came before it.
    fn output<T>(&mut self, output: &Output<T>, now: Now, origins: &[&str]) {
        assert!(!self.over || matches!(output, Output::Idle), "an output after the flow was over");
        match output {
            Output::Send(request) => {
                assert_eq!((self.owed, self.misused), (Owed::Nothing, false), "sent, out of order");
                assert!(origins.contains(&request.endpoint().url().as_str()), "{request:?}");
                assert!(request.max_body() <= 1 << 20);
                (self.owed, self.sends) = (Owed::Response, self.sends + 1);
                self.purpose = request.purpose();
            }
            Output::Key(task) => {
                assert_eq!(
                    (self.owed, self.misused),
                    (Owed::Nothing, false),
                    "asked for a key, out of order"
                );
                let owed = if matches!(task, KeyTask::Open(_)) { Owed::Opened } else { Owed::Signature };
                (self.owed, self.keys) = (owed, self.keys + 1);
            }
            Output::Wait(until) => {
                assert_eq!((self.owed, self.misused), (Owed::Nothing, false), "waits, out of order");
                assert!(*until > now.mono, "a wait that is over makes a driver spin");
            }
            Output::Idle => assert!(self.over || self.owed != Owed::Nothing, "idle, and owes an output"),
            Output::Done(result) => {
                assert!(!self.misused || result.is_err(), "a misuse that nobody hears of");
                self.over = true;
            }
        }
    }

    /// Notes an input that is about to be handed over.
    fn input(&mut self, input: &Input) {
        if self.over {
            return;
        }
        let asked = match (self.owed, input) {
            (Owed::Response, Input::Response(_) | Input::Unreachable(_))
            | (Owed::Signature, Input::Signature(_) | Input::KeyFailed(_))
            | (Owed::Opened, Input::Opened(_) | Input::KeyFailed(_)) => true,
            (Owed::Nothing | Owed::Response | Owed::Signature | Owed::Opened, _) => false,
        };
        self.misused |= !asked;
        self.owed = Owed::Nothing;
    }
}

/// The refresh token, or the token of a registration, that an answer brought must come out of the flow, as a token or rescued.
fn surfaces(made: &Made) -> bool {
    let brings = [r#"{"refresh_token":"new""#, r#"{"registration_access_token":"new""#];
    (200..300).contains(&made.status)
        && !made.mutated
        && brings.iter().any(|brings| made.body.starts_with(brings))
}

/// Drives one flow wildly and returns what it ended with.
fn wild<F: Flow>(
    mut flow: F,
    dice: &mut Dice,
    clocks: &mut Clocks,
    bodies: &[&str],
    origins: &[&str],
    most: (u32, u32),
    tokens: impl Fn(&Result<F::Outcome, Failure>) -> Option<&str>,
) -> Option<F::Outcome> {
    let mut watch = Watch::new();
    let (mut ended, mut surfacing) = (None, false);
    for _ in 0..STEPS {
        clocks.jump(dice);
        let now = clocks.0;
        if dice.roll(5) < 3 {
            let output = flow.poll(now);
            watch.output(&output, now, origins);
            if let Output::Done(result) = output {
                assert!(!surfacing || tokens(&result) == Some("new"), "a token was lost");
                ended = result.ok();
            }
        } else {
            let made = made(dice, bodies);
            let expected = watch.owed == Owed::Response;
            let input = match (dice.roll(6), watch.owed) {
                (0, _) => other_input(dice),
                (1..=4, Owed::Signature) => Input::Signature(b"signature".to_vec()),
                (1..=2, Owed::Opened) => opened(dice),
                (3..=4, Owed::Opened) => Input::KeyFailed(KeyFailed::new(KeyWhy::UnknownKid)),
                _ => {
                    surfacing |= expected && watch.purpose != Purpose::Keys && surfaces(&made);
                    Input::Response(made.response())
                }
            };
            watch.input(&input);
            flow.handle(input, now);
        }
        let _learned = flow.take_learned();
    }
    assert!(watch.sends <= most.0 && watch.keys <= most.1, "{} sends, {} keys", watch.sends, watch.keys);
    // What is owed is given, and then the flow ends.
    for _ in 0..=most.0 + most.1 {
        let output = flow.poll(clocks.0);
        watch.output(&output, clocks.0, origins);
        let input = match output {
            Output::Send(_) => Input::Response(made(dice, bodies).response()),
            Output::Key(task) => task.unsupported(),
            Output::Idle if watch.owed == Owed::Response => Input::Unreachable(unreachable(dice)),
            Output::Idle if watch.owed == Owed::Signature => Input::Signature(Vec::new()),
            Output::Idle if watch.owed == Owed::Opened => opened(dice),
            Output::Wait(_) | Output::Idle => continue,
            Output::Done(result) => {
                ended = result.ok();
                continue;
            }
        };
        watch.input(&input);
        flow.handle(input, clocks.0);
    }
    let output = flow.poll(clocks.0);
    watch.output(&output, clocks.0, origins);
    assert!(watch.over, "the flow does not end");
    ended
}

fn seed(dice: &mut Dice) -> Seed {
    Seed::new([(); Seed::LENGTH].map(|()| u8::try_from(dice.roll(256)).unwrap()))
}

const TOKEN: &str = "https://as.example/token";
const KEYS: &str = "https://as.example/jwks";
const DEVICE: &str = "https://as.example/device_authorization";
const REVOKE: &str = "https://as.example/revoke";
const INTROSPECT: &str = "https://as.example/introspect";
const REGISTER: &str = "https://as.example/register";
const REGISTERED: &str = "https://as.example/register/c1";

fn client(dice: &mut Dice) -> Client {
    let server = Server::new("https://as.example")
        .with_authorization_endpoint("https://as.example/authorize")
        .with_token_endpoint(TOKEN)
        .with_device_authorization_endpoint(DEVICE)
        .with_revocation_endpoint(REVOKE)
        .with_introspection_endpoint(INTROSPECT)
        .with_jwks_uri(KEYS)
        .with_token_info_endpoint("https://as.example/tokeninfo");
    let registration = match dice.roll(2) {
        0 => Registration::public("c1"),
        _ => Registration::with_secret("c1", ClientSecret::new("s1")),
    };
    Client::new(
        server,
        registration,
        Policy::strict()
            .waive(OptOut::PasswordGrant)
            .waive(OptOut::ImplicitGrant)
            .waive(OptOut::TokenInQuery),
    )
    .unwrap()
}

fn tokens_of(result: &Result<Tokens, Failure>) -> Option<&str> {
    match result {
        Ok(tokens) => tokens.refresh_token.as_ref().map(RefreshToken::expose),
        Err(failure) => failure.rescued.as_ref().map(RefreshToken::expose),
    }
}

fn tokens_of_grant(result: &Result<Granted, Failure>) -> Option<&str> {
    match result {
        Ok(granted) => granted.tokens.refresh_token.as_ref().map(RefreshToken::expose),
        Err(failure) => failure.rescued.as_ref().map(RefreshToken::expose),
    }
}

/// For flows whose outcome has none to lose.
fn no_tokens<T>(_: &Result<T, Failure>) -> Option<&str> {
    Some("new")
}

#[test]
fn token_requests() {
    let memory = ServerMemory::default();
    let mut succeeded = [0; 6];
    for sequence in 0..SEQUENCES {
        let dice = &mut Dice::new(sequence);
        let clocks = &mut Clocks::new();
        let client = client(dice);
        let scope = Scope::new("a b").unwrap();

        let refresh = Refresh::new(RefreshToken::new("old")).granted(scope.clone());
        let flow = client.exchange(refresh, &memory, seed(dice)).unwrap();
        let ended = wild(flow, dice, clocks, &TOKEN_BODIES, &[TOKEN], (1, 0), tokens_of);
        succeeded[0] += u32::from(ended.is_some());

        let credentials = ClientCredentials::new().with_scope(scope.clone());
        let flow = client.exchange(credentials, &memory, seed(dice)).unwrap();
        let ended = wild(flow, dice, clocks, &TOKEN_BODIES, &[TOKEN], (1, 0), tokens_of);
        succeeded[1] += u32::from(ended.is_some());

        let jwt = JwtBearer::new(KeyId::new("k"), Algorithm::ES256, "me", "https://as.example");
        let flow = client.exchange(jwt, &memory, seed(dice)).unwrap();
        let ended = wild(flow, dice, clocks, &TOKEN_BODIES, &[TOKEN], (1, 1), tokens_of);
        succeeded[2] += u32::from(ended.is_some());

        let saml = Saml2Bearer::new(&SecretBytes::new("<Assertion/>")).with_scope(scope.clone());
        let flow = client.exchange(saml, &memory, seed(dice)).unwrap();
        let ended = wild(flow, dice, clocks, &TOKEN_BODIES, &[TOKEN], (1, 0), tokens_of);
        succeeded[3] += u32::from(ended.is_some());

        let password = ResourceOwnerPassword::new("johndoe", Password::new("A3ddj3w"));
        let flow = client.exchange(password, &memory, seed(dice)).unwrap();
        let ended = wild(flow, dice, clocks, &TOKEN_BODIES, &[TOKEN], (1, 0), tokens_of);
        assert!(ended.as_ref().is_none_or(|tokens| tokens.token_type == TokenType::BEARER));
        succeeded[4] += u32::from(ended.is_some());

        let requested = TokenTypeIdentifier::ACCESS_TOKEN;
        let exchange = TokenExchange::new(AccessToken::new("old")).requested(requested.clone());
        let flow = client.exchange(exchange, &memory, seed(dice)).unwrap();
        let ended = wild(flow, dice, clocks, &TOKEN_BODIES, &[TOKEN], (1, 0), tokens_of);
        assert!(ended.as_ref().is_none_or(|tokens| tokens.issued_token_type.as_ref() == Some(&requested)));
        succeeded[5] += u32::from(ended.is_some());
    }
    // The wild driver is not so wild that nothing ever works: else nothing was tested.
    assert!(succeeded.iter().all(|times| *times > 50), "{succeeded:?}");
}

#[test]
fn discovery() {
    let places = [
        "https://as.example/.well-known/openid-configuration",
        "https://as.example/.well-known/oauth-authorization-server",
    ];
    let mut found = 0;
    for sequence in 0..SEQUENCES {
        let dice = &mut Dice::new(sequence);
        let flow = Discover::new("https://as.example", Policy::strict()).unwrap();
        let server = wild(flow, dice, &mut Clocks::new(), &METADATA, &places, (2, 0), no_tokens);
        if let Some(server) = server {
            found += 1;
            assert_eq!(server.issuer(), "https://as.example");
            assert!(server.token_endpoint().is_none_or(|url| url.starts_with("https://")));
        }
    }
    assert!(found > 100, "{found}");
}

const ENDPOINT_BODIES: [&str; 16] = [
    r#"{"active":true,"scope":"a","exp":1700000060,"aud":["a","b"],"x":[{}]}"#,
    r#"{"active":false}"#,
    r#"{"active":"true"}"#,
    r#"{"active":true,"nbf":"soon"}"#,
    r#"{"aud":"c1","azp":"c1","expires_in":"60","scope":"a"}"#,
    r#"{"aud":"c2","expires_in":60}"#,
    r#"{"resource":"https://api.example/a","authorization_servers":["https://as.example"]}"#,
    r#"{"resource":"https://api.example/b","authorization_servers":["https://evil.example"]}"#,
    r#"{"registration_access_token":"new","registration_client_uri":"https://as.example/register/c1","client_id":"c1","client_secret":"s1"}"#,
    r#"{"registration_access_token":"new","registration_client_uri":"http://as.example/","client_id":"c1","client_id":"c1"}"#,
    r#"{"registration_access_token":"new","registration_client_uri":"https://as.example/register/c1","error":"invalid_client_metadata"}"#,
    r#"{"registration_access_token":"new","registration_client_uri":"https://as.example/register/c1","client_id":"c2","client_secret":7}"#,
    r#"{"error":"unsupported_token_type"}"#,
    "<html>",
    "",
    "[]",
];

fn token_of_registration(result: &Result<ClientInformation, Failure>) -> Option<&str> {
    let access = match result {
        Ok(client) => client.access.as_ref(),
        Err(failure) => failure.rescued_registration.as_deref(),
    };
    access.map(|access| access.registration_access_token.expose())
}

#[test]
fn the_other_endpoints() {
    let memory = ServerMemory::default();
    let policy = Policy::strict();
    let mut succeeded = [0; 7];
    for sequence in 0..SEQUENCES {
        let dice = &mut Dice::new(sequence);
        let clocks = &mut Clocks::new();
        let client = client(dice);
        let bodies = &ENDPOINT_BODIES;

        let flow = client.revoke(RefreshToken::new("old").into(), &memory, seed(dice)).unwrap();
        let ended = wild(flow, dice, clocks, bodies, &[REVOKE], (1, 0), no_tokens);
        succeeded[0] += u32::from(ended.is_some());

        let mut request = IntrospectionRequest::access(AccessToken::new("at"));
        if dice.roll(2) == 0 {
            request = request.authorized_by(AccessToken::new("mine"));
        }
        let flow = client.introspect(request, &memory, seed(dice)).unwrap();
        let ended = wild(flow, dice, clocks, bodies, &[INTROSPECT], (1, 0), no_tokens);
        succeeded[1] += u32::from(ended.is_some());

        let flow = client.token_info(AccessToken::new("at")).unwrap();
        let asked = ["https://as.example/tokeninfo?access_token=at"];
        let ended = wild(flow, dice, clocks, bodies, &asked, (1, 0), no_tokens);
        succeeded[2] += u32::from(ended.is_some());

        let server = Server::new("https://as.example").with_registration_endpoint(REGISTER);
        let metadata = || ClientMetadata::new().with_client_name("App");
        let flow = Register::new(&server, metadata(), None, &policy).unwrap();
        let ended = wild(flow, dice, clocks, bodies, &[REGISTER], (1, 0), token_of_registration);
        succeeded[3] += u32::from(ended.is_some());

        let access = RegistrationAccess {
            registration_client_uri: REGISTERED.into(),
            registration_access_token: RegistrationAccessToken::new("old"),
        };
        let flow = match dice.roll(2) {
            0 => Register::read("c1", access.clone(), &policy),
            _ => Register::update("c1", metadata(), access.clone(), &policy),
        };
        let ended = wild(flow.unwrap(), dice, clocks, bodies, &[REGISTERED], (1, 0), token_of_registration);
        assert!(ended.as_ref().is_none_or(|client| client.client_id == "c1"));
        succeeded[4] += u32::from(ended.is_some());

        let flow = Deregister::new(access, &policy).unwrap();
        let ended = wild(flow, dice, clocks, bodies, &[REGISTERED], (1, 0), no_tokens);
        succeeded[5] += u32::from(ended.is_some());

        let resource = Resource::new("https://api.example/a").unwrap();
        let flow = DiscoverResource::new(resource.clone(), policy.clone()).unwrap();
        let place = ["https://api.example/.well-known/oauth-protected-resource/a"];
        let ended = wild(flow, dice, clocks, bodies, &place, (1, 0), no_tokens);
        assert!(ended.as_ref().is_none_or(|metadata| metadata.resource == resource));
        succeeded[6] += u32::from(ended.is_some());
    }
    assert!(succeeded.iter().all(|times| *times > 100), "{succeeded:?}");
}

#[test]
fn authorization_code() {
    let memory = ServerMemory::default();
    let mut granted = 0;
    for sequence in 0..SEQUENCES {
        let dice = &mut Dice::new(sequence);
        let clocks = &mut Clocks::new();
        let client = client(dice);
        let request = AuthorizationRequest::new("http://127.0.0.1:9/cb");
        let flow = client.authorize(request, &memory, seed(dice)).unwrap();
        // No input is ever asked for.
        let Some(ready) = wild(flow, dice, clocks, &TOKEN_BODIES, &[], (0, 0), no_tokens) else { continue };
        let state = ready.pending.state().to_owned();
        let mut answer = format!("code=ac1&state={state}");
        if dice.roll(2) == 0 {
            answer.push_str("&iss=https://as.example");
        }
        let mut clean = true;
        for piece in [
            "&iss=https://evil.example",
            "&error=access_denied",
            "&code=ac2",
            "&state=x",
            "&response=e30",
            "&code=%",
        ] {
            if dice.roll(16) == 0 {
                answer.push_str(piece);
                clean = false;
            }
        }
        let response = AuthorizationResponse::Query(&answer);
        let ours = ready.pending.recognise(&response) == Recognised::Ours;
        assert!(ours || !clean, "{answer}");
        let flow = ready.pending.redeem(&response, &client, &memory, seed(dice));
        let most = (u32::from(clean), 0);
        let ended = wild(flow, dice, clocks, &TOKEN_BODIES, &[TOKEN], most, tokens_of_grant);
        assert!(ended.is_none() || clean, "a bad answer was redeemed: {answer}");
        granted += u32::from(ended.is_some());
    }
    assert!(granted > 100, "{granted}");
}

/// RFC 6749 section 4.2: the token is in the answer, and nothing is ever sent.
#[test]
fn implicit() {
    let memory = ServerMemory::default();
    let mut granted = 0;
    for sequence in 0..SEQUENCES {
        let dice = &mut Dice::new(sequence);
        let clocks = &mut Clocks::new();
        let client = client(dice);
        let request = AuthorizationRequest::new("http://127.0.0.1:9/cb").implicit();
        let flow = client.authorize(request, &memory, seed(dice)).unwrap();
        let Some(ready) = wild(flow, dice, clocks, &TOKEN_BODIES, &[], (0, 0), no_tokens) else { continue };
        let mut answer = format!("access_token=at&token_type=bearer&state={}", ready.pending.state());
        let mut clean = true;
        for piece in [
            "&iss=https://evil.example",
            "&error=access_denied",
            "&code=ac1",
            "&access_token=at2",
            "&state=x",
            "&scope=a&scope=b",
            "&token_type=%",
        ] {
            if dice.roll(16) == 0 {
                answer.push_str(piece);
                clean = false;
            }
        }
        let response = AuthorizationResponse::Fragment(&answer);
        let flow = ready.pending.redeem(&response, &client, &memory, seed(dice));
        let ended = wild(flow, dice, clocks, &TOKEN_BODIES, &[], (0, 0), no_tokens);
        assert!(ended.is_none() || clean, "a bad answer was taken: {answer}");
        granted += u32::from(ended.is_some());
    }
    assert!(granted > 100, "{granted}");
}

#[test]
fn device_authorization() {
    let memory = ServerMemory::default();
    let mut prompts = 0;
    for sequence in 0..SEQUENCES {
        let dice = &mut Dice::new(sequence);
        let client = client(dice);
        let flow = client.authorize_device(None, &memory, seed(dice)).unwrap();
        let prompt = wild(flow, dice, &mut Clocks::new(), &TOKEN_BODIES, &[DEVICE], (1, 0), no_tokens);
        prompts += u32::from(prompt.is_some());
    }
    assert!(prompts > 20, "{prompts}");
}

/// OpenID Connect Core sections 3.1.3.7 and 12.2: keys are fetched once at most, and the refresh token outlives every end.
#[test]
fn id_tokens() {
    let memory = ServerMemory::default();
    let rules = IdTokenRules::new("https://as.example", "c1");
    let first = rules.check(ID_TOKEN.as_bytes(), Unix(1_700_000_000)).unwrap();
    let server = Server::new("https://as.example").with_token_endpoint(TOKEN);
    let registration = Registration::with_secret("c1", ClientSecret::new("s1"))
        .with_id_token_signed_response_alg(Algorithm::HS256);
    let hmac = Client::new(server, registration, Policy::strict()).unwrap();
    let mut identified = 0;
    for sequence in 0..10 * SEQUENCES {
        let dice = &mut Dice::new(sequence);
        let client = match dice.roll(4) {
            0 => client(dice),
            // No key of the server is needed for what a secret signs.
            _ => hmac.clone(),
        };
        let grant = Refresh::new(RefreshToken::new("old")).signed_in(first.clone());
        let flow = client.exchange(grant, &memory, seed(dice)).unwrap();
        let (places, clocks) = (&[TOKEN, KEYS], &mut Clocks::new());
        let tokens = wild(flow, dice, clocks, &ID_TOKEN_BODIES, places, (2, 1), tokens_of);
        let Some(tokens) = tokens else { continue };
        identified += u32::from(tokens.id_token_claims.is_some());
        let none = tokens.id_token.is_none_or(|token| token.expose().is_empty());
        assert_eq!(tokens.id_token_claims.is_none(), none, "an ID token that nobody looked at");
    }
    assert!(identified > 100, "{identified}");
}

/// RFC 8628 section 3.5, written a second time: when the next poll is allowed at the earliest.
struct Allowed {
    interval: Duration,
    next: Mono,
    expires: (Mono, Unix),
}

impl Allowed {
    fn answered(&mut self, made: &Made, now: Now) {
        let mut wait = Duration::ZERO;
        if matches!(made.status, 429 | 500..) {
            wait = Duration::from_secs(made.retry_after.unwrap_or(0).min(86_400));
        }
        // An answer that was not understood may be polled again after the interval, or end the flow.
        if !made.mutated && made.status < 500 && made.body.contains("slow_down") {
            self.interval += Duration::from_secs(5);
            if made.body.contains("40") && made.status != 429 {
                self.interval = self.interval.max(Duration::from_secs(40));
            }
        }
        self.next = now.mono.after(wait.max(self.interval));
    }

    fn check(&self, request: &Request, now: Now) {
        assert!(now.mono >= self.next, "{request:?} came early");
        assert!(
            now.mono < self.expires.0 && now.unix < self.expires.1,
            "{request:?} with a code that is over"
        );
    }
}

/// How many device logins are played: 10^6.
const LOGINS: u64 = 1_000_000;

/// How device logins ended.
#[derive(Default)]
struct Ends {
    signed_in: u64,
    expired: u64,
    polls: u64,
}

/// RFC 8628 section 3.5: in a million random conversations no poll comes early, and each of them ends.
#[test]
fn device_polling() {
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let play = |first: u64| {
        let client = client(&mut Dice::new(first));
        let mut ends = Ends::default();
        for sequence in (first..LOGINS).step_by(usize::try_from(threads).unwrap()) {
            device_login(&client, &mut Dice::new(sequence), &mut ends);
        }
        ends
    };
    let ends = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|first| scope.spawn(move || play(first))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let sum = |of: fn(&Ends) -> u64| ends.iter().map(of).sum::<u64>();
    let (signed_in, expired, polls) =
        (sum(|ends| ends.signed_in), sum(|ends| ends.expired), sum(|ends| ends.polls));
    assert!(signed_in > 10_000 && expired > 10_000 && polls > LOGINS, "{signed_in} {expired} {polls}");
}

fn device_login(client: &Client, dice: &mut Dice, ends: &mut Ends) {
    let mut clocks = Clocks::new();
    let mut asking = client.authorize_device(None, &ServerMemory::default(), seed(dice)).unwrap();
    assert!(matches!(asking.poll(clocks.0), Output::Send(_)));
    let (life, interval) = (*dice.pick(&[0, 10, 120, 900]), *dice.pick(&[0, 1, 5, 7, 400]));
    let prompt = format!(
        r#"{{"device_code":"dc","user_code":"AB","verification_uri":"https://as.example/d","expires_in":{life},"interval":{interval}}}"#
    );
    let prompt = Made { status: 200, retry_after: None, body: prompt, mutated: false };
    asking.handle(Input::Response(prompt.response()), clocks.0);
    let Output::Done(Ok(prompt)) = asking.poll(clocks.0) else { panic!("no prompt") };
    let (interval, life) = (Duration::from_secs(interval.max(1)), Duration::from_secs(life));
    let mut allowed = Allowed {
        interval,
        next: clocks.0.mono.after(interval),
        expires: (clocks.0.mono.after(life), clocks.0.unix.after(life)),
    };
    let mut flow = prompt.poll;
    let mut watch = Watch::new();
    let mut until = None;
    // A driver that mostly does as it is told, else nothing lasts; `answers` bounds the conversation, not the flow.
    for step in 0.. {
        assert!(step < 10_000, "the flow does not end");
        clocks.jump(dice);
        let now = clocks.0;
        let output = flow.poll(now);
        watch.output(&output, now, &[TOKEN]);
        match output {
            Output::Send(request) => {
                allowed.check(&request, now);
                ends.polls += 1;
            }
            Output::Wait(to) => {
                assert!(to <= allowed.expires.0, "waits for a code that is over");
                until = Some(to);
            }
            Output::Done(result) => {
                match result {
                    Ok(_) => ends.signed_in += 1,
                    Err(failure) => {
                        let over = now.mono >= allowed.expires.0 || now.unix >= allowed.expires.1;
                        let server_says = matches!(*failure.error, Error::Expired) && !over;
                        ends.expired += u64::from(over);
                        assert!(!server_says || watch.sends > 0, "expired too early");
                        let misuse = matches!(*failure.error, Error::Misuse(Misuse::NotAsked));
                        assert!(misuse == watch.misused || over || watch.sends > 0, "{failure}");
                    }
                }
                break;
            }
            Output::Idle | Output::Key(_) => {}
        }
        match watch.owed {
            Owed::Response if dice.roll(4) > 0 => {
                let made = match dice.roll(3) {
                    // Mostly the errors that go on.
                    0 => made(dice, &TOKEN_BODIES),
                    _ => made(dice, &TOKEN_BODIES[6..9]),
                };
                let input = if dice.roll(8) == 0 {
                    allowed.next = now.mono.after(allowed.interval);
                    Input::Unreachable(unreachable(dice))
                } else {
                    allowed.answered(&made, now);
                    Input::Response(made.response())
                };
                watch.input(&input);
                flow.handle(input, now);
            }
            Owed::Nothing if dice.roll(60) == 0 => {
                let input = other_input(dice);
                watch.input(&input);
                flow.handle(input, now);
            }
            Owed::Nothing | Owed::Response | Owed::Signature | Owed::Opened => {
                if let Some(to) = until.take() {
                    // Often a moment too early: that is harmless, and no poll.
                    clocks.pass(to.since(now.mono) - Duration::from_nanos(dice.roll(2)));
                }
            }
        }
    }
    for _ in 0..3 {
        let input = other_input(dice);
        watch.input(&input);
        flow.handle(input, clocks.0);
        clocks.pass(Duration::from_secs(1));
        watch.output(&flow.poll(clocks.0), clocks.0, &[]);
    }
}

/// RFC 9700 section 4.14.2: an answer too many ends the flow, and what came before it is kept.
#[test]
fn an_answer_too_many_costs_no_refresh_token() {
    let dice = &mut Dice::new(1);
    let now = Clocks::new().0;
    let client = client(dice);
    let refresh = Refresh::new(RefreshToken::new("old"));
    let mut flow = client.exchange(refresh, &ServerMemory::default(), seed(dice)).unwrap();
    assert!(matches!(flow.poll(now), Output::Send(_)));
    let made = Made { status: 200, retry_after: None, body: TOKEN_BODIES[0].into(), mutated: false };
    flow.handle(Input::Response(made.response()), now);
    flow.handle(Input::Response(made.response()), now);
    let Output::Done(Err(failure)) = flow.poll(now) else { panic!("the misuse is not told") };
    assert!(matches!(*failure.error, Error::Misuse(Misuse::NotAsked)));
    assert_eq!(failure.rescued.unwrap().expose(), "new");
}
