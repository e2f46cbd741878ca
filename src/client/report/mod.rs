//! Reports asked for and told row by row, whichever call answers them: a stream, one answer, or pages.
//!
//! The rows come as cells of the report's layout. While they pass, the canonical file's digest is reckoned anew: a report
//! that is cut short, or whose rows are not those that the server summed up, ends in an error, so that nobody keeps it.
//!
//! To add a report: a case of [`What`], its layout and its call here.

mod claims;
pub mod file;
pub mod pack;
pub mod write;

use std::io;

use chrono_tz::Tz;

use super::{Client, ClientError};
use crate::pb;
use crate::sheet::canonical::{Digest, Sum};
use crate::sheet::reports::{self, Layout};
use crate::sheet::table::Cell;

/// Which report.
#[derive(Clone, Debug)]
pub enum What {
    /// The hold register.
    Register,
    /// How long people were held, sliced by some keys.
    Statistics(Vec<pb::GroupBy>),
    /// How detainers were answered, sliced by some keys.
    Decisions(Vec<pb::GroupBy>),
    /// The requests that were not honored.
    Declined,
    /// What fell due to be told, sliced by some keys.
    Duties(Vec<pb::GroupBy>),
    /// What custody after T0 cost, sliced by some keys.
    Cost(Vec<pb::GroupBy>),
    /// The lines of the cost: of one booking, `counties/{county}/bookings/{booking}`, or where it is empty of all.
    Lines(String),
    /// The period under several policies: the usual three, and others.
    Policies(Vec<pb::SupposedRule>),
    /// Custody that nothing covered.
    Overdetention,
    /// One jail on one local day: the query names the jail and the day.
    Certificate,
    /// People who could post bail and have a detainer, at the instant counted to: the query has no period.
    BailEligible,
    /// What Georgia asks for, of a quarter.
    Georgia,
    /// What North Carolina asks for, of a year.
    NorthCarolina,
    /// Claims. Of the query only the county and the point of knowledge count, here and in the three that follow.
    Claims {
        /// Only of this agreement, `counties/{county}/agreements/{agreement}`; empty: of all.
        agreement: String,
        /// Only those that stand here; unspecified: wherever.
        state: pb::ClaimState,
        /// The county's zone, in which instants are told.
        zone: Tz,
    },
    /// The lines of a claim.
    ClaimLines {
        /// `counties/{county}/claims/{claim}`.
        claim: String,
        /// The county's zone, in which instants are told.
        zone: Tz,
    },
    /// What agreements owe and what became of it.
    ClaimReport {
        /// The day that ages are counted to; nothing: that of the point of knowledge.
        date: Option<pb::Date>,
    },
    /// Holds that have to be claimed soon.
    UnclaimedHolds {
        /// The day asked about; nothing: that of the point of knowledge.
        date: Option<pb::Date>,
        /// Those whose last day to file is at most so many days ahead.
        within_days: i32,
        /// The county's zone, in which instants are told.
        zone: Tz,
    },
    /// Why the cost report that the query asks for is not what it was.
    Change {
        /// The earlier point.
        before: pb::AsOf,
        /// Up to when open custody was counted there; nothing: the instant of the point.
        before_accrue_until: Option<prost_types::Timestamp>,
    },
}

/// What stands below a report's rows.
#[derive(Clone, Debug)]
pub struct End {
    /// What it was asked and what it rests on. Its query asks for exactly this report again.
    pub manifest: pb::ReportManifest,
    /// A row that adds up the others, where there is one.
    pub total: Option<Vec<Cell>>,
    /// Both figures and what lies between, where the rows are changes.
    pub change: Option<pb::ChangeSummary>,
}

impl End {
    fn of(manifest: pb::ReportManifest, total: Option<Vec<Cell>>) -> Self {
        Self { manifest, total, change: None }
    }
}

