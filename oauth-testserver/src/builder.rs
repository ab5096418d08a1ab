//! Setting a server up.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::faults::{Endpoint, Fault, Faults, Repeat};
use crate::{Client, Clock, TestServer};

/// A person who can sign in: no password, for no one here is real.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// What the login form sends, and `preferred_username`.
    pub username: String,
    /// What the pages show, and `name`.
    pub name: String,
}

impl Person {
    /// A person of this user name and of this name.
    #[must_use]
    pub fn new(username: impl Into<String>, name: impl Into<String>) -> Self {
        Self { username: username.into(), name: name.into() }
    }

    /// The `sub` claim.
    #[must_use]
    pub fn sub(&self) -> String {
        format!("demo-{}", self.username)
    }

    pub(crate) fn email(&self) -> String {
        format!("{}@example.com", self.username)
    }
}

/// A server that has not started yet.
pub struct Builder {
    pub(crate) clients: Vec<Client>,
    pub(crate) jwt_issuers: Vec<(String, String)>,
    pub(crate) people: Vec<Person>,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) settings: Settings,
}

pub(crate) struct Settings {
    pub(crate) scopes: Vec<String>,
    pub(crate) openid: bool,
    pub(crate) issuer_parameter: bool,
    pub(crate) code_lifetime: Duration,
    pub(crate) access_token_lifetime: Duration,
    pub(crate) refresh_token_lifetime: Duration,
    pub(crate) device_code_lifetime: Duration,
    pub(crate) device_interval: Duration,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            clients: vec![
                Client::public("demo").loopback(),
                Client::basic("demo-basic", "demo-basic-secret").loopback(),
                Client::post("demo-post", "demo-post-secret").loopback(),
            ],
            jwt_issuers: Vec::new(),
            people: vec![Person::new("ada", "Ada Lovelace"), Person::new("grace", "Grace Hopper")],
            clock: Clock::system(),
            faults: Faults::default(),
            settings: Settings {
                scopes: ["openid", "profile", "email", "offline_access", "read", "write"]
                    .map(str::to_owned)
                    .to_vec(),
                openid: true,
                issuer_parameter: true,
                code_lifetime: Duration::from_secs(60),
                access_token_lifetime: Duration::from_secs(3_600),
                refresh_token_lifetime: Duration::from_secs(14 * 86_400),
                device_code_lifetime: Duration::from_secs(600),
                device_interval: Duration::from_secs(5),
            },
        }
    }
}

impl Builder {
    /// Adds a client, in place of one of the same identifier.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.clients.retain(|other| other.id != client.id);
        self.clients.push(client);
        self
    }

    /// Takes assertions of this issuer (RFC 7523 section 2.1) that are signed by this key, in place of another one of the
    /// same name: a public JWK (RFC 7517), which is RSA for RS256, EC on P-256 for ES256, or Ed25519 for EdDSA.
    ///
    /// The issuer is a public client of the same identifier as well, if there is none: a request with an assertion may leave
    /// its `client_id` out, or name it.
    #[must_use]
    pub fn jwt_issuer(mut self, issuer: impl Into<String>, public_jwk: impl Into<String>) -> Self {
        let issuer = issuer.into();
        self.jwt_issuers.retain(|(other, _)| *other != issuer);
        if !self.clients.iter().any(|client| client.id == issuer) {
            self.clients.push(Client::public(&*issuer));
        }
        self.jwt_issuers.push((issuer, public_jwk.into()));
        self
    }

    /// Adds a person, in place of one of the same user name.
    #[must_use]
    pub fn person(mut self, person: Person) -> Self {
        self.people.retain(|other| other.username != person.username);
        self.people.push(person);
        self
    }

    /// Adds a scope to `openid`, `profile`, `email`, `offline_access`, `read` and `write`.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.settings.scopes.push(scope.into());
        self
    }

    /// Takes this clock for the time.
    #[must_use]
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// How long a code can be redeemed; 60 seconds unless set.
    #[must_use]
    pub fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.code_lifetime = lifetime;
        self
    }

    /// How long an access token is taken; an hour unless set.
    #[must_use]
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.access_token_lifetime = lifetime;
        self
    }

    /// How long a refresh token is taken if it is not used; 14 days unless set.
    #[must_use]
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.refresh_token_lifetime = lifetime;
        self
    }

    /// How long a device may wait for its person; 10 minutes unless set.
    #[must_use]
    pub fn device_code_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.device_code_lifetime = lifetime;
        self
    }

    /// How long a device has to leave between two polls; 5 seconds unless set.
    ///
    /// Devices are told whole seconds, so a part of one is rounded up for them.
    #[must_use]
    pub fn device_interval(mut self, interval: Duration) -> Self {
        self.settings.device_interval = interval;
        self
    }

    /// Leaves out OpenID Connect: no `openid` scope, no ID token, no user info, and metadata at RFC 8414's address
    /// alone.
    #[must_use]
    pub fn without_openid(mut self) -> Self {
        self.settings.openid = false;
        self.settings.scopes.retain(|scope| !matches!(&**scope, "openid" | "profile" | "email"));
        self
    }

    /// Leaves `iss` out of authorization responses, and says so in the metadata (RFC 9207 section 3).
    #[must_use]
    pub fn without_issuer_parameter(mut self) -> Self {
        self.settings.issuer_parameter = false;
        self
    }

    /// As [`TestServer::fault_once`], from the start.
    ///
    /// # Panics
    ///
    /// If the fault cannot happen at that endpoint.
    #[must_use]
    #[track_caller]
    pub fn fault_once(mut self, endpoint: Endpoint, fault: Fault) -> Self {
        self.faults.add(endpoint, fault, Repeat::Once);
        self
    }

    /// As [`TestServer::fault_always`], from the start.
    ///
    /// # Panics
    ///
    /// If the fault cannot happen at that endpoint.
    #[must_use]
    #[track_caller]
    pub fn fault_always(mut self, endpoint: Endpoint, fault: Fault) -> Self {
        self.faults.add(endpoint, fault, Repeat::Always);
        self
    }

    /// Binds a port of 127.0.0.1 and starts to answer.
    ///
    /// # Errors
    ///
    /// If no port can be bound or no thread started, or the key of an issuer is not one that it takes.
    pub fn start(self) -> io::Result<TestServer> {
        TestServer::run(self)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("clients", &self.clients).finish_non_exhaustive()
    }
}
