//! What becomes of each of the component's names on each engine: `oauth/COVERAGE.md`. `COVERAGE=write cargo test -p oauth
//! --features component,isahc,http2,negotiate,ntlm --test component coverage` writes it.
#![cfg(feature = "isahc")]

use oauth::component::{ConfigSetting, ITEMS, ItemKind};
use oauth::transport::{Setting, Support};
use oauth::{HyperHost, IsahcHost};
use std::fmt::Write as _;

/// A name of the component.
struct Row {
    kind: &'static str,
    name: &'static str,
    /// Where it is in this crate.
    place: String,
}

fn rows() -> Vec<Row> {
    let items = ITEMS.iter().map(|item| Row {
        kind: match item.kind {
            ItemKind::Property => "Properties",
            ItemKind::Method => "Methods",
            ItemKind::Event => "Events",
            ItemKind::Profile => "Client profiles",
            ItemKind::Grant => "Grant types",
            other => panic!("{other:?}"),
        },
        name: item.name,
        place: item.rust.split(", ").map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    });
    let settings = ConfigSetting::all().map(|setting| {
        let index = if setting.is_indexed() { "[i]" } else { "" };
        Row {
            kind: "Configuration settings",
            name: setting.name(),
            place: format!("`{}{index}`", setting.name()),
        }
    });
    items.chain(settings).collect()
}

const BOTH: &[&str] = &["hyper", "isahc"];
const ISAHC: &[&str] = &["isahc"];

/// What the component itself does otherwise than one might think; the engines say the rest.
const OWN: &[(&str, &[&str], Answer, &str)] = &[
    (
        "OpenSSLPrngSeedData",
        BOTH,
        Answer::Refused,
        "the system's generator of randomness seeds itself, and nothing that a program adds makes it better",
    ),
    (
        "SSLEnableRenegotiation",
        BOTH,
        Answer::InPart,
        "it is always signalled, and nothing renegotiates: `false` is refused",
    ),
    (
        "SSLEnabledProtocols",
        BOTH,
        Answer::InPart,
        "the bits of SSL and of TLS before 1.2 are left out with a warning, and alone are refused",
    ),
    (
        "SSLSecurityFlags",
        BOTH,
        Answer::InPart,
        "bits without a meaning in this TLS are refused, and parts of 0xF00",
    ),
    ("SSLProvider", BOTH, Answer::Emulated, "each engine has one; `UsePlatformHTTPClient` says which engine"),
    (
        "TLS12SupportedGroups",
        &["hyper"],
        Answer::Emulated,
        "TLS has one list for both versions: with both, the groups of both are offered",
    ),
    ("TLS13SupportedGroups", &["hyper"], Answer::Emulated, "as `TLS12SupportedGroups`"),
    (
        "TLS13KeyShareGroups",
        &["hyper"],
        Answer::Emulated,
        "the share of the first group is sent; another costs a round trip",
    ),
    ("proxy_auto_detect", BOTH, Answer::Emulated, "the environment is asked; a script (PAC) is refused"),
    ("firewall_auto_detect", BOTH, Answer::Emulated, "the environment is asked for a SOCKS server"),
    ("FirewallAutoDetect", BOTH, Answer::Emulated, "the environment is asked for a SOCKS server"),
    (
        "GetOn302Redirect",
        BOTH,
        Answer::Refused,
        "a request with a body holds a credential here, and no redirect takes it elsewhere (RFC 9700)",
    ),
    (
        "KeepAlive",
        ISAHC,
        Answer::InPart,
        "`true` is refused while `ReuseSSLSession` is `false`, and a request that must not be sent twice has a connection of its \
         own in any case",
    ),
    (
        "UserAgent",
        ISAHC,
        Answer::InPart,
        "isahc names itself where nobody else is named: an empty one is refused",
    ),
    (
        "follow_redirects",
        BOTH,
        Answer::Emulated,
        "no credential leaves its origin, and no token request is redirected",
    ),
    (
        "FollowRedirects",
        BOTH,
        Answer::Emulated,
        "no credential leaves its origin, and no token request is redirected",
    ),
    (
        "StatusLine",
        BOTH,
        Answer::Emulated,
        "it is made anew of the version and the number, with the usual words",
    ),
    ("SentHeaders", BOTH, Answer::Emulated, "the head is made anew: names are in lower case"),
    ("TransferredHeaders", BOTH, Answer::Emulated, "the head is made anew: names are in lower case"),
    ("transferred_headers", BOTH, Answer::Emulated, "the head is made anew: names are in lower case"),
    ("TransferredRequest", BOTH, Answer::Emulated, "the head is made anew: names are in lower case"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Works,
    Emulated,
    InPart,
    Refused,
}

impl Answer {
    const fn word(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Emulated => "emulated",
            Self::InPart => "in part",
            Self::Refused => "refused",
        }
    }
}

