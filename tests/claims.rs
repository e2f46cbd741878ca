//! Claims and closed periods over a real socket: four months of Miami-Dade's per-diem agreement (216 inmate-days at $113:
//! $24,408.00, true cost $50,048.00; the county states the total only, so two rates a cent apart give it), a flat $50
//! agreement, and what becomes of claims. Expected figures are worked out by hand.

#![allow(clippy::inconsistent_digit_grouping, reason = "cents are written as dollars_cents")]

mod common;

use common::desk::{Desk, fields, reason, with};
use detainer::domain::agreement::Term;
use detainer::domain::booking::CorrectedFact;
use detainer::domain::detainer::Edition;
use detainer::domain::facts::EndKind;
use detainer::domain::ids::FacilityId;
use detainer::domain::policy::Mode;
use detainer::domain::rate::DayCount;
use detainer::domain::testing::{self, cents, correction, day, instant, revision};
use detainer::pb::report_service_client::ReportServiceClient;
use detainer::pb::{self, ClaimAct, ClaimLineKind, ClaimState, Role};
use tonic::transport::Channel;
use tonic::{Code, Status};

struct Office {
    desk: Desk,
    reports: ReportServiceClient<Channel>,
    token: String,
    requests: u32,
}

fn date(text: &str) -> Option<pb::Date> {
    let mut parts = text.split('-').map(|part| part.parse::<i32>().unwrap());
    Some(pb::Date { year: parts.next().unwrap(), month: parts.next().unwrap(), day: parts.next().unwrap() })
}

fn usd(money: Option<&pb::Money>) -> i64 {
    let money = money.expect("money");
    assert_eq!(money.currency_code, "USD");
    money.cents
}

fn source() -> Option<pb::Source> {
    Some(pb::Source { kind: pb::SourceKind::FederalAgency.into(), reference: "remittance 7".into() })
}

/// Stays of 48 hours from noon on: three calendar days each.
async fn held(desk: &Desk, names: &[String], office: &str, from: &str, until: &str) {
    let before = instant(from).plus_us(-3_600_000_000).to_string();
    desk.at(&before);
    for id in names {
        desk.book(id, "tgk", &before).await;
        desk.receive(id, office, Edition::I247Of2012, false, &before).await;
    }
    desk.at(from);
    for id in names {
        desk.bail(id, from).await;
    }
    desk.at(until);
    for id in names {
        desk.end(id, EndKind::FederalCustody, until).await;
    }
}

fn names(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| format!("b{n:02}")).collect()
}

/// October to December: 45 stays of three days, and one that begins at noon of New Year's Eve and goes on.
async fn office(fresh: &common::Fresh) -> Office {
    let desk = Desk::open(fresh, "2017-09-29T16:00:00Z").await;
    desk.found("America/New_York", &[("tgk", "America/New_York")]).await;
    desk.switch(revision("r2017", Mode::HonorAlways), "2017-09-29T17:00:00Z").await;
    for (id, per_day, from) in [("fy18", "231.70", "2017-10-01"), ("cy18", "231.71", "2018-01-01")] {
        let mut rate = testing::rate(id, per_day, DayCount::CalendarDay, day(from));
        rate.facility = FacilityId::trusted("tgk");
        rate.marginal = Some(cents("19.00"));
        desk.price(rate).await;
    }
    let zone = "America/New_York".parse().unwrap();
    let mut iga = testing::agreement("iga", zone, day("2017-10-01"));
    iga.term = Term::PerDiem { per_day: cents("113.00"), day_count: DayCount::CalendarDay };
    iga.scope.offices = vec!["MIA".into()];
    iga.filing_window_days = Some(60);
    desk.promise(iga).await;
    let mut flat = testing::agreement("flat", zone, day("2017-10-01"));
    flat.term = Term::FlatPerHold { amount: cents("50.00"), up_to_hours: 48 };
    flat.scope.offices = vec!["KEY".into()];
    desk.promise(flat).await;

    held(&desk, &names(0..45), "MIA", "2017-11-13T17:00:00Z", "2017-11-15T17:00:00Z").await;
    desk.at("2017-12-31T16:00:00Z");
    desk.book("b45", "tgk", "2017-12-31T16:00:00Z").await;
    desk.receive("b45", "MIA", Edition::I247Of2012, false, "2017-12-31T16:00:00Z").await;
    desk.at("2017-12-31T17:00:00Z").bail("b45", "2017-12-31T17:00:00Z").await;
    let reports = ReportServiceClient::new(desk.channel.clone());
    let token = desk.token(Role::Auditor, &["counties/c"]).await;
    Office { desk, reports, token, requests: 0 }
}

