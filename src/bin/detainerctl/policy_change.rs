//! Rules before they are in force: made from a file, previewed, activated, confirmed by a second person.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use chrono::NaiveDate;
use clap::Args;
use detainer::api::convert::policy::{read_rules, wire_rules};
use detainer::api::time::Fields;
use detainer::client::Client;
use detainer::domain::ids::{CountyId, RevisionId};
use detainer::domain::policy::{Instrument, Revision};
use detainer::sheet::table::{Cell, Sheet, Table, about, column, field, more};
use detainer::sheet::{names, time, words};
use detainer::{pb, policyfile};
use pb::preview_policy_revision_request::Subject;

use crate::context::{Context, Failure};
use crate::output;
use crate::parse::{Writing, as_of, day};
use crate::policy_chain;

/// Which rule, and when.
#[derive(Debug, Args)]
pub struct Which {
    /// A policy file, or the id of a revision that was made.
    #[arg(value_name = "FILE|REVISION")]
    pub what: String,
    /// When it takes effect; may lie ahead. `now`: when it is recorded. Left out: when it was meant to, or now.
    #[arg(long, value_name = "TIME")]
    pub effective: Option<String>,
    #[command(flatten)]
    pub dates: Dates,
}

/// Days that a policy file's source does not tell, and that a county knows of its own act.
#[derive(Debug, Clone, Default, Args)]
pub struct Dates {
    /// When the rule was adopted, where the file does not tell; of a step of a chain ID=DAY, as often as needed.
    #[arg(long, value_name = "DAY|ID=DAY", value_parser = day_of)]
    adopted: Vec<DayOf>,
    /// The date of its paper, where the file does not tell; of a step of a chain ID=DAY.
    #[arg(long, value_name = "DAY|ID=DAY", value_parser = day_of)]
    dated: Vec<DayOf>,
}

/// A day, and of which policy.
#[derive(Debug, Clone)]
struct DayOf {
    policy: Option<String>,
    day: NaiveDate,
}

fn day_of(text: &str) -> Result<DayOf, String> {
    let (policy, told) = text.split_once('=').map_or((None, text), |(policy, told)| (Some(policy.to_owned()), told));
    Ok(DayOf { policy, day: day(told)? })
}

impl Dates {
    /// Refuses a day that does not say of which step of a chain it is.
    pub fn each_named(&self, path: &str) -> Result<(), Failure> {
        match self.adopted.iter().chain(&self.dated).find(|told| told.policy.is_none()) {
            Some(told) => {
                Err(Failure::Usage(format!("{}: {path} is a chain: say of which policy, as ID={}", told.day, told.day)))
            }
            None => Ok(()),
        }
    }
}

fn of_policy(all: &[DayOf], id: &str) -> Option<NaiveDate> {
    all.iter().find(|told| told.policy.as_deref().is_none_or(|policy| policy == id)).map(|told| told.day)
}

/// Activates a rule.
#[derive(Debug, Args)]
pub struct Activate {
    #[command(flatten)]
    pub which: Which,
    /// The digest of the preview to go by. Left out: it is previewed now, and shown.
    #[arg(long, value_name = "SHA256")]
    pub digest: Option<String>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub writing: Writing,
}

/// Confirms what another person proposed.
#[derive(Debug, Args)]
pub struct Confirm {
    /// The proposal's id.
    proposal: String,
    /// The digest of its content, whole: it makes sure that both mean the same.
    #[arg(long, value_name = "SHA256")]
    digest: String,
    #[command(flatten)]
    writing: Writing,
}

impl Which {
    /// Refuses days that were stated of what is no file: a revision that was made has its own.
    fn of_a_file(&self) -> Result<(), Failure> {
        if self.dates.adopted.is_empty() && self.dates.dated.is_empty() {
            return Ok(());
        }
        Err(Failure::Usage(format!("{}: --adopted and --dated go only with a policy file", self.what)))
    }
}

