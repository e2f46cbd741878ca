//! What a state looks like in tables: bookings, detainers, holds; settings and budgets. And what a record adds for good:
//! decisions and postings.
//!
//! Settings keep the wire form of the journal, so that a county can be read back from its rows.

use super::tables::{BOOKINGS, BUDGETS, DECISIONS, DETAINERS, HOLDS, POSTINGS, PROPOSALS, SETTINGS};
use super::{Batch, Cell, DiffError, Row, Version, diff};
use crate::domain::alerts;
use crate::domain::authority::in_effect;
use crate::domain::booking::{Booking, Hold, Posting, Proposal};
use crate::domain::county::{Balance, County};
use crate::domain::decision::{Decision, Outcome};
use crate::domain::detainer::{Detainer, Duty};
use crate::domain::event::{DutiesSet, Event};
use crate::domain::ids::{AgreementId, BookingId, CountyId, DetainerId};
use crate::domain::money::Cents;
use crate::domain::numbered::Numbered;
use crate::domain::rate::RateBook;
use crate::domain::settling;
use crate::domain::time::{Date, Instant, day_number};
use crate::journal::wire::{Message, WireError, decode, encode};
use std::collections::BTreeMap;

fn text(word: &impl AsRef<str>) -> Cell {
    Cell::from(word.as_ref())
}

fn id(word: impl std::fmt::Display) -> Cell {
    Cell::from(word.to_string())
}

fn number<T: Numbered>(case: &T) -> Cell {
    Cell::Int(case.number())
}

fn maybe<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell) -> Cell {
    value.map_or(Cell::Null, cell)
}

fn day(date: Date) -> Cell {
    Cell::Int(i64::from(day_number(date)))
}

/// The versioned rows of a booking.
#[must_use]
pub fn booking(county: &County, booking: &Booking) -> Vec<Row> {
    let mut rows = vec![stay(county, booking)];
    rows.extend(booking.detainers.iter().map(|d| detainer(county, booking, d)));
    rows.extend(booking.custody.holds.iter().map(|h| hold(county, booking, h)));
    rows.extend(booking.proposals.iter().map(|p| proposal(&county.id, id(&booking.id), p)));
    rows
}

fn stay(county: &County, booking: &Booking) -> Row {
    let ending = booking.ending.as_ref();
    let body = vec![
        id(&booking.subject),
        maybe(booking.facility(), id),
        booking.booked.effective.into(),
        booking.bases_known.into(),
        booking.open_gap().map(|g| g.t0).into(),
        booking.authority_until().into(),
        booking.custody.gaps.iter().map(|g| g.end).max().into(),
        settling::pending(booking).into(),
        alerts::pending(booking).first().map(|due| due.at).into(),
        ending.map(|e| e.at.effective).into(),
        maybe(ending, |e| number(&e.kind)),
    ];
    Row::new(&BOOKINGS, vec![id(&county.id), id(&booking.id)], body)
}

fn detainer(county: &County, booking: &Booking, detainer: &Detainer) -> Row {
    let decision = detainer.decisions.iter().max_by_key(|d| (d.at.effective, d.n));
    let state: i64 = match (&detainer.lift, &detainer.replaced) {
        (None, None) => 1,
        (Some(_), _) => 2,
        (None, Some(_)) => 3,
    };
    let form = &detainer.form;
    let asks = decision.is_some_and(|d| d.inputs.asks_hold);
    let duties = DutiesSet { detainer: detainer.id.clone(), duties: detainer.duties.clone() };
    let next_due = detainer.duties.iter().filter(|d| d.done.is_none()).map(|d| d.due).min();
    let body = vec![
        id(&detainer.facility),
        detainer.received.effective.into(),
        day(county.zone_of(&detainer.facility).date(detainer.received.effective)),
        text(&form.office),
        number(&form.component),
        text(&form.event_number),
        maybe(form.form_date, day),
        number(&form.edition),
        Cell::Int(state),
        maybe(detainer.lift.as_ref(), |l| number(&l.reason)),
        Some(detainer.ended()).filter(|at| !at.is_far()).into(),
        in_effect(booking, detainer).map(|(span, _)| span.start).into(),
        maybe(decision, |d| number(&d.outcome)),
        maybe(decision, |d| number(&d.reason)),
        maybe(decision.and_then(|d| d.revision.as_ref()), id),
        maybe(decision.and_then(|d| d.mode.as_ref()), number),
        maybe(decision.and_then(|d| d.agreement.as_ref()), id),
        Cell::Int(i64::try_from(detainer.decisions.len()).unwrap_or(i64::MAX)),
        asks.into(),
        encode(&duties).into(),
        next_due.into(),
        review_at(booking, detainer).into(),
    ];
    Row::new(&DETAINERS, vec![id(&county.id), id(&booking.id), id(&detainer.id)], body)
}

