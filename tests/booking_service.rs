//! BookingService over a real socket, on both engines: a stay from its beginning to its end, what is corrected, what is
//! refused and in which words, who sees what.

mod common;

use common::desk::{Desk, fields, reason, with};
use detainer::domain::detainer::Edition;
use detainer::domain::policy::Mode;
use detainer::domain::testing;
use detainer::pb::booking_service_client::BookingServiceClient;
use detainer::pb::correction::Change;
use detainer::pb::create_booking_request::Bases;
use detainer::pb::{self, Role};
use prost::Message as _;
use prost_types::Timestamp;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

type Client = BookingServiceClient<Channel>;

const BOOKING: &str = "counties/c/bookings/B-1";

fn at(text: &str) -> Option<Timestamp> {
    let us = testing::instant(text).micros();
    Some(Timestamp { seconds: us.div_euclid(1_000_000), nanos: i32::try_from(us.rem_euclid(1_000_000) * 1_000).unwrap() })
}

fn source() -> Option<pb::Source> {
    Some(pb::Source { kind: pb::SourceKind::JailRecord.into(), reference: "log-1".into() })
}

fn identity() -> pb::Identity {
    pb::Identity {
        family_name: "Synthetic".into(),
        given_name: "Person  One".into(),
        birth_date: Some(pb::Date { year: 1990, month: 3, day: 15 }),
        a_number: "A 012-345-678".into(),
        ..pb::Identity::default()
    }
}

