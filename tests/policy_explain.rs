//! ExplainDecision over a real socket, on both engines: how a request that nobody made would be answered, under the rules
//! in force, a draft or rules that were not made yet; the same as it is answered when it is made; nothing recorded.

mod common;

use common::desk::{Desk, fields, reason, with};
use detainer::domain::command::{CountyCommand, NewRevision};
use detainer::domain::policy::Mode;
use detainer::domain::testing::{self, day, instant};
use detainer::ledger::AsOf;
use detainer::pb::booking_service_client::BookingServiceClient;
use detainer::pb::detainer_service_client::DetainerServiceClient;
use detainer::pb::policy_service_client::PolicyServiceClient;
use detainer::pb::{self, DecisionReason, Outcome, SupposedGuarantee};
use pb::condition::Kind;
use pb::explain_decision_request::Rules;
use tonic::transport::Channel;
use tonic::{Code, Status};

type Client = PolicyServiceClient<Channel>;

/// Friday, 10:00 in New York.
const NOW: &str = "2024-03-15T14:00:00Z";

/// A county that asks for a guarantee, and has one for the office MIA; a draft that honors always waits.
async fn opened(fresh: &common::Fresh) -> (Desk, Client) {
    let desk = Desk::open(fresh, NOW).await;
    desk.found("America/New_York", &[("main", "America/New_York"), ("west", "America/Chicago")]).await;
    desk.switch(testing::revision("guarantee", Mode::RequireReimbursementGuarantee), "2018-01-01T05:00:00Z").await;
    let mut promise = testing::agreement("letter", "America/New_York".parse().unwrap(), day("2024-01-01"));
    promise.scope.offices = vec!["MIA".into()];
    promise.end = Some(day("2024-06-01"));
    desk.promise(promise).await;
    let draft = testing::revision("open-door", Mode::HonorAlways);
    let draft = NewRevision { id: Some(draft.id.clone()), effective: None, revision: draft };
    desk.settle(CountyCommand::Draft(Box::new(draft))).await;
    let calls = Client::new(desk.channel.clone());
    (desk, calls)
}

fn form(office: &str) -> pb::DetainerForm {
    pb::DetainerForm {
        edition: pb::FormEdition::I247a.into(),
        hold_requested: true,
        notify_requested: true,
        probable_cause: Some(pb::ProbableCauseBoxes { biometric_match: true, known: true, ..Default::default() }),
        signed: pb::TriState::Yes.into(),
        office: Some(pb::IssuingOffice {
            code: office.into(),
            component: pb::IssuingComponent::IceEro.into(),
            ..Default::default()
        }),
        form_date: Some(pb::Date { year: 2024, month: 3, day: 15 }),
        ..Default::default()
    }
}

fn warrant() -> pb::Document {
    pb::Document { kind: pb::DocumentKind::I200.into(), signed: pb::TriState::Yes.into(), ..Default::default() }
}

fn question(office: &str) -> pb::ExplainDecisionRequest {
    pb::ExplainDecisionRequest {
        parent: "counties/c".into(),
        facility: "counties/c/facilities/main".into(),
        at_time: stamp(NOW),
        form: Some(form(office)),
        documents: vec![warrant()],
        ..Default::default()
    }
}

async fn explain(desk: &Desk, ask: pb::ExplainDecisionRequest) -> Result<pb::ExplainDecisionResponse, Status> {
    let answer = Client::new(desk.channel.clone()).explain_decision(with(&desk.admin, ask)).await;
    answer.map(tonic::Response::into_inner)
}

/// The outcome, its reason and the agreement of a question that is answered.
async fn answered(desk: &Desk, ask: pb::ExplainDecisionRequest) -> (Outcome, DecisionReason, String) {
    let decision = explain(desk, ask).await.unwrap().decision.unwrap();
    (decision.outcome(), decision.reason(), decision.agreement)
}

fn stamp(at: &str) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: instant(at).micros() / 1_000_000, nanos: 0 })
}

fn leaf(kind: Kind) -> Option<pb::Condition> {
    Some(pb::Condition { kind: Some(kind) })
}

fn conviction() -> pb::Fact {
    let conviction = pb::ConvictionFact { offense_classes: vec!["violent".into()], ..Default::default() };
    pb::Fact { kind: Some(pb::fact::Kind::Conviction(conviction)), ..Default::default() }
}

