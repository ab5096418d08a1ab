use super::*;
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec;

fn headers(lines: &[&str]) -> HeaderMap {
    let value = |line: &&str| HeaderValue::from_bytes(line.as_bytes()).unwrap();
    lines.iter().map(|line| (WWW_AUTHENTICATE, value(line))).collect()
}

fn read(line: &str) -> Result<Vec<Challenge>, InvalidChallenge> {
    let read = Challenges::read(&headers(&[line]));
    assert!(read.invalid.is_none() || read.list.is_empty());
    read.invalid.map_or(Ok(read.list), Err)
}

fn one(line: &str) -> Challenge {
    let mut list = read(line).unwrap();
    assert_eq!(list.len(), 1, "{line}");
    list.remove(0)
}

/// `scheme|token68|name=value|…` of each challenge.
fn shown(line: &str) -> Vec<String> {
    let show = |challenge: &Challenge| {
        let mut text = challenge.scheme.clone();
        challenge.token68.iter().for_each(|token68| text.push_str(&format!("|{token68}")));
        challenge.params().for_each(|(name, value)| text.push_str(&format!("|{name}={value}")));
        text
    };
    read(line).unwrap_or_else(|why| panic!("{line}: {why}")).iter().map(show).collect()
}

#[test]
fn rfc9110_11_6_1_the_example_has_two_challenges() {
    let line = r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#;
    assert_eq!(shown(line), ["Basic|realm=simple", r#"Newauth|realm=apps|type=1|title=Login to "apps""#]);
}

#[test]
fn rfc9110_11_3_every_shape_of_a_list_of_challenges() {
    for (line, expected) in [
        ("Bearer", vec!["Bearer"]),
        ("Bearer ", vec!["Bearer"]),
        ("Negotiate, Bearer", vec!["Negotiate", "Bearer"]),
        ("Negotiate,Bearer", vec!["Negotiate", "Bearer"]),
        ("Negotiate YII=, Bearer realm=a", vec!["Negotiate|YII=", "Bearer|realm=a"]),
        ("Negotiate a/b+c==", vec!["Negotiate|a/b+c=="]),
        ("Bearer abc", vec!["Bearer|abc"]),
        // A sign without a value is a token68.
        ("X realm=", vec!["X|realm="]),
        ("X realm= , Y", vec!["X|realm=", "Y"]),
        ("X realm=\"\"", vec!["X|realm="]),
        // Bad whitespace, and tabs.
        ("Bearer realm = \"a\" ,\terror\t=\tb", vec!["Bearer|realm=a|error=b"]),
        ("Bearer  realm=a", vec!["Bearer|realm=a"]),
        // Empty elements, at the beginning, within and at the end.
        (", ,Bearer realm=a,, ,error=b, , Basic,", vec!["Bearer|realm=a|error=b", "Basic"]),
        ("Bearer ,error=b", vec!["Bearer|error=b"]),
        // A comma, a sign or a scheme in quotes is text.
        ("Bearer realm=\"a, Basic realm=b\", error=c", vec!["Bearer|realm=a, Basic realm=b|error=c"]),
        ("Bearer realm=\"\\\\\\\"\\a\tb\"", vec!["Bearer|realm=\\\"a\tb"]),
        ("Bearer realm=\"Käse\"", vec!["Bearer|realm=Käse"]),
        // Two of one scheme are two ways in.
        ("Bearer realm=a, Bearer realm=b", vec!["Bearer|realm=a", "Bearer|realm=b"]),
        ("a!#$%&'*+-.^_`|~1 b!#$%&'*+-.^_`|~1=c", vec!["a!#$%&'*+-.^_`|~1|b!#$%&'*+-.^_`|~1=c"]),
        ("", vec![]),
        (" , ", vec![]),
    ] {
        assert_eq!(shown(line), expected, "{line}");
    }
}

#[test]
fn what_breaks_the_grammar_is_refused_with_its_place() {
    for (line, at) in [
        ("=a", 0),
        ("error=invalid_token", 0),
        ("\"Bearer\"", 0),
        ("Bearer realm=a error=b", 15),
        ("Bearer realm=\"a\"error=b", 16),
        ("Bearer realm=\"a\" Basic", 17),
        ("Bearer Basic realm=a", 13),
        ("Bearer =a", 0),
        ("Bearer realm=a, =b", 16),
        ("Bearer realm=a, error=", 22),
        ("Bearer realm=a/b", 14),
        ("Bearer scope=a b", 15),
        ("Negotiate YII=, realm=a", 16),
        ("Negotiate YII= realm=a", 20),
        ("Bearer;realm=a", 6),
        ("Bearer realm='a b'", 16),
        ("Bearer realm:a", 12),
    ] {
        assert_eq!(read(line), Err(InvalidChallenge::Syntax { at }), "{line}");
    }
    for line in ["Bearer realm=\"a", "Bearer realm=\"", "Bearer realm=\"a\\", "Bearer realm=\"a\\\""] {
        assert_eq!(read(line), Err(InvalidChallenge::Unterminated), "{line}");
    }
}

#[test]
fn rfc9110_11_2_a_parameter_that_comes_twice_is_refused_whatever_its_case() {
    for line in [
        "Bearer error=invalid_token, error=insufficient_scope",
        "Bearer error=invalid_token, realm=a, ERROR=invalid_token",
        "Bearer error=\"a\", \terror=\"a\"",
    ] {
        let Err(InvalidChallenge::Duplicate(name)) = read(line) else { panic!("{line}") };
        assert!(name.eq_ignore_ascii_case("error"));
    }
    assert_eq!(shown("Bearer error=a, DPoP error=b").len(), 2);
}

#[test]
fn of_several_headers_a_broken_one_costs_only_itself() {
    let read = Challenges::read(&headers(&["Basic realm=x", "Bearer error=\"", "DPoP algs=ES256", "a b c"]));
    let schemes: Vec<_> = read.iter().map(Challenge::scheme).collect();
    assert_eq!(schemes, ["Basic", "DPoP"]);
    assert_eq!(read.invalid(), Some(&InvalidChallenge::Unterminated));
    // A header that goes on where another ended does not: each stands alone.
    let read = Challenges::read(&headers(&["Bearer realm=a", "error=b"]));
    assert_eq!(read.list, [one("Bearer realm=a")]);
    assert_eq!(read.invalid(), Some(&InvalidChallenge::Syntax { at: 0 }));
}

#[test]
fn opaque_bytes_in_quotes_do_not_cost_the_challenge() {
    let value = HeaderValue::from_bytes(b"Bearer realm=\"K\xE4se\\\xE4\", error=\"invalid_token\"").unwrap();
    let read = Challenges::read(&HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]));
    assert_eq!(read.list[0].realm(), Some("K\u{FFFD}se\u{FFFD}"));
    assert_eq!(read.list[0].error(), Some(ErrorCode::INVALID_TOKEN));
    // No header value has these; another source of bytes might.
    for control in [b"X a=\"\0\"", b"X a=\"\n\"", b"X a=\"\x7F\""] {
        assert_eq!(challenges(control, 1), Err(InvalidChallenge::Syntax { at: 5 }));
    }
    let value = HeaderValue::from_bytes(b"B\xE4rer realm=a").unwrap();
    let read = Challenges::read(&HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]));
    assert_eq!(read.invalid(), Some(&InvalidChallenge::Syntax { at: 1 }));
}

