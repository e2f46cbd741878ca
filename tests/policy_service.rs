//! PolicyService over a real socket, on both engines: rules made, previewed, activated, with a second person where the
//! county asks for one; a tree of conditions that facts turn; layers with dates of their own.

mod common;

use common::desk::{Desk, fields, reason, with};
use common::jail::{at, fact};
use detainer::domain::detainer::Edition;
use detainer::domain::ids::FacilityId;
use detainer::domain::policy::Mode;
use detainer::domain::rate::{DayCount, Rate};
use detainer::domain::testing;
use detainer::pb::booking_service_client::BookingServiceClient;
use detainer::pb::county_service_client::CountyServiceClient;
use detainer::pb::detainer_service_client::DetainerServiceClient;
use detainer::pb::policy_service_client::PolicyServiceClient;
use detainer::pb::preview_policy_revision_request::Subject;
use detainer::pb::{self, DecisionReason, Outcome};
use pb::condition::Kind;
use tonic::Code;
use tonic::transport::Channel;

type Client = PolicyServiceClient<Channel>;

/// A county that honors always, a rate of $126 a day, three persons on hold since Friday 17:00 New York, one of them on a
/// form that was never served.
async fn opened(fresh: &common::Fresh) -> (Desk, Client) {
    let desk = Desk::open(fresh, "2024-03-14T15:00:00Z").await;
    desk.found("America/New_York", &[("main", "America/New_York"), ("west", "America/Chicago")]).await;
    desk.switch(testing::revision("always", Mode::HonorAlways), "2017-01-26T20:00:00Z").await;
    let rate = testing::rate("main", "126.00", DayCount::Hourly, testing::day("2024-01-01"));
    desk.price(Rate { facility: FacilityId::trusted("main"), ..rate }).await;
    for id in ["A", "B", "C"] {
        desk.book(id, "main", "2024-03-14T14:00:00Z").await;
        desk.receive(id, "MIA", Edition::I247D, id != "C", "2024-03-14T14:30:00Z").await;
    }
    desk.at("2024-03-15T23:00:00Z");
    for id in ["A", "B", "C"] {
        desk.bail(id, "2024-03-15T21:00:00Z").await;
    }
    let calls = Client::new(desk.channel.clone());
    (desk, calls)
}

fn paper(title: &str) -> Option<pb::Instrument> {
    let date = Some(pb::Date { year: 2024, month: 3, day: 1 });
    Some(pb::Instrument { title: title.into(), citation: "R-1".into(), date, ..pb::Instrument::default() })
}

fn rules(mode: pb::PolicyMode) -> pb::PolicyRevision {
    pb::PolicyRevision {
        mode: mode.into(),
        adopted_date: Some(pb::Date { year: 2024, month: 3, day: 1 }),
        instrument: paper("Resolution"),
        open_detainers: pb::OpenDetainers::Reevaluate.into(),
        ..pb::PolicyRevision::default()
    }
}

fn leaf(kind: Kind) -> pb::Condition {
    pb::Condition { kind: Some(kind) }
}

fn make(request: &str, id: &str, rules: pb::PolicyRevision) -> pb::CreatePolicyRevisionRequest {
    pb::CreatePolicyRevisionRequest {
        parent: "counties/c".into(),
        request_id: request.into(),
        revision_id: id.into(),
        policy_revision: Some(rules),
        ..pb::CreatePolicyRevisionRequest::default()
    }
}

fn named(id: &str) -> pb::PreviewPolicyRevisionRequest {
    let name = format!("counties/c/policyRevisions/{id}");
    pb::PreviewPolicyRevisionRequest { subject: Some(Subject::Name(name)), ..Default::default() }
}

fn activate(request: &str, id: &str, preview: &pb::PreviewPolicyRevisionResponse) -> pb::ActivatePolicyRevisionRequest {
    pb::ActivatePolicyRevisionRequest {
        name: format!("counties/c/policyRevisions/{id}"),
        request_id: request.into(),
        etag: preview.etag.clone(),
        preview_digest: preview.preview_digest.clone(),
        ..pb::ActivatePolicyRevisionRequest::default()
    }
}

