//! The peers of this process: each is started by the first test that asks, and ends with the process.

use oauth_interop::{
    Access, Dante, Microsocks, Nginx, Openssh, Scheme, Spnego, Squid, StartError, Tinyproxy,
};
use std::sync::LazyLock;

macro_rules! peers {
    ($($(#[doc = $doc:literal])* $name:ident: $peer:ty = $start:expr;)+) => {$(
        $(#[doc = $doc])*
        pub(crate) fn $name() -> &'static $peer {
            static PEER: LazyLock<Result<$peer, StartError>> = LazyLock::new(|| $start);
            PEER.as_ref().unwrap_or_else(|why| panic!("{why}"))
        }
    )+};
}

peers! {
    nginx: Nginx = Nginx::start();
    /// Asks for Basic.
    squid: Squid = Squid::start(&[Scheme::Basic], nginx().authority().server());
    /// Asks for Digest.
    digest_squid: Squid = Squid::start(&[Scheme::Digest], nginx().authority().server());
    /// Asks for either, and names the weaker first.
    both_squid: Squid = Squid::start(&[Scheme::Basic, Scheme::Digest], nginx().authority().server());
    /// Asks for NTLM, and takes any password.
    ntlm_squid: Squid = Squid::start(&[Scheme::Ntlm], nginx().authority().server());
    /// Asks for NTLM, and checks the password.
    spnego: Spnego = Spnego::start();
    tinyproxy: Tinyproxy = Tinyproxy::start();
    /// Asks for nothing.
    dante: Dante = Dante::start(Access::Anyone);
    /// Asks for an account.
    account_dante: Dante = Dante::start(Access::Account);
    /// Asks for nothing, and speaks SOCKS 4a.
    openssh: Openssh = Openssh::start();
    microsocks: Microsocks = Microsocks::start();
}
