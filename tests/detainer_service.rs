//! DetainerService over a real socket, on both engines: a county that holds only with a guarantee, what changes its
//! answers, service, lifts, replacements, reviews, duties; the same paper twice; what is refused and in which words; what
//! is sealed.

mod common;

use common::desk::{Desk, fields, reason, with};
use detainer::domain::policy::Mode;
use detainer::domain::testing;
use detainer::pb::booking_service_client::BookingServiceClient;
use detainer::pb::detainer_service_client::DetainerServiceClient;
use detainer::pb::resolve_review_request::Resolution;
use detainer::pb::{self, DecisionReason as Reason, DecisionTrigger as Trigger, Outcome, Role};
use detainer::rows::tables::{JOURNAL, SEALED};
use prost::Message as _;
use prost_types::Timestamp;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

type Client = DetainerServiceClient<Channel>;

const BOOKING: &str = "counties/c/bookings/B-1";
const FIRST: &str = "counties/c/bookings/B-1/detainers/1";

fn at(text: &str) -> Option<Timestamp> {
    let us = testing::instant(text).micros();
    Some(Timestamp { seconds: us.div_euclid(1_000_000), nanos: i32::try_from(us.rem_euclid(1_000_000) * 1_000).unwrap() })
}

fn source() -> Option<pb::Source> {
    Some(pb::Source { kind: pb::SourceKind::DetainerForm.into(), reference: "fax 7".into() })
}

fn date(day: i32) -> Option<pb::Date> {
    Some(pb::Date { year: 2024, month: 3, day })
}

fn form(edition: pb::FormEdition, event_number: &str) -> pb::DetainerForm {
    pb::DetainerForm {
        edition: edition.into(),
        hold_requested: edition != pb::FormEdition::I247n,
        notify_requested: true,
        probable_cause: Some(pb::ProbableCauseBoxes { final_order: true, known: true, ..pb::ProbableCauseBoxes::default() }),
        signed: pb::TriState::Yes.into(),
        office: Some(pb::IssuingOffice {
            code: "MIA".into(),
            display_name: "Miami Field Office".into(),
            component: pb::IssuingComponent::IceEro.into(),
        }),
        form_date: date(14),
        event_number: event_number.into(),
        ..pb::DetainerForm::default()
    }
}

fn record(request: &str, form: pb::DetainerForm) -> pb::RecordDetainerRequest {
    pb::RecordDetainerRequest {
        parent: BOOKING.into(),
        request_id: request.into(),
        received_time: at("2024-03-14T14:30:00Z"),
        source: source(),
        form: Some(form),
        ..pb::RecordDetainerRequest::default()
    }
}

fn service(time: &str) -> pb::Service {
    pb::Service {
        served_time: at(time),
        method: pb::ServiceMethod::InPerson.into(),
        language: "es".into(),
        served_by: "Synthetic Officer 7".into(),
        source: source(),
    }
}

fn told(refused: &Status, code: Code, word: &str) {
    assert_eq!((refused.code(), reason(refused).as_str()), (code, word), "{refused}");
}

fn answer(decision: Option<&pb::Decision>) -> (Outcome, Reason, Trigger) {
    let decision = decision.expect("a decision");
    (decision.outcome(), decision.reason(), decision.trigger())
}

/// A county, one booking on a charge, and credentials.
struct Jail {
    desk: Desk,
    calls: Client,
    records: String,
}

impl Jail {
    async fn open(fresh: &common::Fresh, mode: Mode) -> Self {
        let desk = Desk::open(fresh, "2024-03-14T15:00:00Z").await;
        desk.found("America/New_York", &[("main", "America/New_York")]).await;
        desk.switch(testing::revision("first", mode), "2014-01-01T05:00:00Z").await;
        let records = desk.token(Role::Records, &["counties/c"]).await;
        let basis = pb::NewBasis {
            basis_id: "A".into(),
            kind: pb::BasisKind::Charge.into(),
            open_time: at("2024-03-14T14:00:00Z"),
            source: source(),
            ..pb::NewBasis::default()
        };
        let stay = pb::CreateBookingRequest {
            parent: "counties/c".into(),
            request_id: "stay".into(),
            booking_id: "B-1".into(),
            booked_time: at("2024-03-14T14:00:00Z"),
            source: source(),
            subject: "counties/c/subjects/s-1".into(),
            facility: "counties/c/facilities/main".into(),
            bases: Some(pb::create_booking_request::Bases::FirstBases(pb::FirstBases { bases: vec![basis] })),
            ..pb::CreateBookingRequest::default()
        };
        BookingServiceClient::new(desk.channel.clone()).create_booking(with(&records, stay)).await.unwrap();
        let calls = Client::new(desk.channel.clone());
        Self { desk, calls, records }
    }

