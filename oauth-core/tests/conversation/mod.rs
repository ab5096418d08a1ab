//! The interpreter of transcripts, over the public API only.

mod endpoints;
mod show;

use oauth_core::{
    Algorithm, AuthMethod, AuthorizationRequest, AuthorizationResponse, AuthorizeDevice, Client,
    ClientCredentials, ClientSecret, ConfigError, Delivered, Discover, Flow, Form, Grant, IdTokenClaims,
    Input, JsonValue, JwtBearer, KeyFailed, KeyId, KeyWhy, Mono, Now, Opened, OptOut, Output, Password,
    Pending, Policy, PollDevice, Recognised, Redeem, Refresh, RefreshToken, Registration, RegistrationAccess,
    Rejected, Resource, ResourceOwnerPassword, ResponseMode, Saml2Bearer, Scope, SecretBytes, SecurityToken,
    Seed, Server, ServerMemory, TokenExchange, TokenTypeIdentifier, Tokens, Unix, Unreachable,
    UnreachableKind,
};
use show::Show;
use std::time::Duration;

/// What happened when a transcript was played.
pub(crate) struct Happened {
    /// The transcript with the lines of the flow as they really came.
    pub(crate) text: String,
    /// What is wrong with the transcript itself.
    pub(crate) broken: Option<String>,
}

/// The world of one transcript: a program, its clocks, and what it keeps between flows.
pub(crate) struct Conversation {
    now: Now,
    policy: Policy,
    server: Server,
    registration: Registration,
    memory: ServerMemory,
    seeds: u8,
    live: Option<Box<dyn Drive>>,
    pending: Option<Pending>,
    prompt: Option<PollDevice>,
    signed_in: Option<IdTokenClaims>,
    access: Option<RegistrationAccess>,
    browser: Option<(String, String)>,
    stored: Vec<u8>,
    text: String,
}

/// A grant that is not of this crate (RFC 6749 section 4.5).
struct Voucher(ClientSecret);

impl Grant for Voucher {
    fn form(&self, form: &mut Form) {
        form.pair("grant_type", "urn:example:grant-type:voucher");
        form.pair("voucher", self.0.expose());
    }

    fn check(&self, tokens: &Tokens) -> Result<(), Rejected> {
        tokens.expires_at.map(|_| ()).ok_or(Rejected::Check("it does not say when the voucher ends"))
    }
}

/// A flow of any outcome.
trait Drive {
    /// Polls once and shows the output; says whether the flow is over.
    fn poll(&mut self, world: &mut Conversation) -> bool;
    fn handle(&mut self, input: Input, now: Now);
}

impl<F: Flow> Drive for F
where
    F::Outcome: Show,
{
    fn poll(&mut self, world: &mut Conversation) -> bool {
        match Flow::poll(self, world.now) {
            Output::Send(request) => world.say(&show::request(&request)),
            Output::Key(task) => world.say(&show::key_task(&task)),
            Output::Wait(until) => {
                let until = until.since(Mono::from_nanos(0));
                assert!(until > world.now.mono.since(Mono::from_nanos(0)), "a wait that is already over");
                world.say(&format!("wait until {} s", until.as_secs_f64()));
            }
            Output::Idle => world.say("idle"),
            Output::Done(result) => {
                match result {
                    Ok(outcome) => {
                        let shown = outcome.show(world);
                        world.say(&shown);
                    }
                    Err(failure) => world.say(&show::failure(&failure)),
                }
                let before = world.memory.clock_offset();
                let keys = world.memory.keys().cloned();
                world.memory.learn(self.take_learned());
                if world.memory.keys() != keys.as_ref() {
                    let keys = world.memory.keys().map_or_else(|| "none".into(), show::keys);
                    world.say(&format!("learned: keys {keys}"));
                }
                let clock = world.memory.clock_offset();
                if clock != before {
                    let side = if clock.server_is_ahead() { "ahead of" } else { "behind" };
                    world
                        .say(&format!("learned: the server is {} s {side} us", clock.difference().as_secs()));
                }
                for _ in 0..2 {
                    assert!(matches!(Flow::poll(self, world.now), Output::Idle), "Done, and then not Idle");
                    Flow::handle(self, Input::Signature(Vec::new()), world.now);
                }
                return true;
            }
        }
        false
    }

    fn handle(&mut self, input: Input, now: Now) {
        Flow::handle(self, input, now);
    }
}

