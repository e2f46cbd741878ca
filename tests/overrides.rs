//! Overrides by two persons and the review queue, over a real socket, on both engines.

mod common;

use common::desk::{Desk, fields, with};
use common::jail::{at, known, source, told};
use detainer::domain::command::{BookingCommand, NewFact};
use detainer::domain::detainer::Edition;
use detainer::domain::facts::{EndKind, Fact, StatusProof};
use detainer::domain::policy::Mode;
use detainer::domain::testing::{self, instant};
use detainer::pb::booking_service_client::BookingServiceClient;
use detainer::pb::detainer_service_client::DetainerServiceClient;
use detainer::pb::resolve_review_request::Resolution;
use detainer::pb::{self, DecisionReason as Reason, Outcome, OverrideAnswer as Answer, Role};
use tonic::Code;
use tonic_types::StatusExt as _;

const DETAINER: &str = "counties/c/bookings/B-1/detainers/D";

fn wanted(request: &str, answer: Answer) -> pb::OverrideDecisionRequest {
    pb::OverrideDecisionRequest {
        name: DETAINER.into(),
        request_id: request.into(),
        answer: answer.into(),
        reason: "order of the sheriff".into(),
        source: source(),
        ..pb::OverrideDecisionRequest::default()
    }
}

async fn desk(fresh: &common::Fresh, mode: Mode) -> Desk {
    let desk = Desk::open(fresh, "2024-03-14T15:00:00Z").await;
    desk.found("America/New_York", &[("main", "America/New_York"), ("west", "America/Chicago")]).await;
    desk.switch(testing::revision("rule", mode), "2017-01-26T20:00:00Z").await;
    desk
}

