//! How many detainers a second are told anew to other rules and compared with what happened, on one core, from bookings
//! in memory: honor always in the record; a guarantee, and a tree of conditions, supposed.
//!
//! `cargo bench --bench simulation [-- DETAINERS]`; 200,000 where no number is given.

#![allow(clippy::print_stdout, reason = "it prints its figures")]

use detainer::domain::booking::Booking;
use detainer::domain::county::County;
use detainer::domain::detainer::Edition;
use detainer::domain::facts::{CloseReason, Conviction, EndKind, Fact};
use detainer::domain::policy::{Condition, ConvictionLeaf, Leaf, LookBack, Mode, Revision};
use detainer::domain::rate::DayCount;
use detainer::domain::retelling::Hypothesis;
use detainer::domain::testing::{self, World, day, instant};
use detainer::domain::time::HOUR_US;
use detainer::report::Query;
use detainer::report::comparison::Comparison;
use std::time::Instant as Watch;

/// Stays of every usual shape: a year of them, spread over its hours.
const STAYS: i64 = 1_000;

/// A year of a county that honors always: nine in ten are let go at T0 or taken by federal officers, some are lifted,
/// some never served, some kept without authority.
fn county() -> (County, Vec<Booking>) {
    let zone = "America/New_York".parse().expect("a zone");
    let mut world = World::new(zone, instant("2016-12-01T12:00:00Z"));
    world.history(true);
    world.switch(testing::revision("r", Mode::HonorAlways), instant("2016-12-31T12:00:00Z")).expect("a rule");
    world.price(testing::rate("p", "126.00", DayCount::CalendarDay, day("2016-01-01"))).expect("a price");
    world.promise(testing::agreement("ice", zone, day("2017-06-01"))).expect("a promise");
    world.at(instant("2018-02-01T12:00:00Z"));
    for n in 0..STAYS {
        let (name, booked) = (format!("b{n}"), instant("2017-01-01T12:00:00Z").plus_us(n * 8 * HOUR_US));
        let hours = |h: i64| booked.plus_us(h * HOUR_US);
        world.book(&name, &name, Some(&["A"]), booked).expect("booked");
        if n % 3 == 0 {
            world.fact(&name, convicted(n), hours(1)).expect("told");
        }
        let served = (n % 10 != 1).then(|| hours(2));
        let edition = if n % 2 == 0 { Edition::I247A } else { Edition::I247Of2012 };
        world.receive(&name, "d1", testing::form(edition), served, hours(2)).expect("received");
        if n % 10 == 2 {
            world.lift(&name, "d1", hours(20)).expect("lifted");
        }
        world.close(&name, "A", CloseReason::BailPosted, hours(30)).expect("closed");
        let (kind, end) = match n % 10 {
            3 => (EndKind::Released, 90),
            4..=6 => (EndKind::FederalCustody, 70),
            _ => (EndKind::Released, 30),
        };
        world.end(&name, kind, Some(hours(end))).expect("ended");
    }
    (world.state().clone(), world.bookings().cloned().collect())
}

fn convicted(n: i64) -> Fact {
    let Fact::Conviction(conviction) = testing::conviction() else { return testing::conviction() };
    let convicted = Some(day(if n % 2 == 0 { "2010-05-05" } else { "2015-05-05" }));
    Fact::Conviction(Conviction { classes: vec!["violent-felony".into()], convicted, this_booking: false, ..conviction })
}

fn supposed(mode: Mode, condition: Option<Condition>) -> Revision {
    let mut rule = testing::revision("supposed", mode);
    (rule.condition, rule.effective.effective) = (condition, instant("2017-01-01T05:00:00Z"));
    rule
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Test runners ask every target for its tests: there are none here.
    if arguments.iter().any(|word| word == "--list") || !arguments.iter().any(|word| word == "--bench") {
        return;
    }
    let wanted: i64 = arguments.iter().find_map(|word| word.parse().ok()).unwrap_or(200_000);
    let (county, bookings) = county();
    let from = instant("2017-01-01T05:00:00Z");
    let query = Query {
        start: day("2017-01-01"),
        end: day("2018-01-01"),
        facilities: Default::default(),
        offices: Default::default(),
        only: Default::default(),
        by_books: false,
        until: instant("2018-01-01T05:00:00Z"),
    };
    let violent = Leaf::Conviction(ConvictionLeaf {
        classes: vec!["violent-felony".into()],
        within: Some(LookBack { conviction_years: Some(5), ..LookBack::default() }),
        ..ConvictionLeaf::default()
    });
    let judge = Leaf::JudicialWarrant(true);
    let tree = Condition::Any(vec![Condition::Leaf(violent), Condition::Leaf(judge)]);
    let mut as_it_was = Hypothesis::as_it_was(&county);
    for (name, rule) in [
        ("a guarantee", supposed(Mode::RequireReimbursementGuarantee, None)),
        ("a tree of conditions", supposed(Mode::Conditional, Some(tree))),
        ("the same rule", supposed(Mode::HonorAlways, None)),
    ] {
        let hypothesis = Hypothesis::new(&county, &[rule], from);
        let (begun, mut comparison, mut flips, mut told) = (Watch::now(), Comparison::new(&query, 1), 0, 0);
        while told < wanted {
            for booking in &bookings {
                comparison.record(&county, &mut as_it_was, booking).expect("counted");
                let anew = hypothesis.retold(booking, query.until).expect("told anew");
                flips += comparison.suppose(0, &hypothesis, booking, &anew).expect("compared").len();
                told += 1;
            }
        }
        let rate = told as f64 / begun.elapsed().as_secs_f64();
        println!("  {name:<40} {rate:>10.0} detainers a second; {flips} of {told} answers differ");
    }
}
