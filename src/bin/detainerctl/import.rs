//! Files of earlier records.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use detainer::client::import::file::{Job, Step, load, run as import};
use detainer::client::import::send::Answered;
use detainer::client::import::{ImportError, ImportTotals};
use detainer::client::mapping::Record;
use detainer::client::{Client, ClientError};
use detainer::pb;
use detainer::sheet::table::{Cell, Sheet, field};
use indicatif::{ProgressBar, ProgressStyle};

use crate::context::{As, Context, Failure};
use crate::output;

/// Exit code where some rows were rejected.
const SOME_REJECTED: u8 = 5;

/// Loads a CSV file, plain or gzip, as a mapping says.
///
/// Rows go in one by one: a bad one spoils no other. A second run of the same file records nothing. Facilities that the
/// county has not are made first, if the mapping allows it and an administrator's token is at hand.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 all rows are in; 5 some were rejected; 1 it broke off.\n\
    Examples:\n  detainerctl --county us-2015 import ice_detainers.csv.gz --map mappings/national-detainers-fy2015.toml\n  \
    detainerctl --county wa-jail import charges.csv --map mappings/jail-charges.toml --rejects rejects.csv")]
pub struct Import {
    /// The file.
    file: PathBuf,
    /// The mapping: docs/mapping.md is its manual.
    #[arg(long, value_name = "MAPPING.toml")]
    map: PathBuf,
    /// Write rejected records here, as they stand in the file, with line and reason.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Write one result per row here: row id, line, outcome, sequence, reason.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Decide each row, and record nothing.
    #[arg(long)]
    validate_only: bool,
    /// Print what the mapping assumes, and do nothing.
    #[arg(long)]
    explain: bool,
    /// Show no progress bar.
    #[arg(long)]
    quiet: bool,
}

pub async fn run(context: &Context, command: &Import) -> Result<u8, Failure> {
    if command.explain {
        return explain(&command.map).map(|()| 0);
    }
    let client = context.client(As::Records).await?;
    let administrator = administrator(context, &client);
    let county = context.county(&client).await?;
    let job = Job { county, file: command.file.clone(), mapping_file: command.map.clone(), validate_only: command.validate_only };
    let started = std::time::Instant::now();
    let mut watching = Watching::new(command)?;
    let totals =
        import(&client, administrator.as_ref(), &job, |step| watching.step(step)).await.map_err(|error| hint(error, &job))?;
    let written = watching.finish();
    output::sheet(context, &summary(command, &totals, started.elapsed()))?;
    written?;
    Ok(if totals.rejected == 0 { 0 } else { SOME_REJECTED })
}

/// Facilities are an administrator's to make: the data folder's own token, or the one in use if it may.
fn administrator(context: &Context, client: &Client) -> Option<Client> {
    context.credential(As::Administrator).ok().map(|credential| client.with_credential(credential))
}

fn hint(error: ImportError, job: &Job) -> Failure {
    let refused = match &error {
        ImportError::Call(ClientError::Refused(refusal)) => Some(refusal.reason),
        _ => None,
    };
    let county = detainer::sheet::names::id(&job.county);
    match refused {
        Some(pb::ErrorReason::RoleRequired) => Failure::Other(format!(
            "{error}\nImporting is for records staff. Make a token for that, once:\n  \
             detainerctl token create --person importer --role records --county {county} --save"
        )),
        Some(pb::ErrorReason::ResourceNotFound) => Failure::Other(format!(
            "{error}\nMake the county first:\n  detainerctl county create {county} --name NAME --zone America/New_York"
        )),
        _ => error.into(),
    }
}

fn explain(map: &Path) -> Result<(), Failure> {
    let mapping = load(map)?;
    println!("{}\n\nIt assumes:", mapping.title);
    for assumption in &mapping.assumptions {
        println!("- {assumption}");
    }
    Ok(())
}

/// What is shown and written on the way.
struct Watching {
    bar: ProgressBar,
    rejects: Option<(PathBuf, csv::Writer<File>)>,
    columns: usize,
    results: Option<csv::Writer<File>>,
    shown: u32,
    failed: Option<std::io::Error>,
}

/// How many rejected rows are shown on the terminal.
const SHOWN: u32 = 5;

