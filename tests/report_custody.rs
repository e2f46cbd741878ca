//! Who is in custody, over a real socket: the daily certificate of a jail of the decade ([`common::decade`]), and people who
//! could post bail, and what two states ask of their jails.

#![allow(clippy::inconsistent_digit_grouping, reason = "cents are written as dollars_cents")]

mod common;

use common::asking::{Office, days, decade, hours, office, stamp, until};
use common::decade::NOW;
use common::desk::{fields, reason, with};
use detainer::domain::command::{BookingCommand, NewFact};
use detainer::domain::detainer::Edition;
use detainer::domain::facts::{BailSet, BasisKind, Fact, Paper, PaperKind};
use detainer::domain::money::Cents;
use detainer::domain::testing::{self, instant};
use detainer::pb::{self, Role};
use prost::Message as _;
use tonic::Status;

fn day_of(jail: &str, start: &str, end: &str) -> pb::ReportQuery {
    pb::ReportQuery { facilities: vec![format!("counties/c/facilities/{jail}")], ..days(start, end) }
}

impl Office {
    async fn certificate(&mut self, query: pb::ReportQuery) -> Result<pb::GetDailyCertificateResponse, Status> {
        let ask = pb::GetDailyCertificateRequest { query: Some(query) };
        self.reports.get_daily_certificate(with(&self.admin, ask)).await.map(tonic::Response::into_inner)
    }

    async fn bail_eligible(
        &mut self,
        query: pb::ReportQuery,
        size: i32,
        token: &str,
    ) -> Result<pb::ListBailEligibleResponse, Status> {
        let ask = pb::ListBailEligibleRequest { query: Some(query), page_size: size, page_token: token.into() };
        self.reports.list_bail_eligible(with(&self.admin, ask)).await.map(tonic::Response::into_inner)
    }
}

impl Office {
    async fn georgia(&mut self, query: pb::ReportQuery) -> Result<pb::GetGeorgiaQuarterlyReportResponse, Status> {
        let ask = pb::GetGeorgiaQuarterlyReportRequest { query: Some(query) };
        self.reports.get_georgia_quarterly_report(with(&self.admin, ask)).await.map(tonic::Response::into_inner)
    }

    async fn north_carolina(&mut self, query: pb::ReportQuery) -> Result<pb::GetNorthCarolinaAnnualReportResponse, Status> {
        let ask = pb::GetNorthCarolinaAnnualReportRequest { query: Some(query) };
        self.reports.get_north_carolina_annual_report(with(&self.admin, ask)).await.map(tonic::Response::into_inner)
    }
}

/// In custody, at the end; on a hold, at the end; covered by nothing, at the end; not known.
fn counts(one: &pb::DailyCertificate) -> [i64; 7] {
    [
        one.in_custody_count,
        one.in_custody_at_end_count,
        one.on_hold_count,
        one.on_hold_at_end_count,
        one.uncovered_count,
        one.uncovered_at_end_count,
        one.bases_not_known_count,
    ]
}

