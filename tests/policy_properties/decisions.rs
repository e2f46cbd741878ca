//! Decisions of random counties: whatever was decided is answered the same, to the byte, by what was kept of it.

use super::county::{stories, tell, tried};
use super::evaluator::said;
use detainer::domain::decision::{Decision, Outcome};
use detainer::domain::policy::{Inputs, Mode, Revision, evaluate};
use detainer::domain::testing::World;
use detainer::journal::wire::{decode, encode};
use proptest::prelude::*;
use std::cell::Cell;

/// The decision with the answer that its inputs give under its revision, both as the journal keeps them.
fn replayed(world: &World, stored: &Decision) -> Decision {
    let inputs: Inputs = decode(&encode(&stored.inputs)).expect("its inputs are read back");
    let revision = stored.revision.as_ref().map(|id| {
        let kept = world.state().revision(id).expect("a revision that decided stays");
        decode::<Revision>(&encode(kept)).expect("a revision is read back")
    });
    let answer = evaluate(revision.as_ref(), &inputs);
    Decision {
        outcome: answer.outcome,
        reason: answer.reason,
        notify: answer.notify,
        transfer: answer.transfer,
        agreement: answer.agreement,
        explanation: answer.explanation,
        inputs,
        ..stored.clone()
    }
}

fn decisions(world: &World) -> impl Iterator<Item = &Decision> {
    world.bookings().flat_map(|booking| &booking.detainers).flat_map(|detainer| &detainer.decisions)
}

#[test]
fn a_stored_decisions_inputs_give_the_stored_answer_byte_for_byte() {
    let (all, trees, honored) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let property = |story: &super::county::Story| {
        let world = tell("county", story);
        for stored in decisions(&world) {
            prop_assert_eq!(encode(&replayed(&world, stored)), encode(stored), "{:?}", stored);
            all.set(all.get() + 1);
            trees.set(trees.get() + u32::from(stored.mode == Some(Mode::Conditional)));
            honored.set(honored.get() + u32::from(stored.outcome == Outcome::Honor));
        }
        Ok(())
    };
    let mut runner = proptest::test_runner::TestRunner::new(tried(240));
    runner.run(&stories(30), |story| property(&story)).unwrap_or_else(|e| panic!("{e}"));
    // They are of all sorts: by trees and by modes, honored and not.
    let (all, trees, honored) = (all.get(), trees.get(), honored.get());
    assert!(all > 200 && trees > all / 10 && trees < all && honored > all / 10 && honored < all, "{all} {trees} {honored}");
}

/// The same of two modes, by what real decisions read: whatever guarantee-only honors of it, honor-always honors.
#[test]
fn what_a_guarantee_honored_in_a_county_honor_always_honors() {
    let honored = Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(tried(240));
    let property = |story: super::county::Story| {
        let world = tell("county", &story);
        for stored in decisions(&world).filter(|stored| stored.outcome == Outcome::Honor) {
            let Some(revision) = stored.revision.as_ref().and_then(|id| world.state().revision(id)) else { continue };
            let in_mode = |mode| Revision { mode, condition: None, ..revision.clone() };
            let only = evaluate(Some(&in_mode(Mode::RequireReimbursementGuarantee)), &stored.inputs);
            let always = evaluate(Some(&in_mode(Mode::HonorAlways)), &stored.inputs);
            prop_assert!(only.outcome != Outcome::Honor || always.outcome == Outcome::Honor, "{:?} {:?}", said(&only), stored);
            honored.set(honored.get() + u32::from(only.outcome == Outcome::Honor));
        }
        Ok(())
    };
    runner.run(&stories(30), property).unwrap_or_else(|e| panic!("{e}"));
    assert!(honored.get() > 10, "{}", honored.get());
}
