//! May this person be held at this instant? The answer that everything else is for (DOMAIN.md §10.1).
//!
//! Custody is worked out when something is recorded, with every known breakpoint ahead, so the stored answer stays right
//! without a timer. Only where money had to be set apart since, or the end of the authority has come, the answer is
//! worked out afresh. It never gives authority that the record does not.

use super::authority;
use super::booking::{Booking, Ground, PostingCause};
use super::clock::Readings;
use super::county::County;
use super::decide::consequences;
use super::deciding::Moment;
use super::decision::{Outcome, Trigger};
use super::detainer::Detainer;
use super::gap::{Authority, Gap, Segment};
use super::ids::{DetainerId, HoldId, RevisionId};
use super::refusal::Refusal;
use super::settling;
use super::time::Instant;
use std::borrow::Cow;

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// A basis keeps the person.
    KeepOnBasis,
    /// Hold until the end of the authority, then release.
    HoldUntil,
    /// Nothing covers the custody.
    ReleaseNow,
    /// Nothing covers the custody; a detainer is honored, but not served.
    ServeOrRelease,
    /// The bases are not known.
    EstablishBases,
    /// Not in custody.
    Nothing,
}

/// Whether a person may be held at an instant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What to do; with it, on what ground the person is in custody.
    pub next: Next,
    /// The hold that gives authority then. Nothing: no detainer may hold.
    pub hold: Option<HoldId>,
    /// The exclusive end of that authority.
    pub until: Option<Instant>,
    /// The request that holds, or else the last that could have.
    pub detainer: Option<DetainerId>,
    /// The number of its decision in force.
    pub decision: Option<u32>,
    /// The revision of that decision.
    pub revision: Option<RevisionId>,
    /// The governing deadline of the stretch after T0, where a request gives one.
    pub deadline: Option<Instant>,
    /// The two readings of 48 hours of that stretch.
    pub readings: Option<Readings>,
    /// Since when the person should have been out.
    pub over_since: Option<Instant>,
    /// The T0 of that stretch.
    pub t0: Option<Instant>,
    /// By what right the person is in custody after T0; nothing where a basis keeps them or custody has ended.
    pub authority: Option<Authority>,
}

/// Answers for an instant, by what is recorded. `recorded` is the time of the county's last record that counts.
///
/// # Errors
/// Where an amount passes what money can be. That is no answer, and no answer means no authority.
pub fn check(county: &County, booking: &Booking, recorded: Instant, at: Instant) -> Result<Answer, Refusal> {
    let booking = &*afresh(county, booking, recorded, at)?;
    let gap = booking.custody.gaps.iter().rfind(|gap| gap.t0 <= at && (at < gap.end || gap.end == booking.ended()));
    let ground = booking.ground_at(at);
    let gap = gap.filter(|_| !matches!(ground, Ground::Basis(_) | Ground::NotKnown));
    let hold = booking.running_hold(at);
    let concerned = concerned(booking, gap, at);
    let decision = concerned.and_then(|detainer| detainer.decision_at(at));
    let clock = gap.and_then(|gap| authority::clock_of(county, booking, gap.t0, at));
    let deadline = clock.and_then(|(deadline, _)| deadline);
    let next = match ground {
        Ground::NotInCustody => Next::Nothing,
        Ground::NotKnown => Next::EstablishBases,
        Ground::Basis(_) => Next::KeepOnBasis,
        Ground::Detainer(..) => Next::HoldUntil,
        Ground::None(_) if deadline.is_some_and(|end| at < end) && only_service_lacks(booking, at) => Next::ServeOrRelease,
        Ground::None(_) => Next::ReleaseNow,
    };
    Ok(Answer {
        next,
        hold: hold.map(|hold| hold.id.clone()),
        until: hold.map(|hold| hold.until),
        detainer: concerned.map(|detainer| detainer.id.clone()),
        decision: decision.map(|decision| decision.n),
        revision: decision.and_then(|decision| decision.revision.clone()),
        deadline,
        readings: clock.map(|(_, readings)| readings),
        over_since: booking.over_since(at),
        t0: gap.map(|gap| gap.t0),
        authority: match ground {
            Ground::Detainer(_, segment) => Some(segment.authority),
            Ground::None(_) => Some(Authority::OverDetained),
            Ground::Basis(_) | Ground::NotKnown | Ground::NotInCustody => None,
        },
    })
}

/// Whether no hold may begin on a request any more, whatever its answer: it was lifted or replaced, the stay has ended, a
/// hold of the stay came to its end, or the time that was left from T0 is used up (DOMAIN.md §4 *Never again*).
#[must_use]
pub fn is_over(county: &County, booking: &Booking, detainer: &Detainer, at: Instant) -> bool {
    let custody = &booking.custody;
    let ended =
        !booking.is_open(detainer, at) || custody.barred.is_some_and(|barred| barred <= at) || authority::is_dead(custody, at);
    let gap = custody.gaps.iter().find(|gap| gap.t0 <= at && at < gap.end && booking.running_hold(at).is_none());
    let used_up = gap.and_then(|gap| authority::clock_of(county, booking, gap.t0, at)).and_then(|(deadline, _)| deadline);
    ended || used_up.is_some_and(|deadline| deadline <= at)
}

