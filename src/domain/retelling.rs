//! What would have been: the same facts under other rules (DOMAIN.md §5).
//!
//! A hypothesis is a county whose rules from an instant on are replaced. A booking told to it is worked out anew from
//! what people recorded: decisions, custody after T0, reservations; by the same functions that worked out the record, in
//! one go, each fact known since it was. What only the order of records made so is not repeated: a hold barred because a
//! record came after its end ([`Custody::barred`]).
//!
//! What people did stays as it was: whoever was let go is let go, whoever was kept is kept, a review that was declined
//! stays declined. [`beyond`] says how much longer a hold could have gone on for those who were let go.

use super::agreement::MinimumCoverage;
use super::authority::{self, Known, Record};
use super::booking::{Booking, Custody, Reservation};
use super::clock::{ExclusionRule, Limit, StartRule};
use super::cost::CostError;
use super::county::{Balance, County};
use super::decide;
use super::deciding::Moment;
use super::decision::{Outcome, Trigger};
use super::detainer::Detainer;
use super::facts::{BasisClose, CloseReason, EndKind, Ending, Stamp};
use super::gap::Segment;
use super::ids::{AgreementId, DetainerId, RevisionId};
use super::money::Cents;
use super::policy::{Answers, FacialRule, Instrument, Mode, OpenDetainers, Revision};
use super::settling;
use super::time::{Instant, Span};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// A county with other rules from an instant on.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    county: County,
    /// What is spoken for of budgets and goes back, or is spent, later: the earliest first.
    returns: BinaryHeap<Reverse<(Instant, AgreementId, Cents, Cents)>>,
}

impl Hypothesis {
    /// `steps` in the place of every rule that took effect at `from` or later, each from its own effective time on.
    #[must_use]
    pub fn new(county: &County, steps: &[Revision], from: Instant) -> Self {
        let before = county.revisions.iter().filter(|rule| rule.effective.effective < from);
        let mut county = County { revisions: before.cloned().collect(), balances: BTreeMap::new(), ..county.clone() };
        let last = county.revisions.iter().map(|rule| rule.effective.seq).max().unwrap_or(0);
        county.revisions.extend(steps.iter().zip(1..).map(|(step, n)| {
            let at = step.effective.effective;
            Revision { effective: Stamp { effective: at, recorded: at, known: at, seq: last + n }, ..step.clone() }
        }));
        Self { county, returns: BinaryHeap::new() }
    }

    /// The rules as they were: what a record that is told anew comes to.
    #[must_use]
    pub fn as_it_was(county: &County) -> Self {
        Self { county: County { balances: BTreeMap::new(), ..county.clone() }, returns: BinaryHeap::new() }
    }

    /// The county as it would have been.
    #[must_use]
    pub fn county(&self) -> &County {
        &self.county
    }

    /// The same with every budget without end: by it one sees whose hold a budget would have to pay for.
    #[must_use]
    pub fn without_budgets(&self) -> Self {
        let mut county = self.county.clone();
        for agreement in county.agreements.values_mut() {
            agreement.budget = None;
        }
        Self { county, returns: BinaryHeap::new() }
    }

    /// Says what was spent of budgets before the first booking is told.
    pub fn spent_before(&mut self, spent: &BTreeMap<AgreementId, Cents>) {
        for (agreement, spent) in spent {
            self.county.balances.insert(agreement.clone(), Balance { reserved: Cents::ZERO, spent: *spent });
        }
    }

    /// Whether any of its agreements has a budget.
    #[must_use]
    pub fn has_budgets(&self) -> bool {
        self.county.agreements.values().any(|agreement| agreement.budget.is_some())
    }

    /// When the first hold of a booking begins that one of these budgets would have to pay for, if one does.
    #[must_use]
    pub fn asks_budget(&self, booking: &Booking) -> Option<Instant> {
        let budgeted = |id: &AgreementId| self.county.agreements.get(id).is_some_and(|agreement| agreement.budget.is_some());
        let asks = |segment: &&Segment| {
            segment.hold.is_some() && segment.rests_on.as_ref().is_some_and(|on| on.agreements.iter().any(budgeted))
        };
        let segments = booking.custody.gaps.iter().flat_map(|gap| &gap.segments);
        segments.filter(asks).map(|segment| segment.span.start).min()
    }

    /// A booking as it would have come out, up to an instant. Budgets stay as they are.
    ///
    /// # Errors
    /// Where an amount passes what money can be.
    pub fn retold(&self, told: &Booking, until: Instant) -> Result<Booking, CostError> {
        let mut booking = forgotten(told);
        decide::retell(&self.county, &mut booking, &moment(told, until))?;
        Ok(booking)
    }

