//! What a change of a county's settings did, or would do, to its bookings: answers that turn, running holds that end
//! earlier (DOMAIN.md §5 *Switching*).

use super::booking::Booking;
use super::decision::{Outcome, Reason};
use super::ids::{BookingId, DetainerId, FacilityId, HoldId};
use super::numbered::Numbered as _;
use super::time::Instant;
use sha2::{Digest, Sha256};

/// What bookings that followed have become.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Impact {
    /// Requests decided.
    pub decided: i64,
    /// Answers that turned, in the order of booking and request.
    pub flips: Vec<Flip>,
    /// Running holds whose authority now ends earlier, in the order of booking and hold.
    pub ended: Vec<EndedHold>,
    /// Holds that begin, in the order of booking and hold.
    pub started: Vec<StartedHold>,
}

/// A hold that begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartedHold {
    /// Whose.
    pub booking: BookingId,
    /// Which.
    pub hold: HoldId,
    /// Where.
    pub facility: FacilityId,
    /// From when.
    pub start: Instant,
    /// Until when.
    pub until: Instant,
}

/// An answer that turned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flip {
    /// Whose.
    pub booking: BookingId,
    /// On which request.
    pub detainer: DetainerId,
    /// Where the person was last.
    pub facility: Option<FacilityId>,
    /// The answer in force before; nothing where there was none.
    pub before: Option<Outcome>,
    /// The answer in force from `at` on.
    pub after: Outcome,
    /// Its reason.
    pub reason: Reason,
    /// From when on.
    pub at: Instant,
}

/// A running hold whose authority now ends earlier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndedHold {
    /// Whose.
    pub booking: BookingId,
    /// Which.
    pub hold: HoldId,
    /// Where.
    pub facility: FacilityId,
    /// Until when it would have run.
    pub before: Instant,
    /// Until when it runs.
    pub after: Instant,
}

impl Impact {
    /// Compares bookings as they were and as they are. A request has turned where the answer in force from one of its new
    /// decisions on is another than the one that was known for that instant, ahead or past; the first such instant counts.
    pub fn of<'b>(touched: impl Iterator<Item = (Option<&'b Booking>, &'b Booking)>) -> Self {
        let mut impact = Self::default();
        for (before, booking) in touched {
            for (n, detainer) in booking.detainers.iter().enumerate() {
                let was = before.and_then(|b| b.detainers.get(n));
                let known = was.map_or(0, |d| d.decisions.len());
                let mut new: Vec<Instant> = detainer.decisions.iter().skip(known).map(|d| d.at.effective).collect();
                if new.is_empty() {
                    continue;
                }
                impact.decided += 1;
                new.sort_unstable();
                let turned = new.into_iter().find_map(|at| {
                    let was = was.and_then(|d| d.decision_at(at)).map(|d| d.outcome);
                    detainer.decision_at(at).filter(|is| was != Some(is.outcome)).map(|is| (at, was, is))
                });
                impact.flips.extend(turned.map(|(at, was, is)| Flip {
                    booking: booking.id.clone(),
                    detainer: detainer.id.clone(),
                    facility: booking.facility().cloned(),
                    before: was,
                    after: is.outcome,
                    reason: is.reason,
                    at,
                }));
            }
            let old = before.map(|b| b.custody.holds.as_slice()).unwrap_or_default();
            for (old, new) in old.iter().zip(&booking.custody.holds).filter(|(old, new)| new.until < old.until) {
                impact.ended.push(EndedHold {
                    booking: booking.id.clone(),
                    hold: new.id.clone(),
                    facility: new.facility.clone(),
                    before: old.until,
                    after: new.until,
                });
            }
            impact.started.extend(booking.custody.holds.iter().skip(old.len()).map(|new| StartedHold {
                booking: booking.id.clone(),
                hold: new.id.clone(),
                facility: new.facility.clone(),
                start: new.start,
                until: new.until,
            }));
        }
        impact.flips.sort_by(|a, b| (&a.booking, &a.detainer).cmp(&(&b.booking, &b.detainer)));
        impact.ended.sort_by(|a, b| (&a.booking, &a.hold).cmp(&(&b.booking, &b.hold)));
        impact.started.sort_by(|a, b| (&a.booking, &a.hold).cmp(&(&b.booking, &b.hold)));
        impact
    }

    /// How many turned to HONOR.
    #[must_use]
    pub fn to_honor(&self) -> i64 {
        count(self.flips.iter().filter(|flip| flip.after == Outcome::Honor))
    }

    /// How many turned away from HONOR.
    #[must_use]
    pub fn from_honor(&self) -> i64 {
        count(self.flips.iter().filter(|flip| flip.before == Some(Outcome::Honor)))
    }

    /// How many running holds end earlier.
    #[must_use]
    pub fn holds_ended(&self) -> i64 {
        count(self.ended.iter())
    }

    /// SHA-256 over the sorted flips and ended holds: who turns which way, whose hold ends, and nothing that moves with
    /// time.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut line = |words: &[&str], numbers: [i64; 2]| {
            for word in words {
                hash.update((word.len() as u64).to_be_bytes());
                hash.update(word.as_bytes());
            }
            numbers.iter().for_each(|number| hash.update(number.to_be_bytes()));
        };
        for flip in &self.flips {
            let before = flip.before.map_or(0, |outcome| outcome.number());
            line(&["flip", flip.booking.as_str(), flip.detainer.as_str()], [before, flip.after.number()]);
        }
        for ended in &self.ended {
            line(&["ended", ended.booking.as_str(), ended.hold.as_str()], [0, 0]);
        }
        hash.finalize().into()
    }
}

fn count<T>(which: impl Iterator<Item = T>) -> i64 {
    i64::try_from(which.count()).unwrap_or(i64::MAX)
}
