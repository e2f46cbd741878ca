//! A county that never was, loaded through the public calls: for demonstrations, training and tests.
//!
//! Everybody in it is made up and named so. It has the policy history of a county that asked for a federal guarantee
//! from 2014 on and honored always from 2017 on, one agreement that begins and ends in between, some sixty stays of those
//! years ([`history`], imported as history), and a few persons in custody now ([`present`], recorded by ordinary calls).
//!
//! Loading again records nothing: every request id is made of fixed words, and what lies near the present is counted
//! from the instant at which the county was made. To add a stay: a line in [`present`], or a number in [`history`].

pub mod history;
pub mod present;
pub mod show;

use super::Client;
use super::error::ClientError;
use super::ids::steady_id;
use super::import::ImportError;
use super::import::send::{Entry, send};
use crate::pb;
use crate::sheet::{names, time};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// Id of the county.
pub const COUNTY: &str = "rehearsal";
/// Zone of the county and its facilities.
pub const ZONE: Tz = Tz::America__New_York;
/// Ids and names of the facilities.
pub const FACILITIES: [(&str, &str); 2] = [("main-jail", "Rehearsal Main Jail"), ("annex", "Rehearsal Annex")];

/// How far loading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
    /// What is being loaded.
    pub what: &'static str,
}

/// What was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The county, `counties/{county}`.
    pub county: String,
    /// Rows of history recorded now; none where they had been before.
    pub recorded: u64,
    /// Rows of history that had been recorded before.
    pub already_recorded: u64,
}

/// Why the rehearsal county could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// A call failed.
    #[error("{what}: {error}")]
    Call {
        /// What was being loaded.
        what: String,
        /// Why it failed.
        error: ClientError,
    },
    /// The history could not be imported.
    #[error("history: {0}")]
    Import(#[from] ImportError),
    /// A row of the history was refused.
    #[error("history, row {row}: {reason}")]
    Row {
        /// The row.
        row: String,
        /// Why.
        reason: String,
    },
}

/// Loads the county. `administrator` makes county, facilities, rates, policy and agreement; `records` the rest. They may
/// be the same.
///
/// # Errors
/// The first thing that was refused. Loading may be repeated and goes on where it stopped.
pub async fn load(
    administrator: &Client,
    records: &Client,
    mut progress: impl FnMut(Progress),
) -> Result<Loaded, RehearsalError> {
    let rows = history::rows();
    let stays = present::stays();
    let total = SETTINGS + rows.len() + stays.len();
    let mut done = 0;
    let mut step = |what| {
        done += 1;
        progress(Progress { done, total, what });
    };
    let county = names::county(COUNTY);
    let anchor = load_settings(administrator, &mut step).await?;
    let loaded = import(records, &county, rows, &mut || step("stays of 2013 to 2017")).await?;
    for stay in &stays {
        present::record(records, &county, anchor, stay).await.map_err(|error| failed(stay.booking, error))?;
        step("persons in custody now");
    }
    Ok(loaded)
}

