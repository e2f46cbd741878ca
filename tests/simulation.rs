//! A past told anew over a real socket: a small county's decade ([`common::decade`]) under other rules, every figure
//! against one worked out by hand.
//!
//! From 2014 to 2018, in hours and dollars; `further` is how much longer those let go could have been kept, at $5.00 an
//! hour up to 48 hours after T0.
//!
//! | | recorded | honor always | only with a guarantee | decline all |
//! |---|---|---|---|---|
//! | b1 | 24 held | 24 held | 24 held | 24 over |
//! | b2 | 3 over | 3 held, 45 further | 3 over | 3 over |
//! | b3 | 12 held, 6 over | 18 held, 30 further | 12 held, 6 over | 18 over |
//! | b4 | at once | 48 further | at once | at once |
//! | b5 | 48 held, 12 over | 48 held, 12 over | 60 over | 60 over |
//! | b6 | 2 over | 2 over | 2 over | 2 over |
//! | b7 | 24 held | 24 held | 24 over | 24 over |

#![allow(clippy::inconsistent_digit_grouping, reason = "cents are written as dollars_cents")]

mod common;

use common::decade::{self, NOW};
use common::desk::{Desk, fields, reason, with};
use detainer::domain::agreement::Agreement;
use detainer::domain::command::{BookingCommand, CloseBasis};
use detainer::domain::detainer::Edition;
use detainer::domain::facts::{CloseReason, EndKind};
use detainer::domain::ids::{BasisId, BookingId, FacilityId};
use detainer::domain::money::Cents;
use detainer::domain::policy::Mode;
use detainer::domain::rate::{DayCount, Rate};
use detainer::domain::testing::{self, day, instant, revision};
use detainer::ledger::AsOf;
use detainer::pb::policy_service_client::PolicyServiceClient;
use detainer::pb::report_service_client::ReportServiceClient;
use detainer::pb::simulate_policy_response::Part;
use detainer::pb::supposed_rule::Rule;
use detainer::pb::{self, Outcome, PolicyMode, Role};
use tonic::{Code, Status};

fn date(text: &str) -> Option<pb::Date> {
    let mut parts = text.split('-').map(|part| part.parse::<i32>().unwrap());
    Some(pb::Date { year: parts.next().unwrap(), month: parts.next().unwrap(), day: parts.next().unwrap() })
}

fn stamp(text: &str) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: instant(text).micros() / 1_000_000, nanos: 0 })
}

fn days(start: &str, end: &str, until: &str) -> Option<pb::ReportQuery> {
    let period = Some(pb::DateInterval { start_date: date(start), end_date: date(end) });
    Some(pb::ReportQuery { county: "counties/c".into(), period, accrue_until: stamp(until), ..pb::ReportQuery::default() })
}

fn years() -> Option<pb::ReportQuery> {
    days("2014-01-01", "2018-01-01", NOW)
}

fn mode(mode: PolicyMode) -> pb::SupposedRule {
    pb::SupposedRule { rule: Some(Rule::Mode(mode.into())), effective_time: None }
}

fn named(name: &str, from: Option<&str>) -> pb::SupposedRule {
    let rule = Some(Rule::Name(format!("counties/c/policyRevisions/{name}")));
    pb::SupposedRule { rule, effective_time: from.and_then(stamp) }
}

/// Hours held and over, then of what is further; cents incurred and covered of the custody, incurred of what is further.
fn figures(column: &pb::PolicyColumn) -> ([i64; 3], [i64; 3]) {
    let hours = |amount: &Option<pb::ComparedAmount>| {
        let length = amount.as_ref().unwrap().duration.unwrap();
        assert_eq!((length.seconds % 3600, length.nanos), (0, 0), "whole hours in this story");
        length.seconds / 3600
    };
    let totals = |amount: &Option<pb::ComparedAmount>| amount.as_ref().unwrap().totals.clone().unwrap();
    let cents = |money: &Option<pb::Money>| money.as_ref().unwrap().cents;
    let (custody, further) = (totals(&column.custody), totals(&column.further));
    assert_eq!(cents(&custody.absorbed), cents(&custody.incurred) - cents(&custody.covered));
    assert_eq!(hours(&column.custody), hours(&column.held) + hours(&column.over_detained));
    (
        [hours(&column.held), hours(&column.over_detained), hours(&column.further)],
        [cents(&custody.incurred), cents(&custody.covered), cents(&further.incurred)],
    )
}

