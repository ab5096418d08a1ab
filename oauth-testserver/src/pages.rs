//! The pages that a person sees: one file each, readable by day and by night, without anything from elsewhere.

use crate::builder::Person;
use crate::http::Response;
use crate::keys::random_text;
use crate::uri::Uri;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8885;--soft:#666;--go:#0a5cc2;--on-go:#fff}\
@media(prefers-color-scheme:dark){:root{--soft:#aaa;--go:#7db4ff;--on-go:#0b1a2e}}\
*{box-sizing:border-box}\
body{font:1rem/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem}\
main{width:100%;max-width:26rem;border:1px solid var(--line);border-radius:.75rem;padding:1.75rem}\
h1{font-size:1.35rem;line-height:1.25;margin:0 0 .75rem}p,ul{margin:0 0 1rem}ul{padding-left:1.25rem}\
code{font:.95em ui-monospace,monospace;overflow-wrap:anywhere}\
label{display:block;margin-bottom:.35rem}\
input{font:1.25rem ui-monospace,monospace;letter-spacing:.1em;width:100%;padding:.5rem;margin-bottom:1rem}\
button{font:inherit;width:100%;padding:.65rem;margin-bottom:.6rem;border:1px solid var(--line);border-radius:.5rem;\
background:none;color:inherit;cursor:pointer}\
button.go{background:var(--go);border-color:var(--go);color:var(--on-go);font-weight:600}\
button:focus-visible,input:focus-visible{outline:3px solid var(--go);outline-offset:2px}\
footer{border-top:1px solid var(--line);margin-top:1rem;padding-top:.75rem;font-size:.85rem;color:var(--soft)}";

/// A page that says one thing.
pub(crate) fn message(status: u16, title: &str, text: &str) -> Response {
    page(status, title, &format!("<p>{}</p>", escape(text)), "'none'", "")
}

/// Asks who is signing in.
pub(crate) fn login(interaction: &str, client_id: &str, people: &[Person]) -> Response {
    let buttons: String = people
        .iter()
        .map(|person| {
            let (username, name) = (escape(&person.username), escape(&person.name));
            format!("<button class=\"go\" name=\"person\" value=\"{username}\">Sign in as {name}</button>")
        })
        .collect();
    let body = format!(
        "<p>The app <code>{}</code> asks you to sign in. Nobody here is real, so there is no password.</p>\
         <form method=\"post\" action=\"/login\">{}{buttons}</form>",
        escape(client_id),
        hidden("interaction", interaction)
    );
    page(200, "Who are you?", &body, "'self'", "")
}

/// What a person is asked to agree to.
pub(crate) struct Consent<'a> {
    pub(crate) interaction: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) person: &'a Person,
    pub(crate) scope: &'a [String],
    /// Where the browser goes from here; a device goes nowhere and shows its code instead.
    pub(crate) to: Destination<'a>,
}

