use super::*;
use alloc::string::String;
use alloc::vec;

fn read_members(body: &[u8]) -> Result<Vec<(String, Value<'_>)>, Malformed> {
    let mut read = Vec::new();
    members(body, |_| Some(()), |(), name, value| read.push((name.to_owned(), value)))?;
    Ok(read)
}

#[test]
fn members_come_in_order_and_text_is_borrowed_where_it_can_be() {
    let read =
        read_members(b"\xEF\xBB\xBF{\"a\":\"x\",\"b\\u0063\":[1,-2,{\"d\":null}], \"e\":\"\\n\"}").unwrap();
    assert_eq!(read.len(), 3);
    assert!(matches!(&read[0].1, Value::String(Cow::Borrowed("x"))));
    assert_eq!(read[1].0, "bc");
    assert_eq!(
        read[1].1,
        Value::Array(vec![
            Value::Unsigned(1),
            Value::Float(-2.0),
            Value::Object(vec![(Cow::Borrowed("d"), Value::Null)])
        ])
    );
    assert!(matches!(&read[2].1, Value::String(Cow::Owned(text)) if text == "\n"));
}

#[test]
fn duplicates_are_refused_by_name_at_any_depth() {
    for body in [&br#"{"a":1,"b":2,"a":1}"#[..], br#"{"c":{"a":1,"\u0061":2}}"#, br#"{"c":[{"a":1,"a":1}]}"#]
    {
        assert_eq!(read_members(body), Err(Malformed::Duplicate("a".into())));
    }
}

#[test]
fn another_type_bytes_after_the_value_and_a_cut_are_refused() {
    for body in [&b"[]"[..], b"null", b"1", b"-1", b"1.5", b"\"x\"", b"true"] {
        assert_eq!(read_members(body), Err(Malformed::NotAnObject), "{body:?}");
    }
    for body in
        [&b""[..], b"{", b"{\"a\":1", b"{} x", b"<html>", b"{\"a\":\"\xff\"}", b"{'a':1}", b"{\"a\":01}"]
    {
        assert_eq!(read_members(body), Err(Malformed::NotJson), "{body:?}");
    }
}

#[test]
fn depth_and_number_of_values_are_bounded() {
    let nested = |depth: usize| {
        let mut body = String::from("{\"a\":");
        body.push_str(&"[".repeat(depth));
        body.push_str(&"]".repeat(depth));
        body.push('}');
        body
    };
    assert!(read_members(nested(31).as_bytes()).is_ok());
    assert_eq!(read_members(nested(100_000).as_bytes()), Err(Malformed::TooLarge));
    let wide = alloc::format!("{{\"a\":[{}1]}}", "1,".repeat(20_000));
    assert_eq!(read_members(wide.as_bytes()), Err(Malformed::TooLarge));
    let members: Vec<_> = (0..257).map(|n| alloc::format!("\"m{n}\":1")).collect();
    let (most, all) = (&members[..256], &members[..]);
    assert!(read_members(alloc::format!("{{{}}}", most.join(",")).as_bytes()).is_ok());
    assert_eq!(read_members(alloc::format!("{{{}}}", all.join(",")).as_bytes()), Err(Malformed::TooLarge));
}

#[test]
fn what_comes_after_a_reason_to_refuse_is_still_handed_over() {
    let members: Vec<_> = (0..300).map(|n| alloc::format!("\"m{n}\":1")).collect();
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let wide = alloc::format!("[{}1]", "1,".repeat(20_000));
    for before in [
        "\"a\":1,\"a\":2",
        "\"a\":{\"b\":1,\"b\":2}",
        &members.join(","),
        &alloc::format!("\"a\":{deep}"),
        &alloc::format!("\"a\":{wide}"),
    ] {
        let body = alloc::format!("{{{before},\"last\":\"kept\"}}");
        let mut last = None;
        let read = super::members(
            body.as_bytes(),
            |_| Some(()),
            |(), name, value| {
                if name == "last" {
                    last = value.into_string().map(Cow::into_owned);
                }
            },
        );
        assert!(matches!(read, Err(Malformed::Duplicate(_) | Malformed::TooLarge)), "{}", &body[..40]);
        assert_eq!(last.as_deref(), Some("kept"), "{}", &body[..40]);
    }
}

#[test]
fn some_members_are_kept_and_all_are_checked() {
    let read = |body: &'static str| Value::read_members(body.as_bytes(), &["a", "b"]);
    assert_eq!(read(r#"{"c":[1],"b":"x","d":null}"#), Ok([None, Some(Value::text("x"))]));
    assert_eq!(read(r#"{"\u0061":1}"#), Ok([Some(Value::Unsigned(1)), None]));
    for twice in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":1}"#] {
        assert_eq!(read(twice), Err(Malformed::Duplicate("a".into())), "{twice}");
    }
    for twice in [r#"{"c":1,"c":1}"#, r#"{"a":{"c":1,"c":1}}"#, r#"{"d":[{"c":1,"c":1}]}"#] {
        assert_eq!(read(twice), Err(Malformed::Duplicate("c".into())), "{twice}");
    }
    assert_eq!(read("[]"), Err(Malformed::NotAnObject));
    assert_eq!(read(r#"{"a":1e999}"#), Err(Malformed::NotJson));
}

#[test]
fn a_value_is_written_as_it_was_read() {
    let text = r#"{"a":[null,true,7,-2,1.5,"\n\"\u007f",{}],"b":18446744073709551615,"c":[]}"#;
    let text = text.replace("\\u007f", "\u{7f}");
    assert_eq!(alloc::format!("{}", value(text.as_bytes()).unwrap()), text);
    assert_eq!(
        alloc::format!("{}", Value::Array(vec![Value::Float(f64::NAN), Value::Float(1e30)])),
        "[null,1000000000000000000000000000000]"
    );
}

#[test]
fn a_number_that_is_read_exactly_is_written_as_it_was_spelled() {
    for number in [
        "117425123456789012345",
        "-117425123456789012",
        "1.10",
        "1.0",
        "-0",
        "1e3",
        "0.1234567890123456789",
        "1e400",
        "7",
        "-2",
        "1.5",
        "18446744073709551615",
    ] {
        let text = alloc::format!("{{\"a\":\"1.0\\\" 2.0\",\"b\":[{number},{{\"c\":{number}}}],\"9\":3.0}}");
        let read = Value::read_exactly(text.as_bytes()).unwrap();
        assert_eq!(alloc::format!("{read}"), text);
        assert_eq!(alloc::format!("{}", read.into_owned()), text);
    }
    // Where the usual types say it back, they are what there is.
    assert_eq!(Value::read_exactly(b"7"), Ok(Value::Unsigned(7)));
    assert_eq!(Value::read_exactly(b"-2"), Ok(Value::Float(-2.0)));
    let Ok(Value::Number(number)) = Value::read_exactly(b" 1.10 ") else { panic!("it is a number") };
    assert_eq!(number.as_str(), "1.10");
    for broken in ["01", "1.", "1e", "+1", "1 2", "01e400", "[1e400", "{\"a\":1,\"a\":2}", "1e400x"] {
        assert!(Value::read_exactly(broken.as_bytes()).is_err(), "{broken}");
    }
}

#[test]
fn a_number_beyond_all_bounds_costs_no_other_member() {
    let long = "9".repeat(400);
    for (number, expected) in [
        ("1e400", 1e308),
        ("-1E+400", -1e308),
        ("123.5e999999999999", 1e308),
        (&*long, 1e308),
        ("1e-400", 0.0),
        ("1e308", 1e308),
    ] {
        let body = alloc::format!("{{\"a\":\"1e400\\\"\",\"b\":[{number} , 7],\"c\":\"\\u0064\"}}");
        let read = read_members(body.as_bytes()).expect(number);
        assert_eq!(read[0], ("a".into(), Value::String("1e400\"".into())), "{number}");
        assert_eq!(read[1].1, Value::Array(vec![Value::Float(expected), Value::Unsigned(7)]), "{number}");
        assert_eq!(read[2], ("c".into(), Value::String("d".into())), "{number}");
    }
    // What is no number stays none, whatever its size.
    for broken in ["01e400", "1.e400", "1e400x", "1e400e1", "+1e400", "1e400.5", "1e", "-e400", "1e400,"] {
        let body = alloc::format!("{{\"b\":{broken}}}");
        assert_eq!(read_members(body.as_bytes()), Err(Malformed::NotJson), "{broken}");
    }
    assert_eq!(read_members(b"{\"a\":1e400,\"a\":1}"), Err(Malformed::Duplicate("a".into())));
}

#[test]
fn the_generic_reader_takes_any_document() {
    assert_eq!(value(b" [true] ").unwrap(), Value::Array(vec![Value::Bool(true)]));
}
