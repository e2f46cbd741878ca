//! The cost report's cells added up by the database, where rows alone say everything: custody that has ended by the instant
//! counted to, sliced by keys that postings carry themselves. Not pure: it asks the store.
//!
//! What is left are bookings whose custody goes on beyond that instant ([`beyond`]); they are few, and are priced from their
//! states as everywhere. Both ways give the same rows: `tests/report_histories.rs` holds them against each other.
//!
//! To let another key be added up here: its column in [`column`], read back in [`read`].

use super::cost::{Part, Sums};
use super::{GroupBy, Key, Query, ReportError, Totals};
use crate::domain::gap::Authority;
use crate::domain::ids::{AgreementId, BookingId, CountyId, FacilityId, RevisionId};
use crate::domain::money::Cents;
use crate::domain::numbered::Numbered;
use crate::domain::time::{Date, Instant, day_number};
use crate::rows::{Cell, ColType, id_of};
use crate::store::{Param, Store, StoreError};
use chrono::{Datelike as _, Months};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Months of one report that the database slices; a longer one is counted booking by booking.
const MOST_MONTHS: usize = 240;
/// Facilities and offices of one filter, likewise.
const MOST_ENTRIES: usize = 100;

/// Why the cells could not be added up.
#[derive(Debug, thiserror::Error)]
pub enum CellsError {
    /// The database cannot answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sum that does not fit.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// The column of a key, and its type; nothing where postings do not carry it.
fn column(by: GroupBy) -> Option<(&'static str, ColType)> {
    match by {
        GroupBy::Month | GroupBy::CustodyMonth => Some(("m.n", ColType::Int)),
        GroupBy::Facility => Some(("p.facility", ColType::Text)),
        GroupBy::Office => Some(("p.office", ColType::Text)),
        GroupBy::Revision => Some(("p.revision", ColType::Text)),
        GroupBy::Mode => Some(("p.mode", ColType::Int)),
        GroupBy::Agreement => Some(("p.agreement", ColType::Text)),
        GroupBy::Edition => Some(("p.edition", ColType::Int)),
        GroupBy::Week | GroupBy::Component | GroupBy::EndReason | GroupBy::DecisionReason => None,
    }
}

/// The key that a cell stands for; nothing where it is not what this program writes.
fn read(by: GroupBy, cell: &Cell) -> Option<Key> {
    fn case<T: Numbered>(cell: &Cell) -> Option<Option<T>> {
        match cell.as_int() {
            None => Some(None),
            Some(number) => T::from_number(number).map(Some),
        }
    }
    Some(match by {
        GroupBy::Month | GroupBy::CustodyMonth => {
            let number = cell.as_int()?;
            Key::Month(i32::try_from(number.div_euclid(12)).ok()?, u32::try_from(number.rem_euclid(12)).ok()? + 1)
        }
        GroupBy::Facility => Key::Facility(FacilityId::trusted(cell.as_text()?)),
        GroupBy::Office => Key::Office(cell.as_text()?.into()),
        GroupBy::Revision => Key::Revision(cell.as_text().map(RevisionId::trusted)),
        GroupBy::Mode => Key::Mode(case(cell)?),
        GroupBy::Agreement => Key::Agreement(cell.as_text().map(AgreementId::trusted)),
        GroupBy::Edition => Key::Edition(case(cell)?),
        GroupBy::Week | GroupBy::Component | GroupBy::EndReason | GroupBy::DecisionReason => return None,
    })
}

/// A question to the database under way.
struct Asked {
    text: String,
    params: Vec<Param>,
}

impl Asked {
    fn param(&mut self, value: impl Into<Param>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }

    /// The part that every question has: postings in force, of custody that has ended, on the days asked for.
    fn from(county: &CountyId, seq: i64, query: &Query, months: &[(i64, Date, Date)]) -> Self {
        let mut asked = Self { text: String::new(), params: Vec::new() };
        let (county, seq, until) = (asked.param(county.as_str()), asked.param(seq), asked.param(query.until));
        let mut values = String::new();
        for (n, start, end) in months {
            let n = asked.param(*n);
            let (start, end) = (i64::from(day_number(*start)), i64::from(day_number(*end)));
            let (start, end) = (asked.param(start), asked.param(end));
            let comma = if values.is_empty() { "" } else { ", " };
            // PostgreSQL takes the type of a column of values from its first row.
            let _ = write!(values, "{comma}(cast({n} as bigint), cast({start} as bigint), cast({end} as bigint))");
        }
        let mut filter = String::new();
        for (column, entries) in [
            ("p.facility", query.facilities.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>()),
            ("p.office", query.offices.iter().map(ToString::to_string).collect()),
        ] {
            if !entries.is_empty() {
                let list: Vec<String> = entries.into_iter().map(|entry| asked.param(entry)).collect();
                let _ = write!(filter, " and {column} in ({})", list.join(", "));
            }
        }
        asked.text = format!(
            "from m cross join postings p where p.county = {county} and p.local_day >= m.a and p.local_day < m.b \
             and p.seq <= {seq} and p.reverses_seq is null and not exists (select 1 from postings r \
             where r.county = p.county and r.reverses_seq = p.seq and r.reverses_n = p.n and r.seq <= {seq}) \
             and p.booking not in (select b.booking from bookings b where b.county = {county} and b.from_seq <= {seq} \
             and (b.to_seq is null or b.to_seq > {seq}) and b.gap_end > {until}){filter}"
        );
        asked.text = format!("with m(n, a, b) as (values {values}) select {{}} {}", asked.text);
        asked
    }

