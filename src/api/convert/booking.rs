//! A booking, its timeline and the answer of CheckRelease, as answers show them.

use super::super::names::of;
use super::super::time::{stamp, stamp_unless_far, wire_source};
use super::custody::{wire_authority, wire_basis, wire_end_kind, wire_stays};
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::facts::{Fact, StatusProof};
use crate::domain::gap::Authority;
use crate::domain::ids::CountyId;
use crate::domain::release::{Answer, Next};
use crate::domain::time::{Instant, Zone};
use crate::domain::timeline::{On, Stretch};
use crate::pb;

/// What of a person is shown: nothing unless it was opened for this answer.
#[derive(Clone, Default)]
pub struct Shown {
    /// Who the person is.
    pub identity: Option<pb::Identity>,
    /// The officer who took the person.
    pub receiving_officer: String,
}

/// A booking without bases, stays, detainers and holds: how lists show it.
#[must_use]
pub fn wire_summary(county: &CountyId, known: &Booking, shown: Shown) -> pb::Booking {
    let facts = || known.facts.iter().map(|record| (record, &record.fact));
    let ages = facts().filter_map(|(record, fact)| match fact {
        Fact::AgeYears(age) => Some(((record.at.effective, record.n), age.years)),
        _ => None,
    });
    let t0 = known.custody.gaps.last().filter(|gap| gap.end == known.ended()).map(|gap| gap.t0);
    let end = known.ending.as_ref().map(|ending| pb::BookingEnd {
        end_time: Some(stamp(ending.at.effective)),
        kind: wire_end_kind(ending.kind).into(),
        receiving_agency: ending.agency.as_deref().unwrap_or_default().to_owned(),
        receiving_officer: shown.receiving_officer,
        source: Some(wire_source(&ending.source)),
    });
    let paper = || known.detainers.iter().find_map(|detainer| detainer.linked.as_ref()).map(|linked| &linked.booking);
    let inherits_from = known.inherits_from.as_ref().or_else(|| paper().filter(|_| !known.inherited.is_empty()));
    pb::Booking {
        name: of::booking(county, &known.id),
        etag: known.seq.to_string(),
        subject: of::subject(county, &known.subject),
        identity: shown.identity,
        booked_time: Some(stamp(known.booked.effective)),
        booked_source: Some(wire_source(&known.source)),
        facility: known.facility().map(|facility| of::facility(county, facility)).unwrap_or_default(),
        facility_stays: Vec::new(),
        bases_known: known.bases_known || !known.bases.is_empty(),
        bases: Vec::new(),
        t0: t0.map(stamp),
        end,
        age_years: ages.max_by_key(|(at, _)| *at).and_then(|(_, years)| i32::try_from(years).ok()),
        citizenship_claimed: facts().any(|(_, fact)| *fact == Fact::CitizenshipClaim),
        citizenship_proved: facts().any(|(_, fact)| *fact == Fact::StatusProof(StatusProof::Citizen)),
        detainers: Vec::new(),
        holds: Vec::new(),
        inherits_from: inherits_from.map(|id| of::booking(county, id)).unwrap_or_default(),
    }
}

/// A booking, whole.
#[must_use]
pub fn wire_booking(county: &CountyId, known: &Booking, shown: Shown) -> pb::Booking {
    let mut bases: Vec<_> = known.bases.iter().collect();
    bases.sort_by_key(|basis| (basis.opened.effective, basis.opened.seq));
    let mut detainers: Vec<_> = known.detainers.iter().collect();
    detainers.sort_by_key(|detainer| (detainer.received.effective, detainer.received.seq));
    let mut holds: Vec<_> = known.custody.holds.iter().filter(|hold| !hold.voided).collect();
    holds.sort_by_key(|hold| hold.start);
    pb::Booking {
        facility_stays: wire_stays(county, known),
        bases: bases.into_iter().map(|basis| wire_basis(county, known, basis)).collect(),
        detainers: detainers.into_iter().map(|one| of::detainer(county, &known.id, &one.id)).collect(),
        holds: holds.into_iter().map(|one| of::hold(county, &known.id, &one.id)).collect(),
        ..wire_summary(county, known, shown)
    }
}

