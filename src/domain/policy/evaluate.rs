//! The evaluator: layers, most binding first, and what comes before them (DOMAIN.md §5, §10.18 to §10.20).

use super::super::decision::{Outcome, Reason};
use super::super::facts::Tri;
use super::super::ids::AgreementId;
use super::{
    Answer, Answers, Condition, Effect, Explained, Explanation, Inputs, LayerExplained, LayerKind, Leaf, Mode, Revision, Step,
    guarantee, step,
};
use crate::domain::agreement::MinimumCoverage;

/// Answers a request under the revision in force, or without one (DOMAIN.md §10.18).
#[must_use]
pub fn evaluate(revision: Option<&Revision>, inputs: &Inputs) -> Answer {
    let Some(revision) = revision else {
        let check = step(Step::RevisionInForce, "a revision in force", Tri::No, "none in force at that instant");
        let explanation = Explained { checks: vec![check], ..Explained::default() };
        return reviewed(Reason::NoPolicyInForce, None, inputs, explanation);
    };
    let (verdict, layers) = layered(revision, inputs);
    let mut why = Explained {
        checks: Vec::with_capacity(3),
        layers,
        notify: revision.notify_where.as_ref().map(|tree| tree.explain(inputs)),
        transfer: revision.transfer_where.as_ref().map(|tree| tree.explain(inputs)),
    };
    let asks = step(Step::HoldRequested, "the form asks to hold", Tri::from(inputs.asks_hold), inputs.edition.label());
    why.checks.push(asks);
    if !inputs.asks_hold {
        return answer(Outcome::Decline, Reason::NoHoldRequested, Some((revision, verdict.says)), None, why.undecided());
    }

    let proof =
        step(Step::StatusProof, "proof of citizenship or lawful status", Tri::from(inputs.status_proof), "facts of the booking");
    why.checks.push(proof);
    if inputs.status_proof {
        return reviewed(Reason::StatusProof, Some(revision), inputs, why.undecided());
    }

    let facial = revision.asks_facial_sufficiency(inputs.edition);
    if facial {
        let read = "boxes, signature, warrant attached";
        why.checks.push(step(Step::FaciallySufficient, "the form is facially sufficient", inputs.facially_sufficient, read));
        if inputs.facially_sufficient == Tri::No {
            return answer(Outcome::Decline, Reason::FaciallyInsufficient, Some((revision, Tri::No)), None, why.undecided());
        }
    }

    match verdict.says {
        Tri::No => answer(Outcome::Decline, verdict.reason, Some((revision, Tri::No)), None, why),
        Tri::Unknown => reviewed(Reason::RuleUnknown, Some(revision), inputs, why),
        Tri::Yes if facial && inputs.facially_sufficient == Tri::Unknown => {
            reviewed(Reason::FaciallyUnknown, Some(revision), inputs, why)
        }
        // What a person declined on review stays declined, whatever comes to be known of it (the stricter reading).
        Tri::Yes if inputs.review_declined => reviewed(Reason::ReviewDeclined, Some(revision), inputs, why),
        Tri::Yes => answer(Outcome::Honor, verdict.reason, Some((revision, Tri::Yes)), verdict.agreement, why),
    }
}

impl Explained {
    /// Nothing among the layers decided.
    fn undecided(mut self) -> Self {
        for layer in &mut self.layers {
            layer.decided = false;
        }
        self
    }
}

/// What the layers say together.
struct Verdict {
    says: Tri,
    reason: Reason,
    agreement: Option<AgreementId>,
}

/// The first layer that is not silent decides. One whose condition is unknown asks for a review, unless it is a ceiling
/// and what lies below declines anyway.
fn layered(revision: &Revision, inputs: &Inputs) -> (Verdict, Vec<LayerExplained>) {
    let rule = revision.rule();
    let mut county = rule.explain(inputs);
    if let Some(honor) = inputs.overridden {
        let label = "two persons put their own answer in place of the rule's";
        county = Explanation {
            parts: vec![county],
            ..step(Step::Overridden, label, Tri::from(honor), if honor { "honor" } else { "decline" })
        };
    }
    let instrument = revision.instrument.title.clone();
    let bottom = LayerExplained { kind: LayerKind::CountyRule, effect: None, instrument, decided: false, condition: county };
    let in_force = inputs.layers.iter().filter_map(|n| revision.layers.get(usize::try_from(*n).ok()?));
    let in_force: Vec<_> = in_force.collect();
    let mut explained: Vec<LayerExplained> = in_force
        .iter()
        .map(|layer| LayerExplained {
            kind: layer.kind,
            effect: Some(layer.effect),
            instrument: layer.instrument.title.clone(),
            decided: false,
            condition: layer.condition.explain(inputs),
        })
        .collect();
    explained.push(bottom);

    let mut decides = explained.len() - 1;
    let mut says = explained.last().map_or(Tri::Unknown, |county| county.condition.value);
    for (n, layer) in explained.iter().enumerate().rev() {
        let spoken = match (layer.effect, layer.condition.value) {
            (None, _) | (Some(_), Tri::No) => continue,
            (Some(Effect::Mandate), Tri::Yes) => Tri::Yes,
            (Some(Effect::Ceiling), Tri::Yes) => Tri::No,
            (Some(Effect::Ceiling), Tri::Unknown) if says == Tri::No => continue,
            (Some(_), Tri::Unknown) => Tri::Unknown,
        };
        (says, decides) = (spoken, n);
    }
    if let Some(layer) = explained.get_mut(decides) {
        layer.decided = true;
    }
    let verdict = match in_force.get(decides) {
        Some(layer) => Verdict {
            says,
            reason: match (layer.kind, layer.effect) {
                (LayerKind::CourtOrder, _) => Reason::CourtOrder,
                (_, Effect::Mandate) => Reason::StateMandate,
                (_, Effect::Ceiling) => Reason::StateCeiling,
            },
            agreement: if says == Tri::Yes { rests_on(&layer.condition, inputs) } else { None },
        },
        None if inputs.overridden.is_some() => Verdict { says, reason: Reason::Overridden, agreement: None },
        None if says == Tri::Yes => Verdict { says, reason: Reason::RuleSatisfied, agreement: rests_on(&rule, inputs) },
        None => Verdict { says, reason: declined_because(revision, &rule, inputs), agreement: None },
    };
    (verdict, explained)
}

