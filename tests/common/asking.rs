//! Asking the reports of [`super::decade`] over a real socket, and reading what they say.

use super::Fresh;
use super::decade::{self, NOW};
use super::desk::{Desk, with};
use detainer::domain::testing::instant;
use detainer::domain::time::HOUR_US;
use detainer::pb::report_service_client::ReportServiceClient;
use detainer::pb::{self, GroupBy};
use tonic::transport::Channel;

/// A server on which the decade was told, and its reports.
pub struct Office {
    pub desk: Desk,
    pub reports: ReportServiceClient<Channel>,
    pub admin: String,
}

pub async fn office(fresh: &Fresh) -> Office {
    let desk = Desk::open(fresh, "2013-12-03T15:00:00Z").await;
    decade::tell(&desk).await;
    let reports = ReportServiceClient::new(desk.channel.clone());
    let admin = desk.admin.clone();
    Office { desk, reports, admin }
}

pub fn date(text: &str) -> Option<pb::Date> {
    let mut parts = text.split('-').map(|part| part.parse::<i32>().unwrap());
    Some(pb::Date { year: parts.next().unwrap(), month: parts.next().unwrap(), day: parts.next().unwrap() })
}

pub fn stamp(text: &str) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: instant(text).micros() / 1_000_000, nanos: 0 })
}

/// The whole decade, or the days given, counted to [`NOW`].
pub fn days(start: &str, end: &str) -> pb::ReportQuery {
    let period = Some(pb::DateInterval { start_date: date(start), end_date: date(end) });
    pb::ReportQuery { county: "counties/c".into(), period, accrue_until: stamp(NOW), ..pb::ReportQuery::default() }
}

pub fn decade() -> pb::ReportQuery {
    days("2010-01-01", "2020-01-01")
}

pub fn as_of(seq: i64) -> Option<pb::AsOf> {
    Some(pb::AsOf { point: Some(pb::as_of::Point::Sequence(seq)) })
}

pub fn until(at: &str) -> pb::ReportQuery {
    pb::ReportQuery { accrue_until: stamp(at), ..decade() }
}

/// Incurred, covered, absorbed, in cents.
pub type Money = (i64, i64, i64);

pub fn money(totals: Option<&pb::CostTotals>) -> Money {
    let totals = totals.expect("totals");
    let cents = |money: &Option<pb::Money>| {
        let money = money.as_ref().expect("money");
        assert_eq!(money.currency_code, "USD");
        money.cents
    };
    (cents(&totals.incurred), cents(&totals.covered), cents(&totals.absorbed))
}

pub fn add(a: Money, b: Money) -> Money {
    (a.0 + b.0, a.1 + b.1, a.2 + b.2)
}

pub fn hours(length: Option<&prost_types::Duration>) -> i64 {
    let length = length.expect("a length");
    let us = length.seconds * 1_000_000 + i64::from(length.nanos) / 1_000;
    assert_eq!(us % HOUR_US, 0);
    us / HOUR_US
}

pub fn key(row: &[pb::GroupKey]) -> String {
    row.iter().map(|key| key.value.rsplit('/').next().unwrap_or_default()).collect::<Vec<_>>().join(" ")
}

impl Office {
    pub async fn cost(&mut self, query: pb::ReportQuery, by: &[GroupBy]) -> pb::GetCostReportResponse {
        let group_by = by.iter().map(|by| i32::from(*by)).collect();
        let ask = pb::GetCostReportRequest { query: Some(query), group_by };
        self.reports.get_cost_report(with(&self.admin, ask)).await.unwrap().into_inner()
    }

    pub async fn decisions(&mut self, query: pb::ReportQuery, by: &[GroupBy]) -> pb::GetDecisionReportResponse {
        let group_by = by.iter().map(|by| i32::from(*by)).collect();
        let ask = pb::GetDecisionReportRequest { query: Some(query), group_by };
        self.reports.get_decision_report(with(&self.admin, ask)).await.unwrap().into_inner()
    }