fn create(request: &str, id: &str, booked: &str) -> pb::CreateBookingRequest {
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

fn close(request: &str, basis: &str, time: &str) -> pb::CloseBasisRequest {
    pb::CloseBasisRequest {
        name: format!("{BOOKING}/bases/{basis}"),
        request_id: request.into(),
        effective_time: at(time),
        source: source(),
        reason: pb::BasisCloseReason::BailPosted.into(),
        ..pb::CloseBasisRequest::default()
    }
}

fn fact(time: &str, kind: pb::fact::Kind) -> pb::Fact {
    pb::Fact { fact_id: String::new(), effective_time: at(time), source: source(), kind: Some(kind) }
}

fn facts(request: &str, facts: Vec<pb::Fact>) -> pb::UpdateFactsRequest {
    pb::UpdateFactsRequest { name: BOOKING.into(), request_id: request.into(), facts, ..pb::UpdateFactsRequest::default() }
}

fn known(sequence: i64) -> Option<pb::AsOf> {
    Some(pb::AsOf { point: Some(pb::as_of::Point::Sequence(sequence)) })
}

fn told(refused: &Status, code: Code, word: &str) {
    assert_eq!((refused.code(), reason(refused).as_str()), (code, word), "{refused}");
}

/// A county in two zones that honors always, with credentials.
struct Jail {
    desk: Desk,
    calls: Client,
    records: String,
}

impl Jail {
    async fn open(fresh: &common::Fresh) -> Self {
        let desk = Desk::open(fresh, "2024-03-14T15:00:00Z").await;
        desk.found("America/New_York", &[("main", "America/New_York"), ("west", "America/Chicago")]).await;
        desk.switch(testing::revision("always", Mode::HonorAlways), "2017-01-26T20:00:00Z").await;
        let calls = Client::new(desk.channel.clone());
        let records = desk.token(Role::Records, &["counties/c"]).await;
        Self { desk, calls, records }
    }

    async fn check(&mut self, time: &str, as_of: Option<pb::AsOf>) -> pb::CheckReleaseResponse {
        let ask = pb::CheckReleaseRequest { name: BOOKING.into(), as_of, at_time: at(time) };
        self.calls.check_release(with(&self.records, ask)).await.unwrap().into_inner()
    }

    async fn get(&mut self, as_of: Option<pb::AsOf>) -> pb::GetBookingResponse {
        let ask = pb::GetBookingRequest { name: BOOKING.into(), as_of, view: 0 };
        self.calls.get_booking(with(&self.records, ask)).await.unwrap().into_inner()
    }

    async fn close_basis(&mut self, ask: pb::CloseBasisRequest) -> Result<pb::CloseBasisResponse, Status> {
        self.calls.close_basis(with(&self.records, ask)).await.map(tonic::Response::into_inner)
    }

    async fn create(&mut self, ask: &pb::CreateBookingRequest) -> Result<pb::CreateBookingResponse, Status> {
        self.calls.create_booking(with(&self.records, ask.clone())).await.map(tonic::Response::into_inner)
    }
}

#[tokio::test]
async fn a_stay_from_booking_to_release() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh).await;
        let new = pb::CreateBookingRequest { identity: Some(identity()), ..create("1", "B-1", "2024-03-14T14:00:00Z") };
        let booked = jail.create(&new).await.unwrap();
        let booking = booked.booking.unwrap();
        assert_eq!((booking.name.as_str(), booking.age_years, booking.t0), (BOOKING, Some(33), None), "33 until the next day");
        assert_eq!(booking.etag, booked.receipt.unwrap().etag);
        let received = jail.desk.receive("B-1", "MIA", Edition::I247Of2012, false, "2024-03-14T14:30:00Z").await;

        // A second ground, under an id of the server's; the person goes to another zone.
        let open = pb::OpenBasisRequest {
            parent: BOOKING.into(),
            request_id: "2".into(),
            effective_time: at("2024-03-14T14:40:00Z"),
            source: source(),
            kind: pb::BasisKind::OtherAgencyHold.into(),
            ..pb::OpenBasisRequest::default()
        };
        let opened = jail.calls.open_basis(with(&jail.records, open)).await.unwrap().into_inner();
        assert_eq!(opened.basis, format!("{BOOKING}/bases/2"));
        jail.desk.at("2024-03-15T22:00:00Z");
        let to = pb::MoveBookingRequest {
            name: BOOKING.into(),
            request_id: "3".into(),
            effective_time: at("2024-03-15T12:00:00Z"),
            facility: "counties/c/facilities/west".into(),
            ..pb::MoveBookingRequest::default()
        };
        let moved = jail.calls.move_booking(with(&jail.records, to.clone())).await.unwrap().into_inner().booking.unwrap();
        let stays: Vec<_> = moved.facility_stays.iter().map(|stay| (stay.facility.as_str(), stay.end_time)).collect();
        let left = at("2024-03-15T12:00:00Z");
        assert_eq!(stays, [("counties/c/facilities/main", left), ("counties/c/facilities/west", None)]);
        let there = pb::MoveBookingRequest { request_id: "3b".into(), effective_time: None, ..to };
        let there = jail.calls.move_booking(with(&jail.records, there)).await.unwrap_err();
        told(&there, Code::FailedPrecondition, "ALREADY_THERE");

        // Custody on a basis until the last one closes: T0.
        jail.close_basis(close("4", "A", "2024-03-15T20:00:00Z")).await.unwrap();
        let words = pb::CloseBasisRequest {
            reason: pb::BasisCloseReason::Other.into(),
            reason_text: "the other agency did not come".into(),
            ..close("5", "2", "2024-03-15T21:00:00Z")
        };
        let last = jail.close_basis(words).await.unwrap();
        let (booking, seen) = (last.booking.unwrap(), last.receipt.unwrap().sequence);
        assert_eq!((booking.t0, booking.holds.len()), (at("2024-03-15T21:00:00Z"), 1));
        assert_eq!(booking.bases[1].close_reason(), pb::BasisCloseReason::Other);
        told(
            &jail.close_basis(close("5b", "A", "2024-03-15T20:30:00Z")).await.unwrap_err(),
            Code::FailedPrecondition,
            "BASIS_CLOSED",
        );

        // Exact at instants.
        let until = at("2024-03-17T21:00:00Z");
        let basis = jail.check("2024-03-15T20:59:59.999999Z", None).await;
        assert_eq!(
            (basis.ground(), basis.may_hold, basis.next_action()),
            (pb::Ground::Basis, false, pb::NextAction::KeepOnBasis)
        );
        let held = jail.check("2024-03-15T21:00:00Z", None).await;
        assert_eq!((held.ground(), held.may_hold, held.authority_until), (pb::Ground::Detainer, true, until));
        assert_eq!(
            (held.detainer.as_str(), held.decision.as_str()),
            ("counties/c/bookings/B-1/detainers/D", "counties/c/bookings/B-1/detainers/D/decisions/1")
        );
        assert_eq!(held.policy_revision, "counties/c/policyRevisions/always");
        assert_eq!((held.deadline, held.contiguous_deadline), (until, until));
        assert_eq!(held.business_deadline, at("2024-03-19T21:00:00Z"), "a weekend later");
        assert_eq!((held.facility.as_str(), held.time_zone.as_str()), ("counties/c/facilities/west", "America/Chicago"));
        assert_eq!(held.next_action_text, "Hold at most until 2024-03-17 16:00:00 CDT; at that instant the person must be out.");
        assert!(jail.check("2024-03-17T20:59:59.999999Z", None).await.may_hold);
        let over = jail.check("2024-03-17T21:00:00Z", None).await;
        assert_eq!((over.ground(), over.may_hold, over.authority_until), (pb::Ground::None, false, None));
        assert_eq!((over.over_since, over.next_action()), (until, pb::NextAction::ReleaseNow));
        assert_eq!((over.hold.as_str(), over.detainer.as_str()), ("", "counties/c/bookings/B-1/detainers/D"));

        // What was known before the charge closed, and before the detainer came.
        let earlier = jail.check("2024-03-16T00:00:00Z", known(received)).await;
        assert_eq!((earlier.ground(), earlier.as_of_pair.unwrap().sequence), (pb::Ground::Basis, received));
        assert_eq!(jail.get(known(received - 1)).await.booking.unwrap().detainers.len(), 0);

        // A late fact: proof of citizenship ended the authority when it was shown, not when it was typed in.
        jail.desk.at("2024-03-16T12:00:00Z");
        let proof = pb::StatusProofFact { proved: pb::StatusProofKind::Citizenship.into() };
        let claim = pb::fact::Kind::CitizenshipClaim(pb::CitizenshipClaimFact {});
        let late = vec![fact("2024-03-16T01:00:00Z", claim), fact("2024-03-16T02:00:00Z", pb::fact::Kind::StatusProof(proof))];
        let learned = jail.calls.update_facts(with(&jail.records, facts("6", late))).await.unwrap().into_inner();
        let ids: Vec<_> = learned.facts.iter().map(|fact| fact.fact_id.as_str()).collect();
        assert_eq!(ids, ["2", "3"], "the age was the first");
        assert_eq!(learned.decisions, ["counties/c/bookings/B-1/detainers/D/decisions/2"]);
        let now = jail.check("2024-03-16T12:00:00Z", None).await;
        assert_eq!((now.may_hold, now.over_since, now.citizenship_claimed), (false, at("2024-03-16T02:00:00Z"), true));
        assert!(jail.check("2024-03-16T12:00:00Z", known(seen)).await.may_hold, "by what was known before");

        // Custody ends, and everything about it stays to be read.
        jail.desk.at("2024-03-16T12:10:00Z");
        let release = pb::ReleaseBookingRequest {
            name: BOOKING.into(),
            request_id: "7".into(),
            kind: pb::BookingEndKind::Released.into(),
            receiving_agency: "Counsel".into(),
            receiving_officer: "badge 77".into(),
            ..pb::ReleaseBookingRequest::default()
        };
        let ended = jail.calls.release_booking(with(&jail.records, release)).await.unwrap().into_inner().booking.unwrap();
        let end = ended.end.unwrap();
        assert_eq!((end.end_time, end.receiving_officer.as_str()), (at("2024-03-16T12:10:00Z"), ""), "sealed");
        let out = jail.check("2024-03-16T12:10:00Z", None).await;
        assert_eq!((out.ground(), out.next_action()), (pb::Ground::NotInCustody, pb::NextAction::None));
        let timeline = pb::GetTimelineRequest { name: BOOKING.into(), as_of: None, at_time: None };
        let timeline = jail.calls.get_timeline(with(&jail.records, timeline)).await.unwrap().into_inner();
        let grounds: Vec<_> =
            timeline.spans.iter().map(|span| (span.ground(), span.facility.as_str(), span.bases.len())).collect();
        let (main, west) = ("counties/c/facilities/main", "counties/c/facilities/west");
        assert_eq!(
            grounds,
            [
                (pb::Ground::Basis, main, 1),
                (pb::Ground::Basis, main, 2),
                (pb::Ground::Basis, west, 2),
                (pb::Ground::Basis, west, 1),
                (pb::Ground::Detainer, west, 0),
                (pb::Ground::None, west, 0),
            ]
        );
        assert_eq!(timeline.spans[0].interval.unwrap().start_time, at("2024-03-14T14:00:00Z"));
        assert!(timeline.spans.windows(2).all(|pair| pair[0].interval.unwrap().end_time == pair[1].interval.unwrap().start_time));
        assert_eq!(timeline.spans[5].interval.unwrap().end_time, at("2024-03-16T12:10:00Z"));
        assert_eq!(timeline.t0s, [at("2024-03-15T21:00:00Z").unwrap()]);
        let whole = jail.get(None).await;
        assert_eq!((whole.facts.len(), whole.booking.unwrap().citizenship_proved), (3, true));
        jail.desk.close().await;
    }
}

