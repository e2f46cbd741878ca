//! One stay of one subject, and everything recorded about it: the consistency unit of most writes.
//!
//! The state has two halves. *Recorded* is what people told us; *derived* (decisions, custody, postings,
//! reservations, duties) was worked out when it was recorded and is only copied here.

use super::clock::Readings;
use super::cost::CostLine;
use super::detainer::Detainer;
use super::facts::{Arrival, Basis, BasisKind, CloseReason, EndKind, Ending, FactRecord, Source, Stamp, TextRef};
use super::gap::{Authority, Gap, Segment};
use super::ids::{AgreementId, BasisId, BookingId, DetainerId, FacilityId, HoldId, ProposalId, RevisionId, SubjectId};
use super::money::Cents;
use super::time::{Instant, Span, Zone};
use std::sync::Arc;

/// One stay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Booking {
    /// The jail's own booking number.
    pub id: BookingId,
    /// Whose stay it is.
    pub subject: SubjectId,
    /// Commitment to the subject's identity as it was told at booking.
    pub identity: Option<TextRef>,
    /// When it began.
    pub booked: Stamp,
    /// Where that is known from.
    pub source: Source,
    /// Whether the bases at booking are known; where they are not there is no T0 until one opens and closes.
    pub bases_known: bool,
    /// Custody bases, in recorded order.
    pub bases: Vec<Basis>,
    /// Facilities, in order of arrival; the first at booking.
    pub arrivals: Vec<Arrival>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Other facts, in recorded order.
    pub facts: Vec<FactRecord>,
    /// Requests, in recorded order.
    pub detainers: Vec<Detainer>,
    /// Earlier stays of the same subject that were known at booking.
    pub previous: Vec<BookingId>,
    /// Clock stretches inherited from an earlier stay (DOMAIN.md §4 *Never again*, §10.14).
    pub inherited: Vec<Span>,
    /// The stay that they come from: the last one, where it had ended within 24 hours, else the latest with the same paper.
    pub inherits_from: Option<BookingId>,
    /// Custody after T0 as worked out from the above.
    pub custody: Custody,
    /// Postings in force: those not reversed.
    pub postings: Vec<Posting>,
    /// Budget reserved for this booking's holds.
    pub reservations: Vec<Reservation>,
    /// Two-person acts waiting for the second person, or done.
    pub proposals: Vec<Proposal>,
    /// Warnings given about the open hold, so that each is given once.
    pub alerts: Vec<Alert>,
    /// The last record that touched this booking.
    pub seq: i64,
    /// The highest number that a fact of it ever had: no number is given twice, also where its fact was voided.
    pub last_fact: u32,
    /// Bases that were voided: the numbers among them are not given again.
    pub voided_bases: Vec<BasisId>,
}

/// Custody after T0: derived, stored, only copied by `evolve`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Custody {
    /// The zone of all clocks of this booking: the facility's at the first clock start (DOMAIN.md §10.13).
    pub zone: Option<Zone>,
    /// Every stretch with no basis open, cut by facility and authority.
    pub gaps: Vec<Gap>,
    /// Every hold, in order; those that were described away by a correction keep their place, voided.
    pub holds: Vec<Hold>,
    /// From this instant no detainer of this booking gives authority, whatever is recorded (DOMAIN.md §10.2).
    pub barred: Option<Instant>,
}

/// One hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    /// `1`, `2`, ... within the booking.
    pub id: HoldId,
    /// The T0 it follows.
    pub t0: Instant,
    /// When it began: T0, or when the request came into effect.
    pub start: Instant,
    /// When the authority ends, or ended: the earliest of the deadline and any known later instant that ends it.
    pub until: Instant,
    /// Why it ends there.
    pub reason: HoldEnd,
    /// The exclusive end of the authority to hold under the governing clock.
    pub deadline: Instant,
    /// The two readings of 48 hours that are always shown.
    pub readings: Readings,
    /// Microseconds of the limit that were used before this T0, by the governing exclusion rule.
    pub used_us: i64,
    /// The same by the reading of hours on end.
    pub contiguous_used_us: i64,
    /// The same by the reading without weekends and holidays.
    pub business_used_us: i64,
    /// When the clock first ran: T0, or the instant before it that the start rule or an earlier stretch gives.
    pub clock_start: Instant,
    /// The hold it continues after an interruption.
    pub continues: Option<HoldId>,
    /// The request it rested on at its start.
    pub detainer: DetainerId,
    /// The revision of that request's decision.
    pub revision: RevisionId,
    /// Where it began.
    pub facility: FacilityId,
    /// Whether a correction described it away.
    pub voided: bool,
}

