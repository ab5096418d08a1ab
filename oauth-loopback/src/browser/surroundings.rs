//! Where a program runs, guessed from what the environment says.

use crate::address::Host;
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::Path;
use url::Url;

/// Where this program runs, as far as the environment tells.
///
/// A guess, and often wrong: it orders what a person is offered, and picks hints. Nothing is left undone because of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Surroundings {
    /// The person came over SSH, so their browser is on another machine.
    pub ssh: bool,
    /// There is a screen to open a window on.
    pub display: bool,
    /// In a container, whose ports nobody outside sees unless they are published.
    pub container: bool,
    /// In a workspace that is itself used in a browser: Codespaces, Gitpod, Cloud Shell.
    pub workspace: bool,
    /// In Linux on Windows, where the browser is Windows' own.
    pub wsl: bool,
    /// How the person reaches this machine: `user@address`, and the port of its SSH server.
    destination: Option<(String, u16)>,
}

impl Surroundings {
    /// The surroundings of this process.
    #[must_use]
    pub fn from_env() -> Self {
        Self::detect(|name| std::env::var_os(name), Path::exists)
    }

    /// The surroundings that these variables and files stand for.
    #[must_use]
    pub fn detect(variable: impl Fn(&str) -> Option<OsString>, exists: impl Fn(&Path) -> bool) -> Self {
        let value = |name: &str| {
            let value = variable(name).map(|value| value.to_string_lossy().into_owned());
            value.filter(|value| !value.is_empty())
        };
        let any = |names: &[&str]| names.iter().any(|name| value(name).is_some());
        let screen_needs_no_variable = cfg!(any(windows, target_os = "macos", target_os = "android"));
        let destination = value("SSH_CONNECTION").and_then(|connection| {
            // Address and port of the client, then of the server.
            let mut fields = connection.split(' ').skip(2);
            let address: IpAddr = fields.next()?.parse().ok()?;
            let port = fields.next()?.parse().ok()?;
            let user = value("USER").or_else(|| value("LOGNAME")).filter(|user| is_plain(user));
            let user = user.map(|user| format!("{user}@")).unwrap_or_default();
            Some((format!("{user}{address}"), port))
        });
        Self {
            ssh: any(&["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"]),
            display: screen_needs_no_variable || any(&["DISPLAY", "WAYLAND_DISPLAY"]),
            // A Flatpak sees the desktop that it runs on.
            container: value("container").is_some_and(|kind| kind != "flatpak")
                || any(&["KUBERNETES_SERVICE_HOST", "REMOTE_CONTAINERS"])
                || ["/.dockerenv", "/run/.containerenv"].iter().any(|path| exists(Path::new(path))),
            workspace: any(&["CODESPACES", "GITPOD_WORKSPACE_ID", "GOOGLE_CLOUD_SHELL"]),
            wsl: any(&["WSL_DISTRO_NAME", "WSL_INTEROP"]),
            destination,
        }
    }

    /// Whether the person's browser is probably on another machine: then the ways that work from there come first.
    #[must_use]
    pub const fn browser_is_elsewhere(&self) -> bool {
        self.ssh || self.workspace || !self.display && !self.wsl
    }

    /// The command that lets a browser on the person's machine reach a listener on this port: `ssh -L …`, to be run there.
    ///
    /// `None` where the person did not come over SSH, or where the redirect URI leads elsewhere than to their machine. Where
    /// the environment does not say how they came, `HOST` stands for this machine.
    #[must_use]
    pub fn tunnel(&self, redirect_uri: &Url, listening: u16) -> Option<String> {
        if !self.ssh {
            return None;
        }
        let port = redirect_uri.port_or_known_default()?;
        let here = match Host::of(redirect_uri)? {
            Host::V6 => "[::1]",
            _ => "127.0.0.1",
        };
        let (destination, ssh_port) =
            self.destination.as_ref().map_or(("HOST", 22), |(to, port)| (to, *port));
        let ssh_port = if ssh_port == 22 { String::new() } else { format!("-p {ssh_port} ") };
        Some(format!("ssh -L {port}:{here}:{listening} {ssh_port}{destination}"))
    }
}

/// What can stand in a command without being read as anything else.
fn is_plain(user: &str) -> bool {
    user.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