pub(crate) enum Destination<'a> {
    RedirectUri(&'a str),
    Device { user_code: &'a str },
}

/// Asks whether the app may have what it wants.
pub(crate) fn consent(consent: &Consent<'_>) -> Response {
    let wishes: String = consent.scope.iter().map(|scope| format!("<li>{}</li>", wish(scope))).collect();
    let (told, form_action) = match consent.to {
        Destination::RedirectUri(redirect_uri) => (
            format!("Either answer takes you back to <code>{}</code>.", escape(redirect_uri)),
            format!("'self' {}", source(redirect_uri)),
        ),
        Destination::Device { user_code } => (
            format!("Agree only if your device shows the code <code>{}</code>.", escape(user_code)),
            "'self'".to_owned(),
        ),
    };
    let body = format!(
        "<p>You are <strong>{}</strong>. The app <code>{}</code> would like to</p><ul>{wishes}</ul><p>{told}</p>\
         <form method=\"post\" action=\"/consent\">{}\
         <button class=\"go\" name=\"decision\" value=\"approve\">Approve</button>\
         <button name=\"decision\" value=\"deny\">Deny</button></form>",
        escape(&consent.person.name),
        escape(consent.client_id),
        hidden("interaction", consent.interaction)
    );
    page(200, "Do you agree?", &body, &form_action, "")
}

/// Asks for the code that a device shows.
pub(crate) fn device(status: u16, user_code: &str, complaint: Option<&str>) -> Response {
    let complaint =
        complaint.map(|text| format!("<p role=\"alert\">{}</p>", escape(text))).unwrap_or_default();
    let body = format!(
        "{complaint}<form method=\"post\" action=\"/device\">\
         <label for=\"user_code\">The code that your device shows</label>\
         <input id=\"user_code\" name=\"user_code\" value=\"{}\" autocomplete=\"off\" autocapitalize=\"characters\" \
         spellcheck=\"false\" required>\
         <button class=\"go\">Continue</button></form>",
        escape(user_code)
    );
    page(status, "Connect a device", &body, "'self'", "")
}

/// Sends the answer as a form (OAuth 2.0 Form Post Response Mode), by itself where scripts run.
pub(crate) fn form_post(redirect_uri: &str, parameters: &[(String, String)]) -> Response {
    let inputs: String = parameters.iter().map(|(name, value)| hidden(name, value)).collect();
    let body = format!(
        "<form method=\"post\" action=\"{}\">{inputs}<button class=\"go\">Continue</button></form>",
        escape(redirect_uri)
    );
    page(200, "Back to the app", &body, &source(redirect_uri), "document.forms[0].submit()")
}

fn page(status: u16, title: &str, body: &str, form_action: &str, script: &str) -> Response {
    let nonce = random_text("");
    let title = escape(title);
    let script = match script {
        "" => String::new(),
        script => format!("<script nonce=\"{nonce}\">{script}</script>"),
    };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title} - demo server</title>\
         <style nonce=\"{nonce}\">{STYLE}</style></head>\n<body><main><h1>{title}</h1>{body}\
         <footer>This is a demo server on your own machine. Its people are made up, and what it issues is good for \
         nothing else.</footer></main>{script}</body></html>\n"
    );
    // Chromium and Safari hold redirects that follow a form to `form-action` too, so it names where they lead
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; form-action {form_action}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    Response::new(status, "text/html; charset=utf-8", html).header("Content-Security-Policy", policy)
}

/// How a Content-Security-Policy spells the place of a redirect URI.
fn source(redirect_uri: &str) -> String {
    match Uri::parse(redirect_uri) {
        // the grammar of sources has no IPv6 literals, and apps' own schemes have no origin
        Some(uri) if uri.authority.is_empty() || uri.authority.starts_with('[') => format!("{}:", uri.scheme),
        Some(uri) => uri.origin(),
        None => "'none'".to_owned(),
    }
}

fn wish(scope: &str) -> String {
    match scope {
        "openid" => "know who you are".to_owned(),
        "profile" => "see your name".to_owned(),
        "email" => "see your email address".to_owned(),
        "offline_access" => "keep its access while you are away".to_owned(),
        other => format!("use <code>{}</code>", escape(other)),
    }
}

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(response: &Response) -> &str {
        let found = response.headers.iter().find(|(name, _)| *name == "Content-Security-Policy");
        &found.expect("pages have a policy").1
    }

    #[test]
    fn nothing_gets_through_unescaped() {
        let bad = "<script>alert('\"&')</script>";
        let person = Person::new(bad, bad);
        let scope = [bad.to_owned()];
        for response in [
            message(400, bad, bad),
            login(bad, bad, std::slice::from_ref(&person)),
            device(200, bad, Some(bad)),
            form_post(bad, &[(bad.to_owned(), bad.to_owned())]),
            consent(&Consent {
                interaction: bad,
                client_id: bad,
                person: &person,
                scope: &scope,
                to: Destination::RedirectUri(bad),
            }),
        ] {
            let html = String::from_utf8(response.body.clone()).unwrap();
            assert!(html.contains("&lt;script&gt;alert(&#39;&quot;&amp;&#39;)"), "{html}");
            assert!(!html.contains("<script>"), "{html}");
        }
    }

    #[test]
    fn the_policy_lets_the_browser_go_back() {
        let person = Person::new("a", "A");
        for (redirect_uri, form_action) in [
            ("http://127.0.0.1:81/cb", "form-action 'self' http://127.0.0.1:81;"),
            ("http://[::1]:81/cb", "form-action 'self' http:;"),
            ("com.example.app:/cb", "form-action 'self' com.example.app:;"),
            ("https://app.example/cb?x", "form-action 'self' https://app.example;"),
        ] {
            let response = consent(&Consent {
                interaction: "i",
                client_id: "c",
                person: &person,
                scope: &[],
                to: Destination::RedirectUri(redirect_uri),
            });
            assert!(policy(&response).contains(form_action), "{}", policy(&response));
        }
        assert!(
            policy(&form_post("http://127.0.0.1:81/cb", &[])).contains("form-action http://127.0.0.1:81;")
        );
        assert!(policy(&message(200, "", "")).contains("form-action 'none';"));
    }
}
