//! The client's one view of the ambient world: the machine's clock and its random source.
//!
//! Request ids are UUIDs of version 7, so that the server's index of them grows at one end. Everything that must give the same id at
//! each run (imports, the rehearsal county) makes it from words with [`steady_id`] instead.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

/// The machine's own time. It decides nothing: the server records by its own clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the client's one reading of the machine's clock")]
pub fn now() -> DateTime<Utc> {
    DateTime::from(SystemTime::now())
}

/// A new request id: a UUID of version 7, of this moment. Where the machine gives no random bytes, the process id and the clock's
/// nanoseconds stand in: an id has to be new, not secret.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the client's one source of chance, for ids that have to be new")]
pub fn request_id() -> String {
    let since = SystemTime::from(now()).duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut bytes = [0_u8; 10];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        bytes[..4].copy_from_slice(&std::process::id().to_be_bytes());
        bytes[4..8].copy_from_slice(&since.subsec_nanos().to_be_bytes());
    }
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid().to_string()
}

/// A request id that the same words always give: the first half of their SHA-256, in hexadecimal.
#[must_use]
pub fn steady_id(words: &[&str]) -> String {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(u64::try_from(word.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(word);
    }
    let digest = hash.finalize();
    let mut half = [0_u8; 16];
    half.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(half).simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_new_each_time_and_version_seven() {
        let (one, two) = (request_id(), request_id());
        assert_ne!(one, two);
        assert_eq!(Uuid::parse_str(&one).map(|id| id.get_version_num()), Ok(7));
    }

    #[test]
    fn the_same_words_give_the_same_id_and_their_cut_counts() {
        assert_eq!(steady_id(&["a", "bc"]), steady_id(&["a", "bc"]));
        assert_ne!(steady_id(&["a", "bc"]), steady_id(&["ab", "c"]));
        assert_eq!(steady_id(&["a"]).len(), 32);
    }
}
