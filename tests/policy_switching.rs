//! How a county's policy changes, over a real socket, on both engines: a preview asked of one person, switches that are
//! scheduled by one person and by two, a roll back, reviews that supply a fact, and real chains on both sides of each of
//! their days.

mod common;

use chrono::Datelike as _;
use common::desk::{Desk, fields, reason, with};
use common::jail::{at, create, fact, source, told};
use detainer::api::convert::{facts::wire_told, form, policy::wire_rules};
use detainer::domain::agreement::{Agreement, MinimumCoverage, Term};
use detainer::domain::county::County;
use detainer::domain::detainer::Edition;
use detainer::domain::ids::{BookingId, CountyId};
use detainer::domain::money::Cents;
use detainer::domain::policy::{Mode, Revision};
use detainer::domain::testing::{self, instant};
use detainer::domain::time::{HOUR_US, Instant};
use detainer::ledger::AsOf;
use detainer::pb::booking_service_client::BookingServiceClient;
use detainer::pb::county_service_client::CountyServiceClient;
use detainer::pb::detainer_service_client::DetainerServiceClient;
use detainer::pb::policy_service_client::PolicyServiceClient;
use detainer::pb::preview_policy_revision_request::Subject;
use detainer::pb::resolve_review_request::Resolution;
use detainer::pb::{self, DecisionReason, Outcome, PolicyMode, Role};
use detainer::policyfile::{self, Chain, PolicyFile, Promise};
use std::collections::BTreeMap;
use std::path::Path;
use tonic::{Code, Status};

/// A county that honors always; A and B on hold from Friday 17:00 New York to Sunday 17:00, Z still on a charge.
async fn opened(fresh: &common::Fresh) -> Desk {
    let desk = Desk::open(fresh, "2024-03-14T15:00:00Z").await;
    desk.found("America/New_York", &[("main", "America/New_York")]).await;
    desk.switch(testing::revision("always", Mode::HonorAlways), "2017-01-26T20:00:00Z").await;
    for id in ["A", "B", "Z"] {
        desk.book(id, "main", "2024-03-14T14:00:00Z").await;
        desk.receive(id, "MIA", Edition::I247D, true, "2024-03-14T14:30:00Z").await;
    }
    desk.at("2024-03-15T21:00:00Z");
    for id in ["A", "B"] {
        desk.bail(id, "2024-03-15T21:00:00Z").await;
    }
    desk.at("2024-03-15T23:00:00Z");
    desk
}

fn rules(mode: PolicyMode) -> pb::PolicyRevision {
    let date = Some(pb::Date { year: 2024, month: 3, day: 1 });
    pb::PolicyRevision {
        mode: mode.into(),
        adopted_date: date,
        instrument: Some(pb::Instrument { title: "Resolution".into(), date, ..pb::Instrument::default() }),
        open_detainers: pb::OpenDetainers::Reevaluate.into(),
        ..pb::PolicyRevision::default()
    }
}

/// What a desk asks PolicyService.
struct Policy<'a>(&'a Desk);

impl Policy<'_> {
    fn calls(&self) -> PolicyServiceClient<tonic::transport::Channel> {
        PolicyServiceClient::new(self.0.channel.clone())
    }

    fn name(&self, id: &str) -> String {
        format!("counties/{}/policyRevisions/{id}", self.0.county)
    }

    async fn make(&self, id: &str, rules: pb::PolicyRevision) -> Result<pb::CreatePolicyRevisionResponse, Status> {
        let make = pb::CreatePolicyRevisionRequest {
            parent: format!("counties/{}", self.0.county),
            request_id: format!("make {id}"),
            revision_id: id.into(),
            policy_revision: Some(rules),
            ..pb::CreatePolicyRevisionRequest::default()
        };
        self.calls().create_policy_revision(with(&self.0.admin, make)).await.map(tonic::Response::into_inner)
    }

    async fn preview(&self, id: &str, effective: Option<&str>) -> pb::PreviewPolicyRevisionResponse {
        let ask = pb::PreviewPolicyRevisionRequest {
            subject: Some(Subject::Name(self.name(id))),
            effective_time: effective.and_then(at),
            ..Default::default()
        };
        self.calls().preview_policy_revision(with(&self.0.admin, ask)).await.unwrap().into_inner()
    }

    async fn activate(
        &self,
        request: &str,
        id: &str,
        effective: Option<&str>,
        digest: &[u8],
    ) -> Result<pb::ActivatePolicyRevisionResponse, Status> {
        let ask = pb::ActivatePolicyRevisionRequest {
            name: self.name(id),
            request_id: request.into(),
            etag: self.etag().await,
            effective_time: effective.and_then(at),
            preview_digest: digest.to_vec(),
            ..pb::ActivatePolicyRevisionRequest::default()
        };
        self.calls().activate_policy_revision(with(&self.0.admin, ask)).await.map(tonic::Response::into_inner)
    }

    /// Makes, previews, activates.
    async fn change(&self, id: &str, rules: pb::PolicyRevision, effective: Option<&str>) -> pb::ActivatePolicyRevisionResponse {
        self.make(id, rules).await.unwrap();
        let preview = self.preview(id, effective).await;
        self.activate(&format!("activate {id}"), id, effective, &preview.preview_digest).await.unwrap()
    }

    async fn etag(&self) -> String {
        let parent = format!("counties/{}", self.0.county);
        let ask = pb::GetEffectivePolicyRequest { parent, ..pb::GetEffectivePolicyRequest::default() };
        self.calls().get_effective_policy(with(&self.0.admin, ask)).await.unwrap().into_inner().etag
    }

    async fn in_force(&self, time: &str) -> String {
        let parent = format!("counties/{}", self.0.county);
        let ask = pb::GetEffectivePolicyRequest { parent, at_time: at(time), ..pb::GetEffectivePolicyRequest::default() };
        let found = self.calls().get_effective_policy(with(&self.0.admin, ask)).await.unwrap().into_inner().policy_revision;
        found.map(|found| found.name.rsplit('/').next().unwrap_or_default().to_owned()).unwrap_or_default()
    }

    async fn asks(&self, two: Option<bool>, preview: Option<bool>) {
        let change = pb::UpdateCountyRequest {
            name: "counties/c".into(),
            request_id: format!("{two:?} {preview:?}"),
            two_person_switch: two,
            policy_preview_required: preview,
            ..pb::UpdateCountyRequest::default()
        };
        CountyServiceClient::new(self.0.channel.clone()).update_county(with(&self.0.admin, change)).await.unwrap();
    }
}