#[tokio::test]
async fn a_request_is_answered_once_and_tried_without_a_trace() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh).await;
        let new = pb::CreateBookingRequest { identity: Some(identity()), ..create("1", "B-1", "2024-03-14T14:00:00Z") };
        let tried = jail.create(&pb::CreateBookingRequest { validate_only: true, ..new.clone() }).await.unwrap();
        assert_eq!((tried.receipt, tried.booking.unwrap().name.as_str()), (None, BOOKING));
        let ask = pb::GetBookingRequest { name: BOOKING.into(), ..pb::GetBookingRequest::default() };
        let missing = jail.calls.get_booking(with(&jail.records, ask)).await.unwrap_err();
        told(&missing, Code::NotFound, "RESOURCE_NOT_FOUND");
        assert_eq!(missing.get_details_resource_info().unwrap().resource_name, BOOKING);

        let first = jail.create(&new).await.unwrap();
        jail.desk.at("2024-03-14T15:10:00Z");
        let opened = close("2", "A", "2024-03-14T15:00:00Z");
        let closed = jail.close_basis(opened.clone()).await.unwrap();
        assert_eq!(jail.create(&new).await.unwrap().encode_to_vec(), first.encode_to_vec(), "as it was then, to the byte");
        assert_eq!(jail.close_basis(opened.clone()).await.unwrap().encode_to_vec(), closed.encode_to_vec());

        let other = pb::CreateBookingRequest { booked_time: at("2024-03-14T13:00:00Z"), ..new.clone() };
        told(&jail.create(&other).await.unwrap_err(), Code::AlreadyExists, "REQUEST_ID_REUSED");
        let taken = jail.create(&pb::CreateBookingRequest { request_id: "3".into(), ..other }).await.unwrap_err();
        told(&taken, Code::AlreadyExists, "ID_TAKEN");
        assert_eq!(taken.get_details_resource_info().unwrap().resource_name, BOOKING);
        let again = jail.create(&pb::CreateBookingRequest { request_id: "4".into(), ..new.clone() }).await.unwrap();
        assert_eq!(again.receipt.unwrap().sequence, closed.receipt.clone().unwrap().sequence, "told again, nothing recorded");

        // The same subject cannot be in two places, and an id of the server's is the same for the same request.
        let overlap = create("5", "B-2", "2024-03-14T14:30:00Z");
        let overlap = pb::CreateBookingRequest { subject: new.subject.clone(), ..overlap };
        told(&jail.create(&overlap).await.unwrap_err(), Code::FailedPrecondition, "STAY_OVERLAPS");
        let nameless = pb::CreateBookingRequest { subject: String::new(), ..create("6", "", "2024-03-14T14:30:00Z") };
        let made = jail.create(&nameless).await.unwrap();
        assert_eq!(jail.create(&nameless).await.unwrap(), made);

        // Only who has seen the last state changes it.
        let stale = pb::CloseBasisRequest { request_id: "7".into(), etag: first.receipt.unwrap().etag, ..opened };
        told(&jail.close_basis(stale).await.unwrap_err(), Code::Aborted, "STALE_ETAG");
        jail.desk.close().await;
    }
}

fn correction(request: &str, change: Change) -> pb::CorrectBookingRequest {
    pb::CorrectBookingRequest {
        name: BOOKING.into(),
        request_id: request.into(),
        correction: Some(pb::Correction { change: Some(change) }),
        source: source(),
        reason: "read again in the log".into(),
        ..pb::CorrectBookingRequest::default()
    }
}

