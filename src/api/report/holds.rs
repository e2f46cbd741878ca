//! Holds of a period, part by part, in the order of the register: told one by one, or counted.

use super::super::auth::Principal;
use super::super::time::{Fields, wire_duration, wire_pair};
use super::super::watch::Sender;
use super::super::{Api, error};
use super::file::File;
use super::query::{self, Asked};
use super::{MOST_ROWS, NAMES, send, stays, too_many_rows, uncounted, version, wire};
use crate::domain::ids::{BookingId, RevisionId};
use crate::pb::{self, ErrorReason};
use crate::report::GroupBy;
use crate::report::register::{self, RegisterRow};
use crate::report::select::{self, HoldKey};
use crate::report::statistics::{ByReading, Statistics, StatisticsRow, Summary};
use crate::sheet::reports as sheets;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tonic::Status;

/// Different lengths that are kept for one answer: some tens of megabytes.
const MOST_LENGTHS: usize = 1_000_000;

/// The holds that a query asks for, by start, booking and name.
#[derive(Default)]
struct Holds {
    names: VecDeque<HoldKey>,
    /// The last name looked up.
    after: Option<HoldKey>,
    /// There are no more names to look up.
    done: bool,
}

impl Holds {
    /// The next of them; nothing at the end.
    async fn next(&mut self, api: &Api, asked: &Asked) -> Result<Option<Vec<RegisterRow>>, Status> {
        if self.names.is_empty() && !self.done {
            let store = api.ledger.store();
            let names = select::holds(store, &asked.id, asked.pair.seq, &asked.query, self.after.as_ref(), NAMES).await;
            self.names = names.map_err(|error| error::of_store(&error))?.into();
            self.done = u32::try_from(self.names.len()).is_ok_and(|found| found < NAMES);
            self.after = self.names.back().cloned();
        }
        if self.names.is_empty() {
            return Ok(None);
        }
        let part: Vec<HoldKey> = self.names.drain(..stays::PART.min(self.names.len())).collect();
        let bookings: BTreeSet<BookingId> = part.iter().map(|(_, booking, _)| booking.clone()).collect();
        let mut rows = BTreeMap::new();
        for stay in stays::of(api, asked, &bookings.into_iter().collect::<Vec<_>>()).await? {
            let found = register::rows(&asked.query, &asked.county, &stay).map_err(|error| uncounted(&error))?;
            rows.extend(found.into_iter().map(|row| ((row.booking.clone(), row.hold.id.clone()), row)));
        }
        Ok(Some(part.into_iter().filter_map(|(_, booking, hold)| rows.remove(&(booking, hold))).collect()))
    }
}

/// Tells the register, hold by hold.
pub(super) async fn tell(api: Api, asked: Asked, sender: Sender<pb::StreamHoldRegisterResponse>) -> Result<(), Status> {
    use pb::stream_hold_register_response::Part;
    let part = |part| pb::StreamHoldRegisterResponse { part: Some(part) };
    send(&sender, part(Part::AsOfPair(wire_pair(asked.pair)))).await;
    let mut file = File::new(&sheets::register::layout())?;
    let (mut holds, mut revisions) = (Holds::default(), BTreeSet::new());
    while let Some(rows) = holds.next(&api, &asked).await? {
        for row in rows {
            revisions.insert(row.hold.revision.clone());
            let row = wire::register_row(&asked, &row)?;
            file.row(&sheets::register::row(&row))?;
            send(&sender, part(Part::Row(row))).await;
        }
    }
    send(&sender, part(Part::Manifest(asked.manifest(version::REGISTER, &revisions, file.sum()?)))).await;
    Ok(())
}

/// Counts the same holds.
pub(super) async fn statistics(
    api: &Api,
    caller: &Principal,
    request: &pb::GetHoldStatisticsRequest,
) -> Result<pb::GetHoldStatisticsResponse, Status> {
    let mut fields = Fields::new();
    let by = query::group_by(&mut fields, &request.group_by, &GroupBy::ALL);
    let asked = Asked::read(api, caller, fields, request.query.as_ref(), None).await?;
    let (mut holds, mut counted, mut revisions) = (Holds::default(), Statistics::new(&by), BTreeSet::<RevisionId>::new());
    while let Some(rows) = holds.next(api, &asked).await? {
        for row in rows {
            revisions.insert(row.hold.revision.clone());
            counted.add(&row);
        }
        let (rows, lengths) = counted.len();
        if rows > MOST_ROWS {
            return Err(too_many_rows());
        }
        if lengths > MOST_LENGTHS {
            let why = format!("has holds of more than {MOST_LENGTHS} different lengths: ask for fewer days");
            return Err(error::bad_fields(ErrorReason::LimitExceeded, vec![("query.period".into(), why)]));
        }
    }
    let (rows, total) = counted.finish().map_err(|error| uncounted(&error))?;
    let rows: Vec<pb::HoldStatisticsRow> = rows.iter().map(|row| wire_row(&asked, &by, row)).collect();
    let layout = sheets::statistics::layout(&sheets::keys_of(&request.group_by));
    let file = File::of(&layout, rows.iter().map(sheets::statistics::row))?;
    Ok(pb::GetHoldStatisticsResponse {
        manifest: Some(asked.manifest(version::STATISTICS, &revisions, file)),
        rows,
        total: Some(wire_row(&asked, &[], &total)),
    })
}

fn wire_row(asked: &Asked, by: &[GroupBy], row: &StatisticsRow) -> pb::HoldStatisticsRow {
    pb::HoldStatisticsRow {
        keys: wire::keys(asked, by, &row.keys),
        hold_count: row.holds,
        running_count: row.running,
        unreleased_count: row.unreleased,
        by_hold_end: Some(by_reading(&row.by_hold_end)),
        by_release: Some(by_reading(&row.by_release)),
    }
}

fn by_reading(parts: &ByReading) -> pb::DurationsByReading {
    pb::DurationsByReading {
        all: Some(summary(&parts.all)),
        within_contiguous: Some(summary(&parts.within_contiguous)),
        past_contiguous: Some(summary(&parts.past_contiguous)),
        within_business: Some(summary(&parts.within_business)),
        past_business: Some(summary(&parts.past_business)),
    }
}

fn summary(summary: &Summary) -> pb::DurationStatistics {
    let figures = summary.figures.as_ref();
    pb::DurationStatistics {
        count: summary.count,
        sum: Some(wire_duration(summary.sum_us)),
        mean: figures.map(|figures| wire_duration(figures.mean_us)),
        median: figures.map(|figures| wire_duration(figures.median_us)),
        p90: figures.map(|figures| wire_duration(figures.p90_us)),
        max: figures.map(|figures| wire_duration(figures.max_us)),
    }
}