#[tokio::test]
async fn a_jail_is_certified_day_by_day() {
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        // b5, June 1 in Chicago: held until noon, then by nothing until midnight.
        let told = office.certificate(day_of("annex", "2017-06-01", "2017-06-02")).await.unwrap();
        let one = told.certificate.clone().unwrap();
        assert_eq!(counts(&one), [1, 1, 1, 0, 1, 1, 0]);
        assert_eq!((one.whole_day, one.time_zone.as_str(), one.on_hold_late_count), (true, "America/Chicago", 0));
        let interval = pb::Interval { start_time: stamp("2017-06-01T05:00:00Z"), end_time: stamp("2017-06-02T05:00:00Z") };
        assert_eq!(one.interval, Some(interval));
        let [row] = one.rows.as_slice() else { panic!("one row, not {:?}", one.rows) };
        assert_eq!((row.booking.as_str(), hours(row.duration.as_ref())), ("counties/c/bookings/b5", 12));
        assert_eq!((row.t0, row.since_time), (stamp("2017-05-30T17:00:00Z"), stamp("2017-06-01T17:00:00Z")));
        assert_eq!(row.end_time, stamp("2017-06-02T05:00:00Z"));
        let manifest = told.manifest.clone().unwrap();
        assert_eq!((manifest.report_version.as_str(), manifest.row_count), ("daily-certificate/1", 2));
        assert_eq!((manifest.tree_root.len(), told.credential.is_empty()), (32, false));
        assert_eq!(manifest.policy_revisions, ["counties/c/policyRevisions/r2017"]);

        // b3 went over New Year: held to midnight, then six hours by nothing.
        let cases = [
            ("tgk", "2014-12-31", "2015-01-01", [1, 1, 1, 1, 0, 0, 0], 0),
            ("tgk", "2015-01-01", "2015-01-02", [1, 0, 0, 0, 1, 0, 0], 6),
            ("tgk", "2015-01-02", "2015-01-03", [0; 7], 0),
            ("annex", "2015-01-01", "2015-01-02", [0; 7], 0),
            ("annex", "2017-06-02", "2017-06-03", [0; 7], 0),
        ];
        for (jail, start, end, expected, uncovered) in cases {
            let one = office.certificate(day_of(jail, start, end)).await.unwrap().certificate.unwrap();
            let time: i64 = one.rows.iter().map(|row| hours(row.duration.as_ref())).sum();
            assert_eq!((counts(&one), time), (expected, uncovered), "{jail} {start}");
        }
        // Today is not over: b7 is held, b8 waits for its trial.
        let today = office.certificate(day_of("tgk", "2017-06-13", "2017-06-14")).await.unwrap().certificate.unwrap();
        assert_eq!((counts(&today), today.whole_day), ([2, 2, 1, 1, 0, 0, 0], false));
        assert_eq!(today.interval.unwrap().end_time, stamp(NOW));

        // What is corrected later changes no certificate of an earlier point; another person gets the same one.
        let again = manifest.query.clone().unwrap();
        let auditor = office.desk.token(Role::Auditor, &["counties/c"]).await;
        let ask = pb::GetDailyCertificateRequest { query: Some(again) };
        let same = office.reports.get_daily_certificate(with(&auditor, ask)).await.unwrap().into_inner();
        assert_eq!(same.certificate.unwrap().encode_to_vec(), one.encode_to_vec());
        assert_eq!(same.manifest.unwrap().encode_to_vec(), manifest.encode_to_vec());
        assert_ne!(same.asked_by, told.asked_by);

        let tomorrow = office.certificate(day_of("tgk", "2017-06-14", "2017-06-15")).await.unwrap_err();
        assert_eq!(fields(&tomorrow), ["query.period"]);
        let two = office.certificate(day_of("tgk", "2017-06-01", "2017-06-03")).await.unwrap_err();
        assert_eq!(fields(&two), ["query.period"]);
        let both = office.certificate(pb::ReportQuery { office_codes: vec!["MIA".into()], ..decade() }).await.unwrap_err();
        assert_eq!(fields(&both), ["query.facilities", "query.office_codes"]);
        office.desk.close().await;
    }
}

fn bail(dollars: i64, at: &str) -> BookingCommand {
    let fact = Fact::BailSet(BailSet { amount: Cents::new(dollars * 100) });
    BookingCommand::UpdateFacts(vec![NewFact { at: instant(at), source: testing::source(), fact }])
}

