//! Reports over random histories: what is read from rows, as of any point, is what the states in memory say there.
//!
//! Each history is told in memory and to the real ledger. After each step, and for several instants counted to, stays from
//! rows equal stays from states; the figures of every report are the same; whatever slices them, they add up alike.
//! `DETAINER_TEST_HISTORIES` says how many histories, `DETAINER_TEST_SEED` which.

mod common;
#[path = "invariants/history.rs"]
#[allow(dead_code, reason = "a part of it is for the properties of the domain")]
mod history;

use common::desk::{Hand, keys};
use detainer::domain::booking::Booking;
use detainer::domain::county::County;
use detainer::domain::ids::{BookingId, CountyId};
use detainer::domain::testing::{self, World, day};
use detainer::domain::time::{HOUR_US, Instant, Span};
use detainer::identity::SeededEntropy;
use detainer::journal::record::{Record, Stream};
use detainer::ledger::{Call, Command, Ledger};
use detainer::report::certificate::{self, Day};
use detainer::report::declined::{self, DeclinedRow};
use detainer::report::load::{self, Found};
use detainer::report::statistics::{Statistics, StatisticsRow};
use detainer::report::statutory::{Georgia, NorthCarolina};
use detainer::report::stay::Stay;
use detainer::report::{GroupBy, Query, Totals, bail, cost, decisions, duties, lines, overdetention, register, requests, select};
use detainer::report::{cells, change};
use detainer::store::Store;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

/// The state after a step.
struct Point {
    seq: i64,
    now: Instant,
    county: County,
    bookings: BTreeMap<BookingId, Booking>,
}

fn point(world: &World) -> Point {
    let bookings = world.bookings().map(|booking| (booking.id.clone(), booking.clone())).collect();
    let seq = world.records().last().map_or(0, |record| record.seq);
    Point { seq, now: world.now(), county: world.state().clone(), bookings }
}

/// Tells the ledger what was told in memory.
async fn tell(ledger: &Ledger, clock: &Hand, county: &CountyId, world: &World) {
    for (n, told) in world.told().iter().enumerate() {
        clock.set(&told.clock.to_string());
        let call = Call {
            county: county.clone(),
            actor: format!("token of {}", told.person).into(),
            person: told.person.clone(),
            method: "Test",
            request_id: format!("request {n}").into(),
            body: n.to_be_bytes().to_vec(),
            validate_only: false,
            etag: None,
            preview: None,
            history: told.history,
            sealed: Vec::new(),
        };
        let command = match &told.command {
            testing::Command::County(command) => Command::County(command.clone()),
            testing::Command::Booking(id, command) => Command::Booking(id.clone(), command.clone()),
        };
        let written = ledger.write(call, command).await;
        assert_eq!(written.is_ok(), told.answer.is_ok(), "command {n}: {:?}", written.err());
    }
}

/// Instants worth counting to: edges of custody after T0, and between them.
fn instants(point: &Point, runner: &mut TestRunner) -> BTreeSet<Instant> {
    let gaps = point.bookings.values().flat_map(|booking| &booking.custody.gaps);
    let edges: Vec<Instant> =
        gaps.flat_map(|gap| &gap.segments).flat_map(|s| [s.span.start, s.span.end]).filter(|at| !at.is_far()).collect();
    let mut all = BTreeSet::from([point.now]);
    for _ in 0..2 {
        if let Some(edge) = edges.get((0..edges.len().max(1)).new_tree(runner).expect("a number").current()) {
            all.insert(*edge);
            all.insert(edge.plus_us((-30_i64..30).new_tree(runner).expect("hours").current() * HOUR_US));
        }
    }
    all
}

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

/// All stays of a query, from rows where they suffice.
async fn from_rows(store: &Store, county: &CountyId, point: &Point, query: &Query) -> Vec<Stay> {
    let mut names: Vec<BookingId> = Vec::new();
    loop {
        // Small pages, so that there are several.
        let page = select::with_custody(store, county, point.seq, query, names.last(), 2).await.expect("names");
        if page.is_empty() {
            break;
        }
        names.extend(page);
    }
    let found = load::stays(store, county, point.seq, &names, query.until).await.expect("rows");
    let whole = |found| match found {
        Found::Stay(stay) => *stay,
        Found::Running(id) => {
            let stay = Stay::of(&point.county, &point.bookings[&id], query.until).expect("priced");
            assert_ne!(stay.goes_on, None, "{id} need not be folded");
            stay
        }
    };
    found.into_iter().map(whole).collect()
}