    async fn record(&mut self, ask: pb::RecordDetainerRequest) -> Result<pb::RecordDetainerResponse, Status> {
        self.calls.record_detainer(with(&self.records, ask)).await.map(tonic::Response::into_inner)
    }

    async fn serve(&mut self, request: &str, name: &str, time: &str) -> Result<pb::RecordServiceResponse, Status> {
        let ask = pb::RecordServiceRequest {
            name: name.into(),
            request_id: request.into(),
            service: Some(service(time)),
            ..pb::RecordServiceRequest::default()
        };
        self.calls.record_service(with(&self.records, ask)).await.map(tonic::Response::into_inner)
    }

    async fn lift(&mut self, request: &str, name: &str, time: &str) -> Result<pb::LiftDetainerResponse, Status> {
        let ask = pb::LiftDetainerRequest {
            name: name.into(),
            request_id: request.into(),
            effective_time: at(time),
            source: source(),
            reason: pb::LiftReason::LackOfFunds.into(),
            ..pb::LiftDetainerRequest::default()
        };
        self.calls.lift_detainer(with(&self.records, ask)).await.map(tonic::Response::into_inner)
    }

    async fn resolve(&mut self, request: &str, resolution: Option<Resolution>) -> Result<pb::ResolveReviewResponse, Status> {
        let ask = pb::ResolveReviewRequest {
            name: FIRST.into(),
            request_id: request.into(),
            resolution,
            ..pb::ResolveReviewRequest::default()
        };
        self.calls.resolve_review(with(&self.desk.admin, ask)).await.map(tonic::Response::into_inner)
    }

    async fn get(&mut self, name: &str, time: Option<&str>) -> pb::Detainer {
        let ask = pb::GetDetainerRequest { name: name.into(), at_time: time.and_then(at), ..pb::GetDetainerRequest::default() };
        self.calls.get_detainer(with(&self.records, ask)).await.unwrap().into_inner().detainer.unwrap()
    }

    async fn decisions(&mut self, parent: &str, outcome: i32) -> Vec<pb::Decision> {
        let ask = pb::ListDecisionsRequest { parent: parent.into(), outcome, ..pb::ListDecisionsRequest::default() };
        self.calls.list_decisions(with(&self.records, ask)).await.unwrap().into_inner().decisions
    }

    async fn duties(&mut self, filter: pb::DutyFilter) -> Vec<pb::Duty> {
        let ask = pb::ListDutiesRequest { parent: BOOKING.into(), filter: Some(filter), ..pb::ListDutiesRequest::default() };
        self.calls.list_duties(with(&self.records, ask)).await.unwrap().into_inner().duties
    }
}

async fn recorded(fresh: &common::Fresh) -> usize {
    fresh.store.rows(&JOURNAL, "", &[]).await.unwrap().len()
}