/// The duties of a detainer from its column.
///
/// # Errors
/// [`WireError`] where the bytes are not what this program writes.
pub fn read_duties(bytes: &[u8]) -> Result<Vec<Duty>, WireError> {
    decode::<DutiesSet>(bytes).map(|set| set.duties)
}

/// See the column.
fn review_at(booking: &Booking, detainer: &Detainer) -> Option<Instant> {
    if booking.ending.is_some() || !detainer.ended().is_far() {
        return None;
    }
    let last = detainer.decisions.iter().map(|d| d.at.recorded).max()?;
    let now = last.max(detainer.received.effective);
    let ahead = detainer.decisions.iter().filter(|d| d.at.effective > now);
    let waits = detainer.decision_at(now).into_iter().chain(ahead).filter(|d| d.outcome == Outcome::NeedsReview);
    waits.map(|d| d.at.effective).min()
}

fn hold(county: &County, booking: &Booking, hold: &Hold) -> Row {
    let gap = booking.custody.gaps.iter().find(|g| g.t0 == hold.t0);
    let form = booking.detainer(&hold.detainer).map(|d| &d.form);
    let body = vec![
        maybe(hold.continues.as_ref(), id),
        id(&hold.detainer),
        id(&hold.revision),
        maybe(county.revision(&hold.revision), |r| number(&r.mode)),
        id(&hold.facility),
        maybe(form, |f| text(&f.office)),
        maybe(form, |f| number(&f.edition)),
        hold.t0.into(),
        hold.start.into(),
        hold.until.into(),
        number(&hold.reason),
        hold.deadline.into(),
        hold.readings.contiguous.into(),
        hold.readings.business.into(),
        Cell::Int(hold.used_us),
        gap.map(|g| g.end).filter(|end| !end.is_far()).into(),
        hold.voided.into(),
    ];
    Row::new(&HOLDS, vec![id(&county.id), id(&booking.id), id(&hold.id)], body)
}

fn proposal(county: &CountyId, booking: Cell, proposal: &Proposal) -> Row {
    let corrects = proposal.correction.as_ref().map(|correction| correction.stamp.seq);
    let switches = proposal.switch.as_ref().map(|rule| rule.effective.seq);
    let seq = corrects.or(switches).or(proposal.overriding.as_ref().map(|o| o.act.at.seq)).unwrap_or(0);
    let body = vec![booking, Cell::Int(seq), proposal.expires.into(), proposal.confirmed.into()];
    Row::new(&PROPOSALS, vec![id(county), id(&proposal.id)], body)
}

/// The rows that a booking's record adds for good.
#[must_use]
pub fn appended(county: &CountyId, booking: &BookingId, events: &[Event]) -> Vec<Row> {
    let row = |event: &Event| match event {
        Event::Decided(e) => Some(decision(county, booking, &e.detainer, &e.decision)),
        Event::Posted(posting) => Some(posted(county, booking, posting)),
        _ => None,
    };
    events.iter().filter_map(row).collect()
}

fn decision(county: &CountyId, booking: &BookingId, detainer: &DetainerId, decision: &Decision) -> Row {
    let body = vec![
        Cell::Int(decision.at.seq),
        decision.at.effective.into(),
        number(&decision.outcome),
        number(&decision.reason),
        maybe(decision.revision.as_ref(), id),
        maybe(decision.mode.as_ref(), number),
    ];
    Row::new(&DECISIONS, vec![id(county), id(booking), id(detainer), decision.n.into()], body)
}

