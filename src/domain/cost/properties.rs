//! Properties over random custody, held against a model that is written the other way round: it lists every
//! step with its instant first, and then evaluates `C(t)` and what is covered from the list.

use super::tests::{County, gap, held, over, promise};
use super::*;
use crate::domain::agreement::Scope;
use crate::domain::time::HOUR_US;
use proptest::prelude::*;

const JAILS: [(&str, &str); 3] = [("east", "America/New_York"), ("west", "America/Chicago"), ("south", "America/Havana")];
const COUNTS: [DayCount; 4] = [DayCount::Hourly, DayCount::CalendarDay, DayCount::Midnight, DayCount::Per24h];
/// Just before clock changes, a year end and the end of February.
const BEGINNINGS: [&str; 4] =
    ["2024-11-01T22:10:00Z", "2024-03-08T04:00:00Z", "2023-12-30T05:00:00Z", "2024-02-27T17:59:59.999999Z"];

/// A county, its custody, and where both are cut.
#[derive(Debug)]
struct Case {
    county: County,
    gaps: Vec<Gap>,
    until: Instant,
    cuts: Vec<Instant>,
}

impl std::fmt::Debug for County {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#?}\n{:#?}\n{:?}", self.book, self.agreements, self.reserved)
    }
}

impl Case {
    fn lines(&self) -> Vec<CostLine> {
        self.county.lines(&self.gaps, self.until).unwrap()
    }

    fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.gaps.iter().flat_map(|gap| &gap.segments)
    }
}

fn day_count() -> impl Strategy<Value = DayCount> {
    proptest::sample::select(COUNTS.as_slice())
}

fn term() -> impl Strategy<Value = Term> {
    let amount = || (0i64..30_000).prop_map(Cents::new);
    prop_oneof![
        Just(Term::AllCosts),
        (amount(), day_count()).prop_map(|(per_day, day_count)| Term::PerDiem { per_day, day_count }),
        (amount(), 1u32..80).prop_map(|(amount, up_to_hours)| Term::FlatPerHold { amount, up_to_hours }),
        (0u32..80).prop_map(|hours| Term::AfterFirstHours { hours }),
    ]
}

fn date(days: i64) -> Date {
    Zone::UTC.date(BEGINNINGS[2].parse::<Instant>().unwrap().plus_us(days * DAY_US))
}

/// Days since the first beginning, most of them in or near the custody of a case.
fn near() -> impl Strategy<Value = i64> {
    (proptest::sample::select(&[0i64, 59, 69, 307][..]), 0i64..8).prop_map(|(begin, after)| begin + after)
}

fn agreement(id: &'static str) -> impl Strategy<Value = Agreement> {
    let length = prop_oneof![1i64..5, 1i64..330];
    (term(), near(), proptest::option::of(length), proptest::option::weighted(0.9, near()), 0usize..6, 0usize..3).prop_map(
        move |(term, start, length, signed, jail, zone)| Agreement {
            start: date(if zone == 0 { 0 } else { start }),
            end: length.map(|days| date(start + days)),
            zone: JAILS[zone].1.parse().unwrap(),
            signed: signed.map(|days| Zone::UTC.start_of(date(days))),
            scope: Scope {
                facilities: JAILS.get(jail).map(|(jail, _)| FacilityId::trusted(jail)).into_iter().collect(),
                ..Scope::default()
            },
            ..promise(id, term)
        },
    )
}

fn county() -> impl Strategy<Value = County> {
    let rates =
        proptest::collection::vec((0usize..3, near(), 0i64..30_000, proptest::option::of(0i64..9_000), day_count()), 1..8);
    let agreements = (agreement("x"), agreement("y"), agreement("z"));
    let reserved = proptest::collection::vec(proptest::option::of(0i64..60_000), 3);
    (rates, agreements, reserved).prop_map(|(rates, (x, y, z), reserved)| {
        let mut county = JAILS.iter().fold(County::default(), |county, (jail, zone)| county.jail(jail, zone));
        for (n, (jail, from, per_day, per_hold, day_count)) in rates.into_iter().enumerate() {
            let rate = Rate {
                id: RateId::trusted(&format!("r{n}")),
                facility: FacilityId::trusted(JAILS[jail].0),
                effective: date(if n < 3 { 0 } else { from }),
                end: None,
                per_day: Cents::new(per_day),
                marginal: None,
                per_hold: per_hold.map(Cents::new),
                day_count,
            };
            let _same_day_is_refused = county.book.add(rate);
        }
        for (agreement, most) in [x, y, z].into_iter().zip(reserved) {
            most.map(|most| county.reserved.insert(agreement.id.clone(), Cents::new(most)));
            county = county.agreement(agreement);
        }
        county
    })
}

