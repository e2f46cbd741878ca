//! `DetainerService`: requests to hold or notify, and the county's answers.
//!
//! `comes` records a form, anew or in another's place; `writes` records what becomes of it; `reads` answers about one,
//! `lists` about many; `overrides` proposes an answer in the rule's place, `reviews` is the queue of those that wait for a
//! person. A write's work is done by a function of its own that an import can call as well.

mod comes;
mod lists;
mod overrides;
mod reads;
mod reviews;
mod writes;

use super::auth::principal;
use super::convert::decision::wire_decision;
use super::convert::detainer::{Shown, wire_detainer};
use super::convert::form::Told;
use super::names::of;
use super::time::{Fields, receipt};
use super::{Api, error};
use crate::domain::booking::Booking;
use crate::domain::detainer::Detainer;
use crate::domain::event::Event;
use crate::domain::ids::{BookingId, CountyId, DetainerId};
use crate::domain::time::Instant;
use crate::ledger::{Call, Written};
use crate::pb;
use std::sync::Arc;
use tonic::{Request, Response, Status};

macro_rules! handlers {
    ($($name:ident: $request:ident => $response:ident by $work:ident;)+) => {
        #[tonic::async_trait]
        impl pb::detainer_service_server::DetainerService for Api {
            $(async fn $name(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                let caller = principal(&request)?;
                self.$work(&caller, request.into_inner()).await.map(Response::new)
            })+
        }
    };
}

handlers! {
    record_detainer: RecordDetainerRequest => RecordDetainerResponse by record_detainer_for;
    attach_document: AttachDocumentRequest => AttachDocumentResponse by attach_document_for;
    get_document: GetDocumentRequest => GetDocumentResponse by get_document_for;
    get_detainer: GetDetainerRequest => GetDetainerResponse by get_detainer_for;
    list_detainers: ListDetainersRequest => ListDetainersResponse by list_detainers_for;
    record_service: RecordServiceRequest => RecordServiceResponse by record_service_for;
    lift_detainer: LiftDetainerRequest => LiftDetainerResponse by lift_detainer_for;
    replace_detainer: ReplaceDetainerRequest => ReplaceDetainerResponse by replace_detainer_for;
    resolve_review: ResolveReviewRequest => ResolveReviewResponse by resolve_review_for;
    list_reviews: ListReviewsRequest => ListReviewsResponse by list_reviews_for;
    override_decision: OverrideDecisionRequest => OverrideDecisionResponse by override_decision_for;
    list_decisions: ListDecisionsRequest => ListDecisionsResponse by list_decisions_for;
    record_notice: RecordNoticeRequest => RecordNoticeResponse by record_notice_for;
    list_duties: ListDutiesRequest => ListDutiesResponse by list_duties_for;
}

/// The call of a write and what was read for it, or every bad field.
fn whole<T>(fields: Fields, call: Option<Call>, read: Option<T>) -> Result<(Call, T), Status> {
    match (call, read) {
        (Some(call), Some(read)) => fields.finish().map(|()| (call, read)),
        _ => Err(fields.refusal()),
    }
}

/// What refusals about a request of a booking are called in a call that names it by `field`.
fn called(field: &'static str, county: &CountyId, booking: &BookingId, detainer: Option<&DetainerId>) -> error::Called {
    let called = error::Called::default();
    let called = called.field("name", field).field("detainer", field).field("served_time", "service.served_time");
    let called = called.field("event_number", "form.event_number");
    let called = called.resource("booking", "booking", of::booking(county, booking));
    match detainer {
        Some(detainer) => called.resource("detainer", "detainer", of::detainer(county, booking, detainer)),
        None => called,
    }
}

fn defect() -> Status {
    error::status(pb::ErrorReason::Internal, "a defect of the server; its log has more")
}

/// The booking after a write.
fn after(written: &Written) -> Result<Arc<Booking>, Status> {
    written.booking.clone().ok_or_else(defect)
}

/// What a write answers of one request: as it was right after the write, without what is sealed.
struct Answer {
    booking: Arc<Booking>,
    written: Written,
    /// The instant its state is told for.
    at: Instant,
}

impl Answer {
    fn new(api: &Api, written: Written, validate_only: bool) -> Result<Self, Status> {
        let booking = after(&written)?;
        let recorded = written.pair.recorded;
        let at = match recorded {
            Some(recorded) if !validate_only => recorded,
            _ => recorded.map_or(api.ledger.now(), |last| last.max(api.ledger.now())),
        };
        Ok(Self { booking, written, at })
    }

    fn detainer(&self, id: &DetainerId) -> Result<&Detainer, Status> {
        self.booking.detainer(id).ok_or_else(defect)
    }

    fn shown(&self, id: &DetainerId) -> Result<pb::Detainer, Status> {
        let shown = Shown { at: self.at, told: &Told::default(), explained: true };
        Ok(wire_detainer(&self.written.county, &self.booking, self.detainer(id)?, shown))
    }

    fn receipt(&self, county: &CountyId, validate_only: bool) -> Option<pb::Receipt> {
        receipt(county, self.written.pair, self.booking.seq, validate_only)
    }

    /// The decisions on a request that the write's own record holds, in order.
    fn decided<'a>(&'a self, id: &'a DetainerId) -> impl DoubleEndedIterator<Item = pb::Decision> + 'a {
        let detainer = self.booking.detainer(id);
        self.written.events.iter().filter_map(move |event| match event {
            Event::Decided(decided) if decided.detainer == *id => {
                Some(wire_decision(&self.written.county, &self.booking, detainer?, &decided.decision, self.at, true))
            }
            _ => None,
        })
    }
}
