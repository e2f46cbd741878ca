//! `override.proto`: two persons' own answer in place of the county rule's.

use super::super::names::of;
use super::super::time::{stamp, wire_source};
use super::words;
use crate::domain::decision::{Override, OverrideAnswer};
use crate::domain::ids::{BookingId, CountyId, DetainerId};
use crate::pb;

words! {
    /// What an override says; it must be stated.
    override_answer, wire_override_answer: OverrideAnswer <=> OverrideAnswer {
        Honor = OverrideAnswer::Honor,
        Decline = OverrideAnswer::Decline,
        Rule = OverrideAnswer::Rule,
    }
}

/// An override as an answer shows it; `made` where it was confirmed.
#[must_use]
pub fn wire_override(
    county: &CountyId,
    booking: &BookingId,
    detainer: &DetainerId,
    act: &Override,
    made: bool,
) -> pb::DecisionOverride {
    pb::DecisionOverride {
        detainer: of::detainer(county, booking, detainer),
        answer: wire_override_answer(act.answer).into(),
        effective_time: if made { Some(act.at.effective) } else { act.asked }.map(stamp),
        confirm_time: made.then(|| stamp(act.at.recorded)),
        policy_revision: of::revision(county, &act.revision),
        source: Some(wire_source(&act.source)),
        proposal: of::proposal(county, &act.proposal),
    }
}
