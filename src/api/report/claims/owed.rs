//! What agreements owe: what became of it, by age, and what has to be claimed soon.

use super::super::NAMES;
use super::super::stays::PART;
use super::{Accounts, contradicts, overflow};
use crate::api::auth::Principal;
use crate::api::names::{self, of};
use crate::api::paging::Page;
use crate::api::time::{Fields, stamp, wire_date, wire_money, wire_pair};
use crate::api::{Api, error};
use crate::domain::booking::Booking;
use crate::domain::claim::lines::{self as claims, Reach};
use crate::domain::claim::{Claim, last_day_to_file};
use crate::domain::county::County;
use crate::domain::decide::claims_of;
use crate::domain::ids::{AgreementId, BookingId, ClaimId, HoldId};
use crate::domain::money::{Cents, Overflow};
use crate::domain::settling;
use crate::domain::time::{Date, Instant};
use crate::ledger::Pair;
use crate::pb;
use crate::report::select;
use chrono::Datelike as _;
use std::collections::BTreeMap;
use tonic::Status;

/// Ages of what is outstanding, in days since it was billed: from, to; 0 for without limit.
const AGES: [(i32, i32); 4] = [(0, 30), (31, 60), (61, 90), (91, 0)];

impl Api {
    pub(in crate::api::report) async fn claim_report_for(
        &self,
        caller: &Principal,
        request: pb::GetClaimReportRequest,
    ) -> Result<pb::GetClaimReportResponse, Status> {
        let mut fields = Fields::new();
        let id = fields.name("county", &request.county, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let date = fields.optional_date("date", request.date.as_ref());
        let Some(id) = id else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, county) = self.county_at(caller, &id, as_of).await?;
        let date = date.unwrap_or_else(|| county.profile.zone.date(self.moment(None, as_of, pair)));
        let owed = select::owed_in_all(self.ledger.store(), &id, pair.seq).await.map_err(|error| error::of_store(&error))?;
        let mut rows: BTreeMap<AgreementId, Row> = BTreeMap::new();
        for (agreement, cents) in owed {
            rows.entry(agreement).or_default().owed = cents;
        }
        for claim in county.claims.values() {
            rows.entry(claim.agreement.clone()).or_default().add(&county, claim, date)?;
        }
        let mut total = Row::default();
        let mut wire = Vec::with_capacity(rows.len());
        for (agreement, row) in &rows {
            total = total.plus(row).map_err(overflow)?;
            wire.push(row.wire(&county, of::agreement(&id, agreement))?);
        }
        Ok(pb::GetClaimReportResponse {
            rows: wire,
            total: Some(total.wire(&county, String::new())?),
            as_of_pair: Some(wire_pair(pair)),
            date: Some(wire_date(date)),
        })
    }

    pub(in crate::api::report) async fn list_unclaimed_holds_for(
        &self,
        caller: &Principal,
        request: pb::ListUnclaimedHoldsRequest,
    ) -> Result<pb::ListUnclaimedHoldsResponse, Status> {
        let mut fields = Fields::new();
        let id = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let date = fields.optional_date("date", request.date.as_ref());
        if !(0..=3_650).contains(&request.within_days) {
            fields.bad("within_days", "must be 1 to 3650, or 0 for 14");
        }
        let Some(id) = id else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListUnclaimedHoldsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListUnclaimedHolds", &query, request.page_size, &request.page_token, 1_000)?;
        let (pair, county) = self.county_at(caller, &id, page.as_of(as_of)).await?;
        let now = match &page.resume {
            Some(resume) => Instant::from_micros(resume.at),
            None => self.moment(None, as_of, pair),
        };
        let date = date.unwrap_or_else(|| county.profile.zone.date(now));
        let within = if request.within_days == 0 { 14 } else { request.within_days };
        let mut due = Due { county: &county, date, within: within.into(), found: BTreeMap::new() };
        for (agreement, terms) in &county.agreements {
            if let Some(window) = terms.filing_window_days {
                self.unclaimed(&mut due, agreement, window, pair, now).await?;
            }
        }
        let all: Vec<(DueKey, DueHold)> = due.found.into_iter().filter(|(_, hold)| hold.amount != Cents::ZERO).collect();
        let key = |((day, booking, hold, agreement), _): &(DueKey, DueHold)| {
            format!("{:>10} {booking} {hold} {agreement}", day.num_days_from_ce())
        };
        let (holds, next_page_token) = page.cut(&self.opaque, pair.seq, now.micros(), all, key);
        let wire = |((day, booking, hold, agreement), found): (DueKey, DueHold)| pb::UnclaimedHold {
            booking: of::booking(&id, &booking),
            hold: of::hold(&id, &booking, &hold),
            agreement: of::agreement(&id, &agreement),
            end_time: Some(stamp(found.ended)),
            file_by_date: Some(wire_date(day)),
            days_left: i32::try_from(day.signed_duration_since(date).num_days()).unwrap_or(i32::MAX),
            amount: Some(wire_money(found.amount, &county.profile.currency)),
            claim: found.claim.map(|claim| of::claim(&id, &claim)).unwrap_or_default(),
        };
        Ok(pb::ListUnclaimedHoldsResponse {
            holds: holds.into_iter().map(wire).collect(),
            next_page_token,
            as_of_pair: Some(wire_pair(pair)),
        })
    }

