//! A chain of policy files as a county's history: each step made and activated in order, before any other policy. What
//! is there already is recognized by its content, so that a chain that stopped goes on where it did.

use std::collections::HashMap;
use std::path::Path;

use detainer::client::Client;
use detainer::domain::policy::Revision;
use detainer::policyfile::{self, Chain, PolicyFile};
use detainer::sheet::table::{Cell, Table, column, more};
use detainer::sheet::{names, time};
use detainer::{domain, pb};
use pb::preview_policy_revision_request::Subject;

use crate::context::{Context, Failure};
use crate::output;
use crate::policy_change::{Activate, Dates, agreed, dated, mistakes, read, revision, wire};

/// The chain in a file, if it is one.
///
/// # Errors
/// The file cannot be read, or is a chain with mistakes.
pub fn chain(path: &str) -> Result<Option<Chain>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{path}: {error}")))?;
    if !policyfile::is_chain(&text) {
        return Ok(None);
    }
    policyfile::parse_chain(&text).map(Some).map_err(|found| mistakes(path, &found))
}

/// One step: the rule with its days, and since when it is in force.
struct Step {
    rule: Revision,
    from: domain::time::Instant,
}

/// Every step of a chain, or all that is missing, each with what would tell it.
fn steps(path: &str, chain: &Chain, dates: &Dates, first: Option<domain::time::Instant>) -> Result<Vec<Step>, Failure> {
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let mut files: HashMap<&str, PolicyFile> = HashMap::new();
    for name in chain.files() {
        files.insert(name, read(&folder.join(&**name).display().to_string())?);
    }
    let (mut steps, mut missing) = (Vec::new(), Vec::new());
    for link in &chain.links {
        let rule = chain.rule(link, |name| files.get(name)).map_err(|why| Failure::Usage(format!("{path}: {why}")))?;
        let own = files.get(&*link.file).and_then(|file| file.effective);
        let from = link.from.or(own).map(|day| chain.zone.start_of(day)).or(first);
        if from.is_none() {
            missing.push(format!("{}: neither it nor the chain tells its first day: name it with --effective TIME", link.file));
        }
        match dated(&link.file, &rule, dates) {
            Ok(rule) => steps.extend(from.map(|from| Step { rule, from })),
            Err(found) => missing.extend(found),
        }
    }
    if missing.is_empty() { Ok(steps) } else { Err(Failure::Usage(missing.join("\n"))) }
}

