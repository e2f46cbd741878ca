//! `decision.proto`: an answer to a request, why it came out so, and the clock it gives.

use super::super::names::of;
use super::super::time::stamp;
use super::policy::wire_layer_kind;
use super::wire_tri;
use super::words;
use crate::domain::booking::Booking;
use crate::domain::clock::{ClockTerms, Exclusion, Limit, StartRule};
use crate::domain::county::County;
use crate::domain::decision::{Decision, Outcome, Reason, Trigger};
use crate::domain::detainer::Detainer;
use crate::domain::facts::Tri;
use crate::domain::policy::{Effect, Explained, Explanation, LayerExplained, Mode, Revision, Step};
use crate::domain::release;
use crate::domain::sentences::{Language, Rests, Sentences, sentences};
use crate::domain::time::Instant;
use crate::pb;

words! {
    /// An answer about the hold; it must be stated.
    outcome, wire_outcome: Outcome <=> Outcome {
        Honor = Outcome::Honor,
        Decline = Outcome::Decline,
        NeedsReview = Outcome::NeedsReview,
    }
}

/// The word for a reason. The rule's own reason has a word for each mode.
#[must_use]
pub fn wire_reason(reason: Reason, mode: Option<Mode>) -> pb::DecisionReason {
    use pb::DecisionReason as R;
    match reason {
        Reason::RuleSatisfied if mode == Some(Mode::RequireReimbursementGuarantee) => R::Guaranteed,
        Reason::RuleSatisfied if mode == Some(Mode::Conditional) => R::ConditionMet,
        Reason::RuleSatisfied => R::HonorAlways,
        Reason::NoPolicyInForce => R::NoRevisionInForce,
        Reason::NoHoldRequested => R::NoHoldRequested,
        Reason::StatusProof => R::CitizenshipProof,
        Reason::FaciallyInsufficient => R::FaciallyInsufficient,
        Reason::FaciallyUnknown => R::FacialSufficiencyUnknown,
        Reason::NoGuarantee => R::NoGuarantee,
        Reason::BalanceNotReserved => R::BudgetExhausted,
        Reason::PolicyDeclines => R::DeclineAll,
        Reason::NotifyOnly => R::NotifyOnly,
        Reason::RuleUnknown => R::FactUnknown,
        Reason::ReviewDeclined => R::DeclinedInReview,
        Reason::RuleNotSatisfied => R::ConditionNotMet,
        Reason::CourtOrder => R::CourtOrder,
        Reason::StateMandate => R::StateMandate,
        Reason::StateCeiling => R::StateCeiling,
        Reason::Overridden => R::Overridden,
    }
}

/// The word for what brought a decision about.
#[must_use]
pub fn wire_trigger(trigger: &Trigger) -> pb::DecisionTrigger {
    use pb::DecisionTrigger as T;
    match trigger {
        Trigger::Receipt => T::Receipt,
        Trigger::Switch(_) => T::PolicySwitch,
        Trigger::AgreementStarted(_) => T::AgreementStarted,
        Trigger::AgreementEnded(_) => T::AgreementEnded,
        Trigger::Balance(_) => T::AgreementBudget,
        Trigger::Reservation(_) => T::HoldStarted,
        Trigger::FactChanged => T::FactChanged,
        Trigger::Review => T::ReviewResolved,
        Trigger::Correction => T::Correction,
        Trigger::Layer(_) => T::Layer,
        Trigger::LookBack => T::LookBack,
        Trigger::Override => T::Override,
    }
}

/// One node, as it was stored.
#[must_use]
pub fn node(step: &Explanation) -> pb::ExplanationNode {
    use pb::NodeKind as N;
    let kind = match step.step {
        Step::All => N::All,
        Step::Any => N::Any,
        Step::Not => N::Not,
        Step::Constant => N::Constant,
        Step::Guaranteed => N::ReimbursementGuaranteed,
        Step::RevisionInForce => N::RevisionInForce,
        Step::HoldRequested => N::HoldRequested,
        Step::StatusProof => N::StatusProof,
        Step::FaciallySufficient => N::FaciallySufficient,
        Step::DeclinedOnReview => N::DeclinedInReview,
        Step::JudicialWarrant => N::JudicialWarrant,
        Step::ProbableCause => N::JudicialProbableCause,
        Step::StateOrder => N::StateJudicialOrder,
        Step::AdministrativeWarrant => N::AdministrativeWarrant,
        Step::FederalOrder => N::FederalOrder,
        Step::BookingForm => N::BookingForm,
        Step::FormEdition => N::FormEdition,
        Step::Conviction => N::Conviction,
        Step::PendingCharge => N::PendingCharge,
        Step::PriorConviction => N::PriorConviction,
        Step::PendingCase => N::PendingCriminalCase,
        Step::OutstandingWarrant => N::OutstandingCriminalWarrant,
        Step::PriorRemoval => N::PriorRemovalOrder,
        Step::Reentry => N::ReentryAfterRemoval,
        Step::FinalOrder => N::FinalRemovalOrder,
        Step::Registry => N::Registry,
        Step::WatchList => N::GangOrWatchList,
        Step::ReleaseDatePublic => N::ReleaseDatePublic,
        Step::OtherPurpose => N::OtherPurpose,
        Step::AgeAtLeast => N::AgeAtLeast,
        Step::Served => N::Served,
        Step::Overridden => N::Overridden,
    };
    pb::ExplanationNode {
        kind: kind.into(),
        label: step.label.to_string(),
        value: wire_tri(step.value).into(),
        fact_read: step.fact.to_string(),
        children: step.parts.iter().map(node).collect(),
    }
}

