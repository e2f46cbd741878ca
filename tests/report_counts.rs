//! What is counted of a small county's decade ([`common::decade`]), every figure against the hand-worked one: how long
//! people were held, which requests were not honored, what was owed for them.

mod common;

use common::asking::{ALL, Office, as_of, days, decade, hours, key, office, only, stamp, until};
use common::decade::NOW;
use common::desk::{fields, with};
use detainer::domain::command::{BookingCommand, RecordNotice};
use detainer::domain::detainer::{DutyKind, Edition, NoticeMethod};
use detainer::domain::facts::EndKind;
use detainer::domain::ids::DetainerId;
use detainer::domain::policy::Mode;
use detainer::domain::testing::{self, instant, revision};
use detainer::pb::{self, GroupBy};
use prost::Message as _;

impl Office {
    async fn statistics(&mut self, query: pb::ReportQuery, by: &[GroupBy]) -> pb::GetHoldStatisticsResponse {
        let group_by = by.iter().map(|by| i32::from(*by)).collect();
        let ask = pb::GetHoldStatisticsRequest { query: Some(query), group_by };
        self.reports.get_hold_statistics(with(&self.admin, ask)).await.unwrap().into_inner()
    }

    async fn declined(&mut self, query: pb::ReportQuery) -> (Vec<pb::DeclinedDetainerRow>, pb::ReportManifest) {
        use pb::stream_declined_detainers_response::Part;
        let ask = pb::StreamDeclinedDetainersRequest { query: Some(query) };
        let mut stream = self.reports.stream_declined_detainers(with(&self.admin, ask)).await.unwrap().into_inner();
        let (mut rows, mut manifest) = (Vec::new(), None);
        while let Some(message) = stream.message().await.unwrap() {
            assert_eq!(manifest, None, "the manifest is the last message");
            match message.part.expect("a part") {
                Part::AsOfPair(_) => assert!(rows.is_empty()),
                Part::Row(row) => rows.push(row),
                Part::Manifest(last) => manifest = Some(last),
            }
        }
        (rows, manifest.expect("a manifest"))
    }

    async fn duties(&mut self, query: pb::ReportQuery, by: &[GroupBy]) -> pb::GetDutyReportResponse {
        let group_by = by.iter().map(|by| i32::from(*by)).collect();
        let ask = pb::GetDutyReportRequest { query: Some(query), group_by };
        self.reports.get_duty_report(with(&self.admin, ask)).await.unwrap().into_inner()
    }
}

/// Count, sum, mean, median, 90th percentile, longest, in hours.
fn figures(one: Option<&pb::DurationStatistics>) -> (i64, i64, [Option<i64>; 4]) {
    let one = one.expect("figures");
    let of = |length: &Option<prost_types::Duration>| length.as_ref().map(|length| hours(Some(length)));
    (one.count, hours(one.sum.as_ref()), [of(&one.mean), of(&one.median), of(&one.p90), of(&one.max)])
}

