//! The loopback listener and the browser launch of RFC 8252: how an authorization response comes to a program on the
//! person's own machine.
//!
//! **In scope**: binding ([`Listener`]; [`WebServer`] where a port outlives a login), deciding what counts as the
//! callback ([`verdict`]), waiting for it (a driver: [`thread`], or `tokio` and `async_io` with the features of those
//! names), telling the browser how it ended ([`Reply`]), reading what a person pastes instead ([`paste`]), and opening a
//! browser (`browser`, with the feature of that name). **Out of scope**: what a response means. That a response is
//! *ours* is for its `state` to say, and `Pending::recognise` of the core reads it.
//!
//! The parts, from the wire inwards:
//! - [`request`] and [`verdict`] take bytes and rules, and know no socket;
//! - TLS, with the feature `tls`, lies between the bytes and the request, and no driver knows of it;
//! - one engine accepts, serves every connection at once and keeps the deadlines; it is the same for every driver;
//! - a driver lends the engine its sockets and its clock, and decides nothing.
//!
//! The order of things: bind, send the redirect URI, open the browser and print its URL, receive, redeem the response,
//! reply, and let the reply be delivered before the program ends.
//!
//! ```
//! use oauth_core::{AuthorizationResponse, NotOurs, Recognised};
//! use oauth_loopback::{Address, Listener, ReceiveOptions, thread};
//! # use std::io::{Read as _, Write as _};
//!
//! let listener = Listener::bind(&Address::default())?;
//! let redirect_uri = listener.redirect_uri().clone();
//! // Build the authorization URL with that redirect URI, print it, and open it:
//! // let opening = browser::open(&url, &Browser::from_env()?)?;
//! # let browser = std::thread::spawn(move || {
//! #     let port = redirect_uri.port().unwrap();
//! #     let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
//! #     write!(stream, "GET /callback?state=s1&code=c1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").unwrap();
//! #     let mut page = String::new();
//! #     stream.read_to_string(&mut page).unwrap();
//! #     page
//! # });
//!
//! // `pending.recognise(response)`, in earnest.
//! let judge = |response: &AuthorizationResponse<'_>| match response {
//!     AuthorizationResponse::Query("state=s1&code=c1") => Recognised::Ours,
//!     _ => Recognised::NotOurs(NotOurs::OtherState),
//! };
//! let options = ReceiveOptions::new().application("Example").on_note(|_note| { /* a line for stderr */ });
//! let callback = thread::receive(listener, judge, options)?;
//!
//! // Redeem `callback.response.as_response()` at the token endpoint; then tell the browser how that went.
//! callback.reply.success().wait();
//! # assert!(browser.join().unwrap().contains("You are signed in"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod answer;
#[cfg(feature = "async-io")]
pub mod async_io;
#[cfg(feature = "browser")]
pub mod browser;
mod callback;
#[cfg(feature = "tls")]
mod certificate;
mod conversation;
mod desk;
mod ended;
mod engine;
mod listener;
mod note;
mod options;
mod own_page;
mod page;
pub mod paste;
mod promise;
mod reply;
pub mod request;
mod response_mode;
mod signal;
mod text;
pub mod thread;
#[cfg(feature = "tokio")]
pub mod tokio;
pub mod verdict;
mod web_server;
mod wire;

pub use address::{Address, AddressError, Host};
pub use callback::{Callback, Cancel, Received};
#[cfg(feature = "tls")]
pub use certificate::{Certificate, CertificateError};
pub use listener::{BindError, Listener};
pub use note::Note;
pub use options::{ReceiveError, ReceiveOptions};
pub use own_page::OwnPage;
pub use reply::{Delivery, HeaderError, Reply};
pub use response_mode::ResponseMode;
pub use web_server::WebServer;
