//! `BookingService`: stays, their bases and facts, corrections, and whether a person may be held.
//!
//! `writes` records what happens, `corrections` what was recorded wrong, `reads` answers about one booking, `lists` about
//! many. A write's work is done by a function of its own that an import can call as well.

mod corrections;
mod lists;
mod reads;
mod writes;

use super::auth::principal;
use super::time::Fields;
use super::{Api, error, names};
use crate::domain::ids::{BookingId, CountyId};
use crate::ledger::{Call, Written};
use crate::pb;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// What refusals about an existing booking are called in a request that names it by `field`.
fn called(field: &'static str, county: &CountyId, booking: &BookingId) -> error::Called {
    let name = names::of::booking(county, booking);
    let called = error::Called::default().field("name", field).resource("booking", "booking", name);
    called.resource("county", "county", names::of::county(county))
}

/// The booking after a write.
fn after(written: &Written) -> Result<Arc<crate::domain::booking::Booking>, Status> {
    let booking = written.booking.clone();
    booking.ok_or_else(|| error::status(pb::ErrorReason::Internal, "a defect of the server; its log has more"))
}

/// Finishes the fields of a write: the call and all that was read, or every bad field.
fn whole<T>(fields: Fields, call: Option<Call>, read: Option<T>) -> Result<(Call, T), Status> {
    match (call, read) {
        (Some(call), Some(read)) => fields.finish().map(|()| (call, read)),
        _ => Err(fields.refusal()),
    }
}

macro_rules! handlers {
    ($($name:ident: $request:ident => $response:ident by $work:ident;)+) => {
        #[tonic::async_trait]
        impl pb::booking_service_server::BookingService for Api {
            $(async fn $name(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                let caller = principal(&request)?;
                self.$work(&caller, request.into_inner()).await.map(Response::new)
            })+
        }
    };
}

handlers! {
    create_booking: CreateBookingRequest => CreateBookingResponse by create_booking_for;
    get_booking: GetBookingRequest => GetBookingResponse by get_booking_for;
    list_bookings: ListBookingsRequest => ListBookingsResponse by list_bookings_for;
    open_basis: OpenBasisRequest => OpenBasisResponse by open_basis_for;
    close_basis: CloseBasisRequest => CloseBasisResponse by close_basis_for;
    update_facts: UpdateFactsRequest => UpdateFactsResponse by update_facts_for;
    move_booking: MoveBookingRequest => MoveBookingResponse by move_booking_for;
    release_booking: ReleaseBookingRequest => ReleaseBookingResponse by release_booking_for;
    correct_booking: CorrectBookingRequest => CorrectBookingResponse by correct_booking_for;
    confirm_proposal: ConfirmProposalRequest => ConfirmProposalResponse by confirm_proposal_for;
    list_proposals: ListProposalsRequest => ListProposalsResponse by list_proposals_for;
    get_timeline: GetTimelineRequest => GetTimelineResponse by get_timeline_for;
    check_release: CheckReleaseRequest => CheckReleaseResponse by check_release_for;
}