fn posted(county: &CountyId, booking: &BookingId, posting: &Posting) -> Row {
    let line = &posting.line;
    let body = vec![
        id(booking),
        maybe(line.hold.as_ref(), id),
        line.t0.into(),
        id(&line.facility),
        maybe(line.rate.as_ref(), id),
        maybe(line.detainer.as_ref(), id),
        text(&posting.office),
        maybe(posting.edition.as_ref(), number),
        maybe(line.revision.as_ref(), id),
        maybe(posting.mode.as_ref(), number),
        maybe(line.agreement.as_ref(), id),
        day(line.local_day),
        line.span.start.into(),
        line.span.end.into(),
        number(&line.authority),
        Cell::Int(line.incurred.get()),
        Cell::Int(line.covered.get()),
        number(&posting.cause),
        posting.reverses.map(|r| r.seq).into(),
        posting.reverses.map(|r| r.n).into(),
        day(posting.accounted.unwrap_or(line.local_day)),
        maybe(line.marginal, |cents| Cell::Int(cents.get())),
    ];
    Row::new(&POSTINGS, vec![id(county), Cell::Int(posting.seq), posting.n.into()], body)
}

/// The versioned rows of a county's settings and balances.
#[must_use]
pub fn county(county: &County) -> Vec<Row> {
    let setting = |kind: &str, name: Cell, from: Cell, body: Vec<u8>| {
        Row::new(&SETTINGS, vec![id(&county.id), kind.into(), name], vec![from, body.into()])
    };
    let mut rows = vec![setting("profile", "".into(), county.created.into(), encode(&county.profile))];
    rows.extend(county.facilities.values().map(|f| setting("facility", id(&f.id), Cell::Null, encode(f))));
    rows.extend(county.calendars.values().map(|c| setting("calendar", text(&c.id), Cell::Null, encode(c))));
    rows.extend(county.revisions.iter().map(|r| setting("revision", id(&r.id), r.effective.effective.into(), encode(r))));
    rows.extend(county.drafts.iter().map(|d| setting("draft", id(&d.revision.id), Cell::Null, encode(d))));
    rows.extend(county.agreements.values().map(|a| setting("agreement", id(&a.id), a.starts_at().into(), encode(a))));
    rows.extend(county.rates.iter().map(|r| setting("rate", id(&r.id), day(r.effective), encode(r))));
    rows.extend(county.closes.iter().map(|c| setting("close", id(c.end), day(c.end), encode(c))));
    rows.extend(county.claims.values().map(|c| setting("claim", id(&c.id), Cell::Null, encode(c))));
    rows.extend(county.proposals.iter().map(|p| setting("proposal", id(&p.id), Cell::Null, encode(p))));
    // Among the proposals of bookings, without one.
    rows.extend(county.proposals.iter().map(|p| proposal(&county.id, Cell::from(""), p)));
    let balance = |(agreement, balance): (&AgreementId, &Balance)| {
        let body = vec![Cell::Int(balance.reserved.get()), Cell::Int(balance.spent.get())];
        Row::new(&BUDGETS, vec![id(&county.id), id(agreement)], body)
    };
    rows.extend(county.balances.iter().map(balance));
    rows
}

/// Adds what one command changed in the tables. `bookings` are those it touched, as they were and as they are, each
/// with the events of its records; `seq` is the command's last sequence.
///
/// # Errors
/// [`DiffError`] where a state gives two rows one key: a defect.
pub fn command<'a>(
    batch: &mut Batch,
    before: Option<&County>,
    after: &County,
    bookings: impl IntoIterator<Item = Touched<'a>>,
    seq: i64,
) -> Result<(), DiffError> {
    if !before.is_some_and(|before| std::ptr::eq(before, after)) {
        batch.add(diff(&before.map(county).unwrap_or_default(), &county(after))?, seq);
    }
    for Touched { before: was, after: now, events } in bookings {
        let old = was.map(|was| booking(before.unwrap_or(after), was)).unwrap_or_default();
        batch.add(diff(&old, &booking(after, now))?, seq);
        for row in events.into_iter().flat_map(|events| appended(&after.id, &now.id, events)) {
            batch.append(row);
        }
    }
    Ok(())
}

/// A booking that a command touched.
#[derive(Clone, Debug)]
pub struct Touched<'a> {
    /// As it was; nothing where it is new.
    pub before: Option<&'a Booking>,
    /// As it is.
    pub after: &'a Booking,
    /// What its records of this command hold, in order.
    pub events: Vec<&'a [Event]>,
}