/// One stretch: a new T0 or not, its length in µs, jail, authority, agreements named.
fn stretch() -> impl Strategy<Value = (bool, i64, usize, usize, usize)> {
    let length = prop_oneof![(1i64..240).prop_map(|quarters| quarters * HOUR_US / 4), 1i64..3 * DAY_US, Just(1), Just(DAY_US)];
    (proptest::bool::weighted(0.2), length, 0usize..3, 0usize..5, 0usize..16)
}

fn custody() -> impl Strategy<Value = Vec<Gap>> {
    let begin = proptest::sample::select(BEGINNINGS.as_slice());
    (begin, proptest::collection::vec(stretch(), 1..9)).prop_map(|(begin, stretches)| {
        let mut gaps: Vec<Vec<Segment>> = Vec::new();
        let mut from: Instant = begin.parse().unwrap();
        for (new_t0, length_us, jail, authority, named) in stretches {
            if new_t0 || gaps.is_empty() {
                from = from.plus_us(if gaps.is_empty() { 0 } else { length_us / 2 });
                gaps.push(Vec::new());
            }
            let mut names: Vec<&str> =
                ["x", "y", "z"].into_iter().enumerate().filter(|(n, _)| named >> n & 1 == 1).map(|(_, id)| id).collect();
            if named >> 3 == 1 {
                names.reverse();
            }
            let mut segment = match authority {
                0 => over(JAILS[jail].0, begin, begin),
                _ => held(JAILS[jail].0, begin, begin, &names),
            };
            match authority {
                1 => segment.authority = Authority::AuthorizedLate,
                2 => segment.authority = Authority::OverDetained, // named, but without authority
                _ => {}
            }
            segment.span = Span::new(from, from.plus_us(length_us));
            from = segment.span.end;
            gaps.last_mut().unwrap().push(segment);
        }
        gaps.into_iter().map(gap).collect()
    })
}

fn case() -> impl Strategy<Value = Case> {
    (county(), custody(), 0i64..=100, proptest::collection::vec(0i64..=10_000, 0..12)).prop_map(|(county, gaps, until, cuts)| {
        let (start, end) = (gaps[0].t0, gaps[gaps.len() - 1].end);
        let within = |share: i64, of: i64| start.plus_us(end.since_us(start) / of * share);
        let until = if until > 60 { end } else { within(until, 60) };
        let cuts = cuts.into_iter().map(|share| within(share, 10_000)).collect();
        Case { county, gaps, until, cuts }
    })
}

/// The model. Everything is found by asking about instants.
struct Model<'a>(&'a Case);

/// Cents that fall at an instant.
type Step = (Instant, i64);

