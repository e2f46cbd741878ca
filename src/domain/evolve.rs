//! State from events: copies, computes nothing, sees no clock, zone, rule or random source. Total: an event that does
//! not fit the state leaves it alone, and the verifier will say so.

use super::booking::{Booking, Correction, Custody};
use super::county::{Balance, County};
use super::detainer::Detainer;
use super::event::{BookingCreated, CountyCreated, Event};
use super::facts::{Arrival, BasisKind};
use super::ids::{BasisId, DetainerId};
use super::rate::RateBook;
use super::time::Instant;
use std::collections::BTreeMap;

/// The booking after an event of its stream; `None` before it was created.
#[must_use]
pub fn booking(state: Option<Booking>, seq: i64, event: &Event) -> Option<Booking> {
    if let Event::BookingCreated(created) = event {
        return Some(new_booking(created, seq));
    }
    let mut booking = state?;
    booking.seq = seq;
    apply(&mut booking, event);
    Some(booking)
}

fn new_booking(created: &BookingCreated, seq: i64) -> Booking {
    Booking {
        id: created.booking.clone(),
        subject: created.subject.clone(),
        identity: created.identity,
        booked: created.booked,
        source: created.source.clone(),
        bases_known: created.bases_known,
        bases: Vec::new(),
        arrivals: vec![Arrival { at: created.booked, facility: created.facility.clone(), source: created.source.clone() }],
        ending: None,
        facts: Vec::new(),
        detainers: Vec::new(),
        previous: created.previous.clone(),
        inherited: created.inherited.clone(),
        inherits_from: created.inherits_from.clone(),
        custody: Custody::default(),
        postings: Vec::new(),
        reservations: Vec::new(),
        proposals: Vec::new(),
        alerts: Vec::new(),
        seq,
        last_fact: 0,
        voided_bases: Vec::new(),
    }
}

/// Brings a booking up to date with one event of its stream.
pub fn apply(booking: &mut Booking, event: &Event) {
    match event {
        Event::BasisOpened(basis) => booking.bases.push(basis.clone()),
        Event::BasisClosed(closed) => with_basis(booking, &closed.basis, |b| b.closed = Some(closed.close.clone())),
        Event::FactRecorded(fact) => {
            booking.last_fact = booking.last_fact.max(fact.n);
            booking.facts.push(fact.clone());
        }
        Event::Moved(arrival) => booking.arrivals.push(arrival.clone()),
        Event::Ended(ending) => booking.ending = Some(ending.clone()),
        Event::DetainerRecorded(detainer) => booking.detainers.push(detainer.clone()),
        Event::DocumentAttached(e) => with(booking, &e.detainer, |d| d.form.documents.push(e.document.clone())),
        Event::Served(e) => with(booking, &e.detainer, |d| d.service = Some(e.service.clone())),
        Event::Lifted(e) => with(booking, &e.detainer, |d| d.lift = Some(e.lift.clone())),
        Event::Replaced(e) => with(booking, &e.detainer, |d| d.replaced = Some(e.replacement.clone())),
        Event::FormRead(e) => with(booking, &e.detainer, |d| {
            let (boxes, source) = (e.boxes.clone(), e.source.clone());
            d.readings.push(super::detainer::Reading { at: e.at, boxes, signed: e.signed, source });
        }),
        Event::ReviewDeclined(e) => with(booking, &e.detainer, |d| d.declined = Some(e.declined.clone())),
        Event::Overridden(e) => with(booking, &e.detainer, |d| d.overrides.push(e.act.clone())),
        Event::Decided(e) => with(booking, &e.detainer, |d| d.decisions.push(e.decision.clone())),
        Event::DutiesSet(e) => with(booking, &e.detainer, |d| d.duties.clone_from(&e.duties)),
        Event::CustodyDerived(custody) => booking.custody = custody.clone(),
        Event::BudgetMoved(e) => {
            let of = |r: &super::booking::Reservation| r.agreement == e.agreement && r.hold == e.reservation.hold;
            booking.reservations.retain(|r| !of(r));
            booking.reservations.push(e.reservation.clone());
        }
        Event::Posted(posting) => match posting.reverses {
            Some(back) => booking.postings.retain(|p| (p.seq, p.n) != (back.seq, back.n)),
            None => booking.postings.push(posting.clone()),
        },
        Event::Alerted(alert) => booking.alerts.push(alert.clone()),
        Event::Proposed(proposal) => booking.proposals.push(proposal.clone()),
        Event::Confirmed(e) => {
            for proposal in booking.proposals.iter_mut().filter(|p| p.id == e.proposal) {
                proposal.confirmed = Some(e.at);
                proposal.confirmed_by = Some(e.person.clone());
            }
        }
        Event::Corrected(correction) => correct(booking, correction),
        Event::Inherited(e) => {
            booking.inherited.clone_from(&e.stretches);
            booking.inherits_from.clone_from(&e.from);
        }
        // Events of the county's own stream.
        Event::CountyCreated(_)
        | Event::CountyUpdated(_)
        | Event::FacilitySet(_)
        | Event::CalendarSet(_)
        | Event::RevisionActivated(_)
        | Event::RevisionDrafted(_)
        | Event::AgreementSet(_)
        | Event::RateSet(_)
        | Event::PeriodClosed(_)
        | Event::ClaimMade(_)
        | Event::ClaimEntered(_)
        | Event::BookingCreated(_) => {}
    }
}

