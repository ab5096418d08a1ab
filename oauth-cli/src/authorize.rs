//! `oauth authorize` and `oauth token`: from flags to an authorization.

use crate::args::{Authorize, BrowserFlags, GrantType, Output, RequestFlags};
use crate::ending::OnTheWire;
use crate::exit::{Exit, Problem};
use crate::observed::Observed;
use crate::profile::{Secret, Settings};
use crate::report::Report;
use crate::{in_browser, network, output, redirect, secret_file, signing};
use oauth::core::{
    AuthMethod, Client, ClientCredentials, ClientSecret, CodeChallenge, DevicePrompt, Discover, ErrorCode,
    OptOut, Policy, Refresh, RefreshToken, Refusal, Registration, Scope, Server,
};
use oauth::jwt::Keyring;
use oauth::{Authorization, Authorizer, Error, Host, WithKeys};
use std::io::{IsTerminal as _, stdin};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Runs the command and returns the line for standard output.
///
/// `ask` is whether a person may be asked: `authorize` may, `token` never does.
pub(crate) async fn run(args: &Authorize, ask: bool, report: &Report) -> Result<Zeroizing<String>, Problem> {
    let ask = ask && !args.output.no_prompt;
    let grant = grant(args, ask)?;
    refuse_two_readers(args)?;
    let scope = scope(&args.request.scope)?;
    refuse_lost_rotation(args, grant)?;
    let authorizer = authorizer(args, report).await?;
    let grant = match grant {
        // The server may have no page for a browser.
        GrantType::Auto if authorizer.client().server().authorization_endpoint().is_some() => GrantType::Code,
        GrantType::Auto => GrantType::Device,
        named => named,
    };
    let authorization = match grant {
        GrantType::Auto | GrantType::Code => in_browser(&authorizer, args, scope, report).await?,
        GrantType::Device => {
            let interval = settings(args).and_then(|said| said.said_seconds("PollingInterval"));
            on_device(&authorizer, scope, interval, &args.browser, report).await?
        }
        GrantType::ClientCredentials => client_credentials(&authorizer, &args.request, scope).await?,
        GrantType::Refresh => refresh(&authorizer, args, scope, report).await?,
        GrantType::JwtBearer => jwt_bearer(&authorizer, args, scope).await?,
    };
    report.step("granted", output::summary(&authorization));
    output::line(&authorization, args.output.output)
}

/// The grant that the flags ask for, as far as they tell.
fn grant(args: &Authorize, ask: bool) -> Result<GrantType, Problem> {
    let request = &args.request;
    let grant = match request.grant_type {
        // It is the word for one grant, whatever the profile says.
        _ if request.device => GrantType::Device,
        GrantType::Auto if request.refresh_token_file.is_some() => GrantType::Refresh,
        GrantType::Auto if !ask && signing::is_named(args) => GrantType::ClientCredentials,
        GrantType::Auto
            if !ask
                && (args.client_secret.is_some()
                    || args.client_secret_file.is_some()
                    || args.profile.secret.is_some()) =>
        {
            GrantType::ClientCredentials
        }
        named => named,
    };
    if !ask && matches!(grant, GrantType::Auto | GrantType::Code | GrantType::Device) {
        return Err(Problem::new(
            Exit::LoginNeeded,
            "a person has to sign in, and none may be asked here",
            "run `oauth authorize`, or give --refresh-token-file, --signing-key, or --grant-type client-credentials",
        ));
    }
    Ok(grant)
}

pub(crate) fn scope(values: &[String]) -> Result<Option<Scope>, Problem> {
    let joined = values.join(" ").replace(',', " ");
    if joined.trim().is_empty() {
        return Ok(None);
    }
    Scope::new(&joined).map(Some).map_err(|error| Problem::usage(error, "check --scope"))
}

