//! OpenSSH: a SOCKS server that also speaks SOCKS 4a.

use crate::daemon::{self, Daemon, Launch, StartError};
use crate::{Log, system};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const CLIENT: (&str, &str) = ("ssh", "openssh-client");
const SERVER: (&str, &str) = ("sshd", "openssh-server");
const USER: &str = "interop";

/// `ssh -D` with a server of its own: SOCKS 4, 4a and 5 for everybody.
///
/// It says yes before it has connected: a target that is not there shows as a connection that ends.
#[derive(Debug)]
pub struct Openssh {
    // The client ends first: it is dropped in this order.
    _client: Daemon,
    _server: Daemon,
    log: Log,
    port: u16,
}

impl Openssh {
    /// Starts it.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub fn start() -> Result<Self, StartError> {
        daemon::start(Self::attempt)
    }

    fn attempt() -> Result<Self, StartError> {
        let (here, there) = (daemon::folder()?, daemon::folder()?);
        let [server_port, port] = daemon::free_ports()?;
        let (key, host_key) = (here.path().join("key"), there.path().join("key"));
        make_key(&key)?;
        make_key(&host_key)?;
        let authorized = there.path().join("authorized");
        fs::copy(here.path().join("key.pub"), &authorized)?;

        let options = |options: &[String]| {
            options.iter().flat_map(|option| ["-o".into(), OsString::from(option)]).collect::<Vec<_>>()
        };
        let mut arguments = ["-D", "-e", "-f", "/dev/null"].map(OsString::from).to_vec();
        arguments.extend(options(&[
            format!("HostKey={}", host_key.display()),
            format!("ListenAddress=127.0.0.1:{server_port}"),
            format!("AuthorizedKeysFile={}", authorized.display()),
            "PidFile=none".to_owned(),
            "UsePAM=no".to_owned(),
            // The folders above belong to others.
            "StrictModes=no".to_owned(),
        ]));
        // A star: no password fits, and the account is not locked, as it would be with an exclamation mark.
        let environment = system::with_account(there.path(), USER, "*")?;
        let launch = Launch { program: SERVER.0, package: SERVER.1, arguments, environment };
        let server = Daemon::start(there, launch, &[server_port])?;

        // -v: what is asked for is told at that level.
        let mut arguments = ["-v", "-N", "-F", "none", "-i", "key"].map(OsString::from).to_vec();
        arguments.extend(options(&[
            format!("DynamicForward=127.0.0.1:{port}"),
            format!("Port={server_port}"),
            "ExitOnForwardFailure=yes".to_owned(),
            "IdentitiesOnly=yes".to_owned(),
            "BatchMode=yes".to_owned(),
            // The server was started a moment ago, and nobody else knows of it.
            "StrictHostKeyChecking=no".to_owned(),
            "UserKnownHostsFile=/dev/null".to_owned(),
        ]));
        arguments.push(format!("{USER}@127.0.0.1").into());
        let launch = Launch { program: CLIENT.0, package: CLIENT.1, arguments, environment: Vec::new() };
        let client = Daemon::start(here, launch, &[port])?;
        Ok(Self { log: Log::new(client.folder().join("output")), _client: client, _server: server, port })
    }

    /// Where it is, for `socks4`, `socks5` (the client looks names up), `socks4a` or `socks5h` (the proxy does).
    #[must_use]
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Lines for each connection; that of its end has the target as the client named it: `for localhost port 443`.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }
}

fn make_key(path: &Path) -> Result<(), StartError> {
    const PROGRAM: &str = "ssh-keygen";
    let output = Command::new(daemon::find(PROGRAM, CLIENT.1)?)
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(StartError::Failed {
            program: PROGRAM,
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
