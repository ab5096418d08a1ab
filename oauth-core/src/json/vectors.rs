//! JSONTestSuite, from the folder that the environment variable `OAUTH_VECTORS` names.
extern crate std;

use super::value;
use crate::failure::Malformed;
use std::path::PathBuf;
use std::string::{String, ToString as _};
use std::vec::Vec;
use std::{env, format, fs, println};

/// What must parse by the grammar and is refused here by name: duplicate members.
const REFUSED_BY_NAME: [&str; 2] = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

#[test]
#[ignore = "reads OAUTH_VECTORS, data that is not part of this project; ./check.sh runs it where that is set"]
#[expect(clippy::print_stdout, reason = "how many were run belongs into the report of the checks")]
fn vectors_json_test_suite() {
    let folder = env::var_os("OAUTH_VECTORS").expect("OAUTH_VECTORS names the folder with the vectors");
    let folder = PathBuf::from(folder).join("json-test-suite/test_parsing");
    let (mut wrong, mut counts) = (Vec::<String>::new(), [0; 3]);
    for file in fs::read_dir(&folder).expect("the folder json-test-suite is there") {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().to_string();
        let body = fs::read(&path).unwrap();
        let read = value(&body);
        let (kind, right) = match name.as_bytes()[0] {
            b'y' if REFUSED_BY_NAME.contains(&&*name) => (0, matches!(read, Err(Malformed::Duplicate(_)))),
            b'y' => (0, read.is_ok()),
            b'n' => (1, read.is_err()),
            _ => (2, true),
        };
        counts[kind] += 1;
        if !right {
            wrong.push(format!("{name}: {read:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(counts, [95, 188, 35], "the suite is not the one that was expected");
    println!("vectors: json-test-suite {} run", counts.iter().sum::<i32>());
}