/// Whether a policy file is meant, not a revision's id.
pub fn is_file(what: &str) -> bool {
    Path::new(what).extension().is_some_and(|ending| ending == "toml") || Path::new(what).exists()
}

/// Reads a policy file; every mistake with its place.
pub fn read(path: &str) -> Result<policyfile::PolicyFile, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{path}: {error}")))?;
    policyfile::parse(&text).map_err(|found| mistakes(path, &found))
}

/// Every mistake of a file, a line each.
pub fn mistakes(path: &str, found: &[policyfile::Mistake]) -> Failure {
    let told: Vec<String> = found.iter().map(|mistake| format!("{path}: {mistake}")).collect();
    Failure::Usage(told.join("\n"))
}

/// The rule of a file, with the instant at which its first day begins.
fn candidate(county: &str, path: &str, file: &policyfile::PolicyFile, dates: &Dates) -> Result<pb::PolicyRevision, Failure> {
    let rule = dated(path, file.revision(), dates).map_err(|missing| Failure::Usage(missing.join("\n")))?;
    let from = file.effective.map(|day| prost_stamp(file.zone.start_of(day)));
    Ok(pb::PolicyRevision { effective_time: from, ..wire(county, &rule) })
}

/// A rule as the contract tells it.
pub fn wire(county: &str, rule: &Revision) -> pb::PolicyRevision {
    wire_rules(&CountyId::trusted(names::id(county)), rule)
}

/// The rule of a file that is only supposed: what its source tells no day of is of the day since when it is supposed.
pub fn supposed(county: &str, rule: &Revision, day: NaiveDate) -> pb::PolicyRevision {
    let (mut told, day) = (wire(county, rule), Some(time::date(day)));
    told.adopted_date = told.adopted_date.or(day);
    for paper in told.instrument.iter_mut().chain(told.layers.iter_mut().filter_map(|layer| layer.instrument.as_mut())) {
        paper.date = paper.date.or(day);
    }
    told
}

/// A file's rule with the days that a county must state; or which are missing, and how to tell them.
pub fn dated(path: &str, own: &Revision, dates: &Dates) -> Result<Revision, Vec<String>> {
    let id = own.id.as_str();
    let adopted = told(path, "adopted", "--adopted", own.adopted, of_policy(&dates.adopted, id));
    let paper = told(path, "instrument.date", "--dated", own.instrument.date, of_policy(&dates.dated, id));
    let (adopted, paper) = match (adopted, paper) {
        (Ok(adopted), Ok(paper)) => (adopted, paper),
        (adopted, paper) => return Err([adopted.err(), paper.err()].into_iter().flatten().collect()),
    };
    // A paper that stands in the file twice is one.
    let with_date = |one: &Instrument| match one.date {
        None if *one == own.instrument => Ok(Instrument { date: Some(paper), ..one.clone() }),
        None => Err(vec![format!("{path}: the paper `{}` needs its `date` in the file", one.title)]),
        Some(_) => Ok(one.clone()),
    };
    let mut rule = Revision { adopted: Some(adopted), ..own.clone() };
    for layer in &mut rule.layers {
        layer.instrument = with_date(&layer.instrument)?;
    }
    rule.lent_holds = rule.lent_holds.as_ref().map(with_date).transpose()?;
    rule.instrument = with_date(&own.instrument)?;
    Ok(rule)
}

/// A day from the file, or else from the command line.
fn told(path: &str, key: &str, flag: &str, file: Option<NaiveDate>, line: Option<NaiveDate>) -> Result<NaiveDate, String> {
    match (file, line) {
        (Some(file), Some(line)) if file != line => {
            Err(format!("{flag} {line}: {path} says `{key} = {file}`; leave the flag out, or mend the file"))
        }
        (Some(day), _) | (None, Some(day)) => Ok(day),
        (None, None) => Err(format!(
            "{path} tells no `{key}`, which a county must state: name the day with {flag}, or write it into the file"
        )),
    }
}

