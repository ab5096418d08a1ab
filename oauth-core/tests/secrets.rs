//! Secrets are planted, every flow and every failure is run, and nothing that can be printed shows one.
//!
//! The server is the worst there is: it sends back all that it was sent, in every place that a message is made of.
#![allow(missing_docs, reason = "a test has no public API")]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use oauth_core::{
    AccessToken, Algorithm, Attempts, AuthMethod, AuthorizationRequest, AuthorizationResponse, Challenges,
    Client, ClientCredentials, ClientMetadata, ClientSecret, Deregister, Discover, Flow, IdToken, Input,
    IntrospectionRequest, JwtBearer, KeyId, KeyTask, Mono, NextAction, Now, Opened, OptOut, Output, Password,
    Pending, Policy, Purpose, Refresh, RefreshToken, Register, Registration, RegistrationAccess,
    RegistrationAccessToken, Request, ResourceOwnerPassword, Response, Revocable, Saml2Bearer, SaslResponse,
    Scope, SecretBytes, SecurityToken, Seed, Server, ServerMemory, TokenExchange, TokenType,
    TokenTypeIdentifier, Unix,
};
use std::collections::HashSet;
use std::error::Error as _;
use std::fmt::Debug;
use std::time::Duration;

/// With every character that forms, pages and JSON spell in a way of their own.
const CLIENT_SECRET: &str = "cl13nt-s3cr3t &<\">\\/+%ä-planted";
const CODE: &str = "SplxlOBeZQQYbYS6WxSbIA-planted";
const DEVICE_CODE: &str = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS";
const REFRESH: &str = "tGzv3JOkF0XG5Qx2TlKWIA/planted+old=";
const NEW_REFRESH: &str = "8xLOxBtZp8-planted-new-refresh-token";
const ACCESS: &str = "2YotnFZFEjr1zCsicMWpAA-planted-access";
const ID_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJl";
const REGISTRATION: &str = "reg-23410913-abewfq.123483-planted";
const NEW_REGISTRATION: &str = "this.is.an.access.token.value.ffx83-planted";
const NEW_SECRET: &str = "cf136dc3c1fc93f31185e5885805d-planted";
const SIGNATURE: &[u8] = b"a signature that was planted here";
const PARAMETER: &str = "a-parameter-with-a-password-in-it";
const PASSWORD: &str = "correct horse <battery> & \"staple\" planted";
const USERNAME: &str = "a-person-who-wants-privacy";
const ASSERTION: &str =
    "<saml:Assertion ID=\"planted\"><ds:Signature>c2lnbmVk</ds:Signature></saml:Assertion>";
const SUBJECT: &str = "acc-planted-subject-token-JyNjV4V2pKRU1DdEtFZw";
const ACTOR: &str = "eyJhbGciOiJFUzI1NiJ9.eyJhY3QiOiJwbGFudGVkIn0.YWN0b3I";

const POSTED_SECRET: &str = "p0sted s3cret with=signs&such-planted";
const CLIENT_SIGNATURE: &[u8] = b"\x93k7#client\x01\xfeQz9-signs\x88with.this\x02";
const ID_TOKEN_HINT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJoaW50ZWQifQ.aGludA";
const LOGIN_HINT: &str = "who.signs.in@planted.example";
const IMPLICIT: &str = "wjBTde6LgzPdJpcfDCerfMDd6NhqSSPdNP";
const INITIAL: &str = "BdqcM8iuCjLhNvM6VmgPNSnzgMXeNdRpHV";
const STATEMENT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzb2Z0d2FyZV9pZCI6InBsYW50ZWQifQ.c3RhdGVk";
const REVOKED_ACCESS: &str = "LD3wFPFzvr4mW3rfNvKH_xYEuQehJCk2xj";
const REVOKED_REFRESH: &str = "HCcUe2MN4_6wxWyQHP5Fe7ftGWUedYWvTN";
const INTROSPECTED: &str = "V6EuXA_UybFykRhHdp3uiZrBB9HfkEBMt_";
const OWN_TOKEN: &str = "i6D9MtXCyV_AqjfmjqUqaH7PmsuajCLzRN";
const LOOKED_UP: &str = "wiW8JRTVZdF-939V5MBBBBgGSBdnepEkhx";
const ONE_TIME: &str = "QdgaNjLgzRbe9pRAjSsyQzGhh8HFGGvfjg";
const OPTIONS: &str = "ZxZsG7WkKbpKzjWLb2KvT9fW8sKzky3qLL";
const INTROSPECTION_PARAMETER: &str = "3JxSqR5428n5r6BZ5qnKHyYbb4tGsnWQyE";
const ENDPOINT_KEY: &str = "5YyzfqgqGnxpGR-R7aGTy5Tf7UhA4X2nG_";
const MAIL_TOKEN: &str = "mD4Sxf5YBFBZfYkkibjP-F5TjR6QGUyjMM";
const PRESENTED: &str = "iba5YTgKZiD9n69pbspuJr2PwsLC7idZy-";

