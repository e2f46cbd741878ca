//! Claims and closed periods. The lines of a claim are read from postings up to one record, which never change, and handed
//! to the ledger added up; whether they make a claim is for the domain to say.

mod owed;

use super::super::agreements::agreement;
use super::super::auth::Principal;
use super::super::error;
use super::super::names::{self, of};
use super::super::paging::{Page, Resume};
use super::super::time::{Fields, receipt, stamp, wire_date, wire_interval, wire_money, wire_pair, wire_source};
use super::super::{Api, write};
use super::NAMES;
use super::stays::PART;
use crate::domain::claim::lines::{self as claims, Account, ClaimLine, Kind, Reach};
use crate::domain::claim::{Claim, ClaimAct, ClaimLines, ClaimState};
use crate::domain::command::{CountyCommand, NewClaim, NewEntry};
use crate::domain::county::County;
use crate::domain::decide::claims_of;
use crate::domain::ids::{AgreementId, BookingId, ClaimId};
use crate::domain::money::{Cents, Overflow};
use crate::domain::period::PeriodClose;
use crate::domain::time::Date;
use crate::ledger::{AsOf, Command};
use crate::pb::{self, ErrorReason};
use crate::report::{load, select};
use chrono::Datelike as _;
use std::collections::{BTreeMap, VecDeque};
use tonic::Status;

fn overflow(_: Overflow) -> Status {
    error::status(ErrorReason::AmountOverflow, "a sum is larger than 64-bit cents can hold")
}

fn contradicts<E: std::fmt::Display>(error: E) -> Status {
    tracing::error!(%error, "a claim whose entries contradict each other");
    error::status(ErrorReason::Internal, "a defect of the server; its log has more")
}

fn wire_state(state: ClaimState) -> pb::ClaimState {
    match state {
        ClaimState::Assembled => pb::ClaimState::Assembled,
        ClaimState::Billed => pb::ClaimState::Billed,
        ClaimState::PartlySettled => pb::ClaimState::PartlySettled,
        ClaimState::Settled => pb::ClaimState::Settled,
        ClaimState::Withdrawn => pb::ClaimState::Withdrawn,
    }
}

fn wire_act(act: ClaimAct) -> pb::ClaimAct {
    match act {
        ClaimAct::Billed => pb::ClaimAct::Billed,
        ClaimAct::Paid => pb::ClaimAct::Paid,
        ClaimAct::Denied => pb::ClaimAct::Denied,
        ClaimAct::Disputed => pb::ClaimAct::Disputed,
        ClaimAct::WrittenOff => pb::ClaimAct::WrittenOff,
        ClaimAct::Withdrawn => pb::ClaimAct::Withdrawn,
    }
}

fn read_act(fields: &mut Fields, act: i32) -> Option<ClaimAct> {
    let act = match pb::ClaimAct::try_from(act) {
        Ok(pb::ClaimAct::Billed) => Some(ClaimAct::Billed),
        Ok(pb::ClaimAct::Paid) => Some(ClaimAct::Paid),
        Ok(pb::ClaimAct::Denied) => Some(ClaimAct::Denied),
        Ok(pb::ClaimAct::Disputed) => Some(ClaimAct::Disputed),
        Ok(pb::ClaimAct::WrittenOff) => Some(ClaimAct::WrittenOff),
        Ok(pb::ClaimAct::Withdrawn) => Some(ClaimAct::Withdrawn),
        Ok(pb::ClaimAct::Unspecified) | Err(_) => None,
    };
    if act.is_none() {
        fields.bad("act", "must be BILLED, PAID, DENIED, DISPUTED, WRITTEN_OFF or WITHDRAWN");
    }
    act
}

