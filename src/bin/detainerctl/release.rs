//! The question that matters, and the timeline behind its answer.

use clap::Args;
use detainer::pb;
use detainer::sheet::table::{Cell, Sheet, Table, about, column, field, more};
use detainer::sheet::{names, time, words};

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::When;

/// Asks whether a person may be held right now.
///
/// An error is no answer, and no answer means no authority to hold.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 a basis or a detainer covers the custody; 3 nothing does, or nobody knows what does; \
                        1 and 4 no answer.\nExample:\n  detainerctl check-release 2024-000123 || echo 'do not hold'")]
pub struct CheckRelease {
    /// The booking's id.
    booking: String,
    #[command(flatten)]
    when: When,
}

/// Shows every stretch of a booking.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  detainerctl timeline 2024-000123 --as-of 2024-03-16")]
pub struct Timeline {
    /// The booking's id.
    booking: String,
    #[command(flatten)]
    when: When,
}

/// Exit code where nothing is known to cover the custody.
const NOT_COVERED: u8 = 3;

pub async fn check(context: &Context, command: &CheckRelease) -> Result<u8, Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    let name = names::booking(&county, &command.booking);
    let zone = if command.when.is_local() { context.booking_zone(&client, &name).await? } else { chrono_tz::Tz::UTC };
    let request = pb::CheckReleaseRequest {
        name,
        as_of: command.when.as_of(zone, context.now())?,
        at_time: command.when.at(zone, context.now())?,
    };
    let answer = client.check_release(request).await?;
    output::sheet(context, &answer_sheet(&answer))?;
    let covered = matches!(answer.ground(), pb::Ground::Basis | pb::Ground::Detainer);
    Ok(if covered { 0 } else { NOT_COVERED })
}

fn answer_sheet(answer: &pb::CheckReleaseResponse) -> Sheet {
    let zone = time::zone_or_utc(&answer.time_zone);
    let at = |stamp: Option<&prost_types::Timestamp>| Cell::time(stamp, zone);
    let title = match answer.ground() {
        pb::Ground::Basis => "In custody on a local basis. No detainer is needed for that.",
        pb::Ground::Detainer if answer.authority() == pb::AuthorityState::AuthorizedLate => {
            "May be held on a detainer, and on nothing else; recorded late."
        }
        pb::Ground::Detainer => "May be held on a detainer, and on nothing else.",
        pb::Ground::None => "MUST BE OUT: nothing covers the custody.",
        pb::Ground::NotKnown => "Nobody knows on which bases the person is held. That is no authority to hold.",
        pb::Ground::NotInCustody => "Not in custody at that instant.",
        pb::Ground::Unspecified => "The server gave no ground. That is no authority to hold.",
    };
    let mut fields = vec![
        field("may_hold", "may a detainer hold", Cell::Flag(answer.may_hold)),
        field("ground", "", Cell::word::<pb::Ground>(answer.ground)),
        field("authority", "", Cell::word::<pb::AuthorityState>(answer.authority)),
        field("next_action", "", Cell::word::<pb::NextAction>(answer.next_action)),
        field("next_action_text", "what to do", Cell::text(answer.next_action_text.as_str())),
        field("authority_until", "hold until, not longer", at(answer.authority_until.as_ref())),
        field("over_since", "should have been out at", at(answer.over_since.as_ref())),
        field("t0", "T0", at(answer.t0.as_ref())),
        field("deadline", "governing deadline", at(answer.deadline.as_ref())),
        field("contiguous_deadline", "48 hours, contiguous", at(answer.contiguous_deadline.as_ref())),
        field("business_deadline", "48 hours, no weekends or holidays", at(answer.business_deadline.as_ref())),
        field("detainer", "detainer", Cell::text(names::id(&answer.detainer))),
        field("decision", "decision", Cell::text(names::id(&answer.decision))),
        field("policy_revision", "policy revision", Cell::text(names::id(&answer.policy_revision))),
        field("hold", "hold", Cell::text(names::id(&answer.hold))),
        field("facility", "facility", Cell::text(names::id(&answer.facility))),
        field("citizenship_claimed", "", Cell::Flag(answer.citizenship_claimed)),
        field("at_time", "at", at(answer.at_time.as_ref())),
    ];
    fields.extend(about(answer.as_of_pair.as_ref(), zone));
    let claim = "A claim of citizenship is recorded: look into it at once.".to_owned();
    let notes = if answer.citizenship_claimed { vec![claim] } else { Vec::new() };
    Sheet { title: title.to_owned(), fields, notes, ..Sheet::default() }
}

pub async fn timeline(context: &Context, command: &Timeline) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    let name = names::booking(&county, &command.booking);
    let zone = if command.when.is_local() { context.booking_zone(&client, &name).await? } else { chrono_tz::Tz::UTC };
    let request = pb::GetTimelineRequest {
        name,
        as_of: command.when.as_of(zone, context.now())?,
        at_time: command.when.at(zone, context.now())?,
    };
    let answer = client.get_timeline(request).await?;
    output::table(context, &timeline_table(&answer))
}

fn timeline_table(answer: &pb::GetTimelineResponse) -> Table {
    let zone = time::zone_or_utc(&answer.time_zone);
    let columns = vec![
        column("start_time", "FROM"),
        column("end_time", "TO"),
        column("ground", "GROUND"),
        column("on", "ON"),
        column("facility", "FACILITY"),
        more("bases"),
        more("authority"),
        more("hold"),
        more("detainer"),
        more("decision"),
        more("policy_revision"),
    ];
    let mut table = Table::new("", columns, "Nothing was known about this booking.");
    table.rows = answer.spans.iter().map(|span| span_row(span, zone)).collect();
    table.about = about(answer.as_of_pair.as_ref(), zone);
    table.about.push(field("at_time", "at", Cell::time(answer.at_time.as_ref(), zone)));
    table
}

fn span_row(span: &pb::TimelineSpan, zone: chrono_tz::Tz) -> Vec<Cell> {
    let interval = span.interval.unwrap_or_default();
    let bases: Vec<&str> = span.bases.iter().map(|basis| names::id(basis)).collect();
    let ground = match (span.ground(), span.authority()) {
        (pb::Ground::None, _) => "NOTHING".to_owned(),
        (pb::Ground::Detainer, pb::AuthorityState::AuthorizedLate) => "detainer, recorded late".to_owned(),
        (ground, _) => words::word(ground).replace('-', " "),
    };
    let on = if bases.is_empty() { names::id(&span.detainer).to_owned() } else { bases.join(", ") };
    vec![
        Cell::time(interval.start_time.as_ref(), zone),
        Cell::time(interval.end_time.as_ref(), zone),
        Cell::text(ground),
        Cell::text(on),
        Cell::text(names::id(&span.facility)),
        Cell::text(bases.join(" ")),
        Cell::word::<pb::AuthorityState>(span.authority),
        Cell::text(span.hold.as_str()),
        Cell::text(span.detainer.as_str()),
        Cell::text(span.decision.as_str()),
        Cell::text(span.policy_revision.as_str()),
    ]
}
