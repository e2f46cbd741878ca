//! A past period told anew to other rules.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::Args;
use detainer::client::Client;
use detainer::client::report::checked;
use detainer::client::report::file::Pending;
use detainer::sheet::canonical::{Canonical, Digest};
use detainer::sheet::table::{Cell, Field, Sheet, Table, field};
use detainer::sheet::{reports, time, words};
use detainer::{pb, policyfile};
use indicatif::{ProgressBar, ProgressStyle};
use pb::supposed_rule::Rule;

use crate::context::{Context, Failure};
use crate::output;
use crate::policy_chain::chain;
use crate::policy_change::{is_file, read, revision, supposed};
use crate::report::Query;

/// Flips that are shown; a file has all of them.
const SHOWN: usize = 20;

/// Simulates.
#[derive(Debug, Args)]
pub struct Simulate {
    /// What to suppose: a mode, a policy file, a chain of files, or a revision's id; each but the first with `@` and the
    /// time since when, for example `decline-all@2014-06-01`. The links of a chain bring their days along.
    #[arg(value_name = "MODE|FILE|REVISION[@TIME]", required = true)]
    rules: Vec<String>,
    #[command(flatten)]
    query: Query,
    /// Keep every answer that differs in this CSV file; the terminal shows the first of them.
    #[arg(long, value_name = "FILE")]
    flips: Option<PathBuf>,
    /// No progress bar.
    #[arg(long, short)]
    quiet: bool,
}

/// A rule as it is named, without a time.
fn rule(county: &str, what: &str, day: NaiveDate) -> Result<Rule, Failure> {
    if let Some(mode) = words::parse::<pb::PolicyMode>(what) {
        return Ok(Rule::Mode(mode.into()));
    }
    if is_file(what) {
        return Ok(Rule::Candidate(supposed(county, read(what)?.revision(), day)));
    }
    Ok(Rule::Name(revision(county, what)))
}

/// Whether what is supposed is a file, and no mode or revision.
pub fn is_a_file(what: &str) -> bool {
    words::parse::<pb::PolicyMode>(what).is_none() && is_file(what)
}

/// Rules, each by itself over the whole period.
pub fn others(county: &str, told: &[String], day: NaiveDate) -> Result<Vec<pb::SupposedRule>, Failure> {
    let mut rules = Vec::new();
    for what in told {
        if is_file(what) && chain(what)?.is_some() {
            return Err(Failure::Usage(format!("{what} is a chain: `detainerctl policy simulate` takes it")));
        }
        rules.push(pb::SupposedRule { rule: Some(rule(county, what, day)?), effective_time: None });
    }
    Ok(rules)
}

/// The links of a chain that are in force in a period, the first of them since it begins.
fn links(
    county: &str,
    path: &str,
    chain: &policyfile::Chain,
    period: (NaiveDate, NaiveDate),
) -> Result<Vec<pb::SupposedRule>, Failure> {
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let mut files = HashMap::new();
    for name in chain.files() {
        files.insert(name.to_string(), read(&folder.join(&**name).display().to_string())?);
    }
    let mut rules = Vec::new();
    for link in &chain.links {
        let from = link.from.filter(|from| *from > period.0);
        if from.is_some_and(|from| from >= period.1) {
            continue;
        }
        if from.is_none() {
            rules.clear();
        }
        let rule = chain.rule(link, |name| files.get(name));
        let rule = rule.map_err(|why| Failure::Usage(format!("{path}: {why}")))?;
        let told = supposed(county, &rule, from.unwrap_or(period.0));
        let effective_time = from.map(|from| time::stamp(chain.zone.start_of(from).utc()));
        rules.push(pb::SupposedRule { rule: Some(Rule::Candidate(told)), effective_time });
    }
    if chain.until.is_some_and(|until| until < period.1) {
        let until = chain.until.map(|day| day.to_string()).unwrap_or_default();
        return Err(Failure::Usage(format!("{path}: tells nothing from {until} on: choose --to accordingly")));
    }
    Ok(rules)
}

