//! The `OAUTH_…` variables beside the command line. A flag wins over every variable: its own, and those that it cannot be given
//! with. An empty variable says nothing. A switch is on unless its variable says 0, no, off or false.

use super::Cli;
use clap::builder::{FalseyValueParser, Resettable};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _};
use std::ffi::{OsStr, OsString};

/// The command as it reads these words.
pub(crate) fn command(words: &[OsString]) -> Command {
    // What is wrong with them is told when they are read in earnest.
    let alone = without_variables(Cli::command()).ignore_errors(true);
    let typed = alone.try_get_matches_from(words).ok();
    beside(Cli::command(), typed.as_ref())
}

fn without_variables(command: Command) -> Command {
    command.mut_args(|arg| arg.env(Resettable::Reset)).mut_subcommands(without_variables)
}

/// The command with those variables alone that do not contradict what was typed.
fn beside(command: Command, typed: Option<&ArgMatches>) -> Command {
    let flags = command.clone();
    let is_typed = |other: &Arg| {
        let id = other.get_id().as_str();
        typed.is_some_and(|typed| {
            typed.try_contains_id(id).is_ok() && typed.value_source(id) == Some(ValueSource::CommandLine)
        })
    };
    let is_silent = |arg: &Arg, value: &OsStr| {
        let is_no = is_switch(arg) && is_no(value);
        value.is_empty()
            || flags.get_arguments().filter(|other| exclude(&flags, arg, other)).any(|other| {
                is_typed(other) || is_no && variable(other).is_some_and(|value| !value.is_empty())
            })
    };
    let command = command.mut_args(|arg| {
        let arg = match variable(&arg) {
            Some(value) if is_silent(&arg, &value) => arg.env(Resettable::Reset),
            _ => arg,
        };
        if is_switch(&arg) { arg.value_parser(FalseyValueParser::new()) } else { arg }
    });
    command.mut_subcommands(|subcommand| {
        let below = typed.and_then(ArgMatches::subcommand);
        let below = below.filter(|(name, _)| *name == subcommand.get_name());
        beside(subcommand, below.map(|(_, typed)| typed))
    })
}

fn variable(arg: &Arg) -> Option<OsString> {
    std::env::var_os(arg.get_env()?)
}

fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// As [`FalseyValueParser`] has it.
fn is_no(value: &OsStr) -> bool {
    let no = ["n", "no", "f", "false", "off", "0"];
    no.iter().any(|no| value.eq_ignore_ascii_case(no))
}

/// Whether the two cannot be given together.
fn exclude(command: &Command, one: &Arg, other: &Arg) -> bool {
    let excludes = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|rival| rival.get_id() == other.get_id())
    };
    excludes(one, other) || excludes(other, one)
}
