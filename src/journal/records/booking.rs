//! The wire form of `domain::booking`.

use crate::domain::booking::{
    Alert, AlertLevel, CorrectedFact, Correction, Custody, Hold, HoldEnd, Posting, PostingCause, PostingRef, Proposal,
    Reservation, ServedHow,
};
use crate::journal::wire::{enumeration, message};

message! {
    /// A two-person act.
    Proposal {
        /// The number of the record that proposed it: no other act of the county has it.
        1: id,
        /// The person who proposed it.
        2: person,
        /// The credential it was proposed with.
        3: actor,
        /// When.
        4: proposed,
        /// Until when it can be confirmed: 24 hours.
        5: expires,
        /// When it was confirmed.
        6: confirmed,
        /// The person who confirmed it.
        7: confirmed_by,
        /// What it would do.
        8: correction,
        /// The switch it would make (in the county's stream).
        9: switch,
        /// The override it would make.
        10: overriding,
    }

    /// One named fact, its old value and its new one.
    Correction {
        /// Which fact.
        1: fact,
        /// The basis, detainer or fact number it is about; empty where the booking has only one.
        2: subject,
        /// The value on record.
        3: old,
        /// The value it should be; nothing where it never happened.
        4: new,
        /// For a basis that is added: its kind.
        5: kind,
        /// For a closing that is changed: its reason.
        6: close_reason,
        /// For an end that is changed: how custody ended.
        7: end_kind,
        /// For a fact that is changed: what was so instead.
        8: fact_instead,
        /// For a service that is added or changed: how, in which language.
        9: service,
        /// For a basis that is added: when it closed.
        10: closed,
        /// For an arrival: the facility.
        11: facility,
        /// Where the right value is known from.
        12: source,
        /// Why, sealed.
        13: reason,
        /// When it was recorded: what is added by it is known from here on.
        14: stamp,
        /// For an end that is changed: how it is recorded to have ended.
        15: old_end_kind,
        /// For a fact that is changed: what is recorded.
        16: old_fact,
        /// For an arrival that is changed: the facility recorded.
        17: old_facility,
        /// For a basis that is added: the case, warrant or charge number; empty where none is told.
        18: reference,
    }

    /// How a copy was served, for a correction that adds or changes a service.
    ServedHow {
        /// How.
        1: method,
        /// In which language (BCP 47).
        2: language,
        /// By whom, sealed.
        3: by,
    }

    /// Custody after T0: derived, stored, only copied by `evolve`.
    Custody {
        /// The zone of all clocks of this booking: the facility's at the first clock start (DOMAIN.md §10.13).
        1: zone,
        /// Every stretch with no basis open, cut by facility and authority.
        2: gaps,
        /// Every hold, in order; those that were described away by a correction keep their place, voided.
        3: holds,
        /// From this instant no detainer of this booking gives authority, whatever is recorded (DOMAIN.md §10.2).
        4: barred,
    }

    /// One hold.
    Hold {
        /// `1`, `2`, ... within the booking.
        1: id,
        /// The T0 it follows.
        2: t0,
        /// When it began: T0, or when the request came into effect.
        3: start,
        /// When the authority ends, or ended: the earliest of the deadline and any known later instant that ends it.
        4: until,
        /// Why it ends there.
        5: reason,
        /// The exclusive end of the authority to hold under the governing clock.
        6: deadline,
        /// The two readings of 48 hours that are always shown.
        7: readings,
        /// Microseconds of the limit that were used before this T0, by the governing exclusion rule.
        8: used_us,
        /// The hold it continues after an interruption.
        9: continues,
        /// The request it rested on at its start.
        10: detainer,
        /// The revision of that request's decision.
        11: revision,
        /// Where it began.
        12: facility,
        /// Whether a correction described it away.
        13: voided,
        /// Microseconds used before this T0 by the reading of hours on end.
        14: contiguous_used_us,
        /// The same by the reading without weekends and holidays.
        15: business_used_us,
        /// When the clock first ran: T0, or the instant before it that the start rule or an earlier stretch gives.
        16: clock_start,
    }

    /// Budget kept for this booking.
    Reservation {
        /// Whose budget.
        1: agreement,
        /// For which hold it was tried.
        2: hold,
        /// The start of that hold: from here on its outcome is the answer.
        3: at,
        /// What was reserved; nothing where the balance did not suffice.
        4: amount,
        /// What of it was spent when the rest was returned; nothing while it is still reserved.
        5: spent,
    }

    /// One cost line, posted: append-only.
    Posting {
        /// The record that posted it.
        1: seq,
        /// Its number within that record, from 1.
        2: n,
        /// What it says.
        3: line,
        /// The office of the request it rests on; empty for over-detention.
        4: office,
        /// The edition of that request's form.
        5: edition,
        /// The mode of the revision.
        6: mode,
        /// What made it necessary.
        7: cause,
        /// The posting it takes back; its amounts are then negative.
        8: reverses,
        /// The day on which it is accounted, where its own was closed when it was recorded.
        9: accounted,
    }

    /// Which posting.
    PostingRef {
        /// The record that posted it.
        1: seq,
        /// Its number within that record.
        2: n,
    }

    /// A warning about a running hold.
    Alert {
        /// The hold.
        1: hold,
        /// How near the end.
        2: level,
        /// The end it speaks of.
        3: until,
    }
}

