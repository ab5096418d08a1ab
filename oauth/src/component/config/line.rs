//! What `config` is told, taken apart; and which name was meant.

use super::ConfigSetting;
use crate::component::error::ComponentError;
use crate::component::items::{ITEMS, ItemKind};

/// How much of an unknown name is looked at and shown.
const SHOWN: usize = 40;

/// What [`OAuth::config`](crate::OAuth::config) is told: a name, perhaps an index, and perhaps a value.
pub(in crate::component) struct Line<'a> {
    pub(in crate::component) setting: &'static ConfigSetting,
    pub(in crate::component) index: Option<usize>,
    pub(in crate::component) value: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// Reads `Name`, `Name[3]`, `Name=Value` or `Name[3]=Value`. The first `=` parts them; blanks around the name do not
    /// count, and those of the value do.
    pub(in crate::component) fn read(text: &'a str) -> Result<Self, ComponentError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let (name, index) = match name.split_once('[') {
            Some((name, index)) => (name, Some(index)),
            None => (name, None),
        };
        let setting = ConfigSetting::named(name.trim())?;
        let index = match index {
            None => None,
            Some(_) if !setting.is_indexed() => {
                return Err(ComponentError::NotAList { name: setting.name });
            }
            Some(index) => Some(number(index).ok_or(ComponentError::NoIndex { name: setting.name })?),
        };
        Ok(Self { setting, index, value })
    }
}

/// The index of `3]`.
fn number(text: &str) -> Option<usize> {
    let digits = text.trim_end().strip_suffix(']')?.trim();
    // No sign, which `parse` would take.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Why there is no setting of this name.
pub(super) fn unknown(name: &str) -> ComponentError {
    let name: String = name.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    ComponentError::UnknownSetting { nearest: property(&name).or_else(|| nearest(&name)), name }
}

/// How a property is set whose name it is.
fn property(name: &str) -> Option<&'static str> {
    let letters = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let wanted = letters(name);
    let mut properties = ITEMS.iter().filter(|item| item.kind == ItemKind::Property);
    properties.find(|item| letters(item.name) == wanted).map(|item| item.rust)
}

/// The name that takes the fewest changes to come to, if they are few.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let most = 1 + name.len() / 4;
    let names = ConfigSetting::all().map(ConfigSetting::name);
    let alike = names.filter(|other| other.len().abs_diff(name.len()) <= most);
    let distances = alike.map(|other| (strsim::levenshtein(&name, &other.to_ascii_lowercase()), other));
    distances.min().filter(|(distance, _)| *distance <= most).map(|(_, name)| name)
}
