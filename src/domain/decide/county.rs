//! Commands to a county's own settings: places, calendars, rules, promises, prices.

use super::super::agreement::{Agreement, Term};
use super::super::booking::{Booking, PostingCause, Proposal};
use super::super::clock::Limit;
use super::super::command::{CountyCommand, FacilityChange, NewFacility, NewRate, NewRevision, ProfileChange};
use super::super::county::{Calendar, County, Draft, Facility, Profile};
use super::super::decision::Trigger;
use super::super::detainer::Detainer;
use super::super::event::{CountyCreated, Event};
use super::super::ids::{AgreementId, CountyId, FacilityId, ProposalId, RateId, RevisionId};
use super::super::money::Cents;
use super::super::policy::{self, OpenDetainers, Revision};
use super::super::rate::Rate;
use super::super::refusal::{Refusal, Why};
use super::super::time::{Date, Instant, Span};
use super::books;
use super::correction::{confirmed, open_proposal};
use super::{Context, PROPOSAL_US, missing};

#[cfg(test)]
mod tests;

/// The events of a county's own record, and which bookings have to follow.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CountyAnswer {
    /// The events of the county's own record.
    pub events: Vec<Event>,
    /// Which bookings have to be decided, derived or posted anew in the same transaction.
    pub affected: Option<Affected>,
    /// What would follow, where the act first waits for its second person.
    pub proposed: Option<Box<CountyAnswer>>,
}

/// Bookings that follow a change of the county's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Affected {
    /// Those with a request that is open at `since` or later.
    pub open_detainers: bool,
    /// The first instant at which an answer may have changed.
    pub since: Instant,
    /// Those with custody after T0 on or after this day, in these facilities (all where empty).
    pub costs_since: Option<(Date, Vec<FacilityId>)>,
    /// A reason to decide that is not in the county's settings themselves.
    pub trigger: Option<(Trigger, Instant)>,
    /// What postings that follow are called.
    pub cause: PostingCause,
}

/// Whether a booking has to follow.
#[must_use]
pub fn follows(county: &County, affected: &Affected, booking: &Booking) -> bool {
    let open = |d: &Detainer| booking.is_open(d, affected.since.max(d.received.effective));
    let charged = |(since, facilities): &(Date, Vec<FacilityId>)| {
        let segments = booking.custody.gaps.iter().flat_map(|g| &g.segments);
        let mut here = segments.filter(|s| facilities.is_empty() || facilities.contains(&s.facility));
        here.any(|s| s.span.end > county.zone_of(&s.facility).start_of(*since))
    };
    (affected.open_detainers && booking.detainers.iter().any(open)) || affected.costs_since.as_ref().is_some_and(charged)
}

/// Answers a command to a county's settings, or refuses it.
///
/// `decided` is the effective time of a decision, of any booking of the county, in the span that [`displaced`] names for
/// this command, if there is one: a rule may not displace what was decided under another (DOMAIN.md §10.22).
///
/// # Errors
/// A [`Refusal`] naming the field and what would be right.
pub fn county(
    state: Option<&County>,
    decided: Option<Instant>,
    command: &CountyCommand,
    ctx: &Context,
) -> Result<CountyAnswer, Refusal> {
    if let CountyCommand::Create(id, profile) = command {
        return create(state, id, profile, ctx).map(alone);
    }
    let county = state.ok_or_else(|| missing("county", ""))?;
    match command {
        CountyCommand::Create(..) => Ok(CountyAnswer::default()),
        CountyCommand::Update(change) => update(county, change).map(alone),
        CountyCommand::CreateFacility(new) => create_facility(county, new, ctx).map(alone),
        CountyCommand::UpdateFacility(change) => update_facility(county, change, ctx).map(alone),
        CountyCommand::SetCalendar(calendar) => Ok(alone(set_calendar(county, calendar, ctx))),
        CountyCommand::Switch(new) => activate(county, decided, revision(county, new, ctx)?, ctx),
        CountyCommand::Draft(new) => draft(county, new, ctx).map(alone),
        CountyCommand::Activate(id, at) => {
            let draft = county.draft(id).ok_or_else(|| not_drafted(county, id))?;
            let effective = ctx.moment().stamp(at.instant(draft.planned).unwrap_or(ctx.now));
            activate(county, decided, Revision { effective, ..draft.revision.clone() }, ctx)
        }
        CountyCommand::Confirm(id) => confirm(county, decided, id, ctx),
        CountyCommand::CreateAgreement(agreement) => create_agreement(county, agreement, ctx),
        CountyCommand::AmendAgreement(agreement) => amend_agreement(county, agreement, ctx),
        CountyCommand::TerminateAgreement(id, at) => terminate_agreement(county, id, *at, ctx),
        CountyCommand::SetRate(new) => set_rate(county, new, ctx),
        CountyCommand::ClosePeriod(end) => books::close_period(county, *end, ctx),
        CountyCommand::Claim(new) => books::claim(county, new, ctx).map(alone),
        CountyCommand::EnterClaim(id, new) => books::enter(county, id, new, ctx).map(alone),
    }
}