impl Conversation {
    pub(crate) fn run(script: &str) -> Happened {
        let mut world = Self {
            now: Now { mono: Mono::from_nanos(0), unix: Unix(0) },
            policy: Policy::strict(),
            server: Server::new(""),
            registration: Registration::public("c1"),
            memory: ServerMemory::default(),
            seeds: 0,
            live: None,
            pending: None,
            prompt: None,
            signed_in: None,
            access: None,
            browser: None,
            stored: Vec::new(),
            text: String::new(),
        };
        let broken = world.play(script).err();
        Happened { text: world.text, broken }
    }

    fn play(&mut self, script: &str) -> Result<(), String> {
        let mut lines = script.lines().enumerate().peekable();
        let cites = |line: &str| line.starts_with("# RFC ") || line.starts_with("# OpenID Connect ");
        if !lines.peek().is_some_and(|(_, line)| cites(line) && line.contains(" section ")) {
            return Err("the first line cites no RFC or OpenID section".into());
        }
        let mut shows = false;
        while let Some((number, line)) = lines.next() {
            let mut block = Vec::new();
            while let Some((_, indented)) = lines.next_if(|(_, next)| next.starts_with("    ")) {
                block.push(&indented[4..]);
            }
            if line.starts_with('=') {
                shows = true;
                continue;
            }
            self.text.push_str(line);
            self.text.push('\n');
            for indented in &block {
                self.text.push_str("    ");
                self.text.push_str(indented);
                self.text.push('\n');
            }
            let understood = match line.split_once(' ') {
                _ if line.is_empty() => Some(()),
                Some(("#", _)) => Some(()),
                Some(("@", clocks)) => self.clocks(clocks),
                Some(("!", act)) => self.act(act),
                Some(("<", answer)) => self.answer(answer, &block.join("\n")),
                _ => None,
            };
            understood.ok_or_else(|| format!("line {} is not understood: {line}", number + 1))?;
        }
        match self.live {
            Some(_) => Err("the file ends before the flow does".into()),
            None if !shows && !self.text.contains("\n= ") => Err("nothing was shown".into()),
            None => Ok(()),
        }
    }

    /// Who signed in, for the refresh that comes later.
    fn keep(&mut self, tokens: &Tokens) {
        self.signed_in = tokens.id_token_claims.as_deref().cloned().or_else(|| self.signed_in.take());
    }

