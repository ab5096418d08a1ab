//! Commands that open a URL: how they are written, which are refused, and how they are started.

use super::LaunchError;
use crate::text;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use url::Url;

/// A command that opens a URL, split into its arguments before the URL is put in: no shell ever reads either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<String>,
    /// Named by the person for this very purpose, and not found in the environment.
    asked: bool,
}

/// What `$BROWSER` holds on machines that one also uses without a screen.
const TEXT_BROWSERS: [&str; 10] =
    ["browsh", "carbonyl", "elinks", "links", "links2", "lynx", "netrik", "retawq", "w3m", "www-browser"];

/// They hand what follows an `&` to somebody else, or drop it.
const CUT_URLS: [&str; 3] = ["cmd", "command.com", "explorer"];

impl CommandLine {
    /// Splits at blanks, but not within `"…"` or `'…'`; a backslash means itself. `%s` stands for the URL, `%%` for `%`;
    /// without a `%s` the URL becomes the last argument.
    ///
    /// A text browser (lynx, w3m and the like) that is named here gets the terminal; one that `$BROWSER` names is refused.
    ///
    /// # Errors
    /// There is no command, a quote is not closed, or the program is known to cut URLs.
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
        let Some(program) = words.first().filter(|program| !program.is_empty()) else {
            return Err(CommandLineError::Empty);
        };
        if CUT_URLS.contains(&name(Path::new(program)).as_str()) {
            return Err(CommandLineError::CutsUrls);
        }
        Ok(Self { words, asked: true })
    }

    /// The same of the environment, which says what is convenient elsewhere, and not what is wanted here.
    pub(super) fn of_environment(template: &str) -> Result<Self, CommandLineError> {
        Self::parse(template).map(|command| Self { asked: false, ..command })
    }

    /// Whether it runs in the terminal, which nothing else should use until it has ended.
    #[must_use]
    pub fn is_text_browser(&self) -> bool {
        let program = Path::new(self.program());
        let is_text = |path: &Path| TEXT_BROWSERS.contains(&name(path).as_str());
        // `x-www-browser` is a link to whichever browser there is.
        is_text(program) || found(program).is_some_and(|path| is_text(&path))
    }

    pub(super) fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    pub(super) fn arguments(&self, url: &Url) -> Vec<OsString> {
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

    /// Runs the command to its end.
    pub(super) fn run(&self, url: &Url) -> Result<(), LaunchError> {
        self.run_with(url, &[])
    }

    /// The same with more in its environment.
    pub(super) fn run_with(&self, url: &Url, environment: &[(&str, &str)]) -> Result<(), LaunchError> {
        let program = || text::for_terminal(self.program());
        let mut command = Command::new(self.program());
        command.args(self.arguments(url)).envs(environment.iter().copied());
        // What is meant for this program, a client's secret among it, is no business of a browser.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OAUTH_"))
        {
            command.env_remove(name);
        }
        let prepared = match self.is_text_browser() {
            false => {
                in_the_background(&mut command);
                Ok(())
            }
            true if self.asked => in_the_terminal(&mut command),
            true => return Err(LaunchError::TextBrowser { program: program() }),
        };
        match prepared.and_then(|()| command.spawn()).and_then(|mut child| child.wait()) {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(LaunchError::Exit { program: program(), status }),
            Err(source) => Err(LaunchError::Start { program: program(), source }),
        }
    }
}

/// As [`CommandLine::parse`] reads it.
impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.words.iter().enumerate() {
            let quote = match word {
                word if word.contains('"') => "'",
                word if word.is_empty() || word.contains(|c: char| c.is_whitespace() || c == '\'') => "\"",
                _ => "",
            };
            let blank = if at == 0 { "" } else { " " };
            write!(f, "{blank}{quote}{word}{quote}")?;
        }
        Ok(())
    }
}

/// Its noise must not get between what a program prints for the next one, and it reads nothing that is meant for us.
fn in_the_background(command: &mut Command) {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A Ctrl-C is for the program, and not for the browser that it opened.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
}

/// The terminal itself, for our own output may go elsewhere.
#[cfg(unix)]
fn in_the_terminal(command: &mut Command) -> std::io::Result<()> {
    let terminal = std::fs::File::options().read(true).write(true).open("/dev/tty")?;
    command.stdin(terminal.try_clone()?).stdout(terminal.try_clone()?).stderr(terminal);
    Ok(())
}

#[cfg(not(unix))]
fn in_the_terminal(_: &mut Command) -> std::io::Result<()> {
    Err(std::io::Error::new(
        std::io::ErrorKind::Unsupported,
        "a text browser cannot be given the terminal on this system",
    ))
}

/// What a program is called, without its folder and the ending that some systems put behind it.
fn name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    // A Windows path is no path elsewhere, and may be named elsewhere: in WSL.
    let name = name.rsplit('\\').next().unwrap_or_default();
    name.strip_suffix(".exe").unwrap_or(name).to_owned()
}

/// The file that the system would start, links followed.
fn found(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.canonicalize().ok();
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find_map(|folder| folder.join(program).canonicalize().ok())
}

/// The commands of `$BROWSER`, which has `:` between them, on Windows `;`.
pub(super) fn of_value(value: &OsStr) -> Result<Vec<CommandLine>, CommandLineError> {
    let value = value.to_str().ok_or(CommandLineError::NotUtf8)?;
    let separator = if cfg!(windows) { ';' } else { ':' };
    let templates = value.split(separator).filter(|template| !template.trim().is_empty());
    templates.map(CommandLine::of_environment).collect()
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
    /// The program ends a URL at its first `&`: a command interpreter, or the Windows Explorer.
    CutsUrls,
}

impl fmt::Display for CommandLineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the browser command names no program: give one, such as firefox %s",
            Self::OpenQuote => "the browser command has a quote that is not closed: close it",
            Self::NotUtf8 => "the browser command is not UTF-8: give it in plain characters",
            Self::CutsUrls => {
                "the browser command would cut the address at its first &: name the browser itself, \
                 or rundll32.exe url.dll,FileProtocolHandler %s"
            }
        })
    }
}

impl std::error::Error for CommandLineError {}
