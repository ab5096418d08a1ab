//! Profiles: what `oauth authorize` is told again and again, in a file.
//!
//! ```toml
//! default = "work"
//!
//! [profile.work]
//! issuer = "https://login.example.com"
//! client_id = "my-app"
//! client_secret_cmd = "pass show work/oauth"
//! scopes = ["openid", "offline_access"]
//!
//! [profile.work.auth_params]
//! login_hint = "me@example.com"
//!
//! [profile.work.settings]
//! ProxyServer = "proxy.example"
//! ```
//!
//! The keys of a profile are the flags of `authorize`, with `_` for `-`: [`mod@apply`] puts them where neither a flag nor a
//! variable speaks. Beside them are the client's secret, as it is or as the output of a command, and the settings of
//! [`oauth::OAuth::config`], of which [`mod@settings`] knows what the command heeds. In this file: the file itself.

mod apply;
mod settings;

pub(crate) use apply::{FromProfile, Secret, apply};
pub(crate) use settings::{Settings, component, setting, without_effect, written};

use crate::exit::{Exit, Problem};
use crate::secret_file::{self, Lock};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

/// A profile file.
#[derive(Debug)]
pub(crate) struct Profiles {
    path: PathBuf,
    document: DocumentMut,
}

impl Profiles {
    /// Reads the file of this name. Without a name it is the usual one, which need not be there.
    pub(crate) fn open(named: Option<&Path>) -> Result<Self, Problem> {
        let Some(path) = named.map(Path::to_owned).or_else(usual_path) else {
            return Ok(Self { path: PathBuf::new(), document: DocumentMut::new() });
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => String::new(),
            Err(error) => return Err(wrong(&path, &error, "check --config and OAUTH_CONFIG")),
        };
        #[cfg(unix)]
        if let Ok(metadata) = std::fs::metadata(&path)
            // Everybody may write /dev/null, and nobody chooses anything by it.
            && metadata.is_file()
            && std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o022 != 0
        {
            // It names commands that are run.
            return Err(wrong(
                &path,
                &"others may write it, and so choose what is run here",
                format_args!("chmod 600 {}", path.display()),
            ));
        }
        // The parser's own text shows the line, which may hold a secret.
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            let line =
                error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            wrong(&path, &format_args!("line {line}: {}", error.message()), "correct it there")
        })?;
        for (key, item) in document.iter() {
            let fits = match key {
                "default" => item.is_str(),
                "profile" => {
                    item.as_table_like().is_some_and(|all| all.iter().all(|(_, one)| one.is_table_like()))
                }
                _ => false,
            };
            if !fits {
                let next =
                    "the file has default = \"NAME\" and tables [profile.NAME], and nothing beside them";
                return Err(wrong(&path, &format_args!("{key:?} is not what is expected"), next));
            }
        }
        Ok(Self { path, document })
    }

    /// Where it is, or would be.
    pub(crate) fn path(&self) -> Result<&Path, Problem> {
        if self.path.as_os_str().is_empty() {
            return Err(Problem::configuration(
                "there is no home folder, and so no place for profiles",
                "name the file with --config or OAUTH_CONFIG",
            ));
        }
        Ok(&self.path)
    }

    /// The profile to use where none is named.
    pub(crate) fn default(&self) -> Option<&str> {
        self.document.get("default").and_then(Item::as_str)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.all().into_iter().flat_map(TableLike::iter).map(|(name, _)| name)
    }

    fn all(&self) -> Option<&dyn TableLike> {
        self.document.get("profile").and_then(Item::as_table_like)
    }

    /// The profile of this name.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> Result<Profile<'a>, Problem> {
        let table = self.all().and_then(|all| all.get(name)).and_then(Item::as_table_like);
        let Some(table) = table else {
            let names: Vec<_> = self.names().collect();
            let next = match names.as_slice() {
                [] => format!("write [profile.{name}] there; the issuer as a URL works without a profile"),
                names => format!("use one of {}, or write [profile.{name}] there", names.join(", ")),
            };
            return Err(wrong(self.path()?, &format_args!("there is no profile {name:?}"), next));
        };
        Ok(Profile { path: &self.path, name, table })
    }

    /// The profile that is asked for, or else the default one, if there is one.
    pub(crate) fn choose<'a>(&'a self, named: Option<&'a str>) -> Result<Option<Profile<'a>>, Problem> {
        named.or_else(|| self.default()).map(|name| self.named(name)).transpose()
    }

    /// Puts a setting into a profile, which is made where it is not there yet.
    pub(crate) fn set(&mut self, profile: &str, setting: &str, value: Value) -> Result<(), Problem> {
        let mut at: &mut dyn TableLike = self.document.as_table_mut();
        for name in ["profile", profile, "settings"] {
            // `[profile]` has no line of its own.
            let mut table = Table::new();
            table.set_implicit(true);
            at = at.entry(name).or_insert(Item::Table(table)).as_table_like_mut().ok_or_else(|| {
                wrong(&self.path, &format_args!("{name:?} is no table"), "make it one, or take it out")
            })?;
        }
        // In another case it is the same setting.
        let old =
            at.iter().map(|(key, _)| key).find(|key| key.eq_ignore_ascii_case(setting)).map(str::to_owned);
        match old.as_deref().and_then(|old| at.get_mut(old)).and_then(Item::as_value_mut) {
            Some(old) => {
                // Comments stay with it.
                let decor = old.decor().clone();
                *old = value;
                *old.decor_mut() = decor;
            }
            None => {
                at.insert(setting, Item::Value(value));
            }
        }
        Ok(())
    }

    /// Keeps other commands from the file for as long as the lock lives. What was read before it may be old.
    pub(crate) async fn lock(&self) -> Result<Lock, Problem> {
        let path = self.place()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let made = folder.map_or(Ok(()), |folder| {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(folder)
        });
        made.map_err(|error| unwritten(&path, &error))?;
        secret_file::lock(&path).await
    }

    /// Writes the file in one step, for its owner alone, or for those who might read it before.
    pub(crate) fn save(&self) -> Result<(), Problem> {
        let path = self.place()?;
        secret_file::write(&path, &self.document.to_string()).map_err(|error| unwritten(&path, &error))
    }

    /// Where the text is. A link stays one, even one that leads to nothing yet: whoever keeps such files elsewhere wants the
    /// text there.
    fn place(&self) -> Result<PathBuf, Problem> {
        let mut path = self.path()?.to_owned();
        if let Ok(file) = path.canonicalize() {
            // Root would put a file in the place of /dev/null.
            return match file.metadata() {
                Ok(metadata) if !metadata.is_file() => Err(Problem::configuration(
                    format_args!("{}: it is no regular file, and keeps no settings", path.display()),
                    "name a file with --config, or unset OAUTH_CONFIG",
                )),
                _ => Ok(file),
            };
        }
        // Systems follow no more links than that.
        for _ in 0..40 {
            let Ok(link) = path.read_link() else { break };
            path = path.parent().unwrap_or_else(|| Path::new("")).join(link);
        }
        Ok(path)
    }
}

