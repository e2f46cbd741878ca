//! The wire form of `domain::facts`.

use crate::domain::facts::{
    AgeYears, Arrival, BailSet, Basis, BasisClose, BasisKind, Charge, CloseReason, Conviction, Disposition, EndKind, Ending,
    ExpectedRelease, Fact, FactRecord, Hospitalization, JudicialWarrant, OrderSigner, Paper, PaperKind, Question, RecordsCheck,
    Source, SourceKind, Stamp, Status, StatusProof, TextRef, Tri,
};
use crate::journal::wire::{enumeration, message, oneof, transparent};

message! {
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

    /// A pending charge.
    Charge {
        /// Offense classes, in the words of the county's own lists.
        1: classes,
        /// The code it goes by; empty where none was told.
        2: code,
        /// Whether a magistrate found probable cause for it.
        3: probable_cause,
        /// Whether bail was granted for it.
        4: bail_granted,
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

    /// How a charge of this booking ended without conviction.
    Disposition {
        /// Acquitted; otherwise dismissed.
        1: acquitted,
        /// The number of the charge's fact; 0 where it is not told.
        2: charge,
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
        /// When it was signed.
        2: signed,
        /// The court's own reference; empty where none was told.
        3: court,
    }

    /// A paper or an act that leaves one.
    Paper {
        /// Which.
        1: kind,
        /// When it was signed.
        2: signed,
        /// SHA-256 of its bytes.
        3: sha256,
        /// The request it belongs to, where it belongs to one.
        4: detainer,
    }

    /// One question of history or status and its three-valued answer.
    Status {
        /// Which question.
        1: question,
        /// The answer.
        2: answer,
        /// Who signed, for an order of removal.
        3: signer,
        /// The registries, lists or warrant classes it speaks of, in the county's own words; empty: all, or one not told.
        4: lists,
    }

    /// Which records were checked.
    RecordsCheck {
        /// The convictions on record are all there are.
        1: convictions,
        /// The charges on record are all there are.
        2: charges,
    }

    /// Bail.
    BailSet {
        /// In cents of the county's currency.
        1: amount,
    }

    /// A release that is expected.
    ExpectedRelease {
        /// When, where the hour is known; for a day alone, its first instant in the facility's zone. Nothing where the date
        /// was withdrawn.
        1: at,
        /// The day, where only the day is known.
        2: day,
        /// Whether the date was given out to the issuing office.
        3: given_out,
    }

    /// A stay in a hospital.
    Hospitalization {
        /// Since when.
        1: start,
        /// Until when; nothing while it lasts.
        2: end,
    }

    /// Where a recorded fact comes from.
    Source {
        /// What kind of source it is.
        1: kind,
        /// Its number or name, free of identity: a docket or form number.
        2: reference,
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
        /// The case, warrant or charge number it goes by; empty where none was told.
        5: reference,
        /// When and why it closed, once it has.
        6: closed,
    }

    /// The end of a basis.
    BasisClose {
        /// When it closed.
        1: at,
        /// Why.
        2: reason,
        /// More about why, sealed.
        3: text,
        /// Where that is known from.
        4: source,
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

    /// The arrival in a facility.
    Arrival {
        /// When.
        1: at,
        /// Where.
        2: facility,
        /// Where that is known from.
        3: source,
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
        /// A charge of this booking was dismissed, or the person acquitted of it.
        3: Disposition,
        /// Age in whole years.
        4: AgeYears,
        /// The person claims to be a citizen or lawfully present.
        5: CitizenshipClaim(),
        /// Proof of citizenship or of lawful status was shown.
        6: StatusProof,
        /// A warrant signed by a judge.
        7: JudicialWarrant,
        /// A paper or an act that leaves one: false until recorded.
        8: Paper,
        /// Something about history or status that is known to be so, known not to be so, or unknown.
        9: Status,
        /// Records were checked: what is not recorded then counts as *no*.
        10: RecordsCheck,
        /// Bail was set at this many cents.
        11: BailSet,
        /// The release is expected.
        12: ExpectedRelease,
        /// The person is, or was, in a hospital.
        13: Hospitalization,
    }
}

enumeration! {
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
        /// Another reason, told in sealed words.
        8: Other,
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

    /// Kinds of paper.
    PaperKind {
        /// A judge found probable cause.
        1: ProbableCauseFinding,
        /// An order of a state judicial official.
        2: StateOrder,
        /// Administrative warrant for arrest.
        3: I200,
        /// Administrative warrant of removal.
        4: I205,
        /// A federal order, or an order under a basic ordering agreement.
        5: FederalOrder,
        /// Booking form I-203.
        6: I203,
        /// An administrative warrant was served on the person (287(g)): starts the clock where a revision says so.
        7: WarrantServed,
    }

    /// Questions of history and status, unknown until recorded (DOMAIN.md §5).
    Question {
        /// A pending criminal case.
        1: PendingCase,
        /// An outstanding criminal warrant.
        2: OutstandingWarrant,
        /// A prior order of removal.
        3: PriorRemoval,
        /// Re-entry after removal.
        4: Reentry,
        /// A final order of removal.
        5: FinalOrder,
        /// Listed in a registry of offenders.
        6: Registry,
        /// A match with a gang or watch list.
        7: WatchList,
        /// The release date is public.
        8: ReleaseDatePublic,
        /// The office asks for a purpose other than immigration.
        9: OtherPurpose,
    }

    /// Who signed an order of removal.
    OrderSigner {
        /// A judge of a court.
        1: Judge,
        /// An immigration judge.
        2: ImmigrationJudge,
        /// An immigration officer.
        3: ImmigrationOfficer,
    }

    /// Kinds of source.
    SourceKind {
        /// The jail's own log or management system.
        1: JailRecord,
        /// An order, docket entry or disposition of a court.
        2: CourtRecord,
        /// The detainer form, or a paper that came with it.
        3: DetainerForm,
        /// Another message from the federal side.
        4: FederalAgency,
        /// Another police or custody agency.
        5: OtherAgency,
        /// What the person, a relative or counsel said.
        6: Statement,
        /// A file of earlier records that was imported.
        7: ImportedFile,
        /// The county's governing body or its legal office.
        8: CountyAuthority,
        /// Something else, named in the reference.
        9: Other,
    }
}

transparent! {
    TextRef([u8; 32]),
}