#[tokio::test]
async fn how_long_people_were_held_by_both_readings_and_both_ends() {
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        // b1 24 h, b3 12 h, then 6 h more to its release, b5 48 h, then 12 h more; b7 runs.
        let report = office.statistics(decade(), &[]).await;
        let total = report.total.clone().unwrap();
        assert_eq!((total.hold_count, total.running_count, total.unreleased_count), (4, 1, 1));
        let (end, release) = (total.by_hold_end.unwrap(), total.by_release.unwrap());
        assert_eq!(figures(end.all.as_ref()), (3, 84, [Some(28), Some(24), Some(48), Some(48)]));
        assert_eq!(figures(end.within_contiguous.as_ref()).0, 3, "48 hours to the microsecond are within");
        assert_eq!(figures(end.past_contiguous.as_ref()), (0, 0, [None; 4]));
        assert_eq!(figures(release.all.as_ref()), (3, 102, [Some(34), Some(24), Some(60), Some(60)]));
        assert_eq!(figures(release.past_contiguous.as_ref()), (1, 60, [Some(60); 4]));
        // b5 began on a Tuesday: both readings end on Thursday.
        assert_eq!(figures(release.within_business.as_ref()), (2, 42, [Some(21), Some(18), Some(24), Some(24)]));
        let manifest = report.manifest.unwrap();
        assert_eq!((manifest.report_version.as_str(), manifest.row_count), ("hold-statistics/1", 1));
        assert_eq!(manifest.policy_revisions.len(), 2);

        let ends = office.statistics(decade(), &[GroupBy::EndReason]).await;
        let mut shown: Vec<_> = ends
            .rows
            .iter()
            .map(|row| (key(&row.keys), row.hold_count, figures(row.by_hold_end.as_ref().unwrap().all.as_ref()).1))
            .collect();
        shown.sort();
        let expected = [
            ("", 1, 0),
            ("HOLD_END_REASON_DEADLINE", 1, 48),
            ("HOLD_END_REASON_FEDERAL_CUSTODY", 1, 24),
            ("HOLD_END_REASON_NO_LONGER_HONORED", 1, 12),
        ];
        assert_eq!(shown, expected.map(|(key, holds, hours)| (key.to_owned(), holds, hours)));

        // However it is sliced, each hold is in one row; a slice is what its value asks for.
        for by in ALL {
            let rows = office.statistics(decade(), &[by]).await.rows;
            let sum = |count: fn(&pb::HoldStatisticsRow) -> i64| rows.iter().map(count).sum::<i64>();
            assert_eq!((sum(|row| row.hold_count), sum(|row| row.running_count)), (4, 1), "{by:?}");
            let released = rows.iter().map(|row| figures(row.by_release.as_ref().unwrap().all.as_ref()).1).sum::<i64>();
            assert_eq!(released, 102, "{by:?}");
            for row in rows.iter().filter(|_| ![GroupBy::Month, GroupBy::Week].contains(&by)) {
                let slice = office.statistics(only(&decade(), &row.keys[0]), &[]).await.total.unwrap();
                assert_eq!(slice, pb::HoldStatisticsRow { keys: Vec::new(), ..row.clone() }, "{:?}", row.keys);
            }
        }
        // Adjacent periods add up; what runs at an earlier instant has no length yet.
        let mut holds = 0;
        for (start, end) in [("2010-01-01", "2014-12-31"), ("2014-12-31", "2017-05-31"), ("2017-05-31", "2020-01-01")] {
            holds += office.statistics(days(start, end), &[]).await.total.unwrap().hold_count;
        }
        assert_eq!(holds, 4);
        let then = office.statistics(until("2015-01-01T08:00:00Z"), &[]).await.total.unwrap();
        assert_eq!((then.hold_count, then.running_count, then.unreleased_count), (2, 0, 1), "b3 is kept without authority");

        // The same point gives the same bytes.
        let again = ends.manifest.clone().unwrap().query.unwrap();
        assert_eq!(
            (again.accrue_until, again.as_of),
            (stamp(NOW), as_of(ends.manifest.as_ref().unwrap().as_of_pair.unwrap().sequence))
        );
        assert_eq!(office.statistics(again, &[GroupBy::EndReason]).await.encode_to_vec(), ends.encode_to_vec());
        let twice = pb::GetHoldStatisticsRequest { query: Some(decade()), group_by: vec![1, 1] };
        let refused = office.reports.get_hold_statistics(with(&office.admin, twice)).await.unwrap_err();
        assert_eq!(fields(&refused), ["group_by[1]"]);
        office.desk.close().await;
    }
}

fn notice(kind: DutyKind, at: &str) -> BookingCommand {
    BookingCommand::RecordNotice(RecordNotice {
        detainer: DetainerId::trusted("D"),
        kind,
        due: None,
        at: Some(instant(at)),
        method: NoticeMethod::Email,
        source: testing::source(),
    })
}

