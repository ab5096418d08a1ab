//! A strict OAuth 2.0 authorization server with a protected resource and a virtual browser, all in your own process.
//!
//! For demonstrations and for tests of clients: no account, no network, no certificate, nothing on disk. It binds an
//! ephemeral port of 127.0.0.1, runs on plain threads, and is gone when it is dropped. Time can be virtual
//! ([`Clock`]) and every endpoint can be told to misbehave ([`Fault`]).
//!
//! ```
//! use oauth_testserver::{Browser, TestServer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = TestServer::start()?;
//! let url = format!(
//!     "{}/authorize?response_type=code&client_id=demo&redirect_uri=http%3A%2F%2F127.0.0.1%3A8400%2Fcallback\
//!      &scope=read&state=af0ifjsldkj\
//!      &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
//!     server.issuer()
//! );
//! let landing = Browser::new().without_visiting_redirect_uri().sign_in("ada", &url)?;
//! assert!(landing.url.starts_with("http://127.0.0.1:8400/callback?code=demo-code-"));
//! assert_eq!(landing.parameter("state").as_deref(), Some("af0ifjsldkj"));
//! assert_eq!(landing.parameter("iss").as_deref(), Some(server.issuer()));
//! # Ok(())
//! # }
//! ```
//!
//! # What it does
//!
//! | | |
//! |---|---|
//! | metadata | RFC 8414, OpenID Connect Discovery, JWKS |
//! | authorization code | RFC 6749 with PKCE S256 (RFC 7636) always, `iss` (RFC 9207), answers by query, fragment, form |
//! | refresh | rotation at every use; a second use ends the whole family (RFC 9700 section 4.14.2) |
//! | client credentials | for clients with a secret |
//! | device | RFC 8628, with `slow_down` by the server's clock |
//! | JWT bearer | RFC 7523 section 2.1, by issuers that are told it ([`Builder::jwt_issuer`]): RS256, ES256, EdDSA |
//! | user info | bearer tokens in the header (RFC 6750) |
//!
//! Clients from the start are `demo` (public), `demo-basic` (secret `demo-basic-secret`) and `demo-post` (secret
//! `demo-post-secret`); each may use any loopback redirect URI. People are `ada` and `grace`. A request without a scope
//! gets `read`. Plain OAuth requests always get a refresh token, OpenID requests (`openid`) if `offline_access` is
//! granted.
//!
//! # In scope and out of scope
//!
//! It refuses what the RFCs refuse, so that a client that works here is not merely lucky. It shares no code with the
//! client side of this project, neither parsers nor cryptography: one mistake cannot hide in both. ID tokens are signed
//! with Ed25519 (`EdDSA`) alone. It is no server for anything real: there are no passwords and plain http only. Pushed
//! and signed requests, revocation, introspection and DPoP are not here.

mod assertion;
mod authorize;
mod browser;
mod builder;
mod client;
mod clock;
mod device;
mod discovery;
mod faults;
mod form;
mod http;
mod json;
mod keys;
mod pages;
mod public_key;
mod scope;
mod server;
mod state;
mod token;
mod uri;
mod userinfo;

pub use browser::{Browser, BrowserError, Landing};
pub use builder::{Builder, Person};
pub use client::Client;
pub use clock::Clock;
pub use faults::{Endpoint, Fault};
pub use server::TestServer;
pub use state::{Counters, Received};
