//! Sends the person to the authorization server: opens a browser, and never waits for it for long.
//!
//! A launch is best effort, and so is every guess of where a program runs ([`Surroundings`]). Openers hang, fail, or say
//! that they succeeded and did nothing, so **print the URL whatever comes of it**: [`Opening::url`] is there for that.

mod command;
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
mod openers;
#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
mod service;
mod surroundings;

#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
use openers as system;
#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
use service as system;

pub use command::{CommandLine, CommandLineError};
pub use surroundings::Surroundings;

use crate::promise::Promise;
use crate::text;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;
use url::{Host, Url};

/// How long an opener may take before it is taken to be a browser that stays in the foreground.
pub const OPENER_TIME: Duration = Duration::from_secs(3);

/// Opens the URL on a thread of its own, and returns at once.
///
/// A command does not get the variables of this process that begin with `OAUTH_`: there may be secrets among them.
///
/// Bind the [`Listener`](crate::Listener) first: a browser with a session comes back faster than one thinks.
///
/// # Errors
/// The URL must not be given to a browser: it is neither `https`, nor `http` on this machine. Do not print it either.
pub fn open(url: &Url, browser: &Browser) -> Result<Opening, RefusedUrl> {
    open_within(url, browser, OPENER_TIME)
}

/// As [`open`], with another time than [`OPENER_TIME`] for the opener.
///
/// # Errors
/// As [`open`].
pub fn open_within(url: &Url, browser: &Browser, time: Duration) -> Result<Opening, RefusedUrl> {
    check(url)?;
    let launch = Promise::new();
    let opening = Opening { url: url.clone(), time, launch: launch.clone() };
    let (url, browser) = (url.clone(), browser.clone());
    let told = launch.clone();
    let started = thread::Builder::new().name("oauth-browser".to_owned()).spawn(move || {
        let (sender, receiver) = mpsc::channel();
        // It stays with an opener that does not end, and takes its exit status in the end.
        let worker = thread::Builder::new().name("oauth-opener".to_owned()).spawn(move || {
            // Nobody listens any more where the opener took too long.
            let _ = sender.send(browser.launch(&url));
        });
        told.keep(match worker {
            Err(error) => Launch::Failed(LaunchError::Thread(error)),
            Ok(_) => match receiver.recv_timeout(time) {
                Ok(Ok(())) => Launch::Opened,
                Ok(Err(error)) => Launch::Failed(error),
                Err(mpsc::RecvTimeoutError::Timeout) => Launch::StillRunning,
                Err(mpsc::RecvTimeoutError::Disconnected) => Launch::Failed(LaunchError::NoBrowser),
            },
        });
    });
    if let Err(error) = started {
        launch.keep(Launch::Failed(LaunchError::Thread(error)));
    }
    Ok(opening)
}

/// Which browser to open.
///
/// Its `Display` is the command, as a person would write it: what [`command`](Self::command) reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Browser {
    /// What `$BROWSER` says, and where it says nothing, or nothing of use, the one that the system calls the default.
    #[default]
    System,
    /// These commands, one after the other until one succeeds.
    Commands(Vec<CommandLine>),
}

impl Browser {
    /// A single command: `firefox -P work %s`, say. A text browser that is named here gets the terminal.
    ///
    /// # Errors
    /// See [`CommandLine::parse`].
    pub fn command(template: &str) -> Result<Self, CommandLineError> {
        Ok(Self::Commands(vec![CommandLine::parse(template)?]))
    }

    /// What `$BROWSER` says: commands with `:` between them, on Windows `;`. The system's browser where it says nothing.
    ///
    /// A text browser there is refused when its turn comes: the variable is set for programs of all kinds, and this one
    /// needs its terminal.
    ///
    /// # Errors
    /// See [`CommandLine::parse`].
    pub fn from_env() -> Result<Self, CommandLineError> {
        Self::from_value(std::env::var_os("BROWSER").as_deref())
    }

    fn from_value(value: Option<&OsStr>) -> Result<Self, CommandLineError> {
        let commands = value.map(command::of_value).transpose()?.unwrap_or_default();
        Ok(if commands.is_empty() { Self::System } else { Self::Commands(commands) })
    }

    /// Whether it runs in the terminal, which nothing else should use until it has ended.
    #[must_use]
    pub fn is_text_browser(&self) -> bool {
        matches!(self, Self::Commands(commands) if commands.first().is_some_and(CommandLine::is_text_browser))
    }

