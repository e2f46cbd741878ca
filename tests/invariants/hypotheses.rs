//! A past told anew: to the rules as they were it is that past; to a rule that honors more, nobody is held less.

use super::history::{Act, History, histories, tell};
use super::properties::{cases, instants};
use detainer::domain::booking::Booking;
use detainer::domain::decision::Outcome;
use detainer::domain::gap::Authority;
use detainer::domain::policy::Mode;
use detainer::domain::retelling::{self, Hypothesis};
use detainer::domain::time::{Instant, Span};
use proptest::prelude::*;

/// With what authority a booking's custody after T0 was spent. Records of one instant are some microseconds apart, and what
/// was known only between them is left out.
fn grounds(booking: &Booking) -> Vec<(Span, Authority)> {
    const INSTANT_US: i64 = 1_000;
    let mut grounds: Vec<(Span, Authority)> = Vec::new();
    let segments = booking.custody.gaps.iter().flat_map(|gap| &gap.segments);
    for segment in segments.filter(|segment| segment.span.len_us() > INSTANT_US) {
        let start = segment.span.start;
        match grounds.last_mut() {
            Some((last, same)) if last.end.plus_us(INSTANT_US) > start && *same == segment.authority => {
                last.end = segment.span.end;
            }
            Some((last, _)) if last.end.plus_us(INSTANT_US) > start => {
                let span = Span::new(last.end, segment.span.end);
                grounds.push((span, segment.authority));
            }
            _ => grounds.push((segment.span, segment.authority)),
        }
    }
    grounds
}

fn answers(booking: &Booking, at: Instant) -> Vec<Option<Outcome>> {
    let open = booking.detainers.iter().filter(|detainer| booking.is_open(detainer, at));
    open.map(|detainer| detainer.decision_at(at).map(|decision| decision.outcome)).collect()
}

/// A history in which everything is told as it happens, nothing is corrected or promised afterwards, and no promise has a
/// budget, which would have to be shared out among bookings.
fn on_time(mut history: History) -> History {
    for step in &mut history.steps {
        step.late = 0;
        if let Act::Promise { from, budget, .. } = &mut step.act {
            (*from, *budget) = ((*from).max(0), 0);
        }
    }
    history.steps.retain(|step| {
        !matches!(
            step.act,
            Act::Correct { .. } | Act::Confirm { .. } | Act::Amend { .. } | Act::Terminate { .. } | Act::Again { .. }
        )
    });
    history
}

/// How many instants of custody after T0 are covered.
fn held(booking: &Booking, until: Instant) -> i64 {
    let past = Span::new(Instant::MIN, until);
    let covered = booking.custody.gaps.iter().flat_map(|gap| &gap.segments).filter(|segment| segment.is_held());
    covered.filter_map(|segment| segment.span.meet(&past)).map(|span| span.len_us()).sum()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_past_told_anew_to_the_rules_as_they_were_is_that_past(history in histories(24).prop_map(on_time)) {
        let world = tell(&history, |_| Ok(()))?;
        let (county, now) = (world.state(), world.now());
        let as_it_was = Hypothesis::as_it_was(county);
        for booking in world.bookings() {
            prop_assert!(booking.reservations.is_empty());
            if booking.custody.barred.is_some() {
                continue;
            }
            let anew = as_it_was.retold(booking, now).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let (was, is) = (grounds(booking), grounds(&anew));
            prop_assert_eq!(was.len(), is.len(), "{:?} {:?}", was, is);
            for ((was, by), (is, anew)) in was.iter().zip(&is) {
                let apart = [(was.start, is.start), (was.end, is.end)].map(|(a, b)| (a.micros() - b.micros()).abs());
                prop_assert!(by == anew && apart.iter().all(|us| *us < 1_000), "{:?} {:?}", was, is);
            }
            let beyond = |booking| retelling::beyond(county, booking).map_err(|error| TestCaseError::fail(error.to_string()));
            prop_assert_eq!(beyond(booking)?, beyond(&anew)?);
            for at in instants(&world, booking) {
                prop_assert_eq!(answers(booking, at), answers(&anew, at), "at {}", at);
            }
        }
    }

    #[test]
    fn honor_always_supposed_holds_whoever_a_guarantee_supposed_would_hold(history in histories(24)) {
        let world = tell(&history, |_| Ok(()))?;
        let (county, now) = (world.state(), world.now());
        let from = county.revisions.first().map_or(Instant::MIN, |first| first.effective.effective);
        let supposed = |mode| Hypothesis::new(county, &[retelling::in_mode(county, mode, from)], from).without_budgets();
        let (always, guarantee) = (supposed(Mode::HonorAlways), supposed(Mode::RequireReimbursementGuarantee));
        let none = supposed(Mode::DeclineAll);
        for booking in world.bookings() {
            let told = |hypothesis: &Hypothesis| hypothesis.retold(booking, now);
            let told = |hypothesis| told(hypothesis).map_err(|error| TestCaseError::fail(error.to_string()));
            let (always, guarantee, none) = (told(&always)?, told(&guarantee)?, told(&none)?);
            prop_assert!(held(&guarantee, now) <= held(&always, now));
            prop_assert_eq!(held(&none, now), 0);
            // What people did stays as it was.
            let custody = |booking: &Booking| booking.custody.gaps.iter().map(|gap| (gap.t0, gap.end)).collect::<Vec<_>>();
            prop_assert_eq!(custody(&always), custody(booking));
            prop_assert_eq!(custody(&none), custody(booking));
        }
    }
}
