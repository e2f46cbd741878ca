//! Books: periods that are closed and never rewritten.

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use detainer::pb;
use detainer::sheet::table::{Cell, Kind, Table, about, column};
use detainer::sheet::time;

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::{Writing, as_of, day};
use crate::policy_change::agreed;

/// What to do with books.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Close the books of all days before one. A close is never taken back.
    ///
    /// What is recorded later about these days is accounted on the first day that was open then, and names the days it is
    /// about. Custody that goes on is posted up to the day. Asks first at a terminal.
    ///
    /// Example: detainerctl books close 2018-02-01
    Close(Close),
    /// Closed periods, in order.
    ///
    /// Example: detainerctl books list
    List {
        /// What was known: a sequence number, or a time.
        #[arg(long, value_name = "NUMBER|TIME")]
        as_of: Option<String>,
    },
}

/// Closes a period.
#[derive(Debug, Args)]
pub struct Close {
    /// The first day that stays open: all before it are closed.
    #[arg(value_name = "DAY", value_parser = day)]
    end: NaiveDate,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    writing: Writing,
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    match command {
        Command::Close(close) => {
            let last = close.end.pred_opt().unwrap_or(close.end);
            let mut request = pb::ClosePeriodRequest {
                parent: county,
                request_id: close.writing.id(),
                validate_only: close.writing.validate_only,
                etag: String::new(),
                end_date: Some(time::date(close.end)),
            };
            if !close.yes && !close.writing.validate_only {
                // Whether it may be closed at all is told before anyone is asked.
                let trial =
                    pb::ClosePeriodRequest { validate_only: true, request_id: Writing::default().id(), ..request.clone() };
                let trial = client.close_period(trial).await?.close.unwrap_or_default();
                let first = Cell::day(trial.start_date.as_ref()).shown(false);
                let days = if first.is_empty() { format!("all days up to {last}") } else { format!("{first} to {last}") };
                let question =
                    format!("This closes the books of {days}, the last day included. A close is never taken back. Close them?");
                if !agreed(&question)? {
                    return Err(Failure::Other("nothing was closed".to_owned()));
                }
            }
            request.validate_only = close.writing.validate_only;
            let answer = client.close_period(request).await?;
            let what = format!("Books up to {last}, that day included, closed");
            output::recorded(context, &client, &what, answer.receipt.as_ref()).await
        }
        Command::List { as_of: told } => {
            let zone = context.county_zone(&client, &county).await?;
            let as_of = as_of(told.as_deref(), zone, context.now())?;
            let columns = vec![
                column("start_date", "FROM").of(Kind::Day),
                column("end_date", "TO").of(Kind::Day),
                column("close_time", "CLOSED").of(Kind::Time),
                column("sequence", "AS OF RECORD").of(Kind::Int),
            ];
            let mut table = Table::new("", columns, "No books are closed: every day is open.");
            let mut page_token = String::new();
            loop {
                let request = pb::ListPeriodClosesRequest { parent: county.clone(), as_of, page_size: 1_000, page_token };
                let page = client.list_period_closes(request).await?;
                table.rows.extend(page.closes.iter().map(|close| {
                    vec![
                        Cell::day(close.start_date.as_ref()),
                        Cell::day(close.end_date.as_ref()),
                        Cell::time(close.close_time.as_ref(), zone),
                        Cell::Int(close.sequence),
                    ]
                }));
                table.about = about(page.as_of_pair.as_ref(), zone);
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    return output::table(context, &table);
                }
            }
        }
    }
}
