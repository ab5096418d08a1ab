use super::*;

const PEM: &[u8] = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n\
    -----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n\
    -----BEGIN CERTIFICATE-----\nBAUG\n-----END CERTIFICATE-----\n";

#[test]
fn the_defaults_are_as_documented() {
    let settings = Settings::new();
    assert_eq!(settings.connect_timeout(), Duration::from_secs(10));
    assert_eq!(settings.total_timeout(), Duration::from_secs(30));
    assert_eq!(settings.extra_roots().len(), 0);
    assert!(settings.platform_roots());
    assert!(settings.proxies().is_empty());
    assert!(settings.check().is_ok());
}

#[test]
fn a_pem_file_gives_its_certificates_and_nothing_else() {
    let settings = Settings::new().with_extra_roots_pem(PEM).unwrap().with_extra_root_der([7]);
    assert_eq!(settings.extra_roots().collect::<Vec<_>>(), [&[1, 2, 3][..], &[4, 5, 6], &[7]]);
}

#[test]
fn a_pem_file_without_a_certificate_is_refused() {
    for pem in [&b""[..], b"hello", &PEM[..60]] {
        let error = Settings::new().with_extra_roots_pem(pem).unwrap_err();
        assert!(matches!(error, SettingsError::NoCertificate), "{error}");
    }
}

#[test]
fn a_broken_certificate_is_named_by_its_place() {
    let broken = [PEM, b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"].concat();
    let error = Settings::new().with_extra_roots_pem(&broken).unwrap_err();
    assert_eq!(error.to_string(), "extra trust root 3 is not a readable certificate; replace it");
}

#[test]
fn what_no_transport_can_carry_is_refused() {
    let zero = Duration::ZERO;
    for (settings, why) in [
        (Settings::new().with_connect_timeout(zero), "the connect timeout is zero"),
        (Settings::new().with_total_timeout(zero), "the total timeout is zero"),
        (Settings::new().without_platform_roots(), "no trust roots"),
    ] {
        let error = settings.check().unwrap_err().to_string();
        assert!(error.starts_with(why), "{error}");
    }
}