#[tokio::test]
async fn two_persons_honor_in_guarantee_mode() {
    for fresh in common::engines().await {
        let desk = desk(&fresh, Mode::RequireReimbursementGuarantee).await;
        desk.book("B-1", "main", "2024-03-14T14:00:00Z").await;
        desk.receive("B-1", "MIA", Edition::I247A, true, "2024-03-14T14:30:00Z").await;
        let mut calls = DetainerServiceClient::new(desk.channel.clone());
        let mut bookings = BookingServiceClient::new(desk.channel.clone());
        let clerk = desk.token(Role::Records, &["counties/c"]).await;

        let forbidden = calls.override_decision(with(&clerk, wanted("1", Answer::Honor))).await.unwrap_err();
        assert_eq!(forbidden.code(), Code::PermissionDenied);
        let empty = pb::OverrideDecisionRequest { reason: String::new(), source: None, ..wanted("2", Answer::Unspecified) };
        let empty = calls.override_decision(with(&desk.admin, empty)).await.unwrap_err();
        assert_eq!(fields(&empty), ["answer", "reason", "source"]);
        let earlier = pb::OverrideDecisionRequest { effective_time: at("2024-03-14T14:40:00Z"), ..wanted("3", Answer::Honor) };
        let earlier = calls.override_decision(with(&desk.admin, earlier)).await.unwrap_err();
        assert_eq!((earlier.code(), fields(&earlier)), (Code::InvalidArgument, vec!["effective_time".to_owned()]));
        let same = calls.override_decision(with(&desk.admin, wanted("4", Answer::Decline))).await.unwrap_err();
        told(&same, Code::FailedPrecondition, "OVERRIDE_WITHOUT_EFFECT");
        assert_eq!(same.get_details_precondition_failure().unwrap().violations[0].subject, "answer");
        let nobody = pb::OverrideDecisionRequest { name: format!("{DETAINER}X"), ..wanted("5", Answer::Honor) };
        let nobody = calls.override_decision(with(&desk.admin, nobody)).await.unwrap_err();
        told(&nobody, Code::NotFound, "RESOURCE_NOT_FOUND");

        let proposed = calls.override_decision(with(&desk.admin, wanted("6", Answer::Honor))).await.unwrap().into_inner();
        let proposal = proposed.proposal.unwrap();
        let asked = proposal.decision_override.clone().unwrap();
        assert_eq!((asked.answer(), asked.detainer.as_str(), asked.confirm_time), (Answer::Honor, DETAINER, None));
        assert_eq!((proposal.reason.as_str(), &proposal.source), ("", &source()));
        let unchanged = proposed.detainer.unwrap();
        assert_eq!(unchanged.decision.unwrap().reason(), Reason::NoGuarantee);
        assert!(unchanged.overrides.is_empty());

        let confirm = |request: &str, digest: &[u8]| pb::ConfirmProposalRequest {
            name: proposal.name.clone(),
            request_id: request.into(),
            content_digest: digest.to_vec(),
            ..pb::ConfirmProposalRequest::default()
        };
        let digest = proposal.content_digest.clone();
        let own = bookings.confirm_proposal(with(&desk.admin, confirm("7", &digest))).await.unwrap_err();
        told(&own, Code::FailedPrecondition, "SECOND_PERSON_REQUIRED");
        let clerks = bookings.confirm_proposal(with(&clerk, confirm("8", &digest))).await.unwrap_err();
        told(&clerks, Code::PermissionDenied, "ROLE_REQUIRED");
        let second = desk.token(Role::Administrator, &["counties/c"]).await;
        let other = bookings.confirm_proposal(with(&second, confirm("9", &[7; 32]))).await.unwrap_err();
        told(&other, Code::FailedPrecondition, "PROPOSAL_DIFFERS");
        let list = pb::ListProposalsRequest {
            parent: "counties/c".into(),
            view: pb::View::Identity.into(),
            state: pb::ProposalState::Pending.into(),
            ..pb::ListProposalsRequest::default()
        };
        let waits = bookings.list_proposals(with(&clerk, list)).await.unwrap().into_inner().proposals;
        assert_eq!((waits.len(), waits[0].reason.as_str()), (1, "order of the sheriff"));

        desk.at("2024-03-14T16:00:00Z");
        let done = bookings.confirm_proposal(with(&second, confirm("10", &digest))).await.unwrap().into_inner();
        assert_eq!(done.proposal.unwrap().state(), pb::ProposalState::Confirmed);
        let point = done.receipt.unwrap().sequence;
        let get = pb::GetDetainerRequest { name: DETAINER.into(), ..pb::GetDetainerRequest::default() };
        let now = calls.get_detainer(with(&clerk, get)).await.unwrap().into_inner().detainer.unwrap();
        let decision = now.decision.unwrap();
        assert_eq!((decision.outcome(), decision.reason()), (Outcome::Honor, Reason::Overridden));
        assert_eq!((decision.trigger(), decision.agreement.as_str()), (pb::DecisionTrigger::Override, ""));
        let [act] = now.overrides.as_slice() else { panic!("{:?}", now.overrides) };
        assert_eq!((act.answer(), &act.proposal), (Answer::Honor, &proposal.name));
        assert_eq!((act.confirm_time, &*act.policy_revision), (act.effective_time, "counties/c/policyRevisions/rule"));

        // It covers custody after T0 as any honored detainer does.
        desk.at("2024-03-15T21:00:00Z");
        desk.bail("B-1", "2024-03-15T21:00:00Z").await;
        let ask =
            pb::CheckReleaseRequest { name: "counties/c/bookings/B-1".into(), at_time: at("2024-03-16T12:00:00Z"), as_of: None };
        let held = bookings.check_release(with(&clerk, ask)).await.unwrap().into_inner();
        assert_eq!((held.may_hold, held.deadline), (true, at("2024-03-17T21:00:00Z")));

        // Taken back, it ends; a proposal that nobody confirms within a day is void.
        let back = calls.override_decision(with(&desk.admin, wanted("11", Answer::Rule))).await.unwrap().into_inner();
        desk.at("2024-03-16T21:00:01Z");
        let proposal = back.proposal.unwrap();
        let late = pb::ConfirmProposalRequest { name: proposal.name.clone(), ..confirm("12", &proposal.content_digest) };
        let late = bookings.confirm_proposal(with(&second, late)).await.unwrap_err();
        told(&late, Code::FailedPrecondition, "PROPOSAL_EXPIRED");
        let back = calls.override_decision(with(&desk.admin, wanted("13", Answer::Rule))).await.unwrap().into_inner();
        let proposal = back.proposal.unwrap();
        let confirmed = pb::ConfirmProposalRequest { name: proposal.name.clone(), ..confirm("14", &proposal.content_digest) };
        bookings.confirm_proposal(with(&second, confirmed)).await.unwrap();
        let ask =
            pb::CheckReleaseRequest { name: "counties/c/bookings/B-1".into(), at_time: at("2024-03-16T22:00:00Z"), as_of: None };
        let held = bookings.check_release(with(&clerk, ask)).await.unwrap().into_inner();
        assert!(!held.may_hold);

        // Two persons may honor it again; as the hold has ended none begins, and the sentences say so. What was known
        // before is told as it was.
        let late = calls.override_decision(with(&desk.admin, wanted("15", Answer::Honor))).await.unwrap().into_inner();
        let proposal = late.proposal.unwrap();
        let confirmed = pb::ConfirmProposalRequest { name: proposal.name.clone(), ..confirm("16", &proposal.content_digest) };
        bookings.confirm_proposal(with(&second, confirmed)).await.unwrap();
        let told = async |as_of, time| {
            let get = pb::GetDetainerRequest { name: DETAINER.into(), as_of, at_time: time, ..pb::GetDetainerRequest::default() };
            let mut calls = DetainerServiceClient::new(desk.channel.clone());
            let found = calls.get_detainer(with(&clerk, get)).await.unwrap().into_inner().detainer.unwrap();
            let decision = found.decision.unwrap();
            let says = |part: &str| decision.sentences.iter().any(|told| told.basis.contains(part));
            let over = says("none may begin any more") && says("ya no puede empezar ninguna");
            (decision.outcome(), over, says("none begins before a copy"))
        };
        assert_eq!(told(None, None).await, (Outcome::Honor, true, false));
        assert_eq!(told(known(point), at("2024-03-14T16:30:00Z")).await, (Outcome::Honor, false, true));
        let ask =
            pb::CheckReleaseRequest { name: "counties/c/bookings/B-1".into(), at_time: at("2024-03-16T22:00:00Z"), as_of: None };
        assert!(!bookings.check_release(with(&clerk, ask)).await.unwrap().into_inner().may_hold);
        desk.close().await;
    }
}

