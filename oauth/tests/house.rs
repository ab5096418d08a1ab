//! The invariants of ARCHITECTURE.md that are about the shape of the workspace.
#![allow(missing_docs, reason = "a test")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn metadata() -> Value {
    serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--all-features"])).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Every crate that a build of this one contains, itself included.
fn tree(arguments: &[&str]) -> BTreeSet<String> {
    let all =
        [&["tree", "-e", "normal", "--prefix", "none", "--target", "x86_64-unknown-linux-gnu"], arguments]
            .concat();
    cargo(&all).lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

fn names(tree: &BTreeSet<String>) -> BTreeSet<&str> {
    tree.iter().filter_map(|line| line.split(' ').next()).collect()
}

/// Who may depend on whom, and on which crates from outside: build and test dependencies apart.
const ARROWS: &[(&str, &[&str], &[&str])] = &[
    ("oauth-core", &[], &["base64", "http", "serde", "serde_json", "sha2", "subtle", "url", "zeroize"]),
    (
        "oauth-jwt",
        &["oauth-core"],
        &[
            "aes",
            "argon2",
            "aws-lc-rs",
            "base64",
            "base64ct",
            "cbc",
            "crypto-bigint",
            "cryptoki",
            "p12-keystore",
            "pkcs8",
            "quick-xml",
            "ring",
            "sec1",
            "url",
            "x509-cert",
            "zeroize",
        ],
    ),
    (
        "oauth-loopback",
        &["oauth-core"],
        &[
            "async-io",
            "getrandom",
            "http",
            "httparse",
            "listenfd",
            "mio",
            "rcgen",
            "rustls",
            "sha2",
            "socket2",
            "subtle",
            "tokio",
            "url",
            "webbrowser",
            "zeroize",
        ],
    ),
    (
        "oauth-transport",
        &["oauth-core"],
        &[
            "base64",
            "brotli-decompressor",
            "cookie_store",
            "flate2",
            "http",
            "httpdate",
            "percent-encoding",
            "psl",
            "rcgen",
            "rustls",
            "rustls-pki-types",
            "socket2",
            "url",
            "zeroize",
        ],
    ),
    (
        "oauth-transport-hyper",
        &["oauth-core", "oauth-transport"],
        &[
            "base64",
            "http",
            "http-body-util",
            "hyper",
            "hyper-util",
            "libgssapi",
            "md-5",
            "ntlmclient",
            "rustls",
            "rustls-native-certs",
            "rustls-platform-verifier",
            "rustls-webpki",
            "sha2",
            "socket2",
            "tokio",
            "tokio-rustls",
            "zeroize",
        ],
    ),
    (
        "oauth-transport-isahc",
        &["oauth-core", "oauth-transport"],
        &[
            "async-io",
            "base64",
            "curl",
            "futures-lite",
            "http",
            "isahc",
            "ring",
            "rustls-native-certs",
            "rustls-pki-types",
            "rustls-webpki",
            "zeroize",
        ],
    ),
    (
        "oauth",
        &[
            "oauth-core",
            "oauth-jwt",
            "oauth-loopback",
            "oauth-transport",
            "oauth-transport-hyper",
            "oauth-transport-isahc",
        ],
        &[
            "async-io",
            "async-lock",
            "base64",
            "getrandom",
            "http",
            "httpdate",
            "rustls-pki-types",
            "strsim",
            "tokio",
            "url",
        ],
    ),
    (
        "oauth-testserver",
        &[],
        &["crypto-bigint", "ct-codecs", "ed25519-compact", "getrandom", "hmac-sha256", "httparse", "p256"],
    ),
    // Its tests see the core, the transport and both engines; what starts the peers sees none of them.
    ("oauth-interop", &[], &["base64", "rcgen", "serde_json", "tempfile"]),
    (
        "oauth-cli",
        &["oauth", "oauth-testserver"],
        &[
            "base64",
            "clap",
            "http",
            "httparse",
            "rustix",
            "serde",
            "serde_json",
            "sha2",
            "tempfile",
            "tokio",
            "toml_edit",
            "url",
            "zeroize",
        ],
    ),
];

#[test]
fn arrows_point_up_only() {
    let metadata = metadata();
    for (name, ours, theirs) in ARROWS {
        let package =
            metadata["packages"].as_array().unwrap().iter().find(|package| text(package, "name") == *name);
        let package = package.unwrap_or_else(|| panic!("{name} is not in the workspace"));
        for dependency in package["dependencies"].as_array().unwrap() {
            if !dependency["kind"].is_null() {
                continue;
            }
            let dependency = text(dependency, "name");
            let allowed = ours.contains(&dependency) || theirs.contains(&dependency);
            assert!(
                allowed,
                "{name} depends on {dependency}; if it has to, say so here and in ARCHITECTURE.md"
            );
        }
    }
}

#[test]
fn the_core_carries_no_runtime_no_engine_and_no_crypto_library() {
    let tree = tree(&["-p", "oauth-core"]);
    let names = names(&tree);
    for absent in ["tokio", "hyper", "ring", "isahc", "curl", "rustls", "getrandom", "async-io"] {
        assert!(!names.contains(absent), "oauth-core builds {absent}");
    }
}

#[test]
fn the_number_of_crates_is_bounded_and_told() {
    let told = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (arguments, row, bound) in [
        (&["-p", "oauth-core"][..], "`oauth-core`", 60),
        (&["-p", "oauth"][..], "`oauth`, default features (hyper, loopback, jwt)", 105),
    ] {
        let count = tree(arguments).len();
        assert!(count <= bound, "{row} has {count} crates in its tree, more than {bound}");
        let line = format!("| {row} | {count} | {bound} |");
        assert!(told.contains(&line), "ARCHITECTURE.md should have the line {line}");
    }
}

#[test]
fn licences_are_permissive_and_banned_crates_are_absent() {
    const ALLOWED: [&str; 13] = [
        "MIT",
        "MIT-0",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Zlib",
        "Unicode-3.0",
        "0BSD",
        "Unlicense",
        "CC0-1.0",
        "CDLA-Permissive-2.0",
    ];
    /// A timing flaw without a fix; unmaintained.
    const BANNED: [&str; 2] = ["rsa", "rustls-pemfile"];
    let metadata = metadata();
    // What the benches measure us against is built for that alone, and ships in nothing.
    let shipped = tree(&["--workspace", "--exclude", "oauth-benches", "--all-features"]);
    let shipped = names(&shipped);
    let mut wrong = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, licence) = (text(package, "name"), text(package, "license"));
        let allowed = licence.split(" AND ").all(|part| {
            let part = part.trim_matches(['(', ')']);
            part.split(" OR ")
                .flat_map(|one| one.split('/'))
                .any(|one| ALLOWED.contains(&one.trim().trim_matches(['(', ')'])))
        });
        if !allowed || BANNED.contains(&name) && shipped.contains(name) {
            wrong.insert(name.to_owned(), licence.to_owned());
        }
    }
    assert!(wrong.is_empty(), "not allowed here: {wrong:?}");
}

