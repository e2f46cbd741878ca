//! Detainers.

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use detainer::client::Client;
use detainer::pb;
use detainer::sheet::table::{Cell, Field, Sheet, Table, about, column, field, more};
use detainer::sheet::{names, time, words};
use sha2::{Digest as _, Sha256};

use crate::context::{As, Context, Failure, Zones};
use crate::output;
use crate::parse::{In, Told, When, Writing, day};
use crate::policy_change::{self, Confirm};
use crate::review::{self, Override};

/// What to do with detainers.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Record a request and learn the county's answer.
    ///
    /// Example: detainerctl detainer record 2024-000123 --edition i247a --received "2024-03-15 09:30" --form-date 2024-03-15
    /// --office MIA --event-number E-55 --signed yes --biometric-match
    /// --i200 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 --served "2024-03-15 10:00"
    ///
    /// A policy that asks for facial sufficiency honors a form with a probable-cause box, a signature and an I-200 or I-205.
    Record(Box<Record>),
    /// Show a detainer, the decision in force and why.
    Show {
        /// The booking.
        booking: String,
        /// The detainer's id within the booking. Left out: the only one.
        detainer: Option<String>,
        #[command(flatten)]
        when: When,
        /// The language of the sentences that say why.
        #[arg(long, value_name = "TAG", default_value = "en", value_parser = ["en", "es"])]
        language: String,
    },
    /// List detainers, by received time.
    List(List),
    /// Record that a copy was given to the subject.
    Serve(Serve),
    /// Record a paper that came later than the form, as its digest. A review that waited for it is answered anew.
    ///
    /// Example: detainerctl detainer attach 2024-000123 1 i200 --file warrant.pdf --at "2024-03-15 11:00"
    Attach(Attach),
    /// Record that the issuing agency withdrew a detainer.
    Lift(Lift),
    /// Propose an answer in place of the county rule's; a second person confirms it within 24 hours.
    ///
    /// Example: detainerctl detainer override 2024-000123 1 honor --why "order of the sheriff" --reference memo-7
    Override(Box<Override>),
    /// Confirm an override that another person proposed, within 24 hours.
    Confirm(Confirm),
    /// List what is owed because of detainers, by when.
    Duties {
        /// Also what is done.
        #[arg(long)]
        done: bool,
    },
}