async fn authorizer(args: &Authorize, report: &Report) -> Result<Authorizer, Problem> {
    let mut policy = Policy::strict();
    if args.network.allow_http_loopback {
        policy = policy.waive(OptOut::PlainHttpOnLoopback);
    }
    policy = match code_challenge(args) {
        CodeChallenge::None => policy.waive(OptOut::NoCodeChallenge),
        CodeChallenge::Plain => policy.waive(OptOut::PlainCodeChallenge),
        _ => policy,
    };
    for opt_out in policy.opt_outs() {
        report.note(format_args!("warning: {opt_out}"));
    }
    let mut registration = registration(args, report)?;
    let host = host(args, report)?;
    let address = |name, address: &Option<String>| match (settings(args), address) {
        (Some(said), Some(address)) => said.address(name, address).map(Some),
        (_, address) => Ok(address.clone()),
    };
    let issuer = address("issuer", args.issuer.as_ref().map_or(&args.issuer_flag, |_| &args.issuer))?;
    let authorization = address("authorization_endpoint", &args.authorization_endpoint)?;
    let token = address("token_endpoint", &args.token_endpoint)?;
    let device = address("device_authorization_endpoint", &args.device_authorization_endpoint)?;
    if authorization.is_some() || token.is_some() || device.is_some() {
        // The client's own assertion is for the issuer, unless nobody says who that is (RFC 7523 section 3).
        if issuer.as_deref().is_none_or(str::is_empty)
            && let Some(url) = &token
        {
            registration = registration.with_assertion_audience(url);
        }
        let mut server = Server::new(issuer.unwrap_or_default());
        if let Some(url) = authorization {
            server = server.with_authorization_endpoint(url);
        }
        if let Some(url) = token {
            server = server.with_token_endpoint(url);
        }
        if let Some(url) = device {
            server = server.with_device_authorization_endpoint(url);
        }
        let client = Client::new(server, registration, policy).map_err(Error::from)?;
        return Ok(Authorizer::new(client, host));
    }
    let Some(issuer) = issuer else {
        return Err(Problem::configuration(
            "no server was named",
            "give the issuer: oauth authorize https://… --client-id …, or try `oauth demo`",
        ));
    };
    // Checked first: a typing error should not be hidden behind a network error.
    let _checked = Discover::new(issuer.as_str(), policy.clone()).map_err(Error::from)?;
    Ok(Authorizer::discover_with(&issuer, registration, policy, host).await?)
}

fn registration(args: &Authorize, report: &Report) -> Result<Registration, Problem> {
    let Some(client_id) = &args.client_id else {
        return Err(Problem::configuration(
            "no client was named",
            "give --client-id: the server's operator, or its registration page, tells it",
        ));
    };
    let secret = match (&args.client_secret, &args.client_secret_file) {
        (Some(secret), _) => {
            if std::env::var_os("OAUTH_CLIENT_SECRET").is_none() {
                report.note("warning: a secret on the command line can be seen by everybody on this machine; prefer --client-secret-file");
            }
            Some(ClientSecret::new(secret.as_str()))
        }
        (None, Some(path)) => Some(ClientSecret::new(secret_file::read(path)?.as_str())),
        (None, None) => args.profile.secret.as_ref().map(Secret::read).transpose()?,
    };
    let method = args.auth_method.as_deref().map(AuthMethod::from_text);
    let by_certificate = [AuthMethod::TLS_CLIENT_AUTH, AuthMethod::SELF_SIGNED_TLS_CLIENT_AUTH];
    if let Some(method) = method.clone().filter(|method| by_certificate.contains(method)) {
        if args.network.tls_cert.is_none() {
            return Err(Problem::usage(
                format_args!("{method} needs a certificate to show"),
                "give --tls-cert, and --tls-key where the key is in a file of its own",
            ));
        }
        return Ok(
            Registration::with_certificate(client_id, network::certificate_name()).authenticated_by(method)
        );
    }
    let registration = match (secret, signing::is_named(args)) {
        (Some(_), true) => {
            return Err(Problem::usage(
                "a client has a secret or a key, not both",
                "leave out one of the two",
            ));
        }
        (Some(secret), false) => Registration::with_secret(client_id, secret),
        // The key of a jwt-bearer grant signs for the grant, and for the client where it is told to.
        (None, true) if args.request.grant_type == GrantType::JwtBearer && args.auth_method.is_none() => {
            Registration::public(client_id)
        }
        (None, _) => match signing::key(args)? {
            Some(key) => Registration::with_key(client_id, signing::name(&key), key.algorithm()),
            None => Registration::public(client_id),
        },
    };
    Ok(match method {
        Some(method) => registration.authenticated_by(method),
        None => registration,
    })
}

fn host(args: &Authorize, report: &Report) -> Result<Arc<dyn Host>, Problem> {
    let host = network::host(&args.network, &args.profile, report)?;
    let host = match settings(args) {
        None => host,
        Some(said) => said.component.with_form_vars(host).map_err(|error| said.wrong(error))?,
    };
    let host = match signing::key(args)? {
        None => host,
        Some(key) => {
            let mut keyring = Keyring::new();
            let _none_before = keyring.insert(signing::name(&key), key);
            Arc::new(WithKeys::new(host, keyring)) as Arc<dyn Host>
        }
    };
    Ok(Arc::new(Observed { host, report: report.clone() }))
}

