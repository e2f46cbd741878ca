//! Agreements and rates, both ways.

use super::names::{self, of};
use super::time::{Fields, stamp, wire_date, wire_instrument, wire_money};
use crate::domain::agreement::{Agreement, BadAgreement, Scope, Term};
use crate::domain::county::County;
use crate::domain::ids::{AgreementId, BookingId, CountyId, DetainerId, FacilityId, RateId};
use crate::domain::money::Cents;
use crate::domain::rate::{DayCount, Rate};
use crate::domain::time::Instant;
use crate::pb;

fn wire_day_count(count: DayCount) -> pb::DayCount {
    match count {
        DayCount::Hourly => pb::DayCount::Hourly,
        DayCount::CalendarDay => pb::DayCount::CalendarDay,
        DayCount::Midnight => pb::DayCount::Midnight,
        DayCount::Per24h => pb::DayCount::Per24h,
    }
}

fn read_day_count(fields: &mut Fields, field: &str, count: i32) -> Option<DayCount> {
    match pb::DayCount::try_from(count) {
        Ok(pb::DayCount::Hourly) => Some(DayCount::Hourly),
        Ok(pb::DayCount::CalendarDay) => Some(DayCount::CalendarDay),
        Ok(pb::DayCount::Midnight) => Some(DayCount::Midnight),
        Ok(pb::DayCount::Per24h) => Some(DayCount::Per24h),
        Ok(pb::DayCount::Unspecified) | Err(_) => {
            fields.bad(field, "is required");
            None
        }
    }
}

/// Where an agreement stands at an instant.
pub(super) fn agreement_state(one: &Agreement, at: Instant) -> pb::AgreementState {
    if one.signed.is_none_or(|signed| signed > at) {
        pb::AgreementState::Offer
    } else if at >= one.ends_at() {
        pb::AgreementState::Ended
    } else if at >= one.starts_at() {
        pb::AgreementState::InForce
    } else {
        pb::AgreementState::Pending
    }
}

/// The state a list is asked for; nothing for any.
pub(super) fn wanted_state(fields: &mut Fields, state: i32) -> Option<pb::AgreementState> {
    match pb::AgreementState::try_from(state) {
        Ok(pb::AgreementState::Unspecified) => None,
        Ok(state) => Some(state),
        Err(_) => {
            fields.bad("state", "must be a value of AgreementState");
            None
        }
    }
}

/// The wire form of an agreement, with what is reserved and spent.
pub(super) fn agreement(county: &County, one: &Agreement, at: Instant) -> pb::Agreement {
    let money = |cents: Cents| wire_money(cents, &county.profile.currency);
    let balance = county.balances.get(&one.id).copied().unwrap_or_default();
    pb::Agreement {
        name: of::agreement(&county.id, &one.id),
        etag: one.seq.to_string(),
        terms: Some(terms(county, one)),
        state: agreement_state(one, at).into(),
        reserved: Some(money(balance.reserved)),
        spent: Some(money(balance.spent)),
        balance: county.unreserved(one).map(money),
        terminate_time: one.terminated.map(stamp),
    }
}

fn terms(county: &County, one: &Agreement) -> pb::AgreementTerms {
    let money = |cents: Cents| Some(wire_money(cents, &county.profile.currency));
    let hours = |hours: u32| i32::try_from(hours).unwrap_or(i32::MAX);
    let term = match &one.term {
        Term::AllCosts => pb::payment_term::Term::AllCosts(pb::AllCosts {}),
        Term::PerDiem { per_day, day_count } => {
            pb::payment_term::Term::PerDiem(pb::PerDiem { amount: money(*per_day), day_count: wire_day_count(*day_count).into() })
        }
        Term::FlatPerHold { amount, up_to_hours } => {
            pb::payment_term::Term::FlatPerHold(pb::FlatPerHold { amount: money(*amount), up_to_hours: hours(*up_to_hours) })
        }
        Term::AfterFirstHours { hours: first } => {
            pb::payment_term::Term::AfterFirstHours(pb::AfterFirstHours { hours: hours(*first) })
        }
    };
    let scope = pb::AgreementScope {
        facilities: one.scope.facilities.iter().map(|facility| of::facility(&county.id, facility)).collect(),
        office_codes: one.scope.offices.iter().map(ToString::to_string).collect(),
        detainer: one.scope.detainer.as_ref().map(|(b, d)| of::detainer(&county.id, b, d)).unwrap_or_default(),
    };
    pb::AgreementTerms {
        instrument: Some(wire_instrument(&one.instrument)),
        counterparty: one.counterparty.to_string(),
        signed_time: one.signed.map(stamp),
        start_date: Some(wire_date(one.start)),
        end_date: one.end.map(wire_date),
        scope: (one.scope != Scope::default()).then_some(scope),
        term: Some(pb::PaymentTerm { term: Some(term) }),
        budget: one.budget.and_then(money),
        filing_window_days: one.filing_window_days.map_or(0, hours),
    }
}

