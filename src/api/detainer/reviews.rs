//! The review queue: every open request whose answer in force is NEEDS_REVIEW, the one that has waited longest first. The
//! tables say which bookings may have one, by an index that closed ones leave; their own records say what is so.

use super::super::Api;
use super::super::auth::Principal;
use super::super::convert::decision::{node, wire_reason};
use super::super::error::{of_ledger, of_store};
use super::super::names::{self, of};
use super::super::paging::{Page, Resume};
use super::super::time::{Fields, stamp, wire_duration, wire_pair};
use super::defect;
use super::lists::facility;
use crate::domain::booking::{Booking, Ground};
use crate::domain::county::County;
use crate::domain::decision::{Decision, Outcome};
use crate::domain::detainer::Detainer;
use crate::domain::facts::{Fact, Tri};
use crate::domain::ids::{BookingId, CountyId, FacilityId};
use crate::domain::policy::{Explained, Explanation};
use crate::domain::time::Instant;
use crate::ledger::{AsOf, Pair};
use crate::pb::{self, DecisionReason};
use crate::rows::{Cell, ColType};
use crate::store::Param;
use std::collections::BTreeMap;
use tonic::Status;

/// The most entries of one page.
const LARGEST: i32 = 500;
/// Bookings folded at a time.
const CHUNK: usize = 500;
/// Records after the point asked about, up to which the newest rows are looked at and corrected by them.
const RECENT: i64 = 2_000;
/// Why a request can wait.
const REASONS: [DecisionReason; 4] = [
    DecisionReason::NoRevisionInForce,
    DecisionReason::CitizenshipProof,
    DecisionReason::FacialSufficiencyUnknown,
    DecisionReason::FactUnknown,
];

/// Which reviews are wanted.
struct Wanted {
    facility: Option<FacilityId>,
    reason: Option<DecisionReason>,
}

impl Wanted {
    fn read(fields: &mut Fields, county: Option<&CountyId>, filter: &pb::ReviewFilter) -> Self {
        let facility = facility(fields, "filter.facility", county, &filter.facility);
        let reason = REASONS.into_iter().find(|reason| i32::from(*reason) == filter.reason);
        if reason.is_none() && filter.reason != 0 {
            let words = REASONS.map(|reason| reason.as_str_name());
            fields.bad("filter.reason", super::super::convert::one_of(&words));
        }
        Self { facility, reason }
    }

    fn has(&self, booking: &Booking, waiting: &Waiting<'_>, at: Instant) -> bool {
        let reason = wire_reason(waiting.decision.reason, waiting.decision.mode);
        self.reason.is_none_or(|wanted| reason == wanted)
            && self.facility.as_ref().is_none_or(|wanted| booking.facility_at(at) == Some(wanted))
    }
}

/// A request that waits.
struct Waiting<'a> {
    detainer: &'a Detainer,
    /// The decision in force.
    decision: &'a Decision,
    /// Since when it has waited without a break.
    since: Instant,
    /// When that was first recorded.
    recorded: Instant,
}

/// The request as it waits at an instant; nothing where it does not.
fn waiting<'a>(booking: &Booking, detainer: &'a Detainer, at: Instant) -> Option<Waiting<'a>> {
    let waits = |decision: &&Decision| decision.outcome == Outcome::NeedsReview;
    let at = at.max(detainer.received.effective);
    let decision = detainer.decision_at(at).filter(waits).filter(|_| booking.is_open(detainer, at))?;
    let mut steps: Vec<Instant> = detainer.decisions.iter().map(|d| d.at.effective).filter(|start| *start <= at).collect();
    steps.sort_unstable();
    let run = steps.into_iter().rev().take_while(|start| detainer.decision_at(*start).is_some_and(|d| waits(&d)));
    let since = run.last().unwrap_or(decision.at.effective);
    let within = |d: &&Decision| since <= d.at.effective && d.at.effective <= at;
    let recorded = detainer.decisions.iter().filter(waits).filter(within).map(|d| d.at.recorded).min();
    Some(Waiting { detainer, decision, since, recorded: recorded.unwrap_or(decision.at.recorded) })
}

/// The conditions whose unknown value keeps a request waiting: of the layer that decided, or a check beside the layers.
fn missing(why: &Explained) -> Vec<&Explanation> {
    let decided = why.layers.iter().filter(|layer| layer.decided && layer.condition.value == Tri::Unknown);
    let mut open: Vec<&Explanation> = why.checks.iter().chain(decided.map(|layer| &layer.condition)).collect();
    let mut found = Vec::new();
    open.reverse();
    while let Some(one) = open.pop() {
        if one.value != Tri::Unknown {
            continue;
        }
        let before = open.len();
        open.extend(one.parts.iter().rev().filter(|part| part.value == Tri::Unknown));
        if open.len() == before {
            found.push(one);
        }
    }
    found
}

/// The place of a review: longest waiting first.
fn key(booking: &Booking, waiting: &Waiting<'_>) -> String {
    let since = waiting.since.micros().wrapping_sub(i64::MIN).cast_unsigned();
    format!("{since:020} {} {}", booking.id, waiting.detainer.id)
}

