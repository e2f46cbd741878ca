//! Closing periods, claiming what agreements owe, and recording what became of it.

use super::super::booking::PostingCause;
use super::super::claim::{BadAct, Claim, ClaimAct, ClaimEntry};
use super::super::command::{NewClaim, NewEntry};
use super::super::county::County;
use super::super::event::{ClaimEntered, Event};
use super::super::ids::{AgreementId, ClaimId};
use super::super::money::Cents;
use super::super::period::PeriodClose;
use super::super::refusal::{Refusal, Why};
use super::super::time::{Date, Instant};
use super::county::{Affected, CountyAnswer};
use super::{Context, missing, not_before};

/// Closes all days before one. Custody that goes on across it is posted up to it in the same transaction.
pub(super) fn close_period(county: &County, end: Date, ctx: &Context) -> Result<CountyAnswer, Refusal> {
    match county.open_from() {
        Some(open) if open == end => return Ok(CountyAnswer::default()),
        Some(open) if end < open => {
            let detail = format!("the days before {open} are closed already: the next close ends later");
            return Err(Refusal::new(Why::PeriodClosed, "end_date", detail));
        }
        _ => {}
    }
    over("end_date", county, end, ctx.now)?;
    let close = PeriodClose { end, closed: ctx.now, seq: ctx.seq, actor: ctx.actor.clone(), person: ctx.person.clone() };
    let affected = Affected {
        open_detainers: false,
        since: Instant::FAR,
        costs_since: Some((end, Vec::new())),
        trigger: None,
        cause: PostingCause::PeriodClosed,
    };
    Ok(CountyAnswer { events: vec![Event::PeriodClosed(close)], affected: Some(affected), proposed: None })
}

/// Refuses a day before which not all days are over everywhere.
fn over(field: &str, county: &County, end: Date, now: Instant) -> Result<(), Refusal> {
    let begun = county.begun_everywhere(end);
    if begun > now {
        let detail = format!("the day before {end} is over in every facility at {begun} only: name a day that has begun");
        return Err(Refusal::new(Why::PeriodNotOver, field, detail));
    }
    Ok(())
}

/// The claims of an agreement that were not taken back, in order.
pub fn claims_of<'a>(county: &'a County, agreement: &AgreementId) -> Vec<&'a Claim> {
    let mut claims: Vec<&Claim> =
        county.claims.values().filter(|claim| claim.agreement == *agreement && !claim.is_withdrawn()).collect();
    claims.sort_by_key(|claim| (claim.end, claim.through));
    claims
}

pub(super) fn claim(county: &County, new: &NewClaim, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let agreement = county.agreements.get(&new.agreement).ok_or_else(|| missing("agreement", new.agreement.as_str()))?;
    let last = claims_of(county, &new.agreement).pop();
    let id = match &new.id {
        Some(id) => id.clone(),
        None => free_id(county, &new.agreement),
    };
    if county.claims.contains_key(&id) {
        return Err(Refusal::new(Why::IdTaken, "claim_id", format!("claim {id} exists already")));
    }
    if last.map(|claim| &claim.id) != new.last.as_ref() {
        let detail = "another claim of this agreement was made or withdrawn in between: ask again";
        return Err(Refusal::new(Why::StaleEtag, "agreement", detail));
    }
    if let Some(last) = last.filter(|last| new.end < last.end) {
        let detail = format!("claim {} reaches to {}: the next one reaches as far or farther", last.id, last.end);
        return Err(Refusal::new(Why::ClaimOutOfOrder, "end_date", detail));
    }
    over("end_date", county, new.end, ctx.now)?;
    if new.lines.count == 0 {
        let detail = match new.lines.expired_count {
            0 => "nothing of this agreement is left to be claimed up to that day".to_owned(),
            n => format!("nothing is left to be claimed in time up to that day; {n} lines, {}, came too late", new.lines.expired),
        };
        return Err(Refusal::new(Why::NothingToClaim, "end_date", detail));
    }
    Ok(vec![Event::ClaimMade(Claim {
        id,
        agreement: new.agreement.clone(),
        start: last.map(|last| last.end),
        end: new.end,
        through: new.through,
        after: last.map_or(0, |last| last.through),
        window_days: agreement.filing_window_days,
        lines: new.lines,
        made: ctx.now,
        actor: ctx.actor.clone(),
        person: ctx.person.clone(),
        entries: Vec::new(),
        seq: ctx.seq,
    })])
}

/// The agreement's id and a number: how many claims it had, those withdrawn among them, and one more.
fn free_id(county: &County, agreement: &AgreementId) -> ClaimId {
    // An id has at most 64 characters.
    let stem = if agreement.as_str().len() > 52 { "claim" } else { agreement.as_str() };
    let known = county.claims.values().filter(|claim| claim.agreement == *agreement).count();
    let mut n = known + 1;
    loop {
        let id = ClaimId::trusted(&format!("{stem}-{n}"));
        if !county.claims.contains_key(&id) {
            return id;
        }
        n += 1;
    }
}

pub(super) fn enter(county: &County, id: &ClaimId, new: &NewEntry, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let claim = county.claims.get(id).ok_or_else(|| missing("claim", id.as_str()))?;
    let at = new.at.unwrap_or(ctx.now);
    ctx.not_ahead("effective_time", at)?;
    let (floor, what) = match claim.billed() {
        Some(billed) => (billed, "the claim was billed"),
        None => (claim.made, "the claim was made"),
    };
    claim.check(new.act, new.amount, new.undoes).map_err(|bad| refused(&bad))?;
    if !ctx.history {
        not_before("effective_time", at, floor, what)?;
    }
    if new.act == ClaimAct::Withdrawn
        && let Some(last) = claims_of(county, &claim.agreement).pop().filter(|last| last.id != *id)
    {
        let detail = format!("claim {} was made after it and rests on it: withdraw that one first", last.id);
        return Err(Refusal::new(Why::ClaimState, "name", detail));
    }
    let n = u32::try_from(claim.entries.len()).unwrap_or(u32::MAX).saturating_add(1);
    let entry = ClaimEntry {
        n,
        act: new.act,
        amount: new.amount.unwrap_or(Cents::ZERO),
        at: ctx.moment().stamp(at),
        source: new.source.clone(),
        actor: ctx.actor.clone(),
        person: ctx.person.clone(),
        undoes: new.undoes,
    };
    Ok(vec![Event::ClaimEntered(ClaimEntered { claim: id.clone(), entry })])
}

fn refused(bad: &BadAct) -> Refusal {
    let (why, field) = match bad {
        BadAct::NotBilled | BadAct::AlreadyBilled | BadAct::Withdrawn | BadAct::RestsOn(_) => (Why::ClaimState, "act"),
        BadAct::TooMuch { .. } => (Why::ClaimState, "amount"),
        BadAct::Amount(_) | BadAct::NoAmount => (Why::Invalid, "amount"),
        BadAct::NoEntry(_) => (Why::Invalid, "undoes"),
        BadAct::Overflow(_) => (Why::AmountTooLarge, "amount"),
    };
    Refusal::new(why, field, bad.to_string())
}