fn with(booking: &mut Booking, id: &DetainerId, change: impl FnOnce(&mut Detainer)) {
    if let Some(detainer) = booking.detainers.iter_mut().find(|d| d.id == *id) {
        change(detainer);
    }
}

fn with_basis(booking: &mut Booking, id: &BasisId, change: impl FnOnce(&mut super::facts::Basis)) {
    if let Some(basis) = booking.bases.iter_mut().find(|b| b.id == *id) {
        change(basis);
    }
}

/// Puts the corrected value in the place of the recorded one. The earlier knowledge stays reachable *as of* an earlier
/// sequence.
fn correct(booking: &mut Booking, correction: &Correction) {
    use super::booking::CorrectedFact as Fact;
    let subject = &correction.subject;
    let stamp = correction.stamp;
    let restamp = |old: super::facts::Stamp, at: Instant| super::facts::Stamp { effective: at, ..old };
    match (correction.fact, correction.new) {
        (Fact::BookedTime, Some(at)) => {
            let first = booking.booked;
            booking.booked = restamp(first, at);
            for arrival in booking.arrivals.iter_mut().filter(|a| a.at == first) {
                arrival.at = restamp(first, at);
            }
        }
        (Fact::BasisOpened, Some(at)) => {
            with_basis(booking, &BasisId::trusted(subject), |b| b.opened = restamp(b.opened, at));
        }
        (Fact::BasisClosed, new) => with_basis(booking, &BasisId::trusted(subject), |b| {
            let before = b.closed.as_ref();
            let reason = correction.close_reason.or(before.map(|c| c.reason));
            b.closed = new.map(|at| super::facts::BasisClose {
                at: restamp(before.map_or(stamp, |c| c.at), at),
                reason: reason.unwrap_or(super::facts::CloseReason::Other),
                text: Some(correction.reason),
                source: correction.source.clone(),
            });
        }),
        (Fact::BasisAdded, Some(at)) => booking.bases.push(super::facts::Basis {
            id: BasisId::trusted(subject),
            kind: correction.kind.unwrap_or(BasisKind::Charge),
            opened: restamp(stamp, at),
            source: correction.source.clone(),
            reference: correction.reference.clone(),
            closed: correction.closed.map(|closed| super::facts::BasisClose {
                at: restamp(stamp, closed),
                reason: correction.close_reason.unwrap_or(super::facts::CloseReason::Other),
                text: Some(correction.reason),
                source: correction.source.clone(),
            }),
        }),
        (Fact::BasisVoided, _) => {
            booking.bases.retain(|b| b.id.as_str() != &**subject);
            booking.voided_bases.push(BasisId::trusted(subject));
        }
        (Fact::Arrival, new) => {
            if let Some(old) = correction.old {
                booking.arrivals.retain(|a| a.at.effective != old || a.at == booking.booked);
            }
            if let (Some(at), Some(facility)) = (new, &correction.facility) {
                booking.arrivals.push(Arrival {
                    at: restamp(stamp, at),
                    facility: facility.clone(),
                    source: correction.source.clone(),
                });
            }
        }
        (Fact::Ending, new) => {
            let before = booking.ending.as_ref();
            let kind = correction.end_kind.or(before.map(|e| e.kind)).unwrap_or(super::facts::EndKind::Released);
            booking.ending = new.map(|at| super::facts::Ending {
                at: restamp(before.map_or(stamp, |e| e.at), at),
                kind,
                agency: before.and_then(|e| e.agency.clone()),
                officer: before.and_then(|e| e.officer),
                source: correction.source.clone(),
            });
        }
        (Fact::Received, Some(at)) => {
            with(booking, &DetainerId::trusted(subject), |d| d.received = restamp(d.received, at));
        }
        (Fact::Served, new) => with(booking, &DetainerId::trusted(subject), |d| {
            let before = d.service.take();
            let how = correction.service.clone().or_else(|| {
                let how = |s: &super::detainer::Service| (s.method, s.language.clone(), s.by);
                let (method, language, by) = before.as_ref().map(how)?;
                Some(super::booking::ServedHow { method, language, by })
            });
            d.service = new.zip(how).map(|(at, how)| super::detainer::Service {
                at: restamp(before.as_ref().map_or(stamp, |s| s.at), at),
                method: how.method,
                language: how.language,
                by: how.by,
                source: correction.source.clone(),
            });
        }),
        (Fact::Lifted, new) => with(booking, &DetainerId::trusted(subject), |d| {
            let at = new.zip(d.lift.clone());
            d.lift = at.map(|(at, l)| super::detainer::Lift { at: restamp(l.at, at), ..l });
        }),
        (Fact::FactChanged, new) => {
            let is = |f: &super::facts::FactRecord| f.n.to_string() == **subject;
            match new.zip(correction.fact_instead.clone()) {
                None => booking.facts.retain(|f| !is(f)),
                Some((at, fact)) => {
                    for record in booking.facts.iter_mut().filter(|f| is(f)) {
                        record.at = restamp(record.at, at);
                        record.fact = fact.clone();
                        record.source = correction.source.clone();
                    }
                }
            }
        }
        (Fact::BookedTime | Fact::BasisOpened | Fact::BasisAdded | Fact::Received, None) => {}
    }
}

