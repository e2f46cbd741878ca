//! Who a person is, kept apart from all else; and the keys, commitments and tokens that keep it apart.
//!
//! Identity and free text are sealed under a key of the subject's own ([`keys`]), which is wrapped under the master
//! key and can be destroyed alone. The journal carries commitments only: without the key they say nothing, with it
//! they prove what was told. Fingerprints of requests and search keys are made under a key of the county's.
//!
//! This room never stores and never logs. No error and no `Debug` of it repeats what it was given. Randomness comes
//! in through [`entropy::Entropy`], so that a rehearsal can be repeated.
//!
//! To seal a new kind of thing, add a [`Label`]; to search by a new field, add a [`SearchField`]. Labels once used are
//! never given to something else: they are part of what is hashed and sealed.

pub mod entropy;
pub mod keys;
pub mod opaque;
pub mod person;
pub mod token;

#[cfg(test)]
mod tests;

pub use entropy::{Entropy, NoEntropy, OsEntropy, SeededEntropy};
pub use keys::{CountyKey, Key, Label, MasterKey, MasterKeyError, SealedText, SubjectKey};
pub use opaque::{BadOpaque, Opaque};
pub use person::{BadIdentity, Identity, IdentityProblem, SealedIdentity, SearchField, SearchKeys};

/// Why something could not be sealed or opened. Says nothing of what it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SealError {
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The key could not be used.
    #[error("sealing failed")]
    Seal,
    /// Another key, another place, or changed bytes: which of them cannot be told.
    #[error("sealed bytes do not open: another key, another place, or changed bytes")]
    Open,
    /// A wrapped key that this master key did not wrap.
    #[error("a key is wrapped under another master key")]
    OtherMaster,
    /// What was opened is not what was committed to.
    #[error("sealed bytes are not those that were committed to")]
    Commitment,
}
