//! tinyproxy: an HTTP proxy that asks for an account, and little else.

use crate::daemon::{self, Daemon, Launch, StartError};
use crate::{Account, Log};
use std::fs;

const PROGRAM: &str = "tinyproxy";
// It takes no spaces and no colons.
const ACCOUNT: Account = Account::new("user", "planted-tiny");

/// tinyproxy with Basic.
///
/// It asks for an account with 407, and answers a wrong one with 401, as if it were the server.
#[derive(Debug)]
pub struct Tinyproxy {
    _daemon: Daemon,
    log: Log,
    port: u16,
}

impl Tinyproxy {
    /// Starts it.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub fn start() -> Result<Self, StartError> {
        daemon::start(Self::attempt)
    }

    fn attempt() -> Result<Self, StartError> {
        let folder = daemon::folder()?;
        let [port] = daemon::free_ports()?;
        let text = format!(
            "Port {port}\n\
             Listen 127.0.0.1\n\
             Timeout 30\n\
             MaxClients 50\n\
             LogFile \"{here}/access.log\"\n\
             LogLevel Info\n\
             PidFile \"{here}/tinyproxy.pid\"\n\
             Allow 127.0.0.1\n\
             BasicAuth {} {}\n",
            ACCOUNT.user(),
            ACCOUNT.password(),
            here = folder.path().display()
        );
        fs::write(folder.path().join("tinyproxy.conf"), text)?;
        let launch = Launch {
            program: PROGRAM,
            package: "tinyproxy",
            arguments: ["-d", "-c", "tinyproxy.conf"].map(Into::into).to_vec(),
            environment: Vec::new(),
        };
        let daemon = Daemon::start(folder, launch, &[port])?;
        Ok(Self { log: Log::new(daemon.folder().join("access.log")), _daemon: daemon, port })
    }

    /// Who may use it.
    #[must_use]
    pub const fn account(&self) -> Account {
        ACCOUNT
    }

    /// Where it is, without an account.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lines for each request: its first line, and whether a connection was made.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }
}