fn requests_in_memory(point: &Point, query: &Query) -> Vec<decisions::Request> {
    point.bookings.values().flat_map(|booking| decisions::requests(query, &point.county, booking)).collect()
}

async fn requests_from_rows(store: &Store, county: &CountyId, point: &Point, query: &Query) -> Vec<decisions::Request> {
    let open = select::open(store, county, point.seq, query.until, None, 1_000).await.expect("names");
    let of = |id: &BookingId| decisions::requests(query, &point.county, &point.bookings[id]);
    let mut all: Vec<decisions::Request> = open.iter().flat_map(of).collect();
    let mut rows = requests::requests(store, county, point.seq, query).expect("a stream");
    while let Some(part) = rows.part().await.expect("rows") {
        all.extend(part);
    }
    all
}

async fn declined_from_rows(store: &Store, county: &CountyId, point: &Point, query: &Query) -> Vec<DeclinedRow> {
    let (mut all, mut rows) = (Vec::new(), requests::declined(store, county, point.seq, query).expect("a stream"));
    while let Some(part) = rows.part().await.expect("rows") {
        all.extend(part);
    }
    all
}

async fn owed_from_rows(store: &Store, county: &CountyId, point: &Point, query: &Query) -> Vec<duties::Owed> {
    let (mut all, mut rows) = (Vec::new(), requests::duties(store, county, point.seq, query).expect("a stream"));
    while let Some(part) = rows.part(&point.county).await.expect("rows") {
        all.extend(part);
    }
    all
}

fn counted(requests: &[decisions::Request], by: &[GroupBy]) -> (Vec<decisions::DecisionRow>, decisions::DecisionRow) {
    let mut counts = decisions::Counts::new(by);
    requests.iter().for_each(|request| counts.add(request));
    counts.finish()
}

fn summed(query: &Query, stays: &[Stay], by: &[GroupBy]) -> (Vec<cost::CostRow>, cost::CostRow) {
    let mut sums = cost::Sums::new(by);
    for stay in stays {
        sums.add(&lines::asked(query, stay)).expect("fits");
    }
    sums.finish()
}