/// The booking as a record made at `at` would leave it, where the stored state may no longer say all (DOMAIN.md §10.25);
/// as it is otherwise, and wherever something was recorded later. Balances are those recorded. What is not recorded gives
/// no authority (§5 *From when*).
///
/// # Errors
/// Where an amount passes what money can be.
pub fn afresh<'a>(county: &County, booking: &'a Booking, recorded: Instant, at: Instant) -> Result<Cow<'a, Booking>, Refusal> {
    let over = booking.authority_until().is_some_and(|until| until <= at);
    if at < recorded || (!over && settling::due(county, booking, at).is_none()) {
        return Ok(Cow::Borrowed(booking));
    }
    let mut now = booking.clone();
    let (seq, changed) = (booking.seq.saturating_add(1), &Trigger::FactChanged);
    let moment = Moment { now: at, seq, history: false, trigger: None, changed, retold: false };
    consequences(county, &mut now, &moment, authority::Known::Stays, PostingCause::Agreement, &mut Vec::new())?;
    let more = now.running_hold(at).is_some() && booking.running_hold(at).is_none();
    Ok(if more { Cow::Borrowed(booking) } else { Cow::Owned(now) })
}

/// The request that the answer is about.
fn concerned<'a>(booking: &'a Booking, gap: Option<&Gap>, at: Instant) -> Option<&'a Detainer> {
    let segments: &[Segment] = gap.map(|gap| gap.segments.as_slice()).unwrap_or_default();
    let rested = segments.iter().filter(|s| s.span.start <= at).rev().find_map(|s| s.rests_on.as_ref());
    if let Some(detainer) = rested.and_then(|rests_on| booking.detainer(&rests_on.detainer)) {
        return Some(detainer);
    }
    let could = |d: &&Detainer| {
        let honored = d.decision_at(at).is_some_and(|decision| decision.outcome == Outcome::Honor);
        (booking.is_open(d, at) && honored, d.received.effective, d.received.seq)
    };
    booking.detainers.iter().filter(|d| d.received.effective <= at).max_by_key(could)
}

