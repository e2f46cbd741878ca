//! `HoldService`: holds, the board, and what happens to holds as it happens.

use super::auth::principal;
use super::board::{Asked, afresh};
use super::convert::hold::{wire_ground, wire_happened, wire_hold, wire_hold_end};
use super::convert::one_of;
use super::names::{self, of};
use super::paging::Page;
use super::time::{Fields, micros, stamp, wire_pair};
use super::watch::{self, Part, Place, Sent, Watcher};
use super::{Api, error};
use crate::domain::event::Event;
use crate::domain::ids::{BookingId, CountyId, FacilityId};
use crate::domain::time::{HOUR_US, Instant};
use crate::domain::watching::{End, HoldEvent, Watching};
use crate::journal::record::{Record, Stream};
use crate::ledger::{AsOf, LedgerError};
use crate::pb::{self, BoardState};
use crate::rows::{Cell, ColType};
use crate::store::Param;
use std::collections::HashMap;
use tonic::{Request, Response, Status};

/// The most entries of one page.
const LARGEST: i32 = 500;
/// What counts as due soon where nothing is said.
const DUE_WITHIN_US: i64 = 4 * HOUR_US;
/// Records that a watcher reads at a time.
const PART: usize = 64;
/// Bookings that a watcher keeps folded.
const KEPT: usize = 4_096;

fn states(fields: &mut Fields, asked: &[i32]) -> Vec<BoardState> {
    use BoardState as S;
    if asked.is_empty() {
        return vec![S::Running, S::DueSoon, S::Over];
    }
    let mut states = Vec::with_capacity(asked.len());
    for (n, number) in asked.iter().enumerate() {
        match BoardState::try_from(*number) {
            Ok(S::Unspecified) | Err(_) => {
                let words = [S::Running, S::DueSoon, S::Over, S::Ended].map(|state| state.as_str_name());
                fields.bad(&format!("filter.states[{n}]"), one_of(&words));
            }
            Ok(state) => states.push(state),
        }
    }
    states
}

fn asked(fields: &mut Fields, county: Option<&CountyId>, request: &pb::ListHoldsRequest, at: Instant) -> Asked {
    let filter = request.filter.clone().unwrap_or_default();
    let due_within = request.due_within.as_ref().and_then(|length| fields.take("due_within", micros(length)));
    let facility = fields.optional_name("filter.facility", &filter.facility, names::facility);
    let booking = fields.optional_name("filter.booking", &filter.booking, names::booking);
    let other = |of: &CountyId| county.is_some_and(|county| county != of);
    if facility.as_ref().is_some_and(|(of, _)| other(of)) {
        fields.bad("filter.facility", "must be a facility of this county");
    }
    if booking.as_ref().is_some_and(|(of, _)| other(of)) {
        fields.bad("filter.booking", "must be a booking of this county");
    }
    let order = pb::BoardOrder::try_from(request.order).unwrap_or_else(|_| {
        use pb::BoardOrder as O;
        fields.bad("order", one_of(&[O::Deadline, O::Facility, O::Office].map(|order| order.as_str_name())));
        O::Deadline
    });
    Asked {
        at,
        due_within_us: due_within.unwrap_or(DUE_WITHIN_US),
        states: states(fields, &filter.states),
        facility: facility.map(|(_, facility)| facility),
        office: (!filter.office_code.is_empty()).then_some(filter.office_code),
        booking: booking.map(|(_, booking)| booking),
        order,
    }
}

#[tonic::async_trait]
impl pb::hold_service_server::HoldService for Api {
    async fn get_hold(&self, request: Request<pb::GetHoldRequest>) -> Result<Response<pb::GetHoldResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::hold);
        let as_of = fields.as_of(request.as_of.as_ref());
        let at = fields.optional_instant("at_time", request.at_time.as_ref());
        let Some((county, booking, id)) = name else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, shared, known) = self.booking_at(&caller, &county, &booking, as_of).await?;
        let at = self.moment(at, as_of, pair);
        let now = afresh(&shared, &known, pair, at)?;
        let hold = now.custody.holds.iter().find(|hold| hold.id == id);
        let hold = hold.ok_or_else(|| error::not_found("hold", &request.name))?;
        Ok(Response::new(pb::GetHoldResponse {
            hold: Some(wire_hold(&shared, &now, hold, at)),
            as_of_pair: Some(wire_pair(pair)),
            at_time: Some(stamp(at)),
        }))
    }

    async fn list_holds(&self, request: Request<pb::ListHoldsRequest>) -> Result<Response<pb::ListHoldsResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let county = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let at = fields.optional_instant("at_time", request.at_time.as_ref());
        let mut asked = asked(&mut fields, county.as_ref(), &request, Instant::MIN);
        let Some(county) = county else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListHoldsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListHolds", &query, request.page_size, &request.page_token, LARGEST)?;
        let (pair, shared) = self.county_at(&caller, &county, page.as_of(as_of)).await?;
        let resumed = page.resume.as_ref().map(|resume| Instant::from_micros(resume.at));
        asked.at = resumed.unwrap_or_else(|| self.moment(at, as_of, pair));
        let places = self.board(&shared, pair, &asked).await?;
        let (places, next_page_token) = page.cut(&self.opaque, pair.seq, asked.at.micros(), places, |(place, _)| place.clone());
        let ids: Vec<BookingId> = places.into_iter().map(|(_, id)| id).collect();
        Ok(Response::new(pb::ListHoldsResponse {
            entries: self.board_entries(&shared, pair, &asked, &ids).await?,
            as_of_pair: Some(wire_pair(pair)),
            next_page_token,
            at_time: Some(stamp(asked.at)),
        }))
    }

    type WatchHoldsStream = Sent<pb::WatchHoldsResponse>;

    async fn watch_holds(&self, request: Request<pb::WatchHoldsRequest>) -> Result<Response<Self::WatchHoldsStream>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let county = fields.name("parent", &request.parent, names::county);
        let facility = fields.optional_name("facility", &request.facility, names::facility);
        let Some(county) = county else { return Err(fields.refusal()) };
        if facility.as_ref().is_some_and(|(of, _)| *of != county) {
            fields.bad("facility", "must be a facility of this county");
        }
        fields.finish()?;
        self.county_at(&caller, &county, AsOf::Latest).await?;
        let facility = facility.map(|(_, facility)| facility);
        let watcher = Holds { county: county.clone(), facility, kept: HashMap::new() };
        Ok(Response::new(watch::stream(self, "WatchHolds", &county, &request.cursor, watcher).await?))
    }
}

