//! Claims: what an agreement owes, asked for in portions, and what became of them (DOMAIN.md §7).
//!
//! A claim takes the postings of one agreement that were recorded up to one record and lie before one local day, but for
//! those that the claim before it took. Postings never change, so the lines of a claim are frozen without being copied, and
//! every posting falls into one claim: all claims together are what the agreement owes, to the cent. What a later record
//! makes of days that were claimed comes as adjustment lines of the next claim.
//!
//! A claim has to be filed within the agreement's window after the end of a hold. A hold that comes too late, and of which
//! nothing was claimed before, is *expired*: its lines are shown apart and not claimed. A hold that was claimed in time is
//! adjusted whenever its lines change.
//!
//! What happens to a claim is written into it entry by entry; nothing in it changes. [`Claim::balance`] folds the entries.
//! Which postings a claim takes, and what each is, says [`lines`]. To add an act: a variant of [`ClaimAct`], its line in
//! [`Balance::after`] and its cases in the tests.

pub mod lines;

use super::facts::{Source, Stamp};
use super::ids::{AgreementId, ClaimId};
use super::money::{Cents, Overflow};
use super::time::{Date, Instant};
use std::sync::Arc;

/// A portion of what an agreement owes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Its id.
    pub id: ClaimId,
    /// Who owes it.
    pub agreement: AgreementId,
    /// The first local day that no claim before it reached; nothing where it is the agreement's first.
    pub start: Option<Date>,
    /// The first local day that it does not reach.
    pub end: Date,
    /// The last record it rests on.
    pub through: i64,
    /// The last record that the claim before it rests on; 0 where it is the agreement's first.
    pub after: i64,
    /// The agreement's filing window, as it was.
    pub window_days: Option<u32>,
    /// What its lines come to.
    pub lines: ClaimLines,
    /// When it was assembled.
    pub made: Instant,
    /// With which credential.
    pub actor: Arc<str>,
    /// The person behind it.
    pub person: Arc<str>,
    /// What became of it, in recorded order.
    pub entries: Vec<ClaimEntry>,
    /// The record that last changed it: its etag.
    pub seq: i64,
}

/// What the lines of a claim come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClaimLines {
    /// How many are claimed, adjustments included.
    pub count: u32,
    /// How many holds they are about.
    pub holds: u32,
    /// What they come to: what is claimed.
    pub claimed: Cents,
    /// What of it are adjustments of days that an earlier claim reached.
    pub adjustments: Cents,
    /// How many lines came too late.
    pub expired_count: u32,
    /// What they come to: not claimed.
    pub expired: Cents,
    /// SHA-256 over all of them.
    pub sha256: [u8; 32],
}

/// What may happen to a claim.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ClaimAct {
    /// It was sent to who owes it.
    Billed,
    /// Money came.
    Paid,
    /// A part was refused.
    Denied,
    /// The refusal of a part is contested.
    Disputed,
    /// A part is given up.
    WrittenOff,
    /// It was taken back before it was sent: its lines go to the next.
    Withdrawn,
}

/// One thing that happened to a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimEntry {
    /// Its number within the claim, from 1.
    pub n: u32,
    /// What.
    pub act: ClaimAct,
    /// About how much; zero where the act is about the whole claim.
    pub amount: Cents,
    /// When it happened and when it was recorded.
    pub at: Stamp,
    /// Where that is known from: the number of an invoice, a remittance, a letter.
    pub source: Source,
    /// With which credential.
    pub actor: Arc<str>,
    /// The person behind it.
    pub person: Arc<str>,
    /// The earlier entry that was recorded by mistake and is undone by this one.
    pub undoes: Option<u32>,
}

/// Where a claim stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ClaimState {
    /// Not sent yet.
    Assembled,
    /// Sent; nothing was paid or given up.
    Billed,
    /// A part was paid or given up.
    PartlySettled,
    /// Nothing is outstanding.
    Settled,
    /// Taken back.
    Withdrawn,
}

