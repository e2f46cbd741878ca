//! BookingService over a real socket, on both engines: a stay from its beginning to its end, retries, lists, who sees what.

mod common;

use common::desk::with;
use common::jail::{BOOKING, Jail, at, close, create, fact, facts, identity, known, source, told};
use detainer::domain::detainer::Edition;
use detainer::pb::{self, Role};
use prost::Message as _;
use tonic::Code;
use tonic_types::StatusExt as _;

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
        assert_eq!(held.next_action_text, "Hold at most until 2024-03-17 16:00 CDT; at that instant the person must be out.");
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

        // Booked again within a day: the clock that ran is taken along.
        jail.desk.at("2024-03-16T13:00:00Z");
        let again = create("8", "B-2", "2024-03-16T12:30:00Z");
        let again = pb::CreateBookingRequest { subject: "counties/c/subjects/of-B-1".into(), ..again };
        assert_eq!(jail.create(&again).await.unwrap().booking.unwrap().inherits_from, BOOKING);
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
        // The sweeper warns that nothing covers this custody; after that it has nothing to record.
        let warned = closed.receipt.clone().unwrap().sequence + 1;
        let ask = pb::GetBookingRequest { name: BOOKING.into(), ..pb::GetBookingRequest::default() };
        for _ in 0..600 {
            let read = jail.calls.get_booking(with(&jail.records, ask.clone())).await.unwrap().into_inner();
            if read.as_of_pair.unwrap().sequence == warned {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let again = jail.create(&pb::CreateBookingRequest { request_id: "4".into(), ..new.clone() }).await.unwrap();
        assert_eq!(again.receipt.unwrap().sequence, warned, "told again, nothing recorded");

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

/// The key of a subject is made with the first text of theirs; two who seal at once seal under one.
#[tokio::test]
async fn texts_that_come_at_once_open_under_one_key() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh).await;
        for n in 0..8 {
            let id = format!("B-{n}");
            jail.create(&create(&format!("new {n}"), &id, "2024-03-14T14:00:00Z")).await.unwrap();
            let name = format!("counties/c/bookings/{id}");
            let closing = pb::CloseBasisRequest {
                name: format!("{name}/bases/A"),
                reason_text: "bail, as the clerk told it".into(),
                ..close(&format!("close {n}"), "A", "2024-03-14T14:30:00Z")
            };
            let release = pb::ReleaseBookingRequest {
                name: name.clone(),
                request_id: format!("end {n}"),
                kind: pb::BookingEndKind::Released.into(),
                receiving_officer: "badge 77".into(),
                ..pb::ReleaseBookingRequest::default()
            };
            let (mut one, mut other) = (jail.calls.clone(), jail.calls.clone());
            let (closed, released) =
                tokio::join!(one.close_basis(with(&jail.records, closing)), other.release_booking(with(&jail.records, release)),);
            assert!(closed.is_ok() && released.is_ok(), "{closed:?} {released:?}");
            let ask = pb::GetBookingRequest { name, as_of: None, view: pb::View::Identity.into() };
            let seen = jail.calls.get_booking(with(&jail.records, ask)).await.unwrap().into_inner().booking.unwrap();
            assert_eq!(seen.end.unwrap().receiving_officer, "badge 77", "{n}");
        }
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
