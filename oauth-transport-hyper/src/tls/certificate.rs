//! What is read out of certificates and revocation lists beside what webpki tells: names as text, and where lists are.
//!
//! Nothing here decides whether a certificate is good. What cannot be read is not there.

use rustls::pki_types::UnixTime;
use std::fmt::Write as _;
use std::time::Duration;

/// Parts of a certificate (RFC 5280 section 4.1), as DER.
pub(super) struct Certificate<'a> {
    issuer: &'a [u8],
    subject: &'a [u8],
    key_algorithm: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> Certificate<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut certificate = Der(Der(der).expect(SEQUENCE)?);
        let mut signed = Der(certificate.expect(SEQUENCE)?);
        signed.skip_if(CONTEXT_0);
        signed.expect(INTEGER)?;
        signed.expect(SEQUENCE)?;
        let issuer = signed.expect(SEQUENCE)?;
        signed.expect(SEQUENCE)?;
        let subject = signed.expect(SEQUENCE)?;
        let key_algorithm = Der(signed.expect(SEQUENCE)?).expect(SEQUENCE)?;
        let extensions = std::iter::from_fn(|| signed.next())
            .find(|(tag, _)| *tag == CONTEXT_3)
            .and_then(|(_, extensions)| Der(extensions).expect(SEQUENCE));
        Some(Self { issuer, subject, key_algorithm, extensions: extensions.unwrap_or_default() })
    }

    /// Whom it was issued to (RFC 4514).
    pub(super) fn subject(&self) -> String {
        name(self.subject)
    }

    /// Who issued it (RFC 4514).
    pub(super) fn issuer(&self) -> String {
        name(self.issuer)
    }

    /// Of which kind its key is: what is inside the `AlgorithmIdentifier` (RFC 5280 section 4.1.2.7).
    pub(super) const fn key_algorithm(&self) -> &'a [u8] {
        self.key_algorithm
    }

    /// Whether it names itself as its issuer.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether it may be shown by a server (RFC 5280 section 4.2.1.12).
    pub(super) fn is_for_servers(&self) -> bool {
        const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
        let Some(usages) = self.extension(&[0x55, 0x1d, 37]) else { return true };
        Der(usages).of(SEQUENCE).any(|(tag, usage)| tag == OID && usage == SERVER_AUTH)
    }

    /// Where its revocation lists are, over plain http (RFC 5280 section 4.2.1.13): lists are signed.
    ///
    /// Points for some reasons alone, and those of other issuers, are left out: webpki takes no such lists.
    pub(super) fn lists(&self) -> Vec<&'a str> {
        let Some(points) = self.extension(&[0x55, 0x1d, 31]) else { return Vec::new() };
        Der(points)
            .of(SEQUENCE)
            .filter_map(|(_, point)| {
                let mut point = Der(point);
                let name = point.expect(CONTEXT_0)?;
                point.0.is_empty().then_some(Der(name).expect(CONTEXT_0)?)
            })
            .flat_map(|names| Der(names).rest())
            .filter(|(tag, _)| *tag == URI)
            .filter_map(|(_, url)| std::str::from_utf8(url).ok())
            .filter(|url| url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")))
            .collect()
    }

    fn extension(&self, id: &[u8]) -> Option<&'a [u8]> {
        Der(self.extensions).rest().find_map(|(_, extension)| {
            let mut extension = Der(extension);
            if extension.expect(OID)? != id {
                return None;
            }
            extension.skip_if(BOOLEAN);
            extension.expect(OCTET_STRING)
        })
    }
}

/// When the next list will be there at the latest (RFC 5280 section 5.1.2.5).
pub(super) fn next_update(list: &[u8]) -> Option<UnixTime> {
    let mut signed = Der(Der(Der(list).expect(SEQUENCE)?).expect(SEQUENCE)?);
    signed.skip_if(INTEGER);
    signed.expect(SEQUENCE)?;
    signed.expect(SEQUENCE)?;
    signed.next()?;
    let (tag, time) = signed.next()?;
    unix_time(tag, std::str::from_utf8(time).ok()?)
}

