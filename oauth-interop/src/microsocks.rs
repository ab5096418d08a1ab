//! microsocks: SOCKS 5 in a few hundred lines.

use crate::daemon::{self, Daemon, Launch, StartError};
use crate::{Account, Log};

const PROGRAM: &str = "microsocks";
const ACCOUNT: Account = Account::new("user", "planted p:ss%w\u{e9}rd");

/// microsocks, which lets one account in (RFC 1929). It speaks SOCKS 5 alone.
#[derive(Debug)]
pub struct Microsocks {
    _daemon: Daemon,
    log: Log,
    port: u16,
}

impl Microsocks {
    /// Starts it.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub fn start() -> Result<Self, StartError> {
        daemon::start(Self::attempt)
    }

    fn attempt() -> Result<Self, StartError> {
        let [port] = daemon::free_ports()?;
        let number = port.to_string();
        let launch = Launch {
            program: PROGRAM,
            package: "microsocks",
            arguments: ["-i", "127.0.0.1", "-p", &number, "-u", ACCOUNT.user(), "-P", ACCOUNT.password()]
                .map(Into::into)
                .to_vec(),
            environment: Vec::new(),
        };
        let daemon = Daemon::start(daemon::folder()?, launch, &[port])?;
        Ok(Self { log: Log::new(daemon.folder().join("output")), _daemon: daemon, port })
    }

    /// Who may use it.
    #[must_use]
    pub const fn account(&self) -> Account {
        ACCOUNT
    }

    /// Where it is, for `socks5` (the client looks names up) or `socks5h` (the proxy does).
    #[must_use]
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// A line for each connection that was made, with the target as the client named it.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }
}
