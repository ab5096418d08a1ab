//! `[profile.NAME.settings]`: the settings of the component, by their names.

use super::Profile;
use super::apply::text;
use crate::exit::Problem;
use crate::report::Report;
use oauth::OAuth;
use oauth::component::{ComponentError, ConfigGroup, ConfigSetting};
use std::time::Duration;
use toml_edit::Item;

/// A component with the settings of a profile.
pub(crate) fn component(profile: Option<&Profile<'_>>) -> Result<OAuth, Problem> {
    let oauth = OAuth::new();
    if let Some(profile) = profile {
        set(profile, &oauth)?;
    }
    Ok(oauth)
}

/// What a profile sets by the names of the component.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) component: OAuth,
    names: Vec<String>,
    /// The profile, for errors.
    profile: String,
}

impl Settings {
    /// The value of a setting, where the profile has it.
    pub(crate) fn said(&self, name: &str) -> Option<String> {
        let _there = self.names.iter().find(|known| known.eq_ignore_ascii_case(name))?;
        self.component.config(name).ok().map(|value| value.as_str().to_owned())
    }

    /// The same of a number of seconds.
    pub(crate) fn said_seconds(&self, name: &str) -> Option<Duration> {
        self.said(name)?.parse().ok().map(Duration::from_secs)
    }

    /// Notes which of them put something at risk or are done in part, and which have no effect on the command.
    pub(super) fn tell(&self, profile: &Profile<'_>, report: &Report) {
        for (setting, warning) in self.component.network_warnings() {
            report.note(format_args!("warning: {} of profile {}: {warning}", setting.name(), profile.name));
        }
        for setting in self.names.iter().filter_map(|name| setting(name).ok()) {
            if let Some(why) = without_effect(setting) {
                report.note(format_args!("note: {} of profile {} {why}", setting.name(), profile.name));
            }
        }
        // There is no file to add to.
        let _none = self.component.config("Append=false");
    }

    /// The setting that chooses a key that signs, if one does.
    pub(crate) fn key_name(&self) -> Option<&'static str> {
        KEY.into_iter().find(|name| self.said(name).is_some_and(|value| !value.is_empty()))
    }

    /// An address as the settings have it written.
    pub(crate) fn address(&self, name: &'static str, text: &str) -> Result<String, Problem> {
        if self.said("EncodeURL").or_else(|| self.said("UseIDNs")).is_none() {
            return Ok(text.to_owned());
        }
        self.component.address(name, text).map_err(|error| self.wrong(error))
    }

    /// What is wrong with settings may show no earlier than when they are used.
    pub(crate) fn wrong(&self, error: ComponentError) -> Problem {
        Problem::configuration(
            error,
            format_args!("correct it in the profile {}, or its settings", self.profile),
        )
    }
}

/// The same for the command's own requests.
pub(super) fn for_the_command(profile: &Profile<'_>) -> Result<Settings, Problem> {
    let component = OAuth::new();
    // `--http-timeout` is the time for a whole request.
    let _absolute = component.config("AbsoluteTimeout=true");
    let names = set(profile, &component)?;
    Ok(Settings { component, names, profile: profile.name.to_owned() })
}

/// Whether the value of a setting is a secret; what no setting has for a name may be meant for one.
pub(super) fn is_secret(name: &str, value: &Item) -> bool {
    let text = value.as_value().and_then(text).unwrap_or_default();
    setting(name).map_or(true, |setting| setting.is_secret_with(&text))
}

/// The settings that say what a key says as well.
pub(super) const AS_KEYS: [(&str, &str); 5] = [
    ("BrowserResponseTimeout", "timeout"),
    ("JWTAudience", "assertion_audience"),
    ("JWTIssuer", "assertion_issuer"),
    ("JWTSubject", "assertion_subject"),
    ("WebServerHost", "redirect_host"),
];

/// The settings that choose a key that signs.
const KEY: [&str; 3] = ["JWTCertStore", "JWTCertSubject", "JWTJSONKey"];

