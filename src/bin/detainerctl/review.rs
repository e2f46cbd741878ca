//! What waits for a person to look, and an answer of two persons in place of the county rule's.

use clap::{Args, Subcommand};
use detainer::client::Client;
use detainer::pb;
use detainer::sheet::table::{Cell, Sheet, Table, about, column, field, more};
use detainer::sheet::{names, time, words};
use pb::resolve_review_request::Resolution;

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::{In, Told, Writing};

/// What to do with reviews.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the detainers that wait for review, the one that has waited longest first, and what is missing.
    List {
        /// Only this facility.
        #[arg(long, value_name = "FACILITY")]
        facility: Option<String>,
        /// Only those that wait for this.
        #[arg(long, value_name = "REASON")]
        reason: Option<In<pb::DecisionReason>>,
    },
    /// Decline in a review, or say what the form says: its boxes and signature, read again. The county's rule then answers
    /// anew; neither honors by itself.
    ///
    /// A fact that is missing (a charge, a conviction, a registry, an age, a warrant) is recorded with `booking fact`, a
    /// paper that came later with `detainer attach`: both answer the review by themselves.
    ///
    /// Example: detainerctl review resolve 2024-000123 1 --decline "the office withdrew it by telephone"
    Resolve(Box<Resolve>),
}

/// Resolves a review.
#[derive(Debug, Args)]
pub struct Resolve {
    /// The booking.
    booking: String,
    /// The detainer's id within the booking.
    detainer: String,
    /// Decline, for this reason. For good: no later fact or policy honors the form.
    #[arg(long, value_name = "WHY", conflicts_with = "read_at")]
    decline: Option<String>,
    /// When the form was read again.
    #[arg(long, value_name = "TIME", required_unless_present = "decline")]
    read_at: Option<String>,
    /// Whether an officer signed the form.
    #[arg(long, value_name = "ANSWER", default_value = "unknown")]
    signed: In<pb::TriState>,
    /// Probable cause: a final order of removal.
    #[arg(long)]
    final_order: bool,
    /// Probable cause: pending proceedings.
    #[arg(long)]
    pending_proceedings: bool,
    /// Probable cause: biometric match and records check.
    #[arg(long)]
    biometric_match: bool,
    /// Probable cause: statements or other evidence.
    #[arg(long)]
    statements: bool,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

/// Proposes an answer in place of the county rule's.
#[derive(Debug, Args)]
pub struct Override {
    /// The booking.
    booking: String,
    /// The detainer's id within the booking.
    detainer: String,
    /// What the answer should be: honor, decline, or rule to take an override back.
    answer: In<pb::OverrideAnswer>,
    /// Why, in words; sealed.
    #[arg(long, value_name = "WHY")]
    why: String,
    /// Since when, only for a decline that was ordered earlier.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    match command {
        Command::List { facility, reason } => {
            let filter = pb::ReviewFilter {
                facility: facility.map(|id| names::facility(&county, &id)).unwrap_or_default(),
                reason: reason.map_or(0, i32::from),
            };
            list(context, &client, county, filter).await
        }
        Command::Resolve(resolve) => self::resolve(context, &client, &county, *resolve).await,
    }
}

async fn list(context: &Context, client: &Client, county: String, filter: pb::ReviewFilter) -> Result<(), Failure> {
    let zones = context.zones(client, &county).await?;
    let columns = vec![
        column("effective_time", "WAITS SINCE"),
        column("age_hours", "HOURS"),
        column("booking", "BOOKING"),
        column("detainer", "DETAINER"),
        column("reason", "BECAUSE"),
        column("missing", "MISSING"),
        column("t0", "PAST T0 SINCE"),
        column("expected_release_time", "RELEASE EXPECTED"),
        more("facility"),
        more("recorded_time"),
        more("office"),
        more("citizenship_claimed"),
    ];
    let mut table = Table::new("", columns, "Nothing waits for review.");
    let mut page_token = String::new();
    loop {
        let request = pb::ListReviewsRequest {
            parent: county.clone(),
            page_size: 500,
            page_token,
            filter: Some(filter.clone()),
            ..Default::default()
        };
        let page = client.list_reviews(request).await?;
        table.rows.extend(page.reviews.iter().map(|review| row(review, zones.of(&review.facility))));
        table.about = about(page.as_of_pair.as_ref(), zones.county);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return output::table(context, &table);
        }
    }
}

