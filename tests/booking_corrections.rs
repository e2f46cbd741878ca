//! What BookingService refuses and corrects, over a real socket, on both engines: two persons, old values, wrong fields in
//! the words of the request, custody that nothing covers.

mod common;

use common::desk::{fields, reason, with};
use common::jail::{BOOKING, Jail, at, close, correction, create, fact, facts, known, source, told};
use detainer::domain::detainer::Edition;
use detainer::pb::correction::Change;
use detainer::pb::create_booking_request::Bases;
use detainer::pb::{self, Role};
use prost::Message as _;
use tonic::Code;
use tonic_types::StatusExt as _;

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