/// Loads what stands before any stay: county, facilities, rates, policy history, agreement. Answers the instant at which
/// the county was made, from which the present is counted.
///
/// # Errors
/// The first thing that was refused.
pub async fn load_settings(administrator: &Client, mut step: impl FnMut(&'static str)) -> Result<DateTime<Utc>, RehearsalError> {
    let county = names::county(COUNTY);
    let anchor = make_county(administrator).await?;
    step("county");
    for (id, name) in FACILITIES {
        make_facility(administrator, &county, id, name).await?;
        step("facilities");
    }
    for rate in rates(&county) {
        let what = rate.rate_id.clone();
        administrator.set_rate(rate).await.map_err(|error| failed(&what, error))?;
        step("rates");
    }
    for switch in policy_history(&county) {
        adopt(administrator, switch).await?;
        step("policy history");
    }
    administrator.create_agreement(agreement(&county)).await.map_err(|error| failed("agreement", error))?;
    step("agreement");
    Ok(anchor)
}

/// Steps before the stays: county, facilities, rates, revisions, agreement.
const SETTINGS: usize = 1 + FACILITIES.len() + 3 + 3 + 1;

fn failed(what: &str, error: ClientError) -> RehearsalError {
    RehearsalError::Call { what: what.to_owned(), error }
}

/// The request id of a step: the same at each run.
pub(super) fn request_id(step: &str) -> String {
    steady_id(&["rehearsal county, first edition", step])
}

/// Makes the county, or finds it; answers the instant at which it was made.
async fn make_county(client: &Client) -> Result<DateTime<Utc>, RehearsalError> {
    let request = pb::CreateCountyRequest {
        county_id: COUNTY.to_owned(),
        request_id: request_id("county"),
        display_name: "Rehearsal County (everything here is made up)".to_owned(),
        time_zone: ZONE.name().to_owned(),
        currency_code: "USD".to_owned(),
        release_allowance: Some(prost_types::Duration { seconds: 2 * 3_600, nanos: 0 }),
        ..Default::default()
    };
    let answer = client.create_county(request).await.map_err(|error| failed("county", error))?;
    let made = answer.county.and_then(|county| county.create_time).as_ref().and_then(time::utc);
    made.ok_or_else(|| failed("county", ClientError::Answer("a county without the time it was made".to_owned())))
}

async fn make_facility(client: &Client, county: &str, id: &str, name: &str) -> Result<(), RehearsalError> {
    let request = pb::CreateFacilityRequest {
        parent: county.to_owned(),
        request_id: request_id(id),
        facility_id: id.to_owned(),
        display_name: name.to_owned(),
        time_zone: ZONE.name().to_owned(),
        city: "Rehearsal City".to_owned(),
        ..Default::default()
    };
    client.create_facility(request).await.map(|_| ()).map_err(|error| failed(id, error))
}

fn usd(cents: i64) -> pb::Money {
    pb::Money { currency_code: "USD".to_owned(), cents }
}

fn day(year: i32, month: i32, day: i32) -> Option<pb::Date> {
    Some(pb::Date { year, month, day })
}

/// The first instant of a day in the county's zone.
pub(super) fn midnight(year: i32, month: u32, day: u32) -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(year, month, day).and_then(|day| time::start_of_day(day, ZONE).ok()).unwrap_or(DateTime::UNIX_EPOCH)
}

fn rates(county: &str) -> [pb::SetRateRequest; 3] {
    let rate = |id: &str, facility: &str, from, cents, count: pb::DayCount| pb::SetRateRequest {
        parent: county.to_owned(),
        request_id: request_id(id),
        rate_id: id.to_owned(),
        facility: names::facility(county, facility),
        effective_date: from,
        full_day: Some(usd(cents)),
        marginal_day: Some(usd(cents / 4)),
        day_count: count.into(),
        ..Default::default()
    };
    [
        rate("main-2013", "main-jail", day(2013, 1, 1), 11_300, pb::DayCount::CalendarDay),
        rate("main-2016", "main-jail", day(2016, 1, 1), 12_600, pb::DayCount::Hourly),
        rate("annex-2013", "annex", day(2013, 1, 1), 9_800, pb::DayCount::Midnight),
    ]
}

fn paper(title: &str, citation: &str, date: Option<pb::Date>) -> Option<pb::Instrument> {
    Some(pb::Instrument { title: title.to_owned(), citation: citation.to_owned(), date, sha256: Vec::new() })
}

