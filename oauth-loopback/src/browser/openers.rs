//! The browser that the system calls the default, on Linux and the BSDs: their desktops agree on no single opener, so each
//! that is common has its turn.

use super::LaunchError;
use super::command::CommandLine;
use super::surroundings::Surroundings;
use url::Url;

/// What is said of it where a command has to be named.
pub(super) const COMMAND: &str = "xdg-open %s";

/// `xdg-open` goes by this list where it knows no desktop; its own ends in browsers that want a terminal.
const GRAPHICAL: &str = "x-www-browser:firefox:chromium:chromium-browser:google-chrome:microsoft-edge";

/// In the order in which they are tried. In WSL the window opens on the Windows side, by the openers there that take a URL
/// whole.
pub(super) fn openers(surroundings: &Surroundings) -> Vec<&'static str> {
    let windows = ["wslview %s", "rundll32.exe url.dll,FileProtocolHandler %s"];
    let ours = [COMMAND, "gio open %s", "kde-open %s", "exo-open %s", "x-www-browser %s"];
    let windows = if surroundings.wsl { &windows[..] } else { &[] };
    windows.iter().chain(&ours).copied().collect()
}

pub(super) fn launch(url: &Url) -> Result<(), LaunchError> {
    for template in openers(&Surroundings::from_env()) {
        let Ok(command) = CommandLine::of_environment(template) else { continue };
        if command.run_with(url, &[("BROWSER", GRAPHICAL)]).is_ok() {
            return Ok(());
        }
    }
    Err(LaunchError::NoBrowser)
}