#[tokio::test]
async fn people_who_could_post_bail_page_by_page() {
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        let at = "2017-06-14T12:00:00Z";
        let desk = office.desk.at(at);
        for id in ["c1", "c2", "c3", "c4"] {
            desk.book(id, if id == "c2" { "annex" } else { "tgk" }, at).await;
        }
        // c1 to c3 are asked for; c4 is not, c5 has no bail; for b8 nobody asks any more; b7 is past T0.
        for (id, from) in [("c1", "MIA"), ("c2", "NYC"), ("c3", "MIA")] {
            desk.receive(id, from, Edition::I247A, true, at).await;
        }
        desk.book("c5", "tgk", at).await;
        desk.receive("c5", "MIA", Edition::I247A, true, at).await;
        for (id, dollars) in [("c1", 500), ("c2", 1_000), ("c3", 2_500), ("c4", 100), ("b8", 100), ("b7", 100)] {
            desk.booking(id, bail(dollars, at)).await;
        }
        desk.at("2017-06-14T13:00:00Z").booking("c1", bail(250, "2017-06-14T13:00:00Z")).await;
        let mut sentence = testing::basis("S", instant("2017-06-14T13:00:00Z"));
        sentence.kind = BasisKind::Sentence;
        desk.booking("c3", BookingCommand::OpenBasis(sentence)).await;

        let now = pb::ReportQuery { period: None, ..until("2017-06-14T13:00:00Z") };
        let whole = office.bail_eligible(now.clone(), 0, "").await.unwrap();
        let shown: Vec<_> = whole
            .rows
            .iter()
            .map(|row| {
                let booking = row.booking.rsplit('/').next().unwrap();
                (booking, row.bail.as_ref().unwrap().cents, row.bail_set_time, row.only_charges)
            })
            .collect();
        let (first, second) = (stamp(at), stamp("2017-06-14T13:00:00Z"));
        let expected = [("c1", 250_00, second, true), ("c2", 1_000_00, first, true), ("c3", 2_500_00, first, false)];
        assert_eq!(shown, expected);
        let open = &whole.rows[0].detainers;
        assert_eq!((open.len(), open[0].office_code.as_str(), open[0].outcome()), (1, "MIA", pb::Outcome::Honor));
        assert_eq!(open[0].received_time, first);
        let manifest = whole.manifest.clone().unwrap();
        assert_eq!((manifest.report_version.as_str(), manifest.row_count), ("bail-eligible/1", 3));
        assert_eq!(manifest.policy_revisions, ["counties/c/policyRevisions/r2017"]);
        assert_eq!(manifest.query.as_ref().unwrap().period, None);

        // Page by page of one snapshot: what is recorded between them changes nothing.
        let one = office.bail_eligible(now.clone(), 2, "").await.unwrap();
        office.desk.at("2017-06-14T14:00:00Z").bail("c3", "2017-06-14T14:00:00Z").await;
        let two = office.bail_eligible(now.clone(), 2, &one.next_page_token).await.unwrap();
        assert_eq!([one.rows, two.rows].concat(), whole.rows);
        assert_eq!(
            (one.manifest.unwrap().row_count, two.manifest.unwrap().row_count, two.next_page_token),
            (3, 3, String::new())
        );
        let again = office.bail_eligible(manifest.query.unwrap(), 0, "").await.unwrap();
        assert_eq!(again.rows, whole.rows);

        // An hour earlier, in the annex, of one office.
        let before = pb::ReportQuery { accrue_until: stamp(at), ..now.clone() };
        let before = office.bail_eligible(before, 0, "").await.unwrap();
        assert_eq!(before.rows[0].bail.as_ref().unwrap().cents, 500_00);
        let annex = pb::ReportQuery { facilities: vec!["counties/c/facilities/annex".into()], ..now.clone() };
        assert_eq!(office.bail_eligible(annex.clone(), 0, "").await.unwrap().manifest.unwrap().row_count, 1);
        let nobody = pb::ReportQuery { office_codes: vec!["MIA".into()], ..annex.clone() };
        assert_eq!(office.bail_eligible(nobody, 0, "").await.unwrap().rows, []);

        let other = office.bail_eligible(annex, 2, &one.next_page_token).await.unwrap_err();
        assert_eq!(reason(&other), "PAGE_TOKEN_INVALID");
        let days = office.bail_eligible(decade(), 0, "").await.unwrap_err();
        assert_eq!(fields(&days), ["query.period"]);
        let idle = pb::ReportQuery { policy_modes: vec![pb::PolicyMode::HonorAlways.into()], ..now };
        assert_eq!(fields(&office.bail_eligible(idle, 0, "").await.unwrap_err()), ["query.policy_modes"]);
        office.desk.close().await;
    }
}

