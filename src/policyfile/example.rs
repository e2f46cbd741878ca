//! Examples: facts and the answer they must have. They are answered as the domain answers a request that nobody made.

use super::read::{Node, Reader, Table};
use super::words;
use crate::domain::agreement::MinimumCoverage;
use crate::domain::clock::Limit;
use crate::domain::decision::{Outcome, Reason};
use crate::domain::detainer::{Boxes, Component, Document, DocumentKind, Edition, Form};
use crate::domain::facts::{
    AgeYears, Charge, Conviction, Disposition, Fact, JudicialWarrant, Paper, Question, RecordsCheck, Status, StatusProof, Tri,
};
pub use crate::domain::hypothetical::Promise;
use crate::domain::hypothetical::{self, Payer};
use crate::domain::ids::FacilityId;
use crate::domain::policy::Revision;
use crate::domain::time::{Instant, Zone};
use std::fmt;
use std::sync::Arc;

/// How many facts one example may have.
const FACTS: usize = 50;
const FORM: &[&str] =
    &["edition", "hold", "notify", "lent", "probable_cause", "signed", "documents", "served", "declined_on_review"];
const TRI: &[(&str, Tri)] = &[("unknown", Tri::Unknown)];

const PROMISES: &[(&str, Promise)] = &[
    ("none", Promise::Nothing),
    ("offered", Promise::Nothing),
    ("all-costs", Promise::Signed(MinimumCoverage::AllCosts)),
    ("any", Promise::Signed(MinimumCoverage::Any)),
    ("not-reserved", Promise::NotReserved),
];

/// A request and all that is known about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The form.
    pub form: Form,
    /// A copy was served on the subject.
    pub served: bool,
    /// A person declined it on review.
    pub declined: bool,
    /// Facts on record, numbered from 1.
    pub facts: Vec<Fact>,
    /// What was promised.
    pub promise: Promise,
}

/// What must come out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expect {
    /// The answer about the hold.
    pub outcome: Outcome,
    /// Its reason.
    pub reason: Reason,
    /// Whether the office is notified; nothing: not looked at.
    pub notify: Option<bool>,
    /// Whether the person is handed over; nothing: not looked at.
    pub transfer: Option<bool>,
    /// How long the hold may last; nothing: not looked at.
    pub limit: Option<Limit>,
    /// The deadline, were T0 the moment asked about; nothing: not looked at.
    pub deadline: Option<Instant>,
}

/// One example.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// What it shows.
    pub name: Arc<str>,
    /// The line it begins on.
    pub line: usize,
    /// The moment asked about.
    pub at: Instant,
    /// The request.
    pub request: Request,
    /// What must come out.
    pub expect: Expect,
}

/// What came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The answer about the hold.
    pub outcome: Outcome,
    /// Its reason.
    pub reason: Reason,
    /// Whether the office is notified.
    pub notify: bool,
    /// Whether the person is handed over.
    pub transfer: bool,
    /// How long the hold may last, where it is honored.
    pub limit: Option<Limit>,
    /// Its deadline, were T0 the moment asked about; nothing where the clock hangs on something else.
    pub deadline: Option<Instant>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes = |yes: bool| if yes { "yes" } else { "no" };
        let (outcome, reason) = (words::outcome(self.outcome), words::reason(self.reason));
        write!(f, "{outcome} ({reason}), notify {}, transfer {}", yes(self.notify), yes(self.transfer))
    }
}

impl Request {
    /// Its answer under a revision, or where none is in force.
    #[must_use]
    pub fn told(&self, revision: Option<&Revision>, zone: Zone, at: Instant) -> Told {
        let request = hypothetical::Request {
            form: self.form.clone(),
            facility: FacilityId::trusted(""),
            served: self.served,
            declined: self.declined,
            facts: self.facts.iter().map(|fact| (at, fact.clone())).collect(),
        };
        let moment = hypothetical::Moment { at, dates: zone, clock: zone };
        let hypothetical::Told { decision, deadline, .. } =
            hypothetical::told(&request, revision, Payer::Supposed(self.promise), moment);
        Told {
            outcome: decision.outcome,
            reason: decision.reason,
            notify: decision.notify,
            transfer: decision.transfer,
            limit: decision.terms.map(|terms| terms.limit),
            deadline,
        }
    }
}

