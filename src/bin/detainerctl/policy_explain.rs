//! How a request that nobody made would be answered.

use clap::Args;
use detainer::client::Client;
use detainer::pb;
use detainer::sheet::table::{Cell, Sheet, Table, about, column, field};
use detainer::sheet::{names, time, words};
use pb::explain_decision_request::Rules;
use pb::fact::Kind;

use crate::context::{Context, Failure};
use crate::detainer::{explanation, in_words};
use crate::output;
use crate::parse::In;
use crate::policy_change;

/// Explains a request that nobody made.
#[derive(Debug, Args)]
pub struct Explain {
    /// A policy file, or the id of a revision. Left out: the rules in force at the moment asked about.
    #[arg(value_name = "FILE|REVISION")]
    what: Option<String>,
    /// Where the person would be.
    #[arg(long, value_name = "FACILITY")]
    facility: String,
    /// Printed edition of the form.
    #[arg(long, value_name = "EDITION", default_value = "i247a")]
    edition: In<pb::FormEdition>,
    /// The county's short code for the issuing office.
    #[arg(long, value_name = "CODE")]
    office: String,
    /// The federal component that issued it.
    #[arg(long, value_name = "COMPONENT", default_value = "ice-ero")]
    component: In<pb::IssuingComponent>,
    /// When it would come in, also the moment asked about; may lie ahead. Left out: now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The box that asks to hold is not ticked.
    #[arg(long)]
    no_hold: bool,
    /// Whether an officer signed the form.
    #[arg(long, value_name = "ANSWER", default_value = "yes")]
    signed: In<pb::TriState>,
    /// Whether a probable-cause box is ticked.
    #[arg(long, value_name = "ANSWER", default_value = "yes")]
    probable_cause: In<pb::TriState>,
    /// A paper that came with it; may be told several times.
    #[arg(long, value_name = "KIND")]
    document: Vec<In<pb::DocumentKind>>,
    /// A copy was given to the subject.
    #[arg(long)]
    served: bool,
    /// What is supposed to be promised. Left out: the agreements on record.
    #[arg(long, value_name = "PROMISE")]
    guarantee: Option<In<pb::SupposedGuarantee>>,
    /// A conviction of this class; may be told several times.
    #[arg(long, value_name = "CLASS")]
    conviction: Vec<String>,
    /// A pending charge of this class; may be told several times.
    #[arg(long, value_name = "CLASS")]
    charge: Vec<String>,
    /// Convictions and charges were checked: what is not told is not there.
    #[arg(long)]
    records_checked: bool,
    /// A warrant signed by a judge: yes for a federal judge, no for another one.
    #[arg(long, value_name = "FEDERAL")]
    judicial_warrant: Option<In<pb::TriState>>,
    /// How old the person is, in whole years.
    #[arg(long, value_name = "YEARS")]
    age: Option<i32>,
    /// U.S. citizenship is proved.
    #[arg(long)]
    citizenship_proof: bool,
    /// The language of the sentences.
    #[arg(long, value_name = "TAG", default_value = "en", value_parser = ["en", "es"])]
    language: String,
}

impl Explain {
    fn form(&self, day: chrono::NaiveDate) -> pb::DetainerForm {
        let known = self.probable_cause.0 != pb::TriState::Unknown;
        let statements_or_evidence = self.probable_cause.0 == pb::TriState::Yes;
        pb::DetainerForm {
            edition: self.edition.into(),
            hold_requested: !self.no_hold && self.edition.0 != pb::FormEdition::I247n,
            notify_requested: true,
            probable_cause: Some(pb::ProbableCauseBoxes { known, statements_or_evidence, ..Default::default() }),
            signed: self.signed.into(),
            office: Some(pb::IssuingOffice { code: self.office.clone(), component: self.component.into(), ..Default::default() }),
            form_date: Some(time::date(day)),
            ..Default::default()
        }
    }