    /// Adds what one agreement owes and nobody billed: of postings in no claim, of claims not billed, and of custody that
    /// goes on after the hold ended, which is not posted yet.
    async fn unclaimed(
        &self,
        due: &mut Due<'_>,
        agreement: &AgreementId,
        window: u32,
        pair: Pair,
        now: Instant,
    ) -> Result<(), Status> {
        let county = due.county;
        let claims = claims_of(county, agreement);
        for (n, claim) in claims.iter().enumerate().filter(|(_, claim)| claim.billed().is_none()) {
            let earlier: Vec<Reach> = claims.iter().take(n).map(|one| Reach::of(county, one)).collect();
            let reach = Reach { window_days: Some(window), ..Reach::of(county, claim) };
            self.unclaimed_in(due, agreement, &earlier, &reach, Some(&claim.id)).await?;
        }
        let earlier: Vec<Reach> = claims.iter().map(|one| Reach::of(county, one)).collect();
        let reach = Reach::next(claims.last().copied(), None, pair.seq, due.date, Some(window));
        self.unclaimed_in(due, agreement, &earlier, &reach, None).await?;

        let mut after: Option<BookingId> = None;
        loop {
            let open = select::open(self.ledger.store(), &county.id, pair.seq, now, after.as_ref(), NAMES).await;
            let open = open.map_err(|error| error::of_store(&error))?;
            for part in open.chunks(PART) {
                let bookings = self.ledger.bookings(&county.id, part, pair).await;
                for booking in bookings.map_err(|error| error::of_ledger("", error))?.values() {
                    due.not_posted(booking, agreement, window, now)?;
                }
            }
            let full = u32::try_from(open.len()).is_ok_and(|found| found == NAMES);
            after = open.into_iter().next_back().filter(|_| full);
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn unclaimed_in(
        &self,
        due: &mut Due<'_>,
        agreement: &AgreementId,
        earlier: &[Reach],
        reach: &Reach,
        claim: Option<&ClaimId>,
    ) -> Result<(), Status> {
        let mut accounts = Accounts::new(due.county, agreement, reach, None);
        while let Some(part) = accounts.next(self).await? {
            for (booking, account) in &part {
                for line in claims::lines(booking, account, earlier, reach) {
                    let Some((day, end)) = line.file_by.zip(account.end(&line.owed.hold, reach.through)) else { continue };
                    let key = (day, booking.clone(), line.owed.hold.clone(), agreement.clone());
                    due.add(key, end.at, line.owed.covered, claim)?;
                }
            }
        }
        Ok(())
    }
}

/// By last day to file.
type DueKey = (Date, BookingId, HoldId, AgreementId);

struct DueHold {
    ended: Instant,
    amount: Cents,
    claim: Option<ClaimId>,
}

/// Holds whose last day to file is near.
struct Due<'a> {
    county: &'a County,
    date: Date,
    within: i64,
    found: BTreeMap<DueKey, DueHold>,
}

impl Due<'_> {
    fn add(&mut self, key: DueKey, ended: Instant, cents: Cents, claim: Option<&ClaimId>) -> Result<(), Status> {
        if key.0.signed_duration_since(self.date).num_days() > self.within {
            return Ok(());
        }
        let hold = self.found.entry(key).or_insert(DueHold { ended, amount: Cents::ZERO, claim: None });
        hold.amount = hold.amount.try_add(cents).map_err(overflow)?;
        if hold.claim.is_none() {
            hold.claim = claim.cloned();
        }
        Ok(())
    }

