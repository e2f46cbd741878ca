//! A whole file: scanned, its facilities made, then sent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::reader::{Group, Rows};
use super::send::{Answered, Entry, send};
use super::{ImportError, ImportTotals};
use crate::client::Client;
use crate::client::error::ClientError;
use crate::client::ids::steady_id;
use crate::client::mapping::{FacilitySeen, Mapping, MappingError, Plan, Record};
use crate::pb;
use crate::sheet::names;

/// How many facilities are being made at a time.
const FACILITIES_AT_ONCE: usize = 16;
/// How many rows may be read ahead of what is being sent.
const READ_AHEAD: usize = 256;

/// A file to be imported.
#[derive(Clone, Debug)]
pub struct Job {
    /// The county: its id, or `counties/{county}`.
    pub county: String,
    /// The file.
    pub file: PathBuf,
    /// The mapping file.
    pub mapping_file: PathBuf,
    /// Decide each row and record nothing.
    pub validate_only: bool,
}

/// What happens on the way.
#[derive(Debug)]
pub enum Step<'a> {
    /// The file was read once.
    Scanned {
        /// Its rows.
        rows: u64,
        /// Names of its columns.
        header: &'a csv::StringRecord,
        /// Facilities that have to be made.
        facilities: usize,
    },
    /// A facility was made.
    FacilityMade,
    /// A row was answered; with it its records as they stand in the file.
    Row(Answered<Vec<Record>>),
}

/// What a first reading of the file gives.
struct Scan {
    rows: u64,
    header: csv::StringRecord,
    digest: Vec<u8>,
    facilities: BTreeMap<String, FacilitySeen>,
}

/// Imports a file. `administrator` makes facilities that the county has not; without it, or where the mapping forbids it,
/// a missing facility is an error.
///
/// # Errors
/// [`ImportError`]; rows that were refused are none, they come as [`Step::Row`].
pub async fn run(
    client: &Client,
    administrator: Option<&Client>,
    job: &Job,
    mut step: impl FnMut(Step<'_>),
) -> Result<ImportTotals, ImportError> {
    let mapping = load(&job.mapping_file)?;
    let county = names::county(&job.county);
    let scan = scan(job, mapping.clone(), county.clone()).await?;
    let missing = missing_facilities(client, &county, &scan).await?;
    step(Step::Scanned { rows: scan.rows, header: &scan.header, facilities: missing.len() });
    let facilities_created = if job.validate_only {
        0
    } else {
        make_facilities(administrator, &county, &mapping, missing, || step(Step::FacilityMade)).await?
    };
    let header = pb::ImportHeader {
        county: county.clone(),
        source_name: mapping.source_name.clone(),
        source_sha256: scan.digest,
        history: mapping.history,
        validate_only: job.validate_only,
    };
    let entries = read(job.clone(), mapping, county);
    let totals = send(client, header, entries, |answered| step(Step::Row(answered))).await?;
    Ok(ImportTotals { facilities_created, ..totals })
}

/// Reads a mapping file.
///
/// # Errors
/// [`ImportError::File`] or [`ImportError::Mapping`].
pub fn load(path: &Path) -> Result<Mapping, ImportError> {
    let file = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| ImportError::File { file: file.clone(), detail: error.to_string() })?;
    Mapping::parse(&text).map_err(|error| ImportError::Mapping { file, error })
}

/// Binds a mapping to a file's header; an error names the line of the mapping file.
fn bind(job: &Job, mapping: &Mapping, rows: &Rows) -> Result<Plan, ImportError> {
    Plan::bind(mapping, rows.header()).map_err(|error| {
        let text = std::fs::read_to_string(&job.mapping_file).unwrap_or_default();
        ImportError::Mapping { file: job.mapping_file.display().to_string(), error: MappingError::located(error, &text) }
    })
}