async fn in_browser(
    authorizer: &Authorizer,
    args: &Authorize,
    scope: Option<Scope>,
    report: &Report,
) -> Result<Authorization, Problem> {
    let mut sign_in = redirect::way_back(&args.redirect, &args.browser, report)?.application("oauth");
    if let Some(scope) = scope {
        sign_in = sign_in.scope(scope);
    }
    for (name, value) in parameters(&args.request) {
        sign_in = sign_in.parameter(name, value);
    }
    sign_in = sign_in.code_challenge(code_challenge(args));
    let said = |name| settings(args).and_then(|settings| settings.said(name));
    if let Some(page) = said("WebServerResponse").filter(|page| !page.is_empty()) {
        sign_in = sign_in.success_page(page);
    }
    if let Some(page) = said("WebServerFailedResponse").filter(|page| !page.is_empty()) {
        sign_in = sign_in.failure_page(page);
    }
    in_browser::sign_in(authorizer, sign_in, &args.redirect, &args.browser, report).await
}

/// Signs in on another device and shows where.
pub(crate) async fn on_device(
    authorizer: &Authorizer,
    scope: Option<Scope>,
    no_faster_than: Option<Duration>,
    flags: &BrowserFlags,
    report: &Report,
) -> Result<Authorization, Problem> {
    let host = authorizer.host().now();
    // RFC 8628 section 5.4: whoever is sent such a code by a stranger sees here what it would let in, and where.
    let (client, asked) = (authorizer.client(), scope.clone());
    let show = |prompt: &DevicePrompt| {
        let minutes = prompt.expires_at.since(host.unix).as_secs().div_ceil(60);
        report.instruction(format_args!(
            "On any device, open\n\n    {}\n\nand enter the code\n\n    {}\n",
            prompt.verification_uri, prompt.user_code
        ));
        if let Some(complete) = &prompt.verification_uri_complete {
            report.instruction(format_args!("or open the address with the code in it:\n\n    {complete}\n"));
        }
        let asked = asked.as_ref().map_or("what it is given by default", Scope::as_str);
        report.instruction(format_args!(
            "It lets {} in at {}, for: {asked}\nThe code is good for {minutes} min. Agree only to what you began yourself.",
            client.client_id(),
            client.server().issuer()
        ));
    };
    let sign_in = async {
        let prompt = authorizer.device_prompt(scope).await?;
        show(&prompt);
        authorizer
            .poll_device(match no_faster_than {
                Some(interval) => prompt.poll.no_faster_than(interval),
                None => prompt.poll,
            })
            .await
    };
    let waiting = report.while_waiting("Waiting for the other device", || None, sign_in);
    match tokio::time::timeout(flags.timeout, waiting).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(Problem::new(
            Exit::TimedOut,
            "nobody signed in on the other device in time",
            "run it again, and give more time with --timeout",
        )),
    }
}

async fn client_credentials(
    authorizer: &Authorizer,
    request: &RequestFlags,
    scope: Option<Scope>,
) -> Result<Authorization, Problem> {
    let mut grant = ClientCredentials::new();
    if let Some(scope) = scope {
        grant = grant.with_scope(scope);
    }
    for (name, value) in parameters(request) {
        grant = grant.with_parameter(name, value);
    }
    Ok(authorizer.exchange(grant).await?)
}

/// Standard input is read once: for a secret, or for what is pasted.
fn refuse_two_readers(args: &Authorize) -> Result<(), Problem> {
    let files = [
        &args.client_secret_file,
        &args.request.refresh_token_file,
        &args.network.tls_cert_password_file,
        &args.redirect.callback_tls_password_file,
    ];
    let secrets = files.into_iter().flatten().filter(|path| secret_file::is_stdin(path)).count();
    if args.browser.paste && secrets > 0 {
        return Err(Problem::usage(
            "standard input cannot be read for a secret and for what is pasted",
            "give the secret in a file, or leave out --paste",
        ));
    }
    // A person at a terminal is asked for one after the other.
    if secrets > 1 && !stdin().is_terminal() {
        return Err(Problem::usage(
            "standard input is given for two secrets, and can be read for one",
            "give - once, and a file for the other",
        ));
    }
    Ok(())
}

/// A rotated refresh token must not be lost: where it cannot be written back, it has to be printed.
fn refuse_lost_rotation(args: &Authorize, grant: GrantType) -> Result<(), Problem> {
    if grant != GrantType::Refresh {
        return Ok(());
    }
    match &args.request.refresh_token_file {
        None => Err(Problem::usage("there is no refresh token", "give --refresh-token-file PATH")),
        Some(path) if secret_file::is_stdin(path) && args.output.output != Output::Json => {
            Err(Problem::usage(
                "a refresh token from standard input may be replaced by a new one, which would be lost",
                "add -o json and keep its refresh_token, or give a file that can be written",
            ))
        }
        Some(path) if secret_file::is_stdin(path) => Ok(()),
        Some(path) => secret_file::check_file(path),
    }
}

