//! What must hold of any clock, on random pasts in ordinary and odd zones; and a slow clock to check the walk against.

use super::tests::{CHICAGO, NEW_YORK, at, end_of_day, hours, zone};
use super::*;
use crate::domain::time::DAY_US;
use proptest::prelude::*;

/// Zones of county jails.
const JAIL_ZONES: [&str; 8] = [
    NEW_YORK,
    CHICAGO,
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "Pacific/Guam",
];

/// Zones with clock changes that break a careless walk: at midnight, to the day before, over a whole day.
const ODD_ZONES: [&str; 6] =
    ["America/Havana", "America/St_Johns", "America/Sao_Paulo", "Pacific/Apia", "Asia/Amman", "Africa/Casablanca"];

fn jail_zone() -> impl Strategy<Value = Zone> {
    proptest::sample::select(JAIL_ZONES.to_vec()).prop_map(zone)
}

fn any_zone() -> impl Strategy<Value = Zone> {
    let all: Vec<&str> = JAIL_ZONES.into_iter().chain(ODD_ZONES).collect();
    proptest::sample::select(all).prop_map(zone)
}

/// From 1990 to 2039.
fn any_instant() -> impl Strategy<Value = Instant> {
    (631_152_000_000_000_i64..2_208_988_800_000_000).prop_map(Instant::from_micros)
}

/// Around the clock changes of odd zones as well as anywhere.
fn tricky_instant() -> impl Strategy<Value = Instant> {
    let changes = [
        "2011-12-30T10:00:00Z", // Apia
        "2006-10-29T02:31:00Z", // St. John's goes back from Sunday 00:01 to Saturday 23:01
        "2018-02-18T02:00:00Z", // Sao Paulo goes back to Saturday
        "2024-03-10T05:00:00Z", // Havana
        "2024-11-03T05:00:00Z",
        "2024-03-10T07:00:00Z", // New York
        "2021-12-31T05:00:00Z",
    ];
    let near = (proptest::sample::select(changes.to_vec()), -9 * DAY_US..9 * DAY_US).prop_map(|(text, by)| at(text).plus_us(by));
    prop_oneof![any_instant(), near]
}

/// A county's own days, from 1989 to 2038.
fn any_days() -> impl Strategy<Value = BTreeSet<Date>> {
    proptest::collection::btree_set(7_000_i32..25_000, 0..20)
        .prop_map(|numbers| numbers.into_iter().filter_map(crate::domain::time::date_of_number).collect())
}

fn any_exclusion() -> impl Strategy<Value = Exclusion> {
    prop_oneof![
        Just(Exclusion::None),
        Just(Exclusion::Weekends),
        Just(Exclusion::federal()),
        any_days().prop_map(|county_days| Exclusion::WeekendsAndHolidays { county_days }),
    ]
}

/// Up to four stretches within some days before `t0`.
fn spans_before(t0: Instant) -> impl Strategy<Value = Vec<Span>> {
    let one = (0..12 * DAY_US, 0..30 * HOUR_US).prop_map(move |(back, long)| {
        let start = t0.plus_us(-back);
        Span { start, end: start.plus_us(long) }
    });
    proptest::collection::vec(one, 0..4)
}

/// A T0 with what ran before it: gaps and inherited stretches.
fn any_past() -> impl Strategy<Value = (Instant, Vec<Span>, Vec<Span>)> {
    tricky_instant().prop_flat_map(|t0| (Just(t0), spans_before(t0), spans_before(t0)))
}

/// A slow clock: quarter hour by quarter hour, asking each for its local date.
fn slow_deadline(limit: u32, exclusion: &Exclusion, zone: Zone, used: &Used, t0: Instant) -> Instant {
    const QUARTER: i64 = HOUR_US / 4;
    let mut left = i64::from(limit) * 4;
    let mut now = used.first().unwrap_or(t0);
    while left > 0 {
        let on = now >= t0 || used.stretches().iter().any(|stretch| stretch.contains(now));
        if on && !exclusion.excludes(zone.date(now)) {
            left -= 1;
        }
        now = now.plus_us(QUARTER);
    }
    now
}

