//! The wire form of `domain::event`.

use crate::domain::event::{
    BasisClosed, BookingCreated, BudgetMoved, ClaimEntered, Confirmed, CountyCreated, Decided, DeclinedOnReview,
    DocumentAttached, DutiesSet, Event, FormRead, Inherited, Lifted, Overridden, Replaced, Served,
};
use crate::journal::wire::{message, oneof};

message! {
    /// A county came to be.
    CountyCreated {
        /// Its id.
        1: county,
        /// Its settings.
        2: profile,
        /// When.
        3: created,
    }

    /// The second person confirmed.
    Confirmed {
        /// What.
        1: proposal,
        /// When.
        2: at,
        /// With which credential.
        3: actor,
        /// The person behind it.
        4: person,
    }

    /// A stay began.
    BookingCreated {
        /// The jail's own number.
        1: booking,
        /// Whose stay.
        2: subject,
        /// Commitment to the identity told.
        3: identity,
        /// When.
        4: booked,
        /// Where that is known from.
        5: source,
        /// Where.
        6: facility,
        /// Whether the bases are known.
        7: bases_known,
        /// Earlier stays of the same subject.
        8: previous,
        /// Clock stretches carried over.
        9: inherited,
        /// The stay that they come from.
        10: inherits_from,
    }

    /// A basis closed.
    BasisClosed {
        /// Which.
        1: basis,
        /// When and why.
        2: close,
    }

    /// A document was attached.
    DocumentAttached {
        /// To which request.
        1: detainer,
        /// What.
        2: document,
    }

    /// A copy was served.
    Served {
        /// Of which request.
        1: detainer,
        /// When, how, by whom.
        2: service,
    }

    /// A request was withdrawn.
    Lifted {
        /// Which.
        1: detainer,
        /// When and why.
        2: lift,
    }

    /// A request was replaced.
    Replaced {
        /// Which.
        1: detainer,
        /// By what, when.
        2: replacement,
    }

    /// A person declined on review.
    DeclinedOnReview {
        /// Which request.
        1: detainer,
        /// When and why.
        2: declined,
    }

    /// The form was read anew.
    FormRead {
        /// Which request.
        1: detainer,
        /// What is ticked.
        2: boxes,
        /// Whether it is signed.
        3: signed,
        /// When it was read.
        4: at,
        /// Where that is known from.
        5: source,
    }

    /// An override came to be.
    Overridden {
        /// Of which request's decision.
        1: detainer,
        /// What.
        2: act,
    }

    /// A decision was made.
    Decided {
        /// On which request.
        1: detainer,
        /// What.
        2: decision,
    }

    /// The duties of a request, all of them.
    DutiesSet {
        /// Of which request.
        1: detainer,
        /// What is due and what was done.
        2: duties,
    }

    /// Budget moved.
    BudgetMoved {
        /// Whose budget.
        1: agreement,
        /// The booking's reservation as it is now.
        2: reservation,
        /// The county's reserved total after it.
        3: reserved,
        /// The county's spent total after it.
        4: spent,
    }

    /// Something happened to a claim.
    ClaimEntered {
        /// To which.
        1: claim,
        /// What.
        2: entry,
    }

    /// Time used in earlier stays, taken over anew: what a new detainer's earlier use brings, or what came to be known of
    /// a stay that had ended (DOMAIN.md §10.14).
    Inherited {
        /// All stretches that are taken over.
        1: stretches,
        /// The latest stay that they come from.
        2: from,
    }
}

oneof! {
    /// Everything that can be recorded.
    Event {
        /// A county came to be.
        1: CountyCreated,
        /// A county's settings changed.
        2: CountyUpdated,
        /// A jail was added or changed.
        3: FacilitySet,
        /// A calendar was set.
        4: CalendarSet,
        /// A rule was activated.
        5: RevisionActivated,
        /// An agreement was made, amended or terminated.
        6: AgreementSet,
        /// A rate was set.
        7: RateSet,
        /// An act waits for its second person.
        8: Proposed,
        /// The second person confirmed.
        9: Confirmed,
        /// A stay began.
        10: BookingCreated,
        /// A basis opened.
        11: BasisOpened,
        /// A basis closed.
        12: BasisClosed,
        /// A fact was recorded.
        13: FactRecorded,
        /// The person arrived in another facility.
        14: Moved,
        /// Custody ended.
        15: Ended,
        /// A request came in.
        16: DetainerRecorded,
        /// A document was attached.
        17: DocumentAttached,
        /// A copy was served.
        18: Served,
        /// The issuing agency withdrew it.
        19: Lifted,
        /// Another form took its place.
        20: Replaced,
        /// A person declined on review.
        21: ReviewDeclined,
        /// The form was read anew: boxes and signature.
        22: FormRead,
        /// A decision was made.
        23: Decided,
        /// Duties changed or were carried out.
        24: DutiesSet,
        /// Custody after T0 was worked out anew.
        25: CustodyDerived,
        /// Budget was reserved, refused or returned.
        26: BudgetMoved,
        /// A cost line was posted or taken back.
        27: Posted,
        /// A warning about a hold.
        28: Alerted,
        /// A fact was corrected.
        29: Corrected,
        /// Time used in an earlier stay was carried over, with a detainer already used there.
        30: Inherited,
        /// A rule was made; it is not activated.
        31: RevisionDrafted,
        /// Two persons put their own answer in place of the county rule's, or took that back.
        32: Overridden,
        /// Days were closed: their books are never rewritten.
        33: PeriodClosed,
        /// A portion of what an agreement owes was put together.
        34: ClaimMade,
        /// Something happened to a claim.
        35: ClaimEntered,
    }
}
