//! What comes of one instant does not depend on the order in which it was recorded, through deciding and custody.

use super::county::{form, rule, tried, zone};
use super::evaluator::{contradicts, values};
use super::rules::fact;
use detainer::domain::command::{AttachDocument, BookingCommand, NewFact};
use detainer::domain::decision::Decision;
use detainer::domain::detainer::DocumentKind;
use detainer::domain::facts::{Charge, CloseReason, Disposition, Fact, StatusProof, Tri};
use detainer::domain::ids::DetainerId;
use detainer::domain::policy::Revision;
use detainer::domain::testing::{self, World, instant};
use detainer::domain::time::{HOUR_US, Instant};
use proptest::prelude::*;
use std::cell::Cell;

/// One thing that is recorded of the instant.
#[derive(Clone, Debug)]
enum Thing {
    Fact(Fact),
    Proof,
    /// A copy of the first form, or the second, is served.
    Serve(bool),
    Attach(DocumentKind),
    Promise(u8),
    /// A third request comes in.
    Receive(u8),
}

fn thing() -> impl Strategy<Value = Thing> {
    prop_oneof![
        8 => fact().prop_map(|fact| Thing::Fact(of_known_charge(fact))),
        1 => Just(Thing::Proof),
        2 => any::<bool>().prop_map(Thing::Serve),
        2 => super::county::any_of(vec![DocumentKind::I200, DocumentKind::I203, DocumentKind::JudicialWarrant]).prop_map(Thing::Attach),
        2 => (0u8..3).prop_map(Thing::Promise),
        1 => (0u8..12).prop_map(Thing::Receive),
    ]
}

/// A disposition names one of the three charges that were recorded before, or none.
fn of_known_charge(fact: Fact) -> Fact {
    match fact {
        Fact::Disposition(ended) => Fact::Disposition(Disposition { charge: ended.charge % 4, ..ended }),
        other => other,
    }
}

/// Two things of which the order says what counts, so that it is an input; or the second of which would be refused.
fn clash(one: &Thing, other: &Thing) -> bool {
    match (one, other) {
        (Thing::Fact(one), Thing::Fact(other)) => contradicts(one, other),
        (Thing::Serve(one), Thing::Serve(other)) => one == other,
        // The promise that was relied upon first stays what pays.
        (Thing::Promise(_), Thing::Promise(_)) => true,
        (Thing::Receive(_), Thing::Receive(_)) | (Thing::Proof, Thing::Proof) => true,
        (Thing::Attach(one), Thing::Attach(other)) => one == other,
        _ => false,
    }
}

/// A county, a person with charges and two requests; then all things of one instant; then T0, an hour later.
fn told(rule: &Revision, things: &[Thing], together: bool) -> World {
    let start = instant("2024-03-05T14:00:00Z");
    let hour = |n: i64| start.plus_us(n * HOUR_US);
    let mut world = World::new(zone(), start);
    // Rows of a history: what stands for the recorded time is then a row's own, and not the order of the rows.
    world.history(true);
    world.switch(rule.clone(), start).unwrap();
    world.at(hour(60));
    world.book("B", "S", Some(&["A"]), hour(1)).unwrap();
    for charge in ["felony", "theft", "youth"] {
        let charge =
            Charge { classes: vec![charge.into()], code: "".into(), probable_cause: Tri::Unknown, bail_granted: Tri::Yes };
        world.fact("B", Fact::Charge(charge), hour(1)).unwrap();
    }
    world.receive("B", "D1", form(2), None, hour(2)).unwrap();
    world.receive("B", "D2", form(5), None, hour(3)).unwrap();
    let at = hour(10);
    if together {
        let facts = things.iter().filter_map(|thing| match thing {
            Thing::Fact(fact) => Some(NewFact { at, source: testing::source(), fact: fact.clone() }),
            _ => None,
        });
        world.tell("B", BookingCommand::UpdateFacts(facts.collect())).unwrap();
    }
    for thing in things {
        let id = |first: bool| if first { "D1" } else { "D2" };
        match thing {
            Thing::Fact(_) if together => {}
            Thing::Fact(fact) => world.fact("B", fact.clone(), at).unwrap(),
            Thing::Proof => world.fact("B", Fact::StatusProof(StatusProof::LawfulStatus), at).unwrap(),
            Thing::Serve(first) => world.serve("B", id(*first), at).unwrap(),
            Thing::Attach(kind) => {
                let document = testing::document(*kind);
                let attach =
                    AttachDocument { detainer: DetainerId::trusted("D1"), document, at: Some(at), source: testing::source() };
                world.tell("B", BookingCommand::Attach(attach)).unwrap();
            }
            Thing::Promise(n) => {
                let mut agreement = testing::agreement(&format!("G{n}"), zone(), zone().date(start));
                agreement.budget = [None, Some("50.00"), Some("500.00")][usize::from(*n)].map(testing::cents);
                agreement.signed = Some(at);
                world.promise(agreement).unwrap();
            }
            Thing::Receive(which) => world.receive("B", "D3", form(*which), Some(at), at).unwrap(),
        }
    }
    world.close("B", "A", CloseReason::BailPosted, hour(11)).unwrap();
    world
}

