//! What can be typed about profiles and settings.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting with its value and what it takes
    List {
        #[command(flatten)]
        of: ProfileFlags,
        /// What to print: lines for people, or everything
        #[arg(short, long, value_enum, default_value_t = ListOutput::Text)]
        output: ListOutput,
        /// Show the secrets of the profile
        #[arg(long)]
        show_secrets: bool,
    },
    /// Print the value of a setting: the profile's, or the default
    Get {
        /// Its name, in upper or lower case
        name: String,
        #[command(flatten)]
        of: ProfileFlags,
        /// Print it even if it is a secret
        #[arg(long)]
        show_secrets: bool,
    },
    /// Write a setting into a profile
    Set {
        /// Its name, and the new value; of a secret the name alone, and the value comes from standard input
        #[arg(value_name = "NAME=VALUE")]
        setting: String,
        #[command(flatten)]
        of: ProfileFlags,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Print the names of the profiles, the default one with a star
    List(ConfigFile),
    /// Print a profile without its secrets
    Show {
        /// Its name; the default one unless named
        name: Option<String>,
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Print where the profiles are
    Path(ConfigFile),
}

#[derive(Debug, Args)]
pub(crate) struct ProfileFlags {
    /// Which profile; the default one unless named
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    #[command(flatten)]
    pub(crate) file: ConfigFile,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// The file with the profiles; $XDG_CONFIG_HOME/oauth/config.toml unless named
    #[arg(long, env = "OAUTH_CONFIG", value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListOutput {
    Text,
    Json,
}
