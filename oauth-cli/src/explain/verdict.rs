//! What is said of a case: for programs one line of JSON, for people what `text` makes of it.

use super::case::{CASE, Case};
use super::context::Broken;
use super::kind::Kind;
use super::rules;
use super::secrets::Secrets;
use crate::exit::{Exit, Problem};
use oauth::core::{ConfigError, EndpointError, Error, Failure, OptOut, Remedy};
use serde_json::{Value, json};

/// A verdict while it is made: nothing in it is fit to be shown before [`finish`](Self::finish).
pub(super) struct Verdict {
    pub(super) name: Option<String>,
    pub(super) kind: Option<Kind>,
    pub(super) fields: Vec<(String, Value)>,
    pub(super) refused: Option<Refused>,
    pub(super) notes: Vec<(&'static str, String)>,
    pub(super) timeline: Vec<Value>,
    /// What was captured, in a word, and its bytes around what is wrong: for people.
    pub(super) subject: Option<String>,
    pub(super) received: Option<String>,
}

/// Why a message is rejected.
pub(super) struct Refused {
    pub(super) class: &'static str,
    pub(super) code: Option<String>,
    pub(super) description: Option<String>,
    pub(super) message: String,
    pub(super) remedy: Remedy,
    pub(super) status: Option<u16>,
    /// What to do, in words.
    pub(super) next: String,
    pub(super) exit: Exit,
    /// Which member it is about.
    pub(super) member: Option<String>,
    /// Whether the first note is the rule that was applied.
    pub(super) ruled: bool,
}

/// Why there is nothing to judge.
pub(super) enum Stop {
    /// The case is none.
    Broken(Broken),
    /// A client set up like this sends nothing, so nothing comes back.
    Setup(ConfigError),
    /// The same for an issuer or a resource.
    Url(&'static str, EndpointError),
    /// This build has no reader for it.
    Unsupported(String),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<ConfigError> for Stop {
    fn from(error: ConfigError) -> Self {
        Self::Setup(error)
    }
}

impl Verdict {
    pub(super) fn new(name: Option<String>, kind: Option<Kind>) -> Self {
        Self {
            name,
            kind,
            fields: Vec::new(),
            refused: None,
            notes: Vec::new(),
            timeline: Vec::new(),
            subject: None,
            received: None,
        }
    }

    /// A line that is no case.
    pub(super) fn broken(name: Option<String>, broken: &Broken) -> Self {
        let mut verdict = Self::new(name, None);
        verdict.stop("usage", broken.0.clone(), "correct the line: see `oauth explain --help`", Exit::Usage);
        verdict
    }

    /// A line that is longer than is read.
    pub(super) fn too_long(name: Option<String>, kind: Option<Kind>, max: usize) -> Self {
        let mut verdict = Self::new(name, kind);
        let rule = (rules::LIMIT, "A client stops to read a body after 1 MiB.");
        let message = format!("the line is longer than {max} bytes");
        verdict.refuse_as("too_large", rule, message, Remedy::ReportServer, Exit::Network);
        verdict
    }

    pub(super) fn stopped(&mut self, stop: &Stop) {
        match stop {
            Stop::Broken(broken) => {
                self.stop(
                    "usage",
                    broken.0.clone(),
                    "correct the case: see `oauth explain --help`",
                    Exit::Usage,
                );
            }
            Stop::Setup(error) => {
                let next = match error {
                    ConfigError::NotWaived(opt_out) => waiver(*opt_out),
                    ConfigError::Endpoint { why: EndpointError::PlainHttpOnLoopback, .. } => {
                        waiver(OptOut::PlainHttpOnLoopback)
                    }
                    _ => CORRECT.to_owned(),
                };
                self.stop(
                    "setup",
                    format!("the client would send nothing: {error}"),
                    &next,
                    Exit::Configuration,
                );
            }
            Stop::Url(what, error) => {
                let next = match error {
                    EndpointError::PlainHttpOnLoopback => waiver(OptOut::PlainHttpOnLoopback),
                    _ => CORRECT.to_owned(),
                };
                let message = format!("the client would send nothing: the {what} may not be used: {error}");
                self.stop("setup", message, &next, Exit::Configuration);
            }
            Stop::Unsupported(what) => {
                let next = "wait for a later version; nothing was judged";
                self.stop("unsupported", format!("this build cannot judge {what}"), next, Exit::Other);
            }
        }
    }

    fn stop(&mut self, class: &'static str, message: String, next: &str, exit: Exit) {
        self.refused = Some(Refused {
            class,
            code: None,
            description: None,
            message,
            remedy: Remedy::FixSetup,
            status: None,
            next: next.to_owned(),
            exit,
            member: None,
            ruled: false,
        });
    }

    /// Something that the client would not do, without a failure of the core's to say so: by this rule.
    pub(super) fn refuse_as(
        &mut self,
        class: &'static str,
        (rule, says): (&'static str, &str),
        message: impl Into<String>,
        remedy: Remedy,
        exit: Exit,
    ) {
        self.stop(class, message.into(), &remedy.to_string(), exit);
        if let Some(refused) = &mut self.refused {
            refused.remedy = remedy;
            refused.ruled = true;
        }
        self.notes.insert(0, (rule, says.to_owned()));
    }

    /// The end of a flow.
    pub(super) fn refuse(&mut self, failure: Failure, kind: Kind) {
        if let Some(rescued) = &failure.rescued {
            self.field("refresh_token", rescued.expose());
            self.note(
                "RFC 6749 section 6",
                "A refresh token came with the refused answer, and the old one may be dead: store it before anything else.",
            );
        }
        if let Some(rescued) = &failure.rescued_registration {
            self.field("registration_client_uri", rescued.registration_client_uri.as_str());
            self.field("registration_access_token", rescued.registration_access_token.expose());
            self.note(
                "RFC 7592 section 3",
                "What manages the registration came with the refused answer: store it before anything else.",
            );
        }
        let judged = rules::judge(&failure.error, kind);
        self.notes.insert(0, (judged.rule, judged.says.to_owned()));
        let (code, description) = match &*failure.error {
            Error::Server(refusal) => (Some(refusal.code.as_str().to_owned()), refusal.description.clone()),
            _ => (None, None),
        };
        let (remedy, status) = (failure.remedy(), failure.status.map(|status| status.as_u16()));
        let Problem { exit, what: message, next } = Problem::from(oauth::Error::from(failure));
        let (class, member, ruled) = (judged.class, judged.member, true);
        // At the callback another issuer is more often a mix-up than another spelling.
        let next = match (kind, class) {
            (Kind::Callback, "issuer_mismatch") => {
                "compare it with the issuer in the setup; if that is right, do not use this answer".to_owned()
            }
            // As Microsoft Entra does for its `common` and `organizations`.
            (_, "issuer_mismatch") if message.contains('{') => {
                "the server's metadata is a template for many tenants: ask for the issuer of one tenant"
                    .to_owned()
            }
            _ => next,
        };
        self.refused =
            Some(Refused { class, code, description, message, remedy, status, next, exit, member, ruled });
    }

    pub(super) fn field(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.push((name.to_owned(), value.into()));
    }

    /// A field that is there only where there is a value.
    pub(super) fn maybe(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    pub(super) fn note(&mut self, rule: &'static str, text: impl Into<String>) {
        self.notes.push((rule, text.into()));
    }

    /// Takes out every secret and whatever a terminal should not see, and tells what of the context had no use.
    pub(super) fn finish(mut self, case: Option<&Case>, show_secrets: bool) -> Self {
        let mut secrets = Secrets::new(show_secrets);
        if let Some(case) = case {
            case.context.secrets().for_each(|secret| secrets.add(secret));
            // What stopped early did not come to ask for everything.
            let stopped = ["usage", "unsupported", "setup"];
            let stopped = self.refused.as_ref().is_some_and(|refused| stopped.contains(&refused.class));
            for (name, known) in case.context.unused().filter(|(_, known)| !(stopped && *known)) {
                let text = if known {
                    format!(
                        "context.{name} means nothing for the kind {}: it was not used.",
                        case.kind.name()
                    )
                } else {
                    format!("context.{name} is no member that this command knows: it was not used.")
                };
                self.notes.push((CASE, text));
            }
        }
        for (name, value) in &self.fields {
            if let (true, Value::String(secret)) = (super::secrets::is_secret(name), value) {
                secrets.add(secret);
            }
        }
        let clean = |text: String| secrets.clean(&text);
        // What is told of a message is short, whatever is in it.
        let short = |text: &str| {
            let text = secrets.clean(text);
            let end = text.char_indices().nth(MAX_TOLD).map(|(end, _)| end);
            end.map_or_else(|| text.clone(), |end| format!("{}…", &text[..end]))
        };
        self.name = self.name.map(clean);
        self.subject = self.subject.map(clean);
        self.received = self.received.map(clean);
        for (_, text) in &mut self.notes {
            *text = short(text);
        }
        let fields = std::mem::take(&mut self.fields).into_iter();
        self.fields = fields
            .map(|(name, value)| {
                let value = secrets.clean_member(&name, value);
                (secrets.clean(&name), value)
            })
            .collect();
        let timeline = std::mem::take(&mut self.timeline).into_iter();
        self.timeline = timeline.map(|event| secrets.clean_member("", event)).collect();
        if let Some(refused) = &mut self.refused {
            refused.code = refused.code.take().map(clean);
            refused.description = refused.description.take().map(clean);
            refused.message = short(&refused.message);
            refused.next = short(&refused.next);
        }
        self
    }

    /// One line for programs.
    pub(super) fn to_json(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
            .collect();
        let error = match &self.refused {
            None => "null".to_owned(),
            Some(refused) => {
                let (remedy, retry_after) = remedy(refused.remedy);
                let text = |text: &Option<String>| Value::from(text.as_deref());
                format!(
                    r#"{{"class":{},"code":{},"description":{},"message":{},"remedy":{},"retry_after":{},"status":{}}}"#,
                    Value::from(refused.class),
                    text(&refused.code),
                    text(&refused.description),
                    Value::from(refused.message.as_str()),
                    Value::from(remedy),
                    Value::from(retry_after),
                    Value::from(refused.status),
                )
            }
        };
        let notes: Vec<Value> =
            self.notes.iter().map(|(rule, text)| json!({ "rule": rule, "text": text })).collect();
        format!(
            r#"{{"name":{},"verdict":"{}","fields":{{{}}},"error":{error},"notes":{},"timeline":{}}}"#,
            Value::from(self.name.as_deref()),
            if self.refused.is_none() { "accept" } else { "reject" },
            fields.join(","),
            Value::from(notes),
            Value::from(self.timeline.clone()),
        )
    }
}

/// How many characters a sentence has at most.
const MAX_TOLD: usize = 1000;

const CORRECT: &str = "correct what the client knew (--context, or the member context)";

/// How a case waives a rule.
fn waiver(opt_out: OptOut) -> String {
    format!("if it has to be, waive the rule: --context leniency={}", super::context::leniency(opt_out))
}

/// The name of a remedy, and how many seconds it asks to wait.
fn remedy(remedy: Remedy) -> (Option<&'static str>, Option<u64>) {
    match remedy {
        Remedy::TryAgain { after } => (Some("try_again"), after.map(|after| after.as_secs())),
        Remedy::SignInAgain => (Some("sign_in_again"), None),
        Remedy::FixSetup => (Some("fix_setup"), None),
        Remedy::ReportServer => (Some("report_server"), None),
        _ => (None, None),
    }
}
