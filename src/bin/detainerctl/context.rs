//! What every command shares: the server, the credential for the job, the county and its zones.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use detainer::client::error::ClientError;
use detainer::client::import::ImportError;
use detainer::client::report::ReportError;
use detainer::client::{Client, Credential, ids};
use detainer::pb;
use detainer::sheet::names;
use detainer::sheet::table::Look;
use detainer::sheet::time::{self, TimeError};

use crate::cli::Globals;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A call failed.
    #[error("{0}")]
    Call(#[from] ClientError),
    /// An import could not be carried out.
    #[error("{0}")]
    Import(ImportError),
    /// A report did not come whole.
    #[error("{0}")]
    Report(ReportError),
    /// A time cannot be read.
    #[error("{0}")]
    Time(#[from] TimeError),
    /// The command line cannot be carried out.
    #[error("{0}")]
    Usage(String),
    /// Something else.
    #[error("{0}")]
    Other(String),
    /// Output or a file.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Call(error) => Self::Call(error),
            other => Self::Import(other),
        }
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Call(error) => Self::Call(error),
            other => Self::Report(other),
        }
    }
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Call(ClientError::Unreachable { .. }) => 4,
            Self::Call(ClientError::Address { .. }) | Self::Time(_) | Self::Usage(_) => 2,
            Self::Call(_) | Self::Import(_) | Self::Report(_) | Self::Other(_) | Self::Io(_) => 1,
        }
    }
}

/// Which credential a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As {
    /// Records staff: bookings, detainers, import.
    Records,
    /// An administrator, who also reads everything.
    Administrator,
}

/// What every command shares.
pub struct Context {
    globals: Globals,
    now: DateTime<Utc>,
}

/// Zones of a county and of its facilities.
pub struct Zones {
    /// The county's own.
    pub county: Tz,
    facilities: HashMap<String, Tz>,
}

impl Zones {
    /// The zone of a facility, by name; the county's where it is not known.
    pub fn of(&self, facility: &str) -> Tz {
        self.facilities.get(facility).copied().unwrap_or(self.county)
    }
}

impl Context {
    pub fn new(globals: Globals) -> Self {
        Self { globals, now: ids::now() }
    }

    /// How answers look.
    pub fn look(&self) -> Look {
        let width =
            std::env::var("COLUMNS").ok().and_then(|width| width.parse().ok()).filter(|width| *width >= 60).unwrap_or(100);
        Look { format: self.globals.format.into(), utc: self.globals.utc, width }
    }