fn alone(events: Vec<Event>) -> CountyAnswer {
    CountyAnswer { events, ..CountyAnswer::default() }
}

fn create(state: Option<&County>, id: &CountyId, profile: &Profile, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    match state {
        Some(known) if known.profile == *profile => Ok(Vec::new()),
        Some(_) => Err(Refusal::new(Why::IdTaken, "county_id", format!("county {id} exists already"))),
        None => Ok(vec![Event::CountyCreated(CountyCreated { county: id.clone(), profile: profile.clone(), created: ctx.now })]),
    }
}

fn update(county: &County, change: &ProfileChange) -> Result<Vec<Event>, Refusal> {
    let known = county.profile.clone();
    let profile = Profile {
        name: change.name.clone().unwrap_or(known.name),
        state: change.state.clone().unwrap_or(known.state),
        zone: change.zone.unwrap_or(known.zone),
        currency: change.currency.clone().unwrap_or(known.currency),
        two_person_switch: change.two_person_switch.unwrap_or(known.two_person_switch),
        preview_required: change.preview_required.unwrap_or(known.preview_required),
        allowance_us: change.allowance_us.unwrap_or(known.allowance_us),
    };
    let money = !county.agreements.is_empty() || county.rates.iter().next().is_some();
    if profile.currency != county.profile.currency && money {
        let detail = "amounts are recorded in it: the currency stays";
        return Err(Refusal::new(Why::FixedOnceInUse, "currency_code", detail));
    }
    let dated = !county.agreements.is_empty() || !county.revisions.is_empty();
    if profile.zone != county.profile.zone && dated {
        let detail = "policy and agreement dates are read in it: the zone stays";
        return Err(Refusal::new(Why::FixedOnceInUse, "zone", detail));
    }
    Ok(if profile == county.profile { Vec::new() } else { vec![Event::CountyUpdated(profile)] })
}

fn create_facility(county: &County, new: &NewFacility, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let NewFacility { id, name, zone, city } = new.clone();
    if let Some(known) = county.facilities.get(&id) {
        if known.name == name && zone.is_none_or(|zone| known.zone == zone) && known.city == city {
            return Ok(Vec::new());
        }
        return Err(Refusal::new(Why::IdTaken, "facility_id", format!("facility {id} exists already")));
    }
    let zone = zone.unwrap_or(county.profile.zone);
    let facility = Facility { id, name, city, created: ctx.now, seq: ctx.seq, zone, in_use: false };
    Ok(vec![Event::FacilitySet(facility)])
}

fn update_facility(county: &County, change: &FacilityChange, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let id = &change.id;
    let known = county.facilities.get(id).ok_or_else(|| missing("facility", id.as_str()))?;
    if change.zone.is_some_and(|zone| zone != known.zone) && known.in_use {
        let detail = format!("facility {id} has bookings: its zone stays {}", known.zone);
        return Err(Refusal::new(Why::FixedOnceInUse, "time_zone", detail));
    }
    let facility = Facility {
        name: change.name.clone().unwrap_or(known.name.clone()),
        city: change.city.clone().unwrap_or(known.city.clone()),
        zone: change.zone.unwrap_or(known.zone),
        ..known.clone()
    };
    if facility == *known {
        return Ok(Vec::new());
    }
    Ok(vec![Event::FacilitySet(Facility { seq: ctx.seq, ..facility })])
}

fn set_calendar(county: &County, calendar: &Calendar, ctx: &Context) -> Vec<Event> {
    let mut calendar = Calendar { seq: ctx.seq, ..calendar.clone() };
    calendar.days.sort();
    calendar.days.dedup_by(|a, b| a.date == b.date);
    match county.calendars.get(&calendar.id) {
        Some(known) if known.days == calendar.days && known.instrument == calendar.instrument => Vec::new(),
        _ => vec![Event::CalendarSet(calendar)],
    }
}