/// The answer in force on a booking's only request, and why.
async fn answer(desk: &Desk, booking: &str, time: &str) -> (Outcome, DecisionReason) {
    let mut calls = DetainerServiceClient::new(desk.channel.clone());
    let ask = pb::ListDecisionsRequest {
        parent: format!("counties/c/bookings/{booking}/detainers/D"),
        ..pb::ListDecisionsRequest::default()
    };
    let all = calls.list_decisions(with(&desk.admin, ask)).await.unwrap().into_inner().decisions;
    let so = |d: &&pb::Decision| {
        let (d, at) = (d.effective_time.unwrap(), at(time).unwrap());
        (d.seconds, d.nanos) <= (at.seconds, at.nanos)
    };
    let last = all.iter().filter(so).max_by_key(|d| (d.effective_time.map(|t| (t.seconds, t.nanos)), d.sequence)).unwrap();
    (last.outcome(), last.reason())
}

#[tokio::test]
async fn made_previewed_activated() {
    for fresh in common::engines().await {
        let (desk, mut calls) = opened(&fresh).await;
        let made =
            calls.create_policy_revision(with(&desk.admin, make("preview", "stop", rules(pb::PolicyMode::DeclineAll)))).await;
        let made = made.unwrap().into_inner();
        let draft = made.policy_revision.unwrap();
        assert_eq!((draft.state(), draft.effective_time), (pb::PolicyRevisionState::Draft, None));
        // A draft changes nothing, and is read by its name.
        assert_eq!(answer(&desk, "A", "2024-03-15T23:00:00Z").await.0, Outcome::Honor);
        let name = draft.name.clone();
        let ask = pb::GetPolicyRevisionRequest { name: name.clone(), ..Default::default() };
        assert_eq!(calls.get_policy_revision(with(&desk.admin, ask)).await.unwrap().into_inner().policy_revision, Some(draft));

        let preview = calls.preview_policy_revision(with(&desk.admin, named("stop"))).await.unwrap().into_inner();
        let flips: Vec<_> = preview.flips.iter().map(|f| (f.detainer.as_str(), f.before(), f.after(), f.reason())).collect();
        let turned = |id| (id, Outcome::Honor, Outcome::Decline, DecisionReason::DeclineAll);
        let [a, b, c] = ["A", "B", "C"].map(|id| format!("counties/c/bookings/{id}/detainers/D"));
        assert_eq!(flips, [turned(a.as_str()), turned(b.as_str()), turned(c.as_str())]);
        let ended: Vec<_> = preview.ended_holds.iter().map(|h| h.hold.as_str()).collect();
        assert_eq!(ended, ["counties/c/bookings/A/holds/1", "counties/c/bookings/B/holds/1"]);
        assert_eq!((preview.ended_count, preview.released_count, preview.turned_from_honor), (2, 2, 3));
        let [day] = preview.facility_days.as_slice() else { panic!("{:?}", preview.facility_days) };
        assert_eq!((day.holds_before, day.holds_after), (2, 0));
        assert_eq!(day.day_before.as_ref().map(|m| m.cents), Some(25_200));
        assert_eq!(day.day_after.as_ref().map(|m| m.cents), Some(0));
        // Asked again it says the same, and nothing was recorded.
        let again = calls.preview_policy_revision(with(&desk.admin, named("stop"))).await.unwrap().into_inner();
        assert_eq!((&again.preview_digest, &again.as_of_pair), (&preview.preview_digest, &preview.as_of_pair));
        // An auditor may preview; a clerk may not.
        let auditor = desk.token(detainer::pb::Role::Auditor, &["counties/c"]).await;
        assert!(calls.preview_policy_revision(with(&auditor, named("stop"))).await.is_ok());
        let clerk = desk.token(detainer::pb::Role::Records, &["counties/c"]).await;
        assert_eq!(calls.preview_policy_revision(with(&clerk, named("stop"))).await.unwrap_err().code(), Code::PermissionDenied);

        // Meanwhile another request comes in: the preview is not true any more, and nothing happens.
        desk.book("D", "main", "2024-03-15T22:00:00Z").await;
        desk.receive("D", "MIA", Edition::I247D, true, "2024-03-15T22:30:00Z").await;
        let refused = calls.activate_policy_revision(with(&desk.admin, activate("2", "stop", &preview))).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "PREVIEW_DIFFERS"));
        assert_eq!(answer(&desk, "A", "2024-03-15T23:30:00Z").await.0, Outcome::Honor);
        let preview = calls.preview_policy_revision(with(&desk.admin, named("stop"))).await.unwrap().into_inner();
        assert_eq!(preview.flip_count, 4);
        let done = calls.activate_policy_revision(with(&desk.admin, activate("3", "stop", &preview))).await.unwrap().into_inner();
        assert_eq!((&done.impact_digest, done.holds_ended), (&preview.preview_digest, 2));
        let active = done.policy_revision.unwrap();
        assert_eq!(active.state(), pb::PolicyRevisionState::Activated);
        for id in ["A", "B", "C", "D"] {
            assert_eq!(answer(&desk, id, "2024-03-15T23:30:00Z").await, (Outcome::Decline, DecisionReason::DeclineAll), "{id}");
        }
        // What is read, without what the server set, can be made again as another revision.
        let again = pb::PolicyRevision {
            name: String::new(),
            effective_time: None,
            recorded_time: None,
            sequence: 0,
            state: 0,
            author: String::new(),
            ..active
        };
        calls.create_policy_revision(with(&desk.admin, make("again", "again", again))).await.unwrap();
        // Nothing activated ever changes.
        let twice = calls.activate_policy_revision(with(&desk.admin, activate("4", "stop", &preview))).await.unwrap_err();
        assert_eq!(reason(&twice), "STALE_ETAG");
        let preview = pb::PreviewPolicyRevisionResponse { etag: done.receipt.unwrap().etag, ..preview };
        let twice = calls.activate_policy_revision(with(&desk.admin, activate("5", "stop", &preview))).await.unwrap_err();
        assert_eq!(reason(&twice), "ID_TAKEN");
        let again = calls.create_policy_revision(with(&desk.admin, make("6", "stop", rules(pb::PolicyMode::NotifyOnly)))).await;
        assert_eq!(reason(&again.unwrap_err()), "ID_TAKEN");
        desk.close().await;
    }
}