impl Expect {
    /// What is not as it must be, in words.
    #[must_use]
    pub fn differences(&self, told: &Told, zone: Zone) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |what: &str, wanted: String, got: String| {
            if wanted != got {
                found.push(format!("{what} must be {wanted}, and is {got}"));
            }
        };
        differ("hold", words::outcome(self.outcome).into(), words::outcome(told.outcome).into());
        differ("reason", words::reason(self.reason).into(), words::reason(told.reason).into());
        for (what, wanted, got) in [("notify", self.notify, told.notify), ("transfer", self.transfer, told.transfer)] {
            if let Some(wanted) = wanted {
                differ(what, wanted.to_string(), got.to_string());
            }
        }
        if let Some(wanted) = self.limit {
            differ("hours", super::limit_words(wanted), told.limit.map_or("nothing".into(), super::limit_words));
        }
        if let Some(wanted) = self.deadline {
            let local = |at: Instant| at.utc().with_timezone(&zone.0).format("%Y-%m-%dT%H:%M:%S").to_string();
            differ("deadline", local(wanted), told.deadline.map_or("nothing".into(), local));
        }
        found
    }
}

/// Reads what is asked: the form, the facts, the promise.
pub(super) fn read_request(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<Request> {
    let form = reader.required(table, "form").and_then(|node| read_form(reader, &node));
    let facts = match table.get("facts") {
        Some(node) => {
            let entries = reader.list(&node, FACTS)?;
            let read: Vec<_> = entries.iter().map(|entry| read_fact(reader, entry)).collect();
            read.into_iter().collect()
        }
        None => Some(Vec::new()),
    };
    let promise = match table.get("agreement") {
        Some(node) => reader.word(&node, PROMISES),
        None => Some(Promise::Nothing),
    };
    let (form, served, declined) = form?;
    Some(Request { form, served, declined, facts: facts?, promise: promise? })
}

/// Reads what must come out.
pub(super) fn read_expect(reader: &mut Reader<'_>, node: &Node<'_>, zone: Zone) -> Option<Expect> {
    let table = reader.table(node, &["hold", "reason", "notify", "transfer", "hours", "deadline"])?;
    expect_of(reader, &table, zone)
}

/// The same out of a table that says more.
pub(super) fn expect_of(reader: &mut Reader<'_>, table: &Table<'_>, zone: Zone) -> Option<Expect> {
    let outcome = reader.required(table, "hold").and_then(|node| reader.word(&node, words::OUTCOMES));
    let reason = reader.required(table, "reason").and_then(|node| reader.word(&node, words::REASONS));
    let mut flag = |key: &str| table.get(key).map(|node| reader.flag(&node));
    let (notify, transfer) = (flag("notify"), flag("transfer"));
    let limit = table.get("hours").map(|node| super::file::read_limit(reader, &node));
    let deadline = table.get("deadline").map(|node| reader.moment(&node, zone));
    Some(Expect {
        outcome: outcome?,
        reason: reason?,
        notify: turned(notify)?,
        transfer: turned(transfer)?,
        limit: turned(limit)?,
        deadline: turned(deadline)?,
    })
}

/// Nothing where a value is there but bad.
fn turned<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |value| value.map(Some))
}

