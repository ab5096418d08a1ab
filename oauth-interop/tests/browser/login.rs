//! A program that signs a person in, as any program does: `oauth::SignIn`, which shows an address and waits.

use oauth::core::{AuthorizationRequest, AuthorizationResponse, OptOut, Policy, Registration, ResponseMode};
use oauth::host::Host;
use oauth::loopback::{self, Address, Listener, ReceiveOptions};
use oauth::{Authorization, Authorizer, Error, HyperHost, IsahcHost, Settings, SignIn, Step};
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::time::Duration;
use url::Url;

/// Longer than any login takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// It outlives the logins, since a listener goes on for a little after each.
static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

/// The listener runs on what the engine runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    Hyper,
    Isahc,
}

impl Engine {
    fn host(self, settings: Settings) -> Arc<dyn Host> {
        match self {
            Self::Hyper => Arc::new(HyperHost::new(settings).unwrap()),
            Self::Isahc => Arc::new(IsahcHost::new(settings).unwrap()),
        }
    }
}

/// A login under way.
pub(crate) struct Login {
    /// Where the person signs in.
    pub(crate) url: String,
    /// Where the listener waits.
    pub(crate) redirect_uri: Url,
    notes: Arc<Mutex<Vec<String>>>,
    end: mpsc::Receiver<Result<Authorization, Error>>,
}

impl Login {
    /// At the demo server, as its public client.
    pub(crate) fn begin(issuer: &str, sign_in: SignIn) -> Self {
        Self::begin_as(Engine::Hyper, Settings::new(), issuer, "demo", sign_in)
    }

    pub(crate) fn begin_as(
        engine: Engine,
        settings: Settings,
        issuer: &str,
        client_id: &str,
        sign_in: SignIn,
    ) -> Self {
        let (said, steps) = mpsc::channel();
        let (ended, end) = mpsc::channel();
        let notes = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&notes);
        let sign_in = sign_in.browser(None).timeout(PATIENCE).on_step(move |step| match step {
            Step::Listening { redirect_uri, .. } => said.send(redirect_uri.to_string()).unwrap(),
            Step::Open { url } => said.send(url.to_string()).unwrap(),
            Step::Note(note) => noted.lock().unwrap().push(note.to_string()),
            _ => {}
        });
        let (issuer, client_id) = (issuer.to_owned(), client_id.to_owned());
        let login = async move {
            let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
            let registration = Registration::public(&client_id);
            let authorizer =
                Authorizer::discover_with(&issuer, registration, policy, engine.host(settings)).await?;
            authorizer.sign_in(sign_in).await
        };
        // A test that has failed meanwhile wants to know no more.
        let told = async move { drop(ended.send(login.await)) };
        match engine {
            Engine::Hyper => drop(RUNTIME.spawn(told)),
            Engine::Isahc => drop(std::thread::spawn(move || async_io::block_on(told))),
        }
        let next = || match steps.recv_timeout(PATIENCE) {
            Ok(step) => step,
            Err(_) => panic!("the login did not begin: {:?}", end.try_recv()),
        };
        let redirect_uri = next().parse().unwrap();
        Self { redirect_uri, url: next(), notes, end }
    }

    /// With the response in the fragment: what `SignIn` does, step by step.
    pub(crate) fn begin_by_fragment(issuer: &str) -> Self {
        let (said, steps) = mpsc::channel();
        let (ended, end) = mpsc::channel();
        let listener = Listener::bind(&Address::new()).unwrap();
        let redirect_uri = listener.redirect_uri().clone();
        let request =
            AuthorizationRequest::new(redirect_uri.as_str()).with_response_mode(ResponseMode::FRAGMENT);
        let options = ReceiveOptions::new().timeout(PATIENCE).response_mode(loopback::ResponseMode::Fragment);
        let issuer = issuer.to_owned();
        let login = async move {
            let policy = Policy::strict().waive(OptOut::PlainHttpOnLoopback);
            let host = Engine::Hyper.host(Settings::new());
            let authorizer =
                Authorizer::discover_with(&issuer, Registration::public("demo"), policy, host).await?;
            let ready = authorizer.begin(request).await?;
            said.send(ready.open.to_string()).unwrap();
            let recogniser = ready.pending.recogniser();
            let judge = move |response: &AuthorizationResponse<'_>| recogniser.recognise(response);
            let callback = loopback::tokio::receive(listener, judge, options).await?;
            let result = authorizer.finish(ready.pending, &callback.response.as_response()).await;
            match &result {
                Ok(_) => callback.reply.success().await,
                Err(_) => callback.reply.failure().await,
            }
            result
        };
        drop(RUNTIME.spawn(async move { drop(ended.send(login.await)) }));
        let url = steps.recv_timeout(PATIENCE).unwrap();
        Self { redirect_uri, url, notes: Arc::default(), end }
    }

    pub(crate) fn port(&self) -> u16 {
        self.redirect_uri.port().unwrap()
    }

    /// What the program tells the person while it waits.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap().clone()
    }

    /// Whether it still waits for its answer.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.end.try_recv(), Err(mpsc::TryRecvError::Empty))
    }

    pub(crate) fn end(self) -> Result<Authorization, Error> {
        self.end.recv_timeout(PATIENCE).unwrap()
    }
}
