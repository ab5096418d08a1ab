//! What a person is told on the way through the browser: how to begin, and what may have gone wrong when nothing happens.

use crate::args::RedirectFlags;
use oauth::loopback::browser::Surroundings;
use std::fmt::Write as _;
use url::Url;

/// What the words depend on.
#[derive(Clone, Debug)]
pub(crate) struct Situation {
    pub(crate) surroundings: Surroundings,
    /// Where a listener waits; none where the answer can only be pasted.
    pub(crate) redirect_uri: Option<Url>,
    /// The port of that listener, which something may stand before.
    pub(crate) listens_on: u16,
    /// A browser is about to be opened here.
    pub(crate) opens: bool,
    /// What is typed here is read.
    pub(crate) prompts: bool,
    /// The server lets people sign in on another device.
    pub(crate) offers_device: bool,
    pub(crate) flags: Flags,
}

/// Which flags the hints may name beside those that every command with a browser has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flags {
    None,
    /// Those of `oauth authorize`.
    All,
    /// The same without `--redirect-host`, which cannot be given beside `--redirect-uri`.
    AllButRedirectHost,
}

impl Flags {
    /// What may be added to these.
    pub(crate) const fn beside(redirect: &RedirectFlags) -> Self {
        if redirect.redirect_uri.is_some() { Self::AllButRedirectHost } else { Self::All }
    }
}

impl Situation {
    /// How to sign in, the ways that work from where the person is first. The address is there always: an opener that
    /// reports success may have opened nothing.
    pub(crate) fn instructions(&self, url: &dyn std::fmt::Display) -> String {
        let elsewhere = self.surroundings.browser_is_elsewhere();
        let mut text = String::from(match (&self.redirect_uri, elsewhere, self.opens) {
            (None, ..) | (_, true, _) => "Open this address in a browser:",
            (_, false, true) => {
                "Sign in in the browser that opens. If none does, open this address on this machine:"
            }
            (_, false, false) => "Open this address in a browser on this machine:",
        });
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n\n    {url}\n");
        match &self.redirect_uri {
            None => text.push_str(
                "Sign in there. The last page may not load: paste its address here, or the code that it shows, and press Enter.\n",
            ),
            Some(redirect_uri) if elsewhere => self.how_to_come_back(redirect_uri, &mut text),
            Some(_) => {}
        }
        if self.prompts && self.redirect_uri.is_some() {
            text.push_str(
                "Or sign in anywhere, paste here the address that the browser ends at, or the code, and press Enter.\n",
            );
        }
        if elsewhere && self.offers_device {
            text.push_str("Or sign in on another device: run it again with --device.\n");
        }
        text
    }

    fn how_to_come_back(&self, redirect_uri: &Url, text: &mut String) {
        let port = redirect_uri.port_or_known_default().unwrap_or_default();
        if let Some(tunnel) = self.surroundings.tunnel(redirect_uri, self.listens_on) {
            let _ = writeln!(
                text,
                "If that browser is on another machine, it comes back here once this runs there:\n\n    {tunnel}\n"
            );
        } else if self.surroundings.workspace {
            let _ = writeln!(
                text,
                "It comes back here once port {} is forwarded to its machine, as {port}.",
                self.listens_on
            );
        } else if self.surroundings.container {
            let _ = writeln!(
                text,
                "It comes back into a container once its port is published: give one, and --listen 0.0.0.0:PORT."
            );
        }
    }

