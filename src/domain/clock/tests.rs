//! Tables of worked cases for the rules of the clock.

use super::*;
use crate::domain::time::DAY_US;

pub(super) fn at(text: &str) -> Instant {
    text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
}

pub(super) fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn span(start: &str, end: &str) -> Span {
    Span { start: at(start), end: at(end) }
}

fn days(texts: &[&str]) -> BTreeSet<Date> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(super) fn hours(limit: u32, exclusion: Exclusion) -> ClockTerms {
    ClockTerms { start: StartRule::OtherwiseReleased, limit: Limit::Hours(limit), exclusion }
}

pub(super) fn end_of_day(start: StartRule) -> ClockTerms {
    ClockTerms::resolve(start, Limit::EndOfLocalDay, ExclusionRule::WeekendsAndHolidays, true, &BTreeSet::new())
}

/// The clock under the usual start rule after these gaps.
fn after_gaps(gaps: &[Span], t0: Instant) -> Used {
    stretches(StartRule::OtherwiseReleased, None, gaps, &[], t0)
}

pub(super) const NEW_YORK: &str = "America/New_York";
pub(super) const CHICAGO: &str = "America/Chicago";

/// One clock that starts at T0: what, zone, T0, then 48 hours by each exclusion: none, weekends, weekends and holidays.
type Case = (&'static str, &'static str, &'static str, [&'static str; 3]);