/// Records a request.
#[derive(Debug, Args)]
pub struct Record {
    /// The booking.
    booking: String,
    /// The detainer's id within the booking. Left out: the server makes one.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    id: String,
    /// Printed edition of the form.
    #[arg(long, value_name = "EDITION")]
    edition: In<pb::FormEdition>,
    /// When the county received it.
    #[arg(long, value_name = "TIME")]
    received: String,
    /// The date the form carries.
    #[arg(long, value_name = "DAY", value_parser = day)]
    form_date: NaiveDate,
    /// The county's short code for the issuing office.
    #[arg(long, value_name = "CODE")]
    office: String,
    /// Name of the office.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    office_name: String,
    /// The federal component that issued it.
    #[arg(long, value_name = "COMPONENT", default_value = "ice-ero")]
    component: In<pb::IssuingComponent>,
    /// Event number.
    #[arg(long, value_name = "NUMBER", default_value = "", hide_default_value = true)]
    event_number: String,
    /// The box that asks to hold is not ticked.
    #[arg(long)]
    no_hold: bool,
    /// The box that asks to be notified is not ticked.
    #[arg(long)]
    no_notify: bool,
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
    /// No probable-cause box is ticked. Without this and without any, they count as not read.
    #[arg(long, conflicts_with_all = ["final_order", "pending_proceedings", "biometric_match", "statements"])]
    no_probable_cause: bool,
    /// SHA-256 of an I-200 that came with it, in hexadecimal.
    #[arg(long, value_name = "SHA256")]
    i200: Option<String>,
    /// SHA-256 of an I-205 that came with it, in hexadecimal.
    #[arg(long, value_name = "SHA256")]
    i205: Option<String>,
    /// When a copy was given to the subject. Left out: not yet.
    #[arg(long, value_name = "TIME")]
    served: Option<String>,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

/// Lists detainers.
#[derive(Debug, Args)]
pub struct List {
    /// Only this booking.
    #[arg(long, value_name = "BOOKING")]
    booking: Option<String>,
    /// Only this facility.
    #[arg(long, value_name = "FACILITY")]
    facility: Option<String>,
    /// Only those that stand here.
    #[arg(long, value_name = "STATE")]
    state: Option<In<pb::DetainerState>>,
    /// Only those answered so.
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<In<pb::Outcome>>,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
}

/// Records a service.
#[derive(Debug, Args)]
pub struct Serve {
    /// The booking.
    booking: String,
    /// The detainer's id within the booking.
    detainer: String,
    /// When the copy was given.
    #[arg(long, value_name = "TIME")]
    at: String,
    /// How.
    #[arg(long, value_name = "METHOD", default_value = "in-person")]
    method: In<pb::ServiceMethod>,
    /// In which language it was explained, for example es.
    #[arg(long, value_name = "TAG", default_value = "", hide_default_value = true)]
    language: String,
    /// Who gave it: badge or name.
    #[arg(long, value_name = "OFFICER", default_value = "", hide_default_value = true)]
    by: String,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

/// Records a paper.
#[derive(Debug, Args)]
pub struct Attach {
    /// The booking.
    booking: String,
    /// The detainer's id within the booking.
    detainer: String,
    /// What kind of paper it is.
    kind: In<pb::DocumentKind>,
    /// The paper, of which the digest is recorded.
    #[arg(long, value_name = "FILE", required_unless_present = "sha256", conflicts_with = "sha256")]
    file: Option<std::path::PathBuf>,
    /// Its SHA-256, where the paper lies elsewhere.
    #[arg(long, value_name = "SHA256")]
    sha256: Option<String>,
    /// Since when the county has it.
    #[arg(long, value_name = "TIME")]
    at: String,
    /// Whether it is signed.
    #[arg(long, value_name = "ANSWER", default_value = "yes")]
    signed: In<pb::TriState>,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

/// Records a withdrawal.
#[derive(Debug, Args)]
pub struct Lift {
    /// The booking.
    booking: String,
    /// The detainer's id within the booking.
    detainer: String,
    /// When it was withdrawn.
    #[arg(long, value_name = "TIME")]
    at: String,
    /// Why.
    #[arg(long, value_name = "REASON", default_value = "lifted")]
    reason: In<pb::LiftReason>,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let role = match command {
        Command::Show { .. } | Command::List(_) | Command::Duties { .. } => As::Administrator,
        Command::Override(_) | Command::Confirm(_) => As::Administrator,
        _ => As::Records,
    };
    let client = context.client(role).await?;
    let county = context.county(&client).await?;
    match command {
        Command::Record(record) => self::record(context, &client, &county, &record).await,
        Command::Show { booking, detainer, when, language } => {
            show(context, &client, &names::booking(&county, &booking), detainer.as_deref(), &when, &language).await
        }
        Command::List(list) => self::list(context, &client, &county, &list).await,
        Command::Serve(serve) => self::serve(context, &client, &county, serve).await,
        Command::Attach(attach) => self::attach(context, &client, &county, attach).await,
        Command::Lift(lift) => self::lift(context, &client, &county, &lift).await,
        Command::Override(wanted) => review::propose(context, &client, &county, *wanted).await,
        Command::Confirm(confirm) => policy_change::confirm(context, &client, &county, &confirm).await,
        Command::Duties { done } => duties(context, &client, county, done).await,
    }
}

impl Record {
    fn form(&self) -> pb::DetainerForm {
        let known = self.final_order || self.pending_proceedings || self.biometric_match || self.statements;
        let boxes = pb::ProbableCauseBoxes {
            final_order: self.final_order,
            pending_proceedings: self.pending_proceedings,
            biometric_match: self.biometric_match,
            statements_or_evidence: self.statements,
            known: known || self.no_probable_cause,
        };
        pb::DetainerForm {
            edition: self.edition.into(),
            hold_requested: !self.no_hold && self.edition.0 != pb::FormEdition::I247n,
            notify_requested: !self.no_notify,
            probable_cause: Some(boxes),
            signed: self.signed.into(),
            office: Some(pb::IssuingOffice {
                code: self.office.clone(),
                display_name: self.office_name.clone(),
                component: self.component.into(),
            }),
            form_date: Some(time::date(self.form_date)),
            event_number: self.event_number.clone(),
            ..Default::default()
        }
    }