fn prost_stamp(at: detainer::domain::time::Instant) -> prost_types::Timestamp {
    time::stamp(at.utc())
}

/// Makes a revision from a file; it waits to be activated.
pub async fn make(
    context: &Context,
    client: &Client,
    county: &str,
    path: &str,
    dates: &Dates,
    writing: &Writing,
) -> Result<(), Failure> {
    let file = read(path)?;
    let rule = candidate(county, path, &file, dates)?;
    let answer = client.create_policy_revision(making(county, &file, rule, writing)).await?;
    output::recorded(context, client, &format!("Revision {}, which waits to be activated", file.id), answer.receipt.as_ref())
        .await
}

fn making(
    county: &str,
    file: &policyfile::PolicyFile,
    rule: pb::PolicyRevision,
    writing: &Writing,
) -> pb::CreatePolicyRevisionRequest {
    pb::CreatePolicyRevisionRequest {
        parent: county.to_owned(),
        request_id: writing.id(),
        validate_only: writing.validate_only,
        revision_id: file.id.as_str().to_owned(),
        policy_revision: Some(rule),
    }
}

/// Shows what a rule would do.
pub async fn preview(context: &Context, client: &Client, county: &str, which: &Which) -> Result<(), Failure> {
    let subject = if is_file(&which.what) {
        let policy_revision = Some(candidate(county, &which.what, &read(&which.what)?, &which.dates)?);
        Subject::Candidate(pb::PolicyRevisionSubject { parent: county.to_owned(), policy_revision })
    } else {
        which.of_a_file()?;
        Subject::Name(revision(county, &which.what))
    };
    let request = asking(context, client, county, subject, which.effective.as_deref()).await?;
    let preview = client.preview_policy_revision(request).await?;
    shown(context, client, county, &preview).await?;
    warned(context, client, county, &preview).await
}

/// A county's revision, as a policy file is listed.
pub async fn show(context: &Context, client: &Client, county: &str, id: &str, known: Option<&str>) -> Result<(), Failure> {
    let zone = context.county_zone(client, county).await?;
    let request =
        pb::GetPolicyRevisionRequest { name: revision(county, id), as_of: as_of(known, zone, context.now())?, with_effect: true };
    let answer = client.get_policy_revision(request).await?;
    let found = answer.policy_revision.unwrap_or_default();
    let mut fields = Fields::new();
    let rule = read_rules(&mut fields, "", &CountyId::trusted(names::id(county)), &found);
    let (Some(rule), Ok(id)) = (rule, RevisionId::new(names::id(&found.name))) else {
        return Err(Failure::Usage(format!("{id}: the server's answer has parts that this program does not know")));
    };
    let at = |told: &Option<prost_types::Timestamp>| {
        told.as_ref().and_then(time::utc).map(|at| time::show(at, zone)).unwrap_or_else(|| "not told".to_owned())
    };
    let state = if found.state() == pb::PolicyRevisionState::Draft { "made, not activated" } else { "activated" };
    let mut about = vec![
        ("state", state.to_owned()),
        ("adopted", rule.adopted.map(|day| day.to_string()).unwrap_or_default()),
        ("in force from", at(&found.effective_time)),
    ];
    if found.end_time.is_some() {
        about.push(("until", at(&found.end_time)));
    }
    about.push(("author", found.author.clone()));
    if !found.approver.is_empty() {
        about.push(("confirmed by", found.approver.clone()));
    }
    if let Some(effect) = answer.effect {
        let pb::SwitchEffect { decided_at_activation, turned_since, decided_since } = effect;
        about.push(("decided at activation", decided_at_activation.to_string()));
        about.push(("of these otherwise since", turned_since.to_string()));
        about.push(("others decided since", decided_since.to_string()));
    }
    let shown = zone.name().parse().map_err(|_| Failure::Usage(format!("{zone}: this program does not know the zone")))?;
    output::text(&policyfile::render_revision(&Revision { id, ..rule }, shown, &about))
}

