//! Which bookings a report finds in the tables, on both engines.

mod common;

use detainer::domain::detainer::Edition;
use detainer::domain::facts::{CloseReason, EndKind};
use detainer::domain::ids::{BookingId, CountyId};
use detainer::domain::policy::Mode;
use detainer::domain::testing::{World, day, form, instant, revision};
use detainer::domain::time::{HOUR_US, Instant, Span, Zone};
use detainer::report::{Query, select};
use detainer::rows::{Version, state};
use std::collections::{BTreeMap, BTreeSet};

/// `ended`: over in January. `open`: past T0 since March. `before`: its charge is open. `early`: its detainer came in March,
/// the person in April. Each with a detainer.
fn world() -> World {
    let start = instant("2018-01-01T00:00:00Z");
    let mut world = World::new(Zone::UTC, start);
    world.switch(revision("r1", Mode::HonorAlways), start.plus_us(HOUR_US)).expect("a revision");
    let mut stay = |id: &str, booked: Instant, t0: Option<Instant>, end: Option<Instant>| {
        world.at(booked).book(id, id, Some(&["c1"]), booked).expect("a booking");
        world.receive(id, "d1", form(Edition::I247A), Some(booked), booked).expect("a detainer");
        if let Some(t0) = t0 {
            world.at(t0).close(id, "c1", CloseReason::Dismissed, t0).expect("T0");
        }
        if let Some(end) = end {
            world.at(end).end(id, EndKind::Released, Some(end)).expect("an end");
        }
    };
    let (t0, end) = (instant("2018-01-10T00:00:00Z"), instant("2018-01-12T00:00:00Z"));
    stay("ended", instant("2018-01-05T00:00:00Z"), Some(t0), Some(end));
    stay("open", instant("2018-02-05T00:00:00Z"), Some(instant("2018-03-01T00:00:00Z")), None);
    stay("before", instant("2018-03-05T00:00:00Z"), None, None);
    let (received, booked) = (instant("2018-03-20T00:00:00Z"), instant("2018-04-10T00:00:00Z"));
    world.at(booked).book("early", "early", Some(&["c1"]), booked).expect("a booking");
    world.receive("early", "d1", form(Edition::I247A), None, received).expect("a detainer");
    world
}

/// First day, day after the last, sequence; bookings with custody after T0.
type Case = (&'static str, &'static str, i64, &'static [&'static str]);

fn days(start: &str, end: &str) -> Query {
    Query {
        start: day(start),
        end: day(end),
        facilities: BTreeSet::new(),
        offices: BTreeSet::new(),
        only: BTreeMap::new(),
        by_books: false,
        until: Instant::FAR,
    }
}

