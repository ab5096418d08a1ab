//! `oauth demo` and `--demo`: the real client against a server inside this process.

use crate::args::{Authorize, BrowserFlags, Demo, Fault, GrantType};
use crate::authorize::{on_device, parameters, scope};
use crate::exit::{Exit, Problem};
use crate::hints::Flags;
use crate::observed::Observed;
use crate::report::Report;
use crate::{faults, in_browser, network, output, redirect};
use http::header::{AUTHORIZATION, HeaderValue};
use oauth::core::{Endpoint, OptOut, Policy, Purpose, Registration, Request, Scope};
use oauth::transport::EventSink;
use oauth::{Authorization, Authorizer, Error, Host as _, HyperHost, Settings, SignIn, Step};
use oauth_testserver::{Browser, TestServer};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// Who signs in when nobody has to click.
const PERSON: &str = "ada";

/// The guided tour.
pub(crate) async fn tour(args: &Demo, report: &Report) -> Result<Zeroizing<String>, Problem> {
    report.tell_steps();
    let server = start(args.fault, args.device)?;
    report.note(
        "A tour with an authorization server inside this process: no account, no network, nothing kept.\n",
    );
    if let Some(fault) = args.fault {
        report.note(format_args!("This time something goes wrong: {}.\n", fault.story()));
    }
    let authorization = walk(&server, args, report).await?;
    report.note("\nThe line below is the value of an Authorization header. It works nowhere but here, and only until now.");
    report.note("Next: oauth authorize ISSUER-URL --client-id ID\n");
    Ok(Zeroizing::new(authorization.header_value().to_owned()))
}

/// `oauth authorize --demo`: the same, with the output of `authorize`.
pub(crate) async fn authorize(args: &Authorize, report: &Report) -> Result<Zeroizing<String>, Problem> {
    if args.output.no_prompt {
        return Err(Problem::new(
            Exit::LoginNeeded,
            "the demo needs a person, and none may be asked here",
            "leave out --no-prompt, or run `oauth demo --yes`",
        ));
    }
    let device = args.request.device || args.request.grant_type == GrantType::Device;
    if !device && !matches!(args.request.grant_type, GrantType::Auto | GrantType::Code) {
        return Err(Problem::usage("the demo shows the grants code and device", "leave out --grant-type"));
    }
    let server = start(None, device)?;
    report.note("No server was named: this is the built-in demo server, and its token works nowhere else.");
    report.note("Next: oauth authorize ISSUER-URL --client-id ID\n");
    let mut sign_in = redirect::way_back(&args.redirect, &args.browser, report)?;
    for (name, value) in parameters(&args.request) {
        sign_in = sign_in.parameter(name, value);
    }
    let asked = scope(&args.request.scope)?;
    let plan = Plan {
        device,
        yes: false,
        fault: None,
        browser: &args.browser,
        scope: asked,
        flags: Flags::beside(&args.redirect),
    };
    let authorization = sign_in_at(&server, sign_in, &plan, report).await?;
    output::line(&authorization, args.output.output)
}

fn start(fault: Option<Fault>, device: bool) -> Result<TestServer, Problem> {
    let mut server = TestServer::builder().device_interval(Duration::from_secs(1));
    if let Some(fault) = fault {
        server = fault.at(server, device)?;
    }
    server.start().map_err(|error| {
        Problem::new(
            Exit::Local,
            format_args!("the demo server could not start: {error}"),
            "check that this machine lets programs listen on 127.0.0.1",
        )
    })
}

async fn walk(server: &TestServer, args: &Demo, report: &Report) -> Result<Authorization, Problem> {
    report.step("server", server.issuer());
    let plan = Plan {
        device: args.device,
        yes: args.yes,
        fault: args.fault,
        browser: &args.browser,
        scope: None,
        flags: Flags::None,
    };
    let sign_in = match args.browser.paste {
        true => SignIn::new().without_listener("http://127.0.0.1/callback"),
        false => SignIn::new(),
    };
    let authorization = sign_in_at(server, sign_in, &plan, report).await?;
    report.step("granted", output::summary(&authorization));
    let name = userinfo(server, &authorization, report).await?;
    report.step("hello", format_args!("{name}; the token opens the door"));
    Ok(authorization)
}

/// How the demo goes.
struct Plan<'a> {
    device: bool,
    /// Nobody has to click.
    yes: bool,
    fault: Option<Fault>,
    browser: &'a BrowserFlags,
    /// What to ask for, if not for everything.
    scope: Option<Scope>,
    /// Which flags hints may name.
    flags: Flags,
}

async fn sign_in_at(
    server: &TestServer,
    mut sign_in: SignIn,
    plan: &Plan<'_>,
    report: &Report,
) -> Result<Authorization, Problem> {
    let (events, again) = plan.fault.and_then(|fault| fault.events(report)).unzip();
    let host = host(events.unwrap_or_else(|| network::wire(report)))?;
    let host = Arc::new(Observed { host: Arc::new(host), report: report.clone() });
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    let authorizer =
        Authorizer::discover_with(server.issuer(), Registration::public("demo"), policy, host).await?;
    // These are scopes: letters alone.
    let scope = plan.scope.clone().or_else(|| Scope::new("openid profile offline_access").ok());
    if plan.device {
        // A device that nobody uses before its code is too old.
        if plan.yes && plan.fault != Some(Fault::Expired) {
            return on_device_by_itself(&authorizer, scope, report).await;
        }
        return on_device(&authorizer, scope, None, plan.browser, report).await;
    }
    sign_in = sign_in.application("oauth demo");
    if let Some(scope) = scope {
        sign_in = sign_in.scope(scope);
    }
    let (fault, told) = (plan.fault, report.clone());
    let at_the_listener = move |redirect_uri: &Url| {
        if let Some(again) = &again {
            again.at(redirect_uri);
        }
        if let Some(fault) = fault {
            fault.before(redirect_uri, &told);
        }
    };
    if plan.yes {
        return in_browser_by_itself(&authorizer, sign_in, plan, at_the_listener, report).await;
    }
    in_browser::sign_in_with(&authorizer, sign_in, plan.browser, plan.flags, at_the_listener, report).await
}