/// What a claim's entries come to. `claimed = paid + written_off + outstanding`, and
/// `outstanding = open + denied + disputed`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    /// Paid.
    pub paid: Cents,
    /// Given up.
    pub written_off: Cents,
    /// Not answered yet.
    pub open: Cents,
    /// Refused, and not contested.
    pub denied: Cents,
    /// Refused, and contested.
    pub disputed: Cents,
}

/// Why an act does not fit a claim.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadAct {
    /// It has not been sent.
    #[error("the claim was not billed yet")]
    NotBilled,
    /// It was sent already.
    #[error("the claim was billed already")]
    AlreadyBilled,
    /// It was taken back.
    #[error("the claim was withdrawn: its lines are in a later one")]
    Withdrawn,
    /// More than there is.
    #[error("{amount} is more than the {left} that {what}")]
    TooMuch {
        /// What was stated.
        amount: Cents,
        /// The most there is.
        left: Cents,
        /// What it is.
        what: &'static str,
    },
    /// An amount is missing, or goes the wrong way.
    #[error("must be an amount {0} zero")]
    Amount(&'static str),
    /// An amount where the whole claim is meant.
    #[error("must be left out: the act is about the whole claim")]
    NoAmount,
    /// There is no such entry, or it was undone, or is no entry of money.
    #[error("entry {0} is no payment, denial, dispute or write-off of this claim that still stands")]
    NoEntry(u32),
    /// Undoing it would leave less than nothing of what came after.
    #[error("entry {0} cannot be undone: later entries rest on it; undo those first")]
    RestsOn(u32),
    /// A sum does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl Balance {
    /// What is outstanding.
    ///
    /// # Errors
    /// [`Overflow`] where the sum does not fit.
    pub fn outstanding(&self) -> Result<Cents, Overflow> {
        self.open.try_add(self.denied)?.try_add(self.disputed)
    }

    /// The balance after an act. A claim below zero, where adjustments take back more than is claimed, is settled by amounts
    /// below zero: what is paid goes the other way.
    ///
    /// A payment takes from what is open, then from what is disputed, then from what is denied; a denial from what is
    /// disputed, then from what is open; a write-off from what is denied, then disputed, then open.
    ///
    /// # Errors
    /// [`BadAct`] where it is about more than there is.
    pub fn after(mut self, act: ClaimAct, amount: Cents, claimed: Cents) -> Result<Self, BadAct> {
        let down = claimed.is_negative();
        if amount == Cents::ZERO || amount.is_negative() != down {
            return Err(BadAct::Amount(if down { "below" } else { "above" }));
        }
        match act {
            ClaimAct::Billed | ClaimAct::Withdrawn => {}
            ClaimAct::Paid => {
                take(amount, [&mut self.open, &mut self.disputed, &mut self.denied], "is outstanding")?;
                self.paid = self.paid.try_add(amount)?;
            }
            ClaimAct::WrittenOff => {
                take(amount, [&mut self.denied, &mut self.disputed, &mut self.open], "is outstanding")?;
                self.written_off = self.written_off.try_add(amount)?;
            }
            ClaimAct::Denied => {
                take(amount, [&mut self.disputed, &mut self.open], "is open or disputed")?;
                self.denied = self.denied.try_add(amount)?;
            }
            ClaimAct::Disputed => {
                take(amount, [&mut self.denied], "is denied")?;
                self.disputed = self.disputed.try_add(amount)?;
            }
        }
        Ok(self)
    }
}

/// Takes an amount from pots, one after the other. All amounts have one sign.
fn take<const N: usize>(amount: Cents, pots: [&mut Cents; N], what: &'static str) -> Result<(), BadAct> {
    let mut rest = amount;
    let mut left = Cents::ZERO;
    for pot in pots {
        left = left.try_add(*pot)?;
        let part = if amount.is_negative() { rest.max(*pot) } else { rest.min(*pot) };
        *pot = pot.try_sub(part)?;
        rest = rest.try_sub(part)?;
    }
    if rest == Cents::ZERO { Ok(()) } else { Err(BadAct::TooMuch { amount, left, what }) }
}

