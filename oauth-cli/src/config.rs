//! `oauth config` and `oauth profile`: the settings by name, and the file that keeps them.

use crate::args::{ConfigCommand, ListOutput, ProfileCommand, ProfileFlags};
use crate::exit::Problem;
use crate::profile::{Profiles, component, setting, without_effect, written};
use crate::report::Report;
use crate::secret_file;
use oauth::OAuth;
use oauth::component::{ComponentError, ConfigSetting};
use serde_json::json;
use std::path::Path;
use toml_edit::Value;
use zeroize::Zeroizing;

/// In the place of a secret.
const HIDDEN: &str = "[hidden]";

/// Runs `oauth config` and returns what it prints.
pub(crate) fn run(command: &ConfigCommand, report: &Report) -> Result<Zeroizing<String>, Problem> {
    match command {
        ConfigCommand::List { of, output, show_secrets } => list(of, *output, *show_secrets),
        ConfigCommand::Get { name, of, show_secrets } => get(name, of, *show_secrets),
        ConfigCommand::Set { setting, of } => set(setting, of, report),
    }
}

/// Runs `oauth profile` and returns what it prints.
pub(crate) fn profile(command: &ProfileCommand) -> Result<Zeroizing<String>, Problem> {
    Ok(Zeroizing::new(match command {
        ProfileCommand::Path(file) => Profiles::open(file.config.as_deref())?.path()?.display().to_string(),
        ProfileCommand::List(file) => {
            let profiles = Profiles::open(file.config.as_deref())?;
            let star = |name: &str| if profiles.default() == Some(name) { '*' } else { ' ' };
            let lines: Vec<_> = profiles.names().map(|name| format!("{} {name}", star(name))).collect();
            if lines.is_empty() {
                return Err(Problem::configuration(
                    "there is no profile yet",
                    "write one into the file that `oauth profile path` tells, or begin one with `oauth config set --profile NAME`",
                ));
            }
            lines.join("\n")
        }
        ProfileCommand::Show { name, file } => {
            let profiles = Profiles::open(file.config.as_deref())?;
            let profile = profiles.choose(name.as_deref())?.ok_or_else(nothing_named)?;
            profile.shown().trim().to_owned()
        }
    }))
}

fn nothing_named() -> Problem {
    Problem::configuration(
        "no profile was named, and there is no default one",
        "name one, or write default = \"NAME\" into the file that `oauth profile path` tells",
    )
}

/// The settings as the profile has them.
fn of(flags: &ProfileFlags) -> Result<OAuth, Problem> {
    let profiles = Profiles::open(flags.file.config.as_deref())?;
    component(profiles.choose(flags.profile.as_deref())?.as_ref())
}

fn list(flags: &ProfileFlags, output: ListOutput, show_secrets: bool) -> Result<Zeroizing<String>, Problem> {
    let oauth = of(flags)?;
    let rows: Vec<_> =
        ConfigSetting::all().map(|setting| (setting, shown(&oauth, setting, show_secrets))).collect();
    Ok(Zeroizing::new(match output {
        ListOutput::Json => {
            let row = |(setting, value): &(&ConfigSetting, Zeroizing<String>)| {
                json!({
                    "name": setting.name(),
                    "value": value.as_str(),
                    "default": setting.default(),
                    "form": setting.form(),
                    "unit": setting.unit(),
                    "about": setting.about(),
                    "danger": setting.danger(),
                    "indexed": setting.is_indexed(),
                    "action": setting.is_action(),
                    "read_only": setting.is_read_only(),
                    "secret": setting.is_secret(),
                    "for_the_command": !setting.is_read_only() && without_effect(setting).is_none(),
                })
            };
            serde_json::Value::Array(rows.iter().map(row).collect()).to_string()
        }
        ListOutput::Text => {
            let name = |setting: &ConfigSetting| {
                format!("{}{}", setting.name(), if setting.is_indexed() { "[i]" } else { "" })
            };
            let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
            let names = widest(&mut rows.iter().map(|(setting, _)| name(setting).chars().count()));
            let values = widest(&mut rows.iter().map(|(_, value)| value.chars().count()));
            let line = |(setting, value): &(&ConfigSetting, Zeroizing<String>)| {
                format!("{:names$}  {:values$}  {}", name(setting), value.as_str(), setting.form())
            };
            rows.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    }))
}

/// A value on one line; nothing for lists and actions.
fn shown(oauth: &OAuth, setting: &ConfigSetting, show_secrets: bool) -> Zeroizing<String> {
    Zeroizing::new(match oauth.config(setting.name()) {
        Ok(value) if value.is_secret() && !show_secrets && !value.as_str().is_empty() => HIDDEN.to_owned(),
        Ok(value) => value.as_str().escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""),
        Err(_) => String::new(),
    })
}

