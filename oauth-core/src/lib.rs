//! OAuth 2.0 for clients as state machines without I/O.
//!
//! What is said and checked is decided here; who carries it, when and with which keys is decided by the caller. Time and
//! chance are arguments, so a login runs the same on any runtime, on none, and in a test that takes a microsecond.
//!
//! **In scope**: the authorization code with PKCE ([`Client::authorize`]), tokens by refresh, client credentials, JWT and
//! SAML bearer, token exchange, and grants of your own ([`Client::exchange`]), logins on another device
//! ([`Client::authorize_device`]), discovery of servers and of resources ([`Discover`], [`DiscoverResource`]), revocation
//! and introspection ([`Client::revoke`], [`Client::introspect`]), registration of clients ([`Register`]), client
//! authentication, and what each answer may and may not mean; the token in a request to a protected resource
//! ([`AccessToken::bearer`], [`SaslResponse`]) and what to do when it is not taken ([`Attempts::next_action`]).
//!
//! **Out of scope**: sockets, TLS, files, clocks, randomness, browsers and keys. This crate is `no_std`: it cannot even
//! name them.
//!
//! # Answer, then poll
//!
//! One invariant holds for every [`Flow`]: each [`Output::Send`] and each [`Output::Key`] is answered by exactly one
//! [`Flow::handle`], and [`Flow::poll`] is called when a flow is made, after `handle`, and when a wait ends. A flow runs
//! from one human act to the next; where a person acts it ends in a plain value ([`Ready`], [`DevicePrompt`]) that makes
//! the next flow. Every failure is final, and says what to do about it ([`Failure::remedy`]).
//!
//! # Example: a login in a browser
//!
//! The server here is a few lines of text; a transport takes its place.
//!
//! ```
//! use oauth_core::{
//!     AuthorizationRequest, AuthorizationResponse, Client, Flow, Input, Mono, Now, Output, Policy, Recognised,
//!     Registration, Scope, Seed, Server, ServerMemory, Unix,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::new("https://as.example")
//!     .with_authorization_endpoint("https://as.example/authorize")
//!     .with_token_endpoint("https://as.example/token");
//! let client = Client::new(server, Registration::public("app"), Policy::strict())?;
//! let memory = ServerMemory::default();
//! // Both clocks, as the caller reads them; and 96 bytes of chance, as the system draws them.
//! let now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };
//! let seed = || Seed::new([7; Seed::LENGTH]);
//!
//! // Before the browser: nothing is sent, the flow is over at once.
//! let request = AuthorizationRequest::new("http://127.0.0.1:8080/callback").with_scope(Scope::new("read")?);
//! let Output::Done(ready) = client.authorize(request, &memory, seed())?.poll(now) else { unreachable!() };
//! let ready = ready?;
//! assert!(ready.open.as_str().starts_with("https://as.example/authorize?client_id=app&response_type=code&"));
//!
//! // The person signs in, and the browser comes back. A stranger's hit changes nothing.
//! let stranger = AuthorizationResponse::Query("code=stolen&state=guessed");
//! assert!(matches!(ready.pending.recognise(&stranger), Recognised::NotOurs(_)));
//! let query = format!("code=SplxlOBeZQQYbYS6WxSbIA&state={}", ready.pending.state());
//! let response = AuthorizationResponse::Query(&query);
//! assert_eq!(ready.pending.recognise(&response), Recognised::Ours);
//!
//! // After the browser: the code is exchanged, once.
//! let mut redeem = ready.pending.redeem(&response, &client, &memory, seed());
//! let Output::Send(request) = redeem.poll(now) else { unreachable!() };
//! assert_eq!(request.endpoint().url().as_str(), "https://as.example/token");
//! assert!(request.body().starts_with(b"grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA&"));
//!
//! let body = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600}"#;
//! redeem.handle(Input::Response(http::Response::new(body.as_bytes().to_vec()).into()), now);
//! let Output::Done(granted) = redeem.poll(now) else { unreachable!() };
//! let tokens = granted?.tokens;
//! assert_eq!(tokens.access_token.expose(), "2YotnFZFEjr1zCsicMWpAA");
//! assert_eq!(tokens.expires_at, Some(Unix(1_700_003_600)));
//! // The server did not say what it granted: it is what was asked for (RFC 6749 section 5.1).
//! assert_eq!(tokens.scope, Some(Scope::new("read")?));
//! # Ok(())
//! # }
//! ```
//!
//! # Example: a login on another device
//!
//! Time passes as fast as the caller says.
//!
//! ```
//! use oauth_core::{Client, Flow, Input, Mono, Now, Output, Policy, Registration, Seed, Server, ServerMemory, Unix};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let answer = |body: &str| Input::Response(http::Response::new(body.as_bytes().to_vec()).into());
//! let at = |seconds| Now {
//!     mono: Mono::from_duration(Duration::from_secs(seconds)),
//!     unix: Unix(1_700_000_000 + seconds),
//! };
//! let server = Server::new("https://as.example")
//!     .with_device_authorization_endpoint("https://as.example/device")
//!     .with_token_endpoint("https://as.example/token");
//! let client = Client::new(server, Registration::public("tv"), Policy::strict())?;
//!
//! let mut asking = client.authorize_device(None, &ServerMemory::default(), Seed::new([7; Seed::LENGTH]))?;
//! let Output::Send(_) = asking.poll(at(0)) else { unreachable!() };
//! asking.handle(
//!     answer(
//!         r#"{"device_code":"GmRh","user_code":"WDJB-MJHT","verification_uri":"https://as.example/tv",
//!             "expires_in":1800,"interval":5}"#,
//!     ),
//!     at(0),
//! );
//! let Output::Done(prompt) = asking.poll(at(0)) else { unreachable!() };
//! let prompt = prompt?;
//! assert_eq!((prompt.verification_uri.as_str(), &*prompt.user_code), ("https://as.example/tv", "WDJB-MJHT"));
//!
//! // Nobody has entered the code yet; `slow_down` makes it five seconds more, for good.
//! let mut polling = prompt.poll;
//! for (sent, answered, next) in [(5, r#"{"error":"slow_down"}"#, 15), (15, r#"{"error":"authorization_pending"}"#, 25)] {
//!     let Output::Send(_) = polling.poll(at(sent)) else { unreachable!() };
//!     polling.handle(answer(answered), at(sent));
//!     let Output::Wait(until) = polling.poll(at(sent)) else { unreachable!() };
//!     assert_eq!(until, at(next).mono);
//! }
//! let Output::Send(_) = polling.poll(at(25)) else { unreachable!() };
//! polling.handle(answer(r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer"}"#), at(25));
//! let Output::Done(tokens) = polling.poll(at(25)) else { unreachable!() };
//! assert_eq!(tokens?.access_token.expose(), "2YotnFZFEjr1zCsicMWpAA");
//! # Ok(())
//! # }
//! ```
//!
//! # Example: a grant of your own
//!
//! An extension grant (RFC 6749 section 4.5) is a form and, where it matters, a check. Client authentication, reading
//! the answer and rescuing a refresh token come for free.
//!
//! ```
//! use oauth_core::{
//!     Client, ClientSecret, Error, Flow, Form, Grant, Input, Mono, Now, Output, Policy, Registration, Rejected, Seed,
//!     Server, ServerMemory, Tokens, Unix,
//! };
//!
//! /// A voucher that was printed on a receipt.
//! struct Voucher {
//!     number: ClientSecret,
//! }
//!
//! impl Grant for Voucher {
//!     fn form(&self, form: &mut Form) {
//!         form.pair("grant_type", "urn:example:grant-type:voucher");
//!         form.pair("voucher", self.number.expose());
//!     }
//!
//!     fn check(&self, tokens: &Tokens) -> Result<(), Rejected> {
//!         match tokens.expires_at {
//!             Some(_) => Ok(()),
//!             None => Err(Rejected::Check("it does not say when the voucher ends")),
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::new("https://as.example").with_token_endpoint("https://as.example/token");
//! let client = Client::new(server, Registration::public("kiosk"), Policy::strict())?;
//! let now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };
//!
//! let voucher = Voucher { number: ClientSecret::new("4711") };
//! let mut flow = client.exchange(voucher, &ServerMemory::default(), Seed::new([7; Seed::LENGTH]))?;
//! let Output::Send(request) = flow.poll(now) else { unreachable!() };
//! assert_eq!(request.body(), b"grant_type=urn%3Aexample%3Agrant-type%3Avoucher&voucher=4711&client_id=kiosk");
//!
//! let body = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer"}"#;
//! flow.handle(Input::Response(http::Response::new(body.as_bytes().to_vec()).into()), now);
//! let Output::Done(Err(failure)) = flow.poll(now) else { unreachable!() };
//! assert!(matches!(*failure.error, Error::Rejected(Rejected::Check(_))));
//! # Ok(())
//! # }
//! ```
#![no_std]
#![warn(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm
)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test that fails panics"
    )
)]

