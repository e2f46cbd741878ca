//! Reports: on the terminal, or as files.

use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use detainer::client::Client;
use detainer::client::report::pack::{Quarter, pack};
use detainer::client::report::write::{Place, Target, manifest, text, write};
use detainer::client::report::{End, ReportError, What};
use detainer::pb;
use detainer::sheet::canonical::Canonical;
use detainer::sheet::table::{Cell, Format, Table};
use detainer::sheet::words::Word;
use detainer::sheet::write::Form;
use detainer::sheet::{names, reports, time};
use indicatif::{ProgressBar, ProgressStyle};

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::{In, as_of, day};
use crate::policy_simulate;
use crate::report_change::{self, Change};

/// Which report.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The hold register: one row a hold, counted by the hold's own end and by the actual release.
    Holds(Plain),
    /// How long people were held past T0: mean, median, nine of ten, the longest, by both readings of 48 hours.
    HoldStatistics(Grouped),
    /// How detainers were answered.
    Decisions(Grouped),
    /// The requests that were not honored, one by one.
    NotHonored(Plain),
    /// What fell due to be told to whom: done in time, late, not at all.
    Duties(Grouped),
    /// What custody after T0 cost, and who pays.
    ///
    /// Example: detainerctl report cost --from 2014-01-01 --to 2017-01-26 --group-by month --out cost.xlsx
    Cost(Cost),
    /// The lines that the cost report adds up.
    ///
    /// Example: detainerctl report cost-lines --from 2018-01-01 --to 2018-02-01 --by-books --out postings.csv
    CostLines(Lines),
    /// Why the cost report is not what it was: what each record, and time, changed in it, with nothing left over.
    ///
    /// Example: detainerctl report change --from 2018-01-01 --to 2018-02-01 --before 2018-02-05
    Change(Change),
    /// One period under several policies, on the same facts: as recorded, honor always, only with a guarantee.
    ///
    /// Example: detainerctl report modes policies/cook-2011.toml --from 2014-01-01 --to 2015-01-01
    Modes(Modes),
    /// Custody that nothing covered, whether or not a hold ever ran.
    Overdetention(Plain),
    /// The certificate of a jail for one of its days: how many in custody and on hold, and everybody without authority.
    ///
    /// Example: detainerctl report certificate main-jail --day 2024-03-15 --out certificate.html
    Certificate(Certificate),
    /// People who could post bail and for whom a detainer is open: now, or at --accrue-until.
    BailEligible(Moment),
    /// What Georgia asks of its jails each quarter, as far as it is recorded.
    Georgia(Plain),
    /// What North Carolina asks of its jails each year, as far as it is recorded.
    NorthCarolina(Plain),
    /// All reports of a quarter as files, as of one record, with an index page: for a board, or for an auditor.
    ///
    /// Example: detainerctl report board-pack --quarter 2014Q1 --out pack && (cd pack && sha256sum -c SHA256SUMS)
    BoardPack(BoardPack),
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
    #[command(flatten)]
    which: Which,
}

/// What a report is about, but for its days.
#[derive(Debug, Args)]
#[command(next_help_heading = "What about")]
pub struct Which {
    /// Only this facility; may be given more than once.
    #[arg(long, value_name = "FACILITY")]
    facility: Vec<String>,
    /// Only this issuing office, by code; may be given more than once.
    #[arg(long, value_name = "CODE")]
    office: Vec<String>,
    /// Only forms issued by this component; may be given more than once, as all that follow.
    #[arg(long, value_name = "COMPONENT")]
    component: Vec<In<pb::IssuingComponent>>,
    /// Only forms of this edition.
    #[arg(long, value_name = "EDITION")]
    edition: Vec<In<pb::FormEdition>>,
    /// Only under this policy revision.
    #[arg(long, value_name = "REVISION")]
    revision: Vec<String>,
    /// Only under this mode.
    #[arg(long, value_name = "MODE")]
    mode: Vec<In<pb::PolicyMode>>,
    /// Only what this agreement pays for.
    #[arg(long, value_name = "AGREEMENT")]
    agreement: Vec<String>,
    /// Only holds that ended so.
    #[arg(long, value_name = "REASON")]
    end_reason: Vec<In<pb::HoldEndReason>>,
    /// Only where this was the reason of the decision.
    #[arg(long, value_name = "REASON")]
    decision_reason: Vec<In<pb::DecisionReason>>,
    /// What has no value of this key too, for example the time that no agreement pays for; alone, where no value is asked for.
    #[arg(long, value_name = "KEY")]
    without: Vec<In<pb::GroupBy>>,
    /// What was known: a sequence number, or a time.
    #[arg(long, value_name = "NUMBER|TIME")]
    as_of: Option<String>,
    /// Up to when custody that goes on is counted.
    #[arg(long, value_name = "TIME")]
    accrue_until: Option<String>,
}