/// A stretch of the timeline.
#[must_use]
pub fn wire_stretch(county: &CountyId, booking: &Booking, stretch: &Stretch<'_>) -> pb::TimelineSpan {
    let span = pb::TimelineSpan {
        interval: Some(pb::Interval {
            start_time: Some(stamp(stretch.span.start)),
            end_time: stamp_unless_far(stretch.span.end),
        }),
        facility: of::facility(county, stretch.facility),
        ..pb::TimelineSpan::default()
    };
    match &stretch.on {
        On::NotKnown => pb::TimelineSpan { ground: pb::Ground::NotKnown.into(), ..span },
        On::Bases(bases) => pb::TimelineSpan {
            ground: pb::Ground::Basis.into(),
            bases: bases.iter().map(|basis| of::basis(county, &booking.id, &basis.id)).collect(),
            ..span
        },
        On::AfterT0(segment, decision) => {
            let covered = segment.authority != Authority::OverDetained;
            let rests_on = segment.rests_on.as_ref();
            let detainer = rests_on.map(|rests_on| &rests_on.detainer);
            let decision = detainer.zip(*decision);
            pb::TimelineSpan {
                ground: if covered { pb::Ground::Detainer.into() } else { pb::Ground::None.into() },
                authority: wire_authority(segment.authority).into(),
                hold: segment.hold.as_ref().map(|hold| of::hold(county, &booking.id, hold)).unwrap_or_default(),
                detainer: detainer.map(|detainer| of::detainer(county, &booking.id, detainer)).unwrap_or_default(),
                decision: decision.map(|(of, one)| of::decision(county, &booking.id, of, one.n)).unwrap_or_default(),
                policy_revision: rests_on.map(|rests_on| of::revision(county, &rests_on.revision)).unwrap_or_default(),
                ..span
            }
        }
    }
}

/// The answer of CheckRelease for an instant.
#[must_use]
pub fn wire_answer(county: &County, booking: &Booking, at: Instant, answer: &Answer) -> pb::CheckReleaseResponse {
    let id = &county.id;
    let facility = booking.facility_at(at);
    let zone = facility.map_or(county.profile.zone, |facility| county.zone_of(facility));
    let detainer = answer.detainer.as_ref();
    let decision = detainer.zip(answer.decision);
    let (ground, next) = match answer.next {
        Next::KeepOnBasis => (pb::Ground::Basis, pb::NextAction::KeepOnBasis),
        Next::HoldUntil => (pb::Ground::Detainer, pb::NextAction::HoldUntil),
        Next::ReleaseNow => (pb::Ground::None, pb::NextAction::ReleaseNow),
        Next::ServeOrRelease => (pb::Ground::None, pb::NextAction::ServeOrRelease),
        Next::EstablishBases => (pb::Ground::NotKnown, pb::NextAction::EstablishBases),
        Next::Nothing => (pb::Ground::NotInCustody, pb::NextAction::None),
    };
    let claimed = booking.facts.iter().any(|record| record.fact == Fact::CitizenshipClaim && record.at.effective <= at);
    pb::CheckReleaseResponse {
        as_of_pair: None,
        at_time: Some(stamp(at)),
        ground: ground.into(),
        may_hold: answer.hold.is_some(),
        detainer: detainer.map(|detainer| of::detainer(id, &booking.id, detainer)).unwrap_or_default(),
        decision: decision.map(|(detainer, n)| of::decision(id, &booking.id, detainer, n)).unwrap_or_default(),
        policy_revision: answer.revision.as_ref().map(|revision| of::revision(id, revision)).unwrap_or_default(),
        hold: answer.hold.as_ref().map(|hold| of::hold(id, &booking.id, hold)).unwrap_or_default(),
        authority_until: answer.until.map(stamp),
        deadline: answer.deadline.map(stamp),
        contiguous_deadline: answer.readings.map(|readings| stamp(readings.contiguous)),
        business_deadline: answer.readings.map(|readings| stamp(readings.business)),
        next_action: next.into(),
        next_action_text: in_words(answer, zone),
        over_since: answer.over_since.map(stamp),
        t0: answer.t0.map(stamp),
        facility: facility.map(|facility| of::facility(id, facility)).unwrap_or_default(),
        time_zone: zone.to_string(),
        citizenship_claimed: claimed,
        authority: answer.authority.map_or(pb::AuthorityState::Unspecified, wire_authority).into(),
    }
}

/// An instant on the clock of a place; seconds only where there are some.
fn local(at: Option<Instant>, zone: Zone) -> String {
    let Some(at) = at else { return String::new() };
    let form = if at.micros() % 60_000_000 == 0 { "%Y-%m-%d %H:%M %Z" } else { "%Y-%m-%d %H:%M:%S %Z" };
    at.utc().with_timezone(&zone.0).format(form).to_string()
}

fn in_words(answer: &Answer, zone: Zone) -> String {
    match answer.next {
        Next::KeepOnBasis => "Keep the person on the basis; no detainer is needed for that.".to_owned(),
        Next::HoldUntil => {
            let late = match answer.authority {
                Some(Authority::AuthorizedLate) => " What this rests on was recorded only after the instant asked about.",
                _ => "",
            };
            format!("Hold at most until {}; at that instant the person must be out.{late}", local(answer.until, zone))
        }
        Next::ReleaseNow => format!("Release now: nothing has covered the custody since {}.", local(answer.over_since, zone)),
        Next::ServeOrRelease => format!(
            "Release now: a detainer is honored but not served. Were it served, it would hold until {} at most; the clock has \
             been running since {}.",
            local(answer.deadline, zone),
            local(answer.t0, zone)
        ),
        Next::EstablishBases => "Find out on which bases the person is held; until then no detainer holds.".to_owned(),
        Next::Nothing => "Nothing: the person is not in custody.".to_owned(),
    }
}
