//! What the component holds: what a program sets, with the defaults, and what a call leaves behind.

use super::actions::members;
use super::login::Begun;
use super::profile::{ClientProfile, GrantType};
use crate::Authorization;
use oauth_core::{CodeChallenge, PollDevice, Unix};
use oauth_jwt::StoreKind;
use oauth_transport::session::{Recording, Redirects, Transcript};
use oauth_transport::{FirewallKind, Http, HttpVersion, Linger, LogLevel, SessionSettings, Tcp, Tls};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// A text that is wiped on drop, with a blind `Debug`.
pub(crate) type Secret = oauth_core::Password;

/// Everything. `reset` makes it new.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// How often everything was made new: what a call brings that began before is not kept.
    pub(crate) resets: u64,
    pub(crate) oauth: OAuthValues,
    pub(crate) jwt: JwtValues,
    pub(crate) office365: Office365Values,
    pub(crate) network: NetworkValues,
    pub(crate) web_server: WebServerValues,
    pub(crate) results: Results,
}

impl Values {
    /// What an authorization leaves behind; `before` is the refresh token that was set when its call began.
    pub(crate) fn keep(&mut self, authorization: &Authorization, before: &Secret, now: Unix) {
        self.oauth.access_token = Secret::new(authorization.token());
        match authorization.refresh_token() {
            Some(token) => self.oauth.refresh_token = Secret::new(token.expose()),
            // A renewal leaves one in any case. What was there before is of another login, and perhaps of somebody else; one that
            // was set meanwhile stays.
            None if self.oauth.refresh_token == *before => self.oauth.refresh_token = Secret::new(""),
            None => {}
        }
        let results = &mut self.results;
        results.granted_scope = authorization.scope().map(|scope| scope.as_str().to_owned());
        results.token_type = "Bearer".to_owned();
        results.expires_in = authorization.ends().map(|ends| ends.since(now));
        results.response_params = match self.oauth.grant_type {
            // It came by the browser, and not as a response.
            GrantType::Implicit => told(authorization, results.expires_in),
            _ => members(results.transcript.hops().last()),
        };
    }
}

/// An authorization as the parameters of a response (RFC 6749 section 4.2.2).
fn told(authorization: &Authorization, expires_in: Option<Duration>) -> Vec<(String, Secret)> {
    let mut params =
        vec![("access_token", authorization.token().to_owned()), ("token_type", "Bearer".to_owned())];
    params.extend(expires_in.map(|life| ("expires_in", life.as_secs().to_string())));
    params.extend(authorization.scope().map(|scope| ("scope", scope.as_str().to_owned())));
    params.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect()
}

/// What the protocol is told.
#[derive(Clone, Debug)]
pub(crate) struct OAuthValues {
    pub(crate) access_token: Secret,
    pub(crate) authorization_code: Secret,
    /// The query, the fragment or the whole address that the browser came back with: more than the code alone.
    pub(crate) authorization_response: Secret,
    pub(crate) requested_scope: String,
    pub(crate) client_id: String,
    pub(crate) client_profile: ClientProfile,
    pub(crate) client_secret: Secret,
    pub(crate) grant_type: GrantType,
    /// Goes into the authorization URL, or into the assertion as claims.
    pub(crate) request_params: Vec<(String, String)>,
    /// Goes into the body of token requests.
    pub(crate) form_vars: Vec<(String, Secret)>,
    pub(crate) refresh_token: Secret,
    pub(crate) return_url: String,
    pub(crate) server_auth_url: String,
    pub(crate) server_token_url: String,
    /// Given by the program in place of the address that is made.
    pub(crate) authorization_url: String,
    pub(crate) code_challenge_method: CodeChallenge,
    pub(crate) include_empty_redirect_uri: bool,
    pub(crate) polling_interval: Option<Duration>,
    pub(crate) token_info_url: String,
    /// Client credentials go into the body of token requests instead of the header.
    pub(crate) credentials_in_body: bool,
    pub(crate) dangerously_plain_http_on_loopback: bool,
    pub(crate) dangerously_unread_id_tokens: bool,
}