fn answers(column: &pb::PolicyColumn) -> (i64, i64, i64) {
    assert_eq!(column.detainer_count, column.honored_count + column.declined_count + column.needs_review_count);
    assert_eq!(column.detainer_count, column.answers.iter().map(|one| one.count).sum::<i64>());
    (column.honored_count, column.declined_count, column.needs_review_count)
}

/// What a simulation told.
#[derive(Default)]
struct Told {
    progress: Vec<pb::SimulationProgress>,
    flips: Vec<pb::SimulatedFlip>,
    comparison: pb::PolicyComparison,
    manifest: pb::ReportManifest,
}

async fn simulate(desk: &Desk, rules: Vec<pb::SupposedRule>, query: Option<pb::ReportQuery>) -> Result<Told, Status> {
    let request = pb::SimulatePolicyRequest { query, rules };
    let mut policy = PolicyServiceClient::new(desk.channel.clone());
    let mut stream = policy.simulate_policy(with(&desk.admin, request)).await?.into_inner();
    let first = stream.message().await?.unwrap().part.unwrap();
    assert!(matches!(first, Part::AsOfPair(_)), "the point of knowledge comes first");
    let (mut told, mut ended) = (Told::default(), false);
    while let Some(message) = stream.message().await? {
        assert!(!ended, "the manifest comes last");
        match message.part.unwrap() {
            Part::AsOfPair(_) => panic!("one point of knowledge"),
            Part::Progress(progress) => told.progress.push(progress),
            Part::Flip(flip) => told.flips.push(flip),
            Part::Comparison(comparison) => told.comparison = comparison,
            Part::Manifest(manifest) => (told.manifest, ended) = (manifest, true),
        }
    }
    assert!(ended, "a whole stream ends with its manifest");
    Ok(told)
}

async fn compare(desk: &Desk, others: Vec<pb::SupposedRule>) -> pb::CompareModesResponse {
    let request = pb::CompareModesRequest { query: years(), others };
    let answer = ReportServiceClient::new(desk.channel.clone()).compare_modes(with(&desk.admin, request)).await;
    answer.unwrap().into_inner()
}

#[tokio::test]
async fn one_period_under_several_policies() {
    for fresh in common::engines().await {
        let desk = Desk::open(&fresh, "2013-12-03T15:00:00Z").await;
        decade::tell(&desk).await;
        let answer = compare(&desk, vec![mode(PolicyMode::DeclineAll), named("r2013", None)]).await;
        let labels: Vec<&str> = answer.columns.iter().map(|column| column.label.as_str()).collect();
        assert_eq!(labels, ["recorded", "HONOR_ALWAYS", "REQUIRE_REIMBURSEMENT_GUARANTEE", "DECLINE_ALL", "r2013"]);
        let [recorded, always, guarantee, decline, r2013] = answer.columns.as_slice() else { panic!("five columns") };
        assert_eq!(figures(recorded), ([108, 23, 0], [595_00, 180_00, 0]));
        assert_eq!(figures(always), ([117, 14, 123], [595_00, 180_00, 615_00]));
        assert_eq!(figures(guarantee), ([36, 95, 0], [595_00, 180_00, 0]));
        assert_eq!(figures(decline), ([0, 131, 0], [595_00, 0, 0]));
        assert_eq!(figures(r2013), figures(guarantee));
        assert_eq!(answers(recorded), (5, 3, 0));
        assert_eq!(answers(always), (8, 0, 0));
        assert_eq!(answers(guarantee), (1, 7, 0));
        assert_eq!(answers(decline), (0, 8, 0));
        assert_eq!((recorded.hold_count, always.hold_count, guarantee.hold_count), (4, 5, 2));
        assert_eq!((recorded.over_detained_stay_count, always.released_early_count), (4, 3));
        assert_eq!((recorded.notified_count, always.notified_count), (5, 8), "a failed guarantee notifies nobody");
        assert_eq!((answer.booking_count, answer.not_alike_count), (8, 0));
        let manifest = answer.manifest.unwrap();
        assert_eq!((manifest.report_version.as_str(), manifest.row_count), ("mode-comparison/1", 5));
        assert_eq!(manifest.policy_revisions, ["counties/c/policyRevisions/r2013"]);

        // The recorded column is the cost report of the same days.
        let cost = pb::GetCostReportRequest { query: years(), group_by: Vec::new() };
        let cost = ReportServiceClient::new(desk.channel.clone()).get_cost_report(with(&desk.admin, cost)).await;
        let total = cost.unwrap().into_inner().total.unwrap();
        let custody = recorded.custody.clone().unwrap();
        assert_eq!((total.duration, total.totals), (custody.duration, custody.totals));
        desk.close().await;
    }
}

