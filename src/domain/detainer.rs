//! The form itself: editions, boxes, parties, documents, service, lifting, the duties it brings.
//!
//! A detainer is a request. Nothing here decides whether it is honored; see [`super::policy`].

use super::decision::{Decision, Override};
use super::facts::{Source, Stamp, TextRef, Tri};
use super::ids::{BookingId, DetainerId, RevisionId};
use super::time::{Date, Instant};
use std::sync::Arc;

/// Editions of Form I-247 (DOMAIN.md §2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Edition {
    /// I-247 of 2011.
    I247Of2011,
    /// I-247 of December 2012.
    I247Of2012,
    /// I-247D, request for action.
    I247D,
    /// I-247N, request for notification: never a ground to hold.
    I247N,
    /// I-247X, request for transfer.
    I247X,
    /// I-247A, from 2017-04-02 on.
    I247A,
}

impl Edition {
    /// Whether the form takes effect only when a copy is served on the subject.
    #[must_use]
    pub fn needs_service(self) -> bool {
        matches!(self, Self::I247D | Self::I247X | Self::I247A)
    }

    /// Whether the form can be a ground to hold at all.
    #[must_use]
    pub fn can_hold(self) -> bool {
        self != Self::I247N
    }

    /// Whether the form prints that Saturdays, Sundays and holidays do not count.
    #[must_use]
    pub fn prints_exclusion(self) -> bool {
        matches!(self, Self::I247Of2011 | Self::I247Of2012)
    }

    /// The name printed on the form.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::I247Of2011 => "I-247 (2011)",
            Self::I247Of2012 => "I-247 (12/2012)",
            Self::I247D => "I-247D",
            Self::I247N => "I-247N",
            Self::I247X => "I-247X",
            Self::I247A => "I-247A",
        }
    }
}

/// What is ticked.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Boxes {
    /// Hold the person past release (box 1 of the I-247A).
    pub hold: bool,
    /// Notify before release.
    pub notify: bool,
    /// Box 2 of the I-247A: DHS lent the person; no ground to hold unless a revision says so.
    pub lent: bool,
    /// Operative only upon conviction (2011 form).
    pub upon_conviction: bool,
    /// Cancels the detainer of this form date.
    pub cancels: Option<Date>,
    /// Whether the probable-cause boxes were read; where not, they are unknown.
    pub read: bool,
    /// Probable cause: a final order of removal.
    pub final_order: bool,
    /// Probable cause: pending proceedings.
    pub pending_proceedings: bool,
    /// Probable cause: biometric match and records check.
    pub biometric_match: bool,
    /// Probable cause: statements or other reliable evidence.
    pub statements: bool,
}

impl Boxes {
    /// What no form of an edition says: each contradiction, with the name of its field (DOMAIN.md §2 *Form editions*). A
    /// form that seems to say it was read wrongly.
    #[must_use]
    pub fn contradictions(&self, edition: Edition) -> Vec<(&'static str, &'static str)> {
        let all = [
            (self.hold && !edition.can_hold(), "hold_requested", "must be false on an I-247N, which asks for notice only"),
            (self.lent && edition != Edition::I247A, "dhs_lent_return", "is box 2 of the I-247A only"),
            (self.lent && self.hold, "dhs_lent_return", "is never ticked together with hold_requested"),
            (
                self.upon_conviction && edition != Edition::I247Of2011,
                "operative_upon_conviction",
                "is on the edition of 2011 only",
            ),
        ];
        all.into_iter().filter(|(so, ..)| *so).map(|(_, field, why)| (field, why)).collect()
    }

    /// Whether at least one probable-cause box is ticked; unknown where nobody read them.
    #[must_use]
    pub fn has_probable_cause(&self) -> Tri {
        if !self.read {
            return Tri::Unknown;
        }
        Tri::from(self.final_order || self.pending_proceedings || self.biometric_match || self.statements)
    }
}

