//! When a request is decided, again and again: at receipt, at switches that take in open requests, when an agreement
//! in scope starts or ends, when a fact it read changes (DOMAIN.md §5 *When*, *From when*).
//!
//! The points of a request are worked out from what is recorded; a decision is made where none was made yet or where
//! answer or inputs differ from the decision in force. Nothing that was decided is ever replaced.

use super::agreement::{Agreement, MinimumCoverage};
use super::booking::Booking;
use super::clock::ClockTerms;
use super::county::County;
use super::decision::{Decision, Outcome, Trigger};
use super::detainer::Detainer;
use super::event::Decided;
use super::facts::{Fact, Stamp};
use super::ids::AgreementId;
use super::policy::{self, Answer, Case, Inputs, OpenDetainers, Revision};
use super::time::{Instant, Zone};

/// What the record being made brings along.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The record's time.
    pub now: Instant,
    /// The record's sequence number.
    pub seq: i64,
    /// Whether it loads a county's history: a row's own time then stands for the recorded time.
    pub history: bool,
    /// A reason to decide that lies outside the booking, and the instant from which it is so.
    pub trigger: Option<(&'a Trigger, Instant)>,
    /// What a decision is called where a recorded fact changed an earlier answer.
    pub changed: &'a Trigger,
    /// Whether all of a booking is told anew at once, as if under other rules: a decision then counts as known when the
    /// last fact that it rests on was.
    pub retold: bool,
}

impl Moment<'_> {
    /// The stamp of something that was so at `effective`.
    #[must_use]
    pub fn stamp(&self, effective: Instant) -> Stamp {
        let known = if self.history { effective } else { self.now };
        Stamp { effective, recorded: self.now, known, seq: self.seq }
    }
}

struct Point {
    at: Instant,
    trigger: Trigger,
    /// Decide here even where the answer stays the same.
    must: bool,
    /// When the reason to decide here came to be known.
    known: Instant,
}

/// Every decision that has become necessary on a booking, in order; for each request by effective time.
#[must_use]
pub fn decisions(county: &County, booking: &Booking, moment: &Moment<'_>) -> Vec<Decided> {
    let mut made = Vec::new();
    for detainer in &booking.detainers {
        let mut decided = detainer.decisions.clone();
        for point in points(county, booking, detainer, moment) {
            if let Some(decision) = decide_at(county, booking, detainer, &decided, point, moment) {
                decided.push(decision.clone());
                made.push(Decided { detainer: detainer.id.clone(), decision });
            }
        }
    }
    made
}

