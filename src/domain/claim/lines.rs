//! The lines of a claim: which postings of an agreement it takes, and what each is. The rule is told one page up; whoever
//! asks reads the postings.

use crate::domain::claim::{Claim, ClaimLines, last_day_to_file};
use crate::domain::county::County;
use crate::domain::ids::{BookingId, FacilityId, HoldId};
use crate::domain::money::{Cents, Overflow};
use crate::domain::time::{Date, Instant, Span};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How far a claim reaches: which postings it takes, and by when it had to be filed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reach {
    /// The first local day that no claim before it reached; nothing where it is the first.
    pub start: Option<Date>,
    /// The last record that the claim before it rests on.
    pub after: i64,
    /// The first local day that it does not reach; nothing: it reaches all.
    pub end: Option<Date>,
    /// The last record that it rests on.
    pub through: i64,
    /// The local day of the county on which it was put together.
    pub filed: Date,
    /// The agreement's filing window then.
    pub window_days: Option<u32>,
}

impl Reach {
    /// Of a claim that was made.
    #[must_use]
    pub fn of(county: &County, claim: &Claim) -> Self {
        Self {
            start: claim.start,
            after: claim.after,
            end: Some(claim.end),
            through: claim.through,
            filed: county.profile.zone.date(claim.made),
            window_days: claim.window_days,
        }
    }

    /// Of the claim that comes next.
    #[must_use]
    pub fn next(last: Option<&Claim>, end: Option<Date>, through: i64, filed: Date, window_days: Option<u32>) -> Self {
        Self { start: last.map(|last| last.end), after: last.map_or(0, |last| last.through), end, through, filed, window_days }
    }

    /// Whether a day was reached by a claim before this one.
    fn was_reached(&self, day: Date) -> bool {
        self.start.is_some_and(|start| day < start)
    }

    fn takes(&self, owed: &Owed) -> bool {
        let known = owed.at.0 <= self.through && self.end.is_none_or(|end| owed.day < end);
        known && !(owed.at.0 <= self.after && self.was_reached(owed.day))
    }

    /// The postings that it takes: those that something is owed for, but for what was taken back before it was claimed.
    fn taken<'a>(&self, owed: &[&'a Owed]) -> Vec<&'a Owed> {
        let taken: Vec<&Owed> = owed.iter().copied().filter(|one| one.covered != Cents::ZERO && self.takes(one)).collect();
        let here: BTreeSet<PostingKey> = taken.iter().map(|one| one.at).collect();
        let back: BTreeSet<PostingKey> = taken.iter().filter_map(|one| one.reverses).filter(|at| here.contains(at)).collect();
        let gone = |one: &Owed| back.contains(&one.at) || one.reverses.is_some_and(|at| back.contains(&at));
        taken.into_iter().filter(|one| !gone(one)).collect()
    }
}

/// A posting's record and its number in it.
pub type PostingKey = (i64, u32);

/// A posting that an agreement owes something for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owed {
    /// Which.
    pub at: PostingKey,
    /// The one that it takes back.
    pub reverses: Option<PostingKey>,
    /// The hold.
    pub hold: HoldId,
    /// The jail.
    pub facility: FacilityId,
    /// The office of the request.
    pub office: Arc<str>,
    /// The local day.
    pub day: Date,
    /// The stretch.
    pub span: Span,
    /// What it cost.
    pub incurred: Cents,
    /// What the agreement owes.
    pub covered: Cents,
}

/// When a hold ended, as it was known from one record to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KnownEnd {
    /// The first record that knew it so.
    pub from: i64,
    /// The first that no longer did; `i64::MAX` while it is so.
    pub to: i64,
    /// When.
    pub at: Instant,
    /// The local day of that.
    pub day: Date,
}

/// What one booking is owed for under one agreement.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// Its postings.
    pub owed: Vec<Owed>,
    /// The ends of its holds.
    pub ends: BTreeMap<HoldId, Vec<KnownEnd>>,
}

/// What a line of a claim is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Of days that no claim before it reached.
    Own,
    /// Of days that a claim before it reached.
    Adjustment,
    /// Too late: not claimed.
    Expired,
}