fn row(review: &pb::Review, zone: chrono_tz::Tz) -> Vec<Cell> {
    let hours = review.age.as_ref().map_or(0, |age| age.seconds / 3600);
    let missing: Vec<&str> = review.missing.iter().map(|node| node.label.as_str()).collect();
    vec![
        Cell::time(review.effective_time.as_ref(), zone),
        Cell::Int(hours),
        Cell::text(names::id(&review.booking)),
        Cell::text(names::id(&review.detainer)),
        Cell::word::<pb::DecisionReason>(review.reason),
        Cell::text(missing.join("; ")),
        Cell::time(review.t0.as_ref(), zone),
        Cell::time(review.expected_release_time.as_ref(), zone),
        Cell::text(names::id(&review.facility)),
        Cell::time(review.recorded_time.as_ref(), zone),
        Cell::text(review.office_code.as_str()),
        Cell::Flag(review.citizenship_claimed),
    ]
}

async fn resolve(context: &Context, client: &Client, county: &str, resolve: Resolve) -> Result<(), Failure> {
    let booking = names::booking(county, &resolve.booking);
    let resolution = match (resolve.decline, &resolve.read_at) {
        (Some(reason), _) => Resolution::Decline(pb::ReviewDecline { reason }),
        (None, Some(text)) => Resolution::FormReading(pb::FormReading {
            effective_time: Some(time::stamp(context.booking_time(client, &booking, text).await?)),
            source: Some(resolve.told.source()),
            probable_cause: Some(pb::ProbableCauseBoxes {
                final_order: resolve.final_order,
                pending_proceedings: resolve.pending_proceedings,
                biometric_match: resolve.biometric_match,
                statements_or_evidence: resolve.statements,
                known: true,
            }),
            signed: resolve.signed.into(),
        }),
        (None, None) => return Err(Failure::Usage("say --decline WHY, or --read-at TIME and what the form says".to_owned())),
    };
    let request = pb::ResolveReviewRequest {
        name: names::detainer(&booking, &resolve.detainer),
        request_id: resolve.writing.id(),
        validate_only: resolve.writing.validate_only,
        resolution: Some(resolution),
        ..Default::default()
    };
    let answer = client.resolve_review(request).await?;
    let decision = answer.decision.unwrap_or_default();
    let said = words::word_of::<pb::Outcome>(decision.outcome).to_uppercase();
    output::recorded(context, client, &format!("Review of {}: {said}", resolve.detainer), answer.receipt.as_ref()).await
}

/// Proposes an override to a second person.
pub async fn propose(context: &Context, client: &Client, county: &str, wanted: Override) -> Result<(), Failure> {
    let booking = names::booking(county, &wanted.booking);
    let since = match &wanted.since {
        Some(text) => Some(time::stamp(context.booking_time(client, &booking, text).await?)),
        None => None,
    };
    let request = pb::OverrideDecisionRequest {
        name: names::detainer(&booking, &wanted.detainer),
        request_id: wanted.writing.id(),
        validate_only: wanted.writing.validate_only,
        etag: String::new(),
        answer: wanted.answer.into(),
        reason: wanted.why,
        source: Some(wanted.told.source()),
        effective_time: since,
    };
    let proposal = client.override_decision(request).await?.proposal.unwrap_or_default();
    let zone = context.county_zone(client, county).await?;
    let (id, digest) = (names::id(&proposal.name), hex::encode(&proposal.content_digest));
    if wanted.writing.validate_only {
        let title = "It would be proposed to a second person; nothing was recorded.".to_owned();
        return output::sheet(context, &Sheet { title, ..Sheet::default() });
    }
    let notes = vec![format!("They say: detainerctl detainer confirm {id} --digest {digest}")];
    let fields = vec![
        field("proposal", "proposal", Cell::text(id)),
        field("content_digest", "", Cell::text(digest.as_str())),
        field("proposed_by", "proposed by", Cell::text(proposal.proposed_by.as_str())),
        field("expire_time", "expires", Cell::time(proposal.expire_time.as_ref(), zone)),
    ];
    let title = "Nothing has changed yet: a second person must confirm it.".to_owned();
    output::sheet(context, &Sheet { title, fields, notes, ..Sheet::default() })
}
