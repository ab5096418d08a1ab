//! The table of `oauth-core/src/manual/rfcs.md`: what it names is there.
#![allow(missing_docs, reason = "a test has no public API")]

use std::fs;
use std::path::Path;

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

fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "node_modules", "corpus"].contains(&&*name) && !name.starts_with('.')
        {
            sources(&path, into);
        } else if name.ends_with(".rs") {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_row_names_a_test_that_is_there_or_says_why_there_is_none() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut rust = String::new();
    sources(own.parent().unwrap(), &mut rust);
    let table = fs::read_to_string(own.join("src/manual/rfcs.md")).unwrap();
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
        let reason = ["declined", "not offered yet: "].iter().any(|begin| shown.starts_with(begin));
        if named.is_empty() && !reason {
            wrong.push(format!("{row}: neither a test nor a reason"));
        }
        for name in named {
            let there = match name.strip_suffix(".txt") {
                Some(_) => own.join("tests/transcripts").join(name).exists(),
                // A function; or a row of a table of tests.
                None => rust.contains(&format!("fn {name}(")) || rust.contains(&format!("fn {name}<")),
            };
            if !there {
                wrong.push(format!("{row}: {name} is not there"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows > 120, "{rows}");
}
