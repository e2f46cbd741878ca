//! Commands to one booking.

use super::super::alerts;
use super::super::authority::{self, Known};
use super::super::booking::{Alert, Booking, PostingCause};
use super::super::command::{
    BookingCommand, CloseBasis, CreateBooking, EarlierStay, EndBooking, Follow, MoveBooking, NewFact, OpenBasis,
};
use super::super::county::County;
use super::super::deciding::Moment;
use super::super::event::{BasisClosed, BookingCreated, Event};
use super::super::evolve;
use super::super::facts::{Arrival, Basis, BasisClose, Conviction, Disposition, Ending, Fact, FactRecord};
use super::super::ids::{BasisId, FacilityId};
use super::super::refusal::{Refusal, Why};
use super::super::time::{Date, Instant, Span};
use super::{AHEAD_US, Context, consequences, correction, detainers, inheritance, missing, not_before, overriding};

/// The most bases, detainers or facts of one booking.
pub const MAX_ITEMS: usize = 1_000;

/// 1900-01-01T00:00:00Z: no stay begins before it. Keeps the days of any custody countable.
const EARLIEST_US: i64 = -2_208_988_800_000_000;

/// Answers a command to one booking with its events, or refuses it. No events: it was so already.
///
/// `earlier` are the other stays of the same subject; a new stay and a new detainer look at them.
///
/// # Errors
/// A [`Refusal`] naming the field and what would be right.
pub fn booking(
    county: &County,
    state: Option<&Booking>,
    earlier: &[EarlierStay],
    command: &BookingCommand,
    ctx: &Context,
) -> Result<Vec<Event>, Refusal> {
    let mut facts = facts(county, state, earlier, command, ctx)?;
    if !facts.is_empty() || matches!(command, BookingCommand::Inherit) {
        facts.extend(carried_over(county, state, earlier, command, ctx, &facts));
    }
    if facts.is_empty() && !matches!(command, BookingCommand::Follow(_)) {
        return Ok(facts);
    }
    let events = follow_up(county, state, command, ctx, facts)?;
    Ok(events)
}

/// The time used that is carried over anew, where the command looks at the other stays.
fn carried_over(
    county: &County,
    state: Option<&Booking>,
    earlier: &[EarlierStay],
    command: &BookingCommand,
    ctx: &Context,
    facts: &[Event],
) -> Option<Event> {
    use BookingCommand as Of;
    if !matches!(command, Of::RecordDetainer(_) | Of::Replace(..) | Of::Correct(_) | Of::Confirm(_) | Of::Inherit) {
        return None;
    }
    let mut after = state?.clone();
    for event in facts {
        evolve::apply(&mut after, event);
    }
    // An override is confirmed too: it corrects nothing.
    let has = |wanted: fn(&Event) -> bool| facts.iter().any(wanted);
    let confirmed = has(|e| matches!(e, Event::Confirmed(_))) && has(|e| matches!(e, Event::Corrected(_)));
    inheritance::carried_over(county, &after, earlier, confirmed, ctx.now)
}