/// One line of a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimLine {
    /// What it is.
    pub kind: Kind,
    /// The booking.
    pub booking: BookingId,
    /// The posting.
    pub owed: Owed,
    /// The last local day on which a claim for the hold may be filed.
    pub file_by: Option<Date>,
}

impl Account {
    /// When a hold was known to end, after a record.
    #[must_use]
    pub fn end(&self, hold: &HoldId, seq: i64) -> Option<KnownEnd> {
        self.ends.get(hold)?.iter().copied().find(|end| end.from <= seq && seq < end.to)
    }

    fn file_by(&self, hold: &HoldId, reach: &Reach) -> Option<Date> {
        reach.window_days.zip(self.end(hold, reach.through)).map(|(window, end)| last_day_to_file(end.day, window))
    }

    fn in_time(&self, hold: &HoldId, reach: &Reach) -> bool {
        self.file_by(hold, reach).is_none_or(|day| reach.filed <= day)
    }
}

/// The lines of a claim in one booking, by posting. `before` are the claims before it that stand, in order.
#[must_use]
pub fn lines(booking: &BookingId, account: &Account, before: &[Reach], reach: &Reach) -> Vec<ClaimLine> {
    let mut by_hold: BTreeMap<&HoldId, Vec<&Owed>> = BTreeMap::new();
    for owed in &account.owed {
        by_hold.entry(&owed.hold).or_default().push(owed);
    }
    let mut lines = Vec::new();
    for (hold, owed) in by_hold {
        let claimed = |earlier: &Reach| account.in_time(hold, earlier) && !earlier.taken(&owed).is_empty();
        let in_time = before.iter().any(claimed) || account.in_time(hold, reach);
        let file_by = account.file_by(hold, reach);
        lines.extend(reach.taken(&owed).into_iter().map(|owed| ClaimLine {
            kind: match (in_time, reach.was_reached(owed.day)) {
                (false, _) => Kind::Expired,
                (true, true) => Kind::Adjustment,
                (true, false) => Kind::Own,
            },
            booking: booking.clone(),
            owed: owed.clone(),
            file_by,
        }));
    }
    lines.sort_by_key(|line| line.owed.at);
    lines
}

/// Lines added up as they come, booking by booking.
#[derive(Clone, Default)]
pub struct Sum {
    lines: ClaimLines,
    hash: Sha256,
}

