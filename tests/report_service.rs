//! Reports over a real socket: a small county's decade ([`common::decade`]), every figure against the hand-worked one, and
//! re-added from the lines.

#![allow(clippy::inconsistent_digit_grouping, reason = "cents are written as dollars_cents")]

mod common;

use common::asking::{ALL, Money, Office, add, as_of, date, days, decade, hours, key, money, office, only, stamp, until};
use common::decade::NOW;
use common::desk::{fields, reason, with};
use detainer::domain::booking::{CorrectedFact, Correction};
use detainer::domain::facts::EndKind;
use detainer::domain::testing::{correction, instant};
use detainer::pb::{self, GroupBy, Role};
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use tonic::Code;

/// What each slice costs: hours, holds, money.
fn slices(report: &pb::GetCostReportResponse) -> Vec<(String, i64, i64, Money)> {
    let one =
        |row: &pb::CostReportRow| (key(&row.keys), hours(row.duration.as_ref()), row.hold_count, money(row.totals.as_ref()));
    report.rows.iter().map(one).collect()
}

/// Keys, hours, holds, money.
type Slice = (&'static str, i64, i64, Money);
/// Keys; received, honored, declined, held on.
type Answers = (&'static str, i64, i64, i64, i64);

fn told(rows: &[Slice]) -> Vec<(String, i64, i64, Money)> {
    rows.iter().map(|(key, hours, holds, money)| ((*key).to_owned(), *hours, *holds, *money)).collect()
}

#[tokio::test]
async fn what_custody_cost_and_who_paid_however_it_is_sliced() {
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        let cases: [(&[GroupBy], &[Slice]); 7] = [
            (
                &[GroupBy::Month],
                &[
                    ("2014-03", 27, 1, (135_00, 120_00, 15_00)),
                    ("2014-12", 12, 1, (60_00, 60_00, 0)),
                    ("2015-01", 6, 0, (30_00, 0, 30_00)),
                    ("2017-05", 38, 1, (154_00, 0, 154_00)),
                    ("2017-06", 48, 2, (216_00, 0, 216_00)),
                ],
            ),
            // 2014-03-04 is a Tuesday; b3 goes over New Year within one week of ISO 8601; b5 from Tuesday on.
            (
                &[GroupBy::Week],
                &[
                    ("2014-W10", 24, 1, (120_00, 120_00, 0)),
                    ("2014-W11", 3, 0, (15_00, 0, 15_00)),
                    ("2015-W01", 18, 1, (90_00, 60_00, 30_00)),
                    ("2017-W18", 2, 0, (10_00, 0, 10_00)),
                    ("2017-W22", 60, 1, (240_00, 0, 240_00)),
                    ("2017-W24", 24, 1, (120_00, 0, 120_00)),
                ],
            ),
            (&[GroupBy::Facility], &[("annex", 60, 1, (240_00, 0, 240_00)), ("tgk", 71, 3, (355_00, 180_00, 175_00))]),
            (&[GroupBy::Agreement], &[("", 95, 2, (415_00, 0, 415_00)), ("ice", 36, 2, (180_00, 180_00, 0))]),
            // Over-detention rests on no request: it has no office, revision or reason.
            (&[GroupBy::Office], &[("", 23, 0, (103_00, 0, 103_00)), ("MIA", 108, 4, (492_00, 180_00, 312_00))]),
            (
                &[GroupBy::Mode],
                &[
                    ("", 23, 0, (103_00, 0, 103_00)),
                    ("POLICY_MODE_HONOR_ALWAYS", 72, 2, (312_00, 0, 312_00)),
                    ("POLICY_MODE_REQUIRE_REIMBURSEMENT_GUARANTEE", 36, 2, (180_00, 180_00, 0)),
                ],
            ),
            (
                &[GroupBy::Facility, GroupBy::DecisionReason],
                &[
                    ("annex ", 12, 0, (48_00, 0, 48_00)),
                    ("annex DECISION_REASON_HONOR_ALWAYS", 48, 1, (192_00, 0, 192_00)),
                    ("tgk ", 11, 0, (55_00, 0, 55_00)),
                    ("tgk DECISION_REASON_HONOR_ALWAYS", 24, 1, (120_00, 0, 120_00)),
                    ("tgk DECISION_REASON_GUARANTEED", 36, 2, (180_00, 180_00, 0)),
                ],
            ),
        ];
        for (by, expected) in cases {
            let report = office.cost(decade(), by).await;
            let (mut found, mut expected) = (slices(&report), told(expected));
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{by:?}");
        }

        let whole = office.cost(decade(), &[]).await;
        let total = whole.total.clone().unwrap();
        assert_eq!((hours(total.duration.as_ref()), total.hold_count), (131, 4));
        assert_eq!(money(total.totals.as_ref()), (595_00, 180_00, 415_00));
        let right: Vec<_> = total
            .by_authority
            .iter()
            .map(|part| (part.authority(), hours(part.duration.as_ref()), money(part.totals.as_ref())))
            .collect();
        let held = (pb::AuthorityState::Authorized, 108, (492_00, 180_00, 312_00));
        assert_eq!(right, [held, (pb::AuthorityState::OverDetained, 23, (103_00, 0, 103_00))]);
        let manifest = whole.manifest.unwrap();
        assert_eq!(manifest.policy_revisions, ["counties/c/policyRevisions/r2013", "counties/c/policyRevisions/r2017"]);
        assert_eq!((manifest.report_version.as_str(), manifest.tree_root.len()), ("cost-report/2", 32));
        assert_eq!(manifest.accrue_until, stamp(NOW));

        // Re-added from the lines, by every key; adjacent periods add up to the whole.
        let (lines, _) = office.lines(decade(), "").await;
        for by in ALL {
            let report = office.cost(decade(), &[by]).await;
            let sum = report.rows.iter().map(|row| money(row.totals.as_ref())).fold((0, 0, 0), add);
            assert_eq!(sum, (595_00, 180_00, 415_00), "{by:?}");
            assert_eq!(report.rows.iter().map(|row| hours(row.duration.as_ref())).sum::<i64>(), 131, "{by:?}");
        }
        let of = |pick: &dyn Fn(&pb::CostLine) -> bool| {
            lines.iter().filter(|line| pick(line)).map(|line| money(line.totals.as_ref())).fold((0, 0, 0), add)
        };
        assert_eq!(of(&|_| true), (595_00, 180_00, 415_00));
        assert_eq!(of(&|line| line.agreement.ends_with("/ice")), (180_00, 180_00, 0));
        assert_eq!(of(&|line| line.booking.ends_with("/b5")), (240_00, 0, 240_00));
        let posted: BTreeSet<bool> =
            lines.iter().filter(|line| line.booking.ends_with("/b7")).map(|line| line.sequence > 0).collect();
        assert_eq!(posted, BTreeSet::from([false]), "custody that goes on is not posted yet");
        // b5 in lines: the hold is cut at the month, and at its deadline.
        let (five, _) = office.lines(decade(), "counties/c/bookings/b5").await;
        let five: Vec<_> =
            five.iter().map(|line| (line.interval.unwrap(), line.authority(), money(line.totals.as_ref()).0)).collect();
        let at = |start: &str, end: &str| pb::Interval { start_time: stamp(start), end_time: stamp(end) };
        let (held, over) = (pb::AuthorityState::Authorized, pb::AuthorityState::OverDetained);
        assert_eq!(
            five,
            [
                (at("2017-05-30T17:00:00Z", "2017-06-01T05:00:00Z"), held, 144_00),
                (at("2017-06-01T05:00:00Z", "2017-06-01T17:00:00Z"), held, 48_00),
                (at("2017-06-01T17:00:00Z", "2017-06-02T05:00:00Z"), over, 48_00),
            ]
        );
        let mut halves = (0, 0, 0);
        for (start, end) in [("2010-01-01", "2015-01-01"), ("2015-01-01", "2017-06-01"), ("2017-06-01", "2020-01-01")] {
            let half = office.cost(days(start, end), &[]).await;
            halves = add(halves, money(half.total.unwrap().totals.as_ref()));
        }
        assert_eq!(halves, (595_00, 180_00, 415_00));
        office.desk.close().await;
    }
}

#[tokio::test]
async fn a_slice_is_the_report_that_is_asked_for_its_value() {
    let keys = ALL.into_iter().filter(|by| ![GroupBy::Month, GroupBy::Week].contains(by));
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        for by in keys.clone() {
            let mut holds = 0;
            for row in office.cost(decade(), &[by]).await.rows {
                let query = only(&decade(), &row.keys[0]);
                let report = office.cost(query.clone(), &[]).await;
                assert_eq!(report.total, Some(pb::CostReportRow { keys: Vec::new(), ..row.clone() }), "{:?}", row.keys);
                // The manifest asks for it again.
                let again = report.manifest.clone().unwrap().query.unwrap();
                assert_eq!(office.cost(again, &[]).await.encode_to_vec(), report.encode_to_vec(), "{:?}", row.keys);
                let (lines, _) = office.lines(query.clone(), "").await;
                let sum = lines.iter().map(|line| money(line.totals.as_ref())).fold((0, 0, 0), add);
                assert_eq!(sum, money(row.totals.as_ref()), "{:?}", row.keys);
                holds += office.register(query).await.0.len();
            }
            // Over-detention has no row in the register: each hold has one, under one value of each key.
            assert_eq!(holds, 4, "{by:?}");
        }
        let of_requests = keys.clone().filter(|by| ![GroupBy::Agreement, GroupBy::EndReason].contains(by));
        for by in of_requests {
            for row in office.decisions(decade(), &[by]).await.rows {
                let total = office.decisions(only(&decade(), &row.keys[0]), &[]).await.total;
                assert_eq!(total, Some(pb::DecisionReportRow { keys: Vec::new(), ..row.clone() }), "{:?}", row.keys);
            }
        }

        let ice = || vec!["counties/c/agreements/ice".to_owned()];
        let none = || vec![i32::from(GroupBy::Agreement)];
        let hsi = vec![pb::IssuingComponent::Hsi.into()];
        let cases = [
            (pb::ReportQuery { agreements: ice(), ..decade() }, (180_00, 180_00, 0)),
            (pb::ReportQuery { without: none(), ..decade() }, (415_00, 0, 415_00)),
            // Values of one key widen, lists of several keys narrow.
            (pb::ReportQuery { agreements: ice(), without: none(), ..decade() }, (595_00, 180_00, 415_00)),
            (
                pb::ReportQuery { agreements: ice(), end_reasons: vec![pb::HoldEndReason::FederalCustody.into()], ..decade() },
                (120_00, 120_00, 0),
            ),
            (pb::ReportQuery { components: hsi, ..decade() }, (0, 0, 0)),
            (pb::ReportQuery { without: vec![GroupBy::Office.into()], ..decade() }, (103_00, 0, 103_00)),
            (
                pb::ReportQuery { office_codes: vec!["MIA".into()], without: vec![GroupBy::Office.into()], ..decade() },
                (595_00, 180_00, 415_00),
            ),
        ];
        for (query, expected) in cases {
            assert_eq!(money(office.cost(query.clone(), &[]).await.total.unwrap().totals.as_ref()), expected, "{query:?}");
        }
        office.desk.close().await;
    }
}