/// Rules that honor where there is a conviction of violence.
fn candidate() -> pb::PolicyRevision {
    let convicted = pb::ConvictionCondition { offense_classes: vec!["violent".into()], ..Default::default() };
    pb::PolicyRevision {
        mode: pb::PolicyMode::Conditional.into(),
        adopted_date: Some(pb::Date { year: 2024, month: 3, day: 1 }),
        instrument: Some(pb::Instrument {
            title: "Ordinance 7".into(),
            date: Some(pb::Date { year: 2024, month: 3, day: 1 }),
            ..Default::default()
        }),
        open_detainers: pb::OpenDetainers::Leave.into(),
        condition: leaf(Kind::Conviction(convicted)),
        notice_hours: 2,
        answers: Some(pb::AnswerOverrides { notify_when_declined: Some(true), ..Default::default() }),
        ..Default::default()
    }
}

/// A warrant is what somebody signed: on an I-247A as facial sufficiency, and as a rule's own leaf.
#[tokio::test]
async fn a_warrant_that_nobody_signed_is_none() {
    use pb::TriState::{No, Unknown, Unspecified, Yes};
    for fresh in common::engines().await {
        let (desk, _) = opened(&fresh).await;
        let cases = [
            (Yes, Outcome::Honor, DecisionReason::Guaranteed),
            (Unspecified, Outcome::Honor, DecisionReason::Guaranteed),
            (Unknown, Outcome::NeedsReview, DecisionReason::FacialSufficiencyUnknown),
            (No, Outcome::Decline, DecisionReason::FaciallyInsufficient),
        ];
        for (signed, outcome, why) in cases {
            let papers = vec![pb::Document { signed: signed.into(), ..warrant() }];
            let told = answered(&desk, pb::ExplainDecisionRequest { documents: papers, ..question("MIA") }).await;
            assert_eq!((told.0, told.1), (outcome, why), "{signed:?}");
        }
        desk.close().await;
    }
}

#[tokio::test]
async fn a_guarantee_on_record_counts_unless_another_is_supposed() {
    for fresh in common::engines().await {
        let (desk, _) = opened(&fresh).await;
        let head = desk.ledger.as_of(&desk.county, AsOf::Latest).await.unwrap();
        let letter = "counties/c/agreements/letter".to_owned();
        let (honored, declined) = (Outcome::Honor, Outcome::Decline);
        assert_eq!(answered(&desk, question("MIA")).await, (honored, DecisionReason::Guaranteed, letter));
        // Another office is not in its scope; after its end it covers nobody; supposed away, it is away.
        let none = (declined, DecisionReason::NoGuarantee, String::new());
        assert_eq!(answered(&desk, question("CHI")).await, none);
        let late = pb::ExplainDecisionRequest { at_time: stamp("2024-06-01T04:00:00Z"), ..question("MIA") };
        assert_eq!(answered(&desk, late).await, none);
        let suppose =
            |guarantee: SupposedGuarantee, office| pb::ExplainDecisionRequest { guarantee: guarantee.into(), ..question(office) };
        assert_eq!(answered(&desk, suppose(SupposedGuarantee::None, "MIA")).await, none);
        let supposed = (honored, DecisionReason::Guaranteed, String::new());
        assert_eq!(answered(&desk, suppose(SupposedGuarantee::AllCosts, "CHI")).await, supposed);
        // The mode's minimum is all costs.
        assert_eq!(answered(&desk, suppose(SupposedGuarantee::Any, "CHI")).await, none);
        let exhausted = (declined, DecisionReason::BudgetExhausted, String::new());
        assert_eq!(answered(&desk, suppose(SupposedGuarantee::NotReserved, "CHI")).await, exhausted);
        // Before any policy nobody can be held.
        let early = pb::ExplainDecisionRequest { at_time: stamp("2017-01-01T00:00:00Z"), ..question("MIA") };
        let told = explain(&desk, early).await.unwrap();
        let decision = told.decision.unwrap();
        assert_eq!((decision.outcome(), decision.reason()), (Outcome::NeedsReview, DecisionReason::NoRevisionInForce));
        assert_eq!((decision.policy_revision.as_str(), told.deadline), ("", None));
        // Nothing was recorded by any of these.
        assert_eq!(desk.ledger.as_of(&desk.county, AsOf::Latest).await.unwrap(), head);
        desk.close().await;
    }
}

