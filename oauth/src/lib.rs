//! An OAuth 2.0 client: safe by default, on the runtime and the HTTP engine of your choice.
//!
//! In scope: carrying the conversations of [`core`] out over a [`Host`], and handing over an [`Authorization`]. An
//! [`Authorizer`] is made once for a server and a client; each of its methods is one conversation, async, and its
//! [`blocking`](Authorizer::blocking) twin is the same code run to its end on the calling thread.
//!
//! Out of scope: the protocol itself, which is [`core`]'s, and HTTP, keys and sockets, which are the business of the
//! crates behind the features.
//!
//! # Example: a client that speaks for itself
//!
//! ```
//! # #[cfg(feature = "hyper")] {
//! use oauth::core::{ClientSecret, OptOut, Policy, Registration};
//! use oauth::{HyperHost, Settings, blocking};
//! use std::sync::Arc;
//!
//! let server = oauth_testserver::TestServer::start()?;
//! let registration = Registration::with_secret("demo-basic", ClientSecret::new("demo-basic-secret"));
//! // The test server speaks plain http on this machine, which has to be allowed by name.
//! let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
//! let host = Arc::new(HyperHost::new(Settings::new())?);
//!
//! let authorizer = blocking::discover(server.issuer(), registration, policy, host)?;
//! let authorization = authorizer.blocking().client_credentials(None)?;
//! assert!(authorization.header_value().starts_with("Bearer "));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A login in a browser is [`Authorizer::sign_in`], on another device [`Authorizer::sign_in_on_device`], in a web server
//! [`Authorizer::begin`] and [`Authorizer::finish`]; with `openid` in the scope,
//! [`Authorization::id_token_claims`] says who it was. The folder `examples` has each as a program. A program that makes many
//! requests asks a [`Session`] before each: it renews what is about to end, once for all who wait.
//!
//! # Features
//!
//! Each only adds.
//! - `hyper` (default): [`HyperHost`], requests over hyper and rustls, in tokio.
//! - `loopback` (default): `Authorizer::sign_in`, the listener and the browser launch.
//! - `loopback-tls`: a listener with https; `systemd`: one on sockets that systemd hands over.
//! - `jwt` (default): `WithKeys`, a host with keys in memory; any host verifies ID tokens.
//! - `isahc`: `IsahcHost`, requests over libcurl, on any executor.
//! - `encrypted-keys`: keys behind a password, PKCS#12 (PFX) files among them.
//! - `aws-lc-rs`: keys on the curves P-521 and secp256k1, and encrypted messages (JWE).
//! - `stores`: `jwt::CertificateStore`, keys and certificates in files of every kind.
//! - `pkcs11`: the same in security keys and other tokens.
//! - `http2`: HTTP/2 on hyper, where the settings ask for it.
//! - `negotiate`, `ntlm`: Kerberos tickets and NTLM towards proxies on hyper, where the settings ask for them.
//! - `cookies`, `compression`: HTTP sessions keep cookies, and take compressed responses (`transport::SessionSettings`).
//! - `component`: [`OAuth`], everything by properties and settings with names of their own; with an engine.
//! - `providers`: `core::Provider::known`, profiles of well-known providers.

mod authorization;
mod authorizer;
pub mod blocking;
#[cfg(all(feature = "component", any(feature = "hyper", feature = "isahc")))]
pub mod component;
mod error;
pub mod host;
mod session;
#[cfg(feature = "loopback")]
mod sign_in;

pub use authorization::Authorization;
pub use authorizer::Authorizer;
#[cfg(all(feature = "component", any(feature = "hyper", feature = "isahc")))]
pub use component::OAuth;
pub use error::Error;
#[cfg(feature = "hyper")]
pub use host::HyperHost;
#[cfg(feature = "isahc")]
pub use host::IsahcHost;
#[cfg(feature = "jwt")]
pub use host::WithKeys;
pub use host::{Host, drive};
pub use oauth_core as core;
#[cfg(feature = "jwt")]
pub use oauth_jwt as jwt;
#[cfg(feature = "loopback")]
pub use oauth_loopback as loopback;
#[cfg(any(feature = "hyper", feature = "isahc"))]
pub use oauth_transport as transport;
#[cfg(any(feature = "hyper", feature = "isahc"))]
pub use oauth_transport::{Proxies, Proxy, Settings, SettingsError};
pub use session::Session;
#[cfg(all(feature = "loopback-tls", feature = "stores"))]
pub use sign_in::callback_certificate;
#[cfg(feature = "loopback")]
pub use sign_in::{PasteNote, Received, SignIn, Step, Wait};

/// The examples of the README compile.
#[cfg(all(doctest, feature = "hyper", feature = "component"))]
#[doc = include_str!("../../README.md")]
struct Readme;