/// `UTCTime` and `GeneralizedTime`, in the forms of RFC 5280 section 4.1.2.5.
fn unix_time(tag: u8, text: &str) -> Option<UnixTime> {
    let digits = text.strip_suffix('Z')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = digits.split_at(2);
            let year: i64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, rest) = digits.split_at(4);
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2).and_then(|part| part.parse::<i64>().ok());
    let (month, day) = (part(0)?, part(2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last.
    let shifted = if month > 2 { year } else { year - 1 };
    let days_of_years = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400;
    let days_of_months = (153 * ((month + 9) % 12) + 2) / 5;
    let days = days_of_years + days_of_months + day - 1 - 719_468;
    let seconds = days * 86_400 + part(4)? * 3600 + part(6)? * 60 + part(8)?;
    Some(UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).ok()?)))
}

/// A distinguished name as text (RFC 4514), its last part first.
fn name(der: &[u8]) -> String {
    let parts: Vec<String> = Der(der)
        .rest()
        .map(|(_, set)| Der(set).rest().filter_map(|(_, pair)| attribute(pair)).collect::<Vec<_>>().join("+"))
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

fn attribute(pair: &[u8]) -> Option<String> {
    let mut reader = Der(pair);
    let id = reader.expect(OID)?;
    let whole = reader.0;
    let (tag, value) = reader.next()?;
    let known = match id {
        [0x55, 4, 3] => "CN",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 9] => "STREET",
        [0x55, 4, 10] => "O",
        [0x55, 4, 11] => "OU",
        [9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1] => "UID",
        [9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25] => "DC",
        _ => "",
    };
    // RFC 4514 section 2.4: what has no short name, or is no text, is written as the bytes that it is.
    Some(match (known, text(tag, value)) {
        ("", _) => format!("{}={}", dotted(id), hex(whole)),
        (known, None) => format!("{known}={}", hex(whole)),
        (known, Some(text)) => format!("{known}={}", escape(&text)),
    })
}

fn text(tag: u8, value: &[u8]) -> Option<String> {
    match tag {
        // UTF8String, PrintableString, NumericString, IA5String
        0x0c | 0x12 | 0x13 | 0x16 => String::from_utf8(value.to_vec()).ok(),
        // TeletexString, which everybody takes for Latin-1
        0x14 => Some(value.iter().map(|byte| char::from(*byte)).collect()),
        // BMPString
        0x1e => {
            let (units, []) = value.as_chunks::<2>() else { return None };
            String::from_utf16(&units.iter().map(|unit| u16::from_be_bytes(*unit)).collect::<Vec<_>>()).ok()
        }
        _ => None,
    }
}

/// RFC 4514 section 2.4; control characters, too.
fn escape(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut escaped = String::with_capacity(text.len());
    for (index, character) in text.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', character]),
            '#' if index == 0 => escaped.push_str("\\#"),
            ' ' if index == 0 || index == last => escaped.push_str("\\ "),
            _ if character.is_control() => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a String cannot fail.
                    let _ = write!(escaped, "\\{byte:02X}");
                }
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("#".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An object identifier in its usual form.
fn dotted(id: &[u8]) -> String {
    let mut text = String::new();
    let mut number = 0_u128;
    for byte in id {
        number = number << 7 | u128::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if text.is_empty() {
                let first = (number / 40).min(2);
                let _ = write!(text, "{first}.{}", number - first * 40);
            } else {
                let _ = write!(text, ".{number}");
            }
            number = 0;
        }
    }
    text
}

const BOOLEAN: u8 = 1;
const INTEGER: u8 = 2;
const OCTET_STRING: u8 = 4;
const OID: u8 = 6;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_3: u8 = 0xa3;
const URI: u8 = 0x86;

