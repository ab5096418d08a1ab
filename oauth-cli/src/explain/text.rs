//! A verdict for people: what, by which rule, whose fault, what to do, in one screen.

use super::rules::fault;
use super::verdict::Verdict;
use serde_json::Value;
use std::fmt::Write as _;

/// How wide a line gets.
const WIDTH: usize = 100;

/// The lines of a verdict that is finished.
pub(super) fn text(verdict: &Verdict) -> String {
    let mut text = String::new();
    let word = if verdict.refused.is_none() { "accepted" } else { "rejected" };
    let kind = verdict.kind.map_or("case", |kind| kind.name());
    text.push_str(&format!("{word}: {kind}"));
    if let Some(name) = &verdict.name {
        text.push_str(&format!(" {name}"));
    }
    if let Some(subject) = &verdict.subject {
        text.push_str(&format!(" ({subject})"));
    }
    if let (None, Some(kind)) = (&verdict.refused, verdict.kind) {
        text.push_str(&format!(", as {} has it", kind.section()));
    }
    text.push('\n');
    let mut notes = verdict.notes.iter().peekable();
    if let Some(refused) = &verdict.refused {
        lines(&mut text, "what", &refused.message);
        if let Some((rule, says)) = notes.next_if(|_| refused.ruled) {
            lines(&mut text, "rule", &format!("{rule}: {says}"));
        }
        lines(&mut text, "at fault", fault(refused.class, refused.remedy));
        lines(&mut text, "next", &refused.next);
        if let Some(received) = &verdict.received {
            lines(&mut text, "received", received);
        }
    }
    let width = verdict.fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (at, (name, value)) in verdict.fields.iter().enumerate() {
        let label = if at == 0 { "fields" } else { "" };
        lines(&mut text, label, &format!("{name:width$}  {}", plain(value)));
    }
    for (at, event) in verdict.timeline.iter().enumerate() {
        lines(&mut text, if at == 0 { "timeline" } else { "" }, &told(event));
    }
    for (rule, says) in notes {
        lines(&mut text, "note", &format!("{rule}: {says}"));
    }
    text
}

/// A label, and beside it the text, broken between words.
fn lines(text: &mut String, label: &str, what: &str) {
    let mut label = label;
    let mut line = String::new();
    let mut end = |line: &mut String| {
        writeln!(text, "  {label:9} {line}").expect("a String takes any text");
        label = "";
        line.clear();
    };
    for word in what.split(' ') {
        if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            end(&mut line);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    end(&mut line);
}

/// A value without the marks of JSON where it needs none.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        }
        Value::Array(values) if values.iter().all(Value::is_object) => {
            values.iter().map(plain).collect::<Vec<_>>().join("; ")
        }
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        }
        value => value.to_string(),
    }
}

fn told(event: &Value) -> String {
    let text = |name: &str| event.get(name).map(plain);
    let at = text("at").map(|at| format!("{:8}", format!("{at} s"))).unwrap_or_default();
    let what = match (text("wait"), text("request"), text("event"), text("attempt")) {
        (Some(wait), ..) => format!("wait {wait} s"),
        (_, Some(request), ..) => match text("answer") {
            Some(answer) => format!("{request}: {answer}"),
            None => request,
        },
        (_, _, Some(event), _) => event,
        (.., Some(attempt)) => format!("attempt {attempt}: {}", text("action").unwrap_or_default()),
        _ => event.to_string(),
    };
    format!("{at}{what}")
}
