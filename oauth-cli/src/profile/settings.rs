//! `[profile.NAME.settings]`: the settings of the component, by their names.

use super::Profile;
use super::apply::text;
use crate::exit::Problem;
use oauth::OAuth;
use oauth::component::{ConfigGroup, ConfigSetting};
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
}

/// The same for the command's own requests: whatever means nothing to them is an error.
pub(super) fn for_the_command(profile: &Profile<'_>) -> Result<Settings, Problem> {
    let component = OAuth::new();
    // `--http-timeout` is the time for a whole request.
    let _absolute = component.config("AbsoluteTimeout=true");
    let names = set(profile, &component)?;
    for name in &names {
        let setting = setting(name).map_err(|error| profile.wrong("settings", error, "correct it there"))?;
        if let Some(instead) = meaningless(setting) {
            return Err(profile.wrong(name, "this setting means nothing to the command", instead));
        }
    }
    Ok(Settings { component, names })
}

/// Whether a setting is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    setting(name).is_ok_and(ConfigSetting::is_secret)
}

/// The settings that say what a key says as well.
pub(super) const AS_KEYS: [(&str, &str); 5] = [
    ("BrowserResponseTimeout", "timeout"),
    ("JWTAudience", "assertion_audience"),
    ("JWTIssuer", "assertion_issuer"),
    ("JWTSubject", "assertion_subject"),
    ("WebServerHost", "redirect_host"),
];

/// The settings of the protocol that the command heeds itself.
const HEEDED: [&str; 7] = [
    "FormVarCount",
    "FormVarName",
    "FormVarValue",
    "JWTValidityTime",
    "PollingInterval",
    "WebServerFailedResponse",
    "WebServerResponse",
];

/// What to do in place of a setting that the command has no use for.
pub(crate) fn meaningless(setting: &ConfigSetting) -> Option<&'static str> {
    match setting.name() {
        name if HEEDED.contains(&name) || AS_KEYS.iter().any(|(known, _)| *known == name) => None,
        "AuthorizationURL" | "IncludeEmptyRedirectURI" => {
            Some("leave it out: the command makes the address itself")
        }
        "CodeChallengeMethod" => Some("leave it out: PKCE with S256 is always on"),
        "JWTCertStore" | "JWTJSONKey" => Some("use the key signing_key of the profile"),
        "EncodeURL" | "UseIDNs" => {
            Some("leave it out: the addresses of a profile are URLs, with names in any letters")
        }
        "LogLevel" => Some("leave it out, and call the command with -v or -vv"),
        "Append" | "TransferredRequest" => {
            Some("leave it out: the command keeps no responses and no requests")
        }
        _ if setting.group() == ConfigGroup::OAuth => {
            Some("leave it out: it is for programs that use the library")
        }
        _ => None,
    }
}

/// The setting that a key names, with or without an index.
pub(crate) fn setting(key: &str) -> Result<&'static ConfigSetting, oauth::component::ComponentError> {
    ConfigSetting::named(key.split('[').next().unwrap_or_default().trim())
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
    let mut names = Vec::new();
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
        let _read_back =
            oauth.config(&format!("{name}={text}")).map_err(|error| wrong("settings", &error))?;
        names.push(name.to_owned());
    }
    Ok(names)
}
