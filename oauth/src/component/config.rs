//! The configuration settings: one table, by which texts are read and written, and from which pages are made.
//!
//! A file for each group: `oauth`, `http`, `tcp` (with the socket's), `tls`. A row says what a setting is, what its value
//! looks like, and where it is kept; its default is what a new component has there. `line` takes texts apart.

/// A row of a text that stands in one place.
macro_rules! text {
    ($name:literal, $form:literal, $about:literal, $($path:ident).+) => {
        ConfigSetting::new($name, $about, Access::Text {
            form: $form,
            get: |values| values.$($path).+.clone(),
            set: |values, text| {
                text.clone_into(&mut values.$($path).+);
                Ok(())
            },
        })
    };
}

/// The same of a secret.
macro_rules! secret {
    ($name:literal, $about:literal, $($path:ident).+) => {
        ConfigSetting::new($name, $about, Access::Secret(
            |values| values.$($path).+.clone(),
            |values, text| {
                values.$($path).+ = Secret::new(text);
                Ok(())
            },
        ))
    };
}

/// The same of a switch.
macro_rules! flag {
    ($name:literal, $about:literal, $($path:ident).+) => {
        ConfigSetting::new($name, $about, Access::Flag(
            |values| values.$($path).+,
            |values, on| {
                values.$($path).+ = on;
                Ok(())
            },
        ))
    };
}

/// The same of a time that 0 takes away.
macro_rules! time {
    ($name:literal, $unit:ident, $about:literal, $($path:ident).+) => {
        ConfigSetting::new($name, $about, Access::Number {
            unit: stringify!($unit),
            range: (0, i32::MAX as i64),
            get: |values| values.$($path).+.map_or(0, $unit::count),
            set: |values, count| {
                values.$($path).+ = Some($unit::time(count)).filter(|time| !time.is_zero());
                Ok(())
            },
        })
    };
}

/// The same of something that an enumeration of numbers tells, each value with its word.
macro_rules! choice {
    ($name:literal, $about:literal, $($path:ident).+, { $($number:literal $word:literal => $value:path),+ $(,)? }) => {
        ConfigSetting::new($name, $about, Access::Choice {
            of: &[$(($number, $word)),+],
            get: |values| {
                let value = values.$($path).+;
                $(if value == $value { return $number; })+
                0
            },
            set: |values, number| {
                values.$($path).+ = match number {
                    $($number => $value,)+
                    _ => return Ok(()),
                };
                Ok(())
            },
        })
    };
}

mod http;
mod line;
mod oauth;
mod tcp;
mod tls;

pub(super) use line::Line;

use super::error::ComponentError;
use super::items;
use super::values::{Secret, Values};
use std::fmt;

/// A configuration setting, as [`OAuth::config`](super::OAuth::config) knows it.
#[derive(Clone, Copy)]
pub struct ConfigSetting {
    name: &'static str,
    about: &'static str,
    danger: Option<Danger>,
    password: Option<Password>,
    access: Access,
}

/// A password that has no place in a value, and which values have one.
#[derive(Clone, Copy)]
struct Password {
    is_in: fn(&str) -> bool,
    way_out: &'static str,
}

/// What a value puts at risk, and which values do.
#[derive(Clone, Copy)]
struct Danger {
    what: &'static str,
    with: fn(&str) -> bool,
}

/// What a value looks like, and where it is kept.
#[derive(Clone, Copy)]
enum Access {
    Flag(fn(&Values) -> bool, fn(&mut Values, bool) -> Set),
    Number {
        unit: &'static str,
        range: (i64, i64),
        get: fn(&Values) -> i64,
        set: fn(&mut Values, i64) -> Set,
    },
    /// Numbers that stand for words.
    Choice {
        of: &'static [(i64, &'static str)],
        get: fn(&Values) -> i64,
        set: fn(&mut Values, i64) -> Set,
    },
    Text {
        form: &'static str,
        get: fn(&Values) -> String,
        set: fn(&mut Values, &str) -> Set,
    },
    Secret(fn(&Values) -> Secret, fn(&mut Values, &str) -> Set),
    /// What a call leaves behind.
    Result {
        how: &'static str,
        get: fn(&Values) -> Secret,
        secret: bool,
    },
    /// A member of a list.
    Indexed {
        form: &'static str,
        count: fn(&Values) -> usize,
        get: fn(&Values, usize) -> Secret,
        /// `None` where it can only be read.
        set: Option<fn(&mut Values, usize, &str) -> Set>,
        secret: bool,
    },
    /// Setting it does something, which `OAuth` itself does.
    Action {
        form: &'static str,
    },
}

type Set = Result<(), ComponentError>;

/// What a setting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigGroup {
    /// The protocol, and the embedded web server.
    OAuth,
    /// HTTP and proxies.
    Http,
    /// Connections, sockets and firewalls.
    Connection,
    /// TLS.
    Tls,
}

impl ConfigGroup {
    /// Each of them, in the order of the pages.
    pub const ALL: &'static [Self] = &[Self::OAuth, Self::Http, Self::Connection, Self::Tls];