fn not_drafted(county: &County, id: &RevisionId) -> Refusal {
    match county.revision(id) {
        Some(_) => Refusal::new(Why::IdTaken, "name", format!("revision {id} was activated already: nothing activated changes")),
        None => missing("revision", id.as_str()),
    }
}

/// Makes a rule that waits to be activated; the same one twice is one.
fn draft(county: &County, new: &NewRevision, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    if let Some(known) = new.id.as_ref().and_then(|id| county.draft(id)) {
        let Revision { id, effective, author, county_days, .. } = known.revision.clone();
        if known.revision == (Revision { id, effective, author, county_days, ..new.revision.clone() })
            && known.planned == new.effective
        {
            return Ok(Vec::new());
        }
    }
    let now = NewRevision { effective: None, ..new.clone() };
    let revision = revision(county, &now, ctx)?;
    Ok(vec![Event::RevisionDrafted(Draft { revision, planned: new.effective })])
}

/// Activates a rule, or proposes that to a second person.
fn activate(county: &County, decided: Option<Instant>, revision: Revision, ctx: &Context) -> Result<CountyAnswer, Refusal> {
    not_displacing(decided, &revision, ctx)?;
    if !county.profile.two_person_switch {
        return Ok(activated(revision, Vec::new()));
    }
    let proposal = Proposal {
        id: ProposalId::trusted(&ctx.seq.to_string()),
        person: ctx.person.clone(),
        actor: ctx.actor.clone(),
        proposed: ctx.now,
        expires: ctx.now.plus_us(PROPOSAL_US),
        confirmed: None,
        confirmed_by: None,
        correction: None,
        switch: Some(Box::new(revision.clone())),
        overriding: None,
    };
    let would = activated(revision, Vec::new());
    Ok(CountyAnswer { events: vec![Event::Proposed(proposal)], affected: None, proposed: Some(Box::new(would)) })
}

fn revision(county: &County, new: &NewRevision, ctx: &Context) -> Result<Revision, Refusal> {
    let id = match &new.id {
        Some(id) => id.clone(),
        None => RevisionId::trusted(&(county.revisions.len() + county.drafts.len() + 1).to_string()),
    };
    if county.revision(&id).is_some() || county.draft(&id).is_some() {
        return Err(Refusal::new(Why::IdTaken, "revision_id", format!("revision {id} exists already")));
    }
    let effective = ctx.moment().stamp(new.effective.unwrap_or(ctx.now));
    let revision = rule(county, &new.revision)?;
    Ok(Revision { id, effective, author: ctx.person.clone(), approver: None, ..revision })
}

/// A rule that may be recorded, with the county's own days read from the calendar that it names.
///
/// # Errors
/// A [`Refusal`] naming the node and what would be right.
pub fn rule(county: &County, rule: &Revision) -> Result<Revision, Refusal> {
    if matches!(rule.limit, Limit::Hours(hours) if !(1..=policy::Limits::HOURS).contains(&hours)) {
        return Err(Refusal::new(
            Why::Invalid,
            "clock.limit",
            format!("must be 1 to {} hours, or the end of the local day", policy::Limits::HOURS),
        ));
    }
    if let Some((node, why)) = policy::check(rule).into_iter().next() {
        return Err(Refusal::new(Why::Invalid, node, why));
    }
    let calendar = rule.county_days_calendar.clone();
    county.with_days(rule.clone()).ok_or_else(|| {
        Refusal::new(Why::NotFound, "clock.county_days_calendar", format!("no calendar {calendar} in this county"))
    })
}

/// The past span in which a switch would take the place of another rule, or of none; nothing where it takes effect when it
/// is recorded, or later. It ends with the present: what is decided ahead has not begun, and is decided again where the
/// switch takes it in. A decision effective in the span refuses the switch (DOMAIN.md §10.22).
#[must_use]
pub fn displaced(county: &County, command: &CountyCommand, now: Instant) -> Option<Span> {
    let from = match command {
        CountyCommand::Switch(new) => new.effective?,
        CountyCommand::Activate(id, at) => at.instant(county.draft(id)?.planned)?,
        CountyCommand::Confirm(id) => {
            let proposal = county.proposals.iter().find(|proposal| proposal.id == *id)?;
            confirmed_from(proposal, proposal.switch.as_deref()?, now)
        }
        _ => return None,
    };
    let later = county.revisions.iter().map(|r| r.effective.effective).filter(|at| *at > from);
    (from < now).then(|| Span::new(from, later.min().map_or(now, |later| later.min(now))))
}