async fn scan(job: &Job, mapping: Mapping, county: String) -> Result<Scan, ImportError> {
    let job = job.clone();
    let file = job.file.display().to_string();
    let scanned = tokio::task::spawn_blocking(move || {
        let mut rows = Rows::open(&job.file, &mapping)?;
        let plan = bind(&job, &mapping, &rows)?;
        let mut facilities = BTreeMap::new();
        let mut count = 0;
        while let Some(group) = rows.next_group(&plan)? {
            count += 1;
            let Ok(row) = group.map_err(|_| ()).and_then(|records| plan.row(&county, &records).map_err(|_| ())) else { continue };
            facilities.entry(row.facility.id.clone()).or_insert(row.facility);
        }
        Ok(Scan { rows: count, header: rows.header().clone(), digest: rows.digest(), facilities })
    });
    scanned.await.map_err(|error| ImportError::File { file, detail: error.to_string() })?
}

/// Reads the file again, off the async threads, a few rows ahead of what is sent.
fn read(job: Job, mapping: Mapping, county: String) -> ReceiverStream<Result<Entry<Vec<Record>>, ImportError>> {
    let (entries, reading) = mpsc::channel(READ_AHEAD);
    tokio::task::spawn_blocking(move || {
        let failure = (|| {
            let mut rows = Rows::open(&job.file, &mapping)?;
            let plan = bind(&job, &mapping, &rows)?;
            while let Some(group) = rows.next_group(&plan)? {
                if entries.blocking_send(Ok(entry(&plan, &county, group))).is_err() {
                    break;
                }
            }
            Ok(())
        })();
        if let Err(error) = failure {
            let _nobody_listens = entries.blocking_send(Err(error));
        }
    });
    ReceiverStream::new(reading)
}

fn entry(plan: &Plan, county: &str, group: Group) -> Entry<Vec<Record>> {
    match group {
        Err((records, problem)) => Entry::Unreadable(problem, records),
        Ok(records) => match plan.row(county, &records) {
            Ok(mapped) => Entry::Row(mapped.row, records),
            Err(problem) => Entry::Unreadable(problem, records),
        },
    }
}

async fn missing_facilities(client: &Client, county: &str, scan: &Scan) -> Result<Vec<FacilitySeen>, ImportError> {
    let mut missing = scan.facilities.clone();
    let mut page_token = String::new();
    loop {
        let request = pb::ListFacilitiesRequest { parent: county.to_owned(), page_size: 1_000, page_token, ..Default::default() };
        let page = client.list_facilities(request).await?;
        for facility in &page.facilities {
            missing.remove(names::id(&facility.name));
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(missing.into_values().collect());
        }
    }
}

async fn make_facilities(
    administrator: Option<&Client>,
    county: &str,
    mapping: &Mapping,
    missing: Vec<FacilitySeen>,
    mut made: impl FnMut(),
) -> Result<u64, ImportError> {
    let Some(first) = missing.first().map(|facility| facility.id.clone()) else { return Ok(0) };
    let count = missing.len();
    let cannot = |why: String| ImportError::Facilities { count, first: first.clone(), why };
    if !mapping.facility.create {
        return Err(cannot("the mapping says facility.create = false".to_owned()));
    }
    let administrator = administrator.ok_or_else(|| cannot("that needs an administrator's credential".to_owned()))?;
    let calls = missing.into_iter().map(|facility| make(administrator, county, facility));
    let mut calls = futures_util::stream::iter(calls).buffer_unordered(FACILITIES_AT_ONCE);
    let mut all = 0;
    while let Some(call) = calls.next().await {
        call.map_err(|error| match error {
            ClientError::Refused(refusal) => cannot(refusal.to_string()),
            other => ImportError::Call(other),
        })?;
        all += 1;
        made();
    }
    Ok(all)
}

async fn make(administrator: &Client, county: &str, facility: FacilitySeen) -> Result<(), ClientError> {
    let request = pb::CreateFacilityRequest {
        parent: county.to_owned(),
        request_id: steady_id(&[county, "facility", &facility.id, &facility.display_name, &facility.time_zone]),
        facility_id: facility.id,
        display_name: facility.display_name,
        time_zone: facility.time_zone,
        city: facility.city,
        ..Default::default()
    };
    administrator.create_facility(request).await.map(|_| ())
}
