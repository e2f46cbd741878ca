//! `ReportService`: what happened in a stretch of days, as it was known at one exact point.
//!
//! A report is a function of its query, the point and the instant counted to, all of which its manifest states; asked
//! again with these it gives the same bytes. What is counted, and how, lies in [`crate::report`]; here stays are handed
//! to it part by part ([`stays`]), so that memory does not grow with the county.

mod change;
mod claims;
mod custody;
mod file;
mod filter;
mod holds;
mod query;
mod requests;
mod simulation;
mod statutory;
mod stays;
mod wire;

use super::auth::principal;
use super::names;
use super::paging::{Page, Resume};
use super::time::{Fields, wire_pair};
use super::watch::{self, Sender, Sent};
use super::{Api, error};
use crate::domain::ids::{BookingId, RevisionId};
use crate::domain::time::Instant;
use crate::pb::{self, ErrorReason};
use crate::report::cells::{self, CellsError};
use crate::report::cost::Sums;
use crate::report::overdetention::{self, OverdetentionRow};
use crate::report::{GroupBy, ReportError, Totals, lines};
use crate::sheet::reports as sheets;
use file::File;
use query::Asked;
use stays::Stays;
use std::collections::{BTreeMap, BTreeSet};
use tonic::{Request, Response, Status};

/// Rows of one answer that is not a stream.
const MOST_ROWS: usize = 20_000;
/// Rows of over-detention that are kept in memory to be sorted.
const MOST_SORTED: usize = 50_000;
/// Names that are looked up by one statement and kept in memory at a time.
const NAMES: u32 = 20_000;

/// Versions of the rules by which each report counts. A change that gives other figures for the same records is a new
/// version.
mod version {
    pub const REGISTER: &str = "hold-register/1";
    pub const STATISTICS: &str = "hold-statistics/1";
    pub const DECISIONS: &str = "decision-report/1";
    pub const DECLINED: &str = "declined-detainers/1";
    pub const DUTIES: &str = "duty-report/1";
    pub const COST: &str = "cost-report/2";
    pub const LINES: &str = "cost-lines/3";
    pub const CHANGE: &str = "change/1";
    pub const CERTIFICATE: &str = "daily-certificate/1";
    pub const BAIL: &str = "bail-eligible/1";
    pub const GEORGIA: &str = "georgia-quarterly/1";
    pub const NORTH_CAROLINA: &str = "north-carolina-annual/1";
    pub const OVERDETENTION: &str = "overdetention-report/1";
}

fn uncounted(error: &ReportError) -> Status {
    use crate::domain::cost::CostError;
    match error {
        ReportError::Overflow(_) | ReportError::Cost(CostError::Overflow(_)) => {
            error::status(ErrorReason::AmountOverflow, "a sum is larger than 64-bit cents can hold: ask for fewer days")
        }
        ReportError::Cost(error) => {
            tracing::error!(%error, "custody that cannot be priced");
            error::status(ErrorReason::Internal, "a defect of the server; its log has more")
        }
    }
}

fn too_many_rows() -> Status {
    let why = format!("would give more than {MOST_ROWS} rows: slice by fewer keys or ask for fewer days");
    error::bad_fields(ErrorReason::LimitExceeded, vec![("group_by".into(), why)])
}

async fn send<M>(sender: &Sender<M>, message: M) {
    // An error says that nobody listens: the task is about to end for that very reason.
    let _ = sender.send(Ok(message)).await;
}

/// Tells cost lines, booking by booking.
async fn tell_lines(
    api: Api,
    asked: Asked,
    booking: Option<BookingId>,
    sender: Sender<pb::StreamCostLinesResponse>,
) -> Result<(), Status> {
    use pb::stream_cost_lines_response::Part;
    let part = |part| pb::StreamCostLinesResponse { part: Some(part) };
    send(&sender, part(Part::AsOfPair(wire_pair(asked.pair)))).await;
    let (mut file, mut revisions) = (File::new(&sheets::lines::layout())?, BTreeSet::new());
    let mut stays = Stays::new(booking);
    while let Some(some) = stays.next(&api, &asked).await? {
        for stay in some {
            let shown = lines::merged(lines::asked(&asked.query, &stay)).map_err(|error| uncounted(&error))?;
            for line in shown {
                revisions.extend(line.cost.revision.clone());
                let line = wire::line(&asked, &line)?;
                file.row(&sheets::lines::row(&line))?;
                send(&sender, part(Part::Line(line))).await;
            }
        }
    }
    send(&sender, part(Part::Manifest(asked.manifest(version::LINES, &revisions, file.sum()?)))).await;
    Ok(())
}