/// What becomes of a name on an engine, and why.
fn answer(name: &str, engine: &str, supports: fn(Setting) -> Support) -> (Answer, Vec<String>) {
    let of_engine: Vec<_> = Setting::ALL
        .iter()
        .filter(|setting| setting.component_names().contains(&name))
        .map(|setting| (setting, supports(*setting)))
        .collect();
    let refused = of_engine.iter().filter(|(_, support)| matches!(support, Support::Unsupported(_))).count();
    let mut answer = if refused == 0 {
        Answer::Works
    } else if refused == of_engine.len() {
        Answer::Refused
    } else {
        Answer::InPart
    };
    let mut why = Vec::new();
    for (setting, support) in of_engine {
        match support {
            Support::Native => {}
            Support::Emulated(how) => {
                answer = answer.max(Answer::Emulated);
                why.push(format!("{setting} on {engine}: {how}"));
            }
            Support::Unsupported(reason) => why.push(format!("{setting} on {engine}, refused: {reason}")),
        }
    }
    for (_, _, own, reason) in
        OWN.iter().filter(|(known, engines, ..)| *known == name && engines.contains(&engine))
    {
        answer = answer.max(*own);
        why.push((*reason).to_owned());
    }
    (answer, why)
}

fn answers(name: &str) -> [(Answer, Vec<String>); 2] {
    [answer(name, "hyper", HyperHost::supports), answer(name, "isahc", IsahcHost::supports)]
}

const HEAD: &str = "# Coverage of the component

What becomes of each of the 204 names of `OAuth` (feature `component`) on each engine: hyper, and isahc with
`UsePlatformHTTPClient=true`. It is made from the tables that the code itself runs on, with the features `http2`, `negotiate`
and `ntlm`; `oauth/tests/component/coverage.rs` says how to make it anew.

*Works* is as it should be. *Emulated* has its effect by other means, which the note tells. *In part*: some values are refused.
*Refused*: every value but the default is. Who asks for what is refused gets `ComponentError::Refused` with the name of the setting,
the reason and the way out, and nothing is sent.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut notes: Vec<String> = Vec::new();
    let mut kind = "";
    for row in rows() {
        if row.kind != kind {
            kind = row.kind;
            // Writing to a String cannot fail.
            let _ =
                write!(page, "\n## {kind}\n\n| name | here | hyper | isahc |\n| --- | --- | --- | --- |\n");
        }
        let _ = write!(page, "| {} | {} |", row.name, row.place);
        for (answer, why) in answers(row.name) {
            let mut numbers = Vec::new();
            for note in why {
                let at = notes.iter().position(|known| *known == note).unwrap_or_else(|| {
                    notes.push(note);
                    notes.len() - 1
                });
                numbers.push(format!("[{0}](#note-{0})", at + 1));
            }
            let numbers = if numbers.is_empty() { String::new() } else { format!(" {}", numbers.join(" ")) };
            let _ = write!(page, " {}{numbers} |", answer.word());
        }
        page.push('\n');
    }
    page.push_str("\n## Notes\n\n");
    for (index, note) in notes.iter().enumerate() {
        let _ = writeln!(page, "{0}. <a id=\"note-{0}\"></a>{note}", index + 1);
    }
    page
}

#[test]
#[cfg(all(feature = "http2", feature = "negotiate", feature = "ntlm", unix))]
fn the_page_of_coverage_is_what_the_tables_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/COVERAGE.md");
    if std::env::var_os("COVERAGE").is_some_and(|value| value == "write") {
        std::fs::write(path, page()).unwrap();
    } else {
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            page(),
            "see the head of this file for how to write it anew"
        );
    }
}

#[test]
fn the_page_has_each_name_once() {
    let page = page();
    let rows = rows();
    assert_eq!(rows.len(), 204);
    for row in &rows {
        assert_eq!(page.matches(&format!("\n| {} | ", row.name)).count(), 1, "{}", row.name);
    }
    for (name, ..) in OWN {
        assert!(rows.iter().any(|row| row.name == *name), "{name} is none");
    }
    // What an engine is asked about leads to a name, whichever way the name is written.
    for name in Setting::ALL.iter().flat_map(|setting| setting.component_names()) {
        assert!(rows.iter().any(|row| row.name == *name), "{name} is none");
    }
}

#[test]
fn at_most_twelve_names_are_refused_on_hyper_each_for_a_reason() {
    let refused: Vec<_> = rows()
        .into_iter()
        .map(|row| (row.name, answer(row.name, "hyper", HyperHost::supports)))
        .filter(|(_, (answer, _))| *answer == Answer::Refused)
        .collect();
    assert!(refused.len() <= 12, "{refused:?}");
    assert!(refused.iter().all(|(_, (_, why))| why.iter().any(|why| why.len() > 20)), "{refused:?}");
    assert!(refused.iter().any(|(name, _)| *name == "OpenSSLPrngSeedData"));
}