#[tokio::test]
async fn a_county_that_previews_and_asks_two_persons() {
    for fresh in common::engines().await {
        let (desk, mut calls) = opened(&fresh).await;
        let mut counties = CountyServiceClient::new(desk.channel.clone());
        let strict = pb::UpdateCountyRequest {
            name: "counties/c".into(),
            request_id: "strict".into(),
            two_person_switch: Some(true),
            policy_preview_required: Some(true),
            ..pb::UpdateCountyRequest::default()
        };
        let county = counties.update_county(with(&desk.admin, strict)).await.unwrap().into_inner().county.unwrap();
        assert!(county.two_person_switch && county.policy_preview_required);

        // The switch in one call obeys the same settings.
        let candidate =
            pb::PolicyRevisionSubject { parent: "counties/c".into(), policy_revision: Some(rules(pb::PolicyMode::DeclineAll)) };
        let ask = pb::PreviewPolicyRevisionRequest { subject: Some(Subject::Candidate(candidate)), ..Default::default() };
        let preview = calls.preview_policy_revision(with(&desk.admin, ask)).await.unwrap().into_inner();
        assert_eq!((preview.flip_count, preview.released_count), (3, 2));
        let rule = rules(pb::PolicyMode::DeclineAll);
        let switch = |request: &str, digest: &[u8]| pb::SwitchPolicyModeRequest {
            parent: "counties/c".into(),
            request_id: request.into(),
            etag: preview.etag.clone(),
            mode: rule.mode,
            adopted_date: rule.adopted_date,
            instrument: rule.instrument.clone(),
            open_detainers: rule.open_detainers,
            preview_digest: digest.to_vec(),
            ..pb::SwitchPolicyModeRequest::default()
        };
        let bare = calls.switch_policy_mode(with(&desk.admin, switch("1", &[]))).await.unwrap_err();
        assert_eq!((bare.code(), reason(&bare).as_str()), (Code::FailedPrecondition, "PREVIEW_REQUIRED"));
        let other = calls.switch_policy_mode(with(&desk.admin, switch("2", &[7; 32]))).await.unwrap_err();
        assert_eq!(reason(&other), "PREVIEW_DIFFERS");
        let short = calls.switch_policy_mode(with(&desk.admin, switch("3", &[7]))).await.unwrap_err();
        assert_eq!((short.code(), fields(&short)), (Code::InvalidArgument, vec!["preview_digest".to_owned()]));
        let told = calls.switch_policy_mode(with(&desk.admin, switch("4", &preview.preview_digest))).await.unwrap().into_inner();
        assert_eq!((&told.policy_revision, told.detainers_decided), (&None, 0), "nothing happens yet");
        let again = calls.switch_policy_mode(with(&desk.admin, switch("4", &preview.preview_digest))).await.unwrap().into_inner();
        assert_eq!(again, told, "a retry is answered as the first time");
        let proposal = told.proposal.unwrap();
        assert_eq!(proposal.policy_revision.as_ref().map(pb::PolicyRevision::mode), Some(pb::PolicyMode::DeclineAll));
        assert_eq!(answer(&desk, "A", "2024-03-15T23:30:00Z").await.0, Outcome::Honor, "it is only proposed");

        // It is on the list; the same person cannot confirm, another can, if it means the same.
        let mut bookings = BookingServiceClient::new(desk.channel.clone());
        let list = pb::ListProposalsRequest { parent: "counties/c".into(), ..pb::ListProposalsRequest::default() };
        let listed = bookings.list_proposals(with(&desk.admin, list)).await.unwrap().into_inner().proposals;
        assert_eq!(listed, std::slice::from_ref(&proposal));
        let author = proposal.policy_revision.as_ref().map(|rule| rule.author.as_str());
        assert_eq!(author, Some(proposal.proposed_by.as_str()), "the person, as the proposal names them");
        let confirm = |request: &str, digest: &[u8]| pb::ConfirmProposalRequest {
            name: proposal.name.clone(),
            request_id: request.into(),
            content_digest: digest.to_vec(),
            ..pb::ConfirmProposalRequest::default()
        };
        let own = bookings.confirm_proposal(with(&desk.admin, confirm("5", &proposal.content_digest))).await.unwrap_err();
        assert_eq!(reason(&own), "SECOND_PERSON_REQUIRED");
        let clerk = desk.token(detainer::pb::Role::Records, &["counties/c"]).await;
        let clerk = bookings.confirm_proposal(with(&clerk, confirm("6", &proposal.content_digest))).await.unwrap_err();
        assert_eq!(clerk.code(), Code::PermissionDenied);
        let second = desk.token(detainer::pb::Role::Administrator, &["counties/c"]).await;
        let wrong = bookings.confirm_proposal(with(&second, confirm("7", &[1; 32]))).await.unwrap_err();
        assert_eq!(reason(&wrong), "PROPOSAL_DIFFERS");
        let done = bookings.confirm_proposal(with(&second, confirm("8", &proposal.content_digest))).await.unwrap().into_inner();
        assert_eq!(done.proposal.as_ref().map(pb::Proposal::state), Some(pb::ProposalState::Confirmed));
        let counted = (done.detainers_decided, done.turned_to_honor, done.turned_from_honor, done.holds_ended);
        assert_eq!((counted, done.impact_digest), ((3, 0, 3, 2), preview.preview_digest.clone()), "what it did");
        for id in ["A", "B", "C"] {
            assert_eq!(answer(&desk, id, "2024-03-15T23:30:00Z").await, (Outcome::Decline, DecisionReason::DeclineAll), "{id}");
        }
        let ask = pb::GetEffectivePolicyRequest { parent: "counties/c".into(), ..pb::GetEffectivePolicyRequest::default() };
        let now = calls.get_effective_policy(with(&desk.admin, ask)).await.unwrap().into_inner().policy_revision.unwrap();
        assert_eq!((&now.author, now.author.as_str()), (&proposal.proposed_by, "admin"));
        assert!(now.approver.starts_with("person-"), "a person, not a credential: {}", now.approver);
        desk.close().await;
    }
}

