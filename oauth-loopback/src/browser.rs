//! Sends the person to the authorization server: opens a browser, and never waits for it for long.
//!
//! A launch is best effort. Openers hang, fail, or say that they succeeded and did nothing, so **print the URL whatever
//! comes of it**: [`Opening::url`] is there for that.

use crate::promise::Promise;
use crate::text;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;
use url::{Host, Url};

/// How long an opener may take before it is taken to be a browser that stays in the foreground.
pub const OPENER_TIME: Duration = Duration::from_secs(3);

/// Opens the URL on a thread of its own, and returns at once.
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
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Browser {
    /// The one that the system calls the default. On Unix, `$BROWSER` counts there as well.
    #[default]
    System,
    /// These commands, one after the other until one succeeds.
    Commands(Vec<CommandLine>),
}

impl Browser {
    /// A single command: `firefox -P work %s`, say.
    ///
    /// # Errors
    /// See [`CommandLine::parse`].
    pub fn command(template: &str) -> Result<Self, CommandLineError> {
        Ok(Self::Commands(vec![CommandLine::parse(template)?]))
    }

    /// What `$BROWSER` says: commands with `:` between them. The system's browser where it says nothing.
    ///
    /// # Errors
    /// See [`CommandLine::parse`].
    pub fn from_env() -> Result<Self, CommandLineError> {
        Self::from_value(std::env::var_os("BROWSER").as_deref())
    }

    fn from_value(value: Option<&OsStr>) -> Result<Self, CommandLineError> {
        let Some(value) = value else { return Ok(Self::System) };
        let value = value.to_str().ok_or(CommandLineError::NotUtf8)?;
        let separator = if cfg!(windows) { ';' } else { ':' };
        let templates = value.split(separator).filter(|template| !template.trim().is_empty());
        let commands = templates.map(CommandLine::parse).collect::<Result<Vec<_>, _>>()?;
        Ok(if commands.is_empty() { Self::System } else { Self::Commands(commands) })
    }

    fn launch(&self, url: &Url) -> Result<(), LaunchError> {
        match self {
            Self::System => {
                let mut options = webbrowser::BrowserOptions::new();
                options.with_suppress_output(true);
                webbrowser::open_browser_with_options(webbrowser::Browser::Default, url.as_str(), &options)
                    .map_err(|_| LaunchError::NoBrowser)
            }
            Self::Commands(commands) => {
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
    }
}

/// A command that opens a URL, split into its arguments before the URL is put in: no shell ever reads either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<String>,
}

impl CommandLine {
    /// Splits at blanks, but not within `"…"` or `'…'`; a backslash means itself. `%s` stands for the URL, `%%` for `%`;
    /// without a `%s` the URL becomes the last argument.
    ///
    /// # Errors
    /// There is no command, or a quote is not closed.
    pub fn parse(template: &str) -> Result<Self, CommandLineError> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut quote = None;
        for c in template.chars() {
            match quote {
                Some(open) if c == open => quote = None,
                Some(_) => word.get_or_insert_default().push(c),
                None if c == '"' || c == '\'' => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                None if c.is_whitespace() => words.extend(word.take()),
                None => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        if quote.is_some() {
            return Err(CommandLineError::OpenQuote);
        }
        if words.first().is_none_or(String::is_empty) {
            return Err(CommandLineError::Empty);
        }
        Ok(Self { words })
    }

    fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    fn arguments(&self, url: &Url) -> Vec<OsString> {
        let mut placed = false;
        let mut arguments: Vec<OsString> = Vec::with_capacity(self.words.len());
        for word in self.words.iter().skip(1) {
            let mut argument = String::new();
            let mut rest = word.as_str();
            // One pass from the left: what the URL holds is never read as a placeholder.
            while let Some(at) = rest.find('%') {
                argument.push_str(&rest[..at]);
                rest = &rest[at + 1..];
                if let Some(after) = rest.strip_prefix('s') {
                    argument.push_str(url.as_str());
                    placed = true;
                    rest = after;
                } else {
                    argument.push('%');
                    rest = rest.strip_prefix('%').unwrap_or(rest);
                }
            }
            argument.push_str(rest);
            arguments.push(argument.into());
        }
        if !placed {
            arguments.push(url.as_str().into());
        }
        arguments
    }

    fn run(&self, url: &Url) -> Result<(), LaunchError> {
        let name = || text::for_terminal(self.program());
        // Its noise must not get between what a program prints for the next one.
        let child = Command::new(self.program())
            .args(self.arguments(url))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match child.and_then(|mut child| child.wait()) {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(LaunchError::Exit { program: name(), status }),
            Err(source) => Err(LaunchError::Start { program: name(), source }),
        }
    }
}

/// Why a text is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandLineError {
    /// It names no program.
    Empty,
    /// A quote is not closed.
    OpenQuote,
    /// It is not UTF-8.
    NotUtf8,
}

impl fmt::Display for CommandLineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the browser command names no program: give one, such as firefox %s",
            Self::OpenQuote => "the browser command has a quote that is not closed: close it",
            Self::NotUtf8 => "the browser command is not UTF-8: give it in plain characters",
        })
    }
}

impl std::error::Error for CommandLineError {}

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
            Self::NoBrowser | Self::Exit { .. } => None,
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