#[tokio::test]
async fn two_persons_correct_and_one_is_not_two() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh).await;
        jail.create(&create("1", "B-1", "2024-03-14T14:00:00Z")).await.unwrap();
        jail.desk.receive("B-1", "MIA", Edition::I247Of2012, false, "2024-03-14T14:30:00Z").await;
        jail.desk.at("2024-03-15T22:00:00Z");
        jail.close_basis(close("2", "A", "2024-03-15T20:00:00Z")).await.unwrap();

        // Earlier shortens what may be held: one person suffices.
        let closed = |old: &str, new: &str| {
            let (old_time, new_time) = (at(old), at(new));
            let new_reason = pb::BasisCloseReason::BailPosted.into();
            Change::BasisClosed(pb::BasisClosedCorrection { basis: format!("{BOOKING}/bases/A"), old_time, new_time, new_reason })
        };
        let earlier = correction("3", closed("2024-03-15T20:00:00Z", "2024-03-15T19:00:00Z"));
        let corrected = jail.calls.correct_booking(with(&jail.records, earlier)).await.unwrap().into_inner();
        assert_eq!((corrected.proposal, corrected.booking.unwrap().t0), (None, at("2024-03-15T19:00:00Z")));
        let before = corrected.receipt.unwrap().sequence;

        let later = correction("4", closed("2024-03-15T20:00:00Z", "2024-03-15T21:00:00Z"));
        let differs = jail.calls.correct_booking(with(&jail.records, later)).await.unwrap_err();
        told(&differs, Code::FailedPrecondition, "OLD_VALUE_DIFFERS");
        let violation = &differs.get_details_precondition_failure().unwrap().violations[0];
        assert_eq!(violation.subject, "correction.basis_closed.old_time");

        let later = correction("5", closed("2024-03-15T19:00:00Z", "2024-03-15T21:00:00Z"));
        let proposed = jail.calls.correct_booking(with(&jail.records, later.clone())).await.unwrap().into_inner();
        assert_eq!(proposed.booking.unwrap().t0, at("2024-03-15T19:00:00Z"), "as it still is");
        let proposal = proposed.proposal.unwrap();
        assert_eq!((proposal.state(), proposal.reason.as_str()), (pb::ProposalState::Pending, ""));
        assert_eq!(proposal.correction, later.correction);
        let again = jail.calls.correct_booking(with(&jail.records, later)).await.unwrap().into_inner();
        assert_eq!(again.proposal.unwrap(), proposal);

        let confirm = |request: &str, digest: &[u8]| pb::ConfirmProposalRequest {
            name: proposal.name.clone(),
            request_id: request.into(),
            content_digest: digest.to_vec(),
            ..pb::ConfirmProposalRequest::default()
        };
        let own = jail.calls.confirm_proposal(with(&jail.records, confirm("6", &proposal.content_digest))).await.unwrap_err();
        told(&own, Code::FailedPrecondition, "SECOND_PERSON_REQUIRED");
        let second = jail.desk.token(Role::Records, &["counties/c"]).await;
        let other = jail.calls.confirm_proposal(with(&second, confirm("7", &[7; 32]))).await.unwrap_err();
        told(&other, Code::FailedPrecondition, "PROPOSAL_DIFFERS");
        let absent = pb::ConfirmProposalRequest { name: "counties/c/proposals/1".into(), ..confirm("8", &[7; 32]) };
        told(&jail.calls.confirm_proposal(with(&second, absent)).await.unwrap_err(), Code::NotFound, "RESOURCE_NOT_FOUND");

        let list = |state: pb::ProposalState, as_of, view: pb::View| pb::ListProposalsRequest {
            parent: "counties/c".into(),
            as_of,
            state: state.into(),
            view: view.into(),
            ..pb::ListProposalsRequest::default()
        };
        let pending = list(pb::ProposalState::Pending, None, pb::View::Identity);
        let pending = jail.calls.list_proposals(with(&second, pending)).await.unwrap().into_inner();
        assert_eq!(pending.proposals.len(), 1);
        assert_eq!(pending.proposals[0].reason, "read again in the log");
        let point = pending.as_of_pair.unwrap().sequence;

        let done = jail.calls.confirm_proposal(with(&second, confirm("9", &proposal.content_digest))).await.unwrap().into_inner();
        assert_eq!(done.booking.as_ref().unwrap().t0, at("2024-03-15T21:00:00Z"));
        let confirmed = done.proposal.clone().unwrap();
        assert_eq!(confirmed.state(), pb::ProposalState::Confirmed);
        assert_ne!(confirmed.proposed_by, confirmed.confirmed_by);
        let retried = jail.calls.confirm_proposal(with(&second, confirm("9", &proposal.content_digest))).await.unwrap();
        assert_eq!(retried.into_inner().encode_to_vec(), done.encode_to_vec());
        let twice = jail.calls.confirm_proposal(with(&second, confirm("10", &proposal.content_digest))).await.unwrap_err();
        told(&twice, Code::FailedPrecondition, "PROPOSAL_CONFIRMED");

        for (state, as_of, count) in [
            (pb::ProposalState::Pending, None, 0),
            (pb::ProposalState::Pending, known(point), 1),
            (pb::ProposalState::Confirmed, None, 1),
            (pb::ProposalState::Unspecified, known(before), 0),
        ] {
            let found = list(state, as_of, pb::View::Basic);
            let found = jail.calls.list_proposals(with(&second, found)).await.unwrap().into_inner().proposals;
            assert_eq!(found.len(), count, "{state:?} {as_of:?}");
            assert!(found.iter().all(|found| found.reason.is_empty()));
        }
        assert_eq!(jail.get(known(before)).await.booking.unwrap().t0, at("2024-03-15T19:00:00Z"), "what was known before");
        let held = jail.check("2024-03-17T20:00:00Z", None).await;
        assert_eq!((held.may_hold, held.deadline), (true, at("2024-03-17T21:00:00Z")), "two persons moved the deadline");

        // After a day nobody can confirm any more.
        let wrong = Change::BasisRemoved(pb::BasisRemovedCorrection {
            basis: format!("{BOOKING}/bases/A"),
            old_open_time: at("2024-03-14T14:00:00Z"),
        });
        let removed = jail.calls.correct_booking(with(&jail.records, correction("11", wrong))).await.unwrap().into_inner();
        assert_eq!(removed.proposal, None, "custody without a basis from the start: less may be held");
        jail.desk.close().await;
    }
}

