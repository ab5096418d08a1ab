//! The table of `oauth-core/src/manual/rfcs.md`: what it names is there; and what the transcripts have to show is shown.
#![allow(missing_docs, reason = "a test has no public API")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const RFCS: [&str; 23] = [
    "RFC 6749",
    "RFC 6750",
    "RFC 7009",
    "RFC 7521",
    "RFC 7522",
    "RFC 7523",
    "RFC 7591",
    "RFC 7592",
    "RFC 7628",
    "RFC 7636",
    "RFC 7662",
    "RFC 8252",
    "RFC 8414",
    "RFC 8628",
    "RFC 8693",
    "RFC 8705",
    "RFC 8707",
    "RFC 9110",
    "RFC 9207",
    "RFC 9470",
    "RFC 9728",
    "RFC 9700",
    "OpenID Connect Discovery",
];

fn own() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            files(&path, ending, into);
        } else if name.ends_with(ending) {
            into.push(path);
        }
    }
}

/// The names of all test functions of the workspace: those with the attribute, and the rows of a table of tests that run
/// once for each engine or driver.
fn tests() -> BTreeSet<String> {
    let (mut paths, mut marked) = (Vec::new(), BTreeSet::new());
    let (mut shared, mut listed) = (BTreeSet::new(), BTreeSet::new());
    files(own().parent().unwrap(), ".rs", &mut paths);
    for path in paths {
        let source = fs::read_to_string(path).unwrap();
        let mut test = false;
        for line in source.lines().map(str::trim) {
            let signature =
                line.split_once("fn ").filter(|(before, _)| ["", "pub ", "async "].contains(before));
            if let Some((_, signature)) = signature {
                let name = signature.split(['(', '<']).next().unwrap_or_default().to_owned();
                if test {
                    marked.insert(name);
                } else if ["<E: Engine>", "(engine: Engine", "(driver: &dyn Driver"]
                    .iter()
                    .any(|any| signature.contains(any))
                {
                    shared.insert(name);
                }
            } else {
                listed.insert(line.trim_end_matches(',').to_owned());
            }
            test = line == "#[test]" || test && line.starts_with(['#', '/']);
        }
    }
    marked.extend(shared.intersection(&listed).cloned());
    marked
}

