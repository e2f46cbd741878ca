//! What is told of requests: how they were answered, those not honored one by one, what was owed for them.

use super::super::auth::Principal;
use super::super::convert::custody::wire_end_kind;
use super::super::convert::decision::{wire_outcome, wire_reason};
use super::super::convert::duty::wire_duty_kind;
use super::super::convert::form::{wire_component, wire_edition};
use super::super::convert::policy::wire_mode;
use super::super::names::of;
use super::super::time::{Fields, stamp, wire_pair};
use super::super::watch::Sender;
use super::super::{Api, error};
use super::file::File;
use super::query::{self, Asked};
use super::{MOST_ROWS, NAMES, send, stays, too_many_rows, version, wire};
use crate::domain::ids::{BookingId, RevisionId};
use crate::pb;
use crate::report::declined::DeclinedRow;
use crate::report::duties::{self, DutyCounts};
use crate::report::{GroupBy, decisions, requests, select};
use crate::sheet::reports as sheets;
use std::collections::BTreeSet;
use tonic::Status;

/// What requests are sliced and filtered by: all but what pays for custody and how it ended.
pub(super) const KEYS: [GroupBy; 9] = [
    GroupBy::Month,
    GroupBy::Week,
    GroupBy::Facility,
    GroupBy::Office,
    GroupBy::Component,
    GroupBy::Revision,
    GroupBy::Mode,
    GroupBy::Edition,
    GroupBy::DecisionReason,
];

/// Counts requests: those of custody that goes on from their bookings, all others from rows.
async fn each(api: &Api, asked: &Asked, mut count: impl FnMut(&decisions::Request)) -> Result<(), Status> {
    let of_store = |error| error::of_store(&error);
    let (store, seq, query) = (api.ledger.store(), asked.pair.seq, &asked.query);
    let mut after: Option<BookingId> = None;
    loop {
        let open = select::open(store, &asked.id, seq, query.until, after.as_ref(), NAMES).await.map_err(of_store)?;
        for part in open.chunks(stays::PART) {
            for booking in stays::states(api, asked, part).await?.values() {
                decisions::requests(query, &asked.county, booking).iter().for_each(&mut count);
            }
        }
        let full = u32::try_from(open.len()).is_ok_and(|found| found == NAMES);
        after = open.into_iter().next_back().filter(|_| full);
        if after.is_none() {
            break;
        }
    }
    let mut requests = requests::requests(store, &asked.id, seq, query).map_err(of_store)?;
    while let Some(part) = requests.part().await.map_err(of_store)? {
        part.iter().for_each(&mut count);
    }
    Ok(())
}

/// The decision report.
pub(super) async fn decisions(
    api: &Api,
    caller: &Principal,
    request: &pb::GetDecisionReportRequest,
) -> Result<pb::GetDecisionReportResponse, Status> {
    let mut fields = Fields::new();
    let by = query::group_by(&mut fields, &request.group_by, &KEYS);
    let asked = Asked::read_for(api, caller, fields, request.query.as_ref(), None, &KEYS).await?;
    let (mut counts, mut revisions) = (decisions::Counts::new(&by), BTreeSet::<RevisionId>::new());
    each(api, &asked, |request| {
        counts.add(request);
        if let Some(revision) = request.revision.as_ref().filter(|revision| !revisions.contains(*revision)) {
            revisions.insert(revision.clone());
        }
    })
    .await?;
    let (rows, total) = counts.finish();
    if rows.len() > MOST_ROWS {
        return Err(too_many_rows());
    }
    let rows: Vec<pb::DecisionReportRow> = rows.iter().map(|row| wire::decision_row(&asked, &by, row)).collect();
    let layout = sheets::decisions::layout(&sheets::keys_of(&request.group_by));
    let file = File::of(&layout, rows.iter().map(sheets::decisions::row))?;
    Ok(pb::GetDecisionReportResponse {
        manifest: Some(asked.manifest(version::DECISIONS, &revisions, file)),
        rows,
        total: Some(wire::decision_row(&asked, &[], &total)),
    })
}

