//! Pauses between attempts: longer each time, and never the same for two that collided.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often something is tried again.
pub(super) const ATTEMPTS: u32 = 5;

/// Waits before the next attempt.
pub(super) async fn pause(attempt: u32) {
    static PAUSES: AtomicU64 = AtomicU64::new(0);
    let salt = PAUSES.fetch_add(1, Ordering::Relaxed) ^ (u64::from(std::process::id()) << 32);
    tokio::time::sleep(length(attempt, salt)).await;
}

/// Between a half and the whole of 4 ms, 8 ms, ... 4 s. The salt stands for chance: different processes and
/// different pauses of one process have different ones.
fn length(attempt: u32, salt: u64) -> Duration {
    let whole = 4_000_u64 << attempt.min(10);
    let mut mixed = salt.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    Duration::from_micros(whole / 2 + mixed % (whole / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn pauses_grow_within_bounds_and_differ() {
        let mut seen = HashSet::new();
        for attempt in 0..20 {
            let whole = Duration::from_micros(4_000 << attempt.min(10));
            for salt in 0..100 {
                let length = length(attempt, salt);
                assert!(length >= whole / 2 && length < whole, "{attempt} {salt} {length:?}");
                seen.insert(length);
            }
        }
        assert!(seen.len() > 1_000, "{}", seen.len());
    }
}
