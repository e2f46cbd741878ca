//! Refusals name fields of the request that was sent, every bad one at once: over a real socket, on both engines.

mod common;

use common::desk::{Desk, fields, reason, with};
use detainer::domain::detainer::Edition;
use detainer::domain::policy::Mode;
use detainer::domain::rate::DayCount;
use detainer::domain::testing::{self, cents, day};
use detainer::pb;
use detainer::pb::booking_service_client::BookingServiceClient;
use detainer::pb::policy_service_client::PolicyServiceClient;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const NOW: &str = "2024-03-15T22:00:00Z";

fn date(year: i32, month: i32, day: i32) -> Option<pb::Date> {
    Some(pb::Date { year, month, day })
}

fn dollars(cents: i64) -> Option<pb::Money> {
    Some(pb::Money { currency_code: "USD".into(), cents })
}

/// The fields of the request that a state stands against.
fn against(status: &Status) -> Vec<String> {
    let found = status.get_details_precondition_failure().map(|failure| failure.violations).unwrap_or_default();
    found.into_iter().map(|violation| violation.subject).collect()
}

/// A county that asks for a guarantee, one guarantee with a budget, and one hold that runs under it.
async fn open(fresh: &common::Fresh) -> Desk {
    let desk = Desk::open(fresh, "2024-03-14T16:00:00Z").await;
    desk.found("America/New_York", &[("jail", "America/New_York")]).await;
    desk.price(testing::rate("r1", "126.00", DayCount::Hourly, day("2017-01-01"))).await;
    let mut promise = testing::agreement("a1", "America/New_York".parse().unwrap(), day("2024-01-01"));
    (promise.budget, promise.end) = (Some(cents("1000.00")), Some(day("2025-01-01")));
    desk.promise(promise).await;
    desk.switch(testing::revision("guarantee", Mode::RequireReimbursementGuarantee), "2018-01-01T00:00:00Z").await;
    desk.at("2024-03-14T16:00:00Z").book("B", "jail", "2024-03-14T16:00:00Z").await;
    desk.at("2024-03-14T18:00:00Z").receive("B", "MIA", Edition::I247Of2012, true, "2024-03-14T18:00:00Z").await;
    desk.at("2024-03-15T21:00:00Z").bail("B", "2024-03-15T21:00:00Z").await;
    desk.at(NOW);
    desk
}

#[tokio::test]
async fn rates_name_the_amount_that_is_too_large() {
    for fresh in common::engines().await {
        let desk = open(&fresh).await;
        let mut policy = PolicyServiceClient::new(desk.channel.clone());
        let rate = pb::SetRateRequest {
            parent: "counties/c".into(),
            request_id: "rate".into(),
            facility: "counties/c/facilities/jail".into(),
            effective_date: date(2024, 5, 1),
            full_day: dollars(100_000_000),
            day_count: pb::DayCount::Hourly.into(),
            ..Default::default()
        };
        let most = dollars(100_000_001);
        let wrong = [
            ("full_day", pb::SetRateRequest { full_day: most.clone(), ..rate.clone() }),
            ("marginal_day", pb::SetRateRequest { marginal_day: most.clone(), ..rate.clone() }),
            ("per_hold", pb::SetRateRequest { per_hold: most.clone(), ..rate.clone() }),
        ];
        for (field, request) in wrong {
            let refused = policy.set_rate(with(&desk.admin, request)).await.unwrap_err();
            assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "FIELD_INVALID"), "{refused}");
            assert_eq!(fields(&refused), [field]);
            assert!(refused.message().contains("1,000,000.00"), "{refused}");
        }
        policy.set_rate(with(&desk.admin, rate.clone())).await.unwrap();
        let again = pb::SetRateRequest { request_id: "again".into(), full_day: dollars(1), ..rate };
        let taken = policy.set_rate(with(&desk.admin, again)).await.unwrap_err();
        assert_eq!(reason(&taken), "RATE_DATE_TAKEN", "{taken}");
        desk.close().await;
    }
}