#[tokio::test]
async fn a_tree_that_facts_turn_and_a_ceiling_with_dates() {
    for fresh in common::engines().await {
        let (desk, mut calls) = opened(&fresh).await;
        // Hold only the convicted of full age, from Saturday on; a state ceiling forbids even that from Saturday noon
        // until Sunday noon (New York), but for those with a judicial warrant.
        let violent = pb::ConvictionCondition { offense_classes: vec!["violent".into()], ..pb::ConvictionCondition::default() };
        let all = vec![leaf(Kind::Conviction(violent)), leaf(Kind::AgeAtLeast(18))];
        let warrant = leaf(Kind::JudicialWarrant(pb::JudicialWarrantCondition::default()));
        let ceiling = pb::PolicyLayer {
            kind: pb::LayerKind::StateCeiling.into(),
            instrument: paper("State law"),
            effective_time: at("2024-03-16T16:00:00Z"),
            end_time: at("2024-03-17T16:00:00Z"),
            condition: Some(leaf(Kind::Not(Box::new(warrant)))),
            ..pb::PolicyLayer::default()
        };
        let rule = pb::PolicyRevision {
            condition: Some(leaf(Kind::All(pb::ConditionList { conditions: all }))),
            layers: vec![ceiling],
            effective_time: at("2024-03-16T12:00:00Z"),
            ..rules(pb::PolicyMode::Conditional)
        };
        calls.create_policy_revision(with(&desk.admin, make("1", "tree", rule.clone()))).await.unwrap();
        let preview = calls.preview_policy_revision(with(&desk.admin, named("tree"))).await.unwrap().into_inner();
        assert_eq!((preview.effective_time, preview.flip_count), (at("2024-03-16T12:00:00Z"), 3));
        assert!(preview.flips.iter().all(|flip| flip.after() == Outcome::NeedsReview), "{:?}", preview.flips);
        calls.activate_policy_revision(with(&desk.admin, activate("2", "tree", &preview))).await.unwrap();
        assert_eq!(answer(&desk, "A", "2024-03-16T11:59:59Z").await.0, Outcome::Honor);
        assert_eq!(answer(&desk, "A", "2024-03-16T12:00:00Z").await, (Outcome::NeedsReview, DecisionReason::FactUnknown));
        // An unknown rule under a ceiling that speaks is declined: whatever comes to be known, nobody is held.
        assert_eq!(answer(&desk, "A", "2024-03-16T16:00:00Z").await, (Outcome::Decline, DecisionReason::StateCeiling));
        assert_eq!(answer(&desk, "A", "2024-03-17T16:00:00Z").await, (Outcome::NeedsReview, DecisionReason::FactUnknown));

        // Facts come in: A is a convict of full age, B a minor.
        let mut bookings = BookingServiceClient::new(desk.channel.clone());
        let facts = |request: &str, booking: &str, years: i32, class: &str| pb::UpdateFactsRequest {
            name: format!("counties/c/bookings/{booking}"),
            request_id: request.into(),
            facts: vec![
                fact("2024-03-15T23:10:00Z", pb::fact::Kind::Age(pb::AgeFact { years })),
                fact(
                    "2024-03-15T23:10:00Z",
                    pb::fact::Kind::Conviction(pb::ConvictionFact {
                        offense_classes: vec![class.into()],
                        ..pb::ConvictionFact::default()
                    }),
                ),
            ],
            ..pb::UpdateFactsRequest::default()
        };
        desk.at("2024-03-15T23:20:00Z");
        let clerk = desk.token(detainer::pb::Role::Records, &["counties/c"]).await;
        bookings.update_facts(with(&clerk, facts("3", "A", 30, "violent"))).await.unwrap();
        bookings.update_facts(with(&clerk, facts("4", "B", 17, "theft"))).await.unwrap();
        assert_eq!(answer(&desk, "A", "2024-03-16T12:00:00Z").await, (Outcome::Honor, DecisionReason::ConditionMet));
        assert_eq!(answer(&desk, "A", "2024-03-16T16:00:00Z").await, (Outcome::Decline, DecisionReason::StateCeiling));
        assert_eq!(answer(&desk, "B", "2024-03-16T12:00:00Z").await, (Outcome::Decline, DecisionReason::ConditionNotMet));
        assert_eq!(answer(&desk, "C", "2024-03-16T12:00:00Z").await.0, Outcome::NeedsReview);

        // What no rule may be is refused, with the node; nothing changes.
        let empty = pb::PolicyRevision {
            condition: Some(leaf(Kind::All(pb::ConditionList {
                conditions: vec![leaf(Kind::Any(pb::ConditionList::default()))],
            }))),
            ..rules(pb::PolicyMode::Conditional)
        };
        let refused = calls.create_policy_revision(with(&desk.admin, make("5", "empty", empty))).await.unwrap_err();
        assert_eq!(fields(&refused), ["policy_revision.condition.all[0].any"]);
        let set = pb::PolicyRevision { author: "me".into(), ..rules(pb::PolicyMode::DeclineAll) };
        let refused = calls.create_policy_revision(with(&desk.admin, make("6", "set", set))).await.unwrap_err();
        assert_eq!(fields(&refused), ["policy_revision.author"]);
        desk.close().await;
    }
}

