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
    /// Change what a county says of itself, and what it asks of a change of policy. Only what is named changes.
    ///
    /// Example: detainerctl county update dade --two-persons yes --preview-required yes
    Update(UpdateCounty),
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

/// Changes a county.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").multiple(true).required(true)
    .args(["name", "zone", "state", "release_allowance", "two_persons", "preview_required"]))]
pub struct UpdateCounty {
    /// Its id.
    id: String,
    /// Its name for people.
    #[arg(long)]
    name: Option<String>,
    /// IANA name of its zone; only while it has no booking, policy or agreement.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Two-letter code of its state.
    #[arg(long)]
    state: Option<String>,
    /// Minutes of release paperwork that the county states; 0 takes it away.
    #[arg(long, value_name = "MINUTES")]
    release_allowance: Option<u32>,
    /// Whether a second person must confirm each change of policy.
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    two_persons: Option<bool>,
    /// Whether each change of policy must name the digest of its preview.
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    preview_required: Option<bool>,
    /// The county's etag as last seen. Left out: not checked.
    #[arg(long, value_name = "ETAG", default_value = "", hide_default_value = true)]
    etag: String,
    #[command(flatten)]
    writing: Writing,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("must be yes or no".to_owned()),
    }
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
                release_allowance: make.release_allowance.map(minutes),
                ..pb::CreateCountyRequest::default()
            };
            let answer = client.create_county(request).await?;
            output::recorded(context, &client, &format!("County {}", make.id), answer.receipt.as_ref()).await
        }
        CountyCommand::Update(change) => {
            let request = pb::UpdateCountyRequest {
                name: names::county(&change.id),
                request_id: change.writing.id(),
                validate_only: change.writing.validate_only,
                etag: change.etag,
                display_name: change.name,
                time_zone: change.zone,
                state_code: change.state,
                release_allowance: change.release_allowance.map(minutes),
                two_person_switch: change.two_persons,
                policy_preview_required: change.preview_required,
            };
            let answer = client.update_county(request).await?;
            output::recorded(context, &client, &format!("County {}", change.id), answer.receipt.as_ref()).await
        }
        CountyCommand::List => {
            let columns = vec![
                column("county", "COUNTY"),
                column("display_name", "NAME"),
                column("time_zone", "ZONE"),
                column("currency_code", "MONEY"),
                column("release_allowance", "ALLOWANCE"),
                column("two_person_switch", "TWO PERSONS"),
                column("policy_preview_required", "PREVIEW"),
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

fn minutes(number: u32) -> prost_types::Duration {
    prost_types::Duration { seconds: i64::from(number) * 60, nanos: 0 }
}

fn county_row(county: &pb::County) -> Vec<Cell> {
    vec![
        Cell::text(names::id(&county.name)),
        Cell::text(county.display_name.as_str()),
        Cell::text(county.time_zone.as_str()),
        Cell::text(county.currency_code.as_str()),
        Cell::length(county.release_allowance.as_ref()),
        Cell::Flag(county.two_person_switch),
        Cell::Flag(county.policy_preview_required),
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