    /// Writes what the flow says, its first line behind the mark and the others indented.
    fn say(&mut self, said: &str) {
        for (index, line) in said.lines().enumerate() {
            self.text.push_str(if index == 0 { "= " } else { "    " });
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    fn poll(&mut self) {
        if let Some(mut flow) = self.live.take()
            && !flow.poll(self)
        {
            self.live = Some(flow);
        }
    }

    fn begin(&mut self, flow: impl Drive + 'static) {
        assert!(self.live.is_none(), "a flow begins while another goes on");
        self.live = Some(Box::new(flow));
        self.poll();
    }

    fn seed(&mut self) -> Seed {
        let first = self.seeds.wrapping_mul(96);
        self.seeds += 1;
        let mut byte = first;
        Seed::new([(); Seed::LENGTH].map(|()| {
            let this = byte;
            byte = byte.wrapping_add(1);
            this
        }))
    }

    /// `mono 1.5 unix 1700000001`
    fn clocks(&mut self, clocks: &str) -> Option<()> {
        let mut words = clocks.split(' ');
        let (Some("mono"), Some(mono), Some("unix"), Some(unix), None) =
            (words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            return None;
        };
        self.now = Now {
            mono: Mono::from_duration(Duration::try_from_secs_f64(mono.parse().ok()?).ok()?),
            unix: Unix(unix.parse().ok()?),
        };
        self.poll();
        Some(())
    }

    /// What the program does. Arguments are separated by spaces and percent-decoded.
    fn act(&mut self, act: &str) -> Option<()> {
        let words: Vec<_> = act.split(' ').map(decode).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["allow", "plain-http-on-loopback"] => {
                self.policy = self.policy.clone().waive(OptOut::PlainHttpOnLoopback);
            }
            ["allow", "token-in-query"] => {
                self.policy = self.policy.clone().waive(OptOut::TokenInQuery);
            }
            ["allow", "unread-id-tokens"] => {
                self.policy = self.policy.clone().waive(OptOut::UnreadIdTokens);
            }
            ["allow", "unverified-id-tokens"] => {
                self.policy = self.policy.clone().waive(OptOut::UnverifiedIdTokens);
            }
            ["allow", "unencoded-basic"] => self.policy = self.policy.clone().waive(OptOut::UnencodedBasic),
            ["allow", legacy @ ("password-grant" | "implicit-grant")] => {
                let opt_out =
                    if *legacy == "password-grant" { OptOut::PasswordGrant } else { OptOut::ImplicitGrant };
                self.policy = self.policy.clone().waive(opt_out);
                // What is waived is there to be seen.
                let waived: Vec<_> = self.policy.opt_outs().iter().map(OptOut::to_string).collect();
                self.say(&format!("waived: {}", waived.join("; ")));
            }
            ["server", issuer] => {
                self.server = Server::new(*issuer)
                    .with_authorization_endpoint(format!("{issuer}/authorize"))
                    .with_token_endpoint(format!("{issuer}/token"))
                    .with_device_authorization_endpoint(format!("{issuer}/device_authorization"))
                    .with_revocation_endpoint(format!("{issuer}/revoke"))
                    .with_introspection_endpoint(format!("{issuer}/introspect"))
                    .with_registration_endpoint(format!("{issuer}/register"))
                    .with_token_info_endpoint(format!("{issuer}/tokeninfo"))
                    .with_jwks_uri(format!("{issuer}/jwks"));
            }
            ["server", issuer, "without-endpoints"] => self.server = Server::new(*issuer),
            ["authorization_endpoint", url] => {
                self.server = self.server.clone().with_authorization_endpoint(*url);
            }
            ["token_endpoint", url] => self.server = self.server.clone().with_token_endpoint(*url),
            ["iss-in-responses"] => self.server = self.server.clone().with_iss_in_responses(),
            ["client", "public", id] => self.registration = Registration::public(*id),
            ["client", "secret", id, secret] => {
                self.registration = Registration::with_secret(*id, ClientSecret::new(*secret));
            }
            ["client", "secret", id, secret, method] => {
                self.registration = Registration::with_secret(*id, ClientSecret::new(*secret))
                    .authenticated_by(AuthMethod::from_text(method));
            }
            ["client", "key", id, key, algorithm, parameters @ ..] => {
                let mut registration =
                    Registration::with_key(*id, KeyId::new(*key), Algorithm::from_text(algorithm));
                for (name, value) in named(parameters)? {
                    registration = match name {
                        "kid" => registration.with_kid(value),
                        "audience" => registration.with_assertion_audience(value),
                        "method" => registration.authenticated_by(AuthMethod::from_text(value)),
                        _ => return None,
                    };
                }
                self.registration = registration;
            }
            ["client", "signed-secret", id, issuer, key, kid] => {
                let key = KeyId::new(*key);
                let registration = Registration::with_signed_secret(*id, *issuer, key, Algorithm::ES256);
                self.registration = registration.with_kid(*kid);
            }
            ["client", "certificate", id, certificate, method @ ..] => {
                let registration = Registration::with_certificate(*id, KeyId::new(*certificate));
                self.registration = match method {
                    [method] => registration.authenticated_by(AuthMethod::from_text(method)),
                    _ => registration,
                };
            }
            ["id_token_signed_response_alg", algorithm] => {
                let algorithm = Algorithm::from_text(algorithm);
                self.registration = self.registration.clone().with_id_token_signed_response_alg(algorithm);
            }
            ["id_token_decryption_key", key] => {
                self.registration = self.registration.clone().with_id_token_decryption_key(KeyId::new(*key));
            }
            ["discover", issuer] => match Discover::new(*issuer, self.policy.clone()) {
                Ok(flow) => self.begin(flow),
                Err(error) => self.say(&format!("refused before any I/O: {error}")),
            },
            ["authorize", redirect_uri, parameters @ ..] => {
                let mut request = AuthorizationRequest::new(*redirect_uri);
                for (name, value) in named(parameters)? {
                    request = match name {
                        "scope" => request.with_scope(Scope::new(value).ok()?),
                        "resource" => request.with_resource(&Resource::new(value).ok()?),
                        "response_mode" => request.with_response_mode(ResponseMode::from_text(value)),
                        "response_type" if value == "token" => request.implicit(),
                        _ => request.with_parameter(name.strip_prefix('+')?, value),
                    };
                }
                let seed = self.seed();
                self.try_begin(|world, client| client.authorize(request, &world.memory, seed));
            }
            ["store"] => {
                self.stored = self.pending.take()?.to_store().expose().to_vec();
                let shown = format!("stored {}", String::from_utf8_lossy(&self.stored));
                self.say(&shown);
            }
            ["restore"] => self.restore(&self.stored.clone()),
            ["restore", stored] => self.restore(stored.as_bytes()),
            ["redeem", parameters @ ..] => {
                let (mode, text) = self.browser.take()?;
                let (pending, seed) = (self.pending.take()?, self.seed());
                let response = response(&mode, &text)?;
                let resources = resources(&named(parameters)?)?;
                self.try_begin(|world, client| {
                    let flow = pending.redeem(&response, client, &world.memory, seed);
                    Ok(resources.into_iter().fold(flow, Redeem::with_resource))
                });
            }
            ["refresh", token, parameters @ ..] => {
                let mut grant = Refresh::new(RefreshToken::new(*token));
                for (name, value) in named(parameters)? {
                    grant = match name {
                        "signed_in" => grant.signed_in(self.signed_in.clone()?),
                        "narrowed_to" => grant.narrowed_to(Scope::new(value).ok()?),
                        "granted" => grant.granted(Scope::new(value).ok()?),
                        "resource" => grant.with_resource(Resource::new(value).ok()?),
                        _ => return None,
                    };
                }
                let seed = self.seed();
                self.try_begin(|world, client| client.exchange(grant, &world.memory, seed));
            }
            ["client_credentials", parameters @ ..] => {
                let mut grant = ClientCredentials::new();
                for (name, value) in named(parameters)? {
                    grant = match name {
                        "scope" => grant.with_scope(Scope::new(value).ok()?),
                        "resource" => grant.with_resource(Resource::new(value).ok()?),
                        _ => grant.with_parameter(name.strip_prefix('+')?, value),
                    };
                }
                let seed = self.seed();
                self.try_begin(|world, client| client.exchange(grant, &world.memory, seed));
            }
            ["jwt_bearer", key, algorithm, issuer, audience, parameters @ ..] => {
                let mut grant =
                    JwtBearer::new(KeyId::new(*key), Algorithm::from_text(algorithm), *issuer, *audience);
                for (name, value) in named(parameters)? {
                    grant = match name {
                        "kid" => grant.with_kid(value),
                        "sub" => grant.on_behalf_of(value),
                        "scope" => grant.with_scope(Scope::new(value).ok()?),
                        "resource" => grant.with_resource(Resource::new(value).ok()?),
                        "sub-less" => grant.without_subject(),
                        "claim" => {
                            let (name, value) = value.split_once(':')?;
                            grant.with_claim(name, JsonValue::read(value.as_bytes()).ok()?.into_owned())
                        }
                        "living" => grant.living(Duration::from_secs(value.parse().ok()?)),
                        _ => return None,
                    };
                }
                let seed = self.seed();
                self.try_begin(|world, client| client.exchange(grant, &world.memory, seed));
            }
            ["saml2_bearer", assertion, parameters @ ..] => {
                let mut grant = Saml2Bearer::new(&SecretBytes::new(*assertion));
                for (name, value) in named(parameters)? {
                    grant = match name {
                        "scope" => grant.with_scope(Scope::new(value).ok()?),
                        "resource" => grant.with_resource(Resource::new(value).ok()?),
                        _ => return None,
                    };
                }
                let seed = self.seed();
                self.try_begin(|world, client| client.exchange(grant, &world.memory, seed));
            }
            ["password", username, password, parameters @ ..] => {
                let mut grant = ResourceOwnerPassword::new(*username, Password::new(*password));
                for (name, value) in named(parameters)? {
                    grant = match name {
                        "scope" => grant.with_scope(Scope::new(value).ok()?),
                        _ => grant.with_parameter(name.strip_prefix('+')?, value),
                    };
                }
                let seed = self.seed();
                self.try_begin(|world, client| client.exchange(grant, &world.memory, seed));
            }
            ["token_exchange", subject, subject_type, parameters @ ..] => {
                let mut grant = TokenExchange::new(SecurityToken::new(
                    *subject,
                    TokenTypeIdentifier::from_text(subject_type),
                ));
                let mut actor = "";
                for (name, value) in named(parameters)? {
                    grant = match name {
                        "actor" => {
                            actor = value;
                            grant
                        }
                        "actor_type" => {
                            let token_type = TokenTypeIdentifier::from_text(value);
                            grant.with_actor(SecurityToken::new(actor, token_type))
                        }
                        "requested" => grant.requested(TokenTypeIdentifier::from_text(value)),
                        "resource" => match Resource::new(value) {
                            Ok(resource) => grant.with_resource(resource),
                            Err(error) => {
                                self.say(&format!("refused before any I/O: {error}"));
                                return Some(());
                            }
                        },
                        "audience" => grant.with_audience(value),
                        "scope" => grant.with_scope(Scope::new(value).ok()?),
                        _ => grant.with_parameter(name.strip_prefix('+')?, value),
                    };
                }
                let seed = self.seed();
                self.try_begin(|world, client| client.exchange(grant, &world.memory, seed));
            }
            ["voucher", number] => {
                let (grant, seed) = (Voucher(ClientSecret::new(*number)), self.seed());
                self.try_begin(|world, client| client.exchange(grant, &world.memory, seed));
            }
            ["device", parameters @ ..] => {
                let parameters = named(parameters)?;
                let (scope, rest) = match parameters.as_slice() {
                    [("scope", scope), rest @ ..] => (Some(Scope::new(scope).ok()?), rest),
                    rest => (None, rest),
                };
                let resources = resources(rest)?;
                let seed = self.seed();
                self.try_begin(|world, client| {
                    let flow = client.authorize_device(scope, &world.memory, seed)?;
                    Ok(resources.into_iter().fold(flow, AuthorizeDevice::with_resource))
                });
            }
            ["poll"] => {
                let flow = self.prompt.take()?;
                self.begin(flow);
            }
            ["give-up"] => self.live = Some(self.live.take()?).and(None),
            words => return self.other_endpoint(words),
        }
        Some(())
    }

    fn try_begin<F: Drive + 'static>(&mut self, make: impl FnOnce(&Self, &Client) -> Result<F, ConfigError>) {
        let client = Client::new(self.server.clone(), self.registration.clone(), self.policy.clone());
        match client.and_then(|client| make(self, &client)) {
            Ok(flow) => self.begin(flow),
            Err(error) => self.say(&format!("refused before any I/O: {error}")),
        }
    }