#[tokio::test]
async fn a_draft_and_a_candidate_answer_as_if_they_were_in_force() {
    for fresh in common::engines().await {
        let (desk, _) = opened(&fresh).await;
        let head = desk.ledger.as_of(&desk.county, AsOf::Latest).await.unwrap();
        let under = |rules| pb::ExplainDecisionRequest { rules: Some(rules), ..question("CHI") };
        let draft = under(Rules::PolicyRevision("counties/c/policyRevisions/open-door".into()));
        let told = explain(&desk, draft).await.unwrap();
        let decision = told.decision.unwrap();
        assert_eq!((decision.outcome(), decision.reason()), (Outcome::Honor, DecisionReason::HonorAlways));
        assert_eq!(decision.policy_revision, "counties/c/policyRevisions/open-door");
        // The deadline, were T0 now: 48 hours on.
        assert_eq!(told.deadline, stamp("2024-03-17T14:00:00Z"));
        assert!(decision.clock.is_some());
        let english = &decision.sentences[0];
        assert_eq!((english.language.as_str(), decision.sentences[1].language.as_str()), ("en", "es"));
        assert_eq!(
            english.answer,
            "This detainer is honored because the county's policy honors every request to hold that is in order."
        );
        assert!(english.basis.ends_with("which is not in force."), "{}", english.basis);

        // A rule that was not made yet: unknown without a fact, yes with it, no where the records were checked.
        let with_facts = |facts| pb::ExplainDecisionRequest { facts, ..under(Rules::Candidate(candidate())) };
        let told = explain(&desk, with_facts(Vec::new())).await.unwrap().decision.unwrap();
        assert_eq!((told.outcome(), told.reason()), (Outcome::NeedsReview, DecisionReason::FactUnknown));
        assert_eq!(told.policy_revision, "");
        assert!(told.sentences[0].basis.contains("what is not known yet concerns a conviction;"), "{}", told.sentences[0].basis);
        let told = answered(&desk, with_facts(vec![conviction()])).await;
        assert_eq!(told, (Outcome::Honor, DecisionReason::ConditionMet, String::new()));
        let checked = pb::RecordsCheckFact { convictions_complete: true, charges_complete: true };
        let checked = pb::Fact { kind: Some(pb::fact::Kind::RecordsCheck(checked)), ..Default::default() };
        let told = explain(&desk, with_facts(vec![checked])).await.unwrap();
        let decision = told.decision.unwrap();
        assert_eq!((decision.outcome(), decision.reason()), (Outcome::Decline, DecisionReason::ConditionNotMet));
        // It is notified all the same: an acknowledgement within a day, and notice of a release that nobody knows yet.
        let duties: Vec<_> = told.duties.iter().map(|duty| (duty.kind(), duty.due_time, duty.hours_from_release)).collect();
        let by = stamp("2024-03-16T14:00:00Z");
        let owed = [
            (pb::DutyKind::CopyToSubject, by, 0),
            (pb::DutyKind::DecisionToSubject, by, 0),
            (pb::DutyKind::Acknowledge, by, 0),
            (pb::DutyKind::NoticeOfRelease, None, 2),
        ];
        assert_eq!(duties, owed);
        assert_eq!(desk.ledger.as_of(&desk.county, AsOf::Latest).await.unwrap(), head);
        desk.close().await;
    }
}

