//! Typed ids: what names a county cannot be passed where a booking is meant.
//!
//! An id is the caller's own word (a booking number, a facility code) or one the server made. The
//! characters allowed are those of a resource name's segment: letters, digits, `-`, `_`, `.`, `~`.

use std::fmt;
use std::sync::Arc;

/// The longest id accepted, in bytes.
pub const MAX_ID_LEN: usize = 64;

/// Why a word cannot be an id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadId {
    /// Nothing was given.
    #[error("is empty")]
    Empty,
    /// More than [`MAX_ID_LEN`] bytes.
    #[error("is longer than {MAX_ID_LEN} characters")]
    TooLong,
    /// A character that a resource name cannot carry.
    #[error("may hold only letters, digits, '-', '_', '.' and '~'")]
    BadCharacter,
}

/// Checks a word against the rules for ids.
///
/// # Errors
/// Says which rule it breaks.
pub fn check_id(word: &str) -> Result<(), BadId> {
    if word.is_empty() {
        return Err(BadId::Empty);
    }
    if word.len() > MAX_ID_LEN {
        return Err(BadId::TooLong);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    if word.chars().all(plain) { Ok(()) } else { Err(BadId::BadCharacter) }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and keeps a word.
            ///
            /// # Errors
            /// Says which rule for ids it breaks.
            pub fn new(word: &str) -> Result<Self, BadId> {
                check_id(word).map(|()| Self(word.into()))
            }

            /// Keeps a word that was checked when it was first recorded.
            #[must_use]
            pub fn trusted(word: &str) -> Self {
                Self(word.into())
            }

            /// The word itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

ids! {
    /// A tenant.
    CountyId,
    /// A jail of the county.
    FacilityId,
    /// A person; identity lives elsewhere.
    SubjectId,
    /// One stay, under the jail's own booking number.
    BookingId,
    /// One custody basis of a booking.
    BasisId,
    /// One request of a booking.
    DetainerId,
    /// One hold of a booking.
    HoldId,
    /// One immutable rule set.
    RevisionId,
    /// One federal promise to pay.
    AgreementId,
    /// One dated price of a day.
    RateId,
    /// One portion of what an agreement owes, as it was asked for.
    ClaimId,
    /// One proposed two-person act.
    ProposalId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_id_may_be() {
        for good in ["a", "2017-000123", "TGK_7.b~1"] {
            assert_eq!(check_id(good), Ok(()), "{good}");
        }
        for (bad, why) in
            [("", BadId::Empty), ("a/b", BadId::BadCharacter), ("a b", BadId::BadCharacter), ("é", BadId::BadCharacter)]
        {
            assert_eq!(check_id(bad), Err(why), "{bad}");
        }
        assert_eq!(check_id(&"x".repeat(65)), Err(BadId::TooLong));
    }
}