#[tokio::test]
async fn a_past_told_anew_under_the_rules_as_they_were_is_that_past() {
    for fresh in common::engines().await {
        let desk = Desk::open(&fresh, "2013-12-03T15:00:00Z").await;
        decade::tell(&desk).await;
        let chain = vec![named("r2013", None), named("r2017", Some("2017-01-26T20:00:00Z"))];
        let told = simulate(&desk, chain, years()).await.unwrap();
        assert_eq!(told.flips, []);
        let (recorded, supposed) = (told.comparison.recorded.unwrap(), told.comparison.supposed.unwrap());
        assert_eq!(supposed.label, "r2013, then r2017");
        assert_eq!(pb::PolicyColumn { label: recorded.label.clone(), ..supposed }, recorded);
        let last = told.progress.last().unwrap();
        assert_eq!((last.bookings_done, last.bookings_total, told.comparison.booking_count), (8, 8, 8));
        assert_eq!((told.comparison.not_alike_count, told.manifest.report_version.as_str()), (0, "policy-simulation/1"));
        desk.close().await;
    }
}

/// Rows of a history are recorded long after their time: what is barred from the day of their record on is not barred on
/// the days that they tell of.
#[tokio::test]
async fn what_a_late_row_bars_from_its_record_on_bars_nothing_before() {
    for fresh in common::engines().await {
        let desk = Desk::open(&fresh, "2017-01-02T15:00:00Z").await;
        desk.found("America/New_York", &[("jail", "America/New_York")]).await;
        desk.switch(revision("r", Mode::HonorAlways), "2017-01-02T15:00:00Z").await;
        desk.at("2018-01-02T15:00:00Z").book("b1", "jail", "2017-03-06T15:00:00Z").await;
        desk.receive("b1", "MIA", Edition::I247Of2012, false, "2017-03-06T15:00:00Z").await;
        desk.bail("b1", "2017-03-08T16:00:00Z").await;
        // Until this is recorded, the hold of 8 March is known to have ended at its deadline.
        let open = BookingCommand::OpenBasis(testing::basis("B", instant("2017-03-08T20:00:00Z")));
        desk.booking("b1", open).await;
        let (basis, at, reason) = (BasisId::trusted("B"), instant("2017-03-09T20:00:00Z"), CloseReason::BailPosted);
        let close = CloseBasis { basis, at, reason, text: None, source: testing::source() };
        desk.booking("b1", BookingCommand::CloseBasis(close)).await;
        desk.end("b1", EndKind::Released, "2017-03-09T20:00:00Z").await;
        let booking = desk.ledger.booking(&desk.county, &BookingId::trusted("b1"), AsOf::Latest).await.unwrap().1.unwrap();
        assert!(booking.custody.barred.is_some(), "{:?}", booking.custody);
        let query = days("2017-03-01", "2017-04-01", "2017-04-01T04:00:00Z");
        let told = simulate(&desk, vec![named("r", None)], query).await.unwrap();
        let (recorded, supposed) = (told.comparison.recorded.unwrap(), told.comparison.supposed.unwrap());
        // Four of the 48 hours were used before the second basis.
        assert_eq!((figures(&recorded).0[2], figures(&supposed).0[2]), (44, 44));
        desk.close().await;
    }
}