/// What the reports say from rows is what they say from states. How many holds have lines, and what adds up.
async fn checked(store: &Store, county: &CountyId, point: &Point, query: &Query, say: &str) -> (usize, Figures) {
    let memory: Vec<Stay> = point.bookings.values().map(|b| Stay::of(&point.county, b, query.until).expect("priced")).collect();
    let rows = from_rows(store, county, point, query).await;
    for stay in &rows {
        let expected = memory.iter().find(|other| other.booking == stay.booking);
        assert_eq!(Some(stay), expected, "{say}");
    }

    let (slices, total) = summed(query, &memory, &GroupBy::ALL);
    assert_eq!(summed(query, &rows, &GroupBy::ALL), (slices, total.clone()), "{say}");
    let (whole_cost, rows_of_stays) = (total.clone(), rows.clone());
    for by in GroupBy::ALL {
        let (slices, all) = summed(query, &rows, &[by]);
        assert_eq!(all, total, "{by:?}: {say}");
        let again = Totals::try_sum(slices.iter().map(|row| row.all.totals)).expect("fits");
        assert_eq!((again, slices.iter().map(|row| row.all.us).sum()), (total.all.totals, total.all.us), "{by:?}: {say}");
        // What is asked for by one value is the slice of it.
        for slice in slices {
            let only = BTreeMap::from([(by, BTreeSet::from([slice.keys[0].clone()]))]);
            let (_, all) = summed(&Query { only, ..query.clone() }, &rows, &[]);
            assert_eq!(all, cost::CostRow { keys: Vec::new(), ..slice }, "{by:?}: {say}");
        }
    }

    // What the database adds up, with what goes on beyond, is the same, by each key that it knows and by several.
    let of_postings = [GroupBy::Month, GroupBy::Facility, GroupBy::Office, GroupBy::Revision, GroupBy::Mode];
    let of_postings = of_postings.into_iter().chain([GroupBy::Agreement, GroupBy::Edition]).map(|by| vec![by]);
    for by in of_postings.chain([vec![], vec![GroupBy::Month, GroupBy::Facility], vec![GroupBy::Agreement, GroupBy::Mode]]) {
        let (mut sums, mut revisions) = (cost::Sums::new(&by), BTreeSet::new());
        let added = cells::add(store, county, point.seq, query, &by, &mut sums, &mut revisions).await;
        assert!(added.expect("cells"), "{by:?}");
        let beyond = cells::beyond(store, county, point.seq, query.until, None, 1_000).await.expect("names");
        for stay in memory.iter().filter(|stay| beyond.contains(&stay.booking)) {
            let lines = lines::asked(query, stay);
            revisions.extend(lines.iter().filter_map(|line| line.cost.revision.clone()));
            sums.add(&lines).expect("fits");
        }
        assert_eq!(sums.finish(), summed(query, &memory, &by), "{by:?}: {say}");
        let named = memory.iter().flat_map(|stay| lines::asked(query, stay)).filter_map(|line| line.cost.revision);
        assert_eq!(revisions, named.collect(), "{by:?}: {say}");
    }

    let over = |stays: &[Stay]| -> Vec<_> {
        stays.iter().flat_map(|stay| overdetention::rows(query, &point.county, stay).expect("fits")).collect()
    };
    assert_eq!(over(&rows), over(&memory), "{say}");
    let held = |stays: &[Stay]| -> Vec<_> {
        stays.iter().flat_map(|stay| register::rows(query, &point.county, stay).expect("fits")).collect()
    };
    let (found, expected) = (select::holds(store, county, point.seq, query, None, 1_000).await.expect("holds"), held(&memory));
    let held_count = expected.len() as i64;
    for row in &expected {
        let key = (row.hold.start, row.booking.clone(), row.hold.id.clone());
        assert!(found.contains(&key), "{key:?} is not found: {say}");
    }
    // Each hold is in one row, whatever slices them.
    let lengths = |by: &[GroupBy]| {
        let mut all = Statistics::new(by);
        expected.iter().for_each(|row| all.add(row));
        all.finish().expect("fits")
    };
    let (_, all) = lengths(&[]);
    for by in GroupBy::ALL {
        let (rows, total) = lengths(&[by]);
        assert_eq!(total, all, "{by:?}: {say}");
        let sum = |of: fn(&StatisticsRow) -> i64| rows.iter().map(of).sum::<i64>();
        let sums = [sum(|row| row.holds), sum(|row| row.by_hold_end.all.sum_us), sum(|row| row.by_release.past_business.sum_us)];
        assert_eq!(sums, [all.holds, all.by_hold_end.all.sum_us, all.by_release.past_business.sum_us], "{by:?}: {say}");
        for row in rows {
            let only = BTreeMap::from([(by, BTreeSet::from([row.keys[0].clone()]))]);
            let asked = Query { only, ..query.clone() };
            let some = point.bookings.values().map(|b| Stay::of(&point.county, b, query.until).expect("priced"));
            let some: usize = some.map(|stay| register::rows(&asked, &point.county, &stay).expect("fits").len()).sum();
            assert_eq!(some as i64, row.holds, "{by:?}: {say}");
        }
    }
    for time in [&all.by_hold_end, &all.by_release] {
        let parts = [(&time.within_contiguous, &time.past_contiguous), (&time.within_business, &time.past_business)];
        for (within, past) in parts {
            assert_eq!((within.count + past.count, within.sum_us + past.sum_us), (time.all.count, time.all.sum_us), "{say}");
        }
    }
    assert_eq!(all.by_hold_end.all.count, all.holds - all.running, "{say}");

    // Requests not honored, and what was owed for any: from rows as from states, and each counted once.
    let (declined, mut expected) = (declined_from_rows(store, county, point, query).await, Vec::new());
    expected.extend(point.bookings.values().flat_map(|booking| declined::rows(query, &point.county, booking)));
    expected.sort_by_key(|row| (row.received, row.booking.clone(), row.detainer.clone()));
    assert_eq!(declined, expected, "{say}");
    let mut owed = owed_from_rows(store, county, point, query).await;
    let mut in_memory: Vec<_> =
        point.bookings.values().flat_map(|booking| duties::of_booking(query, &point.county, booking)).collect();
    owed.sort();
    in_memory.sort();
    assert_eq!(owed, in_memory, "{say}");
    for by in duties::KEYS {
        let mut counts = duties::Counts::new(&[by]);
        owed.iter().for_each(|owed| counts.add(owed));
        let sum = |all: &mut dyn Iterator<Item = duties::DutyCounts>| {
            all.fold([0; 4], |sum, one| [sum[0] + one.due, sum[1] + one.in_time, sum[2] + one.late, sum[3] + one.overdue])
        };
        let total = sum(&mut std::iter::once(counts.total()));
        assert_eq!(sum(&mut counts.rows().map(|(.., counts)| counts)), total, "{by:?}: {say}");
        assert_eq!(sum(&mut counts.kinds().map(|(_, counts)| counts)), total, "{by:?}: {say}");
        assert_eq!((total[0], total[0]), (owed.len() as i64, total[1] + total[2] + total[3]), "{by:?}: {say}");
    }

    let (mut memory, mut rows) = (requests_in_memory(point, query), requests_from_rows(store, county, point, query).await);
    memory.sort_by_key(|request| format!("{request:?}"));
    rows.sort_by_key(|request| format!("{request:?}"));
    assert_eq!(rows, memory, "{say}");
    let (_, total) = counted(&rows, &[]);
    assert_eq!(declined.len() as i64, total.declined + total.needs_review, "{say}");
    assert_eq!(counted(&rows, &GroupBy::ALL), counted(&memory, &GroupBy::ALL), "{say}");
    // By the reason of its last answer: a request has several, and only that one counts.
    for slice in counted(&memory, &[GroupBy::DecisionReason]).0 {
        let only = BTreeMap::from([(GroupBy::DecisionReason, BTreeSet::from([slice.keys[0].clone()]))]);
        let query = Query { only, ..query.clone() };
        let (_, total) = counted(&requests_from_rows(store, county, point, &query).await, &[]);
        assert_eq!(total, decisions::DecisionRow { keys: Vec::new(), ..slice }, "{say}");
    }
    let filed = filed_from_found(store, county, point, query, say).await;
    assert_eq!((filed.requests.received, filed.holds), (total.received, held_count), "{say}");
    let answers = (filed.requests.honored, filed.requests.not_honored, filed.requests.held, filed.requests.taken);
    assert_eq!(answers, (total.honored, total.declined + total.needs_review, total.held, total.handed_over), "{say}");
    let ended: i64 = filed.ended.values().map(|ended| ended.count).sum();
    assert_eq!(ended + filed.running, filed.holds, "{say}");
    let nothing_covered: i64 = over(&rows_of_stays).iter().map(|row| row.us).sum();
    let (cost, lengths) = (whole_cost.all, [all.by_hold_end.all.sum_us, all.by_release.all.sum_us]);
    let money = [cost.totals.incurred.get(), cost.totals.covered.get()];
    let requests = [total.received, total.honored, total.held, total.handed_over, total.lifted, total.honored_never_in_effect];
    let lists = [declined.len() as i64, owed.len() as i64, held_count, nothing_covered];
    let filed = [filed.orders, filed.requests.notices];
    (whole_cost.holds, [&[cost.us][..], &money, &lengths, &requests, &lists, &filed].concat())
}