/// RFC 8252 section 8.12: the person signs in where the program cannot look over their shoulder.
#[test]
fn a16_no_crate_embeds_a_browser() {
    let tree = tree(&["--workspace", "--exclude", "oauth-benches", "--all-features"]);
    let views = [
        "wry",
        "webview",
        "web-view",
        "webview2",
        "webkit2gtk",
        "tao",
        "cef",
        "servo",
        "fltk-webview",
        "tauri",
    ];
    let found: Vec<_> = names(&tree).into_iter().filter(|name| views.contains(name)).collect();
    assert_eq!(found, Vec::<&str>::new());
    // And the browser that is opened is the person's own: by commands on Linux, elsewhere by the crate for that.
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let listener = packages.iter().find(|package| text(package, "name") == "oauth-loopback").unwrap();
    let opens = |dependency: &Value| text(dependency, "name") == "webbrowser";
    assert!(listener["dependencies"].as_array().unwrap().iter().any(opens));
}

/// The known threats, by letter and number: A the authorization request and its answer, T the direct calls, R refresh,
/// D the device flow and what is kept, J signed and encrypted messages and keys.
const THREATS: [(&str, &[&str]); 5] = [
    (
        "a",
        &[
            "state",
            "code injection",
            "PKCE downgrade",
            "mix-up",
            "duplicates",
            "what was not asked for",
            "errors without state",
            "listening off host",
            "squatted ports",
            "other hosts",
            "floods",
            "scripts in pages",
            "codes in pages and logs",
            "replayed callbacks",
            "open redirector",
            "embedded browsers",
        ],
    ),
    (
        "t",
        &[
            "redirects",
            "plain http",
            "TLS checks",
            "endless bodies",
            "truncation",
            "split headers",
            "errors at 200",
            "token types",
            "one place for secrets",
            "other identities",
            "proxies",
            "cookies and the like",
            "metadata of others",
            "issuer of metadata",
            "mTLS aliases",
        ],
    ),
    ("r", &["rotation", "two processes", "crash while writing", "trouble is no verdict", "refresh storms"]),
    ("d", &["polling", "what is shown", "remote phishing", "clocks", "secrets in memory and output"]),
    (
        "j",
        &[
            "algorithms",
            "HMAC by a public key",
            "keys in headers",
            "critical headers",
            "claims of the wrong type",
            "memory",
            "JWE bombs",
            "unprotected headers",
            "ECDSA corner cases",
            "ID token rules",
            "messages of another kind",
            "rotation and floods of keys",
            // Of DPoP there is so far what a server asks for in a challenge, and so is the test: no proof is made yet.
            "DPoP",
            "client assertions",
            "key files",
        ],
    ),
];