    /// This moment.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The data folder.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.globals.data_dir
    }

    /// The county that the command line names, `counties/{county}`.
    pub fn named_county(&self) -> Option<String> {
        self.globals.county.as_deref().filter(|county| !county.is_empty()).map(names::county)
    }

    /// The token's file for a job, if there is one: as told; else of the data folder, one for the county before one for
    /// all counties.
    fn token_file(&self, role: As) -> Option<PathBuf> {
        // A variable that is there and empty names no file.
        if let Some(file) = self.globals.token_file.as_ref().filter(|file| !file.as_os_str().is_empty()) {
            return Some(file.clone());
        }
        let kinds = if role == As::Records { ["records", "admin"] } else { ["admin", "records"] };
        let folder = &self.globals.data_dir;
        let files = kinds.iter().flat_map(|kind| {
            let of_county = match self.named_county() {
                Some(county) => Some(Credential::file_for(folder, kind, names::id(&county))),
                None => only_of_a_county(folder, kind),
            };
            of_county.into_iter().chain([Credential::file_of(folder, kind)])
        });
        files.into_iter().find(|file| file.exists())
    }

    /// The credential for a job.
    pub fn credential(&self, role: As) -> Result<Credential, Failure> {
        let Some(file) = self.token_file(role) else {
            return Err(Failure::Other(format!(
                "there is no token: {} is not there. Name the server's data folder with --data-dir, or a token's file with --token-file",
                Credential::file_of(&self.globals.data_dir, "admin").display()
            )));
        };
        Ok(Credential::file(&file)?)
    }

    /// A connection for a job.
    pub async fn client(&self, role: As) -> Result<Client, Failure> {
        let credential = self.credential(role)?;
        let client = Client::connect(&self.globals.server, credential).await?;
        Ok(client.with_deadline(Duration::from_secs(self.globals.timeout.max(1))))
    }

    /// The county, `counties/{county}`: as told, or the only one that the token reaches.
    pub async fn county(&self, client: &Client) -> Result<String, Failure> {
        if let Some(county) = self.named_county() {
            return Ok(county);
        }
        let page = client.list_counties(pb::ListCountiesRequest { page_size: 20, ..Default::default() }).await?;
        match page.counties.as_slice() {
            [only] => Ok(only.name.clone()),
            [] => Err(Failure::Usage("there is no county yet: detainerctl county create ID --name NAME --zone ZONE".to_owned())),
            several => {
                let known: Vec<&str> = several.iter().map(|county| names::id(&county.name)).collect();
                Err(Failure::Usage(format!("which county? Say --county, one of {}", known.join(", "))))
            }
        }
    }

    /// The county's zone.
    pub async fn county_zone(&self, client: &Client, county: &str) -> Result<Tz, Failure> {
        let answer = client.get_county(pb::GetCountyRequest { name: county.to_owned(), as_of: None }).await?;
        Ok(time::zone_or_utc(&answer.county.unwrap_or_default().time_zone))
    }

    /// The zones of a county and of all its facilities.
    pub async fn zones(&self, client: &Client, county: &str) -> Result<Zones, Failure> {
        let mut zones = Zones { county: self.county_zone(client, county).await?, facilities: HashMap::new() };
        for facility in facilities(client, county).await? {
            zones.facilities.insert(facility.name, time::zone_or_utc(&facility.time_zone));
        }
        Ok(zones)
    }

    /// The zone of the facility where a booking is.
    pub async fn booking_zone(&self, client: &Client, booking: &str) -> Result<Tz, Failure> {
        let request = pb::CheckReleaseRequest { name: booking.to_owned(), ..Default::default() };
        Ok(time::zone_or_utc(&client.check_release(request).await?.time_zone))
    }

    /// Reads a time; asks for the booking's zone only where the time is local.
    pub async fn booking_time(&self, client: &Client, booking: &str, text: &str) -> Result<DateTime<Utc>, Failure> {
        let zone = if time::is_local(text) { self.booking_zone(client, booking).await? } else { Tz::UTC };
        Ok(time::read(text, zone, self.now)?)
    }

    /// Reads a time in the county's zone.
    pub async fn county_time(&self, client: &Client, county: &str, text: &str) -> Result<DateTime<Utc>, Failure> {
        let zone = if time::is_local(text) { self.county_zone(client, county).await? } else { Tz::UTC };
        Ok(time::read(text, zone, self.now)?)
    }

    /// Last month in a zone: its first day, and the first day after it.
    pub fn last_month(&self, zone: Tz) -> (NaiveDate, NaiveDate) {
        time::last_month(self.now.with_timezone(&zone).date_naive())
    }
}

/// The one file of a kind that is for a county, where there is exactly one.
fn only_of_a_county(folder: &std::path::Path, kind: &str) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files = files.filter(|file| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('.'))
            && name.ends_with(".token")
            && name.matches('.').count() == 2
    });
    let first = files.next()?;
    files.next().is_none().then_some(first)
}

/// All facilities of a county.
pub async fn facilities(client: &Client, county: &str) -> Result<Vec<pb::Facility>, ClientError> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListFacilitiesRequest { parent: county.to_owned(), page_size: 1_000, page_token, ..Default::default() };
        let page = client.list_facilities(request).await?;
        all.extend(page.facilities);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}