/// May the person be held, and until when.
async fn held(desk: &Desk, booking: &str, time: &str) -> (bool, Option<prost_types::Timestamp>) {
    let ask = pb::CheckReleaseRequest { name: format!("counties/c/bookings/{booking}"), at_time: at(time), as_of: None };
    let found = BookingServiceClient::new(desk.channel.clone()).check_release(with(&desk.admin, ask)).await.unwrap().into_inner();
    (found.may_hold, found.authority_until)
}

/// Every answer on a booking's only request: since when, what, why.
async fn answers(desk: &Desk, booking: &str) -> Vec<(Option<prost_types::Timestamp>, Outcome, DecisionReason)> {
    let parent = format!("counties/c/bookings/{booking}/detainers/D");
    let ask = pb::ListDecisionsRequest { parent, ..pb::ListDecisionsRequest::default() };
    let mut calls = DetainerServiceClient::new(desk.channel.clone());
    let all = calls.list_decisions(with(&desk.admin, ask)).await.unwrap().into_inner().decisions;
    all.iter().map(|one| (one.effective_time, one.outcome(), one.reason())).collect()
}

#[tokio::test]
async fn a_preview_is_asked_of_one_person() {
    for fresh in common::engines().await {
        let desk = opened(&fresh).await;
        let policy = Policy(&desk);
        policy.asks(None, Some(true)).await;
        policy.make("stop", rules(PolicyMode::DeclineAll)).await.unwrap();
        let bare = policy.activate("1", "stop", None, &[]).await.unwrap_err();
        told(&bare, Code::FailedPrecondition, "PREVIEW_REQUIRED");
        let ahead = policy.activate("2", "stop", Some("2024-03-16T12:00:00Z"), &[]).await.unwrap_err();
        told(&ahead, Code::FailedPrecondition, "PREVIEW_REQUIRED");
        let other = policy.activate("3", "stop", None, &[7; 32]).await.unwrap_err();
        told(&other, Code::Aborted, "PREVIEW_DIFFERS");
        let short = policy.activate("4", "stop", None, &[7; 31]).await.unwrap_err();
        assert_eq!((short.code(), fields(&short)), (Code::InvalidArgument, vec!["preview_digest".to_owned()]));
        assert_eq!(policy.in_force("2024-03-15T23:30:00Z").await, "always");
        assert!(held(&desk, "A", "2024-03-15T23:30:00Z").await.0);

        // One person is enough, and it is in force at once.
        let preview = policy.preview("stop", None).await;
        assert_eq!((preview.flip_count, preview.ended_count), (3, 2));
        let done = policy.activate("5", "stop", None, &preview.preview_digest).await.unwrap();
        assert!(done.proposal.is_none() && done.receipt.is_some(), "{done:?}");
        assert_eq!((done.detainers_decided, done.turned_from_honor, done.holds_ended), (3, 3, 2));
        let active = done.policy_revision.unwrap();
        assert_eq!((active.author.as_str(), active.approver.as_str()), ("admin", ""));
        assert_eq!(policy.in_force("2024-03-15T23:30:00Z").await, "stop");
        assert!(!held(&desk, "A", "2024-03-15T23:30:00Z").await.0);

        // A mode is no way around it.
        let rule = rules(PolicyMode::HonorAlways);
        let switch = pb::SwitchPolicyModeRequest {
            parent: "counties/c".into(),
            request_id: "6".into(),
            etag: policy.etag().await,
            mode: rule.mode,
            adopted_date: rule.adopted_date,
            instrument: rule.instrument,
            open_detainers: rule.open_detainers,
            ..pb::SwitchPolicyModeRequest::default()
        };
        let bare = policy.calls().switch_policy_mode(with(&desk.admin, switch)).await.unwrap_err();
        told(&bare, Code::FailedPrecondition, "PREVIEW_REQUIRED");
        desk.close().await;
    }
}