#[tokio::test]
async fn a_guarantee_is_asked_for_given_and_taken_away_by_a_switch() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh, Mode::RequireReimbursementGuarantee).await;
        let sealed = pb::DetainerForm {
            officer: "Synthetic Officer".into(),
            a_number: "A 012-345-678".into(),
            remarks: "made-up remark".into(),
            ..form(pb::FormEdition::I247d, "E-1")
        };
        let ask = pb::RecordDetainerRequest { service: Some(service("2024-03-14T14:45:00Z")), ..record("1", sealed.clone()) };
        let tried = jail.record(pb::RecordDetainerRequest { validate_only: true, ..ask.clone() }).await.unwrap();
        let before = recorded(&fresh).await;
        assert_eq!((tried.receipt, answer(tried.decision.as_ref()).0), (None, Outcome::Decline));

        let first = jail.record(ask.clone()).await.unwrap();
        assert_eq!(answer(first.decision.as_ref()), (Outcome::Decline, Reason::NoGuarantee, Trigger::Receipt));
        let decision = first.decision.as_ref().unwrap();
        assert!(!decision.notify && !decision.transfer, "release forthwith, with no notification");
        assert_eq!(decision.policy_revision, "counties/c/policyRevisions/first");
        let why = decision.explanation.as_ref().unwrap();
        let layer = &why.layers[0];
        assert_eq!((layer.kind(), layer.answer(), layer.decided), (pb::LayerKind::CountyRule, pb::LayerAnswer::Decline, true));
        assert_eq!(layer.condition.as_ref().unwrap().kind(), pb::NodeKind::ReimbursementGuaranteed);
        let shown = first.detainer.as_ref().unwrap();
        assert_eq!((shown.name.as_str(), shown.state(), shown.in_effect), (FIRST, pb::DetainerState::Open, false));
        let form_shown = shown.form.as_ref().unwrap();
        let hidden = [&form_shown.officer, &form_shown.a_number, &form_shown.remarks, &shown.service.as_ref().unwrap().served_by];
        assert_eq!(hidden, ["", "", "", ""], "sealed");

        // A retry to the byte; another body; the same paper under another request; the same key with other words.
        let after = recorded(&fresh).await;
        assert_eq!(after, before + 1);
        assert_eq!(jail.record(ask.clone()).await.unwrap().encode_to_vec(), first.encode_to_vec());
        let other = pb::RecordDetainerRequest { received_time: at("2024-03-14T14:31:00Z"), ..ask.clone() };
        told(&jail.record(other.clone()).await.unwrap_err(), Code::AlreadyExists, "REQUEST_ID_REUSED");
        let again = jail.record(pb::RecordDetainerRequest { request_id: "2".into(), ..other }).await.unwrap();
        assert!(again.already_recorded, "content is what the form says, not when or how it came");
        assert_eq!((again.receipt, again.detainer.unwrap().name.as_str()), (first.receipt.clone(), FIRST));
        let differs = pb::DetainerForm { officer: "Another Officer".into(), ..sealed.clone() };
        let conflict = jail.record(record("3", differs)).await.unwrap_err();
        told(&conflict, Code::AlreadyExists, "DETAINER_KEY_CONFLICT");
        assert!(conflict.message().contains("ReplaceDetainer"), "{conflict}");
        assert_eq!(recorded(&fresh).await, after, "nothing was recorded twice");

        // Who may see it, sees what was sealed.
        let view = pb::GetDetainerRequest { name: FIRST.into(), view: pb::View::Identity.into(), ..Default::default() };
        let seen = jail.calls.get_detainer(with(&jail.records, view.clone())).await.unwrap().into_inner().detainer.unwrap();
        let seen_form = seen.form.unwrap();
        assert_eq!((seen_form.officer.as_str(), seen_form.a_number.as_str()), ("Synthetic Officer", "012345678"));
        assert_eq!(
            (seen_form.remarks.as_str(), seen.service.unwrap().served_by.as_str()),
            ("made-up remark", "Synthetic Officer 7")
        );
        let auditor = jail.desk.token(Role::Auditor, &["counties/c"]).await;
        let denied = jail.calls.get_detainer(with(&auditor, view)).await.unwrap_err();
        told(&denied, Code::PermissionDenied, "IDENTITY_NOT_ALLOWED");
        for row in fresh.store.rows(&JOURNAL, "", &[]).await.unwrap() {
            let payload = row.row.get("payload").unwrap().as_bytes().unwrap().to_vec();
            for word in ["Synthetic", "012345678", "made-up"] {
                assert!(!payload.windows(word.len()).any(|part| part == word.as_bytes()), "{word} stands in the journal");
            }
        }

        // A promise to pay all costs turns it; a switch of the county turns it back.
        jail.desk.at("2024-03-14T16:00:00Z");
        let zone = "America/New_York".parse().unwrap();
        jail.desk.promise(testing::agreement("letter", zone, testing::day("2024-03-01"))).await;
        let turned = jail.get(FIRST, None).await;
        let decision = turned.decision.as_ref().unwrap();
        assert_eq!((decision.outcome(), decision.reason()), (Outcome::Honor, Reason::Guaranteed));
        assert_eq!((decision.agreement.as_str(), turned.in_effect), ("counties/c/agreements/letter", true));
        assert_eq!(decision.authority_from, decision.recorded_time, "an answer that was turned gives authority from its record");
        jail.desk.at("2024-03-14T17:00:00Z");
        jail.desk.switch(testing::revision("none", Mode::DeclineAll), "2024-03-14T17:00:00Z").await;
        let last = jail.get(FIRST, None).await;
        assert_eq!(answer(last.decision.as_ref()), (Outcome::Decline, Reason::DeclineAll, Trigger::PolicySwitch));
        assert_eq!((last.decision_count, last.in_effect), (3, false));
        assert_eq!(jail.get(FIRST, Some("2024-03-14T16:59:59Z")).await.decision.unwrap().outcome(), Outcome::Honor);

        let all = jail.decisions("counties/c", 0).await;
        let outcomes: Vec<_> = all.iter().map(pb::Decision::outcome).collect();
        assert_eq!(outcomes, [Outcome::Decline, Outcome::Honor, Outcome::Decline]);
        assert_eq!(all.last(), last.decision.as_ref());
        assert_eq!(jail.decisions(FIRST, Outcome::Honor.into()).await.len(), 1);
        assert_eq!(jail.record(ask).await.unwrap().encode_to_vec(), first.encode_to_vec(), "a retry is answered as of then");
        jail.desk.close().await;
    }
}