#[tokio::test]
async fn each_hold_in_the_register_by_its_own_end_and_by_the_release() {
    use pb::HoldEndReason as End;
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        let (rows, manifest) = office.register(decade()).await;
        assert_eq!((manifest.row_count, manifest.report_version.as_str()), (4, "hold-register/1"));
        let shown: Vec<_> = rows
            .iter()
            .map(|row| {
                let (own, release) = (row.by_hold_end.unwrap(), row.by_release.unwrap());
                let cost = (money(row.hold_cost.as_ref()).0, money(row.over_detained_cost.as_ref()).0);
                let held = (hours(own.held.as_ref()), hours(release.held.as_ref()), hours(release.past_contiguous.as_ref()));
                (row.booking.rsplit('/').next().unwrap(), row.end_reason(), held, cost)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("b1", End::FederalCustody, (24, 24, 0), (120_00, 0)),
                ("b3", End::NoLongerHonored, (12, 18, 0), (60_00, 30_00)),
                ("b5", End::Deadline, (48, 60, 12), (192_00, 48_00)),
                ("b7", End::Unspecified, (24, 24, 0), (120_00, 0)),
            ]
        );
        let five = &rows[2];
        assert_eq!(
            (five.t0, five.start_time, five.deadline),
            (stamp("2017-05-30T17:00:00Z"), five.t0, stamp("2017-06-01T17:00:00Z"))
        );
        assert_eq!((five.end_time, five.booking_end_time), (five.deadline, stamp("2017-06-02T05:00:00Z")));
        assert_eq!((five.contiguous_deadline, five.business_deadline), (five.deadline, five.deadline));
        assert_eq!((five.hold.as_str(), five.time_zone.as_str()), ("counties/c/bookings/b5/holds/1", "America/Chicago"));
        assert_eq!((five.form_edition(), five.office_code.as_str()), (pb::FormEdition::I247a, "MIA"));
        assert_eq!((five.component(), five.policy_mode()), (pb::IssuingComponent::IceEro, pb::PolicyMode::HonorAlways));
        let agreements: Vec<&str> = rows.iter().map(|row| row.agreement.rsplit('/').next().unwrap()).collect();
        assert_eq!((five.decision_reason(), agreements), (pb::DecisionReason::HonorAlways, vec!["ice", "ice", "", ""]));
        assert_eq!((rows[3].end_time, rows[3].booking_end_time), (None, None), "b7 runs");

        // A hold belongs to the local day on which it started: noon of New Year's Eve.
        let starts = |rows: Vec<pb::HoldRegisterRow>| rows.into_iter().map(|row| row.booking).collect::<Vec<_>>();
        assert_eq!(starts(office.register(days("2014-12-31", "2015-01-01")).await.0), ["counties/c/bookings/b3"]);
        assert_eq!(starts(office.register(days("2015-01-01", "2015-02-01")).await.0), [""; 0]);
        let annex = pb::ReportQuery { facilities: vec!["counties/c/facilities/annex".into()], ..decade() };
        assert_eq!(starts(office.register(annex).await.0), ["counties/c/bookings/b5"]);
        office.desk.close().await;
    }
}