/// Why a report did not come whole.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A call failed.
    #[error("{0}")]
    Call(#[from] ClientError),
    /// It ended before its manifest.
    #[error("the report was cut short; ask again")]
    Cut,
    /// Its rows are not those that its manifest speaks of.
    #[error("the rows are not those that the manifest speaks of: {found}, where it says {stated}")]
    Other {
        /// What came.
        found: String,
        /// What was stated.
        stated: String,
    },
    /// The lines of a claim are not those that it was made of.
    #[error("the lines are not those of the claim: {found}, where the claim says {stated}")]
    Claim {
        /// What came.
        found: String,
        /// What was stated.
        stated: String,
    },
    /// The changes do not lead from the earlier figure to the later.
    #[error("the changes that were told do not lead from the earlier figure to the later; ask again")]
    Unexplained,
    /// The rows could not be written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl What {
    /// The columns, and how they are called.
    #[must_use]
    pub fn layout(&self) -> Layout {
        match self {
            Self::Register => reports::register::layout(),
            Self::Statistics(by) => reports::statistics::layout(by),
            Self::Decisions(by) => reports::decisions::layout(by),
            Self::Declined => reports::declined::layout(),
            Self::Duties(by) => reports::duties::layout(by),
            Self::Cost(by) => reports::cost::layout(by),
            Self::Lines(_) => reports::lines::layout(),
            Self::Policies(_) => reports::comparison::layout(),
            Self::Overdetention => reports::overdetention::layout(),
            Self::Certificate => reports::certificate::layout(),
            Self::BailEligible => reports::bail::layout(),
            Self::Georgia => reports::statutory::georgia(),
            Self::NorthCarolina => reports::statutory::north_carolina(),
            Self::Claims { .. } => reports::claims::layout(),
            Self::ClaimLines { .. } => reports::claim_lines::layout(),
            Self::ClaimReport { .. } => reports::claim_report::layout(),
            Self::UnclaimedHolds { .. } => reports::unclaimed::layout(),
            Self::Change { .. } => reports::change::layout(),
        }
    }

    /// By what its rows are sliced.
    #[must_use]
    pub fn keys(&self) -> &[pb::GroupBy] {
        if let Self::Decisions(by) | Self::Cost(by) = self { by } else { &[] }
    }

    /// Whether the server sums its rows up. Of the others the digest is that of what came.
    fn is_summed_up(&self) -> bool {
        !matches!(self, Self::Claims { .. } | Self::ClaimLines { .. } | Self::ClaimReport { .. } | Self::UnclaimedHolds { .. })
    }

    /// Asks for the report and tells its rows one by one.
    ///
    /// # Errors
    /// [`ReportError`]. What was told until then is no report.
    pub async fn tell(
        &self,
        client: &Client,
        query: pb::ReportQuery,
        mut row: impl FnMut(Vec<Cell>) -> io::Result<()>,
    ) -> Result<End, ReportError> {
        let mut digest = Digest::new(&self.layout().columns)?;
        let mut end = {
            let mut told = |cells: Vec<Cell>| {
                digest.row(&cells)?;
                row(cells)
            };
            self.ask(client, query, &mut told).await?
        };
        let came = digest.finish()?;
        if self.is_summed_up() {
            checked(came, &end.manifest)?;
        } else {
            (end.manifest.sha256, end.manifest.row_count) = (came.sha256.to_vec(), came.rows);
        }
        Ok(end)
    }

    async fn ask(
        &self,
        client: &Client,
        query: pb::ReportQuery,
        row: &mut impl FnMut(Vec<Cell>) -> io::Result<()>,
    ) -> Result<End, ReportError> {
        match self {
            Self::Register => register(client, query, row).await,
            Self::Statistics(by) => {
                let request = pb::GetHoldStatisticsRequest { query: Some(query), group_by: numbers(by) };
                let report = client.get_hold_statistics(request).await?;
                report.rows.iter().try_for_each(|one| row(reports::statistics::row(one)))?;
                let total = report.total.filter(|_| !by.is_empty());
                end(report.manifest, total.map(|total| reports::statistics::total(&total, by.len())))
            }
            Self::Decisions(by) => {
                let request = pb::GetDecisionReportRequest { query: Some(query), group_by: numbers(by) };
                let report = client.get_decision_report(request).await?;
                report.rows.iter().try_for_each(|one| row(reports::decisions::row(one)))?;
                let total = report.total.filter(|_| !by.is_empty());
                end(report.manifest, total.map(|total| reports::decisions::total(&total, by.len())))
            }
            Self::Declined => declined(client, query, row).await,
            Self::Duties(by) => {
                let request = pb::GetDutyReportRequest { query: Some(query), group_by: numbers(by) };
                let report = client.get_duty_report(request).await?;
                report.rows.iter().try_for_each(|one| row(reports::duties::row(one)))?;
                end(report.manifest, report.total.map(|total| reports::duties::total(&total, by.len())))
            }
            Self::Cost(by) => {
                let request = pb::GetCostReportRequest { query: Some(query), group_by: numbers(by) };
                let report = client.get_cost_report(request).await?;
                report.rows.iter().try_for_each(|one| row(reports::cost::row(one)))?;
                let total = report.total.filter(|_| !by.is_empty());
                end(report.manifest, total.map(|total| reports::cost::total(&total, by.len())))
            }
            Self::Lines(booking) => lines(client, query, booking, row).await,
            Self::Policies(others) => {
                let request = pb::CompareModesRequest { query: Some(query), others: others.clone() };
                let report = client.compare_modes(request).await?;
                report.columns.iter().try_for_each(|one| row(reports::comparison::row(one)))?;
                end(report.manifest, None)
            }
            Self::Overdetention => overdetention(client, query, row).await,
            Self::Certificate => {
                let report = client.get_daily_certificate(pb::GetDailyCertificateRequest { query: Some(query) }).await?;
                let certificate = report.certificate.ok_or(ReportError::Cut)?;
                reports::certificate::rows(&certificate).into_iter().try_for_each(row)?;
                end(report.manifest, None)
            }
            Self::BailEligible => bail_eligible(client, query, row).await,
            Self::Georgia => {
                let request = pb::GetGeorgiaQuarterlyReportRequest { query: Some(query) };
                let report = client.get_georgia_quarterly_report(request).await?;
                let counts = report.counts.ok_or(ReportError::Cut)?;
                row(reports::statutory::georgia_row(&counts, &report.not_recorded))?;
                end(report.manifest, None)
            }
            Self::NorthCarolina => {
                let request = pb::GetNorthCarolinaAnnualReportRequest { query: Some(query) };
                let report = client.get_north_carolina_annual_report(request).await?;
                let counts = report.counts.ok_or(ReportError::Cut)?;
                row(reports::statutory::north_carolina_row(&counts, &report.not_recorded))?;
                end(report.manifest, None)
            }
            Self::Claims { agreement, state, zone } => claims::list(client, &query, (agreement, *state), *zone, row).await,
            Self::ClaimLines { claim, zone } => claims::lines(client, &query, claim, *zone, row).await,
            Self::ClaimReport { date } => claims::report(client, &query, *date, row).await,
            Self::UnclaimedHolds { date, within_days, zone } => {
                claims::unclaimed(client, &query, (*date, *within_days), *zone, row).await
            }
            Self::Change { before, before_accrue_until } => {
                claims::change(client, query, *before, *before_accrue_until, row).await
            }
        }
    }
}