#[tonic::async_trait]
impl pb::report_service_server::ReportService for Api {
    type StreamHoldRegisterStream = Sent<pb::StreamHoldRegisterResponse>;

    async fn stream_hold_register(
        &self,
        request: Request<pb::StreamHoldRegisterRequest>,
    ) -> Result<Response<Self::StreamHoldRegisterStream>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let asked = Asked::read(self, &caller, Fields::new(), request.query.as_ref(), None).await?;
        let api = self.clone();
        Ok(Response::new(watch::sent(self, |sender| holds::tell(api, asked, sender))))
    }

    async fn get_hold_statistics(
        &self,
        request: Request<pb::GetHoldStatisticsRequest>,
    ) -> Result<Response<pb::GetHoldStatisticsResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        holds::statistics(self, &caller, &request).await.map(Response::new)
    }

    async fn get_decision_report(
        &self,
        request: Request<pb::GetDecisionReportRequest>,
    ) -> Result<Response<pb::GetDecisionReportResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        requests::decisions(self, &caller, &request).await.map(Response::new)
    }

    type StreamDeclinedDetainersStream = Sent<pb::StreamDeclinedDetainersResponse>;

    async fn stream_declined_detainers(
        &self,
        request: Request<pb::StreamDeclinedDetainersRequest>,
    ) -> Result<Response<Self::StreamDeclinedDetainersStream>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let query = request.query.as_ref();
        let asked = Asked::read_for(self, &caller, Fields::new(), query, None, &requests::KEYS).await?;
        let api = self.clone();
        Ok(Response::new(watch::sent(self, |sender| requests::tell_declined(api, asked, sender))))
    }

    async fn get_duty_report(
        &self,
        request: Request<pb::GetDutyReportRequest>,
    ) -> Result<Response<pb::GetDutyReportResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        requests::duties(self, &caller, &request).await.map(Response::new)
    }

    async fn get_cost_report(
        &self,
        request: Request<pb::GetCostReportRequest>,
    ) -> Result<Response<pb::GetCostReportResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let by = query::group_by(&mut fields, &request.group_by, &GroupBy::OF_MONEY);
        let asked = Asked::read_for(self, &caller, fields, request.query.as_ref(), None, &GroupBy::OF_MONEY).await?;
        let (mut sums, mut revisions) = (Sums::new(&by), BTreeSet::<RevisionId>::new());
        let store = self.ledger.store();
        let added = cells::add(store, &asked.id, asked.pair.seq, &asked.query, &by, &mut sums, &mut revisions).await;
        let added = added.map_err(|error| match error {
            CellsError::Store(error) => error::of_store(&error),
            CellsError::Report(error) => uncounted(&error),
        })?;
        let mut stays = if added { Stays::beyond() } else { Stays::new(None) };
        while let Some(some) = stays.next(self, &asked).await? {
            for stay in some {
                let lines = lines::asked(&asked.query, &stay);
                revisions.extend(lines.iter().filter_map(|line| line.cost.revision.clone()));
                sums.add(&lines).map_err(|error| uncounted(&error))?;
            }
            if sums.len() > MOST_ROWS {
                return Err(too_many_rows());
            }
        }
        let (rows, total) = sums.finish();
        let rows: Vec<pb::CostReportRow> = rows.iter().map(|row| wire::cost_row(&asked, &by, row)).collect::<Result<_, _>>()?;
        let layout = sheets::cost::layout(&sheets::keys_of(&request.group_by));
        let file = File::of(&layout, rows.iter().map(sheets::cost::row))?;
        Ok(Response::new(pb::GetCostReportResponse {
            manifest: Some(asked.manifest(version::COST, &revisions, file)),
            rows,
            total: Some(wire::cost_row(&asked, &[], &total)?),
        }))
    }

    async fn get_daily_certificate(
        &self,
        request: Request<pb::GetDailyCertificateRequest>,
    ) -> Result<Response<pb::GetDailyCertificateResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        custody::certificate(self, &caller, &request).await.map(Response::new)
    }

    async fn list_bail_eligible(
        &self,
        request: Request<pb::ListBailEligibleRequest>,
    ) -> Result<Response<pb::ListBailEligibleResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        custody::bail_eligible(self, &caller, &request).await.map(Response::new)
    }

    async fn get_georgia_quarterly_report(
        &self,
        request: Request<pb::GetGeorgiaQuarterlyReportRequest>,
    ) -> Result<Response<pb::GetGeorgiaQuarterlyReportResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        statutory::georgia(self, &caller, &request).await.map(Response::new)
    }

    async fn get_north_carolina_annual_report(
        &self,
        request: Request<pb::GetNorthCarolinaAnnualReportRequest>,
    ) -> Result<Response<pb::GetNorthCarolinaAnnualReportResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        statutory::north_carolina(self, &caller, &request).await.map(Response::new)
    }

    async fn compare_modes(
        &self,
        request: Request<pb::CompareModesRequest>,
    ) -> Result<Response<pb::CompareModesResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        self.compare_modes_for(&caller, request).await.map(Response::new)
    }

    type ExplainChangeStream = Sent<pb::ExplainChangeResponse>;

    async fn explain_change(
        &self,
        request: Request<pb::ExplainChangeRequest>,
    ) -> Result<Response<Self::ExplainChangeStream>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let two = change::Two::read(self, &caller, &request).await?;
        let api = self.clone();
        Ok(Response::new(watch::sent(self, |sender| change::tell(api, two, sender))))
    }

    async fn close_period(&self, request: Request<pb::ClosePeriodRequest>) -> Result<Response<pb::ClosePeriodResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        self.close_period_for(&caller, request).await.map(Response::new)
    }

    async fn list_period_closes(
        &self,
        request: Request<pb::ListPeriodClosesRequest>,
    ) -> Result<Response<pb::ListPeriodClosesResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        self.list_period_closes_for(&caller, request).await.map(Response::new)
    }

    async fn create_claim(&self, request: Request<pb::CreateClaimRequest>) -> Result<Response<pb::CreateClaimResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        self.create_claim_for(&caller, request).await.map(Response::new)
    }

    async fn update_claim(&self, request: Request<pb::UpdateClaimRequest>) -> Result<Response<pb::UpdateClaimResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        self.update_claim_for(&caller, request).await.map(Response::new)
    }

    async fn get_claim(&self, request: Request<pb::GetClaimRequest>) -> Result<Response<pb::GetClaimResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        self.get_claim_for(&caller, request).await.map(Response::new)
    }

    async fn list_claims(&self, request: Request<pb::ListClaimsRequest>) -> Result<Response<pb::ListClaimsResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        self.list_claims_for(&caller, request).await.map(Response::new)
    }

    async fn list_claim_lines(
        &self,
        request: Request<pb::ListClaimLinesRequest>,
    ) -> Result<Response<pb::ListClaimLinesResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        self.list_claim_lines_for(&caller, request).await.map(Response::new)
    }

    async fn get_claim_report(
        &self,
        request: Request<pb::GetClaimReportRequest>,
    ) -> Result<Response<pb::GetClaimReportResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        self.claim_report_for(&caller, request).await.map(Response::new)
    }

    async fn list_unclaimed_holds(
        &self,
        request: Request<pb::ListUnclaimedHoldsRequest>,
    ) -> Result<Response<pb::ListUnclaimedHoldsResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        self.list_unclaimed_holds_for(&caller, request).await.map(Response::new)
    }
    type StreamCostLinesStream = Sent<pb::StreamCostLinesResponse>;

    async fn stream_cost_lines(
        &self,
        request: Request<pb::StreamCostLinesRequest>,
    ) -> Result<Response<Self::StreamCostLinesStream>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let booking = fields.optional_name("booking", &request.booking, names::booking);
        let county = request.query.as_ref().map(|query| query.county.as_str());
        if booking.as_ref().is_some_and(|(of, _)| county != Some(names::of::county(of).as_str())) {
            fields.bad("booking", "must be of the county that is asked about");
        }
        let asked = Asked::read_for(self, &caller, fields, request.query.as_ref(), None, &GroupBy::OF_MONEY).await?;
        let booking = booking.map(|(_, booking)| booking);
        if let Some(id) = &booking {
            let found = stays::states(self, &asked, std::slice::from_ref(id)).await?;
            if !found.contains_key(id) {
                return Err(error::not_found("booking", &request.booking));
            }
        }
        let api = self.clone();
        Ok(Response::new(watch::sent(self, |sender| tell_lines(api, asked, booking, sender))))
    }

    async fn get_overdetention_report(
        &self,
        request: Request<pb::GetOverdetentionReportRequest>,
    ) -> Result<Response<pb::GetOverdetentionReportResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let of_pages = pb::GetOverdetentionReportRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "GetOverdetentionReport", &of_pages, request.page_size, &request.page_token, 1_000)?;
        // Over-detention needs no detainer: only places are keys of it.
        let (fields, places) = (Fields::new(), [GroupBy::Facility]);
        let asked = Asked::read_for(self, &caller, fields, request.query.as_ref(), page.resume.as_ref(), &places).await?;
        let after = page.resume.as_ref().and_then(|resume| read_key(&resume.key));

        let (mut shown, mut totals) = (BTreeMap::new(), Totals::default());
        let (mut file, mut sorted) = (File::new(&sheets::overdetention::layout())?, Sorted::new(MOST_SORTED));
        while sorted.more {
            let mut stays = Stays::new(None);
            while let Some(some) = stays.next(self, &asked).await? {
                for stay in some {
                    let rows = overdetention::rows(&asked.query, &asked.county, &stay).map_err(|error| uncounted(&error))?;
                    for row in rows {
                        let key = (row.since, row.booking.clone());
                        if sorted.is_first() {
                            totals = totals.try_add(row.totals).map_err(|error| uncounted(&error.into()))?;
                            keep(&mut shown, key.clone(), row.clone(), after.as_ref(), page.size);
                        }
                        sorted.keep(key, row);
                    }
                }
            }
            sorted.tell(|row| file.row(&sheets::overdetention::row(&wire::overdetention_row(&asked, &row)?)))?;
        }
        let more = shown.len() > page.size;
        let rows: Vec<OverdetentionRow> = shown.into_values().take(page.size).collect();
        let next_page_token = match rows.last() {
            Some(last) if more => {
                let key = format!("{} {}", last.since.micros(), last.booking);
                page.token(&self.opaque, &Resume { seq: asked.pair.seq, at: asked.query.until.micros(), key })
            }
            _ => String::new(),
        };
        Ok(Response::new(pb::GetOverdetentionReportResponse {
            manifest: Some(asked.manifest(version::OVERDETENTION, &BTreeSet::new(), file.sum()?)),
            rows: rows.iter().map(|row| wire::overdetention_row(&asked, row)).collect::<Result<_, _>>()?,
            next_page_token,
            totals: Some(wire::totals(&asked, totals)?),
        }))
    }
}