impl Claim {
    /// When it was billed; nothing while it was not.
    #[must_use]
    pub fn billed(&self) -> Option<Instant> {
        self.entries.iter().find(|entry| entry.act == ClaimAct::Billed).map(|entry| entry.at.effective)
    }

    /// Whether it was taken back.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.entries.iter().any(|entry| entry.act == ClaimAct::Withdrawn)
    }

    /// Entries of money that were not undone, in recorded order.
    fn standing(&self) -> impl Iterator<Item = &ClaimEntry> {
        let undone = |n: u32| self.entries.iter().any(|entry| entry.undoes == Some(n));
        let money = |entry: &&ClaimEntry| !matches!(entry.act, ClaimAct::Billed | ClaimAct::Withdrawn);
        self.entries.iter().filter(money).filter(move |entry| entry.undoes.is_none() && !undone(entry.n))
    }

    /// What its entries come to.
    ///
    /// # Errors
    /// [`BadAct`] where they contradict each other, which [`Claim::entry`] lets none come to.
    pub fn balance(&self) -> Result<Balance, BadAct> {
        self.folded(self.standing())
    }

    fn folded<'a>(&self, entries: impl Iterator<Item = &'a ClaimEntry>) -> Result<Balance, BadAct> {
        let claimed = self.lines.claimed;
        let mut balance = Balance { open: claimed, ..Balance::default() };
        for entry in entries {
            balance = balance.after(entry.act, entry.amount, claimed)?;
        }
        Ok(balance)
    }

    /// Where it stands.
    ///
    /// # Errors
    /// As [`Claim::balance`].
    pub fn state(&self) -> Result<ClaimState, BadAct> {
        let balance = self.balance()?;
        Ok(if self.is_withdrawn() {
            ClaimState::Withdrawn
        } else if self.billed().is_none() {
            ClaimState::Assembled
        } else if balance.outstanding()? == Cents::ZERO {
            ClaimState::Settled
        } else if balance.paid == Cents::ZERO && balance.written_off == Cents::ZERO {
            ClaimState::Billed
        } else {
            ClaimState::PartlySettled
        })
    }

    /// Whether an act fits the claim as it is.
    ///
    /// # Errors
    /// [`BadAct`] says why it does not.
    pub fn check(&self, act: ClaimAct, amount: Option<Cents>, undoes: Option<u32>) -> Result<(), BadAct> {
        if self.is_withdrawn() {
            return Err(BadAct::Withdrawn);
        }
        let billed = self.billed().is_some();
        match act {
            ClaimAct::Billed | ClaimAct::Withdrawn if amount.is_some() => Err(BadAct::NoAmount),
            ClaimAct::Billed | ClaimAct::Withdrawn if billed => Err(BadAct::AlreadyBilled),
            ClaimAct::Billed | ClaimAct::Withdrawn => Ok(()),
            _ if !billed => Err(BadAct::NotBilled),
            _ => match undoes {
                Some(n) => {
                    let known = self.standing().any(|entry| entry.n == n && entry.act == act);
                    if !known {
                        return Err(BadAct::NoEntry(n));
                    }
                    if amount.is_some() {
                        return Err(BadAct::NoAmount);
                    }
                    self.folded(self.standing().filter(|entry| entry.n != n)).map_err(|_| BadAct::RestsOn(n)).map(drop)
                }
                None => {
                    let down = self.lines.claimed.is_negative();
                    let amount = amount.ok_or(BadAct::Amount(if down { "below" } else { "above" }))?;
                    self.balance()?.after(act, amount, self.lines.claimed).map(drop)
                }
            },
        }
    }
}

/// By when a claim for a hold that ended on a local day has to be filed, in a window of days: the last day on which that
/// may be done.
#[must_use]
pub fn last_day_to_file(ended: Date, window_days: u32) -> Date {
    ended.checked_add_days(chrono::Days::new(u64::from(window_days))).unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests;