/// Two are worked examples published by a county's counsel, the other `v` cases were calculated independently of this
/// program; the rest are ours.
const CASES: &[Case] = &[
    (
        "v01 Monday 17:00 (published)",
        CHICAGO,
        "2024-03-18T17:00:00-05:00",
        ["2024-03-20T17:00:00-05:00", "2024-03-20T17:00:00-05:00", "2024-03-20T17:00:00-05:00"],
    ),
    (
        "v02 Thursday 17:00 (published)",
        CHICAGO,
        "2024-03-21T17:00:00-05:00",
        ["2024-03-23T17:00:00-05:00", "2024-03-25T17:00:00-05:00", "2024-03-25T17:00:00-05:00"],
    ),
    (
        "v03 Friday 17:00, ordinary weekend",
        NEW_YORK,
        "2024-03-15T17:00:00-04:00",
        ["2024-03-17T17:00:00-04:00", "2024-03-19T17:00:00-04:00", "2024-03-19T17:00:00-04:00"],
    ),
    (
        "v04 Saturday 10:00: counted from Monday 00:00",
        NEW_YORK,
        "2024-03-16T10:00:00-04:00",
        ["2024-03-18T10:00:00-04:00", "2024-03-20T00:00:00-04:00", "2024-03-20T00:00:00-04:00"],
    ),
    (
        "v05 Sunday 23:59",
        NEW_YORK,
        "2024-03-17T23:59:00-04:00",
        ["2024-03-19T23:59:00-04:00", "2024-03-20T00:00:00-04:00", "2024-03-20T00:00:00-04:00"],
    ),
    (
        "v06 Friday 17:00 before Memorial Day",
        NEW_YORK,
        "2024-05-24T17:00:00-04:00",
        ["2024-05-26T17:00:00-04:00", "2024-05-28T17:00:00-04:00", "2024-05-29T17:00:00-04:00"],
    ),
    (
        "v08 Independence Day on a Saturday",
        NEW_YORK,
        "2020-07-02T12:00:00-04:00",
        ["2020-07-04T12:00:00-04:00", "2020-07-06T12:00:00-04:00", "2020-07-07T12:00:00-04:00"],
    ),
    (
        "v11 the first Juneteenth, on a Saturday",
        NEW_YORK,
        "2021-06-17T18:00:00-04:00",
        ["2021-06-19T18:00:00-04:00", "2021-06-21T18:00:00-04:00", "2021-06-22T18:00:00-04:00"],
    ),
    (
        "v13 clocks go forward in the weekend, Saturday 10:00",
        NEW_YORK,
        "2024-03-09T10:00:00-05:00",
        ["2024-03-11T11:00:00-04:00", "2024-03-13T00:00:00-04:00", "2024-03-13T00:00:00-04:00"],
    ),
    (
        "v16 clocks go back in the weekend, Friday 17:00",
        NEW_YORK,
        "2024-11-01T17:00:00-04:00",
        ["2024-11-03T16:00:00-05:00", "2024-11-05T17:00:00-05:00", "2024-11-05T17:00:00-05:00"],
    ),
    (
        "v21 Inauguration Day counts",
        NEW_YORK,
        "2021-01-19T12:00:00-05:00",
        ["2021-01-21T12:00:00-05:00", "2021-01-21T12:00:00-05:00", "2021-01-21T12:00:00-05:00"],
    ),
    (
        "v24 New Year's Day on a Wednesday, across the year",
        NEW_YORK,
        "2013-12-31T12:00:00-05:00",
        ["2014-01-02T12:00:00-05:00", "2014-01-02T12:00:00-05:00", "2014-01-03T12:00:00-05:00"],
    ),
    (
        "v25 Thursday 2017-01-26 15:00",
        NEW_YORK,
        "2017-01-26T15:00:00-05:00",
        ["2017-01-28T15:00:00-05:00", "2017-01-30T15:00:00-05:00", "2017-01-30T15:00:00-05:00"],
    ),
    (
        "v28 Labor Day, Monday 08:00",
        NEW_YORK,
        "2024-09-02T08:00:00-04:00",
        ["2024-09-04T08:00:00-04:00", "2024-09-04T08:00:00-04:00", "2024-09-05T00:00:00-04:00"],
    ),
    (
        "Wednesday 17:00 before Thanksgiving",
        NEW_YORK,
        "2024-11-27T17:00:00-05:00",
        ["2024-11-29T17:00:00-05:00", "2024-11-29T17:00:00-05:00", "2024-12-02T17:00:00-05:00"],
    ),
    (
        "Thursday 00:00: used up the instant Friday ends",
        NEW_YORK,
        "2024-03-14T00:00:00-04:00",
        ["2024-03-16T00:00:00-04:00", "2024-03-16T00:00:00-04:00", "2024-03-16T00:00:00-04:00"],
    ),
    (
        "a microsecond after Thursday 00:00",
        NEW_YORK,
        "2024-03-14T00:00:00.000001-04:00",
        ["2024-03-16T00:00:00.000001-04:00", "2024-03-18T00:00:00.000001-04:00", "2024-03-18T00:00:00.000001-04:00"],
    ),
    (
        "Saturday 00:00 on the dot",
        NEW_YORK,
        "2024-03-16T00:00:00-04:00",
        ["2024-03-18T00:00:00-04:00", "2024-03-20T00:00:00-04:00", "2024-03-20T00:00:00-04:00"],
    ),
    (
        "New Year's Day 2022 on a Saturday: Friday 31 December does not count",
        NEW_YORK,
        "2021-12-30T12:00:00-05:00",
        ["2022-01-01T12:00:00-05:00", "2022-01-03T12:00:00-05:00", "2022-01-04T12:00:00-05:00"],
    ),
    (
        "New Year's Day 2023 on a Sunday: Monday 2 January does not count",
        NEW_YORK,
        "2022-12-30T12:00:00-05:00",
        ["2023-01-01T12:00:00-05:00", "2023-01-03T12:00:00-05:00", "2023-01-04T12:00:00-05:00"],
    ),
    (
        "Christmas on a Thursday and the weekend after",
        NEW_YORK,
        "2025-12-24T18:00:00-05:00",
        ["2025-12-26T18:00:00-05:00", "2025-12-26T18:00:00-05:00", "2025-12-29T18:00:00-05:00"],
    ),
    (
        "two zones of one state: Pensacola's Friday ends an hour after Miami's",
        CHICAGO,
        "2024-03-15T23:30:00-05:00",
        ["2024-03-17T23:30:00-05:00", "2024-03-19T23:30:00-05:00", "2024-03-19T23:30:00-05:00"],
    ),
    (
        "the same instant in Miami is a Saturday",
        NEW_YORK,
        "2024-03-15T23:30:00-05:00",
        ["2024-03-17T23:30:00-05:00", "2024-03-20T00:00:00-04:00", "2024-03-20T00:00:00-04:00"],
    ),
    (
        "no clock change in Phoenix",
        "America/Phoenix",
        "2024-03-08T17:00:00-07:00",
        ["2024-03-10T17:00:00-07:00", "2024-03-12T17:00:00-07:00", "2024-03-12T17:00:00-07:00"],
    ),
    (
        "in the hour that comes twice, Sunday 01:30 the first time",
        NEW_YORK,
        "2024-11-03T01:30:00-04:00",
        ["2024-11-05T00:30:00-05:00", "2024-11-06T00:00:00-05:00", "2024-11-06T00:00:00-05:00"],
    ),
    (
        "Havana's Sunday begins at 01:00",
        "America/Havana",
        "2024-03-08T17:00:00-05:00",
        ["2024-03-10T18:00:00-04:00", "2024-03-12T17:00:00-04:00", "2024-03-12T17:00:00-04:00"],
    ),
    (
        "Havana's Sunday has two midnights",
        "America/Havana",
        "2024-11-01T17:00:00-04:00",
        ["2024-11-03T16:00:00-05:00", "2024-11-05T17:00:00-05:00", "2024-11-05T17:00:00-05:00"],
    ),
    (
        "Apia had no Friday 2011-12-30; Monday 2 January 2012 was a holiday",
        "Pacific/Apia",
        "2011-12-29T12:00:00-10:00",
        ["2012-01-01T12:00:00+14:00", "2012-01-03T12:00:00+14:00", "2012-01-04T12:00:00+14:00"],
    ),
    (
        "Sao Paulo goes back at Sunday midnight to Saturday 23:00; Monday was Washington's Birthday",
        "America/Sao_Paulo",
        "2018-02-16T17:00:00-02:00",
        ["2018-02-18T16:00:00-03:00", "2018-02-20T17:00:00-03:00", "2018-02-21T17:00:00-03:00"],
    ),
];