#[tokio::test]
async fn every_decision_that_comes_out_otherwise_is_told_with_its_explanation() {
    for fresh in common::engines().await {
        let desk = Desk::open(&fresh, "2013-12-03T15:00:00Z").await;
        decade::tell(&desk).await;
        let known = || async {
            // The sweeper warns of the hold that runs; nothing else may have been recorded.
            let booking = desk.ledger.booking(&desk.county, &BookingId::trusted("b3"), AsOf::Latest).await.unwrap().1;
            (desk.ledger.county(&desk.county, AsOf::Latest).await.unwrap().1, booking)
        };
        let before = known().await;

        // The mayor's order of 2017 in force three years earlier: b2, b3 and b4 turn.
        let told = simulate(&desk, vec![named("r2017", None)], days("2014-01-01", "2017-01-01", NOW)).await.unwrap();
        let of = |flip: &pb::SimulatedFlip| {
            let (was, is) = (flip.recorded.clone().unwrap(), flip.supposed.clone().unwrap());
            (flip.detainer.clone(), flip.effective_time, was.outcome(), is.outcome(), is.reason())
        };
        let turned = |booking: &str, at: &str| {
            let detainer = format!("counties/c/bookings/{booking}/detainers/D");
            (detainer, stamp(at), Outcome::Decline, Outcome::Honor, pb::DecisionReason::HonorAlways)
        };
        let expected =
            [turned("b2", "2014-03-03T17:00:00Z"), turned("b3", "2015-01-01T05:00:00Z"), turned("b4", "2015-06-01T15:00:00Z")];
        assert_eq!(told.flips.iter().map(of).collect::<Vec<_>>(), expected);
        assert_eq!((told.comparison.flip_count, told.manifest.row_count), (3, 3));
        for flip in &told.flips {
            assert_eq!(flip.facility, "counties/c/facilities/tgk");
            let supposed = flip.supposed.as_ref().unwrap();
            assert!(!supposed.explanation.as_ref().unwrap().layers.is_empty(), "{supposed:?}");
            assert_eq!(supposed.policy_revision, "counties/c/policyRevisions/r2017");
        }

        // From June 2014 on nobody is held: what had been decided stays until then.
        let stops = pb::SupposedRule { effective_time: stamp("2014-06-01T04:00:00Z"), ..mode(PolicyMode::DeclineAll) };
        let told = simulate(&desk, vec![stops], days("2014-01-01", "2017-01-01", NOW)).await.unwrap();
        let turned: Vec<_> = told.flips.iter().map(|flip| (flip.detainer.clone(), flip.effective_time)).collect();
        assert_eq!(turned, [("counties/c/bookings/b3/detainers/D".to_owned(), stamp("2014-12-30T15:00:00Z"))]);
        let supposed = told.comparison.supposed.unwrap();
        assert_eq!(figures(&supposed), ([24, 21, 0], [225_00, 120_00, 0]));

        assert_eq!(known().await, before, "nothing was recorded");
        desk.close().await;
    }
}

#[tokio::test]
async fn budgets_go_to_holds_in_the_order_of_their_start() {
    for fresh in common::engines().await {
        let desk = Desk::open(&fresh, "2017-01-02T15:00:00Z").await;
        desk.found("America/New_York", &[("jail", "America/New_York")]).await;
        desk.switch(revision("r", Mode::HonorAlways), "2017-01-02T15:00:00Z").await;
        let price = testing::rate("p", "120.00", DayCount::Hourly, day("2013-01-01"));
        desk.price(Rate { facility: FacilityId::trusted("jail"), ..price }).await;
        // Forty-eight hours at $5.00 are $240.00 of $400.00: one at a time, and a third once the first has left $280.00.
        let ice = testing::agreement("ice", "America/New_York".parse().unwrap(), day("2017-03-01"));
        desk.promise(Agreement { budget: Some(Cents::new(400_00)), ..ice }).await;
        for (id, booked, bail, end) in [
            ("b3", "2017-03-08T15:00:00Z", "2017-03-09T20:00:00Z", "2017-03-10T08:00:00Z"),
            ("b2", "2017-03-07T15:00:00Z", "2017-03-08T17:00:00Z", "2017-03-08T21:00:00Z"),
            ("b1", "2017-03-06T15:00:00Z", "2017-03-08T16:00:00Z", "2017-03-09T16:00:00Z"),
        ] {
            desk.at("2017-04-01T15:00:00Z").book(id, "jail", booked).await;
            desk.receive(id, "MIA", Edition::I247Of2012, false, booked).await;
            desk.bail(id, bail).await;
            desk.end(id, EndKind::FederalCustody, end).await;
        }
        let query = days("2017-03-01", "2017-04-01", "2017-04-01T04:00:00Z");
        let told = simulate(&desk, vec![mode(PolicyMode::RequireReimbursementGuarantee)], query).await.unwrap();
        let turned: Vec<_> = told.flips.iter().map(|flip| (flip.detainer.clone(), flip.effective_time)).collect();
        assert_eq!(turned, [("counties/c/bookings/b2/detainers/D".to_owned(), stamp("2017-03-08T17:00:00Z"))]);
        let reason = told.flips[0].supposed.as_ref().unwrap().reason();
        assert_eq!(reason, pb::DecisionReason::BudgetExhausted);
        // b1's 24 hours and b3's 12 are paid; b2's 4 are nobody's.
        assert_eq!(figures(&told.comparison.supposed.unwrap()), ([36, 4, 0], [200_00, 180_00, 0]));
        desk.close().await;
    }
}