/// Why a county could not be read back from its rows.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadSetting {
    /// The bytes are not what this program writes.
    #[error("setting {id}: {error}")]
    Wire {
        /// Which.
        id: String,
        /// Why.
        error: WireError,
    },
    /// Two rates that cannot stand together.
    #[error("rates that contradict each other: {0}")]
    Rates(#[from] crate::domain::rate::BadRate),
    /// A cell of another type.
    #[error("setting {0}: a cell of another type")]
    Cell(String),
}

/// The county that these rows tell of; nothing where it does not exist.
///
/// # Errors
/// [`BadSetting`] where a row is not what this program writes.
pub fn read_county(name: &CountyId, settings: &[Version], budgets: &[Version]) -> Result<Option<County>, BadSetting> {
    let Some(profile) = settings.iter().find(|v| cell(v, "kind") == Some("profile")) else { return Ok(None) };
    let county = County {
        id: name.clone(),
        profile: body(profile)?,
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
        created: profile.row.get("effective_from").and_then(Cell::as_int).map_or(Instant::MIN, Instant::from_micros),
        seq: profile.from_seq,
        policy_seq: 0,
    };
    county_after(county, settings, budgets).map(Some)
}

/// A county as it was, brought forward by the rows that came since. No setting ever goes away.
///
/// # Errors
/// [`BadSetting`] where a row is not what this program writes.
pub fn county_after(mut county: County, settings: &[Version], budgets: &[Version]) -> Result<County, BadSetting> {
    for version in settings {
        setting(&mut county, version)?;
    }
    county.revisions.sort_by_key(|r| r.effective.seq);
    county.closes.sort_by_key(|c| c.end);
    county.drafts.sort_by_key(|d| d.revision.effective.seq);
    county.proposals.sort_by_key(|p| p.proposed);
    for version in budgets {
        let cents = |name| version.row.get(name).and_then(Cell::as_int).ok_or_else(|| BadSetting::Cell(version.row.id()));
        let agreement = cell(version, "agreement").ok_or_else(|| BadSetting::Cell(version.row.id()))?;
        let balance = Balance { reserved: Cents::new(cents("reserved_cents")?), spent: Cents::new(cents("spent_cents")?) };
        county.balances.insert(AgreementId::trusted(agreement), balance);
    }
    Ok(county)
}

fn setting(county: &mut County, version: &Version) -> Result<(), BadSetting> {
    match cell(version, "kind").unwrap_or_default() {
        "profile" => {
            county.profile = body(version)?;
            county.seq = version.from_seq;
        }
        "facility" => {
            let facility: crate::domain::county::Facility = body(version)?;
            county.facilities.insert(facility.id.clone(), facility);
        }
        "calendar" => {
            let calendar: crate::domain::county::Calendar = body(version)?;
            county.calendars.insert(calendar.id.clone(), calendar);
        }
        "revision" => {
            let revision: crate::domain::policy::Revision = body(version)?;
            county.policy_seq = county.policy_seq.max(revision.effective.seq);
            county.drafts.retain(|draft| draft.revision.id != revision.id);
            county.revisions.push(revision);
        }
        "draft" => {
            let draft: crate::domain::county::Draft = body(version)?;
            if county.revision(&draft.revision.id).is_none() {
                county.drafts.push(draft);
            }
        }
        "agreement" => {
            let agreement: crate::domain::agreement::Agreement = body(version)?;
            county.agreements.insert(agreement.id.clone(), agreement);
        }
        "rate" => county.rates.add(body(version)?)?,
        "close" => county.closes.push(body(version)?),
        "claim" => {
            let claim: crate::domain::claim::Claim = body(version)?;
            county.claims.insert(claim.id.clone(), claim);
        }
        "proposal" => {
            let proposal: crate::domain::booking::Proposal = body(version)?;
            county.proposals.retain(|known| known.id != proposal.id);
            county.proposals.push(proposal);
        }
        _ => {}
    }
    Ok(())
}

fn cell<'a>(version: &'a Version, column: &str) -> Option<&'a str> {
    version.row.get(column).and_then(Cell::as_text)
}

fn body<T: Message>(version: &Version) -> Result<T, BadSetting> {
    let bytes = version.row.get("body").and_then(Cell::as_bytes).unwrap_or_default();
    decode(bytes).map_err(|error| BadSetting::Wire { id: version.row.id(), error })
}