impl Default for OAuthValues {
    fn default() -> Self {
        Self {
            access_token: Secret::new(""),
            authorization_code: Secret::new(""),
            authorization_response: Secret::new(""),
            requested_scope: String::new(),
            client_id: String::new(),
            client_profile: ClientProfile::Application,
            client_secret: Secret::new(""),
            grant_type: GrantType::AuthorizationCode,
            request_params: Vec::new(),
            form_vars: Vec::new(),
            refresh_token: Secret::new(""),
            return_url: String::new(),
            server_auth_url: String::new(),
            server_token_url: String::new(),
            authorization_url: String::new(),
            code_challenge_method: CodeChallenge::S256,
            include_empty_redirect_uri: false,
            polling_interval: None,
            token_info_url: String::new(),
            credentials_in_body: false,
            dangerously_plain_http_on_loopback: false,
            dangerously_unread_id_tokens: false,
        }
    }
}

/// Where a certificate or a key is kept, and which one it is.
#[derive(Clone, Debug)]
pub(crate) struct StoreValues {
    pub(crate) kind: StoreKind,
    /// A path or the contents, which may hold a key.
    pub(crate) store: Secret,
    pub(crate) password: Secret,
    pub(crate) subject: String,
}

impl Default for StoreValues {
    fn default() -> Self {
        Self {
            kind: StoreKind::User,
            store: Secret::new("MY"),
            password: Secret::new(""),
            subject: String::new(),
        }
    }
}

/// What an assertion says, and what signs it.
#[derive(Clone, Debug)]
pub(crate) struct JwtValues {
    pub(crate) audience: String,
    pub(crate) certificate: StoreValues,
    pub(crate) issuer: String,
    pub(crate) json_key: Secret,
    /// `None` is the key's own.
    pub(crate) algorithm: Option<String>,
    pub(crate) subject: String,
    pub(crate) validity: Duration,
}

impl Default for JwtValues {
    fn default() -> Self {
        Self {
            audience: String::new(),
            certificate: StoreValues::default(),
            issuer: String::new(),
            json_key: Secret::new(""),
            algorithm: None,
            subject: String::new(),
            validity: Duration::from_secs(3600),
        }
    }
}

/// What the retired discovery service is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Office365Values {
    pub(crate) api_version: String,
    pub(crate) capability: String,
    /// A server that still speaks the service's protocol.
    pub(crate) discovery_url: String,
}

/// What connections are told.
#[derive(Clone, Debug)]
pub(crate) struct NetworkValues {
    /// `None` waits for ever.
    pub(crate) timeout: Option<Duration>,
    pub(crate) absolute_timeout: bool,
    pub(crate) connection_timeout: Option<Duration>,
    /// Its `keep_alive` and `linger` are made of the fields below.
    pub(crate) tcp: Tcp,
    pub(crate) tcp_keep_alive: bool,
    pub(crate) keep_alive_time: Option<Duration>,
    pub(crate) keep_alive_interval: Option<Duration>,
    pub(crate) linger: bool,
    pub(crate) linger_time: Duration,
    pub(crate) tls: Tls,
    /// Whether versions of TLS were asked for that are not here.
    pub(crate) older_versions: bool,
    pub(crate) open_ssl_ciphers: String,
    pub(crate) groups_12: Option<Vec<String>>,
    pub(crate) groups_13: Option<Vec<String>>,
    pub(crate) key_share_groups: Option<Vec<String>>,
    /// Its `version` is made of the two fields below.
    pub(crate) http: Http,
    pub(crate) http_version: HttpVersion,
    pub(crate) http_fallback: bool,
    pub(crate) chunked: bool,
    pub(crate) chunk_size: NonZeroUsize,
    pub(crate) session: SessionSettings,
    pub(crate) compression: bool,
    pub(crate) accept_encoding: String,
    pub(crate) other_headers: String,
    pub(crate) authorization: Secret,
    pub(crate) user_agent: Option<String>,
    /// Sent with every request of a call.
    pub(crate) cookies: Vec<(String, Secret)>,
    /// A file for the bodies of responses.
    pub(crate) local_file: Option<PathBuf>,
    pub(crate) append: bool,
    pub(crate) firewall: FirewallValues,
    pub(crate) proxy: ProxyValues,
    pub(crate) certificate: StoreValues,
    /// The one of the store's that is shown, whatever its subject.
    pub(crate) certificate_der: Option<Vec<u8>>,
    /// Completes the chain of the client's certificate.
    pub(crate) intermediates: String,
    pub(crate) ca_files: Vec<PathBuf>,
    pub(crate) open_ssl_ca_file: Option<PathBuf>,
    pub(crate) ca_folder: Option<PathBuf>,
    /// What is to do TLS, by its name; empty for the engine's own.
    pub(crate) ssl_provider: String,
    pub(crate) encode_url: bool,
    pub(crate) idns: bool,
    /// isahc in place of hyper.
    pub(crate) platform_client: bool,
    pub(crate) log_level: LogLevel,
}

