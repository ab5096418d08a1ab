//! A profile in the place of flags that nobody gave.
//!
//! The command line is read twice: as it is, and with the profile's flags added where neither it nor a variable says anything.
//! So a key means what its flag means, and a value that the flag refuses is refused here.

use super::settings::{self, Settings};
use super::{Profile, Profiles};
use crate::args::{self, Authorize, Cli, Command as Subcommand, Conversation, NEVER};
use crate::exit::{Exit, Problem};
use crate::report::Report;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use oauth::core::ClientSecret;
use std::ffi::OsString;
use std::process::Stdio;
use std::sync::Arc;
use toml_edit::{Item, TableLike, Value};
use zeroize::Zeroizing;

/// What a profile says and no flag can. It shows no secret.
#[derive(Clone, Debug, Default)]
pub(crate) struct FromProfile {
    pub(crate) secret: Option<Secret>,
    /// The settings, where there are some.
    pub(crate) settings: Option<Arc<Settings>>,
    /// Whether the flag `--proxy` is the profile's: nobody saw that on a command line.
    pub(crate) proxy: bool,
}

/// The client's secret, or where it comes from.
#[derive(Clone, Debug)]
pub(crate) enum Secret {
    Text(ClientSecret),
    Command(String),
}

impl Secret {
    /// The secret; runs the command that prints it.
    pub(crate) fn read(&self) -> Result<ClientSecret, Problem> {
        let command = match self {
            Self::Text(secret) => return Ok(secret.clone()),
            Self::Command(command) => command,
        };
        let problem = |what: &dyn std::fmt::Display| {
            Problem::configuration(
                format_args!("the command of client_secret_cmd {what}"),
                "run it by hand: it has to print the secret on standard output, on one line",
            )
        };
        let (shell, switch) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let mut child = std::process::Command::new(shell);
        child.arg(switch).arg(command).stderr(Stdio::inherit());
        let output = child.output().map_err(|error| problem(&format_args!("could not be run: {error}")))?;
        if !output.status.success() {
            return Err(problem(&format_args!("failed: {}", output.status)));
        }
        let text = Zeroizing::new(output.stdout);
        let text = std::str::from_utf8(&text).map_err(|_| problem(&"printed no text"))?;
        match text.lines().next() {
            None | Some("") => Err(problem(&"printed nothing")),
            Some(line) => Ok(ClientSecret::new(line)),
        }
    }
}

/// The command line with the profile that it names, or else the default one, where it names no server.
pub(crate) fn apply(cli: Cli, matches: &ArgMatches, report: &Report) -> Result<Cli, Problem> {
    let Some(args) = authorize(&cli) else { return Ok(cli) };
    let named = args.issuer.as_deref().filter(|name| is_name(name));
    let Some((_, matches)) = matches.subcommand() else { return Ok(cli) };
    let is_typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    if args.issuer.is_some() && named.is_none() && is_typed("issuer_flag") {
        return Err(Problem::usage("the issuer is given twice", "leave out --issuer"));
    }
    // What another server is told is none of the default profile's business, its secret least of all.
    if named.is_none() && (args.demo || args.names_a_server()) {
        return Ok(cli);
    }
    let profiles = Profiles::open(args.file.config.as_deref())?;
    let Some(profile) = profiles.choose(named)? else { return Ok(cli) };
    let read =
        Reader { profile: &profile, command: Authorize::augment_args(Command::new("authorize")), matches };
    read.refuse_strays()?;
    let (flags, from_profile) = read.read(report)?;
    let mut line: Vec<OsString> = std::env::args_os().collect();
    // After `--` there are no flags.
    let end = line.iter().position(|word| word == "--").unwrap_or(line.len());
    drop(line.splice(end..end, flags));
    let again =
        args::command(&line).try_get_matches_from(line).and_then(|matches| Cli::from_arg_matches(&matches));
    let mut cli = again.map_err(|error| profile.refused(&error))?;
    if let Some(args) = authorize_mut(&mut cli) {
        args.issuer = None;
        args.profile = from_profile;
    }
    Ok(cli)
}

/// A name, and no address: letters, digits, `-` and `_`.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

const fn authorize(cli: &Cli) -> Option<&Authorize> {
    match &cli.command {
        Subcommand::Conversation(Conversation::Authorize(args) | Conversation::Token(args)) => Some(args),
        _ => None,
    }
}

const fn authorize_mut(cli: &mut Cli) -> Option<&mut Authorize> {
    match &mut cli.command {
        Subcommand::Conversation(Conversation::Authorize(args) | Conversation::Token(args)) => Some(args),
        _ => None,
    }
}

/// Flags that are no keys: what is chosen for one run alone, or does nothing.
const NO_KEYS: [&str; 3] = ["config", "demo", "pkce"];

