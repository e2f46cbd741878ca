//! Agreements: written federal promises to pay.

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use detainer::client::Client;
use detainer::pb;
use detainer::sheet::table::{Cell, Sheet, Table, about, column, field, more};
use detainer::sheet::{names, time, words};
use pb::payment_term::Term;

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::{In, Paper, Writing, cents, day, money};

/// What to do with agreements.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Record an agreement, or an offer of one.
    ///
    /// Example: detainerctl agreement create ice-2015 --counterparty ICE --signed 2015-02-01 --start 2015-03-01 --all-costs
    /// --budget 50000 --title "Reimbursement agreement" --dated 2015-02-01
    Create(Box<Terms>),
    /// Replace an agreement's terms, whole: for example when it is signed.
    Amend(Box<Terms>),
    /// End an agreement early. Detainers that relied on it are decided again.
    Terminate(Terminate),
    /// List agreements.
    List {
        /// Only those in this state.
        #[arg(long, value_name = "STATE")]
        state: Option<In<pb::AgreementState>>,
    },
    /// Show an agreement, with what is reserved and spent.
    Show {
        /// Its id.
        id: String,
    },
}

/// The terms of an agreement.
#[derive(Debug, Args)]
pub struct Terms {
    /// Its id.
    id: String,
    /// Who promises.
    #[arg(long, value_name = "NAME")]
    counterparty: String,
    /// When both sides had signed. Left out: an offer, which guarantees nothing.
    #[arg(long, value_name = "TIME")]
    signed: Option<String>,
    /// First day covered.
    #[arg(long, value_name = "DAY", value_parser = day)]
    start: NaiveDate,
    /// First day not covered. Left out: no end is stated.
    #[arg(long, value_name = "DAY", value_parser = day)]
    end: Option<NaiveDate>,
    #[command(flatten)]
    term: Term1,
    /// How days are counted, with --per-diem.
    #[arg(long, value_name = "RULE", requires = "per_diem")]
    count: Option<In<pb::DayCount>>,
    /// Longest hold that --flat pays for, in held hours.
    #[arg(long, value_name = "HOURS", requires = "flat", default_value_t = 48)]
    up_to_hours: i32,
    /// The most it pays in all.
    #[arg(long, value_name = "AMOUNT", value_parser = cents)]
    budget: Option<i64>,
    /// Only this facility; may be given more than once.
    #[arg(long, value_name = "FACILITY")]
    facility: Vec<String>,
    /// Only this issuing office, by code; may be given more than once.
    #[arg(long, value_name = "CODE")]
    office: Vec<String>,
    /// Only this detainer: BOOKING/DETAINER.
    #[arg(long, value_name = "BOOKING/DETAINER")]
    detainer: Option<String>,
    /// Days after the end of a hold in which a claim must be filed.
    #[arg(long, value_name = "DAYS", default_value_t = 0, hide_default_value = true)]
    filing_window: i32,
    /// Currency.
    #[arg(long, default_value = "USD")]
    currency: String,
    #[command(flatten)]
    paper: Paper,
    #[command(flatten)]
    writing: Writing,
}

/// What is paid: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Term1 {
    /// It pays the full cost.
    #[arg(long)]
    all_costs: bool,
    /// It pays this much a day.
    #[arg(long, value_name = "AMOUNT", value_parser = cents)]
    per_diem: Option<i64>,
    /// It pays this much a hold.
    #[arg(long, value_name = "AMOUNT", value_parser = cents)]
    flat: Option<i64>,
    /// It pays the costs after this many held hours.
    #[arg(long, value_name = "HOURS")]
    after_hours: Option<i32>,
}

/// Ends an agreement.
#[derive(Debug, Args)]
pub struct Terminate {
    /// Its id.
    id: String,
    /// First day no longer covered.
    #[arg(long, value_name = "DAY", value_parser = day)]
    end: NaiveDate,
    #[command(flatten)]
    writing: Writing,
}