/// A budget that was tried in earnest is tried alike when the past is told anew, also where the period begins while a hold
/// runs that it pays for, or after all of it is over: what was spent before is spent.
#[tokio::test]
async fn a_budget_told_anew_is_spent_as_it_was() {
    for fresh in common::engines().await {
        let desk = Desk::open(&fresh, "2017-01-02T15:00:00Z").await;
        desk.found("America/New_York", &[("jail", "America/New_York")]).await;
        desk.switch(revision("r", Mode::RequireReimbursementGuarantee), "2017-01-02T15:00:00Z").await;
        let price = testing::rate("p", "120.00", DayCount::Hourly, day("2013-01-01"));
        desk.price(Rate { facility: FacilityId::trusted("jail"), ..price }).await;
        // $400.00: b1 reserves $240.00 and spends $120.00; b2 finds $160.00 too little; b3 reserves $240.00 of $280.00 and
        // spends $60.00; b4 finds $220.00 too little.
        let ice = testing::agreement("ice", "America/New_York".parse().unwrap(), day("2017-03-01"));
        desk.at("2017-02-01T15:00:00Z").promise(Agreement { budget: Some(Cents::new(400_00)), ..ice }).await;
        let mut told: Vec<(&str, &str, &str)> = Vec::new();
        for (id, booked, bail, end) in [
            ("b1", "2017-03-06T15:00:00Z", "2017-03-08T16:00:00Z", "2017-03-09T16:00:00Z"),
            ("b2", "2017-03-07T15:00:00Z", "2017-03-08T17:00:00Z", "2017-03-08T21:00:00Z"),
            ("b3", "2017-03-08T15:00:00Z", "2017-03-09T20:00:00Z", "2017-03-10T08:00:00Z"),
            ("b4", "2017-04-03T15:00:00Z", "2017-04-04T20:00:00Z", "2017-04-04T22:00:00Z"),
        ] {
            told.extend([(booked, "book", id), (bail, "bail", id), (end, "end", id)]);
        }
        told.sort_unstable();
        for (time, what, id) in told {
            desk.at(time);
            match what {
                "book" => {
                    desk.book(id, "jail", time).await;
                    desk.receive(id, "MIA", Edition::I247Of2012, false, time).await
                }
                "bail" => desk.bail(id, time).await,
                _ => desk.end(id, EndKind::FederalCustody, time).await,
            };
        }
        desk.at("2017-05-01T15:00:00Z");
        let expected = [
            // All of it; from the ninth on, when b1 is held and b2 has gone; from the tenth on; April alone.
            ("2017-03-01", "2017-05-01", [36, 6, 0], [210_00, 180_00, 0]),
            ("2017-03-09", "2017-05-01", [23, 2, 0], [125_00, 115_00, 0]),
            ("2017-03-10", "2017-05-01", [3, 2, 0], [25_00, 15_00, 0]),
            ("2017-04-01", "2017-05-01", [0, 2, 0], [10_00, 0, 0]),
        ];
        for (from, to, hours, cents) in expected {
            let told = simulate(&desk, vec![named("r", None)], days(from, to, "2017-05-01T04:00:00Z")).await.unwrap();
            assert_eq!(told.flips, [], "{from}");
            let (recorded, supposed) = (told.comparison.recorded.unwrap(), told.comparison.supposed.unwrap());
            assert_eq!(figures(&recorded), (hours, cents), "{from}");
            assert_eq!(figures(&supposed), (hours, cents), "{from}");
            assert_eq!(told.comparison.not_alike_count, 0, "{from}");
        }
        // Where all are honored the budget still pays for those alone that it can pay for.
        let query = days("2017-03-01", "2017-05-01", "2017-05-01T04:00:00Z");
        let told = simulate(&desk, vec![mode(PolicyMode::HonorAlways)], query).await.unwrap();
        let (held, money) = figures(&told.comparison.supposed.unwrap());
        assert_eq!((held[0], held[1], money[0]), (42, 0, 210_00));
        assert!(money[1] <= 400_00, "{money:?}");
        desk.close().await;
    }
}

