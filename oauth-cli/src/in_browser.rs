//! A person signs in in a browser, and is told what they need to know on the way.

use crate::args::BrowserFlags;
use crate::exit::{Exit, Problem};
use crate::hints::Situation;
use crate::prompt::Prompt;
use crate::report::Report;
use oauth::loopback::browser::{Browser, Surroundings};
use oauth::{Authorization, Authorizer, Error, SignIn, Step};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

/// Signs in and shows the steps on the way.
pub(crate) async fn sign_in(
    authorizer: &Authorizer,
    sign_in: SignIn,
    flags: &BrowserFlags,
    report: &Report,
) -> Result<Authorization, Problem> {
    sign_in_with(authorizer, sign_in, flags, |_| {}, report).await
}

/// The same for whoever wants to know where the listener is, on a thread of its own.
pub(crate) async fn sign_in_with(
    authorizer: &Authorizer,
    sign_in: SignIn,
    flags: &BrowserFlags,
    at_the_listener: impl FnOnce(&Url) + Send + 'static,
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
        listens_on: 0,
        opens: browser.is_some(),
        prompts: prompt.is_some(),
        offers_device: authorizer.client().server().device_authorization_endpoint().is_some(),
    }));
    let sign_in =
        sign_in.browser(browser).timeout(flags.timeout).on_step(tell(report, &situation, at_the_listener));
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
    if matches!(&result, Err(Error::Receive(error)) if error.is_timeout()) && !hinted {
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
fn tell<F: FnOnce(&Url) + Send + 'static>(
    report: &Report,
    situation: &Arc<Mutex<Situation>>,
    at_the_listener: F,
) -> impl Fn(&Step<'_>) + Send + Sync + use<F> {
    let (told, situation) = (report.clone(), Arc::clone(situation));
    let at_the_listener = Mutex::new(Some(at_the_listener));
    move |step| match step {
        Step::Listening { redirect_uri, port } => {
            lock(&situation).redirect_uri = Some((*redirect_uri).clone());
            lock(&situation).listens_on = *port;
            told.step("listen", redirect_uri);
        }
        Step::Open { url } => {
            told.instruction(lock(&situation).instructions(url));
            let redirect_uri = lock(&situation).redirect_uri.clone();
            if let (Some(redirect_uri), Some(first)) = (redirect_uri, lock(&at_the_listener).take()) {
                std::thread::spawn(move || first(&redirect_uri));
            }
        }
        Step::Launched(launch) => told.step("browser", launch),
        Step::Note(note) => told.note(format_args!("note: {note}")),
        Step::Pasted(note) => told.note(format_args!("note: {note}")),
        Step::Answered => told.step("callback", "the answer is here"),
        _ => {}
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