#[tokio::test]
async fn other_corrections_name_what_is_recorded() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh).await;
        jail.create(&create("1", "B-1", "2024-03-14T14:00:00Z")).await.unwrap();
        jail.desk.at("2024-03-15T22:00:00Z");
        let (main, west) = ("counties/c/facilities/main".to_owned(), "counties/c/facilities/west".to_owned());
        let moved = |old: Option<(&str, &str)>, new: Option<(&str, &str)>| {
            Change::Move(pb::MoveCorrection {
                old_time: old.and_then(|(time, _)| at(time)),
                old_facility: old.map_or_else(String::new, |(_, jail)| jail.to_owned()),
                new_time: new.and_then(|(time, _)| at(time)),
                new_facility: new.map_or_else(String::new, |(_, jail)| jail.to_owned()),
            })
        };
        let noon = "2024-03-15T12:00:00Z";
        let forgotten = correction("2", moved(None, Some((noon, &west))));
        let added = jail.calls.correct_booking(with(&jail.records, forgotten)).await.unwrap().into_inner();
        assert_eq!(added.booking.unwrap().facility, west);
        let misread = correction("3", moved(Some((noon, &main)), None));
        let misread = jail.calls.correct_booking(with(&jail.records, misread)).await.unwrap_err();
        told(&misread, Code::FailedPrecondition, "OLD_VALUE_DIFFERS");
        let subject = misread.get_details_precondition_failure().unwrap().violations[0].subject.clone();
        assert_eq!(subject, "correction.move.old_facility");
        let nowhere = correction("4", moved(Some((noon, &west)), Some((noon, "counties/c/facilities/none"))));
        let nowhere = jail.calls.correct_booking(with(&jail.records, nowhere)).await.unwrap_err();
        told(&nowhere, Code::NotFound, "RESOURCE_NOT_FOUND");
        assert_eq!(nowhere.get_details_resource_info().unwrap().resource_name, "counties/c/facilities/none");
        let never = correction("5", moved(Some((noon, &west)), None));
        let never = jail.calls.correct_booking(with(&jail.records, never)).await.unwrap().into_inner();
        assert_eq!(never.booking.unwrap().facility, main);

        let age = |years| fact("2024-03-14T14:00:00Z", pb::fact::Kind::Age(pb::AgeFact { years }));
        jail.calls.update_facts(with(&jail.records, facts("6", vec![age(40)]))).await.unwrap();
        let bare = |years| pb::Fact { source: None, ..age(years) };
        let aged = |old, new| Change::Fact(pb::FactCorrection { fact_id: "1".into(), old_fact: Some(old), new_fact: Some(new) });
        let differs =
            jail.calls.correct_booking(with(&jail.records, correction("7", aged(age(41), bare(17))))).await.unwrap_err();
        told(&differs, Code::FailedPrecondition, "OLD_VALUE_DIFFERS");
        jail.calls.correct_booking(with(&jail.records, correction("8", aged(age(40), bare(17))))).await.unwrap();
        assert_eq!(jail.get(None).await.booking.unwrap().age_years, Some(17));

        let release = pb::ReleaseBookingRequest {
            name: BOOKING.into(),
            request_id: "9".into(),
            effective_time: at("2024-03-15T20:00:00Z"),
            kind: pb::BookingEndKind::Released.into(),
            ..pb::ReleaseBookingRequest::default()
        };
        jail.calls.release_booking(with(&jail.records, release)).await.unwrap();
        let ended = |old: pb::BookingEndKind| {
            Change::End(pb::EndCorrection {
                old_time: at("2024-03-15T20:00:00Z"),
                old_kind: old.into(),
                new_time: at("2024-03-15T20:00:00Z"),
                new_kind: pb::BookingEndKind::Escaped.into(),
            })
        };
        let differs = correction("10", ended(pb::BookingEndKind::Died));
        let differs = jail.calls.correct_booking(with(&jail.records, differs)).await.unwrap_err();
        told(&differs, Code::FailedPrecondition, "OLD_VALUE_DIFFERS");
        let escaped = correction("11", ended(pb::BookingEndKind::Released));
        let escaped = jail.calls.correct_booking(with(&jail.records, escaped)).await.unwrap().into_inner();
        assert_eq!(escaped.booking.unwrap().end.unwrap().kind(), pb::BookingEndKind::Escaped);
        jail.desk.close().await;
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_changes() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh).await;
        let basis = pb::NewBasis { basis_id: "a/b".into(), ..pb::NewBasis::default() };
        let bad = pb::CreateBookingRequest {
            parent: "counties/c".into(),
            booking_id: "no spaces here".into(),
            identity: Some(pb::Identity {
                a_number: "12".into(),
                birth_date: Some(pb::Date { year: 2030, month: 1, day: 1 }),
                ..pb::Identity::default()
            }),
            subject: "counties/d/subjects/s".into(),
            facility: "counties/d/facilities/main".into(),
            bases: Some(Bases::FirstBases(pb::FirstBases { bases: vec![basis] })),
            age_years: Some(131),
            ..pb::CreateBookingRequest::default()
        };
        let refused = jail.create(&bad).await.unwrap_err();
        told(&refused, Code::InvalidArgument, "FIELD_INVALID");
        let mut named = fields(&refused);
        named.sort();
        assert_eq!(
            named,
            [
                "age_years",
                "booked_time",
                "booking_id",
                "facility",
                "first_bases.bases[0].basis_id",
                "first_bases.bases[0].kind",
                "first_bases.bases[0].open_time",
                "first_bases.bases[0].source",
                "identity.a_number",
                "identity.birth_date",
                "request_id",
                "source",
                "subject",
            ]
        );

        // What only the state can tell, in the request's own words.
        let ahead = create("1", "B-1", "2024-03-14T15:05:01Z");
        let refused = jail.create(&ahead).await.unwrap_err();
        told(&refused, Code::InvalidArgument, "EFFECTIVE_TIME_IN_FUTURE");
        assert_eq!(fields(&refused), ["booked_time"]);
        let mut early = create("2", "B-1", "2024-03-14T14:00:00Z");
        if let Some(Bases::FirstBases(first)) = &mut early.bases {
            first.bases[0].open_time = at("2024-03-14T13:59:59Z");
        }
        let refused = jail.create(&early).await.unwrap_err();
        told(&refused, Code::FailedPrecondition, "BEFORE_BEGINNING");
        let subject = refused.get_details_precondition_failure().unwrap().violations[0].subject.clone();
        assert_eq!(subject, "first_bases.bases[0].open_time");
        let nowhere = create("3", "B-1", "2024-03-14T14:00:00Z");
        let nowhere = pb::CreateBookingRequest { facility: "counties/c/facilities/none".into(), ..nowhere };
        told(&jail.create(&nowhere).await.unwrap_err(), Code::NotFound, "RESOURCE_NOT_FOUND");

        jail.create(&create("4", "B-1", "2024-03-14T14:00:00Z")).await.unwrap();
        let other =
            pb::CloseBasisRequest { reason: pb::BasisCloseReason::Other.into(), ..close("5", "A", "2024-03-14T14:30:00Z") };
        assert_eq!(fields(&jail.close_basis(other).await.unwrap_err()), ["reason_text"]);
        let absent = jail.close_basis(close("6", "Z", "2024-03-14T14:30:00Z")).await.unwrap_err();
        told(&absent, Code::NotFound, "RESOURCE_NOT_FOUND");
        assert_eq!(absent.get_details_resource_info().unwrap().resource_name, format!("{BOOKING}/bases/Z"));

        let charge = pb::ChargeFact { offense_classes: vec![String::new()], ..pb::ChargeFact::default() };
        let bail = pb::BailFact { amount: Some(pb::Money { currency_code: "EUR".into(), cents: -1 }) };
        let disposed = pb::DispositionFact { disposition: 0, charge_fact_id: "x".into() };
        let bad = vec![
            pb::Fact::default(),
            fact("2024-03-14T14:30:00Z", pb::fact::Kind::Charge(charge)),
            pb::Fact { fact_id: "mine".into(), ..fact("2024-03-14T14:30:00Z", pb::fact::Kind::Bail(bail)) },
            fact("2024-03-14T14:30:00Z", pb::fact::Kind::Disposition(disposed)),
        ];
        let refused = jail.calls.update_facts(with(&jail.records, facts("7", bad))).await.unwrap_err();
        assert_eq!(
            fields(&refused),
            [
                "facts[0].effective_time",
                "facts[0].source",
                "facts[0].kind",
                "facts[1].charge.offense_classes[0]",
                "facts[1].charge.magistrate_found_probable_cause",
                "facts[1].charge.bail_granted",
                "facts[2].fact_id",
                "facts[2].bail.amount.currency_code",
                "facts[2].bail.amount.cents",
                "facts[3].disposition.disposition",
                "facts[3].disposition.charge_fact_id",
            ]
        );
        let of_none = pb::DispositionFact { disposition: pb::Disposition::Dismissed.into(), charge_fact_id: "9".into() };
        let of_none = facts("8", vec![fact("2024-03-14T14:30:00Z", pb::fact::Kind::Disposition(of_none))]);
        let conflict = jail.calls.update_facts(with(&jail.records, of_none)).await.unwrap_err();
        told(&conflict, Code::FailedPrecondition, "FACT_CONFLICT");
        let later = fact("2024-03-14T16:00:00Z", pb::fact::Kind::CitizenshipClaim(pb::CitizenshipClaimFact {}));
        let good = fact("2024-03-14T14:30:00Z", pb::fact::Kind::CitizenshipClaim(pb::CitizenshipClaimFact {}));
        let refused = jail.calls.update_facts(with(&jail.records, facts("9", vec![good, later]))).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fields(&refused)),
            ("EFFECTIVE_TIME_IN_FUTURE", vec!["facts[1].effective_time".into()])
        );

        let empty = pb::CorrectBookingRequest { name: BOOKING.into(), ..pb::CorrectBookingRequest::default() };
        let refused = jail.calls.correct_booking(with(&jail.records, empty)).await.unwrap_err();
        assert_eq!(fields(&refused), ["request_id", "source", "reason", "correction"]);
        let half = Change::BasisAdded(pb::BasisAddedCorrection {
            basis: Some(pb::NewBasis {
                source: Some(pb::Source { kind: 2, reference: String::new() }),
                ..pb::NewBasis::default()
            }),
            close_time: None,
            close_reason: pb::BasisCloseReason::Dismissed.into(),
        });
        let refused = jail.calls.correct_booking(with(&jail.records, correction("10", half))).await.unwrap_err();
        assert_eq!(
            fields(&refused),
            [
                "correction.basis_added.basis.kind",
                "correction.basis_added.basis.open_time",
                "correction.basis_added.basis.source",
                "correction.basis_added.close_reason",
            ]
        );
        let list = pb::ListBookingsRequest {
            parent: "counties/c".into(),
            view: 9,
            filter: Some(pb::BookingFilter {
                facility: "main".into(),
                subject: "counties/d/subjects/s".into(),
                ..Default::default()
            }),
            ..pb::ListBookingsRequest::default()
        };
        let refused = jail.calls.list_bookings(with(&jail.records, list)).await.unwrap_err();
        assert_eq!(fields(&refused), ["view", "filter.facility", "filter.subject"]);

        let whole = jail.get(None).await;
        assert_eq!((whole.booking.unwrap().bases[0].close_time, whole.facts.len()), (None, 0), "nothing changed");
        jail.desk.close().await;
    }
}