/// Why a decision came out as it did, as it was stored with it.
#[must_use]
pub fn wire_explanation(why: &Explained) -> pb::Explanation {
    let layer = |layer: &LayerExplained| pb::LayerExplanation {
        kind: wire_layer_kind(layer.kind, layer.effect).into(),
        answer: match (layer.condition.value, layer.effect) {
            (Tri::Unknown, _) => pb::LayerAnswer::Unknown,
            (Tri::Yes, None | Some(Effect::Mandate)) => pb::LayerAnswer::Honor,
            (Tri::Yes, Some(Effect::Ceiling)) | (Tri::No, None) => pb::LayerAnswer::Decline,
            (Tri::No, Some(_)) => pb::LayerAnswer::Silent,
        }
        .into(),
        decided: layer.decided,
        condition: Some(node(&layer.condition)),
        instrument_title: layer.instrument.to_string(),
    };
    pb::Explanation {
        checks: why.checks.iter().map(node).collect(),
        layers: why.layers.iter().map(layer).collect(),
        notify: why.notify.as_ref().map(node),
        transfer: why.transfer.as_ref().map(node),
    }
}

/// The clock of a decision, resolved for its form.
fn wire_terms(county: &County, revision: Option<&Revision>, terms: &ClockTerms) -> pb::ClockRule {
    let start = match terms.start {
        StartRule::OtherwiseReleased => pb::StartRule::OtherwiseReleased,
        StartRule::Receipt => pb::StartRule::Receipt,
        StartRule::WarrantServed => pb::StartRule::WarrantServed,
    };
    let limit = match terms.limit {
        Limit::Hours(hours) => pb::hold_limit::Limit::Hours(i32::try_from(hours).unwrap_or(i32::MAX)),
        Limit::EndOfLocalDay => pb::hold_limit::Limit::EndOfLocalDay(true),
    };
    let (exclusion, named) = match &terms.exclusion {
        Exclusion::None => (pb::ExclusionRule::None, false),
        Exclusion::Weekends => (pb::ExclusionRule::Weekends, false),
        Exclusion::WeekendsAndHolidays { county_days } => (pb::ExclusionRule::WeekendsAndHolidays, !county_days.is_empty()),
    };
    let days = revision.filter(|revision| named && !revision.county_days_calendar.is_empty());
    pb::ClockRule {
        start_rule: start.into(),
        limit: Some(pb::HoldLimit { limit: Some(limit) }),
        exclusion: exclusion.into(),
        county_days_calendar: days.map(|r| of::calendar(&county.id, &r.county_days_calendar)).unwrap_or_default(),
        county_days_instrument: days.and_then(|r| r.county_days_instrument.as_ref()).map(super::super::time::wire_instrument),
    }
}

/// A decision as an answer shows it that is given for the instant `at`; without explanation in lists of detainers.
#[must_use]
pub fn wire_decision(
    county: &County,
    booking: &Booking,
    detainer: &Detainer,
    decision: &Decision,
    at: Instant,
    explained: bool,
) -> pb::Decision {
    let id = &county.id;
    let revision = decision.revision.as_ref().and_then(|r| county.revision(r)).map(|revision| (revision, true));
    let over = explained && decision.outcome == Outcome::Honor && release::is_over(county, booking, detainer, at);
    pb::Decision {
        name: of::decision(id, &booking.id, &detainer.id, decision.n),
        detainer: of::detainer(id, &booking.id, &detainer.id),
        recorded_time: Some(stamp(decision.at.recorded)),
        sequence: decision.at.seq,
        ..wire_answer(county, revision, decision, explained, over)
    }
}

/// What a decision says, without when it was recorded and on whose detainer. The revision is told with whether it was
/// activated; `over`: no hold may begin on it any more.
#[must_use]
pub fn wire_answer(
    county: &County,
    revision: Option<(&Revision, bool)>,
    decision: &Decision,
    explained: bool,
    over: bool,
) -> pb::Decision {
    let id = &county.id;
    let honored = decision.outcome == Outcome::Honor;
    pb::Decision {
        outcome: wire_outcome(decision.outcome).into(),
        reason: wire_reason(decision.reason, decision.mode).into(),
        notify: decision.notify,
        transfer: decision.transfer,
        policy_revision: decision.revision.as_ref().map(|r| of::revision(id, r)).unwrap_or_default(),
        effective_time: Some(stamp(decision.at.effective)),
        trigger: wire_trigger(&decision.trigger).into(),
        authority_from: honored.then(|| stamp(decision.authority_from)),
        clock: decision.terms.as_ref().map(|terms| wire_terms(county, revision.map(|(revision, _)| revision), terms)),
        agreement: decision.agreement.as_ref().map(|a| of::agreement(id, a)).unwrap_or_default(),
        explanation: explained.then(|| wire_explanation(&decision.explanation)),
        sentences: if explained { wire_sentences(county, revision, decision, over) } else { Vec::new() },
        ..pb::Decision::default()
    }
}

/// The plain sentences of a decision, in each language.
fn wire_sentences(
    county: &County,
    revision: Option<(&Revision, bool)>,
    decision: &Decision,
    over: bool,
) -> Vec<pb::PlainDecision> {
    let rests = revision.map(|(revision, activated)| Rests::on(revision, county.profile.zone, activated));
    let told = |language: Language| {
        let Sentences { answer, basis } = sentences(language, decision, rests, over);
        pb::PlainDecision { language: language.tag().to_owned(), answer, basis }
    };
    Language::ALL.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::numbered::Numbered as _;
    use std::collections::HashSet;

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        let words: HashSet<_> = Reason::ALL.iter().map(|reason| wire_reason(*reason, Some(Mode::HonorAlways))).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        assert_eq!(wire_reason(Reason::RuleSatisfied, Some(Mode::RequireReimbursementGuarantee)), pb::DecisionReason::Guaranteed);
    }
}
