//! Claims: what agreements owe, asked for in portions, and what became of it.

use chrono::NaiveDate;
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use detainer::client::Client;
use detainer::client::report::What;
use detainer::pb;
use detainer::sheet::table::{Cell, Format, Kind, Sheet, Table, about, column, field};
use detainer::sheet::{names, reports, time};
use pb::ClaimAct as Act;

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::{In, Told, Writing, as_of, day, money, signed_cents};
use crate::report::{Out, told};

/// What to do with claims.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Put a claim together of what an agreement owes and no claim took yet.
    ///
    /// Example: detainerctl claim create ice-2018 --through 2018-01-31 --try
    Create(Create),
    /// It was sent to who owes it.
    ///
    /// Example: detainerctl claim bill ice-2018-1 --on 2018-02-05 --reference INV-1
    Bill(Whole),
    /// Money came. It takes from what is open, then from what is disputed, then from what is denied.
    ///
    /// Example: detainerctl claim pay ice-2018-1 --amount 15000.00 --on 2018-03-05 --source federal-agency --reference EFT-771
    Pay(Part),
    /// A part was refused. It takes from what is disputed, where a denial is upheld, then from what is open.
    ///
    /// Example: detainerctl claim deny ice-2018-1 --amount 300.00 --source federal-agency --reference LETTER-12
    Deny(Part),
    /// The county contests the refusal of a part.
    ///
    /// Example: detainerctl claim dispute ice-2018-1 --amount 300.00 --reference LETTER-13
    Dispute(Part),
    /// The county gives up a part. It takes from what is denied, then from what is disputed, then from what is open.
    ///
    /// Example: detainerctl claim write-off ice-2018-1 --amount 300.00 --source county-authority --reference R-22-18
    WriteOff(Part),
    /// Take back the agreement's last claim, which was not billed: its lines go to the next.
    ///
    /// Example: detainerctl claim withdraw ice-2018-2
    Withdraw(Whole),
    /// Undo an entry that was recorded by mistake: a payment, denial, dispute or write-off. Both entries stay.
    ///
    /// Example: detainerctl claim undo ice-2018-1 4 --reference EFT-771
    Undo(Undo),
    /// Show a claim with its balance and its entries.
    ///
    /// Example: detainerctl claim show ice-2018-1
    Show(Named),
    /// The lines of a claim, checked against the digest that it carries.
    ///
    /// Example: detainerctl claim lines ice-2018-1 --out lines.csv
    Lines(Lines),
    /// List claims, by agreement and days.
    ///
    /// Example: detainerctl claim list --state billed
    List(List),
    /// What each agreement owes and what became of it, with what is outstanding by days since it was billed.
    ///
    /// Example: detainerctl claim report --date 2018-06-30
    Report(Report),
    /// Holds that were not billed and whose last day to file is near, or has passed.
    ///
    /// Example: detainerctl claim due --within 30
    Due(Due),
}

/// Puts a claim together.
#[derive(Debug, Args)]
pub struct Create {
    /// The agreement that owes it.
    agreement: String,
    /// The last day that it reaches; it is over in every facility.
    #[arg(long, value_name = "DAY", value_parser = day)]
    through: NaiveDate,
    /// The claim's id. Left out: the agreement's and a number.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    id: String,
    #[command(flatten)]
    writing: Writing,
}

