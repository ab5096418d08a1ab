//! What is decided once per login, whatever the driver: which request is the callback, and what the others are told.

use crate::answer::Answer;
use crate::callback::Received;
use crate::note::{Note, OnNote};
use crate::options::ReceiveOptions;
use crate::own_page::OwnPage;
use crate::page::Page;
use crate::reply::Ending;
use crate::request::{Refusal, Request};
use crate::response_mode::ResponseMode;
use crate::verdict::{Rules, Verdict};
use http::StatusCode;
use oauth_core::{AuthorizationResponse, Recognised};
use std::fmt::Write as _;
use std::io;
use zeroize::Zeroizing;

/// Says whether an authorization response is that of the login at hand.
pub(crate) type Judge<'a> = dyn FnMut(&AuthorizationResponse<'_>) -> Recognised + Send + 'a;

pub(crate) struct Desk {
    rules: Rules,
    application: Option<String>,
    success_page: Option<OwnPage>,
    failure_page: Option<OwnPage>,
    on_note: Option<OnNote>,
    said: Vec<Note>,
    received: Option<Received>,
    /// A script has brought the response, and its page will come for the end of the login.
    expects_return: bool,
}

/// What happens to a connection whose request is complete or refused.
pub(crate) enum Decision {
    Answer(Vec<u8>),
    /// The callback: it waits for the end of the login.
    Hold,
    /// There is nothing that the peer would understand.
    Close,
}

impl Desk {
    pub(crate) fn new(rules: Rules, options: &mut ReceiveOptions) -> io::Result<Self> {
        let rules = match options.response_mode {
            ResponseMode::Query => rules,
            ResponseMode::FormPost => rules.form_post(),
            ResponseMode::Fragment => rules.fragment(&token()?),
        };
        Ok(Self {
            rules: options.private_network.iter().fold(rules, Rules::private_network_for),
            application: options.application.take(),
            success_page: options.success_page.take(),
            failure_page: options.failure_page.take(),
            on_note: options.on_note.take(),
            said: Vec::new(),
            received: None,
            expects_return: false,
        })
    }

    /// Without a judge the login has its response already.
    pub(crate) fn decide(
        &mut self,
        request: Result<Request, Refusal>,
        judge: Option<&mut Judge<'_>>,
    ) -> Decision {
        let request = match request {
            Ok(request) => request,
            Err(refusal) => return self.refuse(refusal, judge.is_some()),
        };
        let response = match self.rules.verdict(&request) {
            Verdict::Response(response) => response,
            Verdict::Return if std::mem::take(&mut self.expects_return) => return Decision::Hold,
            Verdict::Return => return Decision::Answer(self.stray(judge.is_some())),
            Verdict::OtherMode(response, answer) => {
                match judge.filter(|_| self.received.is_none()).map(|judge| judge(&response)) {
                    Some(Recognised::Ours) => self.say(Note::OtherMode(match response {
                        AuthorizationResponse::Form(_) => ResponseMode::FormPost,
                        _ => ResponseMode::Query,
                    })),
                    Some(Recognised::NotOurs(why)) => self.say(Note::NotOurs(why)),
                    _ => {}
                }
                return Decision::Answer(self.write(&answer));
            }
            Verdict::Answer(answer, note) => {
                if let Some(note) = note.filter(|_| judge.is_some()) {
                    self.say(note);
                }
                return Decision::Answer(self.write(&answer));
            }
        };
        // The first one wins. Whatever comes after it reaches nobody, or the code would be exchanged twice, and the
        // server would revoke what it gave (RFC 6749 section 4.1.2).
        let Some(judge) = judge.filter(|_| self.received.is_none()) else {
            return Decision::Answer(self.stray(false));
        };
        match judge(&response) {
            Recognised::Ours => {
                self.received = Received::new(&response);
                match response {
                    _ if self.received.is_none() => {}
                    // The script's request shows nothing: the page comes back for that.
                    AuthorizationResponse::Fragment(_) => {
                        self.expects_return = true;
                        return Decision::Answer(self.write(&Answer::empty(StatusCode::NO_CONTENT)));
                    }
                    _ => return Decision::Hold,
                }
            }
            Recognised::NotOurs(why) => self.say(Note::NotOurs(why)),
            // Whatever is not said to be ours is not.
            _ => {}
        }
        Decision::Answer(self.stray(true))
    }

    /// For whoever comes to the right place with nothing that is due there.
    fn stray(&self, waiting: bool) -> Vec<u8> {
        if waiting && self.received.is_none() {
            self.page(StatusCode::BAD_REQUEST, Page::NotOurs)
        } else {
            self.page(StatusCode::GONE, Page::AlreadyUsed)
        }
    }

    fn refuse(&mut self, refusal: Refusal, waiting: bool) -> Decision {
        let note = match refusal {
            Refusal::Tls => Some(Note::HttpsUpgrade),
            Refusal::NotTls => Some(Note::PlainHttp),
            _ => None,
        };
        if let Some(note) = note.filter(|_| waiting) {
            self.say(note);
        }
        if refusal == Refusal::Tls { Decision::Close } else { Decision::Answer(self.write(&refusal.into())) }
    }

    /// The response that was recognised, once.
    pub(crate) const fn take_received(&mut self) -> Option<Received> {
        self.received.take()
    }

    /// Whether the page of a fragment has still to come for the end of the login.
    pub(crate) const fn expects_return(&self) -> bool {
        self.expects_return
    }

    /// Whether a browser spoke https to this listener, which does not.
    pub(crate) fn saw_https(&self) -> bool {
        self.said.contains(&Note::HttpsUpgrade)
    }

    /// The end of the login, for the browser that waits for it.
    pub(crate) fn ending(&self, ending: Ending) -> Vec<u8> {
        let own = match ending.page {
            Page::Success => self.success_page.as_ref(),
            Page::Failure => self.failure_page.as_ref(),
            _ => None,
        };
        self.write(&Answer::ending(ending, own))
    }

    pub(crate) fn page(&self, status: StatusCode, page: Page) -> Vec<u8> {
        self.write(&Answer::page(status, page))
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        answer.to_bytes(self.application.as_deref())
    }

    fn say(&mut self, note: Note) {
        // A flood of requests must not become a flood of lines.
        let kind = std::mem::discriminant(&note);
        let said = |old: &Note| match old {
            Note::NotOurs(_) => *old == note,
            _ => std::mem::discriminant(old) == kind,
        };
        if self.said.iter().any(said) {
            return;
        }
        if let Some(on_note) = &mut self.on_note {
            on_note(&note);
        }
        self.said.push(note);
    }
}

/// What nobody guesses: 128 bits, in characters that a path may hold.
fn token() -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 16]);
    getrandom::fill(&mut *bytes).map_err(io::Error::other)?;
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for byte in *bytes {
        write!(text, "{byte:02x}").expect("a String takes any text");
    }
    Ok(text)
}