fn facts(
    county: &County,
    state: Option<&Booking>,
    earlier: &[EarlierStay],
    command: &BookingCommand,
    ctx: &Context,
) -> Result<Vec<Event>, Refusal> {
    if let BookingCommand::Create(create) = command {
        return create_booking(county, state, earlier, create, ctx);
    }
    let booking = state.ok_or_else(|| missing("booking", ""))?;
    match command {
        BookingCommand::Create(_) => Ok(Vec::new()),
        BookingCommand::OpenBasis(open) if is_on_record(booking, open) => Ok(Vec::new()),
        BookingCommand::OpenBasis(open) => open_basis(booking, open, ctx, &str::to_owned).map(one),
        BookingCommand::CloseBasis(close) => close_basis(booking, close, ctx),
        BookingCommand::UpdateFacts(facts) => new_facts(county, booking, facts, ctx),
        BookingCommand::Move(to) => move_booking(county, booking, to, ctx),
        BookingCommand::End(end) => end_booking(booking, end, ctx),
        BookingCommand::Correct(wrong) => correction::propose_or_apply(county, booking, earlier, wrong, ctx),
        BookingCommand::Confirm(proposal) => correction::confirm(county, booking, earlier, proposal, ctx),
        BookingCommand::RecordDetainer(record) => detainers::record(booking, earlier, record, ctx),
        BookingCommand::Replace(old, record) => detainers::replace(booking, earlier, old, record, ctx),
        BookingCommand::Attach(attach) => detainers::attach(booking, attach, ctx),
        BookingCommand::Serve(serve) => detainers::serve(booking, serve, ctx),
        BookingCommand::Lift(lift) => detainers::lift(booking, lift, ctx),
        BookingCommand::DeclineReview(decline) => detainers::decline_review(booking, decline, ctx).map(one),
        BookingCommand::SupplyFacts(detainer, facts) => {
            detainers::under_review(booking, detainer, ctx.now)?;
            new_facts(county, booking, facts, ctx)
        }
        BookingCommand::ReadForm(reading) => detainers::read_form(booking, reading, ctx).map(one),
        BookingCommand::Override(wanted) => overriding::propose(county, booking, wanted, ctx).map(one),
        BookingCommand::RecordNotice(notice) => detainers::notice(booking, notice, ctx),
        BookingCommand::Follow(_) | BookingCommand::Inherit => Ok(Vec::new()),
        BookingCommand::Alert(hold, level, until) => {
            let alert = Alert { hold: hold.clone(), level: *level, until: *until };
            let is_due = alerts::due(booking, ctx.now).iter().any(|due| due.alert == alert);
            Ok(if is_due { one(Event::Alerted(alert)) } else { Vec::new() })
        }
    }
}

fn one(event: Event) -> Vec<Event> {
    vec![event]
}

/// Applies the facts, adds what follows, and refuses what only a correction may do.
fn follow_up(
    county: &County,
    state: Option<&Booking>,
    command: &BookingCommand,
    ctx: &Context,
    mut events: Vec<Event>,
) -> Result<Vec<Event>, Refusal> {
    let mut after = state.cloned();
    for event in &events {
        after = evolve::booking(after, ctx.seq, event);
    }
    let Some(mut after) = after else { return Ok(events) };
    let corrected = events.iter().any(|e| matches!(e, Event::Corrected(_)));
    if matches!(command, BookingCommand::OpenBasis(_) | BookingCommand::Move(_)) {
        let before = state.map(|b| &b.custody).cloned().unwrap_or_default();
        let free =
            authority::derive(county, &after, &before, authority::Record { now: ctx.now, history: false }, Known::Corrected);
        if authority::moves_later(&before, &free) {
            let detail = "it would cover a known T0 or make a known deadline later: use CorrectBooking, with a second person";
            return Err(Refusal::new(Why::CorrectionRequired, "effective_time", detail));
        }
    }
    let mut moment = ctx.moment();
    let mut cause = if closes_custody(command) { PostingCause::CustodyClosed } else { PostingCause::LateFact };
    let trigger;
    match command {
        BookingCommand::Follow(Follow { trigger: outside, cause: named }) => {
            trigger = outside.clone();
            moment.trigger = trigger.as_ref().map(|(trigger, at)| (trigger, *at));
            cause = *named;
        }
        _ if corrected => {
            moment = Moment { changed: &super::super::decision::Trigger::Correction, ..moment };
            cause = PostingCause::Correction;
        }
        _ if events.iter().any(|e| matches!(e, Event::Overridden(_))) => {
            moment = Moment { changed: &super::super::decision::Trigger::Override, ..moment };
            cause = PostingCause::Policy;
        }
        _ => {}
    }
    // Only what two persons have confirmed lets a known deadline go (§8.3).
    let confirmed = events.iter().any(|e| matches!(e, Event::Confirmed(_)));
    let known = if corrected && confirmed { Known::Corrected } else { Known::Stays };
    consequences(county, &mut after, &moment, known, cause, &mut events)?;
    Ok(events)
}

fn closes_custody(command: &BookingCommand) -> bool {
    matches!(command, BookingCommand::End(_) | BookingCommand::OpenBasis(_))
}