    /// What a booking in custody owes for holds that have ended, as far as it is not posted.
    fn not_posted(&mut self, booking: &Booking, agreement: &AgreementId, window: u32, now: Instant) -> Result<(), Status> {
        let lines = settling::lines(self.county, booking, &booking.custody.gaps, now).map_err(contradicts)?;
        for line in lines.iter().filter(|line| line.agreement.as_ref() == Some(agreement)) {
            if booking.postings.iter().any(|posting| posting.line == *line) {
                continue;
            }
            let hold = booking.custody.holds.iter().find(|hold| line.hold.as_ref() == Some(&hold.id) && hold.until <= now);
            let Some(hold) = hold else { continue };
            let day = last_day_to_file(self.county.zone_of(&hold.facility).date(hold.until), window);
            let key = (day, booking.id.clone(), hold.id.clone(), agreement.clone());
            self.add(key, hold.until, line.covered, None)?;
        }
        Ok(())
    }
}

/// A row of the claim report.
#[derive(Clone, Copy, Default)]
struct Row {
    owed: Cents,
    expired: Cents,
    assembled: Cents,
    billed: Cents,
    paid: Cents,
    written_off: Cents,
    denied: Cents,
    disputed: Cents,
    outstanding: Cents,
    ages: [(i64, Cents); 4],
    claims: i64,
}

impl Row {
    fn add(&mut self, county: &County, claim: &Claim, date: Date) -> Result<(), Status> {
        if claim.is_withdrawn() {
            return Ok(());
        }
        let balance = claim.balance().map_err(contradicts)?;
        let outstanding = balance.outstanding().map_err(overflow)?;
        let mut one = Self { claims: 1, expired: claim.lines.expired, ..Self::default() };
        match claim.billed() {
            None => one.assembled = claim.lines.claimed,
            Some(billed) => {
                one.billed = claim.lines.claimed;
                (one.paid, one.written_off) = (balance.paid, balance.written_off);
                (one.denied, one.disputed, one.outstanding) = (balance.denied, balance.disputed, outstanding);
                let age = date.signed_duration_since(county.profile.zone.date(billed)).num_days();
                let place = AGES.iter().rposition(|(from, _)| i64::from(*from) <= age.max(0)).unwrap_or(0);
                if outstanding != Cents::ZERO {
                    one.ages[place] = (1, outstanding);
                }
            }
        }
        *self = self.plus(&one).map_err(overflow)?;
        Ok(())
    }

    fn plus(&self, other: &Self) -> Result<Self, Overflow> {
        let mut ages = self.ages;
        for (sum, (count, cents)) in ages.iter_mut().zip(other.ages) {
            *sum = (sum.0.saturating_add(count), sum.1.try_add(cents)?);
        }
        Ok(Self {
            owed: self.owed.try_add(other.owed)?,
            expired: self.expired.try_add(other.expired)?,
            assembled: self.assembled.try_add(other.assembled)?,
            billed: self.billed.try_add(other.billed)?,
            paid: self.paid.try_add(other.paid)?,
            written_off: self.written_off.try_add(other.written_off)?,
            denied: self.denied.try_add(other.denied)?,
            disputed: self.disputed.try_add(other.disputed)?,
            outstanding: self.outstanding.try_add(other.outstanding)?,
            ages,
            claims: self.claims.saturating_add(other.claims),
        })
    }

    fn wire(&self, county: &County, agreement: String) -> Result<pb::ClaimReportRow, Status> {
        let money = |cents: Cents| Some(wire_money(cents, &county.profile.currency));
        let claimed = self.expired.try_add(self.assembled).and_then(|sum| sum.try_add(self.billed));
        let unclaimed = claimed.and_then(|claimed| self.owed.try_sub(claimed)).map_err(overflow)?;
        let ages = AGES.iter().zip(self.ages).map(|((from, to), (count, cents))| pb::ClaimAge {
            from_days: *from,
            to_days: *to,
            claim_count: count,
            outstanding: money(cents),
        });
        Ok(pb::ClaimReportRow {
            agreement,
            owed: money(self.owed),
            unclaimed: money(unclaimed),
            expired: money(self.expired),
            assembled: money(self.assembled),
            billed: money(self.billed),
            paid: money(self.paid),
            written_off: money(self.written_off),
            outstanding: money(self.outstanding),
            denied: money(self.denied),
            disputed: money(self.disputed),
            ages: ages.collect(),
            claim_count: self.claims,
        })
    }
}
