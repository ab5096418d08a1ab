//! Any inputs in any order, into every flow.

use crate::watch::{Owed, Watch};
use arbitrary::Arbitrary;
use oauth_core::{
    AccessToken, Algorithm, AuthorizationRequest, AuthorizationResponse, Client, ClientCredentials,
    ClientMetadata, Delivered, Deregister, Discover, DiscoverResource, Flow, Input, IntrospectionRequest,
    JwtBearer, KeyFailed, KeyId, KeyWhy, Mono, Now, Opened, OptOut, Output, Password, Policy, Refresh,
    RefreshToken, Register, Registration, RegistrationAccess, RegistrationAccessToken, Resource,
    ResourceOwnerPassword, Saml2Bearer, Scope, SecretBytes, Seed, Server, ServerMemory, TokenExchange, Unix,
    Unreachable, UnreachableKind,
};
use std::time::Duration;

/// A flow, and what a wild driver does to it.
#[derive(Arbitrary, Debug)]
pub struct Story<'a> {
    flow: Which<'a>,
    /// The client signs an assertion for each request.
    signs: bool,
    operations: Vec<Operation<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Which<'a> {
    Discover,
    Code { answer: &'a [u8], with_state: bool, clean: bool },
    Refresh,
    ClientCredentials,
    JwtBearer,
    Saml2Bearer,
    Password,
    TokenExchange,
    Implicit { answer: &'a [u8], clean: bool },
    Revoke,
    Introspect,
    TokenInfo,
    Register,
    ReadRegistration,
    Deregister,
    DiscoverResource,
    Device { expires_in: u16, interval: u16 },
    IdToken { max_age: Option<u16> },
}

#[derive(Arbitrary, Debug)]
enum Operation<'a> {
    Poll,
    Response { status: u8, retry_after: Option<u32>, body: Body<'a> },
    Unreachable(u8),
    Signature,
    KeyFailed,
    Opened { claims: Option<&'a [u8]> },
    UnknownKid,
    Pass { milliseconds: u32 },
    Suspend { seconds: u16 },
    SetWallClockBack { seconds: u16 },
}

#[derive(Arbitrary, Debug)]
enum Body<'a> {
    Bytes(&'a [u8]),
    Tokens,
    TokensInAForm,
    Issued,
    NestedError,
    Pending,
    SlowDown { interval: Option<u16> },
    Denied,
    Metadata,
    Page,
    Keys,
}

impl Body<'_> {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Tokens => br#"{"access_token":"at","token_type":"Bearer","refresh_token":"new"}"#.to_vec(),
            Self::TokensInAForm => b"access_token=at&token_type=bearer&refresh_token=new".to_vec(),
            Self::Issued => {
                br#"{"access_token":"at","token_type":"N_A","issued_token_type":"urn:x","refresh_token":"new"}"#
                    .to_vec()
            }
            Self::NestedError => br#"{"errors":[{"code":"invalid_grant","message":"no"}]}"#.to_vec(),
            Self::Pending => br#"{"error":"authorization_pending"}"#.to_vec(),
            Self::SlowDown { interval: None } => br#"{"error":"slow_down"}"#.to_vec(),
            Self::SlowDown { interval: Some(seconds) } => {
                format!(r#"{{"error":"slow_down","interval":{seconds}}}"#).into_bytes()
            }
            Self::Denied => br#"{"error":"access_denied"}"#.to_vec(),
            Self::Metadata => {
                br#"{"issuer":"https://as.example","token_endpoint":"https://as.example/t"}"#.to_vec()
            }
            Self::Page => b"<html>".to_vec(),
            Self::Keys => br#"{"keys":[]}"#.to_vec(),
        }
    }
}

const TOKEN: &[&str] = &["https://as.example/token"];
const DEVICE: &[&str] = &["https://as.example/device_authorization"];
const KEYS: &[&str] = &["https://as.example/jwks"];
const REVOKE: &[&str] = &["https://as.example/revoke"];
const INTROSPECT: &[&str] = &["https://as.example/introspect"];
const REGISTER: &[&str] = &["https://as.example/register"];
const REGISTERED: &[&str] = &["https://as.example/register/c1"];
const METADATA: &[&str] = &[
    "https://as.example/.well-known/openid-configuration",
    "https://as.example/.well-known/oauth-authorization-server",
];
const START: Now = Now { mono: Mono::from_nanos(1_000_000_000_000), unix: Unix(1_700_000_000) };
/// So many operations end every flow, or it never ends.
const MOST: usize = 200;

