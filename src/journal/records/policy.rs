//! The wire form of `domain::policy`.

use crate::domain::policy::{
    Answers, ChargeLeaf, Condition, ConvictionLeaf, Effect, Explained, Explanation, FacialRule, Inputs, Instrument, Layer,
    LayerExplained, LayerKind, Leaf, LookBack, Mode, OpenDetainers, ReadFact, Revision, StatusLeaf, Step, WarrantKind,
};
use crate::journal::wire::{enumeration, message, oneof};

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
        /// The person or system who made it, as the credential names them.
        17: author,
        /// The person who confirmed it, where two persons were asked for.
        18: approver,
        /// The county rule's own tree, where the mode is CONDITIONAL; otherwise nothing.
        19: condition,
        /// What binds before the county rule, most binding first.
        20: layers,
        /// Where the office is notified, whatever the answer about the hold; nothing: the mode, or `answers`, says it.
        21: notify_where,
        /// Where the person is handed over, whatever the answer about the hold; nothing: the mode, or `answers`, says it.
        22: transfer_where,
        /// Hours from T0 within which notice of an unforeseen release is given; nothing: at once.
        23: notice_hours,
    }

    /// A rule that binds before the county's own, with dates and a paper of its own.
    Layer {
        /// How binding it is.
        1: kind,
        /// What it says.
        2: effect,
        /// The paper that makes it so.
        3: instrument,
        /// Since when it is in force; nothing: as long as the revision is.
        4: from,
        /// Until when.
        5: until,
        /// Where it speaks.
        6: condition,
    }

    /// Which convictions count.
    ConvictionLeaf {
        /// Of at least one of these offense classes; empty: of any.
        1: classes,
        /// Of none of these.
        2: except,
        /// Not longer ago than this; nothing: ever.
        3: within,
        /// How many there must be; 0 means one.
        4: at_least,
        /// Its sentence is being served now.
        5: serving,
        /// Handed down in this booking.
        6: in_this_booking,
        /// Proved in writing: such a proof is a document, false until recorded.
        7: written_proof,
    }

    /// How far back a conviction counts: to the later of the two ends, where both are given.
    LookBack {
        /// Years from the conviction.
        1: conviction_years,
        /// Years from the release from its sentence.
        2: release_years,
        /// The years from the conviction stand still while its sentence is served.
        3: tolled,
    }

    /// Which pending charges count.
    ChargeLeaf {
        /// Of at least one of these offense classes; empty: of any.
        1: classes,
        /// Of none of these.
        2: except,
        /// A magistrate found probable cause for it.
        3: magistrate_found,
        /// No bail was granted for it; otherwise it counts regardless of bond.
        4: without_bail,
    }

    /// Which answers about history or status count.
    StatusLeaf {
        /// The question.
        1: question,
        /// The registries, lists or warrant classes that count; empty: any.
        2: lists,
        /// For an order of removal, whose signature counts; empty: anybody's.
        3: signers,
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
        /// The county's local day that was asked about, where a look-back reads it.
        10: day,
        /// Whether a copy was served, where the rule asks.
        11: served,
        /// Kinds of document attached to the form, of those that the rule reads.
        12: documents,
        /// Facts of the booking, of the kinds that the rule reads, in order of time.
        13: facts,
        /// Which of the revision's layers were in force, counted from 0.
        14: layers,
        /// What two persons put in place of the county rule's answer.
        15: overridden,
        /// Kinds of document attached to the form of which it is not known whether any is signed.
        16: doubtful,
    }

    /// A fact that was read.
    ReadFact {
        /// Its number within the booking.
        1: n,
        /// What it said.
        2: fact,
    }

    /// Why an answer came out as it did.
    Explained {
        /// The checks beside the layers, in order.
        1: checks,
        /// Every layer in force, most binding first, the county rule last.
        2: layers,
        /// Where the office is notified, if the revision has a tree for it.
        3: notify,
        /// Where the person is handed over, if the revision has a tree for it.
        4: transfer,
    }

    /// How one layer answered.
    LayerExplained {
        /// How binding it is.
        1: kind,
        /// What it says where it speaks; nothing for the county rule, which always answers.
        2: effect,
        /// The paper that makes it so.
        3: instrument,
        /// Whether it decided.
        4: decided,
        /// Its condition.
        5: condition,
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
        /// A warrant signed by a judge.
        11: JudicialWarrant,
        /// A judge's finding of probable cause.
        12: ProbableCause,
        /// An order of a state judicial official.
        13: StateOrder,
        /// A warrant signed by an immigration officer.
        14: AdministrativeWarrant,
        /// A federal order, or one under a basic ordering agreement.
        15: FederalOrder,
        /// Booking form I-203.
        16: BookingForm,
        /// The form's edition.
        17: FormEdition,
        /// A conviction.
        18: Conviction,
        /// A pending charge.
        19: PendingCharge,
        /// Any conviction from before this booking.
        20: PriorConviction,
        /// A pending criminal case.
        21: PendingCase,
        /// An outstanding criminal warrant.
        22: OutstandingWarrant,
        /// A prior order of removal.
        23: PriorRemoval,
        /// Re-entry after removal.
        24: Reentry,
        /// A final order of removal.
        25: FinalOrder,
        /// Listed in a registry of offenders.
        26: Registry,
        /// A match with a gang or watch list.
        27: WatchList,
        /// The release date is public.
        28: ReleaseDatePublic,
        /// A purpose other than immigration.
        29: OtherPurpose,
        /// Age in whole years.
        30: AgeAtLeast,
        /// A copy was served on the subject.
        31: Served,
        /// Two persons put their own answer in place of the county rule's.
        32: Overridden,
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
        /// Honor where the revision's own condition holds.
        5: Conditional,
    }

    /// How binding a layer is: a court order binds before the state, the state before the county.
    LayerKind {
        /// An order of a court.
        1: CourtOrder,
        /// A law of the state.
        2: State,
        /// The county's own rule: always answers.
        3: CountyRule,
    }

    /// What a layer says where its condition holds; otherwise it is silent.
    Effect {
        /// Honor.
        1: Mandate,
        /// Decline.
        2: Ceiling,
    }

    /// Kinds of administrative warrant: signed by an immigration officer, not by a judge.
    WarrantKind {
        /// For arrest.
        1: I200,
        /// Of removal.
        2: I205,
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

oneof! {
    /// A condition over what is known.
    Condition {
        /// Every part.
        1: All,
        /// At least one part.
        2: Any,
        /// The opposite.
        3: Not,
        /// One fact.
        4: Leaf,
    }

    /// One fact that a condition reads. Those about documents and acts are false until recorded, those about history and
    /// status unknown.
    Leaf {
        /// Always the same.
        1: Constant,
        /// A written, signed promise to pay is in force for this request.
        2: Guaranteed,
        /// A warrant signed by a judge; true where only a federal judge's counts.
        3: JudicialWarrant,
        /// A judge found probable cause.
        4: ProbableCause(),
        /// An order of a state judicial official.
        5: StateOrder(),
        /// An administrative warrant of one of these kinds.
        6: AdministrativeWarrant,
        /// A federal order, or an order under a basic ordering agreement.
        7: FederalOrder(),
        /// Booking form I-203.
        8: BookingForm(),
        /// The form is of one of these editions.
        9: FormEdition,
        /// A probable-cause box, a signature, an I-200 or I-205 attached.
        10: FaciallySufficient(),
        /// A conviction.
        11: Conviction,
        /// A pending charge.
        12: PendingCharge,
        /// Any conviction from before this booking.
        13: PriorConviction(),
        /// A question of history or status.
        14: Status,
        /// At least this old, in whole years.
        15: AgeAtLeast,
        /// Proof of citizenship or of lawful status.
        16: StatusProof(),
        /// A copy of the form was served on the subject.
        17: Served(),
    }
}
