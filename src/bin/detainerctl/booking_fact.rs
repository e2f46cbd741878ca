//! Facts about a booking, as policies read them: one at a time, with its time and its source.
//!
//! To add a kind of fact: a flag of [`What`], what goes with it in [`More`], its arm in [`Fact::kind`].

use chrono::NaiveDate;
use clap::Args;
use detainer::client::Client;
use detainer::pb;
use detainer::sheet::{names, time};
use pb::fact::Kind;

use crate::context::{Context, Failure};
use crate::output;
use crate::parse::{In, Told, Writing, cents, day, money};

/// Records a fact.
#[derive(Debug, Args)]
pub struct Fact {
    /// The booking.
    booking: String,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    more: More,
    /// Since when it is so.
    #[arg(long, value_name = "TIME")]
    at: String,
    #[command(flatten)]
    told: Told,
    #[command(flatten)]
    writing: Writing,
}

/// The fact: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct What {
    /// The person claims U.S. citizenship: an immediate duty to look into it.
    #[arg(long)]
    citizenship_claim: bool,
    /// U.S. citizenship is proved: ends any hold.
    #[arg(long)]
    citizenship_proof: bool,
    /// Lawful immigration status is proved: ends any hold, too.
    #[arg(long)]
    lawful_status_proof: bool,
    /// How old the person is, in whole years.
    #[arg(long, value_name = "YEARS")]
    age: Option<i32>,
    /// When the person is expected to be released.
    #[arg(long, value_name = "TIME")]
    expected_release: Option<String>,
    /// Bail that opens the door.
    #[arg(long, value_name = "AMOUNT", value_parser = cents)]
    bail: Option<i64>,
    /// A charge is pending, of these classes in the county's own words, with commas between them.
    #[arg(long, value_name = "CLASS,...", value_delimiter = ',')]
    charge: Vec<String>,
    /// A conviction of these classes, in this booking or an earlier one.
    #[arg(long, value_name = "CLASS,...", value_delimiter = ',')]
    conviction: Vec<String>,
    /// Convicted in this booking.
    #[arg(long)]
    convicted: bool,
    /// A charge of this booking was dismissed.
    #[arg(long)]
    dismissed: bool,
    /// The person was acquitted of a charge of this booking.
    #[arg(long)]
    acquitted: bool,
    /// What is recorded of these is complete: a class that is not recorded counts as no, not as unknown.
    #[arg(long, value_name = "WHAT", value_parser = ["convictions", "charges", "both"])]
    records_checked: Option<String>,
    /// A warrant signed by a judge exists: yes for a federal judge, no for another one.
    #[arg(long, value_name = "FEDERAL")]
    judicial_warrant: Option<In<pb::TriState>>,
    /// A paper or judicial act in connection with the detainer.
    #[arg(long, value_name = "KIND")]
    paper: Option<In<pb::PaperKind>>,
    /// History or status that policies ask for.
    #[arg(long, value_name = "KIND")]
    status: Option<In<pb::StatusKind>>,
    /// In hospital from --at on. Custody goes on, and so does the clock.
    #[arg(long)]
    hospital: bool,
}

/// What goes with some of them.
#[derive(Debug, Args)]
#[command(next_help_heading = "What goes with some facts")]
pub struct More {
    /// Of a charge: whether a magistrate found probable cause.
    #[arg(long, value_name = "ANSWER")]
    magistrate_found: Option<In<pb::TriState>>,
    /// Of a charge: whether bail was granted on it.
    #[arg(long, value_name = "ANSWER")]
    bail_granted: Option<In<pb::TriState>>,
    /// Of a conviction: when.
    #[arg(long, value_name = "DAY", value_parser = day)]
    convicted_on: Option<NaiveDate>,
    /// Of a conviction: when the person was released from that sentence.
    #[arg(long, value_name = "DAY", value_parser = day)]
    released_on: Option<NaiveDate>,
    /// Of a conviction: the sentence is being served now.
    #[arg(long)]
    serving: bool,
    /// Of a conviction: written proof is at hand.
    #[arg(long)]
    written_proof: bool,
    /// Of a conviction: it was in this booking.
    #[arg(long)]
    in_this_booking: bool,
    /// Of a status: whether it is so; unknown takes back an earlier statement.
    #[arg(long, value_name = "ANSWER")]
    is: Option<In<pb::TriState>>,
    /// Of a status: the registries, watch lists or classes of warrant it speaks of.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    lists: Vec<String>,
    /// Of an order of removal: who signed it.
    #[arg(long, value_name = "WHO")]
    signed_by: Option<In<pb::OrderSigner>>,
}

fn answer(told: Option<In<pb::TriState>>) -> i32 {
    told.map_or_else(|| pb::TriState::Unknown.into(), i32::from)
}

/// Asks to record it.
pub async fn record(context: &Context, client: &Client, county: &str, fact: Fact) -> Result<(), Failure> {
    fact.belongs_together()?;
    let name = names::booking(county, &fact.booking);
    let at = context.booking_time(client, &name, &fact.at).await?;
    let kind = fact.kind(context, client, county, at).await?;
    let recorded = pb::Fact {
        fact_id: String::new(),
        effective_time: Some(time::stamp(at)),
        source: Some(fact.told.source()),
        kind: Some(kind),
    };
    let request = pb::UpdateFactsRequest {
        name,
        request_id: fact.writing.id(),
        validate_only: fact.writing.validate_only,
        etag: String::new(),
        facts: vec![recorded],
    };
    let answer = client.update_facts(request).await?;
    output::recorded(context, client, &format!("Fact; {} decisions followed", answer.decisions.len()), answer.receipt.as_ref())
        .await
}

