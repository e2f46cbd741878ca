//! A chain of policy files as a county's history: each step made and activated in order, before any other policy.

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

/// Makes and activates every step of a chain in a county that has no policy yet.
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
    let ask = pb::ListPolicyRevisionsRequest { parent: county.to_owned(), page_size: 1, ..Default::default() };
    if let Some(there) = client.list_policy_revisions(ask).await?.policy_revisions.first() {
        let id = names::id(&there.name);
        let why = format!("there is a policy already ({id}): a chain is a county's history, loaded before any other policy");
        return Err(Failure::Usage(why));
    }
    let zone = context.county_zone(client, county).await?;
    let columns = vec![
        column("policy_revision", "REVISION"),
        column("effective_time", "IN FORCE SINCE"),
        column("detainers_decided", "DECIDED AGAIN"),
        column("turned_to_honor", "TO HONOR"),
        column("turned_from_honor", "AWAY FROM IT"),
        column("holds_ended", "HOLDS END"),
        more("sequence"),
    ];
    let title =
        if command.writing.validate_only { "It would activate, step by step; nothing was recorded." } else { "Activated" };
    let mut table = Table::new(title, columns, "The chain has no step.");
    let from = |step: &Step| Cell::time(Some(&time::stamp(step.from.utc())), zone);
    if command.writing.validate_only {
        let row = |step: &Step| {
            let nothing = (0..5).map(|_| Cell::Empty);
            [Cell::text(step.rule.id.as_str()), from(step)].into_iter().chain(nothing).collect()
        };
        table.rows.extend(steps.iter().map(row));
        return output::table(context, &table);
    }
    if !command.yes && !agreed(&format!("Activate {} policies, one after another?", steps.len()))? {
        return Err(Failure::Usage("not activated".to_owned()));
    }
    let request = command.writing.id();
    let named = |n: usize, what: &str| format!("{n} {what} {request}").chars().take(64).collect::<String>();
    for (n, step) in steps.iter().enumerate() {
        let id = step.rule.id.as_str();
        let effective_time = Some(time::stamp(step.from.utc()));
        let making = pb::CreatePolicyRevisionRequest {
            parent: county.to_owned(),
            request_id: named(n, "make"),
            validate_only: false,
            revision_id: id.to_owned(),
            policy_revision: Some(pb::PolicyRevision { effective_time, ..wire(county, &step.rule) }),
        };
        client.create_policy_revision(making).await?;
        let name = revision(county, id);
        let ask = pb::PreviewPolicyRevisionRequest { subject: Some(Subject::Name(name.clone())), effective_time };
        let preview = client.preview_policy_revision(ask).await?;
        let activate = pb::ActivatePolicyRevisionRequest {
            name,
            request_id: named(n, "activate"),
            validate_only: false,
            etag: preview.etag,
            effective_time,
            preview_digest: preview.preview_digest,
        };
        let done = client.activate_policy_revision(activate).await?;
        table.rows.push(vec![
            Cell::text(id),
            from(step),
            Cell::Int(done.detainers_decided),
            Cell::Int(done.turned_to_honor),
            Cell::Int(done.turned_from_honor),
            Cell::Int(done.holds_ended),
            Cell::Int(done.receipt.map_or(0, |receipt| receipt.sequence)),
        ]);
    }
    output::table(context, &table)
}
