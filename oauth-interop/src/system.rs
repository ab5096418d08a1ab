//! An account that a daemon finds when it asks the system, and that the system does not have.

use crate::daemon::{self, StartError};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The environment of a daemon that is to see such an account, of the user it runs as; the files are in its folder.
pub(crate) fn with_account(
    folder: &Path,
    user: &str,
    hash: &str,
) -> Result<Vec<(&'static str, OsString)>, StartError> {
    let id = daemon::user(folder)?;
    let mut environment = vec![("LD_PRELOAD", nss_wrapper()?.into_os_string())];
    for (variable, name, mut text) in [
        ("NSS_WRAPPER_PASSWD", "passwd", format!("{user}:x:{id}:{id}::/:/bin/sh\n")),
        ("NSS_WRAPPER_GROUP", "group", format!("{user}:x:{id}:\n")),
        ("NSS_WRAPPER_SHADOW", "shadow", format!("{user}:{hash}:19000:0:99999:7:::\n")),
    ] {
        // The system's own users stay: a daemon looks itself up. Its passwords are left alone.
        if name != "shadow" {
            text.push_str(&fs::read_to_string(Path::new("/etc").join(name))?);
        }
        let path = folder.join(name);
        fs::write(&path, text)?;
        environment.push((variable, path.into_os_string()));
    }
    Ok(environment)
}

/// The library lies in a folder that is named after the machine's kind.
fn nss_wrapper() -> Result<PathBuf, StartError> {
    const LIBRARY: &str = "libnss_wrapper.so";
    fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join(LIBRARY)))
        .find(|path| path.exists())
        .ok_or(StartError::Missing { program: LIBRARY, package: "libnss-wrapper" })
}
