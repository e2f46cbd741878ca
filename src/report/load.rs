//! Stays from rows, as of one record. Not pure: it asks the store; beside [`super::select`] the only place here that does.
//!
//! Custody after T0 that has ended by the instant counted to lies in rows: bookings, holds, requests, answers, postings.
//! Custody that goes on there has to be priced from the booking's state; such bookings come back by name.

use super::Why;
use super::lines::Line;
use super::stay::{Stay, StayAnswer, StayHold, StayRequest};
use crate::domain::claim::lines::{Account, KnownEnd, Owed};
use crate::domain::cost::CostLine;
use crate::domain::county::County;
use crate::domain::ids::{AgreementId, BookingId, CountyId, DetainerId, FacilityId, HoldId, RateId, RevisionId};
use crate::domain::money::Cents;
use crate::domain::numbered::Numbered;
use crate::domain::time::{Date, Instant, Span, date_of_number};
use crate::rows::tables::{BOOKINGS, DECISIONS, DETAINERS, HOLDS, POSTINGS};
use crate::rows::{Cell, Row, Table, Version};
use crate::store::{Store, StoreError};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A booking that a report reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// All of it lies in rows.
    Stay(Box<Stay>),
    /// Its custody goes on at the instant counted to: fold it.
    Running(BookingId),
}

/// Reads bookings as of a record, in the order asked for; those that are not there are left out.
///
/// # Errors
/// [`StoreError`] where the database cannot answer, or a row is not what this program writes.
pub async fn stays(
    store: &Store,
    county: &CountyId,
    seq: i64,
    bookings: &[BookingId],
    until: Instant,
) -> Result<Vec<Found>, StoreError> {
    let keys: Vec<Vec<Cell>> = bookings.iter().map(|id| vec![county.as_str().into(), id.as_str().into()]).collect();
    let mut known = Known::default();
    for row in read(store, &BOOKINGS, &keys, seq).await? {
        let part = known.part(&row)?;
        part.row = Some(row);
    }
    for row in read(store, &HOLDS, &keys, seq).await? {
        let part = known.part(&row)?;
        part.holds.push(row);
    }
    for row in read(store, &DETAINERS, &keys, seq).await? {
        let part = known.part(&row)?;
        part.detainers.push(row);
    }
    for row in read(store, &DECISIONS, &keys, seq).await? {
        let part = known.part(&row)?;
        part.decisions.push(row);
    }
    for row in read(store, &POSTINGS, &keys, seq).await? {
        let part = known.part(&row)?;
        part.postings.push(row);
    }
    let mut found = Vec::with_capacity(bookings.len());
    for id in bookings {
        if let Some(part) = known.0.remove(id.as_str()) {
            found.extend(part.found(id, until)?);
        }
    }
    Ok(found)
}

/// What some bookings are owed for under an agreement, up to a record: all its postings, and the ends of the holds that they
/// are about as they were known from record to record.
///
/// # Errors
/// [`StoreError`] where the database cannot answer, or a row is not what this program writes.
pub async fn owed(
    store: &Store,
    county: &County,
    agreement: &AgreementId,
    seq: i64,
    bookings: &[BookingId],
) -> Result<BTreeMap<BookingId, Account>, StoreError> {
    let keys: Vec<Vec<Cell>> = bookings.iter().map(|id| vec![county.id.as_str().into(), id.as_str().into()]).collect();
    let mut accounts: BTreeMap<BookingId, Account> = BTreeMap::new();
    for row in read(store, &POSTINGS, &keys, seq).await? {
        let row = Reader(&row);
        if row.maybe_id("agreement", AgreementId::trusted).as_ref() != Some(agreement) {
            continue;
        }
        let n = |column| row.maybe_int(column).and_then(|n| u32::try_from(n).ok()).ok_or_else(|| row.bad(column));
        let reverses = row.maybe_int("reverses_seq").map(|seq| Ok::<_, StoreError>((seq, n("reverses_n")?))).transpose()?;
        let owed = Owed {
            at: (row.int("seq")?, n("n")?),
            reverses,
            hold: row.id("hold", HoldId::trusted)?,
            facility: row.id("facility", FacilityId::trusted)?,
            office: row.text("office")?.into(),
            day: row.day("local_day")?,
            span: Span::new(row.instant("start_at")?, row.instant("end_at")?),
            incurred: Cents::new(row.int("incurred_cents")?),
            covered: Cents::new(row.int("covered_cents")?),
        };
        accounts.entry(row.id("booking", BookingId::trusted)?).or_default().owed.push(owed);
    }
    for version in store.rows_by(&HOLDS, &["county", "booking"], &keys, "").await? {
        let row = Reader(&version.row);
        let Some(account) = accounts.get_mut(&row.id("booking", BookingId::trusted)?) else { continue };
        if row.int("voided")? != 0 {
            continue;
        }
        let (at, facility) = (row.instant("authority_until")?, row.id("facility", FacilityId::trusted)?);
        let (from, to) = (version.from_seq, version.to_seq.unwrap_or(i64::MAX));
        let end = KnownEnd { from, to, at, day: county.zone_of(&facility).date(at) };
        account.ends.entry(row.id("hold", HoldId::trusted)?).or_default().push(end);
    }
    for account in accounts.values_mut() {
        account.owed.sort_by_key(|one| one.at);
    }
    Ok(accounts)
}