#[tokio::test]
async fn identity_is_shown_where_it_is_asked_for_and_allowed() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh).await;
        let new = pb::CreateBookingRequest { identity: Some(identity()), ..create("1", "B-1", "2024-03-14T14:00:00Z") };
        jail.create(&new).await.unwrap();
        jail.create(&create("2", "B-2", "2024-03-14T14:00:00Z")).await.unwrap();
        assert_eq!(jail.get(None).await.booking.unwrap().identity, None);
        let ask = pb::GetBookingRequest { name: BOOKING.into(), as_of: None, view: pb::View::Identity.into() };
        let seen = jail.calls.get_booking(with(&jail.records, ask.clone())).await.unwrap().into_inner().booking.unwrap();
        let known = seen.identity.unwrap();
        assert_eq!((known.given_name.as_str(), known.a_number.as_str()), ("Person One", "012345678"));
        let list = pb::ListBookingsRequest {
            parent: "counties/c".into(),
            view: pb::View::Identity.into(),
            ..pb::ListBookingsRequest::default()
        };
        let listed = jail.calls.list_bookings(with(&jail.records, list.clone())).await.unwrap().into_inner().bookings;
        let names: Vec<_> = listed.iter().map(|one| one.identity.as_ref().map(|who| who.family_name.as_str())).collect();
        assert_eq!(names, [Some("Synthetic"), None]);

        let auditor = jail.desk.token(Role::Auditor, &["counties/c"]).await;
        for refused in [
            jail.calls.get_booking(with(&auditor, ask.clone())).await.err(),
            jail.calls.list_bookings(with(&auditor, list)).await.err(),
        ] {
            told(&refused.unwrap(), Code::PermissionDenied, "IDENTITY_NOT_ALLOWED");
        }

        // Another county's credential learns nothing, whether the booking is there or not.
        let foreign = jail.desk.token(Role::Records, &["counties/d"]).await;
        let mut answers = Vec::new();
        for name in [BOOKING, "counties/c/bookings/none"] {
            let ask = pb::GetBookingRequest { name: name.into(), ..ask.clone() };
            answers.push(jail.calls.get_booking(with(&foreign, ask)).await.unwrap_err());
            let check = pb::CheckReleaseRequest { name: name.into(), ..pb::CheckReleaseRequest::default() };
            answers.push(jail.calls.check_release(with(&foreign, check)).await.unwrap_err());
            let write = pb::CloseBasisRequest { name: format!("{name}/bases/A"), ..close("3", "A", "2024-03-14T14:30:00Z") };
            answers.push(jail.calls.close_basis(with(&foreign, write)).await.unwrap_err());
        }
        for answer in &answers {
            told(answer, Code::PermissionDenied, "COUNTY_NOT_ALLOWED");
            assert_eq!(answer.message(), answers[0].message());
        }

        // Nothing of a person stands in the journal or in a list of what is stored beside the seal.
        let mut stored = Vec::new();
        for record in jail.desk.ledger.records(&jail.desk.county, 0, 99, 99).await.unwrap() {
            stored.extend(record.encode());
        }
        let stored = String::from_utf8_lossy(&stored).to_lowercase();
        assert!(!stored.contains("synthetic") && !stored.contains("012345678"), "only commitments are recorded");
        jail.desk.close().await;
    }
}

