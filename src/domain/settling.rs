//! Money that follows from custody: reservations at a hold's start, returns at its end, cost lines of closed custody
//! (DOMAIN.md §6, §10.25 to 10.28).

use super::agreement::Agreement;
use super::booking::{Booking, Hold, Posting, PostingCause, PostingRef, Reservation};
use super::cost::{self, CostError, CostLine, Pricing, Reserved};
use super::county::{Balance, County};
use super::deciding::Moment;
use super::event::BudgetMoved;
use super::gap::Gap;
use super::ids::{AgreementId, FacilityId, HoldId};
use super::money::Cents;
use super::time::Instant;

/// The cost lines of a booking's custody after T0, up to an instant: what open holds accrue included.
///
/// # Errors
/// [`CostError`] where an amount passes what money can be, or custody has no end to price it to.
pub fn lines(county: &County, booking: &Booking, gaps: &[Gap], until: Instant) -> Result<Vec<CostLine>, CostError> {
    with_pricing(county, booking, |pricing| cost::cost_lines(pricing, gaps, until))
}

fn with_pricing<T>(county: &County, booking: &Booking, run: impl FnOnce(&Pricing<'_>) -> T) -> T {
    let agreement = |id: &AgreementId| county.agreements.get(id);
    let zone_of = |facility: &FacilityId| county.zone_of(facility);
    let reserved = |id: &AgreementId, hold: &HoldId| reserved_for(county, booking, id, hold);
    run(&Pricing { book: &county.rates, agreement: &agreement, zone_of: &zone_of, reserved: &reserved })
}

/// What an agreement has set apart for a hold, once settled what was spent of it; nothing where it has no ceiling.
fn reserved_for(county: &County, booking: &Booking, id: &AgreementId, hold: &HoldId) -> Option<Reserved> {
    county.agreements.get(id)?.budget?;
    let kept = booking.reservations.iter().find(|r| r.agreement == *id && r.hold == *hold);
    let amount = kept.and_then(|r| r.amount).unwrap_or(Cents::ZERO);
    let most = kept.and_then(|r| r.spent).unwrap_or(amount);
    Some(Reserved { funded: amount > Cents::ZERO, most })
}

/// What of custody is posted: every gap whose end is known, whole; of one that goes on, the days that are closed in the
/// county's books.
///
/// # Errors
/// [`CostError`] where an amount passes what money can be.
pub fn posted_lines(county: &County, booking: &Booking) -> Result<Vec<CostLine>, CostError> {
    let gaps = &booking.custody.gaps;
    let open_from = county.open_from();
    let closed_by = open_from.map_or(Instant::MIN, |day| county.begun_everywhere(day));
    let ended = |t0: Instant| gaps.iter().any(|gap| gap.t0 == t0 && !gap.end.is_far());
    let ends = gaps.iter().map(|gap| gap.end).filter(|end| !end.is_far()).max();
    let until = ends.unwrap_or(Instant::MIN).max(closed_by);
    let mut lines = lines(county, booking, gaps, until)?;
    lines.retain(|line| ended(line.t0) || open_from.is_some_and(|open| line.local_day < open));
    Ok(lines)
}

/// A reservation that was due for a hold that has begun: tried once, whole or none.
///
/// # Errors
/// [`CostError`] where the most it could owe passes what money can be.
pub fn next_reservation(county: &County, booking: &Booking, now: Instant) -> Result<Option<BudgetMoved>, CostError> {
    let begun = || booking.custody.holds.iter().filter(|h| !h.voided && h.start <= now);
    // A correction let a hold begin earlier: what was reserved for it, or refused, is so from there on.
    for kept in [true, false] {
        for hold in begun() {
            let mut of = booking.reservations.iter().filter(|r| r.hold == hold.id && r.amount.is_some() == kept);
            if let Some(later) = of.find(|r| hold.start < r.at) {
                return Ok(Some(moved_to(county, later, hold.start)));
            }
        }
    }
    for hold in begun() {
        for agreement in budgeted(county, booking, hold) {
            if !booking.reservations.iter().any(|r| r.agreement == agreement.id && r.hold == hold.id) {
                return reserve(county, booking, hold, agreement).map(Some);
            }
        }
    }
    Ok(None)
}

/// The same outcome, from an earlier start on; no balance changes.
fn moved_to(county: &County, reservation: &Reservation, at: Instant) -> BudgetMoved {
    let Balance { reserved, spent } = county.balances.get(&reservation.agreement).copied().unwrap_or_default();
    BudgetMoved {
        agreement: reservation.agreement.clone(),
        reservation: Reservation { at, ..reservation.clone() },
        reserved,
        spent,
    }
}

/// The agreements that may pay for some stretch of a hold.
fn named<'a>(booking: &'a Booking, hold: &'a Hold) -> impl Iterator<Item = &'a AgreementId> {
    let segments = booking.custody.gaps.iter().filter(|g| g.t0 == hold.t0).flat_map(|g| &g.segments);
    segments.filter_map(|s| s.rests_on.as_ref()).flat_map(|r| &r.agreements)
}

/// Those of them with a ceiling.
fn budgeted<'a>(county: &'a County, booking: &'a Booking, hold: &'a Hold) -> impl Iterator<Item = &'a Agreement> {
    let mut ids: Vec<&AgreementId> = named(booking, hold).collect();
    ids.dedup();
    ids.into_iter().filter_map(|id| county.agreements.get(id)).filter(|a| a.budget.is_some())
}