extern crate alloc;

mod answer;
mod assertion;
mod authentication;
mod authorize;
mod bearer;
mod body;
mod call;
mod challenge;
mod claims;
mod client;
mod client_metadata;
mod date;
mod device;
mod discover;
mod discover_resource;
mod exchange;
mod failure;
mod flow;
mod form;
mod grants;
mod identify;
mod introspect;
mod json;
pub mod manual;
mod memory;
mod next_action;
mod once;
mod open;
mod pending;
mod policy;
mod provider;
mod redeem;
mod register;
mod registry;
mod request;
mod resource;
mod revoke;
mod sasl;
mod scope;
mod secret;
mod seed;
mod server;
mod server_keys;
mod text;
mod time;
mod token;
mod token_info;
mod verify;

pub use answer::{AuthorizationResponse, NotOurs, Recognised};
pub use authentication::Registration;
pub use authorize::{AuthorizationRequest, AuthorizationUrl, Authorize, CodeChallenge, Ready};
pub use bearer::InvalidBearerToken;
pub use challenge::{Challenge, Challenges, InvalidChallenge};
pub use claims::{
    AccessTokenClaims, AccessTokenRules, ClaimsError, IdTokenClaims, IdTokenRules, LogoutTokenClaims,
    LogoutTokenRules,
};
pub use client::{Client, ConfigError};
pub use client_metadata::ClientMetadata;
pub use device::{AuthorizeDevice, DevicePrompt, PollDevice};
pub use discover::Discover;
pub use discover_resource::{DiscoverResource, ResourceMetadata};
pub use exchange::{Exchange, Grant};
pub use failure::{
    Delivered, Error, Failure, KeyFailed, KeyWhy, Malformed, Misuse, Refusal, Rejected, Remedy, Unavailable,
    Unreachable, UnreachableKind,
};
pub use flow::{Flow, Input, KeyId, KeyTask, OpenTask, Opened, Output, SignTask};
pub use form::Form;
pub use grants::{
    ClientCredentials, JwtBearer, Refresh, ResourceOwnerPassword, Saml2Bearer, SecurityToken, TokenExchange,
};
pub use introspect::{ActiveToken, Introspect, Introspection, IntrospectionRequest};
pub use json::{Number as JsonNumber, Value as JsonValue};
pub use memory::{ClockOffset, Learned, ServerMemory};
pub use next_action::{Attempts, GiveUp, NextAction};
pub use pending::{Pending, PendingError, Recogniser};
pub use policy::{OptOut, Policy};
pub use provider::{Knob, Provider, ProviderError};
pub use redeem::{Granted, Redeem};
pub use register::{ClientInformation, Deregister, Deregistered, Register, RegistrationAccess};
pub use registry::{
    Algorithm, AuthMethod, BearerMethod, ErrorCode, GrantType, ResponseMode, TokenType, TokenTypeIdentifier,
};
pub use request::{Endpoint, EndpointError, Purpose, Request, Response};
pub use resource::{InvalidResource, Resource};
pub use revoke::{Revocable, Revoke, Revoked};
pub use sasl::{SaslError, SaslFailure, SaslMechanism, SaslResponse};
pub use scope::{InvalidScope, Scope};
pub use secret::{
    AccessToken, AuthorizationCode, ClientSecret, DeviceCode, IdToken, Password, RefreshToken,
    RegistrationAccessToken, SecretBytes,
};
pub use seed::Seed;
pub use server::Server;
pub use server_keys::ServerKeys;
pub use time::{Mono, Now, Unix};
pub use token::Tokens;
pub use token_info::{FetchTokenInfo, TokenInfo};
pub use verify::{MessageRules, Verify};
