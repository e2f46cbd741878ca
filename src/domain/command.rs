//! What can be asked for, in domain values. The API makes them; [`super::decide`] answers them.

use super::agreement::Agreement;
use super::booking::{AlertLevel, Correction};
use super::claim::{ClaimAct, ClaimLines};
use super::county::{Calendar, Profile};
use super::decision::{OverrideAnswer, Trigger};
use super::detainer::{Document, DutyKind, Form, LiftReason, NoticeMethod, ServiceMethod};
use super::facts::{BasisKind, CloseReason, EndKind, Fact, Source, TextRef};
use super::ids::{
    AgreementId, BasisId, BookingId, ClaimId, DetainerId, FacilityId, HoldId, ProposalId, RateId, RevisionId, SubjectId,
};
use super::money::Cents;
use super::policy::Revision;
use super::rate::Rate;
use super::time::{Date, Instant, Span, Zone};
use std::sync::Arc;

/// A command to one booking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BookingCommand {
    /// A stay begins.
    Create(CreateBooking),
    /// A basis opens.
    OpenBasis(OpenBasis),
    /// A basis closes.
    CloseBasis(CloseBasis),
    /// Facts are recorded.
    UpdateFacts(Vec<NewFact>),
    /// The person moves to another facility of the county.
    Move(MoveBooking),
    /// Custody ends.
    End(EndBooking),
    /// A recorded fact was wrong.
    Correct(Correction),
    /// The second person confirms.
    Confirm(ProposalId),
    /// A request comes in.
    RecordDetainer(RecordDetainer),
    /// A new form takes another's place.
    Replace(DetainerId, RecordDetainer),
    /// A document is attached.
    Attach(AttachDocument),
    /// A copy was served.
    Serve(Serve),
    /// The issuing agency withdraws it.
    Lift(LiftDetainer),
    /// A person declines on review.
    DeclineReview(DeclineReview),
    /// A review is answered by reading the form anew.
    ReadForm(FormReading),
    /// A review is answered with facts.
    SupplyFacts(DetainerId, Vec<NewFact>),
    /// A person proposes an answer of their own in place of the county rule's.
    Override(OverrideDecision),
    /// A duty was carried out.
    RecordNotice(RecordNotice),
    /// Something outside the booking changed: decide, derive and post what follows.
    Follow(Follow),
    /// An earlier stay of the same subject changed: the time used is carried over anew.
    Inherit,
    /// A warning about the open gap.
    Alert(Option<HoldId>, AlertLevel, Instant),
}

/// An earlier stay of the same subject, as far as a new one must know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EarlierStay {
    /// Which.
    pub booking: BookingId,
    /// From when to when.
    pub stay: Span,
    /// The stretches in which its clock ran, with those it inherited itself.
    pub stretches: Vec<Span>,
    /// Its requests: what makes the same paper recognizable.
    pub papers: Vec<(DetainerId, Form)>,
}

/// A stay begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateBooking {
    /// The jail's own number.
    pub booking: BookingId,
    /// Whose stay.
    pub subject: SubjectId,
    /// Commitment to the identity told.
    pub identity: Option<TextRef>,
    /// When.
    pub booked: Instant,
    /// Where that is known from.
    pub source: Source,
    /// Where.
    pub facility: FacilityId,
    /// The bases at booking; nothing where they are not known.
    pub bases: Option<Vec<OpenBasis>>,
    /// Facts told at booking.
    pub facts: Vec<NewFact>,
}

/// A basis opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenBasis {
    /// Its id within the booking.
    pub basis: Option<BasisId>,
    /// What kind of ground.
    pub kind: BasisKind,
    /// When.
    pub at: Instant,
    /// Where that is known from.
    pub source: Source,
    /// The case, warrant or charge number; empty where none is told.
    pub reference: Arc<str>,
}

/// A basis closes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CloseBasis {
    /// Which.
    pub basis: BasisId,
    /// When.
    pub at: Instant,
    /// Why.
    pub reason: CloseReason,
    /// More about why, sealed.
    pub text: Option<TextRef>,
    /// Where that is known from.
    pub source: Source,
}

