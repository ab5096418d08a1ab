//! What is decided once per login, whatever the driver: which request is the callback, and what the others are told.

use crate::callback::Received;
use crate::note::{Note, OnNote};
use crate::options::ReceiveOptions;
use crate::page::Page;
use crate::request::{Refusal, Request};
use crate::verdict::{Answer, Rules, Verdict};
use http::StatusCode;
use oauth_core::{AuthorizationResponse, Recognised};

/// Says whether an authorization response is that of the login at hand.
pub(crate) type Judge<'a> = dyn FnMut(&AuthorizationResponse<'_>) -> Recognised + Send + 'a;

pub(crate) struct Desk {
    rules: Rules,
    application: Option<String>,
    on_note: Option<OnNote>,
    said: Vec<Note>,
    received: Option<Received>,
}

/// What happens to a connection whose request is complete or refused.
pub(crate) enum Decision {
    Answer(Vec<u8>),
    /// The callback: it waits for the end of the login.
    Hold,
}

impl Desk {
    pub(crate) fn new(rules: Rules, options: &mut ReceiveOptions) -> Self {
        let rules = if options.form_post { rules.form_post() } else { rules };
        let (application, on_note) = (options.application.take(), options.on_note.take());
        Self { rules, application, on_note, said: Vec::new(), received: None }
    }

    /// Without a judge the login has its response already.
    pub(crate) fn decide(
        &mut self,
        request: Result<Request, Refusal>,
        judge: Option<&mut Judge<'_>>,
    ) -> Decision {
        let request = match request {
            Ok(request) => request,
            Err(refusal) => return Decision::Answer(self.write(&refusal.into())),
        };
        let response = match self.rules.verdict(&request) {
            Verdict::Response(response) => response,
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
            return Decision::Answer(self.page(StatusCode::GONE, Page::AlreadyUsed));
        };
        match judge(&response) {
            Recognised::Ours => {
                self.received = Received::new(&response);
                if self.received.is_some() {
                    return Decision::Hold;
                }
            }
            Recognised::NotOurs(why) => self.say(Note::NotOurs(why)),
            // Whatever is not said to be ours is not.
            _ => {}
        }
        Decision::Answer(self.page(StatusCode::BAD_REQUEST, Page::NotOurs))
    }

    /// The response that was recognised, once.
    pub(crate) const fn take_received(&mut self) -> Option<Received> {
        self.received.take()
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
