//! The command `oauth`: a token in a shell, a script or a mail program.
//!
//! It adds no logic to the library `oauth`: flags in (`args`), the library's calls (`authorize`, `demo`), one line out
//! (`output`), everything for people on standard error (`report`), and an exit code for each thing that a script may want
//! to tell apart (`exit`). `profile` is the file with what need not be typed, and `config` shows and writes the settings in it.
//! `signing` finds the key that signs; `network` sets up the HTTP engine, and says what each engine can. `explain` drives the same flows with captured messages, offline.

mod args;
mod authorize;
mod config;
mod demo;
mod exit;
mod explain;
mod faults;
mod hints;
mod in_browser;
mod network;
mod observed;
mod output;
mod profile;
mod prompt;
mod redirect;
mod report;
mod secret_file;
mod signing;
mod terminal;

use args::{Authorize, Cli, Command, Conversation, Doctor};
use clap::{CommandFactory as _, FromArgMatches as _};
use exit::{Exit, Problem};
use report::Report;
use std::io::{self, IsTerminal as _, stdout};
use std::process::ExitCode;
use zeroize::Zeroizing;

fn main() -> ExitCode {
    // A wrong command line ends here with 2.
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let report = Report::to_stderr(&cli.verbosity);
    let result = profile::apply(cli, &matches, &report).and_then(|cli| carry_out(&cli.command, &report));
    result.unwrap_or_else(|problem| {
        report.problem(&problem);
        problem.exit.into()
    })
}

fn carry_out(command: &Command, report: &Report) -> Result<ExitCode, Problem> {
    let printed = match command {
        Command::Conversation(conversation) => {
            return converse(conversation, report).map(|()| ExitCode::SUCCESS);
        }
        Command::Explain(args) => return explain::run(args, report),
        Command::Doctor(Doctor { transports: _ }) => network::engines(),
        Command::Config(command) => config::run(command, report)?,
        Command::Profile(command) => config::profile(command)?,
    };
    output::print(&printed).map(|()| ExitCode::SUCCESS)
}

fn converse(conversation: &Conversation, report: &Report) -> Result<(), Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::new(Exit::Other, error, "close some programs and try again"))?;
    let result = runtime.block_on(interruptible(run(conversation, report)));
    // The listener may still serve a reload; nobody waits for that.
    runtime.shutdown_background();
    output::print(&result?)
}

/// The first Ctrl-C, or a polite request to end, drops the conversation: that frees its port, and gives the terminal back as it
/// was.
async fn interruptible<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::select! {
        result = work => result,
        pressed = asked_to_end() => match pressed {
            Ok(()) => Err(Problem::interrupted()),
            Err(error) => Err(Problem::new(Exit::Other, error, "try again")),
        },
    }
}

#[cfg(unix)]
async fn asked_to_end() -> io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn asked_to_end() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

async fn run(conversation: &Conversation, report: &Report) -> Result<Zeroizing<String>, Problem> {
    match conversation {
        Conversation::Authorize(args) if wants_demo(args)? => demo::authorize(args, report).await,
        Conversation::Authorize(args) => authorize::run(args, true, report).await,
        Conversation::Token(args) if args.demo => Err(Problem::usage(
            "the demo needs a person",
            "use `oauth authorize --demo`, or `oauth demo --yes`",
        )),
        Conversation::Token(args) => authorize::run(args, false, report).await,
        Conversation::Demo(args) => demo::tour(args, report).await,
    }
}

/// Without a server the demo is used, but only where a person sees it: no script ships a demo token by accident.
fn wants_demo(args: &Authorize) -> Result<bool, Problem> {
    if args.demo || args.names_a_server() {
        return Ok(args.demo);
    }
    if stdout().is_terminal() {
        return Ok(true);
    }
    Err(Problem::configuration(
        "no server was named",
        "give the issuer: oauth authorize https://… --client-id …, or a profile; --demo tries it with a server inside",
    ))
}