/// Which part of the federal side issued it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Component {
    /// ICE Enforcement and Removal Operations.
    IceEro,
    /// Homeland Security Investigations.
    Hsi,
    /// Customs and Border Protection.
    Cbp,
    /// Border Patrol.
    Usbp,
    /// Citizenship and Immigration Services.
    Uscis,
}

/// A document that came with the form.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Document {
    /// Its number among the request's documents, from 1.
    pub n: u32,
    /// What it is.
    pub kind: DocumentKind,
    /// SHA-256 of its bytes; the bytes themselves are sealed elsewhere.
    pub sha256: Option<TextRef>,
    /// When it was signed.
    pub signed: Option<Instant>,
    /// Whether it is signed, where that was looked at.
    pub is_signed: Option<Tri>,
    /// Its media type; empty where none was told.
    pub media_type: Arc<str>,
    /// Where its bytes are kept, sealed; nothing where only the digest is.
    pub content: Option<TextRef>,
    /// When it was attached; nothing where it came with the form.
    pub attached: Option<Stamp>,
    /// Where that is known from.
    pub source: Option<Source>,
}

impl Document {
    /// Whether it is the paper it is recorded as: a warrant is what somebody signed. One of which nothing is said about a
    /// signature counts as recorded; one recorded as not signed is none; where that is recorded as not known, neither.
    #[must_use]
    pub fn counts(&self) -> Tri {
        self.is_signed.unwrap_or(Tri::Yes)
    }
}

/// Kinds of document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DocumentKind {
    /// The form itself.
    Form,
    /// Administrative warrant for arrest.
    I200,
    /// Administrative warrant of removal.
    I205,
    /// Booking form.
    I203,
    /// A warrant signed by a judge.
    JudicialWarrant,
    /// The paper by which it was lifted.
    Lift,
    /// A notice that was sent.
    Notice,
    /// Anything else.
    Other,
}

/// What the form says: its content, apart from when and how it came (DOMAIN.md §10.23).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Form {
    /// Its edition.
    pub edition: Edition,
    /// What is ticked.
    pub boxes: Boxes,
    /// Whether it is signed.
    pub signed: Tri,
    /// Issuing office: a short code.
    pub office: Arc<str>,
    /// Its name; empty where none was told.
    pub office_name: Arc<str>,
    /// Issuing component.
    pub component: Component,
    /// The issuing officer, sealed.
    pub officer: Option<TextRef>,
    /// The date on the form.
    pub form_date: Option<Date>,
    /// The event number; empty where the form has none.
    pub event_number: Arc<str>,
    /// The A-number printed on it, sealed.
    pub a_number: Option<TextRef>,
    /// What came with it.
    pub documents: Vec<Document>,
}

impl Form {
    /// Whether the form asks to hold the person, given what the revision says of box 2.
    #[must_use]
    pub fn asks_hold(&self, box2_holds: bool) -> bool {
        // A form that cancels another is a ground only if the hold box itself is ticked (§2).
        let lent = self.boxes.lent && box2_holds && self.boxes.cancels.is_none();
        self.edition.can_hold() && (self.boxes.hold || lent)
    }

    /// Facial sufficiency (DOMAIN.md §5): a probable-cause box, a signature, an I-200 or I-205 attached.
    #[must_use]
    pub fn facially_sufficient(&self) -> Tri {
        let warrants = self.documents.iter().filter(|d| matches!(d.kind, DocumentKind::I200 | DocumentKind::I205));
        let warrant = warrants.map(Document::counts).fold(Tri::No, Tri::or);
        self.boxes.has_probable_cause().and(self.signed).and(warrant)
    }
}

/// Proof that a copy was given to the subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// When.
    pub at: Stamp,
    /// How.
    pub method: ServiceMethod,
    /// In which language (BCP 47).
    pub language: Arc<str>,
    /// By whom, sealed.
    pub by: Option<TextRef>,
    /// Where it is known from.
    pub source: Source,
}

