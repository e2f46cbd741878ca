//! The answers that are worked out when they are asked for, on random histories: CheckRelease and the timeline.

use super::history::{histories, tell};
use super::properties::{basis_open, cases, instants};
use detainer::domain::release::{Next, check};
use detainer::domain::time::Instant;
use detainer::domain::timeline::{On, timeline};
use proptest::prelude::*;

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn invariant_02_no_answer_gives_authority_that_the_record_lacks(history in histories(24)) {
        tell(&history, |around| {
            let (county, recorded) = (around.after.state(), around.after.now());
            for booking in around.after.bookings() {
                for at in instants(around.after, booking) {
                    let answer = check(county, booking, recorded, at).map_err(|e| TestCaseError::fail(e.to_string()))?;
                    let stored = booking.running_hold(at);
                    prop_assert!(answer.hold.is_none() || stored.is_some(), "at {at}: {answer:?}");
                    prop_assert!(answer.until.is_none_or(|until| at < until), "at {at}: {answer:?}");
                    prop_assert_eq!(answer.hold.is_some(), answer.next == Next::HoldUntil);
                    let (inside, basis) = (booking.stay().contains(at), basis_open(booking, at));
                    prop_assert_eq!(answer.next == Next::KeepOnBasis, inside && basis, "at {}", at);
                    prop_assert_eq!(answer.next == Next::Nothing, !inside, "at {}", at);
                    let over = matches!(answer.next, Next::ReleaseNow | Next::ServeOrRelease);
                    prop_assert_eq!(answer.over_since.is_some(), over);
                    prop_assert!(answer.over_since.is_none_or(|since| since <= at && answer.t0.is_some_and(|t0| t0 <= since)));
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn every_timeline_is_whole(history in histories(24)) {
        tell(&history, |around| {
            for booking in around.after.bookings() {
                for at in instants(around.after, booking) {
                    let stretches = timeline(booking, at);
                    let Some(first) = stretches.first() else {
                        prop_assert!(at < booking.booked.effective || booking.stay().is_empty());
                        continue;
                    };
                    prop_assert_eq!(first.span.start, booking.booked.effective);
                    prop_assert!(stretches.windows(2).all(|pair| pair[0].span.end == pair[1].span.start), "at {at}");
                    let end = stretches.last().map(|last| last.span.end);
                    prop_assert_eq!(end, Some(if booking.ended() <= at { booking.ended() } else { Instant::FAR }), "at {}", at);
                    for stretch in &stretches {
                        let basis = matches!(stretch.on, On::Bases(_));
                        prop_assert_eq!(basis, basis_open(booking, stretch.span.start));
                        prop_assert_eq!(Some(stretch.facility), booking.facility_at(stretch.span.start));
                    }
                }
            }
            Ok(())
        })?;
    }
}