/// Tells one story.
///
/// # Panics
/// A flow broke one of its promises.
pub fn run(story: &Story<'_>) {
    let operations = story.operations.get(..MOST).unwrap_or(&story.operations);
    let server = Server::new("https://as.example")
        .with_authorization_endpoint("https://as.example/authorize")
        .with_token_endpoint(TOKEN[0])
        .with_device_authorization_endpoint(DEVICE[0])
        .with_revocation_endpoint(REVOKE[0])
        .with_introspection_endpoint(INTROSPECT[0])
        .with_registration_endpoint(REGISTER[0])
        .with_token_info_endpoint("https://as.example/info")
        .with_jwks_uri(KEYS[0]);
    let opt_outs = [OptOut::PasswordGrant, OptOut::ImplicitGrant, OptOut::TokenInQuery];
    let policy = opt_outs.into_iter().fold(Policy::strict(), Policy::waive);
    let registration = match story.signs {
        true => Registration::with_key("c1", KeyId::new("client"), Algorithm::ES256),
        false => Registration::public("c1"),
    };
    let client = Client::new(server.clone(), registration, policy.clone()).expect("a right setup");
    let access = || RegistrationAccess {
        registration_client_uri: REGISTERED[0].into(),
        registration_access_token: RegistrationAccessToken::new("old"),
    };
    let memory = ServerMemory::default();
    let seed = || Seed::new([7; Seed::LENGTH]);
    match &story.flow {
        Which::Discover => {
            let flow = Discover::new("https://as.example", Policy::strict()).expect("a right issuer");
            wild(flow, operations, Watch::new(2, METADATA), None);
        }
        Which::Code { answer, with_state, clean } => {
            let request = AuthorizationRequest::new("http://127.0.0.1:9/cb");
            let mut flow = client.authorize(request, &memory, seed()).expect("a right request");
            let Output::Done(Ok(ready)) = flow.poll(START) else { panic!("nothing is needed to be ready") };
            let mut bytes = Vec::new();
            if *with_state {
                bytes.extend_from_slice(format!("state={}&", ready.pending.state()).as_bytes());
            }
            bytes.extend_from_slice(if *clean { b"code=ac1" } else { answer });
            let response = AuthorizationResponse::Form(&bytes);
            let _recognised = ready.pending.recognise(&response);
            let flow = ready.pending.redeem(&response, &client, &memory, seed());
            wild(flow, operations, Watch::new(u32::from(*with_state), TOKEN), None);
        }
        Which::Refresh => {
            let flow = client.exchange(Refresh::new(RefreshToken::new("old")), &memory, seed());
            wild(flow.expect("there is a token endpoint"), operations, Watch::new(1, TOKEN), None);
        }
        Which::ClientCredentials => {
            let flow = client.exchange(ClientCredentials::new(), &memory, seed());
            wild(flow.expect("there is a token endpoint"), operations, Watch::new(1, TOKEN), None);
        }
        Which::JwtBearer => {
            let grant = JwtBearer::new(KeyId::new("k"), Algorithm::ES256, "me", "https://as.example");
            let flow = client.exchange(grant, &memory, seed());
            wild(flow.expect("there is a token endpoint"), operations, Watch::new(1, TOKEN), None);
        }
        Which::Saml2Bearer => {
            let flow = client.exchange(Saml2Bearer::new(&SecretBytes::new("<a/>")), &memory, seed());
            wild(flow.expect("there is a token endpoint"), operations, Watch::new(1, TOKEN), None);
        }
        Which::Password => {
            let grant = ResourceOwnerPassword::new("johndoe", Password::new("A3ddj3w"));
            let flow = client.exchange(grant, &memory, seed()).expect("the policy allows it");
            wild(flow, operations, Watch::new(1, TOKEN), None);
        }
        Which::TokenExchange => {
            let flow = client.exchange(TokenExchange::new(AccessToken::new("old")), &memory, seed());
            wild(flow.expect("there is a token endpoint"), operations, Watch::new(1, TOKEN), None);
        }
        Which::Implicit { answer, clean } => {
            let request = AuthorizationRequest::new("http://127.0.0.1:9/cb").implicit();
            let mut flow = client.authorize(request, &memory, seed()).expect("the policy allows it");
            let Output::Done(Ok(ready)) = flow.poll(START) else { panic!("nothing is needed to be ready") };
            let mut bytes = format!("state={}&", ready.pending.state()).into_bytes();
            bytes.extend_from_slice(if *clean { b"access_token=at&token_type=bearer" } else { answer });
            let flow = ready.pending.redeem(&AuthorizationResponse::Form(&bytes), &client, &memory, seed());
            wild(flow, operations, Watch::new(0, &[]), None);
        }
        Which::Revoke => {
            let flow = client.revoke(RefreshToken::new("old").into(), &memory, seed());
            wild(flow.expect("there is an endpoint"), operations, Watch::new(1, REVOKE), None);
        }
        Which::Introspect => {
            let request = IntrospectionRequest::access(AccessToken::new("old"));
            let flow = client.introspect(request, &memory, seed());
            wild(flow.expect("there is an endpoint"), operations, Watch::new(1, INTROSPECT), None);
        }
        Which::TokenInfo => {
            let flow = client.token_info(AccessToken::new("old")).expect("the policy allows it");
            wild(flow, operations, Watch::new(1, &["https://as.example/info?access_token=old"]), None);
        }
        Which::Register => {
            let flow = Register::new(&server, ClientMetadata::new(), None, &policy);
            wild(flow.expect("there is an endpoint"), operations, Watch::new(1, REGISTER), None);
        }
        Which::ReadRegistration => {
            let flow = Register::read("c1", access(), &policy).expect("it may be asked");
            wild(flow, operations, Watch::new(1, REGISTERED), None);
        }
        Which::Deregister => {
            let flow = Deregister::new(access(), &policy).expect("it may be asked");
            wild(flow, operations, Watch::new(1, REGISTERED), None);
        }
        Which::DiscoverResource => {
            let resource = Resource::new("https://api.example/a").expect("a resource");
            let flow = DiscoverResource::new(resource, policy).expect("it may be asked");
            let place = &["https://api.example/.well-known/oauth-protected-resource/a"];
            wild(flow, operations, Watch::new(1, place), None);
        }
        Which::Device { expires_in, interval } => {
            let mut flow = client.authorize_device(None, &memory, seed()).expect("there is an endpoint");
            let mut watch = Watch::new(1, DEVICE);
            watch.output(&flow.poll(START), START);
            if story.signs {
                flow.handle(Input::Signature(b"signature".to_vec()), START);
                watch.owed = Owed::Nothing;
                watch.output(&flow.poll(START), START);
            }
            let body = format!(
                r#"{{"device_code":"dc","user_code":"AB","verification_uri":"https://as.example/d","expires_in":{expires_in},"interval":{interval}}}"#
            );
            flow.handle(Input::Response(http::Response::new(body.into_bytes()).into()), START);
            let Output::Done(Ok(prompt)) = flow.poll(START) else { panic!("a right answer") };
            let interval = Duration::from_secs(u64::from(*interval).max(1));
            let life = Duration::from_secs(u64::from(*expires_in));
            let allowed = Allowed {
                interval,
                next: START.mono.after(interval),
                expires: (START.mono.after(life), START.unix.after(life)),
            };
            wild(prompt.poll, operations, Watch::new(u32::MAX, TOKEN), Some(allowed));
        }
        Which::IdToken { max_age } => {
            let scope = Scope::new("openid").expect("a scope");
            let mut request = AuthorizationRequest::new("http://127.0.0.1:9/cb").with_scope(scope);
            if let Some(seconds) = max_age {
                request = request.with_max_age(Duration::from_secs((*seconds).into()));
            }
            let mut flow = client.authorize(request, &memory, seed()).expect("a right request");
            let Output::Done(Ok(ready)) = flow.poll(START) else { panic!("nothing is needed to be ready") };
            let answer = format!("code=ac1&state={}", ready.pending.state());
            let answer = AuthorizationResponse::Query(&answer);
            let mut flow = ready.pending.redeem(&answer, &client, &memory, seed());
            if story.signs {
                let _key = flow.poll(START);
                flow.handle(Input::Signature(b"signature".to_vec()), START);
            }
            let _send = flow.poll(START);
            let body = r#"{"access_token":"at","token_type":"Bearer","id_token":"e30.e30.AA"}"#;
            flow.handle(Input::Response(http::Response::new(body.as_bytes().to_vec()).into()), START);
            wild(flow, operations, Watch::new(1, KEYS), None);
        }
    }
}