/// As long a piece of a secret as may be seen by accident.
const PIECE: usize = 12;

/// Looks at everything that can be printed.
struct Watch {
    pieces: HashSet<[u8; PIECE]>,
    seen: usize,
}

impl Watch {
    fn new() -> Self {
        let seed = |first: u8| {
            let bytes: Vec<_> = (first..first + 32).collect();
            URL_SAFE_NO_PAD.encode(bytes)
        };
        let signature = URL_SAFE_NO_PAD.encode(SIGNATURE);
        let client_signature = URL_SAFE_NO_PAD.encode(CLIENT_SIGNATURE);
        let basic = STANDARD.encode(format!("c1:{}", encoded(CLIENT_SECRET)));
        let assertion = URL_SAFE_NO_PAD.encode(ASSERTION);
        let mut secrets: Vec<String> = [
            CLIENT_SECRET,
            CODE,
            DEVICE_CODE,
            REFRESH,
            NEW_REFRESH,
            ACCESS,
            ID_TOKEN,
            &signature,
            PARAMETER,
            PASSWORD,
            REGISTRATION,
            NEW_REGISTRATION,
            NEW_SECRET,
            USERNAME,
            ASSERTION,
            &assertion,
            SUBJECT,
            ACTOR,
            &basic,
            POSTED_SECRET,
            &client_signature,
            ID_TOKEN_HINT,
            LOGIN_HINT,
            IMPLICIT,
            INITIAL,
            STATEMENT,
            REVOKED_ACCESS,
            REVOKED_REFRESH,
            INTROSPECTED,
            OWN_TOKEN,
            LOOKED_UP,
            ONE_TIME,
            OPTIONS,
            INTROSPECTION_PARAMETER,
            ENDPOINT_KEY,
            MAIL_TOKEN,
            PRESENTED,
            // state, verifier and nonce
            &seed(0),
            &seed(32),
            &seed(64),
        ]
        .map(String::from)
        .into();
        assert_eq!(secrets.len(), 40);
        let spelled: Vec<_> = secrets.iter().flat_map(|secret| spellings(secret)).collect();
        secrets.extend(spelled);
        // As numbers, which is how `Debug` shows bytes.
        for signature in [SIGNATURE, CLIENT_SIGNATURE] {
            secrets.push(format!("{signature:?}")[..40].into());
        }
        let pieces = secrets.iter().flat_map(|secret| secret.as_bytes().windows(PIECE));
        Self { pieces: pieces.map(|piece| piece.try_into().unwrap()).collect(), seen: 0 }
    }

    fn text(&mut self, what: &str, text: &str) {
        self.seen += 1;
        let shown = text.as_bytes().windows(PIECE).find(|piece| self.pieces.contains(*piece));
        assert!(shown.is_none(), "{what} shows {}:\n{text}", String::from_utf8_lossy(shown.unwrap()));
    }

    fn debug(&mut self, value: &impl Debug) {
        let what = std::any::type_name_of_val(value);
        self.text(what, &format!("{value:?}"));
        self.text(what, &format!("{value:#?}"));
    }

    fn output<T: Debug>(&mut self, output: &Output<T>) {
        self.debug(output);
        if let Output::Done(Err(failure)) = output {
            self.text("a failure", &failure.to_string());
            self.text("a failure", &format!("{} {:?}", failure.remedy(), failure.excerpt));
            let mut source = failure.source();
            while let Some(error) = source {
                self.text("a cause", &error.to_string());
                source = error.source();
            }
        }
    }

