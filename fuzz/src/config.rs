//! Any lines as settings of the component: what one sets it reads again, and what is refused has changed nothing.

use oauth::OAuth;
use oauth::component::{ComponentError, ConfigSetting};

/// A line is a setting; `\\n` in it is a line end.
///
/// # Panics
/// A setting reads something else than what was set, a refusal changes something, or it shows a secret.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let oauth = OAuth::new();
    for line in text.split('\n').take(16) {
        one(&oauth, &line.replace("\\n", "\r\n"));
    }
}

fn one(oauth: &OAuth, line: &str) {
    let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
    let setting = ConfigSetting::named(name.split('[').next().unwrap_or_default().trim()).ok();
    if value.is_some() && setting.is_some_and(ConfigSetting::is_action) {
        // It would ask somebody.
        return;
    }
    let before = oauth.config(name);
    match oauth.config(line) {
        Ok(read) => {
            let setting = setting.expect("only a setting is read");
            assert_eq!(read.is_secret(), setting.is_secret(), "{setting:?}");
            assert!(!setting.is_secret() || format!("{read:?}") == "ConfigValue([redacted])");
            assert_eq!(oauth.config(name).expect("it was read before"), read, "{setting:?}");
            // That one is a switch, and reads what went over the wire.
            if value.is_some() && setting.name() != "TransferredRequest" {
                let again = oauth.config(&format!("{name}={}", read.as_str()));
                assert_eq!(again.expect("it takes what it reads"), read, "{setting:?}");
            }
        }
        Err(error) => {
            refused(&error, setting, value);
            assert_eq!(oauth.config(name).ok(), before.ok(), "{error} changes it");
        }
    }
}

fn refused(error: &ComponentError, setting: Option<&ConfigSetting>, value: Option<&str>) {
    let told = error.to_string();
    assert!(!told.contains(char::is_control), "{told:?}");
    assert_eq!(matches!(error, ComponentError::UnknownSetting { .. }), setting.is_none(), "{told}");
    let Some(setting) = setting.filter(|setting| setting.is_secret()) else { return };
    // A short one may be a word of the sentence, a longer one the name of the setting.
    if let Some(secret) = value.filter(|value| value.len() >= 16 && !setting.name().contains(value)) {
        assert!(!format!("{told} {error:?}").contains(secret), "{told}");
    }
}
