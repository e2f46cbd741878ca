//! What is counted of a small county's decade ([`common::decade`]), every figure against the hand-worked one: how long
//! people were held.

mod common;

use common::asking::{ALL, Office, as_of, days, decade, hours, key, office, only, stamp, until};
use common::decade::NOW;
use common::desk::{fields, with};
use detainer::pb::{self, GroupBy};
use prost::Message as _;

impl Office {
    async fn statistics(&mut self, query: pb::ReportQuery, by: &[GroupBy]) -> pb::GetHoldStatisticsResponse {
        let group_by = by.iter().map(|by| i32::from(*by)).collect();
        let ask = pb::GetHoldStatisticsRequest { query: Some(query), group_by };
        self.reports.get_hold_statistics(with(&self.admin, ask)).await.unwrap().into_inner()
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