fn points(county: &County, booking: &Booking, detainer: &Detainer, moment: &Moment<'_>) -> Vec<Point> {
    let received = detainer.received.effective;
    let first = detainer.decisions.is_empty();
    let mut points = vec![Point { at: received, trigger: Trigger::Receipt, must: first, known: detainer.received.known }];
    let mut add = |at: Instant, known: Instant, trigger: Trigger, must: bool| {
        if at > received && booking.is_open(detainer, at) {
            points.push(Point { at, trigger, must, known });
        }
    };
    for revision in county.revisions.iter().filter(|r| r.open_detainers == OpenDetainers::Reevaluate) {
        // Of several at one instant the one recorded last is what the decision names.
        let governs = |r: &Revision| county.governing(received, r.effective.effective).is_some_and(|top| top.id == r.id);
        if !governs(revision) {
            continue;
        }
        add(revision.effective.effective, revision.effective.known, Trigger::Switch(revision.id.clone()), true);
    }
    for agreement in county.agreements.values().filter(|a| in_scope(booking, detainer, a)) {
        let Some(from) = agreement.guarantees_from() else { continue };
        let (start, end) = (Trigger::AgreementStarted(agreement.id.clone()), Trigger::AgreementEnded(agreement.id.clone()));
        for (at, trigger) in [(from, start), (agreement.ends_at(), end)] {
            let reads = county.governing(received, at).is_some_and(Revision::reads_guarantee);
            if !at.is_far() && reads {
                add(at, at, trigger, true);
            }
        }
    }
    let reads = |fact: &Fact| matches!(fact, Fact::StatusProof(_)) || county.revisions.iter().any(|r| r.reads(fact));
    for fact in booking.facts.iter().filter(|f| reads(&f.fact)) {
        add(fact.at.effective, fact.at.known, moment.changed.clone(), false);
    }
    for (at, trigger) in ahead(county, booking, detainer) {
        add(at, at, trigger, false);
    }
    for reading in &detainer.readings {
        add(reading.at.effective, reading.at.known, Trigger::Review, false);
    }
    for attached in detainer.form.documents.iter().filter_map(|d| d.attached) {
        add(attached.effective, attached.known, moment.changed.clone(), false);
    }
    // An agreement may cover one jail and not the next.
    for arrival in &booking.arrivals {
        add(arrival.at.effective, arrival.at.known, moment.changed.clone(), false);
    }
    // Tried once and refused is the answer from there on, also under a rule that comes to ask for it later (§10.25).
    for refused in booking.reservations.iter().filter(|r| r.amount.is_none()) {
        add(refused.at, refused.at, Trigger::Reservation(refused.agreement.clone()), false);
    }
    // Whatever was decided before, ahead included, is asked again with what is known now (§10.7).
    for decided in &detainer.decisions {
        add(decided.at.effective, decided.at.known, moment.changed.clone(), false);
    }
    for act in &detainer.overrides {
        add(act.at.effective, act.at.known, Trigger::Override, false);
    }
    if let Some(declined) = &detainer.declined {
        add(declined.at.effective, declined.at.known, Trigger::Review, false);
    }
    if let Some((trigger, at)) = moment.trigger {
        add(at, at, trigger.clone(), false);
    }
    // At one instant what ends comes before what begins; a switch is decided with everything else already so.
    points.sort_by_key(|p| (p.at, order(&p.trigger)));
    points
}

/// Instants at which an answer may change by the calendar alone: a layer's dates, the end of a look-back.
fn ahead(county: &County, booking: &Booking, detainer: &Detainer) -> Vec<(Instant, Trigger)> {
    let mut all = Vec::new();
    let received = detainer.received.effective;
    for revision in &county.revisions {
        let needs = revision.needs();
        if let Some(service) = detainer.service.as_ref().filter(|_| needs.service) {
            all.push((service.at.effective, Trigger::FactChanged));
        }
        let bounds = revision.layers.iter().flat_map(|layer| [layer.from, layer.until]).flatten();
        all.extend(bounds.map(|at| (at, Trigger::Layer(revision.id.clone()))));
        if needs.day {
            let convictions = booking.facts.iter().filter_map(|record| match &record.fact {
                Fact::Conviction(conviction) => Some(conviction),
                _ => None,
            });
            let days = convictions.flat_map(|one| revision.conditions().flat_map(|tree| tree.runs_out(one)));
            all.extend(days.map(|day| (county.profile.zone.start_of(day), Trigger::LookBack)));
        }
    }
    all.retain(|(at, trigger)| match trigger {
        Trigger::Layer(id) => county.governing(received, *at).is_some_and(|governing| governing.id == *id),
        _ => true,
    });
    all
}

fn order(trigger: &Trigger) -> u8 {
    match trigger {
        Trigger::Receipt => 0,
        Trigger::AgreementEnded(_) => 1,
        Trigger::AgreementStarted(_) => 2,
        Trigger::Switch(_) => 3,
        _ => 4,
    }
}

fn in_scope(booking: &Booking, detainer: &Detainer, agreement: &Agreement) -> bool {
    let office = &detainer.form.office;
    let mut facilities = booking.arrivals.iter().map(|a| &a.facility);
    facilities.any(|f| agreement.covers(f, office, &booking.id, &detainer.id))
}

fn in_force(decided: &[Decision], at: Instant) -> Option<&Decision> {
    decided.iter().filter(|d| d.at.effective <= at).max_by_key(|d| (d.at.effective, d.n))
}