    /// Its settings.
    #[must_use]
    pub const fn settings(self) -> &'static [ConfigSetting] {
        match self {
            Self::OAuth => oauth::ROWS,
            Self::Http => http::ROWS,
            Self::Connection => tcp::ROWS,
            Self::Tls => tls::ROWS,
        }
    }
}

/// The value of a configuration setting. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigValue {
    text: Secret,
    secret: bool,
}

impl ConfigValue {
    pub(super) fn open(text: impl Into<String>) -> Self {
        Self { text: Secret::new(text), secret: false }
    }

    pub(super) const fn secret(text: Secret) -> Self {
        Self { text, secret: true }
    }

    /// The value as text. Whoever shows that of a [secret](Self::is_secret) keeps it out of logs and terminals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.expose()
    }

    /// Whether it must not be seen.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.secret
    }
}

impl fmt::Debug for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret {
            f.write_str("ConfigValue([redacted])")
        } else {
            write!(f, "ConfigValue({:?})", self.as_str())
        }
    }
}

mod seconds {
    use std::time::Duration;

    pub(super) fn count(time: Duration) -> i64 {
        i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
    }

    pub(super) const fn time(count: i64) -> Duration {
        Duration::from_secs(count.unsigned_abs())
    }
}

mod milliseconds {
    use std::time::Duration;

    pub(super) fn count(time: Duration) -> i64 {
        i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
    }

    pub(super) const fn time(count: i64) -> Duration {
        Duration::from_millis(count.unsigned_abs())
    }
}

