//! What holds for any custody after T0, wherever and whenever it runs: no hour is counted twice or lost at midnight, at the
//! end of a month or of a year, when a clock changes, when a day is skipped, or when the person is moved into another zone.

use super::lines::{self, Line};
use super::stay::Stay;
use super::{GroupBy, Key, Query, Totals, certificate, cost, overdetention, register};
use crate::domain::agreement::Term;
use crate::domain::detainer::Edition;
use crate::domain::facts::{CloseReason, EndKind};
use crate::domain::ids::FacilityId;
use crate::domain::policy::Mode;
use crate::domain::rate::DayCount;
use crate::domain::testing::{World, agreement, cents, day, form, instant, rate, revision};
use crate::domain::time::{DAY_US, Date, HOUR_US, Instant, Span, Zone};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Places with a local day at which days go wrong: clocks that change at midnight or elsewhere, by an hour or by half of
/// one; a day that never was; ends of months and years; a leap day; the turn of a week of ISO 8601.
const EDGES: [(&str, &str); 12] = [
    ("America/New_York", "2024-03-10"),
    ("America/New_York", "2024-11-03"),
    ("America/Chicago", "2024-12-31"),
    ("America/Chicago", "2025-01-01"),
    ("America/Havana", "2024-03-10"),
    ("America/Havana", "2024-11-03"),
    ("Australia/Lord_Howe", "2024-04-07"),
    ("Australia/Lord_Howe", "2024-10-06"),
    ("Pacific/Apia", "2011-12-29"),
    ("America/Los_Angeles", "2024-02-29"),
    ("America/Phoenix", "2024-09-01"),
    ("UTC", "2021-01-04"),
];

/// A stay whose T0 lies about an edge.
#[derive(Clone, Debug)]
struct Story {
    edge: usize,
    /// T0 before (or after) the edge's local midnight, in microseconds.
    t0: i64,
    kept: i64,
    /// When the person is moved to a jail in another zone, after T0.
    moved: Option<i64>,
    mode: Mode,
    count: DayCount,
    per_hold: bool,
    paid: bool,
    /// Up to when custody is counted, after T0.
    counted: i64,
}

fn story() -> impl Strategy<Value = Story> {
    let us = |hours: std::ops::Range<i64>| {
        prop_oneof![
            hours.clone().prop_map(|h| h * HOUR_US),
            (hours.start * HOUR_US..hours.end * HOUR_US).prop_map(|us| us),
            // To the microsecond at the edge.
            (-1_i64..=1).prop_map(move |us| hours.start.max(0) * HOUR_US + us.max(0)),
        ]
    };
    let counts =
        prop_oneof![Just(DayCount::Hourly), Just(DayCount::CalendarDay), Just(DayCount::Midnight), Just(DayCount::Per24h),];
    let mode = prop_oneof![3 => Just(Mode::HonorAlways), 1 => Just(Mode::DeclineAll)];
    let when = (0..EDGES.len(), us(-60..60), us(1..130), proptest::option::of(us(1..60)), us(1..200));
    (when, mode, counts, any::<bool>(), any::<bool>()).prop_map(
        |((edge, t0, kept, moved, counted), mode, count, per_hold, paid)| Story {
            edge,
            t0,
            kept,
            moved,
            mode,
            count,
            per_hold,
            paid,
            counted,
        },
    )
}