/// DER (X.690) that is read value by value.
#[derive(Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value's tag and content.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&length, rest) = rest.split_first()?;
        let (length, rest) = if length < 0x80 {
            (usize::from(length), rest)
        } else {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            if bytes.is_empty() || bytes.len() > 4 {
                return None;
            }
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The next value's content, if it has this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    fn skip_if(&mut self, tag: u8) {
        if self.0.first() == Some(&tag) {
            self.next();
        }
    }

    /// The values up to the end, or to what is none.
    fn rest(self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut reader = self;
        std::iter::from_fn(move || reader.next())
    }

    /// The values inside the next one.
    fn of(mut self, tag: u8) -> impl Iterator<Item = (u8, &'a [u8])> {
        Der(self.expect(tag).unwrap_or_default()).rest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::string::{BmpString, PrintableString};
    use rcgen::{
        CertificateParams, CrlDistributionPoint, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose,
        KeyPair,
    };

    fn made(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(["as.example".to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn names_are_written_as_rfc_4514_has_them() {
        let der = made(|params| {
            let name = &mut params.distinguished_name;
            name.push(
                DnType::CountryName,
                DnValue::PrintableString(PrintableString::try_from("AT").unwrap()),
            );
            name.push(DnType::OrganizationName, " James \"Jim\" Smith, III\r ");
            name.push(
                DnType::OrganizationalUnitName,
                DnValue::BmpString(BmpString::try_from("#Lučić").unwrap()),
            );
            name.push(DnType::CustomDnType(vec![1, 3, 6, 1, 4, 1, 311, 20]), "x");
            name.push(DnType::CommonName, "as.example");
        });
        let certificate = Certificate::read(&der).unwrap();
        assert_eq!(
            certificate.subject(),
            "CN=as.example,1.3.6.1.4.1.311.20=#0c0178,OU=\\#Lučić,O=\\ James \\\"Jim\\\" Smith\\, III\\0D\\ ,C=AT"
        );
        assert_eq!(certificate.issuer(), certificate.subject());
        assert!(certificate.is_self_issued());
    }

    #[test]
    fn several_attributes_of_one_part_are_joined() {
        let cn = [0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, b'a'];
        let uid = [0x30, 15, 6, 10, 9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1, 0x0c, 1, b'b'];
        let mut set = vec![0x31, 27];
        set.extend(cn);
        set.extend(uid);
        assert_eq!(name(&set), "CN=a+UID=b");
        // Cut off, or with a length that is not there.
        assert_eq!(
            (name(&set[..20]), name(&[0x31, 0x84, 0xff, 0xff, 0xff, 0xff])),
            (String::new(), String::new())
        );
    }

    #[test]
    fn lists_are_those_over_plain_http() {
        let point = |url: &str| CrlDistributionPoint { uris: vec![url.to_owned()] };
        let der = made(|params| {
            params.crl_distribution_points = vec![
                point("http://lists.example/a.crl"),
                point("https://lists.example/b.crl"),
                point("ldap://lists.example/c"),
                point("HTTP://lists.example/d.crl"),
            ];
        });
        assert_eq!(
            Certificate::read(&der).unwrap().lists(),
            ["http://lists.example/a.crl", "HTTP://lists.example/d.crl"]
        );
        let der = made(|_| {});
        assert!(Certificate::read(&der).unwrap().lists().is_empty());
    }

    #[test]
    fn a_certificate_is_for_servers_unless_it_says_for_what_else() {
        for (usages, for_servers) in [
            (vec![], true),
            (vec![ExtendedKeyUsagePurpose::ClientAuth], false),
            (vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth], true),
        ] {
            let der = made(|params| params.extended_key_usages = usages);
            assert_eq!(Certificate::read(&der).unwrap().is_for_servers(), for_servers);
        }
    }

    #[test]
    fn times_are_counted_from_1970() {
        for (tag, text, seconds) in [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "000229235959Z", Some(951_868_799)),
            (GENERALIZED_TIME, "20990101000000Z", Some(4_070_908_800)),
            (GENERALIZED_TIME, "20261128150000Z", Some(1_795_878_000)),
            (GENERALIZED_TIME, "19000101000000Z", None),
            (UTC_TIME, "20990101000000Z", None),
            (UTC_TIME, "701301000000Z", None),
            (UTC_TIME, "7001010000+1Z", None),
            (GENERALIZED_TIME, "2099é101000000", None),
            (INTEGER, "700101000000Z", None),
        ] {
            assert_eq!(unix_time(tag, text).map(|time| time.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn whatever_is_cut_off_is_read_without_a_panic() {
        let der = made(|params| {
            params.distinguished_name.push(DnType::CommonName, "as.example");
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            params.crl_distribution_points =
                vec![CrlDistributionPoint { uris: vec!["http://lists.example/".to_owned()] }];
        });
        for length in 0..der.len() {
            for odd in [0, 0x1f, 0x7f, 0x84, 0xff] {
                let mut der = der.clone();
                der[length] = odd;
                for der in [&der[..], &der[..length]] {
                    if let Some(certificate) = Certificate::read(der) {
                        let _ = (certificate.subject(), certificate.is_for_servers(), certificate.lists());
                    }
                    let _ = next_update(der);
                }
            }
        }
    }
}