/// The other settings of the protocol that the command heeds itself.
const HEEDED: [&str; 11] = [
    "CodeChallengeMethod",
    "FormVarCount",
    "FormVarName",
    "FormVarValue",
    "JWTCertStorePassword",
    "JWTCertStoreType",
    "JWTSignatureAlgorithm",
    "JWTValidityTime",
    "PollingInterval",
    "WebServerFailedResponse",
    "WebServerResponse",
];

/// Why a setting has no effect on the command, if it has none: what it is about is not what the command does.
pub(crate) fn without_effect(setting: &ConfigSetting) -> Option<&'static str> {
    let name = setting.name();
    if HEEDED.contains(&name) || KEY.contains(&name) || AS_KEYS.iter().any(|(known, _)| *known == name) {
        return None;
    }
    match name {
        "Append" | "TransferredRequest" => {
            Some("has no effect: the command keeps no responses and no requests")
        }
        "AuthorizationURL" => Some("has no effect: the command makes the address itself"),
        "IncludeEmptyRedirectURI" => Some("has no effect: the command always has a redirect_uri"),
        "ReUseWebServer" => Some("has no effect: the command ends with its one login"),
        "Office365ServiceAPIVersion" | "Office365ServiceCapability" => {
            Some("has no effect: the command looks up no service")
        }
        "TokenInfoURL" => Some("has no effect: the command asks nobody what a token is worth"),
        _ if setting.group() == ConfigGroup::OAuth => Some("has no effect on the command"),
        _ => None,
    }
}

/// The setting that a key names, with or without an index.
pub(crate) fn setting(key: &str) -> Result<&'static ConfigSetting, ComponentError> {
    ConfigSetting::named(key.split('[').next().unwrap_or_default().trim())
}

/// A key as it is written, in whatever case: the name, and for a list the index, as in `FormVarName[0]`. What is no index
/// stays as it is, for the component to refuse.
pub(crate) fn written(setting: &ConfigSetting, key: &str) -> String {
    let Some((_, index)) = key.split_once('[') else { return setting.name().to_owned() };
    let number = index.trim_end().strip_suffix(']').and_then(|digits| digits.trim().parse::<usize>().ok());
    let index = number.map_or_else(|| index.to_owned(), |number| format!("{number}]"));
    format!("{}[{index}", setting.name())
}

/// Sets what the profile says, and tells which names it has.
fn set(profile: &Profile<'_>, oauth: &OAuth) -> Result<Vec<String>, Problem> {
    let Some(settings) = profile.table.get("settings") else { return Ok(Vec::new()) };
    let wrong = |name: &str, what: &dyn std::fmt::Display| profile.wrong(name, what, "correct it there");
    let table = settings.as_table_like().ok_or_else(|| wrong("settings", &"a table is expected"))?;
    let mut entries: Vec<(&str, &Item)> = table.iter().collect();
    // Another scheme empties the name and the password that may stand before it, and a list has its length first.
    let first =
        |name: &str| ["ProxyAuthScheme", "FormVarCount"].iter().any(|it| name.eq_ignore_ascii_case(it));
    entries.sort_by_key(|(name, _)| !first(name));
    let mut names: Vec<String> = Vec::new();
    for (name, item) in entries {
        if name.contains('=') {
            return Err(wrong(name, &"a name has no = in it"));
        }
        let text = item.as_value().and_then(text);
        let text = text.ok_or_else(|| wrong(name, &"a text, a number, true or false is expected"))?;
        let setting = setting(name).map_err(|error| wrong("settings", &error))?;
        if setting.is_action() {
            return Err(wrong(name, &"it is an action, and no value to keep"));
        }
        // Two keys of one setting would be seen as two, and one of them would win.
        let key = written(setting, name);
        if !key.eq_ignore_ascii_case(name) {
            return Err(wrong("settings", &format_args!("{name:?} is written {key:?}")));
        }
        if let Some(other) = names.iter().find(|other| other.eq_ignore_ascii_case(name)) {
            let what = format_args!("{other} is the same setting, and there already");
            return Err(profile.wrong(name, what, "leave out one of the two"));
        }
        let _read_back =
            oauth.config(&format!("{name}={text}")).map_err(|error| wrong("settings", &error))?;
        names.push(name.to_owned());
    }
    Ok(names)
}
