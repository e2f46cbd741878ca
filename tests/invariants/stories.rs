//! Short stories that once went wrong, each against a rule of DOMAIN.md.

use super::history::zone;
use detainer::domain::booking::CorrectedFact;
use detainer::domain::command::{BookingCommand, CountyCommand, FacilityChange, OpenBasis};
use detainer::domain::facts::Fact;
use detainer::domain::ids::FacilityId;
use detainer::domain::policy::Mode;
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