/// Tells what happens to holds.
struct Holds {
    county: CountyId,
    facility: Option<FacilityId>,
    /// Bookings as of the last record that was read.
    kept: HashMap<BookingId, Watching>,
}

impl Holds {
    /// What a record tells.
    async fn told(&mut self, api: &Api, record: &Record) -> Result<Vec<HoldEvent>, Status> {
        let Stream::Booking(id) = &record.stream else { return Ok(Vec::new()) };
        let begins = record.events.iter().any(|event| matches!(event, Event::BookingCreated(_)));
        let mut watching = match self.kept.remove(id) {
            Some(watching) => watching,
            None if begins => Watching::default(),
            None => self.earlier(api, id, record.seq).await?,
        };
        let told = watching.step(record.seq, record.recorded, &record.events);
        if self.kept.len() >= KEPT {
            self.kept.clear();
        }
        self.kept.insert(id.clone(), watching);
        Ok(told)
    }

    /// A booking as it was before a record.
    async fn earlier(&self, api: &Api, id: &BookingId, before: i64) -> Result<Watching, Status> {
        let sql = "select seq, payload from journal where county = $1 and stream = $2 and seq < $3 order by seq";
        let stream = Stream::Booking(id.clone()).key();
        let params = [Param::from(self.county.as_str()), stream.into(), before.into()];
        let rows = api.ledger.store().query(sql, &params, &[ColType::Int, ColType::Bytes]).await;
        let mut watching = Watching::default();
        for row in rows.map_err(|error| error::of_store(&error))? {
            let seq = row.first().and_then(Cell::as_int).unwrap_or(0);
            let payload = row.get(1).and_then(Cell::as_bytes).unwrap_or_default();
            let unreadable = |error| error::of_ledger("WatchHolds", LedgerError::Unreadable { seq, error });
            let record = Record::decode(payload).map_err(unreadable)?;
            watching.step(record.seq, record.recorded, &record.events);
        }
        Ok(watching)
    }

    fn wire(&self, booking: &BookingId, record: &Record, event: &HoldEvent) -> pb::HoldEvent {
        let county = &self.county;
        pb::HoldEvent {
            kind: wire_happened(event.happened).into(),
            booking: of::booking(county, booking),
            hold: event.hold.as_ref().map(|hold| of::hold(county, booking, hold)).unwrap_or_default(),
            detainer: event.detainer.as_ref().map(|detainer| of::detainer(county, booking, detainer)).unwrap_or_default(),
            facility: event.facility.as_ref().map(|facility| of::facility(county, facility)).unwrap_or_default(),
            event_time: Some(stamp(event.at)),
            deadline: event.deadline.map(stamp),
            authority_until: event.until.map(stamp),
            old_deadline: event.old_deadline.map(stamp),
            end_reason: match event.end {
                None => 0,
                Some(End::Corrected) => pb::HoldEndReason::Corrected.into(),
                Some(End::Reason(reason)) => wire_hold_end(reason).into(),
            },
            sequence: record.seq,
            recorded_time: Some(stamp(record.recorded)),
            ground: wire_ground(event.ground).into(),
        }
    }
}

#[tonic::async_trait]
impl Watcher for Holds {
    type Found = pb::HoldEvent;
    type Message = pb::WatchHoldsResponse;

    async fn read(&mut self, api: &Api, from: Place, head: i64) -> Result<Part<pb::HoldEvent>, Status> {
        let records = api.ledger.records(&self.county, from.seq, head, PART).await;
        let records = records.map_err(|error| error::of_ledger("WatchHolds", error))?;
        let (mut found, mut reached) = (Vec::new(), from);
        for record in &records {
            // A record that was begun is gone on with after what of it was told.
            let already = if record.seq == from.seq + 1 { from.told } else { 0 };
            let told = self.told(api, record).await?;
            let count = u32::try_from(told.len()).unwrap_or(u32::MAX);
            for (n, event) in (1..).zip(&told) {
                let Stream::Booking(booking) = &record.stream else { continue };
                if n <= already || self.facility.as_ref().is_some_and(|wanted| event.facility.as_ref() != Some(wanted)) {
                    continue;
                }
                let place = if n == count { Place::after(record.seq) } else { Place { seq: record.seq - 1, told: n } };
                found.push((place, self.wire(booking, record, event)));
            }
            reached = Place::after(record.seq);
        }
        Ok(Part { found, reached })
    }

    fn message(&self, cursor: String, event: Option<pb::HoldEvent>) -> pb::WatchHoldsResponse {
        pb::WatchHoldsResponse { cursor, event }
    }
}