impl Model<'_> {
    fn zone(&self, segment: &Segment) -> Zone {
        self.0.county.zones[&segment.facility]
    }

    fn segment_at(&self, at: Instant) -> Option<&Segment> {
        self.0.segments().find(|segment| segment.span.contains(at))
    }

    fn dates(&self) -> impl Iterator<Item = Date> + use<'_> {
        let (first, last) = (self.0.gaps[0].t0, self.0.gaps[self.0.gaps.len() - 1].end);
        Zone::UTC.date(first).pred_opt().unwrap().iter_days().take_while(move |day| Zone::UTC.start_of(*day) < last)
    }

    fn day_of(&self, segment: &Segment, day: Date) -> Option<Span> {
        let zone = self.zone(segment);
        Span::new(zone.start_of(day), zone.end_of(day)).meet(&segment.span)
    }

    /// The first instant of a date, and its first midnight, in custody anywhere.
    fn touches(&self, day: Date) -> (Option<Instant>, Option<Instant>) {
        let first = self.0.segments().filter_map(|segment| self.day_of(segment, day)).map(|span| span.start).min();
        let midnights = self.0.segments().map(|segment| (segment, self.zone(segment).start_of(day)));
        (first, midnights.filter(|(segment, at)| segment.span.contains(*at)).map(|(_, at)| at).min())
    }

    fn rate_at(&self, at: Instant) -> Option<&Rate> {
        let segment = self.segment_at(at)?;
        self.0.county.book.in_force(&segment.facility, self.zone(segment).date(at))
    }

    /// Every step of a day's price, where `price_at` says what a day costs there and how it is counted.
    fn day_steps(&self, price_at: impl Fn(Instant) -> Option<(i64, DayCount)>) -> Vec<Step> {
        let mut steps = Vec::new();
        for day in self.dates() {
            let (first, midnight) = self.touches(day);
            let charged =
                |at: Option<Instant>, count| at.and_then(|at| Some((at, price_at(at).filter(|price| price.1 == count)?.0)));
            let either = [charged(first, DayCount::CalendarDay), charged(midnight, DayCount::Midnight)];
            steps.extend(either.into_iter().flatten().min());
        }
        for gap in &self.0.gaps {
            let begun = (0..).map(|n| gap.t0.plus_us(n * DAY_US)).take_while(|at| *at < gap.end);
            steps.extend(begun.filter_map(|at| Some((at, price_at(at).filter(|price| price.1 == DayCount::Per24h)?.0))));
        }
        steps
    }

    fn cost_steps(&self) -> Vec<Step> {
        let mut steps = self.day_steps(|at| self.rate_at(at).map(|rate| (rate.per_day.get(), rate.day_count)));
        let hold = self.0.segments().find(|segment| segment.is_held()).map(|segment| segment.span.start);
        steps.extend(hold.and_then(|at| Some((at, self.rate_at(at)?.per_hold?.get()))));
        steps
    }

    /// `C(t)` of the gap that began at `t0`, in cents by microseconds of a day.
    fn cost(&self, steps: &[Step], t0: Instant, to: Instant) -> i128 {
        let since = Span::new(t0, to);
        let whole: i128 = steps.iter().filter(|(at, _)| since.contains(*at)).map(|(_, cents)| i128::from(*cents)).sum();
        let mut slope = 0;
        for segment in self.0.segments() {
            for day in self.dates() {
                let rate = self.0.county.book.in_force(&segment.facility, day).filter(|rate| rate.day_count == DayCount::Hourly);
                let elapsed = self.day_of(segment, day).and_then(|span| span.meet(&since)).map_or(0, |span| span.len_us());
                slope += rate.map_or(0, |rate| i128::from(rate.per_day.get()) * i128::from(elapsed));
            }
        }
        whole * i128::from(DAY_US) + slope
    }

    fn held_before(&self, at: Instant) -> i64 {
        let before = Span::new(Instant::MIN, at);
        self.0.segments().filter(|one| one.is_held()).filter_map(|one| one.span.meet(&before)).map(|span| span.len_us()).sum()
    }

    fn payer_at(&self, at: Instant) -> Option<&Agreement> {
        let segment = self.segment_at(at).filter(|segment| segment.is_held())?;
        let held = self.held_before(at);
        let place = |one: &Agreement| segment.rests_on.as_ref().and_then(|on| on.agreements.iter().position(|id| *id == one.id));
        let named = |one: &&Agreement| place(one).is_some();
        let funded = |one: &&Agreement| self.0.county.reserved.get(&one.id) != Some(&Cents::ZERO);
        let dated = |one: &&Agreement| one.signed.is_some() && one.starts_at() <= at && at < one.ends_at();
        let hour = |one: &&Agreement| match one.term {
            Term::FlatPerHold { up_to_hours, .. } => held < i64::from(up_to_hours) * HOUR_US,
            Term::AfterFirstHours { hours } => held >= i64::from(hours) * HOUR_US,
            _ => true,
        };
        let here = |one: &&Agreement| one.scope.facilities.is_empty() || one.scope.facilities.contains(&segment.facility);
        let all = self.0.county.agreements.iter().filter(named).filter(funded).filter(dated).filter(hour).filter(here);
        all.min_by_key(|one| place(one))
    }

    /// What an agreement owes for a line if nothing was reserved against it.
    fn per_diem(&self, lines: &[CostLine], t0: Instant, to: Instant, id: &AgreementId) -> i128 {
        let since = Span::new(t0, to);
        let price = |at| match self.payer_at(at).map(|one| &one.term) {
            Some(Term::PerDiem { per_day, day_count }) => Some((per_day.get(), *day_count)),
            _ => None,
        };
        let mine = |at: Instant| since.contains(at) && self.payer_at(at).is_some_and(|one| one.id == *id);
        let steps: i128 = self.day_steps(price).iter().filter(|(at, _)| mine(*at)).map(|(_, cents)| i128::from(*cents)).sum();
        let paid = lines.iter().filter(|line| line.agreement.as_ref() == Some(id)).filter_map(|line| line.span.meet(&since));
        let elapsed: i64 = paid.map(|span| span.len_us()).sum();
        let term = &self.0.county.agreements.iter().find(|one| one.id == *id).unwrap().term;
        let slope = if let Term::PerDiem { per_day, day_count: DayCount::Hourly } = term { per_day.get() } else { 0 };
        steps * i128::from(DAY_US) + i128::from(slope) * i128::from(elapsed)
    }
}

