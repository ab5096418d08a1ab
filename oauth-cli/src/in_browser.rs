//! A person signs in in a browser, and is told what they need to know on the way.

use crate::args::BrowserFlags;
use crate::exit::{Exit, Problem};
use crate::hints::Situation;
use crate::prompt::Prompt;
use crate::report::Report;
use oauth::loopback::ReceiveError;
use oauth::loopback::browser::{Browser, Surroundings};
use oauth::{Authorization, Authorizer, Error, SignIn, Step};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Signs in and shows the steps on the way.
pub(crate) async fn sign_in(
    authorizer: &Authorizer,
    sign_in: SignIn,
    flags: &BrowserFlags,
    report: &Report,
) -> Result<Authorization, Problem> {
    let browser = browser(flags)?;
    // A text browser has the terminal for itself.
    let terminal_is_taken = browser.as_ref().is_some_and(Browser::is_text_browser) && flags.browser.is_some();
    let prompt = if flags.paste {
        let cannot = |error| {
            Problem::new(
                Exit::Local,
                format_args!("what is pasted cannot be read: {error}"),
                "run it on a terminal, or without --paste",
            )
        };
        Some(Prompt::start(report).map_err(cannot)?)
    } else if terminal_is_taken {
        None
    } else {
        Prompt::beside_the_browser(report)
    };
    let situation = Arc::new(Mutex::new(Situation {
        surroundings: Surroundings::from_env(),
        redirect_uri: None,
        opens: browser.is_some(),
        prompts: prompt.is_some(),
        offers_device: authorizer.client().server().device_authorization_endpoint().is_some(),
    }));
    let sign_in = sign_in.browser(browser).timeout(flags.timeout).on_step(tell(report, &situation));
    let sign_in = match prompt {
        Some(mut prompt) => sign_in.paste(move |context| prompt.poll(context)),
        None => sign_in,
    };
    let mut hinted = false;
    let hints = || Some(lock(&situation).late());
    let result = if terminal_is_taken {
        authorizer.sign_in(sign_in).await
    } else {
        let hint = || {
            hinted = true;
            hints()
        };
        let what = if flags.paste { "Waiting for the address" } else { "Waiting for the browser" };
        report.while_waiting(what, hint, authorizer.sign_in(sign_in)).await
    };
    if matches!(result, Err(Error::Receive(ReceiveError::TimedOut))) && !hinted {
        report.note(lock(&situation).late());
    }
    Ok(result?)
}

fn browser(flags: &BrowserFlags) -> Result<Option<Browser>, Problem> {
    let wrong = |error| Problem::usage(error, "check --browser and $BROWSER");
    match &flags.browser {
        _ if flags.no_browser => Ok(None),
        Some(command) => Browser::command(command).map(Some).map_err(wrong),
        None => Browser::from_env().map(Some).map_err(wrong),
    }
}

/// Says each step.
fn tell(report: &Report, situation: &Arc<Mutex<Situation>>) -> impl Fn(&Step<'_>) + Send + Sync + use<> {
    let (told, situation) = (report.clone(), Arc::clone(situation));
    move |step| match step {
        Step::Listening { redirect_uri } => {
            lock(&situation).redirect_uri = Some((*redirect_uri).clone());
            told.step("listen", redirect_uri);
        }
        Step::Open { url } => told.instruction(lock(&situation).instructions(url)),
        Step::Launched(launch) => told.step("browser", launch),
        Step::Note(note) => told.note(format_args!("note: {note}")),
        Step::Pasted(note) => told.note(format_args!("note: {note}")),
        Step::Answered => told.step("callback", "the answer is here"),
        _ => {}
    }
}

fn lock(situation: &Mutex<Situation>) -> MutexGuard<'_, Situation> {
    situation.lock().unwrap_or_else(PoisonError::into_inner)
}