    fn restore(&mut self, stored: &[u8]) {
        match Pending::from_store(stored, self.now.unix) {
            Ok(pending) => self.pending = Some(pending),
            Err(error) => self.say(&error.to_string()),
        }
    }

    /// What the test answers: from the server, from whoever holds the keys, or from the browser.
    fn answer(&mut self, answer: &str, body: &str) -> Option<()> {
        let words: Vec<_> = answer.split(' ').collect();
        let input = match words.as_slice() {
            [mode @ ("query" | "fragment" | "form"), text] => return self.recognise(mode, text),
            ["signature", bytes] => Input::Signature(bytes.as_bytes().to_vec()),
            ["opened", algorithm] => {
                Input::Opened(Opened::new(Algorithm::from_text(algorithm), SecretBytes::new(body.as_bytes())))
            }
            ["key-failed", why] => Input::KeyFailed(KeyFailed::new(match *why {
                "no-key" => KeyWhy::NoKey,
                "unsupported" => KeyWhy::Unsupported,
                "denied" => KeyWhy::Denied,
                "busy" => KeyWhy::Busy,
                "unknown-kid" => KeyWhy::UnknownKid,
                "bad" => KeyWhy::Bad,
                _ => return None,
            })),
            ["unreachable", kind, delivered] => Input::Unreachable(Unreachable::new(
                match *kind {
                    "timeout" => UnreachableKind::Timeout,
                    "name" => UnreachableKind::Name,
                    "connect" => UnreachableKind::Connect,
                    "broken" => UnreachableKind::Broken,
                    "tls" => UnreachableKind::Tls,
                    "proxy" => UnreachableKind::Proxy,
                    "too-large" => UnreachableKind::TooLarge,
                    "not-http" => UnreachableKind::NotHttp,
                    "unsupported" => UnreachableKind::Unsupported,
                    "cancelled" => UnreachableKind::Cancelled,
                    "other" => UnreachableKind::Other,
                    _ => return None,
                },
                match *delivered {
                    "not-delivered" => Delivered::No,
                    "maybe-delivered" => Delivered::Unknown,
                    _ => return None,
                },
            )),
            _ => {
                let mut parts = answer.split(" | ");
                let (status, content_type) = parts.next()?.split_once(' ')?;
                let mut response =
                    http::Response::builder().status(status).header("content-type", content_type);
                for header in parts {
                    let (name, value) =
                        header.split_once(": ").or_else(|| Some((header.strip_suffix(":")?, "")))?;
                    response = response.header(name, value);
                }
                Input::Response(response.body(body.as_bytes().to_vec()).ok()?.into())
            }
        };
        self.live.as_mut()?.handle(input, self.now);
        self.poll();
        Some(())
    }

