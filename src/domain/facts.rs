//! What is recorded about a booking: each fact with the time it was so, the time it came to be known, and
//! where it comes from (DOMAIN.md §3).

use super::ids::{BasisId, FacilityId};
use super::time::{Date, Instant};
use std::sync::Arc;

/// The two axes of time of one recorded fact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stamp {
    /// When it was so.
    pub effective: Instant,
    /// When the server recorded it.
    pub recorded: Instant,
    /// When it counts as known: the recorded time, or in a history import the row's own time (DOMAIN.md §5).
    pub known: Instant,
    /// The sequence number of its record: the tie-breaker of simultaneous facts.
    pub seq: i64,
}

/// Where a recorded fact comes from.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Source {
    /// What kind of source it is.
    pub kind: SourceKind,
    /// Its number or name, free of identity: a docket or form number.
    pub reference: Arc<str>,
}

/// Kinds of source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SourceKind {
    /// The jail's own log or management system.
    JailRecord,
    /// An order, docket entry or disposition of a court.
    CourtRecord,
    /// The detainer form, or a paper that came with it.
    DetainerForm,
    /// Another message from the federal side.
    FederalAgency,
    /// Another police or custody agency.
    OtherAgency,
    /// What the person, a relative or counsel said.
    Statement,
    /// A file of earlier records that was imported.
    ImportedFile,
    /// The county's governing body or its legal office.
    CountyAuthority,
    /// Something else, named in the reference.
    Other,
}

/// A digest standing for sealed free text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TextRef(pub [u8; 32]);

/// The local legal grounds for custody. A detainer is none of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BasisKind {
    /// A pending charge.
    Charge,
    /// A sentence being served.
    Sentence,
    /// Another agency's criminal hold.
    AgencyHold,
    /// A warrant signed by a judge.
    JudicialWarrant,
}

/// Why a basis closed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CloseReason {
    /// Bail was posted.
    BailPosted,
    /// The charge was dismissed.
    Dismissed,
    /// The sentence was served.
    SentenceServed,
    /// Released on own recognizance.
    OwnRecognizance,
    /// Acquitted.
    Acquitted,
    /// The other agency's hold was lifted.
    HoldLifted,
    /// Transferred to the other agency.
    Transferred,
    /// Another reason, told in sealed words.
    Other,
}

/// One custody basis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Basis {
    /// Its id within the booking.
    pub id: BasisId,
    /// What kind of ground it is.
    pub kind: BasisKind,
    /// When it opened.
    pub opened: Stamp,
    /// Where that is known from.
    pub source: Source,
    /// The case, warrant or charge number it goes by; empty where none was told.
    pub reference: Arc<str>,
    /// When and why it closed, once it has.
    pub closed: Option<BasisClose>,
}

/// The end of a basis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BasisClose {
    /// When it closed.
    pub at: Stamp,
    /// Why.
    pub reason: CloseReason,
    /// More about why, sealed.
    pub text: Option<TextRef>,
    /// Where that is known from.
    pub source: Source,
}

/// The arrival in a facility.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// When.
    pub at: Stamp,
    /// Where.
    pub facility: FacilityId,
    /// Where that is known from.
    pub source: Source,
}

/// How a booking ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EndKind {
    /// Let go.
    Released,
    /// Taken by federal officers.
    FederalCustody,
    /// Moved to another jurisdiction.
    TransferredOut,
    /// Escaped.
    Escaped,
    /// Died.
    Died,
}

/// The end of a booking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// When custody ended.
    pub at: Stamp,
    /// How.
    pub kind: EndKind,
    /// The agency that took the person, where one did.
    pub agency: Option<Arc<str>>,
    /// The receiving officer, sealed.
    pub officer: Option<TextRef>,
    /// Where it is known from.
    pub source: Source,
}

/// No, unknown or yes: Kleene's three values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tri {
    /// Known not to be so.
    No,
    /// Not known.
    Unknown,
    /// Known to be so.
    Yes,
}

