//! `detainer.proto`: a request, where it stands at an instant, and its withdrawal.

use super::super::names::of;
use super::super::time::{Fields, stamp, wire_source};
use super::decision::wire_decision;
use super::form::{Told, wire_document, wire_form, wire_service};
use super::overriding::wire_override;
use super::words;
use crate::domain::authority::in_effect;
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::decision::Outcome;
use crate::domain::detainer::{Detainer, Lift, LiftReason};
use crate::domain::time::Instant;
use crate::pb;

words! {
    /// Why it was withdrawn; it must be stated.
    any_lift_reason, wire_lift_reason: LiftReason <=> LiftReason {
        BookedIntoDetention = LiftReason::BookedIntoDetention,
        CaseClosed = LiftReason::CaseClosed,
        Died = LiftReason::Died,
        Lifted = LiftReason::Lifted,
        LackOfFunds = LiftReason::LackOfFunds,
        LackOfSpace = LiftReason::LackOfSpace,
        NotDeportable = LiftReason::NotDeportable,
        Transferred = LiftReason::Transferred,
        UsCitizenInterviewed = LiftReason::CitizenInterviewed,
        DeclinedByLea = LiftReason::DeclinedByLea,
        ProsecutorialDiscretion = LiftReason::ProsecutorialDiscretion,
        EarlyRelease = LiftReason::EarlyRelease,
        NoLongerInCustody = LiftReason::NoLongerInCustody,
        NotAmenableToRemoval = LiftReason::NotAmenable,
        CancelledByForm = LiftReason::CancelledByForm,
    }
}

/// Why the issuing agency withdrew it: any reason but the one that only a form gives.
pub fn lift_reason(fields: &mut Fields, field: &str, number: i32) -> Option<LiftReason> {
    let reason = any_lift_reason(fields, field, number)?;
    if reason == LiftReason::CancelledByForm {
        fields.bad(field, "is given by the server alone, where a later form cancels this one");
        return None;
    }
    Some(reason)
}

/// Where a request stands at an instant: by what ended it first.
#[must_use]
pub fn state_at(booking: &Booking, detainer: &Detainer, at: Instant) -> pb::DetainerState {
    let lifted = detainer.lift.as_ref().map_or(Instant::FAR, |lift| lift.at.effective);
    let replaced = detainer.replaced.as_ref().map_or(Instant::FAR, |replaced| replaced.at.effective);
    if lifted <= at && lifted <= replaced {
        pb::DetainerState::Lifted
    } else if replaced <= at {
        pb::DetainerState::Replaced
    } else if booking.ended() <= at {
        pb::DetainerState::Closed
    } else {
        pb::DetainerState::Open
    }
}

/// Whether a request is in effect at an instant: honored, asking to hold, served where the form needs it.
#[must_use]
pub fn in_effect_at(county: &County, booking: &Booking, detainer: &Detainer, at: Instant) -> bool {
    let honored = detainer.decision_at(at).filter(|decision| decision.outcome == Outcome::Honor);
    let Some(decision) = honored else { return false };
    let revision = decision.revision.as_ref().and_then(|id| county.revision(id));
    let asks = detainer.form_at(at).asks_hold(revision.is_some_and(|revision| revision.lent_holds.is_some()));
    let received = detainer.received.effective <= at && booking.is_open(detainer, at);
    asks && received && in_effect(booking, detainer).is_some_and(|(span, _)| span.contains(at))
}

fn wire_lift(lift: &Lift) -> pb::Lift {
    pb::Lift {
        lift_time: Some(stamp(lift.at.effective)),
        reason: wire_lift_reason(lift.reason).into(),
        source: Some(wire_source(&lift.source)),
    }
}

/// How a request is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The instant that its state is told for.
    pub at: Instant,
    /// What of it is sealed, where it may be shown; empty otherwise.
    pub told: &'a Told,
    /// Whether its decision comes with its explanation.
    pub explained: bool,
}

/// A request as an answer shows it.
#[must_use]
pub fn wire_detainer(county: &County, booking: &Booking, detainer: &Detainer, shown: Shown<'_>) -> pb::Detainer {
    let Shown { at, told, explained } = shown;
    let id = &county.id;
    let named = |other: &crate::domain::ids::DetainerId| of::detainer(id, &booking.id, other);
    let form = detainer.form_at(at);
    let decision = detainer.decision_at(at.max(detainer.received.effective));
    pb::Detainer {
        name: named(&detainer.id),
        etag: booking.seq.to_string(),
        booking: of::booking(id, &booking.id),
        form: Some(wire_form(&form, told)),
        received_time: Some(stamp(detainer.received.effective)),
        received_source: Some(wire_source(&detainer.source)),
        recorded_time: Some(stamp(detainer.received.recorded)),
        documents: form.documents.iter().map(|paper| wire_document(id, &booking.id, &detainer.id, paper)).collect(),
        service: detainer.service.as_ref().map(|service| wire_service(service, told)),
        state: state_at(booking, detainer, at).into(),
        in_effect: in_effect_at(county, booking, detainer, at),
        lift: detainer.lift.as_ref().map(wire_lift),
        replaced_by: detainer.replaced.as_ref().map(|replaced| named(&replaced.by)).unwrap_or_default(),
        replaces: detainer.replaces.as_ref().map(named).unwrap_or_default(),
        earlier_detainer: detainer
            .linked
            .as_ref()
            .map(|linked| of::detainer(id, &linked.booking, &linked.detainer))
            .unwrap_or_default(),
        decision: decision.map(|decision| wire_decision(county, booking, detainer, decision, at, explained)),
        decision_count: i32::try_from(detainer.decisions.len()).unwrap_or(i32::MAX),
        overrides: detainer.overrides.iter().map(|act| wire_override(id, &booking.id, &detainer.id, act, true)).collect(),
    }
}