/// Since when a rule is in force that a second person confirms. One that was not meant for the past is never in force
/// before both have spoken: where its time has come by then, since they have.
fn confirmed_from(proposal: &Proposal, revision: &Revision, now: Instant) -> Instant {
    let meant = revision.effective.effective;
    if meant < proposal.proposed { meant } else { meant.max(now) }
}

fn not_displacing(decided: Option<Instant>, revision: &Revision, ctx: &Context) -> Result<(), Refusal> {
    let from = revision.effective.effective;
    match decided.filter(|decided| from <= *decided && from < ctx.now) {
        Some(decided) => {
            let detail = format!(
                "a decision effective at {decided} was recorded under the rule that this would displace from {from} on: it can \
                 take effect when it is recorded (leave the time unset), or later"
            );
            Err(Refusal::new(Why::PastSwitchDisplacesDecisions, "effective_time", detail))
        }
        None => Ok(()),
    }
}

fn activated(revision: Revision, mut events: Vec<Event>) -> CountyAnswer {
    let since = revision.effective.effective;
    let takes_in = revision.open_detainers == OpenDetainers::Reevaluate;
    events.push(Event::RevisionActivated(revision));
    let affected = Affected { open_detainers: true, since, costs_since: None, trigger: None, cause: PostingCause::Policy };
    CountyAnswer { events, affected: takes_in.then_some(affected), proposed: None }
}

fn confirm(county: &County, decided: Option<Instant>, id: &ProposalId, ctx: &Context) -> Result<CountyAnswer, Refusal> {
    let proposal = open_proposal(&county.proposals, id, ctx)?;
    let revision = *proposal.switch.clone().ok_or_else(|| missing("proposal", id.as_str()))?;
    if county.revision(&revision.id).is_some() {
        return Err(Refusal::new(Why::IdTaken, "name", format!("revision {} exists already", revision.id)));
    }
    let effective = ctx.moment().stamp(confirmed_from(proposal, &revision, ctx.now));
    let revision = Revision { effective, ..revision };
    not_displacing(decided, &revision, ctx)?;
    let revision = Revision { approver: Some(ctx.person.clone()), ..revision };
    Ok(activated(revision, vec![confirmed(id, ctx)]))
}

fn create_agreement(county: &County, agreement: &Agreement, ctx: &Context) -> Result<CountyAnswer, Refusal> {
    let id =
        if agreement.id.as_str().is_empty() { AgreementId::trusted(&ctx.make_id(&county.id, 0)) } else { agreement.id.clone() };
    let agreement = Agreement { id, seq: ctx.seq, ..agreement.clone() };
    if let Some(known) = county.agreements.get(&agreement.id) {
        if *known == (Agreement { seq: known.seq, ..agreement.clone() }) {
            return Ok(CountyAnswer::default());
        }
        return Err(Refusal::new(Why::IdTaken, "agreement_id", format!("agreement {} exists already", agreement.id)));
    }
    checked(county, &agreement)?;
    Ok(agreement_set(county, agreement, None))
}

/// The most a day, or a hold, may cost: a million. With it no sum over any custody overflows, so that no release is ever
/// refused because of money (DOMAIN.md §8.11).
const MOST_A_DAY: Cents = Cents::new(100_000_000);
/// The most an agreement may promise in all.
const MOST_IN_ALL: Cents = Cents::new(100_000_000_000_000);

fn bounded(field: &str, amount: Cents, most: Cents) -> Result<(), Refusal> {
    if amount <= most {
        return Ok(());
    }
    Err(Refusal::new(Why::Invalid, field, format!("{} is more than {}", amount.grouped(), most.grouped())))
}

fn checked(county: &County, agreement: &Agreement) -> Result<(), Refusal> {
    agreement.check().map_err(|bad| Refusal::new(Why::Invalid, bad.field(), bad.to_string()))?;
    match agreement.term {
        Term::PerDiem { per_day, .. } => bounded("terms.term.per_diem.amount", per_day, MOST_A_DAY)?,
        Term::FlatPerHold { amount, .. } => bounded("terms.term.flat_per_hold.amount", amount, MOST_A_DAY)?,
        Term::AllCosts | Term::AfterFirstHours { .. } => {}
    }
    bounded("terms.budget", agreement.budget.unwrap_or(Cents::ZERO), MOST_IN_ALL)?;
    for facility in &agreement.scope.facilities {
        if !county.facilities.contains_key(facility) {
            return Err(Refusal::new(Why::NotFound, "terms.scope.facilities", format!("no facility {facility} in this county")));
        }
    }
    Ok(())
}

