//! `hold.proto` and `clock.proto`: a hold, its clock, and what it rested on.

use super::super::names::of;
use super::super::time::{stamp, stamp_unless_far, wire_duration};
use super::custody::wire_authority;
use crate::domain::booking::{AlertLevel, Booking, Hold, HoldEnd};
use crate::domain::county::County;
use crate::domain::gap::Segment;
use crate::domain::ids::DetainerId;
use crate::domain::time::Instant;
use crate::domain::watching::{GroundAfter, Happened};
use crate::pb;

/// The word for why a hold ended.
#[must_use]
pub fn wire_hold_end(reason: HoldEnd) -> pb::HoldEndReason {
    use pb::HoldEndReason as R;
    match reason {
        HoldEnd::FederalCustody => R::FederalCustody,
        HoldEnd::Released => R::Released,
        HoldEnd::TransferredOut => R::TransferredOut,
        HoldEnd::Escaped => R::Escaped,
        HoldEnd::Died => R::Died,
        HoldEnd::Deadline => R::Deadline,
        HoldEnd::Lifted => R::DetainerLifted,
        HoldEnd::Replaced => R::DetainerReplaced,
        HoldEnd::NoLongerHonored => R::NoLongerHonored,
        HoldEnd::NewBasis => R::NewBasis,
        HoldEnd::KnownEnded => R::LateRecord,
    }
}

/// Whether a hold runs at an instant.
#[must_use]
pub fn hold_state(hold: &Hold, at: Instant) -> pb::HoldState {
    if hold.voided || hold.until <= at {
        pb::HoldState::Ended
    } else if at < hold.start {
        pb::HoldState::Ahead
    } else {
        pb::HoldState::Running
    }
}

/// The clock of a hold: the governing deadline and the two readings that are always shown.
#[must_use]
pub fn wire_clock(county: &County, booking: &Booking, hold: &Hold) -> pb::HoldClock {
    let zone = booking.custody.zone.unwrap_or_else(|| county.zone_of(&hold.facility));
    pb::HoldClock {
        deadline: stamp_unless_far(hold.deadline),
        contiguous_deadline: stamp_unless_far(hold.readings.contiguous),
        business_deadline: stamp_unless_far(hold.readings.business),
        time_used_before: Some(wire_duration(hold.used_us)),
        contiguous_used_before: Some(wire_duration(hold.contiguous_used_us)),
        business_used_before: Some(wire_duration(hold.business_used_us)),
        start_time: Some(stamp(hold.clock_start)),
        time_zone: zone.to_string(),
    }
}

/// The stretches of a hold, in order.
fn held<'a>(booking: &'a Booking, hold: &'a Hold) -> impl Iterator<Item = &'a Segment> {
    let own = move |segment: &&Segment| !hold.voided && segment.hold.as_ref() == Some(&hold.id) && segment.is_held();
    booking.custody.gaps.iter().flat_map(|gap| &gap.segments).filter(own)
}

fn stretches(county: &County, booking: &Booking, hold: &Hold) -> Vec<pb::HoldStretch> {
    let mut all: Vec<pb::HoldStretch> = Vec::new();
    for segment in held(booking, hold) {
        let rests_on = segment.rests_on.as_ref();
        let stretch = pb::HoldStretch {
            start_time: Some(stamp(segment.span.start)),
            end_time: stamp_unless_far(segment.span.end),
            authority: wire_authority(segment.authority).into(),
            detainer: rests_on.map(|r| of::detainer(&county.id, &booking.id, &r.detainer)).unwrap_or_default(),
        };
        match all.last_mut() {
            Some(last) if last.authority == stretch.authority && last.detainer == stretch.detainer => {
                last.end_time = stretch.end_time;
            }
            _ => all.push(stretch),
        }
    }
    all
}

/// A hold as an answer shows it at an instant.
#[must_use]
pub fn wire_hold(county: &County, booking: &Booking, hold: &Hold, at: Instant) -> pb::Hold {
    let id = &county.id;
    let resting = held(booking, hold).take_while(|segment| segment.span.start <= at.max(hold.start)).last();
    let rests_on = resting.and_then(|segment| segment.rests_on.as_ref());
    let (rests, revision) =
        rests_on.map_or((&hold.detainer, &hold.revision), |rests_on| (&rests_on.detainer, &rests_on.revision));
    let last = resting.map_or(hold.until, |segment| segment.span.end).plus_us(-1);
    let decision = booking.detainer(rests).and_then(|detainer| detainer.decision_at(at.min(last).max(hold.start)));
    let state = hold_state(hold, at);
    let ended = state == pb::HoldState::Ended;
    let reason = if hold.voided { pb::HoldEndReason::Corrected } else { wire_hold_end(hold.reason) };
    let reserved = booking.reservations.iter().find(|r| r.hold == hold.id && r.amount.is_some());
    let stretches = stretches(county, booking, hold);
    pb::Hold {
        name: of::hold(id, &booking.id, &hold.id),
        etag: booking.seq.to_string(),
        booking: of::booking(id, &booking.id),
        detainer: of::detainer(id, &booking.id, rests),
        decision: decision.map(|d| of::decision(id, &booking.id, rests, d.n)).unwrap_or_default(),
        policy_revision: of::revision(id, revision),
        facility: booking.facility_at(at).map(|facility| of::facility(id, facility)).unwrap_or_default(),
        t0: Some(stamp(hold.t0)),
        start_time: Some(stamp(hold.start)),
        authority_until: stamp_unless_far(hold.until),
        clock: Some(wire_clock(county, booking, hold)),
        continues: hold.continues.as_ref().map(|earlier| of::hold(id, &booking.id, earlier)).unwrap_or_default(),
        state: state.into(),
        end_time: (ended && !hold.voided).then(|| stamp(hold.until)),
        end_reason: if ended { reason.into() } else { 0 },
        late: stretches.iter().any(|stretch| stretch.authority() == pb::AuthorityState::AuthorizedLate),
        agreement: reserved.map(|r| of::agreement(id, &r.agreement)).unwrap_or_default(),
        stretches,
    }
}

/// The request that a hold rests on at an instant, or rested on last.
#[must_use]
pub fn resting<'a>(booking: &'a Booking, hold: &'a Hold, at: Instant) -> &'a DetainerId {
    let last = held(booking, hold).take_while(|segment| segment.span.start <= at.max(hold.start)).last();
    last.and_then(|segment| segment.rests_on.as_ref()).map_or(&hold.detainer, |rests_on| &rests_on.detainer)
}

/// The word for what happened to a hold.
#[must_use]
pub fn wire_happened(happened: Happened) -> pb::HoldEventKind {
    use pb::HoldEventKind as K;
    match happened {
        Happened::Started => K::Started,
        Happened::Due(AlertLevel::Due24h) => K::Due24h,
        Happened::Due(AlertLevel::Due4h) => K::Due4h,
        Happened::Due(_) => K::Due1h,
        Happened::DeadlinePassed => K::DeadlinePassed,
        Happened::Ended => K::Ended,
        Happened::OverDetained => K::OverDetained,
        Happened::Changed => K::DeadlineChanged,
    }
}

/// The word for the ground of custody after an event.
#[must_use]
pub fn wire_ground(ground: GroundAfter) -> pb::Ground {
    match ground {
        GroundAfter::Basis => pb::Ground::Basis,
        GroundAfter::Detainer => pb::Ground::Detainer,
        GroundAfter::None => pb::Ground::None,
        GroundAfter::NotKnown => pb::Ground::NotKnown,
        GroundAfter::NotInCustody => pb::Ground::NotInCustody,
    }
}
