//! Who is in custody: the daily certificate of a jail, and people who could post bail. Both read bookings themselves, part
//! by part: where somebody was on a day, and what was set for bail, lies in no row.

use super::super::auth::Principal;
use super::super::convert::decision::wire_outcome;
use super::super::names::of;
use super::super::paging::{Page, Resume};
use super::super::time::{Fields, stamp, wire_date, wire_duration, wire_interval, wire_money};
use super::super::{Api, error};
use super::file::File;
use super::query::Asked;
use super::{MOST_ROWS, NAMES, stays, version};
use crate::domain::booking::Booking;
use crate::domain::ids::{BookingId, FacilityId};
use crate::domain::time::Span;
use crate::pb::{self, ErrorReason};
use crate::report::bail::{self, BailRow};
use crate::report::certificate::{self, Counts, Day, UncoveredRow};
use crate::report::{GroupBy, select};
use crate::sheet::reports as sheets;
use std::collections::BTreeSet;
use std::sync::Arc;
use tonic::Status;

/// Whose bookings are gone through.
pub(super) enum Whom {
    /// In custody at some moment of a stretch.
    During(Span),
    /// In custody on the days asked for, or with a request received on them.
    OnDays,
    /// In custody at the instant counted to, with a request that is open.
    WithRequest,
}

/// Goes through bookings in order of their names.
pub(super) async fn each(
    api: &Api,
    asked: &Asked,
    whom: Whom,
    mut see: impl FnMut(&Booking) -> Result<(), Status>,
) -> Result<(), Status> {
    let (store, seq) = (api.ledger.store(), asked.pair.seq);
    let mut after: Option<BookingId> = None;
    loop {
        let names = match whom {
            Whom::During(span) => select::in_custody(store, &asked.id, seq, span, after.as_ref(), NAMES).await,
            Whom::OnDays => select::of_jails(store, &asked.id, seq, &asked.query, after.as_ref(), NAMES).await,
            Whom::WithRequest => select::with_request(store, &asked.id, seq, asked.query.until, after.as_ref(), NAMES).await,
        };
        let names = names.map_err(|error| error::of_store(&error))?;
        for part in names.chunks(stays::PART) {
            let found = stays::states(api, asked, part).await?;
            part.iter().filter_map(|id| found.get(id)).try_for_each(|booking: &Arc<Booking>| see(booking))?;
        }
        let full = u32::try_from(names.len()).is_ok_and(|found| found == NAMES);
        after = names.into_iter().next_back().filter(|_| full);
        if after.is_none() {
            return Ok(());
        }
    }
}

/// The daily certificate.
pub(super) async fn certificate(
    api: &Api,
    caller: &Principal,
    request: &pb::GetDailyCertificateRequest,
) -> Result<pb::GetDailyCertificateResponse, Status> {
    let mut fields = Fields::new();
    if request.query.as_ref().is_some_and(|query| query.facilities.len() != 1) {
        fields.bad("query.facilities", "must name the one jail that is certified");
    }
    let asked = Asked::read_for(api, caller, fields, request.query.as_ref(), None, &[GroupBy::Facility]).await?;
    let day = day(&asked)?;
    let (mut counts, mut rows, mut revisions) = (Counts::default(), Vec::new(), BTreeSet::new());
    each(api, &asked, Whom::During(day.span), |booking| {
        let (more, some) = certificate::of_booking(&day, booking);
        counts = counts.plus(more);
        revisions.extend(certificate::revisions(&day, booking).cloned());
        rows.extend(some);
        if rows.len() > MOST_ROWS {
            let why = format!("has more than {MOST_ROWS} people without authority: see the over-detention report, page by page");
            return Err(error::bad_fields(ErrorReason::LimitExceeded, vec![("query.period".into(), why)]));
        }
        Ok(())
    })
    .await?;
    rows.sort_by(|a, b| (a.since, &a.booking).cmp(&(b.since, &b.booking)));
    let zone = asked.county.zone_of(&day.facility);
    let certificate = pb::DailyCertificate {
        facility: of::facility(&asked.id, &day.facility),
        date: Some(wire_date(asked.query.start)),
        time_zone: zone.to_string(),
        interval: Some(wire_interval(day.span)),
        whole_day: day.span.end == zone.end_of(asked.query.start),
        in_custody_count: counts.in_custody,
        in_custody_at_end_count: counts.in_custody_at_end,
        on_hold_count: counts.on_hold,
        on_hold_at_end_count: counts.on_hold_at_end,
        on_hold_late_count: counts.on_hold_late,
        uncovered_count: counts.uncovered,
        uncovered_at_end_count: counts.uncovered_at_end,
        bases_not_known_count: counts.bases_not_known,
        rows: rows.iter().map(|row| uncovered(&asked, row)).collect(),
    };
    let file = File::of(&sheets::certificate::layout(), sheets::certificate::rows(&certificate))?;
    Ok(pb::GetDailyCertificateResponse {
        manifest: Some(asked.manifest(version::CERTIFICATE, &revisions, file)),
        certificate: Some(certificate),
        asked_by: caller.person.to_string(),
        credential: caller.actor.to_string(),
    })
}