impl Office {
    fn request_id(&mut self) -> String {
        self.requests += 1;
        format!("claim {}", self.requests)
    }

    async fn claim(&mut self, agreement: &str, end: &str) -> Result<pb::Claim, Status> {
        let ask = pb::CreateClaimRequest {
            parent: "counties/c".into(),
            request_id: self.request_id(),
            agreement: format!("counties/c/agreements/{agreement}"),
            end_date: date(end),
            ..pb::CreateClaimRequest::default()
        };
        let made = self.reports.create_claim(with(&self.token, ask)).await?.into_inner();
        assert!(made.receipt.is_some());
        Ok(made.claim.unwrap())
    }

    async fn enter(&mut self, claim: &str, act: ClaimAct, cents: i64, undoes: i32) -> Result<pb::Claim, Status> {
        let ask = pb::UpdateClaimRequest {
            name: claim.into(),
            request_id: self.request_id(),
            act: act.into(),
            amount: (cents != 0).then(|| pb::Money { currency_code: "USD".into(), cents }),
            source: source(),
            undoes,
            ..pb::UpdateClaimRequest::default()
        };
        Ok(self.reports.update_claim(with(&self.token, ask)).await?.into_inner().claim.unwrap())
    }

    async fn lines(&mut self, claim: &str, size: i32) -> Vec<pb::ClaimLine> {
        let mut ask = pb::ListClaimLinesRequest { parent: claim.into(), page_size: size, ..pb::ListClaimLinesRequest::default() };
        let mut lines = Vec::new();
        loop {
            let page = self.reports.list_claim_lines(with(&self.token, ask.clone())).await.unwrap().into_inner();
            assert!(size == 0 || page.lines.len() <= usize::try_from(size).unwrap());
            lines.extend(page.lines);
            ask.page_token = page.next_page_token;
            if ask.page_token.is_empty() {
                return lines;
            }
        }
    }

    async fn report(&mut self, on: &str) -> pb::GetClaimReportResponse {
        let ask = pb::GetClaimReportRequest { county: "counties/c".into(), date: date(on), as_of: None };
        let report = self.reports.get_claim_report(with(&self.token, ask)).await.unwrap().into_inner();
        for row in report.rows.iter().chain(&report.total) {
            let sum = |all: &[&Option<pb::Money>]| all.iter().map(|money| usd(money.as_ref())).sum::<i64>();
            assert_eq!(usd(row.owed.as_ref()), sum(&[&row.unclaimed, &row.expired, &row.assembled, &row.billed]));
            assert_eq!(usd(row.billed.as_ref()), sum(&[&row.paid, &row.written_off, &row.outstanding]));
            assert_eq!(usd(row.outstanding.as_ref()), row.ages.iter().map(|age| usd(age.outstanding.as_ref())).sum::<i64>());
        }
        let all: i64 = report.rows.iter().map(|row| usd(row.owed.as_ref())).sum();
        assert_eq!(all, usd(report.total.as_ref().unwrap().owed.as_ref()));
        report
    }

    async fn due(&mut self, on: &str, within: i32) -> Vec<(String, i32, i64, String)> {
        let mut ask = pb::ListUnclaimedHoldsRequest {
            parent: "counties/c".into(),
            date: date(on),
            within_days: within,
            page_size: 20,
            ..pb::ListUnclaimedHoldsRequest::default()
        };
        let mut holds = Vec::new();
        loop {
            let page = self.reports.list_unclaimed_holds(with(&self.token, ask.clone())).await.unwrap().into_inner();
            holds.extend(page.holds);
            ask.page_token = page.next_page_token;
            if ask.page_token.is_empty() {
                break;
            }
        }
        let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        holds.iter().map(|hold| (last(&hold.booking), hold.days_left, usd(hold.amount.as_ref()), last(&hold.claim))).collect()
    }