/// By since when and booking.
type RowKey = (Instant, BookingId);

/// Keeps a row among the first of those after a key, and one more that tells whether there are more.
fn keep<R>(shown: &mut BTreeMap<RowKey, R>, key: RowKey, row: R, after: Option<&RowKey>, size: usize) {
    if after.is_none_or(|after| key > *after) {
        shown.insert(key, row);
        if shown.len() > size + 1 {
            shown.pop_last();
        }
    }
}

/// Rows taken into the file in their order, however many there are: as many as are kept at a time in one reading of the
/// stays, the rest in further ones.
struct Sorted<R> {
    rows: BTreeMap<RowKey, R>,
    most: usize,
    /// The last row that was taken in.
    after: Option<RowKey>,
    /// There are rows that were not taken in.
    more: bool,
}

impl<R> Sorted<R> {
    fn new(most: usize) -> Self {
        Self { rows: BTreeMap::new(), most, after: None, more: true }
    }

    fn is_first(&self) -> bool {
        self.after.is_none()
    }

    fn keep(&mut self, key: RowKey, row: R) {
        keep(&mut self.rows, key, row, self.after.as_ref(), self.most);
    }

    /// Takes in what was kept.
    fn tell(&mut self, mut take: impl FnMut(R) -> Result<(), Status>) -> Result<(), Status> {
        self.more = self.rows.len() > self.most;
        for (key, row) in std::mem::take(&mut self.rows).into_iter().take(self.most) {
            take(row)?;
            self.after = Some(key);
        }
        Ok(())
    }
}

fn read_key(key: &str) -> Option<RowKey> {
    let (since, booking) = key.split_once(' ')?;
    Some((Instant::from_micros(since.parse().ok()?), BookingId::trusted(booking)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_sorted_and_once_however_few_are_kept_at_a_time() {
        let keys: Vec<RowKey> =
            (0..23).map(|n| (Instant::from_micros(n * 7 % 23), BookingId::trusted(&format!("b{n}")))).collect();
        let mut expected = keys.clone();
        expected.sort();
        for most in [1, 2, 5, 22, 23, 24, 100] {
            let (mut sorted, mut told, mut readings) = (Sorted::new(most), Vec::new(), 0);
            while sorted.more {
                readings += 1;
                keys.iter().for_each(|key| sorted.keep(key.clone(), key.clone()));
                assert!(sorted.rows.len() <= most + 1);
                sorted
                    .tell(|row| {
                        told.push(row);
                        Ok(())
                    })
                    .unwrap();
            }
            assert_eq!((&told, readings), (&expected, keys.len().div_ceil(most)), "{most} at a time");
        }
        let mut none = Sorted::<()>::new(1);
        none.tell(|()| Ok(())).unwrap();
        assert!(!none.more);
    }
}
