//! Rows of reports on the wire.

use super::super::convert::custody::wire_authority;
use super::super::convert::decision::wire_reason;
use super::super::convert::form::{wire_component, wire_edition};
use super::super::convert::hold::wire_hold_end;
use super::super::convert::policy::wire_mode;
use super::super::names::of;
use super::super::time::{stamp, stamp_unless_far, wire_date, wire_duration, wire_interval, wire_money};
use super::query::Asked;
use super::uncounted;
use crate::domain::booking::PostingCause;
use crate::domain::gap::Authority;
use crate::domain::ids::{DetainerId, HoldId};
use crate::pb;
use crate::report::cost::{CostRow, Part};
use crate::report::decisions::DecisionRow;
use crate::report::lines::Line;
use crate::report::overdetention::{Cause, OverdetentionRow};
use crate::report::register::{HeldTime, RegisterRow};
use crate::report::{GroupBy, Key, Totals, Why};
use std::collections::BTreeMap;
use tonic::Status;

fn word(why: Why) -> pb::DecisionReason {
    wire_reason(why.reason, why.mode)
}

pub(super) fn totals(asked: &Asked, totals: Totals) -> Result<pb::CostTotals, Status> {
    let money = |cents| Some(wire_money(cents, &asked.county.profile.currency));
    let absorbed = totals.absorbed().map_err(|error| uncounted(&error.into()))?;
    Ok(pb::CostTotals {
        incurred: money(totals.incurred),
        covered: money(totals.covered),
        absorbed: money(absorbed),
        marginal: totals.marginal.and_then(money),
    })
}

/// The word of a key.
pub(super) fn group(by: GroupBy) -> pb::GroupBy {
    match by {
        GroupBy::Month => pb::GroupBy::Month,
        GroupBy::Week => pb::GroupBy::Week,
        GroupBy::CustodyMonth => pb::GroupBy::CustodyMonth,
        GroupBy::Facility => pb::GroupBy::Facility,
        GroupBy::Office => pb::GroupBy::Office,
        GroupBy::Component => pb::GroupBy::Component,
        GroupBy::Revision => pb::GroupBy::Revision,
        GroupBy::Mode => pb::GroupBy::Mode,
        GroupBy::Agreement => pb::GroupBy::Agreement,
        GroupBy::Edition => pb::GroupBy::FormEdition,
        GroupBy::EndReason => pb::GroupBy::EndReason,
        GroupBy::DecisionReason => pb::GroupBy::DecisionReason,
    }
}

fn value(asked: &Asked, key: &Key) -> String {
    let id = &asked.id;
    match key {
        Key::Month(year, month) => format!("{year:04}-{month:02}"),
        Key::Week(year, week) => format!("{year:04}-W{week:02}"),
        Key::Facility(facility) => of::facility(id, facility),
        Key::Office(code) => code.to_string(),
        Key::Component(component) => component.map(|c| wire_component(c).as_str_name().to_owned()).unwrap_or_default(),
        Key::Revision(revision) => revision.as_ref().map(|r| of::revision(id, r)).unwrap_or_default(),
        Key::Mode(mode) => mode.map(|mode| wire_mode(mode).as_str_name().to_owned()).unwrap_or_default(),
        Key::Agreement(agreement) => agreement.as_ref().map(|a| of::agreement(id, a)).unwrap_or_default(),
        Key::Edition(edition) => edition.map(|e| wire_edition(e).as_str_name().to_owned()).unwrap_or_default(),
        Key::EndReason(end) => end.map(|end| wire_hold_end(end).as_str_name().to_owned()).unwrap_or_default(),
        Key::DecisionReason(why) => why.map(|why| word(why).as_str_name().to_owned()).unwrap_or_default(),
    }
}

/// The keys of a row.
pub(super) fn keys(asked: &Asked, by: &[GroupBy], keys: &[Key]) -> Vec<pb::GroupKey> {
    let one = |(by, key): (&GroupBy, &Key)| pb::GroupKey { group_by: group(*by).into(), value: value(asked, key) };
    by.iter().zip(keys).map(one).collect()
}

