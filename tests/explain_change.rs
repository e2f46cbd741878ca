//! Why a cost report changed, over a real socket: the decade ([`common::decade`]) as it was known before and after a rate, an
//! agreement's end, a correction and time. Figures are worked out by hand.

#![allow(clippy::inconsistent_digit_grouping, reason = "cents are written as dollars_cents")]

mod common;

use common::decade::{self, NOW};
use common::desk::{Desk, fields, reason, with};
use detainer::domain::booking::{CorrectedFact, Correction};
use detainer::domain::command::CountyCommand;
use detainer::domain::facts::EndKind;
use detainer::domain::ids::{AgreementId, FacilityId};
use detainer::domain::rate::DayCount;
use detainer::domain::testing::{self, correction, day, instant};
use detainer::pb::report_service_client::ReportServiceClient;
use detainer::pb::{self, ChangeCause, Role};
use prost::Message as _;
use tonic::Code;

fn date(text: &str) -> Option<pb::Date> {
    let mut parts = text.split('-').map(|part| part.parse::<i32>().unwrap());
    Some(pb::Date { year: parts.next().unwrap(), month: parts.next().unwrap(), day: parts.next().unwrap() })
}

fn stamp(text: &str) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: instant(text).micros() / 1_000_000, nanos: 0 })
}

fn sequence(seq: i64) -> Option<pb::AsOf> {
    Some(pb::AsOf { point: Some(pb::as_of::Point::Sequence(seq)) })
}

fn decade() -> pb::ReportQuery {
    let period = Some(pb::DateInterval { start_date: date("2010-01-01"), end_date: date("2020-01-01") });
    pb::ReportQuery { county: "counties/c".into(), period, ..pb::ReportQuery::default() }
}

/// Hours, incurred, covered.
fn figures(amount: Option<&pb::ChangeAmount>) -> (i64, i64, i64) {
    let amount = amount.expect("an amount");
    let totals = amount.totals.as_ref().expect("totals");
    let cents = |money: &Option<pb::Money>| money.as_ref().expect("money").cents;
    let (incurred, covered, absorbed) = (cents(&totals.incurred), cents(&totals.covered), cents(&totals.absorbed));
    assert_eq!(incurred, covered + absorbed);
    (amount.duration.as_ref().expect("a length").seconds / 3_600, incurred, covered)
}

struct Told {
    changes: Vec<pb::Change>,
    summary: pb::ChangeSummary,
    manifest: pb::ReportManifest,
    bytes: Vec<u8>,
}

async fn explain(desk: &Desk, token: &str, ask: pb::ExplainChangeRequest) -> Told {
    use pb::explain_change_response::Part;
    let mut reports = ReportServiceClient::new(desk.channel.clone());
    let mut stream = reports.explain_change(with(token, ask)).await.unwrap().into_inner();
    let (mut changes, mut summary, mut manifest, mut bytes) = (Vec::new(), None, None, Vec::new());
    while let Some(message) = stream.message().await.unwrap() {
        bytes.extend(message.encode_to_vec());
        match message.part.expect("a part") {
            Part::AsOfPair(_) => assert!(changes.is_empty()),
            Part::Change(change) => changes.push(change),
            Part::Summary(last) => summary = Some(last),
            Part::Manifest(last) => manifest = Some(last),
        }
    }
    let (summary, manifest) = (summary.expect("a summary"), manifest.expect("a manifest"));
    assert_eq!(manifest.row_count, i64::try_from(changes.len()).unwrap());
    assert_eq!(figures(summary.residual.as_ref()), (0, 0, 0), "nothing is left over");
    let add = |sum: (i64, i64, i64), one: (i64, i64, i64)| (sum.0 + one.0, sum.1 + one.1, sum.2 + one.2);
    let by_cause = summary.causes.iter().map(|cause| figures(cause.amount.as_ref()));
    assert_eq!(by_cause.fold(figures(summary.before.as_ref()), add), figures(summary.after.as_ref()));
    for cause in &summary.causes {
        let own = changes.iter().filter(|change| change.cause == cause.cause);
        assert_eq!(own.clone().count() as i64, cause.change_count);
        assert_eq!(own.map(|change| figures(change.amount.as_ref())).fold((0, 0, 0), add), figures(cause.amount.as_ref()));
    }
    Told { changes, summary, manifest, bytes }
}