/// What adds up over adjacent periods: time and money, lengths of holds, requests, rows of lists, what is filed.
type Figures = Vec<i64>;

/// What lies between two points is explained by the records between them and by time, with nothing left over; how often each
/// cause came up.
fn explained(
    (own, mut records): (Vec<Record>, HashMap<BookingId, Vec<Record>>),
    (earlier, before): (&Point, Instant),
    (later, after): (&Point, Instant),
    seen: &mut BTreeMap<change::Cause, usize>,
    say: &str,
) {
    let query = query("2024-01-01", "2025-01-01", after);
    let sum = |point: &Point, until: Instant| {
        let stays = point.bookings.values().map(|b| Stay::of(&point.county, b, until).expect("priced"));
        let lines: Vec<lines::Line> = stays.flat_map(|stay| lines::asked(&query, &stay)).collect();
        change::Amount::of(&lines).expect("fits")
    };
    let before_county = Arc::new(earlier.county.clone());
    let shared = change::shared(&before_county, &own);
    let points = change::Points { query: &query, county: &before_county, before, after };
    let mut told = sum(earlier, before);
    for name in later.bookings.keys() {
        let state = earlier.bookings.get(name).cloned().map(Arc::new);
        let records = records.remove(name).unwrap_or_default();
        for one in change::of_booking(&points, state, &records, &shared).expect("priced") {
            assert!(!one.amount.is_zero());
            assert_eq!(one.record.is_none(), one.cause == change::Cause::TimePassing);
            told = told.plus(one.amount).expect("fits");
            *seen.entry(one.cause).or_default() += 1;
        }
    }
    assert_eq!(told, sum(later, after), "from {} until {before} to {} until {after} {say}", earlier.seq, later.seq);
}