    fn facts(&self) -> Vec<pb::Fact> {
        let convicted = self
            .conviction
            .iter()
            .map(|class| Kind::Conviction(pb::ConvictionFact { offense_classes: vec![class.clone()], ..Default::default() }));
        let charged = self.charge.iter().map(|class| {
            let unknown = pb::TriState::Unknown.into();
            Kind::Charge(pb::ChargeFact {
                offense_classes: vec![class.clone()],
                magistrate_found_probable_cause: unknown,
                bail_granted: unknown,
                ..Default::default()
            })
        });
        let checked = pb::RecordsCheckFact { convictions_complete: true, charges_complete: true };
        let warrant = |federal: In<pb::TriState>| {
            Kind::JudicialWarrant(pb::JudicialWarrantFact { federal: federal.into(), ..Default::default() })
        };
        let citizen = pb::StatusProofFact { proved: pb::StatusProofKind::Citizenship.into() };
        let others = [
            self.records_checked.then_some(Kind::RecordsCheck(checked)),
            self.judicial_warrant.map(warrant),
            self.age.map(|years| Kind::Age(pb::AgeFact { years })),
            self.citizenship_proof.then_some(Kind::StatusProof(citizen)),
        ];
        let kinds = convicted.chain(charged).chain(others.into_iter().flatten());
        kinds.map(|kind| pb::Fact { kind: Some(kind), ..Default::default() }).collect()
    }
}

/// Asks, and shows the answer.
pub async fn explain(context: &Context, client: &Client, county: &str, command: &Explain) -> Result<(), Failure> {
    let zone = context.zones(client, county).await?.of(&names::facility(county, &command.facility));
    let at = command.at.as_deref().map(|text| time::read(text, zone, context.now())).transpose()?;
    let rules = match &command.what {
        None => None,
        Some(what) if policy_change::is_file(what) => {
            let file = policy_change::read(what)?;
            Some(Rules::Candidate(policy_change::supposed(county, file.revision(), context.now().date_naive())))
        }
        Some(id) => Some(Rules::PolicyRevision(policy_change::revision(county, id))),
    };
    let request = pb::ExplainDecisionRequest {
        parent: county.to_owned(),
        rules,
        facility: names::facility(county, &command.facility),
        at_time: at.map(time::stamp),
        form: Some(command.form(at.unwrap_or_else(|| context.now()).with_timezone(&zone).date_naive())),
        documents: command.document.iter().map(|kind| pb::Document { kind: (*kind).into(), ..Default::default() }).collect(),
        served: command.served,
        facts: command.facts(),
        guarantee: command.guarantee.map_or(0, i32::from),
        as_of: None,
    };
    let answer = client.explain_decision(request).await?;
    output::sheet(context, &sheet(&answer, zone, &command.language))
}

fn sheet(answer: &pb::ExplainDecisionResponse, zone: chrono_tz::Tz, language: &str) -> Sheet {
    let decision = answer.decision.clone().unwrap_or_default();
    let mut fields = vec![
        field("outcome", "answer", Cell::Word(words::word_of::<pb::Outcome>(decision.outcome).to_uppercase())),
        field("decision_reason", "because", Cell::word::<pb::DecisionReason>(decision.reason)),
    ];
    fields.extend(in_words(&decision, language));
    fields.extend([
        field("policy_revision", "policy revision", Cell::text(names::id(&decision.policy_revision))),
        field("agreement", "agreement", Cell::text(names::id(&decision.agreement))),
        field("at_time", "received", Cell::time(answer.at_time.as_ref(), zone)),
        field("deadline", "deadline, were T0 then", Cell::time(answer.deadline.as_ref(), zone)),
        field("notify", "notify the office", Cell::Flag(decision.notify)),
        field("transfer", "hand over", Cell::Flag(decision.transfer)),
    ]);
    fields.extend(about(answer.as_of_pair.as_ref(), zone));
    let columns =
        vec![column("kind", "OWED"), column("due_time", "DUE"), column("hours_from_release", "HOURS FROM AN UNFORESEEN RELEASE")];
    let mut duties = Table::new("What would be owed", columns, "Nothing would be owed.");
    duties.rows.extend(answer.duties.iter().map(|duty| {
        let release = duty.kind() == pb::DutyKind::NoticeOfRelease && duty.due_time.is_none();
        vec![
            Cell::word::<pb::DutyKind>(duty.kind),
            Cell::time(duty.due_time.as_ref(), zone),
            if release { Cell::Int(i64::from(duty.hours_from_release)) } else { Cell::Empty },
        ]
    }));
    let why = decision.explanation.unwrap_or_default();
    let title = "How it would be answered; nothing was recorded.".to_owned();
    Sheet { title, fields, parts: vec![("explanation", explanation(&why)), ("duties", duties)], ..Sheet::default() }
}