    fn launch(&self, url: &Url) -> Result<(), LaunchError> {
        let of_environment;
        let commands = match self {
            Self::Commands(commands) => commands,
            Self::System => match Self::from_env() {
                Ok(Self::Commands(commands)) => {
                    of_environment = commands;
                    &of_environment
                }
                Ok(Self::System) => return system::launch(url),
                // Set for programs of all kinds, it is not what a login fails by.
                Err(error) => return system::launch(url).map_err(|_| LaunchError::Command(error)),
            },
        };
        let mut failed = LaunchError::NoBrowser;
        for command in commands {
            match command.run(url) {
                Ok(()) => return Ok(()),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Commands(commands) = self else { return f.write_str(system::COMMAND) };
        for (at, command) in commands.iter().enumerate() {
            write!(f, "{}{command}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

/// A browser on its way: a future of its [`Launch`], or [`wait`](Self::wait) for it. Dropping it changes nothing.
#[must_use = "print its url(): no launch is certain"]
pub struct Opening {
    url: Url,
    time: Duration,
    launch: Promise<Launch>,
}

impl Opening {
    /// The URL that is being opened: print it, with or without a browser.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Blocks until the opener ended or has had its time.
    #[must_use]
    pub fn wait(self) -> Launch {
        // A little longer than the opener has, so that its own end comes first.
        self.launch.wait(self.time.saturating_add(OPENER_TIME)).unwrap_or(Launch::StillRunning)
    }
}

impl Future for Opening {
    type Output = Launch;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Launch> {
        self.launch.poll(cx)
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL holds a state.
        f.debug_struct("Opening").finish_non_exhaustive()
    }
}

/// What came of a launch, as far as anybody can tell.
#[derive(Debug)]
#[non_exhaustive]
pub enum Launch {
    /// The opener says that it did its work.
    Opened,
    /// The opener has not ended, as a browser in the foreground does: taken as opened.
    StillRunning,
    /// No browser was opened.
    Failed(LaunchError),
}

impl fmt::Display for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened => f.write_str("a browser was opened; if none shows up, open the address yourself"),
            Self::StillRunning => {
                f.write_str("a browser is starting; if none shows up, open the address yourself")
            }
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

/// Why no browser was opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum LaunchError {
    /// The system knows of none.
    NoBrowser,
    /// `$BROWSER` holds something that is no command, and the system knows of no browser.
    Command(CommandLineError),
    /// `$BROWSER` names a browser that would take the terminal over. Named by [`Browser::command`] it may have it.
    TextBrowser {
        /// The program that was named.
        program: String,
    },
    /// The command could not be started.
    Start {
        /// The program that was named.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// The command ended with a failure.
    Exit {
        /// The program that was named.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// There is no thread left to open it on.
    Thread(io::Error),
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBrowser => f.write_str("no browser was found on this machine")?,
            Self::Command(error) => write!(f, "$BROWSER cannot be used: {error}")?,
            Self::TextBrowser { program } => {
                write!(
                    f,
                    "$BROWSER names {program}, which would take this terminal over, so it was left alone"
                )?;
            }
            Self::Start { program, source } => {
                write!(f, "the browser command {program} cannot be started: {source}")?
            }
            Self::Exit { program, status } => write!(f, "the browser command {program} failed: {status}")?,
            Self::Thread(error) => write!(f, "no browser can be opened: {error}")?,
        }
        f.write_str("; open the address yourself")
    }
}

impl std::error::Error for LaunchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Start { source, .. } | Self::Thread(source) => Some(source),
            Self::Command(error) => Some(error),
            Self::NoBrowser | Self::TextBrowser { .. } | Self::Exit { .. } => None,
        }
    }
}

/// The URL must not be given to a browser: it may run a program, read a file, or travel in the open.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedUrl {
    /// The scheme of the URL.
    pub scheme: String,
}

impl fmt::Display for RefusedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the sign-in address starts with {}: and not with https:, so no browser is sent there; ",
            self.scheme
        )?;
        f.write_str("correct the server's authorization endpoint")
    }
}

impl std::error::Error for RefusedUrl {}

/// `https`, or `http` where it does not leave the machine.
fn check(url: &Url) -> Result<(), RefusedUrl> {
    let stays_here = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if stays_here => Ok(()),
        scheme => Err(RefusedUrl { scheme: text::for_terminal(scheme) }),
    }
}

#[cfg(test)]
mod tests;
