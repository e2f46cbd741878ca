//! Why the cost report is not what it was.

use chrono_tz::Tz;
use clap::Args;
use detainer::client::Client;
use detainer::client::report::{End, What};
use detainer::pb;
use detainer::sheet::table::{Cell, Sheet, Table, field};
use detainer::sheet::{reports, time};

use crate::context::{Context, Failure};
use crate::output;
use crate::parse::as_of;
use crate::report::{Out, Query, told};

/// Two points of one report.
#[derive(Debug, Args)]
pub struct Change {
    /// The earlier point: a sequence number, or a time. The later one is that of --as-of.
    #[arg(long, value_name = "NUMBER|TIME")]
    before: String,
    /// Up to when custody that went on was counted there. Left out: the moment of --before.
    #[arg(long, value_name = "TIME")]
    before_accrue_until: Option<String>,
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    out: Out,
}

pub async fn run(context: &Context, client: &Client, zone: Tz, county: &str, command: &Change) -> Result<(), Failure> {
    let now = context.now();
    let before = as_of(Some(&command.before), zone, now)?;
    let before = before.ok_or_else(|| Failure::Usage("--before: a sequence number, or a time".to_owned()))?;
    let until = command.before_accrue_until.as_deref().map(|text| time::read(text, zone, now)).transpose()?;
    let what = What::Change { before, before_accrue_until: until.map(time::stamp) };
    let query = command.query.wire(context, zone, county)?;
    let Some((table, end)) = told(context, client, &what, query, &command.out).await? else { return Ok(()) };
    output::sheet(context, &sheet(table, &end, zone))
}

/// The causes, then the changes.
fn sheet(mut changes: Table, end: &End, zone: Tz) -> Sheet {
    // Records are the county's: on a terminal their instants are in its zone.
    for cell in changes.rows.iter_mut().flatten() {
        if let Cell::Time(_, place) = cell {
            *place = zone;
        }
    }
    let summary = end.change.clone().unwrap_or_default();
    let notes = match left_over(&summary) {
        true => {
            vec!["The residual is not zero: a part of the difference has no cause. That is a defect of the server.".to_owned()]
        }
        false if changes.rows.is_empty() => vec![changes.nothing.to_owned()],
        false => Vec::new(),
    };
    let parts = vec![("causes", reports::change::summary(&summary, zone)), ("changes", changes)];
    let pair = summary.before_pair.unwrap_or_default();
    let mut fields = vec![
        field("before_sequence", "before: as of sequence", Cell::Int(pair.sequence)),
        field("before_recorded_time", "before: recorded", Cell::time(pair.recorded_time.as_ref(), zone)),
        field("before_accrue_until", "before: open custody counted to", Cell::time(summary.before_accrue_until.as_ref(), zone)),
    ];
    fields.extend(reports::manifest(Some(&end.manifest), zone));
    Sheet { fields, parts, notes, ..Sheet::default() }
}

/// Whether anything is left over that no cause explains.
fn left_over(summary: &pb::ChangeSummary) -> bool {
    let residual = summary.residual.clone().unwrap_or_default();
    let totals = residual.totals.unwrap_or_default();
    let cents = [&totals.incurred, &totals.covered, &totals.absorbed];
    residual.duration.is_some_and(|length| length.seconds != 0 || length.nanos != 0)
        || cents.into_iter().flatten().any(|money| money.cents != 0)
}