#[test]
fn worked_cases() {
    for (what, zone_name, t0, by_exclusion) in CASES {
        let (zone, t0, none) = (zone(zone_name), at(t0), Used::nothing());
        let exclusions = [Exclusion::None, Exclusion::Weekends, Exclusion::federal()];
        for (exclusion, wanted) in exclusions.into_iter().zip(by_exclusion) {
            let terms = hours(48, exclusion);
            assert_eq!(deadline(&terms, zone, &none, t0), at(wanted), "{what}: {:?}", terms.exclusion);
        }
        let shown = readings(zone, &none, t0);
        assert_eq!(shown, Readings { contiguous: at(by_exclusion[0]), business: at(by_exclusion[2]) }, "{what}");
    }
}

/// Reads a file of such cases, where `DETAINER_CLOCK_VECTORS` names one: columns id, tz, `start_local` and the three
/// deadlines, by name.
#[test]
fn a_file_of_cases() {
    let Ok(path) = std::env::var("DETAINER_CLOCK_VECTORS") else { return };
    let mut rows = csv::Reader::from_path(&path).unwrap();
    let headers = rows.headers().unwrap().clone();
    let mut seen = 0;
    for row in rows.records() {
        let row = row.unwrap();
        let cell = |name: &str| row.get(headers.iter().position(|header| header == name).unwrap()).unwrap();
        let (zone, t0) = (zone(cell("tz")), at(cell("start_local")));
        let columns = [
            ("deadline_48h_contiguous", Exclusion::None),
            ("deadline_48h_excl_weekends_only", Exclusion::Weekends),
            ("deadline_48h_excl_weekends_and_federal_holidays", Exclusion::federal()),
        ];
        for (column, exclusion) in columns {
            let found = deadline(&hours(48, exclusion), zone, &Used::nothing(), t0);
            assert_eq!(found, at(cell(column)), "{} {column}", cell("id"));
        }
        seen += 1;
    }
    assert!(seen > 0, "{path} has no rows");
}