/// What happened, when, and where that is known from.
#[derive(Debug, Args)]
pub struct Happened {
    /// When it happened. Left out: now.
    #[arg(long, value_name = "TIME")]
    on: Option<String>,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

/// Something that happened to a whole claim.
#[derive(Debug, Args)]
pub struct Whole {
    /// The claim.
    claim: String,
    #[command(flatten)]
    happened: Happened,
}

/// Something that happened to a part of a claim.
#[derive(Debug, Args)]
pub struct Part {
    /// The claim.
    claim: String,
    /// How much of it. Below zero where the claim is.
    #[arg(long, value_name = "AMOUNT", value_parser = signed_cents, allow_negative_numbers = true)]
    amount: i64,
    #[command(flatten)]
    happened: Happened,
}

/// Undoes an entry.
#[derive(Debug, Args)]
pub struct Undo {
    /// The claim.
    claim: String,
    /// The number of the entry, as `claim show` tells it.
    entry: i32,
    #[command(flatten)]
    happened: Happened,
}

/// A claim.
#[derive(Debug, Args)]
pub struct Named {
    /// The claim.
    claim: String,
    /// What was known: a sequence number, or a time.
    #[arg(long, value_name = "NUMBER|TIME")]
    as_of: Option<String>,
}

/// The lines of a claim.
#[derive(Debug, Args)]
pub struct Lines {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    out: Out,
}

/// Claims.
#[derive(Debug, Args)]
pub struct List {
    /// Only of this agreement.
    #[arg(long, value_name = "AGREEMENT")]
    agreement: Option<String>,
    /// Only those that stand here.
    #[arg(long, value_name = "STATE")]
    state: Option<In<pb::ClaimState>>,
    /// What was known: a sequence number, or a time.
    #[arg(long, value_name = "NUMBER|TIME")]
    as_of: Option<String>,
    #[command(flatten)]
    out: Out,
}

/// What agreements owe.
#[derive(Debug, Args)]
pub struct Report {
    /// The day that ages are counted to, in the county's zone. Left out: today, or the day of --as-of.
    #[arg(long, value_name = "DAY", value_parser = day)]
    date: Option<NaiveDate>,
    /// What was known: a sequence number, or a time.
    #[arg(long, value_name = "NUMBER|TIME")]
    as_of: Option<String>,
    #[command(flatten)]
    out: Out,
}

/// Holds that have to be claimed soon.
#[derive(Debug, Args)]
pub struct Due {
    /// Those whose last day to file is at most so many days ahead.
    #[arg(long, value_name = "DAYS", default_value_t = 14)]
    within: i32,
    /// The day asked about, in the county's zone. Left out: today, or the day of --as-of.
    #[arg(long, value_name = "DAY", value_parser = day)]
    date: Option<NaiveDate>,
    /// What was known: a sequence number, or a time.
    #[arg(long, value_name = "NUMBER|TIME")]
    as_of: Option<String>,
    #[command(flatten)]
    out: Out,
}

/// Where a command is carried out.
struct Desk<'a> {
    context: &'a Context,
    client: Client,
    county: String,
    zone: Tz,
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let county = context.county(&client).await?;
    let zone = context.county_zone(&client, &county).await?;
    let desk = Desk { context, client, county, zone };
    match command {
        Command::Create(make) => desk.create(&make).await,
        Command::Bill(whole) => desk.enter(&whole.claim, Act::Billed, None, 0, &whole.happened).await,
        Command::Withdraw(whole) => desk.enter(&whole.claim, Act::Withdrawn, None, 0, &whole.happened).await,
        Command::Pay(part) => desk.part(Act::Paid, &part).await,
        Command::Deny(part) => desk.part(Act::Denied, &part).await,
        Command::Dispute(part) => desk.part(Act::Disputed, &part).await,
        Command::WriteOff(part) => desk.part(Act::WrittenOff, &part).await,
        Command::Undo(undo) => desk.undo(&undo).await,
        Command::Show(named) => desk.show(&named).await,
        Command::Lines(lines) => {
            let what = What::ClaimLines { claim: names::claim(&desk.county, &lines.named.claim), zone };
            desk.told(&what, lines.named.as_of.as_deref(), &lines.out).await
        }
        Command::List(list) => {
            let agreement = list.agreement.as_deref().map(|id| names::agreement(&desk.county, id)).unwrap_or_default();
            let what = What::Claims { agreement, state: list.state.map_or_else(pb::ClaimState::default, |state| state.0), zone };
            desk.told(&what, list.as_of.as_deref(), &list.out).await
        }
        Command::Report(report) => {
            let what = What::ClaimReport { date: report.date.map(time::date) };
            desk.told(&what, report.as_of.as_deref(), &report.out).await
        }
        Command::Due(due) => {
            let what = What::UnclaimedHolds { date: due.date.map(time::date), within_days: due.within, zone };
            desk.told(&what, due.as_of.as_deref(), &due.out).await
        }
    }
}