/// The texts of a list, as `;` or `,` part them.
fn list(text: &str) -> Vec<String> {
    text.split([';', ',']).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

impl ConfigSetting {
    const fn new(name: &'static str, about: &'static str, access: Access) -> Self {
        Self { name, about, danger: None, password: None, access }
    }

    /// A row that puts something at risk, with the values that this is true of.
    const fn risking(mut self, what: &'static str, with: fn(&str) -> bool) -> Self {
        self.danger = Some(Danger { what, with });
        self
    }

    /// A row of an address, in which user name and password are refused: whoever shows it would show them.
    const fn without_password(mut self, is_in: fn(&str) -> bool, way_out: &'static str) -> Self {
        self.password = Some(Password { is_in, way_out });
        self
    }

    /// Every setting, group by group.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        ConfigGroup::ALL.iter().flat_map(|group| group.settings())
    }

    /// The setting of this name, in upper or lower case. An index is not a part of it.
    ///
    /// # Errors
    /// There is none: the error tells the most similar one.
    pub fn named(name: &str) -> Result<&'static Self, ComponentError> {
        Self::all().find(|setting| setting.name.eq_ignore_ascii_case(name)).ok_or_else(|| line::unknown(name))
    }

    /// What it is about.
    #[must_use]
    pub fn group(&self) -> ConfigGroup {
        let is_in = |group: &&ConfigGroup| group.settings().iter().any(|setting| setting.name == self.name);
        ConfigGroup::ALL.iter().find(is_in).copied().unwrap_or(ConfigGroup::OAuth)
    }

    /// Its name, as the component spells it; without the `[i]` of a list.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it is: one sentence.
    #[must_use]
    pub const fn about(&self) -> &'static str {
        self.about
    }

    /// What it puts at risk where it is used; `None` for most.
    #[must_use]
    pub const fn danger(&self) -> Option<&'static str> {
        match &self.danger {
            Some(danger) => Some(danger.what),
            None => None,
        }
    }

    /// What this value of it puts at risk; `None` where the value is harmless.
    #[must_use]
    pub fn danger_of(&self, value: &str) -> Option<&'static str> {
        self.danger.as_ref().filter(|danger| (danger.with)(value)).map(|danger| danger.what)
    }

    /// What is other here than in the component of old, whose default it may be; `None` for most.
    #[must_use]
    pub fn note(&self) -> Option<&'static str> {
        items::NOTES.iter().find(|(name, _)| *name == self.name).map(|(_, note)| *note)
    }

    /// What its number counts, such as `seconds`; `None` for what counts nothing.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        match self.access {
            Access::Number { unit, .. } => Some(unit).filter(|unit| !unit.is_empty()),
            _ => None,
        }
    }

    /// What its value looks like.
    #[must_use]
    pub fn form(&self) -> String {
        match self.access {
            Access::Flag(..) => "true or false".to_owned(),
            Access::Number { unit: "", range: (least, most), .. } => {
                format!("a whole number from {least} to {most}")
            }
            Access::Number { unit, range: (least, most), .. } => {
                format!("a whole number of {unit} from {least} to {most}")
            }
            Access::Choice { of, .. } => {
                let words: Vec<_> = of.iter().map(|(number, word)| format!("{number} ({word})")).collect();
                words.join(", ")
            }
            Access::Text { form, .. } | Access::Indexed { form, .. } | Access::Action { form } => {
                form.to_owned()
            }
            Access::Secret(..) => "a text, which is kept secret".to_owned(),
            Access::Result { how, .. } => format!("nothing: {how}"),
        }
    }

    /// The value that a new component has; empty for a list and an action.
    #[must_use]
    pub fn default(&self) -> String {
        self.get(&Values::default(), None).map_or_else(|_| String::new(), |value| value.as_str().to_owned())
    }

    /// Whether it takes an index in brackets after its name.
    #[must_use]
    pub const fn is_indexed(&self) -> bool {
        matches!(self.access, Access::Indexed { .. })
    }

    /// Whether it can only be read.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        matches!(self.access, Access::Result { .. } | Access::Indexed { set: None, .. })
    }

    /// Whether setting it does something at once.
    #[must_use]
    pub const fn is_action(&self) -> bool {
        matches!(self.access, Access::Action { .. })
    }

    /// Whether its value must not be seen.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        matches!(
            self.access,
            Access::Secret(..) | Access::Result { secret: true, .. } | Access::Indexed { secret: true, .. }
        )
    }

    /// Whether this value of it must not be seen: any of a secret, and an address with a user name or a password in it.
    #[must_use]
    pub fn is_secret_with(&self, value: &str) -> bool {
        self.is_secret() || self.password.is_some_and(|password| (password.is_in)(value))
    }

    pub(super) fn get(&self, values: &Values, index: Option<usize>) -> Result<ConfigValue, ComponentError> {
        self.check_index(index, |count| count(values))?;
        Ok(match self.access {
            Access::Flag(get, _) => ConfigValue::open(get(values).to_string()),
            Access::Number { get, .. } | Access::Choice { get, .. } => {
                ConfigValue::open(get(values).to_string())
            }
            Access::Text { get, .. } => {
                // A program may have put it there by a property.
                let text = get(values);
                ConfigValue { secret: self.is_secret_with(&text), text: Secret::new(text) }
            }
            Access::Secret(get, _) => ConfigValue::secret(get(values)),
            Access::Result { get, secret, .. } => ConfigValue { text: get(values), secret },
            Access::Indexed { get, secret, .. } => {
                ConfigValue { text: get(values, index.unwrap_or_default()), secret }
            }
            Access::Action { .. } => return Err(ComponentError::Action { name: self.name }),
        })
    }

    pub(super) fn set(&self, values: &mut Values, index: Option<usize>, text: &str) -> Set {
        self.check_index(index, |count| count(values))?;
        let wrong = || ComponentError::value(self.name, self.form());
        if let Some(password) = self.password.filter(|password| (password.is_in)(text)) {
            return Err(ComponentError::refused(
                self.name,
                format_args!(
                    "an address is no place for a user name or a password, which would be shown with it; {}",
                    password.way_out
                ),
            ));
        }
        match self.access {
            Access::Flag(_, set) => set(values, flag(text).ok_or_else(wrong)?),
            Access::Number { range: (least, most), set, .. } => {
                let number = text.trim().parse().ok().filter(|number| (least..=most).contains(number));
                set(values, number.ok_or_else(wrong)?)
            }
            Access::Choice { of, set, .. } => {
                let text = text.trim();
                let found = of
                    .iter()
                    .find(|(number, word)| text.parse() == Ok(*number) || word.eq_ignore_ascii_case(text));
                set(values, found.ok_or_else(wrong)?.0)
            }
            Access::Text { set, .. } | Access::Secret(_, set) => set(values, text),
            Access::Indexed { set: Some(set), .. } => set(values, index.unwrap_or_default(), text),
            Access::Indexed { set: None, .. } => {
                Err(ComponentError::ReadOnly { name: self.name, how: "it tells what a server answered" })
            }
            Access::Result { how, .. } => Err(ComponentError::ReadOnly { name: self.name, how }),
            Access::Action { .. } => Err(ComponentError::Action { name: self.name }),
        }
    }

    fn check_index(&self, index: Option<usize>, count: impl FnOnce(fn(&Values) -> usize) -> usize) -> Set {
        match (self.access, index) {
            (Access::Indexed { count: counts, .. }, Some(index)) => {
                let count = count(counts);
                if index < count {
                    Ok(())
                } else {
                    Err(ComponentError::Index { name: self.name, index, count })
                }
            }
            (Access::Indexed { .. }, None) => Err(ComponentError::NoIndex { name: self.name }),
            (_, Some(_)) => Err(ComponentError::NotAList { name: self.name }),
            (_, None) => Ok(()),
        }
    }
}

/// Whether a name or a password stands before the host of a proxy or a firewall, neither of which has an `@` elsewhere.
fn names_a_user(text: &str) -> bool {
    text.contains('@')
}

/// The same of any address.
fn has_user_info(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#', '\\']).next().is_some_and(names_a_user)
}

impl fmt::Debug for ConfigSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConfigSetting").field(&self.name).finish()
    }
}

/// `true`, `false`, `1` or `0`, in upper or lower case.
fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        "1" => Some(true),
        "0" => Some(false),
        text if text.eq_ignore_ascii_case("true") => Some(true),
        text if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
