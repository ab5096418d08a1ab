//! Squid: an HTTP proxy that asks for an account.

use crate::daemon::{self, Daemon, Launch, StartError};
use crate::{Account, Identity, Kerberos, Log};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, process};

const PROGRAM: &str = "squid";
const PACKAGE: &str = "squid-openssl";
const ACCOUNT: Account = Account::new("user", "planted p:ss%w\u{e9}rd");
/// The password, as `openssl passwd -apr1` hashes it.
const BASIC_FILE: &str = "user:$apr1$interop$XIs6lxScJld6etFSfr8Yb/\n";
/// The MD5 sum of user name, realm and password with colons between them (RFC 7616 section 3.4.2).
const DIGEST_FILE: &str = "user:interop:a87e5d66c494e39a9a7673137ac7139d\n";

/// How a proxy may be told who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// The password itself (RFC 7617).
    Basic,
    /// A hash of it, with a nonce that goes stale after three uses (RFC 7616, with MD5).
    Digest,
    /// NTLM, of which only the form of the messages is checked: whoever knows how to ask gets in, with whatever password.
    Ntlm,
}

impl Scheme {
    /// Writes the helper's files and returns its part of the configuration.
    fn configure(self, folder: &Path) -> Result<String, StartError> {
        let file = |name: &str, text| {
            let file = folder.join(name);
            fs::write(&file, text).map(|()| file.display().to_string())
        };
        Ok(match self {
            Self::Basic => {
                let file = file("basic.accounts", BASIC_FILE)?;
                helper("basic", "basic_ncsa_auth", &file)? + "auth_param basic realm interop\n"
            }
            Self::Digest => {
                // -c: the file holds hashes.
                let file = file("digest.accounts", DIGEST_FILE)?;
                helper("digest", "digest_file_auth", &format!("-c {file}"))?
                    + "auth_param digest realm interop\nauth_param digest nonce_max_count 3\n"
            }
            Self::Ntlm => helper("ntlm", "ntlm_fake_auth", "")?,
        })
    }
}

/// The program that decides for Squid.
fn helper(scheme: &str, program: &'static str, arguments: &str) -> Result<String, StartError> {
    let program = daemon::find(program, PACKAGE)?;
    Ok(format!(
        "auth_param {scheme} program {} {arguments}\nauth_param {scheme} children 1 startup=1\n",
        program.display()
    ))
}

/// Squid, which lets one account in. It refuses to connect to `blocked.test` whoever asks.
///
/// It tells every way of asking that it was started with, in that order, in one 407. A tunnel stands in its log when it has
/// ended.
#[derive(Debug)]
pub struct Squid {
    _daemon: Daemon,
    log: Log,
    port: u16,
    tls_port: u16,
}

impl Squid {
    /// Starts it. The identity is what it shows where it is spoken to over TLS.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub fn start(schemes: &[Scheme], identity: &Identity) -> Result<Self, StartError> {
        let configure = |folder: &Path| schemes.iter().map(|scheme| scheme.configure(folder)).collect();
        daemon::start(|| Self::attempt(&configure, &[], identity))
    }

    /// Starts it for who shows a ticket of a realm (RFC 4559). Its host is `localhost`, after which its service is named.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub fn start_with_negotiate(realm: &Kerberos, identity: &Identity) -> Result<Self, StartError> {
        let configure = |folder: &Path| {
            let keytab = folder.join("keytab");
            fs::copy(realm.keytab(), &keytab)?;
            let arguments = format!("-k {} -s {}", keytab.display(), Kerberos::SERVICE);
            helper("negotiate", "negotiate_kerberos_auth", &arguments)
        };
        daemon::start(|| Self::attempt(&configure, &[realm.configuration()], identity))
    }

    fn attempt(
        configure: &dyn Fn(&Path) -> Result<String, StartError>,
        environment: &[(&'static str, OsString)],
        identity: &Identity,
    ) -> Result<Self, StartError> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let folder = daemon::folder()?;
        let here = folder.path().to_owned();
        let [port, tls_port] = daemon::free_ports()?;
        fs::write(here.join("certificate.pem"), identity.certificate_pem())?;
        fs::write(here.join("key.pem"), identity.key_pem())?;
        let mut text = configure(&here)?;
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "http_port 127.0.0.1:{port}\n\
             https_port 127.0.0.1:{tls_port} tls-cert={here}/certificate.pem tls-key={here}/key.pem\n\
             acl known proxy_auth REQUIRED\n\
             acl blocked dstdomain blocked.test\n\
             http_access deny blocked\n\
             http_access allow known\n\
             http_access deny all\n\
             access_log stdio:{here}/access.log\n\
             cache_log {here}/error.log\n\
             pid_filename {here}/squid.pid\n\
             coredump_dir {here}\n\
             visible_hostname proxy.test\n\
             cache deny all\n\
             cache_mem 8 MB\n\
             max_filedescriptors 1024\n\
             logfile_rotate 0\n\
             netdb_filename none\n\
             pinger_enable off\n\
             shutdown_lifetime 0 seconds\n",
            here = here.display()
        );
        fs::write(here.join("squid.conf"), text)?;
        // What it shares between processes is named after the service, and so must be no other's.
        let service = format!("interop{}n{}", process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let daemon = Daemon::start(
            folder,
            Launch {
                program: PROGRAM,
                package: PACKAGE,
                arguments: ["-N", "-n", &service, "-f", "squid.conf"].map(Into::into).to_vec(),
                environment: environment.to_vec(),
            },
            &[port, tls_port],
        )?;
        Ok(Self { log: Log::new(daemon.folder().join("access.log")), _daemon: daemon, port, tls_port })
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

    /// The port of that.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where it is spoken to over TLS.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.tls_port)
    }

    /// A line for each request: what Squid made of it and the status, the method and target, the user name.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }
}