impl Desk<'_> {
    async fn create(&self, make: &Create) -> Result<(), Failure> {
        let end =
            make.through.succ_opt().ok_or_else(|| Failure::Usage(format!("--through {}: no day after it", make.through)))?;
        let request = pb::CreateClaimRequest {
            parent: self.county.clone(),
            request_id: make.writing.id(),
            validate_only: make.writing.validate_only,
            agreement: names::agreement(&self.county, &make.agreement),
            end_date: Some(time::date(end)),
            claim_id: make.id.clone(),
        };
        let answer = self.client.create_claim(request).await?;
        let claim = answer.claim.unwrap_or_default();
        let mut what = format!(
            "Claim {} of {} in {} lines of {} holds",
            names::id(&claim.name),
            Cell::money(claim.claimed.as_ref()).shown(false),
            claim.line_count,
            claim.hold_count
        );
        if claim.expired_line_count > 0 {
            let expired = Cell::money(claim.expired.as_ref()).shown(false);
            what += &format!("; {} lines of {expired} came too late", claim.expired_line_count);
        }
        output::recorded(self.context, &self.client, &what, answer.receipt.as_ref()).await
    }

    async fn part(&self, act: Act, part: &Part) -> Result<(), Failure> {
        self.enter(&part.claim, act, Some(part.amount), 0, &part.happened).await
    }

    /// The act of an entry is that of what it undoes.
    async fn undo(&self, undo: &Undo) -> Result<(), Failure> {
        let name = names::claim(&self.county, &undo.claim);
        let known = self.client.get_claim(pb::GetClaimRequest { name, as_of: None }).await?.claim.unwrap_or_default();
        let Some(entry) = known.entries.iter().find(|entry| entry.number == undo.entry) else {
            return Err(Failure::Usage(format!("claim {} has no entry {}", undo.claim, undo.entry)));
        };
        self.enter(&undo.claim, entry.act(), None, undo.entry, &undo.happened).await
    }

    async fn enter(&self, id: &str, act: Act, cents: Option<i64>, undoes: i32, happened: &Happened) -> Result<(), Failure> {
        let name = names::claim(&self.county, id);
        let amount = match cents {
            None => None,
            Some(cents) => Some(money(&self.currency().await?, cents)),
        };
        let effective = happened.on.as_deref().map(|text| time::read(text, self.zone, self.context.now())).transpose()?;
        let request = pb::UpdateClaimRequest {
            name,
            request_id: happened.writing.id(),
            validate_only: happened.writing.validate_only,
            etag: String::new(),
            act: act.into(),
            amount,
            effective_time: effective.map(time::stamp),
            source: Some(happened.told.source()),
            undoes,
        };
        let answer = self.client.update_claim(request).await?;
        let claim = answer.claim.unwrap_or_default();
        let done = match undoes {
            0 => detainer::sheet::words::word(act).replace('-', " "),
            entry => format!("entry {entry} undone"),
        };
        let balance = claim.balance.clone().unwrap_or_default();
        let left = Cell::money(balance.outstanding.as_ref()).shown(false);
        let what = match claim.state() {
            pb::ClaimState::Withdrawn => format!("Claim {id} {done}: its lines go to the next claim"),
            state => {
                let state = Cell::word::<pb::ClaimState>(state.into()).shown(false);
                format!("Claim {id} {done}; it is now {state}, {left} outstanding")
            }
        };
        output::recorded(self.context, &self.client, &what, answer.receipt.as_ref()).await
    }

    async fn currency(&self) -> Result<String, Failure> {
        let known = self.client.get_county(pb::GetCountyRequest { name: self.county.clone(), as_of: None }).await?;
        Ok(known.county.unwrap_or_default().currency_code)
    }

    async fn show(&self, named: &Named) -> Result<(), Failure> {
        let as_of = as_of(named.as_of.as_deref(), self.zone, self.context.now())?;
        let name = names::claim(&self.county, &named.claim);
        let answer = self.client.get_claim(pb::GetClaimRequest { name, as_of }).await?;
        output::sheet(self.context, &sheet(&answer, self.zone))
    }

    /// Rows of claims: to a file, or on the terminal.
    async fn told(&self, what: &What, text: Option<&str>, out: &Out) -> Result<(), Failure> {
        let as_of = as_of(text, self.zone, self.context.now())?;
        let query = pb::ReportQuery { county: self.county.clone(), as_of, ..pb::ReportQuery::default() };
        let Some((table, end)) = told(self.context, &self.client, what, query, out).await? else { return Ok(()) };
        let about = about(end.manifest.as_of_pair.as_ref(), self.zone);
        if matches!(what, What::ClaimReport { .. }) && self.context.look().format == Format::Table && !table.rows.is_empty() {
            let parts = reports::claim_report::for_screens(&table).map(|part| ("rows", part));
            let notes = vec![format!("{}.", end.manifest.zone_rule)];
            output::sheet(self.context, &Sheet { parts: parts.to_vec(), notes, ..Sheet::default() })?;
            return output::sheet(self.context, &Sheet { fields: about, ..Sheet::default() });
        }
        output::table(self.context, &Table { about, ..table })
    }
}