#[test]
fn other_limits() {
    let friday = at("2024-03-15T17:00:00-04:00");
    let cases = [
        (24, Exclusion::None, "2024-03-16T17:00:00-04:00"),
        (24, Exclusion::federal(), "2024-03-18T17:00:00-04:00"),
        (7, Exclusion::federal(), "2024-03-16T00:00:00-04:00"), // exactly the rest of Friday
        (8, Exclusion::federal(), "2024-03-18T01:00:00-04:00"),
        (0, Exclusion::federal(), "2024-03-15T17:00:00-04:00"),
        (168, Exclusion::Weekends, "2024-03-26T17:00:00-04:00"),
    ];
    for (limit, exclusion, wanted) in cases {
        let terms = hours(limit, exclusion);
        assert_eq!(deadline(&terms, zone(NEW_YORK), &Used::nothing(), friday), at(wanted), "{terms:?}");
    }
}

/// DOMAIN.md §4, *Interrupted*.
#[test]
fn an_interrupted_hold_goes_on_with_what_is_left() {
    let zone = zone(NEW_YORK);
    let first_gap = span("2024-03-15T17:00:00-04:00", "2024-03-16T12:00:00-04:00");
    let t0 = at("2024-03-22T09:00:00-04:00");
    let used = after_gaps(&[first_gap], t0);
    assert_eq!(used_us(&used, &Exclusion::Weekends, zone), 7 * HOUR_US);
    assert_eq!(deadline(&hours(48, Exclusion::Weekends), zone, &used, t0), at("2024-03-26T02:00:00-04:00"));
    // Each shown reading by its own rule: 19 of 48 contiguous hours are gone.
    let shown = Readings { contiguous: at("2024-03-23T14:00:00-04:00"), business: at("2024-03-26T02:00:00-04:00") };
    assert_eq!(readings(zone, &used, t0), shown);
}

#[test]
fn a_limit_used_up_before_t0_gives_a_deadline_in_the_past() {
    let zone = zone(NEW_YORK);
    let t0 = at("2024-03-22T09:00:00-04:00");
    let two_days = span("2024-03-11T09:00:00-04:00", "2024-03-13T09:00:00-04:00");
    let ten_days = span("2024-03-11T09:00:00-04:00", "2024-03-21T09:00:00-04:00");
    for gap in [two_days, ten_days] {
        let used = after_gaps(&[gap], t0);
        for exclusion in [Exclusion::None, Exclusion::Weekends, Exclusion::federal()] {
            assert_eq!(deadline(&hours(48, exclusion), zone, &used, t0), two_days.end, "{gap:?}");
        }
    }
    let touching = after_gaps(&[Span { start: t0.plus_us(-48 * HOUR_US), end: t0 }], t0);
    assert_eq!(deadline(&hours(48, Exclusion::None), zone, &touching, t0), t0);
}

/// One clock under a start rule that names an instant (Thursday is 2024-03-14): the stretches and the hours left of 48.
struct Named {
    what: &'static str,
    since: Option<&'static str>,
    gaps: &'static [(&'static str, &'static str)],
    t0: &'static str,
    stretches: &'static [(&'static str, &'static str)],
    left_hours: i64,
}