#[tokio::test]
async fn pages_of_bookings_stand_still_while_others_write() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh).await;
        // Booked out of order, two at one instant.
        let times = [("c", 12), ("a", 10), ("e", 11), ("b", 10), ("d", 13)];
        for (id, hour) in times {
            let mut new = create(&format!("new {id}"), id, &format!("2024-03-14T{hour}:00:00Z"));
            if id == "e" {
                new.facility = "counties/c/facilities/west".into();
            }
            jail.create(&new).await.unwrap();
        }
        let list = |filter: Option<pb::BookingFilter>, size, page_token: &str| pb::ListBookingsRequest {
            parent: "counties/c".into(),
            page_size: size,
            page_token: page_token.into(),
            filter,
            ..pb::ListBookingsRequest::default()
        };
        let (mut token, mut seen, mut points) = (String::new(), Vec::new(), Vec::new());
        for round in 0.. {
            let page = jail.calls.list_bookings(with(&jail.records, list(None, 2, &token))).await.unwrap().into_inner();
            seen.extend(page.bookings.iter().map(|one| one.name.rsplit('/').next().unwrap().to_owned()));
            points.push(page.as_of_pair.unwrap().sequence);
            let before = create(&format!("late {round}"), &format!("late-{round}"), "2024-03-14T10:30:00Z");
            jail.create(&before).await.unwrap();
            let end = pb::ReleaseBookingRequest {
                name: "counties/c/bookings/c".into(),
                request_id: "end".into(),
                kind: pb::BookingEndKind::Released.into(),
                ..pb::ReleaseBookingRequest::default()
            };
            jail.calls.release_booking(with(&jail.records, end)).await.unwrap();
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
            let other = list(Some(pb::BookingFilter { in_custody: Some(true), ..Default::default() }), 2, &token);
            let refused = jail.calls.list_bookings(with(&jail.records, other)).await.unwrap_err();
            told(&refused, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
        }
        assert_eq!(seen, ["a", "b", "e", "c", "d"]);
        assert!(points.windows(2).all(|pair| pair[0] == pair[1]), "one point of knowledge: {points:?}");

        let hours = |start: &str, end: &str| Some(pb::Interval { start_time: at(start), end_time: at(end) });
        let cases: [(pb::BookingFilter, &[&str]); 5] = [
            (pb::BookingFilter { in_custody: Some(false), ..Default::default() }, &["c"]),
            (pb::BookingFilter { facility: "counties/c/facilities/west".into(), ..Default::default() }, &["e"]),
            (pb::BookingFilter { subject: "counties/c/subjects/of-b".into(), ..Default::default() }, &["b"]),
            (pb::BookingFilter { booked: hours("2024-03-14T12:00:00Z", "2024-03-14T13:00:00Z"), ..Default::default() }, &["c"]),
            (pb::BookingFilter { subject: "counties/c/subjects/nobody".into(), ..Default::default() }, &[]),
        ];
        for (filter, wanted) in cases {
            let found = list(Some(filter.clone()), 0, "");
            let found = jail.calls.list_bookings(with(&jail.records, found)).await.unwrap().into_inner().bookings;
            let found: Vec<_> = found.iter().map(|one| one.name.rsplit('/').next().unwrap().to_owned()).collect();
            assert_eq!(found, wanted, "{filter:?}");
        }
        jail.desk.close().await;
    }
}