pub(super) fn decision_row(asked: &Asked, by: &[GroupBy], row: &DecisionRow) -> pb::DecisionReportRow {
    let reasons = |counts: &BTreeMap<Why, i64>| {
        let one = |(why, count): (&Why, &i64)| pb::DecisionReasonCount { reason: word(*why).into(), count: *count };
        let mut all: Vec<pb::DecisionReasonCount> = counts.iter().map(one).collect();
        all.sort_by_key(|count| count.reason);
        all
    };
    pb::DecisionReportRow {
        keys: keys(asked, by, &row.keys),
        received: row.received,
        honored: row.honored,
        declined: row.declined,
        needs_review: row.needs_review,
        held: row.held,
        handed_over: row.handed_over,
        honored_never_in_effect: row.honored_never_in_effect,
        lifted: row.lifted,
        not_honored: reasons(&row.not_honored),
        honored_by_reason: reasons(&row.honored_by_reason),
    }
}

pub(super) fn cost_row(asked: &Asked, by: &[GroupBy], row: &CostRow) -> Result<pb::CostReportRow, Status> {
    let by_authority = |(authority, part): (&Authority, &Part)| {
        Ok(pb::CostByAuthority {
            authority: wire_authority(*authority).into(),
            duration: Some(wire_duration(part.us)),
            totals: Some(totals(asked, part.totals)?),
        })
    };
    Ok(pb::CostReportRow {
        keys: keys(asked, by, &row.keys),
        hold_count: i64::try_from(row.holds).unwrap_or(i64::MAX),
        duration: Some(wire_duration(row.all.us)),
        totals: Some(totals(asked, row.all.totals)?),
        by_authority: row.by_authority.iter().map(by_authority).collect::<Result<_, Status>>()?,
    })
}

fn wire_cause(cause: PostingCause) -> pb::PostingCause {
    match cause {
        PostingCause::CustodyClosed => pb::PostingCause::CustodyClosed,
        PostingCause::LateFact => pb::PostingCause::LateFact,
        PostingCause::Correction => pb::PostingCause::Correction,
        PostingCause::Rate => pb::PostingCause::Rate,
        PostingCause::Agreement => pb::PostingCause::Agreement,
        PostingCause::Policy => pb::PostingCause::Policy,
        PostingCause::PeriodClosed => pb::PostingCause::PeriodClosed,
    }
}

pub(super) fn line(asked: &Asked, line: &Line) -> Result<pb::CostLine, Status> {
    let (id, booking, cost) = (&asked.id, &line.booking, &line.cost);
    let hold = |hold: &HoldId| of::hold(id, booking, hold);
    let detainer = |detainer: &DetainerId| of::detainer(id, booking, detainer);
    Ok(pb::CostLine {
        booking: of::booking(id, booking),
        hold: cost.hold.as_ref().map(hold).unwrap_or_default(),
        detainer: cost.detainer.as_ref().map(detainer).unwrap_or_default(),
        facility: of::facility(id, &cost.facility),
        office_code: line.office.to_string(),
        form_edition: line.edition.map_or(0, |edition| wire_edition(edition).into()),
        policy_revision: cost.revision.as_ref().map(|r| of::revision(id, r)).unwrap_or_default(),
        policy_mode: line.mode.map_or(0, |mode| wire_mode(mode).into()),
        agreement: cost.agreement.as_ref().map(|a| of::agreement(id, a)).unwrap_or_default(),
        rate: cost.rate.as_ref().map(|rate| of::rate(id, rate)).unwrap_or_default(),
        interval: Some(wire_interval(cost.span)),
        authority: wire_authority(cost.authority).into(),
        totals: Some(totals(asked, line.totals())?),
        end_reason: line.end_reason.map_or(0, |end| wire_hold_end(end).into()),
        decision_reason: line.decision_reason.map_or(0, |why| word(why).into()),
        sequence: line.seq,
        time_zone: asked.county.zone_of(&cost.facility).to_string(),
        accounted_date: Some(line.day).filter(|day| *day != cost.local_day).map(wire_date),
        cause: line.booked.map_or(0, |(cause, _)| wire_cause(cause).into()),
        reversal: line.booked.is_some_and(|(_, reversal)| reversal),
        component: line.component.map_or(0, |component| wire_component(component).into()),
    })
}