/// The records of a county in memory between two of them, as a journal tells them: the county's own, and by booking.
fn told_between(world: &World, after: i64, up_to: i64) -> (Vec<Record>, HashMap<BookingId, Vec<Record>>) {
    let mut first: BTreeMap<i64, i64> = BTreeMap::new();
    for record in world.records() {
        first.entry(record.last_seq).or_insert(record.seq);
    }
    let (mut own, mut bookings) = (Vec::new(), HashMap::<BookingId, Vec<Record>>::new());
    for record in world.records().iter().filter(|record| after < record.seq && record.seq <= up_to) {
        let told = Record {
            format: 1,
            county: world.state().id.clone(),
            seq: record.seq,
            first_seq: first[&record.last_seq],
            last_seq: record.last_seq,
            stream: record.stream.clone().map_or(Stream::County, Stream::Booking),
            recorded: record.recorded,
            actor: "".into(),
            person: "".into(),
            method: "".into(),
            request: None,
            history: false,
            events: record.events.clone(),
        };
        match &record.stream {
            None => own.push(told),
            Some(id) => bookings.entry(id.clone()).or_default().push(told),
        }
    }
    (own, bookings)
}

/// §6: "why did this number change?" leaves nothing over, between any two points and instants.
#[test]
fn what_changed_between_two_points_is_explained() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut causes = BTreeMap::new();
    for _ in 0..120 {
        let history = history::histories(30).new_tree(&mut runner).expect("a history").current();
        let mut points: Vec<Point> = Vec::new();
        let world = history::tell_of("county", &history, |around| {
            points.push(point(around.after));
            Ok(())
        });
        let world = world.expect("a history can be told");
        for later in &points {
            let earlier = &points[(0..points.len()).new_tree(&mut runner).expect("a point").current()];
            if earlier.seq > later.seq {
                continue;
            }
            let (before, after) = (instants(earlier, &mut runner), instants(later, &mut runner));
            for (before, after) in before.iter().zip(after.iter().rev()) {
                let records = told_between(&world, earlier.seq, later.seq);
                explained(records, (earlier, *before), (later, *after), &mut causes, &format!("of {history:?}"));
            }
        }
    }
    println!("{causes:?}");
    use change::Cause::{Agreement, Correction, LateFact, Policy, Rate, TimePassing};
    for cause in [LateFact, Correction, Rate, Agreement, Policy, TimePassing] {
        assert!(causes.get(&cause).is_some_and(|count| *count >= 5), "{cause:?} hardly came up: {causes:?}");
    }
}