    async fn cost_lines(&mut self, query: pb::ReportQuery) -> (Vec<pb::CostLine>, pb::ReportManifest) {
        use pb::stream_cost_lines_response::Part;
        let ask = pb::StreamCostLinesRequest { query: Some(query), booking: String::new() };
        let mut stream = self.reports.stream_cost_lines(with(&self.token, ask)).await.unwrap().into_inner();
        let (mut lines, mut manifest) = (Vec::new(), None);
        while let Some(message) = stream.message().await.unwrap() {
            match message.part.expect("a part") {
                Part::Line(line) => lines.push(line),
                Part::Manifest(last) => manifest = Some(last),
                Part::AsOfPair(_) => {}
            }
        }
        (lines, manifest.expect("a manifest"))
    }

    async fn close(&mut self, end: &str) -> Result<pb::ClosePeriodResponse, Status> {
        let (parent, request_id) = ("counties/c".into(), self.request_id());
        let ask = pb::ClosePeriodRequest { parent, request_id, end_date: date(end), ..pb::ClosePeriodRequest::default() };
        Ok(self.reports.close_period(with(&self.desk.admin, ask)).await?.into_inner())
    }
}

#[tokio::test]
async fn four_months_of_a_per_diem_agreement_are_claimed_and_settled() {
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        office.desk.at("2018-01-02T17:00:00Z").end("b45", EndKind::FederalCustody, "2018-01-02T17:00:00Z").await;
        office.desk.at("2018-01-03T15:00:00Z");

        // Nobody claims what is not over, or of nobody.
        let refused = office.claim("iga", "2018-01-04").await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::FailedPrecondition, "PERIOD_NOT_OVER".into()));
        let refused = office.claim("nobody", "2018-01-01").await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::NotFound, "RESOURCE_NOT_FOUND".into()));

        // 45 stays of three days and New Year's Eve: 136 days at $113.
        let first = office.claim("iga", "2018-01-01").await.unwrap();
        assert_eq!((first.name.as_str(), first.state()), ("counties/c/claims/iga-1", ClaimState::Assembled));
        assert_eq!((first.line_count, first.hold_count, usd(first.claimed.as_ref())), (136, 46, 15_368_00));
        assert_eq!((first.start_date, first.end_date), (None, date("2018-01-01")));
        let lines = office.lines(&first.name, 50).await;
        assert_eq!(lines.len(), 136);
        assert!(lines.iter().all(|line| line.kind() == ClaimLineKind::Own && usd(line.amount.as_ref()) == 113_00));
        let eve = lines.iter().find(|line| line.booking.ends_with("/b45")).unwrap();
        assert_eq!((eve.date, usd(eve.incurred.as_ref())), (date("2017-12-31"), 231_70));
        assert_eq!(eve.file_by_date, date("2018-03-03"), "60 days after the second of January");

        // January: 26 stays and the rest of the one on New Year's Eve: 80 days. All together 216 days.
        held(&office.desk, &names(46..72), "MIA", "2018-01-08T17:00:00Z", "2018-01-10T17:00:00Z").await;
        office.desk.at("2018-02-01T15:00:00Z");
        let second = office.claim("iga", "2018-02-01").await.unwrap();
        assert_eq!((second.line_count, usd(second.claimed.as_ref())), (80, 9_040_00));
        assert_eq!((second.start_date, usd(second.adjustments.as_ref())), (date("2018-01-01"), 0));
        assert_eq!(usd(first.claimed.as_ref()) + usd(second.claimed.as_ref()), 24_408_00);
        let incurred: i64 =
            lines.iter().chain(&office.lines(&second.name, 0).await).map(|line| usd(line.incurred.as_ref())).sum();
        assert_eq!(incurred, 50_048_00);

        // The first rests under the second: it cannot be taken back any more. The second can, and comes again.
        let refused = office.enter(&first.name, ClaimAct::Withdrawn, 0, 0).await.unwrap_err();
        assert_eq!(reason(&refused), "CLAIM_STATE");
        let gone = office.enter(&second.name, ClaimAct::Withdrawn, 0, 0).await.unwrap();
        assert_eq!(gone.state(), ClaimState::Withdrawn);
        office.enter(&first.name, ClaimAct::Billed, 0, 0).await.unwrap();

        // Record 15 November's release of one stay a day earlier: what was claimed of it is adjusted by the next claim.
        let (old, new) = (instant("2017-11-15T17:00:00Z"), instant("2017-11-14T17:00:00Z"));
        let earlier = detainer::domain::booking::Correction {
            end_kind: Some(EndKind::FederalCustody),
            old_end_kind: Some(EndKind::FederalCustody),
            ..correction(CorrectedFact::Ending, "", Some(old), Some(new))
        };
        office.desk.at("2018-02-02T15:00:00Z");
        office.desk.correct("b00", earlier).await;
        let second = office.claim("iga", "2018-02-01").await.unwrap();
        assert_eq!(second.name, "counties/c/claims/iga-3");
        let kinds = office.lines(&second.name, 7).await;
        let adjusted: Vec<_> = kinds.iter().filter(|line| line.kind() == ClaimLineKind::Adjustment).collect();
        assert!(adjusted.iter().all(|line| line.booking.ends_with("/b00")));
        assert_eq!(adjusted.iter().map(|line| usd(line.amount.as_ref())).sum::<i64>(), -113_00);
        assert_eq!((usd(second.claimed.as_ref()), usd(second.adjustments.as_ref())), (8_927_00, -113_00));
        let sum: i64 = kinds.iter().map(|line| usd(line.amount.as_ref())).sum();
        assert_eq!(sum, 8_927_00);
        assert_eq!(office.lines(&first.name, 0).await, lines, "the lines of a claim are frozen");

        // Paid in part, denied, disputed, denied again, written off.
        office.desk.at("2018-03-05T15:00:00Z");
        office.enter(&first.name, ClaimAct::Paid, 15_000_00, 0).await.unwrap();
        let denied = office.enter(&first.name, ClaimAct::Denied, 300_00, 0).await.unwrap();
        assert_eq!(denied.state(), ClaimState::PartlySettled);
        let balance = denied.balance.unwrap();
        assert_eq!((usd(balance.outstanding.as_ref()), usd(balance.open.as_ref())), (368_00, 68_00));
        office.enter(&first.name, ClaimAct::Disputed, 300_00, 0).await.unwrap();
        let refused = office.enter(&first.name, ClaimAct::Paid, 368_01, 0).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::FailedPrecondition, "CLAIM_STATE".into()));
        let refused = office.enter(&first.name, ClaimAct::Paid, -1, 0).await.unwrap_err();
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["amount".to_owned()]));
        let report = office.report("2018-03-06").await;
        let iga = &report.rows[1 - usize::from(report.rows.len() == 1)];
        assert_eq!(iga.agreement, "counties/c/agreements/iga");
        assert_eq!(usd(iga.owed.as_ref()), 24_295_00);
        assert_eq!((usd(iga.assembled.as_ref()), usd(iga.unclaimed.as_ref())), (8_927_00, 0));
        assert_eq!(
            (usd(iga.billed.as_ref()), usd(iga.paid.as_ref()), usd(iga.disputed.as_ref())),
            (15_368_00, 15_000_00, 300_00)
        );
        // Billed on 1 February: 33 days.
        let ages: Vec<_> = iga.ages.iter().map(|age| (age.from_days, age.claim_count, usd(age.outstanding.as_ref()))).collect();
        assert_eq!(ages, [(0, 0, 0), (31, 1, 368_00), (61, 0, 0), (91, 0, 0)]);
        office.enter(&first.name, ClaimAct::Denied, 300_00, 0).await.unwrap();
        office.enter(&first.name, ClaimAct::WrittenOff, 300_00, 0).await.unwrap();
        let settled = office.enter(&first.name, ClaimAct::Paid, 68_00, 0).await.unwrap();
        assert_eq!(settled.state(), ClaimState::Settled);
        let undone = office.enter(&first.name, ClaimAct::Paid, 0, 7).await.unwrap();
        assert_eq!((undone.state(), undone.entries.len()), (ClaimState::PartlySettled, 8));
        office.report("2018-06-01").await;

        // Claims are listed in order, and by where they stand; the past stays as it was.
        let ask = pb::ListClaimsRequest { parent: "counties/c".into(), page_size: 2, ..pb::ListClaimsRequest::default() };
        let page = office.reports.list_claims(with(&office.token, ask.clone())).await.unwrap().into_inner();
        let ids = |page: &pb::ListClaimsResponse| page.claims.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&page), ["counties/c/claims/iga-1", "counties/c/claims/iga-2"]);
        let next = pb::ListClaimsRequest { page_token: page.next_page_token, ..ask.clone() };
        let page = office.reports.list_claims(with(&office.token, next)).await.unwrap().into_inner();
        assert_eq!((ids(&page), page.next_page_token.as_str()), (vec!["counties/c/claims/iga-3".to_owned()], ""));
        let withdrawn = pb::ListClaimsRequest { state: ClaimState::Withdrawn.into(), ..ask };
        let page = office.reports.list_claims(with(&office.token, withdrawn)).await.unwrap().into_inner();
        assert_eq!(ids(&page), ["counties/c/claims/iga-2"]);
        let sequence = Some(pb::as_of::Point::Sequence(page.as_of_pair.unwrap().sequence - 8));
        let then = pb::GetClaimRequest { name: first.name.clone(), as_of: Some(pb::AsOf { point: sequence }) };
        let then = office.reports.get_claim(with(&office.token, then)).await.unwrap().into_inner();
        assert_eq!((then.claim.unwrap().entries.len(), then.agreement.unwrap().name.as_str()), (1, "counties/c/agreements/iga"));
        office.desk.close().await;
    }
}

