//! Credentials' tokens: shown once, stored as a hash.

use super::entropy::{Entropy, NoEntropy, random};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// How every token begins, so that people and scanners know one when they see it.
pub const PREFIX: &str = "detainer_";

/// A new token: the prefix and 256 random bits as 64 hexadecimal digits.
///
/// # Errors
/// [`NoEntropy`].
pub fn new_token(entropy: &dyn Entropy) -> Result<Zeroizing<String>, NoEntropy> {
    let secret = Zeroizing::new(random::<32>(entropy, "token")?);
    let digits = Zeroizing::new(hex::encode(secret.as_slice()));
    Ok(Zeroizing::new(format!("{PREFIX}{}", digits.as_str())))
}

/// Whether a word has the form of a token; what has not need not be looked up.
#[must_use]
pub fn is_token(word: &str) -> bool {
    let digits = word.strip_prefix(PREFIX).unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// What is stored of a token. It has 256 random bits, so a plain hash gives nothing away.
#[must_use]
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::new().chain_update(b"detainer token\0").chain_update(token).finalize().into()
}

/// Whether two secrets are the same, in a time that does not depend on where they differ.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}