fn to_quarter(at: Instant) -> Instant {
    Instant::from_micros(at.micros() - at.micros().rem_euclid(HOUR_US / 4))
}

fn whole_quarters(spans: &[Span]) -> Vec<Span> {
    spans.iter().map(|span| Span { start: to_quarter(span.start), end: to_quarter(span.end) }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_walk_agrees_with_a_slow_clock(
        zone in jail_zone(), past in any_past(), limit in 1_u32..100, exclusion in any_exclusion(),
    ) {
        let (t0, gaps, inherited) = past;
        let t0 = to_quarter(t0);
        let used = stretches(StartRule::OtherwiseReleased, None, &whole_quarters(&gaps), &whole_quarters(&inherited), t0);
        let slow = slow_deadline(limit, &exclusion, zone, &used, t0);
        prop_assert_eq!(deadline(&hours(limit, exclusion), zone, &used, t0), slow);
    }

    #[test]
    fn splitting_a_span_never_changes_what_it_counts(
        zone in any_zone(), exclusion in any_exclusion(),
        start in tricky_instant(), long in 0..40 * DAY_US, permille in 0..=1000_i64,
    ) {
        let (middle, end) = (start.plus_us(long / 1000 * permille), start.plus_us(long));
        let whole = counted(Span { start, end }, &exclusion, zone);
        let parts = [Span { start, end: middle }, Span { start: middle, end }].map(|part| counted(part, &exclusion, zone));
        prop_assert_eq!(whole, parts[0] + parts[1]);
        prop_assert!((0..=long).contains(&whole));
    }

    #[test]
    fn used_and_held_time_add_up_to_the_limit(
        zone in any_zone(), past in any_past(), limit in 1_u32..200, exclusion in any_exclusion(),
    ) {
        let (t0, gaps, inherited) = past;
        let used = stretches(StartRule::OtherwiseReleased, None, &gaps, &inherited, t0);
        let limit_us = i64::from(limit) * HOUR_US;
        let until = deadline(&hours(limit, exclusion.clone()), zone, &used, t0);
        let before = used_us(&used, &exclusion, zone);
        if before < limit_us {
            prop_assert!(until > t0);
            prop_assert_eq!(before + counted(Span { start: t0, end: until }, &exclusion, zone), limit_us);
            // It is the first such instant: a microsecond earlier something was left.
            let short = counted(Span { start: t0, end: until.plus_us(-1) }, &exclusion, zone);
            prop_assert_eq!(before + short, limit_us - 1);
        } else {
            prop_assert!(until <= t0);
            let up_to = |then| stretches(StartRule::OtherwiseReleased, None, &gaps, &inherited, then);
            let by = |then| used_us(&up_to(then), &exclusion, zone);
            prop_assert_eq!(by(until), limit_us);
            prop_assert_eq!(by(until.plus_us(-1)), limit_us - 1);
        }
    }

    #[test]
    fn more_hours_never_give_an_earlier_deadline(
        zone in any_zone(), past in any_past(), limit in 0_u32..200, more in 0_u32..50, exclusion in any_exclusion(),
    ) {
        let (t0, gaps, inherited) = past;
        let used = stretches(StartRule::OtherwiseReleased, None, &gaps, &inherited, t0);
        let short = deadline(&hours(limit, exclusion.clone()), zone, &used, t0);
        let long = deadline(&hours(limit + more, exclusion), zone, &used, t0);
        prop_assert!(short <= long);
        prop_assert!(more == 0 || short < long || limit == 0);
    }

    #[test]
    fn another_stretch_never_gives_a_later_deadline(
        zone in any_zone(), past in any_past(), exclusion in any_exclusion(),
        more in 0..12 * DAY_US, long in 0..30 * HOUR_US, named in 0..12 * DAY_US,
    ) {
        let (t0, gaps, inherited) = past;
        let extra = Span { start: t0.plus_us(-more), end: t0.plus_us(long - more) };
        let more_inherited: Vec<Span> = inherited.iter().copied().chain([extra]).collect();
        let more_gaps: Vec<Span> = gaps.iter().copied().chain([extra]).collect();
        for start in [StartRule::OtherwiseReleased, StartRule::Receipt] {
            for terms in [ClockTerms { start, ..hours(48, exclusion.clone()) }, end_of_day(start)] {
                let named = Some(t0.plus_us(-named));
                let before = deadline(&terms, zone, &stretches(start, named, &gaps, &inherited, t0), t0);
                let after = deadline(&terms, zone, &stretches(start, named, &gaps, &more_inherited, t0), t0);
                prop_assert!(after <= before, "inherited: {after} {before}");
            }
        }
        for terms in [hours(48, exclusion), end_of_day(StartRule::OtherwiseReleased)] {
            let before = deadline(&terms, zone, &stretches(terms.start, None, &gaps, &inherited, t0), t0);
            let after = deadline(&terms, zone, &stretches(terms.start, None, &more_gaps, &inherited, t0), t0);
            prop_assert!(after <= before, "gap: {after} {before}");
        }
    }

    #[test]
    fn excluding_more_days_never_gives_an_earlier_deadline(
        zone in any_zone(), past in any_past(), limit in 0_u32..200, county_days in any_days(),
    ) {
        let (t0, gaps, inherited) = past;
        let used = stretches(StartRule::OtherwiseReleased, None, &gaps, &inherited, t0);
        let ladder = [Exclusion::None, Exclusion::Weekends, Exclusion::federal(), Exclusion::WeekendsAndHolidays { county_days }];
        let deadlines = ladder.map(|exclusion| deadline(&hours(limit, exclusion), zone, &used, t0));
        prop_assert!(deadlines.is_sorted(), "{deadlines:?}");
    }

    #[test]
    fn a_named_instant_never_gives_a_later_deadline(
        zone in any_zone(), past in any_past(), named in tricky_instant(), exclusion in any_exclusion(),
    ) {
        let (t0, gaps, inherited) = past;
        let plain = stretches(StartRule::OtherwiseReleased, None, &gaps, &inherited, t0);
        let with = stretches(StartRule::Receipt, Some(named), &gaps, &inherited, t0);
        for terms in [hours(48, exclusion), end_of_day(StartRule::Receipt)] {
            prop_assert!(deadline(&terms, zone, &with, t0) <= deadline(&terms, zone, &plain, t0));
        }
    }

    #[test]
    fn an_end_of_day_deadline_is_within_25_hours(
        zone in jail_zone(), past in any_past(),
    ) {
        let (t0, gaps, inherited) = past;
        let terms = end_of_day(StartRule::OtherwiseReleased);
        let fresh = deadline(&terms, zone, &Used::nothing(), t0);
        prop_assert!(fresh > t0 && fresh.since_us(t0) <= 25 * HOUR_US);
        prop_assert_eq!(zone.date(fresh.plus_us(-1)), zone.date(t0));
        let used = stretches(StartRule::OtherwiseReleased, None, &gaps, &inherited, t0);
        prop_assert!(used == Used::nothing() || deadline(&terms, zone, &used, t0) <= t0);
    }

    #[test]
    fn stretches_are_in_order_apart_and_before_t0(past in any_past(), named in tricky_instant()) {
        let (t0, gaps, inherited) = past;
        let used = stretches(StartRule::Receipt, Some(named), &gaps, &inherited, t0);
        prop_assert!(used.stretches().iter().all(|stretch| !stretch.is_empty() && stretch.end <= t0));
        prop_assert!(used.stretches().windows(2).all(|pair| pair[0].end < pair[1].start));
        for given in gaps.iter().chain(&inherited).filter(|given| !given.is_empty() && given.start < t0) {
            prop_assert!(used.stretches().iter().any(|stretch| stretch.start <= given.start && given.end.min(t0) <= stretch.end));
        }
    }
}
