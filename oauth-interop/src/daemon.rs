//! A program that runs until its peer is dropped, or the test ends, however that happens.

use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{array, env, fmt, io, thread};
use tempfile::TempDir;

/// Starts the program, and ends it at the end of its input. Its arguments: the folder, then the program and its own.
///
/// The program leads a session of its own, so that one signal reaches what it leaves behind. It gets none of the
/// descriptors that the test has: one that was held open by a program that stays would keep whoever waits for its end.
const GUARD: &str = r#"
folder=$1; shift
exec 3<&0 </dev/null 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-
setsid "$@" 3<&- &
daemon=$!
(
    read -r _ <&3
    if [ ! -e "$folder/ended" ]; then kill -s TERM "$daemon"; fi
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ ! -e "$folder/ended" ] || break
        sleep 0.1
    done
    if [ ! -e "$folder/ended" ]; then kill -s KILL -- "-$daemon"; fi
    rm -rf -- "$folder"
) 2>/dev/null &
guard=$!
exec 3<&-
wait "$daemon"
kill -s KILL -- "-$daemon" 2>/dev/null
: >"$folder/ended"
wait "$guard"
rm -rf -- "$folder"
"#;

const ROOT: u32 = 0;
/// Who a daemon is where the test is root: Squid refuses to be that, and the others do not need to.
const NOBODY: u32 = 65_534;
/// No daemon here takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between the choice of a port and its use somebody else can take it.
const ATTEMPTS: usize = 3;

/// Why a peer does not run.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// A program, or a part of one, is not on this machine.
    Missing {
        /// What was looked for.
        program: &'static str,
        /// The Debian package that holds it.
        package: &'static str,
    },
    /// The program ended, or took no connection in time.
    Failed {
        /// The program.
        program: &'static str,
        /// What it said.
        output: String,
    },
    /// A file or a process could not be made.
    Io(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { program, package } => {
                write!(
                    f,
                    "{program} is not there, and this test is about it: install the Debian package {package}"
                )
            }
            Self::Failed { program, output } => write!(f, "{program} did not start; it says:\n{output}"),
            Self::Io(error) => write!(f, "a peer could not be set up: {error}"),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Tries again where a program failed, with other ports.
pub(crate) fn start<T>(attempt: impl Fn() -> Result<T, StartError>) -> Result<T, StartError> {
    for _ in 1..ATTEMPTS {
        match attempt() {
            Err(StartError::Failed { .. }) => {}
            outcome => return outcome,
        }
    }
    attempt()
}

/// Ports of 127.0.0.1 that nobody listens on, all different.
pub(crate) fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let listeners: [_; N] = array::from_fn(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(listeners) {
        *port = listener?.local_addr()?.port();
    }
    Ok(ports)
}

/// Where a program is: on the path, or where Debian puts those of the system.
pub(crate) fn find(program: &'static str, package: &'static str) -> Result<PathBuf, StartError> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/lib/squid"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .ok_or(StartError::Missing { program, package })
}

/// A folder for a daemon, which may not be who the test is.
pub(crate) fn folder() -> Result<TempDir, StartError> {
    let folder = tempfile::Builder::new().prefix("oauth-interop-").tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// Who a daemon will be.
pub(crate) fn user(folder: &Path) -> io::Result<u32> {
    // Who made the folder, which is who the test is.
    let user = fs::metadata(folder)?.uid();
    Ok(if user == ROOT { NOBODY } else { user })
}

/// With all that is in it: a key that others can read is none for OpenSSH.
fn give_to_nobody(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        chown(entry?.path(), Some(NOBODY), Some(NOBODY))?;
    }
    chown(folder, Some(NOBODY), Some(NOBODY))
}

/// How to start a program.
pub(crate) struct Launch {
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, OsString)>,
}

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Daemon {
    folder: PathBuf,
    /// The shell; it holds the reading end of a pipe, and `Child` the writing one.
    guard: Child,
}

impl Daemon {
    /// Starts a program in its folder, which is from now on its guard's to remove, and waits until it listens.
    pub(crate) fn start(folder: TempDir, launch: Launch, ports: &[u16]) -> Result<Self, StartError> {
        let Launch { program, package, arguments, environment } = launch;
        let path = find(program, package)?;
        let output = File::create(folder.path().join("output"))?;
        let mut guard = Command::new("/bin/sh");
        guard.args(["-c", GUARD, "guard"]).arg(folder.path());
        if fs::metadata(folder.path())?.uid() == ROOT {
            give_to_nobody(folder.path())?;
            let nobody = NOBODY.to_string();
            guard.args(["setpriv", "--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
        }
        let guard = guard
            .arg(path)
            .args(arguments)
            .envs(environment)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            // An interrupt from the keyboard ends the test, and the end of the test ends the rest.
            .process_group(0)
            .spawn()?;
        let daemon = Self { folder: folder.keep(), guard };
        let start = Instant::now();
        for port in ports {
            while !listens(*port) {
                if daemon.folder.join("ended").exists() || start.elapsed() > PATIENCE {
                    return Err(StartError::Failed { program, output: daemon.output() });
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(daemon)
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it says, and what it wrote into its logs.
    fn output(&self) -> String {
        ["output", "error.log"]
            .map(|name| {
                String::from_utf8_lossy(&fs::read(self.folder.join(name)).unwrap_or_default()).into_owned()
            })
            .concat()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            // Where it cannot be waited for, nothing is left to do.
            if !matches!(self.guard.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

fn listens(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}
