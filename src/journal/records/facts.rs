//! The wire form of `domain::facts`.

use crate::domain::facts::{
    AdministrativeWarrant, AgeYears, Arrival, BailSet, Basis, BasisClose, BasisKind, Charge, CloseReason, Conviction, EndKind,
    Ending, ExpectedRelease, Fact, FactRecord, JudicialWarrant, Question, Source, SourceKind, Stamp, Status, StatusProof,
    TextRef, Tri, WarrantForm,
};
use crate::journal::wire::{enumeration, message, oneof, transparent};

message! {
    /// Where a recorded fact comes from.
    Source {
        /// What kind of source it is.
        1: kind,
        /// Its number or name, free of identity: a docket or form number.
        2: reference,
    }

    /// The two axes of time of one recorded fact.
    Stamp {
        /// When it was so.
        1: effective,
        /// When the server recorded it.
        2: recorded,
        /// When it counts as known: the recorded time, or in a history import the row's own time (DOMAIN.md §5).
        3: known,
        /// The sequence number of its record: the tie-breaker of simultaneous facts.
        4: seq,
    }

    /// One custody basis.
    Basis {
        /// Its id within the booking.
        1: id,
        /// What kind of ground it is.
        2: kind,
        /// When it opened.
        3: opened,
        /// Where that is known from.
        4: source,
        /// When and why it closed, once it has.
        5: closed,
    }

    /// The end of a basis.
    BasisClose {
        /// When it closed.
        1: at,
        /// Why.
        2: reason,
        /// Where that is known from.
        3: source,
    }

    /// One fact about the person or the case, as recorded by `UpdateFacts`.
    FactRecord {
        /// Its number within the booking, from 1.
        1: n,
        /// When it was so and when it came to be known.
        2: at,
        /// Where it comes from.
        3: source,
        /// What is recorded.
        4: fact,
    }

    /// A pending charge.
    Charge {
        /// Offense classes, in the words of the county's own lists.
        1: classes,
        /// Whether a magistrate found probable cause for it.
        2: probable_cause,
    }

    /// A conviction.
    Conviction {
        /// Offense classes, in the words of the county's own lists.
        1: classes,
        /// The day of conviction.
        2: convicted,
        /// The day of release from its sentence.
        3: released,
        /// Whether its sentence is being served now.
        4: serving,
        /// Whether it is proved in writing.
        5: written_proof,
        /// Whether it was handed down in this booking.
        6: this_booking,
    }

    /// Age in whole years.
    AgeYears {
        /// Whole years.
        1: years,
    }

    /// A warrant signed by a judge.
    JudicialWarrant {
        /// Whether a federal judge signed it.
        1: federal,
    }

    /// A warrant signed by an immigration officer.
    AdministrativeWarrant {
        /// Which form it is on.
        1: form,
    }

    /// One question of history or status and its three-valued answer.
    Status {
        /// Which question.
        1: question,
        /// The answer.
        2: answer,
    }

    /// Bail.
    BailSet {
        /// In cents of the county's currency.
        1: amount,
    }

    /// A release that is expected.
    ExpectedRelease {
        /// When; nothing where the date was withdrawn.
        1: at,
    }

    /// The arrival in a facility.
    Arrival {
        /// When.
        1: at,
        /// Where.
        2: facility,
    }

    /// The end of a booking.
    Ending {
        /// When custody ended.
        1: at,
        /// How.
        2: kind,
        /// The agency that took the person, where one did.
        3: agency,
        /// The receiving officer, sealed.
        4: officer,
        /// Where it is known from.
        5: source,
    }
}

