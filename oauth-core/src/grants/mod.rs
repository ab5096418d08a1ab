//! The grants that need nobody in front of a browser: a form and a check each, sent by [`Exchange`](crate::Exchange).
//!
//! **In scope**: one file for each `grant_type`, with what it sends and what it asks of the answer. **Out of scope**:
//! client authentication, reading answers, keeping refresh tokens: that is done once, for all of them, and for a grant
//! that a user of this crate defines. Grants with a person in them live where that person does: `redeem`, `device`.

mod client_credentials;
mod jwt_bearer;
mod parameters;
mod password;
mod refresh;
mod saml2_bearer;
mod token_exchange;

pub use client_credentials::ClientCredentials;
pub use jwt_bearer::JwtBearer;
pub use password::ResourceOwnerPassword;
pub use refresh::Refresh;
pub use saml2_bearer::Saml2Bearer;
pub use token_exchange::{SecurityToken, TokenExchange};