/// The name of a county's revision.
pub fn revision(county: &str, id: &str) -> String {
    format!("{county}/policyRevisions/{}", names::id(id))
}

async fn asking(
    context: &Context,
    client: &Client,
    county: &str,
    subject: Subject,
    effective: Option<&str>,
) -> Result<pb::PreviewPolicyRevisionRequest, Failure> {
    Ok(pb::PreviewPolicyRevisionRequest {
        subject: Some(subject),
        effective_time: instant_of(context, client, county, effective).await?,
        effective_when_recorded: effective.is_some_and(time::is_now),
    })
}

/// The instant that a command line names for a rule to take effect. None for `now`: the server alone knows when it records,
/// and what this program's clock says has passed by then.
pub async fn instant_of(
    context: &Context,
    client: &Client,
    county: &str,
    effective: Option<&str>,
) -> Result<Option<prost_types::Timestamp>, Failure> {
    match effective {
        Some(text) if !time::is_now(text) => Ok(Some(time::stamp(context.county_time(client, county, text).await?))),
        _ => Ok(None),
    }
}

/// Warns, on standard error, of a rule that would take effect behind the one in force, and so be in force no longer.
pub async fn warned(
    context: &Context,
    client: &Client,
    county: &str,
    preview: &pb::PreviewPolicyRevisionResponse,
) -> Result<(), Failure> {
    let until = preview.policy_revision.as_ref().and_then(|rule| rule.end_time.as_ref()).and_then(time::utc);
    let (Some(from), Some(until)) = (preview.effective_time.as_ref().and_then(time::utc), until) else { return Ok(()) };
    let request = pb::GetEffectivePolicyRequest { parent: county.to_owned(), ..Default::default() };
    let Some(current) = client.get_effective_policy(request).await?.policy_revision else { return Ok(()) };
    let Some(since) = current.effective_time.as_ref().and_then(time::utc).filter(|since| from < *since) else { return Ok(()) };
    let zone = context.county_zone(client, county).await?;
    let shown = |at| time::show(at, zone);
    eprintln!(
        "Warning: it would not be in force. It takes effect on {}, behind {}, which is in force since {}: it would have been \
         the policy only until {}. For a policy from now on: --effective now",
        shown(from),
        names::id(&current.name),
        shown(since),
        shown(until)
    );
    Ok(())
}

