//! What has to be told to whom, and by when (DOMAIN.md §2 *Duties*).
//!
//! Duties to the issuing office exist only where the decision's notify answer is yes. A duty that was carried out
//! stays carried out unless the date it spoke of moves.

use super::booking::Booking;
use super::detainer::{Detainer, Done, Duty, DutyKind};
use super::facts::{EndKind, Fact, Source, Stamp};
use super::time::{DAY_US, HOUR_US, Instant};

/// Hours within which an acknowledgement and the copies to the subject are due, from receipt.
pub const ANSWER_WITHIN_US: i64 = DAY_US;
/// How far ahead notice of a known release date is due.
pub const NOTICE_AHEAD_US: i64 = 2 * DAY_US;

/// Every duty of a request, as known at `now`.
///
/// Whether the office is told of an event is what the decision in force at that event says; a decision made ahead says
/// nothing of what comes before it. A request that has ended by then asks for nothing any more, and its answer is the last
/// one it had while it was open: what the end of an agreement makes of it afterwards is no answer to it.
#[must_use]
pub fn duties(booking: &Booking, detainer: &Detainer, now: Instant) -> Vec<Duty> {
    let received = detainer.received.effective;
    let closed = detainer.ended().min(booking.ended());
    let open = now.min(closed.plus_us(-1)).max(received);
    let Some(current) = detainer.decision_at(open) else { return Vec::new() };
    let mut all = Vec::with_capacity(4);
    let mut owe = |kind: DutyKind, due: Instant, done: Option<Done>| all.push(Duty { kind, due, done });

    let answer_by = received.plus_us(ANSWER_WITHIN_US);
    owe(DutyKind::CopyToSubject, answer_by, detainer.service.as_ref().map(|s| shown(s.at, &s.source)));
    owe(DutyKind::DecisionToSubject, current.at.effective.max(received).plus_us(ANSWER_WITHIN_US), None);
    if current.notify {
        owe(DutyKind::Acknowledge, answer_by, None);
    }
    let told_of = |at: Instant| at < detainer.ended() && detainer.decision_at(at.max(received)).is_some_and(|d| d.notify);
    let release = release(booking).filter(|release| told_of(release.at));
    if let Some(release) = &release {
        // A release that came unforeseen is told of within the hours that the policy names.
        let hours = detainer.decision_at(release.at.max(received)).and_then(|decision| decision.notice_hours);
        let within = if release.due == release.at { hours.map_or(0, i64::from) * HOUR_US } else { 0 };
        owe(DutyKind::NotifyRelease, release.due.plus_us(within), None);
    }
    if let Some(end) = booking.ending.as_ref().filter(|end| told_of(end.at.effective)) {
        let kinds: &[DutyKind] = match end.kind {
            EndKind::Died => &[DutyKind::NotifyDeath],
            EndKind::TransferredOut => &[DutyKind::NotifyTransfer, DutyKind::RelayForm],
            EndKind::Released | EndKind::FederalCustody | EndKind::Escaped => &[],
        };
        for kind in kinds {
            owe(*kind, end.at.effective, None);
        }
    }
    let hospital = latest(booking, |f| matches!(f, Fact::Hospitalization(h) if h.end.is_none()));
    if let Some(at) = hospital.filter(|at| *at >= received && told_of(*at)) {
        owe(DutyKind::NotifyHospital, at, None);
    }
    if let Some(at) = latest(booking, |f| matches!(f, Fact::CitizenshipClaim)) {
        let proof = booking.facts.iter().find(|f| matches!(f.fact, Fact::StatusProof(_)));
        owe(DutyKind::CitizenshipClaim, at, proof.map(|f| shown(f.at, &f.source)));
    }
    for duty in &mut all {
        let same_date = |d: &Duty| release.as_ref().is_some_and(|r| d.due == r.at || d.due == r.at.plus_us(-NOTICE_AHEAD_US));
        let same = |d: &Duty| match duty.kind {
            DutyKind::NotifyRelease => same_date(d),
            kind => d.due == duty.due || !kind.moves(),
        };
        let before = detainer.duties.iter().find(|d| d.kind == duty.kind && d.done.is_some() && same(d));
        if let Some(before) = before.filter(|_| duty.done.is_none()) {
            *duty = before.clone();
        }
    }
    let noticed = all.iter().filter(|d| d.kind == DutyKind::NotifyRelease).filter_map(|d| d.done.as_ref());
    let given_out = latest(booking, |f| matches!(f, Fact::ExpectedRelease(e) if e.given_out));
    if let Some(due) = noticed.map(|done| done.at.effective).chain(given_out).filter(|at| *at >= received).max() {
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

/// A release that the office may have to be told of.
struct Release {
    /// When it comes, or came.
    at: Instant,
    /// When notice is due.
    due: Instant,
}

/// The T0 that custody has come to, or at which it ended; else the end itself; else the date expected. Notice is due 48
/// hours ahead of a known date, and at once where the release has come.
fn release(booking: &Booking) -> Option<Release> {
    let come = |at: Instant| Some(Release { at, due: at });
    if let Some(end) = &booking.ending {
        let last = booking.custody.gaps.last().filter(|g| g.end == end.at.effective);
        return come(last.map_or(end.at.effective, |g| g.t0));
    }
    if let Some(gap) = booking.open_gap() {
        return come(gap.t0);
    }
    let mut expected = booking.facts.iter().filter_map(|f| match &f.fact {
        Fact::ExpectedRelease(e) => Some(e.at),
        _ => None,
    });
    expected.next_back().flatten().map(|at| Release { at, due: at.plus_us(-NOTICE_AHEAD_US) })
}

fn latest(booking: &Booking, is: impl Fn(&Fact) -> bool) -> Option<Instant> {
    booking.facts.iter().filter(|f| is(&f.fact)).map(|f| f.at.effective).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::detainer::Edition;
    use crate::domain::facts::{BailSet, CloseReason};
    use crate::domain::policy::Mode;
    use crate::domain::testing::{World, agreement, cents, day, form, instant, revision};
    use crate::domain::time::Zone;

    /// Honored only with a guarantee, which ends in February. The person was let go, or the request withdrawn, in January: a
    /// record of March that works duties out anew leaves them as they were.
    #[test]
    fn an_agreement_that_ends_later_changes_no_duty_of_what_was_over() {
        for withdrawn in [false, true] {
            let start = instant("2024-01-01T00:00:00Z");
            let mut world = World::new(Zone::UTC, start);
            world.switch(revision("r1", Mode::RequireReimbursementGuarantee), start.plus_us(HOUR_US)).expect("a revision");
            let mut paid = agreement("ice", Zone::UTC, day("2024-01-01"));
            paid.end = Some(day("2024-02-01"));
            world.promise(paid).expect("an agreement");
            let (booked, t0, end) =
                (instant("2024-01-02T00:00:00Z"), instant("2024-01-04T00:00:00Z"), instant("2024-01-05T00:00:00Z"));
            world.at(booked).book("b1", "s1", Some(&["c1"]), booked).expect("a booking");
            world.receive("b1", "d1", form(Edition::I247A), Some(booked), booked).expect("a detainer");
            if withdrawn {
                world.at(t0).lift("b1", "d1", t0).expect("a withdrawal");
            } else {
                world.at(t0).close("b1", "c1", CloseReason::BailPosted, t0).expect("T0");
                world.at(end).end("b1", EndKind::FederalCustody, Some(end)).expect("an end");
            }
            let before = world.detainer("b1", "d1").duties.clone();
            assert!(before.iter().any(|duty| duty.kind == DutyKind::Acknowledge), "{before:?}");
            assert!(world.detainer("b1", "d1").decision_at(instant("2024-03-01T00:00:00Z")).is_some_and(|d| !d.notify));

            world.at(instant("2024-03-01T00:00:00Z"));
            world.fact("b1", Fact::BailSet(BailSet { amount: cents("1.00") }), booked.plus_us(HOUR_US)).expect("a late fact");
            assert_eq!(world.detainer("b1", "d1").duties, before, "withdrawn: {withdrawn}");
        }
    }
}