/// The rows of some bookings as of a record.
async fn read(store: &Store, table: &'static Table, keys: &[Vec<Cell>], seq: i64) -> Result<Vec<Row>, StoreError> {
    let versions = store.rows_by(table, &["county", "booking"], keys, "").await?;
    let recorded = |row: &Row| row.get("seq").and_then(Cell::as_int).unwrap_or(0);
    let is_so = |v: &Version| v.from_seq <= seq && v.to_seq.is_none_or(|to| to > seq) && recorded(&v.row) <= seq;
    Ok(versions.into_iter().filter(is_so).map(|version| version.row).collect())
}

/// Rows by booking.
#[derive(Default)]
struct Known(BTreeMap<String, Part>);

/// The rows of one booking.
#[derive(Default)]
struct Part {
    row: Option<Row>,
    holds: Vec<Row>,
    detainers: Vec<Row>,
    decisions: Vec<Row>,
    postings: Vec<Row>,
}

impl Known {
    fn part(&mut self, row: &Row) -> Result<&mut Part, StoreError> {
        Ok(self.0.entry(Reader(row).text("booking")?.to_owned()).or_default())
    }
}

impl Part {
    fn found(self, id: &BookingId, until: Instant) -> Result<Option<Found>, StoreError> {
        let Some(row) = &self.row else { return Ok(None) };
        let row = Reader(row);
        let postings = self.in_force()?;
        // When each stretch after a T0 ended: its lines tile it.
        let mut ends: BTreeMap<Instant, Instant> = BTreeMap::new();
        for posting in &postings {
            let end = ends.entry(posting.instant("t0")?).or_insert(Instant::MIN);
            *end = (*end).max(posting.instant("end_at")?);
        }
        let open = row.maybe_int("t0").is_some_and(|t0| Instant::from_micros(t0) <= until);
        if open || ends.iter().any(|(t0, end)| *t0 <= until && until < *end) {
            return Ok(Some(Found::Running(id.clone())));
        }
        let mut stay = Stay {
            booking: id.clone(),
            ended: row.far("ended_at"),
            holds: self.holds()?,
            requests: self.requests()?,
            lines: Vec::new(),
            goes_on: None,
        };
        for posting in postings {
            let end = ends.get(&posting.instant("t0")?);
            if end.is_some_and(|end| *end <= until) {
                let line = line(&stay, posting, until)?;
                stay.lines.push(line);
            }
        }
        stay.lines.sort_by_key(|l| (l.cost.span.start, l.cost.span.end, l.seq));
        Ok(Some(Found::Stay(Box::new(stay))))
    }

    /// Postings that were not taken back.
    fn in_force(&self) -> Result<Vec<Reader<'_>>, StoreError> {
        let mut back: HashSet<(i64, i64)> = HashSet::new();
        for posting in self.postings.iter().map(Reader) {
            if let (Some(seq), Some(n)) = (posting.maybe_int("reverses_seq"), posting.maybe_int("reverses_n")) {
                back.insert((seq, n));
            }
        }
        let mut kept = Vec::with_capacity(self.postings.len());
        for posting in self.postings.iter().map(Reader) {
            if posting.maybe_int("reverses_seq").is_none() && !back.contains(&(posting.int("seq")?, posting.int("n")?)) {
                kept.push(posting);
            }
        }
        Ok(kept)
    }

    fn holds(&self) -> Result<Vec<StayHold>, StoreError> {
        let mut holds = Vec::with_capacity(self.holds.len());
        for row in self.holds.iter().map(Reader) {
            if row.int("voided")? == 0 {
                holds.push(StayHold {
                    id: row.id("hold", HoldId::trusted)?,
                    t0: row.instant("t0")?,
                    start: row.instant("started_at")?,
                    until: row.instant("authority_until")?,
                    reason: row.case("end_reason")?,
                    deadline: row.instant("deadline")?,
                    contiguous: row.instant("contiguous_deadline")?,
                    business: row.instant("business_deadline")?,
                    continues: row.maybe_id("continues", HoldId::trusted),
                    detainer: row.id("detainer", DetainerId::trusted)?,
                    revision: row.id("revision", RevisionId::trusted)?,
                    facility: row.id("facility", FacilityId::trusted)?,
                    office: row.text("office")?.into(),
                    edition: row.maybe_case("edition")?,
                    gap_end: row.far("gap_end"),
                });
            }
        }
        holds.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
        Ok(holds)
    }

    fn requests(&self) -> Result<Vec<StayRequest>, StoreError> {
        let mut requests = Vec::with_capacity(self.detainers.len());
        for row in self.detainers.iter().map(Reader) {
            let mut answers = Vec::new();
            for answer in self.decisions.iter().map(Reader) {
                if answer.text("detainer")? == row.text("detainer")? {
                    answers.push(StayAnswer {
                        n: u32::try_from(answer.int("n")?).unwrap_or(u32::MAX),
                        effective: answer.instant("effective_at")?,
                        outcome: answer.case("outcome")?,
                        why: Why::of(answer.case("reason")?, answer.maybe_case("mode")?),
                        revision: answer.maybe_id("revision", RevisionId::trusted),
                    });
                }
            }
            answers.sort_by_key(|answer| answer.n);
            requests.push(StayRequest {
                id: row.id("detainer", DetainerId::trusted)?,
                component: row.case("component")?,
                received: row.instant("received_at")?,
                closed: row.far("closed_at"),
                answers,
            });
        }
        requests.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
        Ok(requests)
    }
}