/// Where a report goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where to")]
pub struct Out {
    /// Write it to this file, and its manifest to FILE.manifest.json. The form is that of the file's end, or as --format
    /// says: .csv, .jsonl, .xlsx, .html. The file is there whole or not at all.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A report as it is.
#[derive(Debug, Args)]
pub struct Plain {
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    out: Out,
}

/// A report in slices.
#[derive(Debug, Args)]
pub struct Grouped {
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    out: Out,
    /// By what to slice; may be given more than once. Any slicing gives the same total.
    #[arg(long, value_name = "KEY")]
    group_by: Vec<In<pb::GroupBy>>,
}

/// The cost in slices.
#[derive(Debug, Args)]
pub struct Cost {
    #[command(flatten)]
    grouped: Grouped,
    #[command(flatten)]
    books: Books,
}

/// By the days of custody, or by the books.
#[derive(Debug, Args)]
pub struct Books {
    /// By the books: each posting on the day that it is accounted on. The books of a closed period stay the same for good;
    /// --group-by custody-month says what a later adjustment is about.
    #[arg(long, conflicts_with = "accrue_until")]
    by_books: bool,
}

/// Policies side by side.
#[derive(Debug, Args)]
pub struct Modes {
    /// More rules to suppose: a mode, a policy file, or a revision's id.
    #[arg(value_name = "MODE|FILE|REVISION")]
    others: Vec<String>,
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    out: Out,
}

/// Cost lines.
#[derive(Debug, Args)]
pub struct Lines {
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    out: Out,
    /// Only this booking.
    #[arg(long, value_name = "BOOKING")]
    booking: Option<String>,
    #[command(flatten)]
    books: Books,
}

/// One jail on one local day.
#[derive(Debug, Args)]
pub struct Certificate {
    /// The jail.
    #[arg(value_name = "FACILITY")]
    jail: String,
    /// The day. Left out: yesterday.
    #[arg(long, value_name = "DAY", value_parser = day)]
    day: Option<NaiveDate>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    out: Out,
}

/// A list of one instant.
#[derive(Debug, Args)]
pub struct Moment {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    out: Out,
}

/// The pack of a quarter.
#[derive(Debug, Args)]
pub struct BoardPack {
    /// The quarter, as 2014Q1. Left out: the last one that is over.
    #[arg(long, value_name = "QUARTER")]
    quarter: Option<Quarter>,
    /// The folder, new or empty. It is there whole or not at all.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    which: Which,
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    let zone = context.county_zone(&client, &county).await?;
    let (what, query, out, notes) = match &command {
        Command::Holds(plain) => (What::Register, plain.query.wire(context, zone, &county)?, &plain.out, Vec::new()),
        Command::HoldStatistics(grouped) => {
            (What::Statistics(grouped.keys()), grouped.query.wire(context, zone, &county)?, &grouped.out, Vec::new())
        }
        Command::Decisions(grouped) => {
            (What::Decisions(grouped.keys()), grouped.query.wire(context, zone, &county)?, &grouped.out, Vec::new())
        }
        Command::NotHonored(plain) => (What::Declined, plain.query.wire(context, zone, &county)?, &plain.out, Vec::new()),
        Command::Duties(grouped) => {
            (What::Duties(grouped.keys()), grouped.query.wire(context, zone, &county)?, &grouped.out, Vec::new())
        }
        Command::Cost(Cost { grouped, .. }) => {
            (What::Cost(grouped.keys()), grouped.query.wire(context, zone, &county)?, &grouped.out, Vec::new())
        }
        Command::CostLines(lines) => {
            let booking = lines.booking.as_deref().map(|id| names::booking(&county, id)).unwrap_or_default();
            (What::Lines(booking), lines.query.wire(context, zone, &county)?, &lines.out, Vec::new())
        }
        Command::Modes(modes) => {
            let others = policy_simulate::others(&county, &modes.others, modes.query.first_day(context, zone))?;
            (What::Policies(others), modes.query.wire(context, zone, &county)?, &modes.out, modes.notes())
        }
        Command::Overdetention(plain) => (What::Overdetention, plain.query.wire(context, zone, &county)?, &plain.out, Vec::new()),
        Command::Georgia(plain) => (What::Georgia, plain.query.wire(context, zone, &county)?, &plain.out, Vec::new()),
        Command::NorthCarolina(plain) => (What::NorthCarolina, plain.query.wire(context, zone, &county)?, &plain.out, Vec::new()),
        Command::Certificate(told) => (What::Certificate, told.wire(context, zone, &county)?, &told.out, Vec::new()),
        Command::BailEligible(told) => (What::BailEligible, told.which.wire(context, zone, &county)?, &told.out, Vec::new()),
        Command::Change(change) => return report_change::run(context, &client, zone, &county, change).await,
        Command::BoardPack(told) => return board_pack(context, &client, zone, &county, told).await,
    };
    let mut query = query;
    query.by_books = match &command {
        Command::Cost(Cost { books, .. }) | Command::CostLines(Lines { books, .. }) => books.by_books,
        _ => false,
    };
    if let Some(path) = &out.out {
        return to_file(context, &client, &what, query, notes, path).await;
    }
    let Some((mut table, end)) = told(context, &client, &what, query, out).await? else { return Ok(()) };
    if let Command::Modes(modes) = &command {
        // Named as they were here: the server knows a file's rule as a candidate.
        for (row, called) in table.rows.iter_mut().skip(USUAL).zip(&modes.others) {
            row.splice(..1, [Cell::text(called.as_str())]);
        }
    }
    table.about = reports::manifest(Some(&end.manifest), zone);
    output::table(context, &table)
}

/// A report to a file, or as CSV on standard output; where neither was asked for, its table, without what it rests on.
pub async fn told(
    context: &Context,
    client: &Client,
    what: &What,
    query: pb::ReportQuery,
    out: &Out,
) -> Result<Option<(Table, End)>, Failure> {
    if let Some(path) = &out.out {
        to_file(context, client, what, query, Vec::new(), path).await?;
        return Ok(None);
    }
    if context.look().format == Format::Csv {
        to_csv(context, client, what, query).await?;
        return Ok(None);
    }
    let mut table = what.layout().table("");
    let end = what.tell(client, query, |row| {
        table.rows.push(row);
        Ok(())
    });
    let end = end.await?;
    table.total = end.total.clone().filter(|_| !table.rows.is_empty());
    Ok(Some((table, end)))
}

/// Policies that are always compared: as recorded, and two modes.
const USUAL: usize = 3;

impl Modes {
    /// What the server calls candidates, where that is not what they were called here.
    fn notes(&self) -> Vec<String> {
        let files = self.others.iter().enumerate().filter(|(_, called)| policy_simulate::is_a_file(called));
        files.map(|(n, called)| format!("candidate-{} is {called}.", n + 1)).collect()
    }
}

/// The canonical file on standard output; with `--utc` the same with other times.
async fn to_csv(context: &Context, client: &Client, what: &What, query: pb::ReportQuery) -> Result<(), Failure> {
    let out = io::BufWriter::new(io::stdout().lock());
    let written = async {
        let mut file = Canonical::in_zone(out, &what.layout().columns, context.look().utc)?;
        what.tell(client, query, |row| file.row(&row)).await?;
        io::Write::flush(&mut file.finish()?)?;
        Ok::<_, ReportError>(())
    };
    match written.await {
        // A reader that hangs up, as `head` does, is no failure.
        Err(ReportError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// The form of a file, by what was said and by its end.
fn form(format: Format, path: &Path) -> Result<Form, Failure> {
    let ends = path.extension().and_then(|end| end.to_str()).and_then(Form::of_extension);
    let said = match format {
        Format::Table => None,
        Format::Csv => Some(Form::Csv),
        Format::Json => Some(Form::Jsonl),
    };
    match (said, ends) {
        (Some(said), Some(ends)) if said != ends => {
            Err(Failure::Usage(format!("{} ends as another form than --format says: leave one of them out", path.display())))
        }
        (Some(form), _) | (None, Some(form)) => Ok(form),
        (None, None) => Err(Failure::Usage(format!(
            "{}: in what form? End its name in .csv, .jsonl, .xlsx or .html, or say --format csv or json",
            path.display()
        ))),
    }
}

async fn to_file(
    context: &Context,
    client: &Client,
    what: &What,
    query: pb::ReportQuery,
    notes: Vec<String>,
    path: &Path,
) -> Result<(), Failure> {
    if context.look().utc {
        return Err(Failure::Usage("--utc is for the terminal: a file has each time with the offset of its place".to_owned()));
    }
    let targets = [Target { form: form(context.look().format, path)?, path: path.to_owned() }];
    let heading = Place::of(client, &query.county, query.as_of).await?.heading(what.layout(), notes);
    let bar = spinner();
    bar.set_message(heading.layout.title);
    let written = write(client, what, query, &heading, &targets, |rows| bar.set_position(rows)).await;
    bar.finish_and_clear();
    let written = written?;
    let beside = PathBuf::from(format!("{}.manifest.json", path.display()));
    text(&beside, &format!("{:#}\n", manifest(&heading, &written, &targets)))?;
    let rows = Cell::Int(written.end.manifest.row_count).shown(false);
    output::text(&format!(
        "{}: {rows} rows as of record {}.\n",
        path.display(),
        written.end.manifest.as_of_pair.unwrap_or_default().sequence
    ))
}

/// Rows so far, on a terminal only.
fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg}: {human_pos} rows, {per_sec}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

async fn board_pack(
    context: &Context,
    client: &Client,
    zone: chrono_tz::Tz,
    county: &str,
    told: &BoardPack,
) -> Result<(), Failure> {
    if !told.which.office.is_empty() {
        return Err(Failure::Usage(
            "--office is for one report: over-detention, which is in the pack, rests on no office".to_owned(),
        ));
    }
    let today = context.now().with_timezone(&zone).date_naive();
    let quarter = told.quarter.unwrap_or(Quarter::before(today));
    let query = told.which.wire(context, zone, county)?;
    let bar = spinner();
    let files = pack(client, quarter, query, &told.out, |stem, rows| {
        bar.set_message(stem.to_owned());
        bar.set_position(rows);
    });
    let files = files.await;
    bar.finish_and_clear();
    let files = files?;
    output::text(&format!("{}: {} files of {quarter}; begin with index.html.\n", told.out.display(), files.len()))
}

impl Grouped {
    fn keys(&self) -> Vec<pb::GroupBy> {
        self.group_by.iter().map(|by| pb::GroupBy::try_from(i32::from(*by)).unwrap_or_default()).collect()
    }
}

impl Certificate {
    fn wire(&self, context: &Context, zone: chrono_tz::Tz, county: &str) -> Result<pb::ReportQuery, Failure> {
        let mut query = self.which.wire(context, zone, county)?;
        let today = context.now().with_timezone(&zone).date_naive();
        let day = self.day.or(today.pred_opt()).unwrap_or(today);
        query.period = Some(reports::period(day, day.succ_opt().unwrap_or(day)));
        query.facilities.push(names::facility(county, &self.jail));
        Ok(query)
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
        Ok(pb::ReportQuery { period: Some(reports::period(from, to)), ..self.which.wire(context, zone, county)? })
    }
}

impl Which {
    /// As the service asks for it, without days.
    fn wire(&self, context: &Context, zone: chrono_tz::Tz, county: &str) -> Result<pb::ReportQuery, Failure> {
        let accrue = self.accrue_until.as_deref().map(|text| time::read(text, zone, context.now())).transpose()?;
        fn numbers<W: Word>(told: &[In<W>]) -> Vec<i32> {
            told.iter().map(|one| one.0.into()).collect()
        }
        Ok(pb::ReportQuery {
            by_books: false,
            county: county.to_owned(),
            period: None,
            facilities: self.facility.iter().map(|id| names::facility(county, id)).collect(),
            office_codes: self.office.clone(),
            as_of: as_of(self.as_of.as_deref(), zone, context.now())?,
            accrue_until: accrue.map(time::stamp),
            components: numbers(&self.component),
            form_editions: numbers(&self.edition),
            policy_revisions: self.revision.iter().map(|id| names::revision(county, id)).collect(),
            policy_modes: numbers(&self.mode),
            agreements: self.agreement.iter().map(|id| names::agreement(county, id)).collect(),
            end_reasons: numbers(&self.end_reason),
            decision_reasons: numbers(&self.decision_reason),
            without: numbers(&self.without),
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