/// How many steps of a chain are in force already, each as the chain has it.
///
/// # Errors
/// The county has a policy that the chain has otherwise, or not there.
async fn done(client: &Client, county: &str, zone: chrono_tz::Tz, steps: &[Step]) -> Result<usize, Failure> {
    let mut there = Vec::new();
    let mut page_token = String::new();
    loop {
        let ask = pb::ListPolicyRevisionsRequest { parent: county.to_owned(), page_size: 500, page_token, as_of: None };
        let page = client.list_policy_revisions(ask).await?;
        there.extend(page.policy_revisions);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    there.reverse();
    for (n, known) in there.iter().enumerate() {
        let id = names::id(&known.name);
        let Some(step) = steps.get(n).filter(|step| step.rule.id.as_str() == id) else {
            let why = format!("there is a policy already ({id}): a chain is a county's history, loaded before any other policy");
            return Err(Failure::Usage(why));
        };
        let from = time::stamp(step.from.utc());
        if known.effective_time != Some(from) {
            let shown = |at: &prost_types::Timestamp| time::utc(at).map(|at| time::show(at, zone)).unwrap_or_default();
            let since = known.effective_time.as_ref().map(shown).unwrap_or_default();
            let why = format!("{id} is in force since {since} already, and the chain has it since {}", shown(&from));
            return Err(Failure::Usage(why));
        }
        if !says_the_same(known, &wire(county, &step.rule)) {
            let why = format!("{id} is in force already, and says something else than its file: `policy show {id}` tells what");
            return Err(Failure::Usage(why));
        }
    }
    Ok(there.len())
}

/// Whether a revision of the server is this rule, whoever made it and when.
fn says_the_same(known: &pb::PolicyRevision, rule: &pb::PolicyRevision) -> bool {
    let bare = pb::PolicyRevision {
        name: String::new(),
        effective_time: None,
        end_time: None,
        recorded_time: None,
        sequence: 0,
        state: 0,
        author: String::new(),
        approver: String::new(),
        ..known.clone()
    };
    bare == *rule
}

/// Makes and activates every step of a chain that is not there yet, in a county without any other policy.
pub async fn activate(
    context: &Context,
    client: &Client,
    county: &str,
    command: &Activate,
    chain: &Chain,
) -> Result<(), Failure> {
    let path = command.which.what.as_str();
    if command.digest.is_some() {
        return Err(Failure::Usage("--digest goes by one preview; each step of a chain has its own".to_owned()));
    }
    command.which.dates.each_named(path)?;
    let first = match &command.which.effective {
        Some(text) => Some(domain::time::Instant::from_utc(context.county_time(client, county, text).await?)),
        None => None,
    };
    let steps = steps(path, chain, &command.which.dates, first)?;
    let known = client.get_county(pb::GetCountyRequest { name: county.to_owned(), as_of: None }).await?;
    if known.county.is_some_and(|county| county.two_person_switch) {
        let why = "this county asks two persons for each change of policy: activate and confirm the chain's files one by one";
        return Err(Failure::Usage(why.to_owned()));
    }
    let zone = context.county_zone(client, county).await?;
    let done = done(client, county, zone, &steps).await?;
    let columns = vec![
        column("policy_revision", "REVISION"),
        column("effective_time", "IN FORCE SINCE"),
        column("state", "STATE"),
        column("detainers_decided", "DECIDED AGAIN"),
        column("turned_to_honor", "TO HONOR"),
        column("turned_from_honor", "AWAY FROM IT"),
        column("holds_ended", "HOLDS END"),
        more("sequence"),
    ];
    let missing = steps.len() - done;
    let title = match (command.writing.validate_only, done, missing) {
        (_, _, 0) => "All of it is activated already; nothing was recorded.".to_owned(),
        (true, ..) => "It would activate, step by step; nothing was recorded.".to_owned(),
        (false, 0, _) => "Activated".to_owned(),
        (false, ..) => format!("It goes on where it stopped: {done} of {} were activated already.", steps.len()),
    };
    let mut table = Table::new(title, columns, "The chain has no step.");
    let from = |step: &Step| Cell::time(Some(&time::stamp(step.from.utc())), zone);
    let untold = |step: &Step, state: &str| {
        let nothing = (0..5).map(|_| Cell::Empty);
        [Cell::text(step.rule.id.as_str()), from(step), Cell::text(state)].into_iter().chain(nothing).collect::<Vec<_>>()
    };
    let (there, ahead) = steps.split_at(done);
    table.rows.extend(there.iter().map(|step| untold(step, "there already")));
    if command.writing.validate_only || missing == 0 {
        table.rows.extend(ahead.iter().map(|step| untold(step, "would be activated")));
        return output::table(context, &table);
    }
    if !command.yes && !agreed(&format!("Activate {missing} policies, one after another?"))? {
        return Err(Failure::Usage("not activated".to_owned()));
    }
    let request = command.writing.id();
    for (n, step) in steps.iter().enumerate().skip(done) {
        let answer = match one(client, county, step, |what| format!("{n} {what} {request}")).await {
            Ok(answer) => answer,
            Err(failure) => {
                let id = step.rule.id.as_str();
                eprintln!("It stopped at {id}: {n} of {} are activated. The same command goes on from there.", steps.len());
                return Err(failure);
            }
        };
        table.rows.push(vec![
            Cell::text(step.rule.id.as_str()),
            from(step),
            Cell::text("activated"),
            Cell::Int(answer.detainers_decided),
            Cell::Int(answer.turned_to_honor),
            Cell::Int(answer.turned_from_honor),
            Cell::Int(answer.holds_ended),
            Cell::Int(answer.receipt.map_or(0, |receipt| receipt.sequence)),
        ]);
    }
    output::table(context, &table)
}

/// Makes one step and activates it. `request` gives the id of each request. A step that was made before, but not
/// activated, is made once.
async fn one(
    client: &Client,
    county: &str,
    step: &Step,
    request: impl Fn(&str) -> String,
) -> Result<pb::ActivatePolicyRevisionResponse, Failure> {
    let named = |what: &str| request(what).chars().take(64).collect::<String>();
    let id = step.rule.id.as_str();
    let effective_time = Some(time::stamp(step.from.utc()));
    let making = pb::CreatePolicyRevisionRequest {
        parent: county.to_owned(),
        request_id: named("make"),
        validate_only: false,
        revision_id: id.to_owned(),
        policy_revision: Some(pb::PolicyRevision { effective_time, ..wire(county, &step.rule) }),
    };
    client.create_policy_revision(making).await?;
    let name = revision(county, id);
    let ask = pb::PreviewPolicyRevisionRequest {
        subject: Some(Subject::Name(name.clone())),
        effective_time,
        effective_when_recorded: false,
    };
    let preview = client.preview_policy_revision(ask).await?;
    let activate = pb::ActivatePolicyRevisionRequest {
        name,
        request_id: named("activate"),
        validate_only: false,
        etag: preview.etag,
        effective_time,
        preview_digest: preview.preview_digest,
        effective_when_recorded: false,
    };
    Ok(client.activate_policy_revision(activate).await?)
}