/// The keys that say where secrets are sent.
const SERVER: [&str; 4] =
    ["issuer", "authorization_endpoint", "token_endpoint", "device_authorization_endpoint"];

struct Reader<'a> {
    profile: &'a Profile<'a>,
    /// The flags of `authorize` alone.
    command: Command,
    /// What was given.
    matches: &'a ArgMatches,
}

impl Reader<'_> {
    /// The flags that the profile stands for, and what no flag can say.
    fn read(&self, report: &Report) -> Result<(Vec<OsString>, FromProfile), Problem> {
        let mut flags = Vec::new();
        let mut beside = FromProfile::default();
        let mut secrets = Vec::new();
        for (key, item) in self.profile.table.iter() {
            match key {
                "client_secret" | "client_secret_cmd" => {
                    let text = self.text(key, item)?;
                    secrets.push(key);
                    if !self.is_given("client_secret") && !self.is_given("client_secret_file") {
                        beside.secret = Some(if key == "client_secret" {
                            report.note(format_args!(
                                "warning: {} has a secret in it; prefer client_secret_cmd or client_secret_file",
                                self.profile.path.display()
                            ));
                            Secret::Text(ClientSecret::new(text))
                        } else {
                            Secret::Command(text)
                        });
                    }
                }
                "settings" => {
                    let said = settings::for_the_command(self.profile)?;
                    if !self.is_given("quiet") && !self.is_given("verbose") {
                        report.log_level(said.said("LogLevel").as_deref());
                    }
                    said.tell(self.profile, report);
                    let platform = said.said("UsePlatformHTTPClient").is_some_and(|on| on == "true");
                    if platform && !self.is_given("transport") {
                        flags.push("--transport=isahc".into());
                    }
                    self.add_settings(&said, &mut flags)?;
                    beside.settings = Some(Arc::new(said));
                }
                "auth_params" if !self.is_given("auth_param") => {
                    for (name, value) in self.table(key, item)?.iter() {
                        flags.push(format!("--auth-param={name}={}", self.text(key, value)?).into());
                    }
                }
                "auth_params" => {}
                "browser" if item.as_str() == Some("auto") => {}
                "browser" if item.as_str() == Some("none") => {
                    self.add("no_browser", &Item::Value(true.into()), &mut flags)?;
                }
                "scopes" => self.add("scope", item, &mut flags)?,
                key => {
                    let before = flags.len();
                    self.add(key, item, &mut flags)?;
                    match key {
                        "client_secret_file" => secrets.push(key),
                        "proxy" => beside.proxy = flags.len() > before,
                        _ => {}
                    }
                }
            }
        }
        if let [first, second, ..] = secrets.as_slice() {
            return Err(self.profile.wrong(
                second,
                format_args!("there is {first} already"),
                "leave out one of the two",
            ));
        }
        Ok((flags, beside))
    }

    /// A secret is for one server and one client: a variable that somebody set long ago may not send it to another. A flag
    /// may, and a profile that names no server leaves it to whoever does.
    fn refuse_strays(&self) -> Result<(), Problem> {
        let table = self.profile.table;
        let names_a_server = SERVER.into_iter().any(|key| table.contains_key(key));
        for key in SERVER.into_iter().chain(["client_id"]) {
            let Some(arg) = self.arg(key) else { continue };
            let id = arg.get_id().as_str();
            if self.matches.value_source(id) != Some(ValueSource::EnvVariable) {
                continue;
            }
            let is_stray = match table.get(key).map(|item| item.as_value().and_then(text)) {
                Some(said) => self.matches.get_one(id) != said.as_ref(),
                None => key != "client_id" && names_a_server,
            };
            if is_stray {
                let variable = arg.get_env().unwrap_or_default().display();
                return Err(Problem::configuration(
                    format_args!(
                        "{variable} says another {key} than the profile {}, whose secrets are for that alone",
                        self.profile.name
                    ),
                    format_args!("unset {variable}, or give --{} if that is meant", key.replace('_', "-")),
                ));
            }
        }
        Ok(())
    }

    /// The flags of the settings that have one.
    fn add_settings(&self, said: &Settings, flags: &mut Vec<OsString>) -> Result<(), Problem> {
        for (name, key) in settings::AS_KEYS {
            // Nothing there is the default, and an empty flag is none.
            let Some(value) = said.said(name).filter(|value| !value.is_empty()) else { continue };
            let value =
                if name == "BrowserResponseTimeout" && value == "0" { NEVER.to_owned() } else { value };
            self.refuse_beside(name, key)?;
            self.add(key, &Item::Value(value.into()), flags)?;
        }
        match said.key_name() {
            Some(name) => self.refuse_beside(name, "signing_key"),
            None => Ok(()),
        }
    }

    /// A setting and a key that say the same are one too many.
    fn refuse_beside(&self, setting: &str, key: &str) -> Result<(), Problem> {
        if !self.profile.table.contains_key(key) {
            return Ok(());
        }
        Err(self.profile.wrong(
            setting,
            format_args!("the profile has the key {key} already"),
            "leave out one of the two",
        ))
    }

    /// The flag of a key, once for each of its values, unless it or another in its place was given.
    fn add(&self, key: &str, item: &Item, flags: &mut Vec<OsString>) -> Result<(), Problem> {
        let arg = self.arg(key).ok_or_else(|| self.unknown(key))?;
        let (id, long) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
        let texts = texts(item).ok_or_else(|| {
            self.profile.wrong(
                key,
                "a text, a number, true or false, or a list of them is expected",
                "correct it there",
            )
        })?;
        if self.is_given(id) || self.rivals(arg).any(|rival| self.is_given(rival.get_id().as_str())) {
            return Ok(());
        }
        let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
        for text in texts {
            match (is_switch, text.as_str()) {
                (true, "true") => flags.push(format!("--{long}").into()),
                (true, "false") => {}
                (true, _) => {
                    return Err(self.profile.wrong(key, "true or false is expected", "correct it there"));
                }
                (false, text) => flags.push(format!("--{long}={text}").into()),
            }
        }
        Ok(())
    }

    fn arg(&self, key: &str) -> Option<&Arg> {
        let long = key.replace('_', "-");
        self.command
            .get_arguments()
            .find(|arg| arg.get_long() == Some(&long) && !key.contains('-') && !NO_KEYS.contains(&key))
    }

    /// Those that cannot be given beside it.
    fn rivals<'a>(&'a self, arg: &'a Arg) -> impl Iterator<Item = &'a Arg> {
        let excludes = |one: &Arg, other: &Arg| {
            self.command.get_arg_conflicts_with(one).iter().any(|rival| rival.get_id() == other.get_id())
        };
        self.command.get_arguments().filter(move |other| excludes(arg, other) || excludes(other, arg))
    }

    fn is_given(&self, id: &str) -> bool {
        matches!(self.matches.value_source(id), Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    }

    /// No flag has this name; clap knows which one is like it.
    fn unknown(&self, key: &str) -> Problem {
        let underlined = key.replace('-', "_");
        let long = format!("--{}", key.replace('_', "-"));
        let error = self.command.clone().try_get_matches_from(["authorize", long.as_str()]).err();
        let nearest = error.as_ref().and_then(|error| match error.get(ContextKind::SuggestedArg) {
            Some(ContextValue::String(flag)) => Some(flag.trim_start_matches('-').replace('-', "_")),
            _ => None,
        });
        let nearest = if self.arg(&underlined).is_some() { Some(underlined) } else { nearest };
        let next = match nearest.filter(|key| !NO_KEYS.contains(&key.as_str())) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => "its keys are the flags of `oauth authorize --help`, with _ for -".to_owned(),
        };
        self.profile.wrong(key, "there is no such key", next)
    }

    fn text(&self, key: &str, item: &Item) -> Result<String, Problem> {
        let text = item.as_value().and_then(text);
        text.ok_or_else(|| self.profile.wrong(key, "a text is expected", "correct it there"))
    }

    fn table<'a>(&self, key: &str, item: &'a Item) -> Result<&'a dyn TableLike, Problem> {
        item.as_table_like().ok_or_else(|| {
            let next = format!("write it as [profile.{}.{key}] with a line for each", self.profile.name);
            self.profile.wrong(key, "a table is expected", next)
        })
    }
}

impl Profile<'_> {
    /// Why the flags that it stands for are not taken.
    fn refused(&self, error: &clap::Error) -> Problem {
        let shown = error.to_string();
        let what = shown.lines().next().unwrap_or_default().trim_start_matches("error: ");
        if error.kind() == ErrorKind::ArgumentConflict {
            return Problem::new(
                Exit::Configuration,
                format_args!("with profile {}: {what}", self.name),
                format_args!("leave out one of the two on the command line or in {}", self.path.display()),
            );
        }
        Problem::configuration(
            format_args!("with profile {}: {what}", self.name),
            format_args!("correct it in {}", self.path.display()),
        )
    }
}

/// The texts of a value, or of each in a list.
fn texts(item: &Item) -> Option<Vec<String>> {
    match item.as_value()? {
        Value::Array(array) => array.iter().map(text).collect(),
        value => text(value).map(|text| vec![text]),
    }
}

/// A value as it would be typed.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.value().clone()),
        Value::Integer(number) => Some(number.value().to_string()),
        Value::Boolean(on) => Some(on.value().to_string()),
        _ => None,
    }
}