#[tokio::test]
async fn requests_that_were_not_honored_one_by_one() {
    use pb::BookingEndKind as End;
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        let (rows, manifest) = office.declined(decade()).await;
        let shown: Vec<_> = rows
            .iter()
            .map(|row| {
                let booking = row.booking.rsplit('/').next().unwrap();
                (booking, row.office_code.as_str(), row.received_time, row.decision_effective_time, row.booking_end_time)
            })
            .collect();
        let at = stamp;
        // b3 was honored until its agreement ended with the year; by then it was held.
        let (new_year, b4) = ("2015-01-01T05:00:00Z", "2015-06-01T15:00:00Z");
        assert_eq!(
            shown,
            [
                ("b2", "NYC", at("2014-03-03T17:00:00Z"), at("2014-03-03T17:00:00Z"), at("2014-03-10T19:00:00Z")),
                ("b3", "MIA", at("2014-12-30T15:00:00Z"), at(new_year), at("2015-01-01T11:00:00Z")),
                ("b4", "MIA", at(b4), at(b4), at("2015-06-02T15:00:00Z")),
            ]
        );
        for row in &rows {
            let answer = (row.outcome(), row.reason(), row.policy_mode(), row.booking_end_kind());
            let mode = pb::PolicyMode::RequireReimbursementGuarantee;
            assert_eq!(answer, (pb::Outcome::Decline, pb::DecisionReason::NoGuarantee, mode, End::Released));
            assert_eq!((row.lifted_time, row.acknowledged_time, row.notice_time), (None, None, None));
            assert_eq!((row.facility.as_str(), row.form_edition()), ("counties/c/facilities/tgk", pb::FormEdition::I247201212));
        }
        assert_eq!((rows[0].component(), rows[1].component()), (pb::IssuingComponent::Hsi, pb::IssuingComponent::IceEro));
        assert_eq!((manifest.report_version.as_str(), manifest.row_count), ("declined-detainers/1", 3));
        assert_eq!(manifest.policy_revisions, ["counties/c/policyRevisions/r2013"]);

        // As many as the decision report counts, under every key; b3 was honored before the year ended.
        for by in [GroupBy::Office, GroupBy::Component, GroupBy::Revision, GroupBy::DecisionReason, GroupBy::FormEdition] {
            let ask = pb::GetDecisionReportRequest { query: Some(decade()), group_by: vec![by.into()] };
            let counts = office.reports.get_decision_report(with(&office.admin, ask)).await.unwrap().into_inner();
            for row in counts.rows {
                let (listed, _) = office.declined(only(&decade(), &row.keys[0])).await;
                assert_eq!(listed.len() as i64, row.declined + row.needs_review, "{:?}", row.keys);
            }
        }
        assert_eq!(office.declined(until("2014-12-31T23:00:00Z")).await.0.len(), 1);
        let days = office.declined(days("2015-01-01", "2016-01-01")).await.0;
        assert_eq!(days.iter().map(|row| row.booking.as_str()).collect::<Vec<_>>(), ["counties/c/bookings/b4"]);

        // Told of, though not held for: notice of the answer and of the release, and a withdrawal.
        office.desk.at("2017-07-01T12:00:00Z").switch(revision("r-notify", Mode::NotifyOnly), "2017-07-01T12:00:00Z").await;
        office.desk.at("2017-07-03T15:00:00Z").book("c1", "tgk", "2017-07-03T15:00:00Z").await;
        office.desk.receive("c1", "NYC", Edition::I247A, true, "2017-07-03T15:00:00Z").await;
        office.desk.at("2017-07-03T16:00:00Z").booking("c1", notice(DutyKind::Acknowledge, "2017-07-03T16:00:00Z")).await;
        office.desk.at("2017-07-05T15:00:00Z").bail("c1", "2017-07-05T15:00:00Z").await;
        office.desk.end("c1", EndKind::Released, "2017-07-05T15:00:00Z").await;
        office.desk.at("2017-07-05T18:00:00Z").booking("c1", notice(DutyKind::NotifyRelease, "2017-07-05T18:00:00Z")).await;
        office.desk.at("2017-07-06T15:00:00Z").book("c2", "tgk", "2017-07-06T15:00:00Z").await;
        office.desk.receive("c2", "NYC", Edition::I247A, true, "2017-07-06T15:00:00Z").await;
        office.desk.at("2017-07-07T15:00:00Z").lift("c2", "2017-07-07T15:00:00Z").await;
        let july = pb::ReportQuery { accrue_until: None, ..common::asking::days("2017-07-01", "2017-08-01") };
        let (rows, _) = office.declined(july.clone()).await;
        let told: Vec<_> =
            rows.iter().map(|row| (row.acknowledged_time, row.notice_time, row.lifted_time, row.booking_end_time)).collect();
        let c1 = (at("2017-07-03T16:00:00Z"), at("2017-07-05T18:00:00Z"), None, at("2017-07-05T15:00:00Z"));
        assert_eq!(told, [c1, (None, None, at("2017-07-07T15:00:00Z"), None)]);
        assert_eq!((rows[1].booking_end_kind(), rows[1].reason()), (End::Unspecified, pb::DecisionReason::NotifyOnly));
        let before = pb::ReportQuery { accrue_until: stamp("2017-07-05T16:00:00Z"), ..july };
        let (before, _) = office.declined(before).await;
        assert_eq!((before.len(), before[0].acknowledged_time, before[0].notice_time), (1, at("2017-07-03T16:00:00Z"), None));
        office.desk.close().await;
    }
}

/// Keys and kind; fell due, in time, late, overdue.
fn owed(rows: &[pb::DutyReportRow]) -> Vec<(String, pb::DutyKind, [i64; 4])> {
    rows.iter().map(|row| (key(&row.keys), row.kind(), [row.due, row.in_time, row.late, row.overdue])).collect()
}

