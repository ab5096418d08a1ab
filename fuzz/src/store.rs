//! Certificate stores of every kind: the first byte picks it, the rest are its contents.

use oauth_core::Password;
use oauth_jwt::{CertificateStore, StoreError, StoreKind};

/// What is read is bounded, each entry is found by its own name, and an error is one line.
pub fn run(input: &[u8]) {
    let Some((number, contents)) = input.split_first() else { return };
    let kind = StoreKind::from_number(u32::from(*number)).unwrap_or(StoreKind::Auto);
    let store = match CertificateStore::read(kind, contents, Some(&Password::new("throw-away"))) {
        Ok(store) => store,
        Err(why) => return one_line(&why),
    };
    assert_ne!(store.kind(), StoreKind::Auto);
    assert!(store.entries().len() <= 1000);
    for entry in store.entries() {
        assert!(entry.certificates().len() <= 101);
        assert!(entry.subject().is_empty() || entry.certificates().len() > 0);
        // A label is a name as it is.
        if let Some(label) = entry.label() {
            assert!(store.find(label).is_ok());
        }
    }
    assert_eq!(store.find("*").is_ok(), !store.entries().is_empty());
    if let Err(why) = store.find("CN=\n\"nobody\\,,") {
        one_line(&why);
    }
    for entry in store.into_entries() {
        let (private, public) = (entry.has_private_key(), entry.public_key().map(|key| key.thumbprint()));
        match entry.into_signing_key() {
            Ok(key) => assert!(key.public_key().is_none_or(|own| Some(own.thumbprint()) == public)),
            Err(why) => {
                assert_eq!(private, !matches!(why, StoreError::NoPrivateKey { .. }));
                one_line(&why);
            }
        }
    }
}

fn one_line(why: &StoreError) {
    let text = why.to_string();
    assert!(!text.is_empty() && !text.contains('\n') && text.len() < 4096, "{text}");
}
