//! `oauth explain`: what the client makes of a captured message, offline.
//!
//! Nothing is parsed here that the core parses: a `Client` is made of what the case says that it knew, and its real flows
//! are driven with the message as the answer. What lives where:
//!
//! - `case`, `context`, `http`: from a line of JSON, or a file, to a case;
//! - `client`: the client, its clock and chance, and the driver; `tokens`, `device`, `metadata`, `endpoints`, `callback`,
//!   `challenge`, `signed`, `encrypted`, `key_file`: which flow or reader a kind is judged by, and what it ends in;
//! - `rules`: from what the core says to a class, a rule and whose fault it is, in one table;
//! - `verdict`, `text`, `quote`, `secrets`: what is shown, and what is not.

mod callback;
mod case;
mod challenge;
mod client;
mod context;
mod device;
mod encrypted;
mod endpoints;
mod http;
mod key_file;
mod kind;
mod lines;
mod metadata;
mod quote;
mod rules;
mod secrets;
mod signed;
mod text;
mod tokens;
mod verdict;

pub(crate) use kind::Kind;
pub(crate) use secrets::printable;

use crate::args::{Explain, ExplainOutput};
use crate::exit::{Exit, Problem};
use crate::report::Report;
use crate::secret_file::is_stdin;
use ::http::StatusCode;
use ::http::header::{CONTENT_ENCODING, HeaderValue, WWW_AUTHENTICATE};
use case::{Case, Message, Step};
use lines::{Line, Lines};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use verdict::{Stop, Verdict};

/// What is read of a message: more than any client reads.
const MAX_FILE: u64 = 2 << 20;
/// In what of a body the member is looked for that is wrong.
const MAX_QUOTED: usize = 64 << 10;

/// Runs the command.
pub(crate) fn run(args: &Explain, report: &Report) -> Result<ExitCode, Problem> {
    if args.show_secrets {
        report.instruction("warning: --show-secrets: what follows may open somebody's account; keep it out of logs and reports");
    }
    match (&args.jsonl, &args.file, args.kind) {
        (Some(path), ..) => cases(args, path),
        (None, Some(path), Some(kind)) => message(args, path, kind),
        // The command line is not complete without one of the two.
        _ => Err(Problem::usage("there is no message", "give --kind KIND FILE, or --jsonl FILE")),
    }
}

/// One message, in a file.
fn message(args: &Explain, path: &Path, kind: Kind) -> Result<ExitCode, Problem> {
    let mut bytes = Vec::new();
    open(path)?.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    let mut context = args.context.clone();
    // A command line is seen by everybody on this machine; the environment is not.
    if kind == Kind::KeyFile
        && !context.iter().any(|(name, _)| name == "password")
        && let Ok(password) = std::env::var("KEY_PASSWORD")
    {
        context.push(("password".to_owned(), password));
    }
    let verdict = match Case::from_text(kind, &bytes, &context) {
        Ok(case) => judge(case, args.show_secrets),
        Err(broken) => return Err(Problem::usage(broken.0, "see `oauth explain --help`")),
    };
    let mut out = io::stdout().lock();
    show(&verdict, args.output.unwrap_or(ExplainOutput::Text), &mut out)
        .and_then(|()| out.flush())
        .map_err(|error| unwritable(&error))?;
    Ok(verdict.refused.map_or(ExitCode::SUCCESS, |refused| refused.exit.into()))
}

/// Cases, one a line; a line that is none gets its verdict, too, and the others go on.
fn cases(args: &Explain, path: &Path) -> Result<ExitCode, Problem> {
    let mut lines = Lines::new(BufReader::new(open(path)?));
    let mut out = io::stdout().lock();
    let mut broken = false;
    while let Some(line) = lines.next().map_err(|error| unreadable(path, &error))? {
        let verdict = match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => continue,
            Line::Whole(line) => match Case::from_line(line) {
                Ok(case) => judge(case, args.show_secrets),
                Err((name, broken)) => Verdict::broken(name, &broken).finish(None, args.show_secrets),
            },
            Line::TooLong { name, kind } => {
                Verdict::too_long(name, kind, lines::MAX_LINE).finish(None, args.show_secrets)
            }
        };
        broken |= verdict.refused.as_ref().is_some_and(|refused| refused.exit == Exit::Usage);
        show(&verdict, args.output.unwrap_or(ExplainOutput::Jsonl), &mut out)
            .map_err(|error| unwritable(&error))?;
    }
    out.flush().map_err(|error| unwritable(&error))?;
    Ok(if broken { Exit::Usage.into() } else { ExitCode::SUCCESS })
}

fn show(verdict: &Verdict, output: ExplainOutput, out: &mut impl Write) -> io::Result<()> {
    match output {
        ExplainOutput::Text => writeln!(out, "{}", text::text(verdict)),
        ExplainOutput::Jsonl => writeln!(out, "{}", verdict.to_json()),
    }
}