fn read_term(fields: &mut Fields, currency: &str, term: Option<&pb::PaymentTerm>) -> Option<Term> {
    use pb::payment_term::Term as Wire;
    let amount = |fields: &mut Fields, field: &str, money: Option<&pb::Money>| {
        let found = fields.money(field, money, currency);
        if found.is_none_or(|cents| cents <= Cents::ZERO) {
            fields.bad(field, "must be above zero");
        }
        found
    };
    let hours = |fields: &mut Fields, field: &str, hours: i32| {
        let found = u32::try_from(hours).ok().filter(|hours| *hours >= 1);
        if found.is_none() {
            fields.bad(field, "must be at least 1");
        }
        found
    };
    match term.and_then(|term| term.term.as_ref()) {
        Some(Wire::AllCosts(pb::AllCosts {})) => Some(Term::AllCosts),
        Some(Wire::PerDiem(one)) => {
            let per_day = amount(fields, "terms.term.per_diem.amount", one.amount.as_ref());
            let day_count = read_day_count(fields, "terms.term.per_diem.day_count", one.day_count);
            Some(Term::PerDiem { per_day: per_day?, day_count: day_count? })
        }
        Some(Wire::FlatPerHold(one)) => {
            let sum = amount(fields, "terms.term.flat_per_hold.amount", one.amount.as_ref());
            let up_to = hours(fields, "terms.term.flat_per_hold.up_to_hours", one.up_to_hours);
            Some(Term::FlatPerHold { amount: sum?, up_to_hours: up_to? })
        }
        Some(Wire::AfterFirstHours(one)) => {
            hours(fields, "terms.term.after_first_hours.hours", one.hours).map(|hours| Term::AfterFirstHours { hours })
        }
        None => {
            fields.bad("terms.term", "is required");
            None
        }
    }
}

fn read_scope(fields: &mut Fields, county: &CountyId, scope: Option<&pb::AgreementScope>) -> Scope {
    let Some(scope) = scope else { return Scope::default() };
    if scope.facilities.len() + scope.office_codes.len() > 200 {
        fields.bad("terms.scope", "may have at most 200 entries");
        return Scope::default();
    }
    let mut facilities: Vec<FacilityId> = Vec::new();
    for (n, name) in scope.facilities.iter().enumerate() {
        let field = format!("terms.scope.facilities[{n}]");
        match fields.name(&field, name, names::facility) {
            Some((of, facility)) if of == *county => facilities.push(facility),
            Some(_) => fields.bad(&field, "must be a facility of this county"),
            None => {}
        }
    }
    let offices = scope.office_codes.iter().enumerate();
    let offices = offices.map(|(n, code)| fields.required_text(&format!("terms.scope.office_codes[{n}]"), code, 50)).collect();
    let detainer: Option<(CountyId, BookingId, DetainerId)> =
        fields.optional_name("terms.scope.detainer", &scope.detainer, names::detainer);
    if detainer.as_ref().is_some_and(|(of, ..)| of != county) {
        fields.bad("terms.scope.detainer", "must be a detainer of this county");
    }
    Scope { facilities, offices, detainer: detainer.map(|(_, booking, detainer)| (booking, detainer)) }
}

/// Reads the content of an agreement.
pub(super) fn read_terms(
    fields: &mut Fields,
    county: &County,
    id: &AgreementId,
    terms: Option<&pb::AgreementTerms>,
) -> Option<Agreement> {
    let Some(terms) = terms else {
        fields.bad("terms", "is required");
        return None;
    };
    let currency = &*county.profile.currency;
    let instrument = fields.instrument("terms.instrument", terms.instrument.as_ref());
    let counterparty = fields.required_text("terms.counterparty", &terms.counterparty, 200);
    let signed = fields.optional_instant("terms.signed_time", terms.signed_time.as_ref());
    let start = fields.date("terms.start_date", terms.start_date.as_ref());
    let end = fields.optional_date("terms.end_date", terms.end_date.as_ref());
    let scope = read_scope(fields, &county.id, terms.scope.as_ref());
    let term = read_term(fields, currency, terms.term.as_ref());
    let budget = fields.money("terms.budget", terms.budget.as_ref(), currency);
    let window = fields.take("terms.filing_window_days", u32::try_from(terms.filing_window_days).map_err(|_| "is negative"));
    let start = start?;
    if let Some(end) = end.filter(|end| *end <= start) {
        let bad = BadAgreement::EndsFirst { start, end };
        fields.bad(bad.field(), bad);
    }
    Some(Agreement {
        id: id.clone(),
        instrument: instrument?,
        counterparty,
        seq: 0,
        signed,
        start,
        end,
        zone: county.profile.zone,
        scope,
        term: term?,
        budget,
        filing_window_days: window.filter(|days| *days > 0),
        terminated: None,
    })
}

/// The wire form of a rate.
pub(super) fn rate(county: &County, one: &Rate) -> pb::Rate {
    let money = |cents: Cents| wire_money(cents, &county.profile.currency);
    pb::Rate {
        name: of::rate(&county.id, &one.id),
        facility: of::facility(&county.id, &one.facility),
        effective_date: Some(wire_date(one.effective)),
        full_day: Some(money(one.per_day)),
        marginal_day: one.marginal.map(money),
        per_hold: one.per_hold.map(money),
        day_count: wire_day_count(one.day_count).into(),
    }
}

/// Reads a rate; its id is set by who records it.
pub(super) fn read_rate(fields: &mut Fields, county: &County, request: &pb::SetRateRequest) -> Option<Rate> {
    let currency = &*county.profile.currency;
    let facility = fields.name("facility", &request.facility, names::facility);
    if facility.as_ref().is_some_and(|(of, _)| *of != county.id) {
        fields.bad("facility", "must be a facility of this county");
    }
    let effective = fields.date("effective_date", request.effective_date.as_ref());
    let per_day = fields.money("full_day", request.full_day.as_ref(), currency);
    if request.full_day.is_none() {
        fields.bad("full_day", "is required");
    }
    let marginal = fields.money("marginal_day", request.marginal_day.as_ref(), currency);
    let per_hold = fields.money("per_hold", request.per_hold.as_ref(), currency);
    let day_count = read_day_count(fields, "day_count", request.day_count);
    Some(Rate {
        id: RateId::trusted(""),
        facility: facility?.1,
        effective: effective?,
        end: None,
        per_day: per_day?,
        marginal,
        per_hold,
        day_count: day_count?,
    })
}