/// The answers in force at an instant, by request: what is said, the steps, the agreement, the clock and from when.
fn answers(world: &World, at: Instant) -> Vec<String> {
    let mut all: Vec<String> = world
        .booking("B")
        .detainers
        .iter()
        .map(|detainer| {
            let told = detainer.decision_at(at).map(|decision| {
                let steps = values(&decision.explanation);
                let Decision { outcome, reason, notify, transfer, agreement, terms, authority_from, .. } = decision;
                format!("{outcome:?} {reason:?} {notify} {transfer} {agreement:?} {terms:?} {authority_from} {steps:?}")
            });
            format!("{}: {told:?}", detainer.id)
        })
        .collect();
    all.sort();
    all
}

/// The custody after T0: holds with their ends, each stretch with its state, detainer, agreement and what it costs.
fn custody(world: &World) -> String {
    let booking = world.booking("B");
    let lines = world.lines("B", instant("2024-03-09T00:00:00Z"));
    let holds: Vec<_> = booking.custody.holds.iter().map(|hold| (hold.start, hold.until, hold.deadline)).collect();
    let segments = booking.custody.gaps.iter().flat_map(|gap| &gap.segments);
    format!("{holds:?} {:?} {lines:?}", segments.collect::<Vec<_>>())
}

#[test]
fn things_of_one_instant_may_be_recorded_in_any_order() {
    let (held, turned) = (Cell::new(0), Cell::new(0));
    let things = prop::collection::vec(thing(), 2..9).prop_map(|things| {
        let mut kept: Vec<Thing> = Vec::new();
        for thing in things {
            if !kept.iter().any(|one| clash(one, &thing)) {
                kept.push(thing);
            }
        }
        kept
    });
    let orders = things.prop_flat_map(|things| (Just(things.clone()), Just(things).prop_shuffle()));
    let property = |(rule, (one, other), together): (Revision, (Vec<Thing>, Vec<Thing>), bool)| {
        let (one, other) = (told(&rule, &one, together), told(&rule, &other, together));
        // Just then, before T0, at T0, a day later, after every layer's date.
        for at in [
            "2024-03-06T00:00:00Z",
            "2024-03-06T00:30:00Z",
            "2024-03-06T01:00:00Z",
            "2024-03-07T01:00:00Z",
            "2024-03-20T00:00:00Z",
        ] {
            prop_assert_eq!(answers(&one, instant(at)), answers(&other, instant(at)), "at {}", at);
        }
        prop_assert_eq!(custody(&one), custody(&other));
        held.set(held.get() + u32::from(!one.booking("B").custody.holds.is_empty()));
        turned.set(
            turned.get()
                + u32::from(answers(&one, instant("2024-03-05T23:00:00Z")) != answers(&one, instant("2024-03-06T00:00:00Z"))),
        );
        Ok(())
    };
    let mut runner = proptest::test_runner::TestRunner::new(tried(600));
    runner.run(&(rule(), orders, any::<bool>()), property).unwrap_or_else(|e| panic!("{e}"));
    assert!(held.get() > 20 && turned.get() > 50, "{} {}", held.get(), turned.get());
}