impl Fact {
    /// Refuses what goes with another fact. The command line's own reader asks for nothing that something else excludes.
    fn belongs_together(&self) -> Result<(), Failure> {
        let (what, more) = (&self.what, &self.more);
        let charge = more.magistrate_found.is_some() || more.bail_granted.is_some();
        let dates = more.convicted_on.is_some() || more.released_on.is_some();
        let conviction = dates || more.serving || more.written_proof || more.in_this_booking;
        let status = more.is.is_some() || !more.lists.is_empty() || more.signed_by.is_some();
        let refused = |why: &str| Err(Failure::Usage(why.to_owned()));
        match () {
            () if charge && what.charge.is_empty() => refused("--magistrate-found and --bail-granted go with --charge"),
            () if conviction && what.conviction.is_empty() => {
                refused("--convicted-on, --released-on, --serving, --written-proof and --in-this-booking go with --conviction")
            }
            () if status && what.status.is_none() => refused("--is, --lists and --signed-by go with --status"),
            () if what.status.is_some() && more.is.is_none() => refused("--status needs --is: yes, no or unknown"),
            () => Ok(()),
        }
    }

    async fn kind(
        &self,
        context: &Context,
        client: &Client,
        county: &str,
        at: chrono::DateTime<chrono::Utc>,
    ) -> Result<Kind, Failure> {
        let what = &self.what;
        if let Some(amount) = what.bail {
            let answer = client.get_county(pb::GetCountyRequest { name: county.to_owned(), as_of: None }).await?;
            let currency = answer.county.unwrap_or_default().currency_code;
            return Ok(Kind::Bail(pb::BailFact { amount: Some(money(&currency, amount)) }));
        }
        if let Some(text) = &what.expected_release {
            let booking = names::booking(county, &self.booking);
            let release = context.booking_time(client, &booking, text).await?;
            let expected = Some(pb::expected_release_fact::Expected::ReleaseTime(time::stamp(release)));
            return Ok(Kind::ExpectedRelease(pb::ExpectedReleaseFact { expected, given_out: false }));
        }
        Ok(self.history().unwrap_or_else(|| self.event(at)))
    }

    /// What policies ask about.
    fn history(&self) -> Option<Kind> {
        let (what, more) = (&self.what, &self.more);
        if !what.charge.is_empty() {
            return Some(Kind::Charge(pb::ChargeFact {
                offense_classes: what.charge.clone(),
                description_code: String::new(),
                magistrate_found_probable_cause: answer(more.magistrate_found),
                bail_granted: answer(more.bail_granted),
            }));
        }
        if !what.conviction.is_empty() {
            return Some(Kind::Conviction(pb::ConvictionFact {
                offense_classes: what.conviction.clone(),
                conviction_date: more.convicted_on.map(time::date),
                release_date: more.released_on.map(time::date),
                serving_now: more.serving,
                proof_in_writing: more.written_proof,
                in_this_booking: more.in_this_booking,
            }));
        }
        let checked = what.records_checked.as_deref().map(|checked| pb::RecordsCheckFact {
            convictions_complete: checked != "charges",
            charges_complete: checked != "convictions",
        });
        let warrant = |federal: In<pb::TriState>| pb::JudicialWarrantFact { federal: federal.into(), ..Default::default() };
        let paper = |kind: In<pb::PaperKind>| pb::PaperFact { paper: kind.into(), ..Default::default() };
        let status = |kind: In<pb::StatusKind>| pb::StatusFact {
            status: kind.into(),
            value: answer(more.is),
            signed_by: more.signed_by.map_or(0, i32::from),
            lists: more.lists.clone(),
        };
        let kinds = [
            what.age.map(|years| Kind::Age(pb::AgeFact { years })),
            checked.map(Kind::RecordsCheck),
            what.judicial_warrant.map(|federal| Kind::JudicialWarrant(warrant(federal))),
            what.paper.map(|kind| Kind::Paper(paper(kind))),
            what.status.map(|kind| Kind::Status(status(kind))),
        ];
        kinds.into_iter().flatten().next()
    }

    /// What happens to the person.
    fn event(&self, at: chrono::DateTime<chrono::Utc>) -> Kind {
        let what = &self.what;
        let proof = |proved: pb::StatusProofKind| Kind::StatusProof(pb::StatusProofFact { proved: proved.into() });
        let ended = |disposition: pb::Disposition| {
            Kind::Disposition(pb::DispositionFact { disposition: disposition.into(), charge_fact_id: String::new() })
        };
        let hospital = pb::HospitalizationFact { start_time: Some(time::stamp(at)), end_time: None };
        match () {
            () if what.citizenship_claim => Kind::CitizenshipClaim(pb::CitizenshipClaimFact {}),
            () if what.citizenship_proof => proof(pb::StatusProofKind::Citizenship),
            () if what.lawful_status_proof => proof(pb::StatusProofKind::LawfulStatus),
            () if what.convicted => Kind::Conviction(pb::ConvictionFact { in_this_booking: true, ..Default::default() }),
            () if what.hospital => Kind::Hospitalization(hospital),
            () if what.acquitted => ended(pb::Disposition::Acquitted),
            () => ended(pb::Disposition::Dismissed),
        }
    }
}