impl Default for NetworkValues {
    fn default() -> Self {
        let mut http = Http::default();
        http.reuse_connections = false;
        let mut tls = Tls::default();
        tls.resume_sessions = false;
        let mut session = SessionSettings::new();
        session.redirects = Redirects::Never;
        session.recording = Recording::Responses;
        session.keep_cookies = true;
        Self {
            timeout: Some(Duration::from_secs(60)),
            absolute_timeout: false,
            connection_timeout: None,
            tcp: Tcp::default(),
            tcp_keep_alive: false,
            keep_alive_time: None,
            keep_alive_interval: None,
            linger: true,
            linger_time: Duration::ZERO,
            tls,
            older_versions: false,
            open_ssl_ciphers: String::new(),
            groups_12: None,
            groups_13: None,
            key_share_groups: None,
            http,
            http_version: HttpVersion::Http11,
            http_fallback: true,
            chunked: false,
            chunk_size: const { NonZeroUsize::new(16384).expect("it is not zero") },
            session,
            compression: true,
            accept_encoding: "gzip, deflate".to_owned(),
            other_headers: String::new(),
            authorization: Secret::new(""),
            user_agent: None,
            cookies: Vec::new(),
            local_file: None,
            append: false,
            firewall: FirewallValues::default(),
            proxy: ProxyValues::default(),
            certificate: StoreValues::default(),
            certificate_der: None,
            intermediates: String::new(),
            ca_files: Vec::new(),
            open_ssl_ca_file: None,
            ca_folder: None,
            ssl_provider: String::new(),
            encode_url: false,
            idns: true,
            platform_client: false,
            log_level: LogLevel::Info,
        }
    }
}

impl NetworkValues {
    /// What becomes of unsent bytes.
    pub(crate) const fn linger(&self) -> Linger {
        match (self.linger, self.linger_time.is_zero()) {
            (false, _) => Linger::Reset,
            (true, true) => Linger::Background,
            (true, false) => Linger::Wait(self.linger_time),
        }
    }
}

/// What every connection is made through.
#[derive(Clone, Debug)]
pub(crate) struct FirewallValues {
    pub(crate) auto_detect: bool,
    pub(crate) kind: Option<FirewallKind>,
    pub(crate) host: String,
    /// `None` is the kind's own.
    pub(crate) port: Option<u16>,
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// Header lines for a tunnelling one.
    pub(crate) data: Secret,
}

impl Default for FirewallValues {
    fn default() -> Self {
        Self {
            auto_detect: false,
            kind: None,
            host: String::new(),
            port: None,
            user: String::new(),
            password: Secret::new(""),
            data: Secret::new(""),
        }
    }
}

/// What requests go through.
#[derive(Clone, Debug)]
pub(crate) struct ProxyValues {
    pub(crate) auto_detect: bool,
    pub(crate) server: String,
    pub(crate) port: u16,
    pub(crate) ssl: ProxySsl,
    pub(crate) scheme: ProxyScheme,
    pub(crate) user: String,
    pub(crate) password: Secret,
    pub(crate) authorization: Secret,
    pub(crate) exceptions: String,
    pub(crate) kerberos_spn: String,
}

