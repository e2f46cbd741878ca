//! Where random bytes come from.

use aws_lc_rs::{hmac, rand};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The system has no random bytes to give.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no random bytes could be had")]
pub struct NoEntropy;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out`. What the bytes are for, and for whom, is said in `purpose`, a few plain words without identity: a
    /// seeded source gives each purpose its own sequence, so that who asks first changes nothing.
    ///
    /// # Errors
    /// [`NoEntropy`].
    fn fill(&self, purpose: &str, out: &mut [u8]) -> Result<(), NoEntropy>;
}

/// `N` random bytes.
///
/// # Errors
/// [`NoEntropy`].
pub fn random<const N: usize>(entropy: &dyn Entropy, purpose: &str) -> Result<[u8; N], NoEntropy> {
    let mut out = [0; N];
    entropy.fill(purpose, &mut out)?;
    Ok(out)
}

/// The operating system's source.
#[derive(Clone, Copy, Default, Debug)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place where the system is asked")]
    fn fill(&self, _: &str, out: &mut [u8]) -> Result<(), NoEntropy> {
        rand::fill(out).map_err(|_| NoEntropy)
    }
}

/// The same bytes for the same seed and the same questions: for tests and rehearsals, never for real people.
pub struct SeededEntropy {
    key: hmac::Key,
    drawn: Mutex<BTreeMap<String, u64>>,
}

impl SeededEntropy {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes()), drawn: Mutex::default() }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, purpose: &str, out: &mut [u8]) -> Result<(), NoEntropy> {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let times = drawn.entry(purpose.to_owned()).or_default();
        for block in out.chunks_mut(32) {
            let tag = hmac::sign(&self.key, &[&times.to_be_bytes(), purpose.as_bytes()].concat());
            block.copy_from_slice(&tag.as_ref()[..block.len()]);
            *times += 1;
        }
        Ok(())
    }
}