    fn documents(&self) -> Result<Vec<pb::Document>, Failure> {
        let papers = [(&self.i200, pb::DocumentKind::I200), (&self.i205, pb::DocumentKind::I205)];
        papers
            .into_iter()
            .filter_map(|(digest, kind)| digest.as_ref().map(|digest| (digest, kind)))
            .map(|(digest, kind)| {
                let sha256 =
                    hex::decode(digest).map_err(|_| Failure::Usage(format!("`{digest}` is no SHA-256 in hexadecimal")))?;
                Ok(pb::Document { kind: kind.into(), sha256, signed: pb::TriState::Yes.into(), ..Default::default() })
            })
            .collect()
    }
}

async fn record(context: &Context, client: &Client, county: &str, record: &Record) -> Result<(), Failure> {
    let parent = names::booking(county, &record.booking);
    let received = context.booking_time(client, &parent, &record.received).await?;
    let service = match &record.served {
        None => None,
        Some(text) => Some(pb::Service {
            served_time: Some(time::stamp(context.booking_time(client, &parent, text).await?)),
            method: pb::ServiceMethod::InPerson.into(),
            source: Some(record.told.source()),
            ..Default::default()
        }),
    };
    let request = pb::RecordDetainerRequest {
        parent,
        request_id: record.writing.id(),
        validate_only: record.writing.validate_only,
        etag: String::new(),
        received_time: Some(time::stamp(received)),
        source: Some(record.told.source()),
        detainer_id: record.id.clone(),
        form: Some(record.form()),
        documents: record.documents()?,
        service,
    };
    let answer = client.record_detainer(request).await?;
    let detainer = answer.detainer.unwrap_or_default();
    // Recorded late, it may have been answered otherwise since: what is in force now is what counts at the desk.
    let decision = detainer.decision.clone().or(answer.decision).unwrap_or_default();
    let known = if answer.already_recorded { ", the same paper as before" } else { "" };
    let what = format!(
        "Detainer {}{known}, answered {} ({})",
        names::id(&detainer.name),
        words::word_of::<pb::Outcome>(decision.outcome).to_uppercase(),
        words::plain_of::<pb::DecisionReason>(decision.reason)
    );
    output::recorded(context, client, &what, answer.receipt.as_ref()).await
}

async fn serve(context: &Context, client: &Client, county: &str, serve: Serve) -> Result<(), Failure> {
    let booking = names::booking(county, &serve.booking);
    let at = context.booking_time(client, &booking, &serve.at).await?;
    let service = pb::Service {
        served_time: Some(time::stamp(at)),
        method: serve.method.into(),
        language: serve.language,
        served_by: serve.by,
        source: Some(serve.told.source()),
    };
    let request = pb::RecordServiceRequest {
        name: names::detainer(&booking, &serve.detainer),
        request_id: serve.writing.id(),
        validate_only: serve.writing.validate_only,
        etag: String::new(),
        service: Some(service),
    };
    let answer = client.record_service(request).await?;
    output::recorded(context, client, &format!("Service of {}", serve.detainer), answer.receipt.as_ref()).await
}

async fn attach(context: &Context, client: &Client, county: &str, attach: Attach) -> Result<(), Failure> {
    let booking = names::booking(county, &attach.booking);
    let at = context.booking_time(client, &booking, &attach.at).await?;
    let sha256 = match (&attach.file, &attach.sha256) {
        (Some(file), _) => {
            let bytes = std::fs::read(file).map_err(|error| Failure::Other(format!("{}: {error}", file.display())))?;
            Sha256::digest(bytes).to_vec()
        }
        (None, told) => {
            let told = told.as_deref().unwrap_or_default();
            hex::decode(told).map_err(|_| Failure::Usage(format!("`{told}` is no SHA-256 in hexadecimal")))?
        }
    };
    let request = pb::AttachDocumentRequest {
        parent: names::detainer(&booking, &attach.detainer),
        request_id: attach.writing.id(),
        validate_only: attach.writing.validate_only,
        etag: String::new(),
        effective_time: Some(time::stamp(at)),
        source: Some(attach.told.source()),
        document: Some(pb::Document {
            kind: attach.kind.into(),
            sha256,
            signed: attach.signed.into(),
            ..pb::Document::default()
        }),
        content: Vec::new(),
    };
    let answer = client.attach_document(request).await?;
    let decision = answer.detainer.and_then(|detainer| detainer.decision).unwrap_or_default();
    let said = words::word_of::<pb::Outcome>(decision.outcome).to_uppercase();
    output::recorded(context, client, &format!("Paper of {}: {said}", attach.detainer), answer.receipt.as_ref()).await
}

async fn lift(context: &Context, client: &Client, county: &str, lift: &Lift) -> Result<(), Failure> {
    let booking = names::booking(county, &lift.booking);
    let at = context.booking_time(client, &booking, &lift.at).await?;
    let request = pb::LiftDetainerRequest {
        name: names::detainer(&booking, &lift.detainer),
        request_id: lift.writing.id(),
        validate_only: lift.writing.validate_only,
        etag: String::new(),
        effective_time: Some(time::stamp(at)),
        source: Some(lift.told.source()),
        reason: lift.reason.into(),
    };
    let answer = client.lift_detainer(request).await?;
    output::recorded(context, client, &format!("Lift of {}", lift.detainer), answer.receipt.as_ref()).await
}

async fn show(
    context: &Context,
    client: &Client,
    booking: &str,
    detainer: Option<&str>,
    when: &When,
    language: &str,
) -> Result<(), Failure> {
    let zone = context.booking_zone(client, booking).await?;
    let name = match detainer {
        Some(id) => names::detainer(booking, id),
        None => only(client, booking).await?,
    };
    let request = pb::GetDetainerRequest {
        name,
        as_of: when.as_of(zone, context.now())?,
        view: pb::View::Basic.into(),
        at_time: when.at(zone, context.now())?,
    };
    let answer = client.get_detainer(request).await?;
    let mut sheet = sheet(&answer.detainer.unwrap_or_default(), zone, language);
    sheet.fields.extend(about(answer.as_of_pair.as_ref(), zone));
    output::sheet(context, &sheet)
}

/// The only detainer of a booking.
async fn only(client: &Client, booking: &str) -> Result<String, Failure> {
    let request = pb::ListDetainersRequest { parent: booking.to_owned(), page_size: 20, ..Default::default() };
    let page = client.list_detainers(request).await?;
    match page.detainers.as_slice() {
        [one] => Ok(one.name.clone()),
        [] => Err(Failure::Other("the booking has no detainer".to_owned())),
        several => {
            let ids: Vec<&str> = several.iter().map(|detainer| names::id(&detainer.name)).collect();
            Err(Failure::Usage(format!("which detainer? The booking has {}", ids.join(", "))))
        }
    }
}

fn sheet(detainer: &pb::Detainer, zone: chrono_tz::Tz, language: &str) -> Sheet {
    let form = detainer.form.clone().unwrap_or_default();
    let office = form.office.clone().unwrap_or_default();
    let decision = detainer.decision.clone().unwrap_or_default();
    let service = detainer.service.clone().unwrap_or_default();
    let lift = detainer.lift.clone().unwrap_or_default();
    let mut fields = vec![
        field("detainer", "detainer", Cell::text(names::id(&detainer.name))),
        field("booking", "booking", Cell::text(names::id(&detainer.booking))),
        field("form_edition", "form", Cell::word::<pb::FormEdition>(form.edition)),
        field("form_date", "form date", Cell::day(form.form_date.as_ref())),
        field("office", "office", Cell::text(office.code)),
        field("event_number", "event number", Cell::text(form.event_number)),
        field("hold_requested", "asks to hold", Cell::Flag(form.hold_requested)),
        field("notify_requested", "asks to notify", Cell::Flag(form.notify_requested)),
        field("received_time", "received", Cell::time(detainer.received_time.as_ref(), zone)),
        field("recorded_time", "recorded by us", Cell::time(detainer.recorded_time.as_ref(), zone)),
        field("served_time", "served", Cell::time(service.served_time.as_ref(), zone)),
        field("state", "state", Cell::word::<pb::DetainerState>(detainer.state)),
        field("in_effect", "in effect", Cell::Flag(detainer.in_effect)),
        field("lift_time", "lifted", Cell::time(lift.lift_time.as_ref(), zone)),
        field("lift_reason", "why", Cell::word::<pb::LiftReason>(lift.reason)),
        field("outcome", "answer", Cell::Word(words::word_of::<pb::Outcome>(decision.outcome).to_uppercase())),
        field("decision_reason", "because", Cell::word::<pb::DecisionReason>(decision.reason)),
    ];
    fields.extend(in_words(&decision, language));
    fields.extend([
        field("policy_revision", "policy revision", Cell::text(names::id(&decision.policy_revision))),
        field("agreement", "agreement", Cell::text(names::id(&decision.agreement))),
        field("decision_effective_time", "in force since", Cell::time(decision.effective_time.as_ref(), zone)),
        field("trigger", "brought about by", Cell::word::<pb::DecisionTrigger>(decision.trigger)),
        field("notify", "notify the office", Cell::Flag(decision.notify)),
        field("override", "overridden", Cell::text(overridden(detainer))),
        field("decision_count", "decisions so far", Cell::Int(i64::from(detainer.decision_count))),
        field("replaced_by", "replaced by", Cell::text(names::id(&detainer.replaced_by))),
        field("replaces", "replaces", Cell::text(names::id(&detainer.replaces))),
    ]);
    let why = decision.explanation.unwrap_or_default();
    Sheet { fields, parts: vec![("explanation", explanation(&why))], ..Sheet::default() }
}

/// The latest override: what it says, and under which revision.
fn overridden(detainer: &pb::Detainer) -> String {
    let Some(act) = detainer.overrides.last() else { return String::new() };
    let answer = words::word_of::<pb::OverrideAnswer>(act.answer);
    format!("{answer}, while {} governs", names::id(&act.policy_revision))
}

/// The two sentences of a decision in a language.
pub fn in_words(decision: &pb::Decision, language: &str) -> Vec<Field> {
    let told = decision.sentences.iter().find(|told| told.language == language).cloned().unwrap_or_default();
    vec![field("in_words", "in words", Cell::text(told.answer)), field("basis", "next", Cell::text(told.basis))]
}

/// The checks and layers of a decision, indented as they were evaluated.
pub fn explanation(why: &pb::Explanation) -> Table {
    let columns = vec![column("condition", "CONDITION"), column("value", "VALUE"), column("fact_read", "READ")];
    let mut table = Table::new("Why", columns, "");
    for check in &why.checks {
        nodes(check, 0, &mut table.rows);
    }
    for layer in &why.layers {
        let decided = if layer.decided { ", which decided" } else { "" };
        let text = format!("{}{decided}", words::plain_of::<pb::LayerKind>(layer.kind));
        let said = words::plain_of::<pb::LayerAnswer>(layer.answer);
        table.rows.push(vec![Cell::text(text), Cell::text(said), Cell::Empty]);
        if let Some(condition) = &layer.condition {
            nodes(condition, 1, &mut table.rows);
        }
    }
    table
}

fn nodes(node: &pb::ExplanationNode, depth: usize, rows: &mut Vec<Vec<Cell>>) {
    let label = if node.label.is_empty() { words::plain_of::<pb::NodeKind>(node.kind) } else { node.label.clone() };
    rows.push(vec![
        Cell::text(format!("{}{label}", "  ".repeat(depth))),
        Cell::word::<pb::TriState>(node.value),
        Cell::text(node.fact_read.as_str()),
    ]);
    for child in &node.children {
        nodes(child, depth + 1, rows);
    }
}

async fn list(context: &Context, client: &Client, county: &str, list: &List) -> Result<(), Failure> {
    let zones = context.zones(client, county).await?;
    let columns = vec![
        column("booking", "BOOKING"),
        column("detainer", "DETAINER"),
        column("received_time", "RECEIVED"),
        column("form_edition", "FORM"),
        column("state", "STATE"),
        column("outcome", "ANSWER"),
        column("decision_reason", "BECAUSE"),
        more("office"),
        more("in_effect"),
        more("served_time"),
        more("policy_revision"),
    ];
    let mut table = Table::new("", columns, "There is no such detainer.");
    let filter = pb::DetainerFilter {
        facility: list.facility.as_deref().map(|id| names::facility(county, id)).unwrap_or_default(),
        state: list.state.map_or(0, i32::from),
        outcome: list.outcome.map_or(0, i32::from),
        ..Default::default()
    };
    let parent = list.booking.as_deref().map_or_else(|| county.to_owned(), |id| names::booking(county, id));
    let mut page_token = String::new();
    loop {
        let left = list.limit.saturating_sub(table.rows.len());
        let request = pb::ListDetainersRequest {
            parent: parent.clone(),
            page_size: i32::try_from(left.min(500)).unwrap_or(500),
            page_token,
            filter: Some(filter.clone()),
            ..Default::default()
        };
        let page = client.list_detainers(request).await?;
        table.rows.extend(page.detainers.iter().map(|detainer| row(detainer, &zones)));
        table.about = about(page.as_of_pair.as_ref(), zones.county);
        page_token = page.next_page_token;
        if page_token.is_empty() || table.rows.len() >= list.limit {
            return output::table(context, &table);
        }
    }
}

fn row(detainer: &pb::Detainer, zones: &Zones) -> Vec<Cell> {
    let form = detainer.form.clone().unwrap_or_default();
    let decision = detainer.decision.clone().unwrap_or_default();
    let service = detainer.service.clone().unwrap_or_default();
    let zone = zones.county;
    vec![
        Cell::text(names::id(&detainer.booking)),
        Cell::text(names::id(&detainer.name)),
        Cell::time(detainer.received_time.as_ref(), zone),
        Cell::word::<pb::FormEdition>(form.edition),
        Cell::word::<pb::DetainerState>(detainer.state),
        Cell::word::<pb::Outcome>(decision.outcome),
        Cell::word::<pb::DecisionReason>(decision.reason),
        Cell::text(form.office.unwrap_or_default().code),
        Cell::Flag(detainer.in_effect),
        Cell::time(service.served_time.as_ref(), zone),
        Cell::text(names::id(&decision.policy_revision)),
    ]
}

async fn duties(context: &Context, client: &Client, county: String, done: bool) -> Result<(), Failure> {
    let zones = context.zones(client, &county).await?;
    let columns = vec![
        column("due_time", "DUE"),
        column("kind", "WHAT"),
        column("booking", "BOOKING"),
        column("detainer", "DETAINER"),
        column("done_time", "DONE"),
        more("duty"),
    ];
    let mut table = Table::new("", columns, "Nothing is owed.");
    let filter = pb::DutyFilter { done: if done { None } else { Some(false) }, ..Default::default() };
    let mut page_token = String::new();
    loop {
        let request = pb::ListDutiesRequest {
            parent: county.clone(),
            page_size: 500,
            page_token,
            filter: Some(filter.clone()),
            ..Default::default()
        };
        let page = client.list_duties(request).await?;
        table.rows.extend(page.duties.iter().map(|duty| {
            let zone = zones.of(&duty.facility);
            vec![
                Cell::time(duty.due_time.as_ref(), zone),
                Cell::word::<pb::DutyKind>(duty.kind),
                Cell::text(names::part(&duty.detainer, "bookings")),
                Cell::text(names::id(&duty.detainer)),
                Cell::time(duty.done_time.as_ref(), zone),
                Cell::text(duty.name.as_str()),
            ]
        }));
        table.about = about(page.as_of_pair.as_ref(), zones.county);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return output::table(context, &table);
        }
    }
}
