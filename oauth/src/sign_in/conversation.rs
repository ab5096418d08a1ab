//! How a sign-in goes.

use super::paste::{self, Answer, PasteNote};
use super::{SignIn, Step, Wait};
use crate::authorization::Authorization;
use crate::authorizer::Authorizer;
use crate::error::Error;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use oauth_core::{AuthorizationResponse, ConfigError, Pending};
use oauth_loopback::browser::{self, Browser, Opening};
use oauth_loopback::{Callback, Listener, OwnPage, ReceiveError, Reply};
use url::Url;

impl Authorizer {
    /// Signs a person in, in the browser of this machine (RFC 8252), or of another where the answer is
    /// [pasted](SignIn::paste).
    ///
    /// Listens first, opens the browser then, and shows the browser how it ended only when it has: the page tells the
    /// truth. Dropping the future cancels the login and frees the port.
    ///
    /// # Errors
    /// The port cannot be bound, the person does not come back in time or refuses, the answer must not be trusted, or
    /// the server refuses or cannot be understood or reached.
    pub async fn sign_in(&self, mut sign_in: SignIn) -> Result<Authorization, Error> {
        let listener = match sign_in.redirect_uri {
            None => Some(sign_in.listen()?),
            Some(_) => None,
        };
        if let Some(listener) = &listener {
            let (redirect_uri, port) = (listener.redirect_uri(), listener.port());
            (sign_in.on_step)(&Step::Listening { redirect_uri, port });
        }
        let redirect_uri = listener.as_ref().map(Listener::registered_redirect_uri);
        let redirect_uri = redirect_uri.or(sign_in.redirect_uri.as_deref()).unwrap_or_default();
        let path =
            listener.as_ref().map(|listener| listener.redirect_uri().path().to_owned()).unwrap_or_default();
        let (open, pending) = match sign_in.begun.take() {
            Some(begun) => begun,
            None => {
                let ready = self.begin(sign_in.request(redirect_uri)).await?;
                (ready.open, ready.pending)
            }
        };
        // The endpoint was checked when the client was made; this is what the browser is given, and it is checked again.
        let url =
            Url::parse(open.as_str()).map_err(|_| Error::Config(ConfigError::NoAuthorizationEndpoint))?;
        (sign_in.on_step)(&Step::Open { url: &open });
        let mut opening = self.launch(url.clone(), sign_in.browser.as_ref())?;
        let mut receive = match listener {
            Some(listener) => {
                let recogniser = pending.recogniser();
                self.host().receive(Wait { listener, recogniser, options: sign_in.options(&url) })
            }
            None => {
                let end = self.host().now().mono.after(sign_in.timeout);
                let time = self.host().sleep_until(end);
                Box::pin(async move {
                    time.await;
                    Err(ReceiveError::TimedOut)
                })
            }
        };
        let answer = poll_fn(|context| {
            if let Some(Poll::Ready(launch)) = opening.as_mut().map(|opening| Pin::new(opening).poll(context))
            {
                (sign_in.on_step)(&Step::Launched(&launch));
                opening = None;
            }
            if let Poll::Ready(received) = receive.as_mut().poll(context) {
                return Poll::Ready(received.map(Way::Browser).map_err(Error::from));
            }
            sign_in.poll_pasted(&pending, context)
        })
        .await?;
        // Frees the port, where the answer came another way; a browser that is there is still answered.
        drop(receive);
        (sign_in.on_step)(&Step::Answered);
        match answer {
            Way::Browser(callback) => self.answered(pending, &path, callback, &*sign_in.on_step).await,
            Way::Pasted(Answer::Response(pasted)) => self.finish(pending, &pasted.as_response()).await,
            Way::Pasted(Answer::Code(code)) => self.finish_by_code(pending, code).await,
        }
    }

