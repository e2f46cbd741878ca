//! What time it is.

use crate::domain::time::Instant;

/// A clock.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Instant;

    /// Whether this is the machine's own clock, which has to agree with the database's.
    fn is_machine(&self) -> bool {
        false
    }
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineClock;

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine is asked")]
    fn now(&self) -> Instant {
        Instant::from_utc(chrono::Utc::now())
    }

    fn is_machine(&self) -> bool {
        true
    }
}
