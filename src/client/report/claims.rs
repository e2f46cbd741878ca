//! What is told of claims, and why a figure changed.
//!
//! The calls about claims carry no manifest. What stands below their rows is made here of what they answer: the point of
//! knowledge, and the digest of the rows as they came. The lines of a claim are checked against the digest that the claim
//! has carried since it was put together, and the changes of a report against both of its totals.

use std::io;

use chrono_tz::Tz;
use sha2::{Digest as _, Sha256};

use super::{End, ReportError};
use crate::client::Client;
use crate::pb;
use crate::sheet::table::Cell;
use crate::sheet::{names, reports, time};

/// The most holds, claims and lines of one page.
const PAGE: i32 = 1_000;

/// The same point by its record.
fn at(pair: Option<&pb::AsOfPair>) -> Option<pb::AsOf> {
    pair.map(|pair| pb::AsOf { point: Some(pb::as_of::Point::Sequence(pair.sequence)) })
}

/// What the rows rest on; their number and digest are put in when all came.
fn rests_on(query: &pb::ReportQuery, pair: Option<pb::AsOfPair>, days: String) -> pb::ReportManifest {
    pb::ReportManifest {
        query: Some(pb::ReportQuery { county: query.county.clone(), as_of: at(pair.as_ref()), ..pb::ReportQuery::default() }),
        as_of_pair: pair,
        zone_rule: days,
        ..pb::ReportManifest::default()
    }
}

/// All claims, or those of an agreement and a state.
pub(super) async fn list(
    client: &Client,
    query: &pb::ReportQuery,
    (agreement, state): (&str, pb::ClaimState),
    zone: Tz,
    row: &mut impl FnMut(Vec<Cell>) -> io::Result<()>,
) -> Result<End, ReportError> {
    let mut page_token = String::new();
    loop {
        let request = pb::ListClaimsRequest {
            parent: query.county.clone(),
            agreement: agreement.to_owned(),
            state: state.into(),
            as_of: query.as_of,
            page_size: PAGE,
            page_token,
        };
        let page = client.list_claims(request).await?;
        page.claims.iter().try_for_each(|one| row(reports::claims::row(one, zone)))?;
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(End::of(rests_on(query, page.as_of_pair, String::new()), None));
        }
    }
}

