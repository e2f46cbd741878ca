//! Corrections: what was recorded wrong, and the second person where one is needed.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use detainer::client::Client;
use detainer::pb;
use detainer::sheet::table::{Cell, Sheet, Table, about, column, field, more};
use detainer::sheet::{names, time};
use pb::correction::Change;
use prost_types::Timestamp;

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::{In, Told, Writing};

/// What to do with corrections.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Correct what is recorded. Where a T0, a deadline or authority moves later by it, a second person must confirm.
    ///
    /// Example: detainerctl correction make 2024-000123 --basis-closed charge-1 --was-at "2024-03-15 19:00" --reason
    /// bail-posted --why "the log says 19:00" --source jail-record --reference log-77
    Make(Box<Make>),
    /// List corrections that wait for a second person, or did.
    List {
        /// Only those in this state.
        #[arg(long, value_name = "STATE")]
        state: Option<In<pb::ProposalState>>,
    },
    /// Carry out what another person proposed, within 24 hours.
    Confirm {
        /// The proposal's id, as `correction list` shows it.
        proposal: String,
        /// The digest of its content, whole: it makes sure that both mean the same.
        #[arg(long, value_name = "SHA256")]
        digest: String,
        #[command(flatten)]
        writing: Writing,
    },
}

/// Corrects a fact. The old value is read from what is recorded.
#[derive(Debug, Args)]
pub struct Make {
    /// The booking.
    booking: String,
    #[command(flatten)]
    what: What,
    /// When it really was.
    #[arg(long, value_name = "TIME", required_unless_present = "never")]
    was_at: Option<String>,
    /// It never was: the basis did not close, the booking did not end, the detainer was not lifted.
    #[arg(long, conflicts_with = "was_at")]
    never: bool,
    /// With --basis-closed: why it closed.
    #[arg(long, value_name = "REASON")]
    reason: Option<In<pb::BasisCloseReason>>,
    /// With --ended: how the booking ended. Left out: as recorded.
    #[arg(long, value_name = "KIND")]
    kind: Option<In<pb::BookingEndKind>>,
    /// Why it is corrected, in words: kept sealed.
    #[arg(long, value_name = "WORDS")]
    why: String,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

/// What was recorded wrong: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct What {
    /// The booked time.
    #[arg(long)]
    booked: bool,
    /// The opening of this basis.
    #[arg(long, value_name = "BASIS")]
    basis_opened: Option<String>,
    /// The closing of this basis.
    #[arg(long, value_name = "BASIS")]
    basis_closed: Option<String>,
    /// The end of the booking.
    #[arg(long)]
    ended: bool,
    /// The receipt of this detainer.
    #[arg(long, value_name = "DETAINER")]
    received: Option<String>,
    /// The lift of this detainer.
    #[arg(long, value_name = "DETAINER")]
    lifted: Option<String>,
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client(As::Records).await?;
    let county = context.county(&client).await?;
    match command {
        Command::Make(make) => self::make(context, &client, &county, *make).await,
        Command::List { state } => list(context, &client, county, state.map_or(0, i32::from)).await,
        Command::Confirm { proposal, digest, writing } => {
            let content_digest =
                hex::decode(&digest).map_err(|_| Failure::Usage(format!("`{digest}` is no SHA-256 in hexadecimal")))?;
            let request = pb::ConfirmProposalRequest {
                name: format!("{county}/proposals/{}", names::id(&proposal)),
                request_id: writing.id(),
                validate_only: writing.validate_only,
                content_digest,
            };
            let answer = client.confirm_proposal(request).await?;
            output::recorded(context, &client, &format!("Correction {proposal}"), answer.receipt.as_ref()).await
        }
    }
}

async fn make(context: &Context, client: &Client, county: &str, make: Make) -> Result<(), Failure> {
    let name = names::booking(county, &make.booking);
    let new = match &make.was_at {
        Some(text) => Some(context.booking_time(client, &name, text).await?),
        None => None,
    };
    let request = pb::GetBookingRequest { name: name.clone(), ..Default::default() };
    let booking = client.get_booking(request).await?.booking.unwrap_or_default();
    let change = change(client, &booking, &make, new).await?;
    let request = pb::CorrectBookingRequest {
        name,
        request_id: make.writing.id(),
        validate_only: make.writing.validate_only,
        etag: booking.etag.clone(),
        correction: Some(pb::Correction { change: Some(change) }),
        source: Some(make.told.source()),
        reason: make.why,
    };
    let answer = client.correct_booking(request).await?;
    match answer.proposal {
        None => output::recorded(context, client, &format!("Correction of {}", make.booking), answer.receipt.as_ref()).await,
        Some(proposal) => output::sheet(context, &waits(&proposal, context.county_zone(client, county).await?)),
    }
}

