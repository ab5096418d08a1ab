//! MIT Kerberos: a realm with one person and one service.

use crate::daemon::{self, Daemon, Launch, StartError};
use crate::{Account, Log};
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const REALM: &str = "INTEROP.TEST";
const ACCOUNT: Account = Account::new("alice", "planted p:ss%w\u{e9}rd");

/// A realm, `INTEROP.TEST`, in which `alice` may use the service `HTTP/localhost`.
///
/// Kerberos finds a realm and a person's tickets by the environment of the process: a test that asks for a ticket starts
/// itself again with [`environment`](Self::environment).
#[derive(Debug)]
pub struct Kerberos {
    daemon: Daemon,
    log: Log,
}

impl Kerberos {
    /// The service of [`Squid`](crate::Squid).
    pub const SERVICE: &str = "HTTP/localhost";

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
        let here = folder.path().display();
        // Nothing is asked of name servers, and nothing of UDP: a lost packet would cost a second.
        let client = format!(
            "[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n \
             dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n\
             [realms]\n {REALM} = {{\n  kdc = 127.0.0.1:{port}\n }}\n\
             [domain_realm]\n localhost = {REALM}\n"
        );
        let server = format!(
            "[kdcdefaults]\n kdc_listen = \"\"\n kdc_tcp_listen = 127.0.0.1:{port}\n\
             [realms]\n {REALM} = {{\n  database_name = {here}/principal\n  key_stash_file = {here}/stash\n  \
             acl_file = {here}/acl\n }}\n\
             [logging]\n kdc = FILE:{here}/kdc.log\n"
        );
        for (name, text) in [("krb5.conf", &*client), ("kdc.conf", &server), ("acl", "")] {
            fs::write(folder.path().join(name), text)?;
        }
        let environment = vec![
            configuration(folder.path()),
            ("KRB5_KDC_PROFILE", folder.path().join("kdc.conf").into_os_string()),
        ];
        let password = ACCOUNT.password();
        let service = Self::SERVICE;
        run(SERVER, "kdb5_util", &["create", "-s", "-r", REALM, "-P", "planted-master"], &environment, "")?;
        for query in [
            format!("addprinc -pw \"{password}\" {}", ACCOUNT.user()),
            format!("addprinc -randkey {service}"),
            format!("ktadd -k {here}/keytab {service}"),
        ] {
            run("krb5-admin-server", "kadmin.local", &["-q", &query], &environment, "")?;
        }
        let launch = Launch {
            program: "krb5kdc",
            package: SERVER,
            arguments: ["-n", "-P", "kdc.pid"].map(Into::into).to_vec(),
            environment,
        };
        let daemon = Daemon::start(folder, launch, &[port])?;
        Ok(Self { log: Log::new(daemon.folder().join("kdc.log")), daemon })
    }

    /// Who can sign in.
    #[must_use]
    pub const fn account(&self) -> Account {
        ACCOUNT
    }

    /// Signs the person in, as `kinit` does, and returns the environment of a process that acts for her.
    ///
    /// # Errors
    /// `kinit` is missing (Debian package `krb5-user`), or refuses.
    pub fn environment(&self) -> Result<Vec<(&'static str, OsString)>, StartError> {
        let mut cache = OsString::from("FILE:");
        cache.push(self.daemon.folder().join("tickets"));
        let environment = vec![configuration(self.daemon.folder()), ("KRB5CCNAME", cache)];
        run("krb5-user", "kinit", &[ACCOUNT.user()], &environment, ACCOUNT.password())?;
        Ok(environment)
    }

    /// A line for each ticket: `AS_REQ` where somebody signs in, `TGS_REQ` where a service is asked for.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Where the realm is described, for a process that does not act for anybody.
    pub(crate) fn configuration(&self) -> (&'static str, OsString) {
        configuration(self.daemon.folder())
    }

    /// The key of the service.
    pub(crate) fn keytab(&self) -> PathBuf {
        self.daemon.folder().join("keytab")
    }
}

const SERVER: &str = "krb5-kdc";

fn configuration(folder: &Path) -> (&'static str, OsString) {
    ("KRB5_CONFIG", folder.join("krb5.conf").into_os_string())
}

/// Runs a program to its end, with a line of input.
fn run(
    package: &'static str,
    program: &'static str,
    arguments: &[&str],
    environment: &[(&'static str, OsString)],
    line: &str,
) -> Result<(), StartError> {
    let mut child = Command::new(daemon::find(program, package)?)
        .args(arguments)
        .envs(environment.iter().cloned())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    // A program that does not read it has other reasons to fail, and tells them.
    let _ = writeln!(child.stdin.take().expect("it is piped"), "{line}");
    let output = child.wait_with_output()?;
    // kadmin.local ends well even where it did nothing; then the next one fails.
    if output.status.success() {
        Ok(())
    } else {
        Err(StartError::Failed { program, output: String::from_utf8_lossy(&output.stderr).into_owned() })
    }
}
