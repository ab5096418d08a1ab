//! The command `oauth`: a token in a shell, a script or a mail program.
//!
//! It adds no logic to the library `oauth`: flags in (`args`), the library's calls (`authorize`, `demo`), one line out
//! (`output`), everything for people on standard error (`report`), and an exit code for each thing that a script may want
//! to tell apart (`exit`). `profile` is the file with what need not be typed, and `config` shows and writes the settings in it.
//! `ending` is what an end that is asked for has to wait for. `signing` finds the key that signs; `network` sets up the HTTP
//! engine, and says what each engine can. `explain` drives the same flows with captured messages, offline.

mod args;
mod authorize;
mod config;
mod demo;
mod ending;
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
mod text_browser;

use args::{Authorize, Cli, Command, Conversation, Doctor};
use clap::FromArgMatches as _;
use exit::{Exit, Problem};
use report::Report;
use std::io::{self, IsTerminal as _, stdout};
use std::pin::pin;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

fn main() -> ExitCode {
    // A wrong command line ends here with 2.
    let words: Vec<_> = std::env::args_os().collect();
    let matches = args::command(&words).get_matches_from(words);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let report = Report::to_stderr(&cli.verbosity);
    let told = report.clone();
    let result = match &cli.command {
        // It asks nobody and leaves nothing behind: on this thread, whose memory is given back, its bound holds.
        Command::Explain(args) => explain::run(args, &report),
        _ => interruptible(move |cancelled| {
            profile::apply(cli, &matches, &told).and_then(|cli| carry_out(&cli.command, &told, cancelled))
        }),
    };
    // Whoever reads a secret there may have been left behind.
    terminal::restore();
    result.unwrap_or_else(|problem| {
        report.problem(&problem);
        problem.exit.into()
    })
}

fn carry_out(command: &Command, report: &Report, cancelled: Cancelled) -> Result<ExitCode, Problem> {
    let printed = match command {
        Command::Conversation(conversation) => {
            return converse(conversation, report, cancelled).map(|()| ExitCode::SUCCESS);
        }
        Command::Explain(args) => return explain::run(args, report),
        Command::Doctor(Doctor { transports: _ }) => network::engines(),
        Command::Config(command) => config::run(command, report)?,
        Command::Profile(command) => config::profile(command)?,
    };
    output::print(&printed).map(|()| ExitCode::SUCCESS)
}

fn converse(conversation: &Conversation, report: &Report, cancelled: Cancelled) -> Result<(), Problem> {
    let runtime = runtime()?;
    // Dropping the conversation frees its port, and gives the terminal back as it was.
    let result = runtime.block_on(async {
        let mut conversation = pin!(run(conversation, report));
        tokio::select! {
            result = &mut conversation => return result,
            _ = cancelled => {}
        }
        if !ending::is_waited_for() {
            return Err(Problem::interrupted());
        }
        match tokio::time::timeout(ending::GRACE, conversation).await {
            Ok(Ok(line)) => {
                // Where the refresh token came from standard input, the new one is here alone.
                output::print(&line)?;
                Err(Problem::interrupted_and_answered())
            }
            Ok(Err(problem)) => Err(Problem { exit: Exit::Interrupted, ..problem }),
            Err(_) => Err(Problem::interrupted_on_the_wire()),
        }
    });
    // The listener may still serve a reload; nobody waits for that.
    runtime.shutdown_background();
    output::print(&result?)
}

fn runtime() -> Result<Runtime, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Problem::new(Exit::Other, error, "close some programs and try again"))
}

/// Is ready once the end is wanted.
type Cancelled = oneshot::Receiver<()>;

/// How long the work has to end by itself once it is cancelled; an answer that is waited for has its own time beside it.
const TIME_TO_END: Duration = Duration::from_millis(500);

/// Does the work until it is done, or until the first Ctrl-C or polite request to end.
///
/// The next one ends it at once. The work has a thread of its own: where it waits for a file, a terminal or a command it hears
/// of nothing, and is left behind.
fn interruptible<T: Send + 'static>(
    work: impl FnOnce(Cancelled) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let again = |error: io::Error| Problem::new(Exit::Other, error, "try again");
    runtime()?.block_on(async {
        let mut asked_to_end = asked_to_end().map_err(again)?;
        let (cancel, cancelled) = oneshot::channel();
        let (sender, mut done) = oneshot::channel();
        // Nobody is left to hear of it where the end was asked for.
        let work = move || drop(sender.send(work(cancelled)));
        let _detached = thread::Builder::new().name("oauth-work".into()).spawn(work).map_err(again)?;
        tokio::select! {
            result = &mut done => result.unwrap_or_else(|_| {
                Err(Problem::new(Exit::Other, "the program has a fault", "report it with the lines above"))
            }),
            () = &mut asked_to_end => {
                let _gone = cancel.send(());
                let ended = async {
                    match tokio::time::timeout(TIME_TO_END, &mut done).await {
                        Err(_) if ending::is_waited_for() => tokio::time::timeout(ending::GRACE, done).await,
                        ended => ended,
                    }
                };
                let ended = tokio::select! {
                    ended = ended => ended.ok().and_then(Result::ok),
                    () = asked_to_end => None,
                };
                match ended {
                    // It was done already.
                    Some(Ok(done)) => Ok(done),
                    Some(Err(problem)) if problem.exit == Exit::Interrupted => Err(problem),
                    None if ending::is_waited_for() => Err(Problem::interrupted_on_the_wire()),
                    _ => Err(Problem::interrupted()),
                }
            }
        }
    })
}

/// Listens from the call on, not only from the first poll, and again once it was ready.
#[cfg(unix)]
fn asked_to_end() -> io::Result<impl Future<Output = ()> + Unpin> {
    use std::task::Poll;
    use tokio::signal::unix::{SignalKind, signal};
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate(), SignalKind::quit()];
    // Whoever started us by `nohup` wants to be rid of this one.
    if io::stdin().is_terminal() {
        kinds.push(SignalKind::hangup());
    }
    let mut signals = kinds.into_iter().map(signal).collect::<io::Result<Vec<_>>>()?;
    Ok(std::future::poll_fn(move |context| {
        let came = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if came { Poll::Ready(()) } else { Poll::Pending }
    }))
}

#[cfg(not(unix))]
fn asked_to_end() -> io::Result<impl Future<Output = ()> + Unpin> {
    let mut pressed = tokio::signal::windows::ctrl_c()?;
    Ok(std::future::poll_fn(move |context| pressed.poll_recv(context).map(drop)))
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
    // Whoever named a client, or wants nobody asked, forgot the server.
    if stdout().is_terminal() && args.client_id.is_none() && !args.output.no_prompt {
        return Ok(true);
    }
    Err(Problem::configuration(
        "no server was named",
        "give the issuer: oauth authorize https://… --client-id …, or a profile; --demo tries it with a server inside",
    ))
}