async fn refresh(
    authorizer: &Authorizer,
    args: &Authorize,
    scope: Option<Scope>,
    report: &Report,
) -> Result<Authorization, Problem> {
    let Some(path) = &args.request.refresh_token_file else {
        return Err(Problem::usage("there is no refresh token", "give --refresh-token-file PATH"));
    };
    // Read, refreshed and written back while no other process does the same.
    let (path, lock) = if secret_file::is_stdin(path) {
        (path.clone(), None)
    } else {
        let path = secret_file::resolve(path)?;
        let lock = secret_file::lock(&path).await?;
        (path, Some(lock))
    };
    let mut old = secret_file::read_token(&path)?;
    if lock.is_some() {
        secret_file::check_replaceable(&path, &old)?;
    }
    let grant = |token: &str| {
        let grant = Refresh::new(RefreshToken::new(token));
        scope.iter().cloned().fold(grant, Refresh::narrowed_to)
    };
    let on_the_wire = OnTheWire::begin();
    let mut result = authorizer.exchange(grant(&old)).await;
    if lock.is_some() && is_spent(&result) {
        // Another program, one that does not know the lock, may have refreshed meanwhile.
        let newer = secret_file::read_token(&path)?;
        if newer != old {
            old = newer;
            result = authorizer.exchange(grant(&old)).await;
        }
    }
    let new = match &result {
        Ok(authorization) => authorization.refresh_token(),
        // A server that says no replaces nothing, whatever else it says.
        Err(error) if refusal(error).is_some() => None,
        // The response was refused for another reason.
        Err(error) => error.rescued(),
    };
    let new = new.filter(|new| new.expose() != old.as_str() && lock.is_some());
    if let Some(Err(error)) = new.map(|new| secret_file::replace(&path, new.expose())) {
        // The access token was asked for, and is good all the same.
        let rest = match (&result, args.output.output) {
            (Ok(_), Output::Json) => "keep the one that is printed",
            _ => "it is lost, so sign in again before the access token ends",
        };
        report.instruction(format_args!(
            "warning: the new refresh token could not be written to {}: {error}; the old one no longer works: {rest}",
            path.display()
        ));
    }
    drop(on_the_wire);
    let is_spent = is_spent(&result);
    result.map_err(|error| match Problem::from(error) {
        // Nobody may be asked here.
        problem if is_spent => Problem { exit: Exit::LoginNeeded, ..problem },
        problem => problem,
    })
}

/// Whether the server says that the refresh token is of no use.
fn is_spent<T>(result: &Result<T, Error>) -> bool {
    let refusal = result.as_ref().err().and_then(refusal);
    refusal.is_some_and(|refusal| refusal.code == ErrorCode::INVALID_GRANT)
}

/// What the server says where it says no.
fn refusal(error: &Error) -> Option<&Refusal> {
    let Error::Failure(failure) = error else { return None };
    match &*failure.error {
        oauth::core::Error::Server(refusal) => Some(refusal),
        _ => None,
    }
}

async fn jwt_bearer(
    authorizer: &Authorizer,
    args: &Authorize,
    scope: Option<Scope>,
) -> Result<Authorization, Problem> {
    let lifetime = settings(args).and_then(|said| said.said_seconds("JWTValidityTime"));
    let mut grant = signing::assertion(args, lifetime, authorizer.client())?;
    if let Some(scope) = scope {
        grant = grant.with_scope(scope);
    }
    Ok(authorizer.exchange(grant).await?)
}

/// How a code is bound to this client: only a profile's setting says anything but S256.
fn code_challenge(args: &Authorize) -> CodeChallenge {
    match settings(args).and_then(|said| said.said("CodeChallengeMethod")).as_deref() {
        Some("0") => CodeChallenge::None,
        Some("1") => CodeChallenge::Plain,
        _ => CodeChallenge::S256,
    }
}

/// What the profile sets by the names of the component.
fn settings(args: &Authorize) -> Option<&Settings> {
    args.profile.settings.as_deref()
}

/// What travels as it is.
pub(crate) fn parameters(request: &RequestFlags) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    let mut add =
        |name: &str, value: Option<String>| parameters.extend(value.map(|value| (name.to_owned(), value)));
    add("audience", request.audience.clone());
    add("login_hint", request.login_hint.clone());
    add("prompt", request.prompt.clone());
    add("max_age", request.max_age.map(|age| age.as_secs().to_string()));
    add("acr_values", request.acr_values.clone());
    add("claims", request.claims.clone());
    for resource in &request.resource {
        add("resource", Some(resource.clone()));
    }
    parameters.extend(request.auth_param.iter().cloned());
    parameters
}
