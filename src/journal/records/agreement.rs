//! The wire form of `domain::agreement`.

use crate::domain::agreement::{Agreement, MinimumCoverage, Scope, Term};
use crate::domain::ids::{BookingId, DetainerId};
use crate::journal::wire::{Cursor, Kind, Value, WireError, WireType, enumeration, message, oneof};

message! {
    /// A promise to pay, or an offer of one.
    Agreement {
        /// Its name.
        1: id,
        /// The paper it stands on.
        2: instrument,
        /// Who promises.
        3: counterparty,
        /// The record that last changed it: its etag.
        4: seq,
        /// When it was signed; nothing while it is an offer.
        5: signed,
        /// First local day of the county it pays for.
        6: start,
        /// First local day it no longer pays for.
        7: end,
        /// The county's zone, in which its dates are read.
        8: zone,
        /// What it is about.
        9: scope,
        /// What it pays.
        10: term,
        /// The most it pays in all.
        11: budget,
        /// Days after which a claim comes too late.
        12: filing_window_days,
        /// When it was terminated ahead of its end.
        13: terminated,
    }

    /// What an agreement is about. Empty lists mean all.
    Scope {
        /// These jails only.
        1: facilities,
        /// Detainers of these issuing offices only.
        2: offices,
        /// This one detainer only: a letter for one person.
        3: detainer,
    }
}

oneof! {
    /// What the federal side promised to pay (`DOMAIN.md §5` "Guarantee"). Hours are held hours of the chain of
    /// linked holds.
    Term {
        /// Everything the hold costs.
        1: AllCosts(),
        /// So much a day, by its own count of days.
        2: PerDiem {
            /// For one day.
            1: per_day,
            /// How days are counted.
            2: day_count,
        },
        /// One amount for a hold, which stands for its first hours.
        3: FlatPerHold {
            /// Paid once per chain.
            1: amount,
            /// The held hours it stands for.
            2: up_to_hours,
        },
        /// Everything the hold costs once it has lasted so many hours.
        4: AfterFirstHours {
            /// Held hours the county pays itself.
            1: hours,
        },
    }
}

enumeration! {
    /// The least that counts as a guarantee.
    MinimumCoverage {
        /// Any promise at all.
        1: Any,
        /// All costs over the whole hold: the default.
        2: AllCosts,
    }
}

/// Names a detainer from outside of its booking: what `(BookingId, DetainerId)` is on the wire.
struct DetainerRef {
    booking: BookingId,
    detainer: DetainerId,
}

message! {
    /// A detainer, named from outside of its booking.
    DetainerRef {
        /// Its booking.
        1: booking,
        /// Its id within the booking.
        2: detainer,
    }
}

impl Value for (BookingId, DetainerId) {
    const WIRE: WireType = WireType::Bytes;

    fn kind() -> Kind {
        DetainerRef::kind()
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (booking, detainer) = self.clone();
        DetainerRef { booking, detainer }.write(out);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
        DetainerRef::read(cursor).map(|named| (named.booking, named.detainer))
    }
}
