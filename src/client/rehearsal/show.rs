//! The board and the cost report of a county, printed.

use std::io::Write;

use chrono::NaiveDate;

use crate::client::Client;
use crate::client::error::ClientError;
use crate::pb;
use crate::sheet::table::Look;
use crate::sheet::{board, reports, time};

/// Why something could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] ClientError),
    /// Nobody takes the output.
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

/// Prints the board of a county, `counties/{county}`: at most 500 entries.
///
/// # Errors
/// [`ShowError`].
pub async fn print_board(client: &Client, county: &str, out: &mut dyn Write, look: Look) -> Result<(), ShowError> {
    let request = pb::ListHoldsRequest { parent: county.to_owned(), page_size: 500, ..Default::default() };
    let answer = client.list_holds(request).await?;
    board::table("Held on a detainer, or held on nothing:", &answer).write(out, look)?;
    Ok(())
}

/// Prints the cost report of a county over `[from, to)`, sliced.
///
/// # Errors
/// [`ShowError`].
pub async fn print_cost_report(
    client: &Client,
    county: &str,
    period: (NaiveDate, NaiveDate),
    by: &[pb::GroupBy],
    out: &mut dyn Write,
    look: Look,
) -> Result<(), ShowError> {
    let query =
        pb::ReportQuery { county: county.to_owned(), period: Some(reports::period(period.0, period.1)), ..Default::default() };
    let group_by = by.iter().map(|by| i32::from(*by)).collect();
    let report = client.get_cost_report(pb::GetCostReportRequest { query: Some(query), group_by }).await?;
    let known = client.get_county(pb::GetCountyRequest { name: county.to_owned(), as_of: None }).await?;
    let zone = time::zone_or_utc(&known.county.unwrap_or_default().time_zone);
    reports::cost::table("What custody after T0 cost, and who paid:", &report, by, zone).write(out, look)?;
    Ok(())
}