#[tokio::test]
async fn one_person_schedules_a_switch() {
    for fresh in common::engines().await {
        let desk = opened(&fresh).await;
        let (policy, noon) = (Policy(&desk), "2024-03-16T12:00:00Z");
        policy.make("stop", rules(PolicyMode::DeclineAll)).await.unwrap();
        let preview = policy.preview("stop", Some(noon)).await;
        let ends: Vec<_> = preview.ended_holds.iter().map(|hold| (hold.authority_until, hold.former_authority_until)).collect();
        assert_eq!(ends, [(at(noon), at("2024-03-17T21:00:00Z")); 2]);
        let done = policy.activate("1", "stop", Some(noon), &preview.preview_digest).await.unwrap();
        assert_eq!(done.holds_ended, 2);

        // Until the instant all is as it was; at the instant it ends, whatever the clock of a timer says.
        assert_eq!(policy.in_force("2024-03-16T11:59:59Z").await, "always");
        assert_eq!(policy.in_force(noon).await, "stop");
        assert_eq!(held(&desk, "A", "2024-03-16T11:59:59Z").await, (true, at(noon)));
        assert_eq!(held(&desk, "A", noon).await, (false, None));

        // Who comes in before it is answered by both rules, each from its own time on.
        desk.at("2024-03-16T09:00:00Z").book("N", "main", "2024-03-16T08:00:00Z").await;
        desk.receive("N", "MIA", Edition::I247D, true, "2024-03-16T08:30:00Z").await;
        let expected = [
            (at("2024-03-16T08:30:00Z"), Outcome::Honor, DecisionReason::HonorAlways),
            (at(noon), Outcome::Decline, DecisionReason::DeclineAll),
        ];
        assert_eq!(answers(&desk, "N").await, expected);
        desk.at("2024-03-16T10:00:00Z").bail("N", "2024-03-16T10:00:00Z").await;
        assert_eq!(held(&desk, "N", "2024-03-16T11:00:00Z").await, (true, at(noon)));

        // When the instant has come nothing else is needed: no call, no timer.
        desk.at("2024-03-16T12:00:01Z");
        for id in ["A", "B", "N"] {
            assert!(!held(&desk, id, "2024-03-16T12:00:01Z").await.0, "{id}");
        }
        desk.book("M", "main", "2024-03-16T12:00:01Z").await;
        desk.receive("M", "MIA", Edition::I247D, true, "2024-03-16T12:00:01Z").await;
        assert_eq!(answers(&desk, "M").await.iter().map(|one| one.1).collect::<Vec<_>>(), [Outcome::Decline]);
        desk.close().await;
    }
}

#[tokio::test]
async fn two_persons_schedule_a_switch() {
    for fresh in common::engines().await {
        let desk = opened(&fresh).await;
        let policy = Policy(&desk);
        policy.asks(Some(true), None).await;
        let second = desk.token(Role::Administrator, &["counties/c"]).await;
        let mut bookings = BookingServiceClient::new(desk.channel.clone());
        let confirm = |request: &str, proposal: &pb::Proposal| pb::ConfirmProposalRequest {
            name: proposal.name.clone(),
            request_id: request.into(),
            content_digest: proposal.content_digest.clone(),
            ..pb::ConfirmProposalRequest::default()
        };
        let noon = "2024-03-17T12:00:00Z";
        policy.make("stop", rules(PolicyMode::DeclineAll)).await.unwrap();
        let preview = policy.preview("stop", Some(noon)).await;
        let proposed = policy.activate("1", "stop", Some(noon), &preview.preview_digest).await.unwrap();
        let proposal = proposed.proposal.unwrap();
        assert_eq!((proposed.detainers_decided, proposed.holds_ended), (0, 0));
        assert_eq!(held(&desk, "A", noon).await, (true, at("2024-03-17T21:00:00Z")), "it is only proposed");
        assert_eq!(policy.in_force(noon).await, "always");

        // Confirmed ahead of its instant it takes effect at its instant.
        desk.at("2024-03-16T20:00:00Z");
        let own = bookings.confirm_proposal(with(&desk.admin, confirm("2", &proposal))).await.unwrap_err();
        told(&own, Code::FailedPrecondition, "SECOND_PERSON_REQUIRED");
        let done = bookings.confirm_proposal(with(&second, confirm("3", &proposal))).await.unwrap().into_inner();
        assert_eq!((done.turned_from_honor, done.holds_ended), (3, 2));
        assert_eq!(done.impact_digest, preview.preview_digest);
        assert_eq!(policy.in_force("2024-03-17T11:59:59Z").await, "always");
        assert_eq!(policy.in_force(noon).await, "stop");
        assert_eq!(held(&desk, "A", "2024-03-17T11:59:59Z").await, (true, at(noon)));
        assert_eq!(held(&desk, "A", noon).await, (false, None));
        let again = bookings.confirm_proposal(with(&second, confirm("4", &proposal))).await.unwrap_err();
        told(&again, Code::FailedPrecondition, "PROPOSAL_CONFIRMED");

        // What nobody confirms within a day never takes effect, and can be proposed again.
        policy.make("again", rules(PolicyMode::HonorAlways)).await.unwrap();
        let proposed = policy.activate("5", "again", Some("2024-03-19T12:00:00Z"), &[]).await.unwrap();
        desk.at("2024-03-17T20:00:01Z");
        let late = bookings.confirm_proposal(with(&second, confirm("6", &proposed.proposal.unwrap()))).await.unwrap_err();
        told(&late, Code::FailedPrecondition, "PROPOSAL_EXPIRED");
        assert_eq!(policy.in_force("2024-03-19T12:00:00Z").await, "stop");
        let proposed = policy.activate("7", "again", Some("2024-03-19T12:00:00Z"), &[]).await.unwrap();
        bookings.confirm_proposal(with(&second, confirm("8", &proposed.proposal.unwrap()))).await.unwrap();
        assert_eq!(policy.in_force("2024-03-19T12:00:00Z").await, "again");
        desk.close().await;
    }
}