/// A test's name begins with its threat, or with the rule of the listener that answers it and then its threat.
#[test]
fn each_threat_has_a_test_of_its_name() {
    let mut sources = String::new();
    for folder in ["tests", "src"] {
        for member in members() {
            read_rust(&member.join(folder), &mut sources);
        }
    }
    for (letter, threats) in THREATS {
        for (at, threat) in threats.iter().enumerate() {
            let id = format!("{letter}{}", at + 1);
            let named = sources.contains(&format!("fn {id}_")) || sources.contains(&format!("_{id}_"));
            assert!(named, "{id} ({threat}) has no test");
        }
    }
}

fn read_rust(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_rust(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// The members of the workspace.
fn members() -> Vec<PathBuf> {
    let metadata = metadata();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| package["source"].is_null())
        .map(|package| Path::new(text(package, "manifest_path")).parent().unwrap().to_owned())
        .collect()
}

#[test]
fn every_crate_inherits_the_lints_which_forbid_unsafe_code() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    for member in members() {
        let manifest = fs::read_to_string(member.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{}", member.display());
    }
}

/// A fuzzer writes what it finds into the first folder that it is given; that is `fuzz/corpus`, which is not kept.
#[test]
fn the_seeds_of_the_fuzzers_are_few_and_have_names() {
    for target in fs::read_dir(root().join("fuzz/seeds")).unwrap() {
        let seeds: Vec<_> =
            fs::read_dir(target.unwrap().path()).unwrap().map(|seed| seed.unwrap().path()).collect();
        let found = |path: &&PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        assert_eq!(seeds.iter().find(found), None);
        assert!(seeds.len() <= 32, "{} seeds", seeds.len());
    }
}

#[test]
fn no_file_is_longer_than_600_lines() {
    fn walk(folder: &Path, long: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                walk(&path, long);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let source = fs::read_to_string(&path).unwrap();
                let code = source.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                if code.lines().count() > 600 {
                    long.push(format!("{} has {} lines", path.display(), code.lines().count()));
                }
            }
        }
    }
    let mut long = Vec::new();
    for member in members() {
        walk(&member.join("src"), &mut long);
    }
    assert!(long.is_empty(), "{long:#?}");
}