fn wire_claim(county: &County, claim: &Claim) -> Result<pb::Claim, Status> {
    let money = |cents: Cents| Some(wire_money(cents, &county.profile.currency));
    let balance = claim.balance().map_err(contradicts)?;
    let entry = |entry: &crate::domain::claim::ClaimEntry| pb::ClaimEntry {
        number: i32::try_from(entry.n).unwrap_or(i32::MAX),
        act: wire_act(entry.act).into(),
        amount: money(entry.amount).filter(|_| entry.amount != Cents::ZERO),
        effective_time: Some(stamp(entry.at.effective)),
        record_time: Some(stamp(entry.at.recorded)),
        source: Some(wire_source(&entry.source)),
        undoes: entry.undoes.map_or(0, |n| i32::try_from(n).unwrap_or(i32::MAX)),
        sequence: entry.at.seq,
    };
    Ok(pb::Claim {
        name: of::claim(&county.id, &claim.id),
        etag: claim.seq.to_string(),
        agreement: of::agreement(&county.id, &claim.agreement),
        start_date: claim.start.map(wire_date),
        end_date: Some(wire_date(claim.end)),
        sequence: claim.through,
        create_time: Some(stamp(claim.made)),
        state: wire_state(claim.state().map_err(contradicts)?).into(),
        claimed: money(claim.lines.claimed),
        adjustments: money(claim.lines.adjustments),
        line_count: claim.lines.count.into(),
        hold_count: claim.lines.holds.into(),
        expired_line_count: claim.lines.expired_count.into(),
        expired: money(claim.lines.expired),
        bill_time: claim.billed().map(stamp),
        balance: Some(pb::ClaimBalance {
            paid: money(balance.paid),
            written_off: money(balance.written_off),
            outstanding: money(balance.outstanding().map_err(overflow)?),
            open: money(balance.open),
            denied: money(balance.denied),
            disputed: money(balance.disputed),
        }),
        entries: claim.entries.iter().map(entry).collect(),
        lines_sha256: claim.lines.sha256.to_vec(),
    })
}

fn wire_line(county: &County, line: &ClaimLine) -> pb::ClaimLine {
    let money = |cents: Cents| Some(wire_money(cents, &county.profile.currency));
    let owed = &line.owed;
    let kind = match line.kind {
        Kind::Own => pb::ClaimLineKind::Own,
        Kind::Adjustment => pb::ClaimLineKind::Adjustment,
        Kind::Expired => pb::ClaimLineKind::Expired,
    };
    pb::ClaimLine {
        kind: kind.into(),
        booking: of::booking(&county.id, &line.booking),
        hold: of::hold(&county.id, &line.booking, &owed.hold),
        facility: of::facility(&county.id, &owed.facility),
        office_code: owed.office.to_string(),
        date: Some(wire_date(owed.day)),
        interval: Some(wire_interval(owed.span)),
        incurred: money(owed.incurred),
        amount: money(owed.covered),
        file_by_date: line.file_by.map(wire_date),
        sequence: owed.at.0,
        number: i32::try_from(owed.at.1).unwrap_or(i32::MAX),
        reverses_sequence: owed.reverses.map_or(0, |(seq, _)| seq),
    }
}

fn wire_close(before: Option<Date>, close: &PeriodClose, sequence: i64) -> pb::PeriodClose {
    pb::PeriodClose {
        start_date: before.map(wire_date),
        end_date: Some(wire_date(close.end)),
        close_time: Some(stamp(close.closed)),
        sequence,
    }
}

/// The accounts of an agreement that a claim may touch, part by part, in order of booking.
struct Accounts<'a> {
    county: &'a County,
    agreement: &'a AgreementId,
    reach: &'a Reach,
    names: VecDeque<BookingId>,
    after: Option<BookingId>,
    more: bool,
}

impl<'a> Accounts<'a> {
    fn new(county: &'a County, agreement: &'a AgreementId, reach: &'a Reach, after: Option<BookingId>) -> Self {
        Self { county, agreement, reach, names: VecDeque::new(), after, more: true }
    }

    async fn next(&mut self, api: &Api) -> Result<Option<BTreeMap<BookingId, Account>>, Status> {
        let (store, of_store) = (api.ledger.store(), |error| error::of_store(&error));
        if self.names.is_empty() && self.more {
            let found = select::owed(store, &self.county.id, self.agreement, self.reach, self.after.as_ref(), NAMES).await;
            self.names = found.map_err(of_store)?.into();
            self.more = u32::try_from(self.names.len()).is_ok_and(|found| found == NAMES);
            self.after = self.names.back().cloned();
        }
        if self.names.is_empty() {
            return Ok(None);
        }
        let part: Vec<BookingId> = self.names.drain(..PART.min(self.names.len())).collect();
        load::owed(store, self.county, self.agreement, self.reach.through, &part).await.map(Some).map_err(of_store)
    }
}