fn host(events: EventSink) -> Result<HyperHost, Problem> {
    // Nothing here speaks TLS, so the machine's trust roots are not read.
    Ok(HyperHost::new(Settings::new().with_events(events)).map_err(Error::from)?)
}

/// A pretend person clicks through the pages.
async fn in_browser_by_itself(
    authorizer: &Authorizer,
    sign_in: SignIn,
    plan: &Plan<'_>,
    at_the_listener: impl Fn(&Url) + Send + Sync + 'static,
    report: &Report,
) -> Result<Authorization, Problem> {
    let (told, fault) = (report.clone(), plan.fault);
    let at_the_listener = Arc::new(at_the_listener);
    let listening = Mutex::new(None);
    let sign_in = sign_in.browser(None).timeout(plan.browser.timeout).on_step(move |step| match step {
        Step::Listening { redirect_uri, .. } => {
            told.step("listen", redirect_uri);
            *listening.lock().unwrap_or_else(PoisonError::into_inner) = Some((*redirect_uri).clone());
        }
        Step::Open { url } => {
            told.step("browser", format_args!("a pretend browser opens\n              {url}"));
            let (url, told, at_the_listener) = (url.to_string(), told.clone(), Arc::clone(&at_the_listener));
            let redirect_uri = listening.lock().unwrap_or_else(PoisonError::into_inner).take();
            std::thread::spawn(move || {
                if let Some(redirect_uri) = redirect_uri {
                    at_the_listener(&redirect_uri);
                }
                faults::sign_in(PERSON, &url, fault.map_or(1, Fault::attempts), &told);
            });
        }
        Step::Note(note) => told.note(format_args!("note: {note}")),
        Step::Answered => told.step("callback", "the browser is back with our answer"),
        _ => {}
    });
    Ok(authorizer.sign_in(sign_in).await?)
}

async fn on_device_by_itself(
    authorizer: &Authorizer,
    scope: Option<Scope>,
    report: &Report,
) -> Result<Authorization, Problem> {
    let told = report.clone();
    let sign_in = authorizer.sign_in_on_device(scope, move |prompt| {
        told.step("prompt", format_args!("{}   code {}", prompt.verification_uri, prompt.user_code));
        let (page, code) = (prompt.verification_uri.to_string(), prompt.user_code.clone());
        std::thread::spawn(move || match Browser::new().approve_device(&page, &code) {
            Ok(_) => told.step("browser", "a pretend person enters the code and agrees"),
            Err(error) => told.note(format_args!("the pretend browser got stuck: {error}")),
        });
    });
    Ok(sign_in.await?)
}

/// What the token is good for: a protected resource of the same server.
async fn userinfo(
    server: &TestServer,
    authorization: &Authorization,
    report: &Report,
) -> Result<String, Problem> {
    let wrong = |what: &dyn std::fmt::Display| {
        Problem::new(
            Exit::Other,
            format_args!("the demo's own resource did not answer: {what}"),
            "report it to this project",
        )
    };
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    let endpoint =
        Endpoint::new(&format!("{}/userinfo", server.issuer()), &policy).map_err(|error| wrong(&error))?;
    let mut header = HeaderValue::from_str(authorization.header_value()).map_err(|error| wrong(&error))?;
    header.set_sensitive(true);
    let request = Request::get(Purpose::Resource, Arc::new(endpoint)).with_header(AUTHORIZATION, header);
    let host = Observed { host: Arc::new(host(network::wire(report))?), report: report.clone() };
    let response = host.send(request).await.map_err(|unreachable| wrong(&unreachable))?;
    let claims: serde_json::Value = serde_json::from_slice(response.body()).map_err(|error| wrong(&error))?;
    claims["name"].as_str().map(str::to_owned).ok_or_else(|| wrong(&"it names nobody"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::captured;

    fn tour_of(device: bool) -> (TestServer, Authorization, String) {
        let server = start(None, device).unwrap();
        let browser =
            BrowserFlags { no_browser: true, browser: None, paste: false, timeout: Duration::from_secs(20) };
        let args = Demo { device, yes: true, fault: None, browser };
        let (report, captured) = captured();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let authorization = runtime.block_on(walk(&server, &args, &report)).unwrap();
        (server, authorization, captured.text())
    }

    #[test]
    fn the_steps_hold_none_of_the_secrets_that_the_server_issued() {
        for device in [false, true] {
            let (server, authorization, told) = tour_of(device);
            assert!(told.contains("hello") && told.contains("/token"), "{told}");
            let mut secrets = server.issued_secrets();
            assert!(
                secrets.iter().any(|secret| secret == authorization.token()),
                "the server told of its tokens"
            );
            assert!(secrets.len() >= 3, "{} secrets", secrets.len());
            secrets.push(authorization.header_value().to_owned());
            for secret in secrets {
                assert!(!told.contains(&secret), "a secret is in {told}");
            }
        }
    }
}