    /// The lines between their point of knowledge and their manifest.
    pub async fn lines(&mut self, query: pb::ReportQuery, booking: &str) -> (Vec<pb::CostLine>, pb::ReportManifest) {
        use pb::stream_cost_lines_response::Part;
        let ask = pb::StreamCostLinesRequest { query: Some(query), booking: booking.into() };
        let mut stream = self.reports.stream_cost_lines(with(&self.admin, ask)).await.unwrap().into_inner();
        let mut parts = Vec::new();
        while let Some(message) = stream.message().await.unwrap() {
            parts.push(message.part.expect("a part"));
        }
        let (Some(Part::AsOfPair(pair)), Some(Part::Manifest(last))) = (parts.first(), parts.last()) else {
            panic!("first the pair, last the manifest: {parts:?}")
        };
        assert_eq!(Some(pair), last.as_of_pair.as_ref());
        let line = |part: &Part| if let Part::Line(line) = part { Some(line.clone()) } else { None };
        let lines: Vec<pb::CostLine> = parts.iter().filter_map(line).collect();
        assert_eq!((lines.len() + 2, lines.len() as i64), (parts.len(), last.row_count));
        (lines, last.clone())
    }

    pub async fn register(&mut self, query: pb::ReportQuery) -> (Vec<pb::HoldRegisterRow>, pb::ReportManifest) {
        use pb::stream_hold_register_response::Part;
        let ask = pb::StreamHoldRegisterRequest { query: Some(query) };
        let mut stream = self.reports.stream_hold_register(with(&self.admin, ask)).await.unwrap().into_inner();
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

    pub async fn over(&mut self, query: pb::ReportQuery, size: i32) -> Vec<pb::GetOverdetentionReportResponse> {
        let mut ask = pb::GetOverdetentionReportRequest {
            query: Some(query),
            page_size: size,
            ..pb::GetOverdetentionReportRequest::default()
        };
        let mut pages = Vec::new();
        loop {
            let page = self.reports.get_overdetention_report(with(&self.admin, ask.clone())).await.unwrap().into_inner();
            ask.page_token.clone_from(&page.next_page_token);
            pages.push(page);
            if ask.page_token.is_empty() {
                return pages;
            }
        }
    }
}

/// Every key.
pub const ALL: [GroupBy; 11] = [
    GroupBy::Month,
    GroupBy::Week,
    GroupBy::Facility,
    GroupBy::Office,
    GroupBy::Component,
    GroupBy::Revision,
    GroupBy::Mode,
    GroupBy::Agreement,
    GroupBy::FormEdition,
    GroupBy::EndReason,
    GroupBy::DecisionReason,
];

/// A query for one value of one key, as a report's row names it.
pub fn only(query: &pb::ReportQuery, key: &pb::GroupKey) -> pb::ReportQuery {
    let (mut query, value) = (query.clone(), key.value.clone());
    if value.is_empty() {
        query.without.push(key.group_by);
        return query;
    }
    let number = |found: Option<i32>| found.unwrap_or_else(|| panic!("{value} is a word"));
    match key.group_by() {
        GroupBy::Facility => query.facilities.push(value),
        GroupBy::Office => query.office_codes.push(value),
        GroupBy::Component => query.components.push(number(pb::IssuingComponent::from_str_name(&value).map(i32::from))),
        GroupBy::Revision => query.policy_revisions.push(value),
        GroupBy::Mode => query.policy_modes.push(number(pb::PolicyMode::from_str_name(&value).map(i32::from))),
        GroupBy::Agreement => query.agreements.push(value),
        GroupBy::FormEdition => query.form_editions.push(number(pb::FormEdition::from_str_name(&value).map(i32::from))),
        GroupBy::EndReason => query.end_reasons.push(number(pb::HoldEndReason::from_str_name(&value).map(i32::from))),
        GroupBy::DecisionReason => query.decision_reasons.push(number(pb::DecisionReason::from_str_name(&value).map(i32::from))),
        GroupBy::Unspecified | GroupBy::Month | GroupBy::Week | GroupBy::CustodyMonth => panic!("the period asks for days"),
    }
    query
}
