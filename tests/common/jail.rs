//! A jail that honors always, told through BookingService, and requests in few words.

use super::Fresh;
use super::desk::{Desk, reason, with};
use detainer::domain::policy::Mode;
use detainer::domain::testing;
use detainer::pb::booking_service_client::BookingServiceClient;
use detainer::pb::correction::Change;
use detainer::pb::create_booking_request::Bases;
use detainer::pb::{self, Role};
use prost_types::Timestamp;
use tonic::transport::Channel;
use tonic::{Code, Status};

pub type Client = BookingServiceClient<Channel>;

pub const BOOKING: &str = "counties/c/bookings/B-1";

pub fn at(text: &str) -> Option<Timestamp> {
    let us = testing::instant(text).micros();
    Some(Timestamp { seconds: us.div_euclid(1_000_000), nanos: i32::try_from(us.rem_euclid(1_000_000) * 1_000).unwrap() })
}

pub fn source() -> Option<pb::Source> {
    Some(pb::Source { kind: pb::SourceKind::JailRecord.into(), reference: "log-1".into() })
}

pub fn identity() -> pb::Identity {
    pb::Identity {
        family_name: "Synthetic".into(),
        given_name: "Person  One".into(),
        birth_date: Some(pb::Date { year: 1990, month: 3, day: 15 }),
        a_number: "A 012-345-678".into(),
        ..pb::Identity::default()
    }
}

pub fn create(request: &str, id: &str, booked: &str) -> pb::CreateBookingRequest {
    let basis = pb::NewBasis {
        basis_id: "A".into(),
        kind: pb::BasisKind::Charge.into(),
        open_time: at(booked),
        source: source(),
        reference: "F24-001".into(),
    };
    pb::CreateBookingRequest {
        parent: "counties/c".into(),
        request_id: request.into(),
        booking_id: id.into(),
        booked_time: at(booked),
        source: source(),
        subject: format!("counties/c/subjects/of-{id}"),
        facility: "counties/c/facilities/main".into(),
        bases: Some(Bases::FirstBases(pb::FirstBases { bases: vec![basis] })),
        ..pb::CreateBookingRequest::default()
    }
}

pub fn close(request: &str, basis: &str, time: &str) -> pb::CloseBasisRequest {
    pb::CloseBasisRequest {
        name: format!("{BOOKING}/bases/{basis}"),
        request_id: request.into(),
        effective_time: at(time),
        source: source(),
        reason: pb::BasisCloseReason::BailPosted.into(),
        ..pb::CloseBasisRequest::default()
    }
}

pub fn fact(time: &str, kind: pb::fact::Kind) -> pb::Fact {
    pb::Fact { fact_id: String::new(), effective_time: at(time), source: source(), kind: Some(kind) }
}

pub fn facts(request: &str, facts: Vec<pb::Fact>) -> pb::UpdateFactsRequest {
    pb::UpdateFactsRequest { name: BOOKING.into(), request_id: request.into(), facts, ..pb::UpdateFactsRequest::default() }
}

pub fn known(sequence: i64) -> Option<pb::AsOf> {
    Some(pb::AsOf { point: Some(pb::as_of::Point::Sequence(sequence)) })
}

pub fn told(refused: &Status, code: Code, word: &str) {
    assert_eq!((refused.code(), reason(refused).as_str()), (code, word), "{refused}");
}

/// A county in two zones that honors always, with credentials.
pub struct Jail {
    pub desk: Desk,
    pub calls: Client,
    pub records: String,
}

impl Jail {
    pub async fn open(fresh: &Fresh) -> Self {
        let desk = Desk::open(fresh, "2024-03-14T15:00:00Z").await;
        desk.found("America/New_York", &[("main", "America/New_York"), ("west", "America/Chicago")]).await;
        desk.switch(testing::revision("always", Mode::HonorAlways), "2017-01-26T20:00:00Z").await;
        let calls = Client::new(desk.channel.clone());
        let records = desk.token(Role::Records, &["counties/c"]).await;
        Self { desk, calls, records }
    }

    pub async fn check(&mut self, time: &str, as_of: Option<pb::AsOf>) -> pb::CheckReleaseResponse {
        let ask = pb::CheckReleaseRequest { name: BOOKING.into(), as_of, at_time: at(time) };
        self.calls.check_release(with(&self.records, ask)).await.unwrap().into_inner()
    }

    pub async fn get(&mut self, as_of: Option<pb::AsOf>) -> pb::GetBookingResponse {
        let ask = pb::GetBookingRequest { name: BOOKING.into(), as_of, view: 0 };
        self.calls.get_booking(with(&self.records, ask)).await.unwrap().into_inner()
    }

    pub async fn close_basis(&mut self, ask: pb::CloseBasisRequest) -> Result<pb::CloseBasisResponse, Status> {
        self.calls.close_basis(with(&self.records, ask)).await.map(tonic::Response::into_inner)
    }

    pub async fn create(&mut self, ask: &pb::CreateBookingRequest) -> Result<pb::CreateBookingResponse, Status> {
        self.calls.create_booking(with(&self.records, ask.clone())).await.map(tonic::Response::into_inner)
    }
}

pub fn correction(request: &str, change: Change) -> pb::CorrectBookingRequest {
    pb::CorrectBookingRequest {
        name: BOOKING.into(),
        request_id: request.into(),
        correction: Some(pb::Correction { change: Some(change) }),
        source: source(),
        reason: "read again in the log".into(),
        ..pb::CorrectBookingRequest::default()
    }
}