fn create_booking(
    county: &County,
    state: Option<&Booking>,
    earlier: &[EarlierStay],
    create: &CreateBooking,
    ctx: &Context,
) -> Result<Vec<Event>, Refusal> {
    if let Some(known) = state {
        if same_stay(known, create) {
            return Ok(Vec::new());
        }
        let detail = format!("booking {} exists already, with other content", create.booking);
        return Err(Refusal::new(Why::IdTaken, "booking_id", detail));
    }
    known_facility(county, "facility", &create.facility)?;
    ctx.not_ahead("booked_time", create.booked)?;
    let earliest = Instant::from_micros(EARLIEST_US);
    if create.booked < earliest {
        return Err(Refusal::new(Why::Invalid, "booked_time", format!("{} is before {earliest}", create.booked)));
    }
    if let Some(other) = earlier.iter().find(|e| e.stay.meet(&Span::from(create.booked)).is_some()) {
        let detail =
            format!("the subject's stay {} reaches past {}: stays of one subject never overlap", other.booking, create.booked);
        return Err(Refusal::new(Why::StayOverlaps, "booked_time", detail));
    }
    let last = inheritance::last_stay(earlier, create.booked);
    let mut events = vec![Event::BookingCreated(BookingCreated {
        booking: create.booking.clone(),
        subject: create.subject.clone(),
        identity: create.identity,
        booked: ctx.moment().stamp(create.booked),
        source: create.source.clone(),
        facility: create.facility.clone(),
        bases_known: create.bases.is_some(),
        previous: earlier.iter().map(|e| e.booking.clone()).collect(),
        inherited: last.map(|stay| stay.stretches.clone()).unwrap_or_default(),
        inherits_from: last.map(|stay| stay.booking.clone()),
    })];
    let mut booking = evolve::booking(None, ctx.seq, &events[0]);
    for (n, open) in create.bases.iter().flatten().enumerate() {
        let Some(so_far) = &booking else { break };
        let field = |field: &str| {
            let field = if field == "effective_time" { "open_time" } else { field };
            format!("first_bases.bases[{n}].{field}")
        };
        let event = open_basis(so_far, open, ctx, &field)?;
        booking = evolve::booking(booking, ctx.seq, &event);
        events.push(event);
    }
    if let Some(so_far) = &booking {
        events.extend(new_facts(county, so_far, &create.facts, ctx)?);
    }
    Ok(events)
}

/// Whether a stay is on record just as it is told: the same call again.
fn same_stay(known: &Booking, told: &CreateBooking) -> bool {
    let first = |seq: i64| seq == known.booked.seq;
    let opened: Vec<&Basis> = known.bases.iter().filter(|b| first(b.opened.seq)).collect();
    let same_basis =
        |(basis, told): (&&Basis, &OpenBasis)| told.basis.as_ref().is_none_or(|id| basis.id == *id) && is_as_told(basis, told);
    let bases = told.bases.as_deref().unwrap_or_default();
    let facts: Vec<&FactRecord> = known.facts.iter().filter(|f| first(f.at.seq)).collect();
    let same_fact = |(known, told): (&&FactRecord, &NewFact)| {
        (known.at.effective, &known.source, &known.fact) == (told.at, &told.source, &told.fact)
    };
    let arrived = known.arrivals.iter().find(|a| a.at == known.booked).map(|a| &a.facility);
    (&known.subject, known.identity, known.booked.effective, &known.source)
        == (&told.subject, told.identity, told.booked, &told.source)
        && (arrived, known.bases_known) == (Some(&told.facility), told.bases.is_some())
        && (opened.len(), facts.len()) == (bases.len(), told.facts.len())
        && opened.iter().zip(bases).all(same_basis)
        && facts.iter().zip(&told.facts).all(same_fact)
}

pub(super) fn known_facility(county: &County, field: &str, facility: &FacilityId) -> Result<(), Refusal> {
    if county.facilities.contains_key(facility) {
        return Ok(());
    }
    Err(Refusal::new(Why::NotFound, field, format!("no facility {facility} in this county")))
}

/// Whether a basis is on record just as it is told.
fn is_as_told(basis: &Basis, told: &OpenBasis) -> bool {
    (basis.kind, basis.opened.effective, &basis.source, &basis.reference) == (told.kind, told.at, &told.source, &told.reference)
}

/// Whether it was told before, under its own id.
fn is_on_record(booking: &Booking, told: &OpenBasis) -> bool {
    told.basis.as_ref().and_then(|id| booking.basis(id)).is_some_and(|basis| is_as_told(basis, told))
}

