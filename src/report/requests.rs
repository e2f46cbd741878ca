//! Requests from rows, as of one record, as streams: how they were answered, those not honored, what was owed for them.
//! Beside [`super::select`] and [`super::load`] the only file here that asks the store.
//!
//! What is read of a request, and whether it is asked for, is said once: rows are made into what [`super::decisions`],
//! [`super::declined`] and [`super::duties`] make of a booking's state.

use super::decisions::{self, Request, last_open};
use super::declined::{DeclinedRow, More};
use super::duties::{self, Owed};
use super::select::days;
use super::{Query, Why};
use crate::domain::county::County;
use crate::domain::decision::{Outcome, Reason};
use crate::domain::detainer::{Component, Edition};
use crate::domain::facts::EndKind;
use crate::domain::gap::Authority;
use crate::domain::ids::{BookingId, CountyId, DetainerId, FacilityId, RevisionId};
use crate::domain::numbered::Numbered;
use crate::domain::policy::Mode;
use crate::domain::time::{Instant, date_of_number};
use crate::rows::state::read_duties;
use crate::rows::{Cell, ColType};
use crate::store::{Chunks, Param, Store, StoreError};

const I: ColType = ColType::Int;
const T: ColType = ColType::Text;
const B: ColType = ColType::Bytes;

/// `detainers.state` of a request that was lifted.
const LIFTED: i64 = 2;

/// What is read of every request, and of each of its answers in force by the instant counted to.
macro_rules! answered {
    () => {
        "d.booking, d.detainer, d.facility, d.received_at, d.received_day, d.office, d.component, d.edition, d.state, \
         d.closed_at, d.effect_at, b.ended_at, b.end_kind, c.n, c.effective_at, c.outcome, c.reason, c.revision, c.mode"
    };
}
const ANSWERED: [ColType; 19] = [T, T, T, I, I, T, I, I, I, I, I, I, I, I, I, I, I, T, I];

/// Requests received on the days asked for, with their answers.
macro_rules! received {
    () => {
        " from detainers d \
         join bookings b on b.county = d.county and b.booking = d.booking and b.from_seq <= $2 \
         and (b.to_seq is null or b.to_seq > $2) \
         left join decisions c on c.county = d.county and c.booking = d.booking and c.detainer = d.detainer and c.seq <= $2 \
         and c.effective_at <= $5 \
         where d.county = $1 and d.from_seq <= $2 and (d.to_seq is null or d.to_seq > $2) and d.received_day >= $3 \
         and d.received_day < $4 and d.received_at <= $5"
    };
}

pub(super) const REQUESTS: &str = concat!(
    "select ",
    answered!(),
    ", (select cast(sum(case when p.reverses_seq is null then 1 else -1 end) as bigint) from postings p \
     where p.county = $1 and p.booking = d.booking and p.detainer = d.detainer and p.seq <= $2 and p.start_at < $5 \
     and p.authority <> $6)",
    received!(),
    " and (b.t0 is null or b.t0 > $5) order by d.booking, d.detainer"
);

pub(super) const DECLINED: &str =
    concat!("select ", answered!(), ", d.duties", received!(), " order by d.received_at, d.booking, d.detainer");

pub(super) const DUTIES: &str = "select d.booking, d.detainer, d.facility, d.office, d.component, d.edition, d.duties \
     from detainers d where d.county = $1 and d.from_seq <= $2 and (d.to_seq is null or d.to_seq > $2) \
     order by d.booking, d.detainer";

/// Booking and detainer.
type Name = (String, String);
/// Effective time and number of an answer.
type At = (i64, i64);
/// Reads a row.
type Reader<T> = fn(&Query, &[Cell]) -> Option<(Name, T, At)>;

/// Requests from rows of which each has one of their answers; the last of them counts.
struct Answered<T> {
    rows: Chunks,
    query: Query,
    read: Reader<T>,
    /// The request under way.
    current: Option<(Name, T, At)>,
}

impl<T> Answered<T> {
    /// The next of them; nothing at the end.
    async fn part(&mut self) -> Result<Option<Vec<T>>, StoreError> {
        let Some(rows) = self.rows.next().await else { return Ok(self.current.take().map(|(_, last, _)| vec![last])) };
        let mut whole = Vec::new();
        for row in rows? {
            whole.extend(self.row(&row)?);
        }
        Ok(Some(whole))
    }

