//! Lists of requests, decisions and duties, by snapshot: the tables say which ones, their bookings' own records what they
//! say at the instant asked about.

use super::super::Api;
use super::super::auth::Principal;
use super::super::convert::decision::{outcome, wire_decision};
use super::super::convert::detainer::{Shown, state_at, wire_detainer};
use super::super::convert::duty::{duty_id, duty_kind, wire_duty};
use super::super::convert::form::{Told, edition};
use super::super::convert::{one_of, shows_identity};
use super::super::error::{of_ledger, of_store};
use super::super::names;
use super::super::paging::{Page, Resume};
use super::super::time::{Fields, stamp, wire_pair};
use super::defect;
use super::reads::opened;
use crate::domain::booking::Booking;
use crate::domain::decision::Outcome;
use crate::domain::detainer::{Detainer, Duty, DutyKind};
use crate::domain::event::DutiesSet;
use crate::domain::ids::{BookingId, CountyId, DetainerId, FacilityId};
use crate::domain::numbered::Numbered as _;
use crate::domain::time::{Instant, Span};
use crate::journal::wire::decode;
use crate::ledger::Pair;
use crate::pb;
use crate::rows::{Cell, ColType};
use crate::store::Param;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tonic::Status;

/// The most entries of one page.
const LARGEST: i32 = 500;
/// Requests looked at for one page whose filter the tables cannot answer; the page may then be short, with a token.
const LOOKED_AT: usize = 5_000;

/// A county, one booking or one request of it.
struct Parent {
    county: CountyId,
    booking: Option<BookingId>,
    detainer: Option<DetainerId>,
}

impl Parent {
    fn read(fields: &mut Fields, name: &str, to_detainers: bool) -> Option<Self> {
        if let Ok(county) = names::county(name) {
            return Some(Self { county, booking: None, detainer: None });
        }
        if let Ok((county, booking)) = names::booking(name) {
            return Some(Self { county, booking: Some(booking), detainer: None });
        }
        if let (true, Ok((county, booking, detainer))) = (to_detainers, names::detainer(name)) {
            return Some(Self { county, booking: Some(booking), detainer: Some(detainer) });
        }
        let detainers = if to_detainers { ", or .../bookings/{booking}/detainers/{detainer}" } else { "" };
        fields.bad("parent", format!("must be counties/{{county}} or counties/{{county}}/bookings/{{booking}}{detainers}"));
        None
    }

    fn params(&self) -> [Param; 2] {
        let booking = Param::from(self.booking.as_ref().map(BookingId::as_str));
        [booking, Param::from(self.detainer.as_ref().map(DetainerId::as_str))]
    }
}

/// A facility of the county, where one is asked for.
pub(super) fn facility(fields: &mut Fields, field: &str, county: Option<&CountyId>, name: &str) -> Option<FacilityId> {
    let (of, facility) = fields.optional_name(field, name, names::facility)?;
    if county.is_some_and(|county| *county != of) {
        fields.bad(field, "must be a facility of this county");
    }
    Some(facility)
}

/// Which requests are wanted.
struct Wanted {
    facility: Option<FacilityId>,
    office: Option<String>,
    edition: Option<i64>,
    received: Span,
    state: Option<pb::DetainerState>,
    outcome: Option<Outcome>,
}

impl Wanted {
    fn read(fields: &mut Fields, county: Option<&CountyId>, filter: &pb::DetainerFilter) -> Self {
        let stated = |number: i32| number != 0;
        let state = match pb::DetainerState::try_from(filter.state) {
            Ok(pb::DetainerState::Unspecified) => None,
            Ok(state) => Some(state),
            Err(_) => {
                use pb::DetainerState as S;
                let words = [S::Open, S::Lifted, S::Replaced, S::Closed].map(|state| state.as_str_name());
                fields.bad("filter.state", one_of(&words));
                None
            }
        };
        let edition = if stated(filter.edition) { edition(fields, "filter.edition", filter.edition) } else { None };
        Self {
            facility: facility(fields, "filter.facility", county, &filter.facility),
            office: (!filter.office_code.is_empty()).then(|| filter.office_code.clone()),
            edition: edition.map(|edition| edition.number()),
            received: fields
                .filter_interval("filter.received", filter.received.as_ref())
                .unwrap_or(Span::new(Instant::MIN, Instant::FAR)),
            state,
            outcome: if stated(filter.outcome) { outcome(fields, "filter.outcome", filter.outcome) } else { None },
        }
    }