fn read_form(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<(Form, bool, bool)> {
    if node.as_text().is_some() {
        return reader.word(node, words::EDITIONS).map(|edition| (plain_form(edition), false, false));
    }
    let table = reader.table(node, FORM)?;
    let edition = reader.required(&table, "edition").and_then(|node| reader.word(&node, words::EDITIONS))?;
    let mut form = plain_form(edition);
    let mut set = |key: &str, flag: &mut bool| {
        if let Some(told) = table.get(key).and_then(|node| reader.flag(&node)) {
            *flag = told;
        }
    };
    let (mut served, mut declined) = (false, false);
    set("lent", &mut form.boxes.lent);
    if form.boxes.lent {
        form.boxes.hold = false;
    }
    set("hold", &mut form.boxes.hold);
    set("notify", &mut form.boxes.notify);
    set("served", &mut served);
    set("declined_on_review", &mut declined);
    match table.get("probable_cause").map(|node| read_tri(reader, &node)) {
        Some(Some(Tri::Unknown)) => form.boxes.read = false,
        Some(Some(told)) => form.boxes.final_order = told == Tri::Yes,
        Some(None) => return None,
        None => {}
    }
    if let Some(node) = table.get("signed") {
        form.signed = read_tri(reader, &node)?;
    }
    if let Some(node) = table.get("documents") {
        form.documents = reader.words(&node, words::DOCUMENTS)?.into_iter().map(document).collect();
    }
    for (field, why) in form.boxes.contradictions(edition) {
        reader.bad(table.at, &table.path, format!("{field} {why}"));
    }
    Some((form, served, declined))
}

/// A form that asks to hold and to notify, signed, with a probable-cause box and no documents.
fn plain_form(edition: Edition) -> Form {
    Form {
        edition,
        boxes: Boxes {
            hold: edition.can_hold(),
            notify: true,
            lent: false,
            upon_conviction: false,
            cancels: None,
            read: true,
            final_order: true,
            pending_proceedings: false,
            biometric_match: false,
            statements: false,
        },
        signed: Tri::Yes,
        office: "EXAMPLE".into(),
        office_name: "".into(),
        component: Component::IceEro,
        officer: None,
        form_date: None,
        event_number: "".into(),
        a_number: None,
        documents: Vec::new(),
    }
}

fn document(kind: DocumentKind) -> Document {
    Document {
        n: 1,
        kind,
        sha256: None,
        signed: None,
        is_signed: None,
        media_type: "".into(),
        content: None,
        attached: None,
        source: None,
    }
}

/// True, false or "unknown".
fn read_tri(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Tri> {
    match node.as_flag() {
        Some(flag) => Some(Tri::from(flag)),
        None => reader.word(node, TRI),
    }
}

const FACT_KEYS: &[&str] = &[
    "conviction",
    "charge",
    "dismissed",
    "acquitted",
    "age",
    "status_proof",
    "judicial_warrant",
    "paper",
    "records_checked",
    "pending_case",
    "outstanding_warrant",
    "prior_removal",
    "reentry",
    "final_order",
    "registry",
    "watch_list",
    "release_date_public",
    "other_purpose",
];

fn read_fact(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Fact> {
    let table = reader.table(node, FACT_KEYS)?;
    let mut keys = table.keys();
    let (Some((key, value)), None) = (keys.next(), keys.next()) else {
        reader.bad(node.at, &node.path, "must have one key: one fact each");
        return None;
    };
    if let Some((_, question)) = words::QUESTIONS.iter().find(|(word, _)| *word == key) {
        return read_status(reader, &value, *question).map(Fact::Status);
    }
    match key {
        "conviction" => read_conviction(reader, &value),
        "charge" => read_charge(reader, &value),
        "dismissed" | "acquitted" => {
            let charge = reader.number(&value, 0..=50)?;
            Some(Fact::Disposition(Disposition { acquitted: key == "acquitted", charge }))
        }
        "age" => reader.number(&value, 0..=150).map(|years| Fact::AgeYears(AgeYears { years })),
        "status_proof" => reader.word::<StatusProof>(&value, words::PROOFS).map(Fact::StatusProof),
        "judicial_warrant" => {
            let judges = [("federal", Tri::Yes), ("state", Tri::No), ("unknown", Tri::Unknown)];
            let federal = reader.word(&value, &judges)?;
            Some(Fact::JudicialWarrant(JudicialWarrant { federal, signed: None, court: "".into() }))
        }
        "paper" => {
            let kind = reader.word(&value, words::PAPERS)?;
            Some(Fact::Paper(Paper { kind, signed: None, sha256: None, detainer: None }))
        }
        "records_checked" => {
            let checked = reader.words(&value, &[("convictions", false), ("charges", true)])?;
            Some(Fact::RecordsCheck(RecordsCheck { convictions: checked.contains(&false), charges: checked.contains(&true) }))
        }
        _ => None,
    }
}

fn read_status(reader: &mut Reader<'_>, node: &Node<'_>, question: Question) -> Option<Status> {
    let mut status = Status { question, answer: Tri::Yes, signer: None, lists: Vec::new() };
    if node.is_list() {
        status.lists = reader.texts(node, 50)?;
    } else if node.as_table().is_some() {
        let table = reader.table(node, &["answer", "lists", "signed_by"])?;
        if let Some(node) = table.get("answer") {
            status.answer = read_tri(reader, &node)?;
        }
        if let Some(node) = table.get("lists") {
            status.lists = reader.texts(&node, 50)?;
        }
        if let Some(node) = table.get("signed_by") {
            status.signer = Some(reader.word(&node, words::SIGNERS)?);
        }
    } else {
        status.answer = read_tri(reader, node)?;
    }
    Some(status)
}

fn read_conviction(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Fact> {
    let table = reader.table(node, &["classes", "convicted", "released", "serving", "written_proof", "this_booking"])?;
    let classes = table.get("classes").map_or(Some(Vec::new()), |node| reader.texts(&node, 50))?;
    let mut day = |key: &str| turned(table.get(key).map(|node| reader.day(&node)));
    let (convicted, released) = (day("convicted")?, day("released")?);
    let mut flag = |key: &str| table.get(key).map_or(Some(false), |node| reader.flag(&node));
    let (serving, written_proof, this_booking) = (flag("serving")?, flag("written_proof")?, flag("this_booking")?);
    Some(Fact::Conviction(Conviction { classes, convicted, released, serving, written_proof, this_booking }))
}

fn read_charge(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Fact> {
    let table = reader.table(node, &["classes", "probable_cause", "bail"])?;
    let classes = table.get("classes").map_or(Some(Vec::new()), |node| reader.texts(&node, 50))?;
    let mut tri = |key: &str| table.get(key).map_or(Some(Tri::Unknown), |node| read_tri(reader, &node));
    let (probable_cause, bail_granted) = (tri("probable_cause")?, tri("bail")?);
    Some(Fact::Charge(Charge { classes, code: "".into(), probable_cause, bail_granted }))
}
