//! Time used that a stay takes over from earlier stays of the same subject (DOMAIN.md §4 *Never again*, §10.14).
//!
//! A stay takes over the stretches in which the clock of the last one ran, where it begins within 24 hours of its end,
//! and those of every earlier stay one of whose detainers it rests on. What comes to be known of an ended stay later
//! changes what later ones took over: [`passes_on`] says when, and `BookingCommand::Inherit` has them work it out anew.
//! Without two persons that never lets a known hold last longer: the stretches it had taken over then stay.

use super::super::authority::{self, Known};
use super::super::booking::Booking;
use super::super::clock::{StartRule, stretches};
use super::super::command::EarlierStay;
use super::super::county::County;
use super::super::detainer::{Form, LinkedDetainer, form_key};
use super::super::event::{Event, Inherited};
use super::super::ids::DetainerId;
use super::super::time::{DAY_US, Instant, Span};

/// What a later stay of the same subject must know of this one.
#[must_use]
pub fn earlier_stay(booking: &Booking) -> EarlierStay {
    let gaps = authority::gap_spans(booking);
    let ended = booking.ended();
    let rules = booking.detainers.iter().flat_map(|d| &d.decisions).filter_map(|d| d.terms.as_ref()).map(|t| t.start);
    let mut used: Vec<Span> = Vec::new();
    for rule in rules.chain([StartRule::OtherwiseReleased]) {
        let named = authority::named_instant(booking, rule);
        used.extend(stretches(rule, named, &gaps, &booking.inherited, ended).stretches());
    }
    let papers = booking.detainers.iter().map(|d| (d.id.clone(), d.form.clone())).collect();
    EarlierStay { booking: booking.id.clone(), stay: booking.stay(), stretches: in_order(used), papers }
}

/// Whether a record changed what later stays of the subject take over from this one. One that lasts has none.
#[must_use]
pub fn passes_on(before: &Booking, after: &Booking) -> bool {
    before.ending.is_some() && earlier_stay(before) != earlier_stay(after)
}

/// The stay that ended last, where a new one begins within 24 hours of its end and its clock ran.
pub(super) fn last_stay(earlier: &[EarlierStay], booked: Instant) -> Option<&EarlierStay> {
    let recent = |e: &&EarlierStay| e.stay.end <= booked && booked <= e.stay.end.plus_us(DAY_US);
    earlier.iter().filter(recent).max_by_key(|e| e.stay.end).filter(|e| !e.stretches.is_empty())
}

/// The same paper on the latest earlier stay that has it.
pub(super) fn linked(booking: &Booking, earlier: &[EarlierStay], form: &Form) -> Option<LinkedDetainer> {
    let (stay, id) = same_papers(booking, earlier, form).max_by_key(|(e, _)| (e.stay, &e.booking))?;
    Some(LinkedDetainer { booking: stay.booking.clone(), detainer: id.clone() })
}

/// Stays before this one with the same paper, by its key.
fn same_papers<'a>(
    booking: &Booking,
    earlier: &'a [EarlierStay],
    form: &Form,
) -> impl Iterator<Item = (&'a EarlierStay, &'a DetainerId)> {
    let (key, booked) = (form_key(form), booking.booked.effective);
    let is = move |other: &Form| key.is_some() && form_key(other) == key;
    let before = earlier.iter().filter(move |e| e.stay.start < booked);
    before.filter_map(move |e| e.papers.iter().find(|(_, form)| is(form)).map(|(id, _)| (e, id)))
}

/// What a booking, with what the record says already in it, takes over; nothing where that is as before.
pub(super) fn carried_over(
    county: &County,
    after: &Booking,
    earlier: &[EarlierStay],
    confirmed: bool,
    now: Instant,
) -> Option<Event> {
    let last = last_stay(earlier, after.booked.effective);
    let papers = after.detainers.iter().flat_map(|d| same_papers(after, earlier, &d.form)).map(|(stay, _)| stay);
    let mut used: Vec<&EarlierStay> = papers.filter(|stay| !stay.stretches.is_empty()).collect();
    used.sort_by_key(|stay| std::cmp::Reverse((stay.stay, &stay.booking)));
    let from = last.or(used.first().copied()).map(|stay| stay.booking.clone());
    let told = in_order(last.into_iter().chain(used).flat_map(|stay| &stay.stretches).copied().collect());
    if told == after.inherited {
        return None;
    }
    let dropped = after.inherited.iter().any(|span| !told.contains(span));
    if dropped && !confirmed && lets_more(county, after, &told, now) {
        let all = in_order(told.iter().chain(&after.inherited).copied().collect());
        let from = from.or_else(|| after.inherits_from.clone());
        return (all != after.inherited).then_some(Event::Inherited(Inherited { stretches: all, from }));
    }
    Some(Event::Inherited(Inherited { stretches: told, from }))
}

/// Whether known custody would have more authority with these stretches: a later deadline, or a hold where none was.
fn lets_more(county: &County, booking: &Booking, stretches: &[Span], now: Instant) -> bool {
    let before = &booking.custody;
    let mut other = booking.clone();
    other.inherited = stretches.to_vec();
    let free = authority::derive(county, &other, before, authority::Record { now, history: false }, Known::Corrected);
    let real = |custody: &super::super::booking::Custody| custody.holds.iter().filter(|h| !h.voided).count();
    authority::moves_later(before, &free) || authority::lasts_longer(before, &free) || real(&free) > real(before)
}

fn in_order(mut stretches: Vec<Span>) -> Vec<Span> {
    stretches.sort();
    stretches.dedup();
    stretches
}
