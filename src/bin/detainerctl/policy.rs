//! The policy.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use detainer::client::Client;
use detainer::pb;
use detainer::sheet::table::{Cell, Sheet, Table, about, column, field, more};
use detainer::sheet::{names, time, words};

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::{In, Paper, Writing, as_of, day};
use crate::policy_change::{self, Activate, Confirm, Dates, Which};
use crate::policy_explain::{self, Explain};
use crate::policy_file;
use crate::policy_simulate::{self, Simulate};

/// What to do with the policy.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Switch the policy to a mode: a dated, signed act.
    ///
    /// Example: detainerctl policy switch require-reimbursement-guarantee --adopted 2013-12-03 --effective 2014-01-01
    /// --open-detainers reevaluate --title "Resolution R-1008-13" --citation R-1008-13 --dated 2013-12-03
    Switch(Box<Switch>),
    /// The policy in force; or with a file or a revision's id, what that one says.
    Show {
        /// A policy file, for which no server is asked, or the id of a revision.
        #[arg(value_name = "FILE|REVISION", conflicts_with = "at")]
        what: Option<String>,
        /// The moment asked about. Left out: now.
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// What was known: a sequence number, or a time.
        #[arg(long, value_name = "NUMBER|TIME")]
        as_of: Option<String>,
    },
    /// All revisions, latest first.
    History,
    /// Reads policy files and chains, checks their rules and runs their examples. No server is asked.
    ///
    /// Exit code 2: there are mistakes, each told with file, line, column and node.
    Check {
        /// Policy files, or chains.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Two policy files clause by clause, and whose answer changes. No server is asked.
    Diff {
        /// The first.
        #[arg(value_name = "FILE")]
        before: PathBuf,
        /// The second.
        #[arg(value_name = "FILE")]
        after: PathBuf,
    },
    /// What a policy file, or a revision that was made, would do: who turns, whose hold ends, what a day costs.
    ///
    /// Example: detainerctl policy preview policies/king-2014.toml --effective "2026-12-01 00:00"
    Preview(Which),
    /// How a request that nobody made would be answered, and why, in two sentences. Nothing is recorded.
    ///
    /// Example: detainerctl policy explain --facility tgk --office MIA --document i200 --guarantee none --language es
    Explain(Box<Explain>),
    /// A past period told anew to other rules, beside what happened: answers, hours, dollars, every answer that differs.
    /// Nothing is recorded.
    ///
    /// Example: detainerctl policy simulate honor-always --from 2014-01-01 --to 2017-01-26
    Simulate(Box<Simulate>),
    /// Make a revision from a policy file. It waits to be activated.
    Make {
        /// The policy file.
        #[arg(value_name = "FILE")]
        file: String,
        #[command(flatten)]
        dates: Dates,
        #[command(flatten)]
        writing: Writing,
    },
    /// Activate a policy file, or a revision that was made: shows what it will do, and asks first at a terminal.
    ///
    /// A chain of policy files is loaded as the history of a county without any policy yet: each step in order. Where it
    /// stops, the same command goes on from there.
    Activate(Box<Activate>),
    /// Confirm a change of policy that another person proposed, within 24 hours.
    Confirm(Confirm),
}

/// Switches the policy.
#[derive(Debug, Args)]
pub struct Switch {
    /// The mode.
    mode: In<pb::PolicyMode>,
    /// When it was adopted.
    #[arg(long, value_name = "DAY", value_parser = day)]
    adopted: NaiveDate,
    /// Since when it is in force; may lie ahead. `now`, or left out: from the moment it is recorded.
    #[arg(long, value_name = "TIME")]
    effective: Option<String>,
    /// What happens to open detainers.
    #[arg(long, value_name = "WHAT")]
    open_detainers: In<pb::OpenDetainers>,
    /// Id of the revision.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    id: String,
    /// What an agreement must cover to be a guarantee.
    #[arg(long, value_name = "COVERAGE")]
    minimum_coverage: Option<In<pb::MinimumCoverage>>,
    /// Whether forms must be facially sufficient. Left out: asked of the I-247A only.
    #[arg(long, value_name = "RULE")]
    facial_sufficiency: Option<In<pb::FacialSufficiency>>,
    /// Hours that a hold may last, 1 to 720; the forms print 48.
    #[arg(long, value_name = "HOURS", conflicts_with = "end_of_day")]
    limit: Option<i32>,
    /// A hold lasts to the end of the local day.
    #[arg(long)]
    end_of_day: bool,
    /// What starts the clock.
    #[arg(long, value_name = "RULE")]
    start: Option<In<pb::StartRule>>,
    /// Which days do not count.
    #[arg(long, value_name = "RULE")]
    exclusion: Option<In<pb::ExclusionRule>>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// The policy's etag as last seen. Left out: read now.
    #[arg(long, value_name = "ETAG")]
    etag: Option<String>,
    #[command(flatten)]
    paper: Paper,
    #[command(flatten)]
    writing: Writing,
}