fn reserve(county: &County, booking: &Booking, hold: &Hold, agreement: &Agreement) -> Result<BudgetMoved, CostError> {
    let owed = with_pricing(county, booking, |pricing| {
        cost::max_owed(pricing, agreement, &booking.custody.gaps, &hold.facility, hold.start, hold.deadline)
    })?;
    let balance = county.balances.get(&agreement.id).copied().unwrap_or_default();
    let enough = county.unreserved(agreement).is_some_and(|left| owed <= left);
    let amount = enough.then_some(owed);
    Ok(BudgetMoved {
        agreement: agreement.id.clone(),
        reservation: Reservation { agreement: agreement.id.clone(), hold: hold.id.clone(), at: hold.start, amount, spent: None },
        reserved: balance.reserved.try_add(amount.unwrap_or(Cents::ZERO))?,
        spent: balance.spent,
    })
}

/// What goes back to the budgets of holds that have ended.
///
/// # Errors
/// [`CostError`] where an amount passes what money can be.
pub fn next_return(county: &County, booking: &Booking, now: Instant) -> Result<Option<BudgetMoved>, CostError> {
    for reservation in booking.reservations.iter().filter(|r| r.amount.is_some() && r.spent.is_none()) {
        let Some(hold) = booking.custody.holds.iter().find(|h| h.id == reservation.hold) else { continue };
        if hold.voided || hold.until <= now {
            return settle(county, booking, hold, reservation).map(Some);
        }
    }
    Ok(None)
}

/// What a later record makes of a hold that was settled: what it no longer owes goes back, and what it owes more is taken
/// from what is left, within what was reserved at its start. So what an agreement has spent is what its lines say.
///
/// # Errors
/// [`CostError`] where an amount passes what money can be.
pub fn next_correction(county: &County, booking: &Booking, now: Instant) -> Result<Option<BudgetMoved>, CostError> {
    for settled in booking.reservations.iter().filter(|r| r.spent.is_some()) {
        let Some(hold) = booking.custody.holds.iter().find(|h| h.id == settled.hold) else { continue };
        let moved = match hold.voided || hold.until <= now {
            true => settle(county, booking, hold, settled)?,
            false => taken_up(county, settled)?,
        };
        if moved.reservation != *settled {
            return Ok(Some(moved));
        }
    }
    Ok(None)
}

/// The most that may be spent on a hold: what was reserved for it; once settled, as far as the budget has it left.
fn most_of(county: &County, held: &Reservation) -> Result<Cents, CostError> {
    let amount = held.amount.unwrap_or(Cents::ZERO);
    let left = county.agreements.get(&held.agreement).and_then(|agreement| county.unreserved(agreement));
    match (held.spent, left) {
        (Some(spent), Some(left)) => Ok(amount.min(spent.try_add(left)?)),
        _ => Ok(amount),
    }
}

/// A hold is over: what it owes is spent, the rest returns.
fn settle(county: &County, booking: &Booking, hold: &Hold, held: &Reservation) -> Result<BudgetMoved, CostError> {
    let spent = if hold.voided { Cents::ZERO } else { owed(county, booking, hold, held)? };
    moved(county, held, Reservation { spent: Some(spent), ..held.clone() })
}

/// What the lines of a hold say that an agreement owes, within the most that may be spent on it.
fn owed(county: &County, booking: &Booking, hold: &Hold, held: &Reservation) -> Result<Cents, CostError> {
    let most = most_of(county, held)?;
    let mut within = booking.clone();
    for kept in within.reservations.iter_mut().filter(|r| *r == held) {
        kept.spent = Some(most);
    }
    let lines = lines(county, &within, &within.custody.gaps, hold.until)?;
    let of_hold = lines.iter().filter(|l| l.hold.as_ref() == Some(&hold.id));
    Ok(cost::covered_by(of_hold, &held.agreement)?.min(most))
}

/// A hold that was settled runs again: a correction took away what had ended it.
fn taken_up(county: &County, settled: &Reservation) -> Result<BudgetMoved, CostError> {
    let amount = Some(most_of(county, settled)?);
    moved(county, settled, Reservation { amount, spent: None, ..settled.clone() })
}