oneof! {
    /// What can be recorded about a person or a case, apart from custody itself.
    Fact {
        /// A pending charge with the classes the law sorts it into.
        1: Charge,
        /// A conviction.
        2: Conviction,
        /// The charges of this booking were dismissed.
        3: Dismissal(),
        /// The person was acquitted in this booking.
        4: Acquittal(),
        /// Age in whole years.
        5: AgeYears,
        /// The person claims to be a citizen or lawfully present.
        6: CitizenshipClaim(),
        /// Proof of citizenship or of lawful status was shown.
        7: StatusProof,
        /// A warrant signed by a judge.
        8: JudicialWarrant,
        /// A judge found probable cause.
        9: ProbableCauseFinding(),
        /// An order of a state judicial official.
        10: StateOrder(),
        /// A warrant signed by an immigration officer.
        11: AdministrativeWarrant,
        /// An administrative warrant was served on the person (287(g)): starts the clock where a revision says so.
        12: WarrantServed(),
        /// A federal order or an order under a basic ordering agreement.
        13: FederalOrder(),
        /// Booking form I-203.
        14: BookingForm(),
        /// Something about history or status that is known to be so, known not to be so, or unknown.
        15: Status,
        /// Bail was set at this many cents.
        16: BailSet,
        /// The release is expected at an instant.
        17: ExpectedRelease,
        /// The person was taken to a hospital.
        18: Hospitalized(),
        /// The person came back from the hospital.
        19: HospitalReturn(),
    }
}

enumeration! {
    /// Kinds of source.
    SourceKind {
        /// The jail's own records system.
        1: JailRecord,
        /// A court's order, docket or minute.
        2: CourtRecord,
        /// A federal form or message.
        3: FederalForm,
        /// What the person said or showed.
        4: Subject,
        /// An officer's own observation.
        5: Officer,
        /// A mapped file.
        6: Import,
        /// Something else, named in the reference.
        7: Other,
    }

    /// The local legal grounds for custody. A detainer is none of them.
    BasisKind {
        /// A pending charge.
        1: Charge,
        /// A sentence being served.
        2: Sentence,
        /// Another agency's criminal hold.
        3: AgencyHold,
        /// A warrant signed by a judge.
        4: JudicialWarrant,
    }

    /// Why a basis closed.
    CloseReason {
        /// Bail was posted.
        1: BailPosted,
        /// The charge was dismissed.
        2: Dismissed,
        /// The sentence was served.
        3: SentenceServed,
        /// Released on own recognizance.
        4: OwnRecognizance,
        /// Acquitted.
        5: Acquitted,
        /// The other agency's hold was lifted.
        6: HoldLifted,
        /// Transferred to the other agency.
        7: Transferred,
        /// No charge was filed, or none that still holds.
        8: NoChargesFiled,
        /// A court ordered the release.
        9: CourtOrder,
        /// Another reason, told in the sealed remarks.
        10: Other,
    }

    /// No, unknown or yes: Kleene's three values.
    Tri {
        /// Known not to be so.
        1: No,
        /// Not known.
        2: Unknown,
        /// Known to be so.
        3: Yes,
    }

    /// What was proved.
    StatusProof {
        /// United States citizenship.
        1: Citizen,
        /// Lawful status.
        2: LawfulStatus,
    }

    /// The forms of an administrative warrant.
    WarrantForm {
        /// Warrant for arrest.
        1: I200,
        /// Warrant of removal.
        2: I205,
    }

    /// Questions of history and status, unknown until recorded (DOMAIN.md §5).
    Question {
        /// Any prior conviction.
        1: PriorConviction,
        /// A pending criminal case.
        2: PendingCase,
        /// An outstanding criminal warrant.
        3: OutstandingWarrant,
        /// A prior order of removal.
        4: PriorRemoval,
        /// Re-entry after removal.
        5: Reentry,
        /// A final order of removal.
        6: FinalOrder,
        /// Listed in a registry of offenders.
        7: Registry,
        /// A match with a gang or watch list.
        8: WatchList,
    }

    /// How a booking ended.
    EndKind {
        /// Let go.
        1: Released,
        /// Taken by federal officers.
        2: FederalCustody,
        /// Moved to another jurisdiction.
        3: TransferredOut,
        /// Escaped.
        4: Escaped,
        /// Died.
        5: Died,
    }
}

transparent! {
    TextRef([u8; 32]),
}