impl Switch {
    /// The clock, where any part of it is named; the rest as the contract's default has it.
    fn clock(&self) -> Option<pb::ClockRule> {
        use pb::hold_limit::Limit;
        let named = self.limit.is_some() || self.end_of_day || self.start.is_some() || self.exclusion.is_some();
        let limit = if self.end_of_day { Limit::EndOfLocalDay(true) } else { Limit::Hours(self.limit.unwrap_or(48)) };
        let exclusion = if self.end_of_day { pb::ExclusionRule::None } else { pb::ExclusionRule::AsFormPrints };
        named.then(|| pb::ClockRule {
            start_rule: self.start.map_or(pb::StartRule::OtherwiseReleased.into(), i32::from),
            limit: Some(pb::HoldLimit { limit: Some(limit) }),
            exclusion: self.exclusion.map_or(exclusion.into(), i32::from),
            ..Default::default()
        })
    }
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match &command {
        Command::Check { files } => return policy_file::check(context, files),
        Command::Diff { before, after } => return policy_file::diff(context, before, after),
        Command::Show { what: Some(file), as_of: None, .. } if policy_change::is_file(file) => {
            return policy_file::show(Path::new(file));
        }
        _ => {}
    }
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    match command {
        Command::Switch(command) => switch(context, &client, county, &command).await,
        Command::Show { what: Some(id), as_of: known, .. } => {
            policy_change::show(context, &client, &county, &id, known.as_deref()).await
        }
        Command::Show { at, as_of: known, .. } => {
            let zone = context.county_zone(&client, &county).await?;
            let request = pb::GetEffectivePolicyRequest {
                parent: county,
                as_of: as_of(known.as_deref(), zone, context.now())?,
                at_time: at.map(|text| time::read(&text, zone, context.now()).map(time::stamp)).transpose()?,
            };
            output::sheet(context, &effective(&client.get_effective_policy(request).await?, zone))
        }
        Command::History => history(context, &client, county).await,
        Command::Check { .. } | Command::Diff { .. } => Ok(()),
        Command::Preview(which) => policy_change::preview(context, &client, &county, &which).await,
        Command::Simulate(simulate) => policy_simulate::run(context, &client, &county, &simulate).await,
        Command::Explain(command) => policy_explain::explain(context, &client, &county, &command).await,
        Command::Make { file, dates, writing } => policy_change::make(context, &client, &county, &file, &dates, &writing).await,
        Command::Activate(command) => policy_change::activate(context, &client, &county, &command).await,
        Command::Confirm(command) => policy_change::confirm(context, &client, &county, &command).await,
    }
}

async fn switch(context: &Context, client: &Client, county: String, command: &Switch) -> Result<(), Failure> {
    let effective = policy_change::instant_of(context, client, &county, command.effective.as_deref()).await?;
    let etag = match &command.etag {
        Some(etag) => etag.clone(),
        None => {
            let request = pb::GetEffectivePolicyRequest { parent: county.clone(), ..Default::default() };
            client.get_effective_policy(request).await?.etag
        }
    };
    let request = pb::SwitchPolicyModeRequest {
        parent: county.clone(),
        request_id: command.writing.id(),
        validate_only: command.writing.validate_only,
        etag,
        effective_time: effective,
        mode: command.mode.into(),
        revision_id: command.id.clone(),
        adopted_date: Some(time::date(command.adopted)),
        instrument: Some(command.paper.instrument()?),
        open_detainers: command.open_detainers.into(),
        minimum_coverage: command.minimum_coverage.map_or(0, i32::from),
        clock: command.clock(),
        facial_sufficiency: command.facial_sufficiency.map_or(0, i32::from),
        ..Default::default()
    };
    let candidate = pb::PolicyRevision {
        effective_time: request.effective_time,
        mode: request.mode,
        adopted_date: request.adopted_date,
        instrument: request.instrument.clone(),
        open_detainers: request.open_detainers,
        minimum_coverage: request.minimum_coverage,
        clock: request.clock.clone(),
        facial_sufficiency: request.facial_sufficiency,
        ..Default::default()
    };
    let request = match previewed(context, client, command, candidate).await? {
        Some(preview_digest) => pb::SwitchPolicyModeRequest { preview_digest, ..request },
        None => return Err(Failure::Usage("not switched".to_owned())),
    };
    let answer = client.switch_policy_mode(request).await?;
    if let Some(proposal) = &answer.proposal {
        return policy_change::waits(context, client, &county, proposal).await;
    }
    let what = format!(
        "Policy {}; {} open detainers decided again, {} turned to honor, {} away from it, {} holds end",
        words::word(command.mode.0),
        answer.detainers_decided,
        answer.turned_to_honor,
        answer.turned_from_honor,
        answer.holds_ended
    );
    output::recorded(context, client, &what, answer.receipt.as_ref()).await
}

