//! Conversations as text: one file of `tests/transcripts` is one conversation.
//!
//! ```text
//! # RFC 6749 section 6: the first line cites what is shown
//! @ mono 0 unix 1700000000          the clocks, in seconds
//! ! server https://as.example       what the program does
//! ! refresh r1
//! = POST https://as.example/token   what the flow asks, with everything that would be sent
//!     …
//! < 200 application/json            what the test answers; headers follow after ` | `
//!     {…}                           a body is indented
//! = done …                          how the flow ends
//! ```
//!
//! The lines that begin with `=` are compared with what really happens, byte by byte. `TRANSCRIPTS=write cargo test`
//! writes them anew, fails, and leaves the difference to be judged.
#![allow(missing_docs, reason = "a test has no public API")]

mod conversation;

use conversation::Conversation;
use std::fmt::Write as _;
use std::path::Path;

#[test]
fn every_conversation_goes_as_it_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 60, "conversations are missing: only {} in {}", files.len(), folder.display());
    let write = std::env::var_os("TRANSCRIPTS").is_some_and(|mode| mode == "write");
    let mut wrong = String::new();
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy();
        let expected = std::fs::read_to_string(file).unwrap();
        let happened = Conversation::run(&expected);
        if let Some(reason) = &happened.broken {
            writeln!(wrong, "\n{name}: {reason}").unwrap();
        }
        if happened.text != expected {
            writeln!(wrong, "\n{name}: what happened, `-` expected, `+` instead:\n").unwrap();
            wrong.push_str(&difference(&expected, &happened.text));
            if write {
                std::fs::write(file, &happened.text).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The whole conversation as it happened, with the expected lines beside those that differ.
fn difference(expected: &str, happened: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (expected.lines().collect(), happened.lines().collect());
    // The length of the longest common subsequence of every pair of tails.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut text) = (0, 0, String::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            writeln!(text, "  {}", old[i]).unwrap();
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[i + 1][j] >= common[i][j + 1] {
            writeln!(text, "- {}", old[i]).unwrap();
            i += 1;
        } else {
            writeln!(text, "+ {}", new[j]).unwrap();
            j += 1;
        }
    }
    text
}

#[test]
fn a_file_that_ends_before_its_flow_or_shows_nothing_is_broken() {
    let head = "# RFC 6749 section 4.4\n@ mono 0 unix 1700000000\n! server https://as.example\n\
                ! client public c1\n";
    let unfinished = Conversation::run(&format!("{head}! client_credentials\n"));
    assert_eq!(unfinished.broken.as_deref(), Some("the file ends before the flow does"));
    assert_eq!(Conversation::run(head).broken.as_deref(), Some("nothing was shown"));
    let uncited = Conversation::run("# a title\n");
    assert_eq!(uncited.broken.as_deref(), Some("the first line cites no RFC or OpenID section"));
    let unknown = Conversation::run(&format!("{head}! sing\n"));
    assert_eq!(unknown.broken.as_deref(), Some("line 5 is not understood: ! sing"));
}

#[test]
fn a_changed_byte_is_seen() {
    assert_eq!(difference("a\nb\nc\n", "a\nB\nc\n"), "  a\n- b\n+ B\n  c\n");
}
