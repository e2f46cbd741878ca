//! Commands to events: the only way anything comes to be recorded.
//!
//! [`booking`] answers commands to one booking, [`county`] those to a county's own settings. Both check the command
//! against the state, make the events that say what happened, and let [`consequences`] add what follows: decisions,
//! custody, balances, postings, duties. A refusal leaves everything as it was.

mod booking;
mod books;
mod consequences;
mod correction;
mod county;
mod detainers;
mod inheritance;
mod overriding;

pub use booking::booking;
pub use books::claims_of;
pub use consequences::{consequences, retell};
pub use county::{Affected, CountyAnswer, county, displaced, follows, rule};
pub(crate) use detainers::same_paper;
pub use inheritance::{earlier_stay, passes_on};

use super::deciding::Moment;
use super::decision::Trigger;
use super::facts::Source;
use super::ids::CountyId;
use super::refusal::{Refusal, Why};
use super::time::{HOUR_US, Instant};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How far ahead of the server an effective time may lie (DOMAIN.md §3).
pub const AHEAD_US: i64 = HOUR_US / 12;
/// How long a proposal waits for its second person (DOMAIN.md §5).
pub const PROPOSAL_US: i64 = 24 * HOUR_US;

/// Who asks, when, and where the record will stand.
#[derive(Clone, Debug)]
pub struct Context {
    /// The record's time: never earlier than the county's last.
    pub now: Instant,
    /// The record's sequence number.
    pub seq: i64,
    /// The credential.
    pub actor: Arc<str>,
    /// The person or system behind it: two credentials of one person are one.
    pub person: Arc<str>,
    /// Whether a county's history is being loaded.
    pub history: bool,
}

impl Context {
    /// The moment of this record, for what follows from a change that is no correction.
    #[must_use]
    pub fn moment(&self) -> Moment<'static> {
        Moment {
            now: self.now,
            seq: self.seq,
            history: self.history,
            trigger: None,
            changed: &Trigger::FactChanged,
            retold: false,
        }
    }

    /// An id of the v7 shape from the recorded time and a hash of where the record stands: the same on every engine.
    #[must_use]
    pub fn make_id(&self, county: &CountyId, n: u32) -> String {
        let mut hash = Sha256::new();
        hash.update(county.as_str());
        hash.update(self.seq.to_be_bytes());
        hash.update(n.to_be_bytes());
        let digest = hash.finalize();
        let millis = u64::try_from(self.now.micros() / 1000).unwrap_or(0);
        let mut random = [0_u8; 10];
        random.copy_from_slice(&digest[..10]);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
    }

    /// Refuses an effective time more than five minutes ahead.
    fn not_ahead(&self, field: &str, at: Instant) -> Result<(), Refusal> {
        if at > self.now.plus_us(AHEAD_US) {
            let detail = format!("{at} is more than five minutes ahead of the server's {}", self.now);
            return Err(Refusal::new(Why::TimeInFuture, field, detail));
        }
        Ok(())
    }
}

fn not_before(field: &str, at: Instant, floor: Instant, what: &str) -> Result<(), Refusal> {
    if at < floor {
        return Err(Refusal::new(Why::TimeOutOfOrder, field, format!("{at} is before {what} at {floor}")));
    }
    Ok(())
}

fn missing(what: &str, id: &str) -> Refusal {
    Refusal::new(Why::NotFound, what, format!("no {what} {id} here"))
}

/// A source for what the server concludes itself.
#[must_use]
pub fn own_record() -> Source {
    Source { kind: super::facts::SourceKind::JailRecord, reference: "".into() }
}
