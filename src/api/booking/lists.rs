//! Lists of bookings and of proposals, by snapshot: the tables say which ones, their own records what they say.

use super::super::Api;
use super::super::auth::Principal;
use super::super::convert::booking::{Shown, wire_summary};
use super::super::convert::correction::wire_proposal;
use super::super::convert::facts::About;
use super::super::convert::shows_identity;
use super::super::error::{of_ledger, of_store};
use super::super::names;
use super::super::paging::{Page, Resume};
use super::super::time::{Fields, wire_pair};
use super::reads::opened;
use crate::domain::booking::Booking;
use crate::domain::ids::{BookingId, CountyId, FacilityId, ProposalId, SubjectId};
use crate::domain::time::{Instant, Span};
use crate::identity::Label;
use crate::ledger::Pair;
use crate::pb;
use crate::rows::{Cell, ColType};
use crate::store::Param;
use std::collections::HashMap;
use std::sync::Arc;
use tonic::Status;

/// The most entries of one page.
const LARGEST: i32 = 500;

/// Which bookings are wanted.
struct Wanted {
    facility: Option<FacilityId>,
    subject: Option<SubjectId>,
    in_custody: Option<bool>,
    booked: Span,
}

impl Api {
    /// Lists bookings, by booked time and id.
    pub(super) async fn list_bookings_for(
        &self,
        caller: &Principal,
        request: pb::ListBookingsRequest,
    ) -> Result<pb::ListBookingsResponse, Status> {
        let mut fields = Fields::new();
        let county = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let identity = shows_identity(&mut fields, "view", request.view);
        let filter = request.filter.clone().unwrap_or_default();
        let wanted = wanted(&mut fields, county.as_ref(), &filter);
        let Some(county) = county else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListBookingsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListBookings", &query, request.page_size, &request.page_token, LARGEST)?;
        let (pair, _) = self.county_at(caller, &county, page.as_of(as_of)).await?;
        let mut found = self.bookings_wanted(&county, pair, &wanted, &page).await?;
        let next_page_token = self.cut(&page, pair, 0, &mut found, |(booked, id)| format!("{booked} {id}"));
        let ids: Vec<BookingId> = found.into_iter().map(|(_, id)| id).collect();
        let known = self.as_of_pair(&county, &ids, pair).await?;
        let known: Vec<&Arc<Booking>> = ids.iter().filter_map(|id| known.get(id)).collect();
        let subjects: Vec<SubjectId> = known.iter().map(|booking| booking.subject.clone()).collect();
        let opener = if identity { Some(self.opener(caller, "ListBookings", &county, &subjects).await?) } else { None };
        let mut bookings = Vec::with_capacity(known.len());
        for booking in known {
            let shown = match &opener {
                Some(opener) => opened(opener, booking).await?,
                None => Shown::default(),
            };
            bookings.push(wire_summary(&county, booking, shown));
        }
        Ok(pb::ListBookingsResponse { bookings, as_of_pair: Some(wire_pair(pair)), next_page_token })
    }