/// What the second person needs.
fn waits(proposal: &pb::Proposal, zone: chrono_tz::Tz) -> Sheet {
    let id = names::id(&proposal.name);
    let digest = hex::encode(&proposal.content_digest);
    let notes = vec![format!("They say: detainerctl correction confirm {id} --digest {digest}")];
    let fields = vec![
        field("proposal", "proposal", Cell::text(id)),
        field("content_digest", "", Cell::text(digest.as_str())),
        field("proposed_by", "proposed by", Cell::text(proposal.proposed_by.as_str())),
        field("expire_time", "expires", Cell::time(proposal.expire_time.as_ref(), zone)),
    ];
    let title = "It would move a T0, a deadline or authority later: a second person must confirm it.".to_owned();
    Sheet { title, fields, notes, ..Sheet::default() }
}

async fn change(client: &Client, booking: &pb::Booking, make: &Make, new: Option<DateTime<Utc>>) -> Result<Change, Failure> {
    let new_time = new.map(time::stamp);
    let what = &make.what;
    if let Some(id) = &what.basis_opened {
        let basis = basis(booking, id)?;
        let (basis, old_time) = (basis.name.clone(), basis.open_time);
        return Ok(Change::BasisOpened(pb::BasisOpenedCorrection { basis, old_time, new_time: Some(needed(new_time)?) }));
    }
    if let Some(id) = &what.basis_closed {
        let basis = basis(booking, id)?;
        let recorded = basis.close_reason;
        let new_reason = if new_time.is_some() { make.reason.map_or(recorded, i32::from) } else { 0 };
        let (basis, old_time) = (basis.name.clone(), basis.close_time);
        return Ok(Change::BasisClosed(pb::BasisClosedCorrection { basis, old_time, new_time, new_reason }));
    }
    if let Some(id) = &what.received {
        let detainer = detainer(client, booking, id).await?;
        let (old_time, new_time) = (detainer.received_time, Some(needed(new_time)?));
        return Ok(Change::ReceivedTime(pb::ReceivedTimeCorrection { detainer: detainer.name, old_time, new_time }));
    }
    if let Some(id) = &what.lifted {
        let detainer = detainer(client, booking, id).await?;
        let old_time = detainer.lift.and_then(|lift| lift.lift_time);
        return Ok(Change::Lift(pb::LiftCorrection { detainer: detainer.name, old_time, new_time }));
    }
    if what.ended {
        let end = booking.end.clone().ok_or_else(|| Failure::Other("the booking has not ended".to_owned()))?;
        let new_kind = if new_time.is_some() { make.kind.map_or(end.kind, i32::from) } else { 0 };
        return Ok(Change::End(pb::EndCorrection { old_time: end.end_time, old_kind: end.kind, new_time, new_kind }));
    }
    let (old_time, new_time) = (booking.booked_time, Some(needed(new_time)?));
    Ok(Change::BookedTime(pb::BookedTimeCorrection { old_time, new_time }))
}

fn needed(new: Option<Timestamp>) -> Result<Timestamp, Failure> {
    new.ok_or_else(|| Failure::Usage("that cannot be --never: say --was-at".to_owned()))
}

fn basis<'a>(booking: &'a pb::Booking, id: &str) -> Result<&'a pb::Basis, Failure> {
    booking.bases.iter().find(|basis| names::id(&basis.name) == id).ok_or_else(|| {
        let known: Vec<&str> = booking.bases.iter().map(|basis| names::id(&basis.name)).collect();
        Failure::Other(format!("the booking has no basis {id}; it has {}", known.join(", ")))
    })
}

async fn detainer(client: &Client, booking: &pb::Booking, id: &str) -> Result<pb::Detainer, Failure> {
    let request = pb::GetDetainerRequest { name: names::detainer(&booking.name, id), ..Default::default() };
    Ok(client.get_detainer(request).await?.detainer.unwrap_or_default())
}