    /// The same, where each budget has left for it what its own record found: nothing where the answer was that it is used
    /// up, too little where a reservation failed, and otherwise enough. Balances are forgotten.
    ///
    /// # Errors
    /// Where an amount passes what money can be.
    pub fn retold_as_reserved(&mut self, told: &Booking, until: Instant) -> Result<Booking, CostError> {
        self.county.balances.clear();
        let failed = told.reservations.iter().filter(|tried| tried.amount.is_none());
        let failed = failed.map(|tried| (&tried.agreement, Cents::new(1)));
        let decisions = told.detainers.iter().flat_map(|detainer| &detainer.decisions);
        let used_up = decisions.flat_map(|decision| &decision.inputs.exhausted).map(|id| (id, Cents::ZERO));
        for (id, left) in used_up.chain(failed) {
            let Some(budget) = self.county.agreements.get(id).and_then(|agreement| agreement.budget) else { continue };
            let spent = budget.try_sub(left)?;
            self.county.balances.insert(id.clone(), Balance { reserved: Cents::ZERO, spent });
        }
        let anew = self.retold(told, until);
        self.county.balances.clear();
        anew
    }

    /// The same, and its holds are paid for out of the budgets. Bookings are told by the start of their first hold that a
    /// budget pays for; what is left of an earlier one's reservation is free from the end of its hold on. All holds of one
    /// booking reserve at the start of its first.
    ///
    /// # Errors
    /// Where an amount passes what money can be.
    pub fn retold_within_budgets(&mut self, told: &Booking, start: Instant, until: Instant) -> Result<Booking, CostError> {
        while let Some(Reverse((at, ..))) = self.returns.peek()
            && *at <= start
        {
            let Some(Reverse((_, agreement, amount, spent))) = self.returns.pop() else { break };
            let balance = self.county.balances.entry(agreement).or_default();
            balance.reserved = balance.reserved.try_sub(amount)?;
            balance.spent = balance.spent.try_add(spent)?;
        }
        let booking = self.retold(told, until)?;
        for Reservation { agreement, hold, amount, spent, .. } in &booking.reservations {
            let Some(amount) = amount else { continue };
            let ends = booking.custody.holds.iter().find(|one| one.id == *hold).map_or(Instant::FAR, |one| one.until);
            let balance = self.county.balances.entry(agreement.clone()).or_default();
            balance.reserved = balance.reserved.try_add(*amount)?;
            self.returns.push(Reverse((ends, agreement.clone(), *amount, spent.unwrap_or(*amount))));
        }
        Ok(booking)
    }
}

/// A mode in the place of the one in force at an instant: its clock, its layers and its form rule stay. Where none is in
/// force: 48 hours from T0, with the days left out that the form prints.
#[must_use]
pub fn in_mode(county: &County, mode: Mode, at: Instant) -> Revision {
    let stamp = Stamp { effective: at, recorded: at, known: at, seq: 0 };
    let paper = || Instrument { title: mode.label().into(), citation: "".into(), date: None, sha256: None };
    let plain = || Revision {
        id: RevisionId::trusted(mode.label()),
        mode,
        adopted: None,
        effective: stamp,
        open_detainers: OpenDetainers::Reevaluate,
        instrument: paper(),
        minimum: MinimumCoverage::AllCosts,
        start: StartRule::OtherwiseReleased,
        limit: Limit::Hours(48),
        exclusion: ExclusionRule::AsFormPrints,
        county_days: Vec::new(),
        county_days_instrument: None,
        facial: FacialRule::Default,
        lent_holds: None,
        county_days_calendar: "".into(),
        answers: Answers::default(),
        condition: None,
        layers: Vec::new(),
        notify_where: None,
        transfer_where: None,
        notice_hours: None,
        author: "".into(),
        approver: None,
    };
    let in_force = county.in_force(at).cloned().unwrap_or_else(plain);
    Revision {
        id: RevisionId::trusted(mode.label()),
        instrument: paper(),
        minimum: MinimumCoverage::AllCosts,
        condition: None,
        answers: Answers::default(),
        notify_where: None,
        transfer_where: None,
        mode,
        adopted: None,
        effective: stamp,
        open_detainers: OpenDetainers::Reevaluate,
        approver: None,
        ..in_force
    }
}

fn moment(told: &Booking, until: Instant) -> Moment<'static> {
    Moment { now: until, seq: told.seq, history: true, trigger: None, changed: &Trigger::FactChanged, retold: true }
}