#[tokio::test]
async fn a_request_is_explained_as_it_is_answered_when_it_is_recorded() {
    for fresh in common::engines().await {
        let (desk, calls) = opened(&fresh).await;
        let rule = pb::SwitchPolicyModeRequest {
            parent: "counties/c".into(),
            request_id: "switch".into(),
            etag: calls
                .clone()
                .get_effective_policy(with(
                    &desk.admin,
                    pb::GetEffectivePolicyRequest { parent: "counties/c".into(), ..Default::default() },
                ))
                .await
                .unwrap()
                .into_inner()
                .etag,
            mode: candidate().mode,
            adopted_date: candidate().adopted_date,
            instrument: candidate().instrument,
            open_detainers: candidate().open_detainers,
            condition: Some(pb::Condition {
                kind: Some(Kind::Any(pb::ConditionList {
                    conditions: [candidate().condition, leaf(Kind::ReimbursementGuaranteed(pb::GuaranteeCondition::default()))]
                        .into_iter()
                        .flatten()
                        .collect(),
                })),
            }),
            ..Default::default()
        };
        calls.clone().switch_policy_mode(with(&desk.admin, rule)).await.unwrap();
        let clerk = desk.token(pb::Role::Records, &["counties/c"]).await;
        desk.at("2024-03-15T15:00:00Z");
        let source = pb::Source { kind: pb::SourceKind::JailRecord.into(), ..Default::default() };
        let age = pb::Fact { kind: Some(pb::fact::Kind::Age(pb::AgeFact { years: 30 })), ..Default::default() };
        let mut met = Vec::new();
        for (n, (office, facts, served)) in [
            ("MIA", vec![age.clone()], true),
            ("CHI", vec![age.clone()], true),
            ("CHI", vec![conviction()], false),
            ("MIA", vec![age, conviction()], false),
        ]
        .into_iter()
        .enumerate()
        {
            let id = format!("B{n}");
            let (booked, received) = ("2024-03-15T14:30:00Z", stamp("2024-03-15T15:00:00Z"));
            desk.book(&id, "main", booked).await;
            let booking = format!("counties/c/bookings/{id}");
            let stated =
                |fact: &pb::Fact| pb::Fact { effective_time: stamp(booked), source: Some(source.clone()), ..fact.clone() };
            let update = pb::UpdateFactsRequest {
                name: booking.clone(),
                request_id: format!("facts {n}"),
                facts: facts.iter().map(stated).collect(),
                ..Default::default()
            };
            BookingServiceClient::new(desk.channel.clone()).update_facts(with(&clerk, update)).await.unwrap();
            // A clerk asks first.
            let ask = pb::ExplainDecisionRequest { at_time: received, served, facts, ..question(office) };
            let explained = calls.clone().explain_decision(with(&clerk, ask)).await.unwrap().into_inner();
            let service = pb::Service {
                served_time: received,
                method: pb::ServiceMethod::InPerson.into(),
                source: Some(source.clone()),
                ..Default::default()
            };
            let record = pb::RecordDetainerRequest {
                parent: booking,
                request_id: format!("detainer {n}"),
                received_time: received,
                source: Some(source.clone()),
                form: Some(form(office)),
                documents: vec![pb::Document { sha256: vec![7; 32], ..warrant() }],
                service: served.then_some(service),
                ..Default::default()
            };
            let recorded = DetainerServiceClient::new(desk.channel.clone())
                .record_detainer(with(&clerk, record))
                .await
                .unwrap()
                .into_inner();
            let decision = recorded.decision.unwrap();
            met.push((decision.outcome(), decision.agreement.is_empty()));
            let bare = pb::Decision {
                name: String::new(),
                detainer: String::new(),
                recorded_time: None,
                sequence: 0,
                ..decision.clone()
            };
            assert_eq!(explained.decision.unwrap(), bare);
            assert_eq!(explained.at_time, received);
            // Shown again it says the same, in a list as well.
            let list = pb::ListDecisionsRequest { parent: recorded.detainer.unwrap().name, ..Default::default() };
            let list = DetainerServiceClient::new(desk.channel.clone()).list_decisions(with(&clerk, list)).await.unwrap();
            assert!(list.into_inner().decisions.contains(&decision), "{n}");
        }
        let all = [(Outcome::Honor, false), (Outcome::NeedsReview, true), (Outcome::Honor, true), (Outcome::Honor, true)];
        assert_eq!(met, all);
        desk.close().await;
    }
}