/// A preview: who turns, whose hold ends, what a day costs.
pub async fn shown(
    context: &Context,
    client: &Client,
    county: &str,
    preview: &pb::PreviewPolicyRevisionResponse,
) -> Result<(), Failure> {
    let zone = context.county_zone(client, county).await?;
    let columns = vec![
        column("detainer", "DETAINER"),
        column("before", "BEFORE"),
        column("after", "AFTER"),
        column("reason", "BECAUSE"),
        column("effective_time", "FROM"),
        more("facility"),
    ];
    let mut flips = Table::new("Answers that turn", columns, "No answer turns.");
    flips.rows.extend(preview.flips.iter().map(|flip| {
        vec![
            Cell::text(names::under_booking(&flip.detainer)),
            if flip.before == 0 { Cell::text("none") } else { Cell::word::<pb::Outcome>(flip.before) },
            Cell::word::<pb::Outcome>(flip.after),
            Cell::word::<pb::DecisionReason>(flip.reason),
            Cell::time(flip.effective_time.as_ref(), zone),
            Cell::text(names::id(&flip.facility)),
        ]
    }));
    let columns = vec![
        column("hold", "HOLD"),
        column("facility", "FACILITY"),
        column("authority_until", "ENDS"),
        column("former_authority_until", "INSTEAD OF"),
    ];
    let mut ended = Table::new("Running holds that end", columns, "No running hold ends.");
    ended.rows.extend(preview.ended_holds.iter().map(|hold| {
        vec![
            Cell::text(names::under_booking(&hold.hold)),
            Cell::text(names::id(&hold.facility)),
            Cell::time(hold.authority_until.as_ref(), zone),
            Cell::time(hold.former_authority_until.as_ref(), zone),
        ]
    }));
    let columns = vec![
        column("facility", "FACILITY"),
        column("holds_before", "HOLDS BEFORE"),
        column("holds_after", "AFTER"),
        column("day_before", "A DAY BEFORE"),
        column("day_after", "AFTER"),
    ];
    let mut days = Table::new("What a day costs", columns, "No hold runs at that instant.");
    days.rows.extend(preview.facility_days.iter().map(|day| {
        vec![
            Cell::text(names::id(&day.facility)),
            Cell::Int(day.holds_before),
            Cell::Int(day.holds_after),
            Cell::money(day.day_before.as_ref()),
            Cell::money(day.day_after.as_ref()),
        ]
    }));
    let rule = preview.policy_revision.clone().unwrap_or_default();
    let mut fields = vec![
        field("mode", "mode", Cell::word::<pb::PolicyMode>(rule.mode)),
        field("effective_time", "in force since", Cell::time(preview.effective_time.as_ref(), zone)),
        field("detainers_decided", "decided again", Cell::Int(preview.detainers_decided)),
        field("flip_count", "answers that turn", Cell::Int(preview.flip_count)),
        field("turned_to_honor", "to honor", Cell::Int(preview.turned_to_honor)),
        field("turned_from_honor", "away from honor", Cell::Int(preview.turned_from_honor)),
        field("ended_count", "holds that end", Cell::Int(preview.ended_count)),
        field("released_count", "persons out at that instant", Cell::Int(preview.released_count)),
        field("preview_digest", "digest", Cell::text(hex::encode(&preview.preview_digest))),
        field("etag", "", Cell::text(preview.etag.as_str())),
    ];
    fields.extend(about(preview.as_of_pair.as_ref(), zone));
    let title = format!("What {} would do; nothing was recorded.", words::plain_of::<pb::PolicyMode>(rule.mode));
    let parts = vec![("flips", flips), ("ended_holds", ended), ("facility_days", days)];
    output::sheet(context, &Sheet { title, fields, parts, ..Sheet::default() })
}

/// Previews, asks, activates.
pub async fn activate(context: &Context, client: &Client, county: &str, command: &Activate) -> Result<(), Failure> {
    if is_file(&command.which.what)
        && let Some(chain) = policy_chain::chain(&command.which.what)?
    {
        return policy_chain::activate(context, client, county, command, &chain).await;
    }
    if command.writing.validate_only && is_file(&command.which.what) {
        return preview(context, client, county, &command.which).await;
    }
    let made = is_file(&command.which.what);
    let id = if made {
        let file = read(&command.which.what)?;
        let rule = candidate(county, &command.which.what, &file, &command.which.dates)?;
        if let Some(digest) = &command.digest {
            // A digest that is no longer right refuses before anything is made.
            let subject = pb::PolicyRevisionSubject { parent: county.to_owned(), policy_revision: Some(rule.clone()) };
            let ask = asking(context, client, county, Subject::Candidate(subject), command.which.effective.as_deref()).await?;
            let would = client.preview_policy_revision(ask).await?.preview_digest;
            if would != digest_of(digest)? {
                let why = "the switch would do something else than its preview said: preview it again; nothing was made";
                return Err(Failure::Usage(why.to_owned()));
            }
        }
        let making = pb::CreatePolicyRevisionRequest {
            request_id: format!("make {}", command.writing.id()).chars().take(64).collect(),
            validate_only: false,
            ..making(county, &file, rule, &command.writing)
        };
        client.create_policy_revision(making).await?;
        file.id.as_str().to_owned()
    } else {
        command.which.of_a_file()?;
        command.which.what.clone()
    };
    let answer = match carried_out(context, client, county, command, &id).await {
        Ok(answer) => answer,
        Err(failure) => {
            if made {
                let when = command.which.effective.as_ref().map(|text| format!(" --effective \"{text}\"")).unwrap_or_default();
                eprintln!("Revision {id} was made and waits, a draft. To go on with it: detainerctl policy activate {id}{when}");
            }
            return Err(failure);
        }
    };
    if let Some(proposal) = &answer.proposal {
        return waits(context, client, county, proposal).await;
    }
    let what = format!(
        "Policy revision {id}; {} open detainers decided again, {} turned to honor, {} away from it, {} holds end",
        answer.detainers_decided, answer.turned_to_honor, answer.turned_from_honor, answer.holds_ended
    );
    output::recorded(context, client, &what, answer.receipt.as_ref()).await
}