    /// Opens the browser, as whoever hears of it wants it.
    #[cfg(any(feature = "hyper", feature = "isahc"))]
    fn launch(&self, url: Url, browser: Option<&Browser>) -> Result<Option<Opening>, Error> {
        use oauth_transport::BrowserLaunch;
        let command = browser.map(Browser::to_string).unwrap_or_default();
        let decided = self.host().events().launch_browser(BrowserLaunch::new(url, command.clone()));
        let rewritten;
        let browser = if decided.command == command {
            browser
        } else if decided.command.trim().is_empty() {
            None
        } else {
            rewritten = Browser::command(&decided.command)?;
            Some(&rewritten)
        };
        Ok(browser.map(|browser| browser::open(&decided.url, browser)).transpose()?)
    }

    #[cfg(not(any(feature = "hyper", feature = "isahc")))]
    fn launch(&self, url: Url, browser: Option<&Browser>) -> Result<Option<Opening>, Error> {
        Ok(browser.map(|browser| browser::open(&url, browser)).transpose()?)
    }

    /// Checks what the browser brought, and shows it how that went.
    async fn answered(
        &self,
        pending: Pending,
        path: &str,
        callback: Callback,
        on_step: &(dyn Fn(&Step<'_>) + Send + Sync),
    ) -> Result<Authorization, Error> {
        let Callback { response, reply, .. } = callback;
        let page = self.page(path, &response.as_response());
        let result = self.finish(pending, &response.as_response()).await;
        let delivery = match &result {
            Ok(authorization) => {
                on_step(&Step::Granted(authorization));
                page.on(reply).success()
            }
            Err(_) => reply.failure(),
        };
        delivery.await;
        result
    }

    /// What whoever hears of the browser's return wants it to be shown.
    #[cfg(any(feature = "hyper", feature = "isahc"))]
    fn page(&self, path: &str, response: &AuthorizationResponse<'_>) -> Page {
        use oauth_transport::{BrowserReturn, LogLevel, LogType};
        let events = self.host().events();
        let query = match response {
            AuthorizationResponse::Query(text) | AuthorizationResponse::Fragment(text) => text,
            AuthorizationResponse::Form(body) => core::str::from_utf8(body).unwrap_or_default(),
            _ => "",
        };
        let mut back = BrowserReturn::new(path, query);
        events.return_url(&mut back);
        let mut headers = Vec::new();
        for (name, value) in &back.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            match Reply::check_header(name.as_str(), &value) {
                Ok(()) => headers.push((name.as_str().to_owned(), value)),
                Err(error) => events.log(LogLevel::Info, LogType::Info, || error.to_string()),
            }
        }
        Page { headers, body: back.body }
    }

    #[cfg(not(any(feature = "hyper", feature = "isahc")))]
    fn page(&self, _: &str, _: &AuthorizationResponse<'_>) -> Page {
        Page::default()
    }
}

/// What a page is to be beside, or in place of, the built-in one.
#[derive(Default)]
struct Page {
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Page {
    fn on(self, mut reply: Reply) -> Reply {
        for (name, value) in &self.headers {
            reply = reply.with_header(name, value).expect("it was checked");
        }
        match self.body {
            Some(html) => reply.with_body(OwnPage::new(html).with_inline_styles().with_inline_scripts()),
            None => reply,
        }
    }
}

/// How the answer came.
enum Way {
    Browser(Callback),
    Pasted(Answer),
}

impl SignIn {
    /// Takes what is pasted until there is an answer among it.
    fn poll_pasted(&mut self, pending: &Pending, context: &mut Context<'_>) -> Poll<Result<Way, Error>> {
        while let Some(source) = &mut self.pasted {
            let text = match source(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(text)) => text,
                Poll::Ready(None) => {
                    self.pasted = None;
                    break;
                }
            };
            match paste::judge(text, pending) {
                Ok(answer) => {
                    if matches!(answer, Answer::Code(_)) {
                        (self.on_step)(&Step::Pasted(PasteNote::StateUnchecked));
                    }
                    return Poll::Ready(Ok(Way::Pasted(answer)));
                }
                Err(note) => (self.on_step)(&Step::Pasted(note)),
            }
        }
        // The browser may still come, where it has somewhere to come to.
        if self.redirect_uri.is_some() { Poll::Ready(Err(Error::NothingPasted)) } else { Poll::Pending }
    }
}