#[tokio::test]
async fn service_notice_only_lift_and_replacement() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh, Mode::HonorAlways).await;
        // Honored at receipt, in effect when served.
        let made = jail.record(record("1", form(pb::FormEdition::I247d, "E-1"))).await.unwrap();
        assert_eq!(answer(made.decision.as_ref()), (Outcome::Honor, Reason::HonorAlways, Trigger::Receipt));
        let clock = made.decision.unwrap().clock.unwrap();
        assert_eq!(clock.limit.unwrap().limit, Some(pb::hold_limit::Limit::Hours(48)));
        let (etag, detainer) = (made.receipt.unwrap().etag, made.detainer.unwrap());
        assert!(!detainer.in_effect && detainer.service.is_none());
        let early = jail.serve("2", FIRST, "2024-03-14T14:29:59Z").await.unwrap_err();
        told(&early, Code::FailedPrecondition, "BEFORE_BEGINNING");
        assert!(early.message().starts_with("service.served_time"), "{early}");
        let stale = pb::RecordServiceRequest {
            name: FIRST.into(),
            request_id: "3".into(),
            etag: "1".into(),
            service: Some(service("2024-03-14T14:40:00Z")),
            validate_only: false,
        };
        told(&jail.calls.record_service(with(&jail.records, stale.clone())).await.unwrap_err(), Code::Aborted, "STALE_ETAG");
        let fits = pb::RecordServiceRequest { etag, ..stale };
        let served = jail.calls.record_service(with(&jail.records, fits)).await.unwrap().into_inner().detainer.unwrap();
        assert!(served.in_effect);
        jail.serve("4", FIRST, "2024-03-14T14:40:00Z").await.expect("the same service told twice");
        told(&jail.serve("5", FIRST, "2024-03-14T14:41:00Z").await.unwrap_err(), Code::FailedPrecondition, "ALREADY_SERVED");

        // An I-247N asks for notice: never a ground to hold.
        let notice = jail.record(record("6", form(pb::FormEdition::I247n, "E-2"))).await.unwrap();
        assert_eq!(answer(notice.decision.as_ref()), (Outcome::Decline, Reason::NoHoldRequested, Trigger::Receipt));
        assert!(notice.decision.unwrap().notify);
        let ticked = pb::DetainerForm { hold_requested: true, ..form(pb::FormEdition::I247n, "E-3") };
        assert_eq!(fields(&jail.record(record("7", ticked)).await.unwrap_err()), ["form.hold_requested"]);

        // A new form in the first one's place; serve it, or nobody may be held.
        let replace = |request: &str, name: &str| pb::ReplaceDetainerRequest {
            name: name.into(),
            request_id: request.into(),
            received_time: at("2024-03-14T14:50:00Z"),
            source: source(),
            detainer_id: "new".into(),
            form: Some(form(pb::FormEdition::I247x, "E-4")),
            ..pb::ReplaceDetainerRequest::default()
        };
        let replaced = jail.calls.replace_detainer(with(&jail.records, replace("8", FIRST))).await.unwrap().into_inner();
        let (old, new) = (replaced.replaced.as_ref().unwrap(), replaced.detainer.as_ref().unwrap());
        assert_eq!((old.state(), old.in_effect), (pb::DetainerState::Replaced, false));
        assert_eq!((old.replaced_by.as_str(), new.replaces.as_str()), (new.name.as_str(), FIRST));
        assert_eq!((new.name.as_str(), new.in_effect), ("counties/c/bookings/B-1/detainers/new", false));
        let again = jail.calls.replace_detainer(with(&jail.records, replace("9", FIRST))).await.unwrap().into_inner();
        assert_eq!((again.receipt, again.decision), (replaced.receipt.clone(), replaced.decision.clone()), "told twice");
        let other = pb::ReplaceDetainerRequest { form: Some(form(pb::FormEdition::I247d, "E-5")), ..replace("10", FIRST) };
        told(
            &jail.calls.replace_detainer(with(&jail.records, other)).await.unwrap_err(),
            Code::FailedPrecondition,
            "DETAINER_CLOSED",
        );

        // Lifted: no longer open; told twice is answered, told otherwise refused; a missing one is named.
        let name = new.name.clone();
        let lifted = jail.lift("11", &name, "2024-03-14T14:55:00Z").await.unwrap().detainer.unwrap();
        assert_eq!((lifted.state(), lifted.lift.unwrap().reason()), (pb::DetainerState::Lifted, pb::LiftReason::LackOfFunds));
        jail.lift("12", &name, "2024-03-14T14:55:00Z").await.expect("the same lift told twice");
        told(&jail.lift("13", &name, "2024-03-14T14:56:00Z").await.unwrap_err(), Code::FailedPrecondition, "DETAINER_CLOSED");
        let missing = jail.lift("14", "counties/c/bookings/B-1/detainers/none", "2024-03-14T14:55:00Z").await.unwrap_err();
        told(&missing, Code::NotFound, "RESOURCE_NOT_FOUND");
        let info = missing.get_details_resource_info().unwrap();
        assert_eq!(
            (info.resource_type.as_str(), info.resource_name.as_str()),
            ("detainer", "counties/c/bookings/B-1/detainers/none")
        );
        told(
            &jail.lift("15", FIRST, "2024-03-14T15:06:00Z").await.unwrap_err(),
            Code::InvalidArgument,
            "EFFECTIVE_TIME_IN_FUTURE",
        );

        // Lists: by received time and name, in pages of one snapshot, by state and edition.
        let list = |filter, size, token: &str| pb::ListDetainersRequest {
            parent: "counties/c".into(),
            page_size: size,
            page_token: token.into(),
            filter: Some(filter),
            ..pb::ListDetainersRequest::default()
        };
        let (mut token, mut names) = (String::new(), Vec::new());
        loop {
            let ask = list(pb::DetainerFilter::default(), 1, &token);
            let page = jail.calls.list_detainers(with(&jail.records, ask)).await.unwrap().into_inner();
            names.extend(page.detainers.iter().map(|detainer| detainer.name.trim_start_matches(BOOKING).to_owned()));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
            let late = pb::RecordDetainerRequest {
                received_time: at("2024-03-14T14:59:00Z"),
                ..record("late", form(pb::FormEdition::I247n, ""))
            };
            jail.record(late).await.unwrap();
        }
        assert_eq!(names, ["/detainers/1", "/detainers/2", "/detainers/new"]);
        let mut only = async |filter| {
            let page = jail.calls.list_detainers(with(&jail.records, list(filter, 0, ""))).await.unwrap().into_inner();
            page.detainers.iter().map(|detainer| detainer.name.trim_start_matches(BOOKING).to_owned()).collect::<Vec<_>>()
        };
        let state = pb::DetainerFilter { state: pb::DetainerState::Lifted.into(), ..pb::DetainerFilter::default() };
        assert_eq!(only(state).await, ["/detainers/new"]);
        let edition = pb::DetainerFilter { edition: pb::FormEdition::I247d.into(), ..pb::DetainerFilter::default() };
        assert_eq!(only(edition).await, ["/detainers/1"]);
        let outcome = pb::DetainerFilter { outcome: Outcome::Decline.into(), ..pb::DetainerFilter::default() };
        assert_eq!(only(outcome).await.len(), 2);
        jail.desk.close().await;
    }
}