#[tokio::test]
async fn how_detainers_were_answered_by_jail_office_and_reason() {
    use pb::DecisionReason as Why;
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        let report = office.decisions(decade(), &[]).await;
        let total = report.total.unwrap();
        assert_eq!((total.received, total.honored, total.declined, total.needs_review), (8, 5, 3, 0));
        assert_eq!((total.held, total.handed_over, total.honored_never_in_effect, total.lifted), (4, 1, 1, 1));
        let reasons = |counts: &[pb::DecisionReasonCount]| counts.iter().map(|one| (one.reason(), one.count)).collect::<Vec<_>>();
        assert_eq!(reasons(&total.not_honored), [(Why::NoGuarantee, 3)]);
        assert_eq!(reasons(&total.honored_by_reason), [(Why::HonorAlways, 4), (Why::Guaranteed, 1)]);
        assert_eq!(report.rows, std::slice::from_ref(&total));

        let cases: [(&[GroupBy], &[Answers]); 7] = [
            (&[GroupBy::Facility], &[("annex", 1, 1, 0, 1), ("tgk", 7, 4, 3, 3)]),
            (&[GroupBy::Office], &[("MIA", 5, 3, 2, 4), ("NYC", 3, 2, 1, 0)]),
            (&[GroupBy::Component], &[("ISSUING_COMPONENT_HSI", 3, 2, 1, 0), ("ISSUING_COMPONENT_ICE_ERO", 5, 3, 2, 4)]),
            (&[GroupBy::Revision], &[("r2013", 4, 1, 3, 2), ("r2017", 4, 4, 0, 2)]),
            (&[GroupBy::FormEdition], &[("FORM_EDITION_I247_2012_12", 4, 1, 3, 2), ("FORM_EDITION_I247A", 4, 4, 0, 2)]),
            (
                &[GroupBy::Month],
                &[
                    ("2014-03", 2, 1, 1, 1),
                    ("2014-12", 1, 0, 1, 1),
                    ("2015-06", 1, 0, 1, 0),
                    ("2017-05", 2, 2, 0, 1),
                    ("2017-06", 2, 2, 0, 1),
                ],
            ),
            (
                &[GroupBy::Office, GroupBy::DecisionReason],
                &[
                    ("MIA DECISION_REASON_GUARANTEED", 1, 1, 0, 1),
                    ("MIA DECISION_REASON_HONOR_ALWAYS", 2, 2, 0, 2),
                    ("MIA DECISION_REASON_NO_GUARANTEE", 2, 0, 2, 1),
                    ("NYC DECISION_REASON_HONOR_ALWAYS", 2, 2, 0, 0),
                    ("NYC DECISION_REASON_NO_GUARANTEE", 1, 0, 1, 0),
                ],
            ),
        ];
        for (by, expected) in cases {
            let rows = office.decisions(decade(), by).await.rows;
            let mut found: Vec<_> =
                rows.iter().map(|row| (key(&row.keys), row.received, row.honored, row.declined, row.held)).collect();
            found.sort();
            let mut expected: Vec<_> = expected.iter().map(|(key, a, b, c, d)| ((*key).to_owned(), *a, *b, *c, *d)).collect();
            expected.sort();
            assert_eq!(found, expected, "{by:?}");
        }

        // Counted earlier: b3 was still honored, b7 had not come.
        let then = office.decisions(until("2014-12-31T23:00:00Z"), &[]).await.total.unwrap();
        assert_eq!((then.received, then.honored, then.declined, then.held, then.handed_over), (3, 2, 1, 2, 1));
        let nyc = pb::ReportQuery { office_codes: vec!["NYC".into()], ..days("2017-05-01", "2017-06-01") };
        let nyc = office.decisions(nyc, &[]).await.total.unwrap();
        assert_eq!((nyc.received, nyc.honored_never_in_effect), (1, 1), "b6 alone");
        office.desk.close().await;
    }
}

