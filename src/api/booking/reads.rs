//! Answers about one booking: what is recorded, its timeline, and whether the person may be held.

use super::super::Api;
use super::super::auth::Principal;
use super::super::convert::booking::{Shown, wire_answer, wire_booking, wire_stretch};
use super::super::convert::custody::wire_identity;
use super::super::convert::facts::wire_record;
use super::super::convert::shows_identity;
use super::super::error::of_refusal;
use super::super::names;
use super::super::sealing::Opener;
use super::super::time::{Fields, stamp, wire_pair};
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::release;
use crate::domain::time::Instant;
use crate::domain::timeline::timeline;
use crate::identity::Label;
use crate::ledger::Pair;
use crate::pb;
use std::sync::Arc;
use tonic::Status;

/// A booking as of a point, and the instant that a question about it asks about.
struct Moment {
    pair: Pair,
    county: Arc<County>,
    booking: Arc<Booking>,
    at: Instant,
}

impl Api {
    async fn booking_then(
        &self,
        caller: &Principal,
        name: &str,
        as_of: Option<&pb::AsOf>,
        at: Option<&prost_types::Timestamp>,
    ) -> Result<Moment, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", name, names::booking);
        let as_of = fields.as_of(as_of);
        let at = fields.optional_instant("at_time", at);
        let Some((county, id)) = name else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, county, booking) = self.booking_at(caller, &county, &id, as_of).await?;
        Ok(Moment { pair, county, booking, at: self.moment(at, as_of, pair) })
    }

    /// Reads a booking.
    pub(super) async fn get_booking_for(
        &self,
        caller: &Principal,
        request: pb::GetBookingRequest,
    ) -> Result<pb::GetBookingResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::booking);
        let as_of = fields.as_of(request.as_of.as_ref());
        let identity = shows_identity(&mut fields, "view", request.view);
        let Some((county, id)) = name else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, shared, known) = self.booking_at(caller, &county, &id, as_of).await?;
        let mut shown = Shown::default();
        if identity {
            let subjects = std::slice::from_ref(&known.subject);
            let opener = self.opener(caller, "GetBooking", &county, subjects).await?;
            shown = opened(&opener, &known).await?;
        }
        Ok(pb::GetBookingResponse {
            booking: Some(wire_booking(&county, &known, shown)),
            as_of_pair: Some(wire_pair(pair)),
            facts: known.facts.iter().map(|record| wire_record(&shared, &id, record)).collect(),
        })
    }

    /// Every stretch of a booking.
    pub(super) async fn get_timeline_for(
        &self,
        caller: &Principal,
        request: pb::GetTimelineRequest,
    ) -> Result<pb::GetTimelineResponse, Status> {
        let Moment { pair, county: shared, booking: known, at } =
            self.booking_then(caller, &request.name, request.as_of.as_ref(), request.at_time.as_ref()).await?;
        let now = release::afresh(&shared, &known, pair.recorded.unwrap_or(at), at)
            .map_err(|refusal| of_refusal("GetTimeline", &refusal))?;
        let facility = now.facility_at(at);
        let zone = facility.map_or(shared.profile.zone, |facility| shared.zone_of(facility));
        Ok(pb::GetTimelineResponse {
            spans: timeline(&now, at).iter().map(|stretch| wire_stretch(&shared.id, &now, stretch)).collect(),
            as_of_pair: Some(wire_pair(pair)),
            at_time: Some(stamp(at)),
            t0s: now.custody.gaps.iter().map(|gap| gap.t0).filter(|t0| *t0 <= at).map(stamp).collect(),
            time_zone: zone.to_string(),
        })
    }

    /// Whether a person may be held.
    pub(super) async fn check_release_for(
        &self,
        caller: &Principal,
        request: pb::CheckReleaseRequest,
    ) -> Result<pb::CheckReleaseResponse, Status> {
        let Moment { pair, county: shared, booking: known, at } =
            self.booking_then(caller, &request.name, request.as_of.as_ref(), request.at_time.as_ref()).await?;
        let answer = release::check(&shared, &known, pair.recorded.unwrap_or(at), at)
            .map_err(|refusal| of_refusal("CheckRelease", &refusal))?;
        Ok(pb::CheckReleaseResponse { as_of_pair: Some(wire_pair(pair)), ..wire_answer(&shared, &known, at, &answer) })
    }
}

/// What is shown of a person in an answer that may.
pub(super) async fn opened(opener: &Opener<'_>, known: &Booking) -> Result<Shown, Status> {
    let officer = known.ending.as_ref().and_then(|ending| ending.officer.as_ref());
    Ok(Shown {
        identity: opener.identity(&known.subject)?.as_ref().map(wire_identity),
        receiving_officer: opener.text(&known.subject, Label::Officer, officer).await?,
    })
}