fn entry(county: &County, booking: &Booking, waiting: &Waiting<'_>, at: Instant) -> pb::Review {
    let (id, detainer, decision) = (&county.id, waiting.detainer, waiting.decision);
    let facility = booking.facility_at(at);
    let past = matches!(booking.ground_at(at), Ground::Detainer(..) | Ground::None(_));
    let t0 = booking.custody.gaps.iter().map(|gap| gap.t0).filter(|t0| past && *t0 <= at).max();
    let expected = booking.facts.iter().rev().find_map(|record| match &record.fact {
        Fact::ExpectedRelease(expected) => Some(expected.at),
        _ => None,
    });
    pb::Review {
        detainer: of::detainer(id, &booking.id, &detainer.id),
        booking: of::booking(id, &booking.id),
        facility: facility.map(|facility| of::facility(id, facility)).unwrap_or_default(),
        office_code: detainer.form.office.to_string(),
        reason: wire_reason(decision.reason, decision.mode).into(),
        effective_time: Some(stamp(waiting.since)),
        recorded_time: Some(stamp(waiting.recorded)),
        age: Some(wire_duration(at.micros().saturating_sub(waiting.since.micros()).max(0))),
        missing: missing(&decision.explanation).into_iter().map(node).collect(),
        t0: t0.map(stamp),
        expected_release_time: expected.flatten().map(stamp),
        citizenship_claimed: booking.facts.iter().any(|fact| matches!(fact.fact, Fact::CitizenshipClaim)),
        time_zone: facility.map_or(county.profile.zone, |facility| county.zone_of(facility)).to_string(),
        decision: of::decision(id, &booking.id, &detainer.id, decision.n),
    }
}

impl Api {
    /// Lists what waits for review.
    pub(super) async fn list_reviews_for(
        &self,
        caller: &Principal,
        request: pb::ListReviewsRequest,
    ) -> Result<pb::ListReviewsResponse, Status> {
        let mut fields = Fields::new();
        let county = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let filter = request.filter.clone().unwrap_or_default();
        let wanted = Wanted::read(&mut fields, county.as_ref(), &filter);
        let Some(county) = county else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListReviewsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListReviews", &query, request.page_size, &request.page_token, LARGEST)?;
        let (pair, shared) = self.county_at(caller, &county, page.as_of(as_of)).await?;
        let at = page.resume.as_ref().map_or_else(|| self.moment(None, as_of, pair), |resume| Instant::from_micros(resume.at));
        let after = page.resume.as_ref().map(|resume| resume.key.as_str()).unwrap_or_default();

        let concerned = self.may_wait(&county, pair).await?;
        let mut found: BTreeMap<String, pb::Review> = BTreeMap::new();
        for some in concerned.chunks(CHUNK) {
            let known = self.ledger.bookings(&county, some, pair).await.map_err(|error| of_ledger("ListReviews", error))?;
            for booking in known.values() {
                for waiting in booking.detainers.iter().filter_map(|detainer| waiting(booking, detainer, at)) {
                    let place = key(booking, &waiting);
                    if place.as_str() > after && wanted.has(booking, &waiting, at) {
                        found.insert(place, entry(&shared, booking, &waiting, at));
                    }
                    if found.len() > page.size.saturating_add(1) {
                        found.pop_last();
                    }
                }
            }
        }
        let mut next_page_token = String::new();
        if found.len() > page.size {
            found.pop_last();
            let last = found.last_key_value().map(|(key, _)| key.clone()).ok_or_else(defect)?;
            next_page_token = page.token(&self.opaque, &Resume { seq: pair.seq, at: at.micros(), key: last });
        }
        let reviews = found.into_values().collect();
        Ok(pb::ListReviewsResponse { reviews, as_of_pair: Some(wire_pair(pair)), next_page_token, at_time: Some(stamp(at)) })
    }

    /// Bookings with a request that may wait at a point.
    async fn may_wait(&self, county: &CountyId, pair: Pair) -> Result<Vec<BookingId>, Status> {
        let head = self.ledger.as_of(county, AsOf::Latest).await.map_err(|error| of_ledger("ListReviews", error))?;
        // The newest rows are found by an index; what was recorded after the point may have been otherwise then.
        let recent = "select d.booking from detainers d where d.county = $1 and d.to_seq is null and d.review_at is not null \
                      union select substr(j.stream, 3) from journal j \
                      where j.county = $1 and j.seq > $2 and j.stream like 'b/%'";
        let versions = "select distinct d.booking from detainers d where d.county = $1 and d.from_seq <= $2 \
                        and (d.to_seq is null or d.to_seq > $2) and d.review_at is not null";
        let sql = if head.seq - pair.seq <= RECENT { recent } else { versions };
        let params = [Param::from(county.as_str()), pair.seq.into()];
        let rows = self.ledger.store().query(sql, &params, &[ColType::Text]).await.map_err(|error| of_store(&error))?;
        Ok(rows.iter().filter_map(|row| row.first().and_then(Cell::as_text)).map(BookingId::trusted).collect())
    }
}