/// The county after an event of its own stream, or one of a booking's that moves a balance.
#[must_use]
pub fn county(state: Option<County>, seq: i64, event: &Event) -> Option<County> {
    if let Event::CountyCreated(created) = event {
        return Some(new_county(created, seq));
    }
    let mut county = state?;
    match event {
        Event::CountyUpdated(profile) => {
            county.profile = profile.clone();
            county.seq = seq;
        }
        Event::FacilitySet(facility) => {
            county.facilities.insert(facility.id.clone(), facility.clone());
        }
        Event::CalendarSet(calendar) => {
            county.calendars.insert(calendar.id.clone(), calendar.clone());
        }
        Event::RevisionActivated(revision) => {
            county.drafts.retain(|draft| draft.revision.id != revision.id);
            county.revisions.push(revision.clone());
            county.policy_seq = seq;
        }
        Event::RevisionDrafted(draft) => {
            county.drafts.push(draft.clone());
        }
        Event::AgreementSet(agreement) => {
            county.agreements.insert(agreement.id.clone(), agreement.clone());
        }
        Event::RateSet(rate) => {
            // Refused before it was recorded where it does not fit.
            let _ = county.rates.add(rate.clone());
        }
        Event::PeriodClosed(close) => county.closes.push(close.clone()),
        Event::ClaimMade(claim) => {
            county.claims.insert(claim.id.clone(), claim.clone());
        }
        Event::ClaimEntered(e) => {
            if let Some(claim) = county.claims.get_mut(&e.claim) {
                claim.entries.push(e.entry.clone());
                claim.seq = seq;
            }
        }
        Event::Proposed(proposal) => county.proposals.push(proposal.clone()),
        Event::Confirmed(e) => {
            for proposal in county.proposals.iter_mut().filter(|p| p.id == e.proposal) {
                proposal.confirmed = Some(e.at);
                proposal.confirmed_by = Some(e.person.clone());
            }
        }
        _ => {}
    }
    Some(county)
}

/// What an event of a booking's stream changes in the county: balances, and that a facility is in use.
pub fn shared(county: &mut County, event: &Event) {
    if !is_shared(county, event) {
        return;
    }
    match event {
        Event::BudgetMoved(e) => {
            county.balances.insert(e.agreement.clone(), Balance { reserved: e.reserved, spent: e.spent });
        }
        Event::BookingCreated(e) => in_use(county, &e.facility),
        Event::Moved(arrival) => in_use(county, &arrival.facility),
        Event::Corrected(Correction { facility: Some(facility), .. }) => in_use(county, facility),
        _ => {}
    }
}

/// Whether an event of a booking changes what all bookings share.
#[must_use]
pub fn is_shared(county: &County, event: &Event) -> bool {
    let unused = |id| county.facilities.get(id).is_some_and(|facility| !facility.in_use);
    match event {
        Event::BudgetMoved(_) => true,
        Event::BookingCreated(e) => unused(&e.facility),
        Event::Moved(arrival) => unused(&arrival.facility),
        Event::Corrected(Correction { facility: Some(facility), .. }) => unused(facility),
        _ => false,
    }
}

fn in_use(county: &mut County, facility: &super::ids::FacilityId) {
    if let Some(facility) = county.facilities.get_mut(facility) {
        facility.in_use = true;
    }
}

fn new_county(created: &CountyCreated, seq: i64) -> County {
    County {
        id: created.county.clone(),
        profile: created.profile.clone(),
        created: created.created,
        facilities: BTreeMap::new(),
        calendars: BTreeMap::new(),
        revisions: Vec::new(),
        drafts: Vec::new(),
        agreements: BTreeMap::new(),
        rates: RateBook::default(),
        balances: BTreeMap::new(),
        closes: Vec::new(),
        claims: BTreeMap::new(),
        proposals: Vec::new(),
        seq,
        policy_seq: 0,
    }
}