#[tokio::test]
async fn a_flat_agreement_and_a_filing_window() {
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        // $50 for a hold of up to 48 hours: one line of it carries all.
        held(&office.desk, &["k1".into()], "KEY", "2018-01-08T17:00:00Z", "2018-01-09T17:00:00Z").await;
        // b45 was to be out on 2 January at noon; it is kept. Its hold is over, and nothing of it is posted.
        office.desk.at("2018-01-10T15:00:00Z");
        let flat = office.claim("flat", "2018-01-10").await.unwrap();
        assert_eq!((flat.line_count, usd(flat.claimed.as_ref())), (1, 50_00));
        let refused = office.claim("flat", "2018-01-10").await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::FailedPrecondition, "NOTHING_TO_CLAIM".into()));
        let refused = office.claim("flat", "2018-01-09").await.unwrap_err();
        assert_eq!(reason(&refused), "CLAIM_OUT_OF_ORDER");

        // The window of 60 days: holds that ended on 15 November by 14 January, that on 2 January by 3 March.
        let due = office.due("2018-01-10", 0).await;
        assert_eq!(due.len(), 45, "b45 has time");
        assert_eq!(due[0], ("b00".into(), 4, 339_00, String::new()));
        let due = office.due("2018-01-10", 60).await;
        assert_eq!(due.len(), 46);
        assert_eq!(due[45], ("b45".into(), 52, 339_00, String::new()), "three days, though it is not posted yet");
        assert_eq!(office.due("2018-01-20", 1).await[0], ("b00".into(), -6, 339_00, String::new()));

        // In a claim that nobody sends they stay on the list, and leave it when it is billed.
        let claim = office.claim("iga", "2018-01-10").await.unwrap();
        assert_eq!((claim.line_count, claim.expired_line_count), (135, 0));
        assert_eq!(office.due("2018-01-10", 0).await[0], ("b00".into(), 4, 339_00, "iga-1".into()));
        office.enter(&claim.name, ClaimAct::Billed, 0, 0).await.unwrap();
        assert_eq!(office.due("2018-01-10", 0).await, []);

        // b45 leaves in March, and is claimed too late: shown apart, not claimed.
        office.desk.at("2018-03-02T15:00:00Z").end("b45", EndKind::Released, "2018-03-02T15:00:00Z").await;
        held(&office.desk, &["b99".into()], "MIA", "2018-03-05T17:00:00Z", "2018-03-06T17:00:00Z").await;
        office.desk.at("2018-03-07T15:00:00Z");
        let late = office.claim("iga", "2018-03-07").await.unwrap();
        assert_eq!((late.line_count, usd(late.claimed.as_ref())), (2, 226_00));
        assert_eq!((late.expired_line_count, usd(late.expired.as_ref())), (3, 339_00));
        let kinds: Vec<_> = office.lines(&late.name, 0).await.iter().map(|line| (line.booking.clone(), line.kind())).collect();
        assert!(kinds.iter().all(|(booking, kind)| (*kind == ClaimLineKind::Expired) == booking.ends_with("/b45")));
        let report = office.report("2018-03-07").await;
        assert_eq!(usd(report.total.unwrap().expired.as_ref()), 339_00);
        office.desk.close().await;
    }
}