fn unwritten(path: &Path, error: &io::Error) -> Problem {
    Problem::new(
        Exit::Other,
        format_args!("{} could not be written: {error}; it is as it was", path.display()),
        "make its folder writable, or name another file with --config",
    )
}

/// One profile of a file.
#[derive(Clone, Copy)]
pub(crate) struct Profile<'a> {
    path: &'a Path,
    pub(crate) name: &'a str,
    table: &'a dyn TableLike,
}

impl Profile<'_> {
    /// The profile as it stands in the file, with its secrets hidden.
    pub(crate) fn shown(&self) -> String {
        let mut shown = DocumentMut::new();
        for (key, item) in self.table.iter() {
            shown.insert(key, item.clone());
        }
        let hide = |item: &mut Item| *item = toml_edit::value("[hidden]");
        shown.get_mut("client_secret").map(hide);
        let settings = shown.get_mut("settings").and_then(Item::as_table_like_mut);
        for (name, item) in settings.into_iter().flat_map(TableLike::iter_mut) {
            if settings::is_secret(name.get(), item) {
                hide(item);
            }
        }
        // A proxy's URL has its password in it.
        shown.get_mut("proxy").map(hide);
        shown.to_string()
    }

    fn wrong(&self, key: &str, what: impl fmt::Display, next: impl fmt::Display) -> Problem {
        wrong(self.path, &format_args!("profile {}: {key}: {what}", self.name), next)
    }
}

fn wrong(path: &Path, what: &dyn fmt::Display, next: impl fmt::Display) -> Problem {
    Problem::configuration(format_args!("{}: {what}", path.display()), next)
}

/// Where profiles are kept, on a machine that has a place for them.
fn usual_path() -> Option<PathBuf> {
    // The XDG rules leave out what is not absolute.
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        folder("APPDATA")
    } else {
        folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")))
    };
    base.map(|base| base.join("oauth").join("config.toml"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// `/dev/null` is how people say that there is no file. Root could replace it.
    #[test]
    fn settings_are_kept_in_no_device() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("config.toml");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        for path in [PathBuf::from("/dev/null"), link] {
            let problem = Profiles::open(Some(&path)).unwrap().place().unwrap_err();
            assert_eq!(problem.exit, Exit::Configuration);
            assert!(problem.what.contains("no regular file"), "{}", problem.what);
        }
    }
}
