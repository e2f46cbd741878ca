//! Counties and facilities.

use clap::{Args, Subcommand};
use detainer::pb;
use detainer::sheet::table::{Cell, Table, column};
use detainer::sheet::{names, time};

use crate::context::{As, Context, Failure, facilities};
use crate::output;
use crate::parse::Writing;

/// What to do with counties.
#[derive(Debug, Subcommand)]
pub enum CountyCommand {
    /// Make a county. Example: detainerctl county create dade --name "Miami-Dade County" --zone America/New_York
    Create(CreateCounty),
    /// List the counties that the token reaches.
    List,
}

/// Makes a county.
#[derive(Debug, Args)]
pub struct CreateCounty {
    /// Its id: letters, digits, `-`, `_`, `.`, `~`.
    id: String,
    /// Its name for people.
    #[arg(long)]
    name: String,
    /// IANA name of its zone.
    #[arg(long, value_name = "ZONE")]
    zone: String,
    /// Two-letter code of its state.
    #[arg(long, default_value = "")]
    state: String,
    /// ISO code of its money.
    #[arg(long, default_value = "USD")]
    currency: String,
    /// Minutes of release paperwork that the county states; shown beside over-detention, never instead of it.
    #[arg(long, value_name = "MINUTES")]
    release_allowance: Option<u32>,
    #[command(flatten)]
    writing: Writing,
}

/// What to do with facilities.
#[derive(Debug, Subcommand)]
pub enum FacilityCommand {
    /// Make a facility. Its zone is the county's unless it says otherwise, and fixed once it has had a booking.
    Create(CreateFacility),
    /// List the county's facilities.
    List,
}

/// Makes a facility.
#[derive(Debug, Args)]
pub struct CreateFacility {
    /// Its id: letters, digits, `-`, `_`, `.`, `~`.
    id: String,
    /// Its name for people.
    #[arg(long)]
    name: String,
    /// IANA name of its zone.
    #[arg(long, value_name = "ZONE", default_value = "", hide_default_value = true)]
    zone: String,
    /// Its city.
    #[arg(long, default_value = "", hide_default_value = true)]
    city: String,
    #[command(flatten)]
    writing: Writing,
}

pub async fn run(context: &Context, command: CountyCommand) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    match command {
        CountyCommand::Create(make) => {
            let request = pb::CreateCountyRequest {
                county_id: make.id.clone(),
                request_id: make.writing.id(),
                validate_only: make.writing.validate_only,
                display_name: make.name,
                time_zone: make.zone,
                currency_code: make.currency,
                state_code: make.state,
                release_allowance: make
                    .release_allowance
                    .map(|minutes| prost_types::Duration { seconds: i64::from(minutes) * 60, nanos: 0 }),
                ..pb::CreateCountyRequest::default()
            };
            let answer = client.create_county(request).await?;
            output::recorded(context, &client, &format!("County {}", make.id), answer.receipt.as_ref()).await
        }
        CountyCommand::List => {
            let columns = vec![
                column("county", "COUNTY"),
                column("display_name", "NAME"),
                column("time_zone", "ZONE"),
                column("currency_code", "MONEY"),
                column("release_allowance", "ALLOWANCE"),
                column("create_time", "MADE"),
            ];
            let mut table = Table::new("", columns, "There is no county yet.");
            let mut page_token = String::new();
            loop {
                let request = pb::ListCountiesRequest { as_of: None, page_size: 1_000, page_token };
                let page = client.list_counties(request).await?;
                table.rows.extend(page.counties.iter().map(county_row));
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    return output::table(context, &table);
                }
            }
        }
    }
}

fn county_row(county: &pb::County) -> Vec<Cell> {
    vec![
        Cell::text(names::id(&county.name)),
        Cell::text(county.display_name.as_str()),
        Cell::text(county.time_zone.as_str()),
        Cell::text(county.currency_code.as_str()),
        Cell::length(county.release_allowance.as_ref()),
        Cell::time(county.create_time.as_ref(), time::zone_or_utc(&county.time_zone)),
    ]
}

pub async fn run_facility(context: &Context, command: FacilityCommand) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    match command {
        FacilityCommand::Create(make) => {
            let request = pb::CreateFacilityRequest {
                parent: county,
                request_id: make.writing.id(),
                validate_only: make.writing.validate_only,
                facility_id: make.id.clone(),
                display_name: make.name,
                time_zone: make.zone,
                city: make.city,
            };
            let answer = client.create_facility(request).await?;
            output::recorded(context, &client, &format!("Facility {}", make.id), answer.receipt.as_ref()).await
        }
        FacilityCommand::List => {
            let columns = vec![
                column("facility", "FACILITY"),
                column("display_name", "NAME"),
                column("city", "CITY"),
                column("time_zone", "ZONE"),
            ];
            let mut table = Table::new("", columns, "The county has no facility yet.");
            table.rows = facilities(&client, &county)
                .await?
                .iter()
                .map(|facility| {
                    vec![
                        Cell::text(names::id(&facility.name)),
                        Cell::text(facility.display_name.as_str()),
                        Cell::text(facility.city.as_str()),
                        Cell::text(facility.time_zone.as_str()),
                    ]
                })
                .collect();
            output::table(context, &table)
        }
    }
}