    /// One more than the page takes, so that it is known whether there is a next.
    async fn bookings_wanted(
        &self,
        county: &CountyId,
        pair: Pair,
        wanted: &Wanted,
        page: &Page,
    ) -> Result<Vec<(i64, BookingId)>, Status> {
        let sql = "select b.booked_at, b.booking from bookings b where b.county = $1 and b.from_seq <= $2 \
                   and (b.to_seq is null or b.to_seq > $2) and b.booked_at >= $3 and b.booked_at < $4 \
                   and (b.booked_at, b.booking) > ($5, $6) \
                   and (cast($7 as text) is null or b.facility = $7) and (cast($8 as text) is null or b.subject = $8) \
                   and (cast($9 as bigint) is null or (case when b.ended_at is null then 1 else 0 end) = $9) \
                   order by b.booked_at, b.booking limit $10";
        let resume = page.resume.as_ref().and_then(|resume| resume.key.split_once(' '));
        let after = resume.and_then(|(booked, id)| Some((booked.parse::<i64>().ok()?, id)));
        let (booked, id) = after.unwrap_or((i64::MIN, ""));
        let params = [
            county.as_str().into(),
            pair.seq.into(),
            wanted.booked.start.into(),
            wanted.booked.end.into(),
            booked.into(),
            id.into(),
            Param::from(wanted.facility.as_ref().map(FacilityId::as_str)),
            Param::from(wanted.subject.as_ref().map(SubjectId::as_str)),
            Param::from(wanted.in_custody.map(i64::from)),
            limit(page),
        ];
        let rows = self.ledger.store().query(sql, &params, &[ColType::Int, ColType::Text]).await;
        let row = |row: &Vec<Cell>| Some((row.first()?.as_int()?, BookingId::trusted(row.get(1)?.as_text()?)));
        Ok(rows.map_err(|error| of_store(&error))?.iter().filter_map(row).collect())
    }

    /// Lists proposals, newest first.
    pub(super) async fn list_proposals_for(
        &self,
        caller: &Principal,
        request: pb::ListProposalsRequest,
    ) -> Result<pb::ListProposalsResponse, Status> {
        let mut fields = Fields::new();
        let county = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let at = fields.optional_instant("at_time", request.at_time.as_ref());
        let identity = shows_identity(&mut fields, "view", request.view);
        let state = fields.take("state", pb::ProposalState::try_from(request.state).map_err(|_| "must be a state of a proposal"));
        let booking = fields.optional_name("booking", &request.booking, names::booking);
        if booking.as_ref().zip(county.as_ref()).is_some_and(|((of, _), county)| of != county) {
            fields.bad("booking", "must be a booking of this county");
        }
        let Some(county) = county else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListProposalsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListProposals", &query, request.page_size, &request.page_token, LARGEST)?;
        let (pair, shared) = self.county_at(caller, &county, page.as_of(as_of)).await?;
        let at = page.resume.as_ref().map_or_else(|| self.moment(at, as_of, pair), |resume| Instant::from_micros(resume.at));
        let state = state.map(|_| i64::from(request.state)).filter(|state| *state != 0);
        let booking = booking.map(|(_, booking)| booking);
        let mut found = self.proposals_wanted(&county, pair, state, booking.as_ref(), at, &page).await?;
        let next_page_token = self.cut(&page, pair, at.micros(), &mut found, |(seq, ..)| seq.to_string());
        let ids = found.iter().map(|(.., booking)| booking.clone()).filter(|booking| !booking.as_str().is_empty());
        let ids: Vec<BookingId> = ids.collect();
        let all = self.as_of_pair(&county, &ids, pair).await?;
        let subjects: Vec<SubjectId> = all.values().map(|booking| booking.subject.clone()).collect();
        let opener = if identity { Some(self.opener(caller, "ListProposals", &county, &subjects).await?) } else { None };
        let mut proposals = Vec::with_capacity(found.len());
        for (_, id, of) in &found {
            if of.as_str().is_empty() {
                let about = About { county: &shared, booking: of, facility: None };
                let about_policy = shared.proposals.iter().find(|proposal| proposal.id == *id);
                proposals.extend(about_policy.map(|proposal| wire_proposal(about, proposal, String::new(), at)));
                continue;
            }
            let Some(known) = all.get(of) else { continue };
            let Some(proposal) = known.proposals.iter().find(|proposal| proposal.id == *id) else { continue };
            let corrects = proposal.correction.as_ref().map(|correction| &correction.reason);
            let digest = corrects.or(proposal.overriding.as_ref().and_then(|overriding| overriding.act.reason.as_ref()));
            let reason = match &opener {
                Some(opener) => opener.text(&known.subject, Label::Text, digest).await?,
                None => String::new(),
            };
            let about = About { county: &shared, booking: of, facility: known.facility() };
            proposals.push(wire_proposal(about, proposal, reason, at));
        }
        Ok(pb::ListProposalsResponse { proposals, as_of_pair: Some(wire_pair(pair)), next_page_token })
    }