    /// Takes a row; answers the request before it where the row is of another one.
    fn row(&mut self, row: &[Cell]) -> Result<Option<T>, StoreError> {
        let (name, request, at) = (self.read)(&self.query, row).ok_or_else(|| unreadable(row))?;
        match &mut self.current {
            Some((last, kept, latest)) if *last == name => {
                if *latest < at {
                    (*kept, *latest) = (request, at);
                }
                Ok(None)
            }
            current => Ok(current.replace((name, request, at)).map(|(_, whole, _)| whole)),
        }
    }
}

fn unreadable(row: &[Cell]) -> StoreError {
    StoreError::Unreadable {
        table: "detainers".into(),
        column: "any".into(),
        id: crate::rows::id_of(row.get(..2).unwrap_or_default()),
        why: "is not what this program writes",
    }
}

/// Only its last answer says whether a request is asked for.
fn is_asked(query: &Query, request: &Request) -> bool {
    query.has_facility(&request.facility) && query.has_office(&request.office) && query.has_keys(|by| decisions::key(request, by))
}

/// The requests that the decision report counts, without those of custody that goes on ([`super::select::open`]): whether
/// they were held on is not in rows yet.
pub struct Requests(Answered<Request>);

/// Streams the requests received on the days asked for.
///
/// # Errors
/// [`StoreError`] where the database cannot be asked; later ones come from [`Requests::part`].
pub fn requests(store: &Store, county: &CountyId, seq: i64, query: &Query) -> Result<Requests, StoreError> {
    let mut params = received(county, seq, query);
    params.push(Authority::OverDetained.number().into());
    let types = [&ANSWERED[..], &[I]].concat();
    let rows = store.stream(REQUESTS, &params, &types)?;
    let read: Reader<Request> = |query, row| {
        let (held, row) = row.split_last()?;
        let (name, request, at) = answered(query, row)?;
        Some((name, Request { held: held.as_int().unwrap_or(0) > 0, ..request }, at))
    };
    Ok(Requests(Answered { rows, query: query.clone(), read, current: None }))
}

impl Requests {
    /// The next of them; nothing at the end.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer, or a row is not what this program writes.
    pub async fn part(&mut self) -> Result<Option<Vec<Request>>, StoreError> {
        let part = self.0.part().await?;
        Ok(part.map(|part| part.into_iter().filter(|request| is_asked(&self.0.query, request)).collect()))
    }
}

/// The requests that were not honored, by receipt and name.
pub struct Declined(Answered<(Request, More)>);

/// Streams the requests received on the days asked for that were not honored.
///
/// # Errors
/// [`StoreError`] where the database cannot be asked; later ones come from [`Declined::part`].
pub fn declined(store: &Store, county: &CountyId, seq: i64, query: &Query) -> Result<Declined, StoreError> {
    let types = [&ANSWERED[..], &[B]].concat();
    let rows = store.stream(DECLINED, &received(county, seq, query), &types)?;
    let read: Reader<(Request, More)> = |query, row| {
        let (owed, row) = row.split_last()?;
        let (name, request, at) = answered(query, row)?;
        let [_, _, _, received, _, _, _, _, state, closed, _, ended, kind, ..] = row else { return None };
        let instant = |cell: &Cell| cell.as_int().map(Instant::from_micros);
        let more = More {
            booking: BookingId::trusted(&name.0),
            detainer: DetainerId::trusted(&name.1),
            received: instant(received)?,
            decided: (at.0 > i64::MIN).then(|| Instant::from_micros(at.0)),
            ended: instant(ended).zip(kind.as_int().and_then(EndKind::from_number)),
            lifted: instant(closed).filter(|_| state.as_int() == Some(LIFTED)),
            duties: read_duties(owed.as_bytes()?).ok()?,
        };
        Some((name, (request, more), at))
    };
    Ok(Declined(Answered { rows, query: query.clone(), read, current: None }))
}

