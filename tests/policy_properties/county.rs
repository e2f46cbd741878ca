//! Random counties whose rules are trees and layers: bookings, forms, facts, documents, promises, switches.

use super::rules::{EDITIONS, fact, good_rule};
use detainer::domain::command::{AttachDocument, BookingCommand, FormReading};
use detainer::domain::detainer::{DocumentKind, Form};
use detainer::domain::facts::{CloseReason, EndKind, Fact, StatusProof, Tri};
use detainer::domain::ids::DetainerId;
use detainer::domain::policy::{OpenDetainers, Revision};
use detainer::domain::rate::DayCount;
use detainer::domain::testing::{self, World, instant};
use detainer::domain::time::{HOUR_US, Instant, Zone};
use proptest::prelude::*;
use proptest::sample::select;

/// What is done next; a number that names a booking or a detainer is read modulo how many there are.
#[derive(Clone, Debug)]
pub enum Act {
    Book,
    Receive { booking: u8, form: u8, served: bool },
    Fact { booking: u8, fact: Fact },
    Proof { booking: u8 },
    Attach { booking: u8, judicial: bool },
    Read { booking: u8 },
    Serve { booking: u8 },
    Close { booking: u8 },
    End { booking: u8 },
    Promise { budget: u8, days: u8 },
    Switch { rule: Box<Revision>, ahead: i8 },
}

/// Some hours pass; then something is done that was so some hours ago.
#[derive(Clone, Debug)]
pub struct Step {
    pass: u8,
    late: u8,
    act: Act,
}

/// A county's story: its first rule, then step by step.
#[derive(Clone, Debug)]
pub struct Story {
    rule: Revision,
    steps: Vec<Step>,
}

/// The county's zone.
pub fn zone() -> Zone {
    "America/New_York".parse().unwrap()
}

/// When every story begins.
pub fn start() -> Instant {
    instant("2024-03-05T14:00:00Z")
}

/// A rule as it may be switched to, with what it does to open requests.
pub fn rule() -> impl Strategy<Value = Revision> {
    (good_rule(start()), prop::bool::weighted(0.2)).prop_map(|(rule, leave)| Revision {
        open_detainers: if leave { OpenDetainers::Leave } else { OpenDetainers::Reevaluate },
        ..rule
    })
}

fn act() -> impl Strategy<Value = Act> {
    let booking = || 0u8..4;
    prop_oneof![
        2 => Just(Act::Book),
        4 => (booking(), 0u8..12, prop::bool::weighted(0.8))
            .prop_map(|(booking, form, served)| Act::Receive { booking, form, served }),
        8 => (booking(), fact()).prop_map(|(booking, fact)| Act::Fact { booking, fact }),
        1 => booking().prop_map(|booking| Act::Proof { booking }),
        1 => (booking(), any::<bool>()).prop_map(|(booking, judicial)| Act::Attach { booking, judicial }),
        1 => booking().prop_map(|booking| Act::Read { booking }),
        1 => booking().prop_map(|booking| Act::Serve { booking }),
        3 => booking().prop_map(|booking| Act::Close { booking }),
        1 => booking().prop_map(|booking| Act::End { booking }),
        1 => (0u8..3, 0u8..4).prop_map(|(budget, days)| Act::Promise { budget, days }),
        2 => (rule(), -2i8..30).prop_map(|(rule, ahead)| Act::Switch { rule: Box::new(rule), ahead }),
    ]
}

/// Stories of `most` steps at most, after two bookings with a form each.
pub fn stories(most: usize) -> impl Strategy<Value = Story> {
    let late = prop_oneof![3 => Just(0u8), 1 => 1u8..10];
    let step = (0u8..8, late, act()).prop_map(|(pass, late, act)| Step { pass, late, act });
    (rule(), prop::collection::vec(step, most / 2..most)).prop_map(|(rule, more)| {
        let first = |act| Step { pass: 1, late: 0, act };
        let mut steps = vec![first(Act::Book), first(Act::Book)];
        steps.extend([0, 1].map(|booking| first(Act::Receive { booking, form: 2, served: true })));
        steps.push(first(Act::Close { booking: 0 }));
        steps.extend(more);
        Story { rule, steps }
    })
}

/// A form by number: every edition, with a warrant or not, read or not.
pub fn form(n: u8) -> Form {
    let mut form = testing::form(EDITIONS[usize::from(n) % EDITIONS.len()]);
    match n / 6 {
        0 => {}
        _ => {
            form.signed = Tri::Unknown;
            form.documents.clear();
        }
    }
    form
}