impl Tri {
    /// Both: the lesser.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Either: the greater.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }
}

/// Three-valued *not*: unknown stays unknown.
impl std::ops::Not for Tri {
    type Output = Self;
    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

impl From<bool> for Tri {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// One fact about the person or the case, as recorded by `UpdateFacts`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FactRecord {
    /// Its number within the booking, from 1.
    pub n: u32,
    /// When it was so and when it came to be known.
    pub at: Stamp,
    /// Where it comes from.
    pub source: Source,
    /// What is recorded.
    pub fact: Fact,
}

/// What can be recorded about a person or a case, apart from custody itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// A pending charge with the classes the law sorts it into.
    Charge(Charge),
    /// A conviction.
    Conviction(Conviction),
    /// A charge of this booking was dismissed, or the person acquitted of it.
    Disposition(Disposition),
    /// Age in whole years.
    AgeYears(AgeYears),
    /// The person claims to be a citizen or lawfully present.
    CitizenshipClaim,
    /// Proof of citizenship or of lawful status was shown.
    StatusProof(StatusProof),
    /// A warrant signed by a judge.
    JudicialWarrant(JudicialWarrant),
    /// A paper or an act that leaves one: false until recorded.
    Paper(Paper),
    /// Something about history or status that is known to be so, known not to be so, or unknown.
    Status(Status),
    /// Records were checked: what is not recorded then counts as *no*.
    RecordsCheck(RecordsCheck),
    /// Bail was set at this many cents.
    BailSet(BailSet),
    /// The release is expected.
    ExpectedRelease(ExpectedRelease),
    /// The person is, or was, in a hospital.
    Hospitalization(Hospitalization),
}

impl Fact {
    /// Whether both speak of the same thing: of the same kind and key, so that the later takes the place of the earlier.
    ///
    /// A charge is known by its description code, without one by its classes; a conviction by its day and classes, one
    /// without a day by its classes; a judicial warrant by the court's reference, without one by when it was signed; a
    /// paper by what it is, the request it came with and its digest; an answer about history or status by its question and
    /// lists; a disposition by its charge; a proof by what was proved; a stay in hospital by its start. Of every other kind
    /// there is one.
    #[must_use]
    pub fn same_thing(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Charge(one), Self::Charge(other)) => {
                one.code == other.code && (!one.code.is_empty() || same_words(&one.classes, &other.classes))
            }
            (Self::Conviction(one), Self::Conviction(other)) => {
                one.convicted == other.convicted && same_words(&one.classes, &other.classes)
            }
            (Self::JudicialWarrant(one), Self::JudicialWarrant(other)) => {
                one.court == other.court && (!one.court.is_empty() || one.signed == other.signed)
            }
            (Self::Paper(one), Self::Paper(other)) => {
                (one.kind, one.sha256, &one.detainer) == (other.kind, other.sha256, &other.detainer)
            }
            (Self::Status(one), Self::Status(other)) => one.question == other.question && same_words(&one.lists, &other.lists),
            (Self::Disposition(one), Self::Disposition(other)) => one.charge == other.charge,
            (Self::StatusProof(one), Self::StatusProof(other)) => one == other,
            (Self::Hospitalization(one), Self::Hospitalization(other)) => one.start == other.start,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// The same words, in whatever order.
fn same_words(one: &[Arc<str>], other: &[Arc<str>]) -> bool {
    one.iter().all(|word| other.contains(word)) && other.iter().all(|word| one.contains(word))
}

/// How a charge of this booking ended without conviction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disposition {
    /// Acquitted; otherwise dismissed.
    pub acquitted: bool,
    /// The number of the charge's fact; 0 where it is not told.
    pub charge: u32,
}

/// A paper or an act that leaves one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paper {
    /// Which.
    pub kind: PaperKind,
    /// When it was signed.
    pub signed: Option<Instant>,
    /// SHA-256 of its bytes.
    pub sha256: Option<TextRef>,
    /// The request it belongs to, where it belongs to one.
    pub detainer: Option<super::ids::DetainerId>,
}

