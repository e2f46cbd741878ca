//! Which switches into the past are refused, as tables of cases (DOMAIN.md §5 *Switching*, §10.22).

use crate::domain::agreement::Agreement;
use crate::domain::command::{CountyCommand, NewRevision, ProfileChange, When};
use crate::domain::decision::Outcome;
use crate::domain::detainer::Edition;
use crate::domain::facts::EndKind;
use crate::domain::ids::RevisionId;
use crate::domain::policy::{Mode, OpenDetainers, Revision};
use crate::domain::refusal::{Refusal, Why};
use crate::domain::testing::{World, agreement, day, form, instant, revision};
use crate::domain::time::{Instant, Zone};

const NOW: &str = "2024-03-14T16:02:00Z";

/// Held where it is paid for, by an agreement that ends in a year: of every request something is decided ahead. A's request
/// came at 08:00 and is open; B's came at 08:00 as well, and B left at 10:30. It is 16:02.
fn world() -> World {
    let start = instant("2024-03-01T00:00:00Z");
    let mut world = World::new(Zone::UTC, start);
    world.switch(revision("paid", Mode::RequireReimbursementGuarantee), start).unwrap();
    let paid = Agreement { end: Some(day("2025-03-01")), ..agreement("year", Zone::UTC, day("2024-03-01")) };
    world.promise(paid).unwrap();
    let received = instant("2024-03-14T08:00:00Z");
    world.at(received);
    for id in ["A", "B"] {
        world.book(id, &format!("s{id}"), Some(&["charge"]), received).unwrap();
        world.receive(id, "D", form(Edition::I247D), Some(received), received).unwrap();
    }
    let left = instant("2024-03-14T10:30:00Z");
    world.at(left).end("B", EndKind::Released, Some(left)).unwrap();
    world.at(instant(NOW));
    let ahead = world.detainer("A", "D").decisions.last().expect("decided");
    assert_eq!((ahead.at.effective, ahead.outcome), (instant("2025-03-01T00:00:00Z"), Outcome::Decline));
    world
}

fn stop(open: OpenDetainers) -> Revision {
    Revision { open_detainers: open, ..revision("stop", Mode::DeclineAll) }
}

fn switched(world: &mut World, effective: Option<Instant>, revision: Revision) -> Result<(), Refusal> {
    let id = Some(revision.id.clone());
    world.county(CountyCommand::Switch(Box::new(NewRevision { id, effective, revision })))
}

#[test]
fn a_switch_into_the_past_displaces_nothing_that_was_decided() {
    use OpenDetainers::{Leave, Reevaluate as TakeIn};
    // When, what happens to open requests, whether A has left by 12:00, and what was displaced.
    let cases = [
        // From now on, and ahead: what is decided ahead is no obstacle.
        (None, TakeIn, false, None),
        (None, Leave, false, None),
        (Some(NOW), TakeIn, false, None),
        (Some("2024-03-14T16:05:00Z"), TakeIn, false, None),
        (Some("2024-06-01T00:00:00Z"), TakeIn, false, None),
        // Nothing was decided since; what is decided ahead is not of the past.
        (Some("2024-03-14T10:00:00Z"), TakeIn, false, None),
        (Some("2024-03-14T16:01:59.999999Z"), TakeIn, false, None),
        (Some("2024-03-14T10:00:00Z"), Leave, false, None),
        (Some("2024-03-14T08:00:00.000001Z"), Leave, false, None),
        // A decision is effective within.
        (Some("2024-03-14T08:00:00Z"), Leave, false, Some("2024-03-14T08:00:00Z")),
        (Some("2024-03-14T07:00:00Z"), TakeIn, false, Some("2024-03-14T08:00:00Z")),
        // Nobody has an open request any more.
        (Some("2024-03-14T08:00:00Z"), TakeIn, true, Some("2024-03-14T08:00:00Z")),
        (Some("2024-03-14T12:00:00Z"), TakeIn, true, None),
        (Some("2024-03-14T13:00:00Z"), TakeIn, true, None),
    ];
    for (when, open, left, displaced) in cases {
        let mut world = world();
        if left {
            world.end("A", EndKind::Released, Some(instant("2024-03-14T12:00:00Z"))).unwrap();
        }
        let answer = switched(&mut world, when.map(instant), stop(open));
        match displaced {
            None => assert_eq!(answer, Ok(()), "{when:?} {open:?} {left}"),
            Some(at) => {
                let refusal = answer.expect_err("refused");
                assert_eq!(refusal.why, Why::PastSwitchDisplacesDecisions, "{when:?} {open:?} {left}");
                assert!(refusal.detail.contains(&instant(at).to_string()), "{when:?} {open:?} {left}: {refusal}");
            }
        }
    }
}

