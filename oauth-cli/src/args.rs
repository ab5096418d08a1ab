//! What can be typed: names are the field's own, every flag is also an `OAUTH_…` variable.

mod environment;
mod profiles;

pub(crate) use environment::command;
pub(crate) use profiles::{ConfigCommand, ConfigFile, ListOutput, ProfileCommand, ProfileFlags};

use crate::explain::Kind;
use crate::profile::FromProfile;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// OAuth 2.0 tokens for shells, scripts and programs
#[derive(Debug, Parser)]
#[command(name = "oauth", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

const EXIT_CODES: &str = "\
Standard output carries the result and nothing else; everything for people goes to standard error.

Exit codes:
  0 ok                 5 refused by the server or the person
  1 other              6 timed out
  2 usage              7 the listener or the browser could not start
  3 configuration      8 network, TLS, or a server answer that cannot be used
  4 a login is needed  130 interrupted";

#[derive(Debug, Args)]
pub(crate) struct Verbosity {
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Tell each step; twice: also what goes over the wire, without secrets
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Conversation(Conversation),
    /// Say what the client makes of a captured message, by which rule, and whose fault it is: no network
    Explain(Explain),
    /// Say what this build can do
    Doctor(Doctor),
    /// The settings by name: what each takes, and what a profile makes of it
    #[command(subcommand)]
    Config(ConfigCommand),
    /// The profiles of the profile file
    #[command(subcommand)]
    Profile(ProfileCommand),
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print each network setting, and what each HTTP engine of this build says to it
    #[arg(long, required = true)]
    pub(crate) transports: bool,
}

/// What talks to a server.
#[derive(Debug, Subcommand)]
pub(crate) enum Conversation {
    /// Print an authorization: `curl -H "Authorization: $(oauth authorize ISSUER …)" URL`
    Authorize(Box<Authorize>),
    /// Print an authorization without ever asking a person
    Token(Box<Authorize>),
    /// A guided tour of the same, with a server inside: no account, no network
    Demo(Demo),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Sign in on another device instead of in a browser here (RFC 8628)
    #[arg(long)]
    pub(crate) device: bool,
    /// Let a pretend person click through the pages
    #[arg(long, conflicts_with = "paste")]
    pub(crate) yes: bool,
    /// Let this go wrong on the way, and see what is said
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) fault: Option<Fault>,
    #[command(flatten)]
    pub(crate) browser: BrowserFlags,
}

/// What goes wrong in the demo, and how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// The server refuses: 5
    Denied,
    /// The first answer is another login's, and is waited over: 0
    WrongState,
    /// The answer is another server's: 8
    WrongIss,
    /// The browser brings the answer twice, which is used once: 0
    Duplicate,
    /// The browser fetches the address ahead, which uses nothing up: 0
    Prefetch,
    /// The browser asks for an icon: 0
    Favicon,
    /// The server takes its time, and the page does not promise what is not known yet: 0
    Slow,
    /// The code, or with --device the device's, is too old: 5, or 6
    Expired,
    /// The browser made https of the address, and is told apart from an answer: 0
    HttpsUpgrade,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "oauth explain --kind <KIND> [OPTIONS] <FILE>\n       oauth explain --jsonl <FILE> [OPTIONS]"
)]
#[command(after_help = EXPLAIN_HELP)]
pub(crate) struct Explain {
    /// The message: a response as `curl -i` prints it or its body alone; for a callback, the address in the browser's
    /// address bar; `-` reads standard input
    #[arg(value_name = "FILE", required_unless_present = "jsonl", requires = "kind")]
    pub(crate) file: Option<PathBuf>,
    /// What the message is
    #[arg(long, value_enum, value_name = "KIND", conflicts_with = "jsonl", hide_possible_values = true)]
    pub(crate) kind: Option<Kind>,
    /// What the client knew; repeat it for more. Secrets are better told in a case: everybody on this machine can see
    /// a command line
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, conflicts_with = "jsonl")]
    pub(crate) context: Vec<(String, String)>,
    /// Cases, each a JSON object on a line of its own; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub(crate) jsonl: Option<PathBuf>,
    /// What to print: text for people, or one verdict a line; jsonl for --jsonl, else text
    #[arg(short, long, value_enum)]
    pub(crate) output: Option<ExplainOutput>,
    /// Show tokens, codes and secrets as they came, and not their fingerprints
    #[arg(long)]
    pub(crate) show_secrets: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainOutput {
    Text,
    Jsonl,
}