/// The lines of a claim, and below them what is claimed.
pub(super) async fn lines(
    client: &Client,
    query: &pb::ReportQuery,
    name: &str,
    zone: Tz,
    row: &mut impl FnMut(Vec<Cell>) -> io::Result<()>,
) -> Result<End, ReportError> {
    let known = client.get_claim(pb::GetClaimRequest { name: name.to_owned(), as_of: query.as_of }).await?;
    let claim = known.claim.ok_or(ReportError::Cut)?;
    let as_of = at(known.as_of_pair.as_ref());
    let (mut sum, mut page_token) = (Sum::default(), String::new());
    loop {
        let request = pb::ListClaimLinesRequest { parent: name.to_owned(), as_of, page_size: PAGE, page_token };
        let page = client.list_claim_lines(request).await?;
        for line in &page.lines {
            sum.add(line);
            row(reports::claim_lines::row(line, zone))?;
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    sum.check(&claim)?;
    let id = names::id(name);
    let days = format!("The lines of claim {id}; each day is its facility's own, instants are told in the county's zone");
    let columns = reports::claim_lines::layout();
    let mut total = vec![Cell::Empty; columns.columns.len()];
    for (key, cell) in [("kind", Cell::text("claimed")), ("amount", Cell::money(claim.claimed.as_ref()))] {
        if let Some(place) = columns.place(key).and_then(|n| total.get_mut(n)) {
            *place = cell;
        }
    }
    Ok(End::of(rests_on(query, known.as_of_pair, days), Some(total)))
}

/// What the lines of a claim come to.
#[derive(Default)]
struct Sum {
    hash: Sha256,
    claimed: i128,
}

impl Sum {
    fn add(&mut self, line: &pb::ClaimLine) {
        let kind = line.kind().as_str_name();
        let kind = kind.strip_prefix("CLAIM_LINE_KIND_").unwrap_or(kind);
        let micros = |at: Option<&prost_types::Timestamp>| at.and_then(time::utc).map_or(0, |at| at.timestamp_micros());
        let interval = line.interval.unwrap_or_default();
        let (start, end) = (micros(interval.start_time.as_ref()), micros(interval.end_time.as_ref()));
        let cents = line.amount.as_ref().map_or(0, |amount| amount.cents);
        let (booking, hold) = (names::id(&line.booking), names::id(&line.hold));
        let text = format!("{} {} {booking} {hold} {start} {end} {cents} {kind}\n", line.sequence, line.number);
        self.hash.update(text);
        if line.kind() != pb::ClaimLineKind::Expired {
            self.claimed += i128::from(cents);
        }
    }

    fn check(self, claim: &pb::Claim) -> Result<(), ReportError> {
        let stated = claim.claimed.as_ref().map_or(0, |claimed| claimed.cents);
        let found: [u8; 32] = self.hash.finalize().into();
        if claim.lines_sha256 == found && self.claimed == i128::from(stated) {
            return Ok(());
        }
        let shown = |cents: i128, sha256: &[u8]| format!("{cents} cents in lines of SHA-256 {}", hex::encode(sha256));
        Err(ReportError::Claim { found: shown(self.claimed, &found), stated: shown(stated.into(), &claim.lines_sha256) })
    }
}

/// What agreements owe and what became of it.
pub(super) async fn report(
    client: &Client,
    query: &pb::ReportQuery,
    date: Option<pb::Date>,
    row: &mut impl FnMut(Vec<Cell>) -> io::Result<()>,
) -> Result<End, ReportError> {
    let request = pb::GetClaimReportRequest { county: query.county.clone(), as_of: query.as_of, date };
    let report = client.get_claim_report(request).await?;
    let date = report.date.as_ref();
    report.rows.iter().try_for_each(|one| row(reports::claim_report::row(one, date)))?;
    let counted = Cell::day(date).shown(false);
    let days = format!("Days since billing are counted to {counted}, in the county's zone");
    let total = report.total.as_ref().filter(|_| !report.rows.is_empty()).map(|all| reports::claim_report::total(all, date));
    Ok(End::of(rests_on(query, report.as_of_pair, days), total))
}

/// Holds that have to be claimed soon.
pub(super) async fn unclaimed(
    client: &Client,
    query: &pb::ReportQuery,
    (date, within_days): (Option<pb::Date>, i32),
    zone: Tz,
    row: &mut impl FnMut(Vec<Cell>) -> io::Result<()>,
) -> Result<End, ReportError> {
    let mut page_token = String::new();
    loop {
        let request = pb::ListUnclaimedHoldsRequest {
            parent: query.county.clone(),
            as_of: query.as_of,
            date,
            within_days,
            page_size: PAGE,
            page_token,
        };
        let page = client.list_unclaimed_holds(request).await?;
        page.holds.iter().try_for_each(|one| row(reports::unclaimed::row(one, zone)))?;
        page_token = page.next_page_token;
        if page_token.is_empty() {
            let from = Cell::day(date.as_ref()).shown(false);
            let from = if from.is_empty() { "the day of the record".to_owned() } else { from };
            let days = format!("Last days to file up to {within_days} days after {from}, in each facility's zone");
            return Ok(End::of(rests_on(query, page.as_of_pair, days), None));
        }
    }
}

/// Time and money of changes. Wide enough that no sum of them overflows.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Amount {
    micros: i128,
    incurred: i128,
    covered: i128,
    absorbed: i128,
}

impl Amount {
    fn of(amount: Option<&pb::ChangeAmount>) -> Self {
        let Some(amount) = amount else { return Self::default() };
        let totals = amount.totals.clone().unwrap_or_default();
        let cents = |money: Option<pb::Money>| money.map_or(0, |money| i128::from(money.cents));
        let micros =
            amount.duration.map_or(0, |length| i128::from(length.seconds) * 1_000_000 + i128::from(length.nanos / 1_000));
        Self { micros, incurred: cents(totals.incurred), covered: cents(totals.covered), absorbed: cents(totals.absorbed) }
    }

    /// As the wire has it; nothing where it does not fit.
    fn wire(self, currency: &str) -> Option<pb::ChangeAmount> {
        let money = |cents: i128| Some(Some(pb::Money { currency_code: currency.to_owned(), cents: i64::try_from(cents).ok()? }));
        let duration = prost_types::Duration {
            seconds: i64::try_from(self.micros / 1_000_000).ok()?,
            nanos: i32::try_from(self.micros % 1_000_000 * 1_000).ok()?,
        };
        let totals = pb::CostTotals {
            incurred: money(self.incurred)?,
            covered: money(self.covered)?,
            absorbed: money(self.absorbed)?,
            ..pb::CostTotals::default()
        };
        Some(pb::ChangeAmount { duration: Some(duration), totals: Some(totals) })
    }

    fn plus(self, other: Self) -> Self {
        Self {
            micros: self.micros + other.micros,
            incurred: self.incurred + other.incurred,
            covered: self.covered + other.covered,
            absorbed: self.absorbed + other.absorbed,
        }
    }
}

/// Why the cost report changed since an earlier point.
pub(super) async fn change(
    client: &Client,
    query: pb::ReportQuery,
    before: pb::AsOf,
    before_accrue_until: Option<prost_types::Timestamp>,
    row: &mut impl FnMut(Vec<Cell>) -> io::Result<()>,
) -> Result<End, ReportError> {
    use pb::explain_change_response::Part;
    let request = pb::ExplainChangeRequest { query: Some(query), before: Some(before), before_accrue_until };
    let mut stream = client.explain_change(request).await?;
    let (mut sum, mut summary, mut manifest) = (Amount::default(), None, None);
    while let Some(message) = stream.message().await.map_err(|status| client.error(&status))? {
        match message.part {
            Some(Part::Change(one)) => {
                sum = sum.plus(Amount::of(one.amount.as_ref()));
                row(reports::change::row(&one))?;
            }
            Some(Part::Summary(all)) => summary = Some(all),
            Some(Part::Manifest(last)) => manifest = Some(last),
            Some(Part::AsOfPair(_)) | None => {}
        }
    }
    let (summary, manifest) = (summary.ok_or(ReportError::Cut)?, manifest.ok_or(ReportError::Cut)?);
    explained(&summary, sum)?;
    let currency = summary.after.as_ref().and_then(|after| after.totals.as_ref()?.incurred.as_ref());
    let total = sum.wire(&currency.map(|money| money.currency_code.clone()).unwrap_or_default()).map(|amount| {
        let mut cells = reports::change::row(&pb::Change { amount: Some(amount), ..pb::Change::default() });
        if let Some(first) = cells.first_mut() {
            *first = Cell::text("total");
        }
        cells
    });
    Ok(End { manifest, total, change: Some(summary) })
}

/// Whether what was told leads from the one figure to the other.
fn explained(summary: &pb::ChangeSummary, told: Amount) -> Result<(), ReportError> {
    let by_cause = summary.causes.iter().fold(Amount::default(), |sum, one| sum.plus(Amount::of(one.amount.as_ref())));
    let from = Amount::of(summary.before.as_ref()).plus(told).plus(Amount::of(summary.residual.as_ref()));
    if by_cause == told && from == Amount::of(summary.after.as_ref()) { Ok(()) } else { Err(ReportError::Unexplained) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(cents: i64) -> Option<pb::Money> {
        Some(pb::Money { currency_code: "USD".into(), cents })
    }

    fn amount(seconds: i64, incurred: i64, covered: i64) -> Option<pb::ChangeAmount> {
        let totals = pb::CostTotals {
            incurred: money(incurred),
            covered: money(covered),
            absorbed: money(incurred - covered),
            ..pb::CostTotals::default()
        };
        Some(pb::ChangeAmount { duration: Some(prost_types::Duration { seconds, nanos: 0 }), totals: Some(totals) })
    }

    #[test]
    fn a_change_that_does_not_lead_from_one_figure_to_the_other_is_refused() {
        let rate = pb::ChangeByCause { cause: pb::ChangeCause::Rate.into(), change_count: 1, amount: amount(0, 50, 20) };
        let whole = pb::ChangeSummary {
            before: amount(60, 100, 40),
            after: amount(60, 150, 60),
            causes: vec![rate],
            residual: amount(0, 0, 0),
            ..pb::ChangeSummary::default()
        };
        let told = Amount::of(amount(0, 50, 20).as_ref());
        assert!(explained(&whole, told).is_ok());
        assert_eq!(told.wire("USD"), amount(0, 50, 20));
        let less = Amount::of(amount(-60, -50, -20).as_ref());
        assert_eq!(less.wire("USD"), amount(-60, -50, -20));
        assert_eq!(Amount { incurred: i128::from(i64::MAX) + 1, ..told }.wire("USD"), None);
        // A change was lost on the way; the figure at either end is another; time differs by a second.
        let others = [
            (whole.clone(), Amount::default()),
            (pb::ChangeSummary { before: amount(60, 99, 40), ..whole.clone() }, told),
            (pb::ChangeSummary { after: amount(60, 150, 61), ..whole.clone() }, told),
            (pb::ChangeSummary { after: amount(61, 150, 60), ..whole.clone() }, told),
            (pb::ChangeSummary { causes: vec![], ..whole.clone() }, told),
        ];
        for (summary, told) in others {
            assert!(matches!(explained(&summary, told), Err(ReportError::Unexplained)), "{summary:?}");
        }
        // What is left over is told by the server, and still leads from one to the other.
        let left = pb::ChangeSummary { after: amount(60, 151, 60), residual: amount(0, 1, 0), ..whole };
        assert!(explained(&left, told).is_ok());
    }

    #[test]
    fn lines_are_held_against_the_claim() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let line = |kind: pb::ClaimLineKind, number, cents| pb::ClaimLine {
            kind: kind.into(),
            booking: "counties/c/bookings/b".into(),
            hold: "counties/c/bookings/b/holds/1".into(),
            interval: Some(pb::Interval { start_time: at(1), end_time: at(2) }),
            amount: money(cents),
            sequence: 9,
            number,
            ..pb::ClaimLine::default()
        };
        let lines = [line(pb::ClaimLineKind::Own, 1, 11_300), line(pb::ClaimLineKind::Expired, 2, 5_000)];
        let text = "9 1 b 1 1000000 2000000 11300 OWN\n9 2 b 1 1000000 2000000 5000 EXPIRED\n";
        let lines_sha256 = Sha256::digest(text).to_vec();
        let claim = pb::Claim { claimed: money(11_300), lines_sha256, ..pb::Claim::default() };
        let told = |lines: &[pb::ClaimLine], claim: &pb::Claim| {
            let mut sum = Sum::default();
            lines.iter().for_each(|line| sum.add(line));
            sum.check(claim)
        };
        assert!(told(&lines, &claim).is_ok());
        assert!(told(&lines[..1], &claim).is_err(), "a line is missing");
        assert!(told(&[lines[1].clone(), lines[0].clone()], &claim).is_err(), "in another order");
        assert!(told(&lines, &pb::Claim { claimed: money(16_300), ..claim }).is_err(), "what came too late is not claimed");
    }
}