/// Half to even, by trying both neighbours.
fn rounded(value: i128) -> i64 {
    let day = i128::from(DAY_US);
    let (low, high) = (value / day, value / day + 1);
    let (below, above) = (value - low * day, high * day - value);
    let nearest = if below < above || (below == above && low % 2 == 0) { low } else { high };
    i64::try_from(nearest).unwrap()
}

fn sum(lines: &[CostLine], of: impl Fn(&CostLine) -> Cents) -> i64 {
    lines.iter().map(|line| of(line).get()).sum()
}

/// The same custody, cut at more instants.
fn cut(gaps: &[Gap], cuts: &[Instant]) -> Vec<Gap> {
    let mut gaps = gaps.to_vec();
    for gap in &mut gaps {
        for at in cuts {
            if let Some(n) = gap.segments.iter().position(|segment| segment.span.start < *at && *at < segment.span.end) {
                let mut rest = gap.segments[n].clone();
                gap.segments[n].span.end = *at;
                rest.span.start = *at;
                gap.segments.insert(n + 1, rest);
            }
        }
    }
    gaps
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn lines_tile_the_custody_and_say_what_it_was(case in case()) {
        let lines = case.lines();
        let mut rest = lines.iter();
        for gap in &case.gaps {
            for segment in &gap.segments {
                let Some(wanted) = segment.span.meet(&Span::new(gap.t0, case.until)) else { continue };
                let mut reached = wanted.start;
                while reached < wanted.end {
                    let line = rest.next().unwrap();
                    let zone = case.county.zones[&segment.facility];
                    prop_assert_eq!(line.span.start, reached);
                    prop_assert!(line.span.end > reached);
                    prop_assert_eq!(line.local_day, zone.date(line.span.start));
                    prop_assert_eq!(line.local_day, zone.date(line.span.end.plus_us(-1)), "one line, one local day");
                    prop_assert_eq!((line.t0, &line.facility, line.authority, &line.hold), (gap.t0, &segment.facility, segment.authority, &segment.hold));
                    let rate = case.county.book.in_force(&line.facility, line.local_day).map(|rate| rate.id.clone());
                    prop_assert_eq!(&line.rate, &rate);
                    reached = line.span.end;
                }
                prop_assert_eq!(reached, wanted.end);
            }
        }
        prop_assert_eq!(rest.next(), None);
    }

    #[test]
    fn every_line_costs_what_the_model_says(case in case()) {
        let model = Model(&case);
        let steps = model.cost_steps();
        for line in case.lines() {
            let part = rounded(model.cost(&steps, line.t0, line.span.end)) - rounded(model.cost(&steps, line.t0, line.span.start));
            prop_assert_eq!(line.incurred.get(), part, "{:?}", line);
        }
    }

    #[test]
    fn the_right_agreement_pays_the_right_amount(case in case()) {
        let model = Model(&case);
        let lines = case.lines();
        for line in &lines {
            let middle = line.span.start.plus_us(line.span.len_us() / 2);
            for at in [line.span.start, middle, line.span.end.plus_us(-1)] {
                prop_assert_eq!(line.agreement.as_ref(), model.payer_at(at).map(|one| &one.id), "at {}", at);
            }
            prop_assert!(!line.covered.is_negative());
            prop_assert!(line.agreement.is_some() || line.covered == Cents::ZERO);
            prop_assert!(line.authority != Authority::OverDetained || line.covered == Cents::ZERO);
            prop_assert_eq!(line.absorbed().unwrap().get() + line.covered.get(), line.incurred.get());
        }
        for agreement in &case.county.agreements {
            let mine: Vec<CostLine> = lines.iter().filter(|line| line.agreement.as_ref() == Some(&agreement.id)).cloned().collect();
            let owed: i64 = match agreement.term {
                Term::AllCosts | Term::AfterFirstHours { .. } => sum(&mine, |line| line.incurred),
                Term::FlatPerHold { amount, .. } => if mine.is_empty() { 0 } else { amount.get() },
                Term::PerDiem { .. } => case.gaps.iter().map(|gap| rounded(model.per_diem(&lines, gap.t0, gap.end.min(case.until), &agreement.id))).sum(),
            };
            let most = case.county.reserved.get(&agreement.id).map_or(i64::MAX, |most| most.get());
            prop_assert_eq!(sum(&mine, |line| line.covered), owed.min(most), "{:?}", agreement);
            prop_assert_eq!(covered_by(&lines, &agreement.id).unwrap().get(), owed.min(most));
        }
    }

    #[test]
    fn any_cut_of_the_time_adds_up_to_the_same_cents(case in case()) {
        let whole = case.lines();
        let pieces = case.county.lines(&cut(&case.gaps, &case.cuts), case.until).unwrap();
        for line in &whole {
            let inside: Vec<CostLine> = pieces.iter().filter(|piece| line.span.contains(piece.span.start)).cloned().collect();
            prop_assert_eq!(sum(&inside, |piece| piece.incurred), line.incurred.get(), "{:?}", line);
            prop_assert_eq!(sum(&inside, |piece| piece.covered), line.covered.get(), "{:?}", line);
        }
        prop_assert_eq!(sum(&pieces, |line| line.incurred), sum(&whole, |line| line.incurred));
    }

    #[test]
    fn adjacent_periods_add_up(case in case()) {
        // What is accrued at each of some instants grows by what the pieces between them hold.
        let pieces = case.county.lines(&cut(&case.gaps, &case.cuts), Instant::FAR).unwrap();
        for until in &case.cuts {
            let so_far = case.county.lines(&case.gaps, *until).unwrap();
            let before: Vec<CostLine> = pieces.iter().filter(|piece| piece.span.end <= *until).cloned().collect();
            prop_assert_eq!(sum(&so_far, |line| line.incurred), sum(&before, |line| line.incurred), "{}", until);
            prop_assert_eq!(sum(&so_far, |line| line.covered), sum(&before, |line| line.covered), "{}", until);
        }
    }

    #[test]
    fn no_day_is_charged_twice(case in case(), counts in proptest::collection::vec(1usize..3, 3)) {
        let mut county = JAILS.iter().fold(County::default(), |county, (jail, zone)| county.jail(jail, zone));
        for ((jail, _), count) in JAILS.iter().zip(&counts) {
            county = county.rate(&format!("r-{jail}"), jail, "1900-01-01", 1, COUNTS[*count]);
        }
        county.agreements.clone_from(&case.county.agreements);
        let lines = county.lines(&case.gaps, Instant::FAR).unwrap();
        let mut days: BTreeMap<Date, i64> = BTreeMap::new();
        for line in &lines {
            *days.entry(line.local_day).or_default() += line.incurred.get();
        }
        prop_assert!(days.values().all(|charged| *charged <= 1), "{:?}", days);
        if counts.iter().all(|count| COUNTS[*count] == DayCount::CalendarDay) {
            prop_assert!(days.values().all(|charged| *charged == 1), "each day touched is charged: {:?}", days);
        }
    }

    #[test]
    fn a_hold_never_owes_more_than_was_asked_for_at_its_start(
        case in case(), term in term(), jail in 0usize..3, lasted in 0i64..=48, limit in 0i64..=48,
    ) {
        // One more hold, where it begins and as long as its deadline lets it run, paid by a new agreement alone.
        let (name, _) = JAILS[jail];
        let agreement = promise("w", term);
        let from = case.gaps[case.gaps.len() - 1].end;
        let deadline = from.plus_us(lasted.max(limit) * HOUR_US);
        let asked = case.county.priced(|pricing| {
            max_owed(pricing, &agreement, &case.gaps, &FacilityId::trusted(name), from, deadline)
        }).unwrap();
        let mut gaps = case.gaps.clone();
        let last = gaps.last_mut().unwrap();
        let hold = Segment { span: Span::new(from, from.plus_us(lasted.min(limit) * HOUR_US)), ..held(name, BEGINNINGS[0], BEGINNINGS[0], &["w"]) };
        last.end = hold.span.end;
        last.segments.push(hold);
        let county = County { agreements: [case.county.agreements.clone(), vec![agreement.clone()]].concat(), ..case.county };
        let owed = covered_by(&county.lines(&gaps, Instant::FAR).unwrap(), &agreement.id).unwrap();
        prop_assert!(owed <= asked, "{} of {}", owed, asked);
        let to_the_end = lasted == limit;
        prop_assert!(!to_the_end || owed == asked, "{} of {}", owed, asked);
    }

    #[test]
    fn any_zone_and_any_clock_change_comes_to_an_end(
        zone in proptest::sample::select(chrono_tz::TZ_VARIANTS.as_slice()), year in 1880i64..2100, offset in 0i64..366 * 24, length in 1i64..90 * 24,
    ) {
        let t0 = Instant::from_micros(((year - 1970) * 8_766 + offset) * HOUR_US);
        let end = t0.plus_us(length * HOUR_US);
        let county = County::default().jail("jail", zone.name()).rate("r1", "jail", "1800-01-01", 1, DayCount::CalendarDay);
        let segment = Segment { span: Span::new(t0, end), ..over("jail", BEGINNINGS[0], BEGINNINGS[0]) };
        let lines = county.lines(&[gap(vec![segment])], end).unwrap();
        prop_assert!(lines.windows(2).all(|pair| pair[0].span.end == pair[1].span.start && pair[0].local_day < pair[1].local_day));
        prop_assert_eq!(lines.first().map(|line| line.span.start), Some(t0));
        prop_assert_eq!(lines.last().map(|line| line.span.end), Some(end));
        prop_assert!(lines.iter().all(|line| line.incurred == Cents::new(1)));
        let local = Zone(zone);
        prop_assert!(lines.iter().skip(1).all(|line| line.span.start == local.start_of(line.local_day)), "days are cut at their midnight");
    }

    #[test]
    fn amounts_of_any_size_are_answered_or_refused(per_day in 0i64.., per_hold in 0i64.., hours in 0i64..10_000, term in term()) {
        let mut county = County::default().jail("jail", "America/New_York").agreement(promise("x", term));
        for day_count in COUNTS {
            county.book = RateBook::default();
            let rate = Rate {
                id: RateId::trusted("r1"), facility: FacilityId::trusted("jail"), effective: date(-99_999), end: None,
                per_day: Cents::new(per_day), marginal: None, per_hold: Some(Cents::new(per_hold)), day_count,
            };
            county.book.add(rate).unwrap();
            let mut one = gap(vec![held("jail", BEGINNINGS[0], BEGINNINGS[0], &["x"])]);
            (one.segments[0].span.end, one.end) = (one.t0.plus_us(hours * HOUR_US), one.t0.plus_us(hours * HOUR_US));
            if let Ok(lines) = county.lines(&[one], Instant::FAR) {
                prop_assert!(Cents::try_sum(lines.iter().map(|line| line.incurred)).is_ok());
            }
        }
    }
}
