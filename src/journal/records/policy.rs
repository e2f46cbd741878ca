//! The wire form of `domain::policy`.

use crate::domain::policy::{Answers, Explanation, FacialRule, Inputs, Instrument, Mode, OpenDetainers, Revision, Step};
use crate::journal::wire::{enumeration, message};

message! {
    /// The paper that adopted a rule.
    Instrument {
        /// Its title.
        1: title,
        /// Its number or citation.
        2: citation,
        /// Its date.
        3: date,
        /// SHA-256 of its text.
        4: sha256,
    }

    /// One immutable, dated rule set.
    Revision {
        /// Its id.
        1: id,
        /// The short name of its rule.
        2: mode,
        /// When it was adopted; adopted is not effective.
        3: adopted,
        /// When it takes effect, and when that was recorded.
        4: effective,
        /// What happens to open requests.
        5: open_detainers,
        /// The paper that adopted it.
        6: instrument,
        /// The least coverage that counts as a guarantee.
        7: minimum,
        /// What starts the clock.
        8: start,
        /// How long the hold may last.
        9: limit,
        /// Which days do not count.
        10: exclusion,
        /// Days of the county's own that do not count, with their instrument.
        11: county_days,
        /// The paper that sets the county's own days.
        12: county_days_instrument,
        /// Whether facial sufficiency is asked for.
        13: facial,
        /// The paper under which box 2 of the I-247A is a ground to hold.
        14: lent_holds,
        /// The calendar that those days were read from; empty where none was named.
        15: county_days_calendar,
        /// Answers that the revision states itself; nothing means the mode's own.
        16: answers,
        /// Who recorded it.
        17: author,
        /// Who confirmed it, where two persons were asked for.
        18: approver,
    }

    /// Notice and transfer as a revision states them.
    Answers {
        /// Notify where the hold is honored.
        1: notify_honored,
        /// Notify where it is declined, or not asked for.
        2: notify_declined,
        /// Hand over where the hold is honored.
        3: transfer_honored,
        /// Hand over where it is declined, or not asked for.
        4: transfer_declined,
    }

    /// What the evaluator read, kept with the decision so that it can be replayed.
    Inputs {
        /// The form's edition.
        1: edition,
        /// Whether the form asks to hold.
        2: asks_hold,
        /// Whether proof of citizenship or lawful status was recorded.
        3: status_proof,
        /// Whether the form is facially sufficient.
        4: facially_sufficient,
        /// The agreement that guarantees all costs, if one does.
        5: guarantee_all,
        /// The agreement that guarantees something, if one does.
        6: guarantee_any,
        /// A person has declined this request on review.
        7: review_declined,
        /// An agreement whose balance could not be reserved for this booking.
        8: reservation_failed,
        /// Agreements that would guarantee, had they any balance left.
        9: exhausted,
    }

    /// One line of an explanation: a condition, its value and the fact it read.
    Explanation {
        /// What was asked.
        1: label,
        /// The answer.
        2: value,
        /// What was read.
        3: fact,
        /// The parts it was made from.
        4: parts,
        /// What kind of step it is.
        5: step,
    }
}

enumeration! {
    /// What a line of an explanation is: a check that comes before the rule, or a part of the rule.
    Step {
        /// True when all parts are.
        1: All,
        /// True when one part is.
        2: Any,
        /// True when its part is not.
        3: Not,
        /// Always the same.
        4: Constant,
        /// A signed agreement in force guarantees the costs.
        5: Guaranteed,
        /// A revision is in force.
        6: RevisionInForce,
        /// The form asks to hold.
        7: HoldRequested,
        /// Citizenship or lawful status is proved.
        8: StatusProof,
        /// The form is facially sufficient.
        9: FaciallySufficient,
        /// A person declined on review.
        10: DeclinedOnReview,
    }

    /// The short names of the usual rules.
    Mode {
        /// Honor every request that asks to hold.
        1: HonorAlways,
        /// Honor only with a written reimbursement guarantee.
        2: RequireReimbursementGuarantee,
        /// Honor none.
        3: DeclineAll,
        /// Honor none, but notify.
        4: NotifyOnly,
    }

    /// Whether a switch takes in the requests that are already open.
    OpenDetainers {
        /// Open requests are decided again at its effective time.
        1: Reevaluate,
        /// Open requests stay under the revision that governs them.
        2: Leave,
    }

    /// Whether facial sufficiency is asked for.
    FacialRule {
        /// For the I-247A only.
        1: Default,
        /// For every edition.
        2: Required,
        /// For none.
        3: NotRequired,
    }
}
