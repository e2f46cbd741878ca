//! What a record holds. Every derived value is in the event; `evolve` copies it and computes nothing.

use super::agreement::Agreement;
use super::booking::{Alert, Correction, Custody, Posting, Proposal, Reservation};
use super::claim::{Claim, ClaimEntry};
use super::county::{Calendar, Draft, Facility, Profile};
use super::decision::{Decision, Override};
use super::detainer::{Detainer, Document, Duty, Lift, Replacement, ReviewDeclined, Service};
use super::facts::{Arrival, Basis, BasisClose, Ending, FactRecord, Source, Stamp, TextRef};
use super::ids::{AgreementId, BasisId, BookingId, ClaimId, CountyId, DetainerId, FacilityId, ProposalId, SubjectId};
use super::money::Cents;
use super::period::PeriodClose;
use super::policy::Revision;
use super::rate::Rate;
use super::time::{Instant, Span};
use std::sync::Arc;

/// Everything that can be recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A county came to be.
    CountyCreated(CountyCreated),
    /// A county's settings changed.
    CountyUpdated(Profile),
    /// A jail was added or changed.
    FacilitySet(Facility),
    /// A calendar was set.
    CalendarSet(Calendar),
    /// A rule was activated.
    RevisionActivated(Revision),
    /// A rule was made; it is not activated.
    RevisionDrafted(Draft),
    /// An agreement was made, amended or terminated.
    AgreementSet(Agreement),
    /// A rate was set.
    RateSet(Rate),
    /// An act waits for its second person.
    Proposed(Proposal),
    /// The second person confirmed.
    Confirmed(Confirmed),
    /// A stay began.
    BookingCreated(BookingCreated),
    /// A basis opened.
    BasisOpened(Basis),
    /// A basis closed.
    BasisClosed(BasisClosed),
    /// A fact was recorded.
    FactRecorded(FactRecord),
    /// The person arrived in another facility.
    Moved(Arrival),
    /// Custody ended.
    Ended(Ending),
    /// A request came in.
    DetainerRecorded(Detainer),
    /// A document was attached.
    DocumentAttached(DocumentAttached),
    /// A copy was served.
    Served(Served),
    /// The issuing agency withdrew it.
    Lifted(Lifted),
    /// Another form took its place.
    Replaced(Replaced),
    /// A person declined on review.
    ReviewDeclined(DeclinedOnReview),
    /// The form was read anew: boxes and signature.
    FormRead(FormRead),
    /// A decision was made.
    Decided(Decided),
    /// Duties changed or were carried out.
    DutiesSet(DutiesSet),
    /// Custody after T0 was worked out anew.
    CustodyDerived(Custody),
    /// Budget was reserved, refused or returned.
    BudgetMoved(BudgetMoved),
    /// A cost line was posted or taken back.
    Posted(Posting),
    /// A warning about a hold.
    Alerted(Alert),
    /// A fact was corrected.
    Corrected(Correction),
    /// Time used in an earlier stay was carried over, with a detainer already used there.
    Inherited(Inherited),
    /// Two persons put their own answer in place of the county rule's, or took that back.
    Overridden(Overridden),
    /// Days were closed: their books are never rewritten.
    PeriodClosed(PeriodClose),
    /// A portion of what an agreement owes was put together.
    ClaimMade(Claim),
    /// Something happened to a claim.
    ClaimEntered(ClaimEntered),
}

/// Something happened to a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimEntered {
    /// To which.
    pub claim: ClaimId,
    /// What.
    pub entry: ClaimEntry,
}

/// A county came to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CountyCreated {
    /// Its id.
    pub county: CountyId,
    /// Its settings.
    pub profile: Profile,
    /// When.
    pub created: Instant,
}

/// The second person confirmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confirmed {
    /// What.
    pub proposal: ProposalId,
    /// When.
    pub at: Instant,
    /// With which credential.
    pub actor: Arc<str>,
    /// The person behind it.
    pub person: Arc<str>,
}

/// A stay began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookingCreated {
    /// The jail's own number.
    pub booking: BookingId,
    /// Whose stay.
    pub subject: SubjectId,
    /// Commitment to the identity told.
    pub identity: Option<TextRef>,
    /// When.
    pub booked: Stamp,
    /// Where that is known from.
    pub source: Source,
    /// Where.
    pub facility: FacilityId,
    /// Whether the bases are known.
    pub bases_known: bool,
    /// Earlier stays of the same subject.
    pub previous: Vec<BookingId>,
    /// Clock stretches carried over.
    pub inherited: Vec<Span>,
    /// The stay that they come from.
    pub inherits_from: Option<BookingId>,
}

/// A basis closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BasisClosed {
    /// Which.
    pub basis: BasisId,
    /// When and why.
    pub close: BasisClose,
}

/// A document was attached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DocumentAttached {
    /// To which request.
    pub detainer: DetainerId,
    /// What.
    pub document: Document,
}

/// A copy was served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Served {
    /// Of which request.
    pub detainer: DetainerId,
    /// When, how, by whom.
    pub service: Service,
}

/// A request was withdrawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lifted {
    /// Which.
    pub detainer: DetainerId,
    /// When and why.
    pub lift: Lift,
}

/// A request was replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// Which.
    pub detainer: DetainerId,
    /// By what, when.
    pub replacement: Replacement,
}

/// The form was read anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormRead {
    /// Which request.
    pub detainer: DetainerId,
    /// What is ticked.
    pub boxes: super::detainer::Boxes,
    /// Whether it is signed.
    pub signed: super::facts::Tri,
    /// When it was read.
    pub at: Stamp,
    /// Where that is known from.
    pub source: Source,
}

/// A person declined on review.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclinedOnReview {
    /// Which request.
    pub detainer: DetainerId,
    /// When and why.
    pub declined: ReviewDeclined,
}

/// An override came to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overridden {
    /// Of which request's decision.
    pub detainer: DetainerId,
    /// What.
    pub act: Override,
}

/// A decision was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// On which request.
    pub detainer: DetainerId,
    /// What.
    pub decision: Decision,
}

/// The duties of a request, all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DutiesSet {
    /// Of which request.
    pub detainer: DetainerId,
    /// What is due and what was done.
    pub duties: Vec<Duty>,
}

/// Budget moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetMoved {
    /// Whose budget.
    pub agreement: AgreementId,
    /// The booking's reservation as it is now.
    pub reservation: Reservation,
    /// The county's reserved total after it.
    pub reserved: Cents,
    /// The county's spent total after it.
    pub spent: Cents,
}

/// Time used in earlier stays, taken over anew: what a new detainer's earlier use brings, or what came to be known of a
/// stay that had ended (DOMAIN.md §10.14).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inherited {
    /// All stretches that are taken over.
    pub stretches: Vec<Span>,
    /// The latest stay that they come from.
    pub from: Option<BookingId>,
}