    fn recognise(&mut self, mode: &str, text: &str) -> Option<()> {
        let pending = self.pending.as_ref()?;
        let response = response(mode, text)?;
        let recognised = pending.recognise(&response);
        assert_eq!(pending.recogniser().recognise(&response), recognised);
        match recognised {
            Recognised::Ours => self.say("ours"),
            Recognised::NotOurs(why) => self.say(&format!("not ours: {why}")),
            _ => return None,
        }
        self.browser = Some((mode.into(), text.into()));
        Some(())
    }
}

fn response<'a>(mode: &str, text: &'a str) -> Option<AuthorizationResponse<'a>> {
    Some(match mode {
        "query" => AuthorizationResponse::Query(text),
        "fragment" => AuthorizationResponse::Fragment(text),
        "form" => AuthorizationResponse::Form(text.as_bytes()),
        _ => return None,
    })
}

fn resources(named: &[(&str, &str)]) -> Option<Vec<Resource>> {
    let resource = |(name, value): &(&str, &str)| Resource::new(*value).ok().filter(|_| *name == "resource");
    named.iter().map(resource).collect()
}

/// `name=value` words.
fn named<'a>(words: &[&'a str]) -> Option<Vec<(&'a str, &'a str)>> {
    words.iter().map(|word| word.split_once('=')).collect()
}

fn decode(word: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = word.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