fn names(found: &[BookingId]) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_find_the_bookings_of_their_days() {
    let world = world();
    let county = CountyId::trusted("county");
    for fresh in common::engines().await {
        let mut tx = fresh.store.begin().await.expect("a transaction");
        for booking in world.bookings() {
            let rows = state::booking(world.state(), booking);
            let versions: Vec<Version> =
                rows.into_iter().map(|row| Version { row, from_seq: booking.seq, to_seq: None }).collect();
            tx.insert_versions(&versions).await.expect("versions");
        }
        for record in world.records() {
            let Some(id) = &record.stream else { continue };
            tx.insert(&state::appended(&county, id, &record.events)).await.expect("rows");
        }
        tx.commit().await.expect("a commit");

        let head = world.records().last().map_or(0, |r| r.seq);
        let ended = world.booking("ended").seq;
        // In February `open` had no T0 yet: a day too many is read on either side, for jails east or west of UTC.
        let cases: [Case; 6] = [
            ("2018-01-01", "2018-02-01", head, &["ended"]),
            ("2018-02-01", "2018-03-01", head, &["open"]),
            ("2018-03-02", "2018-04-01", head, &["open"]),
            ("2018-01-01", "2019-01-01", head, &["ended", "open"]),
            ("2018-01-01", "2019-01-01", ended, &["ended"]),
            ("2018-01-01", "2019-01-01", ended - 1, &[]),
        ];
        for (start, end, seq, custody) in cases {
            let (query, store) = (days(start, end), &fresh.store);
            let found = select::with_custody(store, &county, seq, &query, None, 10).await.expect("an answer");
            assert_eq!(names(&found), custody, "{start} to {end} as of {seq} on {:?}", fresh.engine());
        }
        let year = days("2018-01-01", "2019-01-01");
        let mut paged = Vec::new();
        while let [next] =
            select::with_custody(&fresh.store, &county, head, &year, paged.last(), 1).await.expect("a page").as_slice()
        {
            paged.push(next.clone());
        }
        assert_eq!(names(&paged), ["ended", "open"]);
        // In custody, or asked for: whoever is counted of a month's jails.
        let months: [(&str, &str, &[&str]); 4] = [
            ("2018-01-01", "2018-02-01", &["ended"]),
            ("2018-02-06", "2018-03-01", &["open"]),
            ("2018-03-15", "2018-04-01", &["before", "early", "open"]),
            ("2018-05-01", "2018-06-01", &["before", "early", "open"]),
        ];
        for (start, end, expected) in months {
            let found = select::of_jails(&fresh.store, &county, head, &days(start, end), None, 10).await.expect("an answer");
            assert_eq!(names(&found), expected, "{start} to {end} on {:?}", fresh.engine());
        }
        let at = |text: &str| instant(&format!("2018-{text}T00:00:00Z"));
        let spans: [(&str, &str, &[&str]); 4] = [
            ("01-12", "01-13", &[]),
            ("01-11", "01-12", &["ended"]),
            ("03-04", "03-05", &["open"]),
            ("03-05", "04-11", &["before", "early", "open"]),
        ];
        for (start, end, expected) in spans {
            let span = Span::new(at(start), at(end));
            let found = select::in_custody(&fresh.store, &county, head, span, None, 10).await.expect("an answer");
            assert_eq!(names(&found), expected, "{start} to {end} on {:?}", fresh.engine());
        }
        let asked = |day: &'static str| select::with_request(&fresh.store, &county, head, at(day), None, 10);
        assert_eq!(names(&asked("01-11").await.expect("an answer")), ["ended"]);
        assert_eq!(names(&asked("01-12").await.expect("an answer")), [""; 0]);
        assert_eq!(names(&asked("03-25").await.expect("an answer")), ["before", "open"]);
        let mut paged = Vec::new();
        while let [next] =
            select::with_request(&fresh.store, &county, head, at("05-01"), paged.last(), 1).await.expect("a page").as_slice()
        {
            paged.push(next.clone());
        }
        assert_eq!(names(&paged), ["before", "early", "open"]);
        let open = |until| select::open(&fresh.store, &county, head, instant(until), None, 10);
        assert_eq!(names(&open("2018-03-01T00:00:00Z").await.expect("an answer")), ["open"]);
        assert_eq!(names(&open("2018-02-28T23:59:59Z").await.expect("an answer")), [] as [&str; 0]);
        let mut held = Vec::new();
        while let [next] = select::holds(&fresh.store, &county, head, &year, held.last(), 1).await.expect("a page").as_slice() {
            held.push(next.clone());
        }
        let started: Vec<_> = held.iter().map(|(at, booking, hold)| (*at, booking.as_str(), hold.as_str())).collect();
        let (first, second) = (instant("2018-01-10T00:00:00Z"), instant("2018-03-01T00:00:00Z"));
        assert_eq!(started, [(first, "ended", "1"), (second, "open", "1")]);
        let other = CountyId::trusted("other");
        assert!(select::with_custody(&fresh.store, &other, head, &year, None, 10).await.expect("an answer").is_empty());
    }
}