impl Terms {
    async fn terms(&self, context: &Context, client: &Client, county: &str) -> Result<pb::AgreementTerms, Failure> {
        let signed_time = match &self.signed {
            Some(text) => Some(time::stamp(context.county_time(client, county, text).await?)),
            None => None,
        };
        let detainer = match &self.detainer {
            None => String::new(),
            Some(path) => {
                let (booking, detainer) =
                    path.split_once('/').ok_or_else(|| Failure::Usage(format!("--detainer {path}: say BOOKING/DETAINER")))?;
                names::detainer(&names::booking(county, booking), detainer)
            }
        };
        let scope = pb::AgreementScope {
            facilities: self.facility.iter().map(|id| names::facility(county, id)).collect(),
            office_codes: self.office.clone(),
            detainer,
        };
        Ok(pb::AgreementTerms {
            instrument: Some(self.paper.instrument()?),
            counterparty: self.counterparty.clone(),
            signed_time,
            start_date: Some(time::date(self.start)),
            end_date: self.end.map(time::date),
            scope: Some(scope),
            term: Some(pb::PaymentTerm { term: Some(self.payment()?) }),
            budget: self.budget.map(|cents| money(&self.currency, cents)),
            filing_window_days: self.filing_window,
        })
    }

    fn payment(&self) -> Result<Term, Failure> {
        let amount = |cents| Some(money(&self.currency, cents));
        match &self.term {
            Term1 { per_diem: Some(cents), .. } => {
                let count = self.count.ok_or_else(|| Failure::Usage("--per-diem needs --count".to_owned()))?;
                Ok(Term::PerDiem(pb::PerDiem { amount: amount(*cents), day_count: count.into() }))
            }
            Term1 { flat: Some(cents), .. } => {
                Ok(Term::FlatPerHold(pb::FlatPerHold { amount: amount(*cents), up_to_hours: self.up_to_hours }))
            }
            Term1 { after_hours: Some(hours), .. } => Ok(Term::AfterFirstHours(pb::AfterFirstHours { hours: *hours })),
            Term1 { .. } => Ok(Term::AllCosts(pb::AllCosts {})),
        }
    }
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    match command {
        Command::Create(make) => {
            let request = pb::CreateAgreementRequest {
                parent: county.clone(),
                request_id: make.writing.id(),
                validate_only: make.writing.validate_only,
                agreement_id: make.id.clone(),
                terms: Some(make.terms(context, &client, &county).await?),
            };
            let answer = client.create_agreement(request).await?;
            recorded(context, &client, &make.id, "", answer.detainers_decided, answer.receipt.as_ref()).await
        }
        Command::Amend(make) => {
            let request = pb::AmendAgreementRequest {
                name: names::agreement(&county, &make.id),
                request_id: make.writing.id(),
                validate_only: make.writing.validate_only,
                etag: String::new(),
                terms: Some(make.terms(context, &client, &county).await?),
            };
            let answer = client.amend_agreement(request).await?;
            recorded(context, &client, &make.id, " as amended", answer.detainers_decided, answer.receipt.as_ref()).await
        }
        Command::Terminate(end) => {
            let request = pb::TerminateAgreementRequest {
                name: names::agreement(&county, &end.id),
                request_id: end.writing.id(),
                validate_only: end.writing.validate_only,
                etag: String::new(),
                end_date: Some(time::date(end.end)),
            };
            let answer = client.terminate_agreement(request).await?;
            recorded(context, &client, &end.id, " as ended", answer.detainers_decided, answer.receipt.as_ref()).await
        }
        Command::List { state } => list(context, &client, county, state.map_or(0, i32::from)).await,
        Command::Show { id } => {
            let name = names::agreement(&county, &id);
            let answer = client.get_agreement(pb::GetAgreementRequest { name, ..Default::default() }).await?;
            let zone = context.county_zone(&client, &county).await?;
            output::sheet(context, &sheet(&answer, zone))
        }
    }
}

async fn recorded(
    context: &Context,
    client: &Client,
    id: &str,
    how: &str,
    decided: i64,
    receipt: Option<&pb::Receipt>,
) -> Result<(), Failure> {
    output::recorded(context, client, &format!("Agreement {id}{how}; {decided} open detainers decided again"), receipt).await
}