#[tokio::test]
async fn reviews_papers_and_duties() {
    for fresh in common::engines().await {
        let mut jail = Jail::open(&fresh, Mode::HonorAlways).await;
        // Nobody read the boxes of an I-247A: a person must look.
        let unread = pb::DetainerForm { probable_cause: None, ..form(pb::FormEdition::I247a, "E-1") };
        let made = jail.record(record("1", unread)).await.unwrap();
        assert_eq!(
            answer(made.decision.as_ref()),
            (Outcome::Decline, Reason::FaciallyInsufficient, Trigger::Receipt),
            "no warrant"
        );
        told(&jail.resolve("2", Some(decline("no"))).await.unwrap_err(), Code::FailedPrecondition, "NOT_IN_REVIEW");

        // The warrant comes, with its bytes; then only the boxes are missing.
        let attach = |request: &str, content: &[u8]| pb::AttachDocumentRequest {
            parent: FIRST.into(),
            request_id: request.into(),
            effective_time: at("2024-03-14T14:40:00Z"),
            source: source(),
            document: Some(pb::Document {
                kind: pb::DocumentKind::I200.into(),
                signed: pb::TriState::Yes.into(),
                media_type: "application/pdf".into(),
                ..pb::Document::default()
            }),
            content: content.to_vec(),
            ..pb::AttachDocumentRequest::default()
        };
        let attached =
            jail.calls.attach_document(with(&jail.records, attach("3", b"made-up warrant"))).await.unwrap().into_inner();
        let paper = attached.document.clone().unwrap();
        assert!(paper.content_kept && paper.attach_time == at("2024-03-14T14:40:00Z"));
        let review = attached.detainer.unwrap().decision;
        assert_eq!(answer(review.as_ref()), (Outcome::NeedsReview, Reason::FacialSufficiencyUnknown, Trigger::FactChanged));
        let twice = jail.calls.attach_document(with(&jail.records, attach("3", b"made-up warrant"))).await.unwrap().into_inner();
        assert_eq!(twice.document, attached.document, "a retry seals anew and is the same");
        let read = pb::GetDocumentRequest { name: paper.name.clone(), as_of: None };
        let read = jail.calls.get_document(with(&jail.records, read)).await.unwrap().into_inner();
        assert_eq!(read.content, b"made-up warrant");
        let kept = fresh.store.rows(&SEALED, "", &[]).await.unwrap();
        let open = |row: &detainer::rows::Version| {
            row.row.get("sealed").unwrap().as_bytes().unwrap().windows(7).any(|p| p == b"warrant")
        };
        assert!(!kept.is_empty() && !kept.iter().any(open));
        let digest = pb::AttachDocumentRequest {
            document: Some(pb::Document { kind: pb::DocumentKind::Other.into(), sha256: vec![7; 32], ..pb::Document::default() }),
            ..attach("4", b"")
        };
        let digest = jail.calls.attach_document(with(&jail.records, digest)).await.unwrap().into_inner().document.unwrap();
        let not_kept =
            jail.calls.get_document(with(&jail.records, pb::GetDocumentRequest { name: digest.name, as_of: None })).await;
        told(&not_kept.unwrap_err(), Code::NotFound, "CONTENT_NOT_KEPT");

        // A reading of the form resolves it; the policy answers.
        let reading = pb::FormReading {
            effective_time: at("2024-03-14T14:50:00Z"),
            source: source(),
            probable_cause: Some(pb::ProbableCauseBoxes { biometric_match: true, known: true, ..Default::default() }),
            signed: pb::TriState::Yes.into(),
        };
        let unread = pb::FormReading { probable_cause: None, signed: 0, ..reading.clone() };
        let bad = jail.resolve("5", Some(Resolution::FormReading(unread))).await.unwrap_err();
        assert_eq!(fields(&bad), ["form_reading.probable_cause.known", "form_reading.signed"]);
        assert_eq!(fields(&jail.resolve("5", None).await.unwrap_err()), ["resolution"]);
        let resolved = jail.resolve("5", Some(Resolution::FormReading(reading))).await.unwrap();
        assert_eq!(answer(resolved.decision.as_ref()), (Outcome::Honor, Reason::HonorAlways, Trigger::ReviewResolved));

        // Proof of citizenship raises a review again; declining closes it.
        let proof = pb::StatusProofFact { proved: pb::StatusProofKind::Citizenship.into() };
        let fact = pb::Fact {
            effective_time: at("2024-03-14T14:55:00Z"),
            source: source(),
            kind: Some(pb::fact::Kind::StatusProof(proof)),
            ..pb::Fact::default()
        };
        let facts =
            pb::UpdateFactsRequest { name: BOOKING.into(), request_id: "6".into(), facts: vec![fact], ..Default::default() };
        BookingServiceClient::new(jail.desk.channel.clone()).update_facts(with(&jail.records, facts)).await.unwrap();
        let raised = jail.get(FIRST, None).await.decision;
        assert_eq!(answer(raised.as_ref()), (Outcome::NeedsReview, Reason::CitizenshipProof, Trigger::FactChanged));
        assert_eq!(fields(&jail.resolve("7", Some(decline(""))).await.unwrap_err()), ["decline.reason"]);
        let declined = jail.resolve("7", Some(decline("a citizen"))).await.unwrap();
        assert_eq!(answer(declined.decision.as_ref()).1, Reason::DeclinedInReview);
        let as_records = pb::ResolveReviewRequest { name: FIRST.into(), request_id: "8".into(), ..Default::default() };
        let role = jail.calls.resolve_review(with(&jail.records, as_records)).await.unwrap_err();
        told(&role, Code::PermissionDenied, "ROLE_REQUIRED");

        // Duties: what is owed, by when; one carried out; not twice; not one that is not owed.
        let owed = jail.duties(pb::DutyFilter { done: Some(false), ..pb::DutyFilter::default() }).await;
        let kinds: Vec<_> = owed.iter().map(pb::Duty::kind).collect();
        assert!(kinds.contains(&pb::DutyKind::CopyToSubject) && kinds.contains(&pb::DutyKind::DecisionToSubject), "{kinds:?}");
        assert!(owed.windows(2).all(|pair| pair[0].due_time.unwrap().seconds <= pair[1].due_time.unwrap().seconds));
        let copy = owed.iter().find(|duty| duty.kind() == pb::DutyKind::CopyToSubject).unwrap();
        assert_eq!((copy.due_time, copy.facility.as_str()), (at("2024-03-15T14:30:00Z"), "counties/c/facilities/main"));
        let notice = |request: &str, name: &str| pb::RecordNoticeRequest {
            name: name.into(),
            request_id: request.into(),
            effective_time: at("2024-03-14T15:00:00Z"),
            source: source(),
            method: pb::NoticeMethod::InPerson.into(),
            ..pb::RecordNoticeRequest::default()
        };
        let done = jail.calls.record_notice(with(&jail.records, notice("9", &copy.name))).await.unwrap().into_inner();
        assert_eq!(done.duty.unwrap().done_time, at("2024-03-14T15:00:00Z"));
        let later = pb::RecordNoticeRequest { effective_time: at("2024-03-14T15:00:01Z"), ..notice("10", &copy.name) };
        told(&jail.calls.record_notice(with(&jail.records, later)).await.unwrap_err(), Code::FailedPrecondition, "DUTY_DONE");
        let none = format!("{FIRST}/duties/notice-of-death");
        let none = jail.calls.record_notice(with(&jail.records, notice("11", &none))).await.unwrap_err();
        told(&none, Code::NotFound, "RESOURCE_NOT_FOUND");
        let done = jail.duties(pb::DutyFilter { done: Some(true), ..pb::DutyFilter::default() }).await;
        assert_eq!(done.iter().map(pb::Duty::kind).collect::<Vec<_>>(), [pb::DutyKind::CopyToSubject]);
        let soon = pb::DutyFilter { due_before: at("2024-03-14T14:00:00Z"), ..pb::DutyFilter::default() };
        assert_eq!(jail.duties(soon).await, []);
        jail.desk.close().await;
    }
}