/// One fact to record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewFact {
    /// Since when it is so.
    pub at: Instant,
    /// Where it is known from.
    pub source: Source,
    /// What.
    pub fact: Fact,
}

/// The person moves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoveBooking {
    /// To where.
    pub facility: FacilityId,
    /// When; now where nothing is said.
    pub at: Option<Instant>,
    /// Where that is known from.
    pub source: Source,
}

/// Custody ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndBooking {
    /// How.
    pub kind: EndKind,
    /// When; now where nothing is said.
    pub at: Option<Instant>,
    /// The agency that took the person.
    pub agency: Option<Arc<str>>,
    /// The receiving officer, sealed.
    pub officer: Option<TextRef>,
    /// Where it is known from.
    pub source: Source,
}

/// A request comes in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordDetainer {
    /// The caller's own id.
    pub detainer: Option<DetainerId>,
    /// What the form says.
    pub form: Form,
    /// When it was received.
    pub received: Instant,
    /// Where that is known from.
    pub source: Source,
    /// Remarks, sealed.
    pub remarks: Option<TextRef>,
    /// Service, if it was done already.
    pub service: Option<NewService>,
}

/// A document is attached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttachDocument {
    /// To which request.
    pub detainer: DetainerId,
    /// What; its number, time and source are set when it is recorded.
    pub document: Document,
    /// Since when the county has had it; now where nothing is said.
    pub at: Option<Instant>,
    /// Where that is known from.
    pub source: Source,
}

/// A copy was given to the subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewService {
    /// When.
    pub at: Instant,
    /// How.
    pub method: ServiceMethod,
    /// In which language.
    pub language: Arc<str>,
    /// By whom, sealed.
    pub by: Option<TextRef>,
    /// Where it is known from.
    pub source: Source,
}

/// See [`NewService`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Serve {
    /// Of which request.
    pub detainer: DetainerId,
    /// When, how, by whom.
    pub service: NewService,
}

/// The issuing agency withdraws a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiftDetainer {
    /// Which.
    pub detainer: DetainerId,
    /// When.
    pub at: Instant,
    /// Why.
    pub reason: LiftReason,
    /// Where it is known from.
    pub source: Source,
}

/// A person declines on review.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclineReview {
    /// Which request.
    pub detainer: DetainerId,
    /// Why, sealed.
    pub reason: Option<TextRef>,
}

/// An answer in place of the county rule's is proposed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OverrideDecision {
    /// Of which request's decision.
    pub detainer: DetainerId,
    /// What it should be.
    pub answer: OverrideAnswer,
    /// Since when, for a decline that was ordered earlier; nothing: from its confirmation on.
    pub at: Option<Instant>,
    /// Where it is known from: the order or memo.
    pub source: Source,
    /// Why, sealed.
    pub reason: Option<TextRef>,
}

/// The form was read anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormReading {
    /// Which request.
    pub detainer: DetainerId,
    /// Probable cause: a final order of removal.
    pub final_order: bool,
    /// Probable cause: pending proceedings.
    pub pending_proceedings: bool,
    /// Probable cause: biometric match and records check.
    pub biometric_match: bool,
    /// Probable cause: statements or other reliable evidence.
    pub statements: bool,
    /// Whether it is signed.
    pub signed: super::facts::Tri,
    /// When it was read; now where nothing is said.
    pub at: Option<Instant>,
    /// Where that is known from.
    pub source: Source,
}

/// A duty was carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordNotice {
    /// Of which request.
    pub detainer: DetainerId,
    /// Which duty.
    pub kind: DutyKind,
    /// The instant it was due at, as the caller saw it; another one is another duty. Nothing: the one that is open.
    pub due: Option<Instant>,
    /// When; now where nothing is said.
    pub at: Option<Instant>,
    /// How.
    pub method: NoticeMethod,
    /// Where it is known from.
    pub source: Source,
}

/// Something outside the booking changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Follow {
    /// A reason to decide again, and from when; nothing where the county's own settings say it.
    pub trigger: Option<(Trigger, Instant)>,
    /// What postings that follow are called.
    pub cause: super::booking::PostingCause,
}

/// When a rule that was made takes effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// As its draft plans it; where it plans nothing, when its activation is recorded.
    Planned,
    /// When its activation is recorded, whatever was planned.
    Recorded,
    /// Then.
    At(Instant),
}