/// Tells the requests that were not honored.
pub(super) async fn tell_declined(
    api: Api,
    asked: Asked,
    sender: Sender<pb::StreamDeclinedDetainersResponse>,
) -> Result<(), Status> {
    use pb::stream_declined_detainers_response::Part;
    let of_store = |error| error::of_store(&error);
    let part = |part| pb::StreamDeclinedDetainersResponse { part: Some(part) };
    send(&sender, part(Part::AsOfPair(wire_pair(asked.pair)))).await;
    let (mut file, mut revisions) = (File::new(&sheets::declined::layout())?, BTreeSet::new());
    let mut declined = requests::declined(api.ledger.store(), &asked.id, asked.pair.seq, &asked.query).map_err(of_store)?;
    while let Some(rows) = declined.part().await.map_err(of_store)? {
        for row in rows {
            revisions.extend(row.revision.clone());
            let row = declined_row(&asked, &row);
            file.row(&sheets::declined::row(&row))?;
            send(&sender, part(Part::Row(row))).await;
        }
    }
    send(&sender, part(Part::Manifest(asked.manifest(version::DECLINED, &revisions, file.sum()?)))).await;
    Ok(())
}

fn declined_row(asked: &Asked, row: &DeclinedRow) -> pb::DeclinedDetainerRow {
    let id = &asked.id;
    pb::DeclinedDetainerRow {
        booking: of::booking(id, &row.booking),
        detainer: of::detainer(id, &row.booking, &row.detainer),
        received_time: Some(stamp(row.received)),
        facility: of::facility(id, &row.facility),
        office_code: row.office.to_string(),
        component: wire_component(row.component).into(),
        form_edition: wire_edition(row.edition).into(),
        outcome: wire_outcome(row.outcome).into(),
        reason: wire_reason(row.why.reason, row.why.mode).into(),
        decision_effective_time: row.decided.map(stamp),
        policy_revision: row.revision.as_ref().map(|revision| of::revision(id, revision)).unwrap_or_default(),
        policy_mode: row.mode.map_or(0, |mode| wire_mode(mode).into()),
        booking_end_time: row.ended.map(|(at, _)| stamp(at)),
        booking_end_kind: row.ended.map_or(0, |(_, kind)| wire_end_kind(kind).into()),
        lifted_time: row.lifted.map(stamp),
        acknowledged_time: row.acknowledged.map(stamp),
        notice_time: row.noticed.map(stamp),
        time_zone: asked.county.zone_of(&row.facility).to_string(),
    }
}

/// The duty report.
pub(super) async fn duties(
    api: &Api,
    caller: &Principal,
    request: &pb::GetDutyReportRequest,
) -> Result<pb::GetDutyReportResponse, Status> {
    let of_store = |error| error::of_store(&error);
    let mut fields = Fields::new();
    let by = query::group_by(&mut fields, &request.group_by, &duties::KEYS);
    let asked = Asked::read_for(api, caller, fields, request.query.as_ref(), None, &duties::KEYS).await?;
    let mut counts = duties::Counts::new(&by);
    let mut owed = requests::duties(api.ledger.store(), &asked.id, asked.pair.seq, &asked.query).map_err(of_store)?;
    while let Some(part) = owed.part(&asked.county).await.map_err(of_store)? {
        part.iter().for_each(|owed| counts.add(owed));
        if counts.len() > MOST_ROWS {
            return Err(too_many_rows());
        }
    }
    let row = |keys, kind: Option<_>, counts: DutyCounts| pb::DutyReportRow {
        keys,
        kind: kind.map_or(0, |kind| wire_duty_kind(kind).into()),
        due: counts.due,
        in_time: counts.in_time,
        late: counts.late,
        overdue: counts.overdue,
    };
    let rows: Vec<pb::DutyReportRow> =
        counts.rows().map(|(keys, kind, counts)| row(wire::keys(&asked, &by, keys), Some(kind), counts)).collect();
    let layout = sheets::duties::layout(&sheets::keys_of(&request.group_by));
    let file = File::of(&layout, rows.iter().map(sheets::duties::row))?;
    Ok(pb::GetDutyReportResponse {
        manifest: Some(asked.manifest(version::DUTIES, &BTreeSet::new(), file)),
        rows,
        kinds: counts.kinds().map(|(kind, counts)| row(Vec::new(), Some(kind), counts)).collect(),
        total: Some(row(Vec::new(), None, counts.total())),
    })
}