/// Whether what came is what a manifest speaks of.
///
/// # Errors
/// [`ReportError::Other`].
pub fn checked(found: Sum, stated: &pb::ReportManifest) -> Result<(), ReportError> {
    if stated.sha256 == found.sha256 && stated.row_count == found.rows {
        return Ok(());
    }
    let shown = |rows: i64, sha256: &[u8]| format!("{rows} rows of SHA-256 {}", hex::encode(sha256));
    Err(ReportError::Other { found: shown(found.rows, &found.sha256), stated: shown(stated.row_count, &stated.sha256) })
}

fn numbers(by: &[pb::GroupBy]) -> Vec<i32> {
    by.iter().map(|by| i32::from(*by)).collect()
}

fn end(manifest: Option<pb::ReportManifest>, total: Option<Vec<Cell>>) -> Result<End, ReportError> {
    Ok(End::of(manifest.ok_or(ReportError::Cut)?, total))
}

async fn register(
    client: &Client,
    query: pb::ReportQuery,
    row: &mut impl FnMut(Vec<Cell>) -> io::Result<()>,
) -> Result<End, ReportError> {
    use pb::stream_hold_register_response::Part;
    let mut manifest = None;
    let mut stream = client.stream_hold_register(pb::StreamHoldRegisterRequest { query: Some(query) }).await?;
    while let Some(message) = stream.message().await.map_err(|status| client.error(&status))? {
        match message.part {
            Some(Part::Row(one)) => row(reports::register::row(&one))?,
            Some(Part::Manifest(last)) => manifest = Some(last),
            Some(Part::AsOfPair(_)) | None => {}
        }
    }
    end(manifest, None)
}