/// Tells a story of a county of this name.
pub fn tell(county: &str, story: &Story) -> World {
    let mut world = World::named(county, zone(), start());
    world.price(testing::rate("r1", "126.00", DayCount::Hourly, testing::day("2024-01-01"))).unwrap();
    world.switch(named(&story.rule, "R"), start()).unwrap();
    for (n, step) in story.steps.iter().enumerate() {
        let now = world.now().plus_us(i64::from(step.pass) * HOUR_US);
        world.at(now);
        let at = now.plus_us(-i64::from(step.late) * HOUR_US);
        // A refusal is an answer too: the county is then as it was.
        let _ = act_on(&mut world, n, &step.act, at);
    }
    world
}

/// A rule under a name of its own.
pub fn named(rule: &Revision, id: &str) -> Revision {
    Revision { id: detainer::domain::ids::RevisionId::trusted(id), ..rule.clone() }
}

fn act_on(world: &mut World, n: usize, act: &Act, at: Instant) -> Result<(), detainer::domain::refusal::Refusal> {
    let id = |world: &World, which: u8| {
        let all: Vec<String> = world.bookings().map(|booking| booking.id.to_string()).collect();
        all.get(usize::from(which) % all.len().max(1)).cloned().unwrap_or_else(|| "nobody".to_owned())
    };
    let last = |world: &World, booking: &str| {
        let last = world.find(booking).and_then(|booking| booking.detainers.last());
        last.map_or_else(|| DetainerId::trusted("none"), |detainer| detainer.id.clone())
    };
    match act {
        Act::Book => {
            let name = format!("B{n:02}");
            world.book(&name, &format!("S{n:02}"), Some(&["A"]), at)
        }
        Act::Receive { booking, form: which, served } => {
            let booking = id(world, *booking);
            world.receive(&booking, &format!("D{n:02}"), form(*which), served.then_some(at), at)
        }
        Act::Fact { booking, fact } => world.fact(&id(world, *booking), fact.clone(), at),
        Act::Proof { booking } => world.fact(&id(world, *booking), Fact::StatusProof(StatusProof::Citizen), at),
        Act::Attach { booking, judicial } => {
            let booking = id(world, *booking);
            let document = testing::document(if *judicial { DocumentKind::JudicialWarrant } else { DocumentKind::I200 });
            let attach = AttachDocument { detainer: last(world, &booking), document, at: Some(at), source: testing::source() };
            world.tell(&booking, BookingCommand::Attach(attach))
        }
        Act::Read { booking } => {
            let booking = id(world, *booking);
            let reading = FormReading {
                detainer: last(world, &booking),
                final_order: true,
                pending_proceedings: false,
                biometric_match: false,
                statements: false,
                signed: Tri::Yes,
                at: Some(at),
                source: testing::source(),
            };
            world.tell(&booking, BookingCommand::ReadForm(reading))
        }
        Act::Serve { booking } => {
            let booking = id(world, *booking);
            let detainer = last(world, &booking);
            world.serve(&booking, detainer.as_str(), at)
        }
        Act::Close { booking } => world.close(&id(world, *booking), "A", CloseReason::BailPosted, at),
        Act::End { booking } => world.end(&id(world, *booking), EndKind::Released, Some(at)),
        Act::Promise { budget, days } => {
            let mut agreement = testing::agreement(&format!("G{n:02}"), zone(), zone().date(at));
            agreement.budget = [None, Some("50.00"), Some("252.00")][usize::from(*budget)].map(testing::cents);
            agreement.end = (*days > 0).then(|| agreement.start + chrono::Days::new(u64::from(*days)));
            world.promise(agreement)
        }
        Act::Switch { rule, ahead } => {
            let effective = world.now().plus_us(i64::from(*ahead) * HOUR_US);
            world.switch(named(rule, &format!("R{n:02}")), effective)
        }
    }
}

/// The first trees of a strategy under a seed that `DETAINER_TEST_SEED` can change.
pub fn runner() -> proptest::test_runner::TestRunner {
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let seed = std::env::var("DETAINER_TEST_SEED").ok().and_then(|n| n.parse::<u64>().ok()).unwrap_or(1);
    let mut bytes = [0_u8; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// How the properties are tried: so many times, or so many times that as `DETAINER_TEST_TIMES` says.
pub fn tried(cases: u32) -> ProptestConfig {
    let times = std::env::var("DETAINER_TEST_TIMES").ok().and_then(|n| n.parse::<u32>().ok()).unwrap_or(1);
    let cases = cases.saturating_mul(times);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Any of a few things.
pub fn any_of<T: Clone + std::fmt::Debug + 'static>(of: Vec<T>) -> impl Strategy<Value = T> {
    select(of)
}
