//! SoftHSM: a security key in software.

use crate::daemon::{self, StartError};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const PACKAGE: &str = "softhsm2";
const LABEL: &str = "interop token";

/// A token that speaks PKCS#11, with a certificate and its private key, which signs in it.
///
/// No program runs: a module does it all in the process that loads it, and finds the token by the environment of that
/// process. So a test starts itself again with [`environment`](Self::environment).
#[derive(Debug)]
pub struct Softhsm {
    folder: TempDir,
    module: &'static str,
}

impl Softhsm {
    /// What opens it.
    pub const PIN: &str = "planted-4711";

    /// Makes it of a certificate and its key, as PEM; the key is PKCS #8.
    ///
    /// # Errors
    /// A program is missing, or fails: of the Debian packages `softhsm2`, `opensc` and `openssl`.
    pub fn new(certificate: &str, key: &str) -> Result<Self, StartError> {
        let softhsm = Self { folder: daemon::folder()?, module: module()? };
        let tokens = format!("directories.tokendir = {}\n", softhsm.folder.path().display());
        for (name, text) in [("softhsm2.conf", &*tokens), ("client.pem", certificate), ("client.key", key)] {
            fs::write(softhsm.folder.path().join(name), text)?;
        }
        let (pin, at) = (["--pin", Self::PIN], ["--label", "client", "--id", "01"]);
        let util = |arguments: &[&[&str]]| softhsm.run(PACKAGE, "softhsm2-util", &arguments.concat());
        util(&[&["--init-token", "--free", "--label", LABEL, "--so-pin", "0815"], &pin])?;
        util(&[&["--import", "client.key", "--token", LABEL], &pin, &at])?;
        let convert = ["x509", "-in", "client.pem", "-outform", "DER", "-out", "client.der"];
        softhsm.run("openssl", "openssl", &convert)?;
        let write = ["--module", softhsm.module, "--login", "--write-object", "client.der", "--type", "cert"];
        softhsm.run("opensc", "pkcs11-tool", &[&write[..], &pin, &at].concat())?;
        Ok(softhsm)
    }

    /// Where its token and what is in it are, as RFC 7512 has it.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("pkcs11:token={}?module-path={}", LABEL.replace(' ', "%20"), self.module)
    }

    /// The environment of a process that is to see it.
    #[must_use]
    pub fn environment(&self) -> (&'static str, OsString) {
        ("SOFTHSM2_CONF", self.folder.path().join("softhsm2.conf").into_os_string())
    }

    /// Runs a program to its end, in its folder.
    fn run(
        &self,
        package: &'static str,
        program: &'static str,
        arguments: &[&str],
    ) -> Result<(), StartError> {
        let output = Command::new(daemon::find(program, package)?)
            .args(arguments)
            .envs([self.environment()])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() {
            Ok(())
        } else {
            Err(StartError::Failed { program, output: String::from_utf8_lossy(&output.stderr).into_owned() })
        }
    }
}

/// Where distributions put it.
fn module() -> Result<&'static str, StartError> {
    ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib/libsofthsm2.so"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .ok_or(StartError::Missing { program: "libsofthsm2.so", package: PACKAGE })
}