async fn list(context: &Context, client: &Client, county: String, state: i32) -> Result<(), Failure> {
    let zone = context.county_zone(client, &county).await?;
    let columns = vec![
        column("proposal", "PROPOSAL"),
        column("state", "STATE"),
        column("booking", "BOOKING"),
        column("what", "WHAT"),
        column("proposed_by", "BY"),
        column("expire_time", "EXPIRES"),
        more("confirmed_by"),
        more("content_digest"),
    ];
    let mut table = Table::new("", columns, "Nothing waits for a second person.");
    let mut page_token = String::new();
    loop {
        let request =
            pb::ListProposalsRequest { parent: county.clone(), page_size: 500, page_token, state, ..Default::default() };
        let page = client.list_proposals(request).await?;
        table.rows.extend(page.proposals.iter().map(|proposal| row(proposal, zone)));
        table.about = about(page.as_of_pair.as_ref(), zone);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return output::table(context, &table);
        }
    }
}

fn row(proposal: &pb::Proposal, zone: chrono_tz::Tz) -> Vec<Cell> {
    vec![
        Cell::text(names::id(&proposal.name)),
        Cell::word::<pb::ProposalState>(proposal.state),
        Cell::text(names::id(&proposal.booking)),
        Cell::text(what(proposal, zone)),
        Cell::text(proposal.proposed_by.as_str()),
        Cell::time(proposal.expire_time.as_ref(), zone),
        Cell::text(proposal.confirmed_by.as_str()),
        Cell::text(hex::encode(&proposal.content_digest)),
    ]
}

/// What is proposed, in a line.
fn what(proposal: &pb::Proposal, zone: chrono_tz::Tz) -> String {
    let overrides = proposal.decision_override.as_ref().map(|act| {
        let answer = detainer::sheet::words::word_of::<pb::OverrideAnswer>(act.answer);
        format!("detainer {} overridden: {answer}", names::id(&act.detainer))
    });
    let corrects = proposal.correction.as_ref().map(|correction| told(correction, zone));
    let switches = proposal.policy_revision.as_ref().map(|rule| {
        let mode = detainer::sheet::words::plain_of::<pb::PolicyMode>(rule.mode);
        let from = rule.effective_time.as_ref().and_then(time::utc).map(|at| time::show(at, zone)).unwrap_or_default();
        format!("policy {}: {mode} from {from}", names::id(&rule.name))
    });
    corrects.or(overrides).or(switches).unwrap_or_default()
}

/// A correction in a line: what, from when to when.
fn told(correction: &pb::Correction, zone: chrono_tz::Tz) -> String {
    let at = |stamp: Option<&Timestamp>| stamp.and_then(time::utc).map_or_else(|| "never".to_owned(), |at| time::show(at, zone));
    let moved = |what: &str, old: Option<&Timestamp>, new: Option<&Timestamp>| format!("{what}: {} -> {}", at(old), at(new));
    match &correction.change {
        None => String::new(),
        Some(Change::BookedTime(c)) => moved("booked", c.old_time.as_ref(), c.new_time.as_ref()),
        Some(Change::BasisOpened(c)) => {
            moved(&format!("{} opened", names::id(&c.basis)), c.old_time.as_ref(), c.new_time.as_ref())
        }
        Some(Change::BasisClosed(c)) => {
            moved(&format!("{} closed", names::id(&c.basis)), c.old_time.as_ref(), c.new_time.as_ref())
        }
        Some(Change::BasisAdded(c)) => {
            let basis = c.basis.clone().unwrap_or_default();
            format!("basis {} added, open since {}", basis.basis_id, at(basis.open_time.as_ref()))
        }
        Some(Change::BasisRemoved(c)) => format!("basis {} removed", names::id(&c.basis)),
        Some(Change::End(c)) => moved("ended", c.old_time.as_ref(), c.new_time.as_ref()),
        Some(Change::Move(c)) => moved("moved", c.old_time.as_ref(), c.new_time.as_ref()),
        Some(Change::ReceivedTime(c)) => moved("received", c.old_time.as_ref(), c.new_time.as_ref()),
        Some(Change::Service(c)) => {
            moved("served", c.old_time.as_ref(), c.new_service.as_ref().and_then(|service| service.served_time.as_ref()))
        }
        Some(Change::Lift(c)) => moved("lifted", c.old_time.as_ref(), c.new_time.as_ref()),
        Some(Change::Fact(c)) => format!("fact {} {}", c.fact_id, if c.new_fact.is_some() { "changed" } else { "removed" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_is_told_in_a_line() {
        let stamp = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let basis = "counties/c/bookings/b/bases/charge-1".to_owned();
        let change = pb::BasisClosedCorrection { basis, old_time: stamp(0), new_time: None, new_reason: 0 };
        let correction = pb::Correction { change: Some(Change::BasisClosed(change)) };
        assert_eq!(told(&correction, chrono_tz::Tz::UTC), "charge-1 closed: 1970-01-01 00:00 UTC -> never");
    }
}