#[tokio::test]
async fn a_roll_back_is_a_new_revision_and_revives_no_hold() {
    for fresh in common::engines().await {
        let desk = opened(&fresh).await;
        let policy = Policy(&desk);
        policy.change("stop", rules(PolicyMode::DeclineAll), None).await;
        assert!(!held(&desk, "A", "2024-03-15T23:30:00Z").await.0);

        // Not under the old id, not in the past of what was decided.
        desk.at("2024-03-16T01:00:00Z");
        let twice = policy.make("always", rules(PolicyMode::HonorAlways)).await.unwrap_err();
        assert_eq!(reason(&twice), "ID_TAKEN");
        policy.make("back", rules(PolicyMode::HonorAlways)).await.unwrap();
        let past = policy.activate("1", "back", Some("2024-03-14T14:00:00Z"), &[]).await.unwrap_err();
        told(&past, Code::FailedPrecondition, "PAST_SWITCH_DISPLACES_DECISIONS");

        let preview = policy.preview("back", None).await;
        assert_eq!((preview.turned_to_honor, preview.ended_count), (3, 0));
        let done = policy.activate("2", "back", None, &preview.preview_digest).await.unwrap();
        assert_eq!((done.turned_to_honor, done.holds_ended), (3, 0));
        let outcomes: Vec<_> = answers(&desk, "A").await.into_iter().map(|one| one.1).collect();
        assert_eq!(outcomes, [Outcome::Honor, Outcome::Decline, Outcome::Honor]);
        // The hold that ended stays ended; who was on a charge all the time may be held after it.
        assert_eq!(held(&desk, "A", "2024-03-16T02:00:00Z").await, (false, None));
        desk.at("2024-03-16T02:00:00Z").bail("Z", "2024-03-16T02:00:00Z").await;
        assert_eq!(held(&desk, "Z", "2024-03-16T03:00:00Z").await, (true, at("2024-03-18T02:00:00Z")));
        let list = pb::ListPolicyRevisionsRequest { parent: "counties/c".into(), ..pb::ListPolicyRevisionsRequest::default() };
        let all = policy.calls().list_policy_revisions(with(&desk.admin, list)).await.unwrap().into_inner().policy_revisions;
        let spans: Vec<_> = all.iter().map(|one| (one.name.rsplit('/').next().unwrap(), one.end_time)).collect();
        assert_eq!(spans, [("back", None), ("stop", all[0].effective_time), ("always", all[1].effective_time)]);
        desk.close().await;
    }
}

