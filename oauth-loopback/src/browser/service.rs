//! The browser that the system calls the default, where the system has one way to open it.

use super::LaunchError;
use url::Url;

/// What is said of it where a command has to be named.
pub(super) const COMMAND: &str =
    if cfg!(windows) { "rundll32.exe url.dll,FileProtocolHandler %s" } else { "open %s" };

pub(super) fn launch(url: &Url) -> Result<(), LaunchError> {
    let mut options = webbrowser::BrowserOptions::new();
    options.with_suppress_output(true);
    webbrowser::open_browser_with_options(webbrowser::Browser::Default, url.as_str(), &options)
        .map_err(|_| LaunchError::NoBrowser)
}