    async fn proposals_wanted(
        &self,
        county: &CountyId,
        pair: Pair,
        state: Option<i64>,
        booking: Option<&BookingId>,
        at: Instant,
        page: &Page,
    ) -> Result<Vec<(i64, ProposalId, BookingId)>, Status> {
        // States as in the contract: 1 pending, 2 confirmed, 3 expired.
        let sql = "select p.seq, p.proposal, p.booking from proposals p where p.county = $1 and p.from_seq <= $2 \
                   and (p.to_seq is null or p.to_seq > $2) and p.seq < $3 \
                   and (cast($4 as text) is null or p.booking = $4) \
                   and (cast($5 as bigint) is null or $5 = (case when p.confirmed_at is not null and p.confirmed_at <= $6 \
                   then 2 when p.expires_at > $6 then 1 else 3 end)) \
                   order by p.seq desc limit $7";
        let before = page.resume.as_ref().and_then(|resume| resume.key.parse::<i64>().ok()).unwrap_or(i64::MAX);
        let params = [
            county.as_str().into(),
            pair.seq.into(),
            before.into(),
            Param::from(booking.map(BookingId::as_str)),
            Param::from(state),
            at.into(),
            limit(page),
        ];
        let rows = self.ledger.store().query(sql, &params, &[ColType::Int, ColType::Text, ColType::Text]).await;
        let row = |row: &Vec<Cell>| {
            let (id, booking) = (row.get(1)?.as_text()?, row.get(2)?.as_text()?);
            Some((row.first()?.as_int()?, ProposalId::trusted(id), BookingId::trusted(booking)))
        };
        Ok(rows.map_err(|error| of_store(&error))?.iter().filter_map(row).collect())
    }

    /// Cuts what was found to the page, and makes the token of the next.
    fn cut<T>(&self, page: &Page, pair: Pair, at: i64, found: &mut Vec<T>, key: impl Fn(&T) -> String) -> String {
        let more = found.len() > page.size;
        found.truncate(page.size);
        match found.last() {
            Some(last) if more => page.token(&self.opaque, &Resume { seq: pair.seq, at, key: key(last) }),
            _ => String::new(),
        }
    }

    async fn as_of_pair(
        &self,
        county: &CountyId,
        ids: &[BookingId],
        pair: Pair,
    ) -> Result<HashMap<BookingId, Arc<Booking>>, Status> {
        self.ledger.bookings(county, ids, pair).await.map_err(|error| of_ledger("", error))
    }
}

/// One more than the page takes.
fn limit(page: &Page) -> Param {
    i64::try_from(page.size).unwrap_or(i64::MAX).saturating_add(1).into()
}

fn wanted(fields: &mut Fields, county: Option<&CountyId>, filter: &pb::BookingFilter) -> Wanted {
    let facility = fields.optional_name("filter.facility", &filter.facility, names::facility);
    let subject = fields.optional_name("filter.subject", &filter.subject, names::subject);
    let foreign = |of: Option<&CountyId>| of.zip(county).is_some_and(|(of, county)| of != county);
    if foreign(facility.as_ref().map(|(of, _)| of)) {
        fields.bad("filter.facility", "must be a facility of this county");
    }
    if foreign(subject.as_ref().map(|(of, _)| of)) {
        fields.bad("filter.subject", "must be a subject of this county");
    }
    Wanted {
        facility: facility.map(|(_, facility)| facility),
        subject: subject.map(|(_, subject)| subject),
        in_custody: filter.in_custody,
        booked: fields.filter_interval("filter.booked", filter.booked.as_ref()).unwrap_or(Span::from(Instant::MIN)),
    }
}