/// A switch that leaves its time unset is of its own record, however long its digest lay there and whatever lies ahead of
/// the requests; one that is dated back over a decision is refused.
#[tokio::test]
async fn a_switch_from_now_on_leaves_its_time_unset() {
    for fresh in common::engines().await {
        let desk = Desk::open(&fresh, "2024-03-14T15:00:00Z").await;
        desk.found("America/New_York", &[("main", "America/New_York")]).await;
        let paid = testing::revision("paid", Mode::RequireReimbursementGuarantee);
        desk.switch(paid, "2017-01-26T20:00:00Z").await;
        let zone = "America/New_York".parse().unwrap();
        let year = testing::agreement("year", zone, testing::day("2024-03-01"));
        desk.promise(Agreement { end: Some(testing::day("2025-03-01")), ..year }).await;
        desk.book("A", "main", "2024-03-14T14:00:00Z").await;
        desk.receive("A", "MIA", Edition::I247D, true, "2024-03-14T14:30:00Z").await;
        desk.at("2024-03-14T16:00:00Z").bail("A", "2024-03-14T16:00:00Z").await;
        desk.at("2024-03-14T22:02:00Z");
        assert_eq!(answers(&desk, "A").await.iter().map(|one| one.1).collect::<Vec<_>>(), [Outcome::Honor, Outcome::Decline]);
        let policy = Policy(&desk);

        // Planned for a day that has passed; from now on all the same, where that is said.
        let planned = pb::PolicyRevision { effective_time: at("2024-03-10T05:00:00Z"), ..rules(PolicyMode::DeclineAll) };
        policy.make("stop", planned.clone()).await.unwrap();
        for past in [None, Some("2024-03-14T14:30:00Z")] {
            let back = policy.activate(&format!("back {past:?}"), "stop", past, &[]).await.unwrap_err();
            told(&back, Code::FailedPrecondition, "PAST_SWITCH_DISPLACES_DECISIONS");
            let ask = pb::PreviewPolicyRevisionRequest {
                subject: Some(Subject::Name(policy.name("stop"))),
                effective_time: past.and_then(at),
                ..pb::PreviewPolicyRevisionRequest::default()
            };
            let back = policy.calls().preview_policy_revision(with(&desk.admin, ask)).await.unwrap_err();
            told(&back, Code::FailedPrecondition, "PAST_SWITCH_DISPLACES_DECISIONS");
        }
        assert!(held(&desk, "A", "2024-03-14T22:02:00Z").await.0);
        let parent = "counties/c".to_owned();
        let subjects = [
            Subject::Name(policy.name("stop")),
            Subject::Candidate(pb::PolicyRevisionSubject { parent, policy_revision: Some(planned) }),
        ];
        let mut digests = Vec::new();
        for subject in subjects {
            let mut ask = pb::PreviewPolicyRevisionRequest {
                subject: Some(subject),
                effective_when_recorded: true,
                ..pb::PreviewPolicyRevisionRequest::default()
            };
            let preview = policy.calls().preview_policy_revision(with(&desk.admin, ask.clone())).await.unwrap().into_inner();
            assert_eq!((preview.turned_from_honor, preview.ended_count, preview.released_count), (1, 1, 1));
            assert!(preview.effective_time.unwrap().seconds >= at("2024-03-14T22:02:00Z").unwrap().seconds, "{preview:?}");
            digests.push(preview.preview_digest);
            ask.effective_time = at("2024-03-14T23:00:00Z");
            let both = policy.calls().preview_policy_revision(with(&desk.admin, ask)).await.unwrap_err();
            assert_eq!(fields(&both), ["effective_when_recorded"]);
        }
        assert_eq!(digests[0], digests[1]);

        // While a person reads it, time passes, and somebody is booked.
        desk.at("2024-03-14T22:30:00Z").book("B", "main", "2024-03-14T22:10:00Z").await;
        let mut ask = pb::ActivatePolicyRevisionRequest {
            name: policy.name("stop"),
            request_id: "now".into(),
            etag: policy.etag().await,
            effective_time: at("2024-03-14T23:00:00Z"),
            preview_digest: digests[0].clone(),
            effective_when_recorded: true,
            ..pb::ActivatePolicyRevisionRequest::default()
        };
        let both = policy.calls().activate_policy_revision(with(&desk.admin, ask.clone())).await.unwrap_err();
        assert_eq!(fields(&both), ["effective_when_recorded"]);
        ask.effective_time = None;
        let done = policy.calls().activate_policy_revision(with(&desk.admin, ask)).await.unwrap().into_inner();
        assert_eq!((done.turned_from_honor, done.holds_ended), (1, 1));
        let rule = done.policy_revision.unwrap();
        assert_eq!(rule.effective_time, rule.recorded_time);
        assert!(held(&desk, "A", "2024-03-14T22:29:59Z").await.0, "what was lawful stays so");
        assert!(!held(&desk, "A", "2024-03-14T22:30:01Z").await.0);

        // Two persons: once both have spoken.
        policy.asks(Some(true), None).await;
        let second = desk.token(Role::Administrator, &["counties/c"]).await;
        policy
            .make("back", pb::PolicyRevision { effective_time: at("2024-03-10T05:00:00Z"), ..rules(PolicyMode::HonorAlways) })
            .await
            .unwrap();
        let ask = pb::ActivatePolicyRevisionRequest {
            name: policy.name("back"),
            request_id: "proposed".into(),
            etag: policy.etag().await,
            effective_when_recorded: true,
            ..pb::ActivatePolicyRevisionRequest::default()
        };
        let proposal =
            policy.calls().activate_policy_revision(with(&desk.admin, ask)).await.unwrap().into_inner().proposal.unwrap();
        desk.at("2024-03-15T01:00:00Z");
        let confirm = pb::ConfirmProposalRequest {
            name: proposal.name,
            request_id: "confirmed".into(),
            content_digest: proposal.content_digest,
            ..pb::ConfirmProposalRequest::default()
        };
        BookingServiceClient::new(desk.channel.clone()).confirm_proposal(with(&second, confirm)).await.unwrap();
        assert_eq!(policy.in_force("2024-03-15T00:59:59Z").await, "stop");
        assert_eq!(policy.in_force("2024-03-15T01:00:01Z").await, "back");
        desk.close().await;
    }
}