/// How a copy was given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ServiceMethod {
    /// Handed over.
    InPerson,
    /// Put with the person's property.
    WithProperty,
    /// By the jail's messaging system.
    Electronic,
    /// To counsel.
    ToCounsel,
    /// Assumed, as a mapping of old records states.
    Assumed,
}

/// Why the issuing agency withdrew it. The letter is NIEM's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LiftReason {
    /// B: booked into detention.
    BookedIntoDetention,
    /// C: case closed.
    CaseClosed,
    /// D: died.
    Died,
    /// L: lifted.
    Lifted,
    /// F: lack of funds.
    LackOfFunds,
    /// S: lack of space.
    LackOfSpace,
    /// N: not deportable.
    NotDeportable,
    /// T: transferred.
    Transferred,
    /// U: United States citizen interviewed.
    CitizenInterviewed,
    /// Declined by the local agency, in ICE's own records.
    DeclinedByLea,
    /// Prosecutorial discretion.
    ProsecutorialDiscretion,
    /// Early release.
    EarlyRelease,
    /// No longer in local custody.
    NoLongerInCustody,
    /// Not amenable to removal.
    NotAmenable,
    /// A later form's *cancels* box.
    CancelledByForm,
}

/// Withdrawal by the issuing agency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lift {
    /// When.
    pub at: Stamp,
    /// Why.
    pub reason: LiftReason,
    /// Where it is known from.
    pub source: Source,
}

/// A new form took its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replacement {
    /// The receipt of the new form.
    pub at: Stamp,
    /// The new form.
    pub by: DetainerId,
}

/// What has to be told to whom (DOMAIN.md §2 *Duties*).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DutyKind {
    /// To the issuing office: acknowledgement with the decision and its reason.
    Acknowledge,
    /// To the issuing office: notice of release.
    NotifyRelease,
    /// To the issuing office: the person died.
    NotifyDeath,
    /// To the issuing office: the person is in a hospital.
    NotifyHospital,
    /// To the issuing office: the person was transferred.
    NotifyTransfer,
    /// To the receiving agency: the form itself.
    RelayForm,
    /// To the subject: a copy of the form.
    CopyToSubject,
    /// To the subject: the decision.
    DecisionToSubject,
    /// To the subject: that a release date was given out.
    ReleaseDateToSubject,
    /// To look into a claim of citizenship.
    CitizenshipClaim,
}

impl DutyKind {
    /// Whether it is owed again when its due time moves: release dates and hospital stays do.
    #[must_use]
    pub fn moves(self) -> bool {
        matches!(self, Self::NotifyRelease | Self::NotifyHospital | Self::ReleaseDateToSubject)
    }
}

/// One duty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Duty {
    /// What.
    pub kind: DutyKind,
    /// By when.
    pub due: Instant,
    /// When, how and by what account it was carried out.
    pub done: Option<Done>,
}

/// How a duty was carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// When.
    pub at: Stamp,
    /// How; nothing where another record shows it, as service does.
    pub method: Option<NoticeMethod>,
    /// Where it is known from.
    pub source: Source,
}

/// How a notice was given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NoticeMethod {
    /// By e-mail.
    Email,
    /// By fax.
    Fax,
    /// By telephone.
    Telephone,
    /// In person.
    InPerson,
    /// Through a system both sides read.
    System,
    /// By letter.
    Letter,
}

/// How a review was closed by a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReviewDeclined {
    /// When.
    pub at: Stamp,
    /// Why, sealed.
    pub reason: Option<TextRef>,
}