enumeration! {
    /// Which recorded fact a correction is about.
    CorrectedFact {
        /// The booked time.
        1: BookedTime,
        /// When a basis opened.
        2: BasisOpened,
        /// When a basis closed, or that it did.
        3: BasisClosed,
        /// A basis that was not recorded.
        4: BasisAdded,
        /// A basis that never was.
        5: BasisVoided,
        /// When the person arrived in a facility, or a move that was not recorded.
        6: Arrival,
        /// When custody ended, or that it did.
        7: Ending,
        /// When a detainer was received.
        8: Received,
        /// When a copy was served, or that it was.
        9: Served,
        /// When a detainer was lifted, or that it was.
        10: Lifted,
        /// A fact that was not so, or was otherwise.
        11: FactChanged,
    }

    /// Why a hold ends.
    HoldEnd {
        /// Federal officers took the person.
        1: FederalCustody,
        /// The person was let go.
        2: Released,
        /// The person was moved to another jurisdiction.
        3: TransferredOut,
        /// The person escaped.
        4: Escaped,
        /// The person died.
        5: Died,
        /// The limit was used up.
        6: Deadline,
        /// The detainer was lifted.
        7: Lifted,
        /// Another form took the detainer's place.
        8: Replaced,
        /// The policy, an agreement or a fact no longer honors it.
        9: NoLongerHonored,
        /// A new custody basis opened: the only end after which a linked hold may follow.
        10: NewBasis,
        /// A record arrived after the hold was known to have ended (DOMAIN.md §10.2).
        11: KnownEnded,
    }

    /// What made a posting necessary.
    PostingCause {
        /// Custody after T0 ended, or a new basis opened.
        1: CustodyClosed,
        /// A fact was recorded late.
        2: LateFact,
        /// A fact was corrected.
        3: Correction,
        /// A rate was recorded for days already posted.
        4: Rate,
        /// An agreement changed for days already posted.
        5: Agreement,
        /// A policy changed for time already posted.
        6: Policy,
        /// A period was closed while custody went on: what had accrued by then.
        7: PeriodClosed,
    }

    /// How near the end of the authority is.
    AlertLevel {
        /// Twenty-four hours.
        1: Due24h,
        /// Four hours.
        2: Due4h,
        /// One hour.
        3: Due1h,
        /// It has come.
        4: DeadlinePassed,
        /// The person is held without authority.
        5: OverDetained,
    }
}