/// A rule dated back displaces nothing where it leaves open requests as they are and nothing came in since.
#[tokio::test]
async fn a_rule_dated_back_that_leaves_open_requests_displaces_nothing_of_them() {
    for fresh in common::engines().await {
        let desk = opened(&fresh).await;
        let policy = Policy(&desk);
        let leaves = pb::PolicyRevision { open_detainers: pb::OpenDetainers::Leave.into(), ..rules(PolicyMode::DeclineAll) };
        policy.make("leaves", leaves).await.unwrap();
        let within = policy.activate("1", "leaves", Some("2024-03-14T14:30:00Z"), &[]).await.unwrap_err();
        told(&within, Code::FailedPrecondition, "PAST_SWITCH_DISPLACES_DECISIONS");
        policy.activate("2", "leaves", Some("2024-03-15T12:00:00Z"), &[]).await.unwrap();
        assert_eq!(policy.in_force("2024-03-15T12:00:00Z").await, "leaves");
        assert!(held(&desk, "A", "2024-03-15T22:00:00Z").await.0);
        desk.close().await;
    }
}

#[tokio::test]
async fn a_review_is_supplied_with_a_fact_and_the_rule_answers() {
    for fresh in common::engines().await {
        let desk = Desk::open(&fresh, "2024-03-14T15:00:00Z").await;
        desk.found("America/New_York", &[("main", "America/New_York")]).await;
        let leaf = |kind| pb::Condition { kind: Some(kind) };
        let registry = pb::StatusCondition { status: pb::StatusKind::Registry.into(), ..pb::StatusCondition::default() };
        let both = vec![leaf(pb::condition::Kind::Status(registry)), leaf(pb::condition::Kind::AgeAtLeast(18))];
        let rule = pb::PolicyRevision {
            condition: Some(leaf(pb::condition::Kind::All(pb::ConditionList { conditions: both }))),
            ..rules(PolicyMode::Conditional)
        };
        Policy(&desk).change("tree", rule, Some("2024-03-01T05:00:00Z")).await;
        for id in ["A", "B", "C"] {
            desk.book(id, "main", "2024-03-14T10:00:00Z").await;
            desk.receive(id, "MIA", Edition::I247D, true, "2024-03-14T11:00:00Z").await;
        }
        let mut calls = DetainerServiceClient::new(desk.channel.clone());
        let mut resolve = async |request: &str, booking: &str, resolution| {
            let ask = pb::ResolveReviewRequest {
                name: format!("counties/c/bookings/{booking}/detainers/D"),
                request_id: request.into(),
                resolution: Some(resolution),
                ..pb::ResolveReviewRequest::default()
            };
            calls.resolve_review(with(&desk.admin, ask)).await.map(tonic::Response::into_inner)
        };
        let listed = |value: pb::TriState| {
            let status =
                pb::StatusFact { status: pb::StatusKind::Registry.into(), value: value.into(), ..pb::StatusFact::default() };
            Resolution::Fact(fact("2024-03-14T12:00:00Z", pb::fact::Kind::Status(status)))
        };
        let years = |years| Resolution::Fact(fact("2024-03-14T12:30:00Z", pb::fact::Kind::Age(pb::AgeFact { years })));
        let decision = |answer: pb::ResolveReviewResponse| answer.decision.unwrap();

        // What is not known is not made up for: an unknown again, a claim, a fact the rule does not read. Half of it is not
        // enough; whole, the rule answers, and gives authority from its record on.
        for (n, other) in
            [listed(pb::TriState::Unknown), Resolution::Fact(fact("2024-03-14T12:00:00Z", claim()))].into_iter().enumerate()
        {
            let still = resolve(&format!("0{n}"), "A", other).await.unwrap();
            let now = still.detainer.unwrap().decision.unwrap();
            assert_eq!((now.outcome(), now.reason()), (Outcome::NeedsReview, DecisionReason::FactUnknown));
        }
        let half = resolve("1", "A", listed(pb::TriState::Yes)).await.unwrap();
        assert_eq!(decision(half).outcome(), Outcome::NeedsReview);
        desk.at("2024-03-14T16:00:00Z");
        let whole = decision(resolve("2", "A", years(18)).await.unwrap());
        assert_eq!((whole.outcome(), whole.reason()), (Outcome::Honor, DecisionReason::ConditionMet));
        assert_eq!((whole.authority_from, whole.trigger()), (whole.recorded_time, pb::DecisionTrigger::FactChanged));
        told(&resolve("3", "A", years(20)).await.unwrap_err(), Code::FailedPrecondition, "NOT_IN_REVIEW");

        // The rule's own no.
        let no = decision(resolve("4", "B", listed(pb::TriState::No)).await.unwrap());
        assert_eq!((no.outcome(), no.reason()), (Outcome::Decline, DecisionReason::ConditionNotMet));

        // Declined, for good: no later fact honors it.
        let no =
            decision(resolve("5", "C", Resolution::Decline(pb::ReviewDecline { reason: "withdrawn".into() })).await.unwrap());
        assert_eq!((no.outcome(), no.reason()), (Outcome::Decline, DecisionReason::DeclinedInReview));
        let mut bookings = BookingServiceClient::new(desk.channel.clone());
        for (n, time) in ["2024-03-14T12:00:00Z", "2024-03-14T15:30:00Z"].into_iter().enumerate() {
            // Before the decline they would have been honored; since then they are not, and that gives no authority.
            let registry = pb::StatusKind::Registry.into();
            let status = pb::StatusFact { status: registry, value: pb::TriState::Yes.into(), ..pb::StatusFact::default() };
            let told = [pb::fact::Kind::Status(status), pb::fact::Kind::Age(pb::AgeFact { years: 40 })];
            let facts = pb::UpdateFactsRequest {
                name: "counties/c/bookings/C".into(),
                request_id: format!("later {n}"),
                facts: told.into_iter().map(|kind| fact(time, kind)).collect(),
                ..pb::UpdateFactsRequest::default()
            };
            bookings.update_facts(with(&desk.admin, facts)).await.unwrap();
            let all = answers(&desk, "C").await;
            let seconds = |time: Option<prost_types::Timestamp>| time.map_or(0, |time| time.seconds);
            let declined = all.iter().filter(|one| one.2 == DecisionReason::DeclinedInReview).map(|one| seconds(one.0)).min();
            let since = declined.expect("declined");
            assert!(all.iter().all(|one| one.1 == Outcome::Decline || seconds(one.0) < since), "{all:?}");
        }
        desk.bail("C", "2024-03-14T16:00:00Z").await;
        assert!(!held(&desk, "C", "2024-03-14T16:00:00Z").await.0);

        // A fact without its time and source is refused by its field.
        desk.book("E", "main", "2024-03-14T10:00:00Z").await;
        desk.receive("E", "MIA", Edition::I247D, true, "2024-03-14T11:00:00Z").await;
        let Resolution::Fact(whole) = years(20) else { panic!("a fact") };
        let bare = Resolution::Fact(pb::Fact { effective_time: None, source: None, ..whole });
        assert_eq!(fields(&resolve("7", "E", bare).await.unwrap_err()), ["fact.effective_time", "fact.source"]);
        let bare = Resolution::Fact(fact("2024-03-14T12:00:00Z", pb::fact::Kind::Status(pb::StatusFact::default())));
        assert_eq!(fields(&resolve("8", "E", bare).await.unwrap_err()), ["fact.status.status", "fact.status.value"]);
        assert_eq!(answers(&desk, "E").await.len(), 1, "nothing was recorded");
        desk.close().await;
    }
}