#[test]
fn what_is_read_is_written_as_a_header_that_reads_the_same() {
    for line in [
        "Bearer",
        "Negotiate YII==",
        "X realm=",
        r#"Bearer realm="", error=invalid_token, Unknown="\"\\,=""#,
        "bearer realm=\"Käse\tund Brot\"",
    ] {
        let challenge = one(line);
        let written = challenge.header_value();
        let again = Challenges::read(&HeaderMap::from_iter([(WWW_AUTHENTICATE, written)]));
        assert_eq!(again.list, [challenge], "{line}");
    }
    assert_eq!(one("Bearer a=b,c=\"\\\"\"").header_value(), r#"Bearer a="b", c="\"""#);
}

#[test]
fn rfc6750_3_the_parameters_have_types() {
    let challenge = one(
        r#"bearer realm="example", scope="openid  profile", error="insufficient_scope", error_description="more", x=1"#,
    );
    assert!(challenge.is_scheme("Bearer") && !challenge.is_scheme("DPoP"));
    assert_eq!(challenge.realm(), Some("example"));
    assert_eq!(challenge.scope(), Some(Scope::new("openid profile").unwrap()));
    assert_eq!(challenge.error(), Some(ErrorCode::INSUFFICIENT_SCOPE));
    assert_eq!(challenge.param("Error_Description"), Some("more"));
    assert_eq!(challenge.param("X"), Some("1"));
    assert_eq!(challenge.token68(), None);
    let empty = one(r#"Bearer error="", scope=" ", max_age="", acr_values="""#);
    assert_eq!((empty.error(), empty.scope(), empty.max_age(), empty.acr_values()), (None, None, None, None));
}

#[test]
fn rfc9470_3_and_rfc9449_7_1_the_parameters_have_types() {
    for (text, age) in [
        ("5", Some(5)),
        ("\"0\"", Some(0)),
        ("99999999999999999999", Some(u64::MAX)),
        ("-5", None),
        ("5.5", None),
        ("soon", None),
        ("+5", None),
    ] {
        let challenge = one(&format!("Bearer max_age={text}"));
        assert_eq!(challenge.max_age(), age.map(Duration::from_secs), "{text}");
    }
    assert_eq!(one("Bearer acr_values=\"myACR urn:b\"").acr_values(), Some("myACR urn:b"));
    assert_eq!(one("Bearer acr_values=\"ä\"").acr_values(), None);
    let algs: Vec<_> = one("DPoP algs=\"ES256  PS256\"").algs().collect();
    assert_eq!(algs, [Algorithm::ES256, Algorithm::other("PS256")]);
    assert_eq!(one("DPoP realm=a").algs().count(), 0);
}

/// Threat T13: `www_authenticate/resource-metadata-*`.
#[test]
fn t13_resource_metadata_is_asked_only_where_the_policy_lets() {
    let policy = Policy::strict();
    let at =
        |url: &str| one(&format!("Bearer resource_metadata=\"{url}\"")).resource_metadata(&policy).unwrap();
    let url = "https://resource.example/.well-known/oauth-protected-resource";
    assert_eq!(at(url).unwrap().url().as_str(), url);
    for (url, why) in [
        ("http://resource.example/", EndpointError::NotHttps),
        ("http://127.0.0.1/", EndpointError::PlainHttpOnLoopback),
        ("file:///etc/passwd", EndpointError::NotHttps),
        ("//resource.example/", EndpointError::NotAUrl),
        ("/.well-known/oauth-protected-resource", EndpointError::NotAUrl),
        ("https://user@resource.example/", EndpointError::Userinfo),
        ("https://resource.example/#a", EndpointError::Fragment),
        ("https://good.example\\\\@resource.example/", EndpointError::NotAUrl),
        ("", EndpointError::NotAUrl),
    ] {
        assert_eq!(at(url), Err(why), "{url}");
    }
    assert_eq!(one("Bearer realm=a").resource_metadata(&policy), None);
}

#[test]
fn rfc9449_8_1_a_nonce_is_one_header_of_its_own() {
    let nonce = |values: &[&str]| {
        let value = |value: &&str| HeaderValue::from_bytes(value.as_bytes()).unwrap();
        let headers = values.iter().map(|text| (DPOP_NONCE, value(text))).collect();
        Challenges::read(&headers).dpop_nonce().map(String::from)
    };
    assert_eq!(nonce(&["eyJ7S_zG.eyJH0-Z.HX4w-7v"]).as_deref(), Some("eyJ7S_zG.eyJH0-Z.HX4w-7v"));
    for wrong in [&[][..], &[""], &["a b"], &["a\"b"], &["a\\b"], &["ä"], &["a", "a"], &["a", "b"]] {
        assert_eq!(nonce(wrong), None, "{wrong:?}");
    }
}

#[test]
fn challenges_parameters_and_bytes_are_bounded() {
    let many =
        |item: &str, count: usize| (0..count).map(|n| format!("{item}{n}=1")).collect::<Vec<_>>().join(",");
    let params = |count| format!("Bearer {}", many("p", count));
    assert_eq!(one(&params(64)).params().count(), 64);
    assert_eq!(read(&params(65)), Err(InvalidChallenge::TooLarge));
    let schemes = |count| vec!["Basic"; count].join(",");
    assert_eq!(read(&schemes(64)).unwrap().len(), 64);
    assert_eq!(read(&schemes(65)), Err(InvalidChallenge::TooLarge));
    // The bounds are those of all headers together.
    let full = Challenges::read(&headers(&[&schemes(40), &schemes(25), &schemes(24), "Bearer"]));
    assert_eq!((full.list.len(), full.invalid), (64, Some(InvalidChallenge::TooLarge)));
    let long = format!("Bearer realm=\"{}\"", "a".repeat(40_000));
    let full = Challenges::read(&headers(&[&long, &long, "Bearer error=invalid_token"]));
    assert_eq!((full.list.len(), full.invalid), (2, Some(InvalidChallenge::TooLarge)));
}

#[test]
fn no_value_of_a_challenge_is_in_its_debug_output() {
    let list = read("Bearer error_description=\"token s3cr3t-value has ended\", DPoP s3cr3t-value").unwrap();
    let shown = format!("{list:?}");
    assert!(!shown.contains("s3cr3t") && shown.contains("error_description"), "{shown}");
}

#[test]
fn a_reason_is_one_line() {
    for (line, expected) in [
        ("Bearer realm", None),
        ("Bearer a b", Some("it breaks the grammar at byte 9")),
        ("Bearer a=b, a=c", Some("a comes twice")),
    ] {
        let why = read(line).err().map(|why| why.to_string());
        let begin = "the resource's WWW-Authenticate header cannot be read: ";
        let end = "; report it to whoever runs the resource";
        assert_eq!(why, expected.map(|expected| [begin, expected, end].concat()));
    }
}