#[tokio::test]
async fn agreements_name_fields_of_their_requests() {
    for fresh in common::engines().await {
        let desk = open(&fresh).await;
        let mut policy = PolicyServiceClient::new(desk.channel.clone());
        let name = "counties/c/agreements/a1".to_owned();
        let request = pb::GetAgreementRequest { name: name.clone(), ..Default::default() };
        let known = policy.get_agreement(with(&desk.admin, request)).await.unwrap().into_inner().agreement.unwrap();
        assert!(known.reserved.unwrap().cents > 0, "a hold runs under it");
        let terms = known.terms.unwrap();
        let instrument = terms.instrument.clone().map(|paper| pb::Instrument { date: date(2024, 1, 1), ..paper });
        let terms = pb::AgreementTerms { counterparty: "ICE".into(), instrument, ..terms };

        let create = |terms: pb::AgreementTerms| {
            let request = pb::CreateAgreementRequest {
                parent: "counties/c".into(),
                request_id: "create".into(),
                terms: Some(terms),
                ..Default::default()
            };
            with(&desk.admin, request)
        };
        // Both at once: it ends on the day it begins, and the budget is below nothing.
        let bad = pb::AgreementTerms { end_date: terms.start_date, budget: dollars(-1), ..terms.clone() };
        let refused = policy.create_agreement(create(bad)).await.unwrap_err();
        let mut named = fields(&refused);
        named.sort();
        assert_eq!(named, ["terms.budget.cents", "terms.end_date"], "{refused}");
        let dear = pb::PerDiem { amount: dollars(100_000_001), day_count: pb::DayCount::Hourly.into() };
        let term = Some(pb::PaymentTerm { term: Some(pb::payment_term::Term::PerDiem(dear)) });
        let refused = policy.create_agreement(create(pb::AgreementTerms { term, ..terms.clone() })).await.unwrap_err();
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["terms.term.per_diem.amount".to_owned()]));
        let large = pb::AgreementTerms { budget: dollars(100_000_000_000_001), ..terms.clone() };
        let refused = policy.create_agreement(create(large)).await.unwrap_err();
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["terms.budget".to_owned()]));

        let less = pb::AgreementTerms { budget: dollars(1), ..terms.clone() };
        let amend =
            pb::AmendAgreementRequest { name: name.clone(), request_id: "amend".into(), terms: Some(less), ..Default::default() };
        let refused = policy.amend_agreement(with(&desk.admin, amend)).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "BUDGET_BELOW_COMMITTED"));
        assert_eq!(against(&refused), ["terms.budget"], "{refused}");

        let end =
            pb::TerminateAgreementRequest { name, request_id: "end".into(), end_date: date(2025, 1, 1), ..Default::default() };
        let refused = policy.terminate_agreement(with(&desk.admin, end)).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "AGREEMENT_ENDED"));
        assert_eq!(against(&refused), ["end_date"], "{refused}");
        desk.close().await;
    }
}

#[tokio::test]
async fn every_bad_field_is_named_before_anything_is_looked_for() {
    for fresh in common::engines().await {
        let desk = open(&fresh).await;
        let mut bookings = BookingServiceClient::new(desk.channel.clone());
        let refused = bookings.create_booking(with(&desk.admin, pb::CreateBookingRequest::default())).await.unwrap_err();
        let mut named = fields(&refused);
        named.sort();
        assert_eq!(named, ["bases", "booked_time", "facility", "parent", "request_id", "source"], "{refused}");

        let name = "counties/c/bookings/nobody".to_owned();
        let empty = pb::CorrectBookingRequest { name: name.clone(), ..Default::default() };
        let refused = bookings.correct_booking(with(&desk.admin, empty)).await.unwrap_err();
        let mut named = fields(&refused);
        named.sort();
        assert_eq!(named, ["correction", "reason", "request_id", "source"], "{refused}");

        let fact = pb::Fact { kind: Some(pb::fact::Kind::CitizenshipClaim(pb::CitizenshipClaimFact {})), ..Default::default() };
        let facts = |fact: pb::Fact| pb::UpdateFactsRequest {
            name: name.clone(),
            request_id: "facts".into(),
            facts: vec![fact],
            ..Default::default()
        };
        let refused = bookings.update_facts(with(&desk.admin, facts(fact.clone()))).await.unwrap_err();
        let mut named = fields(&refused);
        named.sort();
        assert_eq!(named, ["facts[0].effective_time", "facts[0].source"], "{refused}");

        // Nothing is wrong with it but that there is no such booking.
        let at = Some(prost_types::Timestamp { seconds: testing::instant(NOW).micros() / 1_000_000, nanos: 0 });
        let source = Some(pb::Source { kind: pb::SourceKind::JailRecord.into(), reference: "a test".into() });
        let whole = pb::Fact { effective_time: at, source, ..fact };
        let refused = bookings.update_facts(with(&desk.admin, facts(whole))).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"), "{refused}");
        desk.close().await;
    }
}