impl Declined {
    /// The next of them; nothing at the end.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer, or a row is not what this program writes.
    pub async fn part(&mut self) -> Result<Option<Vec<DeclinedRow>>, StoreError> {
        let part = self.0.part().await?.map(Vec::into_iter);
        let query = &self.0.query;
        let asked = |(request, more): (Request, More)| {
            is_asked(query, &request).then(|| DeclinedRow::of(request, more, query.until)).flatten()
        };
        Ok(part.map(|part| part.filter_map(asked).collect()))
    }
}

fn received(county: &CountyId, seq: i64, query: &Query) -> Vec<Param> {
    let (first, last) = days(query);
    vec![county.as_str().into(), seq.into(), first, last, query.until.into()]
}

/// Reads the columns of `answered`; whether it was held on is not among them.
fn answered(query: &Query, row: &[Cell]) -> Option<(Name, Request, At)> {
    let [booking, detainer, facility, received, day, office, component, edition, rest @ ..] = row else { return None };
    let [state, closed, effect, ended, kind, n, effective, outcome, reason, revision, mode] = rest else { return None };
    let far = |cell: &Cell| cell.as_int().map_or(Instant::FAR, Instant::from_micros);
    let (closed, ended) = (far(closed), far(ended));
    let last = last_open(Instant::from_micros(received.as_int()?), closed.min(ended), query.until);
    let in_force = effective.as_int().is_some_and(|at| Instant::from_micros(at) <= last);
    let mode = mode.as_int().filter(|_| in_force).and_then(Mode::from_number);
    let answer = match outcome.as_int().filter(|_| in_force) {
        None => None,
        Some(outcome) => {
            let reason = Reason::from_number(reason.as_int()?)?;
            Some((Outcome::from_number(outcome)?, Why::of(reason, mode)))
        }
    };
    let taken = kind.as_int().and_then(EndKind::from_number) == Some(EndKind::FederalCustody) && ended <= query.until;
    let request = Request {
        facility: FacilityId::trusted(facility.as_text()?),
        day: date_of_number(i32::try_from(day.as_int()?).ok()?)?,
        office: office.as_text()?.into(),
        component: Component::from_number(component.as_int()?)?,
        edition: Edition::from_number(edition.as_int()?)?,
        answer,
        revision: revision.as_text().filter(|_| in_force).map(RevisionId::trusted),
        mode,
        held: false,
        handed_over: taken && ended <= closed,
        never_in_effect: effect.as_int().is_none_or(|at| Instant::from_micros(at) > query.until),
        lifted: state.as_int()? == LIFTED && closed <= query.until,
    };
    let at = (effective.as_int().filter(|_| in_force).unwrap_or(i64::MIN), n.as_int().unwrap_or(0));
    Some(((booking.as_text()?.to_owned(), detainer.as_text()?.to_owned()), request, at))
}

/// What was owed for requests and fell due on the days asked for.
pub struct Duties {
    rows: Chunks,
    query: Query,
}

/// Streams it, whenever the request was received: a duty may fall due long after.
///
/// # Errors
/// [`StoreError`] where the database cannot be asked; later ones come from [`Duties::part`].
pub fn duties(store: &Store, county: &CountyId, seq: i64, query: &Query) -> Result<Duties, StoreError> {
    let rows = store.stream(DUTIES, &[county.as_str().into(), seq.into()], &[T, T, T, T, I, I, B])?;
    Ok(Duties { rows, query: query.clone() })
}

impl Duties {
    /// The next of them; nothing at the end.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot answer, or a row is not what this program writes.
    pub async fn part(&mut self, county: &County) -> Result<Option<Vec<Owed>>, StoreError> {
        let Some(rows) = self.rows.next().await else { return Ok(None) };
        let mut all = Vec::new();
        for row in rows? {
            all.extend(self.row(county, &row).ok_or_else(|| unreadable(&row))?);
        }
        Ok(Some(all))
    }

    fn row(&self, county: &County, row: &[Cell]) -> Option<Vec<Owed>> {
        let [_, _, facility, office, component, edition, owed] = row else { return None };
        let form = duties::OfForm {
            facility: FacilityId::trusted(facility.as_text()?),
            office: office.as_text()?.into(),
            component: Component::from_number(component.as_int()?)?,
            edition: Edition::from_number(edition.as_int()?)?,
        };
        let owed = read_duties(owed.as_bytes()?).ok()?;
        Some(duties::owed(&self.query, county, &form, &owed))
    }
}