fn line(stay: &Stay, row: Reader<'_>, until: Instant) -> Result<Line, StoreError> {
    let cost = CostLine {
        t0: row.instant("t0")?,
        span: Span::new(row.instant("start_at")?, row.instant("end_at")?),
        local_day: row.day("local_day")?,
        facility: row.id("facility", FacilityId::trusted)?,
        rate: row.maybe_id("rate", RateId::trusted),
        hold: row.maybe_id("hold", HoldId::trusted),
        authority: row.case("authority")?,
        detainer: row.maybe_id("detainer", DetainerId::trusted),
        revision: row.maybe_id("revision", RevisionId::trusted),
        agreement: row.maybe_id("agreement", AgreementId::trusted),
        incurred: Cents::new(row.int("incurred_cents")?),
        covered: Cents::new(row.int("covered_cents")?),
        marginal: row.maybe_int("marginal_cents").map(Cents::new),
    };
    let office: Arc<str> = row.text("office")?.into();
    Ok(Line::new(stay, cost, office, row.maybe_case("edition")?, row.maybe_case("mode")?, row.int("seq")?, until))
}

/// All postings of some bookings up to a record, those taken back among them.
///
/// # Errors
/// [`StoreError`] where the database cannot answer, or a row is not what this program writes.
pub async fn postings(
    store: &Store,
    county: &CountyId,
    seq: i64,
    bookings: &[BookingId],
) -> Result<BTreeMap<BookingId, Vec<Row>>, StoreError> {
    let keys: Vec<Vec<Cell>> = bookings.iter().map(|id| vec![county.as_str().into(), id.as_str().into()]).collect();
    let mut found: BTreeMap<BookingId, Vec<Row>> = BTreeMap::new();
    for row in read(store, &POSTINGS, &keys, seq).await? {
        found.entry(Reader(&row).id("booking", BookingId::trusted)?).or_default().push(row);
    }
    Ok(found)
}

/// A posting as the books have it.
///
/// # Errors
/// [`StoreError`] where the row is not what this program writes.
pub fn booked(stay: &Stay, row: &Row, until: Instant) -> Result<Line, StoreError> {
    let row = Reader(row);
    let mut line = line(stay, row, until)?;
    line.day = row.day("accounted_day")?;
    line.booked = Some((row.case("cause")?, row.maybe_int("reverses_seq").is_some()));
    Ok(line)
}

/// Reads cells by their column.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub &'a Row);

impl<'a> Reader<'a> {
    fn bad(self, column: &'static str) -> StoreError {
        StoreError::Unreadable {
            table: self.0.table.name.to_owned(),
            column: column.to_owned(),
            id: self.0.id(),
            why: "is not what this program writes",
        }
    }

    fn maybe_int(self, column: &'static str) -> Option<i64> {
        self.0.get(column).and_then(Cell::as_int)
    }

    fn int(self, column: &'static str) -> Result<i64, StoreError> {
        self.maybe_int(column).ok_or_else(|| self.bad(column))
    }

    fn text(self, column: &'static str) -> Result<&'a str, StoreError> {
        self.0.get(column).and_then(Cell::as_text).ok_or_else(|| self.bad(column))
    }

    fn instant(self, column: &'static str) -> Result<Instant, StoreError> {
        self.int(column).map(Instant::from_micros)
    }

    /// An instant, far away where there is none.
    fn far(self, column: &'static str) -> Instant {
        self.maybe_int(column).map_or(Instant::FAR, Instant::from_micros)
    }

    fn day(self, column: &'static str) -> Result<Date, StoreError> {
        let number = i32::try_from(self.int(column)?).ok();
        number.and_then(date_of_number).ok_or_else(|| self.bad(column))
    }

    fn maybe_case<T: Numbered>(self, column: &'static str) -> Result<Option<T>, StoreError> {
        let Some(number) = self.maybe_int(column) else { return Ok(None) };
        T::from_number(number).map(Some).ok_or_else(|| self.bad(column))
    }

    fn case<T: Numbered>(self, column: &'static str) -> Result<T, StoreError> {
        self.maybe_case(column)?.ok_or_else(|| self.bad(column))
    }

    fn id<T>(self, column: &'static str, trusted: fn(&str) -> T) -> Result<T, StoreError> {
        self.text(column).map(trusted)
    }

    fn maybe_id<T>(self, column: &'static str, trusted: fn(&str) -> T) -> Option<T> {
        self.0.get(column).and_then(Cell::as_text).map(trusted)
    }
}
