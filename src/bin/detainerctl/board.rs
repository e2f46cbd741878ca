//! The board.

use std::io::Write as _;
use std::time::Duration;

use clap::Args;
use detainer::client::Client;
use detainer::pb;
use detainer::sheet::table::Format;
use detainer::sheet::{board, names};

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::{In, When};

/// How often a live board is asked for again, events or not: the time left changes by itself.
const REFRESH: Duration = Duration::from_secs(15);

/// Shows the board: over-detained first, then by the end of authority.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  detainerctl board --watch\n  detainerctl board --state over --format json")]
pub struct Board {
    /// Keep showing it, anew at each event and every 15 seconds, until Ctrl-C.
    #[arg(long, short)]
    watch: bool,
    /// Only entries in this state; may be given more than once. Left out: running, due-soon and over.
    #[arg(long, value_name = "STATE")]
    state: Vec<In<pb::BoardState>>,
    /// Only this facility.
    #[arg(long, value_name = "FACILITY")]
    facility: Option<String>,
    /// Only this issuing office, by its code.
    #[arg(long, value_name = "CODE")]
    office: Option<String>,
    /// In which order.
    #[arg(long, value_name = "ORDER")]
    order: Option<In<pb::BoardOrder>>,
    /// What counts as due soon, in minutes. Left out: 240.
    #[arg(long, value_name = "MINUTES")]
    due_within: Option<u32>,
    #[command(flatten)]
    when: When,
}

pub async fn run(context: &Context, command: &Board) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    let request = request(context, command, &client, &county).await?;
    if command.watch { watch(context, &client, &request).await } else { show(context, &client, &request).await }
}

async fn request(context: &Context, command: &Board, client: &Client, county: &str) -> Result<pb::ListHoldsRequest, Failure> {
    let zone = if command.when.is_local() { context.county_zone(client, county).await? } else { chrono_tz::Tz::UTC };
    let filter = pb::BoardFilter {
        states: command.state.iter().map(|state| i32::from(*state)).collect(),
        facility: command.facility.as_deref().map(|id| names::facility(county, id)).unwrap_or_default(),
        office_code: command.office.clone().unwrap_or_default(),
        booking: String::new(),
    };
    Ok(pb::ListHoldsRequest {
        parent: county.to_owned(),
        as_of: command.when.as_of(zone, context.now())?,
        page_size: 500,
        page_token: String::new(),
        filter: Some(filter),
        order: command.order.map_or(0, i32::from),
        at_time: command.when.at(zone, context.now())?,
        due_within: command.due_within.map(|minutes| prost_types::Duration { seconds: i64::from(minutes) * 60, nanos: 0 }),
    })
}

async fn show(context: &Context, client: &Client, request: &pb::ListHoldsRequest) -> Result<(), Failure> {
    let mut all = pb::ListHoldsResponse::default();
    let mut page_token = String::new();
    loop {
        let page = client.list_holds(pb::ListHoldsRequest { page_token, ..request.clone() }).await?;
        all.entries.extend(page.entries);
        (all.as_of_pair, all.at_time) = (page.as_of_pair, page.at_time);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return output::table(context, &board::table("", &all));
        }
    }
}

/// Shows the board again whenever something happens to a hold, and now and then in between.
async fn watch(context: &Context, client: &Client, request: &pb::ListHoldsRequest) -> Result<(), Failure> {
    let start = pb::WatchHoldsRequest { parent: request.parent.clone(), ..Default::default() };
    let mut events = client.watch_holds(start).await?;
    loop {
        if context.look().format == Format::Table {
            // Clears the screen and goes to its first place.
            print!("\x1b[2J\x1b[H");
            std::io::stdout().flush()?;
        }
        show(context, client, request).await?;
        loop {
            match tokio::time::timeout(REFRESH, events.message()).await {
                Ok(Ok(Some(message))) if message.event.is_none() => {}
                Err(_) | Ok(Ok(Some(_))) => break,
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(status)) => return Err(client.error(&status).into()),
            }
        }
    }
}
