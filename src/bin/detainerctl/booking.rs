//! Bookings.

use clap::{Args, Subcommand};
use detainer::client::Client;
use detainer::pb;
use detainer::sheet::{names, time};

use crate::booking_fact::{self, Fact};
use crate::booking_show::{list, show};
use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::{In, Told, When, Writing};

/// What to do with bookings.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Record a booking.
    ///
    /// Example: detainerctl booking create 2024-000123 --facility main-jail --booked "2024-03-14 22:10" --charge dui-1
    Create(Create),
    /// Show a booking with its bases, stays, detainers and holds.
    Show {
        /// Its id.
        booking: String,
        /// Show who the person is, and who took them. Such answers are noted.
        #[arg(long)]
        identity: bool,
        #[command(flatten)]
        when: When,
    },
    /// List bookings, by booked time.
    List(List),
    /// Record that a basis opened.
    OpenBasis(OpenBasis),
    /// Record that a basis closed. The closing of the last one is T0.
    CloseBasis(CloseBasis),
    /// Record a fact about a booking. Each request is answered anew where a rule read it.
    ///
    /// Example: detainerctl booking fact 2024-000123 --status registry --is yes --at "2024-03-15 10:00" --source court-record
    Fact(Box<Fact>),
    /// Record a move to another facility.
    Move(Move),
    /// Record the end of a booking. Never refused because of a detainer or a policy.
    Release(Release),
}