/// A switch that is activated ahead takes effect at its instant whatever comes in until then; what came out otherwise than
/// its preview said is told.
#[tokio::test]
async fn what_a_scheduled_switch_does_otherwise_than_its_preview_is_told() {
    for fresh in common::engines().await {
        let (desk, mut calls) = opened(&fresh).await;
        let rule = testing::revision("guarantee", Mode::RequireReimbursementGuarantee);
        desk.switch(rule, "2024-03-17T05:00:00Z").await;
        let ask = |with_effect| pb::GetPolicyRevisionRequest {
            name: "counties/c/policyRevisions/guarantee".into(),
            as_of: None,
            with_effect,
        };
        let effect = calls.get_policy_revision(with(&desk.admin, ask(true))).await.unwrap().into_inner().effect;
        let told = |decided_at_activation, turned_since, decided_since| {
            Some(pb::SwitchEffect { decided_at_activation, turned_since, decided_since })
        };
        assert_eq!(effect, told(3, 0, 0));

        // One more comes in, and a promise from the day before on.
        desk.at("2024-03-15T23:30:00Z").book("D", "main", "2024-03-15T23:10:00Z").await;
        desk.receive("D", "MIA", Edition::I247D, true, "2024-03-15T23:20:00Z").await;
        let effect = calls.get_policy_revision(with(&desk.admin, ask(true))).await.unwrap().into_inner().effect;
        assert_eq!(effect, told(3, 0, 1));
        let zone = "America/New_York".parse().unwrap();
        desk.promise(testing::agreement("ice", zone, testing::day("2024-03-16"))).await;
        let effect = calls.get_policy_revision(with(&desk.admin, ask(true))).await.unwrap().into_inner().effect;
        assert_eq!(effect, told(3, 3, 1));

        let effect = calls.get_policy_revision(with(&desk.admin, ask(false))).await.unwrap().into_inner().effect;
        assert_eq!(effect, None, "only where it is asked for");
        desk.close().await;
    }
}