#[test]
fn every_row_names_a_test_that_is_there_or_says_why_there_is_none() {
    let tests = tests();
    let table = fs::read_to_string(own().join("src/manual/rfcs.md")).unwrap();
    for rfc in RFCS {
        assert!(table.contains(&format!("\n# {rfc}")), "{rfc} has no section");
    }
    let (mut rows, mut wrong) = (0, Vec::new());
    for row in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| section")) {
        rows += 1;
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [section, rule, shown] = cells.as_slice() else { panic!("three cells: {row}") };
        assert!(!section.is_empty() && !rule.is_empty(), "{row}");
        let named: Vec<_> = shown.split('`').skip(1).step_by(2).collect();
        let reason = ["declined: ", "not offered yet: "].iter().any(|begin| shown.starts_with(begin));
        if named.is_empty() && !reason {
            wrong.push(format!("{row}: neither a test nor a reason"));
        }
        for name in named {
            let there = match name.strip_suffix(".txt") {
                Some(_) => own().join("tests/transcripts").join(name).exists(),
                None => tests.contains(name),
            };
            if !there {
                wrong.push(format!("{row}: {name} is not there"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows > 200, "{rows}");
}

/// What the flows say in all transcripts together.
fn said() -> String {
    let mut paths = Vec::new();
    files(&own().join("tests/transcripts"), ".txt", &mut paths);
    let (mut said, mut flow) = (String::new(), false);
    for path in paths {
        for line in fs::read_to_string(path).unwrap().lines() {
            flow = line.starts_with("= ") || flow && line.starts_with("    ");
            if flow {
                said.push_str(line);
                said.push('\n');
            }
        }
    }
    said
}

/// Each class of error, and what a flow says that ends with it.
const CLASSES: [(&str, &[(&str, &str)]); 6] = [
    (
        "Error",
        &[
            ("Server", "the server refused: "),
            ("Unavailable", "the server is in trouble"),
            ("Malformed", "the response cannot be read: "),
            ("Rejected", "the response must not be trusted: "),
            ("Unreachable", "no connection to the server"),
            ("Key", "the key holder refused"),
            ("Expired", "the time to sign in is over"),
            ("Misuse", "the flow was driven wrongly: "),
        ],
    ),
    (
        "Malformed",
        &[
            ("NotJson", "it is not JSON, or was cut short"),
            ("NotAnObject", "it is JSON, and not an object"),
            ("TooLarge", "it is nested too deeply or has too many members"),
            ("Missing", "access_token is missing"),
            ("Duplicate", " comes twice"),
            ("Invalid", " has a value that it may not have"),
            ("Status", "neither its status nor its body is an answer of this endpoint"),
            ("Redirect", "it redirects a request that may not be redirected"),
        ],
    ),
    (
        "Rejected",
        &[
            ("Issuer", "its issuer is "),
            ("NoIssuer", "iss is missing, and this server says that it sends it"),
            ("State", "its state is missing or not that of this login"),
            ("CodeAndError", "it has both a code and an error"),
            ("NotAsked", ", which was not asked for"),
            ("TokenType", "its token type is "),
            ("ScopeGrew", "its scope is larger than that of the token it renews"),
            ("Resource", "its resource is "),
            ("Client", "it is about another client"),
            ("NoIssuedTokenType", "issued_token_type is missing"),
            ("IssuedTokenType", "its issued_token_type is not the "),
            ("Endpoint", "must not be trusted: its token_endpoint may not be used: "),
            ("Claims", "the claim nonce is wrong"),
            ("NotEncrypted", "it is not encrypted, and this client registered a key for it"),
            ("Check", "it does not say when the voucher ends"),
        ],
    ),
    (
        "UnreachableKind",
        &[
            ("Timeout", "no response in time"),
            ("Name", "the server's name cannot be resolved"),
            ("Connect", "no connection to the server"),
            ("Broken", "the connection ended before the response was whole"),
            ("Tls", "no secure connection to the server"),
            ("Proxy", "the proxy failed"),
            ("TooLarge", "the response is too large"),
            ("NotHttp", "the server does not speak HTTP"),
            ("Unsupported", "the transport cannot do what the request needs"),
            ("Cancelled", "the request was cancelled"),
            ("Other", "the request failed"),
        ],
    ),
    (
        "KeyWhy",
        &[
            ("NoKey", "the key that this flow needs is not here"),
            ("Unsupported", "the key holder cannot do what this flow needs"),
            ("Denied", "the key holder refused"),
            ("Busy", "the key holder is out of reach"),
            ("UnknownKid", "what the server signed names a key that the server does not have"),
            ("Bad", "what the server signed must not be trusted"),
        ],
    ),
    (
        "Misuse",
        &[
            ("NotAsked", "an answer came that was not asked for"),
            // A driver's own, of a flow that says nothing.
            ("NothingOwed", "idle"),
            ("OtherClient", "the login was begun by another client or at another server"),
        ],
    ),
];

#[test]
fn each_class_of_error_ends_a_transcript() {
    let read = |file: &str| fs::read_to_string(own().join("src").join(file)).unwrap();
    let (source, said) = (read("failure.rs") + &read("failure/key.rs"), said());
    let ends: String = said.split_inclusive('\n').filter(|line| line.starts_with("= ")).collect();
    for (class, variants) in CLASSES {
        let body =
            source.split(&format!("pub enum {class} {{\n")).nth(1).unwrap().split("\n}").next().unwrap();
        let there: BTreeSet<_> = body
            .lines()
            .filter_map(|line| line.strip_prefix("    "))
            .filter(|line| line.starts_with(char::is_uppercase))
            .map(|line| line.split(|next: char| !next.is_alphanumeric()).next().unwrap_or_default())
            .collect();
        let told: BTreeSet<_> = variants.iter().map(|(variant, _)| *variant).collect();
        assert_eq!(there, told, "{class}");
        for (variant, text) in variants {
            assert!(ends.contains(text), "no transcript ends with {class}::{variant}");
        }
    }
}

/// The texts of an open list in `registry.rs`.
fn registered(list: &str) -> Vec<String> {
    let source = fs::read_to_string(own().join("src/registry.rs")).unwrap();
    let body = source.split(&format!("\n    {list} {{\n")).nth(1).unwrap().split("\n    }").next().unwrap();
    body.lines().filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
}

#[test]
fn each_grant_each_endpoint_and_each_code_is_in_a_transcript() {
    let said = said();
    let grants = registered("GrantType");
    assert_eq!(grants.len(), 8);
    for grant in grants {
        let sent = format!("grant_type={}&", grant.replace(':', "%3A"));
        assert!(said.contains(&sent), "no transcript sends {grant}");
    }
    for endpoint in [
        "ready https://as.example/authorize\n",
        "response_type=token\n",
        "POST https://as.example/token\n",
        "POST https://as.example/device_authorization\n",
        "POST https://as.example/revoke\n",
        "POST https://as.example/introspect\n",
        "POST https://as.example/register\n",
        "GET https://server.example.com/register/",
        "PUT https://server.example.com/register/",
        "DELETE https://server.example.com/register/",
        "GET https://as.example/tokeninfo?",
        "GET https://as.example/.well-known/openid-configuration\n",
        "GET https://as.example/.well-known/oauth-authorization-server\n",
        "/.well-known/oauth-protected-resource",
    ] {
        assert!(said.contains(endpoint), "no transcript has {endpoint}");
    }
    // Two mean "not yet" and one that the time is over; what only a resource says ends no flow.
    let not_the_end = ["authorization_pending", "slow_down", "expired_token"];
    let of_resources = ["use_dpop_nonce", "insufficient_user_authentication", "insufficient_claims"];
    let next = fs::read_to_string(own().join("src/next_action/tests.rs")).unwrap();
    let mut paths = Vec::new();
    files(&own().join("tests/transcripts"), ".txt", &mut paths);
    let all: String = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for code in registered("ErrorCode") {
        let shown = match &*code {
            waiting if not_the_end.contains(&waiting) => all.contains(&format!("{{\"error\":\"{waiting}\"")),
            resource if of_resources.contains(&resource) => next.contains(resource),
            ending => said.contains(&format!("the server refused: {ending}")),
        };
        assert!(shown, "nothing shows {code}");
    }
}