fn policy_history(county: &str) -> [pb::SwitchPolicyModeRequest; 3] {
    let switch = |id: &str, mode: pb::PolicyMode, from: DateTime<Utc>, adopted: Option<pb::Date>, instrument| {
        pb::SwitchPolicyModeRequest {
            parent: county.to_owned(),
            request_id: request_id(id),
            revision_id: id.to_owned(),
            mode: mode.into(),
            effective_time: Some(time::stamp(from)),
            adopted_date: adopted,
            instrument,
            open_detainers: pb::OpenDetainers::Reevaluate.into(),
            ..Default::default()
        }
    };
    let (practice, resolution, memo) = (day(2011, 1, 1), day(2013, 12, 3), day(2017, 1, 26));
    [
        switch(
            "practice",
            pb::PolicyMode::HonorAlways,
            midnight(2011, 1, 1),
            practice,
            paper("Practice before any resolution (rehearsal)", "", practice),
        ),
        switch(
            "resolution-2013",
            pb::PolicyMode::RequireReimbursementGuarantee,
            midnight(2014, 1, 1),
            resolution,
            paper("Resolution: hold only with a written federal guarantee of all costs (rehearsal)", "RH-1008-13", resolution),
        ),
        switch(
            "memo-2017",
            pb::PolicyMode::HonorAlways,
            midnight(2017, 1, 26),
            memo,
            paper("Memorandum: honor every detainer (rehearsal)", "RH-2017-01", memo),
        ),
    ]
}

/// Adopts a revision unless it is there: a switch quotes an etag that each one changes, so it cannot just be sent again.
async fn adopt(client: &Client, switch: pb::SwitchPolicyModeRequest) -> Result<(), RehearsalError> {
    let id = switch.revision_id.clone();
    let name = names::revision(&switch.parent, &id);
    match client.get_policy_revision(pb::GetPolicyRevisionRequest { name, ..Default::default() }).await {
        Ok(_) => return Ok(()),
        Err(error) if error.is(pb::ErrorReason::ResourceNotFound) => {}
        Err(error) => return Err(failed(&id, error)),
    }
    let now = pb::GetEffectivePolicyRequest { parent: switch.parent.clone(), ..Default::default() };
    let etag = client.get_effective_policy(now).await.map_err(|error| failed(&id, error))?.etag;
    let switch = pb::SwitchPolicyModeRequest { etag, ..switch };
    client.switch_policy_mode(switch).await.map(|_| ()).map_err(|error| failed(&id, error))
}

fn agreement(county: &str) -> pb::CreateAgreementRequest {
    let terms = pb::AgreementTerms {
        instrument: paper("Reimbursement agreement (rehearsal)", "RH-ICE-2015", day(2015, 2, 10)),
        counterparty: "ICE, Rehearsal Field Office".to_owned(),
        signed_time: Some(time::stamp(midnight(2015, 2, 10))),
        start_date: day(2015, 3, 1),
        end_date: day(2016, 3, 1),
        term: Some(pb::PaymentTerm { term: Some(pb::payment_term::Term::AllCosts(pb::AllCosts {})) }),
        budget: Some(usd(5_000_000)),
        filing_window_days: 90,
        ..Default::default()
    };
    pb::CreateAgreementRequest {
        parent: county.to_owned(),
        request_id: request_id("agreement"),
        agreement_id: "ice-2015".to_owned(),
        terms: Some(terms),
        ..Default::default()
    }
}

async fn import(
    client: &Client,
    county: &str,
    rows: Vec<pb::ImportRow>,
    step: &mut dyn FnMut(),
) -> Result<Loaded, RehearsalError> {
    let header = pb::ImportHeader {
        county: county.to_owned(),
        source_name: "rehearsal-history".to_owned(),
        history: true,
        ..Default::default()
    };
    let mut refused = None;
    let entries = futures_util::stream::iter(rows.into_iter().map(|row| Ok(Entry::Row(row, ()))));
    let totals = send(client, header, entries, |answered| {
        step();
        if let (Some(reason), None) = (answered.outcome.reason(), &refused) {
            refused = Some(RehearsalError::Row { row: answered.row_id, reason });
        }
    })
    .await?;
    refused.map_or(Ok(()), Err)?;
    let county = county.to_owned();
    Ok(Loaded { county, recorded: totals.recorded, already_recorded: totals.already_recorded })
}