fn get(name: &str, flags: &ProfileFlags, show_secrets: bool) -> Result<Zeroizing<String>, Problem> {
    if let Some((name, _)) = name.split_once('=') {
        return Err(Problem::usage("`get` takes a name alone", format_args!("oauth config get {name}")));
    }
    let value = of(flags)?.config(name).map_err(|error| wrong(&error))?;
    if value.is_secret() && !show_secrets && !value.as_str().is_empty() {
        return Err(Problem::usage(
            format_args!("{name} is a secret"),
            "add --show-secrets to print it all the same",
        ));
    }
    Ok(Zeroizing::new(value.as_str().to_owned()))
}

fn set(text: &str, flags: &ProfileFlags, report: &Report) -> Result<Zeroizing<String>, Problem> {
    let (name, given) = match text.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value)),
        None => (text.trim(), None),
    };
    let setting = setting(name).map_err(|error| wrong(&error))?;
    if setting.is_action() {
        return Err(Problem::usage(
            format_args!("{} is an action, and no value to keep", setting.name()),
            "leave it out of profiles: it is for programs that use the library",
        ));
    }
    let value = match given {
        Some(value) => {
            if setting.is_secret() {
                report.note("warning: a secret on the command line can be seen by everybody on this machine; give the name alone, and the secret on standard input");
            }
            Zeroizing::new(value.to_owned())
        }
        None if setting.is_secret() => secret_file::read_text(Path::new("-"))?,
        None => {
            let next = format!("oauth config set {name}=VALUE; it takes {}", setting.form());
            return Err(Problem::usage("there is no value", next));
        }
    };
    let open = || Profiles::open(flags.file.config.as_deref());
    // Of two that write at once, one would lose what the other wrote.
    let _lock = crate::runtime()?.block_on(open()?.lock())?;
    let mut profiles = open()?;
    let named = flags.profile.as_deref().or_else(|| profiles.default()).map(str::to_owned);
    let named = named.ok_or_else(nothing_named)?;
    // What the profile says already may be a condition.
    let before = profiles.named(&named).ok();
    let oauth = component(before.as_ref())?;
    let read_back = oauth.config(&format!("{name}={}", *value)).map_err(|error| wrong(&error))?;
    let value =
        if setting.is_secret() { Value::from(value.as_str()) } else { typed(&value, read_back.as_str()) };
    // A member of a list has its index in its key.
    let key = written(setting, name);
    profiles.set(&named, &key, value)?;
    profiles.save()?;
    let of_network = oauth.network_warnings();
    let of_this =
        of_network.iter().find(|(warned, _)| warned.name() == setting.name()).map(|(_, warning)| *warning);
    if let Some(warning) = of_this.or_else(|| setting.danger_of(read_back.as_str())) {
        report.note(format_args!("warning: {}: {warning}", setting.name()));
    }
    if let Some(why) = without_effect(setting) {
        report.note(format_args!("note: {} {why}", setting.name()));
    }
    Ok(Zeroizing::new(format!("{key} is set in profile {named} of {}", profiles.path()?.display())))
}

/// A value as TOML has it: `true` and numbers are no texts there. It is what was given, since what is read back of 0 or of
/// nothing may be the default of today; only a switch has several spellings.
fn typed(given: &str, read_back: &str) -> Value {
    match (read_back.parse::<bool>(), given.parse::<i64>()) {
        (Ok(on), _) => on.into(),
        (_, Ok(number)) if number.to_string() == given => number.into(),
        _ => given.into(),
    }
}

fn wrong(error: &ComponentError) -> Problem {
    Problem::usage(error, "`oauth config list` shows every setting with what it takes")
}