impl When {
    /// The instant that is meant; nothing where it is that of the record.
    #[must_use]
    pub fn instant(self, planned: Option<Instant>) -> Option<Instant> {
        match self {
            Self::Planned => planned,
            Self::Recorded => None,
            Self::At(at) => Some(at),
        }
    }
}

/// A command to a county's own settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CountyCommand {
    /// A county comes to be.
    Create(super::ids::CountyId, Profile),
    /// Its settings change.
    Update(ProfileChange),
    /// A jail is added.
    CreateFacility(NewFacility),
    /// A jail changes.
    UpdateFacility(FacilityChange),
    /// A calendar is set; its etag is given when it is recorded.
    SetCalendar(Calendar),
    /// A rule is made and activated at once.
    Switch(Box<NewRevision>),
    /// A rule is made, to be activated later.
    Draft(Box<NewRevision>),
    /// A rule that was made is activated.
    Activate(RevisionId, When),
    /// The second person confirms.
    Confirm(ProposalId),
    /// A promise is made.
    CreateAgreement(Agreement),
    /// A promise changes. Whether it was ended early stays.
    AmendAgreement(Agreement),
    /// A promise ends early.
    TerminateAgreement(AgreementId, Instant),
    /// A price is set.
    SetRate(NewRate),
    /// All days before one are closed.
    ClosePeriod(Date),
    /// A portion of what an agreement owes is claimed.
    Claim(Box<NewClaim>),
    /// Something happened to a claim.
    EnterClaim(ClaimId, NewEntry),
}

/// A portion of what an agreement owes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewClaim {
    /// The caller's own id.
    pub id: Option<ClaimId>,
    /// Who owes it.
    pub agreement: AgreementId,
    /// The first local day that it does not reach.
    pub end: Date,
    /// The last record it rests on.
    pub through: i64,
    /// The agreement's last claim, as it was when the lines were read.
    pub last: Option<ClaimId>,
    /// What the lines come to: read from postings up to that record, which never change.
    pub lines: ClaimLines,
}

/// Something that happened to a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEntry {
    /// What.
    pub act: ClaimAct,
    /// About how much; nothing where the act is about the whole claim, or undoes another.
    pub amount: Option<Cents>,
    /// When; now where nothing is said.
    pub at: Option<Instant>,
    /// Where that is known from.
    pub source: Source,
    /// The entry that was recorded by mistake.
    pub undoes: Option<u32>,
}

/// What changes of a county's settings; nothing means that it stays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProfileChange {
    /// Its name.
    pub name: Option<Arc<str>>,
    /// The state it lies in.
    pub state: Option<Arc<str>>,
    /// Its zone.
    pub zone: Option<Zone>,
    /// Its money.
    pub currency: Option<Arc<str>>,
    /// Whether a switch needs a second person.
    pub two_person_switch: Option<bool>,
    /// Whether a switch needs the digest of its preview.
    pub preview_required: Option<bool>,
    /// Microseconds of release paperwork that it states.
    pub allowance_us: Option<i64>,
}

/// A jail to add.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewFacility {
    /// Its id.
    pub id: FacilityId,
    /// Its name.
    pub name: Arc<str>,
    /// Its zone; the county's where nothing is said.
    pub zone: Option<Zone>,
    /// Its city.
    pub city: Arc<str>,
}

/// What changes of a jail; nothing means that it stays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FacilityChange {
    /// Which.
    pub id: FacilityId,
    /// Its name.
    pub name: Option<Arc<str>>,
    /// Its zone.
    pub zone: Option<Zone>,
    /// Its city.
    pub city: Option<Arc<str>>,
}

/// A rule to activate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRevision {
    /// The caller's own id.
    pub id: Option<RevisionId>,
    /// When it takes effect; at its record where nothing is said.
    pub effective: Option<Instant>,
    /// The rest of it: its id, stamp, author and approver are set when it is recorded, the county's own days read from
    /// the calendar that it names.
    pub revision: Revision,
}

/// A price to set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRate {
    /// The caller's own id.
    pub id: Option<RateId>,
    /// The rest of it.
    pub rate: Rate,
}
