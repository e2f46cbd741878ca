//! The journal.

use clap::Args;
use detainer::client::Client;
use detainer::pb;
use detainer::sheet::table::{Cell, Format, Table, about, column, more};
use detainer::sheet::{names, time};

use crate::context::{As, Context, Failure};
use crate::output;

/// Shows what was recorded, newest first; with --follow as it happens.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  detainerctl events --limit 20\n  detainerctl events --booking 2024-000123\n  \
                        detainerctl events --follow")]
pub struct Events {
    /// Keep showing records as they are made, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// With --follow: from this cursor on. `0` is the beginning. Left out: from now on.
    #[arg(long, value_name = "CURSOR", requires = "follow")]
    cursor: Option<String>,
    /// Only records about this booking.
    #[arg(long, value_name = "BOOKING")]
    booking: Option<String>,
    /// Only records after this number, oldest first.
    #[arg(long, value_name = "NUMBER")]
    after: Option<i64>,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
}

pub async fn run(context: &Context, command: &Events) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    let stream = command.booking.as_deref().map(|id| names::booking(&county, id)).unwrap_or_default();
    let zone = context.county_zone(&client, &county).await?;
    if command.follow {
        return follow(context, &client, county, stream, command.cursor.clone().unwrap_or_default(), zone).await;
    }
    let mut table = table();
    let mut page_token = String::new();
    loop {
        let left = command.limit.saturating_sub(table.rows.len());
        let request = pb::ListEventsRequest {
            parent: county.clone(),
            page_size: i32::try_from(left.min(500)).unwrap_or(500),
            page_token,
            stream: stream.clone(),
            after_sequence: command.after.unwrap_or(0),
            newest_first: command.after.is_none(),
            ..Default::default()
        };
        let page = client.list_events(request).await?;
        table.rows.extend(page.events.iter().map(|event| row(event, zone)));
        table.about = about(page.as_of_pair.as_ref(), zone);
        page_token = page.next_page_token;
        if page_token.is_empty() || table.rows.len() >= command.limit {
            return output::table(context, &table);
        }
    }
}

fn table() -> Table {
    let columns = vec![
        column("sequence", "NUMBER"),
        column("recorded_time", "RECORDED"),
        column("actor", "BY"),
        column("about", "ABOUT"),
        column("kinds", "WHAT"),
        more("last_sequence"),
        more("leaf_hash"),
    ];
    Table::new("", columns, "Nothing is recorded yet.")
}

fn row(event: &pb::Event, zone: chrono_tz::Tz) -> Vec<Cell> {
    vec![
        Cell::Int(event.sequence),
        Cell::time(event.recorded_time.as_ref(), zone),
        Cell::text(event.actor.as_str()),
        Cell::text(names::id(&event.stream)),
        Cell::text(event.kinds.join(", ")),
        Cell::Int(event.last_sequence),
        Cell::text(hex::encode(&event.leaf_hash)),
    ]
}

/// A line for each record; as JSON, one object a line with the cursor to come back with.
async fn follow(
    context: &Context,
    client: &Client,
    parent: String,
    stream: String,
    cursor: String,
    zone: chrono_tz::Tz,
) -> Result<(), Failure> {
    let mut events = client.watch_events(pb::WatchEventsRequest { parent, cursor, stream }).await?;
    let look = context.look();
    let zone = if look.utc { chrono_tz::Tz::UTC } else { zone };
    while let Some(message) = events.message().await.map_err(|status| client.error(&status))? {
        let Some(event) = message.event else { continue };
        let recorded = event.recorded_time.as_ref().and_then(time::utc);
        let kinds = event.kinds.join(", ");
        if look.format == Format::Table {
            let at = recorded.map(|at| time::show(at, zone)).unwrap_or_default();
            println!("{:>9}  {at}  {}  {}  {kinds}", event.sequence, event.actor, names::id(&event.stream));
        } else {
            let at = recorded.map(|at| time::exact(at, zone));
            let line = serde_json::json!({
                "sequence": event.sequence, "recorded_time": at, "actor": event.actor, "about": event.stream,
                "kinds": event.kinds, "leaf_hash": hex::encode(&event.leaf_hash), "cursor": message.cursor,
            });
            println!("{line}");
        }
    }
    Ok(())
}