#[tokio::test]
async fn custody_that_nothing_covered_is_listed_with_its_cause_page_by_page() {
    use pb::OverdetentionCause as Cause;
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        let whole = office.over(decade(), 0).await;
        let [all] = whole.as_slice() else { panic!("one page, not {}", whole.len()) };
        let shown: Vec<_> = all
            .rows
            .iter()
            .map(|row| {
                (row.booking.rsplit('/').next().unwrap(), hours(row.duration.as_ref()), row.cause(), money(row.totals.as_ref()).2)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("b2", 3, Cause::NotHonored, 15_00),
                ("b3", 6, Cause::HoldEnded, 30_00),
                ("b6", 2, Cause::NotInEffect, 10_00),
                ("b5", 12, Cause::PastDeadline, 48_00),
            ]
        );
        assert_eq!(money(all.totals.as_ref()), (103_00, 0, 103_00));
        assert_eq!(
            (all.rows[1].since_time, all.rows[1].end_time),
            (stamp("2015-01-01T05:00:00Z"), stamp("2015-01-01T11:00:00Z"))
        );
        assert_eq!((all.rows[0].hold.as_str(), all.rows[1].hold.as_str()), ("", "counties/c/bookings/b3/holds/1"));

        // Pages of one snapshot: what is recorded between them changes nothing.
        let first = pb::GetOverdetentionReportRequest { query: Some(decade()), page_size: 3, page_token: String::new() };
        let one = office.reports.get_overdetention_report(with(&office.admin, first.clone())).await.unwrap().into_inner();
        office.desk.at("2017-06-20T16:00:00Z").book("b9", "tgk", "2017-06-20T16:00:00Z").await;
        let next = pb::GetOverdetentionReportRequest { page_token: one.next_page_token.clone(), ..first.clone() };
        let two = office.reports.get_overdetention_report(with(&office.admin, next.clone())).await.unwrap().into_inner();
        assert_eq!([one.rows.clone(), two.rows.clone()].concat(), all.rows);
        assert_eq!((one.totals, two.totals, two.manifest), (all.totals.clone(), all.totals.clone(), one.manifest));
        assert_eq!(two.next_page_token, "");
        let other = pb::GetOverdetentionReportRequest { query: Some(days("2014-01-01", "2015-01-01")), ..next };
        let refused = office.reports.get_overdetention_report(with(&office.admin, other)).await.unwrap_err();
        assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
        // Six days on, b7 is past its deadline since the 14th.
        let now = office.over(until("2017-06-20T16:00:00Z"), 0).await.remove(0);
        let last = now.rows.last().unwrap();
        assert_eq!((hours(last.duration.as_ref()), last.cause(), last.end_time), (144, Cause::PastDeadline, None));
        // Cut at the period: June 1 in Chicago holds the 12 hours of b5 and no more.
        let june = office.over(days("2017-06-01", "2017-06-02"), 0).await.remove(0);
        assert_eq!(june.rows.iter().map(|row| hours(row.duration.as_ref())).collect::<Vec<_>>(), [12]);
        office.desk.close().await;
    }
}