#[tokio::test]
async fn what_two_states_ask_of_their_jails() {
    use pb::HoldEndReason as End;
    use pb::UnrecordedFigure::{BirthplaceOrNationality, ImmigrationStatus, InquiryResponses, StatusInquiries};
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        let order = Paper { kind: PaperKind::StateOrder, signed: None, sha256: None, detainer: None };
        let fact = NewFact { at: instant("2017-06-13T15:00:00Z"), source: testing::source(), fact: Fact::Paper(order) };
        office.desk.booking("b7", BookingCommand::UpdateFacts(vec![fact])).await;

        // The second quarter of 2017: b5 to b8, of which b5 was held to its deadline and b7 is held.
        let quarter = days("2017-04-01", "2017-07-01");
        let told = office.georgia(quarter.clone()).await.unwrap();
        let counts = told.counts.unwrap();
        let requests = pb::StatutoryRequestCounts {
            received_count: 4,
            ice_count: 4,
            administrative_warrant_count: 4,
            honored_count: 4,
            not_honored_count: 0,
            held_count: 2,
            federal_custody_count: 0,
            notice_count: 0,
        };
        assert_eq!((counts.booked_count, counts.confined_count, counts.requests), (4, 4, Some(requests)));
        let lacks = [StatusInquiries, InquiryResponses, BirthplaceOrNationality, ImmigrationStatus];
        assert_eq!(told.not_recorded, lacks.map(i32::from));
        let manifest = told.manifest.unwrap();
        assert_eq!((manifest.report_version.as_str(), manifest.tree_root.len()), ("georgia-quarterly/1", 32));
        let annex = pb::ReportQuery { facilities: vec!["counties/c/facilities/annex".into()], ..quarter };
        let annex = office.georgia(annex).await.unwrap().counts.unwrap();
        assert_eq!((annex.booked_count, annex.confined_count, annex.requests.unwrap().received_count), (1, 1, 1));
        // b3 was there on both sides of New Year, b1 and b2 long gone.
        for (start, end, booked, confined) in [("2014-10-01", "2015-01-01", 1, 1), ("2015-01-01", "2015-04-01", 0, 1)] {
            let counts = office.georgia(days(start, end)).await.unwrap().counts.unwrap();
            assert_eq!((counts.booked_count, counts.confined_count), (booked, confined), "{start}");
        }

        let told = office.north_carolina(decade()).await.unwrap();
        let counts = told.counts.clone().unwrap();
        let requests = counts.requests.unwrap();
        assert_eq!((requests.received_count, requests.honored_count, requests.not_honored_count), (8, 5, 3));
        assert_eq!((counts.hold_count, counts.running_count, counts.state_order_count), (4, 1, 1));
        assert_eq!((counts.taken_count, counts.rescinded_count, counts.expired_count), (1, 0, 1));
        let mut ends: Vec<_> =
            counts.ends.iter().map(|end| (end.end_reason(), end.hold_count, hours(end.duration.as_ref()))).collect();
        ends.sort_by_key(|end| end.2);
        assert_eq!(ends, [(End::NoLongerHonored, 1, 12), (End::FederalCustody, 1, 24), (End::Deadline, 1, 48)]);
        assert_eq!(told.not_recorded, [StatusInquiries, InquiryResponses, ImmigrationStatus].map(i32::from));
        let revisions = told.manifest.as_ref().unwrap().policy_revisions.clone();
        assert_eq!(revisions, ["counties/c/policyRevisions/r2013", "counties/c/policyRevisions/r2017"]);
        // Counted to New Year's Eve: b3 runs, nothing of 2017 is there.
        let then = office.north_carolina(until("2014-12-31T23:00:00Z")).await.unwrap().counts.unwrap();
        assert_eq!((then.hold_count, then.running_count, then.state_order_count), (2, 1, 0));

        // The same point gives the same bytes.
        let query = told.manifest.clone().unwrap().query.unwrap();
        assert_eq!(office.north_carolina(query).await.unwrap().encode_to_vec(), told.encode_to_vec());
        let offices = pb::ReportQuery { office_codes: vec!["MIA".into()], ..decade() };
        assert_eq!(fields(&office.north_carolina(offices.clone()).await.unwrap_err()), ["query.office_codes"]);
        assert_eq!(fields(&office.georgia(offices).await.unwrap_err()), ["query.office_codes"]);
        office.desk.close().await;
    }
}