/// The verdict on one case.
fn judge(mut case: Case, show_secrets: bool) -> Verdict {
    let mut verdict = Verdict::new(case.name.clone(), Some(case.kind));
    verdict.notes = std::mem::take(&mut case.notes);
    let head = received(&case, &mut verdict);
    let message = std::mem::replace(&mut case.message, Message::Unread);
    let case = &case;
    let judged = match (case.kind, message) {
        (_, Message::RawRequest) => {
            Err(Stop::Unsupported("the raw bytes of a listener yet; give request".into()))
        }
        (Kind::Callback, Message::Callback(callback)) => callback::judge(case, &callback, &mut verdict),
        (Kind::DevicePoll, Message::Responses(steps)) => device::judge_poll(case, &steps, &mut verdict),
        (Kind::IdToken, Message::Token(token)) => signed::judge_id_token(case, &token, &mut verdict),
        (Kind::KeyFile, Message::Response(captured)) => {
            key_file::judge(case, captured.parts().map_or(&[], |parts| &parts.body), &mut verdict)
        }
        (Kind::Jwks, Message::Response(captured)) => {
            signed::judge_jwks(captured.parts(), &mut verdict);
            Ok(())
        }
        (kind, Message::Response(captured)) => match kind {
            kind if kind.is_of_token_endpoint() => tokens::judge(case, captured, &mut verdict),
            Kind::DeviceAuthorization => device::judge_prompt(case, captured, &mut verdict),
            Kind::Metadata => metadata::judge(case, captured, &mut verdict),
            Kind::Introspection => endpoints::judge_introspection(case, captured, &mut verdict),
            Kind::Revocation => endpoints::judge_revocation(case, captured, &mut verdict),
            Kind::Registration => endpoints::judge_registration(case, captured, &mut verdict),
            Kind::WwwAuthenticate => challenge::judge(case, captured, &mut verdict),
            kind => Err(unsupported(kind)),
        },
        (kind, _) => Err(unsupported(kind)),
    };
    if let Err(stop) = judged {
        verdict.stopped(&stop);
    }
    if let (Some(refused), Some(head)) = (&verdict.refused, head) {
        // An address and a header are short: they are shown from their beginning.
        let whole = matches!(case.kind, Kind::Callback | Kind::WwwAuthenticate);
        let member = refused.member.as_deref().filter(|_| !whole);
        verdict.received = Some(quote::quote(&head, member));
    }
    verdict.finish(Some(case), show_secrets)
}

fn unsupported(kind: Kind) -> Stop {
    Stop::Unsupported(format!("messages of the kind {} yet", kind.name()))
}

/// What there is to look at, for people: told in a word, and the beginning of the body.
fn received(case: &Case, verdict: &mut Verdict) -> Option<Vec<u8>> {
    if matches!(case.kind, Kind::KeyFile | Kind::Jwks) {
        return None;
    }
    let captured = match &case.message {
        Message::Response(captured) => captured,
        Message::Responses(steps) => match steps.as_slice() {
            [Step::Answer(captured)] => captured,
            _ => return None,
        },
        // What a browser sent is no body, and is quoted in the same way.
        Message::Callback(callback) => {
            let head = [callback.target.as_bytes(), b" ", callback.body.as_slice()].concat();
            return Some(head.trim_ascii().to_owned());
        }
        // What is secret, or has secrets in it, is not quoted.
        Message::Token(_) | Message::RawRequest | Message::Unread => return None,
    };
    let parts = captured.parts()?;
    let reason = parts.status.canonical_reason().unwrap_or_default();
    let status = match parts.status {
        StatusCode::OK => "status 200".to_owned(),
        status => format!("status {} {reason}", status.as_u16()).trim_end().to_owned(),
    };
    if let Some(coding) = parts.headers.get(CONTENT_ENCODING).filter(|coding| *coding != "identity") {
        let coding = String::from_utf8_lossy(coding.as_bytes());
        let text =
            format!("The body is said to be {coding}: a client asks for no coding, and reads it as it is.");
        verdict.note("RFC 9110 section 12.5.3", text);
    }
    verdict.subject = Some(format!("{status}, {} bytes", parts.body.len()));
    if case.kind == Kind::WwwAuthenticate {
        let values = parts.headers.get_all(WWW_AUTHENTICATE).iter().map(HeaderValue::as_bytes);
        return Some(values.collect::<Vec<_>>().join(&b", "[..])).filter(|head| !head.is_empty());
    }
    let head = parts.body.get(..parts.body.len().min(MAX_QUOTED))?;
    Some(head.to_owned()).filter(|head| !head.is_empty())
}

fn open(path: &Path) -> Result<Box<dyn Read>, Problem> {
    if is_stdin(path) {
        return Ok(Box::new(io::stdin().lock()));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    if path.to_string_lossy().contains("://") {
        let next = "pipe it: what is on a command line, everybody on this machine can see";
        return Problem::usage("an address stands where a file's name should", next);
    }
    Problem::usage(
        format_args!("{}: {error}", path.display()),
        "name a file that can be read, or - for standard input",
    )
}

fn unwritable(error: &io::Error) -> Problem {
    Problem::new(
        Exit::Other,
        format_args!("the verdict could not be written to standard output: {error}"),
        "check what standard output is connected to",
    )
}