/// Previews a revision that was made, asks, and activates it.
async fn carried_out(
    context: &Context,
    client: &Client,
    county: &str,
    command: &Activate,
    id: &str,
) -> Result<pb::ActivatePolicyRevisionResponse, Failure> {
    let name = revision(county, id);
    let ask = asking(context, client, county, Subject::Name(name.clone()), command.which.effective.as_deref()).await?;
    let preview = client.preview_policy_revision(ask.clone()).await?;
    let preview_digest = match &command.digest {
        Some(digest) => digest_of(digest)?,
        None => {
            shown(context, client, county, &preview).await?;
            preview.preview_digest.clone()
        }
    };
    warned(context, client, county, &preview).await?;
    if !command.yes && command.digest.is_none() && !agreed("Activate it?")? {
        return Err(Failure::Usage("not activated; the revision waits".to_owned()));
    }
    let request = pb::ActivatePolicyRevisionRequest {
        name,
        request_id: command.writing.id(),
        validate_only: command.writing.validate_only,
        etag: preview.etag,
        effective_time: ask.effective_time,
        preview_digest,
        effective_when_recorded: ask.effective_when_recorded,
    };
    Ok(client.activate_policy_revision(request).await?)
}

/// Asks a person at a terminal; where there is none, whoever called has decided.
pub fn agreed(question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(true);
    }
    let mut err = io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn digest_of(text: &str) -> Result<Vec<u8>, Failure> {
    hex::decode(text).map_err(|_| Failure::Usage(format!("`{text}` is no SHA-256 in hexadecimal")))
}

/// What the second person needs.
pub async fn waits(context: &Context, client: &Client, county: &str, proposal: &pb::Proposal) -> Result<(), Failure> {
    let zone = context.county_zone(client, county).await?;
    let id = names::id(&proposal.name);
    let digest = hex::encode(&proposal.content_digest);
    let notes = vec![format!("They say: detainerctl policy confirm {id} --digest {digest}")];
    let fields = vec![
        field("proposal", "proposal", Cell::text(id)),
        field("content_digest", "", Cell::text(digest.as_str())),
        field("proposed_by", "proposed by", Cell::text(proposal.proposed_by.as_str())),
        field("expire_time", "expires", Cell::time(proposal.expire_time.as_ref(), zone)),
    ];
    let title = "This county asks two persons for a change of policy: a second one must confirm it.".to_owned();
    output::sheet(context, &Sheet { title, fields, notes, ..Sheet::default() })
}

/// Carries out what another person proposed.
pub async fn confirm(context: &Context, client: &Client, county: &str, command: &Confirm) -> Result<(), Failure> {
    let request = pb::ConfirmProposalRequest {
        name: format!("{county}/proposals/{}", names::id(&command.proposal)),
        request_id: command.writing.id(),
        validate_only: command.writing.validate_only,
        content_digest: digest_of(&command.digest)?,
    };
    let answer = client.confirm_proposal(request).await?;
    let what = match answer.impact_digest.is_empty() {
        true => format!("Proposal {}", command.proposal),
        false => format!(
            "Policy change {}; {} open detainers decided again, {} turned to honor, {} away from it, {} holds end",
            command.proposal, answer.detainers_decided, answer.turned_to_honor, answer.turned_from_honor, answer.holds_ended
        ),
    };
    output::recorded(context, client, &what, answer.receipt.as_ref()).await
}