/// Kinds of paper.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PaperKind {
    /// A judge found probable cause.
    ProbableCauseFinding,
    /// An order of a state judicial official.
    StateOrder,
    /// Administrative warrant for arrest.
    I200,
    /// Administrative warrant of removal.
    I205,
    /// A federal order, or an order under a basic ordering agreement.
    FederalOrder,
    /// Booking form I-203.
    I203,
    /// An administrative warrant was served on the person (287(g)): starts the clock where a revision says so.
    WarrantServed,
}

/// Which records were checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordsCheck {
    /// The convictions on record are all there are.
    pub convictions: bool,
    /// The charges on record are all there are.
    pub charges: bool,
}

/// A stay in a hospital.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hospitalization {
    /// Since when.
    pub start: Instant,
    /// Until when; nothing while it lasts.
    pub end: Option<Instant>,
}

/// A pending charge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    /// Offense classes, in the words of the county's own lists.
    pub classes: Vec<Arc<str>>,
    /// The code it goes by; empty where none was told.
    pub code: Arc<str>,
    /// Whether a magistrate found probable cause for it.
    pub probable_cause: Tri,
    /// Whether bail was granted for it.
    pub bail_granted: Tri,
}

/// A conviction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conviction {
    /// Offense classes, in the words of the county's own lists.
    pub classes: Vec<Arc<str>>,
    /// The day of conviction.
    pub convicted: Option<Date>,
    /// The day of release from its sentence.
    pub released: Option<Date>,
    /// Whether its sentence is being served now.
    pub serving: bool,
    /// Whether it is proved in writing.
    pub written_proof: bool,
    /// Whether it was handed down in this booking.
    pub this_booking: bool,
}

/// Age in whole years.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AgeYears {
    /// Whole years.
    pub years: u32,
}

/// What was proved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusProof {
    /// United States citizenship.
    Citizen,
    /// Lawful status.
    LawfulStatus,
}

/// A warrant signed by a judge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JudicialWarrant {
    /// Whether a federal judge signed it.
    pub federal: Tri,
    /// When it was signed.
    pub signed: Option<Instant>,
    /// The court's own reference; empty where none was told.
    pub court: Arc<str>,
}

/// One question of history or status and its three-valued answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Which question.
    pub question: Question,
    /// The answer.
    pub answer: Tri,
    /// Who signed, for an order of removal.
    pub signer: Option<OrderSigner>,
    /// The registries, lists or warrant classes it speaks of, in the county's own words; empty: all, or one not told.
    pub lists: Vec<Arc<str>>,
}

/// Who signed an order of removal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OrderSigner {
    /// A judge of a court.
    Judge,
    /// An immigration judge.
    ImmigrationJudge,
    /// An immigration officer.
    ImmigrationOfficer,
}

/// Questions of history and status, unknown until recorded (DOMAIN.md §5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Question {
    /// A pending criminal case.
    PendingCase,
    /// An outstanding criminal warrant.
    OutstandingWarrant,
    /// A prior order of removal.
    PriorRemoval,
    /// Re-entry after removal.
    Reentry,
    /// A final order of removal.
    FinalOrder,
    /// Listed in a registry of offenders.
    Registry,
    /// A match with a gang or watch list.
    WatchList,
    /// The release date is public.
    ReleaseDatePublic,
    /// The office asks for a purpose other than immigration.
    OtherPurpose,
}

/// Bail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BailSet {
    /// In cents of the county's currency.
    pub amount: super::money::Cents,
}

/// A release that is expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExpectedRelease {
    /// When, where the hour is known; for a day alone, its first instant in the facility's zone. Nothing where the date
    /// was withdrawn.
    pub at: Option<Instant>,
    /// The day, where only the day is known.
    pub day: Option<Date>,
    /// Whether the date was given out to the issuing office.
    pub given_out: bool,
}