const EXPLAIN_HELP: &str = r#"Kinds:
  token_response, token_error  what a token endpoint answered
  refresh_response             the same, to a refresh token
  token_exchange               the same, to a token exchange (RFC 8693)
  device_authorization         the code to be shown for a login on another device (RFC 8628)
  device_poll                  what a token endpoint answers meanwhile
  metadata                     of a server (RFC 8414) or of a protected resource (RFC 9728)
  introspection, revocation, registration
  www_authenticate             what a protected resource asks for
  callback                     what came back from the browser
  jwks                         the keys of a server (RFC 7517)
  id_token                     the token itself, with its keys in the context
  key_file                     a private key: the file of a service account, or a certificate store of any kind
                               (PEM, PKCS#12, Java key store, PKCS#7, SSH, PuTTY, XML, JWK; as body_b64 in a case)

What the client knew, as far as it matters for the kind:
  issuer, client_id, client_secret, endpoint, url, method, grant, scope, requested_token_type,
  token_type, code, access_token, old.access_token, old.refresh_token, old.scope, redirect_uri,
  state, response_type, response_mode, iss_supported, resource, interval, expires_in,
  alg, jwks, jwks_after_refetch, nonce, max_age, acr_essential, clock_tolerance, decryption_key
  (PEM or JWK), password (of a key file; or KEY_PASSWORD in the environment), old.id_token_claims, now (Unix seconds), leniency (plain_http_on_loopback, unencoded_basic, token_in_query,
  password_grant, implicit_grant), provider (github and the like, or a profile as JSON) with the
  variables that it leaves open

Examples:
  curl -i -d @request.txt https://as.example/token | oauth explain --kind token_response -
  curl -i https://as.example/.well-known/openid-configuration > metadata.txt
  oauth explain --kind metadata --context issuer=https://as.example metadata.txt
  oauth explain --jsonl cases.jsonl

A case is a line like one of these; the context may be left out:
  {"name": "a", "kind": "token_response", "http_status": 200, "body": "…",
   "headers": [["Content-Type", "application/json"]], "context": {"old": {"scope": "read"}}}
  {"name": "b", "kind": "callback", "context": {"state": "…"},
   "request": {"method": "GET", "target": "/callback?code=…&state=…"}}
  {"name": "c", "kind": "device_poll", "context": {"interval": 5, "expires_in": 900},
   "responses": [[400, {}, "{\"error\":\"slow_down\"}"], "connect_timeout", "reset",
                 "wall_clock+60", "suspend_600", "cancel"]}
A verdict is {"name", "verdict", "fields", "error", "notes", "timeline"}, the verdict being accept
or reject, and error.class one of
  oauth                   the server refused; error.code says how
  parse                   not a message of its kind
  rejected                well formed, and must not be trusted
  issuer_mismatch         of another issuer than the one that was asked
  unsupported_token_type  a token that this client cannot present
  http                    a status, a redirect, a server in trouble
  too_large               more than is read
  unreachable             no answer came
  expired, cancelled, unfinished
                          how a login on another device ended, or did not
  setup, key              the client would not have got so far
  unsupported, usage      this build cannot judge it; the line is no case

With a message of one kind the exit code tells the verdict: 0 accepted, 5 refused by the server,
8 an answer that cannot be used, 6 expired, 3 a setup that would not have got so far, 1 what this
build cannot judge. With --jsonl it is 0 when every line is a case, whatever the verdicts, else 2."#;

#[derive(Debug, Args)]
pub(crate) struct BrowserFlags {
    /// Print the address and open no browser
    #[arg(long, env = "OAUTH_NO_BROWSER", aliases = ["no-launch-browser", "skip-open-browser", "no-url-call"])]
    pub(crate) no_browser: bool,
    /// Open this browser; `%s` stands for the address. A text browser named here gets the terminal
    #[arg(long, env = "OAUTH_BROWSER", value_name = "COMMAND", conflicts_with = "no_browser")]
    pub(crate) browser: Option<String>,
    /// Start no listener: paste the address that the browser ends at, or the code that it shows
    #[arg(long, env = "OAUTH_PASTE")]
    pub(crate) paste: bool,
    /// How long the person has; never waits for ever
    #[arg(long, env = "OAUTH_TIMEOUT", value_name = "TIME", default_value = "5m", value_parser = patience, alias = "browser-timeout")]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Server and client")]
pub(crate) struct Authorize {
    /// A profile, or the server's issuer: its metadata says the rest
    #[arg(value_name = "PROFILE | ISSUER-URL")]
    pub(crate) issuer: Option<String>,
    /// The issuer as a flag
    #[arg(long = "issuer", env = "OAUTH_ISSUER", value_name = "URL", aliases = ["oidc-issuer-url", "provider"])]
    pub(crate) issuer_flag: Option<String>,
    #[command(flatten)]
    pub(crate) file: ConfigFile,
    /// What the profile has that no flag says.
    #[arg(skip)]
    pub(crate) profile: FromProfile,
    /// Use the demo server inside: this token works nowhere else
    #[arg(long, conflicts_with_all = ["issuer", "issuer_flag"])]
    pub(crate) demo: bool,
    /// Who this client is to the server
    #[arg(long, env = "OAUTH_CLIENT_ID", value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Where the client's secret is; `-` reads standard input
    #[arg(long, env = "OAUTH_CLIENT_SECRET_FILE", value_name = "PATH")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The client's secret: on a command line, everybody on this machine can see it
    #[arg(
        long,
        env = "OAUTH_CLIENT_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        conflicts_with = "client_secret_file"
    )]
    pub(crate) client_secret: Option<String>,
    /// How the client authenticates: none, client_secret_basic, client_secret_post, private_key_jwt
    #[arg(long, env = "OAUTH_AUTH_METHOD", value_name = "METHOD")]
    pub(crate) auth_method: Option<String>,
    /// The endpoint, for a server without metadata
    #[arg(long, env = "OAUTH_AUTHORIZATION_ENDPOINT", value_name = "URL")]
    pub(crate) authorization_endpoint: Option<String>,
    /// The endpoint, for a server without metadata
    #[arg(long, env = "OAUTH_TOKEN_ENDPOINT", value_name = "URL")]
    pub(crate) token_endpoint: Option<String>,
    /// The endpoint, for a server without metadata
    #[arg(long, env = "OAUTH_DEVICE_AUTHORIZATION_ENDPOINT", value_name = "URL")]
    pub(crate) device_authorization_endpoint: Option<String>,
    #[command(flatten)]
    pub(crate) request: RequestFlags,
    #[command(flatten)]
    pub(crate) redirect: RedirectFlags,
    #[command(flatten)]
    pub(crate) browser: BrowserFlags,
    #[command(flatten)]
    pub(crate) network: NetworkFlags,
    #[command(flatten)]
    pub(crate) output: OutputFlags,
}