/// One reservation in the place of another, with the balances after it.
fn moved(county: &County, from: &Reservation, to: Reservation) -> Result<BudgetMoved, CostError> {
    let kept = |r: &Reservation| r.amount.filter(|_| r.spent.is_none()).unwrap_or(Cents::ZERO);
    let spent = |r: &Reservation| r.spent.unwrap_or(Cents::ZERO);
    let balance = county.balances.get(&from.agreement).copied().unwrap_or_default();
    Ok(BudgetMoved {
        agreement: from.agreement.clone(),
        reserved: balance.reserved.try_sub(kept(from))?.try_add(kept(&to))?,
        spent: balance.spent.try_sub(spent(from))?.try_add(spent(&to))?,
        reservation: to,
    })
}

/// What has to be posted so that the postings in force say what closed custody costs: first what is taken back, then
/// what is new.
///
/// # Errors
/// [`CostError`] where an amount passes what money can be.
pub fn postings(county: &County, booking: &Booking, moment: &Moment<'_>, cause: PostingCause) -> Result<Vec<Posting>, CostError> {
    if booking.custody.gaps.is_empty() && booking.postings.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = posted_lines(county, booking)?;
    let mut posted = Vec::new();
    let mut n = 0;
    let mut post = |line: CostLine, like: Option<&Posting>, reverses: Option<PostingRef>| {
        n += 1;
        let detainer = line.detainer.as_ref().and_then(|id| booking.detainer(id));
        let (office, edition, mode) = match like {
            Some(old) => (old.office.clone(), old.edition, old.mode),
            None => (
                detainer.map_or_else(|| "".into(), |d| d.form.office.clone()),
                detainer.map(|d| d.form.edition),
                line.revision.as_ref().and_then(|r| county.revision(r)).map(|r| r.mode),
            ),
        };
        let accounted = county.accounted(line.local_day, cause);
        posted.push(Posting { seq: moment.seq, n, line, office, edition, mode, cause, reverses, accounted });
    };
    for old in booking.postings.iter().filter(|p| !wanted.contains(&p.line)) {
        let back = CostLine {
            incurred: old.line.incurred.try_neg()?,
            covered: old.line.covered.try_neg()?,
            marginal: old.line.marginal.map(Cents::try_neg).transpose()?,
            ..old.line.clone()
        };
        post(back, Some(old), Some(PostingRef { seq: old.seq, n: old.n }));
    }
    for line in wanted {
        if !booking.postings.iter().any(|p| p.line == line) {
            post(line, None, None);
        }
    }
    Ok(posted)
}

/// Since when a reservation or a return of this booking has been due, if one is (DOMAIN.md §10.25): the first record of
/// the county at or after that instant has to settle it.
#[must_use]
pub fn due(county: &County, booking: &Booking, now: Instant) -> Option<Instant> {
    next(county, booking).filter(|at| *at <= now)
}

/// When the next reservation or return of this booking falls due.
#[must_use]
pub fn next(county: &County, booking: &Booking) -> Option<Instant> {
    earliest(booking, |hold, id| budgeted(county, booking, hold).any(|a| a.id == *id))
}

/// The earliest instant at which a reservation or a return of this booking may fall due, whatever its county's budgets
/// are: never later than [`next`].
#[must_use]
pub fn pending(booking: &Booking) -> Option<Instant> {
    earliest(booking, |_, _| true)
}

fn earliest(booking: &Booking, has_budget: impl Fn(&Hold, &AgreementId) -> bool) -> Option<Instant> {
    let tried = |hold: &Hold, id: &AgreementId| booking.reservations.iter().any(|r| r.agreement == *id && r.hold == hold.id);
    let untried = |h: &&Hold| !h.voided && named(booking, h).any(|id| has_budget(h, id) && !tried(h, id));
    let untried = booking.custody.holds.iter().filter(untried).map(|h| h.start);
    let kept = booking.reservations.iter().filter(|r| r.amount.is_some() && r.spent.is_none());
    let of = |r: &Reservation| booking.custody.holds.iter().find(|h| h.id == r.hold);
    let over = kept.filter_map(|r| of(r).map(|h| if h.voided { h.start } else { h.until }));
    untried.chain(over).min()
}

/// The agreements whose unreserved balance came to nothing, or to something again, between two states of a county:
/// what relied on them is decided again (DOMAIN.md §5 *When*).
#[must_use]
pub fn balances_turned(before: &County, after: &County) -> Vec<AgreementId> {
    let left = |county: &County, id: &AgreementId| {
        county.agreements.get(id).and_then(|a| county.unreserved(a)).is_none_or(|left| left > Cents::ZERO)
    };
    after
        .agreements
        .keys()
        .filter(|id| before.agreements.contains_key(*id) && left(before, id) != left(after, id))
        .cloned()
        .collect()
}