#[tokio::test]
async fn open_custody_is_counted_to_the_instant_asked_for() {
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        let cases = [
            (NOW, (595_00, 180_00, 415_00)),
            ("2017-06-12T20:00:00Z", (495_00, 180_00, 315_00)),
            // Midnight of May 31 in Chicago: b5 has been held for twelve hours; b7 is not there.
            ("2017-05-31T05:00:00Z", (283_00, 180_00, 103_00)),
            // New Year's Eve, 18:00 in New York: b3 for six hours.
            ("2014-12-31T23:00:00Z", (165_00, 150_00, 15_00)),
            ("2014-03-05T05:00:00Z", (60_00, 60_00, 0)),
            ("2014-03-04T17:00:00Z", (0, 0, 0)),
        ];
        for (at, expected) in cases {
            let report = office.cost(until(at), &[GroupBy::Month]).await;
            assert_eq!(money(report.total.unwrap().totals.as_ref()), expected, "{at}");
            let (lines, manifest) = office.lines(until(at), "").await;
            assert_eq!(lines.iter().map(|line| money(line.totals.as_ref())).fold((0, 0, 0), add), expected, "{at}");
            assert_eq!(manifest.accrue_until, stamp(at));
        }
        let (rows, _) = office.register(until("2017-05-31T05:00:00Z")).await;
        let last = rows.last().unwrap();
        assert_eq!((last.booking.as_str(), last.end_time, last.end_reason), ("counties/c/bookings/b5", None, 0), "it runs there");
        assert_eq!(hours(last.by_release.unwrap().held.as_ref()), 12);
        office.desk.close().await;
    }
}