    /// Runs a flow; every request is answered by `answer`.
    fn run<F: Flow + Debug>(
        &mut self,
        mut flow: F,
        now: &mut Now,
        mut answer: impl FnMut(&Request) -> Input,
    ) -> Option<F::Outcome>
    where
        F::Outcome: Debug,
    {
        for _ in 0..50 {
            self.debug(&flow);
            let output = flow.poll(*now);
            self.output(&output);
            let input = match output {
                Output::Send(request) if request.purpose() == Purpose::Keys => {
                    Input::Response(response(200, r#"{"keys":[]}"#))
                }
                Output::Send(request) => answer(&request),
                Output::Key(KeyTask::Open(_)) => Input::Opened(opened()),
                Output::Key(KeyTask::Sign(task)) if task.key == KeyId::new("client") => {
                    Input::Signature(CLIENT_SIGNATURE.into())
                }
                Output::Key(KeyTask::Sign(_)) => Input::Signature(SIGNATURE.into()),
                Output::Wait(until) => {
                    let time = until.since(now.mono);
                    *now = Now { mono: until, unix: now.unix.after(time) };
                    continue;
                }
                Output::Done(result) => return result.ok(),
                output => panic!("{output:?}"),
            };
            self.debug(&input);
            flow.handle(input, *now);
        }
        // A device that is told to go on for ever.
        None
    }
}

/// The other ways to write a text that a careless server uses.
fn spellings(text: &str) -> [String; 4] {
    [
        encoded(text),
        encoded(text).replace("%20", "+"),
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
        text.replace('\\', "\\\\").replace('"', "\\\""),
    ]
}

fn encoded(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn seed() -> Seed {
    let mut byte = 0;
    Seed::new([(); Seed::LENGTH].map(|()| {
        byte += 1;
        byte - 1
    }))
}

const NOW: Now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };

/// Every secret that a request carries, as a server would have them: decoded, and the header.
fn echo(request: &Request) -> Vec<String> {
    let body = std::str::from_utf8(request.body()).unwrap();
    let mut echo: Vec<_> = body
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| {
            !["grant_type", "client_id", "redirect_uri", "scope", "token_type_hint"].contains(name)
        })
        .filter(|(name, _)| !name.ends_with("_token_type"))
        .map(|(_, value)| decoded(value))
        .collect();
    let headers = request.headers().filter(|(name, _)| *name == "authorization");
    for (_, value) in headers {
        let value = value.to_str().unwrap();
        if let Some(token) = value.strip_prefix("Bearer ") {
            echo.extend([value.into(), token.into()]);
            continue;
        }
        let basic =
            String::from_utf8(STANDARD.decode(value.strip_prefix("Basic ").unwrap()).unwrap()).unwrap();
        echo.push(value.into());
        echo.push(decoded(basic.split_once(':').unwrap().1));
    }
    echo.extend(request.endpoint().url().query_pairs().map(|(_, value)| value.into_owned()));
    echo
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

fn json(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Bodies that show `secret` in every place that a message is made of.
fn bodies(secret: &str) -> Vec<String> {
    let quoted = json(secret);
    let mut bodies = vec![
        format!(r#"{{"error":"invalid_grant","error_description":{quoted}}}"#),
        format!(r#"{{"error":"invalid_grant","error_uri":{quoted}}}"#),
        format!(r#"{{"error":{quoted}}}"#),
        format!(r#"{{"error":"slow_down","error_description":{quoted}}}"#),
        format!(r#"{{"error":{{"message":{quoted}}}}}"#),
        format!(r#"{{"error":{{"code":{quoted},"message":{quoted}}},"errors":[{quoted}]}}"#),
        format!(r#"{{"errors":[{quoted},{{"code":"a","detail":{quoted}}}]}}"#),
        format!(r#"{{"errcode":1,"errmsg":{quoted}}}"#),
        format!(r#"{{"error":"a","message":{quoted}}}"#),
        format!(r#"[{{"type":{quoted},"title":{quoted}}}]"#),
        format!("error=invalid_grant&error_description={0}&error_uri={0}", encoded(secret)),
        format!("error={0}&message={0}", encoded(secret)),
        format!("{0}=1&{0}=2", encoded(secret)),
        format!(
            "<html><!-- {secret} --><input value=\"{secret}\"><p>Sorry, {secret}</p><script>{secret}</script>"
        ),
        format!(r#"{{"message":{quoted}}}"#),
        format!(r#"{{{quoted}:1,{quoted}:2}}"#),
        format!(r#"{{"access_token":"a","token_type":{quoted}}}"#),
        format!(r#"{{"access_token":{quoted},"token_type":"Bearer","refresh_token":{quoted}"#),
        format!(r#"{{"access_token":{quoted},"refresh_token":{quoted},"token_type":"mac"}}"#),
        format!(
            r#"{{"issuer":{quoted},"user_code":{quoted},"device_code":{quoted},"verification_uri":{quoted}}}"#
        ),
        quoted.clone(),
        secret.into(),
        // Cut in the middle, behind spaces that are not shown, and with characters in it that are not.
        format!("{}{secret}", " ".repeat(2048 - 15)),
        format!("{}{secret}", "x".repeat(150)),
        format!(
            r#"{{"error":"a","error_description":"{}{}"}}"#,
            "y".repeat(390),
            &quoted[1..quoted.len() - 1]
        ),
        secret.chars().flat_map(|c| [c, '\u{200b}']).collect(),
    ];
    for spelling in spellings(secret) {
        bodies.push(format!("<html><p>{spelling}</p>"));
        bodies.push(format!(r#"{{"error":"a","error_description":{}}}"#, json(&spelling)));
    }
    bodies
}

/// Answers that bring tokens, and say one of them once more.
fn received(secret: &str) -> [String; 10] {
    let tokens =
        format!(r#""access_token":"{ACCESS}","refresh_token":"{NEW_REFRESH}","id_token":"{ID_TOKEN}""#);
    [
        format!(r#"{{{tokens},"error":"a","error_description":"{secret}"}}"#),
        format!(r#"{{{tokens},"error":"{secret}"}}"#),
        format!(r#"{{{tokens},"token_type":"{secret}"}}"#),
        format!(r#"{{{tokens},"token_type":"Bearer","token_type":"Bearer"}}"#),
        format!(r#"{{{tokens}}}"#),
        format!(r#"{{{tokens}"#),
        format!(r#"{{{tokens},"error":{{"code":"{secret}","message":"{secret}"}}}}"#),
        format!(
            r#"{{{tokens},"errors":["{secret}"],"message":"{secret}","token_type":"Bearer","expires_in":1e400}}"#
        ),
        format!("access_token={ACCESS}&refresh_token={NEW_REFRESH}&id_token={ID_TOKEN}&error={secret}"),
        format!("access_token={ACCESS}&refresh_token={NEW_REFRESH}&id_token={ID_TOKEN}&token_type={secret}"),
    ]
}

/// Answers that bring a registration, and say one of its secrets once more.
fn registered(secret: &str) -> [String; 7] {
    let client = format!(
        r#""client_secret":"{NEW_SECRET}","registration_access_token":"{NEW_REGISTRATION}","registration_client_uri":"https://as.example/r?{NEW_REGISTRATION}""#
    );
    [
        format!(r#"{{{client},"client_id":"c1","client_name":"{secret}","{secret}":1}}"#),
        format!(r#"{{{client},"client_id":"c1","error":"a","error_description":"{secret}"}}"#),
        format!(r#"{{{client},"client_id":"c1","error":"{secret}"}}"#),
        format!(r#"{{{client},"client_id":"{secret}\n"}}"#),
        format!(r#"{{{client},"client_id":"c1","{secret}":1,"{secret}":1}}"#),
        format!(r#"{{{client},"message":"{secret}"}}"#),
        format!(r#"{{{client}"#),
    ]
}

const STATUSES: [u16; 7] = [200, 302, 400, 401, 404, 429, 503];

/// Runs a flow once for each bad answer to its requests.
fn echoing<F: Flow + Debug>(watch: &mut Watch, mut flow: impl FnMut(&mut Watch, &mut Now) -> F)
where
    F::Outcome: Debug,
{
    // How many there are is known when the request is.
    let (mut variant, mut variants) = (0, 1);
    while variant < variants {
        let mut now = NOW;
        let flow = flow(watch, &mut now);
        let _outcome = watch.run(flow, &mut now, |request| {
            let mut bodies: Vec<_> = echo(request).iter().flat_map(|secret| bodies(secret)).collect();
            let sent = String::from_utf8_lossy(request.body());
            bodies.extend([format!("<p>{sent}</p>"), json(&sent)]);
            if request.purpose() == Purpose::Token {
                // What is received is secret, too, wherever else it is said.
                bodies.extend([ACCESS, NEW_REFRESH, ID_TOKEN].into_iter().flat_map(received));
            }
            if request.purpose() == Purpose::Introspection {
                let active = |secret| {
                    let secret = json(secret);
                    format!(
                        r#"{{"active":true,"sub":{secret},"username":{secret},"jti":{secret},"x":{secret}}}"#
                    )
                };
                bodies.extend(echo(request).iter().map(|secret| active(secret)));
            }
            if request.purpose() == Purpose::Registration {
                bodies.extend([NEW_REGISTRATION, NEW_SECRET].into_iter().flat_map(registered));
            }
            variants = bodies.len() * STATUSES.len();
            Input::Response(response(STATUSES[variant % STATUSES.len()], &bodies[variant / STATUSES.len()]))
        });
        variant += 1;
    }
    assert!(variants >= 14, "{variants}");
}

fn response(status: u16, body: &str) -> Response {
    http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap().into()
}

fn clients(watch: &mut Watch) -> [Client; 4] {
    let server = Server::new("https://as.example")
        .with_authorization_endpoint("https://as.example/authorize")
        .with_token_endpoint("https://as.example/token")
        .with_device_authorization_endpoint("https://as.example/device")
        .with_revocation_endpoint("https://as.example/revoke")
        .with_introspection_endpoint("https://as.example/introspect")
        .with_token_info_endpoint("https://as.example/tokeninfo")
        .with_jwks_uri("https://as.example/jwks");
    let secret = ClientSecret::new(CLIENT_SECRET);
    watch.debug(&secret);
    [
        Registration::public("c1"),
        Registration::with_secret("c1", secret),
        Registration::with_secret("c1", ClientSecret::new(POSTED_SECRET))
            .authenticated_by(AuthMethod::CLIENT_SECRET_POST),
        Registration::with_key("c1", KeyId::new("client"), Algorithm::ES256),
    ]
    .map(|registration| {
        watch.debug(&registration);
        let policy = [OptOut::PasswordGrant, OptOut::ImplicitGrant, OptOut::TokenInQuery];
        let policy = policy.into_iter().fold(Policy::strict(), Policy::waive);
        let client = Client::new(server.clone(), registration, policy).unwrap();
        watch.debug(&client);
        client
    })
}

fn tokens() -> Response {
    response(
        200,
        &format!(
            r#"{{"access_token":"{ACCESS}","token_type":"Bearer","refresh_token":"{NEW_REFRESH}","id_token":"{ID_TOKEN}"}}"#
        ),
    )
}

/// What was in the ID token: who it is about is nobody's business.
fn opened() -> Opened {
    let nonce: Vec<_> = (64..96).collect();
    let nonce = URL_SAFE_NO_PAD.encode(nonce);
    let claims = format!(
        r#"{{"iss":"https://as.example","aud":"c1","sub":"{SUBJECT}","iat":{now},"exp":{now}9,"nonce":"{nonce}","email":"{SUBJECT}"}}"#,
        now = NOW.unix.0
    );
    Opened::new(Algorithm::RS256, SecretBytes::new(claims))
}

/// Everything that a login holds while the browser is away.
fn login(watch: &mut Watch, client: &Client, now: &mut Now) -> Pending {
    let request = AuthorizationRequest::new("http://127.0.0.1:9/cb")
        .with_scope(Scope::new("openid").unwrap())
        .with_parameter("id_token_hint", ID_TOKEN_HINT)
        .with_parameter("login_hint", LOGIN_HINT);
    watch.debug(&request);
    watch.debug(&seed());
    let flow = client.authorize(request, &ServerMemory::default(), seed()).unwrap();
    let ready = watch.run(flow, now, |_| panic!("nothing is sent")).unwrap();
    watch.debug(&ready.open);
    watch.debug(&ready.pending.recogniser());
    let stored = ready.pending.to_store();
    watch.debug(&stored);
    Pending::from_store(stored.expose(), now.unix).unwrap()
}

#[test]
fn authorization_code() {
    let watch = &mut Watch::new();
    for client in clients(watch) {
        let state = login(watch, &client, &mut NOW.clone()).state().to_owned();
        let answers = [
            format!("code={CODE}&state={state}"),
            // Answers that are refused, and say as much as they can.
            format!("code={CODE}&state={state}&iss={CODE}"),
            format!("code={CODE}&state={state}&iss={state}"),
            format!("code={CODE}&state={state}&error={CODE}"),
            format!("code={CODE}&state={CODE}"),
            format!("code={CODE}&code={CODE}&state={state}"),
            format!("error={state}&state={state}"),
            format!("error=a&error_description={state}&state={state}"),
            format!("error=a&error_uri=https://as.example/?{state}&state={state}"),
            format!("response={CODE}&state={state}"),
        ];
        for (index, answer) in answers.iter().enumerate() {
            let now = &mut NOW.clone();
            let pending = login(watch, &client, now);
            for mode in
                [AuthorizationResponse::Fragment(answer), AuthorizationResponse::Form(answer.as_bytes())]
            {
                watch.debug(&mode);
                watch.debug(&pending.recognise(&mode));
            }
            let response = AuthorizationResponse::Query(answer);
            watch.debug(&response);
            let flow = pending.redeem(&response, &client, &ServerMemory::default(), seed());
            let granted = watch.run(flow, now, |_| Input::Response(tokens()));
            assert_eq!(granted.is_some(), index == 0, "{answer}");
        }
        let right = &answers[0];
        echoing(watch, |watch, now| {
            let pending = login(watch, &client, now);
            pending.redeem(&AuthorizationResponse::Query(right), &client, &ServerMemory::default(), seed())
        });
    }
    assert!(watch.seen > 10_000, "{}", watch.seen);
}

#[test]
fn implicit() {
    let watch = &mut Watch::new();
    let memory = ServerMemory::default();
    for client in clients(watch) {
        let request = AuthorizationRequest::new("http://127.0.0.1:9/cb").implicit();
        watch.debug(&request);
        let begin = |watch: &mut Watch| {
            let flow = client.authorize(&request, &memory, seed()).unwrap();
            watch.run(flow, &mut NOW.clone(), |_| panic!("nothing is sent")).unwrap().pending
        };
        let state = begin(watch).state().to_owned();
        let answers = [
            format!("access_token={IMPLICIT}&token_type=bearer&state={state}"),
            format!("access_token={IMPLICIT}&token_type={IMPLICIT}&state={state}"),
            format!("access_token={IMPLICIT}&token_type={state}&state={state}"),
            format!("access_token={IMPLICIT}&error={IMPLICIT}&state={state}"),
            format!("access_token={IMPLICIT}&iss={IMPLICIT}&state={state}"),
            format!("access_token={IMPLICIT}&token_type=bearer&{IMPLICIT}=1&{IMPLICIT}=2&state={state}"),
            format!("access_token={IMPLICIT}%00&token_type=bearer&state={state}"),
            format!("code={IMPLICIT}&access_token={IMPLICIT}&state={state}"),
            format!("error=a&error_description={state}&state={state}"),
        ];
        for (index, answer) in answers.iter().enumerate() {
            let pending = begin(watch);
            let flow = pending.redeem(&AuthorizationResponse::Fragment(answer), &client, &memory, seed());
            let granted = watch.run(flow, &mut NOW.clone(), |_| panic!("nothing is sent"));
            assert_eq!(granted.is_some(), index == 0, "{answer}");
        }
    }
    assert!(watch.seen > 100, "{}", watch.seen);
}

#[test]
fn a_token_in_use() {
    let watch = &mut Watch::new();
    let token = AccessToken::new(PRESENTED);
    watch.debug(&token.bearer().unwrap());
    let mut attempts = Attempts::new();
    attempts.present(TokenType::BEARER, &token, None);
    watch.debug(&attempts);
    for echoed in [PRESENTED, &encoded(PRESENTED), &format!("Bearer {PRESENTED}")] {
        for header in [
            format!("Bearer error=\"invalid_token\", error_description=\"{echoed}\""),
            format!("Bearer error=\"insufficient_scope\", scope=\"a\", error_description=\"{echoed}\""),
            format!("Bearer realm=\"{echoed}\", error=\"a\", error_description=\"{echoed}\""),
        ] {
            let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, HeaderValue::try_from(header).unwrap())]);
            let mut attempts = Attempts::new();
            attempts.present(TokenType::BEARER, &token, None);
            for _ in 0..5 {
                let challenges = Challenges::read(&headers);
                let action = attempts.next_action(StatusCode::UNAUTHORIZED, &challenges, &Policy::strict());
                if let Some(NextAction::GiveUp(why)) = action {
                    watch.debug(&why);
                    watch.text("a reason", &why.to_string());
                }
            }
        }
    }
    let token = AccessToken::new(MAIL_TOKEN);
    for response in [
        SaslResponse::xoauth2(LOGIN_HINT, &token).unwrap(),
        SaslResponse::oauthbearer(Some(LOGIN_HINT), Some(("mail.example", 993)), &token).unwrap(),
    ] {
        watch.debug(&response);
    }
    for error in [
        SaslResponse::xoauth2(LOGIN_HINT, &AccessToken::new(format!("{MAIL_TOKEN}\n"))).unwrap_err(),
        SaslResponse::xoauth2(&format!("{LOGIN_HINT}\n"), &token).unwrap_err(),
    ] {
        watch.debug(&error);
        watch.text("an error", &error.to_string());
    }
    assert!(watch.seen > 20, "{}", watch.seen);
}

#[test]
fn refresh_and_client_credentials() {
    let watch = &mut Watch::new();
    let memory = ServerMemory::default();
    for client in clients(watch) {
        let refresh = || Refresh::new(RefreshToken::new(REFRESH)).granted(Scope::new("a").unwrap());
        watch.debug(&refresh());
        let flow = client.exchange(refresh(), &memory, seed()).unwrap();
        let tokens = watch.run(flow, &mut NOW.clone(), |_| Input::Response(tokens())).unwrap();
        watch.debug(&tokens);
        echoing(watch, |_, _| client.exchange(refresh(), &memory, seed()).unwrap());

        let credentials = || ClientCredentials::new().with_parameter("password", PARAMETER);
        watch.debug(&credentials());
        echoing(watch, |_, _| client.exchange(credentials(), &memory, seed()).unwrap());
    }
    assert!(watch.seen > 5_000, "{}", watch.seen);
}

#[test]
fn jwt_bearer() {
    let watch = &mut Watch::new();
    let memory = ServerMemory::default();
    for client in clients(watch) {
        let grant = || JwtBearer::new(KeyId::new("key"), Algorithm::ES256, "me", "https://as.example");
        watch.debug(&grant());
        echoing(watch, |_, _| client.exchange(grant(), &memory, seed()).unwrap());
    }
    assert!(watch.seen > 5_000, "{}", watch.seen);
}

#[test]
fn saml2_bearer() {
    let watch = &mut Watch::new();
    let memory = ServerMemory::default();
    for client in clients(watch) {
        let assertion = SecretBytes::new(ASSERTION);
        watch.debug(&assertion);
        let grant = || Saml2Bearer::new(&assertion);
        watch.debug(&grant());
        echoing(watch, |_, _| client.exchange(grant(), &memory, seed()).unwrap());
    }
    assert!(watch.seen > 5_000, "{}", watch.seen);
}

#[test]
fn resource_owner_password() {
    let watch = &mut Watch::new();
    let memory = ServerMemory::default();
    for client in clients(watch) {
        let password = Password::new(PASSWORD);
        watch.debug(&password);
        let grant = || ResourceOwnerPassword::new(USERNAME, password.clone()).with_parameter("otp", ONE_TIME);
        watch.debug(&grant());
        echoing(watch, |_, _| client.exchange(grant(), &memory, seed()).unwrap());
        let broken = ResourceOwnerPassword::new(USERNAME, Password::new(format!("{PASSWORD}\n")));
        let refused = client.exchange(broken, &memory, seed()).unwrap_err();
        watch.debug(&refused);
        watch.text("a refusal", &refused.to_string());
    }
    assert!(watch.seen > 5_000, "{}", watch.seen);
}

#[test]
fn token_exchange() {
    let watch = &mut Watch::new();
    let memory = ServerMemory::default();
    for client in clients(watch) {
        let grant = || {
            TokenExchange::new(AccessToken::new(SUBJECT))
                .with_actor(SecurityToken::new(ACTOR, TokenTypeIdentifier::JWT))
                .with_parameter("options", OPTIONS)
        };
        watch.debug(&grant());
        watch.debug(&TokenExchange::new(IdToken::new(ID_TOKEN)).with_actor(RefreshToken::new(REFRESH)));
        echoing(watch, |_, _| client.exchange(grant(), &memory, seed()).unwrap());
    }
    assert!(watch.seen > 5_000, "{}", watch.seen);
}

#[test]
fn device() {
    let watch = &mut Watch::new();
    let memory = ServerMemory::default();
    let prompt = format!(
        r#"{{"device_code":"{DEVICE_CODE}","user_code":"WDJB-MJHT","verification_uri":"https://as.example/d","expires_in":60}}"#
    );
    for client in clients(watch) {
        echoing(watch, |_, _| client.authorize_device(None, &memory, seed()).unwrap());
        echoing(watch, |watch, now| {
            let flow = client.authorize_device(None, &memory, seed()).unwrap();
            let prompted = watch.run(flow, now, |_| Input::Response(response(200, &prompt))).unwrap();
            watch.debug(&prompted);
            prompted.poll
        });
    }
    assert!(watch.seen > 5_000, "{}", watch.seen);
}

#[test]
fn revocation_and_introspection() {
    let watch = &mut Watch::new();
    let memory = ServerMemory::default();
    for client in clients(watch) {
        for token in
            [RefreshToken::new(REVOKED_REFRESH).into(), Revocable::Access(AccessToken::new(REVOKED_ACCESS))]
        {
            watch.debug(&token);
            echoing(watch, |_, _| client.revoke(token.clone(), &memory, seed()).unwrap());
        }
        let request = IntrospectionRequest::access(AccessToken::new(INTROSPECTED))
            .with_parameter("password", INTROSPECTION_PARAMETER);
        for request in [request.clone(), request.authorized_by(AccessToken::new(OWN_TOKEN))] {
            watch.debug(&request);
            echoing(watch, |_, _| client.introspect(request.clone(), &memory, seed()).unwrap());
        }
        echoing(watch, |_, _| client.token_info(AccessToken::new(LOOKED_UP)).unwrap());
    }
    assert!(watch.seen > 5_000, "{}", watch.seen);
}

#[test]
fn registration() {
    let watch = &mut Watch::new();
    let policy = Policy::strict();
    let server = Server::new("https://as.example").with_registration_endpoint("https://as.example/register");
    let metadata = || ClientMetadata::new().with_client_name("App").with_software_statement(STATEMENT);
    watch.debug(&metadata());
    let initial = || Some(AccessToken::new(INITIAL));
    echoing(watch, |_, _| Register::new(&server, metadata(), initial(), &policy).unwrap());
    let access = || RegistrationAccess {
        registration_client_uri: format!("https://as.example/register?id={REGISTRATION}"),
        registration_access_token: RegistrationAccessToken::new(REGISTRATION),
    };
    watch.debug(&access());
    echoing(watch, |_, _| Register::read("c1", access(), &policy).unwrap());
    echoing(watch, |_, _| Register::update("c1", metadata(), access(), &policy).unwrap());
    echoing(watch, |_, _| Deregister::new(access(), &policy).unwrap());
    assert!(watch.seen > 5_000, "{}", watch.seen);
}

#[test]
fn discovery_shows_no_query_of_an_endpoint() {
    let watch = &mut Watch::new();
    for member in ["token_endpoint", "jwks_uri"] {
        for url in [
            format!("https://as.example/t?key={ENDPOINT_KEY}"),
            format!("http://as.example/t?key={ENDPOINT_KEY}"),
        ] {
            let flow = Discover::new("https://as.example", Policy::strict()).unwrap();
            let metadata = format!(r#"{{"issuer":"https://as.example","{member}":"{url}"}}"#);
            let output = std::cell::Cell::new(0);
            let server = run_unwatched_outcome(watch, flow, || {
                output.set(output.get() + 1);
                Input::Response(response(200, &metadata))
            });
            assert_eq!(server.is_some(), url.starts_with("https"));
            if let Some(server) = server
                && member == "token_endpoint"
            {
                let client = Client::new(server, Registration::public("c1"), Policy::strict()).unwrap();
                let mut flow =
                    client.exchange(ClientCredentials::new(), &ServerMemory::default(), seed()).unwrap();
                watch.output(&flow.poll(NOW));
                watch.debug(&flow);
            }
        }
    }
}

/// The metadata itself may be printed: it is public.
fn run_unwatched_outcome<F: Flow + Debug>(
    watch: &mut Watch,
    mut flow: F,
    answer: impl Fn() -> Input,
) -> Option<F::Outcome>
where
    F::Outcome: Debug,
{
    loop {
        match flow.poll(NOW) {
            Output::Done(Ok(outcome)) => return Some(outcome),
            Output::Done(Err(failure)) => {
                watch.output(&Output::<()>::Done(Err(failure)));
                return None;
            }
            output => watch.output(&output),
        }
        flow.handle(answer(), NOW);
    }
}

#[test]
fn the_watch_sees_what_it_looks_for() {
    for leak in [CODE, &CODE[3..16], "Basic YzE6Y2wxM250LXMzY3I"] {
        let caught = std::panic::catch_unwind(|| Watch::new().text("a leak", &format!("so {leak} it is")));
        assert!(caught.is_err(), "{leak}");
    }
    let signature = std::panic::catch_unwind(|| Watch::new().debug(&SIGNATURE));
    assert!(signature.is_err());
    let mut time = NOW;
    time.mono = time.mono.after(Duration::from_secs(1));
    Watch::new().debug(&time);
}
