//! What a day in a facility costs.

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use detainer::pb;
use detainer::sheet::table::{Cell, Table, about, column, more};
use detainer::sheet::{names, time};

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::{In, Writing, cents, day, money};

/// What to do with rates.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set what a day costs in a facility from a day on.
    ///
    /// Example: detainerctl rate set --facility main-jail --from 2016-01-01 --full-day 126.00 --count hourly
    Set(Set),
    /// List rates, by facility and day.
    List {
        /// Only this facility.
        #[arg(long, value_name = "FACILITY")]
        facility: Option<String>,
    },
}

/// Sets a rate.
#[derive(Debug, Args)]
pub struct Set {
    /// The facility.
    #[arg(long, value_name = "FACILITY")]
    facility: String,
    /// First day it applies, in the facility's zone.
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: NaiveDate,
    /// Full cost of a day.
    #[arg(long, value_name = "AMOUNT", value_parser = cents)]
    full_day: i64,
    /// Marginal cost of a day: what one more person costs. Shown beside the full cost, never billed.
    #[arg(long, value_name = "AMOUNT", value_parser = cents)]
    marginal_day: Option<i64>,
    /// An amount per hold, beside the days.
    #[arg(long, value_name = "AMOUNT", value_parser = cents)]
    per_hold: Option<i64>,
    /// How days are counted.
    #[arg(long, value_name = "RULE")]
    count: In<pb::DayCount>,
    /// The rate's id.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    id: String,
    /// Currency.
    #[arg(long, default_value = "USD")]
    currency: String,
    #[command(flatten)]
    writing: Writing,
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    match command {
        Command::Set(set) => {
            let amount = |cents| money(&set.currency, cents);
            let request = pb::SetRateRequest {
                parent: county.clone(),
                request_id: set.writing.id(),
                validate_only: set.writing.validate_only,
                rate_id: set.id.clone(),
                facility: names::facility(&county, &set.facility),
                effective_date: Some(time::date(set.from)),
                full_day: Some(amount(set.full_day)),
                marginal_day: set.marginal_day.map(amount),
                per_hold: set.per_hold.map(amount),
                day_count: set.count.into(),
            };
            let answer = client.set_rate(request).await?;
            output::recorded(context, &client, &format!("Rate of {} from {}", set.facility, set.from), answer.receipt.as_ref())
                .await
        }
        Command::List { facility } => {
            let facility = facility.map(|id| names::facility(&county, &id)).unwrap_or_default();
            let mut table = table();
            let zone = context.county_zone(&client, &county).await?;
            let mut page_token = String::new();
            loop {
                let request = pb::ListRatesRequest {
                    parent: county.clone(),
                    page_size: 500,
                    page_token,
                    facility: facility.clone(),
                    as_of: None,
                };
                let page = client.list_rates(request).await?;
                table.rows.extend(page.rates.iter().map(row));
                table.about = about(page.as_of_pair.as_ref(), zone);
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    return output::table(context, &table);
                }
            }
        }
    }
}

fn table() -> Table {
    let columns = vec![
        column("facility", "FACILITY"),
        column("effective_date", "FROM"),
        column("full_day", "FULL DAY"),
        column("marginal_day", "MARGINAL DAY"),
        column("per_hold", "PER HOLD"),
        column("day_count", "COUNTED"),
        more("rate"),
    ];
    Table::new("", columns, "No rate is set: every cost is zero.")
}

fn row(rate: &pb::Rate) -> Vec<Cell> {
    vec![
        Cell::text(names::id(&rate.facility)),
        Cell::day(rate.effective_date.as_ref()),
        Cell::money(rate.full_day.as_ref()),
        Cell::money(rate.marginal_day.as_ref()),
        Cell::money(rate.per_hold.as_ref()),
        Cell::word::<pb::DayCount>(rate.day_count),
        Cell::text(rate.name.as_str()),
    ]
}