/// Says on standard error what a switch will do, and asks. The digest of that preview; nothing where a person said no.
async fn previewed(
    context: &Context,
    client: &Client,
    command: &Switch,
    candidate: pb::PolicyRevision,
) -> Result<Option<Vec<u8>>, Failure> {
    use pb::preview_policy_revision_request::Subject;
    let parent = context.county(client).await?;
    let subject = pb::PolicyRevisionSubject { parent: parent.clone(), policy_revision: Some(candidate) };
    let ask = pb::PreviewPolicyRevisionRequest { subject: Some(Subject::Candidate(subject)), ..Default::default() };
    let preview = client.preview_policy_revision(ask).await?;
    let digest = hex::encode(&preview.preview_digest);
    eprintln!(
        "It turns {} answers, {} of them away from honor; {} holds end, {} persons are out at that instant. Digest {digest}",
        preview.flip_count, preview.turned_from_honor, preview.ended_count, preview.released_count
    );
    policy_change::warned(context, client, &parent, &preview).await?;
    let go = command.yes || command.writing.validate_only || policy_change::agreed("Switch the policy?")?;
    Ok(go.then_some(preview.preview_digest))
}

fn effective(answer: &pb::GetEffectivePolicyResponse, zone: chrono_tz::Tz) -> Sheet {
    let Some(revision) = &answer.policy_revision else {
        let title = "No policy was in force: every detainer is recorded and needs review, and nobody is held.".to_owned();
        return Sheet { title, fields: vec![field("etag", "", Cell::text(answer.etag.as_str()))], ..Sheet::default() };
    };
    let paper = revision.instrument.clone().unwrap_or_default();
    let next = answer.next_policy_revision.as_ref();
    let mut fields = vec![
        field("policy_revision", "revision", Cell::text(names::id(&revision.name))),
        field("mode", "mode", Cell::word::<pb::PolicyMode>(revision.mode)),
        field("adopted_date", "adopted", Cell::day(revision.adopted_date.as_ref())),
        field("effective_time", "in force since", Cell::time(revision.effective_time.as_ref(), zone)),
        field("end_time", "until", Cell::time(revision.end_time.as_ref(), zone)),
        field("clock", "clock", Cell::text(clock(revision.clock.as_ref()))),
        field("instrument", "paper", Cell::text(paper.title)),
        field("citation", "cited as", Cell::text(paper.citation)),
        field("instrument_date", "dated", Cell::day(paper.date.as_ref())),
        field("next", "then", next.map_or(Cell::Empty, |next| Cell::word::<pb::PolicyMode>(next.mode))),
        field("etag", "", Cell::text(answer.etag.as_str())),
    ];
    fields.extend(about(answer.as_of_pair.as_ref(), zone));
    Sheet { fields, ..Sheet::default() }
}

/// A clock in a line.
fn clock(rule: Option<&pb::ClockRule>) -> String {
    let Some(rule) = rule else { return String::new() };
    let limit = match rule.limit.as_ref().and_then(|limit| limit.limit) {
        Some(pb::hold_limit::Limit::Hours(hours)) => format!("{hours} hours"),
        Some(pb::hold_limit::Limit::EndOfLocalDay(_)) => "to the end of the day".to_owned(),
        None => String::new(),
    };
    let start = words::plain_of::<pb::StartRule>(rule.start_rule);
    format!("{limit} from {start}, exclusion {}", words::plain_of::<pb::ExclusionRule>(rule.exclusion))
}

async fn history(context: &Context, client: &Client, county: String) -> Result<(), Failure> {
    let zone = context.county_zone(client, &county).await?;
    let columns = vec![
        column("effective_time", "IN FORCE SINCE"),
        column("mode", "MODE"),
        column("adopted_date", "ADOPTED"),
        column("instrument", "PAPER"),
        column("open_detainers", "OPEN"),
        more("end_time"),
        more("policy_revision"),
        more("clock"),
        more("recorded_time"),
        more("sequence"),
    ];
    let mut table = Table::new("", columns, "No policy was ever adopted: every detainer needs review, and nobody is held.");
    let mut page_token = String::new();
    loop {
        let request = pb::ListPolicyRevisionsRequest { parent: county.clone(), page_size: 500, page_token, as_of: None };
        let page = client.list_policy_revisions(request).await?;
        table.rows.extend(page.policy_revisions.iter().map(|revision| row(revision, zone)));
        table.about = about(page.as_of_pair.as_ref(), zone);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return output::table(context, &table);
        }
    }
}

fn row(revision: &pb::PolicyRevision, zone: chrono_tz::Tz) -> Vec<Cell> {
    vec![
        Cell::time(revision.effective_time.as_ref(), zone),
        Cell::word::<pb::PolicyMode>(revision.mode),
        Cell::day(revision.adopted_date.as_ref()),
        Cell::text(revision.instrument.as_ref().map(|paper| paper.title.clone()).unwrap_or_default()),
        Cell::word::<pb::OpenDetainers>(revision.open_detainers),
        Cell::time(revision.end_time.as_ref(), zone),
        Cell::text(names::id(&revision.name)),
        Cell::text(clock(revision.clock.as_ref())),
        Cell::time(revision.recorded_time.as_ref(), zone),
        Cell::Int(revision.sequence),
    ]
}