fn sheet(answer: &pb::GetClaimResponse, zone: Tz) -> Sheet {
    let claim = answer.claim.clone().unwrap_or_default();
    let balance = claim.balance.clone().unwrap_or_default();
    let amount = |money: &Option<pb::Money>| Cell::money(money.as_ref());
    let mut fields = vec![
        field("claim", "claim", Cell::text(names::id(&claim.name))),
        field("agreement", "owed by agreement", Cell::text(names::id(&claim.agreement))),
        field("state", "state", Cell::word::<pb::ClaimState>(claim.state)),
        field("start_date", "first day", Cell::day(claim.start_date.as_ref())),
        field("end_date", "first day not in it", Cell::day(claim.end_date.as_ref())),
        field("create_time", "put together", Cell::time(claim.create_time.as_ref(), zone)),
        field("bill_time", "billed", Cell::time(claim.bill_time.as_ref(), zone)),
        field("line_count", "lines", Cell::Int(claim.line_count)),
        field("hold_count", "holds", Cell::Int(claim.hold_count)),
        field("claimed", "claimed", amount(&claim.claimed)),
        field("adjustments", "of it adjustments", amount(&claim.adjustments)),
        field("expired_line_count", "lines too late", Cell::Int(claim.expired_line_count)),
        field("expired", "too late, not claimed", amount(&claim.expired)),
        field("paid", "paid", amount(&balance.paid)),
        field("written_off", "given up", amount(&balance.written_off)),
        field("outstanding", "outstanding", amount(&balance.outstanding)),
        field("open", "of it open", amount(&balance.open)),
        field("denied", "of it denied", amount(&balance.denied)),
        field("disputed", "of it disputed", amount(&balance.disputed)),
        field("sequence", "rests on record", Cell::Int(claim.sequence)),
        field("lines_sha256", "", Cell::text(hex::encode(&claim.lines_sha256))),
        field("etag", "", Cell::text(claim.etag.as_str())),
    ];
    fields.extend(about(answer.as_of_pair.as_ref(), zone));
    Sheet { fields, parts: vec![("entries", entries(&claim, zone))], ..Sheet::default() }
}

fn entries(claim: &pb::Claim, zone: Tz) -> Table {
    let columns = vec![
        column("number", "ENTRY").of(Kind::Int),
        column("act", "WHAT"),
        column("amount", "AMOUNT").of(Kind::Money),
        column("effective_time", "WHEN").of(Kind::Time),
        column("source", "KNOWN FROM"),
        column("reference", "REFERENCE"),
        column("undoes", "UNDOES").of(Kind::Int),
        column("sequence", "RECORD").of(Kind::Int),
    ];
    let mut table = Table::new("", columns, "");
    table.rows = claim
        .entries
        .iter()
        .map(|entry| {
            let source = entry.source.clone().unwrap_or_default();
            vec![
                Cell::Int(i64::from(entry.number)),
                Cell::word::<pb::ClaimAct>(entry.act),
                Cell::money(entry.amount.as_ref()),
                Cell::time(entry.effective_time.as_ref(), zone),
                Cell::word::<pb::SourceKind>(source.kind),
                Cell::text(source.reference),
                if entry.undoes == 0 { Cell::Empty } else { Cell::Int(i64::from(entry.undoes)) },
                Cell::Int(entry.sequence),
            ]
        })
        .collect();
    table
}
