//! Two persons' own answer in place of the county rule's: one proposes, the other confirms (DOMAIN.md §5 *Reviews and
//! overrides*).
//!
//! It reaches the rule alone: the evaluator puts court orders, ceilings and mandates above it, and the form, service, proof
//! of citizenship and the clock apart from it. What would therefore change nothing is refused, saying what stands in the
//! way. To honor, or to return to the rule, counts from the confirmation; a decline may have been ordered earlier.

use super::super::booking::{Booking, Proposal};
use super::super::command::OverrideDecision;
use super::super::county::County;
use super::super::deciding::{self, Moment};
use super::super::decision::{Decision, Outcome, Override, OverrideAnswer, Reason, Trigger};
use super::super::detainer::Detainer;
use super::super::event::{Event, Overridden};
use super::super::evolve;
use super::super::ids::ProposalId;
use super::super::refusal::{Refusal, Why};
use super::super::time::Instant;
use super::booking::fits;
use super::correction::confirmed;
use super::{Context, PROPOSAL_US, missing, not_before};

/// Proposes an override to a second person.
pub(super) fn propose(county: &County, booking: &Booking, wanted: &OverrideDecision, ctx: &Context) -> Result<Event, Refusal> {
    let id = ProposalId::trusted(&ctx.seq.to_string());
    let act = checked(county, booking, &id, wanted, ctx)?;
    Ok(Event::Proposed(Proposal {
        id,
        person: ctx.person.clone(),
        actor: ctx.actor.clone(),
        proposed: ctx.now,
        expires: ctx.now.plus_us(PROPOSAL_US),
        confirmed: None,
        confirmed_by: None,
        correction: None,
        switch: None,
        overriding: Some(act),
    }))
}

/// The second person's act: the same content, checked against what is so now.
pub(super) fn confirm(county: &County, booking: &Booking, proposed: &Overridden, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let Override { proposal, asked, answer, revision, source, reason, .. } = proposed.act.clone();
    let wanted = OverrideDecision { detainer: proposed.detainer.clone(), answer, at: asked, source, reason };
    let act = checked(county, booking, &proposal, &wanted, ctx)?;
    if act.act.revision != revision {
        let now = &act.act.revision;
        let detail = format!("it was proposed under revision {revision}, and {now} governs now: propose it again");
        return Err(Refusal::new(Why::OverrideWithoutEffect, "name", detail));
    }
    Ok(vec![confirmed(&proposal, ctx), Event::Overridden(act)])
}

/// The override, as it would be recorded now.
fn checked(
    county: &County,
    booking: &Booking,
    proposal: &ProposalId,
    wanted: &OverrideDecision,
    ctx: &Context,
) -> Result<Overridden, Refusal> {
    let detainer = booking.detainer(&wanted.detainer).ok_or_else(|| missing("detainer", wanted.detainer.as_str()))?;
    let received = detainer.received.effective;
    let now = ctx.now.max(received);
    if booking.ended() <= now {
        let detail = format!("custody ended at {}: nothing is left to decide", booking.ended());
        return Err(Refusal::new(Why::NotInCustody, "name", detail));
    }
    if detainer.ended() <= now {
        let detail = format!("detainer {} was lifted or replaced at {}", detainer.id, detainer.ended());
        return Err(Refusal::new(Why::AlreadyEnded, "name", detail));
    }
    fits(detainer.overrides.len(), "name")?;
    let Some(revision) = county.governing(received, now) else {
        return Err(useless("no policy revision is in force: there is no rule to override"));
    };
    if let Some(at) = wanted.at {
        if wanted.answer != OverrideAnswer::Decline {
            let detail = "only DECLINE may have been ordered earlier: leave it unset, it counts from the confirmation on";
            return Err(Refusal::new(Why::Invalid, "effective_time", detail));
        }
        ctx.not_ahead("effective_time", at)?;
        not_before("effective_time", at, received, "the form was received")?;
        if county.governing(received, at).is_none_or(|r| r.id != revision.id) {
            let detail = format!("revision {} did not govern yet: an override replaces the rule in force now", revision.id);
            return Err(Refusal::new(Why::TimeOutOfOrder, "effective_time", detail));
        }
    }
    let effective = wanted.at.unwrap_or(now);
    let act = Override {
        proposal: proposal.clone(),
        at: ctx.moment().stamp(effective),
        asked: wanted.at,
        answer: wanted.answer,
        revision: revision.id.clone(),
        source: wanted.source.clone(),
        reason: wanted.reason,
    };
    let overridden = Overridden { detainer: detainer.id.clone(), act };
    match wanted.answer {
        OverrideAnswer::Rule => {
            let replaced = detainer.override_at(now, &revision.id).is_some_and(|known| known.answer != OverrideAnswer::Rule);
            if !replaced {
                return Err(useless(format!("the answer is the rule's own: no override under revision {}", revision.id)));
            }
        }
        OverrideAnswer::Honor => changes_to(Outcome::Honor, county, booking, detainer, &overridden, now.max(effective), ctx)?,
        OverrideAnswer::Decline => changes_to(Outcome::Decline, county, booking, detainer, &overridden, now.max(effective), ctx)?,
    }
    Ok(overridden)
}

/// The answer in force would be another one, and the one that is wanted.
fn changes_to(
    wanted: Outcome,
    county: &County,
    booking: &Booking,
    detainer: &Detainer,
    overridden: &Overridden,
    now: Instant,
    ctx: &Context,
) -> Result<(), Refusal> {
    if detainer.decision_at(now).is_some_and(|decision| decision.outcome == wanted) {
        return Err(useless(format!("the answer is {} already", word(wanted))));
    }
    let mut after = booking.clone();
    evolve::apply(&mut after, &Event::Overridden(overridden.clone()));
    let moment = Moment { changed: &Trigger::Override, ..ctx.moment() };
    for decided in deciding::decisions(county, &after, &moment) {
        evolve::apply(&mut after, &Event::Decided(decided));
    }
    match after.detainer(&detainer.id).and_then(|d| d.decision_at(now)) {
        Some(Decision { outcome, .. }) if *outcome == wanted => Ok(()),
        Some(decision) => {
            let why = because(decision.reason);
            let detail =
                format!("the answer would stay {}: {why}; an override replaces the county rule alone", word(decision.outcome));
            Err(useless(detail))
        }
        None => Err(useless("there is no answer to override")),
    }
}

fn useless(detail: impl Into<String>) -> Refusal {
    Refusal::new(Why::OverrideWithoutEffect, "answer", detail)
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Honor => "HONOR",
        Outcome::Decline => "DECLINE",
        Outcome::NeedsReview => "NEEDS_REVIEW",
    }
}

/// What stands above the county rule, or apart from it.
fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::NoHoldRequested => "the form asks for no hold",
        Reason::StatusProof => "proof of citizenship or lawful status is recorded",
        Reason::FaciallyInsufficient => "the form is not facially sufficient",
        Reason::FaciallyUnknown => "it is not known whether the form is facially sufficient",
        Reason::ReviewDeclined => "a person declined it on review",
        Reason::CourtOrder => "a court order decides",
        Reason::StateMandate => "a mandate of the state decides",
        Reason::StateCeiling => "a ceiling of the state decides",
        Reason::RuleUnknown => "a condition of a layer above the rule is not known",
        _ => "a later override decides",
    }
}