fn decline(reason: &str) -> Resolution {
    Resolution::Decline(pb::ReviewDecline { reason: reason.into() })
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let fresh = common::sqlite(common::options()).await;
    let mut jail = Jail::open(&fresh, Mode::HonorAlways).await;
    let before = recorded(&fresh).await;
    let empty = jail.record(pb::RecordDetainerRequest { parent: "counties/c".into(), ..Default::default() }).await.unwrap_err();
    assert_eq!(fields(&empty), ["parent", "request_id", "received_time", "source", "form"]);
    let bad = pb::RecordDetainerRequest {
        etag: "x".into(),
        detainer_id: "a b".into(),
        documents: vec![
            pb::Document { sha256: vec![1], ..pb::Document::default() },
            pb::Document { kind: pb::DocumentKind::I200.into(), sha256: vec![2; 32], ..pb::Document::default() },
            pb::Document { kind: pb::DocumentKind::I200.into(), sha256: vec![2; 32], ..pb::Document::default() },
        ],
        service: Some(pb::Service::default()),
        ..record(
            "1",
            pb::DetainerForm {
                edition: 77,
                probable_cause: Some(pb::ProbableCauseBoxes { statements_or_evidence: true, ..Default::default() }),
                signed: 0,
                office: Some(pb::IssuingOffice { code: "M A".into(), component: 0, ..Default::default() }),
                form_date: Some(pb::Date { year: 2023, month: 2, day: 29 }),
                event_number: "x".repeat(65),
                a_number: "none".into(),
                ..pb::DetainerForm::default()
            },
        )
    };
    let bad = jail.record(bad).await.unwrap_err();
    assert_eq!(
        fields(&bad),
        [
            "etag",
            "detainer_id",
            "documents[0].kind",
            "documents[0].sha256",
            "documents[2]",
            "form.edition",
            "form.probable_cause.known",
            "form.signed",
            "form.office.code",
            "form.office.component",
            "form.form_date",
            "form.event_number",
            "form.a_number",
            "service.served_time",
            "service.method",
            "service.source"
        ]
    );
    assert!(!bad.message().contains("none"), "identity is not repeated: {bad}");
    let lift = pb::LiftDetainerRequest { reason: pb::LiftReason::CancelledByForm.into(), ..Default::default() };
    let lift = jail.calls.lift_detainer(with(&jail.records, lift)).await.unwrap_err();
    assert_eq!(fields(&lift), ["name", "request_id", "effective_time", "source", "reason"]);
    let attach = pb::AttachDocumentRequest {
        content: b"x".to_vec(),
        document: Some(pb::Document { sha256: vec![9; 32], kind: 2, ..Default::default() }),
        ..Default::default()
    };
    let attach = jail.calls.attach_document(with(&jail.records, attach)).await.unwrap_err();
    assert_eq!(fields(&attach), ["parent", "request_id", "effective_time", "source", "document.sha256"]);
    let elsewhere =
        pb::RecordDetainerRequest { parent: "counties/c/bookings/none".into(), ..record("2", form(pb::FormEdition::I247d, "")) };
    told(&jail.record(elsewhere).await.unwrap_err(), Code::NotFound, "RESOURCE_NOT_FOUND");
    let foreign = jail.desk.token(Role::Records, &["counties/other"]).await;
    let foreign = jail.calls.record_detainer(with(&foreign, record("3", form(pb::FormEdition::I247d, "")))).await.unwrap_err();
    told(&foreign, Code::PermissionDenied, "COUNTY_NOT_ALLOWED");
    assert_eq!(recorded(&fresh).await, before, "nothing changed");
    jail.desk.close().await;
}