/// A booking with nothing worked out yet. What is worked out is most of it, so it is not copied first.
fn forgotten(told: &Booking) -> Booking {
    let detainer = |told: &Detainer| Detainer {
        id: told.id.clone(),
        form: told.form.clone(),
        received: told.received,
        source: told.source.clone(),
        remarks: told.remarks,
        facility: told.facility.clone(),
        linked: told.linked.clone(),
        service: told.service.clone(),
        lift: told.lift.clone(),
        replaced: told.replaced.clone(),
        replaces: told.replaces.clone(),
        readings: told.readings.clone(),
        declined: told.declined.clone(),
        overrides: told.overrides.clone(),
        decisions: Vec::new(),
        duties: Vec::new(),
    };
    Booking {
        id: told.id.clone(),
        subject: told.subject.clone(),
        identity: told.identity,
        booked: told.booked,
        source: told.source.clone(),
        bases_known: told.bases_known,
        bases: told.bases.clone(),
        arrivals: told.arrivals.clone(),
        ending: told.ending.clone(),
        facts: told.facts.clone(),
        detainers: told.detainers.iter().map(detainer).collect(),
        previous: told.previous.clone(),
        inherited: told.inherited.clone(),
        inherits_from: told.inherits_from.clone(),
        custody: Custody::default(),
        postings: Vec::new(),
        reservations: Vec::new(),
        proposals: Vec::new(),
        alerts: Vec::new(),
        seq: told.seq,
        last_fact: told.last_fact,
        voided_bases: told.voided_bases.clone(),
    }
}

/// Whether the order of its records may have made a booking what it is: a fact was known later than it was so, or a
/// record came too late.
#[must_use]
pub fn told_late(booking: &Booking) -> bool {
    let late = |at: &Stamp| at.known > at.effective;
    let of_detainer = |detainer: &Detainer| {
        let service = detainer.service.as_ref().map(|service| service.at);
        let closed = [detainer.lift.as_ref().map(|lift| lift.at), detainer.replaced.as_ref().map(|one| one.at), service];
        late(&detainer.received) || closed.iter().flatten().any(late)
    };
    booking.custody.barred.is_some()
        || late(&booking.booked)
        || booking.bases.iter().any(|basis| late(&basis.opened) || basis.closed.as_ref().is_some_and(|one| late(&one.at)))
        || booking.arrivals.iter().any(|arrival| late(&arrival.at))
        || booking.facts.iter().any(|fact| late(&fact.at))
        || booking.ending.as_ref().is_some_and(|ending| late(&ending.at))
        || booking.detainers.iter().any(of_detainer)
}

/// Custody that a hold would still have covered, had its person not been let go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Beyond {
    /// From the release up to when.
    pub span: Span,
    /// The request that the hold would have rested on.
    pub detainer: DetainerId,
    /// What it would have cost.
    pub incurred: Cents,
    /// What agreements would have paid of it.
    pub covered: Cents,
}

/// How a hold would have gone on past a release: at most, for federal officers may have come earlier. Nothing where the
/// person was not let go, or could not be held. An agreement with a budget pays for it only where the hold had begun.
///
/// # Errors
/// Where an amount passes what money can be.
pub fn beyond(county: &County, booking: &Booking) -> Result<Option<Beyond>, CostError> {
    let Some(Ending { kind: EndKind::Released, at, source, .. }) = &booking.ending else { return Ok(None) };
    let from = at.effective;
    let honored = |detainer: &Detainer| {
        from < detainer.ended() && detainer.decision_at(from).is_some_and(|decision| decision.outcome == Outcome::Honor)
    };
    let barred = booking.custody.barred.is_some_and(|barred| barred <= from);
    if barred || !booking.bases_known || !booking.detainers.iter().any(honored) {
        return Ok(None);
    }
    let mut stays = Booking { ending: None, ..forgotten(booking) };
    for (stays, told) in stays.detainers.iter_mut().zip(&booking.detainers) {
        // What was decided ahead was for a stay that went on.
        stays.decisions = told.decisions.iter().filter(|decision| decision.at.effective <= from).cloned().collect();
    }
    stays.reservations.clone_from(&booking.reservations);
    for basis in &mut stays.bases {
        if basis.closed.as_ref().is_none_or(|closed| closed.at.effective > from) {
            basis.closed = Some(BasisClose { at: *at, reason: CloseReason::Other, text: None, source: source.clone() });
        }
    }
    let record = Record { now: from, history: true };
    stays.custody = authority::derive(county, &stays, &Custody::default(), record, Known::Stays);
    let Some(hold) = stays.custody.holds.iter().find(|hold| !hold.voided && from < hold.until && hold.deadline > from) else {
        return Ok(None);
    };
    let mut spent = (Cents::ZERO, Cents::ZERO);
    for (until, sign) in [(hold.until, 1), (from, -1)] {
        for line in settling::lines(county, &stays, &stays.custody.gaps, until)? {
            let signed = |cents: Cents| if sign < 0 { cents.try_neg() } else { Ok(cents) };
            spent = (spent.0.try_add(signed(line.incurred)?)?, spent.1.try_add(signed(line.covered)?)?);
        }
    }
    let span = Span::new(from.max(hold.start), hold.until);
    Ok(Some(Beyond { span, detainer: hold.detainer.clone(), incurred: spent.0, covered: spent.1 }))
}
