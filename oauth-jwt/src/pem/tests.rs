use super::*;

const WHOLE: &str = "-----BEGIN PRIVATE KEY-----\nAAEC\nAwQ=\n-----END PRIVATE KEY-----\n";

fn der(pem: &str) -> Result<Vec<u8>, KeyError> {
    private_key(pem.as_bytes()).map(|key| key.der.to_vec())
}

fn with_body(body: &str) -> String {
    format!("-----BEGIN PRIVATE KEY-----{body}-----END PRIVATE KEY-----")
}

#[test]
fn the_base64_is_undone_however_it_is_laid_out() {
    let bag = format!("Bag Attributes\n    friendlyName: a - b\n{WHOLE}trailing text");
    let layouts = [
        WHOLE.to_owned(),
        WHOLE.replace('\n', "\r\n"),
        WHOLE.replace('\n', "\r"),
        WHOLE.replace('\n', " "),
        WHOLE.replace('\n', ""),
        WHOLE.replace('\n', "\n\t"),
        format!("\u{feff}{WHOLE}"),
        bag,
    ];
    for layout in layouts {
        assert_eq!(der(&layout).unwrap(), [0, 1, 2, 3, 4], "{layout:?}");
    }
}

#[test]
fn the_label_gives_the_format() {
    for (label, format) in
        [("PRIVATE KEY", Format::Pkcs8), ("RSA PRIVATE KEY", Format::Pkcs1), ("EC PRIVATE KEY", Format::Sec1)]
    {
        let pem = WHOLE.replace("PRIVATE KEY", label);
        assert_eq!(private_key(pem.as_bytes()).map(|key| key.format).unwrap(), format);
    }
}

#[test]
fn the_buffer_never_grows_so_that_no_unwiped_copy_stays_behind() {
    let body = "AAEC\n".repeat(2000);
    let key = private_key(with_body(&body).as_bytes()).ok().unwrap();
    assert_eq!(key.der.len(), 6000);
    assert_eq!(key.der.capacity(), body.len());
}

#[test]
fn other_sections_beside_the_key_are_passed_over() {
    for label in ["CERTIFICATE", "PUBLIC KEY", "EC PARAMETERS", "CERTIFICATE REQUEST"] {
        let other = WHOLE.replace("PRIVATE KEY", label);
        assert_eq!(der(&format!("{other}{WHOLE}")).unwrap(), [0, 1, 2, 3, 4], "{label}");
        assert_eq!(der(&format!("{WHOLE}{other}")).unwrap(), [0, 1, 2, 3, 4], "{label}");
    }
}

#[test]
fn without_a_private_key_the_error_says_what_there_is() {
    let section = |label| WHOLE.replace("PRIVATE KEY", label);
    assert!(matches!(der(""), Err(KeyError::NotPem)));
    assert!(matches!(der("0\u{1}"), Err(KeyError::NotPem)));
    assert!(matches!(der(&section("EC PARAMETERS")), Err(KeyError::NoPrivateKey)));
    assert!(matches!(der(&section("PUBLIC KEY")), Err(KeyError::PublicKey)));
    assert!(matches!(der(&section("RSA PUBLIC KEY")), Err(KeyError::PublicKey)));
    assert!(matches!(der(&section("CERTIFICATE")), Err(KeyError::Certificate)));
    assert!(matches!(der(&section("TRUSTED CERTIFICATE")), Err(KeyError::Certificate)));
    let both = section("PUBLIC KEY") + &section("CERTIFICATE");
    assert!(matches!(der(&both), Err(KeyError::Certificate)));
}

#[test]
fn several_private_keys_are_counted_whatever_their_kind() {
    let encrypted = WHOLE.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let two = format!("{WHOLE}{encrypted}");
    assert!(matches!(der(&two), Err(KeyError::SeveralPrivateKeys { count: 2 })));
    assert!(matches!(der(&format!("{two}{WHOLE}")), Err(KeyError::SeveralPrivateKeys { count: 3 })));
}

#[test]
fn encrypted_and_foreign_kinds_are_named() {
    let encrypted = WHOLE.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert_eq!(private_key(encrypted.as_bytes()).unwrap().format, Format::Encrypted);
    let headers = with_body("\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAEC\n");
    assert!(matches!(der(&headers), Err(KeyError::Encrypted)));
    let openssh = WHOLE.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY");
    assert!(matches!(der(&openssh), Err(KeyError::Unsupported { found }) if found.contains("OpenSSH")));
    let dsa = WHOLE.replace("PRIVATE KEY", "DSA PRIVATE KEY");
    assert!(matches!(der(&dsa), Err(KeyError::Unsupported { found }) if found.contains("label")));
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let end = WHOLE.trim_end().len();
    for length in 0..end {
        let result = der(&WHOLE[..length]);
        match length {
            0..11 => assert!(matches!(result, Err(KeyError::NotPem)), "{length}"),
            _ => assert!(matches!(result, Err(KeyError::Malformed { .. })), "{length}"),
        }
    }
    assert!(der(&WHOLE[..end]).is_ok());
}

#[test]
fn the_labels_of_both_lines_must_be_the_same() {
    let differ = WHOLE.replace("END PRIVATE KEY", "END RSA PRIVATE KEY");
    assert!(matches!(der(&differ), Err(KeyError::Malformed { why }) if why.contains("differ")));
    // A certificate that was cut short may not swallow the key after it.
    let swallowed = format!("-----BEGIN CERTIFICATE-----\nAAEC\n{WHOLE}");
    assert!(matches!(der(&swallowed), Err(KeyError::Malformed { why }) if why.contains("differ")));
}

#[test]
fn broken_base64_is_refused() {
    let bodies = [
        "A",
        "AA",
        "AAA",
        "AAAAA",
        "AA==AAAA",
        "A===",
        "====",
        "AA-_",
        "AAEC\\nAAEC",
        "AAEC#",
        "AAEÇ",
        "Key: x",
    ];
    for body in bodies {
        let result = der(&with_body(body));
        assert!(matches!(result, Err(KeyError::Malformed { why }) if why.contains("Base64")), "{body}");
    }
}