#[test]
fn clocks_that_also_run_from_a_named_instant() {
    const FRIDAY: &str = "2024-03-15T17:00:00-04:00";
    const SATURDAY: &str = "2024-03-16T12:00:00-04:00";
    const NEXT_FRIDAY: &str = "2024-03-22T09:00:00-04:00";
    let cases = [
        Named { what: "nothing named", since: None, gaps: &[], t0: FRIDAY, stretches: &[], left_hours: 48 },
        Named {
            what: "named before T0",
            since: Some("2024-03-14T20:00:00-04:00"),
            gaps: &[],
            t0: FRIDAY,
            stretches: &[("2024-03-14T20:00:00-04:00", FRIDAY)],
            left_hours: 27,
        },
        Named { what: "named at T0", since: Some(FRIDAY), gaps: &[], t0: FRIDAY, stretches: &[], left_hours: 48 },
        Named {
            what: "named after T0: the clock starts at the earlier",
            since: Some(SATURDAY),
            gaps: &[],
            t0: FRIDAY,
            stretches: &[],
            left_hours: 48,
        },
        Named {
            what: "ruling 6: 40 h used, 8 left",
            since: Some("2024-03-14T20:00:00-04:00"),
            gaps: &[(FRIDAY, SATURDAY)],
            t0: NEXT_FRIDAY,
            stretches: &[("2024-03-14T20:00:00-04:00", SATURDAY)],
            left_hours: 8,
        },
        Named {
            what: "named while the basis was open: both count, apart",
            since: Some("2024-03-22T00:00:00-04:00"),
            gaps: &[(FRIDAY, SATURDAY)],
            t0: NEXT_FRIDAY,
            stretches: &[(FRIDAY, SATURDAY), ("2024-03-22T00:00:00-04:00", NEXT_FRIDAY)],
            left_hours: 48 - 19 - 9,
        },
        Named {
            what: "named inside the gap: it runs on to the T0 that follows",
            since: Some("2024-03-15T20:00:00-04:00"),
            gaps: &[(FRIDAY, SATURDAY)],
            t0: "2024-03-16T14:00:00-04:00",
            stretches: &[(FRIDAY, "2024-03-16T14:00:00-04:00")],
            left_hours: 48 - 21,
        },
        Named {
            what: "named at an earlier T0: the T0 that follows is the next one",
            since: Some(FRIDAY),
            gaps: &[(FRIDAY, SATURDAY)],
            t0: "2024-03-16T14:00:00-04:00",
            stretches: &[(FRIDAY, "2024-03-16T14:00:00-04:00")],
            left_hours: 48 - 21,
        },
        Named {
            what: "two gaps, in any order; named before the second",
            since: Some("2024-03-15T23:00:00-04:00"),
            gaps: &[("2024-03-16T01:00:00-04:00", "2024-03-16T02:00:00-04:00"), (FRIDAY, "2024-03-15T18:00:00-04:00")],
            t0: SATURDAY,
            stretches: &[(FRIDAY, "2024-03-15T18:00:00-04:00"), ("2024-03-15T23:00:00-04:00", "2024-03-16T02:00:00-04:00")],
            left_hours: 48 - 1 - 3,
        },
    ];
    for case in cases {
        let pair = |pair: &(&str, &str)| span(pair.0, pair.1);
        let gaps: Vec<Span> = case.gaps.iter().map(pair).collect();
        let wanted: Vec<Span> = case.stretches.iter().map(pair).collect();
        let t0 = at(case.t0);
        for start in [StartRule::Receipt, StartRule::WarrantServed] {
            let used = stretches(start, case.since.map(at), &gaps, &[], t0);
            assert_eq!(used.stretches(), wanted, "{}", case.what);
            let left = 48 * HOUR_US - used_us(&used, &Exclusion::None, Zone::UTC);
            assert_eq!(left, case.left_hours * HOUR_US, "{}", case.what);
            let terms = ClockTerms { start, ..hours(48, Exclusion::None) };
            assert_eq!(deadline(&terms, Zone::UTC, &used, t0), t0.plus_us(left), "{}", case.what);
        }
        // Where release alone starts the clock, a named instant changes nothing.
        let used = stretches(StartRule::OtherwiseReleased, case.since.map(at), &gaps, &[], t0);
        assert_eq!(used, after_gaps(&gaps, t0), "{}", case.what);
        assert_eq!(used_us(&used, &Exclusion::None, Zone::UTC), gaps.iter().map(Span::len_us).sum::<i64>(), "{}", case.what);
    }
}