impl Sum {
    /// Adds the lines of one booking.
    ///
    /// # Errors
    /// [`Overflow`] where a sum does not fit.
    pub fn add(&mut self, lines: &[ClaimLine]) -> Result<(), Overflow> {
        let mut holds = BTreeSet::new();
        for ClaimLine { kind, booking, owed, .. } in lines {
            let word = match kind {
                Kind::Own => "OWN",
                Kind::Adjustment => "ADJUSTMENT",
                Kind::Expired => "EXPIRED",
            };
            let Owed { at: (seq, n), hold, span, covered, .. } = owed;
            let (start, end) = (span.start.micros(), span.end.micros());
            self.hash.update(format!("{seq} {n} {booking} {hold} {start} {end} {} {word}\n", covered.get()));
            let sum = &mut self.lines;
            if *kind == Kind::Expired {
                sum.expired_count = sum.expired_count.saturating_add(1);
                sum.expired = sum.expired.try_add(*covered)?;
                continue;
            }
            holds.insert(hold);
            sum.count = sum.count.saturating_add(1);
            sum.claimed = sum.claimed.try_add(*covered)?;
            if *kind == Kind::Adjustment {
                sum.adjustments = sum.adjustments.try_add(*covered)?;
            }
        }
        self.lines.holds = self.lines.holds.saturating_add(u32::try_from(holds.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    /// What all of them come to.
    #[must_use]
    pub fn finish(self) -> ClaimLines {
        ClaimLines { sha256: self.hash.finalize().into(), ..self.lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(n: u32) -> Date {
        Date::from_ymd_opt(2018, 1, 1).unwrap() + chrono::Days::new(u64::from(n))
    }

    fn owed(seq: i64, hold: &str, on: u32, cents: i64, reverses: Option<i64>) -> Owed {
        Owed {
            at: (seq, 1),
            reverses: reverses.map(|seq| (seq, 1)),
            hold: HoldId::trusted(hold),
            facility: FacilityId::trusted("tgk"),
            office: "MIA".into(),
            day: day(on),
            span: Span::new(Instant::MIN, Instant::MIN),
            incurred: Cents::new(cents),
            covered: Cents::new(cents),
        }
    }

    fn account(owed: Vec<Owed>, ends: &[(&str, u32)]) -> Account {
        let end = |on: u32| vec![KnownEnd { from: 0, to: i64::MAX, at: Instant::MIN, day: day(on) }];
        Account { owed, ends: ends.iter().map(|(hold, on)| (HoldId::trusted(hold), end(*on))).collect() }
    }

    /// Claims one after the other, each with its end, its last record, the day it is made; the window is one for all.
    fn chain(window_days: Option<u32>, claims: &[(u32, i64, u32)]) -> Vec<Reach> {
        let mut chain: Vec<Reach> = Vec::new();
        for (end, through, filed) in claims {
            let (start, after) = chain.last().map_or((None, 0), |last| (last.end, last.through));
            chain.push(Reach { start, after, end: Some(day(*end)), through: *through, filed: day(*filed), window_days });
        }
        chain
    }

    /// Kind, record and cents of the lines of the last claim.
    fn last(account: &Account, chain: &[Reach]) -> Vec<(Kind, i64, i64)> {
        let (reach, before) = chain.split_last().unwrap();
        let lines = lines(&BookingId::trusted("b"), account, before, reach);
        lines.iter().map(|line| (line.kind, line.owed.at.0, line.owed.covered.get())).collect()
    }

    use Kind::{Adjustment, Expired, Own};

    /// Claims, and the lines of the last.
    type Case<'a> = (&'a [(u32, i64, u32)], &'a [(Kind, i64, i64)]);

    #[test]
    fn what_a_claim_takes() {
        // Of one hold that ended on day 5: posted day by day; the posting of day 4 is taken back by record 20 and posted
        // anew, cheaper.
        let held = vec![
            owed(10, "1", 3, 113, None),
            owed(11, "1", 4, 113, None),
            owed(12, "1", 5, 113, None),
            owed(20, "1", 4, -113, Some(11)),
            owed(21, "1", 4, 80, None),
        ];
        let held = account(held, &[("1", 5)]);
        let cases: &[Case<'_>] = &[
            (&[(31, 15, 31)], &[(Own, 10, 113), (Own, 11, 113), (Own, 12, 113)]),
            (&[(5, 15, 31)], &[(Own, 10, 113), (Own, 11, 113)]),
            // What was taken back before it was claimed does not show.
            (&[(31, 21, 31)], &[(Own, 10, 113), (Own, 12, 113), (Own, 21, 80)]),
            // The next claim takes the rest, and adjusts what was claimed.
            (&[(5, 15, 31), (31, 21, 31)], &[(Own, 12, 113), (Adjustment, 20, -113), (Adjustment, 21, 80)]),
            (&[(31, 15, 31), (31, 21, 31)], &[(Adjustment, 20, -113), (Adjustment, 21, 80)]),
            (&[(31, 15, 31), (31, 21, 31), (60, 30, 60)], &[]),
            // Nothing of day 5 was known at record 11; what is about days before the end of the first claim adjusts it.
            (&[(6, 11, 31), (31, 15, 31)], &[(Adjustment, 12, 113)]),
        ];
        for (claims, expected) in cases {
            assert_eq!(last(&held, &chain(None, claims)), *expected, "{claims:?}");
        }
    }

    #[test]
    fn what_comes_too_late() {
        let held = vec![
            owed(10, "1", 3, 50, None),
            owed(11, "2", 9, 50, None),
            owed(20, "1", 3, -50, Some(10)),
            owed(21, "1", 3, 40, None),
        ];
        let held = account(held, &[("1", 3), ("2", 9)]);
        let cases: &[Case<'_>] = &[
            // The window is 10 days: hold 1 by day 13, hold 2 by day 19.
            (&[(31, 15, 13)], &[(Own, 10, 50), (Own, 11, 50)]),
            (&[(31, 15, 14)], &[(Expired, 10, 50), (Own, 11, 50)]),
            (&[(31, 15, 20)], &[(Expired, 10, 50), (Expired, 11, 50)]),
            // Claimed in time, it is adjusted whenever its lines change; not claimed, its changes come too late as well.
            (&[(31, 15, 13), (31, 21, 60)], &[(Adjustment, 20, -50), (Adjustment, 21, 40)]),
            (&[(31, 15, 14), (31, 21, 60)], &[(Expired, 20, -50), (Expired, 21, 40)]),
        ];
        for (claims, expected) in cases {
            assert_eq!(last(&held, &chain(Some(10), claims)), *expected, "{claims:?}");
        }
    }

    #[test]
    fn an_end_counts_as_it_was_known() {
        let mut held = account(vec![owed(10, "1", 3, 50, None), owed(20, "1", 4, 50, None)], &[]);
        let known = |from, to, on| KnownEnd { from, to, at: Instant::MIN, day: day(on) };
        held.ends.insert(HoldId::trusted("1"), vec![known(5, 20, 3), known(20, i64::MAX, 4)]);
        // Window 10: the first claim was made on day 14, too late for an end on day 3, as it was known then.
        assert_eq!(last(&held, &chain(Some(10), &[(31, 15, 14)])), [(Expired, 10, 50)]);
        assert_eq!(last(&held, &chain(Some(10), &[(31, 15, 14), (31, 25, 14)])), [(Adjustment, 20, 50)]);
    }

    #[test]
    fn a_digest_is_of_the_lines() {
        let held = account(vec![owed(10, "1", 3, 113, None)], &[("1", 3)]);
        let mut sum = Sum::default();
        sum.add(&lines(&BookingId::trusted("b"), &held, &[], &chain(None, &[(31, 15, 31)])[0])).unwrap();
        let start = Instant::MIN.micros();
        let text = format!("10 1 b 1 {start} {start} 113 OWN\n");
        assert_eq!(sum.finish().sha256, <[u8; 32]>::from(Sha256::digest(text)));
    }

    proptest! {
        /// However postings come and claims are cut: every posting that counts falls into exactly one claim, so what is
        /// claimed and what came too late add up to what is owed.
        #[test]
        fn claims_add_up_to_what_is_owed(
            postings in prop::collection::vec((0u32..40, 1i64..90, any::<bool>(), 0u8..3), 0..30),
            cuts in prop::collection::vec((0u32..20, 0i64..20, 0u32..30), 1..6),
            window in prop::option::of(0u32..30),
        ) {
            let mut all: Vec<Owed> = Vec::new();
            for (n, (on, cents, back, hold)) in postings.into_iter().enumerate() {
                let seq = i64::try_from(n).unwrap() + 1;
                let taken_back = |one: &&Owed| one.reverses.is_none() && !all.iter().any(|other| other.reverses == Some(one.at));
                match all.iter().find(taken_back).filter(|_| back).cloned() {
                    Some(one) => all.push(Owed { at: (seq, 1), reverses: Some(one.at), covered: one.covered.try_neg().unwrap(), ..one }),
                    None => all.push(owed(seq, &hold.to_string(), on, cents, None)),
                }
            }
            let held = account(all.clone(), &[("0", 10), ("1", 20), ("2", 39)]);
            let (mut end, mut through, mut filed, mut claims) = (0, 0, 0, Vec::new());
            for (days, records, later) in cuts {
                (end, through, filed) = (end + days, through + records, filed + later);
                claims.push((end, through, filed));
            }
            claims.push((1_000, 1_000, filed));
            let chain = chain(window, &claims);
            let mut told = 0;
            for n in 0..chain.len() {
                let lines = lines(&BookingId::trusted("b"), &held, &chain[..n], &chain[n]);
                let mut sum = Sum::default();
                sum.add(&lines).unwrap();
                let sum = sum.finish();
                told += sum.claimed.get() + sum.expired.get();
            }
            prop_assert_eq!(told, all.iter().map(|one| one.covered.get()).sum::<i64>());
        }
    }
}