/// One request and everything that has become of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detainer {
    /// Its id within the booking.
    pub id: DetainerId,
    /// What the form says.
    pub form: Form,
    /// When the county received it.
    pub received: Stamp,
    /// Where that is known from.
    pub source: Source,
    /// Remarks, sealed.
    pub remarks: Option<TextRef>,
    /// The facility where the person was at receipt.
    pub facility: super::ids::FacilityId,
    /// The same paper on an earlier booking of the same subject.
    pub linked: Option<LinkedDetainer>,
    /// Proof of service.
    pub service: Option<Service>,
    /// Withdrawal.
    pub lift: Option<Lift>,
    /// Replacement.
    pub replaced: Option<Replacement>,
    /// The form it took the place of.
    pub replaces: Option<DetainerId>,
    /// How the form was read since, in recorded order; the form itself stays as it came.
    pub readings: Vec<Reading>,
    /// A person declined on review.
    pub declined: Option<ReviewDeclined>,
    /// What two persons put in place of the county rule's answer, in recorded order.
    pub overrides: Vec<Override>,
    /// Every decision, in recorded order.
    pub decisions: Vec<Decision>,
    /// What is due and what was done.
    pub duties: Vec<Duty>,
}

/// A reading of the form after it came: boxes and signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// When it was read.
    pub at: Stamp,
    /// What is ticked.
    pub boxes: Boxes,
    /// Whether it is signed.
    pub signed: Tri,
    /// Where that is known from.
    pub source: Source,
}

/// The same paper on another booking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkedDetainer {
    /// The earlier booking.
    pub booking: BookingId,
    /// The detainer there.
    pub detainer: DetainerId,
}

impl Detainer {
    /// The key by which the same paper is recognized: office, event number, form date. None without an event number.
    #[must_use]
    pub fn key(&self) -> Option<(Arc<str>, Arc<str>, Option<Date>)> {
        form_key(&self.form)
    }

    /// The form as it was read, with the documents that were there, at an instant; [`Instant::FAR`] for all there is.
    #[must_use]
    pub fn form_at(&self, at: Instant) -> Form {
        let mut form = self.form.clone();
        form.documents.retain(|d| d.attached.is_none_or(|attached| attached.effective <= at));
        let past = self.readings.iter().filter(|r| r.at.effective <= at);
        if let Some(reading) = past.max_by_key(|r| (r.at.effective, r.at.seq)) {
            form.boxes = reading.boxes.clone();
            form.signed = reading.signed;
        }
        form
    }

    /// The form as it came: what makes it the same paper (DOMAIN.md §10.23).
    #[must_use]
    pub fn as_it_came(&self) -> Form {
        let mut form = self.form.clone();
        form.documents.retain(|d| d.attached.is_none());
        form
    }

    /// The instant at which it ended, by lift or replacement; [`Instant::FAR`] while it has not.
    #[must_use]
    pub fn ended(&self) -> Instant {
        let lift = self.lift.as_ref().map_or(Instant::FAR, |l| l.at.effective);
        let replaced = self.replaced.as_ref().map_or(Instant::FAR, |r| r.at.effective);
        lift.min(replaced)
    }

    /// The decision in force at an instant: greatest effective time, then latest recorded (DOMAIN.md §10.7).
    #[must_use]
    pub fn decision_at(&self, at: Instant) -> Option<&Decision> {
        self.decisions.iter().filter(|d| d.at.effective <= at).max_by_key(|d| (d.at.effective, d.n))
    }

    /// The override in force at an instant at which this revision governs: the latest, where it was made under it.
    #[must_use]
    pub fn override_at(&self, at: Instant, revision: &RevisionId) -> Option<&Override> {
        let past = self.overrides.iter().filter(|o| o.at.effective <= at);
        past.max_by_key(|o| (o.at.effective, o.at.seq)).filter(|o| o.revision == *revision)
    }

    /// The last decision in force, future breakpoints included only once they are reached at `at`.
    #[must_use]
    pub fn current(&self, at: Instant) -> Option<&Decision> {
        self.decision_at(at)
    }
}

/// See [`Detainer::key`].
#[must_use]
pub fn form_key(form: &Form) -> Option<(Arc<str>, Arc<str>, Option<Date>)> {
    (!form.event_number.is_empty()).then(|| (form.office.clone(), form.event_number.clone(), form.form_date))
}