/// A basis that opens the instant another closes leaves no gap, so no T0 for a named instant to end at.
#[test]
fn a_gap_without_length_is_none() {
    let (named, t0) = (at("2024-03-14T20:00:00Z"), at("2024-03-15T17:00:00Z"));
    let empty = span("2024-03-15T09:00:00Z", "2024-03-15T09:00:00Z");
    let used = stretches(StartRule::Receipt, Some(named), &[empty], &[], t0);
    assert_eq!(used.stretches(), [Span { start: named, end: t0 }]);
    assert_eq!(after_gaps(&[empty], t0), Used::nothing());
}

/// No hours at all are used up when the clock starts.
#[test]
fn a_limit_of_nothing() {
    let t0 = at("2024-03-22T09:00:00Z");
    let gap = span("2024-03-16T09:00:00Z", "2024-03-16T10:00:00Z");
    for exclusion in [Exclusion::None, Exclusion::federal()] {
        let terms = hours(0, exclusion);
        assert_eq!(deadline(&terms, Zone::UTC, &Used::nothing(), t0), t0);
        assert_eq!(deadline(&terms, Zone::UTC, &after_gaps(&[gap], t0), t0), gap.start);
    }
}

#[test]
fn only_named_start_rules_need_a_named_instant() {
    for (start, needs) in [(StartRule::OtherwiseReleased, false), (StartRule::Receipt, true), (StartRule::WarrantServed, true)] {
        assert_eq!(start.needs_named(), needs, "{start:?}");
    }
}

#[test]
fn stretches_are_merged_cut_at_t0_and_counted_once() {
    let t0 = at("2024-03-22T09:00:00Z");
    let hour = |from: i64, to: i64| Span { start: t0.plus_us(from * HOUR_US), end: t0.plus_us(to * HOUR_US) };
    let gaps = [hour(-3, -2), hour(-10, -8), hour(-1, -1), hour(-4, -3)];
    let inherited = [hour(-30, -20), hour(-9, -7), hour(-1, 5), hour(2, 3)];
    let used = stretches(StartRule::OtherwiseReleased, None, &gaps, &inherited, t0);
    assert_eq!(used.stretches(), [hour(-30, -20), hour(-10, -7), hour(-4, -2), hour(-1, 0)]);
    assert_eq!(used.first(), Some(t0.plus_us(-30 * HOUR_US)));
    assert_eq!(used_us(&used, &Exclusion::None, Zone::UTC), 16 * HOUR_US);
    assert_eq!(deadline(&hours(48, Exclusion::None), Zone::UTC, &used, t0), t0.plus_us(32 * HOUR_US));
}

/// DOMAIN.md §10, 14: what an earlier booking used is gone on the next, by whichever rule counts.
#[test]
fn inherited_time_counts_by_the_rule_that_reads_it() {
    let t0 = at("2024-03-18T09:00:00-04:00");
    let weekend = span("2024-03-15T17:00:00-04:00", "2024-03-17T12:00:00-04:00");
    let used = stretches(StartRule::OtherwiseReleased, None, &[], &[weekend], t0);
    let shown = readings(zone(NEW_YORK), &used, t0);
    assert_eq!(shown.contiguous, t0.plus_us(5 * HOUR_US));
    assert_eq!(shown.business, at("2024-03-20T02:00:00-04:00"));
}