fn claim() -> pb::fact::Kind {
    pb::fact::Kind::CitizenshipClaim(pb::CitizenshipClaimFact {})
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A chain of `policies/chains/` with its files.
fn chain(name: &str) -> (Chain, BTreeMap<String, PolicyFile>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/chains");
    let chain = policyfile::parse_chain(&read(&folder.join(name))).unwrap();
    let files = chain.files().map(|file| (file.to_string(), policyfile::parse(&read(&folder.join(&**file))).unwrap()));
    let files = files.collect();
    (chain, files)
}

/// A rule with the days that a county must state and its source does not tell.
fn dated(rule: &Revision) -> Revision {
    let day = Some(testing::day("2011-01-01"));
    let mut rule = Revision { adopted: rule.adopted.or(day), ..rule.clone() };
    let papers = rule.layers.iter_mut().map(|layer| &mut layer.instrument);
    for paper in papers.chain([&mut rule.instrument]) {
        paper.date = paper.date.or(day);
    }
    rule
}

/// A county of its own under a chain, told to the server step by step.
async fn governed(desk: &mut Desk, id: String, chain: &Chain, files: &BTreeMap<String, PolicyFile>, promise: Promise) -> County {
    desk.county = CountyId::trusted(&id);
    let zone = chain.zone.name();
    desk.found(zone, &[("main", zone)]).await;
    let promised = |term| Agreement { term, ..testing::agreement("a", chain.zone, testing::day("2009-01-01")) };
    match promise {
        Promise::Signed(MinimumCoverage::AllCosts) => desk.promise(promised(Term::AllCosts)).await,
        Promise::Signed(MinimumCoverage::Any) => {
            desk.promise(promised(Term::FlatPerHold { amount: Cents::new(5_000), up_to_hours: 48 })).await;
        }
        Promise::Nothing | Promise::NotReserved => {}
    }
    for link in &chain.links {
        let rule = dated(&chain.rule(link, |name| files.get(name)).unwrap());
        let from = link.from.map_or_else(|| instant("2011-01-01T00:00:00Z"), |from| chain.zone.start_of(from));
        let effective_time = at(&from.to_string());
        let told = pb::PolicyRevision { effective_time, ..wire_rules(&desk.county, &rule) };
        let done = Policy(desk).change(rule.id.as_str(), told, None).await;
        assert_eq!(done.policy_revision.unwrap().effective_time, effective_time);
    }
    desk.ledger.county(&desk.county, AsOf::Latest).await.unwrap().1.unwrap().as_ref().clone()
}

#[tokio::test]
async fn real_chains_decide_both_sides_of_each_of_their_days() {
    for fresh in common::engines().await {
        let mut desk = Desk::open(&fresh, "2024-03-14T15:00:00Z").await;
        let mut asked = 0;
        for name in ["miami-dade.toml", "santa-clara.toml"] {
            let (chain, files) = chain(name);
            let ends = chain.until.map_or(Instant::FAR, |until| chain.zone.start_of(until));
            let promises = [Promise::Nothing, Promise::Signed(MinimumCoverage::AllCosts), Promise::Signed(MinimumCoverage::Any)];
            for (n, promise) in promises.into_iter().enumerate() {
                let cases: Vec<_> = chain.cases.iter().filter(|case| case.request.promise == promise).collect();
                if cases.is_empty() {
                    continue;
                }
                let county = governed(&mut desk, format!("{}-{n}", chain.id), &chain, &files, promise).await;
                for case in cases {
                    // After its end a chain tells nothing.
                    for day in case.days.iter().filter(|day| day.at < ends) {
                        asked += 1;
                        let what = format!("{name}:{}: {}", day.line, case.name);
                        let answer = received(&desk, &county, &case.request, day.at, asked).await;
                        let revision = answer.policy_revision.rsplit('/').next().unwrap_or_default();
                        let revision = if revision.is_empty() { "none" } else { revision };
                        let outcome = match day.expect.outcome {
                            detainer::domain::decision::Outcome::Honor => Outcome::Honor,
                            detainer::domain::decision::Outcome::Decline => Outcome::Decline,
                            detainer::domain::decision::Outcome::NeedsReview => Outcome::NeedsReview,
                        };
                        assert_eq!((revision, answer.outcome()), (&*day.policy, outcome), "{what}");
                        assert!(day.expect.notify.is_none_or(|notify| notify == answer.notify), "{what}");
                        assert_eq!(answer.effective_time, at(&day.at.to_string()), "{what}");
                    }
                }
            }
        }
        assert!(asked > 30, "{asked}");
        desk.close().await;
    }
}

/// Books somebody an hour before, with facts, receives the form, answers the decision at receipt.
async fn received(desk: &Desk, county: &County, request: &policyfile::Request, when: Instant, n: usize) -> pb::Decision {
    let (id, before) = (format!("b{n}"), when.plus_us(-HOUR_US).to_string());
    let mut bookings = BookingServiceClient::new(desk.channel.clone());
    let parent = format!("counties/{}", county.id);
    let booking = format!("{parent}/bookings/{id}");
    let book = pb::CreateBookingRequest {
        parent: parent.clone(),
        subject: format!("{parent}/subjects/s{n}"),
        facility: format!("{parent}/facilities/main"),
        ..create(&format!("book {n}"), &id, &before)
    };
    bookings.create_booking(with(&desk.admin, book)).await.unwrap();
    let told = request
        .facts
        .iter()
        .map(|fact| wire_told(county, &BookingId::trusted(&id), fact, when.plus_us(-HOUR_US), Some(&testing::source())));
    let facts: Vec<pb::Fact> = told.collect();
    if !facts.is_empty() {
        let request_id = format!("facts {n}");
        let ask = pb::UpdateFactsRequest { name: booking.clone(), request_id, facts, ..pb::UpdateFactsRequest::default() };
        bookings.update_facts(with(&desk.admin, ask)).await.unwrap();
    }
    let documents = request.form.documents.iter().map(|paper| {
        let name = |id: &str| detainer::domain::ids::DetainerId::trusted(id);
        let whole = form::wire_document(&county.id, &BookingId::trusted(&id), &name("D"), paper);
        let sha256 = if whole.sha256.is_empty() { vec![0x5a; 32] } else { whole.sha256.clone() };
        pb::Document { name: String::new(), sha256, content_kept: false, attach_time: None, attach_source: None, ..whole }
    });
    let form = form::wire_form(&request.form, &form::Told::default());
    // Files tell no date of the form: that of its receipt.
    let day = county.profile.zone.date(when);
    let form_date =
        form.form_date.or(Some(pb::Date { year: day.year(), month: day.month().cast_signed(), day: day.day().cast_signed() }));
    let record = pb::RecordDetainerRequest {
        parent: booking,
        request_id: format!("receive {n}"),
        received_time: at(&when.to_string()),
        source: source(),
        detainer_id: "D".into(),
        documents: documents.collect(),
        form: Some(pb::DetainerForm { form_date, ..form }),
        ..pb::RecordDetainerRequest::default()
    };
    let mut calls = DetainerServiceClient::new(desk.channel.clone());
    calls.record_detainer(with(&desk.admin, record)).await.unwrap().into_inner().decision.unwrap()
}
