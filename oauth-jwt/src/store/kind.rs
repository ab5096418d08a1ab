//! The kinds of stores, by the numbers that programs of other languages know them by.

use std::fmt;

/// What a certificate store is, and whether it is given as the path of a file or as its contents.
///
/// The numbers are those that configurations of other libraries have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreKind {
    /// 0: the certificates of the person who is signed in to the system.
    User = 0,
    /// 1: the certificates of the machine.
    Machine = 1,
    /// 2: a PKCS#12 file (PFX, RFC 7292).
    PfxFile = 2,
    /// 3: the contents of a PKCS#12 file.
    PfxBlob = 3,
    /// 4: a Java key store, of the older kind (JKS).
    JksFile = 4,
    /// 5: the contents of a Java key store.
    JksBlob = 5,
    /// 6: private keys and their certificates as PEM, or one private key as DER.
    PemKeyFile = 6,
    /// 7: the contents of such a file.
    PemKeyBlob = 7,
    /// 8: public keys or certificates, as PEM or DER.
    PublicKeyFile = 8,
    /// 9: the contents of such a file.
    PublicKeyBlob = 9,
    /// 10: the contents of an SSH public key file (RFC 4253 section 6.6). The file itself is 13.
    SshPublicKeyBlob = 10,
    /// 11: certificates as PKCS#7 (P7B, RFC 2315).
    P7bFile = 11,
    /// 12: the contents of such a file.
    P7bBlob = 12,
    /// 13: an SSH public key file, one key a line. Its contents are 10.
    SshPublicKeyFile = 13,
    /// 14: a private key of PuTTY, in version 2 or 3.
    PpkFile = 14,
    /// 15: the contents of such a file.
    PpkBlob = 15,
    /// 16: an RSA key in the XML of .NET (`RSAKeyValue`).
    XmlFile = 16,
    /// 17: the contents of such a file.
    XmlBlob = 17,
    /// 18: a JWK, or a document of them (RFC 7517).
    JwkFile = 18,
    /// 19: the contents of such a file.
    JwkBlob = 19,
    /// 20: a security key or another token that speaks PKCS#11.
    SecurityKey = 20,
    /// 99: whichever it turns out to be.
    Auto = 99,
}

const ALL: [StoreKind; 22] = [
    StoreKind::User,
    StoreKind::Machine,
    StoreKind::PfxFile,
    StoreKind::PfxBlob,
    StoreKind::JksFile,
    StoreKind::JksBlob,
    StoreKind::PemKeyFile,
    StoreKind::PemKeyBlob,
    StoreKind::PublicKeyFile,
    StoreKind::PublicKeyBlob,
    StoreKind::SshPublicKeyBlob,
    StoreKind::P7bFile,
    StoreKind::P7bBlob,
    StoreKind::SshPublicKeyFile,
    StoreKind::PpkFile,
    StoreKind::PpkBlob,
    StoreKind::XmlFile,
    StoreKind::XmlBlob,
    StoreKind::JwkFile,
    StoreKind::JwkBlob,
    StoreKind::SecurityKey,
    StoreKind::Auto,
];

impl StoreKind {
    /// The kind of this number; `None` for a number that none has.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    pub(super) const fn place(self) -> Place {
        match self {
            Self::User | Self::Machine => Place::System,
            Self::PfxFile => Place::File(Format::Pkcs12),
            Self::PfxBlob => Place::Blob(Format::Pkcs12),
            Self::JksFile => Place::File(Format::Jks),
            Self::JksBlob => Place::Blob(Format::Jks),
            Self::PemKeyFile => Place::File(Format::PrivateKeys),
            Self::PemKeyBlob => Place::Blob(Format::PrivateKeys),
            Self::PublicKeyFile => Place::File(Format::PublicKeys),
            Self::PublicKeyBlob => Place::Blob(Format::PublicKeys),
            Self::SshPublicKeyFile => Place::File(Format::Ssh),
            Self::SshPublicKeyBlob => Place::Blob(Format::Ssh),
            Self::P7bFile => Place::File(Format::Pkcs7),
            Self::P7bBlob => Place::Blob(Format::Pkcs7),
            Self::PpkFile => Place::File(Format::Ppk),
            Self::PpkBlob => Place::Blob(Format::Ppk),
            Self::XmlFile => Place::File(Format::Xml),
            Self::XmlBlob => Place::Blob(Format::Xml),
            Self::JwkFile => Place::File(Format::Jwk),
            Self::JwkBlob => Place::Blob(Format::Jwk),
            Self::SecurityKey => Place::Token,
            Self::Auto => Place::Auto,
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "the store of the user",
            Self::Machine => "the store of the machine",
            Self::PfxFile | Self::PfxBlob => "a PKCS#12 file (PFX)",
            Self::JksFile | Self::JksBlob => "a Java key store (JKS)",
            Self::PemKeyFile | Self::PemKeyBlob => "a private key in PEM or DER",
            Self::PublicKeyFile | Self::PublicKeyBlob => "a public key or certificate in PEM or DER",
            Self::SshPublicKeyFile | Self::SshPublicKeyBlob => "an SSH public key",
            Self::P7bFile | Self::P7bBlob => "a PKCS#7 file of certificates (P7B)",
            Self::PpkFile | Self::PpkBlob => "a private key of PuTTY (PPK)",
            Self::XmlFile | Self::XmlBlob => "an RSA key in XML (RSAKeyValue)",
            Self::JwkFile | Self::JwkBlob => "a JWK or a document of them",
            Self::SecurityKey => "a security key (PKCS#11)",
            Self::Auto => "a store of any kind",
        })
    }
}

/// Where the bytes of a store are, and what is in them.
pub(super) enum Place {
    System,
    File(Format),
    Blob(Format),
    Token,
    Auto,
}

/// What the bytes are, wherever they came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Pkcs12,
    Jks,
    PrivateKeys,
    PublicKeys,
    Ssh,
    Pkcs7,
    Ppk,
    Xml,
    Jwk,
}

impl Format {
    pub(super) const fn blob(self) -> StoreKind {
        match self {
            Self::Pkcs12 => StoreKind::PfxBlob,
            Self::Jks => StoreKind::JksBlob,
            Self::PrivateKeys => StoreKind::PemKeyBlob,
            Self::PublicKeys => StoreKind::PublicKeyBlob,
            Self::Ssh => StoreKind::SshPublicKeyBlob,
            Self::Pkcs7 => StoreKind::P7bBlob,
            Self::Ppk => StoreKind::PpkBlob,
            Self::Xml => StoreKind::XmlBlob,
            Self::Jwk => StoreKind::JwkBlob,
        }
    }

    pub(super) const fn file(self) -> StoreKind {
        match self {
            Self::Pkcs12 => StoreKind::PfxFile,
            Self::Jks => StoreKind::JksFile,
            Self::PrivateKeys => StoreKind::PemKeyFile,
            Self::PublicKeys => StoreKind::PublicKeyFile,
            Self::Ssh => StoreKind::SshPublicKeyFile,
            Self::Pkcs7 => StoreKind::P7bFile,
            Self::Ppk => StoreKind::PpkFile,
            Self::Xml => StoreKind::XmlFile,
            Self::Jwk => StoreKind::JwkFile,
        }
    }
}
