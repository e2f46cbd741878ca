//! What Georgia and North Carolina ask of their jails, as far as it is recorded: counted from bookings themselves, part by
//! part, since a filed figure has to be the one that the booking shows.

use super::super::Api;
use super::super::auth::Principal;
use super::super::convert::hold::wire_hold_end;
use super::super::time::{Fields, wire_duration};
use super::custody::{self, Whom};
use super::file::File;
use super::query::Asked;
use super::{uncounted, version};
use crate::domain::booking::HoldEnd;
use crate::pb;
use crate::report::GroupBy;
use crate::report::statutory::{self, Georgia, NorthCarolina, RequestCounts, Unrecorded};
use crate::sheet::reports::statutory as sheets;
use tonic::Status;

/// Only places are asked for.
const KEYS: [GroupBy; 1] = [GroupBy::Facility];

/// Georgia's counts.
pub(super) async fn georgia(
    api: &Api,
    caller: &Principal,
    request: &pb::GetGeorgiaQuarterlyReportRequest,
) -> Result<pb::GetGeorgiaQuarterlyReportResponse, Status> {
    let asked = Asked::read_for(api, caller, Fields::new(), request.query.as_ref(), None, &KEYS).await?;
    let mut counts = Georgia::default();
    custody::each(api, &asked, Whom::OnDays, |booking| {
        counts.add(&asked.query, &asked.county, booking);
        Ok(())
    })
    .await?;
    let revisions = std::mem::take(&mut counts.revisions);
    let counts = pb::GeorgiaQuarterlyCounts {
        booked_count: counts.booked,
        confined_count: counts.confined,
        requests: Some(requests(&counts.requests)),
    };
    let not_recorded = lacks(&statutory::GEORGIA_LACKS);
    let file = File::of(&sheets::georgia(), [sheets::georgia_row(&counts, &not_recorded)])?;
    Ok(pb::GetGeorgiaQuarterlyReportResponse {
        manifest: Some(asked.manifest(version::GEORGIA, &revisions, file)),
        counts: Some(counts),
        not_recorded,
    })
}

/// North Carolina's counts.
pub(super) async fn north_carolina(
    api: &Api,
    caller: &Principal,
    request: &pb::GetNorthCarolinaAnnualReportRequest,
) -> Result<pb::GetNorthCarolinaAnnualReportResponse, Status> {
    let asked = Asked::read_for(api, caller, Fields::new(), request.query.as_ref(), None, &KEYS).await?;
    let mut counts = NorthCarolina::default();
    custody::each(api, &asked, Whom::OnDays, |booking| {
        counts.add(&asked.query, &asked.county, booking).map_err(|error| uncounted(&error))
    })
    .await?;
    let ends = counts.ended.iter().map(|(reason, ended)| pb::HoldEndCount {
        end_reason: wire_hold_end(*reason).into(),
        hold_count: ended.count,
        duration: Some(wire_duration(ended.us)),
    });
    let revisions = counts.revisions.clone();
    let counts = pb::NorthCarolinaAnnualCounts {
        requests: Some(requests(&counts.requests)),
        state_order_count: counts.orders,
        hold_count: counts.holds,
        running_count: counts.running,
        taken_count: counts.ended_by(HoldEnd::FederalCustody).count,
        rescinded_count: counts.ended_by(HoldEnd::Lifted).count,
        expired_count: counts.ended_by(HoldEnd::Deadline).count,
        ends: ends.collect(),
    };
    let not_recorded = lacks(&statutory::NORTH_CAROLINA_LACKS);
    let file = File::of(&sheets::north_carolina(), [sheets::north_carolina_row(&counts, &not_recorded)])?;
    Ok(pb::GetNorthCarolinaAnnualReportResponse {
        manifest: Some(asked.manifest(version::NORTH_CAROLINA, &revisions, file)),
        counts: Some(counts),
        not_recorded,
    })
}

fn requests(counts: &RequestCounts) -> pb::StatutoryRequestCounts {
    pb::StatutoryRequestCounts {
        received_count: counts.received,
        ice_count: counts.of_ice,
        administrative_warrant_count: counts.with_warrant,
        honored_count: counts.honored,
        not_honored_count: counts.not_honored,
        held_count: counts.held,
        federal_custody_count: counts.taken,
        notice_count: counts.notices,
    }
}

fn lacks(lacks: &[Unrecorded]) -> Vec<i32> {
    let word = |one: &Unrecorded| match one {
        Unrecorded::Inquiries => pb::UnrecordedFigure::StatusInquiries,
        Unrecorded::Responses => pb::UnrecordedFigure::InquiryResponses,
        Unrecorded::Birthplace => pb::UnrecordedFigure::BirthplaceOrNationality,
        Unrecorded::Status => pb::UnrecordedFigure::ImmigrationStatus,
    };
    lacks.iter().map(word).map(i32::from).collect()
}