#[tokio::test]
async fn every_bad_field_is_named_and_what_is_not_there_is_not_found() {
    for fresh in common::engines().await {
        let (desk, calls) = opened(&fresh).await;
        let disposition = pb::DispositionFact { disposition: pb::Disposition::Dismissed.into(), charge_fact_id: "2".into() };
        let mut later = conviction();
        later.effective_time = stamp("2024-03-16T14:00:00Z");
        let mut numbered = conviction();
        numbered.fact_id = "1".into();
        let bad = pb::ExplainDecisionRequest {
            parent: "counties/c".into(),
            facility: "counties/other/facilities/main".into(),
            form: Some(pb::DetainerForm { edition: 0, form_date: None, ..form("not a code!") }),
            documents: vec![pb::Document::default()],
            facts: vec![pb::Fact::default(), numbered],
            guarantee: 99,
            rules: Some(Rules::PolicyRevision("counties/other/policyRevisions/r".into())),
            ..Default::default()
        };
        let refused = explain(&desk, bad).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        let mut named = fields(&refused);
        named.sort();
        let all = [
            "documents[0].kind",
            "facility",
            "facts[0].kind",
            "facts[1].fact_id",
            "form.edition",
            "form.form_date",
            "form.office.code",
            "guarantee",
            "policy_revision",
        ];
        assert_eq!(named, all);
        // Facts that cannot be so at the moment asked about.
        let facts = vec![later, pb::Fact { kind: Some(pb::fact::Kind::Disposition(disposition)), ..Default::default() }];
        let refused = explain(&desk, pb::ExplainDecisionRequest { facts, ..question("MIA") }).await.unwrap_err();
        assert_eq!(fields(&refused), ["facts[0].effective_time", "facts[1].disposition.charge_fact_id"]);
        // Rules that nobody could make.
        let mut rules = candidate();
        rules.name = "counties/c/policyRevisions/mine".into();
        rules.condition = leaf(Kind::All(pb::ConditionList::default()));
        let ask = pb::ExplainDecisionRequest { rules: Some(Rules::Candidate(rules)), ..question("MIA") };
        let named = fields(&explain(&desk, ask).await.unwrap_err());
        assert!(named.contains(&"candidate.name".to_owned()), "{named:?}");
        assert!(named.iter().any(|field| field.starts_with("candidate.condition")), "{named:?}");
        let mut rules = candidate();
        rules.clock = Some(pb::ClockRule {
            start_rule: pb::StartRule::OtherwiseReleased.into(),
            limit: Some(pb::HoldLimit { limit: Some(pb::hold_limit::Limit::Hours(48)) }),
            exclusion: pb::ExclusionRule::WeekendsAndHolidays.into(),
            county_days_calendar: "counties/c/calendars/none".into(),
            county_days_instrument: candidate().instrument,
        });
        let ask = pb::ExplainDecisionRequest { rules: Some(Rules::Candidate(rules)), ..question("MIA") };
        assert_eq!(fields(&explain(&desk, ask).await.unwrap_err()), ["candidate.clock.county_days_calendar"]);

        let nowhere = pb::ExplainDecisionRequest { facility: "counties/c/facilities/none".into(), ..question("MIA") };
        let none = Some(Rules::PolicyRevision("counties/c/policyRevisions/none".into()));
        for ask in [nowhere, pb::ExplainDecisionRequest { rules: none, ..question("MIA") }] {
            let missing = explain(&desk, ask).await.unwrap_err();
            assert_eq!((missing.code(), reason(&missing).as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"));
        }
        // Every reader may ask, an operator may not, nobody of another county may.
        let operator = desk.token(pb::Role::Operator, &["counties/c"]).await;
        let foreign = desk.token(pb::Role::Auditor, &["counties/d"]).await;
        let auditor = desk.token(pb::Role::Auditor, &["counties/c"]).await;
        for (token, right) in [(&operator, false), (&foreign, false), (&auditor, true)] {
            let answer = calls.clone().explain_decision(with(token, question("MIA"))).await;
            assert_eq!(answer.map_err(|refused| refused.code()).is_ok(), right);
        }
        desk.close().await;
    }
}

#[tokio::test]
async fn the_deadline_is_told_by_the_clock_of_the_facility() {
    for fresh in common::engines().await {
        let (desk, _) = opened(&fresh).await;
        let mut day_long = testing::revision("day-long", Mode::HonorAlways);
        day_long.limit = detainer::domain::clock::Limit::EndOfLocalDay;
        day_long.exclusion = detainer::domain::clock::ExclusionRule::None;
        let draft = NewRevision { id: Some(day_long.id.clone()), effective: None, revision: day_long };
        desk.settle(CountyCommand::Draft(Box::new(draft))).await;
        let under = |jail: &str| pb::ExplainDecisionRequest {
            facility: format!("counties/c/facilities/{jail}"),
            rules: Some(Rules::PolicyRevision("counties/c/policyRevisions/day-long".into())),
            ..question("MIA")
        };
        // Midnight comes an hour later in Chicago.
        assert_eq!(explain(&desk, under("main")).await.unwrap().deadline, stamp("2024-03-16T04:00:00Z"));
        assert_eq!(explain(&desk, under("west")).await.unwrap().deadline, stamp("2024-03-16T05:00:00Z"));
        // An I-247N is no ground to hold, whatever the rule says: no clock.
        let mut ask = under("main");
        ask.form = Some(pb::DetainerForm { edition: pb::FormEdition::I247n.into(), hold_requested: false, ..form("MIA") });
        let told = explain(&desk, ask).await.unwrap();
        assert_eq!((told.decision.unwrap().reason(), told.deadline), (DecisionReason::NoHoldRequested, None));
        desk.close().await;
    }
}