#[tokio::test]
async fn a_claim_is_made_once_and_by_whom_it_may() {
    for fresh in common::engines().await {
        let office = office(&fresh).await;
        office.desk.at("2018-01-10T15:00:00Z");
        let mut reports = office.reports.clone();
        let ask = pb::CreateClaimRequest {
            parent: "counties/c".into(),
            request_id: "once".into(),
            agreement: "counties/c/agreements/iga".into(),
            end_date: date("2018-01-01"),
            claim_id: "q4".into(),
            ..pb::CreateClaimRequest::default()
        };
        let trial = pb::CreateClaimRequest { validate_only: true, request_id: "trial".into(), ..ask.clone() };
        let trial = reports.create_claim(with(&office.token, trial)).await.unwrap().into_inner();
        assert_eq!((usd(trial.claim.unwrap().claimed.as_ref()), trial.receipt), (15_255_00, None));
        let made = reports.create_claim(with(&office.token, ask.clone())).await.unwrap().into_inner();
        let again = reports.create_claim(with(&office.token, ask.clone())).await.unwrap().into_inner();
        assert_eq!(made, again, "told twice, it is one");
        let other = pb::CreateClaimRequest { end_date: date("2018-01-02"), ..ask.clone() };
        assert_eq!(reason(&reports.create_claim(with(&office.token, other)).await.unwrap_err()), "REQUEST_ID_REUSED");
        let taken = pb::CreateClaimRequest { request_id: "taken".into(), ..ask.clone() };
        assert_eq!(reports.create_claim(with(&office.token, taken)).await.unwrap_err().code(), Code::AlreadyExists);

        let bill = pb::UpdateClaimRequest {
            name: "counties/c/claims/q4".into(),
            request_id: "bill".into(),
            etag: made.claim.unwrap().etag,
            act: ClaimAct::Billed.into(),
            source: source(),
            ..pb::UpdateClaimRequest::default()
        };
        let nothing = pb::UpdateClaimRequest { act: 0, source: None, request_id: "x".into(), ..bill.clone() };
        let refused = reports.update_claim(with(&office.token, nothing)).await.unwrap_err();
        assert_eq!(fields(&refused), ["act", "source"]);
        let ahead = pb::UpdateClaimRequest {
            effective_time: Some(prost_types::Timestamp {
                seconds: instant("2018-01-11T15:00:00Z").micros() / 1_000_000,
                nanos: 0,
            }),
            request_id: "y".into(),
            ..bill.clone()
        };
        assert_eq!(reason(&reports.update_claim(with(&office.token, ahead)).await.unwrap_err()), "EFFECTIVE_TIME_IN_FUTURE");
        let unknown = pb::UpdateClaimRequest { name: "counties/c/claims/q5".into(), request_id: "z".into(), ..bill.clone() };
        assert_eq!(reports.update_claim(with(&office.token, unknown)).await.unwrap_err().code(), Code::NotFound);
        reports.update_claim(with(&office.token, bill.clone())).await.unwrap();
        let stale = pb::UpdateClaimRequest { request_id: "stale".into(), act: ClaimAct::Paid.into(), ..bill };
        assert_eq!(reason(&reports.update_claim(with(&office.token, stale)).await.unwrap_err()), "STALE_ETAG");

        let records = office.desk.token(Role::Records, &["counties/c"]).await;
        let refused = pb::CreateClaimRequest { request_id: "records".into(), ..ask };
        assert_eq!(reason(&reports.create_claim(with(&records, refused)).await.unwrap_err()), "ROLE_REQUIRED");
        let elsewhere = office.desk.token(Role::Auditor, &["counties/d"]).await;
        let get = pb::GetClaimRequest { name: "counties/c/claims/q4".into(), as_of: None };
        assert_eq!(reports.get_claim(with(&elsewhere, get)).await.unwrap_err().code(), Code::PermissionDenied);
        office.desk.close().await;
    }
}