/// Whether a hold could still begin if only a copy were served: a request is honored and open, and no hold of the booking
/// has come to its end.
fn only_service_lacks(booking: &Booking, at: Instant) -> bool {
    let waits = |d: &&Detainer| {
        let served = d.service.as_ref().is_some_and(|s| s.at.effective <= at);
        let honored = d.decision_at(at).is_some_and(|decision| decision.outcome == Outcome::Honor);
        d.received.effective <= at && booking.is_open(d, at) && honored && d.form.edition.needs_service() && !served
    };
    booking.custody.barred.is_none() && !authority::is_dead(&booking.custody, at) && booking.detainers.iter().any(|d| waits(&d))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::detainer::Edition;
    use crate::domain::facts::CloseReason;
    use crate::domain::policy::Mode;
    use crate::domain::rate::DayCount;
    use crate::domain::testing::{World, agreement, cents, day, form, instant, rate, revision};
    use crate::domain::time::{HOUR_US, Zone};
    use crate::domain::timeline::{On, timeline};

    /// A rule, a promise with a ceiling where one is told, one stay with a request; T0 four minutes ahead of the clock.
    fn world(mode: Mode, ceiling: Option<&str>) -> (World, Instant) {
        let start = instant("2018-03-01T00:00:00Z");
        let mut world = World::new(Zone::UTC, start);
        world.switch(revision("r1", mode), start).unwrap();
        world.price(rate("p1", "100.00", DayCount::Hourly, day("2018-01-01"))).unwrap();
        if let Some(ceiling) = ceiling {
            let mut promise = agreement("G", Zone::UTC, day("2018-01-01"));
            promise.budget = Some(cents(ceiling));
            world.promise(promise).unwrap();
        }
        world.book("B", "s", Some(&["c"]), start).unwrap();
        world.receive("B", "D", form(Edition::I247Of2012), None, start).unwrap();
        let t0 = start.plus_us(HOUR_US / 15);
        world.close("B", "c", CloseReason::BailPosted, t0).unwrap();
        (world, t0)
    }

    fn ask(world: &World, at: Instant) -> Answer {
        check(world.state(), world.booking("B"), world.now(), at).unwrap()
    }

    #[test]
    fn a_balance_that_would_not_suffice_gives_no_authority_before_any_record_says_so() {
        // Forty-eight hours at 100.00 a day are 200.00.
        for (ceiling, holds) in [("200.00", true), ("199.99", false)] {
            let (world, t0) = world(Mode::RequireReimbursementGuarantee, Some(ceiling));
            assert!(world.may_hold("B", t0), "what is stored still says so");
            let before = ask(&world, t0.plus_us(-1));
            assert_eq!((before.next, before.hold), (Next::KeepOnBasis, None));
            let answer = ask(&world, t0);
            assert_eq!(answer.hold.is_some(), holds, "{ceiling}: {answer:?}");
            assert_eq!(answer.over_since, (!holds).then_some(t0));
        }
    }

    #[test]
    fn the_answer_changes_at_the_instant_and_not_before() {
        let (world, t0) = world(Mode::HonorAlways, None);
        let end = t0.plus_us(48 * HOUR_US);
        let last = ask(&world, end.plus_us(-1));
        assert_eq!((last.next, last.until, last.deadline), (Next::HoldUntil, Some(end), Some(end)));
        let over = ask(&world, end);
        assert_eq!((over.next, over.hold, over.until), (Next::ReleaseNow, None, None));
        assert_eq!((over.over_since, over.t0, over.decision), (Some(end), Some(t0), Some(1)));
        assert_eq!(over.detainer, last.detainer, "the last that could have");
    }

    #[test]
    fn no_hold_begins_any_more_once_one_has_ended_its_time_is_used_up_or_the_form_is_withdrawn() {
        let over = |world: &World, at| is_over(world.state(), world.booking("B"), world.detainer("B", "D"), at);
        let at = |t0: Instant, hours: i64| t0.plus_us(hours * HOUR_US);
        let (held, t0) = world(Mode::HonorAlways, None);
        for (hours, expected) in [(-1, false), (0, false), (47, false), (48, true), (90, true)] {
            assert_eq!(over(&held, at(t0, hours)), expected, "held, {hours} hours after T0");
        }

        // Never served: no hold runs, and its time runs out all the same.
        let start = instant("2018-03-01T00:00:00Z");
        let mut unserved = World::new(Zone::UTC, start);
        unserved.switch(revision("r1", Mode::HonorAlways), start).unwrap();
        unserved.book("B", "s", Some(&["c"]), start).unwrap();
        unserved.receive("B", "D", form(Edition::I247D), None, start).unwrap();
        assert!(!over(&unserved, at(start, 100)), "a basis is open");
        unserved.close("B", "c", CloseReason::BailPosted, start).unwrap();
        for (hours, expected) in [(0, false), (47, false), (48, true)] {
            assert_eq!(over(&unserved, at(start, hours)), expected, "not served, {hours} hours after T0");
        }

        // A new basis interrupts, and another hold may follow; a lift leaves nothing.
        let (mut open, t0) = world(Mode::HonorAlways, None);
        open.at(at(t0, 10)).open("B", "c2", at(t0, 10)).unwrap();
        assert!(!over(&open, at(t0, 60)));
        open.lift("B", "D", at(t0, 10)).unwrap();
        assert!(!over(&open, at(t0, 9)) && over(&open, at(t0, 10)));
    }

    #[test]
    fn a_ground_that_was_recorded_late_is_told_apart() {
        let start = instant("2018-03-01T00:00:00Z");
        let mut world = World::new(Zone::UTC, start);
        world.switch(revision("r1", Mode::HonorAlways), start).unwrap();
        world.book("B", "s", Some(&["c"]), start).unwrap();
        let t0 = start.plus_us(HOUR_US);
        world.at(start.plus_us(6 * HOUR_US));
        world.close("B", "c", CloseReason::BailPosted, t0).unwrap();
        // Received in time, told five hours after T0.
        world.receive("B", "D", form(Edition::I247Of2012), None, start).unwrap();
        for (hours, authority) in [(0, None), (1, Some(Authority::AuthorizedLate)), (7, Some(Authority::Authorized))] {
            let answer = ask(&world, start.plus_us(hours * HOUR_US));
            assert_eq!(answer.authority, authority, "{hours} hours in: {answer:?}");
        }
        let over = ask(&world, t0.plus_us(48 * HOUR_US));
        assert_eq!((over.authority, over.hold), (Some(Authority::OverDetained), None));
    }

    #[test]
    fn a_rule_that_declines_says_since_when_the_person_should_have_been_out() {
        let (world, t0) = world(Mode::DeclineAll, None);
        let answer = ask(&world, t0.plus_us(HOUR_US));
        assert_eq!((answer.next, answer.over_since, answer.deadline), (Next::ReleaseNow, Some(t0), None));
        assert_eq!(answer.readings.map(|both| both.contiguous), Some(t0.plus_us(48 * HOUR_US)));
    }

    #[test]
    fn a_timeline_ends_where_it_is_asked_to() {
        let (world, t0) = world(Mode::HonorAlways, None);
        let booking = world.booking("B");
        let spans = |at: Instant| timeline(booking, at).iter().map(|s| (s.span.start, s.span.end)).collect::<Vec<_>>();
        let booked = booking.booked.effective;
        assert_eq!(spans(booked.plus_us(-1)), []);
        assert_eq!(spans(t0.plus_us(-1)), [(booked, Instant::FAR)]);
        assert_eq!(spans(t0), [(booked, t0), (t0, Instant::FAR)]);
        let end = t0.plus_us(48 * HOUR_US);
        assert_eq!(spans(end), [(booked, t0), (t0, end), (end, Instant::FAR)]);
        assert!(matches!(timeline(booking, end)[1].on, On::AfterT0(segment, Some(_)) if segment.is_held()));
    }
}