fn decide_at(
    county: &County,
    booking: &Booking,
    detainer: &Detainer,
    decided: &[Decision],
    point: Point,
    moment: &Moment<'_>,
) -> Option<Decision> {
    let revision = county.governing(detainer.received.effective, point.at);
    let before = in_force(decided, point.at);
    let promised = promised(county, booking, detainer, revision, before, point.at, moment.now);
    let inputs = inputs(county.profile.zone, booking, detainer, revision, point.at, promised);
    let answer = policy::evaluate(revision, &inputs);
    let same = before.is_some_and(|d| {
        d.outcome == answer.outcome && d.inputs.same_as(&inputs) && d.revision.as_ref() == revision.map(|r| &r.id)
    });
    let made_here = decided.iter().any(|d| d.at.effective == point.at && d.trigger == point.trigger);
    if same && (!point.must || made_here) {
        return None;
    }
    let trigger =
        if made_here || (point.trigger == Trigger::Receipt && before.is_some()) { moment.changed.clone() } else { point.trigger };
    let at = match moment.retold {
        false => moment.stamp(point.at),
        true => Stamp { known: known(booking, &inputs, point.known), ..moment.stamp(point.at) },
    };
    Some(decision(detainer, decided, revision, inputs, answer, trigger, at))
}

/// When the last came to be known of why and on what a decision is made.
fn known(booking: &Booking, inputs: &Inputs, why: Instant) -> Instant {
    let read = inputs.facts.iter().filter_map(|read| booking.facts.iter().find(|fact| fact.n == read.n));
    read.map(|fact| fact.at.known).fold(why, Instant::max)
}

/// A decision out of an answer. `decided` are those made before.
#[must_use]
pub fn decision(
    detainer: &Detainer,
    decided: &[Decision],
    revision: Option<&Revision>,
    inputs: Inputs,
    answer: Answer,
    trigger: Trigger,
    at: Stamp,
) -> Decision {
    let authority_from = match in_force(decided, at.effective) {
        None => at.effective,
        Some(prior) if prior.outcome == Outcome::Honor => at.effective.max(prior.authority_from),
        Some(_) => at.effective.max(at.known),
    };
    let honored = revision.filter(|_| answer.outcome == Outcome::Honor);
    Decision {
        n: u32::try_from(decided.len()).unwrap_or(u32::MAX).saturating_add(1),
        at,
        outcome: answer.outcome,
        reason: answer.reason,
        notify: answer.notify,
        transfer: answer.transfer,
        revision: revision.map(|r| r.id.clone()),
        mode: revision.map(|r| r.mode),
        trigger,
        authority_from,
        terms: honored.map(|r| terms(r, detainer)),
        notice_hours: revision.and_then(|r| r.notice_hours),
        agreement: answer.agreement,
        inputs,
        explanation: answer.explanation,
    }
}

/// The clock that a revision gives a form (DOMAIN.md §4, §10.13).
#[must_use]
pub fn terms(revision: &Revision, detainer: &Detainer) -> ClockTerms {
    let days = revision.county_days.iter().copied().collect();
    let prints = detainer.form.edition.prints_exclusion();
    ClockTerms::resolve(revision.start, revision.limit, revision.exclusion, prints, &days)
}

/// What was promised for a request at an instant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Promised {
    /// See [`Inputs::guarantee_all`].
    pub all: Option<AgreementId>,
    /// See [`Inputs::guarantee_any`].
    pub any: Option<AgreementId>,
    /// See [`Inputs::exhausted`].
    pub exhausted: Vec<AgreementId>,
    /// See [`Inputs::reservation_failed`].
    pub not_reserved: bool,
}

/// What the county's agreements promise for a request at an instant, where the revision reads them.
#[must_use]
pub fn promised(
    county: &County,
    booking: &Booking,
    detainer: &Detainer,
    revision: Option<&Revision>,
    before: Option<&Decision>,
    at: Instant,
    now: Instant,
) -> Promised {
    if !revision.is_some_and(Revision::reads_guarantee) {
        return Promised::default();
    }
    let (guarantees, exhausted) = guaranteeing(county, booking, detainer, before, at, now);
    let by = |minimum: MinimumCoverage| guarantees.iter().find(|a| a.meets(minimum)).map(|a| a.id.clone());
    let failed = booking.reservations.iter().any(|r| r.amount.is_none() && r.at <= at);
    let not_reserved = guarantees.is_empty() && failed;
    Promised { all: by(MinimumCoverage::AllCosts), any: by(MinimumCoverage::Any), exhausted, not_reserved }
}

