//! Reports.

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use detainer::client::report::What;
use detainer::pb;
use detainer::sheet::table::Cell;
use detainer::sheet::{names, reports, time};

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::{In, as_of, day};
use crate::policy_simulate;

/// Which report.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The hold register: one row a hold, counted by the hold's own end and by the actual release.
    Holds(Query),
    /// How detainers were answered.
    Decisions(Grouped),
    /// What custody after T0 cost, and who pays.
    ///
    /// Example: detainerctl report cost --from 2014-01-01 --to 2017-01-26 --group-by month --group-by agreement
    Cost(Grouped),
    /// The lines that the cost report adds up.
    CostLines(Lines),
    /// One period under several policies, on the same facts: as recorded, honor always, only with a guarantee.
    ///
    /// Example: detainerctl report modes policies/cook-2011.toml --from 2014-01-01 --to 2015-01-01
    Modes(Modes),
    /// Custody that nothing covered, whether or not a hold ever ran.
    Overdetention(Query),
}

/// What a report is about.
#[derive(Debug, Args)]
#[command(next_help_heading = "What about")]
pub struct Query {
    /// First day. Left out: the first of last month.
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<NaiveDate>,
    /// First day after it. Left out: the first of the month after --from, or of this month.
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Option<NaiveDate>,
    /// Only this facility; may be given more than once.
    #[arg(long, value_name = "FACILITY")]
    facility: Vec<String>,
    /// Only this issuing office, by code; may be given more than once.
    #[arg(long, value_name = "CODE")]
    office: Vec<String>,
    /// What was known: a sequence number, or a time.
    #[arg(long, value_name = "NUMBER|TIME")]
    as_of: Option<String>,
    /// Up to when custody that goes on is counted.
    #[arg(long, value_name = "TIME")]
    accrue_until: Option<String>,
}

/// A report in slices.
#[derive(Debug, Args)]
pub struct Grouped {
    #[command(flatten)]
    query: Query,
    /// By what to slice; may be given more than once. Any slicing gives the same total.
    #[arg(long, value_name = "KEY")]
    group_by: Vec<In<pb::GroupBy>>,
}

/// Policies side by side.
#[derive(Debug, Args)]
pub struct Modes {
    /// More rules to suppose: a mode, a policy file, or a revision's id.
    #[arg(value_name = "MODE|FILE|REVISION")]
    others: Vec<String>,
    #[command(flatten)]
    query: Query,
}

/// Cost lines.
#[derive(Debug, Args)]
pub struct Lines {
    #[command(flatten)]
    query: Query,
    /// Only this booking.
    #[arg(long, value_name = "BOOKING")]
    booking: Option<String>,
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    let zone = context.county_zone(&client, &county).await?;
    let mut called: &[String] = &[];
    let (what, query) = match &command {
        Command::Holds(query) => (What::Register, query),
        Command::Decisions(grouped) => (What::Decisions(grouped.keys()), &grouped.query),
        Command::Cost(grouped) => (What::Cost(grouped.keys()), &grouped.query),
        Command::CostLines(lines) => {
            (What::Lines(lines.booking.as_deref().map(|id| names::booking(&county, id)).unwrap_or_default()), &lines.query)
        }
        Command::Modes(modes) => {
            let others = policy_simulate::others(&county, &modes.others, modes.query.first_day(context, zone))?;
            // Named as they were here: the server knows a file's rule as a candidate.
            called = &modes.others;
            (What::Policies(others), &modes.query)
        }
        Command::Overdetention(query) => (What::Overdetention, query),
    };
    let query = query.wire(context, zone, &county)?;
    let layout = what.layout();
    let mut table = layout.table("");
    let end = what.tell(&client, query, |row| {
        table.rows.push(row);
        Ok(())
    });
    let end = end.await?;
    for (row, called) in table.rows.iter_mut().skip(3).zip(called) {
        row.splice(..1, [Cell::text(called.as_str())]);
    }
    table.total = end.total.filter(|_| !table.rows.is_empty());
    table.about = reports::manifest(Some(&end.manifest), zone);
    output::table(context, &table)
}

impl Grouped {
    fn keys(&self) -> Vec<pb::GroupBy> {
        self.group_by.iter().map(|by| pb::GroupBy::try_from(i32::from(*by)).unwrap_or_default()).collect()
    }
}

impl Query {
    /// The first day of the period.
    pub fn first_day(&self, context: &Context, zone: chrono_tz::Tz) -> NaiveDate {
        self.from.unwrap_or(context.last_month(zone).0)
    }

    /// As the service asks for it.
    pub fn wire(&self, context: &Context, zone: chrono_tz::Tz, county: &str) -> Result<pb::ReportQuery, Failure> {
        let (first, next) = context.last_month(zone);
        let from = self.from.unwrap_or(first);
        let to = self.to.unwrap_or_else(|| if self.from.is_some() { month_after(from) } else { next });
        if to <= from {
            return Err(Failure::Usage(format!("--to {to} is not after --from {from}")));
        }
        let accrue = self.accrue_until.as_deref().map(|text| time::read(text, zone, context.now())).transpose()?;
        Ok(pb::ReportQuery {
            county: county.to_owned(),
            period: Some(reports::period(from, to)),
            facilities: self.facility.iter().map(|id| names::facility(county, id)).collect(),
            office_codes: self.office.clone(),
            as_of: as_of(self.as_of.as_deref(), zone, context.now())?,
            accrue_until: accrue.map(time::stamp),
            ..pb::ReportQuery::default()
        })
    }
}

/// The first of the month after a day's.
fn month_after(day: NaiveDate) -> NaiveDate {
    let next = day.checked_add_months(chrono::Months::new(1)).unwrap_or(day);
    chrono::Datelike::with_day(&next, 1).unwrap_or(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(month_after(day(2024, 1, 31)), day(2024, 2, 1));
        assert_eq!(month_after(day(2024, 12, 1)), day(2025, 1, 1));
    }
}