pub(super) fn register_row(asked: &Asked, row: &RegisterRow) -> Result<pb::HoldRegisterRow, Status> {
    let (id, booking, hold) = (&asked.id, &row.booking, &row.hold);
    let held = |time: HeldTime| pb::HeldTime {
        held: Some(wire_duration(time.held_us)),
        past_contiguous: Some(wire_duration(time.past_contiguous_us)),
        past_business: Some(wire_duration(time.past_business_us)),
        past_deadline: Some(wire_duration(time.past_deadline_us)),
    };
    Ok(pb::HoldRegisterRow {
        booking: of::booking(id, booking),
        hold: of::hold(id, booking, &hold.id),
        detainer: of::detainer(id, booking, &hold.detainer),
        facility: of::facility(id, &hold.facility),
        office_code: hold.office.to_string(),
        form_edition: hold.edition.map_or(0, |edition| wire_edition(edition).into()),
        policy_revision: of::revision(id, &hold.revision),
        t0: Some(stamp(hold.t0)),
        start_time: Some(stamp(hold.start)),
        deadline: stamp_unless_far(hold.deadline),
        contiguous_deadline: stamp_unless_far(hold.contiguous),
        business_deadline: stamp_unless_far(hold.business),
        end_time: row.ended.map(stamp),
        end_reason: row.ended.map_or(0, |_| wire_hold_end(hold.reason).into()),
        booking_end_time: row.booking_ended.map(stamp),
        by_hold_end: Some(held(row.by_hold_end)),
        by_release: Some(held(row.by_release)),
        hold_cost: Some(totals(asked, row.hold_cost)?),
        over_detained_cost: Some(totals(asked, row.over_detained_cost)?),
        late: row.late,
        continues: hold.continues.as_ref().map(|earlier| of::hold(id, booking, earlier)).unwrap_or_default(),
        time_zone: row.zone.to_string(),
        component: row.component.map_or(0, |component| wire_component(component).into()),
        policy_mode: row.mode.map_or(0, |mode| wire_mode(mode).into()),
        decision_reason: row.decision_reason.map_or(0, |why| word(why).into()),
        agreement: row.agreement.as_ref().map(|agreement| of::agreement(id, agreement)).unwrap_or_default(),
    })
}

pub(super) fn overdetention_row(asked: &Asked, row: &OverdetentionRow) -> Result<pb::OverdetentionRow, Status> {
    let (id, booking) = (&asked.id, &row.booking);
    let cause = match row.cause {
        Cause::NoDetainer => pb::OverdetentionCause::NoDetainer,
        Cause::NotHonored => pb::OverdetentionCause::NotHonored,
        Cause::NotInEffect => pb::OverdetentionCause::NotInEffect,
        Cause::PastDeadline => pb::OverdetentionCause::PastDeadline,
        Cause::HoldEnded => pb::OverdetentionCause::HoldEnded,
    };
    Ok(pb::OverdetentionRow {
        booking: of::booking(id, booking),
        facility: of::facility(id, &row.facility),
        t0: Some(stamp(row.t0)),
        since_time: Some(stamp(row.since)),
        end_time: row.ended.map(stamp),
        duration: Some(wire_duration(row.us)),
        duration_less_allowance: Some(wire_duration(row.us_less_allowance)),
        hold: row.hold.as_ref().map(|hold| of::hold(id, booking, hold)).unwrap_or_default(),
        cause: cause.into(),
        totals: Some(totals(asked, row.totals)?),
        time_zone: asked.county.zone_of(&row.facility).to_string(),
    })
}