async fn declined(
    client: &Client,
    query: pb::ReportQuery,
    row: &mut impl FnMut(Vec<Cell>) -> io::Result<()>,
) -> Result<End, ReportError> {
    use pb::stream_declined_detainers_response::Part;
    let mut manifest = None;
    let mut stream = client.stream_declined_detainers(pb::StreamDeclinedDetainersRequest { query: Some(query) }).await?;
    while let Some(message) = stream.message().await.map_err(|status| client.error(&status))? {
        match message.part {
            Some(Part::Row(one)) => row(reports::declined::row(&one))?,
            Some(Part::Manifest(last)) => manifest = Some(last),
            Some(Part::AsOfPair(_)) | None => {}
        }
    }
    end(manifest, None)
}

async fn lines(
    client: &Client,
    query: pb::ReportQuery,
    booking: &str,
    row: &mut impl FnMut(Vec<Cell>) -> io::Result<()>,
) -> Result<End, ReportError> {
    use pb::stream_cost_lines_response::Part;
    let mut manifest = None;
    let request = pb::StreamCostLinesRequest { query: Some(query), booking: booking.to_owned() };
    let mut stream = client.stream_cost_lines(request).await?;
    while let Some(message) = stream.message().await.map_err(|status| client.error(&status))? {
        match message.part {
            Some(Part::Line(one)) => row(reports::lines::row(&one))?,
            Some(Part::Manifest(last)) => manifest = Some(last),
            Some(Part::AsOfPair(_)) | None => {}
        }
    }
    end(manifest, None)
}

async fn overdetention(
    client: &Client,
    query: pb::ReportQuery,
    row: &mut impl FnMut(Vec<Cell>) -> io::Result<()>,
) -> Result<End, ReportError> {
    let mut page_token = String::new();
    loop {
        let request = pb::GetOverdetentionReportRequest { query: Some(query.clone()), page_size: 1_000, page_token };
        let page = client.get_overdetention_report(request).await?;
        page.rows.iter().try_for_each(|one| row(reports::overdetention::row(one)))?;
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return end(page.manifest, None);
        }
    }
}

async fn bail_eligible(
    client: &Client,
    query: pb::ReportQuery,
    row: &mut impl FnMut(Vec<Cell>) -> io::Result<()>,
) -> Result<End, ReportError> {
    let mut page_token = String::new();
    loop {
        let request = pb::ListBailEligibleRequest { query: Some(query.clone()), page_size: 1_000, page_token };
        let page = client.list_bail_eligible(request).await?;
        page.rows.iter().try_for_each(|one| row(reports::bail::row(one)))?;
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return end(page.manifest, None);
        }
    }
}
