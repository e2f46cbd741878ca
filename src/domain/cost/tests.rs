//! Worked cases, and the county they happen in.

use super::*;
use crate::domain::agreement::Scope;

/// Everything that prices the custody of a test.
#[derive(Default)]
pub(super) struct County {
    pub book: RateBook,
    pub agreements: Vec<Agreement>,
    pub reserved: BTreeMap<AgreementId, Cents>,
    pub zones: BTreeMap<FacilityId, Zone>,
}

impl County {
    pub fn lines(&self, gaps: &[Gap], until: Instant) -> Result<Vec<CostLine>, CostError> {
        self.priced(|pricing| cost_lines(pricing, gaps, until))
    }

    pub fn priced<T>(&self, ask: impl FnOnce(&Pricing<'_>) -> T) -> T {
        ask(&Pricing {
            book: &self.book,
            agreement: &|id| self.agreements.iter().find(|one| one.id == *id),
            zone_of: &|facility| self.zones.get(facility).copied().unwrap_or(Zone::UTC),
            reserved: &|id, _| self.reserved.get(id).map(|most| Reserved { funded: *most > Cents::ZERO, most: *most }),
        })
    }

    /// A county with one jail, priced at `per_day` from 1900 on.
    fn with(jail: &str, zone: &str, per_day: i64, day_count: DayCount) -> Self {
        Self::default().jail(jail, zone).rate("r1", jail, "1900-01-01", per_day, day_count)
    }

    pub fn jail(mut self, jail: &str, zone: &str) -> Self {
        self.zones.insert(FacilityId::trusted(jail), zone.parse().unwrap());
        self
    }

    pub fn rate(mut self, id: &str, jail: &str, effective: &str, per_day: i64, day_count: DayCount) -> Self {
        self.book.add(rate(id, jail, effective, per_day, day_count)).unwrap();
        self
    }

    fn per_hold(mut self, id: &str, amount: i64) -> Self {
        let rate = self.book.remove(&RateId::trusted(id)).unwrap();
        self.book.add(Rate { per_hold: Some(Cents::new(amount)), ..rate }).unwrap();
        self
    }

    pub fn agreement(mut self, agreement: Agreement) -> Self {
        self.agreements.push(agreement);
        self
    }

    fn reserve(mut self, id: &str, amount: i64) -> Self {
        self.reserved.insert(AgreementId::trusted(id), Cents::new(amount));
        self
    }
}

fn rate(id: &str, jail: &str, effective: &str, per_day: i64, day_count: DayCount) -> Rate {
    Rate {
        id: RateId::trusted(id),
        facility: FacilityId::trusted(jail),
        effective: effective.parse().unwrap(),
        end: None,
        per_day: Cents::new(per_day),
        marginal: None,
        per_hold: None,
        day_count,
    }
}

pub(super) fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// Signed long ago, for ever, for everything, read in UTC.
pub(super) fn promise(id: &str, term: Term) -> Agreement {
    Agreement {
        id: AgreementId::trusted(id),
        instrument: crate::domain::policy::Instrument { title: "Letter".into(), citation: "".into(), date: None, sha256: None },
        counterparty: "".into(),
        seq: 0,
        signed: Some(at("1990-01-01T00:00:00Z")),
        start: "1990-01-01".parse().unwrap(),
        end: None,
        zone: Zone::UTC,
        scope: Scope::default(),
        term,
        budget: None,
        filing_window_days: None,
        terminated: None,
    }
}

/// Over-detention.
pub(super) fn over(jail: &str, from: &str, to: &str) -> Segment {
    let span = Span::new(at(from), at(to));
    Segment { span, facility: FacilityId::trusted(jail), authority: Authority::OverDetained, hold: None, rests_on: None }
}

/// A hold that rests on these agreements.
pub(super) fn held(jail: &str, from: &str, to: &str, agreements: &[&str]) -> Segment {
    let rests_on = RestsOn {
        detainer: DetainerId::trusted("d1"),
        revision: RevisionId::trusted("p1"),
        agreements: agreements.iter().map(|id| AgreementId::trusted(id)).collect(),
    };
    let (hold, rests_on) = (Some(HoldId::trusted("h1")), Some(rests_on));
    Segment { authority: Authority::Authorized, hold, rests_on, ..over(jail, from, to) }
}

pub(super) fn gap(segments: Vec<Segment>) -> Gap {
    Gap { t0: segments[0].span.start, end: segments[segments.len() - 1].span.end, segments }
}

fn cents(lines: &[CostLine], of: impl Fn(&CostLine) -> Cents) -> Vec<i64> {
    lines.iter().map(|line| of(line).get()).collect()
}

fn incurred(lines: &[CostLine]) -> Vec<i64> {
    cents(lines, |line| line.incurred)
}

fn covered(lines: &[CostLine]) -> Vec<i64> {
    cents(lines, |line| line.covered)
}

const COUNTS: [DayCount; 4] = [DayCount::Hourly, DayCount::CalendarDay, DayCount::Midnight, DayCount::Per24h];

#[test]
fn every_way_of_counting_days_at_126_dollars() {
    // zone, from, to, then cents by the hour, by calendar day, by midnight, by each 24 hours begun.
    let cases = [
        ("one hour", "America/New_York", "2024-03-04T15:00:00Z", "2024-03-04T16:00:00Z", [525, 12_600, 0, 12_600]),
        ("one second", "America/New_York", "2024-03-04T15:00:00Z", "2024-03-04T15:00:01Z", [0, 12_600, 0, 12_600]),
        ("across midnight", "America/New_York", "2024-03-05T04:30:00Z", "2024-03-05T05:30:00Z", [525, 25_200, 12_600, 12_600]),
        ("up to midnight", "America/New_York", "2024-03-05T03:00:00Z", "2024-03-05T05:00:00Z", [1_050, 12_600, 0, 12_600]),
        ("from midnight", "America/New_York", "2024-03-05T05:00:00Z", "2024-03-05T06:00:00Z", [525, 12_600, 12_600, 12_600]),
        ("24 hours", "America/New_York", "2024-03-04T15:00:00Z", "2024-03-05T15:00:00Z", [12_600, 25_200, 12_600, 12_600]),
        (
            "24 h and a µs",
            "America/New_York",
            "2024-03-04T15:00:00Z",
            "2024-03-05T15:00:00.000001Z",
            [12_600, 25_200, 12_600, 25_200],
        ),
        ("48 hours", "America/New_York", "2024-03-04T15:00:00Z", "2024-03-06T15:00:00Z", [25_200, 37_800, 25_200, 25_200]),
        (
            "the day of 23 hours",
            "America/New_York",
            "2024-03-10T05:00:00Z",
            "2024-03-11T04:00:00Z",
            [12_075, 12_600, 12_600, 12_600],
        ),
        (
            "the day of 25 hours",
            "America/New_York",
            "2024-11-03T04:00:00Z",
            "2024-11-04T05:00:00Z",
            [13_125, 12_600, 12_600, 25_200],
        ),
        (
            "two days by the wall, 49 hours",
            "America/New_York",
            "2024-11-02T16:00:00Z",
            "2024-11-04T17:00:00Z",
            [25_725, 37_800, 25_200, 37_800],
        ),
        (
            "two days by the wall, 47 hours",
            "America/New_York",
            "2024-03-09T17:00:00Z",
            "2024-03-11T16:00:00Z",
            [24_675, 37_800, 25_200, 25_200],
        ),
        (
            "month end, leap year",
            "America/Chicago",
            "2024-02-28T18:00:00Z",
            "2024-03-01T18:00:00Z",
            [25_200, 37_800, 25_200, 25_200],
        ),
        (
            "month end, plain year",
            "America/Chicago",
            "2023-02-28T18:00:00Z",
            "2023-03-01T18:00:00Z",
            [12_600, 25_200, 12_600, 12_600],
        ),
        ("year end", "America/Chicago", "2024-01-01T02:00:00Z", "2024-01-01T10:00:00Z", [4_200, 25_200, 12_600, 12_600]),
        ("midnight skipped", "America/Havana", "2024-03-10T04:00:00Z", "2024-03-10T06:00:00Z", [1_050, 25_200, 12_600, 12_600]),
        ("midnight twice", "America/Havana", "2024-11-03T03:30:00Z", "2024-11-03T06:30:00Z", [1_575, 25_200, 12_600, 12_600]),
        (
            "back from midnight to 23:00",
            "America/Sao_Paulo",
            "2018-02-18T01:00:00Z",
            "2018-02-18T04:00:00Z",
            [1_575, 25_200, 12_600, 12_600],
        ),
        (
            "back from 00:01 to 23:01",
            "America/St_Johns",
            "2010-11-07T02:00:00Z",
            "2010-11-07T05:00:00Z",
            [1_575, 25_200, 12_600, 12_600],
        ),
        ("a day skipped whole", "Pacific/Apia", "2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z", [12_600, 25_200, 12_600, 12_600]),
    ];
    for (what, zone, from, to, expected) in cases {
        for (day_count, expected) in COUNTS.into_iter().zip(expected) {
            let county = County::with("jail", zone, 12_600, day_count);
            let lines = county.lines(&[gap(vec![over("jail", from, to)])], at(to)).unwrap();
            assert_eq!(incurred(&lines).iter().sum::<i64>(), expected, "{what}, {day_count:?}: {lines:#?}");
        }
    }
}

#[test]
fn a_clock_set_back_across_midnight_makes_no_second_day() {
    // In St John's the 7th begins at 02:30Z; at 02:31Z the clock goes back to 23:01 of the 6th, until 03:30Z.
    let county = County::with("jail", "America/St_Johns", 12_600, DayCount::CalendarDay);
    for (from, days) in [("2010-11-07T03:00:00Z", vec![7, 7]), ("2010-11-07T02:00:00Z", vec![6, 7, 7])] {
        let cut = "2010-11-07T03:10:00Z"; // inside the hour that shows the 6th again
        let gaps = [gap(vec![over("jail", from, cut), over("jail", cut, "2010-11-07T05:00:00Z")])];
        let lines = county.lines(&gaps, Instant::FAR).unwrap();
        let found: Vec<u32> = lines.iter().map(|line| chrono::Datelike::day(&line.local_day)).collect();
        assert_eq!(found, days, "from {from}");
    }
}

#[test]
fn an_hour_is_5_25_also_as_two_half_hours() {
    let county = County::with("tgk", "America/New_York", 12_600, DayCount::Hourly);
    let (from, half, to) = ("2024-03-04T15:00:00Z", "2024-03-04T15:30:00Z", "2024-03-04T16:00:00Z");
    let whole = [gap(vec![over("tgk", from, to)])];
    let halves = [gap(vec![over("tgk", from, half), over("tgk", half, to)])];
    assert_eq!(incurred(&county.lines(&whole, at(to)).unwrap()), [525]);
    assert_eq!(incurred(&county.lines(&halves, at(to)).unwrap()), [262, 263], "262.5 rounds to even, the rest follows");
    assert_eq!(incurred(&county.lines(&whole, at(half)).unwrap()), [262], "so far");
}

#[test]
fn open_custody_accrues_to_the_stated_instant() {
    let county = County::with("tgk", "America/New_York", 12_600, DayCount::Hourly);
    let mut open = gap(vec![over("tgk", "2024-03-04T15:00:00Z", "2024-03-04T16:00:00Z")]);
    (open.end, open.segments[0].span.end) = (Instant::FAR, Instant::FAR);
    let so_far = |until| county.lines(std::slice::from_ref(&open), until);
    assert_eq!(so_far(at("2024-03-04T15:00:00Z")), Ok(vec![]), "nothing has passed");
    assert_eq!(so_far(at("2024-03-01T00:00:00Z")), Ok(vec![]), "it has not begun");
    let lines = so_far(at("2024-03-05T15:00:00Z")).unwrap();
    assert_eq!(incurred(&lines), [7_350, 5_250], "14 hours and 10 hours: cut at midnight in New York");
    let days: Vec<String> = lines.iter().map(|line| line.local_day.to_string()).collect();
    assert_eq!(days, ["2024-03-04", "2024-03-05"]);
    assert_eq!(so_far(Instant::FAR), Err(CostError::Endless));
}

#[test]
fn rates_change_at_local_midnight() {
    let county = County::with("tgk", "America/New_York", 2_400, DayCount::Hourly)
        .rate("r2", "tgk", "2024-03-05", 4_800, DayCount::Hourly)
        .rate("r3", "tgk", "2024-03-06", 7_200, DayCount::CalendarDay);
    let gaps = [gap(vec![over("tgk", "2024-03-05T04:00:00Z", "2024-03-06T06:00:00Z")])];
    let lines = county.lines(&gaps, at("2024-03-07T00:00:00Z")).unwrap();
    assert_eq!(incurred(&lines), [100, 4_800, 7_200]);
    let rates: Vec<_> = lines.iter().map(|line| line.rate.as_ref().map(RateId::as_str)).collect();
    assert_eq!(rates, [Some("r1"), Some("r2"), Some("r3")]);
}

#[test]
fn without_a_rate_nothing_is_known_to_be_incurred() {
    let county = County::default().jail("tgk", "America/New_York").rate("r1", "tgk", "2024-03-05", 2_400, DayCount::Hourly);
    let gaps = [gap(vec![over("tgk", "2024-03-05T04:00:00Z", "2024-03-05T06:00:00Z")])];
    let lines = county.lines(&gaps, at("2024-03-07T00:00:00Z")).unwrap();
    assert_eq!(incurred(&lines), [0, 100]);
    assert_eq!(lines[0].rate, None);
}

#[test]
fn moves_between_jails_in_two_zones() {
    // Pensacola keeps Central time, Tallahassee Eastern: at 04:30Z it is 23:30 on the 4th here and 00:30 on the 5th there (winter: 05:30Z).
    let cases = [
        // West at 05:30Z: the 5th was touched in the east from 05:00Z; the 4th, touched from 03:00Z in the east, is not touched again.
        (DayCount::CalendarDay, DayCount::CalendarDay, ["03:00", "05:30", "08:00"], vec![100, 100, 0, 0]),
        (DayCount::Midnight, DayCount::Midnight, ["03:00", "05:30", "08:00"], vec![0, 100, 0, 0]),
        // T0 at 05:10Z in the east is 00:10 on the 5th: a move west touches the 4th, then the midnight of the 5th.
        (DayCount::CalendarDay, DayCount::CalendarDay, ["05:10", "05:30", "08:00"], vec![100, 100, 0]),
        (DayCount::Midnight, DayCount::Midnight, ["05:10", "05:30", "08:00"], vec![0, 0, 100]),
        // The 5th is charged in the east; its midnight in the west must not charge it again.
        (DayCount::CalendarDay, DayCount::Midnight, ["05:10", "05:30", "08:00"], vec![100, 0, 0]),
        // Where the date was first touched nothing charges days: nobody charges it later.
        (DayCount::Hourly, DayCount::CalendarDay, ["03:00", "05:30", "08:00"], vec![8, 2, 0, 0]),
        (DayCount::Per24h, DayCount::Per24h, ["03:00", "05:30", "08:00"], vec![100, 0, 0, 0]),
    ];
    for (east, west, [t0, moved, end], expected) in cases {
        let county = County::with("east", "America/New_York", 100, east).jail("west", "America/Chicago");
        let county = county.rate("r2", "west", "1900-01-01", 100, west);
        let [t0, moved, end] = [t0, moved, end].map(|time| format!("2024-03-05T{time}:00Z"));
        let gaps = [gap(vec![over("east", &t0, &moved), over("west", &moved, &end)])];
        let lines = county.lines(&gaps, at(&end)).unwrap();
        assert_eq!(incurred(&lines), expected, "{east:?} then {west:?} from {t0}: {lines:#?}");
    }
}

#[test]
fn periods_of_24_hours_run_through_moves_and_authority_at_the_rate_there() {
    let county =
        County::with("a", "UTC", 100, DayCount::Per24h).jail("b", "UTC").rate("r2", "b", "1900-01-01", 7_000, DayCount::Per24h);
    let gaps = [gap(vec![
        held("a", "2024-03-01T10:00:00Z", "2024-03-02T09:00:00Z", &[]),
        over("b", "2024-03-02T09:00:00Z", "2024-03-02T10:00:00Z"), // the second period has not begun
        over("b", "2024-03-02T10:00:00Z", "2024-03-02T11:00:00Z"), // begins exactly here
    ])];
    let lines = county.lines(&gaps, at("2024-03-09T00:00:00Z")).unwrap();
    assert_eq!(incurred(&lines), [100, 0, 0, 7_000]);
}

#[test]
fn each_t0_has_its_own_24_hours_but_shares_its_days() {
    let (first, second) = (
        gap(vec![over("a", "2024-03-01T10:00:00Z", "2024-03-01T11:00:00Z")]),
        gap(vec![over("a", "2024-03-01T20:00:00Z", "2024-03-02T01:00:00Z")]),
    );
    let gaps = [first, second];
    for (day_count, expected) in COUNTS.into_iter().zip([[100, 400, 100], [2_400, 0, 2_400], [0, 0, 2_400], [2_400, 2_400, 0]]) {
        let county = County::with("a", "UTC", 2_400, day_count);
        assert_eq!(incurred(&county.lines(&gaps, at("2024-03-09T00:00:00Z")).unwrap()), expected, "{day_count:?}");
    }
    // Half a cent each: two T0 round apart.
    let county = County::with("a", "UTC", 36, DayCount::Hourly);
    let hour = |from, to| gap(vec![over("a", from, to)]);
    let gaps = [hour("2024-03-01T10:00:00Z", "2024-03-01T11:00:00Z"), hour("2024-03-01T12:00:00Z", "2024-03-01T13:00:00Z")];
    assert_eq!(incurred(&county.lines(&gaps, at("2024-03-09T00:00:00Z")).unwrap()), [2, 2], "1.5 to the even cent, twice");
}

#[test]
fn an_amount_per_hold_falls_once_per_chain_and_never_on_over_detention() {
    let county = County::with("a", "UTC", 0, DayCount::Hourly).per_hold("r1", 3_000);
    let chain = [
        gap(vec![
            over("a", "2024-03-01T10:00:00Z", "2024-03-01T11:00:00Z"),
            held("a", "2024-03-01T11:00:00Z", "2024-03-01T12:00:00Z", &[]),
        ]),
        gap(vec![held("a", "2024-03-03T10:00:00Z", "2024-03-03T11:00:00Z", &[])]),
    ];
    let until = at("2024-03-09T00:00:00Z");
    assert_eq!(incurred(&county.lines(&chain, until).unwrap()), [0, 3_000, 0]);
    let alone = [gap(vec![over("a", "2024-03-01T10:00:00Z", "2024-03-04T11:00:00Z")])];
    assert!(incurred(&county.lines(&alone, until).unwrap()).iter().all(|amount| *amount == 0));
    // A hold that began where nothing is charged per hold is not charged where it moves to.
    let county = county.jail("free", "UTC").rate("r2", "free", "1900-01-01", 0, DayCount::Hourly);
    let moved = [gap(vec![
        held("free", "2024-03-01T10:00:00Z", "2024-03-01T11:00:00Z", &[]),
        held("a", "2024-03-01T11:00:00Z", "2024-03-01T12:00:00Z", &[]),
    ])];
    assert_eq!(incurred(&county.lines(&moved, until).unwrap()), [0, 0]);
}

#[test]
fn miami_dades_216_days_at_113_dollars() {
    // 108 holds that each touch two days, as billed for the four months to January 2018.
    let county = County::with("tgk", "America/New_York", 23_170, DayCount::CalendarDay)
        .agreement(promise("iga", Term::PerDiem { per_day: Cents::new(11_300), day_count: DayCount::CalendarDay }));
    let mut paid = Vec::new();
    for n in 0..108 {
        let t0 = at("2017-10-01T20:00:00Z").plus_us(n * DAY_US);
        let mut hold = gap(vec![held("tgk", "2017-10-01T20:00:00Z", "2017-10-02T20:00:00Z", &["iga"])]);
        (hold.t0, hold.end, hold.segments[0].span) = (t0, t0.plus_us(DAY_US), Span::new(t0, t0.plus_us(DAY_US)));
        let lines = county.lines(&[hold], Instant::FAR).unwrap();
        assert_eq!(incurred(&lines), [23_170, 23_170]);
        paid.extend(covered(&lines));
    }
    assert_eq!(paid.len(), 216);
    assert_eq!(Cents::new(paid.iter().sum()).grouped(), "24,408.00");
    // One long hold of 216 local days, across a clock change and a year end.
    let long = [gap(vec![held("tgk", "2017-10-01T04:00:00Z", "2018-05-05T04:00:00Z", &["iga"])])];
    let lines = county.lines(&long, Instant::FAR).unwrap();
    assert_eq!(covered(&lines).iter().sum::<i64>(), 2_440_800);
}

#[test]
fn fifty_dollars_flat_up_to_48_hours() {
    let county = County::with("jail", "UTC", 12_000, DayCount::Hourly)
        .agreement(promise("boa", Term::FlatPerHold { amount: Cents::new(5_000), up_to_hours: 48 }));
    let gaps = [
        gap(vec![
            over("jail", "2018-03-01T11:00:00Z", "2018-03-01T12:00:00Z"),
            held("jail", "2018-03-01T12:00:00Z", "2018-03-02T12:00:00Z", &["boa"]),
        ]),
        gap(vec![held("jail", "2018-03-05T00:00:00Z", "2018-03-06T12:00:00Z", &["boa"])]),
    ];
    let lines = county.lines(&gaps, Instant::FAR).unwrap();
    let by: Vec<_> = lines.iter().map(|line| line.agreement.is_some()).collect();
    assert_eq!(by, [false, true, true, true, false], "24 hours, then 24 of the next 36");
    assert_eq!(incurred(&lines), [500, 6_000, 6_000, 12_000, 6_000]);
    assert_eq!(covered(&lines), [0, 5_000, 0, 0, 0], "whole on the first line in its scope, once per chain");
    let short = [gap(vec![held("jail", "2018-03-01T12:00:00Z", "2018-03-01T13:00:00Z", &["boa"])])];
    let lines = county.lines(&short, Instant::FAR).unwrap();
    assert_eq!(lines[0].absorbed(), Ok(Cents::new(-4_500)), "the federal side pays more than it cost");
}

#[test]
fn cooks_costs_after_the_first_hours() {
    for (day_count, expected) in COUNTS.into_iter().zip([
        // 12:00 to 12:00 two days later; the first 36 hours are the county's.
        (vec![5_000, 10_000, 5_000], vec![0, 0, 5_000]),
        (vec![10_000, 10_000, 10_000], vec![0, 0, 10_000]), // the third day's step falls exactly at the 36th hour
        (vec![0, 10_000, 10_000], vec![0, 0, 10_000]),
        (vec![10_000, 10_000, 0], vec![0, 0, 0]),
    ]) {
        let county =
            County::with("jail", "UTC", 10_000, day_count).agreement(promise("offer", Term::AfterFirstHours { hours: 36 }));
        let gaps = [gap(vec![held("jail", "2012-03-01T12:00:00Z", "2012-03-03T12:00:00Z", &["offer"])])];
        let lines = county.lines(&gaps, Instant::FAR).unwrap();
        assert_eq!((incurred(&lines), covered(&lines)), expected, "{day_count:?}");
    }
    let county =
        County::with("jail", "UTC", 2_400, DayCount::Hourly).agreement(promise("offer", Term::AfterFirstHours { hours: 1 }));
    let late = Segment {
        authority: Authority::AuthorizedLate,
        ..held("jail", "2012-03-01T12:00:00Z", "2012-03-01T14:00:00Z", &["offer"])
    };
    let lines = county.lines(&[gap(vec![late])], Instant::FAR).unwrap();
    assert_eq!(covered(&lines), [0, 100], "late authority is covered too");
}

#[test]
fn two_agreements_cover_different_hours_of_one_hold() {
    let flat = promise("flat", Term::FlatPerHold { amount: Cents::new(5_000), up_to_hours: 24 });
    let flat = Agreement { signed: Some(at("2011-01-01T00:00:00Z")), ..flat };
    let after = promise("after", Term::AfterFirstHours { hours: 12 });
    let county = County::with("jail", "UTC", 2_400, DayCount::Hourly).agreement(after).agreement(flat);
    let gaps = [gap(vec![held("jail", "2012-03-01T00:00:00Z", "2012-03-02T12:00:00Z", &["flat", "after"])])];
    let lines = county.lines(&gaps, Instant::FAR).unwrap();
    let by: Vec<_> = lines.iter().map(|line| line.agreement.as_ref().map(AgreementId::as_str)).collect();
    assert_eq!(by, [Some("flat"), Some("after")], "the one named first keeps its hours; no cut at hour 12");
    assert_eq!(covered(&lines), [5_000, 1_200]);
    // With nothing reserved it is no payer, and the other takes its hours.
    let county = county.reserve("flat", 0);
    let lines = county.lines(&gaps, Instant::FAR).unwrap();
    assert_eq!(covered(&lines), [0, 1_200, 1_200]);
}

#[test]
fn an_agreement_pays_for_its_dates_and_places_only() {
    let all = || promise("all", Term::AllCosts);
    let gaps = [gap(vec![
        held("a", "2024-03-01T12:00:00Z", "2024-03-02T12:00:00Z", &["all"]),
        held("b", "2024-03-02T12:00:00Z", "2024-03-03T12:00:00Z", &["all"]),
    ])];
    let signed_late = Agreement {
        signed: Some(at("2024-03-20T00:00:00Z")),
        start: "2024-03-02".parse().unwrap(),
        end: Some("2024-03-03".parse().unwrap()),
        ..all()
    };
    let cases = [
        ("everything", all(), vec![1_200, 1_200, 1_200, 1_200]),
        ("the second of March, signed on the 20th", signed_late, vec![0, 1_200, 1_200, 0]),
        ("an offer", Agreement { signed: None, ..all() }, vec![0, 0, 0, 0]),
        ("ended at 18:00", Agreement { terminated: Some(at("2024-03-01T18:00:00Z")), ..all() }, vec![600, 0, 0, 0, 0]),
        (
            "one jail",
            Agreement { scope: Scope { facilities: vec![FacilityId::trusted("b")], ..Scope::default() }, ..all() },
            vec![0, 0, 1_200, 1_200],
        ),
    ];
    for (what, agreement, expected) in cases {
        let county = County::with("a", "UTC", 2_400, DayCount::Hourly).agreement(agreement);
        let county = county.jail("b", "UTC").rate("r2", "b", "1900-01-01", 2_400, DayCount::Hourly);
        assert_eq!(covered(&county.lines(&gaps, Instant::FAR).unwrap()), expected, "{what}");
    }
}

#[test]
fn the_earliest_turn_cuts_first() {
    // The hours of the flat amount are over at 16:00, its dates only at 18:00.
    let flat = Term::FlatPerHold { amount: Cents::new(100), up_to_hours: 4 };
    let ended = Agreement { terminated: Some(at("2024-03-01T18:00:00Z")), ..promise("flat", flat) };
    let county = County::with("a", "UTC", 2_400, DayCount::Hourly).agreement(ended);
    let gaps = [gap(vec![held("a", "2024-03-01T12:00:00Z", "2024-03-01T20:00:00Z", &["flat"])])];
    let lines = county.lines(&gaps, Instant::FAR).unwrap();
    assert_eq!(incurred(&lines), [400, 400]);
    assert_eq!((lines[0].agreement.is_some(), lines[1].agreement.is_some()), (true, false));
}

#[test]
fn a_per_diem_counts_its_own_days_within_what_it_pays() {
    let hold = [gap(vec![
        over("jail", "2024-03-01T17:00:00Z", "2024-03-01T18:00:00Z"),
        held("jail", "2024-03-01T18:00:00Z", "2024-03-02T18:00:00Z", &["iga"]),
    ])];
    let cases = [
        (DayCount::Hourly, [0, 600, 1_800]),
        (DayCount::CalendarDay, [0, 0, 2_400]), // the first day was touched in over-detention
        (DayCount::Midnight, [0, 0, 2_400]),
        (DayCount::Per24h, [0, 0, 2_400]), // from T0, not from the hold's start: the second begins at 17:00
    ];
    for (day_count, expected) in cases {
        let county = County::with("jail", "UTC", 2_400, day_count)
            .agreement(promise("iga", Term::PerDiem { per_day: Cents::new(2_400), day_count }));
        let lines = county.lines(&hold, Instant::FAR).unwrap();
        assert_eq!(covered(&lines), expected, "{day_count:?}");
        assert_eq!(
            covered(&lines)[1..],
            incurred(&lines)[1..],
            "a per diem like the rate pays what the hold cost, {day_count:?}"
        );
    }
}

#[test]
fn nothing_covers_over_detention_or_more_than_was_reserved() {
    let county =
        County::with("jail", "UTC", 2_400, DayCount::Hourly).agreement(promise("all", Term::AllCosts)).reserve("all", 2_500);
    let mut beyond = held("jail", "2024-03-03T00:00:00Z", "2024-03-03T12:00:00Z", &["all"]);
    beyond.authority = Authority::OverDetained;
    let gaps = [gap(vec![held("jail", "2024-03-01T00:00:00Z", "2024-03-03T00:00:00Z", &["all"]), beyond])];
    let lines = county.lines(&gaps, Instant::FAR).unwrap();
    assert_eq!(covered(&lines), [2_400, 100, 0]);
    assert_eq!(lines[1].agreement, Some(AgreementId::trusted("all")), "the hour stays its own");
    assert_eq!(lines[2].agreement, None);
}

#[test]
fn the_most_an_agreement_can_owe() {
    let (from, to) = ("2024-03-01T18:00:00Z", "2024-03-03T18:00:00Z");
    let behind = [gap(vec![over("jail", "2024-03-01T17:00:00Z", from)])];
    let chain = [
        gap(vec![held("jail", "2024-02-20T00:00:00Z", "2024-02-21T00:00:00Z", &["x"])]),
        gap(vec![over("jail", "2024-03-01T17:00:00Z", "2024-03-09T00:00:00Z")]), // what lies after the hold's start is ignored
    ];
    let diem = |day_count| Term::PerDiem { per_day: Cents::new(2_400), day_count };
    let cases = [
        ("all costs", Term::AllCosts, 4_800 + 3_000, 4_800),
        ("per diem by the hour", diem(DayCount::Hourly), 4_800, 4_800),
        ("per diem by the day", diem(DayCount::CalendarDay), 4_800, 4_800), // the first day was touched before the hold
        ("flat", Term::FlatPerHold { amount: Cents::new(5_000), up_to_hours: 24 }, 5_000, 0), // paid on the chain's first hold
        ("after 36 hours", Term::AfterFirstHours { hours: 36 }, 1_200, 3_600),
    ];
    let county = County::with("jail", "UTC", 2_400, DayCount::Hourly).per_hold("r1", 3_000);
    for (what, term, expected, on_a_chain) in cases {
        let agreement = promise("x", term);
        let most = |custody: &[Gap], until| {
            county.priced(|pricing| max_owed(pricing, &agreement, custody, &FacilityId::trusted("jail"), at(from), at(until)))
        };
        assert_eq!(most(&behind, to), Ok(Cents::new(expected)), "{what}");
        assert_eq!(most(&chain, to), Ok(Cents::new(on_a_chain)), "{what}, on a chain");
        assert_eq!(most(&behind, from), Ok(Cents::ZERO), "{what}, no time");
    }
    let forever = county.priced(|pricing| {
        max_owed(pricing, &promise("x", Term::AllCosts), &[], &FacilityId::trusted("jail"), at(from), Instant::FAR)
    });
    assert_eq!(forever, Err(CostError::Endless));
}

#[test]
fn what_is_behind_a_hold_counts_as_it_was() {
    let jail = FacilityId::trusted("jail");
    let (earlier, from, to) = ("2024-03-01T08:00:00Z", at("2024-03-01T18:00:00Z"), at("2024-03-02T12:00:00Z"));
    let most = |county: &County, agreement: &Agreement, custody: &[Gap]| {
        county.priced(|pricing| max_owed(pricing, agreement, custody, &jail, from, to)).unwrap().get()
    };
    // A hold with a T0 of its own begins its own 24 hours, also where the last gap ended at that instant.
    let county = County::with("jail", "UTC", 2_400, DayCount::Per24h);
    let all = promise("x", Term::AllCosts);
    let behind = gap(vec![over("jail", earlier, "2024-03-01T18:00:00Z")]);
    let own = gap(vec![over("jail", "2024-03-01T18:00:00Z", "2024-03-01T19:00:00Z")]);
    assert_eq!(most(&county, &all, std::slice::from_ref(&behind)), 2_400, "the second 24 hours begin on the 2nd at 08:00");
    assert_eq!(most(&county, &all, &[behind, own]), 2_400, "the first begin at 18:00");
    let short = gap(vec![over("jail", "2024-03-01T17:00:00Z", "2024-03-01T18:00:00Z")]);
    let own = gap(vec![over("jail", "2024-03-01T18:00:00Z", "2024-03-01T19:00:00Z")]);
    assert_eq!(most(&county, &all, std::slice::from_ref(&short)), 0, "24 hours that began at 17:00 are not over");
    assert_eq!(most(&county, &all, &[short, own]), 2_400);
    // A flat amount that nothing was reserved for was not paid on the first hold, so it is owed on the second.
    let flat = promise("x", Term::FlatPerHold { amount: Cents::new(5_000), up_to_hours: 48 });
    let chain = [gap(vec![held("jail", earlier, "2024-03-01T09:00:00Z", &["x"])])];
    for (reserved, owed) in [(None, 0), (Some(5_000), 0), (Some(0), 5_000)] {
        let county = County::with("jail", "UTC", 2_400, DayCount::Hourly);
        let county = reserved.into_iter().fold(county, |county, amount| county.reserve("x", amount));
        assert_eq!(most(&county, &flat, &chain), owed, "{reserved:?} was reserved");
    }
}

#[test]
fn wrong_input_is_an_error() {
    let county = County::with("jail", "UTC", i64::MAX, DayCount::CalendarDay);
    let days = [gap(vec![over("jail", "2024-03-01T00:00:00Z", "2024-03-03T00:00:00Z")])];
    assert_eq!(county.lines(&days, Instant::FAR), Err(CostError::Overflow(Overflow)));
    let hourly = County::with("jail", "UTC", i64::MAX, DayCount::Hourly);
    assert_eq!(hourly.lines(&days, Instant::FAR), Err(CostError::Overflow(Overflow)));
    let ages = [gap(vec![over("jail", "0001-01-01T00:00:00Z", "2024-03-03T00:00:00Z")])];
    assert_eq!(hourly.lines(&ages, Instant::FAR), Err(CostError::TooManyLines));
    let unknown = [gap(vec![held("jail", "2024-03-01T00:00:00Z", "2024-03-03T00:00:00Z", &["nobody"])])];
    assert_eq!(county.lines(&unknown, Instant::FAR), Err(CostError::UnknownAgreement(AgreementId::trusted("nobody"))));
    let hour = |from, to| over("jail", from, to);
    let (one, two, three) = ("2024-03-01T01:00:00Z", "2024-03-01T02:00:00Z", "2024-03-01T03:00:00Z");
    let broken = [
        (vec![Gap { end: at(three), ..gap(vec![hour(one, two)]) }], one, two),
        (vec![Gap { t0: at(one), ..gap(vec![hour(two, three)]) }], one, one),
        (vec![gap(vec![hour(one, three), hour(two, three)])], one, three),
        (vec![gap(vec![hour(one, three)]), gap(vec![hour(two, three)])], two, two),
        (vec![Gap { t0: at(two), end: at(one), segments: vec![] }], two, two),
    ];
    for (gaps, t0, hole) in broken {
        assert_eq!(county.lines(&gaps, Instant::FAR), Err(CostError::NotTiled { t0: at(t0), at: at(hole) }));
    }
}