#[tokio::test]
async fn the_same_point_gives_the_same_bytes_after_a_correction_too() {
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        // The server's own sweeper may record meanwhile, so all are asked at the point of the first.
        let before = office.cost(decade(), &ALL).await;
        let again = before.manifest.clone().unwrap().query.unwrap();
        let decided = office.decisions(again.clone(), &[GroupBy::Facility, GroupBy::DecisionReason]).await;
        let (lines, manifest) = office.lines(again.clone(), "").await;
        let register = office.register(again.clone()).await;
        let over = office.over(again.clone(), 2).await;
        let head = manifest.as_of_pair.unwrap().sequence;

        // b2 was let go an hour earlier than was recorded.
        let (was, is) = (instant("2014-03-10T19:00:00Z"), instant("2014-03-10T18:00:00Z"));
        let released = Some(EndKind::Released);
        let ending = correction(CorrectedFact::Ending, "", Some(was), Some(is));
        office.desk.correct("b2", Correction { old_end_kind: released, end_kind: released, ..ending }).await;

        assert_eq!((again.as_of, again.accrue_until), (as_of(head), stamp(NOW)), "the manifest asks for itself");
        assert_eq!(office.cost(again.clone(), &ALL).await.encode_to_vec(), before.encode_to_vec());
        let decided_again = office.decisions(again.clone(), &[GroupBy::Facility, GroupBy::DecisionReason]).await;
        assert_eq!(decided_again.encode_to_vec(), decided.encode_to_vec());
        assert_eq!(office.lines(again.clone(), "").await, (lines, manifest));
        assert_eq!(office.register(again.clone()).await, register);
        let without_token = |pages: Vec<pb::GetOverdetentionReportResponse>| -> Vec<_> {
            pages.into_iter().map(|page| (page.rows, page.manifest, page.totals)).collect()
        };
        assert_eq!(without_token(office.over(again, 2).await), without_token(over));

        let now = office.cost(until(NOW), &[]).await;
        assert_eq!(money(now.total.unwrap().totals.as_ref()), (590_00, 180_00, 410_00));
        let (two, _) = office.lines(until(NOW), "counties/c/bookings/b2").await;
        assert_eq!(
            two.iter().map(|line| (money(line.totals.as_ref()).0, line.sequence > head)).collect::<Vec<_>>(),
            [(10_00, true)]
        );
        // When b2 had just been released, nothing later was known.
        let early = pb::AsOf { point: Some(pb::as_of::Point::RecordedTime(stamp("2014-03-10T19:00:00Z").unwrap())) };
        let early = office.cost(pb::ReportQuery { as_of: Some(early), accrue_until: None, ..decade() }, &[]).await;
        assert_eq!(money(early.total.unwrap().totals.as_ref()), (135_00, 120_00, 15_00));
        assert_eq!(early.manifest.unwrap().accrue_until, stamp("2014-03-10T19:00:00Z"));
        office.desk.close().await;
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_every_bad_field() {
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        let admin = office.admin.clone();
        let cost = |query: Option<pb::ReportQuery>, by: &[i32]| pb::GetCostReportRequest { query, group_by: by.to_vec() };
        let nothing = office.reports.get_cost_report(with(&admin, cost(None, &[]))).await.unwrap_err();
        assert_eq!((nothing.code(), fields(&nothing)), (Code::InvalidArgument, vec!["query".to_owned()]));
        let wrong = pb::ReportQuery {
            county: "counties/c".into(),
            period: Some(pb::DateInterval { start_date: date("2014-02-01"), end_date: date("2014-02-01") }),
            facilities: vec!["counties/d/facilities/tgk".into(), "tgk".into()],
            office_codes: vec![String::new()],
            as_of: as_of(-1),
            accrue_until: Some(prost_types::Timestamp { seconds: 0, nanos: 1 }),
            components: vec![0],
            form_editions: vec![99],
            policy_revisions: vec!["r2013".into()],
            policy_modes: vec![pb::PolicyMode::HonorAlways.into(), 0],
            agreements: vec!["counties/d/agreements/ice".into()],
            end_reasons: vec![0],
            decision_reasons: vec![1_000],
            without: vec![0, GroupBy::Week.into()],
            by_books: false,
        };
        let wrong = office.reports.get_cost_report(with(&admin, cost(Some(wrong), &[0, 1, 1]))).await.unwrap_err();
        let expected = [
            "group_by[0]",
            "group_by[2]",
            "query.period.end_date",
            "query.facilities[0]",
            "query.facilities[1]",
            "query.office_codes[0]",
            "query.components[0]",
            "query.form_editions[0]",
            "query.policy_modes[1]",
            "query.end_reasons[0]",
            "query.decision_reasons[0]",
            "query.policy_revisions[0]",
            "query.agreements[0]",
            "query.without[0]",
            "query.without[1]",
            "query.as_of.sequence",
            "query.accrue_until",
        ];
        assert_eq!(fields(&wrong), expected);
        let by = vec![GroupBy::Agreement.into()];
        let by = pb::GetDecisionReportRequest { query: Some(decade()), group_by: by };
        assert_eq!(fields(&office.reports.get_decision_report(with(&admin, by)).await.unwrap_err()), ["group_by[0]"]);
        let offices = pb::ReportQuery { office_codes: vec!["MIA".into()], ..decade() };
        let offices = pb::GetOverdetentionReportRequest { query: Some(offices), ..pb::GetOverdetentionReportRequest::default() };
        let offices = office.reports.get_overdetention_report(with(&admin, offices)).await.unwrap_err();
        assert_eq!(fields(&offices), ["query.office_codes"]);
        // What means nothing in a report is refused there, by name.
        let idle = pb::ReportQuery {
            agreements: vec!["counties/c/agreements/ice".into()],
            end_reasons: vec![pb::HoldEndReason::Deadline.into()],
            without: vec![GroupBy::Mode.into(), GroupBy::Agreement.into()],
            ..decade()
        };
        let idle = pb::GetDecisionReportRequest { query: Some(idle), group_by: Vec::new() };
        let idle = office.reports.get_decision_report(with(&admin, idle)).await.unwrap_err();
        assert_eq!(fields(&idle), ["query.agreements", "query.end_reasons", "query.without[1]"]);
        let modes = pb::ReportQuery { policy_modes: vec![pb::PolicyMode::HonorAlways.into()], ..decade() };
        let modes = pb::CompareModesRequest { query: Some(modes), others: Vec::new() };
        assert_eq!(fields(&office.reports.compare_modes(with(&admin, modes)).await.unwrap_err()), ["query.policy_modes"]);

        for (query, expected) in [
            (until("2017-06-13T16:00:01Z"), "FIELD_INVALID"),
            (pb::ReportQuery { as_of: as_of(10_000), ..decade() }, "AS_OF_IN_FUTURE"),
            (pb::ReportQuery { facilities: vec!["counties/c/facilities/none".into()], ..decade() }, "RESOURCE_NOT_FOUND"),
            (pb::ReportQuery { county: "counties/none".into(), ..decade() }, "RESOURCE_NOT_FOUND"),
            (pb::ReportQuery { agreements: vec!["counties/c/agreements/none".into()], ..decade() }, "RESOURCE_NOT_FOUND"),
            (
                pb::ReportQuery { policy_revisions: vec!["counties/c/policyRevisions/r0".into()], ..decade() },
                "RESOURCE_NOT_FOUND",
            ),
        ] {
            let refused = office.reports.get_cost_report(with(&admin, cost(Some(query.clone()), &[]))).await.unwrap_err();
            assert_eq!(reason(&refused), expected, "{query:?}");
        }
        let lines = |booking: &str| pb::StreamCostLinesRequest { query: Some(decade()), booking: booking.into() };
        let foreign = office.reports.stream_cost_lines(with(&admin, lines("counties/d/bookings/b1"))).await.unwrap_err();
        assert_eq!(fields(&foreign), ["booking"]);
        let none = office.reports.stream_cost_lines(with(&admin, lines("counties/c/bookings/none"))).await.unwrap_err();
        assert_eq!(reason(&none), "RESOURCE_NOT_FOUND");
        let stranger = office.desk.token(Role::Auditor, &["counties/d"]).await;
        let denied = office.reports.get_cost_report(with(&stranger, cost(Some(decade()), &[]))).await.unwrap_err();
        assert_eq!((denied.code(), reason(&denied).as_str()), (Code::PermissionDenied, "COUNTY_NOT_ALLOWED"));
        let auditor = office.desk.token(Role::Auditor, &["counties/c"]).await;
        assert!(office.reports.get_cost_report(with(&auditor, cost(Some(decade()), &[]))).await.is_ok());
        office.desk.close().await;
    }
}