/// Why a hold ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HoldEnd {
    /// Federal officers took the person.
    FederalCustody,
    /// The person was let go.
    Released,
    /// The person was moved to another jurisdiction.
    TransferredOut,
    /// The person escaped.
    Escaped,
    /// The person died.
    Died,
    /// The limit was used up.
    Deadline,
    /// The detainer was lifted.
    Lifted,
    /// Another form took the detainer's place.
    Replaced,
    /// The policy, an agreement or a fact no longer honors it.
    NoLongerHonored,
    /// A new custody basis opened: the only end after which a linked hold may follow.
    NewBasis,
    /// A record arrived after the hold was known to have ended (DOMAIN.md §10.2).
    KnownEnded,
}

/// One cost line, posted: append-only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posting {
    /// The record that posted it.
    pub seq: i64,
    /// Its number within that record, from 1.
    pub n: u32,
    /// What it says.
    pub line: CostLine,
    /// The office of the request it rests on; empty for over-detention.
    pub office: Arc<str>,
    /// The edition of that request's form.
    pub edition: Option<super::detainer::Edition>,
    /// The mode of the revision.
    pub mode: Option<super::policy::Mode>,
    /// What made it necessary.
    pub cause: PostingCause,
    /// The posting it takes back; its amounts are then negative.
    pub reverses: Option<PostingRef>,
    /// The day on which it is accounted, where its own was closed when it was recorded.
    pub accounted: Option<super::time::Date>,
}

/// Which posting.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PostingRef {
    /// The record that posted it.
    pub seq: i64,
    /// Its number within that record.
    pub n: u32,
}

/// What made a posting necessary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PostingCause {
    /// Custody after T0 ended, or a new basis opened.
    CustodyClosed,
    /// A fact was recorded late.
    LateFact,
    /// A fact was corrected.
    Correction,
    /// A rate was recorded for days already posted.
    Rate,
    /// An agreement changed for days already posted.
    Agreement,
    /// A policy changed for time already posted.
    Policy,
    /// A period was closed while custody went on: what had accrued by then.
    PeriodClosed,
}

/// Budget kept for this booking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reservation {
    /// Whose budget.
    pub agreement: AgreementId,
    /// For which hold it was tried.
    pub hold: HoldId,
    /// The start of that hold: from here on its outcome is the answer.
    pub at: Instant,
    /// What was reserved; nothing where the balance did not suffice.
    pub amount: Option<Cents>,
    /// What of it was spent when the rest was returned; nothing while it is still reserved.
    pub spent: Option<Cents>,
}

/// A two-person act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// The number of the record that proposed it: no other act of the county has it.
    pub id: ProposalId,
    /// The person who proposed it.
    pub person: Arc<str>,
    /// The credential it was proposed with.
    pub actor: Arc<str>,
    /// When.
    pub proposed: Instant,
    /// Until when it can be confirmed: 24 hours.
    pub expires: Instant,
    /// When it was confirmed.
    pub confirmed: Option<Instant>,
    /// The person who confirmed it.
    pub confirmed_by: Option<Arc<str>>,
    /// What it would do.
    pub correction: Option<Correction>,
    /// The switch it would make (in the county's stream).
    pub switch: Option<Box<super::policy::Revision>>,
    /// The override it would make.
    pub overriding: Option<super::event::Overridden>,
}

/// Which recorded fact a correction is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CorrectedFact {
    /// The booked time.
    BookedTime,
    /// When a basis opened.
    BasisOpened,
    /// When a basis closed, or that it did.
    BasisClosed,
    /// A basis that was not recorded.
    BasisAdded,
    /// A basis that never was.
    BasisVoided,
    /// When the person arrived in a facility, or a move that was not recorded.
    Arrival,
    /// When custody ended, or that it did.
    Ending,
    /// When a detainer was received.
    Received,
    /// When a copy was served, or that it was.
    Served,
    /// When a detainer was lifted, or that it was.
    Lifted,
    /// A fact that was not so, or was otherwise.
    FactChanged,
}

