//! Dante: SOCKS 4 and 5.

use crate::daemon::{self, Daemon, Launch, StartError};
use crate::system;
use crate::{Account, Log};
use std::fs;

const PROGRAM: &str = "danted";
const ACCOUNT: Account = Account::new("interop", "planted p:ss%w\u{e9}rd");
/// The password, as `openssl passwd -6` hashes it.
const HASH: &str =
    "$6$interop$X8yJ8TbZ3cBo4vMfrlUQoO5cb6kVZTiW8qwiG9QY3fmrXB8CCOQ6v53vCIn1BXRYJthQYcVolV5.6FuuqDetJ1";

/// Whom Dante lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Everybody, by SOCKS 4 and SOCKS 5.
    Anyone,
    /// One account, by SOCKS 5 (RFC 1929).
    Account,
}

/// Dante. It does not speak SOCKS 4a: it takes the address that stands for a name as it is, and fails.
#[derive(Debug)]
pub struct Dante {
    _daemon: Daemon,
    log: Log,
    port: u16,
}

impl Dante {
    /// Starts it.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub fn start(access: Access) -> Result<Self, StartError> {
        daemon::start(|| Self::attempt(access))
    }

    fn attempt(access: Access) -> Result<Self, StartError> {
        let folder = daemon::folder()?;
        let [port] = daemon::free_ports()?;
        let (method, environment) = match access {
            Access::Anyone => ("none", Vec::new()),
            Access::Account => ("username", system::with_account(folder.path(), ACCOUNT.user(), HASH)?),
        };
        // Each keyword of a rule has a line of its own, or it is a syntax error.
        let text = format!(
            "logoutput: {here}/access.log\n\
             internal: 127.0.0.1 port = {port}\n\
             external: lo\n\
             clientmethod: none\n\
             socksmethod: {method}\n\
             client pass {{\n  from: 127.0.0.0/8 to: 0.0.0.0/0\n}}\n\
             socks pass {{\n  from: 127.0.0.0/8 to: 0.0.0.0/0\n  protocol: tcp\n  log: connect error\n}}\n",
            here = folder.path().display()
        );
        fs::write(folder.path().join("danted.conf"), text)?;
        let launch = Launch {
            program: PROGRAM,
            package: "dante-server",
            arguments: ["-f", "danted.conf", "-p", "danted.pid"].map(Into::into).to_vec(),
            environment,
        };
        let daemon = Daemon::start(folder, launch, &[port])?;
        Ok(Self { log: Log::new(daemon.folder().join("access.log")), _daemon: daemon, port })
    }

    /// Who may use it, where it asks.
    #[must_use]
    pub const fn account(&self) -> Account {
        ACCOUNT
    }

    /// Where it is, for `socks4`, `socks5` (the client looks names up) or `socks5h` (the proxy does).
    #[must_use]
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// A line for each connection: `pass` or `block`, the user name, and the addresses.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }
}