/// What the evaluator reads of a request at an instant. `zone` is the one that policy dates are read in.
#[must_use]
pub fn inputs(
    zone: Zone,
    booking: &Booking,
    detainer: &Detainer,
    revision: Option<&Revision>,
    at: Instant,
    promised: Promised,
) -> Inputs {
    let form = detainer.form_at(at);
    let proof = booking.facts.iter().any(|f| matches!(f.fact, Fact::StatusProof(_)) && f.at.effective <= at);
    let case = revision.map(|r| Case::read(r, zone, booking, detainer, at)).unwrap_or_default();
    Inputs {
        edition: form.edition,
        asks_hold: form.asks_hold(revision.is_some_and(|r| r.lent_holds.is_some())),
        status_proof: proof,
        facially_sufficient: form.facially_sufficient(),
        guarantee_all: promised.all,
        guarantee_any: promised.any,
        review_declined: detainer.declined.as_ref().is_some_and(|d| d.at.effective <= at),
        reservation_failed: promised.not_reserved,
        exhausted: promised.exhausted,
        day: case.day,
        served: case.served,
        documents: case.documents,
        doubtful: case.doubtful,
        facts: case.facts,
        layers: case.layers,
        overridden: revision.and_then(|r| detainer.override_at(at, &r.id)).and_then(|act| act.answer.honors()),
    }
}

/// The signed agreements in force that cover a request at a point and have a balance for it, in order of precedence;
/// and those before the first of them that would guarantee, had they a balance.
fn guaranteeing<'a>(
    county: &'a County,
    booking: &Booking,
    detainer: &Detainer,
    before: Option<&Decision>,
    at: Instant,
    now: Instant,
) -> (Vec<&'a Agreement>, Vec<AgreementId>) {
    let Some(facility) = booking.facility_at(at) else { return (Vec::new(), Vec::new()) };
    let covers = |a: &&Agreement| a.covers(facility, &detainer.form.office, &booking.id, &detainer.id);
    let settled = |id: &AgreementId| {
        let tried = booking.reservations.iter().filter(|r| r.agreement == *id && r.at <= at);
        tried.max_by_key(|r| r.at)
    };
    let relied = |d: &Decision, id: &AgreementId| [&d.inputs.guarantee_all, &d.inputs.guarantee_any].contains(&&Some(id.clone()));
    let has_balance = |a: &Agreement| {
        let Some(left) = county.unreserved(a) else { return true };
        let some_left = left > super::money::Cents::ZERO;
        match (settled(&a.id), before.filter(|_| at < now)) {
            // Reserved, or tried once and refused: that is the answer (DOMAIN.md §10.25).
            (Some(reservation), _) => reservation.amount.is_some(),
            // The past is not asked again about a balance that it had, or had not.
            (None, Some(decision)) if relied(decision, &a.id) => true,
            (None, Some(decision)) if decision.inputs.exhausted.contains(&a.id) => false,
            (None, _) => some_left,
        }
    };
    let all = county.agreements.values();
    let mut covering: Vec<&Agreement> = all.filter(|a| a.in_force(at)).filter(covers).collect();
    // What the decision in force relies on stays what pays: another promise takes its place only where it is gone.
    covering.sort_by_key(|a| (!before.is_some_and(|decision| relied(decision, &a.id)), a.guarantees_from(), &a.id));
    let (mut found, mut exhausted) = (Vec::new(), Vec::new());
    for agreement in covering {
        let needed = |minimum| agreement.meets(minimum) && !found.iter().any(|a: &&Agreement| a.meets(minimum));
        if !needed(MinimumCoverage::Any) && !needed(MinimumCoverage::AllCosts) {
            continue;
        }
        if has_balance(agreement) {
            found.push(agreement);
        } else {
            exhausted.push(agreement.id.clone());
        }
    }
    (found, exhausted)
}