#[tokio::test]
async fn the_queue_says_who_waits_for_what_and_since_when() {
    for fresh in common::engines().await {
        let desk = desk(&fresh, Mode::HonorAlways).await;
        let mut calls = DetainerServiceClient::new(desk.channel.clone());
        let fact = async |id: &str, time: &str, fact| {
            let new = NewFact { at: instant(time), source: testing::source(), fact };
            desk.booking(id, BookingCommand::UpdateFacts(vec![new])).await
        };
        // B-1 waits because nobody read the boxes, and claims citizenship; B-2 because proof came; B-3 does not wait.
        for (id, jail) in [("B-1", "main"), ("B-2", "west"), ("B-3", "main")] {
            desk.book(id, jail, "2024-03-14T10:00:00Z").await;
        }
        let mut unread = testing::form(Edition::I247A);
        unread.boxes.read = false;
        unread.boxes.final_order = false;
        let received = instant("2024-03-14T12:00:00Z");
        desk.booking("B-1", BookingCommand::RecordDetainer(testing::request("D", unread, Some(received), received))).await;
        fact("B-1", "2024-03-14T12:30:00Z", Fact::CitizenshipClaim).await;
        desk.receive("B-2", "MIA", Edition::I247A, true, "2024-03-14T11:00:00Z").await;
        desk.receive("B-3", "MIA", Edition::I247A, true, "2024-03-14T11:00:00Z").await;
        fact("B-2", "2024-03-14T14:00:00Z", Fact::StatusProof(StatusProof::Citizen)).await;

        let list = |filter, size, token: &str, as_of| pb::ListReviewsRequest {
            parent: "counties/c".into(),
            filter: Some(filter),
            page_size: size,
            page_token: token.into(),
            as_of,
        };
        let any = pb::ReviewFilter::default();
        desk.at("2024-03-14T16:00:00Z");
        let queue = calls.list_reviews(with(&desk.admin, list(any.clone(), 0, "", None))).await.unwrap().into_inner();
        let point = queue.as_of_pair.unwrap().sequence;
        let [first, second] = queue.reviews.as_slice() else { panic!("{:?}", queue.reviews) };
        assert_eq!((first.detainer.as_str(), first.reason()), (DETAINER, Reason::FacialSufficiencyUnknown));
        assert_eq!(
            (first.effective_time, first.age.as_ref().map(|age| age.seconds)),
            (at("2024-03-14T12:00:00Z"), Some(4 * 3600))
        );
        assert!(first.recorded_time.as_ref().unwrap().seconds >= at("2024-03-14T15:00:00Z").unwrap().seconds, "recorded later");
        assert_eq!(first.missing.iter().map(|node| node.kind()).collect::<Vec<_>>(), [pb::NodeKind::FaciallySufficient]);
        assert!(first.citizenship_claimed && first.t0.is_none());
        assert_eq!((second.booking.as_str(), second.reason()), ("counties/c/bookings/B-2", Reason::CitizenshipProof));
        assert_eq!(second.age.as_ref().map(|age| age.seconds), Some(2 * 3600));
        assert_eq!((second.missing.len(), second.time_zone.as_str()), (0, "America/Chicago"));
        // A claim is a duty of its own.
        let filter =
            pb::DutyFilter { kind: pb::DutyKind::CitizenshipInquiry.into(), done: Some(false), ..pb::DutyFilter::default() };
        let duties =
            pb::ListDutiesRequest { parent: "counties/c".into(), filter: Some(filter), ..pb::ListDutiesRequest::default() };
        let owed = calls.list_duties(with(&desk.admin, duties)).await.unwrap().into_inner().duties;
        assert_eq!(owed.iter().map(|duty| duty.detainer.as_str()).collect::<Vec<_>>(), [DETAINER]);

        // By place, by reason, by pages; wrong words are named.
        for (filter, found) in [
            (pb::ReviewFilter { facility: "counties/c/facilities/west".into(), ..any.clone() }, "counties/c/bookings/B-2"),
            (pb::ReviewFilter { reason: Reason::FacialSufficiencyUnknown.into(), ..any.clone() }, "counties/c/bookings/B-1"),
        ] {
            let some = calls.list_reviews(with(&desk.admin, list(filter, 0, "", None))).await.unwrap().into_inner().reviews;
            assert_eq!(some.iter().map(|review| review.booking.as_str()).collect::<Vec<_>>(), [found]);
        }
        let page = calls.list_reviews(with(&desk.admin, list(any.clone(), 1, "", None))).await.unwrap().into_inner();
        let next = list(any.clone(), 1, &page.next_page_token, None);
        let next = calls.list_reviews(with(&desk.admin, next)).await.unwrap().into_inner();
        assert_eq!((&page.reviews[..], &next.reviews[..]), (&queue.reviews[..1], &queue.reviews[1..]));
        assert_eq!(next.next_page_token, "");
        let wrong = pb::ReviewFilter { reason: Reason::HonorAlways.into(), facility: "counties/x/facilities/main".into() };
        let wrong = calls.list_reviews(with(&desk.admin, list(wrong, 0, "", None))).await.unwrap_err();
        assert_eq!(fields(&wrong), ["filter.facility", "filter.reason"]);

        // Past T0 it says so, and nobody is held meanwhile.
        desk.bail("B-1", "2024-03-14T16:00:00Z").await;
        let queue = calls.list_reviews(with(&desk.admin, list(any.clone(), 0, "", None))).await.unwrap().into_inner();
        assert_eq!(queue.reviews[0].t0, at("2024-03-14T16:00:00Z"));

        // Read, it is answered and gone; the person who was let go is gone too. What was known before stays so.
        let reading = pb::FormReading {
            effective_time: at("2024-03-14T16:00:00Z"),
            source: source(),
            probable_cause: Some(pb::ProbableCauseBoxes { final_order: true, known: true, ..pb::ProbableCauseBoxes::default() }),
            signed: pb::TriState::Yes.into(),
        };
        let resolve = pb::ResolveReviewRequest {
            name: DETAINER.into(),
            request_id: "resolve".into(),
            resolution: Some(Resolution::FormReading(reading)),
            ..pb::ResolveReviewRequest::default()
        };
        let resolved = calls.resolve_review(with(&desk.admin, resolve)).await.unwrap().into_inner();
        assert_eq!(resolved.decision.unwrap().outcome(), Outcome::Honor);
        let queue = calls.list_reviews(with(&desk.admin, list(any.clone(), 0, "", None))).await.unwrap().into_inner();
        assert_eq!(queue.reviews.iter().map(|review| review.booking.as_str()).collect::<Vec<_>>(), ["counties/c/bookings/B-2"]);
        desk.end("B-2", EndKind::Released, "2024-03-14T16:00:00Z").await;
        let queue = calls.list_reviews(with(&desk.admin, list(any.clone(), 0, "", None))).await.unwrap().into_inner();
        assert!(queue.reviews.is_empty());
        let before = calls.list_reviews(with(&desk.admin, list(any, 0, "", known(point)))).await.unwrap().into_inner();
        assert_eq!(before.reviews.len(), 2);
        desk.close().await;
    }
}