impl Watching {
    fn new(command: &Import) -> Result<Self, Failure> {
        let writer = |path: &PathBuf| {
            let file = File::create(path).map_err(|error| Failure::Other(format!("{}: {error}", path.display())))?;
            // A rejected record may have any number of columns.
            Ok::<_, Failure>(csv::WriterBuilder::new().flexible(true).from_writer(file))
        };
        let mut results = command.results.as_ref().map(writer).transpose()?;
        if let Some(results) = &mut results {
            results.write_record(["row_id", "line", "outcome", "sequence", "reason"]).map_err(std::io::Error::from)?;
        }
        let rejects = command.rejects.as_ref().map(|path| writer(path).map(|writer| (path.clone(), writer))).transpose()?;
        let bar = if command.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        bar.set_message("reading the file");
        Ok(Self { bar, rejects, columns: 0, results, shown: 0, failed: None })
    }

    fn step(&mut self, step: Step<'_>) {
        let written = match step {
            Step::Scanned { rows, header, facilities } => {
                self.bar.set_length(rows.max(1));
                self.bar.set_style(style());
                self.bar.set_message(if facilities > 0 { format!("making {facilities} facilities") } else { String::new() });
                self.bar.enable_steady_tick(std::time::Duration::from_millis(200));
                self.reject_header(header)
            }
            Step::FacilityMade => Ok(()),
            Step::Row(answered) => self.row(&answered),
        };
        if let (Err(error), None) = (written, &self.failed) {
            self.failed = Some(error);
        }
    }

    fn reject_header(&mut self, header: &csv::StringRecord) -> std::io::Result<()> {
        self.columns = header.len();
        let Some((_, rejects)) = &mut self.rejects else { return Ok(()) };
        let mut header = header.clone();
        header.push_field("reject_line");
        header.push_field("reject_reason");
        Ok(rejects.write_record(&header)?)
    }

    fn row(&mut self, answered: &Answered<Vec<Record>>) -> std::io::Result<()> {
        use detainer::client::import::RowOutcome;
        if self.bar.position() == 0 {
            self.bar.set_message("");
        }
        self.bar.inc(1);
        let line = answered.with.first().map_or(0, |record| record.line);
        let reason = answered.outcome.reason();
        if let Some(results) = &mut self.results {
            let sequence = match answered.outcome {
                RowOutcome::Recorded(sequence) | RowOutcome::AlreadyRecorded(sequence) if sequence > 0 => sequence.to_string(),
                _ => String::new(),
            };
            let outcome = answered.outcome.word();
            results.write_record([
                &answered.row_id,
                &line.to_string(),
                outcome,
                &sequence,
                reason.as_deref().unwrap_or_default(),
            ])?;
        }
        let Some(reason) = reason else { return Ok(()) };
        self.shown += 1;
        if self.shown <= SHOWN {
            let row = if answered.row_id.is_empty() { String::new() } else { format!("row {}, ", answered.row_id) };
            self.bar.suspend(|| eprintln!("rejected: {row}{reason}"));
        }
        let Some((_, rejects)) = &mut self.rejects else { return Ok(()) };
        for record in &answered.with {
            let mut fields = record.fields.clone();
            // Columns that are missing are left empty, so that line and reason stand under their names.
            while fields.len() < self.columns {
                fields.push_field("");
            }
            fields.push_field(&record.line.to_string());
            fields.push_field(&reason);
            rejects.write_record(&fields)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        if self.shown > SHOWN {
            let rest = self.shown - SHOWN;
            let place =
                self.rejects.as_ref().map_or("--rejects FILE keeps them".to_owned(), |(path, _)| path.display().to_string());
            eprintln!("... and {rest} more: {place}");
        }
        if let Some((_, rejects)) = &mut self.rejects {
            rejects.flush()?;
        }
        if let Some(results) = &mut self.results {
            results.flush()?;
        }
        self.failed.map_or(Ok(()), |error| Err(Failure::Io(error)))
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} rows, {per_sec}, {eta} left {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn summary(command: &Import, totals: &ImportTotals, took: std::time::Duration) -> Sheet {
    let count = |count: u64| Cell::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let fields = vec![
        field("rows", "rows", count(totals.rows)),
        field("recorded", "recorded now", count(totals.recorded)),
        field("already_recorded", "recorded before", count(totals.already_recorded)),
        field("rejected", "rejected", count(totals.rejected)),
        field("facilities_created", "facilities made", count(totals.facilities_created)),
        field("as_of_sequence", "head of the county's journal", Cell::Int(totals.head)),
        field("seconds", "seconds", Cell::text(format!("{:.1}", took.as_secs_f64()))),
    ];
    let title = if command.validate_only { "Validated; nothing was recorded." } else { "" };
    Sheet { title: title.to_owned(), fields, ..Sheet::default() }
}
