//! The wire form of `domain::claim` and `domain::period`.

use crate::domain::claim::{Claim, ClaimAct, ClaimEntry, ClaimLines};
use crate::domain::period::PeriodClose;
use crate::journal::wire::{enumeration, message};

message! {
    /// All days before one are closed.
    PeriodClose {
        /// The first local day that is still open, in each facility's zone.
        1: end,
        /// When that was recorded.
        2: closed,
        /// The record that closed it.
        3: seq,
        /// With which credential.
        4: actor,
        /// The person behind it.
        5: person,
    }

    /// A portion of what an agreement owes.
    Claim {
        /// Its id.
        1: id,
        /// Who owes it.
        2: agreement,
        /// The first local day that no claim before it reached; nothing where it is the agreement's first.
        3: start,
        /// The first local day that it does not reach.
        4: end,
        /// The last record it rests on.
        5: through,
        /// The last record that the claim before it rests on; 0 where it is the agreement's first.
        6: after,
        /// What its lines come to.
        7: lines,
        /// When it was assembled.
        8: made,
        /// With which credential.
        9: actor,
        /// The person behind it.
        10: person,
        /// What became of it, in recorded order.
        11: entries,
        /// The record that last changed it: its etag.
        12: seq,
        /// The agreement's filing window, as it was.
        13: window_days,
    }

    /// What the lines of a claim come to.
    ClaimLines {
        /// How many are claimed, adjustments included.
        1: count,
        /// How many holds they are about.
        2: holds,
        /// What they come to: what is claimed.
        3: claimed,
        /// What of it are adjustments of days that an earlier claim reached.
        4: adjustments,
        /// How many lines came too late.
        5: expired_count,
        /// What they come to: not claimed.
        6: expired,
        /// SHA-256 over all of them.
        7: sha256,
    }

    /// One thing that happened to a claim.
    ClaimEntry {
        /// Its number within the claim, from 1.
        1: n,
        /// What.
        2: act,
        /// About how much; zero where the act is about the whole claim.
        3: amount,
        /// When it happened and when it was recorded.
        4: at,
        /// Where that is known from.
        5: source,
        /// With which credential.
        6: actor,
        /// The person behind it.
        7: person,
        /// The earlier entry that was recorded by mistake and is undone by this one.
        8: undoes,
    }
}

enumeration! {
    /// What may happen to a claim.
    ClaimAct {
        /// It was sent to who owes it.
        1: Billed,
        /// Money came.
        2: Paid,
        /// A part was refused.
        3: Denied,
        /// The refusal of a part is contested.
        4: Disputed,
        /// A part is given up.
        5: WrittenOff,
        /// It was taken back before it was sent.
        6: Withdrawn,
    }
}