/// How a copy was served, for a correction that adds or changes a service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServedHow {
    /// How.
    pub method: super::detainer::ServiceMethod,
    /// In which language (BCP 47).
    pub language: Arc<str>,
    /// By whom, sealed.
    pub by: Option<TextRef>,
}

/// One named fact, its old value and its new one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Correction {
    /// Which fact.
    pub fact: CorrectedFact,
    /// The basis, detainer or fact number it is about; empty where the booking has only one.
    pub subject: Arc<str>,
    /// The value on record.
    pub old: Option<Instant>,
    /// The value it should be; nothing where it never happened.
    pub new: Option<Instant>,
    /// For a basis that is added: its kind.
    pub kind: Option<BasisKind>,
    /// For a closing that is changed: its reason.
    pub close_reason: Option<CloseReason>,
    /// For an end that is changed: how custody ended.
    pub end_kind: Option<EndKind>,
    /// For an end that is changed: how it is recorded to have ended.
    pub old_end_kind: Option<EndKind>,
    /// For a fact that is changed: what was so instead.
    pub fact_instead: Option<super::facts::Fact>,
    /// For a fact that is changed: what is recorded.
    pub old_fact: Option<super::facts::Fact>,
    /// For a service that is added or changed: how, in which language.
    pub service: Option<ServedHow>,
    /// For a basis that is added: when it closed.
    pub closed: Option<Instant>,
    /// For an arrival: the facility.
    pub facility: Option<FacilityId>,
    /// For an arrival that is changed: the facility recorded.
    pub old_facility: Option<FacilityId>,
    /// For a basis that is added: the case, warrant or charge number; empty where none is told.
    pub reference: Arc<str>,
    /// Where the right value is known from.
    pub source: Source,
    /// Why, sealed.
    pub reason: TextRef,
    /// When it was recorded: what is added by it is known from here on.
    pub stamp: Stamp,
}

/// A warning about a running hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alert {
    /// The hold.
    pub hold: Option<HoldId>,
    /// How near the end.
    pub level: AlertLevel,
    /// The end it speaks of.
    pub until: Instant,
}

/// How near the end of the authority is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AlertLevel {
    /// Twenty-four hours.
    Due24h,
    /// Four hours.
    Due4h,
    /// One hour.
    Due1h,
    /// It has come.
    DeadlinePassed,
    /// The person is held without authority.
    OverDetained,
}

