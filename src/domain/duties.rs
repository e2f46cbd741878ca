//! What has to be told to whom, and by when (DOMAIN.md §2 *Duties*).
//!
//! Duties to the issuing office exist only where the decision's notify answer is yes. A duty that was carried out
//! stays carried out unless its due time moves.

use super::booking::Booking;
use super::detainer::{Detainer, Done, Duty, DutyKind};
use super::facts::{EndKind, Fact, Source, Stamp};
use super::time::{DAY_US, Instant};

/// Hours within which an acknowledgement and the copies to the subject are due, from receipt.
pub const ANSWER_WITHIN_US: i64 = DAY_US;
/// How far ahead notice of a known release date is due.
pub const NOTICE_AHEAD_US: i64 = 2 * DAY_US;

/// Every duty of a request as it is now.
#[must_use]
pub fn duties(booking: &Booking, detainer: &Detainer) -> Vec<Duty> {
    let mut all = Vec::with_capacity(4);
    let mut owe = |kind: DutyKind, due: Instant, done: Option<Done>| all.push(Duty { kind, due, done });
    let received = detainer.received.effective;
    let Some(last) = detainer.decisions.last() else { return all };

    let answer_by = received.plus_us(ANSWER_WITHIN_US);
    owe(DutyKind::CopyToSubject, answer_by, detainer.service.as_ref().map(|s| shown(s.at, &s.source)));
    owe(DutyKind::DecisionToSubject, last.at.effective.max(received).plus_us(ANSWER_WITHIN_US), None);
    if last.notify {
        owe(DutyKind::Acknowledge, answer_by, None);
        if let Some(due) = release_notice(booking) {
            owe(DutyKind::NotifyRelease, due, None);
        }
        match &booking.ending {
            Some(end) if end.kind == EndKind::Died => owe(DutyKind::NotifyDeath, end.at.effective, None),
            Some(end) if end.kind == EndKind::TransferredOut => {
                owe(DutyKind::NotifyTransfer, end.at.effective, None);
                owe(DutyKind::RelayForm, end.at.effective, None);
            }
            _ => {}
        }
        if let Some(at) =
            latest(booking, |f| matches!(f, Fact::Hospitalization(h) if h.end.is_none())).filter(|at| *at >= received)
        {
            owe(DutyKind::NotifyHospital, at, None);
        }
    }
    if let Some(at) = latest(booking, |f| matches!(f, Fact::CitizenshipClaim)) {
        let proof = booking.facts.iter().find(|f| matches!(f.fact, Fact::StatusProof(_)));
        owe(DutyKind::CitizenshipClaim, at, proof.map(|f| shown(f.at, &f.source)));
    }
    for duty in &mut all {
        let before = detainer.duties.iter().find(|d| d.kind == duty.kind && (d.due == duty.due || !moves(d.kind)));
        duty.done = duty.done.take().or_else(|| before.and_then(|d| d.done.clone()));
    }
    if let Some(told) = all.iter().find(|d| d.kind == DutyKind::NotifyRelease).and_then(|d| d.done.as_ref()) {
        let due = told.at.effective;
        let before = detainer.duties.iter().find(|d| d.kind == DutyKind::ReleaseDateToSubject && d.due == due);
        let done = before.and_then(|d| d.done.clone());
        all.push(Duty { kind: DutyKind::ReleaseDateToSubject, due, done });
    }
    all
}

/// Carried out by what another record shows.
fn shown(at: Stamp, source: &Source) -> Done {
    Done { at, method: None, source: source.clone() }
}

/// Whether a duty is owed again when its due time moves: release dates and hospital stays do.
fn moves(kind: DutyKind) -> bool {
    matches!(kind, DutyKind::NotifyRelease | DutyKind::NotifyHospital | DutyKind::ReleaseDateToSubject)
}

/// When notice of release is due: 48 hours ahead of a known date, at once where T0 has come or custody has ended.
fn release_notice(booking: &Booking) -> Option<Instant> {
    if let Some(end) = &booking.ending {
        return Some(booking.open_gap().map_or(end.at.effective, |g| g.t0));
    }
    if let Some(gap) = booking.open_gap() {
        return Some(gap.t0);
    }
    let mut expected = booking.facts.iter().filter_map(|f| match &f.fact {
        Fact::ExpectedRelease(e) => Some(e.at),
        _ => None,
    });
    expected.next_back().flatten().map(|at| at.plus_us(-NOTICE_AHEAD_US))
}

fn latest(booking: &Booking, is: impl Fn(&Fact) -> bool) -> Option<Instant> {
    booking.facts.iter().filter(|f| is(&f.fact)).map(|f| f.at.effective).max()
}