    /// What the tables cannot say: where it stands at the instant asked about.
    fn has(&self, booking: &Booking, detainer: &Detainer, at: Instant) -> bool {
        let answered = detainer.decision_at(at.max(detainer.received.effective)).map(|decision| decision.outcome);
        self.state.is_none_or(|state| state_at(booking, detainer, at) == state)
            && self.outcome.is_none_or(|outcome| answered == Some(outcome))
    }
}

/// The place of a request in the order of lists.
type Key = (i64, BookingId, DetainerId);

fn key_text((received, booking, detainer): &Key) -> String {
    format!("{received} {booking} {detainer}")
}

fn key_of(text: &str) -> Option<Key> {
    let mut parts = text.split(' ');
    let received = parts.next()?.parse().ok()?;
    Some((received, BookingId::trusted(parts.next()?), DetainerId::trusted(parts.next()?)))
}

impl Api {
    /// Lists requests, by received time and name.
    pub(super) async fn list_detainers_for(
        &self,
        caller: &Principal,
        request: pb::ListDetainersRequest,
    ) -> Result<pb::ListDetainersResponse, Status> {
        let mut fields = Fields::new();
        let parent = Parent::read(&mut fields, &request.parent, false);
        let as_of = fields.as_of(request.as_of.as_ref());
        let at = fields.optional_instant("at_time", request.at_time.as_ref());
        let identity = shows_identity(&mut fields, "view", request.view);
        let filter = request.filter.clone().unwrap_or_default();
        let wanted = Wanted::read(&mut fields, parent.as_ref().map(|parent| &parent.county), &filter);
        let Some(parent) = parent else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListDetainersRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListDetainers", &query, request.page_size, &request.page_token, LARGEST)?;
        let (pair, shared) = self.county_at(caller, &parent.county, page.as_of(as_of)).await?;
        let at = page.resume.as_ref().map_or_else(|| self.moment(at, as_of, pair), |resume| Instant::from_micros(resume.at));
        let token = |key: &Key| page.token(&self.opaque, &Resume { seq: pair.seq, at: at.micros(), key: key_text(key) });

        let (mut kept, mut next_page_token): (Vec<(Key, Arc<Booking>)>, _) = (Vec::new(), String::new());
        let mut last = page.resume.as_ref().and_then(|resume| key_of(&resume.key));
        let (step, mut looked_at) = (page.size + 1, 0);
        'pages: loop {
            let keys = self.requests_wanted(&parent, pair, &wanted, last.as_ref(), step).await?;
            let ids: Vec<BookingId> = keys.iter().map(|(_, booking, _)| booking.clone()).collect();
            let known = self.bookings_of(&parent.county, ids, pair).await?;
            let whole = keys.len() < step;
            for key in keys {
                looked_at += 1;
                let booking = known.get(&key.1).ok_or_else(defect)?;
                let detainer = booking.detainer(&key.2).ok_or_else(defect)?;
                if wanted.has(booking, detainer, at) {
                    if kept.len() == page.size {
                        next_page_token = kept.last().map(|(key, _)| token(key)).unwrap_or_default();
                        break 'pages;
                    }
                    kept.push((key.clone(), booking.clone()));
                }
                last = Some(key);
            }
            if whole {
                break;
            }
            if looked_at >= LOOKED_AT {
                next_page_token = last.as_ref().map(token).unwrap_or_default();
                break;
            }
        }
        let opener = if identity {
            let subjects: Vec<_> = kept.iter().map(|(_, booking)| booking.subject.clone()).collect();
            Some(self.opener(caller, "ListDetainers", &parent.county, &subjects).await?)
        } else {
            None
        };
        let mut detainers = Vec::with_capacity(kept.len());
        for ((.., id), booking) in &kept {
            let Some(detainer) = booking.detainer(id) else { continue };
            let told = match &opener {
                Some(opener) => opened(opener, booking, detainer).await?,
                None => Told::default(),
            };
            detainers.push(wire_detainer(&shared, booking, detainer, Shown { at, told: &told, explained: false }));
        }
        Ok(pb::ListDetainersResponse { detainers, as_of_pair: Some(wire_pair(pair)), next_page_token, at_time: Some(stamp(at)) })
    }

    async fn requests_wanted(
        &self,
        parent: &Parent,
        pair: Pair,
        wanted: &Wanted,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, Status> {
        let sql = "select d.received_at, d.booking, d.detainer from detainers d \
                   join bookings b on b.county = d.county and b.booking = d.booking and b.from_seq <= $2 \
                   and (b.to_seq is null or b.to_seq > $2) \
                   where d.county = $1 and d.from_seq <= $2 and (d.to_seq is null or d.to_seq > $2) \
                   and d.received_at >= $3 and d.received_at < $4 and (d.received_at, d.booking, d.detainer) > ($5, $6, $7) \
                   and (cast($8 as text) is null or d.booking = $8) and (cast($9 as text) is null or b.facility = $9) \
                   and (cast($10 as text) is null or d.office = $10) and (cast($11 as bigint) is null or d.edition = $11) \
                   order by d.received_at, d.booking, d.detainer limit $12";
        let (received, booking, detainer) =
            after.map_or((i64::MIN, "", ""), |(at, booking, detainer)| (*at, booking.as_str(), detainer.as_str()));
        let [of_booking, _] = parent.params();
        let params = [
            parent.county.as_str().into(),
            pair.seq.into(),
            wanted.received.start.into(),
            wanted.received.end.into(),
            received.into(),
            booking.into(),
            detainer.into(),
            of_booking,
            Param::from(wanted.facility.as_ref().map(FacilityId::as_str)),
            Param::from(wanted.office.as_deref()),
            Param::from(wanted.edition),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ];
        let rows = self.ledger.store().query(sql, &params, &[ColType::Int, ColType::Text, ColType::Text]).await;
        let row = |row: &Vec<Cell>| {
            let (booking, detainer) = (row.get(1)?.as_text()?, row.get(2)?.as_text()?);
            Some((row.first()?.as_int()?, BookingId::trusted(booking), DetainerId::trusted(detainer)))
        };
        Ok(rows.map_err(|error| of_store(&error))?.iter().filter_map(row).collect())
    }

    async fn bookings_of(
        &self,
        county: &CountyId,
        mut ids: Vec<BookingId>,
        pair: Pair,
    ) -> Result<HashMap<BookingId, Arc<Booking>>, Status> {
        ids.sort();
        ids.dedup();
        self.ledger.bookings(county, &ids, pair).await.map_err(|error| of_ledger("", error))
    }

    /// Lists decisions, by recorded order.
    pub(super) async fn list_decisions_for(
        &self,
        caller: &Principal,
        request: pb::ListDecisionsRequest,
    ) -> Result<pb::ListDecisionsResponse, Status> {
        let mut fields = Fields::new();
        let parent = Parent::read(&mut fields, &request.parent, true);
        let as_of = fields.as_of(request.as_of.as_ref());
        let wanted = if request.outcome == 0 { None } else { outcome(&mut fields, "outcome", request.outcome) };
        let effective = fields.filter_interval("effective", request.effective.as_ref());
        let effective = effective.unwrap_or(Span::new(Instant::MIN, Instant::FAR));
        let Some(parent) = parent else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListDecisionsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListDecisions", &query, request.page_size, &request.page_token, LARGEST)?;
        let (pair, shared) = self.county_at(caller, &parent.county, page.as_of(as_of)).await?;
        let sql = "select d.seq, d.booking, d.detainer, d.n from decisions d where d.county = $1 and d.seq <= $2 \
                   and (d.seq, d.detainer, d.n) > ($3, $4, $5) and (cast($6 as text) is null or d.booking = $6) \
                   and (cast($7 as text) is null or d.detainer = $7) and (cast($8 as bigint) is null or d.outcome = $8) \
                   and d.effective_at >= $9 and d.effective_at < $10 order by d.seq, d.detainer, d.n limit $11";
        // One record is about one booking.
        let resume = page.resume.as_ref().map(|resume| resume.key.split(' ').collect::<Vec<_>>());
        let after = match resume.as_deref() {
            Some([seq, detainer, n]) => seq.parse::<i64>().ok().zip(n.parse::<i64>().ok()).map(|(seq, n)| (seq, *detainer, n)),
            _ => None,
        };
        let (seq, detainer, n) = after.unwrap_or((0, "", 0));
        let [of_booking, of_detainer] = parent.params();
        let params = [
            parent.county.as_str().into(),
            pair.seq.into(),
            seq.into(),
            detainer.into(),
            n.into(),
            of_booking,
            of_detainer,
            Param::from(wanted.map(|outcome| outcome.number())),
            effective.start.into(),
            effective.end.into(),
            i64::try_from(page.size).unwrap_or(i64::MAX).saturating_add(1).into(),
        ];
        let types = [ColType::Int, ColType::Text, ColType::Text, ColType::Int];
        let rows = self.ledger.store().query(sql, &params, &types).await.map_err(|error| of_store(&error))?;
        let row = |row: &Vec<Cell>| {
            let (booking, detainer) = (row.get(1)?.as_text()?, row.get(2)?.as_text()?);
            let (booking, detainer) = (BookingId::trusted(booking), DetainerId::trusted(detainer));
            Some((row.first()?.as_int()?, booking, detainer, row.get(3)?.as_int()?))
        };
        let mut keys: Vec<_> = rows.iter().filter_map(row).collect();
        let more = keys.len() > page.size;
        keys.truncate(page.size);
        let next_page_token = match keys.last() {
            Some((seq, _, detainer, n)) if more => {
                page.token(&self.opaque, &Resume { seq: pair.seq, at: 0, key: format!("{seq} {detainer} {n}") })
            }
            _ => String::new(),
        };
        let ids = keys.iter().map(|(_, booking, ..)| booking.clone()).collect();
        let known = self.bookings_of(&parent.county, ids, pair).await?;
        let mut decisions = Vec::with_capacity(keys.len());
        for (_, booking, detainer, n) in &keys {
            let booking = known.get(booking).ok_or_else(defect)?;
            let detainer = booking.detainer(detainer).ok_or_else(defect)?;
            let decision = detainer.decisions.iter().find(|decision| i64::from(decision.n) == *n).ok_or_else(defect)?;
            let at = pair.recorded.unwrap_or(decision.at.recorded);
            decisions.push(wire_decision(&shared, booking, detainer, decision, at, true));
        }
        Ok(pb::ListDecisionsResponse { decisions, as_of_pair: Some(wire_pair(pair)), next_page_token })
    }

    /// Lists duties, by the time they are due.
    pub(super) async fn list_duties_for(
        &self,
        caller: &Principal,
        request: pb::ListDutiesRequest,
    ) -> Result<pb::ListDutiesResponse, Status> {
        let mut fields = Fields::new();
        let parent = Parent::read(&mut fields, &request.parent, true);
        let as_of = fields.as_of(request.as_of.as_ref());
        let filter = request.filter.clone().unwrap_or_default();
        let kind = if filter.kind == 0 { None } else { duty_kind(&mut fields, "filter.kind", filter.kind) };
        let before = fields.optional_instant("filter.due_before", filter.due_before.as_ref());
        let at = facility(&mut fields, "filter.facility", parent.as_ref().map(|parent| &parent.county), &filter.facility);
        let Some(parent) = parent else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListDutiesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListDuties", &query, request.page_size, &request.page_token, LARGEST)?;
        let (pair, _) = self.county_at(caller, &parent.county, page.as_of(as_of)).await?;
        let wanted = Owed { kind, done: filter.done, before: before.unwrap_or(Instant::FAR), facility: at };
        let mut found = self.duties_wanted(&parent, pair, &wanted, &page).await?;
        let mut next_page_token = String::new();
        if found.len() > page.size {
            found.pop_last();
            let last = found.last_key_value().map(|(key, _)| key.clone()).unwrap_or_default();
            next_page_token = page.token(&self.opaque, &Resume { seq: pair.seq, at: 0, key: last });
        }
        Ok(pb::ListDutiesResponse { duties: found.into_values().collect(), as_of_pair: Some(wire_pair(pair)), next_page_token })
    }

    /// The first duties after where the page goes on, one more than it takes, by the time they are due.
    async fn duties_wanted(
        &self,
        parent: &Parent,
        pair: Pair,
        wanted: &Owed,
        page: &Page,
    ) -> Result<BTreeMap<String, pb::Duty>, Status> {
        let sql = "select d.booking, d.detainer, b.facility, d.duties from detainers d \
                   join bookings b on b.county = d.county and b.booking = d.booking and b.from_seq <= $2 \
                   and (b.to_seq is null or b.to_seq > $2) \
                   where d.county = $1 and d.from_seq <= $2 and (d.to_seq is null or d.to_seq > $2) \
                   and (cast($3 as text) is null or d.booking = $3) and (cast($4 as text) is null or d.detainer = $4) \
                   and (cast($5 as text) is null or b.facility = $5) and ($6 = 0 or d.next_due < $7)";
        let [of_booking, of_detainer] = parent.params();
        let params = [
            parent.county.as_str().into(),
            pair.seq.into(),
            of_booking,
            of_detainer,
            Param::from(wanted.facility.as_ref().map(FacilityId::as_str)),
            i64::from(wanted.done == Some(false)).into(),
            wanted.before.into(),
        ];
        let types = [ColType::Text, ColType::Text, ColType::Text, ColType::Bytes];
        let mut chunks = self.ledger.store().stream(sql, &params, &types).map_err(|error| of_store(&error))?;
        let after = page.resume.as_ref().map(|resume| resume.key.as_str()).unwrap_or_default();
        let mut found = BTreeMap::new();
        while let Some(chunk) = chunks.next().await {
            for row in chunk.map_err(|error| of_store(&error))? {
                let [booking, detainer, facility, duties] = row.as_slice() else { return Err(defect()) };
                let booking = BookingId::trusted(booking.as_text().ok_or_else(defect)?);
                let detainer = DetainerId::trusted(detainer.as_text().ok_or_else(defect)?);
                let facility = facility.as_text().map(FacilityId::trusted);
                let set: DutiesSet = decode(duties.as_bytes().ok_or_else(defect)?).map_err(|_| defect())?;
                for duty in set.duties.iter().filter(|duty| wanted.has(duty)) {
                    let due = duty.due.micros().wrapping_sub(i64::MIN).cast_unsigned();
                    let key = format!("{due:020} {booking} {detainer} {}", duty_id(duty));
                    if key.as_str() > after {
                        found.insert(key, wire_duty(&parent.county, &booking, &detainer, facility.as_ref(), duty));
                    }
                    if found.len() > page.size + 1 {
                        found.pop_last();
                    }
                }
            }
        }
        Ok(found)
    }
}

/// Which duties are wanted.
struct Owed {
    kind: Option<DutyKind>,
    done: Option<bool>,
    before: Instant,
    facility: Option<FacilityId>,
}

impl Owed {
    fn has(&self, duty: &Duty) -> bool {
        self.kind.is_none_or(|kind| duty.kind == kind)
            && self.done.is_none_or(|done| duty.done.is_some() == done)
            && duty.due < self.before
    }
}
