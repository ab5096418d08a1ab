//! A person signs in in a browser, and is told what they need to know on the way.

use crate::args::{BrowserFlags, RedirectFlags};
use crate::exit::{Exit, Problem};
use crate::hints::{Flags, Situation};
use crate::prompt::Prompt;
use crate::report::Report;
use crate::text_browser::TextBrowser;
use oauth::loopback::Host;
use oauth::loopback::browser::{Browser, Launch, Surroundings};
use oauth::{Authorization, Authorizer, Error, SignIn, Step};
use std::collections::BTreeSet;
use std::io::{IsTerminal as _, stdin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use url::Url;

/// Signs in and shows the steps on the way.
pub(crate) async fn sign_in(
    authorizer: &Authorizer,
    sign_in: SignIn,
    redirect: &RedirectFlags,
    flags: &BrowserFlags,
    report: &Report,
) -> Result<Authorization, Problem> {
    sign_in_with(authorizer, sign_in, flags, Flags::beside(redirect), |_| {}, report).await
}

/// The same for whoever wants to know where the listener is, on a thread of its own. Hints name what there are flags for.
pub(crate) async fn sign_in_with(
    authorizer: &Authorizer,
    sign_in: SignIn,
    flags: &BrowserFlags,
    named: Flags,
    at_the_listener: impl FnOnce(&Url) + Send + 'static,
    report: &Report,
) -> Result<Authorization, Problem> {
    let browser = browser(flags, report)?;
    // One that is named for this has the terminal for itself.
    let (browser, text_browser) = match browser {
        Some(browser) if flags.browser.is_some() && browser.is_text_browser() => {
            (None, Some(TextBrowser::new(browser)))
        }
        browser => (browser, None),
    };
    let mut prompt = if flags.paste {
        let cannot = |error| {
            Problem::new(
                Exit::Local,
                format_args!("what is pasted cannot be read: {error}"),
                "run it on a terminal, or without --paste",
            )
        };
        Some(Prompt::start(report).map_err(cannot)?)
    } else if text_browser.is_some() {
        None
    } else {
        Prompt::beside_the_browser(report)
    };
    let situation = Arc::new(Mutex::new(Situation {
        surroundings: Surroundings::from_env(),
        redirect_uri: None,
        listens_on: 0,
        opens: browser.is_some() || text_browser.is_some(),
        prompts: prompt.is_some(),
        offers_device: authorizer.client().server().device_authorization_endpoint().is_some(),
        flags: named,
    }));
    let told = tell(report, &situation, text_browser.clone(), at_the_listener);
    let sign_in = sign_in.browser(browser).timeout(flags.timeout).on_step(told);
    let (quits, pasted_to, pastes_alone) = (text_browser.clone(), report.clone(), flags.paste);
    let sign_in = sign_in.paste(move |context| {
        let quit = quits.as_ref().and_then(|browser| browser.has_quit(context));
        if let Some(launch) = quit {
            // The terminal is free again.
            if let Launch::Failed(_) = launch {
                pasted_to.note(format_args!("note: {launch}"));
            }
            prompt = prompt.take().or_else(|| Prompt::beside_the_browser(&pasted_to));
            if prompt.is_some() {
                pasted_to.instruction(
                    "Paste here the address that a browser ends at, or the code, and press Enter.",
                );
            }
        }
        let pasted = prompt.as_mut().map_or(Poll::Pending, |prompt| prompt.poll(context));
        if matches!(pasted, Poll::Ready(None)) && !pastes_alone {
            pasted_to.note("note: nothing more is read here; the browser may still come back");
        }
        pasted
    });
    let mut hinted = false;
    let hints = || Some(lock(&situation).late());
    let result = match text_browser {
        Some(browser) => {
            let result = authorizer.sign_in(sign_in).await;
            browser.quit().await;
            result
        }
        None => {
            let hint = || {
                hinted = true;
                hints()
            };
            let what = if flags.paste { "Waiting for the address" } else { "Waiting for the browser" };
            report.while_waiting(what, hint, authorizer.sign_in(sign_in)).await
        }
    };
    let is_late = matches!(&result, Err(Error::Receive(error)) if error.is_timeout());
    if is_late && !hinted {
        report.note(lock(&situation).late());
    }
    result.map_err(|error| {
        let mut problem = Problem::from(error);
        if is_late && !lock(&situation).offers_device {
            problem.next =
                "open the printed address in a browser, or give more time with --timeout".to_owned();
        }
        problem
    })
}

fn browser(flags: &BrowserFlags, report: &Report) -> Result<Option<Browser>, Problem> {
    match &flags.browser {
        _ if flags.no_browser => Ok(None),
        Some(command) => {
            Browser::command(command).map(Some).map_err(|error| Problem::usage(error, "check --browser"))
        }
        None => Ok(Some(Browser::from_env().unwrap_or_else(|error| {
            report.note(format_args!("note: $BROWSER is left alone: {error}"));
            Browser::System
        }))),
    }
}

/// Says each step.
fn tell<F: FnOnce(&Url) + Send + 'static>(
    report: &Report,
    situation: &Arc<Mutex<Situation>>,
    text_browser: Option<TextBrowser>,
    at_the_listener: F,
) -> impl Fn(&Step<'_>) + Send + Sync + use<F> {
    let (told, situation) = (report.clone(), Arc::clone(situation));
    let at_the_listener = Mutex::new(Some(at_the_listener));
    let said = Mutex::new(BTreeSet::new());
    move |step| match step {
        Step::Listening { redirect_uri, port } => {
            lock(&situation).redirect_uri = Some((*redirect_uri).clone());
            lock(&situation).listens_on = *port;
            told.step("listen", redirect_uri);
            if Host::of(redirect_uri).is_some() && redirect_uri.port_or_known_default() != Some(*port) {
                told.note(format_args!(
                    "note: the redirect URI {redirect_uri} leads to another port than {port}, where this listens: something \
                     has to lead from there to here"
                ));
            }
        }
        Step::Open { url } => {
            told.instruction(lock(&situation).instructions(url));
            let redirect_uri = lock(&situation).redirect_uri.clone();
            if let (Some(redirect_uri), Some(first)) = (redirect_uri, lock(&at_the_listener).take()) {
                std::thread::spawn(move || first(&redirect_uri));
            }
            if let Some(browser) = &text_browser {
                told.instruction("The browser gets this terminal now. Quit it once you have signed in.");
                browser.open(&url.to_string(), &told);
            }
        }
        Step::Launched(launch @ Launch::Failed(_)) if !told.tells_steps() => {
            told.note(format_args!("note: {launch}"));
        }
        Step::Launched(launch) => told.step("browser", launch),
        Step::Note(note) => told.note(format_args!("note: {note}")),
        Step::Pasted(note) => {
            let note = note.to_string();
            // A person is told each time, and a pipe, which may never end, once.
            if stdin().is_terminal() || lock(&said).insert(note.clone()) {
                told.note(format_args!("note: {note}"));
            }
        }
        Step::Answered => told.step("callback", "the answer is here"),
        _ => {}
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
