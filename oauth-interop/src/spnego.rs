//! pyspnego: the accepting side of NTLM, in a small proxy.

use crate::daemon::{self, Daemon, Launch, StartError};
use crate::{Account, Log};
use std::fs;
use std::path::Path;

const PROXY: &str = include_str!("ntlm_proxy.py");
/// Debian's own, which whoever a daemon is can run.
const PYTHON: &str = "/usr/bin/python3";
/// Where `check.sh` puts it.
const LIBRARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/spnego");
// A line of the file has domain, user and password, with colons between them.
const ACCOUNT: Account = Account::new("INTEROP\\user", "planted ntlm w\u{e9}rd");

/// A proxy with NTLM, whose messages pyspnego makes and checks. It opens tunnels, and does nothing else.
#[derive(Debug)]
pub struct Spnego {
    _daemon: Daemon,
    log: Log,
    port: u16,
}

impl Spnego {
    /// Starts it.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub fn start() -> Result<Self, StartError> {
        daemon::start(Self::attempt)
    }

    fn attempt() -> Result<Self, StartError> {
        if !Path::new(LIBRARY).join("spnego").is_dir() {
            return Err(StartError::Missing {
                program: "pyspnego",
                package: "python3-pip, and run check.sh, which puts pyspnego into target/spnego",
            });
        }
        let folder = daemon::folder()?;
        let [port] = daemon::free_ports()?;
        fs::write(folder.path().join("proxy.py"), PROXY)?;
        let (domain, user) = ACCOUNT.user().split_once('\\').unwrap_or_default();
        let users = folder.path().join("users");
        fs::write(&users, format!("{domain}:{user}:{}\n", ACCOUNT.password()))?;
        let launch = Launch {
            program: PYTHON,
            package: "python3",
            arguments: ["-B", "proxy.py", &port.to_string(), "access.log"].map(Into::into).to_vec(),
            environment: vec![
                ("PYTHONPATH", LIBRARY.into()),
                ("PYTHONUTF8", "1".into()),
                ("NTLM_USER_FILE", users.into_os_string()),
            ],
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

    /// A line for each request: `ASKED`, `CHALLENGED`, `DENIED` or `TUNNEL`, the target, and who it was.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }
}
