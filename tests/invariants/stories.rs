//! Short stories that once went wrong, each against a rule of DOMAIN.md.

use super::history::zone;
use detainer::domain::agreement::Agreement;
use detainer::domain::booking::CorrectedFact;
use detainer::domain::command::{BookingCommand, CountyCommand, FacilityChange, NewRevision, OpenBasis, ProfileChange};
use detainer::domain::county::{Calendar, CalendarDay};
use detainer::domain::facts::Fact;
use detainer::domain::ids::FacilityId;
use detainer::domain::policy::{Mode, Revision};
use detainer::domain::refusal::Why;
use detainer::domain::testing::{self, World};
use detainer::domain::time::{HOUR_US, Instant};

fn now() -> Instant {
    testing::instant("2024-03-05T14:00:00Z")
}

/// A stay `A` with the basis `A1`, under a rule that honors always.
fn world() -> World {
    let mut world = World::new(zone(), now());
    world.switch(testing::revision("R", Mode::HonorAlways), now()).unwrap();
    world.at(now().plus_us(HOUR_US));
    world.book("A", "S1", Some(&["A1"]), now().plus_us(HOUR_US)).unwrap();
    world
}

/// A facility that only a correction put a person in has a booking, so its zone stays (§2).
#[test]
fn a_facility_named_by_a_correction_is_in_use() {
    let mut world = world();
    world.facility("west", "America/Denver".parse().unwrap());
    let mut arrival = testing::correction(CorrectedFact::Arrival, "", None, Some(now().plus_us(HOUR_US + 1)));
    arrival.facility = Some(FacilityId::trusted("west"));
    world.correct("A", arrival).unwrap();
    let other = FacilityChange { id: FacilityId::trusted("west"), name: None, zone: Some(zone()), city: None };
    assert_eq!(world.county(CountyCommand::UpdateFacility(other)).map_err(|r| r.why), Err(Why::FixedOnceInUse));
}

/// A number stands for one fact, or one basis, for good: what was said of it must never come to speak of another.
#[test]
fn a_number_is_not_given_again_after_it_was_voided() {
    let mut world = world();
    let at = world.now();
    let void = |fact, n: &str| testing::correction(fact, n, Some(at), None);
    world.fact("A", Fact::CitizenshipClaim, at).unwrap();
    world.fact("A", Fact::CitizenshipClaim, at).unwrap();
    world.correct("A", void(CorrectedFact::FactChanged, "2")).unwrap();
    world.fact("A", Fact::CitizenshipClaim, at).unwrap();
    let facts: Vec<u32> = world.booking("A").facts.iter().map(|f| f.n).collect();
    assert_eq!(facts, [1, 3]);

    let unnamed = || BookingCommand::OpenBasis(OpenBasis { basis: None, ..testing::basis("", at) });
    world.tell("A", unnamed()).unwrap();
    world.correct("A", void(CorrectedFact::BasisVoided, "2")).unwrap();
    world.tell("A", unnamed()).unwrap();
    let bases: Vec<&str> = world.booking("A").bases.iter().map(|b| b.id.as_str()).collect();
    assert_eq!(bases, ["A1", "3"]);
}

/// Two who change different settings at once both succeed: a change says what changes, and nothing else.
#[test]
fn a_change_of_a_county_takes_nothing_back() {
    let mut world = world();
    let first = ProfileChange { name: Some("North County".into()), ..ProfileChange::default() };
    let second = ProfileChange { allowance_us: Some(HOUR_US), ..ProfileChange::default() };
    world.county(CountyCommand::Update(first)).unwrap();
    world.county(CountyCommand::Update(second)).unwrap();
    let profile = &world.state().profile;
    assert_eq!((&*profile.name, profile.allowance_us), ("North County", HOUR_US));
}

/// A promise that was ended early stays ended, also where its terms are amended by someone who had not seen that.
#[test]
fn amending_a_promise_does_not_take_its_end_back() {
    let mut world = world();
    let promise = testing::agreement("G", zone(), testing::day("2024-03-01"));
    world.promise(promise.clone()).unwrap();
    let end = world.now().plus_us(HOUR_US);
    world.county(CountyCommand::TerminateAgreement(promise.id.clone(), end)).unwrap();
    world.county(CountyCommand::AmendAgreement(Agreement { counterparty: "ICE".into(), ..promise.clone() })).unwrap();
    let known = &world.state().agreements[&promise.id];
    assert_eq!((&*known.counterparty, known.terminated), ("ICE", Some(end)));
}

/// What a switch leaves to the county's settings is read when it is recorded: its instant, and the days of a calendar.
#[test]
fn a_switch_reads_the_county_when_it_is_recorded() {
    let mut world = world();
    let mut revision = testing::revision("R2", Mode::HonorAlways);
    revision.county_days_calendar = "own".into();
    let switch = |revision: &Revision| {
        CountyCommand::Switch(Box::new(NewRevision {
            id: Some(revision.id.clone()),
            effective: None,
            revision: revision.clone(),
        }))
    };
    let refused = world.county(switch(&revision)).unwrap_err();
    assert_eq!((refused.why, &*refused.field), (Why::NotFound, "clock.county_days_calendar"));
    let day = CalendarDay { date: testing::day("2024-03-18"), name: "Founders".into() };
    let calendar = Calendar { id: "own".into(), days: vec![day], instrument: None, seq: 0 };
    world.county(CountyCommand::SetCalendar(calendar)).unwrap();
    world.at(world.now().plus_us(HOUR_US));
    world.county(switch(&revision)).unwrap();
    let made = world.state().revisions.last().unwrap();
    assert_eq!(made.county_days, [testing::day("2024-03-18")]);
    assert_eq!(made.effective.effective, made.effective.recorded);
}