    async fn ask(&self, store: &Store, what: &str, tail: &str, types: &[ColType]) -> Result<Vec<Vec<Cell>>, StoreError> {
        let text = self.text.replacen("{}", what, 1) + tail;
        store.query(text, &self.params, types).await
    }
}

/// The months of a period, each cut to it, by year and month as one number; or the period as a whole.
fn months(query: &Query, sliced: bool) -> Option<Vec<(i64, Date, Date)>> {
    if !sliced {
        return Some(vec![(0, query.start, query.end)]);
    }
    let mut months = Vec::new();
    let mut first = query.start.with_day(1)?;
    while first < query.end {
        let next = first.checked_add_months(Months::new(1))?;
        let number = i64::from(first.year()) * 12 + i64::from(first.month0());
        months.push((number, first.max(query.start), next.min(query.end)));
        first = next;
    }
    (months.len() <= MOST_MONTHS).then_some(months)
}

/// Adds what ended custody comes to, and names its revisions; whether that could be done. Where not, nothing was added.
///
/// # Errors
/// [`CellsError`] where the database cannot answer, or a sum does not fit.
pub async fn add(
    store: &Store,
    county: &CountyId,
    seq: i64,
    query: &Query,
    by: &[GroupBy],
    sums: &mut Sums,
    revisions: &mut BTreeSet<RevisionId>,
) -> Result<bool, CellsError> {
    let columns: Option<Vec<(&str, ColType)>> = by.iter().map(|by| column(*by)).collect();
    let sliced = by.iter().any(|by| matches!(by, GroupBy::Month | GroupBy::CustodyMonth));
    let (Some(columns), Some(months)) = (columns, months(query, sliced)) else { return Ok(false) };
    let entries = query.facilities.len().max(query.offices.len());
    if query.by_books || !query.only.is_empty() || entries > MOST_ENTRIES {
        return Ok(false);
    }
    let asked = Asked::from(county, seq, query, &months);
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let types: Vec<ColType> = columns.iter().map(|(_, kind)| *kind).collect();

    let keys = if names.is_empty() { String::new() } else { format!("{}, ", names.join(", ")) };
    let what = format!(
        "{keys}p.authority, cast(sum(p.end_at - p.start_at) as bigint), cast(sum(p.incurred_cents) as bigint), \
         cast(sum(p.covered_cents) as bigint), cast(sum(p.marginal_cents) as bigint)"
    );
    let tail = format!(" group by {keys}p.authority");
    let all: Vec<ColType> = types.iter().copied().chain([ColType::Int; 5]).collect();
    for row in asked.ask(store, &what, &tail, &all).await? {
        let (keys, figures) = split(by, &row)?;
        let cell = || match figures {
            [authority, us, incurred, covered, marginal] => {
                let totals = Totals {
                    incurred: Cents::new(incurred.as_int()?),
                    covered: Cents::new(covered.as_int()?),
                    marginal: marginal.as_int().map(Cents::new),
                };
                Some((Authority::from_number(authority.as_int()?)?, Part { us: us.as_int()?, totals }))
            }
            _ => None,
        };
        let (authority, part) = cell().ok_or_else(|| bad(&row))?;
        sums.add_cell(keys, authority, part)?;
    }

    let held = format!("{keys}cast(count(distinct p.booking || '/' || p.hold) as bigint)");
    let tail = match names.is_empty() {
        true => " and p.hold is not null".to_owned(),
        false => format!(" and p.hold is not null group by {}", names.join(", ")),
    };
    let kinds: Vec<ColType> = types.iter().copied().chain([ColType::Int]).collect();
    for row in asked.ask(store, &held, &tail, &kinds).await? {
        let (keys, figures) = split(by, &row)?;
        let holds = figures.first().and_then(Cell::as_int).and_then(|n| usize::try_from(n).ok()).ok_or_else(|| bad(&row))?;
        if holds > 0 {
            sums.add_holds(keys, holds);
        }
    }
    let total = "cast(count(distinct p.booking || '/' || p.hold) as bigint)";
    let total = asked.ask(store, total, " and p.hold is not null", &[ColType::Int]).await?;
    let total = total.first().and_then(|row| row.first()?.as_int()).and_then(|n| usize::try_from(n).ok());
    sums.add_total_holds(total.unwrap_or(0));

    let named = asked.ask(store, "distinct p.revision", " and p.revision is not null", &[ColType::Text]).await?;
    revisions.extend(named.iter().filter_map(|row| row.first()?.as_text()).map(RevisionId::trusted));
    Ok(true)
}

fn split<'r>(by: &[GroupBy], row: &'r [Cell]) -> Result<(Vec<Key>, &'r [Cell]), StoreError> {
    let (keys, figures) = row.split_at_checked(by.len()).ok_or_else(|| bad(row))?;
    let keys: Option<Vec<Key>> = by.iter().zip(keys).map(|(by, cell)| read(*by, cell)).collect();
    Ok((keys.ok_or_else(|| bad(row))?, figures))
}

fn bad(row: &[Cell]) -> StoreError {
    StoreError::Unreadable {
        table: "postings".into(),
        column: "any".into(),
        id: id_of(row),
        why: "is not what this program writes",
    }
}

const BEYOND: &str = "select b.booking from bookings b where b.county = $1 and b.from_seq <= $2 \
     and (b.to_seq is null or b.to_seq > $2) and b.gap_end > $3 and b.booking > $4 order by b.booking limit $5";

/// Bookings whose custody after T0 goes on beyond an instant: what [`add`] leaves out.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn beyond(
    store: &Store,
    county: &CountyId,
    seq: i64,
    until: Instant,
    after: Option<&BookingId>,
    limit: u32,
) -> Result<Vec<BookingId>, StoreError> {
    let after = after.map_or("", BookingId::as_str);
    let params = [county.as_str().into(), seq.into(), until.into(), after.into(), i64::from(limit).into()];
    let rows = store.query(BEYOND, &params, &[ColType::Text]).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.as_text()).map(BookingId::trusted).collect())
}