/// The ground of custody at an instant (DOMAIN.md §10.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ground<'a> {
    /// Not in custody.
    NotInCustody,
    /// The bases are not known.
    NotKnown,
    /// At least one basis is open.
    Basis(&'a Basis),
    /// An honored detainer in effect.
    Detainer(&'a Gap, &'a Segment),
    /// Nothing.
    None(&'a Gap),
}

impl Booking {
    /// When custody ended; [`Instant::FAR`] while it has not.
    #[must_use]
    pub fn ended(&self) -> Instant {
        self.ending.as_ref().map_or(Instant::FAR, |e| e.at.effective)
    }

    /// The stay as a span.
    #[must_use]
    pub fn stay(&self) -> Span {
        Span::new(self.booked.effective, self.ended())
    }

    /// The facility at an instant; the first one before booking.
    #[must_use]
    pub fn facility_at(&self, at: Instant) -> Option<&FacilityId> {
        let mut arrivals: Vec<&Arrival> = self.arrivals.iter().collect();
        arrivals.sort_by_key(|a| (a.at.effective, a.at.seq));
        let past = arrivals.iter().rev().find(|a| a.at.effective <= at);
        past.or(arrivals.first()).map(|a| &a.facility)
    }

    /// The facilities of the stay, each with its stretch, in order of time.
    #[must_use]
    pub fn stays(&self) -> Vec<(Span, &FacilityId)> {
        let mut cuts: Vec<Instant> = self.arrivals.iter().map(|a| a.at.effective.max(self.booked.effective)).collect();
        cuts.sort();
        cuts.dedup();
        let mut stays: Vec<(Span, &FacilityId)> = Vec::new();
        for (n, start) in cuts.iter().enumerate() {
            let end = cuts.get(n + 1).copied().unwrap_or(Instant::FAR).min(self.ended());
            let Some(facility) = self.facility_at(*start).filter(|_| *start < end) else { continue };
            match stays.last_mut() {
                Some((span, last)) if *last == facility => span.end = end,
                _ => stays.push((Span::new(*start, end), facility)),
            }
        }
        stays
    }

    /// The last facility recorded.
    #[must_use]
    pub fn facility(&self) -> Option<&FacilityId> {
        self.facility_at(Instant::FAR)
    }

    /// A detainer by its id.
    #[must_use]
    pub fn detainer(&self, id: &DetainerId) -> Option<&Detainer> {
        self.detainers.iter().find(|d| &d.id == id)
    }

    /// A basis by its id.
    #[must_use]
    pub fn basis(&self, id: &BasisId) -> Option<&Basis> {
        self.bases.iter().find(|b| &b.id == id)
    }

    /// The stretch after the last T0 while it is still open, if any.
    #[must_use]
    pub fn open_gap(&self) -> Option<&Gap> {
        self.custody.gaps.last().filter(|gap| gap.end.is_far())
    }

    /// The hold of a gap.
    #[must_use]
    pub fn hold_of(&self, gap: &Gap) -> Option<&Hold> {
        self.custody.holds.iter().find(|h| !h.voided && h.t0 == gap.t0)
    }

    /// The hold that gives authority at an instant, as known now; nothing where no detainer may hold then (DOMAIN.md
    /// §10.1). This, not [`Booking::authority_until`] alone, is the answer of CheckRelease: a hold may begin later than now.
    #[must_use]
    pub fn running_hold(&self, at: Instant) -> Option<&Hold> {
        let Ground::Detainer(_, segment) = self.ground_at(at) else { return None };
        self.custody.holds.iter().find(|h| !h.voided && Some(&h.id) == segment.hold.as_ref())
    }

    /// The end of the authority to hold in the open gap: nothing where no gap is open, T0 where none holds. Before
    /// [`Hold::start`] there is none yet, also where this lies ahead.
    #[must_use]
    pub fn authority_until(&self) -> Option<Instant> {
        let gap = self.open_gap()?;
        Some(self.hold_of(gap).map_or(gap.t0, |hold| hold.until))
    }

    /// Why the person is in custody at an instant. Stored segments hold every known breakpoint, so no timer is
    /// needed for the answer to be right (DOMAIN.md §8.2).
    #[must_use]
    pub fn ground_at(&self, at: Instant) -> Ground<'_> {
        if !self.stay().contains(at) {
            return Ground::NotInCustody;
        }
        let open = |b: &&Basis| b.opened.effective <= at && b.closed.as_ref().is_none_or(|c| at < c.at.effective);
        if let Some(basis) = self.bases.iter().find(open) {
            return Ground::Basis(basis);
        }
        let Some(gap) = self.custody.gaps.iter().find(|g| g.t0 <= at && at < g.end) else {
            return Ground::NotKnown;
        };
        match gap.segments.iter().find(|s| s.span.contains(at)) {
            Some(segment) if segment.authority != Authority::OverDetained => Ground::Detainer(gap, segment),
            _ => Ground::None(gap),
        }
    }

    /// Since when the person has been held without authority, where they are at `at` (DOMAIN.md §10.17).
    #[must_use]
    pub fn over_since(&self, at: Instant) -> Option<Instant> {
        let Ground::None(gap) = self.ground_at(at) else { return None };
        let mut since = gap.t0;
        for segment in gap.segments.iter().filter(|s| s.span.start <= at) {
            if segment.authority != Authority::OverDetained {
                since = segment.span.end;
            }
        }
        Some(since)
    }

    /// Whether a request is open at an instant: not lifted, not replaced, person in custody (DOMAIN.md §5).
    #[must_use]
    pub fn is_open(&self, detainer: &Detainer, at: Instant) -> bool {
        at < self.ended() && at < detainer.ended()
    }
}