/// Records a booking.
#[derive(Debug, Args)]
pub struct Create {
    /// The jail's own booking number.
    booking: String,
    /// The facility.
    #[arg(long, value_name = "FACILITY")]
    facility: String,
    /// When the person was booked.
    #[arg(long, value_name = "TIME", default_value = "now")]
    booked: String,
    /// A charge that holds the person from then on, by an id of your own; may be given more than once.
    #[arg(long, value_name = "ID")]
    charge: Vec<String>,
    /// Nobody knows on which bases the person is held.
    #[arg(long, conflicts_with_all = ["charge", "no_basis"])]
    bases_not_known: bool,
    /// There is no basis: T0 is the booked time.
    #[arg(long, conflicts_with = "charge")]
    no_basis: bool,
    /// The subject's id. Left out: a new subject.
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// Age in whole years.
    #[arg(long, value_name = "YEARS")]
    age: Option<i32>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

/// Who the person is: kept sealed.
#[derive(Debug, Args)]
pub struct Who {
    /// The person's family name; kept sealed, as all that says who it is.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    family_name: String,
    /// The person's given name.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    given_name: String,
    /// The person's date of birth.
    #[arg(long, value_name = "DAY", value_parser = crate::parse::day)]
    birth_date: Option<chrono::NaiveDate>,
    /// The person's A-number.
    #[arg(long, value_name = "NUMBER", default_value = "", hide_default_value = true)]
    a_number: String,
}

impl Who {
    fn identity(self) -> Option<pb::Identity> {
        let identity = pb::Identity {
            family_name: self.family_name,
            given_name: self.given_name,
            birth_date: self.birth_date.map(time::date),
            a_number: self.a_number,
            ..pb::Identity::default()
        };
        (identity != pb::Identity::default()).then_some(identity)
    }
}

/// Lists bookings.
#[derive(Debug, Args)]
pub struct List {
    /// Only this facility.
    #[arg(long, value_name = "FACILITY")]
    pub facility: Option<String>,
    /// Only persons in custody.
    #[arg(long)]
    pub in_custody: bool,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub limit: usize,
}

/// Opens a basis.
#[derive(Debug, Args)]
pub struct OpenBasis {
    /// The booking.
    booking: String,
    /// The basis's id within the booking. Left out: the server makes one.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    id: String,
    /// What kind of ground it is.
    #[arg(long, value_name = "KIND")]
    kind: In<pb::BasisKind>,
    /// When it opened.
    #[arg(long, value_name = "TIME")]
    at: String,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

/// Closes a basis.
#[derive(Debug, Args)]
pub struct CloseBasis {
    /// The booking.
    booking: String,
    /// The basis's id within the booking.
    basis: String,
    /// Why.
    #[arg(long, value_name = "REASON")]
    reason: In<pb::BasisCloseReason>,
    /// Why, in words: kept sealed. Needed with the reason `other`.
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    text: String,
    /// When it closed.
    #[arg(long, value_name = "TIME")]
    at: String,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

/// Moves a person.
#[derive(Debug, Args)]
pub struct Move {
    /// The booking.
    booking: String,
    /// The facility moved to.
    facility: String,
    /// When the person came there. Left out: now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

/// Ends a booking.
#[derive(Debug, Args)]
pub struct Release {
    /// The booking.
    booking: String,
    /// How.
    #[arg(long, value_name = "KIND", default_value = "released")]
    kind: In<pb::BookingEndKind>,
    /// When the person left custody. Left out: now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The agency that took the person.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    agency: String,
    /// The officer who took the person.
    #[arg(long, value_name = "BADGE", default_value = "", hide_default_value = true)]
    officer: String,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let role = match command {
        Command::Show { .. } | Command::List(_) => As::Administrator,
        _ => As::Records,
    };
    let client = context.client(role).await?;
    let county = context.county(&client).await?;
    match command {
        Command::Create(make) => create(context, &client, &county, make).await,
        Command::Show { booking, identity, when } => show(context, &client, &county, &booking, identity, &when).await,
        Command::List(wanted) => list(context, &client, county, &wanted).await,
        Command::OpenBasis(open) => open_basis(context, &client, &county, open).await,
        Command::CloseBasis(close) => close_basis(context, &client, &county, close).await,
        Command::Fact(fact) => booking_fact::record(context, &client, &county, *fact).await,
        Command::Move(to) => move_booking(context, &client, &county, to).await,
        Command::Release(end) => release(context, &client, &county, end).await,
    }
}

async fn create(context: &Context, client: &Client, county: &str, make: Create) -> Result<(), Failure> {
    use pb::create_booking_request::Bases;
    if make.charge.is_empty() && !make.bases_not_known && !make.no_basis {
        return Err(Failure::Usage("say --charge ID, --bases-not-known or --no-basis".to_owned()));
    }
    let facility = names::facility(county, &make.facility);
    let zone = if time::is_local(&make.booked) { context.zones(client, county).await?.of(&facility) } else { chrono_tz::Tz::UTC };
    let booked = Some(time::stamp(time::read(&make.booked, zone, context.now())?));
    let basis = |id: &String| pb::NewBasis {
        basis_id: id.clone(),
        kind: pb::BasisKind::Charge.into(),
        open_time: booked,
        source: Some(make.told.source()),
        reference: String::new(),
    };
    let bases = if make.bases_not_known {
        Bases::BasesNotKnown(pb::BasesNotKnown {})
    } else {
        Bases::FirstBases(pb::FirstBases { bases: make.charge.iter().map(basis).collect() })
    };
    let request = pb::CreateBookingRequest {
        parent: county.to_owned(),
        request_id: make.writing.id(),
        validate_only: make.writing.validate_only,
        booking_id: make.booking.clone(),
        booked_time: booked,
        source: Some(make.told.source()),
        subject: make.subject.map(|id| names::subject(county, &id)).unwrap_or_default(),
        identity: make.who.identity(),
        facility,
        bases: Some(bases),
        age_years: make.age,
    };
    let answer = client.create_booking(request).await?;
    output::recorded(context, client, &format!("Booking {}", make.booking), answer.receipt.as_ref()).await
}

async fn open_basis(context: &Context, client: &Client, county: &str, open: OpenBasis) -> Result<(), Failure> {
    let parent = names::booking(county, &open.booking);
    let at = context.booking_time(client, &parent, &open.at).await?;
    let request = pb::OpenBasisRequest {
        parent,
        request_id: open.writing.id(),
        validate_only: open.writing.validate_only,
        effective_time: Some(time::stamp(at)),
        source: Some(open.told.source()),
        basis_id: open.id,
        kind: open.kind.into(),
        ..Default::default()
    };
    let answer = client.open_basis(request).await?;
    output::recorded(context, client, &format!("Basis {}", names::id(&answer.basis)), answer.receipt.as_ref()).await
}

async fn close_basis(context: &Context, client: &Client, county: &str, close: CloseBasis) -> Result<(), Failure> {
    let booking = names::booking(county, &close.booking);
    let at = context.booking_time(client, &booking, &close.at).await?;
    let request = pb::CloseBasisRequest {
        name: names::basis(&booking, &close.basis),
        request_id: close.writing.id(),
        validate_only: close.writing.validate_only,
        etag: String::new(),
        effective_time: Some(time::stamp(at)),
        source: Some(close.told.source()),
        reason: close.reason.into(),
        reason_text: close.text,
    };
    let answer = client.close_basis(request).await?;
    let last = answer.booking.is_some_and(|booking| booking.t0.is_some());
    let what = if last { "the last one: T0 is set, see check-release" } else { "others are open" };
    output::recorded(context, client, &format!("Closing of {} ({what})", close.basis), answer.receipt.as_ref()).await
}

async fn move_booking(context: &Context, client: &Client, county: &str, to: Move) -> Result<(), Failure> {
    let name = names::booking(county, &to.booking);
    let at = match &to.at {
        Some(text) => Some(time::stamp(context.booking_time(client, &name, text).await?)),
        None => None,
    };
    let request = pb::MoveBookingRequest {
        name,
        request_id: to.writing.id(),
        validate_only: to.writing.validate_only,
        etag: String::new(),
        effective_time: at,
        source: Some(to.told.source()),
        facility: names::facility(county, &to.facility),
    };
    let answer = client.move_booking(request).await?;
    output::recorded(context, client, &format!("Move of {} to {}", to.booking, to.facility), answer.receipt.as_ref()).await
}

async fn release(context: &Context, client: &Client, county: &str, end: Release) -> Result<(), Failure> {
    let name = names::booking(county, &end.booking);
    let at = match &end.at {
        Some(text) => Some(time::stamp(context.booking_time(client, &name, text).await?)),
        None => None,
    };
    let request = pb::ReleaseBookingRequest {
        name,
        request_id: end.writing.id(),
        validate_only: end.writing.validate_only,
        etag: String::new(),
        effective_time: at,
        source: Some(end.told.source()),
        kind: end.kind.into(),
        receiving_agency: end.agency,
        receiving_officer: end.officer,
    };
    let answer = client.release_booking(request).await?;
    output::recorded(context, client, &format!("End of booking {}", end.booking), answer.receipt.as_ref()).await
}