/// The world it is told in, T0, and where custody ends.
fn tell(story: &Story) -> (World, Instant, Instant) {
    let (zone, edge) = EDGES[story.edge];
    let (zone, edge): (Zone, Date) = (zone.parse().expect("a zone"), day(edge));
    let t0 = zone.start_of(edge).plus_us(story.t0);
    let (start, end) = (t0.plus_us(-400 * HOUR_US), t0.plus_us(story.kept));
    let first = zone.date(start);
    let mut world = World::new(zone, start);
    world.facility("annex", "Pacific/Kiritimati".parse().expect("a zone"));
    for (id, jail, per_day) in [("p1", "jail", "113.00"), ("p2", "annex", "71.37")] {
        let mut price = rate(id, per_day, story.count, first);
        price.facility = FacilityId::trusted(jail);
        price.per_hold = story.per_hold.then(|| cents("25.00"));
        world.price(price).expect("a rate");
    }
    world.switch(revision("r1", story.mode), start.plus_us(HOUR_US)).expect("a revision");
    if story.paid {
        let mut paid = agreement("ice", zone, edge);
        paid.term = Term::AllCosts;
        world.promise(paid).expect("an agreement");
    }
    let booked = start.plus_us(2 * HOUR_US);
    world.at(booked).book("b1", "s1", Some(&["c1"]), booked).expect("a booking");
    world.receive("b1", "d1", form(Edition::I247A), Some(booked), booked).expect("a detainer");
    world.at(t0).close("b1", "c1", CloseReason::Dismissed, t0).expect("T0");
    if let Some(moved) = story.moved.map(|us| t0.plus_us(us)).filter(|at| *at < end) {
        world.at(moved).transfer("b1", "annex", moved).expect("a move");
    }
    world.at(end).end("b1", EndKind::Released, Some(end)).expect("an end");
    (world, t0, end)
}

fn query(start: Date, end: Date, until: Instant) -> Query {
    Query { start, end, facilities: BTreeSet::new(), offices: BTreeSet::new(), only: BTreeMap::new(), by_books: false, until }
}

fn sum<'l>(lines: impl IntoIterator<Item = &'l Line>) -> (i64, Totals) {
    let lines: Vec<&Line> = lines.into_iter().collect();
    let totals = Totals::try_sum(lines.iter().map(|line| line.totals())).expect("fits");
    (lines.iter().map(|line| line.cost.span.len_us()).sum(), totals)
}

fn next(day: Date) -> Date {
    day.succ_opt().expect("a day")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_hour_is_counted_twice_or_lost(story in story()) {
        let (world, t0, end) = tell(&story);
        let (county, until) = (world.state(), t0.plus_us(story.counted));
        let stay = Stay::of(county, world.booking("b1"), until).expect("priced");

        // The lines tile custody after T0, and each lies within its own local day.
        let mut at = t0;
        for line in &stay.lines {
            let (span, zone) = (line.cost.span, county.zone_of(&line.cost.facility));
            prop_assert_eq!(span.start, at);
            prop_assert!(zone.start_of(line.cost.local_day) <= span.start, "{:?}", line.cost);
            prop_assert!(span.end <= zone.end_of(line.cost.local_day), "{:?}", line.cost);
            at = span.end;
        }
        prop_assert_eq!(at, end.min(until));

        let zone = county.zone_of(&FacilityId::trusted("jail"));
        let (mut one, last) = (zone.date(t0).pred_opt().expect("a day"), next(next(zone.date(end))));
        let whole = query(one, last, until);
        let all = lines::asked(&whole, &stay);
        prop_assert_eq!(sum(&all), sum(&stay.lines));
        prop_assert_eq!(sum(&all).0, end.min(until).since_us(t0));

        // Day by day, whatever the days are like: lines, holds and over-detention add up to the whole.
        let over = |query: &Query| overdetention::rows(query, county, &stay).expect("fits");
        let held = |query: &Query| register::rows(query, county, &stay).expect("fits");
        let (mut days, mut nothing_covered, mut holds) = (Vec::new(), (0, Totals::default()), Vec::new());
        while one < last {
            let query = query(one, next(one), until);
            days.extend(lines::asked(&query, &stay));
            for row in over(&query) {
                nothing_covered = (nothing_covered.0 + row.us, nothing_covered.1.try_add(row.totals).expect("fits"));
            }
            holds.extend(held(&query));
            one = next(one);
        }
        prop_assert_eq!(sum(&days), sum(&all));
        prop_assert_eq!(holds, held(&whole));
        let rows = over(&whole);
        let expected = (rows.iter().map(|row| row.us).sum::<i64>(), Totals::try_sum(rows.iter().map(|row| row.totals)).expect("fits"));
        prop_assert_eq!(nothing_covered, expected);

        // So do the daily certificates of both jails, each day as long as it is there.
        let mut certified = 0;
        for jail in ["jail", "annex"].map(FacilityId::trusted) {
            let zone = county.zone_of(&jail);
            let (mut day, past) = (zone.date(t0.plus_us(-DAY_US)), zone.date(end.plus_us(2 * DAY_US)));
            while day < past {
                let span = Span::new(zone.start_of(day), zone.end_of(day).min(until));
                let (_, rows) = certificate::of_booking(&certificate::Day { facility: jail.clone(), span }, world.booking("b1"));
                certified += rows.iter().map(|row| row.us).sum::<i64>();
                day = next(day);
            }
        }
        prop_assert_eq!(certified, expected.0);

        // Sliced by each key, each slice re-added from the lines that are shown.
        let shown = lines::merged(all.clone()).expect("fits");
        prop_assert_eq!(sum(&shown), sum(&all));
        for by in GroupBy::ALL {
            let mut sums = cost::Sums::new(&[by]);
            sums.add(&all).expect("fits");
            let (rows, total) = sums.finish();
            prop_assert_eq!((total.all.us, total.all.totals), sum(&all));
            for row in &rows {
                let again = sum(shown.iter().filter(|line| cost::key(line, by) == row.keys[0]));
                prop_assert_eq!((row.all.us, row.all.totals), again, "{:?}", row.keys);
            }
            let slices = Totals::try_sum(rows.iter().map(|row| row.all.totals)).expect("fits");
            prop_assert_eq!((rows.iter().map(|row| row.all.us).sum::<i64>(), slices), sum(&all));
        }
    }
}