/// What is counted from bookings themselves is found whole: others than those that are found add nothing to it.
async fn filed_from_found(store: &Store, county: &CountyId, point: &Point, query: &Query, say: &str) -> NorthCarolina {
    let all: Vec<BookingId> = point.bookings.keys().cloned().collect();
    let found = select::of_jails(store, county, point.seq, query, None, 1_000).await.expect("names");
    let filed = |ids: &[BookingId]| {
        let (mut georgia, mut carolina) = (Georgia::default(), NorthCarolina::default());
        for booking in ids.iter().map(|id| &point.bookings[id]) {
            georgia.add(query, &point.county, booking);
            carolina.add(query, &point.county, booking).expect("fits");
        }
        (georgia, carolina)
    };
    let (georgia, carolina) = filed(&found);
    assert_eq!((georgia, carolina.clone()), filed(&all), "{say}");

    let with_request = select::with_request(store, county, point.seq, query.until, None, 1_000).await.expect("names");
    let bail =
        |ids: &[BookingId]| -> Vec<_> { ids.iter().filter_map(|id| bail::of_booking(query, &point.bookings[id])).collect() };
    assert_eq!(bail(&with_request), bail(&all), "{say}");

    for facility in point.county.facilities.keys() {
        let zone = point.county.zone_of(facility);
        let day = zone.date(query.until);
        let span = Span::new(zone.start_of(day), query.until);
        if span.is_empty() {
            continue;
        }
        let day = Day { facility: facility.clone(), span };
        let in_custody = select::in_custody(store, county, point.seq, span, None, 1_000).await.expect("names");
        let certified = |ids: &[BookingId]| -> Vec<_> {
            let all = ids.iter().map(|id| certificate::of_booking(&day, &point.bookings[id]));
            all.filter(|(counts, rows)| *counts != certificate::Counts::default() || !rows.is_empty()).collect()
        };
        assert_eq!(certified(&in_custody), certified(&all), "{say}");
    }
    carolina
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_from_rows_are_reports_from_states_at_every_point() {
    let mut seed = [0_u8; 32];
    seed[..8].copy_from_slice(&setting("DETAINER_TEST_SEED", 1).to_be_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut holds, mut causes) = (0, BTreeMap::new());
    for fresh in common::engines().await {
        let clock = Arc::new(Hand::default());
        let ledger =
            Ledger::start(fresh.store.clone(), keys(), Arc::new(SeededEntropy::new(7)), clock.clone()).expect("a ledger");
        for n in 0..setting("DETAINER_TEST_HISTORIES", 6) {
            let mut history = history::histories(30).new_tree(&mut runner).expect("a history").current();
            history.steps.retain(|step| !matches!(step.act, history::Act::Sweep));
            let county = CountyId::trusted(&format!("county-{n:03}"));
            let mut points: Vec<Point> = Vec::new();
            let world = history::tell_of(county.as_str(), &history, |around| {
                points.push(point(around.after));
                Ok(())
            });
            tell(&ledger, &clock, &county, &world.expect("a history can be told")).await;
            for n in 0..points.len() {
                let earlier = &points[(0..=n).new_tree(&mut runner).expect("a point").current()];
                let (later, say) = (&points[n], format!("of {history:?}"));
                let (before, after) = (instants(earlier, &mut runner), instants(later, &mut runner));
                for (before, after) in before.iter().zip(after.iter().rev()) {
                    let names: Vec<BookingId> = later.bookings.keys().cloned().collect();
                    let records = ledger.since(&county, &names, earlier.seq, later.seq).await.expect("records");
                    let own = ledger.own_since(&county, earlier.seq, later.seq).await.expect("records");
                    explained((own, records), (earlier, *before), (later, *after), &mut causes, &say);
                }
            }
            for point in &points {
                for until in instants(point, &mut runner) {
                    let whole = query("2024-01-01", "2025-01-01", until);
                    let say = format!("as of {} until {until} of {history:?}", point.seq);
                    let (held, all) = checked(&fresh.store, &county, point, &whole, &say).await;
                    holds += held;
                    // Adjacent periods, so that what lies at their edge is in one of them.
                    let middle = format!("2024-03-{:02}", (5_u32..20).new_tree(&mut runner).expect("a day").current());
                    let mut sums = vec![0; all.len()];
                    for half in [query("2024-01-01", &middle, until), query(&middle, "2025-01-01", until)] {
                        let say = format!("{} to {}, {say}", half.start, half.end);
                        let (_, part) = checked(&fresh.store, &county, point, &half, &say).await;
                        sums.iter_mut().zip(part).for_each(|(sum, figure)| *sum += figure);
                    }
                    assert_eq!(sums, all, "{middle}: {say}");
                }
            }
        }
        ledger.stop().await;
    }
    assert!(holds > 100, "the histories hold somebody: {holds}");
}