fn amend_agreement(county: &County, agreement: &Agreement, ctx: &Context) -> Result<CountyAnswer, Refusal> {
    let known = county.agreements.get(&agreement.id).ok_or_else(|| missing("agreement", agreement.id.as_str()))?;
    checked(county, agreement)?;
    let agreement = &Agreement { terminated: known.terminated, ..agreement.clone() };
    if *known == (Agreement { seq: known.seq, ..agreement.clone() }) {
        return Ok(CountyAnswer::default());
    }
    if let Some(budget) = agreement.budget {
        let balance = county.balances.get(&agreement.id).copied().unwrap_or_default();
        let used = balance.reserved.try_add(balance.spent)?;
        if budget < used {
            let detail = format!("{} is reserved or spent already", used.grouped());
            return Err(Refusal::new(Why::BelowCommitted, "terms.budget", detail));
        }
    }
    Ok(agreement_set(county, Agreement { seq: ctx.seq, ..agreement.clone() }, Some(known)))
}

fn terminate_agreement(county: &County, id: &AgreementId, at: Instant, ctx: &Context) -> Result<CountyAnswer, Refusal> {
    let known = county.agreements.get(id).ok_or_else(|| missing("agreement", id.as_str()))?;
    if known.terminated == Some(at) {
        return Ok(CountyAnswer::default());
    }
    if at >= known.ends_at() {
        let detail = format!("agreement {id} ends at {} in any case", known.ends_at());
        return Err(Refusal::new(Why::AlreadyEnded, "end_date", detail));
    }
    let agreement = Agreement { terminated: Some(at), seq: ctx.seq, ..known.clone() };
    Ok(agreement_set(county, agreement, Some(known)))
}

/// Open requests in its scope are decided again; what it pays for time already posted is posted anew.
fn agreement_set(county: &County, agreement: Agreement, before: Option<&Agreement>) -> CountyAnswer {
    let start = before.map_or(agreement.start, |b| b.start.min(agreement.start));
    let guaranteed = [Some(&agreement), before].into_iter().flatten().map(Agreement::starts_at).min();
    let facilities = match before {
        Some(before) if before.scope.facilities != agreement.scope.facilities => Vec::new(),
        _ => agreement.scope.facilities.clone(),
    };
    let affected = Affected {
        open_detainers: county.revisions.iter().any(Revision::reads_guarantee),
        since: guaranteed.unwrap_or(Instant::MIN),
        costs_since: Some((start, facilities)),
        trigger: None,
        cause: PostingCause::Agreement,
    };
    CountyAnswer { events: vec![Event::AgreementSet(agreement)], affected: Some(affected), proposed: None }
}

fn set_rate(county: &County, new: &NewRate, ctx: &Context) -> Result<CountyAnswer, Refusal> {
    let id = new.id.clone().unwrap_or_else(|| RateId::trusted(&ctx.make_id(&county.id, 0)));
    let rate = Rate { id, ..new.rate.clone() };
    if !county.facilities.contains_key(&rate.facility) {
        return Err(Refusal::new(Why::NotFound, "facility", format!("no facility {} in this county", rate.facility)));
    }
    if county.rates.get(&rate.id) == Some(&rate) {
        return Ok(CountyAnswer::default());
    }
    bounded("full_day", rate.per_day, MOST_A_DAY)?;
    bounded("marginal_day", rate.marginal.unwrap_or(Cents::ZERO), MOST_A_DAY)?;
    bounded("per_hold", rate.per_hold.unwrap_or(Cents::ZERO), MOST_A_DAY)?;
    let mut book = county.rates.clone();
    book.add(rate.clone()).map_err(|bad| Refusal::new(Why::Overlaps, "rate", bad.to_string()))?;
    let affected = Affected {
        open_detainers: false,
        since: Instant::FAR,
        costs_since: Some((rate.effective, vec![rate.facility.clone()])),
        trigger: None,
        cause: PostingCause::Rate,
    };
    Ok(CountyAnswer { events: vec![Event::RateSet(rate)], affected: Some(affected), proposed: None })
}
