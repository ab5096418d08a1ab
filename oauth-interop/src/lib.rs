//! Servers, proxies and a browser that nobody here wrote, for the tests of the HTTP engines and of the listener.
//!
//! In scope: starting them. Each peer is a struct: it writes a configuration into a folder of its own, picks free ports of
//! 127.0.0.1, runs until it is dropped, and can say what it saw ([`Log`]). Certificates are made for each run by an
//! [`Authority`].
//!
//! Out of scope: any opinion on what a client should do. That is in `tests/`, where each case runs over every engine, and
//! where a browser signs in.
//!
//! | peer | Debian package | what it is there for |
//! |---|---|---|
//! | [`Nginx`] | `nginx` | TLS in many versions, good and bad certificates, client certificates, HTTP/2, odd answers |
//! | [`Squid`] | `squid-openssl` | an HTTP proxy with Basic, Digest, NTLM or Negotiate, plain and over TLS |
//! | [`Spnego`] | `python3-pip`, pyspnego by pip | an HTTP proxy with NTLM that checks the password |
//! | [`Tinyproxy`] | `tinyproxy` | an HTTP proxy that answers a wrong password in its own way |
//! | [`Dante`] | `dante-server`, `libnss-wrapper` | SOCKS 4 and 5, with an account and without |
//! | [`Microsocks`] | `microsocks` | SOCKS 5 with an account |
//! | [`Kerberos`] | `krb5-kdc`, `krb5-admin-server`, `krb5-user` | a realm, for Negotiate |
//! | [`Chromium`] | `chromium`, `chromium-driver`, `fonts-dejavu-core` | a person's browser, for the listener's pages |
//! | [`Softhsm`] | `softhsm2`, `opensc` | a security key (PKCS#11) with a client certificate |
//! | [`Openssh`] | `openssh-server`, `openssh-client`, `libnss-wrapper` | SOCKS 4a beside 4 and 5 |
//!
//! A program that is missing is an error that names its package, never a reason to skip a test. None of them needs root;
//! none uses a file, a user or a port of the system's own.
//!
//! # How a peer ends
//! Dropping it ends it. A peer in a `static` is never dropped, and a test can be killed: so each peer has a guard, a shell
//! that waits for the end of a pipe which only the test holds open. However the test ends, the guard sees it, ends the
//! peer with all its children, and removes its folder.

mod account;
mod authority;
mod chromium;
mod daemon;
mod dante;
mod kerberos;
mod log;
mod microsocks;
mod nginx;
mod openssh;
mod softhsm;
mod spnego;
mod squid;
mod system;
mod tinyproxy;

pub use account::Account;
pub use authority::{Authority, Identity};
pub use chromium::{Chromium, Tab};
pub use daemon::StartError;
pub use dante::{Access, Dante};
pub use kerberos::Kerberos;
pub use log::{Log, Watch};
pub use microsocks::Microsocks;
pub use nginx::{Nginx, Site};
pub use openssh::Openssh;
pub use softhsm::Softhsm;
pub use spnego::Spnego;
pub use squid::{Scheme, Squid};
pub use tinyproxy::Tinyproxy;
