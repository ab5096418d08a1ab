//! `oauth demo` and `--demo`: the real client against a server inside this process.

use crate::args::{Authorize, BrowserFlags, Demo, GrantType};
use crate::authorize::on_device;
use crate::exit::{Exit, Problem};
use crate::in_browser;
use crate::observed::Observed;
use crate::output;
use crate::report::Report;
use http::header::{AUTHORIZATION, HeaderValue};
use oauth::core::{Endpoint, OptOut, Policy, Purpose, Registration, Request, Scope};
use oauth::{Authorization, Authorizer, Error, Host as _, HyperHost, Settings, SignIn};
use oauth_testserver::{Browser, TestServer};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Who signs in when nobody has to click.
const PERSON: &str = "ada";

/// The guided tour.
pub(crate) async fn tour(args: &Demo, report: &Report) -> Result<Zeroizing<String>, Problem> {
    report.tell_steps();
    let server = start()?;
    report.note(
        "A tour with an authorization server inside this process: no account, no network, nothing kept.\n",
    );
    let authorization = walk(&server, args, report).await?;
    report.note("\nThe line below is the value of an Authorization header. It works nowhere but here, and only until now.");
    report.note("Next: oauth authorize ISSUER-URL --client-id ID\n");
    Ok(Zeroizing::new(authorization.header_value().to_owned()))
}

/// `oauth authorize --demo`: the same, with the output of `authorize`.
pub(crate) async fn authorize(args: &Authorize, report: &Report) -> Result<Zeroizing<String>, Problem> {
    let server = start()?;
    report.note("No server was named: this is the built-in demo server, and its token works nowhere else.");
    report.note("Next: oauth authorize ISSUER-URL --client-id ID\n");
    let device = args.request.device || args.request.grant_type == GrantType::Device;
    if !device && !matches!(args.request.grant_type, GrantType::Auto | GrantType::Code) {
        return Err(Problem::usage("the demo shows the grants code and device", "leave out --grant-type"));
    }
    let authorization = sign_in(&server, device, false, &args.browser, report).await?;
    output::line(&authorization, args.output.output)
}

fn start() -> Result<TestServer, Problem> {
    TestServer::builder().device_interval(Duration::from_secs(1)).start().map_err(|error| {
        Problem::new(
            Exit::Local,
            format_args!("the demo server could not start: {error}"),
            "check that this machine lets programs listen on 127.0.0.1",
        )
    })
}

async fn walk(server: &TestServer, args: &Demo, report: &Report) -> Result<Authorization, Problem> {
    report.step("server", server.issuer());
    let authorization = sign_in(server, args.device, args.yes, &args.browser, report).await?;
    report.step("granted", output::summary(&authorization));
    let name = userinfo(server, &authorization, report).await?;
    report.step("hello", format_args!("{name}; the token opens the door"));
    Ok(authorization)
}

async fn sign_in(
    server: &TestServer,
    device: bool,
    yes: bool,
    flags: &BrowserFlags,
    report: &Report,
) -> Result<Authorization, Problem> {
    let host = Arc::new(Observed { host: Arc::new(host()?), report: report.clone() });
    let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
    let authorizer =
        Authorizer::discover_with(server.issuer(), Registration::public("demo"), policy, host).await?;
    // These are scopes: letters alone.
    let scope = Scope::new("openid profile offline_access").ok();
    if device {
        if yes {
            return on_device_by_itself(&authorizer, scope, report).await;
        }
        return on_device(&authorizer, scope, flags, report).await;
    }
    let mut sign_in = SignIn::new().application("oauth demo");
    if let Some(scope) = scope {
        sign_in = sign_in.scope(scope);
    }
    if yes {
        return in_browser_by_itself(&authorizer, sign_in, flags, report).await;
    }
    in_browser::sign_in(&authorizer, sign_in, flags, report).await
}

fn host() -> Result<HyperHost, Problem> {
    // Nothing here speaks TLS, so the machine's trust roots are not read.
    Ok(HyperHost::new(Settings::new()).map_err(Error::from)?)
}

/// A pretend person clicks through the pages.
async fn in_browser_by_itself(
    authorizer: &Authorizer,
    sign_in: SignIn,
    flags: &BrowserFlags,
    report: &Report,
) -> Result<Authorization, Problem> {
    let told = report.clone();
    let sign_in = sign_in.browser(None).timeout(flags.timeout).on_step(move |step| match step {
        oauth::Step::Listening { redirect_uri } => told.step("listen", redirect_uri),
        oauth::Step::Open { url } => {
            told.step("browser", format_args!("a pretend browser opens\n              {url}"));
            let (url, told) = (url.to_string(), told.clone());
            std::thread::spawn(move || match Browser::new().sign_in(PERSON, &url) {
                Ok(landing) => told.step(
                    "browser",
                    format_args!(
                        "{PERSON} signs in and agrees; the last page says {}",
                        landing.status.unwrap_or_default()
                    ),
                ),
                Err(error) => told.note(format_args!("the pretend browser got stuck: {error}")),
            });
        }
        oauth::Step::Note(note) => told.note(format_args!("note: {note}")),
        oauth::Step::Answered => told.step("callback", "the browser is back with our answer"),
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
    let host = Observed { host: Arc::new(host()?), report: report.clone() };
    let response = host.send(request).await.map_err(|unreachable| wrong(&unreachable))?;
    let claims: serde_json::Value = serde_json::from_slice(response.body()).map_err(|error| wrong(&error))?;
    claims["name"].as_str().map(str::to_owned).ok_or_else(|| wrong(&"it names nobody"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::captured;

    fn tour_of(device: bool) -> (TestServer, Authorization, String) {
        let server = start().unwrap();
        let browser = BrowserFlags { no_browser: true, browser: None, paste: false, timeout: Duration::from_secs(20) };
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