/// The claims of an ID token of the one login that there is.
const CLAIMS: &str = r#"{"iss":"https://as.example","sub":"alice","aud":"c1","iat":1700000000,"exp":1700000600,"auth_time":1700000000,"nonce":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#;

/// RFC 8628 section 3.5, written a second time: when the next poll is allowed at the earliest.
struct Allowed {
    interval: Duration,
    next: Mono,
    expires: (Mono, Unix),
}

impl Allowed {
    fn answered(&mut self, status: u16, retry_after: Option<u32>, body: &Body<'_>, now: Now) {
        let busy = status == 429 || status >= 500;
        if let Body::SlowDown { interval } = body
            && status < 500
        {
            self.interval += Duration::from_secs(5);
            if let Some(seconds) = interval
                && !busy
            {
                self.interval = self.interval.max(Duration::from_secs(u64::from(*seconds)));
            }
        }
        let asked = retry_after.filter(|_| busy).map_or(0, |seconds| u64::from(seconds).min(86_400));
        self.next = now.mono.after(self.interval.max(Duration::from_secs(asked)));
    }
}

fn wild<F: Flow>(mut flow: F, operations: &[Operation<'_>], mut watch: Watch, mut allowed: Option<Allowed>) {
    let mut now = START;
    for operation in operations {
        let input = match operation {
            Operation::Poll => {
                let output = flow.poll(now);
                watch.output(&output, now);
                if let (Some(allowed), Output::Send(_)) = (&allowed, &output) {
                    assert!(now.mono >= allowed.next, "polled early");
                    assert!(
                        now.mono < allowed.expires.0 && now.unix < allowed.expires.1,
                        "the code was over"
                    );
                }
                continue;
            }
            Operation::Pass { milliseconds } => {
                let time = Duration::from_millis(u64::from(*milliseconds));
                now = Now { mono: now.mono.after(time), unix: now.unix.after(time) };
                continue;
            }
            Operation::Suspend { seconds } => {
                now.unix = now.unix.after(Duration::from_secs(u64::from(*seconds)));
                continue;
            }
            Operation::SetWallClockBack { seconds } => {
                now.unix = Unix(now.unix.0 - u64::from(*seconds));
                continue;
            }
            Operation::Response { status, retry_after, body } => {
                let status = [200, 200, 400, 400, 401, 404, 302, 429, 500, 503][usize::from(status % 10)];
                if let Some(allowed) = &mut allowed
                    && watch.owed == Owed::Response
                {
                    allowed.answered(status, *retry_after, body, now);
                }
                let mut response = http::Response::builder().status(status);
                if let Some(seconds) = retry_after {
                    response = response.header("retry-after", *seconds);
                }
                Input::Response(response.body(body.bytes()).expect("a right response").into())
            }
            Operation::Unreachable(kind) => {
                if let Some(allowed) = &mut allowed
                    && watch.owed == Owed::Response
                {
                    allowed.next = now.mono.after(allowed.interval);
                }
                let kinds = [UnreachableKind::Timeout, UnreachableKind::Broken, UnreachableKind::Tls];
                let kind = kinds[usize::from(kind % 3)];
                Input::Unreachable(Unreachable::new(kind, Delivered::Unknown))
            }
            Operation::Signature => Input::Signature(b"signature".to_vec()),
            Operation::KeyFailed => Input::KeyFailed(KeyFailed::new(KeyWhy::Denied)),
            Operation::UnknownKid => Input::KeyFailed(KeyFailed::new(KeyWhy::UnknownKid)),
            Operation::Opened { claims } => {
                let claims = claims.map_or_else(|| CLAIMS.as_bytes().to_vec(), <[u8]>::to_vec);
                Input::Opened(Opened::new(Algorithm::RS256, SecretBytes::new(claims)))
            }
        };
        watch.input(&input);
        flow.handle(input, now);
        let _learned = flow.take_learned();
    }
    // A driver that gives up waiting, and answers what is owed with a refusal, is told so: every flow ends.
    for _ in 0..6 {
        let output = flow.poll(now);
        watch.output(&output, now);
        let input = match watch.owed {
            Owed::Signature | Owed::Opened => Input::KeyFailed(KeyFailed::new(KeyWhy::Denied)),
            Owed::Response => Input::Unreachable(Unreachable::new(UnreachableKind::Tls, Delivered::No)),
            Owed::Nothing if watch.over => break,
            Owed::Nothing => {
                now = Now { mono: now.mono.after(Duration::from_secs(100_000)), unix: now.unix };
                continue;
            }
        };
        watch.input(&input);
        flow.handle(input, now);
    }
    assert!(watch.over, "the flow does not end");
    watch.output(&flow.poll(now), now);
}