/// `field` is the path of a field of the request.
fn open_basis(booking: &Booking, open: &OpenBasis, ctx: &Context, field: &dyn Fn(&str) -> String) -> Result<Event, Refusal> {
    let at = field("effective_time");
    ctx.not_ahead(&at, open.at)?;
    not_before(&at, open.at, booking.booked.effective, "the booking")?;
    in_custody_at(booking, &at, open.at)?;
    fits(booking.bases.len(), "basis")?;
    let id = open.basis.clone().unwrap_or_else(|| free_basis(booking));
    if booking.basis(&id).is_some() {
        return Err(Refusal::new(Why::IdTaken, field("basis_id"), format!("basis {id} exists already in this booking")));
    }
    let opened = ctx.moment().stamp(open.at);
    Ok(Event::BasisOpened(Basis {
        id,
        kind: open.kind,
        opened,
        source: open.source.clone(),
        reference: open.reference.clone(),
        closed: None,
    }))
}

fn close_basis(booking: &Booking, close: &CloseBasis, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let basis = booking.basis(&close.basis).ok_or_else(|| missing("basis", close.basis.as_str()))?;
    ctx.not_ahead("effective_time", close.at)?;
    not_before("effective_time", close.at, basis.opened.effective, "the basis opened")?;
    if let Some(known) = &basis.closed {
        if known.at.effective == close.at && known.reason == close.reason {
            return Ok(Vec::new());
        }
        let detail = format!("basis {} closed at {}: use CorrectBooking to change that", basis.id, known.at.effective);
        return Err(Refusal::new(Why::AlreadyEnded, "name", detail));
    }
    let at = ctx.moment().stamp(close.at);
    let close_of = BasisClose { at, reason: close.reason, text: close.text, source: close.source.clone() };
    Ok(one(Event::BasisClosed(BasisClosed { basis: close.basis.clone(), close: close_of })))
}

/// Facts in the order given; a release date may lie ahead, everything else is past.
pub(super) fn new_facts(county: &County, booking: &Booking, facts: &[NewFact], ctx: &Context) -> Result<Vec<Event>, Refusal> {
    fits(booking.facts.len() + facts.len(), "facts")?;
    let mut events = Vec::with_capacity(facts.len());
    for (n, fact) in (booking.last_fact.saturating_add(1)..).zip(facts) {
        ctx.not_ahead(&format!("facts[{}].effective_time", events.len()), fact.at)?;
        if matches!(fact.fact, Fact::ExpectedRelease(e) if e.at.is_some_and(|at| at < booking.booked.effective)) {
            let field = format!("facts[{}].expected_release", events.len());
            return Err(Refusal::new(Why::TimeOutOfOrder, field, "an expected release before the booking"));
        }
        if let Fact::Disposition(Disposition { charge, .. }) = &fact.fact {
            let is_it = |f: &FactRecord| f.n == *charge && matches!(f.fact, Fact::Charge(_));
            let before = |e: &Event| matches!(e, Event::FactRecorded(f) if is_it(f));
            if *charge != 0 && !booking.facts.iter().any(is_it) && !events.iter().any(before) {
                let field = format!("facts[{}].disposition.charge_fact_id", events.len());
                return Err(Refusal::new(Why::FactConflict, field, format!("no charge is recorded as fact {charge}")));
            }
        }
        if let Fact::Conviction(conviction) = &fact.fact {
            let zone = booking.facility_at(fact.at).map_or(county.profile.zone, |facility| county.zone_of(facility));
            let days = (zone.date(fact.at), zone.date(ctx.now.plus_us(AHEAD_US)));
            possible_dates(&format!("facts[{}].conviction", events.len()), conviction, days)?;
        }
        let at = ctx.moment().stamp(fact.at);
        events.push(Event::FactRecorded(FactRecord { n, at, source: fact.source.clone(), fact: fact.fact.clone() }));
    }
    Ok(events)
}