    /// What may keep the answer away: said once, when it takes long.
    pub(crate) fn late(&self) -> String {
        let mut text = String::from("No answer yet. If");
        let mut cause = |what: &str, cure: &str| {
            let _ = write!(text, "\n  {what}: {cure}");
        };
        cause("the tab was closed", "open the address above again");
        cause(
            "it signs in somebody else",
            match self.flags {
                Flags::None => "sign out there",
                _ => "sign out there, or run it again with --prompt select_account",
            },
        );
        if let Some(redirect_uri) = &self.redirect_uri {
            cause(
                "nothing happens when you agree",
                "the server's page blocks the way back; try another browser, or --paste",
            );
            if redirect_uri.scheme() == "http" {
                cause(
                    "the browser made https:// of the last address",
                    match self.flags {
                        Flags::All => "run it again with --redirect-host 127.0.0.1, or with --paste",
                        _ => "run it again with --paste",
                    },
                );
            }
            if redirect_uri.host_str() != Some("localhost") && self.flags == Flags::All {
                cause("the server rejects the redirect URI", "run it again with --redirect-host localhost");
            }
            cause("the browser is on another machine", "run it again with --paste");
        }
        if self.offers_device {
            cause("there is no browser at all", "run it again with --device");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn situation(variables: &[(&str, &str)]) -> Situation {
        let variable = |name: &str| {
            variables.iter().find(|(found, _)| *found == name).map(|(_, value)| OsString::from(value))
        };
        Situation {
            surroundings: Surroundings::detect(variable, |_| false),
            redirect_uri: Some(Url::parse("http://127.0.0.1:4321/callback").unwrap()),
            listens_on: 4321,
            opens: true,
            prompts: true,
            offers_device: true,
            flags: Flags::All,
        }
    }

    const SSH: (&str, &str) = ("SSH_CONNECTION", "198.51.100.7 50000 192.0.2.1 22");

    #[test]
    fn lb_33_on_a_desktop_the_browser_comes_first_and_over_ssh_the_tunnel() {
        let address = "https://as.example/authorize";
        let desktop = situation(&[("DISPLAY", ":0")]).instructions(&address);
        assert!(desktop.starts_with("Sign in in the browser that opens"), "{desktop}");
        assert!(!desktop.contains("ssh -L") && !desktop.contains("--device"), "{desktop}");
        let over_ssh = situation(&[SSH, ("USER", "ada")]).instructions(&address);
        assert!(over_ssh.contains("\n    ssh -L 4321:127.0.0.1:4321 ada@192.0.2.1\n"), "{over_ssh}");
        assert!(over_ssh.find("ssh -L") < over_ssh.find("--device"), "{over_ssh}");
        let workspace = situation(&[("CODESPACES", "true")]).instructions(&address);
        assert!(workspace.contains("port 4321 is forwarded"), "{workspace}");
        for text in [desktop, over_ssh, workspace] {
            assert!(
                text.contains("\n    https://as.example/authorize\n") && text.contains("paste here"),
                "{text}"
            );
        }
        let pasted = Situation { redirect_uri: None, ..situation(&[SSH]) }.instructions(&address);
        assert!(!pasted.contains("ssh -L") && pasted.contains("paste its address here"), "{pasted}");
    }

    #[test]
    fn the_hints_name_the_cures_that_apply() {
        let all = situation(&[]).late();
        for hint in
            ["tab was closed", "LB-29", "https://", "select_account", "--paste", "--device", "localhost"]
        {
            let hint = hint.replace("LB-29", "nothing happens when you agree");
            assert!(all.contains(&hint), "{hint} in {all}");
        }
        let pasted = Situation { redirect_uri: None, offers_device: false, ..situation(&[]) }.late();
        assert!(!pasted.contains("--device") && !pasted.contains("--paste"), "{pasted}");
        let demo = Situation { flags: Flags::None, ..situation(&[]) }.late();
        assert!(!demo.contains("--prompt") && !demo.contains("--redirect-host"), "{demo}");
        let registered = Situation { flags: Flags::AllButRedirectHost, ..situation(&[]) }.late();
        assert!(registered.contains("--prompt") && !registered.contains("--redirect-host"), "{registered}");
        let localhost = Some(Url::parse("http://localhost:1/").unwrap());
        let localhost = Situation { redirect_uri: localhost, ..situation(&[]) }.late();
        assert!(!localhost.contains("--redirect-host localhost"), "{localhost}");
    }
}