#[tokio::test]
async fn what_is_not_known_and_what_is_not_served_give_no_authority() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh).await;
        let new = create("1", "B-1", "2024-03-14T14:00:00Z");
        let unknown = Bases::BasesNotKnown(pb::BasesNotKnown {});
        jail.create(&pb::CreateBookingRequest { bases: Some(unknown), ..new }).await.unwrap();
        jail.desk.receive("B-1", "MIA", Edition::I247A, false, "2024-03-14T14:30:00Z").await;
        let answer = jail.check("2024-03-14T15:00:00Z", None).await;
        assert_eq!((answer.ground(), answer.next_action()), (pb::Ground::NotKnown, pb::NextAction::EstablishBases));
        assert_eq!((answer.may_hold, answer.t0, answer.over_since), (false, None, None));

        let open = pb::OpenBasisRequest {
            parent: BOOKING.into(),
            request_id: "2".into(),
            effective_time: at("2024-03-14T14:10:00Z"),
            source: source(),
            basis_id: "A".into(),
            kind: pb::BasisKind::Charge.into(),
            ..pb::OpenBasisRequest::default()
        };
        let opened = jail.calls.open_basis(with(&jail.records, open.clone())).await.unwrap().into_inner();
        let again = pb::OpenBasisRequest { request_id: "2b".into(), ..open.clone() };
        let again = jail.calls.open_basis(with(&jail.records, again)).await.unwrap().into_inner();
        assert_eq!((again.basis, again.booking), (opened.basis, opened.booking), "told again");
        let taken = pb::OpenBasisRequest { request_id: "2c".into(), kind: pb::BasisKind::Sentence.into(), ..open.clone() };
        let taken = jail.calls.open_basis(with(&jail.records, taken)).await.unwrap_err();
        told(&taken, Code::AlreadyExists, "ID_TAKEN");
        assert_eq!(taken.get_details_resource_info().unwrap().resource_name, format!("{BOOKING}/bases/A"));

        jail.close_basis(close("3", "A", "2024-03-14T15:00:00Z")).await.unwrap();
        let until = at("2024-03-16T15:00:00Z");
        let serve = jail.check("2024-03-14T16:00:00Z", None).await;
        assert_eq!((serve.ground(), serve.next_action()), (pb::Ground::None, pb::NextAction::ServeOrRelease));
        assert_eq!((serve.may_hold, serve.deadline, serve.over_since), (false, until, at("2024-03-14T15:00:00Z")));
        let late = jail.check("2024-03-16T15:00:00Z", None).await;
        assert_eq!(late.next_action(), pb::NextAction::ReleaseNow, "the clock ran out without a hold");

        jail.desk.at("2024-03-14T18:00:00Z");
        jail.desk.serve("B-1", "2024-03-14T17:00:00Z").await;
        let held = jail.check("2024-03-14T17:00:00Z", None).await;
        assert_eq!((held.may_hold, held.authority_until), (true, until), "served two hours late, the deadline stays");
        assert!(!jail.check("2024-03-14T16:59:59.999999Z", None).await.may_hold);

        // A basis that would cover the known T0 is a correction, and needs a second person.
        let cover = pb::OpenBasisRequest {
            request_id: "4".into(),
            basis_id: "B".into(),
            effective_time: at("2024-03-14T14:50:00Z"),
            ..open
        };
        let cover = jail.calls.open_basis(with(&jail.records, cover)).await.unwrap_err();
        told(&cover, Code::FailedPrecondition, "CORRECTION_REQUIRED");
        let added = Change::BasisAdded(pb::BasisAddedCorrection {
            basis: Some(pb::NewBasis {
                kind: pb::BasisKind::Sentence.into(),
                open_time: at("2024-03-14T14:50:00Z"),
                reference: "F24-9".into(),
                ..pb::NewBasis::default()
            }),
            close_time: None,
            close_reason: 0,
        });
        let added = jail.calls.correct_booking(with(&jail.records, correction("5", added))).await.unwrap().into_inner();
        let proposal = added.proposal.unwrap();
        let Some(Change::BasisAdded(content)) = proposal.correction.unwrap().change else { panic!("another change") };
        assert_eq!(content.basis.unwrap().basis_id, "2", "the server's own number");
        jail.desk.at("2024-03-15T18:00:00.000010Z");
        let second = jail.desk.token(Role::Records, &["counties/c"]).await;
        let confirm = pb::ConfirmProposalRequest {
            name: proposal.name,
            request_id: "6".into(),
            content_digest: proposal.content_digest,
            ..pb::ConfirmProposalRequest::default()
        };
        let expired = jail.calls.confirm_proposal(with(&second, confirm)).await.unwrap_err();
        told(&expired, Code::FailedPrecondition, "PROPOSAL_EXPIRED");
        let list = pb::ListProposalsRequest {
            parent: "counties/c".into(),
            state: pb::ProposalState::Expired.into(),
            booking: BOOKING.into(),
            ..pb::ListProposalsRequest::default()
        };
        assert_eq!(jail.calls.list_proposals(with(&second, list)).await.unwrap().into_inner().proposals.len(), 1);
        jail.desk.close().await;
    }
}