/// What two persons change is in force once both have spoken: until then custody stands on the old rule, and what comes in
/// bars nothing.
#[tokio::test]
async fn a_switch_of_two_persons_is_not_in_force_before_the_second_has_spoken() {
    for fresh in common::engines().await {
        let (desk, mut calls) = opened(&fresh).await;
        let mut counties = CountyServiceClient::new(desk.channel.clone());
        let two = pb::UpdateCountyRequest {
            name: "counties/c".into(),
            request_id: "two".into(),
            two_person_switch: Some(true),
            ..pb::UpdateCountyRequest::default()
        };
        counties.update_county(with(&desk.admin, two)).await.unwrap();
        let second = desk.token(detainer::pb::Role::Administrator, &["counties/c"]).await;
        let mut bookings = BookingServiceClient::new(desk.channel.clone());
        // Left out, and stated but past by the time the second person speaks.
        for (n, (meant, mode, spoken)) in [
            (None, pb::PolicyMode::DeclineAll, "2024-03-16T10:00:00Z"),
            (Some("2024-03-16T14:00:00Z"), pb::PolicyMode::HonorAlways, "2024-03-16T20:00:00Z"),
        ]
        .into_iter()
        .enumerate()
        {
            let ask = pb::GetEffectivePolicyRequest { parent: "counties/c".into(), ..pb::GetEffectivePolicyRequest::default() };
            let etag = calls.get_effective_policy(with(&desk.admin, ask)).await.unwrap().into_inner().etag;
            let rule = rules(mode);
            let switch = pb::SwitchPolicyModeRequest {
                parent: "counties/c".into(),
                request_id: format!("switch {n}"),
                etag,
                mode: rule.mode,
                adopted_date: rule.adopted_date,
                instrument: rule.instrument.clone(),
                open_detainers: rule.open_detainers,
                effective_time: meant.and_then(at),
                ..pb::SwitchPolicyModeRequest::default()
            };
            let proposal = calls.switch_policy_mode(with(&desk.admin, switch)).await.unwrap().into_inner().proposal.unwrap();
            let waiting = proposal.policy_revision.as_ref().map(pb::PolicyRevision::state);
            assert_eq!(waiting, Some(pb::PolicyRevisionState::Draft));
            let before = answer(&desk, "A", spoken).await;
            // Somebody comes in before the second person has spoken.
            let came = ["2024-03-16T09:00:00Z", "2024-03-16T19:00:00Z"][n];
            desk.at(came).book(&format!("between-{n}"), "main", came).await;
            desk.receive(&format!("between-{n}"), "MIA", Edition::I247D, true, came).await;
            desk.at(spoken);
            let confirm = pb::ConfirmProposalRequest {
                name: proposal.name,
                request_id: format!("confirm {n}"),
                content_digest: proposal.content_digest,
                ..pb::ConfirmProposalRequest::default()
            };
            bookings.confirm_proposal(with(&second, confirm)).await.unwrap();
            let ask = pb::GetEffectivePolicyRequest { parent: "counties/c".into(), ..pb::GetEffectivePolicyRequest::default() };
            let now = calls.get_effective_policy(with(&desk.admin, ask)).await.unwrap().into_inner().policy_revision.unwrap();
            assert!(now.effective_time.unwrap().seconds >= at(spoken).unwrap().seconds, "{now:?}");
            assert_eq!(now.state(), pb::PolicyRevisionState::Activated);
            assert_eq!(answer(&desk, "A", came).await, before, "what was so stays so");
        }
        desk.close().await;
    }
}