/// The agreement without which a condition would not hold.
fn rests_on(condition: &Condition, inputs: &Inputs) -> Option<AgreementId> {
    let asked: Vec<MinimumCoverage> = condition
        .leaves()
        .filter_map(|leaf| match leaf {
            Leaf::Guaranteed(minimum) => Some(*minimum),
            _ => None,
        })
        .collect();
    if asked.is_empty() || condition.value_guaranteed(inputs, false) == Tri::Yes {
        return None;
    }
    let all = asked.contains(&MinimumCoverage::AllCosts).then(|| guarantee(inputs, MinimumCoverage::AllCosts)).flatten();
    all.or_else(|| guarantee(inputs, MinimumCoverage::Any)).cloned()
}

fn declined_because(revision: &Revision, rule: &Condition, inputs: &Inputs) -> Reason {
    match revision.mode {
        Mode::NotifyOnly => Reason::NotifyOnly,
        Mode::DeclineAll | Mode::HonorAlways => Reason::PolicyDeclines,
        // All that is missing is the promise.
        _ if rule.value_guaranteed(inputs, true) == Tri::Yes && inputs.reservation_failed => Reason::BalanceNotReserved,
        _ if rule.value_guaranteed(inputs, true) == Tri::Yes => Reason::NoGuarantee,
        Mode::RequireReimbursementGuarantee | Mode::Conditional => Reason::RuleNotSatisfied,
    }
}

/// What has to be reviewed; declined where a person did that already.
fn reviewed(reason: Reason, revision: Option<&Revision>, inputs: &Inputs, mut why: Explained) -> Answer {
    if inputs.review_declined {
        why.checks.push(step(Step::DeclinedOnReview, "declined on review", Tri::Yes, "the reviewer's own act"));
        let under = revision.map(|revision| (revision, Tri::No));
        return answer(Outcome::Decline, Reason::ReviewDeclined, under, None, why);
    }
    answer(Outcome::NeedsReview, reason, None, None, why)
}

/// Notify and transfer come out of the mode unless the revision states them (DOMAIN.md §5, §10.20).
fn answer(
    outcome: Outcome,
    reason: Reason,
    under: Option<(&Revision, Tri)>,
    agreement: Option<AgreementId>,
    explanation: Explained,
) -> Answer {
    let (notify, transfer) = match (outcome, under) {
        (Outcome::NeedsReview, _) | (_, None) => (false, false),
        (Outcome::Honor, Some((revision, _))) => {
            let Answers { notify_honored, transfer_honored, .. } = revision.answers;
            (notify_honored.unwrap_or(true), transfer_honored.unwrap_or(true))
        }
        (Outcome::Decline, Some((revision, rule))) => {
            let Answers { notify_declined, transfer_declined, .. } = revision.answers;
            (notify_declined.unwrap_or(notifies(revision.mode, rule)), transfer_declined.unwrap_or(false))
        }
    };
    let says = |tree: &Option<Explanation>, otherwise: bool| match tree {
        Some(tree) if outcome != Outcome::NeedsReview => tree.value == Tri::Yes,
        _ => otherwise,
    };
    let (notify, transfer) = (says(&explanation.notify, notify), says(&explanation.transfer, transfer));
    Answer { outcome, reason, notify, transfer, agreement, explanation }
}

/// What a mode says of notice where it does not hold.
fn notifies(mode: Mode, rule: Tri) -> bool {
    match mode {
        Mode::HonorAlways | Mode::NotifyOnly => true,
        Mode::RequireReimbursementGuarantee => rule == Tri::Yes,
        Mode::DeclineAll | Mode::Conditional => false,
    }
}