/// Runs detainerctl as an auditor would; what it wrote.
async fn detainerctl(office: &Office, folder: &tempfile::TempDir, arguments: &[&str]) -> String {
    let token = folder.path().join("token");
    std::fs::write(&token, &office.admin).unwrap();
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_detainerctl"));
    program.arg("--server").arg(format!("http://{}", office.desk.running.address)).arg("--token-file").arg(&token);
    let done = program.args(["--county", "c", "--utc"]).args(arguments).output().await.unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// A sum of money as CSV writes it, in cents.
fn cents(text: &str) -> i64 {
    let (whole, part) = text.rsplit_once('.').unwrap_or_else(|| panic!("{text:?} is no money"));
    let digits = format!("{whole}{part}");
    digits.parse().unwrap_or_else(|_| panic!("{text:?} is no money"))
}

#[tokio::test]
async fn an_auditor_adds_up_the_csv() {
    for fresh in common::engines().await {
        let office = office(&fresh).await;
        let folder = tempfile::tempdir().unwrap();
        let period = ["--from", "2010-01-01", "--to", "2020-01-01", "--format", "csv"];
        let table = |text: &str| -> Vec<BTreeMap<String, String>> {
            let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
            reader.deserialize().map(|row| row.unwrap()).collect()
        };
        let sum = |rows: &[BTreeMap<String, String>], column: &str| rows.iter().map(|row| cents(&row[column])).sum::<i64>();
        let lines = table(&detainerctl(&office, &folder, &[&["report", "cost-lines"], &period[..]].concat()).await);
        assert_eq!(["incurred", "covered", "absorbed"].map(|column| sum(&lines, column)), [595_00, 180_00, 415_00]);
        let tgk: Vec<_> = lines.iter().filter(|row| row["facility"].ends_with("tgk")).cloned().collect();
        assert_eq!(sum(&tgk, "incurred"), 355_00);
        let months =
            table(&detainerctl(&office, &folder, &[&["report", "cost", "--group-by", "month"], &period[..]].concat()).await);
        let months: Vec<_> = months.into_iter().filter(|row| row["month"] != "total").collect();
        assert_eq!((months.len(), sum(&months, "incurred")), (5, 595_00));
        let holds = table(&detainerctl(&office, &folder, &[&["report", "holds"], &period[..]].concat()).await);
        assert_eq!((holds.len(), sum(&holds, "incurred"), sum(&holds, "over_detained_incurred")), (4, 492_00, 78_00));
        let over = table(&detainerctl(&office, &folder, &[&["report", "overdetention"], &period[..]].concat()).await);
        assert_eq!((over.len(), sum(&over, "incurred")), (4, 103_00));
        let decided = table(
            &detainerctl(&office, &folder, &[&["report", "decisions", "--group-by", "office"], &period[..]].concat()).await,
        );
        let received = decided.iter().filter(|row| row["office"] != "total").map(|row| row["received"].parse::<i64>().unwrap());
        assert_eq!(received.sum::<i64>(), 8);
        office.desk.close().await;
    }
}
