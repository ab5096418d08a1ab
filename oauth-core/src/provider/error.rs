//! What is wrong with a profile.

use alloc::string::String;
use core::fmt;

/// Why a profile cannot be used, found before any I/O.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderError {
    /// It is no JSON object, or has a member twice.
    Profile(crate::failure::Malformed),
    /// A member that no profile has.
    Unknown {
        /// Its name, made safe to show.
        member: String,
    },
    /// A member that must be there is not.
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// A member has a value that it may not have.
    Invalid {
        /// Its name, and what is in it with a dot between.
        member: String,
        /// What it may have.
        expected: &'static str,
    },
    /// What is left open cannot be filled in.
    Variable {
        /// Its name.
        name: String,
        /// What it needs.
        expected: &'static str,
    },
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(malformed) => write!(f, "the profile cannot be read: {malformed}"),
            Self::Unknown { member } => {
                write!(f, "the profile's {member:?} is not a member that profiles have: see Provider::KNOBS")
            }
            Self::Missing { member } => write!(f, "the profile lacks {member}"),
            Self::Invalid { member, expected } => {
                write!(f, "the profile's {member} has to be {expected}")
            }
            Self::Variable { name, expected } => write!(f, "the variable {name:?} needs {expected}"),
        }
    }
}

impl core::error::Error for ProviderError {}
