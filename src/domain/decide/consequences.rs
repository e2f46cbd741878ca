//! What follows from recorded facts: decisions, custody, balances, postings, duties, in that order.

use super::super::authority::{self, Known, Record};
use super::super::booking::{Booking, PostingCause};
use super::super::cost::CostError;
use super::super::county::County;
use super::super::deciding::{self, Moment};
use super::super::decision::Trigger;
use super::super::duties;
use super::super::event::{BudgetMoved, DutiesSet, Event};
use super::super::evolve;
use super::super::refusal::Refusal;
use super::super::settling;
use super::super::time::Instant;

/// More rounds than any booking has reservations: a fence, never reached.
const ROUNDS: usize = 64;

/// Adds what follows to `events`, given the booking with the facts already applied. The state before the record gives
/// what was known.
///
/// # Errors
/// Where an amount passes what money can be.
pub fn consequences(
    county: &County,
    booking: &mut Booking,
    moment: &Moment<'_>,
    known: Known,
    cause: PostingCause,
    events: &mut Vec<Event>,
) -> Result<(), Refusal> {
    let before = booking.custody.clone();
    let mut county = std::borrow::Cow::Borrowed(county);
    let mut add = |booking: &mut Booking, event: Event| {
        evolve::apply(booking, &event);
        events.push(event);
    };
    decided_and_reserved(&mut county, booking, &before, moment, known, &mut add)?;
    for posting in settling::postings(&county, booking, moment, cause)? {
        add(booking, Event::Posted(posting));
    }
    for index in 0..booking.detainers.len() {
        let detainer = &booking.detainers[index];
        let duties = duties::duties(booking, detainer, moment.now);
        if duties != detainer.duties {
            let set = DutiesSet { detainer: detainer.id.clone(), duties };
            add(booking, Event::DutiesSet(set));
        }
    }
    Ok(())
}

/// Works decisions, custody and balances out anew, with nothing known of them before: what a booking would have come to
/// in a county of other rules. Postings and duties are left out.
///
/// # Errors
/// Where an amount passes what money can be.
pub fn retell(county: &County, booking: &mut Booking, moment: &Moment<'_>) -> Result<(), CostError> {
    let before = booking.custody.clone();
    let mut add = |booking: &mut Booking, event: Event| evolve::apply(booking, &event);
    decided_and_reserved(&mut std::borrow::Cow::Borrowed(county), booking, &before, moment, Known::Stays, &mut add)
}

/// Decisions, the custody that follows, what its holds reserve, and what goes back.
fn decided_and_reserved(
    county: &mut std::borrow::Cow<'_, County>,
    booking: &mut Booking,
    before: &super::super::booking::Custody,
    moment: &Moment<'_>,
    known: Known,
    add: &mut impl FnMut(&mut Booking, Event),
) -> Result<(), CostError> {
    for decided in deciding::decisions(county, booking, moment) {
        add(booking, Event::Decided(decided));
    }
    derive(county, booking, before, moment, known, add);

    for _ in 0..ROUNDS {
        let Some(moved) = settling::next_reservation(county, booking, moment.now)? else { break };
        let (refused, agreement, at) = (moved.reservation.amount.is_none(), moved.agreement.clone(), moved.reservation.at);
        evolve::shared(county.to_mut(), &Event::BudgetMoved(moved.clone()));
        add(booking, Event::BudgetMoved(moved));
        if refused {
            decline_unreserved(county, booking, moment, &Trigger::Reservation(agreement), at, add);
            derive(county, booking, before, moment, known, add);
        }
    }
    for _ in 0..ROUNDS {
        let Some(moved) = next_settlement(county, booking, moment.now)? else { break };
        evolve::shared(county.to_mut(), &Event::BudgetMoved(moved.clone()));
        add(booking, Event::BudgetMoved(moved));
    }
    Ok(())
}

/// What goes back to the budgets of holds that have ended, then what a later record makes of settled ones.
fn next_settlement(county: &County, booking: &Booking, now: Instant) -> Result<Option<BudgetMoved>, CostError> {
    match settling::next_return(county, booking, now)? {
        Some(moved) => Ok(Some(moved)),
        None => settling::next_correction(county, booking, now),
    }
}

fn derive(
    county: &County,
    booking: &mut Booking,
    before: &super::super::booking::Custody,
    moment: &Moment<'_>,
    known: Known,
    add: &mut impl FnMut(&mut Booking, Event),
) {
    let record = Record { now: moment.now, history: moment.history };
    let custody = authority::derive(county, booking, before, record, known);
    if custody != booking.custody {
        add(booking, Event::CustodyDerived(custody));
    }
}

/// A balance that could not be reserved at a hold's start: decide again from there (DOMAIN.md §10.25).
fn decline_unreserved(
    county: &County,
    booking: &mut Booking,
    moment: &Moment<'_>,
    trigger: &Trigger,
    at: Instant,
    add: &mut impl FnMut(&mut Booking, Event),
) {
    let moment = Moment { trigger: Some((trigger, at)), changed: trigger, ..*moment };
    for decided in deciding::decisions(county, booking, &moment) {
        add(booking, Event::Decided(decided));
    }
}