async fn rules(
    context: &Context,
    client: &Client,
    county: &str,
    command: &Simulate,
    period: (NaiveDate, NaiveDate),
) -> Result<Vec<pb::SupposedRule>, Failure> {
    let mut rules = Vec::new();
    for told in &command.rules {
        let (what, at) = told.split_once('@').map_or((told.as_str(), None), |(what, at)| (what, Some(at)));
        if let Some(chain) = if is_file(what) { chain(what)? } else { None } {
            if at.is_some() || command.rules.len() > 1 {
                return Err(Failure::Usage(format!("{what} is a chain: it stands alone and brings its days along")));
            }
            return links(county, what, &chain, period);
        }
        let effective_time = match at {
            Some(at) => Some(time::stamp(context.county_time(client, county, at).await?)),
            None => None,
        };
        rules.push(pb::SupposedRule { rule: Some(rule(county, what, period.0)?), effective_time });
    }
    Ok(rules)
}

/// Simulates, with a bar, and shows what came of it.
pub async fn run(context: &Context, client: &Client, county: &str, command: &Simulate) -> Result<(), Failure> {
    use pb::simulate_policy_response::Part;
    let zone = context.county_zone(client, county).await?;
    let query = command.query.wire(context, zone, county)?;
    let day = |date: Option<&pb::Date>| date.and_then(time::day).unwrap_or_default();
    let period = query.period.as_ref().map(|period| (day(period.start_date.as_ref()), day(period.end_date.as_ref())));
    let rules = rules(context, client, county, command, period.unwrap_or_default()).await?;
    let layout = reports::flips::layout();
    let mut digest = Digest::new(&layout.columns)?;
    let mut kept = match &command.flips {
        Some(path) => Some(Canonical::new(Pending::new(path)?, &layout.columns)?),
        None => None,
    };
    let bar = if command.quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(
        ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} stays, {per_sec}, {eta} left, {msg} answers differ")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut flips = layout.table(layout.title);
    let (mut count, mut comparison, mut manifest) = (0_usize, None, None);
    let mut stream = client.simulate_policy(pb::SimulatePolicyRequest { query: Some(query), rules }).await?;
    while let Some(message) = stream.message().await.map_err(|status| client.error(&status))? {
        match message.part {
            Some(Part::Progress(progress)) => {
                bar.set_length(u64::try_from(progress.bookings_total).unwrap_or(0));
                bar.set_position(u64::try_from(progress.bookings_done).unwrap_or(0));
                bar.set_message(count.to_string());
            }
            Some(Part::Flip(flip)) => {
                count += 1;
                let row = reports::flips::row(&flip);
                digest.row(&row)?;
                if let Some(file) = &mut kept {
                    file.row(&row)?;
                }
                if count <= SHOWN {
                    flips.rows.push(row);
                }
            }
            Some(Part::Comparison(told)) => comparison = Some(told),
            Some(Part::Manifest(last)) => manifest = Some(last),
            Some(Part::AsOfPair(_)) | None => {}
        }
    }
    bar.finish_and_clear();
    let (Some(comparison), Some(manifest)) = (comparison, manifest) else {
        return Err(Failure::Other("the simulation was cut short; ask again".to_owned()));
    };
    checked(digest.finish()?, &manifest)?;
    if let Some(file) = kept {
        file.finish()?.keep()?;
    }
    shown(context, command, &comparison, reports::manifest(Some(&manifest), zone), flips, count)
}

fn shown(
    context: &Context,
    command: &Simulate,
    comparison: &pb::PolicyComparison,
    manifest: Vec<Field>,
    flips: Table,
    count: usize,
) -> Result<(), Failure> {
    let supposed = comparison.supposed.clone().map(|one| pb::PolicyColumn { label: command.rules.join(", then "), ..one });
    let both: Vec<pb::PolicyColumn> = comparison.recorded.iter().chain(&supposed).cloned().collect();
    let mut fields = vec![
        field("booking_count", "stays told anew", Cell::Int(comparison.booking_count)),
        field("flip_count", "answers that differ", Cell::Int(comparison.flip_count)),
        field("not_alike_count", "stays not of these facts and rules alone", Cell::Int(comparison.not_alike_count)),
    ];
    fields.extend(manifest);
    let mut notes = Vec::new();
    if count > flips.rows.len() {
        let all = command.flips.as_ref().map_or("--flips FILE keeps all".to_owned(), |path| format!("all in {}", path.display()));
        notes.push(format!("{} of {count} answers that differ are shown; {all}.", flips.rows.len()));
    }
    if comparison.not_alike_count > 0 {
        notes.push("In stays of which facts came late or were corrected, not every difference is the rule's doing.".to_owned());
    }
    let parts = vec![("comparison", reports::comparison::table(&both, Vec::new())), ("flips", flips)];
    let title = "What would have been; nothing was recorded.".to_owned();
    output::sheet(context, &Sheet { title, fields, parts, notes })
}