/// The long and the short day of New York have as many hours as they have, and each calendar day is charged once.
#[test]
fn days_of_twenty_three_and_twenty_five_hours() {
    for (date, hours) in [("2024-03-10", 23), ("2024-11-03", 25)] {
        let edge = EDGES.iter().position(|edge| *edge == ("America/New_York", date)).expect("an edge");
        let (kept, mode, count) = (120 * HOUR_US, Mode::HonorAlways, DayCount::CalendarDay);
        let (per_hold, paid, moved, counted) = (false, false, None, 200 * HOUR_US);
        let (world, ..) = tell(&Story { edge, t0: -5 * HOUR_US, kept, moved, mode, count, per_hold, paid, counted });
        let until = instant("2025-06-01T00:00:00Z");
        let stay = Stay::of(world.state(), world.booking("b1"), until).expect("priced");
        let (us, totals) = sum(&lines::asked(&query(day(date), next(day(date)), until), &stay));
        assert_eq!((us, totals.incurred), (hours * HOUR_US, cents("113.00")), "{date}");
    }
}

/// A slice by week is not a slice by month: lines are cut at both.
#[test]
fn lines_are_cut_at_weeks_and_at_months() {
    let edge = EDGES.iter().position(|edge| edge.1 == "2024-09-01").expect("a Sunday that begins a month");
    let (kept, mode, count) = (72 * HOUR_US, Mode::DeclineAll, DayCount::Hourly);
    let (world, t0, end) =
        tell(&Story { edge, t0: -12 * HOUR_US, kept, moved: None, mode, count, per_hold: false, paid: false, counted: kept });
    let stay = Stay::of(world.state(), world.booking("b1"), end).expect("priced");
    let shown = lines::merged(stay.lines.clone()).expect("fits");
    let keys: Vec<_> = shown.iter().map(|l| (cost::key(l, GroupBy::Month), cost::key(l, GroupBy::Week))).collect();
    let (august, september) = (Key::Month(2024, 8), Key::Month(2024, 9));
    assert_eq!(keys, [(august, Key::Week(2024, 35)), (september.clone(), Key::Week(2024, 35)), (september, Key::Week(2024, 36))]);
    let hours: Vec<i64> = shown.iter().map(|line| line.cost.span.len_us() / HOUR_US).collect();
    assert_eq!((hours, shown[0].cost.span.start), (vec![12, 24, 36], t0));
}
