//! Stories with known figures, and what has to hold for any of them: slicing and cutting never change a sum.

use super::cost;
use super::lines::{self, Line};
use super::overdetention::{self, Cause};
use super::stay::Stay;
use super::{GroupBy, Key, Query, Totals, decisions, register};
use crate::domain::booking::HoldEnd;
use crate::domain::detainer::Edition;
use crate::domain::facts::{CloseReason, EndKind};
use crate::domain::gap::Authority;
use crate::domain::policy::Mode;
use crate::domain::rate::DayCount;
use crate::domain::testing::{World, cents, day, form, instant, rate, revision};
use crate::domain::time::{HOUR_US, Instant, Zone};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn query(start: &str, end: &str, until: Instant) -> Query {
    Query {
        start: day(start),
        end: day(end),
        facilities: BTreeSet::new(),
        offices: BTreeSet::new(),
        only: BTreeMap::new(),
        by_books: false,
        until,
    }
}

fn year(until: Instant) -> Query {
    query("2018-01-01", "2019-01-01", until)
}

/// One booking from 1 January on with a detainer of 5 January, T0 on 30 January at noon UTC, kept for some hours.
fn story(mode: Mode, served: bool, kept_hours: Option<i64>) -> World {
    let start = instant("2018-01-01T00:00:00Z");
    let mut world = World::new(Zone::UTC, start);
    world.switch(revision("r1", mode), start.plus_us(HOUR_US)).expect("a revision");
    world.price(rate("p1", "100.00", DayCount::Hourly, day("2018-01-01"))).expect("a rate");
    world.at(instant("2018-01-05T00:00:00Z"));
    world.book("b1", "s1", Some(&["c1"]), instant("2018-01-05T00:00:00Z")).expect("a booking");
    let received = instant("2018-01-05T00:00:00Z");
    world.receive("b1", "d1", form(Edition::I247A), served.then_some(received), received).expect("a detainer");
    let t0 = instant("2018-01-30T12:00:00Z");
    world.at(t0).close("b1", "c1", CloseReason::Dismissed, t0).expect("T0");
    if let Some(hours) = kept_hours {
        let end = t0.plus_us(hours * HOUR_US);
        world.at(end).end("b1", EndKind::Released, Some(end)).expect("an end");
    }
    world
}

fn stay(world: &World, until: Instant) -> Stay {
    Stay::of(world.state(), world.booking("b1"), until).expect("priced")
}

fn all_lines(world: &World, query: &Query) -> Vec<Line> {
    lines::asked(query, &stay(world, query.until))
}

/// Rows of the cost report.
fn sliced(lines: &[Line], by: &[GroupBy]) -> (Vec<cost::CostRow>, cost::CostRow) {
    let mut sums = cost::Sums::new(by);
    sums.add(lines).expect("fits");
    sums.finish()
}

fn totals(lines: &[Line]) -> Totals {
    Totals::try_sum(lines.iter().map(Line::totals)).expect("fits")
}

fn micros(lines: &[Line]) -> i64 {
    lines.iter().map(|l| l.cost.span.len_us()).sum()
}

#[test]
fn three_days_on_an_honored_form_are_two_of_hold_and_one_of_over_detention() {
    let world = story(Mode::HonorAlways, true, Some(72));
    let until = instant("2018-06-01T00:00:00Z");
    let rows = register::rows(&year(until), world.state(), &stay(&world, until)).expect("rows");
    let [row] = rows.as_slice() else { panic!("one hold, not {rows:?}") };
    assert_eq!((row.by_hold_end.held_us, row.by_release.held_us), (48 * HOUR_US, 72 * HOUR_US));
    assert_eq!((row.by_hold_end.past_contiguous_us, row.by_release.past_contiguous_us), (0, 24 * HOUR_US));
    assert_eq!(row.by_release.past_deadline_us, 24 * HOUR_US);
    assert_eq!((row.hold_cost.incurred, row.over_detained_cost.incurred), (cents("200.00"), cents("100.00")));
    assert_eq!((row.hold.reason, row.ended, row.late), (HoldEnd::Deadline, Some(row.hold.deadline), false));

    let over = overdetention::rows(&year(until), world.state(), &stay(&world, until)).expect("rows");
    let [over] = over.as_slice() else { panic!("one stretch, not {over:?}") };
    assert_eq!((over.since, over.us, over.cause), (row.hold.deadline, 24 * HOUR_US, Cause::PastDeadline));
    assert_eq!((over.totals.incurred, over.hold.as_ref()), (cents("100.00"), Some(&row.hold.id)));
}

#[test]
fn over_detention_without_a_hold_says_why() {
    let cases = [(Mode::DeclineAll, true, Cause::NotHonored), (Mode::HonorAlways, false, Cause::NotInEffect)];
    for (mode, served, cause) in cases {
        let world = story(mode, served, Some(10));
        let until = instant("2018-06-01T00:00:00Z");
        assert_eq!(register::rows(&year(until), world.state(), &stay(&world, until)), Ok(Vec::new()));
        let over = overdetention::rows(&year(until), world.state(), &stay(&world, until)).expect("rows");
        assert_eq!(over.iter().map(|o| (o.cause, o.us)).collect::<Vec<_>>(), [(cause, 10 * HOUR_US)], "{mode:?}");
    }
}