#[tokio::test]
async fn what_cannot_be_supposed_is_refused_by_its_field() {
    for fresh in common::engines().await {
        let desk = Desk::open(&fresh, "2013-12-03T15:00:00Z").await;
        decade::tell(&desk).await;
        let rule = |rule, from: Option<&str>| pb::SupposedRule { rule, effective_time: from.and_then(stamp) };
        let honor = || mode(PolicyMode::HonorAlways);
        let later = |at| pb::SupposedRule { effective_time: stamp(at), ..honor() };
        let empty = pb::PolicyRevision { mode: PolicyMode::Conditional.into(), ..Default::default() };
        let cases: Vec<(Vec<pb::SupposedRule>, &[&str])> = vec![
            (vec![], &["rules"]),
            (vec![honor(); 21], &["rules"]),
            (vec![rule(None, None)], &["rules[0]"]),
            (vec![mode(PolicyMode::Conditional)], &["rules[0].mode"]),
            (vec![mode(PolicyMode::Unspecified), rule(Some(Rule::Mode(99)), None)], &["rules[0].mode", "rules[1].mode"]),
            (vec![rule(Some(Rule::Name("counties/other/policyRevisions/r".into())), None)], &["rules[0].name"]),
            (vec![rule(Some(Rule::Name("r2013".into())), None)], &["rules[0].name"]),
            (vec![honor(), honor()], &["rules[1].effective_time"]),
            (vec![later("2013-12-31T00:00:00Z")], &["rules[0].effective_time"]),
            (vec![honor(), later("2014-01-01T05:00:00Z")], &["rules[1].effective_time"]),
            (vec![honor(), later("2018-01-01T05:00:00Z")], &["rules[1].effective_time"]),
        ];
        for (rules, expected) in cases {
            let refused = simulate(&desk, rules, years()).await.err().expect("refused");
            assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
            assert_eq!(fields(&refused), expected, "{refused:?}");
        }
        let refused = simulate(&desk, vec![rule(Some(Rule::Candidate(empty)), None)], years()).await.err().unwrap();
        assert!(fields(&refused).iter().all(|field| field.starts_with("rules[0].candidate.")), "{refused:?}");
        assert!(!fields(&refused).is_empty());
        let refused = simulate(&desk, vec![named("nobody", None)], years()).await.err().unwrap();
        assert_eq!(refused.code(), Code::NotFound, "{refused:?}");
        let refused = simulate(&desk, vec![honor()], None).await.err().unwrap();
        assert_eq!(fields(&refused), ["query"]);

        let others = vec![later("2015-01-01T00:00:00Z")];
        let request = pb::CompareModesRequest { query: years(), others };
        let refused = ReportServiceClient::new(desk.channel.clone()).compare_modes(with(&desk.admin, request)).await;
        assert_eq!(fields(&refused.unwrap_err()), ["others[0].effective_time"]);

        let operator = desk.token(Role::Operator, &["counties/c"]).await;
        let request = pb::SimulatePolicyRequest { query: years(), rules: vec![honor()] };
        let refused = PolicyServiceClient::new(desk.channel.clone()).simulate_policy(with(&operator, request)).await;
        let refused = refused.err().unwrap();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
        desk.close().await;
    }
}