/// A term in a line.
fn term(terms: &pb::AgreementTerms) -> String {
    let shown = |amount: &Option<pb::Money>| Cell::money(amount.as_ref()).shown(false);
    match terms.term.as_ref().and_then(|term| term.term.as_ref()) {
        None => String::new(),
        Some(Term::AllCosts(_)) => "all costs".to_owned(),
        Some(Term::PerDiem(day)) => format!("{} a day, {}", shown(&day.amount), words::plain_of::<pb::DayCount>(day.day_count)),
        Some(Term::FlatPerHold(flat)) => format!("{} a hold up to {} h", shown(&flat.amount), flat.up_to_hours),
        Some(Term::AfterFirstHours(after)) => format!("costs after {} h", after.hours),
    }
}

async fn list(context: &Context, client: &Client, county: String, state: i32) -> Result<(), Failure> {
    let columns = vec![
        column("agreement", "AGREEMENT"),
        column("state", "STATE"),
        column("start_date", "FROM"),
        column("end_date", "TO"),
        column("term", "PAYS"),
        column("budget", "BUDGET"),
        column("balance", "LEFT"),
        more("reserved"),
        more("spent"),
        more("counterparty"),
        more("instrument"),
    ];
    let mut table = Table::new("", columns, "There is no agreement: nothing guarantees any cost.");
    let zone = context.county_zone(client, &county).await?;
    let mut page_token = String::new();
    loop {
        let request =
            pb::ListAgreementsRequest { parent: county.clone(), page_size: 500, page_token, state, ..Default::default() };
        let page = client.list_agreements(request).await?;
        table.rows.extend(page.agreements.iter().map(row));
        table.about = about(page.as_of_pair.as_ref(), zone);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return output::table(context, &table);
        }
    }
}

fn row(agreement: &pb::Agreement) -> Vec<Cell> {
    let terms = agreement.terms.clone().unwrap_or_default();
    vec![
        Cell::text(names::id(&agreement.name)),
        Cell::word::<pb::AgreementState>(agreement.state),
        Cell::day(terms.start_date.as_ref()),
        Cell::day(terms.end_date.as_ref()),
        Cell::text(term(&terms)),
        Cell::money(terms.budget.as_ref()),
        Cell::money(agreement.balance.as_ref()),
        Cell::money(agreement.reserved.as_ref()),
        Cell::money(agreement.spent.as_ref()),
        Cell::text(terms.counterparty),
        Cell::text(terms.instrument.unwrap_or_default().title),
    ]
}

fn sheet(answer: &pb::GetAgreementResponse, zone: chrono_tz::Tz) -> Sheet {
    let agreement = answer.agreement.clone().unwrap_or_default();
    let terms = agreement.terms.clone().unwrap_or_default();
    let scope = terms.scope.clone().unwrap_or_default();
    let facilities: Vec<&str> = scope.facilities.iter().map(|name| names::id(name)).collect();
    let paper = terms.instrument.clone().unwrap_or_default();
    let mut fields = vec![
        field("agreement", "agreement", Cell::text(names::id(&agreement.name))),
        field("state", "state", Cell::word::<pb::AgreementState>(agreement.state)),
        field("counterparty", "who promises", Cell::text(terms.counterparty.as_str())),
        field("signed_time", "signed", Cell::time(terms.signed_time.as_ref(), zone)),
        field("start_date", "first day covered", Cell::day(terms.start_date.as_ref())),
        field("end_date", "first day not covered", Cell::day(terms.end_date.as_ref())),
        field("term", "pays", Cell::text(term(&terms))),
        field("facilities", "facilities", Cell::text(facilities.join(", "))),
        field("office_codes", "offices", Cell::text(scope.office_codes.join(", "))),
        field("detainer", "detainer", Cell::text(scope.detainer)),
        field("budget", "budget", Cell::money(terms.budget.as_ref())),
        field("reserved", "reserved", Cell::money(agreement.reserved.as_ref())),
        field("spent", "spent", Cell::money(agreement.spent.as_ref())),
        field("balance", "left", Cell::money(agreement.balance.as_ref())),
        field("instrument", "paper", Cell::text(paper.title)),
        field("citation", "cited as", Cell::text(paper.citation)),
        field("terminate_time", "terminated from", Cell::time(agreement.terminate_time.as_ref(), zone)),
        field("etag", "", Cell::text(agreement.etag)),
    ];
    fields.extend(about(answer.as_of_pair.as_ref(), zone));
    Sheet { fields, ..Sheet::default() }
}