/// Refuses a conviction whose dates cannot be so. `told` is the day on which it is told to be so, `last` the last day that
/// is no future one, both where the person is.
fn possible_dates(at: &str, conviction: &Conviction, (told, last): (Date, Date)) -> Result<(), Refusal> {
    let Conviction { convicted, released, serving, .. } = *conviction;
    for (field, day) in [("conviction_date", convicted), ("release_date", released)] {
        if let Some(day) = day.filter(|day| *day > last) {
            let detail = format!("{day} lies in the future: must not be after {last}");
            return Err(Refusal::new(Why::TimeInFuture, format!("{at}.{field}"), detail));
        }
    }
    let Some(released) = released else { return Ok(()) };
    if let Some(convicted) = convicted.filter(|convicted| released < *convicted) {
        let detail = format!("{released} is before the conviction on {convicted}");
        return Err(Refusal::new(Why::TimeOutOfOrder, format!("{at}.release_date"), detail));
    }
    if serving && released <= told {
        let detail = format!("released on {released}, the sentence is not being served on {told}");
        return Err(Refusal::new(Why::TimeOutOfOrder, format!("{at}.serving_now"), detail));
    }
    Ok(())
}

fn move_booking(county: &County, booking: &Booking, to: &MoveBooking, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let at = to.at.unwrap_or(ctx.now);
    known_facility(county, "facility", &to.facility)?;
    ctx.not_ahead("effective_time", at)?;
    not_before("effective_time", at, booking.booked.effective, "the booking")?;
    in_custody_at(booking, "effective_time", at)?;
    fits(booking.arrivals.len(), "move")?;
    if booking.facility_at(at) == Some(&to.facility) {
        let arrived = booking.arrivals.iter().filter(|a| a.at.effective <= at).max_by_key(|a| (a.at.effective, a.at.seq));
        if to.at.is_some() && arrived.is_some_and(|a| a.at.effective == at) {
            return Ok(Vec::new());
        }
        let since = arrived.map_or(booking.booked.effective, |a| a.at.effective);
        let detail = format!("the person has been in facility {} since {since}", to.facility);
        return Err(Refusal::new(Why::AlreadyThere, "facility", detail));
    }
    let stamp = ctx.moment().stamp(at);
    Ok(one(Event::Moved(Arrival { at: stamp, facility: to.facility.clone(), source: to.source.clone() })))
}

/// Releasing a person is always possible (DOMAIN.md §8.11): with bases open, under any policy, with fields missing.
fn end_booking(booking: &Booking, end: &EndBooking, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    // A booked time may lie minutes ahead of this clock; a release without a time is never refused for that.
    let at = end.at.unwrap_or(ctx.now.max(booking.booked.effective));
    ctx.not_ahead("effective_time", at)?;
    not_before("effective_time", at, booking.booked.effective, "the booking")?;
    if let Some(known) = &booking.ending {
        if known.kind == end.kind && (end.at.is_none() || known.at.effective == at) {
            return Ok(Vec::new());
        }
        let detail = format!("custody ended at {}: use CorrectBooking to change that", known.at.effective);
        return Err(Refusal::new(Why::AlreadyEnded, "name", detail));
    }
    Ok(one(Event::Ended(Ending {
        at: ctx.moment().stamp(at),
        kind: end.kind,
        agency: end.agency.clone(),
        officer: end.officer,
        source: end.source.clone(),
    })))
}

fn in_custody_at(booking: &Booking, field: &str, at: Instant) -> Result<(), Refusal> {
    if at < booking.ended() {
        return Ok(());
    }
    let detail = format!("custody ended at {}, which is not after {at}", booking.ended());
    Err(Refusal::new(Why::NotInCustody, field, detail))
}

/// The id of a basis for which the caller gave none.
pub(super) fn free_basis(booking: &Booking) -> BasisId {
    let taken = |n: &BasisId| booking.basis(n).is_some() || booking.voided_bases.contains(n);
    BasisId::trusted(&free_number(booking.bases.len() + booking.voided_bases.len(), |n| taken(&BasisId::trusted(n))))
}

/// A number that names nothing yet, where the caller gave no id: the next after the count.
pub(super) fn free_number(count: usize, taken: impl Fn(&str) -> bool) -> String {
    let mut n = count + 1;
    while taken(&n.to_string()) {
        n += 1;
    }
    n.to_string()
}

pub(super) fn fits(count: usize, what: &str) -> Result<(), Refusal> {
    if count < MAX_ITEMS {
        return Ok(());
    }
    Err(Refusal::new(Why::Invalid, what, format!("a booking has at most {MAX_ITEMS} of these")))
}