#[test]
fn what_was_decided_ahead_is_decided_again() {
    for (when, open, honored) in [
        (None, OpenDetainers::Reevaluate, false),
        (None, OpenDetainers::Leave, true),
        (Some("2024-06-01T00:00:00Z"), OpenDetainers::Reevaluate, false),
    ] {
        let mut world = world();
        switched(&mut world, when.map(instant), stop(open)).unwrap();
        let request = world.detainer("A", "D");
        let at = |time: &str| request.decision_at(instant(time)).map(|decision| decision.outcome);
        assert_eq!(at("2024-03-14T16:01:59Z"), Some(Outcome::Honor), "{when:?}: what was lawful stays so");
        assert_eq!(at("2024-06-01T00:00:00Z") == Some(Outcome::Honor), honored, "{when:?} {open:?}");
        // The agreement's end in a year: under the new rule nothing turns there.
        assert_eq!(at("2025-03-01T00:00:00Z"), Some(Outcome::Decline), "{when:?} {open:?}");
    }
}

#[test]
fn a_history_is_loaded_into_a_county_that_decided_nothing_yet() {
    let mut world = World::new(Zone::UTC, instant(NOW));
    for (id, day) in [("r2", "2014-01-01"), ("r1", "2009-01-01"), ("r3", "2017-01-26")] {
        world.switch(revision(id, Mode::DeclineAll), instant(&format!("{day}T00:00:00Z"))).unwrap();
    }
    // Between two rules of the past too: what was decided under the third displaces nothing of the second's time.
    world.book("A", "s", Some(&["charge"]), instant("2024-03-14T08:00:00Z")).unwrap();
    world.receive("A", "D", form(Edition::I247D), None, instant("2024-03-14T08:00:00Z")).unwrap();
    world.switch(revision("between", Mode::HonorAlways), instant("2015-01-01T00:00:00Z")).unwrap();
    let late = world.switch(revision("late", Mode::HonorAlways), instant("2018-01-01T00:00:00Z")).unwrap_err();
    assert_eq!(late.why, Why::PastSwitchDisplacesDecisions);
}

#[test]
fn what_was_made_takes_effect_as_planned_when_recorded_or_at_a_time() {
    // Planned, meant, and since when it is in force: an instant, or its record.
    let (past, ahead) = ("2024-03-10T00:00:00Z", "2024-04-01T00:00:00Z");
    for (planned, when, expected) in [
        (None, When::Planned, None),
        (None, When::Recorded, None),
        (Some(ahead), When::Planned, Some(ahead)),
        (Some(ahead), When::Recorded, None),
        (Some(past), When::Recorded, None),
        (Some(ahead), When::At(instant("2024-05-01T00:00:00Z")), Some("2024-05-01T00:00:00Z")),
    ] {
        let mut world = world();
        let id = RevisionId::trusted("stop");
        let draft =
            NewRevision { id: Some(id.clone()), effective: planned.map(instant), revision: stop(OpenDetainers::Reevaluate) };
        world.county(CountyCommand::Draft(Box::new(draft))).unwrap();
        world.county(CountyCommand::Activate(id.clone(), when)).unwrap();
        let stamp = world.state().revision(&id).expect("activated").effective;
        assert_eq!(stamp.effective, expected.map_or(stamp.recorded, instant), "{planned:?} {when:?}");
    }
    // Planned for a day that has passed by then, while something was decided.
    let mut world = world();
    let id = RevisionId::trusted("stop");
    let draft = NewRevision { id: Some(id.clone()), effective: Some(instant(past)), revision: stop(OpenDetainers::Reevaluate) };
    world.county(CountyCommand::Draft(Box::new(draft))).unwrap();
    let refused = world.county(CountyCommand::Activate(id, When::Planned)).unwrap_err();
    assert_eq!(refused.why, Why::PastSwitchDisplacesDecisions);
}

#[test]
fn two_persons_switch_from_when_both_have_spoken() {
    let mut world = world();
    world.county(CountyCommand::Update(ProfileChange { two_person_switch: Some(true), ..Default::default() })).unwrap();
    let backdated = switched(&mut world, Some(instant("2024-03-14T08:00:00Z")), stop(OpenDetainers::Reevaluate)).unwrap_err();
    assert_eq!(backdated.why, Why::PastSwitchDisplacesDecisions, "proposed");
    switched(&mut world, None, stop(OpenDetainers::Reevaluate)).unwrap();
    let proposal = world.state().proposals.last().expect("proposed").id.clone();
    world.at(instant("2024-03-14T18:00:00Z")).by("bob").county(CountyCommand::Confirm(proposal)).unwrap();
    let request = world.detainer("A", "D");
    let at = |time: &str| request.decision_at(instant(time)).map(|decision| decision.outcome);
    assert_eq!(at("2024-03-14T17:59:59Z"), Some(Outcome::Honor));
    assert_eq!(at("2024-03-14T18:00:01Z"), Some(Outcome::Decline));
}
