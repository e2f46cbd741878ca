//! The wire form of `domain::decision`.

use crate::domain::decision::{Decision, Outcome, Override, OverrideAnswer, Reason, Trigger};
use crate::journal::wire::{enumeration, message, oneof};

message! {
    /// One decision.
    Decision {
        /// Its number among the request's decisions, from 1.
        1: n,
        /// From when it is so, and when it was recorded.
        2: at,
        /// The answer about the hold.
        3: outcome,
        /// Its reason.
        4: reason,
        /// Whether the issuing office is notified.
        5: notify,
        /// Whether the person is handed over.
        6: transfer,
        /// The revision it was made under.
        7: revision,
        /// That revision's mode.
        8: mode,
        /// What made it necessary.
        9: trigger,
        /// From when HONOR gives authority: the effective time, or the recorded time where it turned another answer.
        10: authority_from,
        /// The clock it gives, resolved for this form.
        11: terms,
        /// The agreement it rests on.
        12: agreement,
        /// What was read.
        13: inputs,
        /// How it came about.
        14: explanation,
        /// Hours from T0 within which notice of an unforeseen release is due; nothing: at once.
        15: notice_hours,
    }

    /// Two persons' own answer in place of the county rule's, while the revision governs under which they gave it.
    Override {
        /// The act of two persons that made it.
        1: proposal,
        /// From when: its confirmation, or the past instant that was asked for. Until it is confirmed: its proposal.
        2: at,
        /// The past instant that was asked for; only a decline has one.
        3: asked,
        /// What it says.
        4: answer,
        /// The revision whose rule it replaces.
        5: revision,
        /// Where it is known from: the order or memo.
        6: source,
        /// Why, sealed.
        7: reason,
    }
}

oneof! {
    /// What made a decision necessary.
    Trigger {
        /// The request came in.
        1: Receipt(),
        /// A switch took in open requests.
        2: Switch,
        /// An agreement in scope began to guarantee.
        3: AgreementStarted,
        /// An agreement in scope ended.
        4: AgreementEnded,
        /// An agreement's balance was used up or became free again.
        5: Balance,
        /// The balance could not be reserved at the hold's start.
        6: Reservation,
        /// A fact it read changed.
        7: FactChanged(),
        /// A review was closed.
        8: Review(),
        /// A fact was corrected.
        9: Correction(),
        /// A layer of the revision came into force or ended.
        10: Layer,
        /// A look-back of the rule ran out.
        11: LookBack(),
        /// Two persons overrode the county rule.
        12: Override(),
    }
}

enumeration! {
    /// What an override says instead of the county's rule.
    OverrideAnswer {
        /// Hold.
        1: Honor,
        /// Do not hold.
        2: Decline,
        /// What the rule itself says: an earlier override is taken back.
        3: Rule,
    }

    /// The answer about the hold.
    Outcome {
        /// The person may be held past T0 once the form is in effect.
        1: Honor,
        /// The person is not held.
        2: Decline,
        /// A person must look; until then nobody is held.
        3: NeedsReview,
    }

    /// Why it came out so; `decision.proto` has a word for each.
    Reason {
        /// The rule's condition holds.
        1: RuleSatisfied,
        /// No revision was in force.
        2: NoPolicyInForce,
        /// The form does not ask to hold.
        3: NoHoldRequested,
        /// Proof of citizenship or lawful status.
        4: StatusProof,
        /// The form lacks a probable-cause box, a signature or a warrant.
        5: FaciallyInsufficient,
        /// Whether the form is sufficient is not known.
        6: FaciallyUnknown,
        /// No signed agreement in force covers this request.
        7: NoGuarantee,
        /// The agreement's balance could not be reserved at the hold's start.
        8: BalanceNotReserved,
        /// The policy declines every request.
        9: PolicyDeclines,
        /// The policy only notifies.
        10: NotifyOnly,
        /// A condition of the rule is unknown.
        11: RuleUnknown,
        /// A person declined on review.
        12: ReviewDeclined,
        /// The rule's condition does not hold.
        13: RuleNotSatisfied,
        /// A court order says so.
        14: CourtOrder,
        /// A law of the state demands it.
        15: StateMandate,
        /// A law of the state forbids it.
        16: StateCeiling,
        /// Two persons put their own answer in place of the county rule's.
        17: Overridden,
    }
}