#[tokio::test]
async fn a_period_is_closed_while_somebody_is_held() {
    for fresh in common::engines().await {
        let mut office = office(&fresh).await;
        // One minute past New York's midnight; b45 is held.
        office.desk.at("2018-01-01T04:59:59Z");
        assert_eq!(reason(&office.close("2018-01-01").await.unwrap_err()), "PERIOD_NOT_OVER");
        office.desk.at("2018-01-01T05:01:00Z");
        let closed = office.close("2018-01-01").await.unwrap();
        let (close, receipt) = (closed.close.unwrap(), closed.receipt.unwrap());
        assert_eq!((close.start_date, close.end_date), (None, date("2018-01-01")));
        assert_eq!(close.sequence, receipt.sequence, "the close is whole with its last record");
        assert_eq!(reason(&office.close("2017-12-01").await.unwrap_err()), "PERIOD_CLOSED");
        let refused = {
            let (parent, request_id, end_date) = ("counties/c".into(), "auditor".into(), date("2018-01-01"));
            let ask = pb::ClosePeriodRequest { parent, request_id, end_date, ..pb::ClosePeriodRequest::default() };
            office.reports.close_period(with(&office.token, ask)).await.unwrap_err()
        };
        assert_eq!(reason(&refused), "ROLE_REQUIRED", "an auditor writes claims only");

        // What had accrued by then is posted: a claim may take it though the hold goes on.
        office.desk.at("2018-01-01T15:00:00Z");
        let claim = office.claim("iga", "2018-01-01").await.unwrap();
        assert_eq!((claim.line_count, usd(claim.claimed.as_ref())), (136, 15_368_00));

        office.desk.at("2018-02-01T05:01:00Z");
        let second = office.close("2018-02-01").await.unwrap().close.unwrap();
        let ask = pb::ListPeriodClosesRequest { parent: "counties/c".into(), ..pb::ListPeriodClosesRequest::default() };
        let listed = office.reports.list_period_closes(with(&office.token, ask)).await.unwrap().into_inner();
        assert_eq!(listed.closes, [close, second]);

        // By the books: 45 stays and New Year's Eve, 136 days at $231.70; 15 of them stay as they were, whatever comes.
        let books = |office: &mut Office, start: &'static str, end: &'static str| {
            let period = Some(pb::DateInterval { start_date: date(start), end_date: date(end) });
            let query =
                Some(pb::ReportQuery { county: "counties/c".into(), period, by_books: true, ..pb::ReportQuery::default() });
            let by = [pb::GroupBy::Month, pb::GroupBy::CustodyMonth].map(i32::from).to_vec();
            let (mut reports, token) = (office.reports.clone(), office.token.clone());
            async move {
                let ask = pb::GetCostReportRequest { query, group_by: by };
                let report = reports.get_cost_report(with(&token, ask)).await.unwrap().into_inner();
                let figures = |row: &pb::CostReportRow| {
                    let totals = row.totals.as_ref().unwrap();
                    (usd(totals.incurred.as_ref()), usd(totals.covered.as_ref()), usd(totals.marginal.as_ref()))
                };
                let rows: Vec<_> =
                    report.rows.iter().map(|row| (row.keys[0].value.clone(), row.keys[1].value.clone(), figures(row))).collect();
                rows
            }
        };
        let key = |month: &str, of: &str, figures: (i64, i64, i64)| (month.to_owned(), of.to_owned(), figures);
        let december = [
            key("2017-11", "2017-11", (135 * 231_70, 135 * 113_00, 135 * 19_00)),
            key("2017-12", "2017-12", (231_70, 113_00, 19_00)),
        ];
        assert_eq!(books(&mut office, "2017-10-01", "2018-01-01").await, december);
        // b45 was kept over its hold's end on 2 January: two days of it are paid.
        let january = [key("2018-01", "2018-01", (31 * 231_71, 2 * 113_00, 31 * 19_00))];
        assert_eq!(books(&mut office, "2018-01-01", "2018-02-01").await, january);

        // In February it comes out that one stay of November had ended a day earlier, and that December's rate was higher.
        office.desk.at("2018-02-02T15:00:00Z");
        let (old, new) = (instant("2017-11-15T17:00:00Z"), instant("2017-11-14T17:00:00Z"));
        let earlier = detainer::domain::booking::Correction {
            end_kind: Some(EndKind::FederalCustody),
            old_end_kind: Some(EndKind::FederalCustody),
            ..correction(CorrectedFact::Ending, "", Some(old), Some(new))
        };
        office.desk.correct("b00", earlier).await;
        let mut dearer = testing::rate("dec", "240.00", DayCount::CalendarDay, day("2017-12-01"));
        dearer.facility = FacilityId::trusted("tgk");
        dearer.marginal = Some(cents("19.00"));
        office.desk.price(dearer).await;
        assert_eq!(books(&mut office, "2017-10-01", "2018-01-01").await, december, "closed");
        assert_eq!(books(&mut office, "2018-01-01", "2018-02-01").await, january, "closed");
        let february = [
            key("2018-02", "2017-11", (-231_70, -113_00, -19_00)),
            key("2018-02", "2017-12", (8_30, 0, 0)),
            key("2018-02", "2018-02", (2 * 231_71, 0, 2 * 19_00)),
        ];
        assert_eq!(books(&mut office, "2018-02-01", "2018-03-01").await, february);

        // Of everything, the books and what is known of custody come to the same; the lines tell what they adjust.
        let period = Some(pb::DateInterval { start_date: date("2017-10-01"), end_date: date("2018-03-01") });
        let known = pb::ReportQuery { county: "counties/c".into(), period, ..pb::ReportQuery::default() };
        let booked = pb::ReportQuery { by_books: true, ..known.clone() };
        // Neither cents nor hours are counted twice where a posting is taken back.
        let mut whole = Vec::new();
        for query in [&known, &booked] {
            let ask = pb::GetCostReportRequest { query: Some(query.clone()), group_by: Vec::new() };
            let total = office.reports.get_cost_report(with(&office.token, ask)).await.unwrap().into_inner().total.unwrap();
            let by_authority: Vec<_> = total.by_authority.iter().map(|part| (part.authority, part.duration)).collect();
            whole.push((total.duration, by_authority, total.hold_count));
        }
        assert_eq!(whole[0], whole[1]);
        let (known, _) = office.cost_lines(known).await;
        let (booked, manifest) = office.cost_lines(booked).await;
        let sum = |lines: &[pb::CostLine]| {
            let totals = lines.iter().map(|line| line.totals.as_ref().unwrap());
            totals.fold((0, 0), |sum, one| (sum.0 + usd(one.incurred.as_ref()), sum.1 + usd(one.covered.as_ref())))
        };
        assert_eq!(sum(&known), sum(&booked));
        let adjusting: Vec<_> = booked.iter().filter(|line| line.accounted_date == date("2018-02-01")).collect();
        assert!(adjusting.iter().any(|line| line.reversal && line.cause() == pb::PostingCause::Correction));
        assert!(adjusting.iter().any(|line| !line.reversal && line.cause() == pb::PostingCause::Rate));
        assert!(booked.iter().any(|line| line.cause() == pb::PostingCause::PeriodClosed), "accrued at a close");
        // Asked again by its own manifest it is the same; by an instant of its own it is refused.
        let asked = manifest.query.clone().unwrap();
        assert_eq!(asked.accrue_until, None);
        let (again, same) = office.cost_lines(asked.clone()).await;
        assert_eq!((again, &same.sha256), (booked, &manifest.sha256));
        let refused = pb::ReportQuery { accrue_until: manifest.accrue_until, ..asked.clone() };
        let ask = pb::GetCostReportRequest { query: Some(refused), group_by: Vec::new() };
        let refused = office.reports.get_cost_report(with(&office.token, ask)).await.unwrap_err();
        assert_eq!(fields(&refused), ["query.accrue_until"]);
        let ask = pb::GetHoldStatisticsRequest { query: Some(asked), group_by: Vec::new() };
        let refused = office.reports.get_hold_statistics(with(&office.token, ask)).await.unwrap_err();
        assert_eq!(fields(&refused), ["query.by_books"]);
        office.desk.close().await;
    }
}