#[test]
fn over_detention_is_cut_at_the_period_and_its_rows_say_what_the_lines_say() {
    let world = story(Mode::DeclineAll, true, Some(100));
    let until = instant("2018-06-01T00:00:00Z");
    for (start, end, hours) in
        [("2018-01-01", "2018-02-01", 36), ("2018-02-01", "2018-03-01", 64), ("2018-03-01", "2018-04-01", 0)]
    {
        let query = query(start, end, until);
        let rows = overdetention::rows(&query, world.state(), &stay(&world, until)).expect("rows");
        assert_eq!(rows.iter().map(|r| r.us).sum::<i64>(), hours * HOUR_US, "{start}");
        let shown = Totals::try_sum(rows.iter().map(|r| r.totals)).expect("fits");
        assert_eq!(shown, totals(&all_lines(&world, &query)), "{start}");
    }
}

#[test]
fn decisions_are_counted_by_outcome_and_reason() {
    let until = instant("2018-06-01T00:00:00Z");
    for (mode, served, expected) in [
        (Mode::HonorAlways, true, (1, 0, 1, 0)),
        (Mode::HonorAlways, false, (1, 0, 0, 1)),
        (Mode::DeclineAll, true, (0, 1, 0, 0)),
    ] {
        let world = story(mode, served, Some(10));
        let requests = decisions::requests(&year(until), world.state(), world.booking("b1"));
        let mut counts = decisions::Counts::new(&[]);
        requests.iter().for_each(|request| counts.add(request));
        let (_, total) = counts.finish();
        assert_eq!((total.honored, total.declined, total.held, total.honored_never_in_effect), expected, "{mode:?} {served}");
        assert_eq!(total.received, total.honored + total.declined + total.needs_review);
        assert_eq!(total.not_honored.values().sum::<i64>(), total.declined + total.needs_review);
        assert_eq!(total.honored_by_reason.values().sum::<i64>(), total.honored);
        let outside = query("2018-01-06", "2019-01-01", until);
        assert_eq!(decisions::requests(&outside, world.state(), world.booking("b1")), []);
    }
}

#[test]
fn running_custody_accrues_what_is_posted_when_it_ends() {
    let running = story(Mode::HonorAlways, true, None);
    let ended = story(Mode::HonorAlways, true, Some(72));
    let until = instant("2018-02-02T12:00:00Z");
    let (open, posted) = (all_lines(&running, &year(until)), all_lines(&ended, &year(until)));
    assert!(open.iter().all(|l| l.seq == 0) && posted.iter().all(|l| l.seq > 0));
    assert_eq!((totals(&open), micros(&open)), (totals(&posted), micros(&posted)));
    assert_eq!(totals(&open).incurred, cents("300.00"));
}

#[test]
fn months_are_kept_apart_when_lines_are_made_one() {
    let world = story(Mode::HonorAlways, true, Some(72));
    let lines = lines::merged(all_lines(&world, &year(instant("2018-06-01T00:00:00Z")))).expect("fits");
    let shown: Vec<_> =
        lines.iter().map(|l| (cost::key(l, GroupBy::Month), l.cost.authority, l.cost.span.len_us() / HOUR_US)).collect();
    let (january, february) = (Key::Month(2018, 1), Key::Month(2018, 2));
    let (held, over) = (Authority::Authorized, Authority::OverDetained);
    assert_eq!(shown, [(january, held, 36), (february.clone(), held, 12), (february, over, 24)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn slicing_and_cutting_never_change_a_sum(
        honored: bool,
        served: bool,
        kept in proptest::option::of(1_i64..200),
        counted in 0_i64..300,
        cut in 1_u32..15,
    ) {
        let world = story(if honored { Mode::HonorAlways } else { Mode::DeclineAll }, served, kept);
        let until = instant("2018-01-30T12:00:00Z").plus_us(counted * HOUR_US);
        let whole = all_lines(&world, &year(until));
        // Time counted is custody after T0, as far as it was counted.
        prop_assert_eq!(micros(&whole), kept.unwrap_or(i64::MAX).min(counted) * HOUR_US);
        let (_, total) = sliced(&whole, &[]);
        prop_assert_eq!(total.all.totals, totals(&whole));
        for by in GroupBy::ALL {
            let (rows, _) = sliced(&whole, &[by]);
            prop_assert_eq!(Totals::try_sum(rows.iter().map(|r| r.all.totals)).expect("fits"), totals(&whole));
            prop_assert_eq!(rows.iter().map(|r| r.all.us).sum::<i64>(), micros(&whole));
            for row in rows {
                let parts = Totals::try_sum(row.by_authority.values().map(|p| p.totals)).expect("fits");
                prop_assert_eq!(parts, row.all.totals);
                prop_assert_eq!(row.all.totals.covered.try_add(row.all.totals.absorbed().expect("fits")), Ok(row.all.totals.incurred));
            }
        }
        let middle = format!("2018-02-{cut:02}");
        let halves = [query("2018-01-01", &middle, until), query(&middle, "2019-01-01", until)];
        let parts: Vec<Line> = halves.iter().flat_map(|q| all_lines(&world, q)).collect();
        prop_assert_eq!(totals(&parts), totals(&whole));
        let shown = lines::merged(whole.clone()).expect("fits");
        prop_assert_eq!((totals(&shown), micros(&shown)), (totals(&whole), micros(&whole)));
    }
}