impl Authorize {
    /// Whether there is a server to talk to.
    pub(crate) const fn names_a_server(&self) -> bool {
        self.issuer.is_some()
            || self.issuer_flag.is_some()
            || self.authorization_endpoint.is_some()
            || self.token_endpoint.is_some()
            || self.device_authorization_endpoint.is_some()
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What to ask for")]
pub(crate) struct RequestFlags {
    /// How to get the token
    #[arg(long, env = "OAUTH_GRANT_TYPE", value_enum, default_value_t = GrantType::Auto, alias = "flow", conflicts_with = "device")]
    pub(crate) grant_type: GrantType,
    /// The same as --grant-type device
    #[arg(long, alias = "use-device-code")]
    pub(crate) device: bool,
    /// What to ask for; repeat it, or use spaces or commas
    #[arg(long, env = "OAUTH_SCOPE", value_name = "SCOPE", alias = "scopes")]
    pub(crate) scope: Vec<String>,
    /// Which API the token is for, where the server calls it so
    #[arg(long, env = "OAUTH_AUDIENCE", value_name = "AUDIENCE")]
    pub(crate) audience: Option<String>,
    /// Which API the token is for (RFC 8707); repeat it for more
    #[arg(long, env = "OAUTH_RESOURCE", value_name = "URI")]
    pub(crate) resource: Vec<String>,
    /// Who is going to sign in
    #[arg(long, env = "OAUTH_LOGIN_HINT", value_name = "NAME")]
    pub(crate) login_hint: Option<String>,
    /// none, login, consent, select_account
    #[arg(long, env = "OAUTH_PROMPT", value_name = "PROMPT")]
    pub(crate) prompt: Option<String>,
    /// How old the login may be
    #[arg(long, env = "OAUTH_MAX_AGE", value_name = "TIME", value_parser = duration)]
    pub(crate) max_age: Option<Duration>,
    /// How strong the login must be
    #[arg(long, env = "OAUTH_ACR_VALUES", value_name = "VALUES")]
    pub(crate) acr_values: Option<String>,
    /// Which claims to ask for, as JSON
    #[arg(long, env = "OAUTH_CLAIMS", value_name = "JSON")]
    pub(crate) claims: Option<String>,
    /// Any other parameter; repeat it for more
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, alias = "extra-param")]
    pub(crate) auth_param: Vec<(String, String)>,
    /// Where a refresh token is, for --grant-type refresh; a rotated one is written back
    #[arg(long, env = "OAUTH_REFRESH_TOKEN_FILE", value_name = "PATH")]
    pub(crate) refresh_token_file: Option<PathBuf>,
    /// A PEM file with the key that signs for the client (private_key_jwt), or for --grant-type jwt-bearer
    #[arg(long, env = "OAUTH_SIGNING_KEY", value_name = "PATH")]
    pub(crate) signing_key: Option<PathBuf>,
    /// The issuer of the assertion; the client id unless named
    #[arg(long, env = "OAUTH_ASSERTION_ISSUER", value_name = "ISSUER")]
    pub(crate) assertion_issuer: Option<String>,
    /// Whom the assertion speaks for; its issuer unless named
    #[arg(long, env = "OAUTH_ASSERTION_SUBJECT", value_name = "SUBJECT")]
    pub(crate) assertion_subject: Option<String>,
    /// The audience of the assertion; the server's issuer unless named
    #[arg(long, env = "OAUTH_ASSERTION_AUDIENCE", value_name = "AUDIENCE")]
    pub(crate) assertion_audience: Option<String>,
    /// Accepted and without effect: PKCE with S256 is always on
    #[arg(long, hide = true)]
    pub(crate) pkce: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The way back")]
pub(crate) struct RedirectFlags {
    /// The whole redirect URI, as it is registered
    #[arg(long, env = "OAUTH_REDIRECT_URI", value_name = "URI", alias = "redirect-url", conflicts_with_all = ["redirect_host"])]
    pub(crate) redirect_uri: Option<String>,
    /// The host of the redirect URI
    #[arg(long, env = "OAUTH_REDIRECT_HOST", value_name = "HOST", value_parser = ["127.0.0.1", "localhost", "::1"], default_value = "127.0.0.1")]
    pub(crate) redirect_host: String,
    /// Where to listen, an address and a port or a port alone; repeat it: the first free one is taken
    #[arg(long, env = "OAUTH_LISTEN", value_name = "ADDR:PORT", value_parser = listen, aliases = ["callback-port", "port", "listen-address"])]
    pub(crate) listen: Vec<Listen>,
    /// How the answer travels back
    #[arg(long, env = "OAUTH_RESPONSE_MODE", value_enum, default_value_t = ResponseMode::Query)]
    pub(crate) response_mode: ResponseMode,
    /// Take the socket that systemd hands over, in place of one of our own
    #[arg(long, env = "OAUTH_SYSTEMD_SOCKET", conflicts_with_all = ["listen", "paste"])]
    pub(crate) systemd_socket: bool,
    /// Come back over https, with a certificate made for this once: the browser warns, and its fingerprint is told here
    #[arg(long, env = "OAUTH_CALLBACK_TLS", value_enum, value_name = "KIND", conflicts_with_all = ["callback_tls_cert", "paste"])]
    pub(crate) callback_tls: Option<CallbackTls>,
    /// Come back over https, with this certificate and its key: a PKCS#12, PEM or Java key store
    #[arg(long, env = "OAUTH_CALLBACK_TLS_CERT", value_name = "PATH", conflicts_with = "paste")]
    pub(crate) callback_tls_cert: Option<PathBuf>,
    /// A PEM file with the private key, where it is not in the file of --callback-tls-cert
    #[arg(long, env = "OAUTH_CALLBACK_TLS_KEY", value_name = "PATH", requires = "callback_tls_cert")]
    pub(crate) callback_tls_key: Option<PathBuf>,
    /// A file with the password of --callback-tls-cert; - reads standard input
    #[arg(
        long,
        env = "OAUTH_CALLBACK_TLS_PASSWORD_FILE",
        value_name = "PATH",
        requires = "callback_tls_cert"
    )]
    pub(crate) callback_tls_password_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CallbackTls {
    #[value(name = "self-signed")]
    SelfSigned,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkFlags {
    /// A PEM file with certificates to trust beside the system's
    #[arg(long, env = "OAUTH_CA_CERT", value_name = "PATH", alias = "tls-root-ca")]
    pub(crate) ca_cert: Vec<PathBuf>,
    /// How long one request may take
    #[arg(long, env = "OAUTH_HTTP_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) http_timeout: Duration,
    /// The HTTP engine
    #[arg(long, env = "OAUTH_TRANSPORT", value_enum, default_value_t = Transport::Hyper)]
    pub(crate) transport: Transport,
    /// A certificate and its private key to show to servers (RFC 8705): a PKCS#12, PEM or Java key store, or, in builds with
    /// the feature pkcs11, a security key as pkcs11:token=NAME?module-path=PATH (RFC 7512)
    #[arg(long, env = "OAUTH_TLS_CERT", value_name = "PATH")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// A PEM file with the private key, where it is not in the file of --tls-cert
    #[arg(long, env = "OAUTH_TLS_KEY", value_name = "PATH", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// A file with the password of --tls-cert, or its PIN; - reads standard input
    #[arg(long, env = "OAUTH_TLS_CERT_PASSWORD_FILE", value_name = "PATH", requires = "tls_cert")]
    pub(crate) tls_cert_password_file: Option<PathBuf>,
    /// The subject or name of the certificate, where --tls-cert holds several
    #[arg(
        long,
        env = "OAUTH_TLS_CERT_SUBJECT",
        value_name = "TEXT",
        requires = "tls_cert",
        default_value = "*"
    )]
    pub(crate) tls_cert_subject: String,
    /// A proxy for every request, as SCHEME://USER:PASSWORD@HOST:PORT: http, https, socks4, socks4a, socks5 or socks5h
    #[arg(long, env = "OAUTH_PROXY", value_name = "URL", conflicts_with = "proxy_from_env")]
    pub(crate) proxy: Option<String>,
    /// How the proxy is shown who asks
    #[arg(long, env = "OAUTH_PROXY_AUTH", value_enum, default_value_t = ProxyAuth::Basic)]
    pub(crate) proxy_auth: ProxyAuth,
    /// Hosts to reach without the proxy: names, addresses, networks
    #[arg(long, env = "OAUTH_PROXY_EXCEPT", value_name = "HOSTS", requires = "proxy")]
    pub(crate) proxy_except: Option<String>,
    /// Use the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name
    #[arg(long, env = "OAUTH_PROXY_FROM_ENV")]
    pub(crate) proxy_from_env: bool,
    /// Allow plain http to a server on this machine
    #[arg(long, env = "OAUTH_ALLOW_HTTP_LOOPBACK")]
    pub(crate) allow_http_loopback: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProxyAuth {
    /// As they are (RFC 7617)
    Basic,
    /// By a proof that they are known (RFC 7616)
    Digest,
    /// By NTLM; the user name may be DOMAIN\USER. In builds with the feature ntlm
    Ntlm,
    /// By the Kerberos tickets of whoever runs the command, and no password. In builds with the feature negotiate
    Negotiate,
    /// Not at all
    None,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputFlags {
    /// What to print
    #[arg(short, long, env = "OAUTH_OUTPUT", value_enum, default_value_t = Output::Bearer)]
    pub(crate) output: Output,
    /// Never ask a person: exit with 4 when a login is needed
    #[arg(long, env = "OAUTH_NO_PROMPT")]
    pub(crate) no_prompt: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GrantType {
    /// A browser where the server has a page for it, else another device
    Auto,
    /// A browser here (RFC 6749 section 4.1)
    Code,
    /// Another device (RFC 8628)
    Device,
    /// The client itself (RFC 6749 section 4.4)
    ClientCredentials,
    /// A refresh token (RFC 6749 section 6)
    Refresh,
    /// A signed assertion (RFC 7523)
    JwtBearer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResponseMode {
    Query,
    #[value(name = "form_post")]
    FormPost,
    Fragment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    Hyper,
    /// Needs a build with --features isahc
    Isahc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Bearer TOKEN
    Bearer,
    /// Authorization: Bearer TOKEN
    Header,
    /// The access token alone
    Token,
    /// The ID token, not checked
    IdToken,
    /// Everything, the refresh token included
    Json,
    /// OAUTH_TOKEN='…' and OAUTH_AUTHORIZATION='…' for a shell
    Env,
    /// A line for curl --config
    Curl,
}

/// An address to listen on; without one, the loopback addresses of the redirect host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    pub(crate) address: Option<std::net::IpAddr>,
    pub(crate) port: u16,
}

fn listen(text: &str) -> Result<Listen, String> {
    if let Ok(port) = text.parse() {
        return Ok(Listen { address: None, port });
    }
    let address: SocketAddr = text.parse().map_err(|_| "expected ADDRESS:PORT or PORT".to_owned())?;
    Ok(Listen { address: Some(address.ip()), port: address.port() })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() {
        Err("expected NAME=VALUE".to_owned())
    } else {
        Ok((name.to_owned(), value.to_owned()))
    }
}

/// The word for a time without end.
pub(crate) const NEVER: &str = "never";

/// A time, or none that ends. A zero is refused, since it is for ever to some and no time at all to others.
fn patience(text: &str) -> Result<Duration, String> {
    if text == NEVER {
        return Ok(Duration::MAX);
    }
    duration(text).map_err(|why| format!("{why}; {NEVER} waits for ever"))
}

/// `90`, `90s`, `5m`, `2h`.
fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("expected a number of seconds, or a number with s, m or h".to_owned()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "expected a number of seconds, or a number with s, m or h")?;
    match number.checked_mul(factor) {
        Some(0) => Err("zero is no time at all".to_owned()),
        Some(seconds) if seconds <= 86_400 => Ok(Duration::from_secs(seconds)),
        _ => Err("a day at most".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_have_units_and_bounds() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for wrong in ["", "m", "5x", "-1", "0", "25h", "99999999999999999999s", "1.5m"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!((patience("never"), patience("90s")), (Ok(Duration::MAX), Ok(Duration::from_secs(90))));
        assert_eq!(patience("0"), Err("zero is no time at all; never waits for ever".to_owned()));
    }

    #[test]
    fn a_listener_is_a_port_or_an_address_and_a_port() {
        assert_eq!(listen("0"), Ok(Listen { address: None, port: 0 }));
        assert_eq!(listen("[::1]:80"), Ok(Listen { address: Some("::1".parse().unwrap()), port: 80 }));
        assert!(listen("localhost:80").is_err() && listen("70000").is_err());
    }
}