/// The day that is certified, as far as it is over.
fn day(asked: &Asked) -> Result<Day, Status> {
    let query = &asked.query;
    let bad = |field: &str, why: &str| error::bad_fields(ErrorReason::FieldInvalid, vec![(field.to_owned(), why.to_owned())]);
    if query.start.succ_opt() != Some(query.end) {
        return Err(bad("query.period", "must be one day"));
    }
    let facility: FacilityId = query.facilities.iter().next().cloned().ok_or_else(|| bad("query.facilities", "is required"))?;
    let zone = asked.county.zone_of(&facility);
    let span = Span::new(zone.start_of(query.start), zone.end_of(query.start).min(query.until));
    if span.is_empty() {
        return Err(bad("query.period", "has not begun there at accrue_until: only what is over can be certified"));
    }
    Ok(Day { facility, span })
}

fn uncovered(asked: &Asked, row: &UncoveredRow) -> pb::UncoveredCustody {
    pb::UncoveredCustody {
        booking: of::booking(&asked.id, &row.booking),
        t0: Some(stamp(row.t0)),
        since_time: Some(stamp(row.since)),
        end_time: row.ended.map(stamp),
        duration: Some(wire_duration(row.us)),
    }
}

/// People who could post bail, page by page.
pub(super) async fn bail_eligible(
    api: &Api,
    caller: &Principal,
    request: &pb::ListBailEligibleRequest,
) -> Result<pb::ListBailEligibleResponse, Status> {
    let of_pages = pb::ListBailEligibleRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::read(&api.opaque, "ListBailEligible", &of_pages, request.page_size, &request.page_token, 1_000)?;
    let (query, resume) = (request.query.as_ref(), page.resume.as_ref());
    let asked = Asked::read_moment(api, caller, Fields::new(), query, resume, &bail::KEYS).await?;
    let after = resume.map(|resume| resume.key.as_str()).unwrap_or_default();
    let (mut file, mut shown, mut revisions) = (File::new(&sheets::bail::layout())?, Vec::new(), BTreeSet::new());
    each(api, &asked, Whom::WithRequest, |booking| {
        if let Some(row) = bail::of_booking(&asked.query, booking) {
            revisions.extend(row.detainers.iter().filter_map(|open| open.revision.clone()));
            file.row(&sheets::bail::row(&bail_row(&asked, &row)))?;
            if row.booking.as_str() > after && shown.len() <= page.size {
                shown.push(row);
            }
        }
        Ok(())
    })
    .await?;
    let more = shown.len() > page.size;
    shown.truncate(page.size);
    let next_page_token = match shown.last() {
        Some(last) if more => {
            let resume = Resume { seq: asked.pair.seq, at: asked.query.until.micros(), key: last.booking.to_string() };
            page.token(&api.opaque, &resume)
        }
        _ => String::new(),
    };
    Ok(pb::ListBailEligibleResponse {
        manifest: Some(asked.manifest(version::BAIL, &revisions, file.sum()?)),
        rows: shown.iter().map(|row| bail_row(&asked, row)).collect(),
        next_page_token,
    })
}

fn bail_row(asked: &Asked, row: &BailRow) -> pb::BailEligibleRow {
    let open = |one: &bail::Open| pb::OpenDetainer {
        detainer: of::detainer(&asked.id, &row.booking, &one.id),
        received_time: Some(stamp(one.received)),
        office_code: one.office.to_string(),
        outcome: one.outcome.map_or(0, |outcome| wire_outcome(outcome).into()),
    };
    pb::BailEligibleRow {
        booking: of::booking(&asked.id, &row.booking),
        facility: of::facility(&asked.id, &row.facility),
        bail: Some(wire_money(row.amount, &asked.county.profile.currency)),
        bail_set_time: Some(stamp(row.set)),
        only_charges: row.only_charges,
        detainers: row.detainers.iter().map(open).collect(),
        time_zone: asked.county.zone_of(&row.facility).to_string(),
    }
}