#[test]
fn the_end_of_the_local_day() {
    let cases = [
        (NEW_YORK, "2024-03-15T17:00:00-04:00", "2024-03-16T00:00:00-04:00"),
        (NEW_YORK, "2024-03-15T00:00:00-04:00", "2024-03-16T00:00:00-04:00"),
        (NEW_YORK, "2024-03-15T23:59:59.999999-04:00", "2024-03-16T00:00:00-04:00"),
        (NEW_YORK, "2024-03-16T10:00:00-04:00", "2024-03-17T00:00:00-04:00"), // a Saturday is a day like any other
        (NEW_YORK, "2024-12-31T10:00:00-05:00", "2025-01-01T00:00:00-05:00"),
        (NEW_YORK, "2024-03-10T00:00:00-05:00", "2024-03-11T00:00:00-04:00"), // 23 hours
        (NEW_YORK, "2024-11-03T00:00:00-04:00", "2024-11-04T00:00:00-05:00"), // 25 hours
        ("America/Havana", "2024-03-09T23:30:00-05:00", "2024-03-10T01:00:00-04:00"), // the day that begins at 01:00
        ("America/Havana", "2024-11-02T23:30:00-04:00", "2024-11-03T00:00:00-04:00"), // the earlier midnight
        ("Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00"), // no 30 December
        ("Pacific/Honolulu", "2024-03-16T01:00:00Z", "2024-03-16T10:00:00Z"), // still the 15th there
    ];
    for (zone_name, t0, wanted) in cases {
        let found = deadline(&end_of_day(StartRule::OtherwiseReleased), zone(zone_name), &Used::nothing(), at(t0));
        assert_eq!(found, at(wanted), "{zone_name} {t0}");
    }
}

#[test]
fn an_end_of_day_limit_counts_from_the_clocks_start_and_survives_no_interruption() {
    let (zone, t0) = (zone(NEW_YORK), at("2024-03-15T17:00:00-04:00"));
    let day_ends = at("2024-03-16T00:00:00-04:00");
    let of = |start, named: Option<&str>, gaps: &[Span], inherited: &[Span]| {
        deadline(&end_of_day(start), zone, &stretches(start, named.map(at), gaps, inherited, t0), t0)
    };
    let morning = span("2024-03-15T09:00:00-04:00", "2024-03-15T10:00:00-04:00");
    let to_t0 = Span { start: morning.end, end: t0 };
    // Named the same day: that day's end. Named the day before: over before T0.
    assert_eq!(of(StartRule::Receipt, Some("2024-03-15T08:00:00-04:00"), &[], &[]), day_ends);
    assert_eq!(of(StartRule::Receipt, Some("2024-03-14T20:00:00-04:00"), &[], &[]), at("2024-03-15T00:00:00-04:00"));
    // A gap earlier the same day leaves nothing, also where the named instant makes the clock run through to T0.
    assert_eq!(of(StartRule::OtherwiseReleased, None, &[morning], &[]), morning.end);
    assert_eq!(of(StartRule::Receipt, Some("2024-03-15T09:30:00-04:00"), &[morning], &[]), morning.end);
    // Inherited time leaves nothing either, also where the earlier booking ended at this T0.
    assert_eq!(of(StartRule::OtherwiseReleased, None, &[], &[morning]), morning.end);
    assert_eq!(of(StartRule::OtherwiseReleased, None, &[], &[to_t0]), t0);
}

#[test]
fn how_the_exclusion_rule_of_a_revision_resolves() {
    let county_days = days(&["2024-03-29"]);
    let named = Exclusion::WeekendsAndHolidays { county_days: county_days.clone() };
    let cases = [
        (ExclusionRule::None, true, Exclusion::None),
        (ExclusionRule::Weekends, false, Exclusion::Weekends),
        (ExclusionRule::WeekendsAndHolidays, false, named.clone()),
        (ExclusionRule::WeekendsAndHolidays, true, named),
        (ExclusionRule::AsFormPrints, true, Exclusion::federal()),
        (ExclusionRule::AsFormPrints, false, Exclusion::None),
    ];
    for (rule, form_excludes, wanted) in cases {
        assert_eq!(rule.resolve(form_excludes, &county_days), wanted, "{rule:?} {form_excludes}");
        let by_hours = ClockTerms::resolve(StartRule::Receipt, Limit::Hours(48), rule, form_excludes, &county_days);
        assert_eq!(by_hours, ClockTerms { start: StartRule::Receipt, limit: Limit::Hours(48), exclusion: wanted });
        let by_day = ClockTerms::resolve(StartRule::Receipt, Limit::EndOfLocalDay, rule, form_excludes, &county_days);
        assert_eq!(by_day.exclusion, Exclusion::None, "{rule:?}");
    }
}