#[tokio::test]
async fn each_difference_has_its_cause() {
    for fresh in common::engines().await {
        let mut desk = Desk::open(&fresh, "2013-12-03T15:00:00Z").await;
        decade::tell(&desk).await;
        let auditor = desk.token(Role::Auditor, &["counties/c"]).await;
        let head = {
            let ask = pb::GetCostReportRequest { query: Some(decade()), group_by: Vec::new() };
            let report = ReportServiceClient::new(desk.channel.clone()).get_cost_report(with(&auditor, ask)).await.unwrap();
            report.into_inner().manifest.unwrap().as_of_pair.unwrap().sequence
        };

        // Nothing but time: b7 is held on from 2017-06-13 16:00 to its deadline a day later, then over for two hours.
        desk.at("2017-06-14T18:00:00Z");
        let since = |before: i64| pb::ExplainChangeRequest {
            query: Some(decade()),
            before: sequence(before),
            before_accrue_until: stamp(NOW),
        };
        let told = explain(&desk, &auditor, since(head)).await;
        assert_eq!(figures(told.summary.before.as_ref()), (131, 595_00, 180_00));
        let [one] = told.changes.as_slice() else { panic!("{:?}", told.changes) };
        assert_eq!((one.cause(), one.booking.as_str(), one.sequence), (ChangeCause::TimePassing, "counties/c/bookings/b7", 0));
        assert_eq!(figures(one.amount.as_ref()), (26, 130_00, 0));

        // b1 had been taken two hours earlier: 10.00 less, all of it covered.
        let (old, new) = (instant("2014-03-05T17:00:00Z"), instant("2014-03-05T15:00:00Z"));
        let earlier = Correction {
            end_kind: Some(EndKind::FederalCustody),
            old_end_kind: Some(EndKind::FederalCustody),
            ..correction(CorrectedFact::Ending, "", Some(old), Some(new))
        };
        let corrected = desk.correct("b1", earlier).await;
        // From June 2017 on an hour in tgk costs $6.00: b7's 24 hours to NOW cost a dollar an hour more.
        let mut dearer = testing::rate("p-2017", "144.00", DayCount::Hourly, day("2017-06-01"));
        dearer.facility = FacilityId::trusted("tgk");
        desk.price(dearer).await;
        // The agreement is found to have ended on New Year's Eve 2014 at noon of the county: b3's 12 hours are not paid.
        let ended = instant("2014-12-31T17:00:00Z");
        desk.settle(CountyCommand::TerminateAgreement(AgreementId::trusted("ice"), ended)).await;

        let told = explain(&desk, &auditor, since(head)).await;
        let causes: Vec<_> = told.summary.causes.iter().map(|one| (one.cause(), figures(one.amount.as_ref()))).collect();
        assert_eq!(
            causes,
            [
                (ChangeCause::Correction, (-2, -10_00, -10_00)),
                (ChangeCause::Rate, (0, 24_00, 0)),
                (ChangeCause::Agreement, (0, 0, -60_00)),
                (ChangeCause::TimePassing, (26, 156_00, 0)),
            ]
        );
        let of = |cause| told.changes.iter().filter(move |change: &&pb::Change| change.cause() == cause);
        let corrections: Vec<_> = of(ChangeCause::Correction).map(|one| (one.booking.as_str(), one.sequence)).collect();
        assert_eq!(corrections, [("counties/c/bookings/b1", corrected)]);
        // What follows from the county's record names it.
        for one in of(ChangeCause::Agreement) {
            assert!(one.command_sequence < one.sequence && one.record_time.is_some(), "{one:?}");
        }

        // The same points give the same bytes, whatever is recorded since; by a filter, each part.
        let pinned = pb::ExplainChangeRequest { query: told.manifest.query.clone(), ..since(head) };
        desk.at("2017-06-15T18:00:00Z").end("b7", EndKind::Released, "2017-06-15T18:00:00Z").await;
        let again = explain(&desk, &auditor, pinned.clone()).await;
        assert_eq!((again.bytes, again.manifest.sha256.len()), (told.bytes, 32));
        let annex = pb::ReportQuery { facilities: vec!["counties/c/facilities/annex".into()], ..pinned.query.unwrap() };
        let annex = explain(&desk, &auditor, pb::ExplainChangeRequest { query: Some(annex), ..since(head) }).await;
        assert_eq!(annex.changes, []);
        assert_eq!(figures(annex.summary.before.as_ref()), figures(annex.summary.after.as_ref()));

        // What cannot be asked.
        let mut reports = ReportServiceClient::new(desk.channel.clone());
        let none = pb::ExplainChangeRequest { before: None, ..since(head) };
        let refused = reports.explain_change(with(&auditor, none)).await.unwrap_err();
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["before".to_owned()]));
        let turned = pb::ExplainChangeRequest {
            query: Some(pb::ReportQuery { as_of: sequence(5), ..decade() }),
            before_accrue_until: None,
            ..since(head)
        };
        assert_eq!(fields(&reports.explain_change(with(&auditor, turned)).await.unwrap_err()), ["before"]);
        let books = pb::ExplainChangeRequest { query: Some(pb::ReportQuery { by_books: true, ..decade() }), ..since(head) };
        assert_eq!(fields(&reports.explain_change(with(&auditor, books)).await.unwrap_err()), ["query.by_books"]);
        let beyond = pb::ExplainChangeRequest { before: sequence(1_000_000), ..since(head) };
        assert_eq!(reason(&reports.explain_change(with(&auditor, beyond)).await.unwrap_err()), "AS_OF_IN_FUTURE");
        desk.close().await;
    }
}