/// The claims of an agreement before one, in order; all of them where it is none of them.
fn before(county: &County, agreement: &AgreementId, claim: Option<&Claim>) -> Vec<Reach> {
    let claims = claims_of(county, agreement).into_iter();
    // One that was withdrawn stood after all those that reach less.
    let earlier = |one: &&Claim| claim.is_none_or(|claim| one.id != claim.id && one.through <= claim.after);
    claims.filter(earlier).map(|one| Reach::of(county, one)).collect()
}

impl Api {
    /// What a claim would come to.
    async fn claimable(&self, county: &County, agreement: &AgreementId, reach: &Reach) -> Result<ClaimLines, Status> {
        let earlier = before(county, agreement, None);
        let mut sum = claims::Sum::default();
        let mut accounts = Accounts::new(county, agreement, reach, None);
        while let Some(part) = accounts.next(self).await? {
            for (booking, account) in &part {
                sum.add(&claims::lines(booking, account, &earlier, reach)).map_err(overflow)?;
            }
        }
        Ok(sum.finish())
    }

    pub(super) async fn close_period_for(
        &self,
        caller: &Principal,
        request: pb::ClosePeriodRequest,
    ) -> Result<pb::ClosePeriodResponse, Status> {
        let mut fields = Fields::new();
        let Some(id) = fields.name("parent", &request.parent, names::county) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, caller, "ClosePeriod", &id, &request)?;
        let Some(end) = fields.date("end_date", request.end_date.as_ref()) else { return Err(fields.refusal()) };
        fields.finish()?;
        let written = self.write(call, Command::County(CountyCommand::ClosePeriod(end))).await?;
        let closes = &written.county.closes;
        let (at, close) = closes.iter().enumerate().find(|(_, close)| close.end == end).ok_or_else(|| contradicts("no close"))?;
        let earlier = at.checked_sub(1).and_then(|at| closes.get(at)).map(|close| close.end);
        Ok(pb::ClosePeriodResponse {
            close: Some(wire_close(earlier, close, written.pair.seq)),
            receipt: receipt(&id, written.pair, written.county.seq, request.validate_only),
        })
    }

    pub(super) async fn list_period_closes_for(
        &self,
        caller: &Principal,
        request: pb::ListPeriodClosesRequest,
    ) -> Result<pb::ListPeriodClosesResponse, Status> {
        let mut fields = Fields::new();
        let id = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let Some(id) = id else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListPeriodClosesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListPeriodCloses", &query, request.page_size, &request.page_token, 1_000)?;
        let (pair, county) = self.county_at(caller, &id, page.as_of(as_of)).await?;
        let mut earlier = None;
        let mut all = Vec::with_capacity(county.closes.len());
        for close in &county.closes {
            all.push((earlier, close));
            earlier = Some(close.end);
        }
        let key = |(_, close): &(Option<Date>, &PeriodClose)| close.end.to_string();
        let (closes, next_page_token) = page.cut(&self.opaque, pair.seq, 0, all, key);
        let mut wire = Vec::with_capacity(closes.len());
        for (earlier, close) in closes {
            let record = self.ledger.records(&id, close.seq - 1, close.seq, 1).await;
            let record = record.map_err(|error| error::of_ledger("", error))?.pop();
            wire.push(wire_close(earlier, close, record.map_or(close.seq, |record| record.last_seq)));
        }
        Ok(pb::ListPeriodClosesResponse { closes: wire, next_page_token, as_of_pair: Some(wire_pair(pair)) })
    }

    pub(super) async fn create_claim_for(
        &self,
        caller: &Principal,
        request: pb::CreateClaimRequest,
    ) -> Result<pb::CreateClaimResponse, Status> {
        let mut fields = Fields::new();
        let Some(id) = fields.name("parent", &request.parent, names::county) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, caller, "CreateClaim", &id, &request)?;
        let agreement = fields.name("agreement", &request.agreement, names::agreement);
        if agreement.as_ref().is_some_and(|(of, _)| *of != id) {
            fields.bad("agreement", "must be an agreement of this county");
        }
        let key = fields.optional_id("claim_id", &request.claim_id, ClaimId::new);
        let end = fields.date("end_date", request.end_date.as_ref());
        let (Some((_, agreement)), Some(end)) = (agreement, end) else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, county) = self.county_at(caller, &id, AsOf::Latest).await?;
        let now = self.moment(None, AsOf::Latest, pair);
        let last = claims_of(&county, &agreement).pop();
        let window = county.agreements.get(&agreement).and_then(|known| known.filing_window_days);
        let reach = Reach::next(last, Some(end), pair.seq, county.profile.zone.date(now), window);
        let lines = self.claimable(&county, &agreement, &reach).await?;
        let new = NewClaim { id: key.clone(), agreement, end, through: pair.seq, last: last.map(|last| last.id.clone()), lines };
        let written = self.write(call, Command::County(CountyCommand::Claim(Box::new(new)))).await?;
        // Its id is in its record; where nothing is recorded it is the one with the last etag.
        let made = match &key {
            Some(key) => written.county.claims.get(key),
            None => written.county.claims.values().filter(|claim| claim.entries.is_empty()).max_by_key(|claim| claim.seq),
        };
        let made = made.ok_or_else(|| contradicts("no claim"))?;
        Ok(pb::CreateClaimResponse {
            claim: Some(wire_claim(&written.county, made)?),
            receipt: receipt(&id, written.pair, made.seq, request.validate_only),
        })
    }

    pub(super) async fn update_claim_for(
        &self,
        caller: &Principal,
        request: pb::UpdateClaimRequest,
    ) -> Result<pb::UpdateClaimResponse, Status> {
        let mut fields = Fields::new();
        let Some((id, key)) = fields.name("name", &request.name, names::claim) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, caller, "UpdateClaim", &id, &request)?;
        let act = read_act(&mut fields, request.act);
        let (_, county) = self.county_at(caller, &id, AsOf::Latest).await?;
        let amount = fields.signed_money("amount", request.amount.as_ref(), &county.profile.currency);
        let at = fields.optional_instant("effective_time", request.effective_time.as_ref());
        let source = fields.source("source", request.source.as_ref());
        let undoes = match request.undoes {
            0 => None,
            n => fields.take("undoes", u32::try_from(n).map_err(|_| "is the number of an entry, from 1")),
        };
        let (Some(act), Some(source)) = (act, source) else { return Err(fields.refusal()) };
        fields.finish()?;
        let new = NewEntry { act, amount, at, source, undoes };
        let written = self.write(call, Command::County(CountyCommand::EnterClaim(key.clone(), new))).await?;
        let claim = written.county.claims.get(&key).ok_or_else(|| contradicts("no claim"))?;
        Ok(pb::UpdateClaimResponse {
            claim: Some(wire_claim(&written.county, claim)?),
            receipt: receipt(&id, written.pair, claim.seq, request.validate_only),
        })
    }

    pub(super) async fn get_claim_for(
        &self,
        caller: &Principal,
        request: pb::GetClaimRequest,
    ) -> Result<pb::GetClaimResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::claim);
        let as_of = fields.as_of(request.as_of.as_ref());
        let Some((id, key)) = name else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, county) = self.county_at(caller, &id, as_of).await?;
        let claim = county.claims.get(&key).ok_or_else(|| error::not_found("claim", &request.name))?;
        let owes = county.agreements.get(&claim.agreement);
        Ok(pb::GetClaimResponse {
            claim: Some(wire_claim(&county, claim)?),
            agreement: owes.map(|one| agreement(&county, one, self.moment(None, as_of, pair))),
            as_of_pair: Some(wire_pair(pair)),
        })
    }

    pub(super) async fn list_claims_for(
        &self,
        caller: &Principal,
        request: pb::ListClaimsRequest,
    ) -> Result<pb::ListClaimsResponse, Status> {
        let mut fields = Fields::new();
        let id = fields.name("parent", &request.parent, names::county);
        let of = fields.optional_name("agreement", &request.agreement, names::agreement);
        if of.as_ref().is_some_and(|(of, _)| Some(of) != id.as_ref()) {
            fields.bad("agreement", "must be an agreement of this county");
        }
        let state = pb::ClaimState::try_from(request.state);
        if state.is_err() {
            fields.bad("state", "must be a value of ClaimState");
        }
        let as_of = fields.as_of(request.as_of.as_ref());
        let Some(id) = id else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListClaimsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListClaims", &query, request.page_size, &request.page_token, 1_000)?;
        let (pair, county) = self.county_at(caller, &id, page.as_of(as_of)).await?;
        let wanted = state.ok().filter(|state| *state != pb::ClaimState::Unspecified);
        let mut claims = Vec::new();
        for claim in county.claims.values().filter(|claim| of.as_ref().is_none_or(|(_, of)| claim.agreement == *of)) {
            let state = wire_state(claim.state().map_err(contradicts)?);
            if wanted.is_none_or(|wanted| wanted == state) {
                claims.push(claim);
            }
        }
        let key = |claim: &&Claim| {
            format!("{}/{:>10}/{:020}/{}", claim.agreement, claim.end.num_days_from_ce(), claim.through, claim.id)
        };
        claims.sort_by_key(key);
        let (claims, next_page_token) = page.cut(&self.opaque, pair.seq, 0, claims, key);
        Ok(pb::ListClaimsResponse {
            claims: claims.into_iter().map(|claim| wire_claim(&county, claim)).collect::<Result<_, _>>()?,
            next_page_token,
            as_of_pair: Some(wire_pair(pair)),
        })
    }

    pub(super) async fn list_claim_lines_for(
        &self,
        caller: &Principal,
        request: pb::ListClaimLinesRequest,
    ) -> Result<pb::ListClaimLinesResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("parent", &request.parent, names::claim);
        let as_of = fields.as_of(request.as_of.as_ref());
        let Some((id, key)) = name else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListClaimLinesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListClaimLines", &query, request.page_size, &request.page_token, 10_000)?;
        let (pair, county) = self.county_at(caller, &id, page.as_of(as_of)).await?;
        let claim = county.claims.get(&key).ok_or_else(|| error::not_found("claim", &request.parent))?;
        let (reach, earlier) = (Reach::of(&county, claim), before(&county, &claim.agreement, Some(claim)));
        let resumed = page.resume.as_ref().and_then(|resume| read_line_key(&resume.key));
        // The booking of the last line sent may have more.
        let mut lines: Vec<ClaimLine> = Vec::new();
        if let Some((booking, at)) = &resumed {
            let part = load::owed(self.ledger.store(), &county, &claim.agreement, reach.through, std::slice::from_ref(booking));
            for (booking, account) in part.await.map_err(|error| error::of_store(&error))? {
                lines.extend(claims::lines(&booking, &account, &earlier, &reach).into_iter().filter(|line| line.owed.at > *at));
            }
        }
        let mut accounts = Accounts::new(&county, &claim.agreement, &reach, resumed.map(|(booking, _)| booking));
        while lines.len() <= page.size
            && let Some(part) = accounts.next(self).await?
        {
            for (booking, account) in &part {
                lines.extend(claims::lines(booking, account, &earlier, &reach));
            }
        }
        let more = lines.len() > page.size;
        lines.truncate(page.size);
        let next_page_token = match lines.last().filter(|_| more) {
            Some(last) => {
                let key = format!("{} {} {}", last.owed.at.0, last.owed.at.1, last.booking);
                page.token(&self.opaque, &Resume { seq: pair.seq, at: 0, key })
            }
            None => String::new(),
        };
        Ok(pb::ListClaimLinesResponse {
            lines: lines.iter().map(|line| wire_line(&county, line)).collect(),
            next_page_token,
            as_of_pair: Some(wire_pair(pair)),
        })
    }
}

fn read_line_key(key: &str) -> Option<(BookingId, claims::PostingKey)> {
    let mut words = key.split(' ');
    let at = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some((BookingId::trusted(words.next()?), at))
}