#[tokio::test]
async fn what_was_owed_was_done_in_time_late_or_not_at_all() {
    use pb::DutyKind::{Acknowledge, CopyToSubject, DecisionToSubject, NoticeOfRelease};
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        // b7, received on 10 June at 16:00, T0 on the 12th at 16:00: answered in time, notice of the release late.
        office.desk.booking("b7", notice(DutyKind::Acknowledge, "2017-06-11T10:00:00Z")).await;
        office.desk.booking("b7", notice(DutyKind::NotifyRelease, "2017-06-12T20:00:00Z")).await;
        let report = office.duties(decade(), &[]).await;
        // A copy for each of eight; served are b5, b7 and b8. The office is answered where it is notified: b1, b5 to b8. The
        // releases of b1, b3, b5, b6 and b7 came while the answer was to notify. Notice given of the release on the 12th is
        // told to the subject too.
        let kinds = owed(&report.kinds);
        let release_date = kinds.iter().find(|row| row.1 == pb::DutyKind::ReleaseDateToSubject).expect("a row");
        assert_eq!(release_date.2, [1, 0, 0, 1]);
        let others: Vec<_> = kinds.iter().filter(|row| *row != release_date).cloned().collect();
        let expected = [
            (Acknowledge, [5, 1, 0, 4]),
            (NoticeOfRelease, [5, 0, 1, 4]),
            (CopyToSubject, [8, 3, 0, 5]),
            (DecisionToSubject, [8, 0, 0, 8]),
        ];
        assert_eq!(others, expected.map(|(kind, counts)| (String::new(), kind, counts)));
        assert_eq!(
            owed(&report.total.into_iter().collect::<Vec<_>>()),
            [(String::new(), pb::DutyKind::Unspecified, [27, 4, 1, 22])]
        );
        let manifest = report.manifest.unwrap();
        assert_eq!((manifest.report_version.as_str(), manifest.row_count), ("duty-report/1", 5));

        // Notices of release by month and jail: b3's T0 is noon of New Year's Eve.
        let releases = office.duties(decade(), &[GroupBy::Month, GroupBy::Facility]).await;
        let releases: Vec<_> = owed(&releases.rows).into_iter().filter(|row| row.1 == NoticeOfRelease).collect();
        let expected = [
            ("2014-03 tgk", [1, 0, 0, 1]),
            ("2014-12 tgk", [1, 0, 0, 1]),
            ("2017-05 annex", [1, 0, 0, 1]),
            ("2017-05 tgk", [1, 0, 0, 1]),
            ("2017-06 tgk", [1, 0, 1, 0]),
        ];
        assert_eq!(releases, expected.map(|(key, counts)| (key.to_owned(), NoticeOfRelease, counts)));

        let keys = [GroupBy::Month, GroupBy::Week, GroupBy::Facility, GroupBy::Office, GroupBy::Component, GroupBy::FormEdition];
        for by in keys {
            let rows = office.duties(decade(), &[by]).await.rows;
            assert_eq!(rows.iter().map(|row| row.due).sum::<i64>(), 27, "{by:?}");
            for row in rows.iter().filter(|_| ![GroupBy::Month, GroupBy::Week].contains(&by)) {
                let slice = office.duties(only(&decade(), &row.keys[0]), &[]).await;
                let same = slice.rows.iter().find(|other| other.kind == row.kind);
                assert_eq!(same, Some(&pb::DutyReportRow { keys: Vec::new(), ..row.clone() }), "{:?}", row.keys);
            }
        }
        let mut halves = 0;
        for (start, end) in [("2010-01-01", "2015-01-01"), ("2015-01-01", "2017-06-11"), ("2017-06-11", "2020-01-01")] {
            halves += office.duties(days(start, end), &[]).await.total.unwrap().due;
        }
        assert_eq!(halves, 27);
        // An hour before b7's T0 nobody had to be told of its release.
        let before = office.duties(until("2017-06-12T15:00:00Z"), &[GroupBy::Month]).await.rows;
        let june = owed(&before).into_iter().find(|row| row.0 == "2017-06" && row.1 == NoticeOfRelease);
        assert_eq!(june, None);

        let by = [GroupBy::Mode, GroupBy::Office].iter().map(|by| i32::from(*by)).collect();
        let idle = pb::ReportQuery { policy_modes: vec![pb::PolicyMode::HonorAlways.into()], ..decade() };
        let idle = pb::GetDutyReportRequest { query: Some(idle), group_by: by };
        let refused = office.reports.get_duty_report(with(&office.admin, idle)).await.unwrap_err();
        assert_eq!(fields(&refused), ["group_by[0]", "query.policy_modes"]);
        office.desk.close().await;
    }
}