/// DOMAIN.md §10, 16: a county's own day moves the governing deadline and neither shown reading.
#[test]
fn county_days() {
    let (zone, t0) = (zone(NEW_YORK), at("2024-03-27T17:00:00-04:00"));
    let good_friday = Exclusion::WeekendsAndHolidays { county_days: days(&["2024-03-29", "2024-03-30"]) };
    assert_eq!(deadline(&hours(48, good_friday), zone, &Used::nothing(), t0), at("2024-04-01T17:00:00-04:00"));
    let shown = readings(zone, &Used::nothing(), t0);
    assert_eq!(shown.business, at("2024-03-29T17:00:00-04:00"));
    assert_eq!(shown.contiguous, shown.business);
}

#[test]
fn what_a_span_counts() {
    let (ny, apia) = (zone(NEW_YORK), zone("Pacific/Apia"));
    let weekend = Exclusion::Weekends;
    let sunday_23 = span("2024-03-10T00:00:00-05:00", "2024-03-11T00:00:00-04:00");
    let sunday_25 = span("2024-11-03T00:00:00-04:00", "2024-11-04T00:00:00-05:00");
    let week_23 = span("2024-03-08T00:00:00-05:00", "2024-03-12T00:00:00-04:00");
    let skipped = span("2011-12-29T00:00:00-10:00", "2012-01-03T00:00:00+14:00");
    let cases = [
        (sunday_23, ny, Exclusion::None, 23),
        (sunday_23, ny, weekend.clone(), 0),
        (sunday_25, ny, Exclusion::None, 25),
        (sunday_25, ny, weekend.clone(), 0),
        (week_23, ny, Exclusion::None, 24 + 24 + 23 + 24),
        (week_23, ny, weekend.clone(), 48),
        (skipped, apia, Exclusion::None, 96),
        (skipped, apia, weekend.clone(), 48),
        (skipped, apia, Exclusion::federal(), 24), // the Monday stood for New Year's Day
        (skipped, apia, Exclusion::WeekendsAndHolidays { county_days: days(&["2011-12-30"]) }, 24),
        (Span::new(at("2024-03-15T17:00:00Z"), at("2024-03-15T17:00:00Z")), ny, weekend.clone(), 0),
        (span("2024-03-15T17:00:00Z", "2024-03-14T17:00:00Z"), ny, weekend, 0),
    ];
    for (span, zone, exclusion, hours) in cases {
        assert_eq!(counted(span, &exclusion, zone), hours * HOUR_US, "{span:?} {zone} {exclusion:?}");
    }
}

#[test]
fn spans_without_end_in_sight_and_limits_without_measure_have_answers() {
    let zone = zone(NEW_YORK);
    let t0 = at("2024-03-15T17:00:00Z");
    let for_ever = Span::from(t0);
    assert_eq!(counted(for_ever, &Exclusion::None, zone), for_ever.len_us());
    let business = counted(for_ever, &Exclusion::federal(), zone);
    assert!(business > for_ever.len_us() / 7 * 4 && business < for_ever.len_us() / 7 * 5, "{business}");
    for exclusion in [Exclusion::None, Exclusion::federal()] {
        assert_eq!(deadline(&hours(u32::MAX, exclusion), zone, &Used::nothing(), t0), Instant::FAR);
    }
    for edge in [Instant::MIN, Instant::FAR] {
        for terms in [hours(48, Exclusion::None), hours(48, Exclusion::federal()), end_of_day(StartRule::OtherwiseReleased)] {
            assert!(deadline(&terms, zone, &Used::nothing(), edge) >= edge, "{terms:?} {edge}");
        }
    }
    let used = after_gaps(&[Span { start: Instant::MIN, end: t0 }], t0);
    assert!(deadline(&hours(48, Exclusion::federal()), zone, &used, t0) < t0);
    assert!(used_us(&used, &Exclusion::federal(), zone) > DAY_US);
}