impl Default for ProxyValues {
    fn default() -> Self {
        Self {
            auto_detect: false,
            server: String::new(),
            port: 80,
            ssl: ProxySsl::Automatic,
            scheme: ProxyScheme::Basic,
            user: String::new(),
            password: Secret::new(""),
            authorization: Secret::new(""),
            exceptions: String::new(),
            kerberos_spn: String::new(),
        }
    }
}

/// Whether TLS is spoken to the proxy, and whether it opens tunnels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the component has these")]
pub enum ProxySsl {
    /// No TLS to the proxy; it opens a tunnel for `https`, and passes `http` on.
    #[default]
    Automatic = 0,
    /// TLS to the proxy.
    Always = 1,
    /// No TLS to the proxy, as with `Automatic`: what is `https` stays so, through a tunnel.
    Never = 2,
    /// It opens a tunnel even for `http`.
    Tunnel = 3,
}

/// How the proxy is shown who we are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the component has these")]
pub enum ProxyScheme {
    /// The user name and the password as they are (RFC 7617).
    #[default]
    Basic = 0,
    /// A proof that we know the password (RFC 7616).
    Digest = 1,
    /// `ProxyAuthorization` as it is.
    Proprietary = 2,
    /// Not at all.
    None = 3,
    /// NTLM.
    Ntlm = 4,
    /// Negotiate (RFC 4559).
    Negotiate = 5,
}

impl ProxyValues {
    /// Another scheme needs other credentials: those there are, are emptied.
    pub(crate) fn set_scheme(&mut self, scheme: ProxyScheme) {
        if self.scheme != scheme {
            self.scheme = scheme;
            self.user.clear();
            self.password = Secret::new("");
            self.authorization = Secret::new("");
        }
    }
}

impl ProxyScheme {
    /// The scheme of this number; Basic where it has none.
    pub(crate) const fn of_number(number: i64) -> Self {
        match number {
            1 => Self::Digest,
            2 => Self::Proprietary,
            3 => Self::None,
            4 => Self::Ntlm,
            5 => Self::Negotiate,
            _ => Self::Basic,
        }
    }
}

/// What the embedded web server is told.
#[derive(Clone, Debug)]
pub(crate) struct WebServerValues {
    pub(crate) host: String,
    /// 0 is any free one.
    pub(crate) port: u16,
    pub(crate) ssl: bool,
    pub(crate) certificate: StoreValues,
    pub(crate) reuse: bool,
    pub(crate) response: String,
    pub(crate) failed_response: String,
    /// `None` waits for ever.
    pub(crate) browser_response_timeout: Option<Duration>,
}

impl Default for WebServerValues {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            ssl: false,
            certificate: StoreValues { store: Secret::new(""), ..StoreValues::default() },
            reuse: true,
            response: String::new(),
            failed_response: String::new(),
            browser_response_timeout: Some(Duration::from_secs(300)),
        }
    }
}

/// What a call leaves behind.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) granted_scope: Option<String>,
    pub(crate) token_type: String,
    pub(crate) expires_in: Option<Duration>,
    /// The members of the last token response.
    pub(crate) response_params: Vec<(String, Secret)>,
    pub(crate) authorization_url: String,
    pub(crate) device_user_code: String,
    pub(crate) interval: Option<Duration>,
    pub(crate) office365_endpoint: String,
    pub(crate) token_info: Vec<(String, Secret)>,
    /// What went over the wire in the last call.
    pub(crate) transcript: Transcript,
    /// How many bytes of the last response's body have come.
    pub(crate) bytes_transferred: u64,
    /// The port on this machine of the last connection.
    pub(crate) local_port: Option<u16>,
    /// The first leg of a login whose second is still to come.
    pub(crate) pending: Option<Begun>,
    /// What it asked for.
    pub(crate) begun_with: String,
    /// A device's login that a person is to agree to.
    pub(crate) device: Option<PollDevice>,
}
